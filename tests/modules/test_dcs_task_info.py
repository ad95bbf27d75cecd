# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module dcs_task_info: what it lists, in which order, with which filters, and at the cost of which requests."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

SESSIONS = "2f55a1c6-d0bf-a848-7c47-5bdf79903d32"
STAGING = "4e4c7b07-2b76-a671-be2b-de36fd847468"
REPORTS = "ad59471b-33e2-7347-b3b4-bdf5475b037a"
QUEUE = "38945308-842d-9208-3aad-48a495e05759"
WAITING = "24401d1dc583dc828e8e3c005aaad020"

PHASES = {
    "CREATED": "pending",
    "EXECUTING": "running",
    "SUCCESS": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}


def first_project(sim) -> list[dict[str, Any]]:
    """The tasks of the project to which the tests are signed in, newest first."""
    tasks = [task for task in sim.state()["tasks"] if task["project_id"] == sim.project_id]
    return sorted(tasks, key=lambda task: task["created_at"], reverse=True)


def ids(tasks: list[dict[str, Any]]) -> list[str]:
    """The ids of tasks, in order."""
    return [task["id"] for task in tasks]


@pytest.mark.parametrize(
    ("options", "of_instances", "operations"),
    [
        ({"instances": [SESSIONS]}, [SESSIONS], ["ListBackgroundTask"]),
        ({"instances": SESSIONS.upper()}, [SESSIONS], ["ListBackgroundTask"]),
        ({"instance_ids": [SESSIONS, STAGING]}, [SESSIONS, STAGING], ["ListBackgroundTask"] * 2),
        ({"instances": [SESSIONS, SESSIONS]}, [SESSIONS], ["ListBackgroundTask"]),
        ({"instances": "redis-reports"}, [REPORTS], ["ListInstances", "ListBackgroundTask"]),
        (
            {"instances": ["redis-reports", SESSIONS]},
            [REPORTS, SESSIONS],
            ["ListInstances"] + ["ListBackgroundTask"] * 2,
        ),
        (
            {"instances": ["redis-reports", "redis-sessions-prod", "redis-cache-staging"]},
            [REPORTS, SESSIONS, STAGING],
            ["ListInstances"] + ["ListBackgroundTask"] * 3,
        ),
        ({"instances": ["redis-reports", REPORTS]}, [REPORTS], ["ListInstances", "ListBackgroundTask"]),
        ({"instances": [QUEUE]}, [], ["ListBackgroundTask"]),
        ({"instances": "all"}, None, ["ListInstances"] + ["ListBackgroundTask"] * 5),
        ({}, None, ["ListCenterTask"]),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_sources(sim, module, options, of_instances, operations, check_mode):
    result = module("dcs_task_info", check_mode=check_mode, **options)
    expected = [task for task in first_project(sim) if of_instances is None or task["instance_id"] in of_instances]
    assert ids(result["tasks"]) == ids(expected)
    named = [None] * len(expected) if not options else [task["instance_id"] for task in expected]
    assert [task["instance_id"] for task in result["tasks"]] == named
    assert [task["phase"] for task in result["tasks"]] == [PHASES[task["status"]] for task in expected]
    assert result["changed"] is False
    assert sim.operations() == operations
    assert result["requests"] == len(operations)
    assert result["retried"] == []
    assert all(entry["query"].get("limit", ["1000"]) == ["1000"] for entry in sim.journal())


@pytest.mark.parametrize("option", ["instances", "task_ids", "names", "statuses", "phases"])
@pytest.mark.parametrize("source", [{}, {"instances": "all"}, {"instances": ["redis-reports"]}])
def test_an_empty_list_yields_nothing_and_asks_nothing(sim, module, option, source):
    result = module("dcs_task_info", **{**source, option: []})
    assert result["tasks"] == []
    assert result["summary"] == {"total": 0, "by_phase": dict.fromkeys([*PHASES.values(), "unknown"], 0), "by_name": {}}
    assert (result["requests"], sim.operations()) == (0, [])


@pytest.mark.parametrize(
    ("filters", "keeps"),
    [
        ({"names": ["EXTEND"]}, lambda task: task["name"] in ("EXTEND", "ChangeInstanceSpec")),
        ({"names": "ChangeInstanceSpec"}, lambda task: task["name"] in ("EXTEND", "ChangeInstanceSpec")),
        ({"names": ["BindEip", "modify"]}, lambda task: task["name"] in ("BindEip", "modify")),
        ({"names": ["extend"]}, lambda task: task["name"] in ("EXTEND", "ChangeInstanceSpec")),
        ({"names": ["exten"]}, lambda task: False),
        ({"statuses": ["failed", "SUCCESS"]}, lambda task: task["status"] in ("FAILED", "SUCCESS")),
        ({"statuses": "Executing"}, lambda task: task["status"] == "EXECUTING"),
        ({"statuses": ["NO_SUCH_WORD"]}, lambda task: False),
        ({"phases": "pending"}, lambda task: task["status"] == "CREATED"),
        ({"phases": ["running", "cancelled"]}, lambda task: task["status"] in ("EXECUTING", "CANCELLED")),
        ({"phases": ["unknown"]}, lambda task: False),
        ({"task_ids": WAITING}, lambda task: task["id"] == WAITING),
        ({"task_ids": [WAITING, "0" * 32]}, lambda task: task["id"] == WAITING),
        ({"task_ids": ["0" * 32]}, lambda task: False),
        (
            {"names": ["EXTEND"], "phases": ["cancelled"]},
            lambda task: (task["name"], task["status"]) == ("EXTEND", "CANCELLED"),
        ),
        ({"task_ids": [WAITING], "phases": ["failed"]}, lambda task: False),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
@pytest.mark.parametrize("source", [{}, {"instances": "all"}], ids=["centre", "all"])
def test_filters(sim, module, filters, keeps, source):
    result = module("dcs_task_info", **source, **filters)
    expected = [task for task in first_project(sim) if keeps(task)]
    assert ids(result["tasks"]) == ids(expected)
    summary = result["summary"]
    assert summary["total"] == len(expected) == sum(summary["by_phase"].values()) == sum(summary["by_name"].values())
    assert summary["by_name"] == Counter(task["name"] for task in expected)
    assert list(summary["by_name"]) == sorted(summary["by_name"])


def test_the_search_for_ids_ends_when_all_are_found(sim, module):
    instances = ["redis-reports", SESSIONS, STAGING]
    # One after the other, as several at the same time would have left before the answer came.
    result = module("dcs_task_info", instances=instances, task_ids=[WAITING], max_concurrency=1)
    assert ids(result["tasks"]) == [WAITING]
    assert sim.operations() == ["ListInstances"] + ["ListBackgroundTask"] * 2


def test_the_search_for_an_id_ends_on_its_page(sim, module):
    sim.reset("fleet:1:2500")
    newest = sim.tasks("redis-fleet-00000")[0]["id"]
    assert ids(module("dcs_task_info", task_ids=[newest])["tasks"]) == [newest]
    assert sim.operations() == ["ListCenterTask"]


# Times

TIMES = ["2026-01-13T00:00:00.000Z", "2026-01-14T23:59:59.999Z", "2026-01-15T08:30:00.000Z", "2026-01-15T08:30:00.001Z"]


@pytest.fixture
def dated(sim):
    """Four tasks, made at the times of TIMES, on one instance; their ids end in their number."""
    tasks = [{"id": f"{number:032x}", "name": "modify", "created_at": time} for number, time in enumerate(TIMES)]
    sim.reset({"dcs_instances": [{"name": "redis-dated", "tasks": tasks}]})
    return sim


def numbers(result: dict[str, Any]) -> list[int]:
    """Which of the dated tasks were found."""
    return [int(task["id"], 16) for task in result["tasks"]]


SAME_MOMENT = [
    "2026-01-15T08:30:00Z",
    "2026-01-15T08:30:00.000Z",
    "2026-01-15T09:30:00+01:00",
    "2026-01-15T03:30:00-0500",
    "2026-01-15T08:30",
    "2026-01-15 08:30:00",
    "20260115083000",
]


@pytest.mark.parametrize("time_filter", ["both", "none"])
@pytest.mark.parametrize("text", SAME_MOMENT)
def test_start_time(dated, module, text, time_filter):
    dated.switches({"time_filter": time_filter})
    assert numbers(module("dcs_task_info", instances="redis-dated", start_time=text)) == [3, 2]
    assert dated.journal()[-1]["query"]["start_time"] == ["20260115083000"]


@pytest.mark.parametrize("time_filter", ["both", "none"])
@pytest.mark.parametrize("text", SAME_MOMENT)
def test_end_time(dated, module, text, time_filter):
    dated.switches({"time_filter": time_filter})
    assert numbers(module("dcs_task_info", end_time=text)) == [2, 1, 0]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2026-01-14", "2026-01-15", [1]),
        ("2026-01-13", "2026-01-15T08:30:00Z", [2, 1, 0]),
        ("2026-01-15T08:30:00Z", "2026-01-15T08:30:00Z", [2]),
        ("2026-01-16", None, []),
        (None, "2026-01-12", []),
        ("2026-01-15T08:30:00.0005Z", None, [3]),
    ],
)
def test_times_together(dated, module, start, end, found):
    given = {key: value for key, value in (("start_time", start), ("end_time", end)) if value}
    assert numbers(module("dcs_task_info", instances="all", **given)) == found


@pytest.mark.parametrize(
    ("age", "found"), [("7199s", 1), ("119m", 1), ("2h", 1), ("3h", 2), ("1d", 2), ("3d", 3), ("2w", 3), ("5w", 4)]
)
def test_ages(sim, module, age, found):
    agos = ("1h", "7201s", "2d", "20d")
    tasks = [{"id": f"{number:032x}", "name": "modify", "created_ago": ago} for number, ago in enumerate(agos)]
    sim.reset({"dcs_instances": [{"name": "redis-dated", "tasks": tasks}]})
    assert numbers(module("dcs_task_info", start_time=age)) == list(range(found))
    assert numbers(module("dcs_task_info", end_time=age)) == list(range(found, 4))


@pytest.mark.parametrize("option", ["start_time", "end_time"])
@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "2026-01-32", "30", "0d", "-3d", "1y", "", "2026011508300"]
)
def test_what_is_no_time_is_refused_before_anything_is_sent(sim, module, option, text):
    result = module("dcs_task_info", **{option: text})
    assert result["failure"]["code"] == "InvalidOption"
    assert option in result["msg"]
    assert "30d" in result["msg"]
    assert sim.operations() == []


