# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""dds_scheduled_job for many jobs at once: each way to select them, and what is reported when some of them fail."""

from __future__ import annotations

import random
import threading
import time

import pytest
import requests

from tests.conftest import connection
from tests.harness.modules import run_module

MODULE = "dds_scheduled_job"
LIST, CANCEL, LOOK_UP = "ListScheduledTasks", "CancelScheduledTask", "ListInstances"
#: What is asked once more when a listing is read to its end: the empty page, which alone proves that end.
END = [LIST]
#: One name is looked up with one request; several take a listing of all instances, which is read to its end.
SEVERAL_NAMES = [LOOK_UP, LOOK_UP]

ORDERS, CATALOGUE, STAGING = "dds-orders-prod", "dds-catalogue-prod", "dds-orders-staging"
NO_JOB = "00000000-0000-4000-8000-000000000000"
JOBS = "ansible_collections.hwcloud.maintenance.plugins.module_utils._dds_jobs"
#: The lists in exactly one of which each job is that is meant.
OUTCOMES = ("cancelled", "already_cancelled", "already_failed", "too_late", "missing", "failed_jobs", "not_tried")

REFUSED = {"status": 400, "body": {"error_code": "DBS.200004", "error_msg": "not this one"}}
DENIED = {"status": 403, "body": {"error_code": "DBS.280063", "error_msg": "no permission"}}


def job(instance, name, status="Pending", ago=60):
    return {"instance_name": instance, "job_name": name, "job_status": status, "created_ago": ago}


#: Each name and each status on more than one instance; two instances have the same name.
PARK = {
    "dds_instances": [
        {"name": ORDERS},
        {"name": CATALOGUE},
        {"name": STAGING},
        {"name": "dds-twin", "id": "1" * 32 + "in02"},
        {"name": "dds-twin", "id": "2" * 32 + "in02"},
    ],
    "scheduled_jobs": [
        job(ORDERS, "RESIZE_FLAVOR", ago="1h"),
        job(ORDERS, "UPGRADE_DATABASE", ago="200d"),
        job(ORDERS, "REBOOT", "Running", ago="2h"),
        job(ORDERS, "REBOOT", "Canceled", ago="3h"),
        job(CATALOGUE, "RESIZE_FLAVOR", "Completed", ago="4h"),
        job(CATALOGUE, "UPGRADE_DATABASE", ago="5h"),
        job(CATALOGUE, "REBOOT", ago="6h"),
        job(STAGING, "RESIZE_FLAVOR", ago="8d"),
        job(STAGING, "UPGRADE_DATABASE", "Failed", ago="9d"),
        job(STAGING, "REBOOT", ago="10d"),
    ],
}


def jobs_of(sim, **wanted):
    """The ids of the jobs of the simulator with these fields, newest first."""
    found = [entry for entry in sim.jobs() if all(entry.get(key) == value for key, value in wanted.items())]
    return [entry["job_id"] for entry in sorted(found, key=lambda entry: entry["create_time"], reverse=True)]


def statuses(sim):
    return {entry["job_id"]: entry["job_status"] for entry in sim.jobs()}


def ids_in(result, key):
    return [entry["job_id"] if isinstance(entry, dict) else entry for entry in result[key]]


def adds_up(result, selected):
    """Each job that is meant is in exactly one list."""
    reported = [job_id for key in OUTCOMES for job_id in ids_in(result, key)]
    assert len(reported) == len(set(reported)), result
    assert set(reported) == set(selected), result


def is_true(sim, result):
    """What is claimed is what the simulator knows."""
    now = statuses(sim)
    assert [job_id for job_id in result["cancelled"] if now[job_id] != "Canceled"] == []
    assert [job_id for job_id in result["not_tried"] if now[job_id] == "Canceled"] == []
    assert [job_id for job_id in result["missing"] if job_id in now] == []


def deletions(sim):
    return [entry["path"].rsplit("/", 1)[1] for entry in sim.journal() if entry["operation"] == CANCEL]


def stable(result):
    return {key: value for key, value in result.items() if key not in ("requests", "retried", "window")}


def of_job(operation, job_id, fault, times=None):
    return {"operation": operation, "path": job_id, "times": times, "fault": fault}


class Traffic:
    """When the requests of this process began and ended."""

    def __init__(self, monkeypatch):
        self.spans = []
        self._lock = threading.Lock()
        self._under_way = 0
        self.most = {}
        real = requests.Session.request

        def request(session, method, url, **arguments):
            if "/_simulator/" in url:
                return real(session, method, url, **arguments)
            with self._lock:
                self._under_way += 1
                self.most[method] = max(self._under_way, self.most.get(method, 0))
            began = time.monotonic()
            try:
                return real(session, method, url, **arguments)
            finally:
                with self._lock:
                    self._under_way -= 1
                    self.spans.append((method, began, time.monotonic()))

        self._real, self._monkeypatch = real, monkeypatch
        self._request = request

    def __enter__(self):
        self._monkeypatch.setattr(requests.Session, "request", self._request)
        return self

    def __exit__(self, *_unused):
        self._monkeypatch.setattr(requests.Session, "request", self._real)


