# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Input that cannot be right, in every option of every module: one clear sentence, a code, and nothing leaves."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import connection, signed_in
from tests.harness.modules import run_module
from tests.harness.rows import in_rows

INSTANCE = "2f55a1c6-d0bf-a848-7c47-5bdf79903d32"
TASK = "24401d1dc583dc828e8e3c005aaad020"
JOB = "83717e93-eb0c-81dc-8119-499a03290d3d"

#: The least that each module needs.
MODULES = {
    "dcs_task_info": {},
    "dcs_task": {"instance": INSTANCE, "task_ids": [TASK], "state": "absent"},
    "dcs_resize_cancel": {"instance": INSTANCE},
    "dds_scheduled_job_info": {},
    "dds_scheduled_job": {"job_ids": [JOB]},
    "dcs_instance_info": {},
    "dds_instance_info": {},
}
CREDENTIALS = ("access_key", "secret_key")
LONGEST_SENTENCE = 400

#: No text here has a NUL: Ansible itself refuses that, when it logs the options.
LONG = "x" * 10_000
BAD_IDS = [
    "",
    " ",
    ".",
    "..",
    "../../v3/auth/tokens",
    "a/b",
    "a\\b",
    "a%2Fb",
    "a b",
    " a",
    "a ",
    "a?b=c",
    "a#b",
    "a;b",
    "a.b",
    "a\n",
    "a\r\nX-Injected: 1",
    "-a",
    "*",
    "*a",
    "größe",
    "\uff11\uff12",
    "\u202ea",
    "{{ undefined }}",
    LONG,
]
BAD_WORDS = ["", " ", " EXTEND", "EXTEND\n", "EX\nTEND", "\x7f", LONG]
BAD_TIMES = [
    "",
    " ",
    "yesterday",
    "now",
    "2026",
    "2026-1-5",
    "2026-13-01",
    "2026-02-30",
    "2026/01/15",
    "15.01.2026",
    "20260115",
    "202601150830",
    "20261315083000",
    "2026-01-15T25:00:00Z",
    "2026-01-15T08:60:00Z",
    "2026-01-15T08",
    "2026-01-15T08:30:00+1",
    "2026-01-15T08:30:00+01:99",
    "2026-01-15T08:30:00+25:00",
    "2026-01-15T08:30:00 Europe/Berlin",
    "2026-01-15T08:30:00Z&limit=1",
    "2026-01-15T08:30:00Z\r\nX-Injected: 1",
    "0000-01-01",
    "0001-01-01T00:00:00+23:00",
    "1736929800",
    LONG,
]
BAD_AGES = ["0d", "-1d", "+1d", "1.5h", "7 days", "d", "1y", "7D", "1d12h", "٣d", "999999w", "9999999s"]
BAD_REGIONS = [
    "x.evil.example/",
    "x.evil.example",
    "evil.example#",
    "evil.example?",
    "user@evil.example",
    "cn-north-4/",
    "cn-north-4:443",
    "cn-north-4\n",
    "cn-north-4 ",
    "CN-NORTH-4",
    "cn_north_4",
    "-cn",
    "cn-",
    "..",
    "%2e%2e",
    "größe",
    "\uff43\uff4e",
    LONG,
]
BAD_CLOUDS = [
    "evil.example/",
    "evil.example/x",
    "user@evil.example",
    "user:word@evil.example",
    "evil.example:443",
    "evil.example?",
    "evil.example#",
    "https://evil.example",
    ".evil.example",
    "evil.example.",
    "evil..example",
    "evil",
    "EVIL.EXAMPLE",
    "evil .example",
    "evil.example\n",
    "größe.example",
    LONG,
]
BAD_ENDPOINTS = [
    "http://dcs.evil.example",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://169.254.169.254",
    "http://0.0.0.0",
    "http://2130706433",
    "http://[::ffff:10.0.0.1]",
    "HTTP://evil.example",
    "https://user:word@evil.example",
    "https://user@evil.example",
    "https://@evil.example",
    "http://127.0.0.1:80@evil.example",
    "https://evil.example/path",
    "https://evil.example/v3/../x",
    "https://evil.example?x=1",
    "https://evil.example?",
    "https://evil.example#x",
    "https://evil.example#",
    "https://evil.example;x",
    "https://evil.example:99999",
    "https://evil.example:port",
    "https://evil.example:-1",
    "https://evil example",
    " https://evil.example",
    "https://evil.example\n",
    "https://evil.example\r\nX-Injected: 1",
    "https://evil.example\\@127.0.0.1",
    "https://-evil.example",
    "https://evil..example",
    "https://größe.example",
    "https://",
    "https:///evil.example",
    "https:evil.example",
    "//evil.example",
    "evil.example",
    "ftp://evil.example",
    "file:///etc/passwd",
    "https://[evil.example",
    "https://" + LONG,
]
BAD_NUMBERS = {
    "connect_timeout": [0, -1, 3601, 10**12],
    "max_concurrency": [0, -1, 65, 10**12],
    "read_timeout": [0, -1, 3601],
    "retries": [-1, 21, 10**12],
    "deadline": [0, -1, 7 * 86400 + 1],
}
BAD_WAITING = {"wait_timeout": [-1, 7 * 86400 + 1], "wait_interval": [0, -1, 3601]}


