# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Profile files that no tool would write: valid ones with something wrong somewhere, and what is no such file at all.

A seed makes a file. Each secret in one has the mark, which therefore must not be in any message.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import yaml

from . import answers

#: Part of all that must not be quoted.
MARK = "a-secret"
NAME = "one"

_KEY = {"ak": "AK", "sk": f"{MARK}-key", "security_token": f"{MARK}-security-token"}
_SDK: dict[str, Any] = {
    "basic": {**_KEY, "project_id": "a" * 32, "iam_endpoint": "https://iam.example.com"},
    NAME: {"ak": "AK", "sk": f"{MARK}-key"},
}
_KOOCLI_KEYS = {
    "accessKeyId": "A" * 20,
    "secretAccessKey": f"{MARK}-key",
    "securityToken": f"{MARK}-security-token",
}
_KOOCLI: dict[str, Any] = {
    "current": NAME,
    "authEncrypt": "false",
    "profiles": [
        {"name": NAME, "mode": "AKSK", "region": "sim-region-1", "projectId": "a" * 32, **_KOOCLI_KEYS},
        {"name": "two", "mode": "SSO", "ssoAuth": {"stsToken": _KOOCLI_KEYS}},
        {"name": "three", "agencyName": "x", "agencyDomainName": "y", "agencyDomainId": "z", **_KOOCLI_KEYS},
    ],
}
_PASSWORD = {
    "auth_url": "https://iam.eu-de.example.com/v3",
    "username": "u",
    "user_id": "u" * 32,
    "password": f"{MARK}-password",
    "passcode": f"{MARK}-passcode",
    "user_domain_name": "d",
    "project_name": "eu-de",
}
_CLOUDS: dict[str, Any] = {
    "clouds": {
        NAME: {"auth": _PASSWORD, "region_name": "eu-de", "verify": False, "auth_type": "password"},
        "two": {"auth": {"token": f"{MARK}-token"}, "auth_type": "v3token", "cacert": "/", "cert": "/", "key": "/"},
        "three": {"auth": _KEY, "ak": "AK", "sk": f"{MARK}-key"},
    }
}
_SECURE: dict[str, Any] = {"clouds": {NAME: {"auth": {"password": f"{MARK}-other-password"}}}}

#: What the mark is put into: texts that the three formats read in ways of their own.
_ODD_TEXTS = (
    *(MARK, f"{MARK}\n{MARK}", f" {MARK} ", f"{MARK}\x00", f"{MARK}\ud800", f"%({MARK})s", f"[{MARK}]", f"{MARK}=x"),
    *(f"# {MARK}", f"{MARK}: {MARK}", f"é{MARK}", f"\x1b[31m{MARK}", f"{MARK}," * 50, f"\u202e{MARK}", f"~{MARK}"),
)
_ODD_LINES = (
    *(f"password: !!bool {MARK}", f"password: !!int {MARK}", "password: !!int ''", f"password: !!float {MARK}"),
    *(f"password: !!timestamp {MARK}", f"password: !!binary {MARK}é", f"password: !!set [{MARK}]", "x: !!omap [1]"),
    *(f"password: !!python/object:{MARK}.x {{}}", f"password: !vault |\n  {MARK}", f"? {{{MARK}: 1}}\n: 2"),
    *(f"<<: {MARK}", f"<<: *{MARK}", f"x: &a [*a, {MARK}]", "x: 2001-99-99", "x: 1:2:99999999", "x: .inf"),
    *(f"auth_type: 0x{'f' * 5000}", f"%YAML 9.9\n---\n{MARK}", f"--- {MARK}\n--- {MARK}", f"\t{MARK}: x", "[" * 500),
    *("[" + MARK, f"[{MARK}]", f"  {MARK}", f"{MARK}", f"={MARK}", f": {MARK}", f"[basic]\nsk = {MARK}", "[]", "[ ]"),
    *(f"sk = {MARK}\nsk = {MARK}", "[DEFAULT]\nak = 1", f"ak: {MARK}\n\n   {MARK}", '{"' + MARK, "{}", "null", ""),
)


def _ini(value: Any) -> str:
    """As the SDK's file; what it cannot hold is written somehow."""
    if not isinstance(value, dict):
        return str(value)
    lines = []
    for section, fields in value.items():
        lines.append(f"[{section}]")
        lines += [f"{key} = {each}" for key, each in fields.items()] if isinstance(fields, dict) else [str(fields)]
    return "\n".join(lines) + "\n"


def _yaml(value: Any) -> str:
    try:
        return yaml.safe_dump(value, allow_unicode=True)
    except (yaml.YAMLError, ValueError):  # numbers beyond what Python prints
        return repr(value) if not _too_long(value) else MARK


def _json(value: Any) -> str:
    return MARK if _too_long(value) else json.dumps(value, indent=1)


def _too_long(value: Any) -> bool:
    """Whether there is a number in it that Python does not print."""
    if isinstance(value, (dict, list)):
        return any(map(_too_long, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and abs(value) > 10**4000


_FORMS: dict[str, tuple[Any, Callable[[Any], str]]] = {
    "profile": (_SDK, _ini),
    "koocli": (_KOOCLI, _json),
    "clouds_yaml": (_CLOUDS, _yaml),
    "secure": (_SECURE, _yaml),
}


def content(kind: str, rng: random.Random) -> bytes:
    """A file of this kind."""
    valid, form = _FORMS[kind]
    value = answers.mutated(valid, rng)
    for _time in range(rng.choice((0, 0, 1, 2))):
        # The name of the profile is the one thing that may be quoted.
        found = [(holder, key) for holder, key in answers.places(value) if key not in ("current", "name")]
        if found:
            holder, key = rng.choice(found)
            holder[key] = rng.choice(_ODD_TEXTS)
    text = form(value)
    lines = text.split("\n")
    action = rng.random()
    if action < 0.3:
        where = rng.randrange(len(lines) + 1)
        # Mostly as part of what is there, so that it is read as a value.
        blanks = lines[where][: len(lines[where]) - len(lines[where].lstrip())] if where < len(lines) else ""
        lines[where:where] = [blanks + line for line in rng.choice(_ODD_LINES).split("\n")]
    elif action < 0.4:
        rng.shuffle(lines)
    elif action < 0.5:
        del lines[rng.randrange(len(lines))]
    raw = "\n".join(lines).encode("utf-8", "surrogatepass")
    action = rng.random()
    if action < 0.8:
        return raw
    if action < 0.85:
        return raw[: rng.randrange(len(raw) + 1)]
    if action < 0.9:
        place = rng.randrange(len(raw) + 1)
        return raw[:place] + rng.randbytes(rng.randrange(1, 5)) + raw[place:]
    return rng.choice(
        (
            rng.randbytes(rng.randrange(200)),
            b"\xef\xbb\xbf" + raw,
            raw.decode("utf-8", "replace").encode("utf-16"),
            raw.replace(b"\n", b"\r\n"),
            raw.replace(b"\n", b"\r"),
            raw + b"\x00",
            raw + raw,
            b"[" * 500,
            b'{"clouds":' * 2000,
            b"- " * 500,
            b"",
        )
    )
