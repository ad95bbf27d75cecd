# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DCS: instances, background tasks, the task centre, spec changes and their cancelling (docs/api.md 2)."""

from __future__ import annotations

from typing import Any

from . import catalogue
from .call import HEX32, INT32, INT64, UUID, Answer, Call, Operation, json_answer, matches_tags, page, tag_pairs
from .errors import Refusal, dcs_refusal, gateway_refusal
from .progress import progress
from .state import DcsInstance, Task, TaskList, encode, hex_id, ordered
from .times import dcs_time, parse_dcs_query

# What an instance that is busy otherwise answers to a spec change.
_BUSY = {
    "RESTARTING": "DCS.4111",
    "EXTENDING": "DCS.4113",
    "CREATING": "DCS.4118",
    "FREEZING": "DCS.4120",
    "RUNNING": "DCS.4113",
}


_CHANGE_TYPES = ("createReplication", "deleteReplication", "addSharding", "instanceType")
# What the page of ListBackgroundTask also has beside the list (C4).
_TOP_LEVEL = ("status", "created_at", "updated_at")


def find_instance(call: Call) -> DcsInstance:
    """The instance of the path; a Refusal when there is none."""
    wanted = call.path["instance_id"]
    if not UUID.fullmatch(wanted):
        raise dcs_refusal("DCS.4061")
    instance = call.project.dcs.get(wanted)
    if instance is None:
        raise dcs_refusal("DCS.3022" if call.switches["unknown_instance_status"] == 404 else "DCS.4026")
    return instance


def _task_id(call: Call) -> str:
    wanted = call.path["task_id"]
    if not (HEX32.fullmatch(wanted) or UUID.fullmatch(wanted)):
        raise dcs_refusal("DCS.4070")
    return wanted


def _unknown_task(call: Call) -> Refusal:
    return dcs_refusal("DCS.4404" if call.switches["unknown_id_status"] == 404 else "DCS.4070")


def _task(call: Call, tasks: TaskList) -> Task:
    task = tasks.tasks.get(_task_id(call))
    if task is None:
        raise _unknown_task(call)
    return task


def _limits(call: Call, most: int = INT32) -> tuple[int, int]:
    offset = call.number("offset", 0, 0, most, dcs_refusal("DCS.4800", "offset"))
    limit = call.number("limit", 10, 1, 1000, dcs_refusal("DCS.4800", "limit"))
    return offset, limit


def _moment(call: Call, name: str) -> float | None:
    values = call.query.get(name)
    if not values:
        return None
    try:
        return parse_dcs_query(values[0])
    except ValueError:
        raise dcs_refusal("DCS.4063", name) from None


def _window(call: Call) -> tuple[float | None, float | None]:
    """The time window; the switch `time_filter` says which name of the lower bound counts (C1)."""
    honoured = call.switches["time_filter"]
    if honoured == "none":
        return None, None
    low = _moment(call, "start_time") if honoured in ("both", "start_time") else None
    if low is None and honoured in ("both", "begin_time"):
        low = _moment(call, "begin_time")
    high = _moment(call, "end_time")
    if low is not None and high is not None and high < low:
        raise dcs_refusal("DCS.4025")
    return low, high


def _list_tasks(call: Call, tasks: TaskList, most: int, top_level: Any) -> Answer:
    """One page; `most` is the largest offset, `top_level` whether status and times stand there too, or only there."""
    switches = call.switches
    offset, limit = _limits(call, most)
    low, high = _window(call)
    found = tasks.view(switches["list_order"], switches["time_field"], low, high)
    shown = page(found, offset, limit, switches)
    kind = switches["task_count_type"]
    parts = []
    if kind != "missing":
        # C5; a wrong count is that of the page, so whoever trusts it stops too early.
        count = len(shown) if kind == "wrong" else len(found)
        parts.append(b'"task_count":' + (b'"%d"' if kind == "string" else b"%d") % count)
    records = (
        encode(_without_top_level(task.render(switches))) if top_level == "only" else task.encoded(switches)
        for task in shown
    )
    parts.append(b'"tasks":[' + b",".join(records) + b"]")
    if top_level and shown:  # C4; with several tasks, the values are those of the first.
        first = shown[0].render(switches)
        parts += [b'"%s":%s' % (key.encode(), encode(first.get(key))) for key in _TOP_LEVEL]
    return Answer(200, b"{" + b",".join(parts) + b"}")


def _without_top_level(task: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in task.items() if key not in _TOP_LEVEL}


def list_background_task(call: Call) -> Answer:
    # The document of this list names no format of the offset.
    return _list_tasks(call, find_instance(call).tasks, INT64, call.switches["legacy_top_level"])


def show_background_task_progress(call: Call) -> Answer:
    return json_answer(progress(_task(call, find_instance(call).tasks), call.now))


def _delete(call: Call, task: Task) -> Answer:
    status = task.status(call.switches)
    if status not in call.switches["deletable_statuses"]:  # C9
        raise dcs_refusal("DCS.4957")
    task.instance.remove_task(task)
    answer = int(call.switches["delete_status"])  # C8
    return Answer(204) if answer == 204 else json_answer({"message": ""}, answer)


