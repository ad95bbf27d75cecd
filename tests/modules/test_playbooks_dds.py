# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DDS modules run by real ansible-playbook: first run, second run, check mode, diff, loops and rescue."""

from __future__ import annotations

INFO = "hwcloud.maintenance.dds_scheduled_job_info"
JOB = "hwcloud.maintenance.dds_scheduled_job"

CATALOGUE = "2e4524377cd9025c7357233163db3a14in02"
PENDING_1H = "83717e93-eb0c-81dc-8119-499a03290d3d"
PENDING_8D = "3fbf2f76-d8fe-e201-153f-b3cd02a32f3d"
PENDING_300D = "15c5cef5-184e-941f-5a7d-875b550e998e"
RUNNING = "e2fe59c8-59f8-598a-ee2d-765a476ca87e"
LIST, CANCEL, LOOK_UP = "ListScheduledTasks", "CancelScheduledTask", "ListInstances"
#: What is asked once more when a listing is read to its end: the empty page, which alone proves that end.
END = [LIST]
VARYING = ("requests", "retried", "window", "invocation", "_ansible_no_log", "_ansible_verbose_always")


def pending(sim):
    """The ids of the jobs of the first project that wait."""
    return [job["job_id"] for job in sim.jobs("Pending") if job["project_id"] == sim.project_id]


def stable(result):
    return {key: value for key, value in result.items() if key not in VARYING}


def test_find_and_call_off_in_check_mode_for_real_and_again(sim, play):
    find = {INFO: {"phases": ["pending"]}, "register": "waiting"}
    cancel = {JOB: {"job_ids": "{{ waiting.jobs | map(attribute='job_id') }}"}, "diff": True}
    one = {JOB: {"instance": "dds-catalogue-prod", "job_names": "UPGRADE_DATABASE"}, "diff": True}
    run = play(
        [
            {"name": "find", **find},
            {"name": "find checked", **find, "check_mode": True},
            {"name": "one predicted", **one, "check_mode": True},
            {"name": "one done", **one},
            {"name": "one again", **one},
            {"name": "rest predicted", **cancel, "check_mode": True},
            {"name": "rest done", **cancel},
            {"name": "rest again", **cancel},
            {"name": "find nothing", **find},
            {"name": "nothing to do", JOB: {"job_ids": "{{ waiting.jobs | map(attribute='job_id') }}"}},
        ]
    )
    assert run.returncode == 0, run.output
    assert [job["job_id"] for job in run.result("find")["jobs"]] == [PENDING_1H, PENDING_8D, PENDING_300D]
    found, checked = stable(run.result("find")), stable(run.result("find checked"))
    assert checked == found
    assert found["changed"] is False

    assert stable(run.result("one predicted")) == stable(run.result("one done"))
    assert stable(run.result("rest predicted")) == stable(run.result("rest done"))
    assert run.result("one done")["cancelled"] == [PENDING_8D]
    assert run.result("rest done")["cancelled"] == [PENDING_1H, PENDING_300D]
    assert run.result("rest done")["already_cancelled"] == [PENDING_8D]
    changed = [entry["task"] for entry in run.results if entry["result"]["changed"]]
    assert changed == ["one predicted", "one done", "rest predicted", "rest done"]
    assert run.result("find nothing")["jobs"] == []
    assert pending(sim) == []
    diff = run.result("one done")["diff"]
    assert diff["before"]["jobs"] == [{"job_id": PENDING_8D, "job_name": "UPGRADE_DATABASE", "phase": "pending"}]
    assert diff["after"]["jobs"] == [{"job_id": PENDING_8D, "job_name": "UPGRADE_DATABASE", "phase": "cancelled"}]

    assert sim.operations() == [
        *[LIST, LIST],  # find, twice
        *[LOOK_UP, LIST, *END],  # one predicted
        *[LOOK_UP, LIST, *END, CANCEL, LIST],  # one done
        *[LOOK_UP, LIST, *END],  # one again
        *[LIST],  # rest predicted: all ids were seen
        *[LIST, CANCEL, CANCEL, LIST],  # rest done
        *[LIST],  # rest again
        *[LIST],  # find nothing; an empty list of ids then sends nothing
    ]


def test_a_whole_playbook_in_check_mode_writes_nothing_and_shows_the_diff(sim, play):
    before = sim.jobs()
    tasks = [{"name": "cancel", JOB: {"instance": CATALOGUE, "on_too_late": "ignore"}}]
    predicted = play(tasks, "--check", "--diff")
    assert predicted.returncode == 0, predicted.output
    assert "changed=1" in predicted.output
    assert '-            "phase": "pending"' in predicted.output
    assert '+            "phase": "cancelled"' in predicted.output
    assert {entry["method"] for entry in sim.journal()} == {"GET"}
    assert sim.jobs() == before

    done = play(tasks, "--diff")
    assert stable(done.result("cancel")) == stable(predicted.result("cancel"))
    assert sim.operations() == [*[LIST, *END], *[LIST, *END, CANCEL, LIST]]
    assert [job["job_id"] for job in sim.jobs("Canceled") if job not in before] == [PENDING_8D]


