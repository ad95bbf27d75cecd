# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events and patches: the state changes at once or exactly between two requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.caller import Caller, refused
from tests.simulator import ControlFailed, Simulator

NAME = "redis-sessions-prod"


def _ids(caller: Caller, name: str = NAME) -> list[str]:
    return [task["id"] for task in caller.get(caller.tasks_path(name), limit=1000).json()["tasks"]]


def test_after_the_first_answer(sim: Simulator, caller: Caller) -> None:
    before = _ids(caller)
    sim.events([{"after": "ListBackgroundTask", "do": [{"task": before[1], "remove": True}]}])
    assert sim.events()["waiting"][0]["count"] == 1
    assert _ids(caller) == before
    assert sim.events() == {"waiting": [], "errors": []}
    assert _ids(caller) == before[:1] + before[2:]
    refused(caller.call("DELETE", f"{caller.tasks_path()}/{before[1]}"), 404, "DCS.4404")


def test_before_and_count(sim: Simulator, caller: Caller) -> None:
    before = _ids(caller)
    sim.events(
        [
            {"before": "ListBackgroundTask", "count": 2, "do": [{"task": before[1], "remove": True}]},
            {"after": "ListBackgroundTask", "count": 3, "do": [{"task": before[2], "remove": True}]},
            {"after": "ListInstances", "do": [{"task": before[3], "remove": True}]},
        ]
    )
    assert [len(_ids(caller)) for _unused in range(5)] == [6, 5, 5, 4, 4]
    caller.get(caller.dcs + "/instances")
    assert len(_ids(caller)) == 3


def test_a_request_that_goes_wrong_counts_too(sim: Simulator, caller: Caller) -> None:
    sim.faults([{"operation": "ListBackgroundTask", "fault": {"status": 503}}])
    sim.events([{"after": "ListBackgroundTask", "do": [{"task": sim.tasks(NAME)[1]["id"], "remove": True}]}])
    assert caller.get(caller.tasks_path()).status_code == 503
    assert len(_ids(caller)) == 5


def test_a_spec_change_starts_and_ends_between_requests(sim: Simulator, caller: Caller) -> None:
    task = _ids(caller)[0]
    sim.events(
        [
            {
                "before": "CancelInstanceResize",
                "do": [{"task": task, "set": {"status": "EXECUTING", "finish_after": 30}}],
            }
        ]
    )
    refused(caller.call("POST", caller.cancel_path(NAME, task)), 400, "DCS.4239")
    assert sim.tasks(NAME)[0]["status"] == "EXECUTING"
    sim.advance(31)
    assert (sim.tasks(NAME)[0]["status"], sim.instance(NAME)["status"]) == ("SUCCESS", "RUNNING")
    assert sim.instance(NAME)["capacity"] == 32


def test_a_spec_change_is_replaced_between_requests(sim: Simulator, caller: Caller) -> None:
    instance, old, new = sim.instance(NAME)["instance_id"], _ids(caller)[0], "a" * 32
    sim.events(
        [
            {
                "before": "CancelInstanceResize",
                "do": [
                    {"task": old, "set": {"status": "FAILED"}},
                    {"task": new, "instance": instance, "add": {"name": "EXTEND", "status": "CREATED"}},
                ],
            }
        ]
    )
    refused(caller.call("POST", caller.cancel_path(NAME, old)), 400, "DCS.4957")
    assert _ids(caller)[0] == new
    assert caller.call("POST", caller.cancel_path(NAME, new)).status_code == 200


def test_task_patches(sim: Simulator, caller: Caller) -> None:
    instance = sim.instance("redis-queue-prod")["instance_id"]
    sim.patch(
        {"task": "b" * 32, "instance": instance, "add": {"name": "AddReplica", "status": "X", "created_ago": "2d"}},
        {"task": "c" * 32, "instance": instance, "add": {"name": "UpdatePort", "created_ago": "1d", "took": "1h"}},
    )
    assert _ids(caller, "redis-queue-prod") == ["c" * 32, "b" * 32]
    sim.patch({"task": "b" * 32, "set": {"created_at": "2999-01-01T00:00:00.000Z"}, "unset": ["updated_at", "params"]})
    first = sim.tasks("redis-queue-prod")[0]
    assert (first["id"], first["status"], "updated_at" in first) == ("b" * 32, "X", False)
    sim.patch({"task": "b" * 32, "unset": ["status", "created_at"]}, {"task": "c" * 32, "set": {"details": None}})
    tasks = caller.get(caller.tasks_path("redis-queue-prod")).json()["tasks"]
    assert "status" not in next(task for task in tasks if task["id"] == "b" * 32)
    assert caller.get(f"{caller.tasks_path('redis-queue-prod')}/{'c' * 32}/progress").status_code == 200


@pytest.mark.parametrize(
    ("word", "deletable"), [("SUCCESS", True), ("FAIL", False), ("DELETED", False), ("WEIRD", False), (None, False)]
)
def test_status_words_are_shown_as_they_were_set(sim: Simulator, caller: Caller, word: Any, deletable: bool) -> None:
    task = sim.tasks(NAME)[1]["id"]
    sim.patch({"task": task, "set": {"status": word}})
    assert next(each for each in sim.tasks(NAME) if each["id"] == task)["status"] == word
    assert (caller.call("DELETE", f"{caller.tasks_path()}/{task}").status_code == 200) == deletable


