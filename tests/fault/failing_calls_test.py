"""Calls to the disk fail at random: weir lives, says so, and no row is lost."""

import random
import time

import pytest

from fault.failing import CALLS, FailingCalls
from fault.gateway import Gateway
from support.weir import wait_until

# Segments of 64 KiB, so that files are made, renamed and removed all the time.
SMALL = {"ledger": {"journal_bytes": "1MiB"}}
TROUBLE = ("store_failed", "full", "failed")
GOOD = {200, 404, 500, 0, "model_not_found", "overloaded"}


def wait_until_well(gateway):
    since = len(gateway.load.requests)
    wait_until(lambda: gateway.load.count(since)[200] > 50, 20, "served requests")
    wait_until(lambda: not any(gateway.ledger_metrics()[name] for name in TROUBLE), 20,
               "the end of all trouble")


def run_with(tmp_path, cases, seconds, report):
    """Lets the calls of each case fail for so long, one case after another."""
    failing = FailingCalls(tmp_path, tmp_path / "data")
    with Gateway(tmp_path, SMALL, environment=failing.environment) as gateway:
        gateway.books.refusals_may_be_uncounted = True
        gateway.run_for(0.2)
        for calls, per_mille in cases:
            failing.let(*calls, fail_per_mille=per_mille)
            time.sleep(seconds)
            assert gateway.weir.is_alive()
            failing.stop()
            wait_until_well(gateway)
        counts = {name: number for name, number in failing.counts().items() if number}
        metrics, lines = gateway.ledger_metrics(), gateway.ledger_lines()
        assert set(gateway.load.count()) <= GOOD, gateway.load.count()
        rows = gateway.check_after_stop()
    bad = [text for level, text in lines if level == "error"]
    assert len(bad) - 2 <= len(lines) - len(bad) <= len(bad), lines
    report(f"failed: {counts}; {rows} rows, {gateway.load.count()['overloaded']} refused; sync "
           f"failures {metrics['sync_failures_total']:.0f}, store failures "
           f"{metrics['failures_total']:.0f}; {len(bad)} times trouble in the log")
    return counts


def test_calls_that_fail_now_and_then_cost_no_row(tmp_path, report):
    counts = run_with(tmp_path, [(CALLS, 50), (CALLS, 400)], 2, report)
    assert sum(counts.values()) > 10


@pytest.mark.long
@pytest.mark.parametrize("call", CALLS)
def test_one_call_that_fails_costs_no_row(tmp_path, call, report):
    run_with(tmp_path, [([call], per_mille) for per_mille in (20, 200, 500, 900, 1000)], 4, report)


def test_a_process_that_is_killed_while_its_disk_fails_leaves_every_row(tmp_path, is_full, report):
    kills = 200 if is_full else 8
    dice = random.Random(3)
    failing = FailingCalls(tmp_path, tmp_path / "data")
    with Gateway(tmp_path, SMALL, environment=failing.environment) as gateway:
        gateway.books.refusals_may_be_uncounted = True
        for _ in range(kills):
            gateway.load.resume()
            failing.let(*dice.sample(CALLS, dice.randint(1, len(CALLS))),
                        fail_per_mille=dice.choice([20, 200, 600]))
            time.sleep(dice.uniform(0.02, 0.4))
            gateway.kill()
            failing.stop()
            gateway.weir.start()
            gateway.load.begin_life()
            if dice.random() < 0.7:
                gateway.wait_until_recovered()
        gateway.wait_until_recovered()
        rows = gateway.check_after_stop()
    report(f"{kills} kills, {failing.counts()} failed, {rows} rows, "
           f"{dict(gateway.books.outcomes)}")
