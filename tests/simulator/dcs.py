# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DCS: instances, background tasks, the task centre, spec changes and their cancelling (contract 2)."""

from __future__ import annotations

from typing import Any

from . import catalogue
from .call import HEX32, UUID, Answer, Call, Operation, json_answer, matches_tags, page
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


def _instance(call: Call) -> DcsInstance:
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


def _limits(call: Call) -> tuple[int, int]:
    offset = call.number("offset", 0, 0, None, dcs_refusal("DCS.4800", "offset"))
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


def _list_tasks(call: Call, tasks: TaskList) -> Answer:
    switches = call.switches
    offset, limit = _limits(call)
    low, high = _window(call)
    found = tasks.view(switches["list_order"], switches["time_field"], low, high)
    shown = page(found, offset, limit, switches)
    kind = switches["task_count_type"]
    parts = []
    if kind != "missing":
        # C5; a wrong count is that of the page, so whoever trusts it stops too early.
        count = len(shown) if kind == "wrong" else len(found)
        parts.append(b'"task_count":' + (b'"%d"' if kind == "string" else b"%d") % count)
    parts.append(b'"tasks":[' + b",".join([task.encoded(switches) for task in shown]) + b"]")
    if switches["legacy_top_level"] and shown:  # C4
        first = shown[0]
        for key in ("status", "created_at", "updated_at"):
            value = first.status(switches) if key == "status" else first.fields.get(key)
            parts.append(b'"%s":%s' % (key.encode(), encode(value)))
    return Answer(200, b"{" + b",".join(parts) + b"}")


def list_background_task(call: Call) -> Answer:
    return _list_tasks(call, _instance(call).tasks)


def show_background_task_progress(call: Call) -> Answer:
    return json_answer(progress(_task(call, _instance(call).tasks), call.now))


def _delete(call: Call, task: Task) -> Answer:
    status = task.status(call.switches)
    if status not in call.switches["deletable_statuses"]:  # C9
        raise dcs_refusal("DCS.4957")
    task.instance.remove_task(task)
    answer = int(call.switches["delete_status"])  # C8
    return Answer(204) if answer == 204 else json_answer({"message": ""}, answer)


def delete_background_task(call: Call) -> Answer:
    return _delete(call, _task(call, _instance(call).tasks))


def _need_centre(call: Call) -> None:
    if not call.switches["task_centre_available"]:
        raise gateway_refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")


def list_center_task(call: Call) -> Answer:
    _need_centre(call)
    return _list_tasks(call, call.project.centre)


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
    return matches_tags(call.text("tags"), fields.get("tags"))


def list_instances(call: Call) -> Answer:
    offset, limit = _limits(call)
    for name in ("name_equal", "include_failure", "include_delete"):
        if call.text(name) not in (None, "true", "false"):
            raise dcs_refusal("DCS.4800", name)
    found = [each for each in call.project.dcs.values() if _shown(call, each)]
    found = ordered(found, call.switches["list_order"])
    shown = page(found, offset, limit, call.switches)
    body = b",".join([instance.encoded(call.switches) for instance in shown])
    return Answer(200, b'{"instance_num":%d,"instances":[%s]}' % (len(found), body))


def show_instance(call: Call) -> Answer:
    return json_answer(_instance(call).render(call.switches))


def resize_instance(call: Call) -> Answer:
    instance = _instance(call)
    given = call.json_object(dcs_refusal("DCS.4004"), dcs_refusal("DCS.4005"))
    spec_code, capacity = given.get("spec_code"), given.get("new_capacity")
    immediately = given.get("execute_immediately", True)
    if not isinstance(spec_code, str) or not spec_code:
        raise dcs_refusal("DCS.4927")
    if isinstance(capacity, bool) or not isinstance(capacity, (int, float)) or not 0 < capacity <= 4096:
        raise dcs_refusal("DCS.4012")
    if not isinstance(immediately, bool):
        raise dcs_refusal("DCS.4062", "execute_immediately")
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
    instance = _instance(call)
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
    hours = (22, 2, 6, 10, 14, 18)
    windows = [
        {
            "seq": number,
            "begin": f"{begin:02d}:00:00",
            "end": f"{(begin + 4) % 24:02d}:00:00",
            "default": begin == 2,
        }
        for number, begin in enumerate(hours, 1)
    ]
    return json_answer({"maintain_windows": windows})


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
    Operation("dcs", "ListMaintenanceWindows", "GET", "/v2/instances/maintain-windows", "", list_maintenance_windows),
)
