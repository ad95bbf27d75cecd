# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator accepts the signatures of other people's signers: published ones, and fixed ones of odd requests."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.signatures import FOREIGN, PUBLISHED, Signed
from tests.simulator import Simulator
from tests.simulator.errors import Refusal
from tests.simulator.identity import Identity, User
from tests.simulator.routes import find
from tests.simulator.scenarios import load
from tests.simulator.signing import pairs, verify
from tests.simulator.switches import Switches
from tests.simulator.times import parse_iso

PROJECT = "0123456789abcdef0123456789abcdef"
#: Where the Node SDK differs, it does so from what is on the wire.
NODE_ALIKE = [name for name, vector in FOREIGN.items() if vector.node_differs is None]


def accepted(vector: Signed, authorization: str) -> None:
    """The verifier, at the time of the vector, finds the access key; a Refusal otherwise."""
    user = User("0" * 32, "foreign", "", vector.access_key, vector.secret_key, None, (), frozenset())
    identity = Identity([user], [])
    headers = {name.lower(): value.strip() for name, value in vector.headers.items()}
    if "x-sdk-content-sha256" in authorization:
        headers.setdefault("x-sdk-content-sha256", "UNSIGNED-PAYLOAD")
    headers["authorization"] = authorization
    now = parse_iso(
        f"{vector.date[:4]}-{vector.date[4:6]}-{vector.date[6:8]}T{vector.date[9:11]}:{vector.date[11:13]}:00Z"
    )
    assert now is not None
    key = verify(identity, Switches(), now, vector.method, vector.path, pairs(vector.query), headers, vector.body)
    assert key.access == vector.access_key


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_vectors(name: str) -> None:
    accepted(PUBLISHED[name], PUBLISHED[name].authorization)


@pytest.mark.parametrize("name", FOREIGN)
def test_python_sdk(name: str) -> None:
    accepted(FOREIGN[name], FOREIGN[name].authorization)


@pytest.mark.parametrize("name", NODE_ALIKE)
def test_node_sdk(name: str) -> None:
    vector = FOREIGN[name]
    assert vector.by_node is not None
    accepted(vector, vector.by_node)


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("end", ["0", "1"])
def test_changed_signatures_are_refused(name: str, end: str) -> None:
    """The verifier itself: it does not accept everything."""
    changed = FOREIGN[name].authorization[:-1] + end
    if changed != FOREIGN[name].authorization:
        with pytest.raises(Refusal):
            accepted(FOREIGN[name], changed)


def sent(sim: Simulator, vector: Signed) -> http.client.HTTPResponse:
    """The answer to exactly this request, from its bytes on the wire."""
    connection = http.client.HTTPConnection(urlsplit(sim.url).netloc, timeout=20)
    target = vector.path + (f"?{vector.query}" if vector.pairs else "")
    connection.putrequest(vector.method, target, skip_host=True, skip_accept_encoding=True)
    for header, value in {**vector.headers, "Authorization": vector.authorization}.items():
        connection.putheader(header, value.encode())
    if vector.body:
        connection.putheader("Content-Length", str(len(vector.body)))
    connection.endheaders(vector.body or None)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


#: Requests that the simulator knows, without temporary keys, as those of a vector are not in any scenario.
ON_THE_WIRE = [
    name
    for name, vector in FOREIGN.items()
    if not isinstance(find(vector.method, vector.path), Refusal) and "X-Security-Token" not in vector.headers
]


@pytest.mark.parametrize("name", ON_THE_WIRE)
def test_on_the_wire(sim: Simulator, name: str) -> None:
    """Whatever the answer is, it is none about the signature; with another secret key it is."""
    vector = FOREIGN[name]
    scenario: dict[str, Any] = load("empty")
    scenario["projects"] = [{"id": PROJECT, "name": "sim-region-1"}]
    key = {"name": "foreign", "access_key": vector.access_key, "secret_key": vector.secret_key}
    for secret_key, statuses in ((vector.secret_key, (200, 400, 404)), (vector.secret_key + "x", (401,))):
        sim.reset({**scenario, "users": [{**key, "secret_key": secret_key}]})
        # The date of the signature is long ago.
        sim.switches({"max_skew_minutes": 10**8})
        assert sent(sim, vector).status in statuses


def test_most_are_on_the_wire() -> None:
    assert len(ON_THE_WIRE) >= 20
