# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches: one table of what nobody documents, with the values each may take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Check = tuple[str, Any]


@dataclass(frozen=True)
class Switch:
    """A default, and what is accepted: one of some values, a word, a list of words or a number."""

    default: Any
    kind: str
    values: tuple[Any, ...] = ()
    low: float = 0.0

    def refusal(self, value: Any) -> str | None:
        """Why the value is not accepted, as the end of a sentence; None when it is."""
        if self.kind == "one_of":
            # 1 == True in Python, so the types are compared too.
            if any(type(value) is type(known) and value == known for known in self.values):
                return None
            return "one of " + ", ".join(repr(known) for known in self.values)
        if self.kind == "word":
            return None if isinstance(value, str) and value else "a word"
        if self.kind == "word_or_bool":
            if isinstance(value, bool) or (isinstance(value, str) and value):
                return None
            return "true, false or a word"
        if self.kind == "words":
            if isinstance(value, list) and all(isinstance(word, str) and word for word in value):
                return None
            return "a list of words"
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if number and math.isfinite(value) and value >= self.low:
            return None
        return f"a number not below {self.low:g}"


def _one_of(*values: Any) -> Switch:
    return Switch(values[0], "one_of", values)


def _number(default: float, low: float = 0.0) -> Switch:
    return Switch(default, "number", low=low)


SWITCHES: dict[str, Switch] = {
    # DCS: what a waiting spec change looks like, and what becomes of it.
    "waiting_status": Switch("CREATED", "word"),
    "waiting_instance_status": _one_of("EXTENDING", "RUNNING"),
    "cancelled_record": _one_of("kept", "removed"),
    "resize_cancel_available": _one_of(True, "DCS.4001", "APIGW.0101"),
    "resize_cancel_delay": _number(0),
    "resize_seconds": _number(3),
    "started_cancel_error": _one_of("DCS.4239", "DCS.4957", "DCS.4113"),
    "unknown_status_word": Switch(False, "word_or_bool"),
    "deletable_statuses": Switch(["SUCCESS", "FAILED", "CANCELLED"], "words"),
    "delete_status": _one_of(200, 202, 204),
    "task_centre_available": _one_of(True, False),
    "unknown_id_status": _one_of(404, 400),
    "unknown_instance_status": _one_of(404, 400),
    # The windows that may be chosen: how long each is, and whether 18 or 18:00:00 is answered (C29).
    "window_hours": _one_of(1, 4),
    "window_form": _one_of("hour", "clock"),
    "error_shape": _one_of("v2", "v1", "nine_digit"),
    # DCS and DDS: the form of lists.
    "time_filter": _one_of("both", "start_time", "begin_time", "none"),
    "time_field": _one_of("created_at", "updated_at"),
    "list_order": _one_of("newest_first", "oldest_first", "shuffled"),
    "legacy_top_level": _one_of(False, True, "only"),
    "task_count_type": _one_of("int", "string", "missing", "wrong"),
    "page_fault": _one_of("none", "short", "empty", "repeated"),
    "capacity_type": _one_of("string", "number"),
    "azs": _one_of("strings", "objects"),
    "dds_groups": _one_of("array", "object"),
    # DDS: instances (C27, C28), and what is answered for one that does not exist (C30).
    "mongos_role": _one_of("master", "Primary"),
    "dds_instance_form": _one_of("table", "sample"),
    "dds_unknown_instance": _one_of("DBS.280110", "DBS.200002", "DBS.201501", "DBS.201028"),
    "dds_unknown_instance_listed": _one_of("empty", "refused"),
    # DDS: the list of instant tasks has a count (C35).
    "instant_task_count": _one_of(True, False),
    # DDS: cancelling.
    "dds_too_late_error": _one_of("DBS.280343", "DBS.200076"),
    "dds_repeat_cancel": _one_of("error", "204"),
    "dds_cancel_delay": _number(0),
    # Sign-in and transport.
    "iam_catalog": _one_of("iam", "identity"),  # C32
    # Who answers a method that a path of DCS or IAM does not have (C31).
    "wrong_method": _one_of("service", "gateway"),
    "metadata": _one_of("v2", "v1", "none"),
    "token_ttl": _number(86400),
    # A token of a regional endpoint of IAM works in that region only (docs/api.md 6.1).
    "token_region": _one_of("here", "elsewhere"),
    "max_skew_minutes": _number(15),
    "lock_seconds": _number(300),
    "latency_ms": _number(0),
}

# The word for running tasks when `unknown_status_word` is just true.
UNKNOWN_STATUS_WORD = "PAUSING_X"


class SwitchError(ValueError):
    """A switch does not exist or does not take this value."""


class Switches:
    """The current values. `version` grows with each change, so that rendered answers can be cached."""

    def __init__(self) -> None:
        self.version = 0
        self._values: dict[str, Any] = {}
        self.reset({})

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def as_dict(self) -> dict[str, Any]:
        """All switches with their values."""
        return dict(self._values)

    def change(self, changes: Any) -> None:
        """Set some switches; all or none are taken."""
        if not isinstance(changes, dict):
            raise SwitchError("The switches must be a JSON object.")
        for name, value in changes.items():
            if name not in SWITCHES:
                raise SwitchError(f"There is no switch named {name!r}. There are: {', '.join(sorted(SWITCHES))}.")
            reason = SWITCHES[name].refusal(value)
            if reason is not None:
                raise SwitchError(f"The switch {name} must be {reason}, not {value!r}.")
        self._values.update(changes)
        self.version += 1

    def reset(self, changes: Any) -> None:
        """Back to the defaults, then the scenario's own values."""
        self._values = {name: switch.default for name, switch in SWITCHES.items()}
        self.change(changes)
