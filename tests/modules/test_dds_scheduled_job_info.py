# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""dds_scheduled_job_info against the simulator: what it finds, what it sends, and what it says when something fails."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

MODULE = "dds_scheduled_job_info"

ORDERS = "5e065fa666d2885a860db67c990f30afin02"
CATALOGUE = "2e4524377cd9025c7357233163db3a14in02"
STAGING = "493d31c9de74142d56fdb6bd98f2a6c0in02"

PENDING_1H = "83717e93-eb0c-81dc-8119-499a03290d3d"
RUNNING_2H = "e2fe59c8-59f8-598a-ee2d-765a476ca87e"
CANCELED_2D = "5d79a513-49d4-b8ea-7629-a162aa05c0b0"
COMPLETED_3D = "fdd53460-a03b-5f49-8314-7b488158aa89"
FAILED_5D = "55006db4-31cd-49eb-ce55-ad68bb152bb7"
PENDING_8D = "3fbf2f76-d8fe-e201-153f-b3cd02a32f3d"
COMPLETED_60D = "c8aa76fc-a07f-664c-0e53-7ae5dbdd2e60"
PENDING_300D = "15c5cef5-184e-941f-5a7d-875b550e998e"
NEWEST_FIRST = [
    PENDING_1H,
    RUNNING_2H,
    CANCELED_2D,
    COMPLETED_3D,
    FAILED_5D,
    PENDING_8D,
    COMPLETED_60D,
    PENDING_300D,
]
NO_JOB = "00000000-0000-4000-8000-000000000000"
PHASES = ("pending", "running", "succeeded", "failed", "cancelled", "unknown")
EMPTY_SUMMARY = {"total": 0, "by_phase": dict.fromkeys(PHASES, 0), "by_name": {}}

#: Every switch of the simulator that concerns the listing of scheduled jobs, with each of its positions.
POSITIONS = [
    *(("list_order", order) for order in ("newest_first", "oldest_first", "shuffled")),
    *(("page_fault", fault) for fault in ("none", "short", "empty")),
    *(("dds_groups", groups) for groups in ("array", "object")),
]


def ids(result):
    return [job["job_id"] for job in result["jobs"]]


def ago(**age):
    return datetime.now(timezone.utc) - timedelta(**age)


def near(text, moment):
    """Whether a time in a result or a query is this moment, give or take what a test takes."""
    form = "%Y-%m-%dT%H:%M:%SZ" if text.endswith("Z") else "%Y-%m-%dT%H:%M:%S%z"
    found = datetime.strptime(text, form).replace(tzinfo=timezone.utc)
    return abs((found - moment).total_seconds()) < 20


def test_lists_every_job_newest_first_with_one_request(sim, module):
    result = module(MODULE)
    assert result["changed"] is False
    assert ids(result) == NEWEST_FIRST
    assert sim.operations() == ["ListScheduledTasks"]
    assert result["requests"] == 1
    assert result["retried"] == []
    assert set(result) == {"changed", "jobs", "summary", "window", "requests", "retried"}


def test_jobs_are_the_objects_of_the_api_with_a_phase(sim, module):
    sim.patch({"job": PENDING_1H, "set": {"a_new_field": {"kept": [1, None]}}})
    of_api = {job["job_id"]: {key: value for key, value in job.items() if key != "project_id"} for job in sim.jobs()}
    for job in module(MODULE)["jobs"]:
        assert job.pop("phase") in PHASES
        assert job == of_api[job["job_id"]]


def test_summary_counts_phases_and_names(module):
    assert module(MODULE)["summary"] == {
        "total": 8,
        "by_phase": {"pending": 3, "running": 1, "succeeded": 2, "failed": 1, "cancelled": 1, "unknown": 0},
        "by_name": {"REBOOT": 2, "RESIZE_FLAVOR": 3, "UPGRADE_DATABASE": 3},
    }


def test_always_sends_a_start_time_so_that_old_pending_jobs_are_found(sim, module):
    result = module(MODULE, phases=["pending"])
    assert ids(result) == [PENDING_1H, PENDING_8D, PENDING_300D]
    query = sim.journal()[0]["query"]
    assert set(query) == {"start_time", "offset", "limit"}
    assert (query["offset"], query["limit"]) == (["0"], ["100"])
    assert near(query["start_time"][0], ago(days=365))
    assert near(result["window"]["start_time"], ago(days=365))
    assert near(result["window"]["end_time"], ago())


