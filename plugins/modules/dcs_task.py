#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_tasks import remove, wait_until_finished
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instance": {"type": "str", "aliases": ["instance_id"]},
    "task_ids": {"type": "list", "elements": "str", "required": True, "aliases": ["task_id"]},
    "state": {"type": "str", "required": True, "choices": ["absent", "finished"]},
    "accepted_phases": {
        "type": "list",
        "elements": "str",
        "choices": ["succeeded", "failed", "cancelled"],
        "default": ["succeeded"],
    },
    "wait_timeout": {"type": "int", "default": 1800},
    "wait_interval": {"type": "int", "default": 5},
}


def run(task: Task) -> dict[str, t.Any]:
    """Find the instance, and hand over to the service."""
    instance = task.check_optional_id("instance")
    task_ids = task.check_ids("task_ids") or []
    dcs = Dcs(task.client, task.endpoints, task.account, warn=None)
    instance_id = dcs.instance_ids([instance])[0] if instance is not None and task_ids else None
    if task.options["state"] == "absent":
        return remove(dcs, instance_id, task_ids, check_mode=task.check_mode)
    wait = None if task.check_mode else task.wait_options()
    return wait_until_finished(dcs, instance_id, task_ids, wait, task.options["accepted_phases"])


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
