"""Random requests against budgets at three levels, beside a reference that only adds and subtracts.

One thing happens at a time, so each change of what is held or spent belongs to one request. Costs that
nobody can know beforehand (of clients that left, of answers without usage) are taken from the ledger at
the end, when every budget has to be, to the nano-dollar, the sum of its rows.
"""

import json
import random
import time

import pytest

from support import answers, wire
from support.admin_socket import call
from support.ledger import query
from support.stage import Stage
from support.weir import PROVIDER_KEY, Weir, wait_until

LIMITS = {"key": 20_000_000, "user": 30_000_000, "team": 45_000_000}  # nano-dollars
PRICES = {"free-input": (0, 1000), "full": (1000, 4000)}  # of a token of input, of output
MIN_OUTPUT, MODEL_OUTPUT = 256, 16_000
WINDOW = 16_000
OPERATIONS = 120
OUTRUN_S = 0.03  # so long after its events a stream may yet be ended
SEEDS = range(6)
CONTENTS = {
    "text": "Hi",
    "image": [{"type": "image_url", "image_url": {"url": "http://example/x.png"}}],
    "file": [{"type": "file", "file": {"file_id": "file-1"}}],
}
CONFIG = {
    "workers": 2,
    "models": [{"name": name, "targets": ["main"], "window": WINDOW, "max_output": MODEL_OUTPUT}
               for name in PRICES],
    "prices": [{"provider": "main", "model": name, "input": f"{price[0] / 1000}usd",
                "output": f"{price[1] / 1000}usd"} for name, price in PRICES.items()]}


class Owners:
    """A team of two users; one has two keys, the other one. Everybody has a budget."""

    def __init__(self, weir, name):
        self.weir, self.users, self.keys = weir, {}, {}
        self.team = self.make("/teams", "team", name=name)["id"]
        for user, keys in (("a", 2), ("b", 1)):
            made = self.make("/users", "user", name=f"{name}-{user}", team=name)
            for _ in range(keys):
                key = self.make("/keys", "key", user=made["id"])
                self.keys[key["id"]] = key["key"]
                self.users[key["id"]] = made["id"]

    def make(self, path, level, **members):
        budget = f"{LIMITS[level] / 1e9}usd/total"
        made = call(self.weir, "POST", path, members | {"budgets": [budget]})
        assert made.status == 201, made.text
        return made.body

    def levels_of(self, key):
        return {"key": key, "user": self.users[key], "team": self.team}

    def all_ids(self):
        return {*self.keys, *self.users.values(), self.team}

    def look(self):
        """{id: (spent, held)} of every budget."""
        found = {}
        for level in LIMITS:
            listed = call(self.weir, "GET", f"/budgets?level={level}&limit=1000").body
            assert listed["next"] is None
            found |= {each["id"]: (each["spent_nanousd"], each["held_nanousd"])
                      for each in listed["items"]}
        return {each: found[each] for each in self.all_ids()}


class Open:
    """A request that was admitted."""

    def __init__(self, ask, key, plan, hold):
        self.ask, self.key, self.plan, self.hold = ask, key, plan, hold
        self.has_begun = False  # a part of its stream has passed


class Reference:
    """What every budget ought to be."""

    def __init__(self, owners):
        self.owners = owners
        self.spent = dict.fromkeys(owners.all_ids(), 0)  # by what is known
        self.excess = dict(self.spent)  # beyond the holds: no budget can know that before
        self.has_unknown = dict.fromkeys(self.spent, False)
        self.requests = []  # that are open
        self.growing = None  # the stream that may have come to hold more
        self.admitted = 0

    def levels(self, request):
        return self.owners.levels_of(request.key).values()

    def end(self, request, cost):
        """None: the ledger will tell."""
        self.requests.remove(request)
        for each in self.levels(request):
            if cost is None:
                self.has_unknown[each] = True
            else:
                self.spent[each] += cost
                self.excess[each] += max(0, cost - request.hold)

    def is_met(self, seen):
        if self.growing in self.requests:
            holds = sum(each.hold for each in self.requests if each.key == self.growing.key)
            self.growing.hold += max(0, seen[self.growing.key][1] - holds)
        held = dict.fromkeys(seen, 0)
        for request in self.requests:
            for each in self.levels(request):
                held[each] += request.hold
        for each, (spent, is_held) in seen.items():
            if is_held != held[each] or spent < self.spent[each] or \
                    (spent > self.spent[each] and not self.has_unknown[each]):
                return False
        return True


