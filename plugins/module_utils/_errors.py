# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, and how foreign text is read and shown."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._foreign import read_json

#: HTTP statuses after which the same request may succeed later (contract section 8).
RETRYABLE_STATUSES = frozenset((429, 500, 502, 503, 504))

#: "Busy, try again later", although the HTTP status says 400 or 403 (contract 4.3, 4.6).
#: The Terraform provider repeats some more of them (contract 4.3).
_BUSY_NUMBERS = "026 049 096 097 111 113 114 115 116 117 118 120 121 231 975"
_BUSY_CODES = frozenset(
    [f"{prefix}{number}" for prefix in ("DCS.4", "111400") for number in _BUSY_NUMBERS.split()]
    + ["DBS.00010009", "DBS.200019", "DBS.200998", "DBS.201015", "DBS.280443"]
)

#: HTTP status 403, but about the state of one instance or job, not about permission (contract 4.6).
_STATE_CODES = frozenset(
    ("DBS.200011", "DBS.200018", "DBS.200019", "DBS.200076", "DBS.201000", "DBS.201014", "DBS.201015", "DBS.201028")
)

#: "This instance does not exist", whatever the HTTP status (C12, contract 4.3 and 4.6).
_NO_INSTANCE_CODES = frozenset(
    ("DCS.3022", "111404022", "DBS.200002", "DBS.280110", "DBS.201501", "DBS.201502", "DBS.201028")
)

#: "No such API here": codes, and digits of the gateway's codes (C10, C22; contract 4.4).
_NO_API_CODES = frozenset(("DCS.4001", "111404001"))
_NO_API_DIGITS = frozenset(("0101", "0103"))

#: What can be done about a single code.
_HINT_OF_CODE = {
    "DBS.280343": "This instance, or this kind of job, does not support it.",
    "DBS.280409": "The service does not accept a date: check lookback, start_time, end_time, and this machine's clock.",
}

#: Seconds by which a clock may be wrong; a little less than the 15 minutes of contract 4.4.
_SKEW_MOST = 14 * 60

#: The time was over, by the deadline or a signal.
_ENDED_CODES = ("DeadlineExceeded", "Interrupted")

_FAILURE_KEYS = ("code", "http_status", "request_id", "service", "operation", "retryable", "hint")


class MaintenanceError(Exception):
    """Anything that ends a task; ``str()`` of it is the sentence that the user reads."""

    code: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    service: str | None = None
    operation: str | None = None
    retryable = False
    hint: str | None = None
    #: The service may have carried out the request.
    uncertain = False
    #: The service accepted what then showed no effect.
    accepted = False
    #: The rest of a bulk task would fail too.
    stops_all = True
    no_instance = False
    no_api = False

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.message = message
        #: What is known of the work so far.
        self.result: dict[str, t.Any] = {}
        for name, value in details.items():
            setattr(self, name, value)

    def failure(self) -> dict[str, t.Any]:
        """The dictionary that a runbook can branch on; always the same keys."""
        return {key: getattr(self, key) for key in _FAILURE_KEYS}

    def retold(self, message: str, **changes: t.Any) -> RefusedError:
        """The same failure in other words."""
        return RefusedError(message, **{**self.failure(), **changes})

    def with_unseen_outcome(self, look: MaintenanceError) -> MaintenanceError:
        """The same failure where the C(look) at what became of the request failed too: then only a new run can tell."""
        if self.code in _ENDED_CODES and look.code == self.code:
            return self
        # What was refused may be done none the less, by another user; but then the refusal says more.
        unknown = self.uncertain or self.http_status == 404
        told = self.retold(
            f"{self.message.rstrip('.')}, and a look at what became of it failed: {look.message}",
            code="OutcomeUnknown" if unknown else self.code,
            retryable=unknown or self.retryable or look.retryable,
            uncertain=self.uncertain,
            accepted=self.accepted,
            stops_all=self.stops_all or look.stops_all,
        )
        if unknown:
            told.hint = "Run the task again: it looks first."
        elif look.code in _ENDED_CODES:
            told.code, told.hint = look.code, look.hint
        return told


class ConfigError(MaintenanceError):
    """An option, a variable or a set of credentials is wrong; no request was sent."""

    code = "InvalidOption"


class MissingLibraryError(MaintenanceError):
    """A Python library cannot be imported."""

    code = "MissingLibrary"

    def __init__(self, library: str) -> None:
        super().__init__(f"The Python library {library} is missing.")
        self.library = library


class NetworkError(MaintenanceError):
    """No complete answer arrived."""

    code = "NetworkError"


class AnswerError(MaintenanceError):
    """An answer is not what the API promises; often it was one answer only, so that a new run may succeed."""

    code = "UnreadableAnswer"
    retryable = True


class RefusedError(MaintenanceError):
    """The collection's own rules forbid or prevent what was asked."""


class ApiError(MaintenanceError):
    """The service answered with an error."""

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message, **details)
        self.no_instance = self.code in _NO_INSTANCE_CODES
        self.no_api = self.code in _NO_API_CODES or gateway_digits(self.code) in _NO_API_DIGITS
        # A lasting 500 too, while 502, 503 and 504 are of what stands before the service.
        about_one = self.http_status in (400, 404, 409, 500) or self.code in _STATE_CODES
        self.stops_all = self.no_api or not about_one


