# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's one handler: reads a request, lets it go wrong if it should, signs in, runs the operation, answers."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import sys
import time
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from . import control, routes
from .call import HEX32, UUID, Answer, Call, Operation
from .errors import Refusal, dcs_refusal, dds_refusal, keystone_refusal, sign_in_refusal
from .events import Events, PatchError
from .faults import Fault, Faults, edited, with_headers
from .identity import Identity, User
from .journal import Entry, Journal
from .scenarios import build
from .signing import ALGORITHM, pairs, verify
from .state import World, encode
from .switches import Switches
from .times import iam_time

_CHUNK = b"x" * 65536
# What answers that are no JSON object or no JSON at all consist of.
_GARBAGE = b'<html>\x80\xfe\x00 not {"json'
_WRONG_TYPE = b'["unexpected"]'


class Cloud:
    """The simulated cloud behind one port: the state, and what may disturb the requests to it."""

    def __init__(self, scenario: Any, faults: Any = ()) -> None:
        self.scenario = scenario
        self.base_url = ""
        self.switches = Switches()
        self.journal = Journal()
        self.faults = Faults()
        self.events = Events()
        self.event_errors: list[str] = []
        self.world: World
        self.identity: Identity
        self.reset(scenario)
        self.faults.set(list(faults), routes.OPERATION_NAMES)

    def reset(self, scenario: Any = None) -> None:
        """Back to a scenario: state, switches, faults, events and journal."""
        wanted = self.scenario if scenario is None else scenario
        switches = Switches()
        world, identity = build(wanted, switches)
        self.scenario, self.switches, self.world, self.identity = wanted, switches, world, identity
        self.journal.clear()
        self.faults = Faults()
        self.events = Events()
        self.event_errors = []

    def facts(self) -> dict[str, Any]:
        """What a client needs to know: the first line of output."""
        user = self.identity.users[0]
        return {
            "url": self.base_url,
            "region": self.world.region,
            "project_id": next(iter(self.world.projects)),
            "access_key": user.access_key,
            "secret_key": user.secret_key,
            "username": user.name,
            "password": user.password,
            "domain_name": self.world.domain_name,
            "projects": list(self.world.projects),
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        raw_path, _unused, raw_query = _text(request.raw_path).partition("?")
        if raw_path.startswith("/_simulator/"):
            return await self._control(request, raw_path)
        body = await request.read()
        query_pairs = pairs(raw_query)
        query: dict[str, list[str]] = {}
        for key, value in query_pairs:
            query.setdefault(key, []).append(value)
        headers = _first_of_each(request.headers.items())
        found = routes.find(request.method, raw_path, by_gateway=self.switches["wrong_method"] == "gateway")
        operation = None if isinstance(found, Refusal) else found[0]
        entry = self.journal.add(
            Entry(
                method=request.method,
                path=raw_path,
                query=query,
                service=operation.service if operation else None,
                operation=operation.name if operation else None,
                auth=_auth_kind(headers),
                request_headers=list(request.headers),
                documented=routes.is_documented(found, raw_path),
                connection=_port(request),
            )
        )
        if operation:
            self._note(operation.name, before=True)
        fault = self.faults.take(entry.service, entry.operation, request.method, raw_path)
        if fault is not None:
            entry.fault = fault.kind
        pause = float(self.switches["latency_ms"]) / 1000 + (fault.delay if fault else 0.0)
        if pause:
            world = self.world
            await asyncio.sleep(pause)
            if self.world is not world:
                # A reset came meanwhile: what was meant for the old world must not act on the new one.
                if request.transport is not None:
                    request.transport.close()
                return web.Response()
        request_id = f"{random.getrandbits(128):032x}"
        if fault is not None and fault.before:
            response = await _disturbed(request, entry, fault, Answer(), request_id)
        else:
            answer = self._answer(request, raw_path, query_pairs, query, headers, body, found, entry, request_id)
            if fault is None or fault.kind == "delay":
                entry.status = answer.status
                response = _response(answer, request_id)
            else:
                response = await _disturbed(request, entry, fault, answer, request_id)
        if operation:
            # Before the answer leaves, so that the caller's next request finds the state changed.
            self._note(operation.name, before=False)
        entry.ended = time.monotonic()
        return response

    async def _control(self, request: web.BaseRequest, raw_path: str) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            body = None
        headers = _first_of_each(request.headers.items())
        status, value = control.answer(self, request.method, raw_path, headers, body)
        return web.Response(status=status, body=encode(value), content_type="application/json")

    def _note(self, operation: str, before: bool) -> None:
        if not self.events.waiting:
            return
        self.world.advance()
        try:
            self.events.note(self.world, self.identity, operation, before)
        except PatchError as error:
            # The request is not to blame; GET /_simulator/events shows it.
            self.event_errors.append(str(error))
            print(f"simulator: an event failed: {error}", file=sys.stderr)

    def _answer(
        self,
        request: web.BaseRequest,
        raw_path: str,
        query_pairs: list[tuple[str, str]],
        query: dict[str, list[str]],
        headers: dict[str, str],
        body: bytes,
        found: tuple[Operation, dict[str, str]] | Refusal,
        entry: Entry,
        request_id: str,
    ) -> Answer:
        try:
            if isinstance(found, Refusal):
                raise found
            operation, path = found
            now = self.world.advance()
            call = Call(self.world, self.identity, self.base_url, now, path, query, headers, body)
            if operation.service != "metadata" and operation.name != "KeystoneCreateUserTokenByPassword":
                call.user, scope = self._sign_in(operation, request.method, raw_path, query_pairs, headers, body, now)
                self._authorise(operation, call, call.user, scope)
            entry.processed = True
            return operation.run(call)
        except Refusal as refusal:
            value = refusal.body(request_id, self.switches["error_shape"])
            if isinstance(value, str):
                return Answer(refusal.status, value.encode(), refusal.headers, "text/plain")
            return Answer(refusal.status, encode(value), refusal.headers)

    def _sign_in(
        self,
        operation: Operation,
        method: str,
        raw_path: str,
        query: list[tuple[str, str]],
        headers: dict[str, str],
        body: bytes,
        now: float,
    ) -> tuple[User, str | None]:
        """The user, and the project that the token or the request's own header is for."""
        if headers.get("authorization", "").startswith(ALGORITHM):
            key = verify(self.identity, self.switches, now, method, raw_path, query, headers, body, self.world.ahead)
            return key.user, headers.get("x-project-id")
        text = headers.get("x-auth-token")
        if text is None:
            raise _missing(operation, "x-auth-token not found")
        token = self.identity.tokens.get(text)
        if token is None or (token.elsewhere and operation.service != "iam"):
            raise _missing(operation, "decrypt token fail")
        if token.expires_at <= now:
            raise _missing(operation, f"token expires, expires_at: {iam_time(token.expires_at)}")
        # An account's own token reaches no project; an empty scope equals no id.
        return token.user, token.project_id or ""

    def _authorise(self, operation: Operation, call: Call, user: User, scope: str | None) -> None:
        wanted = call.path.get("project_id")
        if wanted is not None:
            dcs = operation.service == "dcs"
            if not (HEX32.fullmatch(wanted) or UUID.fullmatch(wanted)):
                raise dcs_refusal("DCS.4002") if dcs else dds_refusal("DBS.280408")
            project = self.world.projects.get(wanted)
            if project is None or not project.enabled or wanted not in user.projects or scope not in (None, wanted):
                raise dcs_refusal("DCS.1004") if dcs else dds_refusal("DBS.280056")
            call.found_project = project
        if not user.may(operation.action, operation.name):
            action = operation.action or operation.name
            if operation.service == "dcs":
                raise dcs_refusal("DCS.2007", action)
            if operation.service == "dds":
                raise dds_refusal("DBS.280063", action)
            raise keystone_refusal(403, f"You are not authorized to perform the requested action: {action}")


def _first_of_each(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in items:
        headers.setdefault(name.lower(), _text(value))
    return headers


def _text(received: str) -> str:
    """What was received, with bytes that are no UTF-8 replaced; aiohttp keeps them in a form nobody can encode."""
    return received if received.isascii() else received.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _port(request: web.BaseRequest) -> int | None:
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    return int(peer[1]) if peer else None


def _missing(operation: Operation, reason: str) -> Refusal:
    if operation.service == "iam":
        return keystone_refusal(401, "The request you have made requires authentication.")
    return sign_in_refusal(reason)


def _auth_kind(headers: dict[str, str]) -> str:
    if headers.get("authorization", "").startswith(ALGORITHM):
        return "aksk"
    return "token" if "x-auth-token" in headers else "none"


def _headers(answer: Answer, request_id: str) -> dict[str, str]:
    headers = {"X-Request-Id": request_id, "Server": "api-gateway", **answer.headers}
    if answer.body:
        headers["Content-Type"] = answer.content_type
    return headers


def _response(answer: Answer, request_id: str) -> web.Response:
    return web.Response(status=answer.status, body=answer.body or None, headers=_headers(answer, request_id))


async def _disturbed(
    request: web.BaseRequest, entry: Entry, fault: Fault, answer: Answer, request_id: str
) -> web.StreamResponse:
    """Send what the fault makes of the answer; notes in the journal what was sent."""
    kind = fault.kind
    transport = request.transport
    if kind in ("drop_before", "drop_after", "reset") or transport is None:
        if transport is not None and kind == "reset":
            _reset(transport)
        elif transport is not None:
            transport.close()
        return web.Response()
    if kind == "truncate":
        entry.status = answer.status
        _truncate(transport, answer, request_id)
        return web.Response()
    if kind == "huge":
        entry.status = 200
        return await _huge(request, fault.size, request_id)
    answer = _changed(fault, answer, _first_of_each(request.headers.items()))
    entry.status = answer.status
    return _response(answer, request_id)


def _changed(fault: Fault, answer: Answer, received: dict[str, str]) -> Answer:
    if fault.kind == "redirect":
        return Answer(307, headers={"Location": fault.location})
    if fault.kind == "garbage":
        return Answer(200 if answer.status == 204 else answer.status, _GARBAGE, answer.headers)
    if fault.kind == "wrong_type":
        return Answer(200 if answer.status == 204 else answer.status, _WRONG_TYPE, answer.headers)
    if fault.kind == "content_type":
        return Answer(answer.status, answer.body, answer.headers, "text/html")
    headers = dict(fault.headers)
    named = next((name for name in headers if name.lower() == "content-type"), None)
    if fault.kind == "edit":
        names = {name.lower() for name in headers}
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in names}
        content_type = headers.pop(named) if named else answer.content_type
        status = 200 if answer.status == 204 else answer.status
        return Answer(status, edited(answer.body, fault.edits, received), {**kept, **headers}, content_type)
    json_body = not isinstance(fault.body, (str, bytes))
    content_type = headers.pop(named) if named else "application/json" if json_body else "text/html"
    raw = _raw(fault.body)
    return Answer(
        fault.status, raw if isinstance(fault.body, bytes) else with_headers(raw, received), headers, content_type
    )


def _raw(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    return body if isinstance(body, bytes) else b"" if body is None else encode(body)


def _reset(transport: asyncio.BaseTransport) -> None:
    """Close with a reset instead of an orderly end."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.Transport):
        transport.abort()


def _truncate(transport: asyncio.BaseTransport, answer: Answer, request_id: str) -> None:
    """Announce everything, send half of the body, close. Without a body, part of the status line is sent."""
    lines = [f"HTTP/1.1 {answer.status} Truncated"]
    lines += [f"{name}: {value}" for name, value in _headers(answer, request_id).items()]
    if answer.status != 204:
        lines.append(f"Content-Length: {len(answer.body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    # Clients take any complete line of the head for a complete head, so the cut is in the first one.
    data = head + answer.body[: len(answer.body) // 2] if answer.body else head[:7]
    if isinstance(transport, asyncio.Transport):
        transport.write(data)
    transport.close()


async def _huge(request: web.BaseRequest, size: int, request_id: str) -> web.StreamResponse:
    response = web.StreamResponse(headers=_headers(Answer(), request_id))
    response.content_type = "application/json"
    start, end = b'{"padding":"', b'"}'
    response.content_length = size + len(start) + len(end)
    await response.prepare(request)
    try:
        await response.write(start)
        left = size
        while left > 0:
            await response.write(_CHUNK[: min(left, len(_CHUNK))])
            left -= len(_CHUNK)
        await response.write_eof(end)
    except ConnectionError:
        # The caller had enough, which is what the fault is for.
        pass
    return response
