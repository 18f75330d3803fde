"""The scripted upstream and the strict client themselves, each against the other."""

import socket
import threading
import time

import pytest

from support import answers, wire
from support.upstream import BlackHole, Close, Dribble, Gate, Pause, Reset, Upstream
from support.weir import in_background, merge, to_yaml, wait_until


@pytest.fixture
def server():
    with Upstream() as upstream:
        yield upstream


CHAT = {"model": "m", "messages": []}


def call(server, body=CHAT, **options):
    return wire.exchange(server.port, wire.request(body=body, **options))


def test_a_whole_answer_arrives_and_the_request_is_recorded_as_sent(server):
    data = wire.request(body=b'{"a": 1.0e+2}', key="k", headers=[("X-Odd-Case", "v")])
    response = wire.exchange(server.port, data)
    assert response.status == 200 and response.json()["usage"] == answers.USAGE
    assert server.call.raw == data
    assert server.call.body == b'{"a": 1.0e+2}'
    assert ("X-Odd-Case", "v") in server.call.headers
    assert server.call.header("authorization") == "Bearer k"


def test_answers_are_used_in_order_and_then_the_default(server):
    server.answer(answers.error(500), answers.error(429, headers=[("retry-after", "7")]))
    assert [call(server).status for _ in range(3)] == [500, 429, 200]


def test_a_stream_arrives_event_by_event(server):
    server.answer(answers.stream(answers.events(["a", "b"], usage=answers.USAGE)))
    response = call(server)
    assert response.complete
    assert response.events[-1] == b"[DONE]" and len(response.events) == 5


@pytest.mark.parametrize("eol", [b"\n", b"\r", b"\r\n"])
def test_a_stream_of_single_bytes_is_the_same_stream(server, eol):
    body = b"".join(answers.events(["é", "b"], eol=eol))
    pieces = [body[at:at + 1] for at in range(len(body))]
    server.answer(answers.chunked(pieces, headers=[answers.CONTENT_EVENTS]))
    assert call(server).body == body


def test_an_answer_can_be_dribbled(server):
    server.answer([Dribble(b"".join(answers.chat()), 1)])
    assert call(server).json()["object"] == "chat.completion"


@pytest.mark.parametrize("end", [Close(), Reset()])
def test_an_answer_can_end_anywhere(server, end):
    server.answer([*answers.stream()[:2], end])
    assert not call(server).complete


def test_a_gate_holds_the_answer_until_the_test_opens_it(server):
    gate = threading.Event()
    server.answer([Gate(gate), *answers.chat()])
    answer = in_background(lambda: call(server))
    server.wait_for_calls()
    gate.set()
    assert answer().status == 200


def test_a_peer_that_closes_ends_a_pause_and_is_recorded(server):
    server.answer([Pause(60)])
    with wire.Wire(server.port) as client:
        client.send(wire.request(body=CHAT))
        connection = server.wait_for_calls()[0].connection
        left_at = time.monotonic()
    assert connection.peer_closed.wait(5)
    assert connection.peer_closed_at - left_at < 1


def test_a_peer_that_closes_ends_an_endless_stream(server):
    def endless(_):
        yield answers.head(200, [answers.CONTENT_EVENTS, answers.CHUNKED])
        while True:
            yield answers.chunk(answers.event(answers.delta("x" * 1000)))

    server.answer(endless)
    with wire.Wire(server.port) as client:
        client.send(wire.request(body=CHAT))
        stream = wire.Stream(client)
        assert b"xxx" in stream.next_event() and b"xxx" in stream.next_event()
    assert server.calls[0].connection.peer_closed.wait(5)


def test_a_client_that_reads_nothing_stops_the_upstream(server):
    server.behaviour.send_buffer_bytes = 16384

    def endless(_):
        while True:
            yield b"x" * 65536

    server.answer(endless)
    with wire.Wire(server.port, receive_buffer_bytes=8192) as client:
        client.send(wire.request(body=CHAT))
        connection = server.wait_for_calls()[0].connection
        wait_until(lambda: is_still(lambda: connection.bytes_sent))
        assert connection.bytes_sent < 1 << 20


def is_still(value, for_s=0.3):
    before = value()
    time.sleep(for_s)
    return before == value()


@pytest.mark.parametrize("on_reuse", ["close_read", "reset_unread"])
def test_a_kept_connection_can_die_upon_reuse(server, on_reuse):
    server.behaviour.on_reuse = on_reuse
    with wire.Wire(server.port) as client:
        client.send(wire.request(body=CHAT))
        assert client.response().status == 200
        client.send(wire.request(body=CHAT))
        with pytest.raises(wire.EndOfStream):
            client.response()
    assert len(server.calls) == (2 if on_reuse == "close_read" else 1)


def test_a_kept_connection_can_end_when_idle_or_after_so_many_requests(server):
    server.behaviour.idle_close_s = 0.05
    with wire.Wire(server.port) as client:
        client.send(wire.request(body=CHAT))
        client.response()
        assert client.closed()
    server.behaviour.idle_close_s = 0
    server.behaviour.close_after_requests = 2
    with wire.Wire(server.port) as client:
        for _ in range(2):
            client.send(wire.request(body=CHAT))
            client.response()
        assert client.closed()


@pytest.mark.parametrize("on_accept", ["close", "reset"])
def test_a_connection_can_end_at_once(server, on_accept):
    server.behaviour.on_accept = on_accept
    try:
        with wire.Wire(server.port) as client:
            assert client.closed()
    except ConnectionResetError:
        assert on_accept == "reset"  # which was so early that it met the connecting


def test_a_black_hole_answers_no_connection():
    with BlackHole() as hole, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", hole.port), timeout=0.2)


@pytest.mark.parametrize("data", [
    b"POST / HTTP/1.1\nHost: a\n\n" + b" " * 2_000_000,
    b"POST / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
])
def test_a_request_that_is_not_strictly_http_is_a_fault(server, data):
    with wire.Wire(server.port) as client:
        try:
            client.send(data)
        except OSError:
            pass
        wait_until(lambda: server.faults)


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    b"HTTP/1.1 200 OK\r\nBad Name: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nno end",
])
def test_the_client_accepts_no_sloppy_answer(server, answer):
    server.answer([answer, Close()])
    with pytest.raises(AssertionError):
        call(server)


def test_interim_answers_are_seen_and_passed_over(server):
    server.answer([b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * 2, *answers.chat()])
    response = call(server)
    assert response.status == 200 and response.interim == [103, 103]


def test_events_are_found_whatever_ends_their_lines():
    for eol in (b"\n", b"\r", b"\r\n"):
        body = b"".join(answers.events(["a"], eol=eol))
        assert wire.events_of(body)[-1] == b"[DONE]" and len(wire.events_of(body)) == 3
    assert wire.events_of(b": comment\n\ndata:x\ndata: y\n\n") == [b"x\ny"]


def test_configurations_are_merged_and_written_as_yaml():
    merged = merge({"a": {"b": 1, "c": 2}, "l": [1]}, {"a": {"c": 3}, "l": [2]})
    assert merged == {"a": {"b": 1, "c": 3}, "l": [2]}
    assert to_yaml(merged) == "a:\n  b: 1\n  c: 3\nl: [2]"