@pytest.mark.parametrize(
    ("options", "found", "start", "end"),
    [
        ({"lookback": "2w"}, NEWEST_FIRST[:6], {"weeks": 2}, {}),
        ({"lookback": "7d"}, NEWEST_FIRST[:5], {"days": 7}, {}),
        ({"lookback": "90m"}, NEWEST_FIRST[:1], {"minutes": 90}, {}),
        ({"lookback": "3h"}, NEWEST_FIRST[:2], {"hours": 3}, {}),
        ({"lookback": "30s"}, [], {"seconds": 30}, {}),
        ({"lookback": "2000d"}, NEWEST_FIRST, {"days": 2000}, {}),
        ({"start_time": "4d"}, NEWEST_FIRST[:4], {"days": 4}, {}),
        ({"start_time": "4d", "lookback": "1h"}, NEWEST_FIRST[:4], {"days": 4}, {}),
        ({"end_time": "7d"}, NEWEST_FIRST[5:], {"days": 365}, {"days": 7}),
        ({"start_time": "70d", "end_time": "4d"}, NEWEST_FIRST[4:7], {"days": 70}, {"days": 4}),
    ],
)
def test_window_is_sent_applied_and_returned(sim, module, options, found, start, end):
    result = module(MODULE, **options)
    assert ids(result) == found
    query = sim.journal()[0]["query"]
    assert near(query["start_time"][0], ago(**start))
    assert near(result["window"]["start_time"], ago(**start))
    assert near(result["window"]["end_time"], ago(**end))
    assert ("end_time" in query) is bool(end)
    if end:
        assert near(query["end_time"][0], ago(**end))


@pytest.mark.parametrize(
    ("form", "zone"),
    [
        ("%Y-%m-%dT%H:%M:%SZ", 0),
        ("%Y-%m-%d %H:%M:%S", 0),
        ("%Y%m%d%H%M%S", 0),
        ("%Y-%m-%dT%H:%M:%S+01:00", 1),
        ("%Y-%m-%dT%H:%M:%S-0530", -5.5),
    ],
)
def test_start_time_may_be_written_in_several_ways(sim, module, form, zone):
    moment = ago(days=4)
    text = (moment + timedelta(hours=zone)).strftime(form)
    result = module(MODULE, start_time=text)
    assert ids(result) == NEWEST_FIRST[:4]
    assert near(result["window"]["start_time"], moment)
    # The plus of the offset must arrive as a plus.
    assert sim.journal()[0]["query"]["start_time"] == [moment.strftime("%Y-%m-%dT%H:%M:%S+0000")]


