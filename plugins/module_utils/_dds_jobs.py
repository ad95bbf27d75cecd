# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling off scheduled jobs. The state that is wanted: none of these jobs will run.

C(plan_cancellation()) decides and C(cancel()) acts. What can be called off is called off first; only then does the
task fail for what could not be: at night, a mistyped id must not let the other jobs run.
"""

from __future__ import annotations

import time
import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import CANCEL_JOB, Dds
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    CANCELLED,
    PENDING,
    UNKNOWN,
    Record,
    Wait,
    attempt_each,
    describe,
    has_ended,
)

#: The word that DDS uses for a cancelled job, with one l (C13).
CANCELLED_STATUS = "Canceled"

#: A job in one of these phases may still be called off; the service knows.
_NOT_STARTED = (PENDING, UNKNOWN)


class Selection(t.NamedTuple):
    """Which jobs are meant.

    :ivar job_ids: these ids; None to take the jobs of an instance instead.
    :ivar instance_id: all jobs of this instance that have not ended, or None.
    :ivar job_names: with C(instance_id), only jobs with these names; None for all.
    :ivar start: how far back to look, by time of creation.
    """

    job_ids: t.Sequence[str] | None
    instance_id: str | None
    job_names: t.Sequence[str] | None
    start: datetime


class Rules(t.NamedTuple):
    """What is no failure although the job could not be called off."""

    missing_ok: bool
    too_late_ok: bool


class CancellationPlan(t.NamedTuple):
    """What is to happen to each job that is meant.

    :ivar jobs: the listed jobs that are meant.
    :ivar to_cancel: ids of those that wait, or whose status word nobody knows: then the service decides.
    :ivar already_cancelled: ids.
    :ivar too_late: ids of those that run or have run.
    :ivar missing: ids that are not listed.
    :ivar phases: the phase of each job before anything was done.
    """

    jobs: list[Record]
    to_cancel: list[str]
    already_cancelled: list[str]
    too_late: list[str]
    missing: list[str]
    phases: dict[str, str]


def plan_cancellation(listed: t.Sequence[Record], selection: Selection) -> CancellationPlan:
    """Decide what is to be cancelled; pure."""
    by_id = {job["job_id"]: job for job in listed}
    if selection.job_ids is not None:
        wanted = list(selection.job_ids)
    else:
        names = selection.job_names
        wanted = [
            job["job_id"] for job in listed if not has_ended(job) and (names is None or job.get("job_name") in names)
        ]
    jobs = [by_id[job_id] for job_id in wanted if job_id in by_id]
    plan = CancellationPlan(jobs, [], [], [], [], {job["job_id"]: job["phase"] for job in jobs})
    for job_id in wanted:
        if job_id not in by_id:
            plan.missing.append(job_id)
        elif by_id[job_id]["phase"] == CANCELLED:
            plan.already_cancelled.append(job_id)
        elif by_id[job_id]["phase"] in _NOT_STARTED:
            plan.to_cancel.append(job_id)
        else:
            plan.too_late.append(job_id)
    return plan


def cancel(dds: Dds, selection: Selection, rules: Rules, wait: Wait, *, check_mode: bool) -> dict[str, t.Any]:
    """Call off the jobs that are meant, and report on each.

    :raises MaintenanceError: when a job could not be called off; its C(result) says what became of each.
    """
    if [] in (selection.job_ids, selection.job_names):
        return _result(CancellationPlan([], [], [], [], [], {}), [], {}, [])
    plan = plan_cancellation(_list(dds, selection), selection)
    failed: dict[str, MaintenanceError] = {}
    not_tried: list[str] = []
    if check_mode:
        cancelled = list(plan.to_cancel)
    else:
        cancelled, failed, not_tried = attempt_each(
            plan.to_cancel,
            dds.cancel_job,
            lambda done, failed: _look_again(dds, selection, plan, wait, done, failed),
            lambda error: error.stops_all,
        )
    plan = plan._replace(jobs=[_predicted(job) if job["job_id"] in cancelled else job for job in plan.jobs])
    result = _result(plan, cancelled, failed, not_tried)
    _raise_for_rest(plan, rules, failed, not_tried, result)
    return result


def _list(dds: Dds, selection: Selection) -> list[Record]:
    names = selection.job_names
    return dds.jobs(
        selection.start,
        instance_id=selection.instance_id,
        job_name=names[0] if names is not None and len(names) == 1 else None,
        wanted=selection.job_ids,
    )


def _look_again(
    dds: Dds,
    selection: Selection,
    plan: CancellationPlan,
    wait: Wait,
    done: list[str],
    failed: dict[str, MaintenanceError],
) -> None:
    """Read the jobs again after the attempts, and correct all lists by what the jobs are now.

    A cancellation that failed may have been carried out all the same, or somebody else may have been faster: no error
    code is documented for either (contract 3.4). An accepted one is believed when the job reads Canceled.
    """
    tried = [*done, *failed]
    started = time.monotonic()
    while True:
        try:
            now = {job["job_id"]: job for job in _list(dds, selection._replace(job_ids=tried, job_names=None))}
        except MaintenanceError as unread:
            if not failed:
                failed.update((job_id, _unconfirmed(unread)) for job_id in done)
            return
        waited = time.monotonic() - started
        if waited >= wait.timeout or all(
            job_id not in now or now[job_id]["phase"] not in _NOT_STARTED for job_id in done
        ):
            break
        wait.pause(min(wait.interval, wait.timeout - waited))
    plan.jobs[:] = [now.get(job["job_id"], job) for job in plan.jobs]
    for job_id in tried:
        phase = now[job_id]["phase"] if job_id in now else None
        error = failed.pop(job_id, None)
        if phase == CANCELLED or (phase is None and error is None):
            if error is not None:
                # Without an answer it is taken to be our doing; after a plain refusal somebody else was faster.
                (done if error.uncertain else plan.already_cancelled).append(job_id)
            continue
        if error is None:
            done.remove(job_id)
        if phase is None:
            plan.missing.append(job_id)
        elif phase not in _NOT_STARTED:
            plan.too_late.append(job_id)
        else:
            failed[job_id] = error or RefusedError(
                f"The cancellation was accepted, but after {wait.timeout:g} seconds the job still reads"
                f" {now[job_id].get('job_status')}.",
                code="WaitTimeout",
                service="dds",
                operation=CANCEL_JOB.name,
                retryable=True,
                hint="Look at the job again later, or raise wait_timeout.",
            )


def _unconfirmed(error: MaintenanceError) -> MaintenanceError:
    return RefusedError(
        f"The cancellation was accepted, but the job could not be read again: {error.message}",
        code=error.code,
        service="dds",
        operation=error.operation,
        http_status=error.http_status,
        request_id=error.request_id,
        retryable=error.retryable,
        hint=error.hint,
    )


def _predicted(job: Record) -> Record:
    return {**job, "job_status": CANCELLED_STATUS, "phase": CANCELLED}


def _result(
    plan: CancellationPlan, cancelled: list[str], failed: dict[str, MaintenanceError], not_tried: list[str]
) -> dict[str, t.Any]:
    by_id = {job["job_id"]: job for job in plan.jobs}
    before = [
        {"job_id": job_id, "job_name": by_id[job_id].get("job_name"), "phase": plan.phases[job_id]}
        for job_id in cancelled
    ]
    return {
        "changed": bool(cancelled),
        "jobs": plan.jobs,
        "cancelled": cancelled,
        "already_cancelled": plan.already_cancelled,
        "too_late": plan.too_late,
        "missing": plan.missing,
        "failed_jobs": [
            {"job_id": job_id, "msg": error.message, "failure": error.failure()} for job_id, error in failed.items()
        ],
        "not_tried": not_tried,
        "diff": {"before": {"jobs": before}, "after": {"jobs": [{**job, "phase": CANCELLED} for job in before]}},
    }


def _raise_for_rest(
    plan: CancellationPlan,
    rules: Rules,
    failed: dict[str, MaintenanceError],
    not_tried: list[str],
    result: dict[str, t.Any],
) -> None:
    """Fail when there is something that was not called off and that the rules do not excuse."""
    done = f" ({len(result['cancelled'])} called off)" if result["cancelled"] else ""
    error: MaintenanceError | None = None
    if failed:
        job_id, first = next(iter(failed.items()))
        unknown = " It is not known whether it was called off." if first.uncertain else ""
        error = RefusedError(
            f"{len(failed)} scheduled jobs could not be called off{done}, {len(not_tried)} were not tried."
            f" Job {job_id}: {first.message}{unknown}",
            code=first.code,
            service="dds",
            operation=first.operation,
            http_status=first.http_status,
            request_id=first.request_id,
            retryable=first.retryable,
            hint=first.hint,
        )
    elif plan.too_late and not rules.too_late_ok:
        late = [job for job in plan.jobs if job["job_id"] in plan.too_late]
        error = RefusedError(
            f"It is too late to call off {len(late)} scheduled jobs{done}: {describe(late)}.",
            code="TooLate",
            service="dds",
            operation=CANCEL_JOB.name,
            hint="Wait for the end of a running job; on_too_late=ignore makes this no failure.",
        )
    elif plan.missing and not rules.missing_ok:
        error = RefusedError(
            f"{len(plan.missing)} scheduled jobs are not known{done}: {', '.join(plan.missing)}.",
            code="NotFound",
            service="dds",
            operation=CANCEL_JOB.name,
            hint="Check the ids, the project and lookback; a cancelled job stays listed, so that a missing one"
            " is probably mistyped. missing_ok=true makes this no failure.",
        )
    if error is not None:
        error.result = result
        raise error
