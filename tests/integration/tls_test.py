"""TLS on both sides: who is believed, and who is not."""

import socket
import ssl
import time

import pytest

from support import answers, wire
from support.certificates import Authority
from support.upstream import Close, Dribble, Goodbye, Pause, Upstream
from support.weir import Gateway, free_port, wait_until

pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure(make_gateway, authority):
    """An upstream that speaks TLS, signed by an authority that weir was told of."""
    return make_gateway({"providers": {"main": {"tls": {"ca": str(authority.certificate)}}}},
                        upstream=Upstream(authority.server_context("upstream")))


def test_an_upstream_of_an_own_authority_is_called(secure):
    secure.upstream.answer_always(answers.as_a_provider)
    assert secure.ask().status == 200
    response = secure.stream()
    assert response.complete and response.events[-1] == b"[DONE]"


def test_connections_are_kept_under_tls_too(secure):
    with secure.weir.connect() as connection:
        for _ in range(5):
            connection.send(secure.request())
            assert connection.response().status == 200
    assert len({call.connection.number for call in secure.upstream.calls}) == 1


def test_large_bodies_pass_in_both_directions(secure):
    secure.upstream.answer(answers.chat("y" * (3 << 20)))
    response = secure.ask(x="z" * (3 << 20))
    assert response.body == answers.chat_body("y" * (3 << 20))
    assert len(secure.upstream.call.body) > 3 << 20


def test_a_session_ticket_is_not_the_start_of_an_early_answer(secure):
    # It comes after the handshake of TLS 1.3, while the body waits for room.
    for connection in secure.upstream.open_connections():
        connection.sock.close()
    secure.upstream.behaviour.reads_after_s = 0.5
    response = secure.ask(x="z" * (16 << 20))
    assert response.status == 200
    assert len(secure.upstream.call.body) > 16 << 20
    assert secure.upstream.call.connection.number == len(secure.upstream.connections)
    assert secure.upstream.call.connection.sock.version() == "TLSv1.3"


def test_single_bytes_under_tls_are_the_same_stream(secure):
    body = b"".join(answers.events(["a", "b"]))
    secure.upstream.answer([Dribble(b"".join(answers.chunked([body], headers=[
        answers.CONTENT_EVENTS])))])
    assert secure.stream().body == body


def test_a_tls_connection_that_breaks_is_a_502(secure):
    secure.upstream.answer_always([b"".join(answers.chat())[:50], Close()])
    assert secure.ask().status == 502


UNTIL_CLOSE = answers.head(200, [answers.CONTENT_JSON, ("connection", "close")])


def test_a_body_until_the_end_of_a_tls_connection_ends_with_a_goodbye(secure):
    secure.upstream.answer([UNTIL_CLOSE + answers.chat_body(), Goodbye()])
    assert secure.ask().body == answers.chat_body()


def test_a_body_until_the_end_of_a_tls_connection_is_broken_without_a_goodbye(secure):
    # RFC 9112 section 9.8: anybody on the path could have cut it off.
    secure.upstream.answer_always([UNTIL_CLOSE + answers.chat_body()[:20], Close()])
    assert secure.ask().status == 502


def test_a_client_that_leaves_ends_the_call_under_tls(secure):
    secure.upstream.answer([*answers.stream()[:2], Pause(30)])
    with secure.open_stream() as stream:
        stream.next_event()
    assert secure.upstream.calls[0].connection.peer_closed.wait(1)


def test_sessions_are_resumed(secure, authority):
    context = authority.server_context("resumed")
    with Upstream(context) as upstream:
        secure.weir.config["providers"]["again"] = {
            "dialect": "openai", "base_url": upstream.base_url, "api_key": "k",
            "tls": {"ca": str(authority.certificate)}}
        secure.weir.config["models"].append({"name": "again", "targets": ["again"]})
        secure.weir.write_config(secure.weir.config)
        secure.weir.send_signal(1)
        upstream.behaviour.close_after_requests = 1
        wait_until(lambda: secure.ask(model="again").status == 200)
        for _ in range(8):
            assert secure.ask(model="again").status == 200
        assert context.session_stats()["hits"] > 0


