"""More requests than a limit admits, steadily, over many kept connections and in one thread.

A lane is a limit and the clients that run into it. They spend its burst first, as fast as they can;
then each lane is offered so much more than its limit that no place stays free.
"""

import heapq
import random
import re
import selectors
import socket
import time

from support.parallel import is_whole, status_of

CONNECTIONS = 16  # of a lane
OVERLOAD = 2.5  # times the limit
REFUSALS_WHEN_SPENT = 3 * CONNECTIONS  # one after the other
RETRY_AFTER_MS = re.compile(rb"\r\nretry-after-ms: (\d+)\r\n")


def retry_after_ms(data):
    return int(RETRY_AFTER_MS.search(data)[1])


class Client:
    """One connection, one request at a time."""

    def __init__(self, stage, lane):
        self.stage, self.lane, self.data, self.sent_at = stage, lane, b"", 0.0
        self.sock = socket.create_connection(("127.0.0.1", lane.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stage.selector.register(self.sock, selectors.EVENT_READ, self._hear)

    def send(self):
        self.data, self.sent_at = b"", time.monotonic()
        self.sock.sendall(self.lane.data)

    def _hear(self, sock):
        data = sock.recv(1 << 16)
        assert data, f"closed by weir after {self.data!r}"
        self.data += data
        if is_whole(self.data):
            self.lane.on_answer(self, status_of(self.data))

    def close(self):
        self.stage.selector.unregister(self.sock)
        self.sock.close()


class Lane:
    """`data` is the request of all its clients, `per_s` how many the limit admits."""

    def __init__(self, stage, name, port, data, per_s):
        self.stage, self.name, self.port, self.data, self.per_s = stage, name, port, data, per_s
        self.clients = [Client(stage, self) for _ in range(CONNECTIONS)]
        self.admitted = self.refused = self.refused_in_a_row = 0
        self.is_spent = False
        self.due = []  # (when, number of the client), a heap
        self.dice = random.Random(3)

    def begin(self):
        for client in self.clients:
            client.send()

    def on_answer(self, client, status):
        assert status in (200, 429), client.data
        self.admitted += status == 200
        self.refused += status == 429
        self.refused_in_a_row = self.refused_in_a_row + 1 if status == 429 else 0
        self.is_spent = self.is_spent or self.refused_in_a_row >= REFUSALS_WHEN_SPENT
        if not self.is_spent:
            client.send()
            return
        gap_s = CONNECTIONS / (OVERLOAD * self.per_s)
        when = max(client.sent_at + gap_s * self.dice.uniform(0.8, 1.2), time.monotonic())
        heapq.heappush(self.due, (when, self.clients.index(client)))

    def send_what_is_due(self, now):
        while self.due and self.due[0][0] <= now:
            self.clients[heapq.heappop(self.due)[1]].send()

    def close(self):
        for client in self.clients:
            client.close()


def run_lanes(stage, lanes, condition):
    """Until it is true; calls are answered by stage.on_call."""
    while not condition():
        now = time.monotonic()
        for lane in lanes:
            lane.send_what_is_due(now)
        next_due = min((lane.due[0][0] for lane in lanes if lane.due), default=now + 0.02)
        stage.step(max(0.0, min(next_due - time.monotonic(), 0.02)))


def measure(stage, lanes, seconds, burst_within_s=120):
    """{name: admitted per second} in a window of so many seconds after every burst was spent."""
    deadline = time.monotonic() + burst_within_s
    for lane in lanes:
        lane.begin()

    def are_spent():
        assert time.monotonic() < deadline, [(each.name, each.admitted) for each in lanes]
        return all(lane.is_spent for lane in lanes)

    run_lanes(stage, lanes, are_spent)
    began = time.monotonic()
    before = {lane.name: (lane.admitted, lane.refused) for lane in lanes}
    run_lanes(stage, lanes, lambda: time.monotonic() - began >= seconds)
    took = time.monotonic() - began
    rates = {}
    for lane in lanes:
        admitted, refused = lane.admitted - before[lane.name][0], lane.refused - before[lane.name][1]
        assert refused > admitted / 2, f"{lane.name} was not overloaded: {admitted}, {refused}"
        rates[lane.name] = admitted / took
        lane.close()
    return rates


# --- Who waits as told ---------------------------------------------------------------------------------

class Waiter:
    """A client that asks again as soon as a refusal has told it to, and no sooner."""

    def __init__(self, stage, port, data, wanted):
        self.port, self.data, self.wanted = port, data, wanted
        self.client = Client(stage, self)
        self.statuses = []  # one after the other
        self.refusals = []  # (sent, answered, told in ms, how many it had been admitted)
        self.due_at = 0.0
        self.is_waiting = True  # for its time, not for an answer
        self.is_done = False

    def on_answer(self, client, status):
        assert status in (200, 429), client.data
        now = time.monotonic()
        if status == 429:
            told_ms = retry_after_ms(client.data)
            self.refusals.append((client.sent_at, now, told_ms, self.statuses.count(200)))
            self.due_at = now + told_ms / 1000
        else:
            self.due_at = now
            self.is_done = self.is_done or len(self.refusals) >= self.wanted
        self.statuses.append(status)
        self.is_waiting = True

    def go_on(self, now):
        if self.is_waiting and self.due_at <= now:
            self.is_waiting = False
            self.client.send()


def wait_as_told(stage, port, data, clients, refusals):
    """Until each of so many clients was refused so often, and then admitted; all go on until then.
    Of several that are due none has a better place than the others."""
    dice = random.Random(5)
    waiters = [Waiter(stage, port, data, refusals) for _ in range(clients)]
    while not all(each.is_done for each in waiters):
        now = time.monotonic()
        for each in dice.sample(waiters, clients):
            each.go_on(now)
        due = min((each.due_at for each in waiters if each.is_waiting), default=now + 0.02)
        stage.step(max(0.0, min(due - time.monotonic(), 0.02)))
    for each in waiters:
        each.client.close()
    return waiters


def is_admitted_each_time(waiter):
    """Whether each refusal was followed by an admission."""
    return all(after == 200 for status, after in zip(waiter.statuses, waiter.statuses[1:])
               if status == 429)


def first_place_ms(waiter, interval_ms):
    """(at the earliest, at the latest), as all that a single client was told has it.

    Places are an interval apart, and weir's clock is this one: so each refusal tells where the first
    place was, within the time that the refusal took and the millisecond that is rounded up. Where no
    refusal contradicts another, the earliest is no later than the latest."""
    told = [(sent * 1000 + ms - 1 - admitted * interval_ms, answered * 1000 + ms - admitted * interval_ms)
            for sent, answered, ms, admitted in waiter.refusals]
    return max(low for low, _ in told), min(high for _, high in told)


def longest_beyond_ms(waiters, interval_ms):
    """How much longer than until the next place anybody was told to wait; at most 0 if nobody was. How
    long a refusal took does not count: weir looks at its clock once for all that it does at once."""
    return max(ms - 1 - interval_ms - (answered - sent) * 1000
               for waiter in waiters for sent, answered, ms, _ in waiter.refusals)


def use_of_places(waiters, per_s):
    """The share of places that somebody took, and how often each waited in vain on an average."""
    began = min(each.refusals[0][0] for each in waiters)
    took_s = max(each.refusals[-1][1] for each in waiters) - began
    later = [each.statuses[each.statuses.index(429):] for each in waiters]
    admitted = sum(each.count(200) for each in later)
    return admitted / (took_s * per_s), sum(each.count(429) for each in later) / admitted
