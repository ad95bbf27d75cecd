# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published examples of instance lists as the answer to the inventory plugins."""

from __future__ import annotations

import pytest

from tests.examples import answered

EXPECTED = {
    "dcs": {"dcs-single-test-1": "192.168.0.82"},
    "dds": {"dds-32f4": "192.168.0.56", "dds-5699": "192.168.0.9", "dds-efa6": "192.168.0.174"},
}
ID = {"dcs": "instance_id", "dds": "id"}


@pytest.mark.parametrize("service", EXPECTED)
def test_instances_become_hosts(sim, ansible, service):
    """Tags with a number for a key, groups that are an object, notes that are a number, nodes without an address."""
    key = "instances"
    end = {"status": 200, "body": {key: [], "instance_num": 1, "total_count": 3}}
    rest = {"operation": "ListInstances", "service": service, "times": None, "fault": end}
    example = answered(f"{service}-ListInstances", "document")
    sim.faults([example, rest])
    hosts = ansible.hosts({"plugin": f"hwcloud.maintenance.{service}"}, name=f"{service}.yml")
    published = {instance["name"]: instance[ID[service]] for instance in example["fault"]["body"][key]}
    assert set(hosts) == set(EXPECTED[service]) == set(published)
    assert sim.operations() == ["ListInstances", "ListInstances"]
    for name, variables in hosts.items():
        assert published[name] in variables.values()
        assert variables.get("ansible_host", EXPECTED[service][name]) == EXPECTED[service][name]
