# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""dds_scheduled_job against the simulator, whose state is the truth for what the module claims to have done."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import connection
from tests.harness.modules import run_module
from tests.simulator import switches as simulator_switches

MODULE = "dds_scheduled_job"

ORDERS = "5e065fa666d2885a860db67c990f30afin02"
CATALOGUE = "2e4524377cd9025c7357233163db3a14in02"
STAGING = "493d31c9de74142d56fdb6bd98f2a6c0in02"

PENDING_1H = "83717e93-eb0c-81dc-8119-499a03290d3d"
PENDING_8D = "3fbf2f76-d8fe-e201-153f-b3cd02a32f3d"
PENDING_300D = "15c5cef5-184e-941f-5a7d-875b550e998e"
PENDING = [PENDING_1H, PENDING_8D, PENDING_300D]
RUNNING = "e2fe59c8-59f8-598a-ee2d-765a476ca87e"
CANCELED = "5d79a513-49d4-b8ea-7629-a162aa05c0b0"
COMPLETED = "fdd53460-a03b-5f49-8314-7b488158aa89"
FAILED = "55006db4-31cd-49eb-ce55-ad68bb152bb7"
NO_JOB = "00000000-0000-4000-8000-000000000000"

LIST, CANCEL, LOOK_UP = "ListScheduledTasks", "CancelScheduledTask", "ListInstances"
#: What is asked once more when a listing is read to its end: the empty page, which alone proves that end.
END = [LIST]
KEYS = {
    "changed",
    "jobs",
    "cancelled",
    "presumed",
    "already_cancelled",
    "already_failed",
    "window",
    "too_late",
    "missing",
    "failed_jobs",
    "not_tried",
    "diff",
    "requests",
    "retried",
}

#: Every switch of the simulator that concerns scheduled jobs, with each of its positions.
POSITIONS = {
    "list_order": ["newest_first", "oldest_first", "shuffled"],
    "page_fault": ["none", "short", "empty", "repeated"],
    "dds_groups": ["array", "object"],
    "dds_instance_form": ["table", "sample"],
    "mongos_role": ["master", "Primary"],
    "dds_unknown_instance_listed": ["empty", "refused"],
    "dds_unknown_instance": ["DBS.280110", "DBS.200002", "DBS.201501", "DBS.201028"],
    "unknown_id_status": [404, 400],
    "dds_too_late_error": ["DBS.280343", "DBS.200076"],
    "dds_repeat_cancel": ["error", "204"],
    "dds_cancel_delay": [0, 1],
}
#: Those that concern DCS, the sign-in or the transport only. A switch that is in neither list fails a test below.
FOREIGN = {
    "waiting_status",
    "waiting_instance_status",
    "cancelled_record",
    "resize_cancel_available",
    "resize_cancel_delay",
    "resize_seconds",
    "started_cancel_error",
    "unknown_status_word",
    "deletable_statuses",
    "delete_status",
    "task_centre_available",
    "unknown_instance_status",
    "window_hours",
    "window_form",
    "instant_task_count",
    "iam_catalog",
    "wrong_method",
    "error_shape",
    "time_filter",
    "time_field",
    "legacy_top_level",
    "task_count_type",
    "capacity_type",
    "azs",
    "metadata",
    "token_region",
    "token_ttl",
    "max_skew_minutes",
    "lock_seconds",
    "latency_ms",
}
ALL_POSITIONS = [(name, value) for name, values in POSITIONS.items() for value in values]


def status(sim, job_id):
    return next((job["job_status"] for job in sim.jobs() if job["job_id"] == job_id), None)


def statuses(sim):
    return {job["job_id"]: job["job_status"] for job in sim.jobs()}


def writes(sim):
    return [entry for entry in sim.journal() if entry["method"] != "GET"]


def failure_of(result):
    assert result["failed"] is True, result
    assert "\n" not in result["msg"]
    return result["failure"]


def of_job(sim, job_id, phase):
    job = next(job for job in sim.jobs() if job["job_id"] == job_id)
    return {"job_id": job_id, "job_name": job["job_name"], "phase": phase}


def test_every_switch_that_concerns_scheduled_jobs_is_tried_in_every_position():
    known = simulator_switches.SWITCHES
    assert set(known) == set(POSITIONS) | FOREIGN
    for name, values in POSITIONS.items():
        if known[name].kind == "one_of":
            assert set(values) == set(known[name].values), name
    # The simulator's own DDS code reads no other switch.
    source = (Path(simulator_switches.__file__).parent / "dds.py").read_text(encoding="utf-8")
    read = set(re.findall(r'switches\["(\w+)"\]', source))
    assert read <= set(POSITIONS)


