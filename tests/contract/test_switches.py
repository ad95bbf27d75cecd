# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches: each one in every position."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.caller import Caller, check, refused
from tests.simulator import ControlFailed, Simulator
from tests.simulator.switches import SWITCHES

NAME = "redis-sessions-prod"


def _tasks(caller: Caller, name: str = NAME, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(caller.tasks_path(name), **{"limit": 1000, **query}).json()["tasks"]
    return found


def _cancel(caller: Caller, task_id: str, name: str = NAME) -> Any:
    return caller.call("POST", caller.cancel_path(name, task_id))


def _waiting(sim: Simulator) -> str:
    return str(sim.tasks(NAME)[0]["id"])


def test_defaults_and_reset(sim: Simulator) -> None:
    assert sim.switches() == {name: switch.default for name, switch in SWITCHES.items()}
    sim.switches({"delete_status": 204})
    assert sim.switches()["delete_status"] == 204
    sim.reset()
    assert sim.switches()["delete_status"] == 200


@pytest.mark.parametrize("name", sorted(SWITCHES))
def test_each_takes_its_values_and_nothing_else(sim: Simulator, name: str) -> None:
    switch = SWITCHES[name]
    for value in switch.values or (switch.default,):
        assert sim.switches({name: value})[name] == value
    with pytest.raises(ControlFailed, match=rf"The switch {name} must be .*\."):
        sim.switches({"delete_status": 202, name: {"no": "value"}})
    assert sim.switches()["delete_status"] != 202 or name == "delete_status"
    with pytest.raises(ControlFailed, match="There is no switch named 'nothing'"):
        sim.switches({"nothing": 1})


@pytest.mark.parametrize("changes", [[], "x", {"delete_status": 200.0}, {"task_centre_available": 1}])
def test_wrong_kinds_of_values(sim: Simulator, changes: Any) -> None:
    with pytest.raises(ControlFailed):
        sim.switches(changes)


@pytest.mark.parametrize("word", ["CREATED", "WAITING", "Scheduled"])
def test_waiting_status(sim: Simulator, caller: Caller, word: str) -> None:
    _tasks(caller)  # what was rendered before must not come back
    sim.switches({"waiting_status": word})
    assert _tasks(caller)[0]["status"] == word
    assert _cancel(caller, _waiting(sim)).status_code == 200
    assert _tasks(caller)[0]["status"] == "CANCELLED"


@pytest.mark.parametrize("word", ["EXTENDING", "RUNNING"])
def test_waiting_instance_status(sim: Simulator, caller: Caller, word: str) -> None:
    sim.switches({"waiting_instance_status": word})
    assert sim.instance(NAME)["status"] == word
    listed = caller.get(caller.dcs + "/instances", status=word, name=NAME).json()["instances"]
    assert [each["status"] for each in listed] == [word]
    assert _cancel(caller, _waiting(sim)).status_code == 200
    assert sim.instance(NAME)["status"] == "RUNNING"


def test_cancelled_record(sim: Simulator, caller: Caller) -> None:
    task = _waiting(sim)
    assert _cancel(caller, task).json() == {"result": "success"}
    assert _tasks(caller)[0]["status"] == "CANCELLED"
    refused(_cancel(caller, task), 400, "DCS.4239")
    sim.reset()
    sim.switches({"cancelled_record": "removed"})
    task = _waiting(sim)
    assert _cancel(caller, task).status_code == 200
    assert task not in {each["id"] for each in _tasks(caller)}
    refused(_cancel(caller, task), 400, "DCS.4239")


def test_resize_cancel_available(sim: Simulator, caller: Caller) -> None:
    for value, code in (("DCS.4001", "DCS.4001"), ("APIGW.0101", "APIGW.0101")):
        sim.switches({"resize_cancel_available": value})
        refused(_cancel(caller, _waiting(sim)), 404, code)
    sim.switches({"resize_cancel_available": True})
    assert _cancel(caller, _waiting(sim)).status_code == 200


@pytest.mark.parametrize("record", ["kept", "removed"])
def test_resize_cancel_delay(sim: Simulator, caller: Caller, record: str) -> None:
    sim.switches({"resize_cancel_delay": 40, "cancelled_record": record})
    task = _waiting(sim)
    assert _cancel(caller, task).status_code == 200
    assert (_tasks(caller)[0]["id"], _tasks(caller)[0]["status"]) == (task, "CREATED")
    assert sim.instance(NAME)["status"] == "EXTENDING"
    refused(_cancel(caller, task), 400, "DCS.4239")
    sim.advance(41)
    assert [each["status"] for each in _tasks(caller) if each["id"] == task] == ["CANCELLED"] * (record == "kept")
    assert sim.instance(NAME)["status"] == "RUNNING"


def test_resize_seconds(sim: Simulator, caller: Caller) -> None:
    sim.switches({"resize_seconds": 40})
    assert caller.resize("redis-queue-prod", immediately=True).status_code == 204
    (task,) = sim.tasks("redis-queue-prod")
    assert (task["status"], sim.instance("redis-queue-prod")["status"]) == ("EXECUTING", "EXTENDING")
    refused(caller.resize("redis-queue-prod"), 400, "DCS.4113")
    sim.advance(41)
    instance = sim.instance("redis-queue-prod")
    assert (sim.tasks("redis-queue-prod")[0]["status"], instance["status"]) == ("SUCCESS", "RUNNING")
    assert (instance["capacity"], instance["spec_code"], instance["task"]) == (64, "redis.ha.xu1.large.r2.64", None)


@pytest.mark.parametrize("code", ["DCS.4239", "DCS.4957", "DCS.4113"])
def test_started_cancel_error(sim: Simulator, caller: Caller, code: str) -> None:
    sim.switches({"started_cancel_error": code})
    task = _waiting(sim)
    sim.patch({"task": task, "set": {"status": "EXECUTING"}})
    refused(_cancel(caller, task), 400, code)
    assert _tasks(caller)[0]["status"] == "EXECUTING"


def test_unknown_status_word(sim: Simulator, caller: Caller) -> None:
    for value, word in ((False, "EXECUTING"), (True, "PAUSING_X"), ("REPAIRING", "REPAIRING")):
        sim.switches({"unknown_status_word": value})
        assert _tasks(caller, "redis-cart-prod")[0]["status"] == word


def test_deletable_statuses(sim: Simulator, caller: Caller) -> None:
    by_status = {task["status"]: task["id"] for task in sim.tasks(NAME)}
    path = caller.tasks_path()
    refused(caller.call("DELETE", f"{path}/{by_status['CREATED']}"), 400, "DCS.4957")
    sim.switches({"deletable_statuses": ["SUCCESS"]})
    refused(caller.call("DELETE", f"{path}/{by_status['FAILED']}"), 400, "DCS.4957")
    refused(caller.call("DELETE", f"{path}/{by_status['CANCELLED']}"), 400, "DCS.4957")
    assert caller.call("DELETE", f"{path}/{by_status['SUCCESS']}").status_code == 200
    sim.switches({"deletable_statuses": ["FAILED", "CANCELLED"]})
    assert caller.call("DELETE", f"{path}/{by_status['FAILED']}").status_code == 200
    assert caller.call("DELETE", f"{caller.dcs}/tasks/{by_status['CANCELLED']}").status_code == 200


@pytest.mark.parametrize("status", [200, 202, 204])
def test_delete_status(sim: Simulator, caller: Caller, status: int) -> None:
    sim.switches({"delete_status": status})
    for path in (caller.tasks_path(), caller.dcs + "/tasks"):
        answer = caller.call("DELETE", f"{path}/{sim.tasks(NAME)[1]['id']}")
        assert answer.status_code == status
        assert (answer.content == b"") == (status == 204)


def test_task_centre_available(sim: Simulator, caller: Caller) -> None:
    sim.switches({"task_centre_available": False})
    refused(caller.get(caller.dcs + "/tasks"), 404, "APIGW.0101")
    refused(caller.call("DELETE", f"{caller.dcs}/tasks/{_waiting(sim)}"), 404, "APIGW.0101")


def test_unknown_id_status(sim: Simulator, caller: Caller) -> None:
    nobody, job = "0" * 32, "00000000-0000-0000-0000-000000000000"
    for value, dcs, dds in ((404, "DCS.4404", "DBS.200002"), (400, "DCS.4070", "DBS.280016")):
        sim.switches({"unknown_id_status": value})
        refused(caller.call("DELETE", f"{caller.tasks_path()}/{nobody}"), value, dcs)
        refused(caller.call("DELETE", f"{caller.dcs}/tasks/{nobody}"), value, dcs)
        refused(caller.get(f"{caller.tasks_path()}/{nobody}/progress"), value, dcs)
        refused(_cancel(caller, nobody), value, dcs)
        refused(caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{job}"), value, dds)


def test_unknown_instance_status(sim: Simulator, caller: Caller) -> None:
    path = f"{caller.dcs}/instances/00000000-0000-0000-0000-000000000000"
    for value, dcs in ((404, "DCS.3022"), (400, "DCS.4026")):
        sim.switches({"unknown_instance_status": value})
        refused(caller.get(path), value, dcs)
        refused(caller.get(path + "/tasks"), value, dcs)
        refused(caller.call("DELETE", f"{path}/tasks/{'0' * 32}"), value, dcs)
        refused(caller.call("POST", f"{path}/resize/cancel/{'0' * 32}"), value, dcs)


def test_error_shape(sim: Simulator, caller: Caller) -> None:
    path = caller.dcs + "/instances"
    refused(caller.get(path, limit=0), 400, "DCS.4800")
    sim.switches({"error_shape": "nine_digit"})
    refused(caller.get(path, limit=0), 400, "111400800")
    check("dcs-error", caller.get(path, limit=0).json())
    refused(_cancel(caller, "0" * 31), 400, "111400070")
    refused(caller.call("DELETE", f"{caller.tasks_path()}/{_waiting(sim)}"), 400, "DCS.4957")  # has no twin
    sim.switches({"error_shape": "v1"})
    assert caller.get(path, limit=0).json()["error"]["code"] == "DCS.4800"
    refused(caller.get(caller.dds + "/instances", limit=0), 400, "DBS.280439")


def test_time_filter(sim: Simulator, caller: Caller) -> None:
    since = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() - 10 * 86400))
    for value, by_start, by_begin in (
        ("both", 3, 3),
        ("start_time", 3, 6),
        ("begin_time", 6, 3),
        ("none", 6, 6),
    ):
        sim.switches({"time_filter": value})
        assert len(_tasks(caller, start_time=since)) == by_start
        assert len(_tasks(caller, begin_time=since)) == by_begin
        assert len(_tasks(caller, end_time=since)) == (6 if value == "none" else 3)


