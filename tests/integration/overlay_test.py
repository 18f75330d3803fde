"""Providers and models that the admin API adds: in force at once, after the file's, and checked."""

import json
import signal

import pytest

from support import admin_socket, answers
from support.upstream import Upstream
from support.weir import merge

ALLOWED = {"admin": {"allowed_networks": ["127.0.0.0/8"]}}


@pytest.fixture
def gateway(make_gateway):
    gateway = make_gateway(ALLOWED)
    gateway.upstream.answer_always(answers.chat())
    return gateway


@pytest.fixture(scope="module")
def refusing(make_gateway):
    """One for the tests that change nothing."""
    return make_gateway(ALLOWED)


@pytest.fixture
def second():
    with Upstream() as upstream:
        upstream.answer_always(answers.chat("from the second"))
        yield upstream


def add_provider(gateway, upstream, name="second", **members):
    answer = admin_socket.call(gateway.weir, "POST", "/providers",
                        {"name": name, "base_url": upstream.base_url} | members)
    assert answer.status == 201, answer
    return answer.body


def add_model(gateway, name="added", targets=("second",), **members):
    answer = admin_socket.call(gateway.weir, "POST", "/models",
                        {"name": name, "targets": list(targets)} | members)
    assert answer.status == 201, answer
    return answer.body


def content(response):
    assert response.status == 200, response
    return response.json()["choices"][0]["message"]["content"]


def line_of(gateway, text):
    lines = gateway.weir.config_path.read_text().splitlines()
    return next(at for at, each in enumerate(lines, 1) if text in each)


def restart(gateway):
    gateway.weir.stop()
    gateway.weir.start()


def test_a_provider_and_a_model_answer_at_once_and_after_a_restart(gateway, second):
    assert gateway.ask(model="added").status == 404
    provider = add_provider(gateway, second)
    assert provider["from"] == "api" and provider["in_force"] is True
    assert provider["credential"] == "none" and provider["base_url"] == second.base_url
    model = add_model(gateway, targets=[{"provider": "second", "model": "their-name"}])
    assert model["targets"] == [{"provider": "second", "model": "their-name"}]
    assert content(gateway.ask(model="added")) == "from the second"
    assert json.loads(second.call.body)["model"] == "their-name"
    restart(gateway)
    assert content(gateway.ask(model="added")) == "from the second"
    gateway.weir.send_signal(signal.SIGHUP)
    gateway.weir.wait_for_log(lambda line: line["message"].startswith("reloaded"))
    assert content(gateway.ask(model="added")) == "from the second"


def test_a_secret_goes_to_a_provider_of_the_api(gateway, second):
    add_provider(gateway, second)
    add_model(gateway)
    assert admin_socket.call(gateway.weir, "PUT", "/secrets/second", {"value": "sk-second-7"}).status == 200
    assert content(gateway.ask(model="added")) == "from the second"
    assert second.call.header("authorization") == "Bearer sk-second-7"
    shown = admin_socket.call(gateway.weir, "GET", "/providers/second")
    assert shown.body["credential"] == "secret" and "sk-second" not in shown.text


def test_a_secret_never_follows_to_another_host(gateway, second):
    add_provider(gateway, second)
    assert admin_socket.call(gateway.weir, "PUT", "/secrets/second", {"value": "sk-second-7"}).status == 200
    moved = admin_socket.call(gateway.weir, "PUT", "/providers/second", {"base_url": "https://example.com/v1"})
    assert moved.status == 409 and "delete it first" in moved.detail
    same = admin_socket.call(gateway.weir, "PUT", "/providers/second",
                      {"base_url": second.base_url, "timeouts": {"connect": "2s"}})
    assert same.status == 200 and same.body["definition"]["timeouts"] == {"connect": "2s"}
    assert admin_socket.call(gateway.weir, "DELETE", "/providers/second").status == 200
    assert admin_socket.call(gateway.weir, "GET", "/secrets").body["items"] == []
    # Nor from a built-in provider to one that takes its place.
    assert admin_socket.call(gateway.weir, "PUT", "/secrets/local", {"value": "sk-local-7"}).status == 200
    taken = admin_socket.call(gateway.weir, "POST", "/providers",
                       {"name": "local", "base_url": second.base_url})
    assert taken.status == 409, taken
    assert admin_socket.call(gateway.weir, "DELETE", "/secrets/local").status == 200
    add_provider(gateway, second, "local")


