# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook against the simulator, so that nothing real can be touched.

    .venv/bin/python tools/demo.py [PLAYBOOK] [any other option of ansible-playbook]

Starts the simulator with a lived-in project, points the collection to it through the environment, runs the playbook
(the maintenance runbook unless another one is given) and stops the simulator. The person's own credentials are left
out.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from environment import CHECKOUT

PLAYBOOK = "playbooks/maintenance.yml"
SCENARIO = "maintenance"

# Whatever of these the person has set is about real clouds and other collections.
LEFT_OUT = ("ANSIBLE_", "HUAWEICLOUD_", "HW_", "OS_")


def surroundings(simulator: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables with which the collection finds the simulator, and nothing else."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    service = "HUAWEICLOUD_SDK_REGION_{}_" + simulator["region"].upper().replace("-", "_")
    return {
        **variables,
        "ANSIBLE_COLLECTIONS_PATH": str(pathlib.Path(sys.prefix) / "collections"),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "HUAWEICLOUD_SDK_AK": simulator["access_key"],
        "HUAWEICLOUD_SDK_SK": simulator["secret_key"],
        "HUAWEICLOUD_SDK_PROJECT_ID": simulator["project_id"],
        "HW_REGION_NAME": simulator["region"],
        service.format("DCS"): simulator["url"],
        service.format("DDS"): simulator["url"],
        "HUAWEICLOUD_SDK_IAM_ENDPOINT": simulator["url"],
    }


@contextlib.contextmanager
def simulator(scenario: str) -> Iterator[dict[str, str]]:
    """Run the simulator, and yield the environment variables of a command that is to work on it."""
    command = [sys.executable, "-m", "tests.simulator", "--scenario", scenario]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            first_line = process.stdout.readline() if process.stdout else ""
            if not first_line:
                sys.exit("The simulator did not start: see its message above.")
            yield surroundings(json.loads(first_line))
        finally:
            process.terminate()


def main() -> int:
    """Start, run, stop, and return what ansible-playbook returned."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0].startswith("-"):
        arguments.insert(0, str(CHECKOUT / PLAYBOOK))
    with simulator(SCENARIO) as variables:
        command = [pathlib.Path(sys.executable).with_name("ansible-playbook"), *arguments]
        return subprocess.run(command, env=variables, stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
