# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to sign in, from options and from each family of environment variables, with the fewest requests."""

from __future__ import annotations

import pytest
import requests

from tests.conftest import connection
from tests.harness.modules import run_module
from tests.harness.playbooks import local_play, run_playbook

SIGN_IN, PROJECTS = "KeystoneCreateUserTokenByPassword", "KeystoneListProjects"
PENDING_1H = "83717e93-eb0c-81dc-8119-499a03290d3d"
CREATED = "24401d1dc583dc828e8e3c005aaad020"

#: One module that reads and two that write, and the requests of each when signing in costs none.
WORK = {
    "dds_scheduled_job_info": ({"phases": ["pending"]}, ["ListScheduledTasks"]),
    "dds_scheduled_job": (
        {"job_ids": [PENDING_1H]},
        ["ListScheduledTasks", "CancelScheduledTask", "ListScheduledTasks"],
    ),
    "dcs_resize_cancel": (
        {"instance": "2f55a1c6-d0bf-a848-7c47-5bdf79903d32"},
        # The first listing is read to its end, which only the empty page proves; the last one until the task was seen.
        ["ListBackgroundTask", "ListBackgroundTask", "CancelInstanceResize", "ListBackgroundTask"],
    ),
}
FAMILIES = {
    "HUAWEICLOUD_SDK_*": {
        "access_key": "HUAWEICLOUD_SDK_AK",
        "secret_key": "HUAWEICLOUD_SDK_SK",
        "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    },
    "HW_*": {
        "auth_token": "HW_AUTH_TOKEN",
        "access_key": "HW_ACCESS_KEY",
        "secret_key": "HW_SECRET_KEY",
        "security_token": "HW_SECURITY_TOKEN",
        "username": "HW_USER_NAME",
        "password": "HW_USER_PASSWORD",
        "domain_name": "HW_DOMAIN_NAME",
    },
    "OS_*": {
        "auth_token": "OS_AUTH_TOKEN",
        "access_key": "OS_ACCESS_KEY",
        "secret_key": "OS_SECRET_KEY",
        "security_token": "OS_SECURITY_TOKEN",
        "username": "OS_USERNAME",
        "password": "OS_PASSWORD",
        "domain_name": "OS_USER_DOMAIN_NAME",
    },
}
KINDS = {
    "access key": ("access_key", "secret_key"),
    "temporary key": ("access_key", "secret_key", "security_token"),
    "token": ("auth_token",),
    "password": ("username", "password", "domain_name"),
}
#: Each kind with each source that can hold it: the SDK has variables for access keys only.
WAYS = [
    (kind, source)
    for kind, needed in KINDS.items()
    for source in ("options", *FAMILIES)
    if source == "options" or set(needed) <= set(FAMILIES[source])
]
#: How the project is given, and the look-up that this costs where signing in does not tell.
PROJECT = {
    "project_id": (lambda sim: {}, []),
    "region": (lambda sim: {"project_id": None}, [PROJECTS]),
    "project_name": (lambda sim: {"project_id": None, "region": "elsewhere-1", "project_name": sim.region}, [PROJECTS]),
}


def take_token(sim, username=None, password=None):
    """A token, as a user would fetch it beforehand."""
    user = {
        "name": username or sim.username,
        "password": password or sim.password,
        "domain": {"name": sim.domain_name},
    }
    body = {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"id": sim.project_id}},
        }
    }
    answer = requests.post(f"{sim.url}/v3/auth/tokens", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return answer.headers["X-Subject-Token"]


def take_temporary_key(sim):
    body = {"auth": {"identity": {"methods": ["token"]}}}
    answer = requests.post(
        f"{sim.url}/v3.0/OS-CREDENTIAL/securitytokens",
        json=body,
        headers={"X-Auth-Token": take_token(sim)},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    found = answer.json()["credential"]
    return {"access_key": found["access"], "secret_key": found["secret"], "security_token": found["securitytoken"]}


def credentials(sim, kind):
    """Values of one kind, by the names of their options."""
    if kind == "token":
        return {"auth_token": take_token(sim)}
    if kind == "temporary key":
        return take_temporary_key(sim)
    return {name: getattr(sim, name) for name in KINDS[kind]}


class Watched:
    """The journal from here on."""

    def __init__(self, sim):
        self._sim = sim
        self._start = len(sim.journal())

    def entries(self):
        return self._sim.journal()[self._start :]

    def operations(self):
        return [entry["operation"] for entry in self.entries()]


def cancelled_in(sim):
    return next(job for job in sim.jobs() if job["job_id"] == PENDING_1H)["job_status"] == "Canceled"


@pytest.mark.parametrize(("kind", "source"), WAYS)
@pytest.mark.parametrize("project", PROJECT)
@pytest.mark.parametrize("name", WORK)
def test_works_with_the_fewest_requests(sim, kind, name, project, source):
    values = credentials(sim, kind)
    watched = Watched(sim)
    where, look_up = PROJECT[project]
    options, requests_of_work = WORK[name]
    options = {**connection(sim), **options, **where(sim)}
    environ = {}
    if source == "options":
        options.update(values)
    else:
        environ = {FAMILIES[source][option]: value for option, value in values.items()}
    result = run_module(name, options, environ=environ)
    assert "failed" not in result, result
    assert result["changed"] is (name != "dds_scheduled_job_info")
    # The answer to the sign-in names the project, so that it needs no look-up.
    before = [SIGN_IN] if kind == "password" else look_up
    assert watched.operations() == before + requests_of_work
    assert result["requests"] == len(before) + len(requests_of_work)
    way = "aksk" if "key" in kind else "token"
    assert {entry["auth"] for entry in watched.entries() if entry["operation"] != SIGN_IN} == {way}
    assert ("X-Security-Token" in watched.entries()[-1]["request_headers"]) is (kind == "temporary key")


@pytest.mark.parametrize("source", ["options", *FAMILIES])
def test_another_project_by_name(sim, source):
    values = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    options = {**connection(sim), "project_id": None}
    name = f"{sim.region}_staging"
    variables = {"HUAWEICLOUD_SDK_*": "HW_PROJECT_NAME", "HW_*": "HW_PROJECT_NAME", "OS_*": "OS_TENANT_NAME"}
    environ = {}
    if source == "options":
        options.update(project_name=name, **values)
    else:
        environ = {FAMILIES[source][option]: value for option, value in values.items()}
        environ[variables[source]] = name
    result = run_module("dds_scheduled_job_info", options, environ=environ)
    assert [job["instance_name"] for job in result["jobs"]] == ["dds-sandbox"]
    assert sim.journal()[0]["query"] == {"name": [name]}


@pytest.mark.parametrize(
    "variable",
    ["HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID"],
)
def test_project_id_from_the_environment(sim, variable):
    options = {**connection(sim), "project_id": None, "access_key": sim.access_key, "secret_key": sim.secret_key}
    result = run_module("dds_scheduled_job_info", options, environ={variable: sim.projects[1]})
    assert [job["instance_name"] for job in result["jobs"]] == ["dds-sandbox"]
    assert sim.operations() == ["ListScheduledTasks"]


@pytest.mark.parametrize("region", ["HW_REGION_NAME", "OS_REGION_NAME"])
@pytest.mark.parametrize(
    "iam", ["HUAWEICLOUD_SDK_REGION_IAM_{}", "HUAWEICLOUD_SDK_IAM_ENDPOINT", "HW_AUTH_URL", "OS_AUTH_URL"]
)
def test_region_and_endpoints_from_the_environment(sim, region, iam):
    suffix = sim.region.upper().replace("-", "_")
    environ = {
        region: sim.region,
        # As the file of an OpenStack user has it.
        iam.format(suffix): f"{sim.url}/v3" if iam == "OS_AUTH_URL" else sim.url,
        f"HUAWEICLOUD_SDK_REGION_DDS_{suffix}": f"{sim.url}/",
        "HW_USER_NAME": sim.username,
        "HW_USER_PASSWORD": sim.password,
        "HW_DOMAIN_NAME": sim.domain_name,
    }
    result = run_module("dds_scheduled_job", {"job_ids": [PENDING_1H]}, environ=environ)
    assert result["cancelled"] == [PENDING_1H]
    assert sim.operations()[0] == SIGN_IN


def test_options_win_over_the_environment_and_families_come_in_order(sim):
    right = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    wrong = {"access_key": "WRONG", "secret_key": "wrong-secret"}

    def run(options, *families):
        environ = {FAMILIES[family][option]: value for family, values in families for option, value in values.items()}
        return run_module("dds_scheduled_job_info", {**connection(sim), **options}, environ=environ)

    ordered = list(FAMILIES)
    assert "failed" not in run(right, *((family, wrong) for family in ordered))
    assert run(wrong, *((family, right) for family in ordered))["failure"]["http_status"] == 401
    for position, family in enumerate(ordered):
        assert "failed" not in run({}, (family, right), *((later, wrong) for later in ordered[position + 1 :]))


def test_a_token_is_preferred_to_a_key_and_a_key_to_a_password(sim):
    password = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    key = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    token = {"auth_token": take_token(sim)}
    for given, way in (({**password, **key}, "aksk"), ({**password, **key, **token}, "token")):
        watched = Watched(sim)
        run_module("dds_scheduled_job_info", {**connection(sim), **given})
        assert [entry["auth"] for entry in watched.entries()] == [way]


# --- What can be wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WORK)
@pytest.mark.parametrize("wrong", [{"secret_key": "not-the-secret-key"}, {"access_key": "NOSUCHACCESSKEY"}], ids=str)
def test_a_wrong_key_costs_exactly_one_request(sim, name, wrong):
    options = {**connection(sim), "access_key": sim.access_key, "secret_key": sim.secret_key}
    result = run_module(name, {**options, **WORK[name][0], **wrong})
    # More than five wrong signatures in a row lock the key, so that none may be repeated.
    assert len(sim.journal()) == 1
    failure = result["failure"]
    assert result["failed"] is True
    assert (failure["code"], failure["http_status"], failure["retryable"]) == ("APIGW.0301", 401, False)
    assert "credentials" in failure["hint"]
    assert result["changed"] is False


def test_a_temporary_key_without_its_token_is_hinted_at(sim):
    keys = take_temporary_key(sim)
    del keys["security_token"]
    watched = Watched(sim)
    result = run_module("dds_scheduled_job_info", {**connection(sim), **keys})
    assert result["failure"]["http_status"] == 401
    assert "security token" in result["failure"]["hint"]
    assert len(watched.entries()) == 1


def test_a_locked_key_is_explained(sim):
    options = {**connection(sim), "access_key": sim.access_key, "secret_key": "not-the-secret-key"}
    for _attempt in range(6):
        run_module("dds_scheduled_job_info", options)
    result = run_module("dds_scheduled_job_info", {**options, "secret_key": sim.secret_key})
    assert "locked" in result["failure"]["hint"]


@pytest.mark.parametrize(
    "wrong",
    [{"password": "not-the-password"}, {"username": "nobody"}, {"domain_name": "another-account"}],
    ids=str,
)
def test_a_wrong_password_is_sent_once_and_nothing_else_is(sim, wrong):
    values = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name, **wrong}
    result = run_module("dds_scheduled_job", {**connection(sim), **values, "job_ids": [PENDING_1H]})
    assert sim.operations() == [SIGN_IN]
    failure = result["failure"]
    assert (failure["code"], failure["http_status"], failure["service"]) == ("401", 401, "iam")
    assert failure["operation"] == SIGN_IN
    assert "credentials" in failure["hint"]
    assert not cancelled_in(sim)


@pytest.mark.parametrize("token", ["not-a-token", None])
def test_a_token_of_the_user_that_has_ended_is_a_failure_without_retry(sim, token):
    token = token or take_token(sim)
    sim.expire_tokens()
    watched = Watched(sim)
    result = run_module("dds_scheduled_job", {**connection(sim), "auth_token": token, "job_ids": [PENDING_1H]})
    assert watched.operations() == ["ListScheduledTasks"]
    assert result["failure"]["http_status"] == 401
    assert result["failure"]["retryable"] is False
    assert ("expired" if token != "not-a-token" else "damaged") in result["failure"]["hint"]
    assert not cancelled_in(sim)


UNAUTHORISED = {"status": 401, "body": {"error_code": "APIGW.0301", "error_msg": "token expires, expires_at: x"}}


@pytest.mark.parametrize(
    ("name", "at"),
    [(name, at) for name in ("dds_scheduled_job", "dcs_resize_cancel") for at in range(len(WORK[name][1]))],
)
def test_a_token_that_the_task_obtained_itself_is_renewed_once(sim, name, at):
    options, work = WORK[name]
    # A token may end at any of the task's requests.
    skip = work[:at].count(work[at])
    sim.faults([{"operation": work[at], "skip": skip, "fault": UNAUTHORISED}])
    values = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    result = run_module(name, {**connection(sim), **values, **options})
    assert "failed" not in result, result
    assert result["changed"] is True
    assert sim.operations() == [SIGN_IN, *work[: at + 1], SIGN_IN, *work[at:]]
    assert len(result["retried"]) == 1
    assert "new sign-in" in result["retried"][0]
    again = run_module(name, {**connection(sim), **values, **options})
    assert again["changed"] is False


def test_a_service_that_refuses_every_new_token_is_not_asked_for_ever(sim):
    sim.switches({"token_ttl": 0})
    values = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    result = run_module("dds_scheduled_job", {**connection(sim), **values, "job_ids": [PENDING_1H]})
    assert result["failed"] is True
    assert sim.operations() == [SIGN_IN, "ListScheduledTasks", SIGN_IN, "ListScheduledTasks"]
    assert "expired" in result["failure"]["hint"]


def test_a_refused_user_is_not_signed_in_again(sim):
    values = {"username": "auditor", "password": "Simulator-Password-2!", "domain_name": sim.domain_name}
    result = run_module("dds_scheduled_job", {**connection(sim), **values, "job_ids": [PENDING_1H]})
    assert result["failure"]["http_status"] == 403
    assert sim.operations().count(SIGN_IN) == 1


@pytest.mark.parametrize(
    ("options", "code", "named"),
    [
        ({"region": "nowhere-1"}, "NotFound", "nowhere-1"),
        ({"project_name": "nothing"}, "NotFound", "nothing"),
    ],
    ids=str,
)
def test_a_project_that_does_not_exist(sim, options, code, named):
    keys = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    result = run_module("dds_scheduled_job_info", {**connection(sim), "project_id": None, **keys, **options})
    assert sim.operations() == [PROJECTS]
    assert result["failure"]["code"] == code
    assert named in result["msg"]
    assert "project_id" in result["failure"]["hint"]


def test_several_projects_of_one_name_are_listed(sim):
    found = [{"id": letter * 32, "name": sim.region} for letter in "ba"]
    sim.faults([{"operation": PROJECTS, "fault": {"status": 200, "body": {"projects": found}}}])
    keys = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    result = run_module("dds_scheduled_job_info", {**connection(sim), "project_id": None, **keys})
    assert result["failure"]["code"] == "Ambiguous"
    assert "a" * 32 + ", " + "b" * 32 in result["msg"]
    assert sim.operations() == [PROJECTS]


def test_a_look_up_that_ignores_the_name_gives_away_no_other_project(sim):
    found = [{"id": "c" * 32, "name": "somebody-elses"}]
    sim.faults([{"operation": PROJECTS, "fault": {"status": 200, "body": {"projects": found}}}])
    keys = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    result = run_module("dds_scheduled_job_info", {**connection(sim), "project_id": None, **keys})
    assert result["failure"]["code"] == "NotFound"
    assert sim.operations() == [PROJECTS]


@pytest.mark.parametrize("operation", [SIGN_IN, PROJECTS])
@pytest.mark.parametrize("fault", ["garbage", "wrong_type", {"status": 200, "body": {}}], ids=str)
def test_an_answer_of_iam_that_makes_no_sense(sim, operation, fault):
    values = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    if operation == PROJECTS:
        values = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    sim.faults([{"operation": operation, "times": None, "fault": fault}])
    result = run_module("dds_scheduled_job_info", {**connection(sim), "project_id": None, **values})
    assert result["failure"]["code"] == "UnreadableAnswer"
    assert result["failure"]["service"] == "iam"
    assert sim.operations() == [operation]


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 503}, "drop_after"], ids=str)
def test_a_sign_in_is_a_post_and_not_repeated_when_it_may_have_arrived(sim, no_backoff, fault):
    values = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    sim.faults([{"operation": SIGN_IN, "fault": fault}])
    result = run_module("dds_scheduled_job_info", {**connection(sim), **values})
    assert result["failed"] is True
    assert result["failure"]["retryable"] is True
    assert sim.operations() == [SIGN_IN]


