# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files of the plugins beside other sources, and a cache with hostile text: real programs of Ansible.

tests/unit/test_inventory_plan.py has all the cases; here are those that end in commands.
"""

from __future__ import annotations

import json

import pytest

from tests.inventory.runs import LISTING, debug, hosts_of, messages

DCS = {"plugin": "hwcloud.maintenance.dcs"}
DDS = {"plugin": "hwcloud.maintenance.dds"}
CART = "e42ed27a-22e9-2376-3999-92a0db414119"
MONGO = "493d31c9de74142d56fdb6bd98f2a6c0in02"
#: Stands in for ssh: no connection is made, but it is known for whom it was asked.
SSH = '#!/bin/sh\necho "$@" >>"$(dirname "$0")/asked"\nexit 255\n'
LIST = "ListInstances"


@pytest.fixture
def servers(ansible):
    """An inventory of real servers, in hosts.ini and web.yml; what is asked of them is in the file C(asked)."""
    ssh = ansible.write("ssh", SSH)
    ssh.chmod(0o700)
    common = f"ansible_user=ops ansible_ssh_executable={ssh}"
    ansible.write("hosts.ini", f"[db]\nmongo-a ansible_host=192.0.2.10 {common}\n")
    web = {"ansible_host": "192.0.2.11", "ansible_ssh_executable": str(ssh)}
    ansible.write("web.yml", {"team_web": {"hosts": {"web01": web}}})
    return ansible


def instances(sim, **services):
    """The project with these instances only."""
    sim.reset({"project": {"id": sim.project_id, "name": sim.region}, **services})


def touch(hosts):
    """A play that runs a command on hosts."""
    task = {"name": "Run", "ansible.builtin.command": "touch {{ playbook_dir }}/ran-{{ inventory_hostname }}"}
    return {"name": "Command", "hosts": hosts, "gather_facts": False, "tasks": [task]}


def asked(ansible):
    path = ansible.folder / "asked"
    return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.mark.worst
def test_commands_for_a_server_never_run_here_because_an_instance_has_its_name(servers, sim):
    instances(sim, dds_instances=[{"name": "mongo-a", "id": MONGO}])
    servers.write("x.dds.yml", DDS)
    run = servers.play("hosts.ini", [touch("db")], "-i", "x.dds.yml")
    assert [(entry["host"], entry["status"]) for entry in run.results] == [("mongo-a", "unreachable")], run.output
    assert "192.0.2.10" in asked(servers)
    assert not list(servers.folder.glob("ran-*"))
    listed = servers.run("ansible-inventory", "--list", "-i", "hosts.ini", "-i", "x.dds.yml")
    assert f"{MONGO} is called mongo-a_{MONGO}" in " ".join(listed.stderr.split()).replace("- ", "-")
    hosts = hosts_of(json.loads(listed.stdout))
    assert list(hosts) == ["mongo-a", f"mongo-a_{MONGO}"]
    assert hosts["mongo-a"].keys() == {"ansible_host", "ansible_user", "ansible_ssh_executable"}


@pytest.mark.worst
def test_commands_for_a_group_of_servers_never_run_here_because_of_a_tag(servers, sim):
    tags = [{"key": "team", "value": "web"}]
    instances(sim, dcs_instances=[{"name": "cart", "instance_id": CART, "tags": tags}])
    keyed = [{"key": "dcs_tag.team", "prefix": "team"}]
    servers.write("y.dcs.yml", {**DCS, "keyed_groups": keyed})
    run = servers.play("web.yml", [touch("team_web")], "-i", "y.dcs.yml")
    assert [(entry["host"], entry["status"]) for entry in run.results] == [("web01", "unreachable")], run.output
    assert not list(servers.folder.glob("ran-*"))
    said = " ".join(run.output.split())
    assert f"into the group team_web, for the instance 'cart' ({CART})" in said
    # All or nothing: the server is as it was, and no host was added.
    found = servers.run("ansible-inventory", "--list", "-i", "web.yml", "-i", "y.dcs.yml")
    assert list(hosts_of(json.loads(found.stdout))) == ["web01"]
    # Named in the file, it is what was asked for.
    servers.write("y.dcs.yml", {**DCS, "keyed_groups": keyed, "groups": {"team_web": False}})
    assert servers.list("-i", "web.yml", "-i", "y.dcs.yml")["team_web"]["hosts"] == ["web01", "cart"]


def test_a_source_between_two_files_takes_nothing_and_gets_nothing(servers, sim):
    """A constructed source, hosts of the other plugin, and a second file for the same project."""
    instances(
        sim,
        dcs_instances=[{"name": "mongo-a", "instance_id": CART}],
        dds_instances=[{"name": "mongo-a", "id": MONGO}],
    )
    servers.write("1.dcs.yml", DCS)
    compose = {"plugin": "ansible.builtin.constructed", "groups": {"prod": "true"}, "compose": {"shift": "'night'"}}
    servers.write("2.yml", compose)
    servers.write("3.dds.yml", DDS)
    servers.write("4.dcs.yml", {**DCS, "group": "all_redis", "compose": {"shift": "'day'"}})
    run = servers.run(
        "ansible-inventory", "--list", *(f"-i{name}" for name in ("1.dcs.yml", "2.yml", "3.dds.yml", "4.dcs.yml"))
    )
    assert run.stderr.count("WARNING") == 1
    inventory = json.loads(run.stdout)
    hosts = hosts_of(inventory)
    assert list(hosts) == ["mongo-a", f"mongo-a_{MONGO}"]
    assert hosts["mongo-a"]["shift"] == "night"
    for group, members in {"prod": ["mongo-a"], "all_redis": ["mongo-a"], "dds": [f"mongo-a_{MONGO}"]}.items():
        assert inventory[group]["hosts"] == members


# --- The cache -------------------------------------------------------------------------------------------------------

COMMAND = "{{ lookup('ansible.builtin.pipe', 'touch pwned') }}"
TRUSTED = {"__ansible_type": "_AnsibleTaggedStr", "value": COMMAND, "tags": [{"__ansible_type": "TrustedAsTemplate"}]}
HARMLESS = {
    "api___ansible_type": "_AnsibleTaggedStr",
    "value": COMMAND,
    "tags": [{"api___ansible_type": "TrustedAsTemplate"}],
}
HOSTILE = {
    "instance_id": CART,
    "name": "cart",
    "description": TRUSTED,
    "unsafe": {"__ansible_unsafe": COMMAND},
    "a b": COMMAND,
    "tags": [{"key": "__ansible_vault", "value": COMMAND}],
}
CACHED = {**DCS, "cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "kept"}
SHOWN = {name: f"{{{{ dcs_{name} }}}}" for name in ("description", "unsafe", "a_b", "tag", "changed")}
EXPECTED = {
    "description": HARMLESS,
    "unsafe": {"api___ansible_unsafe": COMMAND},
    "a_b": COMMAND,
    "tag": {"api___ansible_vault": COMMAND},
    "changed": COMMAND.replace("pwned", "PWNED"),
}


def answered_once(sim, *found):
    """The next listing has these instances, and no other has any."""
    instances(sim)
    body = {"instances": list(found)}
    sim.faults([{"operation": LIST, "service": "dcs", "times": 1, "fault": {"status": 200, "body": body}}])


@pytest.mark.worst
def test_text_from_the_cache_is_never_a_template(ansible, sim):
    answered_once(sim, HOSTILE)
    compose = {"changed": "dcs_description['value'] | regex_replace('pwned', 'PWNED')"}
    ansible.write("dcs.yml", {**CACHED, "compose": {f"dcs_{name}": text for name, text in compose.items()}})
    plays = [debug(SHOWN)]
    for step in ("listed", "from the cache", "from a cache that was written by another program"):
        if step.startswith("from a"):
            (file,) = (ansible.folder / "kept").iterdir()
            text = file.read_text(encoding="utf-8")
            changed = text.replace("api___ansible_", "__ansible_")
            assert changed != text
            file.write_text(changed, encoding="utf-8")
        run = ansible.play("dcs.yml", plays)
        assert not [path for path in ansible.folder.rglob("*") if path.name.lower() == "pwned"], step
        assert messages(run) == {"cart": EXPECTED}, step
        assert "[DEPRECATION" not in run.output
    assert len({entry["path"] for entry in sim.journal()}) == 1
    assert len(sim.journal()) == LISTING, "the second and the third run read the cache"


def test_secrets_that_the_service_echoes_are_in_no_variable_and_no_cache(ansible, sim):
    secret = sim.secret_key
    echo = {"instance_id": CART, "name": f"x{secret}", f"k{secret}": 1, "inner": {secret: [secret]}}
    answered_once(sim, {**echo, "tags": [{"key": secret, "value": secret}]})
    content = {**CACHED, "keyed_groups": [{"key": "dcs_tag"}, {"key": "dcs_name"}], "hostnames": ["dcs_name"]}
    for _time in range(2):
        found = ansible.list("-i", ansible.write("dcs.yml", content))
        assert list(hosts_of(found)) == [CART]
        assert secret not in json.dumps(found)
    (file,) = (ansible.folder / "kept").iterdir()
    assert secret not in file.read_text(encoding="utf-8")


# --- Neighbours ------------------------------------------------------------------------------------------------------


def test_a_home_that_nobody_knows_is_one_sentence(ansible, sim):
    for name in ("ca_path", "client_cert"):
        text = ansible.fails({**DCS, name: "~no-such-user/x"})
        assert f"{name} must be a file" in text
        assert "'~no-such-user/x' does not exist" in text
        assert "unexpected error" not in text
    assert sim.journal() == []


def test_exclude_filters_leave_out_what_fits_all_of_one_entry(ansible):
    def names(*excluded, **more):
        content = {**DCS, "filters": {"names": ["*-prod"]}, "exclude_filters": list(excluded), **more}
        return [name.split("-")[1] for name in ansible.hosts(content)]

    assert names() == ["cart", "queue", "sessions"]
    assert names({"tags": {"team": "web"}, "statuses": ["running"]}, {"names": ["*queue*"]}) == ["sessions"]
    own = {"exclude_filters": [{"ids": [CART]}], "filters": {"names": ["*cart*", "*queue*"]}}
    assert names({"names": ["*queue*"]}, projects=[own, {}]) == ["cart", "queue", "sessions"]
