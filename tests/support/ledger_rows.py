"""Fills the ledger's tables of a weir that has stopped, as its drain would have."""

import datetime
import sqlite3
import uuid

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens",
          "reasoning_tokens", "audio_tokens")
COUNTS = ("answered", "estimated", "unpriced", "answered_tokens", "cost_nanousd",
          "answered_cost_nanousd") + TOKENS


def time_us(text):
    """Microseconds since 1970 of a time such as 2026-01-31T12:00:00, in UTC."""
    moment = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp()) * 1_000_000


def fill(path, rows):
    """Each row is a dictionary of columns of usage_logs; what it does not say is plain."""
    with sqlite3.connect(path) as database:
        batch = database.execute("SELECT newest + 1 FROM usage_batches").fetchone()[0]
        database.execute("UPDATE usage_batches SET newest = ?", (batch,))
        for number, row in enumerate(rows):
            add_row(database, complete(row, batch, number))
    database.close()


def complete(row, batch, number):
    whole = {"timestamp": time_us("2026-01-31T12:00:00"), "user_id": None, "key_id": None,
             "team_id": None, "route": "/v1/chat/completions", "model": "gpt-test",
             "provider": "openai", "target_model": "gpt-test", "input_tokens": 100,
             "output_tokens": 10, "cached_tokens": None, "cache_write_tokens": None,
             "reasoning_tokens": None, "audio_tokens": None, "cost_nanousd": None,
             "price_id": None, "status": 200, "outcome": "completed", "answered": 1,
             "estimated": 0, "attempts": 1, "stream": 0, "batch": batch}
    whole.update(row)
    whole["id"] = uuid.UUID(int=(whole["timestamp"] // 1000 << 80) | 7 << 76 | 2 << 62
                            | uuid.uuid4().int & ((1 << 62) - 1)).bytes
    return whole


def add_row(database, row):
    names = ", ".join(row)
    database.execute(f"INSERT INTO usage_logs ({names}) VALUES ({', '.join('?' * len(row))})",
                     list(row.values()))
    add = {name: row[name] or 0 for name in TOKENS}
    cost = row["cost_nanousd"] or 0
    add.update(answered=row["answered"], estimated=row["estimated"],
               unpriced=int(row["cost_nanousd"] is None), cost_nanousd=cost,
               answered_cost_nanousd=cost * row["answered"],
               answered_tokens=(add["input_tokens"] + add["output_tokens"]) * row["answered"])
    owners = {name: row[name] or b"" for name in ("user_id", "key_id", "team_id")}
    target = {"model": row["model"] or "", "provider": row["provider"] or ""}
    hour = {"hour": row["timestamp"] // HOUR_US * HOUR_US}
    day = {"day": row["timestamp"] // DAY_US * DAY_US}
    add_sum(database, "usage_hourly", {**hour, **owners, **target, "reason": ""},
            {"requests": 1, **add})
    add_sum(database, "usage_daily", {**day, **owners, **target},
            {"requests": 1, "refused": 0, **add})
    add_sum(database, "usage_hourly_all", {**hour, **target},
            {"requests": 1, "refused": 0, **add})


def add_sum(database, table, key, counts):
    values = {**key, **counts}
    moves = ", ".join(f"{name} = {name} + excluded.{name}" for name in counts)
    database.execute(f"INSERT INTO {table} ({', '.join(values)}) "
                     f"VALUES ({', '.join('?' * len(values))}) ON CONFLICT DO UPDATE SET {moves}",
                     list(values.values()))
