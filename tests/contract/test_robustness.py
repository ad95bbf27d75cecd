# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever is sent, the simulator answers with a refusal and keeps running; it never fails itself."""

from __future__ import annotations

import contextlib
import http.client
import json
import string
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.caller import Caller
from tests.simulator import Simulator
from tests.simulator.policies import PolicyError, read_policy
from tests.simulator.routes import OPERATIONS

WORDS = st.text(st.characters(codec="utf-8"), max_size=12)
NUMBERS = st.text(string.digits + "+-eE. ", max_size=30)
VALUES = WORDS | NUMBERS | st.sampled_from(["20260101000000", "2026-01-01T00:00:00+9999", "0001-01-01T00:00:00+2359"])
NAMES = st.sampled_from(
    ["limit", "offset", "start_time", "end_time", "begin_time", "name", "tags", "status", "page", "id"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.sampled_from(["true", "Allow", "1.1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=5,
)
PARTS = ("change_type", "available_zones", "bss_param", "execute_immediately", "is_delayed", "upgrade_mode")
RESIZES = st.dictionaries(st.sampled_from(PARTS), JSON).map(
    lambda given: json.dumps({"spec_code": "x", "new_capacity": 8, **given}).encode()
)
POLICIES = st.fixed_dictionaries({"Version": JSON, "Statement": JSON}) | st.fixed_dictionaries(
    {
        "Version": st.just("1.1"),
        "Statement": st.lists(
            st.dictionaries(st.sampled_from(["Effect", "Action", "Resource", "Condition"]), JSON), max_size=2
        ),
    }
)
ASSUMPTIONS = st.tuples(JSON | POLICIES, JSON).map(
    lambda given: json.dumps(
        {
            "auth": {
                "identity": {
                    "methods": ["assume_role"],
                    "policy": given[0],
                    "assume_role": {"agency_name": "a", "domain_name": "sim-account", "session_user": given[1]},
                }
            }
        }
    ).encode()
)
BODIES = (
    RESIZES
    | ASSUMPTIONS
    | st.binary(max_size=40)
    | st.sampled_from(
        [
            b'{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":[],"password":"\\ud800"}}},"scope":{}}}',
            b'{"spec_code":"\\ud800","new_capacity":1e999}',
            b'{"spec_code":"\\ud800","new_capacity":8}',
            b"[" * 100_000,
            b'{"upgrade_mode":{},"is_delayed":true}',
            b'{"start_time":"\\u0660\\u0661:00","end_time":5}',
        ]
    )
)


def test_nothing_makes_it_fail(sim: Simulator, caller: Caller) -> None:
    state = sim.state()
    ids = {
        "project_id": [sim.project_id],
        "instance_id": [state["dcs_instances"][0]["instance_id"], state["dds_instances"][0]["id"]],
        "task_id": [state["tasks"][0]["id"]],
        "job_id": [state["scheduled_jobs"][0]["job_id"]],
    }
    tokens = [caller.token(), "no-token"]

    @settings(max_examples=200, deadline=None)
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(OPERATIONS))
        path = operation.route
        for name, known in ids.items():
            path = path.replace("{" + name + "}", quote(data.draw(st.sampled_from(known) | WORDS), safe=""))
        query = data.draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
        text = "&".join(f"{name}={quote(value, safe='')}" for name, value in query)
        token = data.draw(st.sampled_from(tokens))
        answer = caller.session.request(
            operation.method,
            f"{sim.url}{path}{'?' + text if text else ''}",
            headers={"X-Auth-Token": token, "X-Metadata-Token-Ttl-Seconds": data.draw(NUMBERS).strip()},
            data=data.draw(BODIES),
            timeout=20,
        )
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400 and operation.service != "metadata":
            assert answer.json()

    send()
    sim.journal()
    sim.state()


@settings(max_examples=300, deadline=None)
@given(JSON | POLICIES)
def test_what_is_no_policy_is_only_that(given: Any) -> None:
    with contextlib.suppress(PolicyError):
        assert isinstance(read_policy(given).allows("dcs:instance:list"), bool)


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (b"/v2/\xff\xfe/instances", {}),
        (b"/v2/x/instances?name=\xff", {}),
        (b"/v3/projects", {"Authorization": b"SDK-HMAC-SHA256 Access=\xff, SignedHeaders=\xff, Signature=00"}),
        (b"/v3/projects", {"X-Auth-Token": b"\xff\xff"}),
        (b"/v3/projects?%zz=%&&==", {}),
        (b"//v3//projects//", {}),
        (b"/_simulator/", {}),
        (b"/_simulator/%ff", {}),
    ],
)
def test_bytes_that_are_no_text(sim: Simulator, target: bytes, headers: dict[str, bytes]) -> None:
    connection = http.client.HTTPConnection(urlsplit(sim.url).netloc, timeout=10)
    connection._encode_request = lambda request: request.encode("latin-1")  # type: ignore[attr-defined]
    connection._validate_path = lambda url: None  # type: ignore[attr-defined]
    connection.request("GET", target.decode("latin-1"), headers=headers)
    assert connection.getresponse().status in (400, 401, 404)
    connection.close()
    sim.journal()


@pytest.mark.parametrize("size", [1_000_000, 3_000_000])
def test_large_bodies(sim: Simulator, caller: Caller, size: int) -> None:
    answer = caller.plain("POST", "/v3/auth/tokens", data=b" " * size)
    assert answer.status_code in (400, 413)
    assert caller.get(caller.dcs + "/instances").status_code == 200
