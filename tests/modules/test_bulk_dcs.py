# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many instances and many tasks in one task: dcs_task_info and dcs_task with requests in parallel, and selections."""

from __future__ import annotations

import importlib
import json
import re
from typing import Any

import pytest

from tests.conftest import signed_in
from tests.harness.listings import to_the_end
from tests.harness.modules import COLLECTION, run_module
from tests.harness.playbooks import local_play, run_playbook
from tests.proof.clock import Clock, install

NOBODY = "00000000-0000-4000-8000-000000000000"
TASKS, CENTRE, INSTANCES = "ListBackgroundTask", "ListCenterTask", "ListInstances"
REMOVE, PROGRESS = "DeleteBackgroundTask", "ShowBackgroundTaskProgress"
WRITES = {REMOVE, "DeleteCenterTask"}
#: One request leaves after the other, so that it is known which was the first.
IN_TURN = {"max_concurrency": 1}
ENDED = ["succeeded", "failed", "cancelled"]
BOTH_WIDTHS = pytest.mark.parametrize("width", [1, 8])


def instance_id(letter: str) -> str:
    """The id of one of the instances C(redis-a), C(redis-b) and so on."""
    return "-".join(letter * length for length in (8, 4, 4, 4, 12))


A, B, C, D = map(instance_id, "abcd")


def task(number: int, status: str = "SUCCESS", **more: Any) -> dict[str, Any]:
    """A task of a scene; with a higher number it is older, by a day."""
    return {"id": f"{number:032x}", "name": "modify", "status": status, "created_ago": f"{number}d", **more}


