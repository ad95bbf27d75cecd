# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control calls under `/_simulator/`: look at the cloud, change it, disturb it. They are not in the journal.

They need no sign-in, so they are only for programs of this machine, never for a web page that a browser on it shows:
such a page may send requests to a loopback address, also under a name of its own that leads there. A call therefore
must name a loopback host, must not come from a page, and must call its body JSON, which a page may not do unasked.
And they read no file: a scenario in a file is read by the caller (`SimulatorClient.reset`).
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .events import PatchError, apply, check_patches
from .faults import FaultError
from .routes import OPERATION_NAMES
from .scenarios import ScenarioError
from .switches import SwitchError

if TYPE_CHECKING:
    from .app import Cloud


# How deeply a body may be nested: more would end in an error of the encoder, also when it is shown again.
_DEPTH_MOST = 50


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
    scenario = None if body is None else body.get("scenario")
    if isinstance(scenario, str) and scenario.endswith(".json"):
        raise ControlError("A control call reads no file: send the content of the scenario as an object.")
    cloud.reset(scenario)
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


def refusal(headers: Mapping[str, str], body: bytes) -> str | None:
    """Why this is no call of a program of this machine; names of headers are in lower case."""
    if not _names_loopback(headers.get("host", "")):
        return "Control calls are answered for loopback hosts only, such as 127.0.0.1."
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        return "Control calls are not for web pages."
    if (body or "content-type" in headers) and headers.get("content-type", "").partition(";")[0] != "application/json":
        return "The body of a control call must be sent as application/json."
    return None


def _names_loopback(netloc: str) -> bool:
    try:
        host = urlsplit(f"//{netloc}").hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parsed(body: bytes) -> Any:
    try:
        value = json.loads(body) if body.strip() else None
    except ValueError as error:
        raise ControlError(f"The body is not JSON: {error}.") from None
    except RecursionError:
        raise ControlError("The body is nested too deeply.") from None
    level = [value]
    for _depth in range(_DEPTH_MOST):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    if level:
        raise ControlError("The body is nested too deeply.")
    return value


def answer(cloud: Cloud, method: str, raw_path: str, headers: Mapping[str, str], body: bytes | None) -> tuple[int, Any]:
    """Status and JSON value of a control call; C(body) is None when it was too large to be read."""
    if body is None:
        return 413, {"error": "The body of a control call must be smaller than a megabyte."}
    reason = refusal(headers, body)
    if reason is not None:
        return 403, {"error": reason}
    name = raw_path[len("/_simulator/") :].strip("/")
    run = _CALLS.get((method, name))
    if run is None:
        known = any(name == path for _unused, path in _CALLS)
        return (405 if known else 404), {"error": f"There is no control call {method} {raw_path}."}
    try:
        return 200, run(cloud, _parsed(body))
    except (ControlError, FaultError, PatchError, ScenarioError, SwitchError) as error:
        return 400, {"error": str(error)}
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        # Values of a type or size that nothing above has looked for.
        return 400, {"error": f"The call cannot be done: {type(error).__name__}: {str(error)[:200]}."}
