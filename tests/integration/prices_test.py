"""Which price a request gets, and what is said of one that has none. A request of these tests has 5
tokens of input and 2 of output."""

import signal
import sqlite3

import pytest

from support import answers
from support.weir import log_field, merge, wait_until


@pytest.fixture
def priced(make_gateway):
    def make(prices):
        gateway = make_gateway({"prices": prices, "workers": 1})
        gateway.upstream.answer_always(answers.as_a_provider)
        return gateway
    return make


def rows_of(gateway, count):
    """Model, cost and price of the latest requests, once they are in the database."""
    def read():
        with sqlite3.connect(f"file:{gateway.weir.data_dir}/weir.db?mode=ro", uri=True) as database:
            rows = database.execute("SELECT model, cost_nanousd, price_id FROM usage_logs "
                                    "ORDER BY id").fetchall()
        return rows if len(rows) == count else None
    return wait_until(read, 10, f"{count} rows")


def warnings_of(gateway, count):
    """All of them, once there are so many."""
    def read():
        messages = [line["message"] for line in gateway.weir.log_lines()
                    if log_field(line, "log.logger") == "prices"]
        return [messages] if len(messages) >= count else None
    messages = wait_until(read, 5, f"{count} warnings")[0]
    assert len(messages) == count, messages
    return messages


def sum_of(gateway, name):
    return sum(value for (each, _), value in gateway.weir.metrics().items() if each == name)


def test_a_prefix_prices_what_begins_so_and_a_whole_name_goes_before_it(priced):
    gateway = priced([
        {"provider": "main", "model": "wild-*", "input": "1usd", "output": "10usd"},
        {"provider": "main", "model": "wild-boar", "input": "2usd", "output": "0usd"},
        {"provider": "main", "model": "wild-b*", "input": "3usd", "output": "0usd"},
        {"provider": "main", "model": "wild-cat", "input": "4usd", "from": "2999-01-01"}])
    for model in ["wild-ox", "wild-boar", "wild-bear", "wild-cat"]:
        assert gateway.ask(model=model).status == 200
    assert rows_of(gateway, 4) == [
        ("wild-ox", 5 * 1000 + 2 * 10000, "config/main/wild-*@1970-01-01"),
        ("wild-boar", 5 * 2000, "config/main/wild-boar@1970-01-01"),
        ("wild-bear", 5 * 3000, "config/main/wild-b*@1970-01-01"),
        ("wild-cat", 5 * 1000 + 2 * 10000, "config/main/wild-*@1970-01-01")]
    assert warnings_of(gateway, 0) == []


def test_a_model_without_a_price_is_warned_of_once_and_counted_each_time(priced):
    gateway = priced([{"provider": "main", "model": "wild-*", "input": "1usd"}])
    for _ in range(3):
        assert gateway.ask().status == 200
    assert gateway.stream().status == 200
    assert gateway.ask(model="wild-ox").status == 200
    assert [row[1:] for row in rows_of(gateway, 5)] == \
        [(None, None)] * 4 + [(None, "config/main/wild-*@1970-01-01")]
    unknown, partial = warnings_of(gateway, 2)
    assert "no price is known for model 'gpt-test' of provider main" in unknown
    assert "prices of the configuration" in unknown and "free: true" in unknown
    assert "config/main/wild-*@1970-01-01 does not state all" in partial
    assert sum_of(gateway, "weir_requests_unpriced_total") == 5


def test_a_model_that_the_provider_does_not_have_is_not_warned_of(priced):
    gateway = priced([])
    gateway.upstream.answer_always(answers.whole(b'{"error":{"message":"no"}}', 404))
    assert gateway.ask(model="wild-guess").status == 404
    assert rows_of(gateway, 1) == [("wild-guess", 0, None)]
    assert warnings_of(gateway, 0) == []


def test_a_price_that_a_reload_brings_holds_from_the_next_request_on(priced):
    gateway = priced([])
    assert gateway.ask().status == 200
    assert "'gpt-test'" in warnings_of(gateway, 1)[0]
    price = {"provider": "main", "model": "gpt-*", "input": "1usd", "output": "1usd"}
    gateway.weir.write_config(merge(gateway.weir.config, {"prices": [price]}))
    gateway.weir.send_signal(signal.SIGHUP)
    gateway.weir.wait_for_log(lambda line: line["message"].startswith("reloaded"))
    wait_until(lambda: gateway.ask().status == 200 and
               sum_of(gateway, "weir_cost_usd_total") > 0, 5, "the new price")
    assert gateway.ask(model="wild-ox").status == 200
    assert "'wild-ox'" in warnings_of(gateway, 2)[1]


def test_a_reload_with_a_wrong_name_of_the_catalogue_is_refused(priced):
    gateway = priced([])
    wrong = merge(gateway.weir.config, {"providers": {"main": {"catalogue": "opnai"}}})
    gateway.weir.write_config(wrong)
    gateway.weir.send_signal(signal.SIGHUP)
    line = gateway.weir.wait_for_log(lambda line: "opnai" in line["message"])
    assert line["log.level"] == "error" and "'openai'" in line["message"]
    gateway.weir.wait_for_log(lambda line: "stays in force" in line["message"])
    assert gateway.ask().status == 200
