# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signature scheme SDK-HMAC-SHA256 with an access key (contract 6.2), as authentication for ``requests``.

C(authorization()) and what it calls are pure: values in, text out. C(AccessKeyAuth) follows the protocol of
C(requests.auth.AuthBase) (a callable that takes a prepared request and returns it) without importing C(requests),
so that arguments are checked before anything slow is loaded.
"""

from __future__ import annotations

import hashlib
import hmac
import typing as t
from datetime import datetime, timezone
from urllib.parse import quote, unquote, urlsplit

ALGORITHM = "SDK-HMAC-SHA256"
_UNRESERVED = "-_.~"

#: Headers that the HTTP library or a proxy may add or change after signing; they are left out of the signature.
_NOT_SIGNED = frozenset(
    ("accept", "accept-encoding", "authorization", "connection", "content-length", "transfer-encoding")
)

#: Bodies of other content types are not hashed: the signature then says so (vector V12).
_HASHED_CONTENT = ("application/json", "application/bson")


def canonical_path(path: str) -> str:
    """The path, each segment decoded and encoded again, with a slash at its end (only in the signature)."""
    encoded = "/".join(quote(segment, safe=_UNRESERVED) for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def canonical_query(query: str) -> str:
    """The query string decoded, sorted by name and then by value, and encoded again."""
    pairs = []
    for part in query.split("&"):
        if part:
            name, _equals, value = part.partition("=")
            pairs.append((unquote(name), unquote(value)))
    return "&".join(
        f"{quote(name, safe=_UNRESERVED)}={quote(value, safe=_UNRESERVED)}" for name, value in sorted(pairs)
    )


def canonical_request(method: str, url: str, headers: t.Mapping[str, str], body: bytes) -> tuple[str, str]:
    """The canonical request and the list of signed headers, for exactly the headers given.

    :arg headers: the headers to sign; C(X-Sdk-Content-Sha256), if among them, stands for the hash of the body.
    """
    parts = urlsplit(url)
    values = {name.lower(): value.strip() for name, value in headers.items()}
    names = sorted(values)
    signed_headers = ";".join(names)
    payload_hash = values.get("x-sdk-content-sha256") if body else None
    lines = [
        method.upper(),
        canonical_path(parts.path),
        canonical_query(parts.query),
        "".join(f"{name}:{values[name]}\n" for name in names),
        signed_headers,
        payload_hash or hashlib.sha256(body).hexdigest(),
    ]
    return "\n".join(lines), signed_headers


def authorization(
    method: str, url: str, headers: t.Mapping[str, str], body: bytes, access_key: str, secret_key: str
) -> str:
    """The value of the C(Authorization) header for a request.

    :arg headers: the headers to sign; C(X-Sdk-Date) must be among them, in the form C(yyyyMMddTHHmmssZ).
    """
    request, signed_headers = canonical_request(method, url, headers, body)
    date = next(value.strip() for name, value in headers.items() if name.lower() == "x-sdk-date")
    to_sign = "\n".join((ALGORITHM, date, hashlib.sha256(request.encode("utf-8")).hexdigest()))
    signature = hmac.new(secret_key.encode("utf-8"), to_sign.encode("utf-8"), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={signed_headers}, Signature={signature}"


class AccessKeyAuth:
    """Signs each request at the moment it is sent, so that a retry carries a fresh date.

    :arg security_token: comes with temporary access keys, and is signed too.
    :arg clock: returns the present time in UTC.
    """

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
        # Setting Host keeps the HTTP library from writing its own: what is signed is what is on the wire.
        headers["Host"] = urlsplit(request.url).netloc
        headers["X-Sdk-Date"] = self._clock().strftime("%Y%m%dT%H%M%SZ")
        if self._security_token:
            headers["X-Security-Token"] = self._security_token
        body = request.body or b""
        if isinstance(body, str):
            body = body.encode("utf-8")
        if not headers.get("Content-Type", "application/json").startswith(_HASHED_CONTENT):
            headers["X-Sdk-Content-Sha256"] = "UNSIGNED-PAYLOAD"
        to_sign = {name: _text(value) for name, value in headers.items() if _is_signed(name)}
        headers["Authorization"] = authorization(
            request.method, request.url, to_sign, body, self._access_key, self._secret_key
        )
        return request


def _is_signed(name: str) -> bool:
    return "_" not in name and name.lower() not in _NOT_SIGNED


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