# --- What is meant ---------------------------------------------------------------------------------------------------

#: The options, the jobs that are called off as (instance, name), newest first, and how many are too late.
SELECTIONS = {
    "one instance": (
        {"instance": CATALOGUE},
        [(CATALOGUE, "UPGRADE_DATABASE"), (CATALOGUE, "REBOOT")],
        0,
    ),
    "one in a list": ({"instances": [STAGING]}, [(STAGING, "RESIZE_FLAVOR"), (STAGING, "REBOOT")], 0),
    "instances": (
        {"instances": [STAGING, CATALOGUE]},
        [
            *[(CATALOGUE, "UPGRADE_DATABASE"), (CATALOGUE, "REBOOT")],
            *[(STAGING, "RESIZE_FLAVOR"), (STAGING, "REBOOT")],
        ],
        0,
    ),
    "what runs on one of them": (
        {"instance_ids": [ORDERS, STAGING], "job_names": ["REBOOT"], "on_too_late": "ignore"},
        [(STAGING, "REBOOT")],
        1,
    ),
    "instances and names": (
        {"instances": [ORDERS, CATALOGUE], "job_names": ["UPGRADE_DATABASE", "RESIZE_FLAVOR"]},
        [(ORDERS, "RESIZE_FLAVOR"), (CATALOGUE, "UPGRADE_DATABASE"), (ORDERS, "UPGRADE_DATABASE")],
        0,
    ),
    "a name": ({"job_names": ["RESIZE_FLAVOR"]}, [(ORDERS, "RESIZE_FLAVOR"), (STAGING, "RESIZE_FLAVOR")], 0),
    "names": (
        {"job_names": ["UPGRADE_DATABASE", "REBOOT"], "on_too_late": "ignore"},
        [
            *[(CATALOGUE, "UPGRADE_DATABASE"), (CATALOGUE, "REBOOT")],
            *[(STAGING, "REBOOT"), (ORDERS, "UPGRADE_DATABASE")],
        ],
        1,
    ),
    "a name that no job has": ({"job_names": ["rebot"]}, [], 0),
    "not so long ago": (
        {"job_names": ["RESIZE_FLAVOR", "UPGRADE_DATABASE"], "lookback": "7d"},
        [(ORDERS, "RESIZE_FLAVOR"), (CATALOGUE, "UPGRADE_DATABASE")],
        0,
    ),
    "all": (
        {"all_pending": True},
        [
            *[(ORDERS, "RESIZE_FLAVOR"), (CATALOGUE, "UPGRADE_DATABASE"), (CATALOGUE, "REBOOT")],
            *[(STAGING, "RESIZE_FLAVOR"), (STAGING, "REBOOT"), (ORDERS, "UPGRADE_DATABASE")],
        ],
        0,
    ),
    "all of this week": (
        {"all_pending": True, "lookback": "1w"},
        [(ORDERS, "RESIZE_FLAVOR"), (CATALOGUE, "UPGRADE_DATABASE"), (CATALOGUE, "REBOOT")],
        0,
    ),
}


@pytest.mark.parametrize("name", SELECTIONS)
def test_what_a_selection_means_in_check_mode_for_real_and_again(sim, module, name):
    options, meant, late = SELECTIONS[name]
    sim.reset(PARK)
    before = statuses(sim)
    named = {(entry["instance_name"], entry["job_name"]): entry["job_id"] for entry in reversed(sim.jobs("Pending"))}
    expected = [named[key] for key in meant]
    names = options.get("instances") or options.get("instance_ids") or [options.get("instance")]
    looks_up = SEVERAL_NAMES if len(names) > 1 else [LOOK_UP] if names[0] else []

    predicted = module(MODULE, check_mode=True, **options)
    assert sim.operations() == [*looks_up, LIST, *END]
    assert statuses(sim) == before

    real = module(MODULE, **options)
    assert "failed" not in real, real
    assert stable(real) == stable(predicted)
    assert real["cancelled"] == expected
    assert real["changed"] is bool(expected)
    assert len(real["too_late"]) == late
    assert [entry["job_id"] for entry in real["diff"]["before"]["jobs"]] == expected
    adds_up(real, expected + real["too_late"])
    assert statuses(sim) == {**before, **dict.fromkeys(expected, "Canceled")}
    # One look-up and one listing, however many instances and names; then a request for each job, and one look.
    # That look ends as soon as all of them were seen.
    again = [LIST] if expected else []
    done = sim.operations()[len([*looks_up, LIST, *END]) :]
    assert done == [*looks_up, LIST, *END, *[CANCEL] * len(expected), *again]
    assert sorted(deletions(sim)) == sorted(expected)

    sent = len(sim.journal())
    second = module(MODULE, **options)
    assert (second["changed"], second["cancelled"], second["too_late"]) == (False, [], real["too_late"])
    assert sim.operations()[sent:] == [*looks_up, LIST, *END]


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({"instances": ["1" * 32 + "in02"], "job_names": ["REBOOT"]}, ["instance_id"]),
        ({"instances": ["1" * 32 + "in02", "2" * 32 + "in02"], "job_names": ["REBOOT"]}, []),
        ({"instances": ["1" * 32 + "in02", "2" * 32 + "IN02"], "job_names": ["REBOOT", "x"]}, []),
        # Case matters to the service, but not to the user.
        ({"job_names": ["REBOOT"]}, []),
        ({"all_pending": True}, []),
    ],
    ids=str,
)
def test_the_service_filters_where_it_can(sim, module, options, query):
    sim.reset(PARK)
    result = module(MODULE, check_mode=True, **options)
    # Where the service finds nothing, its first page is the empty one.
    assert sim.operations() == ([LIST] if query else [LIST, *END])
    assert result["requests"] == len(sim.operations())
    for entry in sim.journal():
        assert set(entry["query"]) == {"start_time", "offset", "limit", *query}


