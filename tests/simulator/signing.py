# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks SDK-HMAC-SHA256 signatures with the official signer of `huaweicloudsdkcore`, never with code of our own."""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timezone
from typing import NamedTuple
from urllib.parse import unquote_plus

from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from .errors import sign_in_refusal
from .identity import FAILURES_ALLOWED, AccessKey, Identity
from .switches import Switches
from .times import iam_time

ALGORITHM = "SDK-HMAC-SHA256"
_AUTHORIZATION = re.compile(
    r"SDK-HMAC-SHA256\s+Access=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-fA-F]+)\s*"
)


class _Keys(NamedTuple):
    """What the signer reads of credentials. The SDK's own class writes files into the home folder when imported."""

    ak: str
    sk: str


def pairs(raw_query: str) -> list[tuple[str, str]]:
    """The query as decoded pairs. A plus stands for a space, so a real plus must arrive as %2B (docs/api.md 3.2)."""
    found = []
    for part in raw_query.split("&"):
        if part:
            key, _unused, value = part.partition("=")
            found.append((unquote_plus(key), unquote_plus(value)))
    return found


def verify(
    identity: Identity,
    switches: Switches,
    now: float,
    method: str,
    raw_path: str,
    query: list[tuple[str, str]],
    headers: dict[str, str],
    body: bytes,
    ahead: float = 0.0,
) -> AccessKey:
    """The access key that signed the request; a Refusal otherwise. `headers` has lower-case names.

    `ahead` is how far the cloud's clock was put ahead: the date of a signature is compared with the true time.
    """
    match = _AUTHORIZATION.fullmatch(headers["authorization"])
    if match is None:
        raise sign_in_refusal("authorization header needs Access, SignedHeaders and Signature")
    access, signed_text, signature = match.groups()
    signed = signed_text.split(";")
    key = _known_key(identity, access, headers, now)
    _check_date(signed, headers, float(switches["max_skew_minutes"]), now - ahead)
    missing = [name for name in signed if name not in headers]
    if missing:
        raise sign_in_refusal(f"signed header not found: {';'.join(missing)}")
    canonical, expected = _official(key, method, raw_path, query, signed, headers, body)
    right = [expected]
    if not body and "x-sdk-content-sha256" in signed:
        # The signer of Python hashes the body that is not there; those of other languages sign the header's value, as
        # all do where there is a body (C36).
        right.append(_official(key, method, raw_path, query, signed, headers, b"any")[1])
    if any(hmac.compare_digest(each.lower().encode(), signature.lower().encode()) for each in right):
        key.failures = 0
        return key
    key.failures += 1
    if key.failures > FAILURES_ALLOWED:
        key.failures = 0
        key.locked_until = now + float(switches["lock_seconds"])
    raise sign_in_refusal("verify aksk signature fail, canonicalRequest:" + canonical.replace("\n", "|"))


def _known_key(identity: Identity, access: str, headers: dict[str, str], now: float) -> AccessKey:
    key = identity.keys.get(access)
    if key is None:
        raise sign_in_refusal(f"ak {access} not exist")
    if key.locked_until > now:
        raise sign_in_refusal("AK access failed to reach the limit,forbidden.")
    if key.security_token is not None:
        # Temporary keys without their token look like unknown ones (docs/api.md 4.4).
        if headers.get("x-security-token") is None:
            raise sign_in_refusal(f"ak {access} not exist")
        if not hmac.compare_digest(headers["x-security-token"].encode(), key.security_token.encode()):
            raise sign_in_refusal("decrypt token fail")
        if key.expires_at is not None and key.expires_at <= now:
            raise sign_in_refusal(f"token expires, expires_at: {iam_time(key.expires_at)}")
    return key


def _check_date(signed: list[str], headers: dict[str, str], minutes: float, now: float) -> None:
    if "x-sdk-date" not in signed:
        raise sign_in_refusal("x-sdk-date is not signed")
    text = headers.get("x-sdk-date", "")
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise sign_in_refusal(f"x-sdk-date {text} is not of the form yyyyMMddTHHmmssZ") from None
    if abs(moment - now) > minutes * 60:
        raise sign_in_refusal(f"x-sdk-date {text} is more than {minutes:g} minutes from the server time")


def _official(
    key: AccessKey,
    method: str,
    raw_path: str,
    query: list[tuple[str, str]],
    signed: list[str],
    headers: dict[str, str],
    body: bytes,
) -> tuple[str, str]:
    """Canonical request and signature as the official signer makes them, over exactly the signed headers.

    `Signer.sign` would add `host` when it is not signed (C16), so its own steps are called one by one.
    """
    request = SdkRequest(
        method=method,
        resource_path=raw_path,
        query_params=query,
        header_params={name: headers[name] for name in signed},
        body=body,
    )
    signer = Signer(_Keys(key.access, key.secret))
    moment = Signer._process_header_time(request)
    canonical: str = signer._process_canonical_request(request, signed)
    to_sign = signer._process_string_to_sign(canonical, moment)
    return canonical, signer._sign_string_to_sign(to_sign, key.secret)
