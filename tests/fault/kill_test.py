"""weir is killed again and again, at any moment: every request keeps its one row."""

import itertools
import os
import random
import signal
import threading
import time

from fault.failing import SEND, FailingCalls
from fault.gateway import Gateway
from support.weir import merge

POLL_S = 0.004
KINDS = ("whole", "chunked", "stream", "long")  # of good answers


class Reaper:
    """Lives that end by kill -9. A life is looked at once the next one has recovered it."""

    def __init__(self, gateway, dice):
        self.gateway, self.dice = gateway, dice
        self.checked = 0  # requests, from the first on
        self.ended = 0  # the same, of lives that are over
        self.recoveries = 0
        self.slowest_s = 0.0

    def life(self, seconds, recovers_first):
        """So long under load, from its start on or from when it has taken over what it found."""
        gateway = self.gateway
        gateway.weir.start()
        started = time.monotonic()
        gateway.load.begin_life()
        if recovers_first and self.checked < self.ended:
            gateway.wait_until_recovered()
            self.slowest_s = max(self.slowest_s, time.monotonic() - started)
            self.look()
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            if self.checked < self.ended and gateway.is_recovered():
                self.look()
            time.sleep(min(POLL_S, left))
        if self.dice.random() < 0.15:  # in the middle of a clean stop
            gateway.weir.send_signal(signal.SIGTERM)
            time.sleep(self.dice.uniform(0, 0.1))
        gateway.kill()
        self.ended = len(gateway.load.requests)

    def change(self):
        """The next life has other workers and segments than the one whose journal it takes over."""
        gateway = self.gateway
        gateway.weir.write_config(merge(gateway.weir.config, {
            "workers": self.dice.randint(1, 4),
            "ledger": {"journal_bytes": self.dice.choice(["4MiB", "16MiB", "4GiB"])}}))

    def look(self):
        self.gateway.books.check(self.gateway.load.requests[self.checked:self.ended])
        self.checked = self.ended
        self.recoveries += 1


def test_each_request_has_its_one_row_however_often_weir_is_killed(tmp_path, is_full, report):
    kills = 1000 if is_full else 40
    dice = random.Random(7)
    with Gateway(tmp_path, clients=24, seed=7) as gateway:
        gateway.stop()
        reaper = Reaper(gateway, dice)
        for number in range(kills):
            if number % 5 == 0:
                reaper.change()
            # Three in ten may end while they recover those before them.
            reaper.life(dice.uniform(0.05, 0.3), recovers_first=dice.random() < 0.7)
        gateway.weir.start()
        gateway.load.begin_life()
        gateway.wait_until_recovered()
        reaper.look()
        rows = gateway.check_after_stop()
        outcomes = gateway.books.outcomes
    assert outcomes["completed"] > 10 * kills and outcomes["orphaned"] > kills
    report(f"{kills} kills: {len(gateway.load.requests)} requests, "
           f"{len(gateway.load.provider.calls)} calls of the provider, {rows} rows; "
           f"{reaper.recoveries} recoveries, the slowest {reaper.slowest_s * 1000:.0f} ms; "
           f"{dict(outcomes)}")


def test_the_record_comes_before_the_byte_that_it_is_about(tmp_path, is_full, report):
    """weir is killed by a client that has just got its last byte, while the send of it still runs."""
    kills = 400 if is_full else 20
    dice = random.Random(5)
    failing = FailingCalls(tmp_path, tmp_path / "data")
    with Gateway(tmp_path, clients=8, environment=failing.environment) as gateway:
        gateway.load.MIX = [(do, do == "stream", 1) for do in KINDS]
        for number in range(kills):
            failing.let(SEND, fail_per_mille=700)
            answers, pid = itertools.count(), gateway.weir.process.pid
            wanted, is_killed = dice.randint(0, 5), threading.Event()

            def kill(request):
                if request.do == KINDS[number % len(KINDS)] and next(answers) == wanted:
                    os.kill(pid, signal.SIGKILL)
                    is_killed.set()

            gateway.load.when_whole = kill
            gateway.load.begin_life()
            assert is_killed.wait(20)
            gateway.load.when_whole = None
            gateway.kill()
            failing.stop()
            gateway.weir.start()
            gateway.wait_until_recovered()
        rows = gateway.check_after_stop()
    report(f"{kills} kills, {rows} rows, {dict(gateway.books.outcomes)}")
