# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the profile files of other tools: the SDK's, KooCLI's and clouds.yaml (contract 6.6).

A file that cannot be used is an error that names file, profile and line, and quotes nothing of it.
"""

from __future__ import annotations

import json
import os
import re
import stat
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError, MissingLibraryError, shown

#: The option that each key of a file stands for; of two for the same, the first counts.
_SDK_KEYS = {
    "ak": "access_key",
    "sk": "secret_key",
    "security_token": "security_token",
    "project_id": "project_id",
    "iam_endpoint": "iam_endpoint",
}
_KOOCLI_KEYS = {
    "accessKeyId": "access_key",
    "secretAccessKey": "secret_key",
    "securityToken": "security_token",
    "region": "region",
    "projectId": "project_id",
    "agencyName": "agency_name",
    "agencyDomainName": "agency_domain_name",
    "agencyDomainId": "agency_domain_id",
}
_AUTH_KEYS = {
    "token": "auth_token",
    "ak": "access_key",
    "access_key": "access_key",
    "sk": "secret_key",
    "secret_key": "secret_key",
    "security_token": "security_token",
    "username": "username",
    "user_id": "user_id",
    "password": "password",
    "passcode": "passcode",
    "user_domain_name": "domain_name",
    "domain_name": "domain_name",
    "user_domain_id": "domain_id",
    "domain_id": "domain_id",
    "project_id": "project_id",
    "project_name": "project_name",
    "auth_url": "iam_endpoint",
}
_CLOUD_KEYS = {"region_name": "region", "cacert": "ca_path", "cert": "client_cert", "key": "client_key"}
_AUTH_TYPES = {
    "token": ["token"],
    "v3token": ["token"],
    "password": ["access_key", "password"],
    "v3password": ["password"],
    "v3multifactor": ["password"],
}


#: Bytes; a file with hundreds of profiles has far less, and a device such as C(/dev/zero) never ends.
_LARGEST = 1024 * 1024


class Profile(t.NamedTuple):
    """What a profile holds, by option; the file's own C(names) of them; the C(ways) to sign in, where it says."""

    values: dict[str, str]
    names: dict[str, str]
    source: str
    ways: list[str] | None = None


class _Reader:
    """One file, and the errors in it."""

    def __init__(self, path: str, profile: str | None) -> None:
        self.path = path
        self.profile = profile
        self.text = ""
        try:
            self.text = self._read().decode("utf-8-sig")
        except OSError as error:
            raise self.wrong(f"it cannot be read ({error.strerror})") from None
        except UnicodeDecodeError as error:
            raise self.wrong("it is not UTF-8", error.object.count(b"\n", 0, error.start) + 1) from None

    def _read(self) -> bytes:
        """What is in the file; never waits, as a pipe would make it, and never reads without end."""
        if self.path.startswith("~"):
            raise self.wrong("there is no such home folder")
        if "\0" in self.path:
            raise self.wrong("this is not the name of a file")
        with open(self.path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise self.wrong("this is a device or a pipe, not a file")
            raw = stream.read(_LARGEST + 1)
        if len(raw) > _LARGEST:
            raise self.wrong(f"it is larger than {_LARGEST // 1024} KiB")
        return raw

    def wrong(self, what: str, line: int | None = None, *words: str) -> ConfigError:
        """An error at a line, or where these words follow each other."""
        place = 0
        for word in words:
            match = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])").search(self.text, place)
            if match:
                place = match.end()
                line = self.text.count("\n", 0, place) + 1
        profile = f", profile {shown(self.profile)}" if self.profile else ""
        where = f", line {line}" if line else ""
        return ConfigError(f"The file {self.path}{profile}{where}: {what}.", code="InvalidProfile")

    def mapping(self, value: t.Any, key: str, *words: str) -> dict[str, t.Any]:
        """The value, which must have keys itself."""
        if not isinstance(value, dict):
            raise self.wrong(f"{key} must be a mapping of keys to values", None, *words)
        return value

    def texts(self, fields: t.Mapping[str, t.Any], keys: t.Mapping[str, str], *words: str) -> Profile:
        """The values of known keys, which must be text; empty ones count as not given."""
        values, names = {}, {}
        for key, option in keys.items():
            value = fields.get(key, "")
            if not isinstance(value, str):
                raise self.wrong(f"{key} must be text (in quotes)", None, *words, key)
            if value and option not in values:
                values[option] = value
                names[option] = key
            names.setdefault(option, key)
        return Profile(values, names, f"profile {self.profile} of {self.path}")


