# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a request goes: region, cloud and service become a base URL (contract section 7).

All is checked before a credential goes anywhere.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError, shown

DEFAULT_CLOUD = "myhuaweicloud.com"
SERVICES = ("dcs", "dds", "iam")

#: The one address that is not https, and not to be changed but for tests (contract 6.5).
_METADATA = "http://169.254.169.254"

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_REGION = re.compile(rf"{_LABEL}\Z", re.ASCII)
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\Z", re.ASCII)


def is_identifier(value: object) -> bool:
    """Whether this can be the id of anything, or the name of an instance, and do no harm in a URL or a header."""
    return isinstance(value, str) and bool(re.match(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z", value, re.ASCII))


#: Many identifiers, each on a line: quicker than one after the other for tens of thousands.
_IDENTIFIERS = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_-]{0,63}\n)*\Z", re.ASCII)


def are_identifiers(values: t.Sequence[object]) -> bool:
    """Whether C(is_identifier) holds for each of these."""
    try:
        lines = "\n".join((*values, ""))  # type: ignore[arg-type]  # what is no text raises
    except TypeError:
        return False
    # A value that has a line end itself makes more lines than there are values.
    return lines.count("\n") == len(values) and _IDENTIFIERS.match(lines) is not None


class Endpoints:
    """The base URL of each service: from C(overrides), the environment, the C(profile), or region and cloud (C17)."""

    def __init__(
        self,
        region: str | None,
        cloud: str | None,
        overrides: t.Mapping[str, t.Any] | None,
        environ: t.Mapping[str, str],
        profile: t.Mapping[str, t.Any] | None = None,
    ) -> None:
        if region is not None and not _REGION.match(region):
            raise ConfigError(
                f"region must consist of lower-case letters, digits and hyphens, such as cn-north-4; got {shown(region)}."
            )
        if cloud is not None and not (_HOST.match(cloud) and "." in cloud):
            raise ConfigError(f"cloud must be a domain name such as {DEFAULT_CLOUD}; got {shown(cloud)}.")
        self.region = region
        self._cloud = cloud
        self._urls: dict[str, str] = {}
        for service in (*SERVICES, "metadata"):
            url = (overrides or {}).get(service)
            where = f"endpoints.{service}"
            if url in (None, ""):
                names = []
                if region and service in SERVICES:
                    names = [f"HUAWEICLOUD_SDK_REGION_{service}_{region}".upper().replace("-", "_")]
                if service == "iam":
                    names += ["HUAWEICLOUD_SDK_IAM_ENDPOINT", "HW_AUTH_URL", "OS_AUTH_URL"]
                name = next((name for name in names if environ.get(name)), "")
                url = environ.get(name)
                where = f"The environment variable {name}"
            if url in (None, ""):
                url = (profile or {}).get(f"{service}_endpoint")
                where = f"The {service} endpoint of the profile"
            if url not in (None, ""):
                self._urls[service] = _checked_url(where, url, service)

    def url(self, service: str) -> str:
        """The base URL of C(dcs), C(dds), C(iam) or C(metadata), without a slash at its end."""
        if service in self._urls:
            return self._urls[service]
        if service == "metadata":
            return _METADATA
        if self.region is None:
            raise ConfigError(
                f"region is missing: set it, or endpoints.{service}, or one of the environment variables"
                " HW_REGION_NAME and OS_REGION_NAME."
            )
        cloud = self._cloud or ("myhuaweicloud.eu" if self.region.startswith("eu-west-1") else DEFAULT_CLOUD)
        return f"https://{service}.{self.region}.{cloud}"


def _checked_url(where: str, url: t.Any, service: str) -> str:
    rule = "must be an https URL of a host, such as https://dcs.cn-north-4.myhuaweicloud.com"
    if "@" in str(url):
        # Never quoted: there may be a password in it.
        raise ConfigError(f"{where} {rule}, without a user name or password in it.")
    wrong = ConfigError(f"{where} {rule}; got {shown(url)}.")
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise wrong
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise wrong from None
    address = _ip_address(host)
    if parts.scheme not in ("http", "https") or not (address or _HOST.match(host)):
        raise wrong
    netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    # Python's parser drops what follows the bracket of an IPv6 address.
    if parts.netloc.lower().rstrip(":") != netloc.rstrip(":"):
        raise wrong
    allowed = ("", "/", "/v3", "/v3/") if service == "iam" else ("", "/")
    if parts.path not in allowed or parts.query or parts.fragment or url.endswith(("?", "#")):
        raise ConfigError(f"{where} {rule}, without a path; got {shown(url)}.")
    if host != "localhost" and not (address and address.is_loopback):
        if service == "metadata":
            raise ConfigError(f"{where} must be a loopback address, for tests; got {shown(url)}.")
        if parts.scheme == "http":
            raise ConfigError(
                f"{where} must use https: plain http is accepted for loopback addresses only; got {shown(url)}."
            )
    return f"{parts.scheme}://{netloc}"


def checked_proxy(url: str | None) -> str | None:
    """The URL of a proxy, C(http) where it does not say; ConfigError quotes nothing, as a password may be in it."""
    if url is None:
        return None
    url = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(url)
        host, bare = parts.hostname or "", parts.path in ("", "/") and not parts.query and not parts.fragment
        known = parts.scheme in ("http", "https") and parts.port != 0 and (_ip_address(host) or _HOST.match(host))
    except ValueError:
        known = bare = False
    if not known or not bare or not url.isprintable() or " " in url or "\\" in url:
        raise ConfigError(
            "proxy, or the environment variable HTTPS_PROXY or ALL_PROXY, must be an http or https URL of a host and"
            " port, such as http://proxy.example.com:3128."
        )
    return url.rstrip("/")


def _ip_address(host: str) -> t.Any:
    if ":" not in host and not host[-1:].isdigit():
        return None
    import ipaddress

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
