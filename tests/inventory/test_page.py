# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/inventory.md is true: its files and commands run, and print what it shows; its table has what there is."""

from __future__ import annotations

import importlib
import json
import re
import shlex

import pytest
import yaml

from tests.docs.test_documentation import ROOT
from tests.docs.test_guide import blocks_of, names, rows, sections
from tests.harness.modules import COLLECTION
from tests.inventory.awx import sliced, write_script
from tests.inventory.runs import Ansible, hosts_of, signed_in_environment

PAGE = (ROOT / "docs" / "inventory.md").read_text(encoding="utf-8")
PROJECT, SHOP, SECOND = "0123456789abcdef" * 2, "1" * 32, "fedcba9876543210" * 2
KEY = {"SECOND_ACCESS_KEY": "SECONDACCESSKEY", "SECOND_SECRET_KEY": "second-secret-key-for-loopback-only-000001"}
PASSWORD = "Night-shift-1!"


@pytest.fixture
def cloud(sim):
    """The projects of the page."""

    def load():
        scenario = json.loads((ROOT / "tests/simulator/scenarios/maintenance.json").read_text(encoding="utf-8"))
        here, _other = scenario["projects"]
        projects = [
            {**here, "id": PROJECT, "name": "cn-north-4"},
            {"id": SHOP, "name": "ap-southeast-3_shop", "dcs_instances": [{"name": "redis-shop"}]},
            {"id": SECOND, "name": "second", "dcs_instances": [{"name": "redis-of-second-account"}]},
        ]
        users = [
            {"name": "one", "access_key": sim.access_key, "secret_key": sim.secret_key, "projects": [PROJECT, SHOP]},
            {"name": "two", "access_key": KEY["SECOND_ACCESS_KEY"], "secret_key": KEY["SECOND_SECRET_KEY"]},
            {"name": "night-shift", "access_key": "NIGHTSHIFTKEY", "password": PASSWORD},
        ]
        sim.reset({"region": "cn-north-4", "projects": projects, "users": users, "domain": {"name": "example-account"}})

    load()
    return load


@pytest.fixture
def page(sim, cloud, tmp_path):
    """Ansible in a folder with all files of the page."""
    environ = signed_in_environment(sim, "cn-north-4", "ap-southeast-3")
    ansible = Ansible(tmp_path, {**environ, **KEY})
    for block in blocks_of(PAGE):
        if block.file:
            ansible.write(block.file, block.text)
    return ansible


def first_difference(shown, printed):
    """What is shown, but was not printed there; lines of dots stand for any lines."""
    rest = printed.splitlines()
    anywhere = False
    for line in shown.splitlines():
        if line.strip() == "…":
            anywhere = True
        elif anywhere and line in rest:
            rest = rest[rest.index(line) + 1 :]
            anywhere = False
        elif not anywhere and rest and rest[0] == line:
            del rest[0]
        else:
            return line
    return None if anywhere or not rest else f"the end, but {rest[0]} follows"


def test_differences_are_found():
    assert first_difference("a\nb", "a\nb\n") is None
    assert first_difference("a\n  …\nc", "a\nb\nc") is None
    assert first_difference("a\n…", "a\nb\nc") is None
    assert first_difference("a\nc", "a\nb\nc") == "c"
    assert first_difference("a\n…\nx", "a\nb\nc") == "x"
    assert first_difference("a", "a\nb") == "the end, but b follows"


#: What a section's command must warn of; no other may warn.
WARNED = {"Beside other sources": "is called redis-reports_ad59471b-33e2-7347-b3b4-bdf5475b037a"}
SHELLS = [heading for heading, text in sections(PAGE).items() if "```shell" in text]


@pytest.mark.parametrize("heading", SHELLS)
def test_commands_print_what_the_page_shows(page, cloud, heading):
    printed = ""
    compared = 0
    for block in blocks_of(sections(PAGE)[heading]):
        if block.language == "shell":
            for command in block.text.splitlines():
                run = page.run(*shlex.split(command))
                # Ansible breaks lines, also at the hyphens of an id.
                warned = "".join(run.stderr.split())
                assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
                assert bool(warned) == (heading in WARNED), run.stderr
                assert "".join(WARNED.get(heading, "").split()) in warned
                printed = run.stdout
        elif block.language == "text":
            assert first_difference(block.text, printed) is None, printed
            compared += 1
    assert compared == {"A first inventory": 2, "Filters and groups": 2, "Cache": 0, "Plays": 0}.get(heading, 1)


def test_every_section_with_commands_was_seen_and_is_in_the_contents():
    assert {"A first inventory", "Filters and groups", "Several regions and accounts", "Plays"} <= set(SHELLS)
    contents = re.findall(r"- \[([^]]+)\]\(#", sections(PAGE)["Inventory"])
    assert contents == [heading for heading in sections(PAGE) if heading not in ("", "Inventory")]


def test_every_file_of_the_page_has_a_name():
    for block in blocks_of(PAGE):
        assert (block.language in ("yaml", "ini")) == bool(block.file), block.text
        assert block.language != "yaml" or yaml.safe_load(block.text)


