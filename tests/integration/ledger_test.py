"""The ledger: what is recorded and charged for each request."""

import time

import pytest

from support import answers, wire
from support.ledger import query, row_for, row_of
from support.upstream import Close, Pause
from support.weir import wait_until

PRICES = {"prices": [{"provider": "main", "model": "gpt-test", "input": "2usd", "output": "8usd",
                      "cache_read": "0.5usd", "reasoning": "10usd", "per_request": "0.001usd"}]}


@pytest.fixture(scope="module")
def priced(make_gateway):
    return make_gateway(PRICES)


def usage(prompt, completion, **details):
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion, **details}


def test_a_request_is_a_row_with_what_the_provider_said(priced):
    priced.upstream.answer(answers.chat(usage=usage(1000, 200)))
    response = priced.ask(headers=[("x-request-id", "mine-1"), ("x-weir-metadata", '{"a":"b"}')])
    row = row_for(priced.weir, response)
    assert row["route"] == "/v1/chat/completions"
    assert (row["model"], row["provider"], row["target_model"]) == ("gpt-test", "main", "gpt-test")
    assert (row["input_tokens"], row["output_tokens"]) == (1000, 200)
    assert row["cost_nanousd"] == 1000 * 2000 + 200 * 8000 + 1_000_000
    assert row["price_id"] == "config/main/gpt-test@1970-01-01"
    assert (row["status"], row["outcome"], row["answered"]) == (200, "completed", 1)
    assert (row["estimated"], row["attempts"], row["stream"]) == (0, 1, 0)
    assert row["client_request_id"] == "mine-1" and row["metadata"] == '{"a":"b"}'
    assert row["user"] == "tester" and row["team_id"] is None
    assert 0 < row["first_byte_us"] <= row["latency_us"] < 5_000_000


def test_cached_and_reasoning_tokens_have_their_own_prices(priced):
    priced.upstream.answer(answers.chat(usage=usage(
        1000, 500, prompt_tokens_details={"cached_tokens": 400},
        completion_tokens_details={"reasoning_tokens": 300})))
    row = row_for(priced.weir, priced.ask())
    assert (row["cached_tokens"], row["reasoning_tokens"]) == (400, 300)
    assert row["cost_nanousd"] == (600 * 2000 + 400 * 500 + 200 * 8000 + 300 * 10000) + 1_000_000


def test_the_cost_stands_in_a_header_where_it_is_known_before_the_body(priced):
    priced.upstream.answer(answers.chat(usage=usage(1000, 200)))
    response = priced.ask()
    assert response.header("x-weir-cost") == "0.0046"
    pieces = answers.stream()
    priced.upstream.answer([*pieces[:2], Pause(0.2), *pieces[2:]])
    assert priced.stream().header("x-weir-cost") is None


def test_a_stream_is_charged_by_its_usage_chunk(priced):
    priced.upstream.answer(answers.stream(answers.events(["a", "b"], usage=usage(7, 3))))
    row = row_for(priced.weir, priced.stream())
    assert (row["input_tokens"], row["output_tokens"], row["stream"]) == (7, 3, 1)
    assert (row["estimated"], row["outcome"], row["answered"]) == (0, "completed", 1)


def test_a_usage_of_zero_stays_zero(priced):
    priced.upstream.answer(answers.chat(usage=usage(0, 0)))
    row = row_for(priced.weir, priced.ask())
    assert (row["input_tokens"], row["output_tokens"], row["estimated"]) == (0, 0, 0)
    assert row["cost_nanousd"] == 1_000_000  # the part per request


def test_tokens_that_nobody_tells_are_estimated_and_marked(priced):
    text = "This is a sentence of about ten tokens, more or less. " * 4
    priced.upstream.answer(answers.chat(text, usage=None))
    unstreamed = row_for(priced.weir, priced.ask())
    priced.upstream.answer(answers.stream(answers.events(["token "] * 40)))
    streamed = row_for(priced.weir, priced.stream())
    assert unstreamed["estimated"] == streamed["estimated"] == 1
    assert 30 <= unstreamed["output_tokens"] <= 80
    assert 30 <= streamed["output_tokens"] <= 80
    assert unstreamed["input_tokens"] > 0 and streamed["input_tokens"] > 0


