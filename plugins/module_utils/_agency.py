# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing in as an agency of another account, or of one's own, with whatever credentials there are (contract 6.5)."""

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ApiError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._signer import read_temporary_key

ASSUME_AGENCY = Operation(
    "CreateTemporaryAccessKey", "iam", "POST", "/v3.0/OS-CREDENTIAL/securitytokens", "iam:tokens:assume", secret=True
)

_SHORTEST, _LONGEST = 900, 86400  # seconds that the keys may last


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
        error.hint = error.hint or "Check agency_name and its account, and that this account may assume it."
        raise
    return read_temporary_key(ASSUME_AGENCY, answer.data)
