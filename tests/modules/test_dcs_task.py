# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module dcs_task: what it removes, what it refuses, how it waits, and what it says when something goes wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.harness.listings import to_the_end

WAITING, DONE, FAILED, CANCELLED, RUNNING, STRANGE = (letter * 32 for letter in "123456")
GONE = "f" * 32
REDIS = "11111111-1111-4111-8111-111111111111"

SCENE: dict[str, Any] = {
    "dcs_instances": [
        {
            "name": "redis-a",
            "instance_id": REDIS,
            "tasks": [
                {"id": WAITING, "name": "EXTEND", "status": "CREATED", "created_ago": "1h"},
                {"id": DONE, "name": "AddWhitelist", "status": "SUCCESS", "created_ago": "2d"},
                {"id": FAILED, "name": "UpdatePort", "status": "FAILED", "created_ago": "3d"},
                {"id": CANCELLED, "name": "EXTEND", "status": "CANCELLED", "created_ago": "4d"},
                {"id": RUNNING, "name": "dcsExportJob", "status": "EXECUTING", "created_ago": "1m"},
                {"id": STRANGE, "name": "modify", "status": "PAUSING_X", "created_ago": "2m"},
            ],
        }
    ],
    "users": [
        {"name": "operator"},
        {"name": "auditor", "denied": ["dcs:instance:deleteBackgroundTask", "dcs:task:delete"]},
    ],
}

#: The same through an instance and through the task centre: options, and the operations that read and that write.
BY_INSTANCE = ({"instance": REDIS}, "ListBackgroundTask", "DeleteBackgroundTask")
THROUGH_CENTRE: tuple[dict[str, Any], str, str] = ({}, "ListCenterTask", "DeleteCenterTask")
both_ways = pytest.mark.parametrize(
    ("where", "reads", "deletes"), [BY_INSTANCE, THROUGH_CENTRE], ids=["instance", "centre"]
)

INSTANCE_KEYS = {"failed_instances", "not_listed"}
ABSENT_KEYS = {"tasks", "removed", "presumed", "absent", "failed_tasks", "not_tried"} | INSTANCE_KEYS
FINISHED_KEYS = {"tasks", "absent", "unfinished", "waited", "progress"} | INSTANCE_KEYS
BASIC_KEYS = {"changed", "diff", "requests", "retried"}
#: Where a test says which requests were sent, and what was not tried, one request leaves after the other.
IN_TURN = {"max_concurrency": 1}
FAILURE_KEYS = {"code", "http_status", "request_id", "service", "operation", "retryable", "hint"}


@pytest.fixture
def scene(sim):
    """The simulator with one instance that has a task in every phase."""
    sim.reset(SCENE)
    return sim


def remaining(sim) -> set[str]:
    """The ids of the tasks that are there."""
    return {task["id"] for task in sim.state()["tasks"]}