@pytest.mark.parametrize(
    ("options", "found", "sent"),
    [
        ({"instances": [ORDERS]}, [PENDING_1H, CANCELED_2D, COMPLETED_3D, COMPLETED_60D], {"instance_id": [ORDERS]}),
        ({"instance_ids": ORDERS.upper()}, [PENDING_1H, CANCELED_2D, COMPLETED_3D, COMPLETED_60D], None),
        ({"instances": [CATALOGUE, STAGING]}, [RUNNING_2H, FAILED_5D, PENDING_8D, PENDING_300D], {}),
        ({"instances": ["f" * 32 + "in02"]}, [], {"instance_id": ["f" * 32 + "in02"]}),
        ({"job_ids": [PENDING_300D, PENDING_1H]}, [PENDING_1H, PENDING_300D], {}),
        ({"job_ids": NO_JOB}, [], {}),
        # Not by the service, for which case may matter.
        ({"job_names": ["REBOOT"]}, [COMPLETED_3D, PENDING_300D], {}),
        (
            {"job_names": ["REBOOT", "UPGRADE_DATABASE"]},
            [COMPLETED_3D, FAILED_5D, PENDING_8D, COMPLETED_60D, PENDING_300D],
            {},
        ),
        ({"job_names": ["reboot"]}, [COMPLETED_3D, PENDING_300D], {}),
        ({"job_names": ["NO_SUCH"]}, [], {}),
        ({"statuses": ["canceled", "FAILED"]}, [CANCELED_2D, FAILED_5D], {}),
        ({"statuses": "Running"}, [RUNNING_2H], None),
        ({"statuses": ["Sleeping"]}, [], {}),
        ({"phases": ["succeeded", "failed"]}, [COMPLETED_3D, FAILED_5D, COMPLETED_60D], {}),
        ({"phases": ["cancelled"]}, [CANCELED_2D], None),
        ({"phases": ["unknown"]}, [], {}),
        (
            {"instances": [ORDERS], "job_names": ["RESIZE_FLAVOR"], "phases": ["pending"], "lookback": "1d"},
            [PENDING_1H],
            {"instance_id": [ORDERS]},
        ),
        ({"instances": [ORDERS], "job_ids": [PENDING_8D]}, [], {"instance_id": [ORDERS]}),
        ({"job_ids": [PENDING_1H], "phases": ["running"]}, [], {}),
    ],
)
def test_filters(sim, module, options, found, sent):
    result = module(MODULE, **options)
    assert ids(result) == found
    assert result["summary"]["total"] == len(found)
    assert sim.operations() == ["ListScheduledTasks"]
    if sent is not None:
        query = sim.journal()[0]["query"]
        assert {key: value for key, value in query.items() if key not in ("start_time", "offset", "limit")} == sent


@pytest.mark.parametrize("option", ["instances", "job_ids", "job_names", "statuses", "phases"])
def test_an_empty_list_yields_nothing_and_sends_nothing(sim, module, option):
    result = module(MODULE, **{option: []})
    assert result["jobs"] == []
    assert result["summary"] == EMPTY_SUMMARY
    assert set(result["window"]) == {"start_time", "end_time"}
    assert result["requests"] == 0
    assert sim.journal() == []


@pytest.mark.parametrize(
    ("instances", "found", "look_ups"),
    [
        (["dds-orders-prod"], [PENDING_1H, CANCELED_2D, COMPLETED_3D, COMPLETED_60D], 1),
        ([ORDERS, "dds-orders-prod"], [PENDING_1H, CANCELED_2D, COMPLETED_3D, COMPLETED_60D], 1),
        # Several names are found in one listing of the instances, not in one request for each.
        (["dds-catalogue-prod", "dds-orders-staging"], [RUNNING_2H, FAILED_5D, PENDING_8D, PENDING_300D], 1),
        (["dds-catalogue-prod", "dds-orders-staging", "dds-orders-prod", ORDERS], NEWEST_FIRST, 1),
    ],
)
def test_instances_may_be_given_by_name(sim, module, instances, found, look_ups):
    assert ids(module(MODULE, instances=instances)) == found
    assert sim.operations() == ["ListInstances"] * look_ups + ["ListScheduledTasks"]


@pytest.mark.parametrize("name", ["dds-orders", "DDS-ORDERS-PROD", "redis-cart-prod", "dds-sandbox"])
def test_a_name_that_no_instance_has_is_a_failure(sim, module, name):
    result = module(MODULE, instances=[name])
    assert result["failed"] is True
    assert result["failure"]["code"] == "NotFound"
    assert name in result["msg"]
    assert sim.operations() == ["ListInstances"]


def test_a_name_that_two_instances_have_is_a_failure_that_lists_them(sim, module):
    sim.patch({"instance": CATALOGUE, "set": {"name": "dds-orders-prod"}})
    result = module(MODULE, instances=["dds-orders-prod"])
    assert result["failure"]["code"] == "Ambiguous"
    assert ORDERS in result["msg"]
    assert CATALOGUE in result["msg"]
    assert "ListScheduledTasks" not in sim.operations()


def test_another_project_has_other_jobs(sim, module):
    result = module(MODULE, project_id=sim.projects[1])
    assert [job["instance_name"] for job in result["jobs"]] == ["dds-sandbox"]


