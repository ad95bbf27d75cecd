# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run says that it changed, held against what it did change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.proof.walk.cases import REDIS, REDIS_NAMES
from tests.proof.walk.lab import GONE, Request, Run

from . import OF_RUNS, promise

ENDED = ("succeeded", "failed", "cancelled")
#: By module: the list with what was done, the lists with what was not, and the list with what failed.
DONE = {"dcs_task": "removed", "dds_scheduled_job": "cancelled"}
OTHERS = {
    "dcs_task": ("absent", "not_tried"),
    "dds_scheduled_job": ("already_cancelled", "already_failed", "too_late", "missing", "not_tried"),
}
FAILED = {"dcs_task": ("failed_tasks", "task_id"), "dds_scheduled_job": ("failed_jobs", "job_id")}


def changes_things(run: Run) -> bool:
    """Whether the module is one that changes something, as it was called."""
    return run.module == "dcs_resize_cancel" or (run.module in DONE and run.options.get("state") != "finished")


def with_lists(run: Run) -> bool:
    """Whether the result has the lists of what was done, failed, and not tried."""
    return changes_things(run) and run.module in DONE and DONE[run.module] in run.result


def failures_of(run: Run) -> dict[str, dict[str, Any]]:
    """What failed by its id."""
    key, id_key = FAILED[run.module]
    return {entry[id_key]: entry for entry in run.result[key]}


def done_by(run: Run) -> set[str]:
    """The ids of what the run says that it did."""
    if run.module in DONE:
        return set(run.result.get(DONE[run.module], ()))
    task = run.result.get("task") or {}
    return {task["id"]} if run.result["changed"] and task else set()


def says_unknown(entry: dict[str, Any]) -> bool:
    """Whether a failure says that nobody knows what was done."""
    return entry["failure"]["code"] == "OutcomeUnknown" or any(
        words in entry["msg"] for words in ("not known", "was accepted", "may have been")
    )


def told_as_unknown(run: Run, identifier: str) -> bool:
    """Whether the result says of this one, or of all, that nobody knows."""
    if run.failed and says_unknown({"failure": run.failure, "msg": run.message}):
        return True
    return with_lists(run) and identifier in failures_of(run) and says_unknown(failures_of(run)[identifier])


def in_doubt(run: Run) -> set[str]:
    """The ids of which no answer told what was done."""
    return {write.target for write in run.writes if write.answer_lost or run.cut_short}


def instance_is_gone(run: Run) -> bool:
    """Whether others removed an instance."""
    return run.did("remove instance")


def is_meant(run: Run, identifier: str) -> bool:
    """Whether a task is one of the instance that the options name."""
    if "instance" not in run.options or run.module != "dcs_task":
        return True
    named = run.options["instance"]
    return run.owners.get(identifier) == (REDIS[REDIS_NAMES.index(named)] if named in REDIS_NAMES else named)


def confirmed(run: Run) -> set[str]:
    """The ids of what the documented answer of the service confirms."""
    return {write.target for write in run.writes if write.accepted and not write.answer_lost and not _unclear(write)}


def _unclear(write: Request) -> bool:
    """Whether the answer may or may not count as a confirmation."""
    fault = write.fault
    return isinstance(fault, dict) and (
        "edit" in fault or fault.get("status", 500) < 300 or fault.get("delay", 0) > 0.5
    )


@promise(
    OF_RUNS,
    "**`changed` is true when the service accepted what this run asked for,** unless the record then shows that it came"
    " too late.",
)
def changed_says_that_the_service_accepted(run: Run) -> Iterator[str]:
    if run.check_mode:
        return
    changed = run.result["changed"]
    accepted = {write.target for write in run.writes if write.accepted}
    if not changes_things(run):
        if changed or run.writes:
            yield f"changed={changed}, writes {[write.operation for write in run.writes]}, of a run that only reads"
        return
    presumed = set(run.result.get("presumed", ()))
    if changed and not accepted and not (presumed or (in_doubt(run) and run.failed)):
        yield f"changed, but the service accepted nothing: {_said(run)}"
    if not changed:
        late = set(run.result.get("too_late", ())) if run.code != "TooLate" else run.changed_here
        for identifier in run.changed_here - late:
            if not told_as_unknown(run, identifier):
                yield f"not changed, but {identifier} was: {_said(run)}"


