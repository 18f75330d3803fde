"""Connections to upstream: when they are used again, and what ends them."""

import contextlib
import threading
import time

import pytest

from support import answers, wire
from support.upstream import Close, Gate, Pause
from support.weir import in_background, wait_until


@pytest.fixture(scope="module")
def lone(make_gateway):
    """One worker and no wildcard, so that nothing else uses upstream's connections."""
    return make_gateway({"workers": 1, "models": [{"name": "gpt-test", "targets": ["main"]}]})


@pytest.fixture(autouse=True)
def fresh_connections(lone):
    """Each test begins without kept connections."""
    for connection in lone.upstream.open_connections():
        try:
            connection.sock.shutdown(2)
        except OSError:
            pass
    wait_until(lambda: not lone.upstream.open_connections(), what="the end of connections")


def connections(gateway):
    return [call.connection.number for call in gateway.upstream.calls]


def test_calls_one_after_another_share_a_connection(lone):
    for stream in (False, True, False, True):
        lone.upstream.answer(answers.as_a_provider)
        assert lone.ask(stream=stream).status == 200
    assert len(set(connections(lone))) == 1


def test_calls_at_once_have_a_connection_each(lone):
    gate = threading.Event()
    lone.upstream.answer_always([Gate(gate), *answers.chat()])
    waiting = [in_background(lone.ask) for _ in range(5)]
    lone.upstream.wait_for_calls(5)
    gate.set()
    assert [each().status for each in waiting] == [200] * 5
    assert len(set(connections(lone))) == 5


NEVER_AGAIN = {
    "said close": [answers.head(200, [answers.CONTENT_JSON, ("connection", "close"),
                                      ("content-length", len(answers.chat_body()))])
                   + answers.chat_body()],
    "spoke 1.0": [b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                  % len(answers.chat_body()) + answers.chat_body()],
    "sent more than it said": [*answers.chat(), b"more"],
}


@pytest.mark.parametrize("kind", NEVER_AGAIN)
def test_a_connection_is_not_used_again_when_upstream(lone, kind):
    lone.upstream.answer(NEVER_AGAIN[kind])
    assert lone.ask().status == 200
    assert lone.upstream.calls[0].connection.peer_closed.wait(2)
    assert lone.ask().status == 200
    assert len(set(connections(lone))) == 2


def test_a_connection_is_used_again_after_an_error_that_was_read_whole(lone):
    lone.upstream.answer(answers.error(500))
    assert lone.ask().status == 500 and lone.ask().status == 200
    assert len(set(connections(lone))) == 1


def test_a_connection_is_not_used_again_after_a_broken_stream(lone):
    lone.upstream.answer([*answers.stream()[:2], b"zz\r\n"])
    lone.stream()
    assert lone.upstream.calls[0].connection.peer_closed.wait(2)
    assert lone.ask().status == 200
    assert len(set(connections(lone))) == 2


def test_a_connection_is_not_used_again_when_the_client_left_in_the_middle(lone):
    lone.upstream.answer([*answers.stream()[:2], Pause(30)])
    with lone.open_stream() as stream:
        stream.next_event()
    assert lone.upstream.calls[0].connection.peer_closed.wait(2)
    assert lone.ask().status == 200
    assert len(set(connections(lone))) == 2


# Kept connections that upstream closed meanwhile

