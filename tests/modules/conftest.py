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
def _short_doubt(short_doubt) -> None:
    """In all tests of this folder."""
