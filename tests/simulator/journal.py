# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: every request to a service in the order of arrival, without any secret.

A request that the API's documents do not have, as its path or its method is none of theirs, is also a line in the file
that the variable SIMULATOR_UNDOCUMENTED names, if it is set. So tests learn of such a request whichever process runs
the simulator, and although the journal was emptied or the simulator has ended; see `tests/journal.py`.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VARIABLE = "SIMULATOR_UNDOCUMENTED"


@dataclass
class Entry:
    """One request. `status` is what was sent, None when nothing was; `processed` is whether the operation ran.

    `documented` is whether the method and the path are those of an operation, with an identifier in each place for one.

    `began` and `ended` are seconds of a clock that never goes back; `connection` is the caller's port.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    service: str | None
    operation: str | None
    auth: str
    request_headers: list[str]
    documented: bool = True
    status: int | None = None
    fault: str | None = None
    processed: bool = False
    connection: int | None = None
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return dict(self.__dict__)


@dataclass
class Journal:
    """All requests so far."""

    entries: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry) -> Entry:
        self.entries.append(entry)
        file = os.environ.get(VARIABLE)
        if file and not entry.documented:
            with Path(file).open("a", encoding="utf-8") as lines:
                # A path is printable: HTTP/1.1 has no other bytes there, and aiohttp refuses them.
                lines.write(f"{entry.method} {entry.path}\n")
        return entry

    def clear(self) -> None:
        # A new list: requests under way still write to the old one.
        self.entries = []

    def as_list(self) -> list[dict[str, Any]]:
        return [entry.as_dict() for entry in self.entries]
