# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret shows anywhere: sentinels are put in through every source, and looked for in everything that comes out."""

from __future__ import annotations

import base64
import contextlib
import importlib
import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import quote

import pytest
import yaml
from ansible.module_utils import basic
from ansible.module_utils.common import parameters, warnings

from tests.conftest import connection
from tests.harness.certificates import Certificates
from tests.harness.modules import COLLECTION, clean_environment, patch_module_args, run_module
from tests.harness.playbooks import BIN, local_play, run_playbook
from tests.harness.profiles import Home, cloud_entry, koocli_profile, koocli_sso_profile
from tests.harness.proxy import Proxy
from tests.harness.rows import in_rows
from tests.simulator import Simulator
from tests.simulator.identity import AccessKey, Token
from tests.unit.loopback import Loopback

#: Each with characters that are written differently in JSON and in URLs, and with a middle that looks the same in all.
SECRET_KEY = 'Sk"%/LEAKED-SECRET-KEY/%"1'
PASSWORD = 'Pw"\\+LEAKED-PASSWORD&"1'
SECURITY_TOKEN = "St/+LEAKED-SECURITY-TOKEN=1"
AUTH_TOKEN = "At/+LEAKED-AUTH-TOKEN=1"
DERIVED_TOKEN = "Dt/+LEAKED-DERIVED-TOKEN=1"
PASSCODE = 'Pc"\\/LEAKED-PASSCODE&"1'
#: What the service gives to an agency or to a machine.
ISSUED_SECRET = 'Is"%/LEAKED-ISSUED-SECRET/%"1'
ISSUED_TOKEN = "It/+LEAKED-ISSUED-TOKEN=1"
SESSION = "Ms/+LEAKED-METADATA-SESSION=1"
PROXY_PASSWORD = "Pp:/x@y%?#LEAKED-PROXY+1"
MARK = "LEAKED"
SECRETS = (SECRET_KEY, PASSWORD, SECURITY_TOKEN, AUTH_TOKEN, DERIVED_TOKEN, PASSCODE)
ALL_SECRETS = (*SECRETS, ISSUED_SECRET, ISSUED_TOKEN, SESSION, PROXY_PASSWORD)

ACCESS_KEY, ISSUED_ACCESS_KEY = "SENTINELACCESSKEY", "ISSUEDSENTINELACCESS"
GUARDED = "9" * 32
PENDING_1H = "83717e93-eb0c-81dc-8119-499a03290d3d"
INFO = "hwcloud.maintenance.dds_scheduled_job_info"
KINDS = {
    "key": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY},
    "temporary key": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "security_token": SECURITY_TOKEN},
    "token": {"auth_token": AUTH_TOKEN},
    "password": {"username": "sentinel", "password": PASSWORD, "domain_name": "sim-account"},
    "passcode": {"user_id": GUARDED, "password": PASSWORD, "passcode": PASSCODE},
}
VARIABLES = {
    "access_key": "HW_ACCESS_KEY",
    "secret_key": "HW_SECRET_KEY",
    "security_token": "HW_SECURITY_TOKEN",
    "auth_token": "HW_AUTH_TOKEN",
    "username": "HW_USER_NAME",
    "password": "HW_USER_PASSWORD",
    "domain_name": "HW_DOMAIN_NAME",
}
#: The family that knows a passcode.
VARIABLES_OF_PASSCODE = {"user_id": "OS_USER_ID", "password": "OS_PASSWORD", "passcode": "OS_PASSCODE"}


def echo(status, code="DBS.280005"):
    return lambda own: {"status": status, "body": {"error_code": code, "error_msg": f"You sent {' '.join(own)} to us"}}


def in_text(form, status=502):
    return lambda own: {"status": status, "body": " ".join(form(secret) for secret in own)}


def cut(length):
    """The excerpt of a long body must not end in the middle of a secret."""
    return lambda own: {"status": 502, "body": "x" * (200 - length) + own[0] + "y" * 400}


#: What a service, or something in front of it, may answer to somebody who sent these secrets.
FAULTS = {
    "401 with an echo": echo(401, "APIGW.0301"),
    "403 with an echo": echo(403, "DBS.280063"),
    "500 with an echo": echo(500),
    "code": lambda own: {"status": 400, "body": {"error_code": own[0], "error_msg": "x"}},
    "nested code": lambda own: {"status": 400, "body": {"error": {"code": own[-1], "message": own[0]}}},
    "request id": lambda own: {"status": 400, "body": {"error_msg": "x"}, "headers": {"X-Request-Id": own[0]}},
    "request id in the body": lambda own: {"status": 400, "body": {"error_msg": "x", "request_id": own[-1]}},
    "text": in_text(lambda secret: f"<p>{secret}</p>"),
    "garbage": in_text(lambda secret: f"<p>{secret}</p>", 200),
    "header": in_text(lambda secret: f"X-Auth-Token: {secret}\r\n"),
    "JSON in a text": in_text(json.dumps),
    "JSON in JSON": lambda own: {"status": 400, "body": {"error_msg": json.dumps({"sent": own})}},
    "URL-encoded": in_text(lambda secret: quote(secret, safe="")),
    "cut after 8": cut(8),
    "cut after 12": cut(12),
    "cut after 20": cut(20),
}


def own_secrets(kind):
    """The secrets that a run with these credentials knows, the derived one included."""
    own = [value for value in KINDS[kind].values() if value in SECRETS]
    return own + ([DERIVED_TOKEN] if "password" in KINDS[kind] else [])


def find_pieces(text, secrets=ALL_SECRETS):
    """A piece of a secret in a text, with what stands before it; None when there is none."""
    for secret in secrets:
        # The beginning, as a careless cut leaves it, and the middle, which no way of writing changes.
        middle = secret[secret.index(MARK) : -2].rstrip('=/%"&+')
        for piece in (secret[:8], middle, base64.b64encode(secret.encode()).decode()[:-4]):
            where = text.find(piece)
            if where >= 0:
                return f"…{text[max(0, where - 200) : where + len(piece) + 20]}…"
    return None