def full_path(path: str, environ: t.Mapping[str, str]) -> str:
    """The path with its C(~) or C(~user) replaced; as it is when there is no such home folder, or a relative one."""
    if not path.startswith("~"):
        return path
    import pwd

    user, slash, rest = path.partition("/")
    home = environ.get("HOME", "") if user == "~" else ""
    if not os.path.isabs(home):
        try:
            home = (pwd.getpwuid(os.getuid()) if user == "~" else pwd.getpwnam(user[1:])).pw_dir
        except (KeyError, ValueError):
            return path
    return home.rstrip("/") + slash + rest if os.path.isabs(home) else path


def _path(given: str | None, environ: t.Mapping[str, str], variable: str, usual: str) -> str:
    return full_path(given or environ.get(variable) or f"~/{usual}", environ)


def read_profile(method: str, profile: str | None, path: str | None, environ: t.Mapping[str, str]) -> Profile:
    """The profile of the file that C(method) means: by options, by variables, or at its usual place."""
    if method == "profile":
        file = _path(path, environ, "HUAWEICLOUD_SDK_CREDENTIALS_FILE", ".huaweicloud/credentials")
        return _read_sdk(_Reader(file, profile or "basic"))
    if method == "koocli":
        file = _path(path, environ, "HW_SHARED_CONFIG_FILE", ".hcloud/config.json")
        return _read_koocli(_Reader(file, profile or environ.get("HW_PROFILE")))
    profile = profile or environ.get("OS_CLOUD")
    if not profile:
        raise ConfigError("auth_method clouds_yaml needs profile, cloud, or the environment variable OS_CLOUD.")
    folders = (".", full_path("~/.config/openstack", environ), "/etc/openstack")
    places = [f"{folder}/clouds.{suffix}" for folder in folders for suffix in ("yaml", "yml")]
    usual = next((place for place in places if os.path.exists(place)), places[0])
    if path or environ.get("OS_CLIENT_CONFIG_FILE"):
        usual = _path(path, environ, "OS_CLIENT_CONFIG_FILE", "")
    return _read_cloud(_Reader(usual, profile))


def _read_sdk(reader: _Reader) -> Profile:
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(reader.text)
    except configparser.Error as error:
        errors = getattr(error, "errors", None)
        line = errors[0][0] if errors else getattr(error, "lineno", None)
        raise reader.wrong("this is not an INI file that can be read", line) from None
    if not parser.has_section(str(reader.profile)):
        raise reader.wrong(f"there is no section [{reader.profile}]")
    return reader.texts(dict(parser[str(reader.profile)]), _SDK_KEYS)


