# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks and jobs have in common: times, phases, order, counts, failures, and waiting.

Times are those of users, of DCS and of DDS; all in UTC.
"""

from __future__ import annotations

import re
import time
import typing as t
from collections import Counter
from datetime import datetime, timedelta, timezone
from operator import itemgetter

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    SENTENCE_MOST,
    ConfigError,
    MaintenanceError,
    one_line,
    shown,
)

#: An object of the API, with fields added.
Record = dict[str, t.Any]

PHASES = (PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED, UNKNOWN) = (
    "pending",
    "running",
    "succeeded",
    "failed",
    "cancelled",
    "unknown",
)

#: DCS documents none: these were seen (C3, contract 2.3); DDS has five (C13).
_PHASE_OF_STATUS = {
    "CREATED": PENDING,
    "INIT": PENDING,
    "WAITING": PENDING,
    "PENDING": PENDING,
    "EXECUTING": RUNNING,
    "RUNNING": RUNNING,
    "SUCCESS": SUCCEEDED,
    "COMPLETED": SUCCEEDED,
    "FAILED": FAILED,
    "FAIL": FAILED,
    "CANCELLED": CANCELLED,
    "CANCELED": CANCELLED,
    "DELETED": CANCELLED,
}


def phase_of(status: t.Any) -> str:
    """The phase that a status word means."""
    if not isinstance(status, str):
        return UNKNOWN
    # Only ASCII: some other letters have one of these as their capital.
    return _PHASE_OF_STATUS.get(status) or _PHASE_OF_STATUS.get(status.upper() if status.isascii() else "", UNKNOWN)


def has_ended(record: Record) -> bool:
    """Whether nothing more will happen."""
    return record["phase"] in (SUCCEEDED, FAILED, CANCELLED)


#: Many times of one form, one after the other, which can be sorted as they are: quicker for tens of thousands.
_SORTABLE = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)*\Z", re.ASCII)


def newest_first(records: t.Iterable[Record], time_key: str, id_key: str) -> list[Record]:
    """Sort by time of creation, those without a readable time last, then by id."""
    records = list(records)
    times: list[t.Any] = [record.get(time_key) for record in records]
    if all(isinstance(text, str) and len(text) == 24 for text in times) and _SORTABLE.match("".join(times)):
        if len(set(times)) < len(times):
            records.sort(key=itemgetter(id_key))
        return sorted(records, key=itemgetter(time_key), reverse=True)

    def key(record: Record) -> tuple[float, str]:
        created = parse_api_time(record.get(time_key))
        return (-created.timestamp() if created else float("inf"), record[id_key])

    return sorted(records, key=key)


def enumerated(words: t.Sequence[str], between: str = ", ") -> str:
    """Words for a sentence, ten at most."""
    return between.join(words[:10]) + (f" and {len(words) - 10} more" if len(words) > 10 else "")


def describe(records: t.Sequence[Record]) -> str:
    """Tasks or jobs for a sentence, ten at most: C(EXTEND 8abf6e1e72c12e7c0172c15b508500aa (CREATED))."""
    said = [
        # Names and words are cut, so that ten records fit into one sentence, whatever the service calls them.
        f"{one_line(str(record.get('name', record.get('job_name'))), 48)} {record.get('id', record.get('job_id'))}"
        f" ({one_line(str(record.get('status', record.get('job_status'))), 32)})"
        for record in records
    ]
    return enumerated(said)


def word(value: object) -> str:
    """A name or a status for comparison, in which case does not matter; empty for what is no text."""
    return value.upper() if isinstance(value, str) else ""


def unborne(
    option: str,
    words: t.Iterable[str] | None,
    records: t.Iterable[Record],
    key: str,
    compared: t.Callable[[object], str] = word,
) -> str | None:
    """The warning that names the C(words) of a filter which no listed record bears under C(key), if there are any."""
    borne = {compared(record.get(key)) for record in records} if words else set()
    lacking = [given for given in words or () if compared(given) not in borne]
    if not lacking:
        return None
    return f"Nothing that was listed has one of these {option}: {enumerated(lacking)}. Check how they are spelled."


def presumed_warning(done: str, ids: t.Sequence[str]) -> str:
    """The warning that no answer confirms what this run is presumed to have C(done) to these."""
    return f"No answer confirms that it was this run which {done}, although the listing shows it: {enumerated(ids)}."


def failures(failed: t.Mapping[t.Any, MaintenanceError], *keys: str, acts: bool = True) -> list[dict[str, t.Any]]:
    """What failed, for a result; first that of which nobody knows whether it was done, if this C(acts).

    C(keys) name an identifier.
    """
    return [
        {
            **dict(zip(keys, identifier if isinstance(identifier, tuple) else (identifier,))),
            "msg": one_line(error.message, SENTENCE_MOST - 50)
            + (" It is not known whether it was done." if acts and error.uncertain else ""),
            "failure": error.failure(),
        }
        for identifier, error in sorted(failed.items(), key=lambda item: acts and not item[1].uncertain)
    ]


_GROWTH = 1.5
_INTERVAL_MOST = 60  # seconds

#: Seconds to look for the effect of a request whose answer was lost, and of one that the service no longer knows.
DOUBT = 20

#: Seconds after which what one listing lacks is looked for a second time: only what two listings lack is gone. No longer
#: than the shortest interval between two looks.
SECOND_LOOK = 1


class Wait(t.NamedTuple):
    """How to wait: seconds in all, and between two looks."""

    timeout: float
    interval: float
    pause: t.Callable[[float], None]

    def after_refusal(self) -> Wait:
        """How to wait for what was refused while it still waits: the cancellation of an earlier run may be taking its time."""
        return self._replace(timeout=self.timeout or DOUBT)

    def looks(self, quiet: t.Callable[[], int] = lambda: 0) -> t.Iterator[float]:
        """Yield the seconds waited whenever it is time to look: at once, and a last time at the end.

        With each look that showed nothing new (C(quiet): so many in a row) the interval grows, up to a minute.
        """
        started = time.monotonic()
        while True:
            yield time.monotonic() - started
            left = self.timeout - (time.monotonic() - started)
            if left <= 0:
                return
            grown = min(self.interval * _GROWTH ** min(quiet(), 20), max(self.interval, _INTERVAL_MOST))
            self.pause(min(grown, left))


def summary(records: t.Iterable[Record], name_key: str) -> dict[str, t.Any]:
    """Count records: in all, by phase (each of them) and by name."""
    records = list(records)
    by_phase = Counter([record["phase"] for record in records])
    by_name = Counter([str(record.get(name_key)) for record in records])
    return {
        "total": len(records),
        "by_phase": {phase: by_phase[phase] for phase in PHASES},
        "by_name": dict(sorted(by_name.items())),
    }


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
