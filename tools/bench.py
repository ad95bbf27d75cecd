# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a task of this collection costs, against the same request made with ansible.builtin.uri.

    .venv/bin/python tools/bench.py

One play has both tasks in turn, so that whatever else the machine does slows both alike. The simulator runs as a
process of its own. Prints a table of medians and writes build/bench.json.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from environment import CHECKOUT

sys.path.insert(0, str(CHECKOUT))

from demo import simulator

from tests.harness.playbooks import local_play, run_playbook
from tests.simulator import SimulatorClient

REPEAT = 20


def tasks(variables: dict[str, str]) -> list[dict[str, Any]]:
    """Return both tasks, as often as they are measured: the background tasks of one instance, in one request."""
    url = variables["HUAWEICLOUD_SDK_IAM_ENDPOINT"]
    project = variables["HUAWEICLOUD_SDK_PROJECT_ID"]
    prepare = [
        {
            "name": "Sign in",
            "ansible.builtin.uri": {
                "url": f"{url}/v3/auth/tokens?nocatalog=true",
                "method": "POST",
                "status_code": 201,
                "body_format": "json",
                "body": {
                    "auth": {
                        "identity": {
                            "methods": ["password"],
                            "password": {
                                "user": {
                                    "name": "operator",
                                    "password": "Simulator-Password-1!",
                                    "domain": {"name": "sim-account"},
                                }
                            },
                        },
                        "scope": {"project": {"id": project}},
                    }
                },
            },
            "register": "signed_in",
        },
        {"name": "Find", "ansible.builtin.uri": {"url": f"{url}/_simulator/state"}, "register": "state"},
        {
            "name": "Keep",
            "ansible.builtin.set_fact": {
                "token": "{{ signed_in.x_subject_token }}",
                "instance": "{{ state.json.dcs_instances[0].instance_id }}",
            },
        },
    ]
    peer = {
        "name": "peer",
        "ansible.builtin.uri": {
            "url": f"{url}/v2/{project}/instances/{{{{ instance }}}}/tasks?limit=1000&offset=0",
            "headers": {"X-Auth-Token": "{{ token }}"},
        },
    }
    ours = {"name": "ours", "hwcloud.maintenance.dcs_task_info": {"instances": ["{{ instance }}"]}}
    return prepare + [task for _repeat in range(REPEAT) for task in (peer, ours)]


def measure() -> dict[str, float]:
    """Return the median seconds of a task of each kind."""
    with simulator("fleet:1:10") as variables, tempfile.TemporaryDirectory() as folder:
        where = {name: value for name, value in variables.items() if name.startswith(("HW_", "HUAWEICLOUD_"))}
        run = run_playbook(Path(folder), [local_play(tasks(variables))], environ=where, timeout=600)
        listed = SimulatorClient(variables["HUAWEICLOUD_SDK_IAM_ENDPOINT"]).operations().count("ListBackgroundTask")
    if run.returncode or listed != 2 * REPEAT:
        sys.exit(f"{run.output}\nThe play failed, or sent {listed} requests instead of {2 * REPEAT}.")
    return {
        name: statistics.median(entry["seconds"] for entry in run.results if entry["task"] == name)
        for name in ("ours", "peer")
    }


def main() -> None:
    """Measure, print, write."""
    seconds = measure()
    target = 1.05
    ratio = seconds["ours"] / seconds["peer"]
    row = {"name": "single", **seconds, "ratio": ratio, "target": target, "met": ratio <= target}
    print(f"{'name':10} {'ours':>8} {'peer':>8} {'ratio':>7} {'target':>7}  met")
    print(
        f"{'single':10} {seconds['ours']:8.3f} {seconds['peer']:8.3f} {ratio:7.3f} {target:7.2f}"
        f"  {'yes' if row['met'] else 'no'}"
    )
    report = CHECKOUT / "build" / "bench.json"
    report.parent.mkdir(exist_ok=True)
    report.write_text(json.dumps([row], indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
