"""Many keys for a gateway, written into its store while it does not run."""

import base64
import contextlib
import hashlib
import hmac
import secrets
import sqlite3

PREFIX = "imported-"  # no key of weir's own, so that it needs no checksum


def columns_of(store, table):
    return [row[1] for row in store.execute(f"PRAGMA table_info({table})")]


def copies(store, table, count, changes):
    """The table's one row, so many times, each with the changes that `changes` gives."""
    names = columns_of(store, table)
    row = dict(zip(names, store.execute(f"SELECT * FROM {table}").fetchone()))
    places = ", ".join("?" for _ in names)
    store.executemany(f"INSERT INTO {table} VALUES ({places})",
                      ([(row | changes(i))[name] for name in names] for i in range(count)))


def add(data, key, count):
    """Adds so many keys like the only one that there is, each with a user like its user. Returns
    the path of a file with a line for each, all as long as `key`."""
    pepper = bytes.fromhex((data / "secrets" / "pepper").read_text().strip())
    width = len(key) - len(PREFIX)
    texts = [PREFIX + base64.b32encode(secrets.token_bytes(40)).decode()[:width]
             for _ in range(count)]
    users = [secrets.token_bytes(16) for _ in range(count)]
    ids = [secrets.token_bytes(16) for _ in range(count)]

    def key_of(i):
        digest = hmac.digest(pepper, texts[i].encode(), hashlib.sha256)
        return {"id": ids[i], "user_id": users[i], "hash": digest, "hint": texts[i][-4:]}

    with contextlib.closing(sqlite3.connect(data / "weir.db")) as store, store:
        copies(store, "users", count, lambda i: {"id": users[i], "name": f"perf-{i}"})
        copies(store, "api_keys", count, key_of)
    path = data.parent / "keys"
    path.write_text("".join(f"{text}\n" for text in texts))
    return path
