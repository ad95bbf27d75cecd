# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCS and DDS: what becomes of the API's objects, what is asked of the services, and every decision on tasks and jobs."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import (
    Dcs,
    TaskFilter,
    build_task,
    confirms_cancellation,
    confirms_removal,
    created_after,
    created_before,
    is_spec_change,
    task_filter,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_resize import judge
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_tasks import Targets
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import Dds, build_job
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import (
    confirms_cancellation as dds_confirms_cancellation,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds_jobs import Selection, plan_cancellation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ApiError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import PHASES

NOW = datetime(2026, 1, 15, 8, 30, tzinfo=timezone.utc)
INSTANCE = "5560df16-cebf-4473-95c4-d1b573c16e79"

#: One status word of DCS for each phase, and one of DDS.
STATUS = {
    "pending": "CREATED",
    "running": "EXECUTING",
    "succeeded": "SUCCESS",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
    "unknown": "FROBNICATING",
}
JOB_STATUS = {
    "pending": "Pending",
    "running": "Running",
    "succeeded": "Completed",
    "failed": "Failed",
    "cancelled": "Canceled",
    "unknown": "Frobnicating",
}
ENDED = ("succeeded", "failed", "cancelled")
UNFINISHED = ("pending", "running", "unknown")


def task(id_="t-1", phase="pending", name="EXTEND"):
    return build_task({"id": id_, "name": name, "status": STATUS[phase]}, INSTANCE)


def job(id_, phase="pending", name="RESIZE_FLAVOR"):
    return build_job({"job_id": id_, "job_name": name, "job_status": JOB_STATUS[phase]})


# Objects


def test_task_keeps_what_the_api_said():
    given = {
        "id": "t-1",
        "name": "EXTEND",
        "status": "SUCCESS",
        "error_code": "111400063",
        "details": {"old_capacity": 0.125, "new_capacity": "0.25", "old_port": 6379, "new_thing": [1]},
        "unheard_of": {"a": [None]},
    }
    before = {**given, "details": dict(given["details"])}
    assert build_task(given, INSTANCE) == {
        **before,
        "details": {"old_capacity": "0.125", "new_capacity": "0.25", "old_port": 6379, "new_thing": [1]},
        "instance_id": INSTANCE,
        "phase": "succeeded",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.125, "0.125"),
        ("0.125", "0.125"),
        (".125", ".125"),
        (1, "1"),
        (1.0, "1"),
        (24.5, "24.5"),
        (0, "0"),
        ("", ""),
        (None, None),
        (True, True),
        ([], []),
    ],
)
def test_capacities_are_text(value, text):
    """C6."""
    details = build_task({"id": "t", "details": {"old_capacity": value, "new_capacity": value}}, None)["details"]
    assert details == {"old_capacity": text, "new_capacity": text}
    assert type(details["old_capacity"]) is type(text)


@pytest.mark.parametrize("details", [None, [], "text", 5])
def test_details_that_are_no_object(details):
    assert build_task({"id": "t", "details": details}, None)["details"] == details


def test_task_without_details():
    assert build_task({"id": "t"}, None) == {"id": "t", "instance_id": None, "phase": "unknown"}


@pytest.mark.parametrize("phase", PHASES)
def test_phase_of_tasks_and_jobs(phase):
    assert task(phase=phase)["phase"] == phase
    assert job("j", phase)["phase"] == phase


def test_job_keeps_what_the_api_said():
    given = {"job_id": "j", "job_status": "Canceled", "new": {"a": 1}}
    assert build_job(given) == {**given, "phase": "cancelled"}
    assert "phase" not in given


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("EXTEND", True),
        ("ChangeInstanceSpec", True),
        ("extend", True),
        ("EXTENDED", False),
        ("BindEip", False),
        ("", False),
        (None, False),
        (5, False),
        ([], False),
        (["EXTEND"], False),
        ({}, False),
    ],
)
def test_spec_change(name, expected):
    """C2."""
    assert is_spec_change({"name": name}) is expected
    assert is_spec_change({}) is False


