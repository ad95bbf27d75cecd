# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a request goes: region, cloud and service become a base URL (contract section 7).

Every part is checked before a credential goes anywhere: a region or an endpoint that is not
exactly what it should be could lead a signature or a password to somebody else's host.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from urllib.parse import urlsplit

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError

DEFAULT_CLOUD = "myhuaweicloud.com"
_EU_CLOUD = "myhuaweicloud.eu"
SERVICES = ("dcs", "dds", "iam")

_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z", re.ASCII)
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\Z", re.ASCII
)


class Endpoints:
    """The base URL of each service.

    :arg region: such as C(cn-north-4); may be None when every service used has an entry in C(overrides).
    :arg cloud: the domain under which the services are found; None for the one that belongs to the region (C17).
    :arg overrides: service name to base URL, from the option C(endpoints).
    :arg environ: the environment, in which the official SDK's C(HUAWEICLOUD_SDK_REGION_{SERVICE}_{REGION}),
        C(HUAWEICLOUD_SDK_IAM_ENDPOINT), C(HW_AUTH_URL) and C(OS_AUTH_URL) are honoured too.
    :raises ConfigError: when one of them is malformed.
    """

    def __init__(
        self,
        region: str | None,
        cloud: str | None,
        overrides: t.Mapping[str, t.Any] | None,
        environ: t.Mapping[str, str],
    ) -> None:
        if region is not None and not _REGION.match(region):
            raise ConfigError(
                f"region must consist of lower-case letters, digits and hyphens, such as cn-north-4; got {_shown(region)}."
            )
        if cloud is not None and not (_HOST.match(cloud) and "." in cloud):
            raise ConfigError(f"cloud must be a domain name such as {DEFAULT_CLOUD}; got {_shown(cloud)}.")
        self.region = region
        self._cloud = cloud
        self._urls: dict[str, str] = {}
        for service in SERVICES:
            url = (overrides or {}).get(service)
            if url is not None and url != "":
                self._urls[service] = _checked_url(f"endpoints.{service}", url, service)
            else:
                self._take_from_environment(service, environ)

    def _take_from_environment(self, service: str, environ: t.Mapping[str, str]) -> None:
        names = []
        if self.region:
            names.append(f"HUAWEICLOUD_SDK_REGION_{service}_{self.region}".upper().replace("-", "_"))
        if service == "iam":
            names += ["HUAWEICLOUD_SDK_IAM_ENDPOINT", "HW_AUTH_URL", "OS_AUTH_URL"]
        for name in names:
            if environ.get(name):
                self._urls[service] = _checked_url(f"The environment variable {name}", environ[name], service)
                return

    def url(self, service: str) -> str:
        """The base URL of C(dcs), C(dds) or C(iam), without a slash at its end.

        :raises ConfigError: when it cannot be known without a region.
        """
        if service in self._urls:
            return self._urls[service]
        if self.region is None:
            raise ConfigError(
                f"region is missing: set it, or endpoints.{service}, or one of the environment variables"
                " HW_REGION_NAME and OS_REGION_NAME."
            )
        cloud = self._cloud or (_EU_CLOUD if self.region.startswith("eu-west-1") else DEFAULT_CLOUD)
        return f"https://{service}.{self.region}.{cloud}"


def _checked_url(where: str, url: t.Any, service: str) -> str:
    rule = "must be an https URL of a host, such as https://dcs.cn-north-4.myhuaweicloud.com"
    if "@" in str(url):
        # Never quoted: what stands before the @ may be a password, wherever in the text it is.
        raise ConfigError(f"{where} {rule}, without a user name or password in it.")
    wrong = ConfigError(f"{where} {rule}; got {_shown(url)}.")
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise wrong
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not (_HOST.match(host) or _is_ip_address(host)):
        raise wrong
    netloc = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    # Python's parser drops what follows the bracket of an IPv6 address; nothing may be dropped here.
    if parts.netloc.lower().rstrip(":") != netloc.rstrip(":"):
        raise wrong
    allowed = ("", "/", "/v3", "/v3/") if service == "iam" else ("", "/")
    if parts.path not in allowed or parts.query or parts.fragment or url.endswith(("?", "#")):
        raise ConfigError(f"{where} {rule}, without a path; got {_shown(url)}.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ConfigError(
            f"{where} must use https: plain http is accepted for loopback addresses only; got {_shown(url)}."
        )
    return f"{parts.scheme}://{netloc}"


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_ip_address(host) and ipaddress.ip_address(host).is_loopback)


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= 60 else text[:60] + "…")
