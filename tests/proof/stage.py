# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fault matrix runs: one account, every module in each of its states, every way to sign in, every fault."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from tests.simulator import Simulator

REDIS = "11111111-1111-4111-8111-111111111111"
SECOND = "22222222-2222-4222-8222-222222222222"
EMPTY = "33333333-3333-4333-8333-333333333333"
MONGO = f"{'a' * 32}in02"
OTHER_MONGO = f"{'b' * 32}in02"

DONE, FAILED, CANCELLED, WAITING, ELSEWHERE = (letter * 32 for letter in "12345")
UNLISTED = "f" * 32
PENDING = [f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc"]
OFF, OTHERS = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "de")


def _task(task_id: str, name: str, status: str, days: int) -> dict[str, Any]:
    """A task of so many days ago; times are fixed when the tests begin, so that two runs can be compared."""
    moment = (_BEGIN - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"id": task_id, "name": name, "status": status, "created_at": moment, "updated_at": moment}


def _job(job_id: str, instance_id: str, status: str, days: int) -> dict[str, Any]:
    """A scheduled job of so many days ago."""
    moment, window = ((_BEGIN - timedelta(days=ago)).strftime("%Y-%m-%dT%H:%M:%S+0000") for ago in (days, -1))
    times = {"create_time": moment, "start_time": window, "end_time": window}
    return {"job_id": job_id, "instance_id": instance_id, "job_status": status, **times}


_BEGIN = datetime.now(timezone.utc)

SCENARIO: dict[str, Any] = {
    "dcs_instances": [
        {
            "name": "redis-a",
            "instance_id": REDIS,
            "tasks": [
                _task(DONE, "AddWhitelist", "SUCCESS", 3),
                _task(FAILED, "UpdatePort", "FAILED", 4),
                _task(CANCELLED, "EXTEND", "CANCELLED", 5),
                _task(WAITING, "EXTEND", "CREATED", 1),
            ],
        },
        {
            "name": "redis-b",
            "instance_id": SECOND,
            "tasks": [_task(ELSEWHERE, "AddReplica", "SUCCESS", 2)],
        },
        {"name": "redis-c", "instance_id": EMPTY},
    ],
    "dds_instances": [{"name": "mongo-a", "id": MONGO}, {"name": "mongo-b", "id": OTHER_MONGO}],
    "scheduled_jobs": [
        *(_job(job_id, MONGO, "Pending", 1) for job_id in PENDING),
        _job(OFF, MONGO, "Canceled", 20),
        _job(OTHERS, OTHER_MONGO, "Pending", 9),
    ],
}


class Case(NamedTuple):
    """A module in one of its states.

    :ivar options: beside those that sign in.
    :ivar does: the ids of the tasks or jobs that a clean run removes or calls off.
    :ivar switches: of the simulator.
    :ivar thorough: whether everything is tried: all ways to sign in, an outage from the n-th request on, and faults that
        take a second or more. Together these cases have each operation of each module.
    :ivar variant: of another case, so that each fault is tried once only.
    :ivar parallel: several requests at the same time.
    """

    module: str
    options: dict[str, Any]
    does: tuple[str, ...] = ()
    switches: dict[str, Any] = {}  # noqa: RUF012  # never changed
    thorough: bool = False
    variant: bool = False
    check_mode: bool = False
    parallel: bool = False


_ONE = {"instance": REDIS, "task_ids": [DONE], "state": "absent"}
_THREE = {"instance": REDIS, "task_ids": [DONE, FAILED, CANCELLED], "state": "absent"}
_ENDED = {"accepted_phases": ["succeeded", "failed", "cancelled"], "state": "finished", "wait_interval": 1}
_CALL_OFF = {"instance": REDIS, "wait_timeout": 3, "wait_interval": 1}
_JOBS = {"wait_timeout": 3, "wait_interval": 1}
#: One request at a time otherwise, so that it is known which of several meets the fault.
_BULK = {"max_concurrency": 3}
_FLEET = {**_BULK, "instances": "all", "phases": ["succeeded", "failed", "cancelled"]}
_ALL = (DONE, FAILED, CANCELLED)

