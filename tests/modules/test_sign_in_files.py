# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profile files that cannot be used, each told as what it is; and what a profile says besides credentials."""

from __future__ import annotations

import itertools
import json
import os
import time
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest
import yaml

from tests.harness.certificates import Certificates
from tests.harness.playbooks import local_play, run_playbook
from tests.harness.profiles import (
    CLOUDS_PATH,
    KOOCLI_PATH,
    SDK_PATH,
    Home,
    cloud_entry,
    koocli_profile,
)
from tests.harness.rows import in_rows
from tests.harness.sources import (
    JOBS,
    PROJECTS,
    SENTINEL,
    SIGN_IN,
    SOURCES,
    Task,
    check,
    right,
    wrong,
)
from tests.unit.loopback import Loopback, answer

# --- Files that cannot be used ---------------------------------------------------------------------------------------

METHOD_FILES = {"profile": SDK_PATH, "koocli": KOOCLI_PATH, "clouds_yaml": CLOUDS_PATH}
SECRETS = ("auth_token", "secret_key", "security_token", "password")
PROFILE_OF = {"profile": "basic", "koocli": "default", "clouds_yaml": "simulated"}


class Broken(NamedTuple):
    """A file that cannot be used: its content, the line that is to blame where it can be known, and what is said."""

    content: bytes
    line: int | None = None
    words: tuple[str, ...] = ()
    #: Whether the profile is known when the mistake is found.
    names_profile: bool = True


def broken(text: str, line: int | None = None, *words: str, names_profile: bool = True) -> Broken:
    return Broken(text.encode(), line, words, names_profile)


def in_koocli(**fields: Any) -> str:
    """A KooCLI file with these fields in its one profile, one key on each line."""
    profile = {**koocli_profile({"access_key": "A" * 20, "secret_key": SENTINEL}), **fields}
    return json.dumps({"authEncrypt": "false", "current": "default", "profiles": [profile]}, indent=1)


def in_cloud(**fields: Any) -> str:
    """A clouds.yaml with these fields in C(auth) of its one entry."""
    auth = {"username": "u", "password": SENTINEL, "user_domain_name": "d", **fields}
    return yaml.safe_dump({"clouds": {"simulated": {"auth": auth}}}, sort_keys=False)


