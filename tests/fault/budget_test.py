"""A budget worth ten is ten calls: at every level, streamed or not, and across kill -9.

The provider counts its calls, and answers only when it is told to: so no request can have settled
while others are admitted. Everything but weir runs in one thread (support.stage).
"""

import random
from collections import Counter

import pytest

from fault.gateway import lasting_port
from support import answers, wire
from support.admin_socket import call
from support.ledger import query
from support.stage import Stage
from support.weir import PROVIDER_KEY, Weir, wait_until

# A token of output costs 1,000 nano-dollars, one of input nothing: a request holds 100,000.
OUTPUT = 100
HELD = OUTPUT * 1000
WORTH = 10
PARALLEL = 200
LEVELS = ("key", "user", "team")
SETTLES_WITHIN_S = 10
CONFIG = {"workers": 2, "models": [{"name": "gpt-test", "targets": ["main"]},
                                   {"name": "capped", "targets": ["main"], "max_output": 9000,
                                    "window": 20000},
                                   {"name": "gpt-5", "targets": ["main"]}],
          "prices": [{"provider": "main", "model": "gpt-test", "input": "0usd", "output": "1usd"},
                     {"provider": "main", "model": "capped", "input": "1usd", "output": "4usd"}]}


class Owner:
    """A team, its user and the user's key; one of the three has a budget worth ten requests."""

    count = 0

    def __init__(self, weir, level, budget="0.001usd/total"):
        Owner.count += 1
        self.weir, self.level, name = weir, level, f"{level}-{Owner.count}"
        self.model = "gpt-test"
        budgets = {each: [budget] if each == level else [] for each in LEVELS}
        self.make("/teams", name=name, budgets=budgets["team"])
        self.make("/users", name=name, team=name, budgets=budgets["user"])
        made = self.make("/keys", user=name, budgets=budgets["key"])
        self.key, self.id = made["key"], made["id"]

    def make(self, path, **members):
        answer = call(self.weir, "POST", path, members)
        assert answer.status == 201, answer.text
        return answer.body

    def request(self, stream, path="/v1/chat/completions", **members):
        body = {"model": "gpt-test", "max_tokens": OUTPUT, "stream": stream} | members
        if path == "/v1/chat/completions":
            body.setdefault("messages", [{"role": "user", "content": "Hi"}])
        self.model = body["model"]
        return wire.request("POST", path, body, self.key)

    def budget(self):
        """(spent, held) in nano-dollars."""
        answer = call(self.weir, "POST", "/explain", {"key": self.id, "model": self.model})
        [budget] = answer.body["budgets"]
        assert budget["level"] == self.level, budget
        return budget["spent_nanousd"], budget["held_nanousd"]

    def ledger_sum(self):
        """What the rows say; in the database a moment after the end of a request."""
        [row] = query(self.weir, "SELECT count(*) AS rows, total(cost_nanousd) AS cost "
                                 "FROM usage WHERE key_id = ?", self.id)
        return int(row["cost"]), row["rows"]

    def wait_until_idle(self, rows):
        """Every hold is 0, and what is spent is what so many rows come to."""
        def is_idle():
            (spent, held), (cost, found) = self.budget(), self.ledger_sum()
            assert spent + held <= WORTH * HELD, f"committed {spent} + {held}"
            return held == 0 and found == rows and spent == cost
        try:
            wait_until(is_idle, SETTLES_WITHIN_S)
        except AssertionError as failure:
            raise AssertionError(f"{rows} rows, yet {self.budget()} and {self.ledger_sum()}") \
                from failure
        return self.budget()[0]


def answer_to(call, output=OUTPUT):
    usage = {"prompt_tokens": 5, "completion_tokens": output, "total_tokens": 5 + output}
    if b'"stream": true' in call.body or b'"stream":true' in call.body:
        return answers.stream(answers.events(["a"], usage=usage))
    return answers.chat(usage=usage)