def strings(value):
    """All keys and values of a result as they are, without JSON's way of writing them."""
    if isinstance(value, dict):
        return "\n".join(f"{key}\n{strings(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "\n".join(map(strings, value))
    return str(value)


SCENARIO = {
    "users": [
        {"name": "sentinel", "password": PASSWORD, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY},
        {"name": "guarded", "id": GUARDED, "password": PASSWORD, "access_key": "GUARDED", "totp": PASSCODE},
    ],
    "agencies": [{"name": "agency"}],
    "dds_instances": [{"name": "dds-one"}],
    "scheduled_jobs": [{"job_id": PENDING_1H, "instance_name": "dds-one", "job_status": "Pending"}],
}


def plant(sim, monkeypatch, **more):
    """Let all that this simulator knows and gives away be the sentinels."""
    sim.reset({**SCENARIO, **more})
    identity = sim._server.cloud.identity
    operator = identity.users[0]
    identity.tokens[AUTH_TOKEN] = Token(operator, sim.project_id, 4e9)

    def issue_token(user, project_id, expires_at):
        identity.tokens[DERIVED_TOKEN] = Token(user, project_id, expires_at)
        return DERIVED_TOKEN

    def issue_key(user, expires_at, _policy=None):
        identity.keys[ISSUED_ACCESS_KEY] = AccessKey(ISSUED_ACCESS_KEY, ISSUED_SECRET, user, ISSUED_TOKEN, expires_at)
        return identity.keys[ISSUED_ACCESS_KEY]

    monkeypatch.setattr(identity, "issue_token", issue_token)
    monkeypatch.setattr(identity, "issue_key", issue_key)
    sessions = SimpleNamespace(token_urlsafe=lambda _length: SESSION)
    monkeypatch.setattr("tests.simulator.metadata.secrets", sessions)
    identity.keys[ACCESS_KEY].security_token = None


@pytest.fixture
def sentinel_sim(sim, monkeypatch):
    """The simulator with one user whose secrets are the sentinels, and whose tokens are too."""
    plant(sim, monkeypatch)
    return sim


def allow_temporary(sim):
    key = sim._server.cloud.identity.keys[ACCESS_KEY]
    key.security_token, key.expires_at = SECURITY_TOKEN, 4e9


def given(sim, kind, source):
    """Options and environment that sign in with a kind of credentials from a source."""
    if kind == "temporary key":
        allow_temporary(sim)
    options = connection(sim)
    if source == "options":
        return {**options, **KINDS[kind]}, {}
    names = VARIABLES_OF_PASSCODE if kind == "passcode" else VARIABLES
    return options, {names[option]: value for option, value in KINDS[kind].items()}


def test_the_sentinels_sign_in(sentinel_sim):
    for kind in KINDS:
        for source in ("options", "environment"):
            options, environ = given(sentinel_sim, kind, source)
            result = run_module("dds_scheduled_job_info", options, environ=environ)
            assert [job["job_id"] for job in result["jobs"]] == [PENDING_1H], (kind, source, result)
            if kind == "temporary key":
                sentinel_sim._server.cloud.identity.keys[ACCESS_KEY].security_token = None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["options", "environment"])
@pytest.mark.parametrize("fault", FAULTS)
def test_an_echo_never_shows(sentinel_sim, no_backoff, kind, source, fault):
    options, environ = given(sentinel_sim, kind, source)
    rule = {"operation": "ListScheduledTasks", "times": None, "fault": FAULTS[fault](own_secrets(kind))}
    sentinel_sim.faults([rule])
    result = run_module("dds_scheduled_job_info", {**options, "retries": 1}, environ=environ)
    assert result["failed"] is True
    assert result["failure"]["operation"] == "ListScheduledTasks"
    assert find_pieces(strings(result)) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["options", "environment"])
@pytest.mark.parametrize("where", ["Dds.jobs", "Client._attempt", "Account.authenticate", "Endpoints.__init__"])
def test_a_defect_shows_no_secret_in_its_traceback(sentinel_sim, monkeypatch, kind, source, where):
    options, environ = given(sentinel_sim, kind, source)
    owner, method = where.split(".")
    module = {"Dds": "_dds", "Client": "_http", "Account": "_account", "Endpoints": "_endpoints"}[owner]

    def stumble(*_arguments, **_keywords):
        raise RuntimeError("stumbled over " + " and ".join(KINDS[kind].values()))

    monkeypatch.setattr(
        f"ansible_collections.hwcloud.maintenance.plugins.module_utils.{module}.{owner}.{method}", stumble
    )
    result = run_module("dds_scheduled_job_info", options, environ=environ)
    assert result["failed"] is True
    assert result["failure"]["code"] == "InternalError"
    assert "stumbled over" in result["msg"]
    assert find_pieces(strings(result)) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["options", "environment"])
@pytest.mark.parametrize(
    "fault", ["drop_before", "reset", "truncate", "garbage", {"redirect": "https://x.example/"}], ids=str
)
def test_a_disturbed_connection_shows_no_secret(sentinel_sim, no_backoff, kind, source, fault):
    options, environ = given(sentinel_sim, kind, source)
    for operation in ("ListScheduledTasks", "KeystoneCreateUserTokenByPassword"):
        sentinel_sim.faults([{"operation": operation, "times": None, "fault": fault}])
        result = run_module("dds_scheduled_job_info", {**options, "retries": 1}, environ=environ)
        assert result.get("failed", False) is (operation == "ListScheduledTasks" or "password" in KINDS[kind])
        assert find_pieces(strings(result)) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["options", "environment"])
def test_a_refused_connection_shows_no_secret(sentinel_sim, kind, source):
    options, environ = given(sentinel_sim, kind, source)
    nobody = dict.fromkeys(("dcs", "dds", "iam"), "http://127.0.0.1:9")
    result = run_module("dds_scheduled_job_info", {**options, "endpoints": nobody, "retries": 0}, environ=environ)
    assert result["failure"]["code"] == "NetworkError"
    assert find_pieces(strings(result)) is None


