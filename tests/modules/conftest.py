# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of tests that run modules: signing in from many places, and no long waits."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.harness.sources")

from tests.harness.profiles import Home  # noqa: E402
from tests.harness.sources import Task  # noqa: E402


@pytest.fixture
def task(sim, tmp_path, monkeypatch) -> Task:
    """A task against the simulator that has no credentials yet, and an empty home folder."""
    return Task(sim, Home(tmp_path / "home"), monkeypatch)


@pytest.fixture(autouse=True)
def short_doubt(monkeypatch) -> None:
    """In this process, what may take effect later is looked for during a second, and a second listing comes at once."""
    utilities = "ansible_collections.hwcloud.maintenance.plugins.module_utils"
    for name in ("_dcs_resize", "_dds_jobs"):
        monkeypatch.setattr(f"{utilities}.{name}.DOUBT", 1)
    for name in ("_dcs", "_dcs_tasks", "_dcs_resize", "_dds_jobs"):
        monkeypatch.setattr(f"{utilities}.{name}.SECOND_LOOK", 0.05)
