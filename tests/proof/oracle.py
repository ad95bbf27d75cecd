# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges what a module said against what the simulator knows; never looks at how the module came to say it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .stage import GIVES_CREDENTIALS, Case

World = dict[str, str]
FAILURE_KEYS = {"code", "http_status", "request_id", "service", "operation", "retryable", "hint"}

#: By module: the list in the result with what was done, the list with what failed, and the key of an id in the latter.
_LISTS = {
    "dcs_task": ("removed", "failed_tasks", "task_id"),
    "dds_scheduled_job": ("cancelled", "failed_jobs", "job_id"),
}
_SIGN_IN, _CALL_OFF = "KeystoneCreateUserTokenByPassword", "CancelInstanceResize"


def touched(before: World, after: World) -> set[str]:
    """The ids of the tasks and jobs that are no longer there, or have another status."""
    return {key for key in before if after.get(key) != before[key]}


def shape(result: dict[str, Any], secrets: list[str]) -> Iterator[str]:
    """What every result has, whatever happened."""
    text = json.dumps(result)
    if any(secret in text for secret in secrets):
        yield "the result shows a secret"
    if not isinstance(result.get("changed"), bool):
        yield "changed is missing"
    if not result.get("failed"):
        return
    message, failure = result["msg"], result.get("failure", {})
    if message.splitlines() != [message] or message != message.strip() or not message.isprintable():
        yield f"msg is not one line: {message!r}"
    if failure.keys() != FAILURE_KEYS:
        yield f"failure has the keys {sorted(failure)}"
    elif not isinstance(failure["code"], str) or not isinstance(failure["retryable"], bool):
        yield f"failure is {failure}"
    if failure.get("code") in ("InternalError", "InvalidOption") or "Traceback" in text:
        yield f"an exception came through: {message}"


def said_and_done(case: Case, result: dict[str, Any], before: World, after: World) -> Iterator[str]:
    """Whether the result tells what became of the tasks and jobs."""
    really = touched(before, after)
    beyond = really - set(case.does)
    if beyond:
        yield f"changed what it was not asked for: {beyond}"
    failed = bool(result.get("failed"))
    if not failed:
        if result["changed"] != bool(really):
            yield f"ok with changed={result['changed']}, but really changed: {really}"
        if really != set(case.does):
            yield f"ok, but left undone: {set(case.does) - really}"
    else:
        if result["changed"] and not really:
            yield "failed with changed=true, but nothing changed"
        if not result["changed"] and really and not _unknown(result):
            yield f"failed with changed=false and without a doubt, but really changed: {really}: {result['msg']}"
    if case.module in _LISTS:
        yield from _accounts(case, result, really)
    elif (
        case.module == "dcs_resize_cancel" and not failed and really and (result["task"] or {}).get("id") not in really
    ):
        yield f"the task in the result is {result['task']}"


def _unknown(part: dict[str, Any]) -> bool:
    return part["failure"]["code"] == "OutcomeUnknown" or "not known" in part["msg"]


def _accounts(case: Case, result: dict[str, Any], really: set[str]) -> Iterator[str]:
    """Whether each thing is in the list where it belongs."""
    done_key, failed_key, id_key = _LISTS[case.module]
    if done_key not in result:
        # It failed before anything was looked at.
        if not result.get("failed") or really:
            yield f"there is no list {done_key}"
        return
    done, failed = set(result[done_key]), {entry[id_key]: entry for entry in result[failed_key]}
    not_tried = set(result["not_tried"])
    if not done <= really:
        yield f"{done_key} claims {done - really}"
    if not_tried & (really | failed.keys()):
        yield f"not_tried has {not_tried & (really | failed.keys())}, which was tried"
    for lost in really - done:
        entry = failed.get(lost)
        if entry is None:
            yield f"{lost} changed, but is in no list that says so"
        elif not (_unknown(entry) or _unknown(result) or "was accepted" in entry["msg"]):
            yield f"{lost} changed, but its failure says: {entry['msg']}"
    if any(entry["failure"].keys() != FAILURE_KEYS or "\n" in entry["msg"] for entry in failed.values()):
        yield f"{failed_key} is {result[failed_key]}"
    others = (
        ("absent",) if case.module == "dcs_task" else ("already_cancelled", "already_failed", "too_late", "missing")
    )
    listed = [*result[done_key], *failed, *not_tried, *(each for key in others for each in result[key])]
    wanted = set(case.options.get("task_ids", case.options.get("job_ids", case.does)))
    # Accepted but not looked at: done, and yet a failure.
    twice = {each for each in listed if listed.count(each) > 1} - (done & failed.keys())
    # What an instance has that could not be listed, or was not, nobody knows.
    unread = bool(result.get("failed_instances") or result.get("not_listed"))
    if twice or not set(listed) <= wanted or (set(listed) != wanted and not unread):
        yield f"of {sorted(wanted)}, the lists together have {sorted(listed)}"


