"""Budgets: held before, settled after, never overspent."""

import json
import threading
import time
from collections import Counter

import pytest

from support import answers, wire
from support.ledger import row_for
from support.parallel import Parallel
from support.upstream import Gate, Pause
from support.weir import log_field, wait_until

# A token of output costs 1,000 nano-dollars, one of input nothing: a request for 100 holds 0.0001.
CONFIG = {"prices": [{"provider": "main", "model": "gpt-test", "input": "0usd", "output": "1usd"},
                     {"provider": "main", "model": "gpt-3.5-turbo", "input": "1usd",
                      "output": "1usd"},
                     {"provider": "main", "model": "spoken", "input": "1usd", "output": "1usd",
                      "audio_input": "100usd", "audio_output": "100usd"}],
          "models": [{"name": "gpt-test", "targets": ["main"]},
                     {"name": "gpt-3.5-turbo", "targets": ["main"], "max_output": 1000,
                      "window": 16000},
                     {"name": "spoken", "targets": ["main"], "max_output": 1000, "window": 16000},
                     {"name": "wild-*", "targets": ["main"]},
                     {"name": "capped", "targets": [{"provider": "main", "model": "gpt-test"}],
                      "limits": ["0.001usd/total"]}],
          "budgets": {"alerts": [50, 100]}}
TEN = "0.001usd/total"
PARALLEL = 200


def wait_for_encodings(gateway, model="gpt-3.5-turbo"):
    wait_until(lambda: gateway.ask(path="/v1/chat/completions/count", model=model).status == 200,
               10, "loaded encodings")


@pytest.fixture(scope="module")
def gateway(make_gateway):
    return make_gateway(CONFIG)


class Owner:
    """A team, a user in it and the user's key, with a budget at one of them."""

    count = 0

    def __init__(self, weir, level, budget=TEN, *more):
        Owner.count += 1
        self.name = f"{level}-{Owner.count}"
        options = {each: [] for each in ("team", "user", "key")}
        options[level] = ["--budget", budget, *more]
        weir.run("teams", "create", self.name, *options["team"])
        weir.run("users", "create", self.name, "--team", self.name, *options["user"])
        made = weir.run_json("keys", "create", "--user", self.name, *options["key"])
        self.key, self.id = made["key"], made["id"]


def counted(gateway, name, level):
    return gateway.weir.metrics()[(name, frozenset({("level", level)}))]


def request(gateway, key, **members):
    body = {"model": "gpt-test", "max_tokens": 100,
            "messages": [{"role": "user", "content": "Hi"}]} | members
    return wire.request("POST", "/v1/chat/completions", body, key)


def usage(prompt, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion}


def gated(gate, stream, output=100):
    if stream:
        pieces = answers.stream(answers.events(["a"], usage=usage(5, output)))
        return [pieces[0], Gate(gate), *pieces[1:]]
    return [Gate(gate), *answers.chat(usage=usage(5, output))]


def budgets(weir, owner, model="gpt-test"):
    explained = weir.run_json("explain", "--key", owner.id, "--model", model, code=None)
    return explained["budgets"]


def spent_and_held(weir, owner, model="gpt-test"):
    [budget] = budgets(weir, owner, model)
    return budget["spent_nanousd"], budget["held_nanousd"]


def admit_in_parallel(gateway, owner, stream, expected):
    """Sends all at once; returns what the refused ones were told."""
    gate = threading.Event()
    gateway.upstream.reset()
    gateway.upstream.answer_always(gated(gate, stream))
    with Parallel(gateway.weir.port, [request(gateway, owner.key, stream=stream)
                                      for _ in range(PARALLEL)]) as parallel:
        statuses = parallel.wait(PARALLEL - expected)
        gateway.upstream.wait_for_calls(expected)
        statuses = parallel.read_for(0.05)
        assert Counter(statuses) == {429: PARALLEL - expected}
        assert len(gateway.upstream.calls) == expected
        gate.set()
        statuses = parallel.wait(PARALLEL)
    assert Counter(statuses) == {429: PARALLEL - expected, 200: expected}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("level", ["key", "user", "team"])
def test_of_200_requests_at_once_a_budget_worth_10_admits_10(gateway, level, stream):
    for _ in range(3):
        owner = Owner(gateway.weir, level)
        admit_in_parallel(gateway, owner, stream, 10)
        wait_until(lambda: spent_and_held(gateway.weir, owner) == (1_000_000, 0), 5,
                   "everything settled")
        assert gateway.ask(key=owner.key, max_tokens=1).status == 429


