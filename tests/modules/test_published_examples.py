# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every example that Huawei Cloud publishes is the answer to each module that calls the operation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import connection, signed_in
from tests.examples import EXAMPLES, OPERATIONS, answered, body_of
from tests.harness.modules import run_module
from tests.unit.loopback import Loopback, answer

LIST, CENTRE, PROGRESS = "dcs-ListBackgroundTask", "dcs-ListCenterTask", "dcs-ShowBackgroundTaskProgress"
DELETE, DELETE_CENTRE, CANCEL = "dcs-DeleteBackgroundTask", "dcs-DeleteCenterTask", "dcs-CancelInstanceResize"
DCS_INSTANCES, DDS_INSTANCES = "dcs-ListInstances", "dds-ListInstances"
JOBS, CANCEL_JOB = "dds-ListScheduledTasks", "dds-CancelScheduledTask"
TOKEN, PROJECTS, AGENCY = (
    "iam-KeystoneCreateUserTokenByPassword",
    "iam-KeystoneListProjects",
    "iam-CreateTemporaryAccessKeyByAgency",
)

#: What the examples are about.
INSTANCE = "5560df16-cebf-4473-95c4-d1b573c16e79"
TASK, OTHER_TASK = "8abf6e1e72c12e7c0172c15b508500aa", "ff80808188bfde180188c36bb9ca4a30"
JOB = "3861199d-c196-4791-bcd0-b45fde754f50"
DCS_INSTANCE = "12073516-dab2-40a8-a285-4c5da07891ae"
DDS_NAMES = ["dds-32f4", "dds-5699", "dds-efa6"]

LISTS = list(EXAMPLES[LIST])


def rest_of_list(operation: str = LIST) -> dict[str, Any]:
    """A fault rule: the pages after the first, which are empty."""
    fault = {"status": 200, "body": {"task_count": 1, "tasks": []}}
    return {"operation": OPERATIONS[operation], "times": None, "fault": fault}


def test_each_example_is_used():
    """A new example needs a test; these operations no module calls, and their examples are used below too."""
    assert set(EXAMPLES) == {
        *(LIST, CENTRE, PROGRESS, DELETE, DELETE_CENTRE, CANCEL, DCS_INSTANCES, DDS_INSTANCES, JOBS, CANCEL_JOB),
        *(TOKEN, PROJECTS, AGENCY, "dcs-ShowInstance", "dcs-ResizeInstance"),
    }
    assert all(each["source"] for examples in EXAMPLES.values() for each in examples.values())


# --- DCS: background tasks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", LISTS)
def test_tasks_are_listed(sim, module, example):
    """The example of the page has the status and the times beside the list instead of in the task (C4)."""
    sim.faults([answered(LIST, example), rest_of_list()])
    result = module("dcs_task_info", instances=[INSTANCE])
    assert not result.get("failed"), result
    assert result["changed"] is False
    (task,) = result["tasks"]
    assert (task["id"], task["instance_id"], task["phase"]) == (TASK, INSTANCE, "succeeded")
    assert (task["status"], task["created_at"]) == ("SUCCESS", "2020-06-17T08:18:06.597Z")
    assert task["updated_at"] == "2020-06-17T08:18:10.106Z"
    assert (task["details"]["old_capacity"], task["details"]["new_capacity"]) == ("0.125", "0.25")
    assert result["summary"]["by_phase"]["succeeded"] == result["summary"]["total"] == 1
    assert not result.get("warnings")


@pytest.mark.parametrize("example", LISTS)
@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("removal", EXAMPLES[DELETE])
def test_task_is_removed(sim, module, example, check_mode, removal):
    sim.faults([answered(LIST, example), rest_of_list(), answered(DELETE, removal)])
    result = module("dcs_task", instance=INSTANCE, task_ids=[TASK], state="absent", check_mode=check_mode)
    assert not result.get("failed"), result
    assert (result["changed"], result["removed"]) == (True, [TASK])
    assert sim.operations().count("DeleteBackgroundTask") == (0 if check_mode else 1)


@pytest.mark.parametrize("example", LISTS)
def test_old_tasks_are_removed(sim, module, example):
    """Selected by phase and age, and read to the end of the list."""
    sim.faults([answered(LIST, example), rest_of_list(), answered(DELETE, "page")])
    result = module("dcs_task", instance=INSTANCE, phases=["succeeded"], older_than="30d", state="absent")
    assert not result.get("failed"), result
    assert (result["changed"], result["removed"]) == (True, [TASK])