def test_time_field(sim: Simulator, caller: Caller) -> None:
    task = sim.tasks(NAME)[5]
    sim.patch({"task": task["id"], "set": {"updated_at": sim.tasks(NAME)[0]["updated_at"]}})
    since = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() - 2 * 3600))
    assert len(_tasks(caller, start_time=since)) == 1
    sim.switches({"time_field": "updated_at"})
    assert {each["id"] for each in _tasks(caller, start_time=since)} == {task["id"], _waiting(sim)}


def test_list_order(sim: Simulator, caller: Caller) -> None:
    newest = [task["id"] for task in _tasks(caller)]
    jobs = [job["job_id"] for job in caller.get(caller.dds + "/scheduled-jobs").json()["schedules"]]
    sim.switches({"list_order": "oldest_first"})
    assert [task["id"] for task in _tasks(caller)] == newest[::-1]
    assert [job["job_id"] for job in caller.get(caller.dds + "/scheduled-jobs").json()["schedules"]] == jobs[::-1]
    sim.switches({"list_order": "shuffled"})
    mixed = [task["id"] for task in _tasks(caller)]
    assert sorted(mixed) == sorted(newest)
    assert mixed not in (newest, newest[::-1])
    assert mixed == [task["id"] for task in _tasks(caller)]


def test_legacy_top_level(sim: Simulator, caller: Caller) -> None:
    keys = {"task_count", "tasks"}
    assert set(caller.get(caller.tasks_path()).json()) == keys
    sim.switches({"legacy_top_level": True})
    answer = caller.get(caller.tasks_path()).json()
    assert set(answer) == keys | {"status", "created_at", "updated_at"}
    assert (answer["status"], answer["created_at"]) == ("CREATED", answer["tasks"][0]["created_at"])
    assert set(caller.get(caller.tasks_path("redis-queue-prod")).json()) == keys


