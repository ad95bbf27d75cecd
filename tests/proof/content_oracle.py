# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges what was done and said when an answer had hostile content; see C(content.py).

It does not judge whether a module should have failed: only that whatever it did was asked for, that it tells what became
of it, and that what it says does no harm on its way to the user.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from tests.simulator import routes

from . import content, oracle, reader

#: In bytes, by which a run may make the process larger.
MEMORY_MOST = 200 * 10**6
#: Characters of one sentence.
SENTENCE_MOST = 2000

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
#: Of a request: not a secret for long, but none that a sentence needs.
_SIGNATURE = re.compile(r"Signature=[0-9a-f]{32}")
_MODULE_LISTS = {
    "dcs_task": ("removed", "failed_tasks", "task_id"),
    "dds_scheduled_job": ("cancelled", "failed_jobs", "job_id"),
}


class Done(NamedTuple):
    """One run of a module with one cell: what it printed and warned of, how it crashed, and what it needed."""

    printed: str
    warned: list[str]
    crash: str | None
    grown: int
    journal: list[dict[str, Any]]
    before: oracle.World
    after: oracle.World
    secrets: list[str]


# --- Requests --------------------------------------------------------------------------------------------------------


def requests_sent(journal: list[dict[str, Any]], known: Collection[str], *, changes: bool) -> Iterator[str]:
    """Whether each request is one that the documents have, for what the user or a well-formed record named."""
    for entry in journal:
        told = f"{entry['method']} {entry['path'][:200]}"
        if any(name.lower() == "cookie" for name in entry["request_headers"]):
            yield f"a cookie was sent: {told}"
        if not entry["documented"]:
            yield f"a request that no document has: {told}"
            continue
        found = routes.find(entry["method"], entry["path"])
        named = set() if isinstance(found, routes.Refusal) else set(found[1].values())
        foreign = {value for value in named if value not in known or not _IDENTIFIER.fullmatch(value)}
        if foreign:
            yield f"a request for what nobody named, {sorted(foreign)}: {told}"
        if not changes and entry["method"] != "GET" and entry["service"] in ("dcs", "dds"):
            yield f"a request that changes something: {told}"


# --- What is said ----------------------------------------------------------------------------------------------------


def secrets_shown(text: str, secrets: Collection[str], place: content.Place) -> Iterator[str]:
    """Whether a secret is in this text, in whatever form JSON gives it."""
    for secret in secrets:
        if secret in text or json.dumps(secret)[1:-1] in text:
            yield f"a secret is shown: {secret[:6]}…"
    holds_secrets = place.service in ("iam", "metadata") and place.operation != "KeystoneListProjects"
    if content.MARK in text and holds_secrets:
        at = text.index(content.MARK)
        yield f"an answer that holds secrets is quoted: {text[max(0, at - 40) : at + 20]!r}"


def sentences(result: dict[str, Any], warned: list[str]) -> Iterator[tuple[str, Any]]:
    """Each text for a person to read, and where it stands."""
    yield from (("a warning", text) for text in (*warned, *result.get("warnings", ())))
    yield from (("retried", text) for text in result.get("retried", ()))
    parts = [("the result", result)]
    for key, value in result.items():
        if key.startswith("failed_") and isinstance(value, list):
            parts += [(key, entry) for entry in value if isinstance(entry, dict)]
    for where, part in parts:
        if "msg" in part:
            yield f"msg of {where}", part["msg"]
        hint = (part.get("failure") or {}).get("hint")
        if hint is not None:
            yield f"hint of {where}", hint


def unfit(where: str, text: Any) -> Iterator[str]:
    """Whether this is no sentence for a terminal."""
    if not isinstance(text, str):
        yield f"{where} is no text: {text!r:.100}"
    elif len(text) > SENTENCE_MOST:
        yield f"{where} has {len(text)} characters"
    elif not text.isprintable():
        yield f"{where} is not printable: {text[:200]!r}"
    elif _SIGNATURE.search(text):
        yield f"{where} quotes a signature: {text[:200]!r}"


