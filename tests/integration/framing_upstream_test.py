"""How weir reads upstreams: what is not strictly HTTP is a 502 and ends the connection."""

import gzip
import zlib

import brotli
import pytest
import zstandard

from support import answers
from support.upstream import Close, Dribble, Pause

BODY = answers.chat_body()


def raw(*lines, body=BODY, line=b"HTTP/1.1 200 OK", end=b"\r\n\r\n", eol=b"\r\n"):
    return eol.join([line, b"Content-Type: application/json", *lines]) + end + body


LENGTH = b"Content-Length: %d" % len(BODY)
SIZED = b"%x\r\n" % len(BODY)
CODED = b"Transfer-Encoding: chunked"

BAD = {
    "length and coding": raw(LENGTH, CODED, body=SIZED + BODY + b"\r\n0\r\n\r\n"),
    "two lengths": raw(LENGTH, b"Content-Length: 7"),
    "two equal lengths": raw(LENGTH, LENGTH),
    "length with a sign": raw(b"Content-Length: +%d" % len(BODY)),
    "negative length": raw(b"Content-Length: -1"),
    "hexadecimal length": raw(b"Content-Length: 0x%x" % len(BODY)),
    "length beyond 64 bits": raw(b"Content-Length: 18446744073709551616"),
    "two codings": raw(CODED, CODED, body=SIZED + BODY + b"\r\n0\r\n\r\n"),
    "chunked not last": raw(b"Transfer-Encoding: chunked, identity"),
    "an unknown coding": raw(b"Transfer-Encoding: magic"),
    "gzip as a transfer coding": raw(b"Transfer-Encoding: gzip, chunked"),
    "a coding on 1.0": raw(CODED, line=b"HTTP/1.0 200 OK", body=SIZED + BODY + b"\r\n0\r\n\r\n"),
    "space before the colon": raw(LENGTH, b"X-A : b"),
    "a folded line": raw(LENGTH, b"X-A: b", b" c"),
    "bare LF everywhere": raw(LENGTH, eol=b"\n", end=b"\n\n"),
    "bare LF after a header": raw(b"X-A: b\nX-B: c", LENGTH),
    "bare CR in a value": raw(LENGTH, b"X-A: b\rX-B: c"),
    "NUL in a value": raw(LENGTH, b"X-A: b\0c"),
    "control byte in a value": raw(LENGTH, b"X-A: b\x01c"),
    "NUL in a name": raw(LENGTH, b"X\0A: b"),
    "no colon": raw(LENGTH, b"X-A"),
    "no name": raw(LENGTH, b": b"),
    "an old protocol": BODY,
    "another protocol": raw(LENGTH, line=b"ICY 200 OK"),
    "a version of two digits": raw(LENGTH, line=b"HTTP/1.10 200 OK"),
    "HTTP/2": raw(LENGTH, line=b"HTTP/2.0 200 OK"),
    "a status of two digits": raw(LENGTH, line=b"HTTP/1.1 20 OK"),
    "a status of four digits": raw(LENGTH, line=b"HTTP/1.1 2000 OK"),
    "no status": raw(LENGTH, line=b"HTTP/1.1 OK"),
    "switching protocols": raw(line=b"HTTP/1.1 101 Switching Protocols", body=b""),
    "noise": bytes(range(128, 256)) * 8,
    "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "an SMTP greeting": b"220 mail.example ESMTP\r\n",
    "1 MiB of headers": raw(LENGTH, *[b"X-%d: %s" % (n, b"y" * 1000) for n in range(1000)]),
    "one header of 1 MiB": raw(LENGTH, b"X-A: " + b"y" * (1 << 20)),
    "10,000 headers": raw(LENGTH, *[b"X: y"] * 10_000),
    "a head without an end": b"HTTP/1.1 200 OK\r\nX-A: b\r\n",
    "a short body": raw(b"Content-Length: %d" % (len(BODY) + 1)),
    "half a body": raw(LENGTH, body=BODY[:20]),
    "a bad chunk size": raw(CODED, body=b"zz\r\n" + BODY),
    "a chunk size with a prefix": raw(CODED, body=b"0x" + SIZED + BODY + b"\r\n0\r\n\r\n"),
    "a chunk size beyond 64 bits": raw(CODED, body=b"1" + b"0" * 16 + b"\r\n" + BODY),
    "no CRLF after a chunk": raw(CODED, body=SIZED + BODY + b"0\r\n\r\n"),
    "a bare LF after a chunk size": raw(CODED, body=b"%x\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"),
    "no last chunk": raw(CODED, body=SIZED + BODY + b"\r\n"),
    "half a last chunk": raw(CODED, body=SIZED + BODY + b"\r\n0\r\n"),
    "nothing": b"",
    "a flood of 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\n" * 5000 + raw(LENGTH),
    "gzip that is none": raw(b"Content-Encoding: gzip", LENGTH),
    "half a gzip": raw(b"Content-Encoding: gzip", CODED, body=b"14\r\n" + gzip.compress(BODY)[:20]
                       + b"\r\n0\r\n\r\n"),
    "an unknown content coding": raw(b"Content-Encoding: magic", LENGTH),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_answer_is_a_502_and_its_connection_ends(gateway, upstream, kind):
    upstream.answer_always([BAD[kind], Close()])
    response = gateway.ask()
    assert response.status == 502, response
    assert response.error["type"] == "upstream_error" and response.error["code"]
    upstream.answer_always(answers.chat())
    assert gateway.ask().status == 200


# More bytes could still make these whole, or at least a line.
UNFINISHED = ["a short body", "half a body", "nothing", "a head without an end", "no last chunk",
              "half a last chunk", "an SMTP greeting", "a TLS alert", "an old protocol", "noise"]


@pytest.mark.parametrize("kind", [kind for kind in BAD if kind not in UNFINISHED])
def test_a_bad_answer_is_refused_though_the_upstream_keeps_the_connection(gateway, weir, upstream,
                                                                          kind):
    upstream.answer([BAD[kind]])
    with weir.connect() as connection:
        connection.send(gateway.request())
        assert connection.response().status == 502
        assert upstream.calls[0].connection.peer_closed.wait(2)
        connection.send(gateway.request())
        assert connection.response().status == 200
    assert upstream.calls[0].connection is not upstream.calls[1].connection


@pytest.mark.parametrize("kind", ["a folded line", "two lengths", "NUL in a value", "noise",
                                  "a bad chunk size", "space before the colon"])
def test_a_bad_answer_is_refused_however_it_is_split(gateway, upstream, kind):
    upstream.answer([Dribble(BAD[kind]), Close()])
    assert gateway.ask().status == 502


@pytest.mark.parametrize("answer", [
    raw(b"Content-Length:%d" % len(BODY)), raw(LENGTH, line=b"HTTP/1.1 200 "),
    raw(LENGTH, line=b"HTTP/1.1 200 \xc3\x89t\xc3\xa9"), raw(LENGTH, b"X-A: \xe9"),
    raw(CODED, body=SIZED + BODY + b"\r\n0\r\n\r\n"), raw(LENGTH, line=b"HTTP/1.1 200"),
    raw(b"TRANSFER-ENCODING: Chunked", body=b"00" + SIZED + BODY + b"\r\n0;x=y\r\nA: b\r\n\r\n"),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + raw(LENGTH),
], ids=["no space", "no reason", "odd reason", "odd value", "chunked", "no reason at all",
        "extensions and trailers", "interim"])
@pytest.mark.parametrize("size", [1, 3, 100_000])
def test_a_lawful_answer_is_read_however_it_is_split(gateway, upstream, answer, size):
    upstream.answer([Dribble(answer, size)])
    response = gateway.ask()
    assert response.status == 200 and response.body == BODY


@pytest.mark.parametrize("line", [b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK"])
def test_a_body_until_the_end_of_the_connection_is_read_whole(gateway, upstream, line):
    upstream.answer([raw(line=line, end=b"\r\nConnection: close\r\n\r\n"), Close()])
    response = gateway.ask()
    assert response.status == 200 and response.body == BODY
    assert response.header("content-length") == str(len(BODY))


def test_bytes_after_the_body_reach_nobody(gateway, weir, upstream):
    upstream.answer([raw(LENGTH) + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"],
                    answers.chat("the true one"))
    with weir.connect() as connection:
        for expected in (BODY, answers.chat_body("the true one")):
            connection.send(gateway.request())
            assert connection.response().body == expected
    assert upstream.calls[0].connection is not upstream.calls[1].connection


def test_an_answer_before_the_request_was_sent_reaches_nobody(gateway, weir, upstream):
    # After the first answer another one follows unasked, while the connection is idle.
    upstream.answer([*answers.chat(), Pause(0.05), *answers.chat("forged")])
    with weir.connect() as connection:
        connection.send(gateway.request())
        connection.response()
        assert upstream.calls[0].connection.peer_closed.wait(5)
        connection.send(gateway.request())
        assert connection.response().body == BODY


def zstd(data):
    return zstandard.ZstdCompressor().compress(data)


CODINGS = {"gzip": gzip.compress, "br": brotli.compress, "zstd": zstd}


@pytest.mark.parametrize("coding", CODINGS)
def test_an_answer_that_is_compressed_uninvited_is_inflated(gateway, upstream, coding):
    packed = CODINGS[coding](BODY)
    upstream.answer(answers.whole(packed, headers=[answers.CONTENT_JSON,
                                                   ("content-encoding", coding)]))
    response = gateway.ask()
    assert response.status == 200 and response.body == BODY
    assert response.header("content-encoding") is None


@pytest.mark.parametrize("coding", CODINGS)
def test_a_stream_that_is_compressed_uninvited_is_inflated(gateway, upstream, coding):
    body = b"".join(answers.events())
    packed = CODINGS[coding](body)
    upstream.answer(answers.chunked([packed[:9], packed[9:]], headers=[
        answers.CONTENT_EVENTS, ("content-encoding", coding)]))
    response = gateway.stream()
    assert response.body == body and response.complete


def test_a_compressed_error_passes_inflated(gateway, upstream):
    body = b'{"error":{"message":"m"}}'
    upstream.answer(answers.whole(gzip.compress(body), 400, [answers.CONTENT_JSON,
                                                             ("content-encoding", "gzip")]))
    response = gateway.ask()
    assert response.status == 400 and response.body == body


def test_a_bomb_is_bounded(gateway, weir, upstream):
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(512)) + packer.flush()
    before = weir.resident_bytes()
    upstream.answer(answers.whole(bomb, headers=[answers.CONTENT_JSON,
                                                 ("content-encoding", "gzip")]))
    response = gateway.ask()
    assert response.status == 502 or not response.complete or len(response.body) <= 512 << 20
    assert not weir.has_grown(before, 64 << 20)
