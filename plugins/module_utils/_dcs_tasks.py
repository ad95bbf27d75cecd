# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to background tasks: removing the records of those that have ended, and waiting until they have."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import (
    DELETE_CENTER_TASK,
    DELETE_TASK,
    LIST_CENTER_TASKS,
    LIST_TASKS,
    Dcs,
    FoundTasks,
    Key,
    TaskFilter,
    key_of,
    same,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import attempt_each
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    DOUBT,
    SECOND_LOOK,
    Record,
    Wait,
    describe,
    enumerated,
    failures,
    has_ended,
    presumed_warning,
)

#: The API's code for "not allowed when the task is in the current state" (contract 4.3): used for our own refusal too.
UNFINISHED_CODE = "DCS.4957"

#: Seconds between two looks for the effect of a removal.
_LOOK_INTERVAL = 5


class Targets(t.NamedTuple):
    """Which tasks are meant: those that fit the filter, of these instances, or of the task centre (C([None]))."""

    instance_ids: t.Sequence[str | None]
    wanted: TaskFilter

    def find(self, dcs: Dcs, max_failures: int | None) -> FoundTasks:
        """List them: those given by id in the order of the ids, all others newest first."""
        found = dcs.tasks_of_each(self.instance_ids, self.wanted, max_failures=max_failures)
        if len(self.instance_ids) == 1:
            for error in found.failed.values():
                raise error
        return found._replace(tasks=self.in_order(found.tasks))

    def in_order(self, tasks: list[Record]) -> list[Record]:
        """The tasks in the order of the ids, or as they are."""
        if self.wanted.task_ids is None:
            return tasks
        order = {task_id: number for number, task_id in enumerate(self.wanted.task_ids)}
        return sorted(tasks, key=lambda task: order[task["id"].lower()])

    def of_center(self) -> bool:
        """Whether the tasks are those of the task centre."""
        return None in self.instance_ids

    def listing(self) -> Operation:
        """What lists them, for an error."""
        return LIST_CENTER_TASKS if self.of_center() else LIST_TASKS

    def removal(self) -> Operation:
        """What removes one of them, for an error."""
        return DELETE_CENTER_TASK if self.of_center() else DELETE_TASK

    def may_be_removed(self, task: Record) -> bool:
        """Whether a task has ended, or has no status at all and was named by its id: then the service decides (C9)."""
        return has_ended(task) or (self.wanted.task_ids is not None and task.get("status") in (None, ""))

    def absent(self, tasks: t.Iterable[Record]) -> list[str]:
        """The ids that were given, but are not listed."""
        listed = {task["id"].lower() for task in tasks}
        return [given for task_id, given in (self.wanted.task_ids or {}).items() if task_id not in listed]


def remove(
    dcs: Dcs,
    targets: Targets,
    warn: t.Callable[[str], None],
    *,
    check_mode: bool,
    max_failures: int | None = None,
) -> dict[str, t.Any]:
    """Remove the records of these tasks, none of them if one has not ended; errors carry a result too."""
    found = targets.find(dcs, max_failures)
    for warning in found.unborne:
        warn(warning)
    absent = targets.absent(found.tasks)
    to_remove = [key_of(task) for task in found.tasks]
    unfinished = [task for task in found.tasks if not targets.may_be_removed(task)]
    if unfinished:
        was = "would be" if check_mode else "was"
        error = targets.removal().error(
            RefusedError,
            f"Nothing {was} removed, as {len(unfinished)} of {len(to_remove) + len(absent)} tasks have not ended:"
            f" {describe(unfinished)}.",
            code=UNFINISHED_CODE,
            retryable=True,
            hint="Wait for them with state=finished, or call off a waiting spec change with dcs_resize_cancel."
            + ("" if targets.wanted.task_ids else " With phases, only tasks that have ended can be selected."),
        )
        error.result = _removal_result(found, [], set(), absent, {}, to_remove)
        raise error
    done: list[Key] = []
    failed: dict[Key, MaintenanceError] = {}
    not_tried: list[Key] = []
    presumed: set[Key] = set()
    if _too_many(found, max_failures):
        not_tried = to_remove
    elif check_mode:
        done = to_remove
    else:
        doubts = _Doubts(dcs, targets)

        def settle(done: list[Key], failed: dict[Key, MaintenanceError]) -> None:
            for key, error in [(key, failed.pop(key)) for key in doubts.found_gone(failed)]:
                # Without an answer it is presumed to be the doing of this run; after a plain refusal, of another one.
                if error.uncertain:
                    done.append(key)
                    presumed.update(() if error.accepted else (key,))
                else:
                    absent.append(key[1])

        done, failed, not_tried = attempt_each(
            dcs.client,
            targets.removal(),
            to_remove,
            lambda key: dcs.delete_task(*key),
            settle,
            lambda error: error.stops_all or (error.no_instance and len(targets.instance_ids) == 1),
            max_failures and max_failures - len(found.failed),
        )
    for refused in failed.values():
        if refused.code == UNFINISHED_CODE:
            refused.message = f"the service says that it has not ended ({refused.message})"
            refused.hint = "Wait for it with state=finished; what the service does not let go later either must stay."
    result = _removal_result(found, done, presumed, absent, failed, not_tried)
    if presumed:
        warn(presumed_warning("removed these records", result["presumed"]))
    removed = f"{len(done)} tasks {'would be ' if check_mode else ''}removed"
    failure = _not_removed(result, failed) or (found.failed and _not_listed(found, len(targets.instance_ids), removed))
    if failure:
        failure.result = result
        raise failure
    return result


