# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys and tokens that a task obtains itself: of the machine, of an agency, with a passcode, and of a region."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.harness.sources import (
    AGENCIES,
    ASSUME,
    CANCEL,
    INFO,
    JOBS,
    MACHINE_KEY,
    PENDING_1H,
    SENTINEL,
    SESSION,
    SIGN_IN,
    Task,
    check,
    right,
)
from tests.unit.loopback import Loopback

# --- The machine -----------------------------------------------------------------------------------------------------


def machine(task: Task) -> Task:
    task.options["auth_method"] = "machine"
    return task


@pytest.mark.parametrize("status", [404, 405, 503])
def test_a_machine_without_version_2(task, no_backoff, status):
    task.sim.switches({"metadata": "v1"})
    task.sim.faults([{"operation": SESSION, "times": None, "fault": {"status": status}}])
    result = machine(task).run()
    check(task, result, [SESSION, MACHINE_KEY, JOBS], "aksk", temporary=True)


@pytest.mark.parametrize("status", [400, 401, 403, 500, 502])
def test_a_refused_session_is_not_taken_for_version_1(task, no_backoff, status):
    """Only some statuses say that there is no version 2."""
    task.sim.faults([{"operation": SESSION, "times": None, "fault": {"status": status}}])
    result = machine(task).run()
    assert result["failed"]
    assert result["failure"]["http_status"] == status
    assert set(task.sim.operations()) == {SESSION}


def test_a_machine_without_an_agency(task):
    task.sim.switches({"metadata": "none"})
    result = machine(task).run()
    assert task.sim.operations() == [SESSION, MACHINE_KEY]
    failure = result["failure"]
    assert (failure["http_status"], failure["service"], failure["retryable"]) == (401, "metadata", False)
    assert "Please configure Cloud Service Agency first" in result["msg"]
    assert "agency" in failure["hint"]


@pytest.mark.parametrize("operation", [SESSION, MACHINE_KEY])
def test_a_redirect_of_the_metadata_service_is_not_followed(task, operation):
    with Loopback() as elsewhere:
        task.sim.faults([{"operation": operation, "times": None, "fault": {"redirect": f"{elsewhere.url}/x"}}])
        result = machine(task).run()
        assert result["failed"]
        assert result["failure"]["http_status"] == 307
        assert "redirect" in result["msg"]
        assert elsewhere.seen == []
        assert JOBS not in task.sim.operations()


@pytest.mark.parametrize("operation", [SESSION, MACHINE_KEY])
def test_a_slow_metadata_service_is_given_up_within_seconds(task, operation, no_backoff):
    """Where there is no metadata service at all, nobody answers; the task must not wait a minute for it."""
    task.sim.faults([{"operation": operation, "times": None, "fault": {"delay": 90}}])
    start = time.monotonic()
    result = machine(task).run()
    seconds = time.monotonic() - start
    assert result["failed"]
    assert result["failure"]["code"] == "NetworkError"
    assert result["failure"]["service"] == "metadata"
    assert "3 seconds" in result["msg"]
    assert seconds < 40, seconds


def test_a_machine_without_a_metadata_service(task):
    """Nobody listens at the address: no time is lost with trying again."""
    with Loopback() as gone:
        task.options["endpoints"]["metadata"] = gone.url
    start = time.monotonic()
    result = machine(task).run()
    assert time.monotonic() - start < 20
    assert (result["failure"]["code"], result["failure"]["service"]) == ("NetworkError", "metadata")
    assert result["requests"] == 1


def key_of_machine(**changes: Any) -> dict[str, Any]:
    credential = {
        "access": "A" * 20,
        "secret": SENTINEL,
        "securitytoken": f"{SENTINEL}2",
        "expires_at": "2999-01-01T00:00:00.000000Z",
        **changes,
    }
    return {"credential": {name: value for name, value in credential.items() if value is not ...}}


