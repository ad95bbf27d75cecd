# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may sign in: users, agencies, access keys, tokens and temporary keys, with their ends and locks."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from .policies import Policy

# More than this many wrong signatures in a row lock an access key (docs/api.md 4.4).
FAILURES_ALLOWED = 5


@dataclass(frozen=True)
class User:
    """An IAM user. `denied` holds actions or operation names, `projects` the ids that are reachable.

    `policy` narrows what temporary keys of the user may do.
    """

    id: str
    name: str
    password: str
    access_key: str
    secret_key: str
    totp: str | None
    denied: tuple[str, ...]
    projects: frozenset[str]
    policy: Policy | None = None

    def may(self, action: str, operation: str) -> bool:
        """Whether the user may do this."""
        if self.policy is not None and not self.policy.allows(action):
            return False
        return not any(fnmatchcase(action, rule) or fnmatchcase(operation, rule) for rule in self.denied)


@dataclass(frozen=True)
class Agency:
    """Something that can be assumed; the temporary keys act with its limits."""

    name: str
    denied: tuple[str, ...]


@dataclass
class Token:
    """A token with its scope; `project_id` is None for a token of the whole account. Only IAM takes one `elsewhere`."""

    user: User
    project_id: str | None
    expires_at: float
    elsewhere: bool = False


@dataclass
class AccessKey:
    """An access key; temporary ones have a security token and an end."""

    access: str
    secret: str
    user: User
    security_token: str | None = None
    expires_at: float | None = None
    failures: int = 0
    locked_until: float = 0.0


@dataclass
class Identity:
    """All users, agencies, tokens and keys of the account."""

    users: list[User]
    agencies: list[Agency]
    tokens: dict[str, Token] = field(default_factory=dict)
    keys: dict[str, AccessKey] = field(default_factory=dict)
    metadata_tokens: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for user in self.users:
            self.keys[user.access_key] = AccessKey(user.access_key, user.secret_key, user)

    def issue_token(self, user: User, project_id: str | None, expires_at: float) -> str:
        """A new token."""
        text = "MII" + secrets.token_urlsafe(180)
        self.tokens[text] = Token(user, project_id, expires_at)
        return text

    def issue_key(self, user: User, expires_at: float, policy: Policy | None = None) -> AccessKey:
        """New temporary keys, which may do what the user may and the policy allows."""
        if policy is not None:
            user = replace(user, policy=policy)
        letters = string.ascii_uppercase + string.digits
        access = "".join(secrets.choice(letters) for _unused in range(20))
        key = AccessKey(access, secrets.token_urlsafe(30), user, secrets.token_urlsafe(120), expires_at)
        self.keys[access] = key
        return key

    def expire_all(self, now: float) -> int:
        """End every token and temporary key now; returns how many had not ended yet."""
        ended = 0
        for token in self.tokens.values():
            if token.expires_at > now:
                token.expires_at = now
                ended += 1
        for key in self.keys.values():
            if key.expires_at is not None and key.expires_at > now:
                key.expires_at = now
                ended += 1
        return ended

    def delegate(self, agency: Agency) -> User:
        """The user as whom an agency's temporary keys act."""
        first = self.users[0]
        return User(
            id=first.id,
            name=agency.name,
            password="",
            access_key="",
            secret_key="",
            totp=None,
            denied=agency.denied,
            projects=first.projects,
        )