def scene(**tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """Instances C(redis-a) and so on, with these tasks."""
    return {
        "dcs_instances": [
            {"name": f"redis-{letter}", "instance_id": instance_id(letter), "tasks": own}
            for letter, own in tasks.items()
        ]
    }


def numbers(tasks_or_ids: list[Any]) -> list[int]:
    """The numbers of tasks of a scene."""
    return [int(entry if isinstance(entry, str) else entry["id"], 16) for entry in tasks_or_ids]


def remaining(sim) -> set[str]:
    """The ids of the tasks that are there."""
    return {each["id"] for each in sim.state()["tasks"]}


def fleet(sim) -> list[str]:
    """The ids of all instances, in the order in which C(all) takes them."""
    return sorted(instance["instance_id"] for instance in sim.state()["dcs_instances"])


def told(result: dict[str, Any]) -> dict[str, Any]:
    """What a result says, without what it cost, and without what is new in each scene: times, and ids of requests."""
    kept = {key: value for key, value in result.items() if key not in ("requests", "retried", "waited")}
    text = re.sub(r'"(request_id|created_at|updated_at)": "[^"]+"', r'"\1": "…"', json.dumps(kept))
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def most_at_once(entries: list[dict[str, Any]]) -> int:
    """How many of these requests were under way at the same time at most."""
    changes = [(entry["began"], 1) for entry in entries] + [(entry["ended"], -1) for entry in entries]
    under_way = most = 0
    for _moment, change in sorted(changes):
        under_way += change
        most = max(most, under_way)
    return most


def refused(operation: str, ids: list[str], status: int, code: str) -> list[dict[str, Any]]:
    """Rules that let an operation fail for these instances."""
    fault = {"status": status, "body": {"error_code": code, "error_msg": "No."}}
    return [{"operation": operation, "path": each, "times": None, "fault": fault} for each in ids]


# The same result, however many requests are sent at the same time

LISTINGS: dict[str, tuple[str, dict[str, Any], list[int]]] = {
    "all instances": ("fleet:12:30", {"instances": "all"}, []),
    "some words": ("fleet:12:30", {"instances": "all", "names": ["EXTEND"], "phases": ["succeeded"]}, []),
    "the newest left out": ("fleet:12:30", {"instances": "all", "keep_last": 28}, []),
    "not all of them": ("fleet:12:30", {"instances": "all", "max_results": 100}, []),
    "not all of one": ("fleet:2:1100", {"instances": "all", "max_results": 1050}, []),
    "instances that are unknown": ("fleet:12:30", {"instances": "all"}, [0, 5, 11]),
    "too many that are unknown": ("fleet:12:30", {"instances": "all", "max_results": 100}, [0, 5, 11]),
    "several pages of each": ("fleet:3:1100", {"instances": "all"}, []),
    "several pages of one": ("fleet:3:1100", {"instances": "all"}, [0, 2]),
    "the task centre": ("fleet:3:1100", {}, []),
}


@pytest.mark.parametrize(("scenario", "options", "unknown"), LISTINGS.values(), ids=LISTINGS.keys())
def test_the_result_does_not_depend_on_how_many_requests_are_sent_at_once(sim, module, scenario, options, unknown):
    sim.reset(scenario)
    if scenario.endswith(":30"):
        sim.switches({"list_order": "shuffled"})
    sim.faults(refused(TASKS, [fleet(sim)[number] for number in unknown], 404, "DCS.3022"))
    results = [told(module("dcs_task_info", max_concurrency=width, **options)) for width in (1, 8, 8)]
    assert results[0]["tasks"]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("unknown", [[], [1, 4]], ids=["all known", "two unknown"])
def test_a_removal_does_not_depend_on_it_either(sim, module, check_mode, unknown):
    results = []
    options = {"instances": "all", "phases": ENDED, "keep_last": 3, "state": "absent"}
    for width in (1, 8):
        sim.reset("fleet:6:10")
        sim.faults(refused(TASKS, [fleet(sim)[number] for number in unknown], 404, "DCS.3022"))
        before = remaining(sim)
        results.append(told(module("dcs_task", check_mode=check_mode, max_concurrency=width, **options)))
        assert before - remaining(sim) == (set() if check_mode else set(results[-1]["removed"]))
    assert results[0] == results[1]
    assert len(results[0]["removed"]) == 7 * (6 - len(unknown))


# The fewest requests, in parallel, over connections that are used again


def test_all_instances_cost_one_request_each_and_one_more(sim, module):
    sim.reset("fleet:25:3")
    result = module("dcs_task_info", instances="all")
    assert sim.operations() == [INSTANCES] + [TASKS] * 25
    assert (len(result["tasks"]), result["requests"]) == (75, 26)
    assert [each["created_at"] for each in result["tasks"]] == sorted(
        (each["created_at"] for each in result["tasks"]), reverse=True
    )


def test_the_task_centre_is_read_in_pages_of_a_thousand(sim, module):
    sim.reset("fleet:20:1000")
    result = module("dcs_task_info")
    # Each begins with the last record of the one before, by which a list that shifts shows.
    assert sorted(int(entry["query"]["offset"][0]) for entry in sim.journal()) == list(range(0, 20000, 999))
    assert {entry["query"]["limit"][0] for entry in sim.journal()} == {"1000"}
    assert (len(result["tasks"]), result["summary"]["total"]) == (20000, 20000)
    assert len({each["id"] for each in result["tasks"]}) == 20000


@pytest.mark.parametrize("options", [{}, {"instances": "all"}], ids=["centre", "instances"])
@pytest.mark.parametrize("width", [1, 3])
def test_never_more_at_once_than_is_allowed(sim, module, options, width):
    """Instances, and the pages of one instance."""
    sim.reset("fleet:4:2500")
    sim.switches({"latency_ms": 60})
    result = module("dcs_task_info", max_concurrency=width, **options)
    assert len(result["tasks"]) == 10000
    assert most_at_once(sim.journal()) == width
    assert len({entry["connection"] for entry in sim.journal()}) <= width


def test_pages_of_one_instance_are_read_at_the_same_time(sim, module):
    sim.reset("fleet:1:8000")
    sim.switches({"latency_ms": 100})
    module("dcs_task_info", instances=fleet(sim))
    first, *others = sim.journal()
    assert min(entry["began"] for entry in others) >= first["ended"], "it tells how many there are"
    assert most_at_once(others) >= 5


def test_deletes_are_sent_at_the_same_time(sim, module):
    sim.reset("fleet:3:4")
    sim.switches({"latency_ms": 50})
    result = module("dcs_task", instances="all", phases=ENDED, state="absent", max_concurrency=4)
    assert (len(result["removed"]), remaining(sim)) == (12, set())
    deletes = [entry for entry in sim.journal() if entry["operation"] == REMOVE]
    assert (len(deletes), most_at_once(deletes)) == (12, 4)
    assert len({entry["connection"] for entry in sim.journal()}) <= 4


def test_credentials_that_may_be_wrong_are_tried_once(sim, module):
    """Five bad signatures lock an access key."""
    sim.reset("fleet:10:1")
    result = module("dcs_task_info", instances=fleet(sim), secret_key="not-the-right-secret-key")
    assert (result["failure"]["http_status"], len(sim.operations())) == (401, 1)
    assert [each["instance_id"] for each in result["failed_instances"]] == fleet(sim)[:1]
    assert result["not_listed"] == fleet(sim)[1:]


def test_a_token_that_expires_half_way_is_renewed_once(sim, module):
    sim.reset("fleet:12:1")
    sim.switches({"latency_ms": 20})
    sim.events([{"after": TASKS, "count": 3, "do": [{"tokens": "expire"}]}])
    password = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    result = module("dcs_task_info", instances="all", access_key=None, secret_key=None, **password)
    assert (len(result["tasks"]), result["failed_instances"]) == (12, [])
    assert sim.operations().count("KeystoneCreateUserTokenByPassword") == 2


# Counts that are wrong, and records that leave meanwhile


@pytest.mark.parametrize("count", [9000, "9000", 1500, "1500", 0, -1, "many", None])
@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task"])
def test_a_first_page_that_counts_wrongly(sim, module, name, count):
    sim.reset("fleet:1:2500")
    tasks = [
        {key: value for key, value in each.items() if key not in ("project_id", "instance_id")}
        for each in sim.tasks("redis-fleet-00000")[:1000]
    ]
    body = {"tasks": tasks} if count is None else {"tasks": tasks, "task_count": count}
    sim.faults([{"operation": TASKS, "fault": {"status": 200, "body": body}}])
    options = {"phases": ENDED, "state": "absent"} if name == "dcs_task" else {}
    result = module(name, check_mode=True, instances="all", **options)
    assert not result.get("failed"), result["msg"]
    assert {each["id"] for each in result["tasks"]} == remaining(sim)
    assert "warnings" not in result


@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task"])
@pytest.mark.parametrize("position", [0, 1, 999, 1000, 2499])
def test_a_record_that_is_removed_while_pages_are_read(sim, module, name, position):
    """Later records then move to earlier pages, past the reader."""
    sim.reset("fleet:2:2500")
    gone = sim.tasks("redis-fleet-00001")[position]["id"]
    sim.events([{"after": TASKS, "count": 3, "do": [{"task": gone, "remove": True}]}])
    options = {"phases": ENDED, "state": "absent"} if name == "dcs_task" else {}
    result = module(name, check_mode=True, instances="all", **options)
    assert not result.get("failed"), result["msg"]
    listed = [each["id"] for each in result["tasks"]]
    assert set(listed) - {gone} == remaining(sim)
    assert len(listed) == len(set(listed))


# Partial failure


def check_partition(sim, result: dict[str, Any], listed: list[str]) -> None:
    """Each instance was listed, has failed, or was not tried."""
    failed = [each["instance_id"] for each in result["failed_instances"]]
    assert sorted([*listed, *failed, *result["not_listed"]]) == fleet(sim)
    assert result["not_listed"] == [each for each in fleet(sim) if each in result["not_listed"]]
    assert result["failed"] is True
    assert result["failure"] == result["failed_instances"][0]["failure"]
    assert f"{len(failed)} of {len(fleet(sim))} instances could not be listed" in result["msg"]
    assert f"{len(result['not_listed'])} " in result["msg"]
    assert all("not known whether" not in each["msg"] for each in result["failed_instances"]), "nothing was to be done"


def listed_in(result: dict[str, Any]) -> list[str]:
    """The instances of which tasks are in the result."""
    return sorted({each["instance_id"] for each in result["tasks"]})


#: How single instances fail, and that the others do not mind.
ALONE = {
    "unknown": ({"status": 404, "body": {"error_code": "DCS.3022", "error_msg": "No."}}, "DCS.3022"),
    "refused": ({"status": 400, "body": {"error_code": "DCS.4026", "error_msg": "No."}}, "DCS.4026"),
    "disturbed": ({"status": 500, "body": {"error_code": "DCS.5000", "error_msg": "No."}}, "DCS.5000"),
    "incomplete": ({"status": 200, "body": {"tasks": [], "task_count": 1}}, "UnreadableAnswer"),
}


@BOTH_WIDTHS
@pytest.mark.parametrize(("fault", "code"), ALONE.values(), ids=ALONE.keys())
@pytest.mark.parametrize("state", ["absent", "finished"])
def test_instances_that_fail_do_not_keep_others_from_being_done(sim, module, no_backoff, width, fault, code, state):
    sim.reset("fleet:6:2")
    bad = [fleet(sim)[1], fleet(sim)[3]]
    good = [each for each in fleet(sim) if each not in bad]
    sim.faults([{"operation": TASKS, "path": each, "times": None, "fault": fault} for each in bad])
    options = {"max_concurrency": width, "retries": 1, "instances": "all"}
    info = module("dcs_task_info", **options)
    if fault["status"] != 200:
        check_partition(sim, info, good)
        assert [each["instance_id"] for each in info["failed_instances"]] == bad
        assert (listed_in(info), info["summary"]["total"], info["truncated"]) == (good, 8, False)
    else:
        assert "counts more" in str(info["warnings"]), "it lists, changes nothing, and says what it doubts"
    result = module("dcs_task", phases=ENDED, accepted_phases=ENDED, state=state, **options)
    check_partition(sim, result, good)
    assert result["failure"]["code"] == code
    assert [each["instance_id"] for each in result["failed_instances"]] == bad
    assert (len(result["tasks"]), result["not_listed"]) == (8, [])
    if state == "absent":
        assert (len(result["removed"]), result["not_tried"], result["changed"]) == (8, [], True)
        assert {each["instance_id"] for each in sim.state()["tasks"]} == set(bad)
        predicted = module("dcs_task", check_mode=True, phases=ENDED, state=state, **options)
        assert predicted.keys() == result.keys()
    else:
        assert (result["unfinished"], result["changed"]) == ([], False)


#: What all instances would share, and how the first of them fails.
SHARED = {
    "forbidden": ({"status": 403, "body": {"error_code": "DCS.2007", "error_msg": "No."}}, "DCS.2007"),
    "not signed in": ({"status": 401, "body": {"error_code": "APIGW.0301", "error_msg": "No."}}, "APIGW.0301"),
    "no such API": ({"status": 404, "body": {"error_code": "APIGW.0101", "error_msg": "No."}}, "APIGW.0101"),
    "throttled": ({"status": 429, "body": {"error_code": "APIGW.0308", "error_msg": "No."}}, "APIGW.0308"),
    "no gateway": ({"status": 502, "body": "<html>"}, "502"),
    "no network": ("drop_before", "NetworkError"),
    "not the service": ({"status": 200, "body": "<html>Welcome</html>"}, "UnreadableAnswer"),
}


@BOTH_WIDTHS
@pytest.mark.parametrize("after", [0, 3])
@pytest.mark.parametrize(("fault", "code"), SHARED.values(), ids=SHARED.keys())
def test_a_failure_that_all_would_share_ends_the_work(sim, module, no_backoff, width, after, fault, code):
    sim.reset("fleet:30:1")
    sim.switches({"latency_ms": 5})
    for name, options in (
        ("dcs_task_info", {}),
        ("dcs_task", {"phases": ENDED, "state": "absent"}),
        ("dcs_task", {"names": ["EXTEND"], "state": "finished"}),
    ):
        all_but_the_first = "|".join(fleet(sim)[after:])
        sim.faults([{"operation": TASKS, "path": all_but_the_first, "times": None, "fault": fault}])
        before = len(sim.operations())
        result = module(name, instances="all", max_concurrency=width, retries=0, **options)
        assert result["failure"]["code"] == code
        check_partition(sim, result, listed_in(result))
        assert listed_in(result) == fleet(sim)[:after]
        assert 1 <= len(result["failed_instances"]) <= width
        # Where absence decides, one more that proves the end, of the listing of instances too.
        each_listing = 2 if options else 1
        assert len(sim.operations()) - before == each_listing * (1 + after) + len(result["failed_instances"])
        if options.get("state") == "absent":
            assert (result["removed"], result["changed"]) == ([], False)
            assert result["not_tried"] == [each["id"] for each in result["tasks"]]
    assert len(remaining(sim)) == 30


@pytest.mark.parametrize("most", [1, 2, 4, 5, 6])
@BOTH_WIDTHS
def test_max_failures_of_a_listing(sim, module, most, width):
    sim.reset("fleet:10:1")
    bad = fleet(sim)[::2]
    sim.faults(refused(TASKS, bad, 404, "DCS.3022"))
    sim.switches({"latency_ms": 20})
    result = module("dcs_task_info", instances="all", max_failures=most, max_concurrency=width)
    failed = [each["instance_id"] for each in result["failed_instances"]]
    check_partition(sim, result, listed_in(result))
    assert failed == bad[: len(failed)]
    assert min(most, 5) <= len(failed) <= min(5, most + width - 1)
    if width == 1:
        assert len(failed) == min(most, 5)
        assert result["not_listed"] == (fleet(sim)[2 * most - 1 :] if most <= 5 else [])
    if most > 5:
        assert result["not_listed"] == []


@pytest.mark.parametrize(("most", "removed"), [(1, 0), (2, 1), (3, 3), (9, 4), (None, 4)])
def test_max_failures_of_a_removal_counts_instances_and_records_together(sim, module, most, removed):
    """redis-b cannot be listed; of the six records of redis-a, those with even numbers cannot be removed."""
    sim.reset(scene(a=[task(number) for number in range(2, 9)], b=[task(20)]))
    even = [f"{number:032x}" for number in (2, 4, 6, 8)]
    sim.faults([*refused(TASKS, [B], 400, "DCS.4026"), *refused(REMOVE, even[1:], 400, "DCS.4957")])
    options = {} if most is None else {"max_failures": most}
    result = module("dcs_task", instances="all", phases=ENDED, state="absent", **options, **IN_TURN)
    gone = {f"{number:032x}" for number in range(2, 9)} - remaining(sim)
    assert set(result["removed"]) == gone
    failed, left = result["failed_tasks"], result["not_tried"]
    assert len(gone) == {1: 0, 2: 2, 3: 3}.get(most or 0, 4)
    assert len(failed) == {1: 0, 2: 1, 3: 2}.get(most or 0, 3)
    assert sorted([*result["removed"], *left, *(each["task_id"] for each in failed)]) == sorted(
        f"{number:032x}" for number in range(2, 9)
    )
    assert [each["instance_id"] for each in result["failed_instances"]] == [B]


# max_results


@BOTH_WIDTHS
@pytest.mark.parametrize("most", [1, 3, 4, 5, 8, 11, 12, 13, 1000000])
@pytest.mark.parametrize("source", [{"instances": "all"}, {}], ids=["all", "centre"])
def test_max_results(sim, module, width, most, source):
    sim.reset("fleet:3:4")
    result = module("dcs_task_info", max_results=most, max_concurrency=width, **source)
    assert not result.get("failed")
    assert (len(result["tasks"]), result["truncated"]) == (min(most, 12), most < 12)
    assert result["summary"]["total"] == len(result["tasks"])
    assert ("max_results" in str(result.get("warnings"))) is (most < 12)
    asked = -(-(most + 1) // 4) if source and most < 12 else 3
    assert result["not_listed"] == (fleet(sim)[asked:] if source else [])
    if source and width == 1:
        assert sim.operations() == [INSTANCES] + [TASKS] * asked
    of_those = [each for each in sim.state()["tasks"] if not source or each["instance_id"] in fleet(sim)[:asked]]
    newest = sorted(of_those, key=lambda each: each["created_at"], reverse=True)[:most]
    assert [each["id"] for each in result["tasks"]] == [each["id"] for each in newest]


@pytest.mark.parametrize("most", [0, -1])
def test_no_results_at_all_are_refused(sim, module, most):
    result = module("dcs_task_info", instances="all", max_results=most)
    assert result["failure"]["code"] == "InvalidOption"
    assert "max_results" in result["msg"]
    assert sim.operations() == []


def test_max_results_ends_the_pages_of_one_instance_too(sim, module):
    sim.reset("fleet:1:5000")
    result = module("dcs_task_info", max_results=1500)
    assert (len(result["tasks"]), result["truncated"], len(sim.operations())) == (1500, True, 2)


def test_max_results_counts_what_fits(sim, module):
    sim.reset("fleet:4:10")
    result = module("dcs_task_info", instances="all", phases="failed", max_results=3, **IN_TURN)
    assert (len(result["tasks"]), result["truncated"]) == (3, True)
    result = module("dcs_task_info", instances="all", phases="failed", max_results=4)
    assert (len(result["tasks"]), result["truncated"], result["not_listed"]) == (4, False, [])


@BOTH_WIDTHS
def test_a_failure_behind_the_end_is_nobodys_business(sim, module, width):
    """It would not have been seen with one request after the other."""
    sim.reset("fleet:5:4")
    sim.faults(refused(TASKS, fleet(sim)[2:], 404, "DCS.3022"))
    result = module("dcs_task_info", instances="all", max_results=4, max_concurrency=width)
    assert not result.get("failed"), result["msg"]
    assert (result["truncated"], result["failed_instances"]) == (True, [])
    assert result["not_listed"] == fleet(sim)[2:]


# include_progress


@pytest.fixture
def busy(sim):
    """Two instances with tasks in every phase; the higher the number, the older."""
    first = [task(1, "EXECUTING"), task(2), task(3, "CREATED"), task(4, "FAILED")]
    sim.reset(scene(a=first, b=[task(5, "CANCELLED"), task(6, "PAUSING_X")], c=[]))
    return sim


@BOTH_WIDTHS
def test_progress_of_what_has_not_ended(busy, module, width):
    result = module("dcs_task_info", instances="all", include_progress=True, max_concurrency=width)
    progress = {number: each["progress"] for number, each in zip(numbers(result["tasks"]), result["tasks"])}
    assert {number for number, each in progress.items() if each} == {1, 3, 6}
    assert all(each is None or each.keys() >= {"progress", "remain_time", "step_details"} for each in progress.values())
    assert busy.operations() == [INSTANCES, *[TASKS] * 3, *[PROGRESS] * 3]
    assert "progress" not in module("dcs_task_info", instances="all")["tasks"][0]


def test_progress_is_asked_only_for_what_fits(busy, module):
    result = module("dcs_task_info", instances="all", include_progress=True, phases=["pending"])
    assert (numbers(result["tasks"]), busy.operations().count(PROGRESS)) == ([3], 1)
    busy.reset(scene(a=[task(1)]))
    assert module("dcs_task_info", instances="all", include_progress=True)["tasks"][0]["progress"] is None
    assert PROGRESS not in busy.operations()


def test_progress_of_a_task_that_vanishes(busy, module):
    busy.events([{"before": PROGRESS, "do": [{"task": f"{6:032x}", "remove": True}]}])
    result = module("dcs_task_info", instances="all", include_progress=True)
    assert not result.get("failed")
    assert [bool(each["progress"]) for each in result["tasks"]] == [True, False, True, False, False, False]
    assert "progress of 1 task" in str(result["warnings"])


def test_progress_that_may_not_be_seen(busy, module):
    fault = {"status": 403, "body": {"error_code": "DCS.2007", "error_msg": "No."}}
    busy.faults([{"operation": PROGRESS, "skip": 1, "times": None, "fault": fault}])
    result = module("dcs_task_info", instances="all", include_progress=True, **IN_TURN)
    assert (result["failure"]["code"], result["failure"]["operation"]) == ("DCS.2007", PROGRESS)
    assert numbers(result["tasks"]) == [1, 2, 3, 4, 5, 6], "nothing is lost"
    assert [bool(each["progress"]) for each in result["tasks"]] == [True, *[False] * 5]


def test_progress_needs_instances(busy, module):
    result = module("dcs_task_info", include_progress=True)
    assert result["failure"]["code"] == "InvalidOption"
    assert "instances" in result["msg"]
    assert busy.operations() == []


# Selections: the same words list and remove the same


@pytest.fixture
def aged(sim):
    """Two instances; tasks are as many days old as their number."""
    names = {1: "EXTEND", 4: "ChangeInstanceSpec", 7: "EXTEND"}
    own = [task(number, "FAILED" if number % 3 == 0 else "SUCCESS") for number in range(1, 9)]
    for each in own:
        each["name"] = names.get(int(each["id"], 16), "modify")
    sim.reset(scene(a=own[::2], b=own[1::2], c=[]))
    return sim


SELECTIONS: list[tuple[dict[str, Any], set[int]]] = [
    ({"phases": ENDED}, {1, 2, 3, 4, 5, 6, 7, 8}),
    ({"phases": "failed"}, {3, 6}),
    ({"names": "EXTEND"}, {1, 4, 7}),
    ({"names": ["modify", "nothing"]}, {2, 3, 5, 6, 8}),
    # In capitals or not.
    ({"names": ["extend"]}, {1, 4, 7}),
    ({"names": ["exten"]}, set()),
    ({"older_than": "36h"}, {2, 3, 4, 5, 6, 7, 8}),
    ({"older_than": "5d"}, {5, 6, 7, 8}),
    ({"older_than": "52w"}, set()),
    ({"keep_last": 0}, {1, 2, 3, 4, 5, 6, 7, 8}),
    ({"keep_last": 1}, {3, 4, 5, 6, 7, 8}),
    ({"keep_last": 3}, {7, 8}),
    ({"keep_last": 4}, set()),
    ({"keep_last": 1000000}, set()),
    ({"keep_last": 1, "phases": "failed"}, set()),
    ({"keep_last": 1, "names": "EXTEND"}, {7}),
    ({"keep_last": 1, "older_than": "60h"}, {5, 6, 7, 8}),
    ({"phases": ["succeeded"], "names": ["modify"], "older_than": "36h", "keep_last": 1}, {8}),
]


@pytest.mark.parametrize(("words", "selected"), SELECTIONS, ids=str)
def test_a_selection(aged, module, words, selected):
    listed = module("dcs_task_info", instances="all", **words)
    assert set(numbers(listed["tasks"])) == selected
    predicted = module("dcs_task", check_mode=True, instances="all", state="absent", **words)
    assert not WRITES & set(aged.operations())
    done = module("dcs_task", instances="all", state="absent", **words)
    assert told(predicted) == told(done)
    assert done["tasks"] == listed["tasks"]
    assert done["removed"] == [each["id"] for each in listed["tasks"]]
    assert (done["changed"], done["absent"], done["not_tried"]) == (bool(selected), [], [])
    assert {each["id"] for each in done["diff"]["before"]["tasks"]} == set(done["removed"])
    assert set(numbers([*remaining(aged)])) == set(range(1, 9)) - selected
    start = len(aged.operations())
    if "keep_last" not in words or words["keep_last"]:
        # Of what is left, the newest are kept again; what was kept is no more than that.
        again = module("dcs_task", instances="all", state="absent", **words)
        assert (again["changed"], again["removed"]) == (False, [])
        # An empty page is the end by itself; redis-c has no tasks.
        left = {each["instance_id"] for each in aged.state()["tasks"]}
        tasks = [request for each in (A, B, C) for request in to_the_end(TASKS, pages=1 if each in left else 0)]
        assert aged.operations()[start:] == [*to_the_end(INSTANCES), *tasks]


@pytest.mark.parametrize(
    ("where", "selected"),
    [
        ({"instance": "redis-a"}, {1, 3, 5, 7}),
        ({"instance": B}, {2, 4, 6, 8}),
        ({"instances": ["redis-a"]}, {1, 3, 5, 7}),
        ({"instance_ids": f"{A},redis-b"}, set(range(1, 9))),
        ({"instances": ["redis-c"]}, set()),
        ({"instances": []}, set()),
    ],
    ids=str,
)
def test_where_a_selection_looks(aged, module, where, selected):
    result = module("dcs_task", phases=ENDED, state="absent", **where)
    assert (set(numbers(result["removed"])), result["changed"]) == (selected, bool(selected))
    assert set(numbers([*remaining(aged)])) == set(range(1, 9)) - selected


def test_ages_are_certain(sim, module):
    tasks = [task(1, created_ago="7199s"), task(2, created_ago="7210s"), task(3), task(4)]
    sim.reset(scene(a=tasks))
    sim.patch(
        {"task": tasks[2]["id"], "set": {"created_at": "long ago"}}, {"task": tasks[3]["id"], "unset": ["created_at"]}
    )
    listed = module("dcs_task_info", instances="all", older_than="2h")
    assert numbers(listed["tasks"]) == [2]
    assert numbers(module("dcs_task", instances="all", older_than="2h", state="absent")["removed"]) == [2]
    # Without a readable time they count as the oldest.
    assert numbers(module("dcs_task_info", instances="all", keep_last=1)["tasks"]) == [3, 4]


@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task"])
@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("older_than", value) for value in ("", "2", "0d", "-1d", "1y", "2026-01-15", "d", "1.5h")),
        *(("keep_last", value) for value in (-1, 1000001)),
        *(("max_failures", value) for value in (0, -1)),
    ],
)
def test_words_that_cannot_be_read(aged, module, name, option, value):
    state = {"state": "absent", "phases": "failed"} if name == "dcs_task" else {}
    result = module(name, instances="all", **{option: value}, **state)
    assert result["failure"]["code"] == "InvalidOption"
    assert option in result["msg"]
    assert aged.operations() == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"phases": ENDED}, "all"),
        ({"older_than": "1d"}, "instances"),
        ({"keep_last": 1}, "instances"),
        ({"names": []}, "instances"),
        ({}, "task_ids"),
        ({"instances": "all"}, "task_ids"),
        ({"instance": A}, "task_ids"),
        ({"instances": "all", "task_ids": ["1" * 32]}, "mutually exclusive"),
        ({"instance": A, "instances": "all", "phases": ENDED}, "mutually exclusive"),
        ({"instance": A, "task_ids": ["1" * 32], "phases": ENDED}, "mutually exclusive"),
        ({"instance": A, "task_ids": ["1" * 32], "keep_last": 0}, "mutually exclusive"),
        ({"instances": "all", "phases": ["done"]}, "phases"),
        ({"instances": ["redis a"], "phases": ENDED}, "instances"),
        ({"instances": [""], "phases": ENDED}, "instances"),
        ({"instances": "all", "names": [" x"]}, "names"),
    ],
    ids=str,
)
@pytest.mark.parametrize("state", ["absent", "finished"])
def test_a_selection_must_say_where(aged, module, options, says, state):
    result = module("dcs_task", state=state, **options)
    assert result["failed"]
    assert says in result["msg"]
    assert aged.operations() == []
    assert len(remaining(aged)) == 8


