# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module dcs_resize_cancel: every row of its decision table, races with others, and lost answers."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.harness.listings import to_the_end

REDIS = "11111111-1111-4111-8111-111111111111"
WAITING, SECOND, DONE, FAILED, CANCELLED, OTHER, STARTED, ADDING = (letter * 32 for letter in "12345678")
GONE = "f" * 32

TASKS: dict[str, dict[str, Any]] = {
    WAITING: {"name": "EXTEND", "status": "CREATED", "created_ago": "1h"},
    SECOND: {"name": "ChangeInstanceSpec", "status": "CREATED", "created_ago": "2h"},
    DONE: {"name": "EXTEND", "status": "SUCCESS", "created_ago": "3d"},
    FAILED: {"name": "EXTEND", "status": "FAILED", "created_ago": "4d"},
    CANCELLED: {"name": "EXTEND", "status": "CANCELLED", "created_ago": "5d"},
    OTHER: {"name": "dcsExportJob", "status": "EXECUTING", "created_ago": "1m"},
    STARTED: {"name": "EXTEND", "status": "EXECUTING", "created_ago": "2m"},
    ADDING: {"name": "AddReplica", "status": "CREATED", "created_ago": "2h"},
}
ENDED = (DONE, FAILED, CANCELLED, OTHER)

READ, CANCEL, PROGRESS = "ListBackgroundTask", "CancelInstanceResize", "ShowBackgroundTaskProgress"
RESULT_KEYS = {"changed", "instance_id", "task", "presumed", "diff", "requests", "retried"}
FAILED_KEYS = {"failed", "msg", "failure"} | RESULT_KEYS - {"diff"}
NO_DIFF: dict[str, Any] = {"before": {}, "after": {}}


@pytest.fixture
def stage(sim):
    """Load an instance that has these tasks, and set switches."""

    def load(*task_ids: str, **switches: Any) -> None:
        tasks = [{"id": task_id, **TASKS[task_id]} for task_id in task_ids]
        sim.reset({"dcs_instances": [{"name": "redis-a", "instance_id": REDIS, "tasks": tasks}]})
        sim.switches(switches)

    return load


@pytest.fixture
def cancel(module):
    """Run the module on the instance, looking every second."""

    def run(task_id: str | None = None, **options: Any) -> dict[str, Any]:
        named = {} if task_id is None else {"task_id": task_id}
        return module("dcs_resize_cancel", **{"instance": REDIS, "wait_interval": 1, **named, **options})

    return run


def statuses(sim) -> dict[str, str]:
    """Id and status of the tasks that are there."""
    return {task["id"]: task["status"] for task in sim.state()["tasks"]}


def cancelled_ids(sim) -> list[str]:
    """The tasks for which the request that cancels was sent, processed or not."""
    return [entry["path"].rpartition("/")[2] for entry in sim.journal() if entry["operation"] == CANCEL]


def whole(*tasks: object) -> list[str]:
    """The requests that list all of these tasks; an empty page is the end by itself."""
    return to_the_end(READ, pages=1 if tasks else 0)