def line_of(text: str, word: str) -> int:
    """The number of the line on which a word stands first."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if word in line)


def wrong_kinds(write: Callable[..., str], keys: tuple[str, ...]) -> dict[str, Broken]:
    """Files in which the value of a key is no text."""
    values = {"a number": 5, "null": None, "a list": [SENTINEL], "a mapping": {"x": SENTINEL}, "a truth": True}
    found = {}
    for key, (name, value) in itertools.product(keys, values.items()):
        text = write(**{key: value})
        found[f"{key} is {name}"] = broken(text, line_of(text, key), key)
    return found


DEEP = 100_000
#: Names of things that Python's YAML reader would make if it were let.
PYTHON_TAGS = [
    '!!python/object/apply:os.system ["touch made-by-a-tag"]',
    '!!python/object/new:os.system ["touch made-by-a-tag"]',
    "!!python/name:os.system",
    "!!python/module:os",
    '!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ["made-by-a-tag"]]',
    "!unknown x",
]
BROKEN: dict[str, dict[str, Broken]] = {
    "profile": {
        "no section at all": broken(f"ak = A\nsk = {SENTINEL}\n", 1),
        "a line without a value": broken(f"[basic]\nak = A\nsk {SENTINEL}\n", 3),
        "a section twice": broken(f"[basic]\nak = A\nsk = {SENTINEL}\n\n[basic]\nak = B\n", 5),
        "a key twice": broken(f"[basic]\nak = A\nsk = {SENTINEL}\nsk = {SENTINEL}2\n", 4),
        "an open bracket": broken(f"[basic\nak = A\nsk = {SENTINEL}\n", 1),
        "only another section": broken(f"[global]\nak = A\nsk = {SENTINEL}\n", None, "section", "basic"),
        "only the section of defaults": broken(f"[DEFAULT]\nak = A\nsk = {SENTINEL}\n", None, "section", "basic"),
        "nothing": broken("", None, "section", "basic"),
    },
    "koocli": {
        "nothing": broken("", 1, names_profile=False),
        "half of it": broken(in_koocli()[:-4].rstrip(), len(in_koocli().splitlines()) - 2, "JSON", names_profile=False),
        "a comma too few": broken('{"current": "default"\n"profiles": []}', 2, "JSON", names_profile=False),
        "a text without quotes": broken(f'{{"current": "default",\n"x": {SENTINEL}}}', 2, names_profile=False),
        "a number that is too long": broken(f'{{"current": {"1" * 5000}}}', names_profile=False),
        "very deep": broken("[" * DEEP, names_profile=False),
        "very deep, closed": broken("[" * DEEP + "]" * DEEP, names_profile=False),
        **{
            f"{name} as a whole": broken(json.dumps(value), None, "mapping", names_profile=False)
            for name, value in {"list": [SENTINEL], "null": None, "text": SENTINEL, "number": 5}.items()
        },
        **{
            f"current is {name}": broken(
                json.dumps({"current": value, "profiles": []}), None, "current", names_profile=False
            )
            for name, value in {"a list": [SENTINEL], "null": None, "a number": 5, "empty": ""}.items()
        },
        **{
            f"profiles is {name}": broken(
                json.dumps({"current": "default", "profiles": value}, indent=1), 3, "profiles"
            )
            for name, value in {
                "a mapping": {"default": {"accessKeyId": SENTINEL}},
                "null": None,
                "a text": SENTINEL,
                "a number": 5,
            }.items()
        },
        "no profiles": broken('{"current": "default"}', None, "profiles"),
        "no such profile": broken('{"current": "default", "profiles": [{"name": "x"}]}', None, "no such profile"),
        "profiles of wrong kinds": broken(
            json.dumps({"current": "default", "profiles": [None, [], SENTINEL, 5, {"name": ["default"]}]}),
            None,
            "no such profile",
        ),
        **wrong_kinds(in_koocli, ("accessKeyId", "secretAccessKey", "securityToken", "region", "projectId")),
        **wrong_kinds(in_koocli, ("agencyName", "agencyDomainName", "agencyDomainId")),
        **{
            f"ssoAuth is {name}": broken(in_koocli(mode="SSO", ssoAuth=value), None, "ssoAuth")
            for name, value in {"a list": [SENTINEL], "null": None, "a text": SENTINEL}.items()
        },
        **{
            f"stsToken is {name}": broken(in_koocli(mode="SSO", ssoAuth={"stsToken": value}), None, "stsToken")
            for name, value in {"a list": [SENTINEL], "null": None, "a text": SENTINEL}.items()
        },
        "no session": broken(in_koocli(mode="SSO"), None, "ssoAuth"),
        "a session of wrong kinds": broken(
            in_koocli(mode="SSO", ssoAuth={"stsToken": {"accessKeyId": 5, "secretAccessKey": SENTINEL}}),
            None,
            "accessKeyId",
        ),
        "encrypted, by its word": broken(
            in_koocli().replace('"authEncrypt": "false"', '"authEncrypt": "true"'),
            None,
            "hcloud configure set --cli-auth-encrypt=false",
        ),
        "encrypted, by its look": broken(
            in_koocli(accessKeyId="ciphertext/with+signs==").replace('"authEncrypt": "false",', ""),
            None,
            "hcloud configure set --cli-auth-encrypt=false",
        ),
    },
    "clouds_yaml": {
        "nothing": broken("", None, "mapping"),
        "only a comment": broken("# nothing yet\n", None, "mapping"),
        "a tab": broken(f"clouds:\n  simulated:\n\tauth: {SENTINEL}\n", 3),
        "an open bracket": broken(f"clouds:\n  simulated: [{SENTINEL}\n", 3),
        "an open quote": broken(f'clouds:\n  simulated: "{SENTINEL}\n'),
        "an unknown alias": broken(f"clouds:\n  simulated:\n    auth: *{SENTINEL}\n", 3),
        "two documents": broken(f"clouds: {{}}\n---\nclouds: {SENTINEL}\n", 2),
        "very deep": broken("[" * DEEP),
        "very deep, closed": broken("{a: " * DEEP + "}" * DEEP),
        **{
            f"{name} as a whole": broken(yaml.safe_dump(value), None, "mapping")
            for name, value in {"list": [SENTINEL], "text": SENTINEL, "number": 5}.items()
        },
        **{
            f"clouds is {name}": broken(yaml.safe_dump({"clouds": value}), 1, "clouds", "mapping")
            for name, value in {"a list": [SENTINEL], "null": None, "a text": SENTINEL}.items()
        },
        "no clouds": broken("simulated:\n  auth: {}\n", None, "clouds"),
        **{
            f"the entry is {name}": broken(yaml.safe_dump({"clouds": {"simulated": value}}), 2, "mapping")
            for name, value in {"a list": [SENTINEL], "a text": SENTINEL, "a number": 5}.items()
        },
        "no such entry": broken(f"clouds:\n  another:\n    auth: {{token: {SENTINEL}}}\n", None, "no such entry"),
        **{
            f"auth is {name}": broken(yaml.safe_dump({"clouds": {"simulated": {"auth": value}}}), 3, "auth", "mapping")
            for name, value in {"a list": [SENTINEL], "null": None, "a text": SENTINEL, "a number": 5}.items()
        },
        **wrong_kinds(
            in_cloud, ("password", "username", "token", "ak", "security_token", "user_domain_id", "auth_url")
        ),
        **{
            f"{key} is {name}": broken(
                yaml.safe_dump(
                    {"clouds": {"simulated": {"auth": {"token": SENTINEL}, key: value}}}, default_flow_style=False
                ),
                None,
                key,
            )
            for key in ("region_name", "cacert", "cert", "key", "verify", "auth_type")
            for name, value in {"a list": [SENTINEL], "a number": 5, "a mapping": {"x": SENTINEL}}.items()
        },
        **{
            f"the tag {tag.split()[0]}": broken(f"clouds:\n  simulated:\n    auth:\n      token: {tag}\n", 4)
            for tag in PYTHON_TAGS
        },
        **{
            f"a value that YAML cannot make: {value}": broken(
                f"clouds:\n  simulated:\n    auth:\n      token: {SENTINEL}\n      x: {value}\n"
            )
            for value in ("2026-99-99", "!!int x", "!!bool x", "!!timestamp x", "!!float x", "!!binary é", "{[]: 1}")
        },
        "a date for a text": broken("clouds:\n  simulated:\n    auth:\n      token: 2026-01-15\n", 4, "token"),
    },
}
#: What is wrong with any file.
for _method, _cases in BROKEN.items():
    _line = b"[basic]\n" if _method == "profile" else b"\n"
    _cases["not UTF-8"] = Broken(_line + b"# \xff\xfe " + SENTINEL.encode(), 2, ("UTF-8",), _method != "koocli")
    _cases["UTF-16"] = Broken(f"[basic]\nak = {SENTINEL}\n".encode("utf-16"), 1, ("UTF-8",), _method != "koocli")


def check_refused_file(task: Task, method: str, file: Path, case: Broken, profile: str) -> None:
    """The task fails before any request, says what is wrong and where, and shows nothing of the file."""
    result = task.run()
    assert result.get("failed"), result
    assert result["failure"]["code"] == "InvalidProfile", result
    assert task.sim.journal() == []
    message = result["msg"]
    assert str(file) in message
    assert profile in message or not case.names_profile
    assert case.line is None or f"line {case.line}:" in message, message
    for word in case.words:
        assert word in message
    assert SENTINEL not in json.dumps(result)
    assert message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("asked", ["by a variable", "by auth_method", "by nobody"])
@in_rows(("method", "name"), [(method, name) for method, cases in BROKEN.items() for name in cases], by=1)
def test_a_file_that_cannot_be_used(task, method, name, asked):
    case = BROKEN[method][name]
    file = task.home.write("asked/file.yaml" if asked != "by nobody" else METHOD_FILES[method], case.content)
    profile = PROFILE_OF[method]
    if asked == "by a variable":
        variable = {
            "profile": "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
            "koocli": "HW_SHARED_CONFIG_FILE",
            "clouds_yaml": "OS_CLIENT_CONFIG_FILE",
        }
        task.environ[variable[method]] = str(file)
    elif asked == "by auth_method":
        task.options.update(auth_method=method, profile_file=str(file))
        # Complete, but not asked for.
        task.options.update(right(task.sim, "access key"))
    if method == "clouds_yaml":
        task.environ["OS_CLOUD"] = profile
    start = time.monotonic()
    check_refused_file(task, method, file, case, profile)
    assert time.monotonic() - start < 10
    assert not (task.home.folder / "made-by-a-tag").exists()


@pytest.mark.parametrize("method", METHOD_FILES)
@pytest.mark.parametrize("kind", ["missing", "a folder", "a loop", "below a file"])
def test_a_file_that_cannot_be_read(task, method, kind):
    file = task.home.folder / "asked" / "file"
    file.parent.mkdir()
    if kind == "a folder":
        file.mkdir()
    elif kind == "a loop":
        file.symlink_to(file)
    elif kind == "below a file":
        file.write_text("x")
        file = file / "file"
    profile = PROFILE_OF[method] if method == "profile" else "tonight"
    task.options.update(auth_method=method, profile_file=str(file), profile=profile)
    check_refused_file(task, method, file, Broken(b"", None, ("cannot be read",)), profile)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("method", METHOD_FILES)
def test_a_file_that_may_not_be_read(task, method):
    file = task.home.write("asked/file", "x")
    file.chmod(0)
    task.options.update(auth_method=method, profile_file=str(file), profile="tonight")
    check_refused_file(task, method, file, Broken(b"", None, ("cannot be read",)), "tonight")


@pytest.mark.parametrize("source", ["SDK profile", "KooCLI", "clouds.yaml"])
@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_profile_that_the_file_lacks(task, source, by):
    SOURCES[source].put(task, {"access_key": "A" * 20, "secret_key": SENTINEL})
    method = SOURCES[source].method
    variable = {"koocli": "HW_PROFILE", "clouds_yaml": "OS_CLOUD"}.get(method)
    if by == "option" or variable is None:
        task.options.update(auth_method=method, profile="tomorrow")
    else:
        task.environ[variable] = "tomorrow"
    file = task.home.folder / SOURCES[source].file
    check_refused_file(task, method, file, Broken(b""), "tomorrow")


@pytest.mark.parametrize(
    "content",
    [
        "clouds: {simulated: {auth: {password: 5}}}\n",
        "clouds: {simulated: {auth: [SENTINELSECRET]}}\n",
        "clouds: {simulated: [SENTINELSECRET]}\n",
        "clouds: [SENTINELSECRET]\n",
        "[SENTINELSECRET\n",
        "",
        "- SENTINELSECRET\n",
        "clouds: {simulated: {auth: {password: !!python/name:os.system ''}}}\n",
        "clouds: {simulated: {auth: {password: !!bool x}}}\n",
        "\x00",
    ],
)
def test_a_secure_yaml_that_cannot_be_used(task, content):
    """The sentence names the file in which the mistake is."""
    SOURCES["clouds.yaml"].put(task, right(task.sim, "password"))
    file = task.home.write(Path(CLOUDS_PATH).parent / "secure.yaml", content)
    check_refused_file(task, "clouds_yaml", file, Broken(b""), "simulated")


def test_a_secure_yaml_without_the_entry(task):
    SOURCES["clouds.yaml"].put(task, right(task.sim, "password"))
    task.home.clouds({"another": {"auth": {"password": "x"}}}, Path(CLOUDS_PATH).parent / "secure.yaml")
    check(task, task.run(), [SIGN_IN, JOBS], "token", temporary=False)


def test_clouds_yaml_without_the_library(task, monkeypatch):
    """Where a module runs there need be no PyYAML; without clouds.yaml nobody misses it."""
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    file = task.home.write(CLOUDS_PATH, in_cloud())
    assert file.exists()
    task.environ["OS_CLOUD"] = "simulated"
    message = task.refusal("MissingLibrary")
    assert "PyYAML" in message
    task.home.sdk(right(task.sim, "access key"))
    check(task, task.run(auth_method="profile"), [JOBS], "aksk", temporary=False)


@pytest.mark.parametrize("source", ["SDK profile", "KooCLI", "clouds.yaml"])
@pytest.mark.parametrize("option", ["access_key", "secret_key"])
def test_a_value_that_is_no_key_is_not_quoted(task, source, option):
    """A line end in the middle of a key must not get into a header, nor into a message."""
    values = {"access_key": "A" * 20, "secret_key": "B" * 20, option: f"{SENTINEL}\n  {SENTINEL}"}
    SOURCES[source].put(task, values)
    result = task.run()
    assert result["failed"]
    assert result["failure"]["code"] in ("InvalidOption", "InvalidProfile")
    # What does not look like an access key is taken for an encrypted one in KooCLI's file.
    assert ("encrypted" if (source, option) == ("KooCLI", "access_key") else SOURCES[source].names[option]) in result[
        "msg"
    ]
    assert str(task.home.folder / SOURCES[source].file) in result["msg"]
    assert SENTINEL not in json.dumps(result)
    assert task.sim.journal() == []


# --- What is shown of a file that can be used --------------------------------------------------------------------------

FILES = [
    (source, kind)
    for source in ("SDK profile", "KooCLI", "KooCLI single sign-on", "clouds.yaml")
    for kind in SOURCES[source].kinds
]


@pytest.mark.parametrize(("source", "kind"), FILES)
def test_no_secret_of_a_file_is_shown(task, source, kind):
    """Not even when the service sends all of them back."""
    values = right(task.sim, kind)
    secrets = [value for option, value in values.items() if option in SECRETS]
    SOURCES[source].put(task, values)
    echo = {"error_code": "DBS.280005", "error_msg": f"You sent {' '.join(secrets)} to us"}
    task.sim.faults([{"operation": JOBS, "times": None, "fault": {"status": 400, "body": echo}}])
    result = task.run()
    assert result["failure"]["code"] == "DBS.280005"
    assert not any(secret in json.dumps(result) for secret in secrets)


def test_by_real_ansible_playbook_with_files_only(sim, tmp_path):
    """Three tasks that sign in from three files, at the highest verbosity."""
    home = Home(tmp_path)
    secrets = [sim.secret_key, sim.password]
    key = {"access_key": sim.access_key, "secret_key": sim.secret_key}
    home.sdk({**key, "project_id": sim.project_id})
    home.koocli(koocli_profile({**key, "project_id": sim.projects[1]}, region=sim.region))
    user = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    home.clouds({"simulated": cloud_entry(user, sim.url, region_name=sim.region)})
    module = "hwcloud.maintenance.dds_scheduled_job_info"
    endpoints = {"dcs": sim.url, "dds": sim.url}
    tasks = [
        {"name": "SDK", module: {}},
        {"name": "KooCLI", module: {"auth_method": "koocli"}},
        {"name": "clouds.yaml", module: {"cloud": "simulated"}},
    ]
    run = run_playbook(tmp_path, [local_play(tasks, {"endpoints": endpoints})], "-vvvvv")
    assert run.returncode == 0, run.output
    names = {"SDK": "dds-orders-prod", "KooCLI": "dds-sandbox", "clouds.yaml": "dds-orders-prod"}
    for name, instance in names.items():
        assert instance in [job["instance_name"] for job in run.result(name)["jobs"]]
    assert sim.operations() == [JOBS, JOBS, SIGN_IN, JOBS]
    assert not any(secret in run.output for secret in secrets)


# --- Settings ------------------------------------------------------------------------------------------------------

#: How each file says where its account is: the option and the file's key.
REGION_KEYS = {"KooCLI": "region", "clouds.yaml": "region_name"}
PROJECT_KEYS = {"SDK profile": "project_id", "KooCLI": "projectId", "clouds.yaml": "project_id"}


def put_with(task: Task, source: str, values: dict[str, Any], auth: dict[str, Any], beside: dict[str, Any]) -> None:
    """Put values into a file with settings; only clouds.yaml tells those in C(auth) from those beside it."""
    if source == "SDK profile":
        task.home.sdk({**values, **auth, **beside})
    elif source == "KooCLI":
        task.home.koocli({**koocli_profile(values), **auth, **beside})
    else:
        task.environ["OS_CLOUD"] = "simulated"
        entry = cloud_entry(values, **beside)
        entry["auth"].update(auth)
        task.home.clouds({"simulated": entry})


LEVELS = ("option", "variable", "profile")


@pytest.mark.parametrize("best", LEVELS)
@pytest.mark.parametrize("source", PROJECT_KEYS)
def test_where_the_project_is_from(task, source, best):
    """The best level names the second project; all levels below it name one that nobody has."""
    good, bad = task.sim.projects[1], "f" * 32
    below = LEVELS[LEVELS.index(best) + 1 :]
    project = {level: good if level == best else bad for level in (best, *below)}
    task.options["project_id"] = project.get("option")
    if "variable" in project:
        task.environ["HW_PROJECT_ID"] = project["variable"]
    put_with(task, source, right(task.sim, "access key"), {PROJECT_KEYS[source]: project["profile"]}, {})
    result = task.run()
    check(task, result, [JOBS], "aksk", temporary=False)
    assert {job["instance_name"] for job in result["jobs"]} == {"dds-sandbox"}


@pytest.mark.parametrize("level", ["variable", "profile"])
@pytest.mark.parametrize("source", PROJECT_KEYS)
def test_a_project_that_the_task_names_is_not_replaced_by_an_id_from_elsewhere(task, source, level):
    """Else a task for one project would work on another."""
    elsewhere = task.sim.project_id
    task.options.update(project_id=None, project_name="sim-region-1_staging")
    if level == "variable":
        task.environ["HW_PROJECT_ID"] = elsewhere
    settings = {PROJECT_KEYS[source]: elsewhere} if level == "profile" else {}
    put_with(task, source, right(task.sim, "access key"), settings, {})
    result = task.run()
    check(task, result, [PROJECTS, JOBS], "aksk", temporary=False)
    assert {job["instance_name"] for job in result["jobs"]} == {"dds-sandbox"}


@pytest.mark.parametrize("best", LEVELS)
@pytest.mark.parametrize("source", REGION_KEYS)
def test_where_the_region_is_from(task, source, best):
    """The project is looked up by the name of the region."""
    below = LEVELS[LEVELS.index(best) + 1 :]
    region = {level: task.sim.region if level == best else "nowhere-1" for level in (best, *below)}
    task.options.update(project_id=None, region=region.get("option"))
    if "variable" in region:
        task.environ["OS_REGION_NAME"] = region["variable"]
    put_with(task, source, right(task.sim, "access key"), {}, {REGION_KEYS[source]: region["profile"]})
    check(task, task.run(), [PROJECTS, JOBS], "aksk", temporary=False)
    assert task.sim.journal()[0]["query"] == {"name": [task.sim.region]}


@pytest.mark.parametrize("best", LEVELS)
@pytest.mark.parametrize("source", ["SDK profile", "clouds.yaml"])
def test_where_the_address_of_iam_is_from(task, source, best):
    task.options["project_id"] = None
    del task.options["endpoints"]["iam"]
    with Loopback() as elsewhere:
        below = LEVELS[LEVELS.index(best) + 1 :]
        url = {level: task.sim.url if level == best else elsewhere.url for level in (best, *below)}
        if "option" in url:
            task.options["endpoints"]["iam"] = url["option"]
        if "variable" in url:
            task.environ["HUAWEICLOUD_SDK_IAM_ENDPOINT"] = url["variable"]
        key = "iam_endpoint" if source == "SDK profile" else "auth_url"
        suffix = "" if source == "SDK profile" else "/v3"
        put_with(task, source, right(task.sim, "access key"), {key: url["profile"] + suffix}, {})
        check(task, task.run(), [PROJECTS, JOBS], "aksk", temporary=False)
        assert elsewhere.seen == []


@pytest.mark.parametrize("url", ["http://iam.example.com", "https://user:SENTINELSECRET@iam.example.com", "nonsense"])
@pytest.mark.parametrize("source", ["SDK profile", "clouds.yaml"])
def test_an_address_of_iam_that_cannot_be_used(task, source, url):
    task.options["project_id"] = None
    del task.options["endpoints"]["iam"]
    key = "iam_endpoint" if source == "SDK profile" else "auth_url"
    put_with(task, source, right(task.sim, "access key"), {key: url}, {})
    result = task.run()
    assert result["failed"]
    assert result["failure"]["code"] in ("InvalidOption", "InvalidProfile")
    assert "https" in result["msg"]
    assert SENTINEL not in json.dumps(result)
    assert task.sim.journal() == []


def test_the_cloud_follows_from_the_address_of_iam(task):
    """https://iam.REGION.CLOUD/v3: services of that cloud are asked, which nobody can reach here."""
    task.options.update(endpoints={"metadata": task.sim.url}, region=None, retries=0, connect_timeout=1)
    entry = cloud_entry(right(task.sim, "access key"), region_name="eu-de")
    entry["auth"]["auth_url"] = "https://iam.eu-de.cloud.invalid/v3"
    task.home.clouds({"simulated": entry})
    result = task.run(cloud="simulated")
    assert result["failed"]
    assert result["failure"]["code"] == "NetworkError"
    assert "dds.eu-de.cloud.invalid" in result["msg"]


