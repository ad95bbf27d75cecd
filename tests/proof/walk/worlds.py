# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random worlds, and the simulator's scenario from a world."""

from __future__ import annotations

import random
from typing import Any

from .cases import (
    MONGO,
    MONGO_NAMES,
    OF_SECOND_PROJECT,
    PROJECTS,
    REDIS,
    REDIS_NAMES,
    World,
    job_id,
    task_id,
)

SPEC_CHANGES = ("EXTEND", "ChangeInstanceSpec")
_HOUR = 3600
#: Seconds that keep an age away from those that options name, in hours.
_BETWEEN = 600
_STATUSES = ("SUCCESS", "SUCCESS", "SUCCESS", "FAILED", "CANCELLED", "EXECUTING", "CREATED")
#: Words that mean the same, or that nobody knows.
_ODD_STATUSES = ("RUNNING", "DELETED", "FAIL", "success", "PAUSED")
_JOB_STATUSES = ("Pending", "Pending", "Pending", "Running", "Completed", "Failed", "Canceled")

#: What nobody documents, with the values that are worth a try and how likely one of them is.
_SWITCHES: dict[str, tuple[float, tuple[Any, ...]]] = {
    "cancelled_record": (0.3, ("removed",)),
    "resize_cancel_delay": (0.25, (3, 15, 30, 400)),
    "dds_cancel_delay": (0.25, (2, 15, 25, 90)),
    "started_cancel_error": (0.3, ("DCS.4957", "DCS.4113")),
    "unknown_id_status": (0.3, (400,)),
    "unknown_instance_status": (0.2, (400,)),
    "list_order": (0.3, ("oldest_first", "shuffled")),
    "task_count_type": (0.3, ("string", "missing", "wrong")),
    "page_fault": (0.15, ("short",)),
    "dds_too_late_error": (0.3, ("DBS.200076",)),
    "dds_repeat_cancel": (0.1, ("204",)),
    "error_shape": (0.2, ("v1", "nine_digit")),
    "waiting_status": (0.2, ("SCHEDULED",)),
    "unknown_status_word": (0.15, (True,)),
    "delete_status": (0.2, (204,)),
    "legacy_top_level": (0.1, (True,)),
    "time_filter": (0.2, ("begin_time", "start_time", "none")),
}
#: What takes time, so that two runs one after the other may find something else.
SLOW_SWITCHES = ("resize_cancel_delay", "dds_cancel_delay")


def random_world(rng: random.Random, *, timed: bool = True, odd: float = 0.1) -> World:
    """A few tasks and jobs in all states; C(timed): some change by themselves; C(odd): how likely odd words are."""
    tasks = [_task(rng, number, odd) for number in range(1, rng.choice((2, 4, 7)) + 1)]
    _keep_one_spec_change(rng, tasks)
    jobs = [_job(rng, number, odd) for number in range(1, rng.choice((2, 4, 7)) + 1)]
    switches = {name: rng.choice(values) for name, (chance, values) in _SWITCHES.items() if rng.random() < chance}
    if switches.get("task_count_type") == "wrong":
        # A short page whose count is its own length cannot be told from the last one.
        switches.pop("page_fault", None)
    if timed:
        for record in (*tasks, *jobs):
            _give_future(rng, record)
    else:
        for name in SLOW_SWITCHES:
            switches.pop(name, None)
    world: World = {"tasks": tasks, "jobs": jobs, "switches": switches, "page_size": rng.choice((1000, 1000, 3))}
    if rng.random() < 0.2:
        world["instances"] = {"1": {"status": rng.choice(("RESTARTING", "FREEZING", "ERROR"))}}
    return world


def _task(rng: random.Random, number: int, odd: float) -> dict[str, Any]:
    return {
        "id": task_id(number),
        "instance": rng.choice((0, 0, 0, 1)),
        "name": rng.choice(("EXTEND", "EXTEND", "AddWhitelist", "UpdatePort", "ChangeInstanceSpec")),
        "status": rng.choice(_ODD_STATUSES if rng.random() < odd else _STATUSES),
        "created_ago": rng.randint(1, 30) * _HOUR + _BETWEEN,
    }


