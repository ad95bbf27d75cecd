# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that nobody promised: valid ones with something wrong somewhere, and what is no valid answer at all.

A seed makes an answer. It is the shapes that find defects, not random bytes: a value of another type, a key that is not
there, a number that no machine has, text that cannot be encoded.
"""

from __future__ import annotations

import copy
import io
import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import requests
from urllib3.response import HTTPResponse

TASK = {
    "id": "1" * 32,
    "name": "EXTEND",
    "details": {"old_capacity": 0.125, "new_capacity": "0.25", "rename_commands": [], "old_replica_num": 1},
    "user_name": "somebody",
    "status": "CREATED",
    "created_at": "2020-06-17T08:18:06.597Z",
    "updated_at": "2020-06-17T08:18:10.106Z",
    "enable_show": False,
}
JOB = {
    "job_id": "aaaaaaaa-0000-4000-8000-000000000000",
    "job_name": "RESIZE_FLAVOR",
    "job_status": "Pending",
    "instance_id": f"{'a' * 32}in02",
    "create_time": "2019-05-26T10:41:14+0000",
}
INSTANCE = {"instance_id": "11111111-1111-4111-8111-111111111111", "id": f"{'a' * 32}in02", "name": "one"}
STEP = {"step_id": "1", "step_name": "wait", "step_status": "WAITING", "sub_step_details": [{"sub_step_id": "2"}]}

TOKEN = {
    "expires_at": "2099-01-01T00:00:00.000000Z",
    "project": {"id": "a" * 32, "name": "sim-region-1"},
    "user": {"id": "u", "domain": {"id": "d", "name": "d"}},
}
CREDENTIAL = {
    "access": "A" * 20,
    "secret": "an-issued-secret-key",
    "securitytoken": "an-issued-security-token",
    "expires_at": "2099-01-01T00:00:00.000000Z",
}

#: What each request is answered with, when nothing is wrong; by a part of the path, the first that fits.
VALID: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/auth/tokens", {"token": TOKEN}),
    ("GET", "/projects", {"projects": [{"id": "a" * 32, "name": "sim-region-1"}, {"id": "b" * 32, "name": "other"}]}),
    ("GET", "/progress", {"progress": 0, "remain_time": 1, "step_details": [STEP]}),
    ("POST", "/resize/cancel/", {"result": "success"}),
    ("GET", "/tasks", {"task_count": "2", "tasks": [TASK, {**TASK, "id": "2" * 32, "name": "x", "status": "SUCCESS"}]}),
    ("GET", "/scheduled-jobs", {"total_count": 1, "schedules": [JOB]}),
    ("GET", "/instances", {"instance_num": 1, "total_count": 1, "instances": [INSTANCE]}),
    ("POST", "/securitytokens", {"credential": CREDENTIAL}),
    ("GET", "/securitykey", {"credential": CREDENTIAL}),
    ("PUT", "/api/token", "an-issued-metadata-token"),
    ("DELETE", "", {"message": ""}),
)
ERRORS: tuple[Any, ...] = (
    {"error_code": "DCS.4957", "error_msg": "Not allowed.", "error_ext_msg": None},
    {"error": {"code": 401, "message": "Who?", "title": "Unauthorized"}},
    {"error": {"code": "DCS.4927", "message": "No.", "ext_message": None}},
    {"errCode": "DBS.200001", "externalMessage": "No."},
    {"error_msg": "No.", "error_code": "APIGW.0301", "request_id": "f" * 32},
    {"message": "No.", "request_id": "f" * 32},
)

_JUNK: tuple[Callable[[random.Random], Any], ...] = (
    lambda rng: None,
    lambda rng: rng.choice((True, False)),
    lambda rng: rng.choice((0, -1, 1, 2**31, 2**63, -(2**70), 10**400)),
    lambda rng: rng.choice((0.5, -0.0, 1e308, float("nan"), float("inf"), float("-inf"))),
    lambda rng: rng.choice(
        ("", " ", "\x00", "\n", "\x1b[31m", "None", "0", "١٢", "9" * 5000, "é", "\ud800", "😀", "../..", "a/b?c#d")
    ),
    lambda rng: rng.choice(
        ("SUCCESS", "success", "Canceled", "cANCELLED", "PAUSING_X", "EXTEND", "ChangeInstanceSpec")
    ),
    lambda rng: rng.choice(
        (
            "2020-13-45T99:99:99Z",
            "0000-00-00",
            "9999-12-31T23:59:59+9959",
            "0001-01-01T00:00:00+2359",
            "2020-06-17T08:18:06Z",
        )
    ),
    lambda rng: "".join(chr(rng.randrange(0xD7FF)) for _character in range(rng.randrange(40))),
    lambda rng: [],
    lambda rng: {},
    lambda rng: [None, 1, "x", [], {}],
    lambda rng: {"id": 1, "": None, "error": [], "tasks": {"tasks": []}},
    lambda rng: [[[[[[[[[[]]]]]]]]]],
    lambda rng: rng.choice((TASK, JOB, INSTANCE, [TASK, TASK], {"tasks": [TASK]})),
)


def junk(rng: random.Random) -> Any:
    """A value that is probably of the wrong type."""
    return copy.deepcopy(rng.choice(_JUNK)(rng))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place inside a JSON value: what holds it, and its key or index."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places(value[key])


def mutated(value: Any, rng: random.Random) -> Any:
    """A copy of a JSON value with something wrong in it; now and then something else altogether."""
    if rng.random() < 0.05:
        return junk(rng)
    value = copy.deepcopy(value)
    for _time in range(rng.choice((0, 1, 1, 1, 2, 3))):
        found = list(places(value))
        if not found:
            return value
        holder, key = rng.choice(found)
        action = rng.random()
        if action < 0.6:
            holder[key] = junk(rng)
        elif action < 0.8:
            del holder[key]
        elif isinstance(holder, list):
            holder.append(copy.deepcopy(holder[key]))
        else:
            holder[rng.choice(("", "id", "job_id", "phase", "instance_id", "msg", "é"))] = junk(rng)
    return value


def body(value: Any, rng: random.Random) -> bytes:
    """A JSON value as bytes, or what became of it on the way."""
    raw = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
    action = rng.random()
    if action < 0.85:
        return raw
    if action < 0.88:
        return raw[: rng.randrange(len(raw) + 1)]
    if action < 0.91:
        return rng.randbytes(rng.randrange(200))
    return rng.choice(
        (
            b"",
            b" ",
            b"null",
            b"\xef\xbb\xbf" + raw,
            raw.decode("utf-8", "replace").encode("utf-16"),
            b"[" * 100_000,
            b"NaN",
            b'{"a":' * 5000,
            b"<html>\n" + raw,
            raw + raw,
            raw + b"\n\x00",
            b"9" * 6000,
            b'"\\ud800"',
            b"\x80\xfe",
        )
    )


_STATUSES = (200, 200, 200, 200, 201, 202, 204, 302, 307, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503, 504, 599)
_RETRY_AFTER = (
    *("0", "1", "-1", "1.5", "", " 2 ", "9" * 400, "1e3", "\xb2", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"),
    *(
        "Wed, 21 Oct 9999 99:99:99 GMT",
        "Wed, 21 Oct 2015",
        "0000",
        "Fri, 31 Feb 2026 00:00:00 +9999",
        "Mon, 1 Jan 0001 00:00:00 GMT",
    ),
    *(
        "Thu, 01 Jan 1970 00:00:00 -2400",
        "\xe9",
        "1, 2",
        "0x10",
        "1 Jan 99999999999 00:00:00 GMT",
        "Sat, 1 Jan 10000 00:00:00 +0000",
    ),
)


def headers(rng: random.Random) -> dict[str, str]:
    """Headers, as odd as HTTP allows."""
    fields = {"Content-Type": rng.choice(("application/json", "text/html", "", "application/json; charset=utf-99"))}
    if rng.random() < 0.5:
        fields["Retry-After"] = rng.choice(_RETRY_AFTER)
    if rng.random() < 0.3:
        fields["X-Request-Id"] = rng.choice(("f" * 32, "\xe9\x85", "x" * 9000, "\x1b[31m", ""))
    if rng.random() < 0.7:
        fields["X-Subject-Token"] = rng.choice(("t" * 40, "\xe9", "x" * 9000, " ", "", "a\tb", "token\x7f"))
    if rng.random() < 0.1:
        fields["Location"] = "http://127.0.0.1:9/"
    if rng.random() < 0.1:
        fields["Content-Encoding"] = rng.choice(("gzip", "br", "identity", "?"))
    return fields


class Wire:
    """Answers requests in place of a network: C(with Wire(seed) as wire)."""

    def __init__(self, seed: int, *, most: int = 400, healthy: float = 0.3) -> None:
        self.sent: list[Any] = []
        self._rng = random.Random(seed)
        self._most = most
        self._healthy = healthy

    def __enter__(self) -> Wire:
        wire = self

        def send(adapter: Any, request: Any, **more: Any) -> Any:
            return wire.answer(adapter, request)

        self._patch = mock.patch.object(requests.adapters.HTTPAdapter, "send", send)
        self._patch.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._patch.stop()

    def answer(self, adapter: Any, request: Any) -> Any:
        """One answer."""
        self.sent.append(request)
        assert len(self.sent) <= self._most, f"more than {self._most} requests"
        for name, value in request.headers.items():
            # What http.client does with them.
            (name if isinstance(name, bytes) else name.encode("ascii"))
            (value if isinstance(value, bytes) else value.encode("latin-1"))
        request.url.encode("ascii")
        rng = self._rng
        valid = next(
            value for method, part, value in VALID if method == request.method and part in request.url.partition("?")[0]
        )
        fields = headers(rng)
        if rng.random() < self._healthy:
            raw = (valid if isinstance(valid, str) else json.dumps(valid)).encode()
            status, fields = 200, {"X-Subject-Token": "t" * 40}
        else:
            status = rng.choice(_STATUSES)
            raw = body(mutated(valid if status < 300 else rng.choice(ERRORS), rng), rng)
        made = HTTPResponse(io.BytesIO(raw), headers=fields, status=status, preload_content=False, decode_content=False)
        return adapter.build_response(request, made)