@pytest.mark.parametrize(
    ("start", "end"), [("2026-01-15", "2026-01-14"), ("1h", "2h"), ("2026-01-15T00:00:01Z", "20260115000000")]
)
def test_a_start_after_the_end_is_refused(sim, module, start, end):
    result = module("dcs_task_info", start_time=start, end_time=end)
    assert result["failure"]["code"] == "InvalidOption"
    assert "later" in result["msg"]
    assert sim.operations() == []


def test_a_task_without_a_readable_time_is_kept_and_comes_last(dated, module):
    dated.switches({"time_filter": "none"})
    dated.patch({"task": f"{3:032x}", "set": {"created_at": "soon"}}, {"task": f"{2:032x}", "unset": ["created_at"]})
    assert numbers(module("dcs_task_info", start_time="2026-01-14")) == [1, 2, 3]


# Order


@pytest.mark.parametrize("source", [{}, {"instances": "all"}], ids=["centre", "all"])
def test_the_order_does_not_depend_on_the_service(sim, module, source):
    """Ties of the time are resolved by the id."""
    tasks = [{"id": letter * 32, "name": "modify", "created_at": "2026-01-15T08:30:00.000Z"} for letter in "cafedb"]
    older = {"id": "0" * 32, "name": "modify", "created_at": "2026-01-14T08:30:00.000Z"}
    sim.reset(
        {"dcs_instances": [{"name": "redis-a", "tasks": [older, *tasks[:3]]}, {"name": "redis-b", "tasks": tasks[3:]}]}
    )
    results = []
    for order in ("shuffled", "shuffled", "oldest_first", "newest_first"):
        sim.switches({"list_order": order})
        results.append(module("dcs_task_info", **source)["tasks"])
    assert ids(results[0]) == [letter * 32 for letter in "abcdef0"]
    assert all(each == results[0] for each in results)


