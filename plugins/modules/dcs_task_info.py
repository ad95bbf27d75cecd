#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs, FoundTasks, task_filter
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError, MaintenanceError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    PHASES,
    failures,
    parse_age,
    parse_moment,
    summary,
)

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instances": {"type": "list", "elements": "str", "aliases": ["instance_ids"]},
    "task_ids": {"type": "list", "elements": "str"},
    "names": {"type": "list", "elements": "str"},
    "statuses": {"type": "list", "elements": "str"},
    "phases": {"type": "list", "elements": "str", "choices": list(PHASES)},
    "start_time": {"type": "str"},
    "end_time": {"type": "str"},
    "older_than": {"type": "str"},
    "keep_last": {"type": "int"},
    "include_progress": {"type": "bool", "default": False},
    "max_results": {"type": "int"},
    "max_failures": {"type": "int"},
}


def run(task: Task) -> dict[str, t.Any]:
    """List, filter, and count."""
    options = task.options
    instances = task.check_ids("instances")
    older_than = options["older_than"]
    wanted = task_filter(
        task_ids=task.check_ids("task_ids"),
        names=task.check_words("names"),
        statuses=task.check_words("statuses"),
        phases=options["phases"],
        start=parse_moment("start_time", options["start_time"], task.now),
        end=parse_moment("end_time", options["end_time"], task.now),
        older_than=None if older_than is None else parse_age("older_than", older_than, task.now),
        keep_last=options["keep_last"],
    )
    if wanted.start and wanted.end and wanted.start > wanted.end:
        raise ConfigError("start_time must not be later than end_time.")
    if options["include_progress"] and instances is None:
        raise ConfigError("include_progress needs instances: the task centre does not say whose a task is.")
    doubts: list[str] = []

    def warn(doubt: str) -> None:
        doubts.append(doubt)
        task.warn(doubt)

    dcs = Dcs(task.client, task.endpoints, task.account, warn)
    sources: t.Sequence[str | None] = [None]
    if instances == [] or wanted.fits_nothing:
        sources = []
    elif instances is not None:
        sources = dcs.all_or(instances)
    found = dcs.tasks_of_each(sources, wanted, max_results=options["max_results"], max_failures=options["max_failures"])
    # What a listing that may lack something does not show proves nothing.
    for warning in () if doubts else found.unborne:
        task.warn(warning)
    error = _failure(found, len(sources))
    if options["include_progress"]:
        try:
            dcs.add_progress(found.tasks)
        except MaintenanceError as unread:
            error = error or unread
    if found.truncated:
        task.warn(f"There are more than the {options['max_results']} tasks of max_results; the rest was not listed.")
    result = {
        "changed": False,
        "tasks": found.tasks,
        "summary": summary(found.tasks, "name"),
        "truncated": found.truncated,
        "failed_instances": failures(found.failed, "instance_id", acts=False) if sources != [None] else [],
        "not_listed": found.not_listed,
    }
    if error is not None:
        error.result = result
        raise error
    return result


def _failure(found: FoundTasks, count: int) -> MaintenanceError | None:
    """The first failure, in words that tell of all."""
    if not found.failed or count == 1:
        return next(iter(found.failed.values()), None)
    first = failures(found.failed, "instance_id", acts=False)[0]
    listed = count - len(found.failed) - len(found.not_listed)
    return found.failed[first["instance_id"]].retold(
        f"The tasks of {len(found.failed)} of {count} instances could not be listed"
        f" ({listed} listed, {len(found.not_listed)} not tried). {first['msg']}"
    )


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
