# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readers of profile files: what each key becomes, where files are looked for, and that no file can surprise them."""

from __future__ import annotations

import json
import os
import re
import string
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._profiles import Profile, read_profile
from tests.harness.profiles import (
    CLOUDS_PATH,
    KOOCLI_PATH,
    SDK_PATH,
    Home,
    cloud_entry,
    koocli_profile,
    koocli_sso_profile,
)

METHODS = ("profile", "koocli", "clouds_yaml")
USUAL = {"profile": SDK_PATH, "koocli": KOOCLI_PATH, "clouds_yaml": CLOUDS_PATH}
NAMES = {"profile": "basic", "koocli": "default", "clouds_yaml": "simulated"}
KEY = {"access_key": "A" * 20, "secret_key": "s" * 40}
TEMPORARY = {**KEY, "security_token": "t" * 80}


@pytest.fixture
def home(tmp_path, monkeypatch) -> Home:
    """A home folder in which the test works."""
    made = Home(tmp_path / "home")
    monkeypatch.chdir(made.folder)
    return made


def read(home: Home, method: str, profile: str | None = None, path: Path | None = None, **environ: str) -> Profile:
    return read_profile(method, profile, path and str(path), {"HOME": str(home.folder), **environ})


# --- What each key becomes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "values"),
    [
        ("ak = A\nsk = S", {"access_key": "A", "secret_key": "S"}),
        ("ak=A\nsk:S", {"access_key": "A", "secret_key": "S"}),
        ("AK = A\nSk = S", {"access_key": "A", "secret_key": "S"}),
        ("# ak = B\n; sk = B\nak = A\nsk = S", {"access_key": "A", "secret_key": "S"}),
        ("ak = A\nsk = S=%(ak)s;#%", {"access_key": "A", "secret_key": "S=%(ak)s;#%"}),
        ("ak = A\nsk = S\nsecurity_token = T", {"access_key": "A", "secret_key": "S", "security_token": "T"}),
        ("project_id = P\niam_endpoint = https://i", {"project_id": "P", "iam_endpoint": "https://i"}),
        ("ak =\nsk = ", {}),
        ("domain_id = D\nidp_id = I\nak_ = A", {}),
    ],
)
@pytest.mark.parametrize("section", ["basic", "tonight", "a b"])
def test_keys_of_the_sdk(home, lines, values, section):
    home.write(SDK_PATH, f"[other]\nak = wrong\nsk = wrong\n[{section}]\n{lines}\n")
    assert read(home, "profile", None if section == "basic" else section).values == values


@pytest.mark.parametrize(
    ("profile", "values"),
    [
        (koocli_profile(KEY), KEY),
        (koocli_profile(TEMPORARY), TEMPORARY),
        (koocli_sso_profile(TEMPORARY), TEMPORARY),
        (koocli_sso_profile(TEMPORARY, mode="AKSK"), TEMPORARY),
        (koocli_profile(KEY, ssoAuth={"stsToken": {"accessKeyId": "B" * 20}}), KEY),
        (koocli_profile(KEY, ssoAuth={}), KEY),
        (koocli_profile(KEY, region="", projectId="", securityToken=""), KEY),
        (koocli_profile(KEY, domainId="d", custom={}, readTimeout=5, warning=None), KEY),
        (
            koocli_profile({**KEY, "project_id": "P", "agency_name": "N", "agency_domain_id": "I"}, region="r-1"),
            {**KEY, "project_id": "P", "agency_name": "N", "agency_domain_id": "I", "region": "r-1"},
        ),
    ],
    ids=json.dumps,
)
def test_keys_of_koocli(home, profile, values):
    home.koocli(profile)
    assert read(home, "koocli").values == values


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        (cloud_entry(KEY), KEY),
        (cloud_entry(TEMPORARY), TEMPORARY),
        ({"auth": {"access_key": "A", "secret_key": "S"}}, {"access_key": "A", "secret_key": "S"}),
        ({"ak": "A", "sk": "S"}, {"access_key": "A", "secret_key": "S"}),
        ({"ak": "B", "auth": {"ak": "A", "sk": "S"}}, {"access_key": "A", "secret_key": "S"}),
        ({"auth": {"token": "T"}}, {"auth_token": "T"}),
        (
            {"auth": {"username": "u", "password": "p", "user_domain_name": "d", "domain_name": "e"}},
            {"username": "u", "password": "p", "domain_name": "d"},
        ),
        (
            {"auth": {"user_id": "u", "password": "p", "passcode": "1", "user_domain_id": "d"}},
            {"user_id": "u", "password": "p", "passcode": "1", "domain_id": "d"},
        ),
        ({"auth": {"project_id": "P", "project_name": "N"}}, {"project_id": "P", "project_name": "N"}),
        (
            {"region_name": "eu-de", "cacert": "/a", "cert": "/b", "key": "/c"},
            {"region": "eu-de", "ca_path": "/a", "client_cert": "/b", "client_key": "/c"},
        ),
        ({"auth": {"password": ""}, "verify": True, "unknown": [1], "dcs_api_version": 2}, {}),
    ],
    ids=json.dumps,
)
def test_keys_of_clouds_yaml(home, entry, values):
    home.clouds({"simulated": entry, "another": {"auth": {"token": "wrong"}}})
    assert read(home, "clouds_yaml", "simulated").values == values


