# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every DCS module says when something goes wrong: one sentence, one dictionary, no secret, nothing written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.listings import to_the_end
from tests.harness.rows import in_rows

SESSIONS = "2f55a1c6-d0bf-a848-7c47-5bdf79903d32"
NOBODY = "00000000-0000-4000-8000-000000000000"
DONE = "fe0695500548c654e67d811fb57a9792"

FAILURE_KEYS = {"code", "http_status", "request_id", "service", "operation", "retryable", "hint"}
WRITES = {"DeleteBackgroundTask", "DeleteCenterTask", "CancelInstanceResize"}

#: One run of each module, the operation with which it begins, and the IAM action that it needs.
RUNS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "tasks of an instance": (
        "dcs_task_info",
        {"instances": [SESSIONS]},
        "ListBackgroundTask",
        "dcs:instance:getBackgroundTask",
    ),
    "tasks of all instances": ("dcs_task_info", {"instances": "all"}, "ListInstances", "dcs:instance:list"),
    "task centre": ("dcs_task_info", {}, "ListCenterTask", "dcs:task:list"),
    "remove": (
        "dcs_task",
        {"instance": SESSIONS, "task_ids": [DONE], "state": "absent"},
        "ListBackgroundTask",
        "dcs:instance:getBackgroundTask",
    ),
    "remove through the centre": (
        "dcs_task",
        {"task_ids": [DONE], "state": "absent"},
        "ListCenterTask",
        "dcs:task:list",
    ),
    "wait": (
        "dcs_task",
        {"instance": SESSIONS, "task_ids": [DONE], "state": "finished"},
        "ListBackgroundTask",
        "dcs:instance:getBackgroundTask",
    ),
    "call off": (
        "dcs_resize_cancel",
        {"instance": SESSIONS},
        "ListBackgroundTask",
        "dcs:instance:getBackgroundTask",
    ),
    "call off by name": (
        "dcs_resize_cancel",
        {"instance": "redis-sessions-prod"},
        "ListInstances",
        "dcs:instance:list",
    ),
}
each_run = pytest.mark.parametrize(("name", "options", "first", "action"), RUNS.values(), ids=RUNS.keys())
in_both_modes = pytest.mark.parametrize("check_mode", [False, True], ids=["real", "check"])


def check_failure(sim, result: dict[str, Any], **expected: Any) -> None:
    """The result has the shape of every failure, and these values in C(failure)."""
    assert result["failed"] is True
    assert result["changed"] is False
    assert result["failure"].keys() == FAILURE_KEYS
    assert expected.items() <= result["failure"].items()
    assert isinstance(result["failure"]["code"], str)
    assert isinstance(result["failure"]["retryable"], bool)
    assert result["msg"].strip() == result["msg"]
    assert "\n" not in result["msg"]
    assert 10 < len(result["msg"]) < 1000
    assert "Traceback" not in json.dumps(result)
    assert sim.secret_key not in json.dumps(result)
    assert result["requests"] == len(sim.operations())
    assert not WRITES & set(sim.operations())


