# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DDS: the instant tasks, which are what runs or ran at once; not the scheduled jobs, which wait for the window."""

from __future__ import annotations

from typing import Any

from . import dds
from .call import Answer, Call, Operation, json_answer, page
from .errors import dds_refusal
from .state import InstantTask, Job, ordered

_STATUSES = ("Running", "Completed", "Failed")
# The longest window that may be asked for, and how long an instant task is listed.
_MONTH = 30 * 86400


def list_tasks(call: Call) -> Answer:
    offset, limit = dds.limits(call, 100)
    if "start_time" not in call.query:
        raise dds_refusal("DBS.280067")
    if "end_time" not in call.query:
        raise dds_refusal("DBS.280068")
    low, high = dds.moment(call, "start_time", 0.0, "DBS.280067"), dds.moment(call, "end_time", 0.0, "DBS.280068")
    if not 0 < high - low <= _MONTH:
        raise dds_refusal("DBS.280409")
    status, name, wanted = call.text("status"), call.text("name"), call.text("id")
    if status not in (None, *_STATUSES):
        raise dds_refusal("DBS.200001")
    found = [
        task
        for task in ordered(call.project.instant_tasks.values(), call.switches["list_order"])
        if max(low, call.now - _MONTH) <= task.created < high + 1
        and status in (None, task.fields.get("status"))
        and name in (None, task.fields.get("name"))
        and wanted in (None, task.id)
    ]
    answer: dict[str, Any] = {"jobs": [task.render(call.now) for task in page(found, offset, limit, call.switches)]}
    if call.switches["instant_task_count"]:
        answer["total_count"] = len(found)
    return json_answer(answer)


def show_job_detail(call: Call) -> Answer:
    wanted = call.text("id")
    if wanted is None:
        raise dds_refusal("DBS.200001")
    project = call.project
    if wanted in project.instant_tasks:
        return json_answer({"job": _detail(project.instant_tasks[wanted], call.now)})
    if wanted in project.jobs:
        return json_answer({"job": _scheduled(project.jobs[wanted])})
    raise dds.unknown_job(call)


def _detail(task: InstantTask, now: float) -> dict[str, Any]:
    fields = task.render(now)
    return {
        **{key: fields.get(key) for key in ("id", "name", "status", "progress", "fail_reason")},
        "created": fields.get("created_at"),
        "ended": fields.get("ended_at"),
        "instance": {"id": fields.get("instance_id"), "name": fields.get("instance_name")},
    }


def _scheduled(job: Job) -> dict[str, Any]:
    """A scheduled job, as an upgrade answers its id as that of any other job; with its own status word."""
    fields = job.fields
    ended = fields.get("job_status") in ("Completed", "Failed", "Canceled")
    return {
        "id": job.id,
        "name": fields.get("job_name"),
        "status": fields.get("job_status"),
        "progress": "",
        "fail_reason": "",
        "created": fields.get("create_time"),
        "ended": fields.get("end_time") if ended else "",
        "instance": {"id": fields.get("instance_id"), "name": fields.get("instance_name")},
    }


OPERATIONS = (
    Operation("dds", "ListTasks", "GET", "/v3.1/{project_id}/jobs", "dds:task:listAll", list_tasks),
    # No source names the action of this one.
    Operation("dds", "ShowJobDetail", "GET", "/v3/{project_id}/jobs", "dds:task:list", show_job_detail),
)
