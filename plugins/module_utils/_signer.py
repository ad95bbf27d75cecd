# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing in with an access key, permanent or temporary: the signature scheme SDK-HMAC-SHA256 (contract 6.2)."""

from __future__ import annotations

import hashlib
import hmac
import typing as t
from datetime import datetime, timezone
from urllib.parse import quote, unquote, urlsplit

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import AnswerError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import parse_api_time

ALGORITHM = "SDK-HMAC-SHA256"

#: What a library or a proxy may change after signing.
_NOT_SIGNED = frozenset(
    ("accept", "accept-encoding", "authorization", "connection", "content-length", "transfer-encoding")
)


def lacking(values: t.Container[str]) -> list[str]:
    """What is missing for signing."""
    return [name for name in ("access_key", "secret_key") if name not in values]


def read_temporary_key(operation: Operation, data: t.Any) -> dict[str, str]:
    """The key in an answer of IAM or of the metadata service, as options; AnswerError when there is none."""
    found = data.get("credential") if isinstance(data, dict) else None
    found = found if isinstance(found, dict) else {}
    # The SDK knows three spellings (contract 6.5).
    security_token = found.get("securitytoken") or found.get("securityToken") or found.get("security_token")
    key = {"access_key": found.get("access"), "secret_key": found.get("secret"), "security_token": security_token}
    values = {name: value for name, value in key.items() if isinstance(value, str) and is_secret(value)}
    if len(values) < len(key):
        raise operation.error(AnswerError, f"{operation.name} was answered without a temporary access key.")
    ends = parse_api_time(found.get("expires_at") or found.get("expiration"))
    if ends is not None and ends < datetime.now(timezone.utc):
        raise operation.error(
            AnswerError, f"{operation.name} was answered with an access key that has expired.", retryable=False
        )
    return values


def is_header_text(value: object) -> bool:
    """Whether this can be sent in a header, and nothing else with it."""
    return isinstance(value, str) and bool(value) and value.isascii() and value.isprintable() and " " not in value


def is_secret(value: object) -> bool:
    """Whether a service can have issued this: shorter ones would hide parts of all results, longer ones are none."""
    return is_header_text(value) and 16 <= len(str(value)) <= 65536


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
        if not body:
            # The official signers differ in what they sign when this header is there and a body is not (C36).
            headers.pop("X-Sdk-Content-Sha256", None)
        elif not headers.get("Content-Type", "application/json").startswith(("application/json", "application/bson")):
            # Bodies of other types are not hashed (vector V12).
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