# What the first request gets with `retries: 2`: the failure's values, and how many requests are sent.
ANSWERS: dict[str, tuple[Any, dict[str, Any], int]] = {
    "400": (
        {"status": 400, "body": {"error_code": "DCS.4800", "error_msg": "Invalid offset in the request."}},
        {"code": "DCS.4800", "http_status": 400, "retryable": False},
        1,
    ),
    "401": (
        {"status": 401, "body": {"error_code": "APIGW.0301", "error_msg": "verify aksk signature fail"}},
        {"code": "APIGW.0301", "http_status": 401, "retryable": False},
        1,
    ),
    "403": (
        {"status": 403, "body": {"error_code": "DCS.2007", "error_msg": "Policy does not allow it."}},
        {"code": "DCS.2007", "http_status": 403, "retryable": False},
        1,
    ),
    "404 of the gateway": (
        {"status": 404, "body": {"error_code": "APIGW.0101", "error_msg": "The API does not exist."}},
        {"code": "APIGW.0101", "http_status": 404, "retryable": False},
        1,
    ),
    "404 of the old shape": (
        {"status": 404, "body": {"error": {"code": "111404022", "message": "Gone."}}},
        {"code": "111404022", "http_status": 404, "retryable": False},
        1,
    ),
    "busy": (
        {"status": 400, "body": {"error_code": "DCS.4111", "error_msg": "the instance is restarting."}},
        {"code": "DCS.4111", "http_status": 400, "retryable": True},
        1,
    ),
    "redirect": ({"redirect": "http://127.0.0.1:9/"}, {"http_status": 307, "retryable": False}, 1),
    "no JSON": ("garbage", {"code": "UnreadableAnswer"}, 1),
    "a list": ("wrong_type", {"code": "UnreadableAnswer"}, 1),
    "a list that is missing": ({"status": 200, "body": {"count": 0}}, {"code": "UnreadableAnswer"}, 1),
    "entries without id": (
        {"status": 200, "body": {"tasks": [{}], "instances": [{}], "task_count": 1}},
        {"code": "UnreadableAnswer"},
        1,
    ),
    "429": (
        {"status": 429, "body": {"error_code": "APIGW.0308", "error_msg": "The throttling threshold."}},
        {"code": "APIGW.0308", "http_status": 429, "retryable": True},
        3,
    ),
    "500": (
        {"status": 500, "body": {"error_code": "DCS.5000", "error_msg": "Internal service error."}},
        {"code": "DCS.5000", "http_status": 500, "retryable": True},
        3,
    ),
    "502": ({"status": 502, "body": "<html>Bad gateway</html>"}, {"http_status": 502, "retryable": True}, 3),
    "503": ({"status": 503}, {"code": "503", "http_status": 503, "retryable": True}, 3),
    "504": ({"status": 504}, {"http_status": 504, "retryable": True}, 3),
    "connection closed": ("drop_before", {"code": "NetworkError", "http_status": None, "retryable": True}, 3),
    "connection reset": ("reset", {"code": "NetworkError", "http_status": None, "retryable": True}, 3),
    "answer lost": ("drop_after", {"code": "NetworkError", "retryable": True}, 3),
    "answer cut": ("truncate", {"code": "NetworkError", "retryable": True}, 3),
}


@each_run
@in_both_modes
@in_rows(("answer", "fault", "expected", "requests"), [(answer, *row) for answer, row in ANSWERS.items()])
def test_the_first_request_fails(
    sim, module, no_backoff, name, options, first, action, check_mode, answer, fault, expected, requests
):
    before = sim.state()["tasks"]
    sim.faults([{"operation": first, "times": None, "fault": fault}])
    result = module(name, check_mode=check_mode, retries=2, **options)
    check_failure(sim, result, service="dcs", operation=first, **expected)
    assert sim.operations() == [first] * requests
    assert len(result["retried"]) == requests - 1
    assert len(sim.state()["tasks"]) == len(before)
    if expected.get("http_status"):
        assert str(expected["http_status"]) in result["msg"]
    if expected.get("http_status") == 403:
        assert action in result["failure"]["hint"]
    if expected.get("http_status") == 401:
        assert "credentials" in result["failure"]["hint"]


@pytest.mark.parametrize(
    "text", ["First line.\nSecond line.", "word " * 20000, "\x1b[31mred\x00"], ids=["lines", "long", "control"]
)
def test_what_a_service_says_stays_one_short_sentence(sim, module, text):
    body = {"error_code": "DCS.4800", "error_msg": text}
    sim.faults([{"operation": "ListCenterTask", "fault": {"status": 400, "body": body}}])
    result = module("dcs_task_info")
    check_failure(sim, result, code="DCS.4800", http_status=400)
    assert result["msg"].isprintable()


