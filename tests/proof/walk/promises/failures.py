# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failure says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.proof.walk import truth
from tests.proof.walk.cases import MONGO, MONGO_NAMES, REDIS, REDIS_NAMES
from tests.proof.walk.lab import Run

from . import OF_RUNS, SIGN_IN, promise

KEYS = {"code", "http_status", "request_id", "service", "operation", "retryable", "hint"}
#: Codes of what fails before anything is asked.
_BEFORE = ("InvalidOption", "MissingCredentials", "IncompleteCredentials", "InvalidProfile")
_SENTENCE_MOST = 2000
_SIGN_IN = ("iam", "metadata")
#: What is asked of the whole project, whatever it is asked for.
_OF_THE_PROJECT = ("ListInstances", "ListScheduledTasks", "ListCenterTask")


def _all_failures(run: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """The failure of the run, and those of the things in it: the message and what a runbook can branch on."""
    if run.failed and run.failure:
        yield run.message, run.failure
    for key in ("failed_tasks", "failed_jobs", "failed_instances"):
        for entry in run.result.get(key, ()):
            yield entry["msg"], entry["failure"]


@promise(OF_RUNS, "Every failure that this collection, or Ansible's check of its options, says has `failure`,")
def a_failure_has_its_form(run: Run) -> Iterator[str]:
    if run.crash or run.failure.get("code") == "InternalError" or "Traceback" in str(run.result):
        yield f"a defect: {run.crash or run.result}"
        return
    if run.module.startswith("inventory"):
        return
    if not isinstance(run.result.get("changed"), bool):
        yield "changed is missing"
    if run.failed and run.failure.keys() != KEYS:
        yield f"failure has {sorted(run.failure)}"
        return
    for message, failure in _all_failures(run):
        if failure.get("code") == "InternalError":
            yield f"a defect: {message}"
        elif not isinstance(failure["code"], str) or not isinstance(failure["retryable"], bool):
            yield f"failure is {failure}"


@promise(OF_RUNS, "**A failure** says in one sentence (`msg`) what went wrong,")
def a_failure_names_what_it_is_about(run: Run) -> Iterator[str]:
    if run.module.startswith("inventory"):
        return
    for message, failure in _all_failures(run):
        if message.splitlines() != [message] or not message.isprintable() or len(message) > _SENTENCE_MOST:
            yield f"no sentence: {message!r}"
        if failure["service"] in _SIGN_IN or failure["code"] in _BEFORE:
            continue
        names = [*REDIS, *MONGO, *REDIS_NAMES, *MONGO_NAMES, *run.history]
        given = [run.options.get(key) for key in ("instance", "task_id")]
        given += [*run.options.get("task_ids", ()), *run.options.get("job_ids", ())]
        about_one = run.options.get("instance") or failure["operation"] == "ListBackgroundTask"
        # What an entry of a list is about stands beside its message.
        if message != run.message:
            continue
        if failure["operation"] in _OF_THE_PROJECT:
            given.append(failure["operation"])
        if about_one and not any(name and name in message for name in (*names, *given)):
            yield f"{failure['code']} at {failure['operation']} names neither an instance nor a task or job: {message}"


@promise(OF_RUNS, "| `service`, `operation` | what was being done |")
def a_failure_names_its_operation(run: Run) -> Iterator[str]:
    if run.module.startswith("inventory"):
        return
    for message, failure in _all_failures(run):
        if failure["code"] not in _BEFORE and not (failure["service"] and failure["operation"]):
            yield f"{failure['code']} has service {failure['service']}, operation {failure['operation']}: {message}"


@promise(OF_RUNS, "`failure.hint` says the same in one sentence where something is known,", file=SIGN_IN)
def a_failure_has_a_hint(run: Run) -> Iterator[str]:
    for message, failure in _all_failures(run):
        if failure["hint"] is None and failure["code"] not in _BEFORE and run.quiet:
            yield f"{failure['code']} has no hint: {message}"


@promise(OF_RUNS, "A task that broke off can simply be run again.")
def a_failure_is_true(run: Run) -> Iterator[str]:
    undisturbed = not (run.faults or run.stale or run.after_signal)
    if run.failed and undisturbed and not run.crash:
        doubt = truth.doubt_about(run)
        if doubt:
            yield f"{run.code} is not true: {doubt}. {run.message}"


@promise(OF_RUNS, "| SIGTERM, SIGINT or SIGHUP reaches the module,", file=SIGN_IN)
def an_interruption_is_called_so(run: Run) -> Iterator[str]:
    if run.failure.get("code") == "Interrupted" and run.after_signal is None:
        yield f"no signal came: {run.message}"
    if run.failure.get("code") == "DeadlineExceeded":
        most = run.options.get("deadline", 900)
        if run.seconds < most - 31:
            # It ends early where the next repetition would not be over in time.
            yield f"the deadline of {most} was not near after {run.seconds:.1f} seconds: {run.message}"