@pytest.mark.parametrize("example", LISTS)
def test_task_has_finished(sim, module, example):
    sim.faults([answered(LIST, example), rest_of_list()])
    result = module("dcs_task", instance=INSTANCE, task_ids=[TASK], state="finished")
    assert not result.get("failed"), result
    assert result["changed"] is False
    assert [(task["id"], task["phase"]) for task in result["tasks"]] == [(TASK, "succeeded")]
    assert set(sim.operations()) == {"ListBackgroundTask"}


@pytest.mark.parametrize("example", LISTS)
@pytest.mark.parametrize("check_mode", [False, True])
def test_finished_spec_change_is_not_called_off(sim, module, example, check_mode):
    """With its id it is too late, without there is nothing to do; a cancellation is never sent."""
    sim.faults([answered(LIST, example), rest_of_list()])
    late = module("dcs_resize_cancel", instance=INSTANCE, task_id=TASK, check_mode=check_mode)
    assert late["failed"]
    assert (late["changed"], late["failure"]["code"]) == (False, "TooLate")
    sim.faults([answered(LIST, example), rest_of_list()])
    nothing = module("dcs_resize_cancel", instance=INSTANCE, check_mode=check_mode)
    assert not nothing.get("failed"), nothing
    assert (nothing["changed"], nothing["task"]) == (False, None)
    assert set(sim.operations()) == {"ListBackgroundTask"}


def test_task_centre_is_listed(sim, module):
    """The details of the second task are null."""
    sim.faults([answered(CENTRE, "document")])
    result = module("dcs_task_info")
    assert not result.get("failed"), result
    assert [task["id"] for task in result["tasks"]] == [TASK, OTHER_TASK]
    assert {task["phase"] for task in result["tasks"]} == {"succeeded"}
    assert {task["instance_id"] for task in result["tasks"]} == {None}
    assert [task["details"] and task["details"]["new_capacity"] for task in result["tasks"]] == ["0.25", None]
    assert result["summary"]["by_name"] == {"ChangeInstanceSpec": 1, "dcsExportJob": 1}


@pytest.mark.parametrize("check_mode", [False, True])
def test_tasks_of_the_centre_are_removed(sim, module, check_mode):
    """No answer to the removal is published, only its status."""
    sim.faults([answered(CENTRE, "document"), answered(DELETE_CENTRE, "document", times=None)])
    result = module("dcs_task", task_ids=[TASK, OTHER_TASK], state="absent", check_mode=check_mode)
    assert not result.get("failed"), result
    assert result["changed"] is True
    assert sorted(result["removed"]) == [TASK, OTHER_TASK]
    assert sim.operations().count("DeleteCenterTask") == (0 if check_mode else 2)


def test_tasks_of_the_centre_have_finished(sim, module):
    sim.faults([answered(CENTRE, "document")])
    result = module("dcs_task", task_ids=[TASK, OTHER_TASK], state="finished")
    assert not result.get("failed"), result
    assert [(task["id"], task["phase"]) for task in result["tasks"]] == [(TASK, "succeeded"), (OTHER_TASK, "succeeded")]


# --- DCS: calling off ----------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(sim) -> dict[str, Any]:
    """A spec change of the scenario that waits."""
    return next(task for task in sim.tasks("redis-sessions-prod") if task["status"] == "CREATED")


def test_spec_change_is_called_off(sim, module, waiting):
    sim.faults([answered(CANCEL, "page", processed=True)])
    result = module("dcs_resize_cancel", instance=waiting["instance_id"])
    assert not result.get("failed"), result
    assert (result["changed"], result["task"]["id"], result["task"]["phase"]) == (True, waiting["id"], "cancelled")
    assert result["presumed"] == []


def test_refusal_to_call_off(sim, module, waiting, short_doubt):
    """The example of the page says that the instance does not extend, while its spec change still waits."""
    sim.faults([answered(CANCEL, "page-refusal", times=None)])
    result = module("dcs_resize_cancel", instance=waiting["instance_id"])
    assert result["failed"]
    assert (result["changed"], result["failure"]["code"], result["failure"]["http_status"]) == (False, "DCS.4239", 400)
    assert "The instance status is not extending." in result["msg"]
    assert sim.operations().count("CancelInstanceResize") == 1


