"""Teams, and what teams, users and keys may do and how much: made, changed and shown by commands."""

import concurrent.futures
import json
import re

import pytest

from support.weir import Weir, standard_config, wait_until

KEY = re.compile(r"sk-weir-[0-9A-Za-z_-]{32,}")


def status_of(gateway, key, **more):
    return gateway.ask(key=key, **more).status


def entries(weir, action):
    """The audit entries of an action, the newest last, with their details."""
    return [json.loads(each["details"]) if isinstance(each["details"], str) else each["details"]
            for each in weir.run_json("audit", "tail", "--lines", "1000")
            if each["action"] == action]


# Teams

def test_a_team_is_made_shown_and_listed_alike(weir):
    made = weir.run_json("teams", "create", "research", "--budget", "500usd/month", "--limit",
                         "6000req/min", "--timezone", "Europe/Berlin", "--tags", "a,b",
                         "--warn-only")
    assert made["name"] == "research" and made["timezone"] == "Europe/Berlin"
    assert made["limits"] == ["6000req/min"] and made["budgets"] == ["500usd/month"]
    assert made["tags"] == ["a", "b"] and made["warn_only"] is True and made["models"] is None
    assert weir.run_json("teams", "show", "research") == made
    assert weir.run_json("teams", "show", made["id"]) == made
    assert made in weir.run_json("teams", "list")
    table = weir.run("teams", "list").stdout
    assert "research" in table and "500usd/month" in table and "Europe/Berlin" in table
    assert entries(weir, "team.create")[-1] == {
        "name": "research", "timezone": "Europe/Berlin", "tags": ["a", "b"],
        "limits": ["6000req/min"], "budgets": ["500usd/month"], "warn_only": True}


def test_set_changes_only_what_is_given(weir):
    weir.run("teams", "create", "setting", "--limit", "60req/min", "--limit", "5parallel",
             "--budget", "10usd/month", "--models", "gpt-test,ren*", "--networks", "10.0.0.0/8")
    changed = weir.run_json("teams", "set", "setting", "--rpm", "30", "--budget", "1usd/day")
    assert sorted(changed["limits"]) == ["30req/min", "5parallel"]
    assert sorted(changed["budgets"]) == ["10usd/month", "1usd/day"]
    assert changed["models"] == ["gpt-test", "ren*"] and changed["networks"] == ["10.0.0.0/8"]
    changed = weir.run_json("teams", "set", "setting", "--limit", "none", "--models", "none")
    assert changed["limits"] == [] and changed["models"] is None
    assert sorted(changed["budgets"]) == ["10usd/month", "1usd/day"]
    assert entries(weir, "team.set")[-1]["models"] is None
    assert "tags" not in entries(weir, "team.set")[-1]


def test_changes_of_limits_at_once_do_not_undo_each_other(weir):
    limits = [f"{i + 1}{kind}/{window}" for i, (kind, window) in enumerate(
        (kind, window) for kind in ("req", "tok") for window in ("min", "hour", "day"))]
    for team in ("crowd-1", "crowd-2", "crowd-3", "crowd-4"):
        weir.run("teams", "create", team)
        with concurrent.futures.ThreadPoolExecutor(len(limits)) as pool:
            done = list(pool.map(lambda limit: weir.run(  # noqa: B023
                "teams", "set", team, "--limit", limit, code=None), limits))
        held = weir.run_json("teams", "show", team)["limits"]
        for each, limit in zip(done, limits):
            assert (each.returncode, limit in held) in ((0, True), (1, False)), each.stderr
            assert each.returncode == 0 or "changed" in each.stderr


def test_users_are_in_one_team_or_none(weir):
    weir.run("teams", "create", "red")
    weir.run("teams", "create", "blue")
    assert weir.run_json("users", "create", "uma", "--team", "red")["team"] == "red"
    assert weir.run_json("teams", "add", "blue", "uma")["team"] == "blue"
    assert [each["name"] for each in weir.run_json("users", "list", "--team", "blue")] == ["uma"]
    assert weir.run_json("users", "list", "--team", "red") == []
    assert "not in" in weir.run("teams", "remove", "red", "uma", code=1).stderr
    assert weir.run_json("teams", "remove", "blue", "uma")["team"] is None
    assert weir.run_json("users", "set", "uma", "--team", "red")["team"] == "red"
    assert weir.run_json("teams", "delete", "red")["users_released"] == 1
    assert weir.run_json("users", "show", "uma")["team"] is None


