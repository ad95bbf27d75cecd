# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of inventory files: signing in as the modules do, templates, vaults, paths, bad input; and the cache."""

from __future__ import annotations

import importlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.harness.modules import COLLECTION, clean_environment
from tests.harness.playbooks import BIN
from tests.inventory.runs import LISTING, Ansible, debug, endpoints, messages, signed_in_environment

DCS = {"plugin": "hwcloud.maintenance.dcs"}
VAULT_PASSWORD = "inventory"


@pytest.fixture
def bare(sim, tmp_path) -> Ansible:
    """Ansible that is led to the simulator, but not signed in."""
    return Ansible(tmp_path, endpoints(sim, sim.region))


def utility(name):
    return importlib.import_module(f"{COLLECTION}.{name}")


# --- Signing in ------------------------------------------------------------------------------------------------------


def test_templates_lookups_and_extra_variables_in_options(bare, sim):
    content = {
        **DCS,
        "region": "{{ 'sim-region' }}-1",
        "project_id": "{{ project }}",
        "access_key": "{{ lookup('ansible.builtin.env', 'MY_KEY') }}",
        "secret_key": "{{ lookup('ansible.builtin.env', 'MY_SECRET') }}",
        "retries": "{{ 1 + 1 }}",
        "validate_certs": "{{ true }}",
        "deadline": None,
        "filters": {"names": ["{{ wanted }}-*"]},
    }
    path = bare.write("dcs.yml", content)
    extra = json.dumps({"project": sim.project_id, "wanted": "redis"})
    found = bare.list("-i", path, "--extra-vars", extra, MY_KEY=sim.access_key, MY_SECRET=sim.secret_key)
    assert len(found["dcs"]["hosts"]) == 5
    text = bare.fails(content, MY_KEY=sim.access_key, MY_SECRET=sim.secret_key)
    assert "The value of project_id cannot be evaluated" in text


def test_values_from_a_vault(bare, sim):
    password = bare.write("password", VAULT_PASSWORD)
    encrypted = bare.run("ansible-vault", "encrypt_string", "--vault-password-file", password, sim.secret_key).stdout
    content = (
        f"plugin: hwcloud.maintenance.dcs\nregion: {sim.region}\nproject_id: {sim.project_id}\n"
        f"access_key: {sim.access_key}\nsecret_key: {encrypted}"
    )
    assert encrypted.startswith("!vault |")
    bare.write("dcs.yml", content)
    found = bare.list("-i", "dcs.yml", "--vault-password-file", password)
    assert len(found["dcs"]["hosts"]) == 5
    whole = content.replace("secret_key", "projects:\n  - secret_key").replace("access_key", "unused", 1)
    whole = whole.replace(f"unused: {sim.access_key}\n", "") + f"    access_key: {sim.access_key}\n"
    whole = whole.replace("\n          ", "\n              ")
    bare.write("dcs.yml", whole)
    assert len(bare.list("-i", "dcs.yml", "--vault-password-file", password)["dcs"]["hosts"]) == 5


def test_a_profile_file_beside_the_inventory_wherever_ansible_is_started(bare, sim):
    profile = f"[night]\nak = {sim.access_key}\nsk = {sim.secret_key}\n"
    bare.write("inventories/profiles/credentials", profile)
    content = {**DCS, "region": sim.region, "auth_method": "profile", "profile": "night"}
    bare.write("inventories/dcs.yml", {**content, "profile_file": "profiles/credentials"})
    assert len(bare.list("-i", "inventories/dcs.yml")["dcs"]["hosts"]) == 5
    assert "profiles/nothing" in bare.fails({**content, "profile_file": "profiles/nothing"}, name="inventories/dcs.yml")


