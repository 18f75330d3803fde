"""Clients that ask all the time and note what came back, with the provider behind weir.

Everything here runs in a thread of its own; the test's thread starts, kills and harms weir.
"""

import asyncio
import contextlib
import itertools
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass

from fault.provider import Provider

MODEL = "gpt-test"
REFUSED_MODEL = "nobody-has-this"
CHUNK_LINE_MAX = 32
ANSWER_S = 90  # a client waits so long for the next byte


@dataclass
class Request:
    """What a client knows of a request of its own."""

    id: str
    life: int
    do: str
    stream: bool
    sent_at: float
    metadata: str = None
    weir_id: str = None  # weir's own, from the head of its answer
    status: int = 0  # 0: no head came
    is_whole: bool = False  # the last byte came
    has_vanished: bool = False  # the client closed before that
    error: str = None  # the code of an error that came
    retry_after: str = None
    ended_at: float = None
    events: int = 0


class Client:
    """One connection after another, one request at a time."""

    def __init__(self, load, dice):
        self.load, self.dice = load, dice
        self.reader = self.writer = None

    async def run(self):
        while not self.load.is_stopping:
            await self.load.serving.wait()
            try:
                await self.open()
                while self.load.serving.is_set() and self.dice.random() > 0.05:
                    if not await self.ask():
                        break
                    if self.load.pause_s:
                        await asyncio.sleep(self.dice.uniform(0, 2 * self.load.pause_s))
            except (OSError, EOFError, asyncio.IncompleteReadError, TimeoutError):
                await asyncio.sleep(0.005)
            finally:
                self.close()

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.load.port)
        self.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self, resets=False):
        if self.writer is None:
            return
        if resets:
            sock = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        self.writer.close()
        self.writer = None

    async def ask(self):
        """One request and its answer. False: the connection is used up."""
        plan, vanishes_after = self.load.plan(self.dice)
        request = self.load.begin(plan)
        try:
            self.writer.write(self.load.bytes_of(request, plan))
            async with asyncio.timeout(ANSWER_S):
                is_kept = await self.read_answer(request, vanishes_after)
            return is_kept
        except TimeoutError:
            self.load.complaints.append(f"{request.id}: no answer within {ANSWER_S} s")
            raise
        finally:
            self.load.end(request)

    async def read_answer(self, request, vanishes_after):
        status, headers = await self.read_head()
        request.status, request.weir_id = status, headers.get("x-request-id")
        request.retry_after = headers.get("retry-after")
        if headers.get("transfer-encoding") == "chunked":
            body = await self.read_chunks(request, vanishes_after)
        else:
            body = await self.reader.readexactly(int(headers["content-length"]))
        if request.has_vanished:
            return False
        request.is_whole = not (request.stream and status == 200) or body.endswith(
            b"data: [DONE]\n\n")
        if request.is_whole and status == 200 and self.load.when_whole:
            self.load.when_whole(request)
        if status != 200:
            request.error = json.loads(body)["error"]["code"]
        return headers.get("connection") != "close"

    async def read_head(self):
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split(" ")[1]), headers

    async def read_chunks(self, request, vanishes_after):
        body = b""
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            body += (await self.reader.readexactly(size + 2))[:size]
            request.events += 1
            if size == 0:
                return body
            if vanishes_after and request.events >= vanishes_after:
                request.has_vanished = True
                self.close(resets=self.dice.random() < 0.5)
                return body


