# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests in parallel when the service has had enough, the time is over, or somebody ends the task: nothing is lost."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest

from tests.conftest import signed_in
from tests.unit.loopback import Loopback, answer, drip, stall

from .test_bulk_dcs import CENTRE, ENDED, INSTANCES, REMOVE, TASKS, fleet, most_at_once, remaining
from .test_interruption import PATIENCE, Running

#: Seconds within which a task ends after its deadline or after a signal: two, and what a busy machine adds.
PROMPT = 25.0
#: A request that is not answered while the task lasts.
NEVER = {"delay": 60, "status": 500}

LISTING: dict[str, Any] = {"instances": "all"}
REMOVAL: dict[str, Any] = {"instances": "all", "phases": ENDED, "state": "absent"}


def too_many(after: str | None = "1", status: int = 429) -> dict[str, Any]:
    """The service has had enough."""
    return {"status": status, "headers": {} if after is None else {"Retry-After": after}}


def only_four_are_listed(sim) -> list[dict[str, Any]]:
    """Faults with which the first four instances are listed, to the empty page that proves the end, and no other is."""
    return [{"operation": TASKS, "path": each, "times": None, "fault": NEVER} for each in fleet(sim)[4:]]


def sent(sim, operation: str) -> list[dict[str, Any]]:
    """The requests of one operation, in order."""
    return [entry for entry in sim.journal() if entry["operation"] == operation]


def everything(result: dict[str, Any]) -> list[str]:
    """Every record: removed, failed, or not tried."""
    return sorted([*result["removed"], *result["not_tried"], *(each["task_id"] for each in result["failed_tasks"])])


# 429 and 503 with Retry-After


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("name", "options", "operation"), [("dcs_task_info", LISTING, TASKS), ("dcs_task", REMOVAL, REMOVE)]
)
def test_while_one_waits_no_other_request_leaves(sim, module, status, name, options, operation):
    sim.reset("fleet:20:1")
    sim.switches({"latency_ms": 50})
    sim.faults([{"operation": operation, "skip": 5, "fault": too_many(status=status)}])
    result = module(name, max_concurrency=4, **options)
    assert not result.get("failed"), result["msg"]
    assert len(result["tasks"]) == 20
    assert remaining(sim) == set() or name == "dcs_task_info"
    assert len(result["retried"]) == 1
    refusal = next(entry for entry in sent(sim, operation) if entry["status"] == status)
    # What had left before the answer came could not know.
    later = [entry["began"] for entry in sent(sim, operation) if entry["began"] > refusal["ended"] + 0.05]
    assert min(later) >= refusal["ended"] + 0.95
    assert len(later) > 5


def test_after_a_refusal_fewer_are_sent_at_once(sim, module):
    """And then more again. Those that were refused count too."""
    sim.reset("fleet:60:1")
    sim.switches({"latency_ms": 400})
    sim.faults([{"operation": TASKS, "skip": 1, "times": 8, "fault": too_many()}])
    result = module("dcs_task_info", **LISTING)
    assert not result.get("failed"), result["msg"]
    assert len(result["tasks"]) == 60
    refusals = [entry for entry in sent(sim, TASKS) if entry["status"] == 429]
    assert (len(refusals), most_at_once(refusals) > 4) == (8, True)
    later = [entry for entry in sent(sim, TASKS) if entry["began"] > refusals[-1]["ended"] + 0.5]
    start = min(entry["began"] for entry in later)
    # The half of eight, and one more in the place of each that was answered.
    assert most_at_once([entry for entry in later if entry["began"] < start + 0.36]) <= 4
    assert most_at_once(later) >= 6
    assert len(sim.journal()) == 1 + 60 + 8 == result["requests"]


def test_a_service_that_bears_one_request_at_a_time_gets_no_more(sim, module):
    sim.reset("fleet:6:1")
    sim.switches({"latency_ms": 30})
    refusal = {"operation": TASKS, "fault": too_many()}
    sim.faults([{**refusal, "skip": 1, "times": 2}, {**refusal, "skip": 1}, {**refusal, "skip": 1}])
    started = time.monotonic()
    result = module("dcs_task_info", max_concurrency=2, deadline=60, **LISTING)
    assert (result.get("failed"), len(result["tasks"])) == (None, 6)
    # It ends when all is done, not when the width has grown again.
    assert time.monotonic() - started < 45


@pytest.mark.parametrize("status", [429, 503])
def test_all_is_done_after_a_throttling_that_meets_everything_once(sim, module, no_backoff, status):
    sim.reset("fleet:10:2")
    sim.faults(
        [
            {"operation": operation, "path": each, "fault": too_many("0", status)}
            for each in fleet(sim)
            for operation in (TASKS, REMOVE)
        ]
    )
    result = module("dcs_task", **REMOVAL)
    assert not result.get("failed"), result["msg"]
    assert (len(result["removed"]), result["absent"], remaining(sim)) == (20, [], set())
    assert len(result["retried"]) == 20


