# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DCS modules in real playbooks: check mode, diff, first and second run, failures, and the documented examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.listings import to_the_end

MODULES = Path(__file__).parents[2] / "plugins" / "modules"

SESSIONS = "2f55a1c6-d0bf-a848-7c47-5bdf79903d32"
CART = "e42ed27a-22e9-2376-3999-92a0db414119"
STAGING = "4e4c7b07-2b76-a671-be2b-de36fd847468"
WAITING = "24401d1dc583dc828e8e3c005aaad020"
CARRIED_OUT = "8f8fc9b624243d1fe5d9598f5cac1b43"
RUNNING = "90e1c9d28554b1c9d30308b41f90ee27"
# Of redis-cache-staging, oldest first.
MODIFIED = "7c001de519c35e9f174a6d047b20c8eb"
REPLICA = "56a92e4b28bd4b87c526d7a74a80e08f"
# Of redis-reports.
EXPORTED = "f8f72897ff1ceb1a28d61c5e03f69fb5"

WRITES = {"DeleteBackgroundTask", "DeleteCenterTask", "CancelInstanceResize", "ResizeInstance"}


def task(name: str, module: str, **options: Any) -> dict[str, Any]:
    """A task of a playbook."""
    return {"name": name, f"hwcloud.maintenance.{module}": options}