def test_an_instance_that_is_given_by_name_and_by_id_is_one(sim, module):
    sim.reset(PARK)
    instance_id = next(entry["instance_id"] for entry in sim.jobs() if entry["instance_name"] == STAGING)
    result = module(MODULE, instances=[STAGING, instance_id.upper(), instance_id, STAGING])
    assert result["cancelled"] == jobs_of(sim, instance_name=STAGING, job_status="Canceled")
    assert len(result["cancelled"]) == 2


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("options", "code", "said", "not_said"),
    [
        ({"instances": [ORDERS, "dds-x", "dds-y"]}, "NotFound", ["dds-x", "dds-y"], [ORDERS]),
        ({"instances": ["dds-x", "1" * 32 + "in02"]}, "NotFound", ["dds-x"], ["1" * 32]),
        ({"instances": [STAGING, "dds-twin"]}, "Ambiguous", ["dds-twin", "1" * 32, "2" * 32], [STAGING]),
        ({"instances": ["dds-x", "dds-twin"]}, "NotFound", ["dds-x", "dds-twin", "1" * 32, "2" * 32], []),
        ({"instances": [ORDERS, "dds-x"], "job_names": ["REBOOT"]}, "NotFound", ["dds-x"], [ORDERS]),
        # No word with a meaning of its own here.
        ({"instances": ["all"]}, "NotFound", ["all"], []),
    ],
    ids=str,
)
def test_names_that_fit_none_or_several_are_all_listed_before_anything_is_called_off(
    sim, module, check_mode, options, code, said, not_said
):
    sim.reset(PARK)
    result = module(MODULE, check_mode=check_mode, **options)
    assert result["failed"] is True
    assert result["failure"]["code"] == code
    assert all(text in result["msg"] for text in said)
    assert not any(text in result["msg"] for text in not_said)
    assert result["changed"] is False
    names = [name for name in options["instances"] if not name.endswith("in02")]
    assert sim.operations() == (SEVERAL_NAMES if len(names) > 1 else [LOOK_UP])


FORBIDDEN = [
    {"job_ids": [NO_JOB], "instance": ORDERS},
    {"job_ids": [NO_JOB], "instances": [ORDERS]},
    {"job_ids": [NO_JOB], "job_names": ["REBOOT"]},
    {"job_ids": [NO_JOB], "all_pending": True},
    {"job_ids": [], "all_pending": True},
    {"instance": ORDERS, "instances": [STAGING]},
    {"instance": ORDERS, "all_pending": True},
    {"instances": [ORDERS], "all_pending": True},
    {"instances": [], "all_pending": True},
    {"job_names": ["REBOOT"], "all_pending": True},
    {"job_names": [], "all_pending": True},
    {"job_ids": [], "instances": []},
    {"instances": [ORDERS], "job_names": ["REBOOT"], "all_pending": True},
]


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("options", FORBIDDEN, ids=str)
def test_ways_to_select_that_do_not_go_together(sim, module, check_mode, options):
    result = module(MODULE, check_mode=check_mode, **options)
    assert result["failed"] is True
    assert "\n" not in result["msg"]
    assert all(option in result["msg"] for option in options)
    assert sim.journal() == []


