"""The table of errors, row by row, in the style of each route."""

import pytest

from support import answers, wire
from support.upstream import Close

OPENAI = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/moderations"]
DETAIL = ["/v1/chat", "/v1/chat/stream"]
BAD_KEYS = [None, "sk-weir-unknown", "", "sk-weir-" + "A" * 43, "x" * 5000, "é", "a b"]


def body_for(path, **members):
    member = {"/v1/completions": {"prompt": "Hi"}, "/v1/embeddings": {"input": "Hi"},
              "/v1/moderations": {"input": "Hi"}}
    return {"model": "gpt-test"} | member.get(path, {"messages": []}) | members


@pytest.mark.parametrize("path", OPENAI)
@pytest.mark.parametrize("key", BAD_KEYS)
def test_without_a_good_key_it_is_401(weir, upstream, path, key):
    response = weir.post(path, body_for(path), key)
    assert response.status == 401
    assert response.header("www-authenticate").startswith("Bearer")
    assert response.error["type"] == "invalid_request_error"
    assert response.error["code"] == "invalid_api_key"
    assert not upstream.calls


@pytest.mark.parametrize("path", DETAIL)
@pytest.mark.parametrize("key", BAD_KEYS)
def test_without_a_good_key_the_short_routes_say_so_in_detail(weir, upstream, path, key):
    response = weir.post(path, body_for(path), key)
    assert response.status == 401 and response.json() == {"detail": "Invalid API key"}
    assert response.header("www-authenticate").startswith("Bearer")


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/gpt-test"])
def test_the_list_of_models_needs_a_key(weir, path):
    response = weir.get(path)
    assert response.status == 401 and response.error["code"] == "invalid_api_key"


@pytest.mark.parametrize("value", ["Basic {}", "Bearer", "Bearer  ", "{}", "Bearer {} x"])
def test_a_key_in_another_form_is_no_key(gateway, weir, value):
    response = weir.post("/v1/chat/completions", body_for(""), headers=[
        ("authorization", value.format(gateway.key))])
    assert response.status == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_matched_in_any_case(gateway, weir, scheme):
    response = weir.post("/v1/chat/completions", body_for(""), headers=[
        ("Authorization", f"{scheme} {gateway.key}")])
    assert response.status == 200


def test_a_key_may_stand_in_x_api_key(gateway, weir, upstream):
    response = weir.post("/v1/chat/completions", body_for(""), headers=[("x-api-key", gateway.key)])
    assert response.status == 200
    assert gateway.key.encode() not in upstream.call.raw


@pytest.mark.parametrize("path", OPENAI)
def test_an_unknown_model_is_404(gateway, upstream, path):
    response = gateway.ask(body_for(path, model="nobody-has-this"), path=path)
    assert response.status == 404
    assert response.error["type"] == "invalid_request_error"
    assert response.error["code"] == "model_not_found"
    assert not upstream.calls


@pytest.mark.parametrize("path", DETAIL)
def test_an_unknown_model_is_404_in_detail_too(gateway, path):
    response = gateway.ask(body_for(path, model="nobody-has-this"), path=path)
    assert response.status == 404 and isinstance(response.json()["detail"], str)


@pytest.mark.parametrize("path", OPENAI)
@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"", b"{'a':1}", b'{"model":"gpt-test",}'])
def test_a_body_that_is_no_json_object_is_400(gateway, upstream, path, body):
    response = gateway.ask(body, path=path)
    assert response.status == 400
    assert response.error["type"] == "invalid_request_error"
    assert not upstream.calls


@pytest.mark.parametrize("path", DETAIL)
@pytest.mark.parametrize("body", [b"{", b"[]", b"", b'{"model":"gpt-test"}', b'{"messages":"x"}',
                                  b'{"messages":[],"model":7}', b'{"messages":[],"stream":"yes"}'])
def test_a_bad_body_is_422_in_detail(gateway, upstream, path, body):
    response = gateway.ask(body, path=path)
    assert response.status == 422
    detail = response.json()["detail"]
    assert isinstance(detail, list) and detail
    assert all({"loc", "msg", "type"} <= set(each) for each in detail)
    assert all(each["loc"][0] == "body" for each in detail)
    assert not upstream.calls


def test_a_missing_member_is_named_in_detail(gateway):
    detail = gateway.ask({"model": "gpt-test"}, path="/v1/chat").json()["detail"]
    assert detail[0]["loc"] == ["body", "messages"]


# The provider's own errors

STATUSES = [400, 404, 408, 409, 413, 422, 429, 500, 502, 503, 529]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_error_keeps_its_status_and_body(gateway, upstream, status, stream):
    script = answers.error(status, "of the provider's own", headers=[("retry-after", "7")], odd=1)
    upstream.answer_always(script)
    response = gateway.ask(stream=stream)
    assert response.status == status
    assert response.body == script[0].partition(b"\r\n\r\n")[2]
    assert response.header("content-type") == "application/json"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("stream", [False, True])
def test_a_providers_refusal_is_a_502_without_its_body(gateway, upstream, status, stream):
    upstream.answer(answers.error(status, "Incorrect API key provided: sk-prov***f3a"))
    response = gateway.ask(stream=stream)
    assert response.status == 502
    assert response.error["type"] == "upstream_error"
    assert b"sk-prov" not in response.body and b"Incorrect" not in response.body


def test_a_providers_error_that_is_no_json_passes_too(gateway, upstream):
    upstream.answer(answers.whole(b"Internal Server Error", 500, [("content-type", "text/plain")]))
    response = gateway.ask()
    assert response.status == 500 and response.body == b"Internal Server Error"
    assert response.header("content-type") == "text/plain"


FAILURES = {"500": answers.error(500), "503": answers.error(503), "401": answers.error(401),
            "closed": [Close()]}
NO_CHAT = {"no json": answers.whole(b"no json"), "no choices": answers.whole(b"{}"),
           "no object": answers.whole(b"[]")}


@pytest.mark.parametrize("path,kind", [(path, kind) for path in DETAIL for kind in FAILURES] +
                         [("/v1/chat", kind) for kind in NO_CHAT])
def test_any_failure_of_upstream_is_500_in_detail(gateway, upstream, path, kind):
    upstream.answer_always((FAILURES | NO_CHAT)[kind])
    response = gateway.ask(body_for(path), path=path)
    assert response.status == 500 and response.json() == {"detail": "Internal server error"}


@pytest.mark.parametrize("path", OPENAI)
def test_every_error_has_a_request_id(gateway, weir, path):
    for response in (weir.post(path, body_for(path)), gateway.ask(b"{", path=path),
                     weir.get("/nowhere"), weir.send(b"GET /x y HTTP/1.1\r\n\r\n", "GET")):
        assert response.status >= 400
        assert response.header("x-request-id") or response.status == 400


def test_no_error_shows_a_key(gateway, weir):
    response = weir.post("/v1/chat/completions", body_for(""), "sk-weir-canary-in-an-error")
    assert b"canary" not in response.body
    assert not any("canary" in value for _, value in response.headers)


def test_the_key_is_checked_before_the_body_is_read(weir):
    with weir.connect() as connection:
        connection.send(wire.request(key="sk-weir-unknown", headers=[("content-length", 1000000)]))
        assert connection.response().status == 401
