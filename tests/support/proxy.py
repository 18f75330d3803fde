"""A scriptable HTTP proxy that knows CONNECT, and records what it was asked for."""

import select
import socket
import threading


class Proxy:
    """`refuse_with` is what it answers instead of connecting, as bytes; `connect_to` replaces the
    address that is asked for."""

    def __init__(self):
        self.heads = []
        self.refuse_with = None
        self.connect_to = None
        self.early_bytes = b""  # behind the head of its own answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def targets(self):
        return [head.split(b" ")[1].decode() for head in self.heads]

    def stop(self):
        self.listener.close()
        for each in self.sockets:
            each.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.sockets.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = client.recv(1)
                if not byte:
                    return
                head += byte
            self.heads.append(head)
            if self.refuse_with is not None:
                client.sendall(self.refuse_with)
                return
            host, _, port = head.split(b" ")[1].decode().rpartition(":")
            with socket.create_connection(self.connect_to or (host, int(port))) as upstream:
                client.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n"
                               + self.early_bytes)
                self._relay(client, upstream)
        except OSError:
            pass
        finally:
            client.close()

    @staticmethod
    def _relay(client, upstream):
        other = {client: upstream, upstream: client}
        while True:
            for each in select.select([client, upstream], [], [])[0]:
                data = each.recv(65536)
                if not data:
                    return
                other[each].sendall(data)
