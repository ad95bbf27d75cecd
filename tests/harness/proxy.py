# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real forward proxy for tests, proxy.py, which keeps all bytes that it saw.

It runs in a process of its own, as it sets up logging, limits and folders for the whole process.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

_CHECKOUT = Path(__file__).parents[2]
_RECORD = "seen.jsonl"
#: Seconds; nothing here takes long on loopback.
_PATIENCE = 20
#: Names that the proxy takes for this machine, as no name server knows them.
_TEST_DOMAIN = ".test"


class Passage(NamedTuple):
    """One connection to the proxy, as the proxy saw it."""

    method: str
    target: str
    headers: dict[str, str]
    """The headers of the first request, with names in lower case."""
    head: bytes
    """The first request as it was on the wire."""
    sent: bytes
    """What the client sent after it."""
    received: bytes
    """What the service sent."""


class Proxy:
    """The proxy, as a context; C(seen) holds the connections since the start, or since C(forget).

    :arg folder: for what it keeps.
    :arg login: C(user:password) that it asks for.
    :arg refuse: the status with which it answers every request.
    :arg certificate: files with a certificate and its key, for a proxy that itself speaks TLS.
    """

    def __init__(
        self,
        folder: Path,
        *,
        login: str | None = None,
        refuse: int | None = None,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self._record = folder / _RECORD
        self._record.touch()
        self._old: set[int] = set()
        self.scheme = "https" if certificate else "http"
        command = [sys.executable, "-m", __name__, str(folder)]
        if login is not None:
            command += ["--login", login]
        if refuse is not None:
            command += ["--refuse", str(refuse)]
        if certificate is not None:
            command += ["--certificate", *map(str, certificate)]
        self._process = subprocess.Popen(
            command,
            cwd=_CHECKOUT,
            env={"HOME": str(folder), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        # It ends when its input ends, also when this process is killed.
        ready, _writable, _odd = select.select([self._process.stdout], [], [], _PATIENCE)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            self.close()
            raise RuntimeError("The proxy did not start.")
        self.port = int(line)
        self.netloc = f"127.0.0.1:{self.port}"
        self.url = f"{self.scheme}://{self.netloc}"

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop it, at once and for certain."""
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_PATIENCE)
        self._process.stdout.close()

    def url_for(self, user: str, password: str) -> str:
        """Its URL with a login in it, percent-encoded."""
        return f"{self.scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{self.netloc}"

    def forget(self) -> None:
        """Count only what comes from now on."""
        self._old.update(line["connection"] for line in self._lines())

    @property
    def seen(self) -> list[Passage]:
        """The connections, in order."""
        parts: dict[int, dict[str, bytes]] = {}
        for line in self._lines():
            if line["connection"] not in self._old:
                part = parts.setdefault(line["connection"], {"client": b"", "service": b""})
                part[line["side"]] += base64.b64decode(line["data"])
        return [_passage(part["client"], part["service"]) for _number, part in sorted(parts.items())]

    @property
    def targets(self) -> list[str]:
        """What it was asked for."""
        return [f"{passage.method} {passage.target}" for passage in self.seen]

    @property
    def every_byte(self) -> bytes:
        """All that went through it, in both directions."""
        return b"".join(passage.head + passage.sent + passage.received for passage in self.seen)

    def _lines(self) -> list[dict]:
        lines = self._record.read_text("ascii").splitlines(keepends=True)
        # The last one may just be being written.
        return [json.loads(line) for line in lines if line.endswith("\n")]


def _passage(from_client: bytes, from_service: bytes) -> Passage:
    head, _end, rest = from_client.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    method, target, _version = line.split(" ")
    headers = {name.lower(): value.strip() for name, _colon, value in (field.partition(":") for field in fields)}
    return Passage(method, target, headers, head, rest, from_service)


def _run(arguments: argparse.Namespace) -> None:
    """Serve until the input ends; the first line of output is the port."""
    from proxy.common.flag import FlagParser
    from proxy.core.work.threaded import start_threaded_work
    from proxy.http.exception import HttpRequestRejected
    from proxy.http.handler import HttpProtocolHandler
    from proxy.http.proxy import HttpProxyBasePlugin

    folder = Path(arguments.folder)
    # One write for each line, so that threads do not mix theirs; before the bytes go on, so that none is missed.
    record = os.open(folder / _RECORD, os.O_WRONLY | os.O_APPEND)
    numbers: dict[int, int] = {}

    def note(client: object, side: str, data: memoryview) -> None:
        number = numbers[client.addr[1]]
        line = {"connection": number, "side": side, "data": base64.b64encode(data).decode()}
        os.write(record, json.dumps(line).encode() + b"\n")

    class Handler(HttpProtocolHandler):
        def handle_data(self, data: memoryview) -> bool | None:
            if data is not None:
                note(self.work, "client", data)
            return super().handle_data(data)

    class Plugin(HttpProxyBasePlugin):
        def before_upstream_connection(self, request: object) -> object:
            if arguments.refuse is not None:
                raise HttpRequestRejected(arguments.refuse, b"Refused", body=b"The proxy refuses this.")
            return request

        def resolve_dns(self, host: str, port: int) -> tuple[str | None, None]:
            return ("127.0.0.1" if host.endswith(_TEST_DOMAIN) else None), None

        def handle_upstream_chunk(self, chunk: memoryview) -> memoryview:
            note(self.client, "service", chunk)
            return chunk

    options = ["--threaded", "--log-level", "CRITICAL", "--timeout", str(_PATIENCE)]
    options += ["--data-dir", str(folder / "data"), "--cache-dir", str(folder / "cache")]
    if arguments.login is not None:
        options += ["--basic-auth", arguments.login]
    if arguments.certificate is not None:
        options += ["--cert-file", arguments.certificate[0], "--key-file", arguments.certificate[1]]
    flags = FlagParser.initialize(options, work_klass=Handler, plugins=[Plugin])

    def serve() -> None:
        for number in range(1_000_000):
            connection, address = server.accept()
            # A port is used again only when the connection that had it is gone.
            numbers[address[1]] = number
            start_threaded_work(flags, connection, address)

    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        threading.Thread(target=serve, daemon=True).start()
        print(server.getsockname()[1], flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            sys.stdin.buffer.read()
    # At once: the threads of connections that are still open would not end by themselves.
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--login")
    parser.add_argument("--refuse", type=int)
    parser.add_argument("--certificate", nargs=2)
    _run(parser.parse_args())
