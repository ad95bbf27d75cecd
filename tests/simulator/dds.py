# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DDS: instances, scheduled jobs and their cancelling, and what puts a job into the window (docs/api.md 3)."""

from __future__ import annotations

import re

from .call import (
    DDS_INSTANCE_ID,
    INT32,
    INT64,
    UUID,
    Answer,
    Call,
    Operation,
    json_answer,
    matches_tags,
    page,
    tag_pairs,
)
from .catalogue import instant_task, scheduled_job
from .errors import Refusal, dds_refusal
from .state import JOB_STATUSES, DdsInstance, InstantTask, Job, ordered, uuid_id
from .times import parse_dds_query

_WEEK = 7 * 86400
_HOUR = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)
# How long an upgrade that starts at once keeps the instance busy.
_UPGRADE_SECONDS = 3.0
_TAGS_MOST = 20


def moment(call: Call, name: str, default: float, code: str) -> float:
    """A time of the query; a Refusal with this code when it is none."""
    values = call.query.get(name)
    if not values:
        return default
    try:
        return parse_dds_query(values[0])
    except ValueError:
        raise dds_refusal(code) from None


def limits(call: Call, default: int, most: int = INT32) -> tuple[int, int]:
    """Offset and limit of the query; `most` is the largest offset."""
    offset = call.number("offset", 0, 0, most, dds_refusal("DBS.280440"))
    limit = call.number("limit", default, 1, 100, dds_refusal("DBS.280439"))
    return offset, limit


def list_scheduled_tasks(call: Call) -> Answer:
    offset, limit = limits(call, 10)
    # Without start_time everything older than seven days is left out.
    low = moment(call, "start_time", call.now - _WEEK, "DBS.280067")
    high = moment(call, "end_time", call.now, "DBS.280068")
    if high < low:
        raise dds_refusal("DBS.280409")
    status, name, instance = call.text("job_status"), call.text("job_name"), call.text("instance_id")
    if status is not None and status not in JOB_STATUSES:
        raise dds_refusal("DBS.200001")
    if instance is not None and not DDS_INSTANCE_ID.fullmatch(instance):
        raise dds_refusal("DBS.280404")
    found = [
        job
        for job in ordered(call.project.jobs.values(), call.switches["list_order"])
        if int(low) <= job.created < high + 1
        and status in (None, job.fields.get("job_status"))
        and name in (None, job.fields.get("job_name"))
        and instance in (None, job.fields.get("instance_id"))
    ]
    shown = page(found, offset, limit, call.switches)
    return json_answer({"total_count": len(found), "schedules": [job.fields for job in shown]})


def unknown_job(call: Call) -> Refusal:
    """What is answered for the id of a job that does not exist; no document names a code."""
    return dds_refusal("DBS.200002" if call.switches["unknown_id_status"] == 404 else "DBS.280016")


def cancel_scheduled_task(call: Call) -> Answer:
    wanted = call.path["job_id"]
    job = call.project.jobs.get(wanted)
    if job is None or not UUID.fullmatch(wanted):
        raise unknown_job(call)
    status = job.fields.get("job_status")
    if status == "Canceled" or job.cancelling:
        if call.switches["dds_repeat_cancel"] == "204":
            return Answer(204)
        raise dds_refusal(str(call.switches["dds_too_late_error"]))
    if status != "Pending":
        raise dds_refusal(str(call.switches["dds_too_late_error"]))
    delay = float(call.switches["dds_cancel_delay"])
    job.cancelling = True
    project = call.project

    def finish(_at: float) -> None:
        # Not when the job was given another status meanwhile.
        if job.cancelling and job.fields.get("job_status") == "Pending":
            job.cancelling = False
            call.world.set_job_status(project, job, "Canceled")

    if delay:
        call.world.later(call.now + delay, finish)
    else:
        finish(call.now)
    return Answer(204)


def _tags(call: Call) -> list[tuple[str, str]]:
    """The tags of the query: at most twenty, no key empty or twice."""
    pairs = tag_pairs(call.text("tags"))
    if len(pairs) > _TAGS_MOST:
        raise dds_refusal("DBS.280484")
    keys = {key for key, _unused in pairs}
    if "" in keys or len(keys) < len(pairs):
        raise dds_refusal("DBS.280482")
    return pairs


