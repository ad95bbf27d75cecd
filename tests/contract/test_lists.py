# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists: limits, offsets, filters, and what each operation refuses."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.caller import Caller, refused
from tests.simulator import Simulator

NAME = "redis-sessions-prod"
PATHS = ("tasks", "centre", "instances")


def _dds(seconds_ago: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(time.time() - seconds_ago))


def _path(caller: Caller, kind: str) -> str:
    return {
        "tasks": caller.tasks_path(),
        "centre": caller.dcs + "/tasks",
        "instances": caller.dcs + "/instances",
        "jobs": caller.dds + "/scheduled-jobs",
        "databases": caller.dds + "/instances",
    }[kind]


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize("value", ["0", "-1", "1001", "x", "", "1.5", "１"])  # noqa: RUF001
def test_dcs_limit(caller: Caller, kind: str, value: str) -> None:
    answer = caller.get(_path(caller, kind), limit=value)
    refused(answer, 400, "DCS.4800")
    assert answer.json()["error_msg"] == "Invalid limit in the request."


@pytest.mark.parametrize("kind", PATHS)
def test_dcs_offset(caller: Caller, kind: str) -> None:
    refused(caller.get(_path(caller, kind), offset=-1), 400, "DCS.4800")
    refused(caller.get(_path(caller, kind), offset="x"), 400, "DCS.4800")
    assert caller.get(_path(caller, kind), offset=999, limit=1000).status_code == 200


@pytest.mark.parametrize(("kind", "size"), [("jobs", 10), ("databases", 100)])
def test_dds_limit_and_offset(caller: Caller, kind: str, size: int) -> None:
    for value in ("0", "101", "x"):
        refused(caller.get(_path(caller, kind), limit=value), 400, "DBS.280439")
    for value in ("-1", "x"):
        refused(caller.get(_path(caller, kind), offset=value), 400, "DBS.280440")


def test_default_limits(sim: Simulator, caller: Caller) -> None:
    sim.reset("fleet:12:11:15")
    first = sim.state()["dcs_instances"][0]["instance_id"]
    tasks = caller.get(f"{caller.dcs}/instances/{first}/tasks").json()
    assert (len(tasks["tasks"]), tasks["task_count"]) == (10, 11)
    assert len(caller.get(caller.dcs + "/tasks").json()["tasks"]) == 10
    instances = caller.get(caller.dcs + "/instances").json()
    assert (len(instances["instances"]), instances["instance_num"]) == (10, 12)
    jobs = caller.get(caller.dds + "/scheduled-jobs").json()
    assert (len(jobs["schedules"]), jobs["total_count"]) == (10, 15)


@pytest.mark.parametrize("size", [1, 7, 100, 1000])
def test_pages_are_complete_and_do_not_overlap(sim: Simulator, caller: Caller, size: int) -> None:
    sim.reset("fleet:3:67")
    path = f"{caller.dcs}/tasks"
    seen: list[str] = []
    while page := caller.get(path, offset=len(seen), limit=size).json()["tasks"]:
        assert len(page) <= size
        seen += [task["id"] for task in page]
    assert sorted(seen) == sorted(task["id"] for task in sim.state()["tasks"])
    assert len(set(seen)) == 201
    # The offset counts records, not pages: 3 starts at the fourth.
    assert [task["id"] for task in caller.get(path, offset=3, limit=2).json()["tasks"]] == seen[3:5]


def test_task_times(sim: Simulator, caller: Caller) -> None:
    task = sim.tasks(NAME)[2]
    second = task["created_at"][:19].translate(str.maketrans("", "", "-:T"))

    def ids(**query: str) -> list[str]:
        return [each["id"] for each in caller.get(caller.tasks_path(), limit=100, **query).json()["tasks"]]

    # Both ends belong to the window, in whole seconds.
    assert ids(start_time=second, end_time=second) == [task["id"]]
    sim.patch({"task": task["id"], "set": {"created_at": task["created_at"][:19] + ".000Z"}})
    assert ids(start_time=second, end_time=second) == [task["id"]]
    assert ids(start_time="20000101000000", end_time="20000102000000") == []
    assert len(ids(start_time="20000101000000")) == 6
    path = caller.tasks_path()
    for value in ("2026", "20261301000000", "2026-01-01T00:00:00Z", "x", ""):
        answer = caller.get(path, start_time=value)
        refused(answer, 400, "DCS.4063")
        assert answer.json()["error_msg"] == "Invalid start_time parameter in the request."
        refused(caller.get(path, end_time=value), 400, "DCS.4063")
    refused(caller.get(path, start_time="20260102000000", end_time="20260101000000"), 400, "DCS.4025")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"redis-sessions-prod", "redis-cart-prod", "redis-cache-staging", "redis-queue-prod", "redis-reports"}),
        ({"name": "PROD"}, {"redis-sessions-prod", "redis-cart-prod", "redis-queue-prod"}),
        ({"name": "redis-cart", "name_equal": "false"}, {"redis-cart-prod"}),
        ({"name": "redis-cart", "name_equal": "true"}, set()),
        ({"name": "redis-cart-prod", "name_equal": "true"}, {"redis-cart-prod"}),
        ({"status": "EXTENDING"}, {"redis-sessions-prod"}),
        ({"status": "FROZEN"}, set()),
        (
            {"status": ""},
            {"redis-sessions-prod", "redis-cart-prod", "redis-cache-staging", "redis-queue-prod", "redis-reports"},
        ),
        ({"tags": "environment=production,team=web"}, {"redis-sessions-prod", "redis-cart-prod"}),
        ({"tags": "environment=staging"}, {"redis-cache-staging"}),
        ({"tags": "team=nobody"}, set()),
        ({"ip": "192.168.0.12"}, {"redis-queue-prod"}),
        ({"capacity": "0.125"}, {"redis-reports"}),
    ],
)
def test_dcs_instance_filters(caller: Caller, query: dict[str, str], names: set[str]) -> None:
    answer = caller.get(caller.dcs + "/instances", limit=100, **query).json()
    assert {each["name"] for each in answer["instances"]} == names
    assert answer["instance_num"] == len(names)


