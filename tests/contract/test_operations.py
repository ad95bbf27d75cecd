# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations that act or look at one thing: what they do, what they refuse, and what is no operation at all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.caller import Caller, refused
from tests.simulator import Simulator

NAME = "redis-sessions-prod"


def test_bad_ids(sim: Simulator, caller: Caller) -> None:
    tasks, instances = caller.tasks_path(), caller.dcs + "/instances"
    for method, path, code in (
        ("GET", f"{instances}/x", "DCS.4061"),
        ("GET", f"{instances}/x/tasks", "DCS.4061"),
        ("DELETE", f"{tasks}/x", "DCS.4070"),
        ("DELETE", f"{tasks}/{'g' * 32}", "DCS.4070"),
        ("GET", f"{tasks}/x/progress", "DCS.4070"),
        ("DELETE", f"{caller.dcs}/tasks/x", "DCS.4070"),
        ("POST", caller.cancel_path(NAME, "x"), "DCS.4070"),
        ("POST", f"{instances}/x/resize/cancel/{'0' * 32}", "DCS.4061"),
        ("POST", f"{instances}/x/resize", "DCS.4061"),
        ("POST", f"{caller.dds}/instances/x/db-upgrade", "DBS.280404"),
        ("PUT", f"{caller.dds}/instances/x/maintenance-window", "DBS.280404"),
    ):
        refused(caller.call(method, path), 400, code)


def test_unknown_urls_and_methods(caller: Caller) -> None:
    for path in ("/", "/v2", "/v3/x/y/z", f"{caller.dcs}/instances/x/y", "/v2/a/instances/b/tasks/c/d"):
        refused(caller.plain("GET", path), 404, "APIGW.0101")
    refused(caller.plain("POST", caller.tasks_path()), 405, "DCS.5001")
    refused(caller.plain("PATCH", caller.dds + "/scheduled-jobs"), 404, "APIGW.0101")


def test_a_slash_in_an_id_is_part_of_the_id(caller: Caller) -> None:
    refused(caller.call("DELETE", caller.tasks_path() + "/a%2Fb"), 400, "DCS.4070")
    assert caller.get(caller.tasks_path().replace("-", "%2D")).json()["task_count"] == 6


def test_delete_removes_one_record(sim: Simulator, caller: Caller) -> None:
    tasks = sim.tasks(NAME)
    path = f"{caller.tasks_path()}/{tasks[1]['id']}"
    assert caller.call("DELETE", path).status_code == 200
    refused(caller.call("DELETE", path), 404, "DCS.4404")
    assert [task["id"] for task in sim.tasks(NAME)] == [task["id"] for task in tasks if task is not tasks[1]]
    elsewhere = f"{caller.tasks_path('redis-cart-prod')}/{tasks[2]['id']}"
    refused(caller.call("DELETE", elsewhere), 404, "DCS.4404")
    running = sim.tasks("redis-cart-prod")[0]
    refused(caller.call("DELETE", f"{caller.tasks_path('redis-cart-prod')}/{running['id']}"), 400, "DCS.4957")


def test_the_task_centre_names_no_instance(sim: Simulator, caller: Caller) -> None:
    tasks = caller.get(caller.dcs + "/tasks", limit=100).json()["tasks"]
    instances = {each["instance_id"] for each in sim.state()["dcs_instances"]}
    assert not any("instance" in key for task in tasks for key in task)
    assert not any(instance in str(tasks) for instance in instances)
    assert {"error_code", "job_id"} <= set(tasks[0])


def test_cancelling_a_spec_change(sim: Simulator, caller: Caller) -> None:
    waiting, *finished = sim.tasks(NAME)
    refused(caller.call("POST", caller.cancel_path(NAME, finished[0]["id"])), 400, "DCS.4957")
    refused(caller.call("POST", caller.cancel_path(NAME, "0" * 32)), 404, "DCS.4404")
    refused(caller.call("POST", caller.cancel_path("redis-queue-prod", "0" * 32)), 400, "DCS.4239")
    refused(caller.call("POST", caller.cancel_path("redis-queue-prod", waiting["id"])), 400, "DCS.4239")
    assert caller.call("POST", caller.cancel_path(NAME, waiting["id"])).json() == {"result": "success"}
    again = caller.call("POST", caller.cancel_path(NAME, waiting["id"]))
    refused(again, 400, "DCS.4239")
    assert again.json()["error_msg"] == "The instance status is not extending."
    assert caller.resize(NAME).status_code == 204
    assert sim.tasks(NAME)[0]["id"] != waiting["id"]


def test_resize_bodies(sim: Simulator, caller: Caller) -> None:
    path = caller.resize_path("redis-queue-prod")
    good = {"spec_code": "redis.ha.xu1.large.r2.8", "new_capacity": 8}
    for body, code in (
        (b"", "DCS.4004"),
        (b"{", "DCS.4005"),
        (b"[]", "DCS.4005"),
        ({"new_capacity": 8}, "DCS.4927"),
        ({**good, "spec_code": 5}, "DCS.4927"),
        ({**good, "new_capacity": "8"}, "DCS.4012"),
        ({**good, "new_capacity": 0}, "DCS.4012"),
        ({**good, "new_capacity": True}, "DCS.4012"),
        ({**good, "execute_immediately": "false"}, "DCS.4062"),
    ):
        refused(caller.call("POST", path, body=body), 400, code)
    assert sim.tasks("redis-queue-prod") == []
    assert caller.call("POST", path, body=good).status_code == 204
    assert sim.tasks("redis-queue-prod")[0]["status"] == "EXECUTING"


