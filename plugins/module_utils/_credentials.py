# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is calling, and for which project: finding one complete set of credentials, and using it.

C(find_credentials()) looks through the sources in order (the task's options, then each family of environment
variables) and takes the first that holds a complete set; sources are never mixed. C(Account) turns the set into
something that authenticates requests, signing in where that needs a request, and knows the project.
"""

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import AnswerError, ConfigError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._signer import AccessKeyAuth

CREATE_TOKEN = Operation("KeystoneCreateUserTokenByPassword", "iam", "POST", "/v3/auth/tokens")
LIST_PROJECTS = Operation("KeystoneListProjects", "iam", "GET", "/v3/projects", "iam:projects:listProjects")

#: Options that are secrets; everything else that identifies a user may be shown.
SECRETS = ("auth_token", "secret_key", "security_token", "password")

#: The kinds of credentials in the order in which they are preferred within one source:
#: what a kind needs, what may come with it, and what shows that it was meant.
_KINDS: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (("auth_token",), (), ("auth_token",)),
    (("access_key", "secret_key"), ("security_token",), ("access_key", "secret_key", "security_token")),
    (("username", "password", "domain_name"), (), ("username", "password")),
)

#: The families of environment variables in the order in which they are tried (contract 6.6).
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

#: Settings that are no credentials, and the variables that stand in for an option that is not given.
SETTINGS: dict[str, tuple[str, ...]] = {
    "region": ("HW_REGION_NAME", "OS_REGION_NAME"),
    "project_id": ("HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID"),
    "project_name": ("HW_PROJECT_NAME", "OS_PROJECT_NAME", "OS_TENANT_NAME"),
    "cloud": ("HW_CLOUD",),
    "ca_path": ("OS_CACERT",),
}


class Credentials(t.NamedTuple):
    """One complete set of credentials.

    :ivar values: option name to value, only those of one kind.
    :ivar source: where it comes from, for messages.
    """

    values: dict[str, str]
    source: str

    def __repr__(self) -> str:
        # A traceback or a debugger must not show a secret by accident.
        return f"Credentials(source={self.source!r}, kinds={sorted(self.values)})"


def setting(option: str, options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> str | None:
    """The value of a setting: the option, or the first of its variables that is set; empty counts as not given."""
    candidates = [options.get(option), *(environ.get(name) for name in SETTINGS[option])]
    return next((str(value) for value in candidates if value not in (None, "")), None)


def secrets_of_environment(environ: t.Mapping[str, str]) -> list[str]:
    """All secrets in the environment, whether they are going to be used or not."""
    names = [name for _family, variables in ENVIRONMENT for secret in SECRETS for name in variables.get(secret, ())]
    return [environ[name] for name in names if environ.get(name)]


def find_credentials(options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> Credentials:
    """Take the first source that holds a complete set of credentials.

    :raises ConfigError: when a source holds an incomplete set, or no source holds any, or a value cannot be right.
    """
    for source, values, names in _sources(options, environ):
        credentials = _complete_set(source, values, names)
        if credentials is not None:
            return credentials
    raise ConfigError(
        "No credentials were given: set access_key and secret_key, or auth_token, or username, password and domain_name,"
        " as options or in the environment (for example HW_ACCESS_KEY and HW_SECRET_KEY).",
        code="MissingCredentials",
    )


def _sources(
    options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]
) -> t.Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Each source: its name, its values, and under which name each option is known in it."""
    known = {name for kind in _KINDS for name in (*kind[0], *kind[1])}
    yield (
        "the task's options",
        {name: str(options[name]) for name in known if options.get(name) not in (None, "")},
        {name: name for name in known},
    )
    for family, variables in ENVIRONMENT:
        values = {}
        for option, names in variables.items():
            value = next((environ[name] for name in names if environ.get(name)), None)
            if value is not None:
                values[option] = value
        yield f"the environment ({family})", values, {option: names[0] for option, names in variables.items()}


def _complete_set(source: str, values: dict[str, str], names: dict[str, str]) -> Credentials | None:
    incomplete: str | None = None
    for needed, optional, signs in _KINDS:
        if all(name in values for name in needed):
            chosen = {name: values[name] for name in (*needed, *optional) if name in values}
            _check_values(source, chosen, names)
            return Credentials(chosen, source)
        if incomplete is None and any(name in values for name in signs):
            given = [names[name] for name in (*needed, *optional) if name in values]
            missing = [names.get(name, name) for name in needed if name not in values]
            incomplete = f"{' and '.join(given)} need{'s' if len(given) == 1 else ''} {' and '.join(missing)} too"
    if incomplete is not None:
        raise ConfigError(
            f"The credentials in {source} are incomplete: {incomplete}; sources are never mixed.",
            code="IncompleteCredentials",
        )
    return None


