# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables in tests: each row is tried, each wrong one is told with its values, and none inherits from another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.program
CHECKOUT = Path(__file__).parents[2]

TESTS = """
import pytest
from tests.harness.rows import in_rows

class Simulator:
    left = 0

    def reset(self, scenario):
        self.left = 0

@pytest.fixture
def sim():
    return Simulator()

@pytest.mark.parametrize("mode", ["real", "check"])
@in_rows(("name", "value"), [("one", 1), ("one", 2), ("two", 3), ("one", 4), ("two", 5)], by=1)
def test_table(sim, mode, name, value):
    assert sim.left == 0
    sim.left = value
    assert value not in (2, 4, 5), f"{mode} {value} is wrong"

@in_rows("value", "abc")
def test_values(value):
    assert value in "abc"
"""


def test_each_wrong_row_is_told_with_its_values(tmp_path):
    (tmp_path / "test_these.py").write_text(TESTS, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-p", "no:schemathesis", "test_these.py"],
        cwd=tmp_path,
        env={**os.environ, "COLUMNS": "300", "PYTHONPATH": os.pathsep.join([str(CHECKOUT), *filter(None, sys.path)])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = run.stdout.splitlines()
    for mode in ("real", "check"):
        for name, value in (("one", 2), ("one", 4), ("two", 5)):
            wrong = [line for line in lines if f"{mode} {value} is wrong" in line and line.startswith("SUBFAILED")]
            assert len(wrong) == 1, run.stdout
            assert f"value='{value}'" in wrong[0]
            assert f"test_table[{name}-{mode}]" in wrong[0]
    assert not [line for line in lines if line.startswith("SUBFAILED") and any(f"'{n}'" in line for n in (1, 3))]
    assert "PASSED test_these.py::test_values" in run.stdout
    assert run.returncode == 1