def _said(run: Run) -> str:
    return (
        f"{run.code or 'success'}: {run.message} {[(w.operation, w.target[-4:], w.said, w.fault) for w in run.writes]}"
    )


@promise(
    OF_RUNS,
    "What is then removed or called off counts as the doing of this run, although another user may have been faster:"
    " `changed` is true, `presumed` lists these ids, and a warning names them.",
)
def presumed_names_what_no_answer_confirms(run: Run) -> Iterator[str]:
    if not changes_things(run):
        return
    done = done_by(run) if not (run.failed and run.module == "dcs_resize_cancel") else set()
    presumed = set(run.result.get("presumed", ()))
    if run.check_mode:
        if presumed:
            yield f"check mode presumes {presumed}"
        return
    if not presumed <= done and not (run.module == "dcs_resize_cancel" and run.result["changed"]):
        yield f"presumed has {presumed - done}, which was not done"
    unclear = {write.target for write in run.writes if _unclear(write)}
    unconfirmed = done - confirmed(run) - presumed - unclear
    if unconfirmed and not run.failed:
        yield f"no answer confirms {unconfirmed}, but it is not presumed: {_said(run)}"
    if presumed & confirmed(run) - in_doubt(run) and not run.cut_short:
        yield f"{presumed & confirmed(run)} was confirmed, but is presumed"
    named = " ".join(line for line in run.result.get("warnings", ()) if line.startswith("No answer confirms"))
    if any(identifier not in named for identifier in presumed) or bool(named) is not bool(presumed):
        yield f"presumed is {presumed}, the warning {named!r}"


@promise(OF_RUNS, "When they cannot know, they fail and say so.")
def what_was_done_is_told(run: Run) -> Iterator[str]:
    if run.check_mode or not changes_things(run):
        return
    if with_lists(run):
        late = run.result.get("too_late", ())
        for identifier in run.changed_here - done_by(run):
            if not told_as_unknown(run, identifier) and identifier not in late:
                yield f"{identifier} was changed by this run, which says {_place(run, identifier)}: {_said(run)}"
    elif run.changed_here and run.module in DONE:
        yield f"{run.changed_here} was changed by this run, whose result has no list of what it did: {_said(run)}"


def _place(run: Run, identifier: str) -> str:
    """Where a result has an id."""
    if identifier in failures_of(run):
        return str(failures_of(run)[identifier]["msg"])
    return str([key for key in OTHERS[run.module] if identifier in run.result[key]])


@promise(
    OF_RUNS,
    "A task for several things that fails half-way reports what was done, what failed and what was not tried.",
)
def each_thing_is_in_one_list(run: Run) -> Iterator[str]:
    if not with_lists(run):
        return
    lists = {key: run.result[key] for key in (DONE[run.module], *OTHERS[run.module])}
    lists[FAILED[run.module][0]] = list(failures_of(run))
    listed = [identifier for ids in lists.values() for identifier in ids]
    if len(listed) != len(set(listed)) or len(failures_of(run)) != len(run.result[FAILED[run.module][0]]):
        yield f"something is in two lists: {lists}"
    asked = run.options.get("task_ids", run.options.get("job_ids"))
    records = "tasks" if run.module == "dcs_task" else "jobs"
    if asked is not None and set(listed) != set(asked):
        yield f"asked for {asked}, the lists have {lists}"
    shown = {record["id" if records == "tasks" else "job_id"] for record in run.result[records]}
    if not shown <= set(listed) or (asked is None and run.module == "dcs_task" and shown != set(listed)):
        yield f"{records} has {shown}, the lists have {lists}"


