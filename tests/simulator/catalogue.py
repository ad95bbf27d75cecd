# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances, tasks and jobs look like in full when a scenario names only what matters."""

from __future__ import annotations

from typing import Any

from .state import hex_id, planned_window, uuid_id
from .times import dcs_time, dds_instance_time, dds_time

# The fields of an instance in a list; the detail call shows the others too (docs/api.md 2.7).
DCS_LISTED = (
    "instance_id",
    "name",
    "status",
    "sub_status",
    "engine",
    "engine_version",
    "spec_code",
    "capacity",
    "capacity_minor",
    "max_memory",
    "used_memory",
    "cpu_type",
    "ip",
    "port",
    "domain_name",
    "readonly_domain_name",
    "az_codes",
    "vpc_id",
    "vpc_name",
    "subnet_id",
    "security_group_id",
    "enable_publicip",
    "publicip_id",
    "publicip_address",
    "enable_ssl",
    "no_password_access",
    "access_user",
    "charging_mode",
    "order_id",
    "maintain_begin",
    "maintain_end",
    "features",
    "service_upgrade",
    "service_task_id",
    "enterprise_project_id",
    "description",
    "tags",
    "user_id",
    "user_name",
    "created_at",
    "updated_at",
)


def capacity_fields(gigabytes: float) -> dict[str, Any]:
    """The size of a DCS instance: `capacity` is 0 when `capacity_minor` is used."""
    small = gigabytes < 1
    return {
        "capacity": 0 if small else int(gigabytes),
        "capacity_minor": f"{gigabytes:g}" if small else None,
        "max_memory": int(gigabytes * 1024),
        "used_memory": int(gigabytes * 1024 * 0.4),
    }


def dcs_instance(region: str, given: dict[str, Any], created: float, number: int) -> dict[str, Any]:
    """A DCS instance with every documented field; `given` wins."""
    name = given.get("name", f"dcs-{number:04d}")
    instance_id = given.get("instance_id") or uuid_id("dcs", region, name)
    gigabytes = float(given.get("capacity_minor") or given.get("capacity") or 4)
    host = f"redis-{instance_id[:8]}-{name}"
    fields: dict[str, Any] = {
        "instance_id": instance_id,
        "name": name,
        "status": "RUNNING",
        "sub_status": "",
        "engine": "Redis",
        "engine_version": "6.0",
        "spec_code": f"redis.ha.xu1.large.r2.{gigabytes:g}",
        **capacity_fields(gigabytes),
        "cpu_type": "x86_64",
        "cache_mode": "ha",
        "product_type": "generic",
        "replica_count": 2,
        "sharding_count": 1,
        "db_number": 256,
        "storage_type": "DRAM",
        "ip": f"192.168.{number // 250 % 250}.{number % 250 + 4}",
        "port": 6379,
        "domain_name": f"{host}.dcs.example.com",
        "readonly_domain_name": f"{host}-readonly.dcs.example.com",
        "domain_name_info": {
            "support_public_resolve": True,
            "is_latest_rules": True,
            "zone_name": "dcs.example.com",
            "history_domain_names": [],
        },
        "backend_addrs": f"192.168.{number // 250 % 250}.{number % 250 + 4}:6379",
        "bandwidth_info": {
            "bandwidth": 256,
            "assured_bandwidth": 256,
            "max_bandwidth_for_node": 2048,
            "expand_count": 0,
            "max_expand_count": 3,
            "expand_effect_time": 0,
            "expand_interval_time": 7200000,
            "next_expand_time": 0,
            "begin_time": 0,
            "end_time": 0,
            "current_time": int(created * 1000),
            "task_running": False,
        },
        "az_codes": [f"{region}a", f"{region}b"],
        "available_zones": [hex_id("az", region, "a"), hex_id("az", region, "b")],
        "vpc_id": uuid_id("vpc", region),
        "vpc_name": "vpc-production",
        "subnet_id": uuid_id("subnet", region),
        "subnet_name": "subnet-production",
        "subnet_cidr": "192.168.0.0/16",
        "security_group_id": uuid_id("security-group", region),
        "security_group_name": "sg-redis",
        "enable_publicip": False,
        "publicip_id": None,
        "publicip_address": None,
        "enable_ssl": False,
        "no_password_access": "false",
        "access_user": None,
        "charging_mode": 0,
        "order_id": None,
        "maintain_begin": "02:00:00",
        "maintain_end": "06:00:00",
        "instance_backup_policy": None,
        "features": {
            "support_acl": True,
            "support_audit_log": False,
            "support_ssl": True,
            "support_transparent_client_ip": True,
        },
        "service_upgrade": False,
        "service_task_id": "",
        "transparent_client_ip_enable": True,
        "support_slow_log_flag": "true",
        "cloud_service_type_code": "hws.service.type.dcs",
        "cloud_resource_type_code": "hws.resource.type.dcs3",
        "inquery_spec_code": f"redis.ha.xu1.large.r2.{gigabytes:g}",
        "enterprise_project_id": "0",
        "enterprise_project_name": "default",
        "description": "",
        "tags": [],
        "user_id": hex_id("user", "operator"),
        "user_name": "operator",
        "created_at": dcs_time(created),
        "updated_at": dcs_time(created + 300),
        "launched_at": dcs_time(created + 240),
        "update_at": dcs_time(created + 300),
        "task": None,
    }
    fields.update(given)
    return fields


