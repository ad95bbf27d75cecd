# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fault rules: which requests go wrong, how often, and how.

A rule is `{"operation", "service", "method", "path", "times", "skip", "fault"}`. What is given of the first four must
all match: `operation` is a name such as `ListBackgroundTask`, `path` a regular expression searched in the raw path.
`times` is how many requests are hit (1; null for all), `skip` how many that match are let through before. The first
rule that still applies wins. `fault` is a kind, or an object with one kind as key and optionally `delay`:

| kind | effect |
|---|---|
| `{"status": n, "body": any, "headers": {}}` | this answer instead; with `"processed": true` the operation runs first |
| `drop_before`, `reset` | the connection is closed, or reset, before anything is processed |
| `drop_after` | processed, then the connection is closed without an answer |
| `{"delay": seconds}` | processed after a pause |
| `truncate` | processed; half of the answer, then the connection is closed |
| `garbage`, `wrong_type` | processed; a body that is not JSON, or is a JSON list instead of an object |
| `content_type` | processed; the right body called `text/html` |
| `{"redirect": url}` | not processed; 307 with `Location` |
| `{"huge": bytes}` | not processed; 200 with a JSON body of about that size |
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_PLAIN = ("drop_before", "drop_after", "truncate", "garbage", "reset", "wrong_type", "content_type", "huge")
_KINDS = (*_PLAIN, "status", "redirect")
_KEYS = {"operation", "service", "method", "path", "times", "skip", "fault"}
_HUGE_DEFAULT = 64 * 1024 * 1024


class FaultError(ValueError):
    """A rule cannot be read."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request."""

    kind: str
    delay: float = 0.0
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    processed: bool = False
    location: str = ""
    size: int = _HUGE_DEFAULT

    @property
    def before(self) -> bool:
        """Whether the request is not processed at all."""
        if self.kind == "status":
            return not self.processed
        return self.kind in ("drop_before", "reset", "redirect", "huge")


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise FaultError(f"{what} must be a number not below 0, not {value!r}.")
    return float(value)


def parse_fault(given: Any) -> Fault:
    """Read what follows `fault`."""
    if isinstance(given, str):
        if given not in _PLAIN:
            known = ", ".join((*_KINDS, "delay"))
            raise FaultError(f"There is no fault named {given!r}. There are: {known}.")
        return Fault(given)
    if not isinstance(given, dict):
        raise FaultError("A fault is a name or an object.")
    kinds = [kind for kind in _KINDS if given.get(kind) not in (None, False)]
    unknown = set(given) - set(_KINDS) - {"delay", "body", "headers", "processed"}
    if unknown or len(kinds) > 1 or not (kinds or "delay" in given):
        raise FaultError(f"A fault has exactly one of {', '.join(_KINDS)} and may have delay, not {sorted(given)}.")
    kind = kinds[0] if kinds else "delay"
    if kind != "status" and {"body", "headers", "processed"} & set(given):
        raise FaultError("body, headers and processed belong to the fault status.")
    status = given.get("status", 500)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise FaultError(f"status must be an integer from 200 to 599, not {status!r}.")
    headers = given.get("headers", {})
    if not isinstance(headers, dict):
        raise FaultError("headers must be an object.")
    huge = given.get("huge")
    location = given.get("redirect", "")
    if kind == "redirect" and not isinstance(location, str):
        raise FaultError("redirect must be a URL.")
    return Fault(
        kind,
        delay=_number(given.get("delay", 0), "delay"),
        status=status,
        body=given.get("body"),
        headers={str(name): str(value) for name, value in headers.items()},
        processed=bool(given.get("processed", False)),
        location=str(location),
        size=_HUGE_DEFAULT if huge in (None, True, False) else int(_number(huge, "huge")),
    )


@dataclass
class Rule:
    """A fault, the requests it hits, and how many of them are left."""

    given: dict[str, Any]
    fault: Fault
    path: re.Pattern[str] | None
    times: int | None
    skip: int

    def matches(self, service: str | None, operation: str | None, method: str, path: str) -> bool:
        return (
            self.given.get("operation") in (None, operation)
            and self.given.get("service") in (None, service)
            and self.given.get("method", method).upper() == method
            and (self.path is None or self.path.search(path) is not None)
        )

    def as_dict(self) -> dict[str, Any]:
        return {**self.given, "times": self.times, "skip": self.skip}


def _count(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise FaultError(f"{what} must be an integer not below 0, not {value!r}.")
    return value


def parse_rule(given: Any, operations: frozenset[str]) -> Rule:
    """Read one rule; a misspelt operation is refused, since it would never match."""
    if not isinstance(given, dict) or "fault" not in given:
        raise FaultError("A fault rule is an object with a fault.")
    unknown = set(given) - _KEYS
    if unknown:
        raise FaultError(f"A fault rule has no {', '.join(sorted(unknown))}; it has {', '.join(sorted(_KEYS))}.")
    for key in ("operation", "service", "method", "path"):
        if given.get(key) is not None and not isinstance(given[key], str):
            raise FaultError(f"{key} must be a text.")
    given = {key: value for key, value in given.items() if value is not None or key == "times"}
    if "operation" in given and given["operation"] not in operations:
        raise FaultError(f"There is no operation {given['operation']!r}. There are: {', '.join(sorted(operations))}.")
    try:
        path = re.compile(given["path"]) if "path" in given else None
    except re.error as error:
        raise FaultError(f"path is not a regular expression: {error}.") from None
    times = given.get("times", 1)
    return Rule(
        given,
        parse_fault(given["fault"]),
        path,
        None if times is None else _count(times, "times"),
        _count(given.get("skip", 0), "skip"),
    )


class Faults:
    """The rules that are left."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def set(self, given: Any, operations: frozenset[str]) -> None:
        """Replace all rules."""
        if not isinstance(given, list):
            raise FaultError("The faults must be a list of rules.")
        self.rules = [parse_rule(rule, operations) for rule in given]

    def take(self, service: str | None, operation: str | None, method: str, path: str) -> Fault | None:
        """The fault of this request, if any; counts it."""
        for rule in self.rules:
            if not rule.matches(service, operation, method, path) or rule.times == 0:
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            if rule.times is not None:
                rule.times -= 1
            self.rules = [each for each in self.rules if each.times != 0]
            return rule.fault
        return None
