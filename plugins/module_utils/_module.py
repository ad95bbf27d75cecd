# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules share: common options, checks of input, results and failures without secrets."""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import re
import signal
import sys
import typing as t
from base64 import b64encode
from datetime import datetime, timezone
from urllib.parse import unquote, unquote_to_bytes

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from ansible_collections.hwcloud.maintenance.plugins.module_utils._account import Account
from ansible_collections.hwcloud.maintenance.plugins.module_utils._credentials import (
    METHODS,
    SECRETS,
    SHORTEST_HIDDEN,
    Credentials,
    find_credentials,
    find_settings,
    is_hidden,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import (
    SERVICES,
    Endpoints,
    checked_proxy,
    is_identifier,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    SENTENCE_MOST,
    ConfigError,
    MaintenanceError,
    MissingLibraryError,
    describe_defect,
    one_line,
    shown,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._foreign import make_harmless, without_secrets
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, HttpOptions
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Wait, parse_age


def _variable(*names: str) -> str:
    """The first of these variables that is set and not empty, for an option that is none of C(SETTINGS)."""
    value: str = env_fallback(*(name for name in names if os.environ.get(name)))
    return value


def _says_yes(*names: str) -> bool | None:
    """Whether the first of these variables that is set says yes, or None; ConfigError when it says neither."""
    name = next((name for name in names if os.environ.get(name)), None)
    if name is None:
        return None
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    try:
        return words[os.environ[name].lower()]
    except KeyError:
        raise ConfigError(
            f"The environment variable {name} must be true or false; got {shown(os.environ[name])}."
        ) from None


COMMON_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "auth_method": {"type": "str", "choices": list(METHODS), "fallback": (_variable, ["HWCLOUD_AUTH_METHOD"])},
    "auth_token": {"type": "str", "no_log": True},
    "access_key": {"type": "str", "no_log": False},
    "secret_key": {"type": "str", "no_log": True},
    "security_token": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "user_id": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "passcode": {"type": "str", "no_log": True},
    "domain_name": {"type": "str"},
    "domain_id": {"type": "str"},
    "profile": {"type": "str"},
    "profile_file": {"type": "path"},
    "agency_name": {"type": "str"},
    "agency_domain_name": {"type": "str"},
    "agency_domain_id": {"type": "str"},
    "token_cache": {
        "type": "bool",
        "default": False,
        "no_log": False,
        "fallback": (_variable, ["HWCLOUD_TOKEN_CACHE"]),
    },
    "region": {"type": "str"},
    "project_id": {"type": "str"},
    "project_name": {"type": "str"},
    "cloud": {"type": "str"},
    "endpoints": {"type": "dict", "options": {service: {"type": "str"} for service in (*SERVICES, "metadata")}},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    # A password may be in it.
    "proxy": {"type": "str", "no_log": True},
    "no_proxy": {"type": "str"},
    "connect_timeout": {"type": "int", "default": 10, "fallback": (_variable, ["HWCLOUD_CONNECT_TIMEOUT"])},
    "read_timeout": {"type": "int", "default": 60, "fallback": (_variable, ["HWCLOUD_READ_TIMEOUT"])},
    "retries": {"type": "int", "default": 4, "fallback": (_variable, ["HW_MAX_RETRIES"])},
    "deadline": {"type": "int", "fallback": (_variable, ["HWCLOUD_DEADLINE"])},
    "max_concurrency": {"type": "int", "default": 8, "fallback": (_variable, ["HWCLOUD_MAX_CONCURRENCY"])},
}

_SECRET_OPTIONS = [name for name, argument in COMMON_ARGUMENTS.items() if argument.get("no_log")]

_RANGES = {
    "connect_timeout": (1, 3600),
    "read_timeout": (1, 3600),
    "retries": (0, 20),
    "deadline": (1, 7 * 86400),
    "max_concurrency": (1, 64),
    "wait_timeout": (0, 7 * 86400),
    "wait_interval": (1, 3600),
    "keep_last": (0, 1000000),
    "max_results": (1, 1000000),
    "max_failures": (1, 1000000),
}

#: New objects after which Python looks for garbage.
_GARBAGE = 200_000

#: Entries of a list that is written in another way; see C(_leave).
_LONG = 200

#: Bytes; all authorities of a system together have less than one million.
_LARGEST_PEM = 16 * 1024 * 1024

#: What Ansible shows instead of a secret option.
_NOT_SHOWN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"

#: Seconds, without the time spent waiting.
_DEFAULT_DEADLINE = 900

_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,255}\Z")


