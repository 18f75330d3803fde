#!/usr/bin/env python3
"""What a steady load notices of a thousand clients that read nothing, a thousand that vanish in the
middle of a stream, and upstreams that drip, say nothing, or send a mebibyte of headers.

The load is measured alone and then under the attack: its p99 must stay what it was, allowing for
the cores that the attackers themselves take. Each attacker must be bounded as configured.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import machine  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
from gateways import WEIR_BINARY, Weir  # noqa: E402
from streams import KIB_PER_STREAM_MAX  # noqa: E402
from support.attack import (Attack, HostileUpstream, closing_times,  # noqa: E402
                            until_flood_stands_still)

DESCRIPTORS = 20000
TIMEOUTS_S = {"first_byte": 2, "event_gap": 3, "total": 4}
LATE_S = 1.0  # how much later than its timeout an attacker may get its answer
KIB_PER_UNREAD_MAX = 64 + 8 + KIB_PER_STREAM_MAX  # one read, what the allocator rounds up, a stream
CLOSED_WITHIN_S = 1.0
VANISH_AFTER_S = 2.5  # on average

# What an upstream of each kind must come to: whether streamed, the status, within how long.
EXPECTED = [
    ("mute", False, 504, TIMEOUTS_S["total"]),
    ("mute", True, 504, TIMEOUTS_S["first_byte"]),
    ("drip-head", False, 504, TIMEOUTS_S["total"]),
    ("drip-head", True, 504, TIMEOUTS_S["first_byte"]),
    ("drip-body", False, 504, TIMEOUTS_S["total"]),
    ("drip-events", True, 200, TIMEOUTS_S["event_gap"]),  # an event comes, and then too little
    ("large-head", False, 502, 0),
    ("large-head", True, 502, 0),
]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000,
                        help="that read nothing, and as many that vanish")
    parser.add_argument("--each", type=int, default=20, help="clients of each bad upstream")
    parser.add_argument("--rate", type=int, default=200, help="requests/s of the steady load")
    parser.add_argument("--seconds", type=int, default=15, help="of the load, each time")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the result into docs/performance.md")
    return parser.parse_args()


class AttackedWeir(Weir):
    """As in all measurements, with hostile upstreams beside the good one and short timeouts."""

    def __init__(self, folder, provider_port, hostile):
        super().__init__(folder, provider_port)
        self.hostile = hostile

    def command(self):
        timeouts = {name: f"{seconds}s" for name, seconds in TIMEOUTS_S.items()}
        providers = self.hostile.providers(timeouts=timeouts, connections={"max": 20000})
        command = super().command()
        path = self.folder / "weir.yaml"
        text = path.read_text()
        for mark, added in (
                ("models:\n", "".join(f"  - {{ name: {kind}, targets: [{kind}] }}\n"
                                      for kind in providers)),
                ("providers:\n", "".join(f"  {kind}: {json.dumps(settings)}\n"
                                         for kind, settings in providers.items()))):
            text = text.replace(mark, mark + added)
        path.write_text(text)
        return command


@contextlib.contextmanager
def started(hostile):
    """weir and the good provider."""
    programs.build()
    with programs.Provider() as provider, tempfile.TemporaryDirectory(prefix="weir-hostile-") as at:
        weir = AttackedWeir(at, provider.port, hostile)
        weir.start()
        try:
            yield weir
        finally:
            weir.stop()


async def steady_load(weir, arguments):
    return await asyncio.to_thread(weir.load, rate=arguments.rate, connections=8,
                                   duration_ms=arguments.seconds * 1000)


async def measure(weir, hostile, arguments):
    alone = await steady_load(weir, arguments)
    attack = Attack(weir.port, weir.key)
    at_start = weir.resident_bytes()
    try:
        await attack.read_nothing(arguments.clients)
        await until_flood_stands_still(hostile)
        grown, flooded = weir.resident_bytes() - at_start, hostile.flooded_bytes
        attack.vanish_again(arguments.clients, VANISH_AFTER_S)
        for kind, stream, _, _ in EXPECTED:
            attack.ask_again(kind, stream, arguments.each)
        await asyncio.sleep(2 * VANISH_AFTER_S)  # until the attack is at its height
        attacked = await steady_load(weir, arguments)
        closing = await closing_times(hostile, attack)
        failures = attack.failures()
    finally:
        await attack.stop()
    return {
        "alone": alone, "attacked": attacked, "unread": arguments.clients,
        "kib_per_unread": round(grown / 1024 / arguments.clients, 1),
        "flooded_mib": round(flooded / 2**20, 1), "read_on_bytes": hostile.flooded_bytes - flooded,
        "vanished": len(closing), "closed_after_max_s": max(closing, default=0.0),
        "closed_late": sum(each >= CLOSED_WITHIN_S for each in closing),
        "outcomes": attack.outcomes, "failures": failures,
    }


# --- The judgement ------------------------------------------------------------------------------

def is_as_expected(outcome, status, within_s):
    return (outcome.status == status and within_s - 0.2 <= outcome.elapsed_s <= within_s + LATE_S
            and not outcome.is_done)


def wrong_outcomes(figures):
    """[(kind, stream, outcome)] of attackers that were not bounded as they should."""
    wrong = []
    for kind, stream, status, within_s in EXPECTED:
        found = figures["outcomes"][kind, stream]
        wrong += [(kind, stream, each) for each in found
                  if not is_as_expected(each, status, within_s)]
        if not found:
            wrong.append((kind, stream, "no answer at all"))
    return wrong


def p99_ms(load):
    return load["latency_us"]["p99"] / 1e3


def findings(figures):
    """What does not hold, in words."""
    alone, attacked = figures["alone"], figures["attacked"]
    checks = [
        (alone["errors"] == attacked["errors"] == 0 < attacked["ok"], "the load had errors"),
        (p99_ms(attacked) <= 3 * p99_ms(alone) + 5, "the attack is felt by the others"),
        (figures["kib_per_unread"] <= KIB_PER_UNREAD_MAX, "clients that read nothing cost more"),
        (figures["read_on_bytes"] == 0, "weir reads on for clients that read nothing"),
        (figures["closed_late"] == 0, "calls of vanished clients went on for too long"),
        (figures["vanished"] >= figures["unread"], "too few clients vanished"),
        (not figures["failures"], f"attackers failed: {figures['failures'][:3]}"),
    ]
    found = [words for holds, words in checks if not holds]
    wrong = wrong_outcomes(figures)
    if wrong:
        found.append(f"{len(wrong)} attackers had other ends, as {wrong[:3]}")
    return found


def outcome_rows(figures):
    for kind, stream, status, within_s in EXPECTED:
        found = figures["outcomes"][kind, stream]
        slowest = max((each.elapsed_s for each in found), default=0.0)
        name = kind.replace("-", " ") + (", streamed" if stream else "")
        bound = f"{within_s} s" if within_s else "at once"
        end = "broken off" if status == 200 else status
        yield [f"upstream: {name}", f"{len(found):,} × {end} within {slowest:.2f} s ({bound})"]


def render(figures):
    alone, attacked = p99_ms(figures["alone"]), p99_ms(figures["attacked"])
    facts = machine.facts(WEIR_BINARY)
    rows = [
        ["when, what", f"{facts['date']}, {facts['weir']}"],
        ["p99 of the others: alone, under attack",
         f"{alone:.2f} ms, {attacked:.2f} ms (× {attacked / alone:.2f})"],
        ["their requests, errors", f"{figures['attacked']['started']:,}, "
                                   f"{figures['attacked']['errors']:,}"],
        ["clients that read nothing", f"{figures['unread']:,}"],
        ["memory for each", f"{figures['kib_per_unread']} KiB (at most {KIB_PER_UNREAD_MAX})"],
        ["read from upstream for them once they are full", f"{figures['read_on_bytes']:,} bytes"],
        ["clients that vanished in the middle", f"{figures['vanished']:,}"],
        ["the last of their calls ended", f"{figures['closed_after_max_s'] * 1e3:.0f} ms after "
                                          f"(at most {CLOSED_WITHIN_S:.0f} s)"],
        *outcome_rows(figures),
    ]
    return report.table(["", ""], rows)


async def attacked(weir, hostile, arguments):
    async with hostile:
        return await measure(weir, hostile, arguments)


def main():
    arguments = parse_arguments()
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (DESCRIPTORS, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    hostile = HostileUpstream()
    with started(hostile) as weir:
        figures = asyncio.run(attacked(weir, hostile, arguments))
    print(render(figures))
    if arguments.write_docs:
        report.replace_section("hostile", render(figures))
    found = findings(figures)
    print("hostile: FAILED: " + "; ".join(found) if found else "hostile: all bounded, none hurt")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