@pytest.mark.parametrize(
    "options",
    [{}, {"all_pending": False}, {"all_pending": "no", "on_too_late": "ignore"}, {"instances": None}],
    ids=str,
)
def test_nothing_is_meant_unless_it_is_said(sim, module, options):
    result = module(MODULE, **options)
    assert result["failed"] is True
    assert result["failure"]["code"] == "InvalidOption"
    assert all(option in result["msg"] for option in ("job_ids", "instance", "instances", "job_names", "all_pending"))
    assert "\n" not in result["msg"]
    assert sim.journal() == []


@pytest.mark.parametrize(
    "options",
    [
        {"job_ids": []},
        {"instances": []},
        {"job_names": []},
        {"instances": [], "job_names": ["REBOOT"]},
        {"instances": [ORDERS], "job_names": []},
        {"instances": [], "job_names": []},
    ],
    ids=str,
)
def test_an_empty_list_is_never_everything(sim, module, options):
    result = module(MODULE, **options)
    assert (result["changed"], result["requests"], result["jobs"]) == (False, 0, [])
    assert "failed" not in result
    assert sim.journal() == []


# --- All that has not begun ------------------------------------------------------------------------------------------


def test_all_pending_leaves_alone_what_has_begun_or_ended(sim, module):
    words = ["Pending", "Running", "Completed", "Failed", "Canceled", "PENDING", "running"]
    sim.reset({**PARK, "scheduled_jobs": [job(ORDERS, "REBOOT", word, ago) for ago, word in enumerate(words, 60)]})
    result = module(MODULE, all_pending=True, check_mode=True)
    assert "failed" not in result
    assert [entry["job_status"] for entry in result["jobs"]] == ["Canceled", "Canceled"]
    assert result["too_late"] == []
    assert [entry["phase"] for entry in result["diff"]["before"]["jobs"]] == ["pending", "pending"]


@pytest.mark.parametrize("word", ["Paused", None, 7])
def test_all_pending_leaves_a_job_whose_status_nobody_knows_to_the_service(sim, module, word):
    sim.reset(PARK)
    unknown = jobs_of(sim, instance_name=CATALOGUE, job_name="REBOOT")
    sim.patch({"job": unknown[0], "set": {"job_status": word}})
    pending = jobs_of(sim, job_status="Pending")
    result = module(MODULE, all_pending=True)
    assert result["failed"] is True
    assert unknown[0] in result["msg"]
    assert result["cancelled"] == pending
    assert ids_in(result, "failed_jobs") == unknown
    adds_up(result, [*pending, *unknown])
    # Known to be running, it is not meant.
    sim.patch({"job": unknown[0], "set": {"job_status": "Running"}})
    again = module(MODULE, all_pending=True)
    assert (again["changed"], again["jobs"], again.get("failed", False)) == (False, [], False)


def test_all_pending_is_all_of_one_project(sim, module):
    others = [entry for entry in sim.jobs() if entry["project_id"] != sim.project_id]
    assert any(entry["job_status"] == "Pending" for entry in others)
    result = module(MODULE, all_pending=True)
    assert len(result["cancelled"]) == 3
    assert [entry for entry in sim.jobs() if entry["project_id"] != sim.project_id] == others
    other = module(MODULE, project_id=sim.projects[1], all_pending=True)
    assert other["changed"] is True
    assert sim.jobs("Pending") == []


@pytest.mark.parametrize("on_too_late", ["fail", "ignore"])
def test_what_begins_after_it_was_listed_is_too_late_for_all_pending(sim, module, on_too_late):
    sim.reset(PARK)
    pending = jobs_of(sim, job_status="Pending")
    sim.events([{"before": CANCEL, "do": [{"job": pending[2], "set": {"job_status": "Running"}}]}])
    result = module(MODULE, all_pending=True, on_too_late=on_too_late)
    assert result["cancelled"] == [*pending[:2], *pending[3:]]
    assert result["too_late"] == [pending[2]]
    assert [entry["phase"] for entry in result["jobs"] if entry["job_id"] == pending[2]] == ["running"]
    adds_up(result, pending)
    if on_too_late == "fail":
        assert result["failure"]["code"] == "TooLate"
        assert pending[2] in result["msg"]
    else:
        assert "failed" not in result


# --- Very many -------------------------------------------------------------------------------------------------------


def test_250_jobs_cost_one_request_each_and_their_pages_and_the_end_twice(sim, module):
    sim.reset("fleet:0:0:250")
    wanted = jobs_of(sim)
    predicted = module(MODULE, check_mode=True, all_pending=True)
    assert sorted(entry["query"]["offset"][0] for entry in sim.journal()) == ["0", "198", "250", "99"]
    pages = [LIST] * 3 + END
    assert predicted["requests"] == len(pages)

    real = module(MODULE, all_pending=True)
    assert stable(real) == stable(predicted)
    assert real["cancelled"] == wanted
    operations = sim.operations()[len(pages) :]
    assert operations == pages + [CANCEL] * 250 + pages
    assert real["requests"] == len(operations)
    assert sorted(deletions(sim)) == sorted(wanted)
    assert set(statuses(sim).values()) == {"Canceled"}

    again = module(MODULE, all_pending=True)
    assert (again["changed"], again["requests"], again["jobs"]) == (False, len(pages), [])


