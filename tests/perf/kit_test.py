#!/usr/bin/env python3
"""Shows that the load generator and the provider notice what they are there to notice.

A relay between the two spoils one thing at a time.
"""

import socket
import threading
import unittest

import intervals
import programs


class Relay:
    """Passes bytes between load and provider, through a function in each direction."""

    def __init__(self, port, to_provider=bytes, to_load=bytes, cut_at=None):
        self.target, self.change, self.cut_at = port, (to_provider, to_load), cut_at
        self.listener = socket.create_server(("127.0.0.1", programs.free_port()), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            provider = socket.create_connection(("127.0.0.1", self.target))
            for arguments in ((client, provider, self.change[0], None),
                              (provider, client, self.change[1], self.cut_at)):
                threading.Thread(target=self.pump, args=arguments, daemon=True).start()

    @staticmethod
    def pump(source, sink, change, cut_at):
        """A change sees what came in one read; `cut_at` bytes into that, the connection ends."""
        while data := source.recv(1 << 20):
            sink.sendall(change(data)[:cut_at])
            if cut_at is not None:
                break
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def event(number):
    """The chunk of a numbered event, as the provider sends it."""
    return b"word-%06d" % number


class KitTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        programs.build()
        cls.provider = cls.enterClassContext(programs.Provider())

    def load(self, to_provider=bytes, to_load=bytes, cut_at=None, **options):
        with Relay(self.provider.port, to_provider, to_load, cut_at) as relay:
            return programs.run_load(relay.port, "key", quiet=True, requests=1, timeout_ms=2000,
                                     **options)

    def stream(self, to_load=bytes, cut_at=None):
        self.provider.set(events=20)
        return self.load(to_load=to_load, cut_at=cut_at, stream=True, events=20)

    def test_what_is_not_spoiled_passes(self):
        self.assertEqual(self.load()["ok"], 1)
        self.assertEqual(self.load(body_bytes=300_000)["ok"], 1)
        whole = self.stream()
        self.assertEqual((whole["ok"], whole["events"]), (1, 22))

    def test_an_answer_split_at_every_byte_passes(self):
        self.provider.set(events=3)
        for options in ({}, {"stream": True, "events": 3}):
            with socket.create_server(("127.0.0.1", 0)) as server:
                server.settimeout(10)
                replay = threading.Thread(target=self.replay_bytewise, args=(server,))
                replay.start()
                result = programs.run_load(server.getsockname()[1], "key", requests=1, **options)
                replay.join()
                self.assertEqual(result["ok"], 1)

    def replay_bytewise(self, server):
        client, _ = server.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, socket.create_connection(("127.0.0.1", self.provider.port)) as provider:
            provider.sendall(client.recv(1 << 16))
            provider.settimeout(0.3)
            try:
                while data := provider.recv(1 << 16):
                    for at in range(len(data)):
                        client.sendall(data[at:at + 1])
            except TimeoutError:
                pass

    def test_a_damaged_prompt_is_noticed_by_the_provider(self):
        before = self.provider.stats()["bad"]
        result = self.load(to_provider=lambda data: data.replace(b"to fish", b"to Fish"),
                           body_bytes=400)
        self.assertEqual(result["bad_status"], 1)
        self.assertEqual(self.provider.stats()["bad"], before + 1)

    def test_another_requests_answer_is_noticed(self):
        def change(data):
            at = data.index(b"ticket ") + len(b"ticket ")
            return data[:at] + b"999999999999" + data[at + 12:]
        self.assertEqual(self.load(to_load=change)["mixed_up"], 1)
        self.assertEqual(self.stream(change)["mixed_up"], 1)

    def test_a_damaged_answer_is_noticed(self):
        self.assertEqual(self.load(to_load=lambda data: data.replace(b"crest", b"Crest"))
                         ["damaged"], 1)
        self.assertEqual(self.stream(lambda data: data.replace(b"[DONE]", b"[done]"))["damaged"], 1)

    def test_a_lost_event_is_noticed(self):
        def change(data):
            chunks = data.split(b"\r\n")
            at = next(i for i, chunk in enumerate(chunks) if event(7) in chunk)
            return b"\r\n".join(chunks[:at - 1] + chunks[at + 1:])
        self.assertEqual(self.stream(change)["lost"], 1)

    def test_events_out_of_order_are_noticed(self):
        def swap(data):
            return data.replace(event(7), b"word-xxxxxx").replace(event(3), event(7)) \
                .replace(b"word-xxxxxx", event(3))
        self.assertEqual(self.stream(swap)["lost"], 1)  # the later one comes first
        self.assertEqual(self.stream(lambda data: data.replace(event(7), event(6)))["reordered"], 1)

    def test_a_stream_that_ends_early_is_noticed(self):
        self.assertEqual(self.stream(cut_at=2000)["broken"], 1)
        self.assertEqual(self.stream(lambda data: data[:2000])["timed_out"], 1)

    def test_a_clean_end_without_the_last_events_is_noticed(self):
        def change(data):
            chunks = data.split(b"\r\n")
            at = next(i for i, chunk in enumerate(chunks) if b"[DONE]" in chunk)
            return b"\r\n".join(chunks[:at - 1] + chunks[at + 1:])
        self.assertEqual(self.stream(change)["lost"], 1)

    def test_the_interval_of_a_median_is_that_of_the_tables(self):
        self.assertEqual(intervals.interval_ranks(31), (9, 21))
        self.assertEqual(intervals.interval_ranks(11), (1, 9))
        self.assertEqual(intervals.interval_ranks(5), (0, 4))


if __name__ == "__main__":
    unittest.main()
