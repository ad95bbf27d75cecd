# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the cloud on a loopback port: in a thread for tests (`Simulator`), or in the main one for the command line."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import trustme
from aiohttp import web

from .app import Cloud
from .client import SimulatorClient
from .scenarios import DEFAULT_SCENARIO


class HostError(ValueError):
    """The simulator listens on loopback only."""


def check_host(host: str) -> str:
    """The host, when it is `localhost` or a loopback address."""
    if host != "localhost":
        try:
            loopback = ipaddress.ip_address(host).is_loopback
        except ValueError:
            loopback = False
        if not loopback:
            raise HostError(f"{host!r} is not a loopback address; the simulator listens on loopback only.")
    return host


class Authority:
    """An own certificate authority for one run; its certificate is a file that `close` removes."""

    def __init__(self, host: str) -> None:
        authority = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host, "localhost", "127.0.0.1", "::1").configure_cert(self.context)
        self._folder = tempfile.TemporaryDirectory(prefix="simulator-ca-")
        self.path = str(Path(self._folder.name) / "ca.pem")
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(authority.cert_pem.bytes())

    def close(self) -> None:
        self._folder.cleanup()


class Server:
    """The cloud on a port, for the event loop that runs `start` and `stop`."""

    def __init__(self, cloud: Cloud, host: str = "127.0.0.1", port: int = 0, tls: bool = False) -> None:
        self.cloud = cloud
        self._host = check_host(host)
        self._port = port
        self._authority = Authority(host) if tls else None
        self._runner: web.ServerRunner | None = None

    @property
    def ca_path(self) -> str | None:
        return self._authority.path if self._authority else None

    async def start(self) -> None:
        """Listen; the cloud knows its URL afterwards."""
        # aiohttp wants the loop to run already when its server is made.
        self._runner = web.ServerRunner(web.Server(self.cloud.handle, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        context = self._authority.context if self._authority else None
        await web.TCPSite(self._runner, self._host, self._port, ssl_context=context).start()
        port = self._runner.addresses[0][1]
        shown = f"[{self._host}]" if ":" in self._host else self._host
        self.cloud.base_url = f"{'https' if context else 'http'}://{shown}:{port}"

    async def stop(self) -> None:
        """Close the port and remove the certificate."""
        if self._runner is not None:
            await self._runner.cleanup()
        self.close()

    def close(self) -> None:
        if self._authority:
            self._authority.close()

    def facts(self) -> dict[str, Any]:
        """The first line of output."""
        facts = self.cloud.facts()
        return {**facts, "ca_path": self.ca_path} if self.ca_path else facts


async def _cancel_the_rest() -> None:
    """End requests that were still waiting, so that the loop can be closed."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


class Simulator(SimulatorClient):
    """The simulator in a thread of this process, with the first line of output as attributes.

    The control methods go through HTTP, so tests can use a `SimulatorClient` of another process instead.
    """

    region: str
    project_id: str
    access_key: str
    secret_key: str
    username: str
    password: str
    domain_name: str
    projects: list[str]

    def __init__(
        self, scenario: Any = DEFAULT_SCENARIO, *, tls: bool = False, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._server = Server(Cloud(scenario), host, port, tls)
        self.ca_path = self._server.ca_path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
        self._thread.start()
        self._closed = False
        try:
            asyncio.run_coroutine_threadsafe(self._server.start(), self._loop).result(timeout=30)
        except BaseException:
            self._end_loop()
            self._server.close()
            raise
        super().__init__(self._server.cloud.base_url, self.ca_path or True)
        self._take(self._server.facts())

    def _take(self, facts: dict[str, Any]) -> None:
        for name, value in facts.items():
            setattr(self, name, value)

    def reset(self, scenario: Any = None) -> dict[str, Any]:
        """Back to the scenario, or to another one; the attributes follow."""
        facts = super().reset(scenario)
        self._take(facts)
        return facts

    def __enter__(self) -> Simulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server; may be called twice."""
        if self._closed:
            return
        self._closed = True
        super().close()
        asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop).result(timeout=30)
        self._end_loop()

    def _end_loop(self) -> None:
        asyncio.run_coroutine_threadsafe(_cancel_the_rest(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=30)
        self._loop.close()