CASES: dict[str, Case] = {
    "info-of-one": Case("dcs_task_info", {"instances": [REDIS]}),
    "info-of-two": Case("dcs_task_info", {"instances": [REDIS, SECOND]}, variant=True),
    "info-of-all": Case("dcs_task_info", {"instances": "all"}, thorough=True),
    "info-by-name": Case("dcs_task_info", {"instances": ["redis-a"], "phases": ["pending"]}, variant=True),
    "info-by-id": Case("dcs_task_info", {"instances": [REDIS, SECOND], "task_ids": [ELSEWHERE]}, variant=True),
    "info-of-centre": Case("dcs_task_info", {}, thorough=True),
    "info-of-nothing": Case("dcs_task_info", {"instances": []}),
    "info-of-no-task": Case("dcs_task_info", {"instances": [EMPTY]}, variant=True),
    "absent-one": Case("dcs_task", _ONE, (DONE,), thorough=True),
    "absent-three": Case("dcs_task", _THREE, _ALL),
    "absent-three-204": Case("dcs_task", _THREE, _ALL, {"delete_status": 204, "unknown_id_status": 400}, variant=True),
    "absent-by-name": Case("dcs_task", {**_ONE, "instance": "redis-a"}, (DONE,), thorough=True),
    "absent-some": Case("dcs_task", {**_THREE, "task_ids": [UNLISTED, DONE, FAILED]}, (DONE, FAILED), variant=True),
    "absent-centre-one": Case("dcs_task", {"task_ids": [DONE], "state": "absent"}, (DONE,), thorough=True),
    "absent-centre-three": Case(
        "dcs_task", {"task_ids": [DONE, ELSEWHERE, FAILED], "state": "absent"}, (DONE, ELSEWHERE, FAILED)
    ),
    "absent-fleet": Case(
        "dcs_task", {**_FLEET, "state": "absent"}, (DONE, FAILED, CANCELLED, ELSEWHERE), parallel=True
    ),
    "absent-three-at-once": Case("dcs_task", {**_THREE, **_BULK}, _ALL, parallel=True),
    "finished-fleet": Case("dcs_task", {**_ENDED, **_FLEET}, parallel=True),
    "info-of-fleet": Case("dcs_task_info", {**_BULK, "instances": "all"}, parallel=True),
    "absent-nothing": Case("dcs_task", {**_ONE, "task_ids": [UNLISTED]}),
    "absent-check": Case("dcs_task", _THREE, check_mode=True),
    "finished-one": Case("dcs_task", {**_ENDED, "instance": REDIS, "task_ids": [DONE]}),
    "finished-three": Case("dcs_task", {**_ENDED, "instance": REDIS, "task_ids": list(_ALL)}, variant=True),
    "finished-centre": Case("dcs_task", {**_ENDED, "task_ids": [DONE, ELSEWHERE]}),
    "finished-nothing": Case("dcs_task", {**_ENDED, "instance": REDIS, "task_ids": [UNLISTED]}),
    "resize-wait": Case("dcs_resize_cancel", _CALL_OFF, (WAITING,), thorough=True),
    "resize-by-id-wait": Case("dcs_resize_cancel", {**_CALL_OFF, "task_id": WAITING}, (WAITING,), variant=True),
    "resize-no-wait": Case("dcs_resize_cancel", {**_CALL_OFF, "wait": False}, (WAITING,)),
    "resize-by-id-no-wait": Case(
        "dcs_resize_cancel", {**_CALL_OFF, "task_id": WAITING, "wait": False}, (WAITING,), variant=True
    ),
    "resize-removed": Case("dcs_resize_cancel", _CALL_OFF, (WAITING,), {"cancelled_record": "removed"}),
    "resize-by-id-removed": Case(
        "dcs_resize_cancel",
        {**_CALL_OFF, "task_id": WAITING},
        (WAITING,),
        {"cancelled_record": "removed"},
        variant=True,
    ),
    "resize-by-name": Case("dcs_resize_cancel", {**_CALL_OFF, "instance": "redis-a"}, (WAITING,), thorough=True),
    "resize-nothing": Case("dcs_resize_cancel", {**_CALL_OFF, "instance": SECOND}),
    "resize-by-id-nothing": Case("dcs_resize_cancel", {**_CALL_OFF, "task_id": CANCELLED}),
    "resize-check": Case(
        "dcs_resize_cancel", _CALL_OFF, (), {"waiting_status": "SCHEDULED"}, check_mode=True, thorough=True
    ),
    "job-info": Case("dds_scheduled_job_info", {}),
    "job-info-of-instance": Case("dds_scheduled_job_info", {"instances": [MONGO]}, variant=True),
    "job-info-by-name": Case("dds_scheduled_job_info", {"instances": ["mongo-a"]}, thorough=True),
    "job-info-by-id": Case("dds_scheduled_job_info", {"job_ids": [PENDING[0]]}),
    "job-info-nothing": Case("dds_scheduled_job_info", {"statuses": ["Failed"]}, variant=True),
    "job-one": Case("dds_scheduled_job", {**_JOBS, "job_ids": PENDING[:1]}, tuple(PENDING[:1])),
    "job-three": Case("dds_scheduled_job", {**_JOBS, "job_ids": PENDING}, tuple(PENDING)),
    "job-three-400": Case(
        "dds_scheduled_job", {**_JOBS, "job_ids": PENDING}, tuple(PENDING), {"unknown_id_status": 400}, variant=True
    ),
    "job-of-instance": Case("dds_scheduled_job", {**_JOBS, "instance": MONGO}, tuple(PENDING)),
    "job-by-name": Case("dds_scheduled_job", {**_JOBS, "instance": "mongo-b"}, (OTHERS,), thorough=True),
    "job-all-pending": Case(
        "dds_scheduled_job", {**_JOBS, **_BULK, "all_pending": True}, (*PENDING, OTHERS), parallel=True
    ),
    "job-nothing": Case("dds_scheduled_job", {**_JOBS, "job_ids": [OFF]}),
    "job-check": Case("dds_scheduled_job", {**_JOBS, "job_ids": PENDING}, check_mode=True),
}

