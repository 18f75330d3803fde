"""What weir says about its work: one access line per request, figures, and never a secret."""

import json
import os
import re
import subprocess
import time

import pytest

from support import answers, wire
from support.process import end_with_parent
from support.upstream import Close, Pause
from support.weir import BINARY, PROVIDER_KEY, Weir, is_access_line, log_field, \
    standard_config, wait_until

CANARY = "canary-5e1f-prompt"
ECS = ["@timestamp", "log.level", "message", "ecs.version", "http.request.id",
       "http.request.method", "url.path", "http.response.status_code", "event.duration"]


def lines_of(weir, response):
    weir.access_line(response)
    request_id = response.header("x-request-id")
    return [line for line in weir.log_lines() if is_access_line(line) and
            log_field(line, "http.request.id") == request_id]


def test_each_request_has_one_access_line_with_ecs_names(gateway, weir, upstream):
    upstream.answer_always(answers.as_a_provider)
    responses = [gateway.ask(), gateway.stream(), gateway.ask(b"{"), weir.get("/nowhere"),
                 weir.post("/v1/chat", {"messages": []}, "bad"),
                 weir.get("/v1/models", gateway.key),
                 gateway.ask({"messages": []}, path="/v1/chat")]
    for response in responses:
        lines = lines_of(weir, response)
        assert len(lines) == 1
        line = lines[0]
        assert all(log_field(line, name) is not None for name in ECS), line
        assert log_field(line, "http.response.status_code") == response.status
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["@timestamp"])


def test_an_access_line_says_who_what_and_how_long(gateway, weir, upstream):
    line = weir.access_line(gateway.ask(model="renamed", headers=[("user-agent", "Agent/1")]))
    assert line["url.path"] == "/v1/chat/completions"
    assert line["http.request.method"] == "POST"
    assert line["user.name"] == "tester" and line["user.id"]
    assert line["user_agent.original"] == "Agent/1"
    assert line["weir.model"] == "renamed" and line["weir.target.model"] == "other-name"
    assert line["weir.provider"] == "main" and line["weir.attempts"] == 1
    assert line["weir.usage.input_tokens"] == 5 and line["weir.usage.output_tokens"] == 2
    assert 0 < line["event.duration"] < 10 ** 10
    assert line["client.ip"] == "127.0.0.1"


def test_an_access_line_belongs_to_the_clients_trace(gateway, weir):
    trace = "0af7651916cd43dd8448eb211c80319c"
    value = f"00-{trace}-b7ad6b7169203331-01"
    line = weir.access_line(gateway.ask(headers=[("traceparent", value)]))
    assert line["trace.id"] == trace
    for odd in ("", "00", f"00-{trace.upper()}-b7ad6b7169203331-01", "x" * 300, '"}'):
        response = gateway.ask(headers=[("traceparent", odd)])
        assert response.status == 200 and weir.access_line(response)


def test_the_duration_is_in_nanoseconds(gateway, weir, upstream):
    upstream.answer([Pause(0.2), *answers.chat()])
    line = weir.access_line(gateway.ask())
    assert 200_000_000 <= line["event.duration"] < 2_000_000_000


def test_every_line_of_the_log_is_json_with_time_level_and_message(weir):
    text = weir.stderr()
    for line in text[:text.rfind("\n")].splitlines():
        parsed = json.loads(line)
        assert {"@timestamp", "log.level", "message"} <= set(parsed)


@pytest.mark.parametrize("value", ["a\"b", "a\\b", "\xe9\xff", "a\tb", "x" * 3000,
                                   '","log.level":"error","x":"'])
def test_nothing_that_clients_send_breaks_a_line(gateway, weir, value):
    headers = [("user-agent", value), ("x-request-id", value)]
    line = weir.access_line(gateway.ask(headers=headers))
    assert line["log.level"] == "info"
    weir.get("/v1/models/" + "%22%0a%00", gateway.key)
    weir.send(wire.request("GET", "/v1/models/\xe9\"\\", key=gateway.key), "GET")


