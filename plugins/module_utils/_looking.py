# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only the modules that look need: points in time as users write and read them, and counting."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError, shown
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import (
    DURATION,
    PHASES,
    Record,
    format_utc,
    parse_age,
    parse_api_time,
    parse_iso,
)

_COMPACT = re.compile(r"\A(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\Z", re.ASCII)


def parse_moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """Read ISO 8601 (also with a blank for the C(T), as from YAML), C(yyyyMMddHHmmss), or an age, or ConfigError."""
    if text is None:
        return None
    text = text.strip()
    if DURATION.match(text):
        return parse_age(option, text, now)
    parsed = parse_iso(_COMPACT.sub(r"\1-\2-\3T\4:\5:\6", text))
    if parsed is None:
        raise ConfigError(
            f"{option} must be a UTC date or time such as 2026-01-15, 2026-01-15T08:30:00Z,"
            " 2026-01-15T09:30:00+01:00 or 20260115083000, or an age such as 90m, 12h, 30d or 2w;"
            f" got {shown(text)}."
        )
    return parsed


def to_result(moment: datetime) -> str:
    """ISO 8601, whole seconds, with C(Z)."""
    return format_utc(moment, "%Y-%m-%dT%H:%M:%SZ", 20)


def created_after(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created after."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created > moment


def summary(records: t.Iterable[Record], name_key: str) -> dict[str, t.Any]:
    """Count records: in all, by phase (each of them) and by name."""
    by_phase = dict.fromkeys(PHASES, 0)
    by_name: dict[str, int] = {}
    for record in records:
        by_phase[record["phase"]] += 1
        name = str(record.get(name_key))
        by_name[name] = by_name.get(name, 0) + 1
    return {"total": sum(by_phase.values()), "by_phase": by_phase, "by_name": dict(sorted(by_name.items()))}