def test_progress_is_added(sim, module, waiting):
    sim.faults([answered(PROGRESS, "document", times=None)])
    result = module("dcs_task_info", instances=[waiting["instance_id"]], include_progress=True)
    assert not result.get("failed"), result
    (task,) = [task for task in result["tasks"] if task["id"] == waiting["id"]]
    assert (task["progress"]["progress"], task["progress"]["remain_time"]) == (30, 100)
    assert [step["step_status"] for step in task["progress"]["step_details"]] == ["FINISH", "EXECUTING"]
    assert task["progress"] == body_of(PROGRESS, "document")


def test_progress_tells_that_it_is_too_late(sim, module):
    """In check mode, of a spec change whose status does not say whether it waits."""
    sim.reset("maintenance")
    sim.switches({"waiting_status": "EXECUTING"})
    instance = sim.instance("redis-sessions-prod")["instance_id"]
    sim.faults([answered(PROGRESS, "document", times=None)])
    result = module("dcs_resize_cancel", instance=instance, check_mode=True)
    assert result["failed"]
    assert (result["changed"], result["failure"]["code"]) == (False, "TooLate")


# --- Instances -----------------------------------------------------------------------------------------------------------


def test_dcs_instances_are_listed(sim, module):
    """A tag has a number for its key, the public address is an object, the note is not ASCII."""
    sim.faults([answered(DCS_INSTANCES, "document")])
    result = module("dcs_instance_info", tags={"1": "DCS"})
    assert not result.get("failed"), result
    (instance,) = result["instances"]
    assert (instance["instance_id"], instance["name"]) == (DCS_INSTANCE, "dcs-single-test-1")
    assert instance["maintenance_window"] == {"begin": "02:00", "end": "06:00"}
    assert (instance["description"], instance["tags"]) == ("实例描述备注", [{"key": 1, "value": "DCS"}])
    assert result["summary"] == {"total": 1, "by_status": {"RUNNING": 1}, "by_engine": {"Redis": 1}}


def test_detailed_instance_is_listed(sim, module):
    """No module asks for one instance; what is published of it may be an entry of a list too."""
    body = {"instance_num": 1, "instances": [body_of("dcs-ShowInstance", "document")]}
    sim.faults([{"operation": "ListInstances", "service": "dcs", "fault": {"status": 200, "body": body}}])
    result = module("dcs_instance_info", names=["dcs-125d"])
    assert not result.get("failed"), result
    (instance,) = result["instances"]
    assert instance["maintenance_window"] == {"begin": "02:00", "end": "06:00"}
    assert instance["domain_name_info"] == body["instances"][0]["domain_name_info"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dcs_task_info", {"instances": ["dcs-single-test-1"]}),
        ("dcs_task", {"instance": "dcs-single-test-1", "task_ids": [TASK], "state": "finished"}),
        ("dcs_task", {"instances": "all", "phases": ["failed"], "state": "absent"}),
        ("dcs_resize_cancel", {"instance": "dcs-single-test-1"}),
    ],
)
def test_dcs_instance_is_found_by_name(sim, module, name, options):
    end = {"status": 200, "body": {"instance_num": 1, "instances": []}}
    sim.faults(
        [
            answered(DCS_INSTANCES, "document"),
            {"operation": "ListInstances", "times": None, "fault": end},
            answered(LIST, "document"),
            rest_of_list(),
        ]
    )
    result = module(name, **options)
    assert not result.get("failed"), result
    assert result["changed"] is False
    asked = [entry["path"] for entry in sim.journal("dcs") if entry["operation"] == "ListBackgroundTask"]
    assert asked
    assert all(f"/instances/{DCS_INSTANCE}/tasks" in path for path in asked)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dcs_instance_info", {}),
        ("dcs_task_info", {"instances": "all"}),
        ("dcs_task", {"instance": "redis-sessions-prod", "task_ids": [TASK], "state": "absent"}),
        ("dcs_resize_cancel", {"instance": "redis-sessions-prod"}),
    ],
)
def test_refused_list_of_instances(sim, module, name, options):
    sim.faults([answered(DCS_INSTANCES, "document-refusal", times=None)])
    result = module(name, **options)
    assert result["failed"]
    assert (result["failure"]["code"], result["failure"]["http_status"]) == ("DCS.4800", 400)
    assert (result["failure"]["operation"], result["failure"]["retryable"]) == ("ListInstances", False)
    assert "Invalid offset in the request." in result["msg"]
    assert sim.operations() == ["ListInstances"]


