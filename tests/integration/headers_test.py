"""Which headers cross, in both directions."""

import json
import re

import pytest

from support import answers, wire
from support.upstream import Upstream
from support.weir import PROVIDER_KEY

CROSSING = [("accept", "application/json"), ("user-agent", "OpenAI/Python 9"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("tracestate", "a=b"), ("openai-beta", "assistants=v2"),
            ("anthropic-version", "2023-06-01"), ("anthropic-beta", "x-1")]

STAYING = [("cookie", "session=canary"), ("openai-organization", "org-canary"),
           ("openai-project", "proj-canary"), ("x-api-key", "canary"),
           ("proxy-authorization", "Basic canary"), ("x-forwarded-for", "1.2.3.4"),
           ("x-stainless-os", "canary"), ("x-custom", "canary"), ("te", "trailers"),
           ("x-request-id", "client-canary"), ("idempotency-key", "canary"),
           ("accept-encoding", "gzip"), ("origin", "https://canary"), ("referer", "canary"),
           ("x-weir-metadata", '{"tag":"canary"}'), ("connection", "x-custom"), ("via", "canary"),
           ("upgrade", "websocket"), ("keep-alive", "timeout=5"), ("forwarded", "for=canary")]

OWN = {"host", "content-length", "authorization", "content-type", "accept-encoding", "connection",
       "user-agent", "accept", "traceparent", "tracestate"}


def test_what_may_cross_to_upstream_does(gateway, upstream):
    gateway.ask(headers=CROSSING)
    for name, value in CROSSING:
        if name == "traceparent":  # the span may be weir's own, the trace is the client's
            assert upstream.call.header(name).split("-")[1] == value.split("-")[1]
        else:
            assert upstream.call.header(name) == value
    assert upstream.call.header("content-type") == "application/json"


def test_nothing_else_crosses_to_upstream(gateway, upstream):
    assert gateway.ask(headers=STAYING).status == 200
    assert b"canary" not in upstream.call.raw.replace(PROVIDER_KEY.encode(), b"")
    assert gateway.key.encode() not in upstream.call.raw
    assert set(upstream.call.header_names()) <= OWN, upstream.call.headers
    assert upstream.call.header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert upstream.call.header("accept-encoding") in (None, "identity")
    assert upstream.call.header("host") == f"127.0.0.1:{upstream.port}"


def test_a_providers_own_headers_and_the_forwarded_ones_are_sent(make_gateway):
    gateway = make_gateway({"providers": {"main": {
        "headers": {"x-team": "blue", "user-agent": "fixed"}, "forward_headers": ["x-session"]}}})
    gateway.ask(headers=[("x-session", "s1"), ("x-other", "o1")])
    call = gateway.upstream.call
    assert call.header("x-team") == "blue" and call.header("x-session") == "s1"
    assert call.header("x-other") is None
    assert call.header_values("user-agent") == ["fixed"]


def test_a_providers_own_header_replaces_the_clients(make_gateway):
    fixed = {"user-agent": "fixed", "Accept": "text/fixed", "traceparent": "fixed",
             "openai-beta": "fixed", "anthropic-version": "fixed", "x-session": "fixed"}
    gateway = make_gateway({"providers": {"main": {
        "headers": fixed, "forward_headers": ["x-session", "x-other"]}}})
    gateway.ask(headers=[(name.title(), "the client's") for name in [*fixed, "x-other"]])
    call = gateway.upstream.call
    for name, value in fixed.items():
        assert call.header_values(name.lower()) == [value]
    assert call.header_values("x-other") == ["the client's"]


def test_a_provider_without_a_key_gets_no_authorization(make_gateway):
    upstream = Upstream()
    gateway = make_gateway({
        "models": [{"name": "gpt-test", "targets": ["open"]}],
        "providers": {"open": {"dialect": "openai", "base_url": upstream.base_url}},
    }, upstream=upstream)
    assert gateway.ask().status == 200
    assert gateway.upstream.call.header("authorization") is None


FROM_UPSTREAM = [("openai-processing-ms", "12"), ("openai-version", "2020-10-01"),
                 ("anthropic-ratelimit-x", "1"), ("x-request-id", "req-of-upstream"),
                 ("x-ratelimit-limit-requests", "99"), ("set-cookie", "a=canary"),
                 ("server", "canary"), ("access-control-allow-origin", "https://canary"),
                 ("x-custom", "canary"), ("x-weir-target", "canary"), ("date", "canary"),
                 ("alt-svc", "canary"), ("strict-transport-security", "canary"),
                 ("www-authenticate", "canary"), ("keep-alive", "timeout=5")]


@pytest.mark.parametrize("stream", [False, True])
def test_of_upstreams_headers_only_the_named_ones_pass(gateway, upstream, stream):
    upstream.answer(
        answers.stream(headers=[answers.CONTENT_EVENTS, *FROM_UPSTREAM]) if stream
        else answers.whole(answers.chat_body(), headers=[answers.CONTENT_JSON, *FROM_UPSTREAM]))
    response = gateway.ask(stream=stream)
    assert response.status == 200
    assert response.header("openai-processing-ms") == "12"
    assert response.header("openai-version") == "2020-10-01"
    assert response.header("anthropic-ratelimit-x") == "1"
    assert not any("canary" in value for _, value in response.headers), response.headers
    assert response.header("x-request-id") not in (None, "req-of-upstream")
    assert response.header("x-ratelimit-limit-requests") is None
    assert response.header("set-cookie") is None


def test_a_providers_retry_after_passes_with_its_429(gateway, upstream):
    upstream.answer(answers.error(429, headers=[("retry-after", "7")]))
    assert gateway.ask().header("retry-after") == "7"


@pytest.mark.parametrize("stream", [False, True])
def test_weirs_own_headers_say_who_answered(gateway, upstream, stream):
    upstream.answer_always(answers.as_a_provider)
    response = gateway.ask(model="renamed", stream=stream)
    assert response.header("x-weir-target") == "main/other-name"
    assert response.header("x-weir-attempts") == "1"
    assert re.search(r"\bweir;dur=[0-9.]+", response.header("server-timing"))
    assert re.search(r"\bupstream;dur=[0-9.]+", response.header("server-timing"))


def test_names_of_models_stay_whole_until_the_end_of_a_stream(gateway, weir, upstream):
    # They come from the request's body, which is given back when the answer begins.
    upstream.answer_always(answers.as_a_provider)
    for size in (1, 20, 60):
        for n in range(10):
            name = f"wild-{n}-" + chr(ord("a") + n) * size
            response = gateway.ask(model=name, stream=True, user="u" * 50)
            assert response.header("x-weir-target") == f"main/{name}"
            line = weir.access_line(response)
            assert line["weir.model"] == line["weir.target.model"] == name


def test_each_answer_has_an_id_of_its_own(gateway, weir):
    responses = [gateway.ask(), gateway.ask(), weir.get("/v1/models"), weir.get("/nowhere")]
    ids = {response.header("x-request-id") for response in responses}
    assert len(ids) == 4 and None not in ids


def test_the_clients_request_id_stays_an_attribute(gateway, weir):
    response = gateway.ask(headers=[("x-request-id", "from-the-client-1")])
    assert response.header("x-request-id") != "from-the-client-1"
    assert "from-the-client-1" in json.dumps(weir.access_line(response))


def test_the_body_of_an_answer_is_framed_anew(gateway, upstream):
    upstream.answer(answers.chunked([answers.chat_body()[:9], answers.chat_body()[9:]]))
    response = gateway.ask()
    assert response.body == answers.chat_body()
    assert response.header("content-length") == str(len(response.body))
    assert response.header("transfer-encoding") is None


def test_a_chunked_request_is_framed_anew(gateway, weir, upstream):
    body = b'{"model":"gpt-test","messages":[]}'
    data = wire.request(key=gateway.key, headers=[("transfer-encoding", "chunked")])
    data += b"".join(answers.chunk(body[at:at + 5]) for at in range(0, len(body), 5))
    assert weir.send(data + answers.LAST_CHUNK).status == 200
    assert upstream.call.header("content-length") == str(len(body))
    assert upstream.call.header("transfer-encoding") is None
    assert upstream.call.body == body
