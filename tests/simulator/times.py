# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time formats of the services, and durations such as `8d`; times inside are seconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DDS_QUERY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}", re.ASCII)
_DCS_QUERY = re.compile(r"\d{14}", re.ASCII)


def duration(value: str | int | float) -> float:
    """Seconds of `90`, `90s`, `5m`, `1h`, `8d`, `2w` or a run of these such as `1h30m`; `-` makes them negative."""
    if isinstance(value, bool):
        raise ValueError("a duration is a number of seconds or a text such as 8d")
    if isinstance(value, (int, float)):
        return float(value)
    text = value.strip()
    if text.startswith("-"):
        return -duration(text[1:])
    if not text or _DURATION.sub("", text).strip():
        raise ValueError(f"'{value}' is not a duration such as 90s, 5m, 1h, 8d or 2w")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in _DURATION.findall(text))


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def dcs_time(seconds: float) -> str:
    """`2020-06-17T08:18:06.597Z`."""
    return _utc(round(seconds, 3)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def dds_time(seconds: float) -> str:
    """`2019-05-26T10:41:14+0000`, the form of scheduled jobs."""
    return _utc(seconds).strftime("%Y-%m-%dT%H:%M:%S+0000")


def dds_instance_time(seconds: float) -> str:
    """`2019-01-17T07:05:52`, the form of DDS instances: UTC, without a zone."""
    return _utc(seconds).strftime("%Y-%m-%dT%H:%M:%S")


def iam_time(seconds: float) -> str:
    """`2020-01-04T09:05:22.701000Z`."""
    return _utc(seconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def progress_time(seconds: float) -> str:
    """`2022-09-01 11:52:24`, the form of progress steps (C26)."""
    return _utc(seconds).strftime("%Y-%m-%d %H:%M:%S")


def parse_iso(text: str) -> float:
    """Read any of the forms above; a time without zone is UTC."""
    value = text.strip()
    if value.endswith("Z"):
        value = value[:-1] + "+00:00"
    # Python 3.10 accepts neither +0000 nor other than three or six decimals.
    value = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", value)
    value = re.sub(r"\.(\d{1,6})\d*", lambda match: "." + match.group(1).ljust(6, "0"), value)
    moment = datetime.fromisoformat(value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def parse_dcs_query(text: str) -> float:
    """Read `yyyyMMddHHmmss` (UTC); anything else is a ValueError."""
    if not _DCS_QUERY.fullmatch(text):
        raise ValueError("not yyyyMMddHHmmss")
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc).timestamp()


def parse_dds_query(text: str) -> float:
    """Read `yyyy-mm-ddThh:mm:ss+0000`; a missing offset, also a plain Z, is a ValueError."""
    if not _DDS_QUERY.fullmatch(text):
        raise ValueError("not yyyy-mm-ddThh:mm:ss+zzzz")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
