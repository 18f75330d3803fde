"""`weir usage` and `weir prices`: what requests used and cost, and what models cost."""

import csv
import io
import json
import signal
import sqlite3
import subprocess

import pytest

from support import ledger_rows
from support.ledger_rows import time_us
from support.weir import BINARY, Weir, clean_environment, wait_until

JANUARY = ("--since", "2026-01-01", "--until", "2026-02-01")
CONFIG = {
    "workers": 1,
    "providers": {"openai": {"dialect": "openai", "base_url": "http://127.0.0.1:9/v1",
                             "api_key": "none"}},
    "models": [{"name": "no-*", "targets": ["openai"]}, {"name": "*", "targets": ["openai"]}],
    "prices": [{"provider": "openai", "model": "gpt-test", "input": "2usd", "output": "8usd",
                "from": "2026-01-15"}],
}


def stopped_weir(folder):
    """A weir that has a data directory and does not run."""
    weir = Weir(folder, CONFIG)
    weir.start()
    weir.stop()
    return weir


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The same with a ledger of two users, three models and four days."""
    weir = stopped_weir(tmp_path_factory.mktemp("stopped"))
    keys = {user: weir.create_key(user, "--name", f"{user}-laptop") for user in ("alice", "bob")}
    ids = {user: (bytes.fromhex(key["user_id"].replace("-", "")),
                  bytes.fromhex(key["id"].replace("-", ""))) for user, key in keys.items()}

    def row(user, day, **members):
        return {"user_id": ids[user][0], "key_id": ids[user][1],
                "timestamp": time_us(f"2026-01-{day:02}T12:34:56"), **members}

    ledger_rows.fill(weir.folder / "data" / "weir.db", [
        row("alice", 10, cost_nanousd=1_500_000_000),
        row("alice", 11, cost_nanousd=500_000_000, model="small", target_model="small"),
        row("alice", 20, cost_nanousd=250_000_001, cached_tokens=60),
        row("bob", 20, cost_nanousd=None, estimated=1),
        row("bob", 21, cost_nanousd=None, model="=1+1", target_model="x", provider="gone"),
        row("bob", 21, cost_nanousd=7, input_tokens=5, output_tokens=0, answered=0,
            audio_tokens=3),
    ])
    return weir


def table_of(text):
    """The lines of a table, split where at least two spaces are."""
    return [[cell.strip() for cell in line.split("  ") if cell.strip()]
            for line in text.splitlines() if line]


# --- Usage -----------------------------------------------------------------------------------------


def test_usage_adds_up_to_one_line_without_a_group(stopped):
    all_of_it, = stopped.run_json("usage", *JANUARY)
    assert all_of_it["requests"] == 6 and all_of_it["answered"] == 5
    assert all_of_it["unpriced"] == 2 and all_of_it["estimated"] == 1
    assert all_of_it["input_tokens"] == 505 and all_of_it["output_tokens"] == 50
    assert all_of_it["cached_tokens"] == 60 and all_of_it["audio_tokens"] == 3
    assert all_of_it["cost_nanousd"] == 2_250_000_008 and all_of_it["cost"] == "2.250000008"
    assert all_of_it["refused"] == 0 and all_of_it["id"] is None


@pytest.mark.parametrize("group, names", [
    ("user", ["alice", "bob"]), ("key", ["alice-laptop", "bob-laptop"])])
def test_usage_of_people_has_their_names_dearest_first(stopped, group, names):
    lines = stopped.run_json("usage", "--by", group, *JANUARY)
    assert [line["name"] for line in lines] == names
    assert [line["requests"] for line in lines] == [3, 3]
    assert len({line["id"] for line in lines}) == 2


def test_usage_by_model_and_by_provider(stopped):
    models = {line["id"]: line for line in stopped.run_json("usage", "--by", "model", *JANUARY)}
    assert models["gpt-test"]["requests"] == 4 and models["small"]["cost"] == "0.5"
    assert models["=1+1"]["unpriced"] == 1 and models["=1+1"]["cost_nanousd"] == 0
    providers = stopped.run_json("usage", "--by", "provider", *JANUARY)
    assert [line["id"] for line in providers] == ["openai", "gone"]


def test_usage_by_day_and_hour_is_in_the_order_of_time(stopped):
    days = stopped.run_json("usage", "--by", "day", *JANUARY)
    assert [line["id"] for line in days] == [f"2026-01-{day}" for day in (10, 11, 20, 21)]
    hours = stopped.run_json("usage", "--by", "hour", *JANUARY)
    assert hours[0]["id"] == "2026-01-10T12:00:00Z"


def test_a_period_is_cut_to_whole_hours(stopped):
    def count(since, until):
        return stopped.run_json("usage", "--since", since, "--until", until)[0]["requests"]

    assert count("2026-01-10T12:59:00Z", "2026-01-10T13:00:00Z") == 1
    assert count("2026-01-10T13:00:00Z", "2026-01-11T12:00:00Z") == 0
    assert count("2026-01-10T13:00:00+01:00", "2026-01-10T13:01:00Z") == 1
    assert count("2026-01-11", "2026-01-12") == 1


def test_the_table_is_aligned_and_ends_in_a_total(stopped):
    said = stopped.run("usage", "--by", "user", *JANUARY).stdout
    assert said.startswith("Usage from 2026-01-01 00:00 to 2026-02-01 00:00 (UTC)\n")
    table = table_of(said)[1:]
    assert table[0] == ["USER", "REQUESTS", "ESTIMATED", "UNPRICED", "INPUT", "CACHED", "OUTPUT",
                        "COST"]
    assert table[1][:8] == ["alice", "3", "0", "0", "300", "60", "30", "$2.2500"]
    assert table[2][:8] == ["bob", "3", "1", "2", "205", "0", "20", "<$0.0001"]
    assert table[3] == ["total", "6", "1", "2", "505", "60", "50", "$2.2500"]
    assert "price of 2 requests is not known" in said and "of 1 request are estimated" in said
    assert set(table[1][8]) <= set("#█") and "\033" not in said


def test_the_chart_has_blocks_where_the_locale_has_them(stopped):
    for variable, block in (("C.UTF-8", "█"), ("C", "#")):
        environment = {**stopped.environment, "LC_ALL": variable}
        done = subprocess.run([BINARY, "usage", "--by", "day", *JANUARY, "--config",
                               str(stopped.config_path)], env=environment, capture_output=True,
                              timeout=30, cwd=stopped.folder, check=True)
        said = done.stdout.decode()
        assert block in said and ("█" in said) == (block == "█")
        assert all(len(line) <= 100 for line in said.splitlines())


def test_csv_has_names_first_and_no_formulas(stopped):
    said = stopped.run("usage", "--by", "model", *JANUARY, "--csv").stdout
    lines = list(csv.DictReader(io.StringIO(said)))
    assert [line["id"] for line in lines] == ["gpt-test", "small", "'=1+1"]
    assert lines[0]["cost"] == "1.750000008" and lines[0]["cost_nanousd"] == "1750000008"
    assert said.splitlines()[0].startswith("id,name,requests,answered,refused,")


def test_an_empty_report_says_so(stopped):
    said = stopped.run("usage", "--by", "day", "--since", "2020-01-01", "--until", "2020-02-01")
    assert said.stdout == "No requests from 2020-01-01 00:00 to 2020-02-01 00:00 (UTC).\n"
    assert stopped.run_json("usage", "--by", "day", "--since", "2020-01-01", "--until",
                            "2020-02-01") == []


@pytest.mark.parametrize("arguments, said", [
    (["--by", "modle"], "did you mean 'model'?"),
    (["--by", "department"], "key, user, team, model, provider, day or hour"),
    (["--since", "yesterday"], "neither a duration such as 30d"),
    (["--since", "2026-02-30"], "neither a duration such as 30d"),
    (["--since", "1d", "--until", "2d"], "before it begins"),
    (["--csv", "--json"], "exclude each other"),
    (["models"], "weir usage"),
])
def test_what_cannot_be_asked_is_refused(stopped, arguments, said):
    assert said in stopped.run("usage", *arguments, code=2).stderr


def test_usage_of_a_running_server_has_what_just_happened(make_gateway):
    gateway = make_gateway()
    assert gateway.ask(model="gpt-test").status == 200
    wait_until(lambda: gateway.weir.run_json("usage", "--by", "model")[0:] != [], 10, "a row")
    line, = gateway.weir.run_json("usage", "--by", "model")
    assert line["id"] == "gpt-test" and line["requests"] == 1 and line["input_tokens"] > 0


def test_a_price_that_is_set_holds_for_the_next_request(make_gateway):
    gateway = make_gateway()
    weir = gateway.weir

    def ask_and_wait(model, count):
        assert gateway.ask(model=model).status == 200
        wait_until(lambda: weir.run_json("usage")[0]["requests"] == count, 10, "a row")
        return weir.run_json("usage")[0]

    assert ask_and_wait("wild-one", 1)["unpriced"] == 1
    weir.run("prices", "set", "main/wild-*", "input=1000", "output=1000")
    priced = ask_and_wait("wild-two", 2)
    assert priced["unpriced"] == 1 and priced["cost_nanousd"] > 0
    weir.send_signal(signal.SIGHUP)
    weir.wait_for_log(lambda line: line.get("message", "").startswith("reloaded"))
    assert ask_and_wait("wild-three", 3)["unpriced"] == 1
    weir.stop()
    weir.start()
    assert ask_and_wait("wild-four", 4)["unpriced"] == 1
    weir.run("prices", "set", "main/wild-*", "--remove")
    assert ask_and_wait("wild-five", 5)["unpriced"] == 2


# --- Prices ----------------------------------------------------------------------------------------


def test_a_price_is_set_shown_listed_and_removed(tmp_path):
    weir = stopped_weir(tmp_path)
    set_and_remove_a_price(weir)
    weir.start()
    set_and_remove_a_price(weir)
    weir.stop()


def set_and_remove_a_price(weir):
    made = weir.run_json("prices", "set", "openai/other", "input=0.40", "output=1.60usd",
                         "--from", "2026-01-01")
    assert made["prices"] == {"input": "0.4", "output": "1.6"}
    assert made["source"] == "store" and made["id"].startswith("store/openai/other@")
    listed = weir.run_json("prices", "list")
    assert [(each["source"], each["model"]) for each in listed] == \
        [("config", "gpt-test"), ("store", "other")]
    shown, = weir.run_json("prices", "show", "other")
    assert shown["id"] == made["id"] and shown["terms"] == "input=0.4 output=1.6"
    said = weir.run("prices", "show", "other").stdout
    assert "input=0.4 output=1.6" in said and made["id"] in said
    weir.run("prices", "set", "openai/other", "--remove", "--from", "2026-01-01")
    weir.run("prices", "set", "openai/other", "--remove", "--from", "2026-01-01", code=1)
    assert len(weir.run_json("prices", "list")) == 1


def test_the_latest_price_that_has_begun_holds(stopped):
    for day, price in (("2025-01-01", "1"), ("2026-01-01", "2"), ("2999-01-01", "3")):
        stopped.run("prices", "set", "openai/dated", f"input={price}", "--from", day)
    shown, = stopped.run_json("prices", "show", "dated")
    assert shown["prices"] == {"input": "2"} and shown["until"].startswith("2999-01-01")
    for day in ("2025-01-01", "2026-01-01", "2999-01-01"):
        stopped.run("prices", "set", "openai/dated", "--remove", "--from", day)


def test_the_catalogue_is_asked_last(stopped):
    shown, = stopped.run_json("prices", "show", "gpt-4o-mini")
    assert shown["source"] == "catalogue" and shown["prices"]["input"] == "0.15"
    nobody, = stopped.run_json("prices", "show", "no-such-model")
    assert nobody["id"] is None and nobody["prices"] is None


@pytest.mark.parametrize("arguments, code, said", [
    (["opneai/m", "input=1"], 2, "did you mean 'openai'?"),
    (["openai/m", "inptu=1"], 2, "did you mean 'input'?"),
    (["openai/m", "input=-1"], 2, "input"),
    (["openai/m", "input=1", "input=2"], 2, "input"),
    (["openai/m", "input"], 2, "NAME=VALUE"),
    (["openai/m"], 2, "say what it costs"),
    (["openai"], 2, "PROVIDER/MODEL"),
    (["openai/m", "input=1", "--from", "soon"], 2, "from"),
    (["openai/m", "input=1", "--remove"], 2, "--remove"),
    (["openai/gpt-test", "input=1"], 1, "weir.yaml:"),
])
def test_prices_that_are_none_are_refused(stopped, arguments, code, said):
    assert said in stopped.run("prices", "set", *arguments, code=code).stderr
    assert len(stopped.run_json("prices", "list")) == 1


# --- Rates anew ------------------------------------------------------------------------------------


def costs(weir):
    with sqlite3.connect(weir.folder / "data" / "weir.db") as database:
        found = database.execute("SELECT cost_nanousd, price_id FROM usage_logs "
                                 "ORDER BY timestamp, cost_nanousd").fetchall()
    database.close()
    return found


@pytest.fixture
def ledger_of_four(tmp_path):
    weir = stopped_weir(tmp_path)
    before, after = time_us("2026-01-10T00:00:00"), time_us("2026-01-20T00:00:00")
    ledger_rows.fill(weir.folder / "data" / "weir.db", [
        {"timestamp": before, "cost_nanousd": 11},
        {"timestamp": after, "cost_nanousd": None},
        {"timestamp": after + 1, "cost_nanousd": 5, "input_tokens": 1000, "output_tokens": 0},
        {"timestamp": after + 2, "cost_nanousd": 9, "audio_tokens": 1},
    ])
    return weir


def test_rating_anew_is_tried_first_and_then_applied(ledger_of_four):
    weir = ledger_of_four
    before = costs(weir)
    tried = weir.run_json("prices", "rerate", "--since", "2026-01-01")
    assert costs(weir) == before and not tried["apply"]
    assert (tried["rows"], tried["changed"], tried["unpriced"], tried["left"]) == (4, 2, 1, 2)
    assert tried["old_cost_nanousd"] == 25
    assert tried["cost_nanousd"] == 11 + 280_000 + 2_000_000 + 9
    assert "--apply" in weir.run("prices", "rerate", "--since", "2026-01-01").stdout

    applied = weir.run_json("prices", "rerate", "--since", "2026-01-01", "--apply")
    assert {**applied, "apply": False, "until": None} == {**tried, "until": None}
    assert [cost for cost, _ in costs(weir)] == [11, 280_000, 2_000_000, 9]
    assert costs(weir)[1][1] == costs(weir)[2][1] == "config/openai/gpt-test@2026-01-15"
    line, = weir.run_json("usage", *JANUARY)
    assert line["cost_nanousd"] == applied["cost_nanousd"] and line["unpriced"] == 0

    again = weir.run_json("prices", "rerate", "--since", "2026-01-01", "--apply")
    assert again["changed"] == 0 and again["old_cost"] == again["cost"] == applied["cost"]


def test_rating_anew_takes_the_price_of_the_time_that_a_row_has(ledger_of_four):
    weir = ledger_of_four
    weir.run("prices", "set", "openai/gpt-test", "input=1", code=1)  # the file has that one
    rated = weir.run_json("prices", "rerate", "--since", "2026-01-01", "--until", "2026-01-15")
    assert rated["rows"] == 1 and rated["left"] == 1 and rated["targets"][0]["model"] == "gpt-test"


def test_rating_anew_on_a_running_server_uses_what_was_set(tmp_path):
    weir = stopped_weir(tmp_path)
    ledger_rows.fill(weir.folder / "data" / "weir.db",
                [{"timestamp": time_us("2026-01-20T00:00:00") + number, "target_model": "ours"}
                 for number in range(1200)])
    weir.start()
    weir.run("prices", "set", "openai/ours", "input=1", "output=2")
    rated = weir.run_json("prices", "rerate", "--since", "2026-01-01", "--apply")
    assert rated["changed"] == 1200 and rated["cost_nanousd"] == 1200 * 120_000
    assert {cost for cost, _ in costs(weir)} == {120_000}
    assert weir.run_json("usage", *JANUARY)[0]["cost_nanousd"] == 1200 * 120_000
    weir.stop()


def test_rating_anew_says_what_it_needs(stopped):
    assert "--since" in stopped.run("prices", "rerate", code=2).stderr
    assert "neither" in stopped.run("prices", "rerate", "--since", "soon", code=2).stderr
    said = stopped.run("prices", "rerate", "--since", "2020-01-01", "--until", "2020-01-02").stdout
    assert said == "No requests in that time.\n"
    assert json.loads(stopped.run("prices", "rerate", "--since", "2020-01-01", "--until",
                                  "2020-01-02", "--json").stdout)["rows"] == 0


def test_help_has_examples():
    for command in ("usage", "prices"):
        done = subprocess.run([BINARY, command, "--help"], capture_output=True, text=True,
                              timeout=30, env=clean_environment(), check=True)
        assert f"weir {command}" in done.stdout.split("Example")[1]
