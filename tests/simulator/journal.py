# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: every request to a service in the order of arrival, without any secret."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Entry:
    """One request. `status` is what was sent, None when nothing was; `processed` is whether the operation ran.

    `began` and `ended` are seconds of a clock that never goes back; `connection` is the caller's port.
    """

    method: str
    path: str
    query: dict[str, list[str]]
    service: str | None
    operation: str | None
    auth: str
    request_headers: list[str]
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
        return entry

    def clear(self) -> None:
        # A new list: requests under way still write to the old one.
        self.entries = []

    def as_list(self) -> list[dict[str, Any]]:
        return [entry.as_dict() for entry in self.entries]