@pytest.mark.parametrize("most", [1, 4])
def test_pages_and_cancellations_are_sent_in_parallel_within_the_limit(sim, module, monkeypatch, most):
    sim.reset("fleet:0:0:520")
    sim.faults(
        [
            {"operation": LIST, "times": None, "fault": {"delay": 0.05}},
            {"operation": CANCEL, "times": None, "fault": {"delay": 0.05}},
        ]
    )
    ids = jobs_of(sim)
    with Traffic(monkeypatch) as traffic:
        result = module(MODULE, all_pending=True, max_concurrency=most, check_mode=True)
        assert result["cancelled"] == ids
        assert traffic.most == {"GET": most}
        assert module(MODULE, job_ids=ids[:16], max_concurrency=most)["cancelled"] == ids[:16]
    assert traffic.most == {"GET": most, "DELETE": most}


@pytest.mark.parametrize(
    ("switch", "value"),
    [
        *(("list_order", value) for value in ("newest_first", "oldest_first", "shuffled")),
        *(("page_fault", value) for value in ("short", "empty")),
    ],
)
@pytest.mark.parametrize("most", [1, 8])
def test_however_250_jobs_are_listed_all_are_found(sim, module, switch, value, most):
    sim.reset("fleet:0:0:250")
    wanted = jobs_of(sim)
    sim.switches({switch: value})
    result = module(MODULE, all_pending=True, max_concurrency=most)
    assert result["cancelled"] == wanted
    assert set(statuses(sim).values()) == {"Canceled"}


@pytest.mark.parametrize("most", [1, 8])
def test_a_service_that_ignores_the_offset_is_never_believed(sim, module, most):
    sim.reset("fleet:0:0:250")
    sim.switches({"page_fault": "repeated"})
    result = module(MODULE, all_pending=True, max_concurrency=most)
    assert (result["failed"], result["changed"], result["failure"]["code"]) == (True, False, "UnreadableAnswer")
    assert deletions(sim) == []


@pytest.mark.parametrize("most", [1, 8])
def test_250_ids_in_any_order_are_reported_in_that_order(sim, module, most):
    sim.reset("fleet:0:0:250")
    ids = jobs_of(sim)
    random.Random(4).shuffle(ids)
    result = module(MODULE, job_ids=ids, max_concurrency=most)
    assert result["cancelled"] == ids
    assert ids_in(result, "jobs") == ids
    assert [entry["job_id"] for entry in result["diff"]["after"]["jobs"]] == ids


def test_jobs_that_appear_while_pages_are_read_do_not_hide_others(sim, module):
    sim.reset("fleet:0:0:250")
    wanted = jobs_of(sim)
    new = {"job_name": "REBOOT", "instance_name": "dds-fleet", "created_ago": 1}
    sim.events([{"after": LIST, "do": [{"job": NO_JOB, "add": new}]}])
    result = module(MODULE, all_pending=True)
    assert set(result["cancelled"]) - {NO_JOB} == set(wanted)
    now = statuses(sim)
    assert [job_id for job_id in wanted if now[job_id] != "Canceled"] == []


@pytest.mark.parametrize("fault", [DENIED, "drop_before", "garbage", {"status": 503}], ids=str)
def test_a_page_that_cannot_be_read_lets_nothing_be_called_off(sim, module, no_backoff, fault):
    sim.reset("fleet:0:0:250")
    sim.faults([{"operation": LIST, "skip": 1, "times": None, "fault": fault}])
    result = module(MODULE, all_pending=True, retries=1)
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["failure"]["operation"] == LIST
    assert deletions(sim) == []


# --- Some of them fail -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 8])
@pytest.mark.parametrize("excused", [True, False])
def test_one_is_refused_one_vanishes_one_begins_and_the_rest_is_called_off(sim, module, most, excused):
    sim.reset("fleet:0:0:30")
    ids = jobs_of(sim)
    refused, vanished, begun, other = ids[3], ids[11], ids[12], ids[20]
    sim.events(
        [
            {
                "before": CANCEL,
                "do": [
                    {"job": vanished, "remove": True},
                    {"job": begun, "set": {"job_status": "Running"}},
                    {"job": other, "set": {"job_status": "Canceled"}},
                ],
            }
        ]
    )
    sim.faults([of_job(CANCEL, refused, REFUSED)])
    options = {"missing_ok": excused, "on_too_late": "ignore" if excused else "fail", "max_concurrency": most}
    result = module(MODULE, all_pending=True, wait_interval=1, **options)
    adds_up(result, ids)
    is_true(sim, result)
    assert ids_in(result, "failed_jobs") == [refused]
    assert (result["missing"], result["too_late"], result["already_cancelled"]) == ([vanished], [begun], [other])
    assert result["cancelled"] == [job_id for job_id in ids if job_id not in (refused, vanished, begun, other)]
    assert result["not_tried"] == []
    # A failure of one job is never excused.
    assert (result["failed"], result["failure"]["code"]) == (True, "DBS.200004")
    assert refused in result["msg"]
    assert "1 of 30" in result["msg"]

    sim.faults([])
    rest = module(MODULE, all_pending=True)
    assert (rest["cancelled"], rest.get("failed", False)) == ([refused], False)


