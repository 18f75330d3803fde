#!/usr/bin/env python3
"""Counts the user-space instructions of a request through weir, under callgrind.

CPU time tells what a request costs on this machine today; instructions tell, on any machine and
while others use it, whether a change made it cost more. Requests go one after the other over one
connection. Each figure is the difference of two runs with different numbers of requests, so that
start, stop and the first request cancel out, and is that of the worker's thread; the others (the
log) stand beside it.

A figure belongs to a toolchain: another compiler or C library makes other instructions of the same
source. instructions.json holds the figures of those that somebody recorded; on any other, the
figures are printed and nothing is compared.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import machine
import programs
import refusals
import report
from gateways import WEIR_BINARY, Weir, WeirWithoutLimits

FIGURES = programs.HERE / "instructions.json"
TOLERANCE = 0.02
WARM_UP = 50
ENCODINGS_WITHIN_S = 120
SERVES = "http_exchange_run"  # runs in the worker's thread, and in the control thread at the start
ENCODINGS_WITHIN_S = 120

STREAM = {"stream": True, "events": 200}

# Of each figure: what is set of limits, the load, and how many requests the long run has more than
# the short one.
NONE, ALL = WeirWithoutLimits.limits, Weir.limits
LOADS = {
    "chat": (NONE, {}, 1000),
    "chat, limits and budgets": (ALL, {}, 1000),
    "stream of 200 events": (NONE, STREAM, 400),
    "stream of 200 events, limits and budgets": (ALL, STREAM, 400),
    "100 KB prompt": (NONE, {"body_bytes": 100_000}, 200),
    "refused by a limit": (NONE, refusals.BY_LIMIT, 1000),
}


class CountedWeir(Weir):
    """weir under callgrind, one profile for each thread."""

    def __init__(self, folder, provider_port):
        super().__init__(folder, provider_port)
        self.profile = self.folder / "profile"
        self.prefix = ("valgrind", "--tool=callgrind", "--separate-threads=yes",
                       f"--callgrind-out-file={self.profile}", "--quiet")

    def stop(self):
        """SIGINT does not linger; writing the profile takes a moment."""
        self.process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(60)
            return
        self.process.kill()
        self.process.wait()


def wait_for_encodings(weir):
    """What is loaded in the background after the start would be measured with the requests."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{weir.port}/v1/chat/completions/count",
        data=b'{"model": "any", "messages": []}', headers={"Authorization": f"Bearer {weir.key}"})
    deadline = time.monotonic() + ENCODINGS_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(request, timeout=ENCODINGS_WITHIN_S):
                return
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def counts_of(profile):
    """[instructions of a thread, whether it served requests], one for each `profile-NN`."""
    counts = []
    for path in sorted(profile.parent.glob(profile.name + "-*")):
        text = path.read_text()
        totals = re.findall(r"^totals: (\d+)", text, re.M)
        counts.append((sum(map(int, totals)), SERVES in text))
    return counts


def serve(weir, requests, options):
    if isinstance(options, refusals.Kind):
        refusals.ask(weir.port, options.request(weir), options.status, requests)
        return
    result = weir.load(requests=requests, connections=1, duration_ms=600_000, timeout_ms=60_000,
                       **options)
    if result["errors"]:
        raise RuntimeError(f"{result['errors']} of {requests} requests failed")


def count_run(provider, requests, limits, options):
    """The instructions of each thread of a weir that served so many requests."""
    with tempfile.TemporaryDirectory(prefix="weir-instructions-") as folder:
        weir = CountedWeir(folder, provider.port)
        weir.limits = limits
        weir.start()
        try:
            wait_for_encodings(weir)
            serve(weir, requests, options)
        finally:
            weir.stop()
        return counts_of(weir.profile)


def count(provider, name):
    """(instructions of the worker, of the other threads) for each request."""
    limits, options, more = LOADS[name]
    if isinstance(options, dict):
        provider.set(events=options.get("events", 200))
    short = count_run(provider, WARM_UP, limits, options)
    long = count_run(provider, WARM_UP + more, limits, options)
    if len(short) != len(long):
        raise RuntimeError(f"{len(short)} threads in one run, {len(long)} in the other")
    growth = [(after[0] - before[0]) / more for before, after in zip(short, long)]
    worker = max(each for each, thread in zip(growth, long) if thread[1])
    return round(worker), round(sum(growth) - worker)


# --- Comparing ------------------------------------------------------------------------------------

def toolchain():
    return f"{machine.compiler_of(WEIR_BINARY)}, {os.confstr('CS_GNU_LIBC_VERSION')}"


def read_figures():
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}


def is_over(worker, recorded):
    return recorded is not None and worker > recorded["worker"] * (1 + TOLERANCE)


def count_carefully(provider, name, recorded):
    """Counts up to three times while it seems to be over: how a stream is cut into reads varies a
    little, and what is least is nearest to the truth."""
    best = count(provider, name)
    for _ in range(2):
        if not is_over(best[0], recorded):
            break
        best = min(best, count(provider, name))
    return best


def row(name, worker, others, recorded):
    change = f"{worker / recorded['worker'] - 1:+.1%}" if recorded else ""
    return [name, f"{worker:,}", f"{others:,}", f"{recorded['worker']:,}" if recorded else "",
            change]


def write_page(figures):
    """The section of docs/performance.md: every toolchain's figures."""
    rows = [[chain, name, f"{each['worker']:,}", f"{each['others']:,}"]
            for chain, loads in figures.items() for name, each in loads.items()]
    head = ["toolchain", "request", "worker", "other threads"]
    report.replace_section("instructions", report.table(head, rows))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true",
                        help=f"fail where a figure is over the recorded one by {TOLERANCE:.0%}")
    parser.add_argument("--update", action="store_true", help="record the figures")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        print("there is no valgrind")
        return 77

    programs.build()
    figures = read_figures()
    recorded = figures.get(toolchain(), {})
    rows, counted, over = [], {}, 0
    with programs.Provider() as provider:
        for name in LOADS:
            worker, others = count_carefully(provider, name, recorded.get(name))
            counted[name] = {"worker": worker, "others": others}
            over += is_over(worker, recorded.get(name))
            rows.append(row(name, worker, others, recorded.get(name)))
    print(report.table(["request", "worker", "other threads", "recorded", "change"], rows))
    if arguments.update:
        figures[toolchain()] = counted
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
        write_page(figures)
    known = "" if recorded else f"; nothing is recorded for {toolchain()}, --update does"
    print(f"instructions: {len(rows)} figures, {over} over what is recorded{known}")
    return 1 if arguments.check and over and not arguments.update else 0


if __name__ == "__main__":
    sys.exit(main())
