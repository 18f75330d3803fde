"""The admin API over DATA_DIR/admin.sock."""

import http.client
import json
import socket
from dataclasses import dataclass


@dataclass
class Answer:
    status: int
    body: dict
    text: str

    @property
    def detail(self):
        return self.body["detail"]


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("weir", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self.path))


def call(weir, method, path, body=None, headers=None):
    """One request below /admin/v1; the answer is always a JSON object."""
    connection = _Connection(weir.data_dir / "admin.sock")
    try:
        connection.request(method, f"/admin/v1{path}",
                           None if body is None else json.dumps(body).encode(), headers or {})
        response = connection.getresponse()
        text = response.read().decode()
        return Answer(response.status, json.loads(text), text)
    finally:
        connection.close()
