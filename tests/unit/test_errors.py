# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors: every shape of an error body, what the codes mean, what the operator is told, and no surprises."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    AnswerError,
    ApiError,
    ConfigError,
    MaintenanceError,
    MissingLibraryError,
    NetworkError,
    RefusedError,
    gateway_digits,
    hint_for,
    is_retryable,
    one_line,
    read_error_body,
)


@pytest.mark.parametrize(
    ("body", "code", "message", "request_id"),
    [
        ({"error_code": "DCS.4957", "error_msg": "m", "error_ext_msg": None}, "DCS.4957", "m", None),
        ({"error_code": "111400063", "error_msg": "m"}, "111400063", "m", None),
        ({"error": {"code": "DCS.4927", "message": "m", "ext_message": None}}, "DCS.4927", "m", None),
        ({"error_code": "DBS.200001", "error_msg": "m"}, "DBS.200001", "m", None),
        ({"instance_id": "i", "error_code": "DBS.1", "error_message": "m"}, "DBS.1", "m", None),
        ({"errCode": "DBS.1", "externalMessage": "m"}, "DBS.1", "m", None),
        ({"errorCode": "X.1", "errorMsg": "m"}, "X.1", "m", None),
        ({"error_msg": "m", "error_code": "APIGW.0301", "request_id": "r"}, "APIGW.0301", "m", "r"),
        ({"error": {"code": 401, "message": "m", "title": "Unauthorized"}}, "401", "m", None),
        ({"error": {"code": 401, "title": "Unauthorized"}}, "401", "Unauthorized", None),
        ({"error_code": "IAM.0011", "error_msg": "m", "encoded_authorization_message": "x"}, "IAM.0011", "m", None),
        ({"message": "m", "request_id": "r"}, None, "m", "r"),
        ({"code": "C", "message": "m"}, "C", "m", None),
        ({"code": 0, "message": "m"}, "0", "m", None),
        ({"error_code": "C"}, "C", None, None),
        ({"error_msg": "m"}, None, "m", None),
        ({"error": {"code": "C", "message": "m", "request_id": "inner"}, "request_id": "outer"}, "C", "m", "inner"),
        ({"error": {"code": "C", "message": "m"}, "request_id": "outer"}, "C", "m", "outer"),
        ({"request_id": "r"}, None, None, "r"),
        ({"error_code": None, "error_msg": None}, None, None, None),
        ({"error_code": "", "error_msg": ""}, None, None, None),
        ({"error_code": True, "error_msg": [], "request_id": {}}, None, None, None),
        ({"error_code": "", "code": "C", "error_msg": None, "message": "m"}, "C", "m", None),
        ({"error_code": "first", "code": "last", "error_msg": "first", "title": "last"}, "first", "first", None),
        ({"a": {"b": {"error_code": "deep"}}}, None, None, None),
        ({"a": 1, "b": {"error_code": "C"}, "c": {"error_code": "later"}}, "C", None, None),
        ({"error": "text"}, None, None, None),
        ({"error": [{"code": "C"}]}, None, None, None),
        ({}, None, None, None),
        ([], None, None, None),
        ([{"error_code": "C"}], None, None, None),
        ("text", None, None, None),
        (5, None, None, None),
        (None, None, None, None),
        (True, None, None, None),
    ],
)
def test_body_shapes(body, code, message, request_id):
    assert read_error_body(json.dumps(body).encode()) == (code, message, request_id)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"<html>502</html>",
        b"{",
        b'{"error_code": "C"',
        b"{'error_code': 'C'}",
        b"\xff\xfe",
        b"\x00",
        b"[" * 200000,
        b'{"a":' * 200000,
        b"nul",
    ],
)
def test_body_that_is_not_json(raw):
    assert read_error_body(raw) == (None, None, None)


def test_number_that_is_too_long_is_still_read():
    code, message, _request_id = read_error_body(b'{"error_code": ' + b"9" * 10000 + b', "error_msg": "m"}')
    assert (code, message) == ("9" * 1000, "m")


def test_body_with_broken_utf_8_is_still_read():
    assert read_error_body(b'{"error_code": "C", "error_msg": "caf\xe9"}') == ("C", "caf\ufffd", None)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.sampled_from(["error", "error_code", "code", "message", "error_msg", "request_id"]), st.text()
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
)


