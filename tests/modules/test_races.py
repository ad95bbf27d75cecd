# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other users, a slow or disturbed service, and a wrong clock do while a module works.

What one look has settled stays settled; what is not known is said, and can be found out by a second run.
"""

from __future__ import annotations

import sys
import time
from email.utils import formatdate
from typing import Any

import pytest

from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Wait
from tests.proof.clock import install

REDIS = "11111111-1111-4111-8111-111111111111"
WAITING, DONE, OTHER = "1" * 32, "2" * 32, "3" * 32
MONGO = f"{'a' * 32}in02"
JOB, OTHER_JOB = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "ab")

LIST, DELETE, CANCEL_RESIZE = "ListBackgroundTask", "DeleteBackgroundTask", "CancelInstanceResize"
LIST_JOBS, CANCEL_JOB = "ListScheduledTasks", "CancelScheduledTask"
#: One request after the other, and none of them twice.
IN_TURN = {"max_concurrency": 1, "retries": 0}
BUSY = {"status": 503, "headers": {"Retry-After": "0"}}
CONFLICT = {"status": 409, "body": {"error_code": "DBS.200011", "error_msg": "Not now."}}


#: As it is when no fixture makes it short.
AFTER_REFUSAL = Wait.after_refusal


@pytest.fixture
def scene(sim):
    """An instance with a spec change that waits and two records, another one with two jobs that wait."""
    tasks = [
        {"id": WAITING, "name": "EXTEND", "status": "CREATED", "created_ago": "1h"},
        {"id": DONE, "name": "modify", "status": "SUCCESS", "created_ago": "1d"},
        {"id": OTHER, "name": "modify", "status": "SUCCESS", "created_ago": "2d"},
    ]
    sim.reset(
        {
            "dcs_instances": [{"name": "redis-a", "instance_id": REDIS, "tasks": tasks}],
            "dds_instances": [{"name": "mongo-a", "id": MONGO}],
            "scheduled_jobs": [
                {"job_id": JOB, "instance_id": MONGO, "job_status": "Pending", "created_ago": "1h"},
                {"job_id": OTHER_JOB, "instance_id": MONGO, "job_status": "Pending", "created_ago": "2h"},
            ],
        }
    )
    return sim


@pytest.fixture
def real_waits(scene, monkeypatch):
    """Doubt lasts as long as it does for users, but time passes at once, here and in the cloud."""
    clock = install(monkeypatch, ["dcs_resize_cancel", "dds_scheduled_job"])
    sleep = clock.sleep

    def pass_time(seconds: float) -> None:
        sleep(seconds)
        scene.advance(seconds)

    monkeypatch.setattr(clock, "sleep", pass_time)
    for client in (sys.modules[name] for name in list(sys.modules) if name.endswith("module_utils._http")):
        defaults = client.Client.__init__.__kwdefaults__
        monkeypatch.setitem(defaults, "wait", pass_time)
    monkeypatch.setattr(Wait, "after_refusal", AFTER_REFUSAL)


def of_job(job_id: str, fault: Any, **more: Any) -> dict[str, Any]:
    """A fault of the cancellation of one job."""
    return {"operation": CANCEL_JOB, "path": job_id, "fault": fault, **more}


def looks_that_fail(operation: str, after: int) -> dict[str, Any]:
    """Each listing fails, but for so many requests at first."""
    return {"operation": operation, "skip": after, "times": None, "fault": BUSY}


# What a look has settled


def test_a_job_that_one_look_shows_as_cancelled_stays_so_when_the_next_look_fails(scene, module, doubt_for):
    doubt_for(5)
    scene.faults(
        [
            of_job(JOB, "drop_after"),
            of_job(OTHER_JOB, CONFLICT),
            # The first listing takes two requests, as it is read to its end, and so does the first look.
            looks_that_fail(LIST_JOBS, 4),
        ]
    )
    result = module("dds_scheduled_job", job_ids=[JOB, OTHER_JOB], wait_interval=1, **IN_TURN)
    assert (result["changed"], result["cancelled"], result["presumed"]) == (True, [JOB], [JOB])
    (failed,) = result["failed_jobs"]
    assert failed["job_id"] == OTHER_JOB
    # What refused it, and why it is not known what became of it since.
    assert "DBS.200011" in failed["msg"]
    assert "ListScheduledTasks failed with HTTP 503" in failed["msg"]
    assert failed["failure"]["retryable"] is True
    assert {job["job_id"]: job["phase"] for job in result["jobs"]} == {JOB: "cancelled", OTHER_JOB: "pending"}


def test_of_two_accepted_cancellations_only_the_one_that_no_look_has_shown_is_in_doubt(scene, module):
    scene.switches({"dds_cancel_delay": 3600})
    scene.events([{"before": LIST_JOBS, "count": 3, "do": [{"job": JOB, "set": {"job_status": "Canceled"}}]}])
    scene.faults([looks_that_fail(LIST_JOBS, 4)])
    result = module("dds_scheduled_job", job_ids=[JOB, OTHER_JOB], wait_timeout=10, wait_interval=1, **IN_TURN)
    assert (result["changed"], result["cancelled"]) == (True, [JOB])
    assert [entry["job_id"] for entry in result["failed_jobs"]] == [OTHER_JOB]
    assert "could not be read again" in result["msg"]


# An answer that is lost, a repetition that is refused, and a look that fails


@pytest.mark.parametrize(
    ("module_name", "options", "fault", "listing", "before"),
    [
        ("dcs_task", {"instance": REDIS, "task_ids": [DONE], "state": "absent"}, DELETE, LIST, 1),
        ("dcs_resize_cancel", {"instance": REDIS}, CANCEL_RESIZE, LIST, 2),
        ("dds_scheduled_job", {"job_ids": [JOB]}, CANCEL_JOB, LIST_JOBS, 1),
    ],
    ids=["removal", "spec change", "job"],
)
def test_an_outcome_that_cannot_be_seen_is_unknown_and_a_new_run_finds_it(
    scene, module, no_backoff, module_name, options, fault, listing, before
):
    scene.switches({"unknown_id_status": 404})
    scene.faults([{"operation": fault, "fault": "drop_after"}, looks_that_fail(listing, before)])
    result = module(module_name, retries=1, max_concurrency=1, **options)
    assert result["failure"]["code"] == "OutcomeUnknown", result["msg"]
    assert result["failure"]["retryable"] is True
    # The look that failed is named, and so is what it was about.
    assert f"{listing} failed with HTTP 503" in result["msg"]
    assert result["failure"]["operation"] == fault
    scene.faults([])
    again = module(module_name, **options)
    assert (again.get("failed"), again["changed"]) == (None, False)


# An accepted cancellation of an earlier run that takes its time


@pytest.mark.usefixtures("real_waits")
def test_a_spec_change_that_an_earlier_run_called_off_is_waited_for(scene, module):
    scene.switches({"resize_cancel_delay": 100})
    assert module("dcs_resize_cancel", instance=REDIS, wait=False)["changed"]
    scene.advance(30)
    result = module("dcs_resize_cancel", instance=REDIS, wait_timeout=300)
    assert (result.get("failed"), result["changed"]) == (None, False), result
    assert scene.tasks("redis-a")[0]["status"] == "CANCELLED"


@pytest.mark.usefixtures("real_waits")
def test_a_job_that_an_earlier_run_called_off_is_waited_for(scene, module):
    scene.switches({"dds_cancel_delay": 100})
    module("dds_scheduled_job", job_ids=[JOB], wait_timeout=0)
    scene.advance(30)
    result = module("dds_scheduled_job", job_ids=[JOB], wait_timeout=300)
    assert (result.get("failed"), result["changed"], result["already_cancelled"]) == (None, False, [JOB]), result


@pytest.mark.parametrize("module_name", ["dcs_resize_cancel", "dds_scheduled_job"])
def test_what_still_waits_after_a_refusal_can_be_tried_again(scene, module, module_name):
    scene.faults([{"operation": name, "times": None, "fault": CONFLICT} for name in (CANCEL_RESIZE, CANCEL_JOB)])
    which = {"instance": REDIS} if module_name == "dcs_resize_cancel" else {"job_ids": [JOB]}
    result = module(module_name, wait_timeout=1, wait_interval=1, **which)
    assert (result["failed"], result["failure"]["code"], result["failure"]["retryable"]) == (True, "DBS.200011", True)


# A record that another user removes, and that is listed a little longer


@pytest.mark.parametrize("times", [1, 2])
def test_a_record_that_is_listed_a_little_longer_than_it_exists(scene, module, doubt_for, times):
    doubt_for(10)
    scene.faults(
        [{"operation": DELETE, "fault": {"status": 404, "body": {"error_code": "DCS.4404", "error_msg": "unknown"}}}]
    )
    # The record vanishes from the listing only after some looks.
    scene.events([{"before": LIST, "count": 2 + times, "do": [{"task": DONE, "remove": True}]}])
    result = module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent", **IN_TURN)
    assert (result.get("failed"), result["changed"], result["absent"]) == (None, False, [DONE]), result


def test_a_record_that_the_service_does_not_know_but_lists_for_ever_is_a_failure(scene, module, doubt_for):
    doubt_for(1)
    scene.faults([{"operation": DELETE, "times": None, "fault": {"status": 404, "body": {"error_code": "DCS.4404"}}}])
    result = module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent", **IN_TURN)
    assert result["failure"]["code"] == "DCS.4404"
    assert "could not be found" in result["failure"]["hint"]


# A list that shifts between two pages


@pytest.mark.parametrize("counted", [True, False], ids=["with a count", "without"])
def test_a_list_that_shifts_between_two_pages_hides_nothing_that_runs(sim, module, counted):
    """Oldest first, one record of the first page is removed and one is added at the end: the count stays as it is."""
    tasks = [
        {"id": f"{number:032x}", "name": "modify", "status": "SUCCESS", "created_ago": 10000 - number}
        for number in range(1002)
    ]
    tasks[1000]["status"] = "EXECUTING"
    sim.reset({"dcs_instances": [{"name": "redis-a", "instance_id": REDIS, "tasks": tasks}]})
    sim.switches({"list_order": "oldest_first"})
    removal = {"task": tasks[3]["id"], "remove": True}
    addition = {"task": "f" * 32, "instance": REDIS, "add": {"name": "modify", "status": "SUCCESS"}}
    sim.events([{"before": LIST, "count": 2, "do": [removal, addition]}])
    if not counted:
        sim.faults([{"operation": LIST, "times": None, "fault": {"edit": [{"at": ["task_count"], "remove": True}]}}])
    result = module(
        "dcs_task", instances=REDIS, phases=["running", "pending"], state="finished", check_mode=True, max_concurrency=1
    )
    assert result["unfinished"] == [tasks[1000]["id"]]


# A clock that is wrong


@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task"])
@pytest.mark.parametrize(
    ("fast", "selected"), [(0, {DONE, OTHER}), (600, {DONE, OTHER}), (-600, {DONE, OTHER}), (3600, {DONE, OTHER})]
)
def test_an_age_counts_by_the_service_s_clock(scene, module, name, fast, selected):
    """The machine's clock is so many seconds fast: what was created just now is not older than five minutes."""
    scene.patch(
        {"task": WAITING, "set": {"status": "SUCCESS", "created_at": _api_time(fast and -fast)}},
        {"task": DONE, "set": {"created_at": _api_time(-fast - 310)}},
    )
    scene.faults(
        [
            {
                "operation": LIST,
                "times": None,
                "fault": {"edit": [], "headers": {"Date": formatdate(time.time() - fast, usegmt=True)}},
            }
        ]
    )
    state = {"state": "absent", "phases": ["succeeded"]} if name == "dcs_task" else {}
    result = module(name, instances=REDIS, older_than="5m", **state)
    found = set(result["removed"]) if name == "dcs_task" else {task["id"] for task in result["tasks"]}
    assert found == selected


