# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A random walk through runs of the modules, judged by the sentences of README; see C(tests/proof/walk).

C(make test) walks through the same cases each time, for about 75 seconds of CPU in all; C(make exhaustive) through four times
as many new ones. A case that fails is made smaller, and written to C(build/walk); once the reason is mended, it belongs into
C(tests/proof/cases). Those that are there are replayed in all rings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest

from .walk import cases, kinds, lab, shrink
from .walk.judge import FILES, Judge
from .walk.promises import OF_PREDICTIONS, OF_RETRIES, OF_RUNS, OF_SECOND_RUNS, Promise, every, failures
from .walk.walker import Walk

ROOT = Path(__file__).parents[2]
#: Where cases that fail are written.
FOUND = ROOT / "build" / "walk"
#: How many cases of each kind there are in C(make test).
CASES = {
    "predictions": 700,
    "quiet": 100,
    "others": 100,
    "faults": 100,
    "others and faults": 150,
    "stale lists": 120,
    "shifting": 200,
    "eventful": 200,
    "signals": 70,
    "slow answers": 8,
    "sign-in": 100,
    "skewed": 80,
    "second operator": 100,
    "inventories": 15,
}
#: So many times as many are there in C(make exhaustive).
MORE = 4
KEPT = sorted(cases.KEPT.glob("*.json"))


@pytest.fixture(scope="module")
def laboratory() -> Iterator[lab.Lab]:
    """The simulator, and a clock that sleeping puts ahead."""
    with lab.Lab() as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_walk(laboratory, kind, fuzz_seed, exhaustive, record_property):
    walk = Walk(laboratory, kind, fuzz_seed).go(CASES[kind] * (MORE if exhaustive else 1))
    record_property("walks", walk.cases)
    record_property("predictions", walk.pairs)
    if walk.found:
        files = walk.keep(FOUND)
        told = [
            f"{found.told(fuzz_seed)}\n    python -m tests.proof.walk --replay {file.relative_to(ROOT)}"
            for found, file in zip(walk.found, files)
        ]
        again = f'python -m tests.proof.walk --seed {fuzz_seed} --kinds "{kind}" --cases {walk.cases}'
        pytest.fail("\n".join([*told, f"All of it again: {again}"]), pytrace=False)


@pytest.mark.parametrize("file", KEPT, ids=[file.stem for file in KEPT])
def test_kept_case(laboratory, file):
    broken = Judge(laboratory, cases.read(file)).broken()
    assert [f"{each.promise}: {each.detail} ({each.run})" for each in broken] == []


# --- The walk itself ---------------------------------------------------------------------------------------------------


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("promise", every(), ids=lambda promise: promise.name)
def test_promises_are_sentences_of_the_documentation(promise: Promise):
    assert promise.sentence in _words((ROOT / promise.file).read_text("utf-8"))


def test_the_files_of_promises_are_all_read():
    folder = Path(__file__).parent / "walk" / "promises"
    assert {file.stem for file in folder.glob("*.py")} - {"__init__"} == {
        module.__name__.rpartition(".")[2] for module in FILES
    }


def test_each_kind_is_walked():
    assert CASES.keys() == kinds.KINDS.keys()


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_a_seed_gives_the_same_case_each_time(kind):
    assert kinds.random_case(kind, 5, 1) == kinds.random_case(kind, 5, 1) != kinds.random_case(kind, 5, 2)


def test_a_case_is_made_smaller():
    case = kinds.random_case("others and faults", 1, 3)
    wanted = case["world"]["tasks"][-1]["id"]
    small = shrink.shrink(case, lambda each: any(task["id"] == wanted for task in each["world"]["tasks"]))
    assert [task["id"] for task in small["world"]["tasks"]] == [wanted]
    assert small["world"]["jobs"] == []
    assert len(small["steps"]) == 1
    assert not {"before_request", "while_waiting", "faults", "stale"} & small["steps"][0].keys()