@pytest.mark.parametrize("where", [{"instance": A}, {"instances": "all"}, {"instances": [A, B]}, {}], ids=str)
@pytest.mark.parametrize("word", ["task_ids", "phases", "names", "older_than", "keep_last"])
@pytest.mark.parametrize("state", ["absent", "finished"])
def test_null_selects_nothing(aged, module, where, word, state):
    """A template may give it; Ansible takes it for an option that is there."""
    result = module("dcs_task", state=state, **where, **{word: None})
    assert result["failed"]
    assert aged.operations() == []
    assert len(remaining(aged)) == 8


@pytest.mark.parametrize("check_mode", [False, True])
def test_an_instance_that_is_called_all_is_one_instance(aged, module, check_mode):
    """Only the list of instances can mean the whole project."""
    result = module("dcs_task", check_mode=check_mode, instance="all", phases=ENDED, state="absent")
    assert result["failure"]["code"] == "NotFound"
    assert len(remaining(aged)) == 8


@pytest.mark.parametrize("empty", ["instances", "phases", "names"])
@pytest.mark.parametrize("state", ["absent", "finished", None])
@pytest.mark.parametrize("instances", ["all", ["redis-a"], [A, B]], ids=str)
def test_an_empty_list_is_never_everything(aged, module, empty, state, instances):
    options: dict[str, Any] = {"instances": instances, "keep_last": 1, empty: []}
    result = module("dcs_task", state=state, **options) if state else module("dcs_task_info", **options)
    assert not result.get("failed")
    assert (result["changed"], result["tasks"], aged.operations()) == (False, [], [])
    assert (result["failed_instances"], result["not_listed"]) == ([], [])


