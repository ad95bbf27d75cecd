# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile content: each answer of the API has places, and each place may hold each value of its kinds.

A value is text that stands in the JSON of an otherwise right answer; see C(edit) in C(tests/simulator/faults.py). What
replaces a whole answer is a fault of its own. The places are not all of the API's fields: those that the collection
reads have all values; the others, which it only hands on, have those of L(HANDED_ON).
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .stage import DONE

#: What stands for secrets of a run in a value: the one that the user gave, and what the request was sent with.
SECRET = "<the secret>"
SENT = "$[x-auth-token] $[x-security-token] $[x-metadata-token] $[authorization]"
#: In each value of a place that holds a secret: nothing that has this may come out.
MARK = "Zq7"

_DEEP = 5000
_MEGABYTE = 800_000
#: A body that would be several hundred megabytes if all of it were read.
_ZEROS = 400 * 2**20

ESCAPES = "EXTEND\x1b[2J\x1b]0;owned\x07\nok: [localhost] => all fine\r\n\x9b31m\u2028\u202e\u200b\x00\x7f"
JINJA = "{{ lookup('ansible.builtin.pipe', 'touch template-was-run') }}{% raw %}"


def _text(value: Any) -> str:
    return json.dumps(value)


#: For every place that is read: JSON text by name.
JUNK: dict[str, str] = {
    "null": "null",
    "true": "true",
    "zero": "0",
    "minus one": "-1",
    "a fraction": "1.5",
    "a word": _text("word"),
    "empty text": '""',
    "a blank": '" "',
    "an empty list": "[]",
    "an empty object": "{}",
    "a list of null": "[null]",
    "an object": '{"a": 1}',
    "a deep list": "[" * _DEEP + "]" * _DEEP,
    "a deep object": '{"a":' * _DEEP + "1" + "}" * _DEEP,
    "a list at depth 40": "[" * 40 + _text("x" * 5000) + "]" * 40,
    "NaN": "NaN",
    "infinity": "Infinity",
    "minus infinity": "-Infinity",
    "1e999": "1e999",
    "a huge integer": "1" + "0" * 400,
    "an integer too long": "9" * 5000,
    "a lone surrogate": '"a\\ud800b"',
    "a lone surrogate as a key": '{"\\udfff": 1}',
    "terminal escapes": _text(ESCAPES),
    "terminal escapes as a key": _text({ESCAPES: ESCAPES}),
    "a template": _text(JINJA),
    "a megabyte": _text("x" * _MEGABYTE),
    "a long key": _text({"k" * 100_000: 1}),
    "a secret": _text(f"so {SECRET} it is"),
    "a secret as a key": _text({SECRET: {f"a {SECRET}": [SECRET]}}),
    "what was sent": _text(SENT),
    "what was sent as a key": _text({SENT: 1, "$[x-auth-token]": 1, "$[x-security-token]": 2}),
    "an unknown type": '{"__ansible_type": "Nope"}',
    "a trusted template": _text(
        {
            "__ansible_type": "_AnsibleTaggedStr",
            "value": JINJA,
            "tags": [{"__ansible_type": "TrustedAsTemplate"}],
        }
    ),
    "unsafe text": _text({"__ansible_unsafe": JINJA}),
    "a vault": _text({"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n6162"}),
    "the same key twice": '{"a": 1, "a": "' + ESCAPES.encode("unicode_escape").decode().replace("\\x", "\\u00") + '"}',
    "words of results": _text({"failed": True, "changed": True, "_ansible_no_log": True, "ansible_facts": {"a": 1}}),
}
#: Texts that are no identifiers, and one that is.
IDS: dict[str, str] = {
    name: _text(value)
    for name, value in {
        "dot dot": "..",
        "dot": ".",
        "up and away": "../../instances",
        "a slash": "a/b",
        "a backslash": "a\\b",
        "percent dots": "%2e%2e",
        "a percent slash": "a%2Fb",
        "65 characters": "a" * 65,
        "5,000 characters": "a" * 5000,
        "digits of another script": "\u0661\u0662\u0663",
        "letters of another script": "\uff41\uff42",
        "a question mark": "a?limit=1",
        "a hash": "a#b",
        "a line end": f"{DONE}\n",
        "a null character": f"{DONE}\x00",
        "a hyphen first": "-a",
        "a semicolon": "a;b",
    }.items()
} | {"a digit": "7"}
WORDS: dict[str, str] = {
    name: _text(value)
    for name, value in {
        "SUCCESS": "SUCCESS",
        "success with a blank": " success ",
        "RUNNING": "RUNNING",
        "CANCELLED": "CANCELLED",
        "Canceled": "Canceled",
        "Pending": "Pending",
        "FAILED": "FAILED",
        "CREATED": "CREATED",
        "the word None": "None",
        "EXTEND": "EXTEND",
        "a name that is reserved": "localhost",
        "a name of a group": "dcs",
    }.items()
}
TIMES: dict[str, str] = {
    name: _text(value)
    for name, value in {
        "an impossible time": "2020-13-45T99:99:99Z",
        "the year 0": "0000-00-00T00:00:00Z",
        "the first year": "0001-01-01T00:00:00+2359",
        "the last year": "9999-12-31T23:59:59-2359",
        "a date of HTTP": "Wed, 21 Oct 2015 07:28:00 GMT",
        "a compact time": "20200617081806",
        "a time of two lines": "2020-06-17T08:18:06Z\n2020-06-17T08:18:06Z",
        "an impossible hour": "25:61:00",
        "two hyphens": "02:00-03:00-04:00",
    }.items()
} | {"milliseconds": "1592381886597"}
COUNTS: dict[str, str] = {
    "the count 1": "1",
    "the count 2 as text": '"2"',
    "10,000": "10000",
    "10,000 as text": '"10000"',
    "a negative count as text": '"-5"',
    "a fraction as text": '"1.5"',
    "a count of another script": _text("\u0663"),
    "a long count as text": _text("9" * 400),
}
LISTS: dict[str, str] = {
    "a list of numbers": "[5]",
    "a list of lists": "[[]]",
    "a list of words": '["x"]',
    "an object of objects": '{"0": {}}',
    "a list of empty objects": "[{}, {}]",
    "many nulls": "[" + "null," * 5000 + "null]",
}
#: Values of what is only handed on.
HANDED_ON = ("null", "an unknown type", "a lone surrogate", "terminal escapes")

