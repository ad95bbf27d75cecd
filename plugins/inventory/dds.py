# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory plugin: the DDS (MongoDB) instances of one or several projects."""

from __future__ import annotations

DOCUMENTATION = r"""
name: dds
short_description: DDS instances as hosts
description:
  - Makes a host of every DDS (MongoDB) instance of one or several projects and regions, in the group C(dds) or that of O(group).
  - The variables of a host are the fields that the API returned for the instance, each with C(dds_) before its name, and
    C(dds_instance_id), C(dds_name), C(dds_region), C(dds_project_id), C(dds_maintenance_window) (with C(begin) and C(end) in UTC, or null),
    and C(dds_tag) (tag key to tag value).
  - The hosts have a local connection, as the modules of this collection run where Ansible does.
  - The name of the inventory file must end in C(dds.yml) or C(dds.yaml).
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
    choices: [hwcloud.maintenance.dds]
  group:
    description:
      - The name of the group of all hosts of the file. Empty text makes no such group.
      - The variables of hosts begin with C(dds_), whatever the group is called.
      - When another source of the inventory has a group C(dds), the file fails unless this option stands in it, whether with that name or
        another one.
    type: str
    default: dds
seealso:
  - plugin: hwcloud.maintenance.dcs
    plugin_type: inventory
"""

EXAMPLES = r"""
---
# Two regions and a second account, whose secrets come from the environment. For one project, its region and its
# project_id may stand at the top instead; with both in the environment too, the first line is all that is needed.
plugin: hwcloud.maintenance.dds
username: night-shift
password: "{{ lookup('ansible.builtin.env', 'NIGHT_SHIFT_PASSWORD') }}"
domain_name: example-account
projects:
  - region: cn-north-4
  - region: ap-southeast-3
    project_name: ap-southeast-3_shop
# Replica sets and sharded clusters with a tag, in groups by status, mode and the begin of the maintenance window.
filters:
  names: [dds-*]
  tags:
    environment: production
keyed_groups:
  - key: dds_status | lower
    prefix: status
  - key: dds_mode | lower
    prefix: mode
  - key: dds_maintenance_window.begin | default('unknown')
    prefix: window
compose:
  owner: dds_tag.team | default('nobody')
# Keeps what was listed, as the cache settings of Ansible say.
cache: true
"""

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import Dds  # noqa: E402
from ansible_collections.hwcloud.maintenance.plugins.plugin_utils._inventory import InstanceInventory  # noqa: E402


class InventoryModule(InstanceInventory):
    """DDS instances as hosts."""

    NAME = "hwcloud.maintenance.dds"
    service = Dds
    service_name = "dds"
