# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to background tasks: removing the records of those that have ended, and waiting until they have."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import (
    DELETE_TASK,
    Dcs,
    FoundTasks,
    Key,
    TaskFilter,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import attempt_each
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    Record,
    Wait,
    describe,
    failures,
    has_ended,
)

#: The API's code for "not allowed when the task is in the current state" (contract 4.3): used for our own refusal too.
UNFINISHED_CODE = "DCS.4957"


def key_of(task: Record) -> Key:
    """What identifies a task."""
    return task["instance_id"], task["id"]


class Targets(t.NamedTuple):
    """Which tasks are meant: those that fit the filter, of these instances, or of the task centre (C([None]))."""

    instance_ids: t.Sequence[str | None]
    wanted: TaskFilter

    def find(self, dcs: Dcs, max_failures: int | None) -> FoundTasks:
        """List them: those given by id in the order of the ids, all others newest first."""
        ids = self.wanted.task_ids
        found = dcs.tasks_of_each(self.instance_ids, self.wanted, max_failures=max_failures)
        if None in found.failed or len(self.instance_ids) == 1:
            for error in found.failed.values():
                raise error
        if ids is None:
            return found
        order = {task_id: number for number, task_id in enumerate(ids)}
        return found._replace(tasks=sorted(found.tasks, key=lambda task: order[task["id"]]))

    def absent(self, tasks: t.Iterable[Record]) -> list[str]:
        """The ids that were given, but are not listed."""
        listed = {task["id"] for task in tasks}
        return [task_id for task_id in self.wanted.task_ids or () if task_id not in listed]


def remove(dcs: Dcs, targets: Targets, *, check_mode: bool, max_failures: int | None = None) -> dict[str, t.Any]:
    """Remove the records of these tasks, none of them if one has not ended; errors carry a result too."""
    found = targets.find(dcs, max_failures)
    absent = targets.absent(found.tasks)
    to_remove = [key_of(task) for task in found.tasks]
    unfinished = [task for task in found.tasks if not has_ended(task)]
    if unfinished:
        error = RefusedError(
            f"Nothing was removed, as {len(unfinished)} of {len(to_remove) + len(absent)} tasks have not ended:"
            f" {describe(unfinished)}.",
            code=UNFINISHED_CODE,
            service="dcs",
            retryable=True,
            hint="Wait for them with state=finished, or call off a waiting spec change with dcs_resize_cancel."
            + ("" if targets.wanted.task_ids else " With phases, only tasks that have ended can be selected."),
        )
        error.result = _removal_result(found, [], absent, {}, to_remove)
        raise error
    done: list[Key] = []
    failed: dict[Key, MaintenanceError] = {}
    not_tried: list[Key] = []
    if _too_many(found, max_failures):
        not_tried = to_remove
    elif check_mode:
        done = to_remove
    else:

        def settle(done: list[Key], failed: dict[Key, MaintenanceError]) -> None:
            for key in _found_gone(dcs, failed):
                # Without an answer it is taken to be our doing; after a plain refusal somebody else was faster.
                if failed.pop(key).uncertain:
                    done.append(key)
                else:
                    absent.append(key[1])

        done, failed, not_tried = attempt_each(
            dcs.client,
            DELETE_TASK,
            to_remove,
            lambda key: dcs.delete_task(*key),
            settle,
            lambda error: error.stops_all or (error.no_instance and len(targets.instance_ids) == 1),
            max_failures and max_failures - len(found.failed),
        )
    for refused in failed.values():
        if refused.code == UNFINISHED_CODE:
            refused.message = f"the service says that it has not ended ({refused.message})"
    result = _removal_result(found, done, absent, failed, not_tried)
    failure: MaintenanceError | None = None
    if failed:
        first = result["failed_tasks"][0]
        failure = failed[(first["instance_id"], first["task_id"])].retold(
            f"{len(failed)} of {len(failed) + len(done) + len(not_tried)} tasks could not be removed"
            f" ({len(done)} removed, {len(not_tried)} not tried). Task {first['task_id']}: {first['msg']}"
        )
    elif found.failed:
        failure = _not_listed(found, len(targets.instance_ids), f"{len(done)} tasks removed")
    if failure is not None:
        failure.result = result
        raise failure
    return result


