"""Streams under a budget: however they are cut, they are ended when what is held runs out."""

import json

import pytest

from support import answers, wire
from support.admin_socket import call
from support.weir import wait_until

# A token of output costs 1,000 nano-dollars, one of input nothing.
CONFIG = {"models": [{"name": "gpt-test", "targets": ["main"]}],
          "prices": [{"provider": "main", "model": "gpt-test", "input": "0usd", "output": "1usd"}]}
WORTH = 500  # tokens
MADE = 40_000  # what the provider would make
READ = 512  # bytes that are looked at at once, at least
LINE_ENDS = {"LF": b"\n", "CRLF": b"\r\n", "CR": b"\r"}
MEMBERS = {
    "content": lambda text: {"content": text},
    "reasoning": lambda text: {"reasoning_content": text},
    "a tool's arguments": lambda text: {
        "tool_calls": [{"index": 0, "function": {"arguments": text}}]},
}


@pytest.fixture(scope="module")
def gateway(make_gateway):
    made = make_gateway(CONFIG)
    wait_until(lambda: made.ask(path="/v1/chat/completions/count", body=ASKED).status == 200, 10,
               "the encodings")
    return made


ASKED = {"model": "gpt-test", "max_tokens": 20, "stream": True,
         "messages": [{"role": "user", "content": "Hi"}]}


class Owner:
    """Of a key whose budget is worth so many tokens."""

    def __init__(self, weir, tokens=WORTH):
        self.weir = weir
        Owner.count = getattr(Owner, "count", 0) + 1
        name = f"owner-{Owner.count}"
        budget = f"{tokens / 1e6:.6f}usd/total"
        for path, members in (("/users", {"name": name}),
                              ("/keys", {"user": name, "budgets": [budget]})):
            made = call(weir, "POST", path, members)
            assert made.status == 201, made.text
        self.key, self.id = made.body["key"], made.body["id"]

    def spent(self):
        """Tokens, once nothing is held."""
        def settled():
            answer = call(self.weir, "POST", "/explain", {"key": self.id, "model": "gpt-test"})
            [budget] = answer.body["budgets"]
            return budget if budget["held_nanousd"] == 0 else None
        return wait_until(settled, 5, "the end of the hold")["spent_nanousd"] / 1000


def events(deltas, line_end=b"\n"):
    payloads = [answers.compact({"id": "chatcmpl-3", "object": "chat.completion.chunk", "choices": [
        {"index": 0, "delta": delta, "finish_reason": None}]}) for delta in deltas]
    return [answers.event(each, line_end) for each in payloads]


def stream_of(gateway, owner, pieces):
    """The body that the client got. All lies at the provider's door before the first byte is read."""
    gateway.upstream.answer_always([b"".join(answers.stream(pieces))])
    with gateway.weir.connect() as connection:
        connection.send(wire.request("POST", "/v1/chat/completions", ASKED, owner.key))
        response = connection.response()
    assert not response.complete and b"insufficient_quota" in response.body
    return response.body


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("line_end", LINE_ENDS)
@pytest.mark.parametrize("words", [1, 20, 100, 1000])
def test_a_stream_is_ended_an_event_after_its_budget(gateway, words, line_end, member):
    owner = Owner(gateway.weir)
    deltas = [MEMBERS[member](" word" * words)] * (MADE // words)
    body = stream_of(gateway, owner, events(deltas, LINE_ENDS[line_end]))
    delivered = body.count(b" word")
    assert WORTH * 0.75 < delivered <= WORTH + words + READ / 5
    assert 0.9 * delivered <= owner.spent() <= 1.3 * delivered


@pytest.mark.parametrize("order", [(1, 400), (400, 1)])
def test_a_stream_whose_events_grow_is_ended_as_well(gateway, order):
    owner = Owner(gateway.weir, 4000)
    deltas = [{"content": " word" * words} for words in order for _ in range(2000)]
    delivered = stream_of(gateway, owner, events(deltas)).count(b" word")
    assert 3000 < delivered <= 4000 + 400 + READ / 5
    assert 0.9 * delivered <= owner.spent() <= 1.3 * delivered


def test_words_of_other_scripts_are_counted_too(gateway):
    owner = Owner(gateway.weir)
    body = stream_of(gateway, owner, events([{"content": "\u4e16\u754c\u548c\u5e73" * 25}] * 400))
    characters = body.decode(errors="ignore").count("\u4e16") * 4
    assert owner.spent() <= WORTH + 200 and characters < 4 * WORTH


def test_sound_is_reckoned_by_its_length(gateway):
    """Of 3,200 bytes of base64 for a token of 50 ms a third is taken."""
    owner = Owner(gateway.weir)
    body = stream_of(gateway, owner, events([{"audio": {"id": "a", "data": "AAAA" * 3000}}] * 400))
    delivered = body.count(b"AAAA") * 4 / 3200
    assert WORTH / 4 < delivered < WORTH and owner.spent() <= WORTH + 50


def test_what_is_no_json_is_text(gateway):
    owner = Owner(gateway.weir)
    body = stream_of(gateway, owner, [answers.event(b"word " * 200)] * 400)
    assert body.count(b"word ") < 2 * WORTH and owner.spent() <= WORTH + 400


def test_an_answer_within_its_maximum_is_never_ended(gateway):
    """Large events, small texts, and a budget that has not a token more."""
    for padding in (0, 300, 3000):
        owner = Owner(gateway.weir)
        usage = {"prompt_tokens": 5, "completion_tokens": WORTH, "total_tokens": WORTH + 5}
        pieces = [answers.event(answers.delta(" word", padding="x" * padding))] * WORTH
        pieces += answers.events([], usage=usage)
        gateway.upstream.answer_always([b"".join(answers.stream(pieces))])
        response = gateway.ask(ASKED | {"max_tokens": WORTH}, key=owner.key)
        assert response.complete and response.body.count(b" word") == WORTH, padding
        assert owner.spent() == WORTH


def test_a_long_request_is_extended_at_the_price_of_its_class(make_gateway):
    """Its body is dropped while the stream runs, and with it what it said."""
    gateway = make_gateway({"models": [{"name": "gpt-5", "targets": ["main"]}],
                            "providers": {"main": {"catalogue": "openai"}}})
    user = call(gateway.weir, "POST", "/users", {"name": "long"}).body["id"]
    made = call(gateway.weir, "POST", "/keys", {"user": user, "budgets": ["1usd/total"]}).body
    body = ASKED | {"model": "gpt-5", "service_tier": "priority",
                    "messages": [{"role": "user", "content": "word " * 40_000}]}
    pieces = events([{"content": " word" * 50}] * 40) + answers.events([])
    gateway.upstream.answer_always(answers.stream(pieces))
    response = gateway.ask(json.dumps(body).encode(), key=made["key"])
    assert response.body.count(b" word") == 2000
    answer = call(gateway.weir, "POST", "/explain", {"key": made["id"], "model": "gpt-5"})
    [budget] = answer.body["budgets"]
    # Of 200,000 bytes of input nothing is counted; both cost twice what they do in the usual class.
    assert budget["held_nanousd"] == 0
    assert budget["spent_nanousd"] >= 200_000 * 2_500 + 2000 * 20_000
