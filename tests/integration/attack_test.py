"""Many who mean harm at once: each is bounded as configured, and the others are served.

A small version of tests/perf/hostile.py, which also measures latency and memory.
"""

import asyncio
import time

import pytest

from support import answers
from support.attack import (Attack, HostileUpstream, closing_times, until_flood_stands_still)
from support.weir import Gateway

CLIENTS = 100
BYTES_PER_UNREAD_MAX = 64 * 1024
TIMEOUTS_S = {"first_byte": 1.0, "event_gap": 1.5, "total": 2.0}
EXPECTED = {
    ("mute", False): (504, "total"), ("mute", True): (504, "first_byte"),
    ("drip-head", False): (504, "total"), ("drip-head", True): (504, "first_byte"),
    ("drip-body", False): (504, "total"), ("drip-events", True): (200, "event_gap"),
    ("large-head", False): (502, None), ("large-head", True): (502, None),
}


def config(hostile):
    timeouts = {name: f"{round(seconds * 1000)}ms" for name, seconds in TIMEOUTS_S.items()}
    providers = hostile.providers(timeouts=timeouts)
    return {"providers": providers,
            "models": [{"name": "gpt-test", "targets": ["main"]},
                       *({"name": kind, "targets": [kind]} for kind in providers)]}


async def attack_for(gateway, hostile, seconds):
    """What the attack came to, and how long each of the others' requests took meanwhile."""
    attack = Attack(gateway.weir.port, gateway.key)
    try:
        await attack.read_nothing(CLIENTS)
        await until_flood_stands_still(hostile)
        flooded = hostile.flooded_bytes
        attack.vanish_again(CLIENTS, 0.5)
        for kind, stream in EXPECTED:
            attack.ask_again(kind, stream, 5)
        elapsed = await asyncio.to_thread(ask_for, gateway, seconds)
        assert hostile.flooded_bytes == flooded, "weir read on for clients that read nothing"
        assert not attack.failures()
        return attack, elapsed, await closing_times(hostile, attack)
    finally:
        await attack.stop()


def ask_for(gateway, seconds):
    elapsed = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        started = time.monotonic()
        assert gateway.ask().status == 200
        elapsed.append(time.monotonic() - started)
        time.sleep(0.02)
    return elapsed


async def attacked(gateway, hostile):
    async with hostile:
        return await attack_for(gateway, hostile, 4)


def test_attackers_are_bounded_and_the_others_are_served(tmp_path):
    hostile = HostileUpstream()
    with Gateway(tmp_path, config(hostile)) as gateway:
        attack, elapsed, closing = asyncio.run(attacked(gateway, hostile))
    assert max(elapsed) < 1 and sorted(elapsed)[len(elapsed) // 2] < 0.1
    assert len(closing) > CLIENTS and max(closing) < 1
    for (kind, stream), (status, limit) in EXPECTED.items():
        outcomes = attack.outcomes[kind, stream]
        assert outcomes, (kind, stream)
        at_least_s = TIMEOUTS_S.get(limit, 0) - 0.2
        for each in outcomes:
            assert each.status == status and not each.is_done, (kind, stream, each)
            assert at_least_s < each.elapsed_s < at_least_s + 1.7, (kind, stream, each)


async def bytes_held(gateway, hostile, count):
    """What weir holds for clients that read nothing, once it has stopped to read for them."""
    async with hostile:
        attack = Attack(gateway.weir.port, gateway.key)
        try:
            await attack.read_nothing(count)
            await until_flood_stands_still(hostile)
            metrics = await asyncio.to_thread(gateway.weir.metrics)
            return metrics["weir_body_memory_bytes", frozenset()]
        finally:
            await attack.stop()


def flood_of(size):
    event = answers.event(answers.delta("x"))
    return answers.event(answers.delta("x" * (size - len(event) + 1))) * max(1, 60000 // size)


@pytest.mark.parametrize("flood", [
    pytest.param(flood_of(300), id="small events"),
    pytest.param(flood_of(7001), id="events of 7 KB"),
    pytest.param(flood_of(33000), id="events of 33 KB"),
    pytest.param(flood_of(50000), id="events of 50 KB"),
    pytest.param(b": a comment\n\n" * 300 + flood_of(20000), id="comments before and between"),
])
def test_what_a_client_does_not_read_holds_64_kib_at_most(tmp_path, flood):
    hostile, count = HostileUpstream(flood), 10
    with Gateway(tmp_path, config(hostile)) as gateway:
        held = asyncio.run(bytes_held(gateway, hostile, count))
    assert 0 < held <= count * BYTES_PER_UNREAD_MAX, held / count
