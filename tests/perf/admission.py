#!/usr/bin/env python3
"""What checking a key and holding limits cost a request: nanoseconds of CPU, at most 1,000.

Usage: tests/perf/admission.py [--requests N] [--write-docs]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

import report
from programs import FLAGS, HERE, OUT, ROOT

KEYS = (1, 10_000, 1_000_000)
BOUND_NS = 1000
ROUNDS = 5
FOLDERS = ("base", "identity", "policy")
BESIDES = ("io/secret_file",)


def build():
    sources = [HERE / "admission.c", *(ROOT / f"src/{name}.c" for name in BESIDES)]
    for folder in FOLDERS:
        sources += sorted((ROOT / "src" / folder).glob("*.c"))
    OUT.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CC", "cc"), *FLAGS, "-flto=auto", f"-I{ROOT / 'src'}",
                    *map(str, sources), "-lcrypto", "-lsodium", "-lpthread",
                    "-o", str(OUT / "admission")], check=True)


def measure(requests, keys):
    """The medians of a few runs, each a process of its own."""
    runs = [json.loads(subprocess.run([OUT / "admission", str(requests), str(keys)], check=True,
                                      stdout=subprocess.PIPE).stdout) for _ in range(ROUNDS)]
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def row(keys, figures):
    bound = report.judge(figures["all_ns"], BOUND_NS) if keys == 1 else ""
    return [f"{keys:,}", *(f"{figures[name]:.0f}" for name in ("key_ns", "limits_ns", "all_ns")),
            bound]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2_000_000)
    parser.add_argument("--write-docs", action="store_true",
                        help="put the figures into docs/performance.md")
    arguments = parser.parse_args()
    build()
    table = report.table(["keys", "checking the key, ns", "limits at three levels, ns",
                          "together", "must be"],
                         [row(keys, measure(arguments.requests, keys)) for keys in KEYS])
    print(table)
    if arguments.write_docs:
        report.replace_section("admission", table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
