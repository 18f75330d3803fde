"""Runs the program under test: writes its configuration, starts it, calls it, reads what it says.

WEIR_BINARY names the program; build/weir of this tree by default.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from support import wire
from support.process import end_with_parent
from support.upstream import Upstream

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("WEIR_BINARY", ROOT / "build" / "weir")).absolute()

PROVIDER_KEY = "sk-provider-secret-7f3a"
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|SUMMARY: \w+Sanitizer"
                       r"|runtime error:|assertion failed")

# A build with a sanitizer holds more memory than it uses.
SANITIZED = BINARY.exists() and any(mark in BINARY.read_bytes() for mark in (b"__asan_", b"__tsan_"))


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_until(condition, within_s=10, what="the condition"):
    """Asks again every few milliseconds; returns the first answer that is true."""
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what} did not come within {within_s} s"
        time.sleep(0.01)
    return answer


def clean_environment(**more):
    """The environment without what changes weir's behaviour."""
    kept = {name: value for name, value in os.environ.items()
            if not name.upper().startswith("WEIR_") and not name.upper().endswith("_PROXY")
            and name != "OPENAI_API_KEY"}
    return kept | {"NO_COLOR": "1"} | more


def merge(base, over):
    """A copy of nested maps in which `over` wins."""
    merged = dict(base)
    for name, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = merge(merged[name], value) if both else value
    return merged


def to_yaml(value, indent=0):
    """Maps in block style, what is inside lists in flow style, as people write configurations."""
    lines = []
    for name, each in value.items():
        if isinstance(each, dict) and each:
            lines.append(f"{' ' * indent}{name}:")
            lines.append(to_yaml(each, indent + 2))
        else:
            lines.append(f"{' ' * indent}{name}: {json.dumps(each)}")
    return "\n".join(lines)


class Weir:
    """One `weir serve` with a configuration and a data directory of its own."""

    def __init__(self, folder, config, environment=None, arguments=(), plain_port=None):
        self.folder = Path(folder)
        self.port = plain_port or free_port()
        self.admin_port = free_port()
        self.config = merge({"listen": f"127.0.0.1:{self.port}",
                             "admin": {"listen": f"127.0.0.1:{self.admin_port}"},
                             "data_dir": str(self.folder / "data"),
                             "timeouts": {"linger": "10ms"}}, config)
        self.environment = clean_environment(**(environment or {}))
        self.arguments = list(arguments)
        self.config_path = self.folder / "weir.yaml"
        self.stderr_path = self.folder / "stderr"
        self.stdout_path = self.folder / "stdout"
        self.data_dir = self.folder / "data"
        self.process = None
        self.tls = None
        self.write_config(self.config)

    # Starting and stopping

    def write_config(self, config):
        self.config_path.write_text(config if isinstance(config, str) else to_yaml(config) + "\n")

    def spawn(self):
        """Starts the program without waiting until it serves."""
        with open(self.stderr_path, "ab") as stderr, open(self.stdout_path, "ab") as stdout:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--config", self.config_path, *self.arguments],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=stdout, stderr=stderr, start_new_session=True,
                preexec_fn=end_with_parent)

    def start(self, within_s=20):
        self.spawn()
        wait_until(self.is_ready, within_s, "a ready weir")
        wait_until((self.data_dir / "admin.sock").exists, 5, "the admin socket")
        return self

    def is_ready(self):
        assert self.process.poll() is None, \
            f"weir ended with {self.process.returncode}: {self.stderr()[-2000:]}"
        try:
            return self.get("/readyz").status == 200
        except (OSError, wire.EndOfStream):
            return False

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def send_signal(self, number):
        os.kill(self.process.pid, number)

    def wait(self, within_s=20):
        return self.process.wait(within_s)

    def stop(self, number=signal.SIGTERM, within_s=30):
        """Stops the program as its users do, and looks at what it leaves behind."""
        if self.process is None:
            return
        if self.is_alive():
            self.send_signal(number)
        try:
            code = self.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"weir did not stop within {within_s} s") from None
        finally:
            self.process = None
        said = self.stderr()
        report = SANITIZER.search(said)
        assert not report, said[max(0, report.start() - 200):report.start() + 4000]
        assert code == 0, f"weir ended with {code}: {said[-2000:]}"

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()

    # What it says

    def stderr(self):
        return self.stderr_path.read_text(errors="replace") if self.stderr_path.exists() else ""

    def stdout(self):
        return self.stdout_path.read_text(errors="replace") if self.stdout_path.exists() else ""

    def log_lines(self):
        """The complete lines so far, each of which must be a JSON object."""
        text = self.stderr()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()
                if line.startswith("{")]

    def wait_for_log(self, wanted, within_s=5):
        """The first line that `wanted` is true of."""
        return wait_until(lambda: next(filter(wanted, self.log_lines()), None), within_s,
                          "the log line")

    def access_line(self, response, within_s=5):
        """The access line of this answer."""
        request_id = response.header("x-request-id")
        assert request_id, "no x-request-id"
        return self.wait_for_log(lambda line: is_access_line(line) and
                                 log_field(line, "http.request.id") == request_id, within_s)

    def metrics(self):
        """The metrics as {(name, labels as a frozenset): value}."""
        from prometheus_client.parser import text_string_to_metric_families
        response = wire.exchange(self.admin_port, wire.request("GET", "/metrics"), "GET")
        assert response.status == 200, response
        return {(sample.name, frozenset(sample.labels.items())): sample.value
                for family in text_string_to_metric_families(response.body.decode())
                for sample in family.samples}

    def has_grown(self, since_bytes, allowed_bytes):
        """Whether resident memory grew by more than allowed; a sanitizer's build may do more."""
        return self.resident_bytes() - since_bytes > allowed_bytes * (40 if SANITIZED else 1)

    def resident_bytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    # Calling it

    def connect(self, **options):
        return wire.Wire(self.port, tls=self.tls, **options)

    def send(self, data, method="POST", **options):
        return wire.exchange(self.port, data, method, tls=self.tls, **options)

    def get(self, path, key=None, headers=(), method="GET"):
        return self.send(wire.request(method, path, key=key, headers=headers), method)

    def post(self, path, body, key=None, headers=()):
        return self.send(wire.request("POST", path, body, key, headers))

    # Its commands

    def run(self, *arguments, code=0, stdin=None):
        """Runs a command on this configuration; `code` is the exit code that it must have."""
        return run_weir(*arguments, "--config", str(self.config_path), code=code, stdin=stdin,
                        cwd=self.folder, environment=self.environment)

    def run_json(self, *arguments, **options):
        return json.loads(self.run(*arguments, "--json", **options).stdout)

    def create_key(self, user, *arguments, **options):
        """Creates a key and, where it is new, its user."""
        if user not in [each["name"] for each in self.run_json("users", "list")]:
            self.run("users", "create", user)
        return self.run_json("keys", "create", "--user", user, *arguments, **options)


