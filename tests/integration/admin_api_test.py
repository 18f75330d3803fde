"""The admin API over HTTP: who may do what, which version is meant, and how failures look."""

import json
import signal
import sqlite3
import time

import pytest

from support import admin_socket, wire
from support.admin import FIRST_TOKEN, ROLES, Admin, check_answer, description, routes
from support.weir import free_port, in_background, log_field, wait_until

ROUTES = routes()
MISSING_ID = "01900000-0000-7000-8000-000000000000"


class Stage:
    """A weir with two teams, and a token of each role."""

    def __init__(self, weir, upstream_url):
        self.weir = weir
        self.upstream_url = upstream_url
        self.root = Admin(weir.admin_port, FIRST_TOKEN)
        self.made = {}
        for team in ("red", "blue"):
            self.made[team] = self.root.create("teams", name=team)
            user = self.root.create("users", name=f"{team}-user", team=team)
            self.made[f"{team}-user"] = user
            self.made[f"{team}-key"] = self.root.create("keys", user=user["id"], name=f"{team}-key")
        self.secrets = {role: self.token(role) for role in ROLES}
        self.secrets["blue"] = self.token("team_admin", "blue")

    def token(self, role, team="red", name=None, **members):
        if role == "team_admin":
            members["team"] = team
        made = self.root.create("tokens", name=name or f"{role}-{team}-{time.monotonic_ns()}",
                                role=role, **members)
        return made["token"]

    def as_role(self, role):
        return Admin(self.weir.admin_port, self.secrets[role])

    def id(self, name):
        return self.made[name]["id"]


@pytest.fixture(scope="module")
def stage(make_gateway):
    gateway = make_gateway({"admin": {"token": FIRST_TOKEN, "allowed_networks": ["127.0.0.0/8"]}})
    return Stage(gateway.weir, gateway.upstream.base_url)


@pytest.fixture
def root(stage):
    return stage.root


# Who may do what


def harmless(route):
    """A call of the route that comes to nothing whoever makes it."""
    headers = [("if-match", "*")] if route.takes_match else []
    return dict(method=route.method, path=route.with_names(), headers=headers,
                body={"nothing": 0} if route.takes_body else None)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_without_a_good_token_no_route_says_more_than_401(stage, route):
    revoked = stage.root.create("tokens", name=f"revoked {route}"[:100], role="admin")
    stage.root.change("POST", f"tokens/{revoked['id']}/revoke")
    secret = stage.secrets["admin"]
    key = stage.made["red-key"]["key"]
    for wrong in (None, secret[:-1], secret + "x", secret[11:], secret.upper(), "weir-admin-", "x",
                  "a" * 5000, key, revoked["token"]):
        response = Admin(stage.weir.admin_port, wrong).call(**harmless(route))
        assert response.status == 401, (wrong, response)
    for value in (f"Basic {secret}", secret, f"Bearer{secret}", "Bearer", "bearer  "):
        call = harmless(route)
        call["headers"] = [*call["headers"], ("authorization", value)]
        assert Admin(stage.weir.admin_port).call(**call).status == 401, value


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_role_opens_the_routes_that_the_description_says(stage, route, role):
    response = stage.as_role(role).call(**harmless(route))
    if route.is_open_to(role):
        assert response.status in (200, 400, 404), response
    else:
        assert response.status == 403 and role in response.json()["detail"], response


def test_a_token_stops_when_it_expires(stage, root):
    made = root.create("tokens", name="short", role="viewer", expires="1s")
    short = Admin(stage.weir.admin_port, made["token"])
    assert short.get("users").status == 200
    wait_until(lambda: short.get("users").status == 401, 5, "the end of the token")
    assert root.ok("GET", f"tokens/{made['id']}")["state"] == "expired"


