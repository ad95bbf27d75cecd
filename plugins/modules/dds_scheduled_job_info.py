#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import Dds, only
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    PHASES,
    Record,
    parse_moment,
    summary,
    to_result,
    unborne,
    word,
)

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instances": {"type": "list", "elements": "str", "aliases": ["instance_ids"]},
    "job_ids": {"type": "list", "elements": "str"},
    "job_names": {"type": "list", "elements": "str"},
    "statuses": {"type": "list", "elements": "str"},
    "phases": {"type": "list", "elements": "str", "choices": list(PHASES)},
    "lookback": {"type": "str", "default": "365d"},
    "start_time": {"type": "str"},
    "end_time": {"type": "str"},
}


def run(task: Task) -> dict[str, t.Any]:
    """List, filter, and count."""
    instances = task.check_ids("instances")
    job_ids = task.check_ids("job_ids")
    names = task.check_words("job_names")
    statuses = task.check_words("statuses")
    phases = task.options["phases"]
    start = parse_moment("start_time", task.options["start_time"], task.now) or task.lookback()
    end = parse_moment("end_time", task.options["end_time"], task.now)
    if end and start > end:
        raise ConfigError("start_time (or lookback) must not begin later than end_time.")
    doubts: list[str] = []

    def warn(doubt: str) -> None:
        doubts.append(doubt)
        task.warn(doubt)

    dds = Dds(task.client, task.endpoints, task.account, warn)
    jobs: list[Record] = []
    if [] not in (instances, job_ids, names, statuses, phases):
        instance_ids = dds.instance_ids(instances) if instances is not None else None
        listed = dds.jobs(
            start,
            end,
            instance_id=only(instance_ids),
            wanted=job_ids,
        )
        if job_ids is None and not doubts:
            for option, words, key in (("job_names", names, "job_name"), ("statuses", statuses, "job_status")):
                mistyped = unborne(option, words, listed, key)
                if mistyped:
                    task.warn(mistyped)

        def fits(value: object, given: list[str] | None) -> bool:
            return given is None or word(value) in map(word, given)

        jobs = [
            job
            for job in listed
            if fits(job.get("instance_id"), instance_ids)
            and fits(job["job_id"], job_ids)
            and fits(job.get("job_name"), names)
            and fits(job.get("job_status"), statuses)
            and (phases is None or job["phase"] in phases)
        ]
    return {
        "changed": False,
        "jobs": jobs,
        "summary": summary(jobs, "job_name"),
        "window": {"start_time": to_result(start), "end_time": to_result(end or task.now)},
    }


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
