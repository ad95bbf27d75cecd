# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to background tasks: removing the records of those that have ended, and waiting until they have.

C(plan_removal()) decides and C(remove()) acts; C(wait_until_finished()) only reads.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    MaintenanceError,
    RefusedError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    Record,
    Wait,
    attempt_each,
    describe,
    has_ended,
)

#: The API's code for "not allowed when the task is in the current state" (contract 4.3): used for our own refusal too.
UNFINISHED_CODE = "DCS.4957"


class RemovalPlan(t.NamedTuple):
    """What is to happen to each id that was given.

    :ivar tasks: the listed tasks with these ids, in the order given.
    :ivar absent: ids that are not listed.
    :ivar unfinished: those of C(tasks) that have not ended, and must not be removed.
    """

    tasks: list[Record]
    absent: list[str]
    unfinished: list[Record]


def plan_removal(listed: t.Sequence[Record], task_ids: t.Sequence[str]) -> RemovalPlan:
    """Decide what is to be removed; pure."""
    by_id = {task["id"]: task for task in listed}
    tasks = [by_id[task_id] for task_id in task_ids if task_id in by_id]
    return RemovalPlan(
        tasks,
        [task_id for task_id in task_ids if task_id not in by_id],
        [task for task in tasks if not has_ended(task)],
    )


def remove(dcs: Dcs, instance_id: str | None, task_ids: t.Sequence[str], *, check_mode: bool) -> dict[str, t.Any]:
    """Remove the records of these tasks, all of which must have ended, and report on each id.

    :arg instance_id: None for the task centre.
    :raises RefusedError: before anything is removed, when a task has not ended.
    :raises MaintenanceError: when a removal failed; its C(result) says what was removed, failed, and was not tried.
    """
    if not task_ids:
        return _removal_result(RemovalPlan([], [], []), [], [], {}, [])
    plan = plan_removal(dcs.tasks(instance_id, wanted=task_ids), task_ids)
    if plan.unfinished:
        refusal = RefusedError(
            f"Nothing was removed, as {len(plan.unfinished)} of {len(task_ids)} tasks have not ended:"
            f" {describe(plan.unfinished)}.",
            code=UNFINISHED_CODE,
            service="dcs",
            retryable=True,
            hint="Wait for them with state=finished, or call off a waiting spec change with dcs_resize_cancel.",
        )
        refusal.result = _removal_result(plan, [], plan.absent, {}, [task["id"] for task in plan.tasks])
        raise refusal
    to_remove = [task["id"] for task in plan.tasks]
    if check_mode:
        return _removal_result(plan, to_remove, plan.absent, {}, [])

    absent = list(plan.absent)

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
    result = _removal_result(plan, removed, absent, failed, not_tried)
    if failed:
        raise _removal_error(failed, len(removed), len(not_tried), result)
    return result


def _found_gone(dcs: Dcs, instance_id: str | None, failed: dict[str, MaintenanceError]) -> list[str]:
    """Those whose removal failed although they are no longer listed.

    No error code is documented for an unknown task (C12), and the answer to a removal may have been lost: one more
    listing tells. When that fails too, nothing is known, and the failures stand.
    """
    doubtful = [task_id for task_id, error in failed.items() if _is_doubtful(error)]
    if not doubtful:
        return []
    try:
        listed = {task["id"] for task in dcs.tasks(instance_id, wanted=doubtful)}
    except MaintenanceError:
        return []
    return [task_id for task_id in doubtful if task_id not in listed]


def _is_doubtful(error: MaintenanceError) -> bool:
    if error.uncertain:
        return True
    return error.http_status in (400, 404, 409) and not error.no_instance and error.code != UNFINISHED_CODE


def _removal_result(
    plan: RemovalPlan,
    removed: list[str],
    absent: list[str],
    failed: dict[str, MaintenanceError],
    not_tried: list[str],
) -> dict[str, t.Any]:
    of_removed = [task for task in plan.tasks if task["id"] in removed]
    return {
        "changed": bool(removed),
        "tasks": plan.tasks,
        "removed": removed,
        "absent": absent,
        "failed_tasks": [
            {"task_id": task_id, "msg": error.message, "failure": error.failure()} for task_id, error in failed.items()
        ],
        "not_tried": not_tried,
        "diff": {
            "before": {"tasks": [{key: task.get(key) for key in ("id", "name", "status")} for task in of_removed]},
            "after": {"tasks": []},
        },
    }


