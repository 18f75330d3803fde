"""A scriptable upstream: everything a provider's server can do, and everything it can do wrong.

Raw sockets and one thread per connection, so that a script decides over each byte and each pause.
An answer is an iterable of steps, or a function of the request that gives one:

    bytes            sent as they are, in one piece
    Pause(seconds)   nothing is sent for so long
    Gate(event)      nothing is sent until the test sets the event
    Dribble(...)     bytes in small pieces
    Close()          the connection ends with FIN
    Goodbye()        under TLS: the closure alert, then FIN
    Reset()          the connection ends with RST

A peer that closes ends any step at once and is recorded. After the last step the connection is
kept for the next request. tests/support/answers.py makes answers.

Every request is recorded as it was received; what is not strictly valid HTTP/1.1 is a fault, and
the fixtures fail a test that leaves one behind.
"""

import re
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass

from support import answers

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*\Z")


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Gate:
    event: threading.Event


@dataclass(frozen=True)
class Dribble:
    data: bytes
    size: int = 1
    gap_s: float = 0.0


@dataclass(frozen=True)
class Close:
    pass


@dataclass(frozen=True)
class Goodbye:
    pass


@dataclass(frozen=True)
class Reset:
    pass


@dataclass
class Behaviour:
    """What connections do beside answering."""

    on_accept: str = "read"  # or "close", "reset", "ignore" (accept and never read)
    on_reuse: str = "answer"  # or "reset_unread", "close_read", "close_after_a_byte"
    close_after_requests: int = 0  # without announcing it; 0 never
    idle_close_s: float = 0.0  # 0 never
    send_buffer_bytes: int = 0  # the kernel's choice
    reads_after_s: float = 0.0  # how long a connection waits, after its handshake, before it reads


@dataclass
class Request:
    raw: bytes
    method: str
    target: str
    headers: list  # of (name, value), as received
    body: bytes
    connection: "Connection"
    number: int  # on its connection, from 1
    received_at: float

    def header(self, name):
        """The value of a header that may stand at most once, or None."""
        values = self.header_values(name)
        assert len(values) <= 1, f"{name} stands {len(values)} times"
        return values[0] if values else None

    def header_values(self, name):
        return [value for each, value in self.headers if each.lower() == name.lower()]

    def header_names(self):
        return sorted({name.lower() for name, _ in self.headers})


class PeerGone(Exception):
    pass


class Fault(Exception):
    """The peer broke HTTP/1.1."""


