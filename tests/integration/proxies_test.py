"""Behind proxies: whose word on the client's address is believed, and whose is not."""

import signal
import socket
import struct

import pytest

from support import answers, wire
from support.certificates import Authority
from support.weir import free_port, log_field, merge, wait_until

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LINE = b"PROXY TCP4 198.51.100.7 203.0.113.1 40000 443\r\n"


def binary(command=0x21, family=0x11, body=None):
    if body is None:
        body = socket.inet_aton("198.51.100.8") + socket.inet_aton("203.0.113.1") \
            + struct.pack(">HH", 40000, 443)
    return SIGNATURE + struct.pack(">BBH", command, family, len(body)) + body


BINARY = binary()
BINARY_V6 = binary(family=0x21, body=socket.inet_pton(socket.AF_INET6, "2001:db8::8")
                   + socket.inet_pton(socket.AF_INET6, "2001:db8::1") + struct.pack(">HH", 1, 2))
WITH_FIELDS = binary(body=BINARY[16:] + b"\x02\0\3a.b" + b"\xea\0\4vpce")


class From(wire.Wire):
    """A connection from another address of this machine."""

    def __init__(self, port, address, timeout_s=15):
        self.timeout_s = timeout_s
        self.sock = socket.socket()
        self.sock.settimeout(timeout_s)
        self.sock.bind((address, 0))
        self.sock.connect(("127.0.0.1", port))
        self.unread = b""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def proxied(make_gateway, authority):
    """127.0.0.1 and 10.0.0.0/8 are trusted, 127.0.0.2 is not. One plain listener, one with TLS."""
    certificate, key = authority.sign("listener")
    plain, secure = free_port(), free_port()
    gateway = make_gateway({
        "listen": [{"address": f"127.0.0.1:{plain}"},
                   {"address": f"127.0.0.1:{secure}", "tls": {"certificate": str(certificate),
                                                              "key": str(key)}}],
        "trusted_proxies": ["127.0.0.1", "10.0.0.0/8"],
        "timeouts": {"header": "2s"}}, plain_port=plain)
    gateway.upstream.answer_always(answers.as_a_provider)
    gateway.secure_port = secure
    return gateway


def client_of(gateway, response):
    assert response.status == 200, response
    return log_field(gateway.weir.access_line(response), "client.ip")


def ask_behind(gateway, header, headers=()):
    with gateway.weir.connect() as connection:
        connection.send(header + gateway.request(headers))
        return client_of(gateway, connection.response())


HEADERS = {
    "v1": (LINE, "198.51.100.7"),
    "v1, IPv6": (b"PROXY TCP6 2001:db8::7 2001:db8::1 40000 443\r\n", "2001:db8::7"),
    "v1, unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v2": (BINARY, "198.51.100.8"),
    "v2, IPv6": (BINARY_V6, "2001:db8::8"),
    "v2, additional fields": (WITH_FIELDS, "198.51.100.8"),
    "v2, local": (binary(0x20, 0, b""), "127.0.0.1"),
    "none": (b"", "127.0.0.1"),
}


@pytest.mark.parametrize("header,client", HEADERS.values(), ids=HEADERS)
def test_the_access_line_shows_whom_the_proxy_names(proxied, header, client):
    assert ask_behind(proxied, header) == client


@pytest.mark.parametrize("header,client", HEADERS.values(), ids=HEADERS)
def test_the_header_stands_before_tls(proxied, authority, header, client):
    with wire.Wire(proxied.secure_port) as connection:
        connection.send(header)
        connection.sock = authority.client_context().wrap_socket(connection.sock,
                                                                 server_hostname="localhost")
        connection.send(proxied.request())
        assert client_of(proxied, connection.response()) == client


@pytest.mark.parametrize("header", [LINE, BINARY], ids=["v1", "v2"])
def test_the_header_may_come_in_pieces(proxied, header):
    with proxied.weir.connect() as connection:
        connection.send_in_pieces(header, gap_s=0.002)
        connection.send_in_pieces(proxied.request(), size=40)
        assert client_of(proxied, connection.response()) in ("198.51.100.7", "198.51.100.8")


def test_the_header_holds_for_the_whole_connection(proxied):
    with proxied.weir.connect() as connection:
        connection.send(LINE + proxied.request() + proxied.request())
        first, second = connection.response(), connection.response()
        assert client_of(proxied, first) == client_of(proxied, second) == "198.51.100.7"
        connection.send(proxied.request())
        assert client_of(proxied, connection.response()) == "198.51.100.7"


@pytest.mark.parametrize("header", [LINE, BINARY], ids=["v1", "v2"])
def test_a_header_of_who_is_not_trusted_is_a_bad_request(proxied, header):
    with From(proxied.weir.port, "127.0.0.2") as connection:
        connection.send(header + proxied.request())
        assert connection.response().status == 400
        assert connection.closed()


def test_a_header_of_who_is_not_trusted_breaks_the_handshake(proxied, authority):
    with From(proxied.secure_port, "127.0.0.2") as connection:
        connection.send(LINE)
        with pytest.raises(OSError):  # of TLS too
            authority.client_context().wrap_socket(connection.sock, server_hostname="localhost")


def faults(gateway):
    return gateway.weir.metrics()["weir_connections_refused_total",
                                  frozenset({("reason", "proxy")})]


