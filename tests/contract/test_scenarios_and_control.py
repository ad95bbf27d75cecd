# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios, the journal and the other control calls."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.contract.caller import Caller, refused
from tests.simulator import ControlFailed, Simulator, SimulatorClient


def test_pages_holds_exactly_the_examples(sim: Simulator, caller: Caller) -> None:
    sim.reset("pages")
    assert sim.project_id == "a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f71"
    instance, task = "5560df16-cebf-4473-95c4-d1b573c16e79", "8abf6e1e72c12e7c0172c15b508500aa"
    path = f"/v2/{sim.project_id}/instances/{instance}"
    query = {"offset": 0, "limit": 10, "begin_time": "20200609160000", "end_time": "20200617155959"}
    assert caller.get(path + "/tasks", **query).json() == {
        "task_count": 1,
        "tasks": [
            {
                "id": task,
                "name": "ChangeInstanceSpec",
                "user_name": "paas_dcs_a00421997_02",
                "user_id": "d53977d1adfb49c5b025ba7d33a13fd7",
                "details": {
                    "old_cache_mode": "single",
                    "new_cache_mode": "single",
                    "old_capacity": 0.125,
                    "new_capacity": 0.25,
                },
                "status": "SUCCESS",
                "created_at": "2020-06-17T08:18:06.597Z",
                "updated_at": "2020-06-17T08:18:10.106Z",
            }
        ],
    }
    cancel = caller.call("POST", f"{path}/resize/cancel/{task}")
    refused(cancel, 400, "DCS.4239")
    assert cancel.json()["error_msg"] == "The instance status is not extending."
    assert caller.call("DELETE", f"{path}/tasks/{task}").json() == {"message": ""}
    jobs = "/v3/b02ce40e8cb84a8e980fdb11fac657db/scheduled-jobs"
    assert caller.get(jobs).json() == {"total_count": 0, "schedules": []}
    listed = caller.get(jobs, start_time="2019-01-01T00:00:00+0000").json()
    assert listed == {
        "total_count": 1,
        "schedules": [
            {
                "job_id": "3861199d-c196-4791-bcd0-b45fde754f50",
                "job_name": "RESIZE_FLAVOR",
                "job_status": "Pending",
                "instance_id": "a2b33e2077ee41e397e57cd2f022b72fin02",
                "instance_name": "dds-zzx-recover",
                "instance_status": "normal",
                "create_time": "2019-05-26T10:41:14+0000",
                "start_time": "2019-05-26T10:41:14+0000",
                "end_time": "2019-05-26T12:51:14+0000",
            }
        ],
    }
    assert caller.call("DELETE", f"{jobs}/3861199d-c196-4791-bcd0-b45fde754f50").status_code == 204
    assert sim.jobs()[0]["job_status"] == "Canceled"


def test_maintenance_is_the_same_each_time(sim: Simulator) -> None:
    first = sim.state()
    sim.reset("maintenance")
    second = sim.state()
    for key in ("dcs_instances", "dds_instances", "projects"):
        assert [each.get("instance_id", each.get("id")) for each in first[key]] == [
            each.get("instance_id", each.get("id")) for each in second[key]
        ]
    assert [task["id"] for task in first["tasks"]] == [task["id"] for task in second["tasks"]]
    assert [job["job_id"] for job in first["scheduled_jobs"]] == [job["job_id"] for job in second["scheduled_jobs"]]
    assert [task["name"] for task in first["tasks"] if task["status"] == "CREATED"] == ["EXTEND"]
    assert sum(task["status"] == "EXECUTING" for task in first["tasks"]) == 1
    assert [each["name"] for each in first["dcs_instances"] if each["status"] == "EXTENDING"] == ["redis-sessions-prod"]


def test_empty(sim: Simulator, caller: Caller) -> None:
    sim.reset("empty")
    assert caller.get(caller.dcs + "/instances").json() == {"instance_num": 0, "instances": []}
    assert caller.get(caller.dcs + "/tasks").json() == {"task_count": 0, "tasks": []}
    assert caller.get(caller.dds + "/instances").json() == {"instances": [], "total_count": 0}


