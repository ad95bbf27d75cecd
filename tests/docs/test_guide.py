# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide to sign-in and transport is true: it names what the code knows and nothing else, and its examples run."""

from __future__ import annotations

import ast
import functools
import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
import trustme
import yaml

from tests.conftest import signed_in
from tests.docs.test_documentation import (
    BLOCK,
    GUIDE,
    NOT_RUN,
    OF_IAM,
    OF_SERVICE,
    PLUGINS,
    ROOT,
    VARIABLE,
    as_plays,
    strings_of_code,
    utility,
    variables_read,
)
from tests.harness.modules import run_module
from tests.harness.playbooks import local_play, run_playbook

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
GROUP = "group/hwcloud.maintenance.hwcloud"

# --- The page --------------------------------------------------------------------------------------------------------


class Block(NamedTuple):
    """A fenced block, the file that the line before it names, and whether it is an example that can run."""

    language: str
    text: str
    file: str | None
    run: bool


FENCE = re.compile(r"(?P<before>[^\n]*)\n\n?```(?P<language>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"`([~./\w-]+)`:\Z")


def sections(text):
    """Heading to what stands under it, up to the next heading of any level."""
    found = {}
    heading = ""
    in_block = False
    for line in text.splitlines(keepends=True):
        if line.startswith("```"):
            in_block = not in_block
        if line.startswith("#") and not in_block:
            heading = line.strip("# \n")
            assert heading not in found, heading
        found[heading] = found.get(heading, "") + line
    return found


def blocks_of(text):
    for match in FENCE.finditer(text):
        name = FILE_NAME.search(match["before"])
        file = name and name[1]
        run = match["language"] == "yaml" and not file and not NOT_RUN.search(match["before"])
        yield Block(match["language"], match["text"], file, run)


def rows(section):
    """The cells of the rows of the tables in a section, without their heads."""
    lines = [line for line in section.splitlines() if line.startswith("|")]
    heads = [number - 1 for number, line in enumerate(lines) if re.fullmatch(r"\|[-|]+\|", line)]
    for number, line in enumerate(lines):
        if number not in heads and number - 1 not in heads:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def names(cell):
    """The names in backticks."""
    return re.findall(r"`([^`]+)`", cell)


@functools.cache
def guide():
    return GUIDE.read_text(encoding="utf-8")


def table(heading):
    return list(rows(sections(guide())[heading]))


def test_parts_of_a_page_are_told_apart():
    page = "# A\n\n```shell\n# no heading\n```\n\n`~/x.ini`:\n\n```ini\n[a]\n```\n\n## B\n\n| a | b |\n|---|---|\n| `c` | d |\n"
    parts = sections(page)
    assert list(parts) == ["A", "B"]
    assert list(blocks_of(parts["A"])) == [
        Block("shell", "# no heading\n", None, False),
        Block("ini", "[a]\n", "~/x.ini", False),
    ]
    assert list(rows(parts["B"])) == [["`c`", "d"]]
    assert names("`c`, `d`: e") == ["c", "d"]


# --- Options, variables and keys of files ----------------------------------------------------------------------------

#: In the guide and in the code, but for no option.
PLACE = "XDG_CACHE_HOME"
NAME = re.compile(rf"\b(?:{VARIABLE.pattern}|{PLACE})\b")


def known_options():
    common = utility("_module").COMMON_ARGUMENTS
    return (common.keys() - {"endpoints"}) | {f"endpoints.{service}" for service in common["endpoints"]["options"]}


def known_variables():
    """Option to the variables that stand in for it."""
    return {**variables_read(), "endpoints.iam": OF_IAM}


def guide_variables():
    """Option to the variables in the rows of the two tables, in order."""
    found = {}
    for cells in table("All names"):
        for option in names(cells[1]):
            if OF_SERVICE not in cells[2]:
                found[option] = [name for cell in cells[2:5] for name in names(cell) if VARIABLE.fullmatch(name)]
    for cells in table("Connection"):
        found.update(
            {option: [name for name in names(cells[2]) if VARIABLE.fullmatch(name)] for option in names(cells[1])}
        )
    return found


def test_guide_has_every_option_and_no_other():
    in_tables = [
        name for heading in ("All names", "Connection") for cells in table(heading) for name in names(cells[1])
    ]
    assert set(in_tables) == known_options()
    # A service has a variable of its own, so that IAM is in two rows.
    assert sorted(in_tables) == sorted([*known_options(), "endpoints.iam"])


def test_guide_and_code_have_the_same_variables():
    known = known_variables()
    written = guide_variables()
    for option in known_options():
        assert set(written.get(option, ())) == known.get(option, set()), option


def test_guide_says_in_which_order_variables_count():
    credentials = utility("_credentials")
    written = guide_variables()
    for option, variables in credentials.SETTINGS.items():
        assert written[option] == list(variables), option
    families = [family for family, _options in credentials.ENVIRONMENT]
    order = sections(guide())["Order of sources"]
    assert re.search(r", then ".join(map(re.escape, (f"`{family}`" for family in families))), order)
    for family, options in credentials.ENVIRONMENT:
        begin = family.rstrip("*")
        for option, variables in options.items():
            assert [name for name in written[option] if name.startswith(begin)] == list(variables), option


def test_every_variable_of_the_code_is_in_the_guide_and_every_one_of_the_guide_in_the_code():
    in_code = {text for text in strings_of_code() if NAME.fullmatch(text)}
    in_guide = set(NAME.findall(guide()))
    assert OF_SERVICE in strings_of_code()
    assert f"{OF_SERVICE}{{SERVICE}}_{{REGION}}" in guide()
    assert {name for name in in_guide if not name.startswith(OF_SERVICE)} == in_code
    assert {"HW_ACCESS_KEY", PLACE} <= in_code


def test_readme_names_no_variable_that_the_code_does_not_know():
    assert set(NAME.findall(README.read_text(encoding="utf-8"))) <= strings_of_code()


def test_guide_and_code_have_the_same_keys_of_files():
    profiles = utility("_profiles")
    called = {"endpoints.iam": "iam_endpoint"}
    beside = {option: key for key, option in profiles._CLOUD_KEYS.items()}
    for cells in table("All names"):
        if OF_SERVICE in cells[2]:
            continue
        for option in names(cells[1]):
            name = called.get(option, option)
            for column, keys, prefix in (
                (5, profiles._SDK_KEYS, ""),
                (6, profiles._KOOCLI_KEYS, ""),
                (7, profiles._AUTH_KEYS, "auth."),
            ):
                expected = {f"{prefix}{key}" for key, meant in keys.items() if meant == name}
                if prefix and name in beside:
                    expected.add(beside[name])
                if option not in ("auth_method", "profile", "cloud"):
                    assert set(names(cells[column])) == expected, (option, column)
    for cells in table("Connection"):
        for option in names(cells[1]):
            expected = {"verify"} if option == "validate_certs" else {beside[option]} if option in beside else set()
            assert set(names(cells[3])) == expected, option


def test_guide_has_the_defaults():
    spec = utility("_module").COMMON_ARGUMENTS
    for cells in table("Connection"):
        (option,) = names(cells[1])
        default = spec[option].get("default")
        if default is not None:
            assert cells[4].strip("`") == str(default).lower(), option
    (deadline,) = (cells[4] for cells in table("Connection") if names(cells[1]) == ["deadline"])
    assert re.match(r"\d+", deadline)[0] == str(utility("_module")._DEFAULT_DEADLINE)


def test_guide_knows_every_way():
    written = re.findall(r"`([a-z_]+)`", re.search(r"`auth_method` pins.*?\n\n", guide(), re.DOTALL)[0])
    assert set(written) == {"auth_method", *utility("_module").COMMON_ARGUMENTS["auth_method"]["choices"]}


def test_guide_has_the_addresses_that_the_code_uses():
    endpoints = utility("_endpoints")
    for cells in table("Other clouds")[:5]:
        for region in names(cells[1]):
            found = endpoints.Endpoints(region, None, None, {}).url("dcs")
            if cells[2].startswith("nothing"):
                domain = (names(cells[2]) or [endpoints.DEFAULT_CLOUD])[0]
                assert found == f"https://dcs.{region}.{domain}"
            for cloud in names(cells[2]):
                assert endpoints.Endpoints(region, cloud, None, {}).url("dds") == f"https://dds.{region}.{cloud}"


# --- Codes of failures, links ----------------------------------------------------------------------------------------

WORD = re.compile(r"[A-Z][a-z]+(?:[A-Z][a-z]+)+|Ambiguous|Interrupted")


def given_codes(tree):
    """What is assigned to C(code), or passed as it, by name or by position."""
    functions = {node.name: node.args.args for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "code":
            yield node.value
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == "code" for target in targets):
                yield node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            parameters = functions.get(node.func.id, ())
            yield from (value for value, parameter in zip(node.args, parameters) if parameter.arg == "code")


@functools.cache
def codes():
    """Every word that can be the code of a failure."""
    found = set()
    for path in (PLUGINS / "module_utils").glob("*.py"):
        for value in given_codes(ast.parse(path.read_text(encoding="utf-8"))):
            for part in [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]:
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and WORD.fullmatch(part.value):
                    found.add(part.value)
    return found


def test_readme_has_every_code_of_a_failure():
    (row,) = (cells for cells in rows(README.read_text(encoding="utf-8")) if cells[0] == "`code`")
    assert {name for name in names(row[1]) if WORD.fullmatch(name)} == codes()
    assert {"InvalidProfile", "Interrupted", "InternalError"} <= codes()


def test_guide_names_only_codes_and_operations_that_there_are():
    operations = {text for text in strings_of_code() if re.fullmatch(r"(?:[A-Z][a-z]+){2,}", text)}
    written = {name for cells in table("When it fails") for name in names(cells[0]) if WORD.fullmatch(name)}
    assert written <= codes() | operations
    about_the_work = {"NotASpecChange", "TooLate", "EndedBadly", "WaitTimeout", "OutcomeUnknown", "InternalError"}
    assert written & codes() == codes() - about_the_work


def anchors(text):
    """The fragments by which headings are linked to."""
    found = set()
    for heading in sections(text):
        plain = re.sub(r"[^\w\- ]", "", heading.replace("`", "")).lower()
        found.add(plain.replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _hash, fragment = target.partition("#")
        other = page.parent / name if name else page
        assert other.exists(), target
        assert not fragment or fragment in anchors(other.read_text(encoding="utf-8")), target


def test_every_section_is_in_the_contents():
    contents = re.findall(r"\]\(#([^)]+)\)", sections(guide())["Sign-in and transport"])
    assert set(contents) == anchors(guide()) - {"", "sign-in-and-transport"}


# --- Examples --------------------------------------------------------------------------------------------------------

PROJECT = "0123456789abcdef0123456789abcdef"
PASSWORD = "Example-Password-1!"
#: The account in which the examples are at home.
USERS = [
    {
        "name": "night-shift",
        "id": "fedcba9876543210fedcba9876543210",
        "password": PASSWORD,
        "access_key": "EXAMPLEACCESSKEY0001",
        "secret_key": "example-secret-key-of-a-night-shift-0001",
    },
    {
        "name": "staging",
        "password": PASSWORD,
        "access_key": "EXAMPLEACCESSKEY0002",
        "secret_key": "example-secret-key-of-a-night-shift-0002",
    },
    {"name": "guarded", "id": "0f1e2d3c4b5a69780f1e2d3c4b5a6978", "password": PASSWORD, "totp": "907316"},
]
REGION = re.compile(r"""(?:region|region_name)"?: "?([a-z0-9-]+)""")
#: What leads elsewhere than the variables for endpoints, and cannot be led here but by replacing it.
ADDRESS = "https://iam-apigateway-proxy.dc1-prod.cloud.example.com:443"

TOKEN = "KeystoneCreateUserTokenByPassword"
LOOK_UP = "KeystoneListProjects"
AGENCY = "CreateTemporaryAccessKey"
#: Section to the operations by which its examples sign in and find the project, and how the others are authenticated.
EXAMPLES = {
    "Access key": ([], "aksk"),
    "Temporary key": ([LOOK_UP], "aksk"),
    "Token": ([], "token"),
    "Password": ([TOKEN, TOKEN], "token"),
    "MFA passcode": ([TOKEN], "token"),
    "The machine's agency": (["CreateMetadataToken", "ShowSecurityKey", LOOK_UP], "aksk"),
    "Assumed agency": ([AGENCY, LOOK_UP], "aksk"),
    "SDK": ([LOOK_UP], "aksk"),
    "KooCLI": ([AGENCY, LOOK_UP], "aksk"),
    "clouds.yaml": ([TOKEN, TOKEN], "token"),
    "Token cache": ([TOKEN], "token"),
    "Other clouds": ([LOOK_UP, LOOK_UP], "aksk"),
    "Connection": ([LOOK_UP], "aksk"),
    "Interrupted tasks": ([LOOK_UP], "aksk"),
}


def test_every_section_with_examples_is_expected():
    runnable = [heading for heading, text in sections(guide()).items() if any(block.run for block in blocks_of(text))]
    assert runnable == list(EXAMPLES)
    assert len(BLOCK.findall(guide())) == len(re.findall(r"^```yaml$", guide(), re.MULTILINE))


@pytest.fixture
def cloud(sim):
    """The simulator with the account of the examples, in a region of choice."""
    scenario = json.loads((ROOT / "tests/simulator/scenarios/maintenance.json").read_text(encoding="utf-8"))

    def load(region):
        project, *_others = scenario["projects"]
        jobs = [job for job in project["scheduled_jobs"] if job["job_status"] == "Pending"]
        here = {**project, "id": PROJECT, "name": region, "scheduled_jobs": jobs}
        account = {"name": "example-account"}
        sim.reset({**scenario, "region": region, "domain": account, "users": USERS, "projects": [here]})
        return sim

    return load


def obtained(sim):
    """The variables that the examples take from a vault; the temporary ones are asked for."""
    user = {"name": USERS[0]["name"], "password": PASSWORD, "domain": {"name": "example-account"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"project": {"id": PROJECT}}}}
    with requests.Session() as session:
        session.trust_env = False
        token = session.post(f"{sim.url}/v3/auth/tokens", json=body, timeout=30).headers["X-Subject-Token"]
        body = {"auth": {"identity": {"methods": ["token"]}}}
        answer = session.post(
            f"{sim.url}/v3.0/OS-CREDENTIAL/securitytokens", json=body, headers={"X-Auth-Token": token}, timeout=30
        )
    key = answer.json()["credential"]
    return {
        "vault_access_key": USERS[0]["access_key"],
        "vault_secret_key": USERS[0]["secret_key"],
        "vault_password": PASSWORD,
        "vault_token": token,
        "vault_temporary_access_key": key["access"],
        "vault_temporary_secret_key": key["secret"],
        "vault_security_token": key["securitytoken"],
        "passcode": USERS[2]["totp"],
    }


def write_certificates(home: Path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(home / "company-ca.pem")
    authority.issue_cert("client.example.com").private_key_and_cert_chain_pem.write_to_path(home / "night-shift.pem")


@pytest.mark.parametrize("heading", EXAMPLES)
def test_examples_sign_in_as_the_guide_says(cloud, tmp_path, heading):
    blocks = list(blocks_of(sections(guide())[heading]))
    in_files = REGION.search("".join(block.text for block in blocks if block.file))
    write_certificates(tmp_path)
    for block in blocks:
        if block.file:
            file = tmp_path / block.file.removeprefix("~/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
    operations = []
    for block in (block for block in blocks if block.run):
        in_block = REGION.search(block.text)
        region = (in_files or in_block or ["", "cn-north-4"])[1]
        sim = cloud(region)
        environ = {"XDG_CACHE_HOME": str(tmp_path / ".cache")}
        environ |= {
            f"HUAWEICLOUD_SDK_REGION_{service}_{region}".upper().replace("-", "_"): sim.url
            for service in ("dcs", "dds", "iam")
        }
        # The page says that it is set; a profile has one of its own.
        if not in_files:
            environ["HW_REGION_NAME"] = "cn-north-4"
        content = yaml.safe_load(block.text.replace(ADDRESS, sim.url))
        here = {"endpoints": {"metadata": sim.url}} if "machine" in block.text else {}
        plays = [local_play(content, here)] if "hosts" not in content[0] else as_plays(content, here)
        variables = obtained(sim)
        known = len(sim.journal())
        run = run_playbook(tmp_path, plays, "--extra-vars", json.dumps(variables), environ=environ)
        assert run.returncode == 0, run.output
        assert "[WARNING]" not in run.output
        assert len(run.results) == sum(len(play["tasks"]) for play in plays)
        journal = sim.journal()[known:]
        before = ("iam", "metadata")
        operations += [entry["operation"] for entry in journal if entry["service"] in before]
        work = [entry for entry in journal if entry["service"] not in before]
        assert {entry["auth"] for entry in work} == {EXAMPLES[heading][1]}
        assert {entry["status"] for entry in work} <= {200, 204}
        shown = json.dumps([entry["result"] for entry in run.results])
        for name, value in variables.items():
            assert name in ("vault_access_key", "vault_temporary_access_key") or value not in shown, name
    assert operations == EXAMPLES[heading][0]


# --- The table of failures -------------------------------------------------------------------------------------------


class Cause(NamedTuple):
    """What provokes a failure: options (None: not this one), variables, switches, fault rules; and words of the failure."""

    words: str
    options: dict = {}  # noqa: RUF012  # nobody changes it
    environ: dict = {}  # noqa: RUF012
    switches: dict = {}  # noqa: RUF012
    faults: tuple = ()
    module: str = "dds_scheduled_job_info"
    times: int = 1


NO_KEY = {"access_key": None, "secret_key": None}
BY_NAME = {"project_id": None}
USER = {**NO_KEY, "username": "operator", "password": "Simulator-Password-1!", "domain_name": "sim-account"}
BAD_KEY = {"secret_key": "another-secret-key-that-is-not-right-00001"}
TEMPORARY = {"agency_name": "maintenance-agency", "agency_domain_name": "sim-account"}


def answered(operation, status, **body):
    return ({"operation": operation, "times": None, "fault": {"status": status, "body": body}},)


#: The first cell of each row to what provokes it; None where tests of the transport do, as it takes servers of its own.
CAUSES = {
    "`MissingCredentials`": Cause("were given", NO_KEY),
    "`IncompleteCredentials`": Cause("incomplete", {"secret_key": None}),
    "`InvalidProfile`": Cause("credentials", {**NO_KEY, "auth_method": "profile", "profile_file": "no/credentials"}),
    "`InvalidOption`": Cause("region must", {"region": "x/"}),
    "`MissingLibrary`": None,
    "`NotFound`, `Ambiguous` at `KeystoneListProjects`": Cause("set project_id", {**BY_NAME, "project_name": "x"}),
    "401 at `KeystoneCreateUserTokenByPassword`": Cause("password", {**USER, "password": "wrong"}),
    "401, `APIGW.0301`, the hint names minutes": Cause(
        "minutes",
        faults=(
            {
                "operation": "ListScheduledTasks",
                "fault": {
                    "status": 401,
                    "headers": {"Date": "Sun, 01 Jan 2023 00:00:00 GMT"},
                    "body": {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information"},
                },
            },
        ),
    ),
    "401, `APIGW.0301`, verify aksk signature fail": Cause("verify aksk signature fail", BAD_KEY),
    "401, `APIGW.0301`, reach the limit, forbidden": Cause("reach the limit", BAD_KEY, times=8),
    "401, `APIGW.0301`, ak … not exist": Cause("not exist", {"access_key": "ANOTHERACCESSKEY0000"}),
    "401, `APIGW.0301`, token expires; `APIGW.0307`": Cause("expired", USER, switches={"token_ttl": 0}),
    "401, `APIGW.0301`, decrypt token fail": Cause("decrypt token fail", {**NO_KEY, "auth_token": "damaged"}),
    "401 from the metadata service": Cause(
        "agency", {**NO_KEY, "auth_method": "machine"}, switches={"metadata": "none"}
    ),
    "403": Cause(
        "lacks the permission",
        {"access_key": "SIMULATORACCESSKEY02", "secret_key": "simulator-secret-key-for-loopback-only-02"}
        | {"task_ids": ["fe0695500548c654e67d811fb57a9792"], "instance": "redis-sessions-prod", "state": "absent"},
        module="dcs_task",
    ),
    "404 at `CreateTemporaryAccessKey`": Cause("agency", {**TEMPORARY, "agency_name": "nobody"}),
    "404, `APIGW.0101`, `DCS.4001`": Cause(
        "does not offer this API", switches={"task_centre_available": False}, module="dcs_task_info"
    ),
    "429, `APIGW.0308`, `IAM.0012`": Cause(
        "fewer tasks",
        {**USER, "retries": 0},
        faults=answered("KeystoneCreateUserTokenByPassword", 429, error_code="IAM.0012", error_msg="too many"),
    ),
    "`NetworkError`, certificate": None,
    "`NetworkError`, does not accept this client": None,
    "`NetworkError`, proxy and a status": None,
    "`NetworkError`, name, connection or time": Cause(
        "lost", {"retries": 0}, faults=({"operation": "ListScheduledTasks", "fault": "drop_before"},)
    ),
    "`UnreadableAnswer`": Cause("endpoint", faults=({"operation": "ListScheduledTasks", "fault": "garbage"},)),
    "`DeadlineExceeded`": Cause("deadline", {"deadline": 1}, switches={"latency_ms": 3000}),
    "`Interrupted`": None,
}


def test_every_row_of_the_failures_is_provoked():
    assert [cells[0] for cells in table("When it fails")] == list(CAUSES)


@pytest.mark.parametrize("row", [row for row, cause in CAUSES.items() if cause])
def test_failures_are_as_the_guide_says(sim, tmp_path, row):
    cause = CAUSES[row]
    sim.switches(cause.switches)
    sim.faults(list(cause.faults))
    options = {**signed_in(sim), **cause.options}
    options["endpoints"] = {**options["endpoints"], "metadata": sim.url}
    given = {name: value for name, value in options.items() if value is not None}
    environ = {"HOME": str(tmp_path), **cause.environ}
    for _time in range(cause.times):
        result = run_module(cause.module, given, environ=environ)
    failure = result["failure"]
    assert cause.words.lower() in f"{result['msg']} {failure['hint']}".lower()
    status = re.match(r"\d+", row)
    assert status is None or failure["http_status"] == int(status[0]), result
    codes_of_row = [name for name in names(row) if WORD.fullmatch(name) or "." in name]
    operations = [name for name in codes_of_row if re.search(rf"at `{name}`", row)]
    if operations:
        assert [failure["operation"]] == operations
    else:
        assert not codes_of_row or failure["code"] in codes_of_row, result