REFUSED = {
    "another name": {"subject_names": "DNS:other.example"},
    "another address": {"subject_names": "IP:127.0.0.2"},
    "no name at all": {"subject_names": "email:a@b.example"},
    "a wildcard for an address": {"subject_names": "DNS:*.0.0.1"},
    "expired": {"days": "-1"},
}


@pytest.fixture(scope="module")
def wary(make_gateway, authority, tmp_path_factory):
    """A weir with an upstream for each kind of certificate that is not to be believed."""
    upstreams = {kind: Upstream(authority.server_context(f"bad{n}", **options))
                 for n, (kind, options) in enumerate(REFUSED.items())}
    stranger = Authority(tmp_path_factory.mktemp("stranger"), "somebody else")
    upstreams["another authority"] = Upstream(stranger.server_context("stranger"))
    old = authority.server_context("old")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    upstreams["an old version"] = Upstream(old)
    upstreams["no TLS"] = Upstream()
    tls = {"ca": str(authority.certificate)}
    gateway = make_gateway({
        "providers": {kind.replace(" ", "-"): {
            "dialect": "openai", "api_key": "sk-must-not-leak", "tls": tls,
            "timeouts": {"connect": "1s"},
            "base_url": upstream.base_url.replace("http:", "https:")}
            for kind, upstream in upstreams.items()},
        "models": [{"name": kind.replace(" ", "-"), "targets": [kind.replace(" ", "-")]}
                   for kind in upstreams]})
    yield gateway, upstreams
    for upstream in upstreams.values():
        upstream.stop()