def test_more_dcs_instance_filters(sim: Simulator, caller: Caller) -> None:
    path, queue = caller.dcs + "/instances", sim.instance("redis-queue-prod")["instance_id"]
    for name in ("instance_id", "id"):
        assert [each["name"] for each in caller.get(path, **{name: queue}).json()["instances"]] == ["redis-queue-prod"]
    assert caller.get(path, instance_id="x").json() == {"instance_num": 0, "instances": []}
    for status, flag in (("CREATEFAILED", "include_failure"), ("DELETING", "include_delete")):
        sim.patch({"instance": queue, "set": {"status": status}})
        assert caller.get(path, instance_id=queue).json()["instance_num"] == 0
        assert caller.get(path, **{"instance_id": queue, flag: "true"}).json()["instance_num"] == 1


def test_the_last_week_is_the_default_of_jobs(sim: Simulator, caller: Caller) -> None:
    def count(**query: Any) -> int:
        return int(caller.get(caller.dds + "/scheduled-jobs", limit=100, **query).json()["total_count"])

    assert count() == 5
    assert count(start_time=_dds(9 * 86400)) == 6
    assert count(start_time=_dds(365 * 86400)) == 8
    assert count(end_time=_dds(86400)) == 3
    assert count(start_time=_dds(365 * 86400), end_time=_dds(30 * 86400)) == 2
    assert count(start_time=_dds(365 * 86400), job_status="Pending") == 3
    assert count(start_time=_dds(365 * 86400), job_name="UPGRADE_DATABASE") == 3
    assert count(start_time=_dds(365 * 86400), instance_id=sim.instance("dds-orders-staging")["id"]) == 2
    assert count(job_name="NOTHING") == 0
    # The hour is compared as a moment, whatever the offset says.
    shifted = time.strftime("%Y-%m-%dT%H:%M:%S+0100", time.gmtime(time.time() - 3600 * 0.5))
    assert count(start_time=shifted) == 1


@pytest.mark.parametrize(
    "value",
    ["2026-01-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00", "20260101000000", "2026-01-01T00:00:00+01:00", "x"],
)
def test_job_times_are_strict(caller: Caller, value: str) -> None:
    refused(caller.get(caller.dds + "/scheduled-jobs", start_time=value), 400, "DBS.280067")
    refused(caller.get(caller.dds + "/scheduled-jobs", end_time=value), 400, "DBS.280068")


def test_a_plus_that_is_not_encoded_is_a_space(caller: Caller) -> None:
    """The signature fails as well, so a token signs this request in."""
    path, token = caller.dds + "/scheduled-jobs?start_time=2026-01-01T00:00:00", caller.token()
    assert caller.with_token(token, "GET", path + "%2B0000").status_code == 200
    refused(caller.with_token(token, "GET", path + "+0000"), 400, "DBS.280067")


def test_wrong_job_filters(caller: Caller) -> None:
    path = caller.dds + "/scheduled-jobs"
    refused(caller.get(path, job_status="Cancelled"), 400, "DBS.200001")
    refused(caller.get(path, instance_id="x"), 400, "DBS.280404")
    refused(caller.get(path, start_time=_dds(0), end_time=_dds(9)), 400, "DBS.280409")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["dds-orders-staging", "dds-catalogue-prod", "dds-orders-prod"]),
        ({"name": "dds-orders-prod"}, ["dds-orders-prod"]),
        ({"name": "orders"}, []),
        ({"name": "*orders"}, ["dds-orders-staging", "dds-orders-prod"]),
        ({"mode": "Sharding"}, ["dds-catalogue-prod"]),
        ({"datastore_type": "DDS-Community", "limit": "1"}, ["dds-orders-staging"]),
        ({"datastore_type": "DDS-Enhanced"}, []),
        ({"tags": "environment=production,team=orders"}, ["dds-orders-prod"]),
        ({"vpc_id": "x"}, []),
        ({"subnet_id": "x"}, []),
        ({"offset": "2"}, ["dds-orders-prod"]),
    ],
)
def test_dds_instance_filters(caller: Caller, query: dict[str, str], names: list[str]) -> None:
    assert [each["name"] for each in caller.get(caller.dds + "/instances", **query).json()["instances"]] == names


def test_wrong_dds_instance_filters(sim: Simulator, caller: Caller) -> None:
    path, wanted = caller.dds + "/instances", sim.instance("dds-orders-prod")["id"]
    assert [each["id"] for each in caller.get(path, id=wanted).json()["instances"]] == [wanted]
    refused(caller.get(path, id="x"), 400, "DBS.280404")
    refused(caller.get(path, mode="Cluster"), 400, "DBS.280342")
    refused(caller.get(path, datastore_type="MySQL"), 400, "DBS.280001")
