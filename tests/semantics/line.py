"""A line that tests can break: a TCP proxy in front of a server, for real browsers."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from ..support import free_port


class Line:
    """Carries connections to a port of 127.0.0.1 until it is told not to.

    Attributes:
        target: the port that connections go to; may be changed for those that come.
        url: what to open instead of the server's own.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._whole = True
        self._to_server = self._to_page = True
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=100)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, name="line", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for one in self._sockets:
            one.close()

    def cut(self) -> None:
        """Break all connections and refuse new ones until `mend`."""
        with self._lock:
            self._whole = False
            for one in self._sockets:
                _break(one)

    def mend(self) -> None:
        """Carry everything again."""
        with self._lock:
            self._whole = self._to_server = self._to_page = True

    def lose(self, *, to_server: bool = False, to_page: bool = False) -> None:
        """From now on bytes of this direction vanish, and the other end does not notice."""
        with self._lock:
            self._to_server, self._to_page = not to_server, not to_page

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed: the test is over
            while True:
                self._connect(self._listening.accept()[0])

    def _connect(self, page: socket.socket) -> None:
        with self._lock:
            try:
                if not self._whole:
                    raise ConnectionRefusedError
                server = socket.create_connection(("127.0.0.1", self.target))
            except ConnectionRefusedError:
                page.close()
                return
            self._sockets |= {page, server}
        for source, sink in ((page, server), (server, page)):
            threading.Thread(target=self._carry, args=(source, sink, sink is server), name="line", daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, to_server: bool) -> None:
        with contextlib.suppress(OSError):  # either end may be gone at any time
            while data := source.recv(65_536):
                if self._to_server if to_server else self._to_page:
                    sink.sendall(data)
        _break(source)
        _break(sink)


def _break(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # gone already
        one.shutdown(socket.SHUT_RDWR)
