"""The gateways that are compared: their configuration, starting and stopping them."""

import contextlib
import json
import os
import subprocess
import time
from pathlib import Path

import machine
import manykeys
from programs import ROOT, free_port, pinned, run_load

WEIR_BINARY = Path(os.environ.get("WEIR_BINARY", ROOT / "build" / "weir")).absolute()
BARE_BINARY = ROOT / "build" / "release" / "weir-bare"
READY_WITHIN_S = 30
# Out of reach, but each is looked at, taken of and settled.
RATE = "100000000req/min"
BUDGET = "1000000usd/month"


class Gateway:
    """A gateway in front of the provider. A subclass says how it is configured and started."""

    name = ""
    program = ""
    serving_threads = ""  # the figure is the CPU time of the threads whose names begin so
    every = 1  # it takes part in each round, or in every third

    def __init__(self, folder, provider_port, core=None):
        self.folder = Path(folder) / self.name
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.port, self.provider_port, self.core = free_port(), provider_port, core
        self.key = "sk-perf-0123456789abcdef"
        self.process = None

    @classmethod
    def is_installed(cls):
        return Path(cls.program).exists()

    @classmethod
    def build(cls):
        """What is to do before the first one is made."""

    def command(self):
        """Writes the configuration and returns the command."""
        raise NotImplementedError

    def prepare(self):
        """What is to do when it runs and before it is asked."""

    def start(self):
        command = [str(word) for word in self.command()]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=clean_environment(),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=pinned(self.core))
        try:
            self.prepare()
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def wait_until_ready(self):
        """Ready is what answers a request as it should."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if self.load(quiet=True, requests=1, timeout_ms=2000)["ok"] == 1:
                return
            time.sleep(0.05)
        log = (self.folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{self.name} does not answer:\n{log}")

    def stop(self):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(15)
            return
        self.process.kill()
        self.process.wait()

    def load(self, core=None, **options):
        return run_load(self.port, self.key, core, **options)

    def spent_ns(self):
        """CPU time so far: of the threads that serve, and of all others."""
        serving = others = 0
        for (_, _, name), spent in machine.thread_times(self.process.pid).items():
            if name.startswith(self.serving_threads):
                serving += spent
            else:
                others += spent
        return serving, others

    def resident_bytes(self):
        return machine.resident_bytes(self.process.pid)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path


def clean_environment():
    return {name: value for name, value in os.environ.items()
            if not name.startswith("WEIR_") and name != "OPENAI_API_KEY"
            and not name.lower().endswith("_proxy")}


class Weir(Gateway):
    """One worker, everything on: the key check, limits at three levels, budgets at two, the
    ledger, the access line (into a file), metrics.

    The model has a price; limits and budgets are such that none is ever reached. Upstream
    connections are kept as long as nginx keeps them; all else is as built in.
    """

    name = "weir"
    limits = {"team": (RATE,), "user": (RATE, BUDGET), "key": (RATE, BUDGET)}
    program = WEIR_BINARY
    serving_threads = "weir-w"
    workers = 1
    prefix = ()  # a command to run it under

    def command(self):
        path = self.write("weir.yaml", f"""\
listen: 127.0.0.1:{self.port}
admin: {{ listen: "127.0.0.1:{free_port()}" }}
data_dir: {self.folder}/data
workers: {self.workers}
timeouts: {{ idle: 600s, linger: 0s }}
providers:
  perf:
    base_url: http://127.0.0.1:{self.provider_port}/v1
    catalogue: openai
    api_key: sk-provider
    connections: {{ max: 20000, idle: 600s }}
models:
  - {{ name: "*", targets: [perf] }}
