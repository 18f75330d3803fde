"""A file of the journal is cut short: weir lives, says what is lost, and the rest is right."""

import os
import time

import pytest

from fault.books import Loss
from fault.gateway import Gateway
from support.weir import wait_until

SMALL = {"ledger": {"journal_bytes": "16MiB"}}


def current_segments(gateway):
    """Of each worker the file that it appends to, or is about to."""
    newest = {}
    for each in sorted(gateway.journal.glob("*.seg")):
        newest.setdefault(each.name.rsplit("-", 1)[0], each)
    return list(newest.values())


def cut(gateway, to_bytes):
    for each in current_segments(gateway):
        os.truncate(each, to_bytes)


def errors(gateway):
    return [text for level, text in gateway.ledger_lines() if level == "error"]


@pytest.mark.parametrize("to_bytes", [0, 4096, 5000, 65536])
def test_a_segment_that_is_cut_while_weir_runs_costs_only_what_lay_behind(tmp_path, to_bytes,
                                                                         is_full, report):
    with Gateway(tmp_path, SMALL) as gateway:
        for number in range(20 if is_full else 2):
            gateway.run_for(0.4 + 0.01 * number)
            at = time.time()
            cut(gateway, to_bytes)
            gateway.books.losses.append(Loss(at, at - 1, at + 1))
            since = len(gateway.load.requests)
            wait_until(lambda: gateway.load.count(since)[200] > 200, 20, "served requests")
        time.sleep(1.2)
        gateway.load.pause()
        assert gateway.weir.is_alive()
        time.sleep(0.5)
        metrics = gateway.ledger_metrics()
        said = errors(gateway)
        gateway.weir.stop()
        said_at_end = errors(gateway)
        left = list(gateway.journal.iterdir())
        gateway.weir.start()
        gateway.wait_until_recovered()
        rows = gateway.check_after_stop()
        outcomes = gateway.books.outcomes
    lost = sum(number for what, number in outcomes.items() if what.startswith("lost"))
    report(f"to {to_bytes}: {rows} rows, {lost} lost; metrics: {metrics['records_lost_total']:.0f} records lost, "
           f"failed {metrics['failed']}; {len(left)} files left; said: {said} {said_at_end[len(said):]} {dict(outcomes)}")
    assert said, "nothing was said"


@pytest.mark.parametrize("to_bytes", [0, 4096, 5000, 65536])
def test_a_segment_that_is_cut_between_two_lives_costs_only_what_lay_behind(tmp_path, to_bytes,
                                                                            is_full, report):
    with Gateway(tmp_path, SMALL) as gateway:
        for number in range(20 if is_full else 2):
            gateway.run_for(0.4 + 0.01 * number)
            gateway.kill()
            at = time.time()
            cut(gateway, to_bytes)
            gateway.books.losses.append(Loss(at, at - 2, at))
            gateway.weir.start()
            gateway.wait_until_recovered()
            gateway.load.begin_life()
        time.sleep(0.3)
        said = gateway.ledger_lines()
        rows = gateway.check_after_stop()
        outcomes = gateway.books.outcomes
    report(f"to {to_bytes}: {rows} rows, {dict(outcomes)}, said {said[-2:]}")