@pytest.mark.parametrize(
    ("created", "before", "after"),
    [
        ("2026-01-15T08:29:59.999Z", True, False),
        ("2026-01-15T08:30:00.000Z", False, False),
        ("2026-01-15T08:30:00.001Z", False, True),
        (None, False, False),
        ("odd", False, False),
    ],
)
def test_created(created, before, after):
    assert created_before({"created_at": created}, NOW) is before
    assert created_after({"created_at": created}, NOW) is after


# What is asked


class FakeClient:
    """Answers each operation from a table; keeps the queries. One request at a time, as never a credential is accepted."""

    accepted = False
    max_concurrency = 8
    redact = staticmethod(str)
    service_ahead = 0.0

    def __init__(self, **answers):
        self.answers = answers
        self.calls = []

    def request(self, operation, base_url, *, path, query=None, **keywords):
        self.calls.append((operation.name, dict(path), {key: v for key, v in (query or {}).items() if v is not None}))
        return Answer(200, {}, self.answers.get(operation.name), False)


class FakeAccount:
    project_id = "p-1"
    sign_ins = 0

    def authenticate(self, request):
        return request

    def renew(self, sign_ins):
        return False


class FakeEndpoints:
    def url(self, service):
        return f"https://{service}.example.com"


def service(kind, **answers):
    client = FakeClient(**answers)
    return kind(client, FakeEndpoints(), FakeAccount(), pytest.fail), client


def entry(id_, created):
    return {"id": id_, "created_at": created}


def test_tasks_of_an_instance():
    listed = [entry("old", "2026-01-01T00:00:00Z"), entry("new", "2026-01-02T00:00:00Z"), entry("none", None)]
    dcs, client = service(Dcs, ListBackgroundTask={"task_count": "3", "tasks": listed})
    found = dcs.tasks(INSTANCE)
    assert [each["id"] for each in found] == ["new", "old", "none"]
    assert {each["instance_id"] for each in found} == {INSTANCE}
    assert client.calls == [
        ("ListBackgroundTask", {"project_id": "p-1", "instance_id": INSTANCE}, {"offset": 0, "limit": 1000})
    ]


def test_start_is_sent_and_applied_again():
    """C1: a service that does not honour it."""
    listed = [
        entry("before", "2026-01-15T08:29:59.999Z"),
        entry("at", "2026-01-15T08:30:00Z"),
        entry("after", "2026-01-16T00:00:00Z"),
        entry("odd", "?"),
    ]
    dcs, client = service(Dcs, ListBackgroundTask={"task_count": 4, "tasks": listed})
    found = dcs.tasks_of_each([INSTANCE], TaskFilter(start=NOW))
    assert [each["id"] for each in found.tasks] == ["after", "at", "odd"]
    assert client.calls[0][2]["start_time"] == "20260115083000"


def test_task_centre_names_no_instance():
    listed = [{**entry("t", None), "instance_id": "never guessed"}]
    dcs, client = service(Dcs, ListCenterTask={"task_count": 1, "tasks": listed})
    assert [each["instance_id"] for each in dcs.tasks(None)] == [None]
    assert client.calls == [("ListCenterTask", {"project_id": "p-1"}, {"offset": 0, "limit": 1000})]


@pytest.mark.parametrize(
    ("instance", "operation", "path"),
    [(INSTANCE, "DeleteBackgroundTask", {"instance_id": INSTANCE}), (None, "DeleteCenterTask", {})],
)
def test_delete(instance, operation, path):
    dcs, client = service(Dcs)
    dcs.delete_task(instance, "t-1")
    assert client.calls == [(operation, {"project_id": "p-1", "task_id": "t-1", **path}, {})]