@pytest.mark.parametrize(("switch", "value"), POSITIONS)
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, NEWEST_FIRST),
        ({"instances": ["dds-orders-staging"], "phases": ["pending"]}, [PENDING_300D]),
        ({"job_ids": [COMPLETED_60D]}, [COMPLETED_60D]),
    ],
)
def test_no_switch_changes_what_is_found(sim, module, switch, value, options, found):
    sim.switches({switch: value})
    assert ids(module(MODULE, **options)) == found


def of_fleet(sim, count, **switches):
    sim.reset(f"fleet:0:0:{count}")
    sim.switches(switches)
    return [job["job_id"] for job in sorted(sim.jobs(), key=lambda job: job["create_time"], reverse=True)]


@pytest.mark.parametrize(("count", "requests"), [(1, 1), (99, 1), (150, 2), (250, 3)])
@pytest.mark.parametrize("order", ["newest_first", "oldest_first", "shuffled"])
def test_reads_all_pages_of_the_largest_size(sim, module, count, requests, order):
    expected = of_fleet(sim, count, list_order=order)
    assert ids(module(MODULE)) == expected
    assert sim.operations() == ["ListScheduledTasks"] * requests
    assert {entry["query"]["limit"][0] for entry in sim.journal()} == {"100"}


@pytest.mark.parametrize("fault", ["short", "empty"])
@pytest.mark.parametrize("count", [8, 150, 250])
def test_short_and_empty_pages_lose_nothing(sim, module, fault, count):
    expected = of_fleet(sim, count, page_fault=fault)
    assert ids(module(MODULE)) == expected


def test_a_service_that_ignores_the_offset_is_a_failure_and_not_half_a_list(sim, module):
    of_fleet(sim, 150, page_fault="repeated")
    result = module(MODULE)
    assert result["failed"] is True
    assert result["failure"]["code"] == "UnreadableAnswer"
    assert "the same page again" in result["msg"]
    assert len(sim.journal()) <= 6


def test_stops_as_soon_as_all_ids_were_seen(sim, module):
    expected = of_fleet(sim, 250)
    assert ids(module(MODULE, job_ids=expected[3:90])) == expected[3:90]
    assert sim.operations() == ["ListScheduledTasks"]


def test_a_job_that_vanishes_between_two_pages_hides_no_other(sim, module):
    expected = of_fleet(sim, 150)
    sim.events([{"after": "ListScheduledTasks", "do": [{"job": expected[0], "remove": True}]}])
    assert set(ids(module(MODULE))) >= set(expected[1:])


def test_a_job_that_appears_between_two_pages_is_no_reason_to_list_another_twice(sim, module):
    expected = of_fleet(sim, 150)
    sim.events(
        [{"after": "ListScheduledTasks", "do": [{"job": NO_JOB, "add": {"job_name": "REBOOT", "created_ago": 0}}]}]
    )
    found = ids(module(MODULE))
    assert len(found) == len(set(found))
    assert set(found) >= set(expected)


@pytest.mark.parametrize(
    ("fields", "phase"),
    [
        ({"job_status": "Paused"}, "unknown"),
        ({"job_status": None}, "unknown"),
        ({"job_status": 7}, "unknown"),
        ({"job_status": "CANCELLED"}, "cancelled"),
        ({"job_status": "pending"}, "pending"),
    ],
)
def test_a_status_that_nobody_knows_is_passed_through(sim, module, fields, phase):
    sim.patch({"job": PENDING_1H, "set": fields})
    result = module(MODULE, job_ids=[PENDING_1H])
    assert [(job["job_status"], job["phase"]) for job in result["jobs"]] == [(fields["job_status"], phase)]
    assert result["summary"]["by_phase"][phase] == 1


def test_jobs_without_a_readable_time_come_last(sim, module):
    sim.faults(
        [
            {
                "operation": "ListScheduledTasks",
                "fault": {
                    "status": 200,
                    "body": {
                        "total_count": 3,
                        "schedules": [
                            {"job_id": "b", "create_time": "soon"},
                            {"job_id": "a"},
                            {"job_id": "c", "create_time": "2026-01-01T00:00:00+0000", "job_status": "Pending"},
                        ],
                    },
                },
            }
        ]
    )
    result = module(MODULE)
    assert ids(result) == ["c", "a", "b"]
    assert result["summary"]["by_phase"]["unknown"] == 2