def _read_koocli(reader: _Reader) -> Profile:
    try:
        content = json.loads(reader.text)
    except json.JSONDecodeError as error:
        raise reader.wrong("this is not JSON", error.lineno) from None
    except (ValueError, RecursionError):
        raise reader.wrong("this is not JSON that can be read") from None
    content = reader.mapping(content, "the file")
    name = reader.profile or content.get("current")
    if not isinstance(name, str) or not name:
        raise reader.wrong("current must name a profile, or profile must be set", None, "current")
    reader.profile = name
    profiles = content.get("profiles")
    if not isinstance(profiles, list):
        raise reader.wrong("profiles must be a list", None, "profiles")
    fields = next((each for each in profiles if isinstance(each, dict) and each.get("name") == name), None)
    if fields is None:
        raise reader.wrong("there is no such profile")
    found = reader.texts(fields, _KOOCLI_KEYS, name)
    if fields.get("mode") == "SSO" or ("access_key" not in found.values and fields.get("ssoAuth")):
        sso = reader.mapping(fields.get("ssoAuth"), "ssoAuth", name, "ssoAuth")
        session = reader.mapping(sso.get("stsToken"), "stsToken", name, "ssoAuth", "stsToken")
        keys = {key: option for key, option in _KOOCLI_KEYS.items() if option.endswith(("_key", "_token"))}
        for option in keys.values():
            found.values.pop(option, None)
        found.values.update(reader.texts(session, keys, name, "stsToken").values)
    # Older versions always encrypt, and do not say so; and what was stored before encryption was turned off stays as it is.
    encrypted = str(content.get("authEncrypt", "")).lower() == "true"
    plain = re.match(r"[A-Za-z0-9]{10,40}\Z", found.values.get("access_key", "A" * 20), re.ASCII)
    if encrypted or not plain:
        raise reader.wrong(
            "KooCLI has encrypted these credentials; run hcloud configure set --cli-auth-encrypt=false and configure"
            " the profile again, or sign in another way, such as access_key and secret_key from a vault",
            None,
            name,
            "accessKeyId",
        )
    return found


def _read_cloud(reader: _Reader) -> Profile:
    name = str(reader.profile)
    fields = _cloud_in(reader)
    if fields is None:
        raise reader.wrong("there is no such entry under clouds")
    found = _read_auth(reader, fields)
    secure = os.path.join(os.path.dirname(reader.path), "secure.yaml")
    if os.path.exists(secure):
        other = _Reader(secure, name)
        secrets = _read_auth(other, _cloud_in(other) or {})
        found.values.update(secrets.values)
        found.names.update({option: secrets.names[option] for option in secrets.values})
    settings = reader.texts(fields, _CLOUD_KEYS, name)
    values = {**found.values, **settings.values}
    verify = fields.get("verify", True)
    if not isinstance(verify, bool):
        raise reader.wrong("verify must be true or false", None, name, "verify")
    if not verify:
        values["validate_certs"] = "false"
    # https://iam.eu-de.otc.t-systems.com/v3 tells the cloud, too.
    match = re.match(rf"https://iam\.{re.escape(values.get('region', ''))}\.([\w.-]+)", values.get("iam_endpoint", ""))
    if match:
        values["cloud"] = match.group(1)
    auth_type = reader.texts(fields, {"auth_type": "auth_type"}, name).values.get("auth_type", "")
    ways = _AUTH_TYPES.get(auth_type)
    return Profile(values, {**found.names, **settings.names}, found.source, ways)


def _read_auth(reader: _Reader, fields: dict[str, t.Any]) -> Profile:
    name = str(reader.profile)
    # OTC's tools have access keys beside auth, too.
    keys: dict[str, t.Any] = {key: fields[key] for key in ("ak", "sk", "access_key", "secret_key") if key in fields}
    auth = reader.mapping(fields.get("auth", {}), "auth", name, "auth")
    return reader.texts({**keys, **auth}, _AUTH_KEYS, name)


def _cloud_in(reader: _Reader) -> dict[str, t.Any] | None:
    """The entry of a clouds.yaml or secure.yaml, or None."""
    try:
        import yaml
    except ImportError as error:
        raise MissingLibraryError("PyYAML") from error
    try:
        content = yaml.safe_load(reader.text)
    except Exception as error:  # noqa: BLE001  # tags such as !!int raise anything, and quote what they stumble over
        mark = getattr(error, "problem_mark", None)
        raise reader.wrong("this is not YAML that can be read", mark.line + 1 if mark else None) from None
    clouds = reader.mapping(reader.mapping(content, "the file").get("clouds"), "clouds", "clouds")
    name = str(reader.profile)
    return reader.mapping(clouds[name], name, name) if name in clouds else None