def test_dcs_instances_by_name_and_id():
    listed = [{"instance_id": f"i-{n}", "name": name} for n, name in enumerate(["a", "b", "ab"])]
    dcs, client = service(Dcs, ListInstances={"instance_num": 3, "instances": listed})
    assert dcs.instance_ids([INSTANCE.upper(), "a", INSTANCE, "a"]) == [INSTANCE, "i-0"]
    assert client.calls[0][2] == {"name": "a", "name_equal": "true", "offset": 0, "limit": 1000}
    assert dcs.instance_ids(["b", "a"]) == ["i-1", "i-0"]
    assert len(client.calls) == 2
    assert dcs.instance_ids([INSTANCE]) == [INSTANCE]
    assert len(client.calls) == 2, "an id costs nothing"


@pytest.mark.parametrize(
    ("names", "code", "said"),
    [
        (["b"], "NotFound", "no DCS instance named b"),
        (["a"], "Ambiguous", "DCS instances of the same name: 2 named a: i-0, i-1"),
        (["b", "c"], "NotFound", "no DCS instance named b or c"),
        (["a", "b", "c"], "NotFound", "no DCS instance named b or c in this project.*2 named a: i-0, i-1"),
    ],
)
def test_name_that_fits_none_or_several(names, code, said):
    listed = [{"instance_id": f"i-{n}", "name": "a"} for n in (1, 0)] + [{"instance_id": "i-2", "name": ["b"]}]
    dcs, _client = service(Dcs, ListInstances={"instance_num": 3, "instances": listed})
    with pytest.raises(RefusedError, match=said) as caught:
        dcs.instance_ids(names)
    assert caught.value.code == code


def test_jobs():
    listed = [
        {"job_id": "old", "create_time": "2019-05-26T10:41:14+0000", "job_status": "Pending"},
        {"job_id": "new", "create_time": "2019-05-26T10:41:14-0100", "job_status": "Canceled"},
    ]
    dds, client = service(Dds, ListScheduledTasks={"total_count": 2, "schedules": listed})
    found = dds.jobs(NOW, instance_id="i", job_name="N", job_status="Pending")
    assert [(each["job_id"], each["phase"]) for each in found] == [("new", "cancelled"), ("old", "pending")]
    assert client.calls[0][2] == {
        "start_time": "2026-01-15T08:30:00+0000",
        "instance_id": "i",
        "job_name": "N",
        "job_status": "Pending",
        "offset": 0,
        "limit": 100,
    }
    dds.jobs(NOW, NOW)
    assert client.calls[1][2]["end_time"] == "2026-01-15T08:30:00+0000"


# Which tasks are meant


def dated(id_, days, **more):
    """A task of some days ago."""
    created = (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": id_, "name": "EXTEND", "status": "SUCCESS", "created_at": created, **more}


def meant(records, **filters):
    return [each["id"] for each in task_filter(**filters).of(records, INSTANCE)]


def test_no_filter_changes_nothing():
    records = [dated("old", 9), dated("new", 1), {"id": "odd"}]
    assert meant(records) == ["old", "new", "odd"]


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("asked", [[phase] for phase in PHASES] + [list(PHASES), list(ENDED)])
def test_phases(phase, asked):
    assert meant([task("t", phase)], phases=asked) == ["t"] * (phase in asked)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["BindEip"], ["b"]),
        (["EXTEND"], ["e", "c"]),
        (["ChangeInstanceSpec"], ["e", "c"]),
        (["bindeip"], ["b"]),
        (["extend"], ["e", "c"]),
        (["CHANGEINSTANCESPEC", "BINDEIP"], ["e", "c", "b"]),
        (["BindEi"], []),
        (["BindEip", "EXTEND", "None"], ["e", "c", "b"]),
    ],
)
def test_names(names, expected):
    """C2: a spec change has two names."""
    named = {"e": "EXTEND", "c": "ChangeInstanceSpec", "b": "BindEip"}
    assert meant([*(dated(id_, 1, name=name) for id_, name in named.items()), {"id": "none"}], names=names) == expected


def test_statuses_are_compared_without_regard_to_case():
    assert meant([dated("a", 1), dated("b", 1, status="success"), {"id": "c"}], statuses=["Success"]) == ["a", "b"]