# What the API returned


@pytest.mark.parametrize("source", [{}, {"instances": "redis-sessions-prod"}], ids=["centre", "instance"])
def test_nothing_that_the_api_returned_is_dropped(sim, module, source):
    extra = {"new_field": {"nested": [1, None, "é中文"]}, "retry_count": 0, "empty": None, "flag": False}
    details = {"old_capacity": 0.125, "new_capacity": "0.25", "new_cahce_mode": "ha", "more": {"deep": [True]}}
    sim.patch({"task": WAITING, "set": {**extra, "details": details, "user_name": "someone"}})
    task = module("dcs_task_info", task_ids=[WAITING], **source)["tasks"][0]
    assert extra.items() <= task.items()
    assert task["user_name"] == "someone"
    assert task["details"] == {**details, "old_capacity": "0.125"}
    state = next(task for task in sim.state()["tasks"] if task["id"] == WAITING)
    assert task.keys() == (state.keys() - {"project_id"}) | {"instance_id", "phase"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [(16, "16"), (16.0, "16"), (0.125, "0.125"), ("0.125", "0.125"), ("16", "16"), (None, None)],
)
@pytest.mark.parametrize("capacity_type", ["string", "number"])
def test_capacities_are_text(sim, module, given, shown, capacity_type):
    sim.switches({"capacity_type": capacity_type})
    sim.patch({"task": WAITING, "set": {"details": {"old_capacity": given, "new_capacity": given, "new_port": 6379}}})
    task = module("dcs_task_info", task_ids=[WAITING])["tasks"][0]
    assert task["details"] == {"old_capacity": shown, "new_capacity": shown, "new_port": 6379}


