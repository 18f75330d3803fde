#!/usr/bin/env python3
"""No turn of an event loop is long: bodies of 32 MiB, of every shape that is read byte by byte, are
taken in slices, so that small requests pass between them.

weir says how long the longest turn took, by the clock on the wall; where others need the core, that
is longer than the work of the turn. So each shape is measured up to --tries times, each time with
a fresh weir, and the least counts: what is not sliced is long every time.
"""

import argparse
import contextlib
import gzip
import importlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import zlib

import machine
import programs
import report
from gateways import WEIR_BINARY, Weir

BODY_BYTES = 32 << 20
TURN_MS_MAX = 5.0
AT_ONCE = 3  # large bodies
HEAD, TAIL = b'{"messages":[{"role":"user","content":"', b'"}],"model":"gpt-4o-mini"}'


def filled(head, piece, tail, size=BODY_BYTES):
    """As many pieces as fit, and spaces up to the size."""
    text = head + piece * ((size - len(head) - len(tail)) // len(piece)) + tail
    return text.ljust(size)


def shapes():
    """{name: (content coding, body)}"""
    message = b'{"role":"user","content":"Hi"},'
    plain = {
        "one long string": filled(HEAD, b"x", TAIL),
        "a string of escapes": filled(HEAD, b"\\u00e9", TAIL),
        "a string of UTF-8": filled(HEAD, "漢".encode(), TAIL),
        "a million messages": filled(b'{"messages":[', message, message[:-1] + TAIL[2:]),
        "numbers": filled(b'{"x":[', b"1,", b'1],"messages":[],"model":"gpt-4o-mini"}'),
        "nested arrays": filled(b'{"x":[', b"[" * 60 + b"]" * 60 + b",",
                                b'1],"messages":[],"model":"gpt-4o-mini"}'),
        "objects": filled(b'{"x":[', b'{"a":{"b":null}},',
                          b'{}],"messages":[],"model":"gpt-4o-mini"}'),
        "spaces": filled(b"", b" ", b'{"messages":[],"model":"gpt-4o-mini"}'),
    }
    found = {name: (None, body) for name, body in plain.items()}
    for coding, pack in packers().items():
        for name in ("one long string", "a million messages"):
            found[f"{name}, {coding}"] = coding, pack(plain[name])
    found["empty blocks, gzip"] = "gzip", empty_blocks(HEAD + TAIL)
    return found


def empty_blocks(body):
    """A gzip that spends 32 MiB to say little: empty blocks of fixed codes, ten bits each."""
    block = int("0000000010", 2)
    eight = sum(block << 10 * n for n in range(8)).to_bytes(10, "little")
    stored = b"\1" + struct.pack("<HH", len(body), len(body) ^ 0xffff) + body
    trailer = struct.pack("<II", zlib.crc32(body), len(body))
    header = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    rest = len(header) + len(stored) + len(trailer)
    return header + eight * ((BODY_BYTES - rest) // len(eight)) + stored + trailer


def packers():
    """Those of the standard library, and others where they are installed."""
    found = {"gzip": lambda data: gzip.compress(data, 1)}
    with contextlib.suppress(ImportError):
        brotli = importlib.import_module("brotli")
        found["br"] = lambda data: brotli.compress(data, quality=3)
    with contextlib.suppress(ImportError):
        zstandard = importlib.import_module("zstandard")
        found["zstd"] = zstandard.ZstdCompressor(level=1).compress
    return found


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--shape", help="only those whose name contains this")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the result into docs/performance.md")
    return parser.parse_args()


def undisturbed():
    """The command that keeps others off weir's core, where that is allowed."""
    command = ("chrt", "--fifo", "1")
    is_allowed = shutil.which("chrt") and subprocess.run(
        [*command, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return command if is_allowed else ()


def longest_turn_ms(weir):
    admin = re.search(r'admin: .*"(.*)"', (weir.folder / "weir.yaml").read_text())[1]
    with urllib.request.urlopen(f"http://{admin}/metrics") as answer:
        text = answer.read().decode()
    return float(re.search(r"^weir_loop_turn_longest_seconds (\S+)", text, re.M)[1]) * 1e3


def send(weir, coding, body):
    """The provider refuses these bodies, once it has read them, and counts them as bad."""
    headers = {"Authorization": f"Bearer {weir.key}", "Content-Type": "application/json"}
    if coding:
        headers["Content-Encoding"] = coding
    request = urllib.request.Request(f"http://127.0.0.1:{weir.port}/v1/chat/completions", body,
                                     headers)
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request).close()


def measure_once(provider, coding, body):
    """(The longest turn, what the small requests beside it came to)."""
    with tempfile.TemporaryDirectory(prefix="weir-turns-") as folder:
        weir = Weir(folder, provider.port)
        weir.prefix = undisturbed()
        weir.start()
        before = provider.stats()["bad"]
        try:
            load = programs.Load(weir.port, weir.key, rate=200, connections=4, duration_ms=1500)
            senders = [threading.Thread(target=send, args=(weir, coding, body))
                       for _ in range(AT_ONCE)]
            for each in senders:
                each.start()
            for each in senders:
                each.join()
            result = load.result()
            load.end()
            arrived = provider.stats()["bad"] - before
            if arrived != AT_ONCE:
                raise RuntimeError(f"{arrived} of {AT_ONCE} bodies reached the provider")
            return longest_turn_ms(weir), result
        finally:
            weir.stop()


def measure(provider, coding, body, tries):
    """The best of some tries; one that is good is enough."""
    best = None
    for _ in range(tries):
        turn_ms, result = measure_once(provider, coding, body)
        if best is None or turn_ms < best[0]:
            best = turn_ms, result
        if turn_ms <= TURN_MS_MAX:
            break
    return best


def render(figures):
    facts = machine.facts(WEIR_BINARY)
    rows = [[name, f"{turn_ms:.2f}", f"{TURN_MS_MAX:.0f}", f"{load['ok']:,}", load["errors"]]
            for name, (turn_ms, load) in figures.items()]
    return report.table([f"{AT_ONCE} bodies of 32 MiB at once: {facts['date']}, {facts['weir']}",
                         "longest turn ms", "at most", "small requests", "errors"], rows)


def main():
    arguments = parse_arguments()
    programs.build()
    figures = {}
    with programs.Provider() as provider:
        for name, (coding, body) in shapes().items():
            if arguments.shape and arguments.shape not in name:
                continue
            turn_ms, load = measure(provider, coding, body, arguments.tries)
            figures[name] = turn_ms, load
            print(f"{name}: {figures[name][0]:.2f} ms", file=sys.stderr)
    print(render(figures))
    if arguments.write_docs:
        report.replace_section("turns", render(figures))
    is_good = figures and all(turn_ms <= TURN_MS_MAX and load["errors"] == 0
                              for turn_ms, load in figures.values())
    print("turns: none too long" if is_good else "turns: FAILED")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
