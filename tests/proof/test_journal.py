# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A request that no document has fails the test that caused it, and no other one; see C(tests/journal.py)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.modules import clean_environment

ROOT = Path(__file__).parents[2]

#: Tests of a checkout that has nothing but the check; what each must end with is in its name.
TESTS = '''
import http.client, json, subprocess, sys
from urllib.parse import urlsplit

import pytest
from tests.simulator import Simulator

INSTANCE = "/v2/" + "a" * 32 + "/instances/11111111-1111-4111-8111-111111111111"


def ask(url, path, method="GET"):
    """As it is on the wire, without a library that tidies the path."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request(method, path)
    connection.getresponse().read()
    connection.close()


@pytest.fixture(scope="module")
def sim():
    with Simulator("empty") as running:
        yield running


@pytest.fixture
def asks_late(sim):
    yield
    ask(sim.url, "/late")


def test_passed_documented(sim):
    ask(sim.url, f"{INSTANCE}/tasks?limit=5")
    ask(sim.url, f"{INSTANCE}/tasks/{'1' * 32}", "DELETE")
    ask(sim.url, "/v3/projects")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", f"{INSTANCE}/"),
        ("DELETE", INSTANCE),
        ("GET", f"{INSTANCE}/tasks/"),
        ("GET", "/v2/" + "a" * 32 + "/instances//tasks"),
        ("DELETE", f"{INSTANCE}/tasks/.."),
        ("DELETE", f"{INSTANCE}/tasks/%2e%2e"),
        ("DELETE", f"{INSTANCE}/tasks/{'1' * 65}"),
        ("PUT", f"{INSTANCE}/tasks"),
        ("GET", "/nowhere"),
    ],
)
def test_failed_path(sim, method, path):
    ask(sim.url, path, method)


def test_failed_before_a_reset(sim):
    ask(sim.url, "/nowhere")
    sim.reset()
    sim.faults([])


def test_failed_of_a_simulator_that_has_ended():
    with Simulator("empty") as other:
        ask(other.url, "/nowhere")


def test_failed_of_another_process():
    command = [sys.executable, "-m", "tests.simulator", "--scenario", "empty"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        ask(json.loads(process.stdout.readline())["url"], "/nowhere")
        process.terminate()


def test_failed_although_it_expects_a_fault(sim):
    sim.faults([{"fault": {"status": 200, "body": {}}}])
    ask(sim.url, "/nowhere")


@pytest.mark.undocumented_requests
def test_passed_on_purpose(sim):
    ask(sim.url, "/nowhere")


def test_passed_error_in_the_end(asks_late):
    pass


def test_passed_after_all(sim):
    assert sim.state()["tasks"] == []
'''


@pytest.mark.program
def test_the_test_that_caused_it_fails(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.journal"]\n', encoding="utf-8")
    (tmp_path / "test_inner.py").write_text(TESTS, encoding="utf-8")
    environ = clean_environment(LC_ALL="C.UTF-8")
    environ["PYTHONPATH"] = str(ROOT)
    environ.pop("SIMULATOR_UNDOCUMENTED")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "--strict-markers", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    found = re.findall(r"^(PASSED|FAILED|ERROR) \S*::test_(passed|failed)(\w*)", run.stdout, re.MULTILINE)
    assert [entry for entry in found if entry[0].lower() != entry[1]] == [("ERROR", "passed", "_error_in_the_end")], (
        run.stdout + run.stderr
    )
    assert len(found) == 9 + 8 + 1
    assert run.stdout.count("requests that the API's documents do not have") >= 13
    assert "GET /late" in run.stdout


def test_nothing_is_left_of_this_process(sim):
    """Each process has a file of its own, and it is empty between tests."""
    file = Path(os.environ["SIMULATOR_UNDOCUMENTED"])
    assert file.read_bytes() == b""
    sim.state()
    assert file.read_bytes() == b""
