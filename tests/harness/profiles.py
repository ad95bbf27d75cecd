# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the files in which other tools keep credentials into a home folder of a test, as those tools write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

#: What each tool calls what the options call otherwise.
SDK_KEYS = {"access_key": "ak", "secret_key": "sk"}
KOOCLI_KEYS = {
    "access_key": "accessKeyId",
    "secret_key": "secretAccessKey",
    "security_token": "securityToken",
    "project_id": "projectId",
    "agency_name": "agencyName",
    "agency_domain_name": "agencyDomainName",
    "agency_domain_id": "agencyDomainId",
}
CLOUDS_KEYS = {
    "auth_token": "token",
    "access_key": "ak",
    "secret_key": "sk",
    "domain_name": "user_domain_name",
    "domain_id": "user_domain_id",
}

SDK_PATH = ".huaweicloud/credentials"
KOOCLI_PATH = ".hcloud/config.json"
CLOUDS_PATH = ".config/openstack/clouds.yaml"


def renamed(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The same values under a tool's own names."""
    return {names.get(option, option): value for option, value in values.items()}


def koocli_profile(values: Mapping[str, Any], name: str = "default", **more: Any) -> dict[str, Any]:
    """A profile of KooCLI that signs in with an access key."""
    return {"name": name, "mode": "AKSK", **renamed(values, KOOCLI_KEYS), **more}


def koocli_sso_profile(values: Mapping[str, Any], name: str = "default", **more: Any) -> dict[str, Any]:
    """A profile of KooCLI whose temporary key was obtained by single sign-on."""
    token = {"stsToken": renamed(values, KOOCLI_KEYS)}
    return {"name": name, "mode": "SSO", "accessKeyId": "", "secretAccessKey": "", "ssoAuth": token, **more}


def cloud_entry(values: Mapping[str, Any], url: str | None = None, **beside: Any) -> dict[str, Any]:
    """An entry of clouds.yaml; C(beside) stands beside C(auth), such as C(region_name)."""
    auth = renamed(values, CLOUDS_KEYS)
    return {"auth": {**({"auth_url": f"{url}/v3"} if url else {}), **auth}, **beside}


class Home:
    """A home folder, empty at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def environ(self) -> dict[str, str]:
        """The variables that make it the home folder of a module."""
        return {"HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache")}

    def write(self, path: str | Path, content: str | bytes) -> Path:
        """Write a file, named relative to the folder."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    def sdk(self, values: Mapping[str, Any], section: str = "basic", path: str | Path = SDK_PATH) -> Path:
        """The file of the SDK with one section."""
        lines = [f"{key} = {value}" for key, value in renamed(values, SDK_KEYS).items()]
        return self.write(path, "\n".join([f"[{section}]", *lines, ""]))

    def koocli(self, *profiles: Mapping[str, Any], path: str | Path = KOOCLI_PATH, **top: Any) -> Path:
        """The file of KooCLI, not encrypted; the first profile is the current one."""
        current = profiles[0].get("name") if profiles else ""
        content = {"current": current, "profiles": list(profiles), "authEncrypt": "false", **top}
        return self.write(path, json.dumps(content, indent=4))

    def clouds(self, entries: Mapping[str, Any], path: str | Path = CLOUDS_PATH) -> Path:
        """A clouds.yaml, or a secure.yaml, with these entries."""
        return self.write(path, yaml.safe_dump({"clouds": dict(entries)}))
