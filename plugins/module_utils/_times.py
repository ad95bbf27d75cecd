# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times and durations: what users write, what DCS and DDS want, what they answer; always in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError, shown

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,6})([smhdw])\Z", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r" ?([Zz]|[+-]\d\d:?\d\d)?)?\Z",
    re.ASCII,
)
_COMPACT = re.compile(r"\A(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\Z", re.ASCII)


def parse_age(option: str, text: str, now: datetime) -> datetime:
    """The moment that lies a duration such as C(30d) before C(now), or ConfigError."""
    match = _DURATION.match(text.strip())
    if match and int(match.group(1)):
        try:
            return now - timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})
        except OverflowError:
            pass
    raise ConfigError(
        f"{option} must be a whole number and one of the units s, m, h, d, w, such as 90m, 12h, 30d or 2w;"
        f" got {shown(text)}."
    )


def parse_moment(option: str, text: str | None, now: datetime) -> datetime | None:
    """Read ISO 8601 (also with a blank for the C(T), as from YAML), C(yyyyMMddHHmmss), or an age, or ConfigError."""
    if text is None:
        return None
    text = text.strip()
    if _DURATION.match(text):
        return parse_age(option, text, now)
    parsed = _parse_iso(_COMPACT.sub(r"\1-\2-\3T\4:\5:\6", text))
    if parsed is None:
        raise ConfigError(
            f"{option} must be a UTC date or time such as 2026-01-15, 2026-01-15T08:30:00Z,"
            " 2026-01-15T09:30:00+01:00 or 20260115083000, or an age such as 90m, 12h, 30d or 2w;"
            f" got {shown(text)}."
        )
    return parsed


def parse_api_time(text: object) -> datetime | None:
    """Read ``2020-06-17T07:38:42.503Z`` (DCS) or ``2019-05-26T10:41:14+0000`` (DDS); None for all else."""
    return _parse_iso(text) if isinstance(text, str) else None


def to_dcs(moment: datetime) -> str:
    """C(yyyyMMddHHmmss) (contract 2.2)."""
    return _format_utc(moment, "%Y%m%d%H%M%S", 14)


def to_dds(moment: datetime) -> str:
    """C(yyyy-mm-ddThh:mm:ss+0000) (contract 3.2)."""
    return _format_utc(moment, "%Y-%m-%dT%H:%M:%S+0000", 24)


def to_result(moment: datetime) -> str:
    """ISO 8601, whole seconds, with C(Z)."""
    return _format_utc(moment, "%Y-%m-%dT%H:%M:%SZ", 20)


def _format_utc(moment: datetime, form: str, width: int) -> str:
    """A moment in UTC, in a form of strftime()."""
    # strftime() does not pad years before 1000 everywhere.
    return moment.astimezone(timezone.utc).strftime(form).rjust(width, "0")


def _parse_iso(text: str) -> datetime | None:
    """Read ISO 8601, in UTC where there is no offset; None for all else."""
    # datetime.fromisoformat() takes neither "Z" nor "+0000" before Python 3.11.
    match = _MOMENT.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    microsecond = int((match.group(7) or "").ljust(6, "0")[:6])
    offset = (match.group(8) or "Z").upper().replace(":", "")
    zone = timezone.utc
    try:
        if offset != "Z":
            if int(offset[3:5]) > 59:
                return None
            zone = timezone(int(offset[0] + "1") * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5])))
        return datetime(year, month, day, hour, minute, second, microsecond, zone).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