def pages_of_one_listing(*bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """Faults that answer one listing of an instance so, with an empty page at its end."""
    return [
        {"operation": "ListBackgroundTask", "fault": {"status": 200, "body": body}} for body in (*bodies, {"tasks": []})
    ]


def told(result: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without what it cost."""
    return {key: value for key, value in result.items() if key not in ("requests", "retried", "waited", "progress")}


def seen(result: dict[str, Any]) -> list[str]:
    """The lines of progress without the time, which depends on the machine."""
    lines = [re.fullmatch(r"after \d+ s: (.+)", line) for line in result["progress"]]
    assert all(lines), result["progress"]
    return [line.group(1) for line in lines if line]


# Removing records


@both_ways
def test_first_run_changes_second_does_not_and_check_mode_predicts(scene, module, where, reads, deletes):
    wanted = [CANCELLED, GONE, DONE]
    options = {**where, "task_ids": wanted, "state": "absent"}
    before = scene.state()
    predicted = module("dcs_task", check_mode=True, **options)
    # One id is never listed.
    assert scene.operations() == to_the_end(reads)
    assert scene.state() == before
    first = module("dcs_task", **options)
    assert scene.operations()[2:] == [*to_the_end(reads), deletes, deletes]
    assert told(predicted) == told(first)
    assert (predicted["requests"], first["requests"]) == (2, 4)
    assert remaining(scene) == {WAITING, FAILED, RUNNING, STRANGE}
    assert first.keys() == ABSENT_KEYS | BASIC_KEYS
    assert first["changed"] is True
    assert (first["removed"], first["absent"]) == ([CANCELLED, DONE], [GONE])
    assert (first["failed_tasks"], first["not_tried"]) == ([], [])
    assert [task["id"] for task in first["tasks"]] == [CANCELLED, DONE]
    assert {task["instance_id"] for task in first["tasks"]} == {where.get("instance")}
    assert first["diff"] == {
        "before": {
            "tasks": [
                {"id": CANCELLED, "name": "EXTEND", "status": "CANCELLED"},
                {"id": DONE, "name": "AddWhitelist", "status": "SUCCESS"},
            ]
        },
        "after": {"tasks": []},
    }
    checked, second = (module("dcs_task", check_mode=check_mode, **options) for check_mode in (True, False))
    assert told(checked) == told(second)
    assert (second["changed"], second["removed"], second["absent"]) == (False, [], wanted)
    assert second["diff"] == {"before": {"tasks": []}, "after": {"tasks": []}}
    assert second.keys() == first.keys()
    assert scene.operations()[6:] == to_the_end(reads) * 2


@pytest.mark.parametrize(
    ("options", "operations"),
    [
        ({"instance": "redis-a", "task_ids": [DONE]}, ["ListInstances", "ListBackgroundTask", "DeleteBackgroundTask"]),
        ({"instance_id": REDIS.upper(), "task_id": DONE}, ["ListBackgroundTask", "DeleteBackgroundTask"]),
        ({"instance": REDIS, "task_ids": f"{DONE},{DONE}"}, ["ListBackgroundTask", "DeleteBackgroundTask"]),
        ({"task_id": [DONE, DONE]}, ["ListCenterTask", "DeleteCenterTask"]),
    ],
)
def test_forms_of_the_input(scene, module, options, operations):
    result = module("dcs_task", state="absent", **options)
    assert (result["changed"], result["removed"]) == (True, [DONE])
    assert scene.operations() == operations
    assert DONE not in remaining(scene)


@pytest.mark.parametrize("state", ["absent", "finished"])
@pytest.mark.parametrize("where", [{"instance": "redis-a"}, {"instance": REDIS}, {}])
@pytest.mark.parametrize("check_mode", [False, True])
def test_no_ids_no_work(scene, module, state, where, check_mode):
    result = module("dcs_task", check_mode=check_mode, task_ids=[], state=state, **where)
    assert (result["changed"], result["tasks"], result["absent"]) == (False, [], [])
    assert result.keys() == (ABSENT_KEYS if state == "absent" else FINISHED_KEYS) | BASIC_KEYS
    assert scene.operations() == []


@both_ways
@pytest.mark.parametrize("unfinished", [WAITING, RUNNING, STRANGE])
@pytest.mark.parametrize("check_mode", [False, True])
def test_an_unfinished_task_is_refused_before_anything_is_removed(
    scene, module, where, reads, deletes, unfinished, check_mode
):
    before = scene.state()
    wanted = [DONE, GONE, unfinished, FAILED]
    result = module("dcs_task", check_mode=check_mode, task_ids=wanted, state="absent", **where)
    assert result["failed"]
    assert result["failure"]["code"] == "DCS.4957"
    assert "state=finished" in result["failure"]["hint"]
    assert unfinished in result["msg"]
    assert DONE not in result["msg"]
    assert (result["changed"], result["removed"], result["failed_tasks"]) == (False, [], [])
    assert (result["not_tried"], result["absent"]) == ([DONE, unfinished, FAILED], [GONE])
    assert result.keys() == ABSENT_KEYS | BASIC_KEYS | {"failed", "msg", "failure"}
    assert scene.operations() == to_the_end(reads)
    assert scene.state() == before


@pytest.mark.parametrize("change", [{"remove": True}, {"to": '""'}, {"to": "null"}], ids=str)
def test_of_a_task_without_a_status_that_is_named_by_its_id_the_service_decides(scene, module, change):
    edit = [{"at": ["tasks", "*", "status"], **change}]
    scene.faults([{"operation": "ListBackgroundTask", "times": None, "fault": {"edit": edit}}])
    predicted = module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent", check_mode=True)
    result = module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent")
    assert predicted["removed"] == result["removed"] == [DONE]
    assert DONE not in remaining(scene)


def test_a_task_without_a_status_that_the_service_does_not_remove(scene, module):
    scene.patch({"task": RUNNING, "unset": ["status"]})
    refused = {"status": 400, "body": {"error_code": "DCS.4957", "error_msg": "Not in this state."}}
    scene.faults([{"operation": "DeleteBackgroundTask", "fault": refused}])
    result = module("dcs_task", instance=REDIS, task_ids=[RUNNING], state="absent")
    assert (result["failed"], result["changed"], result["failure"]["code"]) == (True, False, "DCS.4957")
    assert RUNNING in remaining(scene)


def test_a_task_whose_status_stands_beside_the_list(scene, module):
    """The oldest page shows so the answer of an instance with one task (C4)."""
    record = {"id": DONE, "name": "ChangeInstanceSpec", "details": {"old_capacity": 0.125, "new_capacity": 0.25}}
    times = {"created_at": "2020-06-17T08:18:06.597Z", "updated_at": "2020-06-17T08:18:10.106Z"}
    page = {"task_count": 1, "tasks": [record], "status": "SUCCESS", **times}
    scene.faults([{"operation": "ListBackgroundTask", "fault": {"status": 200, "body": page}}])
    (listed,) = module("dcs_task_info", instances=REDIS)["tasks"]
    assert (listed["status"], listed["phase"]) == ("SUCCESS", "succeeded")
    assert {key: listed[key] for key in times} == times
    scene.faults(pages_of_one_listing(page))
    assert module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent")["removed"] == [DONE]
    scene.faults(pages_of_one_listing(page))
    # It has been carried out, so nothing is sent to call it off.
    cancelled = module("dcs_resize_cancel", instance=REDIS, task_id=DONE)
    assert cancelled["failure"]["code"] == "TooLate"
    assert "CancelInstanceResize" not in scene.operations()


def test_of_several_tasks_none_has_the_status_that_stands_beside_the_list(scene, module):
    page = {"task_count": 2, "tasks": [{"id": DONE}, {"id": FAILED}], "status": "SUCCESS"}
    scene.faults(pages_of_one_listing(page))
    assert {task["phase"] for task in module("dcs_task_info", instances=REDIS)["tasks"]} == {"unknown"}


def test_a_status_of_the_task_itself_comes_first(scene, module):
    page = {"task_count": 1, "tasks": [{"id": DONE, "created_at": "2020-06-17T08:18:06.597Z"}], "status": "SUCCESS"}
    scene.faults(pages_of_one_listing(page))
    (task,) = module("dcs_task_info", instances=REDIS)["tasks"]
    assert (task["phase"], "status" in task) == ("unknown", False)


def test_a_task_without_a_status_is_unfinished_in_a_selection(scene, module):
    scene.patch({"task": DONE, "unset": ["status"]})
    result = module("dcs_task", instances=REDIS, phases=["unknown"], state="absent")
    assert result["failure"]["code"] == "DCS.4957"
    assert result["failure"]["operation"] == "DeleteBackgroundTask"
    assert DONE in remaining(scene)


@both_ways
@pytest.mark.parametrize("unknown_id_status", [404, 400])
def test_a_task_that_vanishes_between_list_and_delete(scene, module, where, reads, deletes, unknown_id_status):
    scene.switches({"unknown_id_status": unknown_id_status})
    scene.events([{"before": deletes, "do": [{"task": DONE, "remove": True}]}])
    result = module("dcs_task", task_ids=[DONE], state="absent", **where)
    assert not result.get("failed")
    assert (result["changed"], result["removed"], result["absent"]) == (False, [], [DONE])
    assert result["diff"] == {"before": {"tasks": []}, "after": {"tasks": []}}
    # What one listing lacks is looked for in a second one.
    assert scene.operations() == [reads, deletes, *to_the_end(reads) * 2]


@pytest.mark.parametrize("unknown_id_status", [404, 400])
def test_the_others_are_removed_when_one_vanishes(scene, module, unknown_id_status):
    scene.switches({"unknown_id_status": unknown_id_status})
    scene.events([{"after": "DeleteBackgroundTask", "do": [{"task": FAILED, "remove": True}]}])
    result = module("dcs_task", instance=REDIS, task_ids=[DONE, FAILED, CANCELLED], state="absent", **IN_TURN)
    assert (result["changed"], result["removed"], result["absent"]) == (True, [DONE, CANCELLED], [FAILED])
    assert [task["id"] for task in result["diff"]["before"]["tasks"]] == [DONE, CANCELLED]


def test_an_instance_that_vanishes_between_list_and_delete_is_a_failure(scene, module):
    scene.events([{"before": "DeleteBackgroundTask", "do": [{"instance": REDIS, "remove": True}]}])
    result = module("dcs_task", instance=REDIS, task_ids=[DONE, FAILED], state="absent", **IN_TURN)
    assert result["failure"]["code"] == "DCS.3022"
    assert (result["changed"], result["removed"], result["not_tried"]) == (False, [], [FAILED])
    assert scene.operations() == ["ListBackgroundTask", "DeleteBackgroundTask"]


# A removal that fails half-way: what the second of three DELETEs gets, and what becomes of the third task.
HALF_WAY = {
    "forbidden": ({"status": 403, "body": {"error_code": "DCS.2007", "error_msg": "No."}}, "DCS.2007", True),
    "signature": ({"status": 401, "body": {"error_code": "APIGW.0301", "error_msg": "No."}}, "APIGW.0301", True),
    "disturbed": ({"status": 500, "body": {"error_code": "DCS.5000", "error_msg": "No."}}, "DCS.5000", False),
    "overloaded": ({"status": 429, "body": {"error_code": "APIGW.0308", "error_msg": "No."}}, "APIGW.0308", True),
    "lost before": ("drop_before", "NetworkError", True),
    "reset": ("reset", "NetworkError", True),
    "redirected": ({"redirect": "http://127.0.0.1:9/"}, "307", True),
    "unfinished": ({"status": 400, "body": {"error_code": "DCS.4957", "error_msg": "No."}}, "DCS.4957", False),
    "bad request": ({"status": 400, "body": {"error_code": "DCS.4026", "error_msg": "No."}}, "DCS.4026", False),
    "conflict": ({"status": 409, "body": "busy"}, "409", False),
    "wrongly gone": ({"status": 404, "body": {"error_code": "DCS.4404", "error_msg": "No."}}, "DCS.4404", False),
}


@both_ways
@pytest.mark.parametrize(("fault", "code", "stops"), HALF_WAY.values(), ids=HALF_WAY.keys())
def test_a_removal_that_fails_half_way_says_what_was_done_failed_and_was_left(
    scene, module, where, reads, deletes, fault, code, stops
):
    scene.faults([{"operation": deletes, "skip": 1, "fault": fault}])
    result = module("dcs_task", task_ids=[DONE, FAILED, CANCELLED], state="absent", retries=0, **where, **IN_TURN)
    left = remaining(scene) & {DONE, FAILED, CANCELLED}
    assert result["failed"]
    assert result["changed"] is True
    assert left == ({FAILED, CANCELLED} if stops else {FAILED})
    assert result["removed"] == [DONE] + ([] if stops else [CANCELLED])
    assert result["not_tried"] == ([CANCELLED] if stops else [])
    assert [(entry["instance_id"], entry["task_id"]) for entry in result["failed_tasks"]] == [
        (where.get("instance"), FAILED)
    ]
    assert (result["failed_instances"], result["not_listed"]) == ([], [])
    failure = result["failed_tasks"][0]["failure"]
    assert failure == result["failure"]
    assert failure.keys() == FAILURE_KEYS
    assert (failure["code"], failure["service"], failure["operation"]) == (code, "dcs", deletes)
    assert result["failed_tasks"][0]["msg"] in result["msg"]
    assert f"1 of 3 tasks could not be removed ({len(result['removed'])} removed" in result["msg"]
    assert FAILED in result["msg"]
    assert [task["id"] for task in result["diff"]["before"]["tasks"]] == result["removed"]
    assert result.keys() == ABSENT_KEYS | BASIC_KEYS | {"failed", "msg", "failure"}
    again = module("dcs_task", task_ids=[DONE, FAILED, CANCELLED], state="absent", **where)
    assert not again.get("failed")
    assert (set(again["removed"]), remaining(scene)) == (left, {WAITING, RUNNING, STRANGE})


def test_a_user_who_may_only_read(sim, module):
    sim.reset({**SCENE, "users": SCENE["users"][::-1]})
    for options, action in (({"instance": REDIS}, "dcs:instance:deleteBackgroundTask"), ({}, "dcs:task:delete")):
        result = module("dcs_task", task_ids=[DONE, FAILED], state="absent", **options, **IN_TURN)
        assert result["failure"]["http_status"] == 403
        assert action in result["failure"]["hint"]
        assert (result["changed"], result["not_tried"]) == (False, [FAILED])
    assert len(remaining(sim)) == 6
    assert sim.operations() == ["ListBackgroundTask", "DeleteBackgroundTask", "ListCenterTask", "DeleteCenterTask"]


def test_the_service_may_think_otherwise_about_what_has_ended(scene, module):
    """C9: the list says FAILED, the service answers DCS.4957."""
    scene.switches({"deletable_statuses": ["SUCCESS"]})
    result = module("dcs_task", instance=REDIS, task_ids=[FAILED, DONE, CANCELLED], state="absent")
    assert (result["failure"]["code"], result["failure"]["http_status"]) == ("DCS.4957", 400)
    assert result["removed"] == [DONE]
    assert [entry["task_id"] for entry in result["failed_tasks"]] == [FAILED, CANCELLED]
    assert "has not ended" in result["msg"]
    # The service has said what it thinks; looking again would add nothing.
    assert scene.operations() == ["ListBackgroundTask"] + ["DeleteBackgroundTask"] * 3


# What happens to the first DELETE, and whether the client sends a second one because of it.
LOST = {
    "answer lost": ("drop_after", True),
    "request lost": ("drop_before", True),
    "connection reset": ("reset", True),
    "answer cut": ("truncate", True),
    "500 after the work": ({"status": 500, "processed": True}, True),
    "500 before the work": ({"status": 500}, True),
    "502 after the work": ({"status": 502, "body": "<html>Bad gateway</html>", "processed": True}, True),
    "503 before the work": ({"status": 503, "headers": {"Retry-After": "0"}}, True),
    "504 after the work": ({"status": 504, "processed": True}, True),
    "429": ({"status": 429, "headers": {"Retry-After": "0"}}, True),
    # C8: the body of a success is of no interest.
    "garbage": ("garbage", False),
    "a list": ("wrong_type", False),
    "no JSON": ("content_type", False),
}


@both_ways
@pytest.mark.parametrize("unknown_id_status", [404, 400])
@pytest.mark.parametrize("delete_status", [200, 204])
@pytest.mark.parametrize(("fault", "repeated"), LOST.values(), ids=LOST.keys())
def test_a_lost_answer(
    scene, module, no_backoff, where, reads, deletes, unknown_id_status, delete_status, fault, repeated
):
    scene.switches({"unknown_id_status": unknown_id_status, "delete_status": delete_status})
    scene.faults([{"operation": deletes, "fault": fault}])
    result = module("dcs_task", task_ids=[DONE, FAILED], state="absent", **where)
    assert not result.get("failed"), result
    assert (result["changed"], result["removed"], result["absent"]) == (True, [DONE, FAILED], [])
    assert remaining(scene) == {WAITING, RUNNING, STRANGE, CANCELLED}
    assert [task["id"] for task in result["diff"]["before"]["tasks"]] == [DONE, FAILED]
    assert scene.operations().count(deletes) == 2 + repeated
    assert len(result["retried"]) == repeated
    assert all(line.startswith(f"{deletes} was repeated after ") for line in result["retried"])


@pytest.mark.parametrize("fault", ["drop_after", {"status": 500, "processed": True}, "truncate"])
def test_the_last_answer_is_lost_too(scene, module, fault):
    """Nothing is sent again, but the list shows that the work was done, and the rest goes on."""
    scene.faults([{"operation": "DeleteBackgroundTask", "fault": fault}])
    result = module("dcs_task", instance=REDIS, task_ids=[DONE, FAILED], state="absent", retries=0, **IN_TURN)
    assert not result.get("failed"), result
    assert (result["changed"], result["removed"], result["not_tried"]) == (True, [DONE, FAILED], [])
    look, *others = scene.operations()
    # An error that the service itself tells may be about one record: the others are done before it looks again, twice.
    looks = to_the_end("ListBackgroundTask") * 2
    rest = [*looks, "DeleteBackgroundTask"] if isinstance(fault, str) else ["DeleteBackgroundTask", *looks]
    assert look == "ListBackgroundTask"
    assert others == ["DeleteBackgroundTask", *rest]
    assert not {DONE, FAILED} & remaining(scene)


def test_when_nothing_is_known_nothing_is_claimed(scene, module):
    scene.faults(
        [
            {"operation": "DeleteBackgroundTask", "fault": "drop_after"},
            {"operation": "ListBackgroundTask", "skip": 1, "fault": {"status": 500}},
        ]
    )
    result = module("dcs_task", instance=REDIS, task_ids=[DONE, FAILED], state="absent", retries=0, **IN_TURN)
    assert result["failed"]
    assert "not known whether it was done" in result["msg"]
    assert result["failure"]["retryable"] is True
    assert (result["removed"], result["not_tried"]) == ([], [FAILED])


# Waiting until tasks have ended


@both_ways
def test_tasks_that_have_ended_cost_one_look(scene, module, where, reads, deletes):
    options = {**where, "task_ids": [CANCELLED, DONE], "accepted_phases": ["succeeded", "cancelled"]}
    results = [module("dcs_task", state="finished", check_mode=check_mode, **options) for check_mode in (True, False)]
    assert told(results[0]) == told(results[1])
    result = results[1]
    assert result.keys() == FINISHED_KEYS | BASIC_KEYS
    assert [task["id"] for task in result["tasks"]] == [CANCELLED, DONE]
    assert (result["changed"], result["absent"], result["unfinished"]) == (False, [], [])
    assert seen(result) == ["2 of 2 ended"]
    assert scene.operations() == [reads] * 2


@both_ways
@pytest.mark.parametrize("missing_ok", [False, True])
@pytest.mark.parametrize("check_mode", [False, True])
def test_an_id_that_is_never_listed_has_not_ended(scene, module, where, reads, deletes, missing_ok, check_mode):
    """It is mistyped, or of another instance or project: the others are waited for, and then it is a failure."""
    scene.events([{"after": reads, "count": 2, "do": [{"task": RUNNING, "set": {"status": "SUCCESS"}}]}])
    options = {**where, "task_ids": [GONE, RUNNING, DONE], "missing_ok": missing_ok, "wait_interval": 1}
    result = module("dcs_task", state="finished", check_mode=check_mode, **options)
    assert result.get("failed", False) is not missing_ok
    assert result.keys() - {"failed", "msg", "failure"} == FINISHED_KEYS | BASIC_KEYS
    assert [task["id"] for task in result["tasks"]] == [RUNNING, DONE]
    assert (result["changed"], result["absent"]) == (False, [GONE])
    assert result["unfinished"] == ([RUNNING] if check_mode else [])
    ended = [] if check_mode else ["2 of 3 ended, 1 not listed"]
    assert seen(result) == ["1 of 3 ended, 1 running, 1 not listed", *ended]
    if not missing_ok:
        assert result["failure"]["code"] == "NotFound"
        assert GONE in result["msg"]
        assert "missing_ok" in result["failure"]["hint"]
    # Two listings before it is believed that a task has ended whose record is gone; one more look at what runs.
    assert scene.operations() == to_the_end(reads) * (2 if missing_ok else 1) + [reads] * (not check_mode)


def test_a_failure_of_those_that_are_listed_comes_before_an_unknown_id(scene, module):
    result = module("dcs_task", instance=REDIS, task_ids=[GONE, FAILED], state="finished")
    assert (result["failure"]["code"], result["absent"]) == ("EndedBadly", [GONE])
    late = module("dcs_task", instance=REDIS, task_ids=[GONE, RUNNING], state="finished", wait_timeout=0)
    assert (late["failure"]["code"], late["absent"], late["unfinished"]) == ("WaitTimeout", [GONE], [RUNNING])


def test_missing_ok_means_nothing_for_records_that_are_to_be_removed(scene, module):
    for missing_ok in (False, True):
        result = module("dcs_task", instance=REDIS, task_ids=[GONE], state="absent", missing_ok=missing_ok)
        assert (result.get("failed"), result["changed"], result["absent"]) == (None, False, [GONE])


#: A listing that lacks everything for once.
GLITCH = {"status": 200, "body": {"task_count": 0, "tasks": []}}


@both_ways
@pytest.mark.parametrize(("number", "missing_ok"), [(0, True), (1, True), (1, False), (2, False)])
def test_one_listing_that_lacks_a_task_ends_no_waiting(scene, module, where, reads, deletes, number, missing_ok):
    scene.events([{"after": reads, "count": 4, "do": [{"task": RUNNING, "set": {"status": "SUCCESS"}}]}])
    scene.faults([{"operation": reads, "skip": number, "fault": GLITCH}])
    options = {**where, "missing_ok": missing_ok, "wait_interval": 1}
    result = module("dcs_task", task_ids=[RUNNING], state="finished", **options)
    assert not result.get("failed"), result
    assert (result["absent"], [task["phase"] for task in result["tasks"]]) == ([], ["succeeded"])
    assert scene.operations() == [reads] * 5


@both_ways
@pytest.mark.parametrize("check_mode", [False, True])
def test_where_an_unknown_id_is_a_failure_the_first_listing_decides(scene, module, where, reads, deletes, check_mode):
    """It claims nothing that a second listing could refute: a second run looks anew."""
    scene.faults([{"operation": reads, "fault": GLITCH}])
    result = module("dcs_task", check_mode=check_mode, task_ids=[DONE], state="finished", **where)
    assert (result["failure"]["code"], result["changed"], result["absent"]) == ("NotFound", False, [DONE])
    assert "never listed" in result["msg"]
    # The page was empty.
    assert scene.operations() == [reads]


def test_one_listing_that_lacks_a_task_at_the_end_of_the_waiting(scene, module):
    scene.faults([{"operation": "ListBackgroundTask", "skip": 1, "fault": GLITCH}])
    options = {"instance": REDIS, "task_ids": [RUNNING], "wait_timeout": 1}
    result = module("dcs_task", state="finished", **options)
    assert (result["failure"]["code"], result["unfinished"], result["absent"]) == ("WaitTimeout", [RUNNING], [])


def test_the_second_listing_that_fails_proves_nothing(scene, module):
    scene.faults(
        [
            {"operation": "ListBackgroundTask", "skip": 1, "fault": GLITCH},
            {"operation": "ListBackgroundTask", "skip": 1, "times": None, "fault": {"status": 400}},
        ]
    )
    result = module("dcs_task", instance=REDIS, task_ids=[RUNNING], state="finished", wait_interval=1)
    assert (result["failure"]["http_status"], result["unfinished"], result["absent"]) == (400, [RUNNING], [])


@both_ways
def test_case_does_not_matter_in_ids(sim, module, where, reads, deletes):
    """Those of a user may be written otherwise than those of the record, which are what is sent."""
    ages = {"a" * 32: "1d", "b" * 32: "2d"}
    tasks = [{"id": id_, "name": "modify", "status": "SUCCESS", "created_ago": age} for id_, age in ages.items()]
    sim.reset({"dcs_instances": [{"name": "redis-a", "instance_id": REDIS, "tasks": tasks}]})
    given = ["B" * 32, "a" * 32, "A" * 32]
    assert [task["id"] for task in module("dcs_task_info", task_ids=given)["tasks"]] == ["a" * 32, "b" * 32]
    waited = module("dcs_task", task_ids=given, state="finished", **where)
    assert [task["id"] for task in waited["tasks"]] == ["b" * 32, "a" * 32]
    assert waited["absent"] == []
    removed = module("dcs_task", task_ids=given, state="absent", **where, **IN_TURN)
    assert (removed["removed"], removed["presumed"]) == (["b" * 32, "a" * 32], [])
    sent = [entry["path"].rpartition("/")[2] for entry in sim.journal() if entry["operation"] == deletes]
    assert sent == ["b" * 32, "a" * 32]


@pytest.mark.parametrize("written", ["dcsexportjob", "DCSEXPORTJOB"])
def test_case_does_not_matter_in_names(scene, module, written):
    result = module("dcs_task", instance=REDIS, names=[written], state="finished", wait_timeout=0)
    assert (result["failure"]["code"], result["unfinished"]) == ("WaitTimeout", [RUNNING])
    assert "warnings" not in result


@pytest.mark.parametrize(
    ("names", "lacking"),
    [
        (["redis-a"], "redis-a"),
        (["EXTENT", "dcsExportJob", "Modifi"], "EXTENT, Modifi"),
        (["ChangeInstanceSpec"], None),
        (["changeinstancespec", "modify"], None),
        ([], None),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task absent", "dcs_task finished"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_names_that_nothing_bears_are_named(scene, module, names, lacking, name, check_mode):
    """A gate with a mistyped name would always be open."""
    module_name, _space, state = name.partition(" ")
    options = {"state": state, "wait_timeout": 0} if state else {}
    result = module(module_name, check_mode=check_mode, instances=[REDIS], names=names, **options)
    expected = [] if lacking is None else [f"Nothing that was listed has one of these names: {lacking}."]
    assert [warning.partition(" Check")[0] for warning in result.get("warnings", [])] == expected
    # Nothing more was asked for it.
    listing = to_the_end("ListBackgroundTask") if state else ["ListBackgroundTask"]
    assert scene.operations() == (listing if names else [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"statuses": ["sucess", "SUCCESS"]}, ["statuses: sucess"]),
        ({"statuses": ["x"], "names": ["y"]}, ["names: y", "statuses: x"]),
        ({"statuses": ["x"], "phases": ["failed"]}, ["statuses: x"]),
        ({"statuses": ["failed"], "phases": ["pending"]}, []),
        # What was not listed whole proves nothing.
        ({"statuses": ["x"], "names": ["modify", "y"], "task_ids": [DONE]}, []),
        ({"names": ["dcsExportJob", "modify", "y"], "max_results": 1}, []),
        ({"names": ["dcsExportJob", "modify", "y"], "max_results": 2}, ["names: y"]),
        ({"instances": [REDIS, "00000000-0000-4000-8000-000000000000"], "names": ["y"]}, []),
        ({"instances": [], "names": ["y"]}, []),
    ],
    ids=str,
)
def test_words_that_nothing_bears_are_named_where_all_was_listed(scene, module, options, expected):
    result = module("dcs_task_info", **{"instances": [REDIS], **options})
    warnings = [line for line in result.get("warnings", []) if "max_results" not in line]
    said = [re.fullmatch(r"Nothing that was listed has one of these (.+)\. Check .*", line) for line in warnings]
    assert [match and match.group(1) for match in said] == expected


def test_an_empty_listing_names_them_too_and_a_doubtful_one_does_not(scene, module):
    scene.faults([{"operation": "ListBackgroundTask", "fault": GLITCH}])
    (warning,) = module("dcs_task_info", instances=[REDIS], names=["EXTEND"])["warnings"]
    assert "names: EXTEND" in warning
    doubtful = {"status": 200, "body": {"task_count": 9, "tasks": []}}
    scene.faults([{"operation": "ListBackgroundTask", "times": None, "fault": doubtful}])
    (warning,) = module("dcs_task_info", instances=[REDIS], names=["EXTEND"])["warnings"]
    assert "counts more" in warning


@both_ways
def test_it_waits_until_the_tasks_have_ended(scene, module, where, reads, deletes):
    ends = [(1, RUNNING), (2, STRANGE)]
    scene.events([{"after": reads, "count": n, "do": [{"task": id_, "set": {"status": "SUCCESS"}}]} for n, id_ in ends])
    result = module("dcs_task", task_ids=[RUNNING, DONE, STRANGE], state="finished", wait_interval=1, **where)
    assert not result.get("failed")
    assert (result["changed"], result["unfinished"]) == (False, [])
    assert {task["phase"] for task in result["tasks"]} == {"succeeded"}
    assert [task["id"] for task in result["tasks"]] == [RUNNING, DONE, STRANGE]
    assert seen(result) == ["1 of 3 ended, 1 running, 1 unknown", "2 of 3 ended, 1 unknown", "3 of 3 ended"]
    assert result["waited"] >= 2
    assert scene.operations() == [reads] * 3


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("unfinished", [WAITING, RUNNING, STRANGE])
def test_a_task_that_does_not_end_in_time(scene, module, check_mode, unfinished):
    options = {"instance": REDIS, "task_ids": [DONE, unfinished], "state": "finished", "wait_timeout": 1}
    result = module("dcs_task", check_mode=check_mode, **options)
    assert result.get("failed", False) is not check_mode
    assert (result["changed"], result["unfinished"], result["absent"]) == (False, [unfinished], [])
    assert len(result["progress"]) == 1
    if check_mode:
        assert scene.operations() == ["ListBackgroundTask"]
    else:
        assert (result["failure"]["code"], result["failure"]["retryable"]) == ("WaitTimeout", True)
        assert unfinished in result["msg"]
        assert result["waited"] >= 1
        assert len(scene.operations()) == 2


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("task_ids", "accepted", "bad"),
    [
        ([DONE], None, []),
        ([DONE, FAILED], None, [FAILED]),
        ([CANCELLED, FAILED], None, [CANCELLED, FAILED]),
        ([DONE, FAILED], ["succeeded", "failed"], []),
        ([DONE, FAILED, CANCELLED], ["succeeded", "failed", "cancelled"], []),
        ([CANCELLED], "cancelled", []),
        ([DONE], ["failed"], [DONE]),
    ],
)
def test_accepted_phases(scene, module, check_mode, task_ids, accepted, bad):
    options = {} if accepted is None else {"accepted_phases": accepted}
    result = module("dcs_task", check_mode=check_mode, task_ids=task_ids, state="finished", **options)
    assert result.get("failed", False) is bool(bad)
    assert [task["id"] for task in result["tasks"]] == task_ids
    if bad:
        assert result["failure"]["code"] == "EndedBadly"
        assert [task_id for task_id in task_ids if task_id in result["msg"]] == bad
        assert result.keys() >= FINISHED_KEYS


def test_a_task_that_ends_badly_while_it_is_waited_for(scene, module):
    scene.patch({"task": RUNNING, "set": {"finish_after": 0.5, "finish_as": "FAILED"}})
    result = module("dcs_task", instance=REDIS, task_ids=[RUNNING], state="finished", wait_interval=1)
    assert result["failure"]["code"] == "EndedBadly"
    assert result["tasks"][0]["status"] == "FAILED"


def test_a_task_that_vanishes_while_it_is_waited_for_has_ended(scene, module):
    scene.events([{"after": "ListBackgroundTask", "do": [{"task": RUNNING, "remove": True}]}])
    result = module("dcs_task", instance=REDIS, task_ids=[RUNNING, DONE], state="finished", wait_interval=1)
    assert not result.get("failed")
    assert (result["absent"], result["unfinished"]) == ([RUNNING], [])
    # Documented: those that are not listed are left out.
    assert [task["id"] for task in result["tasks"]] == [DONE]


def test_a_disturbance_while_waiting_is_survived(scene, module, no_backoff):
    scene.patch({"task": RUNNING, "set": {"finish_after": 0.5}})
    scene.faults([{"operation": "ListBackgroundTask", "skip": 1, "times": 2, "fault": {"status": 503}}])
    result = module("dcs_task", instance=REDIS, task_ids=[RUNNING], state="finished", wait_interval=1)
    assert not result.get("failed")
    assert len(result["retried"]) == 2
    assert result["requests"] == len(scene.operations()) == 4


def test_the_deadline_ends_the_waiting(scene, module):
    result = module("dcs_task", instance=REDIS, task_ids=[RUNNING], state="finished", wait_timeout=60, deadline=1)
    assert result["failed"]
    assert result["failure"]["retryable"] is True
    assert result["changed"] is False
    assert result.keys() >= FINISHED_KEYS, "nothing is lost"
    assert result["unfinished"] == [RUNNING]
    assert [task["id"] for task in result["tasks"]] == [RUNNING]
    assert result["progress"]


def test_a_failure_while_waiting_loses_nothing(scene, module):
    scene.faults([{"operation": "ListBackgroundTask", "skip": 1, "times": 9, "fault": {"status": 400}}])
    result = module("dcs_task", instance=REDIS, task_ids=[RUNNING, DONE], state="finished", wait_interval=1)
    assert result["failure"]["http_status"] == 400
    assert result.keys() >= FINISHED_KEYS
    assert [task["id"] for task in result["tasks"]] == [RUNNING, DONE]
    assert (result["unfinished"], result["absent"], len(result["progress"])) == ([RUNNING], [], 1)


@pytest.mark.parametrize("state", ["absent", "finished"])
def test_a_listing_that_counts_more_than_it_lists_is_never_believed(scene, module, state):
    answer = {"status": 200, "body": {"task_count": 3, "tasks": []}}
    scene.faults([{"operation": "ListBackgroundTask", "times": 99, "fault": answer}])
    result = module("dcs_task", instance=REDIS, task_ids=[DONE], state=state)
    assert (result["failure"]["code"], result["changed"]) == ("UnreadableAnswer", False)
    assert "counts more" in result["msg"]


@pytest.mark.parametrize(
    "options",
    [
        {"task_ids": [DONE]},
        {"state": "absent"},
        {"state": "present", "task_ids": [DONE]},
        {"state": "absent", "task_ids": [DONE, ""]},
        {"state": "absent", "task_ids": ["../instances"]},
        {"state": "absent", "task_ids": ["a" * 65]},
        {"state": "absent", "task_ids": [DONE], "instance": ""},
        {"state": "absent", "task_ids": [DONE], "instance": "redis a"},
        {"state": "finished", "task_ids": [DONE], "wait_timeout": -1},
        {"state": "finished", "task_ids": [DONE], "wait_interval": 0},
        {"state": "finished", "task_ids": [DONE], "accepted_phases": ["running"]},
    ],
    ids=str,
)
def test_wrong_input_is_refused_before_anything_is_sent(scene, module, options):
    result = module("dcs_task", **options)
    assert result["failed"]
    assert "\n" not in result["msg"]
    assert scene.operations() == []
    assert len(remaining(scene)) == 6


def test_an_empty_list_of_accepted_phases(scene, module):
    """No end is accepted then: a filter that is empty must not stand for everything."""
    result = module("dcs_task", task_ids=[DONE], state="finished", accepted_phases=[])
    assert result["failed"]