def outcome_with(sim, module, rules, most, **options):
    sim.reset(PARK)
    sim.faults(rules)
    result = stable(module(MODULE, max_concurrency=most, **options))
    # The scenario is loaded anew, and an id of a request is there only once.
    for entry in result["jobs"]:
        assert entry.pop("create_time")
        assert entry.pop("start_time")
        assert entry.pop("end_time")
    for failure in [result.get("failure", {}), *(entry["failure"] for entry in result["failed_jobs"])]:
        failure.pop("request_id", None)
    return result


@pytest.mark.parametrize(
    "options",
    [{"all_pending": True}, {"job_names": ["RESIZE_FLAVOR", "REBOOT"]}, {"instances": [STAGING, ORDERS]}],
    ids=str,
)
@pytest.mark.parametrize("fault", [REFUSED, "drop_after", {"status": 404}], ids=str)
def test_the_result_does_not_depend_on_how_many_are_sent_at_the_same_time(
    sim, module, doubt_for, no_backoff, options, fault
):
    doubt_for(0)
    sim.reset(PARK)
    options = {**options, "wait_interval": 1, "retries": 1}
    rules = [of_job(CANCEL, job_id, fault, times=1) for job_id in jobs_of(sim, job_name="RESIZE_FLAVOR")]
    alone = outcome_with(sim, module, rules, 1, **options)
    assert alone["cancelled"]
    for most in (2, 8, 64):
        assert outcome_with(sim, module, rules, most, **options) == alone


@pytest.mark.parametrize("most", [1, 8])
@pytest.mark.parametrize("before", [0, 20])
def test_a_missing_permission_ends_the_work(sim, module, most, before):
    sim.reset("fleet:0:0:60")
    ids = jobs_of(sim)
    sim.faults([{"operation": CANCEL, "skip": before, "times": None, "fault": DENIED}])
    result = module(MODULE, all_pending=True, max_concurrency=most)
    assert (result["failed"], result["failure"]["code"]) == (True, "DBS.280063")
    adds_up(result, ids)
    is_true(sim, result)
    assert len(result["cancelled"]) == before
    # Those that were under way together.
    assert 1 <= len(result["failed_jobs"]) <= most
    assert len(deletions(sim)) == before + len(result["failed_jobs"])
    assert result["not_tried"] == [job_id for job_id in ids if job_id in result["not_tried"]]
    assert f"{before} called off, {len(result['not_tried'])} not tried" in result["msg"]
    assert result["changed"] is bool(before)
    assert sim.operations()[-1] == LIST
    # Once to its end, and one look at those that were tried.
    assert sim.operations().count(LIST) == len([LIST, *END]) + 1


@pytest.mark.parametrize("most", [1, 8])
@pytest.mark.parametrize("of_all", [True, False])
def test_the_network_is_lost_half_way(sim, module, most, of_all):
    sim.reset("fleet:0:0:60")
    ids = jobs_of(sim)
    listing = len([LIST, *END])
    where = {"service": "dds", "skip": listing + 30} if of_all else {"operation": CANCEL, "skip": 30}
    sim.faults([{**where, "times": None, "fault": "drop_before"}])
    result = module(MODULE, all_pending=True, retries=0, max_concurrency=most, wait_timeout=1, wait_interval=1)
    assert (result["failed"], result["failure"]["retryable"]) == (True, True)
    adds_up(result, ids)
    is_true(sim, result)
    assert result["changed"] is True
    done = {job_id for job_id, status in statuses(sim).items() if status == "Canceled"}
    assert len(done) == 30
    # What was accepted and could not be read again is no success, and is not passed over in silence.
    assert set(result["cancelled"]) == (set() if of_all else done)
    assert done <= set(result["cancelled"]) | set(ids_in(result, "failed_jobs"))
    assert len(result["not_tried"]) >= 60 - 30 - most

    sim.faults([])
    rest = module(MODULE, all_pending=True)
    assert set(rest["cancelled"]) == set(ids) - done
    assert "failed" not in rest


