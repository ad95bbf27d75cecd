# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What background tasks (DCS) and scheduled jobs (DDS) have in common.

One vocabulary for the state that they are in, what counts as ended, how they are counted, and how to wait for them.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._times import parse_api_time

#: An object of the API, with the fields that this collection adds.
Record = dict[str, t.Any]

PENDING = "pending"
RUNNING = "running"
SUCCEEDED = "succeeded"
FAILED = "failed"
CANCELLED = "cancelled"
UNKNOWN = "unknown"

PHASES = (PENDING, RUNNING, SUCCEEDED, FAILED, CANCELLED, UNKNOWN)
_ENDED = frozenset((SUCCEEDED, FAILED, CANCELLED))

#: Status words of both services, in upper case. DCS documents none: its words are those seen in samples and in its
#: sister services (C3, contract 2.3). DDS documents five (C13).
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
    """The phase that a status word means; C(unknown) for a word that nobody knows, or none at all."""
    return _PHASE_OF_STATUS.get(status.upper(), UNKNOWN) if isinstance(status, str) else UNKNOWN


def has_ended(record: Record) -> bool:
    """Whether nothing more will happen; an unknown phase counts as not ended."""
    return record["phase"] in _ENDED


def ended_badly(record: Record) -> bool:
    """Whether the task or job ended without success."""
    return record["phase"] in (FAILED, CANCELLED)


def summary(records: t.Iterable[Record], name_key: str) -> dict[str, t.Any]:
    """Count records: in all, by phase (every phase, also with zero) and by name (sorted)."""
    by_phase = dict.fromkeys(PHASES, 0)
    by_name: dict[str, int] = {}
    for record in records:
        by_phase[record["phase"]] += 1
        name = str(record.get(name_key))
        by_name[name] = by_name.get(name, 0) + 1
    return {"total": sum(by_phase.values()), "by_phase": by_phase, "by_name": dict(sorted(by_name.items()))}


def newest_first(records: t.Iterable[Record], time_key: str, id_key: str) -> list[Record]:
    """Sort by time of creation, newest first; those without a readable time come last.

    Neither API documents an order. Ties are resolved by id, so that two runs give the same list.
    """

    def key(record: Record) -> tuple[float, str]:
        created = parse_api_time(record.get(time_key))
        return (-created.timestamp() if created else float("inf"), record[id_key])

    return sorted(records, key=key)


def describe(records: t.Iterable[Record]) -> str:
    """Tasks or jobs for a sentence: C(EXTEND 8abf6e1e72c12e7c0172c15b508500aa (CREATED)), separated by commas."""
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
    """Do something to each of several things; nothing is lost when one of them fails.

    :arg settle: called with what was done and what failed, once all were tried or a failure stopped the rest. It may
        move things from one to the other, or out of both, when a closer look shows what became of them.
    :arg stops: whether the rest would fail in the same way. When C(settle) clears such a failure, the rest goes on.
    :returns: what was done, what failed, and what was not tried.
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
    # In the order given, whatever the order in which things came to light.
    return [identifier for identifier in order if identifier in done], failed, rest


class Wait(t.NamedTuple):
    """How to wait.

    :ivar timeout: seconds, after which waiting fails; 0 for not waiting at all.
    :ivar interval: seconds between two looks.
    :ivar pause: sleeps for a number of seconds, within the task's deadline.
    """

    timeout: float
    interval: float
    pause: t.Callable[[float], None]
