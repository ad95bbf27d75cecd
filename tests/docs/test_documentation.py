# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is documented is so: every example runs, every return value is seen, every option and variable is read."""

from __future__ import annotations

import ast
import functools
import importlib
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import signed_in
from tests.harness.modules import COLLECTION, clean_environment, run_module
from tests.harness.playbooks import BIN, local_play, run_playbook

ROOT = Path(__file__).parents[2]
PLUGINS = ROOT / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("[a-z]*.py"))
PREFIX = "hwcloud.maintenance."
#: Its examples sign in by themselves, in test_guide.py.
GUIDE = ROOT / "docs" / "sign_in.md"

SESSIONS = "2f55a1c6-d0bf-a848-7c47-5bdf79903d32"
WAITING = "24401d1dc583dc828e8e3c005aaad020"
CART = "e42ed27a-22e9-2376-3999-92a0db414119"
EXPORTING = "90e1c9d28554b1c9d30308b41f90ee27"
NO_TASK = "0" * 32
NO_INSTANCE = "00000000-0000-4000-8000-000000000000"
#: One request after the other, where it matters which was the first.
IN_TURN = {"max_concurrency": 1}
ENDED = ["fe0695500548c654e67d811fb57a9792", "b4bb168d64bb67ecd958a5b5c4a64809", "9f2d3c453e7fc7849c64855e1c73fdb0"]
PENDING = ["83717e93-eb0c-81dc-8119-499a03290d3d", "15c5cef5-184e-941f-5a7d-875b550e998e"]
RUNNING = "e2fe59c8-59f8-598a-ee2d-765a476ca87e"
NO_JOB = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="session")
def documented(tmp_path_factory):
    """What ansible-doc says about each module, fragments included."""
    run = subprocess.run(
        [BIN / "ansible-doc", "--json", "--type", "module", *(PREFIX + name for name in MODULES)],
        env=clean_environment(HOME=str(tmp_path_factory.mktemp("home")), LC_ALL="C.UTF-8", ANSIBLE_NOCOLOR="1"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr.decode()
    found = json.loads(run.stdout)
    return {name: found[PREFIX + name] for name in MODULES}


def code_of(name):
    return importlib.import_module(f"{COLLECTION}.modules.{name}")


def utility(name):
    return importlib.import_module(f"{COLLECTION}.module_utils.{name}")


def argument_spec(name):
    return {**utility("_module").COMMON_ARGUMENTS, **code_of(name).ARGUMENTS}


# --- Options ---------------------------------------------------------------------------------------------------------


def facts(options, suboptions):
    """What a table of options says, in one form for documentation and argument spec."""
    return {
        name: {
            "type": option.get("type", "str"),
            "elements": option.get("elements"),
            "required": option.get("required", False),
            "default": option.get("default"),
            "choices": list(option["choices"]) if option.get("choices") else None,
            "aliases": sorted(option.get("aliases", [])),
            suboptions: facts(option[inner], inner) if (inner := suboptions) in option else None,
        }
        for name, option in options.items()
    }


@pytest.mark.parametrize("name", MODULES)
def test_options_are_the_same_in_documentation_and_code(documented, name):
    written = facts(documented[name]["doc"]["options"], "suboptions")
    real = facts(argument_spec(name), "options")
    for option in real.values():
        option["suboptions"] = option.pop("options")
    for option in [*written.values(), *real.values()]:
        for inner in (option["suboptions"] or {}).values():
            inner.pop("suboptions", None)
            inner.pop("options", None)
    assert written.keys() == real.keys()
    for option, expected in real.items():
        assert written[option] == expected, option


@pytest.mark.parametrize("name", MODULES)
def test_secrets_are_no_log_and_nothing_else_is(name):
    hidden = {option for option, spec in argument_spec(name).items() if spec.get("no_log")}
    assert hidden == {*utility("_credentials").SECRETS, "proxy"}


@functools.cache
def read_names(path):
    """The names of options that a file reads: options["x"], options.get("x"), check_ids("x"), setting("x", …)."""
    found = set()
    readers = {"check_id", "check_optional_id", "check_ids", "check_words", "moment", "setting", "parse_age"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            owner = node.value
            if (isinstance(owner, ast.Attribute) and owner.attr == "options") or (
                isinstance(owner, ast.Name) and owner.id in ("options", "settings")
            ):
                found.add(node.slice.value)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func
            called_name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            owner = called.value if isinstance(called, ast.Attribute) and called_name == "get" else None
            of_options = getattr(owner, "attr", getattr(owner, "id", None)) == "options"
            if called_name in readers or of_options:
                found.add(node.args[0].value)
    return found


@pytest.mark.parametrize("name", MODULES)
def test_every_option_is_read_by_the_code(name):
    read = read_names(PLUGINS / "modules" / f"{name}.py")
    files = ["_module", "_credentials", *(["_instances"] if name.endswith("_instance_info") else [])]
    read = read.union(*(read_names(PLUGINS / "module_utils" / f"{file}.py") for file in files))
    # These are read by the names in tables: the credentials, the settings, and what is handed over to the client.
    read |= {option for way in utility("_credentials")._WAYS.values() for part in way for option in part}
    read |= set(utility("_credentials").SETTINGS) | set(utility("_http").HttpOptions._fields)
    for option, spec in argument_spec(name).items():
        # An option that can only have one value says something to the reader, and nothing to the code.
        assert option in read or len(spec.get("choices", [])) == 1, option
    assert set(argument_spec(name)["endpoints"]["options"]) == {*utility("_endpoints").SERVICES, "metadata"}


# --- Environment variables -------------------------------------------------------------------------------------------

VARIABLE = re.compile(
    r"(?:HW|HWCLOUD|OS|HUAWEICLOUD)_[A-Z0-9_]*[A-Z0-9]|(?:HTTPS|ALL|NO)_PROXY|(?:https|all|no)_proxy|REQUESTS_CA_BUNDLE"
)
#: What begins with this has a service and a region at its end.
OF_SERVICE = "HUAWEICLOUD_SDK_REGION_"
#: Options whose variables are not in a table of the code.
ELSEWHERE = {
    "profile": {"HW_PROFILE", "OS_CLOUD"},
    "profile_file": {"HUAWEICLOUD_SDK_CREDENTIALS_FILE", "HW_SHARED_CONFIG_FILE", "OS_CLIENT_CONFIG_FILE"},
    "validate_certs": {"HW_INSECURE", "OS_INSECURE"},
}
OF_IAM = {"HUAWEICLOUD_SDK_IAM_ENDPOINT", "HW_AUTH_URL", "OS_AUTH_URL"}


def text_of(option):
    description = option["description"]
    return " ".join([description] if isinstance(description, str) else description)


def variables_in(option):
    return {name for name in re.findall(r"E\(([^)]+)\)", text_of(option)) if VARIABLE.fullmatch(name)}


def variables_read():
    """Option to the variables that stand in for it, from the tables that the code uses."""
    credentials = utility("_credentials")
    found = {option: set(names) for option, names in [*ELSEWHERE.items(), *credentials.SETTINGS.items()]}
    for _family, variables in credentials.ENVIRONMENT:
        for option, names in variables.items():
            found.setdefault(option, set()).update(names)
    for option, spec in utility("_module").COMMON_ARGUMENTS.items():
        if "fallback" in spec:
            found.setdefault(option, set()).update(spec["fallback"][1])
    return found


@functools.cache
def strings_of_code():
    """Every piece of text in the code that the modules share."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (PLUGINS / "module_utils").glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {node.value for node in nodes if isinstance(node.value, str)}


@pytest.mark.parametrize("name", MODULES)
def test_variables_are_documented_at_the_option_that_they_stand_in_for(documented, name):
    options = documented[name]["doc"]["options"]
    written = {option: variables_in(entry) for option, entry in options.items() if variables_in(entry)}
    assert written == variables_read()


@pytest.mark.parametrize("name", MODULES)
def test_every_variable_is_in_the_documentation_and_in_the_code(documented, name):
    # An option may have the name of a variable.
    in_code = {text for text in strings_of_code() if VARIABLE.fullmatch(text)}
    assert OF_SERVICE in strings_of_code()
    options = documented[name]["doc"]["options"]
    endpoints = options["endpoints"]["suboptions"]
    assert variables_in(endpoints["iam"]) == OF_IAM
    in_documentation = set().union(*map(variables_in, [*options.values(), *endpoints.values()]))
    assert in_documentation == in_code
    for service in utility("_endpoints").SERVICES:
        assert f"{OF_SERVICE}{service.upper()}_REGION" in text_of(endpoints[service])


# --- Attributes and the action group ---------------------------------------------------------------------------------


def test_every_module_is_in_the_action_group_and_nothing_else_is():
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["hwcloud"] == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_the_attributes(documented, name):
    attributes = documented[name]["doc"]["attributes"]
    assert set(attributes) == {"action_group", "check_mode", "diff_mode", "idempotent", "platform"}
    assert attributes["action_group"]["membership"] == [f"{PREFIX}hwcloud"]
    assert attributes["check_mode"]["support"] == "full"
    assert attributes["diff_mode"]["support"] == ("N/A" if name.endswith("_info") else "full")


# --- Return values ---------------------------------------------------------------------------------------------------

TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool, "list": list, "dict": dict}
#: What ansible-core itself adds, or documents for every module.
OF_ANSIBLE = {"changed", "failed", "msg", "diff", "warnings", "deprecations", "exception"}


def is_a(value, kind):
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, TYPES[kind])


def walk(entries, path=""):
    """Every documented return value with its path."""
    for key, entry in entries.items():
        yield f"{path}{key}", entry
        yield from walk(entry.get("contains") or {}, f"{path}{key}.")


@pytest.mark.parametrize("name", MODULES)
def test_samples_are_of_the_documented_type(documented, name):
    for path, entry in walk(documented[name]["return"]):
        assert entry.get("type") in TYPES, path
        assert entry.get("description"), path
        assert entry.get("returned"), path
        if "contains" in entry:
            assert entry["type"] == "dict" or entry.get("elements") == "dict", path
        else:
            assert "sample" in entry, path
        if "sample" in entry:
            assert is_a(entry["sample"], entry["type"]), path
            if entry["type"] == "list":
                assert entry.get("elements") in TYPES, path
                assert all(is_a(element, entry["elements"]) for element in entry["sample"]), path


def compare(value, entry, path, seen):
    """Compare a real value with its documentation; yields what is wrong."""
    seen.add(path)
    if value is None:
        # Which parts of a failure are known depends on where it came from.
        if "null" not in text_of(entry) and not path.startswith("failure."):
            yield f"{path} is null, which is not documented"
        return
    if not is_a(value, entry["type"]):
        yield f"{path} is {value!r}, which is no {entry['type']}"
        return
    for element in value if isinstance(value, list) else [value]:
        if isinstance(value, list) and not is_a(element, entry["elements"]):
            yield f"{path} has {element!r}, which is no {entry['elements']}"
        elif "contains" in entry:
            for key, inner in element.items():
                if key not in entry["contains"]:
                    yield f"{path}.{key} is not documented"
                else:
                    yield from compare(inner, entry["contains"][key], f"{path}.{key}", seen)


BUSY = {"status": 503}
REFUSED = {"status": 400, "body": {"error_code": "DCS.4026", "error_msg": "not now"}}
DENIED = {"status": 403, "body": {"error_code": "DCS.2007", "error_msg": "no"}}


def faulty(operation, fault, **rule):
    return [{"operation": operation, "fault": fault, **rule}]


LOST_DELETION = faulty("DeleteBackgroundTask", "drop_after")

#: For each module: options, then fault rules or None. Between them they show everything that a result can hold.
STATES = {
    "dcs_task_info": [
        ({"instances": "all"}, None),
        ({}, None),
        ({"instances": [SESSIONS], "phases": []}, None),
        ({"instances": [SESSIONS]}, faulty("ListBackgroundTask", BUSY)),
        ({"instances": [SESSIONS]}, faulty("ListBackgroundTask", DENIED)),
        ({"instances": [CART], "include_progress": True}, None),
        ({"instances": [SESSIONS, NO_INSTANCE, CART], "max_failures": 1, **IN_TURN}, None),
        ({"instances": "all", "older_than": "1h", "keep_last": 1, "max_results": 2}, None),
        ({"region": "x/"}, None),
    ],
    "dcs_task": [
        ({"instance": SESSIONS, "task_ids": [*ENDED, NO_TASK], "state": "absent"}, None),
        ({"task_ids": ENDED[:1], "state": "absent"}, None),
        (
            {"instance": SESSIONS, "task_ids": ENDED, "state": "absent", "retries": 0},
            faulty("DeleteBackgroundTask", DENIED, skip=1),
        ),
        ({"instance": SESSIONS, "task_ids": ENDED, "state": "absent"}, faulty("DeleteBackgroundTask", REFUSED)),
        ({"instance": SESSIONS, "task_ids": [WAITING], "state": "absent"}, None),
        ({"instance": SESSIONS, "task_ids": [WAITING], "state": "finished", "wait_timeout": 0}, None),
        ({"instance": CART, "task_ids": [EXPORTING, NO_TASK], "state": "finished", "wait_timeout": 0}, None),
        ({"instance": CART, "task_ids": [NO_TASK], "state": "finished"}, None),
        ({"instance": CART, "task_ids": [NO_TASK], "state": "finished", "missing_ok": True}, None),
        ({"instance": SESSIONS, "task_ids": ENDED, "state": "absent", "retries": 0}, LOST_DELETION),
        ({"instance": SESSIONS, "task_ids": ENDED, "state": "finished"}, faulty("ListBackgroundTask", BUSY)),
        ({"instance": "nothing", "task_ids": ENDED, "state": "finished"}, None),
        ({"instances": "all", "phases": "succeeded", "keep_last": 1, "state": "absent"}, None),
        ({"instances": [SESSIONS, NO_INSTANCE], "names": ["EXTEND"], "state": "finished", "wait_timeout": 0}, None),
        (
            {"instances": [SESSIONS, NO_INSTANCE, CART], "phases": [], "older_than": "1d", "state": "absent"},
            None,
        ),
        (
            {"instances": [NO_INSTANCE, CART], "phases": ["failed"], "state": "absent", "max_failures": 1, **IN_TURN},
            None,
        ),
    ],
    "dcs_resize_cancel": [
        ({"instance": SESSIONS}, None),
        ({"instance": "redis-queue-prod"}, None),
        ({"instance": SESSIONS, "task_id": "8f8fc9b624243d1fe5d9598f5cac1b43"}, None),
        ({"instance": SESSIONS}, faulty("CancelInstanceResize", REFUSED)),
        ({"instance": SESSIONS}, faulty("CancelInstanceResize", "drop_after")),
        ({"instance": SESSIONS}, faulty("ListBackgroundTask", BUSY)),
        ({"instance": "nothing"}, None),
    ],
    "dcs_instance_info": [
        ({}, None),
        ({"names": ["redis-*-prod"], "tags": {"team": None}, "statuses": ["RUNNING"], "engines": ["Redis"]}, None),
        ({"ids": []}, None),
        ({}, faulty("ListInstances", BUSY)),
        ({}, faulty("ListInstances", DENIED)),
        ({"ids": ["redis-cart-prod"]}, None),
    ],
    "dds_instance_info": [
        ({}, None),
        ({"ids": []}, None),
        ({}, faulty("ListInstances", BUSY)),
        ({}, faulty("ListInstances", DENIED)),
        ({"tags": {"": "x"}}, None),
    ],
    "dds_scheduled_job_info": [
        ({}, None),
        ({"job_ids": []}, None),
        ({}, faulty("ListScheduledTasks", BUSY)),
        ({}, faulty("ListScheduledTasks", DENIED)),
        ({"lookback": "x"}, None),
    ],
    "dds_scheduled_job": [
        ({"job_ids": [*PENDING, "5d79a513-49d4-b8ea-7629-a162aa05c0b0"]}, None),
        ({"job_ids": [*PENDING, RUNNING, NO_JOB]}, None),
        ({"job_ids": PENDING}, faulty("CancelScheduledTask", DENIED)),
        ({"job_ids": PENDING, "retries": 0}, faulty("CancelScheduledTask", "drop_after")),
        ({"job_ids": PENDING}, faulty("CancelScheduledTask", REFUSED)),
        ({"job_ids": PENDING}, faulty("ListScheduledTasks", BUSY)),
        ({"job_ids": []}, None),
        ({"instance": "nothing"}, None),
        ({"all_pending": True}, None),
        ({"job_names": ["REBOOT"], "max_failures": 1}, None),
        ({"instances": ["dds-catalogue-prod", "nothing"]}, None),
        ({"all_pending": True, "max_failures": 1, "max_concurrency": 1}, faulty("CancelScheduledTask", REFUSED)),
    ],
}


@pytest.mark.parametrize("name", MODULES)
def test_return_values_are_those_of_real_results(documented, sim, no_backoff, short_doubt, name):
    entries = documented[name]["return"]
    seen: set[str] = set()
    wrong = []
    failed = 0
    for options, rules in STATES[name]:
        for check_mode in (True, False):
            sim.reset("maintenance")
            sim.faults(rules or [])
            result = run_module(name, {**signed_in(sim), **options}, check_mode=check_mode)
            failed += bool(result.get("failed"))
            for key, value in result.items():
                if key in entries:
                    wrong += compare(value, entries[key], key, seen)
                elif key not in OF_ANSIBLE:
                    wrong.append(f"{key} is not documented")
    assert sorted(set(wrong)) == []
    assert {path for path, _unused in walk(entries)} - seen == set(), "documented, but never seen"
    assert 0 < failed < 2 * len(STATES[name])


@pytest.mark.parametrize("name", MODULES)
def test_what_is_always_returned_is_in_every_result(documented, sim, name):
    entries = documented[name]["return"]
    always = {key for key, entry in entries.items() if entry["returned"].startswith("always")}
    always |= {key for key, entry in entries.items() if entry["returned"] == "success"}
    result = run_module(name, {**signed_in(sim), **STATES[name][0][0]})
    assert "failed" not in result
    assert always <= set(result)
    assert "failure" not in result


# --- Examples --------------------------------------------------------------------------------------------------------


def stage(sim):
    """A spec change waits on each instance that the examples name."""
    added = {"name": "EXTEND", "status": "CREATED", "created_ago": "1h"}
    sim.patch({"task": "f" * 32, "instance": CART, "add": added})


#: How many tasks change something in the examples of each module.
CHANGES = {"dcs_task": 2, "dcs_resize_cancel": 2, "dds_scheduled_job": 5}
#: Where examples begin anew: what the first one calls off, the second one could not find.
PARTS = {"dcs_resize_cancel": 1, "dds_scheduled_job": 4}


@pytest.mark.parametrize("name", MODULES)
def test_every_example_runs(documented, sim, play, name):
    tasks = yaml.safe_load(documented[name]["examples"])
    assert all(task.get("name") for task in tasks)
    cut = PARTS.get(name, len(tasks))
    changed, found = [], []
    for part in filter(None, (tasks[:cut], tasks[cut:])):
        sim.reset("maintenance")
        stage(sim)
        run = play(part)
        assert run.returncode == 0, run.output
        assert "[WARNING]" not in run.output
        assert {entry["status"] for entry in run.results} == {"ok"}, run.output
        changed += [entry["task"] for entry in run.results if entry["result"].get("changed")]
        found += [entry["result"] for entry in run.results if entry["action"].endswith("_info")]
    assert len(changed) == CHANGES.get(name, 0), changed
    assert set(changed) <= {task["name"] for task in tasks if f"{PREFIX}{name}" in task}
    # Examples that find nothing show nothing.
    assert not found or any(result["summary"]["total"] for result in found)


BLOCK = re.compile(r"(?P<before>[^\n]*\n\s*)?^```ya?ml\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: .+ -->")


def blocks():
    """The YAML examples of the pages, and whether each is to run."""
    for page in [ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {GUIDE})]:
        for match in BLOCK.finditer(page.read_text(encoding="utf-8")):
            run = not NOT_RUN.search(match["before"] or "")
            yield f"{page.relative_to(ROOT)}: {match['text'][:60]!r}", yaml.safe_load(match["text"]), run


def as_plays(content, defaults):
    """Plays of a list of plays or of tasks, signed in; None for anything else."""
    if not (isinstance(content, list) and content and all(isinstance(entry, dict) for entry in content)):
        return None
    if not any("hosts" in entry for entry in content):
        tasks = all(len(set(entry) - {"name", "register", "loop", "when", "vars", "loop_control"}) for entry in content)
        return [local_play(content, defaults)] if tasks else None
    plays = []
    for entry in content:
        here = {"hosts": "localhost", "connection": "local"} if "hosts" in entry else {}
        groups = {**(entry.get("module_defaults") or {})}
        groups["group/hwcloud.maintenance.hwcloud"] = {
            **groups.get("group/hwcloud.maintenance.hwcloud", {}),
            **defaults,
        }
        plays.append({**entry, **here, "module_defaults": groups})
    return plays


def test_every_yaml_example_of_the_pages_is_yaml_and_runs(sim, tmp_path):
    for number, (where, content, run_it) in enumerate(blocks()):
        plays = as_plays(content, signed_in(sim)) if run_it else None
        if plays is None:
            continue
        sim.reset("maintenance")
        stage(sim)
        folder = tmp_path / str(number)
        folder.mkdir()
        run = run_playbook(folder, plays)
        assert run.returncode == 0, f"{where}\n{run.output}"
        assert run.results, where


def test_blocks_of_a_page_are_found_and_told_apart():
    page = "text\n\n```yaml\n- a: 1\n```\n\n<!-- not run: needs a cloud -->\n\n```yaml\n- b: 2\n```\n"
    found = [(match["text"], bool(NOT_RUN.search(match["before"] or ""))) for match in BLOCK.finditer(page)]
    assert found == [("- a: 1\n", False), ("- b: 2\n", True)]
    assert as_plays({"a": 1}, {}) is None
    assert as_plays([{"hosts": "all", "tasks": []}], {})[0]["hosts"] == "localhost"
    assert as_plays([{"name": "x", "debug": {}}], {})[0]["tasks"] == [{"name": "x", "debug": {}}]
