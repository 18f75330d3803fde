"""Compares what weir's database says with what the clients and the provider know.

`orphaned` may only be what was open when its process died; whatever a client has whole must be
there with the provider's figures.
"""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass

from fault.load import MODEL, REFUSED_MODEL
from support.weir import is_access_line, log_field

# Nanodollars for a token, as the configuration of fault.gateway says for a million.
INPUT, CACHED, OUTPUT = 3000, 500, 11000
PRICE = {"provider": "main", "model": MODEL, "input": "3usd", "cache_read": "0.50usd",
         "output": "11usd"}

# What a row may say, by what the request was, where its process lived long enough to close it.
OUTCOMES = {"whole": {"completed"}, "chunked": {"completed"}, "stream": {"completed"},
            "long": {"completed"},
            "vanish": {"completed", "client_gone"}, "broken": {"upstream_broken"},
            "failed": {"completed"}, "refused": set()}
ORPHANED = "orphaned"

COUNTS = ("cost_nanousd", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens",
          "reasoning_tokens", "audio_tokens")
ROWS = ", ".join(f"total(coalesce({name}, 0))" for name in COUNTS)
SUMS = ", ".join(f"total({name})" for name in COUNTS)


def connect(path):
    """For reading only: no checkpoint, nothing deleted."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20,
                                 isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def cost_of(call):
    return (call.input - call.cached) * INPUT + call.cached * CACHED + call.output * OUTPUT


@dataclass
class Loss:
    """What ended or ran between `since` and `until` may be lost; `at` is when it happened."""

    at: float
    since: float
    until: float


class Books:
    """The database of one data folder, beside the load that filled it."""

    def __init__(self, path, load):
        self.path, self.load = path, load
        self.outcomes = Counter()
        self.losses = []  # of Loss
        self.oldest_loss_s = 0.0  # how long before it happened the oldest that is lost had ended
        self.access = {}  # outcome by the client's id, from access lines
        self.unrecorded_allowed = False  # a request may have been served without a record
        self.refusals_may_be_uncounted = False  # while the journal has no room
        self.log_bytes = 0

    def read_log(self, path):
        """Notes the outcomes of new access lines: whatever has one was closed before."""
        with open(path, "rb") as log:
            log.seek(self.log_bytes)
            text = log.read()
        end = text.rfind(b"\n") + 1
        self.log_bytes += end
        for each in text[:end].splitlines():
            # A process that was killed may have left half a line before the next one's first.
            at = each.rfind(b'{"@timestamp"')
            line = json.loads(each[at:]) if at >= 0 and each.endswith(b"}") else {}
            if is_access_line(line):
                self.access[log_field(line, "weir.client.request_id")] = log_field(
                    line, "weir.outcome")

    def check(self, requests):
        """Every request has its row; returns how many have one. The log was read before."""
        with closing(connect(self.path)) as database:
            rows = self.rows_of(database, requests)
        for request in requests:
            self.check_request(request, rows.pop(request.id, None))
        return len(requests)

    def rows_of(self, database, requests):
        """By the client's id; no two of one."""
        if not requests:
            return {}
        since_us = int(requests[0].sent_at * 1e6) - 2_000_000
        rows = {}
        for row in database.execute("SELECT * FROM usage_logs WHERE timestamp >= ?", [since_us]):
            name = row["client_request_id"]
            if name is None and self.losses:  # its beginning was lost
                self.outcomes["without a beginning"] += 1
                continue
            assert name not in rows, f"two rows for {name}"
            rows[name] = row
        return rows

    def check_request(self, request, row):
        call = self.load.provider.calls.get(request.id)
        said = f"{request} {call} {dict(row) if row else None}"
        assert call is None or call.times == 1, f"asked twice: {said}"
        if self.is_lost(request, row):
            return
        if row is None:
            self.outcomes[f"none, {request.error or request.status}"] += 1
            assert call is None or self.unrecorded_allowed, f"no row: {said}"
            assert request.id not in self.access or request.error or self.unrecorded_allowed, said
            assert request.error or not request.is_whole or self.unrecorded_allowed, said
            return
        outcome = row["outcome"]
        self.outcomes[outcome] += 1
        assert row["metadata"] == request.metadata and row["model"] == MODEL, said
        assert row["id"].hex() == (request.weir_id or row["id"].hex()).replace("-", ""), said
        # A client may go while the last bytes are on their way, after its row was closed.
        logged = self.access.get(request.id)
        assert logged in (None, outcome) or (logged, outcome) == ("client_gone", "completed"), \
            f"the log says {logged}: {said}"
        if outcome == ORPHANED:
            assert not request.is_whole and row["estimated"] == 1 and \
                row["answered"] == 0 and row["cost_nanousd"] > 0, said
            return
        assert outcome in OUTCOMES[request.do], said
        if request.is_whole and request.status == 200:
            assert outcome == "completed" and row["answered"] == 1, said
        if request.do == "failed":  # the provider's error is passed on, and costs nothing
            assert (row["status"], row["answered"], row["output_tokens"]) == (500, 0, 0), said
        elif outcome == "completed":
            assert call and call.is_said, f"completed, though the provider was not done: {said}"
            self.check_figures(row, call, said)
        if outcome == "client_gone":
            assert request.has_vanished, said
        if request.status and outcome != "client_gone":
            assert row["status"] == request.status, said

    def is_lost(self, request, row):
        """Whether it fell to what may be lost; a row may be left of it, without its end."""
        if row is None and not request.is_whole and request.id not in self.load.provider.calls:
            return False
        is_over = request.is_whole or request.id in self.access
        if row is not None and (row["outcome"] != ORPHANED or not is_over):
            return False
        if request.error:
            return False
        for loss in self.losses:
            if request.ended_at >= loss.since and request.sent_at <= loss.until:
                self.outcomes["lost" if row is None else "lost, but for its beginning"] += 1
                self.oldest_loss_s = max(self.oldest_loss_s, loss.at - request.ended_at)
                return True
        return False

    def check_figures(self, row, call, said):
        assert (row["input_tokens"], row["output_tokens"], row["cached_tokens"],
                row["reasoning_tokens"], row["cost_nanousd"], row["estimated"]) == (
                    call.input, call.output, call.cached, call.reasoning, cost_of(call), 0), said

    def check_all(self):
        """Everything at once: the clients are paused and the ledger is drained."""
        self.outcomes.clear()
        requests = list(self.load.requests)
        assert all(each.ended_at for each in requests)
        known = {each.id for each in requests}
        with closing(connect(self.path)) as database:
            database.execute("BEGIN")
            assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            rows = self.rows_of(database, requests)
            unknown = set(rows) - known
            assert not unknown, f"rows that nobody asked for: {sorted(unknown)[:5]}"
            self.check_sums(database)
            self.check_refusals(database)
        for request in requests:
            self.check_request(request, rows.get(request.id))
        return len(rows)

    def check_sums(self, database):
        """What was summed up is the sum of the rows, in each of the three tables."""
        wanted = tuple(database.execute(f"SELECT count(*), {ROWS} FROM usage_logs").fetchone())
        for table, where in (("usage_hourly", "WHERE reason = ''"), ("usage_daily", ""),
                             ("usage_hourly_all", "")):
            found = tuple(database.execute(
                f"SELECT total(requests), {SUMS} FROM {table} {where}").fetchone())
            assert found == wanted, f"{table}: {found}, and the rows: {wanted}"
        hours = {tuple(row) for row in database.execute(
            "SELECT timestamp - timestamp % 3600000000, coalesce(key_id, x''), "
            "coalesce(model, ''), coalesce(provider, ''), count(*) "
            "FROM usage_logs GROUP BY 1, 2, 3, 4")}
        assert hours == {tuple(row) for row in database.execute(
            "SELECT hour, key_id, model, provider, requests FROM usage_hourly WHERE reason = ''")}
        batches = database.execute("SELECT newest FROM usage_batches").fetchone()[0]
        assert batches >= database.execute("SELECT max(batch) FROM usage_logs").fetchone()[0]

    def check_refusals(self, database):
        """Each refusal that a client saw is counted, and none twice."""
        counted = database.execute("SELECT coalesce(sum(requests), 0) FROM usage_hourly "
                                   "WHERE reason = 'model_not_found'").fetchone()[0]
        asked = [each for each in self.load.requests if each.do == "refused"]
        seen = sum(each.is_whole and each.status == 404 and not any(
            loss.since <= each.ended_at <= loss.until for loss in self.losses) for each in asked)
        if self.refusals_may_be_uncounted or any(
                each.error == "overloaded" for each in self.load.requests):
            seen = 0
        assert seen <= counted <= len(asked), \
            f"{seen} seen, {counted} counted, {len(asked)} asked"

    def check_nothing_is_open(self):
        with closing(connect(self.path)) as database:
            for table in ("usage_open", "journal_positions"):
                assert database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0, table
