# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling off a spec change that waits for the maintenance window. The state that is wanted: it will not run.

The request is never sent twice for one decision: after a lost answer or a refusal, the list is judged anew.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import CANCEL_RESIZE, Dcs, is_spec_change
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    ApiError,
    MaintenanceError,
    RefusedError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    CANCELLED,
    DOUBT,
    FAILED,
    PENDING,
    RUNNING,
    SECOND_LOOK,
    SUCCEEDED,
    Record,
    Wait,
    describe,
    has_ended,
    presumed_warning,
)

#: How often a replaced spec change is followed.
_ROUNDS = 3


class Verdict(t.NamedTuple):
    """What to cancel, which spec change it is about, and a warning."""

    cancel: Record | None
    task: Record | None
    warning: str | None = None


def judge(tasks: t.Sequence[Record], task_id: str | None) -> Verdict:
    """Decide what these tasks mean for the spec change (None: the unfinished one), or RefusedError."""
    pending = [task for task in tasks if is_spec_change(task) and not has_ended(task)]
    if task_id is None:
        if len(pending) > 1:
            raise _refusal(
                "Ambiguous",
                f"There are {len(pending)} unfinished spec changes: {describe(pending)}.",
                "Say with task_id which one is meant.",
            )
        return Verdict(pending[0], pending[0]) if pending else Verdict(None, None)
    target = _find(tasks, task_id)
    if target is None:
        if pending:
            raise _refusal(
                "NotFound",
                f"Task {task_id} is not listed, but another spec change is unfinished: {describe(pending)}.",
                "Check task_id, or leave it out to call off the one that is unfinished.",
            )
        warning = f"Task {task_id} is not listed: its record was removed, or it never existed on this instance."
        return Verdict(None, None, warning)
    if not is_spec_change(target):
        raise _refusal(
            "NotASpecChange",
            f"Task {task_id} is not a spec change, but {describe([target])}.",
            "Check task_id, or leave it out to call off the one that is unfinished.",
        )
    if not has_ended(target):
        return Verdict(target, target)
    if target["phase"] == SUCCEEDED:
        raise _too_late(target)
    if target["phase"] == CANCELLED:
        return Verdict(None, target)
    return Verdict(None, target, not_carried_out(target))


def not_carried_out(task: Record) -> str:
    """What is said of a spec change that reads C(failed), in the run that called it off and in all others."""
    return f"The spec change has ended, and was not carried out: {describe([task])}."


def others_waiting(tasks: t.Iterable[Record], task: Record | None) -> list[Record]:
    """What else may wait on the instance: spec changes that have not ended, and other tasks that do not run either."""
    own = "" if task is None else task["id"].lower()
    return [
        other
        for other in tasks
        if not has_ended(other) and other["id"].lower() != own and (is_spec_change(other) or other["phase"] != RUNNING)
    ]


def _refusal(code: str, message: str, hint: str, **details: t.Any) -> RefusedError:
    return CANCEL_RESIZE.error(RefusedError, message, code=code, hint=hint, **details)


def _too_late(task: Record) -> RefusedError:
    return _refusal(
        "TooLate",
        f"It is too late: the spec change has been carried out, {describe([task])}.",
        "To undo it, change the specifications back.",
    )


def _being_carried_out(task: Record, refused: MaintenanceError | None = None) -> RefusedError:
    said = f" The service said: {refused.message}" if refused else ""
    return _refusal(
        "TooLate",
        f"It is too late: the spec change has started, and is being carried out, {describe([task])}.{said}",
        "Wait for its end with dcs_task and state=finished.",
        http_status=refused and refused.http_status,
        request_id=refused and refused.request_id,
    )


def _find(tasks: t.Iterable[Record], task_id: str | None) -> Record | None:
    if task_id is None:
        return None
    return next((task for task in tasks if task["id"].lower() == task_id.lower()), None)