@pytest.mark.parametrize(("instances", "tasks"), [(0, 0), (3, 5), (2000, 10), (1, 20000)])
def test_fleets(sim: Simulator, instances: int, tasks: int) -> None:
    started = time.monotonic()
    sim.reset(f"fleet:{instances}:{tasks}")
    assert time.monotonic() - started < 120
    state = sim.state()
    assert (len(state["dcs_instances"]), len(state["tasks"])) == (instances, instances * tasks)
    assert len({task["id"] for task in state["tasks"]}) == instances * tasks
    assert {task["status"] for task in state["tasks"]} <= {"SUCCESS", "FAILED"}


@pytest.mark.parametrize(
    "scenario",
    [
        "nothing",
        "../maintenance",
        "missing.json",
        "fleet:1",
        "fleet:a:b",
        "fleet:1:2:3:4",
        5,
        {"dcs_instances": [{"name": "a"}, {"name": "a"}]},
        {"dcs_instances": 5},
        {"dcs_instances": [{"name": "a", "created_ago": "long"}]},
        {"projects": [{"scheduled_jobs": [{"job_id": "a"}, {"job_id": "a"}]}]},
    ],
)
def test_scenarios_that_cannot_be_read(sim: Simulator, scenario: Any) -> None:
    before = sim.state()["projects"]
    with pytest.raises(ControlFailed, match=r"\w+ \w+"):
        sim.reset(scenario)
    assert sim.state()["projects"] == before


def test_a_scenario_of_ones_own(sim: Simulator, caller: Caller, tmp_path: Path) -> None:
    scenario = {
        "region": "eu-test-1",
        "domain": {"name": "acme"},
        "users": [{"name": "ada", "password": "p", "access_key": "AK", "secret_key": "SK"}],
        "project": {"id": "1" * 32, "name": "eu-test-1"},
        "dcs_instances": [
            {
                "name": "one",
                "capacity": 2,
                "tasks": [
                    {"id": "2" * 32, "name": "EXTEND", "status": "CREATED", "start_after": 20, "finish_after": 20},
                    {"name": "AddReplica", "created_at": "2026-01-02T03:04:05.678Z"},
                ],
            }
        ],
        "dds_instances": [{"name": "two", "created_ago": "1w"}],
        "scheduled_jobs": [{"instance_name": "two", "start_after": 10, "finish_after": 5, "finish_as": "Failed"}],
    }
    file = tmp_path / "own.json"
    file.write_text(json.dumps(scenario))
    facts = sim.reset(str(file))
    assert (facts["region"], facts["domain_name"], facts["username"]) == ("eu-test-1", "acme", "ada")
    assert (facts["access_key"], facts["secret_key"], facts["project_id"]) == ("AK", "SK", "1" * 32)
    assert sim.access_key == "AK"
    assert caller.get(caller.dcs + "/instances").json()["instance_num"] == 1
    assert sim.tasks("one")[0]["status"] == "CREATED"
    assert sim.tasks("one")[1]["created_at"] == "2026-01-02T03:04:05.678Z"
    assert sim.jobs()[0]["job_status"] == "Pending"
    sim.advance(21)
    assert (sim.tasks("one")[0]["status"], sim.jobs()[0]["job_status"]) == ("EXECUTING", "Failed")
    sim.advance(20)
    assert (sim.tasks("one")[0]["status"], sim.instance("one")["capacity"]) == ("SUCCESS", 4)


