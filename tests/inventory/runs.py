# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-inventory and ansible-playbook on inventory files, against the simulator."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.harness.modules import clean_environment
from tests.harness.playbooks import BIN, Run, run_playbook
from tests.simulator import Simulator

#: How many requests a listing costs whose records fit in one page: that page, and the empty one that proves the end.
LISTING = 2

SETTINGS = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "false", "LC_ALL": "C.UTF-8"}


def endpoints(sim: Simulator, *regions: str) -> dict[str, str]:
    """The variables that lead from these regions to the simulator."""
    return {
        f"HUAWEICLOUD_SDK_REGION_{service}_{region}".upper().replace("-", "_"): sim.url
        for service in ("dcs", "dds", "iam")
        for region in regions
    }


def signed_in_environment(sim: Simulator, *regions: str) -> dict[str, str]:
    """Variables for the simulator's first user; the region and the project too, when no regions are given."""
    place = {} if regions else {"HW_REGION_NAME": sim.region, "HW_PROJECT_ID": sim.project_id}
    key = {"HW_ACCESS_KEY": sim.access_key, "HW_SECRET_KEY": sim.secret_key}
    return {**key, **place, **endpoints(sim, *(regions or (sim.region,)))}


class Output(NamedTuple):
    """What a program printed."""

    returncode: int
    stdout: str
    stderr: str


class Ansible:
    """A folder in which Ansible runs, and the variables of its environment."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self.environ = environ

    def write(self, name: str, content: Any) -> Path:
        """Write a file: text as it is, anything else as YAML."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        path.write_text(text, encoding="utf-8")
        return path

    def run(self, program: str, *options: str | Path, **environ: str) -> Output:
        """Run a program of Ansible."""
        run = subprocess.run(
            [BIN / program, *options],
            cwd=self.folder,
            env=clean_environment(HOME=str(self.folder), **{**SETTINGS, **self.environ, **environ}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Output(run.returncode, run.stdout.decode("utf-8", "replace"), run.stderr.decode("utf-8", "replace"))

    def list(self, *options: str | Path, **environ: str) -> dict[str, Any]:
        """What C(ansible-inventory --list) says; it must not warn."""
        run = self.run("ansible-inventory", "--list", *options, **environ)
        assert (run.returncode, run.stderr) == (0, ""), run.stderr
        return json.loads(run.stdout)

    def hosts(self, content: dict[str, Any], name: str = "dcs.yml", **environ: str) -> dict[str, dict[str, Any]]:
        """Host to variables, in order, of an inventory file with this content."""
        return hosts_of(self.list("-i", self.write(name, content), **environ))

    def fails(self, content: Any, *options: str, name: str = "dcs.yml", **environ: str) -> str:
        """All output of a run that must fail over an inventory file with this content, on one line."""
        path = self.write(name, content)
        environ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] = "true"
        run = self.run("ansible-inventory", "--list", "-i", path, *options, **environ)
        assert run.returncode != 0, run.stdout
        return " ".join((run.stdout + run.stderr).split())

    def play(self, inventory: str | Path, plays: Path | list[dict[str, Any]], *options: str, **environ: str) -> Run:
        """Run plays."""
        environ = {**self.environ, **environ}
        return run_playbook(self.folder, plays, "-i", str(inventory), *options, environ=environ)


def hosts_of(inventory: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Host to variables, without the marks of what is no template."""
    return {host: plain(variables) for host, variables in inventory["_meta"]["hostvars"].items()}


def plain(value: Any) -> Any:
    """The value without the marks of what is no template."""
    if isinstance(value, dict):
        if value.keys() == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def debug(message: str, name: str = "Show", **play: Any) -> dict[str, Any]:
    """A play that shows a message of each host."""
    task = {"name": name, "ansible.builtin.debug": {"msg": message}}
    return {"name": name, "hosts": "all", "gather_facts": False, "tasks": [task], **play}


def messages(run: Run) -> dict[str, Any]:
    """Host to message of a play of C(debug)."""
    assert run.returncode == 0, run.output
    return {entry["host"]: entry["result"]["msg"] for entry in run.results}