def _not_removed(result: dict[str, t.Any], failed: dict[Key, MaintenanceError]) -> MaintenanceError | None:
    """The failure of records that could not be removed."""
    if not failed:
        return None
    first = result["failed_tasks"][0]
    done, not_tried = len(result["removed"]), len(result["not_tried"])
    return failed[(first["instance_id"], first["task_id"])].retold(
        f"{len(failed)} of {len(failed) + done + not_tried} tasks could not be removed"
        f" ({done} removed, {not_tried} not tried). Task {first['task_id']}: {first['msg']}"
    )


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


class _Doubts:
    """Finds out which records are gone although their removal failed: no code for an unknown task is documented (C12),
    and an answer may be lost. Each is looked for once; one that the service no longer knows may be listed a little longer.
    """

    def __init__(self, dcs: Dcs, targets: Targets) -> None:
        self._dcs = dcs
        self._targets = targets
        self._doubted: set[Key] = set()

    def found_gone(self, failed: dict[Key, MaintenanceError]) -> list[Key]:
        """Those of the failed that two listings lack. Where that could not be seen, C(failed) then says so."""
        open_ = [key for key, error in failed.items() if key not in self._doubted and _is_doubtful(error)]
        self._doubted.update(open_)
        gone: list[Key] = []
        wait = Wait(DOUBT, _LOOK_INTERVAL, self._dcs.client.pause)
        for _waited in wait.looks() if open_ else ():
            look = self._dcs.look_at(open_)
            gone += look.gone
            for key in open_:
                unread = look.unread(key)
                if unread is not None:
                    failed[key] = failed[key].with_unseen_outcome(unread)
            listed = {same(key_of(task)) for task in look.tasks}
            open_ = [key for key in open_ if same(key) in listed and _may_go(failed[key])]
            if not open_:
                break
        return gone


def _is_doubtful(error: MaintenanceError) -> bool:
    """Whether the record may be gone although its removal failed in this way."""
    return error.uncertain or (
        error.http_status in (400, 404, 409) and not error.no_instance and error.code != UNFINISHED_CODE
    )


def _may_go(error: MaintenanceError) -> bool:
    """Whether a record that is still listed may soon be gone, as the service itself no longer knows it."""
    return error.http_status == 404