class Connection:
    """Checked common options, and the clients made from them; sends nothing yet.

    Modules use it as C(Task), inventory plugins as it is. C(keep_secret) is told every secret that is used and that is hidden
    wherever it shows, before anything can quote it.
    """

    def __init__(
        self,
        options: dict[str, t.Any],
        keep_secret: t.Callable[[str], None],
        warn: t.Callable[[str], None],
    ) -> None:
        self.options = options
        self.now = datetime.now(timezone.utc)
        self._show_warning = warn
        environ = os.environ
        for option, (least, most) in _RANGES.items():
            value = options.get(option)
            if value is not None and not least <= value <= most:
                raise ConfigError(f"{option} must be a whole number from {least} to {most}; got {value}.")
        credentials = find_credentials(options, environ)
        for name in SECRETS:
            if is_hidden(name, credentials.values.get(name, "")):
                keep_secret(credentials.values[name])
        profile = credentials.settings
        settings = find_settings(options, environ, profile)
        of_proxy = [secret for secret in _secrets_of_proxy(settings["proxy"]) if is_hidden("proxy", secret)]
        for secret in of_proxy:
            keep_secret(secret)
        project_id = settings["project_id"]
        if project_id is not None:
            self.check_id("project_id", project_id)
        project_name = settings["project_name"]
        if project_name is not None and not _NAME.match(project_name):
            raise ConfigError("project_name must be the name of a project, of at most 255 characters on one line.")
        cloud = settings["cloud"]
        if cloud and "." not in cloud and credentials.source.startswith("profile "):
            # The name of an entry of clouds.yaml, which may tell the domain.
            cloud = profile.get("cloud")
        self.endpoints = Endpoints(settings["region"], cloud, options["endpoints"], environ, profile)
        self.client = Client(self._http_options(settings, profile))
        for secret in of_proxy:
            self.client.keep_secret(secret)
        self.account = Account(
            self.client,
            self.endpoints,
            credentials,
            project_id,
            project_name,
            keep_secret,
            agency=_agency(settings, credentials),
            cache_folder=self._cache_folder(environ, credentials),
            warn=self.warn,
        )

    def _http_options(self, settings: dict[str, str | None], profile: t.Mapping[str, t.Any]) -> HttpOptions:
        files = {"ca_path": "a file or folder with CA certificates", "client_cert": "a file with a certificate"}
        for option, what in {**files, "client_key": "a file with a key"}.items():
            if settings[option]:
                settings[option] = _existing_file(option, what, str(settings[option]))
        if settings["client_key"] and not settings["client_cert"]:
            raise ConfigError("client_key needs client_cert too.")
        deadline = self.options["deadline"]
        if deadline is None:
            deadline = _DEFAULT_DEADLINE + (self.options.get("wait_timeout") or 0)
        given = {**self.options, **settings, "deadline": deadline}
        if given["validate_certs"] is None:
            insecure = _says_yes("HW_INSECURE", "OS_INSECURE")
            given["validate_certs"] = profile.get("validate_certs") != "false" if insecure is None else not insecure
        given["proxy"] = checked_proxy(settings["proxy"])
        return HttpOptions(**{field: given[field] for field in HttpOptions._fields})

    def _cache_folder(self, environ: t.Mapping[str, str], credentials: Credentials) -> str | None:
        """Where the token is kept; None when it is not, or need not be."""
        if not self.options["token_cache"] or credentials.method != "password":
            return None
        from ansible_collections.hwcloud.maintenance.plugins.module_utils._profiles import full_path

        folder = environ.get("XDG_CACHE_HOME", "")
        # One that is not absolute is not to be used, says the standard.
        folder = folder if os.path.isabs(folder) else full_path("~/.cache", environ)
        if not os.path.isabs(folder):
            self.warn("The token is not kept, as this user has no home folder: set HOME, or XDG_CACHE_HOME.")
            return None
        return os.path.join(folder, "hwcloud.maintenance")

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
        self._show_warning(one_line(self.client.redact(sentence), SENTENCE_MOST))


