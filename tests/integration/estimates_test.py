"""Tokens that a provider does not tell, and prices that nobody states: counted, reckoned and marked."""

import json
import sqlite3

import pytest

from support import answers
from support.upstream import Upstream
from support.weir import wait_until

WORDS = ["Hello", " wor", "ld, this", " is \u00e9", "\n\n", "a test", " of", " to", "kens."]
TEXT = "".join(WORDS)
MESSAGES = [{"role": "user", "content": "How many tokens are in this? " * 20}]


def gateway_with(make_gateway, mode):
    gateway = make_gateway({
        "providers": {"main": {"stream_usage": mode}},
        "models": [{"name": "m", "targets": [{"provider": "main", "model": "gpt-4o"}]}],
        "prices": [{"provider": "main", "model": "gpt-4o", "input": "1usd", "output": "2usd"}]})
    wait_until(lambda: counted(gateway, MESSAGES), 10, "the encodings")
    return gateway


@pytest.fixture(scope="module")
def silent(make_gateway):
    """Its provider is never asked for a stream's usage."""
    return gateway_with(make_gateway, "never")


def counted(gateway, messages):
    response = gateway.ask(path="/v1/chat/completions/count", model="m", messages=messages)
    return response.status == 200 and json.loads(response.body)["input_tokens"]


def text_tokens(gateway, tmp_path, text=TEXT):
    file = tmp_path / "text"
    file.write_text(text)
    return gateway.weir.run_json("models", "count", str(file), "--model", "gpt-4o")["input_tokens"]


def row(gateway, response):
    wanted = bytes.fromhex(response.header("x-request-id").replace("-", ""))

    def find():
        with sqlite3.connect(f"file:{gateway.weir.data_dir}/weir.db?mode=ro", uri=True) as store:
            store.row_factory = sqlite3.Row
            return store.execute("SELECT * FROM usage_logs WHERE id = ?", (wanted,)).fetchone()
    return wait_until(find, 10, "the row")


def figures(found):
    return found["input_tokens"], found["output_tokens"], bool(found["estimated"])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/chat/stream"])
def test_a_stream_that_never_tells_is_counted_exactly(silent, tmp_path, path):
    silent.upstream.answer_always(answers.stream(answers.events(WORDS)))
    response = silent.stream(path=path, model="m", messages=MESSAGES)
    assert response.status == 200
    expected = (counted(silent, MESSAGES), text_tokens(silent, tmp_path), True)
    assert figures(row(silent, response)) == expected


def test_a_long_stream_of_one_word_is_counted_nearly(silent, tmp_path):
    pieces = ["abcdefghij" * 50] * 400
    silent.upstream.answer_always(answers.stream(answers.events(pieces)))
    response = silent.stream(model="m", messages=MESSAGES)
    tokens = row(silent, response)["output_tokens"]
    assert abs(tokens - text_tokens(silent, tmp_path, "".join(pieces))) <= 200_000 // 16_384 * 2


def test_usage_that_comes_unasked_is_the_providers(silent):
    silent.upstream.answer_always(answers.stream(answers.events(WORDS, usage=answers.USAGE)))
    response = silent.stream(model="m", messages=MESSAGES)
    assert figures(row(silent, response)) == (5, 2, False)


def test_a_broken_stream_is_counted_as_far_as_it_came(silent, tmp_path):
    silent.upstream.answer_always(answers.chunked(
        answers.events(WORDS[:4], finish=False, done=False), headers=[answers.CONTENT_EVENTS])[:-1]
        + [answers.LAST_CHUNK])
    with silent.open_stream(model="m", messages=MESSAGES) as stream:
        assert not stream.rest()
    found = row(silent, stream.response)
    assert found["outcome"] == "upstream_broken"
    assert figures(found) == (counted(silent, MESSAGES),
                              text_tokens(silent, tmp_path, "".join(WORDS[:4])), True)


def test_a_provider_that_refused_to_tell_is_counted_from_then_on(make_gateway, tmp_path):
    gateway = gateway_with(make_gateway, "auto")

    def refuses(request):
        if "stream_options" in json.loads(request.body):
            return answers.error(400, "no stream_options here")
        return answers.stream(answers.events(WORDS))
    gateway.upstream.answer_always(refuses)
    expected = (counted(gateway, MESSAGES), text_tokens(gateway, tmp_path), True)
    for _ in range(2):
        response = gateway.stream(model="m", messages=MESSAGES)
        assert response.status == 200
        assert figures(row(gateway, response)) == expected


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/chat"])
@pytest.mark.parametrize("repeats", [1, 2000])
def test_a_whole_answer_without_usage_is_counted(silent, tmp_path, path, repeats):
    text = TEXT * repeats
    body = answers.chat_body(text, usage=None)
    silent.upstream.answer_always(answers.whole(body))
    response = silent.ask(path=path, model="m", messages=MESSAGES)
    assert response.status == 200 and text == content(response)
    if path.endswith("completions"):
        assert response.body == body
    expected = (counted(silent, MESSAGES), text_tokens(silent, tmp_path, text), True)
    assert figures(row(silent, response)) == expected


def content(response):
    body = json.loads(response.body)
    return body["content"] if "content" in body else body["choices"][0]["message"]["content"]


# Prices

def test_cached_tokens_without_a_price_cost_what_others_do_and_are_marked(silent):
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110,
             "prompt_tokens_details": {"cached_tokens": 60}}
    silent.upstream.answer_always(answers.chat(usage=usage))
    found = row(silent, silent.ask(model="m", messages=MESSAGES))
    assert (found["cached_tokens"], found["cost_nanousd"], found["estimated"]) == (60, 120_000, 1)


def test_a_service_class_has_its_own_price_or_none(make_gateway):
    gateway = make_gateway({
        "models": [{"name": "m", "targets": ["main"]}],
        "prices": [{"provider": "main", "model": "m", "input": "1usd", "output": "2usd"}]})
    for tier, cost in [("default", 9_000), ("standard", 9_000), ("nobody-knows", 9_000),
                       ("priority", None)]:
        gateway.upstream.answer_always(answers.chat(service_tier=tier))
        found = row(gateway, gateway.ask(model="m", messages=MESSAGES))
        assert (found["cost_nanousd"], found["estimated"]) == (cost, 0), tier
        events = [answers.event(answers.delta("a", finish="stop")), answers.event(answers.compact(
            {"id": "x", "choices": [], "usage": answers.USAGE, "service_tier": tier})), answers.DONE]
        gateway.upstream.answer_always(answers.stream(events))
        found = row(gateway, gateway.stream(model="m", messages=MESSAGES))
        assert (found["cost_nanousd"], found["estimated"]) == (cost, 0), tier


def test_a_row_of_a_service_class_is_priced_anew_as_it_was(make_gateway):
    upstream = Upstream()
    gateway = make_gateway({
        "providers": {"openai": {"dialect": "openai", "base_url": upstream.base_url,
                                 "api_key": "secret"}},
        "models": [{"name": "m", "targets": [{"provider": "openai", "model": "gpt-5-mini"}]}],
    }, upstream=upstream)
    upstream.answer_always(answers.chat(service_tier="flex"))
    found = row(gateway, gateway.ask(model="m", messages=MESSAGES))
    assert found["cost_nanousd"] == 5 * 125 + 2 * 1000
    assert found["price_id"] == "catalogue/openai/gpt-5-mini@2025-08-13+flex"
    rated = gateway.weir.run_json("prices", "rerate", "--since", "1h")
    assert (rated["rows"], rated["changed"]) == (1, 0), rated