def _too_many(found: FoundTasks, max_failures: int | None) -> bool:
    """Whether the failures of the listing are a reason to begin nothing."""
    return any(error.stops_all for error in found.failed.values()) or (
        max_failures is not None and len(found.failed) >= max_failures
    )


def _not_listed(found: FoundTasks, count: int, done: str) -> MaintenanceError:
    """The failure of instances that could not be listed, where something else was done."""
    first = failures(found.failed, "instance_id", acts=False)[0]
    return found.failed[first["instance_id"]].retold(
        f"The tasks of {len(found.failed)} of {count} instances could not be listed"
        f" ({done}, {len(found.not_listed)} instances not tried). {first['msg']}"
    )


def _found_gone(dcs: Dcs, failed: dict[Key, MaintenanceError]) -> list[Key]:
    """Those no longer listed: no code for an unknown task is documented (C12), and an answer may be lost."""
    doubtful = [
        key
        for key, error in failed.items()
        if error.uncertain
        or (error.http_status in (400, 404, 409) and not error.no_instance and error.code != UNFINISHED_CODE)
    ]
    if not doubtful:
        return []
    seen = dcs.tasks_by_key(doubtful)
    listed = {key_of(task) for task in seen.tasks}
    unread = {*seen.failed, *seen.not_listed}
    return [key for key in doubtful if key not in listed and (key[0] or "") not in unread]


def _removal_result(
    found: FoundTasks,
    removed: list[Key],
    absent: list[str],
    failed: dict[Key, MaintenanceError],
    not_tried: list[Key],
) -> dict[str, t.Any]:
    were_removed = set(removed)
    keys: tuple[str, ...] = ("id", "name", "status")
    if len({instance_id for instance_id, _task_id in removed}) > 1:
        keys = ("instance_id", *keys)
    before = [{key: task.get(key) for key in keys} for task in found.tasks if key_of(task) in were_removed]
    return {
        "changed": bool(removed),
        "tasks": found.tasks,
        "removed": [task_id for _instance_id, task_id in removed],
        "absent": absent,
        "failed_tasks": failures(failed, "instance_id", "task_id"),
        "not_tried": [task_id for _instance_id, task_id in not_tried],
        "failed_instances": failures(found.failed, "instance_id", acts=False),
        "not_listed": found.not_listed,
        "diff": {"before": {"tasks": before}, "after": {"tasks": []}},
    }