def matrix(*table):
    """Cases of (module, option, value)."""
    return [
        (name, option, value)
        for names, options, values in table
        for name in names
        for option in options
        for value in values
    ]


def shortened(value):
    return repr(value) if len(repr(value)) <= 40 else repr(value)[:40]


@pytest.fixture
def refused(sim, monkeypatch):
    """Run a module, and see that it fails with one sentence that names the option, before anything is sent."""

    def run(name, option, *, code="InvalidOption", environ=None, options=None, least=None, **changes):
        left = []

        def leave(*target, **_keywords):
            left.append(target)
            raise OSError("nothing may leave")

        with monkeypatch.context() as patches:
            patches.setattr(socket, "getaddrinfo", leave)
            patches.setattr(socket.socket, "connect", lambda _socket, address: leave(address))
            base = signed_in(sim) if options is None else options
            result = run_module(
                name, {**base, **(MODULES[name] if least is None else least), **changes}, environ=environ
            )
        assert left == []
        assert sim.journal() == []
        assert result["failed"] is True, result
        message = result["msg"]
        assert option in message
        assert "\n" not in message
        assert len(message) <= LONGEST_SENTENCE, len(message)
        assert message.endswith(".")
        assert message.isprintable(), message
        assert "Traceback" not in str(result)
        if code is not None:
            assert result["failure"]["code"] == code
            assert result["failure"]["http_status"] is None
            assert result["failure"]["retryable"] is False
            assert result["changed"] is False
        return result

    return run


@in_rows(
    ("name", "option", "value"),
    matrix(
        (["dcs_task"], ["instance", "instance_id"], BAD_IDS),
        (["dcs_resize_cancel"], ["instance", "task_id"], BAD_IDS),
        (["dds_scheduled_job_info"], ["instances", "job_ids"], BAD_IDS),
        (["dcs_task_info"], ["instances", "task_ids"], BAD_IDS),
        (["dcs_task"], ["task_ids"], BAD_IDS),
        (["dds_scheduled_job"], ["job_ids"], BAD_IDS),
    ),
    by=2,
)
def test_ids(refused, name, option, value):
    changes = {option: [TASK, value] if option.endswith("s") else value}
    if option == "instance_id":
        changes["instance"] = value
        option = "instance"
    refused(name, option, **changes)


#: The least that a selection of background tasks needs.
SELECTION = {"instances": "all", "keep_last": 1, "state": "absent"}


@pytest.mark.parametrize("value", BAD_IDS, ids=shortened)
def test_the_instances_of_a_selection(refused, value):
    refused("dcs_task", "instances", least={**SELECTION, "instances": [INSTANCE, value]})


@pytest.mark.parametrize("value", BAD_WORDS, ids=shortened)
def test_the_names_of_a_selection(refused, value):
    refused("dcs_task", "names", least={**SELECTION, "names": ["EXTEND", value]})


@pytest.mark.parametrize("value", [*BAD_TIMES, *BAD_AGES, "2026-01-15"], ids=shortened)
def test_the_age_of_a_selection(refused, value):
    refused("dcs_task", "older_than", least={**SELECTION, "older_than": value})
    refused("dcs_task_info", "older_than", older_than=value)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        *((name, "keep_last", value) for name in ("dcs_task", "dcs_task_info") for value in (-1, 1000001)),
        *((name, "max_failures", value) for name in ("dcs_task", "dcs_task_info") for value in (0, -1, 1000001)),
        *(("dcs_task_info", "max_results", value) for value in (0, -1, 1000001)),
    ],
)
def test_numbers_of_a_selection(refused, name, option, value):
    least = {**SELECTION, option: value} if name == "dcs_task" else {option: value}
    assert str(value) in refused(name, option, least=least)["msg"]


