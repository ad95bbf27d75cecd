# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metadata service of a machine: temporary keys of its agency, with or without a session token (docs/api.md 6.5)."""

from __future__ import annotations

import re
import secrets

from .call import Answer, Call, Operation, json_answer
from .errors import Refusal
from .iam import credential

_KEY_SECONDS = 6 * 3600
_LONGEST_TTL = 21600


def _text(status: int, message: str) -> Refusal:
    return Refusal("text", status, str(status), message)


def create_metadata_token(call: Call) -> Answer:
    if call.switches["metadata"] != "v2":
        raise _text(404, "Not Found")
    ttl = call.headers.get("x-metadata-token-ttl-seconds", "")
    if not (re.fullmatch(r"\d{1,5}", ttl, re.ASCII) and 1 <= int(ttl) <= _LONGEST_TTL):
        raise _text(400, "Bad Request")
    token = secrets.token_urlsafe(40)
    call.identity.metadata_tokens[token] = call.now + int(ttl)
    return Answer(200, token.encode(), content_type="text/plain")


def show_security_key(call: Call) -> Answer:
    mode = call.switches["metadata"]
    if mode == "none":
        raise _text(401, "Please configure Cloud Service Agency first")
    if mode == "v2":
        token = call.headers.get("x-metadata-token", "")
        if call.identity.metadata_tokens.get(token, 0.0) <= call.now:
            raise _text(401, "Unauthorized")
    agency = call.identity.agencies[0]
    key = call.identity.issue_key(call.identity.delegate(agency), call.now + _KEY_SECONDS)
    return json_answer(credential(key))


OPERATIONS = (
    Operation("metadata", "CreateMetadataToken", "PUT", "/meta-data/latest/api/token", "", create_metadata_token),
    Operation("metadata", "ShowSecurityKey", "GET", "/openstack/latest/securitykey", "", show_security_key),
)
