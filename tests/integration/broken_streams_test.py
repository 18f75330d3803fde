"""A stream that did not end well upstream does not end well for the client."""

import json

import pytest

from support import answers, wire
from support.upstream import Close, Dribble, Pause, Reset

EVENTS = answers.events(["Hel", "lo"])
OPEN = EVENTS[:2]  # two deltas, no finish, no [DONE]
ERROR = answers.event(answers.compact({"error": {"message": "of the provider", "code": 7}}))


@pytest.fixture(scope="module")
def impatient(make_gateway):
    return make_gateway({"providers": {"main": {"timeouts": {
        "first_byte": "500ms", "event_gap": "500ms", "stream_total": "2s"}}}})


def is_error(event):
    return isinstance(event, dict) and isinstance(event.get("error"), dict)


def assert_broken(response, delivered=b""):
    """An error in place of the end. Before any event it may also be a plain 502 or 504."""
    assert b"[DONE]" not in response.body, response.body
    if response.status in (502, 504):
        assert not delivered and response.error["type"] == "upstream_error"
        return
    assert response.status == 200
    assert response.body.startswith(delivered), response.body
    last = json.loads(response.events[-1])
    assert is_error(last), response.events
    assert set(last["error"]) == {"message", "type", "param", "code"}
    assert last["error"]["type"] == "upstream_error"


def frames(events=OPEN, headers=(answers.CONTENT_EVENTS,)):
    return answers.chunked(events, headers=headers)[:-1]


BREAKS = {
    "the head": frames([]),
    "one event": frames(OPEN[:1]),
    "two events": frames(OPEN),
    "half an event": frames([OPEN[0], OPEN[1][:20]]),
    "an event but its last line end": frames([OPEN[0], OPEN[1][:-1]]),
    "half a chunk": [*frames(OPEN[:1]), answers.chunk(OPEN[1])[:20]],
    "half a chunk size": [*frames(OPEN), b"4"],
    "half a UTF-8 character": frames([OPEN[0], b'data: {"x":"\xc3']),
}


@pytest.mark.parametrize("end", [Close(), Reset()], ids=["FIN", "RST"])
@pytest.mark.parametrize("after", BREAKS)
@pytest.mark.parametrize("usage", [False, True])
def test_a_stream_that_breaks_off_ends_in_an_error(gateway, upstream, after, end, usage):
    upstream.answer([*BREAKS[after], Pause(0.02), end])
    response = gateway.stream(stream_options={"include_usage": usage})
    delivered = b"" if after == "the head" else OPEN[0] + (OPEN[1] if "two" in after else b"")
    if end == Close():
        assert_broken(response, delivered)
    else:  # a reset may overtake what was sent before it
        assert_broken(response)


@pytest.mark.parametrize("path", ["/v1/chat/stream", "/v1/completions"])
def test_other_streams_break_alike(gateway, upstream, path):
    upstream.answer([*BREAKS["two events"], Close()])
    assert_broken(gateway.stream(path=path, prompt="x"), b"".join(OPEN))


CLEAN_ENDS = {
    "no event": [], "events without a finish": OPEN, "half an event": [OPEN[0], OPEN[1][:20]],
    "comments only": [b": ping\n\n"], "usage only": [answers.event(answers.usage_chunk())],
}


@pytest.mark.parametrize("kind", CLEAN_ENDS)
def test_a_stream_without_finish_and_done_is_broken_though_its_framing_is_whole(
        gateway, upstream, kind):
    upstream.answer(answers.stream(CLEAN_ENDS[kind]))
    assert_broken(gateway.stream())


@pytest.mark.parametrize("kind", ["no event", "events without a finish"])
def test_a_stream_with_a_length_or_until_close_is_broken_alike(gateway, upstream, kind):
    body = b"".join(CLEAN_ENDS[kind])
    upstream.answer(answers.whole(body, headers=[answers.CONTENT_EVENTS]),
                    [answers.head(200, [answers.CONTENT_EVENTS]) + body, Close()])
    assert_broken(gateway.stream())
    assert_broken(gateway.stream())


def test_a_stream_that_finished_without_done_is_whole(gateway, upstream):
    upstream.answer(answers.stream(EVENTS[:-1]))
    response = gateway.stream()
    assert response.status == 200 and response.complete
    assert response.body.startswith(b"".join(EVENTS[:-1]))
    assert not any(is_error(json.loads(each)) for each in response.events if each != b"[DONE]")


