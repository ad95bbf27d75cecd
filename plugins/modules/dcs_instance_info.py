#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs
from ansible_collections.hwcloud.maintenance.plugins.module_utils._instances import (
    FILTERS,
    check_filter,
    find_instances,
    instance_summary,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module

ARGUMENTS = FILTERS


def run(task: Task) -> dict[str, t.Any]:
    """List, filter, and count."""
    wanted = check_filter(Dcs, task.options)
    service = Dcs(task.client, task.endpoints, task.account, task.warn)
    found = find_instances(service, wanted)
    return {"changed": False, "instances": found, "summary": instance_summary(found)}


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