WORLD: cases.World = {
    "tasks": [
        {"id": cases.task_id(1), "instance": 0, "name": "EXTEND", "status": "SUCCESS", "created_ago": 3600},
        {"id": cases.task_id(2), "instance": 0, "name": "UpdatePort", "status": "EXECUTING", "created_ago": 60},
        {"id": cases.task_id(3), "instance": 1, "name": "EXTEND", "status": "CREATED", "created_ago": 60},
    ],
    "jobs": [
        {"job_id": cases.job_id(1), "instance": 0, "job_name": "REBOOT", "job_status": "Pending", "created_ago": 60}
    ],
}
REMOVE: cases.Step = {
    "module": "dcs_task",
    "options": {"instance": "redis-a", "task_ids": [cases.task_id(1)], "state": "absent", "max_concurrency": 1},
}
CANCEL: cases.Step = {
    "module": "dds_scheduled_job",
    "options": {"job_ids": [cases.job_id(1)], "max_concurrency": 1},
}


CALL_OFF: cases.Step = {"module": "dcs_resize_cancel", "options": {"instance": "redis-b", "max_concurrency": 1}}
WAIT: cases.Step = {
    "module": "dcs_task",
    "options": {
        "instance": "redis-a",
        "task_ids": [cases.task_id(2)],
        "state": "finished",
        "wait_timeout": 0,
        "max_concurrency": 1,
    },
}
INFO: cases.Step = {"module": "dcs_task_info", "options": {"instances": ["all"], "max_concurrency": 1}}
FIND: cases.Step = {"module": "dcs_instance_info", "options": {"names": ["redis-a"]}}

Change = Callable[[lab.Run], lab.Run]


def says(**values: Any) -> Change:
    """A run whose result says something else."""
    return lambda run: replace(run, result={**run.result, **values})


def fails(**values: Any) -> Change:
    """A run that failed, and whose failure says something else."""
    failure = {**dict.fromkeys(failures.KEYS), "code": "X", "retryable": False, "service": "dcs", "operation": "X"}
    return says(failed=True, msg="It failed.", failure={**failure, **values})


def with_options(change: Change, **values: Any) -> Change:
    """What the change says, of a run with other options."""
    return lambda run: change(replace(run, step={**run.step, "options": {**run.options, **values}}))


def with_request(number: int, **values: Any) -> Change:
    """A run of which one request was another one."""
    return lambda run: replace(
        run, requests=[replace(each, **values) if each.number == number else each for each in run.requests]
    )


def twice(run: lab.Run) -> lab.Run:
    """A run that sent each request twice, one after the other."""
    return replace(run, requests=[each for request in run.requests for each in (request, request)])


ONE, TWO, THREE = map(cases.task_id, (1, 2, 3))
FAILURE = {**dict.fromkeys(failures.KEYS), "code": "X", "operation": "X", "service": "dds", "retryable": False}
#: For each promise of one run: a step that keeps it, and a change after which it is broken.
LIES: dict[str, tuple[cases.Step, Change]] = {
    "changed says that the service accepted": (REMOVE, says(changed=False)),
    "presumed names what no answer confirms": (REMOVE, says(presumed=[ONE])),
    "what was done is told": (REMOVE, says(removed=[])),
    "each thing is in one list": (REMOVE, says(absent=[ONE])),
    "what was not begun is named": (REMOVE, says(not_tried=[ONE])),
    "max failures stops": (
        CANCEL,
        with_options(
            says(failed_jobs=[{"job_id": text, "msg": "No.", "failure": FAILURE} for text in "ab"]), max_failures=1
        ),
    ),
    "diff shows what changes": (REMOVE, says(diff={"before": {"tasks": []}, "after": {"tasks": []}})),
    "nothing unfinished is removed": (REMOVE, with_request(2, state="running")),
    "nothing else is touched": (REMOVE, with_options(says(), task_ids=[TWO])),
    "what was called off does not run": (CALL_OFF, lambda run: replace(run, after={THREE: "running"})),
    "lists tell the truth": (REMOVE, lambda run: replace(run, after={ONE: "succeeded"})),
    "check mode writes nothing": (REMOVE, lambda run: replace(run, check_mode=True)),
    "one decision is one post": (CALL_OFF, twice),
    "nothing leaves while the service is busy": (
        INFO,
        with_request(1, status=429, fault={"status": 429, "headers": {"Retry-After": "5"}}),
    ),
    "requests are counted": (INFO, says(requests=99)),
    "the deadline is kept": (INFO, lambda run: replace(run, seconds=1000.0)),
    "a signal is kept": (INFO, lambda run: replace(run, after_signal=(30.0, 1.0))),
    "no secret is shown": (INFO, says(msg="simulator-secret-key-for-loopback-only-01")),
    "a missing permission stops at once": (INFO, with_request(1, status=403, fault={"body": "DCS.2007"})),
    "a disappearance is seen twice": (REMOVE, says(absent=[ONE])),
    "what is waited for has ended": (WAIT, says(failed=False)),
    "a listing is complete": (INFO, says(tasks=[])),
    "truncated says that there is more": (INFO, with_options(says(truncated=False), max_results=1)),
    "an empty filter finds nothing": (INFO, with_options(says(), instances=[])),
    "the instances that fit are found": (FIND, says(instances=[])),
    "an inventory lacks nothing": (
        FIND,
        lambda run: replace(
            run, step={"module": "inventory dcs", "options": {}}, result={"hosts": [], "changed": False}
        ),
    ),
    "a failure has its form": (WAIT, fails(code="InternalError")),
    "a failure names what it is about": (WAIT, fails()),
    "a failure names its operation": (WAIT, fails(operation=None)),
    "a failure has a hint": (WAIT, fails()),
    "a failure is true": (WAIT, fails(code="DCS.3022")),
    "an interruption is called so": (WAIT, fails(code="Interrupted")),
}