def test_a_disabled_team_takes_its_keys_along(gateway, weir):
    weir.run("teams", "create", "asleep")
    made = weir.create_key("sam")
    weir.run("teams", "add", "asleep", "sam")
    assert status_of(gateway, made["key"]) == 200
    weir.run("teams", "disable", "asleep")
    wait_until(lambda: status_of(gateway, made["key"]) == 401, 1)
    assert weir.run_json("keys", "show", made["id"])["state"] == "team_disabled"
    weir.run("teams", "remove", "asleep", "sam")
    wait_until(lambda: status_of(gateway, made["key"]) == 200, 1)
    weir.run("teams", "add", "asleep", "sam")
    wait_until(lambda: status_of(gateway, made["key"]) == 401, 1)
    weir.run("teams", "delete", "asleep")
    wait_until(lambda: status_of(gateway, made["key"]) == 200, 1)


def test_key_user_and_team_must_all_allow_a_model(gateway, weir):
    made = weir.create_key("mia", "--models", "gpt-test,renamed")
    weir.run("teams", "create", "narrow")
    weir.run("teams", "add", "narrow", "mia")
    ask = lambda model: status_of(gateway, made["key"], model=model)  # noqa: E731
    assert (ask("gpt-test"), ask("renamed")) == (200, 200)
    weir.run("teams", "set", "narrow", "--models", "gpt*")
    wait_until(lambda: (ask("gpt-test"), ask("renamed")) == (200, 404), 1)
    weir.run("users", "set", "mia", "--models", "renamed")
    wait_until(lambda: (ask("gpt-test"), ask("renamed")) == (404, 404), 1)
    weir.run("teams", "set", "narrow", "--models", "none")
    wait_until(lambda: (ask("gpt-test"), ask("renamed")) == (404, 200), 1)


# Users and keys

def test_users_and_keys_carry_the_same(weir):
    options = ["--limit", "100000tok/day", "--max-parallel", "20", "--tpm", "5000", "--budget",
               "10usd/month", "--routes", "/chat*,/v1/embeddings", "--networks", "2001:db8::/32",
               "--tags", "x"]
    made = weir.run_json("users", "create", "carrier", *options)
    key = weir.create_key("carrier", "--name", "carried", *options)
    for each in (made, key, weir.run_json("users", "show", "carrier"),
                 weir.run_json("keys", "show", "carried")):
        assert sorted(each["limits"]) == ["100000tok/day", "20parallel", "5000tok/min"]
        assert each["budgets"] == ["10usd/month"]
        assert each["routes"] == ["/v1/chat*", "/v1/embeddings"]
        assert each["networks"] == ["2001:db8::/32"] and each["tags"] == ["x"]
        assert each["warn_only"] is False
    changed = weir.run_json("keys", "set", "carried", "--tpm", "none", "--tags", "none",
                            "--warn-only")
    assert sorted(changed["limits"]) == ["100000tok/day", "20parallel"]
    assert changed["tags"] is None and changed["warn_only"] is True
    assert weir.run_json("keys", "set", "carried", "--no-warn-only")["warn_only"] is False
    assert "100000tok/day" in weir.run("keys", "list", "--user", "carrier").stdout
    assert entries(weir, "key.set")[-1] == {"user": "carrier", "name": "carried",
                                            "warn_only": False}


# Rotation

def test_a_rotated_key_has_two_secrets_until_the_overlap_ends(gateway, weir):
    made = weir.create_key("rot", "--name", "turning")
    rotated = weir.run_json("keys", "rotate", "turning", "--overlap", "2s")
    assert rotated["id"] == made["id"] and KEY.fullmatch(rotated["key"])
    assert rotated["key"] != made["key"] and rotated["former_ends_at"]
    assert status_of(gateway, rotated["key"]) == 200
    assert status_of(gateway, made["key"]) == 200
    wait_until(lambda: status_of(gateway, made["key"]) == 401, 5, "the end of the overlap")
    assert status_of(gateway, rotated["key"]) == 200
    shown = weir.run("keys", "show", "turning", "--json").stdout
    assert rotated["key"] not in shown and json.loads(shown)["former_ends_at"] is None
    told = json.dumps(entries(weir, "key.rotate"))
    assert "turning" in told and rotated["key"] not in told and made["key"] not in told


def test_without_overlap_the_former_secret_ends_at_once(gateway, weir):
    made = weir.create_key("rot", "--name", "sudden")
    rotated = weir.run_json("keys", "rotate", "sudden", "--overlap", "0s")
    wait_until(lambda: status_of(gateway, made["key"]) == 401, 1)
    assert status_of(gateway, rotated["key"]) == 200
    weir.run("keys", "create", "--user", "rot", "--key-stdin", stdin=made["key"], code=1)
    assert status_of(gateway, made["key"]) == 401


