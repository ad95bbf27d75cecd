# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DCS modules with every switch of the simulator in every position: what they report is what is there."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import connection
from tests.contract.caller import Caller
from tests.harness.listings import to_the_end
from tests.harness.rows import in_rows
from tests.simulator.switches import SWITCHES

WAITING, DONE, FAILED, CANCELLED, OLD = (letter * 32 for letter in "12345")
RUNNING = "6" * 32
GONE = "f" * 32

SCENE: dict[str, Any] = {
    "dcs_instances": [
        {
            "name": "redis-a",
            "tasks": [
                {"id": WAITING, "name": "EXTEND", "status": "CREATED", "created_ago": "1h"},
                {"id": DONE, "name": "AddWhitelist", "status": "SUCCESS", "created_ago": "2d", "took": "1m"},
                {"id": FAILED, "name": "UpdatePort", "status": "FAILED", "created_ago": "3d", "error_code": "DCS.5094"},
                {"id": CANCELLED, "name": "ChangeInstanceSpec", "status": "CANCELLED", "created_ago": "4d"},
                # Created before, but ended after the time for which the tests ask.
                {"id": OLD, "name": "EXTEND", "status": "SUCCESS", "created_ago": "40d", "took": "39d"},
            ],
        },
        {
            "name": "redis-b",
            "tasks": [{"id": RUNNING, "name": "EXTEND", "status": "EXECUTING", "created_ago": "1m"}],
        },
        {"name": "redis-c"},
    ]
}

#: Switches that change what a DCS module sees, and every position that is tried.
POSITIONS: dict[str, tuple[Any, ...]] = {
    "waiting_status": ("CREATED", "EXECUTING", "WAITING_FOR_WINDOW"),
    "waiting_instance_status": ("EXTENDING", "RUNNING"),
    "cancelled_record": ("kept", "removed"),
    "resize_cancel_available": (True, "DCS.4001", "APIGW.0101"),
    "resize_cancel_delay": (0, 0.3),
    "started_cancel_error": ("DCS.4239", "DCS.4957", "DCS.4113"),
    "unknown_status_word": (False, True, "CONVERTING"),
    "deletable_statuses": (["SUCCESS", "FAILED", "CANCELLED"], ["SUCCESS", "FAILED"], ["SUCCESS"]),
    "delete_status": (200, 202, 204),
    "task_centre_available": (True, False),
    "unknown_id_status": (404, 400),
    "unknown_instance_status": (404, 400),
    "error_shape": ("v2", "v1", "nine_digit"),
    "time_filter": ("both", "start_time", "begin_time", "none"),
    "time_field": ("created_at", "updated_at"),
    "list_order": ("newest_first", "oldest_first", "shuffled"),
    "legacy_top_level": (False, True),
    "task_count_type": ("int", "string", "missing", "wrong"),
    "page_fault": ("none", "short", "empty", "repeated"),
    "capacity_type": ("string", "number"),
    "azs": ("strings", "objects"),
    "latency_ms": (0, 20),
}
#: Positions with a test of their own below: with it, a task says nothing of its status.
APART: dict[str, tuple[Any, ...]] = {"legacy_top_level": ("only",)}
#: Switches with tests of their own below.
SIGN_IN = ("token_region", "token_ttl", "max_skew_minutes", "lock_seconds", "resize_seconds")
#: Switches of what no DCS module uses.
NOT_DCS = (
    "dds_groups",
    "dds_instance_form",
    "dds_unknown_instance",
    "dds_unknown_instance_listed",
    "dds_too_late_error",
    "dds_repeat_cancel",
    "dds_cancel_delay",
    "mongos_role",
    "instant_task_count",
    "window_hours",
    "window_form",
    "iam_catalog",
    "wrong_method",
    "metadata",
)

EACH_POSITION = in_rows(("switch", "value"), [(name, value) for name, values in POSITIONS.items() for value in values])

