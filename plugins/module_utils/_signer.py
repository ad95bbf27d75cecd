# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signature scheme SDK-HMAC-SHA256 with an access key (contract 6.2)."""

from __future__ import annotations

import hashlib
import hmac
import typing as t
from datetime import datetime, timezone
from urllib.parse import quote, unquote, urlsplit

ALGORITHM = "SDK-HMAC-SHA256"

#: What a library or a proxy may change after signing.
_NOT_SIGNED = frozenset(
    ("accept", "accept-encoding", "authorization", "connection", "content-length", "transfer-encoding")
)


def canonical_path(path: str) -> str:
    """Each segment decoded and encoded again, with a slash at the end."""
    encoded = "/".join(quote(segment, safe="") for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def canonical_query(query: str) -> str:
    """Decoded, sorted by name and value, and encoded again."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    decoded = sorted((unquote(name), unquote(value)) for name, _equals, value in pairs)
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in decoded)


def canonical_request(method: str, url: str, headers: t.Mapping[str, str], body: bytes) -> tuple[str, str]:
    """The canonical request and the list of signed headers (all)."""
    parts = urlsplit(url)
    values = {name.lower(): value.strip() for name, value in sorted(headers.items(), key=lambda item: item[0].lower())}
    signed_headers = ";".join(values)
    payload_hash = values.get("x-sdk-content-sha256") if body else None
    lines = [
        method.upper(),
        canonical_path(parts.path),
        canonical_query(parts.query),
        "".join(f"{name}:{value}\n" for name, value in values.items()),
        signed_headers,
        payload_hash or hashlib.sha256(body).hexdigest(),
    ]
    return "\n".join(lines), signed_headers


def authorization(
    method: str, url: str, headers: t.Mapping[str, str], body: bytes, access_key: str, secret_key: str
) -> str:
    """The C(Authorization) header; C(X-Sdk-Date) must be among the headers to sign."""
    request, signed_headers = canonical_request(method, url, headers, body)
    date = next(value.strip() for name, value in headers.items() if name.lower() == "x-sdk-date")
    to_sign = "\n".join((ALGORITHM, date, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={signed_headers}, Signature={signature}"


class AccessKeyAuth:
    """Signs each request when it is sent, so that a retry has a fresh date; as C(requests.auth.AuthBase)."""

    def __init__(
        self,
        access_key: str,
        secret_key: str,
        security_token: str | None = None,
        clock: t.Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._access_key = access_key
        self._secret_key = secret_key
        self._security_token = security_token
        self._clock = clock

    def __call__(self, request: t.Any) -> t.Any:
        headers = request.headers
        # Else the HTTP library would write its own.
        headers["Host"] = urlsplit(request.url).netloc
        headers["X-Sdk-Date"] = self._clock().strftime("%Y%m%dT%H%M%SZ")
        if self._security_token:
            headers["X-Security-Token"] = self._security_token
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode()
        # Bodies of other types are not hashed (vector V12).
        if not headers.get("Content-Type", "application/json").startswith(("application/json", "application/bson")):
            headers["X-Sdk-Content-Sha256"] = "UNSIGNED-PAYLOAD"
        to_sign = {
            name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in headers.items()
            if "_" not in name and name.lower() not in _NOT_SIGNED
        }
        headers["Authorization"] = authorization(
            request.method, request.url, to_sign, body, self._access_key, self._secret_key
        )
        return request
