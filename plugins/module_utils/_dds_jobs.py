# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling off scheduled jobs. The state that is wanted: none of these jobs will run.

Only after all that can be called off does a task fail: a mistyped id must not let the other jobs run.
"""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import CANCEL_JOB, Dds, only
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    MaintenanceError,
    RefusedError,
    one_line,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import attempt_each
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    CANCELLED,
    FAILED,
    PENDING,
    SECOND_LOOK,
    SUCCEEDED,
    UNKNOWN,
    Record,
    Wait,
    describe,
    enumerated,
    failures,
    has_ended,
    presumed_warning,
    to_result,
    unborne,
    word,
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
            and (self.job_names is None or word(job.get("job_name")) in map(word, self.job_names))
            and (self.instance_ids is None or word(job.get("instance_id")) in map(word, self.instance_ids))
        )


class CancellationPlan(t.NamedTuple):
    """The listed jobs, ids by what is to happen, and the phases before."""

    jobs: list[Record]
    to_cancel: list[str]
    already_cancelled: list[str]
    #: Ended, and not carried out.
    already_failed: list[str]
    too_late: list[str]
    missing: list[str]
    phases: dict[str, str]

    def place(self, job_id: str, phase: str) -> None:
        """Put a job whose cancellation is not, or no longer, possible where it belongs."""
        places = {CANCELLED: self.already_cancelled, FAILED: self.already_failed}
        places.get(phase, self.too_late).append(job_id)


def plan_cancellation(listed: t.Sequence[Record], selection: Selection) -> CancellationPlan:
    """Decide what is to be cancelled."""
    if selection.job_ids is None:
        jobs, missing = [job for job in listed if selection.fits(job)], []
    else:
        by_id = {job["job_id"].lower(): job for job in listed}
        given = {job_id.lower(): job_id for job_id in selection.job_ids}
        jobs = [by_id[job_id] for job_id in given if job_id in by_id]
        missing = [given[job_id] for job_id in given if job_id not in by_id]
    plan = CancellationPlan(jobs, [], [], [], [], missing, {job["job_id"]: job["phase"] for job in jobs})
    for job_id, phase in plan.phases.items():
        if phase in _NOT_STARTED:
            plan.to_cancel.append(job_id)
        else:
            plan.place(job_id, phase)
    return plan


def cancel(
    dds: Dds,
    selection: Selection,
    wait: Wait,
    warn: t.Callable[[str], None],
    now: datetime,
    *,
    missing_ok: bool,
    too_late_ok: bool,
    check_mode: bool,
    max_failures: int | None = None,
) -> dict[str, t.Any]:
    """Call off these jobs, and report on each; errors carry a result too."""
    listed: list[Record] = []
    if [] not in (selection.job_ids, selection.job_names, selection.instance_ids):
        listed = _list(dds, selection)
        mistyped = unborne("job_names", selection.job_names, listed, "job_name")
        if mistyped:
            warn(mistyped)
    plan = plan_cancellation(listed, selection)
    if plan.missing and missing_ok:
        # What is lacking is then no failure, and one listing proves little about what it lacks.
        dds.client.pause(SECOND_LOOK)
        listed = [*listed, *_list(dds, selection._replace(job_ids=plan.missing))]
        plan = plan_cancellation(listed, selection)
    failed: dict[str, MaintenanceError] = {}
    not_tried: list[str] = []
    recheck = _Recheck(dds, selection, plan, wait)
    if check_mode:
        cancelled = list(plan.to_cancel)
    else:
        cancelled, failed, not_tried = attempt_each(
            dds.client,
            CANCEL_JOB,
            plan.to_cancel,
            dds.cancel_job,
            recheck.settle,
            max_failures=max_failures,
        )
    were_cancelled = {job_id.lower() for job_id in cancelled}
    plan.jobs[:] = [
        {**job, "job_status": CANCELLED_STATUS, "phase": CANCELLED}
        if job["job_id"].lower() in were_cancelled and job["phase"] != FAILED
        else job
        for job in plan.jobs
    ]
    by_id = {job["job_id"].lower(): job for job in plan.jobs}
    after = [
        {"job_id": job_id, "job_name": by_id[job_id.lower()].get("job_name"), "phase": by_id[job_id.lower()]["phase"]}
        for job_id in cancelled
    ]
    not_carried_out = [job for job in plan.jobs if job["phase"] == FAILED]
    if not_carried_out:
        warn(f"These jobs have ended, and were not carried out: {describe(not_carried_out)}.")
    in_doubt = [job_id for job_id in cancelled if job_id in recheck.presumed]
    if in_doubt:
        warn(presumed_warning("called off these jobs", in_doubt))
    result = {
        "changed": bool(cancelled) or any(error.accepted for error in failed.values()),
        "jobs": plan.jobs,
        "cancelled": cancelled,
        "presumed": in_doubt,
        "already_cancelled": plan.already_cancelled,
        "already_failed": plan.already_failed,
        "too_late": plan.too_late,
        "missing": plan.missing,
        "failed_jobs": failures(failed, "job_id"),
        "not_tried": not_tried,
        "window": {"start_time": to_result(selection.start), "end_time": to_result(now)},
        "diff": {
            "before": {"jobs": [{**job, "phase": plan.phases[job["job_id"]]} for job in after]},
            "after": {"jobs": after},
        },
    }
    called_off = f"{len(cancelled)} {'would be ' if check_mode else ''}called off"
    error = _verdict(plan, failed, called_off, len(not_tried), missing_ok, too_late_ok)
    if error is not None:
        error.result = result
        raise error
    return result


def _list(dds: Dds, selection: Selection) -> list[Record]:
    return dds.jobs(
        selection.start,
        instance_id=only(selection.instance_ids),
        wanted=selection.job_ids,
    )


def _look(dds: Dds, selection: Selection, job_ids: t.Sequence[str]) -> list[Record]:
    """Those of these jobs, which this run has seen, that are listed now.

    That one has disappeared is believed when a second listing lacks it too.
    """
    jobs = _list(dds, selection._replace(job_ids=job_ids))
    listed = {job["job_id"].lower() for job in jobs}
    lacking = [job_id for job_id in job_ids if job_id.lower() not in listed]
    if lacking:
        dds.client.pause(SECOND_LOOK)
        jobs += [job for job in _list(dds, selection._replace(job_ids=lacking)) if job["job_id"].lower() not in listed]
    return jobs


class _Recheck:
    """Finds out what became of the jobs whose cancellation was tried; what one look has settled stays settled.

    A cancellation that failed may have been carried out, or another user was faster: no code is documented for either
    (contract 3.4). Each failure is doubted once.
    """

    def __init__(self, dds: Dds, selection: Selection, plan: CancellationPlan, wait: Wait) -> None:
        self._dds = dds
        self._selection = selection
        self._plan = plan
        self._wait = wait
        #: As each job was last seen, by its id in lower case.
        self._jobs: dict[str, Record] = {}
        self._gone: set[str] = set()
        self._doubted: set[str] = set()
        #: What was called off, although no answer confirms that it was by this run.
        self.presumed: set[str] = set()

    def settle(self, done: list[str], failed: dict[str, MaintenanceError]) -> None:
        """Correct what was done, what failed, and the plan, by what the jobs are now."""
        tried = [*done, *failed]
        unread = self._look_until_settled(done, failed)
        self._doubted.update(failed)
        self._plan.jobs[:] = [self._jobs.get(job["job_id"].lower(), job) for job in self._plan.jobs]
        for job_id in tried:
            phase = self._phase(job_id)
            error = failed.pop(job_id, None)
            if unread is not None and job_id not in self._gone and (phase is None or phase in _NOT_STARTED):
                if error is None:
                    done.remove(job_id)
                failed[job_id] = _unseen(error, unread)
                continue
            accepted = error is None or error.accepted
            uncertain = error is not None and error.uncertain
            # Without an answer it is presumed to be the doing of this run; after a plain refusal another user was faster.
            if (phase in (None, CANCELLED) and (accepted or uncertain)) or (phase == FAILED and accepted):
                if error is not None:
                    done.append(job_id)
                if not accepted:
                    self.presumed.add(job_id)
                continue
            if error is None:
                done.remove(job_id)
            if phase is None:
                self._plan.missing.append(job_id)
            elif phase == FAILED and error is not None and uncertain:
                # It will not run, but whether that is the doing of this run is not known.
                failed[job_id] = error
            elif phase not in _NOT_STARTED:
                self._plan.place(job_id, phase)
            elif error is None:
                failed[job_id] = self._without_effect(job_id)
            else:
                # It may be an accepted cancellation of an earlier run, which takes its time.
                error.retryable = error.retryable or not error.stops_all
                failed[job_id] = error

    def _look_until_settled(
        self, done: t.Sequence[str], failed: t.Mapping[str, MaintenanceError]
    ) -> MaintenanceError | None:
        """Look until no job waits any more for the effect of a cancellation; returns why a look failed, if one did."""
        refused = {
            job_id
            for job_id, error in failed.items()
            # The cancellation of an earlier run, or of another user, takes effect a little later.
            if job_id not in self._doubted and not error.stops_all and (error.http_status or 500) < 500
        }
        most = self._wait.after_refusal().timeout
        for waited in self._wait.looks():
            unsettled = [job_id for job_id in (*done, *failed) if not self._is_settled(job_id)]
            if not unsettled:
                break
            try:
                jobs = _look(self._dds, self._selection, unsettled)
            except MaintenanceError as unread:
                return unread
            now = {job["job_id"].lower(): job for job in jobs}
            self._jobs.update(now)
            self._gone.update(job_id for job_id in unsettled if job_id.lower() not in now)
            accepted = any(self._phase(job_id) in _NOT_STARTED for job_id in unsettled if job_id in done)
            if not accepted and not (waited < most and any(self._phase(job_id) == PENDING for job_id in refused)):
                break
        return None

    def _phase(self, job_id: str) -> str | None:
        """The phase in which a job was last seen; None when it is gone, or was not seen yet."""
        if job_id in self._gone or job_id.lower() not in self._jobs:
            return None
        phase: str = self._jobs[job_id.lower()]["phase"]
        return phase

    def _is_settled(self, job_id: str) -> bool:
        return job_id in self._gone or self._phase(job_id) in (CANCELLED, FAILED, SUCCEEDED)

    def _without_effect(self, job_id: str) -> MaintenanceError:
        return CANCEL_JOB.error(
            RefusedError,
            f"The cancellation was accepted, but after {self._wait.timeout:g} seconds the job still reads"
            f" {one_line(str(self._jobs[job_id.lower()].get('job_status')), 32)}.",
            code="WaitTimeout",
            retryable=True,
            accepted=True,
            hint="Look at the job again later, or raise wait_timeout.",
        )


def _unseen(error: MaintenanceError | None, unread: MaintenanceError) -> MaintenanceError:
    """The failure of a cancellation that was accepted (None) or failed, where looking at the job failed too."""
    if error is None:
        message = f"The cancellation was accepted, but the job could not be read again: {unread.message}"
        return unread.retold(message, accepted=True)
    return error.with_unseen_outcome(unread)


def _verdict(
    plan: CancellationPlan,
    failed: dict[str, MaintenanceError],
    called_off: str,
    not_tried: int,
    missing_ok: bool,
    too_late_ok: bool,
) -> MaintenanceError | None:
    """The failure for what was not called off and is not excused; C(called_off) says in words what was, or would be."""
    done = "" if called_off.startswith("0 ") else f" ({called_off})"
    if failed:
        first = failures(failed, "job_id")[0]
        return failed[first["job_id"]].retold(
            f"{len(failed)} of {len(plan.to_cancel)} scheduled jobs were not certainly called off"
            f" ({called_off}, {not_tried} not tried). Job {first['job_id']}: {first['msg']}",
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
