# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is hidden, and what must stay readable: ids, counts and names, whatever passwords there are."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import connection, signed_in
from tests.harness.playbooks import local_play, run_playbook
from tests.harness.profiles import Home
from tests.harness.sources import CANCEL, INFO, JOBS, MACHINE_KEY, PENDING_1H, SESSION, SIGN_IN, right
from tests.inventory.runs import Ansible
from tests.modules.test_secrets import everything
from tests.simulator.identity import User
from tests.unit.loopback import Loopback, answer

NOT_SHOWN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"
#: Each occurs in ids, counts or words of the result of C(listed).
SHORT = ["1", "7", "EXT", "8119", "Pending", "810000", "83717e9"]


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home")


def readable(result: dict[str, Any]) -> None:
    """Check that ids, statuses and counts are as the service sent them; the result is that of a listing."""
    assert "failed" not in result, result
    found = {job["job_id"]: job for job in result["jobs"]}
    assert found[PENDING_1H]["job_status"] == "Pending"
    assert found[PENDING_1H]["phase"] == "pending"
    assert all(re.fullmatch("[0-9a-f-]{36}", number) for number in found)
    assert result["summary"]["total"] == len(found)
    assert isinstance(result["requests"], int)
    assert not isinstance(result["requests"], bool)
    assert "*" not in json.dumps({**result, "invocation": None})


# --- Secrets that are not used ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [*SHORT, PENDING_1H, "Pending-or-another-password"])
@pytest.mark.parametrize(
    "variable", ["OS_PASSWORD", "HW_USER_PASSWORD", "OS_PASSCODE", "OS_AUTH_TOKEN", "HW_SECRET_KEY"]
)
def test_an_unused_secret_of_the_environment_hides_nothing(sim, home, variable, value):
    result, _text = everything(INFO, signed_in(sim), {**home.environ, variable: value})
    readable(result)


@pytest.mark.parametrize("value", ["1", PENDING_1H])
def test_an_unused_secret_of_a_profile_file_hides_nothing(sim, home, value):
    home.sdk({"access_key": "A" * 20, "secret_key": value})
    result, _text = everything(INFO, signed_in(sim), home.environ)
    readable(result)


@pytest.mark.parametrize("value", [*SHORT, PENDING_1H])
@pytest.mark.parametrize("option", ["password", "passcode"])
def test_an_unused_option_is_hidden_in_the_invocation_only(sim, home, option, value):
    """An access key comes before a password."""
    result, _text = everything(INFO, {**signed_in(sim), option: value}, home.environ)
    assert result["invocation"]["module_args"][option] == NOT_SHOWN
    readable(result)


@pytest.mark.parametrize("value", ["http://ops:1@127.0.0.1:9", "http://ops:Pending@127.0.0.1:9"])
@pytest.mark.parametrize("given_by", ["option", "variable"])
def test_a_short_password_of_a_proxy_hides_only_the_url(sim, home, value, given_by):
    options, environ = signed_in(sim), home.environ
    if given_by == "option":
        options["proxy"] = value
    else:
        environ = {**environ, "HTTPS_PROXY": value}
    result, text = everything(INFO, options, environ)
    readable(result)
    assert value not in text


def test_a_proxy_that_another_one_replaces_hides_nothing(sim, home):
    proxies = {"proxy": "http://127.0.0.1:9"}, {"https_proxy": f"http://ops:{PENDING_1H}@127.0.0.1:9"}
    result, _text = everything(INFO, {**signed_in(sim), **proxies[0]}, {**home.environ, **proxies[1]})
    readable(result)
    assert result["invocation"]["module_args"]["proxy"] == "http://127.0.0.1:9"


# --- Short ones that are used ----------------------------------------------------------------------------------------


def change_user(sim: Any, number: int, **changes: str) -> User:
    """The simulator's user with this number, who has another password or passcode from now on."""
    users = sim._server.cloud.identity.users
    users[number] = replace(users[number], **changes)
    return users[number]


def user_with(sim: Any, password: str) -> dict[str, Any]:
    """Options of a user with this password, in the scenario of the tests."""
    change_user(sim, 0, password=password)
    return {
        **connection(sim),
        "username": sim.username,
        "password": password,
        "domain_name": sim.domain_name,
    }


@pytest.mark.parametrize("password", SHORT)
def test_a_short_password_is_hidden_in_the_invocation_only(sim, home, password):
    options = user_with(sim, password)
    result, _text = everything(INFO, options, home.environ)
    assert result["invocation"]["module_args"]["password"] == NOT_SHOWN
    readable(result)
    # The next task takes the ids of the first.
    again, _text = everything(
        CANCEL, {**options, "job_ids": [job["job_id"] for job in result["jobs"]][:1]}, home.environ
    )
    assert again.get("failure", {}).get("code") != "InvalidOption"


