# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small decisions of modules that no other test needs to notice: each was once changed in one word, and all tests passed."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs
from tests.conftest import signed_in
from tests.harness.modules import run_module
from tests.harness.profiles import cloud_entry
from tests.unit.loopback import Loopback, answer

LIST, CANCEL = "ListBackgroundTask", "CancelInstanceResize"


# --- Several pages of each of many instances -----------------------------------------------------------------------------

#: Each page but the first begins with the last record of the one before: three for six.
INSTANCES, TASKS, PAGE = 6, 6, 3
#: Requests for the first pages, and for the others.
FIRST, OTHERS = INSTANCES, INSTANCES * 2


@pytest.fixture
def fleet(sim, monkeypatch) -> list[str]:
    """Instances with three pages of tasks each; their ids, in the order in which they are listed."""
    sim.reset(f"fleet:{INSTANCES}:{TASKS}")
    monkeypatch.setattr(Dcs, "page_size", PAGE)
    return [instance["instance_id"] for instance in sim.state()["dcs_instances"]]


def listed(sim, fleet, concurrency: int, **options: Any) -> dict[str, Any]:
    """What C(dcs_task_info) returns for these instances."""
    return run_module(
        "dcs_task_info",
        {**signed_in(sim), "instances": fleet, "max_concurrency": concurrency, "retries": 0, **options},
    )


@pytest.mark.parametrize("concurrency", [1, 8])
def test_all_pages_of_all_instances(sim, fleet, concurrency):
    result = listed(sim, fleet, concurrency)
    assert not result.get("failed"), result
    assert sorted(task["id"] for task in result["tasks"]) == sorted(task["id"] for task in sim.state()["tasks"])
    assert {instance: sum(task["instance_id"] == instance for task in result["tasks"]) for instance in fleet} == (
        dict.fromkeys(fleet, TASKS)
    )
    assert sim.operations().count(LIST) == FIRST + OTHERS


def test_what_stops_all_stops_the_other_pages_too(sim, fleet):
    """A missing permission at the second page of the first instance: no more is asked, and all others are named."""
    sim.faults([{"operation": LIST, "skip": FIRST, "fault": {"status": 403, "body": {}}}])
    result = listed(sim, fleet, 1)
    assert result["failed"]
    assert sim.operations().count(LIST) == FIRST + 1
    assert [failed["instance_id"] for failed in result["failed_instances"]] == fleet[:1]
    assert result["not_listed"] == fleet[1:]
    assert result["tasks"] == []


def test_what_was_read_whole_before_is_kept(sim, fleet):
    """The same two instances later: what is complete by then is listed."""
    sim.faults([{"operation": LIST, "skip": FIRST + 4, "fault": {"status": 403, "body": {}}}])
    result = listed(sim, fleet, 1)
    assert result["failed"]
    assert sim.operations().count(LIST) == FIRST + 5
    assert [failed["instance_id"] for failed in result["failed_instances"]] == fleet[2:3]
    told = {task["instance_id"] for task in result["tasks"]} | {*result["not_listed"], fleet[2]}
    assert told == set(fleet)
    assert set(result["not_listed"]) >= set(fleet[3:])


@pytest.mark.parametrize("concurrency", [1, 8])
def test_several_pages_that_fail_are_one_failure(sim, fleet, concurrency):
    """Both further pages of one instance fail, and C(max_failures) is two: all other instances are listed."""
    fault = {"status": 400, "body": {"error_code": "DCS.4800", "error_msg": "Invalid offset in the request."}}
    sim.faults([{"operation": LIST, "path": fleet[0], "skip": 1, "times": None, "fault": fault}])
    result = listed(sim, fleet, concurrency, max_failures=2)
    assert result["failed"]
    assert [failed["instance_id"] for failed in result["failed_instances"]] == fleet[:1]
    assert result["not_listed"] == []
    assert {task["instance_id"] for task in result["tasks"]} == set(fleet[1:])
    assert len(result["tasks"]) == (INSTANCES - 1) * TASKS


# --- What is said of a failure -------------------------------------------------------------------------------------------


