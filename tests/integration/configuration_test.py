"""weir check, config show, and reloading."""

import json
import re
import signal
import socket
import threading

import pytest

from support import answers
from support.upstream import Gate
from support.weir import clean_environment, free_port, run_weir, wait_until

GOOD = """\
listen: 127.0.0.1:8000
providers:
  main: { dialect: openai, base_url: "http://localhost:1/v1", api_key: "${KEY:-none}" }
models:
  - { name: "gpt*", targets: [main] }
"""


def check(folder, text, code, **environment):
    path = folder / "weir.yaml"
    path.write_text(text)
    done = run_weir("check", "--config", str(path), code=code,
                    environment=clean_environment(**environment))
    return done.stdout + done.stderr


def test_a_good_file_is_ok(tmp_path):
    assert "Error" not in check(tmp_path, GOOD, 0)


# The line, a piece of the text with a mistake in it, and what must be said about it.
MISTAKES = [
    (6, "lisen: 127.0.0.1:9", "listen"),
    (6, "transport: { header_byte: 1KiB }", "header_bytes"),
    (6, "timeout: { idle: 5s }", "timeouts"),
    (6, "timeouts: { idle: 5 }", "250ms|5s"),
    (6, "timeouts: { idle: -5s }", "5s"),
    (6, "timeouts: { idle: [5s] }", "idle"),
    (6, "transport: { body_bytes: lots }", "MiB"),
    (6, "transport: { headers: many }", "headers"),
    (6, "workers: -1", "workers"),
    (6, "workers: 1.5", "workers"),
    (6, "store: postgres", "sqlite"),
    (6, "cors: { credentials: maybe }", "true|false"),
    (6, "cors: []", "cors"),
    (6, "data_dir: ${NOT_SET_ANYWHERE}", "NOT_SET_ANYWHERE"),
    (6, "data_dir: ${UNFINISHED", r"\$\{"),
    (6, "admin: { listen: 0.0.0.0:8001 }", "loopback|public|127"),
    (6, "limits: [60reqs/minute]", "60req/min"),
    (6, "limits: [60req/min, 70req/min]", "limits"),
    (6, "budgets: { when_short: shrinks }", "shrink"),
    (6, "budgets: { alerts: [80, 50] }", "more than the one before"),
    (6, "budgets: [10usd/month]", "budgets"),
    (6, "trusted_proxies: [10.0.0.1/8]", "10.0.0.0/8"),
    (6, "trusted_proxies: [lb.example]", "lb.example"),
    (6, "cache: { memory: 1MiB }", "not in this version"),
    (6, "idempotency: {}", "not in this version"),
    (6, "admin: { token: x }", "16 to 256"),
    (6, "ledger: { journal_byte: 4GiB }", "journal_bytes"),
    (6, "ledger: { when_full: refused }", "refuse"),
    (6, "ledger: { orphans: free }", "estimate|nothing|none of its values"),
    (6, "ledger: { sync: 0s }", "1ms to 10s"),
    (6, "ledger: { retention: 5m }", "1h to"),
    (6, "  - { name: other, targets: [main], context: { strategy: drop_old } }", "drop_oldest"),
    (6, "  - { name: other, targets: [main], window: 128k }", "whole number"),
    (6, "  - { name: other, targets: [main], window: 9, max_output: 10 }", "window"),
    (6, "  - { name: other, targets: [main], reserve_output: 9 }", "context.reserve_output"),
    (6, "price: []", "prices"),
    (6, "prices: { a: b }", "list"),
    (6, "prices: [{ provider: mian, model: m, input: 1usd }]", "main"),
    (6, "prices: [{ provider: main, model: m, input: 0.40 }]", "0.40usd"),
    (6, "prices: [{ provider: main, model: m, inptu: 1usd }]", "input"),
    (6, "prices: [{ provider: main, model: m, input: 1000001usd }]", "1000000usd"),
    (6, "prices: [{ provider: main, model: m, input: 1usd, from: 2026-02-30 }]", "2026-01-31"),
    (6, "prices: [{ provider: main, model: m }]", "amount"),
    (6, "listen: 127.0.0.1:9", "listen"),
    (7, "\n  - x", ""),
    (6, "  - { name: other, targets: [mian] }", "main"),
    (6, "  - { name: other, targets: [] }", "target"),
    (6, "  - { name: other }", "target"),
    (6, "  - { targets: [main] }", "name"),
    (6, "  - { name: 'a*b', targets: [main] }", r"\*"),
    (6, "  - { name: other, targets: [main], retries: 2 }", "not in this version"),
    (6, "  - { name: other, targets: [main], strategy: weighted }", "not in this version"),
    (6, "  - { name: other, targets: [{ provider: main, weight: 3 }] }", "not in this version"),
    (6, "  - { name: other, targets: [main], fallbacks: [x] }", "not in this version"),
    (6, "  - { name: other, targets: [main], cache: off }", "not in this version"),
    (6, "  - { name: other, targets: [main], limits: [60] }", "60req/min"),
    (6, "  - { name: other, targets: [main], budgets: [] }", "limits"),
]