ODD_KEYS: dict[str, Any] = {
    "a text": "nothing that is JSON",
    "an empty body": "",
    "a list": [1],
    "null": None,
    "no credential": {},
    "credential is null": {"credential": None},
    "credential is a list": {"credential": [1]},
    **{f"no {name}": key_of_machine(**{name: ...}) for name in ("access", "secret", "securitytoken")},
    **{
        f"{name} is {kind}": key_of_machine(**{name: value})
        for name in ("access", "secret", "securitytoken")
        for kind, value in {"null": None, "a number": 5, "empty": "", "two lines": "x\r\nX-Evil: 1", "é": "é"}.items()
    },
    "already expired": key_of_machine(expires_at="2020-01-08T02:56:19.587000Z"),
}


@pytest.mark.parametrize("operation", [MACHINE_KEY, ASSUME])
@pytest.mark.parametrize("name", ODD_KEYS)
def test_a_temporary_key_that_makes_no_sense(task, operation, name):
    """From the metadata service, or for an agency: a failure of the collection's own, without any part of the key."""
    status = 200 if operation == MACHINE_KEY else 201
    fault = {"status": status, "body": ODD_KEYS[name], "headers": {"Content-Type": "application/json"}}
    task.sim.faults([{"operation": operation, "times": None, "fault": fault}])
    if operation == MACHINE_KEY:
        machine(task)
    else:
        task.options.update(right(task.sim, "access key"), **AGENCIES["agency by name"])
    result = task.run()
    assert result["failed"]
    assert result["failure"]["code"] == "UnreadableAnswer", result
    assert result["failure"]["operation"] == operation
    assert SENTINEL not in json.dumps(result)
    assert JOBS not in task.sim.operations()


@pytest.mark.parametrize("body", ["", " \n", "two\nlines", "é", {"x": 1}], ids=str)
def test_a_session_of_the_machine_that_makes_no_sense(task, body):
    """What is no header value must not be sent as one."""
    task.sim.faults([{"operation": SESSION, "times": None, "fault": {"status": 200, "body": body}}])
    result = machine(task).run()
    assert result["failed"]
    if body != {"x": 1}:
        assert result["failure"]["code"] == "UnreadableAnswer", result
        assert task.sim.operations() == [SESSION]


@pytest.mark.parametrize(
    "variable", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
)
@pytest.mark.parametrize("metadata", ["v2", "v1"])
def test_the_metadata_service_is_asked_without_a_proxy(task, variable, metadata):
    """A proxy would show the metadata of another machine, or hand out this machine's keys."""
    task.sim.switches({"metadata": metadata})
    with Loopback() as proxy:
        task.environ[variable] = proxy.url
        check(task, machine(task).run(), [SESSION, MACHINE_KEY, JOBS], "aksk", temporary=True)
        assert proxy.seen == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.253",
        "http://metadata.example.com",
        "https://metadata.example.com",
        "http://10.0.0.1",
        "http://[fe80::1]",
        "http://127.0.0.1.example.com",
        "http://user:SENTINELSECRET@127.0.0.1",
        "ftp://127.0.0.1",
        "nonsense",
    ],
)
@pytest.mark.parametrize("method", ["machine", "access_key"])
def test_an_address_of_metadata_elsewhere_is_refused(task, url, method):
    """Whoever answers there learns of the machine, or hands it keys of somebody else."""
    task.options.update(right(task.sim, "access key"), auth_method=method)
    task.options["endpoints"]["metadata"] = url
    message = task.refusal("InvalidOption")
    assert "endpoints.metadata" in message
    assert SENTINEL not in message


def test_the_address_of_metadata_is_the_machines_own(monkeypatch, task):
    """Without an option it is the address that all clouds have for it."""
    del task.options["endpoints"]["metadata"]
    asked = []

    def send(_session: Any, method: str, url: str, **_more: Any) -> Any:
        asked.append((method, url))
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr("requests.Session.request", send)
    result = machine(task).run(retries=0)
    assert result["failure"]["code"] == "NetworkError"
    assert asked[0] == ("PUT", "http://169.254.169.254/meta-data/latest/api/token")


