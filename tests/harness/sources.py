# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every place in which credentials can be, and every kind of them, for tests that go through all of both."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

from tests.simulator import Simulator

from .modules import run_module
from .profiles import (
    CLOUDS_KEYS,
    CLOUDS_PATH,
    KOOCLI_KEYS,
    KOOCLI_PATH,
    SDK_KEYS,
    SDK_PATH,
    Home,
    cloud_entry,
    koocli_profile,
    koocli_sso_profile,
)

SIGN_IN, PROJECTS, ASSUME = "KeystoneCreateUserTokenByPassword", "KeystoneListProjects", "CreateTemporaryAccessKey"
SESSION, MACHINE_KEY = "CreateMetadataToken", "ShowSecurityKey"
INFO, JOBS = "dds_scheduled_job_info", "ListScheduledTasks"
CANCEL = "dds_scheduled_job"
PENDING_1H = "83717e93-eb0c-81dc-8119-499a03290d3d"
#: A part of what must never be shown.
SENTINEL = "SENTINELSECRET"

#: What each kind of credentials consists of; C(METHODS) are the values of auth_method that choose among them.
KINDS = {
    "token": ("auth_token",),
    "access key": ("access_key", "secret_key"),
    "temporary key": ("access_key", "secret_key", "security_token"),
    "password": ("username", "password", "domain_name"),
    "password, account by id": ("username", "password", "domain_id"),
    "password, user by id": ("user_id", "password"),
    "passcode": ("user_id", "password", "passcode"),
}
METHODS = {"token": ("token",), "access_key": ("access key", "temporary key")}


def method_of(kind: str) -> str:
    return next((method for method, kinds in METHODS.items() if kind in kinds), "password")


