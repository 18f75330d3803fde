"""The disk under the data folder is full, frozen, failing or cut off."""

import os
import shutil
import time

import pytest

from fault.books import Loss
from fault.disk import Disk
from fault.gateway import Gateway
from support.weir import wait_until

SMALL = {"ledger": {"journal_bytes": "16MiB"}}
GOOD = {200, 404, 500, "model_not_found", 0}


@pytest.fixture
def disk(tmp_path):
    with Disk(tmp_path) as made:
        yield made


def count_of(lines, level):
    return [each for each, _ in lines].count(level)


def test_a_full_disk_refuses_requests_and_loses_none(tmp_path, disk, is_full, report):
    seconds = 20 if is_full else 1
    with Gateway(tmp_path, {"ledger": {"journal_bytes": "4MiB"}}, data_dir=disk.data_dir,
                 clients=24) as gateway:
        gateway.run_for(0.5)
        before = len(gateway.load.requests)
        filler = disk.fill()
        gateway.books.refusals_may_be_uncounted = True
        wait_until(lambda: gateway.load.count(before)["overloaded"] > 100, 60, "a full journal")
        time.sleep(seconds)
        metrics = gateway.ledger_metrics()
        assert metrics["store_failed"] == 1 and (metrics["full"] or metrics["failed"]), metrics
        refused = gateway.load.count(before)["overloaded"]
        served = gateway.load.count(before)[200]
        filler.unlink()
        since = len(gateway.load.requests)
        wait_until(lambda: gateway.load.count(since)[200] > 200, 20, "served requests")
        wait_until(lambda: not any(gateway.ledger_metrics()[name] for name in
                                   ("store_failed", "full", "failed")), 10, "good metrics")
        assert set(gateway.load.count()) <= GOOD | {"overloaded"}, gateway.load.count()
        wait_until(lambda: count_of(gateway.ledger_lines(), "info") >= 2, 5, "both good lines")
        lines = gateway.ledger_lines()
        rows = gateway.check_after_stop()
    assert count_of(lines, "error") == count_of(lines, "info") == 2, lines
    report(f"full for {seconds} s: {served} served before it was felt, {refused} refused, {rows} "
           f"rows, said: {lines}")


def test_running_streams_go_on_while_the_disk_is_frozen(tmp_path, disk, report):
    with Gateway(tmp_path, SMALL, data_dir=disk.data_dir, clients=8, gap_s=0.05) as gateway:
        gateway.load.MIX = [("stream", True, 1)]
        gateway.load.EVENTS = (75, 85)
        gateway.run_for(0.5)
        gateway.load.call(gateway.load.serving.clear)  # nobody asks anew
        time.sleep(0.2)
        disk.freeze()
        began = len(gateway.load.requests)
        events = sum(each.events for each in gateway.load.requests)
        time.sleep(1.5)
        more = sum(each.events for each in gateway.load.requests) - events
        time.sleep(1.5)
        disk.thaw()
        gateway.load.pause(within_s=30)
        assert more > 50, f"{more} events while the disk was frozen"
        assert len(gateway.load.requests) == began
        assert all(each.is_whole for each in gateway.load.requests)
        rows = gateway.check_after_stop()
    report(f"{more} events of {began} streams in 1.5 s of a frozen disk, {rows} rows")


def test_a_frozen_disk_loses_no_answer(tmp_path, disk, is_full, report):
    with Gateway(tmp_path, SMALL, data_dir=disk.data_dir, clients=16) as gateway:
        failed, freezes = 0, 5 if is_full else 1
        for _ in range(freezes):
            gateway.run_for(0.5)
            before = len(gateway.load.requests)
            disk.freeze()
            time.sleep(2)
            failed += gateway.ledger_metrics()["failed"]
            time.sleep(1)
            disk.thaw()
            since = len(gateway.load.requests)
            wait_until(lambda: gateway.load.count(since)[200] > 200, 20, "served requests")
        meanwhile = gateway.load.count(before)
        assert set(gateway.load.count()) <= GOOD | {"overloaded"}, gateway.load.count()
        lines = gateway.ledger_lines()
        rows = gateway.check_after_stop()
    assert count_of(lines, "error") == failed == freezes, lines
    report(f"{rows} rows; from the freeze on: {dict(meanwhile)}; said: {lines}")


