#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import Dds
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds_jobs import Selection, cancel
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "job_ids": {"type": "list", "elements": "str", "aliases": ["job_id"]},
    "instance": {"type": "str", "aliases": ["instance_id"]},
    "job_names": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["cancelled"], "default": "cancelled"},
    "on_too_late": {"type": "str", "choices": ["fail", "ignore"], "default": "fail"},
    "missing_ok": {"type": "bool", "default": False},
    "lookback": {"type": "str", "default": "365d"},
    "wait_timeout": {"type": "int", "default": 60},
    "wait_interval": {"type": "int", "default": 5},
}


def run(task: Task) -> dict[str, t.Any]:
    """Find the instance, and hand over to the service."""
    instance = task.check_optional_id("instance")
    names = task.check_words("job_names")
    job_ids = task.check_ids("job_ids")
    start = task.lookback()
    dds = Dds(task.client, task.endpoints, task.account, warn=None)
    instance_id = dds.instance_ids([instance])[0] if instance is not None and names != [] else None
    return cancel(
        dds,
        Selection(job_ids, instance_id, names, start),
        task.wait_options(),
        missing_ok=task.options["missing_ok"],
        too_late_ok=task.options["on_too_late"] == "ignore",
        check_mode=task.check_mode,
    )


def main() -> None:
    """Run the module."""
    run_module(
        ARGUMENTS,
        run,
        required_one_of=[("job_ids", "instance")],
        mutually_exclusive=[("job_ids", "instance"), ("job_ids", "job_names")],
    )


if __name__ == "__main__":
    main()