def test_what_was_not_used_is_given_back(gateway):
    owner = Owner(gateway.weir, "key")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 40)))
    for number in range(23):  # 22 × 0.00004 leave 0.00012, room for one more hold of 0.0001
        assert gateway.ask(key=owner.key, max_tokens=100).status == 200, number
    assert gateway.ask(key=owner.key, max_tokens=100).status == 429
    assert gateway.ask(key=owner.key, max_tokens=80).status == 200
    assert spent_and_held(gateway.weir, owner) == (960_000, 0)


def test_a_refusal_says_what_is_left_and_is_not_to_be_retried(gateway):
    owner = Owner(gateway.weir, "user", "0.001usd/month")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 950)))
    assert gateway.ask(key=owner.key, max_tokens=950).status == 200
    refused = gateway.ask(key=owner.key, max_tokens=100)
    error = refused.json()["error"]
    assert (refused.status, error["type"], error["code"]) == (
        429, "insufficient_quota", "insufficient_quota")
    assert refused.header("x-should-retry") == "false"
    assert "user's budget of 0.001 USD per month, 0.00005 USD is left" in error["message"]
    assert "may cost 0.0001 USD" in error["message"] and "begins anew at" in error["message"]
    detail = gateway.ask(key=owner.key, path="/v1/chat",
                         body={"model": "gpt-test", "max_tokens": 100,
                               "messages": [{"role": "user", "content": "Hi"}]})
    assert detail.status == 429 and "quota" in detail.json()["detail"]


def test_a_request_larger_than_the_whole_budget_is_a_mistake(gateway):
    owner = Owner(gateway.weir, "key")
    refused = gateway.ask(key=owner.key, max_tokens=1001)
    assert (refused.status, refused.json()["error"]["code"]) == (400, "request_exceeds_limit")


def test_choices_are_held_each(gateway):
    owner = Owner(gateway.weir, "key")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 1)))
    assert gateway.ask(key=owner.key, max_tokens=130, n=8).status == 400
    assert gateway.ask(key=owner.key, max_tokens=125, n=8).status == 200
    assert gateway.ask(key=owner.key, max_tokens=125, n=8).status == 429


def test_the_larger_of_two_maxima_is_held(gateway):
    owner = Owner(gateway.weir, "key")
    refused = gateway.ask(key=owner.key, max_tokens=10, max_completion_tokens=2000)
    assert refused.status == 400


