# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share: common options, checks of input, the shape of results and of failures.

C(run_module()) is the only place that ends a module. It turns the exceptions of this collection into one sentence
(C(msg)) and one dictionary (C(failure)), and lets nothing out that holds a secret.
"""

from __future__ import annotations

import os
import re
import traceback
import typing as t
from datetime import datetime, timezone
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.hwcloud.maintenance.plugins.module_utils import _credentials
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    ConfigError,
    MaintenanceError,
    MissingLibraryError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, HttpOptions
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Wait
from ansible_collections.hwcloud.maintenance.plugins.module_utils._times import parse_age, parse_moment

#: The options that every module has; documented in the fragments C(credentials) and C(connection).
COMMON_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "auth_token": {"type": "str", "no_log": True},
    "access_key": {"type": "str", "no_log": False},
    "secret_key": {"type": "str", "no_log": True},
    "security_token": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "domain_name": {"type": "str"},
    "region": {"type": "str"},
    "project_id": {"type": "str"},
    "project_name": {"type": "str"},
    "cloud": {"type": "str"},
    "endpoints": {"type": "dict", "options": {"dcs": {"type": "str"}, "dds": {"type": "str"}, "iam": {"type": "str"}}},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "connect_timeout": {"type": "int", "default": 10},
    "read_timeout": {"type": "int", "default": 60},
    "retries": {"type": "int", "default": 4},
    "deadline": {"type": "int"},
}

#: Seconds for the requests of a task where C(deadline) is not given; time spent waiting comes on top.
_DEFAULT_DEADLINE = 900

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z", re.ASCII)
_IDENTIFIER_RULE = "1 to 64 letters, digits, hyphens and underscores"
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}\Z")


class Task:
    """One run of a module: its checked options, and the clients that follow from them."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.options: dict[str, t.Any] = module.params
        self.check_mode: bool = module.check_mode
        self.now = datetime.now(timezone.utc)
        environ = os.environ
        # First of all: whatever fails from here on must not show them.
        module.no_log_values.update(_credentials.secrets_of_environment(environ))
        self._check_numbers()
        region = _credentials.setting("region", self.options, environ)
        cloud = _credentials.setting("cloud", self.options, environ)
        project_id = _credentials.setting("project_id", self.options, environ)
        if project_id is not None:
            self.check_id("project_id", project_id)
        project_name = _credentials.setting("project_name", self.options, environ)
        if project_name is not None and not _NAME.match(project_name):
            raise ConfigError("project_name must be the name of a project, of at most 255 characters on one line.")
        self.endpoints = Endpoints(region, cloud, self.options["endpoints"], environ)
        credentials = _credentials.find_credentials(self.options, environ)
        ca_path = _credentials.setting("ca_path", self.options, environ)
        if ca_path is not None and not Path(ca_path).exists():
            raise ConfigError(f"ca_path must be a file or folder with CA certificates; {ca_path!r} does not exist.")
        deadline = self.options["deadline"]
        if deadline is None:
            deadline = _DEFAULT_DEADLINE + (self.options.get("wait_timeout") or 0)
        self.client = Client(
            HttpOptions(
                validate_certs=self.options["validate_certs"],
                ca_path=ca_path,
                connect_timeout=self.options["connect_timeout"],
                read_timeout=self.options["read_timeout"],
                retries=self.options["retries"],
                deadline=deadline,
            )
        )
        self.account = _credentials.Account(
            self.client, self.endpoints, credentials, project_id, project_name, module.no_log_values.add
        )

    def _check_numbers(self) -> None:
        for option, least, most in (
            ("connect_timeout", 1, 3600),
            ("read_timeout", 1, 3600),
            ("retries", 0, 20),
            ("deadline", 1, 7 * 86400),
            ("wait_timeout", 0, 7 * 86400),
            ("wait_interval", 1, 3600),
        ):
            value = self.options.get(option)
            if value is not None and not least <= value <= most:
                raise ConfigError(f"{option} must be a whole number from {least} to {most}; got {value}.")

    def check_id(self, option: str, value: str) -> str:
        """Refuse an id, or the name of an instance, that could not be one, before it becomes part of a URL.

        :raises ConfigError: naming the option and what it accepts.
        """
        if not _IDENTIFIER.match(value):
            shown = repr(value if len(value) <= 60 else value[:60] + "…")
            got = f"got {shown}" if value else "it is empty"
            raise ConfigError(f"{option} must consist of {_IDENTIFIER_RULE}; {got}.")
        return value

    def check_optional_id(self, option: str) -> str | None:
        """The id or name in an option; None when the option is not given. Empty text is an error, not "not given"."""
        value = self.options[option]
        return None if value is None else self.check_id(option, value)

    def check_ids(self, option: str) -> list[str] | None:
        """The ids in an option that holds a list, each once; None when the option is not given."""
        values = self.options[option]
        if values is None:
            return None
        return list(dict.fromkeys(self.check_id(option, value) for value in values))

    def check_words(self, option: str) -> list[str] | None:
        """The words in an option that holds a list of names or statuses; None when the option is not given."""
        values: list[str] | None = self.options[option]
        for value in values or ():
            if not _NAME.match(value) or value != value.strip():
                raise ConfigError(
                    f"{option} must be a list of words of the API, none of them empty; got {value[:60]!r}."
                )
        return values

    def moment(self, option: str) -> datetime | None:
        """The point in time in an option; None when the option is not given."""
        value = self.options[option]
        return None if value is None else parse_moment(option, value, self.now)

    def lookback(self) -> datetime:
        """The point in time that lies the option C(lookback) ago."""
        return parse_age("lookback", self.options["lookback"], self.now)

    def wait_options(self) -> Wait:
        """The options C(wait_timeout) and C(wait_interval)."""
        return Wait(self.options["wait_timeout"], self.options["wait_interval"], self.client.pause)

    def warn(self, sentence: str) -> None:
        """Show a warning to the user."""
        self._module.warn(self.client.redact(sentence))