STATUS = {
    "pending": "CREATED",
    "running": "EXECUTING",
    "succeeded": "SUCCESS",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
    "unknown": "PAUSING_X",
}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("phase", STATUS)
def test_each_phase(sim, module, phase, check_mode):
    every = [task(number, status) for number, status in enumerate(STATUS.values(), 1)]
    sim.reset(scene(a=every, b=[task(7)]))
    before = sim.state()["tasks"]
    result = module("dcs_task", check_mode=check_mode, instances="all", phases=phase, state="absent")
    number = list(STATUS).index(phase) + 1
    if phase in ENDED:
        expected = [number, 7] if phase == "succeeded" else [number]
        assert numbers(result["removed"]) == expected
        assert set(numbers([*remaining(sim)])) == set(range(1, 8)) - (set() if check_mode else set(expected))
        return
    assert result["failure"]["code"] == "DCS.4957"
    assert (result["changed"], result["removed"], numbers(result["not_tried"])) == (False, [], [number])
    assert sim.state()["tasks"] == before
    assert sim.operations() == [*to_the_end(INSTANCES), *to_the_end(TASKS) * 2]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_selection_with_one_unfinished_task_is_refused_as_a_whole(sim, module, check_mode):
    sim.reset(scene(a=[task(2), task(3)], b=[task(4), task(5, "EXECUTING")]))
    result = module("dcs_task", check_mode=check_mode, instances="all", older_than="1d", state="absent")
    assert result["failure"]["code"] == "DCS.4957"
    assert "phases" in result["failure"]["hint"]
    assert f"{5:032x}" in result["msg"]
    assert f"{4:032x}" not in result["msg"]
    assert numbers(result["not_tried"]) == [2, 3, 4, 5]
    assert len(remaining(sim)) == 4
    # The newest of an instance may run: what is kept is not refused.
    sim.patch({"task": f"{5:032x}", "set": {"created_at": "2999-01-01T00:00:00.000Z"}})
    kept = module("dcs_task", check_mode=check_mode, instances="all", keep_last=1, state="absent")
    assert numbers(kept["removed"]) == [3, 4]