def test_what_was_relayed_to_a_client_that_left_is_charged_as_an_estimate(priced):
    priced.upstream.answer([*answers.stream(answers.events(["word "] * 50, finish=False,
                                                           done=False))[:-1], Pause(30)])
    with priced.open_stream() as stream:
        for _ in range(50):
            stream.next_event()
        request_id = stream.response.header("x-request-id")
        left = time.monotonic()
    assert priced.upstream.calls[0].connection.peer_closed.wait(1)
    assert time.monotonic() - left < 1.5
    row = row_of(priced.weir, request_id)
    assert (row["outcome"], row["answered"], row["estimated"]) == ("client_gone", 0, 1)
    assert 35 <= row["output_tokens"] <= 80
    assert row["cost_nanousd"] > 1_000_000


def test_a_provider_that_bills_to_the_end_is_read_to_its_usage(make_gateway):
    gateway = make_gateway({**PRICES, "providers": {"main": {"timeouts": {"usage_drain": "5s"}}}})
    words = answers.stream(answers.events(["word "] * 20, usage=usage(11, 20)))
    gateway.upstream.answer([*words[:6], Pause(0.5), *words[6:]])
    with gateway.open_stream() as stream:
        stream.next_event()
        request_id = stream.response.header("x-request-id")
    row = row_of(gateway.weir, request_id)
    assert (row["outcome"], row["estimated"]) == ("client_gone", 0)
    assert (row["input_tokens"], row["output_tokens"]) == (11, 20)


def test_the_wait_for_the_usage_has_an_end(make_gateway):
    gateway = make_gateway({"providers": {"main": {"timeouts": {"usage_drain": "300ms"}}}})
    gateway.upstream.answer([*answers.stream()[:3], Pause(30)])
    with gateway.open_stream() as stream:
        stream.next_event()
        request_id = stream.response.header("x-request-id")
    assert gateway.upstream.calls[0].connection.peer_closed.wait(2)
    assert row_of(gateway.weir, request_id)["estimated"] == 1


def test_a_broken_stream_is_charged_for_what_was_delivered(priced):
    pieces = answers.stream(answers.events(["word "] * 30, finish=False, done=False))[:-1]
    priced.upstream.answer([*pieces, Close()])
    response = priced.stream()
    row = row_for(priced.weir, response)
    assert (row["outcome"], row["status"], row["answered"]) == ("upstream_broken", 200, 0)
    assert row["estimated"] == 1 and 20 <= row["output_tokens"] <= 60


@pytest.mark.parametrize("script,status,outcome", [
    (answers.error(500, "no"), 500, "completed"),
    (answers.error(429, "slow down"), 429, "completed"),
    ([Close()], 502, "upstream_failed"),
])
def test_a_call_that_failed_has_a_row_and_costs_nothing(priced, script, status, outcome):
    priced.upstream.answer_always(script)
    response = priced.ask()
    assert response.status == status
    row = row_for(priced.weir, response)
    assert (row["status"], row["outcome"], row["answered"]) == (status, outcome, 0)
    assert (row["input_tokens"], row["output_tokens"], row["cost_nanousd"]) == (0, 0, 0)


@pytest.mark.parametrize("told,input_tokens,output_tokens", [
    ({"prompt_tokens": 32, "completion_tokens": 200, "total_tokens": 326,
      "completion_tokens_details": {"reasoning_tokens": 94}}, 32, 294),
    ({"prompt_tokens": 10, "total_tokens": 15}, 10, 5),
])
def test_what_the_total_has_beyond_the_parts_is_output(priced, told, input_tokens, output_tokens):
    priced.upstream.answer(answers.chat(usage=told))
    row = row_for(priced.weir, priced.ask())
    assert (row["input_tokens"], row["output_tokens"]) == (input_tokens, output_tokens)
    assert row["estimated"] == 0


def test_a_client_that_leaves_before_the_answer_pays_for_its_prompt(priced):
    priced.upstream.answer([Pause(30)])
    with priced.weir.connect() as connection:
        connection.send(priced.request(messages=[{"role": "user", "content": "word " * 400}]))
        priced.upstream.wait_for_calls()
    wait_until(lambda: query(priced.weir, "SELECT * FROM usage WHERE outcome = 'client_gone' "
                                          "AND input_tokens > 300 AND output_tokens = 0 "
                                          "AND estimated = 1"), what="the row")


