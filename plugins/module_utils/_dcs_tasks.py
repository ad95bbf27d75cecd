# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to background tasks: removing the records of those that have ended, and waiting until they have."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    Record,
    Wait,
    attempt_each,
    describe,
    failures,
    has_ended,
)

#: The API's code for "not allowed when the task is in the current state" (contract 4.3): used for our own refusal too.
UNFINISHED_CODE = "DCS.4957"


class RemovalPlan(t.NamedTuple):
    """The listed tasks, the ids not listed, and the tasks that must not be removed."""

    tasks: list[Record]
    absent: list[str]
    unfinished: list[Record]


def plan_removal(listed: t.Sequence[Record], task_ids: t.Sequence[str]) -> RemovalPlan:
    """Decide what is to be removed."""
    by_id = {task["id"]: task for task in listed}
    tasks = [by_id[task_id] for task_id in task_ids if task_id in by_id]
    return RemovalPlan(
        tasks,
        [task_id for task_id in task_ids if task_id not in by_id],
        [task for task in tasks if not has_ended(task)],
    )


def remove(dcs: Dcs, instance_id: str | None, task_ids: t.Sequence[str], *, check_mode: bool) -> dict[str, t.Any]:
    """Remove the records of ended tasks, all or none of them; errors carry a result too."""
    plan = plan_removal(dcs.tasks(instance_id, wanted=task_ids) if task_ids else [], task_ids)
    to_remove = [task["id"] for task in plan.tasks]
    absent = list(plan.absent)
    if plan.unfinished:
        error = RefusedError(
            f"Nothing was removed, as {len(plan.unfinished)} of {len(task_ids)} tasks have not ended:"
            f" {describe(plan.unfinished)}.",
            code=UNFINISHED_CODE,
            service="dcs",
            retryable=True,
            hint="Wait for them with state=finished, or call off a waiting spec change with dcs_resize_cancel.",
        )
        error.result = _removal_result(plan, [], absent, {}, to_remove)
        raise error
    if check_mode:
        return _removal_result(plan, to_remove, absent, {}, [])

    def settle(done: list[str], failed: dict[str, MaintenanceError]) -> None:
        for task_id in _found_gone(dcs, instance_id, failed):
            # Without an answer it is taken to be our doing; after a plain refusal somebody else was faster.
            (done if failed.pop(task_id).uncertain else absent).append(task_id)

    removed, failed, not_tried = attempt_each(
        to_remove,
        lambda task_id: dcs.delete_task(instance_id, task_id),
        settle,
        lambda error: error.stops_all or error.no_instance,
    )
    for refused in failed.values():
        if refused.code == UNFINISHED_CODE:
            refused.message = f"the service says that it has not ended ({refused.message})"
    result = _removal_result(plan, removed, absent, failed, not_tried)
    if failed:
        first = result["failed_tasks"][0]
        error = failed[first["task_id"]].retold(
            f"{len(failed)} of {len(failed) + len(removed) + len(not_tried)} tasks could not be removed"
            f" ({len(removed)} removed, {len(not_tried)} not tried). Task {first['task_id']}: {first['msg']}"
        )
        error.result = result
        raise error
    return result


def _found_gone(dcs: Dcs, instance_id: str | None, failed: dict[str, MaintenanceError]) -> list[str]:
    """Those no longer listed: no code for an unknown task is documented (C12), and an answer may be lost."""
    doubtful = [
        task_id
        for task_id, error in failed.items()
        if error.uncertain
        or (error.http_status in (400, 404, 409) and not error.no_instance and error.code != UNFINISHED_CODE)
    ]
    if not doubtful:
        return []
    try:
        listed = {task["id"] for task in dcs.tasks(instance_id, wanted=doubtful)}
    except MaintenanceError:
        return []
    return [task_id for task_id in doubtful if task_id not in listed]


def _removal_result(
    plan: RemovalPlan,
    removed: list[str],
    absent: list[str],
    failed: dict[str, MaintenanceError],
    not_tried: list[str],
) -> dict[str, t.Any]:
    before = [{key: task.get(key) for key in ("id", "name", "status")} for task in plan.tasks if task["id"] in removed]
    return {
        "changed": bool(removed),
        "tasks": plan.tasks,
        "removed": removed,
        "absent": absent,
        "failed_tasks": failures(failed, "task_id"),
        "not_tried": not_tried,
        "diff": {"before": {"tasks": before}, "after": {"tasks": []}},
    }


def wait_until_finished(
    dcs: Dcs,
    instance_id: str | None,
    task_ids: t.Sequence[str],
    wait: Wait | None,
    accepted_phases: t.Collection[str],
) -> dict[str, t.Any]:
    """Look until these tasks have ended, or are listed no more; once without C(wait). Errors carry a result too."""
    started = time.monotonic()
    progress: list[str] = []
    seen: dict[str, Record] = {}
    absent: list[str] = []
    unfinished: list[Record] = []
    error: MaintenanceError | None = None
    for _waited in wait.looks() if wait else (0,):
        try:
            listed = {task["id"]: task for task in dcs.tasks(instance_id, wanted=task_ids)} if task_ids else {}
        except MaintenanceError as unread:
            error = unread
            break
        seen.update((task_id, listed[task_id]) for task_id in task_ids if task_id in listed)
        # A task whose record was removed while it was waited for has ended, nobody knows how.
        absent = [id_ for id_ in task_ids if id_ not in listed and not (id_ in seen and has_ended(seen[id_]))]
        unfinished = [task for task_id, task in listed.items() if task_id in task_ids and not has_ended(task)]
        if task_ids:
            _note_progress(progress, time.monotonic() - started, len(task_ids), unfinished)
        if not unfinished:
            break
    tasks = [seen[task_id] for task_id in task_ids if task_id in seen and task_id not in absent]
    bad = [task for task in tasks if has_ended(task) and task["phase"] not in accepted_phases]
    if error is None and bad:
        error = RefusedError(
            f"{len(bad)} of {len(task_ids)} tasks ended otherwise than {' or '.join(accepted_phases)}: {describe(bad)}.",
            code="EndedBadly",
            service="dcs",
            hint="See the task's details and error_code, or accept this end with accepted_phases.",
        )
    elif error is None and unfinished and wait:
        error = RefusedError(
            f"{len(unfinished)} of {len(task_ids)} tasks have not ended after {wait.timeout:g} seconds:"
            f" {describe(unfinished)}.",
            code="WaitTimeout",
            service="dcs",
            retryable=True,
            hint="Run the task again, or raise wait_timeout; a task that waits for the maintenance window ends after it.",
        )
    result = {
        "changed": False,
        "tasks": tasks,
        "absent": absent,
        "unfinished": [task["id"] for task in unfinished],
        "waited": round(time.monotonic() - started, 1),
        "progress": progress,
        "diff": {"before": {"tasks": []}, "after": {"tasks": []}},
    }
    if error is not None:
        error.result = result
        raise error
    return result


def _note_progress(progress: list[str], waited: float, total: int, unfinished: list[Record]) -> None:
    by_phase: dict[str, int] = {}
    for task in unfinished:
        by_phase[task["phase"]] = by_phase.get(task["phase"], 0) + 1
    state = ", ".join(f"{count} {phase}" for phase, count in sorted(by_phase.items()))
    line = f"{total - len(unfinished)} of {total} ended" + (f", {state}" if state else "")
    if not progress or progress[-1].split(": ", 1)[1] != line:
        progress.append(f"after {waited:.0f} s: {line}")
