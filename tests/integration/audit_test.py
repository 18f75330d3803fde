"""The audit chain: what weir writes into it, and what `weir audit verify` finds once somebody meddles."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from support import audit_export
from support.weir import SANITIZED, Gateway, Weir, in_background, run_weir, wait_until

ROW_COLUMNS = ["timestamp", "user_id", "key_id", "team_id", "route", "model", "provider",
               "target_model", "input_tokens", "output_tokens", "cached_tokens",
               "cache_write_tokens", "reasoning_tokens", "audio_tokens", "cost_nanousd", "price_id",
               "status", "outcome", "answered", "estimated", "attempts", "cache", "context",
               "stream", "latency_us", "first_byte_us", "client_request_id", "provider_request_id",
               "idempotency_hash", "metadata"]


def database(data_dir):
    return sqlite3.connect(data_dir / "weir.db", isolation_level=None)


def ask(data_dir, sql, *values):
    with sqlite3.connect(f"file:{data_dir / 'weir.db'}?mode=ro", uri=True) as connection:
        return connection.execute(sql, values).fetchall()


def row_count(weir):
    return ask(weir.data_dir, "SELECT count(*) FROM usage_logs")[0][0]


def uuid(raw):
    return re.sub(r"(.{8})(.{4})(.{4})(.{4})(.{12})", r"\1-\2-\3-\4-\5", raw.hex())


def verify(data_dir, code=0):
    done = run_weir("audit", "verify", "--json", "--data-dir", str(data_dir), code=code)
    report = json.loads(done.stdout)
    assert report["ok"] == (code == 0) == (not report["findings"])
    return report


def faults(report):
    return [finding["fault"] for finding in report["findings"]]


def serve_requests(gateway, count, batches=1):
    """Asks `count` times for each batch, and waits until the rows are in the database."""
    for _ in range(batches):
        before = row_count(gateway.weir)
        for i in range(count):
            assert gateway.ask(headers=[("x-client-request-id", f"r-{i}")]).status == 200
        wait_until(lambda: row_count(gateway.weir) >= before + count)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A data directory that a weir left behind: three batches or more, a few changes."""
    with Gateway(tmp_path_factory.mktemp("served")) as gateway:
        serve_requests(gateway, 5, batches=3)
        gateway.weir.run("users", "disable", "tester")
        gateway.weir.run("users", "enable", "tester")
    return gateway.weir.data_dir


@pytest.fixture
def data_dir(served, tmp_path):
    """A copy of it to meddle with."""
    return shutil.copytree(served, tmp_path / "data")


@pytest.fixture
def meddle(data_dir):
    """Runs SQL as somebody who is stopped by nothing."""
    def run(sql, *values):
        connection = database(data_dir)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        changed = connection.execute(sql, values).rowcount
        connection.close()
        return changed

    return run


# What is recorded

def test_what_weir_wrote_itself_is_clean_and_says_how_much_it_was(data_dir):
    report = verify(data_dir)
    assert report["rows"] == 15 and report["batches"] >= 3 and report["last_checkpoint"] > 0
    assert report["last"] == report["entries"] and not report["another_key"]
    said = run_weir("audit", "verify", "--data-dir", str(data_dir)).stdout
    assert "15 rows" in said and "Everything is as weir wrote it." in said


def test_every_batch_of_rows_has_an_entry(data_dir):
    sealed = {int(subject) for (subject,) in
              ask(data_dir, "SELECT subject FROM audit_log WHERE action = 'usage.batch'")}
    assert sealed == {batch for (batch,) in ask(data_dir, "SELECT DISTINCT batch FROM usage_logs")}


def test_changes_have_entries_with_who_made_them_and_no_secrets(make_gateway):
    gateway = make_gateway()
    weir = gateway.weir
    made = weir.create_key("grace", "--name", "laptop")
    weir.run("keys", "set", "laptop", "--expires", "90d")
    weir.run("keys", "disable", "laptop")
    weir.run("keys", "revoke", made["id"])
    weir.run("users", "delete", "grace")
    weir.run("users", "create", "grace", code=0)
    weir.run("users", "create", "grace", code=1)  # what failed has no entry
    weir.send_signal(signal.SIGHUP)
    weir.wait_for_log(lambda line: "reloaded" in line.get("message", ""))
    entries = wait_until(lambda: [
        entry for entry in [weir.run_json("audit", "tail", "--lines", "100")]
        if entry[-1]["action"] == "config.reload"])[0]
    actions = [entry["action"] for entry in entries if entry["actor"] != "weir"]
    assert actions == ["serve.start", "user.create", "key.create", "user.create", "key.create",
                       "key.set", "key.disable", "key.revoke", "user.delete", "user.create",
                       "config.reload"]
    assert {entry["actor"] for entry in entries} == {"weir", f"uid={os.getuid()}", "SIGHUP"}
    assert [entry["subject"] for entry in entries if entry["action"] == "key.revoke"] == [made["id"]]
    for secret in (made["key"], gateway.key):
        assert not ask(weir.data_dir, "SELECT 1 FROM audit_log WHERE instr(details, ?)", secret)
    verify(weir.data_dir)