class CollectionModule(AnsibleModule):  # type: ignore[misc]  # Ansible is not typed
    """A module whose failures all have C(failure), those of Ansible's own check of the options too."""

    def hide_secret_options(self) -> dict[str, t.Any]:
        """The options; from now on C(invocation) shows none that is a secret.

        Ansible would hide these values wherever they occur, short ones too, and whether they are used or not.
        """
        options: dict[str, t.Any] = dict(self.params)
        secret = [name for name in _SECRET_OPTIONS if options.get(name)]
        proxy = str(options.get("proxy") or "")
        if proxy and "@" not in proxy:
            # Nothing secret is in it, and the name of the proxy must be readable.
            secret.remove("proxy")
            self.no_log_values.discard(proxy)
        self.params.update(dict.fromkeys(secret, _NOT_SHOWN))
        given = {str(options[name]) for name in secret}
        self.no_log_values.difference_update(value for value in given if len(value) < SHORTEST_HIDDEN)
        return options

    def fail_json(self, msg: str, **result: t.Any) -> t.NoReturn:
        """End the module as failed."""
        # Also when Ansible refuses an option before a task is made of them.
        self.hide_secret_options()
        result.setdefault("changed", False)
        result.setdefault("failure", ConfigError(msg).failure())
        super().fail_json(msg=msg, **result)
        raise AssertionError  # not reached


class Task(Connection):
    """One run of a module."""

    def __init__(self, module: CollectionModule) -> None:
        self.check_mode: bool = module.check_mode
        options = module.hide_secret_options()
        given = {str(options[name]) for name in _SECRET_OPTIONS if options[name]}
        used: set[str] = set()

        def keep_secret(value: str) -> None:
            used.add(value)
            module.no_log_values.add(value)

        super().__init__(options, keep_secret, module.warn)
        # Until here a refusal or a defect may have quoted any of them.
        module.no_log_values.difference_update(given - used)


def _agency(settings: dict[str, str | None], credentials: Credentials) -> dict[str, str] | None:
    agency = {name: value for name, value in settings.items() if name.startswith("agency_") and value}
    if not agency:
        return None
    from ansible_collections.hwcloud.maintenance.plugins.module_utils._temporary import lacking

    missing = lacking(agency)
    # The agency's account may be another one; the token that is exchanged is for the user's.
    if not missing and credentials.method == "password" and not {"domain_id", "domain_name"} & set(credentials.values):
        missing = ["the user's domain_name or domain_id"]
    if missing:
        raise ConfigError(
            f"To assume an agency, {' and '.join(missing)} must be set too.", code="IncompleteCredentials"
        )
    return agency


def _secrets_of_proxy(url: str | None) -> list[str]:
    """What must not be shown of a proxy's URL: its password, and each form in which it is sent."""
    user, _colon, password = (url or "").rpartition("@")[0].rpartition("//")[2].partition(":")
    if not url or not password:
        return []
    login = b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password)).decode()
    return [url, password, unquote(password), login]


def _existing_file(option: str, what: str, given: str) -> str:
    """The path of a file or folder that can be read to its end; ConfigError for a pipe, a device, or what is no PEM by its size."""
    from ansible_collections.hwcloud.maintenance.plugins.module_utils._profiles import full_path

    path = full_path(given, os.environ)
    if path.startswith("~") or not os.path.exists(path):
        raise ConfigError(f"{option} must be {what}; {path!r} does not exist.")
    if not (os.path.isfile(path) or os.path.isdir(path)) or os.path.getsize(path) > _LARGEST_PEM:
        raise ConfigError(f"{option} must be {what}; {path!r} is none.")
    return path