# --- What is called off ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("job_id", PENDING)
def test_a_pending_job_of_any_age_is_called_off_once(sim, module, job_id):
    before = statuses(sim)
    first = module(MODULE, job_ids=[job_id])
    assert set(first) == KEYS
    assert first["changed"] is True
    assert first["cancelled"] == [job_id]
    assert [(job["job_id"], job["job_status"], job["phase"]) for job in first["jobs"]] == [
        (job_id, "Canceled", "cancelled")
    ]
    assert sim.operations() == [LIST, CANCEL, LIST]
    assert first["requests"] == 3
    assert statuses(sim) == {**before, job_id: "Canceled"}

    second = module(MODULE, job_ids=[job_id])
    assert set(second) == KEYS
    assert second["changed"] is False
    assert (second["cancelled"], second["already_cancelled"]) == ([], [job_id])
    assert second["diff"] == {"before": {"jobs": []}, "after": {"jobs": []}}
    assert sim.operations()[3:] == [LIST]


SELECTIONS = [
    {"job_ids": [PENDING_1H]},
    {"job_id": PENDING_8D},
    {"job_ids": PENDING},
    {"job_ids": [PENDING_300D, CANCELED, PENDING_1H, PENDING_300D]},
    {"job_ids": [CANCELED]},
    {"job_ids": [PENDING_1H, RUNNING, COMPLETED, FAILED], "on_too_late": "ignore"},
    {"job_ids": [PENDING_1H, RUNNING, COMPLETED, FAILED]},
    {"job_ids": [NO_JOB, PENDING_1H], "missing_ok": True},
    {"job_ids": [NO_JOB, PENDING_1H]},
    {"job_ids": [PENDING_1H, PENDING_300D], "lookback": "10d", "missing_ok": True},
    {"job_ids": []},
    {"instance": ORDERS},
    {"instance": "dds-orders-prod"},
    {"instance_id": STAGING.upper()},
    {"instance": "dds-orders-staging", "lookback": "10d"},
    {"instance": CATALOGUE, "on_too_late": "ignore"},
    {"instance": CATALOGUE},
    {"instance": CATALOGUE, "job_names": ["UPGRADE_DATABASE"]},
    {"instance": CATALOGUE, "job_names": ["UPGRADE_DATABASE", "REBOOT"]},
    {"instance": CATALOGUE, "job_names": ["REBOOT"]},
    {"instance": CATALOGUE, "job_names": []},
    {"instances": [ORDERS, STAGING]},
    {"instances": [CATALOGUE, STAGING], "job_names": ["UPGRADE_DATABASE", "REBOOT"]},
    {"job_names": ["REBOOT"]},
    {"job_names": ["RESIZE_FLAVOR"]},
    {"job_names": ["RESIZE_FLAVOR", "REBOOT"], "on_too_late": "ignore"},
    {"job_names": ["UPGRADE_DATABASE"], "lookback": "7d"},
    {"all_pending": True},
    {"all_pending": True, "lookback": "7d"},
]


@pytest.mark.parametrize("options", SELECTIONS, ids=str)
def test_check_mode_predicts_exactly_what_the_real_run_then_does(sim, module, options):
    before = statuses(sim)
    predicted = module(MODULE, check_mode=True, **options)
    assert writes(sim) == []
    assert statuses(sim) == before
    read = len(sim.journal())
    # A plan costs the reading only; an empty list not even that.
    if [] in options.values():
        assert read == 0
    else:
        to_the_end = not options.keys() & {"job_ids", "job_id"} or bool(predicted["missing"])
        listings = 2 if predicted["missing"] and options.get("missing_ok") else 1
        assert read == options.get("instance", "").startswith("dds-") + (1 + to_the_end * len(END)) * listings

    real = module(MODULE, max_concurrency=1, **options)
    for result in (predicted, real):
        for cost in ("requests", "retried", "window"):
            result.pop(cost)
    predicted = json.loads(json.dumps(predicted).replace(" would be called off", " called off"))
    assert real == predicted

    # The reading again, one request for each job, and one look at what became of them.
    cancelled = real["cancelled"]
    assert len(sim.journal()) - read == read + len(cancelled) + bool(cancelled)
    assert [entry["path"].rsplit("/", 1)[1] for entry in writes(sim)] == cancelled
    assert statuses(sim) == {**before, **dict.fromkeys(cancelled, "Canceled")}
    assert real["changed"] is bool(cancelled)

    again = module(MODULE, **options)
    assert again["changed"] is False
    assert again.get("failed", False) is real.get("failed", False)
    assert len(writes(sim)) == len(cancelled)


@pytest.mark.parametrize("check_mode", [True, False])
def test_the_diff_shows_what_changes_and_nothing_else(sim, module, check_mode):
    pending = [of_job(sim, PENDING_1H, "pending"), of_job(sim, PENDING_8D, "pending")]
    cancelled = [{**job, "phase": "cancelled"} for job in pending]
    options = {"job_ids": [PENDING_1H, CANCELED, PENDING_8D, COMPLETED], "on_too_late": "ignore"}
    result = module(MODULE, check_mode=check_mode, **options)
    assert result["diff"] == {"before": {"jobs": pending}, "after": {"jobs": cancelled}}
    assert "diff" not in module(MODULE, check_mode=check_mode, diff=False, **options)


