# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM: tokens, the look-up of projects and the account, and temporary access keys (docs/api.md 6)."""

from __future__ import annotations

import hmac
import re
from typing import Any

from .call import INT32, Answer, Call, Operation, json_answer
from .errors import Refusal, keystone_refusal
from .identity import AccessKey, User
from .policies import PolicyError, read_policy
from .state import Project, hex_id
from .times import iam_time

_SHORTEST, _LONGEST = 900, 86400
_SESSION_USER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{4,63}", re.ASCII)


def _invalid_body() -> Refusal:
    return keystone_refusal(400, "The request body is invalid")


def _wrong_password() -> Refusal:
    return keystone_refusal(401, "The username or password is wrong.")


def _unauthenticated() -> Refusal:
    return keystone_refusal(401, "The request you have made requires authentication.")


def _part(given: Any, *path: str) -> dict[str, Any]:
    """A nested object of the body; a missing one refuses the body."""
    for key in path:
        given = given.get(key) if isinstance(given, dict) else None
    if not isinstance(given, dict):
        raise _invalid_body()
    return given


def _check_texts(given: dict[str, Any], *names: str) -> None:
    """Refuse the body when one of these is there, but is no text."""
    if any(not isinstance(given[name], str) for name in names if name in given):
        raise _invalid_body()


def _same(one: Any, other: str) -> bool:
    return isinstance(one, str) and hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _sign_in(call: Call, identity: dict[str, Any]) -> User:
    methods = identity.get("methods")
    if methods not in (["password"], ["password", "totp"], ["totp", "password"]):
        raise _invalid_body()
    given = _part(identity, "password", "user")
    user = _named_user(call, given)
    if user is None or not _same(given.get("password"), user.password):
        raise _wrong_password()
    if "totp" in methods:
        code = _part(identity, "totp", "user")
        _check_texts(code, "id", "passcode")
        if code.get("id") not in (None, user.id) or user.totp is None or not _same(code.get("passcode"), user.totp):
            raise _wrong_password()
    elif user.totp is not None:
        raise _wrong_password()
    return user


def _named_user(call: Call, given: dict[str, Any]) -> User | None:
    _check_texts(given, "id", "name", "password")
    if "password" not in given:
        raise _invalid_body()
    if "id" in given:
        return next((user for user in call.identity.users if user.id == given["id"]), None)
    domain = _part(given, "domain")
    _check_texts(domain, "id", "name")
    if "name" not in given or not ({"name", "id"} & set(domain)):
        raise _invalid_body()
    if not _own_domain(call, domain):
        return None
    return next((user for user in call.identity.users if user.name == given["name"]), None)


def _own_domain(call: Call, given: dict[str, Any]) -> bool:
    if "id" in given:
        return bool(given["id"] == call.world.domain_id)
    return bool(given.get("name") == call.world.domain_name)


def _scope(call: Call, user: User, scope: dict[str, Any]) -> Project | None:
    """The project of the scope, None for the account; the project wins when both are given."""
    if "project" in scope:
        given = _part(scope, "project")
        _check_texts(given, "id", "name")
        if not ({"id", "name"} & set(given)):
            raise _invalid_body()
        found = [
            project
            for project in call.world.projects.values()
            if project.id in user.projects
            and project.enabled
            and (project.id == given["id"] if "id" in given else project.name == given["name"])
        ]
        if not found:
            raise _unauthenticated()
        return found[0]
    given = _part(scope, "domain")
    _check_texts(given, "id", "name")
    if not ({"id", "name"} & set(given)):
        raise _invalid_body()
    if not _own_domain(call, given):
        raise _unauthenticated()
    return None


def _catalog(call: Call, project: Project | None) -> list[dict[str, Any]]:
    # The example of an answer and that of the table's row differ (C32).
    as_in_answer = call.switches["iam_catalog"] == "iam"
    urls = {"iam": f"{call.base_url}/v3.0" if as_in_answer else f"{call.base_url}/v3"}
    if project is not None:
        urls["dcsv2"] = f"{call.base_url}/v2/{project.id}"
        urls["ddsv3"] = f"{call.base_url}/v3/{project.id}"
    return [
        {
            "id": hex_id("service", name),
            "name": name,
            "type": "identity" if name == "iam" and not as_in_answer else name,
            "endpoints": [
                {
                    "id": hex_id("endpoint", name),
                    "interface": "public",
                    "region": "*" if name == "iam" else call.world.region,
                    "region_id": "*" if name == "iam" else call.world.region,
                    "url": url,
                }
            ],
        }
        for name, url in urls.items()
    ]


def create_token(call: Call) -> Answer:
    body = call.json_object(_invalid_body(), _invalid_body())
    user = _sign_in(call, _part(body, "auth", "identity"))
    project = _scope(call, user, _part(body, "auth", "scope"))
    expires = call.now + float(call.switches["token_ttl"])
    text = call.identity.issue_token(user, project.id if project else None, expires)
    call.identity.tokens[text].elsewhere = call.switches["token_region"] == "elsewhere"
    domain = {"id": call.world.domain_id, "name": call.world.domain_name}
    token: dict[str, Any] = {
        "expires_at": iam_time(expires),
        "issued_at": iam_time(call.now),
        "methods": body["auth"]["identity"]["methods"],
        "catalog": [] if call.text("nocatalog") else _catalog(call, project),
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {"domain": domain, "id": user.id, "name": user.name, "password_expires_at": ""},
    }
    if project is None:
        token["domain"] = domain
    else:
        token["project"] = {"domain": domain, "id": project.id, "name": project.name}
    return json_answer({"token": token}, 201, {"X-Subject-Token": text})


