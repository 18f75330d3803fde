"""What is measured: one function for each kind of scenario, which returns one flat record."""

import statistics
import time
from dataclasses import dataclass, field

import machine
from programs import Load, run_load

STREAMS = 2000
PACE_MS = 100
PACED_EVENTS = 30
PACED_RAMP_MS = 800
IDLE_CONNECTIONS = 4000
IDLE_BASE = 1000
LATENCY_CONNECTIONS = 64


@dataclass
class Scenario:
    name: str
    title: str
    kind: str  # "busy", "keys", "paced", "latency" or "idle"
    unit: str = "request"
    bound: float = 0  # the ratio to nginx that must hold
    load: dict = field(default_factory=dict)
    provider: dict = field(default_factory=dict)
    rounds_max: int = 1000
    compared: tuple = ("nginx", "weir", "haproxy")  # of those that are asked for


STREAM = {"stream": True, "events": 200}
ALL = ("nginx", "weir-bare", "weir-no-limits", "weir", "haproxy")
GOVERNANCE_BOUND = 1.35  # the ratio to weir-bare that must hold for small chats
LATENCY_BOUND_MS = 1.0   # that weir may add at the 99th percentile
KEYS_BOUND = 1.1         # the ratio of a request among many keys to one among ten
KEY_BYTES_BOUND = 400    # resident memory
KEYS_WARM_UP = 300_000   # requests; a page holds the counters of 32 keys

SCENARIOS = {each.name: each for each in (
    Scenario("chat", "small chat, 32 connections", "busy", bound=1.15, load={"connections": 32},
             compared=ALL),
    Scenario("chat-c1", "small chat, 1 connection", "busy", load={"connections": 1}),
    Scenario("chat100k", "100 KB prompt, 16 connections", "busy", bound=1.3,
             load={"connections": 16, "body_bytes": 100_000}, compared=ALL),
    Scenario("sse", "stream of 200 events at once, 16 connections", "busy", bound=0.7,
             load={"connections": 16, **STREAM}, compared=ALL),
    Scenario("sse-paced", f"{STREAMS:,} streams, an event each {PACE_MS} ms", "paced", "event",
             bound=1.0,
             load={"connections": STREAMS, "stream": True, "events": PACED_EVENTS, "once": True,
                   "ramp_ms": PACED_RAMP_MS, "duration_ms": 20_000},
             provider={"events": PACED_EVENTS, "pace_ms": PACE_MS}),
    Scenario("latency", "small chat at half of the peak", "latency", rounds_max=11,
             load={"connections": LATENCY_CONNECTIONS}),
    Scenario("keys", "small chat, 32 connections, keys at random", "keys",
             load={"connections": 32}),
    Scenario("idle", f"{IDLE_CONNECTIONS:,} idle connections", "idle", rounds_max=5,
             load={"connections": IDLE_CONNECTIONS, "ramp_ms": 2000, "duration_ms": 60_000,
                   "hold": True}),
)}


class Window:
    """CPU time between two moments: of the gateway's threads, and of others on its core."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.before = self.read()

    def read(self):
        return (time.monotonic_ns(), *self.gateway.spent_ns(),
                machine.core_busy_ns(self.gateway.core))

    def close(self, units):
        """What was spent for so many units (requests, events)."""
        wall, serving, others, busy = (
            after - before for before, after in zip(self.before, self.read()))
        foreign = busy - serving - others
        units = max(1, units)
        return {"window_s": wall / 1e9, "cpu_us": serving / 1e3 / units,
                "others_us": others / 1e3 / units, "core_share": (serving + others) / wall,
                "foreign_share": max(0, foreign / wall)}


def outcome_of(result):
    """What a record keeps of a load's result."""
    kept = {name: result[name] for name in ("ok", "errors", "events", "retries", "per_second")}
    for name in ("latency_us", "first_event_us", "gap_us"):
        if result[name]["count"] > 0:
            kept |= {f"{name}_{part}": result[name][part] for part in ("p50", "p99")}
    return kept


