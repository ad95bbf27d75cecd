# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling off a spec change that waits for the maintenance window. The state that is wanted: it will not run.

C(judge()) decides what the listed tasks mean; C(SpecChangeCancellation) acts on it. The request that cancels is
never sent twice for one decision: when its answer is lost or is a refusal, the list is read again and judged anew.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import CANCEL_RESIZE, Dcs, is_spec_change
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    ApiError,
    MaintenanceError,
    RefusedError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    CANCELLED,
    PENDING,
    SUCCEEDED,
    Record,
    Wait,
    describe,
    has_ended,
)

#: How often a spec change that was replaced by another one is followed.
_ROUNDS = 3
#: Seconds for which a cancellation whose answer was lost is looked for in the list.
_LOST_ANSWER_WAIT = 20


class Verdict(t.NamedTuple):
    """What is to be done.

    :ivar cancel: the spec change to cancel; None when there is nothing to do.
    :ivar task: the spec change that the verdict is about, if there is one.
    :ivar warning: a sentence for the user, or None.
    """

    cancel: Record | None
    task: Record | None
    warning: str | None = None


def judge(tasks: t.Sequence[Record], task_id: str | None) -> Verdict:
    """Decide what the tasks of an instance mean for the wish that a spec change will not run; pure.

    :arg task_id: the spec change; None for the one that is unfinished.
    :raises RefusedError: when it is too late, or not clear which spec change is meant.
    """
    pending = [task for task in tasks if is_spec_change(task) and not has_ended(task)]
    if task_id is None:
        if len(pending) > 1:
            raise _refusal(
                f"There are {len(pending)} unfinished spec changes: {describe(pending)}.",
                "Ambiguous",
                "Say with task_id which one is meant.",
            )
        return Verdict(pending[0], pending[0]) if pending else Verdict(None, None)
    target = _find(tasks, task_id)
    if target is None:
        if pending:
            raise _refusal(
                f"Task {task_id} is not listed, but another spec change is unfinished: {describe(pending)}.",
                "NotFound",
                "Check task_id, or leave it out to call off the one that is unfinished.",
            )
        return Verdict(
            None,
            None,
            f"Task {task_id} is not listed: its record was removed, or it never existed on this instance.",
        )
    if not is_spec_change(target):
        raise _refusal(
            f"Task {task_id} is not a spec change, but {describe([target])}.",
            "NotASpecChange",
            "Only a spec change that waits for the maintenance window can be called off.",
        )
    if not has_ended(target):
        return Verdict(target, target)
    if target["phase"] == SUCCEEDED:
        raise too_late(target)
    warning = None
    if target["phase"] != CANCELLED:
        warning = f"The spec change was not called off: it ran and ended badly, as {describe([target])}."
    return Verdict(None, target, warning)


def too_late(task: Record) -> RefusedError:
    """The failure for a spec change that has already been carried out."""
    return _refusal(
        f"It is too late: the spec change has been carried out, {describe([task])}.",
        "TooLate",
        "To undo it, change the specifications back.",
    )


def _refusal(message: str, code: str, hint: str) -> RefusedError:
    return RefusedError(message, code=code, service="dcs", operation=CANCEL_RESIZE.name, hint=hint)


def _find(tasks: t.Iterable[Record], task_id: str) -> Record | None:
    return next((task for task in tasks if task["id"] == task_id), None)