def told(result: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without what it cost and what Ansible adds."""
    return {
        key: value
        for key, value in result.items()
        if not key.startswith("_ansible") and key not in ("invocation", "requests", "retried", "waited", "progress")
    }


CALL_OFF = task("Call off", "dcs_resize_cancel", instance=SESSIONS, wait_interval=1)
REMOVE = task("Remove", "dcs_task", instance=STAGING, task_ids=[REPLICA, "0" * 32, MODIFIED], state="absent")
REMOVE_CENTRE = task("Remove through the centre", "dcs_task", task_id=EXPORTED, state="absent")
LOOK = task("Look", "dcs_task", instance=STAGING, task_id=[REPLICA], state="finished", accepted_phases="failed")
COUNT = task("Count", "dcs_task_info")
CHANGES = [CALL_OFF, REMOVE, REMOVE_CENTRE]


def test_check_mode_first_run_and_second_run(sim, play):
    """The main path of every module: predicted, done, and then nothing more to do."""
    before = sim.state()
    checked = play([LOOK, *CHANGES, COUNT], "--check", "--diff")
    assert checked.returncode == 0, checked.output
    assert not WRITES & set(sim.operations())
    assert [each["status"] for each in before["tasks"] if each["id"] != RUNNING] == [
        each["status"] for each in sim.state()["tasks"] if each["id"] != RUNNING
    ]
    assert checked.result("Count")["summary"]["total"] == 14

    start = len(sim.operations())
    first = play([LOOK, *CHANGES, COUNT], "--diff")
    assert first.returncode == 0, first.output
    assert sim.operations()[start:] == [
        "ListBackgroundTask",
        *(*to_the_end("ListBackgroundTask"), "CancelInstanceResize", "ListBackgroundTask"),
        # One of its ids is never listed.
        *(*to_the_end("ListBackgroundTask"), "DeleteBackgroundTask", "DeleteBackgroundTask"),
        *("ListCenterTask", "DeleteCenterTask"),
        "ListCenterTask",
    ]
    assert first.result("Count")["summary"]["total"] == 11
    left = {each["id"]: each["status"] for each in sim.state()["tasks"]}
    assert left[WAITING] == "CANCELLED"
    assert not {REPLICA, MODIFIED, EXPORTED} & left.keys()

    for name, changed in (("Look", False), ("Call off", True), ("Remove", True), ("Remove through the centre", True)):
        predicted, done = told(checked.result(name)), told(first.result(name))
        assert (predicted["changed"], done["changed"]) == (changed, changed), name
        assert predicted.keys() == done.keys(), name
        assert predicted["diff"] == done["diff"], name
        if name != "Call off":
            assert predicted == done, name
    assert first.result("Remove")["diff"] == {
        "before": {
            "tasks": [
                {"id": REPLICA, "name": "DelReplica", "status": "FAILED"},
                {"id": MODIFIED, "name": "modify", "status": "SUCCESS"},
            ]
        },
        "after": {"tasks": []},
    }
    assert first.result("Call off")["diff"] == {
        "before": {"task_id": WAITING, "name": "EXTEND", "phase": "pending"},
        "after": {"task_id": WAITING, "name": "EXTEND", "phase": "cancelled"},
    }
    for line in (f'-            "id": "{REPLICA}"', '-    "phase": "pending"', '+    "phase": "cancelled"'):
        assert line in first.output
        assert line in checked.output

    start = len(sim.operations())
    second = play([*CHANGES, COUNT])
    assert second.returncode == 0, second.output
    assert [entry["result"]["changed"] for entry in second.results] == [False] * 4
    # Nothing is left to call off or to remove; to count needs no proof of the end.
    absent = [*to_the_end("ListBackgroundTask") * 2, *to_the_end("ListCenterTask")]
    assert sim.operations()[start:] == [*absent, "ListCenterTask"]
    assert "diff" not in second.result("Remove")
    assert second.result("Remove").keys() | {"diff"} >= told(first.result("Remove")).keys()
    again = play([*CHANGES, COUNT], "--check")
    assert [told(entry["result"]) for entry in again.results] == [told(entry["result"]) for entry in second.results]


def test_failures_can_be_branched_on(sim, play):
    """A failure is caught, and its C(failure) and C(hint) are at hand in the playbook."""
    nobody = "00000000-0000-4000-8000-000000000000"
    cases = [
        ("dcs_task_info", {"instances": [nobody]}, "DCS.3022"),
        ("dcs_task_info", {"start_time": "tomorrow"}, "InvalidOption"),
        ("dcs_task", {"instance": SESSIONS, "task_ids": [WAITING], "state": "absent"}, "DCS.4957"),
        ("dcs_task", {"task_ids": [REPLICA], "state": "finished"}, "EndedBadly"),
        ("dcs_resize_cancel", {"instance": "redis-nobody"}, "NotFound"),
        ("dcs_resize_cancel", {"instance": SESSIONS, "task_id": CARRIED_OUT}, "TooLate"),
        ("dcs_resize_cancel", {"instance": SESSIONS, "secret_key": "a-wrong-secret-key"}, "APIGW.0301"),
    ]
    tasks: list[dict[str, Any]] = []
    for number, (module, options, code) in enumerate(cases):
        tasks += [
            {**task(f"Case {number}", module, **options), "register": "outcome", "ignore_errors": True},
            {
                "name": f"Branch {number}",
                "ansible.builtin.assert": {
                    "that": [
                        "outcome is failed",
                        "outcome is not changed",
                        f"outcome.failure.code == '{code}'",
                        "outcome.failure.keys() | length == 7",
                        "outcome.msg is not search('\\n')",
                    ]
                },
            },
        ]
    run = play(tasks, "-vvv")
    assert run.returncode == 0, run.output
    # Not in the output as a whole: there, Ansible quotes the lines of the playbook that failed.
    assert "a-wrong-secret-key" not in json.dumps(run.results)
    assert sim.secret_key not in json.dumps(run.results)
    assert "Traceback" not in run.output
    assert not WRITES & set(sim.operations())


def test_a_removal_that_fails_half_way(sim, play):
    """The rescue part of a block can say what was done, what failed, and what was left."""
    wanted = [MODIFIED, REPLICA, "3be379d779760594ee2d9ed7fd8a931d"]
    body = {"error_code": "DCS.2007", "error_msg": "Policy does not allow it."}
    sim.faults([{"operation": "DeleteBackgroundTask", "skip": 1, "fault": {"status": 403, "body": body}}])
    failing = {
        # One request after the other, so that it is known which was the second.
        **task("Remove", "dcs_task", instance=STAGING, task_ids=wanted, state="absent", max_concurrency=1),
        "register": "outcome",
        "ignore_errors": True,
    }
    checks = [
        f"outcome.removed == ['{wanted[0]}']",
        f"outcome.failed_tasks | map(attribute='task_id') | list == ['{wanted[1]}']",
        f"outcome.not_tried == ['{wanted[2]}']",
        "outcome is failed",
        "outcome is changed",
    ]
    run = play([failing, {"name": "Report", "ansible.builtin.assert": {"that": checks}}])
    assert run.returncode == 0, run.output
    assert "dcs:instance:deleteBackgroundTask" in run.result("Remove")["failure"]["hint"]
    assert {wanted[0]} == set(wanted) - {each["id"] for each in sim.state()["tasks"]}


def test_it_really_waits(sim, play):
    """A task that ends between the first look and a later one, which it counts down only after the first."""
    sim.patch({"task": RUNNING, "set": {"status": "EXECUTING", "finish_after": 3600}})
    sim.events([{"after": "ListBackgroundTask", "do": [{"task": RUNNING, "set": {"finish_after": 1.5}}]}])
    wait = task("Wait", "dcs_task", instance="redis-cart-prod", task_ids=RUNNING, state="finished", wait_interval=1)
    clear = task("Clear", "dcs_task", instance="redis-cart-prod", task_ids=RUNNING, state="absent")
    run = play([wait, clear])
    assert run.returncode == 0, run.output
    result = run.result("Wait")
    assert (result["changed"], result["tasks"][0]["status"], result["unfinished"]) == (False, "SUCCESS", [])
    assert result["progress"][0].endswith(" s: 0 of 1 ended, 1 running")
    assert result["progress"][-1].endswith("s: 1 of 1 ended")
    assert result["waited"] >= 1.5
    assert run.result("Clear")["removed"] == [RUNNING]


def test_a_lost_answer(sim, play):
    sim.faults(
        [
            {"operation": "CancelInstanceResize", "fault": "drop_after"},
            {"operation": "DeleteBackgroundTask", "fault": "drop_after"},
        ]
    )
    run = play([CALL_OFF, REMOVE])
    assert run.returncode == 0, run.output
    assert (run.result("Call off")["changed"], run.result("Remove")["changed"]) == (True, True)
    assert run.result("Remove")["removed"] == [REPLICA, MODIFIED]
    assert sim.operations().count("CancelInstanceResize") == 1
    assert sim.operations().count("DeleteBackgroundTask") == 3


@pytest.mark.parametrize("mode", ["--diff", "--check"])
def test_the_documented_examples(sim, play, mode):
    """Each example of the three modules, as it is printed, against the project for which it is written."""
    new = "a" * 32
    sim.patch({"task": new, "instance": CART, "add": {"name": "EXTEND", "status": "CREATED"}})
    tasks: list[dict[str, Any]] = []
    for name in ("dcs_task_info", "dcs_resize_cancel", "dcs_task"):
        documentation = yaml.safe_load((MODULES / f"{name}.yml").read_text(encoding="utf-8"))
        tasks += yaml.safe_load(documentation["EXAMPLES"])
    run = play(tasks, mode)
    assert run.returncode == 0, run.output
    assert {entry["action"] for entry in run.results} >= {
        f"hwcloud.maintenance.{name}" for name in ("dcs_task_info", "dcs_resize_cancel", "dcs_task")
    }
    left = {each["id"] for each in sim.tasks("redis-sessions-prod")}
    status = next(each["status"] for each in sim.tasks("redis-cart-prod") if each["id"] == new)
    if mode == "--check":
        assert not WRITES & set(sim.operations())
        assert (len(left), status) == (6, "CREATED")
    else:
        assert (left, status) == ({WAITING}, "CANCELLED")