def presumption(case: Case, result: dict[str, Any], journal: list[dict[str, Any]], *, lost: bool) -> Iterator[str]:
    """Whether C(presumed) has those ids of what was done that no answer confirms, and only those, and a warning names them.

    With C(lost), an answer may not have arrived although the simulator sent it.
    """
    if case.module not in (*_LISTS, "dcs_resize_cancel") or case.options.get("state") == "finished":
        return
    if case.module in _LISTS:
        done = set(result.get(_LISTS[case.module][0], ()))
        said = _LISTS[case.module][0] in result
    else:
        done = {result["task"]["id"]} if result["changed"] and not result.get("failed") else set()
        said = "task" in result
    if ("presumed" in result) is not said:
        yield f"presumed is {result.get('presumed')} although the listing {'succeeded' if said else 'failed'}"
    presumed = set(result.get("presumed", ()))
    if case.check_mode:
        done = set()
    if not presumed <= done:
        yield f"presumed claims {presumed - done}, which was not done"
    answered: dict[str, list[dict[str, Any]]] = {}
    for entry in journal:
        answered.setdefault(entry["path"].rpartition("/")[2], []).append(entry)
    confirmed = {key for key in done if any(map(_confirms, answered.get(key, ())))}
    if done - confirmed - presumed:
        yield f"no answer confirms {done - confirmed - presumed}, but it is not presumed"
    if presumed & confirmed and not lost:
        yield f"{presumed & confirmed} was confirmed, but is presumed"
    named = " ".join(line for line in result.get("warnings", ()) if line.startswith("No answer confirms"))
    if any(key not in named for key in presumed) or bool(named) is not bool(presumed):
        yield f"the warning about {sorted(presumed)} says {named!r}"


def _confirms(entry: dict[str, Any]) -> bool:
    """Whether a request that changes something got its documented answer."""
    if entry["method"] not in ("DELETE", "POST") or entry["status"] is None or not 200 <= entry["status"] < 300:
        return False
    # An empty answer confirms that a record of DCS was removed; it is none of the POST, whose answer is an object, and
    # the cancellation of a job has no other documented answer than 204.
    empty = (
        entry["fault"] == "status"
        and entry["processed"]
        and entry["method"] == "DELETE"
        and (entry["operation"] != "CancelScheduledTask" or entry["status"] == 204)
    )
    return entry["fault"] in (None, "delay", "content_type") or empty


def same_answer(case: Case, result: dict[str, Any], clean: dict[str, Any]) -> Iterator[str]:
    """A module that only reads either fails or gives what it gives without a fault: never less."""
    if result.get("failed"):
        return
    cost = ("requests", "retried", "waited", "progress", "window", "warnings")
    for key in clean.keys() | result.keys():
        if key not in cost and result.get(key) != clean.get(key):
            yield f"{key} is {str(result.get(key))[:300]} instead of {str(clean.get(key))[:300]}"


def wire(journal: list[dict[str, Any]], foreign: list[Any], *, renews: bool) -> Iterator[str]:
    """Whether nothing was sent that must not be sent."""
    if foreign:
        yield f"another host received {[seen.target for seen in foreign]}"
    for number, entry in enumerate(journal):
        # Nothing that signs in goes to the metadata service, nor beside a password.
        bare = entry["service"] == "metadata" or entry["operation"] == _SIGN_IN
        if bare is not (entry["auth"] == "none"):
            yield f"{entry['operation']} was sent with the credentials {entry['auth']}"
        later = journal[number + 1 :]
        second = next((place for place, each in enumerate(later) if _same(each, entry)), None)
        if second is None:
            continue
        between = later[:second]
        if entry["status"] == 401:
            if not renews or not any(map(_gave_credentials, between)):
                yield f"{entry['operation']} was repeated after 401 without new credentials"
        elif entry["method"] in ("POST", "PUT"):
            yield from _repeated(entry, between, renews)


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one["method"], one["path"], one["query"]) == (other["method"], other["path"], other["query"])


def _gave_credentials(entry: dict[str, Any]) -> bool:
    return entry["operation"] in GIVES_CREDENTIALS and entry["status"] in (200, 201)


def _repeated(entry: dict[str, Any], between: list[dict[str, Any]], renews: bool) -> Iterator[str]:
    """Whether a POST or PUT that was sent again had certainly been refused, or has reason to be sent anew."""
    told = f"after {entry['status']} and {entry['fault']}"
    if entry["status"] == 429:
        return
    if entry["operation"] == _CALL_OFF:
        read = any(each["operation"] == "ListBackgroundTask" and each["status"] == 200 for each in between)
        if entry["status"] is None or not 400 <= entry["status"] < 500 or not read:
            yield f"called off twice, {told}"
    # Credentials that were given may be refused later. The metadata service may have no sessions to begin with.
    elif not (
        renews
        and (_gave_credentials(entry) or (entry["method"] == "PUT" and entry["status"] in (404, 405, 503)))
        and any(each["status"] == 401 for each in between)
    ):
        yield f"{entry['operation']} was sent twice, {told}"