@pytest.mark.parametrize("options", [{"job_ids": []}, {"instance": "dds-orders-prod", "job_names": []}], ids=str)
def test_an_empty_list_means_nothing_to_do_and_sends_nothing(sim, module, options):
    result = module(MODULE, **options)
    assert result["changed"] is False
    assert set(result) == KEYS
    assert (result["jobs"], result["requests"]) == ([], 0)
    assert sim.journal() == []


def test_the_jobs_come_in_the_order_given_and_unchanged(sim, module):
    sim.patch({"job": PENDING_8D, "set": {"a_new_field": [1]}})
    result = module(MODULE, job_ids=[PENDING_300D, CANCELED, PENDING_8D])
    assert [job["job_id"] for job in result["jobs"]] == [PENDING_300D, CANCELED, PENDING_8D]
    assert result["jobs"][2]["a_new_field"] == [1]


def test_lookback_always_goes_out_as_the_start_time(sim, module):
    module(MODULE, job_ids=[PENDING_1H], lookback="400d")
    listed = [entry["query"] for entry in sim.journal() if entry["operation"] == LIST]
    assert len(listed) == 2
    assert listed[0]["start_time"] == listed[1]["start_time"]
    assert listed[0]["start_time"][0].endswith("+0000")


def test_an_instance_takes_only_its_own_jobs_that_have_not_ended(sim, module):
    result = module(MODULE, instance="dds-orders-prod")
    assert result["cancelled"] == [PENDING_1H]
    assert (result["already_cancelled"], result["too_late"]) == ([], [])
    assert sim.operations() == [LOOK_UP, LIST, *END, CANCEL, LIST]
    assert sim.journal()[1]["query"]["instance_id"] == [ORDERS]


def test_a_job_whose_status_nobody_knows_is_left_to_the_service(sim, module):
    sim.patch({"job": PENDING_1H, "set": {"job_status": "Paused"}})
    result = module(MODULE, job_ids=[PENDING_1H])
    assert failure_of(result)["code"] == "DBS.280343"
    assert result["changed"] is False
    assert [job["job_id"] for job in result["failed_jobs"]] == [PENDING_1H]
    assert sim.operations() == [LIST, CANCEL, LIST]


def test_the_jobs_of_another_project_are_not_known_here(sim, module):
    sandbox = "8c215149-090b-867f-58f1-a24ac0b5706d"
    result = module(MODULE, job_ids=[sandbox])
    assert failure_of(result)["code"] == "NotFound"
    assert writes(sim) == []
    other = module(MODULE, project_id=sim.projects[1], job_ids=[sandbox])
    assert other["cancelled"] == [sandbox]


# --- What is no longer, or not, possible -----------------------------------------------------------------------------


@pytest.mark.parametrize("job_id", [RUNNING, COMPLETED])
@pytest.mark.parametrize("check_mode", [True, False])
def test_too_late_is_a_failure_after_the_others_were_called_off(sim, module, job_id, check_mode):
    result = module(MODULE, job_ids=[job_id, PENDING_1H], check_mode=check_mode)
    failure = failure_of(result)
    assert (failure["code"], failure["service"], failure["retryable"]) == ("TooLate", "dds", False)
    assert "on_too_late" in failure["hint"]
    assert job_id in result["msg"]
    assert PENDING_1H not in result["msg"]
    assert result["changed"] is True
    assert (result["cancelled"], result["too_late"]) == ([PENDING_1H], [job_id])
    assert f"({'1 would be called off' if check_mode else '1 called off'})" in result["msg"]
    assert status(sim, PENDING_1H) == ("Pending" if check_mode else "Canceled")


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_job_that_failed_is_neither_called_off_nor_too_late(sim, module, check_mode):
    """It has ended, and was not carried out: that is what was wanted."""
    result = module(MODULE, job_ids=[FAILED, PENDING_1H], check_mode=check_mode)
    assert "failed" not in result
    assert (result["cancelled"], result["already_failed"], result["too_late"]) == ([PENDING_1H], [FAILED], [])
    assert [FAILED in warning and "not carried out" in warning for warning in result["warnings"]] == [True]
    again = module(MODULE, job_ids=[FAILED], check_mode=check_mode)
    assert (again["changed"], again["already_failed"]) == (False, [FAILED])


@pytest.mark.parametrize("missing_ok", [False, True])
def test_an_unknown_id_is_a_failure_unless_it_may_be_missing(sim, module, missing_ok):
    result = module(MODULE, job_ids=[NO_JOB, PENDING_1H], missing_ok=missing_ok)
    assert result.get("failed", False) is not missing_ok
    assert (result["cancelled"], result["missing"]) == ([PENDING_1H], [NO_JOB])
    assert result["changed"] is True
    # One complete listing shows that it is not known, or two where that is no failure. What was called off is seen
    # before the end of the last one.
    assert sim.operations() == [LIST, *END] * (2 if missing_ok else 1) + [CANCEL, LIST]
    if not missing_ok:
        assert result["failure"]["code"] == "NotFound"
        assert NO_JOB in result["msg"]
        assert "lookback" in result["failure"]["hint"]