def test_without_a_maximum_the_affordable_one_is_written_into_the_request(gateway):
    owner = Owner(gateway.weir, "key", "0.0008usd/total")
    gateway.upstream.answer_always(answers.chat(usage=usage(20, 100)))
    body = {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hi"}]}
    assert gateway.ask(body, key=owner.key).status == 200
    sent = json.loads(gateway.upstream.call.body)
    # The budget covers 800 tokens, of which the bytes of the request are taken for its input.
    assert 600 < sent["max_tokens"] < 800 and sent["messages"] == body["messages"]
    gateway.upstream.reset()
    gateway.upstream.answer_always(answers.chat(usage=usage(20, 500)))
    assert gateway.ask(body, key=owner.key).status == 200
    assert gateway.ask(body, key=owner.key).status == 429  # under budgets.min_output is left


def test_a_model_that_fits_is_not_told_a_maximum(gateway):
    owner = Owner(gateway.weir, "key", "1usd/total")
    gateway.upstream.answer_always(answers.chat(usage=usage(20, 100)))
    body = {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hi"}]}
    assert gateway.ask(body, key=owner.key).status == 200
    assert "max_tokens" not in json.loads(gateway.upstream.call.body)


OLDER, NEWER = "max_tokens", "max_completion_tokens"


def maxima_sent(gateway, key, **members):
    gateway.upstream.reset()
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 1)))
    body = {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hi"}]} | members
    assert gateway.ask(body, key=key).status == 200
    sent = json.loads(gateway.upstream.call.body)
    return {name: sent[name] for name in (OLDER, NEWER) if name in sent}


def test_a_maximum_is_told_to_a_server_that_may_know_the_older_name_alone(gateway):
    key = Owner(gateway.weir, "key", "1usd/total").key
    assert maxima_sent(gateway, key, **{NEWER: 7}) == {OLDER: 7, NEWER: 7}
    assert maxima_sent(gateway, key, **{OLDER: None, NEWER: 7}) == {OLDER: 7, NEWER: 7}
    assert maxima_sent(gateway, key, **{OLDER: 7}) == {OLDER: 7}
    assert maxima_sent(gateway, key, **{OLDER: 9, NEWER: 7}) == {OLDER: 9, NEWER: 7}
    # Some servers take 0 for none.
    assert maxima_sent(gateway, key, **{OLDER: 0, NEWER: 7}) == {OLDER: 7, NEWER: 7}
    assert maxima_sent(gateway, key, **{OLDER: 7, NEWER: 0}) == {OLDER: 7, NEWER: 7}


def test_openai_is_told_a_maximum_under_one_name(make_gateway):
    gateway = make_gateway({**CONFIG, "providers": {"main": {"catalogue": "openai"}}})
    key = Owner(gateway.weir, "key", "1usd/total").key
    assert maxima_sent(gateway, key, **{NEWER: 7}) == {NEWER: 7}
    assert maxima_sent(gateway, key, **{OLDER: 7}) == {OLDER: 7}
    small = Owner(gateway.weir, "key", "0.0008usd/total").key
    sent = maxima_sent(gateway, small)
    assert list(sent) == [NEWER] and 600 < sent[NEWER] < 800


def test_the_largest_number_is_a_maximum_too(gateway):
    owner = Owner(gateway.weir, "key", "1usd/total")
    refused = gateway.ask(key=owner.key, max_tokens=2 ** 64 - 1)
    assert (refused.status, refused.json()["error"]["code"]) == (400, "request_exceeds_limit")


@pytest.mark.parametrize("members", [
    {}, {NEWER: 7}, {OLDER: 0, NEWER: 7}, {OLDER: 10 ** 18}])
def test_a_budget_that_only_warns_changes_no_request(gateway, members):
    owner = Owner(gateway.weir, "key", "0.0001usd/total", "--warn-only")
    for model in ("gpt-3.5-turbo", "gpt-test"):
        assert maxima_sent(gateway, owner.key, model=model, **members) == members
    explained = gateway.weir.run_json("explain", "--key", owner.id, "--model", "gpt-test")
    assert explained["hold"] is None


def test_input_is_counted_where_its_bytes_would_not_fit(gateway):
    owner = Owner(gateway.weir, "key", "0.001usd/total")
    gateway.upstream.answer_always(answers.chat(usage=usage(600, 10)))
    text = "hello world, this is a sentence. " * 80  # 2,640 bytes, about 640 tokens
    body = {"model": "gpt-3.5-turbo", "max_tokens": 100,
            "messages": [{"role": "user", "content": text}]}
    wait_until(lambda: gateway.ask(body, key=owner.key).status != 503, 10, "loaded encodings")
    assert spent_and_held(gateway.weir, owner, "gpt-3.5-turbo") == (610_000, 0)


@pytest.mark.parametrize("beside", [{}, {"text": "a"}, {"refusal": "a"}])
def test_a_file_holds_the_whole_window(gateway, beside):
    owner = Owner(gateway.weir, "key", "0.01usd/total")
    file = [{"type": "file", "file": {"file_id": "file-1"}} | beside]
    body = {"model": "gpt-3.5-turbo", "max_tokens": 10,
            "messages": [{"role": "user", "content": file}]}
    wait_for_encodings(gateway)
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 5)))
    assert gateway.ask(body, key=owner.key).status == 400  # 16,000 tokens cost more


@pytest.mark.parametrize("members", [
    {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "mp3"}}, {},
    {"modalities": ["text"], "max_tokens": 1, "messages": [{"role": "user", "content": [
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}]}]}])
def test_sound_is_held_at_its_own_price(gateway, members):
    owner = Owner(gateway.weir, "key", "0.1usd/total")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 5)))
    assert gateway.ask(key=owner.key, **{"model": "spoken", "max_tokens": 1000} | members).status == 400


def test_who_wants_no_sound_holds_none(gateway):
    owner = Owner(gateway.weir, "key", "0.01usd/total")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 5)))
    assert gateway.ask(key=owner.key, model="spoken", max_tokens=1000,
                       modalities=["text"]).status == 200