#: Not a text but a change: the kinds of places that have it, and what is done.
CHANGES = ("missing", "twice", "twice in the other case", "in the other case", "nothing, as null")
#: What is as good as the right answer: nothing may fail over it.
FINE = ("nothing, as null", "cookies")


class Place(NamedTuple):
    """A part of an answer: of which operation, where in its JSON, and what kinds of values it has beside L(JUNK)."""

    service: str
    operation: str
    at: tuple[str | int, ...]
    kinds: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join(map(str, self.at)) or "(all of it)"


class Cell(NamedTuple):
    """One value in one place, in the first answer of the operation or in all of them."""

    place: Place
    value: str
    always: bool

    def __str__(self) -> str:
        how = "all answers" if self.always else "the first answer"
        return f"{self.place.operation} of {self.place.service}: {self.place} is {self.value!r} in {how}"


_VALUES: dict[str, dict[str, str]] = {"id": IDS, "word": WORDS, "time": TIMES, "count": COUNTS, "list": LISTS}


# --- Places ----------------------------------------------------------------------------------------------------------

#: The last record of a listing, and the first one: what has ended long ago, and what waits.
_ENDS = (-1, 0)
#: Kinds of places that are looked at in both; other places are in the last one only, which all states work on.
_AT_BOTH_ENDS = ("id", "word")

#: Keys of a record that no document has.
_ODD_KEYS = (
    *("a b", "x-y", "1a", "", ESCAPES, "a\ud800b", SECRET, "__ansible_type", "__ansible_unsafe", "__ansible_vault"),
    *("_ansible_no_log", "ansible_connection", "k" * 10_000),
)