@pytest.mark.parametrize("passcode", ["810000", "123456", "499", "20261125"])
@pytest.mark.parametrize("given_by", ["option", "variable"])
def test_a_passcode_is_hidden_in_the_invocation_only(sim, home, passcode, given_by):
    user = change_user(sim, 2, totp=passcode)
    options, environ = {**connection(sim), **right(sim, "passcode")}, home.environ
    if given_by == "variable":
        environ = {
            **environ,
            **{f"OS_{name.upper()}": options.pop(name) for name in ("user_id", "password", "passcode")},
        }
    result, text = everything(INFO, options, environ)
    readable(result)
    assert result["invocation"]["module_args"]["passcode"] == (NOT_SHOWN if given_by == "option" else None)
    assert user.password not in text


@pytest.mark.parametrize("password", ["12345678", PENDING_1H])
def test_a_long_password_that_is_used_is_hidden_everywhere(sim, home, password):
    result, text = everything(INFO, user_with(sim, password), home.environ)
    assert "failed" not in result
    assert password not in text


@pytest.mark.parametrize("value", ["1", "EXT", "12345678"])
@pytest.mark.parametrize("option", ["secret_key", "password", "passcode", "auth_token", "security_token"])
def test_a_refused_task_shows_no_secret_and_all_else(sim, home, option, value):
    """Before it is known which secrets are used."""
    options = {**connection(sim), "access_key": "A" * 20, option: value, "region": "EXT-1"}
    result, text = everything(INFO, options, home.environ)
    assert result["failure"]["code"] in ("InvalidOption", "IncompleteCredentials")
    assert result["invocation"]["module_args"][option] == NOT_SHOWN
    assert "*" not in result["msg"]
    assert "12345678" not in text


@pytest.mark.parametrize("wrong", [{"deadline": "soon"}, {"phases": "done"}, {"no_such_option": 1}])
@pytest.mark.parametrize("value", ["Inv", "e", "1", "12345678"])
def test_a_task_that_ansible_refuses_shows_no_secret_and_all_else(sim, home, wrong, value):
    result, text = everything(INFO, {**user_with(sim, value), **wrong}, home.environ)
    assert result["failure"]["code"] == "InvalidOption"
    assert result["invocation"]["module_args"]["password"] == NOT_SHOWN
    assert "*" not in result["msg"]
    assert next(iter(wrong)) in result["msg"]
    assert "12345678" not in text


def test_a_number_is_a_password_too(sim, home):
    """Ansible makes text of it."""
    result, _text = everything(INFO, {**user_with(sim, "1"), "password": 1}, home.environ)
    assert result["invocation"]["module_args"]["password"] == NOT_SHOWN
    readable(result)


# --- Answers of signing in -------------------------------------------------------------------------------------------

TOKEN = "MIIN-LEAKED-token+of/the=service"
#: Requests of signing in, and options that make a task send them first.
SIGN_INS = {
    SIGN_IN: {"username": "night", "password": "Pass-LEAKED-word-1", "domain_name": "d"},
    SESSION: {"auth_method": "machine"},
    MACHINE_KEY: {"auth_method": "machine"},
    "CreateTemporaryAccessKey": {
        "access_key": "A" * 20,
        "secret_key": "s" * 40,
        "agency_name": "a",
        "agency_domain_name": "d",
    },
}
SECRET_BODIES = {
    "the token": TOKEN,
    "a page": f"<html><body>{TOKEN}</body></html>",
    "half a JSON": f'{{"token": "{TOKEN}',
    "a list": json.dumps([TOKEN]),
    "a text": json.dumps(TOKEN),
    "a message": json.dumps({"error_msg": TOKEN, "error_code": TOKEN}),
    "an inner message": json.dumps({"error": {"message": f"issued {TOKEN} to you", "code": TOKEN, "title": TOKEN}}),
    "a key": json.dumps({"credential": {"access": "A" * 20, "secret": TOKEN}}),
    "JSON in a message": json.dumps({"message": json.dumps({"credential": {"secret": TOKEN}})}),
}


@pytest.mark.parametrize("operation", SIGN_INS)
@pytest.mark.parametrize("body", SECRET_BODIES)
@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 429, 500, 503])
def test_an_answer_that_may_hold_a_secret_is_never_quoted(sim, home, no_backoff, operation, body, status):
    options = {**connection(sim), **SIGN_INS[operation], "retries": 1}
    options["endpoints"]["metadata"] = sim.url
    fault = {"status": status, "body": SECRET_BODIES[body], "headers": {"X-Subject-Token": ""}}
    sim.faults([{"operation": operation, "times": None, "fault": fault}])
    result, text = everything(INFO, options, home.environ)
    assert result["failed"] is True
    assert "LEAKED" not in text
    assert base64.b64encode(TOKEN.encode()).decode()[4:-4] not in text