@pytest.mark.parametrize("tier", ["priority", "pri\\u006frity"])
def test_a_service_tier_is_held_at_its_price_however_it_is_written(make_gateway, tier):
    gateway = make_gateway({"models": [{"name": "gpt-5*", "targets": ["main"]}],
                            "providers": {"main": {"catalogue": "openai"}}})
    owner = Owner(gateway.weir, "key", "0.00015usd/total")
    body = ('{"model":"gpt-5","max_completion_tokens":10,"service_tier":"%s",'
            '"messages":[{"role":"user","content":"Hi"}]}' % tier)
    wait_for_encodings(gateway, "gpt-5")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 5)))
    assert gateway.ask(body.encode(), key=owner.key).status == 400


def test_an_image_by_url_is_held_at_its_largest(gateway):
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 5)))
    image = [{"type": "image_url", "image_url": {"url": "http://example/x.png"}}]
    body = {"model": "gpt-3.5-turbo", "max_tokens": 1,
            "messages": [{"role": "user", "content": image}]}
    small = Owner(gateway.weir, "key", "0.0005usd/total")
    large = Owner(gateway.weir, "key", "0.01usd/total")
    assert gateway.ask(body, key=small.key).status == 400
    assert gateway.ask(body, key=large.key).status == 200


def test_a_model_without_a_price_is_refused_under_a_hard_budget(gateway, make_gateway):
    owner = Owner(gateway.weir, "key")
    refused = gateway.ask(key=owner.key, model="wild-one")
    assert (refused.status, refused.json()["error"]["code"]) == (400, "price_unknown")
    lenient = make_gateway({**CONFIG, "budgets": {"unpriced": "allow"}})
    lenient.upstream.answer_always(answers.chat())
    owner = Owner(lenient.weir, "key")
    assert lenient.ask(key=owner.key, model="wild-one").status == 200


def test_a_budget_that_only_warns_refuses_nobody_and_tells(gateway):
    owner = Owner(gateway.weir, "user", TEN, "--warn-only")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 600)))
    before = counted(gateway, "weir_budget_alerts_total", "user")
    for _ in range(3):
        assert gateway.ask(key=owner.key, max_tokens=600).status == 200
    assert spent_and_held(gateway.weir, owner) == (1_800_000, 0)
    def lines():
        return [each for each in gateway.weir.log_lines()
                if f"user {owner.name} has spent" in str(log_field(each, "message"))]

    wait_until(lambda: len(lines()) >= 2, 5, "the alerts in the log")
    assert len(lines()) == 2  # of 50 and 100 percent, once each
    assert counted(gateway, "weir_budget_alerts_total", "user") == before + 2
    wait_until(lambda: gateway.weir.run("audit", "tail").stdout.count("budget.alert") >= 2, 5,
               "the alerts in the audit chain")


def test_a_budget_of_a_model_holds_for_everybody(gateway):
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 500)))
    keys = [Owner(gateway.weir, "key", "100usd/month").key for _ in range(2)]
    assert [gateway.ask(key=key, model="capped", max_tokens=500).status for key in keys] == [200] * 2
    refused = gateway.ask(key=keys[0], model="capped", max_tokens=500)
    assert refused.status == 429 and "model's budget" in refused.json()["error"]["message"]


def test_a_refusal_takes_nothing_of_any_level(gateway):
    Owner.count += 1
    name = f"levels-{Owner.count}"
    gateway.weir.run("teams", "create", name, "--budget", "0.001usd/total")
    gateway.weir.run("users", "create", name, "--team", name, "--budget", "0.01usd/total")
    made = gateway.weir.run_json("keys", "create", "--user", name, "--budget", "0.01usd/total",
                                 "--limit", "5req/day")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 990)))
    assert gateway.ask(key=made["key"], max_tokens=990).status == 200
    for _ in range(20):
        assert gateway.ask(key=made["key"], max_tokens=100).status == 429
    explained = gateway.weir.run_json("explain", "--key", made["id"], "--model", "gpt-test",
                                      code=None)
    assert [each["spent_nanousd"] for each in explained["budgets"]] == [990_000] * 3
    assert [each["held_nanousd"] for each in explained["budgets"]] == [0] * 3
    assert [each["remaining"] for each in explained["limits"]] == [4]


def test_a_stream_that_outruns_its_hold_goes_on_while_there_is_money(gateway):
    owner = Owner(gateway.weir, "key", "0.01usd/total")
    gateway.upstream.answer_always(
        answers.stream(answers.events(["word "] * 400, usage=usage(5, 400))))
    response = gateway.ask(key=owner.key, stream=True, max_tokens=20)
    assert response.status == 200 and b"[DONE]" in response.body
    assert spent_and_held(gateway.weir, owner) == (400_000, 0)


