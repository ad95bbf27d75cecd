# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing in with a user and a password: a token of IAM, and the file in which it may be kept between tasks."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import typing as t
from datetime import datetime, timedelta, timezone

from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import is_identifier
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import AnswerError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import parse_api_time
from ansible_collections.hwcloud.maintenance.plugins.module_utils._signer import is_secret

CREATE_TOKEN = Operation("KeystoneCreateUserTokenByPassword", "iam", "POST", "/v3/auth/tokens")

#: A token that ends sooner is not used any more.
_TIME_LEFT = timedelta(minutes=5)


def lacking(values: t.Container[str]) -> list[str]:
    """What is missing: a user is known by id, or by name and account; a passcode needs the id (contract 6.1)."""
    domain = "domain_id" if "domain_id" in values else "domain_name"
    by_id = "user_id" in values or "passcode" in values
    needed = ("user_id", "password") if by_id else ("username", "password", domain)
    return [name for name in needed if name not in values]


class Token(t.NamedTuple):
    """A token, its project (None for one of the account), and its end as IAM writes it."""

    token: str
    project_id: str | None
    expires_at: str | None


def sign_in(client: Client, base_url: str, values: t.Mapping[str, str], scope: dict[str, t.Any]) -> Token:
    """A new token for a project or an account; AnswerError for an answer without it."""
    domain = {"id": values["domain_id"]} if "domain_id" in values else {"name": values.get("domain_name")}
    user = {"id": values["user_id"]} if "user_id" in values else {"name": values["username"], "domain": domain}
    identity = {"methods": ["password"], "password": {"user": {**user, "password": values["password"]}}}
    if "passcode" in values:
        identity["methods"] = ["password", "totp"]
        identity["totp"] = {"user": {**user, "passcode": values["passcode"]}}
    answer = client.request(
        CREATE_TOKEN,
        base_url,
        query={"nocatalog": "true"},
        body={"auth": {"identity": identity, "scope": scope}},
    )
    token = answer.headers.get("X-Subject-Token") or ""
    said = answer.data.get("token") if isinstance(answer.data, dict) else None
    said = said if isinstance(said, dict) else {}
    project = said.get("project")
    project_id = project.get("id") if isinstance(project, dict) else None
    if not is_secret(token) or ("project" in scope and not is_identifier(project_id)):
        raise CREATE_TOKEN.error(AnswerError, "Signing in was answered without a token for a project.")
    return Token(token, project_id, said.get("expires_at"))


class TokenCache:
    """Keeps the token of one identity in a file that only its owner can read."""

    def __init__(self, folder: str, identity: t.Any, warn: t.Callable[[str], None]) -> None:
        self._folder = folder
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._path = os.path.join(folder, f"token-{key}.json")
        self._warn = warn

    def token(self, client: Client, refused: str | None, fresh: t.Callable[[], Token]) -> Token:
        """The kept token, unless it is the C(refused) one, or a C(fresh) one, which one of parallel tasks fetches."""
        with contextlib.ExitStack() as stack:
            try:
                self._claim_folder()
                stack.enter_context(self._locked(client))
            except OSError as error:
                self._warn(f"The token cannot be kept in {self._folder}: {error.strerror}.")
                return fresh()
            kept = self._read()
            if kept is not None and kept.token != refused:
                return kept
            new = fresh()
            try:
                self._write(new)
            except OSError as error:
                self._warn(f"The token cannot be kept in {self._folder}: {error.strerror}.")
            return new

    def _claim_folder(self) -> None:
        """Make the folder ours alone; others could lock it, or put files in it."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        if os.stat(self._folder).st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "the folder is somebody else's")
        os.chmod(self._folder, 0o700)

    @contextlib.contextmanager
    def _locked(self, client: Client) -> t.Iterator[None]:
        import fcntl

        folder = os.open(self._folder, os.O_RDONLY)
        try:
            while client.remaining() > 0:
                try:
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    client.pause(0.05)
            yield
        finally:
            os.close(folder)

    def _read(self) -> Token | None:
        """What is kept, if it is ours alone, whole, and lasts for a while."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(file, encoding="utf-8") as stream:
                facts = os.fstat(file)
                if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
                    return None
                kept = Token(**json.load(stream))
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        ends = parse_api_time(kept.expires_at)
        in_order = is_secret(kept.token)
        if ends is None or ends - datetime.now(timezone.utc) < _TIME_LEFT or not in_order:
            return None
        return kept if kept.project_id is None or is_identifier(kept.project_id) else None

    def _write(self, token: Token) -> None:
        import tempfile

        # Mode 0600 from the start, and never half a file under the final name.
        file, path = tempfile.mkstemp(dir=self._folder, prefix=".token-")
        try:
            with open(file, "w", encoding="utf-8") as stream:
                json.dump(token._asdict(), stream)
            os.replace(path, self._path)
        except OSError:
            os.unlink(path)
            raise