_TASK: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "name": ("word",),
    "status": ("word",),
    "created_at": ("time",),
    "updated_at": ("time",),
    "details": (),
    "description": (),
}
#: By operation: the list and its record's fields that are read, with their kinds; C(description) stands for any other.
_LISTINGS: dict[tuple[str, str], tuple[str, str | None, dict[str, tuple[str, ...]]]] = {
    ("dcs", "ListBackgroundTask"): ("tasks", "task_count", _TASK),
    ("dcs", "ListCenterTask"): ("tasks", "task_count", _TASK),
    ("dcs", "ListInstances"): (
        "instances",
        "instance_num",
        {
            "instance_id": ("id",),
            "name": ("word", "id"),
            "status": ("word",),
            "engine": (),
            "maintain_begin": ("time",),
            "tags": ("list",),
            "description": (),
            "maintenance_window": (),
        },
    ),
    ("dds", "ListInstances"): (
        "instances",
        "total_count",
        {
            "id": ("id",),
            "name": ("word", "id"),
            "status": ("word",),
            "datastore": (),
            "maintenance_window": ("time",),
            "tags": ("list",),
            "description": (),
        },
    ),
    ("dds", "ListScheduledTasks"): (
        "schedules",
        "total_count",
        {
            "job_id": ("id",),
            "job_name": ("word",),
            "job_status": ("word",),
            "instance_id": ("id",),
            "instance_name": (),
            "create_time": ("time",),
            "start_time": ("time",),
            "description": (),
        },
    ),
    ("iam", "KeystoneListProjects"): ("projects", None, {"id": ("id",), "name": ("word",), "description": ()}),
}
#: The places of single answers; those that hold a secret have the kind C(secret).
_SINGLE: dict[tuple[str, str], dict[tuple[str | int, ...], tuple[str, ...]]] = {
    ("dcs", "ShowBackgroundTaskProgress"): {
        ("progress",): ("count",),
        ("remain_time",): ("count",),
        ("step_details",): ("list",),
        ("step_details", 0): (),
        ("step_details", 0, "step_name"): ("word",),
        ("step_details", 0, "step_status"): ("word",),
        ("step_details", 0, "begin_time"): ("time",),
    },
    ("dcs", "DeleteBackgroundTask"): {("message",): ("word",), ("error_code",): (), ("error_msg",): ()},
    ("dcs", "DeleteCenterTask"): {("message",): ("word",), ("error_code",): (), ("error_msg",): ()},
    ("dcs", "CancelInstanceResize"): {("result",): ("word",), ("error_code",): (), ("error_msg",): ()},
    ("dds", "CancelScheduledTask"): {},
    ("iam", "KeystoneCreateUserTokenByPassword"): {
        ("token",): (),
        ("token", "expires_at"): ("time",),
        ("token", "project"): (),
        ("token", "project", "id"): ("id",),
        ("token", "user"): (),
        ("header",): ("secret",),
    },
    ("iam", "CreateTemporaryAccessKey"): {
        ("credential",): (),
        ("credential", "access"): ("secret",),
        ("credential", "secret"): ("secret",),
        ("credential", "securitytoken"): ("secret",),
        ("credential", "expires_at"): ("time",),
    },
    ("metadata", "ShowSecurityKey"): {
        ("credential",): (),
        ("credential", "access"): ("secret",),
        ("credential", "secret"): ("secret",),
        ("credential", "securitytoken"): ("secret",),
    },
    ("metadata", "CreateMetadataToken"): {},
}
OPERATIONS = (*_LISTINGS, *_SINGLE)
#: The one answer whose secret is in a header.
_HEADER = ("header",)


def _places_of(key: tuple[str, str]) -> Iterator[Place]:
    yield Place(*key, (), ("body",))
    if key in _LISTINGS:
        records, count, fields = _LISTINGS[key]
        yield Place(*key, (records,), ("list",))
        if count is not None:
            yield Place(*key, (count,), ("count",))
        for end in _ENDS:
            yield Place(*key, (records, end), ("record",))
            for name, kinds in fields.items():
                if end == _ENDS[0] or set(kinds) & set(_AT_BOTH_ENDS):
                    yield Place(*key, (records, end, name), kinds)
        for name in _ODD_KEYS:
            yield Place(*key, (records, _ENDS[0], name), ("key",))
    else:
        for at, kinds in _SINGLE[key].items():
            yield Place(*key, at, kinds)


#: All places whose values are read, by operation.
PLACES: dict[tuple[str, str], list[Place]] = {key: list(_places_of(key)) for key in OPERATIONS}


def handed_on(key: tuple[str, str], names: Iterable[str]) -> list[Place]:
    """The other fields of the first record of a listing, of all that it has."""
    records, _count, fields = _LISTINGS[key]
    return [Place(*key, (records, 0, name), ("handed on",)) for name in names if name not in fields]


