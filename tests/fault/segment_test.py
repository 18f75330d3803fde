"""A file of the journal is cut short: weir lives, says what is lost, and the rest is right."""

import contextlib
import os
import time

import pytest

from fault.books import Loss
from fault.gateway import Gateway
from support.weir import wait_until

SMALL = {"ledger": {"journal_bytes": "16MiB"}}


def cut(gateway, to_bytes):
    """All of them, whether used, being used or prepared."""
    for each in gateway.journal.glob("*.seg"):
        with contextlib.suppress(FileNotFoundError):
            os.truncate(each, to_bytes)


def errors(gateway):
    return [text for level, text in gateway.ledger_lines() if level == "error"]


def records_of(outcomes):
    """How many records of requests are missing, by what became of their rows."""
    unfinished = outcomes["lost, but for its beginning"]
    headless = outcomes["without a beginning"]  # each counts as a lost request, too
    return 2 * (outcomes["lost"] - headless) + unfinished + headless


SIZES = pytest.mark.parametrize("to_bytes", [
    pytest.param(0, marks=pytest.mark.long), pytest.param(4096, marks=pytest.mark.long), 5000,
    pytest.param(65536, marks=pytest.mark.long)])


@SIZES
def test_a_segment_that_is_cut_while_weir_runs_costs_what_lay_behind(tmp_path, to_bytes, is_full,
                                                                     report):
    cuts = 20 if is_full else 2
    with Gateway(tmp_path, SMALL) as gateway:
        gateway.books.refusals_may_be_uncounted = True  # they are lost with the rest
        for number in range(cuts):
            gateway.run_for(0.4 + 0.01 * number)
            at = time.time()
            cut(gateway, to_bytes)
            gateway.books.losses.append(Loss(at, at - 3, at + 3))
            since = len(gateway.load.requests)
            wait_until(lambda: gateway.load.count(since)[200] > 200, 20, "served requests")
        time.sleep(1.2)
        gateway.load.pause()
        time.sleep(0.5)
        counted = gateway.ledger_metrics()["records_lost_total"]
        said = errors(gateway)
        gateway.weir.stop()  # what was open for want of its end stays in the journal
        gateway.weir.start()
        gateway.wait_until_recovered()
        counted += gateway.ledger_metrics()["records_lost_total"]
        rows = gateway.check_after_stop()
        outcomes = gateway.books.outcomes
    assert records_of(outcomes) <= counted, f"{counted} counted: {outcomes}"
    assert any("bus error" in text for text in said), said
    assert not counted or any("are damaged" in text for text in said), said
    report(f"{cuts} cuts: {rows} rows, {outcomes['lost']} requests lost, {counted:.0f} records "
           f"counted as lost, said: {sorted(set(said))}")


@SIZES
def test_a_segment_that_is_cut_between_two_lives_costs_what_lay_behind(tmp_path, to_bytes, is_full,
                                                                       report):
    cuts = 20 if is_full else 2
    with Gateway(tmp_path, SMALL) as gateway:
        gateway.books.refusals_may_be_uncounted = True
        for number in range(cuts):
            gateway.run_for(0.6 + 0.01 * number)
            gateway.kill()
            at = time.time()
            cut(gateway, to_bytes)
            gateway.books.losses.append(Loss(at, at - 2, at))
            gateway.weir.start()
            gateway.load.begin_life()
            gateway.wait_until_recovered()
            assert gateway.ledger_metrics()["records_lost_total"] > 0
        said = errors(gateway)
        rows = gateway.check_after_stop()
        outcomes = gateway.books.outcomes
    assert len(said) == cuts and all("were damaged" in text for text in said), said
    report(f"{cuts} cuts: {rows} rows, {outcomes['lost']} requests lost; said: {said[0]!r}")
