# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tags of DCS and DDS: those of one instance, and those of all instances of a project together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from . import dcs, dds
from .call import Answer, Call, Operation, json_answer


def _of_instance(fields: dict[str, Any]) -> Answer:
    return json_answer({"tags": fields.get("tags") or []})


def _of_project(instances: Iterable[Any]) -> Answer:
    values: dict[str, list[str]] = {}
    for instance in instances:
        for tag in instance.fields.get("tags") or ():
            known = values.setdefault(str(tag.get("key")), [])
            if tag.get("value") not in known:
                known.append(tag.get("value"))
    return json_answer({"tags": [{"key": key, "values": found} for key, found in values.items()]})


def show_dcs_tags(call: Call) -> Answer:
    return _of_instance(dcs.find_instance(call).fields)


def list_dcs_tags(call: Call) -> Answer:
    return _of_project(call.project.dcs.values())


def show_dds_tags(call: Call) -> Answer:
    return _of_instance(dds.find_instance(call).fields)


def list_dds_tags(call: Call) -> Answer:
    return _of_project(call.project.dds.values())


# No source names the actions of these.
OPERATIONS = (
    Operation(
        "dcs", "ShowTags", "GET", "/v2/{project_id}/instances/{instance_id}/tags", "dcs:instance:get", show_dcs_tags
    ),
    Operation("dcs", "ListTagsOfTenant", "GET", "/v2/{project_id}/dcs/tags", "dcs:instance:list", list_dcs_tags),
    Operation(
        "dds",
        "ListInstanceTags",
        "GET",
        "/v3/{project_id}/instances/{instance_id}/tags",
        "dds:instance:list",
        show_dds_tags,
    ),
    Operation("dds", "ListProjectTags", "GET", "/v3/{project_id}/tags", "dds:instance:list", list_dds_tags),
)
