# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The account: turns credentials into authenticated requests, and knows the project."""

from __future__ import annotations

import threading
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._credentials import (
    SECRETS,
    Credentials,
    is_hidden,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints, is_identifier
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    AnswerError,
    ApiError,
    ConfigError,
    RefusedError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._signer import AccessKeyAuth

LIST_PROJECTS = Operation("KeystoneListProjects", "iam", "GET", "/v3/projects", "iam:projects:listProjects")


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
        *,
        agency: t.Mapping[str, str] | None = None,
        cache_folder: str | None = None,
        warn: t.Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        self._client = client
        self._endpoints = endpoints
        self._credentials = credentials
        self._project_id = self._given_project_id = project_id
        self._project_name = project_name
        self._keep_secret = keep_secret
        self._agency = agency
        self._cache_folder = cache_folder
        self._warn = warn
        self._token: str | None = None
        self._signer: AccessKeyAuth | None = None
        self._passcode_used = False
        self._refused = False
        # One thread signs in, and the others wait for it.
        self._lock = threading.RLock()
        #: How often this task has signed in.
        self.sign_ins = 0
        if self._is_given:
            self._use(credentials.values)
        else:
            self._conceal(credentials.values)

    @property
    def _is_given(self) -> bool:
        """Whether no request is needed before the first one of the work."""
        return self._credentials.method in ("token", "access_key") and not self._agency

    def _conceal(self, values: t.Mapping[str, str]) -> None:
        """Hide the secrets that are used: wherever they show, or where they are sent, and in C(invocation)."""
        for name in SECRETS:
            value = values.get(name)
            if value and is_hidden(name, value):
                self._client.keep_secret(value)
                self._keep_secret(value)
            elif value:
                self._client.keep_word(value)

    def authenticate(self, request: t.Any) -> t.Any:
        """Mark a prepared request as this user's."""
        with self._lock:
            if self._signer is not None:
                return self._signer(request)
            request.headers["X-Auth-Token"] = self._token
            return request

    def renew(self, sign_ins: int | None = None) -> bool:
        """Sign in anew after a 401, if this task did so before; wrong signatures would lock an access key.

        With C(sign_ins), as they were when the request was made, only if no other thread has signed in since.
        """
        with self._lock:
            if sign_ins is not None and sign_ins != self.sign_ins:
                return True
            # A passcode is good for one sign-in, and what was refused once would only bring a lock nearer.
            if self._is_given or self._passcode_used or self._refused:
                return False
            try:
                self._sign_in()
            except ApiError:
                self._refused = True
                raise
            return True

    @property
    def project_id(self) -> str:
        """The id of the project, looked up where needed; RefusedError for none or several."""
        with self._lock:
            if self._signer is None and self._token is None:
                self._sign_in()
            if self._project_id is None:
                self._project_id = self._find_project()
            return self._project_id

    def _sign_in(self) -> None:
        """Get ready to authenticate, with as many requests as the credentials need."""
        self.sign_ins += 1
        self._sign_in_as_user()
        if self._agency:
            from ansible_collections.hwcloud.maintenance.plugins.module_utils._temporary import assume

            iam = self._endpoints.url("iam")
            self._use(assume(self._client, iam, self._agency, self.authenticate, self._renew_user))

    def _sign_in_as_user(self) -> None:
        values: t.Mapping[str, str] = self._credentials.values
        if self._credentials.method == "machine":
            from ansible_collections.hwcloud.maintenance.plugins.module_utils._temporary import machine_key

            values = machine_key(self._client, self._endpoints.url("metadata"))
        elif self._credentials.method == "password":
            values = {"auth_token": self._token_by_password()}
        self._use(values)

    def _renew_user(self) -> bool:
        """A token that was kept may have ended; new credentials would only be refused again."""
        if self._cache_folder is None or self._credentials.method != "password" or self._passcode_used:
            return False
        self._sign_in_as_user()
        return True

    def _use(self, values: t.Mapping[str, str]) -> None:
        self._conceal(values)
        self._token = values.get("auth_token")
        self._signer = None
        if "access_key" in values:
            self._signer = AccessKeyAuth(values["access_key"], values["secret_key"], values.get("security_token"))

    def _token_by_password(self) -> str:
        from ansible_collections.hwcloud.maintenance.plugins.module_utils._password import Token, TokenCache, sign_in

        values = self._credentials.values
        base_url = self._endpoints.url("iam")
        scope: dict[str, t.Any]
        if self._agency:
            # The agency's project is in another account.
            domain = {"id": values["domain_id"]} if "domain_id" in values else {"name": values["domain_name"]}
            scope = {"domain": domain}
        elif self._project_id is not None:
            scope = {"project": {"id": self._project_id}}
        else:
            scope = {"project": {"name": self._wanted_project()}}

        def fresh() -> Token:
            self._passcode_used = "passcode" in values
            return sign_in(self._client, base_url, values, scope)

        if self._cache_folder is None:
            found = fresh()
        else:
            # By what was given, not by what has been learned since.
            project = self._agency or self._given_project_id or [self._wanted_project()]
            identity = [base_url, project, {name: value for name, value in values.items() if name not in SECRETS}]
            cache = TokenCache(self._cache_folder, identity, self._warn)
            found = cache.token(self._client, self._token, fresh)
        self._project_id = self._project_id or found.project_id
        return found.token

    def _wanted_project(self) -> str:
        name = self._project_name or self._endpoints.region
        if name is None:
            raise ConfigError("project_id is missing: set it, or project_name, or region, by which it is looked up.")
        return name

    def _find_project(self) -> str:
        name = self._wanted_project()
        answer = self._client.request(
            LIST_PROJECTS,
            self._endpoints.url("iam"),
            query={"name": name},
            auth=self.authenticate,
            renew=self.renew,
        )
        projects = answer.data.get("projects") if isinstance(answer.data, dict) else None
        if not isinstance(projects, list):
            raise LIST_PROJECTS.error(
                AnswerError,
                "The look-up of the project was answered without a list of projects.",
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
