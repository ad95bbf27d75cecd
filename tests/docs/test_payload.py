# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What travels with each task: the payload as Ansible builds it stays small."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.harness.modules import clean_environment

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[a-z]*.py"))
OWN = "ansible_collections/hwcloud/maintenance/"
#: The budget of docs/architecture.md.
MOST_BYTES = 300_000


@pytest.fixture(scope="module")
def payloads():
    """The payload of each module, built in a process of its own: other tests import the collection without Ansible."""
    run = subprocess.run(
        [sys.executable, ROOT / "tools" / "bench_payload.py"],
        cwd=ROOT,
        env=clean_environment(LC_ALL="C.UTF-8"),
        input=json.dumps([[f"hwcloud.maintenance.{name}", {}] for name in MODULES]).encode(),
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    return dict(zip(MODULES, map(base64.b64decode, json.loads(run.stdout.splitlines()[-1]))))


def unpack(payload):
    """The files inside: the one long piece of base64 that is a zip archive."""
    for piece in sorted(re.findall(rb"[A-Za-z0-9+/=]{1000,}", payload.replace(b"\\n", b"")), key=len, reverse=True):
        data = base64.b64decode(piece)
        if data.startswith(b"PK"):
            archive = zipfile.ZipFile(io.BytesIO(data))
            return {info.filename: archive.read(info) for info in archive.infolist()}
    raise AssertionError("there is no zip archive in the payload")


@pytest.mark.parametrize("name", MODULES)
def test_what_travels_with_a_task_is_small(payloads, name):
    payload = payloads[name]
    files = unpack(payload)
    own = {path: content for path, content in files.items() if path.startswith(OWN) and content.strip()}
    print(
        f"\n{name}: {len(payload)} bytes, {len(own)} files of its own with {sum(map(len, own.values()))} bytes", end=""
    )
    assert f"{OWN}plugins/modules/{name}.py" in own
    assert f"{OWN}plugins/module_utils/_module.py" in own
    assert len(payload) < MOST_BYTES


def test_every_module_is_weighed():
    assert len(MODULES) >= 5