def test_lookback_bounds_what_is_known(sim, module):
    result = module(MODULE, job_ids=[PENDING_300D], lookback="299d")
    assert failure_of(result)["code"] == "NotFound"
    assert status(sim, PENDING_300D) == "Pending"


@pytest.mark.parametrize("name", ["dds-nothing", "dds-orders", "dds-sandbox"])
def test_an_unknown_instance_name_is_a_failure(sim, module, name):
    result = module(MODULE, instance=name)
    assert failure_of(result)["code"] == "NotFound"
    assert name in result["msg"]
    assert sim.operations() == [LOOK_UP]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, ["job_ids", "instance"]),
        ({"job_ids": [PENDING_1H], "instance": ORDERS}, ["job_ids", "instance"]),
        ({"job_ids": [PENDING_1H], "job_names": ["REBOOT"]}, ["job_ids", "job_names"]),
        ({"job_ids": [PENDING_1H], "state": "present"}, ["state"]),
        ({"job_ids": [PENDING_1H], "on_too_late": "warn"}, ["on_too_late"]),
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_refused(sim, module, options, named):
    result = module(MODULE, **options)
    assert result["failed"] is True
    assert all(option in result["msg"] for option in named)
    assert sim.journal() == []


# --- Switches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("switch", "value"), ALL_POSITIONS)
@pytest.mark.parametrize(
    ("options", "cancelled"),
    [
        ({"job_ids": [PENDING_1H, PENDING_300D, CANCELED]}, [PENDING_1H, PENDING_300D]),
        ({"instance": "dds-catalogue-prod", "on_too_late": "ignore"}, [PENDING_8D]),
        ({"job_ids": [PENDING_8D, NO_JOB], "missing_ok": True}, [PENDING_8D]),
    ],
    ids=str,
)
def test_no_switch_changes_what_is_called_off(sim, module, switch, value, options, cancelled):
    sim.switches({switch: value})
    first = module(MODULE, wait_interval=1, **options)
    if value == "repeated" and (NO_JOB in options.get("job_ids", []) or "instance" in options):
        # A listing that must be read to its end, which a service that ignores the offset never shows.
        assert failure_of(first)["code"] == "UnreadableAnswer"
        assert "the same page again" in first["msg"]
        assert (first["changed"], writes(sim)) == (False, [])
        return
    assert first["changed"] is True
    assert set(first["cancelled"]) == set(cancelled)
    assert [status(sim, job_id) for job_id in cancelled] == ["Canceled"] * len(cancelled)
    assert first.get("failed", False) is False
    assert module(MODULE, **options)["changed"] is False


def test_waits_until_an_accepted_cancellation_shows(sim, module):
    sim.switches({"dds_cancel_delay": 1})
    result = module(MODULE, job_ids=[PENDING_1H], wait_interval=1)
    assert result["changed"] is True
    assert result["jobs"][0]["job_status"] == "Canceled"
    operations = sim.operations()
    assert operations[:2] == [LIST, CANCEL]
    assert set(operations[2:]) == {LIST}
    assert len(operations) in (4, 5)


@pytest.mark.parametrize(("wait_timeout", "looks"), [(0, 1), (1, 2)])
def test_an_accepted_cancellation_that_does_not_show_in_time_is_a_failure(sim, module, wait_timeout, looks):
    sim.switches({"dds_cancel_delay": 3600})
    result = module(MODULE, job_ids=[PENDING_1H], wait_timeout=wait_timeout, wait_interval=1)
    failure = failure_of(result)
    assert (failure["code"], failure["retryable"]) == ("WaitTimeout", True)
    assert "Pending" in result["msg"]
    assert result["changed"] is True, "the service accepted it"
    assert (result["cancelled"], [job["job_id"] for job in result["failed_jobs"]]) == ([], [PENDING_1H])
    assert sim.operations() == [LIST, CANCEL] + [LIST] * looks


def test_a_listing_that_counts_more_than_it_lists_is_never_believed(sim, module):
    answer = {"status": 200, "body": {"total_count": 1, "schedules": []}}
    sim.faults([{"operation": LIST, "times": 99, "fault": answer}])
    result = module(MODULE, instance=ORDERS)
    assert failure_of(result)["code"] == "UnreadableAnswer"
    assert "counts more" in result["msg"]


# --- Others act at the same time -------------------------------------------------------------------------------------

#: What happens to a job between the listing and its DELETE: the patch, and where the id is reported then.
MEANWHILE = {
    "starts": ({"set": {"job_status": "Running"}}, "too_late"),
    "ends": ({"set": {"job_status": "Completed"}}, "too_late"),
    "fails": ({"set": {"job_status": "Failed"}}, "already_failed"),
    "is cancelled": ({"set": {"job_status": "Canceled"}}, "already_cancelled"),
    "vanishes": ({"remove": True}, "missing"),
}