def test_unfinished_tasks_may_have_ended_later(sim, module):
    """Nothing was removed, and the task may be run again."""
    waiting = next(task for task in sim.tasks("redis-sessions-prod") if task["status"] == "CREATED")
    result = module("dcs_task", instance=waiting["instance_id"], task_ids=[waiting["id"]], state="absent")
    assert result["failed"]
    assert (result["failure"]["code"], result["failure"]["retryable"]) == ("DCS.4957", True)
    assert result["changed"] is False
    assert "DeleteBackgroundTask" not in sim.operations()


# --- What is sent --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dcs_task_info", "dds_scheduled_job_info"])
def test_the_project_is_named_in_a_header(sim, name):
    """As the official SDK does, for access keys that may act in several projects."""
    with Loopback(answer(200, b'{"tasks": [], "schedules": [], "task_count": 0, "total_count": 0}')) as server:
        endpoints = dict.fromkeys(("dcs", "dds", "iam"), server.url)
        result = run_module(name, {**signed_in(sim), "endpoints": endpoints})
    assert not result.get("failed"), result
    (seen,) = server.seen
    assert seen.fields["x-project-id"] == sim.project_id
    assert "x-project-id" in seen.fields["authorization"]


# --- Credentials ---------------------------------------------------------------------------------------------------------


def test_entry_of_clouds_yaml_by_the_option_cloud(task):
    """C(auth_method: clouds_yaml) with C(cloud: ENTRY), as it is documented; another entry is wrong."""
    right = {"username": task.sim.username, "password": task.sim.password, "domain_name": task.sim.domain_name}
    entries = {"mine": cloud_entry(right), "other": cloud_entry({**right, "password": "wrong-password-1"})}
    task.home.clouds(entries)
    result = task.run(auth_method="clouds_yaml", cloud="mine")
    assert not result.get("failed"), result
    assert task.run(auth_method="clouds_yaml", cloud="other")["failure"]["http_status"] == 401
    # Without the method too, as long as nothing else signs in.
    assert not task.run(cloud="mine").get("failed")


# --- A spec change that is replaced again and again ------------------------------------------------------------------------

INSTANCE = "5560df16-cebf-4473-95c4-d1b573c16e79"


def spec_changes(number: int, last: str) -> dict[str, Any]:
    """A list of so many spec changes, all but the last of which were cancelled."""
    tasks = [
        {
            "id": f"{one:032x}",
            "name": "EXTEND",
            "status": "CANCELLED" if one < number else last,
            "created_at": f"2026-01-0{one}T00:00:00.000Z",
            "details": {},
        }
        for one in range(1, number + 1)
    ]
    return {"task_count": number, "tasks": tasks}


@pytest.mark.parametrize(("replaced", "code"), [(2, None), (3, "Ambiguous")])
def test_spec_change_that_is_replaced(sim, module, replaced, code):
    """Each cancellation is refused, as another user has put a new one in its place: three are followed, no more."""
    refusal = {"status": 400, "body": {"error_code": "DCS.4239", "error_msg": "The instance status is not extending."}}
    rules = []
    for number in range(1, replaced + 2):
        pages = (spec_changes(number, "CREATED"), {"task_count": number, "tasks": []})
        rules += [{"operation": LIST, "fault": {"status": 200, "body": page}} for page in pages]
        done = {"status": 200, "body": {"result": "success"}}
        rules.append({"operation": CANCEL, "fault": refusal if number <= replaced else done})
    rules.append({"operation": LIST, "fault": {"status": 200, "body": spec_changes(replaced + 1, "CANCELLED")}})
    sim.faults(rules)
    result = module("dcs_resize_cancel", instance=INSTANCE)
    assert sim.operations().count(CANCEL) == 3
    if code is None:
        assert not result.get("failed"), result
        assert (result["changed"], result["task"]["id"]) == (True, f"{3:032x}")
    else:
        assert (result["failed"], result["changed"], result["failure"]["code"]) == (True, False, code)
        assert "replaced by another one 3 times" in result["msg"]


# --- Bulk removal ----------------------------------------------------------------------------------------------------------

#: What the service says where an instance is gone.
NO_INSTANCE = {"status": 404, "body": {"error_code": "DCS.3022", "error_msg": "This DCS instance does not exist."}}