@pytest.mark.parametrize("word", ["phases", "names", "older_than", "keep_last"])
def test_a_selection_must_say_where(refused, word):
    """The whole project is meant only where C(all) says so."""
    value = {"phases": ["failed"], "names": ["EXTEND"], "older_than": "1d", "keep_last": 0}[word]
    for state in ("absent", "finished"):
        assert "all" in refused("dcs_task", "instances", least={word: value, "state": state})["msg"]


def test_progress_needs_instances(refused):
    refused("dcs_task_info", "instances", include_progress=True)


@pytest.mark.parametrize("value", BAD_IDS, ids=shortened)
def test_the_instance_of_scheduled_jobs(refused, value):
    refused("dds_scheduled_job", "instance", least={"instance": value})


@pytest.mark.parametrize("value", BAD_IDS, ids=shortened)
def test_the_instances_of_scheduled_jobs(refused, value):
    refused("dds_scheduled_job", "instances", least={"instances": [f"{TASK}in02", value]})


@pytest.mark.parametrize("name", MODULES)
def test_project_id(refused, name):
    for value in [value for value in BAD_IDS if value]:
        refused(name, "project_id", project_id=value)


@pytest.mark.parametrize("variable", ["HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID"])
def test_project_id_of_the_environment(refused, sim, variable):
    options = {**signed_in(sim), "project_id": None}
    refused("dcs_task_info", "project_id", options=options, environ={variable: "../../v3/auth"})


@pytest.mark.parametrize("name", MODULES)
def test_project_name(refused, name):
    for value in ["a\nb", "\x7f", LONG]:
        refused(name, "project_name", project_name=value)


@pytest.mark.parametrize(
    ("name", "option", "value"),
    matrix(
        (["dcs_task_info"], ["names", "statuses"], BAD_WORDS),
        (["dds_scheduled_job_info"], ["job_names", "statuses"], BAD_WORDS),
    ),
    ids=shortened,
)
def test_words(refused, name, option, value):
    refused(name, option, **{option: ["EXTEND", value]})


@pytest.mark.parametrize("name", ["dcs_instance_info", "dds_instance_info"])
@pytest.mark.parametrize("value", [*BAD_IDS, "redis-sessions-prod", TASK, JOB + "0"], ids=shortened)
def test_ids_of_instances(refused, name, value):
    good = INSTANCE if name.startswith("dcs") else f"{TASK}in02"
    assert "names" in refused(name, "ids", ids=[good, value])["msg"]


@pytest.mark.parametrize("name", ["dcs_instance_info", "dds_instance_info"])
@pytest.mark.parametrize("option", ["names", "statuses", "engines"])
@pytest.mark.parametrize("value", BAD_WORDS, ids=shortened)
def test_words_of_instances(refused, name, option, value):
    refused(name, option, **{option: ["good", value]})


@pytest.mark.parametrize("name", ["dcs_instance_info", "dds_instance_info"])
@pytest.mark.parametrize("key", [*BAD_WORDS, ",", "=", "a,b", "a=b"], ids=shortened)
def test_keys_of_tags(refused, name, key):
    refused(name, "tags", tags={"good": "x", key: "x"})


@pytest.mark.parametrize("name", ["dcs_instance_info", "dds_instance_info"])
@pytest.mark.parametrize("value", [True, False, 1.5, [], ["x"], {}, {"a": "b"}], ids=str)
def test_values_of_tags(refused, name, value):
    assert "'good'" in refused(name, "tags", tags={"good": value})["msg"]


@pytest.mark.parametrize("value", BAD_WORDS, ids=shortened)
def test_job_names_of_an_instance(refused, value):
    refused("dds_scheduled_job", "job_names", least={"instance": INSTANCE, "job_names": [value]})
    refused("dds_scheduled_job", "job_names", least={"job_names": ["REBOOT", value]})


def test_all_pending_is_said_alone(refused):
    refused("dds_scheduled_job", "all_pending", least={})
    refused("dds_scheduled_job", "all_pending", least={"all_pending": False})
    for option in ("job_ids", "instances", "job_names"):
        for value in ([], ["REBOOT"]):
            message = refused("dds_scheduled_job", "all_pending", least={"all_pending": True, option: value})["msg"]
            assert option in message


