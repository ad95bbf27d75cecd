# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory something needs at its peak, beyond what the process has before it."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _kilobytes(name: str) -> int:
    line = next(line for line in _STATUS.read_text("ascii").splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])


def _peak_of_linux() -> int:
    return _kilobytes("VmHWM")


def _highest_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@contextlib.contextmanager
def growth() -> Iterator[list[int]]:
    """Yields a list that afterwards holds the number of bytes by which the process's peak has grown."""
    grown: list[int] = []
    try:
        # Linux: the peak begins anew.
        _CLEAR.write_text("5", "ascii")
        before, peak = _kilobytes("VmRSS"), _peak_of_linux
    except OSError:
        # Elsewhere only what is more than ever before can be seen.
        before, peak = _highest_peak(), _highest_peak
    yield grown
    grown.append(max(0, peak() - before) * 1024)