def test_a_stream_that_is_done_without_a_finish_is_not_held_up(gateway, upstream):
    upstream.answer(answers.stream([*OPEN, answers.DONE]))
    response = gateway.stream()
    assert response.status == 200 and response.body.startswith(b"".join(OPEN))


def test_an_error_as_first_event_is_no_clean_end(gateway, upstream):
    upstream.answer(answers.stream([ERROR]))
    response = gateway.stream()
    assert b"[DONE]" not in response.body
    if response.status == 200:
        assert any(is_error(json.loads(each)) for each in response.events)
    else:
        assert response.status >= 400 and response.error


def test_an_error_in_the_middle_is_no_clean_end(gateway, upstream):
    upstream.answer(answers.stream([*OPEN, ERROR]))
    response = gateway.stream()
    assert response.body.startswith(b"".join(OPEN)) and b"[DONE]" not in response.body
    assert is_error(json.loads(response.events[-1]))


@pytest.mark.parametrize("pause_s", [0, 0.02])
def test_an_error_right_behind_the_first_events_is_seen_too(gateway, upstream, pause_s):
    body = b"".join([*OPEN, ERROR])
    upstream.answer([*frames([body]), Pause(pause_s), answers.LAST_CHUNK])
    response = gateway.stream()
    assert b"[DONE]" not in response.body
    assert is_error(json.loads(response.events[-1]) if response.status == 200 else response.json())


@pytest.mark.parametrize("tail", [b"zz\r\n", b"0x5\r\n", b"5\r\nhello0\r\n\r\n", b"5\nhello\r\n"])
def test_bad_framing_in_the_middle_breaks_the_stream(gateway, upstream, tail):
    upstream.answer([*frames(OPEN), Pause(0.05), tail])
    assert_broken(gateway.stream(), b"".join(OPEN))
    assert upstream.calls[0].connection.peer_closed.wait(2)


def test_a_gap_between_events_breaks_the_stream_in_time(impatient):
    impatient.upstream.answer([*frames(OPEN), Pause(30)])
    response = impatient.stream()
    assert_broken(response, b"".join(OPEN))
    assert 0.4 < response.elapsed_s < 2
    assert impatient.upstream.calls[0].connection.peer_closed.wait(2)


def test_a_byte_now_and_then_is_no_event(impatient):
    # Each gap between bytes is short; the gap between events is not.
    impatient.upstream.answer([*frames(OPEN), Dribble(answers.chunk(b": " + b"x" * 200), 1, 0.05),
                               Pause(30)])
    response = impatient.stream()
    assert_broken(response, b"".join(OPEN))
    assert response.elapsed_s < 4


def test_events_that_go_on_are_no_gap(impatient):
    def paced():
        yield from frames([])
        for event in answers.events("abcdef"):
            yield Pause(0.15)
            yield answers.chunk(event)
        yield answers.LAST_CHUNK

    impatient.upstream.answer(paced())
    response = impatient.stream()
    assert response.complete and response.events[-1] == b"[DONE]"


def test_a_stream_that_goes_on_too_long_is_ended(impatient):
    def endless(_):
        yield from frames([])
        while True:
            yield answers.chunk(answers.event(answers.delta("x")))
            yield Pause(0.05)

    impatient.upstream.answer(endless)
    response = impatient.stream()
    assert_broken(response, answers.event(answers.delta("x")))
    assert 1.5 < response.elapsed_s < 5
    assert impatient.upstream.calls[0].connection.peer_closed.wait(2)


def test_a_broken_stream_is_counted_and_logged_as_one(gateway, weir, upstream):
    upstream.answer([*frames(OPEN), Close()])
    line = weir.access_line(gateway.stream())
    assert line["http.response.status_code"] == 200
    assert line["weir.outcome"] not in ("completed", "client_gone")
    assert line["event.outcome"] == "failure" and line["weir.stream"] is True


def test_a_client_of_http_1_0_sees_the_error_too(gateway, weir, upstream):
    upstream.answer([*frames(OPEN), Close()])
    body = {"model": "gpt-test", "messages": [], "stream": True}
    response = weir.send(wire.request(body=body, key=gateway.key, version="1.0"))
    assert_broken(response, b"".join(OPEN))
