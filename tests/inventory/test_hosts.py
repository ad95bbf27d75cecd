# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every instance is a host: names, variables, groups, filters, projects; what the API says is never a template."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.harness.modules import COLLECTION
from tests.inventory.runs import LISTING, debug, endpoints, hosts_of, messages, plain


def utility():
    return importlib.import_module(f"{COLLECTION}.plugin_utils._inventory")


DCS = {"plugin": "hwcloud.maintenance.dcs"}
DDS = {"plugin": "hwcloud.maintenance.dds"}
PRODUCTION = ["redis-cart-prod", "redis-queue-prod", "redis-sessions-prod"]
ALL = sorted([*PRODUCTION, "redis-cache-staging", "redis-reports"])
CART = "e42ed27a-22e9-2376-3999-92a0db414119"


def groups(inventory):
    return {name: group.get("hosts", []) for name, group in inventory.items() if name != "_meta"}


def test_every_dcs_instance_is_a_host_with_all_fields(ansible, sim):
    inventory = ansible.list("-i", ansible.write("x.dcs.yml", DCS))
    assert inventory["dcs"]["hosts"] == ALL
    hosts = hosts_of(inventory)
    assert list(hosts) == ALL
    cart = hosts["redis-cart-prod"]
    (listed,) = [instance for instance in sim.state()["dcs_instances"] if instance["name"] == "redis-cart-prod"]
    shared = {f"dcs_{name}": value for name, value in listed.items() if f"dcs_{name}" in cart}
    assert len(shared) > 20
    assert {name: cart[name] for name in shared} == shared
    own = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "dcs_instance_id": CART,
        "dcs_name": "redis-cart-prod",
        "dcs_region": sim.region,
        "dcs_project_id": sim.project_id,
        "dcs_maintenance_window": {"begin": "02:00", "end": "06:00"},
        "dcs_tag": {"environment": "production", "team": "web"},
        "dcs_tags": [{"key": "environment", "value": "production"}, {"key": "team", "value": "web"}],
    }
    assert {name: cart[name] for name in own} == own
    assert all(name.startswith("dcs_") for name in cart if name not in own)
    assert [entry["operation"] for entry in sim.journal()] == ["ListInstances"] * LISTING


def test_every_dds_instance_is_a_host(ansible, sim):
    hosts = ansible.hosts(DDS, "dds.yaml")
    assert list(hosts) == ["dds-catalogue-prod", "dds-orders-prod", "dds-orders-staging"]
    staging = hosts["dds-orders-staging"]
    assert staging["dds_instance_id"] == staging["dds_id"] == "493d31c9de74142d56fdb6bd98f2a6c0in02"
    assert staging["dds_maintenance_window"] == {"begin": "22:00", "end": "02:00"}
    assert (staging["dds_region"], staging["dds_project_id"]) == (sim.region, sim.project_id)
    assert {entry["service"] for entry in sim.journal()} == {"dds"}


def test_modules_run_on_the_hosts_as_they_are(ansible, sim):
    """No delegate_to, no connection, no interpreter: all that is in the inventory."""
    ansible.write("dcs.yml", DCS)
    task = {
        "name": "List",
        "hwcloud.maintenance.dcs_task_info": {"instances": "{{ dcs_instance_id }}", "region": "{{ dcs_region }}"},
    }
    play = {"name": "Look", "hosts": "dcs", "gather_facts": False, "tasks": [task]}
    run = ansible.play("dcs.yml", [play])
    assert run.returncode == 0, run.output
    assert "[WARNING]" not in run.output
    assert sorted(entry["host"] for entry in run.results) == ALL
    found = {entry["host"]: {task["instance_id"] for task in entry["result"]["tasks"]} for entry in run.results}
    assert found["redis-cart-prod"] == {CART}


# --- Names -----------------------------------------------------------------------------------------------------------


def scenario(sim, *instances):
    """The same project with other instances."""
    return {"project": {"id": sim.project_id, "name": sim.region}, "dcs_instances": list(instances)}


