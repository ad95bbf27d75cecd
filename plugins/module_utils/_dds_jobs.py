# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling off scheduled jobs. The state that is wanted: none of these jobs will run.

Only after all that can be called off does a task fail: a mistyped id must not let the other jobs run.
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import CANCEL_JOB, Dds, only
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import attempt_each
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    CANCELLED,
    DOUBT,
    PENDING,
    UNKNOWN,
    Record,
    Wait,
    describe,
    enumerated,
    failures,
    has_ended,
)

#: The word that DDS uses for a cancelled job, with one l (C13).
CANCELLED_STATUS = "Canceled"

#: A job in one of these phases may still be called off; the service knows.
_NOT_STARTED = (PENDING, UNKNOWN)


class Selection(t.NamedTuple):
    """Which jobs: these ids, or the unfinished ones (of these instances, with these names), created since C(start)."""

    job_ids: t.Sequence[str] | None
    instance_ids: t.Sequence[str] | None
    job_names: t.Sequence[str] | None
    start: datetime
    #: What has begun is not meant either.
    only_pending: bool = False

    def fits(self, job: Record) -> bool:
        """Whether a job is meant, where no ids are given."""
        return (
            (job["phase"] in _NOT_STARTED if self.only_pending else not has_ended(job))
            and (self.job_names is None or job.get("job_name") in self.job_names)
            and (self.instance_ids is None or job.get("instance_id") in self.instance_ids)
        )


class CancellationPlan(t.NamedTuple):
    """The listed jobs, ids by what is to happen, and the phases before."""

    jobs: list[Record]
    to_cancel: list[str]
    already_cancelled: list[str]
    too_late: list[str]
    missing: list[str]
    phases: dict[str, str]


def plan_cancellation(listed: t.Sequence[Record], selection: Selection) -> CancellationPlan:
    """Decide what is to be cancelled."""
    by_id = {job["job_id"]: job for job in listed}
    wanted = selection.job_ids
    if wanted is None:
        wanted = [job["job_id"] for job in listed if selection.fits(job)]
    jobs = [by_id[job_id] for job_id in wanted if job_id in by_id]
    plan = CancellationPlan(jobs, [], [], [], [], {job["job_id"]: job["phase"] for job in jobs})
    for job_id in wanted:
        phase = plan.phases.get(job_id)
        if phase is None:
            plan.missing.append(job_id)
        elif phase == CANCELLED:
            plan.already_cancelled.append(job_id)
        elif phase in _NOT_STARTED:
            plan.to_cancel.append(job_id)
        else:
            plan.too_late.append(job_id)
    return plan


def cancel(
    dds: Dds,
    selection: Selection,
    wait: Wait,
    *,
    missing_ok: bool,
    too_late_ok: bool,
    check_mode: bool,
    max_failures: int | None = None,
) -> dict[str, t.Any]:
    """Call off these jobs, and report on each; errors carry a result too."""
    nothing = [] in (selection.job_ids, selection.job_names, selection.instance_ids)
    plan = plan_cancellation([] if nothing else _list(dds, selection), selection)
    failed: dict[str, MaintenanceError] = {}
    not_tried: list[str] = []
    doubted: set[str] = set()
    if check_mode:
        cancelled = list(plan.to_cancel)
    else:
        cancelled, failed, not_tried = attempt_each(
            dds.client,
            CANCEL_JOB,
            plan.to_cancel,
            dds.cancel_job,
            lambda done, failed: _look_again(dds, selection, plan, wait, done, failed, doubted),
            max_failures=max_failures,
        )
    plan.jobs[:] = [
        {**job, "job_status": CANCELLED_STATUS, "phase": CANCELLED} if job["job_id"] in cancelled else job
        for job in plan.jobs
    ]
    names = {job["job_id"]: job.get("job_name") for job in plan.jobs}
    before = [{"job_id": job_id, "job_name": names[job_id], "phase": plan.phases[job_id]} for job_id in cancelled]
    result = {
        "changed": bool(cancelled) or any(error.accepted for error in failed.values()),
        "jobs": plan.jobs,
        "cancelled": cancelled,
        "already_cancelled": plan.already_cancelled,
        "too_late": plan.too_late,
        "missing": plan.missing,
        "failed_jobs": failures(failed, "job_id"),
        "not_tried": not_tried,
        "diff": {"before": {"jobs": before}, "after": {"jobs": [{**job, "phase": CANCELLED} for job in before]}},
    }
    error = _verdict(plan, failed, len(cancelled), len(not_tried), missing_ok, too_late_ok)
    if error is not None:
        error.result = result
        raise error
    return result


