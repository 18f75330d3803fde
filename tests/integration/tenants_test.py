"""What one tenant has is never seen by another, and every route asks for a key.

The routes are read from the dispatch table itself, so that a new one cannot be forgotten."""

import json
import re
from pathlib import Path

import pytest

from support import answers, wire
from support.ledger import query, row_for
from support.weir import wait_until

TABLE = Path(__file__).resolve().parents[2] / "src" / "gateway" / "route.c"
ENTRY = re.compile(r'\{"(/[^"]*)",\s*"(/[^"]*)",\s*ROUTE_METHOD_(\w+),\s*ERROR_STYLE_(\w+),\s*'
                   r'(true|false),')
OPEN = {"/v1/health", "/livez", "/readyz", "/healthz"}  # need no key, by contract


def routes():
    text = TABLE.read_text()
    table = text[text.index("routes[] = {"):text.index("\n};", text.index("routes[] = {"))]
    found = [match.groups() for match in ENTRY.finditer(table)]
    assert len(found) == table.count("_handle"), "an entry of the table is not understood"
    return [(path, method, needs_key == "true") for path, _, method, _, needs_key in found]


ROUTES = routes()
LOCKED = [(path, method) for path, method, needs_key in ROUTES if needs_key]


def test_only_probes_need_no_key():
    assert {path for path, _, needs_key in ROUTES if not needs_key} == OPEN
    assert len(LOCKED) >= 10


def body_of(path, model="gpt-test"):
    if path.endswith("/embeddings") or path.endswith("/moderations"):
        return {"model": model, "input": "Hi"}
    if path.endswith("/completions") and "chat" not in path:
        return {"model": model, "prompt": "Hi"}
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}]}


def call(gateway, path, method, key, model="gpt-test", headers=()):
    if path.endswith("/"):
        path += model
    if method == "GET":
        return gateway.weir.get(path, key=key, headers=headers)
    return gateway.weir.post(path, body_of(path, model), key, headers)


@pytest.fixture(scope="module")
def gateway(make_gateway):
    return make_gateway()


@pytest.fixture(scope="module")
def tenants(gateway):
    return [Tenant(gateway.weir, name) for name in ("alpha", "bravo")]


class Tenant:
    """A team, its user and key; every word of it has a canary."""

    def __init__(self, weir, name):
        self.canary = f"canary-{name}-7f3d"
        self.team, self.user = f"team-{self.canary}", f"user-{self.canary}"
        weir.run("teams", "create", self.team, "--tags", f"tag-{self.canary}")
        weir.run("users", "create", self.user, "--team", self.team)
        made = weir.run_json("keys", "create", "--user", self.user, "--name", f"key-{self.canary}")
        self.key, self.id = made["key"], made["id"]


@pytest.fixture(scope="module")
def bad_keys(gateway):
    weir = gateway.weir
    weir.run("teams", "create", "closed")
    weir.run("users", "create", "closed", "--team", "closed")
    weir.run("users", "create", "away")
    made = {name: weir.run_json("keys", "create", "--user", user, "--name", name)
            for name, user in (("revoked", "tester"), ("disabled", "tester"),
                               ("of-a-disabled-user", "away"), ("of-a-disabled-team", "closed"),
                               ("expired", "tester"))}
    weir.run("keys", "revoke", made["revoked"]["id"])
    weir.run("keys", "disable", made["disabled"]["id"])
    weir.run("users", "disable", "away")
    weir.run("teams", "disable", "closed")
    weir.run("keys", "set", made["expired"]["id"], "--expires", "1s")
    keys = {name: each["key"] for name, each in made.items()}
    wait_until(lambda: call(gateway, "/v1/models", "GET", keys["expired"]).status == 401, 5)
    return keys | {"malformed": "sk-weir-short", "unknown": "sk-somebody-elses-key-0000",
                   "mistyped": keys["revoked"][:-1] + ("A" if keys["revoked"][-1] != "A" else "B"),
                   "none": None, "empty": "", "huge": "k" * 5000}


@pytest.mark.parametrize("path,method", LOCKED)
def test_no_route_opens_to_a_bad_key(gateway, bad_keys, path, method):
    for name, key in bad_keys.items():
        for route in (path, path.removeprefix("/v1")):
            response = call(gateway, route, method, key)
            assert response.status == 401, (name, route)
            assert response.header("www-authenticate") == "Bearer"
            assert "sk-" not in response.body.decode().replace("sk-weir-…", "")
    assert not gateway.upstream.calls


@pytest.mark.parametrize("path,method", LOCKED)
def test_no_route_opens_to_a_key_that_may_not_use_it(gateway, path, method):
    weir = gateway.weir
    other = "/v1/embeddings" if path != "/v1/embeddings" else "/v1/models"
    limited = weir.create_key("routes", "--routes", other)["key"]
    elsewhere = weir.create_key("networks", "--networks", "203.0.113.0/24")["key"]
    for key in (limited, elsewhere):
        response = call(gateway, path, method, key)
        assert response.status == 403, response.body.decode()
    assert not gateway.upstream.calls
    here = weir.create_key("networks", "--networks", "127.0.0.0/8,::1", "--routes", path + "*")
    gateway.upstream.answer_always(answers.chat())
    assert call(gateway, path, method, here["key"]).status != 403


