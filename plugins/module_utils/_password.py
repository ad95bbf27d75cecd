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

CREATE_TOKEN = Operation("KeystoneCreateUserTokenByPassword", "iam", "POST", "/v3/auth/tokens", secret=True)

#: A token that ends sooner is not used any more.
_TIME_LEFT = timedelta(minutes=5)

#: Bytes of a file with a token; the longest token that C(is_secret) takes, and some room for the rest.
_LARGEST = 65536 + 1024

_LINKS_MOST = 40


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
    # A token of an account is for none, whatever the answer says.
    project_id = project.get("id") if isinstance(project, dict) and "project" in scope else None
    if not is_secret(token) or ("project" in scope and not is_identifier(project_id)):
        raise CREATE_TOKEN.error(AnswerError, "Signing in was answered without a token for a project.")
    return Token(token, project_id, said.get("expires_at"))


class TokenCache:
    """Keeps the token of one identity in a file that only its owner can read."""

    def __init__(self, folder: str, identity: t.Any, warn: t.Callable[[str], None]) -> None:
        self._folder = folder
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._name = f"token-{key}.json"
        self._warn = warn

    def token(self, client: Client, refused: str | None, fresh: t.Callable[[], Token]) -> Token:
        """The kept token, unless it is the C(refused) one, or a C(fresh) one, which one of parallel tasks fetches."""
        with contextlib.ExitStack() as stack:
            try:
                folder = open_own_folder(self._folder)
                stack.callback(os.close, folder)
                _lock(folder, client)
            except OSError as error:
                self._warn(f"The token cannot be kept in {self._folder}: {error.strerror}.")
                return fresh()
            kept = self._read(folder)
            if kept is not None and kept.token != refused:
                return kept
            new = fresh()
            try:
                if _is_useful(new):
                    self._write(folder, new)
            except OSError as error:
                self._warn(f"The token cannot be kept in {self._folder}: {error.strerror}.")
            return new

    def _read(self, folder: int) -> Token | None:
        """What is kept, if it is ours alone, whole, no larger than a token can be, and lasts for a while."""
        try:
            file = os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
            with open(file, "rb") as stream:
                facts = os.fstat(file)
                if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
                    return None
                raw = stream.read(_LARGEST + 1)
            kept = Token(**json.loads(raw.decode())) if len(raw) <= _LARGEST else None
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return kept if kept is not None and _is_useful(kept) else None

    def _write(self, folder: int, token: Token) -> None:
        # Mode 0600 from the start, and never half a file under the final name.
        name = f".token-{os.urandom(8).hex()}"
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        try:
            with open(file, "w", encoding="utf-8") as stream:
                json.dump(token._asdict(), stream)
            os.replace(name, self._name, src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            os.unlink(name, dir_fd=folder)
            raise


def _is_useful(token: Token) -> bool:
    """Whether this can be a token, and lasts long enough for a task that reads it from the file."""
    if not is_secret(token.token) or not (token.project_id is None or is_identifier(token.project_id)):
        return False
    ends = parse_api_time(token.expires_at)
    return ends is not None and ends - datetime.now(timezone.utc) >= _TIME_LEFT


def _lock(folder: int, client: Client) -> None:
    """Wait until no other task signs in, or for the deadline; the lock ends when the folder is closed."""
    import fcntl

    while client.remaining() > 0:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            client.pause(0.05)
        else:
            return


# --- A folder that nobody else can replace ---


def open_own_folder(path: str) -> int:
    """A descriptor of this folder, made where it is missing, with mode 0700; OSError for one that others could replace.

    Each part of the path is opened relative to the one before, so that what was checked is what is used. A symbolic link is
    followed when this user or root made it, but the last part must not be one.
    """
    todo = [part for part in path.split("/") if part]
    # A folder that this user may pass, but not read, can be opened in this way only.
    passing = os.O_DIRECTORY | os.O_NOFOLLOW | getattr(os, "O_PATH", os.O_RDONLY)
    folder, where, links = os.open("/", passing), "/", 0
    try:
        while todo:
            part = todo.pop(0)
            _check_folder(folder, where)
            where = os.path.join(where, part)
            facts = _stat_or_make(part, folder)
            if stat.S_ISLNK(facts.st_mode):
                links += 1
                _check_link(facts, where, is_last=not todo, links=links)
                target = os.readlink(part, dir_fd=folder)
                todo[:0] = [step for step in target.split("/") if step]
                part, where = ("/", "/") if target.startswith("/") else (".", os.path.dirname(where))
            inner = os.open(part, passing if todo else os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        facts = os.fstat(folder)
        _check_owner(facts, where, os.geteuid())
        if stat.S_IMODE(facts.st_mode) != 0o700:
            os.fchmod(folder, 0o700)
    except BaseException:
        os.close(folder)
        raise
    return folder


def _stat_or_make(part: str, folder: int) -> os.stat_result:
    try:
        return os.stat(part, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        # Another task may make it at the same moment.
        with contextlib.suppress(FileExistsError):
            os.mkdir(part, 0o700, dir_fd=folder)
        return os.stat(part, dir_fd=folder, follow_symlinks=False)


def _check_folder(folder: int, where: str) -> None:
    """Refuse a folder in which a user other than root could replace something that is this user's."""
    facts = os.fstat(folder)
    _check_owner(facts, where, 0, os.geteuid())
    group, all_others, only_own = stat.S_IWGRP, stat.S_IWOTH, stat.S_ISVTX
    if facts.st_mode & only_own:
        return
    if facts.st_mode & all_others or (facts.st_mode & group and not _is_own_group(facts.st_gid)):
        raise PermissionError(errno.EPERM, f"others may replace what is in {where}")


def _check_link(facts: os.stat_result, where: str, *, is_last: bool, links: int) -> None:
    if is_last or links > _LINKS_MOST:
        raise OSError(errno.ELOOP, f"{where} is a symbolic link")
    _check_owner(facts, where, 0, os.geteuid())


def _check_owner(facts: os.stat_result, where: str, *owners: int) -> None:
    if facts.st_uid not in owners:
        raise PermissionError(errno.EPERM, f"{where} is somebody else's")


def _is_own_group(number: int) -> bool:
    """Whether only this user, and root, are in the group, as where each user has a group of the same name."""
    if number == 0:
        return True
    import grp
    import pwd

    try:
        group, user = grp.getgrgid(number), pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return group.gr_name == user and set(group.gr_mem) <= {user}
