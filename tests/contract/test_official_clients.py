# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The official SDK clients can do every operation that they have and the simulator serves."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.simulator import Simulator


@pytest.fixture
def dcs(sim: Simulator) -> Any:
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkdcs.v2 import DcsClient

    keys = BasicCredentials(sim.access_key, sim.secret_key, sim.project_id)
    return DcsClient.new_builder().with_credentials(keys).with_endpoint(sim.url).build()


@pytest.fixture
def dds(sim: Simulator) -> Any:
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkdds.v3 import DdsClient

    keys = BasicCredentials(sim.access_key, sim.secret_key, sim.project_id)
    return DdsClient.new_builder().with_credentials(keys).with_endpoint(sim.url).build()


@pytest.fixture
def iam(sim: Simulator) -> Any:
    from huaweicloudsdkcore.auth.credentials import GlobalCredentials
    from huaweicloudsdkiam.v3 import IamClient

    keys = GlobalCredentials(sim.access_key, sim.secret_key).with_iam_endpoint(sim.url)
    return IamClient.new_builder().with_credentials(keys).with_endpoint(sim.url).build()


def test_dcs_instances(sim: Simulator, dcs: Any) -> None:
    from huaweicloudsdkdcs.v2 import ListInstancesRequest, ShowInstanceRequest

    answer = dcs.list_instances(ListInstancesRequest(limit=2, offset=1))
    assert answer.instance_num == 5
    assert [each.name for each in answer.instances] == ["redis-cart-prod", "redis-cache-staging"]
    exact = dcs.list_instances(ListInstancesRequest(name="redis-cart-prod", name_equal="true")).instances
    assert [each.instance_id for each in exact] == [sim.instance("redis-cart-prod")["instance_id"]]
    detail = dcs.show_instance(ShowInstanceRequest(instance_id=exact[0].instance_id))
    assert (detail.status, detail.capacity, detail.cache_mode) == ("RUNNING", 8, "ha")
    assert detail.tags[0].key == "environment"


def test_dcs_tasks(sim: Simulator, dcs: Any) -> None:
    from huaweicloudsdkdcs.v2 import (
        DeleteBackgroundTaskRequest,
        ListBackgroundTaskRequest,
        ShowBackgroundTaskProgressRequest,
    )

    instance = sim.instance("redis-sessions-prod")["instance_id"]
    expected = sim.tasks("redis-sessions-prod")
    answer = dcs.list_background_task(ListBackgroundTaskRequest(instance_id=instance, limit=1000, offset=0))
    assert str(answer.task_count) == "6"
    assert [task.id for task in answer.tasks] == [task["id"] for task in expected]
    assert answer.tasks[-1].details.to_dict() == expected[-1]["details"]
    request = ShowBackgroundTaskProgressRequest(instance_id=instance, task_id=expected[0]["id"])
    progress = dcs.show_background_task_progress(request)
    assert progress.progress == 0
    assert {step.step_status for step in progress.step_details} == {"WAITING"}
    dcs.delete_background_task(DeleteBackgroundTaskRequest(instance_id=instance, task_id=expected[1]["id"]))
    assert [task["id"] for task in sim.tasks("redis-sessions-prod")] == [
        task["id"] for task in expected if task is not expected[1]
    ]


def test_dcs_task_centre(sim: Simulator, dcs: Any) -> None:
    from huaweicloudsdkdcs.v2 import DeleteCenterTaskRequest, ListCenterTaskRequest

    tasks = dcs.list_center_task(ListCenterTaskRequest(limit=100, offset=0)).tasks
    assert len(tasks) == 14
    failed = next(task for task in tasks if task.name == "masterStandbySwapJob")
    assert (failed.status, failed.error_code) == ("FAILED", "DCS.5094")
    assert failed.job_id != failed.id
    dcs.delete_center_task(DeleteCenterTaskRequest(task_id=failed.id))
    assert failed.id not in {task["id"] for task in sim.state()["tasks"]}


def test_dcs_resize(sim: Simulator, dcs: Any) -> None:
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
    from huaweicloudsdkdcs.v2 import ResizeInstanceBody, ResizeInstanceRequest

    instance = sim.instance("redis-queue-prod")["instance_id"]
    body = ResizeInstanceBody(spec_code="redis.ha.xu1.large.r2.8", new_capacity=8, execute_immediately=False)
    dcs.resize_instance(ResizeInstanceRequest(instance_id=instance, body=body))
    (task,) = sim.tasks("redis-queue-prod")
    assert (task["name"], task["status"], task["details"]["new_capacity"]) == ("EXTEND", "CREATED", "8")
    assert sim.instance("redis-queue-prod")["status"] == "EXTENDING"
    with pytest.raises(ClientRequestException) as caught:
        dcs.resize_instance(ResizeInstanceRequest(instance_id=instance, body=body))
    assert (caught.value.status_code, caught.value.error_code) == (400, "DCS.4113")
    assert caught.value.request_id