@given(st.one_of(st.binary(), JSON.map(lambda value: json.dumps(value).encode()), st.text().map(str.encode)))
def test_no_body_raises(raw):
    for part in read_error_body(raw):
        assert part is None or (isinstance(part, str) and part)


@given(st.text(), st.integers(1, 50))
def test_one_line_is_one_line(text, most):
    shown = one_line(text, most)
    assert len(shown) <= most
    assert shown.isprintable()
    assert shown == shown.strip()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        (" \n ", ""),
        ("  a \t b\r\nc  ", "a b c"),
        ("a\x00b\x1b[31mc\x7f", "a b [31mc"),
        ("a\u2028b\u202ec\u200b", "a b c"),
        ("a\ud800b", "a b"),
        ("café 中", "café 中"),
        ("x" * 20, "x" * 20),
        ("x" * 21, "x" * 19 + "…"),
        ("x" * 10**6, "x" * 19 + "…"),
        ("x" * 10 + "\n" * 10 + "y" * 9, "x" * 10 + " " + "y" * 9),
    ],
)
def test_one_line(text, shown):
    assert one_line(text, 20) == shown


def test_one_line_has_a_limit_of_its_own():
    assert one_line("x" * 201) == "x" * 199 + "…"
    assert one_line("x" * 200) == "x" * 200


@pytest.mark.parametrize(
    ("code", "digits"),
    [
        ("APIGW.0301", "0301"),
        ("APIG.0301", "0301"),
        ("APIGW.0101", "0101"),
        ("APIGW.", None),
        ("APIGX.0301", None),
        ("APIGWW.0301", None),
        ("apigw.0301", None),
        ("XAPIGW.0301", None),
        ("APIGW.0301\n", None),
        ("APIGW.0301x", None),
        ("APIGW.٠٣٠١", None),
        ("DCS.0301", None),
        ("", None),
        (None, None),
    ],
)
def test_gateway_digits(code, digits):
    assert gateway_digits(code) == digits


def test_retryable_statuses():
    retryable = (429, 500, 502, 503, 504)
    assert [status for status in range(100, 600) if is_retryable(status, None)] == list(retryable)
    assert [status for status in range(100, 600) if is_retryable(status, "DCS.4957")] == list(retryable)


BUSY = ["DCS.4111", *(f"DCS.{number}" for number in range(4113, 4119)), "DCS.4120"]
#: The Terraform provider repeats these too.
BUSY += [f"DCS.{number}" for number in (4026, 4049, 4096, 4097, 4121, 4231, 4975)]
BUSY += [code.replace("DCS.4", "111400") for code in BUSY]
BUSY += ["DBS.00010009", "DBS.200019", "DBS.200998", "DBS.201015", "DBS.280443"]


@pytest.mark.parametrize("code", BUSY)
@pytest.mark.parametrize("status", [400, 403])
def test_busy_codes_are_retryable(code, status):
    assert is_retryable(status, code)


@pytest.mark.parametrize("code", ["DCS.4112", "DCS.4119", "DCS.4239", "DCS.4957", "DCS.3022", "DBS.200076", "", None])
def test_other_codes_are_not_retryable(code):
    assert not is_retryable(400, code)


NO_INSTANCE = ["DCS.3022", "111404022", "DBS.200002", "DBS.280110", "DBS.201501", "DBS.201502", "DBS.201028"]
NO_API = ["DCS.4001", "111404001", "APIGW.0101", "APIG.0101", "APIGW.0103", "APIG.0103"]
NEITHER = ["DCS.4070", "DCS.4404", "DBS.280016", "APIGW.0301", "APIGW.0201", "404", "IAM.0004", None]


@pytest.mark.parametrize("code", [*NO_INSTANCE, *NO_API, *NEITHER])
@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_what_is_not_there(code, status):
    error = ApiError("m", code=code, http_status=status)
    assert error.no_instance == (code in NO_INSTANCE)
    assert error.no_api == (code in NO_API)


