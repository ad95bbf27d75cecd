# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What schemathesis loads for tools/openapi_check.py: signatures, ids that exist, and a check that no signature is refused.

The variable OPENAPI_CHECK holds a JSON object: C(access_key), C(secret_key), and C(ids), lists of values by the name of a
path parameter.
"""

from __future__ import annotations

import json
import os
import zlib
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import requests
import schemathesis
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

KNOWN: dict[str, Any] = json.loads(os.environ["OPENAPI_CHECK"])
#: Of so many values that are made up for an id, one is left as it is.
LEFT_AS_IT_IS = 4


class Signed(requests.auth.AuthBase):
    """Signs what is about to be sent with the official signer."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Sign the host and the date over this path, query and body."""
        parts = urlsplit(str(request.url))
        pairs = (part.partition("=") for part in parts.query.split("&") if part)
        body = request.body or b""
        signed = Signer(SimpleNamespace(ak=KNOWN["access_key"], sk=KNOWN["secret_key"])).sign(
            SdkRequest(
                method=str(request.method),
                schema=parts.scheme,
                host=parts.netloc,
                resource_path=parts.path or "/",
                query_params=[(unquote_plus(name), unquote_plus(value)) for name, _equals, value in pairs],
                header_params={"X-Sdk-Date": datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")},
                body=body.encode() if isinstance(body, str) else body,
            )
        )
        request.headers.update(signed.header_params)
        return request


schemathesis.auth.set_from_requests(Signed())


@schemathesis.hook
def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Put ids that exist in place of most that are made up: of those, all would be refused alike."""
    for name, values in KNOWN["ids"].items():
        if path_parameters and name in path_parameters:
            number = zlib.crc32(repr(path_parameters[name]).encode())
            if name == "project_id" or number % LEFT_AS_IT_IS:
                path_parameters[name] = values[number // LEFT_AS_IT_IS % len(values)]
    return path_parameters


@schemathesis.check
def signature_is_accepted(_context: Any, response: Any, _case: Any) -> None:
    """The gateway never refuses to sign in; a service may do so, for a wrong password or another project."""
    if response.status_code == 401 and "APIGW." in response.text:
        raise AssertionError(response.text)
