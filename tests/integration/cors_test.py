"""Cross-origin requests of browsers."""

import pytest

from support import wire

ORIGIN = ("origin", "https://app.example")
EXPOSED = ["x-request-id", "x-weir-target", "x-weir-attempts", "retry-after", "server-timing"]


def preflight(path="/v1/chat/completions", wanted="authorization, content-type, x-stainless-os"):
    return wire.request("OPTIONS", path, headers=[
        ORIGIN, ("access-control-request-method", "POST"),
        ("access-control-request-headers", wanted)])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions", "/v1/models",
                                  "/v1/chat", "/v1/embeddings"])
def test_a_preflight_needs_no_key_and_echoes_the_headers(weir, upstream, path):
    response = weir.send(preflight(path), "OPTIONS")
    assert response.status in (200, 204)
    assert response.header("access-control-allow-origin") == "*"
    assert response.header("access-control-allow-headers") == \
        "authorization, content-type, x-stainless-os"
    allowed = response.header("access-control-allow-methods")
    assert ("GET" if path.endswith("models") else "POST") in allowed
    assert not upstream.calls


def test_a_preflight_echoes_no_control_bytes(weir):
    response = weir.send(preflight(wanted="x-a, x-b"), "OPTIONS")
    assert response.header("access-control-allow-headers") == "x-a, x-b"


def test_options_without_a_preflight_says_what_is_allowed(weir):
    response = weir.send(wire.request("OPTIONS", "/v1/chat/completions"), "OPTIONS")
    assert response.status in (200, 204) and "POST" in response.header("allow")


def answers_of(gateway, weir):
    yield gateway.ask(headers=[ORIGIN])
    yield gateway.ask(b"{", headers=[ORIGIN])
    yield gateway.ask(model="nobody-has-this", headers=[ORIGIN])
    yield gateway.ask(headers=[ORIGIN], stream=True)
    yield weir.post("/v1/chat", {}, headers=[ORIGIN])
    yield weir.get("/v1/models", headers=[ORIGIN])
    yield weir.get("/v1/nowhere", headers=[ORIGIN])
    yield weir.get("/v1/chat/completions", headers=[ORIGIN])
    yield weir.get("/v1/health", headers=[ORIGIN])
    yield gateway.ask(headers=[ORIGIN, ("content-encoding", "lzma")])


def test_every_answer_may_be_read_by_a_page(gateway, weir):
    for response in answers_of(gateway, weir):
        assert response.header("access-control-allow-origin") == "*", response
        exposed = response.header("access-control-expose-headers").lower()
        assert all(name in exposed for name in EXPOSED), exposed
        assert response.header("access-control-allow-credentials") is None


def test_with_credentials_the_origin_is_echoed(make_gateway):
    gateway = make_gateway({"cors": {"origins": ["https://app.example"], "credentials": True}})
    for response in (gateway.ask(headers=[ORIGIN]), gateway.ask(b"{", headers=[ORIGIN]),
                     gateway.weir.send(preflight(), "OPTIONS")):
        assert response.header("access-control-allow-origin") == "https://app.example"
        assert response.header("access-control-allow-credentials") == "true"
        assert "origin" in response.header("vary").lower()
    other = gateway.ask(headers=[("origin", "https://evil.example")])
    assert other.header("access-control-allow-origin") != "https://evil.example"
    assert other.header("access-control-allow-origin") != "*"