def test_the_deadline_passes_half_way(sim, module):
    sim.reset("fleet:0:0:60")
    ids = jobs_of(sim)
    sim.faults([{"operation": CANCEL, "times": None, "fault": {"delay": 0.25}}])
    result = module(MODULE, all_pending=True, deadline=1)
    assert (result["failed"], result["changed"]) == (True, True)
    adds_up(result, ids)
    assert result["not_tried"]
    time.sleep(0.5)  # for requests that were given up
    is_true(sim, result)
    done = {job_id for job_id, status in statuses(sim).items() if status == "Canceled"}
    assert done <= set(result["cancelled"]) | set(ids_in(result, "failed_jobs"))


def test_a_token_that_ends_half_way_is_renewed_once_for_all(sim):
    sim.reset("fleet:0:0:60")
    ids = jobs_of(sim)
    options = {**connection(sim), "username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    sim.events([{"after": CANCEL, "count": 20, "do": [{"tokens": "expire"}]}])
    result = run_module(MODULE, {**options, "all_pending": True})
    assert "failed" not in result, result["msg"]
    assert result["cancelled"] == ids
    assert sim.operations().count("KeystoneCreateUserTokenByPassword") == 2


# --- max_failures ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 8])
@pytest.mark.parametrize("max_failures", [1, 3, 40])
def test_max_failures_stops_early(sim, module, most, max_failures):
    sim.reset("fleet:0:0:40")
    ids = jobs_of(sim)
    sim.faults([{"operation": CANCEL, "skip": 10, "times": None, "fault": REFUSED}])
    result = module(MODULE, all_pending=True, max_failures=max_failures, max_concurrency=most, wait_interval=1)
    adds_up(result, ids)
    is_true(sim, result)
    assert (result["failed"], result["failure"]["code"]) == (True, "DBS.200004")
    assert len(result["cancelled"]) == 10
    least = min(max_failures, 30)
    # Those that were under way together may fail too.
    assert least <= len(result["failed_jobs"]) <= least + most - 1
    assert len(deletions(sim)) == 10 + len(result["failed_jobs"])
    if most == 1:
        assert result["cancelled"] == ids[:10]
        assert result["not_tried"] == ids[10 + least :]


def test_without_max_failures_all_are_tried(sim, module):
    sim.reset("fleet:0:0:40")
    sim.faults([{"operation": CANCEL, "times": None, "fault": REFUSED}])
    result = module(MODULE, all_pending=True, wait_interval=1)
    assert (len(result["failed_jobs"]), result["not_tried"]) == (40, [])
    assert ids_in(result, "failed_jobs") == jobs_of(sim)


@pytest.mark.parametrize("most", [1, 8])
def test_what_turns_out_to_be_no_failure_does_not_count(sim, module, most):
    sim.reset("fleet:0:0:20")
    ids = jobs_of(sim)
    begins = [{"job": job_id, "set": {"job_status": "Running"}} for job_id in ids[:12]]
    sim.events([{"before": CANCEL, "do": begins}])
    result = module(MODULE, all_pending=True, max_failures=1, max_concurrency=most, on_too_late="ignore")
    assert "failed" not in result, result["msg"]
    assert (result["too_late"], result["cancelled"]) == (ids[:12], ids[12:])
    adds_up(result, ids)


def test_check_mode_and_max_failures(sim, module):
    sim.reset("fleet:0:0:20")
    result = module(MODULE, check_mode=True, all_pending=True, max_failures=1)
    assert result["cancelled"] == jobs_of(sim)
    assert "failed" not in result


# --- Overload, and answers that are lost -----------------------------------------------------------------------------


def test_one_429_slows_the_whole_task(sim, module, monkeypatch):
    sim.reset("fleet:0:0:60")
    busy = {"status": 429, "headers": {"Retry-After": "1"}, "body": {"error_code": "DBS.280443", "error_msg": "busy"}}
    slow = {"operation": CANCEL, "times": None, "fault": {"delay": 0.05}}
    sim.faults([{"operation": CANCEL, "skip": 20, "fault": busy}, slow])
    with Traffic(monkeypatch) as traffic:
        result = module(MODULE, all_pending=True)
    assert "failed" not in result
    assert len(result["cancelled"]) == 60
    assert len(result["retried"]) == 1
    assert sim.operations().count(CANCEL) == 61
    began = sorted(start for method, start, _end in traffic.spans if method == "DELETE")
    gap, index = max((after - before, index) for index, (before, after) in enumerate(zip(began, began[1:])))
    # A pause in which nobody sends, soon after the answer.
    assert gap > 0.9
    assert 20 <= index < 20 + 2 * 8


def test_jobs_that_are_refused_with_429_in_the_end_are_reported(sim, module, no_backoff):
    sim.reset("fleet:0:0:60")
    ids = jobs_of(sim)
    busy = {"status": 429, "body": {"error_code": "DBS.280443", "error_msg": "busy"}}
    sim.faults([{"operation": CANCEL, "skip": 20, "times": None, "fault": busy}])
    result = module(MODULE, all_pending=True, retries=1)
    assert (result["failed"], result["failure"]["code"], result["failure"]["retryable"]) == (True, "DBS.280443", True)
    adds_up(result, ids)
    is_true(sim, result)
    assert len(result["cancelled"]) == 20
    assert result["not_tried"]


@pytest.mark.parametrize("repeat", ["error", "204"])
@pytest.mark.parametrize("fault", ["drop_after", {"status": 503, "processed": True}, "truncate"], ids=str)
def test_many_lost_answers_are_looked_for_once(sim, module, no_backoff, repeat, fault):
    sim.reset("fleet:0:0:40")
    sim.switches({"dds_repeat_cancel": repeat})
    # Each job's first answer is lost; the second one says that it is too late, or not.
    sim.faults([of_job(CANCEL, job_id, fault, times=1) for job_id in jobs_of(sim)])
    result = module(MODULE, all_pending=True, retries=1)
    assert "failed" not in result, result["msg"]
    assert result["cancelled"] == jobs_of(sim)
    operations = sim.operations()
    assert operations == [LIST, *END, *[CANCEL] * 80, LIST]


@pytest.mark.parametrize("most", [1, 8])
def test_lost_answers_without_repetition_cost_one_look_for_all_that_were_under_way(sim, module, most):
    sim.reset("fleet:0:0:40")
    ids = jobs_of(sim)
    sim.faults([{"operation": CANCEL, "skip": 10, "fault": "drop_after"}])
    result = module(MODULE, all_pending=True, retries=0, max_concurrency=most)
    assert "failed" not in result, result["msg"]
    assert result["cancelled"] == ids
    # Once for what was lost, and once when all are done; no job is sent for twice.
    assert sim.operations().count(LIST) == len([LIST, *END]) + 2
    assert sorted(deletions(sim)) == sorted(ids)


def test_a_lost_answer_is_looked_for_until_its_cancellation_shows(sim, module, no_backoff):
    sim.reset("fleet:0:0:12")
    ids = jobs_of(sim)
    sim.switches({"dds_cancel_delay": 0.5})
    # The second request is refused, as the first one was carried out; but that does not show yet.
    sim.faults([of_job(CANCEL, job_id, "drop_after", times=1) for job_id in ids[4:8]])
    result = module(MODULE, job_ids=ids[4:8], retries=1, wait_interval=1)
    assert "failed" not in result, result["msg"]
    assert (result["changed"], result["cancelled"]) == (True, ids[4:8])


def test_a_refusal_is_doubted_once_however_often_answers_are_lost(sim, module, doubt_for):
    seconds = 5
    doubt_for(seconds)
    sim.reset("fleet:0:0:20")
    ids = jobs_of(sim)
    sim.faults(
        [of_job(CANCEL, ids[0], REFUSED)]
        + [of_job(CANCEL, ids[index], "drop_after", times=1) for index in (3, 6, 9, 12, 15)]
    )
    began = time.monotonic()
    result = module(MODULE, all_pending=True, retries=0, max_concurrency=1, wait_interval=1)
    took = time.monotonic() - began
    assert (ids_in(result, "failed_jobs"), result["cancelled"]) == (ids[:1], ids[1:])
    # The time for doubt is not waited for anew with each of the six.
    assert took < 4 * seconds


def test_what_takes_effect_only_while_others_are_tried_is_still_our_doing(sim, module):
    sim.reset("fleet:0:0:8")
    ids = jobs_of(sim)
    sim.switches({"dds_cancel_delay": 0.3})
    sim.events([{"before": CANCEL, "do": [{"job": job_id, "set": {"job_status": "Running"}} for job_id in ids[1:3]]}])
    sim.faults([of_job(CANCEL, ids[3], {"delay": 0.5})])
    # The first look comes after the two that are too late, when the first job still waits.
    options = {"max_failures": 2, "max_concurrency": 1, "wait_timeout": 0, "on_too_late": "ignore"}
    result = module(MODULE, job_ids=ids[:4], **options)
    adds_up(result, ids[:4])
    assert result["too_late"] == ids[1:3]
    assert result["already_cancelled"] == []
    assert ids[0] in result["cancelled"]
    assert result["changed"] is True


def test_a_server_that_loses_every_answer_still_does_the_work(sim, module):
    sim.reset("fleet:0:0:24")
    ids = jobs_of(sim)
    sim.faults([{"operation": CANCEL, "times": None, "fault": "drop_after"}])
    result = module(MODULE, all_pending=True, retries=0)
    assert "failed" not in result, result["msg"]
    assert result["cancelled"] == ids
    assert sorted(deletions(sim)) == sorted(ids)