def test_task_count_type(sim: Simulator, caller: Caller) -> None:
    for value, expected in (("int", 6), ("string", "6"), ("missing", None), ("wrong", 2)):
        sim.switches({"task_count_type": value})
        for path in (caller.tasks_path(), caller.dcs + "/tasks"):
            answer = caller.get(path, limit=2).json()
            total = {6: 14, "6": "14"}.get(expected, expected) if path.endswith(caller.dcs + "/tasks") else expected
            assert answer.get("task_count") == total
            assert ("task_count" in answer) == (value != "missing")


@pytest.mark.parametrize("kind", ["tasks", "centre", "instances", "jobs", "databases"])
def test_page_fault(sim: Simulator, caller: Caller, kind: str) -> None:
    path, key, name = {
        "tasks": (caller.tasks_path(), "tasks", "id"),
        "centre": (caller.dcs + "/tasks", "tasks", "id"),
        "instances": (caller.dcs + "/instances", "instances", "instance_id"),
        "jobs": (caller.dds + "/scheduled-jobs", "schedules", "job_id"),
        "databases": (caller.dds + "/instances", "instances", "id"),
    }[kind]

    def page(offset: int, limit: int) -> list[str]:
        answer = caller.get(path, offset=offset, limit=limit).json()
        return [each[name] for each in answer[key]]

    everything = page(0, 100)
    assert len(everything) >= 3
    sim.switches({"page_fault": "short"})
    seen: list[str] = []
    while True:
        got = page(len(seen), 2)
        assert len(got) == (0 if len(seen) == len(everything) else 1)
        if not got:
            break
        seen += got
    assert seen == everything
    assert len(page(0, 100)) == len(everything) // 2
    sim.switches({"page_fault": "empty"})
    assert page(0, 2) == everything[:2]
    assert page(2, 2) == []
    assert page(2, 2) == everything[2:4]
    assert sim.switches()["page_fault"] == "none"
    sim.switches({"page_fault": "repeated"})
    assert page(0, 2) == page(2, 2) == page(99, 2) == everything[:2]