""")
        return [*self.prefix, self.program, "serve", "--config", path]

    def prepare(self):
        self.wait_for_socket()
        self.run("teams", "create", "perf", *self.options("team"))
        self.run("users", "create", "perf", "--team", "perf", *self.options("user"))
        made = self.run("keys", "create", "--user", "perf", *self.options("key"), "--json")
        self.key = json.loads(made)["key"]

    def options(self, level):
        """`--limit` and `--budget` of a level."""
        return [word for each in self.limits.get(level, ())
                for word in ("--budget" if "usd" in each else "--limit", each)]

    def wait_for_socket(self):
        socket = self.folder / "data" / "admin.sock"
        deadline = time.monotonic() + READY_WITHIN_S
        while not socket.exists() and self.process.poll() is None and \
                time.monotonic() < deadline:
            time.sleep(0.02)

    def run(self, *arguments):
        done = subprocess.run([self.program, *arguments, "--config", self.folder / "weir.yaml"],
                              env=clean_environment(), capture_output=True, text=True)
        if done.returncode != 0:
            log = (self.folder / "log").read_text(errors="replace")[-2000:]
            raise RuntimeError(f"weir {' '.join(arguments)}: {done.stderr}{log}")
        return done.stdout


class WeirWithoutLimits(Weir):
    """The same with a key that has no limits and no budgets at any level."""

    name = "weir-no-limits"
    limits = {}
    every = 3


class WeirBare(Weir):
    """weir's transport with nothing else (bare/dispatch.c): what governance is compared with."""

    name = "weir-bare"
    program = BARE_BINARY

    @classmethod
    def is_installed(cls):
        return WEIR_BINARY.exists()

    @classmethod
    def build(cls):
        subprocess.run([ROOT / "tools" / "build", "release", "--target", cls.program.name],
                       check=True, stdout=subprocess.DEVNULL)

    def prepare(self):
        """It knows no keys."""


class WeirOfKeys(Weir):
    """With so many keys, each with a user, a limit and a budget of its own, in a team with a
    limit; each request has one of them at random."""

    limits = {"team": (RATE,), "key": (RATE, BUDGET)}
    count = 0

    def start(self):
        """Its first start makes one key, of which the others are copies."""
        super().start()
        self.stop()
        self.keys = manykeys.add(self.folder / "data", self.key, self.count)
        self.prepare = self.wait_for_socket
        return super().start()

    def load(self, core=None, **options):
        keys = {"keys": self.keys} if self.keys else {}
        return super().load(core, **keys, **options)

    keys = None


class WeirOf10(WeirOfKeys):
    name, count = "weir-10-keys", 10


class WeirOf10000(WeirOfKeys):
    name, count = "weir-10,000-keys", 10_000


class WeirOf1000000(WeirOfKeys):
    name, count = "weir-1,000,000-keys", 1_000_000


class Nginx(Gateway):
    """proxy_pass and nothing else: no key check, no log. The reference."""

    name = "nginx"
    program = machine.nginx_program()

    def command(self):
        temporary = "".join(f"    {kind}_temp_path {self.folder}/{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        path = self.write("nginx.conf", f"""\
daemon off;
worker_processes 1;
pid {self.folder}/pid;
error_log {self.folder}/error.log;
events {{ worker_connections 9900; }}
http {{
{temporary}
    access_log off;
    keepalive_timeout 600s;
    keepalive_requests 1000000000;
    client_max_body_size 32m;
    client_body_buffer_size 256k;   # no request body goes to a file
    upstream provider {{
        server 127.0.0.1:{self.provider_port};
        keepalive 4096;
        keepalive_timeout 600s;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{self.port} backlog=4096;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;        # each event goes on as it comes
            proxy_buffer_size 64k;
            proxy_buffers 4 64k;
            proxy_busy_buffers_size 64k;
        }}
    }}
}}
""")
        return [self.program, "-e", self.folder / "error.log", "-c", path]


class Haproxy(Gateway):
    """Another good proxy, for orientation."""

    name = "haproxy"
    every = 3
    program = "/usr/sbin/haproxy"

    def command(self):
        path = self.write("haproxy.cfg", f"""\
global
    nbthread 1
    maxconn 9000
defaults
    mode http
    option http-no-delay
    timeout connect 5s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 600s
frontend clients
    bind 127.0.0.1:{self.port} backlog 4096
    default_backend provider
backend provider
    http-reuse always
    server provider 127.0.0.1:{self.provider_port} pool-max-conn 4096 pool-purge-delay 600s
""")
        return [self.program, "-db", "-q", "-f", path]


KINDS = {kind.name: kind for kind in (Nginx, Weir, WeirWithoutLimits, WeirBare, Haproxy)}
OF_KEYS = (WeirOf10, WeirOf10000, WeirOf1000000)