@pytest.mark.parametrize("kind", [*REFUSED, "another authority", "an old version", "no TLS"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_certificate_that_is_not_to_be_believed_is_a_502(wary, kind, stream):
    gateway, upstreams = wary
    response = gateway.ask(model=kind.replace(" ", "-"), stream=stream)
    # One that speaks no TLS waits for the end of what it takes for a head.
    assert response.status == (504 if kind == "no TLS" else 502)
    assert response.error["type"] == "upstream_error"
    assert not upstreams[kind].requests
    assert not any(b"must-not-leak" in bytes(each.received)
                   for each in upstreams[kind].connections)


def test_an_upstream_that_never_shakes_hands_is_504_in_time(make_gateway, authority):
    upstream = Upstream()
    gateway = make_gateway({"providers": {"main": {
        "base_url": f"https://127.0.0.1:{upstream.port}/v1", "timeouts": {"connect": "400ms"}}}},
        upstream=upstream)
    upstream.behaviour.on_accept = "ignore"
    response = gateway.ask()
    assert response.status == 504 and response.elapsed_s < 3


def test_a_missing_authority_file_is_named_at_the_start(tmp_path):
    gateway = Gateway(tmp_path, {"providers": {"main": {"tls": {"ca": "/no/such/ca.pem"},
                                                        "base_url": "https://127.0.0.1:9/v1"}}})
    try:
        gateway.weir.spawn()
        assert gateway.weir.wait(10) in (1, 2)
        assert "/no/such/ca.pem" in gateway.weir.stderr()
    finally:
        gateway.weir.kill()
        gateway.upstream.stop()


# The listener

@pytest.fixture(scope="module")
def listening(make_gateway, authority):
    """A weir whose listener speaks TLS, beside a plain one. It waits for a head shortly, for
    another request longer."""
    certificate, key = authority.sign("listener")
    port, plain = free_port(), free_port()
    gateway = make_gateway({"listen": [
        {"address": f"127.0.0.1:{plain}"},
        {"address": f"127.0.0.1:{port}", "tls": {"certificate": str(certificate),
                                                 "key": str(key)}}],
        "timeouts": {"header": "1s", "idle": "10s"}}, plain_port=plain)
    gateway.weir.port = port
    gateway.weir.tls = authority.client_context()
    yield gateway
    gateway.weir.port, gateway.weir.tls = plain, None


def test_clients_are_served_over_tls(listening):
    listening.upstream.answer_always(answers.as_a_provider)
    assert listening.ask().status == 200
    assert listening.stream().events[-1] == b"[DONE]"


def test_http_1_1_is_agreed_on(listening):
    with listening.weir.connect() as connection:
        assert connection.sock.selected_alpn_protocol() == "http/1.1"
        assert connection.sock.version() in ("TLSv1.2", "TLSv1.3")


def test_a_client_that_offers_http_2_too_gets_http_1_1(listening, authority):
    context = authority.client_context(("h2", "http/1.1"))
    with wire.Wire(listening.weir.port, tls=context) as connection:
        assert connection.sock.selected_alpn_protocol() == "http/1.1"


def test_pipelining_and_single_bytes_work_over_tls(listening):
    data = wire.request("GET", "/livez") + listening.request()
    with listening.weir.connect() as connection:
        connection.send(data)
        assert connection.response("GET").status == connection.response().status == 200
        connection.send_in_pieces(data)
        assert connection.response("GET").status == connection.response().status == 200


def stacks(gateway):
    return sum(value for (name, _), value in gateway.weir.metrics().items()
               if name == "weir_coroutine_stacks")


def test_an_idle_connection_over_tls_holds_no_task_and_may_be_idle_longer_than_a_head_takes(
        listening):
    before = stacks(listening)
    with listening.weir.connect() as connection:
        for _ in range(2):
            connection.send(listening.request())
            assert connection.response().status == 200
            wait_until(lambda: stacks(listening) <= before, 0.8, "the end of the task")
            time.sleep(2)  # a head would have had to come
        connection.send(listening.request())
        assert connection.response().status == 200


def test_large_bodies_pass_through_the_listener(listening):
    listening.upstream.answer(answers.chat("y" * (3 << 20)))
    response = listening.ask(x="z" * (3 << 20))
    assert response.body == answers.chat_body("y" * (3 << 20))


def test_old_versions_of_tls_are_refused(listening, authority):
    context = authority.client_context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        wire.Wire(listening.weir.port, tls=context)


def test_who_speaks_plainly_to_tls_is_closed(listening):
    with wire.Wire(listening.weir.port) as connection:
        connection.send(wire.request("GET", "/livez"))
        connection.sock.settimeout(5)
        try:
            data = connection.sock.recv(4096)
        except ConnectionResetError:
            data = b""
        assert b"200" not in data


def test_a_client_that_leaves_over_tls_ends_the_call(listening):
    listening.upstream.answer([*answers.stream()[:2], Pause(30)])
    with listening.open_stream() as stream:
        stream.next_event()
    assert listening.upstream.calls[0].connection.peer_closed.wait(1)


def test_handshakes_that_do_not_go_on_hold_up_nobody(listening):
    idle = [socket.create_connection(("127.0.0.1", listening.weir.port)) for _ in range(20)]
    for each in idle:
        each.sendall(b"\x16\x03\x01\x02\x00\x01")
    started = time.monotonic()
    assert listening.ask().status == 200
    assert time.monotonic() - started < 2
    for each in idle:
        each.close()


def test_a_missing_certificate_is_named_at_the_start(tmp_path, authority):
    gateway = Gateway(tmp_path, {"listen": [{"address": "127.0.0.1:1", "tls": {
        "certificate": "/no/such/cert.pem", "key": "/no/such/key.pem"}}]})
    try:
        gateway.weir.spawn()
        assert gateway.weir.wait(10) in (1, 2)
        assert "/no/such/" in gateway.weir.stderr()
    finally:
        gateway.weir.kill()
        gateway.upstream.stop()