@pytest.mark.parametrize(
    ("error", "stops"),
    [
        (ApiError("m", http_status=400, code="DCS.4957"), False),
        (ApiError("m", http_status=404, code="DCS.4404"), False),
        (ApiError("m", http_status=409, code="x"), False),
        (ApiError("m", http_status=404, code="DCS.3022"), False),
        (ApiError("m", http_status=403, code="DBS.201028"), False),
        (ApiError("m", http_status=403, code="DBS.200019"), False),
        (ApiError("m", http_status=403, code="DBS.200076"), False),
        (ApiError("m", http_status=404, code="APIGW.0101"), True),
        (ApiError("m", http_status=404, code="DCS.4001"), True),
        (ApiError("m", http_status=401, code="APIGW.0301"), True),
        (ApiError("m", http_status=403, code="DCS.2003"), True),
        (ApiError("m", http_status=403, code="DBS.280063"), True),
        (ApiError("m", http_status=429, code="APIGW.0308"), True),
        (ApiError("m", http_status=500, code="DCS.5000"), False),
        (ApiError("m", http_status=502), True),
        (ApiError("m", http_status=503, code="DCS.5000"), True),
        (ApiError("m", http_status=504), True),
        (ApiError("m"), True),
        (NetworkError("m"), True),
        (AnswerError("m"), True),
        (RefusedError("m"), True),
    ],
)
def test_what_stops_a_bulk_task(error, stops):
    assert error.stops_all is stops


def api_error(status, code=None, message="m"):
    return ApiError(message, http_status=status, code=code, retryable=is_retryable(status, code))


#: Message and code as in the contract, and a word that the hint must have.
ECHO = (
    "Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:DELETE|/v2/p/||host:h|x-sdk-"
    "date:20260115T083000Z||host;x-sdk-date|44136fa3"
)
HINTS = [
    (404, "APIGW.0101", "The API does not exist or has not been published", "does not offer this API"),
    (404, "APIG.0101", "The API does not exist or has not been published", "does not offer this API"),
    (404, "APIGW.0103", "The backend does not exist", "does not offer this API"),
    (500, "APIG.0103", "The backend does not exist", "does not offer this API"),
    (404, "DCS.4001", "The requested URL does not exist.", "does not offer this API"),
    (504, "APIGW.0201", "Backend timeout.", "later"),
    (502, "APIGW.0201", "Backend unavailable", "later"),
    (401, "APIGW.0301", ECHO, "Check the credentials"),
    (401, "APIGW.0301", ECHO, "clock"),
    (401, "APIGW.0301", "Incorrect IAM authentication information: ak XXX not exist", "security token"),
    (401, "APIGW.0301", "Get secretKey failed,ak:XXX,err:ak not exist", "Check the credentials"),
    (401, "APIGW.0301", "Incorrect IAM authentication information: x-auth-token not found", "Check the credentials"),
    (
        401,
        "APIGW.0301",
        "Incorrect IAM authentication information: decrypt token fail",
        "The token is damaged, or of another region",
    ),
    (
        401,
        "APIGW.0301",
        "Incorrect IAM authentication information: token expires, expires_at: 2026-01-15T08:30:00Z",
        "expired",
    ),
    (
        401,
        "APIGW.0301",
        "Incorrect IAM authentication information: AK access failed to reach the limit,forbidden.",
        "locked for five minutes",
    ),
    (403, "APIGW.0302", "The IAM user is not authorised", "permission"),
    (401, "APIGW.0303", "Incorrect app authentication information", "Check the credentials"),
    (403, "APIGW.0304", "The app is not authorised", "permission"),
    (401, "APIGW.0307", "The token must be updated.", "expired"),
    (429, "APIGW.0308", "The throttling threshold has been reached", "fewer tasks"),
    (403, "APIGW.0310", "The project is unavailable", "project"),
    (401, None, "The username or password is wrong.", "Check the credentials"),
    (401, "IAM.0001", "Authentication failed", "Check the credentials"),
    (403, "IAM.0002", "You are not authorised", "permission"),
    (429, "IAM.0012", "The number of requests exceeds the threshold", "fewer tasks"),
    (500, "IAM.0006", "Internal error", "later"),
    (401, "DCS.1001", "Invalid token", "Check the credentials"),
    (401, "DCS.1002", "Token expired.", "expired"),
    (403, "DCS.2007", "Policy does not allow {} to be performed.", "permission"),
    (404, "DCS.3022", "This DCS instance does not exist.", "does not know this instance"),
    (400, "DCS.4113", "The instance is extending.", "later"),
    (500, "DCS.5000", "Internal service error.", "later"),
    (404, "DBS.200002", "The DB instance does not exist.", "does not know this instance"),
    (400, "DBS.280110", "The DB instance does not exist.", "does not know this instance"),
    (400, "DBS.201501", "The DB instance does not exist.", "does not know this instance"),
    (403, "DBS.201028", "The DB instance does not exist.", "does not know this instance"),
    (404, "DCS.4404", "not found", "could not be found"),
    (404, None, "", "could not be found"),
    (400, "DBS.280016", "Resource not found.", "could not be found"),
    (400, "DBS.280343", "Unsupported operation.", "does not support"),
    (400, "DBS.280409", "Invalid date.", "a date"),
    (400, "DCS.4975", "Busy.", "later"),
    (403, "DBS.200019", "Another operation is being performed on the DB instance.", "later"),
    (403, "DBS.201015", "Another operation is being performed. Try again later.", "later"),
    (400, "DBS.200998", "The system is busy. Try again later.", "later"),
    (401, "DBS.280056", "Invalid token.", "Check the credentials"),
    (403, "DBS.280063", "You do not have following permission: dds:task:list", "permission"),
    (400, "DBS.280015", "Permission denied.", "permission"),
    (429, "DBS.280443", "The maximum number of connections has been reached.", "fewer tasks"),
    (500, "DBS.280005", "Server error. Try again later.", "later"),
]


