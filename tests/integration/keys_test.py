"""Users and keys: made, limited, ended, by commands on a running weir."""

import json
import re
import threading
import time

import pytest

from support import answers, wire
from support.upstream import Gate
from support.weir import wait_until

KEY = re.compile(r"sk-weir-[0-9A-Za-z_-]{32,}")


def status_of(gateway, key):
    return gateway.ask(key=key).status


def stops_within(gateway, key, seconds=1.0):
    started = time.monotonic()
    wait_until(lambda: status_of(gateway, key) == 401, 5, "the end of the key")
    return time.monotonic() - started < seconds


def test_a_new_key_works_at_once_and_is_shown_once(gateway, weir):
    made = weir.create_key("alice", "--name", "laptop")
    assert {"id", "key", "user", "name"} <= set(made)
    assert made["user"] == "alice" and made["name"] == "laptop"
    assert KEY.fullmatch(made["key"])
    assert status_of(gateway, made["key"]) == 200
    for said in (weir.run("keys", "list").stdout, weir.run("keys", "list", "--json").stdout,
                 weir.run("keys", "show", made["id"], "--json").stdout):
        assert made["key"] not in said
        assert made["id"] in said or "laptop" in said


def test_no_two_keys_are_alike(weir):
    assert len({weir.create_key("alice")["key"] for _ in range(5)}) == 5


