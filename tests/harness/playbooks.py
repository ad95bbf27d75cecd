# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs playbooks with the real ansible-playbook of the environment in which the tests run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .modules import clean_environment

_HERE = Path(__file__).parent
BIN = Path(sys.executable).parent


class Run(NamedTuple):
    """What a run of ansible-playbook gave.

    C(results) has a dictionary for each task and host: C(task), C(action), C(host), C(status), C(result), and
    C(seconds) since the task was started (with one host: how long it took).
    """

    returncode: int
    output: str
    results: list[dict[str, Any]]

    def result(self, task: str) -> dict[str, Any]:
        """The result of the task with this name, which ran once."""
        found = [entry["result"] for entry in self.results if entry["task"] == task]
        assert len(found) == 1, f"{task!r} ran {len(found)} times\n{self.output}"
        return found[0]


def run_playbook(
    folder: Path,
    playbook: Path | list[dict[str, Any]],
    *options: str,
    environ: dict[str, str] | None = None,
    timeout: float = 120,
) -> Run:
    """Run a playbook: a file, or plays that are written to a file in the folder first.

    :arg folder: for the playbook, the results, and everything that Ansible leaves behind.
    :arg options: of ansible-playbook, such as C(--check).
    """
    if not isinstance(playbook, Path):
        text = yaml.safe_dump(playbook, sort_keys=False, allow_unicode=True)
        playbook = folder / "playbook.yml"
        playbook.write_text(text, encoding="utf-8")
    results_file = folder / "results.jsonl"
    results_file.write_text("", encoding="utf-8")
    run = subprocess.run(
        [BIN / "ansible-playbook", *options, playbook],
        cwd=folder,
        env=clean_environment(
            HOME=str(folder),
            ANSIBLE_LOCALHOST_WARNING="false",
            ANSIBLE_INVENTORY_UNPARSED_WARNING="false",
            ANSIBLE_NOCOLOR="1",
            ANSIBLE_CALLBACK_PLUGINS=str(_HERE / "callback_plugins"),
            ANSIBLE_CALLBACKS_ENABLED="results",
            RESULTS_FILE=str(results_file),
            LC_ALL="C.UTF-8",
            **(environ or {}),
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    output = run.stdout.decode("utf-8", "replace") + run.stderr.decode("utf-8", "replace")
    lines = results_file.read_text(encoding="utf-8").splitlines()
    return Run(run.returncode, output, [json.loads(line) for line in lines])


def local_play(tasks: list[dict[str, Any]], defaults: dict[str, Any] | None = None, **play: Any) -> dict[str, Any]:
    """A play on localhost, with options for all modules of the collection through its action group."""
    head: dict[str, Any] = {"name": "Test", "hosts": "localhost", "gather_facts": False}
    if defaults is not None:
        head["module_defaults"] = {"group/hwcloud.maintenance.hwcloud": defaults}
    return {**head, **play, "tasks": tasks}
