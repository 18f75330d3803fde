"""Budgets through clock steps, daylight saving and month ends: against a reference in Python.

The program's wall clock is moved while it serves (tests/support/moved_clock.c)."""

import mmap
import os
import subprocess
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from support import answers
from support.weir import BINARY, wait_until

CONFIG = {"prices": [{"provider": "main", "model": "gpt-test", "input": "0usd", "output": "1usd"}]}
COST = 100_000  # nano-dollars of a request: 100 tokens of output


def is_sanitized():
    with open(BINARY, "rb") as program:
        return any(mark in program.read() for mark in (b"__asan_init", b"__tsan_init"))


pytestmark = pytest.mark.skipif(is_sanitized(), reason="a sanitizer wants to be loaded first")


class Clock:
    """The program's clock: ahead of the true one."""

    def __init__(self, folder):
        self.folder, self.path = folder, folder / "clock"
        self.path.write_bytes(bytes(8))
        with open(self.path, "r+b") as file:
            self.ahead_ns = memoryview(mmap.mmap(file.fileno(), 8)).cast("q")

    def set(self, moment):
        self.ahead_ns[0] = int((moment.timestamp() - time.time()) * 1e9)

    def environment(self):
        library = self.folder / "moved_clock.so"
        source = Path(answers.__file__).with_name("moved_clock.c")
        subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE",
                        "-o", library, source], check=True)
        return {"LD_PRELOAD": str(library), "MOVED_CLOCK_FILE": str(self.path)}


@pytest.fixture
def clocked(make_gateway, tmp_path):
    clock = Clock(tmp_path)
    clock.set(datetime(2026, 1, 1, tzinfo=timezone.utc))
    gateway = make_gateway(CONFIG, environment=clock.environment())
    gateway.upstream.answer_always(answers.chat(
        usage={"prompt_tokens": 1, "completion_tokens": 100, "total_tokens": 101}))
    gateway.clock = clock
    return gateway


def window_of(unit, zone, moment):
    local = moment.astimezone(zone)
    if unit == "hour":  # of 3,600 s, from the full hour of the zone's standard time on
        shift = int((local.utcoffset() - local.dst()).total_seconds()) % 3600
        return int(moment.timestamp() + shift) // 3600
    if unit == "day":
        return local.date()
    if unit == "week":
        return local.date() - timedelta(days=local.weekday())
    return (local.year, local.month) if unit == "month" else 0


class Budgets:
    """A team with a budget of each unit, and what each window has come to."""

    def __init__(self, gateway, name, zone):
        weir = gateway.weir
        self.gateway, self.zone, self.spent = gateway, ZoneInfo(zone), {}
        limits = [part for unit in ("hour", "day", "week", "month", "total")
                  for part in ("--budget", f"1usd/{unit}")]
        weir.run("teams", "create", name, "--timezone", zone, *limits)
        weir.run("users", "create", name, "--team", name)
        made = weir.run_json("keys", "create", "--user", name)
        self.key, self.id = made["key"], made["id"]

    def ask_at(self, moment):
        self.gateway.clock.set(moment)
        assert self.gateway.ask(key=self.key, max_tokens=100).status == 200
        for unit in ("hour", "day", "week", "month", "total"):
            window = (unit, window_of(unit, self.zone, moment))
            self.spent[window] = self.spent.get(window, 0) + COST
        self.check(moment)

    def check(self, moment):
        explained = self.gateway.weir.run_json("explain", "--key", self.id, "--model", "gpt-test")
        stand = {each["limit"].partition("/")[2]: each for each in explained["budgets"]}
        for unit, budget in stand.items():
            window = (unit, window_of(unit, self.zone, moment))
            assert budget["spent_nanousd"] == self.spent.get(window, 0), (moment, unit)
            assert budget["held_nanousd"] == 0

    def restart_at(self, moment):
        weir = self.gateway.weir
        weir.stop()
        self.gateway.clock.set(moment)
        weir.start()
        wait_until(lambda: weir.get("/readyz").status == 200)
        self.check(moment)


def at(zone, text, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(
        timezone.utc)


def test_steps_of_30_seconds_and_of_an_hour(clocked):
    budgets = Budgets(clocked, "steps", "UTC")
    start = datetime(2026, 5, 6, 10, 59, 50, tzinfo=timezone.utc)
    now = start
    for step in (0, 30, -30, 30, -30, 3600, -3600, 3600, 30, -30, 30, -3600, 3600, 3600, -3600):
        now += timedelta(seconds=step)
        budgets.ask_at(now)
    budgets.restart_at(now)
    budgets.ask_at(now + timedelta(seconds=30))


@pytest.mark.parametrize("zone,day", [("Europe/Berlin", "2026-03-29"),
                                      ("Europe/Berlin", "2026-10-25"),
                                      ("America/New_York", "2026-11-01"),
                                      ("Australia/Lord_Howe", "2027-04-04")])
def test_daylight_saving_skips_and_counts_nothing_twice(clocked, zone, day):
    budgets = Budgets(clocked, "saving", zone)
    midnight = at(zone, f"{day}T00:00:00")
    before, after = midnight - timedelta(seconds=40), midnight + timedelta(seconds=20)
    for moment in (before, after, before, after):  # a clock that steps over midnight
        budgets.ask_at(moment)
    for minutes in range(31, 300, 30):  # through the change
        budgets.ask_at(midnight + timedelta(minutes=minutes))
        budgets.ask_at(midnight + timedelta(minutes=minutes - 25))
    next_midnight = at(zone, day) + timedelta(hours=23)
    for minutes in range(-29, 151, 30):  # the day has 23, 25 or, there, 24.5 hours
        budgets.ask_at(next_midnight + timedelta(minutes=minutes))
    budgets.restart_at(next_midnight + timedelta(minutes=151))


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Asia/Kolkata", "America/Los_Angeles"])
def test_months_end_with_the_calendar_of_their_zone(clocked, zone):
    budgets = Budgets(clocked, "months", zone)
    for first in ("2026-02-01", "2026-03-01", "2027-01-01", "2028-03-01"):
        midnight = at(zone, f"{first}T00:00:00")
        for seconds in (-90_000, -30, 5, -30, 5, 90_000):
            budgets.ask_at(midnight + timedelta(seconds=seconds))
    moment = at(zone, "2028-03-01T00:00:00")
    budgets.restart_at(moment + timedelta(seconds=90_001))
