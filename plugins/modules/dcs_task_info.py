#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import (
    SPEC_CHANGE_NAMES,
    Dcs,
    created_after,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    PHASES,
    Record,
    newest_first,
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
}


def run(task: Task) -> dict[str, t.Any]:
    """List, filter, and count."""
    instances = task.check_ids("instances")
    task_ids = task.check_ids("task_ids")
    names = task.check_words("names")
    statuses = task.check_words("statuses")
    phases = task.options["phases"]
    start = parse_moment("start_time", task.options["start_time"], task.now)
    end = parse_moment("end_time", task.options["end_time"], task.now)
    if start and end and start > end:
        raise ConfigError("start_time must not be later than end_time.")
    dcs = Dcs(task.client, task.endpoints, task.account, task.warn)
    if names is not None and any(name in SPEC_CHANGE_NAMES for name in names):
        names = [*names, *SPEC_CHANGE_NAMES]

    def fits(record: Record) -> bool:
        return (
            (task_ids is None or record["id"] in task_ids)
            and (names is None or record.get("name") in names)
            and (statuses is None or str(record.get("status")).upper() in {status.upper() for status in statuses})
            and (phases is None or record["phase"] in phases)
            and (end is None or not created_after(record, end))
        )

    sources: t.Sequence[str | None] = [None]
    if [] in (instances, task_ids, names, statuses, phases):
        # A filter that can match nothing, such as the empty result of an earlier task, must never list everything.
        sources = []
    elif instances == ["all"]:
        sources = sorted(instance["instance_id"] for instance in dcs.instances())
    elif instances is not None:
        sources = dcs.instance_ids(instances)
    missing = None if task_ids is None else set(task_ids)
    found: list[Record] = []
    for instance_id in sources:
        listed = dcs.tasks(instance_id, start=start, wanted=missing)
        found += filter(fits, listed)
        if missing is not None:
            missing -= {record["id"] for record in listed}
            if not missing:
                break
    found = newest_first(found, "created_at", "id")
    return {"changed": False, "tasks": found, "summary": summary(found, "name")}


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