# Removals that go wrong on the way


def test_records_that_vanish_on_several_instances(aged, module, no_backoff):
    """Each instance is looked at twice more, however many of its records were gone; nothing is left there, not one page."""
    gone = [f"{number:032x}" for number in (1, 2, 3)]
    aged.events([{"before": REMOVE, "do": [{"task": each, "remove": True} for each in gone]}])
    result = module("dcs_task", instances="all", phases=ENDED, state="absent")
    assert not result.get("failed"), result["msg"]
    assert (set(numbers(result["absent"])), set(numbers(result["removed"]))) == ({1, 2, 3}, {4, 5, 6, 7, 8})
    first = [*to_the_end(TASKS) * 2, *to_the_end(TASKS, pages=0)]
    assert aged.operations().count(TASKS) == len([*first, *to_the_end(TASKS, pages=0) * 2 * 2])
    assert remaining(aged) == set()


@pytest.mark.parametrize("fault", ["drop_after", "truncate", {"status": 500, "processed": True}], ids=str)
def test_answers_that_are_lost_on_several_instances(aged, module, fault):
    aged.faults([{"operation": REMOVE, "times": 3, "fault": fault}])
    result = module("dcs_task", instances="all", phases=ENDED, state="absent", retries=0)
    assert not result.get("failed"), result["msg"]
    assert (len(result["removed"]), result["absent"], result["not_tried"]) == (8, [], [])
    assert remaining(aged) == set()


