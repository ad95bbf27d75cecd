# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module says when no answer confirms what it did: it looks again, and claims nothing without saying how it knows.

The simulator's state is the truth for what was done; who did it is what only an answer can tell.
"""

from __future__ import annotations

from typing import Any

import pytest

REDIS = "11111111-1111-4111-8111-111111111111"
DONE, OTHER = "1" * 32, "2" * 32
MONGO = f"{'a' * 32}in02"
JOB, OTHER_JOB = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "ab")
LIST_JOBS, CANCEL_JOB = "ListScheduledTasks", "CancelScheduledTask"

SCENE: dict[str, Any] = {
    "dcs_instances": [
        {
            "name": "redis-a",
            "instance_id": REDIS,
            "tasks": [
                {"id": DONE, "name": "modify", "status": "SUCCESS", "created_ago": "1d"},
                {"id": OTHER, "name": "modify", "status": "SUCCESS", "created_ago": "2d"},
            ],
        }
    ],
    "dds_instances": [{"name": "mongo-a", "id": MONGO}],
    "scheduled_jobs": [
        {"job_id": JOB, "instance_id": MONGO, "job_status": "Pending", "created_ago": "1h"},
        {"job_id": OTHER_JOB, "instance_id": MONGO, "job_status": "Pending", "created_ago": "2h"},
    ],
}
#: One request after the other, and none of them twice.
IN_TURN = {"max_concurrency": 1, "retries": 0}

by_instance_and_centre = pytest.mark.parametrize(
    ("where", "deletes"),
    [({"instance": REDIS}, "DeleteBackgroundTask"), ({}, "DeleteCenterTask")],
    ids=["instance", "centre"],
)

#: Answers with a status of success that are not the documented confirmation.
ODD_ANSWERS: dict[str, Any] = {
    "words": {"status": 200, "body": {"message": "failed, still running"}},
    "accepted only": {"status": 202, "body": {}},
    "accepted only, without a body": {"status": 202},
    "created": {"status": 201, "body": {"message": ""}},
    "an error": {"status": 200, "body": {"error_code": "DCS.5000", "error_msg": "No."}},
    "a list": {"status": 200, "body": []},
    "a page": {"status": 200, "body": "<html>Sign in</html>"},
}
#: Those that say that the request was received, so that what then shows is the doing of this run.
ACCEPTED = ("accepted only", "accepted only, without a body")


@pytest.fixture
def scene(sim):
    """The simulator with two records that can be removed and two jobs that can be called off."""
    sim.reset(SCENE)
    return sim


def remaining(sim) -> set[str]:
    """The ids of the tasks that are there."""
    return {task["id"] for task in sim.state()["tasks"]}


def job_status(sim, job_id: str) -> str:
    """The status of a job."""
    return str(next(job["job_status"] for job in sim.jobs() if job["job_id"] == job_id))


def says_presumed(result: dict[str, Any], ids: list[str]) -> bool:
    """Whether the result has these ids as presumed, and one warning that names them, or none."""
    warnings = [line for line in result.get("warnings", []) if line.startswith("No answer confirms")]
    named = len(warnings) == bool(ids) and all(id_ in line for line in warnings for id_ in ids)
    return result["presumed"] == ids and named


@by_instance_and_centre
@pytest.mark.parametrize("processed", [False, True])
@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_an_odd_answer_to_a_removal_is_looked_at_again(scene, module, where, deletes, processed, odd):
    scene.faults([{"operation": deletes, "fault": {**ODD_ANSWERS[odd], "processed": processed}}])
    result = module("dcs_task", task_ids=[DONE, OTHER], state="absent", **where, **IN_TURN)
    gone = {DONE, OTHER} - remaining(scene)
    assert set(result["removed"]) == gone
    assert (DONE in gone) is processed
    assert says_presumed(result, [DONE] if processed and odd not in ACCEPTED else [])
    assert result["changed"] is bool(gone)
    assert result.get("failed", False) is not processed
    if not processed:
        assert "not known whether it was done" in result["msg"]
        assert [entry["task_id"] for entry in result["failed_tasks"]] == [DONE]
        assert result["failure"]["code"] == "UnreadableAnswer"
    assert module("dcs_task", task_ids=[DONE, OTHER], state="absent", **where)["presumed"] == []
    assert remaining(scene) == set()


@by_instance_and_centre
@pytest.mark.parametrize(
    "fault",
    [{"status": 200}, {"status": 200, "body": {}}, {"status": 200, "body": {"message": ""}}, {"status": 204}],
    ids=str,
)
def test_a_documented_answer_confirms_a_removal(scene, module, where, deletes, fault):
    scene.faults([{"operation": deletes, "fault": {**fault, "processed": True}}])
    result = module("dcs_task", task_ids=[DONE], state="absent", **where)
    assert (result["removed"], result["changed"]) == ([DONE], True)
    assert says_presumed(result, [])


@by_instance_and_centre
@pytest.mark.parametrize("check_mode", [False, True])
def test_a_record_that_another_user_removes_after_an_error_of_the_service(scene, module, where, deletes, check_mode):
    """C(changed) is true, as it may have been this run, and the result says that this is presumed."""
    scene.faults([{"operation": deletes, "fault": {"status": 500}}])
    scene.events([{"after": deletes, "do": [{"task": DONE, "remove": True}]}])
    result = module("dcs_task", task_ids=[DONE, OTHER], state="absent", check_mode=check_mode, **where, **IN_TURN)
    assert (result.get("failed"), result["changed"], result["removed"]) == (None, True, [DONE, OTHER])
    assert says_presumed(result, [] if check_mode else [DONE])


def test_a_record_that_another_user_removes_before_is_not_presumed(scene, module):
    scene.events([{"before": "DeleteBackgroundTask", "do": [{"task": DONE, "remove": True}]}])
    result = module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent")
    assert (result["changed"], result["removed"], result["absent"]) == (False, [], [DONE])
    assert says_presumed(result, [])


def test_an_answer_after_a_repetition_confirms_it(scene, module, no_backoff):
    """The first may have done nothing, but then the second did it, and both are of this run."""
    scene.faults([{"operation": "DeleteBackgroundTask", "fault": {"status": 500}}])
    result = module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent")
    assert (result["removed"], len(result["retried"])) == ([DONE], 1)
    assert says_presumed(result, [])


def test_one_listing_that_lacks_a_record_does_not_say_that_it_was_removed(scene, module):
    glitch = {"status": 200, "body": {"task_count": 0, "tasks": []}}
    scene.faults(
        [
            {"operation": "DeleteBackgroundTask", "fault": {"status": 500}},
            {"operation": "ListBackgroundTask", "skip": 1, "fault": glitch},
        ]
    )
    result = module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent", **IN_TURN)
    assert (result["failed"], result["changed"], result["removed"]) == (True, False, [])
    assert says_presumed(result, [])
    assert DONE in remaining(scene)


def test_a_failure_says_what_is_presumed_too(scene, module):
    scene.faults(
        [
            {"operation": "DeleteBackgroundTask", "fault": {"status": 500, "processed": True}},
            {"operation": "DeleteBackgroundTask", "fault": {"status": 400}},
        ]
    )
    result = module("dcs_task", instance=REDIS, task_ids=[DONE, OTHER], state="absent", **IN_TURN)
    assert (result["failed"], result["changed"], result["removed"]) == (True, True, [DONE])
    assert says_presumed(result, [DONE])


@pytest.mark.parametrize("processed", [False, True])
@pytest.mark.parametrize("odd", ODD_ANSWERS)
def test_an_odd_answer_to_the_cancellation_of_a_job(scene, module, processed, odd):
    scene.faults([{"operation": CANCEL_JOB, "fault": {**ODD_ANSWERS[odd], "processed": processed}}])
    options = {"job_ids": [JOB], "wait_timeout": 1, "wait_interval": 1}
    result = module("dds_scheduled_job", **options, **IN_TURN)
    assert job_status(scene, JOB) == ("Canceled" if processed else "Pending")
    assert result["cancelled"] == ([JOB] if processed else [])
    # The one answer that is documented is 204.
    assert says_presumed(result, [JOB] if processed else [])
    assert result.get("failed", False) is not processed
    assert result["changed"] is processed
    if not processed:
        assert result["failure"]["code"] == "UnreadableAnswer"
    again = module("dds_scheduled_job", **options)
    assert (again["changed"], again["presumed"]) == (not processed, [])


def test_a_job_that_another_user_calls_off_after_an_error_of_the_service(scene, module):
    scene.faults([{"operation": CANCEL_JOB, "fault": {"status": 500}}])
    scene.events([{"after": CANCEL_JOB, "do": [{"job": JOB, "set": {"job_status": "Canceled"}}]}])
    result = module("dds_scheduled_job", job_ids=[JOB, OTHER_JOB], **IN_TURN)
    assert (result["changed"], result["cancelled"]) == (True, [JOB, OTHER_JOB])
    assert says_presumed(result, [JOB])


@pytest.mark.parametrize(
    "faults",
    [
        [{"operation": "DeleteBackgroundTask", "fault": {"status": 200, "body": {"message": "a-secret-{0}"}}}],
        [{"operation": "DeleteBackgroundTask", "fault": {"status": 200, "body": {"message": "x" * 5000}}}],
    ],
    ids=["secret", "long"],
)
def test_an_odd_answer_is_quoted_without_secrets_and_cut(scene, module, faults):
    faults[0]["fault"]["body"]["message"] = faults[0]["fault"]["body"]["message"].replace("{0}", scene.secret_key)
    scene.faults(faults)
    result = module("dcs_task", instance=REDIS, task_ids=[DONE], state="absent", **IN_TURN)
    assert scene.secret_key not in str(result)
    assert len(result["msg"]) < 700


def test_in_check_mode_nothing_was_removed_yet(scene, module):
    nobody = "00000000-0000-4000-8000-000000000000"
    options = {"instances": [REDIS, nobody], "phases": ["succeeded"], "state": "absent"}
    predicted, done = (module("dcs_task", check_mode=check_mode, **options) for check_mode in (True, False))
    assert "(2 tasks would be removed, " in predicted["msg"]
    assert "(2 tasks removed, " in done["msg"]


def test_in_check_mode_a_refusal_says_what_would_be(scene, module):
    scene.patch({"task": DONE, "set": {"status": "EXECUTING"}})
    options = {"instance": REDIS, "task_ids": [DONE, OTHER], "state": "absent"}
    predicted, done = (module("dcs_task", check_mode=check_mode, **options) for check_mode in (True, False))
    assert predicted["msg"].startswith("Nothing would be removed, as 1 of 2 tasks have not ended")
    assert done["msg"].startswith("Nothing was removed, as 1 of 2 tasks have not ended")