def test_what_changes_holds_at_once(gateway, second):
    add_provider(gateway, second)
    before = add_model(gateway)
    assert content(gateway.ask(model="added")) == "from the second"
    answer = admin_socket.call(gateway.weir, "PUT", "/models/added", {"targets": ["main"]})
    assert answer.status == 200 and answer.body["updated_at"] >= before["updated_at"]
    assert content(gateway.ask(model="added")) == "Hello there"
    assert admin_socket.call(gateway.weir, "DELETE", "/models/added").body == \
        {"name": "added", "deleted": True}
    assert gateway.ask(model="added").status == 404
    assert admin_socket.call(gateway.weir, "DELETE", "/models/added").status == 404
    assert admin_socket.call(gateway.weir, "PUT", "/models/added", {"targets": ["main"]}).status == 404


@pytest.mark.parametrize("path, name, mark", [("/providers", "main", "main:"),
                                              ("/models", "gpt-test", "gpt-test")])
def test_what_the_file_names_is_read_only(gateway, path, name, mark):
    body = {"base_url": "https://example.com/v1"} if path == "/providers" else {"targets": ["main"]}
    place = f"weir.yaml:{line_of(gateway, mark)}"
    for method, at, sent in [("POST", path, {"name": name} | body),
                             ("PUT", f"{path}/{name}", body), ("DELETE", f"{path}/{name}", None)]:
        answer = admin_socket.call(gateway.weir, method, at, sent)
        assert answer.status == 409 and place in answer.detail, (method, answer)
    shown = admin_socket.call(gateway.weir, "GET", f"{path}/{name}").body
    assert shown["from"] == "file" and f"{shown['file']}:{shown['line']}".endswith(place)


def test_a_name_in_both_is_the_file_s(gateway, second):
    add_provider(gateway, second, "twin")
    add_model(gateway, "twin-model", ["twin"])
    assert content(gateway.ask(model="twin-model")) == "from the second"
    both = merge(gateway.weir.config,
                 {"providers": {"twin": {"base_url": gateway.upstream.base_url}}})
    both["models"] = both["models"] + [{"name": "twin-model", "targets": ["main"]}]
    gateway.weir.write_config(both)
    gateway.weir.send_signal(signal.SIGHUP)
    gateway.weir.wait_for_log(lambda line: line["message"].startswith("reloaded"))
    assert content(gateway.ask(model="twin-model")) == "Hello there"
    said = [line["message"] for line in gateway.weir.log_lines()]
    assert len([each for each in said if "provider twin of the API is not used" in each]) == 1
    assert len([each for each in said if "'twin-model' of the API is not used" in each]) == 1
    items = admin_socket.call(gateway.weir, "GET", "/providers").body["items"]
    assert [(each["from"], each["in_force"]) for each in items if each["name"] == "twin"] == \
        [("file", True), ("api", False)]
    # The one of the API may go, and the file's stays.
    assert admin_socket.call(gateway.weir, "DELETE", "/models/twin-model").status == 200
    assert admin_socket.call(gateway.weir, "DELETE", "/providers/twin").status == 200
    assert admin_socket.call(gateway.weir, "DELETE", "/providers/twin").status == 409
    assert content(gateway.ask(model="twin-model")) == "Hello there"