def test_the_same_id_on_two_instances_is_two_tasks(sim, module):
    """Nobody promises that ids are unique beyond an instance."""
    sim.reset(scene(a=[task(1)], b=[task(2)]))
    twins = {"edit": [{"at": ["tasks", "*", "id"], "to": json.dumps("e" * 32)}]}
    refusal = {"status": 404, "body": {"error_code": "DCS.4404", "error_msg": "Gone."}}
    sim.faults(
        [
            {"operation": TASKS, "times": None, "fault": twins},
            {"operation": REMOVE, "times": None, "fault": refusal},
        ]
    )
    result = module("dcs_task", instances=[A, B], phases=ENDED, state="absent")
    assert result["failed"], "both are still listed"
    assert {each["instance_id"] for each in result["failed_tasks"]} == {A, B}
    assert (result["absent"], result["removed"]) == ([], [])


def test_an_instance_that_vanishes_keeps_the_others_from_nothing(aged, module):
    aged.events([{"before": REMOVE, "do": [{"instance": A, "remove": True}]}])
    result = module("dcs_task", instances="all", phases=ENDED, state="absent")
    assert result["failure"]["code"] == "DCS.3022"
    assert set(numbers(result["removed"])) == {2, 4, 6, 8}
    assert {(each["instance_id"], int(each["task_id"], 16)) for each in result["failed_tasks"]} == {
        (A, number) for number in (1, 3, 5, 7)
    }


# Waiting for a fleet


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """A clock that is put ahead instead of waiting; C(slept) holds each wait."""
    clock = install(monkeypatch, ["dcs_task"])
    clock.slept = []

    def pause(_client: Any, seconds: float) -> None:
        clock.slept.append(round(seconds, 2))
        clock.sleep(seconds)

    monkeypatch.setattr(f"{COLLECTION}.module_utils._http.Client.pause", pause)
    return clock


def looks(sim) -> list[str]:
    """The instances that were listed, by their letters, in order."""
    return [entry["path"].split("/")[4][0] for entry in sim.journal() if entry["operation"] == TASKS]


def ends(number: int, after: int) -> dict[str, Any]:
    """A task ends after so many listings."""
    return {"after": TASKS, "count": after, "do": [{"task": f"{number:032x}", "set": {"status": "SUCCESS"}}]}


