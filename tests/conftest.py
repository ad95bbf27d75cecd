# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures that tests share: the simulator, and ways to run modules and playbooks against it."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.harness.modules import run_module
from tests.harness.playbooks import Run, local_play, run_playbook
from tests.simulator import Simulator

pytest_plugins = ["tests.journal", "tests.rings"]


@pytest.fixture(scope="session")
def running_simulator():
    """One simulator for all tests of a process."""
    with Simulator("maintenance") as simulator:
        yield simulator


@pytest.fixture
def sim(running_simulator):
    """The simulator as if it had just been started with the scenario C(maintenance)."""
    running_simulator.reset("maintenance")
    return running_simulator


def connection(sim: Simulator) -> dict[str, Any]:
    """Options that lead a module to the simulator, without credentials."""
    return {
        "region": sim.region,
        "project_id": sim.project_id,
        "endpoints": {"dcs": sim.url, "dds": sim.url, "iam": sim.url},
    }


def signed_in(sim: Simulator) -> dict[str, Any]:
    """Options that lead a module to the simulator and sign it in with its access key."""
    return {**connection(sim), "access_key": sim.access_key, "secret_key": sim.secret_key}


@pytest.fixture
def module(sim) -> Callable[..., dict[str, Any]]:
    """Run a module in this process, signed in: C(module(name, check_mode=False, **options))."""

    def run(name: str, *, check_mode: bool = False, diff: bool = True, **options: Any) -> dict[str, Any]:
        return run_module(name, {**signed_in(sim), **options}, check_mode=check_mode, diff=diff)

    return run


@pytest.fixture
def play(sim, tmp_path) -> Callable[..., Run]:
    """Run tasks with real ansible-playbook, signed in: C(play(tasks, *options))."""

    def run(tasks: list[dict[str, Any]], *options: str, **keywords: Any) -> Run:
        return run_playbook(tmp_path, [local_play(tasks, signed_in(sim))], *options, **keywords)

    return run


@pytest.fixture
def no_backoff(monkeypatch) -> None:
    """Repeat requests at once, in modules that run in this process."""
    monkeypatch.setattr(
        "ansible_collections.hwcloud.maintenance.plugins.module_utils._http.random.uniform", lambda low, high: 0.0
    )


@pytest.fixture
def doubt_for(monkeypatch) -> Callable[[float], None]:
    """Say for how many seconds what may take effect later is looked for, in modules that run in this process."""
    utilities = "ansible_collections.hwcloud.maintenance.plugins.module_utils"

    def set_seconds(seconds: float) -> None:
        monkeypatch.setattr(f"{utilities}._records.Wait.after_refusal", lambda wait: wait._replace(timeout=seconds))
        for name in ("_dcs_resize", "_dcs_tasks"):
            monkeypatch.setattr(f"{utilities}.{name}.DOUBT", seconds)

    return set_seconds


@pytest.fixture
def short_doubt(monkeypatch, doubt_for) -> None:
    """In this process, what may take effect later is looked for during a second, and a second listing comes at once."""
    utilities = "ansible_collections.hwcloud.maintenance.plugins.module_utils"
    doubt_for(1)
    for name in ("_dcs", "_dcs_tasks", "_dcs_resize", "_dds_jobs"):
        monkeypatch.setattr(f"{utilities}.{name}.SECOND_LOOK", 0.05)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much was tried: add up what tests/proof has recorded under C(cells), C(content cells) and C(inputs)."""
    # Here, as the process that prints the summary loads no other file of this kind when other processes run the tests.
    reports = [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]
    for word, sentence in (
        ("cells", "cells of the fault matrix"),
        ("content cells", "cells of the content matrix"),
        ("inputs", "generated answers and files"),
        ("walks", "random walks"),
        ("predictions", "predictions of check mode"),
    ):
        total = sum(value for report in reports for name, value in report.user_properties if name == word)
        if total:
            terminalreporter.write_line(f"{total} {sentence} were tried.")
