# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Endpoints: where requests go, and that nothing malformed can lead them elsewhere."""

# ruff: noqa: RUF001  # characters that look like others are what is tested

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import SERVICES, Endpoints
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError

REGION = "cn-north-4"


def endpoints(region=REGION, cloud=None, overrides=None, environ=None):
    return Endpoints(region, cloud, overrides, environ or {})


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("region", "domain"),
    [
        ("cn-north-4", "myhuaweicloud.com"),
        ("my-kualalumpur-1", "myhuaweicloud.com"),
        ("eu-west-0", "myhuaweicloud.com"),
        ("eu-west-101", "myhuaweicloud.eu"),  # C17
        ("eu-west-1", "myhuaweicloud.eu"),
        ("eu-west-2", "myhuaweicloud.com"),
        ("x", "myhuaweicloud.com"),
    ],
)
def test_default_hosts(service, region, domain):
    assert endpoints(region).url(service) == f"https://{service}.{region}.{domain}"


@pytest.mark.parametrize("region", ["eu-de", "eu-west-101"])
def test_cloud(region):
    made = endpoints(region, "otc.t-systems.com")
    assert made.url("dcs") == f"https://dcs.{region}.otc.t-systems.com"
    assert made.url("iam") == f"https://iam.{region}.otc.t-systems.com"


EVIL_NAMES = [
    "",
    " ",
    "x.evil.example/",
    "x.evil.example",
    "a@b",
    "a:b",
    "a/b",
    "a\\b",
    "a?b",
    "a#b",
    "a%2eb",
    "..",
    ".",
    "-",
    "-a",
    "a-",
    "a b",
    "a_b",
    "CN-NORTH-4",
    "cn-north-4\n",
    "\ncn-north-4",
    "cn-north-4\r\nHost: evil",
    "cn-north-4\x00",
    "cn‐north‐4",
    "сn-north-4",  # begins with a Cyrillic letter
    "ｃn-north-4",
    "cn-north-４",
    "cn-north-4。evil",
    "a" * 64,
    "a" * 10000,
    "{project_id}",
]


@pytest.mark.parametrize("region", EVIL_NAMES)
def test_evil_region(region):
    with pytest.raises(ConfigError, match=r"^region must consist of lower-case letters") as caught:
        endpoints(region)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "cloud",
    [
        *(name for name in EVIL_NAMES if name != "x.evil.example"),
        "localhost",
        "evil.example/",
        "evil.example:443",
        "user@evil.example",
        "evil..example",
        ".evil.example",
        "evil.example.",
        "Evil.example",
        "evil.example\n",
        "evil.example?",
        "evil.example#",
        "evil.exаmple",
        "a." * 200 + "b",
        "a" * 64 + ".example",
        "-a.example",
        "a-.example",
    ],
)
def test_evil_cloud(cloud):
    with pytest.raises(ConfigError, match=r"^cloud must be a domain name such as ") as caught:
        endpoints(cloud=cloud)
    assert len(str(caught.value)) < 500


def test_missing_region():
    made = endpoints(None, overrides={"dcs": "https://dcs.example.com"})
    assert made.url("dcs") == "https://dcs.example.com"
    with pytest.raises(ConfigError, match=r"^region is missing: set it, or endpoints\.dds, .*HW_REGION_NAME"):
        made.url("dds")


@pytest.mark.parametrize(
    ("given_url", "url"),
    [
        ("https://dcs.example.com", None),
        ("https://dcs.example.com/", "https://dcs.example.com"),
        ("HTTPS://DCS.Example.COM", "https://dcs.example.com"),
        ("https://dcs.example.com:8443", None),
        ("https://dcs.example.com:", "https://dcs.example.com"),
        ("https://gateway", None),
        ("https://192.0.2.1", None),
        ("https://192.0.2.1:443/", "https://192.0.2.1:443"),
        ("https://[2001:db8::1]", None),
        ("https://[2001:db8::1]:8443", None),
        ("http://127.0.0.1:8080", None),
        ("http://127.9.9.9", None),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", None),
    ],
)
@pytest.mark.parametrize("service", SERVICES)
def test_override(service, given_url, url):
    made = endpoints(overrides={service: given_url})
    assert made.url(service) == (url or given_url)
    others = [name for name in SERVICES if name != service]
    assert [made.url(name) for name in others] == [f"https://{name}.{REGION}.myhuaweicloud.com" for name in others]


