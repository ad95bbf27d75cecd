# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory plugin: the DCS (Redis) instances of one or several projects."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dcs
short_description: DCS instances as hosts
description:
  - Makes a host of every DCS (Redis) instance of one or several projects and regions, in the group C(dcs) or that of O(group).
  - The variables of a host are the fields that the API returned for the instance, each with C(dcs_) before its name, and
    C(dcs_instance_id), C(dcs_name), C(dcs_region), C(dcs_project_id), C(dcs_maintenance_window) (with C(begin) and C(end) in UTC, or null),
    and C(dcs_tag) (tag key to tag value).
  - The hosts have a local connection, as the modules of this collection run where Ansible does.
  - The name of the inventory file must end in C(dcs.yml) or C(dcs.yaml).
version_added: 1.0.0
author:
  - hwcloud.maintenance contributors (@hwcloud-maintenance)
extends_documentation_fragment:
  - hwcloud.maintenance.inventory
  - hwcloud.maintenance.credentials
  - hwcloud.maintenance.connection
  - constructed
  - inventory_cache
options:
  plugin:
    description: Says that the file is for this plugin.
    type: str
    required: true
    choices: [hwcloud.maintenance.dcs]
  group:
    description:
      - The name of the group of all hosts of the file. Empty text makes no such group.
      - The variables of hosts begin with C(dcs_), whatever the group is called.
      - When another source of the inventory has a group C(dcs), the file fails unless this option stands in it, whether with that name or
        another one.
    type: str
    default: dcs
seealso:
  - plugin: hwcloud.maintenance.dds
    plugin_type: inventory
"""

EXAMPLES = r"""
---
# Two regions and a second account, whose secrets come from the environment. For one project, its region and its
# project_id may stand at the top instead; with both in the environment too, the first line is all that is needed.
plugin: hwcloud.maintenance.dcs
access_key: "{{ lookup('ansible.builtin.env', 'FIRST_ACCESS_KEY') }}"
secret_key: "{{ lookup('ansible.builtin.env', 'FIRST_SECRET_KEY') }}"
projects:
  - region: cn-north-4
  - region: ap-southeast-3
    project_name: ap-southeast-3_shop
  - region: cn-north-4
    access_key: "{{ lookup('ansible.builtin.env', 'SECOND_ACCESS_KEY') }}"
    secret_key: "{{ lookup('ansible.builtin.env', 'SECOND_SECRET_KEY') }}"
# Instances that run and are not for trying things out, in groups by status, engine and the begin of the maintenance window.
filters:
  statuses: [running, extending]
exclude_filters:
  - tags:
      environment: sandbox
# "dcs" may mean other things in an inventory, and a server may be called like an instance.
group: redis_instances
hostnames:
  - "'redis.' ~ dcs_tag.team ~ '.' ~ dcs_name"
  - "'redis.' ~ dcs_name"
keyed_groups:
  - key: dcs_status | lower
    prefix: status
  - key: dcs_engine | lower
    prefix: engine
  - key: dcs_maintenance_window.begin | default('unknown')
    prefix: window
groups:
  large: dcs_capacity >= 16
compose:
  owner: dcs_tag.team | default('nobody')
# Keeps what was listed, as the cache settings of Ansible say.
cache: true
"""

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs  # noqa: E402
from ansible_collections.hwcloud.maintenance.plugins.plugin_utils._inventory import InstanceInventory  # noqa: E402


class InventoryModule(InstanceInventory):
    """DCS instances as hosts."""

    NAME = "hwcloud.maintenance.dcs"
    service = Dcs
    service_name = "dcs"
