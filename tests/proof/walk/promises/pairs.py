# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs of the same step, one after the other: what the first one says about the second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.proof.walk.lab import Run, is_transient
from tests.proof.walk.truth import unfinished_spec_changes
from tests.proof.walk.worlds import SLOW_SWITCHES

from . import OF_PREDICTIONS, OF_RETRIES, OF_SECOND_RUNS, promise
from .changes import changes_things, done_by

#: What a run costs, and its words.
_COST = {"requests", "retried", "waited", "progress", "warnings", "msg", "window", "invocation"}
#: Only the service knows what is meant by a status that nobody knows.
_KNOWN_STATUSES = {"SUCCESS", "FAILED", "CANCELLED", "EXECUTING", "CREATED", "RUNNING", "INIT", "SCHEDULED"}
_KNOWN_JOBS = {"Pending", "Running", "Completed", "Failed", "Canceled"}


def can_be_predicted(step_options: dict[str, Any], switches: dict[str, Any]) -> bool:
    """Whether nothing but the run itself changes what is there, so that check mode can know."""
    return "deadline" not in step_options and not any(switches.get(name) for name in SLOW_SWITCHES)


@promise(OF_PREDICTIONS, "and returns what the real run would, as far as reading can tell:")
def check_mode_predicts_the_real_run(check: Run, real: Run) -> Iterator[str]:
    if _only_the_service_knows(check) or _only_the_service_knows(real) or not (check.quiet and real.quiet):
        return
    if check.result.keys() - real.result.keys() - {"failure"}:
        yield f"only check mode returns {sorted(check.result.keys() - real.result.keys())}"
    waits = check.options.get("state") == "finished"
    if waits and (check.result.get("unfinished") or check.result.get("waited") is None):
        # How a task will end, only waiting tells.
        return
    expected, found = _comparable(check), _comparable(real)
    differ = {key: (expected.get(key), found.get(key)) for key in expected if expected.get(key) != found.get(key)}
    if differ:
        yield f"check mode says {check.code or 'success'}, then {real.code or 'success'}: {differ} {real.message}"


def _comparable(run: Run) -> dict[str, Any]:
    kept = {key: value for key, value in run.result.items() if key not in _COST | {"failure", "presumed"}}
    kept["code"], kept["failed"] = run.code, run.failed
    for key in ("task", "tasks", "jobs"):
        if kept.get(key):
            records = kept[key] if isinstance(kept[key], list) else [kept[key]]
            # The record itself may say when it was called off, and in which word.
            kept[key] = [(each.get("id", each.get("job_id")), each["phase"]) for each in records]
    return kept


def _only_the_service_knows(run: Run) -> bool:
    """Whether a word of a status is none that is known, or one of several unfinished spec changes is meant."""
    if run.module == "dcs_resize_cancel" and len(unfinished_spec_changes(run)) > 1:
        return True
    tasks = [run.result.get("task") or {}, *run.result.get("tasks", ())]
    words = {task.get("status", "SUCCESS") for task in tasks}
    jobs = {job["job_status"] for job in run.result.get("jobs", ())}
    return not (words <= _KNOWN_STATUSES and jobs <= _KNOWN_JOBS)


@promise(OF_SECOND_RUNS, "**A second run** finds nothing left to do, unless something new has come.")
def a_second_run_changes_nothing(first: Run, second: Run) -> Iterator[str]:
    if not changes_things(first) or first.options.get("keep_last") or first.stale or _something_new(first):
        return
    if first.module == "dcs_resize_cancel" and len(unfinished_spec_changes(first)) > 1:
        # The other one is as good as new.
        return
    if second.result["changed"] or second.changed_here:
        yield f"the second run changed {done_by(second)}; the first one {done_by(first)}"
    # What was accepted, and takes longer than the run may wait.
    under_way = second.failure.get("retryable") and any("called off" in state for state in second.before.values())
    if second.failed and not (under_way or first.did("remove instance", "rename") or _is_short(first)):
        yield f"the second run fails: {second.code}: {second.message}"


def _is_short(run: Run) -> bool:
    """Whether the deadline may come before the end of a run."""
    return "deadline" in run.options


def _something_new(run: Run) -> bool:
    """Whether something may have come since the first run looked."""
    verbs = ("add", "replace", "add job", "succeed", "fail", "cancel", "rename", "pass", "run", "start", "start job")
    world = run.case["world"]
    futures = any("start_after" in record or "finish_after" in record for record in (*world["tasks"], *world["jobs"]))
    return run.did(*verbs, "succeed job", "fail job", "puzzle") or futures


@promise(OF_RETRIES, "| `retryable` | whether the same task may succeed when it is run again later |")
def retryable_tells_whether_to_run_it_again(first: Run, last: Run) -> Iterator[str]:
    """C(last) is the run at once where the first said no; else the last of several, with time in between."""
    if first.failure["retryable"]:
        if last.code == "DCS.4026" and last.did("remove instance"):
            # The service says of an instance that does not exist that it is in a state of some kind.
            return
        if last.failed and last.failure.get("retryable") and not _is_short(first):
            yield f"{first.code} is retryable, but does not get on: {first.message} / {last.message}"
    elif not last.failed and _says_nothing_of_the_task(first) and not _moved_on(first, last):
        yield f"{first.code} is not retryable, but the next run succeeds: {first.message}"


def _moved_on(first: Run, last: Run) -> bool:
    """Whether something changed by itself since the first run began."""
    states = first.before.keys() | last.after.keys()
    return any(first.before.get(key) != last.after.get(key) for key in states - last.changed_here - first.changed_here)


#: What has happened meanwhile, and is no more to be seen the next time.
_ABOUT_WHAT_HAPPENED = ("TooLate", "EndedBadly", "Ambiguous")


def _says_nothing_of_the_task(run: Run) -> bool:
    """Whether all that went wrong was passing, so that a failure which lasts has no reason."""
    if (
        run.code in _ABOUT_WHAT_HAPPENED
        or run.result["changed"]
        or run.stale
        or run.did("rename", "remove instance", "expire tokens")
    ):
        return False
    return all(map(is_transient, run.faults)) and (not run.acts or not run.faults)