#: The names that each family of variables has for the options, in the order in which the families are looked at.
VARIABLES = {
    "HUAWEICLOUD_SDK_*": {
        "access_key": "HUAWEICLOUD_SDK_AK",
        "secret_key": "HUAWEICLOUD_SDK_SK",
        "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    },
    "HW_*": {
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
    "OS_*": {
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
EVERY_OPTION = tuple(dict.fromkeys(option for kind in KINDS.values() for option in kind))


class Task:
    """A task to be: its options, its environment and its home folder, to which sources are added."""

    def __init__(self, sim: Simulator, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sim = sim
        self.home = home
        self._monkeypatch = monkeypatch
        self.options: dict[str, Any] = {
            "region": sim.region,
            "project_id": sim.project_id,
            "endpoints": dict.fromkeys(("dcs", "dds", "iam", "metadata"), sim.url),
        }
        self.environ: dict[str, str] = home.environ
        # clouds.yaml is looked for in the folder where the module runs, too.
        monkeypatch.chdir(home.folder)

    def run(self, module: str = INFO, **more: Any) -> dict[str, Any]:
        """Run it; what is None in the end is left out, and so are variables that are empty."""
        options = {name: value for name, value in {**self.options, **more}.items() if value is not None}
        if module == CANCEL:
            options.setdefault("job_ids", [PENDING_1H])
        return run_module(module, options, environ=self.environ)

    def anew(self, home: Home) -> Task:
        """Another task, which has nothing of this one; the simulator is as at its start."""
        self.sim.reset("maintenance")
        return Task(self.sim, home, self._monkeypatch)

    def forget(self) -> Task:
        """Empty the journal, for another run."""
        self.sim._server.cloud.journal.clear()
        return self

    def refusal(self, code: str, module: str = INFO, **more: Any) -> str:
        """Run it; it must fail with this code before any request, in one sentence, which is returned."""
        result = self.run(module, **more)
        assert result.get("failed"), result
        assert (result["failure"]["code"], result.get("requests", 0)) == (code, 0), result
        assert self.sim.journal() == []
        assert "\n" not in result["msg"]
        assert "exception" not in result
        # Of a library that is missing, Ansible itself tells.
        assert result["msg"].endswith(".") or code == "MissingLibrary"
        return result["msg"]


class Source(NamedTuple):
    """A place for credentials: how to put them there, which kinds it can hold, and what it calls each option."""

    put: Callable[[Task, dict[str, Any]], None]
    kinds: tuple[str, ...]
    names: dict[str, str]
    #: The value of auth_method that chooses it; None where the kind of the credentials decides.
    method: str | None = None
    #: The file that it is in; sources of one file cannot be there at the same time.
    file: str = ""


def _into_options(task: Task, values: dict[str, Any]) -> None:
    task.options.update(values)


def _into_variables(names: dict[str, str]) -> Callable[[Task, dict[str, Any]], None]:
    return lambda task, values: task.environ.update({names[option]: value for option, value in values.items()})


def _sdk_file(task: Task, values: dict[str, Any]) -> None:
    task.environ["HUAWEICLOUD_SDK_CREDENTIALS_FILE"] = str(task.home.sdk(values, path="asked/sdk"))


def _koocli_file(task: Task, values: dict[str, Any]) -> None:
    task.environ["HW_SHARED_CONFIG_FILE"] = str(task.home.koocli(koocli_profile(values), path="asked/koocli"))


def _koocli_name(task: Task, values: dict[str, Any]) -> None:
    task.environ["HW_PROFILE"] = "tonight"
    wrong = koocli_profile({"access_key": "A" * 20, "secret_key": "wrong"})
    task.home.koocli(wrong, koocli_profile(values, "tonight"))


def _koocli_sso(task: Task, values: dict[str, Any]) -> None:
    task.environ["HW_SHARED_CONFIG_FILE"] = str(task.home.koocli(koocli_sso_profile(values), path="asked/sso"))


def _clouds(task: Task, values: dict[str, Any]) -> None:
    task.environ["OS_CLOUD"] = "simulated"
    task.home.clouds({"simulated": cloud_entry(values), "another": {"auth": {"token": "wrong"}}})


KEYS = ("access key", "temporary key")
ALL = tuple(KINDS)
SDK_NAMES = {option: SDK_KEYS.get(option, option) for option in KINDS["temporary key"]}
KOOCLI_NAMES = {option: KOOCLI_KEYS[option] for option in KINDS["temporary key"]}
CLOUDS_NAMES = {option: CLOUDS_KEYS.get(option, option) for option in EVERY_OPTION}
#: All sources, in the order in which they are looked at.
SOURCES = {
    "options": Source(_into_options, ALL, {option: option for option in EVERY_OPTION}),
    **{
        family: Source(
            _into_variables(names),
            tuple(kind for kind, options in KINDS.items() if set(options) <= set(names)),
            names,
        )
        for family, names in VARIABLES.items()
    },
    "SDK profile of a variable": Source(_sdk_file, KEYS, SDK_NAMES, "profile", "asked/sdk"),
    "KooCLI file of a variable": Source(_koocli_file, KEYS, KOOCLI_NAMES, "koocli", "asked/koocli"),
    "KooCLI profile of a variable": Source(_koocli_name, KEYS, KOOCLI_NAMES, "koocli", KOOCLI_PATH),
    "KooCLI single sign-on of a variable": Source(_koocli_sso, KEYS[1:], KOOCLI_NAMES, "koocli", "asked/sso"),
    "clouds.yaml": Source(_clouds, ALL, CLOUDS_NAMES, "clouds_yaml", CLOUDS_PATH),
    "SDK profile": Source(lambda task, values: _void(task.home.sdk(values)), KEYS, SDK_NAMES, "profile", SDK_PATH),
    "KooCLI": Source(
        lambda task, values: _void(task.home.koocli(koocli_profile(values))),
        KEYS,
        KOOCLI_NAMES,
        "koocli",
        KOOCLI_PATH,
    ),
    "KooCLI single sign-on": Source(
        lambda task, values: _void(task.home.koocli(koocli_sso_profile(values))),
        KEYS[1:],
        KOOCLI_NAMES,
        "koocli",
        KOOCLI_PATH,
    ),
}


def _void(_file: Path) -> None:
    """A file was written; where it is need not be said."""


WAYS = [(source, kind) for source, found in SOURCES.items() for kind in found.kinds]


def right(sim: Simulator, kind: str) -> dict[str, Any]:
    """Values with which the simulator signs in; fetched from inside, so that the journal stays empty."""
    cloud = sim._server.cloud
    user = cloud.identity.users[2 if kind == "passcode" else 0]
    ends = cloud.world.clock() + 3600
    if kind == "temporary key":
        key = cloud.identity.issue_key(user, ends)
        return {"access_key": key.access, "secret_key": key.secret, "security_token": key.security_token}
    values = {
        "auth_token": "",
        "access_key": user.access_key,
        "secret_key": user.secret_key,
        "username": user.name,
        "user_id": user.id,
        "password": user.password,
        "passcode": user.totp,
        "domain_name": sim.domain_name,
        "domain_id": cloud.world.domain_id,
    }
    if kind == "token":
        values["auth_token"] = cloud.identity.issue_token(user, sim.project_id, ends)
    return {option: values[option] for option in KINDS[kind]}


def wrong(kind: str) -> dict[str, Any]:
    """Values that are complete and that nobody accepts."""
    return {option: "WRONGACCESSKEY000000" if option == "access_key" else f"wrong-{option}" for option in KINDS[kind]}


def auth_kind(kind: str) -> str:
    """How requests are authenticated with these credentials, in the journal's words."""
    return "aksk" if "key" in kind else "token"


def check(task: Task, result: dict[str, Any], operations: list[str], auth: str, *, temporary: bool) -> None:
    """It succeeded with exactly these requests, the last of them as this kind of user."""
    assert "failed" not in result, result
    assert "warnings" not in result, result
    journal = task.sim.journal()
    assert [entry["operation"] for entry in journal] == operations
    assert result["requests"] == len(operations)
    assert result["retried"] == []
    last = journal[-1]
    assert (last["auth"], "X-Security-Token" in last["request_headers"]) == (auth, temporary)
    assert "X-Auth-Token" not in last["request_headers"] or auth == "token"
    assert len(result["jobs"]) > 0


#: Ways to name an agency; a value of None stands for the id of the account.
AGENCIES = {
    "no agency": {},
    "agency by name": {"agency_name": "maintenance-agency", "agency_domain_name": "sim-account"},
    "agency by id": {"agency_name": "maintenance-agency", "agency_domain_id": None},
}
