# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request that the API's documents do not have fails the test that caused it.

Part of C(tests/conftest.py). Each simulator, also one in a process that a test has started, writes such requests to a
file; see C(tests/simulator/journal.py). A test that sends one on purpose has the marker C(undocumented_requests).
Tests of the simulator itself, in C(tests/contract), need none.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.simulator.journal import VARIABLE

MARKER = "undocumented_requests"
_OF_THE_SIMULATOR = Path(__file__).parent / "contract"
_FILE = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin an empty file for this process, which the processes that tests start write to as well."""
    config.addinivalue_line("markers", f"{MARKER}: sends requests that the API's documents do not have, on purpose")
    descriptor, name = tempfile.mkstemp(prefix="undocumented-")
    os.close(descriptor)
    config.stash[_FILE] = Path(name)
    os.environ[VARIABLE] = name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the file."""
    if _FILE in config.stash:
        os.environ.pop(VARIABLE, None)
        config.stash[_FILE].unlink(missing_ok=True)


def taken(config: pytest.Config) -> list[str]:
    """The requests since this was last called: method and path."""
    file = config.stash[_FILE]
    lines = file.read_text(encoding="utf-8").splitlines()
    if lines:
        os.truncate(file, 0)
    return lines


def _check(item: pytest.Item) -> None:
    found = taken(item.config)
    if found and _OF_THE_SIMULATOR not in item.path.parents and item.get_closest_marker(MARKER) is None:
        listed = "\n".join(f"  {line[:200]}" for line in found[:20])
        pytest.fail(f"{len(found)} requests that the API's documents do not have:\n{listed}", pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """After the test itself, and what was set up for it; a test that has failed already keeps its own failure."""
    yield
    _check(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    """After its fixtures have ended, too; nothing is left for the next test."""
    try:
        yield
    finally:
        _check(item)