def _keep_one_spec_change(rng: random.Random, tasks: list[dict[str, Any]]) -> None:
    """Two unfinished spec changes of one instance are rare."""
    waiting: set[int] = set()
    for task in tasks:
        if task["name"] in SPEC_CHANGES and task["status"].upper() not in ("SUCCESS", "FAILED", "CANCELLED"):
            if task["instance"] in waiting and rng.random() < 0.9:
                task["status"] = "SUCCESS"
            waiting.add(task["instance"])


def _job(rng: random.Random, number: int, odd: float) -> dict[str, Any]:
    return {
        "job_id": job_id(number),
        "instance": rng.choice((0, 0, 1)),
        "job_name": rng.choice(("REBOOT", "RESIZE_FLAVOR")),
        "job_status": "Paused" if rng.random() < odd / 2 else rng.choice(_JOB_STATUSES),
        "created_ago": rng.randint(1, 300) * _HOUR + _BETWEEN,
    }


def _give_future(rng: random.Random, record: dict[str, Any]) -> None:
    """Let some of what runs end by itself, and some of what waits begin."""
    status = record.get("status", record.get("job_status"))
    if status in ("EXECUTING", "Running") and rng.random() < 0.5:
        record["finish_after"] = rng.choice((5, 40))
        if status == "EXECUTING":
            record["finish_as"] = rng.choice(("SUCCESS", "SUCCESS", "FAILED"))
    elif status in ("CREATED", "Pending") and rng.random() < 0.3:
        record["start_after"] = rng.choice((3, 20))
        record["finish_after"] = rng.choice((2, 30))


def long_world(rng: random.Random) -> World:
    """Longer lists in short pages."""
    statuses = ("SUCCESS", "SUCCESS", "FAILED", "EXECUTING")
    tasks = [
        {
            "id": task_id(number),
            "instance": 0,
            "name": "AddWhitelist",
            "status": rng.choice(statuses),
            "created_ago": _HOUR * (50 - number),
        }
        for number in range(1, rng.randint(4, 11) + 1)
    ]
    jobs = [
        {
            "job_id": job_id(number),
            "instance": 0,
            "job_name": "REBOOT",
            "job_status": rng.choice(("Pending", "Pending", "Completed")),
            "created_ago": _HOUR * (50 - number),
        }
        for number in range(1, rng.randint(4, 11) + 1)
    ]
    switches = {
        "list_order": rng.choice(("newest_first", "oldest_first", "shuffled")),
        "task_count_type": rng.choice(("int", "string", "missing", "wrong")),
    }
    return {"tasks": tasks, "jobs": jobs, "switches": switches, "page_size": 3}


def scenario(world: World) -> dict[str, Any]:
    """The simulator's scenario."""

    def without_instance(record: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in record.items() if key != "instance"}

    fields = world.get("instances", {})
    dcs = [
        {
            "name": REDIS_NAMES[number],
            "instance_id": instance,
            "created_ago": _HOUR * 2000 + number,
            **fields.get(str(number), {}),
            "tasks": [without_instance(task) for task in world["tasks"] if task["instance"] == number],
        }
        for number, instance in enumerate(REDIS)
    ]
    first = {
        "id": PROJECTS[0],
        "name": "sim-region-1",
        "dcs_instances": dcs,
        "dds_instances": [{"name": MONGO_NAMES[number], "id": instance} for number, instance in enumerate(MONGO)],
        "scheduled_jobs": [{**without_instance(job), "instance_id": MONGO[job["instance"]]} for job in world["jobs"]],
    }
    second = {
        "id": PROJECTS[1],
        "name": "sim-region-1_second",
        "dcs_instances": [{"name": OF_SECOND_PROJECT["dcs"]}],
        "dds_instances": [{"name": OF_SECOND_PROJECT["dds"]}],
    }
    return {
        "users": [{"name": "operator"}, {"name": "another"}, {"name": "guarded", "totp": "123456"}],
        "agencies": [{"name": "maintenance-agency"}],
        "projects": [first, second],
        "switches": world.get("switches", {}),
    }