def gateway_digits(code: str | None) -> str | None:
    """C(0301) for C(APIGW.0301) and C(APIG.0301) (C22), else None."""
    match = re.match(r"APIGW?\.(\d+)\Z", code or "", re.ASCII)
    return match.group(1) if match else None


def is_retryable(http_status: int, code: str | None) -> bool:
    """Whether the same request may succeed later."""
    return http_status in RETRYABLE_STATUSES or code in _BUSY_CODES


def read_error_body(raw: bytes) -> tuple[str | None, str | None, str | None]:
    """Code, message and request id of an answer; see C(error_in)."""
    try:
        body = read_json(raw)
    except ValueError:
        body = None
    return error_in(body)


def error_in(body: t.Any) -> tuple[str | None, str | None, str | None]:
    """Code, message and request id from any of the five shapes (contract 4.1), at the top or one level down."""
    if not isinstance(body, dict):
        body = {}
    outer_id = _first_text(body, "request_id")
    for fields in (body, *body.values()):
        if isinstance(fields, dict):
            code = _first_text(fields, "error_code", "errorCode", "errCode", "code")
            message = _first_text(
                fields, "error_msg", "errorMsg", "error_message", "externalMessage", "message", "title"
            )
            if code or message:
                return code, message, _first_text(fields, "request_id") or outer_id
    return None, None, outer_id


def _first_text(fields: dict[str, t.Any], *keys: str) -> str | None:
    for key in keys:
        value = fields.get(key)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return None


#: Characters of a foreign text, such as a name or a service's message, in a sentence.
FOREIGN_TEXT_MOST = 200
#: Characters of a sentence: a message, a warning, or what is said of a repetition.
SENTENCE_MOST = 2000


def one_line(text: str, most: int = FOREIGN_TEXT_MOST) -> str:
    """Foreign text as a part of a sentence, or a sentence that holds such: one line, printable, at most so many characters."""
    # Cut before it is looked at, too: a name may have megabytes.
    text = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * most]).split())
    return text if len(text) <= most else text[: most - 1] + "…"


def shown(value: object) -> str:
    """What a user, a file or a service wrote, quoted and cut; what is not printable is escaped."""
    text = value if isinstance(value, str) else repr(value) if isinstance(value, (dict, list)) else str(value)
    return one_line(repr(text if len(text) <= 60 else text[:60] + "…"))


def describe_defect(defect: BaseException) -> str:
    """An exception that nobody expected, and where it was raised: C(KeyError: 'id' (_dcs.py, line 88))."""
    place = defect.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" ({place.tb_frame.f_code.co_filename.rpartition('/')[2]}, line {place.tb_lineno})" if place else ""
    return f"{type(defect).__name__}: {defect}{where}"


def hint_for(error: ApiError, action: str | None = None, skew: float = 0) -> str | None:
    """What the operator can do next, if anything is known.

    C(action) is the IAM action that is needed, C(skew) the seconds by which this machine's clock is fast, where that matters.
    """
    digits = gateway_digits(error.code)
    status = error.http_status
    text = error.message.lower()
    hints = (
        (
            "forbidden" in text and "reach the limit" in text,
            "The access key is locked for five minutes, after too many bad signatures; check the secret key first.",
        ),
        (
            status == 401 and abs(skew) > _SKEW_MOST,
            f"Set this machine's clock: it is {abs(skew) / 60:.0f} minutes {'fast' if skew > 0 else 'slow'}, of 15 allowed.",
        ),
        (
            digits == "0307" or (status == 401 and "expire" in text),
            "The token has expired; sign in again, or use an access key, which does not expire.",
        ),
        (
            status == 401 and "decrypt token" in text,
            "The token is damaged, or of another region: one from a regional IAM endpoint works in that region only.",
        ),
        (
            status == 401,
            "Check the credentials, the security token of temporary keys, and the clock (right to within 15 minutes).",
        ),
        (error.no_api, "This region or cloud does not offer this API; check the region and the endpoint."),
        (
            error.no_instance,
            "Check the region and the project: the service does not know this instance there.",
        ),
        (
            status == 429 or digits == "0308",
            "Run fewer tasks at once, or raise retries.",
        ),
        (error.retryable, "The service is busy or disturbed; run the task again later."),
        (
            error.code in _STATE_CODES,
            "The state of the instance or job does not allow this now; run the task again later.",
        ),
        (error.code == "DBS.280019", "The account is suspended; see its balance and its messages in the console."),
        (
            status == 403 or error.code == "DBS.280015",
            f"The user lacks the permission{f' {action}' if action else ''} in this project, or it is not the user's.",
        ),
        (error.code in _HINT_OF_CODE, _HINT_OF_CODE.get(error.code or "")),
        (
            status == 404 or error.code == "DBS.280016",
            "The requested resource could not be found: check the ids, the instance, the region and the project.",
        ),
    )
    return next((hint for applies, hint in hints if applies), None)
