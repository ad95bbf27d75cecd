# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, in one small tree of exceptions, and how an error body of the API is read.

Every exception ends as one sentence (``msg``) and one dictionary (``failure``) of a module.
Nothing here knows HTTP, options or Ansible, and nothing here may carry a secret.
"""

from __future__ import annotations

import json
import re
import typing as t

#: HTTP statuses after which the same request may succeed later (contract section 8).
RETRYABLE_STATUSES = frozenset((429, 500, 502, 503, 504))

#: Codes that mean "busy, try again later", although their HTTP status says 400 or 403 (contract 4.3, 4.6).
#: Each DCS code has a twin of nine digits, which may come instead.
_BUSY_CODES = frozenset(
    [f"DCS.4{number}" for number in (111, 113, 114, 115, 116, 117, 118, 120)]
    + [f"111400{number}" for number in (111, 113, 114, 115, 116, 117, 118, 120)]
    + ["DBS.200019", "DBS.200998", "DBS.201015", "DBS.280443"]
)

#: Codes with HTTP status 403 that speak of the state of one instance or job, not of permission (contract 4.6).
_STATE_CODES = frozenset(
    ("DBS.200011", "DBS.200018", "DBS.200019", "DBS.200076", "DBS.201000", "DBS.201014", "DBS.201015", "DBS.201028")
)

#: Codes that mean "this instance does not exist", whatever the HTTP status (C12, contract 4.3 and 4.6).
_NO_INSTANCE_CODES = frozenset(
    ("DCS.3022", "111404022", "DBS.200002", "DBS.280110", "DBS.201501", "DBS.201502", "DBS.201028")
)

#: Codes that mean "the requested URL does not exist" (C10).
_NO_URL_CODES = frozenset(("DCS.4001", "111404001"))

#: Digits of the gateway's codes that mean "no such API here" (C10, C22; contract 4.4).
_NO_API_DIGITS = frozenset(("0101", "0103"))

_CODE_KEYS = ("error_code", "errorCode", "errCode", "code")
_MESSAGE_KEYS = ("error_msg", "errorMsg", "error_message", "externalMessage", "message", "title")


class MaintenanceError(Exception):
    """Anything that ends a task; ``str()`` of it is the sentence that the user reads.

    :ivar code: the API's error code, or one of this collection's own words, such as C(InvalidOption).
    :ivar retryable: whether the same task may succeed when it is run again later.
    :ivar uncertain: whether the service may have carried out the request although it seemed to fail.
    :ivar result: what is known of the work so far, for the module to return beside the failure: nothing is lost.
    """

    code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        service: str | None = None,
        operation: str | None = None,
        http_status: int | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        hint: str | None = None,
        uncertain: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.service = service
        self.operation = operation
        self.http_status = http_status
        self.request_id = request_id
        self.retryable = retryable
        self.hint = hint
        self.uncertain = uncertain
        self.result: dict[str, t.Any] = {}

    @property
    def stops_all(self) -> bool:
        """Whether the rest of a bulk task would fail in the same way, so that it is not tried."""
        return True

    @property
    def no_instance(self) -> bool:
        """Whether the service says that the instance does not exist."""
        return False

    def failure(self) -> dict[str, t.Any]:
        """The dictionary that a runbook can branch on; its keys are always the same."""
        return {
            "code": self.code,
            "http_status": self.http_status,
            "request_id": self.request_id,
            "service": self.service,
            "operation": self.operation,
            "retryable": self.retryable,
            "hint": self.hint,
        }


class ConfigError(MaintenanceError):
    """An option, an environment variable or a set of credentials is wrong; no request was sent."""

    code = "InvalidOption"


class MissingLibraryError(MaintenanceError):
    """A Python library that the client needs cannot be imported."""

    code = "MissingLibrary"

    def __init__(self, library: str) -> None:
        super().__init__(f"The Python library {library} is missing.")
        self.library = library


class NetworkError(MaintenanceError):
    """No complete answer arrived: connection, TLS, time-out, or the task's deadline."""

    code = "NetworkError"


