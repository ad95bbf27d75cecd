# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the contract tests: one simulator for all, back in scenario `maintenance` before each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.caller import Caller
from tests.simulator import Simulator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The official signer still calls `utcnow`, once for each request."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"))


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The official SDK writes a file into the home folder; it gets one of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def _running() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def sim(_running: Simulator) -> Simulator:
    """The simulator in scenario `maintenance`."""
    _running.reset("maintenance")
    return _running


@pytest.fixture
def caller(sim: Simulator) -> Caller:
    """Requests to the simulator, signed as the operator."""
    return Caller(sim)