#: AK/SK with the project's id; AK/SK, and the project is looked up; a password, for a token that names the project.
SIGN_INS = ("keys", "keys-look-up", "password")
#: Temporary keys, with which the project is looked up: of an agency, with AK/SK or with a password, and of the machine.
#: What is run with them: one case that reads, one that waits, and each way to change something; a password and an agency
#: together have no requests of their own.
ISSUED_CASES = ("info-of-one", "finished-one", "absent-one", "absent-centre-one", "resize-wait", "job-one")
ISSUED_SIGN_INS: dict[str, tuple[str, ...]] = {
    "agency": ISSUED_CASES,
    "machine": ISSUED_CASES,
    "password-agency": ("info-of-one", "absent-one", "resize-wait", "job-one"),
}
#: The requests that give credentials.
GIVES_CREDENTIALS = (
    *("KeystoneCreateUserTokenByPassword", "CreateTemporaryAccessKey"),
    *("CreateMetadataToken", "ShowSecurityKey"),
)


def options_of(sim: Simulator, case: Case, sign_in: str) -> dict[str, Any]:
    """All options of a run."""
    options: dict[str, Any] = {
        "region": sim.region,
        "endpoints": {"dcs": sim.url, "dds": sim.url, "iam": sim.url, "metadata": sim.url},
        "connect_timeout": 60,
        "max_concurrency": 1,
        **case.options,
    }
    if sign_in.startswith("password"):
        options.update(username=sim.username, password=sim.password, domain_name=sim.domain_name)
    elif sign_in == "machine":
        options["auth_method"] = "machine"
    else:
        options.update(access_key=sim.access_key, secret_key=sim.secret_key)
    if sign_in.endswith("agency"):
        options.update(agency_name="maintenance-agency", agency_domain_name=sim.domain_name)
    if sign_in == "keys":
        options["project_id"] = sim.project_id
    return options


def renews(sign_in: str) -> bool:
    """Whether a task that signs in so does it again when its credentials are refused."""
    return sign_in not in ("keys", "keys-look-up")


def _said(status: int, code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "body": {"error_code": code, "error_msg": message}, **more}