def test_prices_have_entries_and_rows_that_are_priced_anew_stay_sealed(make_gateway):
    gateway = make_gateway()
    weir = gateway.weir
    serve_requests(gateway, 4, batches=2)
    weir.run("prices", "set", "main/gpt-test", "input=1", "output=2")
    verify(weir.data_dir)
    rated = weir.run_json("prices", "rerate", "--since", "2020-01-01", "--apply")
    assert rated["changed"] == 8
    report = verify(weir.data_dir)
    assert report["rows"] == 8
    weir.run("prices", "set", "main/gpt-test", "--remove")
    told = ask(weir.data_dir, "SELECT action, subject, details FROM audit_log "
                              "WHERE action LIKE 'price.%' ORDER BY number")
    assert [action for action, _, _ in told][:1] == ["price.set"]
    assert told[0][1] == told[-1][1] == "main/gpt-test"
    assert json.loads(told[0][2])["prices"] and told[-1][0] == "price.remove"
    assert sum(json.loads(details)["rows"] for action, _, details in told
               if action == "price.rerate") == 8
    verify(weir.data_dir)
    row_id, = ask(weir.data_dir, "SELECT id FROM usage_logs ORDER BY id LIMIT 1")[0]
    connection = database(weir.data_dir)
    connection.execute("UPDATE usage_logs SET cost_nanousd = cost_nanousd + 1 WHERE id = ?", (row_id,))
    connection.close()
    assert [finding["row"] for finding in verify(weir.data_dir, 1)["findings"]] == [uuid(row_id)]


def test_changes_without_a_server_have_entries_too(data_dir):
    run_weir("users", "create", "offline", "--data-dir", str(data_dir))
    assert ask(data_dir, "SELECT actor, action, details FROM audit_log ORDER BY number DESC "
                         "LIMIT 1") == \
        [(f"uid={os.getuid()}", "user.create", '{"name":"offline"}')]
    verify(data_dir)


def test_a_stop_is_recorded_and_signed(data_dir):
    assert [action for (action,) in ask(data_dir, "SELECT action FROM audit_log "
                                                  "ORDER BY number DESC LIMIT 2")] == \
        ["checkpoint", "serve.stop"]


# Rows

def test_every_column_of_a_row_is_tried_here(data_dir):
    columns = {name for _, name, *_ in ask(data_dir, "PRAGMA table_info(usage_logs)")}
    assert columns == {"id", "batch", *ROW_COLUMNS}


@pytest.mark.parametrize("column", ROW_COLUMNS)
def test_a_change_of_any_column_names_the_row(data_dir, meddle, column):
    row_id, = ask(data_dir, "SELECT id FROM usage_logs ORDER BY id LIMIT 1 OFFSET 7")[0]
    bytes_of = {"user_id": bytes(15) + b"\1", "key_id": bytes(15) + b"\1",
                "team_id": bytes(15) + b"\1", "idempotency_hash": bytes(31) + b"\1"}
    if column in bytes_of:
        assert meddle(f"UPDATE usage_logs SET {column} = ? WHERE id = ?", bytes_of[column],
                      row_id) == 1
    elif column in ("answered", "estimated", "stream"):
        assert meddle(f"UPDATE usage_logs SET {column} = 1 - {column} WHERE id = ?", row_id) == 1
    elif isinstance(ask(data_dir, f"SELECT {column} FROM usage_logs WHERE id = ?", row_id)[0][0],
                    int) or column.endswith(("tokens", "_us", "nanousd")):
        assert meddle(f"UPDATE usage_logs SET {column} = ifnull({column}, 0) + 1 WHERE id = ?",
                      row_id) == 1
    else:
        assert meddle(f"UPDATE usage_logs SET {column} = ifnull({column}, '') || '!' WHERE id = ?",
                      row_id) == 1
    report = verify(data_dir, 1)
    assert faults(report) == ["row changed"]
    assert report["findings"][0]["row"] == uuid(row_id)
    assert uuid(row_id) in report["findings"][0]["text"]


