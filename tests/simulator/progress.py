# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The detailed progress of a DCS task: percent and steps that agree with its phase (docs/api.md 2.5)."""

from __future__ import annotations

from typing import Any

from .state import Task, uuid_id
from .times import progress_time

_STEPS = (
    ("preCheck", ("resourceCheck", "instanceStatusCheck")),
    ("dataMigration", ("applyResource", "migrateData")),
    ("switchOver", ("switchNodes", "cleanUp")),
)
# Where a task that did not succeed has stopped.
_STOPPED = 50
# What was called off has begun no step either.
_NOT_BEGUN = ("pending", "cancelled")


def progress(task: Task, now: float) -> dict[str, Any]:
    """The answer of ShowBackgroundTaskProgress."""
    percent, remain = _position(task, now)
    waiting = task.phase in _NOT_BEGUN
    steps = []
    for number, (name, parts) in enumerate(_STEPS):
        low, high = number * 100 // len(_STEPS), (number + 1) * 100 // len(_STEPS)
        status = "WAITING" if waiting else _status(task, percent, low, high, number == len(_STEPS) - 1)
        begin, end = _times(task, status)
        middle = (low + high) // 2
        halves = ((low, middle), (middle, high))
        details = []
        for part, (part_name, (part_low, part_high)) in enumerate(zip(parts, halves)):
            last = number == len(_STEPS) - 1 and part == 1
            own = "WAITING" if waiting else _status(task, percent, part_low, part_high, last)
            if status == "FINISH":
                own = "FINISH"
            details.append(
                {
                    "sub_step_id": uuid_id("sub-step", task.id, number, part),
                    "sub_step_name": part_name,
                    "sub_step_status": own,
                    "begin_time": _times(task, own)[0],
                    "end_time": _times(task, own)[1],
                    "error_code": _error(task, own),
                    "detail": "",
                }
            )
        steps.append(
            {
                "step_id": uuid_id("step", task.id, number),
                "step_name": name,
                "step_status": status,
                "begin_time": begin,
                "end_time": end,
                "error_code": _error(task, status),
                "sub_step_details": details,
            }
        )
    return {"progress": percent, "remain_time": remain, "step_details": steps}


def _position(task: Task, now: float) -> tuple[int, int]:
    """Percent done, and seconds still to go."""
    if task.phase in _NOT_BEGUN:
        return 0, 300 if task.phase == "pending" else 0
    if task.phase == "succeeded":
        return 100, 0
    if task.finished:
        return _STOPPED, 0
    if task.until is None or task.until <= task.since:
        return _STOPPED, 150
    share = (now - task.since) / (task.until - task.since)
    return max(1, min(99, int(share * 100))), max(1, round(task.until - now))


def _status(task: Task, percent: int, low: int, high: int, last: bool) -> str:
    if percent >= high and not (last and percent < 100):
        return "FINISH"
    if percent < low:
        return "WAITING"
    return "FAILED" if task.finished and task.phase != "succeeded" else "EXECUTING"


def _times(task: Task, status: str) -> tuple[str, str]:
    if status == "WAITING":
        return "", ""
    end = "" if status == "EXECUTING" else progress_time(task.updated)
    return progress_time(task.created), end


def _error(task: Task, status: str) -> str:
    return str(task.fields.get("error_code") or "") if status == "FAILED" else ""