@pytest.mark.parametrize("value", [None, ""])
def test_override_not_given(value):
    assert endpoints(overrides={"dcs": value}).url("dcs") == f"https://dcs.{REGION}.myhuaweicloud.com"


@pytest.mark.parametrize("path", ["/v3", "/v3/"])
def test_v3_belongs_to_iam_only(path):
    assert endpoints(overrides={"iam": f"https://iam.example.com{path}"}).url("iam") == "https://iam.example.com"
    for service in ("dcs", "dds"):
        with pytest.raises(ConfigError, match=rf"^endpoints\.{service} must be .*, without a path"):
            endpoints(overrides={service: f"https://{service}.example.com{path}"})


EVIL_URLS = [
    "dcs.example.com",
    "dcs.example.com:443",
    "//dcs.example.com",
    "https:dcs.example.com",
    "https:/dcs.example.com",
    "https:///dcs.example.com",
    "https://",
    "https://:443",
    "ftp://dcs.example.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https+x://dcs.example.com",
    "http://dcs.example.com",
    "http://192.0.2.1",
    "http://10.0.0.1",
    "http://169.254.169.254",
    "http://0.0.0.0",
    "http://[2001:db8::1]",
    "http://[::]",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://evil.example/127.0.0.1",
    "http://2130706433",
    "http://0x7f.1",
    "http://127.1",
    "http://0177.0.0.1",
    "https://dcs.example.com/v2",
    "https://dcs.example.com/?a=1",
    "https://dcs.example.com?a=1",
    "https://dcs.example.com?",
    "https://dcs.example.com#a",
    "https://dcs.example.com#",
    "https://dcs.example.com/..",
    "https://dcs.example.com:0x50",
    "https://dcs.example.com:-1",
    "https://dcs.example.com:65536",
    "https://dcs.example.com:99999999999",
    "https://dcs.example.com:80:90",
    "https://dcs.example.com:８０",
    "https://dcs..example.com",
    "https://.example.com",
    "https://-dcs.example.com",
    "https://dcs_x.example.com",
    "https://dcs.example.com\\.evil.example",
    "https:\\\\dcs.example.com",
    "https://dcs%2eexample.com",
    "https://dcs.example.com%00",
    "https://dcs.example.com;x",
    "https://dcs.example.com,x",
    "https://*.example.com",
    "https://{region}.example.com",
    "https://dcs.exаmple.com",
    "https://dcs。example.com",
    "https://dcs.example.com\n",
    "https://dcs.exa\nmple.com",
    "https://dcs.exa\tmple.com",
    " https://dcs.example.com",
    "https://dcs.example.com ",
    "https://dcs.example.com\x00",
    "https://[::1",
    "https://::1]",
    "https://[dcs.example.com]",
    "https://[::1]evil.example",
    "https://[1.2.3]",
    "https://" + "a" * 10000,
    "https://" + "a." * 5000 + "example",
    "https://" + "a" * 64 + ".example",
]


@pytest.mark.parametrize("url", EVIL_URLS)
@pytest.mark.parametrize("service", ["dcs", "iam"])
def test_evil_url(service, url):
    with pytest.raises(ConfigError, match=rf"^endpoints\.{service} must ") as caught:
        endpoints(overrides={service: url})
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", [["https://dcs.example.com"], {"a": 1}, 5, True, b"https://dcs.example.com"])
def test_override_that_is_no_text(url):
    with pytest.raises(ConfigError, match=r"^endpoints\.dcs must "):
        endpoints(overrides={"dcs": url})


