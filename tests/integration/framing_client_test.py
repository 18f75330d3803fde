"""How weir reads clients: what smuggling needs is refused, and everything lawful is understood."""

import pytest

from support import answers, wire
from support.weir import in_background

BODY = b'{"model":"gpt-test","messages":[]}'
SMUGGLED = b"GET /v1/models HTTP/1.1\r\nHost: smuggled\r\n\r\n"


def head(*lines, line=b"POST /v1/chat/completions HTTP/1.1", host=b"Host: a\r\n"):
    return line + b"\r\n" + host + b"".join(each + b"\r\n" for each in lines)


def get(*lines, **options):
    return head(*lines, line=b"GET /livez HTTP/1.1", **options) + b"\r\n"


BAD_HEADS = {
    "length and coding": head(b"Content-Length: 5", b"Transfer-Encoding: chunked")
    + b"\r\n0\r\n\r\n",
    "coding and length": head(b"Transfer-Encoding: chunked", b"Content-Length: 5")
    + b"\r\n0\r\n\r\n",
    "two equal lengths": head(b"Content-Length: 0", b"Content-Length: 0") + b"\r\n",
    "two lengths": head(b"Content-Length: 0", b"Content-Length: 44") + b"\r\n",
    "a list of lengths": head(b"Content-Length: 0, 0") + b"\r\n",
    "length with a sign": head(b"Content-Length: +0") + b"\r\n",
    "negative length": head(b"Content-Length: -1") + b"\r\n",
    "hexadecimal length": head(b"Content-Length: 0x0") + b"\r\n",
    "empty length": head(b"Content-Length: ") + b"\r\n",
    "length of two words": head(b"Content-Length: 0 0") + b"\r\n",
    "length beyond 64 bits": head(b"Content-Length: 18446744073709551616") + b"\r\n",
    "coding on 1.0": head(b"Transfer-Encoding: chunked",
                          line=b"POST /v1/chat/completions HTTP/1.0") + b"\r\n0\r\n\r\n",
    "two codings": head(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
    + b"\r\n0\r\n\r\n",
    "chunked not last": head(b"Transfer-Encoding: chunked, identity") + b"\r\n0\r\n\r\n",
    "chunked twice": head(b"Transfer-Encoding: chunked, chunked") + b"\r\n0\r\n\r\n",
    "coding behind a control byte": head(b"Transfer-Encoding: \x0bchunked") + b"\r\n0\r\n\r\n",
    "space before the colon": get(b"X-A : b"),
    "space before the colon of a coding": head(b"Transfer-Encoding : chunked") + b"\r\n0\r\n\r\n",
    "tab before the colon": get(b"X-A\t: b"),
    "a folded line": get(b"X-A: b", b" c"),
    "a folded line with a tab": get(b"X-A: b", b"\tc"),
    "a first line that is folded": b"GET /livez HTTP/1.1\r\n Host: a\r\n\r\n",
    "bare LF everywhere": b"GET /livez HTTP/1.1\nHost: a\n\n",
    "bare LF after a header": b"GET /livez HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n",
    "bare LF after the request line": b"GET /livez HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF at the end": b"GET /livez HTTP/1.1\r\nHost: a\r\n\n",
    "bare CR in a value": get(b"X-A: b\rX-B: c"),
    "bare CR after a value": get(b"X-A: b\r\r"),
    "bare CR in the request line": b"GET /livez\r HTTP/1.1\r\nHost: a\r\n\r\n",
    "NUL in a value": get(b"X-A: b\0c"),
    "control byte in a value": get(b"X-A: b\x01c"),
    "DEL in a value": get(b"X-A: b\x7fc"),
    "NUL in a name": get(b"X\0A: b"),
    "no name": get(b": b"),
    "no colon": get(b"X-A"),
    "space in a name": get(b"X A: b"),
    "UTF-8 in a name": get(b"X-\xc3\xa9: b"),
    "braces in a name": get(b"X{A}: b"),
    "two hosts": get(b"Host: b"),
    "two equal hosts": get(b"Host: a"),
    "no host": get(host=b""),
    "a host with a space": get(host=b"Host: a b\r\n"),
    "a host with a path": get(host=b"Host: a/b\r\n"),
    "a host with a user": get(host=b"Host: a@b\r\n"),
    "two spaces before the target": b"GET  /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces after the target": b"GET /livez  HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tab in the request line": b"GET\t/livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in the target": b"GET /li vez HTTP/1.1\r\nHost: a\r\n\r\n",
    "a control byte in the target": b"GET /li\x01vez HTTP/1.1\r\nHost: a\r\n\r\n",
    "no version": b"GET /livez\r\nHost: a\r\n\r\n",
    "a version in lower case": b"GET /livez http/1.1\r\nHost: a\r\n\r\n",
    "a long version": b"GET /livez HTTP/1.10\r\nHost: a\r\n\r\n",
    "another protocol": b"GET /livez HTTQ/1.1\r\nHost: a\r\n\r\n",
    "a relative target": b"GET livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method that is no token": b"G@T /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    "a preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "noise": bytes(range(128, 256)) * 4 + b"\r\n\r\n",
}

OTHER_STATUSES = {"a preface of HTTP/2": (400, 505), "length beyond 64 bits": (400, 413),
                  "a long version": (400, 505), "chunked not last": (400, 501),
                  "chunked twice": (400, 501), "a method that is no token": (400, 501)}


@pytest.mark.parametrize("kind", BAD_HEADS)
def test_what_smuggling_needs_is_refused_and_the_connection_ends(weir, upstream, kind):
    with weir.connect() as connection:
        connection.send(BAD_HEADS[kind] + SMUGGLED)
        response = connection.response("GET")
        assert response.status in OTHER_STATUSES.get(kind, (400,))
        assert response.closes()
        assert connection.closed()
    assert not upstream.calls


@pytest.mark.parametrize("kind", ["two equal hosts", "a folded line", "length and coding",
                                  "bare LF after a header", "NUL in a value"])
def test_it_is_refused_however_it_is_split(weir, kind):
    with weir.connect() as connection:
        try:
            connection.send_in_pieces(BAD_HEADS[kind])
        except OSError:
            pass  # refused before the last byte
        assert connection.response("GET").status == 400
        assert connection.closed()


BAD_CHUNKS = {
    "a prefix": b"0x22\r\n" + BODY, "a sign": b"+22\r\n" + BODY, "negative": b"-1\r\n" + BODY,
    "a space before": b" 22\r\n" + BODY, "empty": b"\r\n" + BODY, "no digit": b"zz\r\n" + BODY,
    "too many digits": b"f" * 17 + b"\r\n" + BODY, "2^64 + 34": b"10000000000000022\r\n" + BODY,
    "bare LF": b"22\n" + BODY, "bare CR": b"22\r" + BODY, "underscore": b"2_2\r\n" + BODY,
    "a bare LF in an extension": b"22;a\nb\r\n" + BODY,
    "a bare CR in an extension": b"22;a\rb\r\n" + BODY,
    "a NUL in an extension": b"22;a\0b\r\n" + BODY,
    "no CRLF after the data": b"22\r\n" + BODY + b"0\r\n\r\n",
    "LF after the data": b"22\r\n" + BODY + b"\n0\r\n\r\n",
    "more data than said": b"21\r\n" + BODY + b"\r\n0\r\n\r\n",
    "less data than said": b"23\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a folded trailer": b"22\r\n" + BODY + b"\r\n0\r\nA: b\r\n c\r\n\r\n",
    "a trailer without a colon": b"22\r\n" + BODY + b"\r\n0\r\nA\r\n\r\n",
    "a trailer with a bare LF": b"22\r\n" + BODY + b"\r\n0\r\nA: b\n\r\n",
}


@pytest.mark.parametrize("kind", BAD_CHUNKS)
def test_a_bad_chunk_is_refused_and_the_connection_ends(gateway, weir, upstream, kind):
    start = wire.request(key=gateway.key, headers=[("transfer-encoding", "chunked")])
    with weir.connect() as connection:
        connection.send(start + BAD_CHUNKS[kind] + b"\r\n" + SMUGGLED)
        response = connection.response()
        assert response.status == 400 and response.closes()
        assert connection.closed()
    assert not upstream.calls


def chunked_request(gateway, chunks):
    return wire.request(key=gateway.key, headers=[("transfer-encoding", "chunked")]) + chunks


@pytest.mark.parametrize("chunks", [
    b"22\r\n" + BODY + b"\r\n0\r\n\r\n",
    b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n",
    b"0000022;name=value;other=\"quoted\"\r\n" + BODY + b"\r\n000;x\r\n\r\n",
    b"22\r\n" + BODY + b"\r\n0\r\nX-Trailer: canary\r\nContent-Length: 7\r\n\r\n",
], ids=["one", "single bytes", "extensions", "trailers"])
def test_a_chunked_body_is_read_whole_and_the_next_request_too(gateway, weir, upstream, chunks):
    data = chunked_request(gateway, chunks)
    for pieces in (len(data), 1, 7):
        with weir.connect() as connection:
            connection.send_in_pieces(data + get(), pieces)
            assert connection.response().status == 200
            assert connection.response("GET").status == 200
    assert [call.body for call in upstream.calls] == [BODY] * 3
    assert not any(b"canary" in call.raw for call in upstream.calls)


def test_an_extension_without_an_end_is_bounded(gateway, weir):
    with weir.connect() as connection:
        connection.send(chunked_request(gateway, b"22;"))
        try:
            for _ in range(100):
                connection.send(b"x" * 100_000)
        except OSError:
            pass
        try:
            assert connection.response().status in (400, 413, 431)
        except wire.EndOfStream:
            pass  # refused, and the answer lost to the bytes that were still sent


# What is lawful

@pytest.mark.parametrize("data", [
    b"\r\n" + get(), get(b"X-A:b"), get(b"X-A:\t b \t"), get(b"X-Empty:"), get(b"X-A: \xe9\xff"),
    b"GET http://weir.test/livez HTTP/1.1\r\nHost: weir.test\r\n\r\n",
    b"GET /livez?a=b&c HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", get(host=b"Host: \r\n"),
    get(b"Content-Length: 0"), get(b"X-A: " + b"b" * 8000), get(b"hOsT-x: 1", b"X-A: 1", b"x-a: 2"),
])
def test_lawful_requests_are_answered(weir, data):
    with weir.connect() as connection:
        connection.send(data + get())
        assert connection.response("GET").status == 200
        assert connection.response("GET").status == 200


def test_requests_in_one_piece_are_answered_in_order(gateway, weir, upstream):
    upstream.answer(*[answers.chat(f"answer {n}") for n in range(5)])
    data = b"".join(gateway.request(n=1, user=str(n)) for n in range(5))
    with weir.connect() as connection:
        connection.send(data)
        contents = [connection.response().json()["choices"][0]["message"]["content"]
                    for _ in range(5)]
    assert contents == [f"answer {n}" for n in range(5)]
    assert [f'"user": "{n}"'.encode() in call.body for n, call in enumerate(upstream.calls)] \
        == [True] * 5


def test_pipelined_requests_of_all_kinds_keep_their_order(gateway, weir, upstream):
    upstream.answer_always(answers.as_a_provider)
    data = (gateway.request(stream=True) + get() + wire.request(body=BODY, key="sk-weir-bad")
            + chunked_request(gateway, b"22\r\n" + BODY + b"\r\n0\r\n\r\n")
            + wire.request("GET", "/v1/models", key=gateway.key)
            + wire.request("HEAD", "/livez") + wire.request("GET", "/nowhere"))
    expected = [("POST", 200), ("GET", 200), ("POST", 401), ("POST", 200), ("GET", 200),
                ("HEAD", 200), ("GET", 404)]
    for pieces in (len(data), 1, 100):
        with weir.connect() as connection:
            connection.send_in_pieces(data, pieces)
            for method, status in expected:
                response = connection.response(method)
                assert response.status == status and response.complete
                if response.closes():
                    break  # lawful after an error, but only said in the head


def test_a_request_of_single_bytes_is_the_same_request(gateway, weir, upstream):
    data = wire.request(body=BODY, key=gateway.key)
    with weir.connect() as connection:
        connection.send_in_pieces(data)
        assert connection.response().status == 200
    assert upstream.call.body == BODY


def test_a_connection_serves_many_requests(gateway, weir):
    with weir.connect() as connection:
        for _ in range(50):
            connection.send(gateway.request())
            response = connection.response()
            assert response.status == 200 and not response.closes()


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close", "close, x"])
def test_a_client_that_says_close_is_closed(gateway, weir, value):
    with weir.connect() as connection:
        connection.send(gateway.request(headers=[("connection", value)]))
        response = connection.response()
        assert response.status == 200 and response.closes()
        assert connection.closed()


def test_http_1_0_is_answered_and_closed(gateway, weir):
    with weir.connect() as connection:
        connection.send(wire.request(body=BODY, key=gateway.key, version="1.0"))
        response = connection.response()
        assert response.status == 200 and response.header("transfer-encoding") is None
        assert connection.closed()


def test_http_1_0_without_a_host_is_answered(weir):
    assert weir.send(b"GET /livez HTTP/1.0\r\n\r\n", "GET").status == 200


def test_http_1_0_is_kept_if_it_asks(weir):
    with weir.connect() as connection:
        for _ in range(2):
            connection.send(b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            response = connection.response("GET")
            assert response.status == 200
            assert response.header("connection").lower() == "keep-alive"


def test_expect_100_continue_is_answered_before_the_body(gateway, weir, upstream):
    with weir.connect() as connection:
        connection.send(wire.request(key=gateway.key, headers=[
            ("expect", "100-continue"), ("content-length", len(BODY))]))
        assert connection._head().status == 100
        connection.send(BODY)
        assert connection.response().status == 200
    assert upstream.call.body == BODY and upstream.call.header("expect") is None


def test_a_body_that_came_with_the_head_needs_no_100_continue(gateway, weir):
    with weir.connect() as connection:
        connection.send(wire.request(body=BODY, key=gateway.key, headers=[
            ("expect", "100-continue")]))
        assert connection.response().status == 200


def test_expect_with_a_bad_key_is_refused_without_a_100(weir):
    with weir.connect() as connection:
        connection.send(wire.request(key="sk-weir-bad", headers=[
            ("expect", "100-continue"), ("content-length", 1000)]))
        response = connection.response()
        assert response.status == 401 and response.interim == []


def test_another_expectation_cannot_be_met(gateway, weir):
    response = weir.send(wire.request(body=BODY, key=gateway.key, headers=[("expect", "magic")]))
    assert response.status == 417


def test_slow_clients_hold_up_nobody(gateway, weir):
    slow = [weir.connect() for _ in range(20)]
    for connection in slow:
        connection.send(gateway.request()[:-5])
    answer = in_background(lambda: [gateway.ask().status for _ in range(10)])
    assert answer(5) == [200] * 10
    for connection in slow:
        connection.close()
