#!/usr/bin/env python3
"""What a request costs that is answered without a provider: refused by a limit, or because its key may
not use the model; and a look at /v1/health, which has no body and needs no key.

The bodies are equally long, so what a limit costs beyond reading a request is the difference to the
model, which is found out just before the limits are looked at. The CPU time is that of weir's
one worker, with 16 connections kept; what is least of some rounds is nearest to the truth.
instructions.py has a figure of the same refusals.
"""

import argparse
import json
import socket
import sys
import tempfile
import time
from dataclasses import dataclass

import programs
import report
from gateways import Weir

CONNECTIONS = 16
MODEL = "gpt-4o-mini"
UNKNOWN = "a model that the key may not use"
BODY_BYTES = 400
AT_MOST_US = 5.0  # of a refusal by a limit, beyond reading it
HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True)
class Kind:
    """Requests that are all answered alike; `limit` is what the key is created with."""

    name: str
    status: int
    limit: tuple = ()  # of the key
    is_get: bool = False

    def request(self, weir):
        """Its bytes, with a key of its own; the limit is spent."""
        if self.is_get:
            return b"GET /v1/health HTTP/1.1\r\nhost: perf\r\n\r\n"
        made = weir.run("keys", "create", "--user", "perf", *self.limit, "--json")
        data = chat(json.loads(made)["key"])
        with socket.create_connection(("127.0.0.1", weir.port)) as sock:
            sock.sendall(data)
            read_answer(sock)
        return data


BY_LIMIT = Kind("refused by a limit", 429, ("--limit", "1req/day"))
KINDS = (BY_LIMIT,
         Kind("refused by three limits' last", 429,
              ("--limit", "100000req/min", "--limit", "100000000tok/min", "--limit", "1req/day")),
         Kind(UNKNOWN, 404, ("--models", "other-*")),
         Kind("/v1/health", 200, is_get=True))


def chat(key):
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": ""}]})
    body = body.replace('""', '"' + "x" * (BODY_BYTES - len(body)) + '"').encode()
    return (b"POST /v1/chat/completions HTTP/1.1\r\nhost: perf\r\nauthorization: Bearer %s\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n"
            % (key.encode(), len(body))) + body


def read_answer(sock):
    """Its status; weir says the length of what it answers itself."""
    data = b""
    while HEAD_END not in data:
        data += receive(sock)
    head, _, body = data.partition(HEAD_END)
    length = int(head.lower().split(b"content-length:")[1].split(b"\r")[0])
    while len(body) < length:
        body += receive(sock)
    return int(head.split(b" ", 2)[1])


def receive(sock):
    data = sock.recv(65536)
    if not data:
        raise RuntimeError("weir closed the connection")
    return data


def ask(port, data, status, count, connections=1):
    """So many requests, by turns over so many connections: all are sent, then all are read."""
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for sock in socks:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(count // connections):
        for sock in socks:
            sock.sendall(data)
        for sock in socks:
            found = read_answer(sock)
            if found != status:
                raise RuntimeError(f"{found} instead of {status}")
    for sock in socks:
        sock.close()


def worker_us(weir, kind, data, requests):
    """CPU time of the worker for each of them."""
    before = weir.spent_ns()[0]
    ask(weir.port, data, kind.status, requests, CONNECTIONS)
    time.sleep(0.02)
    return (weir.spent_ns()[0] - before) / requests / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=16_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    programs.build()
    best = {}
    with programs.Provider() as provider, \
            tempfile.TemporaryDirectory(prefix="weir-refusals-") as folder:
        weir = Weir(folder, provider.port).start()
        try:
            data = {kind: kind.request(weir) for kind in KINDS}
            for _ in range(arguments.rounds):
                for kind in KINDS:
                    spent = worker_us(weir, kind, data[kind], arguments.requests)
                    best[kind.name] = min(spent, best.get(kind.name, spent))
        finally:
            weir.stop()
    unknown = best[UNKNOWN]
    print(report.table(["request", "worker CPU \u00b5s", "beyond a model that is not there"],
                       [[name, f"{us:.2f}", f"{us - unknown:+.2f}"] for name, us in best.items()]))
    is_good = best[BY_LIMIT.name] - unknown <= AT_MOST_US
    print("refusals: cheap" if is_good else "refusals: FAILED")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