class AnswerError(MaintenanceError):
    """An answer arrived, but it is not what the API promises (not JSON, wrong shape, too large)."""

    code = "UnreadableAnswer"


class RefusedError(MaintenanceError):
    """The collection's own rules forbid or prevent what was asked; C(code) says which rule."""


class ApiError(MaintenanceError):
    """The service answered with an error."""

    @property
    def stops_all(self) -> bool:
        """As above: an error that is about one instance, task or job does not stop the others."""
        return self.no_api or (self.http_status not in (400, 404, 409) and self.code not in _STATE_CODES)

    @property
    def no_instance(self) -> bool:
        """As above."""
        return self.code in _NO_INSTANCE_CODES

    @property
    def no_api(self) -> bool:
        """Whether the answer says that this region or cloud does not offer the API at all."""
        return self.code in _NO_URL_CODES or gateway_digits(self.code) in _NO_API_DIGITS


def gateway_digits(code: str | None) -> str | None:
    """The digits of an API gateway code: C(0301) for C(APIGW.0301) and C(APIG.0301) (C22), else None."""
    match = re.match(r"APIGW?\.(\d+)\Z", code or "", re.ASCII)
    return match.group(1) if match else None


def is_retryable(http_status: int, code: str | None) -> bool:
    """Whether an error answer may turn into success when the task is run again later."""
    return http_status in RETRYABLE_STATUSES or code in _BUSY_CODES


class ErrorBody(t.NamedTuple):
    """What an error body says: each part is None where the body does not have it."""

    code: str | None
    message: str | None
    request_id: str | None


def read_error_body(raw: bytes) -> ErrorBody:
    """Read any of the five shapes of an error body (contract 4.1), or none of them.

    The fields may be at the top level or one level down (``{"error": {...}}``), and their names differ
    from service to service. ``code`` is text even where IAM sends a number.
    """
    try:
        body = json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return ErrorBody(None, None, None)
    if not isinstance(body, dict):
        return ErrorBody(None, None, None)
    candidates = [body] + [value for value in body.values() if isinstance(value, dict)]
    for fields in candidates:
        code = _first_text(fields, _CODE_KEYS)
        message = _first_text(fields, _MESSAGE_KEYS)
        if code or message:
            return ErrorBody(code, message, _first_text(fields, ("request_id",)) or _first_text(body, ("request_id",)))
    return ErrorBody(None, None, _first_text(body, ("request_id",)))


def _first_text(fields: dict[str, t.Any], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return None


def one_line(text: str, most: int = 500) -> str:
    """A text of somebody else for use in a sentence: on one line, without control characters, not too long."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * most]).split())
    return text if len(text) <= most else text[:most] + "…"


def hint_for(error: ApiError, action: str | None = None) -> str | None:
    """What the operator can do next about an error answer; None when nothing better than the message is known.

    :arg action: the IAM action that the operation needs (contract 2.1 and 3.1).
    """
    digits = gateway_digits(error.code)
    text = error.message.lower()
    if "forbidden" in text and "reach the limit" in text:
        return (
            "The access key is locked for five minutes after more than five bad signatures;"
            " check the secret key before you run again."
        )
    if digits == "0307" or (error.http_status == 401 and "expire" in text):
        return "The token has expired; sign in again, or use an access key, which does not expire."
    if error.http_status == 401:
        return (
            "Check the credentials, that the clock of this machine is right to within 15 minutes,"
            " and that temporary keys come with their security token."
        )
    if error.no_api:
        return "This region or cloud does not offer this API; check the region and the endpoint."
    if error.no_instance:
        return "Check the instance, the region and the project: the service does not know this instance there."
    if error.http_status == 429 or digits == "0308":
        return "The service limits the rate of requests; run fewer tasks at once, or raise retries."
    if error.retryable:
        return "The service is busy or disturbed; run the task again later."
    if error.code in _STATE_CODES:
        return "The state of the instance or job does not allow this now; look at it, and run the task again later."
    if error.http_status == 403 or error.code == "DBS.280015":
        need = f" the permission {action}" if action else " the permission"
        return f"The user lacks{need} in this project, or the project is not the user's."
    return None
