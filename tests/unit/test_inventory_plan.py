# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventory files beside other sources: what was there is never touched, and a file adds all of its hosts or nothing.

In this process, with the plugins' own code, Ansible's own inventory and listings that are made up here.
"""

from __future__ import annotations

import contextlib
import fnmatch
import importlib
import itertools
import json
import string
from typing import Any
from unittest import mock

import pytest
from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.display import Display
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.harness.modules import COLLECTION

PROJECT = "0123456789abcdef" * 2
CART, QUEUE = "e42ed27a-22e9-2376-3999-92a0db414119", "11111111-1111-4111-8111-111111111111"
NUMBERS = [f"{number:08d}-1111-4111-8111-111111111111" for number in range(10)]
FIELD = {"dcs": "instance_id", "dds": "id"}


def utility(name="_inventory"):
    return importlib.import_module(f"{COLLECTION}.plugin_utils.{name}")


def trusted(value: Any) -> Any:
    """The value as the loader reads it from a file: all of its text may be a template."""
    if isinstance(value, dict):
        return {key: trusted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [trusted(inner) for inner in value]
    return utility().trust_as_template(value) if isinstance(value, str) else value


def plugin(data: InventoryData, service: str = "dcs", **options: Any):
    """A plugin that has read an inventory file with these options."""
    made = importlib.import_module(f"{COLLECTION}.inventory.{service}").InventoryModule()
    given = {name: options.pop(name) for name in ("group", "hostnames") if name in options}
    made._own = {"group": given["group"]} if "group" in given else {}
    if "hostnames" in given:
        made._own["hostnames"] = trusted(given["hostnames"])
    made._options = {
        "compose": {},
        "groups": {},
        "keyed_groups": [],
        "strict": False,
        "leading_separator": True,
        "use_extra_vars": False,
        "cache": False,
        **trusted(options),
    }
    BaseInventoryPlugin.parse(made, data, DataLoader(), f"/nowhere/{service}.yml")
    return made


def instance(number: str, name: Any, team: str | None = None, service: str = "dcs", **more: Any) -> dict[str, Any]:
    tags = [] if team is None else [{"key": "team", "value": team}]
    return {FIELD[service]: number, "name": name, "tags": tags, **more}


def project(excluded: Any = (), region: str = "somewhere", project_id: str | None = PROJECT) -> Any:
    """A project, of which only the region and the id are known; a listing of it is made up."""
    connection = mock.Mock(**{"endpoints.region": region, "account.project_id": project_id})
    check = utility().check_filter
    filters = [check(importlib.import_module(f"{COLLECTION}.module_utils._dcs").Dcs, entry) for entry in excluded]
    everything = utility().InstanceFilter()
    return utility()._Project("", connection, None, everything, filters, {"project_id": project_id})


def add(data: InventoryData, *instances: dict[str, Any], service: str = "dcs", **options: Any) -> list[str]:
    """Parse one file of ours; returns its warnings, or raises what Ansible would show."""
    projects = [project(options.pop("exclude_filters", ()))]
    warned: list[str] = []
    with mock.patch.object(Display, "warning", lambda _self, message, *_more, **_options: warned.append(message)):
        reader = plugin(data, service, **options)
        with (
            mock.patch.object(reader, "_read_config_data", return_value={}),
            mock.patch.object(reader, "_projects", return_value=projects),
            mock.patch.object(utility(), "find_instances", return_value=list(instances)),
        ):
            reader.parse(data, DataLoader(), f"/nowhere/{service}.yml", cache=False)
    return warned


def refused(data: InventoryData, *instances: dict[str, Any], **options: Any) -> str:
    """Parse one file of ours, which must fail and change nothing; returns the sentence."""
    before = dump(data)
    with pytest.raises(AnsibleParserError) as failure:
        add(data, *instances, **options)
    assert dump(data) == before
    text = str(failure.value)
    assert "unexpected error" not in text, text
    return text


def dump(data: InventoryData) -> Any:
    """All that there is in an inventory, with the order of everything."""
    return {
        "localhost": data.localhost,
        "hosts": [
            (name, host, host.address, host.implicit, repr(host.vars), [group.name for group in host.groups])
            for name, host in data.hosts.items()
        ],
        "groups": [
            (
                name,
                group,
                group.depth,
                group.priority,
                repr(group.vars),
                [host.name for host in group.hosts],
                sorted(group.host_names),
                [child.name for child in group.child_groups],
                [parent.name for parent in group.parent_groups],
                [host.name for host in group.get_hosts()],
            )
            for name, group in data.groups.items()
        ],
    }


def foreign(*hosts: str, **groups: list[str]) -> InventoryData:
    """An inventory that other sources wrote: hosts, and groups of some of them."""
    data = InventoryData()
    for host in hosts:
        data.add_host(host)
        data.set_variable(host, "ansible_host", "192.0.2.10")
    for group, members in groups.items():
        data.add_group(group)
        data.set_variable(group, "of", "somebody")
        for member in members:
            data.add_host(member, group)
    return data


TEAM = {"keyed_groups": [{"key": "dcs_tag.team | default('')", "prefix": "team"}]}
STRICT = {"compose": {"owner": "dcs_tag.team"}, "strict": True}


# --- Hosts of other sources (B1, B3, B4) -----------------------------------------------------------------------------


@pytest.mark.worst
def test_a_host_of_another_source_is_never_touched():
    data = foreign("mongo-a", db=["mongo-a"])
    before = dump(data)["hosts"][0]
    (warning,) = add(data, instance(CART, "mongo-a"), instance(QUEUE, "b"))
    assert dump(data)["hosts"][0] == before
    assert list(data.hosts) == ["mongo-a", "b", f"mongo-a_{CART}"]
    assert f"{CART} is called mongo-a_{CART}" in warning
    assert add(data, instance(CART, "mongo-a"), group="again") == [], "the host is known"
    assert [host.name for host in data.groups["db"].get_hosts()] == ["mongo-a"]


def test_a_variable_that_another_source_sets_does_not_make_a_host_ours():
    data = foreign("cart")
    for name, value in {"dcs_instance_id": CART, "dcs_project_id": PROJECT, "ansible_connection": "local"}.items():
        data.set_variable("cart", name, value)
    before = dump(data)["hosts"][0]
    assert add(data, instance(CART, "cart"))
    assert dump(data)["hosts"][0] == before
    assert list(data.hosts) == ["cart", f"cart_{CART}"]


def test_instances_of_several_files_with_the_same_name_are_as_many_hosts():
    data = InventoryData()
    assert add(data, instance(CART, "shared"), instance(NUMBERS[0], "one")) == []
    assert add(data, instance(QUEUE, "shared"), instance(NUMBERS[1], "two"))
    mongo = "493d31c9de74142d56fdb6bd98f2a6c0in02"
    assert add(data, instance(mongo, "shared", service="dds"), service="dds")
    assert sorted(data.hosts) == ["one", "shared", f"shared_{QUEUE}", f"shared_{mongo}", "two"]
    assert data.hosts["shared"].vars["dcs_instance_id"] == CART
    assert [host.name for host in data.groups["dds"].hosts] == [f"shared_{mongo}"]


def test_the_same_instance_in_a_second_file_gains_groups_only():
    data = InventoryData()
    add(data, instance(CART, "cart", "web", capacity=8), compose={"x": "1"})
    variables = dict(data.hosts["cart"].vars)
    more = {"compose": {"x": "2", "y": "3"}, "groups": {"big": "dcs_capacity > 8", "two": "x | int == 2"}}
    assert add(data, instance(CART.upper(), "renamed", "web", capacity=16), group="all_redis", **more, **TEAM) == []
    assert list(data.hosts) == ["cart"]
    assert data.hosts["cart"].vars == variables
    assert [group.name for group in data.hosts["cart"].groups] == ["dcs", "all_redis", "big", "two", "team_web"]
    # Another service may use the same id.
    assert add(data, instance(CART, "cart", service="dds"), service="dds")
    assert list(data.hosts) == ["cart", f"cart_{CART}"]


def test_a_host_that_was_removed_and_made_again_by_another_source_is_not_ours():
    data = InventoryData()
    add(data, instance(CART, "cart"))
    data.remove_host(data.hosts["cart"])
    data.add_host("cart")
    before = dump(data)["hosts"]
    assert add(data, instance(CART, "cart"))
    assert dump(data)["hosts"][:1] == before


def test_an_inventory_that_is_read_again_remembers_nothing():
    for _time in range(2):
        data = InventoryData()
        assert add(data, instance(CART, "cart")) == []
        assert list(data.hosts) == ["cart"]


def test_names_that_cannot_be_used_at_all_fail_the_file_with_both_names():
    text = refused(foreign("cart", f"cart_{CART}"), instance(CART, "cart"))
    assert f"'cart' ({CART})" in text
    assert f"cart and cart_{CART} of another source" in text
    text = refused(foreign(CART), instance(CART, "a b"))
    assert f"'a b' ({CART})" in text
    assert f"has {CART} of another source" in text
    for number in ("all", "localhost", "dcs"):
        assert f"({number}) cannot become a host" in refused(InventoryData(), instance(number, ""))


@pytest.mark.parametrize(
    ("name", "usable"),
    [
        ("redis-cart_1.x", True),
        ("\u6570\u636e", True),
        ("localhosts", True),
        ("x" * 255, True),
        ("x" * 256, False),
        ("x\n", False),
        *(
            (name, False)
            for name in ("all", "ungrouped", "", None, 5, [], {"a": []}, "-x", ".x", "a b", "a,b", "a[1]", "{{ a }}")
        ),
        *((name, False) for name in (*constants.LOCALHOST, "LocalHost", "localhost.localdomain", "ip6-localhost")),
        *((name, False) for name in ("127.1", "192.0.2.10", "2130706433", "0x7f.1", "localhost6", "x.localhost")),
        *((name, False) for name in (CART, f"a_{CART.upper()}", "x_" + "493d31c9de74142d56fdb6bd98f2a6c0in02")),
    ],
)
def test_what_an_instance_can_be_called(name, usable):
    data = InventoryData()
    assert add(data, instance(QUEUE, name)) == []
    assert list(data.hosts) == [name if usable else QUEUE]


def test_names_of_all_groups_are_reserved_however_they_come_about():
    data = foreign(webservers=[])
    found = [
        instance(NUMBERS[0], "team_webshop", "webshop"),
        instance(NUMBERS[1], "a", "webshop"),
        instance(NUMBERS[2], "b", "webshop"),
        instance(NUMBERS[3], "webservers"),
        instance(NUMBERS[4], "windows"),
        instance(NUMBERS[5], "never"),
        instance(NUMBERS[6], "redis"),
        instance(NUMBERS[7], "org_x", org="x"),
    ]
    keyed = [*TEAM["keyed_groups"], {"key": "dcs_org | default('')", "prefix": "org", "parent_group": "windows"}]
    assert add(data, *found, keyed_groups=keyed, groups={"never": "false"}, group="redis") == []
    assert list(data.hosts) == [NUMBERS[0], *NUMBERS[3:8], "a", "b"]
    assert [host.name for host in data.groups["team_webshop"].get_hosts()] == [NUMBERS[0], "a", "b"]


def test_groups_that_are_called_like_their_hosts_whatever_those_are_called_fail_the_file():
    keyed = [{"key": "inventory_hostname", "prefix": "", "separator": ""}]
    text = refused(InventoryData(), instance("abc", "cart"), keyed_groups=keyed, leading_separator=False)
    assert "'cart' (abc)" in text


# --- Groups of other sources (B1b) -----------------------------------------------------------------------------------

GROUPS_OF_OTHERS = {
    "keyed": ({"keyed_groups": [{"key": "dcs_tag.team", "prefix": "team"}]}, "team_web"),
    "a list": ({"keyed_groups": [{"key": "[dcs_tag.team]", "prefix": "team"}]}, "team_web"),
    "a dictionary": ({"keyed_groups": [{"key": "dcs_tag", "prefix": "tag"}]}, "tag_team_web"),
    "default_value": (
        {"keyed_groups": [{"key": "dcs_tag.none | default('')", "prefix": "team", "default_value": "web"}]},
        "team_web",
    ),
    "trailing_separator": (
        {"keyed_groups": [{"key": "{dcs_tag.team: ''}", "prefix": "team", "trailing_separator": False}]},
        "team_web",
    ),
    "no prefix": (
        {"keyed_groups": [{"key": "dcs_tag.team", "separator": ""}], "leading_separator": False},
        "web",
    ),
    "parent": (
        {"keyed_groups": [{"key": "dcs_engine", "prefix": "engine", "parent_group": "{{ dcs_tag.team }}"}]},
        "web",
    ),
    "the child": (
        {"keyed_groups": [{"key": "dcs_tag.team", "prefix": "team", "parent_group": "windows"}]},
        "team_web",
    ),
    "ungrouped": ({"keyed_groups": [{"key": "'ungrouped'", "separator": ""}]}, "ungrouped"),
    "all": ({"keyed_groups": [{"key": "'all'", "separator": ""}]}, "all"),
    "localhost": ({"keyed_groups": [{"key": "'localhost'", "separator": ""}]}, "localhost"),
}


@pytest.mark.worst
@pytest.mark.parametrize("case", GROUPS_OF_OTHERS)
def test_the_cloud_text_brings_no_host_into_a_group_of_another_source(case):
    options, group = GROUPS_OF_OTHERS[case]
    data = foreign("web01", **({} if group in ("all", "ungrouped", "localhost") else {group: ["web01"]}))
    text = refused(data, instance(CART, "cart", "web", engine="Redis"), **options)
    assert group in text
    assert f"'cart' ({CART})" in text


@pytest.mark.parametrize("case", GROUPS_OF_OTHERS)
def test_the_same_groups_are_made_where_no_other_source_has_them(case):
    options, group = GROUPS_OF_OTHERS[case]
    if group in ("all", "ungrouped", "localhost"):
        assert "must not make a group" in refused(InventoryData(), instance(CART, "cart", "web"), **options)
        return
    data = InventoryData()
    assert add(data, instance(CART, "cart", "web", engine="Redis"), **options) == []
    assert [host.name for host in data.groups[group].get_hosts()] == ["cart"]


def test_groups_of_other_sources_get_hosts_where_the_file_names_them():
    keyed = [{"key": "dcs_tag.team", "prefix": "team", "parent_group": "windows"}]
    data = foreign("web01", db=["web01"], large=["web01"], windows=["web01"])
    before = [one for one in dump(data)["hosts"] if one[0] == "web01"]
    assert add(data, instance(CART, "cart", "web"), group="db", groups={"large": "true"}, keyed_groups=keyed) == []
    for name in ("db", "large", "windows"):
        assert [host.name for host in data.groups[name].get_hosts()] == ["web01", "cart"]
    assert [one for one in dump(data)["hosts"] if one[0] == "web01"] == before
    # A key of groups names a group for keyed_groups too.
    data = foreign("web01", team_web=["web01"])
    assert add(data, instance(CART, "cart", "web"), groups={"team_web": "false"}, **TEAM) == []
    assert [host.name for host in data.groups["team_web"].get_hosts()] == ["web01", "cart"]


def test_groups_above_a_group_of_another_source_must_be_named_too():
    data = foreign("web01", db=["web01"], prod=[])
    data.add_child("prod", "db")
    assert "the group prod (by way of db, which is in it)" in refused(data, instance(CART, "cart"), group="db")
    assert add(data, instance(CART, "cart"), group="db", groups={"prod": "false"}) == []
    assert [host.name for host in data.groups["prod"].get_hosts()] == ["web01", "cart"]


def test_a_group_that_another_file_made_gets_no_parent():
    data = foreign("web01", team_web=["web01"])
    keyed = [{"key": "dcs_tag.team", "prefix": "team", "parent_group": "windows"}]
    text = refused(data, instance(CART, "cart", "web"), keyed_groups=keyed, groups={"team_web": "false"})
    assert "The group team_web would get the parent windows" in text
    assert f"'cart' ({CART})" in text
    data = InventoryData()
    add(data, instance(CART, "cart", "web"), **TEAM)
    assert "would get the parent windows" in refused(data, instance(QUEUE, "queue", "web"), keyed_groups=keyed)
    data = InventoryData()
    for number, name in ((CART, "cart"), (QUEUE, "queue")):
        assert add(data, instance(number, name, "web"), keyed_groups=keyed) == []
    assert [host.name for host in data.groups["windows"].get_hosts()] == ["cart", "queue"]


def test_groups_that_would_be_parents_of_each_other_fail_the_file():
    keyed = [{"key": "dcs_a", "separator": "", "parent_group": "{{ dcs_b }}"}]
    pairs = [("x", "y"), ("y", "z"), ("z", "x")]
    found = [instance(NUMBERS[number], f"h{number}", a=a, b=b) for number, (a, b) in enumerate(pairs)]
    assert "x and y and z would be parents of each other" in refused(InventoryData(), *found, keyed_groups=keyed)
    # A group that would be its own parent is only itself.
    data = InventoryData()
    add(data, instance(CART, "cart", a="x", b="x"), keyed_groups=keyed)
    assert [host.name for host in data.groups["x"].get_hosts()] == ["cart"]


def test_a_group_is_never_called_like_a_host_of_another_source():
    """A play for the host would be one for the group."""
    for options in (TEAM, {"group": "team_web"}, {"groups": {"team_web": "true"}}):
        text = refused(foreign("team_web"), instance(CART, "cart", "web"), **options)
        assert "a host is called team_web already" in text


def test_the_group_of_all_hosts_needs_its_name_in_the_file_where_another_source_has_it():
    """Domain controllers are called so too."""
    data = foreign("controller01", dcs=["controller01"])
    text = refused(data, instance(CART, "cart"))
    assert "dcs is a group of another source" in text
    assert refused(data)
    assert add(data, instance(CART, "cart"), group="redis") == []
    assert [host.name for host in data.groups["dcs"].get_hosts()] == ["controller01"]
    assert add(data, instance(QUEUE, "queue"), group="dcs") == []
    assert [host.name for host in data.groups["dcs"].get_hosts()] == ["controller01", "queue"]


def test_files_of_this_collection_share_their_groups_until_another_source_names_them():
    data = InventoryData()
    mongo = {"keyed_groups": [{"key": "dds_tag.team", "prefix": "team"}]}
    assert add(data, instance(CART, "cart", "web"), **TEAM) == []
    assert add(data, instance("m1", "orders", "web", service="dds"), service="dds", **mongo) == []
    assert [host.name for host in data.groups["team_web"].hosts] == ["cart", "orders"]
    assert add(data, instance(QUEUE, "queue", "web"), **TEAM) == []
    data.add_host("web01", "team_web")
    text = refused(data, instance("m2", "catalogue", "web", service="dds"), service="dds", **mongo)
    assert "team_web is a group of another source" in text


@pytest.mark.parametrize("claim", ["variable", "child", "parent"])
def test_another_source_names_a_group_of_ours_in_any_way(claim):
    data = InventoryData()
    add(data, instance(CART, "cart", "web"), **TEAM)
    if claim == "variable":
        data.set_variable("team_web", "of", "somebody")
    else:
        data.add_group("prod")
        data.add_child(*(("team_web", "prod") if claim == "child" else ("prod", "team_web")))
    assert "of another source" in refused(data, instance(QUEUE, "queue", "web"), **TEAM)


def test_a_group_that_one_file_names_does_not_take_hosts_because_of_the_cloud_text_in_another():
    data = InventoryData()
    add(data, instance(CART, "cart"), groups={"large": "true"})
    bare = {"keyed_groups": [{"key": "dds_tag.team", "separator": ""}]}
    for team in ("large", "dcs"):
        text = refused(data, instance("m1", "orders", team, service="dds"), service="dds", **bare)
        assert f"{team} is a group of another source" in text
    # The other way round: what the cloud's text has made is nobody's group of all hosts.
    data = InventoryData()
    add(data, instance("m1", "orders", "dcs", service="dds"), service="dds", **bare)
    assert "dcs is a group of another source" in refused(data, instance(CART, "cart"))


# --- All or nothing (B2) ---------------------------------------------------------------------------------------------


def test_an_expression_that_fails_for_the_third_instance_leaves_all_as_it_was():
    data = foreign("cart", db=["cart"])
    found = [instance(CART, "cart", "web"), instance(QUEUE, "queue", "web"), instance(NUMBERS[0], "reports")]
    for options in (
        STRICT,
        {"groups": {"x": "dcs_tag.team == 'web'"}, "strict": True},
        {"keyed_groups": [{"key": "dcs_tag.team"}], "strict": True},
        {"hostnames": ["dcs_tag.team ~ '-x'"], "strict": True},
        {"keyed_groups": ["x"]},
    ):
        refused(data, *found, **options)
    add(data, instance(NUMBERS[1], "mine", "web"), **TEAM)
    refused(data, *found, instance(NUMBERS[1], "mine", "web"), **STRICT)


def test_what_is_raised_while_the_inventory_is_changed_leaves_all_as_it_was():
    data = foreign("cart", db=["cart"], windows=["cart"])
    keyed = [{"key": "dcs_tag.team", "prefix": "team", "parent_group": "windows"}]
    options = {"group": "db", "groups": {"large": "true"}, "keyed_groups": keyed}
    add(data, instance(CART, "mine", "web"), group="first")
    found = [instance(CART, "mine", "web"), instance(QUEUE, "queue", "web"), instance(NUMBERS[0], "reports", "web")]
    before = dump(data)
    calls = ["add_group", "add_host", "set_variable", "add_child"]
    failed = 0
    for name in calls:
        for number in range(100):
            original = getattr(data, name)
            left = itertools.count(number, -1)

            def fail(*arguments, original=original, left=left, **more):
                if next(left) <= 0:
                    raise KeyboardInterrupt
                return original(*arguments, **more)

            with mock.patch.object(data, name, fail), contextlib.suppress(KeyboardInterrupt):
                add(data, *found, **options)
                break
            failed += 1
            assert dump(data) == before, (name, number)
        else:
            raise AssertionError(name)
        if name != calls[-1]:
            # The last one went through: start again.
            data = foreign("cart", db=["cart"], windows=["cart"])
            add(data, instance(CART, "mine", "web"), group="first")
            before = dump(data)
    assert failed > 20


def test_messages_about_expressions_are_one_printable_line():
    hostile = "x\x1b[2J\n" * 5000
    text = refused(
        InventoryData(), instance(CART, "cart", hostile), compose={"a": "dcs_tag.team | int('x') / 0"}, strict=True
    )
    assert text.isprintable()
    assert len(text) <= 2000


# --- Options (B5) ----------------------------------------------------------------------------------------------------


def test_the_first_expression_that_gives_text_names_the_host():
    hosts = ["dcs_tag.team", "dcs_capacity", "'redis.' ~ dcs_name ~ '.' ~ dcs_region"]
    data = InventoryData()
    found = [
        instance(NUMBERS[0], "a", "web"),
        instance(NUMBERS[1], "b", ""),
        instance(NUMBERS[2], "c", "{{ 1 + 1 }}"),
        instance(NUMBERS[3], "d", "twins"),
        instance(NUMBERS[4], "e", "twins"),
        instance(NUMBERS[5], "f", "dcs", capacity=8),
        instance(NUMBERS[6], "g", capacity=8),
    ]
    assert add(data, *found, hostnames=hosts) == []
    names = {host.vars["dcs_name"]: name for name, host in data.hosts.items()}
    assert names == {
        "a": "web",
        "b": "redis.b.somewhere",
        "c": NUMBERS[2],
        "d": f"twins_{NUMBERS[3]}",
        "e": f"twins_{NUMBERS[4]}",
        "f": NUMBERS[5],
        "g": "redis.g.somewhere",
    }
    data = InventoryData()
    add(data, instance(CART, "cart"), hostnames=["dcs_nothing"])
    assert list(data.hosts) == [CART]


def test_the_group_of_all_hosts():
    for group, expected in (("redis", ["redis"]), ("", []), ("dcs", ["dcs"])):
        data = InventoryData()
        assert add(data, instance(CART, "cart"), group=group) == []
        assert [one.name for one in data.hosts["cart"].groups] == expected
        assert list(data.groups) == ["all", "ungrouped", *expected]
        assert "dcs_name" in data.hosts["cart"].vars
    for group in ("a-b", "1a", "all", "ungrouped", "localhost", "a b", "{{ x }}", 5, ["x"], True):
        assert "group must be the name of a group" in refused(InventoryData(), group=group)


@pytest.mark.parametrize("hostnames", [[], "dcs_name", [""], [" "], [5], {"a": "b"}])
def test_hostnames_must_be_expressions(hostnames):
    assert "hostnames must be a list of Jinja expressions" in refused(InventoryData(), hostnames=hostnames)


@pytest.mark.parametrize(
    "options", [{"groups": {"all": "true"}}, {"groups": {5: "true"}}, {"groups": {"localhost": "1"}}]
)
def test_groups_of_the_file_have_names_that_are_free(options):
    assert "A group of groups or parent_group cannot be called" in refused(InventoryData(), **options)
    parent = [{"key": "dcs_name", "parent_group": "ungrouped"}]
    assert "A group of groups or parent_group cannot be called" in refused(InventoryData(), keyed_groups=parent)


@pytest.mark.parametrize(
    ("excluded", "left"),
    [
        ([], ["cart", "queue", "reports"]),
        ([{"names": []}, {"tags": {}}, {"ids": []}], ["cart", "queue", "reports"]),
        ([{"names": ["cart", "q*"]}], ["reports"]),
        ([{"names": ["*"], "tags": {"team": "web"}}], ["queue", "reports"]),
        ([{"tags": {"team": None}, "names": ["queue"]}, {"ids": [NUMBERS[0].upper()]}], ["cart", "queue"]),
        ([{"statuses": ["running"]}, {"engines": ["redis"]}], ["cart"]),
    ],
)
def test_what_fits_all_of_one_exclusion_is_left_out(excluded, left):
    data = InventoryData()
    found = [
        instance(CART, "cart", "web", status="FROZEN", engine="Memcached"),
        instance(QUEUE, "queue", status="RUNNING", engine="Memcached"),
        instance(NUMBERS[0], "reports", status="FROZEN", engine="Redis"),
    ]
    assert add(data, *found, exclude_filters=excluded) == []
    assert list(data.hosts) == left


# --- Variables (A6, B6) ----------------------------------------------------------------------------------------------


def test_keys_that_are_no_names_are_mapped_or_left_out():
    found = {
        "instance_id": CART,
        "name": "cart",
        "a b": 1,
        "x-y": 2,
        "x_y": 3,
        "1a": 4,
        "q.r": 5,
        "q/r": 6,
        "instance-id": 7,
        "tag": 8,
        "class": 9,
        "\u00e9": 10,
        "": 11,
        "__ansible_type": 12,
        "na\nme": 13,
    }
    data = InventoryData()
    with mock.patch.object(Display, "deprecated", side_effect=AssertionError):
        add(data, found)
    own = ("name", "tag", "instance_id", "region", "project_id")
    variables = {name: value for name, value in data.hosts["cart"].vars.items() if name.startswith("dcs_")}
    assert {name for name in variables if name[4:] in own} == {f"dcs_{name}" for name in own}
    assert variables["dcs_tag"] == {}
    assert {name[4:]: value for name, value in variables.items() if name[4:] not in own} == {
        "a_b": 1,
        "x_y": 3,
        "1a": 4,
        "class": 9,
        "_": 10,
        "": 11,
        "api___ansible_type": 12,
        "na_me": 13,
    }
    assert variables["dcs_instance_id"] == CART


def test_keys_of_tags_cannot_be_words_of_ansible():
    data = InventoryData()
    add(data, {**instance(CART, "cart"), "tags": [{"key": "__ansible_vault", "value": "\ud800"}]})
    assert data.hosts["cart"].vars["dcs_tag"] == {"api___ansible_vault": "\ufffd"}


def test_no_secret_is_in_the_variables_as_key_or_value():
    secret = 'a"secret-of-this-file'
    reader = plugin(InventoryData())
    reader._keep_secret(secret)
    reader._keep_secret("prod")
    found = [instance(CART, f"x {secret}", secret, **{secret: {secret: [secret, {"prod": 1}]}}), {"id": secret}]
    text = json.dumps(reader._cleaned(found)) + repr(reader._cleaned(found))
    assert "secret-of" not in text
    assert "********" in text
    # What is so short occurs by chance.
    assert '{"prod": 1}' in text
    assert reader._cleaned([instance(CART, "cart")]) == [instance(CART, "cart")]


# --- The cache (A2) --------------------------------------------------------------------------------------------------


def listing(**changes: Any) -> dict[str, Any]:
    return {"region": "somewhere", "project_id": PROJECT, "instances": [instance(CART, "cart")], **changes}


def document(*listings: Any, **changes: Any) -> Any:
    """What the plugin caches: the instances of each listing are a text of their own."""
    texts = [
        {**each, "instances": json.dumps(each["instances"])} if isinstance(each, dict) else each
        for each in listings or [listing()]
    ]
    return {"format": utility()._FORMAT, "listings": texts, **changes}


GOOD = {
    "one": document(),
    "none": document(listing(instances=[], project_id=None)),
}
BAD: dict[str, Any] = {
    "no text": document(),
    "other text": "{",
    "deep": "[" * 100_000,
    "a list": json.dumps([listing()]),
    "null": "null",
    "format": json.dumps(document(format=1)),
    "no format": json.dumps({"listings": [listing()]}),
    "format as text": json.dumps(document(format="2")),
    "no listing": json.dumps(document(listings=[])),
    "two listings": json.dumps(document(listing(), listing())),
    "listings": json.dumps(document(listings={"a": 1})),
    "listing": json.dumps(document([])),
    "another key": json.dumps(document(listing(more=1))),
    "region": json.dumps(document(listing(region="elsewhere"))),
    "project": json.dumps(document(listing(project_id="f" * 32))),
    "no project": json.dumps(document(listing(project_id=None))),
    "project of none": json.dumps(document(listing(project_id=PROJECT, instances=[]))),
    "instances": json.dumps(document(listing(instances={}))),
    "instances that are no text": json.dumps(document(listings=[listing()])),
    "instances that are no JSON": json.dumps(document(listings=[listing(instances="[")])),
    "instances that are too deep": json.dumps(document(listings=[listing(instances="[" * 100_000)])),
    "an instance": json.dumps(document(listing(instances=["x"]))),
    "no id": json.dumps(document(listing(instances=[{"name": "cart"}]))),
    "an id": json.dumps(document(listing(instances=[instance("..", "cart")]))),
    "id as number": json.dumps(document(listing(instances=[instance(5, "cart")]))),
}


@pytest.mark.parametrize("case", [*GOOD, *BAD])
def test_what_is_wrong_in_the_cache_is_no_cache(case):
    reader = plugin(InventoryData())
    projects = [project()]
    reader._cache = {"key": json.dumps(GOOD[case]) if case in GOOD else BAD[case]}
    found = reader._cached("key", projects)
    assert found == (
        [{**each, "instances": json.loads(each["instances"])} for each in GOOD[case]["listings"]]
        if case in GOOD
        else None
    )
    assert reader._cached("nothing", projects) is None


def test_what_the_cache_holds_is_made_harmless_again():
    reader = plugin(InventoryData())
    hostile = {
        "__ansible_type": "_AnsibleTaggedStr",
        "value": "{{ 1 }}",
        "tags": [{"__ansible_type": "TrustedAsTemplate"}],
    }
    cached = document(listing(instances=[instance(CART, "cart", description=hostile)]))
    reader._cache = {"key": json.dumps(cached)}
    (found,) = reader._cached("key", [project(project_id=None)])
    assert "__ansible_type" not in json.dumps(found).replace("api___ansible_type", "")


def test_a_cache_plugin_that_fails_is_no_cache():
    class Failing(dict):
        def __getitem__(self, key):
            raise TypeError(key)

    reader = plugin(InventoryData())
    reader._cache = Failing()
    assert reader._cached("key", []) is None


# --- Paths (C11) -----------------------------------------------------------------------------------------------------


def test_the_home_of_nobody_is_left_as_it_is(monkeypatch, tmp_path):
    full = utility()._with_full_paths
    monkeypatch.setenv("HOME", "/home/mine")
    assert full({"ca_path": "~/x", "client_cert": "y"}, tmp_path) == {
        "ca_path": "/home/mine/x",
        "client_cert": str(tmp_path / "y"),
    }
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", mock.Mock(side_effect=KeyError))
    assert full({"ca_path": "~/x"}, tmp_path) == {"ca_path": "~/x"}
    assert full({"ca_path": "~no-such-user/x"}, tmp_path) == {"ca_path": "~no-such-user/x"}


# --- Generated sources -----------------------------------------------------------------------------------------------

WORDS = ["cart", "team_web", "web", "db", "dcs", "dds", "large", "web01", "prod", "localhost", "all", "ungrouped", "x"]
IDS = [*NUMBERS[:4], "web", "db", f"cart_{NUMBERS[0]}"[:60]]
word = st.sampled_from(WORDS) | st.text(string.ascii_lowercase + "_-. {", max_size=3)
host_word = st.sampled_from([*WORDS[:10], f"cart_{NUMBERS[0]}", f"web_{NUMBERS[1]}", NUMBERS[2]])
group_word = st.sampled_from(["cart", "team_web", "web", "db", "dcs", "large", "prod", "x", "team_cart"])
OTHERS = st.fixed_dictionaries(
    {
        "hosts": st.lists(host_word, max_size=4),
        "groups": st.lists(st.tuples(group_word, st.lists(host_word, max_size=2)), max_size=4),
        "children": st.lists(st.tuples(group_word, group_word), max_size=3),
    }
)
KEYED = st.fixed_dictionaries(
    {"key": st.sampled_from(["SERVICE_tag.team", "SERVICE_tag", "SERVICE_name", "[SERVICE_tag.team, SERVICE_name]"])},
    optional={
        "prefix": st.sampled_from(["team", ""]),
        "separator": st.sampled_from(["_", ""]),
        "default_value": st.sampled_from(["web", "none"]),
        "parent_group": st.sampled_from(["prod", "windows", "{{ SERVICE_tag.team }}", "{{ SERVICE_name }}"]),
    },
)
FILE = st.fixed_dictionaries(
    {
        "service": st.sampled_from(["dcs", "dds"]),
        "instances": st.lists(st.tuples(st.sampled_from(IDS), word, st.none() | word), max_size=5),
    },
    optional={
        "group": st.sampled_from(["", "db", "large", "redis"]),
        "groups": st.dictionaries(
            group_word, st.sampled_from(["true", "false", "SERVICE_tag.team == 'web'"]), max_size=2
        ),
        "keyed_groups": st.lists(KEYED, max_size=2),
        "hostnames": st.just(["SERVICE_tag.team", "SERVICE_name"]),
        "compose": st.just({"owner": "SERVICE_tag.team", "ansible_connection": "'ssh'"}),
        "exclude_filters": st.lists(
            st.sampled_from(
                [{"names": ["cart"]}, {"tags": {"team": None}, "names": ["web*"]}, {"tags": {"team": "db"}}]
            ),
            max_size=2,
        ),
        "strict": st.booleans(),
        "leading_separator": st.booleans(),
    },
)


def write_others(data: InventoryData, others: dict[str, Any]) -> None:
    """What other sources write, with what they may do only."""
    for host in others["hosts"]:
        if host not in ("all", "ungrouped"):
            data.add_host(host)
            data.set_variable(host, "ansible_host", "192.0.2.10")
            data.set_variable(host, "dcs_instance_id", NUMBERS[0])
    for group, members in others["groups"]:
        data.add_group(group)
        data.set_variable(group, "of", "somebody")
        for host in members:
            if host not in data.groups:
                data.add_host(host, group)
    for parent, child in others["children"]:
        if parent in data.groups and child in data.groups:
            with contextlib.suppress(Exception):
                data.add_child(parent, child)


def named_in(file: dict[str, Any]) -> set[str]:
    parents = {str(entry.get("parent_group")) for entry in file.get("keyed_groups", ())}
    return {*file.get("groups", ()), file.get("group", ""), *(name for name in parents if "{" not in name)}


def is_excluded(name: Any, team: str | None, filters: list[dict[str, Any]]) -> bool:
    fits = {
        "names": lambda patterns: any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns),
        "tags": lambda tags: team is not None and tags["team"] in (None, team),
    }
    return any(all(fits[key](value) for key, value in entry.items()) for entry in filters)


def filled(value: Any, service: str) -> Any:
    return json.loads(json.dumps(value).replace("SERVICE", service))


def foreign_state(data: InventoryData, hosts: set[str], groups: set[str]) -> Any:
    """All that other sources said: of groups, without the hosts and groups that were added."""
    return {
        "hosts": {
            name: (repr(data.hosts[name].vars), sorted(group.name for group in data.hosts[name].groups))
            for name in hosts
        },
        "groups": {
            name: (
                repr(data.groups[name].vars),
                [host.name for host in data.groups[name].hosts if host.name in hosts],
                sorted(child.name for child in data.groups[name].child_groups if child.name in groups),
                sorted(parent.name for parent in data.groups[name].parent_groups),
            )
            for name in groups
        },
    }


def generated(examples: int) -> Any:
    """Run a test with so many inputs, the same ones each time."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=checks)