def broken_by(laboratory, promises, *runs: lab.Run) -> dict[str, list[str]]:
    """How each of these promises was broken."""
    return {promise.name: list(promise.broken_by(*runs)) for promise in promises}


@pytest.mark.parametrize("name", LIES)
def test_a_promise_notices_a_lie(laboratory, name):
    step, change = LIES[name]
    laboratory.load({"world": WORLD, "steps": [step]})
    run = laboratory.run(step)
    if step is not WAIT:
        assert broken_by(laboratory, OF_RUNS, run)[name] == []
    assert broken_by(laboratory, OF_RUNS, change(run))[name] != []


def test_each_promise_of_one_run_has_a_lie():
    assert LIES.keys() == {promise.name for promise in OF_RUNS}


def test_promises_of_two_runs_notice_a_lie(laboratory):
    laboratory.load({"world": WORLD, "steps": [REMOVE]})
    check, real, second = laboratory.run(REMOVE, check_mode=True), laboratory.run(REMOVE), laboratory.run(REMOVE)
    for promises, runs, change in (
        (OF_PREDICTIONS, (check, real), says(removed=[])),
        (OF_SECOND_RUNS, (real, second), says(changed=True)),
    ):
        assert [told for told in broken_by(laboratory, promises, *runs).values() if told] == []
        assert [told for told in broken_by(laboratory, promises, runs[0], change(runs[1])).values() if told]
    for retryable, last in ((True, fails(retryable=True)(second)), (False, second)):
        first = fails(retryable=retryable)(says(changed=False)(second))
        assert all(broken_by(laboratory, OF_RETRIES, first, last).values())
        if retryable:
            assert not any(broken_by(laboratory, OF_RETRIES, first, second).values())


