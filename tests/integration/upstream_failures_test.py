"""Upstreams that refuse, break or are slow: 502 or 504 in time, and nobody else is held up."""

import socket
import threading
import time

import pytest

from support import answers
from support.upstream import BlackHole, Close, Dribble, Pause, Reset
from support.weir import free_port, wait_until

DEAD_NAME = "http://no-such-host.invalid:1/v1"


@pytest.fixture(scope="module")
def black_hole():
    with BlackHole() as hole:
        yield hole


@pytest.fixture(scope="module")
def impatient(make_gateway, black_hole):
    """Short limits on upstream, and targets that can never answer."""
    limits = {"connect": "300ms", "first_byte": "500ms", "event_gap": "500ms", "total": "1s",
              "stream_total": "2s"}

    def provider(base_url):
        return {"dialect": "openai", "base_url": base_url, "api_key": "k", "timeouts": limits}

    return make_gateway({
        "providers": {"main": {"timeouts": limits}, "hole": provider(black_hole.base_url),
                      "refusing": provider(f"http://127.0.0.1:{free_port()}/v1"),
                      "nameless": provider(DEAD_NAME)},
        "models": [{"name": "gpt-test", "targets": ["main"]},
                   {"name": "hole", "targets": ["hole"]},
                   {"name": "refusing", "targets": ["refusing"]},
                   {"name": "nameless", "targets": ["nameless"]}]})


def failed(response, status):
    assert response.status == status, response
    assert response.error["type"] == "upstream_error" and response.error["code"]
    return response


STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@STREAM
def test_a_connection_that_is_refused_is_502(impatient, stream):
    failed(impatient.ask(model="refusing", stream=stream), 502)


@STREAM
def test_a_name_that_is_not_known_is_502(impatient, stream):
    response = impatient.ask(model="nameless", stream=stream)
    failed(response, response.status if response.status == 504 else 502)


@STREAM
def test_a_connection_that_does_not_come_is_504_in_time(impatient, stream):
    response = failed(impatient.ask(model="hole", stream=stream), 504)
    assert 0.25 < response.elapsed_s < 2


@STREAM
@pytest.mark.parametrize("on_accept", ["close", "reset"])
def test_a_connection_that_ends_at_once_is_502(impatient, stream, on_accept):
    close_idle_connections(impatient)
    impatient.upstream.behaviour.on_accept = on_accept
    failed(impatient.ask(stream=stream), 502)


def close_idle_connections(gateway):
    """So that the next call has to connect."""
    for connection in gateway.upstream.open_connections():
        try:
            connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    wait_until(lambda: not gateway.upstream.open_connections(), what="the end of connections")


def test_a_first_byte_that_does_not_come_is_504_in_time(impatient):
    impatient.upstream.answer([Pause(30)])
    response = failed(impatient.ask(stream=True), 504)
    assert 0.4 < response.elapsed_s < 2
    assert impatient.upstream.calls[0].connection.peer_closed.wait(2)


def test_an_upstream_that_reads_nothing_is_504_in_time(impatient):
    close_idle_connections(impatient)
    impatient.upstream.behaviour.on_accept = "ignore"
    failed(impatient.ask(stream=True), 504)
    failed(impatient.ask(), 504)


def test_a_large_body_that_nobody_reads_is_504_in_time(impatient):
    close_idle_connections(impatient)
    impatient.upstream.behaviour.on_accept = "ignore"
    response = failed(impatient.ask(x="y" * (20 << 20)), 504)
    assert response.elapsed_s < 5


@pytest.mark.parametrize("sent", [0, 10, 60, -5])
def test_a_whole_answer_that_takes_too_long_is_504_in_time(impatient, sent):
    data = b"".join(answers.chat())
    impatient.upstream.answer([data[:sent], Pause(30)])
    response = failed(impatient.ask(), 504)
    assert 0.8 < response.elapsed_s < 3
    assert impatient.upstream.calls[0].connection.peer_closed.wait(2)


def test_a_byte_now_and_then_does_not_keep_a_whole_answer_alive(impatient):
    impatient.upstream.answer([Dribble(b"".join(answers.chat()), 1, 0.1)])
    response = failed(impatient.ask(), 504)
    assert response.elapsed_s < 3


def test_the_first_byte_of_a_whole_answer_may_be_late(impatient):
    impatient.upstream.answer([Pause(0.7), *answers.chat()])
    assert impatient.ask().status == 200


@pytest.mark.parametrize("end", [Close(), Reset()], ids=["FIN", "RST"])
@pytest.mark.parametrize("sent", [0, 1, 9, 17, 40, 90, -1])
def test_a_whole_answer_that_breaks_off_anywhere_is_502(gateway, upstream, end, sent):
    data = b"".join(answers.chat())
    upstream.answer_always([data[:sent], end])
    failed(gateway.ask(), 502)


@pytest.mark.parametrize("sent", [1, 17, 60, 200, -1, -4])
def test_a_chunked_answer_that_breaks_off_anywhere_is_502(gateway, upstream, sent):
    body = answers.chat_body()
    data = b"".join(answers.chunked([body[:50], body[50:]]))
    upstream.answer([data[:sent], Close()])
    failed(gateway.ask(), 502)


def test_a_failure_leaves_no_trace_in_the_next_call(gateway, weir, upstream):
    data = b"".join(answers.chat())
    upstream.answer([data[:60], Close()], answers.chat("whole"))
    with weir.connect() as connection:
        connection.send(gateway.request())
        assert connection.response().status == 502
        connection.send(gateway.request())
        assert connection.response().body == answers.chat_body("whole")


def test_slow_upstreams_hold_up_nobody(make_gateway):
    gateway = make_gateway({"workers": 1})
    done = threading.Event()

    def slow(request):
        return [Pause(0 if done.is_set() else 30)] if b"slow" in request.body else answers.chat()

    gateway.upstream.answer_always(slow)
    waiting = [gateway.weir.connect() for _ in range(50)]
    for connection in waiting:
        connection.send(gateway.request(user="slow"))
    gateway.upstream.wait_for_calls(50)
    started = time.monotonic()
    assert all(gateway.ask().status == 200 for _ in range(50))
    assert time.monotonic() - started < 5
    for connection in waiting:
        connection.close()


def test_every_failure_has_an_access_line_that_says_what_it_was(impatient):
    impatient.upstream.answer_always([b"noise\r\n\r\n", Close()])
    line = impatient.weir.access_line(impatient.ask())
    assert line["http.response.status_code"] == 502
    assert line["error.code"] and line["error.message"]
    assert line["weir.outcome"] != "completed"
