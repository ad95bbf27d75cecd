# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run sends, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.proof.walk import signing_in
from tests.proof.walk.lab import GRACE, Request, Run, is_transient

from . import ARCHITECTURE, OF_RUNS, SIGN_IN, promise

#: Seconds by which a busy machine may be late.
_LATE = 10.0
#: Seconds that a run may really take, when nothing in it takes time.
_LONGEST = 60.0
#: What a task may take without C(deadline), beside its C(wait_timeout), and that one's defaults.
_DEADLINE = 900
_WAITS = {"dcs_task": 1800, "dcs_resize_cancel": 300, "dds_scheduled_job": 60}


@promise(OF_RUNS, "**Check mode** reads for real, writes nothing,")
def check_mode_writes_nothing(run: Run) -> Iterator[str]:
    if run.check_mode and run.writes:
        yield f"check mode sent {[write.operation for write in run.writes]}"


@promise(OF_RUNS, "**Nothing is sent twice unless that is safe.**", file=ARCHITECTURE)
def one_decision_is_one_post(run: Run) -> Iterator[str]:
    for index, first in enumerate(run.requests):
        if first.operation != "CancelInstanceResize":
            continue
        for place, second in enumerate(run.requests[index + 1 :], index + 1):
            if (second.operation, second.path) == (first.operation, first.path):
                if not _may_be_sent_again(run, first, run.requests[index + 1 : place]):
                    yield f"{first.path} was sent twice, after {first.status} and {first.fault}"
                break


def _may_be_sent_again(run: Run, first: Request, between: list[Request]) -> bool:
    """Whether a refusal, a new sign-in or a new look came in between."""
    if first.status == 429:
        return True
    if first.status == 401:
        return signing_in.signs_in_anew(run.step.get("sign_in", signing_in.DEFAULT))
    looked = any(each.operation == "ListBackgroundTask" and each.status == 200 for each in between)
    return looked and first.status is not None and 400 <= first.status < 500


@promise(OF_RUNS, "When the service answers 429, the whole task waits as long as it asks for,")
def nothing_leaves_while_the_service_is_busy(run: Run) -> Iterator[str]:
    for first, second in zip(run.requests, run.requests[1:]):
        asked = _seconds_asked(first.fault)
        if asked > run.options.get("deadline", asked):
            # There is no time to wait for so long.
            continue
        if first.status == 429 and asked and second.at < first.at + asked - 0.1 and run.options["max_concurrency"] == 1:
            yield f"request {second.number} left {second.at - first.at:.2f} seconds after a 429 that asked for {asked}"


def _seconds_asked(fault: Any) -> float:
    return float(fault.get("headers", {}).get("Retry-After", 0)) if isinstance(fault, dict) else 0.0


@promise(OF_RUNS, "a refused sign-in, a missing permission or a lost network stops at once.")
def a_missing_permission_stops_at_once(run: Run) -> Iterator[str]:
    for request in run.requests:
        if request.writes or run.options.get("max_concurrency") != 1:
            # What was changed is looked at again.
            return
        if request.status == 403 and "DCS.2007" in str(request.fault):
            later = [each.path for each in run.requests[request.number + 1 :]]
            if later:
                yield f"after a 403 at {request.path}, {later} was asked for"
            return


@promise(OF_RUNS, "All return how many `requests` they sent, and in `retried` why any was repeated.")
def requests_are_counted(run: Run) -> Iterator[str]:
    if "requests" not in run.result or run.cut_short or run.crash:
        return
    slow = any(isinstance(fault, dict) and fault.get("delay", 0) > 0.5 for fault in run.faults)
    if run.result["requests"] != len(run.requests) and not slow:
        yield f"requests is {run.result['requests']}, the service saw {len(run.requests)}"
    retried = run.result["retried"]
    if retried and not run.faults and not any(request.status == 401 for request in run.requests):
        yield f"retried is {retried}, but no request went wrong"
    again = [
        first
        for first, second in zip(run.requests, run.requests[1:])
        if (first.method, first.path, first.query) == (second.method, second.path, second.query)
        and is_transient(first.fault)
        and first.status not in (200, 202, 204)
    ]
    if again and not retried and run.options.get("max_concurrency") == 1 and run.options.get("retries", 4):
        yield f"{again[0].operation} was sent again, but retried is empty"


@promise(OF_RUNS, "**Deadline**: no request, repetition or wait goes beyond it;", file=SIGN_IN)
def the_deadline_is_kept(run: Run) -> Iterator[str]:
    if run.module.startswith("inventory") or any(act[0] == "run" for act in run.acts):
        # What another operator waits for takes its time, too.
        return
    most = run.options.get("deadline")
    if most is None:
        most = _DEADLINE + run.options.get("wait_timeout", _WAITS.get(run.module, 0))
    slept = run.seconds - run.real_seconds
    if slept > most + GRACE:
        yield f"it took {run.seconds:.1f} seconds; the deadline is {most}"
    slow = sum(fault.get("delay", 0) for fault in run.faults if isinstance(fault, dict))
    if run.real_seconds > (most + GRACE + _LATE if slow > most + GRACE + _LATE else _LONGEST):
        yield f"it really took {run.real_seconds:.1f} seconds; the deadline is {most}"


@promise(OF_RUNS, "SIGTERM, SIGINT and SIGHUP end the request or the sleep that is under way;", file=ARCHITECTURE)
def a_signal_is_kept(run: Run) -> Iterator[str]:
    if run.after_signal is None:
        return
    seconds, real_seconds = run.after_signal
    if seconds - real_seconds > GRACE or seconds > GRACE + _LATE:
        yield f"it went on for {seconds:.1f} seconds after a signal: {run.message}"


@promise(OF_RUNS, "**No secret** appears in results, messages or logs, at any verbosity.")
def no_secret_is_shown(run: Run) -> Iterator[str]:
    text = str(run.result)
    for secret in run.secrets:
        if len(secret) >= 8 and secret in text:
            yield "the result shows a secret"
