# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share: common options, checks of input, results and failures without secrets."""

from __future__ import annotations

import os
import re
import typing as t
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ansible_collections.hwcloud.maintenance.plugins.module_utils._credentials import (
    SETTINGS,
    Account,
    find_credentials,
    secrets_of_environment,
    setting,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints, is_identifier
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    ConfigError,
    MaintenanceError,
    MissingLibraryError,
    shown,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, HttpOptions
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Wait
from ansible_collections.hwcloud.maintenance.plugins.module_utils._times import parse_age

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

_RANGES = {
    "connect_timeout": (1, 3600),
    "read_timeout": (1, 3600),
    "retries": (0, 20),
    "deadline": (1, 7 * 86400),
    "wait_timeout": (0, 7 * 86400),
    "wait_interval": (1, 3600),
}

#: Seconds, without the time spent waiting.
_DEFAULT_DEADLINE = 900

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}\Z")


class Task:
    """One run of a module: its checked options and its clients."""

    def __init__(self, module: AnsibleModule) -> None:
        self._module = module
        self.options: dict[str, t.Any] = module.params
        self.check_mode: bool = module.check_mode
        self.now = datetime.now(timezone.utc)
        environ = os.environ
        # First: whatever fails must not show them.
        module.no_log_values.update(secrets_of_environment(environ))
        for option, (least, most) in _RANGES.items():
            value = self.options.get(option)
            if value is not None and not least <= value <= most:
                raise ConfigError(f"{option} must be a whole number from {least} to {most}; got {value}.")
        settings = {option: setting(option, self.options, environ) for option in SETTINGS}
        project_id = settings["project_id"]
        if project_id is not None:
            self.check_id("project_id", project_id)
        project_name = settings["project_name"]
        if project_name is not None and not _NAME.match(project_name):
            raise ConfigError("project_name must be the name of a project, of at most 255 characters on one line.")
        self.endpoints = Endpoints(settings["region"], settings["cloud"], self.options["endpoints"], environ)
        credentials = find_credentials(self.options, environ)
        ca_path = settings["ca_path"]
        if ca_path is not None and not os.path.exists(ca_path):  # noqa: PTH110  # pathlib is slow to load
            raise ConfigError(f"ca_path must be a file or folder with CA certificates; {ca_path!r} does not exist.")
        deadline = self.options["deadline"]
        if deadline is None:
            deadline = _DEFAULT_DEADLINE + (self.options.get("wait_timeout") or 0)
        http_options = HttpOptions(**{field: self.options[field] for field in HttpOptions._fields})
        self.client = Client(http_options._replace(ca_path=ca_path, deadline=deadline))
        self.account = Account(
            self.client, self.endpoints, credentials, project_id, project_name, module.no_log_values.add
        )

    def check_id(self, option: str, value: str) -> str:
        """Refuse an id or instance name that could not be one."""
        if not is_identifier(value):
            got = f"got {shown(value)}" if value else "it is empty"
            raise ConfigError(f"{option} must consist of 1 to 64 letters, digits, hyphens and underscores; {got}.")
        return value

    def check_optional_id(self, option: str) -> str | None:
        """The id or name in an option, or None; empty text is an error."""
        value = self.options[option]
        return None if value is None else self.check_id(option, value)

    def check_ids(self, option: str) -> list[str] | None:
        """The ids in an option, each once, or None."""
        values = self.options[option]
        return None if values is None else list(dict.fromkeys(self.check_id(option, value) for value in values))

    def check_words(self, option: str) -> list[str] | None:
        """The names or statuses in an option, or None."""
        values: list[str] | None = self.options[option]
        for value in values or ():
            if not _NAME.match(value) or value != value.strip():
                raise ConfigError(
                    f"{option} must be a list of words of the API, none of them empty; got {shown(value)}."
                )
        return values

    def lookback(self) -> datetime:
        """The earliest time that C(lookback) reaches."""
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
    """Run a module from its C(arguments) to its exit; C(run) returns the result."""
    module = AnsibleModule(argument_spec={**COMMON_ARGUMENTS, **arguments}, supports_check_mode=True, **rules)
    task: Task | None = None
    result: dict[str, t.Any] = {}
    try:
        task = Task(module)
        result = run(task)
    except MaintenanceError as error:
        if isinstance(error, MissingLibraryError):
            error.message = missing_required_lib(error.library)
        result = {"changed": False, **error.result, "msg": error.message, "failure": error.failure()}
    except Exception as error:  # noqa: BLE001
        import traceback

        # Either may quote what the defect stumbled over.
        redact = task.client.redact if task else str
        result = {
            "changed": False,
            "msg": redact(f"An unexpected error of this module, please report it: {type(error).__name__}: {error}"),
            "failure": MaintenanceError("", code="InternalError").failure(),
            "exception": redact(traceback.format_exc()),
        }
    if not module._diff:  # noqa: SLF001  # ansible-core offers no other way
        result.pop("diff", None)
    if task is not None:
        result.update(requests=task.client.requests, retried=task.client.retried)
    if "failure" in result:
        module.fail_json(**result)
    module.exit_json(**result)
