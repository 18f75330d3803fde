"""Clients and upstreams that mean harm, thousands of them in one thread (asyncio).

The upstream misbehaves as the path of its base URL says (KINDS); each kind is a provider and a model
of that name. Attack runs the clients against a weir and notes what became of each.
"""

import asyncio
import contextlib
import json
import random
import re
import socket
import struct
import time
from dataclasses import dataclass, field

from support import answers

HEAD_BYTES = 1 << 20
BUFFER_BYTES = 4096  # of the kernel, for what nobody reads
USER = re.compile(rb'"user": ?"([^"]*)"')
LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.I)

STREAM_HEAD = answers.head(200, [answers.CONTENT_EVENTS, answers.CHUNKED])
SMALL_EVENT = answers.chunk(answers.event(answers.delta("word")))
LARGE_EVENTS = answers.event(answers.delta("x" * 1000)) * 60
WHOLE = b"".join(answers.chat())


class Answering(asyncio.Protocol):
    """A connection of weir's to the upstream: takes one request and misbehaves as its path says."""

    def __init__(self, upstream):
        self.upstream, self.received, self.user, self.task = upstream, b"", None, None
        self.may_write = asyncio.Event()
        self.may_write.set()

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=0)

    def data_received(self, data):
        self.received += data
        head, is_whole, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not is_whole or len(body) < (int(length[1]) if length else 0):
            return
        user = USER.search(body)
        self.user, self.received = user[1].decode() if user else None, b""
        kind = head.split(b" ", 2)[1].split(b"/")[1].decode()
        self.task = asyncio.ensure_future(KINDS[kind](self))

    def pause_writing(self):
        self.may_write.clear()

    def resume_writing(self):
        self.may_write.set()

    def connection_lost(self, _):
        self.upstream.closed_at[self.user] = time.monotonic()
        if self.task:
            self.task.cancel()

    async def flood(self):
        """Events without end, as fast as they are taken."""
        self.transport.write(STREAM_HEAD)
        while True:
            await self.may_write.wait()
            self.transport.write(answers.chunk(self.upstream.flood))
            self.upstream.flooded_bytes += len(self.upstream.flood)
            await asyncio.sleep(0)

    async def pace(self):
        """A good stream without end."""
        self.transport.write(STREAM_HEAD)
        while True:
            self.transport.write(SMALL_EVENT)
            await asyncio.sleep(1)

    async def say_nothing(self):
        pass

    async def drip(self, at_once, rest):
        self.transport.write(at_once)
        for byte in rest:
            await asyncio.sleep(1)
            self.transport.write(bytes([byte]))

    async def drip_head(self):
        await self.drip(b"", WHOLE)

    async def drip_body(self):
        head_bytes = WHOLE.index(b"\r\n\r\n") + 4
        await self.drip(WHOLE[:head_bytes], WHOLE[head_bytes:])

    async def drip_events(self):
        await self.drip(STREAM_HEAD + SMALL_EVENT, SMALL_EVENT)

    async def send_large_head(self):
        lines = b"".join(b"x-%d: %s\r\n" % (n, b"y" * 1000) for n in range(HEAD_BYTES // 1000))
        self.transport.write(b"HTTP/1.1 200 OK\r\n" + lines + b"content-length: 0\r\n\r\n")


KINDS = {
    "flood": Answering.flood, "pace": Answering.pace, "mute": Answering.say_nothing,
    "drip-head": Answering.drip_head, "drip-body": Answering.drip_body,
    "drip-events": Answering.drip_events, "large-head": Answering.send_large_head,
}


class HostileUpstream:
    """Listens from the beginning; serves inside `async with`."""

    def __init__(self, flood=LARGE_EVENTS):
        self.flood = flood
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * BUFFER_BYTES)
        self.flooded_bytes = 0
        self.closed_at = {}  # by the user of the request

    def providers(self, **settings):
        port = self.listener.getsockname()[1]
        return {kind: {"dialect": "openai", "api_key": "k",
                       "base_url": f"http://127.0.0.1:{port}/{kind}/v1", **settings}
                for kind in KINDS}

    async def __aenter__(self):
        self.server = await asyncio.get_running_loop().create_server(
            lambda: Answering(self), sock=self.listener, backlog=4096)
        return self

    async def __aexit__(self, *_):
        self.server.close()


@dataclass
class Outcome:
    status: int
    is_done: bool  # the stream's own end came
    elapsed_s: float


@dataclass
class Attack:
    """The clients, which go on until stop()."""

    port: int
    key: str
    unread: list = field(default_factory=list)  # connections that nobody reads
    gone_at: dict = field(default_factory=dict)  # when the client of that user vanished
    outcomes: dict = field(default_factory=dict)  # of each kind of ask_again()
    tasks: list = field(default_factory=list)
    asked: int = 0

    def request(self, kind, stream):
        self.asked += 1
        user = f"u{self.asked}"
        body = json.dumps({"model": kind, "user": user, "stream": stream,
                           "messages": [{"role": "user", "content": "Hi"}]}).encode()
        return user, (b"POST /v1/chat/completions HTTP/1.1\r\nHost: weir.test\r\n"
                      b"Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
                      b"Connection: close\r\nContent-Length: %d\r\n\r\n"
                      % (self.key.encode(), len(body))) + body

    async def send(self, kind, stream, buffer_bytes=0):
        """A connection on which the request was sent, and the request's user."""
        sock = socket.socket()
        if buffer_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        sock.setblocking(False)
        user, data = self.request(kind, stream)
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(sock, ("127.0.0.1", self.port))
            await loop.sock_sendall(sock, data)
        except BaseException:
            sock.close()
            raise
        return sock, user

    async def read_nothing(self, count):
        """Clients that ask for a stream and read none of it."""
        for _ in range(count):
            self.unread.append((await self.send("flood", True, BUFFER_BYTES))[0])

    def start(self, coroutine):
        self.tasks.append(asyncio.ensure_future(coroutine))

    def vanish_again(self, count, life_s):
        """Clients that vanish after the first event, each soon followed by another."""
        for _ in range(count):
            self.start(self.vanish(life_s))

    async def vanish(self, life_s):
        loop, linger = asyncio.get_running_loop(), struct.pack("ii", 1, 0)
        await asyncio.sleep(random.uniform(0, life_s))
        while True:
            sock, user = await self.send("pace", True)
            with contextlib.closing(sock):
                seen = b""
                while b"data:" not in seen:
                    data = await loop.sock_recv(sock, 4096)
                    assert data, f"no event in {seen}"
                    seen += data
                await asyncio.sleep(random.uniform(0, 2 * life_s))
                if self.asked % 2:  # a reset, not an end
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.gone_at[user] = time.monotonic()

    def ask_again(self, kind, stream, count):
        """Clients of a bad upstream that wait for its answer, and then ask again."""
        self.outcomes[kind, stream] = []
        for _ in range(count):
            self.start(self.ask(kind, stream))

    async def ask(self, kind, stream):
        loop = asyncio.get_running_loop()
        while True:
            started = time.monotonic()
            sock, _ = await self.send(kind, stream)
            answer = b""
            with contextlib.closing(sock):
                while data := await loop.sock_recv(sock, 65536):
                    answer += data
            self.outcomes[kind, stream].append(
                Outcome(int(answer.split(b" ", 2)[1]), b"[DONE]" in answer,
                        time.monotonic() - started))
            await asyncio.sleep(0.5)

    def failures(self):
        """What ended a client that was to go on."""
        return [task.exception() for task in self.tasks if task.done() and not task.cancelled()]

    async def stop(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for sock in self.unread:
            sock.close()


async def until_flood_stands_still(upstream, for_s=1.0, within_s=20):
    """Waits until nothing more is read from the upstream of the clients that read nothing."""
    deadline = time.monotonic() + within_s
    before = -1
    while before != upstream.flooded_bytes:
        assert time.monotonic() < deadline, "weir reads on for clients that read nothing"
        before = upstream.flooded_bytes
        await asyncio.sleep(for_s)


async def closing_times(upstream, attack, within_s=2.0):
    """How long after a client vanished its upstream connection was closed, of each."""
    deadline = time.monotonic() + within_s
    gone = dict(attack.gone_at)
    while time.monotonic() < deadline and not gone.keys() <= upstream.closed_at.keys():
        await asyncio.sleep(0.05)
    return [upstream.closed_at.get(user, float("inf")) - at for user, at in gone.items()]