def _removal_error(
    failed: dict[str, MaintenanceError], removed: int, not_tried: int, result: dict[str, t.Any]
) -> MaintenanceError:
    task_id, first = next(iter(failed.items()))
    what = first.message
    if first.code == UNFINISHED_CODE:
        what = f"the service says that it has not ended ({what})"
    unknown = " It is not known whether it was removed." if first.uncertain else ""
    error = RefusedError(
        f"{len(failed)} of {len(failed) + removed + not_tried} tasks could not be removed"
        f" ({removed} removed, {not_tried} not tried). Task {task_id}: {what}{unknown}",
        code=first.code,
        service=first.service,
        operation=first.operation,
        http_status=first.http_status,
        request_id=first.request_id,
        retryable=first.retryable,
        hint=first.hint,
    )
    error.result = result
    return error


def wait_until_finished(
    dcs: Dcs,
    instance_id: str | None,
    task_ids: t.Sequence[str],
    wait: Wait | None,
    accepted_phases: t.Collection[str],
) -> dict[str, t.Any]:
    """Look at these tasks until all have ended; a task that is not listed has ended. Never changes anything.

    :arg wait: None to look only once, as check mode does.
    :arg accepted_phases: the phases in which a task may end.
    :raises RefusedError: when the time is up, or a task ended in another phase.
    """
    started = time.monotonic()
    progress: list[str] = []
    seen: dict[str, Record] = {}
    absent: list[str] = []
    unfinished: list[Record] = []
    while task_ids:
        listed = {task["id"]: task for task in dcs.tasks(instance_id, wanted=task_ids)}
        seen.update((task_id, listed[task_id]) for task_id in task_ids if task_id in listed)
        # A task whose record was removed while it was waited for has ended, nobody knows how.
        absent = [id_ for id_ in task_ids if id_ not in listed and not (id_ in seen and has_ended(seen[id_]))]
        unfinished = [task for task_id, task in listed.items() if task_id in task_ids and not has_ended(task)]
        waited = time.monotonic() - started
        _note_progress(progress, waited, len(task_ids), unfinished)
        if not unfinished or wait is None or waited >= wait.timeout:
            break
        wait.pause(min(wait.interval, wait.timeout - waited))
    tasks = [seen[task_id] for task_id in task_ids if task_id in seen and task_id not in absent]
    result = {
        "changed": False,
        "tasks": tasks,
        "absent": absent,
        "unfinished": [task["id"] for task in unfinished],
        "waited": round(time.monotonic() - started, 1),
        "progress": progress,
        "diff": {"before": {"tasks": []}, "after": {"tasks": []}},
    }
    error: RefusedError | None = None
    bad = [task for task in tasks if has_ended(task) and task["phase"] not in accepted_phases]
    if bad:
        error = RefusedError(
            f"{len(bad)} of {len(task_ids)} tasks ended otherwise than {' or '.join(accepted_phases)}: {describe(bad)}.",
            code="EndedBadly",
            service="dcs",
            hint="See the task's details and error_code, or accept this end with accepted_phases.",
        )
    elif unfinished and wait is not None:
        error = RefusedError(
            f"{len(unfinished)} of {len(task_ids)} tasks have not ended after {wait.timeout:g} seconds:"
            f" {describe(unfinished)}.",
            code="WaitTimeout",
            service="dcs",
            retryable=True,
            hint="Run the task again, or raise wait_timeout; a task that waits for the maintenance window ends after it.",
        )
    if error is not None:
        error.result = result
        raise error
    return result


def _note_progress(progress: list[str], waited: float, total: int, unfinished: list[Record]) -> None:
    """Add a line when something changed since the last one."""
    by_phase: dict[str, int] = {}
    for task in unfinished:
        by_phase[task["phase"]] = by_phase.get(task["phase"], 0) + 1
    state = ", ".join(f"{count} {phase}" for phase, count in sorted(by_phase.items()))
    line = f"{total - len(unfinished)} of {total} ended" + (f", {state}" if state else "")
    if not progress or progress[-1].split(": ", 1)[1] != line:
        progress.append(f"after {waited:.0f} s: {line}")
