# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is calling, and for which project: finding one complete set of credentials, and using it."""

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints, is_identifier
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import AnswerError, ConfigError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._signer import AccessKeyAuth

CREATE_TOKEN = Operation("KeystoneCreateUserTokenByPassword", "iam", "POST", "/v3/auth/tokens")
LIST_PROJECTS = Operation("KeystoneListProjects", "iam", "GET", "/v3/projects", "iam:projects:listProjects")

SECRETS = ("auth_token", "secret_key", "security_token", "password")

#: The kinds, preferred first: what one needs, what may come with it, what shows that it was meant.
_KINDS: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (("auth_token",), (), ("auth_token",)),
    (("access_key", "secret_key"), ("security_token",), ("access_key", "secret_key", "security_token")),
    (("username", "password", "domain_name"), (), ("username", "password")),
)

#: The families of variables, in order (contract 6.6).
ENVIRONMENT: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = (
    (
        "HUAWEICLOUD_SDK_*",
        {
            "access_key": ("HUAWEICLOUD_SDK_AK",),
            "secret_key": ("HUAWEICLOUD_SDK_SK",),
            "security_token": ("HUAWEICLOUD_SDK_SECURITY_TOKEN",),
        },
    ),
    (
        "HW_*",
        {
            "auth_token": ("HW_AUTH_TOKEN",),
            "access_key": ("HW_ACCESS_KEY",),
            "secret_key": ("HW_SECRET_KEY",),
            "security_token": ("HW_SECURITY_TOKEN",),
            "username": ("HW_USER_NAME",),
            "password": ("HW_USER_PASSWORD",),
            "domain_name": ("HW_DOMAIN_NAME",),
        },
    ),
    (
        "OS_*",
        {
            "auth_token": ("OS_AUTH_TOKEN",),
            "access_key": ("OS_ACCESS_KEY",),
            "secret_key": ("OS_SECRET_KEY",),
            "security_token": ("OS_SECURITY_TOKEN",),
            "username": ("OS_USERNAME",),
            "password": ("OS_PASSWORD",),
            "domain_name": ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME"),
        },
    ),
)

#: The variables that stand in for options that are no credentials.
SETTINGS: dict[str, tuple[str, ...]] = {
    "region": ("HW_REGION_NAME", "OS_REGION_NAME"),
    "project_id": ("HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID"),
    "project_name": ("HW_PROJECT_NAME", "OS_PROJECT_NAME", "OS_TENANT_NAME"),
    "cloud": ("HW_CLOUD",),
    "ca_path": ("OS_CACERT",),
}


class Credentials(t.NamedTuple):
    """One complete set: options of one kind, and where they are from."""

    values: dict[str, str]
    source: str

    def __repr__(self) -> str:
        # No secret.
        return f"Credentials(source={self.source!r}, kinds={sorted(self.values)})"