def removal(sim, fleet, **options: Any) -> dict[str, Any]:
    """What C(dcs_task) returns that removes one record of each of these instances, one after the other."""
    wanted = {"phases": ["succeeded", "failed", "cancelled"], "keep_last": TASKS - 1, "state": "absent"}
    common = {**signed_in(sim), "max_concurrency": 1, "retries": 0}
    return run_module("dcs_task", {**common, "instances": fleet, **wanted, **options})


def test_an_instance_that_is_gone_does_not_keep_the_others(sim, fleet):
    """Of several, one was deleted after it was listed."""
    sim.faults([{"operation": "DeleteBackgroundTask", "path": fleet[0], "times": None, "fault": NO_INSTANCE}])
    result = removal(sim, fleet)
    assert result["failed"]
    assert len(result["removed"]) == INSTANCES - 1
    assert len(result["failed_tasks"]) == 1
    assert result["not_tried"] == []


@pytest.mark.parametrize(("most", "removed"), [(1, 0), (2, 0), (3, INSTANCES - 2), (None, INSTANCES - 2)])
def test_instances_that_cannot_be_listed_count_as_failures(sim, fleet, most, removed):
    """One cannot be listed, and the first record cannot be removed: the second failure of the task."""
    refusal = {"status": 400, "body": {"error_code": "DCS.4800", "error_msg": "Invalid offset in the request."}}
    sim.faults(
        [
            {"operation": LIST, "path": fleet[0], "times": None, "fault": refusal},
            {"operation": "DeleteBackgroundTask", "times": 1, "fault": refusal},
        ]
    )
    result = removal(sim, fleet, max_failures=most)
    assert result["failed"]
    assert len(result["removed"]) == removed


@pytest.mark.parametrize("state", ["absent", "finished"])
@pytest.mark.parametrize("where", [{"instance": INSTANCE}, {}], ids=["instance", "centre"])
def test_a_single_listing_that_fails_is_the_failure(sim, module, state, where):
    """In its own words, and without a count of instances."""
    refusal = {"status": 400, "body": {"error_code": "DCS.4800", "error_msg": "Invalid offset in the request."}}
    sim.faults([{"service": "dcs", "times": None, "fault": refusal}])
    result = module("dcs_task", task_ids=["8abf6e1e72c12e7c0172c15b508500aa"], state=state, **where)
    assert result["failed"]
    operation = LIST if where else "ListCenterTask"
    assert result["msg"].startswith(
        f"{operation} failed with HTTP 400 and code DCS.4800: Invalid offset in the request."
    )
    assert (result["changed"], result["failure"]["code"]) == (False, "DCS.4800")


def test_a_running_spec_change_is_named_where_nothing_was_called_off(sim, module):
    """The one that was meant has been cancelled before, but another one runs."""
    body = spec_changes(2, "EXECUTING")
    pages = [{"operation": LIST, "fault": {"status": 200, "body": page}} for page in (body, {"tasks": []})]
    sim.faults(pages)
    result = module("dcs_resize_cancel", instance=INSTANCE, task_id=f"{1:032x}")
    assert not result.get("failed"), result
    assert result["changed"] is False
    assert any(
        warning.startswith("Nothing was called off, but other tasks of this instance have not ended: ")
        and f"{2:032x}" in warning
        for warning in result["warnings"]
    )


# --- Listings ----------------------------------------------------------------------------------------------------------------


def test_no_more_instances_are_listed_than_results_are_wanted(sim, fleet):
    """One after the other: two instances have more than are wanted."""
    result = listed(sim, fleet, 1, max_results=TASKS + 1)
    assert not result.get("failed"), result
    assert (len(result["tasks"]), result["truncated"]) == (TASKS + 1, True)
    assert {entry["path"].split("/")[4] for entry in sim.journal("dcs") if entry["operation"] == LIST} == set(fleet[:2])
    assert result["not_listed"] == fleet[2:]