def test_a_usage_before_the_end_of_a_stream_that_broke_is_no_final_one(priced):
    pieces = answers.stream([answers.event(answers.delta("word ", usage=usage(10, 1)))] +
                            [answers.event(answers.delta("word ")) for _ in range(30)])[:-1]
    priced.upstream.answer([*pieces, Close()])
    row = row_for(priced.weir, priced.stream())
    assert row["estimated"] == 1 and 20 <= row["output_tokens"] <= 60


def test_a_refusal_of_something_else_does_not_end_the_asking_for_usage(make_gateway):
    gateway = make_gateway()
    gateway.upstream.answer(answers.error(400, "no role stream_options"),
                            answers.error(400, "no role stream_options"))
    assert gateway.stream().status == 400
    gateway.upstream.answer(answers.as_a_provider)
    assert row_for(gateway.weir, gateway.stream())["estimated"] == 0
    assert answers.asks_for_usage(gateway.upstream.calls[-1])


def test_names_in_no_encoding_are_recorded_as_text(priced):
    response = priced.ask(headers=[("x-request-id", "ab\xff\xfe")])
    row = row_for(priced.weir, response)
    assert row["client_request_id"].startswith("ab")


def test_a_repeated_call_is_one_row_with_two_attempts(make_gateway):
    gateway = make_gateway()

    def script(request):
        if b"stream_options" in request.body:
            return answers.error(400, "unknown member stream_options")
        return answers.stream(answers.events(["a"]))

    gateway.upstream.answer_always(script)
    row = row_for(gateway.weir, gateway.stream())
    assert row["attempts"] == 2
    attempts = query(gateway.weir, "SELECT * FROM usage_attempts ORDER BY number")
    assert [(each["number"], each["status"], each["outcome"]) for each in attempts] == [
        (1, 400, "rejected"), (2, 200, "completed")]


@pytest.mark.parametrize("value", ["no json", "[1]", '"text"', '{"a":' + '"b"' * 400 + "}",
                                   '{"a":"' + "b" * 1100 + '"}'])
def test_metadata_that_is_no_small_object_is_refused(priced, value):
    response = priced.ask(headers=[("x-weir-metadata", value)])
    assert response.status == 400 and "x-weir-metadata" in response.error["message"]
    assert not priced.upstream.calls


def test_a_model_that_nobody_may_use_is_counted_by_its_reason(make_gateway):
    gateway = make_gateway()
    for _ in range(3):
        assert gateway.ask(model="nobody's").status == 404
    assert gateway.ask(key="sk-weir-wrong").status == 401

    def refused():
        return query(gateway.weir, "SELECT reason, requests, model FROM usage_hourly")

    wait_until(lambda: sum(line["requests"] for line in refused()) == 3, what="the counts")
    assert {line["reason"] for line in refused()} == {"model_not_found"}
    assert not query(gateway.weir, "SELECT * FROM usage_logs")


def test_an_unknown_price_is_recorded_as_unknown_and_not_as_free(priced):
    response = priced.ask(model="wild-thing")
    row = row_for(priced.weir, response)
    assert row["cost_nanousd"] is None and row["cost"] is None
    assert response.header("x-weir-cost") is None


def test_a_free_provider_costs_nothing(make_gateway):
    gateway = make_gateway({"providers": {"main": {"free": True}}})
    response = gateway.ask()
    assert response.header("x-weir-cost") == "0"
    assert row_for(gateway.weir, response)["cost_nanousd"] == 0


def test_hourly_sums_are_those_of_the_rows(make_gateway):
    gateway = make_gateway(PRICES)
    gateway.upstream.answer_always(answers.chat(usage=usage(10, 5)))
    for _ in range(20):
        assert gateway.ask().status == 200
    wait_until(lambda: query(gateway.weir, "SELECT count(*) AS n FROM usage_logs")[0]["n"] == 20)
    sums = query(gateway.weir, "SELECT sum(requests) AS r, sum(input_tokens) AS i, "
                               "sum(output_tokens) AS o, sum(cost_nanousd) AS c FROM usage_hourly")
    assert sums == [{"r": 20, "i": 200, "o": 100, "c": 20 * (10 * 2000 + 5 * 8000 + 1_000_000)}]