def test_keys_of_the_machine_are_renewed_once(task):
    task.sim.events([{"before": JOBS, "do": [{"tokens": "expire"}]}])
    result = machine(task).run()
    assert "failed" not in result, result
    assert task.sim.operations() == [SESSION, MACHINE_KEY, JOBS, SESSION, MACHINE_KEY, JOBS]
    assert len(result["retried"]) == 1
    assert "new sign-in" in result["retried"][0]


# --- Agencies ---------------------------------------------------------------------------------------------------------

AGENCY = AGENCIES["agency by name"]


@pytest.mark.parametrize("kind", ["access key", "temporary key", "token", "password"])
@pytest.mark.parametrize(
    "given", [{"agency_name": "nobody"}, {"agency_domain_name": "another-account"}], ids=["agency", "account"]
)
def test_an_agency_that_does_not_exist(task, kind, given):
    task.options.update(right(task.sim, kind), **{**AGENCY, **given})
    result = task.run(CANCEL)
    assert task.sim.operations() == [SIGN_IN] * (kind == "password") + [ASSUME]
    failure = result["failure"]
    assert (failure["http_status"], failure["operation"], failure["service"]) == (404, ASSUME, "iam")
    assert failure["retryable"] is False
    assert "agency" in result["msg"]
    assert "agency" in (failure["hint"] or "")


@pytest.mark.parametrize("kind", ["access key", "token", "password"])
def test_an_agency_that_may_only_read(task, kind):
    task.options.update(right(task.sim, kind), **{**AGENCY, "agency_name": "audit-agency"})
    assert "failed" not in task.run(INFO)
    result = task.run(CANCEL)
    assert result["failure"]["http_status"] == 403
    assert "dds:instance:cancelScheduledJob" in result["failure"]["hint"]
    assert result["changed"] is False


def test_a_user_who_may_not_assume(task):
    fault = {"status": 403, "body": {"error": {"code": 403, "message": "You are not authorized", "title": "Forbidden"}}}
    task.sim.faults([{"operation": ASSUME, "fault": fault}])
    task.options.update(right(task.sim, "access key"), **AGENCY)
    result = task.run()
    assert task.sim.operations() == [ASSUME]
    assert result["failure"]["http_status"] == 403
    assert "iam:tokens:assume" in result["failure"]["hint"]


@pytest.mark.parametrize("deadline", [None, 1, 899, 901, 5000, 86399, 90000])
def test_keys_of_an_agency_last_as_long_as_the_task(task, deadline):
    task.options.update(right(task.sim, "access key"), **AGENCY)
    assert "failed" not in task.run(deadline=deadline)
    identity = task.sim._server.cloud.identity
    (ends,) = [key.expires_at for key in identity.keys.values() if key.expires_at is not None]
    # IAM gives keys for a quarter of an hour to a day.
    wanted = min(86400, max(900, deadline or 900))
    assert wanted - 5 <= ends - task.sim._server.cloud.world.clock() <= 86400


#: What is sent again after the keys of the agency, and all that they were obtained with, have ended.
RENEWED = {"access key": [ASSUME], "password": [SIGN_IN, ASSUME], "machine": [SESSION, MACHINE_KEY, ASSUME]}


@pytest.mark.parametrize("kind", RENEWED)
@pytest.mark.parametrize("at", [1, 2, 3])
def test_keys_of_an_agency_are_renewed_once(task, kind, at):
    """Whatever request they end at: the task goes on with new ones, and does nothing twice."""
    work = [JOBS, "CancelScheduledTask", JOBS]
    if kind == "machine":
        task.options["auth_method"] = "machine"
    else:
        task.options.update(right(task.sim, kind))
    operation = work[at - 1]
    task.sim.events([{"before": operation, "count": work[:at].count(operation), "do": [{"tokens": "expire"}]}])
    result = task.run(CANCEL, **AGENCY)
    assert "failed" not in result, result
    assert result["cancelled"] == [PENDING_1H]
    assert task.sim.operations() == [*RENEWED[kind], *work[:at], *RENEWED[kind], *work[at - 1 :]]
    assert len(result["retried"]) == 1


