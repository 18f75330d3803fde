"""What real servers answered (tests/fixtures/upstream) goes through weir unchanged."""

import json
from pathlib import Path

import pytest

from support import wire
from support.upstream import Close, Dribble
from support.weir import wait_until

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "upstream"
ALL = sorted(str(path.relative_to(FIXTURES)) for path in FIXTURES.glob("*/*.txt"))
ODD = ["llama-cpp-python/chat-stream-interrupted.txt", "llama-cpp-python/error-context-stream.txt"]


def payload(data):
    """Status and body of a recorded answer."""
    head, _, rest = data.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    if b"transfer-encoding: chunked" not in head.lower():
        return status, rest
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        body += rest[:int(size, 16)]
        rest = rest[int(size, 16) + 2:]
    return status, body


@pytest.mark.parametrize("size", [1, 64, 1 << 20])
@pytest.mark.parametrize("name", [name for name in ALL
                                  if name not in ODD and "models" not in name])
def test_a_real_answer_passes_unchanged(gateway, upstream, name, size):
    data = (FIXTURES / name).read_bytes()
    status, body = payload(data)
    upstream.answer([Dribble(data, size), Close()])
    response = gateway.ask(stream="stream" in name, stream_options={"include_usage": True}
                           if "stream" in name else None)
    if status in (401, 403):
        assert response.status == 502 and b"rror" not in response.body.replace(b"error", b"")
        return
    assert response.status == status and response.complete
    assert response.body == body


@pytest.mark.parametrize("name", ["llama.cpp/chat-stream.txt", "llama.cpp/chat-n2-stream.txt"])
def test_the_usage_of_a_real_stream_is_withheld_and_counted(gateway, weir, upstream, name):
    data = (FIXTURES / name).read_bytes()
    upstream.answer([data, Close()])
    response = gateway.stream()
    _, body = payload(data)
    sent = [each for each in wire.events_of(body)
            if each == b"[DONE]" or json.loads(each)["choices"]]
    assert response.events == sent
    assert weir.access_line(response)["weir.usage.input_tokens"] > 0


def test_a_real_stream_without_any_event_is_an_error(gateway, upstream):
    upstream.answer([(FIXTURES / ODD[1]).read_bytes(), Close()])
    response = gateway.stream()
    assert b"[DONE]" not in response.body
    assert response.status == 502 or b'"error"' in response.body


def test_a_real_stream_that_was_cut_off_ends_in_time(gateway, upstream):
    upstream.answer([(FIXTURES / ODD[0]).read_bytes(), Close()])
    response = gateway.stream()
    assert response.status == 200 and b'"role": "assistant"' in response.body


def test_the_lists_of_real_servers_are_understood(make_gateway):
    for name in ("llama.cpp", "llama-cpp-python"):
        gateway = make_gateway({"models": [{"name": "smol*", "targets": ["main"]}]})
        gateway.upstream.models = [(FIXTURES / name / "models.txt").read_bytes(), Close()]
        gateway.weir.send_signal(1)
        wait_until(lambda: [each["id"] for each in gateway.weir.get(
            "/v1/models", gateway.key).json()["data"]] == ["smollm2-135m"], 15, "the list")
