"""GET /metrics: the three names of the contract, the figures, and who may read them."""

import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support import answers, wire
from support.upstream import Close, Gate
from support.weir import free_port, wait_until


@pytest.fixture(scope="module")
def counted(make_gateway):
    return make_gateway()


def value(gateway, name, **labels):
    return gateway.weir.metrics().get((name, frozenset(labels.items())), 0)


def rises(gateway, call, name, by=1, **labels):
    """Whether the metric rises by so much with the call."""
    before = value(gateway, name, **labels)
    call()
    wait_until(lambda: value(gateway, name, **labels) == before + by, 5, f"{name}{labels}")


def test_requests_are_counted_by_route_and_status(counted):
    rises(counted, counted.ask, "api_requests_total",
          endpoint="/v1/chat/completions", status="200")
    rises(counted, lambda: counted.ask(path="/chat/completions"), "api_requests_total",
          endpoint="/v1/chat/completions", status="200")
    rises(counted, lambda: counted.ask(b"{"), "api_requests_total",
          endpoint="/v1/chat/completions", status="400")
    rises(counted, lambda: counted.weir.get("/nowhere/at/all"), "api_requests_total",
          endpoint="other", status="404")
    rises(counted, lambda: counted.weir.get("/v1/models/some-name", "bad"), "api_requests_total",
          endpoint="/v1/models/{id}", status="401")


def test_durations_have_buckets_up_to_600_seconds(counted):
    rises(counted, counted.ask, "api_request_duration_seconds_count",
          endpoint="/v1/chat/completions")
    buckets = sorted(float(dict(labels)["le"]) for name, labels in counted.weir.metrics()
                     if name == "api_request_duration_seconds_bucket"
                     and dict(labels)["endpoint"] == "/v1/chat/completions")
    assert buckets[-1] == float("inf") and buckets[-2] == 600


def test_active_users_are_distinct(counted):
    before = value(counted, "active_users")
    key = counted.weir.create_key("someone-new")["key"]
    rises(counted, lambda: [counted.ask(key=key) for _ in range(3)], "active_users")
    assert value(counted, "active_users") == before + 1


def test_streams_and_upstream_have_figures(counted):
    gate = threading.Event()
    script = answers.stream()
    counted.upstream.answer([*script[:2], Gate(gate), *script[2:]])
    with counted.open_stream() as stream:
        stream.next_event()
        wait_until(lambda: value(counted, "weir_streams_open") == 1)
        gate.set()
        stream.rest()
    wait_until(lambda: value(counted, "weir_streams_open") == 0)
    rises(counted, counted.ask, "weir_first_byte_seconds_count", provider="main")


def test_everything_of_weirs_own_is_in_base_units(counted):
    response = wire.exchange(counted.weir.admin_port, wire.request("GET", "/metrics"), "GET")
    assert response.header("content-type").startswith("text/plain")
    families = list(text_string_to_metric_families(response.body.decode()))
    names = {family.name for family in families}
    assert {"api_requests", "api_request_duration_seconds", "active_users"} <= names
    assert len(names) == len(families)
    for family in families:
        assert family.documentation and family.type != "unknown", family.name
        assert not family.name.endswith(("_ms", "_milliseconds", "_kb", "_us"))


def test_labels_are_bounded_whatever_clients_send(counted):
    for n in range(30):
        counted.weir.get(f"/nowhere/{n}", f"bad-{n}")
        counted.ask(model=f"unknown-{n}", headers=[("user-agent", f"agent-{n}")])
    text = wire.exchange(counted.weir.admin_port, wire.request("GET", "/metrics"), "GET").body
    assert b"unknown-" not in text and b"agent-" not in text and b"nowhere" not in text


def test_metrics_are_not_on_the_public_listener(counted):
    assert counted.weir.get("/metrics").status == 404


def test_metrics_may_have_an_address_of_their_own(make_gateway):
    port = free_port()
    make_gateway({"metrics": {"listen": f"127.0.0.1:{port}"}})
    response = wire.exchange(port, wire.request("GET", "/metrics"), "GET")
    assert response.status == 200 and b"api_requests_total" in response.body
    assert wire.exchange(port, wire.request("GET", "/v1/models"), "GET").status == 404


def test_a_scrape_by_http_1_0_and_head_work(counted):
    response = wire.exchange(counted.weir.admin_port, wire.request("GET", "/metrics",
                                                                   version="1.0"), "GET")
    assert response.status == 200 and b"active_users" in response.body


def test_broken_upstreams_are_counted(counted):
    before = counted.weir.metrics()
    counted.upstream.answer_always([Close()])
    counted.ask()
    wait_until(lambda: any(name == "weir_upstream_attempts_total" and
                           number > before.get((name, labels), 0) and
                           not {"ok", "completed"} & set(dict(labels).values())
                           for (name, labels), number in counted.weir.metrics().items()))
