# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control calls are for programs of this machine: not for web pages, not to read files, and nothing breaks them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.caller import Caller
from tests.simulator import ControlFailed, Simulator
from tests.simulator.switches import SWITCHES

JSON = {"Content-Type": "application/json"}
#: All control calls that change something, with a body that they accept.
CHANGES: dict[str, Any] = {
    "reset": {"scenario": "empty"},
    "faults": [{"fault": "reset"}],
    "switches": {"latency_ms": 1},
    "events": [{"after": "ListInstances", "do": []}],
    "state/patch": [{"tokens": "expire"}],
    "expire_tokens": {},
    "advance": {"seconds": 1},
}
SHOWN = ("facts", "journal", "state", "faults", "switches", "events")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.0.2.1", "[2001:db8::1]:80", "", "a@b", "["],
)
def test_a_name_that_leads_to_this_machine_is_refused(sim: Simulator, caller: Caller, host: str) -> None:
    """A page may make its own name lead to 127.0.0.1, and could read the answers then."""
    for name in SHOWN:
        answer = caller.plain("GET", f"/_simulator/{name}", headers={"Host": host})
        assert answer.status_code in (400, 403), name
        assert sim.secret_key not in answer.text
    for name, body in CHANGES.items():
        answer = caller.plain("POST", f"/_simulator/{name}", json=body, headers={"Host": host})
        assert answer.status_code in (400, 403), name
    assert (sim.faults(), len(sim.state()["dcs_instances"])) == ([], 6)


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1", "127.9.9.9:80", "[::1]:80", "LOCALHOST"])
def test_names_of_this_machine_are_not_refused(caller: Caller, host: str) -> None:
    assert caller.plain("GET", "/_simulator/facts", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "text/plain; application/json"},
        {"Content-Type": ""},
        {},
        {**JSON, "Origin": "http://evil.example"},
        {**JSON, "Origin": "null"},
        {**JSON, "Sec-Fetch-Site": "cross-site"},
        {**JSON, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_what_a_page_can_send_is_refused(sim: Simulator, caller: Caller, headers: dict[str, str]) -> None:
    for name, body in CHANGES.items():
        answer = caller.plain("POST", f"/_simulator/{name}", data=json.dumps(body), headers=headers)
        assert (answer.status_code, answer.json().keys()) == (403, {"error"}), name
    for name in ("reset", "expire_tokens"):
        # Without a body, as a page can send it too.
        answer = caller.plain("POST", f"/_simulator/{name}", headers={"Origin": "http://evil.example"})
        assert answer.status_code == 403, name
    assert (sim.faults(), sim.events()["waiting"], len(sim.state()["dcs_instances"])) == ([], [], 6)
    assert sim.switches()["latency_ms"] == 0


def test_what_programs_send_is_not_refused(caller: Caller) -> None:
    for name, body in CHANGES.items():
        answer = caller.plain("POST", f"/_simulator/{name}", json=body, headers={"Sec-Fetch-Site": "none"})
        assert answer.status_code == 200, name
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert caller.plain("POST", "/_simulator/faults", json=[]).status_code == 200
    assert caller.plain("OPTIONS", "/_simulator/faults").status_code == 405


def test_no_file_is_read_for_others(sim: Simulator, caller: Caller, tmp_path: Path) -> None:
    """They could learn what is in it, or stop the simulator with a pipe; the caller's own client reads it instead."""
    file = tmp_path / "own.json"
    file.write_text(json.dumps({"region": "of-a-file"}))
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    before = sim.facts()
    for path in (file, pipe, tmp_path / "none.json", Path("..", "scenarios", "maintenance.json")):
        answer = caller.plain("POST", "/_simulator/reset", json={"scenario": str(path)})
        assert answer.status_code == 400
        assert answer.json()["error"] == "A control call reads no file: send the content of the scenario as an object."
    assert sim.facts() == before
    assert sim.reset(str(file))["region"] == "of-a-file"
    with pytest.raises(ControlFailed, match=r"no scenario"):
        sim.reset(str(tmp_path / "none.json"))


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[" * 60 + b"]" * 60,
        b'{"scenario": ' + b"[" * 900 + b"]" * 900 + b"}",
        b"9" * 5000,
        b"\xff\xfe",
    ],
)
def test_bodies_that_nest_too_deeply(sim: Simulator, caller: Caller, body: bytes) -> None:
    for name in CHANGES.keys() - {"expire_tokens"}:
        answer = caller.plain("POST", f"/_simulator/{name}", data=body, headers=JSON)
        assert answer.status_code == 400, name
        assert answer.json()["error"].endswith(".")
    assert sim.state()["tasks"]


