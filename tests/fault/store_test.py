"""The database gives trouble while weir runs: answers go on, and no row is lost."""

import contextlib
import os
import sqlite3
import time

import pytest

from fault.books import connect
from fault.gateway import Gateway
from support.weir import wait_until

WORKS_AGAIN = "the store takes the ledger's records again"


@contextlib.contextmanager
def locked(path):
    """The database is locked by another process than weir."""
    connection = sqlite3.connect(path, timeout=20, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def trouble(gateway):
    """The lines on trouble with the store, which come in pairs."""
    return [each for each in gateway.ledger_lines()
            if (each[0] == "error" or each[1] == WORKS_AGAIN) and "journal_bytes" not in each[1]]


def wait_for_trouble(gateway, count):
    return wait_until(lambda: len(lines := trouble(gateway)) >= count and lines, 15,
                      f"line {count} on the ledger's trouble")


def is_followed(gateway):
    """Whether a request that has just ended is in the database."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(
            connect(gateway.database)) as database:
        newest = next(each.id for each in reversed(gateway.load.requests) if each.ended_at
                      and each.do == "whole" and each.status == 200)
        return wait_until(lambda: database.execute(
            "SELECT 1 FROM usage_logs WHERE client_request_id = ?", [newest]).fetchone(), 5)


def only_good_answers(gateway):
    return set(gateway.load.count()) <= {200, 404, 500, "model_not_found", 0}


def test_answers_go_on_while_another_process_holds_the_lock(tmp_path, is_full, report):
    seconds = 60 if is_full else 10
    with Gateway(tmp_path, clients=8, pause_s=0.01) as gateway:
        gateway.run_for(0.5)
        with locked(gateway.database):
            before = len(gateway.load.requests)
            time.sleep(seconds)
            asked = len(gateway.load.ended(before))
            metrics = gateway.ledger_metrics()
            assert metrics["store_failed"] == 1 and metrics["failures_total"] >= 2
            assert metrics["full"] == 0 and metrics["failed"] == 0
        lines = wait_for_trouble(gateway, 2)
        assert is_followed(gateway)
        assert gateway.ledger_metrics()["store_failed"] == 0
        assert [level for level, _ in lines] == ["error", "info"], lines
        assert only_good_answers(gateway), gateway.load.count()
        rows = gateway.check_after_stop()
    report(f"locked for {seconds} s: {asked} answers meanwhile, {rows} rows, said: {lines[0][1]!r}")


def files_of(database):
    return [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm")]


@pytest.mark.parametrize("journal_bytes", [
    "4GiB", pytest.param("1MiB", marks=pytest.mark.long)])
def test_nothing_is_lost_where_the_database_is_deleted_and_put_back(tmp_path, journal_bytes,
                                                                    report):
    """With 1 MiB the journal would use its files again, if it took what was written for safe."""
    aside = tmp_path / "aside"
    aside.mkdir()
    with Gateway(tmp_path, {"ledger": {"journal_bytes": journal_bytes}}, clients=8,
                 pause_s=0.01) as gateway:
        gateway.books.refusals_may_be_uncounted = journal_bytes == "1MiB"
        gateway.run_for(0.5)
        for each in files_of(gateway.database):
            os.rename(each, aside / each.name)
        lines = wait_for_trouble(gateway, 1)
        assert "deleted or replaced" in lines[0][1], lines
        time.sleep(2.5)
        assert len(trouble(gateway)) == 1, trouble(gateway)
        assert gateway.ledger_metrics()["store_failed"] == 1
        for each in files_of(gateway.database):
            os.rename(aside / each.name, each)
        wait_for_trouble(gateway, 2)
        assert is_followed(gateway)
        assert only_good_answers(gateway) or journal_bytes == "1MiB", gateway.load.count()
        rows = gateway.check_after_stop()
        assert len(trouble(gateway)) == 2, trouble(gateway)
    report(f"{rows} rows, said: {lines[0][1]!r}")


@pytest.mark.long
def test_a_database_that_was_replaced_is_not_written_to(tmp_path, report):
    aside = tmp_path / "aside"
    aside.mkdir()
    with Gateway(tmp_path, clients=8, pause_s=0.01) as gateway:
        gateway.run_for(0.5)
        other = sqlite3.connect(aside / "other.db")
        with contextlib.closing(sqlite3.connect(gateway.database)) as source:
            source.backup(other)
        other.close()
        before = (aside / "other.db").read_bytes()
        for each in files_of(gateway.database):
            os.rename(each, aside / each.name)
        os.rename(aside / "other.db", gateway.database)
        lines = wait_for_trouble(gateway, 1)
        assert "deleted or replaced" in lines[0][1], lines
        time.sleep(1.5)
        assert gateway.database.read_bytes() == before
        for each in files_of(gateway.database):
            with contextlib.suppress(FileNotFoundError):
                os.rename(aside / each.name, each)
        wait_for_trouble(gateway, 2)
        assert is_followed(gateway)
        rows = gateway.check_after_stop()
    report(f"{rows} rows")


@pytest.mark.long
def test_an_older_copy_gets_what_the_journal_still_holds(tmp_path, report):
    """The database is lost for good; a backup is put in its place and weir is started anew."""
    with Gateway(tmp_path, clients=8, pause_s=0.01) as gateway:
        gateway.run_for(0.6)
        backup = sqlite3.connect(tmp_path / "backup.db")
        with contextlib.closing(sqlite3.connect(gateway.database)) as source:
            source.backup(backup)
        saved = backup.execute("SELECT count(*) FROM usage_logs").fetchone()[0]
        backup.close()
        time.sleep(0.6)
        for each in files_of(gateway.database):
            os.unlink(each)
        wait_for_trouble(gateway, 1)
        time.sleep(0.5)
        gateway.load.pause()
        gateway.weir.stop()  # what is not in the store stays in the journal
        assert list(gateway.journal.glob("*.seg"))
        os.rename(tmp_path / "backup.db", gateway.database)
        gateway.weir.start()
        gateway.wait_until_recovered()
        gateway.load.begin_life()
        time.sleep(0.3)
        rows = gateway.check_after_stop()
    assert rows > saved
    report(f"{saved} rows in the copy, {rows} after the start")


@pytest.mark.long
def test_what_comes_after_the_database_was_deleted_stays_in_the_journal(tmp_path, report):
    """Its files are not used again, so that an exact copy of the database gets all of it."""
    with Gateway(tmp_path, {"ledger": {"journal_bytes": "1MiB"}}) as gateway:
        gateway.run_for(1)
        gateway.load.pause()
        assert is_followed(gateway)
        time.sleep(1.5)
        backup = sqlite3.connect(tmp_path / "backup.db")
        with contextlib.closing(sqlite3.connect(gateway.database)) as source:
            source.backup(backup)
        backup.close()
        for each in files_of(gateway.database):
            os.unlink(each)
        gateway.run_for(4)
        gateway.load.pause()
        assert gateway.load.count()["overloaded"] > 100
        gateway.weir.stop()
        os.rename(tmp_path / "backup.db", gateway.database)
        gateway.weir.start()
        gateway.wait_until_recovered()
        gateway.load.begin_life()
        time.sleep(0.3)
        rows = gateway.check_after_stop()
    report(f"{rows} rows")


@pytest.mark.long
def test_a_stop_without_the_database_leaves_the_rest_to_the_next_start(tmp_path, report):
    with Gateway(tmp_path, clients=8, pause_s=0.01) as gateway:
        gateway.run_for(0.5)
        with locked(gateway.database):
            time.sleep(0.5)
            gateway.load.pause()
            gateway.weir.stop()
            assert any("the next start takes it over" in text for _, text in trouble(gateway))
        gateway.weir.start()
        gateway.wait_until_recovered()
        gateway.load.begin_life()
        time.sleep(0.3)
        rows = gateway.check_after_stop()
    assert gateway.books.outcomes["orphaned"] == 0
    report(f"{rows} rows")