@pytest.mark.parametrize(
    ("options", "environ"),
    [
        ({"endpoints": {"dds": f"https://user:{quote(PASSWORD)}@dds.example"}}, {}),
        ({"endpoints": {"dds": f"https://user:{MARK}-x@dds.example/x"}}, {}),
        ({"endpoints": {"dds": f"https://user:{MARK} x@dds.example"}}, {}),
        ({"endpoints": {"dds": f"https://user:{MARK}\\x@dds.example"}}, {}),
        ({"endpoints": {"dds": f"https://user:{MARK}ß@dds.example"}}, {}),
        ({"endpoints": {"dds": f"https://user:{MARK}/x@dds.example"}}, {}),
        ({"endpoints": {"dds": f"https://user:{MARK}[x@dds.example"}}, {}),
        ({}, {"HW_AUTH_URL": f"https://user:{MARK}-x@iam.example"}),
        ({}, {"OS_AUTH_URL": f"https://user:{MARK}ß@iam.example"}),
        ({"auth_token": AUTH_TOKEN + "\n"}, {}),
        (
            {"auth_token": None, "access_key": "AK", "secret_key": SECRET_KEY, "security_token": SECURITY_TOKEN + "\n"},
            {},
        ),
        ({"auth_token": None}, {"HW_AUTH_TOKEN": AUTH_TOKEN + "\r\n"}),
        ({"auth_token": None, "secret_key": SECRET_KEY}, {}),
        ({"auth_token": None}, {"OS_PASSWORD": PASSWORD}),
    ],
    ids=lambda value: str(value).replace(MARK, "X")[:60].encode("ascii", "replace").decode(),
)
def test_a_secret_in_the_wrong_place_is_not_quoted(sim, options, environ):
    iam = "iam" if not any(name.endswith("AUTH_URL") for name in environ) else None
    base = {**connection(sim), "auth_token": "a-token-that-nobody-has"}
    if iam is None:
        base["endpoints"] = {"dds": sim.url}
    result = run_module("dds_scheduled_job_info", {**base, **options}, environ=environ)
    assert result["failed"] is True
    assert result["failure"]["code"] in ("InvalidOption", "IncompleteCredentials")
    assert MARK not in strings(result)
    assert sim.journal() == []


# --- Every other way to sign in ---------------------------------------------------------------------------------------

SIGN_IN, ASSUME = "KeystoneCreateUserTokenByPassword", "CreateTemporaryAccessKey"
METADATA_TOKEN, MACHINE_KEY, JOBS = "CreateMetadataToken", "ShowSecurityKey", "ListScheduledTasks"
AGENCY = {"agency_name": "agency", "agency_domain_name": "sim-account"}
#: What a task knows after each request that gives credentials.
LEARNT = {
    SIGN_IN: (DERIVED_TOKEN,),
    ASSUME: (ISSUED_SECRET, ISSUED_TOKEN),
    METADATA_TOKEN: (SESSION,),
    MACHINE_KEY: (ISSUED_SECRET, ISSUED_TOKEN),
}


class Way(NamedTuple):
    """A way to sign in.

    :ivar kind: of the user's own credentials; empty for the machine, which has none.
    :ivar asks: the requests that give credentials, in order.
    :ivar options: beside those that lead to the simulator.
    :ivar environ: the variables.
    :ivar put: writes the files.
    """

    kind: str
    asks: tuple[str, ...] = ()
    options: dict[str, Any] = {}  # noqa: RUF012  # never changed
    environ: dict[str, str] = {}  # noqa: RUF012
    put: Callable[[Home], object] = lambda home: None

    @property
    def own(self) -> list[str]:
        """The secrets that the task has from the beginning."""
        return [value for value in CREDENTIALS[self.kind].values() if value in SECRETS]

    def known(self, operation: str) -> list[str]:
        """The secrets that the task has when it makes this request."""
        before = self.asks[: self.asks.index(operation)] if operation in self.asks else self.asks
        return [*self.own, *(secret for each in before for secret in LEARNT[each])]


CREDENTIALS: dict[str, dict[str, str]] = {**KINDS, "": {}}


def _secure(home: Home) -> None:
    user = dict(KINDS["password"])
    secret = {"auth": {"password": user.pop("password")}}
    home.clouds({"one": cloud_entry(user)})
    home.clouds({"one": secret}, ".config/openstack/secure.yaml")


def _clouds(kind: str) -> Callable[[Home], object]:
    return lambda home: home.clouds({"one": cloud_entry(CREDENTIALS[kind])})


_ONE = {"OS_CLOUD": "one"}
WAYS: dict[str, Way] = {
    "SDK profile": Way("key", put=lambda home: home.sdk(KINDS["key"])),
    "SDK profile, temporary key": Way(
        "temporary key",
        options={"auth_method": "profile", "profile": "mine"},
        put=lambda home: home.sdk(KINDS["temporary key"], "mine"),
    ),
    "KooCLI": Way("key", put=lambda home: home.koocli(koocli_profile(KINDS["key"]))),
    "KooCLI, single sign-on": Way(
        "temporary key", put=lambda home: home.koocli(koocli_sso_profile(KINDS["temporary key"]))
    ),
    "KooCLI, agency": Way("key", (ASSUME,), put=lambda home: home.koocli(koocli_profile({**KINDS["key"], **AGENCY}))),
    "clouds.yaml, password": Way("password", (SIGN_IN,), environ=_ONE, put=_clouds("password")),
    "clouds.yaml, token": Way("token", environ=_ONE, put=_clouds("token")),
    "clouds.yaml, key": Way("key", options={"cloud": "one"}, put=_clouds("key")),
    "clouds.yaml, passcode": Way("passcode", (SIGN_IN,), environ=_ONE, put=_clouds("passcode")),
    "secure.yaml": Way("password", (SIGN_IN,), environ=_ONE, put=_secure),
    "machine": Way("", (METADATA_TOKEN, MACHINE_KEY), {"auth_method": "machine"}),
    "machine, agency": Way(
        "", (METADATA_TOKEN, MACHINE_KEY, ASSUME), {**AGENCY}, environ={"HWCLOUD_AUTH_METHOD": "machine"}
    ),
    "agency with a key": Way("key", (ASSUME,), {**KINDS["key"], **AGENCY}),
    "agency with a token": Way("token", (ASSUME,), {**KINDS["token"], **AGENCY}),
    "agency with a password": Way("password", (SIGN_IN, ASSUME), {**KINDS["password"], **AGENCY}),
    "passcode": Way("passcode", (SIGN_IN,), KINDS["passcode"]),
    "token cache": Way("password", (SIGN_IN,), {**KINDS["password"], "token_cache": True}),
}
#: Each request of each way.
REQUESTS = [(name, operation) for name, way in WAYS.items() for operation in (*way.asks, JOBS)]