class Load:
    """The clients of a weir on `port`. Between start() and stop() they ask while they may."""

    # What is asked, and how often: (do, stream, weight).
    MIX = [("whole", False, 8), ("chunked", False, 2), ("stream", True, 6), ("vanish", True, 2),
           ("broken", True, 1), ("failed", False, 1), ("refused", False, 1), ("long", False, 1)]

    EVENTS = (1, 8)  # of a stream

    def __init__(self, port, clients, seed, pause_s=0.0, gap_s=0.008):
        self.port, self.key, self.client_count = port, None, clients
        self.dice = random.Random(seed)
        self.pause_s, self.gap_s = pause_s, gap_s
        self.provider = Provider()
        self.requests = []  # in the order of their beginning
        self.life = 0
        self.in_flight = 0
        self.when_whole = None  # called as soon as a client has a whole good answer
        self.complaints = []  # what no client may see
        self.is_stopping = False
        self.numbers = itertools.count(1)
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True)
        self.has_begun = threading.Event()

    # The test's thread

    def __enter__(self):
        self.thread.start()
        assert self.has_begun.wait(10)
        return self

    def __exit__(self, *_):
        self.is_stopping = True
        self.call(self.stopped.set)
        self.thread.join(20)

    def call(self, function):
        self.loop.call_soon_threadsafe(function)

    def resume(self):
        """The clients may ask."""
        self.call(self.serving.set)

    def begin_life(self):
        """What is asked from now on is asked of another process."""
        self.life += 1
        self.resume()

    def pause(self, within_s=10):
        """No more is asked; returns when every answer has ended."""
        is_paused = threading.Event()
        self.call(lambda: (self.serving.clear(), is_paused.set()))
        is_paused.wait(5)
        deadline = time.monotonic() + within_s
        while self.in_flight:
            assert time.monotonic() < deadline, f"{self.in_flight} requests do not end"
            time.sleep(0.002)

    def ended(self, since=0):
        """The requests from that place on that have ended."""
        return [each for each in self.requests[since:] if each.ended_at]

    def count(self, since=0):
        """How often what came of the requests from that place on."""
        return Counter(each.error or each.status for each in self.ended(since))

    # The load's own

    async def run(self):
        self.loop = asyncio.get_running_loop()
        self.serving, self.stopped = asyncio.Event(), asyncio.Event()
        async with self.provider.serve():
            clients = [asyncio.ensure_future(Client(self, random.Random(self.dice.random())).run())
                       for _ in range(self.client_count)]
            self.has_begun.set()
            await self.stopped.wait()
            for each in clients:
                each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*clients, return_exceptions=True)

    def plan(self, dice):
        """What the next request does, and after how many chunks its client vanishes (0: never)."""
        do, stream, _ = dice.choices(self.MIX, [weight for *_, weight in self.MIX])[0]
        plan = {"do": do, "stream": stream, "events": dice.randint(*self.EVENTS),
                "pause_s": dice.choice([0, dice.uniform(0, self.gap_s)])}
        return plan, dice.randint(1, plan["events"]) if do == "vanish" else 0

    def begin(self, plan):
        request = Request(f"r{next(self.numbers)}", self.life, plan["do"], plan["stream"],
                          time.time(), self.metadata())
        self.in_flight += 1
        self.requests.append(request)
        return request

    def metadata(self):
        """Half of the requests have some, up to what is allowed, so that records differ in size."""
        size = self.dice.choice([0, self.dice.randint(1, 1000)])
        return json.dumps({"project": "p" * size}) if size else None

    def end(self, request):
        self.in_flight -= 1
        request.ended_at = time.time()

    def bytes_of(self, request, plan):
        do = {"vanish": "stream", "refused": "whole"}.get(plan["do"], plan["do"])
        message = json.dumps(plan | {"do": do})
        body = json.dumps({
            "model": REFUSED_MODEL if plan["do"] == "refused" else MODEL, "user": request.id,
            "messages": [{"role": "user", "content": message}], "stream": plan["stream"]}).encode()
        metadata = b"x-weir-metadata: %s\r\n" % request.metadata.encode() \
            if request.metadata else b""
        return (b"POST /v1/chat/completions HTTP/1.1\r\nhost: weir.test\r\n"
                b"authorization: Bearer %s\r\nx-request-id: %s\r\n%s"
                b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
                % (self.key.encode(), request.id.encode(), metadata, len(body))) + body