def spec_change_details(instance: dict[str, Any], spec_code: str, new_capacity: float) -> dict[str, Any]:
    """The `details` of a spec change of this instance."""
    old = float(instance.get("capacity_minor") or instance.get("capacity") or 0)
    mode = instance.get("cache_mode", "ha")
    replicas = instance.get("replica_count", 2)
    return {
        "old_capacity": f"{old:g}",
        "new_capacity": f"{new_capacity:g}",
        "old_cache_mode": mode,
        "new_cache_mode": mode,
        "old_cache_type": mode,
        "new_cache_type": mode,
        "old_resource_spec_code": instance.get("spec_code", ""),
        "new_resource_spec_code": spec_code,
        "old_replica_num": replicas,
        "new_replica_num": replicas,
        "old_port": instance.get("port", 6379),
        "new_port": instance.get("port", 6379),
        "rename_commands": [],
        "is_only_adjust_charging": False,
        "updated_config_length": 0,
    }


def task_details(name: str, instance: dict[str, Any]) -> dict[str, Any]:
    """The `details` that belong to a task of this name; only some fields have a value for each."""
    if name in ("EXTEND", "ChangeInstanceSpec"):
        capacity = float(instance.get("capacity_minor") or instance.get("capacity") or 1)
        return spec_change_details(instance, f"redis.ha.xu1.large.r2.{capacity * 2:g}", capacity * 2)
    if name in ("BindEip", "UnBindEip"):
        return {
            "enable_public_ip": name == "BindEip",
            "public_ip_id": uuid_id("eip", instance.get("name")),
            "public_ip_address": "203.0.113.24",
            "enable_ssl": False,
        }
    if name in ("AddReplica", "DelReplica"):
        zones = instance.get("az_codes") or [""]
        return {
            "old_replica_num": 2,
            "new_replica_num": 3 if name == "AddReplica" else 1,
            "replica_ip": "192.168.0.201",
            "replica_az": zones[0],
            "group_name": "group-0",
            "node_name": "replica-1",
        }
    if name == "AddWhitelist":
        return {"group_name": "office"}
    if name == "UpdatePort":
        return {"old_port": 6379, "new_port": 6380}
    if name == "RemoveIpFromDns":
        return {"source_ip": "192.168.0.200", "target_ip": "192.168.0.201", "node_name": "replica-1"}
    if name == "masterStandbySwapJob":
        return {"source_ip": "192.168.0.10", "target_ip": "192.168.0.11", "node_name": "node-1"}
    if name == "modify":
        return {"account_name": "default"}
    return {"updated_config_length": 0}


def task(
    instance: dict[str, Any], given: dict[str, Any], created: float, updated: float, number: int
) -> dict[str, Any]:
    """A DCS task with every documented field; `given` wins."""
    name = given.get("name", "EXTEND")
    task_id = given.get("id") or hex_id("task", instance.get("instance_id"), number)
    fields: dict[str, Any] = {
        "id": task_id,
        "name": name,
        "details": given["details"] if "details" in given else task_details(name, instance),
        "user_name": instance.get("user_name", "operator"),
        "user_id": instance.get("user_id", hex_id("user", "operator")),
        "params": "",
        "status": "SUCCESS",
        "created_at": dcs_time(created),
        "updated_at": dcs_time(updated),
        "enable_show": name in ("EXTEND", "ChangeInstanceSpec"),
        "error_code": "",
        "job_id": hex_id("job", task_id),
    }
    fields.update(given)
    return fields


def _dds_node(instance_id: str, name: str, number: int, role: str, region: str, spec: str, ip: str) -> dict[str, Any]:
    return {
        "id": hex_id("node", instance_id, name, number) + "no02",
        "name": f"{name}_node_{number}",
        "status": "normal",
        "role": role,
        "private_ip": ip,
        "public_ip": "",
        "spec_code": spec,
        "availability_zone": f"{region}a",
    }