@pytest.mark.parametrize("value", [0, -1, 1000001])
def test_max_failures_of_scheduled_jobs(refused, value):
    assert str(value) in refused("dds_scheduled_job", "max_failures", max_failures=value)["msg"]


@in_rows(
    ("name", "option", "value"),
    matrix(
        (["dcs_task_info", "dds_scheduled_job_info"], ["start_time", "end_time"], BAD_TIMES + BAD_AGES),
        (["dds_scheduled_job_info", "dds_scheduled_job"], ["lookback"], BAD_TIMES + BAD_AGES + ["2026-01-15"]),
    ),
    by=2,
)
def test_times(refused, name, option, value):
    refused(name, option, **{option: value})


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("dcs_task_info", {"start_time": "1d", "end_time": "2d"}),
        ("dds_scheduled_job_info", {"start_time": "1d", "end_time": "2d"}),
        ("dds_scheduled_job_info", {"end_time": "2020-01-01"}),
        ("dds_scheduled_job_info", {"lookback": "1d", "end_time": "2d"}),
    ],
    ids=str,
)
def test_a_window_that_ends_before_it_begins(refused, name, changes):
    result = refused(name, "start_time", **changes)
    assert "end_time" in result["msg"]


@in_rows(
    ("name", "option", "value"),
    [
        *((name, option, value) for name in MODULES for option, values in BAD_NUMBERS.items() for value in values),
        *(
            (name, option, value)
            for name in ("dcs_task", "dcs_resize_cancel", "dds_scheduled_job")
            for option, values in BAD_WAITING.items()
            for value in values
        ),
    ],
    by=1,
)
def test_numbers(refused, name, option, value):
    assert str(value) in refused(name, option, **{option: value})["msg"]


@pytest.mark.parametrize("name", MODULES)
def test_region(refused, name):
    for value in BAD_REGIONS:
        refused(name, "region", region=value)


@pytest.mark.parametrize("variable", ["HW_REGION_NAME", "OS_REGION_NAME"])
def test_region_of_the_environment(refused, sim, variable):
    for value in BAD_REGIONS:
        options = {**signed_in(sim), "region": None}
        refused("dds_scheduled_job_info", "region", options=options, environ={variable: value})


@pytest.mark.parametrize("name", MODULES)
def test_cloud(refused, name):
    for value in BAD_CLOUDS:
        refused(name, "cloud", cloud=value)


def test_cloud_of_the_environment(refused):
    for value in BAD_CLOUDS:
        refused("dcs_task_info", "cloud", environ={"HW_CLOUD": value})


@pytest.mark.parametrize("name", MODULES)
def test_endpoints(refused, sim, name):
    for value in BAD_ENDPOINTS:
        # IAM is only used for some ways to sign in, but an endpoint for it is checked all the same.
        service = "iam" if name == "dcs_task" else name[:3]
        endpoints = {**connection(sim)["endpoints"], service: value}
        result = refused(name, f"endpoints.{service}", endpoints=endpoints)
        assert "user:word" not in str(result)


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        ("dcs", "HUAWEICLOUD_SDK_REGION_DCS_SIM_REGION_1"),
        ("dds", "HUAWEICLOUD_SDK_REGION_DDS_SIM_REGION_1"),
        ("iam", "HUAWEICLOUD_SDK_REGION_IAM_SIM_REGION_1"),
        ("iam", "HUAWEICLOUD_SDK_IAM_ENDPOINT"),
        ("iam", "HW_AUTH_URL"),
        ("iam", "OS_AUTH_URL"),
    ],
)
def test_endpoints_of_the_environment(refused, sim, service, variable):
    for value in BAD_ENDPOINTS:
        endpoints = {**connection(sim)["endpoints"], service: None}
        result = refused("dcs_task_info", variable, endpoints=endpoints, environ={variable: value})
        assert "user:word" not in str(result)


def test_ca_path_that_does_not_exist(refused):
    refused("dcs_task_info", "ca_path", ca_path="/nowhere/ca.pem")
    refused("dcs_task_info", "ca_path", environ={"OS_CACERT": "/nowhere/ca.pem"})


def test_missing_region(refused, sim):
    for name in MODULES:
        options = {option: signed_in(sim)[option] for option in (*CREDENTIALS, "project_id")}
        refused(name, "region", options=options)
        refused(name, "region", options={**options, "region": ""})


@pytest.mark.parametrize("name", MODULES)
def test_nothing_to_find_the_project_by(refused, sim, name):
    refused(name, "project_id", options={**signed_in(sim), "project_id": None, "region": None})