PHASES = {
    "CREATED": "pending",
    "EXECUTING": "running",
    "SUCCESS": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
WRITES = {"DeleteBackgroundTask", "DeleteCenterTask", "CancelInstanceResize", "ResizeInstance"}


@pytest.fixture
def stage(sim):
    """Load the scene and set a switch."""

    def load(switch: str, value: Any) -> None:
        sim.reset(SCENE)
        sim.switches({switch: value})

    return load


def listed(sim, *, centre: bool = False, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The tasks of the state as dcs_task_info must return them."""
    expected = []
    for task in sim.state()["tasks"]:
        shown = {key: value for key, value in task.items() if key != "project_id"}
        details = shown.get("details")
        if details:
            text = {key: str(details[key]) for key in ("old_capacity", "new_capacity") if key in details}
            shown["details"] = {**details, **text}
        shown["phase"] = PHASES.get(shown["status"], "unknown")
        if centre:
            shown["instance_id"] = None
        if shown["id"] not in without:
            expected.append(shown)
    return sorted(expected, key=lambda task: task["created_at"], reverse=True)


def remaining(sim) -> set[str]:
    """The ids of the tasks that are there."""
    return {task["id"] for task in sim.state()["tasks"]}


def written(sim) -> list[str]:
    """The writing operations of the journal."""
    return [name for name in sim.operations() if name in WRITES]


def told(result: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without what it cost."""
    return {key: value for key, value in result.items() if key not in ("requests", "retried", "waited", "progress")}


def check_unread(sim, result: dict[str, Any]) -> bool:
    """Whether no listing can be read to its end, since the same page comes again; the result then says so.

    Where absence decides, such a listing may lack something, and nothing may be done.
    """
    if sim.switches()["page_fault"] != "repeated":
        return False
    assert (result["failure"]["code"], result["failure"]["retryable"]) == ("UnreadableAnswer", True)
    assert "gave the same page again" in result["msg"]
    assert result["changed"] is False
    assert written(sim) == []
    return True


def test_every_switch_has_its_place():
    """A new switch fails here until a test of it is written."""
    assert sorted(SWITCHES) == sorted([*POSITIONS, *SIGN_IN, *NOT_DCS])


def test_every_switch_of_dds_is_named_by_a_test_of_dds():
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_dds_*.py"))
    assert [name for name in NOT_DCS if name.startswith("dds_") and f'"{name}"' not in text] == []


@pytest.mark.parametrize("switch", POSITIONS)
def test_every_position_is_tried(switch):
    table = SWITCHES[switch]
    if table.kind == "one_of":
        tried = [*POSITIONS[switch], *APART.get(switch, ())]
        assert {repr(value) for value in tried} == {repr(value) for value in table.values}
    assert table.default in POSITIONS[switch]
    assert len(POSITIONS[switch]) >= 2


def test_tasks_whose_status_is_only_beside_the_list(sim, module):
    """The page does not say to which of several tasks it belongs, so that none of them has it."""
    sim.reset(SCENE)
    sim.switches({"legacy_top_level": "only"})
    result = module("dcs_task_info", instances="redis-a")
    assert {task["id"] for task in result["tasks"]} == {task["id"] for task in sim.tasks("redis-a")}
    assert {task["phase"] for task in result["tasks"]} == {"unknown"}
    assert not any("status" in task for task in result["tasks"])


@EACH_POSITION
def test_tasks_of_all_instances(sim, module, stage, switch, value):
    stage(switch, value)
    result = module("dcs_task_info", instances="all")
    assert result["tasks"] == listed(sim)
    assert result["summary"]["total"] == 6


@EACH_POSITION
def test_tasks_of_the_task_centre_since_a_time(sim, module, stage, switch, value):
    stage(switch, value)
    result = module("dcs_task_info", start_time="10d")
    if not sim.switches()["task_centre_available"]:
        assert result["failed"]
        assert result["failure"]["code"] == "APIGW.0101"
        assert "does not offer" in result["failure"]["hint"]
        return
    # C1: whichever name and field the service filters by, if any.
    assert result["tasks"] == listed(sim, centre=True, without=(OLD,))
    assert {"start_time"} <= sim.journal()[0]["query"].keys()


@EACH_POSITION
def test_an_instance_that_does_not_exist(sim, module, stage, switch, value):
    stage(switch, value)
    nobody = "00000000-0000-4000-8000-000000000000"
    for name, options in (
        ("dcs_task_info", {"instances": [nobody]}),
        ("dcs_task", {"instance": nobody, "task_ids": [DONE], "state": "absent"}),
        ("dcs_task", {"instance": nobody, "task_ids": [DONE], "state": "finished"}),
        ("dcs_resize_cancel", {"instance": nobody}),
    ):
        result = module(name, **options)
        assert result["failed"], name
        assert result["failure"]["http_status"] == sim.switches()["unknown_instance_status"]
        if result["failure"]["http_status"] == 404:
            assert "does not know this instance" in result["failure"]["hint"]
    assert written(sim) == []


@EACH_POSITION
def test_removing(sim, module, stage, switch, value):
    stage(switch, value)
    options = {"instance": "redis-a", "task_ids": [FAILED, DONE, GONE, CANCELLED], "state": "absent"}
    before = remaining(sim)
    predicted = module("dcs_task", check_mode=True, **options)
    assert written(sim) == []
    assert remaining(sim) == before
    done = module("dcs_task", **options)
    if check_unread(sim, done):
        assert told(predicted).keys() == told(done).keys()
        return
    removed = before - remaining(sim)
    assert set(done["removed"]) == removed
    assert done["changed"] is True
    assert done["absent"] == [GONE]
    deletable = sim.switches()["deletable_statuses"]
    refused = {task_id for task_id, word in ((FAILED, "FAILED"), (CANCELLED, "CANCELLED")) if word not in deletable}
    assert removed == {DONE, FAILED, CANCELLED} - refused
    if refused:  # C9: no list tells what the service allows to be removed, so check mode cannot know.
        assert {entry["task_id"] for entry in done["failed_tasks"]} == refused
        assert done["failure"]["code"] == "DCS.4957"
        assert done["not_tried"] == []
        return
    assert told(predicted) == told(done)
    again = module("dcs_task", **options)
    assert (again["changed"], again["removed"]) == (False, [])
    assert len(written(sim)) == 3


@EACH_POSITION
def test_removing_through_the_task_centre(sim, module, stage, switch, value):
    stage(switch, value)
    result = module("dcs_task", task_ids=[DONE, GONE], state="absent")
    if not sim.switches()["task_centre_available"]:
        assert result["failure"]["code"] == "APIGW.0101"
        assert remaining(sim) >= {DONE}
        return
    if check_unread(sim, result):
        return
    assert result["removed"] == [DONE]
    assert DONE not in remaining(sim)
    assert result["diff"]["before"] == {"tasks": [{"id": DONE, "name": "AddWhitelist", "status": "SUCCESS"}]}


@EACH_POSITION
@pytest.mark.parametrize(("instance", "unfinished"), [("redis-a", WAITING), ("redis-b", RUNNING)])
def test_an_unfinished_task_is_refused_before_anything_is_removed(
    sim, module, stage, switch, value, instance, unfinished
):
    stage(switch, value)
    for check_mode in (True, False):
        result = module(
            "dcs_task", check_mode=check_mode, instance=instance, task_ids=[DONE, unfinished], state="absent"
        )
        # DONE is of redis-a, where the listing ends once both were seen.
        if instance != "redis-a" and check_unread(sim, result):
            continue
        assert result["failure"]["code"] == "DCS.4957"
        assert (result["changed"], result["removed"]) == (False, [])
        assert unfinished in result["msg"]
    assert written(sim) == []


@EACH_POSITION
def test_looking_whether_tasks_have_ended(sim, module, stage, switch, value):
    stage(switch, value)
    options = {"instance": "redis-a", "state": "finished", "wait_timeout": 0}
    looked = module("dcs_task", check_mode=True, task_ids=[WAITING, DONE, GONE], **options)
    waited = module("dcs_task", task_ids=[WAITING, DONE, GONE], **options)
    if check_unread(sim, looked):
        assert check_unread(sim, waited)
        return
    for result in (looked, waited):
        assert (result["changed"], result["unfinished"], result["absent"]) == (False, [WAITING], [GONE])
    assert waited["failure"]["code"] == "WaitTimeout"
    assert looked["failure"]["code"] == "NotFound"
    excused = module("dcs_task", check_mode=True, task_ids=[WAITING, GONE], missing_ok=True, **options)
    assert not excused.get("failed")
    ended = module("dcs_task", task_ids=[DONE, CANCELLED], accepted_phases=["succeeded", "cancelled"], **options)
    assert not ended.get("failed")


@EACH_POSITION
@pytest.mark.parametrize("task_id", [None, WAITING])
def test_calling_off(sim, module, stage, switch, value, task_id):
    stage(switch, value)
    options = {"instance": "redis-a", "wait_interval": 1, **({"task_id": task_id} if task_id else {})}
    before = sim.state()
    predicted = module("dcs_resize_cancel", check_mode=True, **options)
    if check_unread(sim, predicted):
        assert check_unread(sim, module("dcs_resize_cancel", **options))
        return
    assert predicted["changed"] is True
    assert written(sim) == []
    assert sim.state() == before
    done = module("dcs_resize_cancel", **options)
    assert written(sim) == ["CancelInstanceResize"]
    if sim.switches()["resize_cancel_available"] is not True:
        assert sim.state() == before
        assert done["changed"] is False
        assert "does not offer" in done["failure"]["hint"]
        return
    assert done["changed"] is True
    waiting = [task["status"] for task in sim.state()["tasks"] if task["id"] == WAITING]
    assert waiting == (["CANCELLED"] if sim.switches()["cancelled_record"] == "kept" else [])
    assert done["task"]["phase"] == predicted["task"]["phase"] == "cancelled"
    assert done["diff"] == predicted["diff"]
    assert done.keys() == predicted.keys()
    again = module("dcs_resize_cancel", **options)
    assert again["changed"] is False
    assert written(sim) == ["CancelInstanceResize"]


@EACH_POSITION
@pytest.mark.parametrize("task_id", [None, RUNNING])
def test_calling_off_what_has_started(sim, module, stage, switch, value, task_id):
    stage(switch, value)
    options = {"instance": "redis-b", **({"task_id": task_id} if task_id else {})}
    before = remaining(sim)
    predicted = module("dcs_resize_cancel", check_mode=True, **options)
    if check_unread(sim, predicted):
        assert check_unread(sim, module("dcs_resize_cancel", **options))
        return
    assert predicted["failure"]["code"] == "TooLate"
    assert written(sim) == []
    done = module("dcs_resize_cancel", **options)
    assert done["failed"]
    assert (predicted["changed"], done["changed"]) == (False, False)
    assert predicted.keys() == done.keys()
    assert written(sim) == ["CancelInstanceResize"]
    assert remaining(sim) == before
    if sim.switches()["resize_cancel_available"] is True:
        # As check mode has predicted; the message has the code of the refusal, however the service writes it.
        assert done["failure"]["code"] == "TooLate"
        assert sim.switches()["started_cancel_error"].rpartition(".")[2] in done["msg"]
        assert done["task"]["id"] == RUNNING


@pytest.mark.parametrize("error_shape", POSITIONS["error_shape"])
@pytest.mark.parametrize("available", ["DCS.4001", "APIGW.0101"])
def test_a_region_without_the_api_is_explained_whatever_the_shape_of_its_error(
    sim, module, stage, error_shape, available
):
    stage("resize_cancel_available", available)
    sim.switches({"error_shape": error_shape})
    result = module("dcs_resize_cancel", instance="redis-a")
    assert "region does not offer" in result["failure"]["hint"]
    assert result["failure"]["http_status"] == 404
    # Asking the list again would tell nothing.
    assert sim.operations() == ["ListInstances", *to_the_end("ListBackgroundTask"), "CancelInstanceResize"]


@pytest.mark.parametrize("error_shape", POSITIONS["error_shape"])
@pytest.mark.parametrize("status", [404, 400])
def test_a_task_that_vanishes_is_no_change_whatever_the_shape_of_the_error(sim, module, stage, error_shape, status):
    stage("error_shape", error_shape)
    sim.switches({"unknown_id_status": status})
    sim.events([{"before": "DeleteBackgroundTask", "do": [{"task": DONE, "remove": True}]}])
    result = module("dcs_task", instance="redis-a", task_ids=[DONE], state="absent")
    assert not result.get("failed")
    assert (result["changed"], result["removed"], result["absent"]) == (False, [], [DONE])


# Without a count, an empty page is the end; and a count of the page alone agrees with a page that is short.
# Nothing tells these listings from complete ones.
_UNDECIDABLE = {("empty", "missing"), ("short", "wrong")}
_DISTURBANCES = [
    pair
    for pair in itertools.product(POSITIONS["page_fault"], POSITIONS["task_count_type"])
    if pair not in _UNDECIDABLE
]


@pytest.mark.parametrize("source", ["instance", "centre"])
@pytest.mark.parametrize(("page_fault", "task_count_type"), _DISTURBANCES)
def test_more_tasks_than_a_page_holds(sim, module, source, page_fault, task_count_type):
    sim.reset("fleet:1:2500")
    sim.switches({"page_fault": page_fault, "task_count_type": task_count_type})
    options = {"instances": [sim.instance("redis-fleet-00000")["instance_id"]]} if source == "instance" else {}
    result = module("dcs_task_info", **options)
    if page_fault == "repeated":
        assert result["failure"]["code"] == "UnreadableAnswer"
        assert result["failure"]["retryable"] is True
        assert result["tasks"] == []
        return
    assert {task["id"] for task in result["tasks"]} == remaining(sim)
    assert len(result["tasks"]) == result["summary"]["total"] == 2500
    if page_fault == "none" and task_count_type in ("int", "string"):
        assert sim.operations() == ["ListBackgroundTask" if source == "instance" else "ListCenterTask"] * 3
        assert "warnings" not in result


@pytest.mark.parametrize("page_fault", POSITIONS["page_fault"])
def test_more_instances_than_a_page_holds(sim, module, page_fault):
    sim.reset("fleet:1100:1")
    sim.switches({"page_fault": page_fault})
    result = module("dcs_task_info", instances=["redis-fleet-00001", "redis-fleet-01099"])
    if page_fault == "repeated":
        assert result["failure"]["operation"] == "ListInstances"
        assert set(sim.operations()) == {"ListInstances"}
        return
    wanted = [sim.instance(name)["instance_id"] for name in ("redis-fleet-00001", "redis-fleet-01099")]
    assert {task["instance_id"] for task in result["tasks"]} == set(wanted)
    if page_fault == "none":
        assert sim.operations() == ["ListInstances"] * 2 + ["ListBackgroundTask"] * 2


def with_password(sim) -> dict[str, Any]:
    """Options that sign in with a password instead of an access key."""
    return {
        **connection(sim),
        "access_key": None,
        "secret_key": None,
        "username": sim.username,
        "password": sim.password,
        "domain_name": sim.domain_name,
    }


@pytest.mark.parametrize(("token_ttl", "sign_ins"), [(86400, 1), (0.5, 2)])
def test_a_token_that_expires_while_waiting_is_renewed(sim, module, stage, token_ttl, sign_ins):
    stage("token_ttl", token_ttl)
    sim.events([{"after": "ListCenterTask", "do": [{"task": RUNNING, "set": {"finish_after": 0.6}}]}])
    result = module("dcs_task", task_ids=[RUNNING], state="finished", wait_interval=1, **with_password(sim))
    assert not result.get("failed"), result
    assert sim.operations().count("KeystoneCreateUserTokenByPassword") == sign_ins
    assert result["tasks"][0]["phase"] == "succeeded"


@pytest.mark.parametrize(("max_skew_minutes", "accepted"), [(15, True), (0, False)])
def test_a_clock_that_is_wrong_is_explained_and_nothing_is_sent_again(
    sim, module, stage, max_skew_minutes, accepted, monkeypatch
):
    stage("max_skew_minutes", max_skew_minutes)
    result = module("dcs_resize_cancel", instance="redis-a")
    assert result.get("failed", False) is not accepted
    if not accepted:
        assert result["failure"]["http_status"] == 401
        assert "clock" in result["failure"]["hint"]
        assert sim.operations() == ["ListInstances"]


@pytest.mark.parametrize(("lock_seconds", "accepted"), [(300, False), (0, True)])
def test_a_locked_access_key_is_explained(sim, module, stage, lock_seconds, accepted):
    stage("lock_seconds", lock_seconds)
    for _attempt in range(6):
        wrong = module("dcs_task_info", secret_key="wrong-secret-key")
        assert wrong["failure"]["http_status"] == 401
    assert len(sim.operations()) == 6  # none of them was repeated
    result = module("dcs_task_info")
    assert result.get("failed", False) is not accepted
    if not accepted:
        assert "locked" in result["failure"]["hint"]


@pytest.mark.parametrize(("resize_seconds", "ended"), [(30, False), (0.2, True)])
def test_waiting_for_a_spec_change_that_was_started_at_once(sim, module, stage, resize_seconds, ended):
    stage("resize_seconds", resize_seconds)
    assert Caller(sim).resize("redis-c", immediately=True).status_code == 204
    task_id = sim.tasks("redis-c")[0]["id"]
    result = module(
        "dcs_task", instance="redis-c", task_ids=[task_id], state="finished", wait_timeout=1, wait_interval=1
    )
    assert result.get("failed", False) is not ended
    assert sim.tasks("redis-c")[0]["status"] == ("SUCCESS" if ended else "EXECUTING")