@pytest.mark.parametrize("column, value", [("status", 2 ** 32 + 200), ("attempts", 2 ** 32 + 1),
                                           ("status", -1), ("attempts", -1)])
def test_a_number_beyond_what_weir_writes_is_no_other_number(data_dir, meddle, column, value):
    assert meddle(f"UPDATE usage_logs SET {column} = ? WHERE rowid = 3", value) == 1
    assert faults(verify(data_dir, 1)) == ["row changed"]


def test_a_removed_row_is_missed(data_dir, meddle):
    batch, = ask(data_dir, "SELECT batch FROM usage_logs WHERE rowid = 3")[0]
    assert meddle("DELETE FROM usage_logs WHERE rowid = 3") == 1
    report = verify(data_dir, 1)
    assert faults(report) == ["row missing"] and report["findings"][0]["batch"] == batch


@pytest.mark.parametrize("batch", ["batch", "9000000000000000000", "9223372036854775807", "-1",
                                   "0", "-9223372036854775808"])
def test_an_added_row_is_named_in_whatever_batch(data_dir, meddle, batch):
    columns = ", ".join(ROW_COLUMNS)
    added = bytes(8) + b"ADDEDROW"
    assert meddle(f"INSERT INTO usage_logs (id, {columns}, batch) "
                  f"SELECT ?, {columns}, {batch} FROM usage_logs WHERE rowid = 3", added) == 1
    began = time.monotonic()
    report = verify(data_dir, 1)
    assert time.monotonic() - began < 10
    assert faults(report) == ["row added" if batch == "batch" else "rows without an entry"]
    assert report["findings"][0]["row"] == uuid(added)


@pytest.mark.parametrize("timestamp", [-1, 9223372036854775807])
def test_a_row_of_an_impossible_time_is_named(data_dir, meddle, timestamp):
    columns = ", ".join(ROW_COLUMNS[1:])
    assert meddle(f"INSERT INTO usage_logs (id, timestamp, {columns}, batch) "
                  f"SELECT ?, ?, {columns}, 77777 FROM usage_logs WHERE rowid = 3",
                  bytes(16), timestamp) == 1
    assert faults(verify(data_dir, 1)) == ["rows without an entry"]


def test_two_rows_that_changed_places_are_both_named(data_dir, meddle):
    one, other = [row_id for (row_id,) in ask(data_dir, "SELECT id FROM usage_logs ORDER BY id "
                                                        "LIMIT 2")]
    for taken, given in ((one, bytes(16)), (other, one), (bytes(16), other)):
        assert meddle("UPDATE usage_logs SET id = ? WHERE id = ?", given, taken) == 1
    report = verify(data_dir, 1)
    assert faults(report) == ["row changed", "row changed"]
    assert {finding["row"] for finding in report["findings"]} == {uuid(one), uuid(other)}


def test_a_row_in_another_batch_is_missing_there_and_added_here(data_dir, meddle):
    row_id, batch = ask(data_dir, "SELECT id, batch FROM usage_logs ORDER BY batch LIMIT 1")[0]
    last, = ask(data_dir, "SELECT max(batch) FROM usage_logs")[0]
    assert meddle("UPDATE usage_logs SET batch = ? WHERE id = ?", last, row_id) == 1
    report = verify(data_dir, 1)
    assert {(finding["fault"], finding["batch"]) for finding in report["findings"]} == \
        {("row missing", batch), ("row added", last)} or \
        {("rows without an entry", batch), ("row added", last)} == \
        {(finding["fault"], finding["batch"]) for finding in report["findings"]}


# Entries

def entry_number(data_dir, action):
    return ask(data_dir, "SELECT max(number) FROM audit_log WHERE action = ?", action)[0][0]


@pytest.mark.parametrize("column, value", [("actor", "uid=4000000000"), ("action", "user.enable"),
                                           ("subject", "somebody"), ("details", "{}"),
                                           ("timestamp", 1), ("hash", bytes(32)),
                                           ("previous_hash", bytes(32))])
def test_an_edited_entry_is_named(data_dir, meddle, column, value):
    number = entry_number(data_dir, "user.disable")
    assert meddle(f"UPDATE audit_log SET {column} = ? WHERE number = ?", value, number) == 1
    report = verify(data_dir, 1)
    assert number in [finding["number"] for finding in report["findings"]]
    assert "entry changed" in faults(report)