def delete_background_task(call: Call) -> Answer:
    return _delete(call, _task(call, find_instance(call).tasks))


def _need_centre(call: Call) -> None:
    if not call.switches["task_centre_available"]:
        raise gateway_refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")


def list_center_task(call: Call) -> Answer:
    _need_centre(call)
    return _list_tasks(call, call.project.centre, INT32, False)


def delete_center_task(call: Call) -> Answer:
    _need_centre(call)
    return _delete(call, _task(call, call.project.centre))


def _shown(call: Call, instance: DcsInstance) -> bool:
    fields = instance.fields
    status = instance.status(call.switches)
    if status == "CREATEFAILED" and call.text("include_failure") != "true":
        return False
    if status == "DELETING" and call.text("include_delete") != "true":
        return False
    name, wanted_id = call.text("name"), call.text("instance_id") or call.text("id")  # C20
    if wanted_id is not None and instance.id != wanted_id:
        return False
    if name is not None:
        own = str(fields.get("name", ""))
        if own != name if call.text("name_equal") == "true" else name.lower() not in own.lower():
            return False
    wanted_status, address = call.text("status"), call.text("ip")
    if wanted_status is not None and status != wanted_status:
        return False
    if address is not None and address not in str(fields.get("ip", "")):
        return False
    capacity = call.text("capacity")
    if capacity is not None and capacity not in (str(fields.get("capacity")), str(fields.get("capacity_minor"))):
        return False
    return matches_tags([pair for pair in tag_pairs(call.text("tags")) if any(pair)], fields.get("tags"))


def list_instances(call: Call) -> Answer:
    # Of include_failure, include_delete and name_equal, any other value than true means false.
    offset, limit = _limits(call)
    found = [each for each in call.project.dcs.values() if _shown(call, each)]
    found = ordered(found, call.switches["list_order"])
    shown = page(found, offset, limit, call.switches)
    body = b",".join([instance.encoded(call.switches) for instance in shown])
    return Answer(200, b'{"instance_num":%d,"instances":[%s]}' % (len(found), body))


def show_instance(call: Call) -> Answer:
    return json_answer(find_instance(call).render(call.switches))


def _is_flag(value: Any) -> bool:
    """The table calls it text, the example is a boolean (C34)."""
    return isinstance(value, bool) or value in ("true", "false")


def _check_resize(given: dict[str, Any]) -> None:
    """Refuse a parameter of a spec change that is of another type than documented (C34)."""
    if "change_type" in given and given["change_type"] not in _CHANGE_TYPES:
        raise dcs_refusal("DCS.4062", "change_type")
    for name in ("available_zones", "node_list", "reserved_ip"):
        value = given.get(name, [])
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise dcs_refusal("DCS.4062", name)
    order = given.get("bss_param", {})
    if not isinstance(order, dict) or not _is_flag(order.get("is_auto_pay", True)):
        raise dcs_refusal("DCS.4062", "bss_param")


def resize_instance(call: Call) -> Answer:
    instance = find_instance(call)
    given = call.json_object(dcs_refusal("DCS.4004"), dcs_refusal("DCS.4005"))
    spec_code, capacity = given.get("spec_code"), given.get("new_capacity")
    immediately = given.get("execute_immediately", True)
    if not isinstance(spec_code, str) or not spec_code:
        raise dcs_refusal("DCS.4927")
    if isinstance(capacity, bool) or not isinstance(capacity, (int, float)) or not 0 < capacity <= 4096:
        raise dcs_refusal("DCS.4012")
    if not isinstance(immediately, bool):
        raise dcs_refusal("DCS.4062", "execute_immediately")
    _check_resize(given)
    status = str(instance.status(call.switches))
    if instance.spec_change is not None or status != "RUNNING":
        raise dcs_refusal(_BUSY.get(status, "DCS.4026"))
    if any(task.phase == "running" for task in instance.tasks.tasks.values()):
        raise dcs_refusal("DCS.4017")
    fields = _new_spec_change(call, instance, spec_code, float(capacity))
    task = Task(instance, fields)
    instance.add_task(task)
    instance.refresh()
    if immediately:
        call.world.start_task(task, call.now, float(call.switches["resize_seconds"]))
    return Answer(204)


def _new_spec_change(call: Call, instance: DcsInstance, spec_code: str, capacity: float) -> dict[str, Any]:
    number = len(instance.tasks.tasks)
    task_id = hex_id("resize", instance.id, number, call.now)
    user = call.user
    given = {
        "id": task_id,
        "name": "EXTEND",
        "details": catalogue.spec_change_details(instance.fields, spec_code, capacity),
        "user_name": user.name if user else "",
        "user_id": user.id if user else "",
        "status": "CREATED",
        "created_at": dcs_time(call.now),
        "updated_at": dcs_time(call.now),
    }
    return catalogue.task(instance.fields, given, call.now, call.now, number)


