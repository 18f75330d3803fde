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
    assert waiter.statuses.count(429) == 200 and overload.is_admitted_each_time(waiter)
    earliest, latest = overload.first_place_ms(waiter, INTERVAL_MS)
    assert earliest - LOOP_MS <= latest


def test_nobody_is_told_to_wait_longer_than_until_the_next_place(stage, tmp_path):
    with rates.waited_gateway(stage, tmp_path) as (port, data):
        waiters = overload.wait_as_told(stage, port, data, clients=8, refusals=40)
    assert overload.longest_beyond_ms(waiters, INTERVAL_MS) <= LOOP_MS
    # Who waited and was refused again, was so because another took the place: none stayed free.
    share, _ = overload.use_of_places(waiters, rates.WAITED_PER_S)
    assert share >= 0.95