class SpecChangeCancellation:
    """One run of the module: read, judge, cancel, look again.

    :arg wait: how long to wait until a cancelled spec change has left the list or ended; C(timeout) 0 for not at all.
    """

    def __init__(
        self, dcs: Dcs, instance_id: str, task_id: str | None, wait: Wait, warn: t.Callable[[str], None]
    ) -> None:
        self._dcs = dcs
        self._instance_id = instance_id
        self._task_id = task_id
        self._wait = wait
        self._warn = warn

    def run(self, *, check_mode: bool) -> dict[str, t.Any]:
        """Reach the wanted state, or say in check mode what would be done.

        :raises MaintenanceError: its C(result) says what is known of the spec change.
        """
        tasks = self._dcs.tasks(self._instance_id)
        for _round in range(_ROUNDS):
            verdict = judge(tasks, self._task_id)
            if verdict.warning:
                self._warn(verdict.warning)
            target = verdict.cancel
            if target is None:
                return self._result(verdict.task)
            if check_mode:
                self._predict(target)
                return self._result(target, cancelled=target)
            try:
                accepted = self._dcs.cancel_resize(self._instance_id, target["id"]).data
            except MaintenanceError as error:
                if isinstance(error, ApiError) and error.no_api:
                    error.hint = (
                        "This region does not offer to call off a waiting spec change;"
                        " its maintenance window can be moved in the console."
                    )
                if error.uncertain:
                    return self._after_lost_answer(target, error)
                if error.stops_all or error.no_instance:
                    raise self._with_result(error, target) from None
                tasks = self._after_refusal(target, error)
                continue
            if not (isinstance(accepted, dict) and accepted.get("result") == "success"):
                unclear = _refusal(
                    f"The cancellation was answered with {str(accepted)[:60]!r} instead of success.",
                    "UnreadableAnswer",
                    "Look at the spec change in the console, and run the task again.",
                )
                return self._after_lost_answer(target, unclear)
            return self._after_acceptance(target)
        raise self._with_result(
            _refusal(
                f"The spec change was replaced by another one {_ROUNDS} times while it was being called off.",
                "Ambiguous",
                "Find out who changes the specifications of this instance, and run the task again.",
            ),
            None,
        )

    def _predict(self, target: Record) -> None:
        """Check mode: tell a spec change that is being carried out from one that waits, where the status does not.

        Nobody documents the status word of a waiting spec change (C3), so a real run lets the service decide.
        Its steps are documented: one that waits for the window has begun none of them.
        """
        if target["phase"] == PENDING:
            return
        try:
            progress = self._dcs.progress(self._instance_id, target["id"])
        except ApiError:
            self._warn(f"It cannot be told whether this spec change has already started: {describe([target])}.")
            return
        steps = progress.get("step_details")
        begun = [
            step
            for step in (steps if isinstance(steps, list) else [])
            if isinstance(step, dict) and step.get("step_status") not in (None, "WAITING")
        ]
        if begun or (isinstance(progress.get("progress"), int) and progress["progress"] > 0):
            error = _refusal(
                f"It is too late: the spec change is being carried out, {describe([target])}.",
                "TooLate",
                "Wait for its end with dcs_task and state=finished.",
            )
            raise self._with_result(error, target)

    def _after_acceptance(self, target: Record) -> dict[str, t.Any]:
        try:
            last = self._look_until_over(target, self._wait.timeout)
        except MaintenanceError as unread:
            unread.message = f"The cancellation was accepted, but its effect could not be looked at: {unread.message}"
            raise self._with_result(unread, target, changed=True) from None
        if last is None or last["phase"] != SUCCEEDED:
            if last is not None and not has_ended(last) and self._wait.timeout > 0:
                error = _refusal(
                    f"The cancellation was accepted, but after {self._wait.timeout:g} seconds the spec change"
                    f" is still listed as {describe([last])}.",
                    "WaitTimeout",
                    "Look at it again later with dcs_task_info, or raise wait_timeout.",
                )
                error.retryable = True
                raise self._with_result(error, last, changed=True)
            return self._result(last or target, cancelled=target)
        raise self._with_result(too_late(last), last)

    def _after_lost_answer(self, target: Record, error: MaintenanceError) -> dict[str, t.Any]:
        """The service may have cancelled or not: the list tells, and nothing is sent again."""
        try:
            last = self._look_until_over(target, min(_LOST_ANSWER_WAIT, self._wait.timeout or _LOST_ANSWER_WAIT))
        except MaintenanceError as second:
            error = second
            last = target
        if last is None or last["phase"] == CANCELLED:
            return self._result(last or target, cancelled=target)
        if last["phase"] == SUCCEEDED:
            raise self._with_result(too_late(last), last)
        unknown = RefusedError(
            f"It is not known whether the spec change was called off, as it is listed as {describe([last])}"
            f" and the answer was lost: {error.message}",
            code="OutcomeUnknown",
            service="dcs",
            operation=CANCEL_RESIZE.name,
            http_status=error.http_status,
            request_id=error.request_id,
            retryable=True,
            hint="Run the task again: it looks first.",
        )
        raise self._with_result(unknown, last)

    def _after_refusal(self, target: Record, error: MaintenanceError) -> list[Record]:
        """Read the list again after a refusal; return it when the spec change has ended without being carried out."""
        try:
            tasks = self._dcs.tasks(self._instance_id)
        except MaintenanceError as unread:
            raise self._with_result(unread, target) from None
        now = _find(tasks, target["id"])
        if now is not None and now["phase"] == SUCCEEDED:
            raise self._with_result(too_late(now), now)
        if now is not None and not has_ended(now):
            refused = RefusedError(
                f"The service refuses to call off {describe([now])}, which may have started already: {error.message}",
                code=error.code,
                service=error.service,
                operation=error.operation,
                http_status=error.http_status,
                request_id=error.request_id,
                hint="Wait for its end with dcs_task and state=finished.",
            )
            raise self._with_result(refused, now)
        if self._task_id is None:
            self._warn(f"The spec change {target['id']} ended before this task could call it off: {error.message}")
        return tasks

    def _look_until_over(self, target: Record, seconds: float) -> Record | None:
        """The spec change as last seen: None when it has left the list, and C(target) itself without any looking."""
        started = time.monotonic()
        last: Record | None = target
        while seconds > 0:
            last = _find(self._dcs.tasks(self._instance_id, wanted=[target["id"]]), target["id"])
            left = seconds - (time.monotonic() - started)
            if last is None or has_ended(last) or left <= 0:
                break
            self._wait.pause(min(self._wait.interval, left))
        return last

    def _with_result(self, error: MaintenanceError, task: Record | None, changed: bool = False) -> MaintenanceError:
        error.result = {"changed": changed, "instance_id": self._instance_id, "task": task}
        return error

    def _result(self, task: Record | None, *, cancelled: Record | None = None) -> dict[str, t.Any]:
        """What the module returns.

        :arg task: the spec change as last seen.
        :arg cancelled: the spec change as it was before this run called it off; None when it changed nothing.
        """
        before: dict[str, t.Any] = {}
        after: dict[str, t.Any] = {}
        if cancelled is not None and task is not None:
            before = {"task_id": cancelled["id"], "name": cancelled.get("name"), "phase": cancelled["phase"]}
            after = {**before, "phase": CANCELLED}
            # In check mode, without waiting, and when the record is removed, no list shows this phase.
            task = {**task, "phase": CANCELLED}
        return {
            "changed": cancelled is not None,
            "instance_id": self._instance_id,
            "task": task,
            "diff": {"before": before, "after": after},
        }