MALFORMED = [b"PROXY TCP4 198.51.100.7\r\n", b"PROXY TCP4 " + b"1" * 200, b"PROXY / HTTP/1.1\r\n\r\n",
             SIGNATURE + b"\x31\x11\0\0", binary(body=b"short"), SIGNATURE + b"\x21\x11\xff\xff",
             binary(body=BINARY[16:] + b"\x03\0\4\0\0\0\0")]


@pytest.mark.parametrize("header", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_header_is_counted_and_closes(proxied, header):
    before = faults(proxied)
    with proxied.weir.connect() as connection:
        connection.send(header)
        assert connection.closed() and not connection.unread
    wait_until(lambda: faults(proxied) == before + 1, what="the count")


def test_a_malformed_header_is_logged(proxied):
    with proxied.weir.connect() as connection:
        connection.send(b"PROXY TCP4 198.51.100.7\r\n")
        assert connection.closed()
    line = proxied.weir.wait_for_log(lambda line: "malformed PROXY header" in line["message"])
    assert "127.0.0.1" in line["message"] and log_field(line, "log.level") == "warn"


def test_a_header_that_does_not_come_to_its_end_is_closed_in_time(proxied):
    with proxied.weir.connect() as connection:
        connection.send(LINE[:20])
        assert connection.is_silent(1)
        assert connection.closed(within_s=5)


CHAINS = {
    "one": (["198.51.100.1"], "198.51.100.1"),
    "invented before it": (["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
    "two proxies": (["1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
    "several lines": (["1.1.1.1", "198.51.100.1, 10.0.0.2", "10.0.0.3"], "198.51.100.1"),
    "all trusted": (["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
    "malformed": (["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
    "nothing good": (["unknown"], "127.0.0.1"),
    "a port": (["198.51.100.1:4711"], "198.51.100.1"),
    "IPv6": (["2001:db8::9"], "2001:db8::9"),
    "IPv6 with a port": (["[2001:db8::9]:4711"], "2001:db8::9"),
}


@pytest.mark.parametrize("values,client", CHAINS.values(), ids=CHAINS)
def test_x_forwarded_for_is_read_from_its_end(proxied, values, client):
    response = proxied.ask(headers=[("X-Forwarded-For", value) for value in values])
    assert client_of(proxied, response) == client


def test_x_forwarded_for_of_who_is_not_trusted_is_nothing(proxied):
    with From(proxied.weir.port, "127.0.0.2") as connection:
        connection.send(proxied.request([("X-Forwarded-For", "198.51.100.1")]))
        assert client_of(proxied, connection.response()) == "127.0.0.2"


def test_x_forwarded_for_of_the_client_behind_a_header_is_nothing(proxied):
    said = [("X-Forwarded-For", "203.0.113.66")]
    assert ask_behind(proxied, LINE, said) == "198.51.100.7"
    trusted = b"PROXY TCP4 10.0.0.5 203.0.113.1 40000 443\r\n"
    assert ask_behind(proxied, trusted, said) == "203.0.113.66"


def test_the_field_does_not_go_to_the_provider(proxied):
    proxied.ask(headers=[("X-Forwarded-For", "198.51.100.1")])
    assert "x-forwarded-for" not in {name.lower() for name, _ in proxied.upstream.call.headers}


def test_without_trusted_proxies_nobody_is_believed(gateway):
    gateway.upstream.answer_always(answers.as_a_provider)
    response = gateway.ask(headers=[("X-Forwarded-For", "198.51.100.1")])
    assert client_of(gateway, response) == "127.0.0.1"
    with gateway.weir.connect() as connection:
        connection.send(LINE + gateway.request())
        assert connection.response().status == 400


def test_the_bound_on_an_address_is_the_clients(make_gateway):
    gateway = make_gateway({"workers": 1, "trusted_proxies": ["127.0.0.1"],
                            "transport": {"connections_per_address": 2}})
    gateway.upstream.answer_always(answers.as_a_provider)
    with gateway.weir.connect() as one, gateway.weir.connect() as two, \
            gateway.weir.connect() as three, gateway.weir.connect() as other:
        for connection in (one, two):
            connection.send(LINE + gateway.request())
            assert connection.response().status == 200
        three.send(LINE)
        assert three.response().status == 503
        other.send(BINARY + gateway.request())
        assert other.response().status == 200


def test_a_reload_holds_for_requests_and_for_new_connections(make_gateway):
    gateway = make_gateway({"workers": 1})
    gateway.upstream.answer_always(answers.as_a_provider)
    said = [("X-Forwarded-For", "198.51.100.1")]
    with gateway.weir.connect() as kept:
        kept.send(gateway.request(said))
        assert client_of(gateway, kept.response()) == "127.0.0.1"
        gateway.weir.write_config(merge(gateway.weir.config, {"trusted_proxies": ["127.0.0.1"]}))
        gateway.weir.send_signal(signal.SIGHUP)
        wait_until(lambda: client_of(gateway, gateway.ask(headers=said)) == "198.51.100.1")
        kept.send(gateway.request(said))
        assert client_of(gateway, kept.response()) == "198.51.100.1"
    assert ask_behind(gateway, LINE) == "198.51.100.7"
