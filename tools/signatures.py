# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Renew tests/signatures/signed.json: sign the requests beside it with the official Python SDK and the official Node SDK.

    .venv/bin/python tools/signatures.py

Needs Node and npm; the Node SDK goes to build/signatures. A new request is added to tests/signatures/requests.json.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import pathlib
import shutil
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = CHECKOUT / "tests" / "signatures"
PYTHON_SDK = "huaweicloudsdkcore"
NODE_SDK = "@huaweicloud/huaweicloud-sdk-core"
NODE_SDK_VERSION = "3.1.211"


def sign_with_python(known: dict[str, Any]) -> dict[str, str]:
    """Return the Authorization header of each request, by its name, as the official Python SDK makes it."""
    signer = Signer(SimpleNamespace(ak=known["access_key"], sk=known["secret_key"]))
    signed = {}
    for request in known["requests"]:
        body = request.get("body", "").encode() or base64.b64decode(request.get("body_base64", ""))
        prepared = SdkRequest(
            method=request["method"],
            schema="https",
            host=request["host"],
            resource_path=request["path"],
            query_params=[tuple(pair) for pair in request["query"]],
            header_params={**request["headers"], "X-Sdk-Date": known["date"]},
            body=body,
        )
        signed[request["name"]] = signer.sign(prepared).header_params["Authorization"]
    return signed


def sign_with_node(known: dict[str, Any]) -> dict[str, str]:
    """Return the same as the official Node SDK makes it, which is installed first."""
    if not shutil.which("npm"):
        sys.exit("signatures.py: npm is not on this machine; install Node, which comes with it.")
    folder = CHECKOUT / "build" / "signatures"
    folder.mkdir(parents=True, exist_ok=True)
    package = f"{NODE_SDK}@{NODE_SDK_VERSION}"
    subprocess.run(
        ["npm", "install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", package],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    # Node looks for packages from the script's own folder upwards.
    script = folder / "signatures.js"
    shutil.copy(pathlib.Path(__file__).with_suffix(".js"), script)
    answer = subprocess.run(
        ["node", script], input=json.dumps(known), stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True
    ).stdout
    signed: dict[str, str] = json.loads(answer)
    return signed


def main() -> None:
    """Write who signed, and what came out."""
    known = json.loads((FOLDER / "requests.json").read_text(encoding="utf-8"))
    found = {
        "python": {"name": PYTHON_SDK, "version": importlib.metadata.version(PYTHON_SDK)},
        "node": {"name": NODE_SDK, "version": NODE_SDK_VERSION},
    }
    found["python"]["signed"] = sign_with_python(known)
    found["node"]["signed"] = sign_with_node(known)
    (FOLDER / "signed.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    same = sum(found["node"]["signed"][name] == value for name, value in found["python"]["signed"].items())
    print(f"{len(known['requests'])} requests, {same} of them signed alike by both.")


if __name__ == "__main__":
    main()