@promise(
    OF_RUNS,
    "`failed_instances` and `failed_tasks` say what went wrong with each, `not_listed` and `not_tried` name what was not"
    " begun.",
)
def what_was_not_begun_is_named(run: Run) -> Iterator[str]:
    tried = {write.target for write in run.writes}
    if with_lists(run) and not run.check_mode:
        for identifier in run.result["not_tried"]:
            if identifier in tried:
                yield f"not_tried has {identifier}, which was tried"
        for identifier, entry in failures_of(run).items():
            if identifier not in tried and not run.cut_short:
                yield f"{FAILED[run.module][0]} has {identifier}, which was not tried: {entry['msg']}"
    if "not_listed" not in run.result:
        return
    failed = {entry["instance_id"] for entry in run.result["failed_instances"]}
    not_listed = set(run.result["not_listed"])
    if failed & not_listed:
        yield f"failed_instances and not_listed have {failed & not_listed}"
    asked = {request.path.split("/")[4] for request in run.requests if request.operation == "ListBackgroundTask"}
    # Where something ends a listing of several pages, the first ones of all instances have come already.
    begun = not_listed & asked and run.case["world"].get("page_size", 1000) == 1000
    if begun and run.options["max_concurrency"] == 1 and not run.cut_short:
        yield f"not_listed has {not_listed & asked}, which was asked for"
    if (failed or not_listed) and not (run.failed or run.result.get("truncated")):
        yield f"success, although {failed or not_listed} was not read"


@promise(OF_RUNS, "`max_failures` stops after so many;")
def max_failures_stops(run: Run) -> Iterator[str]:
    most = run.options.get("max_failures")
    if most is None or run.options["max_concurrency"] != 1 or run.options.get("state") == "finished" or run.cut_short:
        return
    failed = [*run.result.get("failed_instances", ())]
    if with_lists(run):
        # What was accepted, and does not show its effect, is seen when all has been tried.
        failed += [entry for entry in failures_of(run).values() if "was accepted" not in entry["msg"]]
    if len(failed) > most:
        yield f"{len(failed)} failures, max_failures is {most}: {[entry['msg'] for entry in failed]}"


@promise(OF_RUNS, "`--diff` shows what changes.")
def diff_shows_what_changes(run: Run) -> Iterator[str]:
    if not changes_things(run) or "diff" not in run.result:
        return
    before, after = run.result["diff"]["before"], run.result["diff"]["after"]
    if run.module == "dcs_resize_cancel":
        shown = {before["task_id"]} if before else set()
        if bool(before) is not run.result["changed"] and not run.failed:
            yield f"changed={run.result['changed']}, diff {run.result['diff']}"
    elif run.module == "dcs_task":
        shown = {task["id"] for task in before["tasks"]} - {task["id"] for task in after["tasks"]}
    else:
        shown = {job["job_id"] for job in before["jobs"]}
        if shown != {job["job_id"] for job in after["jobs"]}:
            yield f"diff is of other jobs: {run.result['diff']}"
    if not run.failed and shown != done_by(run):
        yield f"done is {done_by(run)}, the diff shows {shown}"


@promise(OF_RUNS, "A task that has not ended is refused before anything is removed.")
def nothing_unfinished_is_removed(run: Run) -> Iterator[str]:
    removals = [write for write in run.writes if write.operation in ("DeleteBackgroundTask", "DeleteCenterTask")]
    for write in removals:
        if write.state not in (*ENDED, GONE):
            yield f"{write.operation} was sent for {write.target}, which is {write.state}"
    if run.module == "dcs_task" and run.options["state"] == "absent" and not run.failed:
        for task in run.result["tasks"]:
            if not run.states(task["id"]) & {*ENDED, GONE}:
                yield f"success, but {task['id']} had not ended: {run.states(task['id'])}"


@promise(
    OF_RUNS,
    "The words of a selection (`phases`, `names`, `older_than`, `keep_last`) mean the same in both modules, so the first task"
    " shows what the second one takes.",
)
def nothing_else_is_touched(run: Run) -> Iterator[str]:
    options = run.options
    asked = options.get("task_ids", options.get("job_ids", [options["task_id"]] if options.get("task_id") else None))
    for write in run.writes:
        identifier = write.target
        if asked is not None and identifier not in asked:
            yield f"{identifier} was not asked for"
        if "instance" in options and run.module == "dcs_task" and write.changed and not is_meant(run, identifier):
            yield f"{identifier} is of another instance"
        names = options.get("names", options.get("job_names"))
        if names is not None and not _has_name(run, identifier, names):
            yield f"{identifier} is called {run.names.get(identifier)}"
        phases = (
            {*options["phases"], *((GONE,) if run.stale else ())} if "phases" in options else run.states(identifier)
        )
        if run.module == "dcs_task" and not run.states(identifier) & phases:
            yield f"{identifier} was {run.states(identifier)}, the phases are {options['phases']}"
        age = run.ages.get(identifier)
        if "older_than" in options and age is not None and age + run.seconds + 1 < _SECONDS[options["older_than"]]:
            yield f"{identifier} was {age:.0f} seconds old, older_than is {options['older_than']}"
    if options.get("keep_last") and changes_things(run) and not (run.stale or run.did("add", "replace", "remove")):
        yield from _newest_are_kept(run)