@pytest.mark.parametrize("winner", ["options", "HW_*", "SDK profile of a variable"])
def test_a_profile_that_did_not_win_contributes_nothing(task, winner):
    """Not even what nobody else says: the region and the project here, and the trust in certificates."""
    task.options.update(project_id=None, region=None)
    SOURCES[winner].put(task, right(task.sim, "access key"))
    task.home.koocli(koocli_profile({**wrong("access key"), "project_id": task.sim.project_id}, region=task.sim.region))
    message = task.refusal("InvalidOption")
    assert "project_id" in message
    task.options["region"] = task.sim.region
    check(task, task.run(), [PROJECTS, JOBS], "aksk", temporary=False)


def test_a_broken_file_that_is_not_needed_is_not_read(task):
    task.home.write(SDK_PATH, "broken")
    task.home.write(KOOCLI_PATH, "broken")
    task.home.write(CLOUDS_PATH, "[")
    task.environ["OS_CLOUD"] = "simulated"
    task.options.update(right(task.sim, "access key"))
    check(task, task.run(), [JOBS], "aksk", temporary=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


def put_tls(task: Task, server: Loopback, beside: dict[str, Any]) -> None:
    """A cloud behind TLS, whose entry says how it is to be trusted."""
    task.options["endpoints"] = {"dds": server.url, "iam": server.url}
    task.options["retries"] = 0
    entry = cloud_entry({"access_key": "A" * 20, "secret_key": "secret"}, server.url, **beside)
    task.home.clouds({"simulated": entry})
    task.environ["OS_CLOUD"] = "simulated"


EMPTY_LIST = answer(body=b'{"schedules": [], "total_count": 0}')


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize(
    ("options", "environ", "beside", "accepted"),
    [
        ({}, {}, {"cacert": "right"}, True),
        ({}, {}, {"cacert": "other"}, False),
        ({}, {}, {}, False),
        ({}, {"OS_CACERT": "right"}, {"cacert": "other"}, True),
        ({}, {"REQUESTS_CA_BUNDLE": "right"}, {"cacert": "other"}, True),
        ({}, {"OS_CACERT": "other"}, {"cacert": "right"}, False),
        ({"ca_path": "right"}, {"OS_CACERT": "other"}, {"cacert": "other"}, True),
        ({"ca_path": "other"}, {}, {"cacert": "right"}, False),
        ({}, {}, {"verify": False}, True),
        ({}, {}, {"verify": False, "cacert": "other"}, True),
        ({}, {"OS_INSECURE": "true"}, {"verify": True}, True),
        ({}, {"OS_INSECURE": "false"}, {"verify": False}, False),
        ({"validate_certs": True}, {}, {"verify": False}, False),
        ({"validate_certs": False}, {}, {"verify": True}, True),
        ({"validate_certs": True, "ca_path": "right"}, {"HW_INSECURE": "1"}, {"verify": False}, True),
    ],
    ids=str,
)
def test_whom_a_profile_trusts(task, certificates, options, environ, beside, accepted):
    paths = {"right": str(certificates.ca_path), "other": str(certificates.other_ca_path)}
    with Loopback(EMPTY_LIST, EMPTY_LIST, tls=certificates.server_context()) as server:
        put_tls(task, server, {key: paths.get(value, value) for key, value in beside.items()})
        task.environ.update({name: paths.get(value, value) for name, value in environ.items()})
        result = task.run(**{name: paths.get(value, value) for name, value in options.items()})
        if accepted:
            assert "failed" not in result, result
        else:
            assert result["failure"]["code"] == "NetworkError", result
            assert "certificate" in result["msg"]
        assert len(server.seen) == (1 if accepted else 0)


def test_a_tilde_in_a_profile_is_the_home(task, certificates):
    """As other tools that read clouds.yaml take it."""
    task.home.write("trust/ca.pem", certificates.ca_path.read_bytes())
    for number, name in enumerate(("cert.pem", "key.pem")):
        task.home.write(f"own/{name}", certificates.client[number].read_bytes())
    with Loopback(EMPTY_LIST, tls=certificates.server_context(ask=True)) as server:
        put_tls(task, server, {"cacert": "~/trust/ca.pem", "cert": "~/own/cert.pem", "key": "~/own/key.pem"})
        result = task.run()
        assert "failed" not in result, result


@pytest.mark.parametrize("best", LEVELS)
def test_whose_certificate_is_shown(task, certificates, best):
    below = LEVELS[LEVELS.index(best) + 1 :]
    pair = {level: certificates.client if level == best else certificates.foreign_client for level in (best, *below)}
    with Loopback(EMPTY_LIST, tls=certificates.server_context(ask=True)) as server:
        cert, key = pair["profile"]
        put_tls(task, server, {"cacert": str(certificates.ca_path), "cert": str(cert), "key": str(key)})
        if "variable" in pair:
            task.environ.update(OS_CERT=str(pair["variable"][0]), OS_KEY=str(pair["variable"][1]))
        if "option" in pair:
            task.options.update(client_cert=str(pair["option"][0]), client_key=str(pair["option"][1]))
        result = task.run()
        assert "failed" not in result, result
        assert len(server.seen) == 1


@pytest.mark.parametrize("key", ["cacert", "cert"])
def test_a_file_of_a_profile_that_does_not_exist(task, key):
    SOURCES["clouds.yaml"].put(task, right(task.sim, "access key"))
    task.home.clouds({"simulated": cloud_entry(right(task.sim, "access key"), **{key: "/nowhere/at.all"})})
    result = task.run()
    assert result["failed"]
    assert result["failure"]["code"] in ("InvalidOption", "InvalidProfile")
    assert "/nowhere/at.all" in result["msg"]
    assert task.sim.journal() == []
