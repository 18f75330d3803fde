#!/usr/bin/env python3
"""Steady overload at each level: how near the admitted rate comes to the limit.

Every level has a limit of 6000 requests a minute, and one key a limit of as many tokens as 6000
requests use. Each has 16 connections, which spend the burst and then ask for 2.5 times the limit;
what is admitted in the time after that is counted. weir has two workers.

Then who waits as refusals tell: a client alone, and several that contend for the same places. A place
is the moment from which the limit admits one more. Of each refusal it is known when it was asked and
answered by the same clock that weir uses, so it can be compared with where the places really are.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import report

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import overload, rates  # noqa: E402
from support.stage import Stage  # noqa: E402

TOLERANCE = 0.01
CONTENDING = (2, 8, 32)
LOOP_MS = 2  # a request may be looked at by a clock that is so old
INTERVAL_MS = 1000 / rates.WAITED_PER_S


def measure_levels(stage, seconds):
    with tempfile.TemporaryDirectory(prefix="weir-rates-") as folder, \
            rates.gateways(stage, Path(folder)) as lanes:
        measured = overload.measure(stage, lanes, seconds)
        asked = {lane.name: lane.admitted + lane.refused for lane in lanes}
    rows = [[name, f"{asked[name]:,}", f"{per_s:.2f}", f"{per_s / rates.PER_S - 1:+.2%}"]
            for name, per_s in measured.items()]
    print(report.table([f"level ({seconds} s)", "asked", "admitted/s", f"beside {rates.PER_S}/s"],
                       rows))
    return all(abs(per_s / rates.PER_S - 1) <= TOLERANCE for per_s in measured.values())


def wait(stage, clients, refusals):
    with tempfile.TemporaryDirectory(prefix="weir-rates-") as folder, \
            rates.waited_gateway(stage, Path(folder)) as (port, data):
        return overload.wait_as_told(stage, port, data, clients, refusals)


def measure_alone(stage, refusals):
    [waiter] = wait(stage, 1, refusals)
    is_exact = overload.is_admitted_each_time(waiter)
    earliest, latest = overload.first_place_ms(waiter, INTERVAL_MS)
    print(f"alone: {waiter.statuses.count(429)} refusals, each followed by an admission: {is_exact}; "
          f"what they tell contradicts each other by {max(0.0, earliest - latest):.2f} ms at most")
    return is_exact


def measure_contending(stage, clients, refusals):
    waiters = wait(stage, clients, refusals)
    told = [ms for waiter in waiters for _, _, ms, _ in waiter.refusals]
    share, in_vain = overload.use_of_places(waiters, rates.WAITED_PER_S)
    print(f"{clients} clients: {len(told)} refusals, told {min(told)} to {max(told)} ms where places are "
          f"{INTERVAL_MS:.0f} ms apart; {share:.1%} of the places were taken, "
          f"{in_vain:.1f} refusals for each admission")
    return overload.longest_beyond_ms(waiters, INTERVAL_MS) <= LOOP_MS


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--refusals", type=int, default=200)
    arguments = parser.parse_args()
    with Stage() as stage:
        stage.on_call = rates.answer
        is_good = measure_levels(stage, arguments.seconds)
        is_good = measure_alone(stage, arguments.refusals) and is_good
        for clients in CONTENDING:
            is_good = measure_contending(stage, clients, arguments.refusals) and is_good
    print("rates: as they should be" if is_good else "rates: FAILED")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