def test_what_was_found_elsewhere_is_no_failure(sim, fleet):
    """All ids that were given are listed, so it does not matter what an instance that cannot be listed has."""
    refusal = {"status": 400, "body": {"error_code": "DCS.4800", "error_msg": "Invalid offset in the request."}}
    sim.faults([{"operation": LIST, "path": fleet[0], "times": None, "fault": refusal}])
    wanted = next(task["id"] for task in sim.state()["tasks"] if task["instance_id"] == fleet[1])
    result = listed(sim, fleet[:2], 1, task_ids=[wanted])
    assert not result.get("failed"), result
    assert [task["id"] for task in result["tasks"]] == [wanted]
    assert (result["failed_instances"], result["not_listed"]) == ([], [])


@pytest.mark.parametrize(
    ("name", "operation", "limit"),
    [
        ("dds_scheduled_job_info", "ListScheduledTasks", "100"),
        ("dds_instance_info", "ListInstances", "100"),
        ("dcs_instance_info", "ListInstances", "1000"),
        ("dcs_task_info", "ListCenterTask", "1000"),
    ],
)
def test_pages_are_as_long_as_the_service_allows(sim, module, name, operation, limit):
    """The documents' own limits: a longer one is refused, a shorter one costs requests."""
    assert not module(name).get("failed")
    assert {tuple(entry["query"]["limit"]) for entry in sim.journal() if entry["operation"] == operation} == {(limit,)}


# --- A cancellation whose answer is lost ---------------------------------------------------------------------------------------


def test_what_the_listing_shows_after_a_lost_answer_is_returned(sim, module):
    """The task as it is then, not as it was before."""
    waiting, over = spec_changes(1, "CREATED"), spec_changes(1, "CANCELLED")
    over["tasks"][0]["updated_at"] = "2026-01-02T00:00:00.000Z"
    pages = [waiting, {"task_count": 1, "tasks": []}, over, {"task_count": 1, "tasks": []}]
    rules: list[dict[str, Any]] = [{"operation": LIST, "fault": {"status": 200, "body": page}} for page in pages]
    sim.faults([*rules, {"operation": CANCEL, "times": None, "fault": "drop_before"}])
    result = module("dcs_resize_cancel", instance=INSTANCE, retries=0)
    assert not result.get("failed"), result
    assert (result["changed"], result["presumed"]) == (True, [f"{1:032x}"])
    assert result["task"]["updated_at"] == "2026-01-02T00:00:00.000Z"


@pytest.mark.parametrize("gone", [False, True])
def test_another_spec_change_behind_the_first_page_is_called_off_too(sim, module, monkeypatch, gone):
    """The one that was meant ends while its cancellation is refused; another one waits, on a page not needed for that."""
    monkeypatch.setattr(Dcs, "page_size", 1)
    first, second = ({**task, "status": "CREATED"} for task in spec_changes(2, "CREATED")["tasks"])

    def page(*tasks: dict[str, Any], count: int = 2) -> dict[str, Any]:
        return {"operation": LIST, "fault": {"status": 200, "body": {"task_count": count, "tasks": list(tasks)}}}

    refusal = {"status": 400, "body": {"error_code": "DCS.4239", "error_msg": "The instance status is not extending."}}
    ended = page({**first, "status": "CANCELLED"})
    only_second = [page(second, count=1), page(count=1)]
    sim.faults(
        [
            *(page(first, count=1), page(count=1)),
            {"operation": CANCEL, "fault": refusal},
            # Another look, which is complete; one until the task was seen, or two that lack it; and all once more.
            *(page(first), page(second), page()),
            *([*only_second, *only_second, *only_second] if gone else [ended, ended, page(second), page()]),
            {"operation": CANCEL, "fault": {"status": 200, "body": {"result": "success"}}},
            page({**second, "status": "CANCELLED"}),
        ]
    )
    result = module("dcs_resize_cancel", instance=INSTANCE)
    assert not result.get("failed"), result
    assert (result["changed"], result["task"]["id"]) == (True, second["id"])


def test_an_effect_is_looked_for_no_longer_than_wait_timeout(sim, module, monkeypatch):
    """After a lost answer, although more time might show more."""
    resize = "ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_resize"
    monkeypatch.setattr(f"{resize}.DOUBT", 60)
    waiting = next(task for task in sim.tasks("redis-sessions-prod") if task["status"] == "CREATED")
    sim.faults([{"operation": CANCEL, "times": None, "fault": "drop_before"}])
    start = time.monotonic()
    result = module("dcs_resize_cancel", instance=waiting["instance_id"], retries=0, wait_timeout=1, wait_interval=1)
    assert time.monotonic() - start < 30
    assert (result["failed"], result["failure"]["code"]) == (True, "OutcomeUnknown")


