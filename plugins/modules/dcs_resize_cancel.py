#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_resize import SpecChangeCancellation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instance": {"type": "str", "required": True, "aliases": ["instance_id"]},
    "task_id": {"type": "str"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "wait_interval": {"type": "int", "default": 5},
}


def run(task: Task) -> dict[str, t.Any]:
    """Find the instance, and hand over to the service."""
    instance = task.check_id("instance", task.options["instance"])
    task_id = task.check_optional_id("task_id")
    wait = task.wait_options()
    if not task.options["wait"]:
        wait = wait._replace(timeout=0)
    dcs = Dcs(task.client, task.endpoints, task.account, warn=None)
    instance_id = dcs.instance_ids([instance])[0]
    return SpecChangeCancellation(dcs, instance_id, task_id, wait, task.warn).run(check_mode=task.check_mode)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
