# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals: the codes and texts of DCS, DDS, IAM and the gateway, and the body shape of each."""

from __future__ import annotations

from typing import Any

# HTTP status and text of the codes that the simulator uses (docs/api.md 4.3).
DCS_ERRORS: dict[str, tuple[int, str]] = {
    "DCS.1004": (401, "Project ID does not match the token."),
    "DCS.2007": (403, "Policy does not allow {0} to be performed."),
    "DCS.3022": (404, "This DCS instance does not exist."),
    "DCS.4001": (404, "The requested URL does not exist."),
    "DCS.4002": (400, "Invalid project ID format."),
    "DCS.4004": (400, "Empty request body."),
    "DCS.4005": (400, "The message body contains invalid characters or is not in JSON format."),
    "DCS.4012": (400, "Invalid capacity parameter in the request."),
    "DCS.4017": (400, "This DCS instance job task is still running."),
    "DCS.4025": (400, "The end time must be after the start time."),
    "DCS.4026": (400, "This operation is not allowed when the DCS instance is in the current state."),
    "DCS.4049": (400, "The instance status is not running."),
    "DCS.4061": (400, "Invalid instance ID format."),
    "DCS.4062": (400, "Invalid {0} parameter in the request."),
    "DCS.4063": (400, "Invalid {0} parameter in the request."),
    "DCS.4070": (400, "Invalid task ID format."),
    "DCS.4111": (400, "the instance is restarting."),
    "DCS.4113": (400, "the instance is extending."),
    "DCS.4118": (400, "the instance is creating."),
    "DCS.4120": (400, "the instance is Freezing."),
    "DCS.4239": (400, "The instance status is not extending."),
    # Nobody documents a code for an unknown task (C12); this one is in no table.
    "DCS.4404": (404, "The task does not exist."),
    "DCS.4800": (400, "Invalid {0} in the request."),
    "DCS.4927": (400, "The param spec_code is invalid"),
    "DCS.4957": (400, "This operation is not allowed when the task is in the current state."),
    "DCS.5001": (405, "This request method is not allowed."),
}

# The codes above that have a nine-digit twin (docs/api.md 4.3): 111 + HTTP status + last three digits.
DCS_TWINS: dict[str, str] = {
    "DCS.1004": "111401004",
    "DCS.3022": "111404022",
    "DCS.4001": "111404001",
    "DCS.4002": "111400002",
    "DCS.4004": "111400004",
    "DCS.4005": "111400005",
    "DCS.4012": "111400012",
    "DCS.4017": "111400017",
    "DCS.4026": "111400026",
    "DCS.4061": "111400061",
    "DCS.4062": "111400062",
    "DCS.4063": "111400063",
    "DCS.4070": "111400070",
    "DCS.4111": "111400111",
    "DCS.4113": "111400113",
    "DCS.4118": "111400118",
    "DCS.4120": "111400120",
    "DCS.4800": "111400800",
    "DCS.5001": "111405001",
}

# See docs/api.md 4.6.
DDS_ERRORS: dict[str, tuple[int, str]] = {
    "DBS.200001": (400, "Parameter Error"),
    "DBS.200002": (404, "The DB instance does not exist."),
    "DBS.200019": (
        403,
        "Another operation is being performed on the DB instance or the DB instance is faulty.",
    ),
    "DBS.200076": (403, "Operation cannot be executed in current state of the DB instance."),
    "DBS.280001": (400, "Parameter error."),
    "DBS.280016": (400, "Resource not found."),
    "DBS.280056": (401, "Invalid token."),
    "DBS.280063": (
        403,
        (
            "You do not have following permission to perform this operation: {0}. "
            "Contact the administrator to obtain permission."
        ),
    ),
    "DBS.280067": (400, "Invalid start time."),
    "DBS.280068": (400, "Invalid end time."),
    "DBS.280110": (400, "The DB instance does not exist."),
    "DBS.201028": (403, "The DB instance does not exist."),
    "DBS.201501": (400, "The DB instance does not exist."),
    "DBS.280234": (400, "Invalid DB instance name."),
    "DBS.280482": (400, "Invalid user tag key."),
    "DBS.280484": (400, "Tag number reach limit."),
    "DBS.280342": (400, "Invalid DB instance mode."),
    "DBS.280343": (400, "Unsupported operation."),
    "DBS.280404": (400, "Invalid DB instance ID."),
    "DBS.280408": (400, "Invalid project id."),
    "DBS.280409": (400, "Invalid date."),
    "DBS.280439": (400, "Invalid limit."),
    "DBS.280440": (400, "Invalid offset."),
}

KEYSTONE_TITLES: dict[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
}


class Refusal(Exception):
    """A request is answered with an error; `shape` names the service whose body shape is used."""

    def __init__(self, shape: str, status: int, code: str, message: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(f"{status} {code}: {message}")
        # Which methods the path has, of a 405.
        self.headers = {"Allow": ", ".join(allowed)} if allowed else {}
        self.shape = shape
        self.status = status
        self.code = code
        self.message = message

    def body(self, request_id: str, error_shape: str) -> Any:
        """The JSON body; `error_shape` is the switch of that name and concerns DCS only."""
        if self.shape == "text":
            return self.message
        if self.shape == "keystone":
            return {
                "error": {
                    "code": self.status,
                    "message": self.message,
                    "title": KEYSTONE_TITLES.get(self.status, "Error"),
                }
            }
        if self.shape == "gateway":
            return {"error_msg": self.message, "error_code": self.code, "request_id": request_id}
        if self.shape == "dcs" and error_shape == "v1":
            return {"error": {"code": self.code, "message": self.message, "ext_message": None}}
        if self.shape == "dcs":
            code = DCS_TWINS.get(self.code, self.code) if error_shape == "nine_digit" else self.code
            return {"error_code": code, "error_msg": self.message, "error_ext_msg": None}
        return {"error_code": self.code, "error_msg": self.message}


def dcs_refusal(code: str, subject: str = "", allowed: tuple[str, ...] = ()) -> Refusal:
    """A DCS error by its code; `subject` fills the placeholder of its text, `allowed` are the methods of a 405."""
    status, text = DCS_ERRORS[code]
    return Refusal("dcs", status, code, text.replace("{0}", subject), allowed)


def dds_refusal(code: str, subject: str = "") -> Refusal:
    """A DDS error by its code; `subject` fills the placeholder of its text."""
    status, text = DDS_ERRORS[code]
    return Refusal("dds", status, code, text.replace("{0}", subject))


def gateway_refusal(status: int, code: str, message: str) -> Refusal:
    """An error of the API gateway, in front of every service."""
    return Refusal("gateway", status, code, message)


def sign_in_refusal(reason: str) -> Refusal:
    """The gateway's answer to a missing or wrong token or signature."""
    return gateway_refusal(401, "APIGW.0301", f"Incorrect IAM authentication information: {reason}")


def keystone_refusal(status: int, message: str, allowed: tuple[str, ...] = ()) -> Refusal:
    """An error of IAM's keystone part; its code is the HTTP status as an integer."""
    return Refusal("keystone", status, str(status), message, allowed)
