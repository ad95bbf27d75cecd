# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: every way to ask for a token, the project look-up, and temporary keys."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.caller import Caller, check
from tests.simulator import Simulator

TOKENS, KEYS = "/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"


def _refused(answer: Any, status: int, title: str) -> None:
    assert answer.status_code == status, answer.text
    check("iam-error", answer.json())
    assert (answer.json()["error"]["code"], answer.json()["error"]["title"]) == (status, title)


def test_scopes(sim: Simulator, caller: Caller) -> None:
    for scope, expected in (
        ({"project": {"name": sim.region}}, sim.project_id),
        ({"project": {"id": sim.projects[1]}}, sim.projects[1]),
        ({"project": {"id": sim.project_id}, "domain": {"name": sim.domain_name}}, sim.project_id),
        ({"domain": {"name": sim.domain_name}}, None),
    ):
        body = caller.token_body()
        body["auth"]["scope"] = scope
        token = caller.plain("POST", TOKENS, json=body).json()["token"]
        assert token.get("project", {}).get("id") == expected


def test_catalog_can_be_left_out(caller: Caller) -> None:
    body = caller.token_body()
    assert caller.plain("POST", TOKENS, json=body).json()["token"]["catalog"]
    assert caller.plain("POST", TOKENS + "?nocatalog=true", json=body).json()["token"]["catalog"] == []


def test_user_by_id(sim: Simulator, caller: Caller) -> None:
    user_id = caller.plain("POST", TOKENS, json=caller.token_body()).json()["token"]["user"]["id"]
    body = caller.token_body()
    body["auth"]["identity"]["password"]["user"] = {"id": user_id, "password": sim.password}
    assert caller.plain("POST", TOKENS, json=body).status_code == 201


@pytest.mark.parametrize("change", [{"password": "x"}, {"name": "nobody"}, {"domain": {"name": "other"}}])
def test_wrong_user(caller: Caller, change: dict[str, Any]) -> None:
    _refused(caller.plain("POST", TOKENS, json=caller.token_body(**change)), 401, "Unauthorized")


def test_wrong_bodies(caller: Caller) -> None:
    without_scope = caller.token_body()
    del without_scope["auth"]["scope"]
    without_domain = caller.token_body()
    del without_domain["auth"]["identity"]["password"]["user"]["domain"]
    bodies: list[dict[str, Any]] = [{}, {"auth": []}, without_scope, without_domain]
    for body in bodies:
        _refused(caller.plain("POST", TOKENS, json=body), 400, "Bad Request")
    _refused(caller.plain("POST", TOKENS, data=b"{"), 400, "Bad Request")
    _refused(caller.plain("POST", TOKENS), 400, "Bad Request")
    unknown = caller.token_body()
    unknown["auth"]["scope"] = {"project": {"name": "elsewhere"}}
    _refused(caller.plain("POST", TOKENS, json=unknown), 401, "Unauthorized")
    _refused(caller.plain("GET", TOKENS), 405, "Method Not Allowed")


def test_passcode(caller: Caller) -> None:
    body = caller.token_body(name="guarded", password="Simulator-Password-3!")
    _refused(caller.plain("POST", TOKENS, json=body), 401, "Unauthorized")
    identity = body["auth"]["identity"]
    identity["methods"] = ["password", "totp"]
    identity["totp"] = {"user": {"passcode": "000000"}}
    _refused(caller.plain("POST", TOKENS, json=body), 401, "Unauthorized")
    identity["totp"]["user"]["passcode"] = "123456"
    answer = caller.plain("POST", TOKENS, json=body)
    assert answer.status_code == 201
    assert answer.json()["token"]["methods"] == ["password", "totp"]


def test_projects(sim: Simulator, caller: Caller) -> None:
    def ids(**query: Any) -> list[str]:
        return [project["id"] for project in caller.get("/v3/projects", **query).json()["projects"]]

    domain = caller.get("/v3/auth/domains").json()["domains"][0]["id"]
    assert ids() == sim.projects
    assert ids(name=sim.region) == [sim.project_id]
    assert ids(name="elsewhere") == []
    assert ids(domain_id=domain, enabled="true", is_domain="false", parent_id=domain) == sim.projects
    assert ids(domain_id="0" * 32) == []
    assert ids(enabled="false") == ids(is_domain="true") == []
    assert [ids(page=number, per_page=1) for number in (1, 2, 3)] == [sim.projects[:1], sim.projects[1:], []]
    _refused(caller.get("/v3/projects", per_page=5001), 400, "Bad Request")
    _refused(caller.plain("GET", "/v3/projects"), 401, "Unauthorized")


def test_a_user_sees_only_the_own_projects(sim: Simulator, caller: Caller) -> None:
    scenario: dict[str, Any] = {
        "projects": [{"name": "a"}, {"name": "b"}, {"name": "b"}, {"name": "c", "enabled": False}]
    }
    with pytest.raises(Exception, match="appears twice"):
        sim.reset(scenario)
    scenario["projects"][2]["id"] = "b" * 32
    ids = sim.reset(scenario)["projects"]
    assert len(caller.get("/v3/projects", name="b").json()["projects"]) == 2
    sim.reset({**scenario, "users": [{"name": "one", "projects": [ids[1]]}]})
    assert [each["id"] for each in caller.get("/v3/projects").json()["projects"]] == [ids[1]]
    assert caller.get(f"/v2/{ids[0]}/instances").status_code == 401
    assert caller.get(f"/v2/{ids[1]}/instances").status_code == 200


def test_temporary_keys_are_refused(sim: Simulator, caller: Caller) -> None:
    def ask(**changes: Any) -> Any:
        role = {"agency_name": "maintenance-agency", "domain_name": sim.domain_name, **changes}
        body = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
        return caller.call("POST", KEYS, body=body)

    assert ask(duration_seconds=86400).status_code == 201
    _refused(ask(duration_seconds=899), 400, "Bad Request")
    _refused(ask(duration_seconds=86401), 400, "Bad Request")
    _refused(ask(agency_name="nobody"), 404, "Not Found")
    _refused(ask(domain_name="elsewhere"), 404, "Not Found")
    _refused(caller.plain("POST", KEYS, json={}), 401, "Unauthorized")


def test_temporary_keys_of_a_token(caller: Caller) -> None:
    token = caller.token()
    body = {"auth": {"identity": {"methods": ["token"], "token": {"id": token, "duration_seconds": 900}}}}
    answer = caller.with_token(token, "POST", KEYS, json=body)
    assert answer.status_code == 201
    check("iam-CreateTemporaryAccessKey", answer.json())
