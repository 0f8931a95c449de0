"""The way to a server, which can be cut: a TCP proxy on loopback.

Before: a bench puts it between the service and PostgreSQL. After: `place` gives the URL behind it.
Promise: what is cut ends at once on both sides, and a new connection is closed as soon as it is accepted.
"""

import contextlib
import socket
import threading
from urllib.parse import urlsplit, urlunsplit


class Link:
    """A proxy before the server of `url`."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.target = (parts.hostname, parts.port or 5432)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        login = parts.netloc.rpartition("@")[0]
        host = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=f"{login}@{host}" if login else host))
        self.is_up, self.open, self.lock = True, set(), threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.cut()
        self.listener.close()

    def cut(self):
        """Ends every connection; new ones are closed at once."""
        with self.lock:
            self.is_up, ended = False, list(self.open)
            self.open.clear()
        for each in ended:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def restore(self):
        """Lets connections through again."""
        with self.lock:
            self.is_up = True

    def accept(self):
        while True:
            try:
                inner, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.forward, args=(inner,), daemon=True).start()

    def forward(self, inner):
        with contextlib.suppress(OSError), inner:
            if not self.is_up:
                return
            with socket.create_connection(self.target, timeout=10) as outer:
                outer.settimeout(None)
                for each in (inner, outer):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self.lock:
                    if not self.is_up:
                        return
                    self.open |= {inner, outer}
                back = threading.Thread(target=copy, args=(outer, inner), daemon=True)
                back.start()
                copy(inner, outer)
                back.join()
                with self.lock:
                    self.open -= {inner, outer}


def copy(source, sink):
    """Until the source has no more, or either is cut."""
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 18):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