def test_what_has_no_readable_time_is_not_certainly_older():
    records = [
        dated("at", 30),
        dated("before", 31),
        dated("after", 29),
        {"id": "odd"},
        {"id": "text", "created_at": "?"},
    ]
    assert meant(records, older_than=NOW - timedelta(days=30)) == ["before"]


def test_what_has_no_readable_time_is_not_certainly_outside():
    records = [dated("at", 30), dated("before", 31), dated("after", 29), {"id": "odd"}]
    assert meant(records, start=NOW - timedelta(days=30)) == ["at", "after", "odd"]
    assert meant(records, end=NOW - timedelta(days=30)) == ["at", "before", "odd"]


@pytest.mark.parametrize(("keep", "expected"), [(None, "cabd"), (0, "cabd"), (1, "abd"), (3, "d"), (4, ""), (9, "")])
def test_keep_last_leaves_out_the_newest(keep, expected):
    records = [dated("b", 3), dated("c", 1), dated("a", 2), {"id": "d"}]
    assert sorted(meant(records, keep_last=keep)) == sorted(expected)


def test_keep_last_counts_only_what_fits_otherwise():
    records = [dated("a", 1, status="FAILED"), dated("b", 2), dated("c", 3), dated("d", 4, status="FAILED")]
    assert meant(records, keep_last=1, phases=["succeeded"]) == ["c"]


@pytest.mark.parametrize("field", ["task_ids", "names", "statuses", "phases"])
def test_an_empty_filter_fits_nothing(field):
    assert task_filter(**{field: []}).fits_nothing
    assert meant([dated("a", 1)], **{field: []}) == []
    assert not task_filter(**{field: ["x"]}).fits_nothing
    assert not task_filter().fits_nothing


def test_absent_are_the_ids_that_are_not_listed():
    targets = Targets([INSTANCE], task_filter(task_ids=["gone", "d", "c", "away"]))
    assert targets.absent([task("c"), task("d")]) == ["gone", "away"]
    assert Targets([INSTANCE], task_filter(phases=["failed"])).absent([task("c")]) == []


# Calling off a spec change: every combination


@pytest.mark.parametrize("name", ["EXTEND", "ChangeInstanceSpec"])
@pytest.mark.parametrize("phases", [combo for n in range(3) for combo in itertools.product(PHASES, repeat=n)])
def test_judge_without_task_id(name, phases):
    """None: nothing to do; one: that one; several: a failure that lists them. What has ended plays no part."""
    listed = [task(f"t-{n}", phase, name) for n, phase in enumerate(phases)]
    listed.append(task("other", "running", "BindEip"))
    pending = [each for each in listed[:-1] if each["phase"] in UNFINISHED]
    if len(pending) > 1:
        with pytest.raises(RefusedError) as caught:
            judge(listed, None)
        assert caught.value.code == "Ambiguous"
        assert all(each["id"] in str(caught.value) for each in pending)
        return
    expected = pending[0] if pending else None
    assert judge(listed, None) == (expected, expected, None)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("other", [None, *PHASES])
def test_judge_with_task_id(phase, other):
    """The phase of this task decides, whatever else there is."""
    target = task("t-1", phase, "ChangeInstanceSpec")
    listed = [target] if other is None else [task("t-2", other), target]
    if phase == "succeeded":
        with pytest.raises(RefusedError, match=r"too late.*t-1") as caught:
            judge(listed, "t-1")
        assert caught.value.code == "TooLate"
        return
    verdict = judge(listed, "t-1")
    assert verdict.task == target
    assert verdict.cancel == (target if phase in UNFINISHED else None)
    assert bool(verdict.warning) is (phase == "failed")