# --- Credentials -----------------------------------------------------------------------------------------------------

VALUES = {
    "access_key": "EXAMPLEACCESSKEY",
    "secret_key": "example-secret-key-value",
    "security_token": "example-security-token-value",
    "username": "operator",
    "password": "example-password-value",
    "domain_name": "example-account",
}
#: What is given, and what must be named as missing.
INCOMPLETE = [
    (["access_key"], ["secret_key"]),
    (["secret_key"], ["access_key"]),
    (["security_token"], ["access_key", "secret_key"]),
    (["access_key", "security_token"], ["secret_key"]),
    (["secret_key", "security_token"], ["access_key"]),
    (["username"], ["password", "domain_name"]),
    (["password"], ["username", "domain_name"]),
    (["username", "password"], ["domain_name"]),
    (["username", "domain_name"], ["password"]),
    (["password", "domain_name"], ["username"]),
    (["access_key", "username"], ["secret_key"]),
]
FAMILIES = {
    "HW_*": {
        "access_key": "HW_ACCESS_KEY",
        "secret_key": "HW_SECRET_KEY",
        "security_token": "HW_SECURITY_TOKEN",
        "username": "HW_USER_NAME",
        "password": "HW_USER_PASSWORD",
        "domain_name": "HW_DOMAIN_NAME",
    },
    "OS_*": {
        "access_key": "OS_ACCESS_KEY",
        "secret_key": "OS_SECRET_KEY",
        "security_token": "OS_SECURITY_TOKEN",
        "username": "OS_USERNAME",
        "password": "OS_PASSWORD",
        "domain_name": "OS_USER_DOMAIN_NAME",
    },
    "HUAWEICLOUD_SDK_*": {
        "access_key": "HUAWEICLOUD_SDK_AK",
        "secret_key": "HUAWEICLOUD_SDK_SK",
        "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    },
}
SECRET_VALUES = [VALUES[name] for name in ("secret_key", "security_token", "password")]


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(("given", "missing"), INCOMPLETE, ids=str)
def test_incomplete_credentials_in_options(refused, sim, name, given, missing):
    options = {**connection(sim), **{option: VALUES[option] for option in given}}
    result = refused(name, missing[0], code="IncompleteCredentials", options=options)
    assert all(option in result["msg"] for option in missing)
    assert not any(secret in str(result) for secret in SECRET_VALUES)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("given", "missing"), INCOMPLETE, ids=str)
def test_incomplete_credentials_in_the_environment(refused, sim, family, given, missing):
    variables = FAMILIES[family]
    if not set(given) <= set(variables):
        given, missing = ["access_key"], ["secret_key"]
    environ = {variables[option]: VALUES[option] for option in given}
    result = refused(
        "dcs_task_info",
        variables[missing[0]],
        code="IncompleteCredentials",
        options=connection(sim),
        environ=environ,
    )
    assert family in result["msg"]
    assert all(variables[option] in result["msg"] for option in missing)
    assert not any(secret in str(result) for secret in SECRET_VALUES)


