# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of DCS (Distributed Cache Service), and the background tasks that they return."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    Record,
    newest_first,
    parse_api_time,
    phase_of,
    to_dcs,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import ListKeys, Service

_INSTANCES = "/v2/{project_id}/instances"
_TASKS = f"{_INSTANCES}/{{instance_id}}/tasks"
_READ = "dcs:instance:getBackgroundTask"

LIST_TASKS = Operation("ListBackgroundTask", "dcs", "GET", _TASKS, _READ)
DELETE_TASK = Operation(
    "DeleteBackgroundTask", "dcs", "DELETE", f"{_TASKS}/{{task_id}}", "dcs:instance:deleteBackgroundTask"
)
SHOW_PROGRESS = Operation("ShowBackgroundTaskProgress", "dcs", "GET", f"{_TASKS}/{{task_id}}/progress", _READ)
CANCEL_RESIZE = Operation(
    "CancelInstanceResize",
    "dcs",
    "POST",
    f"{_INSTANCES}/{{instance_id}}/resize/cancel/{{task_id}}",
    "dcs:instance:scale",
)
LIST_CENTER_TASKS = Operation("ListCenterTask", "dcs", "GET", "/v2/{project_id}/tasks", "dcs:task:list")
DELETE_CENTER_TASK = Operation(
    "DeleteCenterTask", "dcs", "DELETE", "/v2/{project_id}/tasks/{task_id}", "dcs:task:delete"
)
_TASK_KEYS = ListKeys("tasks", "task_count", "id")

#: The old and the new word for a spec change (C2).
SPEC_CHANGE_NAMES = ("EXTEND", "ChangeInstanceSpec")


def is_spec_change(task: Record) -> bool:
    """Whether a task is a spec change, under either of its names."""
    return task.get("name") in SPEC_CHANGE_NAMES


def build_task(api_object: Record, instance_id: str | None) -> Record:
    """The API's object, nothing dropped, with C(instance_id) (None from the task centre) and C(phase)."""
    task = {**api_object, "instance_id": instance_id, "phase": phase_of(api_object.get("status"))}
    details = task.get("details")
    if isinstance(details, dict):
        # Capacities come as numbers or text (C6), and become text.
        capacities = {key: _as_text(details[key]) for key in ("old_capacity", "new_capacity") if key in details}
        task["details"] = {**details, **capacities}
    return task


def _as_text(value: t.Any) -> t.Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class Dcs(Service):
    """DCS for one account and project."""

    page_size = 1000  # C7
    instance_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)
    list_instances = Operation("ListInstances", "dcs", "GET", _INSTANCES, "dcs:instance:list")
    instance_keys = ListKeys("instances", "instance_num", "instance_id")
    # The name alone finds every instance whose name contains it (contract 2.7).
    exact_name: t.Mapping[str, str] = {"name_equal": "true"}

    def tasks(
        self, instance_id: str | None, *, start: datetime | None = None, wanted: t.Collection[str] | None = None
    ) -> list[Record]:
        """The background tasks of an instance, or of the task centre (None), newest first.

        C(start) is the earliest creation; with C(wanted), the listing stops once these ids were seen.
        """
        query = {"start_time": to_dcs(start) if start else None}
        if instance_id is None:
            records = self.list_all(LIST_CENTER_TASKS, {}, query, _TASK_KEYS, wanted)
        else:
            records = self.list_all(LIST_TASKS, {"instance_id": instance_id}, query, _TASK_KEYS, wanted)
        tasks = [build_task(record, instance_id) for record in records]
        if start is not None:
            tasks = [task for task in tasks if not created_before(task, start)]
        return newest_first(tasks, "created_at", "id")

    def delete_task(self, instance_id: str | None, task_id: str) -> Answer:
        """Remove the record of a finished task (contract 2.4)."""
        # The body says nothing: 200 comes with an empty message, 204 without a body (C8).
        if instance_id is None:
            return self.call(DELETE_CENTER_TASK, {"task_id": task_id}, read_body=False)
        return self.call(DELETE_TASK, {"instance_id": instance_id, "task_id": task_id}, read_body=False)

    def progress(self, instance_id: str, task_id: str) -> Record:
        """C(progress) in percent, C(remain_time) in seconds, C(step_details)."""
        answer = self.call(SHOW_PROGRESS, {"instance_id": instance_id, "task_id": task_id})
        return answer.data if isinstance(answer.data, dict) else {}

    def cancel_resize(self, instance_id: str, task_id: str) -> Answer:
        """Call off a waiting spec change (contract 2.6)."""
        return self.call(CANCEL_RESIZE, {"instance_id": instance_id, "task_id": task_id})


def created_before(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created before."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created < moment


def created_after(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created after."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created > moment
