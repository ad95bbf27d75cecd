#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs, task_filter
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_tasks import Targets, Waiting, remove
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import PHASES, parse_age

SELECTION: dict[str, dict[str, t.Any]] = {
    "phases": {"type": "list", "elements": "str", "choices": list(PHASES)},
    "names": {"type": "list", "elements": "str"},
    "older_than": {"type": "str"},
    "keep_last": {"type": "int"},
}

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instance": {"type": "str", "aliases": ["instance_id"]},
    "instances": {"type": "list", "elements": "str", "aliases": ["instance_ids"]},
    "task_ids": {"type": "list", "elements": "str", "aliases": ["task_id"]},
    **SELECTION,
    "state": {"type": "str", "required": True, "choices": ["absent", "finished"]},
    "accepted_phases": {
        "type": "list",
        "elements": "str",
        "choices": ["succeeded", "failed", "cancelled"],
        "default": ["succeeded"],
    },
    "wait_timeout": {"type": "int", "default": 1800},
    "wait_interval": {"type": "int", "default": 5},
    "missing_ok": {"type": "bool", "default": False},
    "max_failures": {"type": "int"},
}


def run(task: Task) -> dict[str, t.Any]:
    """Find the instances, and hand over to the service."""
    options = task.options
    instance = task.check_optional_id("instance")
    instances = task.check_ids("instances")
    older_than = options["older_than"]
    wanted = task_filter(
        task_ids=task.check_ids("task_ids"),
        names=task.check_words("names"),
        phases=options["phases"],
        older_than=None if older_than is None else parse_age("older_than", older_than, task.now),
        keep_last=options["keep_last"],
    )
    # Ansible's own check takes null for a value, and then all tasks would be meant.
    if all(options[name] is None for name in ("task_ids", *SELECTION)):
        raise ConfigError(f"One of task_ids, {', '.join(SELECTION)} is required to say which tasks are meant.")
    if wanted.task_ids is None and instance is None and instances is None:
        raise ConfigError(f"{', '.join(SELECTION)} need instances: ids, names, or all for those of the whole project.")
    dcs = Dcs(task.client, task.endpoints, task.account, warn=None)
    instance_ids: t.Sequence[str | None] = [None]
    if wanted.fits_nothing or instances == []:
        instance_ids = []
    elif instance is not None:
        instance_ids = dcs.instance_ids([instance])
    elif instances is not None:
        instance_ids = dcs.all_or(instances)
    targets = Targets(instance_ids, wanted)
    most = options["max_failures"]
    if options["state"] == "absent":
        return remove(dcs, targets, task.warn, check_mode=task.check_mode, max_failures=most)
    waiting = Waiting(
        dcs,
        targets,
        options["accepted_phases"],
        task.warn,
        missing_ok=options["missing_ok"],
        max_failures=most,
    )
    return waiting.run(None if task.check_mode else task.wait_options())


def main() -> None:
    """Run the module."""
    run_module(
        ARGUMENTS,
        run,
        mutually_exclusive=[
            ("instance", "instances"),
            ("task_ids", "instances"),
            *(("task_ids", name) for name in SELECTION),
        ],
    )


if __name__ == "__main__":
    main()