def cancel_instance_resize(call: Call) -> Answer:
    available = call.switches["resize_cancel_available"]  # C10
    if available == "DCS.4001":
        raise dcs_refusal("DCS.4001")
    if available == "APIGW.0101":
        raise gateway_refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")
    instance = find_instance(call)
    wanted = _task_id(call)
    change = instance.spec_change
    if change is not None and change.phase != "pending" and change.id == wanted:
        raise dcs_refusal(str(call.switches["started_cancel_error"]))
    if change is None or change.phase != "pending" or instance.cancelling:
        raise dcs_refusal("DCS.4239")  # C11
    if change.id != wanted:
        raise dcs_refusal("DCS.4957") if wanted in instance.tasks.tasks else _unknown_task(call)
    instance.cancelling = True
    delay = float(call.switches["resize_cancel_delay"])

    def finish(at: float) -> None:
        if instance.spec_change is change and instance.cancelling:
            if call.switches["cancelled_record"] == "removed":
                instance.remove_task(change)
            else:
                call.world.set_task_status(change, "CANCELLED", at)

    if delay:
        call.world.later(call.now + delay, finish)
    else:
        finish(call.now)
    return json_answer({"result": "success"})


def list_maintenance_windows(call: Call) -> Answer:
    # As in the examples: today's begins with 18, the one of former years, with six windows, with 22 (C29).
    hours = int(call.switches["window_hours"])
    first, default = (18, 18) if hours == 1 else (22, 2)
    form = "{:02d}:00:00" if call.switches["window_form"] == "clock" else "{:02d}"
    begins = [(first + number * hours) % 24 for number in range(24 // hours)]
    windows = [
        {
            "seq": number,
            "begin": form.format(begin),
            "end": form.format((begin + hours) % 24),
            "default": begin == default,
        }
        for number, begin in enumerate(begins, 1)
    ]
    return json_answer({"maintain_windows": windows})


# The status of a job, by the phase of its task; no document has a word for one that was called off.
_JOB_STATUSES = {"pending": "INIT", "running": "RUNNING", "succeeded": "SUCCESS"}


def show_job_info(call: Call) -> Answer:
    """The job behind a task, by its own id: status and times only."""
    wanted = call.path["job_id"]
    if not (HEX32.fullmatch(wanted) or UUID.fullmatch(wanted)):
        raise dcs_refusal("DCS.4070")
    task = next((each for each in call.project.centre.tasks.values() if each.fields.get("job_id") == wanted), None)
    if task is None:
        raise _unknown_task(call)
    return json_answer(
        {
            "job_id": wanted,
            "job_type": task.fields.get("name"),
            "status": _JOB_STATUSES.get(task.phase, "FAIL"),
            "begin_time": str(int(task.created * 1000)),
            "end_time": str(int(task.updated * 1000)) if task.finished else "",
            "fail_reason": task.fields.get("error_code") or "" if task.phase == "failed" else "",
        }
    )


OPERATIONS = (
    Operation("dcs", "ListInstances", "GET", "/v2/{project_id}/instances", "dcs:instance:list", list_instances),
    Operation(
        "dcs", "ShowInstance", "GET", "/v2/{project_id}/instances/{instance_id}", "dcs:instance:get", show_instance
    ),
    Operation(
        "dcs",
        "ListBackgroundTask",
        "GET",
        "/v2/{project_id}/instances/{instance_id}/tasks",
        "dcs:instance:getBackgroundTask",
        list_background_task,
    ),
    Operation(
        "dcs",
        "ShowBackgroundTaskProgress",
        "GET",
        "/v2/{project_id}/instances/{instance_id}/tasks/{task_id}/progress",
        "dcs:instance:getBackgroundTask",
        show_background_task_progress,
    ),
    Operation(
        "dcs",
        "DeleteBackgroundTask",
        "DELETE",
        "/v2/{project_id}/instances/{instance_id}/tasks/{task_id}",
        "dcs:instance:deleteBackgroundTask",
        delete_background_task,
    ),
    Operation("dcs", "ListCenterTask", "GET", "/v2/{project_id}/tasks", "dcs:task:list", list_center_task),
    Operation(
        "dcs", "DeleteCenterTask", "DELETE", "/v2/{project_id}/tasks/{task_id}", "dcs:task:delete", delete_center_task
    ),
    Operation(
        "dcs",
        "ResizeInstance",
        "POST",
        "/v2/{project_id}/instances/{instance_id}/resize",
        "dcs:instance:scale",
        resize_instance,
    ),
    # The page says that no action is needed; a scenario may still deny it by the operation's name.
    Operation(
        "dcs",
        "CancelInstanceResize",
        "POST",
        "/v2/{project_id}/instances/{instance_id}/resize/cancel/{task_id}",
        "",
        cancel_instance_resize,
    ),
    # No source names the action of this one.
    Operation("dcs", "ShowJobInfo", "GET", "/v2/{project_id}/jobs/{job_id}", "dcs:instance:get", show_job_info),
    Operation("dcs", "ListMaintenanceWindows", "GET", "/v2/instances/maintain-windows", "", list_maintenance_windows),
)