def _removal_result(
    found: FoundTasks,
    removed: list[Key],
    presumed: set[Key],
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
        "presumed": [key[1] for key in removed if key in presumed],
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
        self,
        dcs: Dcs,
        targets: Targets,
        accepted_phases: t.Collection[str],
        warn: t.Callable[[str], None],
        *,
        missing_ok: bool,
        max_failures: int | None,
    ) -> None:
        self._dcs = dcs
        self._targets = targets
        self._accepted_phases = accepted_phases
        self._warn = warn
        self._missing_ok = missing_ok
        self._max_failures = max_failures
        self._started = time.monotonic()
        self._progress: list[str] = []
        self._found = FoundTasks([], {}, [], truncated=False)
        self._tasks: dict[Key, Record] = {}
        #: Never listed, and listed no more.
        self._missing: list[str] = []
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
            if self._total():
                self._note_progress()
            hopeless = {name for name, failed in self._found.failed.items() if failed.no_instance}
            waited_for = {task["instance_id"] for task in self._unfinished()} - hopeless
            if not waited_for or _too_many(self._found, self._max_failures):
                break
        error = error or self._verdict(wait)
        result = {
            "changed": False,
            "tasks": list(self._tasks.values()),
            "absent": [*self._missing, *self._gone],
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
        for warning in self._found.unborne:
            self._warn(warning)
        self._see(self._found.tasks)
        if self._missing and self._missing_ok:
            # What is lacking then counts as ended, and one listing proves little about what it lacks.
            self._dcs.client.pause(SECOND_LOOK)
            look = self._dcs.look_once([(self._targets.instance_ids[0], task_id) for task_id in self._missing])
            for error in look.failed.values():
                raise error
            self._see([*self._found.tasks, *look.tasks])

    def _see(self, tasks: list[Record]) -> None:
        tasks = self._targets.in_order(tasks)
        self._tasks = {same(key_of(task)): task for task in tasks}
        self._missing = self._targets.absent(tasks)

    def _look_again(self) -> None:
        before = self._state()
        unfinished = [same(key_of(task)) for task in self._unfinished()]
        look = self._dcs.look_at(unfinished)
        if len(self._targets.instance_ids) == 1:
            for error in look.failed.values():
                raise error
        self._tasks.update((same(key_of(task)), task) for task in look.tasks)
        for key in look.gone:
            # Its record was removed while it was waited for: it has ended, and how is not known.
            self._gone.append(self._tasks.pop(key)["id"])
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

    def _total(self) -> int:
        return len(self._tasks) + len(self._gone) + len(self._missing)

    def _verdict(self, wait: Wait | None) -> MaintenanceError | None:
        listing = self._targets.listing()
        tasks = list(self._tasks.values())
        total = self._total()
        unfinished = self._unfinished()
        bad = [task for task in tasks if has_ended(task) and task["phase"] not in self._accepted_phases]
        if bad:
            return listing.error(
                RefusedError,
                f"{len(bad)} of {total} tasks ended otherwise than {' or '.join(self._accepted_phases)}: {describe(bad)}.",
                code="EndedBadly",
                hint="See the task's details and error_code, or accept this end with accepted_phases.",
            )
        if self._found.failed:
            ended = f"{total - len(unfinished) - len(self._missing)} of {total} tasks ended"
            return _not_listed(self._found, len(self._targets.instance_ids), ended)
        if unfinished and wait:
            return listing.error(
                RefusedError,
                f"{len(unfinished)} of {total} tasks have not ended after {wait.timeout:g} seconds:"
                f" {describe(unfinished)}.",
                code="WaitTimeout",
                retryable=True,
                hint="Run the task again, or raise wait_timeout; a task that waits for the maintenance window ends after it.",
            )
        if self._missing and not self._missing_ok:
            return listing.error(
                RefusedError,
                f"{len(self._missing)} of {total} tasks are not known here, as they were never listed:"
                f" {enumerated(self._missing)}.",
                code="NotFound",
                hint="Check the ids, the instance, the region and the project; missing_ok=true makes this no failure,"
                " for tasks whose records may have been removed.",
            )
        return None

    def _note_progress(self) -> None:
        unfinished = self._unfinished()
        by_phase: dict[str, int] = {}
        for task in unfinished:
            by_phase[task["phase"]] = by_phase.get(task["phase"], 0) + 1
        state = [f"{count} {phase}" for phase, count in sorted(by_phase.items())]
        if self._missing:
            state.append(f"{len(self._missing)} not listed")
        total = self._total()
        line = ", ".join([f"{total - len(unfinished) - len(self._missing)} of {total} ended", *state])
        if not self._progress or self._progress[-1].split(": ", 1)[1] != line:
            self._progress.append(f"after {time.monotonic() - self._started:.0f} s: {line}")
