# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Temporary keys that somebody issues (contract 6.5).

As the machine: those of its agency, from the metadata service. Its address is fixed and local to the machine, so plain
HTTP is right here, and no proxy is ever asked. As an agency of any account: from IAM, with whatever credentials there are.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import AnswerError, ApiError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._signer import is_secret, read_temporary_key

CREATE_TOKEN = Operation("CreateMetadataToken", "metadata", "PUT", "/meta-data/latest/api/token", secret=True)
SHOW_KEY = Operation("ShowSecurityKey", "metadata", "GET", "/openstack/latest/securitykey", secret=True)

_PATIENCE = 3.0  # seconds
#: The service has no version 2.
_NO_V2 = (404, 405, 503)

ASSUME_AGENCY = Operation(
    "CreateTemporaryAccessKey", "iam", "POST", "/v3.0/OS-CREDENTIAL/securitytokens", "iam:tokens:assume", secret=True
)

_SHORTEST, _LONGEST = 900, 86400  # seconds that the keys may last


def machine_key(client: Client, base_url: str) -> dict[str, str]:
    """Temporary keys, with a session token (version 2) where the service gives one, as the SDK does."""
    headers = {}
    try:
        ttl = {"X-Metadata-Token-Ttl-Seconds": "21600"}
        token = client.request(CREATE_TOKEN, base_url, headers=ttl, as_text=True, patience=_PATIENCE).data.strip()
        # A page, or JSON, is of somebody else.
        if not is_secret(token) or token[0] in "<{[":
            raise CREATE_TOKEN.error(AnswerError, "The metadata service answered without a token.")
        headers = {"X-Metadata-Token": token}
        client.keep_secret(token)
    except ApiError as error:
        if error.http_status not in _NO_V2:
            raise
    try:
        answer = client.request(SHOW_KEY, base_url, headers=headers, patience=_PATIENCE)
    except ApiError as error:
        error.hint = "Give this machine an agency (its console page has it), or sign in another way."
        raise
    return read_temporary_key(SHOW_KEY, answer.data)


def lacking(values: t.Container[str]) -> list[str]:
    """What is missing: the agency's name, or the account that it belongs to."""
    if "agency_name" not in values:
        return ["agency_name"]
    known = "agency_domain_name" in values or "agency_domain_id" in values
    return [] if known else ["agency_domain_name or agency_domain_id"]


def assume(
    client: Client,
    base_url: str,
    agency: t.Mapping[str, str],
    auth: t.Callable[[t.Any], t.Any],
    renew: t.Callable[[], bool],
) -> dict[str, str]:
    """Temporary keys of the agency, which last as long as this task may."""
    seconds = min(_LONGEST, max(_SHORTEST, round(client.remaining())))
    domain = "domain_id" if "agency_domain_id" in agency else "domain_name"
    role = {
        "agency_name": agency["agency_name"],
        domain: agency[f"agency_{domain}"],
        "duration_seconds": seconds,
    }
    body = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
    try:
        answer = client.request(ASSUME_AGENCY, base_url, body=body, auth=auth, renew=renew)
    except ApiError as error:
        if error.hint is None or error.http_status == 404:
            error.hint = "Check agency_name and its account, and that this account may assume it."
        raise
    return read_temporary_key(ASSUME_AGENCY, answer.data)
