# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Credentials: which source wins, what is said about an incomplete one, and how a project is found."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from ansible_collections.hwcloud.maintenance.plugins.module_utils._account import LIST_PROJECTS, Account
from ansible_collections.hwcloud.maintenance.plugins.module_utils._credentials import (
    ENVIRONMENT,
    SETTINGS,
    Credentials,
    find_credentials,
    find_settings,
    is_hidden,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    AnswerError,
    ConfigError,
    RefusedError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer
from ansible_collections.hwcloud.maintenance.plugins.module_utils._password import CREATE_TOKEN

KINDS = {
    "token": ("auth_token",),
    "key": ("access_key", "secret_key"),
    "temporary": ("access_key", "secret_key", "security_token"),
    "password": ("username", "password", "domain_name"),
}

#: The name of each option in each source, from the first that is tried to the last.
NAMES = {
    "the task's options": {name: name for kind in KINDS.values() for name in kind},
    "the environment (HUAWEICLOUD_SDK_*)": {
        "access_key": "HUAWEICLOUD_SDK_AK",
        "secret_key": "HUAWEICLOUD_SDK_SK",
        "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    },
    "the environment (HW_*)": {
        "auth_token": "HW_AUTH_TOKEN",
        "access_key": "HW_ACCESS_KEY",
        "secret_key": "HW_SECRET_KEY",
        "security_token": "HW_SECURITY_TOKEN",
        "username": "HW_USER_NAME",
        "user_id": "HW_USER_ID",
        "password": "HW_USER_PASSWORD",
        "domain_name": "HW_DOMAIN_NAME",
        "domain_id": "HW_DOMAIN_ID",
    },
    "the environment (OS_*)": {
        "auth_token": "OS_AUTH_TOKEN",
        "access_key": "OS_ACCESS_KEY",
        "secret_key": "OS_SECRET_KEY",
        "security_token": "OS_SECURITY_TOKEN",
        "username": "OS_USERNAME",
        "user_id": "OS_USER_ID",
        "password": "OS_PASSWORD",
        "passcode": "OS_PASSCODE",
        "domain_name": "OS_USER_DOMAIN_NAME",
        "domain_id": "OS_USER_DOMAIN_ID",
    },
}
SOURCES = list(NAMES)
#: Each kind in each source that can hold it, best first.
SETS = [
    (source, kind)
    for source in SOURCES
    for kind in ("token", "temporary", "password")
    if set(KINDS[kind]) <= set(NAMES[source])
]


def place(options, environ, source, given, mark=""):
    """Put values for these options into a source, under the names that they have there."""
    where = options if source == SOURCES[0] else environ
    values = {name: f"{name}-{mark or SOURCES.index(source)}" for name in given}
    where.update((NAMES[source][name], value) for name, value in values.items())
    return values


def test_every_source_is_in_this_table():
    assert [f"the environment ({family})" for family, _names in ENVIRONMENT] == SOURCES[1:]
    for (_family, variables), source in zip(ENVIRONMENT, SOURCES[1:]):
        assert {option: names[0] for option, names in variables.items()} == NAMES[source]


@pytest.mark.parametrize(("source", "kind"), [*SETS, *((source, "key") for source in SOURCES)])
def test_each_source_alone(source, kind):
    options, environ = {}, {}
    values = place(options, environ, source, KINDS[kind])
    found = find_credentials(options, environ)
    assert found == Credentials(values, source)


@pytest.mark.parametrize(("better", "worse"), list(itertools.combinations(SETS, 2)))
def test_each_pair(better, worse):
    options, environ = {}, {}
    place(options, environ, worse[0], KINDS[worse[1]], mark="worse")
    values = place(options, environ, better[0], KINDS[better[1]], mark="better")
    assert find_credentials(options, environ) == Credentials(values, better[0])


INCOMPLETE = [
    (("access_key",), ("secret_key",)),
    (("secret_key",), ("access_key",)),
    (("security_token",), ("access_key", "secret_key")),
    (("access_key", "security_token"), ("secret_key",)),
    (("secret_key", "security_token"), ("access_key",)),
    (("username",), ("password", "domain_name")),
    (("password",), ("username", "domain_name")),
    (("username", "password"), ("domain_name",)),
    (("username", "domain_name"), ("password",)),
    (("password", "domain_name"), ("username",)),
]


@pytest.mark.parametrize(
    ("source", "given", "missing"),
    [(source, *case) for source in SOURCES for case in INCOMPLETE if set(case[0]) <= set(NAMES[source])],
)
@pytest.mark.parametrize("rest_is_complete", [False, True])
def test_incomplete(source, given, missing, rest_is_complete):
    names = NAMES[source]
    options, environ = {}, {}
    if rest_is_complete:
        for later in SOURCES[SOURCES.index(source) + 1 :]:
            place(options, environ, later, KINDS["key"])
    values = place(options, environ, source, given)
    with pytest.raises(ConfigError) as caught:
        find_credentials(options, environ)
    message = str(caught.value)
    start, _semicolon, end = message.partition("; ")
    assert start.startswith(f"The credentials in {source} are incomplete: ")
    said = start.partition(": ")[2]
    has, _need, needs = said.partition(" needs " if len(given) == 1 else " need ")
    assert has.split(" and ") == [names[name] for name in sorted(given, key=list(names).index)]
    assert needs.removesuffix(" too").split(" and ") == [names[name] for name in missing]
    assert end == "sources are never mixed."
    assert caught.value.failure()["code"] == "IncompleteCredentials"
    assert not any(value in message for value in values.values())


@pytest.mark.parametrize(
    ("first", "second"), [(source, other) for source in SOURCES for other in SOURCES if source != other]
)
def test_halves_of_two_sources_are_never_mixed(first, second):
    options, environ = {}, {}
    place(options, environ, first, ["access_key"])
    place(options, environ, second, ["secret_key"])
    with pytest.raises(ConfigError, match="incomplete"):
        find_credentials(options, environ)


def test_security_token_of_another_source_is_not_taken():
    options, environ = {}, {}
    values = place(options, environ, SOURCES[0], KINDS["key"])
    place(options, environ, SOURCES[2], ["security_token"])
    assert find_credentials(options, environ).values == values


def test_a_domain_name_alone_means_nothing():
    """HW_DOMAIN_NAME is set for other tools too; it must not spoil an access key of a later source."""
    options, environ = {}, {}
    place(options, environ, SOURCES[2], ["domain_name"])
    values = place(options, environ, SOURCES[3], KINDS["key"])
    assert find_credentials(options, environ) == Credentials(values, SOURCES[3])


def test_second_name_of_the_domain():
    environ = {"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_DOMAIN_NAME": "second"}
    assert find_credentials({}, environ).values["domain_name"] == "second"
    environ["OS_USER_DOMAIN_NAME"] = "first"
    assert find_credentials({}, environ).values["domain_name"] == "first"


@pytest.mark.parametrize("empty", ["", None])
def test_empty_is_not_given(empty):
    options = dict.fromkeys(NAMES[SOURCES[0]], empty)
    environ = {name: "" for source in SOURCES[1:] for name in NAMES[source].values()}
    with pytest.raises(ConfigError, match=r"^No credentials were given: set access_key and secret_key, or") as caught:
        find_credentials(options, environ)
    assert caught.value.code == "MissingCredentials"
    values = place(options, environ, SOURCES[3], KINDS["key"])
    assert find_credentials(options, environ) == Credentials(values, SOURCES[3])


def test_repr_shows_no_secret():
    credentials = Credentials({name: f"hidden-{name}" for name in NAMES[SOURCES[0]]}, "the task's options")
    for text in (repr(credentials), str(credentials), f"{credentials}", repr([credentials])):
        assert "hidden-" not in text
        assert "the task's options" in text


@pytest.mark.parametrize(
    ("source", "kind", "name"),
    [
        (source, kind, name)
        for source in SOURCES
        for kind in ("token", "temporary")
        for name in KINDS[kind]
        if name in NAMES[source]
    ],
)
@pytest.mark.parametrize("form", ["{}\n", "\n{}", "{}\r\nX-Evil: 1", "{}\x00"])
def test_broken_value_is_refused_without_quoting_it(source, kind, name, form):
    options, environ = {}, {}
    place(options, environ, source, KINDS[kind])
    where = options if source == SOURCES[0] else environ
    where[NAMES[source][name]] = form.replace("{}", "sesame")
    with pytest.raises(ConfigError) as caught:
        find_credentials(options, environ)
    assert str(caught.value).startswith(f"{NAMES[source][name]} in {source} must ")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("name", ["auth_token", "access_key", "security_token"])
@pytest.mark.parametrize("value", ["ses ame", "sésame", "sesаme", "sesame\x7f", "sesame\u2028"])  # noqa: RUF001
def test_header_value_must_be_ascii(name, value):
    options = {"access_key": "a", "secret_key": "s", name: value}
    with pytest.raises(ConfigError, match=rf"^{name} in the task's options must consist of printable ASCII"):
        find_credentials(options, {})


@pytest.mark.parametrize("value", ["A,SignedHeaders=x", "A=B", "A,"])
def test_access_key_cannot_forge_the_header(value):
    with pytest.raises(ConfigError, match=r"^access_key in the task's options must be an access key id"):
        find_credentials({"access_key": value, "secret_key": "s"}, {})


def test_password_may_be_anything():
    options = {"username": "ü ser", "password": "pass wörd, =\"'", "domain_name": "d ö"}
    assert find_credentials(options, {}).values == options


@pytest.mark.parametrize("option", SETTINGS)
def test_setting_precedence(option):
    environ = {name: f"from {name}" for name in SETTINGS[option]}

    def setting(option, options, environ):
        return find_settings(options, environ, {})[option]

    assert setting(option, {option: "given"}, environ) == "given"
    for name in SETTINGS[option]:
        assert setting(option, {option: ""}, environ) == f"from {name}"
        environ[name] = ""
    assert setting(option, {option: None}, environ) is None
    assert setting(option, {}, {}) is None


class FakeClient:
    """Plays a list of answers, and keeps what was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.calls = []
        self.secrets = []
        self.words = []

    def keep_word(self, value):
        self.words.append(value)

    def keep_secret(self, value):
        if value:
            self.secrets.append(value)

    def request(self, operation, base_url, **keywords):
        self.calls.append((operation, base_url, keywords))
        return self.answers.pop(0)


def projects(*entries):
    return Answer(200, {}, {"projects": [{"id": id_, "name": name} for id_, name in entries]}, False)


def token(value="token-number-one-1", project="p-1"):
    return Answer(201, {"X-Subject-Token": value}, {"token": {"project": {"id": project}}}, False)


KEY = {"access_key": "AK", "secret_key": "SK-secret"}
PASSWORD = {"username": "u", "password": "pw-secret", "domain_name": "d"}


def account(client, values=None, *, region="cn-north-4", project_id=None, project_name=None, kept=None):
    overrides = None if region else {"iam": "https://iam.example.com"}
    return Account(
        client,
        Endpoints(region, None, overrides, {}),
        Credentials(values or KEY, "x"),
        project_id,
        project_name,
        (kept if kept is not None else []).append,
    )


def test_known_project_costs_no_request():
    client = FakeClient()
    assert account(client, project_id="p-0").project_id == "p-0"
    assert client.calls == []


@pytest.mark.parametrize(
    ("region", "project_name", "asked"),
    [
        ("cn-north-4", None, "cn-north-4"),
        ("cn-north-4", "cn-north-4_staging", "cn-north-4_staging"),
        (None, "cn-north-1_x", "cn-north-1_x"),
    ],
)
def test_project_is_looked_up_once_by_exact_name(region, project_name, asked):
    client = FakeClient(projects(("p-1", asked), ("p-2", asked + "_other"), ("p-3", asked.upper()), ("p-4", None)))
    made = account(client, region=region, project_name=project_name)
    assert (made.project_id, made.project_id) == ("p-1", "p-1")
    ((operation, base_url, keywords),) = client.calls
    assert operation is LIST_PROJECTS
    assert base_url == ("https://iam.cn-north-4.myhuaweicloud.com" if region else "https://iam.example.com")
    assert keywords["query"] == {"name": asked}
    assert keywords["auth"] == made.authenticate


@pytest.mark.parametrize(
    ("entries", "code", "said"),
    [
        ([], "NotFound", "no project of this user has it"),
        ([("p-2", "cn-north-4_other")], "NotFound", "no project of this user has it"),
        ([("p-2", "cn-north-4"), ("p-1", "cn-north-4")], "Ambiguous", "several projects have it: p-1, p-2"),
    ],
)
def test_no_project_or_several(entries, code, said):
    with pytest.raises(RefusedError, match=said) as caught:
        _unused = account(FakeClient(projects(*entries))).project_id
    assert caught.value.code == code
    assert "cn-north-4" in str(caught.value)
    assert caught.value.failure()["operation"] == LIST_PROJECTS.name


@pytest.mark.parametrize("data", [None, [], {}, {"projects": None}, {"projects": {}}, "text", 5])
def test_project_list_of_the_wrong_shape(data):
    with pytest.raises(AnswerError, match="without a list of projects"):
        _unused = account(FakeClient(Answer(200, {}, data, False))).project_id


def test_odd_entries_are_no_projects():
    data = {"projects": [None, [], "x", {"name": "cn-north-4"}, {"id": 5, "name": "cn-north-4"}, {"id": "p"}]}
    with pytest.raises(RefusedError, match="no project"):
        _unused = account(FakeClient(Answer(200, {}, data, False))).project_id


def test_nothing_to_look_up_by():
    client = FakeClient()
    with pytest.raises(ConfigError, match=r"^project_id is missing: set it, or project_name, or region"):
        _unused = account(client, region=None).project_id
    assert client.calls == []


@pytest.mark.parametrize(
    ("known", "name", "scope"),
    [
        ("p-1", None, {"id": "p-1"}),
        ("p-1", "ignored", {"id": "p-1"}),
        (None, None, {"name": "cn-north-4"}),
        (None, "x_y", {"name": "x_y"}),
    ],
)
def test_sign_in(known, name, scope):
    client, kept = FakeClient(token()), []
    made = account(client, PASSWORD, project_id=known, project_name=name, kept=kept)
    assert client.calls == [], "nothing is sent before it is needed"
    assert (made.project_id, made.project_id) == ("p-1", "p-1")
    ((operation, base_url, keywords),) = client.calls
    assert (operation, base_url) == (CREATE_TOKEN, "https://iam.cn-north-4.myhuaweicloud.com")
    assert keywords["query"] == {"nocatalog": "true"}
    assert keywords["body"]["auth"] == {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "u", "password": "pw-secret", "domain": {"name": "d"}}},
        },
        "scope": {"project": scope},
    }
    assert keywords.get("auth") is None
    assert kept == client.secrets == ["pw-secret", "token-number-one-1"]
    request = SimpleNamespace(headers={})
    assert made.authenticate(request) is request
    assert request.headers == {"X-Auth-Token": "token-number-one-1"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(201, {}, {"token": {"project": {"id": "p"}}}, False),
        Answer(201, {"X-Subject-Token": ""}, {"token": {"project": {"id": "p"}}}, False),
        *(
            Answer(201, {"X-Subject-Token": "T"}, data, False)
            for data in (
                None,
                [],
                "x",
                {},
                {"token": None},
                {"token": {}},
                {"token": {"project": []}},
                {"token": {"project": {"id": None}}},
                {"token": {"project": {"id": ""}}},
                {"token": {"project": {"id": 5}}},
                {"token": {"domain": {"id": "d"}}},
            )
        ),
    ],
)
def test_sign_in_without_token_or_project(answer):
    with pytest.raises(AnswerError, match="without a token for a project"):
        _unused = account(FakeClient(answer), PASSWORD).project_id


@pytest.mark.parametrize("values", [KEY, {**KEY, "security_token": "ST"}, {"auth_token": "token-number-0"}])
def test_renew_does_nothing_without_a_password(values):
    client = FakeClient()
    assert account(client, values, project_id="p").renew() is False
    assert client.calls == []


def test_renew_signs_in_again():
    client, kept = FakeClient(token("token-number-one-1"), token("token-number-two-2")), []
    made = account(client, PASSWORD, kept=kept)
    assert made.project_id == "p-1"
    assert made.renew() is True
    request = SimpleNamespace(headers={})
    made.authenticate(request)
    assert request.headers == {"X-Auth-Token": "token-number-two-2"}
    assert kept == ["pw-secret", "token-number-one-1", "token-number-two-2"]
    assert client.calls[1][2]["body"]["auth"]["scope"] == {"project": {"id": "p-1"}}


def test_given_token_is_used_as_it_is():
    client = FakeClient()
    made = account(client, {"auth_token": "token-number-0"}, project_id="p")
    request = SimpleNamespace(headers={})
    made.authenticate(request)
    assert request.headers == {"X-Auth-Token": "token-number-0"}
    assert client.secrets == ["token-number-0"]
    assert client.calls == []


def test_secrets_are_kept_from_the_start():
    client, kept = FakeClient(), []
    account(client, {**KEY, "security_token": "ST-secret"}, kept=kept)
    assert sorted(client.secrets) == sorted(kept) == ["SK-secret", "ST-secret"]


@pytest.mark.parametrize(
    ("option", "value", "hidden"),
    [
        ("password", "seven-7", False),
        ("password", "eight-88", True),
        ("auth_token", "T", False),
        ("secret_key", "x" * 40, True),
        ("security_token", "", False),
        ("passcode", "123456", False),
        ("passcode", "12345678", False),
        ("passcode", "a password", True),
    ],
)
def test_what_is_hidden_wherever_it_shows(option, value, hidden):
    assert is_hidden(option, value) is hidden


def test_short_secrets_and_passcodes_are_hidden_in_answers_of_signing_in_only():
    client, kept = FakeClient(), []
    account(client, {"user_id": "u", "password": "seven-7", "passcode": "12345678"}, kept=kept)
    assert (client.secrets, sorted(client.words), kept) == ([], ["12345678", "seven-7"], [])