def test_a_revoked_token_stops_at_once_on_open_connections_too(stage, root):
    made = root.create("tokens", name="leaver", role="viewer")
    data = wire.request("GET", "/admin/v1/users", b"", made["token"])
    with wire.Wire(stage.weir.admin_port) as connection:
        connection.send(data)
        assert connection.response("GET").status == 200
        assert root.change("POST", "tokens/leaver/revoke").status == 200
        connection.send(data)
        assert connection.response("GET").status == 401
    assert root.create("tokens", name="leaver", role="viewer")["id"] != made["id"]


def test_a_token_is_shown_once_and_its_last_use_is_saved(stage, root):
    made = root.create("tokens", name="shown", role="viewer")
    assert made["token"].endswith(made["hint"])
    Admin(stage.weir.admin_port, made["token"]).ok("GET", "users")
    for path in ("tokens", "tokens/shown", "audit"):
        assert made["token"] not in root.get(path).body.decode()
    listed = {each["name"]: each for each in root.all_items("tokens", limit=2)}
    assert listed["shown"]["last_used_at"] and listed["shown"]["state"] == "active"
    assert made["token"] not in stage.weir.stderr()


def test_the_commands_make_list_and_revoke_tokens(stage):
    weir = stage.weir
    made = weir.run_json("tokens", "create", "by command", "--role", "team_admin", "--team", "red",
                         "--expires", "1d")
    assert made["team"] == "red" and made["team_id"] == stage.id("red")
    assert Admin(weir.admin_port, made["token"]).get("users").status == 200
    assert "by command" in weir.run("tokens", "list").stdout
    assert weir.run_json("tokens", "revoke", "by command")["state"] == "revoked"
    assert Admin(weir.admin_port, made["token"]).get("users").status == 401
    weir.run("tokens", "create", "x", code=2)
    weir.run("tokens", "create", "x", "--role", "king", code=2)
    weir.run("tokens", "create", "x", "--role", "team_admin", code=2)
    weir.run("tokens", "create", "x", "--role", "viewer", "--team", "red", code=2)
    weir.run("tokens", "create", "x", "--role", "team_admin", "--team", "no-such", code=1)