@pytest.mark.parametrize("other", [None, *PHASES])
@pytest.mark.parametrize("name", ["EXTEND", "BindEip"])
def test_judge_task_id_that_is_not_listed(other, name):
    """A warning, unless another spec change is pending: then the id is probably wrong."""
    listed = [] if other is None else [task("t-2", other, name)]
    if other in UNFINISHED and name == "EXTEND":
        with pytest.raises(RefusedError, match=r"t-1 is not listed.*t-2") as caught:
            judge(listed, "t-1")
        assert caught.value.code == "NotFound"
        return
    verdict = judge(listed, "t-1")
    assert (verdict.cancel, verdict.task) == (None, None)
    assert "t-1 is not listed" in verdict.warning


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("other", [None, *PHASES])
def test_judge_task_that_is_no_spec_change(phase, other):
    listed = [task("t-1", phase, "BindEip")] + ([] if other is None else [task("t-2", other)])
    with pytest.raises(RefusedError, match=r"not a spec change, but BindEip t-1") as caught:
        judge(listed, "t-1")
    assert caught.value.code == "NotASpecChange"


@pytest.mark.parametrize("listed", [[], [task("t-1", "succeeded")], [task("x", "pending", "BindEip")]])
def test_judge_nothing_to_do(listed):
    assert judge(listed, None) == (None, None, None)


# Calling off scheduled jobs: every combination

OUTCOME = {
    "pending": "to_cancel",
    "unknown": "to_cancel",
    "cancelled": "already_cancelled",
    "running": "too_late",
    "succeeded": "too_late",
    "failed": "already_failed",
}
LISTS = ("to_cancel", "already_cancelled", "already_failed", "too_late", "missing")


def by_ids(*ids):
    return Selection(ids, None, None, NOW)


def of_instance(*names):
    return Selection(None, None, names or None, NOW)


@pytest.mark.parametrize("phase", [*PHASES, None])
def test_cancellation_by_id(phase):
    listed = [job("other")] + ([] if phase is None else [job("j", phase)])
    plan = plan_cancellation(listed, by_ids("j"))
    outcome = "missing" if phase is None else OUTCOME[phase]
    assert {name: getattr(plan, name) for name in LISTS} == {name: ["j"] * (name == outcome) for name in LISTS}
    assert plan.jobs == listed[1:]
    assert plan.phases == ({} if phase is None else {"j": phase})


@pytest.mark.parametrize("phase", PHASES)
def test_cancellation_by_instance(phase):
    """All that has not ended is meant; what has ended is no failure."""
    plan = plan_cancellation([job("j", phase)], of_instance())
    expected = {name: ["j"] * (name == OUTCOME[phase] and phase in UNFINISHED) for name in LISTS}
    assert {name: getattr(plan, name) for name in LISTS} == expected
    assert len(plan.jobs) == (phase in UNFINISHED)


@pytest.mark.parametrize("phase", PHASES)
def test_cancellation_of_all_that_wait(phase):
    """What has begun is not meant, and so no failure; an unknown word may mean that it waits."""
    plan = plan_cancellation([job("j", phase)], of_instance()._replace(only_pending=True))
    assert plan.to_cancel == ["j"] * (phase in ("pending", "unknown"))
    assert (plan.already_cancelled, plan.too_late, plan.missing) == ([], [], [])


@pytest.mark.parametrize(("instances", "expected"), [(None, "abc"), (["i-1"], "a"), (["i-1", "i-2"], "ab"), ([], "")])
def test_cancellation_by_instances(instances, expected):
    listed = [{**job("a"), "instance_id": "i-1"}, {**job("b"), "instance_id": "i-2"}, job("c")]
    plan = plan_cancellation(listed, of_instance()._replace(instance_ids=instances))
    assert plan.to_cancel == list(expected)


def test_cancellation_by_name():
    listed = [job("a", name="A"), job("b", name="B"), job("c", name="C"), job("d", "succeeded", "A")]
    assert plan_cancellation(listed, of_instance("A", "C")).to_cancel == ["a", "c"]
    assert plan_cancellation(listed, of_instance("a")).to_cancel == ["a"]
    assert plan_cancellation(listed, of_instance("AA")).to_cancel == []
    assert plan_cancellation([{**listed[0], "job_name": ["A"]}], of_instance("A")).to_cancel == []