@pytest.mark.parametrize(
    ("url", "region", "cloud"),
    [
        ("https://iam.eu-de.otc.t-systems.com/v3", "eu-de", "otc.t-systems.com"),
        ("https://iam.eu-de.otc.t-systems.com", "eu-de", "otc.t-systems.com"),
        ("https://iam.eu-de.otc.t-systems.com:443/v3", "eu-de", "otc.t-systems.com"),
        ("https://iam.cn-north-4.myhuaweicloud.com/v3/", "cn-north-4", "myhuaweicloud.com"),
        ("https://iam.myhuaweicloud.com/v3", "cn-north-4", None),
        ("https://iam.eu-de.otc.t-systems.com/v3", "eu-nl", None),
        ("https://keystone.example.com/v3", "eu-de", None),
        ("http://127.0.0.1:5000/v3", "eu-de", None),
    ],
)
def test_the_cloud_follows_from_the_address_of_iam(home, url, region, cloud):
    home.clouds({"simulated": {"auth": {"auth_url": url, "token": "T"}, "region_name": region}})
    found = read(home, "clouds_yaml", "simulated").values
    assert (found.get("cloud"), found["region"]) == (cloud, region)


@pytest.mark.parametrize(
    ("auth_type", "ways"),
    [
        ("token", ["token"]),
        ("v3token", ["token"]),
        ("v3password", ["password"]),
        (None, None),
        ("", None),
    ],
)
def test_auth_type(home, auth_type, ways):
    home.clouds({"simulated": {"auth": {"token": "T"}, **({} if auth_type is None else {"auth_type": auth_type})}})
    assert read(home, "clouds_yaml", "simulated").ways == ways


@pytest.mark.parametrize(("verify", "found"), [(True, None), (False, "false"), (None, None)])
def test_verify(home, verify, found):
    home.clouds({"simulated": {"auth": {"token": "T"}, **({} if verify is None else {"verify": verify})}})
    assert read(home, "clouds_yaml", "simulated").values.get("validate_certs") == found


@pytest.mark.parametrize("method", METHODS)
def test_each_value_has_the_name_that_the_file_gives_it(home, method):
    """Errors are told in the words of the file."""
    if method == "profile":
        home.sdk(TEMPORARY)
    elif method == "koocli":
        home.koocli(koocli_profile(TEMPORARY))
    else:
        home.clouds({"simulated": cloud_entry(TEMPORARY)})
    found = read(home, method, "simulated" if method == "clouds_yaml" else None)
    text = (home.folder / USUAL[method]).read_text()
    for option, value in found.values.items():
        assert re.search(rf"\b{found.names[option]}\b[\"']?\s*[:=]\s*[\"']?{value}", text)
    assert str(home.folder / USUAL[method]) in found.source
    assert NAMES[method] in found.source


def test_nothing_secret_is_in_the_source(home):
    home.clouds({"simulated": cloud_entry({"username": "u", "password": "SENTINEL", "domain_name": "d"})})
    assert "SENTINEL" not in read(home, "clouds_yaml", "simulated").source


# --- Encrypted by KooCLI -----------------------------------------------------------------------------------------------

CIPHER = "QUVTLTI1Ni1HQ00kc29tZXRoaW5nIGVuY3J5cHRlZA=="


