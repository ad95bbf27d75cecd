# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signals that end a task, in tests that are run by nohup or in the background of a shell.

There, this process ignores SIGHUP or SIGINT from its start, and so would each process that a test starts.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextlib.contextmanager
def not_ignored() -> Iterator[None]:
    """What is run in this block, or is started in it as a process of its own, does not ignore these signals.

    One that this process ignores gets a handler that does nothing, so that it still does not end the tests; a program
    that is started gets the default in its place. Works in the main thread only, as signals do in Python.
    """
    ignored = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda _number, _frame: None)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)
