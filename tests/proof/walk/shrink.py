# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a case smaller as long as it still breaks the same promise."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Callable

from .cases import Case

#: Keys of a step's options without which the step would be another one.
_NEEDED = (
    *("state", "instance", "task_id", "task_ids", "job_ids", "instances", "all_pending", "job_names", "phases"),
    "max_concurrency",
)
#: Keys of a task or job without which it would not be one.
_OF_RECORD = ("id", "job_id", "instance", "name", "job_name", "status", "job_status", "created_ago")


def smaller(case: Case) -> Iterator[Case]:
    """Cases with one part less, the biggest parts first."""
    for path in _parts(case):
        copied = copy.deepcopy(case)
        holder: Any = copied
        for key in path[:-1]:
            holder = holder[key]
        del holder[path[-1]]
        yield copied
    for number, step in enumerate(case["steps"]):
        if step["options"].get("max_concurrency", 1) != 1:
            copied = copy.deepcopy(case)
            copied["steps"][number]["options"]["max_concurrency"] = 1
            yield copied


def _parts(case: Case) -> Iterator[list[Any]]:
    """Where the parts are that can be left out."""
    if len(case["steps"]) > 1:
        yield from (["steps", number] for number in reversed(range(len(case["steps"]))))
    world: Any = case["world"]
    for key in ("tasks", "jobs"):
        yield from (["world", key, number] for number in reversed(range(len(world[key]))))
    yield from (["world", "switches", name] for name in world.get("switches", {}))
    yield from (["world", key] for key in ("page_size", "machine_ahead", "instances") if key in world)
    for number, step in enumerate(case["steps"]):
        yield from _parts_of_step(["steps", number], step)
    for key in ("tasks", "jobs"):
        for number, record in enumerate(world[key]):
            yield from (["world", key, number, name] for name in record if name not in _OF_RECORD)


def _parts_of_step(path: list[Any], step: Any) -> Iterator[list[Any]]:
    for key in ("before_request", "while_waiting", "faults", "stale", "sign_in", "check_mode"):
        if key not in step:
            continue
        yield [*path, key]
        if isinstance(step[key], dict):
            yield from ([*path, key, place] for place in step[key])
            for place, acts in step[key].items():
                if isinstance(acts, list) and len(acts) > 1:
                    yield from ([*path, key, place, number] for number in range(len(acts)))
    for name, value in step["options"].items():
        if name not in _NEEDED:
            yield [*path, "options", name]
        elif isinstance(value, list) and len(value) > 1:
            yield from ([*path, "options", name, number] for number in range(len(value)))


def shrink(case: Case, still_fails: Callable[[Case], bool], tries: int = 300) -> Case:
    """The smallest case that is found with so many tries."""
    going_on = True
    while going_on and tries > 0:
        going_on = False
        for candidate in smaller(case):
            tries -= 1
            if tries < 0:
                break
            if still_fails(candidate):
                case, going_on = candidate, True
                break
    return case