# --- Which failures stop a removal, and what is said of it -----------------------------------------------------------------------


def test_what_would_stop_each_removal_stops_before_the_first(sim, fleet):
    """The empty page that ends the last listing is refused for want of a permission: nothing is removed."""
    sim.faults([{"operation": LIST, "path": fleet[-1], "skip": 3, "times": None, "fault": {"status": 403, "body": {}}}])
    result = removal(sim, fleet)
    assert result["failed"]
    assert "DeleteBackgroundTask" not in sim.operations()
    assert (result["changed"], result["removed"], len(result["not_tried"])) == (False, [], INSTANCES - 1)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_difference_names_the_instances_where_there_are_several(sim, fleet, count):
    result = removal(sim, fleet[:count])
    assert not result.get("failed"), result
    before = result["diff"]["before"]["tasks"]
    assert len(before) == count
    assert [task.get("instance_id") for task in before] == (
        [None] if count == 1 else [task["instance_id"] for task in result["tasks"]]
    )


@pytest.mark.parametrize(
    ("where", "state", "operation"),
    [
        ({"instance": INSTANCE}, "finished", LIST),
        ({}, "finished", "ListCenterTask"),
        ({"instance": INSTANCE}, "absent", "DeleteBackgroundTask"),
        ({}, "absent", "DeleteCenterTask"),
    ],
)
def test_the_operation_is_named_where_the_list_says_no(sim, module, where, state, operation):
    """A task that has failed was waited for; one that has not ended was to be removed."""
    body = spec_changes(1, "FAILED" if state == "finished" else "EXECUTING")
    sim.faults(
        [
            {"operation": name, "times": None, "fault": {"status": 200, "body": body}}
            for name in (LIST, "ListCenterTask")
        ]
    )
    result = module("dcs_task", task_ids=[f"{1:032x}"], state=state, **where)
    assert result["failed"]
    assert result["failure"]["code"] == ("EndedBadly" if state == "finished" else "DCS.4957")
    assert result["failure"]["operation"] == operation


def test_a_success_that_comes_after_a_stop_does_not_end_it(sim, fleet):
    """The second instance stops all while the third is under way: the other pages of the first are not asked for."""
    one = {"status": 200, "body": {"task_count": 1, "tasks": spec_changes(1, "SUCCESS")["tasks"]}, "delay": 1}
    sim.faults(
        [
            {"operation": LIST, "path": fleet[1], "times": None, "fault": {"status": 403, "body": {}}},
            {"operation": LIST, "path": fleet[2], "times": None, "fault": one},
        ]
    )
    result = listed(sim, fleet[:3], 2)
    assert result["failed"]
    assert sim.operations().count(LIST) == 3
    assert [failed["instance_id"] for failed in result["failed_instances"]] == fleet[1:2]
    assert result["not_listed"] == fleet[:1]
    assert {task["instance_id"] for task in result["tasks"]} == {fleet[2]}


@pytest.mark.parametrize(
    ("names", "code", "hint"),
    [
        (["nowhere"], "NotFound", "Check the names, the region and the project."),
        (["twice"], "Ambiguous", "Give the instances' ids."),
        (["nowhere", "twice"], "NotFound", "Check the names, the region and the project."),
    ],
)
def test_hint_about_names(sim, module, names, code, hint):
    """Of names that fit no instance, and of one that fits two."""
    ids = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
    body = {"instance_num": 2, "instances": [{"instance_id": id_, "name": "twice"} for id_ in ids]}
    end = {"status": 200, "body": {**body, "instances": []}}
    sim.faults(
        [
            {"operation": "ListInstances", "fault": {"status": 200, "body": body}},
            {"operation": "ListInstances", "times": None, "fault": end},
        ]
    )
    result = module("dcs_task_info", instances=names)
    assert result["failed"]
    assert (result["failure"]["code"], result["failure"]["hint"]) == (code, hint)
    assert result["failure"]["operation"] == "ListInstances"
