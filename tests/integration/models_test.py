"""Which models a key sees: exact names, and what providers list for wildcards."""

import pytest

from support import answers
from support.upstream import Close, Pause
from support.weir import wait_until


def names(gateway, key=None):
    response = gateway.weir.get("/v1/models", key or gateway.key)
    assert response.status == 200
    body = response.json()
    assert body["object"] == "list"
    assert all(each["object"] == "model" and {"created", "owned_by"} <= set(each)
               for each in body["data"])
    return sorted(each["id"] for each in body["data"])


def test_exact_names_are_listed_and_wildcards_as_the_provider_lists_them(gateway):
    wait_until(lambda: "wild-one" in names(gateway), what="the provider's list")
    assert names(gateway) == ["gpt-3.5-turbo", "gpt-test", "renamed", "wild-one", "wild-two"]


def test_one_model_is_shown_by_its_name(gateway, weir):
    wait_until(lambda: "wild-one" in names(gateway), what="the provider's list")
    for path in ("/v1/models/gpt-test", "/models/gpt-test", "/v1/models/wild-one"):
        response = weir.get(path, gateway.key)
        assert response.status == 200 and response.json()["id"] == path.split("/")[-1]
        assert response.json()["object"] == "model"


@pytest.mark.parametrize("name", ["nobody-has-this", "gpt-test/x", "..", "%00"])
def test_a_model_that_is_not_there_is_404(gateway, weir, name):
    response = weir.get(f"/v1/models/{name}", gateway.key)
    assert response.status in (400, 404)
    if response.status == 404:
        assert response.error["code"] in ("model_not_found", "not_found")


def test_a_name_with_a_slash_is_found_plain_and_encoded(make_gateway):
    gateway = make_gateway({"models": [{"name": "org/model", "targets": ["main"]}]})
    assert gateway.weir.get("/v1/models/org/model", gateway.key).json()["id"] == "org/model"
    assert gateway.weir.get("/v1/models/org%2Fmodel", gateway.key).json()["id"] == "org/model"


def test_a_limited_key_sees_only_its_models(gateway, weir):
    key = weir.create_key("tester", "--models", "gpt-test,wild-t*")["key"]
    wait_until(lambda: "wild-two" in names(gateway), what="the provider's list")
    assert names(gateway, key) == ["gpt-test", "wild-two"]
    assert weir.get("/v1/models/gpt-test", key).status == 200
    assert weir.get("/v1/models/renamed", key).status == 404
    assert weir.get("/v1/models/wild-one", key).status == 404


@pytest.mark.parametrize("list_of_models", [
    answers.error(500), [Close()], answers.whole(b"{"), answers.whole(b'{"data":7}'),
    answers.whole(b'{"data":[{"id":7},{},null,"x",{"id":"wild-ok"}]}'), [Pause(30)],
    answers.whole(b'{"data":[{"id":"wild-\\u0000\\ud800"}]}'),
    [answers.head(200, [("content-length", 9)]), b"["],
], ids=["500", "closed", "no json", "no list", "odd entries", "silent", "odd name", "cut"])
def test_a_provider_that_lists_nothing_usable_takes_nothing_else_down(
        make_gateway, list_of_models):
    gateway = make_gateway({"providers": {"main": {"timeouts": {"total": "1s"}}}})
    gateway.upstream.models = list_of_models
    gateway.weir.send_signal(1)
    assert {"gpt-test", "renamed"} <= set(names(gateway))
    assert gateway.ask().status == 200
    assert gateway.ask(model="wild-anything").status == 200
