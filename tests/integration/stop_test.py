"""Stopping: nothing in flight is lost, and nothing waits longer than it may."""

import signal
import threading
import time

import pytest

from support import answers, wire
from support.upstream import Gate, Pause
from support.weir import Gateway, in_background, wait_until


@pytest.fixture
def make_one(tmp_path):
    """A gateway that the test itself stops."""
    made = []

    def make(**timeouts):
        gateway = Gateway(tmp_path, {"timeouts": timeouts})
        made.append(gateway)
        gateway.weir.start()
        gateway.key = gateway.weir.create_key("tester")["key"]
        return gateway

    yield make
    for gateway in made:
        gateway.weir.kill()
        gateway.upstream.stop()


def readiness(gateway):
    try:
        return gateway.weir.get("/readyz").status
    except (OSError, wire.EndOfStream):
        return None


def test_while_it_lingers_it_serves_but_is_not_ready_and_closes(make_one):
    gateway = make_one(linger="1500ms")
    idle = gateway.weir.connect()
    idle.send(gateway.request())
    assert not idle.response().closes()
    gateway.weir.send_signal(signal.SIGTERM)
    wait_until(lambda: readiness(gateway) == 503, 1)
    assert gateway.weir.get("/healthz").status == 503
    assert gateway.weir.get("/livez").status == 200
    response = gateway.ask()
    assert response.status == 200 and response.closes()
    idle.send(gateway.request())
    response = idle.response()
    assert response.status == 200 and response.closes()
    assert idle.closed()
    idle.close()
    assert gateway.weir.wait(5) == 0
    assert readiness(gateway) is None


def test_a_stream_in_flight_ends_whole_and_then_weir_ends(make_one):
    gateway = make_one(linger="10ms")
    gate = threading.Event()
    script = answers.stream()
    gateway.upstream.answer([*script[:2], Gate(gate), *script[2:]])
    with gateway.open_stream() as stream:
        stream.next_event()
        gateway.weir.send_signal(signal.SIGTERM)
        wait_until(lambda: readiness(gateway) is None, 3, "the end of the listener")
        assert gateway.weir.is_alive()
        gate.set()
        assert stream.rest() and b"[DONE]" in stream.body
    assert gateway.weir.wait(5) == 0


def test_a_whole_answer_in_flight_arrives(make_one):
    gateway = make_one(linger="10ms")
    gateway.upstream.answer([Pause(0.5), *answers.chat()])
    answer = in_background(gateway.ask)
    gateway.upstream.wait_for_calls()
    gateway.weir.send_signal(signal.SIGTERM)
    assert answer().status == 200
    assert gateway.weir.wait(5) == 0


def test_idle_connections_do_not_hold_it_up(make_one):
    gateway = make_one(linger="10ms")
    connections = [gateway.weir.connect() for _ in range(20)]
    for connection in connections[:10]:
        connection.send(wire.request("GET", "/livez"))
        connection.response("GET")
    started = time.monotonic()
    gateway.weir.stop()
    assert time.monotonic() - started < 3
    assert all(connection.closed() for connection in connections)


def test_sigint_does_not_linger(make_one):
    gateway = make_one(linger="20s")
    started = time.monotonic()
    gateway.weir.stop(signal.SIGINT)
    assert time.monotonic() - started < 3


def test_what_does_not_finish_is_ended_at_the_drain_deadline_with_an_error(make_one):
    gateway = make_one(linger="10ms", drain="500ms")
    gateway.upstream.answer([*answers.stream()[:2], Pause(30)])
    with gateway.open_stream() as stream:
        stream.next_event()
        started = time.monotonic()
        gateway.weir.send_signal(signal.SIGTERM)
        stream.rest()
        assert b"[DONE]" not in stream.body
        assert 0.3 < time.monotonic() - started < 4
    gateway.weir.wait(5)


def test_a_second_signal_ends_at_once(make_one):
    gateway = make_one(linger="20s", drain="20s")
    gateway.upstream.answer([Pause(30)])
    with gateway.weir.connect() as connection:
        connection.send(gateway.request())
        gateway.upstream.wait_for_calls()
        started = time.monotonic()
        gateway.weir.send_signal(signal.SIGTERM)
        wait_until(lambda: readiness(gateway) == 503, 2)
        gateway.weir.send_signal(signal.SIGTERM)
        gateway.weir.wait(5)
        assert time.monotonic() - started < 3


def test_it_starts_again_at_once_on_the_same_port(make_one):
    gateway = make_one(linger="10ms")
    for _ in range(3):
        with gateway.weir.connect() as connection:
            connection.send(gateway.request())
            assert connection.response().status == 200
            gateway.weir.stop()
        gateway.weir.start()
        assert gateway.ask().status == 200


def test_the_first_answer_comes_soon_after_the_start(make_one):
    gateway = make_one(linger="10ms")
    gateway.weir.stop()
    started = time.monotonic()
    gateway.weir.start()
    assert gateway.ask().status == 200
    assert time.monotonic() - started < 2  # the figure itself is measured by the benchmarks