@pytest.mark.parametrize(("status", "code", "message", "word"), HINTS)
def test_hints(status, code, message, word):
    hint = hint_for(api_error(status, code, message), "dds:task:list")
    assert hint is not None
    assert word in hint


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (400, "DCS.4239", "The instance status is not extending."),
        (400, "DCS.4957", "This operation is not allowed when the task is in the current state."),
        (400, "DCS.4070", "Invalid task ID format."),
        (400, "DCS.4800", "Invalid offset in the request."),
        (400, "DBS.280440", "Invalid offset."),
        (409, None, "conflict"),
        (400, "DCS.4108", "The order of this instance has expired."),
        (400, "DBS.200001", "Parameter error: expire_days."),
    ],
)
def test_no_hint_is_better_than_a_wrong_one(status, code, message):
    assert hint_for(api_error(status, code, message)) is None


def test_a_suspended_account_lacks_no_permission():
    hint = hint_for(api_error(403, "DBS.280019", "Account suspended."), "dds:task:list")
    assert "suspended" in hint
    assert "permission" not in hint


def test_hint_names_the_action():
    assert "the permission dcs:instance:scale in" in hint_for(api_error(403), "dcs:instance:scale")
    assert "the permission in this project" in hint_for(api_error(403))


KEYS = {"code", "http_status", "request_id", "service", "operation", "retryable", "hint"}
ERRORS = [
    MaintenanceError("m"),
    ConfigError("m"),
    MissingLibraryError("requests"),
    NetworkError("m"),
    AnswerError("m"),
    RefusedError("m", code="NotFound"),
    ApiError("m"),
    ApiError(
        "m",
        code="C",
        service="dcs",
        operation="Op",
        http_status=400,
        request_id="r",
        retryable=True,
        hint="h",
        uncertain=True,
    ),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_failure_always_has_the_same_keys(error):
    assert set(error.failure()) == KEYS
    assert isinstance(error.failure()["retryable"], bool)
    assert str(error) == error.message
    assert error.result == {}
    json.dumps(error.failure())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("m"), "InvalidOption"),
        (ConfigError("m", code="MissingCredentials"), "MissingCredentials"),
        (MissingLibraryError("x"), "MissingLibrary"),
        (NetworkError("m"), "NetworkError"),
        (NetworkError("m", code="DeadlineExceeded"), "DeadlineExceeded"),
        (AnswerError("m"), "UnreadableAnswer"),
        (ApiError("m"), None),
    ],
)
def test_own_codes(error, code):
    assert error.failure()["code"] == code


def test_failure_carries_everything():
    assert ERRORS[-1].failure() == {
        "code": "C",
        "http_status": 400,
        "request_id": "r",
        "service": "dcs",
        "operation": "Op",
        "retryable": True,
        "hint": "h",
    }
    assert ERRORS[-1].uncertain
    assert "requests" in str(MissingLibraryError("requests"))


def test_results_are_not_shared():
    first, second = ApiError("m"), ApiError("m")
    first.result["a"] = 1
    assert second.result == {}