def test_waiting_asks_once_a_look_and_only_where_something_is_unfinished(sim, module, clock):
    sim.reset(
        scene(
            a=[task(1, "EXECUTING"), task(2, "EXECUTING")],
            b=[task(3, "EXECUTING")],
            c=[task(4, "EXECUTING"), task(5, "CREATED")],
            d=[task(6)],
        )
    )
    options = {"phases": ["pending", "running"], "state": "finished", "wait_interval": 1, **IN_TURN}
    checked = module("dcs_task", check_mode=True, instances="all", **options)
    # The first look reads each listing to its end, and the others only until all that is waited for was seen.
    assert (len(checked["unfinished"]), "".join(looks(sim)), clock.slept) == (5, "aabbccdd", [])
    sim.events([ends(3, 8), ends(1, 11), ends(2, 13), ends(4, 13), ends(5, 13)])
    start = len(looks(sim))
    result = module("dcs_task", instances="all", **options)
    assert not result.get("failed"), result["msg"]
    assert "".join(looks(sim)[start:]) == "aabbccdd" + "abc" + "ac" + "ac"
    assert (result["unfinished"], numbers(result["tasks"]), result["changed"]) == ([], [1, 2, 3, 4, 5], False)
    assert {each["phase"] for each in result["tasks"]} == {"succeeded"}
    assert [line.partition(": ")[2] for line in result["progress"]] == [
        "0 of 5 ended, 1 pending, 4 running",
        "1 of 5 ended, 1 pending, 3 running",
        "2 of 5 ended, 1 pending, 2 running",
        "5 of 5 ended",
    ]
    assert checked.keys() == result.keys()


def test_the_interval_grows_while_nothing_changes(sim, module, clock):
    sim.reset(scene(a=[task(1, "EXECUTING")], b=[task(2, "EXECUTING")]))
    sim.events([ends(1, 28), ends(2, 32)])
    result = module("dcs_task", instances="all", phases="running", state="finished", wait_interval=1, **IN_TURN)
    assert not result.get("failed"), result["msg"]
    assert clock.slept[:12] == [round(min(60, 1.5 ** max(0, number - 0)), 2) for number in range(12)]
    assert clock.slept[12] == 60, "a minute at most"
    assert 1.0 in clock.slept[13:], "it begins anew when something has changed"


def test_waiting_for_days(clock):
    """However often nothing has changed, the interval is a number."""
    quiet = iter(range(20000))
    records = importlib.import_module(f"{COLLECTION}.module_utils._records")
    looks_of_a_week = records.Wait(7 * 86400, 5, clock.sleep).looks(lambda: next(quiet))
    assert len(list(looks_of_a_week)) == pytest.approx(7 * 1440, rel=0.01)


def test_an_interval_that_is_longer_than_a_minute_stays(sim, module, clock):
    sim.reset(scene(a=[task(1, "EXECUTING")]))
    sim.events([ends(1, 5)])
    module("dcs_task", instances=[A], phases="running", state="finished", wait_interval=300)
    assert clock.slept == [300] * 4


def test_what_begins_later_is_not_waited_for(sim, module, clock):
    """The selection is made once."""
    sim.reset(scene(a=[task(1, "EXECUTING")], b=[]))
    new = {"task": f"{9:032x}", "instance": A, "add": {"name": "modify", "status": "EXECUTING"}}
    # Once both were listed to their ends; redis-b has no page.
    sim.events([{"after": TASKS, "count": 3, "do": [new]}, ends(1, 4)])
    result = module("dcs_task", instances="all", phases="running", state="finished", **IN_TURN)
    assert (result.get("failed"), numbers(result["tasks"])) == (None, [1])


def test_tasks_that_vanish_while_a_fleet_is_waited_for(sim, module, clock):
    sim.reset(scene(a=[task(1, "EXECUTING")], b=[task(2, "EXECUTING"), task(3, "EXECUTING")]))
    sim.events([{"after": TASKS, "count": 4, "do": [{"task": f"{2:032x}", "remove": True}]}, ends(1, 6), ends(3, 6)])
    result = module("dcs_task", instances="all", phases="running", state="finished", **IN_TURN)
    assert not result.get("failed"), result["msg"]
    assert (numbers(result["absent"]), numbers(result["tasks"]), result["unfinished"]) == ([2], [1, 3], [])


def test_tasks_of_a_fleet_that_end_badly_or_not_at_all(sim, module, clock):
    sim.reset(scene(a=[task(1, "EXECUTING")], b=[task(2, "EXECUTING")]))
    options = {"instances": "all", "phases": "running", "state": "finished", "wait_timeout": 30}
    result = module("dcs_task", **options)
    assert (result["failure"]["code"], numbers(result["unfinished"])) == ("WaitTimeout", [1, 2])
    sim.events([{"after": TASKS, "count": 4, "do": [{"task": f"{1:032x}", "set": {"status": "FAILED"}}]}, ends(2, 4)])
    result = module("dcs_task", **options, **IN_TURN)
    assert (result["failure"]["code"], result["unfinished"]) == ("EndedBadly", [])


def test_an_instance_that_fails_once_while_it_is_waited_for_is_listed_again(sim, module, clock):
    sim.reset(scene(a=[task(1, "EXECUTING")], b=[task(2, "EXECUTING")]))
    busy = {"status": 400, "body": {"error_code": "DCS.4111", "error_msg": "the instance is restarting."}}
    sim.faults([{"operation": TASKS, "path": B, "skip": 2, "fault": busy}])
    sim.events([ends(1, 7), ends(2, 7)])
    result = module("dcs_task", instances="all", phases="running", state="finished", **IN_TURN)
    assert not result.get("failed"), result["msg"]
    assert (result["failed_instances"], result["unfinished"]) == ([], [])


def test_an_instance_that_is_deleted_is_not_waited_for(sim, module, clock):
    sim.reset(scene(a=[task(1, "EXECUTING")], b=[task(2, "EXECUTING")]))
    sim.events([{"after": TASKS, "count": 4, "do": [{"instance": B, "remove": True}]}, ends(1, 6)])
    result = module("dcs_task", instances="all", phases="running", state="finished", **IN_TURN)
    assert result["failure"]["code"] == "DCS.3022"
    assert [each["instance_id"] for each in result["failed_instances"]] == [B]
    assert (numbers(result["unfinished"]), len(looks(sim)) < 12) == ([2], True)
    assert [each["phase"] for each in result["tasks"] if each["instance_id"] == A] == ["succeeded"]


def test_a_network_that_is_lost_ends_the_waiting(sim, module, clock):
    sim.reset(scene(a=[task(1, "EXECUTING")], b=[task(2, "EXECUTING")], c=[task(3)]))
    sim.faults([{"operation": TASKS, "skip": 3 * 2, "times": None, "fault": "drop_before"}])
    result = module("dcs_task", instances="all", keep_last=0, state="finished", retries=0, **IN_TURN)
    assert result["failure"]["code"] == "NetworkError"
    assert (numbers(result["unfinished"]), numbers(result["tasks"])) == ([1, 2], [1, 2, 3])
    assert len(result["progress"]) == 1


# Instances by name