def test_stats_are_those_of_the_keys_user(make_gateway):
    gateway = make_gateway(PRICES)
    other = gateway.weir.create_key("somebody")["key"]
    gateway.upstream.answer_always(answers.chat(usage=usage(100, 50)))
    for key in (gateway.key, gateway.key, other):
        assert gateway.ask(key=key).status == 200
    gateway.upstream.answer(answers.error(500))
    assert gateway.ask().status == 500

    def stats(key):
        return gateway.weir.get("/v1/stats", key).json()

    wait_until(lambda: stats(gateway.key)["request_count"] == 2 and
               stats(other)["request_count"] == 1, what="the rows")
    cost = (100 * 2000 + 50 * 8000 + 1_000_000) / 1e9
    assert stats(gateway.key) == {
        "total_cost": pytest.approx(2 * cost), "total_tokens": 300, "request_count": 2,
        "period_days": 30, "by_model": [{"model": "gpt-test", "total_cost": pytest.approx(2 * cost),
                                         "total_tokens": 300, "request_count": 2}]}
    assert gateway.weir.get("/v1/stats").status == 401
    assert gateway.weir.get("/v1/stats").json() == {"detail": "Invalid API key"}


def test_a_stop_leaves_no_journal_behind_and_a_kill_loses_nothing(make_gateway):
    gateway = make_gateway(PRICES)
    journal = gateway.weir.data_dir / "journal"
    ids = [gateway.ask().header("x-request-id") for _ in range(30)]
    gateway.weir.kill()
    gateway.weir.start()
    for request_id in ids:
        assert row_of(gateway.weir, request_id)["outcome"] == "completed"
    gateway.weir.stop()
    assert not list(journal.iterdir())
    gateway.weir.start()
    assert len(query(gateway.weir, "SELECT * FROM usage_logs")) == 30


def test_a_request_that_is_cut_off_by_a_kill_is_an_orphan_charged_by_estimate(make_gateway):
    gateway = make_gateway(PRICES)
    gateway.upstream.answer([*answers.stream()[:3], Pause(30)])
    with gateway.weir.connect() as connection:
        connection.send(gateway.request(stream=True, max_tokens=100))
        stream = wire.Stream(connection)
        stream.next_event()
        request_id = stream.response.header("x-request-id")
        gateway.weir.kill()
    gateway.weir.start()
    row = row_of(gateway.weir, request_id)
    assert (row["outcome"], row["estimated"], row["answered"]) == ("orphaned", 1, 0)
    assert row["output_tokens"] == 100 and row["cost_nanousd"] >= 100 * 8000


def test_orphans_cost_nothing_where_the_configuration_says_so(make_gateway):
    gateway = make_gateway({**PRICES, "ledger": {"orphans": "nothing"}})
    gateway.upstream.answer([*answers.stream()[:3], Pause(30)])
    with gateway.open_stream() as stream:
        stream.next_event()
        request_id = stream.response.header("x-request-id")
        gateway.weir.kill()
    gateway.weir.start()
    assert row_of(gateway.weir, request_id)["cost_nanousd"] == 0


def test_the_metrics_count_tokens_and_money_by_rule_and_provider(make_gateway):
    gateway = make_gateway(PRICES)
    gateway.upstream.answer_always(answers.chat(usage=usage(1000, 200)))
    assert gateway.ask().status == 200

    def metric(name, **labels):
        return gateway.weir.metrics().get((name, frozenset(labels.items())), 0)

    target = {"model": "gpt-test", "provider": "main"}
    assert metric("weir_tokens_total", type="input", **target) == 1000
    assert metric("weir_tokens_total", type="output", **target) == 200
    assert metric("weir_cost_usd_total", **target) == pytest.approx(0.0046)
    wait_until(lambda: metric("weir_ledger_rows_total") == 1, what="the row")
    assert metric("weir_ledger_records_total") >= 2
    assert metric("weir_ledger_journal_bytes") > 0