def test_dcs_maintenance_windows(dcs: Any) -> None:
    from huaweicloudsdkdcs.v2 import ListMaintenanceWindowsRequest

    windows = dcs.list_maintenance_windows(ListMaintenanceWindowsRequest()).maintain_windows
    assert [(window.begin, window.end) for window in windows if window.default] == [("18", "19")]


def test_dds_scheduled_jobs(sim: Simulator, dds: Any) -> None:
    from huaweicloudsdkdds.v3 import CancelScheduledTaskRequest, ListScheduledTasksRequest

    recent = dds.list_scheduled_tasks(ListScheduledTasksRequest(limit=100))
    assert recent.total_count == 5
    start = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(time.time() - 365 * 86400))
    found = dds.list_scheduled_tasks(ListScheduledTasksRequest(start_time=start, job_status="Pending", limit=100))
    assert [job.job_id for job in found.schedules] == [
        job["job_id"] for job in sim.jobs("Pending") if job["project_id"] == sim.project_id
    ]
    dds.cancel_scheduled_task(CancelScheduledTaskRequest(job_id=found.schedules[0].job_id))
    assert sim.jobs()[0]["job_status"] == "Canceled"


def test_dds_instances(sim: Simulator, dds: Any) -> None:
    from huaweicloudsdkdds.v3 import ListInstancesRequest

    answer = dds.list_instances(ListInstancesRequest(name="*orders"))
    assert [each.name for each in answer.instances] == ["dds-orders-staging", "dds-orders-prod"]
    assert answer.instances[1].groups[0].nodes[0].role == "Primary"
    assert answer.instances[1].datastore.type == "DDS-Community"


def test_dds_upgrade_and_window(sim: Simulator, dds: Any) -> None:
    from huaweicloudsdkdds.v3 import (
        ChangeOpsWindowRequest,
        OpsWindowRequestBody,
        UpgradeDatabaseVersionRequest,
        UpgradeDatabaseVersionRequestBody,
    )

    instance = sim.instance("dds-orders-prod")["id"]
    window = OpsWindowRequestBody(start_time="20:00", end_time="22:00")
    dds.change_ops_window(ChangeOpsWindowRequest(instance_id=instance, body=window))
    body = UpgradeDatabaseVersionRequestBody(upgrade_mode="minimized_interrupt_time", is_delayed=True)
    answer = dds.upgrade_database_version(UpgradeDatabaseVersionRequest(instance_id=instance, body=body))
    job = sim.jobs("Pending")[0]
    assert (job["job_id"], job["job_name"]) == (answer.job_id, "UPGRADE_DATABASE")
    assert "T20:00:00" in job["start_time"]


def test_iam_token_and_projects(sim: Simulator, iam: Any) -> None:
    from huaweicloudsdkiam.v3 import (
        AuthScope,
        AuthScopeProject,
        KeystoneCreateUserTokenByPasswordRequest,
        KeystoneCreateUserTokenByPasswordRequestBody,
        KeystoneListAuthDomainsRequest,
        KeystoneListProjectsRequest,
        PwdAuth,
        PwdIdentity,
        PwdPassword,
        PwdPasswordUser,
        PwdPasswordUserDomain,
    )

    user = PwdPasswordUser(PwdPasswordUserDomain(sim.domain_name), sim.username, sim.password)
    auth = PwdAuth(PwdIdentity(["password"], PwdPassword(user)), AuthScope(project=AuthScopeProject(name=sim.region)))
    request = KeystoneCreateUserTokenByPasswordRequest(
        nocatalog="true", body=KeystoneCreateUserTokenByPasswordRequestBody(auth)
    )
    answer = iam.keystone_create_user_token_by_password(request)
    assert answer.token.project.id == sim.project_id
    assert answer.x_subject_token
    projects = iam.keystone_list_projects(KeystoneListProjectsRequest(name=sim.region)).projects
    assert [project.id for project in projects] == [sim.project_id]
    domains = iam.keystone_list_auth_domains(KeystoneListAuthDomainsRequest()).domains
    assert [domain.name for domain in domains] == [sim.domain_name]


