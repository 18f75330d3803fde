"""Rate limits: requests, tokens and requests in flight, at each level."""

import re
import threading
import time
from collections import Counter

import pytest

from support import answers, wire
from support.parallel import Parallel
from support.upstream import Gate
from support.weir import wait_until

CONFIG = {"models": [{"name": "gpt-test", "targets": ["main"]},
                     {"name": "three", "targets": [{"provider": "main", "model": "gpt-test"}],
                      "limits": ["3req/day"]},
                     {"name": "other", "targets": ["second"]}],
          "providers": {"second": {"dialect": "openai", "base_url": "http://127.0.0.1:9/v1",
                                   "api_key": "sk-second", "limits": ["1req/day"]}}}


@pytest.fixture(scope="module")
def gateway(make_gateway):
    return make_gateway(CONFIG)


@pytest.fixture(autouse=True)
def answered(gateway):
    gateway.upstream.answer_always(answers.chat())


class Owner:
    count = 0

    def __init__(self, weir, level, *limits):
        Owner.count += 1
        self.name = f"{level}-{Owner.count}"
        options = {each: [] for each in ("team", "user", "key")}
        options[level] = limits
        weir.run("teams", "create", self.name, *options["team"])
        weir.run("users", "create", self.name, "--team", self.name, *options["user"])
        made = weir.run_json("keys", "create", "--user", self.name, *options["key"])
        self.key, self.id = made["key"], made["id"]


def counted(gateway, name, level):
    return gateway.weir.metrics()[(name, frozenset({("level", level)}))]


def duration_ms(text):
    """A duration as Go writes it."""
    units = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
    parts = re.findall(r"([\d.]+)(ms|s|m|h)", text)
    assert "".join(a + b for a, b in parts) == text, text
    return sum(float(number) * units[unit] for number, unit in parts)


@pytest.mark.parametrize("level", ["key", "user", "team"])
def test_a_limit_admits_its_burst_and_then_says_exactly_when(gateway, level):
    owner = Owner(gateway.weir, level, "--limit", "240req/min")
    started = time.monotonic()
    admitted = 0
    while (response := gateway.ask(key=owner.key)).status == 200:
        admitted += 1
    refilled = (time.monotonic() - started) * 240 / 60
    assert 240 <= admitted <= 240 + refilled
    error = response.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert f"for this {level}: 240 requests per minute" in error["message"]
    wait_ms = int(response.header("retry-after-ms"))
    assert 0 < wait_ms <= 250 and response.header("retry-after") == "1"
    time.sleep(wait_ms / 1000)
    assert gateway.ask(key=owner.key).status == 200


def test_explain_names_the_limit_that_refuses_now(gateway):
    owner = Owner(gateway.weir, "key", "--limit", "1req/min", "--limit", "100req/hour")
    gateway.weir.run("keys", "set", owner.id, "--limit", "1200req/min", "--name", "ci")
    while gateway.ask(key=owner.key).status == 200:
        pass
    explained = gateway.weir.run_json("explain", "--key", owner.id, "--model", "gpt-test", code=1)
    assert explained["code"] == "rate_limit_exceeded"
    assert {each["limit"] for each in explained["limits"]} == {"1200req/min", "100req/hour"}
    refused_by = explained["refused_by"]
    assert 0 < refused_by.pop("retry_after_ms") <= 36_000
    assert refused_by == {"level": "key", "name": "ci", "limit": "100req/hour"}
    said = gateway.weir.run("explain", "--key", owner.id, "--model", "gpt-test", code=1).stdout
    assert re.search(r"^limit +key ci: 100req/hour, again in \d+ ms$", said, re.MULTILINE), said
    assert f"ci ({owner.id})" in said


def test_explain_asks_for_networks_where_an_address_is_given(gateway):
    owner = Owner(gateway.weir, "team", "--networks", "10.0.0.0/8")
    question = ("explain", "--key", owner.id, "--model", "gpt-test")
    said = gateway.weir.run(*question).stdout
    assert "--address" in said and "would be admitted" in said
    assert "note" not in gateway.weir.run(*question, "--address", "10.9.8.7").stdout
    refused = gateway.weir.run_json(*question, "--address", "192.168.0.1", code=1)
    assert (refused["status"], refused["network"]) == (403, "refused")


def test_headers_tell_of_the_level_nearest_its_limit(gateway):
    owner = Owner(gateway.weir, "user", "--limit", "100req/min", "--limit", "50000tok/min")
    response = gateway.ask(key=owner.key, max_tokens=1000)
    assert response.header("x-ratelimit-limit-requests") == "100"
    assert response.header("x-ratelimit-remaining-requests") == "99"
    assert 0 < duration_ms(response.header("x-ratelimit-reset-requests")) <= 600
    assert response.header("x-ratelimit-limit-tokens") == "50000"
    assert 48_000 < int(response.header("x-ratelimit-remaining-tokens")) < 50_000
    assert 0 < duration_ms(response.header("x-ratelimit-reset-tokens")) <= 1400
    gateway.upstream.answer_always(answers.stream())
    streamed = gateway.ask(key=owner.key, stream=True)
    assert streamed.header("x-ratelimit-limit-requests") == "100"
    unlimited = gateway.ask()
    assert unlimited.header("x-ratelimit-limit-requests") is None