def measure_busy(gateway, scenario, bench):
    """As fast as the gateway answers, for one window."""
    window = Window(gateway)
    result = gateway.load(bench.load_core, duration_ms=bench.window_ms, **scenario.load)
    return window.close(result["ok"]) | outcome_of(result)


def measure_keys(gateway, scenario, bench):
    """The same, and what the process held before its first request."""
    return measure_busy(gateway, scenario, bench) | {
        "keys": gateway.count, "resident_bytes": gateway.resident_at_start}


def measure_paced(gateway, scenario, bench):
    """A window in which all streams are open and none begins or ends: CPU per event.

    The provider counts the events that it sent; what is under way at both ends is a few of
    tens of thousands.
    """
    load = Load(gateway.port, gateway.key, bench.load_core, **scenario.load)
    try:
        time.sleep(PACED_RAMP_MS / 1e3 + 0.3)
        window, events = Window(gateway), bench.provider.stats()["events"]
        time.sleep(PACED_EVENTS * PACE_MS / 1e3 - PACED_RAMP_MS / 1e3 - 0.6)
        events = bench.provider.stats()["events"] - events
        figures = window.close(events)
        resident = gateway.resident_bytes()
        result = load.result()
    finally:
        load.end()
    grown = resident - gateway.resident_at_start
    return figures | outcome_of(result) | {"window_events": events,
                                           "kib_per_stream": grown / 1024 / STREAMS}


def measure_latency(gateway, scenario, bench):
    """Requests at fixed times; the provider without a gateway, just before, is the floor."""
    options = {"duration_ms": 2 * bench.window_ms, "rate": bench.latency_rate(), **scenario.load}
    direct = run_load(bench.provider.port, "sk-none", bench.load_core, **options)
    window = Window(gateway)
    result = gateway.load(bench.load_core, **options)
    figures = window.close(result["ok"]) | outcome_of(result)
    floor = outcome_of(direct)
    return figures | {
        "rate": options["rate"],
        "added_p50_us": figures["latency_us_p50"] - floor["latency_us_p50"],
        "added_p99_us": figures["latency_us_p99"] - floor["latency_us_p99"],
        "direct_p99_us": floor["latency_us_p99"],
    }


def measure_idle(gateway, scenario, bench):
    """What connections that were used once and are kept add to a gateway's memory.

    A first thousand is held while it is measured, so that they, and not those that count, fill
    what the heap had left over.
    """
    gateway.load(bench.load_core, requests=100, connections=2, duration_ms=5000)
    base = Load(gateway.port, gateway.key, bench.load_core,
                **scenario.load | {"connections": IDLE_BASE})
    counted = None
    try:
        base.result()
        time.sleep(0.3)
        before = gateway.resident_bytes()
        counted = Load(gateway.port, gateway.key, bench.load_core, **scenario.load)
        result = counted.result()
        time.sleep(0.3)
        held = gateway.resident_bytes()
    finally:
        base.end()
        if counted:
            counted.end()
    return outcome_of(result) | {
        "resident_mib": gateway.resident_at_start / 2**20,
        "kib_per_connection": (held - before) / 1024 / scenario.load["connections"],
    }


MEASURE = {"busy": measure_busy, "keys": measure_keys, "paced": measure_paced,
           "latency": measure_latency, "idle": measure_idle}


def warm_up(gateway, scenario, bench):
    """So that what happens once is over: of many keys, that most counters are used first."""
    options = {name: value for name, value in scenario.load.items() if name != "hold"}
    if scenario.kind == "paced":
        options |= {"connections": 200, "ramp_ms": 100}
    elif scenario.kind == "busy":
        options |= {"duration_ms": 500}
    elif scenario.kind == "keys":
        options |= {"duration_ms": 60_000,
                    "requests": min(KEYS_WARM_UP, 20_000 + 10 * gateway.count)}
    gateway.load(bench.load_core, quiet=True, **options)


def peak_of(gateway, bench):
    """Requests a second as fast as they go; the median of three short windows."""
    return statistics.median(
        gateway.load(bench.load_core, connections=32, duration_ms=500)["per_second"]
        for _ in range(3))