@pytest.mark.parametrize(
    ("said", "access_key", "encrypted"),
    [
        ("true", "A" * 20, True),
        (True, "A" * 20, True),
        ("True", CIPHER, True),
        ("false", "A" * 20, False),
        (False, "A" * 20, False),
        # Stored before the encryption was turned off.
        ("false", CIPHER, True),
        (False, CIPHER, True),
        (None, "A" * 20, False),
        (None, "HPUAD0123456789ABCDE", False),
        (None, CIPHER, True),
        (None, "0a" * 64, True),
    ],
)
@pytest.mark.parametrize("build", [koocli_profile, koocli_sso_profile])
def test_encrypted_profiles_are_told_from_plain_ones(home, said, access_key, encrypted, build):
    content = {
        "current": "default",
        "profiles": [build({**TEMPORARY, "access_key": access_key})],
        **({} if said is None else {"authEncrypt": said}),
    }
    home.write(KOOCLI_PATH, json.dumps(content))
    if encrypted:
        with pytest.raises(ConfigError, match="cli-auth-encrypt=false") as caught:
            read(home, "koocli")
        assert caught.value.code == "InvalidProfile"
        assert access_key not in str(caught.value)
    else:
        assert read(home, "koocli").values["access_key"] == access_key


# --- Where files are looked for ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("best", ["option", "variable", "usual place"])
def test_which_file_is_read(home, method, best):
    variables = {
        "profile": "HUAWEICLOUD_SDK_CREDENTIALS_FILE",
        "koocli": "HW_SHARED_CONFIG_FILE",
        "clouds_yaml": "OS_CLIENT_CONFIG_FILE",
    }
    levels = ["option", "variable", "usual place"]
    places = {"option": "o", "variable": "v", "usual place": USUAL[method]}
    environ, path = {}, None
    for level in levels[levels.index(best) :]:
        values = {"access_key": ("A" if level == best else "B") * 20, "secret_key": "s"}
        if method == "profile":
            file = home.sdk(values, path=places[level])
        elif method == "koocli":
            file = home.koocli(koocli_profile(values), path=places[level])
        else:
            file = home.clouds({"simulated": cloud_entry(values)}, places[level])
        if level == "variable":
            environ[variables[method]] = str(file)
        elif level == "option":
            path = file
    found = read(home, method, NAMES[method], path, **environ)
    assert found.values["access_key"] == "A" * 20
    assert str(home.folder / places[best]) in found.source


@pytest.mark.parametrize(
    ("method", "variable"),
    [
        ("profile", "HUAWEICLOUD_SDK_CREDENTIALS_FILE"),
        ("koocli", "HW_SHARED_CONFIG_FILE"),
        ("clouds_yaml", "OS_CLIENT_CONFIG_FILE"),
    ],
)
def test_a_tilde_in_a_variable_is_the_home(home, method, variable):
    """Shells leave it alone in quotes, and files of variables have no shell at all."""
    home.sdk(KEY, path="x/sdk")
    home.koocli(koocli_profile(KEY), path="x/koocli")
    home.clouds({"simulated": cloud_entry(KEY)}, "x/clouds_yaml")
    place = {"profile": "~/x/sdk", "koocli": "~/x/koocli", "clouds_yaml": "~/x/clouds_yaml"}[method]
    assert read(home, method, NAMES[method], **{variable: place}).values == KEY


def test_a_profile_is_named_by_an_option_or_a_variable(home):
    home.koocli(*(koocli_profile({**KEY, "access_key": letter * 20}, letter) for letter in "ABC"))
    assert read(home, "koocli").values["access_key"] == "A" * 20
    assert read(home, "koocli", HW_PROFILE="B").values["access_key"] == "B" * 20
    assert read(home, "koocli", "C", HW_PROFILE="B").values["access_key"] == "C" * 20
    home.clouds({letter: {"auth": {"token": letter}} for letter in "ABC"})
    assert read(home, "clouds_yaml", OS_CLOUD="B").values["auth_token"] == "B"
    assert read(home, "clouds_yaml", "C", OS_CLOUD="B").values["auth_token"] == "C"
    with pytest.raises(ConfigError, match="OS_CLOUD"):
        read(home, "clouds_yaml")


