# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding one complete set of credentials, and the settings that belong to it; sends nothing.

Sources are never mixed: the task's options, each family of variables, a profile file. docs/sign_in.md has the tables.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils import _signer
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError

Values = t.Mapping[str, t.Any]

SECRETS = ("auth_token", "secret_key", "security_token", "password", "passcode")

#: A secret with fewer characters is hidden in C(invocation) only: it occurs by chance in ids, counts and names, which would
#: come back as asterisks. Eight is also the shortest password that IAM accepts unless an account says otherwise, and no
#: service issues a key or a token that is shorter.
SHORTEST_HIDDEN = 8

#: The ways to sign in with values, preferred first: the options of each, and which of them show that it was meant.
_WAYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "token": (("auth_token",), ()),
    "access_key": (("access_key", "secret_key", "security_token"), ()),
    "password": (("username", "user_id", "password", "passcode"), ("domain_name", "domain_id")),
}

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
            "user_id": ("HW_USER_ID",),
            "password": ("HW_USER_PASSWORD",),
            "domain_name": ("HW_DOMAIN_NAME",),
            "domain_id": ("HW_DOMAIN_ID",),
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
            "user_id": ("OS_USER_ID",),
            "password": ("OS_PASSWORD",),
            "passcode": ("OS_PASSCODE",),
            "domain_name": ("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME"),
            "domain_id": ("OS_USER_DOMAIN_ID", "OS_DOMAIN_ID"),
        },
    ),
)

#: The profile files: the variables that ask for one, and where it lies in the user's home otherwise.
PROFILES: dict[str, tuple[tuple[str, ...], str]] = {
    "profile": (("HUAWEICLOUD_SDK_CREDENTIALS_FILE",), ".huaweicloud/credentials"),
    "koocli": (("HW_SHARED_CONFIG_FILE", "HW_PROFILE"), ".hcloud/config.json"),
    "clouds_yaml": (("OS_CLOUD",), ""),
}

METHODS = (*_WAYS, *PROFILES, "machine")

#: The variables that stand in for options that are no credentials.
SETTINGS: dict[str, tuple[str, ...]] = {
    "region": ("HW_REGION_NAME", "OS_REGION_NAME"),
    "project_id": ("HUAWEICLOUD_SDK_PROJECT_ID", "HW_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID"),
    "project_name": ("HW_PROJECT_NAME", "OS_PROJECT_NAME", "OS_TENANT_NAME"),
    "cloud": ("HW_CLOUD",),
    "agency_name": ("HW_ASSUME_ROLE_AGENCY_NAME",),
    "agency_domain_name": ("HW_ASSUME_ROLE_DOMAIN_NAME",),
    "agency_domain_id": ("HW_ASSUME_ROLE_DOMAIN_ID",),
    "ca_path": ("OS_CACERT", "REQUESTS_CA_BUNDLE"),
    "client_cert": ("OS_CERT",),
    "client_key": ("OS_KEY",),
    "proxy": ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
    "no_proxy": ("no_proxy", "NO_PROXY"),
}


#: One of each is looked for only where another is, lest a project or an account that is named be replaced by another id.
_TOGETHER = (("project_id", "project_name"), ("agency_domain_name", "agency_domain_id"), ("client_cert", "client_key"))


class Credentials(t.NamedTuple):
    """One complete set (none for the machine's agency), where it is from, and what its profile sets besides."""

    values: dict[str, str]
    source: str
    settings: Values = {}  # noqa: RUF012  # nobody changes it

    @property
    def method(self) -> str:
        """The way to sign in."""
        return next(
            (way for way, (options, _more) in _WAYS.items() if not self.values.keys().isdisjoint(options)), "machine"
        )

    def __repr__(self) -> str:
        # No secret.
        return f"Credentials(source={self.source!r}, kinds={sorted(self.values)})"


def find_settings(options: Values, environ: Values, profile: Values) -> dict[str, str | None]:
    """Each setting from the options, or its first variable that is set, or the profile; empty counts as not given."""
    variables = {
        option: next((environ[name] for name in names if environ.get(name)), None) for option, names in SETTINGS.items()
    }
    found: dict[str, str | None] = {}
    for option in SETTINGS:
        group = next((group for group in _TOGETHER if option in group), (option,))
        levels = (options, variables, profile)
        level = next((level for level in levels if any(level.get(name) for name in group)), options)
        value = level.get(option)
        found[option] = None if value in (None, "") else str(value)
    return found


def is_hidden(option: str, value: str) -> bool:
    """Whether the secret C(value) of an option is hidden wherever it may show, and not in C(invocation) only.

    A passcode is not: it is six digits, which occur by chance, and of no use once it was sent.
    """
    is_passcode = option == "passcode" and value.isdigit()
    return len(value) >= SHORTEST_HIDDEN and not is_passcode


