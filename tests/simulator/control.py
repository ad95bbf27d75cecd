# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control calls under `/_simulator/`: look at the cloud, change it, disturb it. They are not in the journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .events import PatchError, apply, check_patches
from .faults import FaultError
from .routes import OPERATION_NAMES
from .scenarios import ScenarioError
from .switches import SwitchError

if TYPE_CHECKING:
    from .app import Cloud


class ControlError(ValueError):
    """The body of a control call is of no use."""


def _journal(cloud: Cloud, _body: Any) -> Any:
    return cloud.journal.as_list()


def _state(cloud: Cloud, _body: Any) -> Any:
    cloud.world.advance()
    return cloud.world.snapshot()


def _facts(cloud: Cloud, _body: Any) -> Any:
    return cloud.facts()


def _patch(cloud: Cloud, body: Any) -> Any:
    cloud.world.advance()
    apply(cloud.world, cloud.identity, check_patches([body] if isinstance(body, dict) else body))
    return {"result": "ok"}


def _reset(cloud: Cloud, body: Any) -> Any:
    if body is not None and (not isinstance(body, dict) or set(body) - {"scenario"}):
        raise ControlError("The body of reset is empty or an object with scenario.")
    cloud.reset(None if body is None else body.get("scenario"))
    return cloud.facts()


def _show_faults(cloud: Cloud, _body: Any) -> Any:
    return [rule.as_dict() for rule in cloud.faults.rules]


def _set_faults(cloud: Cloud, body: Any) -> Any:
    cloud.faults.set(body, OPERATION_NAMES)
    return _show_faults(cloud, body)


def _show_switches(cloud: Cloud, _body: Any) -> Any:
    return cloud.switches.as_dict()


def _set_switches(cloud: Cloud, body: Any) -> Any:
    cloud.switches.change(body)
    return cloud.switches.as_dict()


def _show_events(cloud: Cloud, _body: Any) -> Any:
    return {"waiting": [event.as_dict() for event in cloud.events.waiting], "errors": cloud.event_errors}


def _set_events(cloud: Cloud, body: Any) -> Any:
    cloud.events.set(body, OPERATION_NAMES)
    cloud.event_errors = []
    return _show_events(cloud, body)


def _expire_tokens(cloud: Cloud, _body: Any) -> Any:
    return {"expired": cloud.identity.expire_all(cloud.world.clock())}


def _advance(cloud: Cloud, body: Any) -> Any:
    seconds = body.get("seconds") if isinstance(body, dict) and len(body) == 1 else None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 1e9:
        raise ControlError("The body of advance is an object with seconds, a number not below 0.")
    cloud.world.ahead += seconds
    cloud.world.advance()
    return {"ahead": cloud.world.ahead}


_CALLS: dict[tuple[str, str], Callable[[Cloud, Any], Any]] = {
    ("GET", "facts"): _facts,
    ("GET", "journal"): _journal,
    ("GET", "state"): _state,
    ("POST", "state/patch"): _patch,
    ("POST", "reset"): _reset,
    ("GET", "faults"): _show_faults,
    ("POST", "faults"): _set_faults,
    ("GET", "switches"): _show_switches,
    ("POST", "switches"): _set_switches,
    ("GET", "events"): _show_events,
    ("POST", "events"): _set_events,
    ("POST", "expire_tokens"): _expire_tokens,
    ("POST", "advance"): _advance,
}


def answer(cloud: Cloud, method: str, raw_path: str, body: bytes) -> tuple[int, Any]:
    """Status and JSON value of a control call."""
    name = raw_path[len("/_simulator/") :].strip("/")
    run = _CALLS.get((method, name))
    if run is None:
        known = any(name == path for _unused, path in _CALLS)
        return (405 if known else 404), {"error": f"There is no control call {method} {raw_path}."}
    try:
        value = json.loads(body) if body.strip() else None
    except ValueError as error:
        return 400, {"error": f"The body is not JSON: {error}."}
    try:
        return 200, run(cloud, value)
    except (ControlError, FaultError, PatchError, ScenarioError, SwitchError) as error:
        return 400, {"error": str(error)}