def run_weir(*arguments, code=0, stdin=None, cwd=None, environment=None):
    done = subprocess.run([BINARY, *arguments], cwd=cwd, env=environment or clean_environment(),
                          input=stdin if stdin is not None else "", text=True, timeout=30,
                          capture_output=True)
    said = f"{done.args[1:]} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    assert not SANITIZER.search(done.stderr), said
    assert code is None or done.returncode == code, said
    return done


def log_field(line, name):
    """A field by its dotted name, whether the line nests it or not."""
    if name in line:
        return line[name]
    for part in name.split("."):
        if not isinstance(line, dict) or part not in line:
            return None
        line = line[part]
    return line


def is_access_line(line):
    return log_field(line, "http.response.status_code") is not None and \
        log_field(line, "url.path") is not None


class Gateway:
    """A weir, the scripted upstream behind it, and a key."""

    live = []  # those that run, so that each test begins with a clean upstream

    def __init__(self, folder, config=None, upstream=None, **options):
        self.upstream = upstream or Upstream()
        self.weir = Weir(folder, merge(standard_config(self.upstream.base_url), config or {}),
                         **options)
        self.key = None

    def __enter__(self):
        try:
            self.weir.start()
            self.key = self.weir.create_key("tester")["key"]
        except BaseException:
            self.weir.kill()
            self.upstream.stop()
            raise
        Gateway.live.append(self)
        return self

    def __exit__(self, *_):
        Gateway.live.remove(self)
        try:
            self.weir.stop()
        finally:
            self.weir.kill()
            self.upstream.stop()

    def restart_if_dead(self):
        if not self.weir.is_alive():
            self.weir.start()

    # The calls that most tests make

    def ask(self, body=None, path="/v1/chat/completions", headers=(), key=None, **members):
        """A chat request, by default a small one; members are added to it."""
        if body is None:
            body = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]} | members
        return self.weir.post(path, body, key or self.key, headers)

    def stream(self, path="/v1/chat/completions", **members):
        """A streamed chat request, read to its end."""
        return self.ask(path=path, stream=True, **members)

    def request(self, headers=(), path="/v1/chat/completions", **members):
        """The bytes of such a request."""
        body = {"model": "gpt-test", "messages": [{"role": "user", "content": "Hi"}]} | members
        return wire.request("POST", path, body, self.key, headers)

    @contextlib.contextmanager
    def open_stream(self, path="/v1/chat/completions", **members):
        """A streamed request whose head has come; closed at the end."""
        with self.weir.connect() as connection:
            connection.send(self.request(path=path, stream=True, **members))
            yield wire.Stream(connection)


def standard_config(base_url):
    return {
        "workers": 2,
        "providers": {"main": {"dialect": "openai", "base_url": base_url,
                               "api_key": PROVIDER_KEY}},
        "models": [{"name": "gpt-test", "targets": ["main"]},
                   {"name": "gpt-3.5-turbo", "targets": ["main"]},
                   {"name": "renamed", "targets": [{"provider": "main", "model": "other-name"}]},
                   {"name": "wild-*", "targets": ["main"]}],
    }


def in_background(function):
    """Runs it in a thread; the returned function waits for the end and gives its result."""
    result = []

    def run():
        try:
            result.append((function(), None))
        except BaseException as failure:  # handed to whoever waits
            result.append((None, failure))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def wait(within_s=20):
        thread.join(within_s)
        assert result, f"still running after {within_s} s"
        if result[0][1]:
            raise result[0][1]
        return result[0][0]

    return wait
