"""The routes of the API: what each answers, with and without /v1."""

import json
import re

import pytest

from support import answers, wire

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"

POSTED = {
    "/chat/completions": {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]},
    "/completions": {"model": "gpt-test", "prompt": "Hi"},
    "/embeddings": {"model": "gpt-test", "input": "Hi"},
    "/moderations": {"model": "gpt-test", "input": "Hi"},
}


@pytest.mark.parametrize("prefix", ["/v1", ""])
@pytest.mark.parametrize("path", POSTED)
def test_each_openai_route_reaches_the_same_path_of_the_provider(gateway, upstream, prefix, path):
    upstream.answer_always(answers.as_a_provider)
    response = gateway.ask(POSTED[path], path=prefix + path)
    assert response.status == 200
    assert upstream.call.target == "/v1" + path
    assert json.loads(upstream.call.body) == POSTED[path]
    assert response.header("content-type") == "application/json"


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
def test_an_answer_passes_byte_for_byte(gateway, upstream, path):
    body = b'{ "odd" : 1.0e+2, "u":"\\u00e9\xc3\xa9", "usage": null }\n'
    upstream.answer(answers.whole(body))
    assert gateway.ask(POSTED[path], path="/v1" + path).body == body


def test_embeddings_in_base64_pass_as_they_are(gateway, upstream):
    upstream.answer(answers.as_a_provider)
    response = gateway.ask(POSTED["/embeddings"] | {"encoding_format": "base64"},
                           path="/v1/embeddings")
    assert response.json()["data"][0]["embedding"] == "AACAPwAAAEAAAEBA"


def test_query_parameters_choose_no_other_route(gateway, upstream):
    assert gateway.ask(path="/v1/chat/completions?api-version=1").status == 200


@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_the_short_chat_fills_in_its_defaults(gateway, upstream, prefix):
    messages = [{"role": "user", "content": "Hi"}]
    response = gateway.ask({"messages": messages}, path=prefix + "/chat")
    assert response.status == 200
    sent = json.loads(upstream.call.body)
    assert upstream.call.target == "/v1/chat/completions"
    assert sent["model"] == "gpt-3.5-turbo" and sent["temperature"] == 0.7
    assert sent["messages"] == messages and not sent.get("stream")
    answer = response.json()
    assert set(answer) == {"id", "content", "model", "usage", "created_at"}
    assert answer["id"].startswith("chat-") and answer["content"] == "Hello there"
    assert answer["model"] == "gpt-3.5-turbo"
    assert answer["usage"] == {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
    assert re.fullmatch(TIME, answer["created_at"])


def test_the_short_chat_lets_other_members_pass_and_answers_with_the_name_asked_for(
        gateway, upstream):
    body = {"messages": [], "model": "renamed", "temperature": 0, "seed": 7, "x": {"y": [1]}}
    answer = gateway.ask(body, path="/v1/chat").json()
    sent = json.loads(upstream.call.body)
    assert sent["model"] == "other-name" and answer["model"] == "renamed"
    assert sent["temperature"] == 0 and sent["seed"] == 7 and sent["x"] == {"y": [1]}


def test_each_short_chat_has_an_id_of_its_own(gateway, upstream):
    ids = {gateway.ask({"messages": []}, path="/v1/chat").json()["id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("path,members", [("/v1/chat/stream", {}), ("/chat/stream", {}),
                                          ("/v1/chat", {"stream": True}),
                                          ("/v1/chat/stream", {"stream": False})])
def test_the_short_stream_is_openai_chunks_and_done(gateway, upstream, path, members):
    upstream.answer(answers.as_a_provider)
    response = gateway.ask({"messages": [], **members}, path=path)
    assert response.status == 200
    assert response.header("content-type").startswith("text/event-stream")
    assert json.loads(upstream.call.body)["stream"] is True
    assert response.events[-1] == b"[DONE]"
    chunks = [json.loads(each) for each in response.events[:-1]]
    assert "".join(each["choices"][0]["delta"].get("content", "") for each in chunks
                   if each["choices"]) == "Hello there"
    assert all(each["object"] == "chat.completion.chunk" for each in chunks)


@pytest.mark.parametrize("path", ["/v1/health", "/health"])
def test_health_needs_no_key(weir, path):
    response = weir.get(path)
    assert response.status == 200
    health = response.json()
    assert health["status"] == "healthy" and set(health) == {"status", "timestamp", "version"}
    assert re.fullmatch(TIME, health["timestamp"])


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_probes_need_no_key_and_call_nobody(weir, upstream, path):
    before = len(upstream.requests)
    assert weir.get(path).status == 200
    assert len(upstream.requests) == before


@pytest.mark.parametrize("path", ["/v1/health", "/livez", "/readyz", "/v1/models"])
def test_head_is_get_without_the_body(gateway, weir, path):
    # On one connection, so that a body sent by mistake would be read as the next answer.
    with weir.connect() as connection:
        connection.send(wire.request("GET", path, key=gateway.key))
        got = connection.response("GET")
        connection.send(wire.request("HEAD", path, key=gateway.key))
        headed = connection.response("HEAD")
        connection.send(wire.request("GET", path, key=gateway.key))
        again = connection.response("GET")
    assert headed.status == got.status == again.status == 200
    assert headed.header("content-type") == got.header("content-type")
    assert headed.header("content-length") in (None, str(len(got.body)))


# What does not exist

@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/nothing", "/v1/chat/", "/v2/models",
                                  "/v1/chat/completions/x", "//v1/models",
                                  "/v1/CHAT/completions"])
def test_an_unknown_route_is_404(gateway, weir, path):
    response = weir.get(path, gateway.key)
    assert response.status == 404
    if path not in ("/v1/stats",):
        assert response.error["type"] == "invalid_request_error"
        assert response.error["code"] == "not_found" and response.error["param"] is None


@pytest.mark.parametrize("path", ["/v1/v1/chat/completions", "/v1/v1/models", "/v1/v1/chat"])
def test_a_doubled_prefix_is_404_and_says_so(gateway, path):
    response = gateway.ask(path=path)
    assert response.status == 404
    assert "/v1" in json.dumps(response.json()), response.body


@pytest.mark.parametrize("method,path,allowed", [
    ("GET", "/v1/chat/completions", "POST"), ("DELETE", "/v1/embeddings", "POST"),
    ("PUT", "/chat/completions", "POST"), ("POST", "/v1/models", "GET"),
    ("PATCH", "/v1/health", "GET"), ("POST", "/livez", "GET"), ("HEAD", "/v1/completions", "POST"),
])
def test_a_wrong_method_is_405_and_says_which_are_right(gateway, weir, method, path, allowed):
    response = weir.send(wire.request(method, path, key=gateway.key), method)
    assert response.status == 405
    methods = {each.strip() for each in response.header("allow").split(",")}
    assert allowed in methods and method not in methods
    if method != "HEAD" and path not in ("/livez", "/v1/health"):
        assert response.error["code"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/v1/chat", "/v1/chat/stream"])
def test_a_wrong_method_has_the_style_of_its_route(gateway, weir, path):
    response = weir.get(path, gateway.key)
    assert response.status == 405 and isinstance(response.json()["detail"], str)
