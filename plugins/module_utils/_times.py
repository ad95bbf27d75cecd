# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times and durations: what users write, what DCS and DDS want, what they answer; always in UTC.

Nothing here reads the clock by itself: the caller says what "now" is.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"(\d{1,6})([smhdw])\Z", re.ASCII)
_COMPACT = re.compile(r"\d{14}\Z", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    r" ?([Zz]|[+-]\d\d:?\d\d)?)?\Z",
    re.ASCII,
)
_MOMENT_HELP = (
    "a UTC date or time such as 2026-01-15, 2026-01-15T08:30:00Z, 2026-01-15T09:30:00+01:00 or 20260115083000,"
    " or an age such as 90m, 12h, 30d or 2w"
)
_DURATION_HELP = "a whole number and one of the units s, m, h, d, w, such as 90m, 12h, 30d or 2w"


def parse_age(option: str, text: str, now: datetime) -> datetime:
    """Read a duration such as C(30d): the point in time that lies so long before C(now).

    :raises ConfigError: naming the option and what it accepts.
    """
    match = _DURATION.match(text.strip())
    if match and int(match.group(1)):
        try:
            return now - timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})
        except OverflowError:
            pass
    raise ConfigError(f"{option} must be {_DURATION_HELP}; got {_shown(text)}.")


def parse_moment(option: str, text: str, now: datetime) -> datetime:
    """Read a point in time: ISO 8601 (UTC where no offset is given), C(yyyyMMddHHmmss), or an age before C(now).

    A blank instead of the C(T) is accepted, since that is what YAML makes of an unquoted time.

    :raises ConfigError: naming the option and what it accepts.
    """
    text = text.strip()
    try:
        if _DURATION.match(text):
            return parse_age(option, text, now)
        if _COMPACT.match(text):
            return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
        parsed = _iso(text)
    except (ValueError, OverflowError):
        parsed = None
    if parsed is None:
        raise ConfigError(f"{option} must be {_MOMENT_HELP}; got {_shown(text)}.")
    return parsed


def parse_api_time(text: object) -> datetime | None:
    """Read a time as DCS (``2020-06-17T07:38:42.503Z``) or DDS (``2019-05-26T10:41:14+0000``) sends it.

    Returns None for everything else: an odd time in an answer is no reason to fail.
    """
    try:
        return _iso(text) if isinstance(text, str) else None
    except (ValueError, OverflowError):
        return None


def to_dcs(moment: datetime) -> str:
    """Format for a DCS query: UTC C(yyyyMMddHHmmss) (contract 2.2)."""
    return _utc(moment).strftime("%Y%m%d%H%M%S").rjust(14, "0")


def to_dds(moment: datetime) -> str:
    """Format for a DDS query: C(yyyy-mm-ddThh:mm:ss+0000) (contract 3.2)."""
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%S+0000").rjust(24, "0")


def to_result(moment: datetime) -> str:
    """Format for a result of a module: ISO 8601 in UTC, whole seconds, with C(Z)."""
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(timezone.utc)


def _iso(text: str) -> datetime | None:
    # datetime.fromisoformat() takes neither "Z" nor "+0000" before Python 3.11.
    match = _MOMENT.match(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    microsecond = int((match.group(7) or "").ljust(6, "0")[:6])
    offset = (match.group(8) or "Z").upper().replace(":", "")
    zone = timezone.utc
    if offset != "Z":
        if int(offset[3:5]) > 59:
            raise ValueError("minutes of the offset")
        zone = timezone(int(offset[0] + "1") * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5])))
    return datetime(year, month, day, hour, minute, second, microsecond, zone).astimezone(timezone.utc)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")
