# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tools/mutants.py does inside pytest, as a plugin: note how long each test takes, or run some tests on a mutant.

The variable MUTANTS names a JSON file. With C(outcomes), a path, the outcome and duration of each test is written there.
With C(tests), only these run, in this order; with C(module) and C(source), this source is imported as that module.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest

PLAN: dict[str, Any] = json.loads(pathlib.Path(os.environ["MUTANTS"]).read_text(encoding="utf-8"))


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):
    """Finds one module, whose source is the mutant; everything else is left to Python."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != PLAN["module"]:
            return None
        return importlib.util.spec_from_file_location(name, PLAN["path"], loader=self)

    def get_filename(self, _name: str) -> str:
        return str(PLAN["path"])

    def get_data(self, path: str) -> bytes:
        # Never a compiled file: that would be of the original.
        if path != PLAN["path"]:
            raise OSError(path)
        return str(PLAN["source"]).encode()

    def path_stats(self, path: str) -> dict[str, Any]:
        raise OSError(path)


if "module" in PLAN:
    sys.meta_path.insert(0, _Mutated())


class _Plugin:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave only the tests of the plan, in its order."""
        if "tests" not in PLAN:
            return
        order = {name: number for number, name in enumerate(PLAN["tests"])}
        left_out = [item for item in items if item.nodeid not in order]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
        items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In the process that has all reports."""
        if "outcomes" in PLAN and not hasattr(session.config, "workerinput"):
            found = {"seconds": self.seconds, "failed": sorted(self.failed)}
            pathlib.Path(PLAN["outcomes"]).write_text(json.dumps(found), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Take part."""
    config.pluginmanager.register(_Plugin(), "mutants")