def told(result: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without what it cost."""
    return {key: value for key, value in result.items() if key not in ("requests", "retried")}


# The decision table: tasks, task_id; then what comes of it.


@pytest.mark.parametrize(
    ("tasks", "task_id", "target"),
    [
        ((WAITING,), None, WAITING),
        ((WAITING, *ENDED), None, WAITING),
        ((WAITING, *ENDED), WAITING, WAITING),
        ((SECOND,), None, SECOND),
        ((SECOND, CANCELLED), SECOND, SECOND),
        ((WAITING, SECOND, *ENDED), WAITING, WAITING),
    ],
)
@pytest.mark.parametrize("cancelled_record", ["kept", "removed"])
def test_a_waiting_spec_change_is_called_off(sim, stage, cancel, tasks, task_id, target, cancelled_record):
    stage(*tasks, cancelled_record=cancelled_record)
    before = statuses(sim)
    predicted = cancel(task_id, check_mode=True)
    assert statuses(sim) == before
    assert sim.operations() == whole(*tasks)
    done = cancel(task_id)
    # That the record is gone is believed when two listings show it, each to its end.
    looks = [READ] if cancelled_record == "kept" else whole(*statuses(sim)) * 2
    assert sim.operations() == [*whole(*tasks) * 2, CANCEL, *looks]
    sent = len(sim.journal())
    assert cancelled_ids(sim) == [target]
    others = {key: value for key, value in before.items() if key != target}
    assert statuses(sim) == ({**others, target: "CANCELLED"} if cancelled_record == "kept" else others)
    for result in (predicted, done):
        assert (result["changed"], result["instance_id"]) == (True, REDIS)
        assert result.keys() == RESULT_KEYS
        assert (result["task"]["id"], result["task"]["phase"]) == (target, "cancelled")
        assert result["task"].keys() == predicted["task"].keys()
        step = {"task_id": target, "name": TASKS[target]["name"]}
        assert result["diff"] == {"before": {**step, "phase": "pending"}, "after": {**step, "phase": "cancelled"}}
    if SECOND in others and WAITING in before:
        return  # another one is unfinished; see test_several_unfinished_spec_changes
    checked, again = cancel(task_id, check_mode=True), cancel(task_id)
    assert told(checked) == told(again)
    assert (again["changed"], again["diff"]) == (False, NO_DIFF)
    assert again.keys() - {"warnings"} == RESULT_KEYS
    lacking = cancelled_record == "removed" and task_id is not None
    assert sim.operations()[sent:] == whole(*statuses(sim)) * (4 if lacking else 2)


@pytest.mark.parametrize(
    ("tasks", "task_id", "shown", "warning"),
    [
        ((), None, None, None),
        (ENDED, None, None, None),
        ((), GONE, None, "is not listed"),
        (ENDED, GONE, None, "is not listed"),
        (ENDED, CANCELLED, CANCELLED, None),
        ((WAITING, *ENDED), CANCELLED, CANCELLED, f"other tasks of this instance have not ended: EXTEND {WAITING}"),
        (ENDED, FAILED, FAILED, f"has ended, and was not carried out: EXTEND {FAILED}"),
        ((ADDING,), None, None, f"other tasks of this instance have not ended: AddReplica {ADDING} (CREATED)."),
        ((ADDING, *ENDED), CANCELLED, CANCELLED, f"not ended: AddReplica {ADDING} (CREATED)."),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_nothing_is_left_to_call_off(sim, stage, cancel, tasks, task_id, shown, warning, check_mode):
    stage(*tasks)
    before = sim.state()
    result = cancel(task_id, check_mode=check_mode)
    assert (result["changed"], result["diff"]) == (False, NO_DIFF)
    assert (result["task"] or {}).get("id") == shown
    assert ("warnings" in result) is bool(warning)
    assert (warning or "") in str(result.get("warnings"))
    if "not ended" in (warning or ""):
        said = "Nothing would be called off, but" if check_mode else "Nothing was called off, but"
        assert result["warnings"][0].startswith(said)
    assert result.keys() - {"warnings"} == RESULT_KEYS
    # A task that is given, and that one listing lacks, is looked for in a second one.
    assert sim.operations() == whole(*tasks) * (2 if task_id == GONE else 1)
    assert sim.state() == before


@pytest.mark.parametrize(
    ("tasks", "task_id", "code", "named"),
    [
        ((WAITING, SECOND, *ENDED), None, "Ambiguous", [WAITING, SECOND]),
        ((WAITING, STARTED), None, "Ambiguous", [WAITING, STARTED]),
        ((WAITING, *ENDED), GONE, "NotFound", [GONE, WAITING]),
        ((STARTED,), GONE, "NotFound", [GONE, STARTED]),
        (ENDED, OTHER, "NotASpecChange", [OTHER]),
        ((WAITING, OTHER), OTHER, "NotASpecChange", [OTHER]),
        (ENDED, DONE, "TooLate", [DONE]),
        ((WAITING, DONE), DONE, "TooLate", [DONE]),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True])
def test_failures_that_need_no_second_request(sim, stage, cancel, tasks, task_id, code, named, check_mode):
    stage(*tasks)
    before = sim.state()
    result = cancel(task_id, check_mode=check_mode)
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["failure"]["code"] == code
    assert result["failure"]["operation"] == CANCEL
    assert result["failure"]["hint"]
    assert [name for name in (*tasks, GONE) if name in result["msg"]] == sorted(named, key=(*tasks, GONE).index)
    assert result.keys() == FAILED_KEYS
    assert (result["presumed"], result["instance_id"]) == ([], REDIS)
    assert sim.operations() == whole(*tasks) * (2 if task_id == GONE else 1)
    assert sim.state() == before


def test_several_unfinished_spec_changes(sim, stage, cancel):
    """One that is added later makes the choice unclear; the older of two cannot be called off by the service."""
    stage(SECOND)
    sim.patch({"task": WAITING, "instance": REDIS, "add": TASKS[WAITING]})
    assert cancel()["failure"]["code"] == "Ambiguous"
    refused = cancel(SECOND)
    assert refused["failed"]
    assert refused["changed"] is False
    assert SECOND in refused["msg"]
    assert cancel(WAITING)["changed"] is True
    assert cancel()["changed"] is True
    assert statuses(sim) == {WAITING: "CANCELLED", SECOND: "CANCELLED"}


@pytest.mark.parametrize(
    ("options", "operations"),
    [
        ({"instance": "redis-a"}, ["ListInstances", *to_the_end(READ), CANCEL, READ]),
        ({"instance": REDIS.upper()}, [*to_the_end(READ), CANCEL, READ]),
        ({"instance_id": REDIS}, [*to_the_end(READ), CANCEL, READ]),
        ({"instance": REDIS, "wait": False}, [*to_the_end(READ), CANCEL]),
        ({"instance": REDIS, "wait_timeout": 0}, [*to_the_end(READ), CANCEL]),
    ],
    ids=str,
)
def test_the_fewest_requests(sim, stage, module, options, operations):
    stage(WAITING)
    result = module("dcs_resize_cancel", **options)
    assert result["changed"] is True
    assert result["requests"] == len(operations)
    assert sim.operations() == operations


# Check mode, where the status word does not say whether the change waits


@pytest.mark.parametrize("word", ["EXECUTING", "QUEUED_FOR_WINDOW"])
def test_check_mode_asks_for_the_steps(sim, stage, cancel, word):
    stage(WAITING, waiting_status=word)
    result = cancel(check_mode=True)
    assert result["changed"] is True
    assert sim.operations() == [*to_the_end(READ), PROGRESS]
    assert cancel()["diff"] == result["diff"]


@pytest.mark.parametrize("task_id", [None, STARTED])
def test_check_mode_tells_what_has_started(sim, stage, cancel, task_id):
    stage(STARTED)
    predicted = cancel(task_id, check_mode=True)
    assert predicted["failure"]["code"] == "TooLate"
    assert sim.operations() == [*to_the_end(READ), PROGRESS]
    done = cancel(task_id)
    assert (done["failed"], done["changed"]) == (True, predicted["changed"])
    assert done.keys() == predicted.keys()
    assert done["failure"]["code"] == predicted["failure"]["code"]
    assert done["msg"].startswith(predicted["msg"])


@pytest.mark.parametrize("status", [404, 403, 500])
def test_check_mode_without_the_steps_warns(sim, stage, cancel, status):
    stage(WAITING, waiting_status="QUEUED_FOR_WINDOW")
    sim.faults([{"operation": PROGRESS, "times": None, "fault": {"status": status}}])
    result = cancel(check_mode=True, retries=0)
    assert result["changed"] is True
    assert WAITING in str(result["warnings"])


@pytest.mark.parametrize(
    ("progress", "started"),
    [
        ({"progress": 0, "step_details": [{"step_status": "WAITING"}]}, False),
        ({"progress": 0, "step_details": [{"step_status": "WAITING"}, {"step_status": "EXECUTING"}]}, True),
        ({"progress": 0, "step_details": [{"step_status": "FINISH"}]}, True),
        ({"progress": 1, "step_details": []}, True),
        ({"progress": 1, "step_details": [{"step_status": "WAITING"}]}, True),
        ({"progress": 0, "step_details": None}, False),
        ({"progress": None, "step_details": ["odd", {"step_status": None}]}, False),
        ({}, False),
    ],
    ids=str,
)
def test_check_mode_reads_the_steps(sim, stage, cancel, progress, started):
    stage(WAITING, waiting_status="QUEUED_FOR_WINDOW")
    sim.faults([{"operation": PROGRESS, "fault": {"status": 200, "body": progress}}])
    result = cancel(check_mode=True)
    assert (result.get("failed", False), result["changed"]) == (started, not started)
    assert result.get("failure", {}).get("code") == ("TooLate" if started else None)


@pytest.mark.parametrize("status", [404, 500])
def test_a_refusal_is_told_where_the_steps_cannot_be_read(sim, stage, cancel, status):
    stage(STARTED)
    sim.faults([{"operation": PROGRESS, "times": None, "fault": {"status": status}}])
    result = cancel(retries=0)
    assert (result["failure"]["code"], result["failure"]["retryable"]) == ("DCS.4239", False)
    assert "may have started" in result["msg"]


def test_an_answer_that_does_not_confirm_is_told_as_it_is(sim, stage, cancel, doubt_for):
    doubt_for(0.05)
    stage(WAITING)
    sim.faults([{"operation": CANCEL, "fault": {"status": 200, "body": {"result": "failed"}}}])
    result = cancel()
    assert (result["changed"], result["failure"]["code"]) == (False, "OutcomeUnknown")
    assert '{"result": "failed"}' in result["msg"]
    assert "lost" not in result["msg"]
    assert sim.operations()[-1] == READ, "it was looked at again"


def test_an_unknown_resource_is_told_as_such(sim, stage, cancel, doubt_for):
    """The page says of 404: The requested resource could not be found."""
    doubt_for(0.05)
    stage(WAITING)
    sim.faults([{"operation": CANCEL, "times": None, "fault": {"status": 404, "body": {"error_code": "DCS.4999"}}}])
    result = cancel()
    assert (result["changed"], result["failure"]["code"]) == (False, "DCS.4999")
    assert "could not be found" in result["failure"]["hint"]
    assert "may have started" not in result["msg"]


# What happens between the list and the request that cancels


def just_before(*patches: dict[str, Any], count: int = 1) -> dict[str, Any]:
    """An event that changes the state just before the count-th request that cancels."""
    return {"before": CANCEL, "count": count, "do": list(patches)}


@pytest.mark.parametrize("task_id", [None, WAITING])
@pytest.mark.parametrize("code", ["DCS.4239", "DCS.4957", "DCS.4113"])
def test_it_starts_meanwhile(sim, stage, cancel, task_id, code):
    stage(WAITING, *ENDED, started_cancel_error=code)
    sim.events([just_before({"task": WAITING, "set": {"status": "EXECUTING"}})])
    result = cancel(task_id)
    assert (result["failed"], result["changed"]) == (True, False)
    # As check mode would have said.
    assert (result["failure"]["code"], result["failure"]["http_status"]) == ("TooLate", 400)
    assert code in result["msg"]
    assert "started" in result["msg"]
    assert "state=finished" in result["failure"]["hint"]
    assert result["task"]["status"] == "EXECUTING"
    assert statuses(sim)[WAITING] == "EXECUTING"
    assert sim.operations() == [*to_the_end(READ), CANCEL, *to_the_end(READ), PROGRESS]


@pytest.mark.parametrize("task_id", [None, WAITING])
def test_it_is_carried_out_meanwhile(sim, stage, cancel, task_id):
    stage(WAITING)
    sim.events([just_before({"task": WAITING, "set": {"status": "SUCCESS"}})])
    result = cancel(task_id)
    assert result["failure"]["code"] == "TooLate"
    assert (result["changed"], result["task"]["phase"]) == (False, "succeeded")
    assert cancelled_ids(sim) == [WAITING]


@pytest.mark.parametrize("task_id", [None, WAITING])
@pytest.mark.parametrize(
    "patch", [{"set": {"status": "CANCELLED"}}, {"set": {"status": "FAILED"}}, {"remove": True}], ids=str
)
@pytest.mark.parametrize("unknown_id_status", [404, 400])
def test_it_ends_or_vanishes_meanwhile_by_another_hand(sim, stage, cancel, task_id, patch, unknown_id_status):
    stage(WAITING, *ENDED, unknown_id_status=unknown_id_status)
    sim.events([just_before({"task": WAITING, **patch})])
    result = cancel(task_id)
    assert not result.get("failed"), result
    assert (result["changed"], result["diff"]) == (False, NO_DIFF)
    assert cancelled_ids(sim) == [WAITING]
    assert ("warnings" in result) is (task_id is None or patch != {"set": {"status": "CANCELLED"}})
    assert result["presumed"] == []


REPLACED = {
    "cancelled": {"task": WAITING, "set": {"status": "CANCELLED"}},
    "removed": {"task": WAITING, "remove": True},
}


@pytest.mark.parametrize("old", REPLACED.values(), ids=REPLACED.keys())
def test_it_is_replaced_by_another_meanwhile(sim, stage, cancel, old):
    """Without task_id the wish is that no spec change runs: the new one is called off, with a request of its own."""
    stage(WAITING)
    sim.events([just_before(old, {"task": SECOND, "instance": REDIS, "add": TASKS[SECOND]})])
    result = cancel()
    assert not result.get("failed"), result
    assert (result["changed"], result["task"]["id"]) == (True, SECOND)
    assert cancelled_ids(sim) == [WAITING, SECOND]
    assert statuses(sim)[SECOND] == "CANCELLED"
    assert result["diff"]["before"]["task_id"] == SECOND


@pytest.mark.parametrize("check_mode", [False, True])
def test_one_listing_that_lacks_the_task_is_not_believed(sim, stage, cancel, check_mode):
    stage(WAITING)
    glitch = {"status": 200, "body": {"task_count": 0, "tasks": []}}
    sim.faults([{"operation": READ, "fault": glitch}])
    assert cancel(WAITING, check_mode=check_mode)["changed"] is True


def test_one_listing_that_lacks_a_task_whose_cancellation_was_accepted(sim, stage, cancel):
    stage(WAITING, resize_cancel_delay=3600)
    glitch = {"status": 200, "body": {"task_count": 0, "tasks": []}}
    sim.faults([{"operation": READ, "skip": len(to_the_end(READ)), "fault": glitch}])
    result = cancel(wait_timeout=1)
    assert (result["failure"]["code"], result["changed"]) == ("WaitTimeout", True)


@pytest.mark.parametrize("task_id", [None, WAITING])
def test_one_listing_that_lacks_a_task_after_a_refusal_or_a_lost_answer(sim, stage, cancel, task_id):
    glitch = {"status": 200, "body": {"task_count": 0, "tasks": []}}
    for fault in ({"status": 400, "body": {"error_code": "DCS.4239", "error_msg": "No."}}, "drop_before"):
        stage(WAITING)
        after_the_first_listing = {"operation": READ, "skip": len(to_the_end(READ))}
        sim.faults([{"operation": CANCEL, "fault": fault}, {**after_the_first_listing, "fault": glitch}])
        result = cancel(task_id, wait_timeout=1)
        assert (result["failed"], result["changed"], statuses(sim)) == (True, False, {WAITING: "CREATED"})


def test_another_spec_change_that_comes_after_the_cancellation_is_named(sim, stage, cancel):
    stage(WAITING)
    sim.events([{"after": CANCEL, "do": [{"task": SECOND, "instance": REDIS, "add": TASKS[SECOND]}]}])
    result = cancel()
    assert (result["changed"], result["task"]["id"]) == (True, WAITING)
    assert result["warnings"] == [f"Another spec change has not ended: ChangeInstanceSpec {SECOND} (CREATED)."]


def test_case_does_not_matter_in_task_id(sim, stage, cancel):
    stage()
    task_id = "ab" * 16
    sim.patch({"task": task_id, "instance": REDIS, "add": TASKS[WAITING]})
    assert cancel(task_id.upper())["task"]["phase"] == "cancelled"
    assert cancelled_ids(sim) == [task_id]
    assert cancel(task_id.upper())["changed"] is False


@pytest.mark.parametrize("kind", REPLACED)
def test_it_is_replaced_by_another_meanwhile_with_task_id(sim, stage, cancel, kind):
    """With task_id only this one is meant: the new one is left alone."""
    stage(WAITING)
    sim.events([just_before(REPLACED[kind], {"task": SECOND, "instance": REDIS, "add": TASKS[SECOND]})])
    result = cancel(WAITING)
    assert result["changed"] is False
    assert statuses(sim)[SECOND] == "CREATED"
    assert cancelled_ids(sim) == [WAITING]
    if kind == "removed":
        assert result["failure"]["code"] == "NotFound"
        assert SECOND in result["msg"]
    else:
        assert not result.get("failed")
        assert result["task"]["phase"] == "cancelled"
        assert [SECOND in warning for warning in result["warnings"]] == [True]


def test_it_is_replaced_again_and_again(sim, stage, cancel):
    stage(WAITING)
    new = [letter * 32 for letter in "abcd"]
    chain = [WAITING, *new]
    sim.events(
        [
            just_before(
                {"task": chain[number], "set": {"status": "CANCELLED"}},
                {"task": chain[number + 1], "instance": REDIS, "add": TASKS[WAITING]},
                count=number + 1,
            )
            for number in range(4)
        ]
    )
    result = cancel()
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["failure"]["code"] == "Ambiguous"
    sent = cancelled_ids(sim)
    assert sent == chain[: len(sent)]
    assert 2 <= len(sent) <= 4


# Waiting until it is over


@pytest.mark.parametrize("task_id", [None, WAITING])
@pytest.mark.parametrize("cancelled_record", ["kept", "removed"])
def test_it_waits_until_the_change_is_over(sim, stage, cancel, task_id, cancelled_record):
    stage(WAITING, resize_cancel_delay=0.5, cancelled_record=cancelled_record)
    result = cancel(task_id)
    assert result["changed"] is True
    assert statuses(sim) == ({WAITING: "CANCELLED"} if cancelled_record == "kept" else {})
    assert sim.operations()[:4] == [*to_the_end(READ), CANCEL, READ]


def test_without_wait_it_returns_at_once(sim, stage, cancel):
    stage(WAITING, resize_cancel_delay=300)
    started = time.monotonic()
    predicted, result = cancel(check_mode=True), cancel(wait=False)
    assert time.monotonic() - started < 60
    assert told(predicted) == told(result)
    assert (result["changed"], result["task"]["phase"], result["task"]["status"]) == (True, "cancelled", "CREATED")
    assert sim.operations() == [*to_the_end(READ) * 2, CANCEL]


def test_the_time_to_wait_is_over(sim, stage, cancel):
    stage(WAITING, resize_cancel_delay=30)
    result = cancel(wait_timeout=1)
    assert (result["failure"]["code"], result["failure"]["retryable"]) == ("WaitTimeout", True)
    # The request was accepted, so something was changed.
    assert result["changed"] is True
    assert result["task"]["id"] == WAITING


def test_an_accepted_cancellation_that_came_too_late(sim, stage, cancel):
    stage(WAITING, resize_cancel_delay=30)
    sim.events([{"after": CANCEL, "do": [{"task": WAITING, "set": {"status": "SUCCESS"}}]}])
    result = cancel()
    assert result["failure"]["code"] == "TooLate"
    assert (result["task"]["phase"], result["changed"], result["presumed"]) == ("succeeded", False, [])


def test_an_accepted_cancellation_of_what_then_reads_failed_is_told_alike_by_all_runs(sim, stage, cancel):
    stage(WAITING, resize_cancel_delay=30)
    sim.events([{"after": CANCEL, "do": [{"task": WAITING, "set": {"status": "FAILED"}}]}])
    first, second = cancel(WAITING), cancel(WAITING)
    told_by_both = [f"The spec change has ended, and was not carried out: EXTEND {WAITING} (FAILED)."]
    for result in (first, second):
        assert not result.get("failed"), result
        assert (result["task"]["phase"], result["warnings"], result["presumed"]) == ("failed", told_by_both, [])
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["diff"]["after"]["phase"] == "failed"
    assert cancelled_ids(sim) == [WAITING]


@pytest.mark.parametrize("fault", [{"status": 500}, "drop_before", "garbage", {"status": 403}], ids=str)
def test_a_failure_after_the_cancellation_was_accepted_does_not_hide_it(sim, stage, cancel, fault):
    stage(WAITING)
    sim.faults([{"operation": READ, "skip": len(to_the_end(READ)), "times": None, "fault": fault}])
    result = cancel(retries=0)
    assert statuses(sim)[WAITING] == "CANCELLED"
    assert result["failed"]
    # The state was changed by this run: its result must not deny it.
    assert result["changed"] is True
    assert result["task"]["id"] == WAITING


# Lost answers to the request that cancels

# What happens to it, whether it is carried out, and how often it may be sent.
LOST = {
    "answer lost": ("drop_after", True),
    "answer cut": ("truncate", True),
    "garbage": ("garbage", True),
    "a list": ("wrong_type", True),
    "500 after the work": ({"status": 500, "processed": True}, True),
    "502 after the work": ({"status": 502, "body": "<html>Bad gateway</html>", "processed": True}, True),
    "504 after the work": ({"status": 504, "processed": True}, True),
    "another result": ({"status": 200, "body": {"result": "pending"}, "processed": True}, True),
    "empty answer": ({"status": 204, "processed": True}, True),
    "request lost": ("drop_before", False),
    "reset": ("reset", False),
    "500 before the work": ({"status": 500}, False),
    "503 before the work": ({"status": 503, "headers": {"Retry-After": "0"}}, False),
    "an empty object": ({"status": 200, "body": {}}, False),
    "a page of a proxy": ({"status": 200, "body": "<html>Sign in</html>"}, False),
}


@pytest.mark.parametrize(("fault", "processed"), LOST.values(), ids=LOST.keys())
@pytest.mark.parametrize("cancelled_record", ["kept", "removed"])
@pytest.mark.parametrize("task_id", [None, WAITING])
@pytest.mark.parametrize("wait", [True, False])
def test_a_lost_answer(sim, stage, cancel, doubt_for, fault, processed, cancelled_record, task_id, wait):
    doubt_for(0.05)
    stage(WAITING, *ENDED, cancelled_record=cancelled_record)
    sim.faults([{"operation": CANCEL, "fault": fault}])
    result = cancel(task_id, wait=wait)
    assert cancelled_ids(sim) == [WAITING]
    assert ("CREATED" in statuses(sim).values()) is not processed
    if processed:
        assert not result.get("failed"), result
        assert (result["changed"], result["task"]["phase"]) == (True, "cancelled")
        assert result["diff"]["after"]["phase"] == "cancelled"
        # No answer says that it was this run.
        assert result["presumed"] == [WAITING]
        assert [WAITING in warning for warning in result["warnings"]] == [True]
    else:
        assert result["presumed"] == []
        assert result["failure"]["code"] == "OutcomeUnknown"
        assert result["failure"]["retryable"] is True
        assert (result["changed"], result["task"]["id"]) == (False, WAITING)
    again = cancel(task_id)
    assert again["changed"] is not processed
    assert "CREATED" not in statuses(sim).values()


@pytest.mark.parametrize("wait", [True, False])
def test_a_lost_answer_and_a_slow_cancellation(sim, stage, cancel, wait):
    stage(WAITING, resize_cancel_delay=0.5)
    sim.faults([{"operation": CANCEL, "fault": "drop_after"}])
    result = cancel(wait=wait)
    assert (result["changed"], statuses(sim)[WAITING]) == (True, "CANCELLED")
    assert cancelled_ids(sim) == [WAITING]


def test_a_lost_answer_and_a_start_meanwhile(sim, stage, cancel, doubt_for):
    doubt_for(0.05)
    stage(WAITING)
    sim.events([just_before({"task": WAITING, "set": {"status": "EXECUTING"}})])
    sim.faults([{"operation": CANCEL, "fault": "drop_after"}])
    result = cancel()
    assert (result["failure"]["code"], result["changed"]) == ("OutcomeUnknown", False)
    assert "EXECUTING" in result["msg"]


def test_a_lost_answer_and_an_end_meanwhile(sim, stage, cancel):
    stage(WAITING)
    sim.events([just_before({"task": WAITING, "set": {"status": "SUCCESS"}})])
    sim.faults([{"operation": CANCEL, "fault": "drop_before"}])
    assert cancel()["failure"]["code"] == "TooLate"


def test_a_lost_answer_and_no_list_afterwards(sim, stage, cancel):
    stage(WAITING)
    sim.faults(
        [
            {"operation": CANCEL, "fault": "drop_after"},
            {"operation": READ, "skip": len(to_the_end(READ)), "times": None, "fault": {"status": 503}},
        ]
    )
    result = cancel(retries=0)
    assert result["failure"]["code"] == "OutcomeUnknown"
    assert result["failure"]["retryable"] is True
    assert cancelled_ids(sim) == [WAITING]


@pytest.mark.parametrize("times", [1, 2])
def test_what_was_refused_for_its_rate_is_sent_again(sim, stage, cancel, no_backoff, times):
    """429 says that nothing was done."""
    stage(WAITING)
    sim.faults([{"operation": CANCEL, "times": times, "fault": {"status": 429, "headers": {"Retry-After": "0"}}}])
    result = cancel()
    assert result["changed"] is True
    assert len(result["retried"]) == times
    assert [entry["processed"] for entry in sim.journal() if entry["operation"] == CANCEL] == [False] * times + [True]


# Refusals


@pytest.mark.parametrize("available", ["DCS.4001", "APIGW.0101"])
@pytest.mark.parametrize("task_id", [None, WAITING])
def test_a_region_without_the_api(sim, stage, cancel, available, task_id):
    stage(WAITING, resize_cancel_available=available)
    result = cancel(task_id)
    assert (result["failure"]["code"], result["failure"]["http_status"]) == (available, 404)
    assert "region does not offer" in result["failure"]["hint"]
    assert "window can be moved" in result["failure"]["hint"]
    assert (result["changed"], result["task"]["id"]) == (False, WAITING)
    assert sim.operations() == [*to_the_end(READ), CANCEL]


@pytest.mark.parametrize("available", ["DCS.4001", "APIGW.0101"])
def test_a_region_without_the_api_does_no_harm_where_there_is_nothing_to_do(stage, cancel, available):
    stage(*ENDED, resize_cancel_available=available)
    assert not cancel().get("failed")


def test_a_user_who_may_only_read(sim, module):
    key = {"access_key": "SIMULATORACCESSKEY02", "secret_key": "simulator-secret-key-for-loopback-only-02"}
    predicted = module("dcs_resize_cancel", check_mode=True, instance="redis-sessions-prod", **key)
    result = module("dcs_resize_cancel", instance="redis-sessions-prod", **key)
    assert predicted["changed"] is True
    assert (result["failure"]["http_status"], result["failure"]["operation"]) == (403, CANCEL)
    assert "dcs:instance:scale" in result["failure"]["hint"]
    assert result["changed"] is False
    assert sim.operations().count(CANCEL) == 1
    assert sim.tasks("redis-sessions-prod")[0]["status"] == "CREATED"


@pytest.mark.parametrize("available", [True, "DCS.4001"])
def test_an_instance_that_vanishes_meanwhile(sim, stage, cancel, available):
    stage(WAITING, resize_cancel_available=available)
    sim.events([just_before({"instance": REDIS, "remove": True})])
    result = cancel()
    assert result["failure"]["code"] == ("DCS.3022" if available is True else "DCS.4001")
    assert result["changed"] is False
    assert sim.operations() == [*to_the_end(READ), CANCEL]


@pytest.mark.parametrize(
    "options",
    [
        {"instance": ""},
        {"instance": "a/b"},
        {"task_id": ""},
        {"task_id": "../tasks"},
        {"wait_timeout": -1},
        {"wait_interval": 0},
    ],
    ids=str,
)
def test_wrong_input_is_refused_before_anything_is_sent(sim, stage, cancel, options):
    stage(WAITING)
    result = cancel(**options)
    assert result["failure"]["code"] == "InvalidOption"
    assert next(iter(options)) in result["msg"]
    assert sim.operations() == []


def test_details_of_a_spec_change_may_be_null(sim, stage, cancel):
    stage(WAITING)
    sim.patch({"task": WAITING, "set": {"details": None, "new_field": [1]}})
    result = cancel()
    assert (result["changed"], result["task"]["details"], result["task"]["new_field"]) == (True, None, [1])


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_listing_that_counts_more_than_it_lists_is_no_reason_to_do_nothing(stage, cancel, sim, check_mode):
    stage(WAITING)
    sim.faults([{"operation": READ, "times": 99, "fault": {"status": 200, "body": {"task_count": 1, "tasks": []}}}])
    result = cancel(check_mode=check_mode)
    assert result["failure"]["code"] == "UnreadableAnswer"
    assert "counts more" in result["msg"]
    assert cancelled_ids(sim) == []


def test_a_cancellation_of_somebody_else_that_takes_effect_a_little_later(sim, module):
    # The status stays as it is for a while after the cancellation was accepted, and a second one is refused.
    sim.switches({"resize_cancel_delay": 0.5})
    first = module("dcs_resize_cancel", instance="redis-sessions-prod", wait=False)
    second = module("dcs_resize_cancel", instance="redis-sessions-prod", wait_interval=1)
    assert (first["changed"], second["changed"]) == (True, False)
    assert "failed" not in second, second