class Waiting:
    """Waiting until tasks have ended, or are listed no more: one listing per look and instance."""

    def __init__(
        self, dcs: Dcs, targets: Targets, accepted_phases: t.Collection[str], max_failures: int | None
    ) -> None:
        self._dcs = dcs
        self._targets = targets
        self._accepted_phases = accepted_phases
        self._max_failures = max_failures
        self._started = time.monotonic()
        self._progress: list[str] = []
        self._found = FoundTasks([], {}, [], truncated=False)
        self._tasks: dict[Key, Record] = {}
        self._gone: list[str] = []
        self._quiet = 0

    def run(self, wait: Wait | None) -> dict[str, t.Any]:
        """Look until all have ended; once without C(wait). Errors carry a result too."""
        error: MaintenanceError | None = None
        for number, _waited in enumerate(wait.looks(lambda: self._quiet) if wait else (0,)):
            try:
                if number:
                    self._look_again()
                else:
                    self._look()
            except MaintenanceError as unread:
                error = unread
                break
            if self._tasks or self._gone:
                self._note_progress()
            hopeless = {name for name, failed in self._found.failed.items() if failed.no_instance}
            waited_for = {task["instance_id"] for task in self._unfinished()} - hopeless
            if not waited_for or _too_many(self._found, self._max_failures):
                break
        error = error or self._verdict(wait)
        result = {
            "changed": False,
            "tasks": list(self._tasks.values()),
            "absent": self._gone,
            "unfinished": [task["id"] for task in self._unfinished()],
            "failed_instances": failures(self._found.failed, "instance_id", acts=False),
            "not_listed": self._found.not_listed,
            "waited": round(time.monotonic() - self._started, 1),
            "progress": self._progress,
            "diff": {"before": {"tasks": []}, "after": {"tasks": []}},
        }
        if error is not None:
            error.result = result
            raise error
        return result

    def _look(self) -> None:
        self._found = self._targets.find(self._dcs, self._max_failures)
        self._tasks = {key_of(task): task for task in self._found.tasks}
        self._gone = self._targets.absent(self._found.tasks)

    def _look_again(self) -> None:
        before = self._state()
        unfinished = {key_of(task): None for task in self._unfinished()}
        look = self._dcs.tasks_by_key(unfinished)
        if len(self._targets.instance_ids) == 1:
            for error in look.failed.values():
                raise error
        now = {key_of(task): task for task in look.tasks}
        for key in unfinished:
            if key in now:
                self._tasks[key] = now[key]
            elif (key[0] or "") not in look.failed and (key[0] or "") not in look.not_listed:
                # Its record was removed while it was waited for: it has ended, nobody knows how.
                del self._tasks[key]
                self._gone.append(key[1])
        for name in {instance_id or "" for instance_id, _task_id in unfinished}:
            # Until the next look.
            self._found.failed.pop(name, None)
        self._found.failed.update(look.failed)
        self._quiet = self._quiet + 1 if self._state() == before else 0

    def _state(self) -> dict[Key, t.Any]:
        return {key: task.get("status") for key, task in self._tasks.items()}

    def _unfinished(self) -> list[Record]:
        """Also those of instances that cannot be listed any more."""
        return [task for task in self._tasks.values() if not has_ended(task)]

    def _verdict(self, wait: Wait | None) -> MaintenanceError | None:
        tasks = list(self._tasks.values())
        total = len(tasks) + len(self._gone)
        unfinished = self._unfinished()
        bad = [task for task in tasks if has_ended(task) and task["phase"] not in self._accepted_phases]
        if bad:
            return RefusedError(
                f"{len(bad)} of {total} tasks ended otherwise than {' or '.join(self._accepted_phases)}: {describe(bad)}.",
                code="EndedBadly",
                service="dcs",
                hint="See the task's details and error_code, or accept this end with accepted_phases.",
            )
        if self._found.failed:
            ended = f"{total - len(unfinished)} of {total} tasks ended"
            return _not_listed(self._found, len(self._targets.instance_ids), ended)
        if unfinished and wait:
            return RefusedError(
                f"{len(unfinished)} of {total} tasks have not ended after {wait.timeout:g} seconds:"
                f" {describe(unfinished)}.",
                code="WaitTimeout",
                service="dcs",
                retryable=True,
                hint="Run the task again, or raise wait_timeout; a task that waits for the maintenance window ends after it.",
            )
        return None

    def _note_progress(self) -> None:
        unfinished = self._unfinished()
        by_phase: dict[str, int] = {}
        for task in unfinished:
            by_phase[task["phase"]] = by_phase.get(task["phase"], 0) + 1
        state = ", ".join(f"{count} {phase}" for phase, count in sorted(by_phase.items()))
        total = len(self._tasks) + len(self._gone)
        line = f"{total - len(unfinished)} of {total} ended" + (f", {state}" if state else "")
        if not self._progress or self._progress[-1].split(": ", 1)[1] != line:
            self._progress.append(f"after {time.monotonic() - self._started:.0f} s: {line}")