def test_dds_instances_are_listed(sim, module):
    """Groups are an object or a list, nodes have no address, the note is a number."""
    sim.faults([answered(DDS_INSTANCES, "document")])
    result = module("dds_instance_info")
    assert not result.get("failed"), result
    assert [instance["name"] for instance in result["instances"]] == DDS_NAMES
    assert {json.dumps(instance["maintenance_window"]) for instance in result["instances"]} == {
        '{"begin": "02:00", "end": "06:00"}'
    }
    assert result["summary"]["by_status"] == {"normal": 3}


# --- DDS: scheduled jobs ---------------------------------------------------------------------------------------------------


def test_jobs_are_listed(sim, module):
    sim.faults([answered(JOBS, "document")])
    result = module("dds_scheduled_job_info")
    assert not result.get("failed"), result
    assert result["changed"] is False
    assert [(job["job_id"], job["phase"], job["job_name"]) for job in result["jobs"]] == [
        (JOB, "pending", "RESIZE_FLAVOR")
    ]


def jobs_with_status(status: str) -> dict[str, Any]:
    """A fault rule: the example with this status, and a page after it that is empty."""
    body = body_of(JOBS, "document")
    body["schedules"][0]["job_status"] = status
    return {"operation": "ListScheduledTasks", "times": 1, "fault": {"status": 200, "body": body}}