@pytest.mark.parametrize("first", range(5))
def test_places_of_clouds_yaml(home, first, monkeypatch):
    """Each place in turn is the best of those that are left; the last one is the machine's."""
    machine = home.folder / "etc"
    places = ["clouds.yaml", "clouds.yml", CLOUDS_PATH, CLOUDS_PATH.replace("yaml", "yml"), "etc/clouds.yaml"]
    for place in places[first:]:
        home.clouds({"simulated": {"auth": {"token": place}}}, place)
    asked = []
    exists, opened = os.path.exists, open

    def moved(path: Any) -> Any:
        return str(path).replace("/etc/openstack", str(machine)) if isinstance(path, str) else path

    def look(path: Any) -> bool:
        asked.append(path)
        return exists(moved(path))

    monkeypatch.setattr("os.path.exists", look)
    monkeypatch.setattr("builtins.open", lambda path, *more, **others: opened(moved(path), *more, **others))
    assert read(home, "clouds_yaml", "simulated").values["auth_token"] == places[first]
    if first == 4:
        assert [path for path in asked if "/etc/openstack" in str(path)][:1] == ["/etc/openstack/clouds.yaml"]


# --- A secure.yaml -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain", "secure", "values"),
    [
        ({"username": "u"}, {"password": "p"}, {"username": "u", "password": "p"}),
        ({"username": "u", "password": "x"}, {"password": "p"}, {"username": "u", "password": "p"}),
        ({"ak": "A"}, {"sk": "S"}, {"access_key": "A", "secret_key": "S"}),
        ({"ak": "A"}, {"secret_key": "S"}, {"access_key": "A", "secret_key": "S"}),
        ({"access_key": "B", "secret_key": "S"}, {"ak": "A"}, {"access_key": "A", "secret_key": "S"}),
        ({"token": "T"}, {}, {"auth_token": "T"}),
    ],
    ids=json.dumps,
)
def test_a_secure_yaml(home, plain, secure, values):
    home.clouds({"simulated": {"auth": plain}})
    home.clouds({"simulated": {"auth": secure}}, Path(CLOUDS_PATH).parent / "secure.yaml")
    assert read(home, "clouds_yaml", "simulated").values == values


# --- Any content at all --------------------------------------------------------------------------------------------------


def attempt(content: bytes, method: str, secure: bytes | None = None) -> Profile | None:
    """Read a file with this content; None for one that is refused, and nothing else may happen."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "clouds.yaml"
        file.write_bytes(content)
        if secure is not None:
            (Path(folder) / "secure.yaml").write_bytes(secure)
        refused, found = None, None
        try:
            found = read_profile(method, NAMES[method], str(file), {"HOME": folder})
        except ConfigError as error:
            refused = error
    if found is None:
        assert refused.code == "InvalidProfile"
        assert folder in str(refused)
        assert "\n" not in str(refused)
        return None
    assert all(isinstance(value, str) and value for value in found.values.values())
    assert set(found.values) <= set(found.names) | {"cloud", "validate_certs"}
    return found


@pytest.mark.parametrize("method", METHODS)
@given(content=st.binary(max_size=200))
def test_any_bytes(method, content):
    attempt(content, method)


#: Pieces that mean something to one of the readers.
PIECES = [
    *("[basic]", "[", "]", "{", "}", ":", "=", ",", "- ", "\n", "\n  ", "\n    ", "\t", '"', "'", "#", ";", "%", "%("),
    *("ak", "sk", "current", "profiles", "name", "default", "clouds", "simulated", "auth", "token", "true", "null"),
    *("!!python/object:x", "!!bool", "!!timestamp", "!!int", "!!float", "!!binary", "!!set", "!!omap", "!!pairs", "!x"),
    *("&a", "*a", "<<", "---", "...", "|", ">", "?", "%YAML 9.9", "%TAG ! x", "2026-99-99", "1e999", "NaN", "0x", "0o"),
    *("\x00", "\x85", "\u2028", "\ufeff", "\ud7ff", "é", "\r", "\x1b", "\U0001f600", "1:2:3", "1_0", "-", ".inf", "~"),
]


@pytest.mark.parametrize("method", METHODS)
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30), between=st.sampled_from(["", " "]))
def test_any_pieces(method, pieces, between):
    content = between.join(pieces).encode()
    attempt(content, method)
    if method == "clouds_yaml":
        attempt(b"clouds: {simulated: {auth: {token: T}}}", method, content)


TAGS = ["!!" + tag for tag in ("bool", "int", "float", "null", "str", "seq", "map", "set", "omap", "pairs", "binary")]
VALUES_OF_TAGS = ["x", "''", "[]", "[[]]", "[x]", "{}", "{x: y}", "[{x: y, z: z}]", "{[]: x}", "2026-99-99", "é", "1:x"]


@pytest.mark.parametrize("tag", [*TAGS, "!!timestamp", "!!merge", "!!value", "!!yaml", "!", "!x", "!<x>", ""])
@pytest.mark.parametrize("value", [*VALUES_OF_TAGS, "0x", "0b", "1_", "_", "99999999999:99", "2026-01-15T99:99:99Z"])
def test_any_tag_on_any_value(tag, value):
    """YAML's own tags make things of texts, and some of the texts surprise its reader."""
    for text in (
        f"clouds:\n  simulated:\n    auth:\n      token: T\n      x: {tag} {value}\n",
        f"clouds:\n  simulated:\n    auth:\n      token: {tag} {value}\n",
        f"clouds:\n  simulated: {tag} {value}\n",
        f"clouds: {tag} {value}\n",
        f"{tag} {value}\n",
        f"clouds:\n  simulated:\n    auth:\n      <<: {tag} {value}\n",
        f"clouds:\n  simulated:\n    auth:\n      ? {tag} {value}\n      : x\n",
    ):
        attempt(text.encode(), "clouds_yaml")


