"""Budgets that are set, or begin anew, while requests run: what those cost is in them."""

import threading
import time

import pytest

from support import answers, wire
from support.ledger import row_for
from support.parallel import Parallel
from support.upstream import Gate
from support.weir import log_field

# A token of output costs 1,000 nano-dollars, one of input nothing.
CONFIG = {"prices": [{"provider": "main", "model": "gpt-test", "input": "0usd", "output": "1usd"}],
          "models": [{"name": "gpt-test", "targets": ["main"]}]}
# There it is always another day than in the next one: 25 hours apart.
EARLY, LATE = "Pacific/Pago_Pago", "Pacific/Kiritimati"


@pytest.fixture(scope="module")
def gateway(make_gateway):
    return make_gateway(CONFIG)


def usage(prompt, completion):
    return {"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion}


class Owner:
    count = 0

    def __init__(self, weir, budget=None, timezone="UTC"):
        Owner.count += 1
        self.weir, self.name = weir, f"late-{Owner.count}"
        options = ["--budget", budget] if budget else []
        weir.run("teams", "create", self.name, "--timezone", timezone, *options)
        weir.run("users", "create", self.name, "--team", self.name, *options)
        made = weir.run_json("keys", "create", "--user", self.name, *options)
        self.key, self.id = made["key"], made["id"]

    def spent(self):
        found = self.weir.run_json("explain", "--key", self.id, "--model", "gpt-test", code=None)
        return [each["spent_nanousd"] for each in found["budgets"]]

    def spends(self, *expected):
        deadline = time.monotonic() + 3
        while (spent := self.spent()) != list(expected):
            assert time.monotonic() < deadline, spent
            time.sleep(0.05)


def ask_for(gateway, owner, tokens, times=1):
    gateway.upstream.answer_always(answers.chat(usage=usage(5, tokens)))
    for _ in range(times):
        response = gateway.ask(key=owner.key, max_tokens=tokens)
        assert response.status == 200
    return response


class Running:
    """So many requests that each cost 100 tokens, and end when the block does."""

    def __init__(self, gateway, owner, count=3):
        body = {"model": "gpt-test", "max_tokens": 100,
                "messages": [{"role": "user", "content": "Hi"}]}
        self.gateway, self.count, self.gate = gateway, count, threading.Event()
        gateway.upstream.reset()
        gateway.upstream.answer_always([Gate(self.gate),
                                        *answers.chat(usage=usage(5, 100))])
        request = wire.request("POST", "/v1/chat/completions", body, owner.key)
        self.parallel = Parallel(gateway.weir.port, [request] * count)

    def __enter__(self):
        self.parallel.__enter__()
        self.gateway.upstream.wait_for_calls(self.count)

    def __exit__(self, *error):
        self.gate.set()
        self.parallel.wait(self.count)
        self.parallel.__exit__(*error)


def test_what_has_just_ended_is_in_a_budget_that_is_set(gateway):
    for budget in ("1usd/month", "1usd/hour", "1usd/total"):
        owner = Owner(gateway.weir)
        ask_for(gateway, owner, 1000, times=5)
        gateway.weir.run("keys", "set", owner.id, "--budget", budget)
        assert owner.spent() == [5_000_000]


@pytest.mark.parametrize("level", ["keys", "users", "teams"])
def test_what_runs_is_in_a_budget_that_is_set(gateway, level):
    owner = Owner(gateway.weir)
    ask_for(gateway, owner, 50)
    with Running(gateway, owner):
        name = owner.id if level == "keys" else owner.name
        gateway.weir.run(level, "set", name, "--budget", "1usd/day")
    owner.spends(350_000)


def test_what_runs_is_in_a_budget_that_is_removed_and_set_again(gateway):
    owner = Owner(gateway.weir, "1usd/day")
    with Running(gateway, owner):
        gateway.weir.run("keys", "set", owner.id, "--budget", "none")
        gateway.weir.run("keys", "set", owner.id, "--budget", "1usd/day")
    owner.spends(300_000, 300_000, 300_000)


def test_what_runs_is_in_another_window_that_is_added_and_once_in_the_former_one(gateway):
    owner = Owner(gateway.weir, "1usd/total")
    with Running(gateway, owner):
        gateway.weir.run("keys", "set", owner.id, "--budget", "1usd/total", "--budget", "2usd/day")
    owner.spends(300_000, 300_000, 300_000, 300_000)


def test_a_change_of_something_else_counts_nothing_twice(gateway):
    owner = Owner(gateway.weir, "1usd/day")
    with Running(gateway, owner):
        gateway.weir.run("keys", "set", owner.id, "--budget", "2usd/day")
        gateway.weir.run("users", "set", owner.name, "--limit", "1000req/min")
        gateway.weir.run("keys", "rotate", owner.id)
    owner.spends(300_000, 300_000, 300_000)


def test_another_time_zone_of_the_team_keeps_what_its_day_has_seen(gateway):
    owner = Owner(gateway.weir, "1usd/day", EARLY)
    row_for(gateway.weir, ask_for(gateway, owner, 900))
    with Running(gateway, owner):
        gateway.weir.run("teams", "set", owner.name, "--timezone", LATE)
    day_began_hours_ago = (time.time() / 3600 + 14) % 24
    if day_began_hours_ago > 0.1:  # the call was made in this day of the new zone
        owner.spends(1_200_000, 1_200_000, 1_200_000)


def test_a_user_that_moves_to_a_team_of_another_zone_keeps_what_its_day_has_seen(gateway):
    owner = Owner(gateway.weir, "1usd/day", EARLY)
    there = Owner(gateway.weir, None, LATE)
    row_for(gateway.weir, ask_for(gateway, owner, 900))
    with Running(gateway, owner):
        gateway.weir.run("teams", "add", there.name, owner.name)
    if (time.time() / 3600 + 14) % 24 > 0.1:
        owner.spends(1_200_000, 1_200_000)


def test_users_of_a_team_that_is_deleted_go_on_in_utc(gateway):
    owner = Owner(gateway.weir, "1usd/month", LATE)
    row_for(gateway.weir, ask_for(gateway, owner, 900))
    with Running(gateway, owner):
        gateway.weir.run("teams", "delete", owner.name)
    if time.gmtime().tm_mday > 1:
        owner.spends(1_200_000, 1_200_000)


def test_what_runs_is_in_a_budget_of_a_configuration_that_is_reloaded(make_gateway):
    gateway = make_gateway(CONFIG)
    owner = Owner(gateway.weir)
    ask_for(gateway, owner, 50)
    with Running(gateway, owner):
        config = dict(gateway.weir.config) | {"limits": ["1usd/day"]}
        gateway.weir.write_config(config)
        gateway.weir.send_signal(1)
        gateway.weir.wait_for_log(lambda line: "reloaded" in str(log_field(line, "message")))
        time.sleep(0.2)  # until the workers have it
    owner.spends(350_000)


def test_a_change_that_is_refused_leaves_a_rate_as_it_was(gateway):
    owner = Owner(gateway.weir)
    gateway.weir.run("keys", "create", "--user", owner.name, "--name", "taken")
    gateway.weir.run("keys", "set", owner.id, "--limit", "100req/min")
    ask_for(gateway, owner, 1, times=3)
    gateway.weir.run("keys", "set", owner.id, "--name", "taken", "--limit", "4req/min", code=1)
    answer = ask_for(gateway, owner, 1)
    assert answer.header("x-ratelimit-limit-requests") == "100"
    assert answer.header("x-ratelimit-remaining-requests") == "96"
