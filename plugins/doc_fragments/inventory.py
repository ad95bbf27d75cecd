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
  exclude_filters:
    description:
      - Which instances become no hosts, although they fit O(filters). Each entry is like O(filters), and an instance that fits all of
        one entry is left out.
      - An empty list excludes nothing. An empty dictionary in the list is refused, as every instance would fit it.
    type: list
    elements: dict
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
  hostnames:
    description:
      - How hosts are called, as Jinja expressions over the variables of the host, as in O(compose), but not over those of O(compose).
        The first one that gives text which is not empty counts. Without this option it is the name of the instance.
      - What they give is text of the API, and never a template. What cannot be the name of a host is replaced by the id.
      - An expression that cannot be evaluated gives nothing, or fails the file with O(strict=true).
    type: list
    elements: str
  projects:
    description:
      - The projects whose instances become hosts, where the file is for several of them, or for several regions.
      - Each entry may hold O(filters) and O(exclude_filters), and any option that says how to sign in, where requests go, and how they are tried.
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
    A file that fails has changed nothing in the inventory.
  - Put the files of these plugins last (C(-i) in this order, or names that sort last in a folder). What is parsed before is never
    touched. A source that is parsed later can still use the name of a host of these plugins for a server of its own, whose tasks then
    run where Ansible does.
  - Values in the file may be encrypted with C(ansible-vault). The options that lead to the instances may also be templates, with
    lookups and extra variables, but without variables of the inventory.
  - A relative path in the file begins at the folder of the file.
  - The name of a host is the name of the instance, unless O(hostnames) says otherwise. Instances that share a name get the names
    C(NAME_ID). So does an instance whose name is that of a host that is in the inventory already, of another file of these plugins too;
    a warning tells. The same instance in a second file is the same host, keeps its variables, and gains groups.
  - What cannot safely be the name of a host is replaced by the id of the instance. Only letters, digits, C(_), C(-) and C(.) can be
    in one, it does not begin with C(-) or C(.), and it is not C(all), C(ungrouped), C(localhost) or the like, an IP address, a name that
    ends in an id, or the name of a group of the file or of the inventory.
  - A group of another source gets hosts of a file only if its name stands in the file, as O(group), a key of O(groups), or
    C(parent_group) of O(keyed_groups) without a template. That goes for the groups above it too. Where O(keyed_groups) makes such a name
    of what the API said, the file fails.
  - Keys of the API that have other characters than letters, digits and C(_) get C(_) in their place. Where another variable has that
    name, the key is left out. Keys that begin with C(__ansible_) get C(api_) before them.
  - What is in the cache is text of this plugin, whose form is checked when it is read; anything else is listed anew.
  - Text that the API returned is never a template.
requirements:
  - requests, for the Python with which Ansible runs
"""