def test_iam_temporary_keys_work_for_dcs(sim: Simulator, iam: Any) -> None:
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkdcs.v2 import DcsClient, ListInstancesRequest
    from huaweicloudsdkiam.v3 import (
        AgencyAuth,
        AgencyAuthIdentity,
        CreateTemporaryAccessKeyByAgencyRequest,
        CreateTemporaryAccessKeyByAgencyRequestBody,
        IdentityAssumerole,
    )

    role = IdentityAssumerole(agency_name="maintenance-agency", domain_name=sim.domain_name, duration_seconds=900)
    body = CreateTemporaryAccessKeyByAgencyRequestBody(AgencyAuth(AgencyAuthIdentity(["assume_role"], role)))
    made = iam.create_temporary_access_key_by_agency(CreateTemporaryAccessKeyByAgencyRequest(body=body)).credential
    keys = BasicCredentials(made.access, made.secret, sim.project_id).with_security_token(made.securitytoken)
    client = DcsClient.new_builder().with_credentials(keys).with_endpoint(sim.url).build()
    assert client.list_instances(ListInstancesRequest()).instance_num == 5


def test_project_is_looked_up_by_region(sim: Simulator) -> None:
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.region.region import Region
    from huaweicloudsdkdcs.v2 import DcsClient, ListInstancesRequest

    keys = BasicCredentials(sim.access_key, sim.secret_key).with_iam_endpoint(sim.url)
    client = DcsClient.new_builder().with_credentials(keys).with_region(Region(sim.region, sim.url)).build()
    assert client.list_instances(ListInstancesRequest()).instance_num == 5
    assert sim.operations() == ["KeystoneListProjects", "ListInstances"]


def test_dds_instant_tasks(sim: Simulator, dds: Any) -> None:
    from huaweicloudsdkdds.v3 import ListTasksRequest, ShowJobDetailRequest

    start, end = (time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(time.time() + at)) for at in (-29 * 86400, 60))
    answer = dds.list_tasks(ListTasksRequest(start_time=start, end_time=end, limit=10, offset=0))
    assert (answer.total_count, [job.status for job in answer.jobs]) == (3, ["Running", "Completed", "Failed"])
    failed = dds.list_tasks(ListTasksRequest(start_time=start, end_time=end, status="Failed")).jobs
    job = dds.show_job_detail(ShowJobDetailRequest(id=failed[0].id)).job
    assert (job.name, job.status, job.instance.name) == ("UpgradeDatabaseVersion", "Failed", "dds-orders-staging")
    assert job.fail_reason == failed[0].fail_reason


def test_tags(sim: Simulator, dcs: Any, dds: Any) -> None:
    from huaweicloudsdkdcs.v2 import ListTagsOfTenantRequest, ShowTagsRequest
    from huaweicloudsdkdds.v3 import ListInstanceTagsRequest, ListProjectTagsRequest

    expected = {"environment": "production", "team": "web"}
    instance = sim.instance("redis-sessions-prod")["instance_id"]
    shown = dcs.show_tags(ShowTagsRequest(instance_id=instance)).tags
    assert {tag.key: tag.value for tag in shown} == expected
    shown = dds.list_instance_tags(ListInstanceTagsRequest(instance_id=sim.instance("dds-orders-prod")["id"])).tags
    assert {tag.key: tag.value for tag in shown} == {"environment": "production", "team": "orders"}
    for tags in (
        dcs.list_tags_of_tenant(ListTagsOfTenantRequest()).tags,
        dds.list_project_tags(ListProjectTagsRequest()).tags,
    ):
        assert {tag.key: set(tag.values) for tag in tags}["environment"] == {"production", "staging"}


def test_dcs_jobs(sim: Simulator, dcs: Any) -> None:
    from huaweicloudsdkdcs.v2 import ShowJobInfoRequest

    task = sim.tasks("redis-cart-prod")[0]
    job = dcs.show_job_info(ShowJobInfoRequest(job_id=task["job_id"]))
    assert (job.job_type, job.status) == ("dcsExportJob", "RUNNING")


def test_dds_nodes(sim: Simulator, dds: Any) -> None:
    from huaweicloudsdkdds.v3 import ListInstancesRequest

    for form in ("table", "sample"):
        sim.switches({"dds_instance_form": form})
        (cluster,) = dds.list_instances(ListInstancesRequest(mode="Sharding")).instances
        assert {node.role for node in cluster.groups[0].nodes} == {"master"}
        assert not any(node.private_ip for group in cluster.groups[1:] for node in group.nodes)
        assert [group.volume is None for group in cluster.groups] == [True, False, False]
