"""Streams are relayed event by event, byte for byte, whatever the fragmentation."""

import json
import random
import threading

import pytest

from support import answers, wire
from support.upstream import Close, Dribble, Gate

PLAIN = answers.events(["Hel", "lo é\u2028\U0001f600", " there"])


def events_answer(body, pieces=None):
    return answers.chunked(pieces or [body], headers=[answers.CONTENT_EVENTS])


def ask_usage(gateway, **members):
    return gateway.stream(stream_options={"include_usage": True}, **members)


@pytest.mark.parametrize("eol", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_a_stream_arrives_as_it_was_sent_whatever_its_chunks(gateway, upstream, eol, size):
    body = b"".join(answers.events(["é\U0001f600", "b"], usage=answers.USAGE, eol=eol))
    upstream.answer(events_answer(body, [body[at:at + size] for at in range(0, len(body), size)]))
    response = ask_usage(gateway)
    assert response.complete and response.body == body


@pytest.mark.parametrize("eol", [b"\n", b"\r", b"\r\n"])
def test_a_stream_arrives_as_it_was_sent_one_byte_of_the_wire_at_a_time(gateway, upstream, eol):
    body = b"".join(answers.events(["é", "b"], usage=answers.USAGE, eol=eol))
    upstream.answer([Dribble(b"".join(events_answer(body)), 1)])
    assert ask_usage(gateway).body == body


@pytest.mark.parametrize("seed", range(5))
def test_random_fragments_and_chunks_change_nothing(gateway, upstream, seed):
    rng = random.Random(seed)
    for _ in range(10):
        eol = rng.choice([b"\n", b"\r", b"\r\n"])
        words = ["".join(rng.choice("aé\U0001f600 ") for _ in range(rng.randrange(30)))
                 for _ in range(rng.randrange(1, 20))]
        body = b"".join(answers.events(words, usage=answers.USAGE, eol=eol))
        cuts = sorted(rng.randrange(len(body)) for _ in range(rng.randrange(20)))
        pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)]) if a < b]
        wires = b"".join(events_answer(body, pieces))
        upstream.answer([Dribble(wires, rng.randrange(1, 200))])
        assert ask_usage(gateway).body == body


@pytest.mark.parametrize("extra", [
    b": a comment\n\n", b"id: 7\nevent: message\n", b"retry: 10\n\n", b"\n\n\n", b"data\n\n",
    b"unknown: field\n\n", b"event: ping\ndata: {}\n\n", b"data: [] \n\n", b"data: no json\n\n",
    b"\xef\xbb\xbf",
])
def test_what_else_an_event_stream_may_hold_passes(gateway, upstream, extra):
    body = extra + b"".join(PLAIN)
    upstream.answer(events_answer(body))
    assert gateway.stream().body == body


def test_an_event_of_several_lines_passes(gateway, upstream):
    body = b'data: {"choices":[{"index":0,\ndata: "delta":{"content":"x"}}]}\n\n' + b"".join(PLAIN)
    upstream.answer(events_answer(body))
    assert gateway.stream().body == body


def test_a_large_event_passes(gateway, upstream):
    body = b"".join(answers.events(["x" * 300_000, "y"]))
    upstream.answer(events_answer(body, [body[at:at + 5000] for at in range(0, len(body), 5000)]))
    assert gateway.stream().body == body


def test_a_stream_until_the_end_of_the_connection_is_whole(gateway, upstream):
    upstream.answer([answers.head(200, [answers.CONTENT_EVENTS, ("connection", "close")]),
                     b"".join(PLAIN), Close()])
    response = gateway.stream()
    assert response.complete and response.body == b"".join(PLAIN)


def test_a_stream_with_a_length_is_whole(gateway, upstream):
    upstream.answer(answers.whole(b"".join(PLAIN), headers=[answers.CONTENT_EVENTS]))
    assert gateway.stream().body == b"".join(PLAIN)


def test_each_event_comes_as_soon_as_it_was_sent(gateway, upstream):
    gates = [threading.Event() for _ in PLAIN]
    head, *chunks = events_answer(b"", PLAIN)

    def paced():
        yield head
        for gate, chunk in zip(gates, chunks):
            yield Gate(gate)
            yield chunk
        yield chunks[-1]

    upstream.answer(paced())
    with gateway.weir.connect() as connection:
        connection.send(gateway.request(stream=True))
        gates[0].set()
        stream = wire.Stream(connection)
        for at, sent in enumerate(PLAIN):
            gates[at].set()
            assert answers.event(stream.next_event()) == sent
        assert stream.rest()


def test_the_answer_is_an_event_stream_that_nobody_holds_back(gateway, upstream):
    upstream.answer(answers.stream())
    response = gateway.stream()
    assert response.header("content-type").startswith("text/event-stream")
    assert response.header("transfer-encoding") == "chunked"
    assert response.header("content-length") is None


# Usage