# --- Values ----------------------------------------------------------------------------------------------------------

#: Secrets that are none, or cannot be in a header.
SECRETS: dict[str, str] = {
    name: _text(value)
    for name, value in {
        "a secret of two lines": f"{MARK}aaaaaaaaaaaa\nX-Other: {MARK}bbbbbbbb",
        "a secret with a null character": f"{MARK}aaaaaaaaaaaa\x00bbbbbbbb",
        "a secret of another script": f"{MARK}aaaaaaaaaaaa\u0661\u4e00",
        "a secret that is too long": MARK + "a" * 200_000,
        "a secret with terminal escapes": f"{MARK}aaaaaaaa{ESCAPES}",
    }.items()
} | {
    "a secret with a lone surrogate": f'"{MARK}aaaaaaaaaaaa\\ud800"',
    "a secret in a list": _text([f"{MARK}aaaaaaaaaaaa"]),
    "a secret in an object": _text({f"{MARK}aaaaaaaaaaaa": f"{MARK}bbbbbbbbbb"}),
}
#: What a header can hold.
_HEADERS: dict[str, str] = {
    "empty text": "",
    "a blank": " ",
    "a short secret": f"{MARK}a",
    "a secret of another script": f"{MARK}aaaaaaaaaaaa\u0661\u4e00",
    "a secret with a tab": f"{MARK}aaaaaa\tbbbbbbbb",
    "a secret that is too long": MARK + "a" * 7000,
}