def _dds_group(
    instance_id: str, name: str, kind: str, roles: tuple[str, ...], region: str, position: int
) -> dict[str, Any]:
    """A group of nodes of the instance at this position of its list, which its addresses depend on."""
    spec = f"dds.mongodb.s6.large.4.{kind}"
    # Nodes of shard and config have no address (C28). No group that has addresses has more than three nodes.
    hidden = kind in ("shard", "config")
    first = position * 3 + 10
    group = {
        "type": kind,
        "id": hex_id("group", instance_id, name) + "gr02",
        "name": name,
        "status": "normal",
        "volume": {"size": "10", "used": "0.33"},
        "nodes": [
            _dds_node(instance_id, name, number, role, region, spec, "" if hidden else _address(first + number - 1))
            for number, role in enumerate(roles, 1)
        ],
    }
    if kind == "mongos":
        del group["volume"]
    return group


def _address(number: int) -> str:
    """An address in 192.168.200.0 and the networks after it."""
    return f"192.168.{200 + number // 250 % 55}.{number % 250 + 1}"


def dds_instance(region: str, given: dict[str, Any], created: float, number: int) -> dict[str, Any]:
    """A DDS instance with every documented field; `given` wins."""
    name = given.get("name", f"dds-{number:04d}")
    instance_id = given.get("id") or hex_id("dds", region, name) + "in02"
    mode = given.get("mode", "ReplicaSet")
    members = ("Primary", "Secondary", "Hidden")
    if mode == "Sharding":
        groups = [
            _dds_group(instance_id, f"{name}_mongos", "mongos", ("master", "master"), region, number),
            _dds_group(instance_id, f"{name}_shard_1", "shard", members, region, number),
            _dds_group(instance_id, f"{name}_config", "config", members, region, number),
        ]
    elif mode == "Single":
        groups = [_dds_group(instance_id, f"{name}_single", "single", ("Primary",), region, number)]
    else:
        groups = [_dds_group(instance_id, f"{name}_replica", "replica", members, region, number)]
    if given.get("status") == "abnormal":
        groups[0]["nodes"][0].update(status="abnormal", role="unknown")
    fields: dict[str, Any] = {
        "id": instance_id,
        "name": name,
        "remark": "",
        "status": "normal",
        "port": "8635",
        "mode": mode,
        "region": region,
        "datastore": {
            "type": "DDS-Community",
            "version": "4.2",
            "whole_version": "4.2.4.1",
            "patch_available": True,
        },
        "engine": "wiredTiger",
        "created": dds_instance_time(created),
        "updated": dds_instance_time(created + 600),
        "db_user_name": "rwuser",
        "ssl": 1,
        "vpc_id": uuid_id("vpc", region),
        "subnet_id": uuid_id("subnet", region),
        "security_group_id": uuid_id("security-group", region),
        "backup_strategy": {"start_time": "16:00-17:00", "keep_days": 7},
        "pay_mode": "0",
        "maintenance_window": "02:00-06:00",
        "groups": groups,
        "disk_encryption_id": "",
        "enterprise_project_id": "0",
        "time_zone": "",
        "actions": [],
        "tags": [],
        "dss_pool_id": "",
        "order_id": "",
    }
    fields.update(given)
    return fields


def scheduled_job(instance: dict[str, Any], given: dict[str, Any], created: float, number: int) -> dict[str, Any]:
    """A DDS scheduled job with every documented field; its times are the next window after it was made."""
    start, end = planned_window(created, instance.get("maintenance_window", "02:00-06:00"))
    fields: dict[str, Any] = {
        "job_id": given.get("job_id") or uuid_id("scheduled", instance.get("id"), number),
        "job_name": "RESIZE_FLAVOR",
        "job_status": "Pending",
        "instance_id": instance.get("id"),
        "instance_name": instance.get("name"),
        "instance_status": instance.get("status", "normal"),
        "create_time": dds_time(created),
        "start_time": start,
        "end_time": end,
    }
    fields.update(given)
    return fields


def instant_task(
    instance: dict[str, Any], given: dict[str, Any], created: float, ended: float, number: int
) -> dict[str, Any]:
    """A DDS instant task with every documented field; `given` wins."""
    running = given.get("status") == "Running"
    fields: dict[str, Any] = {
        "id": given.get("id") or uuid_id("instant", instance.get("id"), number),
        "name": "RestartInstance",
        "status": "Completed",
        "instance_id": instance.get("id"),
        "instance_name": instance.get("name"),
        "progress": "",
        "fail_reason": "The task failed." if given.get("status") == "Failed" else "",
        "created_at": dds_time(created),
        "ended_at": "" if running else dds_time(ended),
    }
    fields.update(given)
    return fields
