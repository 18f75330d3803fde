"""A weir under load whose ledger is put to the test: it is killed, starved and cut short."""

import json
import random
import re
import signal
import socket
import time
from pathlib import Path

from fault.books import PRICE, Books
from fault.load import MODEL, Load
from support.weir import PROVIDER_KEY, Weir, merge, wait_until

SEGMENT = re.compile(r"(\d+)-\d+-\d+\.seg(?:\.new)?|(\d+)\.lock")
EPHEMERAL_PORT_MIN = 32768


def lasting_port():
    """A free port that no client's connection can have taken by the next start."""
    while True:
        port = random.randrange(20000, EPHEMERAL_PORT_MIN)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Gateway:
    """The load, the provider behind it and weir between them."""

    def __init__(self, folder, config=None, clients=16, seed=1, data_dir=None, environment=None,
                 **load):
        self.folder = Path(folder)
        self.load = Load(lasting_port(), clients, seed, **load)
        admin_port = lasting_port()
        self.weir = Weir(folder, merge({
            "workers": 2,
            "transport": {"answer_bytes": "64KiB"},
            "admin": {"listen": f"127.0.0.1:{admin_port}"},
            "data_dir": str(data_dir or self.folder / "data"),
            "providers": {"main": {"dialect": "openai", "base_url": self.load.provider.base_url,
                                   "api_key": PROVIDER_KEY}},
            "models": [{"name": MODEL, "targets": ["main"]}],
            "prices": [PRICE],
        }, config or {}), environment=environment, plain_port=self.load.port)
        self.weir.admin_port = admin_port
        self.weir.data_dir = Path(data_dir or self.folder / "data")
        self.books = Books(self.database, self.load)

    @property
    def database(self):
        return self.weir.data_dir / "weir.db"

    @property
    def journal(self):
        return self.weir.data_dir / "journal"

    def __enter__(self):
        self.load.__enter__()
        try:
            self.weir.start()
            self.load.key = self.weir.create_key("tester")["key"]
        except BaseException:
            self.__exit__(AssertionError)
            raise
        return self

    def __exit__(self, *_):
        self.weir.kill()
        self.load.__exit__()

    # Lives

    def kill(self):
        """kill -9; returns when every client has noticed."""
        self.weir.kill()
        self.load.pause()
        self.books.read_log(self.weir.stderr_path)

    def hold(self):
        """Stops every thread where it is; kill() ends it. The signal reaches one thread first."""
        self.weir.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.weir.process.pid}/task")
        wait_until(lambda: all((each / "stat").read_text().rpartition(")")[2].split()[0] == "T"
                               for each in tasks.iterdir()), 10, "a process that stands still")

    def stop(self):
        """A clean stop, after which everything is in the store."""
        self.load.pause(within_s=60)
        self.weir.stop()
        self.books.read_log(self.weir.stderr_path)

    def generations(self):
        """Of the processes that left something in the journal, the living one's among them."""
        found = set()
        for each in self.journal.iterdir():
            match = SEGMENT.fullmatch(each.name)
            assert match, f"{each.name} is in the journal"
            found.add(int(match[1] or match[2]))
        return found

    def is_recovered(self):
        return len(self.generations()) == 1

    def wait_until_recovered(self, within_s=30):
        wait_until(self.is_recovered, within_s, "the end of recovery")

    def run_for(self, seconds):
        self.load.resume()
        time.sleep(seconds)

    # What it says

    def ledger_lines(self):
        """The log's lines on the ledger, as (level, message)."""
        found = []
        for each in self.weir.stderr().splitlines():
            # A process that was killed may have left half a line before the next one's first.
            at = each.rfind('{"@timestamp"')
            if at >= 0 and '"log.logger":"ledger"' in each and each.endswith("}"):
                line = json.loads(each[at:])
                found.append((line["log.level"], line["message"]))
        return found

    def ledger_metrics(self):
        return {name.removeprefix("weir_ledger_"): value
                for (name, _), value in self.weir.metrics().items()
                if name.startswith("weir_ledger_")}

    # The end of each test

    def check_after_stop(self):
        """Stops, and looks at everything; returns the number of rows."""
        self.stop()
        left = [each.name for each in self.journal.iterdir()]
        assert not left, f"left in the journal: {left}"
        self.books.check_nothing_is_open()
        assert not self.load.complaints, self.load.complaints[:5]
        return self.books.check_all()
