# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of the benchmark: the simulator, a module as Ansible starts it, and the programs it is compared with."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import requests
from bench_checks import Wrong
from demo import surroundings
from environment import CHECKOUT

from tests.harness.modules import clean_environment
from tests.simulator import SimulatorClient

TOOLS = pathlib.Path(__file__).parent

# Installed libraries are compiled where people use them. Here the environment may lack that, as its packages are
# installed without, or may forbid it: so what is measured keeps compiled files in a place of its own.
COMPILED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(CHECKOUT / "build" / "bench-pycache")}


class Cloud:
    """The simulator in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], facts: dict[str, Any]) -> None:
        self._pid = process.pid
        self._facts = facts
        self.url: str = facts["url"]
        self.project: str = facts["project_id"]
        self.control = SimulatorClient(self.url)
        self._seen = 0

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead the collection here and sign it in with an access key, for a play."""
        return {
            name: value for name, value in surroundings(self._facts).items() if name.startswith(("HW_", "HUAWEICLOUD_"))
        }

    @property
    def options(self) -> dict[str, Any]:
        """Options that lead a module here, without credentials."""
        return {"region": self._facts["region"], "project_id": self.project, "endpoints": {"dcs": self.url}}

    @property
    def keys(self) -> dict[str, str]:
        """The access key, as options."""
        return {"access_key": self._facts["access_key"], "secret_key": self._facts["secret_key"]}

    def token(self) -> str:
        """Sign in with the password."""
        domain = {"name": self._facts["domain_name"]}
        user = {"name": self._facts["username"], "password": self._facts["password"], "domain": domain}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": {"id": self.project}}}}
        answer = requests.post(f"{self.url}/v3/auth/tokens?nocatalog=true", json=body, timeout=60)
        answer.raise_for_status()
        return answer.headers["X-Subject-Token"]

    def path(self, instance: str | None = None) -> str:
        """The path of the task centre's list, or of an instance's."""
        return f"/v2/{self.project}/tasks" if instance is None else f"/v2/{self.project}/instances/{instance}/tasks"

    def lists(self, tasks_each: int, instances: list[str], listed: bool) -> dict[str, int]:
        """How many records there are at each path: the tasks of these instances, and the instances if they are listed."""
        found = {self.path(instance): tasks_each for instance in instances}
        return {**found, f"/v2/{self.project}/instances": len(instances)} if listed else found

    def new_requests(self) -> list[dict[str, Any]]:
        """The journal since the last call."""
        journal = self.control.journal()
        new = [entry for entry in journal[self._seen :] if entry["service"] != "iam"]
        self._seen = len(journal)
        return new

    def reset(self, scenario: str, latency_ms: float) -> None:
        """Load a scenario; tokens are void afterwards."""
        self.control.reset(scenario)
        self.control.switches({"latency_ms": latency_ms})
        self._seen = 0

    def cpu_seconds(self) -> float:
        """The CPU time that the simulator has used; 0 where the system does not tell."""
        try:
            text = pathlib.Path(f"/proc/{self._pid}/stat").read_text(encoding="utf-8")
        except OSError:
            return 0.0
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def cloud(scenario: str, latency_ms: float = 0) -> Iterator[Cloud]:
    """Run the simulator."""
    command = [sys.executable, "-m", "tests.simulator", "--scenario", scenario]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            first_line = process.stdout.readline() if process.stdout else ""
            if not first_line:
                raise Wrong("The simulator did not start: see its message above.")
            running = Cloud(process, json.loads(first_line))
            running.control.switches({"latency_ms": latency_ms})
            yield running
        finally:
            process.terminate()


def payloads(wanted: list[tuple[str, dict[str, Any]]]) -> list[bytes]:
    """Build what Ansible would send, for modules with their arguments."""
    run = subprocess.run(
        [sys.executable, TOOLS / "bench_payload.py"],
        cwd=CHECKOUT,
        env=clean_environment(LC_ALL="C.UTF-8"),
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise Wrong(f"the payload could not be built.\n{run.stderr}")
    return [base64.b64decode(payload) for payload in json.loads(run.stdout.splitlines()[-1])]


@dataclasses.dataclass(frozen=True)
class Command:
    """A program to be measured; its standard output is a JSON object."""

    words: tuple[str, ...]
    environment: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Measured:
    """One run of a program: what it cost (memory: the peak, in bytes), what it printed, what reached the simulator."""

    seconds: float
    cpu: float
    memory: int
    result: dict[str, Any]
    stderr: str
    entries: list[dict[str, Any]]
    simulator_seconds: float


class Programs:
    """Programs in a folder, all started with this interpreter and the same environment."""

    def __init__(self, folder: str) -> None:
        self._folder = pathlib.Path(folder)
        self._environment = clean_environment(LC_ALL="C.UTF-8", HOME=folder, TMPDIR=folder, **COMPILED)

    def module(self, name: str, arguments: dict[str, Any]) -> Command:
        """A module of the collection in the file that Ansible would have put on the host."""
        with tempfile.NamedTemporaryFile(
            dir=self._folder, prefix=f"AnsiballZ_{name}_", suffix=".py", delete=False
        ) as file:
            file.write(payloads([(f"hwcloud.maintenance.{name}", arguments)])[0])
        return Command((sys.executable, file.name), self._environment)

    def program(self, name: str, *arguments: str, **environ: str) -> Command:
        """A program of this folder."""
        return Command((sys.executable, str(TOOLS / name), *arguments), {**self._environment, **environ})

    def run(self, command: Command, simulator: Cloud) -> Measured:
        """Run to the end, and read all that it prints meanwhile."""
        simulator.new_requests()
        report = self._folder / "launch.json"
        used = simulator.cpu_seconds()
        run = subprocess.run(
            [sys.executable, "-I", "-S", TOOLS / "bench_launch.py", report, *command.words],
            cwd=self._folder,
            env=command.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=900,
            check=False,
        )
        used = simulator.cpu_seconds() - used
        text = run.stdout.decode("utf-8", "replace")
        stderr = run.stderr.decode("utf-8", "replace")
        figures = json.loads(report.read_text(encoding="utf-8")) if run.returncode == 0 else {"status": None}
        try:
            # Some versions of ansible-core print an empty line first.
            result = json.loads(text)
        except ValueError:
            result = {"failed": True}
        if figures["status"] != 0 or result.get("failed"):
            raise Wrong(f"{' '.join(command.words)} failed:\n{text[:2000]}\n{stderr[-2000:]}")
        return Measured(
            seconds=figures["seconds"],
            cpu=figures["cpu"],
            memory=figures["memory"],
            result=result,
            stderr=stderr,
            entries=simulator.new_requests(),
            simulator_seconds=used,
        )