def list_instances(call: Call) -> Answer:
    # The document names no format of the offset.
    offset, limit = limits(call, 100, INT64)
    wanted, name = call.text("id"), call.text("name")
    mode, kind = call.text("mode"), call.text("datastore_type")
    if wanted is not None and not DDS_INSTANCE_ID.fullmatch(wanted):
        raise dds_refusal("DBS.280404")
    if (
        wanted is not None
        and wanted not in call.project.dds
        and call.switches["dds_unknown_instance_listed"] == "refused"
    ):
        raise _unknown_instance(call)
    if name == "*":
        raise dds_refusal("DBS.280234")
    tags = _tags(call)
    if mode not in (None, "Sharding", "ReplicaSet", "Single"):
        raise dds_refusal("DBS.280342")
    if kind not in (None, "DDS-Community", "DDS-Enhanced"):
        raise dds_refusal("DBS.280001")

    def chosen(instance: DdsInstance) -> bool:
        fields = instance.fields
        own = str(fields.get("name", ""))
        if name is not None and (name[1:] not in own if name.startswith("*") else own != name):
            return False
        return (
            wanted in (None, instance.id)
            and mode in (None, fields.get("mode"))
            and kind in (None, (fields.get("datastore") or {}).get("type"))
            and call.text("vpc_id") in (None, fields.get("vpc_id"))
            and call.text("subnet_id") in (None, fields.get("subnet_id"))
            and matches_tags(tags, fields.get("tags"))
        )

    # The one list whose order is documented: newest first.
    found = ordered([each for each in call.project.dds.values() if chosen(each)], "newest_first")
    shown = page(found, offset, limit, call.switches)
    items = [instance.render(call.switches) for instance in shown]
    return json_answer({"instances": items, "total_count": len(found)})


def _unknown_instance(call: Call) -> Refusal:
    return dds_refusal(str(call.switches["dds_unknown_instance"]))  # C30


def find_instance(call: Call) -> DdsInstance:
    """The instance of the path; a Refusal when there is none."""
    wanted = call.path["instance_id"]
    if not DDS_INSTANCE_ID.fullmatch(wanted):
        raise dds_refusal("DBS.280404")
    instance = call.project.dds.get(wanted)
    if instance is None:
        raise _unknown_instance(call)
    return instance


def upgrade_database_version(call: Call) -> Answer:
    instance = find_instance(call)
    given = call.json_object(dds_refusal("DBS.200001"), dds_refusal("DBS.200001"))
    delayed = given.get("is_delayed", False)
    modes = ("minimized_interrupt_time", "minimized_upgrade_time")
    if not isinstance(delayed, bool) or given.get("upgrade_mode", modes[0]) not in modes:
        raise dds_refusal("DBS.200001")
    jobs = call.project.jobs
    waiting = any(
        job.fields.get("instance_id") == instance.id
        and job.fields.get("job_name") == "UPGRADE_DATABASE"
        and job.fields.get("job_status") in ("Pending", "Running")
        for job in jobs.values()
    )
    if waiting or instance.fields.get("actions"):
        raise dds_refusal("DBS.200019")
    job_id = uuid_id("upgrade", instance.id, len(jobs), call.now)
    if delayed:
        given_fields = {"job_id": job_id, "job_name": "UPGRADE_DATABASE"}
        jobs[job_id] = Job(scheduled_job(instance.fields, given_fields, call.now, len(jobs)))
    else:
        instance.fields["actions"] = ["UPGRADE_DATABASE"]
        given_fields = {"id": job_id, "name": "UpgradeDatabaseVersion", "status": "Running"}
        task = InstantTask(instant_task(instance.fields, given_fields, call.now, call.now, 0))
        call.project.instant_tasks[job_id] = task
        task.finish_later(call.world, call.now, call.now + _UPGRADE_SECONDS, "Completed")

        def finish(_at: float) -> None:
            instance.fields["actions"] = []

        call.world.later(call.now + _UPGRADE_SECONDS, finish)
    return json_answer({"job_id": job_id}, 202)


def change_ops_window(call: Call) -> Answer:
    instance = find_instance(call)
    given = call.json_object(dds_refusal("DBS.200001"), dds_refusal("DBS.200001"))
    begin, end = given.get("start_time"), given.get("end_time")
    for moment, code in ((begin, "DBS.280067"), (end, "DBS.280068")):
        if not isinstance(moment, str) or not _HOUR.fullmatch(moment):
            raise dds_refusal(code)
    if begin == end:
        raise dds_refusal("DBS.280068")
    instance.fields["maintenance_window"] = f"{begin}-{end}"
    return Answer(204)


OPERATIONS = (
    Operation("dds", "ListInstances", "GET", "/v3/{project_id}/instances", "dds:instance:list", list_instances),
    Operation(
        "dds",
        "ListScheduledTasks",
        "GET",
        "/v3/{project_id}/scheduled-jobs",
        "dds:task:listAll",
        list_scheduled_tasks,
    ),
    Operation(
        "dds",
        "CancelScheduledTask",
        "DELETE",
        "/v3/{project_id}/scheduled-jobs/{job_id}",
        "dds:instance:cancelScheduledJob",
        cancel_scheduled_task,
    ),
    # No source names the actions of the last two.
    Operation(
        "dds",
        "UpgradeDatabaseVersion",
        "POST",
        "/v3/{project_id}/instances/{instance_id}/db-upgrade",
        "dds:instance:upgradeDatabaseVersion",
        upgrade_database_version,
    ),
    Operation(
        "dds",
        "ChangeOpsWindow",
        "PUT",
        "/v3/{project_id}/instances/{instance_id}/maintenance-window",
        "dds:instance:modifyMaintenanceWindow",
        change_ops_window,
    ),
)