TENANT = {
    "service": "dcs",
    "instances": [(NUMBERS[0], "cart", "web")],
    "keyed_groups": [{"key": "SERVICE_tag.team", "prefix": "team"}],
}


@example(
    {"hosts": ["web01"], "groups": [("team_web", ["web01"])], "children": []},
    [TENANT],
    {"hosts": [], "groups": [], "children": []},
)
@example(
    {"hosts": ["cart"], "groups": [], "children": []}, [TENANT, TENANT], {"hosts": [], "groups": [], "children": []}
)
@generated(300)
@given(OTHERS, st.lists(FILE, min_size=1, max_size=3), OTHERS)
def test_whatever_the_sources_say_what_was_there_stays_as_it_was(others, files, later):
    data = InventoryData()
    write_others(data, others)
    ours: dict[tuple[str, str], str] = {}
    for number, file in enumerate(files):
        if number == 1:
            # A source between two files of ours writes what nobody has.
            fresh = [host for host in later["hosts"] if host not in ours.values() and host not in data.groups]
            write_others(data, {**later, "hosts": fresh, "groups": [], "children": []})
        hosts, groups = set(data.hosts) - set(ours.values()), set(data.groups)
        foreign_groups = {name for name in groups if not utility("_hosts").made_in(data).owns(data.groups[name])}
        known = set(ours)
        before, all_before = foreign_state(data, hosts, groups), dump(data)
        reach_before = {name: set(map(str, data.groups[name].get_hosts())) for name in foreign_groups}
        service = file["service"]
        options = filled({key: value for key, value in file.items() if key not in ("service", "instances")}, service)
        found = [instance(one, name, team, service) for one, name, team in file["instances"]]
        failure = None
        try:
            add(data, *found, service=service, **options)
        except AnsibleError as error:
            failure = str(error)
        if failure is not None:
            assert "unexpected error" not in failure, failure
            assert dump(data) == all_before
            continue
        assert foreign_state(data, hosts, groups) == before
        named = named_in(options) | {"all"}
        for name in foreign_groups - named:
            assert set(map(str, data.groups[name].get_hosts())) == reach_before[name], name
        made = {
            (service, one["dcs_instance_id" if service == "dcs" else "dds_instance_id"]): host
            for host, one in ((name, host.vars) for name, host in data.hosts.items() if name not in hosts)
            if f"{service}_instance_id" in one
        }
        ours.update(made)
        excluded = file.get("exclude_filters", [])
        wanted = {one for one, name, team in file["instances"] if not is_excluded(name, team, excluded)}
        assert {one for kind, one in made if kind == service} == wanted | {
            one for kind, one in known if kind == service
        }
        assert len(set(ours.values())) == len(ours)
        assert not set(data.hosts) & set(data.groups) - hosts
        assert set(data.hosts) - hosts == set(ours.values())