def prepared(sim, home, name, **more):
    """Options and environment of a way; its files are written."""
    way = WAYS[name]
    if way.kind == "temporary key":
        allow_temporary(sim)
    way.put(home)
    base = connection(sim)
    base["endpoints"]["metadata"] = sim.url
    temporary = home.folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return {**base, **way.options, **more}, {**home.environ, "TMPDIR": str(temporary), **way.environ}


#: What ansible-playbook asks for at -vvv; older versions always give it.
_INVOCATION = {"_ansible_inject_invocation": True} if "inject_invocation" in parameters.PASS_VARS else {}


def everything(name, options, environ, **more):
    """All that a module prints, with its options as Ansible shows them, and all that it gives to the system's log."""
    module = importlib.import_module(f"{COLLECTION}.modules.{name}")
    output = io.StringIO()
    logged: list[str] = []
    # As in the harness: how warnings get into the result depends on what else this process has imported.
    warned: list[str] = []
    for store in ("_global_warnings", "_global_deprecations"):
        getattr(warnings, store).clear()

    def log(_module, message, log_args=None):
        logged.append(f"{message} {log_args}")

    with (
        patch_module_args({**options, "_ansible_diff": True, **_INVOCATION, **more}),
        mock.patch.object(basic.AnsibleModule, "log", log),
        mock.patch.object(basic.AnsibleModule, "warn", lambda _module, warning, **_more: warned.append(warning)),
        mock.patch.dict(os.environ, clean_environment(**environ), clear=True),
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
        contextlib.suppress(SystemExit),
    ):
        module.main()
    result = json.loads(output.getvalue())
    # Ansible itself refuses some options before it logs anything.
    assert "invocation" in result
    assert logged or "requests" not in result
    if warned:
        result["warnings"] = warned
    return result, "\n".join((strings(result), output.getvalue(), *logged))


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home")


@pytest.mark.parametrize("name", WAYS)
def test_each_way_signs_in_and_tells_nothing(sentinel_sim, home, name):
    options, environ = prepared(sentinel_sim, home, name)
    before = {path: path.read_bytes() for path in home.folder.rglob("*") if path.is_file()}
    result, text = everything("dds_scheduled_job", {**options, "job_ids": [PENDING_1H]}, environ)
    assert result.get("changed") is True, result
    assert sentinel_sim.operations()[: len(WAYS[name].asks)] == [*WAYS[name].asks]
    assert find_pieces(text) is None
    # Neither in a query string or a path, which others write into their logs.
    assert find_pieces(json.dumps(sentinel_sim.journal())) is None
    left = {path for path in home.folder.rglob("*") if path.is_file()} - before.keys()
    assert {path.parent.name for path in left} == ({"hwcloud.maintenance"} if name == "token cache" else set())
    assert all(path.read_bytes() == content for path, content in before.items())


@in_rows(
    ("name", "operation", "fault"),
    # The machine has nothing that could come back when it makes its first requests.
    [(name, operation, fault) for name, operation in REQUESTS if WAYS[name].known(operation) for fault in FAULTS],
    by=2,
)
def test_an_echo_of_any_request_never_shows(sentinel_sim, home, no_backoff, name, operation, fault):
    known = WAYS[name].known(operation)
    options, environ = prepared(sentinel_sim, home, name, retries=1)
    sentinel_sim.faults([{"operation": operation, "times": None, "fault": FAULTS[fault](known)}])
    result, text = everything("dds_scheduled_job_info", options, environ)
    assert result["failed"] is True
    # What is no answer is no credential either.
    assert result["failure"]["operation"] in (operation, MACHINE_KEY)
    assert find_pieces(text) is None


@pytest.mark.parametrize(("name", "operation"), REQUESTS)
@pytest.mark.parametrize(
    "fault",
    [
        *("drop_before", "drop_after", "reset", "truncate", "garbage", "wrong_type"),
        {"status": 401, "processed": True},
        {"status": 503, "processed": True},
    ],
    ids=str,
)
def test_a_disturbed_request_shows_no_secret(sentinel_sim, home, no_backoff, name, operation, fault):
    options, environ = prepared(sentinel_sim, home, name, retries=1)
    sentinel_sim.faults([{"operation": operation, "times": None, "fault": fault}])
    result, text = everything("dds_scheduled_job_info", options, environ)
    # Some of it can be done without: the machine may have no sessions, and a token is in a header.
    assert result.get("failed", False) is True or operation in (METADATA_TOKEN, SIGN_IN), result
    assert find_pieces(text) is None


