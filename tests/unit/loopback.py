# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A loopback server that keeps the raw bytes of each request, and answers as a script says, also badly."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from typing import Callable, NamedTuple

Action = Callable[[socket.socket], None]


class Seen(NamedTuple):
    """A request as it was on the wire."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """The headers with names in lower case."""
        return {name.lower(): value for name, value in self.headers}


def answer(status: int = 200, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Action:
    """A complete answer."""
    fields = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return lambda connection: connection.sendall(f"HTTP/1.1 {status} Said\r\n{head}\r\n".encode() + body)


def drop(connection: socket.socket) -> None:
    """Close the connection without an answer."""


def reset(connection: socket.socket) -> None:
    """Reset the connection without an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stall(seconds: float) -> Action:
    """Say nothing for a while, then close."""
    return lambda connection: time.sleep(seconds)


def half(status: int = 200, body: bytes = b'{"half": tr', announced: int = 40) -> Action:
    """An answer that ends too early."""
    return answer(status, body, {"Content-Length": str(announced)})


def drip(data: bytes, pause: float) -> Action:
    """These bytes, one after the other; ends early when the client hangs up."""

    def act(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for byte in data:
                connection.sendall(bytes([byte]))
                time.sleep(pause)

    return act


class Loopback:
    """The server: one action for each request, in order, and C(200 {}) after the last; C(seen) holds the requests.

    :arg tls: the context of a TLS server, or None for plain HTTP.
    """

    def __init__(self, *actions: Action, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Seen] = []
        self._actions = list(actions)
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.netloc = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.netloc}"
        self._open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *_error: object) -> None:
        self._open = False
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()  # wakes the thread
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while self._open:
            connection, _address = self._socket.accept()
            connection.settimeout(5)
            # Each in a thread of its own: one that stalls must not hold up the next.
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with contextlib.closing(connection):
                self.seen.append(_read(connection))
                (self._actions.pop(0) if self._actions else answer())(connection)


def _read(connection: socket.socket) -> Seen:
    raw = b""
    while b"\r\n\r\n" not in raw:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError
        raw += part
        if not raw[:1].isalpha():
            raise ConnectionError  # TLS, where it is not spoken
    head, _end, body = raw.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = line.split(" ")
    headers = [(name, value.removeprefix(" ")) for name, _colon, value in (field.partition(":") for field in lines)]
    length = int({name.lower(): value for name, value in headers}.get("content-length", "0"))
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError
        body += part
    return Seen(method, target, headers, body)