@contextlib.contextmanager
def _ended_by_signals(interrupt: t.Callable[[str], None]) -> t.Iterator[None]:
    """Let a task that is asked to stop say what it has done so far, rather than vanish."""
    before = {}

    def end(number: int, _frame: object) -> None:
        interrupt(signal.Signals(number).name)

    try:
        with contextlib.suppress(ValueError):  # not in the main thread
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                # What nohup and the like ignore stays ignored.
                if signal.getsignal(number) is not signal.SIG_IGN:
                    before[number] = signal.signal(number, end)
        yield
    finally:
        # The result must be out before another signal may end this process.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        for number, handler in before.items():
            signal.signal(number, handler)


def run_module(
    arguments: dict[str, dict[str, t.Any]],
    run: t.Callable[[Task], dict[str, t.Any]],
    **rules: t.Any,
) -> None:
    """Run a module from its C(arguments) to its exit; C(run) returns the result."""
    # Tens of thousands of tasks are no garbage.
    gc.set_threshold(_GARBAGE)
    module = CollectionModule(argument_spec={**COMMON_ARGUMENTS, **arguments}, supports_check_mode=True, **rules)
    task: Task | None = None
    result: dict[str, t.Any] = {}
    with contextlib.ExitStack() as stack:
        try:
            task = Task(module)
            # Until the result is printed: a second signal must not cut it.
            stack.enter_context(_ended_by_signals(task.client.interrupt))
            result = run(task)
        except MaintenanceError as error:
            if isinstance(error, MissingLibraryError):
                error.message = missing_required_lib(error.library)
            sentence = one_line(error.message, SENTENCE_MOST)
            result = {"changed": False, **error.result, "msg": sentence, "failure": error.failure()}
        except Exception as error:  # noqa: BLE001
            result = _defect(error, task.client.redact if task else str)
        if not module._diff:  # noqa: SLF001  # ansible-core offers no other way
            result.pop("diff", None)
        if task is not None:
            result.update(requests=task.client.requests, retried=task.client.retried)
        _leave(module, result)


def _leave(module: AnsibleModule, result: dict[str, t.Any]) -> t.NoReturn:
    """End the module; long lists without a secret are put where Ansible has left a place for them, which is quicker.

    Texts of the service that became keys, such as the names in C(summary.by_name), are made harmless here, and secrets in
    them hidden, as Ansible looks for secrets in values only.
    """
    end = module.fail_json if "failure" in result else module.exit_json
    secrets = {form for secret in module.no_log_values for form in (secret, json.dumps(secret)[1:-1])}
    texts = {}
    for key, value in result.items():
        text = json.dumps(value)
        if '"__ansible_' in text or any(secret in text for secret in secrets):
            result[key] = without_secrets(make_harmless(value), secrets)
        elif isinstance(value, list) and len(value) >= _LONG:
            texts[key] = text
    places = {key: f"place of {key} {os.urandom(16).hex()}" for key in texts}
    printed = io.StringIO()
    if texts:
        gc.freeze()
        try:
            with contextlib.redirect_stdout(printed):
                end(**{**result, **places})
        except SystemExit:
            rest = printed.getvalue()
            if all(f'"{place}"' in rest for place in places.values()):
                for key, place in places.items():
                    before, _place, rest = rest.partition(f'"{place}"')
                    sys.stdout.write(before)
                    sys.stdout.write(texts.pop(key))
                sys.stdout.write(rest)
                raise
    end(**result)
    raise AssertionError  # not reached


def _defect(error: Exception, redact: t.Callable[[str], str]) -> dict[str, t.Any]:
    """The result for an exception that nobody expected."""
    import traceback

    # Either may quote what the defect stumbled over.
    return {
        "changed": False,
        "msg": one_line(
            redact(f"An unexpected error of this module, please report it: {describe_defect(error)}"), SENTENCE_MOST
        ),
        "failure": MaintenanceError("", code="InternalError").failure(),
        "exception": redact(traceback.format_exc()),
    }
