#!/usr/bin/env python3
"""What the store costs: microseconds per request moved in, and milliseconds per report.

Usage: tests/perf/store.py [--rows N] [--keys N] [--days N] [--folder FOLDER]

Moves 100,000 requests of 10,000 keys in, then fills a database with N requests (10,000,000 by
default, which takes two to three minutes and 4 GiB) and reads reports from it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "build" / "bench" / "store"
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Wconversion", "-Wshadow"]
SECONDS_MAX = 300


def build():
    sources = [HERE / "store.c"]
    for folder in ("base", "store", "store/sqlite"):
        sources += sorted((ROOT / "src" / folder).glob("*.c"))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CC", "cc"), *FLAGS, f"-I{ROOT / 'src'}", *map(str, sources),
                    "-lsqlite3", "-o", str(OUT)], check=True)


def run(folder, *arguments):
    Path(folder).mkdir(exist_ok=True)
    subprocess.run([str(OUT), str(folder), *map(str, arguments)], check=True, timeout=SECONDS_MAX)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--keys", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--folder", help="where the databases go; by default a temporary one")
    options = parser.parse_args()
    build()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        run(Path(folder) / "insert", "insert", 100_000, 10_000, 10_000)
        sys.stdout.flush()
        run(Path(folder) / "fill", "fill", options.rows, options.keys, options.days)
        print(f"{(Path(folder) / 'fill' / 'weir.db').stat().st_size / 1e9:.2f} GB", flush=True)
        run(Path(folder) / "fill", "report")


if __name__ == "__main__":
    main()