def run_module(
    arguments: dict[str, dict[str, t.Any]],
    run: t.Callable[[Task], dict[str, t.Any]],
    **rules: t.Any,
) -> None:
    """Run a module from its arguments to its exit.

    :arg arguments: the module's own options; the common ones are added.
    :arg run: does the work and returns the result, with C(changed), and C(diff) where it can change something.
    :arg rules: C(mutually_exclusive), C(required_one_of) and the like.
    """
    module = AnsibleModule(argument_spec={**COMMON_ARGUMENTS, **arguments}, supports_check_mode=True, **rules)
    task: Task | None = None
    try:
        task = Task(module)
        result = run(task)
    except MissingLibraryError as error:
        module.fail_json(msg=missing_required_lib(error.library), failure=error.failure())
    except MaintenanceError as error:
        _fail(module, task, error.message, error.failure(), error.result)
    except Exception as error:  # noqa: BLE001  # see below
        # A defect of this collection: its traceback may quote what it stumbled over, so it is redacted too.
        failure = MaintenanceError("", code="InternalError").failure()
        trace = traceback.format_exc()
        message = f"An unexpected error of this module, please report it: {type(error).__name__}: {error}"
        if task is not None:
            message, trace = task.client.redact(message), task.client.redact(trace)
        _fail(module, task, message, failure, {"exception": trace})
    else:
        module.exit_json(**_shaped(module, task, result))


def _fail(
    module: AnsibleModule,
    task: Task | None,
    message: str,
    failure: dict[str, t.Any],
    result: dict[str, t.Any],
) -> t.NoReturn:
    module.fail_json(msg=message, failure=failure, **_shaped(module, task, {"changed": False, **result}))
    raise AssertionError("fail_json() has returned")


def _shaped(module: AnsibleModule, task: Task | None, result: dict[str, t.Any]) -> dict[str, t.Any]:
    """Add what every result has, and leave the diff out unless it was asked for."""
    shaped = dict(result)
    if not module._diff:  # noqa: SLF001  # ansible-core offers no other way
        shaped.pop("diff", None)
    if task is not None:
        shaped["requests"] = task.client.requests
        shaped["retried"] = task.client.retried
    return shaped