@pytest.mark.parametrize("what", MEANWHILE)
@pytest.mark.parametrize("unknown", POSITIONS["unknown_id_status"])
@pytest.mark.parametrize("error", POSITIONS["dds_too_late_error"])
@pytest.mark.parametrize("excused", [True, False])
def test_a_job_that_changes_before_its_request_does_not_keep_the_others(sim, module, what, unknown, error, excused):
    sim.switches({"unknown_id_status": unknown, "dds_too_late_error": error})
    patch, reported = MEANWHILE[what]
    sim.events([{"before": CANCEL, "do": [{"job": PENDING_1H, **patch}]}])
    # The first request must be that of the first job.
    options = {"job_ids": PENDING, "max_concurrency": 1}
    result = module(MODULE, **options, missing_ok=excused, on_too_late="ignore" if excused else "fail")
    # What can be called off is called off, whatever became of the first one.
    assert [status(sim, PENDING_8D), status(sim, PENDING_300D)] == ["Canceled", "Canceled"]
    assert result["changed"] is True
    assert result["cancelled"] == [PENDING_8D, PENDING_300D]
    assert result[reported] == [PENDING_1H]
    assert (result["failed_jobs"], result["not_tried"]) == ([], [])
    expected = {"too_late": "TooLate", "missing": "NotFound"}.get(reported)
    if expected and not excused:
        assert failure_of(result)["code"] == expected
    else:
        assert "failed" not in result


def test_a_job_that_another_cancelled_is_no_failure_when_a_repeated_cancellation_is_accepted(sim, module):
    sim.switches({"dds_repeat_cancel": "204"})
    sim.events([{"before": CANCEL, "do": [{"job": PENDING_1H, "set": {"job_status": "Canceled"}}]}])
    result = module(MODULE, job_ids=[PENDING_1H])
    assert "failed" not in result
    assert result["jobs"][0]["job_status"] == "Canceled"


def test_a_job_that_starts_although_its_cancellation_was_accepted_is_too_late(sim, module):
    sim.events([{"after": CANCEL, "do": [{"job": PENDING_1H, "set": {"job_status": "Running"}}]}])
    result = module(MODULE, job_ids=[PENDING_1H])
    assert failure_of(result)["code"] == "TooLate"
    assert (result["changed"], result["cancelled"], result["too_late"]) == (False, [], [PENDING_1H])
    assert result["jobs"][0]["phase"] == "running"


def test_a_job_that_leaves_the_list_after_it_was_cancelled_counts_as_cancelled(sim, module):
    sim.events([{"after": CANCEL, "do": [{"job": PENDING_1H, "remove": True}]}])
    result = module(MODULE, job_ids=[PENDING_1H])
    assert "failed" not in result
    assert (result["cancelled"], result["presumed"]) == ([PENDING_1H], [])
    assert result["jobs"][0]["phase"] == "cancelled"
    # Two listings, each read to its end, show that it is gone.
    assert sim.operations() == [LIST, CANCEL, *[LIST, *END], *[LIST, *END]]


#: A listing that lacks everything for once.
GLITCH = {"status": 200, "body": {"total_count": 0, "schedules": []}}


def test_a_job_that_this_run_has_never_seen_is_a_failure_after_one_listing(sim, module):
    """Nothing has disappeared, so nothing is looked for in a second listing, and nothing is called off."""
    sim.faults([{"operation": LIST, "fault": GLITCH}])
    result = module(MODULE, job_ids=[PENDING_1H])
    assert (result["changed"], result["cancelled"], result["missing"]) == (False, [], [PENDING_1H])
    assert sim.operations() == [LIST], "an empty page is the end"
    assert failure_of(result)["code"] == "NotFound"


@pytest.mark.parametrize("check_mode", [True, False])
def test_where_a_missing_job_is_no_failure_two_listings_must_lack_it(sim, module, check_mode):
    sim.faults([{"operation": LIST, "fault": GLITCH}])
    result = module(MODULE, job_ids=[PENDING_1H], missing_ok=True, check_mode=check_mode)
    assert (result["changed"], result["cancelled"], result["missing"]) == (True, [PENDING_1H], [])
    assert status(sim, PENDING_1H) == ("Pending" if check_mode else "Canceled")


def test_a_second_listing_that_fails_lets_nothing_pass_for_missing(sim, module):
    sim.faults(
        [{"operation": LIST, "fault": GLITCH}, {"operation": LIST, "times": None, "fault": {"status": 403, "body": {}}}]
    )
    result = module(MODULE, job_ids=[PENDING_1H], missing_ok=True)
    assert failure_of(result)["http_status"] == 403
    assert status(sim, PENDING_1H) == "Pending"


@pytest.mark.parametrize("answered", [True, False])
def test_one_listing_that_lacks_a_job_after_its_cancellation_is_not_believed(sim, module, answered):
    sim.switches({"dds_cancel_delay": 3600})
    lost = [] if answered else [{"operation": CANCEL, "fault": "drop_before"}]
    sim.faults([*lost, {"operation": LIST, "skip": 1, "fault": GLITCH}])
    result = module(MODULE, job_ids=[PENDING_1H], wait_timeout=0, retries=0)
    assert failure_of(result)["code"] == ("WaitTimeout" if answered else "NetworkError")
    assert (result["cancelled"], result["missing"], result["changed"]) == ([], [], answered)