@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task"])
def test_several_names(aged, module, name):
    options = {"phases": ENDED, "state": "absent"} if name == "dcs_task" else {}
    result = module(name, check_mode=True, instances=["redis-b", A, "redis-c", "redis-b"], **options)
    assert set(numbers(result["tasks"])) == set(range(1, 9))
    # Where absence decides, each listing to its end; redis-c has no page. That of several names is a whole one, too.
    complete = name == "dcs_task"
    instances = to_the_end(INSTANCES) if complete else [INSTANCES]
    tasks = [*to_the_end(TASKS) * 2, TASKS] if complete else [TASKS] * 3
    assert aged.operations() == [*instances, *tasks]
    start = len(aged.operations())
    result = module(name, check_mode=True, instances=["redis-x", "redis-b", "redis-y", NOBODY, "redis-z"], **options)
    assert result["failure"]["code"] == "NotFound"
    assert all(unknown in result["msg"] for unknown in ("redis-x", "redis-y", "redis-z"))
    assert "redis-b" not in result["msg"]
    assert aged.operations()[start:] == instances


# Long results are printed in another way

SECRET = 'Se"cr\\et/%-LEAKED-1'


def long_scene(count: int) -> dict[str, Any]:
    """Tasks with text of every kind; one holds the secret."""
    texts = ["plain", "中文 é 🚀", 'quo"ted \\ back', "line\nbreak\ttab\x00", "</script>{{ x }}", f"<{SECRET}>", "true"]
    own = [
        task(
            number + 1, user_name=texts[number % len(texts)] if number < 7 else "x", extra={"deep": [number, None, 1.5]}
        )
        for number in range(count)
    ]
    user = {"name": "operator", "access_key": "LONGACCESSKEY", "secret_key": SECRET}
    return {**scene(a=own), "users": [user]}


KEYS = {"access_key": "LONGACCESSKEY", "secret_key": SECRET}


@pytest.mark.parametrize("count", [199, 200, 350])
@pytest.mark.parametrize("secret", [True, False], ids=["with a secret", "without"])
def test_a_long_result_is_what_a_short_one_is(sim, module, monkeypatch, count, secret):
    sim.reset(long_scene(count))
    if not secret:
        sim.patch({"task": f"{6:032x}", "set": {"user_name": "nothing"}})
    results = []
    for limit in (10**9, 1, 200):
        monkeypatch.setattr(f"{COLLECTION}.module_utils._module._LONG", limit)
        results.append(module("dcs_task_info", instances=[A], **KEYS))
        assert len(results[-1]["tasks"]) == count
    assert results[0] == results[1] == results[2]
    text = json.dumps(results[0], ensure_ascii=False)
    assert SECRET not in text
    assert json.dumps(SECRET)[1:-1] not in text
    assert ("****" in text) is secret
    names = [each["user_name"] for each in results[0]["tasks"]]
    assert {"中文 é 🚀", 'quo"ted \\ back', "line\nbreak\ttab\x00", "</script>{{ x }}"} <= set(names)


@pytest.mark.parametrize("secret", ["place", "tasks", "e", "0", '"', "created_at"])
def test_a_secret_may_be_a_word_of_the_result(sim, module, monkeypatch, secret):
    """Whatever is masked, it is masked in the same places."""
    sim.reset({**long_scene(250), "users": [{"name": "operator", **KEYS, "secret_key": secret}]})
    results = []
    for limit in (10**9, 200):
        monkeypatch.setattr(f"{COLLECTION}.module_utils._module._LONG", limit)
        results.append(module("dcs_task_info", instances=[A], **{**KEYS, "secret_key": secret}))
    assert len(results[0]["tasks"]) == 250
    assert results[0] == results[1]


def test_a_long_failure_is_what_a_short_one_is(sim, module, monkeypatch):
    results = []
    for limit in (10**9, 1):
        sim.reset(scene(a=[task(number) for number in range(1, 251)]))
        fault = {"status": 403, "body": {"error_code": "DCS.2007", "error_msg": "No."}}
        sim.faults([{"operation": REMOVE, "skip": 3, "times": None, "fault": fault}])
        monkeypatch.setattr(f"{COLLECTION}.module_utils._module._LONG", limit)
        results.append(told(module("dcs_task", instances=[A], phases=ENDED, state="absent", **IN_TURN)))
    assert results[0] == results[1]
    assert (len(results[0]["removed"]), len(results[0]["not_tried"])) == (3, 246)


@pytest.mark.parametrize("count", [10, 350])
def test_a_long_result_in_a_playbook(sim, tmp_path, count):
    sim.reset(long_scene(count))
    play = local_play(
        [
            {"name": "List", "hwcloud.maintenance.dcs_task_info": {"instances": [A]}, "register": "found"},
            {
                "name": "Use",
                "ansible.builtin.assert": {
                    "that": [
                        f"found.tasks | length == {count}",
                        "found.tasks[1].user_name == '中文 é 🚀'",
                        "found.tasks[4].user_name is search('script')",
                        "found.tasks[0].extra.deep == [0, none, 1.5]",
                    ]
                },
            },
        ],
        {**signed_in(sim), **KEYS},
    )
    run = run_playbook(tmp_path, [play], "-v")
    assert run.returncode == 0, run.output
    listed = run.result("List")
    in_process = run_module("dcs_task_info", {**signed_in(sim), **KEYS, "instances": [A]})
    assert listed["tasks"] == in_process["tasks"]
    assert listed["summary"] == in_process["summary"]
    written = json.dumps(run.results, ensure_ascii=False)
    assert SECRET not in written
    assert json.dumps(SECRET, ensure_ascii=False)[1:-1] not in written
    assert "place of" not in written


def test_the_end_of_a_fleet_in_a_playbook(sim, tmp_path):
    """One task does what a loop did; what failed can be used by the next task."""
    sim.reset("fleet:5:60")
    bad = fleet(sim)[2]
    sim.faults(refused(TASKS, [bad], 404, "DCS.3022"))
    words = {"instances": "all", "phases": ENDED, "keep_last": 2, "state": "absent"}
    tasks = [
        {
            "name": "Remove",
            "hwcloud.maintenance.dcs_task": words,
            "register": "outcome",
            "ignore_errors": True,
        },
        {
            "name": "Report",
            "ansible.builtin.assert": {
                "that": [
                    "outcome is failed",
                    "outcome is changed",
                    "outcome.removed | length == 232",
                    f"outcome.failed_instances | map(attribute='instance_id') | list == ['{bad}']",
                    "outcome.failure.code == 'DCS.3022'",
                    "outcome.not_listed == [] and outcome.not_tried == []",
                ]
            },
        },
    ]
    run = run_playbook(tmp_path, [local_play(tasks, signed_in(sim))], "--diff")
    assert run.returncode == 0, run.output
    assert len(remaining(sim)) == 60 + 4 * 2