@pytest.mark.parametrize(
    "url",
    [
        "https://user:{}@dcs.example.com",
        "https://{}@dcs.example.com",
        "https://user:{}@dcs.example.com:99999",
        "https://user:{}@dcs.example.com:x",
        "https://user:{}@dcs.example.com/path",
        "https://user:{}@dcs.exämple.com",
        "https://us er:{}@dcs.example.com",
        "https://user:{}@dcs.example.com\n",
        "https://user:{}/x@dcs.example.com",
        "https://user:12/{}@dcs.example.com",
        "https://user:12?{}@dcs.example.com",
        "https://user:12#{}@dcs.example.com",
        "https://user:{}@[::1",
        "http://user:{}@dcs.example.com",
        "http://user:{}@127.0.0.1",
        "ftp://user:{}@dcs.example.com",
        "https:/user:{}@dcs.example.com",
        "user:{}@dcs.example.com",
        "https://evil.example\\@{}@dcs.example.com",
    ],
)
@pytest.mark.parametrize("where", ["option", "environment"])
def test_user_part_is_refused_and_never_quoted(url, where):
    url = url.format("open-sesame")
    options = {"overrides": {"iam": url}} if where == "option" else {"environ": {"HW_AUTH_URL": url}}
    with pytest.raises(ConfigError) as caught:
        endpoints(**options)
    assert "sesame" not in str(caught.value)
    assert "sesame" not in str(caught.value.failure())


ENVIRONMENT = {
    "HUAWEICLOUD_SDK_REGION_IAM_CN_NORTH_4": "https://a.example.com",
    "HUAWEICLOUD_SDK_IAM_ENDPOINT": "https://b.example.com",
    "HW_AUTH_URL": "https://c.example.com/v3",
    "OS_AUTH_URL": "https://d.example.com/v3/",
}


def test_environment_precedence():
    environ = dict(ENVIRONMENT)
    assert endpoints(overrides={"iam": "https://o.example.com"}, environ=environ).url("iam") == "https://o.example.com"
    for name, url in ENVIRONMENT.items():
        assert endpoints(environ=environ).url("iam") == url.removesuffix("/").removesuffix("/v3")
        environ[name] = ""
    assert endpoints(environ=environ).url("iam") == f"https://iam.{REGION}.myhuaweicloud.com"


def test_environment_of_each_service():
    environ = {
        "HUAWEICLOUD_SDK_REGION_DCS_CN_NORTH_4": "https://dcs.example.com",
        "HUAWEICLOUD_SDK_REGION_DDS_CN_NORTH_4": "https://dds.example.com",
        "HUAWEICLOUD_SDK_REGION_DCS_CN_NORTH_1": "https://other-region.example.com",
        "HUAWEICLOUD_SDK_REGION_DDS": "https://no-region.example.com",
    }
    made = endpoints(environ=environ)
    assert [made.url(service) for service in SERVICES] == [
        "https://dcs.example.com",
        "https://dds.example.com",
        f"https://iam.{REGION}.myhuaweicloud.com",
    ]
    assert endpoints("cn-north-1", environ=environ).url("dcs") == "https://other-region.example.com"
    with pytest.raises(ConfigError, match="region is missing"):
        endpoints(None, environ=environ).url("dcs")


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_environment_is_checked_and_named(name):
    with pytest.raises(ConfigError, match=rf"^The environment variable {name} must "):
        endpoints(environ={name: "http://evil.example"})


def test_auth_url_is_for_iam_only():
    made = endpoints(environ={"OS_AUTH_URL": "https://d.example.com/v3"})
    assert made.url("dcs") == f"https://dcs.{REGION}.myhuaweicloud.com"


@given(
    st.one_of(
        st.text(),
        st.text("htps:/.@[]%\\#?v3a1-_ \n").map(lambda text: "https://" + text),
        st.text("/.@[]:%\\#?v3a1-_").map(lambda text: "http://127.0.0.1" + text),
    )
)
def test_whatever_is_accepted_is_a_plain_base_url(url):
    try:
        made = endpoints(overrides={"iam": url}).url("iam")
    except ConfigError:
        return
    if url == "":
        return
    parts = urlsplit(made)
    assert made == f"{parts.scheme}://{parts.netloc}"
    assert parts.hostname
    assert parts.username is None
    assert parts.hostname == urlsplit(url).hostname
    assert parts.scheme == "https" or parts.hostname.startswith(("127.", "localhost", "::1"))


@given(st.text())
def test_whatever_region_is_accepted_stays_in_the_cloud(region):
    try:
        made = endpoints(region).url("dcs")
    except ConfigError:
        return
    host = urlsplit(made).hostname
    assert host == f"dcs.{region}.{host.split('.', 2)[2]}"
    assert host.endswith((".myhuaweicloud.com", ".myhuaweicloud.eu"))