def test_a_job_that_is_gone_after_a_lost_answer_is_presumed_to_be_called_off(sim, module):
    sim.faults([{"operation": CANCEL, "fault": "drop_before"}])
    sim.events([{"after": CANCEL, "do": [{"job": PENDING_1H, "remove": True}]}])
    result = module(MODULE, job_ids=[PENDING_1H], retries=0)
    assert "failed" not in result, result
    assert (result["changed"], result["cancelled"], result["presumed"]) == (True, [PENDING_1H], [PENDING_1H])


def test_an_accepted_cancellation_of_what_then_reads_failed_is_told_alike_by_all_runs(sim, module):
    sim.switches({"dds_cancel_delay": 3600})
    sim.events([{"after": CANCEL, "do": [{"job": PENDING_1H, "set": {"job_status": "Failed"}}]}])
    first, second = module(MODULE, job_ids=[PENDING_1H]), module(MODULE, job_ids=[PENDING_1H])
    for result in (first, second):
        assert "failed" not in result, result
        assert [(job["job_status"], job["phase"]) for job in result["jobs"]] == [("Failed", "failed")]
        assert [PENDING_1H in warning and "not carried out" in warning for warning in result["warnings"]] == [True]
    assert (first["changed"], first["cancelled"], first["presumed"]) == (True, [PENDING_1H], [])
    assert first["diff"]["after"]["jobs"][0]["phase"] == "failed"
    assert (second["changed"], second["cancelled"], second["already_failed"]) == (False, [], [PENDING_1H])


def test_a_lost_answer_and_a_job_that_then_reads_failed_is_not_known(sim, module):
    sim.faults([{"operation": CANCEL, "fault": "drop_before"}])
    sim.events([{"after": CANCEL, "do": [{"job": PENDING_1H, "set": {"job_status": "Failed"}}]}])
    result = module(MODULE, job_ids=[PENDING_1H], retries=0)
    assert failure_of(result)["retryable"] is True
    assert "not known whether it was done" in result["msg"]
    assert (result["changed"], result["already_failed"]) == (False, [])
    assert [entry["job_id"] for entry in result["failed_jobs"]] == [PENDING_1H]
    again = module(MODULE, job_ids=[PENDING_1H])
    assert ("failed" in again, again["already_failed"]) == (False, [PENDING_1H])


def test_an_accepted_cancellation_that_came_too_late(sim, module):
    sim.events([{"after": CANCEL, "do": [{"job": PENDING_1H, "set": {"job_status": "Completed"}}]}])
    result = module(MODULE, job_ids=[PENDING_1H])
    assert failure_of(result)["code"] == "TooLate"
    assert (result["changed"], result["too_late"]) == (False, [PENDING_1H])


def test_case_does_not_matter_in_ids_and_names(sim, module):
    given = [PENDING_1H.upper(), PENDING_1H, PENDING_8D]
    listed = module("dds_scheduled_job_info", job_ids=given)
    assert {job["job_id"] for job in listed["jobs"]} == {PENDING_1H, PENDING_8D}
    result = module(MODULE, job_ids=given, max_concurrency=1)
    assert (result["cancelled"], result["missing"]) == ([PENDING_1H, PENDING_8D], [])
    assert [entry["path"].rsplit("/", 1)[1] for entry in writes(sim)] == [PENDING_1H, PENDING_8D]
    assert module(MODULE, job_names=["reboot"], check_mode=True)["cancelled"] == [PENDING_300D]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("names", "lacking"),
    [(["UPGRADE_DATABSE"], "UPGRADE_DATABSE"), (["REBOOT", "x", "y"], "x, y"), (["reboot"], None)],
)
@pytest.mark.parametrize("name", [MODULE, "dds_scheduled_job_info"])
def test_names_that_no_job_bears_are_named(sim, module, check_mode, names, lacking, name):
    result = module(name, job_names=names, check_mode=check_mode)
    expected = [] if lacking is None else [f"Nothing that was listed has one of these job_names: {lacking}."]
    assert [warning.partition(" Check")[0] for warning in result.get("warnings", [])] == expected


def test_the_window_that_was_searched_is_in_the_result(sim, module):
    for options in ({"all_pending": True, "lookback": "10d"}, {"job_ids": [NO_JOB], "lookback": "10d"}):
        result = module(MODULE, check_mode=True, **options)
        start, end = (
            datetime.fromisoformat(result["window"][key].replace("Z", "+00:00")) for key in ("start_time", "end_time")
        )
        assert end - start == timedelta(days=10)
        assert sim.journal()[-1]["query"]["start_time"] == [start.strftime("%Y-%m-%dT%H:%M:%S+0000")]


# --- Lost answers: the state of the simulator is the truth -----------------------------------------------------------