def test_both_secrets_end_with_the_key(gateway, weir):
    made = weir.create_key("rot", "--name", "ending")
    rotated = weir.run_json("keys", "rotate", "ending")
    assert status_of(gateway, made["key"]) == status_of(gateway, rotated["key"]) == 200
    weir.run("keys", "revoke", "ending")
    wait_until(lambda: status_of(gateway, made["key"]) == status_of(gateway, rotated["key"]) == 401,
               1)
    assert "revoked" in weir.run("keys", "rotate", made["id"], code=1).stderr


# Without a server, and over a restart

def test_it_all_works_without_a_server_and_holds_in_the_next(tmp_path, gateway):
    weir = Weir(tmp_path, standard_config(gateway.upstream.base_url))
    try:
        weir.start()
        made = weir.create_key("off", "--name", "offline")
        weir.stop()
        weir.run("teams", "create", "night", "--models", "gpt-test", "--limit", "60req/min",
                 "--timezone", "Asia/Tokyo")
        weir.run("teams", "add", "night", "off")
        rotated = weir.run_json("keys", "rotate", "offline")
        weir.start()
        for key in (made["key"], rotated["key"]):
            models = json.loads(weir.get("/v1/models", key).body)["data"]
            assert {each["id"] for each in models} == {"gpt-test"}
        assert weir.run_json("teams", "show", "night")["timezone"] == "Asia/Tokyo"
        weir.run("teams", "disable", "night")
        wait_until(lambda: weir.get("/v1/models", made["key"]).status == 401, 1)
        weir.run("audit", "verify")
    finally:
        weir.kill()


# Wrong input

@pytest.mark.parametrize("arguments", [
    ["teams", "show", "nobody"], ["teams", "set", "nobody", "--rpm", "1"],
    ["teams", "add", "nobody", "tester"], ["teams", "delete", "nobody"],
    ["users", "create", "ursula", "--team", "nobody"], ["users", "list", "--team", "nobody"],
    ["users", "set", "tester", "--team", "nobody"], ["keys", "rotate", "nobody"]])
def test_what_is_not_there_fails_with_1_and_is_named(weir, arguments):
    done = weir.run(*arguments, code=1)
    assert "nobody" in done.stderr and not done.stdout and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments, said", [
    (["teams", "create"], "NAME"), (["teams", "create", ""], "name"), (["teams"], "teams"),
    (["teams", "add", "a"], "T U"), (["teams", "frobnicate"], "frobnicate"),
    (["teams", "create", "w", "--limit", "60req"], "60req"),
    (["teams", "create", "w", "--limit", "0req/min"], "0req/min"),
    (["teams", "create", "w", "--limit", "10usd/month"], "--budget"),
    (["teams", "create", "w", "--budget", "60req/min"], "--limit"),
    (["teams", "create", "w", "--limit", "1req/min", "--rpm", "2"], "req"),
    (["teams", "create", "w", "--max-parallel", "many"], "--max-parallel"),
    (["teams", "create", "w", "--networks", "10.0.0.1/8"], "10.0.0"),
    (["teams", "create", "w", "--routes", "/v1/embedings"], "/v1/embeddings"),
    (["teams", "create", "w", "--timezone", "Europe/Berlyn"], "Europe/Berlyn"),
    (["teams", "create", "w", "--timezone", "../../etc/passwd"], "time zone"),
    (["teams", "create", "w", "--tags", "a b"], "tag"),
    (["teams", "create", "w", "--warn-only", "--no-warn-only"], "--no-warn-only"),
    (["teams", "set", "w"], "what to set"), (["users", "set", "w"], "what to set"),
    (["keys", "set", "w"], "what to set"), (["keys", "set", "w", "--priority", "1"], "version"),
    (["keys", "show", "w", "--limit", "1req/min"], "--limit"),
])
def test_wrong_input_fails_with_2_and_says_why(weir, arguments, said):
    done = weir.run(*arguments, code=2)
    assert said in done.stderr and not done.stdout
    assert not any(each["name"] == "w" for each in weir.run_json("teams", "list"))


def test_a_wrong_overlap_fails_with_2(weir):
    weir.create_key("rot", "--name", "steady")
    for overlap in ("soon", "-1h", "999d", ""):
        assert "24h" in weir.run("keys", "rotate", "steady", "--overlap", overlap, code=2).stderr