@pytest.mark.parametrize("status", [201, 400, 500])
def test_the_token_in_a_header_is_known_whatever_the_answer_says(sim, home, no_backoff, status):
    body = json.dumps({"error_msg": f"issued {TOKEN[:20]} and {TOKEN}"})
    headers = {"X-Subject-Token": "LEAKED-short-token-1", "X-Request-Id": "LEAKED-short-token-1"}
    fault = {"status": status, "body": body.replace(TOKEN, "LEAKED-short-token-1"), "headers": headers}
    sim.faults([{"operation": SIGN_IN, "times": None, "fault": fault}])
    result, text = everything(INFO, {**connection(sim), **SIGN_INS[SIGN_IN], "retries": 1}, home.environ)
    assert result["failure"]["operation"] == SIGN_IN
    assert "LEAKED-short" not in text


def test_a_refusal_in_plain_words_is_told(sim, home):
    result, _text = everything(INFO, user_with(sim, "right") | {"password": "another"}, home.environ)
    assert "The username or password is wrong" in result["msg"]
    fault = {"status": 502, "body": "<html><h1>502 Bad Gateway</h1></html>"}
    sim.faults([{"operation": SIGN_IN, "times": None, "fault": fault}])
    result, _text = everything(INFO, {**user_with(sim, "right"), "retries": 0}, home.environ)
    assert "502 Bad Gateway" in result["msg"]


@pytest.mark.parametrize("secret", ["123456", "pass-1", 'a"b/c'])
@pytest.mark.parametrize("how", ["in a sentence", "alone", "as code", "as JSON"])
def test_a_short_secret_in_a_refusal_of_signing_in_hides_the_refusal(sim, home, secret, how):
    """Replaced in it, a password of one letter would leave nothing that can be read; so all of it is left out."""
    texts = {
        "in a sentence": {"error_msg": f"You sent {secret}, which is wrong."},
        "alone": {"error_msg": secret},
        "as code": {"error_code": secret, "error_msg": "wrong"},
        "as JSON": {"error_msg": json.dumps({"auth": {"password": secret}})},
    }
    body = json.dumps(texts[how])
    sim.faults([{"operation": SIGN_IN, "fault": {"status": 401, "body": body}}])
    options = {**connection(sim), "user_id": "u", "password": "long-enough", "passcode": secret}
    result, text = everything(INFO, options, home.environ)
    assert result["failure"]["http_status"] == 401
    assert secret not in text
    assert json.dumps(secret)[1:-1] not in text
    if how != "as code":
        assert f"({len(body)} bytes that are not shown)" in result["msg"]


def test_a_short_secret_that_is_part_of_words_hides_no_refusal(sim, home):
    options = user_with(sim, "right") | {"password": "word"}
    result, _text = everything(INFO, options, home.environ)
    assert "The username or password is wrong" in result["msg"]


# --- What is made of secrets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["{}", "Authorization: {}", '{{"Authorization": "{}"}}', "{} {}"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
@pytest.mark.parametrize("way", ["plain", "JSON", "URL"])
def test_an_echoed_signature_is_not_shown(sim, home, no_backoff, form, status, way):
    """Whoever has it may send the same request again, for as long as it is valid."""
    seen: list[str] = []

    def echo(connection: Any) -> None:
        sent = server.seen[-1].fields["authorization"]
        seen.append(sent.rpartition("=")[2])
        text = form.format(sent, sent)
        body = {"plain": text, "JSON": json.dumps({"error_code": "X.1", "error_msg": text}), "URL": quote(text)}[way]
        answer(status, body.encode())(connection)

    with Loopback(*[echo] * 4) as server:
        options = {**signed_in(sim), "endpoints": dict.fromkeys(("dcs", "dds", "iam"), server.url), "retries": 1}
        result, text = everything(INFO, options, home.environ)
    assert result["failed"] is True
    assert seen
    assert all(len(signature) == 64 and signature not in text for signature in seen)