LOST = {
    "drop_after": "drop_after",
    "drop_before": "drop_before",
    "reset": "reset",
    "truncate": "truncate",
    "500 processed": {"status": 500, "processed": True, "body": {"error_code": "DBS.280005", "error_msg": "x"}},
    "500 not processed": {"status": 500, "body": {"error_code": "DBS.280005", "error_msg": "x"}},
    "503 processed": {"status": 503, "processed": True},
    "504 not processed": {"status": 504},
}


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("times", [1, 2, None])
@pytest.mark.parametrize("repeat", POSITIONS["dds_repeat_cancel"])
@pytest.mark.parametrize("error", POSITIONS["dds_too_late_error"])
def test_changed_is_what_really_happened(sim, module, no_backoff, fault, times, repeat, error):
    sim.switches({"dds_repeat_cancel": repeat, "dds_too_late_error": error})
    sim.faults([{"operation": CANCEL, "times": times, "fault": LOST[fault]}])
    result = module(MODULE, job_ids=[PENDING_1H], retries=1)
    done = status(sim, PENDING_1H) == "Canceled"
    assert result["changed"] is done
    assert result["cancelled"] == ([PENDING_1H] if done else [])
    # An answer of the service in the end confirms it; the others do not.
    confirmed = any(entry["status"] == 204 and entry["fault"] is None for entry in writes(sim))
    assert result["presumed"] == ([PENDING_1H] if done and not confirmed else [])
    assert len(result.get("warnings", [])) == len(result["presumed"])
    assert result["jobs"][0]["job_status"] == status(sim, PENDING_1H)
    assert result.get("failed", False) is not done
    if not done:
        failure = failure_of(result)
        assert failure["retryable"] is True
        assert [job["job_id"] for job in result["failed_jobs"]] == [PENDING_1H]
        assert result["failed_jobs"][0]["failure"] == failure
    # It is repeated as often as was asked for, and then looked at once.
    assert sim.operations().count(CANCEL) <= 2
    assert sim.operations()[-1] == LIST
    assert sim.operations().count(LIST) == 2


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("first", [0, 1])
def test_a_lost_answer_does_not_let_other_jobs_run_unnoticed(sim, module, no_backoff, fault, first):
    sim.faults([{"operation": CANCEL, "skip": first, "fault": LOST[fault]}])
    result = module(MODULE, job_ids=PENDING, retries=0)
    now = statuses(sim)
    assert set(result["cancelled"]) == {job_id for job_id in PENDING if now[job_id] == "Canceled"}
    assert result["changed"] is bool(result["cancelled"])
    still = {job_id for job_id in PENDING if now[job_id] != "Canceled"}
    # Nothing that would still run is passed over in silence.
    assert {job["job_id"] for job in result["failed_jobs"]} | set(result["not_tried"]) == still
    assert result.get("failed", False) is bool(still)


@pytest.mark.parametrize("body", ["garbage", "wrong_type", "content_type"])
def test_the_body_of_a_success_does_not_matter(sim, module, body):
    sim.faults([{"operation": CANCEL, "fault": body}])
    result = module(MODULE, job_ids=[PENDING_1H])
    assert (result["changed"], result.get("failed", False)) == (True, False)
    assert sim.operations() == [LIST, CANCEL, LIST]


def test_an_answer_that_is_late_is_looked_for_in_the_list(sim, module):
    sim.faults([{"operation": CANCEL, "fault": {"delay": 1.5}}])
    result = module(MODULE, job_ids=[PENDING_1H], read_timeout=1, retries=0, wait_interval=1)
    # Whether the service was faster than the look is its own affair; what is claimed must be true.
    assert result["changed"] is (PENDING_1H in result["cancelled"])
    if result["changed"]:
        assert status(sim, PENDING_1H) == "Canceled"
    else:
        assert failure_of(result)["retryable"] is True
        assert "not known" in result["msg"]
    # The late request must not arrive in the middle of another test.
    end = time.monotonic() + 10
    while status(sim, PENDING_1H) != "Canceled":
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_cancellation_that_cannot_be_read_again_is_reported_as_accepted(sim, module):
    sim.faults([{"operation": LIST, "skip": 1, "fault": {"status": 403}}])
    result = module(MODULE, job_ids=[PENDING_1H, PENDING_8D])
    assert failure_of(result)["http_status"] == 403
    assert "accepted" in result["msg"]
    assert result["changed"] is True
    # Each id is in one list only: these were accepted, but nobody has seen them as cancelled.
    assert result["cancelled"] == []
    assert [entry["job_id"] for entry in result["failed_jobs"]] == [PENDING_1H, PENDING_8D]
    assert "0 called off" in result["msg"]
    assert [status(sim, job_id) for job_id in (PENDING_1H, PENDING_8D)] == ["Canceled", "Canceled"]