def test_details_may_be_null(module):
    result = module("dcs_task_info", instances="redis-reports")
    assert [task["details"] for task in result["tasks"]] == [None]


@pytest.mark.parametrize(
    ("status", "phase"),
    [
        *PHASES.items(),
        ("success", "succeeded"),
        ("RUNNING", "running"),
        ("INIT", "pending"),
        ("WAITING", "pending"),
        ("FAIL", "failed"),
        ("CANCELED", "cancelled"),
        ("DELETED", "cancelled"),
        ("PAUSING_X", "unknown"),
        ("", "unknown"),
    ],
)
def test_phases(sim, module, status, phase):
    sim.patch({"task": WAITING, "set": {"status": status}})
    task = module("dcs_task_info", task_ids=[WAITING])["tasks"][0]
    assert (task["status"], task["phase"]) == (status, phase)
    assert ids(module("dcs_task_info", task_ids=[WAITING], phases=[phase])["tasks"]) == [WAITING]


def test_an_error_code_does_not_make_a_failure(module):
    task = module("dcs_task_info", task_ids=["8f8fc9b624243d1fe5d9598f5cac1b43"])["tasks"][0]
    assert (task["error_code"], task["phase"]) == ("111400063", "succeeded")


def test_a_status_that_is_missing_is_unknown(sim, module):
    sim.patch({"task": WAITING, "unset": ["status", "name", "details"]})
    result = module("dcs_task_info", task_ids=[WAITING])
    assert result["tasks"][0]["phase"] == "unknown"
    assert result["summary"]["by_phase"]["unknown"] == 1


@pytest.mark.parametrize("count", [3, "3"], ids=["number", "text"])
def test_an_empty_page_that_counts_more_is_told(sim, module, count):
    body = {"task_count": count, "tasks": []}
    sim.faults([{"operation": "ListCenterTask", "times": None, "fault": {"status": 200, "body": body}}])
    result = module("dcs_task_info")
    assert result["tasks"] == []
    assert "counts more" in str(result["warnings"])


def test_a_task_that_appears_or_leaves_between_two_pages_loses_none_of_the_others(sim, module):
    sim.reset("fleet:1:1500")
    tasks = ids(sim.tasks("redis-fleet-00000"))
    sim.events([{"after": "ListCenterTask", "do": [{"task": tasks[0], "remove": True}]}])
    result = module("dcs_task_info")
    assert set(tasks[1:]) <= set(ids(result["tasks"]))
    sim.reset("fleet:1:1500")
    new = {"name": "modify", "status": "SUCCESS"}
    instance = sim.instance("redis-fleet-00000")["instance_id"]
    sim.events([{"after": "ListCenterTask", "do": [{"task": "9" * 32, "instance": instance, "add": new}]}])
    result = module("dcs_task_info")
    assert set(tasks) <= set(ids(result["tasks"]))
    assert len(ids(result["tasks"])) == len(set(ids(result["tasks"])))


# Instances by name


@pytest.mark.parametrize("names", [["redis-session"], ["redis-session", "redis-reports"]])
def test_a_part_of_a_name_is_no_name(sim, module, names):
    result = module("dcs_task_info", instances=names)
    assert result["failure"]["code"] == "NotFound"
    assert "redis-session " in result["msg"]
    assert sim.operations() == ["ListInstances"]


@pytest.mark.parametrize("names", [["redis-twin"], ["redis-other", "redis-twin"]])
def test_a_name_of_two_instances_is_ambiguous(sim, module, names):
    twins = [f"{number:08d}-0000-4000-8000-000000000000" for number in (1, 2)]
    instances = [{"name": "redis-twin", "instance_id": twin} for twin in twins]
    sim.reset({"dcs_instances": [*instances, {"name": "redis-other"}]})
    result = module("dcs_task_info", instances=names)
    assert result["failure"]["code"] == "Ambiguous"
    assert all(twin in result["msg"] for twin in twins)


@pytest.mark.parametrize("names", [["redis-sandbox"], ["redis-sandbox", "redis-reports"]])
def test_another_project_is_out_of_sight(module, names):
    assert module("dcs_task_info", instances=names)["failure"]["code"] == "NotFound"
