# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration shows what it promises, and the benchmark and the rehearsal of other playbooks can be started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.modules import clean_environment

ROOT = Path(__file__).parents[2]


def demo(*arguments, **more):
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "demo.py", *arguments],
        env=clean_environment(LC_ALL="C.UTF-8", HW_SECRET_KEY="somebody's own", **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_demonstration():
    run = demo()
    assert run.returncode == 0, run.stdout + run.stderr
    first, second, check = run.stdout.split("\nPLAY RECAP ")[:3]
    for shown in ("Spec changes called off: 1", "Scheduled jobs called off: 3", "1 of 1 ended", "-    phase: pending"):
        assert shown in first, shown
    assert "Records removed: 14" in first
    assert "Records removed: 0" in second
    assert "This is what would be done:" in check
    assert "Scheduled jobs called off: 3" in check
    assert "sent no request that writes" in run.stdout
    assert "somebody's own" not in run.stdout + run.stderr
    assert "[WARNING]" not in run.stdout


def test_rehearsal(tmp_path):
    playbook = tmp_path / "playbook.yml"
    playbook.write_text("[{hosts: localhost, gather_facts: false, tasks: [{hwcloud.maintenance.dcs_task_info: }]}]")
    run = demo(str(playbook), "-v")
    assert run.returncode == 0, run.stdout + run.stderr
    assert '"total"' in run.stdout or "total:" in run.stdout