#: What can be told apart by its answer: a name, and the simulator's fault.
FAULTS: dict[str, Any] = {
    "400": _said(400, "DCS.4800", "Invalid offset in the request."),
    "400 empty": {"status": 400},
    "400 DCS.4239": _said(400, "DCS.4239", "The instance status is not extending."),
    "400 DBS.280016": _said(400, "DBS.280016", "Resource not found."),
    "401": _said(401, "APIGW.0301", "Incorrect IAM authentication information: verify aksk signature fail"),
    "401 empty": {"status": 401},
    "403": _said(403, "DCS.2007", "Policy does not allow it to be performed."),
    "403 of a state": _said(403, "DBS.200019", "Another operation is being performed on the DB instance."),
    "404 of a task": _said(404, "DCS.4404", "The task does not exist."),
    "404 of an instance": _said(404, "DCS.3022", "This DCS instance does not exist."),
    "404 of a URL": _said(404, "DCS.4001", "The requested URL does not exist."),
    "404 of the gateway": _said(404, "APIGW.0101", "The API does not exist or has not been published."),
    "404 empty": {"status": 404},
    "409": _said(409, "DCS.4957", "This operation is not allowed when the task is in the current state."),
    "429 at once": _said(429, "APIGW.0308", "The throttling threshold has been reached", headers={"Retry-After": "0"}),
    "429 later": _said(429, "APIGW.0308", "The throttling threshold has been reached", headers={"Retry-After": "1"}),
    "429 with a date": {"status": 429, "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}},
    "429": {"status": 429},
    "500": _said(500, "DCS.5000", "Internal service error."),
    "500 processed": _said(500, "DCS.5000", "Internal service error.", processed=True),
    "502 HTML": {"status": 502, "body": "<html>\n<h1>Bad\tGateway</h1>\n</html>"},
    "503": {"status": 503, "body": {"error": {"code": 503, "message": "Busy\nand more"}}},
    "504": {"status": 504},
    "504 processed": {"status": 504, "processed": True},
    "200 empty": {"status": 200},
    "200 empty processed": {"status": 200, "processed": True},
    "200 of something else": {"status": 200, "body": {"error_code": "DCS.5000"}},
    "redirect": {"redirect": "{elsewhere}/v2/steal"},
    "redirect 302": {"status": 302, "headers": {"Location": "{elsewhere}/v2/steal"}},
    "drop_before": "drop_before",
    "drop_after": "drop_after",
    "reset": "reset",
    "truncate": "truncate",
    "garbage": "garbage",
    "wrong_type": "wrong_type",
    "content_type": "content_type",
    "padding": {"huge": 300_000},
    "delay": {"delay": 0.02},
}
#: What is done to a request before it leaves this machine.
REFUSED = "refused"
#: A signal that ends the task, when a request is about to be sent, and when it has been answered.
INTERRUPTIONS = ("SIGTERM before", "SIGTERM after")
#: What takes more than a second, or many megabytes.
SLOW_FAULTS: dict[str, Any] = {"too slow": {"delay": 1.2}, "huge": {"huge": 65 * 2**20}}
#: How often: the n-th request only, this and all later requests of its operation, or all requests from it on.
ONCE, ALWAYS, OUTAGE, TWICE = "once", "always", "outage", "twice"
#: What an outage, or a door that is closed half-way, looks like.
OUTAGES = (
    *("401", "403", "404 of the gateway", "429", "500", "500 processed", "502 HTML", "504 processed", "200 empty"),
    *("redirect", "drop_before", "drop_after", "reset", "truncate", "garbage", "delay", REFUSED),
)
#: Two at a time: the first at the n-th request, the second at all that follow.
FIRST_FAULTS = (
    *("400 empty", "403", "403 of a state", "404 of a task", "409", "429", "500", "500 processed", "drop_before"),
    *("drop_after", "garbage", "delay"),
)
SECOND_FAULTS = ("401", "404 empty", "503", "504 processed", "drop_after", "garbage")
#: Without credentials nothing goes on: what came before must not be forgotten over it.
REFUSAL = "401"
TWO_FAULTS = (
    "absent-three",
    "absent-fleet",
    "absent-centre-three",
    "job-three",
    "job-all-pending",
    "job-of-instance",
    "resize-wait",
    "resize-removed",
)

#: An empty 200 is the documented success of a DELETE (C8): a service that says so without doing it is beyond any client.
NO_FAULT_OF_DELETE = ("200 empty",)
