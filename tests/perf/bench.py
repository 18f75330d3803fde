#!/usr/bin/env python3
"""Compares weir with nginx on this machine, by the CPU time that each spends on a request.

All gateways of a scenario stay up; each round visits them in random order, so whatever else the
machine does falls on all of them alike. The gateway has one core to itself, the provider and the
load generator share another. The figure is the CPU time of the threads that serve; what weir's
other threads spend (the log, the store) stands beside it.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import chart
import machine
import programs
import report
from gateways import KINDS, OF_KEYS, WEIR_BINARY
from scenarios import MEASURE, SCENARIOS, peak_of, warm_up

RECORDS = programs.OUT / "records.jsonl"
CHART = report.PAGE.with_suffix(".svg")


class Bench:
    """What the measurements share: the cores, the provider, the records so far."""

    def __init__(self, arguments, provider, cores, out):
        self.rounds, self.window_ms = arguments.rounds, arguments.window_ms
        self.kinds = [KINDS[name] for name in arguments.gateways]
        self.provider, self.out = provider, out
        self.gateway_core, self.load_core = cores
        self.rate = None

    def latency_rate(self):
        """Half of what the slowest gateway reaches, found before the first round."""
        return self.rate

    def record(self, scenario, gateway, number, figures):
        named = {"scenario": scenario.name, "gateway": gateway.name, "round": number, **figures}
        self.out.write(json.dumps(named) + "\n")
        self.out.flush()
        key = "kib_per_connection" if scenario.kind == "idle" else "cpu_us"
        errors = f", {figures['errors']} ERRORS" if figures["errors"] else ""
        print(f"{scenario.name} {number + 1} {gateway.name}: {figures[key]:.2f}{errors}",
              file=sys.stderr)

    @contextlib.contextmanager
    def started(self, kinds):
        """The gateways, running; stopped at the end in any case."""
        folder = Path(tempfile.mkdtemp(prefix="weir-bench-"))
        folder.chmod(0o755)  # nginx's worker has a user of its own
        running = []
        try:
            for kind in kinds:
                gateway = kind(folder, self.provider.port, self.gateway_core)
                gateway.start()
                gateway.resident_at_start = gateway.resident_bytes()
                running.append(gateway)
            yield running
        finally:
            for gateway in running:
                gateway.stop()
            shutil.rmtree(folder, ignore_errors=True)

    def visit(self, gateway, scenario, number):
        self.record(scenario, gateway, number, MEASURE[scenario.kind](gateway, scenario, self))

    def kinds_of(self, scenario):
        if scenario.kind == "keys":
            return OF_KEYS
        return [kind for kind in self.kinds if kind.name in scenario.compared]

    def run_rounds(self, scenario, rounds):
        with self.started(self.kinds_of(scenario)) as gateways:
            for gateway in gateways:
                if scenario.kind == "latency":
                    peak = peak_of(gateway, self)
                    self.rate = int(min(self.rate or peak, peak / 2))
                else:
                    warm_up(gateway, scenario, self)
            for number in range(rounds):
                taking_part = [each for each in gateways if number % each.every == 0]
                for gateway in random.sample(taking_part, len(taking_part)):
                    self.visit(gateway, scenario, number)

    def run_fresh(self, scenario, rounds):
        """Each visit starts a gateway of its own, for figures that only a fresh one shows."""
        for number in range(rounds):
            kinds = self.kinds_of(scenario)
            for kind in random.sample(kinds, len(kinds)):
                with self.started([kind]) as (gateway,):
                    self.visit(gateway, scenario, number)

    def run(self, scenario):
        rounds = min(self.rounds, scenario.rounds_max)
        self.provider.set(**scenario.provider)
        if scenario.kind == "idle":
            self.run_fresh(scenario, rounds)
        else:
            self.run_rounds(scenario, rounds)


# --- The command ----------------------------------------------------------------------------------

def parse_arguments():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31,
                        help="31 by default: about 15 minutes in all")
    parser.add_argument("--quick", action="store_true", help="5 rounds: to see that it works")
    parser.add_argument("--window-ms", type=int, default=1000, help="how long a visit lasts")
    parser.add_argument("--scenario", type=lambda text: text.split(","),
                        default=list(SCENARIOS), help=",".join(SCENARIOS))
    parser.add_argument("--gateways", type=lambda text: text.split(","), default=None,
                        help=f"{','.join(KINDS)} by default, those that are installed")
    parser.add_argument("--append", action="store_true", help="keep the records of former runs")
    parser.add_argument("--no-run", action="store_true", help="report the records of former runs")
    parser.add_argument("--write-docs", action="store_true",
                        help="put the figures into docs/performance.md")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds = 5
    check_choices(parser, arguments)
    return arguments


def check_choices(parser, arguments):
    for name in arguments.scenario:
        if name not in SCENARIOS:
            parser.error(f"no scenario {name}; there are {', '.join(SCENARIOS)}")
    if arguments.gateways is None:
        arguments.gateways = [name for name, kind in KINDS.items() if kind.is_installed()]
    for name in arguments.gateways:
        if name not in KINDS or not KINDS[name].is_installed():
            parser.error(f"{name} is not installed")
    if "nginx" not in arguments.gateways and not arguments.no_run:
        print("bench: without nginx there is nothing to compare with (apt-get install nginx-light)",
              file=sys.stderr)


def choose_cores():
    """(for the gateway, for the rest)"""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        sys.exit("bench: two cores are needed, one for the gateway and one for the load")
    return cores[0], cores[1]


def run(arguments):
    programs.build()
    for name in arguments.gateways:
        KINDS[name].build()
    cores = choose_cores()
    os.sched_setaffinity(0, {cores[1]})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that what was started is stopped
    with open(RECORDS, "a" if arguments.append else "w") as out:
        out.write(json.dumps({"facts": machine.facts(WEIR_BINARY)}) + "\n")
        with programs.Provider(cores[1]) as provider:
            bench = Bench(arguments, provider, cores, out)
            for name in arguments.scenario:
                bench.run(SCENARIOS[name])


def write_docs(facts, found):
    groups = report.ratio_groups(found, ("weir-bare", "weir", "haproxy"))
    picture = f"![CPU time relative to nginx]({CHART.name})" if groups else ""
    report.replace_section("figures", "\n\n".join(
        part for part in (picture, report.render(facts, found)) if part))
    if groups:
        CHART.write_text(chart.draw(groups))


def main():
    arguments = parse_arguments()
    if not arguments.no_run:
        run(arguments)
    facts, found = report.read_records(RECORDS)
    print(report.render(facts, found))
    if arguments.write_docs:
        write_docs(facts, found)
    errors = report.count_errors(found)
    if errors:
        print(f"bench: {errors} requests went wrong: this is no result", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