def test_a_removed_entry_is_missed(data_dir, meddle):
    number = entry_number(data_dir, "user.disable")
    assert meddle("DELETE FROM audit_log WHERE number = ?", number) == 1
    report = verify(data_dir, 1)
    assert ("entry missing", number) in [(finding["fault"], finding["number"])
                                         for finding in report["findings"]]


def test_an_added_entry_is_named(data_dir, meddle):
    assert meddle("INSERT INTO audit_log SELECT number + 1, timestamp, actor, action, subject, "
                  "details, hash, randomblob(32) FROM audit_log ORDER BY number DESC LIMIT 1") == 1
    assert set(faults(verify(data_dir, 1))) <= {"entry added", "entry changed"}


def test_swapped_entries_are_named(data_dir, meddle):
    number = entry_number(data_dir, "user.disable")
    for taken, given in ((number, 10 ** 6), (number + 1, number), (10 ** 6, number + 1)):
        assert meddle("UPDATE audit_log SET number = ? WHERE number = ?", given, taken) == 1
    found = faults(verify(data_dir, 1))
    assert "entry moved" in found


def test_a_chain_cut_at_its_end_is_noticed_and_stays_so(data_dir, meddle, tmp_path):
    last, = ask(data_dir, "SELECT max(number) FROM audit_log")[0]
    assert meddle("DELETE FROM audit_log WHERE number > ?", last - 3) == 3
    report = verify(data_dir, 1)
    assert "entry missing" in faults(report)
    run_weir("users", "create", "afterwards", "--data-dir", str(data_dir))
    assert entry_number(data_dir, "audit.gap")
    assert "newest entries lost" in faults(verify(data_dir, 1))


def test_an_emptied_chain_is_no_new_one(data_dir, meddle):
    meddle("DELETE FROM audit_log")
    assert verify(data_dir, 1)["findings"]


def test_another_key_is_said_to_be_one_and_signs_nothing(data_dir):
    key = data_dir / "secrets" / "audit.key"
    key.chmod(0o600)
    key.write_text("00" * 32)
    (data_dir / "secrets" / "audit.pub").unlink()
    number, = ask(data_dir, "SELECT max(number) FROM audit_log")[0]
    done = run_weir("audit", "verify", "--data-dir", str(data_dir), code=1)
    assert "audit.key" in done.stdout + done.stderr
    run_weir("audit", "export", "--data-dir", str(data_dir), code=None)
    run_weir("users", "create", "never", "--data-dir", str(data_dir), code=1)
    assert ask(data_dir, "SELECT max(number) FROM audit_log") == [(number,)]


# Starts, stops, crashes, threads

def test_a_chain_goes_on_after_stops(make_gateway):
    gateway = make_gateway()
    for _ in range(3):
        serve_requests(gateway, 2)
        gateway.weir.stop()
        verify(gateway.weir.data_dir)
        gateway.weir.start()
    assert len(ask(gateway.weir.data_dir,
                   "SELECT 1 FROM audit_log WHERE action = 'serve.start'")) == 4
    verify(gateway.weir.data_dir)


def test_a_kill_leaves_nothing_to_be_found(make_gateway):
    gateway = make_gateway()
    for round_number in range(6):
        done = in_background(lambda: ask_until_killed(gateway))
        time.sleep(0.15 + 0.17 * round_number)
        gateway.weir.kill()
        done()
        verify(gateway.weir.data_dir)
        gateway.weir.start()
        verify(gateway.weir.data_dir)
    serve_requests(gateway, 1)
    wait_until(lambda: not ask(gateway.weir.data_dir, "SELECT 1 FROM usage_open"))
    assert not ask(gateway.weir.data_dir, "SELECT 1 FROM audit_log WHERE action = 'audit.gap'")
    gateway.weir.stop()
    assert verify(gateway.weir.data_dir)["rows"] == row_count(gateway.weir) > 6
    gateway.weir.start()


def ask_until_killed(gateway):
    for _ in range(1000):
        try:
            gateway.ask()
        except (OSError, EOFError, AssertionError, RuntimeError):
            return
        except Exception as failure:  # the wire's own
            assert type(failure).__module__.startswith("support"), failure
            return


def test_verifying_beside_a_busy_server_finds_nothing(make_gateway):
    gateway = make_gateway()
    waits = [in_background(lambda: [gateway.ask() for _ in range(150)]) for _ in range(2)]
    changes = in_background(lambda: [gateway.weir.run("users", "create", f"user-{i}")
                                     for i in range(8)])
    for _ in range(8):
        verify(gateway.weir.data_dir)
    for wait in waits:
        assert all(response.status == 200 for response in wait(60))
    changes(60)
    wait_until(lambda: row_count(gateway.weir) == 300)
    assert verify(gateway.weir.data_dir)["rows"] == 300