def test_instances_that_share_a_name_have_their_ids_in_it(ansible, sim):
    first, second = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    twins = [{"name": "twin", "instance_id": number} for number in (first, second)]
    sim.reset(scenario(sim, *twins, {"name": "one"}))
    assert list(ansible.hosts(DCS)) == ["one", f"twin_{first}", f"twin_{second}"]
    # The other one is no longer there.
    assert list(ansible.hosts({**DCS, "filters": {"ids": [second]}})) == ["twin"]


UNUSABLE = (
    "",
    None,
    "all",
    "ungrouped",
    "localhost",
    "dcs",
    "mine",
    "../../etc/passwd",
    "-x",
    ".x",
    "a b",
    "a:b",
    "a,b",
)
UNUSABLE += ("a[1:3]", "{{ 1 + 1 }}")


def test_what_cannot_be_the_name_of_a_host_becomes_the_id(ansible, sim):
    ids = {f"{number:08d}-1111-4111-8111-111111111111": name for number, name in enumerate(UNUSABLE)}
    sim.reset(scenario(sim, *({"name": name, "instance_id": number} for number, name in ids.items())))
    hosts = ansible.hosts({**DCS, "groups": {"mine": True}})
    assert {host: variables["dcs_name"] for host, variables in hosts.items()} == ids


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"1": "a", "2": "b"}, ["a", "b"]),
        ({"1": "a", "2": "a"}, ["a_1", "a_2"]),
        ({"1": "a", "2": "a", "3": "a_1"}, ["1", "a_2", "3"]),
        ({"1": "2", "2": "b"}, ["1", "b"]),
        ({"1": "dcs", "2": None, "3": "x" * 255, "4": "x" * 256}, ["1", "2", "x" * 255, "4"]),
        ({"1": "\u6570\u636e", "2": "a.b"}, ["\u6570\u636e", "a.b"]),
    ],
)
def test_names_of_hosts(names, expected):
    assert list(utility().host_names(names, {"dcs"}).values()) == expected


# --- Groups ----------------------------------------------------------------------------------------------------------


def test_constructed_groups_and_variables(ansible):
    inventory = ansible.list(
        "-i",
        ansible.write(
            "dcs.yml",
            {
                **DCS,
                "keyed_groups": [
                    {"key": "dcs_status | lower", "prefix": "status"},
                    {"key": "dcs_engine", "prefix": "engine"},
                    {"key": "dcs_tag", "prefix": "tag"},
                    {"key": "dcs_maintenance_window.begin", "prefix": "window", "parent_group": "windows"},
                    {"key": "dcs_tags | map(attribute='key')", "prefix": "has"},
                ],
                "compose": {"owner": "dcs_tag.team | default('nobody')", "ansible_connection": "'ssh'"},
                "groups": {"large": "dcs_capacity >= 16"},
            },
        ),
    )
    found = groups(inventory)
    assert found["status_extending"] == ["redis-sessions-prod"]
    assert found["engine_Redis"] == ALL
    assert found["tag_environment_production"] == PRODUCTION
    assert found["window_02_00"] == PRODUCTION
    assert (found["window_22_00"], found["window_23_00"]) == (["redis-cache-staging"], ["redis-reports"])
    assert sorted(inventory["windows"]["children"]) == ["window_02_00", "window_22_00", "window_23_00"]
    assert found["has_team"] == ["redis-cart-prod", "redis-sessions-prod"]
    assert found["large"] == ["redis-sessions-prod"]
    hosts = hosts_of(inventory)
    assert (hosts["redis-cart-prod"]["owner"], hosts["redis-reports"]["owner"]) == ("web", "nobody")
    assert hosts["redis-reports"]["ansible_connection"] == "ssh"


