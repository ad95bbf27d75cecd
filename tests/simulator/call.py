# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operation gets and gives: a call that has passed sign-in, and an answer; and how lists are paged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .errors import Refusal
from .identity import Identity, User
from .state import Project, World, encode
from .switches import Switches

Item = TypeVar("Item")

# The largest numbers of the formats int32 and int64.
INT32, INT64 = 2**31 - 1, 2**63 - 1

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
HEX32 = re.compile(r"[0-9a-fA-F]{32}", re.ASCII)
DDS_INSTANCE_ID = re.compile(r"[0-9a-f]{32}in\d\d", re.ASCII)


@dataclass
class Answer:
    """Status, body and extra headers; no body at all when `body` is empty."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, encode(value), headers or {})


@dataclass
class Call:
    """One request to one operation."""

    world: World
    identity: Identity
    base_url: str
    now: float
    path: dict[str, str]
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    user: User | None = None
    found_project: Project | None = None

    @property
    def switches(self) -> Switches:
        return self.world.switches

    @property
    def project(self) -> Project:
        if self.found_project is None:
            raise RuntimeError("the operation has no project")
        return self.found_project

    def text(self, name: str) -> str | None:
        """A query parameter, None when it is missing or empty."""
        values = self.query.get(name)
        return values[0] if values and values[0] != "" else None

    def number(self, name: str, default: int, low: int, high: int, refusal: Refusal) -> int:
        """A whole number of the query within its range; the refusal otherwise."""
        values = self.query.get(name)
        if not values:
            return default
        if not re.fullmatch(r"\d{1,19}", values[0], re.ASCII):
            raise refusal
        value = int(values[0])
        if not low <= value <= high:
            raise refusal
        return value

    def json_object(self, empty: Refusal, wrong: Refusal) -> dict[str, Any]:
        """The body as a JSON object, sent as JSON; a request that does not say what its body is may be right."""
        kind = self.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise wrong
        if not self.body.strip():
            raise empty
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            raise wrong from None
        if not isinstance(value, dict):
            raise wrong
        return value


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Operation:
    """An operation of a service: its names, its route, the IAM action it needs, and what does it."""

    service: str
    name: str
    method: str
    route: str
    action: str
    run: Handler


def page(items: Sequence[Item], offset: int, limit: int, switches: Switches) -> Sequence[Item]:
    """The records asked for, disturbed as the switch `page_fault` says."""
    fault = switches["page_fault"]
    if fault == "repeated":
        offset = 0
    elif fault == "short" and len(items) - offset > 1:
        # Shorter than the limit although more exist; a reader that advances by what it got loses nothing.
        limit = max(1, min(limit, len(items) - offset) // 2)
    elif fault == "empty" and 0 < offset < len(items):
        switches.change({"page_fault": "none"})
        return ()
    return items[offset : offset + limit]


def tag_pairs(wanted: str | None) -> list[tuple[str, str]]:
    """Keys and values of `k=v,k2=v2`; a value may be missing."""
    parts = [part.partition("=") for part in wanted.split(",")] if wanted else []
    return [(key, value) for key, _unused, value in parts]


def matches_tags(wanted: list[tuple[str, str]], tags: Any) -> bool:
    """Whether all of these pairs are among the tags of an instance."""
    if not wanted:
        return True
    present = {(str(tag.get("key")), str(tag.get("value", ""))) for tag in tags or ()}
    return present.issuperset(wanted)
