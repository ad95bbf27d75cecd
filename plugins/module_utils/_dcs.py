# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of DCS (Distributed Cache Service) that maintenance needs, one method each, and what they return.

A background task is the API's own object with two fields added: ``instance_id`` and ``phase``. Nothing that the API
returned is dropped. What to do about tasks is decided elsewhere (C(_dcs_tasks.py), C(_dcs_resize.py)).
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record, newest_first, phase_of
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import ListKeys, Query, Service
from ansible_collections.hwcloud.maintenance.plugins.module_utils._times import parse_api_time, to_dcs

LIST_TASKS = Operation(
    "ListBackgroundTask",
    "dcs",
    "GET",
    "/v2/{project_id}/instances/{instance_id}/tasks",
    "dcs:instance:getBackgroundTask",
)
DELETE_TASK = Operation(
    "DeleteBackgroundTask",
    "dcs",
    "DELETE",
    "/v2/{project_id}/instances/{instance_id}/tasks/{task_id}",
    "dcs:instance:deleteBackgroundTask",
)
SHOW_PROGRESS = Operation(
    "ShowBackgroundTaskProgress",
    "dcs",
    "GET",
    "/v2/{project_id}/instances/{instance_id}/tasks/{task_id}/progress",
    "dcs:instance:getBackgroundTask",
)
CANCEL_RESIZE = Operation(
    "CancelInstanceResize",
    "dcs",
    "POST",
    "/v2/{project_id}/instances/{instance_id}/resize/cancel/{task_id}",
    "dcs:instance:scale",
)
LIST_CENTER_TASKS = Operation("ListCenterTask", "dcs", "GET", "/v2/{project_id}/tasks", "dcs:task:list")
DELETE_CENTER_TASK = Operation(
    "DeleteCenterTask", "dcs", "DELETE", "/v2/{project_id}/tasks/{task_id}", "dcs:task:delete"
)
_TASK_KEYS = ListKeys("tasks", "task_count", "id")

#: Two names of one thing: the old and the new word for a spec change (C2).
SPEC_CHANGE_NAMES = frozenset(("EXTEND", "ChangeInstanceSpec"))


def is_spec_change(task: Record) -> bool:
    """Whether a background task is a spec change, under either of its names (C2)."""
    name = task.get("name")
    return isinstance(name, str) and name in SPEC_CHANGE_NAMES


def build_task(api_object: Record, instance_id: str | None) -> Record:
    """A background task as modules return it.

    :arg api_object: an entry of the API's C(tasks); capacities in its details become text (C6).
    :arg instance_id: None for the task centre, whose answers name no instance.
    """
    task = dict(api_object)
    details = task.get("details")
    if isinstance(details, dict):
        task["details"] = {
            key: _as_text(value) if key in ("old_capacity", "new_capacity") else value for key, value in details.items()
        }
    task["instance_id"] = instance_id
    task["phase"] = phase_of(task.get("status"))
    return task


def _as_text(value: t.Any) -> t.Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class Dcs(Service):
    """DCS for one account and project."""

    page_size = 1000  # C7
    instance_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)
    list_instances = Operation("ListInstances", "dcs", "GET", "/v2/{project_id}/instances", "dcs:instance:list")
    instance_keys = ListKeys("instances", "instance_num", "instance_id")

    def tasks(
        self, instance_id: str | None, *, start: datetime | None = None, wanted: t.Collection[str] | None = None
    ) -> list[Record]:
        """The background tasks of an instance, or of the whole project through the task centre; newest first.

        :arg instance_id: None for the task centre.
        :arg start: only tasks created at this moment or later. It is sent to the service as well, but not every service
            honours it (C1), so it is applied here again. A task without a readable time is kept.
        :arg wanted: ids; the listing stops as soon as all of them were seen, and other tasks may then be missing.
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
        """Remove the record of a finished task; it does not stop any work (contract 2.4)."""
        # The body is not read: 200 comes with one, 204 without (C8).
        if instance_id is None:
            return self.call(DELETE_CENTER_TASK, {"task_id": task_id}, read_body=False)
        return self.call(DELETE_TASK, {"instance_id": instance_id, "task_id": task_id}, read_body=False)

    def progress(self, instance_id: str, task_id: str) -> Record:
        """How far a task has come: C(progress) in percent, C(remain_time) in seconds, C(step_details)."""
        answer = self.call(SHOW_PROGRESS, {"instance_id": instance_id, "task_id": task_id})
        return answer.data if isinstance(answer.data, dict) else {}

    def cancel_resize(self, instance_id: str, task_id: str) -> Answer:
        """Call off a spec change that waits for the maintenance window (contract 2.6); never sent twice blindly."""
        return self.call(CANCEL_RESIZE, {"instance_id": instance_id, "task_id": task_id})

    def name_query(self, name: str) -> Query:
        """The name alone would find every instance whose name contains it (contract 2.7)."""
        return {"name": name, "name_equal": "true"}

    def all_instance_ids(self) -> list[str]:
        """The ids of all instances of the project, sorted."""
        return sorted(instance["instance_id"] for instance in self.instances())


def created_before(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created before a moment."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created < moment


def created_after(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created after a moment."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created > moment