def test_documentation_has_the_options_of_the_modules(tmp_path):
    names = [f"hwcloud.maintenance.{name}" for name in ("dcs", "dds")]
    run = subprocess.run(
        [BIN / "ansible-doc", "--json", "--type", "inventory", *names],
        env=clean_environment(HOME=str(tmp_path), LC_ALL="C.UTF-8", ANSIBLE_NOCOLOR="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, b"")
    arguments = utility("plugin_utils._inventory").ARGUMENTS
    of_ansible = {"strict", "compose", "groups", "keyed_groups", "use_extra_vars", "leading_separator", "cache"}
    of_ansible |= {"cache_plugin", "cache_timeout", "cache_connection", "cache_prefix"}
    for name, found in json.loads(run.stdout).items():
        options = found["doc"]["options"]
        assert options.keys() == {"plugin", "projects", "group", "hostnames", *arguments, *of_ansible}
        for option, spec in arguments.items():
            assert options[option]["type"] == spec["type"], option
            assert options[option].get("default") == spec.get("default"), option
            assert options[option].get("choices") == spec.get("choices"), option
            inner = {key: value["type"] for key, value in spec.get("options", {}).items()}
            assert {key: value["type"] for key, value in options[option].get("suboptions", {}).items()} == inner
        assert options["plugin"]["choices"] == [name]


# --- Bad input -------------------------------------------------------------------------------------------------------

BAD = {
    "unknown option": ({"filter": {}}, "There is no option 'filter'; see ansible-doc"),
    "unknown filter": ({"filters": {"name": ["x"]}}, "filters.name"),
    "filters": ({"filters": ["x"]}, "filters must be a dictionary."),
    "id": ({"filters": {"ids": ["redis-cart-prod"]}}, "filters.ids must be"),
    "tags": ({"filters": {"tags": {"a": True}}}, "filters.tags must be"),
    "type": ({"connect_timeout": "long"}, "connect_timeout"),
    "list": ({"region": ["x"]}, "region must be one value"),
    "range": ({"retries": 99}, "retries must be a whole number from 0 to 20; got 99."),
    "choice": ({"auth_method": "charm"}, "auth_method must be one of"),
    "region": ({"region": "X"}, "region must consist of"),
    "endpoint": ({"endpoints": {"dcs": "http://example.com"}}, "endpoints.dcs must use https"),
    "half a key": ({"access_key": "x"}, "secret_key"),
    "projects": ({"projects": {"region": "x"}}, "projects must be a list of dictionaries"),
    "in a project": ({"projects": [{}, {"region": "X"}]}, "Project 2 of the file: region must consist of"),
    "exclude_filters": ({"exclude_filters": {}}, "exclude_filters must be a list of dictionaries"),
    "exclude_filters of text": ({"exclude_filters": ["x"]}, "exclude_filters must be a list of dictionaries"),
    "nothing to exclude": ({"exclude_filters": [{"names": ["x"]}, {}]}, "exclude_filters must not hold an empty"),
    "an empty exclusion": ({"exclude_filters": [{"names": None}]}, "exclude_filters must not hold an empty"),
    "an unknown exclusion": ({"exclude_filters": [{"name": ["x"]}]}, "exclude_filters"),
    "an id to exclude": ({"exclude_filters": [{"ids": ["cart"]}]}, "exclude_filters.ids must be"),
    "group": ({"group": "a-b"}, "group must be the name of a group"),
    "group of a project": ({"projects": [{"group": "x"}]}, "Project 1 of the file: a project cannot have the option"),
    "hostnames": ({"hostnames": "dcs_name"}, "hostnames must be a list of Jinja expressions"),
    "option of a project": ({"projects": [{"cache": True}]}, "Project 1 of the file: a project cannot have the option"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_before_any_request(ansible, sim, case):
    content, expected = BAD[case]
    text = ansible.fails({**DCS, **content})
    assert expected in text
    assert "unexpected error" not in text
    assert "Traceback" not in text
    assert sim.journal() == []


def test_files_with_other_names_are_left_to_others(ansible):
    text = ansible.fails(DCS, name="redis.yml")
    assert "could not be verified by inventory plugin" in text


def test_no_credentials_and_no_region(bare, sim):
    assert "No credentials were given" in bare.fails({**DCS, "region": sim.region})
    assert "region is missing" in bare.fails({**DCS, "access_key": "x", "secret_key": "y"})


def test_a_missing_library_is_named(ansible):
    ansible.write("hidden/requests/__init__.py", "raise ImportError('No module named requests', name='requests')\n")
    text = ansible.fails(DCS, PYTHONPATH=str(ansible.folder / "hidden"))
    assert "Failed to import the required Python library (requests)" in text


# --- Secrets ---------------------------------------------------------------------------------------------------------

SENTINEL = "SENTINEL-Secret-of-an-inventory-000001"


@pytest.mark.parametrize(
    "options",
    [
        {"access_key": "x", "secret_key": SENTINEL},
        {"auth_token": SENTINEL},
        {"username": "x", "password": SENTINEL, "domain_name": "x"},
        {"access_key": "x", "secret_key": [SENTINEL]},
        {"access_key": "x", "secret_key": "y", "proxy": f"http://user:{SENTINEL}@"},
        {"projects": [{}, {"access_key": "x", "secret_key": SENTINEL}]},
    ],
)
def test_no_secret_in_failures_at_any_verbosity(ansible, sim, options):
    echo = {"status": 400, "body": {"error_code": "X", "error_msg": f"You sent {SENTINEL}"}}
    operations = ("ListInstances", "KeystoneListProjects", "KeystoneCreateUserTokenByPassword")
    sim.faults([{"operation": operation, "times": None, "fault": echo} for operation in operations])
    text = ansible.fails({**DCS, **options}, "-vvvv")
    assert SENTINEL not in text
    assert "unexpected error" not in text


# --- The cache -------------------------------------------------------------------------------------------------------

CACHE = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": "kept"}


def counted(ansible, sim, content, *options, **environ):
    """How many requests a run costs."""
    before = len(sim.journal())
    ansible.list("-i", ansible.write("dcs.yml", {**DCS, **CACHE, **content}), *options, **environ)
    return len(sim.journal()) - before


def test_a_second_run_takes_all_from_the_cache(ansible, sim):
    first = ansible.hosts({**DCS, **CACHE})
    assert len(sim.journal()) == LISTING
    assert ansible.hosts({**DCS, **CACHE}) == first
    assert list(ansible.hosts({**DCS, **CACHE, "compose": {"x": "dcs_name"}})) == list(first)
    assert len(sim.journal()) == LISTING
    assert messages(ansible.play("dcs.yml", [debug("{{ dcs_name }}")], "--flush-cache")).keys() == first.keys()
    assert len(sim.journal()) == 2 * LISTING
    assert counted(ansible, sim, {"cache": False}) == LISTING
    files = list((ansible.folder / "kept").iterdir())
    assert len(files) == 1
    text = files[0].name + files[0].read_text(encoding="utf-8")
    assert sim.secret_key not in text
    assert "redis-cart-prod" in text


def test_a_damaged_cache_is_no_cache(ansible, sim):
    assert counted(ansible, sim, {}) == LISTING
    (file,) = (ansible.folder / "kept").iterdir()
    file.write_text("{", encoding="utf-8")
    run = ansible.run("ansible-inventory", "--graph", "-i", "dcs.yml")
    assert "redis-cart-prod" in run.stdout
    assert len(sim.journal()) == 2 * LISTING


def test_other_accounts_regions_projects_and_filters_have_entries_of_their_own(ansible, sim):
    auditor = {"access_key": "SIMULATORACCESSKEY02", "secret_key": "simulator-secret-key-for-loopback-only-02"}
    second = sim.projects[1]
    ansible.environ.update(endpoints(sim, "other-region"))
    assert counted(ansible, sim, {}) == LISTING
    for content in (
        auditor,
        {"region": "other-region"},
        {"project_id": second},
        {"filters": {"names": ["*-prod"]}},
        {"filters": {"names": []}, "projects": [{"filters": {"names": ["*-prod"]}}, {"filters": {"names": ["x*"]}}]},
    ):
        assert counted(ansible, sim, content) > 0
        assert counted(ansible, sim, content) == 0
    assert counted(ansible, sim, {}) == 0


def test_what_tells_listings_apart_holds_no_secret(sim, monkeypatch):
    for name in clean_environment():
        monkeypatch.setenv(name, clean_environment()[name])
    module = utility("plugin_utils._inventory")
    connection = utility("module_utils._module").Connection
    validator = module.ArgumentSpecValidator(module.ARGUMENTS)
    plugin = utility("inventory.dcs").InventoryModule
    seen = []
    for given in (
        {"access_key": "a", "secret_key": SENTINEL, "security_token": SENTINEL},
        {"access_key": "b", "secret_key": SENTINEL},
        {"username": "a", "password": SENTINEL, "domain_name": "x"},
        {"username": "a", "password": SENTINEL, "domain_name": "y"},
        {"auth_token": SENTINEL},
        {"auth_token": SENTINEL + "2"},
        {"auth_token": SENTINEL, "project_id": "a" * 32},
        {"auth_method": "machine"},
        {"access_key": "a", "secret_key": "x", "agency_name": "n", "agency_domain_name": "x"},
        {"access_key": "a", "secret_key": "x", "agency_name": "n", "agency_domain_name": "y"},
        {"access_key": "a", "secret_key": "x", "proxy": f"http://x:{SENTINEL}@proxy:1", "cloud": "example.com"},
    ):
        options = validator.validate({"region": sim.region, **given}).validated_parameters
        options.pop("filters", None)
        made = connection(options, str, str)
        seen.append(json.dumps(plugin._identity(plugin, options, made), sort_keys=True))
    assert len(set(seen)) == len(seen)
    assert SENTINEL not in "".join(seen)


def test_refresh_inventory_asks_again(ansible, sim):
    ansible.write("dcs.yml", {**DCS, **CACHE})
    show = {"name": "Count", "ansible.builtin.debug": {"msg": "{{ groups.dcs | length }}"}, "run_once": True}
    refresh = {"name": "Ask again", "ansible.builtin.meta": "refresh_inventory"}
    play = {"name": "Refresh", "hosts": "dcs", "gather_facts": False, "tasks": [show, refresh]}
    # The second run begins with what the first one kept.
    for listings in (2, 3):
        assert ansible.play("dcs.yml", [play]).returncode == 0
        assert len(sim.journal()) == listings * LISTING


def test_variables_of_the_modules_count(bare, sim):
    """The environment signs in as it does for modules; nonsense in it is an error."""
    environ = signed_in_environment(sim)
    bare.environ.update(environ)
    assert len(bare.hosts(DCS)) == 5
    assert "deadline" in bare.fails(DCS, HWCLOUD_DEADLINE="soon")


def test_nothing_of_the_inventory_travels_with_a_task():
    folder = Path(__file__).parents[2] / "plugins"
    sent = [*(folder / "module_utils").rglob("*.py"), *(folder / "modules").rglob("*.py")]
    assert [path.name for path in sent if "plugin_utils" in path.read_text(encoding="utf-8")] == []
