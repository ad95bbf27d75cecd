# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens of another region, and tokens and temporary keys that end between two requests."""

from __future__ import annotations

import pytest

from tests.contract.caller import Caller, Keys, refused
from tests.simulator import Simulator


def test_a_token_of_another_region_is_good_for_iam_only(sim: Simulator, caller: Caller) -> None:
    here = caller.token()
    sim.switches({"token_region": "elsewhere"})
    token = caller.token()
    assert caller.with_token(token, "GET", "/v3/projects").status_code == 200
    for path in (caller.dcs + "/instances", caller.dds + "/instances"):
        answer = caller.with_token(token, "GET", path)
        refused(answer, 401, "APIGW.0301")
        assert "decrypt token fail" in answer.text
        assert caller.with_token(here, "GET", path).status_code == 200
    sim.switches({"token_region": "here"})
    assert caller.with_token(caller.token(), "GET", caller.dcs + "/instances").status_code == 200


@pytest.mark.parametrize("when", ["before", "after"])
def test_tokens_and_temporary_keys_end_between_requests(sim: Simulator, caller: Caller, when: str) -> None:
    token, path = caller.token(), caller.dcs + "/instances"
    role = {"agency_name": "maintenance-agency", "domain_name": sim.domain_name}
    body = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
    made = caller.call("POST", "/v3.0/OS-CREDENTIAL/securitytokens", body=body).json()["credential"]
    keys, security = Keys(made["access"], made["secret"]), {"X-Security-Token": made["securitytoken"]}
    sim.events([{when: "ListInstances", "count": 2, "do": [{"tokens": "expire"}]}])
    assert caller.with_token(token, "GET", path).status_code == 200
    second = caller.with_token(token, "GET", path)
    assert second.status_code == (200 if when == "after" else 401)
    for answer in (
        caller.with_token(token, "GET", path),
        caller.call("GET", path, keys=keys, headers=security),
    ):
        refused(answer, 401, "APIGW.0301")
        assert "token expires" in answer.text
    # A lasting key goes on, and what is issued from now on is good.
    assert caller.get(path).status_code == 200
    assert caller.with_token(caller.token(), "GET", path).status_code == 200


def test_expiry_as_a_patch_at_once(sim: Simulator, caller: Caller) -> None:
    token = caller.token()
    sim.patch({"tokens": "expire"})
    refused(caller.with_token(token, "GET", caller.dcs + "/instances"), 401, "APIGW.0301")