KNOWN_KEYS = [
    *("current", "profiles", "name", "authEncrypt", "mode", "ssoAuth", "stsToken", "accessKeyId", "secretAccessKey"),
    *("securityToken", "region", "agencyName", "clouds", "simulated", "auth", "auth_type", "token", "ak", "sk"),
    *("username", "password", "verify", "cacert", "region_name", "auth_url", "default", "SSO", "true", "token"),
]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from(KNOWN_KEYS),
    st.text(string.printable, max_size=8),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KNOWN_KEYS), inner, max_size=4)
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(st.sampled_from(KNOWN_KEYS), VALUES, max_size=5)


@given(top=FIELDS, fields=FIELDS, profiles=st.one_of(VALUES, st.just("own")))
def test_any_json(top, fields, profiles):
    """JSON in the form of KooCLI's, with values of any kind."""
    own = [{**fields, "name": "default"}]
    content = {**top, "current": "default", "profiles": own if profiles == "own" else profiles}
    attempt(json.dumps(content).encode(), "koocli")
    attempt(json.dumps(top).encode(), "koocli")


@given(fields=FIELDS, auth=st.one_of(FIELDS, VALUES), secure=VALUES)
def test_any_yaml(fields, auth, secure):
    """YAML in the form of clouds.yaml, with values of any kind, also in the secure.yaml."""
    content = yaml.safe_dump({"clouds": {"simulated": {**fields, "auth": auth}}}).encode()
    attempt(content, "clouds_yaml")
    attempt(yaml.safe_dump(secure).encode(), "clouds_yaml")
    attempt(content, "clouds_yaml", yaml.safe_dump({"clouds": {"simulated": secure}}).encode())
    attempt(b"clouds: {simulated: {auth: {token: T}}}", "clouds_yaml", content)


@given(
    pairs=st.lists(
        st.tuples(st.sampled_from(["ak", "sk", "security_token", "x", "[basic]", "[", " "]), st.text(max_size=12)),
        max_size=6,
    )
)
def test_any_ini(pairs):
    attempt("\n".join(["[basic]", *(f"{key} = {value}" for key, value in pairs)]).encode("utf-8", "replace"), "profile")


@given(value=st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60))
def test_a_key_comes_out_as_it_was_written(value):
    """Whatever printable characters it consists of; only quotes of the format itself are its own."""
    texts = {
        "koocli": json.dumps(
            {"current": "default", "authEncrypt": "false", "profiles": [{"name": "default", "secretAccessKey": value}]}
        ),
        "clouds_yaml": yaml.safe_dump({"clouds": {"simulated": {"auth": {"sk": value}}}}),
        "profile": f"[basic]\nsk = {value}\n",
    }
    for method, text in texts.items():
        found = attempt(text.encode(), method)
        assert found is not None
        assert found.values == {"secret_key": value}