def test_a_key_with_one_wrong_letter_is_no_key(gateway, weir):
    key = weir.create_key("alice")["key"]
    for at in (8, len(key) // 2, len(key) - 1):
        wrong = key[:at] + ("A" if key[at] != "A" else "B") + key[at + 1:]
        assert status_of(gateway, wrong) == 401
    for wrong in (key[:-1], key + "A", key.upper(), key + " x", key[8:]):
        assert status_of(gateway, wrong) == 401
    assert status_of(gateway, key) == 200


def test_a_revoked_key_stops_within_a_second_for_ever(gateway, weir):
    made = weir.create_key("alice")
    assert status_of(gateway, made["key"]) == 200
    weir.run("keys", "revoke", made["id"])
    assert stops_within(gateway, made["key"])
    weir.run("keys", "enable", made["id"], code=1)
    assert status_of(gateway, made["key"]) == 401


def test_a_revoked_key_stops_on_open_connections_of_all_workers(gateway, weir):
    made = weir.create_key("alice")
    connections = [weir.connect() for _ in range(16)]
    data = wire.request(body=b'{"model":"gpt-test","messages":[]}', key=made["key"])
    for connection in connections:
        connection.send(data)
        assert connection.response().status == 200
    weir.run("keys", "revoke", made["id"])
    time.sleep(1)  # the promise is a second
    for connection in connections:
        connection.send(data)
        assert connection.response().status == 401
        connection.close()


def test_a_disabled_key_sleeps_until_it_is_enabled(gateway, weir):
    made = weir.create_key("alice", "--name", "sleeper")
    weir.run("keys", "disable", "sleeper")
    assert stops_within(gateway, made["key"])
    weir.run("keys", "enable", "sleeper")
    wait_until(lambda: status_of(gateway, made["key"]) == 200, 1)


def test_an_expired_key_stops_by_itself(gateway, weir):
    made = weir.create_key("alice", "--expires", "2s")
    assert status_of(gateway, made["key"]) == 200
    wait_until(lambda: status_of(gateway, made["key"]) == 401, 5, "the expiry")
    assert weir.run_json("keys", "show", made["id"])["expires_at"]


def test_a_disabled_user_takes_its_keys_along(gateway, weir):
    first, second = weir.create_key("bob")["key"], weir.create_key("bob")["key"]
    other = weir.create_key("carol")["key"]
    weir.run("users", "disable", "bob")
    assert stops_within(gateway, first) and stops_within(gateway, second)
    assert status_of(gateway, other) == 200
    weir.run("users", "enable", "bob")
    wait_until(lambda: status_of(gateway, first) == status_of(gateway, second) == 200, 1)


def test_a_deleted_user_is_gone_with_its_keys(gateway, weir):
    made = weir.create_key("dave")
    weir.run("users", "delete", "dave")
    assert stops_within(gateway, made["key"])
    weir.run("users", "show", "dave", code=1)
    weir.run("keys", "show", made["id"], code=1)


def test_a_key_can_be_told_to_call_other_models(gateway, weir):
    made = weir.create_key("alice", "--models", "gpt-test")
    ask = lambda model: gateway.ask(key=made["key"], model=model).status  # noqa: E731
    assert (ask("gpt-test"), ask("renamed")) == (200, 404)
    weir.run("keys", "set", made["id"], "--models", "ren*")
    wait_until(lambda: (ask("gpt-test"), ask("renamed")) == (404, 200), 1)
    weir.run("keys", "set", made["id"], "--models", "none")
    wait_until(lambda: (ask("gpt-test"), ask("renamed")) == (200, 200), 1)


def test_an_applications_existing_key_is_taken(gateway, weir):
    made = weir.create_key("alice", "--key-stdin", stdin="our-own-key-0123456789abcdef\n")
    assert "our-own-key-0123456789abcdef" not in json.dumps(weir.run_json("keys", "list"))
    assert status_of(gateway, "our-own-key-0123456789abcdef") == 200
    weir.run("keys", "revoke", made["id"])
    assert stops_within(gateway, "our-own-key-0123456789abcdef")


@pytest.mark.parametrize("secret", ["", "\n", "short", "with space in it 0123456789", "x" * 5000])
def test_what_can_be_no_key_is_not_taken(weir, secret):
    weir.run("keys", "create", "--user", "tester", "--key-stdin", stdin=secret, code=2)


def test_the_same_existing_key_is_taken_once(weir):
    weir.create_key("alice", "--key-stdin", stdin="another-own-key-0123456789abcdef")
    weir.run("keys", "create", "--user", "alice", "--key-stdin",
             stdin="another-own-key-0123456789abcdef", code=1)


def test_a_key_in_x_api_key_follows_the_same_rules(gateway, weir):
    made = weir.create_key("alice")
    ask = lambda: weir.post("/v1/chat/completions", {"model": "gpt-test", "messages": []},  # noqa: E731
                            headers=[("x-api-key", made["key"])]).status
    assert ask() == 200
    weir.run("keys", "revoke", made["id"])
    wait_until(lambda: ask() == 401, 1)


def test_the_last_use_of_a_key_is_shown(gateway, weir):
    made = weir.create_key("alice")
    show = lambda: weir.run_json("keys", "show", made["id"])  # noqa: E731
    assert show()["last_used_at"] is None
    assert status_of(gateway, made["key"]) == 200
    used = wait_until(lambda: show()["last_used_at"], 15, "the last use")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", used)


def test_the_keys_of_one_user_are_listed(weir):
    weir.run("users", "create", "many")
    for _ in range(12):
        weir.create_key("many")
    assert len(weir.run_json("keys", "list", "--user", "many")) == 12


def test_a_stream_of_a_key_that_is_revoked_meanwhile_is_not_cut(gateway, weir, upstream):
    gate = threading.Event()
    upstream.answer([*answers.stream()[:2], Gate(gate), *answers.stream()[2:]])
    made = weir.create_key("alice")
    with weir.connect() as connection:
        connection.send(wire.request(key=made["key"], body={
            "model": "gpt-test", "messages": [], "stream": True}))
        stream = wire.Stream(connection)
        stream.next_event()
        weir.run("keys", "revoke", made["id"])
        gate.set()
        assert stream.rest() and b"[DONE]" in stream.body


# Users

def test_users_are_made_listed_and_shown(weir):
    made = weir.run_json("users", "create", "erin")
    assert made["name"] == "erin" and made["id"] and made["disabled"] is False
    assert made in weir.run_json("users", "list")
    assert weir.run_json("users", "show", "erin") == made
    assert weir.run_json("users", "show", made["id"]) == made


def test_a_name_is_taken_once(weir):
    weir.run("users", "create", "frank")
    assert "frank" in weir.run("users", "create", "frank", code=1).stderr
    weir.create_key("frank", "--name", "one")
    weir.run("keys", "create", "--user", "frank", "--name", "one", code=1)


@pytest.mark.parametrize("arguments", [
    ["users", "show", "nobody"], ["users", "disable", "nobody"], ["users", "delete", "nobody"],
    ["keys", "show", "nobody"], ["keys", "revoke", "nobody"],
    ["keys", "set", "nobody", "--name", "x"],
    ["keys", "create", "--user", "nobody"], ["keys", "list", "--user", "nobody"]])
def test_what_is_not_there_fails_with_1_and_is_named(weir, arguments):
    done = weir.run(*arguments, code=1)
    assert "nobody" in done.stderr and not done.stdout and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [
    ["users", "create", ""], ["users", "create", "a\nb"], ["users", "create", "x" * 1000],
    ["keys", "create", "--user", "tester", "--expires", "soon"],
    ["keys", "create", "--user", "tester", "--expires", "-1d"],
    ["keys", "create", "--user", "tester", "--expires", "2001-01-01"],
    ["keys", "create", "--user", "tester", "--models", "a*b"],
    ["keys", "create", "--user", "tester", "--models", ""],
    ["keys", "create"], ["keys", "create", "--user"], ["keys"], ["users"], ["users", "create"],
    ["users", "create", "a", "b"], ["users", "frobnicate"], ["keys", "create", "--frobnicate"],
])
def test_wrong_input_fails_with_2_and_says_why(weir, arguments):
    done = weir.run(*arguments, code=2)
    assert done.stderr and not done.stdout


def test_a_secret_in_an_argument_is_refused(gateway, weir):
    done = weir.run("keys", "revoke", gateway.key, code=None)
    assert done.returncode in (1, 2) and gateway.key not in done.stderr
    assert status_of(gateway, gateway.key) == 200
