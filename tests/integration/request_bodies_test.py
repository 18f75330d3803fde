"""Compressed request bodies, and the limits on all bodies and heads."""

import gzip
import threading
import time

import brotli
import pytest
import zstandard

from support import answers, wire
from support.upstream import Gate, Pause
from support.weir import in_background, wait_until

BODY = b'{"model":"gpt-test","messages":[{"role":"user","content":"Hi"}]}'
LIMIT = 64 << 10


def zstd(data):
    return zstandard.ZstdCompressor().compress(data)


CODINGS = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd}


@pytest.fixture(scope="module")
def small(make_gateway):
    """Small limits and short waits."""
    return make_gateway({
        "transport": {"header_bytes": "4KiB", "headers": 20, "body_bytes": "64KiB"},
        "timeouts": {"header": "600ms", "body": "600ms", "idle": "600ms"}})


def padded(size):
    start, end = b'{"model":"gpt-test","messages":[],"x":"', b'"}'
    return start + b"x" * (size - len(start) - len(end)) + end


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_compressed_body_is_inflated(gateway, weir, upstream, coding, chunked):
    packed = CODINGS[coding](BODY)
    headers = [("content-encoding", coding)]
    if chunked:
        data = wire.request(key=gateway.key, headers=[*headers, ("transfer-encoding", "chunked")])
        data += b"".join(answers.chunk(packed[at:at + 3]) for at in range(0, len(packed), 3))
        response = weir.send(data + answers.LAST_CHUNK)
    else:
        response = gateway.ask(packed, headers=headers)
    assert response.status == 200
    assert upstream.call.body == BODY and upstream.call.header("content-encoding") is None


@pytest.mark.parametrize("coding", ["GZIP", "x-gzip", "identity", "Br"])
def test_names_of_codings_are_read_in_any_case(gateway, upstream, coding):
    pack = CODINGS.get(coding.lower().removeprefix("x-"), lambda data: data)
    response = gateway.ask(pack(BODY), headers=[("content-encoding", coding)])
    assert response.status == 200 and upstream.call.body == BODY


@pytest.mark.parametrize("coding", ["compress", "deflate", "magic", "gzip, magic", "lzma"])
def test_an_unknown_coding_is_415(gateway, upstream, coding):
    response = gateway.ask(BODY, headers=[("content-encoding", coding)])
    assert response.status == 415 and response.error["type"] == "invalid_request_error"
    assert response.header("accept-encoding") == "gzip, br, zstd"
    assert not upstream.calls


@pytest.mark.parametrize("coding", CODINGS)
def test_nothing_at_all_is_no_encoded_body(gateway, upstream, coding):
    response = gateway.ask(b"", headers=[("content-encoding", coding)])
    assert response.status == 400 and "encoded" in response.error["message"]
    assert not upstream.calls


