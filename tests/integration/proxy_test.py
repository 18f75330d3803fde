"""Calls through an outgoing proxy."""

import base64

import pytest

from support import answers
from support.certificates import Authority
from support.proxy import Proxy
from support.upstream import Upstream
from support.weir import PROVIDER_KEY


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def proxy():
    with Proxy() as shared:
        yield shared


@pytest.fixture(autouse=True)
def clean_proxy(proxy):
    proxy.heads.clear()
    proxy.refuse_with, proxy.connect_to, proxy.early_bytes = None, None, b""


def through(make_gateway, authority, proxy=None, environment=None, host="127.0.0.1", **provider):
    upstream = Upstream(authority.server_context("upstream"))
    base_url = f"https://{host}:{upstream.port}/v1"
    return make_gateway({"models": [{"name": "gpt-test", "targets": ["main"]}],
                         "providers": {"main": {
                             "base_url": base_url, "tls": {"ca": str(authority.certificate)},
                             **({"proxy": proxy} if proxy else {}), **provider}}},
                        upstream=upstream, environment=environment)


def test_a_call_goes_through_the_proxy_and_tls_reaches_to_the_upstream(
        make_gateway, authority, proxy):
    gateway = through(make_gateway, authority, proxy.url)
    gateway.upstream.answer_always(answers.as_a_provider)
    assert gateway.ask().status == 200
    assert gateway.stream().events[-1] == b"[DONE]"
    assert set(proxy.targets) == {f"127.0.0.1:{gateway.upstream.port}"}
    head = proxy.heads[0]
    assert head.startswith(b"CONNECT ") and b"\r\nhost: " in head.lower()
    assert PROVIDER_KEY.encode() not in b"".join(proxy.heads)
    assert b"proxy-authorization" not in head.lower()


def test_the_connection_through_the_proxy_is_kept(make_gateway, authority, proxy):
    gateway = through(make_gateway, authority, proxy.url)
    with gateway.weir.connect() as connection:
        for _ in range(4):
            connection.send(gateway.request())
            assert connection.response().status == 200
    assert len(proxy.heads) == 1


def test_the_proxy_resolves_the_name(make_gateway, authority, proxy):
    gateway = through(make_gateway, authority, proxy.url, host="localhost")
    proxy.connect_to = ("127.0.0.1", gateway.upstream.port)
    assert gateway.ask().status == 200
    assert proxy.targets == [f"localhost:{gateway.upstream.port}"]


def test_the_proxy_is_told_who_calls(make_gateway, authority, proxy):
    gateway = through(make_gateway, authority, f"http://user:p%40ss@127.0.0.1:{proxy.port}")
    assert gateway.ask().status == 200
    expected = base64.b64encode(b"user:p@ss")
    assert b"proxy-authorization: basic " + expected.lower() in proxy.heads[0].lower()
    assert expected in proxy.heads[0]
    assert "p@ss" not in gateway.weir.stderr() and "p%40ss" not in gateway.weir.stderr()


def test_a_plain_upstream_is_reached_by_connect_too(make_gateway, proxy):
    gateway = make_gateway({"providers": {"main": {"proxy": proxy.url}},
                            "models": [{"name": "gpt-test", "targets": ["main"]}]})
    assert gateway.ask().status == 200
    assert proxy.heads and proxy.heads[0].startswith(b"CONNECT ")


@pytest.mark.parametrize("answer", [
    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 6\r\n\r\ncanary",
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 502 Bad Gateway\r\n\r\n", b"noise\r\n\r\n", b"",
    b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\n\r\n", b"HTTP/1.1 200 OK\r\nX : b\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
], ids=["407", "403", "502", "noise", "nothing", "folded", "space", "huge"])
def test_a_proxy_that_refuses_is_a_502(make_gateway, authority, proxy, answer, shared={}):
    if "gateway" not in shared:
        shared["gateway"] = through(make_gateway, authority, proxy.url)
    gateway = shared["gateway"]
    proxy.refuse_with = answer
    response = gateway.ask()
    assert response.status == 502 and response.error["type"] == "upstream_error"
    assert b"canary" not in response.body
    assert not gateway.upstream.requests


def test_a_proxy_that_is_not_there_is_a_502(make_gateway, authority):
    gateway = through(make_gateway, authority, "http://127.0.0.1:1")
    assert gateway.ask().status == 502


def test_bytes_behind_the_proxys_head_are_no_answer(make_gateway, authority, proxy):
    gateway = through(make_gateway, authority, proxy.url)
    proxy.early_bytes = b"".join(answers.chat("forged by the proxy"))
    response = gateway.ask()
    assert response.status == 502 and b"forged" not in response.body


# The environment

@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_environment_names_a_proxy(make_gateway, authority, proxy, name):
    gateway = through(make_gateway, authority, environment={name: proxy.url})
    assert gateway.ask().status == 200
    assert len(proxy.heads) == 1


@pytest.mark.parametrize("exception", ["127.0.0.1", "example.org, 127.0.0.1", "*"])
def test_no_proxy_excepts(make_gateway, authority, proxy, exception):
    gateway = through(make_gateway, authority, environment={
        "HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": exception})
    assert gateway.ask().status == 200


def test_another_exception_does_not_except(make_gateway, authority, proxy):
    gateway = through(make_gateway, authority, environment={
        "HTTPS_PROXY": proxy.url, "NO_PROXY": "example.org,7.0.0.1"})
    assert gateway.ask().status == 200
    assert len(proxy.heads) == 1


def test_https_proxy_is_not_for_plain_upstreams(make_gateway):
    gateway = make_gateway({"models": [{"name": "gpt-test", "targets": ["main"]}]},
                           environment={"HTTPS_PROXY": "http://127.0.0.1:1"})
    assert gateway.ask().status == 200