def test_cancellation_of_many_keeps_the_order():
    listed = [job(phase, phase) for phase in PHASES]
    ids = ["unknown", "no-1", *reversed(PHASES[:-1]), "no-2"]
    plan = plan_cancellation(listed, by_ids(*ids))
    assert plan.to_cancel == ["unknown", "pending"]
    assert plan.already_cancelled == ["cancelled"]
    assert plan.already_failed == ["failed"]
    assert plan.too_late == ["succeeded", "running"]
    assert plan.missing == ["no-1", "no-2"]
    assert [each["job_id"] for each in plan.jobs] == [id_ for id_ in ids if id_ in PHASES]


def test_cancellation_of_nothing():
    assert plan_cancellation([job("a")], by_ids()) == ([], [], [], [], [], [], {})
    assert plan_cancellation([], of_instance()) == ([], [], [], [], [], [], {})


def test_case_does_not_matter_in_ids_and_the_record_has_the_last_word():
    listed = [job("Ab-1"), job("ab-2", "running"), {**job("x"), "instance_id": "I-1"}]
    plan = plan_cancellation(listed, by_ids("aB-1", "AB-1", "AB-2", "Ab-3", "aB-3"))
    assert (plan.to_cancel, plan.too_late, plan.missing) == (["Ab-1"], ["ab-2"], ["aB-3"])
    assert plan_cancellation(listed, of_instance()._replace(instance_ids=["i-1"])).to_cancel == ["x"]


# What confirms that this run changed something: the documented answers, and nothing else (contract 2.4, 2.6, 3.4)

BODIES = {
    "no body": (None, {}, ""),
    "no words": ({"message": ""}, {"message": None}),
    "words": ({"message": "failed, still running"}, {"error_code": "DCS.5000"}, {"message": "", "error_code": None}),
    "other": ([], [{}], "OK", "<html>", 0, 1, False, True),
}


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("status", [200, 201, 202, 203, 204, 206, 299])
def test_what_confirms_a_change(status, kind):
    quiet = kind in ("no body", "no words")
    for body in BODIES[kind]:
        assert confirms_removal(status, body) is (status == 204 or (status == 200 and quiet))
        assert dds_confirms_cancellation(status) is (status == 204)
        assert confirms_cancellation(status, body) is False


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"result": "success"}, True),
        (200, {"result": "success", "more": 1}, True),
        (200, {"result": "pending"}, False),
        (200, {"result": ["success"]}, False),
        (200, ["result", "success"], False),
        (202, {"result": "success"}, False),
    ],
)
def test_what_confirms_that_a_spec_change_was_called_off(status, body, expected):
    assert confirms_cancellation(status, body) is expected


def test_a_service_may_say_by_an_error_that_a_list_has_ended():
    class WithoutEmptyPages(Dcs):
        codes_after_the_end = ("DCS.4800",)

    dcs, client = service(WithoutEmptyPages)
    dcs._complete = True

    def request(operation, base_url, *, query, **keywords):
        if query["offset"]:
            raise operation.error(ApiError, "Invalid offset.", code="DCS.4800", http_status=400)
        return Answer(200, {}, {"task_count": 1, "tasks": [entry("t", "2026-01-16T00:00:00Z")]}, False)

    client.request = request
    assert [task["id"] for task in dcs.tasks(INSTANCE)] == ["t"]
    # The same error at the beginning is none of these.
    client.request = lambda operation, *args, **keywords: request(operation, "", query={"offset": 1})
    with pytest.raises(ApiError):
        dcs.tasks(INSTANCE)


def test_an_age_before_the_first_year_selects_nothing():
    oldest = datetime.min.replace(tzinfo=timezone.utc)
    assert TaskFilter(older_than=oldest).by_service_clock(-60).older_than == oldest
    assert TaskFilter().by_service_clock(-60) == TaskFilter()