def said(done: Done, cell: content.Cell) -> Iterator[str]:
    """All that is wrong with the words of a module, whatever it did."""
    if done.crash is not None:
        yield f"the module crashed: {done.crash}"
        return
    if done.grown > MEMORY_MOST:
        yield f"it needed {done.grown // 10**6} MB"
    yield from reader.judge(done.printed)
    yield from secrets_shown(done.printed + "\n".join(done.warned), done.secrets, cell.place)
    try:
        result = json.loads(done.printed)
    except (ValueError, RecursionError):
        return
    for where, text in sentences(result, done.warned):
        yield from unfit(where, text)
    failure = result.get("failure") or {}
    if cell.value in content.FINE and failure.get("code") == "UnreadableAnswer":
        yield f"an answer that is fine was not understood: {result['msg']!r:.200}"
    if failure.get("code") in ("InternalError", "InvalidOption") or "exception" in result:
        yield f"an exception came through: {result.get('msg')!r:.300}"
    elif result.get("failed") and failure.keys() != oracle.FAILURE_KEYS:
        yield f"failure has the keys {sorted(failure)}: {result.get('msg')!r:.200}"


# --- What is done ----------------------------------------------------------------------------------------------------


def told(module: str, result: dict[str, Any], done: Done, *, changes: bool) -> Iterator[str]:
    """Whether the result agrees with what became of the tasks and jobs."""
    really = {each.lower() for each in oracle.touched(done.before, done.after)}
    if done.after.keys() - done.before.keys():
        yield f"there is something new: {done.after.keys() - done.before.keys()}"
    if not isinstance(result.get("changed"), bool):
        yield "changed is missing"
        return
    if not changes:
        if really:
            yield f"changed although it must not: {really}"
        if module.endswith("_info") and result["changed"]:
            yield "says changed although it only reads"
        return
    doubt = _doubts(result)
    if result["changed"] and not really:
        yield "says changed=true, but nothing changed"
    if really and not result["changed"] and not doubt:
        yield f"says changed=false without a doubt, but really changed: {really}: {result.get('msg')!r:.200}"
    if module in _MODULE_LISTS:
        yield from _accounts(module, result, really, doubt)


def _doubts(part: dict[str, Any]) -> bool:
    texts = " ".join(str(part.get(key, "")) for key in ("msg", "warnings"))
    failed = [entry for key, value in part.items() if key.startswith("failed_") and value for entry in value]
    return (
        (part.get("failure") or {}).get("code") == "OutcomeUnknown"
        or "not known" in texts
        or "was accepted" in texts
        or any(_doubts(entry) for entry in failed if isinstance(entry, dict))
    )


def _accounts(module: str, result: dict[str, Any], really: set[str], doubt: bool) -> Iterator[str]:
    done_key, failed_key, id_key = _MODULE_LISTS[module]
    claimed = {each.lower() for each in result.get(done_key, ())}
    failed = {str(entry.get(id_key)).lower(): entry for entry in result.get(failed_key, ())}
    if not claimed <= really:
        yield f"{done_key} claims {claimed - really}"
    if not {each.lower() for each in result.get("presumed", ())} <= claimed:
        yield f"presumed has {result['presumed']}, which is not all in {done_key}"
    for lost in really - claimed:
        entry = failed.get(lost)
        if not (doubt if entry is None else _doubts(entry) or doubt):
            yield f"{lost} changed, but nothing says so: {entry or result.get('msg')!r:.300}"


# --- Inventories -----------------------------------------------------------------------------------------------------


def inventory(found: dict[str, Any], secrets: list[str], place: content.Place) -> Iterator[str]:
    """All that is wrong with one reading of an inventory file."""
    yield from found["wrong"]
    if found["crash"]:
        yield f"an exception came through: {found['crash'][-300:]}"
    if found["grown"] > MEMORY_MOST:
        yield f"it needed {found['grown'] // 10**6} MB"
    if found["error"] is not None:
        own = _own_sentence(found["error"])
        yield from unfit("the error", own)
    for warning in found["warnings"]:
        yield from unfit("a warning", " ".join(warning.split("\n")))
    everything = "\n".join(
        (found["dumped"], found["error"] or "", *found["warnings"], *found["cached"], *found["groups"])
    )
    yield from secrets_shown(everything, secrets, place)
    for host in found["hosts"]:
        if not re.fullmatch(r"[\w.-]{1,255}", host):
            yield f"a host is called {host!r:.100}"
    names = [name for names in found["hosts"].values() for name in names]
    odd = [name for name in names if not name.isidentifier() or not name.isascii()]
    if odd:
        yield f"there are variables that cannot be used: {odd[:3]!r:.200}"


def _own_sentence(error: str) -> str:
    """What the plugin said: Ansible puts lines of its own around it."""
    return " ".join(line for line in error.split("\n") if line.strip())