class Play:
    """One seed: what is done, and the looks in between."""

    def __init__(self, stage, weir, seed):
        self.stage, self.weir, self.dice = stage, weir, random.Random(seed)
        self.owners = Owners(weir, f"seed-{seed}")
        self.reference = Reference(self.owners)
        self.count = 0
        self.done = dict.fromkeys(("admitted", "refused"), 0)

    # Looks

    def look(self):
        seen = self.owners.look()
        limits = {self.owners.team: LIMITS["team"]}
        limits |= dict.fromkeys(self.owners.users.values(), LIMITS["user"])
        limits |= dict.fromkeys(self.owners.keys, LIMITS["key"])
        for each, (spent, held) in seen.items():
            over = spent + held - limits[each] - self.reference.excess[each]
            assert over <= 0, f"{over} too much is committed: {seen}"
        return seen

    def settle(self):
        """Until the budgets are what they ought to be."""
        try:
            wait_until(lambda: self.reference.is_met(self.look()), 3)
        except AssertionError as failure:
            holds = [each.hold for each in self.reference.requests]
            raise AssertionError(f"{self.look()}, and not {self.reference.spent} with {holds}; "
                                 f"{failure}") from failure

    # Requests

    def plan(self):
        dice = self.dice
        plan = {"model": dice.choice(list(PRICES)), "stream": dice.random() < 0.5,
                "content": dice.choices(list(CONTENTS), [6, 1, 1])[0],
                "n": dice.choice([None, None, 1, 8])}
        for name in ("max_tokens", "max_completion_tokens"):
            plan[name] = dice.choice([None, 1, 50, 400, 2000, 6000])
        return plan

    def ask(self):
        plan, key = self.plan(), self.dice.choice(list(self.owners.keys))
        self.count += 1
        body = {name: plan[name] for name in ("model", "stream", "n", "max_tokens",
                                              "max_completion_tokens") if plan[name] is not None}
        body |= {"user": f"r{self.count}",
                 "messages": [{"role": "user", "content": CONTENTS[plan["content"]]}]}
        before = self.look()
        data = wire.request("POST", "/v1/chat/completions", body, self.owners.keys[key])
        [ask] = self.stage.ask(self.weir.port, data)
        ask.name = body["user"]
        self.stage.run_until(lambda: ask.is_done or self.call_of(ask), what="a call or a refusal")
        room = min(LIMITS[level] - sum(before[each])
                   for level, each in self.owners.levels_of(key).items())
        if ask.is_done:
            assert ask.status in (400, 429), ask.data
            assert b"insufficient_quota" in ask.data or b"request_exceeds_limit" in ask.data, ask.data
            assert self.look() == before, "a refusal has taken something"
            assert plan["model"] == "full" or least_hold(plan) > room, (plan, room, ask.data)
            self.done["refused"] += 1
            return
        self.admit(ask, key, plan, before, room)

    def admit(self, ask, key, plan, before, room):
        after = self.look()
        levels = self.owners.levels_of(key).values()
        [hold] = {after[each][1] - before[each][1] for each in levels}
        assert all(after[each] == before[each] for each in after if each not in levels)
        assert 0 < hold <= room
        if plan["model"] == "free-input":
            assert hold == expected_hold(plan, room), (plan, room, hold)
        self.check_written(ask, plan, hold)
        self.reference.requests.append(Open(ask, key, plan, hold))
        self.reference.admitted += 1
        self.done["admitted"] += 1

    def check_written(self, ask, plan, hold):
        """What is not the request's own maximum was told to the provider, if it is not the model's."""
        sent = json.loads(self.call_of(ask).body)
        told = max(sent.get("max_tokens", 0), sent.get("max_completion_tokens", 0))
        if stated(plan) is not None:
            assert told == stated(plan)
        elif told:
            assert hold >= told * choices(plan) * PRICES[plan["model"]][1]

    def call_of(self, ask):
        """The call that waits for its answer."""
        return next((each for each in self.stage.held()
                     if json.loads(each.body)["user"] == ask.name), None)

    # What becomes of them

    def some(self, condition=lambda request: True):
        fitting = [each for each in self.reference.requests if condition(each)]
        return self.dice.choice(fitting) if fitting else None

    def usage_of(self, request):
        """(input, output): less than held, as much, or more than the request allows."""
        output_price = PRICES[request.plan["model"]][1]
        most = max(1, request.hold // output_price)
        if request.plan["content"] == "text" and request.plan["model"] == "full":
            most = max(1, min(most, (stated(request.plan) or MIN_OUTPUT) * choices(request.plan)))
        output = self.dice.choice([0, 1, most // 2, most, most, most + 20])
        return self.dice.choice([1, 7, 9]), output

    def answer(self):
        request = self.some()
        if not request:
            return
        tokens = self.usage_of(request)
        usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1],
                 "total_tokens": sum(tokens)}
        call = self.call_of(request.ask)
        if request.plan["stream"]:
            pieces = answers.stream(answers.events(["a", "b"], usage=usage))
            call.answer(pieces[1:] if request.has_begun else pieces)
        else:
            call.answer(answers.chat(usage=usage))
        self.finish(request)
        assert request.ask.status == 200
        prices = PRICES[request.plan["model"]]
        self.reference.end(request, tokens[0] * prices[0] + tokens[1] * prices[1])

    def begin_stream(self):
        """Some events pass, perhaps more than the request allows: then more is held, or it ends."""
        request = self.some(lambda each: each.plan["stream"] and not each.has_begun)
        if not request:
            return
        words = ["word "] * self.dice.choice([1, 20, 300])
        before = self.owners.look()
        pieces = answers.stream(answers.events(words, done=False, finish=False))
        self.call_of(request.ask).say(b"".join(pieces[:-1]))
        self.stage.run_until(lambda: request.ask.is_done or
                             request.ask.data.count(b"word ") == len(words), what="the events")
        self.stage.run_for(OUTRUN_S)
        request.has_begun = True
        self.reference.growing = request
        if request.ask.is_done:
            self.is_outrun(request, len(words), before)

    def is_outrun(self, request, words, before):
        """Billed for what was delivered; which the provider sent beyond the request's maximum."""
        assert b"insufficient_quota" in request.ask.data
        self.reference.end(request, None)
        held = before[request.key][1] - request.hold
        wait_until(lambda: self.owners.look()[request.key][1] == held, 3, "the end of the hold")
        cost = self.owners.look()[request.key][0] - before[request.key][0]
        prices = PRICES[request.plan["model"]]
        assert words > (stated(request.plan) or 0) * choices(request.plan)
        assert 0 < cost <= 1.3 * words * prices[1] + WINDOW * prices[0]
        for each in self.reference.levels(request):
            self.reference.excess[each] += max(0, cost - request.hold)

    def fail(self):
        """The provider's error costs nothing."""
        request = self.some(lambda each: not each.has_begun)
        if not request:
            return
        status = self.dice.choice([400, 429, 500, 503])
        while not request.ask.is_done:  # it may be asked again
            call = self.call_of(request.ask)
            if call:
                call.answer(answers.error(status))
            self.stage.step(0.05)
        assert request.ask.status >= 400
        self.reference.end(request, 0)

    def break_off(self):
        """The provider closes in the middle, or leaves out what was used."""
        request = self.some()
        if not request:
            return
        call = self.call_of(request.ask)
        if request.plan["stream"] and self.dice.random() < 0.5:
            pieces = answers.stream(answers.events(["a", "b"]))
            call.answer(pieces[1:] if request.has_begun else pieces)
        elif request.plan["stream"]:
            call.answer([] if request.has_begun else answers.stream()[:3])
            self.stage.close_call(call)
        else:
            call.answer(answers.chat(usage=None))
        self.finish(request)
        self.reference.end(request, None)

    def leave(self):
        request = self.some()
        if not request:
            return
        call = self.call_of(request.ask)
        self.stage.leave(request.ask)
        self.stage.run_until(lambda: call.is_gone, what="the end of the call")
        self.reference.end(request, None)

    def finish(self, request):
        self.stage.run_until(lambda: request.ask.is_done, what="the end of an answer")

    # All of it

    def run(self):
        steps = [self.ask] * 8 + [self.answer] * 4 + [self.begin_stream] * 2 + \
            [self.fail, self.break_off, self.leave]
        for _ in range(OPERATIONS):
            self.dice.choice(steps)()
            self.settle()
        while self.reference.requests:
            self.dice.choice([self.answer, self.break_off, self.leave])()
            self.settle()
        self.compare_with_ledger()

    def compare_with_ledger(self):
        def rows():
            keys = ", ".join(f"'{each}'" for each in self.owners.keys)
            return query(self.weir, f"SELECT key_id, cost_nanousd FROM usage WHERE key_id IN ({keys})")

        found = wait_until(lambda: len(rows()) >= self.reference.admitted and rows(), 10, "all rows")
        assert len(found) == self.reference.admitted
        sums = dict.fromkeys(self.owners.all_ids(), 0)
        for row in found:
            for each in self.owners.levels_of(row["key_id"]).values():
                sums[each] += row["cost_nanousd"]
        assert self.look() == {each: (cost, 0) for each, cost in sums.items()}


def stated(plan):
    found = [plan[name] for name in ("max_tokens", "max_completion_tokens") if plan[name]]
    return max(found) if found else None


def choices(plan):
    return plan["n"] or 1


def least_hold(plan):
    """Of the model whose input is free."""
    return (stated(plan) or MIN_OUTPUT) * choices(plan) * PRICES["free-input"][1]


def expected_hold(plan, room):
    """The same: its own maximum, or as much of the model's as is affordable."""
    price = PRICES["free-input"][1]
    if stated(plan):
        return stated(plan) * choices(plan) * price
    each = min(MODEL_OUTPUT, room // price // choices(plan))
    return each * choices(plan) * price


@pytest.fixture(scope="module")
def stage():
    with Stage() as stage:
        yield stage


@pytest.fixture(scope="module")
def weir(stage, tmp_path_factory):
    provider = {"dialect": "openai", "base_url": stage.base_url, "api_key": PROVIDER_KEY}
    with Weir(tmp_path_factory.mktemp("weir"), CONFIG | {"providers": {"main": provider}}) as weir:
        yield weir


@pytest.mark.parametrize("seed", SEEDS)
def test_budgets_are_what_a_reference_says_whatever_is_asked(stage, weir, seed):
    stage.forget()
    play = Play(stage, weir, seed)
    play.run()
    assert min(play.done.values()) >= 10, play.done