@pytest.mark.parametrize("line,mistake,said", MISTAKES, ids=[each[1] for each in MISTAKES])
def test_a_mistake_is_named_with_its_line_and_a_way_out(tmp_path, line, mistake, said):
    text = check(tmp_path, GOOD + mistake + "\n", 2)
    named = [each for each in text.splitlines() if re.search(rf"weir\.yaml:{line}\b", each)]
    assert named, text
    assert any(re.search(said, each) for each in named), text


PROVIDER_MISTAKES = [
    ('base_url: "ftp://x"', "http"), ('base_url: ""', "base_url"), ("dialect: anthropic", "openai"),
    ("dialect: opnai", "openai"), ("timeouts: { conect: 5s }", "connect"),
    ("breaker: {}", "version"), ("timeouts: { usage_drain: 11m }", "0 to 10m"),
    ("stream_usage: sometimes", "auto"), ("free: yes", "true"), ("limits: [5]", "req/min"),
    ("catalog: openai", "catalogue"), ("catalogue: opnai", "openai"), (f"region: {'r' * 65}", "64"),
    ("api_key: file:/no/such/file", "/no/such/file"), ("apikey: x", "api_key"),
    ("headers: { 'bad name': x }", "header|name"), ('headers: { x: "a\\nb" }', "x"),
    ("tls: { ca: /no/such/ca.pem }", "/no/such/ca.pem"), ("connections: { max: 0 }", "max"),
]


@pytest.mark.parametrize("mistake,said", PROVIDER_MISTAKES, ids=[e[0] for e in PROVIDER_MISTAKES])
def test_a_mistake_in_a_provider_is_named(tmp_path, mistake, said):
    name = mistake.split(":")[0]
    base = {"dialect": "openai", "base_url": "http://localhost:1/v1"}
    base.pop(name, None)
    rows = "".join(f"    {key}: {value}\n" for key, value in base.items())
    text = check(tmp_path, f"providers:\n  main:\n{rows}    {mistake}\n"
                           "models:\n  - { name: '*', targets: [main] }\n", 2)
    assert re.search(rf"weir\.yaml:{3 + len(base)}\b.*({said})", text), text


def test_two_prices_for_the_same_day_are_a_mistake(tmp_path):
    price = "  - { provider: main, model: m, input: 1usd, from: 2026-01-01 }\n"
    text = check(tmp_path, GOOD + "prices:\n" + price + price, 2)
    assert re.search(r"weir\.yaml:8\b.*before in line 7", text), text