#: Characters that JSON, URLs and HTML write in other ways.
ODD = "Aa1+/=&<>'\"%-odd"
SPELLINGS = {
    "plain": lambda secret: secret,
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "PHP": lambda secret: json.dumps(secret)[1:-1].replace("/", "\\/"),
    "Go": lambda secret: re.sub("[&<>]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(secret)[1:-1]),
    "Gson": lambda secret: re.sub("[&<>=']", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(secret)[1:-1]),
    "URL": lambda secret: quote(secret, safe=""),
    "URL in small letters": lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
    "query": lambda secret: f"?X-Security-Token={quote(secret)}",
    "HTML": lambda secret: (
        secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("option", ["auth_token", "security_token"])
def test_an_echoed_token_is_not_shown_however_it_is_spelled(sim, home, spelling, option):
    text_of_service = f"You sent {SPELLINGS[spelling](ODD)} to us"
    options: dict[str, Any] = {**signed_in(sim), "retries": 0, option: ODD}
    if option == "auth_token":
        del options["access_key"], options["secret_key"]
    sim.faults([{"operation": JOBS, "times": None, "fault": {"status": 400, "body": text_of_service}}])
    result, text = everything(INFO, options, home.environ)
    assert "You sent ******** to us" in result["msg"] or spelling == "query"
    assert SPELLINGS[spelling](ODD) not in text
    assert "-odd" not in text


@pytest.mark.parametrize("login", ["ops:proxy-pass-1", "ops:p%40ss", "o%20ps:Pp%3A%2Fx"])
@pytest.mark.parametrize("given_by", ["option", "variable"])
def test_an_echoed_login_of_the_proxy_is_not_shown(sim, home, login, given_by):
    """Something between may add the header that was meant for the proxy."""
    user, _colon, password = login.partition(":")
    sent = base64.b64encode(
        f"{user}:{password}".replace("%40", "@").replace("%20", " ").replace("%3A", ":").replace("%2F", "/").encode()
    ).decode()
    url = f"http://{login}@127.0.0.1:9"
    options, environ = signed_in(sim), home.environ
    if given_by == "option":
        options["proxy"] = url
    else:
        environ = {**environ, "https_proxy": url}
    body = json.dumps({"error_msg": f"Proxy-Authorization: Basic {sent} for {url} came along"})
    sim.faults([{"operation": JOBS, "times": None, "fault": {"status": 400, "body": body}}])
    result, text = everything(INFO, {**options, "retries": 0}, environ)
    assert "came along" in result["msg"]
    assert sent not in text
    assert url not in text


# --- Real Ansible ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_real_ansible_playbook_shows_ids_and_counts_and_no_password(sim, tmp_path):
    """The password is part of ids and counts; so is the passcode, and so is what lies in the environment."""
    info = f"hwcloud.maintenance.{INFO}"
    user = user_with(sim, "8119")
    guarded = change_user(sim, 2, totp="810000")
    with_passcode = {**connection(sim), **right(sim, "passcode")}
    tasks = [
        {"name": "password", info: user, "register": "found"},
        {"name": "passcode", info: with_passcode},
        {
            "name": "cancelled",
            f"hwcloud.maintenance.{CANCEL}": {
                **signed_in(sim),
                "job_ids": "{{ found.jobs | map(attribute='job_id') }}",
            },
            "check_mode": True,
            "ignore_errors": True,
        },
    ]
    inputs, folder = tmp_path / "inputs", tmp_path / "run"
    inputs.mkdir()
    folder.mkdir()
    playbook = inputs / "playbook.yml"
    playbook.write_text(json.dumps([local_play(tasks)]), encoding="utf-8")
    run = run_playbook(folder, playbook, "-vvvv", environ={"OS_PASSWORD": "1", "HW_USER_PASSWORD": "EXT"})
    assert run.returncode == 0, run.output
    for task in ("password", "passcode"):
        result = run.result(task)
        given = (result.pop("invocation", None) or {}).get("module_args", {})
        assert given.get(task, NOT_SHOWN) == NOT_SHOWN
        readable(result)
    assert guarded.password not in run.output
    assert '"password": "8119"' not in run.output
    assert "810000" not in run.output
    # The ids were taken by the task that followed.
    assert run.result("cancelled").get("failure", {}).get("code") != "InvalidOption"


@pytest.mark.parametrize("password", ["1", "dcs", "redis"])
def test_an_inventory_with_a_short_password_has_readable_hosts(sim, tmp_path, password):
    user = user_with(sim, password)
    ansible = Ansible(tmp_path, {"OS_PASSWORD": "redis-sessions-prod"})
    content = {"plugin": "hwcloud.maintenance.dcs", **user}
    hosts = ansible.hosts(content)
    assert "redis-sessions-prod" in hosts
    assert "*" not in json.dumps(hosts)
    refusal = {"status": 403, "body": {"error_code": "DCS.1", "error_msg": "no, redis"}}
    sim.faults([{"operation": "ListInstances", "times": None, "fault": refusal}])
    assert "DCS.1: no, redis" in ansible.fails({**content, "retries": 0})
