# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks and jobs have in common: phases, order, counts, doing something to each, and waiting."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._times import parse_api_time

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
    return _PHASE_OF_STATUS.get(status.upper(), UNKNOWN) if isinstance(status, str) else UNKNOWN


def has_ended(record: Record) -> bool:
    """Whether nothing more will happen."""
    return record["phase"] in (SUCCEEDED, FAILED, CANCELLED)


def newest_first(records: t.Iterable[Record], time_key: str, id_key: str) -> list[Record]:
    """Sort by time of creation, those without a readable time last, then by id."""

    def key(record: Record) -> tuple[float, str]:
        created = parse_api_time(record.get(time_key))
        return (-created.timestamp() if created else float("inf"), record[id_key])

    return sorted(records, key=key)


def describe(records: t.Iterable[Record]) -> str:
    """Tasks or jobs for a sentence: C(EXTEND 8abf6e1e72c12e7c0172c15b508500aa (CREATED))."""
    return ", ".join(
        f"{record.get('name', record.get('job_name'))} {record.get('id', record.get('job_id'))}"
        f" ({record.get('status', record.get('job_status'))})"
        for record in records
    )


def attempt_each(
    identifiers: t.Iterable[str],
    act: t.Callable[[str], object],
    settle: t.Callable[[list[str], dict[str, MaintenanceError]], None],
    stops: t.Callable[[MaintenanceError], bool],
) -> tuple[list[str], dict[str, MaintenanceError], list[str]]:
    """Do something to each; returns what was done, what failed, and what was not tried.

    After all, or after a failure that C(stops) the rest, C(settle) may correct what was done and what failed; when it
    clears that failure, the rest goes on.
    """
    done: list[str] = []
    failed: dict[str, MaintenanceError] = {}
    order = list(identifiers)
    rest = list(order)
    while rest:
        stopped_by = None
        while rest and stopped_by is None:
            identifier = rest.pop(0)
            try:
                act(identifier)
            except MaintenanceError as error:
                failed[identifier] = error
                stopped_by = identifier if stops(error) else None
            else:
                done.append(identifier)
        settle(done, failed)
        if stopped_by in failed:
            break
    return [identifier for identifier in order if identifier in done], failed, rest


def failures(failed: dict[str, MaintenanceError], key: str) -> list[dict[str, t.Any]]:
    """What failed, for a result; first that of which nobody knows whether it was done."""
    return [
        {
            key: identifier,
            "msg": error.message + (" It is not known whether it was done." if error.uncertain else ""),
            "failure": error.failure(),
        }
        for identifier, error in sorted(failed.items(), key=lambda item: not item[1].uncertain)
    ]


class Wait(t.NamedTuple):
    """How to wait: seconds in all, and between two looks."""

    timeout: float
    interval: float
    pause: t.Callable[[float], None]

    def looks(self) -> t.Iterator[float]:
        """Yield the seconds waited whenever it is time to look: at once, and a last time at the end."""
        started = time.monotonic()
        while True:
            yield time.monotonic() - started
            left = self.timeout - (time.monotonic() - started)
            if left <= 0:
                return
            self.pause(min(self.interval, left))


def summary(records: t.Iterable[Record], name_key: str) -> dict[str, t.Any]:
    """Count records: in all, by phase (each of them) and by name."""
    by_phase = dict.fromkeys(PHASES, 0)
    by_name: dict[str, int] = {}
    for record in records:
        by_phase[record["phase"]] += 1
        name = str(record.get(name_key))
        by_name[name] = by_name.get(name, 0) + 1
    return {"total": sum(by_phase.values()), "by_phase": by_phase, "by_name": dict(sorted(by_name.items()))}