@pytest.fixture
def stage():
    with Stage() as stage:
        yield stage


@pytest.fixture
def weir(stage, tmp_path):
    providers = {"main": {"dialect": "openai", "base_url": stage.base_url, "api_key": PROVIDER_KEY,
                          "catalogue": "openai"}}
    made = Weir(tmp_path, {**CONFIG, "providers": providers}, plain_port=lasting_port())
    made.admin_port = lasting_port()
    made.config["admin"]["listen"] = f"127.0.0.1:{made.admin_port}"
    made.write_config(made.config)
    try:
        yield made.start()
        made.stop()
    finally:
        made.kill()


def burst(stage, weir, owner, stream, expected):
    """Sends 200 at once; when the rest is refused, exactly `expected` are at the provider."""
    before = len(stage.calls)
    asks = stage.ask(weir.port, owner.request(stream), PARALLEL)
    stage.run_until(lambda: sum(ask.is_done for ask in asks) == PARALLEL - expected and
                    sum(call.is_held for call in stage.calls[before:]) == expected,
                    what=f"{expected} calls and the refusal of all others")
    spent, held = owner.budget()
    assert (spent, held) == ((WORTH - expected) * HELD, expected * HELD)
    assert Counter(ask.status for ask in asks if ask.is_done) == {429: PARALLEL - expected}
    assert len(stage.calls) - before == expected
    return asks


def settle(stage, asks):
    """The provider answers all; so every client has an answer."""
    for each in stage.held():
        each.answer(answer_to(each))
    stage.run_until(lambda: all(ask.is_done for ask in asks), what="all answers")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("level", LEVELS)
def test_of_200_at_once_a_budget_worth_10_admits_10(stage, weir, level, stream, is_full, report):
    repetitions = 100 if is_full else 6
    for _ in range(repetitions):
        owner = Owner(weir, level)
        asks = burst(stage, weir, owner, stream, WORTH)
        settle(stage, asks)
        assert Counter(ask.status for ask in asks) == {200: WORTH, 429: PARALLEL - WORTH}
        assert owner.wait_until_idle(rows=WORTH) == WORTH * HELD
        stage.forget()
    report(f"{repetitions} times {PARALLEL} requests at once: {WORTH} calls each time")


class Deaths:
    """What the lives came to that a kill ended."""

    def __init__(self, stage, weir, dice):
        self.stage, self.weir, self.dice = stage, weir, dice
        self.calls, self.rows = Counter(), Counter()  # of first lives
        self.answered = 0

    def first_life(self, owner, stream):
        """Ends at some moment: before the first call, between any two, while answers settle."""
        stage, dice = self.stage, self.dice
        if dice.random() < 0.7:
            stage.ask(self.weir.port, owner.request(stream), dice.randint(0, WORTH + 4))
            stage.run_for(dice.uniform(0, 0.006))
        else:
            stage.ask(self.weir.port, owner.request(stream), PARALLEL)
            stage.run_for(dice.uniform(0, 0.03))
        if dice.random() < 0.5:
            held = stage.held()
            for each in dice.sample(held, dice.randint(0, len(held))):
                each.answer(answer_to(each))
                self.answered += 1
            stage.run_for(dice.choice([0, dice.uniform(0, 0.004)]))
        self.weir.kill()
        stage.run_until_weir_is_gone()
        stage.run_until(lambda: all(ask.is_over for ask in stage.asks), what="the end of all clients")
        self.calls[len(stage.calls)] += 1
        assert len(stage.calls) <= WORTH

    def second_life(self, owner, stream):
        """What the ledger says is spent; exactly the rest is admitted."""
        self.weir.start()
        spent, held = owner.budget()
        cost, rows = owner.ledger_sum()
        calls = len(self.stage.calls)
        assert (spent, held) == (cost, 0)
        # A request is in the journal before it is a call: so there are as many rows at least.
        assert calls <= rows <= WORTH and cost == rows * HELD
        self.rows.update(each["outcome"] for each in query(
            self.weir, "SELECT outcome FROM usage WHERE key_id = ?", owner.id))
        asks = burst(self.stage, self.weir, owner, stream, WORTH - rows)
        settle(self.stage, asks)
        assert owner.wait_until_idle(rows=WORTH) == WORTH * HELD
        assert calls + WORTH - rows == len(self.stage.calls) <= WORTH


