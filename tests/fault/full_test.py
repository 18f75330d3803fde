"""The journal's own limit is reached while the database takes nothing."""

import time

import pytest

from fault.gateway import Gateway
from fault.store_test import locked
from support.weir import wait_until


@pytest.mark.parametrize("when_full", ["refuse", "unrecorded"])
def test_a_full_journal_does_what_is_configured(tmp_path, when_full, is_full, report):
    seconds = 30 if is_full else 1.5
    config = {"ledger": {"journal_bytes": "1MiB", "when_full": when_full}}
    with Gateway(tmp_path, config, clients=24) as gateway:
        gateway.books.refusals_may_be_uncounted = True
        gateway.books.unrecorded_allowed = when_full == "unrecorded"
        gateway.run_for(0.5)
        with locked(gateway.database):
            before = len(gateway.load.requests)
            wait_until(lambda: gateway.ledger_metrics()["full"] == 1, 30, "a full journal")
            full = len(gateway.load.requests)
            time.sleep(seconds)
            counts = gateway.load.count(full)
        gateway.load.pause_s = 0.05  # at full speed so small a journal is full again and again
        since = len(gateway.load.requests)
        wait_until(lambda: gateway.ledger_metrics()["full"] == 0, 20, "room in the journal")
        wait_until(lambda: gateway.load.count(since)[200] > 100, 20, "served requests")
        wait_until(lambda: ("info", "the journal has room again") in gateway.ledger_lines(), 10,
                   "the line on room")
        unrecorded = sum(value for (name, _), value in gateway.weir.metrics().items()
                         if name == "weir_requests_unrecorded_total")
        lines = gateway.ledger_lines()
        rows = gateway.check_after_stop()
        refused = [each for each in gateway.load.requests if each.error == "overloaded"]
    assert sum("has reached ledger.journal_bytes" in text for _, text in lines) == 1, lines
    if when_full == "refuse":
        assert len(refused) > 50 and not unrecorded
        assert all(each.status == 503 and int(each.retry_after) >= 1 for each in refused)
    else:
        assert not refused and unrecorded > 50 and counts[200] > 50
        without = sum(each.id in gateway.load.provider.calls for each in gateway.load.requests)
        assert without - rows == unrecorded, f"{without} calls, {rows} rows, {unrecorded} counted"
    report(f"{full - before} requests before it was full, then {dict(counts)} in {seconds} s; "
           f"{unrecorded:.0f} unrecorded, {rows} rows, said: {lines}")