def test_strict_makes_a_bad_expression_an_error_and_leaves_no_host(ansible):
    wrong = {**DCS, "compose": {"owner": "dcs_tag.team"}}
    assert "owner" not in ansible.hosts(wrong)["redis-reports"]
    assert "redis-cache-staging" in ansible.fails({**wrong, "strict": True})
    run = ansible.run("ansible", "all,dcs", "--list-hosts", "-i", "dcs.yml")
    assert "redis" not in run.stdout
    assert "Unable to parse" in run.stderr


# --- Filters ---------------------------------------------------------------------------------------------------------


def test_filters_must_all_fit(ansible):
    filters = {
        "names": ["*-prod", "redis-reports"],
        "tags": {"team": None},
        "statuses": ["running"],
        "engines": ["redis"],
    }
    assert list(ansible.hosts({**DCS, "filters": filters})) == ["redis-cart-prod"]
    assert list(ansible.hosts({**DCS, "filters": {"ids": [CART.upper()]}})) == ["redis-cart-prod"]


def test_a_filter_that_fits_nothing_costs_no_request(ansible, sim):
    assert ansible.list("-i", ansible.write("dcs.yml", {**DCS, "filters": {"tags": {}}})).keys() >= {"_meta", "all"}
    assert sim.journal() == []


# --- Projects --------------------------------------------------------------------------------------------------------

SECOND = "second-secret-key-for-loopback-only-000001"


def two_regions(sim):
    """Two accounts in one: the second user may see the second project only."""
    projects = [
        {
            "id": "a" * 32,
            "name": "first-region",
            "dcs_instances": [{"name": "shared", "instance_id": CART}, {"name": "only-first"}],
        },
        {"id": "b" * 32, "name": "second-region", "dcs_instances": [{"name": "shared"}, {"name": "only-second"}]},
        {"id": "c" * 32, "name": "second-region_shop", "dcs_instances": [{"name": "shop"}]},
    ]
    users = [
        {"name": "one", "access_key": sim.access_key, "secret_key": sim.secret_key, "password": "Password-1!"},
        {"name": "two", "access_key": "SECONDACCESSKEY", "secret_key": SECOND, "projects": ["b" * 32, "c" * 32]},
    ]
    sim.reset({"projects": projects, "users": users, "domain": {"name": "account"}})


@pytest.fixture
def regions(ansible, sim):
    two_regions(sim)
    for name in ("HW_REGION_NAME", "HW_PROJECT_ID"):
        del ansible.environ[name]
    ansible.environ.update(endpoints(sim, "first-region", "second-region"))
    return ansible


def test_several_regions_and_projects_in_one_file(regions, sim):
    hosts = regions.hosts(
        {
            **DCS,
            "region": "first-region",
            "project_id": "a" * 32,
            "projects": [
                {},
                {"region": "second-region"},
                {"region": "second-region", "project_name": "second-region_shop"},
                # The same once more.
                {"region": "second-region", "project_id": "b" * 32, "filters": {"names": ["only*"]}},
            ],
        }
    )
    short = {
        re.sub("_.*", "", host): (found["dcs_region"], found["dcs_project_id"][0]) for host, found in hosts.items()
    }
    assert len(hosts) == 5
    assert short.pop("shared")
    assert short == {
        "only-first": ("first-region", "a"),
        "only-second": ("second-region", "b"),
        "shop": ("second-region", "c"),
    }
    assert {host for host in hosts if "shared" in host} == {
        f"shared_{found['dcs_instance_id']}" for host, found in hosts.items() if "shared" in host
    }


def test_an_entry_with_a_credential_of_its_own_takes_none_from_the_top(regions, sim):
    key = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    content = {**DCS, **key, "region": "second-region"}
    user = {"username": "one", "password": "Password-1!", "domain_name": "account"}
    assert len(regions.hosts({**content, "projects": [user]})) == 2
    assert [entry["auth"] for entry in sim.journal()][-1] == "token"
    assert "IncompleteCredentials" not in (text := regions.fails({**content, "projects": [{}, {"password": "x"}]}))
    assert "Project 2 of the file: " in text
    assert sim.journal()[-1]["auth"] == "token", "nothing may leave before all is checked"