@each_run
@pytest.mark.parametrize("fault", ["drop_before", "reset", "truncate", {"status": 503}, {"status": 429}], ids=str)
def test_a_disturbance_that_passes_is_survived(sim, module, no_backoff, name, options, first, action, fault):
    sim.faults([{"operation": first, "times": 2, "fault": fault}])
    result = module(name, **options)
    assert not result.get("failed"), result
    assert len(result["retried"]) == 2
    assert all(line.startswith(f"{first} was repeated after ") for line in result["retried"])
    assert result["requests"] == len(sim.operations())


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dcs_task_info", {"instances": [NOBODY]}),
        ("dcs_task_info", {"instances": [SESSIONS, NOBODY]}),
        ("dcs_task", {"instance": NOBODY, "task_ids": [DONE], "state": "absent"}),
        ("dcs_task", {"instance": NOBODY, "task_ids": [DONE], "state": "finished"}),
        ("dcs_resize_cancel", {"instance": NOBODY}),
        ("dcs_resize_cancel", {"instance": NOBODY, "task_id": DONE}),
    ],
)
def test_an_instance_that_does_not_exist_is_a_failure(sim, module, name, options, check_mode):
    result = module(name, check_mode=check_mode, **options)
    check_failure(sim, result, code="DCS.3022", http_status=404, service="dcs", operation="ListBackgroundTask")
    assert "does not know this instance" in result["failure"]["hint"]
    assert len(result["failure"]["request_id"]) == 32


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    ("name", "options", "listings"),
    [
        ("dcs_task", {"instance": SESSIONS, "task_ids": ["0" * 32], "state": "absent"}, 1),
        ("dcs_task", {"task_ids": ["0" * 32], "state": "absent"}, 1),
        # Where it is relied on that it runs no more, two listings must lack it.
        ("dcs_task", {"instance": SESSIONS, "task_ids": ["0" * 32], "state": "finished", "missing_ok": True}, 2),
        ("dcs_resize_cancel", {"instance": "e42ed27a-22e9-2376-3999-92a0db414119", "task_id": "0" * 32}, 2),
    ],
)
def test_a_task_that_does_not_exist_is_no_change(sim, module, name, options, listings, check_mode):
    result = module(name, check_mode=check_mode, **options)
    assert not result.get("failed"), result
    assert result["changed"] is False
    assert (
        sim.operations() == to_the_end("ListBackgroundTask" if "instance" in options else "ListCenterTask") * listings
    )
    assert result["requests"] == len(sim.operations())


@pytest.mark.parametrize("name", ["dcs_task", "dcs_resize_cancel"])
def test_a_name_that_no_instance_has(sim, module, name):
    options = {"task_ids": [DONE], "state": "absent"} if name == "dcs_task" else {}
    result = module(name, instance="redis-nobody", **options)
    check_failure(sim, result, code="NotFound", service="dcs", operation="ListInstances")
    assert "redis-nobody" in result["msg"]


@each_run
def test_a_wrong_secret_key_is_tried_once(sim, module, name, options, first, action):
    result = module(name, **{**options, "secret_key": "not-the-right-secret-key"})
    check_failure(sim, result, code="APIGW.0301", http_status=401, retryable=False)
    assert "not-the-right-secret-key" not in json.dumps(result)
    assert sim.operations() == [first]


@each_run
def test_a_project_of_somebody_else(sim, module, name, options, first, action):
    result = module(name, **{**options, "project_id": "0" * 32})
    check_failure(sim, result, code="DCS.1004", http_status=401, operation=first)
    assert len(sim.operations()) == 1


@each_run
def test_the_deadline_is_kept(sim, module, name, options, first, action):
    sim.faults([{"operation": first, "times": None, "fault": {"status": 503, "headers": {"Retry-After": "30"}}}])
    result = module(name, deadline=5, **options)
    check_failure(sim, result, http_status=503, retryable=True)
    assert len(sim.operations()) == 1  # there is no time for a second one


def test_a_service_that_does_not_answer(sim, module):
    sim.faults([{"operation": "ListCenterTask", "fault": {"delay": 3}}])
    result = module("dcs_task_info", read_timeout=1, retries=0)
    check_failure(sim, result, code="NetworkError", retryable=True)
    assert "within 1 seconds" in result["msg"] or "within 1 second" in result["msg"]


@each_run
def test_a_port_where_nobody_listens(sim, module, name, options, first, action):
    endpoints = dict.fromkeys(("dcs", "dds", "iam"), "http://127.0.0.1:9")
    result = module(name, retries=0, **{**options, "endpoints": endpoints})
    assert result["failure"].keys() == FAILURE_KEYS
    assert (result["failure"]["code"], result["failure"]["retryable"]) == ("NetworkError", True)
    assert result["changed"] is False
    assert sim.operations() == []