def _check_values(source: str, values: dict[str, str], names: dict[str, str]) -> None:
    """Refuse what can only be a mistake, such as the line end of a file; never quotes the value."""
    for name, value in values.items():
        where = f"{names[name]} in {source}"
        if name in ("auth_token", "access_key", "secret_key", "security_token"):
            if not (value.isascii() and value.isprintable() and " " not in value):
                raise ConfigError(f"{where} must consist of printable ASCII characters without blanks or line ends.")
        elif not value.isprintable():
            raise ConfigError(f"{where} must be text without line ends or control characters.")
        if name == "access_key" and ("," in value or "=" in value):
            raise ConfigError(f"{where} must be an access key id, without commas or equals signs.")


class Account:
    """Authenticates the requests of a task, and knows the id of its project.

    Nothing is sent before the first use: a task whose input is wrong, or that has nothing to do, sends no request.

    :arg project_id: the project, or None to look it up.
    :arg project_name: the name to look up; None for the project that has the region's name.
    :arg keep_secret: called with each secret, so that no output can show it; derived ones, such as a token, too.
    """

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
        self._values = credentials.values
        self._source = credentials.source
        self._project_id = project_id
        self._project_name = project_name
        self._keep_secret = keep_secret
        self._token = self._values.get("auth_token")
        self._signer: AccessKeyAuth | None = None
        if "access_key" in self._values:
            self._signer = AccessKeyAuth(
                self._values["access_key"], self._values["secret_key"], self._values.get("security_token")
            )
        for name in SECRETS:
            if name in self._values:
                self._conceal(self._values[name])

    def _conceal(self, secret: str) -> None:
        self._client.keep_secret(secret)
        self._keep_secret(secret)

    def authenticate(self, request: t.Any) -> t.Any:
        """Mark a prepared request as this user's; the C(auth) of a request."""
        if self._signer is not None:
            return self._signer(request)
        request.headers["X-Auth-Token"] = self._token
        return request

    def renew(self) -> bool:
        """Sign in anew after a 401; False when this task did not obtain its token itself.

        Never for access keys: more than five bad signatures in a row lock the key for five minutes.
        """
        if "password" not in self._values:
            return False
        self._sign_in()
        return True

    @property
    def project_id(self) -> str:
        """The id of the project; signs in and looks it up where that is needed.

        :raises RefusedError: when no project, or several, have the name.
        """
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
        answer = self._client.request(
            CREATE_TOKEN,
            self._endpoints.url("iam"),
            query={"nocatalog": "true"},
            body={
                "auth": {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": {"project": project},
                }
            },
        )
        token = answer.headers.get("X-Subject-Token")
        try:
            project_id = answer.data["token"]["project"]["id"]
        except (TypeError, KeyError):
            project_id = None
        if not token or not isinstance(project_id, str) or not project_id:
            raise AnswerError(
                "Signing in was answered without a token for a project.", service="iam", operation=CREATE_TOKEN.name
            )
        self._conceal(token)
        self._token = token
        self._project_id = project_id

    def _find_project(self) -> str:
        name = self._wanted_project()
        answer = self._client.request(
            LIST_PROJECTS,
            self._endpoints.url("iam"),
            query={"name": name},
            auth=self.authenticate,
        )
        projects = answer.data.get("projects") if isinstance(answer.data, dict) else None
        if not isinstance(projects, list):
            raise AnswerError(
                "The look-up of the project was answered without a list of projects.",
                service="iam",
                operation=LIST_PROJECTS.name,
            )
        # The filter is applied again here, as a service that ignored it would give away somebody else's project.
        ids = [
            project["id"]
            for project in projects
            if isinstance(project, dict) and project.get("name") == name and isinstance(project.get("id"), str)
        ]
        if len(ids) == 1:
            return t.cast(str, ids[0])
        found = f"several projects have it: {', '.join(sorted(ids))}" if ids else "no project of this user has it"
        raise RefusedError(
            f"The project named {name} cannot be used, as {found}.",
            code="Ambiguous" if ids else "NotFound",
            service="iam",
            operation=LIST_PROJECTS.name,
            hint="Set project_id, or project_name.",
        )
