#!/usr/bin/env python3
"""Thousands of concurrent streams through weir, an event a second each: none may be lost, broken
or reordered, and each may hold only so much memory.

Every stream is open for --seconds together with all others. The load generator compares every byte
with what the provider sent. The memory of a stream is the growth of weir's resident memory since
its start, over the number of streams.
"""

import argparse
import contextlib
import json
import resource
import select
import sys
import tempfile
import time

import machine
import programs
import report
from gateways import WEIR_BINARY, Weir

RAMP_PER_SECOND = 1000
KIB_PER_STREAM_MAX = 24


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=9000)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--pace-ms", type=int, default=1000, help="between two events of a stream")
    parser.add_argument("--workers", type=int, default=0, help="of weir; 0: one per core")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the result into docs/performance.md")
    return parser.parse_args()


def require_descriptors(streams):
    """weir needs two for each stream, of the client and of the provider."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 2 * streams + 200:
        sys.exit(f"streams: {2 * streams + 200} descriptors are needed, {hard} are allowed")


@contextlib.contextmanager
def started(workers):
    programs.build()
    with programs.Provider() as provider, tempfile.TemporaryDirectory(prefix="weir-streams-") as at:
        weir = Weir(at, provider.port)
        weir.workers = workers
        weir.start()
        try:
            yield provider, weir
        finally:
            weir.stop()


def has_result(load):
    return bool(select.select([load.process.stdout], [], [], 0)[0])


def watch(weir, provider, load):
    """The most that weir held, and the most streams that were open, until the load ends."""
    resident = open_streams = 0
    while not has_result(load):
        resident = max(resident, weir.resident_bytes())
        open_streams = max(open_streams, provider.stats()["busy"])
        time.sleep(2)
    return resident, open_streams


def measure(arguments):
    ramp_s = max(1, arguments.streams // RAMP_PER_SECOND)
    events = (arguments.seconds + ramp_s) * 1000 // arguments.pace_ms
    with started(arguments.workers) as (provider, weir):
        provider.set(events=events, pace_ms=arguments.pace_ms)
        at_start, spent = weir.resident_bytes(), sum(weir.spent_ns())
        load = programs.Load(weir.port, weir.key, stream=True, events=events, once=True,
                             connections=arguments.streams, ramp_ms=ramp_s * 1000,
                             duration_ms=(ramp_s + 60) * 1000,
                             timeout_ms=(arguments.seconds + ramp_s + 60) * 1000)
        try:
            resident, open_streams = watch(weir, provider, load)
            result = load.result()
        finally:
            load.end()
        spent = sum(weir.spent_ns()) - spent
        bad = provider.stats()["bad"] + provider.stats()["aborted"]
    return {
        "streams": arguments.streams, "open_together": open_streams, "events": result["events"],
        "seconds": arguments.seconds, "errors": result["errors"], "provider_errors": bad,
        **{name: result[name] for name in ("refused", "broken", "lost", "reordered", "damaged",
                                           "mixed_up", "timed_out", "bad_status")},
        "at_start_mib": round(at_start / 2**20, 1), "resident_mib": round(resident / 2**20, 1),
        "kib_per_stream": round((resident - at_start) / 1024 / arguments.streams, 2),
        "cpu_us_per_event": round(spent / 1e3 / max(1, result["events"]), 2),
        "gap_us": result["gap_us"],
    }


def render(figures):
    facts = machine.facts(WEIR_BINARY)
    gap = figures["gap_us"]
    rows = [
        ["when, what", f"{facts['date']}, {facts['weir']}"],
        ["streams open together", f"{figures['open_together']:,}"],
        ["events", f"{figures['events']:,} in {figures['seconds']} s and the ramp"],
        ["lost, broken, reordered, damaged", f"{figures['errors']:,}"],
        ["resident memory at start, with all streams",
         f"{figures['at_start_mib']} MiB, {figures['resident_mib']} MiB"],
        ["per stream", f"{figures['kib_per_stream']} KiB (at most {KIB_PER_STREAM_MAX})"],
        ["CPU time of the whole process per event", f"{figures['cpu_us_per_event']} µs"],
        ["time between events p50, p99, max",
         ", ".join(f"{gap[part] / 1e3:.1f}" for part in ("p50", "p99", "max")) + " ms"],
    ]
    return report.table(["", ""], rows)


def main():
    arguments = parse_arguments()
    require_descriptors(arguments.streams)
    figures = measure(arguments)
    print(json.dumps(figures))
    print(render(figures))
    if arguments.write_docs:
        report.replace_section("streams", render(figures))
    is_good = (figures["errors"] == 0 and figures["provider_errors"] == 0
               and figures["events"] > 0
               and figures["open_together"] >= arguments.streams
               and figures["kib_per_stream"] <= KIB_PER_STREAM_MAX)
    print("streams: all came whole" if is_good else "streams: FAILED")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