def test_whoever_has_no_token_waits_for_nobody(stage, root):
    """A few hundred attempts are refused while the store is held up by somebody else."""
    other = sqlite3.connect(stage.weir.data_dir / "weir.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        waiting = in_background(lambda: root.call("POST", "users", {"name": "patient"}))
        started = time.monotonic()
        with wire.Wire(stage.weir.admin_port) as connection:
            for number in range(300):
                connection.send(wire.request("GET", "/admin/v1/users", b"", f"wrong-{number}"))
                assert connection.response("GET").status == 401
        assert time.monotonic() - started < 4, "the attempts waited for the store"
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert waiting().status in (201, 503)


# Teams


def same_but_for(response, name, other):
    return response.body.decode().replace(name, other)


@pytest.mark.parametrize("route", [each for each in ROUTES if each.for_team and "{" in each.path],
                         ids=str)
def test_what_is_of_another_team_is_as_if_it_were_not_there(stage, route):
    blue = stage.as_role("blue")
    kind = route.path.split("{")[1].split("}")[0]
    thing = {"user": "red-user", "key": "red-key", "team": "red"}[kind]
    before = stage.root.get(f"{kind}s/{stage.id(thing)}").body
    for name, missing in ((stage.id(thing), MISSING_ID), (thing, "nobody")):
        call = harmless(route) | {"body": {} if route.takes_body else None}
        found = blue.call(**call | {"path": route.with_names(name)})
        unknown = blue.call(**call | {"path": route.with_names(missing)})
        assert found.status == unknown.status == 404, found
        assert same_but_for(found, name, missing) == unknown.body.decode()
        assert [n for n, _ in found.headers] == [n for n, _ in unknown.headers]
    assert stage.root.get(f"{kind}s/{stage.id(thing)}").body == before


def test_a_team_admin_names_nothing_of_another_team_in_a_body_or_a_parameter(stage):
    blue = stage.as_role("blue")
    red_user, red = stage.id("red-user"), stage.id("red")
    for response in (blue.call("POST", "keys", {"user": red_user}),
                     blue.call("POST", "keys", {"user": "red-user"}),
                     blue.call("POST", "users", {"name": "spy", "team": "red"}),
                     blue.change("PATCH", "users/blue-user", {"team": red}),
                     blue.get(f"keys?user={red_user}"), blue.get("users?team=red")):
        assert response.status == 404, response
    assert blue.change("PATCH", "users/blue-user", {"team": None}).status == 400
    assert stage.root.get("users/spy").status == 404


def test_a_team_admin_rules_its_own_team(stage):
    blue = stage.as_role("blue")
    user = blue.create("users", name="newcomer")
    assert user["team"] == "blue" and user["team_id"] == stage.id("blue")
    key = blue.create("keys", user="newcomer", limits=["5req/min"])
    assert blue.change("PATCH", f"keys/{key['id']}", {"name": "renamed"}).status == 200
    assert blue.change("POST", f"keys/{key['id']}/rotate").status == 200
    assert blue.change("POST", "users/newcomer/disable").json()["disabled"]
    assert blue.ok("GET", "teams/blue")["name"] == "blue"
    assert blue.change("PATCH", "teams/blue", {"limits": None}).status == 403
    assert blue.call("POST", "teams", {"name": "green"}).status == 403
    assert blue.get("teams").status == 403
    assert blue.change("DELETE", "users/newcomer").json()["keys_deleted"] == 1


def test_lists_of_a_team_admin_have_its_own_team_alone_page_by_page(stage, root):
    for number in range(7):
        for team in ("red", "blue", None):
            user = root.create("users", name=f"many-{team}-{number}", team=team)
            root.create("keys", user=user["id"], name=f"many-{team}-{number}")
    blue = stage.as_role("blue")
    for limit in (1, 2, 3, 1000):
        users = blue.all_items("users", limit=limit)
        assert {each["team"] for each in users} == {"blue"} and len(users) >= 8
        keys = blue.all_items("keys", limit=limit)
        assert {each["user_id"] for each in keys} <= {each["id"] for each in users}
        assert len(keys) >= 8 and len({each["id"] for each in keys}) == len(keys)


def test_a_team_that_is_deleted_takes_its_tokens_with_it(stage, root):
    root.create("teams", name="gone")
    token = Admin(stage.weir.admin_port, stage.token("team_admin", "gone"))
    assert token.get("users").status == 200
    assert root.change("DELETE", "teams/gone").status == 200
    assert token.get("users").status == 401


# Versions


def test_a_change_says_which_version_it_means(root):
    made = root.call("POST", "users", {"name": "versioned"})
    tag = made.header("etag")
    assert tag == root.get("users/versioned").header("etag")
    assert root.call("POST", "users/versioned/disable").status == 428
    for wrong in ('"0"', f"W/{tag}", tag.strip('"'), '""', '"', ", ,"):
        assert root.change("POST", "users/versioned/disable", if_match=wrong).status == 412, wrong
    changed = root.change("POST", "users/versioned/disable", if_match=f'"0", {tag}')
    assert changed.status == 200 and changed.header("etag") != tag
    assert root.change("POST", "users/versioned/enable", if_match=tag).status == 412
    both = root.call("POST", "users/versioned/enable",
                     headers=[("if-match", '"0"'), ("if-match", changed.header("etag"))])
    assert both.status == 200
    assert root.change("DELETE", "users/nobody", if_match=tag).status == 404
    assert root.change("DELETE", "users/versioned").status == 200


@pytest.mark.parametrize("route", [each for each in ROUTES if each.takes_match], ids=str)
def test_every_change_of_an_object_is_refused_without_its_version(stage, root, route):
    path = route.with_names(made_for(stage, route))
    body = {} if route.takes_body else None
    item = path.split("/")[:5]
    before = root.get("/".join(item))
    assert before.header("etag")
    assert root.call(route.method, path, body).status == 428
    assert root.change(route.method, path, body, if_match='"1"').status == 412
    assert root.get("/".join(item)).body == before.body


def made_for(stage, route):
    """The name of a thing of the route's kind."""
    kind = route.path.split("/")[3]
    if kind in ("users", "keys", "teams"):
        return stage.id({"users": "red-user", "keys": "red-key", "teams": "red"}[kind])
    if kind == "tokens":
        return stage.root.create("tokens", name=f"for {route}"[:100], role="viewer")["id"]
    name = f"for-{route.method.lower()}-of-{kind}"
    stage.root.create("providers", name=name, base_url=stage.upstream_url)
    if kind == "secrets":
        stage.root.ok("PUT", f"secrets/{name}", {"value": "sk-its-credential"})
    if kind == "models":
        stage.root.create("models", name=name, targets=[name])
    return name


def test_versions_rise_however_fast_changes_follow_each_other(root):
    root.create("users", name="busy")
    seen = [root.get("users/busy").header("etag")]
    for number in range(20):
        verb = "disable" if number % 2 == 0 else "enable"
        seen.append(root.change("POST", f"users/busy/{verb}", if_match=seen[-1]).header("etag"))
    versions = [int(tag.strip('"'), 16) for tag in seen]
    assert versions == sorted(set(versions))


def test_the_commands_need_no_version(stage):
    stage.weir.run("users", "create", "by-command")
    stage.weir.run("users", "disable", "by-command")
    stage.weir.run("users", "delete", "by-command")


# Failures


def test_failures_are_problems_whatever_goes_wrong(stage, root):
    big = b'{"name":"' + b"x" * 70000 + b'"}'
    text = [("content-type", "text/plain")]
    for wanted, response in (
            (404, root.get("nothing")), (404, root.get("/")), (404, root.get("/admin/v2/users")),
            (404, root.get("users/a/b/c")), (404, root.get("users//disable")),
            (405, root.call("PUT", "users")), (405, root.call("OPTIONS", "users")),
            (405, root.call("GET", "keys/x/revoke")), (400, root.get("users/%zz")),
            (400, root.get("users?limit=0")), (400, root.get("users?limit=1&limit=2")),
            (400, root.get("users?no=1")), (400, root.get("users?after=x")),
            (400, root.call("POST", "users", b"{")), (400, root.call("POST", "users", b"")),
            (400, root.call("POST", "users", [])), (400, root.call("POST", "users", {"name": 1})),
            (400, root.call("POST", "users", {"name": "x", "y": 1})),
            (413, root.call("POST", "users", big)),
            (415, root.call("POST", "users", {"name": "x"}, headers=text)),
            (415, root.call("POST", "users", b"\x00", headers=[("content-encoding", "lzma")])),
            (409, root.call("POST", "teams", {"name": "red"}))):
        assert response.status == wanted, response
    assert root.call("PUT", "users").header("allow") == "POST, GET, HEAD"


def test_on_the_socket_the_type_of_a_body_does_not_matter(stage):
    """`curl -d` says that it sends a form."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert admin_socket.call(stage.weir, "POST", "/users", {"name": "a form"}, form).status == 201


def test_a_malformed_request_is_a_problem_too(stage):
    for data in (b"GET /admin/v1/users HTTP/1.1\r\n\r\n\r\nx", b"GET / HTTP/3.0\r\n\r\n",
                 b"NONSENSE\r\n\r\n", b"GET / HTTP/1.1\r\na: " + b"x" * 40000 + b"\r\n\r\n"):
        response = wire.exchange(stage.weir.admin_port, data, "GET")
        assert response.status in (400, 401, 431, 505), response
        check_answer(response)


def test_head_is_get_without_the_body(root):
    for path in ("users", "users/red-user", "openapi.json", "audit?limit=1"):
        got, head = root.get(path), root.call("HEAD", path)
        assert head.status == 200 and head.body == b""
        assert head.header("etag") == got.header("etag")
        if path != "audit?limit=1":
            assert head.header("content-length") == str(len(got.body))
    assert root.call("HEAD", "users/nobody").status == 404


def test_each_request_writes_one_access_line_with_who_it_was(stage, root):
    response = root.get("users/nobody")
    line = stage.weir.access_line(response)
    assert log_field(line, "user.name") == "admin.token"
    assert log_field(line, "url.path") == "/admin/v1/users/nobody"
    assert log_field(line, "http.response.status_code") == 404
    assert "nobody" in log_field(line, "error.message")
    nameless = stage.weir.access_line(Admin(stage.weir.admin_port).get("users"))
    assert log_field(nameless, "user.name") is None


def test_a_secret_in_the_place_of_a_name_is_in_no_log(stage, root):
    key, token = stage.made["red-key"]["key"], stage.secrets["admin"]
    own = "an-applications-own-secret"
    for secret in (key, token, own):
        for method, path in (("GET", f"keys/{secret}"), ("POST", f"keys/{secret}/revoke"),
                             ("GET", f"tokens/{secret}"), ("DELETE", f"tokens/{secret}")):
            response = root.change(method, path)
            assert response.status in (400, 404), response
            line = stage.weir.access_line(response)
            assert log_field(line, "url.path") == "/admin/v1/" + path.split("/")[0]
    for path in (f"users/{key}", f"x/{token}", token, f"users?team={key}", f"/{key}"):
        stage.weir.access_line(root.get(path))
    said = stage.weir.stderr()
    assert not any(secret in said for secret in (key, token, own))


def with_secret(form, secret):
    return {name.replace("SECRET", secret): value.replace("SECRET", secret)
            if isinstance(value, str) else value for name, value in form.items()}


@pytest.mark.parametrize("method, path, form", [
    ("POST", "users", {"name": "a1", "team": "SECRET"}),
    ("POST", "users", {"SECRET": 1}),
    ("POST", "keys", {"user": "SECRET"}),
    ("POST", "teams/red/add", {"user": "SECRET"}),
    ("POST", "explain", {"key": "SECRET", "model": "m"}),
    ("GET", "users?SECRET=1", None)])
def test_a_secret_in_a_body_is_in_no_problem_and_no_log(stage, root, method, path, form):
    for secret in (stage.made["red-key"]["key"], stage.secrets["admin"]):
        if form is None:
            response = root.get(path.replace("SECRET", secret))
        else:
            response = root.change(method, path, with_secret(form, secret))
        assert response.status in (400, 404), response
        line = stage.weir.access_line(response)
        assert secret not in response.body.decode() and secret not in stage.weir.stderr()
        for said in (log_field(line, "error.message"), response.json()["detail"]):
            assert secret[:secret.rindex("-") + 1] + "…" in said


# Metrics, and the listener


def test_metrics_take_no_token_on_a_loopback_address_alone(make_gateway, stage):
    assert stage.weir.metrics()
    port = free_port()
    public = make_gateway({"admin": {"token": FIRST_TOKEN, "insecure": True,
                                     "listen": f"0.0.0.0:{port}"}}).weir
    root = Admin(port, FIRST_TOKEN)
    root.create("teams", name="red")
    viewer = root.create("tokens", name="v", role="viewer")["token"]
    of_team = root.create("tokens", name="t", role="team_admin", team="red")["token"]
    for token, wanted in ((None, 401), ("wrong", 401), (of_team, 403), (viewer, 200)):
        response = wire.exchange(port, wire.request("GET", "/metrics", b"", token), "GET")
        assert response.status == wanted, (token, response)
    assert public.is_alive()


def test_a_first_token_may_come_from_a_file_and_be_changed_by_a_reload(make_gateway, tmp_path):
    file = tmp_path / "token"
    file.write_text("token-of-the-file\n")
    weir = make_gateway({"admin": {"token": f"file:{file}"}}).weir
    assert Admin(weir.admin_port, "token-of-the-file").get("tokens").status == 200
    file.write_text("another-token-then\n")
    weir.send_signal(signal.SIGHUP)
    wait_until(lambda: Admin(weir.admin_port, "another-token-then").get("tokens").status == 200, 5,
               "the new token")
    assert Admin(weir.admin_port, "token-of-the-file").get("tokens").status == 401
    assert "another-token-then" not in weir.run("config", "show").stdout


def test_without_a_token_of_the_configuration_there_is_none(gateway):
    for token in ("", "admin", FIRST_TOKEN):
        assert Admin(gateway.weir.admin_port, token or None).get("users").status == 401


# The audit chain


def test_the_audit_chain_says_who_did_what_newest_first(stage, root):
    operator = Admin(stage.weir.admin_port, stage.token("operator", name="the operator"))
    user = operator.create("users", name="audited")
    entry = root.ok("GET", "audit?limit=1&action=user.create")["items"][0]
    assert entry["actor"] == "token:the operator" and entry["subject"] == user["id"]
    assert json.loads(entry["details"])["name"] == "audited"
    whole = root.ok("GET", "audit?limit=10000")
    numbers = [each["number"] for each in whole["items"]]
    assert numbers == sorted(numbers, reverse=True) and numbers[-1] == 1
    assert whole["next"] is None
    paged = root.all_items("audit", limit=7)
    assert [each["number"] for each in paged if each["number"] <= numbers[0]] == numbers


def test_the_audit_chain_can_be_narrowed(stage, root):
    root.create("users", name="narrow")
    mine = root.all_items("audit", actor="admin.token", action="user.create", limit=5)
    assert mine and {each["actor"] for each in mine} == {"admin.token"}
    assert {each["action"] for each in mine} == {"user.create"}
    assert root.all_items("audit", until="2020-01-01") == []
    assert root.all_items("audit", since="1h") and root.all_items("audit", actor="nobody") == []
    for bad in ("since=x", "until=1", "limit=0", "after=x", "after=-1", "after=99999999999999999999",
                "by=x"):
        assert root.get(f"audit?{bad}").status == 400, bad


# Limits


def test_where_limits_and_budgets_stand_is_told_of_each_level(stage, root):
    root.create("teams", name="limited", limits=["60req/min", "5parallel"], budgets=["10usd/month"])
    user = root.create("users", name="limited", team="limited", budgets=["2.5usd/day"])
    key = root.create("keys", user="limited", name="limited", limits=["1000tok/day"], warn_only=True)
    limits = [each for each in root.all_items("limits", level="team", limit=1)
              if each["name"] == "limited"]
    assert [each["limit"] for each in limits] == ["60req/min", "5parallel"]
    assert (limits[0]["amount"], limits[0]["used"], limits[0]["remaining"]) == (60, 0, 60)
    budget, = [each for each in root.all_items("budgets", level="user") if each["id"] == user["id"]]
    assert budget["limit"] == "2.5usd/day" and budget["remaining_nanousd"] == 2_500_000_000
    assert budget["amount"] == "2.5" and budget["reset_at"] > user["created_at"]
    tokens, = [each for each in root.all_items("limits", level="key") if each["id"] == key["id"]]
    assert tokens["warn_only"] and tokens["kind"] == "tokens" and tokens["window"] == "day"
    for role, wanted in (("blue", set()), ("team_admin", set()), ("viewer", {"limited"})):
        seen = {each["name"] for each in stage.as_role(role).all_items("limits", level="team")}
        assert seen == wanted
    assert root.get("limits").status == root.get("limits?level=everybody").status == 400
    assert stage.as_role("blue").get("limits?level=gateway").status == 403


# Hostile texts


HOSTILE = ["'; DROP TABLE users; --", "\" OR 1=1 --", "%s%s%n%x%p", "{{7*7}}${7*7}", "../../etc/passwd",
           "<script>alert(1)</script>", "a\\b\\\\c\"d", "\u202etxet\u202c", "\u0130\u0131\ufb01", "\U0001f4a9",
           "e\u0301", "\ufeffx", "x\u2028y", "-1", "null", "true", "*", "a,b", "a b", "ü" * 64]
REFUSED = ["", " ", " x", "x ", "\x00", "a\x00b", "a\nb", "\r\n", "\x1b[2J", "\x7f", "x" * 129, "ü" * 65,
           "x" * 60000, "sk-weir-x", "weir-admin-x", MISSING_ID]


def quoted(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_texts_that_are_stored_come_back_unchanged(root, number):
    text = HOSTILE[number]
    for kind, members in (("teams", {}), ("users", {}), ("tokens", {"role": "viewer"})):
        made = root.create(kind, name=text, **members)
        assert made["name"] == text
        assert root.ok("GET", f"{kind}/{quoted(text)}")["id"] == made["id"]
        listed = [each for each in root.all_items(kind) if each["id"] == made["id"]]
        assert [each["name"] for each in listed] == [text]
    key = root.create("keys", user=text, name=text)
    assert key["user"] == text and key["name"] == text
    assert text in {each["name"] for each in root.all_items("keys", user=quoted(text))}
    for kind in ("keys", "tokens", "users", "teams"):
        verb = ("POST", f"{kind}/{quoted(text)}/revoke") if kind == "keys" else \
            ("DELETE", f"{kind}/{quoted(text)}")
        assert root.change(*verb).status == 200, kind


@pytest.mark.parametrize("route", [each for each in ROUTES if each.takes_body], ids=str)
def test_no_text_in_any_member_of_any_body_is_more_than_refused(root, route):
    operation = description()["paths"][route.path][route.method.lower()]
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    members = description()["components"]["schemas"][name].get("properties", ["base_url", "name"])
    for member in members:
        for text in HOSTILE + REFUSED:
            for value in (text, [text], {text: text}):
                body = {member: value}
                if member != "name" and "name" in members:
                    body["name"] = "ok"
                call = dict(method=route.method, path=route.with_names("red-user"), body=body,
                            headers=[("if-match", "*")])
                response = root.call(**call)
                assert response.status < 500, (member, text, response)


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_names_that_would_mislead_are_refused(root, text):
    for kind, members in (("teams", {}), ("users", {}), ("tokens", {"role": "viewer"})):
        assert root.call("POST", kind, {"name": text} | members).status in (400, 413)


def test_bodies_that_are_bombs_are_refused(root):
    bombs = [b"[" * 60000, b'{"a":' * 10000, b'{"name":' + b"[" * 30000 + b"]" * 30000 + b"}",
             b'{"name":"\xff\xfe"}', b'{"name":"\xed\xa0\x80"}', b'{"name":"\\ud800"}',
             b'{"name":"a","name":"b"}', b'{"name":1e999999}', b'{"name":' + b"9" * 60000 + b"}",
             b'\xef\xbb\xbf{"name":"bom"}', b"null", b"{}{}", b'{"name":"x"}trailing', b"\x00" * 100,
             b"{" + b",".join(b'"k%d":0' % n for n in range(6000)) + b"}"]
    for bomb in bombs:
        response = root.call("POST", "users", bomb)
        assert response.status == 400, (bomb[:40], response)


def test_paths_and_parameters_take_hostile_texts(root):
    for text in HOSTILE + REFUSED:
        if len(text) > 2000:
            continue
        for path in (f"users/{quoted(text)}", f"keys/{quoted(text)}", f"tokens/{quoted(text)}",
                     f"prices/{quoted(text)}", f"users?team={quoted(text)}",
                     f"keys?user={quoted(text)}", f"audit?actor={quoted(text)}",
                     f"audit?action={quoted(text)}", f"usage?by={quoted(text)}",
                     f"usage?since={quoted(text)}", f"users?after={quoted(text)}",
                     f"users?limit={quoted(text)}"):
            assert root.get(path).status in (200, 400, 404), path
    for path in ("users/%ff%fe", "users?team=%c0%80", "users/" + "x" * 10000):
        assert root.get(path).status in (400, 404), path
