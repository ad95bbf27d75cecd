# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a task of this collection costs beyond what Ansible itself costs.

    .venv/bin/python tools/bench.py

Runs playbooks of equal length against the simulator: one of an empty task, the floor, and one per line of CASES.
Prints milliseconds per task, start-up taken off, and what is above the floor.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile
import time

from demo import simulator

REPEAT = 20

# What is printed, the simulator's scenario, and the task.
FLOOR = ("an empty module", "maintenance", {"ansible.builtin.ping": {}})
CASES = [
    ("task centre", "maintenance", {"hwcloud.maintenance.dcs_task_info": {}}),
    ("1 instance, 100 tasks", "fleet:1:100", {"hwcloud.maintenance.dcs_task_info": {"instances": "all"}}),
    ("100 instances, 10 tasks each", "fleet:100:10", {"hwcloud.maintenance.dcs_task_info": {"instances": "all"}}),
    ("scheduled jobs", "maintenance", {"hwcloud.maintenance.dds_scheduled_job_info": {}}),
]


def seconds(folder: pathlib.Path, scenario: str, task: dict[str, object], times: int) -> float:
    """Return how long a playbook takes that does the task so many times."""
    playbook = folder / "playbook.json"
    play = {"name": "Measure", "hosts": "localhost", "gather_facts": False, "tasks": [task] * times}
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    command = [pathlib.Path(sys.executable).with_name("ansible-playbook"), playbook]
    with simulator(scenario) as variables:
        started = time.perf_counter()
        result = subprocess.run(
            command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        elapsed = time.perf_counter() - started
    if result.returncode:
        sys.exit(result.stdout + result.stderr)
    return elapsed


def main() -> None:
    """Measure the floor, then each case against it."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        floor = 0.0
        for label, scenario, task in [FLOOR, *CASES]:
            start_up = seconds(folder, scenario, task, 1)
            each = (seconds(folder, scenario, task, 1 + REPEAT) - start_up) / REPEAT * 1000
            floor = floor or each
            print(f"{label:30} {each:6.0f} ms per task, {each - floor:6.0f} ms above the floor", flush=True)


if __name__ == "__main__":
    main()