def test_capacity_type(sim: Simulator, caller: Caller) -> None:
    for value, expected in (("string", ("16", "32")), ("number", (16, 32))):
        sim.switches({"capacity_type": value})
        details = _tasks(caller)[-1]["details"]
        assert (details["old_capacity"], details["new_capacity"]) == expected
    small = sim.instance("redis-reports")["capacity_minor"]
    assert small == "0.125"


def test_azs(sim: Simulator, caller: Caller) -> None:
    def codes() -> Any:
        return caller.get(caller.dcs + "/instances").json()["instances"][0]["az_codes"]

    assert codes() == ["sim-region-1a", "sim-region-1b"]
    sim.switches({"azs": "objects"})
    assert codes() == [{"az_code": "sim-region-1a"}, {"az_code": "sim-region-1b"}]


def test_dds_groups(sim: Simulator, caller: Caller) -> None:
    def kinds() -> dict[str, type]:
        found = caller.get(caller.dds + "/instances").json()["instances"]
        return {each["mode"]: type(each["groups"]) for each in found}

    assert kinds() == {"ReplicaSet": list, "Sharding": list, "Single": list}
    sim.switches({"dds_groups": "object"})
    assert kinds() == {"ReplicaSet": dict, "Sharding": list, "Single": dict}


@pytest.mark.parametrize(("code", "status"), [("DBS.280343", 400), ("DBS.200076", 403)])
def test_dds_too_late_error(sim: Simulator, caller: Caller, code: str, status: int) -> None:
    sim.switches({"dds_too_late_error": code})
    for word in ("Running", "Completed", "Failed", "Canceled"):
        job = sim.jobs(word)[0]
        refused(caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{job['job_id']}"), status, code)
        assert sim.jobs(word)[0] == job


def test_dds_repeat_cancel(sim: Simulator, caller: Caller) -> None:
    path = f"{caller.dds}/scheduled-jobs/{sim.jobs('Pending')[0]['job_id']}"
    assert caller.call("DELETE", path).status_code == 204
    refused(caller.call("DELETE", path), 400, "DBS.280343")
    sim.switches({"dds_repeat_cancel": "204"})
    assert caller.call("DELETE", path).status_code == 204


def test_dds_cancel_delay(sim: Simulator, caller: Caller) -> None:
    sim.switches({"dds_cancel_delay": 40})
    job = sim.jobs("Pending")[0]["job_id"]
    assert caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{job}").status_code == 204
    assert sim.jobs("Pending")[0]["job_id"] == job
    refused(caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{job}"), 400, "DBS.280343")
    sim.advance(41)
    assert job in {each["job_id"] for each in sim.jobs("Canceled")}


def test_latency(sim: Simulator, caller: Caller) -> None:
    sim.switches({"latency_ms": 250})
    started = time.monotonic()
    assert caller.get(caller.dcs + "/instances").status_code == 200
    assert time.monotonic() - started >= 0.25


def test_a_scenario_may_set_switches(sim: Simulator) -> None:
    sim.reset({"switches": {"delete_status": 204}})
    assert sim.switches()["delete_status"] == 204
    with pytest.raises(ControlFailed, match="There is no switch"):
        sim.reset({"switches": {"x": 1}})
    assert sim.switches()["delete_status"] == 204