def test_resize_of_a_busy_instance(sim: Simulator, caller: Caller) -> None:
    refused(caller.resize(NAME), 400, "DCS.4113")
    sim.switches({"waiting_instance_status": "RUNNING"})
    refused(caller.resize(NAME), 400, "DCS.4113")
    refused(caller.resize("redis-cart-prod"), 400, "DCS.4017")
    queue = sim.instance("redis-queue-prod")["instance_id"]
    for status, code in (("RESTARTING", "DCS.4111"), ("CREATING", "DCS.4118"), ("ERROR", "DCS.4026")):
        sim.patch({"instance": queue, "set": {"status": status}})
        refused(caller.resize("redis-queue-prod"), 400, code)


def test_the_running_task_ends_by_itself(sim: Simulator, caller: Caller) -> None:
    task = sim.tasks("redis-cart-prod")[0]
    assert task["status"] == "EXECUTING"
    sim.patch({"task": task["id"], "set": {"finish_after": 30}})
    sim.advance(31)
    ended = sim.tasks("redis-cart-prod")[0]
    assert (ended["id"], ended["status"]) == (task["id"], "SUCCESS")
    assert ended["updated_at"] > task["updated_at"]


def test_progress_agrees_with_the_phase(sim: Simulator, caller: Caller) -> None:
    def look(name: str, status: str) -> tuple[int, list[str], list[str]]:
        task = next(each for each in sim.tasks(name) if each["status"] == status)
        answer = caller.get(f"{caller.tasks_path(name)}/{task['id']}/progress").json()
        steps = answer["step_details"]
        inner = [part["sub_step_status"] for step in steps for part in step["sub_step_details"]]
        return answer["progress"], [step["step_status"] for step in steps], inner

    assert look(NAME, "CREATED") == (0, ["WAITING"] * 3, ["WAITING"] * 6)
    assert look(NAME, "SUCCESS") == (100, ["FINISH"] * 3, ["FINISH"] * 6)
    percent, steps, inner = look("redis-cart-prod", "EXECUTING")
    assert 0 < percent < 100
    for words in (steps, inner):
        assert words.count("EXECUTING") == 1
        # Finished ones come first, then the one under way, then those that wait.
        assert words == sorted(words, key=["FINISH", "EXECUTING", "WAITING"].index)
    percent, steps, inner = look(NAME, "FAILED")
    assert steps == ["FINISH", "FAILED", "WAITING"]
    assert inner.count("FAILED") == 1
    assert percent < 100
    # What was called off has begun nothing.
    assert look(NAME, "CANCELLED") == (0, ["WAITING"] * 3, ["WAITING"] * 6)


def test_progress_grows(sim: Simulator, caller: Caller) -> None:
    task = sim.tasks("redis-cart-prod")[0]["id"]
    sim.patch({"task": task, "set": {"finish_after": 100}})
    path = f"{caller.tasks_path('redis-cart-prod')}/{task}/progress"
    first = caller.get(path).json()["progress"]
    sim.advance(30)
    assert first < caller.get(path).json()["progress"] < 100


def test_upgrades(sim: Simulator, caller: Caller) -> None:
    path = f"{caller.dds}/instances/{sim.instance('dds-orders-prod')['id']}/db-upgrade"
    bodies: list[Any] = [b"", b"{", [], {"is_delayed": "true"}, {"upgrade_mode": "fast"}]
    for body in bodies:
        refused(caller.call("POST", path, body=body), 400, "DBS.200001")
    first = caller.call("POST", path, body={"upgrade_mode": "minimized_upgrade_time", "is_delayed": True})
    assert first.status_code == 202
    job = sim.jobs("Pending")[0]
    assert (job["job_id"], job["job_name"]) == (first.json()["job_id"], "UPGRADE_DATABASE")
    assert job["start_time"] > job["create_time"]
    refused(caller.call("POST", path, body={"is_delayed": True}), 403, "DBS.200019")
    assert caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{job['job_id']}").status_code == 204
    before = len(sim.jobs())
    assert caller.call("POST", path, body={"is_delayed": False}).status_code == 202
    assert (len(sim.jobs()), sim.instance("dds-orders-prod")["actions"]) == (before, ["UPGRADE_DATABASE"])


def test_windows(sim: Simulator, caller: Caller) -> None:
    path = f"{caller.dds}/instances/{sim.instance('dds-orders-prod')['id']}/maintenance-window"
    for start, end, code in (
        ("25:00", "02:00", "DBS.280067"),
        (None, "02:00", "DBS.280067"),
        ("01:00", "2", "DBS.280068"),
        ("01:00", "01:00", "DBS.280068"),
    ):
        refused(caller.call("PUT", path, body={"start_time": start, "end_time": end}), 400, code)
    assert caller.call("PUT", path, body={"start_time": "22:00", "end_time": "02:00"}).status_code == 204
    assert sim.instance("dds-orders-prod")["maintenance_window"] == "22:00-02:00"


@pytest.mark.parametrize("job", ["x", "3861199d-c196-4791-bcd0-b45fde754f50"])
def test_unknown_jobs(caller: Caller, job: str) -> None:
    refused(caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{job}"), 404, "DBS.200002")


def test_every_answer_has_a_request_id(caller: Caller) -> None:
    answers = [caller.get(caller.dcs + "/instances"), caller.plain("POST", "/v3/auth/tokens", json=caller.token_body())]
    answers += [caller.get("/nowhere"), caller.resize("redis-queue-prod")]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 4
    assert {answer.headers["Server"] for answer in answers} == {"api-gateway"}