def test_journal(sim: Simulator, caller: Caller) -> None:
    caller.get(caller.dcs + "/instances", name="a b+c", limit=5)
    caller.with_token(caller.token(), "GET", caller.dds + "/scheduled-jobs?job_name=A&job_name=B&x=")
    caller.plain("GET", "/no/where")
    first, token, jobs, nowhere = sim.journal()
    assert {key: first[key] for key in ("method", "path", "query", "status", "service", "operation", "auth")} == {
        "method": "GET",
        "path": caller.dcs + "/instances",
        "query": {"name": ["a b+c"], "limit": ["5"]},
        "status": 200,
        "service": "dcs",
        "operation": "ListInstances",
        "auth": "aksk",
    }
    assert (first["fault"], first["processed"]) == (None, True)
    assert {"Authorization", "X-Sdk-Date"} <= set(first["request_headers"])
    assert (token["operation"], token["status"], token["auth"]) == ("KeystoneCreateUserTokenByPassword", 201, "none")
    assert (jobs["query"], jobs["auth"]) == ({"job_name": ["A", "B"], "x": [""]}, "token")
    assert (nowhere["operation"], nowhere["service"], nowhere["status"]) == (None, None, 404)
    assert sim.journal("iam") == [token]
    assert sim.operations() == ["ListInstances", "KeystoneCreateUserTokenByPassword", "ListScheduledTasks", None]
    assert sim.password not in json.dumps(sim.journal())
    sim.reset()
    assert sim.journal() == []


def test_reset_puts_everything_back(sim: Simulator, caller: Caller) -> None:
    sim.switches({"latency_ms": 1})
    sim.faults([{"path": "x", "fault": "reset"}])
    sim.events([{"after": "ListInstances", "do": []}])
    token = caller.token()
    task = sim.tasks("redis-sessions-prod")[1]["id"]
    caller.call("DELETE", f"{caller.tasks_path()}/{task}")
    sim.reset()
    assert (sim.switches()["latency_ms"], sim.faults(), sim.events()["waiting"]) == (0, [], [])
    assert task in {each["id"] for each in sim.tasks("redis-sessions-prod")}
    assert caller.with_token(token, "GET", caller.dcs + "/instances").status_code == 401


def test_control_calls_that_make_no_sense(sim: Simulator, caller: Caller) -> None:
    for method, path, body, status in (
        ("GET", "nothing", b"", 404),
        ("POST", "journal", b"", 405),
        ("POST", "switches", b"{", 400),
        ("POST", "switches", b"", 400),
        ("POST", "reset", b"[]", 400),
        ("POST", "reset", b'{"scenery": 1}', 400),
        ("POST", "faults", b"", 400),
        ("POST", "events", b"", 400),
        ("POST", "state/patch", b"5", 400),
        ("POST", "advance", b'{"seconds": -1}', 400),
        ("POST", "advance", b'{"seconds": 1e400}', 400),
        ("POST", "advance", b"5", 400),
    ):
        headers = {"Content-Type": "application/json"}
        answer = caller.plain(method, "/_simulator/" + path, data=body, headers=headers)
        assert answer.status_code == status, path
        assert answer.json()["error"].endswith(".")
    assert sim.journal() == []


def test_things_end_by_themselves_in_real_time_too(sim: Simulator) -> None:
    task = sim.tasks("redis-cart-prod")[0]["id"]
    sim.patch({"task": task, "set": {"finish_after": 0.1}})
    time.sleep(0.15)
    assert sim.tasks("redis-cart-prod")[0]["status"] == "SUCCESS"


def test_one_patch_needs_no_list(sim: Simulator, caller: Caller) -> None:
    patch = {"task": sim.tasks("redis-reports")[0]["id"], "remove": True}
    assert caller.plain("POST", "/_simulator/state/patch", json=patch).status_code == 200
    assert sim.tasks("redis-reports") == []


def test_two_simulators_and_the_client(sim: Simulator) -> None:
    with Simulator("empty") as other:
        assert other.url != sim.url
        client = SimulatorClient(other.url)
        assert client.facts()["project_id"] == other.project_id
        assert client.state()["dcs_instances"] == []
        with pytest.raises(KeyError):
            client.instance("redis-queue-prod")
        client.close()
    other.close()
    with pytest.raises(Exception, match="refused"):
        SimulatorClient(other.url).facts()