@pytest.mark.parametrize("after", [None, "1", "3600"])
def test_a_throttling_that_does_not_end(sim, module, after):
    sim.reset("fleet:20:1")
    sim.faults([{"operation": TASKS, "skip": 5, "times": None, "fault": too_many(after)}])
    started = time.monotonic()
    result = module("dcs_task_info", deadline=5, retries=3, max_concurrency=4, **LISTING)
    assert time.monotonic() - started < 5 + PROMPT
    assert (result["failure"]["http_status"], result["failure"]["retryable"]) == (429, True)
    listed = {each["instance_id"] for each in result["tasks"]}
    failed = [each["instance_id"] for each in result["failed_instances"]]
    assert (len(listed), 1 <= len(failed) <= 4) == (5, True)
    assert sorted([*listed, *failed, *result["not_listed"]]) == fleet(sim)


def test_a_removal_that_is_throttled_for_ever(sim, module):
    sim.reset("fleet:4:5")
    before = remaining(sim)
    sim.faults([{"operation": REMOVE, "skip": 6, "times": None, "fault": too_many()}])
    started = time.monotonic()
    result = module("dcs_task", deadline=4, retries=20, max_concurrency=4, **REMOVAL)
    assert time.monotonic() - started < 4 + PROMPT
    assert result["failed"]
    assert before - remaining(sim) == set(result["removed"])
    assert len(result["removed"]) == 6
    assert everything(result) == sorted(before)
    assert 1 <= len(result["failed_tasks"]) <= 4


# The deadline


@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task"])
def test_answers_that_never_come(sim, module, name):
    sim.reset("fleet:12:1")
    sim.faults(only_four_are_listed(sim))
    options = REMOVAL if name == "dcs_task" else LISTING
    started = time.monotonic()
    result = module(name, deadline=3, max_concurrency=3, **options)
    assert time.monotonic() - started < 3 + PROMPT
    assert (result["failure"]["code"], result["changed"]) == ("DeadlineExceeded", False)
    listed = {each["instance_id"] for each in result["tasks"]}
    failed = [each["instance_id"] for each in result["failed_instances"]]
    assert (len(listed), len(failed), len(result["not_listed"])) == (4, 3, 5)
    assert sorted([*listed, *failed, *result["not_listed"]]) == fleet(sim)


def test_removals_that_are_never_answered(sim, module):
    sim.reset("fleet:2:6")
    before = remaining(sim)
    sim.faults([{"operation": REMOVE, "skip": 4, "times": None, "fault": NEVER}])
    started = time.monotonic()
    result = module("dcs_task", deadline=3, max_concurrency=3, **REMOVAL)
    assert time.monotonic() - started < 3 + PROMPT
    assert (result["failure"]["code"], result["changed"]) == ("DeadlineExceeded", True)
    assert (len(result["removed"]), len(result["failed_tasks"]), len(result["not_tried"])) == (4, 3, 5)
    assert all("not known whether it was done" in each["msg"] for each in result["failed_tasks"])
    assert (before - remaining(sim), everything(result)) == (set(result["removed"]), sorted(before))


@pytest.mark.parametrize("slow", ["drips", "says nothing"])
@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task"])
def test_answers_that_drip(sim, module, name, slow):
    """A byte a second keeps every time-out of a socket from passing."""
    ids = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(6)]
    empty = answer(body=b'{"tasks": [], "task_count": 0}')
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n" + b" " * 60
    slowly = drip(data, 1.0) if slow == "drips" else stall(90)
    # The first request leaves alone, as the credentials may be wrong.
    with Loopback(empty, *[slowly] * 5) as server:
        options = {"phases": ENDED, "state": "absent"} if name == "dcs_task" else {}
        started = time.monotonic()
        result = module(
            name, instances=ids, endpoints={"dcs": server.url}, deadline=3, max_concurrency=3, retries=0, **options
        )
        assert time.monotonic() - started < 3 + PROMPT
        assert len(server.seen) <= 1 + 3
    assert result["failure"]["code"] == "DeadlineExceeded"
    failed = [each["instance_id"] for each in result["failed_instances"]]
    assert (failed, result["not_listed"]) == (ids[1:4], ids[4:])


# Signals