class Connection:
    def __init__(self, upstream, sock, number):
        self.upstream = upstream
        self.sock = sock
        self.number = number
        self.received = bytearray()
        self.unread = bytearray()
        self.bytes_sent = 0
        self.opened_at = time.monotonic()
        self.requests = []
        self.peer_closed = threading.Event()
        self.peer_closed_at = None
        self.server_name = None

    # Reading

    def _receive(self, timeout_s=None):
        """More bytes, or PeerGone; None after timeout_s without any."""
        self.sock.settimeout(timeout_s)
        try:
            data = self.sock.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return None
        except (OSError, ValueError):
            data = b""
        if not data:
            self._peer_is_gone()
        self.unread += data
        self.received += data
        return data

    def _peer_is_gone(self):
        if not self.peer_closed.is_set():
            self.peer_closed_at = time.monotonic()
            self.peer_closed.set()
        raise PeerGone

    def _read_until(self, mark, limit):
        while mark not in self.unread:
            if len(self.unread) > limit:
                raise Fault(f"no {mark!r} within {limit} bytes")
            self._receive()
        at = self.unread.index(mark)
        piece = bytes(self.unread[:at])
        del self.unread[:at + len(mark)]
        return piece

    def _read_exactly(self, size):
        while len(self.unread) < size:
            self._receive()
        piece = bytes(self.unread[:size])
        del self.unread[:size]
        return piece

    def read_request(self):
        start = len(self.received) - len(self.unread)
        head = self._read_until(b"\r\n\r\n", 1 << 20)
        method, target, headers = parse_request_head(head)
        lengths = [v for n, v in headers if n.lower() == "content-length"]
        codings = [v for n, v in headers if n.lower() == "transfer-encoding"]
        if len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
            raise Fault(f"ambiguous framing: {lengths} {codings}")
        if any(n.lower() == "expect" for n, _ in headers):
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = b""
        if codings:
            if codings[0].lower() != "chunked":
                raise Fault(f"transfer-encoding {codings[0]}")
            body = self._read_chunked()
        elif lengths:
            if not re.fullmatch(r"[0-9]+", lengths[0]):
                raise Fault(f"content-length {lengths[0]}")
            body = self._read_exactly(int(lengths[0]))
        end = len(self.received) - len(self.unread)
        request = Request(bytes(self.received[start:end]), method, target, headers, body, self,
                          len(self.requests) + 1, time.monotonic())
        self.requests.append(request)
        return request

    def _read_chunked(self):
        body = []
        while True:
            line = self._read_until(b"\r\n", 1024)
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", line):
                raise Fault(f"chunk size {line!r}")
            size = int(line, 16)
            if size:
                body.append(self._read_exactly(size))
            if self._read_exactly(2) != b"\r\n":
                raise Fault("no CRLF after a chunk")
            if size == 0:
                return b"".join(body)

    # Answering

    def send(self, data):
        view = memoryview(data)
        self.sock.settimeout(None)
        try:
            while view:
                sent = self.sock.send(view[:65536])
                self.bytes_sent += sent
                view = view[sent:]
        except (OSError, ValueError):
            self._peer_is_gone()

    def wait(self, seconds, event=None):
        """Lets time pass until the event is set; PeerGone as soon as the peer closes."""
        deadline = time.monotonic() + seconds
        poll = select.poll()
        poll.register(self.sock.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        while not (event and event.is_set()):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            if poll.poll(min(left, 0.01 if event else left) * 1000):
                self._peer_is_gone()

    def perform(self, steps):
        """Performs the steps; returns whether the connection is kept."""
        for step in steps:
            match step:
                case bytes() | bytearray():
                    self.send(step)
                case Pause(seconds):
                    self.wait(seconds)
                case Gate(event):
                    self.wait(60, event)
                case Dribble(data, size, gap_s):
                    for at in range(0, len(data), size):
                        self.send(data[at:at + size])
                        if gap_s:
                            self.wait(gap_s)
                case Close():
                    return False
                case Goodbye():
                    self.sock.settimeout(2)
                    self.sock.unwrap()
                    return False
                case Reset():
                    self.reset()
                    return False
                case _:
                    raise TypeError(f"no such step: {step!r}")
        return True

    def reset(self):
        """Ends the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.sock.close()

    # The life of a connection

    def run(self):
        try:
            if self._welcome():
                self._serve()
        except PeerGone:
            pass
        except Fault as fault:
            self.upstream.faults.append(f"connection {self.number}: {fault}")
        except (OSError, ssl.SSLError):
            pass
        finally:
            self.close()
            self.upstream._connection_ended(self)

    def _welcome(self):
        behaviour = self.upstream.behaviour
        if behaviour.on_accept == "reset":
            self.reset()
            return False
        if behaviour.on_accept == "close":
            return False
        if behaviour.on_accept == "ignore":
            self.wait(120)
            return False
        if self.upstream.tls is not None:
            self.sock = self.upstream.tls.wrap_socket(self.sock, server_side=True)
        self.wait(behaviour.reads_after_s)
        return True

    def _serve(self):
        while True:
            behaviour = self.upstream.behaviour
            if self.requests and not self._next_request_is_wanted(behaviour):
                return
            request = self.read_request()
            if request.number > 1 and behaviour.on_reuse in ("close_read", "close_after_a_byte"):
                self.upstream._record(request)
                if behaviour.on_reuse == "close_after_a_byte":
                    self.send(b"H")
                return
            self.upstream._record(request)
            if not self.perform(self.upstream._answer_to(request)):
                return
            if 0 < behaviour.close_after_requests <= len(self.requests):
                return

    def _next_request_is_wanted(self, behaviour):
        if behaviour.on_reuse == "reset_unread":
            poll = select.poll()
            poll.register(self.sock.fileno(), select.POLLIN)
            poll.poll(60_000)
            self.reset()
            return False
        if behaviour.idle_close_s and not self.unread:
            return self._receive(behaviour.idle_close_s) is not None
        return True


def parse_request_head(head):
    """Strict: what a careful server would refuse is a Fault."""
    lines = head.split(b"\r\n")
    parts = lines[0].split(b" ")
    if len(parts) != 3 or parts[2] != b"HTTP/1.1" or not TOKEN.match(parts[0]):
        raise Fault(f"request line {lines[0]!r}")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        value = value.strip(b" \t")
        if not colon or not TOKEN.match(name) or not VALUE.match(value):
            raise Fault(f"header line {line!r}")
        headers.append((name.decode(), value.decode("latin-1")))
    names = [name.lower() for name, _ in headers]
    for once in ("host", "content-length", "content-type", "authorization"):
        if names.count(once) > 1:
            raise Fault(f"{once} stands twice")
    if "host" not in names:
        raise Fault("no host")
    return parts[0].decode(), parts[1].decode("latin-1"), headers


class Upstream:
    """A listening upstream. `calls` are the POST requests received so far, oldest first."""

    def __init__(self, tls=None):
        self.tls = tls
        self.lock = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.connections = []
        self.running = set()
        self.faults = []
        self.stopping = False
        self.reset()
        self.acceptor = threading.Thread(target=self._accept, daemon=True)
        self.acceptor.start()

    @property
    def base_url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v1"

    def reset(self):
        """Forgets scripts and records; open connections stay."""
        with self.lock:
            self.behaviour = Behaviour()
            self.requests = []
            self.queue = deque()
            self.default = answers.chat()
            self.models = answers.models("wild-one", "wild-two", "tame")
            self.faults.clear()

    def answer(self, *scripts):
        """The next calls are answered by these, in this order; the ones after by the default."""
        with self.lock:
            self.queue.extend(scripts)

    def answer_always(self, script):
        with self.lock:
            self.queue.clear()
            self.default = script

    @property
    def calls(self):
        with self.lock:
            return [request for request in self.requests if request.method == "POST"]

    @property
    def call(self):
        """The one call received."""
        calls = self.calls
        assert len(calls) == 1, f"{len(calls)} calls instead of one"
        return calls[0]

    def wait_for_calls(self, count=1, within_s=10):
        """Returns the calls once there are so many."""
        deadline = time.monotonic() + within_s
        with self.lock:
            while sum(request.method == "POST" for request in self.requests) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"fewer than {count} calls within {within_s} s"
                self.lock.wait(left)
        return self.calls

    def open_connections(self):
        with self.lock:
            return [each for each in self.connections if each in self.running]

    def stop(self):
        self.stopping = True
        self.listener.close()
        self.acceptor.join(5)
        with self.lock:
            running = list(self.running)
        for connection in running:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for connection in running:
            connection.thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _accept(self):
        poll = select.poll()
        poll.register(self.listener.fileno(), select.POLLIN)
        while not self.stopping:
            try:
                if not poll.poll(50):
                    continue
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.behaviour.send_buffer_bytes:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF,
                                self.behaviour.send_buffer_bytes)
            with self.lock:
                connection = Connection(self, sock, len(self.connections) + 1)
                self.connections.append(connection)
                self.running.add(connection)
                connection.thread = threading.Thread(target=connection.run, daemon=True)
            connection.thread.start()

    def _connection_ended(self, connection):
        with self.lock:
            self.running.discard(connection)

    def _record(self, request):
        with self.lock:
            self.requests.append(request)
            self.lock.notify_all()

    def _answer_to(self, request):
        with self.lock:
            if request.method == "GET" and request.target.endswith("/models"):
                script = self.models
            else:
                script = self.queue.popleft() if self.queue else self.default
        return script(request) if callable(script) else script


class BlackHole:
    """An address that answers no SYN: a listener whose queue is full."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.port = self.listener.getsockname()[1]
        self.fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for filler in self.fillers:
            filler.close()
        self.listener.close()