_SECONDS = {"5m": 300, "15m": 900, "10h": 36000}


def _has_name(run: Run, identifier: str, names: list[str]) -> bool:
    name = str(run.names.get(identifier)).upper()
    return {"CHANGEINSTANCESPEC": "EXTEND"}.get(name, name) in map(str.upper, names)


def _newest_are_kept(run: Run) -> Iterator[str]:
    """C(keep_last) counts in each instance, among the tasks that fit the other words."""
    for instance in {run.owners[write.target] for write in run.writes if write.target in run.owners}:
        fitting = [
            identifier
            for identifier, owner in run.owners.items()
            if owner == instance
            and run.before.get(identifier) in run.options.get("phases", ENDED)
            and ("names" not in run.options or _has_name(run, identifier, run.options["names"]))
        ]
        if fitting and "older_than" not in run.options:
            newest = min(run.ages[identifier] for identifier in fitting)
            kept = {identifier for identifier in fitting if run.ages[identifier] == newest}
            if kept <= {write.target for write in run.writes}:
                yield f"{kept} is the newest of {instance}, and was not kept"


@promise(
    OF_RUNS,
    "What is cancelled or gone was called off. What reads failed has ended and was not carried out: `changed` is true,"
    " `phase` is `failed`, and a warning says so; the next run says the same, and changes nothing. What was carried out"
    " nevertheless is the failure `TooLate`.",
)
def what_was_called_off_does_not_run(run: Run) -> Iterator[str]:
    if run.check_mode or run.module not in ("dcs_resize_cancel", "dds_scheduled_job") or run.stale:
        return
    for identifier in done_by(run):
        if run.failed and run.module == "dcs_resize_cancel":
            continue
        state = run.after.get(identifier, GONE)
        waits = run.module == "dcs_resize_cancel" and run.options.get("wait") is False
        waits = waits or run.options.get("wait_timeout") == 0
        if state in ("running", "succeeded") or (state == "pending" and not waits and not run.did("pass")):
            yield f"{identifier} counts as called off, but is {state}"
        if state == "failed" and not any("not carried out" in each for each in run.result.get("warnings", ())):
            yield f"{identifier} has failed, and no warning says so"


@promise(
    OF_RUNS,
    "The modules that change something return `changed`, what they did by id (`removed`, `cancelled`, …), in `presumed` those"
    " of these ids for which no answer confirms that it was this run, and with `--diff` what changed.",
)
def lists_tell_the_truth(run: Run) -> Iterator[str]:
    if not with_lists(run) or run.check_mode:
        return
    for identifier in run.result.get("removed", ()):
        if run.after.get(identifier, GONE) != GONE:
            yield f"removed has {identifier}, which is there"
    yield from _untrue_phases(run)
    for identifier in (*run.result.get("absent", ()), *run.result.get("missing", ())):
        if identifier in run.changed_here and identifier in run.result.get("absent", ()):
            yield f"absent has {identifier}, which this run removed"
        excused = run.stale or instance_is_gone(run) or "lookback" in run.options
        if not excused and is_meant(run, identifier) and GONE not in run.states(identifier):
            yield f"{identifier} counts as gone, but was {run.states(identifier)}"


_PHASES = {
    "already_cancelled": {"cancelled"},
    "already_failed": {"failed"},
    "too_late": {"running", "succeeded", "failed"},
}


def _untrue_phases(run: Run) -> Iterator[str]:
    """Jobs in a list for a phase that they never had."""
    for key, states in _PHASES.items():
        for identifier in run.result.get(key, ()):
            if not run.states(identifier) & states:
                yield f"{key} has {identifier}, which was {run.states(identifier)}"
            if identifier in run.changed_here and key != "too_late":
                yield f"{key} has {identifier}, which this run changed"
