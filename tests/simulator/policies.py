# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies that narrow what temporary keys may do: reading one from a request, and applying it.

Only actions count. Conditions and resources must have the documented form, but do not narrow anything here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

_ACTION = re.compile(r"[a-z*?][a-z0-9*?-]*(?::[A-Za-z0-9*?_-]+){2}", re.ASCII)
# Service, region, account, type and path; only the path may have more colons.
_RESOURCE = re.compile(r"[^:]+(?::[^:]*){3}:.+", re.ASCII)


class PolicyError(ValueError):
    """What was given is no policy."""


@dataclass(frozen=True)
class Statement:
    """Actions, with wildcards, that are allowed or denied."""

    allows: bool
    actions: tuple[str, ...]

    def matches(self, action: str) -> bool:
        """Whether the statement is about this action."""
        return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self.actions)


@dataclass(frozen=True)
class Policy:
    """Statements of which one that denies wins over those that allow."""

    statements: tuple[Statement, ...]

    def allows(self, action: str) -> bool:
        """Whether an action may be done; one without a name needs no permission."""
        found = [statement.allows for statement in self.statements if statement.matches(action)]
        return not action or (bool(found) and all(found))


def read_policy(given: Any) -> Policy:
    """The policy of a request; a PolicyError when it has another form than documented."""
    statements = given.get("Statement") if isinstance(given, dict) else None
    if not isinstance(statements, list) or given.get("Version") != "1.1":
        raise PolicyError("a policy has the Version 1.1 and a list of Statement")
    return Policy(tuple(map(_read_statement, statements)))


def _read_statement(given: Any) -> Statement:
    if not isinstance(given, dict):
        raise PolicyError("a statement is an object")
    effect = given.get("Effect")
    # The table has capitals, the example has none (C33).
    if not isinstance(effect, str) or effect.lower() not in ("allow", "deny"):
        raise PolicyError("Effect is Allow or Deny")
    actions = _texts(given.get("Action"), _ACTION)
    if not actions:
        raise PolicyError("Action is a list of actions such as dcs:instance:list")
    if "Resource" in given:
        _texts(given["Resource"], _RESOURCE)
    _check_condition(given.get("Condition", {}))
    return Statement(effect.lower() == "allow", actions)


def _texts(given: Any, form: re.Pattern[str]) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(each, str) and form.fullmatch(each) for each in given):
        raise PolicyError("Action and Resource are lists of texts in the form that is documented")
    return tuple(given)


def _check_condition(given: Any) -> None:
    """Operators, each with keys, each with a list of values."""
    if not isinstance(given, dict) or not all(isinstance(keys, dict) for keys in given.values()):
        raise PolicyError("a Condition is an object of objects")
    for values in (value for keys in given.values() for value in keys.values()):
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise PolicyError("the values of a Condition are lists of texts")
