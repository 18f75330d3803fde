"""Under a budget, what nobody knows costs what was held.

That is: a call that the provider may have worked on and whose usage nobody tells. What was delivered of a
stream is known; so is input that can be counted.
"""

import json
import threading
import time

import pytest

from support import answers, wire
from support.admin_socket import call
from support.ledger import query, row_of
from support.upstream import Close, Gate, Pause, Reset
from support.weir import wait_until

# A token costs 1,000 nano-dollars, of whatever kind.
CONFIG = {
    "models": [{"name": "gpt-3.5-turbo", "targets": ["main"], "window": 16000, "max_output": 3000}],
    "prices": [{"provider": "main", "model": "gpt-3.5-turbo", "input": "1usd", "output": "1usd"}],
    "providers": {"main": {"timeouts": {"total": "2s", "first_byte": "2s",
                                        "stream_total": "2s"}}}}
TOKEN = 1000
MESSAGES = [{"role": "user", "content": "How many tokens are in this? " * 20}]
FILE = [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]
OUTPUT = 700
WORDS = [" word"] * 40


@pytest.fixture(scope="module")
def gateway(make_gateway):
    made = make_gateway(CONFIG)
    wait_until(lambda: counted(made), 10, "the encodings")
    return made


def counted(gateway):
    response = gateway.ask(path="/v1/chat/completions/count", model="gpt-3.5-turbo",
                           messages=MESSAGES)
    return response.status == 200 and json.loads(response.body)["input_tokens"]


class Owner:
    count = 0

    def __init__(self, weir, **members):
        Owner.count += 1
        self.weir = weir
        members = members or {"budgets": ["1usd/total"]}
        user = call(weir, "POST", "/users", {"name": f"unknown-{Owner.count}"}).body["id"]
        made = call(weir, "POST", "/keys", {"user": user, **members}).body
        self.key, self.id = made["key"], made["id"]

    def request(self, **members):
        body = {"model": "gpt-3.5-turbo", "max_tokens": OUTPUT, "messages": MESSAGES} | members
        return wire.request("POST", "/v1/chat/completions", body, self.key)

    def budget(self):
        answer = call(self.weir, "POST", "/explain", {"key": self.id, "model": "gpt-3.5-turbo"})
        [budget] = answer.body["budgets"]
        return budget

    def held(self):
        return wait_until(lambda: self.budget()["held_nanousd"], 5, "the hold")

    def spent(self):
        """Once nothing is held; what the row says and what is spent are one."""
        budget = wait_until(lambda: (found := self.budget())["held_nanousd"] == 0 and found, 5,
                            "the end of the hold")
        assert self.row()["cost_nanousd"] == budget["spent_nanousd"]
        return budget["spent_nanousd"]

    def row(self):
        def find():
            return query(self.weir, "SELECT * FROM usage WHERE key_id = ?", self.id)
        [row] = wait_until(find, 5, "the row")
        return row


def held_and_spent(gateway, steps, leaves=False, **members):
    """What was held for a request that is answered so, and what it cost."""
    owner, gate = Owner(gateway.weir), threading.Event()
    gateway.upstream.answer_always([Gate(gate), *steps])
    with gateway.weir.connect() as connection:
        connection.send(owner.request(**members))
        held = owner.held()
        gate.set()
        if not leaves:
            connection.response()
    return held, owner.spent(), owner.row()