def test_an_entry_that_the_file_has_made_wrong_is_left_out_and_stops_no_start(gateway, second):
    file = merge(gateway.weir.config, {"providers": {"other": {"base_url": second.base_url}}})
    gateway.weir.write_config(file)
    gateway.weir.send_signal(signal.SIGHUP)
    gateway.weir.wait_for_log(lambda line: line["message"].startswith("reloaded"))
    add_model(gateway, targets=["other"])
    assert content(gateway.ask(model="added")) == "from the second"
    gateway.weir.write_config(gateway.weir.config)
    restart(gateway)
    gateway.weir.wait_for_log(lambda line: "model 'added' of the API is left out: there is no "
                                           "provider 'other'" in line["message"])
    assert gateway.ask(model="added").status == 404
    assert gateway.ask().status == 200
    shown = admin_socket.call(gateway.weir, "GET", "/models/added").body
    assert shown["in_force"] is False and shown["definition"]["targets"] == ["other"]
    gateway.weir.run("check")


@pytest.mark.parametrize("members, said", [
    ({"base_url": "https://example.com/v1", "api_key": "sk-1"}, "set it as a secret"),
    ({"base_url": "https://example.com/v1", "api_key": "file:/etc/passwd"}, "set it as a secret"),
    ({"base_url": "https://example.com/v1", "headers": {"x-a": "file:/etc/passwd"}}, "no files"),
    ({"base_url": "https://example.com/v1", "headers": {"x-a": "${HOME}"}}, "environment"),
    ({"base_url": "https://example.com/v1", "headers": {"Authorization": "Bearer 1"}}, "secret"),
    ({"base_url": "https://example.com/v1", "headers": {"host": "other"}}, "configuration file"),
    ({"base_url": "https://${HOME}/v1"}, "environment"),
    ({"base_url": "https://example.com/v1", "tls": {"ca": "/etc/passwd"}}, "configuration file"),
    ({"base_url": "https://example.com/v1", "proxy": "http://127.0.0.1:1"}, "configuration file"),
    ({"base_url": "https://example.com/v1", "tls": {"verify": False}}, "always verified"),
    ({"base_url": "ftp://example.com"}, "base_url"),
    ({"base_url": "https://user:hunter2@example.com"}, "base_url"),
    ({"base_url": "https://example.com/v1", "timeouts": {"conect": "5s"}}, "did you mean"),
    ({"base_url": "https://example.com/v1", "timeouts": {"connect": "5 s"}}, "no duration"),
    ({"base_url": "https://example.com/v1", "region": None}, "missing"),
    ({"base_url": ["https://example.com/v1"]}, "one value"),
    ({}, "no base_url"),
])
def test_a_wrong_provider_is_refused_with_the_complaint_of_the_file(refusing, members, said):
    answer = admin_socket.call(refusing.weir, "POST", "/providers", {"name": "wrong"} | members)
    assert answer.status == 400 and said in answer.detail, answer
    assert "sk-1" not in answer.text and "hunter2" not in answer.text
    assert admin_socket.call(refusing.weir, "GET", "/providers/wrong").status == 404


@pytest.mark.parametrize("body, status, said", [
    ({"name": "m", "targets": ["mian"]}, 400, "did you mean 'main'"),
    ({"name": "m"}, 400, "targets"),
    ({"targets": ["main"]}, 400, "`name`"),
    ({"name": 7, "targets": ["main"]}, 400, "`name`"),
    ({"name": "m*x", "targets": ["main"]}, 400, "no model's name"),
    ({"name": "m", "targets": ["main"], "window": -1}, 400, "window"),
    ({"name": "m", "targets": ["main"], "retries": 1}, 400, "not in this version"),
    ({"name": "wild-pig", "targets": ["main"]}, 409, "'wild-*'"),
    ({"name": "wild-p*", "targets": ["main"]}, 409, "weir.yaml:"),
])
def test_a_wrong_model_is_refused(refusing, body, status, said):
    answer = admin_socket.call(refusing.weir, "POST", "/models", body)
    assert answer.status == status and said in answer.detail, answer


