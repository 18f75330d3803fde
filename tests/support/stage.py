"""A provider and any number of clients in one thread, so that a test knows exactly who did what.

Nothing happens but inside run_until(): so what a provider has been asked, and what it has answered,
is the same at each look. A call counts from its first byte on.
"""

import re
import selectors
import socket
import time

from support.parallel import is_whole, status_of

LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)\r\n", re.IGNORECASE)
BACKLOG = 1024


class Call:
    """A request that weir made of the provider; `body` once it is whole."""

    def __init__(self, sock):
        self.sock = sock
        self.body = None
        self.is_answered = self.is_gone = False

    @property
    def is_held(self):
        return self.body is not None and not (self.is_answered or self.is_gone)

    def answer(self, pieces):
        """All at once: the kernel takes so much."""
        self.is_answered = True
        self.say(b"".join(pieces))

    def say(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            self.is_gone = True


class Ask:
    """A client's request on a connection of its own; `data` is what has come."""

    def __init__(self, sock):
        self.sock = sock
        self.data = b""
        self.is_over = False

    @property
    def status(self):
        """0: no answer came."""
        return status_of(self.data)

    @property
    def is_done(self):
        return self.is_over or is_whole(self.data)


class Stage:
    """Use it in a `with`. `base_url` is the provider's; weir may come and go."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.listener.setblocking(False)
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self.base_url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.calls = []
        self.asks = []
        self.on_call = None  # called with each call that is whole
        self.provider_side = {}  # of each connection that is open: what is unread, and its last call

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.forget()
        for sock in list(self.provider_side):
            self._drop(sock)
        self.selector.close()
        self.listener.close()

    def close_call(self, call):
        """The provider closes the connection."""
        call.is_gone = True
        self._drop(call.sock)

    # Clients

    def ask(self, port, data, count=1):
        """So many requests, each on a new connection; all are open before the first is sent."""
        fresh = [Ask(socket.create_connection(("127.0.0.1", port))) for _ in range(count)]
        for ask in fresh:
            ask.sock.sendall(data)
            ask.sock.setblocking(False)
            self.selector.register(ask.sock, selectors.EVENT_READ, self._hear_answer(ask))
        self.asks += fresh
        return fresh

    def leave(self, ask):
        """The client closes, whatever has come."""
        if not ask.is_over:
            ask.is_over = True
            self.selector.unregister(ask.sock)
        ask.sock.close()

    def forget(self):
        """Closes all clients and forgets what was asked."""
        for ask in self.asks:
            self.leave(ask)
        self.asks, self.calls = [], []

    def statuses(self):
        """Of the answers that are whole."""
        return [ask.status for ask in self.asks if ask.is_done]

    def held(self):
        """The calls that wait for their answer."""
        return [call for call in self.calls if call.is_held]

    # Time

    def run_until(self, condition, within_s=20, what="the condition"):
        """Lets things happen until it is true; returns what it was."""
        deadline = time.monotonic() + within_s
        while not (answer := condition()):
            left = deadline - time.monotonic()
            assert left > 0, f"{what} did not come: {len(self.calls)} calls, {self.statuses()}"
            self.step(min(left, 0.02))
        return answer

    def run_for(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.step(left)

    def run_until_weir_is_gone(self):
        """After its end: until nothing that it had sent is unread."""
        self.run_until(lambda: not self.provider_side, what="the end of all connections")

    def step(self, within_s):
        """What has happened, or happens first."""
        for key, _ in self.selector.select(within_s):
            key.data(key.fileobj)

    # What happens

    def _accept(self, listener):
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.provider_side[sock] = [b"", None]
        self.selector.register(sock, selectors.EVENT_READ, self._hear_call)

    def _hear_call(self, sock):
        try:
            data = sock.recv(1 << 18)
        except OSError:
            data = b""
        side = self.provider_side[sock]
        if not data:
            if side[1]:
                side[1].is_gone = True
            self._drop(sock)
            return
        if not side[0]:
            side[1] = Call(sock)
            self.calls.append(side[1])
        side[0] += data
        head, mark, body = side[0].partition(b"\r\n\r\n")
        length = LENGTH.search(head + b"\r\n")
        if mark and len(body) >= int(length[1] if length else 0):
            side[1].body = body
            side[0] = b""
            if self.on_call:
                self.on_call(side[1])

    def _drop(self, sock):
        self.selector.unregister(sock)
        del self.provider_side[sock]
        sock.close()

    def _hear_answer(self, ask):
        def hear(sock):
            try:
                data = sock.recv(1 << 18)
            except OSError:
                data = b""
            ask.data += data
            if not data:
                ask.is_over = True
                self.selector.unregister(sock)
        return hear