def find_credentials(options: Values, environ: t.Mapping[str, str]) -> Credentials:
    """The first complete set, or that of C(auth_method); ConfigError for an incomplete one, or none."""
    pinned, profile = options.get("auth_method") or None, options.get("profile") or None
    file = options.get("profile_file") or None
    if (profile or file) and pinned not in PROFILES:
        raise ConfigError(f"profile and profile_file need auth_method: {', '.join(PROFILES)} beside them.")
    if pinned == "machine":
        return Credentials({}, "the machine's agency")
    if pinned not in PROFILES:
        ways = [pinned] if pinned else list(_WAYS)
        for source, names, given in _sources(options, environ):
            found = {
                option: next((given[name] for name in variables if given.get(name)), None)
                for option, variables in names.items()
            }
            values = {option: str(value) for option, value in found.items() if value is not None}
            chosen = _complete_set(source, values, {option: variables[0] for option, variables in names.items()}, ways)
            if chosen:
                return Credentials(chosen, source)
            if given is options and not pinned and "." not in (options.get("cloud") or "."):
                # An entry of clouds.yaml, as openstacksdk has it; a domain has a dot.
                pinned, profile = "clouds_yaml", options["cloud"]
                break
        if pinned in _WAYS:
            raise ConfigError(
                f"No credentials were given for auth_method {pinned}: set {' and '.join(_lacking(pinned, ()))},"
                " as options or in the environment.",
                code="MissingCredentials",
            )
    elif not profile and "." not in (options.get("cloud") or "."):
        profile = options["cloud"]
    for method in [pinned] if pinned else _profiles_at_hand(environ):
        return _from_profile(method, profile, file, environ)
    raise ConfigError(
        "No credentials were given: set access_key and secret_key, or auth_token, or username, password and domain_name,"
        " as options or in the environment (for example HW_ACCESS_KEY and HW_SECRET_KEY), or have a profile file.",
        code="MissingCredentials",
    )


def _sources(
    options: Values, environ: t.Mapping[str, str]
) -> t.Iterator[tuple[str, t.Mapping[str, tuple[str, ...]], Values]]:
    """Each source but files: what it is called, its names of the options, and what it holds."""
    own = {name: (name,) for members in _WAYS.values() for part in members for name in part}
    yield "the task's options", own, options
    for family, names in ENVIRONMENT:
        yield f"the environment ({family})", names, environ


def _from_profile(method: str, profile: str | None, file: str | None, environ: t.Mapping[str, str]) -> Credentials:
    from ansible_collections.hwcloud.maintenance.plugins.module_utils._profiles import read_profile

    found = read_profile(method, profile, file, environ)
    ways = found.ways or list(_WAYS)
    chosen = _complete_set(found.source, found.values, found.names, ways)
    if not chosen:
        needed = [found.names.get(name, name) for name in _lacking(found.ways[0] if found.ways else "access_key", ())]
        raise ConfigError(
            f"The credentials in {found.source} are incomplete: it needs {' and '.join(needed)}.",
            code="IncompleteCredentials",
        )
    return Credentials(
        chosen, found.source, {name: value for name, value in found.values.items() if name not in chosen}
    )


def _profiles_at_hand(environ: t.Mapping[str, str]) -> list[str]:
    """The profile files that a variable asks for, then those that lie at their usual place."""
    asked = [method for method, (names, _path) in PROFILES.items() if any(environ.get(name) for name in names)]
    home = environ.get("HOME", "")
    lying = [
        method
        for method, (_names, path) in PROFILES.items()
        if os.path.isabs(home) and path and os.path.exists(f"{home}/{path}")
    ]
    return asked + lying


def _lacking(way: str, values: t.Container[str]) -> list[str]:
    """What is missing to sign in this way."""
    if way == "token":
        return [] if "auth_token" in values else ["auth_token"]
    if way == "access_key":
        return _signer.lacking(values)
    from ansible_collections.hwcloud.maintenance.plugins.module_utils import _password

    return _password.lacking(values)


def _complete_set(
    source: str, values: t.Mapping[str, str], names: t.Mapping[str, str], ways: t.Iterable[str]
) -> dict[str, str] | None:
    """The values of the first way that is complete; ConfigError when one was only begun; C(names) are the source's."""
    incomplete = ""
    for way in ways:
        signs, more = _WAYS[way]
        if not any(name in values for name in signs):
            continue
        chosen = {name: values[name] for name in (*signs, *more) if name in values}
        missing = [names.get(name, name) for name in _lacking(way, chosen)]
        if not missing:
            for name, value in chosen.items():
                _check_value(name, f"{names[name]} in {source}", value)
            return chosen
        if not incomplete:
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
        if not _signer.is_header_text(value):
            raise ConfigError(f"{where} must consist of printable ASCII characters without blanks or line ends.")
    elif not value.isprintable():
        raise ConfigError(f"{where} must be text without line ends or control characters.")
    if option == "access_key" and ("," in value or "=" in value):
        raise ConfigError(f"{where} must be an access key id, without commas or equals signs.")