@pytest.mark.parametrize("level", ["team", "user", "key"])
def test_the_narrowest_level_says_which_models(gateway, level):
    weir = gateway.weir
    name = f"models-{level}"
    options = {each: ["--models", "gpt-*,wild-*"] for each in ("team", "user", "key")}
    options[level] = ["--models", "gpt-test"]
    weir.run("teams", "create", name, *options["team"])
    weir.run("users", "create", name, "--team", name, *options["user"])
    key = weir.run_json("keys", "create", "--user", name, *options["key"])["key"]
    gateway.upstream.answer_always(answers.chat())
    assert gateway.ask(key=key).status == 200
    for model in ("gpt-3.5-turbo", "wild-one", "renamed"):
        refused = gateway.ask(key=key, model=model)
        assert (refused.status, refused.json()["error"]["code"]) == (404, "model_not_found")
    listed = {each["id"] for each in weir.get("/v1/models", key=key).json()["data"]}
    assert listed == {"gpt-test"}
    assert weir.get("/v1/models/gpt-3.5-turbo", key=key).status == 404


def everything_that_is_seen(gateway, tenant):
    """All answers, errors too, that a tenant's key can get."""
    seen = []
    gateway.upstream.answer_always(answers.chat("a plain answer"))
    for path, method in LOCKED:
        for model in ("gpt-test", "no-such-model"):
            seen.append(call(gateway, path, method, tenant.key, model))
    seen.append(gateway.weir.post("/v1/chat/completions", "{not json", tenant.key))
    seen.append(gateway.weir.get("/v1/nowhere", key=tenant.key))
    gateway.upstream.answer_always(answers.error(500, "upstream broke"))
    seen.append(call(gateway, "/v1/chat/completions", "POST", tenant.key))
    return "\n".join(each.body.decode() + json.dumps(each.headers) for each in seen)


def test_no_canary_crosses(gateway, tenants):
    weir = gateway.weir
    rows = {}
    for tenant in tenants:
        secret = f"secret-{tenant.canary}"
        gateway.upstream.answer_always(answers.chat(f"answer {secret}"))
        body = {"model": "gpt-test", "user": secret,
                "messages": [{"role": "system", "content": secret},
                             {"role": "user", "content": f"prompt {secret}"}]}
        response = weir.post("/v1/chat/completions", body, tenant.key,
                             [("x-weir-metadata", json.dumps({"note": tenant.canary}))])
        rows[tenant.canary] = row_for(weir, response)
        gateway.upstream.answer_always(answers.stream(answers.events([secret])))
        weir.post("/v1/chat/completions", body | {"stream": True}, tenant.key)
        weir.post("/v1/chat/completions", body | {"model": f"no-{secret}"}, tenant.key)
    for tenant, other in (tenants, reversed(tenants)):
        assert other.canary not in everything_that_is_seen(gateway, tenant)
        assert other.canary not in json.dumps(rows[tenant.canary], default=str)
    log = weir.stderr()
    metrics = wire.exchange(weir.admin_port, wire.request("GET", "/metrics"), "GET")
    assert metrics.status == 200 and b"canary" not in metrics.body
    for tenant in tenants:
        secret = f"secret-{tenant.canary}"
        lines = [line for line in log.splitlines() if secret in line]
        # Only the name of the model that somebody asked for, in their own access line.
        assert all(f"no-{secret}" in line and f"user-{tenant.canary}" in line for line in lines)
        other = next(each for each in tenants if each is not tenant)
        assert not any(other.canary in line for line in lines)
    database = (weir.data_dir / "weir.db").read_bytes()
    for journal in weir.data_dir.rglob("*.seg"):
        database += journal.read_bytes()
    for tenant in tenants:
        assert f"prompt secret-{tenant.canary}".encode() not in database
        assert f"answer secret-{tenant.canary}".encode() not in database


def test_rows_and_refusals_carry_the_team(gateway, tenants):
    tenant = tenants[0]
    gateway.upstream.answer_always(answers.chat())
    row = row_for(gateway.weir, gateway.ask(key=tenant.key))
    [team] = [each for each in gateway.weir.run_json("teams", "list")
              if each["name"] == tenant.team]
    assert row["team_id"] is not None
    report = gateway.weir.run_json("usage", "--by", "team")
    assert any(each["name"] == tenant.team and each["id"] == team["id"] for each in report)
    gateway.ask(key=tenant.key, model="nothing")
    wait_until(lambda: query(gateway.weir, "SELECT count(*) AS n FROM usage_hourly WHERE "
                                           "reason <> '' AND team_id <> x''")[0]["n"] > 0, 5)