def test_a_provider_that_a_model_uses_stays(gateway, second):
    add_provider(gateway, second)
    add_model(gateway, targets=["main", {"provider": "second"}])
    answer = admin_socket.call(gateway.weir, "DELETE", "/providers/second")
    assert answer.status == 409 and "'added'" in answer.detail
    assert admin_socket.call(gateway.weir, "DELETE", "/models/added").status == 200
    assert admin_socket.call(gateway.weir, "DELETE", "/providers/second").status == 200


def test_names_are_taken_once(gateway, second):
    add_provider(gateway, second)
    add_model(gateway, "a/b c", ["second"])
    for path, body in [("/providers", {"name": "second", "base_url": second.base_url}),
                       ("/models", {"name": "a/b c", "targets": ["main"]})]:
        assert admin_socket.call(gateway.weir, "POST", path, body).status == 409
    assert admin_socket.call(gateway.weir, "GET", "/models/a%2Fb%20c").body["name"] == "a/b c"
    renamed = admin_socket.call(gateway.weir, "PUT", "/models/a%2Fb%20c", {"name": "x", "targets": ["main"]})
    assert renamed.status == 400


def test_models_of_the_api_come_before_the_built_in_ones(make_gateway, second):
    gateway = make_gateway({"models": None} | ALLOWED)
    add_provider(gateway, second)
    add_model(gateway, "gpt-mine", ["second"])
    add_model(gateway, "gpt*", ["second"])
    assert content(gateway.ask(model="gpt-mine")) == "from the second"
    assert content(gateway.ask(model="gpt-4o")) == "from the second"
    names = [each["name"] for each in gateway.weir.run_json("models", "list")]
    assert names == ["gpt-mine", "gpt*", "*"]
    late = admin_socket.call(gateway.weir, "POST", "/models", {"name": "gpt-5", "targets": ["second"]})
    assert late.status == 409 and "'gpt*' matches first" in late.detail


def test_lists_tell_where_each_comes_from(gateway, second):
    add_provider(gateway, second)
    add_model(gateway)
    origins = {each["name"]: each["from"]
               for each in admin_socket.call(gateway.weir, "GET", "/providers").body["items"]}
    assert origins == {"main": "file", "second": "api", "openai": "built-in", "local": "built-in"}
    items = admin_socket.call(gateway.weir, "GET", "/models").body["items"]
    assert [each["from"] for each in items] == ["file"] * 4 + ["api"]
    assert admin_socket.call(gateway.weir, "DELETE", "/providers/openai").status == 409
    shown = {each["key"]: each for each in gateway.weir.run_json("config", "show")["settings"]}
    assert shown["models.added"]["from"] == "store"
    assert shown["providers.second.base_url"]["from"] == "store"


def test_a_price_may_be_set_for_a_provider_of_the_api(gateway, second):
    add_provider(gateway, second)
    gateway.weir.run("prices", "set", "second/added", "input=1", "output=2")
    gateway.weir.stop()
    gateway.weir.run("prices", "set", "second/added", "input=2", "output=2")
    gateway.weir.start()


def test_each_change_is_in_the_audit_chain(gateway, second):
    add_provider(gateway, second)
    add_model(gateway)
    admin_socket.call(gateway.weir, "PUT", "/models/added", {"targets": ["main"]})
    admin_socket.call(gateway.weir, "DELETE", "/models/added")
    admin_socket.call(gateway.weir, "DELETE", "/providers/second")
    entries = gateway.weir.run_json("audit", "tail")
    done = [(each["action"], each["subject"]) for each in entries
            if each["action"].startswith(("provider.", "model."))]
    assert done == [("provider.create", "second"), ("model.create", "added"), ("model.set", "added"),
                    ("model.delete", "added"), ("provider.delete", "second")]
    gateway.weir.run("audit", "verify")
