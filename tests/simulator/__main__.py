# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: starts the simulator, prints one line of JSON about it, and runs until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any

from .app import Cloud
from .faults import FaultError
from .scenarios import DEFAULT_SCENARIO, ScenarioError
from .server import HostError, Server, check_host
from .switches import SwitchError


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulator", description="Simulates DCS, DDS, IAM and the metadata service on loopback."
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    parser.add_argument("--tls", action="store_true", help="https with an own certificate authority")
    parser.add_argument("--scenario", default=DEFAULT_SCENARIO, metavar="NAME|FILE.json", help="also fleet:N:M")
    parser.add_argument("--faults", type=Path, metavar="FILE.json", help="a list of fault rules")
    given = parser.parse_args(words)
    try:
        check_host(given.host)
    except HostError as error:
        parser.error(str(error))
    if not 0 <= given.port <= 65535:
        parser.error("--port must be from 0 to 65535")
    return given


def _rules(path: Path | None) -> list[Any]:
    if path is None:
        return []
    try:
        rules = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FaultError(f"The fault file {path} cannot be read: {error}.") from None
    if not isinstance(rules, list):
        raise FaultError(f"The fault file {path} is not a list of rules.")
    return rules


async def _run(server: Server) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    try:
        print(json.dumps(server.facts()), flush=True)
        await stop.wait()
    finally:
        await server.stop()


def main(words: list[str] | None = None) -> int:
    """Run; the exit code is 0 after a signal, 2 when the start was refused."""
    given = _arguments(words)
    try:
        cloud = Cloud(given.scenario, _rules(given.faults))
    except (FaultError, ScenarioError, SwitchError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    server = Server(cloud, given.host, given.port, given.tls)
    try:
        asyncio.run(_run(server))
    except OSError as error:
        print(f"simulator: cannot listen on {given.host} port {given.port}: {error.strerror}", file=sys.stderr)
        return 2
    finally:
        server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