@pytest.mark.parametrize(
    ("date", "selected"),
    [
        ("Tue, 01 Jan 2999 00:00:00 GMT", {DONE, OTHER}),
        ("Thu, 01 Jan 1970 00:00:00 GMT", set()),
        ("Mon, 01 Jan 0001 00:00:00 GMT", set()),
        ("long ago", {DONE, OTHER}),
        ("", {DONE, OTHER}),
    ],
)
def test_a_date_that_cannot_be_right_makes_nothing_older(scene, module, date, selected):
    """A clock that is ahead is believed up to the 15 minutes that a signature allows."""
    scene.patch({"task": WAITING, "set": {"status": "SUCCESS", "created_at": _api_time(0)}})
    scene.faults([{"operation": LIST, "times": None, "fault": {"edit": [], "headers": {"Date": date}}}])
    result = module("dcs_task", instances=REDIS, phases=["succeeded"], older_than="1h", state="absent")
    assert set(result["removed"]) == selected


def _api_time(seconds_ahead: float) -> str:
    moment = time.time() + seconds_ahead
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))


# Nothing is begun after what stops


def test_after_a_refusal_no_second_page_is_asked_for(sim, module):
    sim.reset("fleet:3:1500")
    instances = [instance["instance_id"] for instance in sim.state()["dcs_instances"]]
    denied = {"status": 403, "body": {"error_code": "DCS.2003", "error_msg": "No permission."}}
    sim.faults([{"operation": LIST, "path": instances[2], "fault": denied}])
    result = module("dcs_task_info", instances=instances, max_concurrency=1)
    assert result["failure"]["code"] == "DCS.2003"
    offsets = [entry["query"]["offset"] for entry in sim.journal() if entry["operation"] == LIST]
    assert offsets == [["0"], ["0"], ["0"]]


def test_one_garbled_answer_can_be_tried_again(scene, module):
    scene.faults([{"operation": LIST, "fault": "garbage"}])
    result = module("dcs_task_info", instances=REDIS)
    assert (result["failure"]["code"], result["failure"]["retryable"]) == ("UnreadableAnswer", True)
    assert not module("dcs_task_info", instances=REDIS).get("failed")