# Retention

SHIFT = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *time)
{
    const int failed = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME)
        time->tv_sec -= atol(getenv("SECONDS_AGO"));
    return failed;
}
"""


@pytest.fixture
def long_ago(tmp_path):
    """The environment of a program whose clock is two hours behind."""
    source, library = tmp_path / "shift.c", tmp_path / "shift.so"
    source.write_text(SHIFT)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library), "SECONDS_AGO": "7200"}


@pytest.mark.skipif(SANITIZED, reason="a sanitizer's build must be the first to be loaded")
def test_retention_removes_old_batches_and_says_so(make_gateway, long_ago):
    gateway = make_gateway({"ledger": {"retention": "1h"}}, environment=long_ago)
    weir = gateway.weir
    serve_requests(gateway, 3, batches=5)
    old = row_count(weir)
    weir.stop()
    weir.environment = {name: value for name, value in weir.environment.items()
                        if name not in long_ago}
    weir.start()
    serve_requests(gateway, 2)
    while row_count(weir) > 2:  # beside the removal, too, all is as it should be
        verify(weir.data_dir)
    removed = ask(weir.data_dir, "SELECT details FROM audit_log WHERE action = 'usage.remove'")
    assert removed
    wait_until(lambda: ask(weir.data_dir, "SELECT 1 FROM audit_log WHERE action = 'audit.remove'"))
    report = verify(weir.data_dir)
    assert (report["rows"], report["rows_removed"]) == (2, old)
    assert report["entries_removed"] > 0
    weir.stop()
    assert verify(weir.data_dir)["rows_removed"] == old
    weir.start()


# The commands

def test_an_export_is_signed_to_its_end_and_can_be_checked_without_the_key(make_gateway, tmp_path):
    gateway = make_gateway()
    serve_requests(gateway, 3)
    lines = gateway.weir.run("audit", "export").stdout.splitlines()
    public_key = bytes.fromhex((gateway.weir.data_dir / "secrets" / "audit.pub").read_text().strip())
    findings, signed_up_to = audit_export.check(lines, public_key)
    assert not findings and signed_up_to == len(lines)
    serve_requests(gateway, 3)
    since = gateway.weir.run("audit", "export", "--since", str(signed_up_to)).stdout.splitlines()
    assert f'"number":{signed_up_to},' in since[0] and len(since) >= 2
    assert len(gateway.weir.run("audit", "export", "--since", "1h").stdout.splitlines()) > len(lines)
    assert gateway.weir.run("audit", "export", "--since", "2999-01-01").stdout == ""
    verify(gateway.weir.data_dir)


def test_the_newest_entries_are_shown_as_a_table(data_dir):
    said = run_weir("audit", "tail", "--lines", "4", "--data-dir", str(data_dir)).stdout
    assert said.splitlines()[0].split() == ["NUMBER", "TIME", "ACTOR", "ACTION", "SUBJECT",
                                            "DETAILS"]
    assert len(said.splitlines()) == 5 and "serve.stop" in said


@pytest.mark.parametrize("arguments", [["verify", "--since", "1"], ["export", "--json"], ["tail", "x"],
                                       ["tail", "--lines", "0"], ["export", "--since", "x"],
                                       ["export", "--since", "0"], ["verifi"], []])
def test_wrong_usage_is_2(data_dir, arguments):
    done = run_weir("audit", *arguments, "--data-dir", str(data_dir), code=2)
    assert done.stderr.startswith("weir: ") and not done.stdout


def test_verifying_changes_nothing(data_dir):
    before = contents(data_dir)
    verify(data_dir)
    run_weir("audit", "tail", "--data-dir", str(data_dir))
    assert contents(data_dir) == before


def contents(data_dir):
    """Of all files but those that SQLite shares among its readers."""
    return {path.name: path.read_bytes() for path in data_dir.rglob("*")
            if path.is_file() and not path.name.endswith(("-shm", "-wal"))}


def test_a_data_directory_that_is_not_there_is_named_and_not_made(tmp_path):
    done = run_weir("audit", "verify", "--data-dir", str(tmp_path / "nowhere"), code=1)
    assert "nowhere" in done.stderr and not (tmp_path / "nowhere").exists()
