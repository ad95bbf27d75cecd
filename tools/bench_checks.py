# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes the benchmark end with an error: other tasks than the peer's, or other requests than the work needs."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping
from typing import Any

# What the module adds to the API's object.
ADDED = ("instance_id", "phase")


class Wrong(Exception):
    """A side did not do the work that was to be measured; the text says what differs."""


def by_id(whose: str, tasks: Iterable[Mapping[str, Any]], without: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Return tasks by id, without some fields; Wrong when an id comes twice."""
    found: dict[str, dict[str, Any]] = {}
    for task in tasks:
        if task["id"] in found:
            raise Wrong(f"{whose} has the task {task['id']} twice.")
        found[task["id"]] = {key: value for key, value in task.items() if key not in without}
    return found


def check_tasks(
    ours: list[dict[str, Any]], theirs: list[dict[str, Any]], without: Iterable[str] = ADDED, sdk: bool = False
) -> None:
    """Compare ids and all fields, except for some; the module's tasks have to be in order, newest first.

    :arg sdk: whether they are objects of the SDK, which have the fields that the SDK knows, sent or not.
    """
    left, right = by_id("ours", ours, without), by_id("the peer", theirs, without)
    if not left or left.keys() != right.keys():
        raise Wrong(
            f"ours has {len(left)} tasks and the peer {len(right)}; {len(left.keys() - right.keys())} are only in ours,"
            f" {len(right.keys() - left.keys())} only in the peer's."
        )
    for task_id, task in left.items():
        its = right[task_id]
        mine = _as_sdk(task, its) if sdk else task
        if mine != its:
            names = sorted(key for key in {*mine, *its} if mine.get(key, ...) != its.get(key, ...))
            raise Wrong(f"the task {task_id} differs in {', '.join(names)}: {mine} in ours, {its} in the peer's.")
    moments = [task["created_at"] for task in ours]
    if moments != sorted(moments, reverse=True):
        raise Wrong("ours is not in order, newest first.")
    for key in ADDED:
        if any(key not in task for task in ours):
            raise Wrong(f"a task of ours has no {key}.")


def _as_sdk(mine: Any, its: Any) -> Any:
    """What the SDK would make of a part of our task: only fields that it knows, and None for those not sent."""
    if isinstance(mine, dict) and isinstance(its, dict):
        return {key: _as_sdk(mine.get(key), value) for key, value in its.items()}
    return mine


def check_requests(entries: list[dict[str, Any]], lists: Mapping[str, int], deleted: Iterable[str] = ()) -> str:
    """Compare the journal with the work; returns how often which operation was asked.

    :arg lists: how many records there are at each path. Each list has to be read from its first record to its last, no
        page twice, no record twice but the last of a page, and at most one page beyond, as a full last page does not tell
        that it is the last.
    :arg deleted: the paths that had to be deleted, each once.
    """
    pages: dict[str, list[tuple[int, int]]] = {path: [] for path in lists}
    deletions: list[str] = []
    for entry in entries:
        path = entry["path"]
        asked = f"{entry['method']} {path}"
        if entry["status"] is None or not 200 <= entry["status"] < 300 or entry["fault"]:
            raise Wrong(f"{asked} was answered with {entry['status']}.")
        if entry["method"] == "DELETE":
            deletions.append(path)
        elif entry["method"] == "GET" and path in pages:
            query = entry["query"]
            pages[path].append((int(query["offset"][0]), int(query["limit"][0])))
        else:
            raise Wrong(f"{asked} is not part of the work.")
    for path, total in lists.items():
        position = 0
        beyond = 0
        for offset, limit in sorted(pages[path]):
            # A page may begin with the last record of the one before.
            if offset != position and (not position or offset != position - 1):
                raise Wrong(f"{path}: the page from {offset} on was read although {position} was next.")
            beyond += offset >= total
            position = offset + limit
        if (position < total or not pages[path]) or beyond > 1:
            raise Wrong(f"{path}: {sorted(pages[path])} was read of {total} records.")
    if sorted(deletions) != sorted(deleted):
        raise Wrong(f"{len(deletions)} deletions ({len(set(deletions))} of them different) instead of those wanted.")
    counts = collections.Counter(entry["operation"] for entry in entries)
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