def _links(url: str) -> dict[str, Any]:
    return {"next": None, "previous": None, "self": url}


def _signed_in(call: Call) -> User:
    if call.user is None:
        raise _unauthenticated()
    return call.user


def _flag(call: Call, name: str) -> bool | None:
    text = call.text(name)
    if text is None:
        return None
    if text.lower() not in ("true", "false"):
        raise keystone_refusal(400, f"Invalid {name} in the request")
    return text.lower() == "true"


def list_projects(call: Call) -> Answer:
    user = _signed_in(call)
    world = call.world
    enabled, is_domain = _flag(call, "enabled"), _flag(call, "is_domain")
    wrong = keystone_refusal(400, "Invalid page or per_page in the request")
    if ("page" in call.query) != ("per_page" in call.query):
        raise wrong
    number = call.number("page", 1, 1, INT32, wrong)
    size = call.number("per_page", 5000, 1, 5000, wrong)
    found = [
        {
            "id": project.id,
            "name": project.name,
            "description": project.description,
            "domain_id": world.domain_id,
            "parent_id": world.domain_id,
            "enabled": project.enabled,
            "is_domain": False,
            "links": _links(f"{call.base_url}/v3/projects/{project.id}"),
        }
        for project in world.projects.values()
        if project.id in user.projects
        and call.text("name") in (None, project.name)
        and call.text("domain_id") in (None, world.domain_id)
        and call.text("parent_id") in (None, world.domain_id)
        and enabled in (None, project.enabled)
        and is_domain in (None, False)
    ]
    shown = found[(number - 1) * size : number * size]
    return json_answer({"projects": shown, "links": _links(f"{call.base_url}/v3/projects")})


def list_domains(call: Call) -> Answer:
    _signed_in(call)
    world = call.world
    domain = {
        "id": world.domain_id,
        "name": world.domain_name,
        "description": "",
        "enabled": True,
        "links": {"self": f"{call.base_url}/v3/domains/{world.domain_id}"},
    }
    return json_answer({"domains": [domain], "links": _links(f"{call.base_url}/v3/auth/domains")})


def credential(key: AccessKey) -> dict[str, Any]:
    """Temporary keys in the form that IAM and the metadata service share."""
    return {
        "credential": {
            "access": key.access,
            "secret": key.secret,
            "securitytoken": key.security_token,
            "expires_at": iam_time(key.expires_at or 0.0),
        }
    }


def _check_session_user(given: Any) -> None:
    """The name of the user behind an agency: 5 to 64 letters, digits, - and _, the first one a letter."""
    if not isinstance(given, dict):
        raise _invalid_body()
    name = given.get("name", "SessionUser")
    if not isinstance(name, str) or not _SESSION_USER.fullmatch(name):
        raise _invalid_body()


def create_temporary_keys(call: Call) -> Answer:
    user = _signed_in(call)
    body = call.json_object(_invalid_body(), _invalid_body())
    identity = _part(body, "auth", "identity")
    methods = identity.get("methods")
    if methods == ["assume_role"]:
        given = _part(identity, "assume_role")
        _check_texts(given, "domain_name", "domain_id")
        _check_session_user(given.get("session_user", {}))
        agency = next((each for each in call.identity.agencies if each.name == given.get("agency_name")), None)
        domain = {key: given[name] for key, name in (("name", "domain_name"), ("id", "domain_id")) if name in given}
        if not isinstance(given.get("agency_name"), str) or not domain:
            raise _invalid_body()
        if agency is None or not _own_domain(call, domain):
            raise keystone_refusal(404, "The agency does not exist.")
        user = call.identity.delegate(agency)
    elif methods == ["token"]:
        given = identity.get("token") or {}
        if not isinstance(given, dict):
            raise _invalid_body()
        if "id" in given:
            token = call.identity.tokens.get(str(given["id"]))
            if token is None or token.expires_at <= call.now:
                raise _unauthenticated()
            user = token.user
    else:
        raise _invalid_body()
    seconds = given.get("duration_seconds", given.get("duration-seconds", _SHORTEST))
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not _SHORTEST <= seconds <= _LONGEST:
        raise _invalid_body()
    try:
        policy = read_policy(identity["policy"]) if "policy" in identity else None
    except PolicyError:
        raise _invalid_body() from None
    return json_answer(credential(call.identity.issue_key(user, call.now + seconds, policy)), 201)


OPERATIONS = (
    Operation("iam", "KeystoneCreateUserTokenByPassword", "POST", "/v3/auth/tokens", "", create_token),
    Operation("iam", "KeystoneListProjects", "GET", "/v3/projects", "iam:projects:listProjects", list_projects),
    Operation("iam", "KeystoneListAuthDomains", "GET", "/v3/auth/domains", "", list_domains),
    Operation(
        "iam",
        "CreateTemporaryAccessKey",
        "POST",
        "/v3.0/OS-CREDENTIAL/securitytokens",
        "",
        create_temporary_keys,
    ),
)