def _list(dds: Dds, selection: Selection) -> list[Record]:
    return dds.jobs(
        selection.start,
        instance_id=only(selection.instance_ids),
        job_name=only(selection.job_names),
        wanted=selection.job_ids,
    )


def _look_again(
    dds: Dds,
    selection: Selection,
    plan: CancellationPlan,
    wait: Wait,
    done: list[str],
    failed: dict[str, MaintenanceError],
    doubted: set[str],
) -> None:
    """Correct all lists by what the jobs are now; each refusal is doubted once, and is then in C(doubted).

    A cancellation that failed may have been carried out, or somebody else was faster: no code is documented for either
    (contract 3.4).
    """
    tried = [*done, *failed]
    now: dict[str, Record] = {}
    for waited in wait.looks():
        try:
            now = {job["job_id"]: job for job in _list(dds, selection._replace(job_ids=tried))}
        except MaintenanceError as unread:
            message = f"The cancellation was accepted, but the job could not be read again: {unread.message}"
            failed.update((job_id, unread.retold(message, accepted=True)) for job_id in done)
            done.clear()
            return
        # What was refused may have been called off by somebody else, which takes effect a little later.
        pending = {job_id for job_id in tried if job_id in now and now[job_id]["phase"] == PENDING}
        refused = {
            job_id
            for job_id, error in failed.items()
            if waited < DOUBT and job_id not in doubted and not error.stops_all and (error.http_status or 500) < 500
        }
        if not any(now.get(job_id, {}).get("phase") in _NOT_STARTED for job_id in done) and not pending & refused:
            break
    doubted.update(failed)
    plan.jobs[:] = [now.get(job["job_id"], job) for job in plan.jobs]
    for job_id in tried:
        phase = now[job_id]["phase"] if job_id in now else None
        error = failed.pop(job_id, None)
        if phase == CANCELLED or (phase is None and (error is None or error.accepted)):
            if error is not None:
                # Without an answer it is taken to be our doing; after a plain refusal somebody else was faster.
                (done if error.uncertain or error.accepted else plan.already_cancelled).append(job_id)
            continue
        if error is None:
            done.remove(job_id)
        if phase is None:
            plan.missing.append(job_id)
        elif phase not in _NOT_STARTED:
            plan.too_late.append(job_id)
        else:
            failed[job_id] = error or CANCEL_JOB.error(
                RefusedError,
                f"The cancellation was accepted, but after {wait.timeout:g} seconds the job still reads"
                f" {now[job_id].get('job_status')}.",
                code="WaitTimeout",
                retryable=True,
                accepted=True,
                hint="Look at the job again later, or raise wait_timeout.",
            )


def _verdict(
    plan: CancellationPlan,
    failed: dict[str, MaintenanceError],
    cancelled: int,
    not_tried: int,
    missing_ok: bool,
    too_late_ok: bool,
) -> MaintenanceError | None:
    """The failure for what was not called off and is not excused."""
    done = f" ({cancelled} called off)" if cancelled else ""
    if failed:
        first = failures(failed, "job_id")[0]
        return failed[first["job_id"]].retold(
            f"{len(failed)} of {len(plan.to_cancel)} scheduled jobs were not certainly called off"
            f" ({cancelled} called off, {not_tried} not tried). Job {first['job_id']}: {first['msg']}",
            service="dds",
        )
    if plan.too_late and not too_late_ok:
        late = [job for job in plan.jobs if job["job_id"] in plan.too_late]
        return CANCEL_JOB.error(
            RefusedError,
            f"It is too late{done}: {describe(late)}.",
            code="TooLate",
            hint="Wait for the end of a running job; on_too_late=ignore makes this no failure.",
        )
    if plan.missing and not missing_ok:
        return CANCEL_JOB.error(
            RefusedError,
            f"Scheduled jobs that are not known{done}: {enumerated(plan.missing)}.",
            code="NotFound",
            hint="Check the ids, the project and lookback; missing_ok=true makes this no failure.",
        )
    return None
