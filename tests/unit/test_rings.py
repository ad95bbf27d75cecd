# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests run when: what tests/rings.py promises of the rings, of seeds, of programs and of time limits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.program
CHECKOUT = Path(__file__).parents[2]

TESTS = """
import random, subprocess, sys, time
import pytest
from hypothesis import given, settings, strategies as st

def test_plain():
    pass

@pytest.mark.slow
def test_slow():
    pass

def run():
    subprocess.run([sys.executable, "-c", ""], check=True)

def test_with_a_helper():
    run()

@pytest.mark.worst
def test_worst():
    run()

def test_hidden():
    getattr(sys.modules["sub" + "process"], "ru" + "n")([sys.executable, "-c", ""])

seen = []

@settings(max_examples=3)
@given(st.integers(min_value=0, max_value=2**64))
def drawn(number):
    seen.append(number)

def test_seeds(fuzz_seed, exhaustive):
    drawn()
    print("drawn", fuzz_seed, exhaustive, seen)
"""


@pytest.fixture
def run(tmp_path):
    """Run these tests with some options in a process of its own; the exit status, and what was printed."""
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "rings.py").write_bytes((CHECKOUT / "tests" / "rings.py").read_bytes())
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.rings"]\n', encoding="utf-8")
    (folder / "test_these.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_bytes((CHECKOUT / "pyproject.toml").read_bytes())

    def started(*options):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "--verbose", "-s", *options],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return started


def names(output):
    """The tests that passed."""
    lines = [line for line in output.splitlines() if line.startswith("PASSED") and "::" in line]
    return [line.rpartition("::test_")[2] for line in lines]


def test_check_starts_no_program(run):
    status, output = run("--ring=check", "-rp")
    assert names(output) == ["plain", "seeds"]
    # It cannot be seen that this one would start a program: it fails, and says why.
    assert "test_these.py::test_hidden starts" in output
    assert "needs the mark `program`" in output
    assert status == 1


def test_the_worst_cases_are_added_to_check(run):
    _status, output = run("--ring=check", "--worst", "-rp")
    assert names(output) == ["plain", "worst", "seeds"]


def drawn(output):
    return next(line for line in output.splitlines() if "drawn" in line).partition("drawn ")[2]


def test_test_is_the_default_and_runs_everything_with_a_fixed_seed(run):
    _status, output = run("-rp")
    assert names(output) == ["plain", "slow", "with_a_helper", "worst", "seeds"]
    assert drawn(output).startswith("20 False [")
    assert drawn(run("-k", "seeds", "--ring=test")[1]) == drawn(output)


def test_exhaustive_has_new_inputs_which_can_be_repeated(run):
    _status, output = run("-rp", "--ring=exhaustive")
    assert names(output) == ["plain", "slow", "with_a_helper", "worst", "seeds"]
    seed = drawn(output).split()[0]
    assert drawn(output).startswith(f"{seed} True [")
    assert f"--seed={seed} repeats them" in output
    assert drawn(run("--ring=exhaustive", "-k", "seeds", f"--seed={seed}")[1]) == drawn(output)
    assert drawn(run("--ring=exhaustive", "-k", "seeds", f"--seed={int(seed) + 1}")[1]) != drawn(output)
    # The processes of pytest-xdist draw from the seed of the one that gives out the tests.
    _status, spread = run("--ring=exhaustive", "-k", "seeds", f"--seed={seed}", "-n2", "-rP", "--capture=fd")
    assert drawn(spread) == drawn(output)


def test_a_test_that_hangs_fails(run, tmp_path):
    (tmp_path / "tests" / "test_hanging.py").write_text(
        "import threading\n\ndef test_hangs():\n    threading.Event().wait()\n", encoding="utf-8"
    )
    status, output = run("-k", "hangs", "--timeout=1")
    assert status != 0
    assert "Timeout" in output
