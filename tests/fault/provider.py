"""A provider that keeps a journal of the calls that it served, with figures that no other call has.

What it does with a call stands in the call's message, as JSON: {"do": one of ANSWERS, ...}. The
call is known by its member `user`, and noted once the whole request was read.
"""

import asyncio
import contextlib
import json
import re
import socket
from dataclasses import dataclass

from support import answers

LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.I)
STREAM_HEAD = answers.head(200, [answers.CONTENT_EVENTS, answers.CHUNKED])
BODY_BYTES = 400  # of an answer, beside its envelope
LONG_BYTES = 100_000  # the same


@dataclass
class Call:
    id: str
    input: int
    output: int
    cached: int
    reasoning: int
    times: int = 1  # how often the request came
    is_said: bool = False  # the last byte of a good answer was handed to the kernel

    @property
    def usage(self):
        return {"prompt_tokens": self.input, "completion_tokens": self.output,
                "total_tokens": self.input + self.output,
                "prompt_tokens_details": {"cached_tokens": self.cached},
                "completion_tokens_details": {"reasoning_tokens": self.reasoning}}


class Connection(asyncio.Protocol):
    """A connection of weir's: one request after another, each answered as it says."""

    def __init__(self, provider):
        self.provider, self.received, self.task = provider, b"", None

    def connection_made(self, transport):
        self.transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data):
        self.received += data
        head, is_whole, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        size = int(length[1]) if length else 0
        if not is_whole or len(body) < size:
            return
        self.received = body[size:]
        self.task = asyncio.ensure_future(self.answer(json.loads(body[:size])))

    def connection_lost(self, _):
        if self.task:
            self.task.cancel()

    async def answer(self, body):
        plan = json.loads(body["messages"][0]["content"])
        call = self.provider.note(body["user"])
        await ANSWERS[plan["do"]](self, call, plan)

    async def whole(self, call, plan):
        await asyncio.sleep(plan["pause_s"])
        call.is_said = True
        self.transport.write(answers.chat("x" * BODY_BYTES, usage=call.usage)[0])

    async def long(self, call, plan):
        """With its length, and longer than what weir holds back (fault.gateway)."""
        answer = answers.chat("x" * LONG_BYTES, usage=call.usage)[0]
        self.transport.write(answer[:-1000])
        await asyncio.sleep(plan["pause_s"])
        call.is_said = True
        self.transport.write(answer[-1000:])

    async def chunked(self, call, plan):
        body = answers.chat_body("x" * BODY_BYTES, usage=call.usage)
        pieces = answers.chunked([body[:100], body[100:]])
        for piece in pieces[:-1]:
            self.transport.write(piece)
            await asyncio.sleep(plan["pause_s"])
        call.is_said = True
        self.transport.write(pieces[-1])

    async def stream(self, call, plan):
        await self.events(plan)
        call.is_said = True
        self.transport.write(
            answers.chunk(answers.event(answers.delta(finish="stop")) +
                          answers.event(answers.usage_chunk(call.usage))) +
            answers.chunk(answers.DONE) + answers.LAST_CHUNK)

    async def events(self, plan):
        self.transport.write(STREAM_HEAD)
        for number in range(plan["events"]):
            self.transport.write(answers.chunk(answers.event(answers.delta(f"word {number} "))))
            await asyncio.sleep(plan["pause_s"])

    async def broken(self, _, plan):
        await self.events(plan)
        self.transport.abort()

    async def failed(self, _, plan):
        await asyncio.sleep(plan["pause_s"])
        self.transport.write(answers.error(500)[0])


ANSWERS = {"whole": Connection.whole, "chunked": Connection.chunked, "stream": Connection.stream,
           "long": Connection.long, "broken": Connection.broken, "failed": Connection.failed}


class Provider:
    """Listens from the beginning; serves inside `async with`. Calls go on being noted for ever."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.base_url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.calls = {}

    def note(self, call_id):
        call = self.calls.get(call_id)
        if call:
            call.times += 1
            return call
        number = len(self.calls) + 1
        call = Call(call_id, input=1000 + number, output=2_000_000 + 3 * number,
                    cached=number % 900, reasoning=number % 700)
        self.calls[call_id] = call
        return call

    @contextlib.asynccontextmanager
    async def serve(self):
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), sock=self.listener)
        try:
            yield self
        finally:
            server.close()