def interrupted(sim, tmp_path, operation: str, count: int, name: str, **options: Any) -> dict[str, Any]:
    """Run a module as a process, and end it once so many requests of an operation have left; its result."""
    arguments = {**signed_in(sim), "max_concurrency": 3, **options}
    with Running(tmp_path, name, arguments) as running:
        running.wait_for(lambda: len(sent(sim, operation)) >= count)
        time.sleep(0.3)
        started = time.monotonic()
        running.send(signal.SIGTERM)
        result = running.result()
        assert time.monotonic() - started < PROMPT
    assert (result["failure"]["code"], result["failure"]["retryable"]) == ("Interrupted", True)
    assert "SIGTERM" in result["msg"]
    assert sim.secret_key not in json.dumps(result)
    return result


def test_a_signal_during_a_removal(sim, tmp_path, module):
    sim.reset("fleet:4:5")
    before = remaining(sim)
    sim.faults([{"operation": REMOVE, "skip": 7, "times": None, "fault": NEVER}])
    result = interrupted(sim, tmp_path, REMOVE, 10, "dcs_task", **REMOVAL)
    assert (len(result["removed"]), len(result["failed_tasks"]), len(result["not_tried"])) == (7, 3, 10)
    assert (before - remaining(sim), everything(result)) == (set(result["removed"]), sorted(before))
    assert all("not known whether it was done" in each["msg"] for each in result["failed_tasks"])
    assert result["changed"] is True
    sim.faults([])
    second = module("dcs_task", **REMOVAL)
    assert (len(second["removed"]), remaining(sim)) == (13, set())


@pytest.mark.parametrize("name", ["dcs_task_info", "dcs_task"])
def test_a_signal_while_instances_are_listed(sim, tmp_path, name):
    sim.reset("fleet:12:1")
    sim.faults(only_four_are_listed(sim))
    # The page of each instance, where absence decides the empty one too, and three that are never answered.
    count, options = (4 * 2 + 3, REMOVAL) if name == "dcs_task" else (4 + 3, LISTING)
    result = interrupted(sim, tmp_path, TASKS, count, name, **options)
    listed = {each["instance_id"] for each in result["tasks"]}
    failed = [each["instance_id"] for each in result["failed_instances"]]
    assert (len(listed), len(failed), len(result["not_listed"])) == (4, 3, 5)
    assert sorted([*listed, *failed, *result["not_listed"]]) == fleet(sim)
    assert (result["changed"], len(remaining(sim))) == (False, 12)
    if name == "dcs_task":
        assert sorted(result["not_tried"]) == sorted(each["id"] for each in result["tasks"])


@pytest.mark.parametrize("options", [{}, LISTING], ids=["centre", "instance"])
def test_a_signal_while_pages_are_listed(sim, tmp_path, options):
    """More pages than can be under way; none of the tasks may look like all of them."""
    sim.reset("fleet:1:8500")
    operation = TASKS if options else CENTRE
    sim.faults([{"operation": operation, "skip": 2, "times": None, "fault": NEVER}])
    result = interrupted(sim, tmp_path, operation, 5, "dcs_task_info", **options)
    assert result["tasks"] == []
    assert [each["instance_id"] for each in result["failed_instances"]] == (fleet(sim) if options else [])
    assert result["not_listed"] == []


def test_a_signal_while_the_whole_task_is_throttled(sim, tmp_path):
    sim.reset("fleet:12:1")
    sim.faults([{"operation": TASKS, "skip": 4, "times": None, "fault": too_many("50")}])
    arguments = {**signed_in(sim), "max_concurrency": 3, **LISTING}
    with Running(tmp_path, "dcs_task_info", arguments) as running:
        running.wait_for(lambda: any(entry["status"] == 429 for entry in sim.journal()))
        time.sleep(0.3)
        result = running.stop(signal.SIGTERM)
    assert result["failed"]
    listed = {each["instance_id"] for each in result["tasks"]}
    failed = [each["instance_id"] for each in result["failed_instances"]]
    assert (len(listed), 1 <= len(failed) <= 3) == (4, True)
    assert sorted([*listed, *failed, *result["not_listed"]]) == fleet(sim)


def test_a_signal_between_two_looks_at_a_fleet(sim, tmp_path):
    sim.reset("fleet:3:1")
    sim.patch(*({"task": each["id"], "set": {"status": "EXECUTING"}} for each in sim.state()["tasks"]))
    arguments = {**signed_in(sim), **LISTING, "phases": "running", "state": "finished", "wait_interval": 60}
    # Each listing takes one request more, for the empty page that proves its end.
    listings = [INSTANCES] * 2 + [TASKS] * 3 * 2
    with Running(tmp_path, "dcs_task", arguments) as running:
        running.wait_for(lambda: len(sent(sim, TASKS)) == listings.count(TASKS))
        time.sleep(0.3)
        result = running.stop(signal.SIGTERM)
    assert result["failed"]
    assert (len(result["unfinished"]), len(result["tasks"]), len(result["progress"])) == (3, 3, 1)
    assert sim.operations() == listings
    assert result["waited"] < PATIENCE
