# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instances become hosts and groups of an inventory that other sources write too.

Everything is decided before the inventory is changed: C(host_names) and C(check) refuse what would touch hosts and groups
of other sources, and C(apply) writes the whole plan or nothing.
"""

from __future__ import annotations

import copy
import graphlib
import re
import typing as t
import weakref
from collections import Counter

from ansible import constants
from ansible.inventory.data import InventoryData
from ansible.inventory.group import Group
from ansible.inventory.host import Host

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import RefusedError, shown

#: The groups that every inventory has.
EVERYWHERE = ("all", "ungrouped")
#: What no group may be called: a play for one of these names is for other hosts.
RESERVED_GROUPS = frozenset((*EVERYWHERE, *constants.LOCALHOST))

#: What a host can be called without harm: it becomes part of paths and of patterns.
_HOST = re.compile(r"\w[\w.-]{0,254}\Z")
#: Names of the machine on which Ansible runs.
_LOOPBACK = re.compile(r"(?:.*\.|ip6-)?(?:localhost|loopback)[46]?(?:\..*)?\Z", re.IGNORECASE)
#: What the C library reads as an IPv4 address, such as C(127.0.0.1), C(127.1), C(2130706433) and C(0x7f000001).
_ADDRESS = re.compile(r"(?:0x[0-9a-f]+|\d+)(?:\.(?:0x[0-9a-f]+|\d+)){0,3}\.?\Z", re.IGNORECASE)
#: C(ID) and C(NAME_ID): only the instance with this id is called so, or an instance could take the name that another needs.
_WITH_ID = re.compile(
    r"(?:.*_)?(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}in\d\d)\Z", re.IGNORECASE | re.ASCII
)


class PlannedHost(t.NamedTuple):
    """What one instance is to become."""

    name: str
    instance_id: str
    #: None for a host that an earlier file of this collection made of the same instance: it only gains groups.
    variables: dict[str, t.Any] | None
    groups: list[str]


class Plan(t.NamedTuple):
    """All that one inventory file changes; plain data."""

    #: C(dcs) or C(dds).
    service: str
    hosts: list[PlannedHost]
    #: Groups to make, or that exist, each with the instance because of which (None for the group of all hosts).
    groups: dict[str, str | None]
    #: Parent and child, both of them in C(groups).
    children: list[tuple[str, str]]
    #: The groups whose names stand in the file.
    named: frozenset[str]
    #: The group of all hosts, if the file does not name it.
    default_group: str | None


# --- What this collection has put into an inventory ---


class Made:
    """The hosts and groups that files of this collection have made in one inventory.

    Kept in the memory of this process: variables such as C(dcs_instance_id) could be set by any source.
    """

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, str], Host] = {}
        #: Each group, and whether a file names it, or it is a file's group of all hosts.
        self._groups: dict[str, tuple[Group, bool]] = {}

    def host_of(self, inventory: InventoryData, service: str, instance_id: str) -> str | None:
        """The name of the host that is this instance, if one was made and is still there."""
        host = self._hosts.get((service, instance_id.lower()))
        return host.name if host is not None and inventory.hosts.get(host.name) is host else None

    def owns(self, group: Group) -> bool:
        """Whether this collection made the group, and nothing else has named it since."""
        made, _named = self._groups.get(group.name, (None, False))
        if made is not group or group.vars:
            return False
        hosts = set(self._hosts.values())
        return all(host in hosts for host in group.hosts) and all(self.owns(child) for child in group.child_groups)

    def is_named(self, group: str) -> bool:
        """Whether a file of this collection names this group."""
        return self._groups[group][1]

    def keep(self, inventory: InventoryData, plan: Plan, new_groups: t.Collection[str]) -> None:
        """Remember what was made of a plan."""
        for planned in plan.hosts:
            self._hosts[plan.service, planned.instance_id.lower()] = inventory.hosts[planned.name]
        for name in plan.groups:
            group = inventory.groups[name]
            named = name in plan.named or name == plan.default_group
            if name in new_groups:
                self._groups[name] = (group, named)
            elif self._groups.get(name, (None,))[0] is group:
                self._groups[name] = (group, named or self._groups[name][1])


_MADE: weakref.WeakKeyDictionary[InventoryData, Made] = weakref.WeakKeyDictionary()


def unwrapped(inventory: t.Any) -> InventoryData:
    """The inventory itself: ansible-core 2.19 and newer give each plugin a wrapper of its own."""
    return t.cast(InventoryData, getattr(inventory, "__wrapped__", inventory))


def made_in(inventory: t.Any) -> Made:
    """What this collection has made in an inventory so far, with either plugin."""
    return _MADE.setdefault(unwrapped(inventory), Made())


# --- Names of hosts ---


def host_names(
    names: t.Mapping[str, t.Any], reserved: t.Collection[str], taken: t.Collection[str] = ()
) -> dict[str, str]:
    """What each instance is called as a host: its name, name and id, or id.

    :arg names: The name of each instance, by its id.
    :arg reserved: Names of groups.
    :arg taken: Names of hosts that are in the inventory, which are never used.
    :raises RefusedError: an instance cannot be called anything.
    """
    found: dict[str, str] = {}
    usable = {number: name for number, name in names.items() if can_be_host(name) and name not in reserved}
    counts = Counter(usable.values())
    for number, name in usable.items():
        host = name if counts[name] == 1 and name not in taken else f"{name}_{number}"
        if _HOST.match(host) and host not in reserved:
            found[number] = host
    # An instance may have the name that another one gets here.
    claimed = Counter([*found.values(), *names])
    for number in names:
        if claimed[found.setdefault(number, number)] > 1:
            found[number] = number
    for number, host in found.items():
        instance = f"The instance {shown(names[number])} ({number}) cannot become a host"
        if host in taken:
            others = f"{names[number]} and {host}" if host == f"{names[number]}_{number}" else host
            raise RefusedError(f"{instance}: the inventory has {others} of another source already.")
        if host in reserved or host in EVERYWHERE or _LOOPBACK.match(host):
            raise RefusedError(f"{instance}: neither its name nor its id can be the name of a host.")
    return {number: found[number] for number in names}


def can_be_host(name: t.Any) -> bool:
    """Whether an instance may have this name as a host, as far as other hosts and groups do not matter."""
    return (
        isinstance(name, str)
        and bool(_HOST.match(name))
        and name not in EVERYWHERE
        and not any(pattern.match(name) for pattern in (_LOOPBACK, _ADDRESS, _WITH_ID))
    )


# --- Groups ---


class Draft(InventoryData):  # type: ignore[misc]  # Ansible is not typed
    """An inventory of one host, in which Constructable writes before anything is changed."""

    def __init__(self, host: str, variables: t.Mapping[str, t.Any], source: str | None) -> None:
        #: Parents and children among the groups.
        self.children: list[tuple[str, str]] = []
        #: The variables of the host that were set, which are not all: each inventory adds some by itself.
        self._set: dict[str, None] = {}
        super().__init__()
        self.current_source = source
        self._host: Host = self.hosts[self.add_host(host)]
        self._set.clear()
        for name, value in variables.items():
            self.set_variable(host, name, value)

    def set_variable(self, entity: str, varname: str, value: t.Any) -> None:
        """Set a variable of the host, which may have the name of a group here."""
        self.hosts[entity].set_variable(varname, value)
        self._set[varname] = None

    def add_child(self, group: str, child: str) -> bool:
        """Add the host to a group, or a group to another one, which then need not be possible."""
        if child == self._name:
            self.add_host(child, group)
            return True
        if group != child and child not in EVERYWHERE and (group, child) not in self.children:
            self.children.append((group, child))
        return True

    @property
    def _name(self) -> str | None:
        return next(iter(self.hosts), None)

    @property
    def variables(self) -> dict[str, t.Any]:
        """The variables of the host that were set."""
        return {name: self._host.vars[name] for name in self._set}

    @property
    def joined(self) -> list[str]:
        """The groups that the host was put into."""
        return [name for name, group in self.groups.items() if self._host in group.hosts]


def check(inventory: InventoryData, plan: Plan) -> None:
    """Refuse a plan that reaches into groups of other sources, or changes them."""
    made = made_in(inventory)
    hosts = {planned.name for planned in plan.hosts}
    for name, instance in plan.groups.items():
        because = f", for the instance {instance}" if instance else ""
        if name in RESERVED_GROUPS:
            raise RefusedError(f"keyed_groups must not make a group called {name}{because}.")
        group = inventory.groups.get(name)
        if name in hosts or (group is None and name in inventory.hosts):
            raise RefusedError(f"There would be a group {name}{because}, but a host is called {name} already.")
        for reached in () if group is None else sorted({group, *group.get_ancestors()}, key=lambda one: one.name):
            if reached.name != "all" and not _may_join(made, reached, plan):
                by_way = "" if reached is group else f" (by way of {name}, which is in it)"
                raise RefusedError(
                    f"A host would get into the group {reached.name}{by_way}{because}, but {reached.name} is a group of"
                    " another source of the inventory, and this file does not name it in group, groups or parent_group."
                )
    graph: dict[str, list[str]] = {}
    for parent, child in plan.children:
        group = inventory.groups.get(child)
        if group is None:
            graph.setdefault(parent, []).append(child)
        elif parent not in [one.name for one in group.parent_groups]:
            because = f", for the instance {plan.groups[child]}" if plan.groups[child] else ""
            raise RefusedError(
                f"The group {child} would get the parent {parent}{because}, but another source or file of the inventory"
                f" has made {child}, whose hosts would be in {parent} too."
            )
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        raise RefusedError(
            f"The groups {' and '.join(sorted(set(error.args[1])))} would be parents of each other; see parent_group of"
            " keyed_groups."
        ) from None


def _may_join(made: Made, group: Group, plan: Plan) -> bool:
    """Whether hosts of a plan may get into a group that exists."""
    if group.name in plan.named:
        return True
    if not made.owns(group):
        return False
    # What is named in one file does not take hosts because of the cloud's text in another one.
    return bool(made.is_named(group.name) == (group.name == plan.default_group))


# --- Changing the inventory ---


def apply(inventory: t.Any, plan: Plan) -> None:
    """Write a plan into the inventory; whatever is raised meanwhile leaves it as it was."""
    data = unwrapped(inventory)
    made = made_in(data)
    new_groups = plan.groups.keys() - data.groups.keys()
    restore = _snapshot(data)
    try:
        for group in plan.groups:
            inventory.add_group(group)
        for planned in plan.hosts:
            inventory.add_host(planned.name)
            for name, value in (planned.variables or {}).items():
                inventory.set_variable(planned.name, name, value)
            for group in planned.groups:
                inventory.add_host(planned.name, group)
        for parent, child in plan.children:
            inventory.add_child(parent, child)
    except BaseException:
        restore()
        raise
    made.keep(data, plan, new_groups)


def _snapshot(inventory: InventoryData) -> t.Callable[[], None]:
    """Keep the state of an inventory; the function that is returned brings it back."""

    def kept(thing: object) -> dict[str, t.Any]:
        return {
            name: copy.copy(value) if isinstance(value, (dict, list, set)) else value
            for name, value in vars(thing).items()
        }

    states = [(thing, kept(thing)) for thing in (inventory, *inventory.groups.values(), *inventory.hosts.values())]

    def restore() -> None:
        for thing, state in states:
            vars(thing).clear()
            vars(thing).update(state)

    return restore