# What the page of settings shows as a whole, but for what is of later versions.
FULL = """\
listen: 127.0.0.1:8000
admin: { listen: 127.0.0.1:8001 }
metrics: { listen: "" }
data_dir: ./data
workers: 0
store: sqlite
cors: { origins: ["*"], credentials: false }
transport:
  header_bytes: 32KiB
  headers: 100
  body_bytes: 32MiB
  json_depth: 64
  connections: 50000
  connections_per_address: 0
  requests_in_flight: 14000
  body_memory: 1GiB
  answer_bytes: 8MiB
timeouts: { header: 10s, body: 60s, idle: 75s, linger: 5s, drain: 300s }
ledger: { journal_bytes: 4GiB, when_full: refuse, orphans: estimate, sync: 50ms, retention: "" }

providers:
  openai: { dialect: openai, base_url: https://api.openai.com/v1, api_key: "${OPENAI_API_KEY:-}" }
  local:  { dialect: openai, base_url: http://localhost:1234/v1, api_key: lm-studio, free: true }
  azure:  { dialect: openai, base_url: https://ours.openai.azure.com/openai/v1, api_key: "file:azure",
            catalogue: azure, region: eu, timeouts: { usage_drain: 30s } }

models:
  - { name: "gpt*", targets: [openai], optional: true }
  - name: fast
    targets:
      - { provider: openai, model: gpt-4o-mini }
      - { provider: azure, model: our-4o-mini }
    context: { strategy: drop_oldest, reserve_output: 1024 }
    window: 128000
  - { name: "*", targets: [local] }

prices:
  - { provider: local, model: our-tuned-model, input: 0.40usd, output: 1.60usd, cache_read: 0.10usd, from: 2026-01-01 }
"""


def test_the_whole_example_is_ok_and_shown_with_its_lines(tmp_path):
    (tmp_path / "azure").write_text("key\n")
    assert "ok" in check(tmp_path, FULL, 0)
    shown = json.loads(show(tmp_path, FULL, "--json"))
    of = {each["key"]: each for each in shown["settings"]}
    lines = FULL.splitlines()
    for key, value, text in [
            ("ledger.journal_bytes", "4GiB", "ledger:"), ("ledger.retention", "", "ledger:"),
            ("ledger.when_full", "refuse", "ledger:"), ("providers.local.free", "true", "  local:"),
            ("providers.azure.region", "eu", "            catalogue"),
            ("models.fast.window", "128000", "    window:"),
            ("models.fast.context.strategy", "drop_oldest", "    context:"),
            ("prices.local/our-tuned-model",
             "input 0.4usd, output 1.6usd, cache_read 0.1usd, from 2026-01-01", "  - { provider: local")]:
        assert (of[key]["value"], of[key]["from"]) == (value, "file"), key
        assert lines[of[key]["line"] - 1].startswith(text), key


def test_the_ledger_can_be_set_by_the_environment(tmp_path):
    text = show(tmp_path, GOOD, WEIR_LEDGER_RETENTION="90d", WEIR_LEDGER_JOURNAL_BYTES="1GiB")
    assert re.search(r"ledger\.retention +90d +environment WEIR_LEDGER_RETENTION", text), text
    assert re.search(r"ledger\.journal_bytes +1GiB +environment", text), text


def test_all_mistakes_are_named_at_once(tmp_path):
    text = check(tmp_path, "lisen: x\nworkrs: 1\ntimeouts: { idle: x }\n" + GOOD, 2)
    for line in (1, 2, 3):
        assert re.search(rf"weir\.yaml:{line}\b", text), text


@pytest.mark.parametrize("text", ["a: [", "a: b: c", "\t- x", "[]", "- a", "x", "a: *b", "%YAML 9",
                                  "a: !!python/object x", "\x00", "a: \x01", "listen: &a [*a]"])
def test_a_file_that_is_no_configuration_is_2_and_no_crash(tmp_path, text):
    assert "weir.yaml" in check(tmp_path, text, 2)


def test_an_empty_file_is_the_defaults(tmp_path):
    check(tmp_path, "", 0)


def test_secrets_are_read_from_files_beside_the_configuration(tmp_path):
    (tmp_path / "secret").write_text("sk-from-a-file\n")
    check(tmp_path, GOOD.replace('"${KEY:-none}"', "file:secret"), 0)


