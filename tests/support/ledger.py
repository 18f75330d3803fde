"""What weir's ledger says, read as an operator would: in the database."""

import sqlite3

from support.weir import wait_until


def query(weir, sql, *parameters):
    """The lines that the database gives, as dictionaries."""
    path = weir.data_dir / "weir.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10) as database:
        database.row_factory = sqlite3.Row
        return [dict(line) for line in database.execute(sql, parameters).fetchall()]


def row_of(weir, request_id, within_s=5):
    """The row of a request, once the drain has moved it."""
    def find():
        found = query(weir, "SELECT * FROM usage WHERE id = ?", request_id)
        assert len(found) <= 1, found
        return found[0] if found else None

    return wait_until(find, within_s, f"the row of {request_id}")


def row_for(weir, response):
    """The row of the request that this answers."""
    return row_of(weir, response.header("x-request-id"))
