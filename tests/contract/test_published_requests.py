# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator accepts the bodies of requests that Huawei Cloud publishes as examples."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.caller import Caller
from tests.examples import EXAMPLES
from tests.simulator import Simulator

AGENCY = "iam-CreateTemporaryAccessKeyByAgency"
TOKEN = "iam-KeystoneCreateUserTokenByPassword"


def body_of(operation: str, example: str) -> dict[str, Any]:
    found: dict[str, Any] = EXAMPLES[operation][example]["request_body"]
    return found


def test_spec_change(sim: Simulator, caller: Caller) -> None:
    """For an instance on which nothing waits or runs."""
    body = body_of("dcs-ResizeInstance", "document")
    busy = {task["instance_id"] for task in sim.state()["tasks"] if task["status"] != "SUCCESS"}
    instance = next(each for each in sim.state()["dcs_instances"] if each["instance_id"] not in busy)
    path = f"{caller.dcs}/instances/{instance['instance_id']}/resize"
    answer = caller.call("POST", path, body=body)
    assert answer.status_code == 204, answer.text


def test_removal_with_a_body(sim: Simulator, caller: Caller) -> None:
    """The document shows a body for a removal from the task centre."""
    ended = next(task for task in sim.state()["tasks"] if task["status"] == "SUCCESS")
    body = body_of("dcs-DeleteCenterTask", "document")
    answer = caller.call("DELETE", f"{caller.dcs}/tasks/{ended['id']}", body=body)
    assert answer.status_code in (200, 204), answer.text


@pytest.mark.parametrize("example", [name for name in EXAMPLES[AGENCY] if "request" in name])
def test_temporary_keys(sim: Simulator, caller: Caller, example: str) -> None:
    """With a policy, without and with the name of a session; the agency itself is none of the simulator's."""
    scenario = {"agencies": [{"name": "IAMAgency"}]}
    sim.reset({**scenario, "domain": {"id": "d" * 32, "name": "IAMDomainA"}})
    answer = caller.call("POST", "/v3.0/OS-CREDENTIAL/securitytokens", body=body_of(AGENCY, example))
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("example", ["document-project", "document-account"])
def test_tokens(sim: Simulator, caller: Caller, example: str) -> None:
    user = {"name": "IAMUser", "password": "IAMPassword"}
    project = {"id": "a" * 32, "name": "cn-north-1"}
    sim.reset({"domain": {"id": "d" * 32, "name": "IAMDomain"}, "users": [user], "projects": [project]})
    answer = caller.plain("POST", "/v3/auth/tokens", json=body_of(TOKEN, example))
    assert answer.status_code == 201, answer.text
