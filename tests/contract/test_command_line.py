# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: the first line, signals, TLS, fault files, and starts that are refused."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.simulator import Simulator, SimulatorClient

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "tests.simulator"]
KEYS = {"url", "region", "project_id", "access_key", "secret_key", "username", "password", "domain_name"}


@contextmanager
def _started(*words: str, stop: signal.Signals = signal.SIGTERM) -> Iterator[dict[str, Any]]:
    with subprocess.Popen(
        [*COMMAND, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
            process.send_signal(stop)
            rest, errors = process.communicate(timeout=20)
            assert (process.returncode, rest, errors) == (0, "", "")
        finally:
            process.kill()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_first_line_and_signals(stop: signal.Signals) -> None:
    with _started(stop=stop) as facts:
        assert set(facts) >= KEYS
        assert facts["url"].startswith("http://127.0.0.1:")
        client = SimulatorClient(facts["url"])
        assert client.facts() == facts
        assert len(client.state()["dcs_instances"]) == 6
        client.close()


def test_a_connection_that_hangs_does_not_keep_it_alive() -> None:
    with _started() as facts:
        client = SimulatorClient(facts["url"])
        client.switches({"latency_ms": 60000})
        with pytest.raises(requests.ReadTimeout):
            requests.get(facts["url"] + "/v3/projects", timeout=0.2)


def test_tls(tmp_path: Path) -> None:
    with _started("--tls", "--host", "localhost", "--scenario", "empty") as facts:
        path = Path(facts["ca_path"])
        assert facts["url"].startswith("https://localhost:")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert "PRIVATE" not in path.read_text()
        client = SimulatorClient(facts["url"], verify=str(path))
        assert client.state()["tasks"] == []
        client.faults([{"path": "/v3", "fault": "reset"}])
        with pytest.raises(requests.ConnectionError):
            requests.get(facts["url"] + "/v3/projects", verify=str(path), timeout=10)
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(facts["url"], timeout=10)
        client.close()
    assert not path.parent.exists()


def test_tls_in_the_process() -> None:
    with Simulator("empty", tls=True) as sim:
        assert sim.ca_path is not None
        assert sim.facts()["url"] == sim.url
    assert not Path(sim.ca_path).exists()


def test_scenario_and_fault_files(tmp_path: Path) -> None:
    scenario, faults = tmp_path / "s.json", tmp_path / "f.json"
    scenario.write_text('{"region": "sim-region-9"}')
    faults.write_text('[{"path": "/v3", "fault": {"status": 503}}]')
    with _started("--scenario", str(scenario), "--faults", str(faults), "--port", "0") as facts:
        assert facts["region"] == "sim-region-9"
        assert [requests.get(facts["url"] + "/v3/projects", timeout=10).status_code for _unused in range(2)] == [
            503,
            401,
        ]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--host", "0.0.0.0"], "loopback"),
        (["--host", "192.0.2.1"], "loopback"),
        (["--host", "example.com"], "loopback"),
        (["--host", ""], "loopback"),
        (["--host", "::"], "loopback"),
        (["--port", "70000"], "--port"),
        (["--scenario", "nothing"], "There is no scenario 'nothing'"),
        (["--faults", "missing.json"], "cannot be read"),
        (["--unknown"], "unrecognized"),
    ],
)
def test_starts_that_are_refused(words: list[str], text: str) -> None:
    done = subprocess.run([*COMMAND, *words], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_fault_files_that_make_no_sense(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    for text in ("{", "{}", '[{"fault": "boom"}]'):
        file.write_text(text)
        words = [*COMMAND, "--faults", str(file)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr


def test_a_port_that_is_taken() -> None:
    with Simulator("empty") as sim:
        words = [*COMMAND, "--port", sim.url.rpartition(":")[2]]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot listen" in done.stderr


def test_the_home_folder_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The official SDK writes into it as soon as its credentials are imported; the simulator must not."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with _started("--scenario", "empty") as facts:
        requests.get(
            facts["url"] + "/v3/projects",
            headers={
                "X-Sdk-Date": "20260101T000000Z",
                "Authorization": f"SDK-HMAC-SHA256 Access={facts['access_key']}, SignedHeaders=x-sdk-date, Signature=00",
            },
            timeout=10,
        )
    assert list(tmp_path.iterdir()) == []