@pytest.mark.parametrize("behaviour", [
    {"idle_close_s": 0.05}, {"close_after_requests": 1}, {"on_reuse": "reset_unread"},
    {"on_reuse": "close_read"}], ids=["idle", "after a request", "reset", "closed upon reuse"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_kept_connection_that_died_is_replaced_and_the_client_sees_nothing(
        lone, behaviour, stream):
    for name, value in behaviour.items():
        setattr(lone.upstream.behaviour, name, value)
    lone.upstream.answer_always(answers.as_a_provider)
    assert lone.ask().status == 200
    first = lone.upstream.calls[0].connection
    if "on_reuse" not in behaviour:
        wait_until(lambda: first not in lone.upstream.open_connections(), what="the close")
    response = lone.ask(stream=stream)
    assert response.status == 200 and response.complete
    assert lone.upstream.calls[-1].connection is not first
    if "on_reuse" in behaviour:
        assert lone.weir.access_line(response)["weir.upstream.replaced"] is True


def test_a_connection_that_was_not_replaced_says_so(lone):
    line = lone.weir.access_line(lone.ask())
    assert not line.get("weir.upstream.replaced")


def test_it_is_replaced_once_only(lone):
    assert lone.ask().status == 200
    lone.upstream.behaviour.on_reuse = "close_read"
    lone.upstream.answer_always([Close()])
    response = lone.ask()
    assert response.status == 502
    assert len(lone.upstream.calls) == 3  # the first, the one that died, the one in its place


def test_a_fresh_connection_that_dies_is_not_replaced(lone):
    lone.upstream.answer_always([Close()])
    assert lone.ask().status == 502
    assert len(lone.upstream.calls) == 1


def test_a_connection_that_dies_after_a_byte_of_the_answer_is_not_replaced(lone):
    assert lone.ask().status == 200
    lone.upstream.behaviour.on_reuse = "close_after_a_byte"
    assert lone.ask().status == 502
    assert len(lone.upstream.calls) == 2


def test_a_connection_that_dies_late_is_not_replaced(lone):
    # More than a second after the request was sent, upstream may have done the work.
    assert lone.ask().status == 200
    lone.upstream.answer_always([Pause(1.4), Close()])
    assert lone.ask().status == 502
    assert len(lone.upstream.calls) == 2


def test_the_servers_that_close_after_100_requests_lose_none(lone):
    lone.upstream.behaviour.close_after_requests = 10
    with lone.weir.connect() as connection:
        for _ in range(55):
            connection.send(lone.request())
            assert connection.response().status == 200
    assert len(lone.upstream.calls) in range(55, 62)


def test_an_idle_connection_is_given_up_before_upstream_does(make_gateway):
    gateway = make_gateway({"workers": 1, "providers": {"main": {"connections": {"idle": "300ms"}}},
                            "models": [{"name": "gpt-test", "targets": ["main"]}]})
    assert gateway.ask().status == 200
    assert gateway.upstream.calls[0].connection.peer_closed.wait(5) or gateway.ask().status == 200
    time.sleep(0.4)  # the kept connection is now older than it may be
    assert gateway.ask().status == 200
    assert len(set(connections(gateway))) == 2


def test_no_more_connections_are_made_than_allowed(make_gateway):
    gateway = make_gateway({"workers": 1, "providers": {"main": {"connections": {"max": 3}}},
                            "models": [{"name": "gpt-test", "targets": ["main"]}]})
    gate = threading.Event()
    gateway.upstream.answer_always([Gate(gate), *answers.chat()])
    waiting = [in_background(gateway.ask) for _ in range(8)]
    gateway.upstream.wait_for_calls(3)
    time.sleep(0.2)  # nothing announces that a fourth is not coming
    assert len(gateway.upstream.open_connections()) == 3
    gate.set()
    assert {each().status for each in waiting} <= {200, 503}
    assert len(set(connections(gateway))) <= 3


# Clients that go away

def left(gateway, data, ready):
    """A client that sends, waits until ready and vanishes; how long upstream learned it after."""
    connection = gateway.weir.connect()
    connection.send(data)
    call = gateway.upstream.wait_for_calls()[0]
    ready(connection)
    connection.close()
    gone_at = time.monotonic()
    assert call.connection.peer_closed.wait(3), "upstream was not told"
    return call.connection.peer_closed_at - gone_at


def test_a_client_that_leaves_before_the_answer_ends_the_call_within_a_second(lone):
    lone.upstream.answer([Pause(30)])
    assert left(lone, lone.request(), lambda _: None) < 1


def test_a_client_that_leaves_a_stream_before_its_head_ends_the_call(lone):
    lone.upstream.answer([Pause(30)])
    assert left(lone, lone.request(stream=True), lambda _: None) < 1


def test_a_client_that_leaves_in_the_middle_of_a_stream_ends_the_call(lone):
    lone.upstream.answer([*answers.stream()[:2], Pause(30)])
    assert left(lone, lone.request(stream=True), lambda c: wire.Stream(c).next_event()) < 1


def test_a_client_that_leaves_in_the_middle_of_a_whole_answer_ends_the_call(lone):
    lone.upstream.answer([b"".join(answers.chat())[:-5], Pause(30)])
    assert left(lone, lone.request(), lambda _: time.sleep(0.05)) < 1


def test_a_client_that_resets_ends_the_call(lone):
    lone.upstream.answer([*answers.stream()[:2], Pause(30)])
    connection = lone.weir.connect()
    connection.send(lone.request(stream=True))
    wire.Stream(connection).next_event()
    connection.reset()
    assert lone.upstream.calls[0].connection.peer_closed.wait(1)


def test_a_client_that_left_has_an_access_line(lone):
    before = len(lone.weir.log_lines())
    lone.upstream.answer([Pause(30)])
    left(lone, lone.request(), lambda _: None)
    line = wait_until(lambda: next((each for each in lone.weir.log_lines()[before:]
                                    if each.get("weir.outcome") == "client_gone"), None))
    assert line["url.path"] == "/v1/chat/completions"


def test_a_client_that_leaves_before_its_body_is_whole_calls_nobody(lone):
    with lone.weir.connect() as connection:
        connection.send(lone.request()[:-5])
    assert lone.ask().status == 200
    assert len(lone.upstream.calls) == 1


# Clients that do not read

def endless(_):
    yield answers.head(200, [answers.CONTENT_EVENTS, answers.CHUNKED])
    event = answers.chunk(answers.event(answers.delta("x" * 1000)) * 16)
    while True:
        yield event


def test_a_client_that_reads_nothing_stops_upstream(lone):
    lone.upstream.behaviour.send_buffer_bytes = 16384
    lone.upstream.answer(endless)
    before = lone.weir.resident_bytes()
    with lone.weir.connect(receive_buffer_bytes=8192) as connection:
        connection.send(lone.request(stream=True))
        call = lone.upstream.wait_for_calls()[0].connection
        wait_until(lambda: stands_still(lambda: call.bytes_sent), 20, "a stop of upstream")
        assert call.bytes_sent < 16 << 20  # what the kernel's own buffers may hold
        assert not lone.weir.has_grown(before, 1 << 20)
        stream = wire.Stream(connection)  # and it goes on where it stopped
        for _ in range(2000):
            assert b"x" * 1000 in stream.next_event()
    assert call.peer_closed.wait(2)


def stands_still(value, for_s=0.5):
    before = value()
    time.sleep(for_s)
    return before == value()


def test_many_clients_that_read_nothing_cost_little_and_hold_up_nobody(lone):
    lone.upstream.behaviour.send_buffer_bytes = 16384
    lone.upstream.answer_always(
        lambda request: endless(request) if b'"stream": true' in request.body else answers.chat())
    before = lone.weir.resident_bytes()
    with contextlib.ExitStack() as open_connections:
        for _ in range(20):
            connection = open_connections.enter_context(
                lone.weir.connect(receive_buffer_bytes=8192))
            connection.send(lone.request(stream=True))
        calls = lone.upstream.wait_for_calls(20)
        wait_until(lambda: stands_still(lambda: sum(c.connection.bytes_sent for c in calls)), 40,
                   "a stop of all")
        started = time.monotonic()
        assert lone.ask().status == 200
        assert time.monotonic() - started < 1
        assert not lone.weir.has_grown(before, 20 * (128 << 10))
    for call in calls:
        assert call.connection.peer_closed.wait(5)