def test_a_stream_that_outruns_its_budget_is_ended_and_billed_for_what_was_delivered(gateway):
    owner = Owner(gateway.weir, "key", "0.0002usd/total")
    events = answers.events(["one "] * 3000, usage=usage(5, 3000))
    pieces = answers.stream(events)
    gateway.upstream.answer_always([b"".join(pieces[:2000]), Pause(0.5), *pieces[2000:]])
    response = gateway.ask(key=owner.key, stream=True, max_tokens=20)
    body = response.body
    assert not response.complete
    assert b"insufficient_quota" in body and b"[DONE]" not in body
    delivered = body.count(b'"one "')
    [budget] = budgets(gateway.weir, owner)
    assert 0.9 * delivered < budget["spent_nanousd"] / 1000 < 1.1 * delivered
    assert 150 < delivered < 210  # of 200 that the budget covers
    assert budget["held_nanousd"] == 0


def test_after_a_restart_spending_is_what_the_ledger_says(make_gateway):
    gateway = make_gateway(CONFIG)
    owner = Owner(gateway.weir, "team", "0.001usd/month")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 300)))
    for _ in range(3):
        assert gateway.ask(key=owner.key, max_tokens=300).status == 200
    gateway.weir.stop()
    gateway.weir.start()
    assert spent_and_held(gateway.weir, owner) == (900_000, 0)
    assert gateway.ask(key=owner.key, max_tokens=300).status == 429
    assert gateway.ask(key=owner.key, max_tokens=100).status == 200


@pytest.mark.parametrize("before_kill", [0, 4, 10])
def test_a_kill_in_the_middle_admits_no_more_than_10_in_all(make_gateway, before_kill):
    gateway = make_gateway(CONFIG)
    owner = Owner(gateway.weir, "user")
    gate = threading.Event()
    gateway.upstream.answer_always(gated(gate, False))
    with Parallel(gateway.weir.port, [request(gateway, owner.key)
                                      for _ in range(before_kill)]):
        if before_kill:
            gateway.upstream.wait_for_calls(before_kill)
        gateway.weir.kill()
    gateway.weir.start()
    if before_kill < 10:
        admit_in_parallel(gateway, owner, False, 10 - before_kill)
    assert gateway.ask(key=owner.key, max_tokens=100).status == 429
    assert spent_and_held(gateway.weir, owner) == (1_000_000, 0)


def test_a_reload_keeps_what_was_counted_and_new_budgets_begin_with_the_ledger(make_gateway):
    gateway = make_gateway({**CONFIG, "limits": ["1usd/month"]})
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 400)))
    row_for(gateway.weir, gateway.ask(max_tokens=400))
    config = dict(gateway.weir.config)
    config["limits"] = ["2usd/month", "0.0005usd/total"]
    gateway.weir.write_config(config)
    gateway.weir.send_signal(1)
    gateway.weir.wait_for_log(lambda line: "reloaded" in str(log_field(line, "message")))
    time.sleep(0.2)
    refused = gateway.ask(max_tokens=400)
    assert refused.status == 429 and "in total" in refused.json()["error"]["message"]
    assert gateway.ask(max_tokens=100).status == 200


def test_explain_tells_the_budget_that_outlasts_a_rate_as_the_answer_does(gateway):
    owner = Owner(gateway.weir, "user", "0.0002usd/month")
    gateway.upstream.answer_always(answers.chat(usage=usage(5, 100)))
    gateway.weir.run("keys", "set", owner.id, "--limit", "2req/day")
    for _ in range(2):
        assert gateway.ask(key=owner.key, max_tokens=100).status == 200
    refused = gateway.ask(key=owner.key, max_tokens=100)
    body = json.dumps({"model": "gpt-test", "max_tokens": 100,
                       "messages": [{"role": "user", "content": "Hi"}]})
    (gateway.weir.data_dir / "body.json").write_text(body)
    explained = gateway.weir.run_json("explain", "--key", owner.id, "--file",
                                      str(gateway.weir.data_dir / "body.json"), code=1)
    error = refused.json()["error"]
    assert (refused.status, error["code"]) == (429, "insufficient_quota")
    assert (explained["status"], explained["code"], explained["message"]) == (
        429, error["code"], error["message"])
    refused_by = explained["refused_by"]
    assert (refused_by["level"], refused_by["limit"]) == ("user", "0.0002usd/month")
    assert 0 < refused_by["retry_after_ms"] <= 31 * 86_400_000