NO_JOBS = {
    "operation": "ListScheduledTasks",
    "times": 1,
    "fault": {"status": 200, "body": {"schedules": [], "total_count": 1}},
}


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"job_ids": [JOB]},
        {"instance": "a2b33e2077ee41e397e57cd2f022b72fin02"},
        {"job_names": ["resize_flavor"]},
        {"all_pending": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_job_is_called_off(sim, module, check_mode, options):
    # With an id the listing ends as soon as the job was seen.
    first = [answered(JOBS, "document")] + ([] if "job_ids" in options else [NO_JOBS])
    sim.faults([*first, answered(CANCEL_JOB, "page"), jobs_with_status("Canceled"), NO_JOBS])
    result = module("dds_scheduled_job", check_mode=check_mode, **options)
    assert not result.get("failed"), result
    assert (result["changed"], result["cancelled"]) == (True, [JOB])
    assert [(job["job_id"], job["phase"]) for job in result["jobs"]] == [(JOB, "cancelled")]
    assert sim.operations().count("CancelScheduledTask") == (0 if check_mode else 1)


def test_dds_instance_is_found_by_name(sim, module):
    sim.faults([answered(DDS_INSTANCES, "document", times=None)])
    result = module("dds_scheduled_job_info", instances=["dds-efa6"])
    assert not result.get("failed"), result
    assert result["jobs"] == []


# --- IAM -------------------------------------------------------------------------------------------------------------------

USER = {"username": "IAMUser", "password": "IAMPassword", "domain_name": "IAMDomain"}
SUBJECT_TOKEN = "MIIExampleOfATokenThatIsLongEnough"


def published(operation: str, example: str, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    """An action of a loopback server: the answer of the example, with changes in its first object."""
    found = EXAMPLES[operation][example]
    body = body_of(operation, example)
    next(iter(body.values())).update(changes)
    return answer(found["status"], json.dumps(body).encode(), headers)


def jobs() -> Any:
    """An action of a loopback server: the example of scheduled jobs."""
    return published_list(JOBS, "document")


def published_list(operation: str, example: str) -> Any:
    """An action of a loopback server: the example as it is."""
    return answer(EXAMPLES[operation][example]["status"], json.dumps(body_of(operation, example)).encode())


def led_to(server: Loopback, **options: Any) -> dict[str, Any]:
    """Options of a module that lead to this server."""
    return {
        "region": "cn-north-1",
        "endpoints": {"dcs": server.url, "dds": server.url, "iam": server.url},
        "retries": 0,
        **options,
    }


def test_token_of_a_project():
    """What is sent is the request that is published, and the token is used for the project that the answer names."""
    with Loopback(published(TOKEN, "document-project", {"X-Subject-Token": SUBJECT_TOKEN}), jobs()) as server:
        result = run_module("dds_scheduled_job_info", led_to(server, project_name="cn-north-1", **USER))
    assert not result.get("failed"), result
    assert [job["job_id"] for job in result["jobs"]] == [JOB]
    sign_in, listing = server.seen
    assert sign_in.target.startswith("/v3/auth/tokens")
    assert json.loads(sign_in.body) == EXAMPLES[TOKEN]["document-project"]["request_body"]
    assert listing.target.startswith("/v3/aa2d97d7e62c4b7da3ffdfc11551f878/scheduled-jobs?")
    assert listing.fields["x-auth-token"] == SUBJECT_TOKEN


def test_token_of_an_account_is_none_of_a_project():
    with Loopback(published(TOKEN, "document-account", {"X-Subject-Token": SUBJECT_TOKEN})) as server:
        result = run_module("dds_scheduled_job_info", led_to(server, project_name="cn-north-1", **USER))
    assert result["failed"]
    assert result["failure"]["operation"] == "KeystoneCreateUserTokenByPassword"
    assert len(server.seen) == 1


def test_token_of_an_account_assumes_an_agency():
    """The only use of such a token; the request for it is the one that is published."""
    key = published(AGENCY, "document", expires_at="2099-01-08T02:56:19.587000Z")
    agency = {"agency_name": "IAMAgency", "agency_domain_name": "IAMDomainA", "project_id": "a" * 32}
    with Loopback(published(TOKEN, "document-account", {"X-Subject-Token": SUBJECT_TOKEN}), key, jobs()) as server:
        result = run_module("dds_scheduled_job_info", led_to(server, deadline=3600, **agency, **USER))
    assert not result.get("failed"), result
    sign_in, assumed, listing = server.seen
    assert json.loads(sign_in.body) == EXAMPLES[TOKEN]["document-account"]["request_body"]
    assert json.loads(assumed.body) == EXAMPLES[AGENCY]["document-request-2"]["request_body"]
    temporary = body_of(AGENCY, "document")["credential"]
    assert f"Access={temporary['access']}," in listing.fields["authorization"]
    assert listing.fields["x-security-token"] == temporary["securitytoken"]


def test_key_of_an_agency_that_has_expired():
    """The example as it is: its key ended in 2020."""
    key = {"access_key": "A" * 20, "secret_key": "S" * 40, "project_id": "a" * 32}
    agency = {"agency_name": "IAMAgency", "agency_domain_name": "IAMDomainA"}
    with Loopback(published_list(AGENCY, "document")) as server:
        result = run_module("dds_scheduled_job_info", led_to(server, **agency, **key))
    assert result["failed"]
    assert "expired" in result["msg"]
    assert len(server.seen) == 1
    for secret in body_of(AGENCY, "document")["credential"].values():
        if secret.startswith(("w9", "gQ")):
            assert secret not in json.dumps(result)


@pytest.mark.parametrize(("example", "status"), [("document-invalid", 400), ("document-refusal", 401)])
def test_refused_sign_in(sim, example, status):
    sim.faults([answered(TOKEN, example, times=None)])
    result = run_module("dcs_task_info", {**connection(sim), **USER})
    assert result["failed"]
    assert result["failure"]["http_status"] == status
    assert result["failure"]["operation"] == "KeystoneCreateUserTokenByPassword"
    assert body_of(TOKEN, example)["error"]["message"] in result["msg"]
    assert sim.operations() == ["KeystoneCreateUserTokenByPassword"]


@pytest.mark.parametrize(("name", "found"), [("cn-east-2", "065a7c66da0010992ff7c0031e5a5e7d"), ("eu-west-0", None)])
def test_projects_are_looked_up(name, found):
    """By name, in the two projects of the example; a third is refused, and both are named."""
    key = {"access_key": "A" * 20, "secret_key": "S" * 40}
    with Loopback(published_list(PROJECTS, "document"), jobs()) as server:
        result = run_module("dds_scheduled_job_info", led_to(server, project_name=name, **key))
    if found is None:
        assert result["failed"]
        assert len(server.seen) == 1
    else:
        assert not result.get("failed"), result
        assert server.seen[1].target.startswith(f"/v3/{found}/scheduled-jobs?")


# --- Requests that no module sends -----------------------------------------------------------------------------------------


def test_published_requests_reach_the_operation(sim):
    """The lines of the examples are the ones that the modules send."""
    options = signed_in(sim)
    options["project_id"] = "a4d31cb6-3d72-4fdc-8ec9-6e3a41e47f71"
    sim.faults([answered(LIST, "document"), answered(DELETE, "page", times=None)])
    run_module("dcs_task", {**options, "instance": INSTANCE, "task_ids": [TASK], "state": "absent"})
    sent = {f"{entry['method']} {entry['path']}" for entry in sim.journal("dcs")}
    assert sent == {
        EXAMPLES[LIST]["page"]["request"].partition("?")[0],
        *(EXAMPLES[DELETE][page]["request"] for page in ("page", "page-pt-br")),
    }