def setting(option: str, options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> str | None:
    """The option, or the first of its variables that is set; empty counts as not given."""
    candidates = [options.get(option), *(environ.get(name) for name in SETTINGS[option])]
    return next((str(value) for value in candidates if value not in (None, "")), None)


def secrets_of_environment(environ: t.Mapping[str, str]) -> list[str]:
    """All secrets in the environment, used or not."""
    names = [name for _family, variables in ENVIRONMENT for secret in SECRETS for name in variables.get(secret, ())]
    return [environ[name] for name in names if environ.get(name)]


def find_credentials(options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Credentials:
    """The first complete set, from the options or a family of variables; ConfigError for an incomplete one, or none."""
    own: dict[str, tuple[str, ...]]
    own = {name: (name,) for needed, optional, _signs in _KINDS for name in (*needed, *optional)}
    sources = [("the task's options", own, options)]
    sources += [(f"the environment ({family})", names, environ) for family, names in ENVIRONMENT]
    for source, names, given in sources:
        found = {
            option: next((given[name] for name in variables if given.get(name)), None)
            for option, variables in names.items()
        }
        values = {option: str(value) for option, value in found.items() if value is not None}
        chosen = _complete_set(source, values, {option: variables[0] for option, variables in names.items()})
        if chosen:
            return Credentials(chosen, source)
    raise ConfigError(
        "No credentials were given: set access_key and secret_key, or auth_token, or username, password and domain_name,"
        " as options or in the environment (for example HW_ACCESS_KEY and HW_SECRET_KEY).",
        code="MissingCredentials",
    )


def _complete_set(source: str, values: dict[str, str], names: dict[str, str]) -> dict[str, str] | None:
    incomplete = ""
    for needed, optional, signs in _KINDS:
        chosen = {name: values[name] for name in (*needed, *optional) if name in values}
        missing = [names.get(name, name) for name in needed if name not in values]
        if not missing:
            for name, value in chosen.items():
                _check_value(name, f"{names[name]} in {source}", value)
            return chosen
        if not incomplete and any(name in values for name in signs):
            given = [names[name] for name in chosen]
            incomplete = f"{' and '.join(given)} need{'s' if len(given) == 1 else ''} {' and '.join(missing)} too"
    if incomplete:
        raise ConfigError(
            f"The credentials in {source} are incomplete: {incomplete}; sources are never mixed.",
            code="IncompleteCredentials",
        )
    return None


def _check_value(option: str, where: str, value: str) -> None:
    """Refuse what can only be a mistake, without quoting it."""
    if option in ("auth_token", "access_key", "secret_key", "security_token"):
        if not (value.isascii() and value.isprintable() and " " not in value):
            raise ConfigError(f"{where} must consist of printable ASCII characters without blanks or line ends.")
    elif not value.isprintable():
        raise ConfigError(f"{where} must be text without line ends or control characters.")
    if option == "access_key" and ("," in value or "=" in value):
        raise ConfigError(f"{where} must be an access key id, without commas or equals signs.")


class Account:
    """Authenticates requests and knows the project; sends nothing before the first use."""

    def __init__(
        self,
        client: Client,
        endpoints: Endpoints,
        credentials: Credentials,
        project_id: str | None,
        project_name: str | None,
        keep_secret: t.Callable[[str], None],
    ) -> None:
        self._client = client
        self._endpoints = endpoints
        self._values = values = credentials.values
        self._project_id = project_id
        self._project_name = project_name
        self._keep_secret = keep_secret
        self._token = values.get("auth_token")
        self._signer: AccessKeyAuth | None = None
        if "access_key" in values:
            self._signer = AccessKeyAuth(values["access_key"], values["secret_key"], values.get("security_token"))
        for name in SECRETS:
            if name in values:
                self._conceal(values[name])

    def _conceal(self, secret: str) -> None:
        self._client.keep_secret(secret)
        self._keep_secret(secret)

    def authenticate(self, request: t.Any) -> t.Any:
        """Mark a prepared request as this user's."""
        if self._signer is not None:
            return self._signer(request)
        request.headers["X-Auth-Token"] = self._token
        return request

    def renew(self) -> bool:
        """Sign in anew after a 401, if this task did so before; wrong signatures would lock an access key."""
        if "password" not in self._values:
            return False
        self._sign_in()
        return True

    @property
    def project_id(self) -> str:
        """The id of the project, looked up where needed; RefusedError for none or several."""
        if self._token is None and "password" in self._values:
            self._sign_in()
        if self._project_id is None:
            self._project_id = self._find_project()
        return self._project_id

    def _wanted_project(self) -> str:
        name = self._project_name or self._endpoints.region
        if name is None:
            raise ConfigError("project_id is missing: set it, or project_name, or region, by which it is looked up.")
        return name

    def _sign_in(self) -> None:
        known = self._project_id
        project = {"id": known} if known is not None else {"name": self._wanted_project()}
        user = {
            "name": self._values["username"],
            "password": self._values["password"],
            "domain": {"name": self._values["domain_name"]},
        }
        identity = {"methods": ["password"], "password": {"user": user}}
        answer = self._client.request(
            CREATE_TOKEN,
            self._endpoints.url("iam"),
            query={"nocatalog": "true"},
            body={"auth": {"identity": identity, "scope": {"project": project}}},
        )
        token = answer.headers.get("X-Subject-Token")
        try:
            project_id = answer.data["token"]["project"]["id"]
        except (TypeError, KeyError):
            project_id = None
        if not token or not is_identifier(project_id):
            raise CREATE_TOKEN.error(AnswerError, "Signing in was answered without a token for a project.")
        self._conceal(token)
        self._token = token
        self._project_id = project_id

    def _find_project(self) -> str:
        name = self._wanted_project()
        answer = self._client.request(
            LIST_PROJECTS, self._endpoints.url("iam"), query={"name": name}, auth=self.authenticate
        )
        projects = answer.data.get("projects") if isinstance(answer.data, dict) else None
        if not isinstance(projects, list):
            raise LIST_PROJECTS.error(
                AnswerError, "The look-up of the project was answered without a list of projects."
            )
        # Filtered again, should the service ignore the name.
        ids: list[str] = [
            project["id"]
            for project in projects
            if isinstance(project, dict) and project.get("name") == name and is_identifier(project.get("id"))
        ]
        if len(ids) == 1:
            return ids[0]
        found = f"several projects have it: {', '.join(sorted(ids))}" if ids else "no project of this user has it"
        raise LIST_PROJECTS.error(
            RefusedError,
            f"The project named {name} cannot be used, as {found}.",
            code="Ambiguous" if ids else "NotFound",
            hint="Set project_id, or project_name.",
        )
