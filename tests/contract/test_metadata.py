# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata service in its three settings, and that its keys work."""

from __future__ import annotations

from tests.contract.caller import Caller, Keys, check
from tests.simulator import Simulator

TOKEN, KEYS = "/meta-data/latest/api/token", "/openstack/latest/securitykey"
TTL = {"X-Metadata-Token-Ttl-Seconds": "21600"}


def test_second_version(sim: Simulator, caller: Caller) -> None:
    assert caller.plain("GET", KEYS).status_code == 401
    assert caller.plain("PUT", TOKEN).status_code == 400
    assert caller.plain("PUT", TOKEN, headers={"X-Metadata-Token-Ttl-Seconds": "21601"}).status_code == 400
    token = caller.plain("PUT", TOKEN, headers=TTL)
    assert (token.status_code, token.headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    answer = caller.plain("GET", KEYS, headers={"X-Metadata-Token": token.text})
    check("iam-CreateTemporaryAccessKey", answer.json())
    made = answer.json()["credential"]
    security = {"X-Security-Token": made["securitytoken"]}
    listed = caller.call("GET", caller.dcs + "/instances", keys=Keys(made["access"], made["secret"]), headers=security)
    assert listed.json()["instance_num"] == 5
    assert caller.plain("GET", KEYS, headers={"X-Metadata-Token": "other"}).status_code == 401


def test_first_version(sim: Simulator, caller: Caller) -> None:
    sim.switches({"metadata": "v1"})
    assert caller.plain("PUT", TOKEN, headers=TTL).status_code == 404
    check("iam-CreateTemporaryAccessKey", caller.plain("GET", KEYS).json())


def test_no_agency(sim: Simulator, caller: Caller) -> None:
    sim.switches({"metadata": "none"})
    assert caller.plain("PUT", TOKEN, headers=TTL).status_code == 404
    answer = caller.plain("GET", KEYS)
    assert (answer.status_code, answer.text) == (401, "Please configure Cloud Service Agency first")