STREAM = answers.stream(answers.events(WORDS, finish=False, done=False))
UNTOLD = {
    "the connection ends before the head": [Reset()],
    "the connection ends in the head": [b"HTTP/1.1 200 OK\r\nconte", Close()],
    "no answer comes in time": [Pause(4)],
    "the answer breaks off": [answers.chat("a" * 100)[0][:-50], Close()],
    "the answer stops for too long": [answers.chat("a" * 100)[0][:-50], Pause(4)],
    "the answer is no JSON": answers.whole(b"<html>"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", UNTOLD)
def test_an_answer_that_nobody_saw_costs_what_was_held(gateway, case, stream):
    held, spent, row = held_and_spent(gateway, UNTOLD[case], stream=stream)
    assert spent == held and row["estimated"] == 1
    assert row["output_tokens"] == OUTPUT and row["input_tokens"] * TOKEN == held - OUTPUT * TOKEN


@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_before_the_answer_pays_what_was_held(gateway, stream):
    held, spent, row = held_and_spent(gateway, [Pause(1), *STREAM], leaves=True, stream=stream)
    assert spent == held and row["outcome"] == "client_gone"


def test_without_a_maximum_the_models_is_paid(gateway):
    held, spent, _ = held_and_spent(gateway, [Reset()], max_tokens=None)
    assert spent == held > 3000 * TOKEN


def test_a_comment_is_no_answer(gateway):
    steps = answers.chunked([b": at work\n\n"], headers=[answers.CONTENT_EVENTS])[:-1] + [Close()]
    held, spent, _ = held_and_spent(gateway, steps, stream=True)
    assert spent == held


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_what_the_provider_refuses_costs_nothing(gateway, status):
    held, spent, _ = held_and_spent(gateway, answers.error(status))
    assert (held > 0, spent) == (True, 0)


def test_a_provider_that_is_not_there_costs_nothing(make_gateway):
    gateway = make_gateway(CONFIG)
    owner = Owner(gateway.weir)
    gateway.upstream.stop()
    with gateway.weir.connect() as connection:
        connection.send(owner.request())
        assert connection.response().status == 502
    assert owner.spent() == 0


# What was delivered

@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_a_stream_that_is_cut_off_costs_what_was_delivered_and_its_input(gateway, line_end):
    pieces = answers.events(WORDS, finish=False, done=False, eol=line_end)
    steps = answers.stream(pieces)[:-1] + [Close()]
    _, spent, row = held_and_spent(gateway, steps, stream=True)
    assert row["input_tokens"] == counted(gateway) and row["estimated"] == 1
    assert len(WORDS) <= row["output_tokens"] <= len(WORDS) * 1.3
    assert spent == (row["input_tokens"] + row["output_tokens"]) * TOKEN


def leave_after(gateway, owner, **members):
    """Reads the first event of a stream that goes on, and leaves."""
    gateway.upstream.answer_always([*STREAM[:-1], Pause(1), STREAM[-1]])
    with gateway.weir.connect() as connection:
        connection.send(owner.request(stream=True, **members))
        wire.Stream(connection).next_event()
        time.sleep(0.1)
    return owner.row()


def test_who_leaves_a_stream_pays_what_was_delivered_and_the_input(gateway):
    owner = Owner(gateway.weir)
    row = leave_after(gateway, owner)
    assert row["input_tokens"] == counted(gateway)
    assert len(WORDS) <= row["output_tokens"] <= len(WORDS) * 1.3
    assert owner.spent() == (row["input_tokens"] + row["output_tokens"]) * TOKEN


def test_who_leaves_a_stream_pays_what_was_held_for_a_file(gateway):
    owner = Owner(gateway.weir)
    row = leave_after(gateway, owner, messages=FILE)
    assert row["input_tokens"] == 16000 and owner.spent() > 16000 * TOKEN


def test_who_leaves_a_stream_pays_the_bytes_of_a_long_prompt(gateway):
    """It is not kept while the stream runs."""
    owner = Owner(gateway.weir)
    text = "How many tokens are in this? " * 2000
    row = leave_after(gateway, owner, messages=[{"role": "user", "content": text}])
    assert len(text) <= row["input_tokens"] <= len(text) * 1.01
    assert owner.spent() == (row["input_tokens"] + row["output_tokens"]) * TOKEN


def test_a_whole_answer_without_usage_is_counted(gateway):
    _, spent, row = held_and_spent(gateway, answers.chat(" word" * 50, usage=None))
    assert (row["input_tokens"], row["output_tokens"]) == (counted(gateway), 50)
    assert spent == (row["input_tokens"] + 50) * TOKEN


# Without a hard budget

@pytest.mark.parametrize("members", [{"budgets": []},
                                     {"budgets": ["1usd/total"], "warn_only": True}])
def test_without_a_hard_budget_little_is_reckoned(gateway, members):
    owner = Owner(gateway.weir, **members)
    gateway.upstream.reset()
    gateway.upstream.answer_always([Pause(1), *answers.chat()])
    with gateway.weir.connect() as connection:
        connection.send(owner.request())
        gateway.upstream.wait_for_calls(1)
    row = owner.row()
    assert (row["outcome"], row["output_tokens"]) == ("client_gone", 0)
    assert row["input_tokens"] == len(json.dumps(MESSAGES)) // 4


# Prices that nobody knows

def audio(output, sound):
    return {"prompt_tokens": 50, "completion_tokens": output, "total_tokens": output + 50,
            "completion_tokens_details": {"audio_tokens": sound}}


def test_a_kind_of_token_without_a_price_costs_what_was_held(gateway):
    steps = answers.chat(usage=audio(500, 400))
    held, spent, row = held_and_spent(gateway, steps)
    assert spent == held
    assert (row["output_tokens"], row["audio_tokens"], row["estimated"]) == (500, 400, 1)
    owner = Owner(gateway.weir, budgets=[])
    gateway.upstream.answer_always(steps)
    response = gateway.ask(key=owner.key, model="gpt-3.5-turbo", messages=MESSAGES)
    assert row_of(gateway.weir, response.header("x-request-id"))["cost_nanousd"] is None


def test_what_nobody_knew_is_spent_after_a_restart_too(make_gateway):
    gateway = make_gateway(CONFIG)
    owners = [Owner(gateway.weir) for _ in range(3)]
    gateway.upstream.answer_always(answers.chat(usage=audio(500, 400)))
    gateway.ask(key=owners[0].key, model="gpt-3.5-turbo", max_tokens=OUTPUT, messages=MESSAGES)
    gateway.upstream.answer_always([Reset()])
    gateway.ask(key=owners[1].key, model="gpt-3.5-turbo", max_tokens=OUTPUT, messages=MESSAGES)
    leave_after(gateway, owners[2])
    before = [owner.spent() for owner in owners]
    gateway.weir.stop()
    gateway.weir.start()
    assert [owner.spent() for owner in owners] == before and min(before) > 0