def test_a_status_that_was_set_stays(sim: Simulator) -> None:
    """The running task would end by itself; whoever gives it a status has it in hand."""
    task = sim.tasks("redis-cart-prod")[0]["id"]
    sim.patch({"task": task, "set": {"finish_after": 20}}, {"task": task, "set": {"status": "PAUSED"}})
    sim.advance(21)
    assert sim.tasks("redis-cart-prod")[0]["status"] == "PAUSED"
    sim.patch({"task": task, "set": {"status": "EXECUTING", "finish_after": 10, "finish_as": "FAILED"}})
    sim.advance(11)
    assert sim.tasks("redis-cart-prod")[0]["status"] == "FAILED"


def test_job_patches(sim: Simulator, caller: Caller) -> None:
    job = sim.jobs("Pending")[0]["job_id"]
    new = "11111111-2222-3333-4444-555555555555"
    sim.events([{"after": "ListScheduledTasks", "do": [{"job": job, "set": {"job_status": "Running"}}]}])
    assert caller.get(caller.dds + "/scheduled-jobs").status_code == 200
    refused(caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{job}"), 400, "DBS.280343")
    sim.patch({"job": job, "set": {"finish_after": 20, "finish_as": "Failed"}})
    sim.advance(21)
    assert next(each for each in sim.jobs() if each["job_id"] == job)["job_status"] == "Failed"
    sim.patch({"job": job, "remove": True}, {"job": new, "add": {"instance_name": "dds-orders-prod"}})
    assert job not in {each["job_id"] for each in sim.jobs()}
    assert sim.jobs()[0]["instance_id"] == sim.instance("dds-orders-prod")["id"]
    sim.patch({"job": new, "set": {"job_name": "X"}, "unset": ["end_time"]})
    assert sim.jobs()[0]["job_name"] == "X"
    assert "end_time" not in sim.jobs()[0]
    sim.patch({"job": job, "project": sim.projects[1], "add": {"instance_name": "dds-sandbox"}})
    assert next(each for each in sim.jobs() if each["job_id"] == job)["project_id"] == sim.projects[1]


def test_instance_patches(sim: Simulator, caller: Caller) -> None:
    queue = sim.instance("redis-queue-prod")["instance_id"]
    sim.patch({"instance": queue, "set": {"status": "RESTARTING", "name": "renamed"}, "unset": ["vpc_name"]})
    found = caller.get(caller.dcs + "/instances", instance_id=queue).json()["instances"][0]
    assert (found["status"], found["name"], "vpc_name" in found) == ("RESTARTING", "renamed", False)
    refused(caller.resize("renamed"), 400, "DCS.4111")
    sim.patch({"instance": queue, "set": {"status": None}})
    assert caller.resize("renamed").status_code == 204
    sim.patch({"instance": queue, "remove": True})
    refused(caller.get(f"{caller.dcs}/instances/{queue}/tasks"), 404, "DCS.3022")
    assert caller.get(caller.dcs + "/tasks").json()["task_count"] == 14
    database = sim.instance("dds-orders-prod")["id"]
    sim.patch({"instance": database, "set": {"status": "abnormal"}, "unset": ["remark"]})
    assert sim.instance("dds-orders-prod")["status"] == "abnormal"
    sim.patch({"instance": database, "remove": True})
    assert caller.get(caller.dds + "/instances").json()["total_count"] == 2


def test_what_does_not_exist(sim: Simulator, caller: Caller) -> None:
    for patch in (
        {"task": "x", "remove": True},
        {"job": "x", "remove": True},
        {"instance": "x", "remove": True},
        {"task": "x", "instance": "y", "add": {}},
        {"job": "x", "project": "y", "add": {}},
    ):
        with pytest.raises(ControlFailed, match="There is no"):
            sim.patch(patch)
    taken = sim.tasks(NAME)[0]
    with pytest.raises(ControlFailed, match="appears twice"):
        sim.patch({"task": taken["id"], "instance": taken["instance_id"], "add": {}})
    with pytest.raises(ControlFailed, match="cannot be changed"):
        sim.patch({"task": taken["id"], "set": {"id": "x"}})
    with pytest.raises(ControlFailed, match="is not a duration"):
        sim.patch({"task": taken["id"], "set": {"finish_after": "soon"}})
    sim.events([{"after": "ListBackgroundTask", "do": [{"task": "x", "remove": True}]}])
    assert caller.get(caller.tasks_path()).status_code == 200
    assert sim.events() == {"waiting": [], "errors": ["There is no task 'x'."]}


@pytest.mark.parametrize(
    "events",
    [
        {},
        [1],
        [{"do": []}],
        [{"after": "ListBackgroundTask", "before": "ListBackgroundTask", "do": []}],
        [{"after": "Nothing", "do": []}],
        [{"after": "ListBackgroundTask", "count": 0, "do": []}],
        [{"after": "ListBackgroundTask"}],
        [{"after": "ListBackgroundTask", "do": [5]}],
        [{"after": "ListBackgroundTask", "do": [{"task": "x"}]}],
        [{"after": "ListBackgroundTask", "do": [{"remove": True}]}],
        [{"after": "ListBackgroundTask", "do": [{"task": "x", "set": []}]}],
        [{"after": "ListBackgroundTask", "do": [{"task": "x", "unset": "y"}]}],
        [{"after": "ListBackgroundTask", "do": [{"task": "x", "remove": True, "extra": 1}]}],
    ],
)
def test_events_that_make_no_sense_are_refused(sim: Simulator, events: Any) -> None:
    with pytest.raises(ControlFailed, match=r"\w+ \w+"):
        sim.events(events)
    assert sim.events()["waiting"] == []