@pytest.mark.parametrize("kind", ["token", "temporary key"])
def test_what_was_given_cannot_be_renewed(task, kind):
    """New keys of the agency are asked for once, with credentials that have ended as well: IAM's refusal is the end."""
    task.options.update(right(task.sim, kind), **AGENCY)
    task.sim.events([{"before": JOBS, "do": [{"tokens": "expire"}]}])
    result = task.run()
    assert task.sim.operations() == [ASSUME, JOBS, ASSUME]
    assert result["failed"]
    assert result["failure"]["http_status"] == 401


@pytest.mark.parametrize("kind", [*RENEWED, "token", "temporary key"])
def test_a_service_that_refuses_every_key_is_not_asked_for_ever(task, kind):
    unauthorised = {"status": 401, "body": {"error_code": "APIGW.0301", "error_msg": "verify aksk signature fail"}}
    task.sim.faults([{"operation": JOBS, "times": None, "fault": unauthorised}])
    if kind == "machine":
        task.options["auth_method"] = "machine"
    else:
        task.options.update(right(task.sim, kind))
    result = task.run(**AGENCY)
    assert result["failure"]["http_status"] == 401
    assert task.sim.operations().count(JOBS) == 2
    assert task.sim.operations().count(ASSUME) == 2


@pytest.mark.parametrize("fault", ["drop_after", {"status": 500}, {"status": 503}], ids=str)
def test_assuming_is_a_post_and_not_repeated_when_it_may_have_arrived(task, no_backoff, fault):
    task.sim.faults([{"operation": ASSUME, "times": None, "fault": fault}])
    task.options.update(right(task.sim, "access key"), **AGENCY)
    result = task.run()
    assert result["failed"]
    assert result["failure"]["retryable"] is True
    assert task.sim.operations() == [ASSUME]


def test_no_secret_of_an_agency_or_a_machine_is_shown(task):
    """The keys are the cloud's own; what a service echoes of them must not come out."""
    identity = task.sim._server.cloud.identity
    for options in ({**right(task.sim, "access key"), **AGENCY}, {"auth_method": "machine"}):
        known = set(identity.keys)
        assert "failed" not in task.run(**options)
        echo = {"status": 403, "body": {"error_code": "DBS.280063", "error_msg": "ECHO"}}
        (key,) = [key for access, key in identity.keys.items() if access not in known]
        echo["body"]["error_msg"] = f"You sent {key.secret} and {key.security_token}"
        issue = identity.issue_key
        identity.issue_key = lambda *_arguments, key=key: key
        task.sim.faults([{"operation": JOBS, "fault": echo}])
        result = task.run(**options)
        identity.issue_key = issue
        assert result["failure"]["http_status"] == 403
        assert key.secret not in json.dumps(result)
        assert key.security_token not in json.dumps(result)


# --- Passcodes and regions ---------------------------------------------------------------------------------------------


def test_a_passcode_is_not_sent_twice(task):
    """It is good for one sign-in, so that a new one after 401 could only fail, and might lock the user."""
    task.options.update(right(task.sim, "passcode"))
    task.sim.events([{"before": JOBS, "do": [{"tokens": "expire"}]}])
    result = task.run()
    assert task.sim.operations() == [SIGN_IN, JOBS]
    assert result["failure"]["http_status"] == 401
    assert "expired" in result["failure"]["hint"]


@pytest.mark.parametrize("passcode", ["000000", None])
def test_a_wrong_passcode(task, passcode):
    task.options.update(right(task.sim, "passcode"))
    result = task.run(passcode=passcode)
    assert task.sim.operations() == [SIGN_IN]
    assert result["failure"]["http_status"] == 401


@pytest.mark.parametrize("kind", ["token", "password"])
def test_a_token_of_another_region_is_explained(task, kind):
    task.sim.switches({"token_region": "elsewhere"})
    values = right(task.sim, kind)
    if kind == "token":
        task.sim._server.cloud.identity.tokens[values["auth_token"]].elsewhere = True
    task.options.update(values)
    result = task.run()
    expected = [JOBS] if kind == "token" else [SIGN_IN, JOBS, SIGN_IN, JOBS]
    assert task.sim.operations() == expected
    assert result["failure"]["http_status"] == 401
    assert "region" in result["failure"]["hint"]