def test_a_runbook_can_branch_on_a_failure_and_use_what_was_done(sim, play):
    run = play(
        [
            {
                "name": "call off",
                "block": [{"name": "cancel", JOB: {"job_ids": [RUNNING, PENDING_1H]}, "register": "outcome"}],
                "rescue": [
                    {
                        "name": "judge",
                        "ansible.builtin.assert": {
                            "that": [
                                "outcome.failure.code == 'TooLate'",
                                "not outcome.failure.retryable",
                                f"outcome.cancelled == ['{PENDING_1H}']",
                                f"outcome.too_late == ['{RUNNING}']",
                                "outcome is changed",
                            ]
                        },
                    }
                ],
            },
            {"name": "each", JOB: {"job_id": "{{ item }}"}, "loop": [PENDING_8D, PENDING_300D]},
        ]
    )
    assert run.returncode == 0, run.output
    assert [entry["status"] for entry in run.results if entry["task"] in ("cancel", "judge")] == ["failed", "ok"]
    assert pending(sim) == []
    assert "Traceback" not in run.output


def test_all_that_waits_is_called_off_in_one_task(sim, play):
    sim.reset("fleet:0:0:120")
    all_of_it = {JOB: {"all_pending": True, "max_failures": 3}}
    run = play(
        [
            {"name": "predicted", **all_of_it, "check_mode": True},
            {"name": "by name", JOB: {"instances": ["dds-fleet"], "job_names": ["RESIZE_FLAVOR"]}, "check_mode": True},
            {"name": "done", **all_of_it},
            {"name": "again", **all_of_it},
            {"name": "unsaid", JOB: {"on_too_late": "ignore"}, "ignore_errors": True},
            {"name": "two ways", JOB: {"all_pending": True, "job_names": "REBOOT"}, "ignore_errors": True},
        ],
        "-v",
        "--diff",
    )
    assert run.returncode == 0, run.output
    assert stable(run.result("predicted")) == stable(run.result("done")) == stable(run.result("by name"))
    assert run.result("done")["cancelled"] == run.result("predicted")["cancelled"]
    assert (len(run.result("done")["cancelled"]), pending(sim)) == (120, [])
    changed = [entry["task"] for entry in run.results if entry["result"].get("changed")]
    assert changed == ["predicted", "by name", "done"]
    assert run.output.count('-            "phase": "pending"') == 3 * 120
    assert run.output.count('+            "phase": "cancelled"') == 3 * 120
    assert "all_pending=true" in run.result("unsaid")["msg"]
    assert "all_pending" in run.result("two ways")["msg"]
    assert "[WARNING]" not in run.output
    assert "Traceback" not in run.output
    assert sim.operations() == [
        *[LIST, LIST, *END],  # predicted: two pages
        *[LOOK_UP, LIST, LIST, *END],  # by name
        *[LIST, LIST, *END],  # done
        *[CANCEL] * 120,
        *[LIST, LIST, *END],
        *[LIST, LIST, *END],  # again; the rest sends nothing
    ]


def test_a_bulk_task_that_fails_in_part_says_all_to_a_runbook(sim, play):
    sim.reset("fleet:0:0:40")
    begun, gone = pending(sim)[7:9]
    sim.events(
        [{"before": CANCEL, "do": [{"job": begun, "set": {"job_status": "Running"}}, {"job": gone, "remove": True}]}]
    )
    run = play(
        [
            {"name": "cancel", JOB: {"all_pending": True}, "register": "outcome", "ignore_errors": True},
            {
                "name": "judge",
                "ansible.builtin.assert": {
                    "that": [
                        "outcome is failed",
                        "outcome is changed",
                        "outcome.failure.code == 'TooLate'",
                        "outcome.cancelled | length == 38",
                        f"outcome.too_late == ['{begun}']",
                        f"outcome.missing == ['{gone}']",
                        "outcome.failed_jobs == []",
                        "outcome.not_tried == []",
                        "outcome.diff.after.jobs | length == 38",
                    ]
                },
            },
        ],
        "-v",
        "--diff",
    )
    assert run.returncode == 0, run.output
    assert pending(sim) == []
    assert begun in run.result("cancel")["msg"]
    assert "[WARNING]" not in run.output
