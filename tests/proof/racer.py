# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module in several processes at the same moment."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier
from types import TracebackType
from typing import Any

from tests.harness.modules import run_module

_line: list[Barrier] = []


def _to_the_line(barrier: Barrier) -> None:
    _line.append(barrier)


def _go(module: str, options: dict[str, Any], environ: dict[str, str] | None) -> dict[str, Any]:
    _line[0].wait(60)
    return run_module(module, options, environ=environ)


class Racers:
    """So many processes, which are started once and run as many races as are asked for."""

    def __init__(self, count: int) -> None:
        # Not forked: the simulator runs in a thread of this process.
        context = multiprocessing.get_context("spawn")
        self._count = count
        self._pool = ProcessPoolExecutor(count, context, _to_the_line, (context.Barrier(count),))

    def __enter__(self) -> Racers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def run(self, module: str, options: dict[str, Any], environ: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """The results of the same task in all processes, none of which begins before the others are ready."""
        futures = [self._pool.submit(_go, module, options, environ) for _number in range(self._count)]
        return [future.result(120) for future in futures]