def _zeros() -> bytes:
    # Members of a gzip stream may follow one another.
    return gzip.compress(gzip.compress(bytes(2**20)) * (_ZEROS // 2**20))


def _said(status: int, body: Any = None, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    # A service that redirects or refuses has not done it, but whatever else it says.
    return {"status": status, "body": body, "headers": named, "processed": status < 300}


def _not_done(status: int, body: Any) -> dict[str, Any]:
    return {**_said(status, body), "processed": False}


def _bytes(status: int, raw: bytes, **headers: str) -> dict[str, Any]:
    fault = _said(status, **{"Content_Type": "application/json", **headers})
    del fault["body"]
    return {**fault, "base64": base64.b64encode(raw).decode()}


_JSON = {"Content_Type": "application/json"}
_ECHO = f"{MARK}cccccccccccc {SECRET} {SENT}"
#: What a whole answer may be, beside the values of L(JUNK).
BODIES: dict[str, dict[str, Any]] = {
    "nothing": _said(200),
    "204": _said(204),
    "HTML": _said(200, f"<html>\n<h1>Sign in\x1b[2J</h1>{_ECHO}</html>"),
    "HTML of 201": _said(201, f"<html>{_ECHO}</html>"),
    "no JSON of 201": _said(201, f'{{"token": "{_ECHO}"', **_JSON),
    "half": _said(200, '{"tasks": [{"id": "', **_JSON),
    "JSON twice": _said(200, "{}{}", **_JSON),
    "JSON after a mark": _bytes(200, b"\xef\xbb\xbf{}"),
    "UTF-16": _bytes(200, '{"tasks": []}'.encode("utf-16")),
    "bytes": _bytes(200, bytes(range(256)) * 20),
    "never closed": _said(200, "[" * 100_000, **_JSON),
    "an error of 200": _not_done(
        200, {"error_code": "DCS.5000\x1b[2J", "error_msg": f"No.\n{ESCAPES} {SECRET} {SENT}"}
    ),
    "not done, and says so": _not_done(200, {"message": "failed, still running"}),
    "not done, and says little": _not_done(202, {}),
    "an error of 400": _said(400, {"error_code": "DCS.4800", "error_msg": f"{ESCAPES} {SECRET} {SENT} {'x' * 9000}"}),
    "an error with odd words": _said(
        400, {"error_code": f"A\x1b[2J\n{SECRET}", "error_msg": {"a": 1}, "request_id": 5}
    ),
    "an error with an odd request id": _said(404, {"error_code": "DCS.4404"}, X_Request_Id=f"{SECRET}{'y' * 5000}"),
    "keys that are taken": _said(200, {"code": 1, "message": f"failed, still running {SECRET} {SENT}"}),
    "zeros, twice gzipped": _bytes(200, _zeros(), Content_Encoding="gzip, gzip"),
    "gzip that is none": _bytes(200, b"{}", Content_Encoding="gzip"),
    "an encoding that nobody knows": _bytes(200, b"{}", Content_Encoding="br"),
    "a redirect to nowhere": _said(302, "x", Location="http://["),
    "a redirect to an odd port": _said(307, f"<html>{_ECHO}", Location="//a:99999999/%1b[2J"),
    "a redirect to a file": _said(301, "", Location="file:///etc/passwd"),
    "a redirect with zeros": _bytes(302, _zeros(), Content_Encoding="gzip, gzip", Location="/v2/x"),
    "many choices": _said(300, {"tasks": []}),
    "not modified": _said(304),
    "cookies": {"edit": [], "headers": {"Set-Cookie": f"a={MARK}cookie; Path=/; Max-Age=999999"}},
}
#: What takes long to read, even only up to a limit.
LARGE = ("zeros, twice gzipped", "a redirect with zeros")


def values_of(place: Place) -> list[str]:
    """The names of all values of a place."""
    if place.at == _HEADER:
        return [*_HEADERS, "missing"]
    if "handed on" in place.kinds:
        return list(HANDED_ON)
    if "key" in place.kinds:
        return ["a word"]
    names = [*JUNK, *(name for kind in place.kinds for name in _VALUES.get(kind, ()))]
    if "body" in place.kinds:
        return [*names, *BODIES]
    if "secret" in place.kinds:
        names += SECRETS
    names.append("missing")
    if (
        "list" in place.kinds
        and _LISTINGS.get((place.service, place.operation), (None, None))[1]
        and len(place.at) == 1
    ):
        names.append("nothing, as null")
    if "record" in place.kinds:
        names.append("twice")
        names.append("twice in the other case")
    if "id" in place.kinds or "word" in place.kinds:
        names.append("in the other case")
    return list(dict.fromkeys(names))


def identifiers(name: str) -> set[str]:
    """The identifiers that a value names: what has them may be asked for under them."""
    text = {**JUNK, **IDS, **WORDS, **TIMES, **COUNTS}.get(name, "")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return set()
    return {value} if isinstance(value, str) else set()


def _changes(place: Place, name: str) -> list[dict[str, Any]]:
    at = list(place.at)
    if name == "missing":
        return [{"at": at, "remove": True}]
    if name == "in the other case":
        return [{"at": at, "swapcase": True}]
    if name == "nothing, as null":
        _records, count, _fields = _LISTINGS[place.service, place.operation]
        return [{"at": at, "to": "null"}, {"at": [count], "to": '"0"'}]
    if name.startswith("twice"):
        records, _index = at
        _list, _count, fields = _LISTINGS[place.service, place.operation]
        # The copy is the last one of the list.
        changes: list[dict[str, Any]] = [{"at": at, "twice": True}]
        if name.endswith("case"):
            changes.append({"at": [records, -1, next(iter(fields))], "swapcase": True})
        return changes
    kinds: Iterable[dict[str, str]] = (JUNK, IDS, WORDS, TIMES, COUNTS, LISTS, SECRETS)
    return [{"at": at, "to": next(values[name] for values in kinds if name in values)}]


def fault_of(cell: Cell, secret: str) -> dict[str, Any]:
    """The simulator's fault that makes this cell."""
    place, name = cell.place, cell.value
    if "body" in place.kinds and name in BODIES:
        fault = BODIES[name]
    elif place.at == _HEADER:
        fault = {"edit": [], "headers": {"X-Subject-Token": "" if name == "missing" else _HEADERS[name]}}
    else:
        fault = {"edit": _changes(place, name)}
    # As JSON, so that what is put in is quoted as its surroundings are.
    text = json.dumps(fault)
    quoted = json.dumps(secret)[1:-1]
    return json.loads(text.replace(SECRET, quoted))


def rule_of(cell: Cell, secret: str) -> dict[str, Any]:
    """The simulator's rule that makes this cell."""
    place = cell.place
    times = None if cell.always else 1
    return {
        "service": place.service,
        "operation": place.operation,
        "times": times,
        "fault": fault_of(cell, secret),
    }