def test_check_mode_reads_for_real(sim, module):
    real = module(MODULE, start_time="2020-01-01", end_time="1m")
    checked = module(MODULE, check_mode=True, start_time="2020-01-01", end_time="1m")
    real["window"].pop("end_time")
    checked["window"].pop("end_time")
    assert checked == real
    assert sim.operations() == ["ListScheduledTasks"] * 2


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429, "body": {"error_code": "DBS.280443", "error_msg": "The maximum number of connections"}},
        {"status": 500, "body": {"error_code": "DBS.280005", "error_msg": "Server error. Try again later."}},
        {"status": 502, "body": "<html>Bad gateway</html>"},
        {"status": 503},
        {"status": 504},
        "drop_before",
        "drop_after",
        "reset",
        "truncate",
    ],
    ids=str,
)
def test_a_disturbed_listing_is_repeated(sim, module, no_backoff, fault):
    sim.faults([{"operation": "ListScheduledTasks", "times": 2, "fault": fault}])
    result = module(MODULE)
    assert ids(result) == NEWEST_FIRST
    assert sim.operations() == ["ListScheduledTasks"] * 3
    assert result["requests"] == 3
    assert len(result["retried"]) == 2
    assert all("ListScheduledTasks" in line for line in result["retried"])


@pytest.mark.parametrize(
    ("fault", "code", "http_status", "retryable", "requests"),
    [
        ({"status": 500, "body": {"error_code": "DBS.280005", "error_msg": "x"}}, "DBS.280005", 500, True, 3),
        ({"status": 429, "body": {"error_code": "DBS.280443", "error_msg": "x"}}, "DBS.280443", 429, True, 3),
        ({"status": 400, "body": {"error_code": "DBS.280067", "error_msg": "x"}}, "DBS.280067", 400, False, 1),
        ({"status": 400, "body": {"error_code": "DBS.200998", "error_msg": "x"}}, "DBS.200998", 400, True, 1),
        ({"status": 404, "body": {"error_code": "APIGW.0101", "error_msg": "x"}}, "APIGW.0101", 404, False, 1),
        ({"status": 403}, "403", 403, False, 1),
        ({"redirect": "https://x.evil.example/"}, "307", 307, False, 1),
        ("drop_before", "NetworkError", None, True, 3),
        ("garbage", "UnreadableAnswer", 200, True, 1),
        ("wrong_type", "UnreadableAnswer", 200, True, 1),
        ({"status": 200, "body": {"total_count": 0}}, "UnreadableAnswer", 200, True, 1),
        ({"status": 200, "body": {"schedules": [{"job_name": "x"}]}}, "UnreadableAnswer", None, False, 1),
        ({"status": 200, "body": ""}, "UnreadableAnswer", 200, True, 1),
    ],
    ids=str,
)
def test_a_listing_that_fails_says_why(sim, module, no_backoff, fault, code, http_status, retryable, requests):
    sim.faults([{"operation": "ListScheduledTasks", "times": None, "fault": fault}])
    result = module(MODULE, retries=2)
    assert result["failed"] is True
    assert result["changed"] is False
    failure = result["failure"]
    assert (failure["code"], failure["http_status"], failure["retryable"]) == (code, http_status, retryable)
    assert (failure["service"], failure["operation"]) == ("dds", "ListScheduledTasks")
    assert set(failure) == {"code", "http_status", "request_id", "service", "operation", "retryable", "hint"}
    assert "\n" not in result["msg"]
    assert sim.operations() == ["ListScheduledTasks"] * requests
    assert "jobs" not in result


@pytest.mark.parametrize(("operation", "action"), [("ListScheduledTasks", "dds:task:list"), ("ListInstances", None)])
def test_a_missing_permission_is_named(sim, module, operation, action):
    denied = {"error_code": "DBS.280063", "error_msg": "You do not have following permission: x."}
    sim.faults([{"operation": operation, "fault": {"status": 403, "body": denied}}])
    result = module(MODULE, instances=["dds-orders-prod"])
    assert result["failure"]["code"] == "DBS.280063"
    assert (action or "dds:instance:list") in result["failure"]["hint"]
    assert len(result["failure"]["request_id"]) == 32
