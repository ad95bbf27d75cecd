# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing in as the machine: temporary keys of its agency, from the metadata service (contract 6.5).

The address is fixed and local to the machine, so plain HTTP is right here, and no proxy is ever asked.
"""

from __future__ import annotations

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import AnswerError, ApiError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._signer import is_secret, read_temporary_key

CREATE_TOKEN = Operation("CreateMetadataToken", "metadata", "PUT", "/meta-data/latest/api/token", secret=True)
SHOW_KEY = Operation("ShowSecurityKey", "metadata", "GET", "/openstack/latest/securitykey", secret=True)

_SECONDS = 3.0
#: The service has no version 2.
_NO_V2 = (404, 405, 503)


def machine_key(client: Client, base_url: str) -> dict[str, str]:
    """Temporary keys, with a session token (version 2) where the service gives one, as the SDK does."""
    headers = {}
    try:
        ttl = {"X-Metadata-Token-Ttl-Seconds": "21600"}
        token = client.request(CREATE_TOKEN, base_url, headers=ttl, as_text=True, patience=_SECONDS).data.strip()
        if not is_secret(token):
            raise CREATE_TOKEN.error(AnswerError, "The metadata service answered without a token.")
        headers = {"X-Metadata-Token": token}
        client.keep_secret(token)
    except ApiError as error:
        if error.http_status not in _NO_V2:
            raise
    try:
        answer = client.request(SHOW_KEY, base_url, headers=headers, patience=_SECONDS)
    except ApiError as error:
        error.hint = "Give this machine an agency (its console page has it), or sign in another way."
        raise
    return read_temporary_key(SHOW_KEY, answer.data)