def show(folder, text, *arguments, **environment):
    path = folder / "weir.yaml"
    path.write_text(text)
    return run_weir("config", "show", "--config", str(path), *arguments,
                    environment=clean_environment(**environment)).stdout


def test_config_show_says_what_is_in_force_and_from_where(tmp_path):
    text = show(tmp_path, GOOD, WEIR_WORKERS="3", WEIR_TRANSPORT_HEADERS="50")
    lines = {line.split()[0]: line for line in text.splitlines() if line}
    assert "127.0.0.1:8000" in lines["listen"] and "weir.yaml:1" in lines["listen"]
    assert "3" in lines["workers"] and "environment" in lines["workers"]
    assert "50" in lines["transport.headers"]
    assert "default" in lines["timeouts.idle"] and "75s" in lines["timeouts.idle"]


def test_config_show_shows_no_secret(tmp_path):
    other = ("  b: { dialect: openai, base_url: 'http://h/v1', headers: { x-k: canary },"
             " proxy: 'http://user:canary@h:1' }\n")
    for arguments in ([], ["--json"]):
        text = show(tmp_path, GOOD.replace("models:", other + "models:"), *arguments,
                    KEY="sk-canary")
        assert "canary" not in text
    assert json.loads(text)


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(make_gateway):
    gateway = make_gateway()
    other = gateway.weir
    other.stop()
    other.config.pop("workers")
    other.environment["WEIR_LISTEN"] = "127.0.0.1:1"
    other.environment["WEIR_PORT"] = "tcp://10.0.0.1:80"
    other.environment["WEIR_SERVICE_HOST"] = "10.0.0.1"
    other.arguments = ["--listen", f"127.0.0.1:{other.port}", "--workers", "1"]
    other.start()
    assert gateway.ask().status == 200


# Reloading

@pytest.fixture
def reloaded(make_gateway):
    return make_gateway()


def reload(gateway, config):
    before = len(gateway.weir.log_lines())
    gateway.weir.write_config(config)
    gateway.weir.send_signal(signal.SIGHUP)
    return before


def with_model(gateway, name):
    config = dict(gateway.weir.config)
    config["models"] = [*config["models"], {"name": name, "targets": ["main"]}]
    return config


def test_a_reload_brings_new_models_and_cuts_no_stream(reloaded):
    gate = threading.Event()
    script = answers.stream()
    reloaded.upstream.answer([*script[:2], Gate(gate), *script[2:]])
    with reloaded.open_stream() as stream:
        stream.next_event()
        assert reloaded.ask(model="brand-new").status == 404
        reload(reloaded, with_model(reloaded, "brand-new"))
        wait_until(lambda: reloaded.ask(model="brand-new").status == 200)
        gate.set()
        assert stream.rest() and b"[DONE]" in stream.body


def test_a_reload_keeps_connections_open(reloaded):
    with reloaded.weir.connect() as connection:
        connection.send(reloaded.request())
        assert connection.response().status == 200
        reload(reloaded, with_model(reloaded, "newer"))
        wait_until(lambda: reloaded.ask(model="newer").status == 200)
        connection.send(reloaded.request(model="newer"))
        assert connection.response().status == 200


def test_a_bad_file_leaves_the_old_one_in_force_and_says_so(reloaded):
    before = reload(reloaded, "lisen: x\n")
    said = wait_until(lambda: [line for line in reloaded.weir.log_lines()[before:]
                               if line["log.level"] in ("error", "warn")])
    assert any("lisen" in line["message"] for line in said)
    assert reloaded.ask().status == 200
    reload(reloaded, with_model(reloaded, "after-all"))
    wait_until(lambda: reloaded.ask(model="after-all").status == 200)


def test_a_reload_of_what_takes_a_restart_is_refused_and_says_so(reloaded):
    config = with_model(reloaded, "not-yet") | {"ledger": {"sync": "20ms", "retention": "90d"}}
    before = reload(reloaded, config)
    said = wait_until(lambda: [line["message"] for line in reloaded.weir.log_lines()[before:]
                               if line["log.level"] in ("error", "warn")])
    assert any("ledger.sync, ledger.retention" in message for message in said), said
    assert reloaded.ask(model="not-yet").status == 404