@pytest.mark.parametrize(
    ("options", "environ", "missing"),
    [
        ({"access_key": "AK"}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": "a-secret"}, "secret_key"),
        ({"username": "u"}, {"HW_AUTH_TOKEN": "a-token-value"}, "password"),
        ({}, {"HUAWEICLOUD_SDK_AK": "AK", "HW_SECRET_KEY": "a-secret"}, "HUAWEICLOUD_SDK_SK"),
        ({}, {"HW_ACCESS_KEY": "AK", "OS_SECRET_KEY": "a-secret"}, "HW_SECRET_KEY"),
        ({}, {"HW_ACCESS_KEY": "AK", "HW_SECRET_KEY": ""}, "HW_SECRET_KEY"),
        ({"access_key": "AK", "secret_key": ""}, {}, "secret_key"),
    ],
    ids=str,
)
def test_sources_are_never_mixed(refused, sim, options, environ, missing):
    refused(
        "dds_scheduled_job",
        missing,
        code="IncompleteCredentials",
        options={**connection(sim), **options},
        environ=environ,
    )


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("options", [{}, {"access_key": "", "secret_key": ""}, {"domain_name": "account"}], ids=str)
def test_no_credentials(refused, sim, name, options):
    result = refused(name, "access_key", code="MissingCredentials", options={**connection(sim), **options})
    assert "HW_ACCESS_KEY" in result["msg"]


@pytest.mark.parametrize(
    ("option", "others"),
    [
        ("auth_token", {}),
        ("access_key", {"secret_key": "example-secret-key-value"}),
        ("security_token", {"access_key": "AK", "secret_key": "example-secret-key-value"}),
    ],
)
@pytest.mark.parametrize("value", ["a-value\n", "a-value\r\nX-Injected: 1", "a value", "a-välue"], ids=repr)
def test_credentials_that_cannot_be_a_header_are_not_quoted(refused, sim, option, others, value):
    result = refused("dcs_task_info", option, options={**connection(sim), **others, option: value})
    assert value.strip() not in result["msg"]


@pytest.mark.parametrize("value", ["AK,Signature=x", "AK=x"])
def test_an_access_key_cannot_add_to_the_signature(refused, sim, value):
    options = {**connection(sim), "access_key": value, "secret_key": "example-secret-key-value"}
    refused("dcs_task_info", "access_key", options=options)


# --- What Ansible itself refuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "option", "changes"),
    [
        ("dcs_task_info", "phases", {"phases": ["sleeping"]}),
        ("dds_scheduled_job_info", "phases", {"phases": [""]}),
        ("dcs_task", "state", {"state": "gone"}),
        ("dcs_task", "task_ids", {"task_ids": None}),
        ("dcs_task", "instances", {"instances": ["redis-a"]}),
        ("dcs_task", "phases", {"phases": ["failed"]}),
        ("dcs_task", "keep_last", {"keep_last": 0}),
        ("dcs_task", "max_failures", {"max_failures": "few"}),
        ("dcs_task_info", "include_progress", {"include_progress": "perhaps"}),
        ("dcs_task_info", "max_results", {"max_results": "many"}),
        ("dcs_task", "accepted_phases", {"accepted_phases": ["pending"]}),
        ("dcs_resize_cancel", "wait", {"wait": "perhaps"}),
        ("dcs_resize_cancel", "instance", {"instance": None}),
        ("dds_scheduled_job", "missing_ok", {"missing_ok": "perhaps"}),
        ("dds_scheduled_job", "all_pending", {"all_pending": "perhaps"}),
        ("dds_scheduled_job", "max_failures", {"max_failures": "few"}),
        ("dcs_task_info", "retries", {"retries": "often"}),
        ("dcs_task_info", "deadline", {"deadline": 1.5}),
        ("dcs_task_info", "validate_certs", {"validate_certs": "perhaps"}),
        ("dcs_task_info", "endpoints", {"endpoints": {"rds": "https://evil.example"}}),
        ("dcs_task_info", "instanzes", {"instanzes": ["a"]}),
        ("dcs_instance_info", "tags", {"tags": ["environment"]}),
    ],
    ids=str,
)
def test_what_ansible_refuses_names_the_option_too(sim, name, option, changes):
    result = run_module(name, {**signed_in(sim), **MODULES[name], **changes})
    assert result["failed"] is True
    assert option in result["msg"]
    assert sim.journal() == []


# --- The same by real ansible-playbook -------------------------------------------------------------------------------


def test_by_real_ansible_playbook(sim, play):
    evil = {**connection(sim)["endpoints"], "dcs": "http://dcs.evil.example"}
    cases = {
        "region": ("dcs_task_info", {"region": "x.evil.example/"}),
        "endpoints.dcs": ("dcs_task_info", {"endpoints": evil}),
        "task_ids": ("dcs_task", {**MODULES["dcs_task"], "task_ids": ["a/b"]}),
        "task_id": ("dcs_resize_cancel", {**MODULES["dcs_resize_cancel"], "task_id": "{{ '' }}"}),
        "lookback": ("dds_scheduled_job", {**MODULES["dds_scheduled_job"], "lookback": "soon"}),
        "secret_key": ("dds_scheduled_job_info", {"secret_key": ""}),
        "retries": ("dds_scheduled_job_info", {"retries": -1}),
    }
    run = play(
        [
            {"name": option, f"hwcloud.maintenance.{name}": options, "ignore_errors": True}
            for option, (name, options) in cases.items()
        ]
    )
    assert run.returncode == 0, run.output
    assert {entry["status"] for entry in run.results} == {"failed"}
    for option in cases:
        result = run.result(option)
        assert option in result["msg"]
        assert "\n" not in result["msg"]
        code = "IncompleteCredentials" if option == "secret_key" else "InvalidOption"
        assert result["failure"]["code"] == code
    assert sim.journal() == []
    assert "Traceback" not in run.output
