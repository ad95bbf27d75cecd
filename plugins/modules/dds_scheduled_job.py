#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import Dds
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds_jobs import Selection, cancel
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "job_ids": {"type": "list", "elements": "str", "aliases": ["job_id"]},
    "instance": {"type": "str", "aliases": ["instance_id"]},
    "instances": {"type": "list", "elements": "str", "aliases": ["instance_ids"]},
    "job_names": {"type": "list", "elements": "str"},
    "all_pending": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["cancelled"], "default": "cancelled"},
    "on_too_late": {"type": "str", "choices": ["fail", "ignore"], "default": "fail"},
    "missing_ok": {"type": "bool", "default": False},
    "lookback": {"type": "str", "default": "365d"},
    "wait_timeout": {"type": "int", "default": 60},
    "wait_interval": {"type": "int", "default": 5},
    "max_failures": {"type": "int"},
}


def run(task: Task) -> dict[str, t.Any]:
    """Find the instances, and hand over to the service."""
    options = task.options
    instance = task.check_optional_id("instance")
    instances = task.check_ids("instances") if instance is None else [instance]
    names = task.check_words("job_names")
    job_ids = task.check_ids("job_ids")
    start = task.lookback()
    selected = any(values is not None for values in (job_ids, instances, names))
    if selected == bool(options["all_pending"]):
        raise ConfigError(
            "all_pending must not be true beside job_ids, instance, instances or job_names."
            if selected
            else "Set job_ids, instance, instances, job_names, or all_pending=true to say which jobs are meant."
        )
    dds = Dds(task.client, task.endpoints, task.account, warn=None)
    instance_ids = None
    if instances is not None and [] not in (instances, names):
        instance_ids = dds.instance_ids(instances)
    return cancel(
        dds,
        Selection(job_ids, instances and instance_ids, names, start, only_pending=bool(options["all_pending"])),
        task.wait_options(),
        task.warn,
        task.now,
        missing_ok=options["missing_ok"],
        too_late_ok=options["on_too_late"] == "ignore",
        check_mode=task.check_mode,
        max_failures=options["max_failures"],
    )


def main() -> None:
    """Run the module."""
    run_module(
        ARGUMENTS,
        run,
        mutually_exclusive=[
            ("instance", "instances"),
            *(("job_ids", name) for name in ("instance", "instances", "job_names")),
        ],
    )


if __name__ == "__main__":
    main()