def test_table_of_variables(page):
    for column, group in enumerate(("dcs", "dds")):
        hosts = hosts_of(page.list("-i", f"production.{group}.yml"))
        table = list(rows(sections(PAGE)["Hosts and their variables"]))
        assert len(table) == 11
        written = {name for cells in table for name in names(cells[column])}
        for host, variables in hosts.items():
            assert written <= variables.keys(), host
            assert {name for name in variables if not name.startswith(f"{group}_")} == {
                name for name in written if not name.startswith(f"{group}_")
            }
    assert {variables["dds_status"] for variables in hosts.values()} == {"normal"}


def test_with_the_setting_of_the_page_a_failure_stops_ansible(page):
    run = page.run("ansible-playbook", "-i", "production.dcs.yml", "call_off.yml", HW_SECRET_KEY="wrong")
    assert run.returncode != 0
    assert "PLAY" not in run.stdout
    (page.folder / "ansible.cfg").unlink()
    run = page.run("ansible-playbook", "-i", "production.dcs.yml", "call_off.yml", HW_SECRET_KEY="wrong")
    assert (run.returncode, "no hosts matched" in run.stdout) == (0, True)


@pytest.mark.parametrize("group", ["dcs", "dds"])
def test_examples_of_the_documentation_list_hosts(page, group):
    documentation = importlib.import_module(f"{COLLECTION}.inventory.{group}")
    environ = {"HW_PROJECT_ID": PROJECT, "HW_REGION_NAME": "cn-north-4"}
    for number, example in enumerate(yaml.safe_load_all(documentation.EXAMPLES)):
        several = "projects" in example
        if several:
            environ = {"NIGHT_SHIFT_PASSWORD": PASSWORD, **KEY}
            environ |= {
                "FIRST_ACCESS_KEY": page.environ["HW_ACCESS_KEY"],
                "FIRST_SECRET_KEY": page.environ["HW_SECRET_KEY"],
            }
        hosts = hosts_of(page.list("-i", page.write(f"{number}.{group}.yml", example), **environ))
        assert hosts
        assert len({variables[f"{group}_project_id"] for variables in hosts.values()}) == (
            2 if several and group == "dcs" else 1
        )
        assert all("owner" in variables for variables in hosts.values()) == ("compose" in example)


# --- AWX -------------------------------------------------------------------------------------------------------------


def outcome(run):
    """What each task did on each host, each once."""
    assert run.returncode == 0, run.output
    found = {}
    for entry in run.results:
        result = {
            key: value for key, value in entry["result"].items() if key in ("changed", "tasks", "jobs", "cancelled")
        }
        assert (entry["host"], entry["task"]) not in found
        found[entry["host"], entry["task"]] = (entry["status"], json.dumps(result, sort_keys=True))
    return found


def without_times(found):
    """The same without the times, which begin anew with each reset of the simulator."""
    return {
        key: (status, re.sub(r'"[0-9-]+T[0-9:.]+(Z|\+0000)"', '"TIME"', text)) for key, (status, text) in found.items()
    }


@pytest.mark.parametrize(
    ("inventory", "play"), [("groups.dcs.yml", "call_off.yml"), ("production.dds.yml", "pending_jobs.yml")]
)
def test_slices_together_do_what_the_whole_does(page, cloud, sim, inventory, play):
    exported = page.list("--export", "-i", inventory)
    hosts = set(exported["_meta"]["hostvars"])
    cloud()
    whole = without_times(outcome(page.play(inventory, page.folder / play)))
    assert {host for host, _task in whole} == hosts
    assert len(hosts) == 3
    writes = [entry["path"] for entry in sim.journal() if entry["method"] != "GET"]
    assert len(writes) == (1 if play == "call_off.yml" else 0)
    for count in (2, 3):
        cloud()
        union = {}
        for number in range(1, count + 1):
            script = write_script(page.folder / f"slice{number}", sliced(exported, number, count))
            part = without_times(outcome(page.play(script, page.folder / play)))
            assert len({host for host, _task in part}) in (len(hosts) // count, len(hosts) // count + 1)
            assert not part.keys() & union.keys()
            union.update(part)
        assert union == whole
        assert [entry["path"] for entry in sim.journal() if entry["method"] != "GET"] == writes


def test_slices_have_each_host_once_and_its_groups(page):
    exported = page.list("--export", "-i", "groups.dcs.yml")
    parts = [sliced(exported, number, 2) for number in (1, 2)]
    assert [part["all"]["hosts"] for part in parts] == [
        ["redis-cart-prod", "redis-sessions-prod"],
        ["redis-queue-prod"],
    ]
    assert [part["team_web"]["hosts"] for part in parts] == [["redis-cart-prod", "redis-sessions-prod"], []]
    script = write_script(page.folder / "slice", parts[1])
    found = page.list("-i", script)
    assert found["status_running"]["hosts"] == ["redis-queue-prod"]