class TestJudge:
    """A walk that sees nothing proves nothing: what the modules never do must be noticed."""

    def broken(self, laboratory, step: cases.Step, **disturbed) -> set[str]:
        """The promises that are broken when the modules are disturbed so."""
        return {each.promise for each in Judge(laboratory, {"world": WORLD, "steps": [{**step, **disturbed}]}).broken()}

    @pytest.mark.parametrize("step", [REMOVE, CANCEL], ids=["remove", "cancel"])
    def test_what_the_modules_do_is_right(self, laboratory, step):
        assert self.broken(laboratory, step) == self.broken(laboratory, step, check_mode=True) == set()

    def test_a_removal_that_is_not_told(self, laboratory, monkeypatch):
        original = laboratory.hw.Dcs.delete_task

        def delete(dcs, instance_id, task_id):
            original(dcs, instance_id, task_id)
            raise laboratory.hw.RefusedError("It was not removed.", service="dcs", operation="DeleteBackgroundTask")

        monkeypatch.setattr(laboratory.hw.Dcs, "delete_task", delete)
        assert {"changed says that the service accepted", "what was done is told"} <= self.broken(laboratory, REMOVE)

    def test_a_removal_that_was_never_sent(self, laboratory, monkeypatch):
        monkeypatch.setattr(laboratory.hw.Dcs, "delete_task", lambda dcs, instance_id, task_id: None)
        assert {"changed says that the service accepted", "lists tell the truth"} <= self.broken(laboratory, REMOVE)

    def test_a_removal_of_something_else(self, laboratory, monkeypatch):
        original = laboratory.hw.Dcs.delete_task
        monkeypatch.setattr(
            laboratory.hw.Dcs, "delete_task", lambda dcs, instance_id, _id: original(dcs, instance_id, cases.task_id(2))
        )
        found = self.broken(laboratory, REMOVE)
        assert {"nothing else is touched", "nothing unfinished is removed"} <= found

    def test_writing_in_check_mode(self, laboratory, monkeypatch):
        original = laboratory.hw.Dds.jobs

        def jobs(dds, *arguments, **more):
            found = original(dds, *arguments, **more)
            dds.cancel_job(cases.job_id(1))
            return found

        monkeypatch.setattr(laboratory.hw.Dds, "jobs", jobs)
        assert "check mode writes nothing" in self.broken(laboratory, CANCEL, check_mode=True)

    def test_a_prediction_that_is_wrong(self, laboratory, monkeypatch):
        original = laboratory.hw.Dds.cancel_job

        def cancel(dds, job_id):
            original(dds, job_id)
            raise laboratory.hw.RefusedError("No.", service="dds", operation="CancelScheduledTask", code="DBS.1")

        monkeypatch.setattr(laboratory.hw.Dds, "cancel_job", cancel)
        assert "check mode predicts the real run" in self.broken(laboratory, CANCEL, check_mode=True)

    def test_a_defect(self, laboratory, monkeypatch):
        monkeypatch.setattr(laboratory.hw.Dcs, "tasks_of_each", lambda dcs, *arguments, **more: 1 / 0)
        assert "a failure has its form" in self.broken(laboratory, REMOVE)

    def test_a_signal_that_is_ignored(self, laboratory, monkeypatch):
        monkeypatch.setattr(laboratory.hw.Client, "interrupt", lambda client, name: None)
        acts = {"0": [["signal", "SIGTERM"]]}
        wait = {"module": "dcs_task", "options": {**REMOVE["options"], "task_ids": [cases.task_id(2)]}}
        wait["options"].update(state="finished", wait_timeout=60)
        assert "a signal is kept" in self.broken(laboratory, wait, before_request=acts)

    def test_a_disappearance_that_is_believed_at_once(self, laboratory, monkeypatch):
        monkeypatch.setattr(laboratory.hw.Dcs, "look_at", laboratory.hw.Dcs.look_once)
        refused = {"status": 404, "body": {"error_code": "DCS.4404", "error_msg": "The task does not exist."}}
        found = self.broken(
            laboratory, REMOVE, before_request={"2": [["remove", cases.task_id(1)]]}, faults={"2": refused}
        )
        assert "a disappearance is seen twice" in found

    def test_a_clock_that_is_believed(self, laboratory):
        """The lab itself: this machine and the cloud have clocks of their own."""
        laboratory.load({"world": {**WORLD, "machine_ahead": 600}, "steps": []})
        cloud = laboratory.sim._server.cloud
        assert 599 < laboratory.time_of_machine() - cloud.world.clock() < 601
        run = laboratory.run(CANCEL)
        assert not run.failed

    def test_a_second_operator_is_a_real_run(self, laboratory):
        laboratory.load({"world": WORLD, "steps": []})
        act = ["run", "dds_scheduled_job", dict(CANCEL["options"])]
        run = laboratory.run({**CANCEL, "before_request": {"1": [act]}})
        assert run.acts == [act]
        assert run.after[cases.job_id(1)] == "cancelled"
        assert run.changed_here == set()
        assert (run.result["changed"], run.result["already_cancelled"]) == (False, [cases.job_id(1)])

    def test_a_stale_list_shows_what_was(self, laboratory):
        step: cases.Step = {**CANCEL, "before_request": {"0": [["start job", cases.job_id(1)]]}, "stale": {"0": 1}}
        laboratory.load({"world": WORLD, "steps": [step]})
        run = laboratory.run(step)
        assert run.requests[0].stale
        assert run.requests[0].shown == {cases.job_id(1): "Pending"}
        assert run.before[cases.job_id(1)] == "pending"
        assert run.after[cases.job_id(1)] == "running"