@pytest.mark.parametrize("coding", CODINGS)
def test_a_body_that_does_not_inflate_is_400(gateway, upstream, coding):
    packed = CODINGS[coding](BODY)
    for bad in (packed[:-1], packed[:len(packed) // 2], BODY, b"", packed[:4] + b"\xff" * 40):
        response = gateway.ask(bad, headers=[("content-encoding", coding)])
        assert response.status == 400, (coding, bad)
        assert response.error["type"] == "invalid_request_error"
    assert not upstream.calls


def test_a_body_at_the_limit_passes_and_one_above_is_413(small):
    assert small.ask(padded(LIMIT)).status == 200
    assert small.upstream.call.body == padded(LIMIT)
    response = small.ask(padded(LIMIT + 1))
    assert response.status == 413 and response.error["code"] == "request_too_large"
    assert response.error["type"] == "invalid_request_error"


def test_a_length_above_the_limit_is_refused_before_the_body(small):
    with small.weir.connect() as connection:
        connection.send(wire.request(key=small.key, headers=[("content-length", 10 ** 12)]))
        assert connection.response().status == 413
        assert connection.closed()


def test_a_refused_body_that_asked_first_is_not_invited(small):
    with small.weir.connect() as connection:
        connection.send(wire.request(key=small.key, headers=[
            ("content-length", LIMIT + 1), ("expect", "100-continue")]))
        response = connection.response()
        assert response.status == 413 and response.interim == []


def test_a_client_that_sends_on_still_reads_the_refusal(small):
    # Closing with unread bytes would reset the connection and lose the answer.
    with small.weir.connect() as connection:
        connection.send(wire.request(body=padded(LIMIT + 200_000), key=small.key))
        assert connection.response().status == 413


def test_a_chunked_body_above_the_limit_is_413(small):
    data = wire.request(key=small.key, headers=[("transfer-encoding", "chunked")])
    with small.weir.connect() as connection:
        connection.send(data)
        try:
            for _ in range(20):
                connection.send(answers.chunk(b" " * 5000))
        except OSError:
            pass
        assert connection.response().status == 413


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_is_413(small, coding):
    before = small.weir.resident_bytes()
    bomb = CODINGS[coding](padded(20 << 20))
    assert len(bomb) < LIMIT
    assert small.ask(bomb, headers=[("content-encoding", coding)]).status == 413
    assert small.ask(CODINGS[coding](padded(LIMIT)),
                     headers=[("content-encoding", coding)]).status == 200
    assert not small.weir.has_grown(before, 24 << 20)


def test_the_short_route_says_too_large_in_detail(small):
    response = small.ask(padded(LIMIT + 1), path="/v1/chat")
    assert response.status == 413 and isinstance(response.json()["detail"], str)


def test_the_default_limit_is_32_mib(gateway):
    assert gateway.ask(padded(32 << 20)).status == 200
    with gateway.weir.connect() as connection:
        connection.send(wire.request(key=gateway.key,
                                     headers=[("content-length", (32 << 20) + 1)]))
        assert connection.response().status == 413


# Heads

@pytest.mark.parametrize("headers", [
    [("x-large", "y" * 5000)], [(f"x-{n}", "y" * 100) for n in range(60)],
    [(f"x-{n}", "y") for n in range(30)], [("y" * 5000, "x")]])
def test_headers_above_a_limit_are_431(small, headers):
    with small.weir.connect() as connection:
        connection.send(small.request(headers=headers))
        response = connection.response()
        assert response.status == 431 and response.error["type"] == "invalid_request_error"
        assert connection.closed()


def test_a_long_target_is_refused(small):
    response = small.weir.get("/v1/models/" + "x" * 5000, small.key)
    assert response.status in (414, 431)


def test_headers_without_an_end_are_cut_off(small):
    with small.weir.connect() as connection:
        try:
            for _ in range(100):
                connection.send(b"X" * 10_000)
        except OSError:
            return
        assert connection.response().status in (400, 414, 431)


# Slowness

def test_a_head_that_does_not_come_is_408(small):
    with small.weir.connect() as connection:
        connection.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost")
        response = connection.response()
        assert response.status == 408 and connection.closed()


def test_a_head_that_drips_is_408_too(small):
    started = time.monotonic()
    with small.weir.connect() as connection:
        for byte in small.request(headers=[("x-pad", "y" * 300)]):
            connection.send(bytes([byte]))
            if not connection.is_silent(0.01):
                break
        assert connection.response().status == 408
    assert time.monotonic() - started < 3


@pytest.mark.parametrize("sent", [b"", b'{"model"'])
def test_a_body_that_does_not_come_is_408(small, sent):
    with small.weir.connect() as connection:
        connection.send(wire.request(key=small.key, headers=[("content-length", 100)]) + sent)
        response = connection.response()
        assert response.status == 408
        assert response.error["type"] == "invalid_request_error"
        assert connection.closed()


def test_an_idle_connection_is_closed_without_a_word(small):
    with small.weir.connect() as connection:
        connection.send(small.request())
        assert connection.response().status == 200
        assert connection.closed(within_s=5)


def test_a_connection_that_never_asks_is_closed(small):
    with small.weir.connect() as connection:
        assert connection.closed(within_s=5)


def test_a_slow_answer_is_no_idleness(small):
    small.upstream.answer([Pause(1.0), *answers.chat()])
    assert small.ask().status == 200


# Bounds of the process

def test_above_the_requests_in_flight_it_is_503(make_gateway):
    gateway = make_gateway({"transport": {"requests_in_flight": 4}, "workers": 1})
    gate = threading.Event()
    gateway.upstream.answer_always([Gate(gate), *answers.chat()])
    waiting = [in_background(gateway.ask) for _ in range(20)]
    statuses = wait_until(lambda: refused(gateway), what="a refusal")
    gate.set()
    assert statuses.status == 503 and statuses.header("retry-after")
    assert statuses.error["type"] == "server_error" and statuses.error["code"] == "overloaded"
    assert {each().status for each in waiting} == {200, 503}
    gateway.upstream.reset()
    assert gateway.ask().status == 200


def refused(gateway):
    """The refusal, or None where the request was let in and would wait for the gate."""
    with gateway.weir.connect(timeout_s=2) as connection:
        connection.send(gateway.request())
        return None if connection.is_silent(0.3) else connection.response()


def body_memory(gateway):
    return gateway.weir.metrics()["weir_body_memory_bytes", frozenset()]


def test_above_the_memory_for_bodies_it_is_503(make_gateway):
    gateway = make_gateway({"transport": {"body_memory": "8MiB", "body_bytes": "8MiB",
                                          "answer_bytes": "1MiB"}})
    with gateway.weir.connect() as holder:
        announced = wire.request("POST", "/v1/chat/completions", padded(6 << 20), gateway.key)
        holder.send(announced[:2000])
        time.sleep(0.1)
        assert gateway.ask(padded(3 << 20)).status == 200  # what is announced takes no room
        holder.send(announced[2000:-1000])  # the end does not come; what came takes its room
        wait_until(lambda: body_memory(gateway) >= 6 << 20, what="the room taken")
        wait_until(lambda: gateway.ask(padded(3 << 20)).status == 503, what="no room")
        response = gateway.ask(padded(3 << 20))
        assert response.status == 503 and response.error["code"] == "overloaded"
    wait_until(lambda: gateway.ask(padded(100_000)).status == 200, what="room again")


def test_an_address_holds_no_more_connections_than_it_may(make_gateway):
    gateway = make_gateway({"transport": {"connections_per_address": 4}, "workers": 1})
    held = [gateway.weir.connect() for _ in range(4)]
    for connection in held:
        connection.send(wire.request("GET", "/livez"))
        assert connection.response("GET").status == 200
    with gateway.weir.connect() as one_more:
        try:
            one_more.send(wire.request("GET", "/livez"))
            assert one_more.response("GET").status == 503
        except (wire.EndOfStream, OSError):
            pass  # closed without a word
    held.pop().close()
    wait_until(lambda: is_served(gateway.weir), what="room for a connection")
    for connection in held:
        connection.close()


def is_served(weir):
    try:
        return weir.get("/livez").status == 200
    except (wire.EndOfStream, OSError):
        return False
