# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worst that an answer of the service could do, through the real ansible-playbook, on the newest and oldest core.

An id that is part of a path would lead a request elsewhere: C(DELETE …/instances/I/tasks/..) is "delete this instance". And
a result that Ansible cannot read would be lost after something was changed. All of this and more is in
C(tests/proof/test_content_matrix.py), in this process.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.playbooks import Run

STAGING = "4e4c7b07-2b76-a671-be2b-de36fd847468"
ENDED = ["succeeded", "failed", "cancelled"]

pytestmark = pytest.mark.worst


def edit(operation: str, *changes: tuple[list[Any], str]) -> dict[str, Any]:
    """A rule of the simulator: in all answers of an operation these places hold these JSON texts."""
    edits = [{"at": at, "to": text} for at, text in changes]
    return {"operation": operation, "times": None, "fault": {"edit": edits}}


def task(name: str, module: str, **options: Any) -> dict[str, Any]:
    """A task of a playbook that goes on when this fails."""
    return {"name": name, f"hwcloud.maintenance.{module}": options, "ignore_errors": True, "register": "done"}


def requests_sent(sim: Any) -> list[tuple[str, str]]:
    """Method and operation of each request; what no document has, has no operation."""
    return [(entry["method"], entry["operation"]) for entry in sim.journal()]


def things(sim: Any) -> set[tuple[str, str]]:
    """What there is; the status of a task may change by itself meanwhile."""
    state = sim.state()
    return {
        *(("task", each["id"]) for each in state["tasks"]),
        *((each["job_status"], each["job_id"]) for each in state["scheduled_jobs"]),
        *(("instance", each["instance_id"]) for each in state["dcs_instances"]),
        *(("instance", each["id"]) for each in state["dds_instances"]),
    }


def check_refused(run: Run, name: str, operation: str, identifier: str) -> None:
    """The task failed, the answer is what is wrong, and the sentence names what answered, and the id in quotes."""
    result = run.result(name)
    assert [entry["status"] for entry in run.results if entry["task"] == name] == ["failed"]
    assert result["changed"] is False
    assert result["failure"]["code"] == "UnreadableAnswer", result
    assert operation in result["msg"]
    assert f"'{identifier}'" in result["msg"]


@pytest.mark.parametrize("identifier", ["..", "."])
def test_an_id_of_a_task_that_would_lead_elsewhere(sim, play, identifier):
    sim.faults(
        [
            edit(operation, (["tasks", 0, "id"], f'"{identifier}"'), (["tasks", 0, "status"], '"SUCCESS"'))
            for operation in ("ListBackgroundTask", "ListCenterTask")
        ]
    )
    before = things(sim)
    run = play(
        [
            task("Remove", "dcs_task", instance=STAGING, phases=["succeeded"], state="absent"),
            task("Remove everywhere", "dcs_task", instances=[STAGING], phases=ENDED, state="absent"),
            task("Wait", "dcs_task", instance=STAGING, phases=["succeeded"], state="finished"),
            task("Look", "dcs_task_info", instances=[STAGING]),
            task("Look at the task centre", "dcs_task_info"),
        ]
    )
    assert requests_sent(sim) == [("GET", "ListBackgroundTask")] * 4 + [("GET", "ListCenterTask")]
    for name in ("Remove", "Remove everywhere", "Wait", "Look"):
        check_refused(run, name, "ListBackgroundTask", identifier)
        assert STAGING in run.result(name)["msg"]
    check_refused(run, "Look at the task centre", "ListCenterTask", identifier)
    assert things(sim) == before


@pytest.mark.parametrize("identifier", ["..", "."])
def test_an_id_of_a_job_that_would_lead_elsewhere(sim, play, identifier):
    sim.faults([edit("ListScheduledTasks", (["schedules", 0, "job_id"], f'"{identifier}"'))])
    before = things(sim)
    run = play(
        [
            task("Call off", "dds_scheduled_job", all_pending=True),
            task("Look", "dds_scheduled_job_info"),
        ]
    )
    assert requests_sent(sim) == [("GET", "ListScheduledTasks")] * 2
    for name in ("Call off", "Look"):
        check_refused(run, name, "ListScheduledTasks", identifier)
    assert things(sim) == before


def test_an_id_of_an_instance_that_would_lead_elsewhere(sim, play):
    sim.faults(
        [
            {**edit("ListInstances", (["instances", 0, "instance_id"], '".."')), "service": "dcs"},
            {**edit("ListInstances", (["instances", 0, "id"], '".."')), "service": "dds"},
        ]
    )
    before = things(sim)
    run = play(
        [
            task("Remove", "dcs_task", instances="all", phases=ENDED, state="absent"),
            task("Look", "dcs_instance_info"),
            task("Look at MongoDB", "dds_instance_info"),
        ]
    )
    assert requests_sent(sim) == [("GET", "ListInstances")] * 3
    for name in ("Remove", "Look", "Look at MongoDB"):
        check_refused(run, name, "ListInstances", "..")
    assert things(sim) == before


def test_a_result_reaches_the_user_whatever_a_record_holds(sim, play):
    """Ansible throws away a result with an unknown type, and one with text that is no UTF-8."""
    edits = edit(
        "ListBackgroundTask",
        (["tasks", 0, "details"], '{"__ansible_type": "Nope", "text": "a\\ud800b", "number": 1e999}'),
        (["tasks", -1, "params"], '"\\udfff"'),
        (["tasks", -1, "deep"], "[" * 3000 + "]" * 3000),
    )
    sim.faults([edits])
    tasks = [each["id"] for each in sim.state()["tasks"] if each["instance_id"] == STAGING]
    assert len(tasks) == 4
    run = play(
        [
            task("Look", "dcs_task_info", instances=[STAGING]),
            task("Remove", "dcs_task", instance=STAGING, phases=ENDED, state="absent"),
            {"name": "Use the result", "ansible.builtin.debug": {"msg": "{{ done.removed | sort | join(',') }}"}},
        ],
        "--diff",
        "-vvv",
    )
    assert run.returncode == 0, run.output
    seen = run.result("Look")["tasks"]
    assert {each["id"] for each in seen} == set(tasks)
    assert seen[0]["details"] == {"api___ansible_type": "Nope", "text": "a\ufffdb", "number": None}
    removed = run.result("Remove")
    assert (removed["changed"], sorted(removed["removed"])) == (True, sorted(tasks))
    assert run.result("Use the result")["msg"] == ",".join(sorted(tasks))
    assert not [each for each in sim.state()["tasks"] if each["instance_id"] == STAGING]
    json.dumps(run.results).encode("utf-8")