def test_tokens_are_taken_as_expected_and_corrected_when_it_settles(gateway):
    owner = Owner(gateway.weir, "key", "--limit", "10000tok/day")
    used = {"prompt_tokens": 40, "completion_tokens": 60, "total_tokens": 100}
    gateway.upstream.answer_always(answers.chat(usage=used))
    for _ in range(40):  # 40 × 1,024 expected would not fit, 40 × 100 used do
        assert gateway.ask(key=owner.key).status == 200
    assert gateway.ask(key=owner.key, max_tokens=7000).status == 429
    explained = gateway.weir.run_json("explain", "--key", owner.id, "--model", "gpt-test")
    [limit] = explained["limits"]
    assert 4000 <= limit["used"] <= 4010


def test_tokens_of_all_choices_are_taken(gateway):
    owner = Owner(gateway.weir, "key", "--limit", "1000tok/day")
    assert gateway.ask(key=owner.key, max_tokens=200, n=4).status == 200
    refused = gateway.ask(key=owner.key, max_tokens=300, n=4)
    assert (refused.status, refused.json()["error"]["code"]) == (400, "request_exceeds_limit")


def test_what_exceeds_a_whole_limit_is_a_mistake_only_if_it_truly_does(gateway):
    owner = Owner(gateway.weir, "key", "--limit", "1200tok/day")
    text = "hello again " * 500  # 1,500 tokens by its bytes, 1,000 when counted
    body = {"model": "gpt-test", "max_tokens": 10, "messages": [{"role": "user", "content": text}]}
    assert gateway.ask(body, key=owner.key).status == 200
    body["messages"][0]["content"] = "all sorts of words " * 2000
    refused = gateway.ask(body, key=owner.key)
    assert (refused.status, refused.json()["error"]["code"]) == (400, "request_exceeds_limit")


@pytest.mark.parametrize("level", ["key", "user", "team"])
def test_no_more_are_in_flight_than_may_be(gateway, level):
    owner = Owner(gateway.weir, level, "--max-parallel", "3")
    gate = threading.Event()
    gateway.upstream.answer_always([Gate(gate), *answers.chat()])
    body = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]}
    data = wire.request("POST", "/v1/chat/completions", body, owner.key)
    with Parallel(gateway.weir.port, [data] * 20) as parallel:
        assert Counter(parallel.wait(17)) == {429: 17}
        gateway.upstream.wait_for_calls(3)
        gate.set()
        assert Counter(parallel.wait(20)) == {429: 17, 200: 3}
    assert gateway.ask(key=owner.key).status == 200


def test_a_client_that_leaves_gives_its_place_free(gateway):
    owner = Owner(gateway.weir, "key", "--max-parallel", "1")
    gate = threading.Event()
    gateway.upstream.answer_always([Gate(gate), *answers.chat()])
    with gateway.weir.connect() as connection:
        body = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]}
        connection.send(wire.request("POST", "/v1/chat/completions", body, owner.key))
        gateway.upstream.wait_for_calls(1)
        assert gateway.ask(key=owner.key).status == 429
    gate.set()
    wait_until(lambda: gateway.ask(key=owner.key).status == 200, 3, "a free place")


def test_a_rule_of_the_configuration_has_limits_for_everybody(gateway):
    statuses = [gateway.ask(model="three").status for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert gateway.ask(model="gpt-test").status == 200


def test_a_provider_has_limits(gateway):
    assert gateway.ask(model="other").status == 502
    refused = gateway.ask(model="other")
    assert refused.status == 429 and "for this provider" in refused.json()["error"]["message"]


def test_the_whole_gateway_has_limits(make_gateway):
    gateway = make_gateway({"limits": ["2req/day"]})
    gateway.upstream.answer_always(answers.chat())
    statuses = [gateway.ask().status for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_refusals_are_counted_by_reason_and_have_no_row(gateway):
    owner = Owner(gateway.weir, "key", "--limit", "1req/day")
    before = counted(gateway, "weir_requests_limited_total", "key")
    assert [gateway.ask(key=owner.key).status for _ in range(4)] == [200, 429, 429, 429]
    assert counted(gateway, "weir_requests_limited_total", "key") == before + 3
    wait_until(lambda: any(each["name"] == owner.name and each["refused"] == 3
                           for each in gateway.weir.run_json("usage", "--by", "user")), 5,
               "the refusals in the report")


def test_the_short_form_has_its_own_words(gateway):
    owner = Owner(gateway.weir, "key", "--limit", "1req/day")
    body = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]}
    assert gateway.ask(body, path="/v1/chat", key=owner.key).status == 200
    refused = gateway.ask(body, path="/v1/chat", key=owner.key)
    assert (refused.status, refused.json()) == (429, {"detail": "Rate limit exceeded"})


def test_a_limit_that_changes_goes_on_counting(gateway):
    owner = Owner(gateway.weir, "key", "--limit", "5req/day")
    assert [gateway.ask(key=owner.key).status for _ in range(5)] == [200] * 5
    gateway.weir.run("keys", "set", owner.id, "--limit", "7req/day")
    wait_until(lambda: gateway.weir.run_json("keys", "show", owner.id)["limits"] == ["7req/day"])
    statuses = [gateway.ask(key=owner.key).status for _ in range(8)]
    assert 0 < statuses.count(200) <= 2
    gateway.weir.run("keys", "set", owner.id, "--limit", "none")
    assert gateway.ask(key=owner.key).status == 200
