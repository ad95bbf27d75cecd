# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret shows anywhere: sentinels are put in through every source, and looked for in everything that comes out."""

from __future__ import annotations

import base64
import json
import subprocess
from urllib.parse import quote

import pytest
import yaml

from tests.conftest import connection
from tests.harness.modules import clean_environment, run_module
from tests.harness.playbooks import BIN, local_play, run_playbook
from tests.simulator.identity import Token

#: Each with characters that are written differently in JSON and in URLs, and with a middle that looks the same in all.
SECRET_KEY = 'Sk"%/LEAKED-SECRET-KEY/%"1'
PASSWORD = 'Pw"\\+LEAKED-PASSWORD&"1'
SECURITY_TOKEN = "St/+LEAKED-SECURITY-TOKEN=1"
AUTH_TOKEN = "At/+LEAKED-AUTH-TOKEN=1"
DERIVED_TOKEN = "Dt/+LEAKED-DERIVED-TOKEN=1"
MARK = "LEAKED"
SECRETS = (SECRET_KEY, PASSWORD, SECURITY_TOKEN, AUTH_TOKEN, DERIVED_TOKEN)

ACCESS_KEY = "SENTINELACCESSKEY"
PENDING_1H = "83717e93-eb0c-81dc-8119-499a03290d3d"
INFO = "hwcloud.maintenance.dds_scheduled_job_info"
KINDS = {
    "key": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY},
    "temporary key": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY, "security_token": SECURITY_TOKEN},
    "token": {"auth_token": AUTH_TOKEN},
    "password": {"username": "sentinel", "password": PASSWORD, "domain_name": "sim-account"},
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
    return own + ([DERIVED_TOKEN] if kind == "password" else [])


def find_pieces(text, kind):
    """A piece of a secret in a text, with what stands before it; None when there is none."""
    for secret in own_secrets(kind):
        # The beginning, as a careless cut leaves it, and the middle, which no way of writing changes.
        middle = secret[secret.index(MARK) : -2].rstrip('=/%"&')
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


@pytest.fixture
def sentinel_sim(sim, monkeypatch):
    """The simulator with one user whose secrets are the sentinels, and whose tokens are too."""
    user = {"name": "sentinel", "password": PASSWORD, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
    sim.reset(
        {
            "users": [user],
            "dds_instances": [{"name": "dds-one"}],
            "scheduled_jobs": [{"job_id": PENDING_1H, "instance_name": "dds-one", "job_status": "Pending"}],
        }
    )
    identity = sim._server.cloud.identity
    operator = identity.users[0]
    identity.tokens[AUTH_TOKEN] = Token(operator, sim.project_id, 4e9)

    def issue(user, project_id, expires_at):
        identity.tokens[DERIVED_TOKEN] = Token(user, project_id, expires_at)
        return DERIVED_TOKEN

    monkeypatch.setattr(identity, "issue_token", issue)
    identity.keys[ACCESS_KEY].security_token = None
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
    return options, {VARIABLES[option]: value for option, value in KINDS[kind].items()}


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
    assert find_pieces(strings(result), kind) is None


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
    assert find_pieces(strings(result), kind) is None


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
        assert result.get("failed", False) is (operation == "ListScheduledTasks" or kind == "password")
        assert find_pieces(strings(result), kind) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["options", "environment"])
def test_a_refused_connection_shows_no_secret(sentinel_sim, kind, source):
    options, environ = given(sentinel_sim, kind, source)
    nobody = dict.fromkeys(("dcs", "dds", "iam"), "http://127.0.0.1:9")
    result = run_module("dds_scheduled_job_info", {**options, "endpoints": nobody, "retries": 0}, environ=environ)
    assert result["failure"]["code"] == "NetworkError"
    assert find_pieces(strings(result), kind) is None


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
        ("environment", "password"),
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
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert folder / "results.jsonl" in left
    texts = {"the output": run.output, "the journal": json.dumps(sim.journal())}
    texts.update((str(path.relative_to(folder)), path.read_text("utf-8", "replace")) for path in left)
    for place, text in texts.items():
        assert find_pieces(text, kind) is None, place
