"""Under steady overload each level admits its limit, and what a refusal tells is exact.

tests/perf/rates.py is the long form, of a minute."""

import pytest

from support import overload, rates
from support.stage import Stage

SECONDS = 5
TOLERANCE = 0.02  # a stall of 0.1 s at an end of the window is as much
INTERVAL_MS = 1000 / rates.WAITED_PER_S
LOOP_MS = 2  # a request may be looked at by a clock that is so old


@pytest.fixture
def stage():
    with Stage() as stage:
        stage.on_call = rates.answer
        yield stage


def test_each_level_admits_its_limit_and_no_more(stage, tmp_path):
    with rates.gateways(stage, tmp_path) as lanes:
        measured = overload.measure(stage, lanes, SECONDS)
    assert set(measured) == set(rates.LANES)
    for name, per_s in measured.items():
        assert abs(per_s / rates.PER_S - 1) <= TOLERANCE, (name, per_s)


def test_who_waits_as_told_is_admitted(stage, tmp_path):
    with rates.waited_gateway(stage, tmp_path) as (port, data):
        [waiter] = overload.wait_as_told(stage, port, data, clients=1, refusals=200)
    refused = [at for at, status in enumerate(waiter.statuses) if status == 429]
    assert len(refused) == 200 and all(waiter.statuses[at + 1] == 200 for at in refused)
    # Places are an interval apart, and the clock of both is one: so each refusal tells, within the
    # millisecond it is rounded up to, where the first place was.
    firsts = [((sent * 1000 + told - 1 - LOOP_MS) - admitted * INTERVAL_MS,
               (answered * 1000 + told) - admitted * INTERVAL_MS)
              for sent, answered, told, admitted in waiter.refusals]
    assert max(low for low, _ in firsts) <= min(high for _, high in firsts)


def test_nobody_is_told_to_wait_longer_than_until_the_next_place(stage, tmp_path):
    with rates.waited_gateway(stage, tmp_path) as (port, data):
        waiters = overload.wait_as_told(stage, port, data, clients=8, refusals=40)
    told = [each for waiter in waiters for _, _, each, _ in waiter.refusals]
    assert max(told) <= INTERVAL_MS + 1
    # Whoever was refused after it had waited, was so because others took the place: all places were.
    took_s = max(w.refusals[-1][1] for w in waiters) - min(w.refusals[0][0] for w in waiters)
    admitted = sum(w.statuses[w.statuses.index(429):].count(200) for w in waiters)
    assert admitted >= 0.95 * took_s * rates.WAITED_PER_S - 1, (admitted, took_s)
