"""Many requests at once, each on a connection of its own, read without threads."""

import re
import selectors
import socket
import time

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


class Parallel:
    """Sends every request before it reads any answer."""

    def __init__(self, port, requests):
        self.selector = selectors.DefaultSelector()
        self.answers = {}
        self.sockets = []
        for data in requests:
            sock = socket.create_connection(("127.0.0.1", port))
            self.sockets.append((sock, data))
        for number, (sock, data) in enumerate(self.sockets):
            self.answers[number] = b""
            sock.sendall(data)
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ, number)
        self.closed = set()

    def _read(self, within_s):
        for key, _ in self.selector.select(within_s):
            try:
                data = key.fileobj.recv(65536)
            except OSError:
                data = b""
            if data:
                self.answers[key.data] += data
            else:
                self.closed.add(key.data)
                self.selector.unregister(key.fileobj)

    def whole(self):
        """The numbers of those that have their whole answer, or that were closed."""
        return [number for number, data in self.answers.items()
                if number in self.closed or is_whole(data)]

    def wait(self, count, within_s=20):
        """Reads until `count` have their whole answer; returns their statuses (0: none came)."""
        deadline = time.monotonic() + within_s
        while len(self.whole()) < count:
            left = deadline - time.monotonic()
            assert left > 0, f"{len(self.whole())} of {count} answers came"
            self._read(min(left, 0.2))
        return self.statuses()

    def read_for(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._read(max(0.0, deadline - time.monotonic()))
        return self.statuses()

    def statuses(self):
        return [status_of(self.answers[number]) for number in self.whole()]

    def close(self):
        for sock, _ in self.sockets:
            sock.close()
        self.selector.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def status_of(data):
    match = STATUS.match(data)
    return int(match.group(1)) if match else 0


def is_whole(data):
    head, mark, body = data.partition(b"\r\n\r\n")
    if not mark:
        return False
    length = LENGTH.search(head + b"\r\n")
    if length:
        return len(body) >= int(length.group(1))
    return body.endswith(b"0\r\n\r\n")