def test_the_usage_chunk_is_withheld_from_who_did_not_ask(gateway, upstream):
    upstream.answer_always(answers.as_a_provider)
    for members in ({}, {"stream_options": None}, {"stream_options": {}},
                    {"stream_options": {"include_usage": False}}):
        assert gateway.stream(**members).body == b"".join(answers.events())


def test_the_usage_chunk_is_passed_to_who_asked(gateway, upstream):
    upstream.answer(answers.as_a_provider)
    assert ask_usage(gateway).body == b"".join(answers.events(usage=answers.USAGE))


@pytest.mark.parametrize("eol", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 5, 10_000])
def test_only_the_usage_chunk_is_withheld(gateway, upstream, eol, size):
    kept = answers.events(["a"], eol=eol)
    with_usage = b"".join(answers.events(["a"], usage=answers.USAGE, eol=eol))
    upstream.answer(events_answer(b"", [with_usage[at:at + size]
                                        for at in range(0, len(with_usage), size)]))
    assert gateway.stream().body == b"".join(kept)


PASSING = {
    "usage in every chunk": [answers.delta("a", usage=answers.USAGE),
                             answers.delta("b", usage=answers.USAGE),
                             answers.delta(finish="stop", usage=answers.USAGE)],
    "null usage in every chunk": [answers.delta("a", usage=None), answers.delta(finish="stop")],
    "a first chunk without choices": [answers.compact({"choices": [], "prompt_filter_results": []}),
                                      answers.delta("a"), answers.delta(finish="stop")],
    "no choices and null usage": [answers.compact({"choices": [], "usage": None}),
                                  answers.delta("a"), answers.delta(finish="stop")],
    "no choices member": [answers.compact({"usage": answers.USAGE}), answers.delta(finish="stop")],
    "two choices": [answers.delta("b", index=1), answers.delta("a"),
                    answers.delta(finish="stop", index=1), answers.delta(finish="stop")],
}


@pytest.mark.parametrize("kind", PASSING)
def test_any_other_event_passes_as_it_is(gateway, upstream, kind):
    body = b"".join(answers.event(each) for each in PASSING[kind]) + answers.DONE
    upstream.answer(events_answer(body))
    assert gateway.stream().body == body


def test_the_last_usage_seen_counts(gateway, weir, upstream):
    last = {"prompt_tokens": 11, "completion_tokens": 13, "total_tokens": 24}
    body = b"".join(map(answers.event, [
        answers.delta("a", usage=answers.USAGE), answers.delta(finish="stop", usage=last)]))
    upstream.answer(events_answer(body + answers.DONE))
    line = weir.access_line(gateway.stream())
    assert (line["weir.usage.input_tokens"], line["weir.usage.output_tokens"]) == (11, 13)


def test_tool_calls_in_a_stream_pass(gateway, upstream):
    body = b"".join(answers.tool_call_events())
    upstream.answer(events_answer(body))
    assert gateway.stream().body == body


@pytest.mark.parametrize("path,body", [
    ("/v1/completions", {"model": "gpt-test", "prompt": "x", "stream": True})])
def test_completions_stream_alike(gateway, upstream, path, body):
    sent = answers.event(b'{"choices":[{"text":"a","index":0,"finish_reason":"stop"}]}')
    upstream.answer(events_answer(sent + answers.event(answers.usage_chunk()) + answers.DONE))
    assert gateway.ask(body, path=path).body == sent + answers.DONE
    assert json.loads(upstream.call.body)["stream_options"] == {"include_usage": True}


def test_an_old_client_gets_the_stream_until_the_end_of_the_connection(gateway, weir, upstream):
    upstream.answer(answers.stream(PLAIN))
    body = {"model": "gpt-test", "messages": [], "stream": True}
    with weir.connect() as connection:
        connection.send(wire.request(body=body, key=gateway.key, version="1.0"))
        response = connection.response()
        assert response.header("transfer-encoding") is None
        assert response.body == b"".join(PLAIN)
        assert connection.closed()


def test_an_answer_that_is_no_stream_passes_though_one_was_asked_for(gateway, upstream):
    upstream.answer(answers.chat())
    response = gateway.stream()
    assert response.body == answers.chat_body()
    assert response.header("content-type") == "application/json"


# Large answers

@pytest.mark.parametrize("megabytes", [9, 50])
def test_a_huge_answer_is_relayed_as_it_comes(gateway, weir, upstream, megabytes):
    body = answers.chat_body("x" * (megabytes << 20))
    upstream.answer(answers.chunked([body[at:at + 65536] for at in range(0, len(body), 65536)]))
    before = weir.resident_bytes()
    response = gateway.ask()
    assert response.status == 200 and response.complete and response.body == body
    assert not weir.has_grown(before, 32 << 20)
    line = weir.access_line(response)
    assert line["weir.usage.input_tokens"] == 5


def test_a_huge_answer_with_a_length_is_relayed(gateway, upstream):
    body = answers.chat_body("x" * (9 << 20))
    upstream.answer(answers.whole(body))
    assert gateway.ask().body == body
