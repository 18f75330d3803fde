"""The C programs of the bench: building them, and running the provider and the load generator."""

import contextlib
import json
import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "build" / "bench"

BASE = ["alloc", "assert", "buffer", "clock", "slice", "status"]
SHARED = ["form", "message", "process", "script"]
PROGRAMS = {
    "provider": ["provider", "provider_answers", *SHARED],
    "load": ["load", "load_client", "histogram", *SHARED],
}
FLAGS = ["-std=c17", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Wconversion", "-Wshadow"]


def build():
    """Builds what is older than its sources."""
    OUT.mkdir(parents=True, exist_ok=True)
    headers = [*HERE.glob("*.h"), *(ROOT / "src/base").glob("*.h")]
    for name, parts in PROGRAMS.items():
        sources = [HERE / f"{part}.c" for part in parts]
        sources += [ROOT / f"src/base/{part}.c" for part in BASE]
        target = OUT / name
        newest = max(path.stat().st_mtime for path in [*sources, *headers])
        if target.exists() and target.stat().st_mtime > newest:
            continue
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, *FLAGS, f"-I{ROOT / 'src'}", f"-I{HERE}", *map(str, sources),
                        "-o", str(target)], check=True)


def pinned(core):
    """What makes a child process run on one core; None leaves it where it is."""
    return None if core is None else lambda: os.sched_setaffinity(0, {core})


def free_port():
    """Below the ports that the kernel gives to connections, of which a bench uses thousands."""
    for port in random.sample(range(20000, 32000), 200):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port between 20000 and 32000")


class Provider:
    """The provider, running on a core; use it in a `with`."""

    def __init__(self, core=None):
        self.core, self.port, self.process = core, free_port(), None

    def __enter__(self):
        self.process = subprocess.Popen([OUT / "provider", "--port", str(self.port)],
                                        preexec_fn=pinned(self.core))
        self.get("/stats")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, target):
        """Asks again while it starts, or (409) still answers what a former load asked."""
        for _ in range(100):
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{target}") as answer:
                    return json.load(answer)
            time.sleep(0.1)
        raise RuntimeError(f"the provider does not answer {target}")

    def stats(self):
        return self.get("/stats")

    def set(self, events=200, pace_ms=0, delay_ms=0):
        self.get(f"/control?events={events}&pace-ms={pace_ms}&delay-ms={delay_ms}")


def to_arguments(options):
    """{"body_bytes": 5, "stream": True} as --body-bytes 5 --stream."""
    arguments = []
    for name, value in options.items():
        if value is False:
            continue
        arguments.append("--" + name.replace("_", "-"))
        if value is not True:
            arguments.append(str(value))
    return arguments


class Load:
    """A load that runs on a core; result() waits for its end."""

    def __init__(self, port, key, core=None, quiet=False, **options):
        self.process = subprocess.Popen(
            [OUT / "load", "--port", str(port), "--key", key, *to_arguments(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None, preexec_fn=pinned(core))

    def result(self):
        """The line of JSON; with hold=True the connections are open from here until end()."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"load ended with {self.process.wait()}")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def run_load(port, key, core=None, quiet=False, **options):
    load = Load(port, key, core, quiet, **options)
    try:
        return load.result()
    finally:
        load.end()