def test_bodies_that_are_too_large(sim: Simulator, caller: Caller) -> None:
    answer = caller.plain("POST", "/_simulator/faults", data=b" " * 2_000_000, headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["error"].endswith(".")
    with pytest.raises(ControlFailed, match="smaller than a megabyte"):
        sim.reset({"region": "x" * 2_000_000})
    assert sim.state()["region"] == "sim-region-1"


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": {"delay": float("nan")}},
        {"fault": {"delay": float("inf")}},
        {"fault": {"delay": 10**9}},
        {"fault": {"huge": 10**12}},
        {"fault": {"status": 200, "headers": {"X\r\nSet-Cookie": "a=b"}}},
        {"fault": {"status": 200, "headers": {"X-A": "b\r\nSet-Cookie: a=b"}}},
        {"fault": {"status": 200, "headers": {"": "b"}}},
        {"fault": {"status": 200, "base64": "?"}},
        {"fault": {"status": 200, "base64": "AA==", "body": 1}},
        {"fault": {"redirect": "http://a/\r\nX: y"}},
        {"fault": {"edit": {}}},
        {"fault": {"edit": [{"at": "tasks", "to": "1"}]}},
        {"fault": {"edit": [{"at": [], "to": 1}]}},
        {"fault": {"edit": [{"at": []}]}},
        {"fault": {"edit": [{"at": [], "to": "1", "remove": True}]}},
        {"fault": {"edit": [{"at": [10**9], "to": "1"}]}},
        {"fault": {"edit": [{"at": [], "to": "1", "twice": True}]}},
    ],
)
def test_faults_that_would_break_the_simulator(sim: Simulator, caller: Caller, rule: dict[str, Any]) -> None:
    answer = caller.plain("POST", "/_simulator/faults", data=json.dumps([rule]), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert sim.faults() == []


@pytest.mark.parametrize("scenario", ["fleet:999999999:999999999", "fleet:1:2:999999999", "fleet:1:" + "9" * 5000])
def test_fleets_that_do_not_fit(sim: Simulator, scenario: str) -> None:
    with pytest.raises(ControlFailed, match="fleet"):
        sim.reset(scenario)
    assert sim.state()["tasks"]


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(
        ["8d", "-9999999999d", "1e999", "2020-01-01T00:00:00Z", "SUCCESS", "Pending", "maintenance", "fleet:1:1"]
    )
)
#: Words of all bodies; that they are no sentence is what they are for.
TEXT = """
scenario region domain users projects dcs_instances dds_instances scheduled_jobs exact switches tasks id
name status created_at created_ago took start_after finish_after finish_as start_in end_in instance_id
job_id task job instance project add set unset remove tokens details new_capacity old_capacity capacity
groups tags operation service method path times skip fault delay body headers processed redirect huge
edit at to twice swapcase base64 after before count do seconds maintain_begin maintain_end
maintenance_window datastore password totp denied agencies enabled
"""
WORDS = st.sampled_from([*TEXT.split(), *SWITCHES])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)


def test_nothing_that_is_sent_breaks_it(sim: Simulator, caller: Caller) -> None:
    """Each call is refused or done, and the cloud works afterwards: state, lists and a change."""
    state = sim.state()
    known = [state["tasks"][0]["id"], state["dcs_instances"][0]["instance_id"], state["scheduled_jobs"][0]["job_id"]]
    patches = st.fixed_dictionaries(
        {},
        optional={
            "task": st.sampled_from(known),
            "instance": st.sampled_from(known),
            "job": st.sampled_from(known),
            "set": VALUES,
            "unset": VALUES,
            "add": VALUES,
            "remove": st.booleans(),
        },
    )
    rules = st.fixed_dictionaries(
        {"fault": st.dictionaries(WORDS, VALUES, max_size=3) | VALUES}, optional={"times": VALUES}
    )
    bodies = st.one_of(
        *(st.tuples(st.just(name), VALUES) for name in CHANGES),
        st.tuples(st.just("state/patch"), st.lists(patches, max_size=3)),
        st.tuples(st.just("faults"), st.lists(rules, max_size=2)),
        st.tuples(
            st.just("reset"), st.builds(lambda value: {"scenario": value}, st.dictionaries(WORDS, VALUES, max_size=4))
        ),
        st.tuples(
            st.just("reset"),
            st.builds(
                lambda one, two, three: {
                    "scenario": {
                        "dcs_instances": [{"name": "a", "tasks": [one]}],
                        "dds_instances": [two],
                        "scheduled_jobs": [three],
                    }
                },
                *(st.dictionaries(WORDS, VALUES, max_size=4) for _number in range(3)),
            ),
        ),
    )

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(bodies)
    def send(given_body: tuple[str, Any]) -> None:
        name, value = given_body
        if name == "faults" and "delay" in json.dumps(value):
            return  # a pause is what it is for
        sim.reset("maintenance")
        answer = caller.plain("POST", f"/_simulator/{name}", data=json.dumps(value), headers=JSON)
        assert answer.status_code in (200, 400), (answer.status_code, answer.text[:300])
        for shown in SHOWN:
            assert caller.plain("GET", f"/_simulator/{shown}").status_code == 200, shown
        if name == "faults":
            answer = caller.plain("POST", "/_simulator/faults", json=[])
        elif name in ("reset", "state/patch") and answer.status_code == 200:
            facts = sim.facts()
            token = next(iter(sim._server.cloud.identity.users))
            text = sim._server.cloud.identity.issue_token(token, facts["project_id"], 4e9)
            for path in (
                f"/v2/{facts['project_id']}/instances",
                f"/v2/{facts['project_id']}/tasks",
                f"/v3/{facts['project_id']}/instances",
                f"/v3/{facts['project_id']}/scheduled-jobs",
            ):
                listed = caller.with_token(text, "GET", path)
                assert listed.status_code < 500, (path, listed.text[:300])

    send()
