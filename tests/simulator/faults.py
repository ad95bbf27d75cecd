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
| `{"edit": [...], "headers": {}}` | processed; the right body with these changes, and with these headers |
| `drop_before`, `reset` | the connection is closed, or reset, before anything is processed |
| `drop_after` | processed, then the connection is closed without an answer |
| `{"delay": seconds}` | processed after a pause |
| `truncate` | processed; half of the answer, then the connection is closed |
| `garbage`, `wrong_type` | processed; a body that is not JSON, or is a JSON list instead of an object |
| `content_type` | processed; the right body called `text/html` |
| `{"redirect": url}` | not processed; 307 with `Location` |
| `{"huge": bytes}` | not processed; 200 with a JSON body of about that size |

`body` is JSON, or text that is sent as it is; `base64` may stand for it, for a body of any bytes. In a body and in the
texts of `edit`, `$[name]` is what the request had in the header of this name in lower case, as part of a JSON text.

A change of `edit` names a place in the answer's JSON by its keys and numbers, `[]` for all of it. A number may be
negative; `"*"` is each entry of a list. A place that the answer does not have is left out, but for a new key. What
becomes of the place:

    {"at": ["tasks", 0, "id"], "to": "1e999"}                   this text, which need not be valid JSON
    {"at": ["tasks", 0, "id"], "remove": true}
    {"at": ["tasks", 0], "twice": true}                         a copy of it is appended to its list
    {"at": ["tasks", 0, "id"], "swapcase": true}                the same text in the other case
"""

from __future__ import annotations

import base64
import binascii
import copy
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_PLAIN = ("drop_before", "drop_after", "truncate", "garbage", "reset", "wrong_type", "content_type", "huge")
_KINDS = (*_PLAIN, "status", "redirect", "edit")
_KEYS = {"operation", "service", "method", "path", "times", "skip", "fault"}
_HUGE_DEFAULT = 64 * 1024 * 1024
# What a rule may ask for at most: a pause of an hour, a body of a gigabyte.
_DELAY_MOST, _HUGE_MOST = 3600, 1024**3
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,100}", re.ASCII)
_CHANGES = ("to", "remove", "twice", "swapcase")
_HEADER = re.compile(rb"\$\[([a-z0-9-]+)\]")


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
    edits: tuple[dict[str, Any], ...] = ()

    @property
    def before(self) -> bool:
        """Whether the request is not processed at all."""
        if self.kind == "status":
            return not self.processed
        return self.kind in ("drop_before", "reset", "redirect", "huge")


def _number(value: Any, what: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise FaultError(f"{what} must be a number from 0 to {most}, not {str(value)[:60]}.")
    return float(value)


def _header_value(value: Any, what: str) -> str:
    """Text that cannot end the header that it is put into."""
    text = str(value)
    if not text.replace("\t", " ").isprintable():
        raise FaultError(f"{what} must be printable text.")
    return text


def _body(given: dict[str, Any]) -> Any:
    if "base64" not in given:
        return given.get("body")
    try:
        if "body" in given:
            raise FaultError("A fault has either body or base64.")
        return base64.b64decode(str(given["base64"]), validate=True)
    except binascii.Error:
        raise FaultError("base64 must be bytes in Base64.") from None


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
    unknown = set(given) - set(_KINDS) - {"delay", "body", "base64", "headers", "processed"}
    if unknown or len(kinds) > 1 or not (kinds or "delay" in given):
        raise FaultError(f"A fault has exactly one of {', '.join(_KINDS)} and may have delay, not {sorted(given)}.")
    kind = kinds[0] if kinds else "delay"
    if kind != "status" and {"body", "base64", "processed"} & set(given):
        raise FaultError("body, base64 and processed belong to the fault status.")
    if kind not in ("status", "edit") and "headers" in given:
        raise FaultError("headers belong to the faults status and edit.")
    status = given.get("status", 500)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise FaultError(f"status must be an integer from 200 to 599, not {status!r}.")
    headers = given.get("headers", {})
    if not isinstance(headers, dict) or not all(map(_HEADER_NAME.fullmatch, headers)):
        raise FaultError("headers must be an object, with names of headers as keys.")
    huge = given.get("huge")
    location = given.get("redirect", "")
    if kind == "redirect" and not isinstance(location, str):
        raise FaultError("redirect must be a URL.")
    return Fault(
        kind,
        delay=_number(given.get("delay", 0), "delay", _DELAY_MOST),
        status=status,
        body=_body(given),
        headers={name: _header_value(value, f"The header {name}") for name, value in headers.items()},
        processed=bool(given.get("processed", False)),
        location=_header_value(location, "redirect"),
        size=_HUGE_DEFAULT if huge in (None, True, False) else int(_number(huge, "huge", _HUGE_MOST)),
        edits=_edits(given["edit"]) if kind == "edit" else (),
    )


def _edits(given: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(given, list):
        raise FaultError("edit must be a list of changes.")
    for change in given:
        kinds = [key for key in _CHANGES if isinstance(change, dict) and key in change]
        if len(kinds) != 1 or set(change) != {"at", kinds[0]} or not _is_place(change["at"]):
            raise FaultError(f"A change of edit has at, which is a place, and one of {', '.join(_CHANGES)}.")
        if not isinstance(change.get("to", ""), str):
            raise FaultError("to must be a text.")
    return tuple(given)


def _is_place(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(key, (str, int)) and not isinstance(key, bool) and not (isinstance(key, int) and abs(key) > 10**6)
        for key in value
    )


def with_headers(raw: bytes, headers: Mapping[str, str]) -> bytes:
    """The body of a fault, with the request's headers where it asks for them."""
    return _HEADER.sub(lambda match: json.dumps(headers.get(match[1].decode(), ""))[1:-1].encode(), raw)


def edited(body: bytes, edits: tuple[dict[str, Any], ...], headers: Mapping[str, str]) -> bytes:
    """The JSON body of an answer with these changes; what is no JSON counts as null."""
    if not edits:
        return body
    try:
        top = [json.loads(body)]
    except ValueError:
        top = [None]
    texts: dict[str, bytes] = {}
    for change in edits:
        for holder, key in list(_holders(top, [0, *change["at"]], new="to" in change)):
            if "remove" in change:
                del holder[key]
            elif "twice" in change:
                if isinstance(holder, list):
                    holder.append(copy.deepcopy(holder[key]))
            elif "swapcase" in change:
                holder[key] = holder[key].swapcase() if isinstance(holder[key], str) else holder[key]
            else:
                # The text stands in for a word that cannot be in the answer, once all is JSON again.
                holder[key] = word = f"place {secrets.token_hex(16)}"
                texts[word] = with_headers(change["to"].encode("utf-8", "surrogatepass"), headers)
    raw = json.dumps(top[0]).encode() if top else b""
    for word, text in texts.items():
        raw = raw.replace(b'"%s"' % word.encode(), text)
    return raw


def _holders(holder: Any, place: list[Any], *, new: bool) -> Iterator[tuple[Any, Any]]:
    """What holds each value at a place, and its key there; with C(new) also where an object has no such key yet."""
    key, *rest = place
    if key == "*" and isinstance(holder, list):
        for index in range(len(holder)):
            yield from _holders(holder, [index, *rest], new=new)
        return
    if isinstance(holder, dict) and isinstance(key, str):
        there = key in holder or (new and not rest)
    elif isinstance(holder, list) and isinstance(key, int):
        there = -len(holder) <= key < len(holder)
    else:
        return
    if rest and there:
        yield from _holders(holder[key], rest, new=new)
    elif there:
        yield holder, key


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
    if not isinstance(given, dict) or given.get("fault") is None:
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