def test_a_kill_in_the_middle_never_makes_more_than_10_calls(stage, weir, is_full, report):
    repetitions = 100 if is_full else 6
    dice = random.Random(11)
    deaths = Deaths(stage, weir, dice)
    for _ in range(repetitions):
        owner, stream = Owner(weir, dice.choice(LEVELS)), dice.random() < 0.5
        deaths.first_life(owner, stream)
        deaths.second_life(owner, stream)
        stage.forget()
    report(f"{repetitions} kills, after so many calls: {dict(sorted(deaths.calls.items()))}; "
           f"{deaths.answered} answers were under way; rows at the restart: {dict(deaths.rows)}; "
           f"never more than {WORTH} calls in both lives, and as many as the ledger left room for")


COMPLETIONS = {"path": "/v1/completions"}
CAPPED = {"model": "capped", "max_tokens": None}
LARGER = {  # what a request may state
    "a large maximum": {"max_tokens": 4000},
    "the larger of two": {"max_tokens": 10, "max_completion_tokens": 3000},
    "eight choices": {"n": 8},
    "the best of three": {"best_of": 3, "prompt": "Hi", **COMPLETIONS},
    "four prompts": {"prompt": ["a", "b", "c", "d"], **COMPLETIONS},
    "no maximum": {"max_tokens": None},
    "no maximum, to a model that has one": CAPPED,
    "no maximum, in eight choices": CAPPED | {"n": 8},
    "input that is paid": {"model": "capped"},
    "a picture by its address": {"model": "capped", "content": [
        {"type": "image_url", "image_url": {"url": "http://e/x"}}]},
    "a file by its id": {"model": "capped", "content": [
        {"type": "file", "file": {"file_id": "file-1"}}]},
    "a dearer class": {"model": "gpt-5", "service_tier": "priority"},
}


def request_of(owner, shape):
    members = dict(LARGER[shape])
    content = members.pop("content", None)
    if content:
        members["messages"] = [{"role": "user", "content": content}]
    return owner.request(False, **members)


def held_by_one(stage, weir, shape):
    """What is held for it under a budget that is never short."""
    owner = Owner(weir, "team", "1000usd/total")
    stage.ask(weir.port, request_of(owner, shape))
    stage.run_until(lambda: len(stage.held()) == 1, what="a call")
    spent, held = owner.budget()
    assert spent == 0 and held > 0
    stage.held()[0].answer(answers.error(500))
    stage.run_until(lambda: stage.statuses() == [500], what="its refusal")
    assert owner.budget() == (0, 0)
    stage.forget()
    return held


@pytest.mark.parametrize("shape", LARGER)
def test_a_kill_makes_no_room_for_requests_that_state_more(stage, weir, shape):
    held = held_by_one(stage, weir, shape)
    owner = Owner(weir, "team", f"{held * WORTH / 1e9:.9f}usd/total")
    data = request_of(owner, shape)
    stage.ask(weir.port, data, PARALLEL)
    stage.run_until(lambda: len(stage.held()) == WORTH and
                    len(stage.statuses()) == PARALLEL - WORTH, what=f"{WORTH} calls")
    weir.kill()
    stage.run_until_weir_is_gone()
    weir.start()
    assert owner.budget() == (WORTH * held, 0) == (owner.ledger_sum()[0], 0)
    refused = stage.ask(weir.port, data, PARALLEL)
    stage.run_until(lambda: all(ask.is_done for ask in refused), what="all refusals")
    assert {ask.status for ask in refused} == {429} and len(stage.calls) == WORTH