class SpecChangeCancellation:
    """One run of the module: read, judge, cancel, look again."""

    def __init__(
        self, dcs: Dcs, instance_id: str, task_id: str | None, wait: Wait, warn: t.Callable[[str], None]
    ) -> None:
        self._dcs = dcs
        self._instance_id = instance_id
        self._task_id = task_id
        self._wait = wait
        self._warn = warn
        #: As they were last listed.
        self._tasks: list[Record] = []

    def run(self, *, check_mode: bool) -> dict[str, t.Any]:
        """Reach the wanted state, or predict it; errors carry a result too."""
        if self._task_id is None:
            self._tasks = self._dcs.tasks(self._instance_id)
        else:
            self._look(self._task_id)
        for _round in range(_ROUNDS):
            try:
                verdict = judge(self._tasks, self._task_id)
            except RefusedError as refused:
                raise self._with_result(refused, _find(self._tasks, self._task_id)) from None
            if verdict.warning:
                self._warn(verdict.warning)
            target = verdict.cancel
            if target is None:
                others = others_waiting(self._tasks, verdict.task)
                if others:
                    was = "would be" if check_mode else "was"
                    self._warn(
                        f"Nothing {was} called off, but other tasks of this instance have not ended: {describe(others)}."
                    )
                return self._result(verdict.task)
            if check_mode:
                self._predict(target)
                return self._result(target, cancelled=target)
            try:
                self._dcs.cancel_resize(self._instance_id, target["id"])
            except MaintenanceError as error:
                if error.no_api:
                    error.hint = (
                        "This region does not offer to call off a waiting spec change;"
                        " its maintenance window can be moved in the console."
                    )
                if error.uncertain:
                    return self._after_lost_answer(target, error)
                if error.stops_all or error.no_instance:
                    raise self._with_result(error, target) from None
                self._after_refusal(target, error)
                continue
            return self._after_acceptance(target)
        endless = _refusal(
            "Ambiguous",
            f"The spec change was replaced by another one {_ROUNDS} times while it was being called off.",
            "Run the task again: it looks first.",
        )
        raise self._with_result(endless, None)

    def _predict(self, target: Record) -> None:
        """Fail where the real run would be too late."""
        begun = self._has_begun(target)
        if begun:
            raise self._with_result(_being_carried_out(target), target)
        if begun is None:
            self._warn(f"It cannot be told whether this spec change has already started: {describe([target])}.")

    def _has_begun(self, target: Record) -> bool | None:
        """Whether a spec change has begun a step, as its progress tells where its status may not (C3); None if unread."""
        if target["phase"] == PENDING:
            return False
        try:
            progress = self._dcs.progress(self._instance_id, target["id"])
        except ApiError:
            return None
        steps = progress.get("step_details")
        percent = progress.get("progress")
        return any(
            isinstance(step, dict) and step.get("step_status") not in (None, "WAITING")
            for step in (steps if isinstance(steps, list) else ())
        ) or (isinstance(percent, int) and percent > 0)

    def _after_acceptance(self, target: Record) -> dict[str, t.Any]:
        try:
            last = self._look_until_over(target, self._wait)
        except MaintenanceError as unread:
            unread.message = f"The cancellation was accepted, but its effect could not be looked at: {unread.message}"
            raise self._with_result(unread, target, changed=True) from None
        if last is not None and last["phase"] == SUCCEEDED:
            raise self._with_result(_too_late(last), last)
        if last is not None and last["phase"] == FAILED:
            self._warn(not_carried_out(last))
        if last is not None and not has_ended(last) and self._wait.timeout > 0:
            error = _refusal(
                "WaitTimeout",
                f"The cancellation was accepted, but after {self._wait.timeout:g} seconds the spec change"
                f" is still listed as {describe([last])}.",
                "Look at it again later with dcs_task_info, or raise wait_timeout.",
                retryable=True,
            )
            raise self._with_result(error, last, changed=True)
        return self._result(last or target, cancelled=target)

    def _after_lost_answer(self, target: Record, error: MaintenanceError) -> dict[str, t.Any]:
        presumed = not error.accepted
        try:
            last = self._look_until_over(target, self._wait._replace(timeout=min(DOUBT, self._wait.timeout or DOUBT)))
        except MaintenanceError as unread:
            unknown = error.with_unseen_outcome(unread)
            unknown.message = f"It is not known whether the spec change was called off: {unknown.message}"
            unknown.code = "OutcomeUnknown"
            raise self._with_result(unknown, target) from None
        if last is None or last["phase"] == CANCELLED:
            if presumed:
                self._warn(presumed_warning("called off the spec change", [target["id"]]))
            return self._result(last or target, cancelled=target, presumed=presumed)
        if last["phase"] == SUCCEEDED:
            raise self._with_result(_too_late(last), last)
        why = "and the answer was lost" if error.http_status is None else "and the answer does not say so"
        unknown = _refusal(
            "OutcomeUnknown",
            f"It is not known whether the spec change was called off, as it is listed as {describe([last])}"
            f" {why}: {error.message}",
            "Run the task again: it looks first.",
            http_status=error.http_status,
            request_id=error.request_id,
            retryable=True,
        )
        raise self._with_result(unknown, last)

    def _after_refusal(self, target: Record, error: MaintenanceError) -> None:
        begun: bool | None = False
        try:
            now = self._look(target["id"])
            if now is not None and not has_ended(now):
                begun = self._has_begun(now)
                if begun is False:
                    # An earlier run, or another user, may have called it off, which takes effect a little later.
                    now = self._look_until_over(now, self._wait.after_refusal())
                    if now is None or has_ended(now):
                        self._tasks = self._dcs.tasks(self._instance_id)
                    else:
                        begun = self._has_begun(now)
        except MaintenanceError as unread:
            raise self._with_result(error.with_unseen_outcome(unread), target) from None
        if now is not None and now["phase"] == SUCCEEDED:
            raise self._with_result(_too_late(now), now)
        if now is not None and not has_ended(now):
            if begun:
                raise self._with_result(_being_carried_out(now, error), now)
            why = "" if error.http_status == 404 else ", which may have started"
            refused = error.retold(
                f"The service refuses to call off {describe([now])}{why}: {error.message}",
                # An accepted cancellation of an earlier run may take its time.
                retryable=begun is False or error.retryable,
                hint=error.hint if error.http_status == 404 else "Wait for its end with dcs_task and state=finished.",
            )
            raise self._with_result(refused, now)
        if self._task_id is None:
            self._warn(f"The spec change {target['id']} ended before this task could call it off: {error.message}")

    def _look_until_over(self, target: Record, wait: Wait) -> Record | None:
        last: Record | None = target
        if wait.timeout > 0:
            for _waited in wait.looks():
                last = self._look(target["id"], [target["id"]])
                if last is None or has_ended(last):
                    break
        return last

    def _look(self, task_id: str, wanted: t.Collection[str] | None = None) -> Record | None:
        """This task as it is listed, or None when two listings lack it; all tasks are listed without C(wanted)."""
        self._tasks = self._dcs.tasks(self._instance_id, wanted)
        if _find(self._tasks, task_id) is None:
            self._dcs.client.pause(SECOND_LOOK)
            self._tasks = self._dcs.tasks(self._instance_id, wanted)
        return _find(self._tasks, task_id)

    def _with_result(self, error: MaintenanceError, task: Record | None, changed: bool = False) -> MaintenanceError:
        error.result = {"changed": changed, "instance_id": self._instance_id, "task": task, "presumed": []}
        return error

    def _result(
        self, task: Record | None, *, cancelled: Record | None = None, presumed: bool = False
    ) -> dict[str, t.Any]:
        before: dict[str, t.Any] = {}
        after: dict[str, t.Any] = {}
        if cancelled is not None and task is not None:
            before = {"task_id": cancelled["id"], "name": cancelled.get("name"), "phase": cancelled["phase"]}
            # Not always shown by a list.
            task = {**task, "phase": task["phase"] if task["phase"] == FAILED else CANCELLED}
            after = {**before, "phase": task["phase"]}
            replacing = [other for other in others_waiting(self._tasks, cancelled) if is_spec_change(other)]
            if replacing and self._task_id is None:
                self._warn(f"Another spec change has not ended: {describe(replacing)}.")
        return {
            "changed": cancelled is not None,
            "instance_id": self._instance_id,
            "task": task,
            "presumed": [cancelled["id"]] if cancelled is not None and presumed else [],
            "diff": {"before": before, "after": after},
        }
