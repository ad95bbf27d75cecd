# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook against the simulator, so that nothing real can be touched.

    .venv/bin/python tools/demo.py                                  # the demonstration
    .venv/bin/python tools/demo.py PLAYBOOK [options of ansible-playbook]   # a rehearsal of any playbook

Starts the simulator with a lived-in project, points the collection to it through the environment, runs, and stops the
simulator. The person's own credentials are left out. The demonstration runs the maintenance runbook, runs it once more
to show that nothing is left to do, and then in check mode on a fresh project.
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

sys.path.insert(0, str(CHECKOUT))

from tests.simulator import SimulatorClient

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
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
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


def run(variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ansible-playbook, show its output as it comes, and return it."""
    command = [str(pathlib.Path(sys.executable).with_name("ansible-playbook")), *arguments]
    with subprocess.Popen(
        command,
        env={**variables, "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        output = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            output.append(line)
    return subprocess.CompletedProcess(command, process.returncode, "".join(output))


def writes(url: str) -> list[str]:
    """Return the requests of the simulator's journal that were meant to change something."""
    return [entry["operation"] for entry in SimulatorClient(url).journal() if entry["method"] != "GET"]


def let_something_run(url: str, seconds: int) -> None:
    """Let what runs in the simulator run on for so long, that there is something to wait for when the runbook comes."""
    control = SimulatorClient(url)
    running = [task["id"] for task in control.state()["tasks"] if task["status"] == "EXECUTING"]
    control.patch(*({"task": task, "set": {"status": "EXECUTING", "finish_after": seconds}} for task in running))


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n{'#' * 100}\n# {text}\n{'#' * 100}", flush=True)


def demonstrate() -> str | None:
    """Run the runbook three times; return what went otherwise than promised."""
    playbook = str(CHECKOUT / PLAYBOOK)
    with simulator(SCENARIO) as variables:
        let_something_run(variables["HUAWEICLOUD_SDK_IAM_ENDPOINT"], seconds=20)
        title("The runbook, on a project in which something runs, something waits, and much has ended")
        if run(variables, playbook, "--diff").returncode:
            return "The runbook failed."
        title("The same once more: nothing is left to do, so changed=0")
        again = run(variables, playbook, "--diff")
        if again.returncode or "changed=0" not in again.stdout:
            return "The second run was not without change."
    with simulator(SCENARIO) as variables:
        title("Check mode with diff on a fresh project: what would be done, and nothing is")
        if run(variables, playbook, "--check", "--diff").returncode:
            return "The runbook failed in check mode."
        written = writes(variables["HUAWEICLOUD_SDK_IAM_ENDPOINT"])
        if written:
            return f"Check mode wrote: {', '.join(written)}."
        print("The simulator's journal shows that check mode sent no request that writes.")
    return None


def main() -> int:
    """Demonstrate, or rehearse the playbook given; return what ansible-playbook returned."""
    if len(sys.argv) == 1:
        problem = demonstrate()
        if problem:
            print(problem, file=sys.stderr)
        return int(problem is not None)
    with simulator(SCENARIO) as variables:
        return run(variables, *sys.argv[1:]).returncode


if __name__ == "__main__":
    sys.exit(main())
