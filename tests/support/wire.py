"""A client on a raw socket: sends exactly the bytes that a test wants, reads answers strictly.

What RFC 9112 forbids in an answer fails the test: bare LF, folded lines, both Content-Length and
Transfer-Encoding, bytes after the end of a body that nobody asked for.
"""

import json
import re
import select
import socket
import time
from dataclasses import dataclass, field

STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e]*)\Z")
HEADER_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):"
                         rb"[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\Z")


class EndOfStream(Exception):
    """The peer closed where more bytes had to come."""


@dataclass
class Response:
    status: int
    headers: list
    version: str = "1.1"
    body: bytes = b""
    interim: list = field(default_factory=list)  # statuses of the 1xx before it
    complete: bool = True  # False: the connection ended inside the body
    elapsed_s: float = 0.0

    def header(self, name):
        """The value of a header that may stand at most once, or None."""
        values = [value for each, value in self.headers if each.lower() == name.lower()]
        assert len(values) <= 1, f"{name} stands {len(values)} times: {values}"
        return values[0] if values else None

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The error of OpenAI's style, whose four members must all be there."""
        error = self.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}, error
        assert isinstance(error["message"], str) and error["message"], error
        return error

    @property
    def events(self):
        return events_of(self.body)

    def closes(self):
        return (self.header("connection") or "").lower() == "close"


def events_of(body):
    """The data of each event of a stream whose lines end with LF, CR or CRLF."""
    text = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    found = []
    for block in text.split(b"\n\n"):
        lines = [line[5:].removeprefix(b" ") for line in block.split(b"\n")
                 if line.startswith(b"data:")]
        if lines:
            found.append(b"\n".join(lines))
    return found


def request(method="POST", path="/v1/chat/completions", body=b"", key=None, headers=(),
            version="1.1"):
    """The bytes of a request as a plain client writes it; a body that is no bytes goes as JSON."""
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    named = {name.lower() for name, _ in headers}
    lines = [f"{method} {path} HTTP/{version}"]
    if "host" not in named:
        lines.append("host: weir.test")
    if key is not None:
        lines.append(f"authorization: Bearer {key}")
    if body and "content-type" not in named:
        lines.append("content-type: application/json")
    if (body or method == "POST") and not named & {"content-length", "transfer-encoding"}:
        lines.append(f"content-length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Wire:
    """One connection. Every read ends within timeout_s or fails the test."""

    def __init__(self, port, tls=None, timeout_s=15, receive_buffer_bytes=0, address="127.0.0.1"):
        self.timeout_s = timeout_s
        self.sock = socket.socket()
        if receive_buffer_bytes:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        self.sock.settimeout(timeout_s)
        self.sock.connect((address, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Ends the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def send_in_pieces(self, data, size=1, gap_s=0.0):
        for at in range(0, len(data), size):
            self.sock.sendall(data[at:at + size])
            if gap_s:
                time.sleep(gap_s)

    def finish_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    # Reading

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        except TimeoutError:
            raise AssertionError(f"no byte within {self.timeout_s} s") from None
        if not data:
            raise EndOfStream
        self.unread += data

    def _line(self):
        while b"\n" not in self.unread:
            assert len(self.unread) < 1 << 20, "a line without an end"
            self._more()
        line, _, self.unread = self.unread.partition(b"\n")
        assert line.endswith(b"\r"), f"a bare LF after {line!r}"
        return line[:-1]

    def _exactly(self, size):
        while len(self.unread) < size:
            self._more()
        data, self.unread = self.unread[:size], self.unread[size:]
        return data

    def _head(self):
        line = self._line()
        match = STATUS_LINE.match(line)
        assert match, f"status line {line!r}"
        headers = []
        while line := self._line():
            found = HEADER_LINE.match(line)
            assert found, f"header line {line!r}"
            headers.append((found[1].decode(), found[2].decode("latin-1")))
        return Response(int(match[2]), headers, "1." + match[1].decode())

    def head(self):
        """The head of the next answer, with those of 1xx before it."""
        interim = []
        while (response := self._head()).status < 200:
            interim.append(response.status)
        response.interim = interim
        return response

    def response(self, method="POST"):
        """The next answer, whole; `complete` says whether its body ended as it must."""
        started = time.monotonic()
        response = self.head()
        pieces = []
        try:
            for piece in self.body(response, method):
                pieces.append(piece)
        except EndOfStream:
            response.complete = False
        response.body = b"".join(pieces)
        response.elapsed_s = time.monotonic() - started
        return response

    def body(self, response, method="POST"):
        """The pieces of the body as they come; EndOfStream if it ends too early."""
        length, coding = response.header("content-length"), response.header("transfer-encoding")
        assert not (length and coding), "both Content-Length and Transfer-Encoding"
        if method == "HEAD" or response.status in (204, 304):
            return
        if coding:
            assert coding.lower() == "chunked" and response.version == "1.1", coding
            yield from self._chunks()
        elif length is not None:
            assert re.fullmatch("[0-9]+", length), length
            yield from self._sized(int(length))
        else:
            assert response.closes() or response.version == "1.0", "a body without an end"
            yield from self._rest()

    def _chunks(self):
        while True:
            line = self._line()
            assert re.fullmatch(rb"[0-9A-Fa-f]{1,15}", line), f"chunk size {line!r}"
            size = int(line, 16)
            yield from self._sized(size)
            end = self._exactly(2)
            assert end == b"\r\n", f"{end!r} after a chunk"
            if size == 0:
                return

    def _sized(self, size):
        while size:
            if not self.unread:
                self._more()
            piece, self.unread = self.unread[:size], self.unread[size:]
            size -= len(piece)
            yield piece

    def _rest(self):
        while True:
            try:
                if not self.unread:
                    self._more()
            except EndOfStream:
                return
            yield self.unread
            self.unread = b""

    def closed(self, within_s=5):
        """Whether the peer closes in time without sending another byte."""
        assert not self.unread, f"unexpected bytes: {self.unread[:200]!r}"
        self.sock.settimeout(within_s)
        try:
            data = self.sock.recv(4096)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        finally:
            self.sock.settimeout(self.timeout_s)
        assert not data, f"unexpected bytes: {data[:200]!r}"
        return True

    def is_silent(self, for_s):
        """Whether the peer neither sends nor closes for so long."""
        return not self.unread and not select.select([self.sock], [], [], for_s)[0]


def exchange(port, data, method="POST", **options):
    """Sends the bytes on a connection of their own and reads the one answer."""
    with Wire(port, **options) as wire:
        wire.send(data)
        return wire.response(method)


class Stream:
    """A streamed answer read as it comes."""

    def __init__(self, wire):
        self.wire = wire
        self.response = wire.head()
        self.pieces = wire.body(self.response)
        self.body = bytearray()
        self.taken = 0  # of the body

    def next_event(self):
        """The data of the next event; EndOfStream or StopIteration where there is none."""
        while True:
            end = self.body.find(b"\n\n", self.taken)
            while end < 0:
                self.body += next(self.pieces)
                end = self.body.find(b"\n\n", self.taken)
            found = events_of(bytes(self.body[self.taken:end + 2]))
            self.taken = end + 2
            if found:
                return found[0]

    def rest(self):
        """Reads to the end; returns whether the body ended as it must."""
        try:
            for piece in self.pieces:
                self.body += piece
        except EndOfStream:
            return False
        return True