def test_a_reload_changes_prices_and_what_a_full_ledger_means(reloaded):
    config = with_model(reloaded, "priced") | {
        "ledger": {"when_full": "unrecorded"},
        "prices": [{"provider": "main", "model": "m", "input": "1usd", "from": "2026-01-01"}]}
    reload(reloaded, config)
    wait_until(lambda: reloaded.ask(model="priced").status == 200)


def test_a_vanished_file_leaves_the_old_one_in_force(reloaded):
    start = f"{reloaded.weir.config_path}: cannot read"
    reloaded.weir.config_path.unlink()
    reloaded.weir.send_signal(signal.SIGHUP)
    reloaded.weir.wait_for_log(lambda line: line["message"].startswith(start))
    assert reloaded.ask().status == 200


def test_a_reload_changes_providers_and_their_keys(reloaded):
    config = dict(reloaded.weir.config)
    config["providers"] = {"main": config["providers"]["main"] | {"api_key": "another-secret"}}
    reload(reloaded, config)
    wait_until(lambda: reloaded.ask().status == 200 and
               reloaded.upstream.calls[-1].header("authorization") == "Bearer another-secret")


def test_many_reloads_under_load_lose_no_request(reloaded):
    stop = threading.Event()
    statuses = []

    def load():
        with reloaded.weir.connect() as connection:
            while not stop.is_set():
                connection.send(reloaded.request())
                statuses.append(connection.response().status)

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(20):
        reload(reloaded, with_model(reloaded, f"n{n}"))
        wait_until(lambda: reloaded.ask(model=f"n{n}").status == 200)
    stop.set()
    for thread in threads:
        thread.join()
    assert statuses and set(statuses) == {200}


def is_open(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except ConnectionRefusedError:
        return False


def test_a_reload_follows_a_changed_address_and_cuts_no_stream(make_gateway):
    gateway = make_gateway()
    old, new = gateway.weir.port, free_port()
    gate = threading.Event()
    script = answers.stream()
    gateway.upstream.answer([*script[:2], Gate(gate), *script[2:]])
    with gateway.open_stream() as stream, gateway.weir.connect() as idle:
        stream.next_event()
        idle.send(gateway.request())
        assert idle.response().status == 200
        reload(gateway, gateway.weir.config | {"listen": f"127.0.0.1:{new}"})
        wait_until(lambda: is_open(new), what="the new port")
        wait_until(lambda: not is_open(old), what="the end of the old port")
        gateway.weir.port = new
        assert gateway.ask().status == 200
        idle.send(gateway.request())
        assert idle.response().status == 200
        gate.set()
        assert stream.rest() and b"[DONE]" in stream.body
    reload(gateway, gateway.weir.config | {"listen": f"127.0.0.1:{old}"})
    wait_until(lambda: is_open(old) and not is_open(new), what="the old port again")
    gateway.weir.port = old
    assert gateway.ask().status == 200


def test_a_reload_to_an_address_that_is_taken_leaves_the_old_one_in_force(make_gateway):
    gateway = make_gateway()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        before = reload(gateway, gateway.weir.config |
                        {"listen": f"127.0.0.1:{taken.getsockname()[1]}"})
        wait_until(lambda: [line for line in gateway.weir.log_lines()[before:]
                            if line["log.level"] in ("error", "warn")])
        assert gateway.ask().status == 200


# Listeners

def test_weir_listens_on_ipv6_and_on_several_addresses(make_gateway):
    plain, other = free_port(), free_port()
    gateway = make_gateway({"listen": [{"address": f"127.0.0.1:{plain}"},
                                       {"address": f"[::1]:{other}"}]}, plain_port=plain)
    assert gateway.ask().status == 200
    with socket.create_connection(("::1", other)) as connection:
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: [::1]\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
