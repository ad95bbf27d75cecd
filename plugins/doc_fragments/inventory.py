# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that the inventory plugins share, besides those of the modules and of ansible-core."""

from __future__ import annotations


class ModuleDocFragment:
    """Which instances become hosts, and of which projects."""

    DOCUMENTATION = r"""
options:
  filters:
    description:
      - Which instances become hosts. An instance must fit every filter that is given, and one of the entries of each list.
      - An empty list or dictionary fits no instance.
    type: dict
    suboptions:
      ids:
        description: The ids of the instances.
        type: list
        elements: str
      names:
        description: The names of the instances, exact, or shell patterns with C(*), C(?) or C([).
        type: list
        elements: str
      tags:
        description: Tags that the instances must have. Without a value, the key alone counts.
        type: dict
      statuses:
        description: Statuses in the words of the API, in any case.
        type: list
        elements: str
      engines:
        description: Engines in the words of the API, in any case.
        type: list
        elements: str
  projects:
    description:
      - The projects whose instances become hosts, where the file is for several of them, or for several regions.
      - Each entry may hold O(filters), and any option that says how to sign in, where requests go, and how they are tried.
        What an entry does not hold is taken from the top of the file.
      - Credentials are taken over as a whole, so that an entry with a credential of its own gets none from the top of the file.
        An entry with a O(region) of its own does not get O(project_id) and O(project_name) either.
      - An instance that several entries find is one host, that of the first of them.
      - An empty list yields no hosts.
    type: list
    elements: dict
notes:
  - When one project cannot be listed, the whole file fails. There is no inventory that silently lacks some instances.
    Set E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) to V(true), so that Ansible then stops instead of going on with a warning.
  - Values in the file may be encrypted with C(ansible-vault). The options that lead to the instances may also be templates, with
    lookups and extra variables, but without variables of the inventory.
  - A relative path in the file begins at the folder of the file.
  - The name of a host is the name of the instance. Instances that share a name get the names C(NAME_ID).
    What cannot safely be the name of a host is replaced by the id of the instance. Only letters, digits, C(_), C(-) and C(.) can be
    in one, it does not begin with C(-) or C(.), and it is not the name of a group of the file, C(all), C(ungrouped) or C(localhost).
  - Text that the API returned is never a template.
requirements:
  - requests, for the Python with which Ansible runs
"""
