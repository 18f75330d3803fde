"""Where a provider of the API may point: not to what only this machine can reach."""

import json
import signal

import pytest

from support import admin_socket, answers
from support.weir import merge


@pytest.fixture(scope="module")
def guarded(make_gateway):
    return make_gateway()


def create(gateway, base_url, name="inside"):
    return admin_socket.call(gateway.weir, "POST", "/providers", {"name": name, "base_url": base_url})


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "100.100.100.200", "169.254.169.254", "169.254.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "192.0.0.192", "198.18.0.1", "168.63.129.16", "[::]", "[::1]", "[fe80::1]",
    "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]",
    "[::127.0.0.1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]"])
def test_addresses_that_are_not_public_are_refused_when_they_are_set(guarded, host):
    for scheme in ["http", "https"]:
        answer = create(guarded, f"{scheme}://{host}:8080/v1")
        assert answer.status == 400 and "no public address" in answer.detail, answer
        assert "admin.allowed_networks" in answer.detail
    assert admin_socket.call(guarded.weir, "GET", "/providers/inside").status == 404


@pytest.mark.parametrize("host", ["1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]",
                                  "[2002:101:101::1]", "[64:ff9b::1.1.1.1]", "api.example.com"])
def test_public_addresses_and_names_may_be_set(guarded, host):
    assert create(guarded, f"https://{host}/v1", "outside").status == 201
    assert admin_socket.call(guarded.weir, "DELETE", "/providers/outside").status == 200


def point_to_localhost(gateway):
    answer = create(gateway, f"http://localhost:{gateway.upstream.port}/v1")
    assert answer.status == 201, answer
    model = admin_socket.call(gateway.weir, "POST", "/models", {"name": "inner", "targets": ["inside"]})
    assert model.status == 201, model


def test_a_name_is_refused_when_it_leads_inside(make_gateway):
    gateway = make_gateway()
    gateway.upstream.answer_always(answers.chat())
    point_to_localhost(gateway)
    response = gateway.ask(model="inner")
    assert response.status == 502 and "127.0.0.1" not in response.body.decode()
    line = gateway.weir.access_line(response)
    assert "is no public address (loopback)" in json.dumps(line), line
    assert "admin.allowed_networks" in json.dumps(line)
    assert not gateway.upstream.calls
    # A provider of the file goes where it is told to, and so does this one once the file allows it.
    assert gateway.ask().status == 200
    allowed = merge(gateway.weir.config, {"admin": {"allowed_networks": ["127.0.0.0/8", "::1"]}})
    gateway.weir.write_config(allowed)
    gateway.weir.send_signal(signal.SIGHUP)
    gateway.weir.wait_for_log(lambda line: line["message"].startswith("reloaded"))
    assert gateway.ask(model="inner").status == 200
    gateway.weir.write_config(gateway.weir.config)
    gateway.weir.send_signal(signal.SIGHUP)
    gateway.weir.wait_for_log(lambda line: len([
        each for each in gateway.weir.log_lines() if each["message"].startswith("reloaded")]) == 2)
    assert gateway.ask(model="inner").status == 502


def test_lists_of_models_are_not_asked_for_inside_either(make_gateway):
    gateway = make_gateway()
    answer = create(gateway, f"http://localhost:{gateway.upstream.port}/v1")
    assert answer.status == 201
    assert admin_socket.call(gateway.weir, "POST", "/models",
                      {"name": "inner*", "targets": ["inside"]}).status == 201
    listed = gateway.weir.get("/v1/models", key=gateway.key)
    assert listed.status == 200
    assert not [call for call in gateway.upstream.calls if call.target.endswith("/models")]


def test_a_provider_of_the_api_goes_through_no_proxy_of_the_environment(make_gateway):
    gateway = make_gateway(environment={"HTTPS_PROXY": "http://127.0.0.1:9"})
    assert create(gateway, "https://api.example.com/v1").status == 201
    shown = {each["key"]: each["value"]
             for each in gateway.weir.run_json("config", "show")["settings"]}
    assert shown["providers.inside.proxy"] == "" and shown["providers.openai.proxy"] != ""


def test_what_is_no_longer_allowed_is_left_out(make_gateway):
    gateway = make_gateway({"admin": {"allowed_networks": "127.0.0.1"}})
    assert create(gateway, gateway.upstream.base_url).status == 201
    gateway.weir.write_config(merge(gateway.weir.config, {"admin": {"allowed_networks": []}}))
    gateway.weir.stop()
    gateway.weir.start()
    gateway.weir.wait_for_log(lambda line: "provider 'inside' of the API is left out" in
                              line["message"])
    assert admin_socket.call(gateway.weir, "GET", "/providers/inside").body["in_force"] is False