def test_no_projects_are_no_hosts(ansible, sim):
    assert list(ansible.hosts({**DCS, "projects": []})) == []
    assert sim.journal() == []


def test_one_project_that_cannot_be_listed_fails_the_file(regions, sim):
    content = {
        **DCS,
        "access_key": "SECONDACCESSKEY",
        "secret_key": SECOND,
        "projects": [{"region": "second-region"}, {"region": "first-region", "project_id": "a" * 32}],
    }
    text = regions.fails(content)
    assert "Project 2 of the file (region first-region): " in text
    run = regions.run("ansible-inventory", "--graph", "-i", "dcs.yml")
    assert "only-second" not in run.stdout


# --- What the API says is no template --------------------------------------------------------------------------------

HOSTILE = {
    "name": "{{ 1 + 1 }}",
    "instance_id": CART,
    "description": "{{ lookup('ansible.builtin.pipe', 'touch pwned') }}",
    "ip": "#jinja2: variable_start_string:'[[', variable_end_string:']]'\n[[ 1 + 1 ]]",
    "user_name": "{",
    "vpc_name": "{ 1 + 1 }}",
    "tags": [{"key": "{{ 1 + 1 }}", "value": "{% raw %}"}, {"key": "plain", "value": "{# x #}"}],
}
COMPOSED = {
    "copied": "dcs_description",
    "joined": "dcs_user_name ~ dcs_vpc_name",
    "in_list": "[dcs_description]",
    "value": "dcs_tag.plain",
}
EXPECTED = {
    "name": HOSTILE["name"],
    "description": HOSTILE["description"],
    "ip": HOSTILE["ip"],
    "tags": HOSTILE["tags"],
    "tag": {"{{ 1 + 1 }}": "{% raw %}", "plain": "{# x #}"},
    "copied": HOSTILE["description"],
    "joined": "{{ 1 + 1 }}",
    "in_list": [HOSTILE["description"]],
    "value": "{# x #}",
}
SHOWN = {name: f"{{{{ {name if name in COMPOSED else f'dcs_{name}'} }}}}" for name in EXPECTED}


@pytest.mark.parametrize("cached", [False, True])
def test_text_of_the_api_is_never_a_template(ansible, sim, cached):
    sim.reset(scenario(sim, HOSTILE))
    content = {
        **DCS,
        "compose": COMPOSED,
        "keyed_groups": [{"key": "dcs_name"}, {"key": "dcs_tag"}, {"key": "dcs_description", "separator": ""}],
        "groups": {"hostile": "'1 + 1' in dcs_name"},
    }
    if cached:
        content.update(cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection="cache")
        ansible.hosts(content)
    inventory = ansible.list("-i", ansible.write("dcs.yml", content))
    assert hosts_of(inventory)[CART]["dcs_description"] == HOSTILE["description"]
    assert groups(inventory)["hostile"] == [CART]
    assert all(re.fullmatch(r"\w+", name) for name in inventory)
    assert messages(ansible.play("dcs.yml", [debug(SHOWN)])) == {CART: EXPECTED}
    assert len(sim.journal()) == (LISTING if cached else 2 * LISTING)
    assert not list(ansible.folder.rglob("pwned"))


def test_text_is_no_template_either_in_an_inventory_that_was_exported(ansible, sim):
    """As AWX does, which keeps what ansible-inventory has printed."""
    from tests.inventory.awx import sliced, write_script

    sim.reset(scenario(sim, HOSTILE))
    inventory = ansible.list("--export", "-i", ansible.write("dcs.yml", {**DCS, "compose": COMPOSED}))
    script = write_script(ansible.folder / "hosts", sliced(inventory, 1, 1))
    run = ansible.play(script, [debug(SHOWN)])
    assert messages(run) == {CART: EXPECTED}
    assert plain(inventory)["_meta"]["hostvars"][CART]["ansible_python_interpreter"] == "{{ ansible_playbook_python }}"
