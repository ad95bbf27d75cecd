# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every answer satisfies its schema, with every switch that changes its form."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.contract.caller import SCHEMAS, Caller, check, refused
from tests.simulator import Simulator

WIDE = {"start_time": "2020-01-01T00:00:00+0000", "limit": 100}
FORMS: list[dict[str, Any]] = [
    {},
    {"capacity_type": "number", "task_count_type": "string", "azs": "objects", "dds_groups": "object"},
]


@pytest.mark.parametrize("switches", FORMS)
def test_dcs_answers(sim: Simulator, caller: Caller, switches: dict[str, Any]) -> None:
    sim.switches(switches)
    check("dcs-ListInstances", caller.get(caller.dcs + "/instances", limit=1000).json())
    centre = caller.get(caller.dcs + "/tasks", limit=1000).json()
    check("dcs-ListCenterTask", centre)
    assert len(centre["tasks"]) == 14
    for instance in sim.state()["dcs_instances"]:
        if instance["project_id"] == sim.project_id:
            path = f"{caller.dcs}/instances/{instance['instance_id']}"
            check("dcs-ShowInstance", caller.get(path).json())
            answer = caller.get(path + "/tasks", limit=1000).json()
            check("dcs-ListBackgroundTask", answer)
            for task in answer["tasks"]:
                check("dcs-ShowBackgroundTaskProgress", caller.get(f"{path}/tasks/{task['id']}/progress").json())


def test_dcs_changes(sim: Simulator, caller: Caller) -> None:
    tasks = sim.tasks("redis-sessions-prod")
    deleted = caller.call("DELETE", f"{caller.tasks_path()}/{tasks[1]['id']}")
    assert (deleted.status_code, deleted.json()) == (200, {"message": ""})
    check("dcs-DeleteBackgroundTask", deleted.json())
    deleted = caller.call("DELETE", f"{caller.dcs}/tasks/{tasks[2]['id']}")
    assert deleted.status_code == 200
    check("dcs-DeleteCenterTask", deleted.json())
    cancelled = caller.call("POST", caller.cancel_path("redis-sessions-prod", tasks[0]["id"]))
    assert cancelled.status_code == 200
    check("dcs-CancelInstanceResize", cancelled.json())
    resized = caller.resize("redis-queue-prod")
    assert (resized.status_code, resized.content) == (204, b"")
    check("dcs-ListMaintenanceWindows", caller.get("/v2/instances/maintain-windows").json())


@pytest.mark.parametrize("switches", FORMS)
def test_dds_answers(sim: Simulator, caller: Caller, switches: dict[str, Any]) -> None:
    sim.switches(switches)
    jobs = caller.get(caller.dds + "/scheduled-jobs", **WIDE).json()
    check("dds-ListScheduledTasks", jobs)
    assert jobs["total_count"] == len(jobs["schedules"]) == 8
    instances = caller.get(caller.dds + "/instances").json()
    check("dds-ListInstances", instances)
    assert instances["total_count"] == 3


def test_dds_changes(sim: Simulator, caller: Caller) -> None:
    path = f"{caller.dds}/instances/{sim.instance('dds-orders-prod')['id']}"
    upgrade = caller.call("POST", path + "/db-upgrade", body={"is_delayed": True})
    check("dds-UpgradeDatabaseVersion", upgrade.json())
    window = caller.call("PUT", path + "/maintenance-window", body={"start_time": "01:00", "end_time": "05:00"})
    assert (window.status_code, window.content) == (204, b"")
    cancel = caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{upgrade.json()['job_id']}")
    assert (cancel.status_code, cancel.content) == (204, b"")
    check("dds-ListScheduledTasks", caller.get(caller.dds + "/scheduled-jobs", **WIDE).json())


def test_iam_answers(sim: Simulator, caller: Caller) -> None:
    for scope in ({"project": {"name": sim.region}}, {"domain": {"name": sim.domain_name}}):
        body = caller.token_body()
        body["auth"]["scope"] = scope
        answer = caller.plain("POST", "/v3/auth/tokens", json=body)
        check("iam-KeystoneCreateUserTokenByPassword", answer.json())
        assert answer.headers["X-Subject-Token"]
    check("iam-KeystoneListProjects", caller.get("/v3/projects").json())
    check("iam-KeystoneListAuthDomains", caller.get("/v3/auth/domains").json())
    role = {"agency_name": "maintenance-agency", "domain_name": sim.domain_name}
    body = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
    check("iam-CreateTemporaryAccessKey", caller.call("POST", "/v3.0/OS-CREDENTIAL/securitytokens", body=body).json())


def test_errors(sim: Simulator, caller: Caller) -> None:
    refused(caller.get(caller.dcs + "/instances", limit=0), 400, "DCS.4800")
    refused(caller.get(caller.dds + "/instances", limit=0), 400, "DBS.280439")
    refused(caller.get("/v9/nothing"), 404, "APIGW.0101")
    check("iam-error", caller.plain("POST", "/v3/auth/tokens", json={}).json())
    sim.switches({"error_shape": "v1"})
    check("dcs-error-v1", caller.get(caller.dcs + "/instances", limit=0).json())


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_schemas_are_sound_and_strict(name: str) -> None:
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"]
    assert schema["additionalProperties"] is False
    with pytest.raises(jsonschema.ValidationError):
        check(name, {})
