# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signed and plain requests to the simulator, made without the collection's own client."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import jsonschema
import requests
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from tests.simulator import Simulator

SCHEMA_FOLDER = Path(__file__).parent / "schema"
SCHEMAS: dict[str, Any] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(SCHEMA_FOLDER.glob("*.json"))
}


class Keys(NamedTuple):
    """What the official signer reads of credentials."""

    ak: str
    sk: str


def check(name: str, value: Any) -> None:
    """The value satisfies the schema of this name."""
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(value)


def sdk_date(offset: float = 0.0) -> str:
    """X-Sdk-Date of now, or of so many seconds from now."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + offset))


class Caller:
    """Sends requests to the simulator as the operator with AK/SK; `token` and others on demand."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.session = requests.Session()
        self.session.trust_env = False

    @property
    def dcs(self) -> str:
        return f"/v2/{self.sim.project_id}"

    @property
    def dds(self) -> str:
        return f"/v3/{self.sim.project_id}"

    def sign(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        keys: Keys | None = None,
    ) -> tuple[str, dict[str, str]]:
        """URL and headers as the official signer makes them."""
        request = SdkRequest(
            method=method,
            schema="http",
            host=urlsplit(self.sim.url).netloc,
            resource_path=path,
            query_params=list(query or []),
            header_params={"Content-Type": "application/json", **(headers or {})},
            body=body,
        )
        signed = Signer(keys or Keys(self.sim.access_key, self.sim.secret_key)).sign(request)
        return self.sim.url + signed.uri, dict(signed.header_params)

    def call(
        self,
        method: str,
        path: str,
        query: dict[str, Any] | None = None,
        body: Any = None,
        *,
        keys: Keys | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 20,
    ) -> requests.Response:
        """One signed request."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        pairs = [(key, str(value)) for key, value in (query or {}).items()]
        url, signed = self.sign(method, path, pairs, data, headers, keys)
        return self.session.request(method, url, data=data, headers=signed, timeout=timeout, allow_redirects=False)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.call("GET", path, query)

    def plain(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request that is not signed."""
        return self.session.request(method, self.sim.url + path, timeout=20, allow_redirects=False, **options)

    def tasks_path(self, instance_name: str = "redis-sessions-prod") -> str:
        return f"{self.dcs}/instances/{self.sim.instance(instance_name)['instance_id']}/tasks"

    def resize_path(self, instance_name: str) -> str:
        return f"{self.dcs}/instances/{self.sim.instance(instance_name)['instance_id']}/resize"

    def cancel_path(self, instance_name: str, task_id: str) -> str:
        return f"{self.resize_path(instance_name)}/cancel/{task_id}"

    def resize(self, instance_name: str, immediately: bool = False) -> requests.Response:
        body = {"spec_code": "redis.ha.xu1.large.r2.64", "new_capacity": 64, "execute_immediately": immediately}
        return self.call("POST", self.resize_path(instance_name), body=body)

    def token_body(self, **changes: Any) -> dict[str, Any]:
        """The body of a sign-in as the operator; `changes` go into the user."""
        user = {"name": self.sim.username, "password": self.sim.password, "domain": {"name": self.sim.domain_name}}
        identity = {"methods": ["password"], "password": {"user": {**user, **changes}}}
        return {"auth": {"identity": identity, "scope": {"project": {"id": self.sim.project_id}}}}

    def token(self, scope: dict[str, Any] | None = None) -> str:
        """A new token."""
        body = self.token_body()
        if scope is not None:
            body["auth"]["scope"] = scope
        answer = self.plain("POST", "/v3/auth/tokens", json=body)
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"]

    def with_token(self, token: str, method: str, path: str, **options: Any) -> requests.Response:
        return self.plain(method, path, headers={"X-Auth-Token": token}, **options)


def refused(answer: requests.Response, status: int, code: str) -> None:
    """The answer is this refusal in the shape of its service."""
    body = answer.json()
    found = body.get("error_code", body.get("error", {}).get("code"))
    assert (answer.status_code, str(found)) == (status, code), answer.text
    assert answer.headers["X-Request-Id"]
    if code.startswith("APIGW."):
        check("gateway-error", body)
        assert body["request_id"] == answer.headers["X-Request-Id"]
    elif code.startswith("DBS."):
        check("dds-error", body)
    elif "error" not in body:
        check("dcs-error", body)
