# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signatures that other people's signers made, as data: published ones, and those of odd requests.

- C(published.json): from the tests of the Go and Java SDKs; each names its source.
- C(requests.json): requests, each with what it shows. C(sent) marks those that this collection can send; C(node_differs)
  is the reason why the two signers disagree.
- C(signed.json): what the official Python and Node SDKs made of them, with name and version; C(tools/signatures.py) renews it.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

_FOLDER = Path(__file__).parent


class Signed(NamedTuple):
    """A request with all headers that are signed, and who gave it which C(Authorization).

    C(path) is as on the wire, C(query) as on the wire without the C(?); C(by_node) is None where the Node SDK signed nothing.
    """

    name: str
    sent: bool
    access_key: str
    secret_key: str
    date: str
    method: str
    path: str
    pairs: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    authorization: str
    by_node: str | None
    node_differs: str | None

    @property
    def query(self) -> str:
        """The query as on the wire, in the order given."""
        return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.pairs)

    @property
    def url(self) -> str:
        """The URL; what is not signed of the host is invented."""
        host = self.headers.get("Host", "unsigned.example.com")
        return f"https://{host}{self.path}" + (f"?{self.query}" if self.pairs else "")


def _read(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text(encoding="utf-8"))


def _published(vector: dict[str, Any]) -> Signed:
    return Signed(
        name=vector["name"],
        sent=False,
        access_key=vector["access_key"],
        secret_key=vector["secret_key"],
        date=vector["headers"]["X-Sdk-Date"],
        method=vector["method"],
        path=vector["path"],
        pairs=list(map(tuple, vector["query"])),
        headers=vector["headers"],
        body=vector["body"].encode(),
        authorization=vector["authorization"],
        by_node=None,
        node_differs=None,
    )


def _foreign(request: dict[str, Any], known: dict[str, Any], signed: dict[str, Any]) -> Signed:
    headers = {**request["headers"], "Host": request["host"], "X-Sdk-Date": known["date"]}
    return Signed(
        name=request["name"],
        sent=request["sent"],
        access_key=known["access_key"],
        secret_key=known["secret_key"],
        date=known["date"],
        method=request["method"],
        path=request["path"],
        pairs=list(map(tuple, request["query"])),
        headers=headers,
        body=request.get("body", "").encode() or base64.b64decode(request.get("body_base64", "")),
        authorization=signed["python"]["signed"][request["name"]],
        by_node=signed["node"]["signed"][request["name"]],
        node_differs=request.get("node_differs"),
    )


_KNOWN, SIGNERS = _read("requests.json"), _read("signed.json")
#: By the name of the vector.
PUBLISHED = {vector["name"]: _published(vector) for vector in _read("published.json")["vectors"]}
#: By the name of the request.
FOREIGN = {request["name"]: _foreign(request, _KNOWN, SIGNERS) for request in _KNOWN["requests"]}