def test_a_disk_that_takes_no_more_writes_is_said_and_refuses(tmp_path, disk, report):
    """As after an error of the device. What was answered before is there after the repair."""
    with Gateway(tmp_path, SMALL, data_dir=disk.data_dir, clients=16) as gateway:
        gateway.run_for(1)
        failed_at = time.time()
        disk.fail()
        gateway.books.refusals_may_be_uncounted = True
        time.sleep(3)
        assert gateway.weir.is_alive()
        counts = gateway.load.count()
        lines = gateway.ledger_lines()
        metrics = gateway.ledger_metrics()
        last_good = max((each.ended_at for each in gateway.load.ended() if each.status == 200),
                        default=0)
        gateway.kill()
        disk.repair()
        gateway.books.losses.append(Loss(failed_at, failed_at - 0.5, failed_at + 3))
        gateway.weir.start()
        gateway.load.begin_life()
        gateway.wait_until_recovered()
        rows = gateway.check_after_stop()
    assert counts["overloaded"] > 0, counts
    assert metrics["failed"] == 1 and metrics["store_failed"] == 1, metrics
    assert count_of(lines, "error") <= 2, lines
    assert last_good < failed_at + 1, f"served for {last_good - failed_at:.3f} s more"
    report(f"the last answer came {1000 * (last_good - failed_at):.0f} ms after the failure, "
           f"{rows} rows, {gateway.books.outcomes['lost']} lost; said: {lines}")


def test_a_copy_of_a_running_data_folder_is_consistent(tmp_path, is_full, report):
    """The process is stopped, copied and killed; weir goes on with the copy."""
    rounds = 30 if is_full else 3
    with Gateway(tmp_path, clients=16) as gateway:
        for number in range(rounds):
            gateway.run_for(0.05 + 0.013 * number)
            gateway.hold()
            copy = tmp_path / f"copy-{number}"
            shutil.copytree(gateway.weir.data_dir, copy,
                            ignore=lambda _, names: {"admin.sock"} & set(names))
            gateway.kill()
            shutil.rmtree(gateway.weir.data_dir)
            os.rename(copy, gateway.weir.data_dir)
            gateway.weir.start()
            gateway.load.begin_life()
            gateway.wait_until_recovered()
        rows = gateway.check_after_stop()
    report(f"{rounds} copies, {rows} rows, {dict(gateway.books.outcomes)}")


def test_a_power_cut_takes_only_what_was_not_synced(tmp_path, disk, is_full, report):
    """The disk's image is copied while weir is stopped: what the kernel had not written is gone."""
    rounds = 30 if is_full else 2
    lost, oldest_s = 0, 0.0
    with Gateway(tmp_path, SMALL, data_dir=disk.data_dir, clients=16) as gateway:
        for number in range(rounds):
            gateway.run_for(0.3 + 0.037 * number)
            gateway.hold()
            cut_at = time.time()
            shutil.copyfile(disk.image, tmp_path / "cut.img")
            gateway.kill()
            disk.unmount()
            os.rename(tmp_path / "cut.img", disk.image)
            disk.mount()
            gateway.weir.start()
            gateway.wait_until_recovered()
            gateway.books.losses.append(Loss(cut_at, cut_at - 0.5, time.time()))
            gateway.load.begin_life()
        rows = gateway.check_after_stop()
        outcomes, oldest_s = gateway.books.outcomes, gateway.books.oldest_loss_s
    report(f"{rounds} cuts, {rows} rows, {outcomes['lost']} requests lost, the oldest had ended "
           f"{1000 * oldest_s:.0f} ms before the cut; {dict(outcomes)}")