#: What becomes of an answer that is a secret, on its way through something that means well.
SPOILT = {
    "before it": lambda raw: b"<!-- seen -->" + raw,
    "after it": lambda raw: raw + b"<!-- seen -->",
    "cut": lambda raw: raw[:-3],
    "in half": lambda raw: raw[: len(raw) * 3 // 4],
    "other encoding": lambda raw: raw.decode().encode("utf-16"),
    "in a list": lambda raw: b"[" + raw + b"]",
    "in a text": lambda raw: json.dumps(raw.decode()).encode(),
    "under another key": lambda raw: raw.replace(b'"credential"', b'"error"'),
    "as a message": lambda raw: json.dumps({"error_msg": raw.decode(), "error_code": raw.decode()}).encode(),
    "half a key": lambda raw: raw.replace(b'"securitytoken"', b'"x"'),
}


@pytest.mark.parametrize("spoilt", SPOILT)
@pytest.mark.parametrize(
    ("name", "operation"), [("agency with a key", ASSUME), ("machine", MACHINE_KEY), ("machine, agency", ASSUME)]
)
def test_an_unreadable_answer_that_is_a_secret_is_not_quoted(sentinel_sim, home, no_backoff, name, operation, spoilt):
    options, environ = prepared(sentinel_sim, home, name, retries=0)
    key = {"access": ISSUED_ACCESS_KEY, "secret": ISSUED_SECRET, "securitytoken": ISSUED_TOKEN}
    body = SPOILT[spoilt](json.dumps({"credential": key}).encode()).decode("latin-1")
    sentinel_sim.faults([{"operation": operation, "times": None, "fault": {"status": 200, "body": body}}])
    result, text = everything("dds_scheduled_job_info", options, environ)
    assert result["failed"] is True
    assert result["failure"]["operation"] == operation
    assert find_pieces(text) is None


@pytest.mark.parametrize("name", WAYS)
def test_a_refused_connection_shows_no_secret_of_any_way(sentinel_sim, home, name):
    nobody = dict.fromkeys(("dcs", "dds", "iam", "metadata"), "http://127.0.0.1:9")
    options, environ = prepared(sentinel_sim, home, name, endpoints=nobody, retries=0)
    result, text = everything("dds_scheduled_job_info", options, environ)
    assert result["failure"]["code"] == "NetworkError"
    assert find_pieces(text) is None


#: Where a defect may be, and what must have been asked for before.
DEFECTS = {
    "_endpoints.Endpoints.__init__": None,
    "_account.Account.__init__": None,
    "_http.Client._attempt": None,
    "_password.sign_in": SIGN_IN,
    "_temporary.assume": ASSUME,
    "_temporary.machine_key": METADATA_TOKEN,
    "_account.Account.authenticate": JOBS,
    "_dds.Dds.jobs": JOBS,
}


@pytest.mark.parametrize(
    ("name", "where"),
    [(name, where) for name, way in WAYS.items() for where, at in DEFECTS.items() if at in (None, JOBS, *way.asks)],
)
def test_a_defect_of_any_way_shows_no_secret_in_its_traceback(sentinel_sim, home, monkeypatch, name, where):
    options, environ = prepared(sentinel_sim, home, name)
    way, at = WAYS[name], DEFECTS[where]
    known = way.own if at is None else way.known(at)
    # The work begins before anything has been asked for.
    known = way.own if where in ("_dds.Dds.jobs", "_account.Account.authenticate") else known

    def stumble(*_arguments, **_keywords):
        raise RuntimeError("stumbled over " + " and ".join(known))

    monkeypatch.setattr(f"ansible_collections.hwcloud.maintenance.plugins.module_utils.{where}", stumble)
    result, text = everything("dds_scheduled_job_info", options, environ)
    assert result["failure"]["code"] == "InternalError"
    assert "stumbled over" in result["msg"]
    assert find_pieces(text) is None


@pytest.mark.parametrize("name", WAYS)
def test_a_defect_after_signing_in_shows_no_secret_that_was_given(sentinel_sim, home, monkeypatch, name):
    options, environ = prepared(sentinel_sim, home, name)

    def stumble(*_arguments, **_keywords):
        raise RuntimeError("stumbled over " + " and ".join(WAYS[name].known(JOBS)))

    monkeypatch.setattr("ansible_collections.hwcloud.maintenance.plugins.module_utils._dds.build_job", stumble)
    result, text = everything("dds_scheduled_job_info", options, environ)
    assert result["failure"]["code"] == "InternalError"
    assert "stumbled over" in result["msg"]
    assert find_pieces(text) is None


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize(
    "wrong",
    [
        *({"region": "x/"}, {"retries": 99}, {"project_id": "/"}, {"endpoints": {"dds": "http://x.example"}}),
        *({"ca_path": "/nowhere"}, {"client_key": "/nowhere"}, {"job_ids": ["/"]}, {"agency_domain_id": "x y"}),
        *({"deadline": "soon"}, {"auth_method": "magic"}, {"no_such_option": 1}, {"proxy": "socks5://x"}),
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_bad_input_shows_no_secret_of_any_way(sentinel_sim, home, name, wrong):
    options, environ = prepared(sentinel_sim, home, name)
    _result, text = everything("dds_scheduled_job_info", {**options, **wrong}, environ)
    assert find_pieces(text) is None


@pytest.mark.parametrize("kind", ["password", "key"])
def test_a_warning_shows_no_secret(sentinel_sim, home, no_backoff, monkeypatch, kind):
    """A refusal that is told in a warning, as the task goes on, and a cache that cannot be used."""
    spec_change = {"name": "EXTEND", "status": "CREATED", "id": "4" * 32}
    plant(sentinel_sim, monkeypatch, dcs_instances=[{"name": "redis", "tasks": [spec_change]}])
    options, environ = prepared(sentinel_sim, home, "token cache")
    if kind == "key":
        options = {**connection(sentinel_sim), **KINDS["key"]}
    else:
        home.write("cache", "a file where the folder should be")
    own = own_secrets(kind)
    gone = {"after": "CancelInstanceResize", "do": [{"task": "4" * 32, "set": {"status": "FAILED"}}]}
    sentinel_sim.faults([{"operation": "CancelInstanceResize", "fault": FAULTS["nested code"](own)}])
    sentinel_sim.events([gone])
    result, text = everything("dcs_resize_cancel", {**options, "instance": "redis"}, environ)
    assert not result.get("failed"), result
    assert result["warnings"]
    assert find_pieces(text) is None


@pytest.mark.parametrize(("name", "operation"), REQUESTS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_follows_a_redirect(sentinel_sim, home, no_backoff, name, operation, status):
    with Loopback() as elsewhere:
        redirect = {"status": status, "headers": {"Location": f"{elsewhere.url}/steal"}}
        sentinel_sim.faults([{"operation": operation, "times": None, "fault": redirect}])
        options, environ = prepared(sentinel_sim, home, name, retries=1)
        result, text = everything("dds_scheduled_job_info", options, environ)
        assert elsewhere.seen == []
    assert result["failure"]["http_status"] == status
    assert find_pieces(text) is None


def test_what_the_token_cache_holds(sentinel_sim, home):
    options, environ = prepared(sentinel_sim, home, "token cache")
    for _time in range(2):
        result, text = everything("dds_scheduled_job_info", options, environ)
        assert [job["job_id"] for job in result["jobs"]] == [PENDING_1H]
        assert find_pieces(text) is None
    assert sentinel_sim.operations() == [SIGN_IN, JOBS, JOBS]
    (file,) = (path for path in home.folder.rglob("*") if path.is_file())
    content = json.loads(file.read_text("utf-8"))
    assert content.keys() == {"token", "project_id", "expires_at"}
    assert content["token"] == DERIVED_TOKEN
    assert find_pieces(strings(content), set(ALL_SECRETS) - {DERIVED_TOKEN}) is None
    assert file.stat().st_mode & 0o777 == 0o600
    # Its name says nothing of the password either, by which somebody could try passwords.
    assert find_pieces(file.name) is None
    home.clouds({"one": cloud_entry({**KINDS["password"], "password": "another one"})})
    other = {name: value for name, value in options.items() if name not in KINDS["password"]}
    result, _text = everything("dds_scheduled_job_info", other, {**environ, "OS_CLOUD": "one"})
    assert [path for path in file.parent.iterdir() if path.name == file.name] == [file]


@pytest.mark.parametrize("how", ["expired", "echoed", "unreadable"])
def test_a_kept_token_shows_nowhere(sentinel_sim, home, no_backoff, how):
    options, environ = prepared(sentinel_sim, home, "token cache", retries=0)
    everything("dds_scheduled_job_info", options, environ)
    fault = {
        "expired": {"status": 401, "body": {"error_code": "APIGW.0307", "error_msg": f"{DERIVED_TOKEN} has expired"}},
        "echoed": FAULTS["500 with an echo"]([DERIVED_TOKEN]),
        "unreadable": FAULTS["garbage"]([DERIVED_TOKEN]),
    }[how]
    sentinel_sim.faults([{"operation": JOBS, "times": None, "fault": fault}])
    result, text = everything("dds_scheduled_job_info", options, environ)
    assert result["failed"] is True
    assert find_pieces(text) is None


# --- The way through a proxy, and certificates ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proxy(tmp_path_factory) -> Iterator[Proxy]:
    """A proxy that asks for a password."""
    with Proxy(tmp_path_factory.mktemp("proxy"), login=f"maintainer:{PROXY_PASSWORD}") as running:
        yield running


@pytest.fixture(scope="module")
def tls_simulator() -> Iterator[Simulator]:
    with Simulator(SCENARIO, tls=True) as running:
        yield running


@pytest.fixture
def through_proxy(sentinel_sim, tls_simulator, proxy, monkeypatch):
    """The services by TLS, beyond the proxy; the metadata service is this machine's own, and speaks no TLS."""
    proxy.forget()
    plant(tls_simulator, monkeypatch)
    issued = AccessKey(
        ISSUED_ACCESS_KEY, ISSUED_SECRET, tls_simulator._server.cloud.identity.users[0], ISSUED_TOKEN, 4e9
    )
    tls_simulator._server.cloud.identity.keys[ISSUED_ACCESS_KEY] = issued

    def options(home, name):
        given_options, environ = prepared(tls_simulator, home, name, ca_path=tls_simulator.ca_path)
        given_options["endpoints"]["metadata"] = sentinel_sim.url
        return given_options, environ

    return options


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("given_by", ["option", "variable"])
def test_the_proxy_sees_no_secret_of_any_way(through_proxy, proxy, home, name, given_by):
    options, environ = through_proxy(home, name)
    url = proxy.url_for("maintainer", PROXY_PASSWORD)
    options, environ = (
        ({**options, "proxy": url}, environ) if given_by == "option" else (options, {**environ, "HTTPS_PROXY": url})
    )
    result, text = everything("dds_scheduled_job_info", options, environ)
    assert [job["job_id"] for job in result.get("jobs", ())] == [PENDING_1H], result
    assert find_pieces(text) is None
    assert {target.split(" ")[0] for target in proxy.targets} == {"CONNECT"}
    # Its own password it must be told; all else is encrypted.
    seen = proxy.every_byte.decode("latin-1")
    assert find_pieces(seen, set(ALL_SECRETS) - {PROXY_PASSWORD}) is None
    assert ACCESS_KEY not in seen
    assert PENDING_1H not in seen


#: What goes wrong with a task that has a proxy with a password, before and after it was asked.
PROXY_TROUBLE = {
    "wrong password": {"proxy": "http://maintainer:Wrong-LEAKED-PROXY@{netloc}"},
    "nobody there": {"proxy": "http://maintainer:{password}@127.0.0.1:9"},
    "no host": {"proxy": "http://maintainer:{password}@"},
    "a path": {"proxy": "http://maintainer:{password}@{netloc}/path"},
    "a blank": {"proxy": "http://maintainer:LEAKED PROXY@{netloc}"},
    "an odd port": {"proxy": "http://maintainer:{password}@127.0.0.1:x"},
    "not encoded": {"proxy": "http://maintainer:Pp:/x@y%?#LEAKED-PROXY+1@{netloc}"},
    "another scheme": {"proxy": "socks5://maintainer:{password}@{netloc}"},
    "no scheme": {"proxy": "maintainer:{password}@127.0.0.1:9"},
    "region": {"region": "x/"},
    "range": {"retries": 99},
    "type": {"deadline": "soon"},
    "choice": {"auth_method": "magic"},
    "unknown option": {"no_such_option": 1},
    "no credentials": {"access_key": None, "secret_key": None},
    "no file": {"ca_path": "/nowhere"},
    "certificate": {"ca_path": None},
    "another service": {"endpoints": {"dds": "https://127.0.0.1:9"}},
}


@pytest.mark.parametrize("trouble", PROXY_TROUBLE)
@pytest.mark.parametrize("given_by", ["option", "HTTPS_PROXY", "all_proxy"])
def test_the_password_of_a_proxy_shows_nowhere(through_proxy, proxy, home, trouble, given_by):
    options, environ = through_proxy(home, "SDK profile")
    options.update(KINDS["key"], retries=0)
    wrong = dict(PROXY_TROUBLE[trouble])
    url = wrong.pop("proxy", proxy.url_for("maintainer", PROXY_PASSWORD))
    url = url.replace("{netloc}", proxy.netloc).replace("{password}", quote(PROXY_PASSWORD, safe=""))
    if trouble == "no credentials":
        (home.folder / ".huaweicloud" / "credentials").unlink()
    options.update({name: value for name, value in wrong.items() if value is not None})
    options = {name: value for name, value in options.items() if wrong.get(name, "") is not None}
    if given_by == "option":
        options["proxy"] = url
    else:
        environ = {**environ, given_by: url}
    result, text = everything("dds_scheduled_job_info", options, environ)
    assert result["failed"] is True, result
    assert MARK not in text
    assert find_pieces(text) is None


@pytest.mark.parametrize("given_by", ["option", "variable"])
@pytest.mark.parametrize("trouble", ["accepted", "of somebody else", "encrypted", "no key at all"])
def test_nothing_of_a_client_key_is_shown(tmp_path, given_by, trouble):
    certificates = Certificates(tmp_path)
    cert, key = certificates.client
    if trouble == "of somebody else":
        key = certificates.second_client[1]
    elif trouble == "encrypted":
        key = certificates.encrypted_key()
    elif trouble == "no key at all":
        key = tmp_path / "notes.txt"
        key.write_text(f"{MARK} is the password\n", encoding="utf-8")
    with Loopback(tls=certificates.server_context(ask=True)) as server:
        options = {
            "region": "sim-region-1",
            "project_id": "0" * 32,
            "endpoints": {"dds": server.url},
            "auth_token": "a-token-that-nobody-has",
            "ca_path": str(certificates.ca_path),
            "retries": 0,
        }
        environ = {}
        if given_by == "option":
            options.update(client_cert=str(cert), client_key=str(key))
        else:
            environ = {"OS_CERT": str(cert), "OS_KEY": str(key)}
        result, text = everything("dds_scheduled_job_info", options, environ)
        assert [seen.method for seen in server.seen] == (["GET"] if trouble == "accepted" else [])
    expected = "UnreadableAnswer" if trouble == "accepted" else "InvalidOption"
    assert result["failure"]["code"] == expected, result
    lines = [line for line in key.read_text("ascii").splitlines() if line and "-----" not in line]
    assert not any(line in text for line in lines)


# --- Secrets that are part of everything ------------------------------------------------------------------------------


@pytest.mark.parametrize("short", ["e", "1", "a1", "Inter"])
@pytest.mark.parametrize(
    ("name", "operation"),
    [("agency with a password", SIGN_IN), ("agency with a key", ASSUME), ("machine", MACHINE_KEY)],
)
def test_a_short_secret_of_a_service_blots_out_nothing(sentinel_sim, home, name, operation, short):
    """Asterisks for every such letter would make ids and codes unreadable, so that is no token and no key."""
    options, environ = prepared(sentinel_sim, home, name, retries=0)
    body: Any = {"token": {"expires_at": "2099-01-01T00:00:00.000000Z", "project": {"id": "a" * 32}}}
    if operation != SIGN_IN:
        body = {"credential": {"access": "A" * 20, "secret": short, "securitytoken": short}}
    answer = {"status": 201, "body": body, "headers": {"X-Subject-Token": short}}
    sentinel_sim.faults([{"operation": operation, "times": None, "fault": answer}])
    result, text = everything("dds_scheduled_job_info", options, environ)
    failure = result["failure"]
    assert (failure["code"], failure["operation"]) == ("UnreadableAnswer", operation)
    assert failure["http_status"] in (None, 201)
    assert isinstance(result["requests"], int)
    assert "********" not in result["msg"]
    assert find_pieces(text) is None


@pytest.mark.parametrize("short", ["e", "1", "True", "changed"])
def test_with_a_short_password_of_the_user_it_is_still_known_whether_something_changed(sentinel_sim, home, short):
    """What Ansible then does to texts and numbers is its own affair; a runbook that goes by this must not be misled."""
    user = {"name": "short", "password": short, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    sentinel_sim.reset({**SCENARIO, "users": [user]})
    options = {**connection(sentinel_sim), "username": "short", "password": short, "domain_name": "sim-account"}
    cancel = {**options, "job_ids": [PENDING_1H]}
    first, _text = everything("dds_scheduled_job", cancel, home.environ)
    assert (first["changed"], first.get("failed", False)) == (True, False)
    second, _text = everything("dds_scheduled_job", cancel, home.environ)
    assert (second["changed"], second.get("failed", False)) == (False, False)
    sentinel_sim.faults([{"times": None, "fault": {"status": 403}}])
    third, _text = everything("dds_scheduled_job", cancel, home.environ)
    assert (third["changed"], third["failed"]) == (False, True)
    assert third["failure"].keys() >= {"code", "hint", "retryable"}


# --- Real ansible-playbook at the highest verbosity ------------------------------------------------------------------


def tasks(sim, kind):
    """What works, and what fails in several ways; each fault is for one task's requests in turn."""
    info, cancel = INFO, "hwcloud.maintenance.dds_scheduled_job"
    nobody = {"endpoints": dict.fromkeys(("dcs", "dds", "iam"), "http://127.0.0.1:9"), "retries": 0}
    own = own_secrets(kind)
    echoes = [FAULTS[name](own) for name in ("401 with an echo", "code", "request id", "garbage", "cut after 12")]
    sim.faults(
        [{"operation": "CancelScheduledTask", "times": None, "fault": FAULTS["403 with an echo"](own)}]
        + [
            {"operation": "ListInstances", "times": 1 + (fault["status"] == 401 and kind == "password"), "fault": fault}
            for fault in echoes
        ]
    )
    return [
        {"name": "works", info: {"phases": ["pending"]}, "register": "found"},
        {"name": "show", "ansible.builtin.debug": {"var": "found"}},
        {"name": "denied", cancel: {"job_ids": [PENDING_1H]}, "ignore_errors": True, "diff": True},
        *(
            {"name": f"echo {number}", info: {"instances": ["x"], "retries": 0}, "ignore_errors": True}
            for number in range(len(echoes))
        ),
        {"name": "refused", info: nobody, "ignore_errors": True},
        {"name": "bad", info: {"region": "x/"}, "ignore_errors": True},
    ]


def vaulted(folder, options):
    """The secrets of the options, each encrypted as ansible-vault does it, in a file of variables."""
    vault = folder / "vault-password"
    vault.write_text("a vault password\n", encoding="utf-8")
    plain = folder / "secrets.yml"
    plain.write_text(yaml.safe_dump({"secrets": options}), encoding="utf-8")
    subprocess.run(
        [BIN / "ansible-vault", "encrypt", "--vault-password-file", vault, plain],
        env=clean_environment(HOME=str(folder), LC_ALL="C.UTF-8"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return vault, plain


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("options", "password"),
        ("module_defaults", "temporary key"),
        ("environment", "token"),
        ("environment", "passcode"),
        ("vault", "key"),
    ],
)
def test_real_ansible_playbook_at_the_highest_verbosity(sentinel_sim, tmp_path, source, kind):
    sim = sentinel_sim
    inputs, folder = tmp_path / "inputs", tmp_path / "run"
    inputs.mkdir()
    folder.mkdir()
    options, environ = given(sim, kind, "environment" if source == "environment" else "options")
    more: list[str] = ["-vvvv"]
    defaults, listed = options, tasks(sim, kind)
    if source == "options":
        defaults = connection(sim)
        for task in listed:
            for action, values in task.items():
                if action.startswith("hwcloud."):
                    task[action] = {**KINDS[kind], **values}
    elif source == "vault":
        vault, secrets = vaulted(inputs, KINDS[kind])
        defaults = {**connection(sim), **{option: f"{{{{ secrets.{option} }}}}" for option in KINDS[kind]}}
        more += ["--vault-password-file", str(vault), "-e", f"@{secrets}"]
    playbook = inputs / "playbook.yml"
    playbook.write_text(yaml.safe_dump([local_play(listed, defaults)], sort_keys=False), encoding="utf-8")

    # Everything that Ansible itself writes ends up in the folder.
    written = {"ANSIBLE_LOCAL_TEMP": str(folder / "local"), "ANSIBLE_REMOTE_TEMP": str(folder / "remote")}
    run = run_playbook(folder, playbook, *more, environ={**environ, **written})

    assert run.returncode == 0, run.output
    statuses = {entry["task"]: entry["status"] for entry in run.results}
    assert statuses.pop("works") == "ok", run.result("works")
    assert statuses.pop("show") == "ok"
    assert set(statuses.values()) == {"failed"}
    assert run.result("denied")["failure"]["http_status"] == 403
    assert run.result("echo 0")["failure"]["http_status"] == 401
    assert run.result("refused")["failure"]["code"] == "NetworkError"
    # What was given is not here: the vault and the playbook are in the other folder.
    check_nothing_leaked(folder, run.output, sim)


#: Ways that can be in one playbook: the key of the account is either a temporary one or not.
TOGETHER = {
    "files": [name for name, way in WAYS.items() if not way.options and way.kind != "temporary key"],
    "options": [name for name, way in WAYS.items() if way.options and way.kind != "temporary key"],
    "temporary keys": [name for name, way in WAYS.items() if way.kind == "temporary key"],
}


@pytest.mark.slow
@pytest.mark.parametrize("together", TOGETHER)
def test_every_way_in_real_ansible_playbook_at_the_highest_verbosity(sentinel_sim, proxy, tmp_path, together):
    sim = sentinel_sim
    inputs, folder = tmp_path / "inputs", tmp_path / "run"
    inputs.mkdir()
    folder.mkdir()
    # The password in it is shown to nobody, also where the proxy is not used, as for plain HTTP on this machine.
    proxied = {"proxy": proxy.url_for("maintainer", PROXY_PASSWORD)}
    nobody = dict.fromkeys(("dcs", "dds", "iam", "metadata"), "http://127.0.0.1:9")
    listed: list[dict[str, Any]] = []
    faults: list[dict[str, Any]] = []
    for number, name in enumerate(TOGETHER[together]):
        options, environ = prepared(sim, Home(inputs / name.replace(" ", "-")), name)
        once = {**options, **proxied, "retries": 0}
        # The second listing of each way; those that an earlier rule takes are not counted by this one.
        faults.append({"operation": JOBS, "skip": number + 1, "fault": echo(500)(WAYS[name].known(JOBS))})
        tasks_of_way: list[dict[str, Any]] = [
            {"name": f"{name} works", INFO: {**options, **proxied}, "register": "found"},
            {"name": f"{name} shown", "ansible.builtin.debug": {"var": "found"}},
            {"name": f"{name} fails", INFO: once, "ignore_errors": True},
        ]
        if number == 0:
            unreachable = {"name": "reaches nobody", INFO: {**once, "endpoints": nobody}, "ignore_errors": True}
            bad = {"name": "is bad", INFO: {**once, "region": "x/"}, "ignore_errors": True}
            tasks_of_way += [unreachable, bad]
        del environ["TMPDIR"]
        listed += [{**task, "environment": environ} if INFO in task else task for task in tasks_of_way]
    cancel = {**listed[0][INFO], "job_ids": [PENDING_1H]}
    last = {"name": "cancelled", "hwcloud.maintenance.dds_scheduled_job": cancel}
    listed.append({**last, "environment": listed[0]["environment"]})
    sim.faults(faults)
    playbook = inputs / "playbook.yml"
    playbook.write_text(yaml.safe_dump([local_play(listed)], sort_keys=False), encoding="utf-8")

    written = {"ANSIBLE_LOCAL_TEMP": str(folder / "local"), "ANSIBLE_REMOTE_TEMP": str(folder / "remote")}
    run = run_playbook(folder, playbook, "-vvvv", "--diff", environ=written, timeout=300)

    assert run.returncode == 0, run.output
    for entry in run.results:
        good = entry["task"].endswith(("works", "shown", "cancelled"))
        assert entry["status"] == ("ok" if good else "failed"), entry
        if entry["task"].endswith("fails"):
            assert entry["result"]["failure"]["http_status"] == 500
    assert run.result("cancelled")["changed"] is True
    check_nothing_leaked(folder, run.output, sim)


def check_nothing_leaked(folder: Path, output: str, sim: Any) -> None:
    """Neither on the screen, nor in the queries, nor in a file that a run left in this folder."""
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert folder / "results.jsonl" in left
    texts = {"the output": output, "the journal": json.dumps(sim.journal())}
    texts.update((str(path.relative_to(folder)), path.read_text("utf-8", "replace")) for path in left)
    for place, text in texts.items():
        assert find_pieces(text) is None, place