def test_a_sign_in_that_was_throttled_is_repeated(sim, no_backoff):
    values = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    throttled = {"status": 429, "body": {"error_code": "IAM.0012", "error_msg": "Threshold"}}
    sim.faults([{"operation": SIGN_IN, "fault": throttled}])
    result = run_module("dds_scheduled_job_info", {**connection(sim), **values})
    assert "failed" not in result
    assert sim.operations() == [SIGN_IN, SIGN_IN, "ListScheduledTasks"]


def test_by_real_ansible_playbook_with_the_environment_only(sim, tmp_path):
    suffix = sim.region.upper().replace("-", "_")
    environ = {
        "HUAWEICLOUD_SDK_AK": sim.access_key,
        "HUAWEICLOUD_SDK_SK": sim.secret_key,
        "HW_REGION_NAME": sim.region,
        "OS_AUTH_URL": f"{sim.url}/v3",
        f"HUAWEICLOUD_SDK_REGION_DDS_{suffix}": sim.url,
        f"HUAWEICLOUD_SDK_REGION_DCS_{suffix}": sim.url,
    }
    tasks = [
        {"name": "read", "hwcloud.maintenance.dcs_task_info": {}},
        {"name": "write", "hwcloud.maintenance.dds_scheduled_job": {"job_ids": [PENDING_1H]}},
    ]
    run = run_playbook(tmp_path, [local_play(tasks)], environ=environ)
    assert run.returncode == 0, run.output
    assert run.result("write")["cancelled"] == [PENDING_1H]
    assert sim.operations() == [PROJECTS, "ListCenterTask", PROJECTS, *WORK["dds_scheduled_job"][1]]
