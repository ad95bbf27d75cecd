# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock for modules that run in this process: to sleep puts it ahead instead of taking time."""

from __future__ import annotations

import importlib
import inspect
import sys
import time
from collections.abc import Iterable
from types import ModuleType

import pytest

from tests.harness.modules import COLLECTION

#: A thread that waits for another one sleeps no longer than this, in seconds.
_TURN = 0.05


class Clock(ModuleType):
    """Stands in for the module C(time); with C(real) sleeping takes time after all."""

    def __init__(self) -> None:
        super().__init__("time")
        self.ahead = 0.0
        self.real = False

    def __getattr__(self, name: str) -> object:
        return getattr(time, name)

    def monotonic(self) -> float:
        """The machine's clock, plus all that was slept without taking time."""
        return time.monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        """Put the clock ahead, or wait for other threads, of which somebody looks again and again."""
        if self.real or seconds <= _TURN:
            time.sleep(seconds)
        else:
            self.ahead += seconds


def install(monkeypatch: pytest.MonkeyPatch, modules: Iterable[str]) -> Clock:
    """Give the clock to all files that these modules use, also where a default argument holds a function of C(time)."""
    for name in modules:
        importlib.import_module(f"{COLLECTION}.modules.{name}")
    clock = Clock()
    for name, module in list(sys.modules.items()):
        if not name.startswith(f"{COLLECTION}.module_utils."):
            continue
        if getattr(module, "time", None) is time:
            monkeypatch.setattr(module, "time", clock)
        for defined in vars(module).values():
            if not inspect.isclass(defined) or defined.__module__ != name:
                continue
            defaults = getattr(vars(defined).get("__init__"), "__kwdefaults__", None) or {}
            for key, value in defaults.items():
                if value is time.monotonic:
                    monkeypatch.setitem(defaults, key, clock.monotonic)
                elif key == "wait":
                    # Otherwise it is an event of the client's own.
                    monkeypatch.setitem(defaults, key, clock.sleep)
    return clock