# --- A bulk task that fails half-way ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code", "goes_on"),
    [
        ({"status": 403, "body": {"error_code": "DBS.280063", "error_msg": "no"}}, "DBS.280063", False),
        ({"status": 403, "body": {"error_code": "DBS.280019", "error_msg": "suspended"}}, "DBS.280019", False),
        ({"status": 401, "body": {"error_code": "APIGW.0301", "error_msg": "no"}}, "APIGW.0301", False),
        ({"status": 404, "body": {"error_code": "APIGW.0101", "error_msg": "no"}}, "APIGW.0101", False),
        ({"status": 429, "body": {"error_code": "DBS.280443", "error_msg": "no"}}, "DBS.280443", False),
        ({"status": 400, "body": {"error_code": "DBS.280343", "error_msg": "no"}}, "DBS.280343", True),
        ({"status": 400, "body": {"error_code": "DBS.200004", "error_msg": "no"}}, "DBS.200004", True),
        ({"status": 409, "body": {"error_code": "DBS.999999", "error_msg": "no"}}, "DBS.999999", True),
        ({"status": 403, "body": {"error_code": "DBS.200019", "error_msg": "busy"}}, "DBS.200019", True),
        ({"status": 403, "body": {"error_code": "DBS.200076", "error_msg": "state"}}, "DBS.200076", True),
    ],
    ids=str,
)
def test_a_bulk_task_says_what_was_done_what_failed_and_what_was_not_tried(sim, module, fault, code, goes_on):
    sim.faults([{"operation": CANCEL, "skip": 1, "fault": fault}])
    result = module(MODULE, job_ids=PENDING, retries=0, max_concurrency=1)
    failure = failure_of(result)
    assert (failure["code"], failure["http_status"]) == (code, fault["status"])
    assert (failure["service"], failure["operation"]) == ("dds", CANCEL)
    assert set(result) == KEYS | {"failed", "msg", "failure"}
    assert result["changed"] is True
    assert [job["job_id"] for job in result["failed_jobs"]] == [PENDING_8D]
    assert result["failed_jobs"][0]["failure"]["code"] == code
    assert PENDING_8D in result["msg"]
    assert result["cancelled"] == ([PENDING_1H, PENDING_300D] if goes_on else [PENDING_1H])
    assert result["not_tried"] == ([] if goes_on else [PENDING_300D])
    assert [job for job in PENDING if status(sim, job) == "Canceled"] == result["cancelled"]
    assert [job["job_id"] for job in result["diff"]["before"]["jobs"]] == result["cancelled"]

    # Running it again does the rest.
    rest = module(MODULE, job_ids=PENDING)
    assert set(rest["cancelled"]) == set(PENDING) - set(result["cancelled"])
    assert module(MODULE, job_ids=PENDING)["changed"] is False


def test_a_user_who_may_not_cancel_is_told_the_permission(sim):
    options = {
        **connection(sim),
        "access_key": "SIMULATORACCESSKEY02",
        "secret_key": "simulator-secret-key-for-loopback-only-02",
        "job_ids": PENDING,
        "max_concurrency": 1,
    }
    result = run_module(MODULE, options)
    failure = failure_of(result)
    assert (failure["code"], failure["http_status"], failure["retryable"]) == ("DBS.280063", 403, False)
    assert "dds:instance:cancelScheduledJob" in failure["hint"]
    assert len(failure["request_id"]) == 32
    assert result["changed"] is False
    assert result["not_tried"] == [PENDING_8D, PENDING_300D]
    # One refusal says it all: the others are not even tried.
    assert [entry["operation"] for entry in writes(sim)] == [CANCEL]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 403, "body": {"error_code": "DBS.280063", "error_msg": "no"}}, "DBS.280063"),
        ("garbage", "UnreadableAnswer"),
        ("drop_before", "NetworkError"),
    ],
    ids=str,
)
def test_nothing_is_cancelled_when_the_listing_fails(sim, module, no_backoff, fault, code):
    sim.faults([{"operation": LIST, "times": None, "fault": fault}])
    result = module(MODULE, job_ids=PENDING, retries=1)
    assert failure_of(result)["code"] == code
    assert result["changed"] is False
    assert writes(sim) == []


def test_many_jobs_cost_one_request_each_and_two_listings(sim, module):
    sim.reset("fleet:0:0:60")
    wanted = [job["job_id"] for job in sim.jobs()]
    result = module(MODULE, job_ids=wanted)
    assert result["cancelled"] == wanted
    assert sim.operations() == [LIST, *[CANCEL] * 60, LIST]
    assert len(sim.jobs("Canceled")) == 60


def test_a_cancellation_of_somebody_else_that_takes_effect_a_little_later(sim, module):
    # The job stays Pending for a while after its cancellation was accepted, and a second one is refused.
    sim.switches({"dds_cancel_delay": 0.5})
    module("dds_scheduled_job", job_ids=PENDING_1H, wait_timeout=0)
    second = module("dds_scheduled_job", job_ids=PENDING_1H, wait_interval=1)
    assert "failed" not in second, second
    assert (second["changed"], second["already_cancelled"]) == (False, [PENDING_1H])