def test_no_secret_and_no_prompt_is_in_any_line_or_metric(gateway, weir, upstream):
    messages = [{"role": "user", "content": CANARY}]
    secret = weir.create_key("tester", "--key-stdin", stdin="canary-5e1f-existing-key-0123456789")
    upstream.answer_always(lambda request: answers.chat(CANARY + "-answer"))
    gateway.ask(messages=messages)
    gateway.ask(messages=messages, key="canary-5e1f-existing-key-0123456789")
    gateway.ask(b'{"model":"gpt-test","messages":"' + CANARY.encode(), path="/v1/chat")
    gateway.ask({"model": "gpt-test", "messages": CANARY})
    gateway.ask(headers=[("cookie", CANARY), ("x-api-key", CANARY), ("x-other", CANARY)])
    gateway.weir.post("/v1/chat/completions", {}, CANARY + "-bad-key")
    weir.get(f"/v1/chat/completions?key={CANARY}", CANARY)
    upstream.answer_always(answers.error(400, CANARY + " of the provider"))
    gateway.ask(messages=messages)
    upstream.answer_always(answers.error(401, CANARY + " of the provider"))
    gateway.ask(messages=messages)
    upstream.answer_always([(CANARY + "\r\n\r\n").encode(), Close()])
    last = gateway.ask(messages=messages)
    upstream.answer_always(answers.stream([answers.event(answers.delta(CANARY))]))
    last = gateway.stream(messages=messages)
    weir.access_line(last)
    said = weir.stderr() + weir.stdout()
    metrics = wire.exchange(weir.admin_port, wire.request("GET", "/metrics"), "GET").body.decode()
    for hidden in ("canary-5e1f", gateway.key, PROVIDER_KEY):
        assert hidden not in said
        assert hidden not in metrics
    assert secret["id"] in said


def test_a_key_in_the_wrong_place_is_not_in_its_line(gateway, weir):
    key = gateway.key
    paths = [f"/{key}", f"/v1/models/{key}", f"/v1/chat/completions/{key}"]
    responses = [weir.get(path, key) for path in paths]
    responses.append(gateway.ask(model=key))
    responses.append(gateway.ask(model=[key]))
    responses.append(gateway.ask(headers=[("x-request-id", key), ("user-agent", f"x/1 ({key})")]))
    lines = [weir.access_line(response) for response in responses]
    assert key not in weir.stderr()
    assert [log_field(line, "url.path") for line in lines[:3]] == [
        path.replace(key, "sk-weir-…") for path in paths]
    assert log_field(lines[3], "weir.model") == "sk-weir-…"
    assert "sk-weir-…" in log_field(lines[3], "error.message")
    assert log_field(lines[5], "weir.client.request_id") == "sk-weir-…"
    assert log_field(lines[5], "user_agent.original") == "x/1 (sk-weir-…)"


def test_refused_heads_have_a_line_too(weir):
    before = len(weir.log_lines())
    weir.send(b"GET /livez HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", "GET")
    wait_until(lambda: [line for line in weir.log_lines()[before:]
                        if log_field(line, "http.response.status_code") == 400])


def test_a_log_that_nobody_reads_stalls_nobody(make_gateway, tmp_path):
    """stderr is a pipe that is full: lines are dropped and counted, requests are not."""
    gateway = make_gateway()
    weir = Weir(tmp_path, standard_config(gateway.upstream.base_url))
    reading, writing = os.pipe()
    try:
        weir.process = subprocess.Popen(
            [BINARY, "serve", "--config", weir.config_path], cwd=tmp_path, stderr=writing,
            env=weir.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            start_new_session=True, preexec_fn=end_with_parent)
        os.close(writing)
        wait_until(weir.is_ready)
        wait_until((weir.data_dir / "admin.sock").exists)
        key = weir.create_key("tester")["key"]
        data = wire.request(body=b'{"model":"gpt-test","messages":[]}', key=key, headers=[
            ("user-agent", "x" * 150)])
        with weir.connect() as connection:
            slowest = 0
            for _ in range(3000):
                started = time.monotonic()
                connection.send(data)
                assert connection.response().status == 200
                slowest = max(slowest, time.monotonic() - started)
        assert slowest < 1
    finally:
        os.close(reading)  # or the last lines could not be written
        weir.process.terminate()
        assert weir.wait(20) == 0
        weir.process = None
