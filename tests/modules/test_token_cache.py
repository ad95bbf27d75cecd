# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token that is kept between tasks: only when asked for, only for its owner, and never a reason to fail."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import stat
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.harness.modules import run_module
from tests.harness.playbooks import local_play, run_playbook
from tests.harness.profiles import Home, cloud_entry
from tests.proof.racer import Racers

SIGN_IN, ASSUME, PROJECTS = "KeystoneCreateUserTokenByPassword", "CreateTemporaryAccessKey", "KeystoneListProjects"
INFO, JOBS = "dds_scheduled_job_info", "ListScheduledTasks"
CANCEL, PENDING_1H = "dds_scheduled_job", "83717e93-eb0c-81dc-8119-499a03290d3d"
RACERS = 8


class Cache:
    """Tasks that keep their token, in a home folder of their own."""

    def __init__(self, sim: Any, home: Home) -> None:
        self.sim = sim
        self.home = home
        self.folder = home.folder / "cache" / "hwcloud.maintenance"
        self.environ = home.environ
        self.user = {"username": sim.username, "password": sim.password, "domain_name": sim.domain_name}

    @property
    def options(self) -> dict[str, Any]:
        return {
            "region": self.sim.region,
            "project_id": self.sim.project_id,
            "endpoints": {"dcs": self.sim.url, "dds": self.sim.url, "iam": self.sim.url},
            "token_cache": True,
            **self.user,
        }

    def run(self, module: str = INFO, **changes: Any) -> tuple[dict[str, Any], list[str]]:
        """The result of a task, and the operations that it asked for; None leaves an option out."""
        before = len(self.sim.journal())
        options = {name: value for name, value in {**self.options, **changes}.items() if value is not None}
        if module == CANCEL:
            options["job_ids"] = [PENDING_1H]
        result = run_module(module, options, environ=self.environ)
        return result, self.sim.operations()[before:]

    def work(self, operations: list[str], module: str = INFO, **changes: Any) -> dict[str, Any]:
        """Run a task; it must succeed with these requests and without a warning."""
        result, asked = self.run(module, **changes)
        assert "failed" not in result, result
        assert asked == operations
        assert "warnings" not in result, result
        return result

    def files(self) -> list[Path]:
        """All files in either place for caches that are not empty."""
        found = [path for name in ("cache", ".cache") for path in (self.home.folder / name).rglob("*")]
        return sorted(path for path in found if path.is_file() and path.stat().st_size)

    @property
    def file(self) -> Path:
        """The one file."""
        (found,) = self.files()
        return found

    def rewrite(self, **changes: Any) -> None:
        """Change what is in the file; C(...) leaves a key out."""
        content = {**json.loads(self.file.read_text()), **changes}
        self.file.write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))


@pytest.fixture
def cache(sim, tmp_path) -> Cache:
    """Nothing is kept yet."""
    return Cache(sim, Home(tmp_path / "home"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def check_file(cache: Cache) -> None:
    """There is one file as it is promised."""
    file = cache.file
    assert file.parent == cache.folder
    assert re.fullmatch(r"token-[0-9a-f]{64}\.json", file.name)
    assert not file.is_symlink()
    assert (mode(file), mode(cache.folder)) == (0o600, 0o700)
    content = json.loads(file.read_text())
    assert set(content) == {"token", "project_id", "expires_at"}
    assert content["token"] in cache.sim._server.cloud.identity.tokens
    # Nothing that was written on the way is left over.
    assert len(list(cache.folder.iterdir())) == 1, list(cache.folder.iterdir())


# --- What it is for --------------------------------------------------------------------------------------------------

PROJECTS_BY = {
    "id": {},
    "region": {"project_id": None},
    "name": {"project_id": None, "project_name": "sim-region-1_staging"},
}


@pytest.mark.parametrize("project", PROJECTS_BY)
@pytest.mark.parametrize("module", [INFO, CANCEL])
def test_the_second_task_does_not_sign_in(cache, project, module):
    options = PROJECTS_BY[project]
    cache.work([SIGN_IN, JOBS], **options)
    check_file(cache)
    if project == "name":
        cache.work([JOBS], **options)
        return
    work = [JOBS] if module == INFO else [JOBS, "CancelScheduledTask", JOBS]
    cache.work(work, module, **options)
    cache.work([JOBS], module, **options)
    check_file(cache)


@pytest.mark.parametrize("given", ["option", "variable"])
def test_it_must_be_asked_for(cache, given):
    cache.work([SIGN_IN, JOBS], token_cache=None)
    cache.work([SIGN_IN, JOBS], token_cache=False)
    assert cache.files() == []
    assert not cache.folder.exists()
    if given == "variable":
        cache.environ["HWCLOUD_TOKEN_CACHE"] = "true"
        cache.work([SIGN_IN, JOBS], token_cache=False)
        assert cache.files() == []
        cache.work([SIGN_IN, JOBS], token_cache=None)
    else:
        cache.work([SIGN_IN, JOBS])
    check_file(cache)


def test_a_file_that_lies_there_is_not_read_unless_it_is_asked_for(cache):
    cache.work([SIGN_IN, JOBS])
    cache.work([SIGN_IN, JOBS], token_cache=False)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_can_read_it_whatever_the_mask(cache, umask):
    before = os.umask(umask)
    try:
        cache.work([SIGN_IN, JOBS])
    finally:
        os.umask(before)
    check_file(cache)


def test_without_a_cache_folder_of_the_desktop_it_is_in_the_home(cache):
    cache.environ["XDG_CACHE_HOME"] = ""
    cache.work([SIGN_IN, JOBS])
    assert cache.file.parent == cache.home.folder / ".cache" / "hwcloud.maintenance"
    cache.work([JOBS])


def test_a_folder_that_is_named_relative_to_nowhere_is_none(cache, monkeypatch, tmp_path):
    """The rules of the desktop want the path to be absolute; else the token would lie wherever the task runs."""
    here = tmp_path / "checkout"
    here.mkdir()
    monkeypatch.chdir(here)
    cache.environ["XDG_CACHE_HOME"] = "cache"
    cache.work([SIGN_IN, JOBS])
    assert list(here.iterdir()) == []
    assert cache.file.parent == cache.home.folder / ".cache" / "hwcloud.maintenance"


def test_a_kept_token_is_as_secret_as_a_new_one(cache):
    cache.work([SIGN_IN, JOBS])
    token = json.loads(cache.file.read_text())["token"]
    echo = {"status": 403, "body": {"error_code": "DBS.280063", "error_msg": f"You sent {token} to us"}}
    cache.sim.faults([{"operation": JOBS, "fault": echo}])
    result, asked = cache.run()
    assert asked == [JOBS]
    assert result["failure"]["code"] == "DBS.280063"
    assert token[:20] not in json.dumps(result)


def test_by_real_ansible_playbook(sim, tmp_path):
    """Two plays of two tasks each, on two hosts at once: one sign-in for them all."""
    cache = Cache(sim, Home(tmp_path))
    tasks = [{"name": f"task {number}", f"hwcloud.maintenance.{INFO}": {}} for number in range(2)]
    play = local_play(
        tasks,
        cache.options,
        hosts="all",
        connection="local",
        vars={"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    )
    variables = {"XDG_CACHE_HOME": cache.environ["XDG_CACHE_HOME"]}
    run = run_playbook(tmp_path, [play, play], "--inventory", "one,two,", "-vvvvv", environ=variables)
    assert run.returncode == 0, run.output
    assert len(run.results) == 8
    assert sim.operations().count(SIGN_IN) == 1
    check_file(cache)
    assert json.loads(cache.file.read_text())["token"] not in run.output
    assert sim.password not in run.output


def test_what_is_in_it(cache):
    """No password, and nothing from which one could be guessed without asking the cloud."""
    sentinel = "SENTINEL%/+pass=word"
    user = {"name": "sentinel-user", "password": sentinel, "access_key": "A" * 20, "secret_key": "x" * 20}
    cache.sim.reset({"users": [user], "dds_instances": [{"name": "one"}]})
    cache.user.update(username="sentinel-user", password=sentinel, domain_name=cache.sim.domain_name)
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    everything = f"{cache.file.relative_to(cache.home.folder)} {cache.file.read_text()}"
    for word in ("SENTINEL", "sentinel", cache.sim.domain_name, "pass"):
        assert word not in everything
    content = json.loads(cache.file.read_text())
    assert content["project_id"] == cache.sim.project_id
    assert content["expires_at"].startswith(str(datetime.now(timezone.utc).year)[:2])
    # The name does not depend on the password, so that nobody can try passwords on it.
    name = cache.file.name
    cache.file.unlink()
    cache.sim.reset({"users": [{**user, "password": "another"}], "dds_instances": [{"name": "one"}]})
    cache.work([SIGN_IN, JOBS], password="another")
    assert cache.file.name == name


@pytest.mark.parametrize(
    "values", ["access key", "temporary key", "token", "machine", "agency with an access key", "SDK profile"]
)
def test_only_a_password_is_worth_it(cache, values):
    """All else costs no sign-in, or has keys that are not for a file."""
    identity = cache.sim._server.cloud.identity
    user, ends = identity.users[0], time.time() + 3600
    key = {"access_key": user.access_key, "secret_key": user.secret_key}
    agency = {"agency_name": "maintenance-agency", "agency_domain_name": cache.sim.domain_name}
    temporary = identity.issue_key(user, ends)
    options = {
        "access key": key,
        "temporary key": {
            "access_key": temporary.access,
            "secret_key": temporary.secret,
            "security_token": temporary.security_token,
        },
        "token": {"auth_token": identity.issue_token(user, cache.sim.project_id, ends)},
        "machine": {
            "auth_method": "machine",
            "endpoints": dict.fromkeys(("dcs", "dds", "iam", "metadata"), cache.sim.url),
        },
        "agency with an access key": {**key, **agency},
        "SDK profile": {"auth_method": "profile"},
    }[values]
    if values == "SDK profile":
        cache.home.sdk(key)
    cache.user = {}
    result, _asked = cache.run(**options)
    assert "failed" not in result
    assert "warnings" not in result
    assert not cache.folder.exists()


def test_a_password_of_a_profile_is_worth_it_too(cache):
    cache.home.clouds({"one": cloud_entry(cache.user)})
    cache.user = {"cloud": "one"}
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    cache.work([JOBS])


def test_with_an_agency_the_token_of_the_account_is_kept(cache):
    """The keys of the agency are obtained anew each time."""
    agency = {"agency_name": "maintenance-agency", "agency_domain_name": cache.sim.domain_name}
    cache.work([SIGN_IN, ASSUME, JOBS], **agency)
    check_file(cache)
    assert json.loads(cache.file.read_text())["project_id"] is None
    cache.work([ASSUME, JOBS], **agency)
    cache.work([ASSUME, PROJECTS, JOBS], **agency, project_id=None)
    # A token of the account is none for a project.
    cache.work([SIGN_IN, JOBS])
    assert len(cache.files()) == 2


def test_with_an_agency_a_kept_token_that_has_ended_is_renewed(cache):
    agency = {"agency_name": "maintenance-agency", "agency_domain_name": cache.sim.domain_name}
    cache.work([SIGN_IN, ASSUME, JOBS], **agency)
    cache.sim.expire_tokens()
    cache.work([ASSUME, SIGN_IN, ASSUME, JOBS], **agency)
    cache.work([ASSUME, JOBS], **agency)
    # And when everything ends in the middle of a task.
    cache.sim.events([{"before": JOBS, "do": [{"tokens": "expire"}]}])
    result, asked = cache.run(**agency)
    assert "failed" not in result, result
    assert asked == [ASSUME, JOBS, ASSUME, SIGN_IN, ASSUME, JOBS]
    cache.work([ASSUME, JOBS], **agency)


def test_a_passcode_saves_the_tasks_that_follow(cache):
    """A passcode is good for one sign-in, so that without the file only one task could work with it."""
    guarded = cache.sim._server.cloud.identity.users[2]
    cache.user = {"user_id": guarded.id, "password": guarded.password, "passcode": guarded.totp}
    cache.work([SIGN_IN, JOBS])
    assert "123456" not in cache.file.read_text()
    cache.work([JOBS])
    cache.work([JOBS], passcode="654321")
    cache.work([JOBS], passcode=None)
    # The kept token has ended, and this passcode has not been used yet.
    cache.sim.expire_tokens()
    cache.work([JOBS, SIGN_IN, JOBS])
    # Now it has been.
    cache.file.unlink()
    cache.sim.events([{"before": JOBS, "do": [{"tokens": "expire"}]}])
    result, asked = cache.run()
    assert result["failure"]["http_status"] == 401
    assert asked == [SIGN_IN, JOBS]


# --- Whose it is -----------------------------------------------------------------------------------------------------


def others(cache: Cache) -> dict[str, dict[str, Any]]:
    """Tasks that must not use the token of the first one, by what is different."""
    port = cache.sim.url.rpartition(":")[2]
    services = {"dcs": cache.sim.url, "dds": cache.sim.url}
    operator = cache.sim._server.cloud.identity.users[0]
    return {
        "user": {"username": "auditor", "password": "Simulator-Password-2!"},
        "user by id": {"username": None, "domain_name": None, "user_id": operator.id},
        "account by id": {"domain_name": None, "domain_id": cache.sim._server.cloud.world.domain_id},
        "project": {"project_id": cache.sim.projects[1]},
        "project by name": {"project_id": None, "project_name": "sim-region-1_staging"},
        "address of IAM": {"endpoints": {**services, "iam": f"http://localhost:{port}"}},
    }


@pytest.mark.parametrize(
    "what", ["user", "user by id", "account by id", "project", "project by name", "address of IAM"]
)
def test_another_one_does_not_share_it(cache, what):
    cache.work([SIGN_IN, JOBS])
    first = cache.file.read_text()
    other = others(cache)[what]
    cache.work([SIGN_IN, JOBS], **other)
    assert len(cache.files()) == 2
    assert first in [file.read_text() for file in cache.files()]
    cache.work([JOBS], **other)
    cache.work([JOBS])


def test_another_home_does_not_share_it(cache, tmp_path):
    cache.work([SIGN_IN, JOBS])
    other = Cache(cache.sim, Home(tmp_path / "other"))
    other.work([SIGN_IN, JOBS])


def test_the_same_address_in_another_form_is_the_same(cache):
    cache.work([SIGN_IN, JOBS])
    services = {"dcs": cache.sim.url, "dds": cache.sim.url}
    cache.work([JOBS], endpoints={**services, "iam": f"{cache.sim.url}/v3/"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_file_of_another_user_of_the_machine_is_not_used(cache):
    cache.work([SIGN_IN, JOBS])
    os.chown(cache.file, 12345, 12345)
    cache.work([SIGN_IN, JOBS])
    assert cache.file.stat().st_uid == os.geteuid()
    cache.work([JOBS])


# --- When it is of no use ----------------------------------------------------------------------------------------------


def moment(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


@pytest.mark.parametrize("seconds", [-86400, -1, 0, 60])
def test_a_token_that_has_ended_or_is_about_to_is_not_used(cache, seconds):
    cache.work([SIGN_IN, JOBS])
    cache.rewrite(expires_at=moment(seconds))
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    cache.work([JOBS])


def test_a_token_that_lasts_for_a_while_is_used(cache):
    cache.work([SIGN_IN, JOBS])
    cache.rewrite(expires_at=moment(3000))
    cache.work([JOBS])


def test_a_token_whose_end_is_near_when_it_is_issued_is_of_no_use_to_the_next_task(cache):
    cache.sim.switches({"token_ttl": 30})
    cache.work([SIGN_IN, JOBS])
    cache.work([SIGN_IN, JOBS])


@pytest.mark.parametrize("project", PROJECTS_BY)
@pytest.mark.parametrize("when", ["before the task", "in the middle"])
def test_a_token_that_is_refused_is_dropped_and_renewed_once(cache, project, when):
    """Also when IAM ends it early, as after a change of the password or of permissions."""
    options = PROJECTS_BY[project]
    cache.work([SIGN_IN, JOBS], **options)
    old = cache.file.read_text()
    if when == "before the task":
        cache.sim.expire_tokens()
    else:
        cache.sim.events([{"before": JOBS, "do": [{"tokens": "expire"}]}])
    result = cache.work([JOBS, SIGN_IN, JOBS], **options)
    assert len(result["retried"]) == 1
    assert old not in [file.read_text() for file in cache.files()]
    # Nobody meets the refused one again.
    cache.work([JOBS], **options)
    check_file(cache)


def test_a_refused_token_that_cannot_be_renewed_is_told_as_such(cache):
    cache.work([SIGN_IN, JOBS])
    cache.sim.expire_tokens()
    result, asked = cache.run(password="not-the-password")
    assert asked == [JOBS, SIGN_IN]
    assert result["failure"]["http_status"] == 401
    assert result["failure"]["operation"] == SIGN_IN


def test_a_newer_token_of_another_task_is_used_instead(cache):
    """While this task worked, the token ended, and another task has signed in and kept its own."""
    cache.work([SIGN_IN, JOBS])
    identity = cache.sim._server.cloud.identity
    old = cache.file.read_text()
    cache.sim.expire_tokens()
    cache.work([JOBS, SIGN_IN, JOBS])
    new = cache.file.read_text()
    cache.file.write_text(old)
    original = identity.tokens[json.loads(old)["token"]]

    class Watching(dict):
        """Puts the newer file in place the moment that the old token is looked at."""

        def get(self, text: str, default: Any = None) -> Any:
            if text == json.loads(old)["token"]:
                cache.file.write_text(new)
            return super().get(text, default)

    identity.tokens = Watching(identity.tokens)
    assert original in identity.tokens.values()
    cache.work([JOBS, JOBS])
    assert cache.file.read_text() == new


DAMAGED: dict[str, Any] = {
    "nothing": b"",
    "half": b'{"token": "x", "proj',
    "a list": b"[]",
    "null": b"null",
    "a text": b'"text"',
    "a number": b"5",
    "a number that is too long": b"1" * 5000,
    "very deep": b"[" * 100_000,
    "not UTF-8": b'{"token": "\xff\xfe"}',
    "zeros": bytes(4096),
    "no token": {"token": ...},
    "no project": {"project_id": ...},
    "no end": {"expires_at": ...},
    "another key": {"x": 1},
    **{
        f"{key} is {kind}": {key: value}
        for key in ("token", "project_id", "expires_at")
        for kind, value in {"a number": 5, "a list": ["x"], "a mapping": {"x": 1}, "empty": "", "true": True}.items()
    },
    "token is null": {"token": None},
    "the end is null": {"expires_at": None},
    "the end is no time": {"expires_at": "soon"},
    "the end is no date": {"expires_at": "2999-99-99T00:00:00Z"},
    "a header in the token": {"token": "x\r\nX-Evil: 1"},
    "a token that is no ASCII": {"token": "é"},
    "a path in the project": {"project_id": "../../x"},
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_ignored_and_replaced(cache, name):
    cache.work([SIGN_IN, JOBS])
    if isinstance(DAMAGED[name], bytes):
        cache.file.write_bytes(DAMAGED[name])
        if not DAMAGED[name]:
            assert cache.files() == []
    else:
        cache.rewrite(**DAMAGED[name])
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    cache.work([JOBS])


@pytest.mark.parametrize("bits", [0o644, 0o640, 0o604, 0o660, 0o666, 0o777, 0o610])
def test_a_file_that_others_may_read_is_ignored_and_replaced(cache, bits):
    """What others can read may have been used by them; what they can write may be theirs."""
    cache.work([SIGN_IN, JOBS])
    cache.file.chmod(bits)
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    cache.work([JOBS])


def test_a_symbolic_link_is_ignored_and_replaced(cache, tmp_path):
    cache.work([SIGN_IN, JOBS])
    target = tmp_path / "elsewhere"
    place = cache.file
    content = place.read_text()
    place.rename(target)
    place.symlink_to(target)
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    assert target.read_text() == content, "what the link points to is left alone"
    cache.work([JOBS])


def test_a_symbolic_link_to_nowhere_is_replaced(cache, tmp_path):
    cache.work([SIGN_IN, JOBS])
    place = cache.file
    place.unlink()
    place.symlink_to(tmp_path / "nowhere")
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_in_its_place_fails_no_task(cache):
    cache.work([SIGN_IN, JOBS])
    place = cache.file
    place.unlink()
    (place / "inside").mkdir(parents=True)
    for _task in range(2):
        result, asked = cache.run()
        assert "failed" not in result, result
        assert asked == [SIGN_IN, JOBS]
        assert len(result.get("warnings", [])) <= 1
    assert list(cache.folder.iterdir()) == [place], "nothing that was written on the way is left over"


def test_a_pipe_in_its_place_holds_up_no_task(cache):
    """Opening one waits for a writer, for ever."""
    cache.work([SIGN_IN, JOBS])
    place = cache.file
    place.unlink()
    os.mkfifo(place, 0o600)

    def write_in_the_end() -> None:
        os.close(os.open(place, os.O_RDWR))

    rescue = threading.Timer(5, write_in_the_end)
    rescue.start()
    start = time.monotonic()
    result, asked = cache.run()
    seconds = time.monotonic() - start
    rescue.cancel()
    assert "failed" not in result
    assert asked == [SIGN_IN, JOBS]
    assert seconds < 4
    check_file(cache)


def blocked_folder(cache: Cache, kind: str) -> None:
    """Make the folder of the cache one in which nothing can be kept."""
    root = cache.home.folder / "cache"
    if kind == "a file in its place":
        root.mkdir()
        cache.folder.write_text("")
    elif kind == "a file above it":
        root.write_text("")
    elif kind == "a loop":
        root.symlink_to(root)
    elif kind == "no place at all":
        cache.environ["XDG_CACHE_HOME"] = "/dev/null/cache"
    elif kind == "a pipe in its place":
        root.mkdir()
        os.mkfifo(cache.folder)
    else:
        root.mkdir()
        root.chmod(0o500)


@pytest.mark.parametrize(
    "kind",
    ["a file in its place", "a pipe in its place", "a file above it", "a loop", "no place at all"]
    + ([] if os.geteuid() == 0 else ["no permission"]),
)
def test_a_folder_that_cannot_be_written_fails_no_task(cache, kind):
    """It is a convenience; one warning says why it does not help."""
    blocked_folder(cache, kind)
    for module, work in ((INFO, [JOBS]), (CANCEL, [JOBS, "CancelScheduledTask", JOBS])):
        result, asked = cache.run(module)
        assert "failed" not in result, result
        assert asked == [SIGN_IN, *work]
        (warning,) = result["warnings"]
        assert "hwcloud.maintenance" in warning
        assert cache.sim.password not in json.dumps(result)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_fails_no_task(cache, monkeypatch):
    cache.work([SIGN_IN, JOBS])
    old = cache.file.read_text()
    cache.rewrite(expires_at=moment(-1))
    stale = cache.file.read_text()

    def full(*_arguments: Any, **_folders: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    result, asked = cache.run()
    assert "failed" not in result
    assert asked == [SIGN_IN, JOBS]
    assert cache.file.read_text() == stale != old
    assert len(list(cache.folder.iterdir())) == 1


@pytest.mark.parametrize("bits", [0o755, 0o777])
def test_a_folder_that_others_may_enter_is_closed_to_them(cache, bits):
    """They could put files in it, or hold up everybody by locking it."""
    cache.folder.mkdir(parents=True)
    cache.folder.chmod(bits)
    cache.work([SIGN_IN, JOBS])
    check_file(cache)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give folders away")
def test_a_folder_of_another_user_of_the_machine_is_not_used(cache):
    cache.folder.mkdir(parents=True)
    os.chown(cache.folder, 12345, 12345)
    for _task in range(2):
        result, asked = cache.run()
        assert "failed" not in result
        assert asked == [SIGN_IN, JOBS]
        (warning,) = result["warnings"]
        assert "somebody else" in warning
    assert list(cache.folder.iterdir()) == []


# --- What others could have put there -----------------------------------------------------------------------------------

OTHER = 12345
#: Only root may give files away.
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files and folders away")


def check_refused(cache: Cache, *parts: str) -> None:
    """Two tasks sign in, keep nothing, and say in one warning why."""
    for _task in range(2):
        result, asked = cache.run()
        assert "failed" not in result, result
        assert asked == [SIGN_IN, JOBS]
        (warning,) = result["warnings"]
        assert warning.startswith("The token ")
        assert warning.endswith(".")
        for part in parts:
            assert part in warning
    assert cache.files() == []


@pytest.mark.parametrize("whose", ["this user's", pytest.param("another user's", marks=NEEDS_ROOT)])
def test_a_symbolic_link_in_place_of_the_folder_is_not_followed(cache, tmp_path, whose):
    target = tmp_path / "target"
    target.mkdir()
    target.chmod(0o755)
    cache.folder.parent.mkdir()
    cache.folder.symlink_to(target)
    if whose != "this user's":
        os.lchown(cache.folder, OTHER, OTHER)
    check_refused(cache, str(cache.folder), "symbolic link")
    assert mode(target) == 0o755, "what the link points to is left alone"
    assert list(target.iterdir()) == []


@NEEDS_ROOT
@pytest.mark.parametrize("what", ["cache", "cache/inside"])
def test_a_symbolic_link_of_another_user_above_the_folder_is_not_followed(cache, tmp_path, what):
    target = tmp_path / "target"
    target.mkdir()
    link = cache.home.folder / what
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(target)
    os.lchown(link, OTHER, OTHER)
    cache.environ["XDG_CACHE_HOME"] = str(link)
    check_refused(cache, str(link), "somebody else's")
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("relative", [False, True])
def test_a_symbolic_link_of_this_user_above_the_folder_is_followed(cache, tmp_path, relative):
    target = tmp_path / "disk" / "cache"
    target.mkdir(parents=True)
    link = cache.home.folder / "cache"
    link.symlink_to(os.path.relpath(target, link.parent) if relative else target)
    for work in ([SIGN_IN, JOBS], [JOBS]):
        cache.work(work)
    (file,) = (target / "hwcloud.maintenance").iterdir()
    assert (mode(file), mode(file.parent)) == (0o600, 0o700)


@pytest.mark.parametrize("bits", [0o777, 0o757, pytest.param(0o770, marks=NEEDS_ROOT)])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_folder_that_others_may_replace_is_not_used(cache, bits, is_there):
    parent = cache.home.folder / "cache"
    parent.mkdir()
    if is_there:
        cache.folder.mkdir(mode=0o700)
    if bits == 0o770:
        os.chown(parent, os.geteuid(), OTHER)
    parent.chmod(bits)
    check_refused(cache, str(parent), "others may replace")


@NEEDS_ROOT
@pytest.mark.parametrize("depth", [0, 1])
def test_a_folder_below_one_of_another_user_is_not_used(cache, depth):
    parent = cache.home.folder / "cache"
    parent.mkdir()
    os.chown((parent, cache.home.folder)[depth], OTHER, OTHER)
    check_refused(cache, "somebody else's")


def test_a_folder_below_one_in_which_each_may_replace_only_own_files_is_used(cache):
    """As in /tmp."""
    parent = cache.home.folder / "cache"
    parent.mkdir()
    parent.chmod(0o1777)
    for work in ([SIGN_IN, JOBS], [JOBS]):
        cache.work(work)
    check_file(cache)


@pytest.mark.parametrize("is_own", [True, False])
def test_a_folder_that_the_group_of_only_this_user_may_change_is_used(cache, monkeypatch, is_own):
    """Many systems give each user a group of the same name, and let the group change what the user makes."""
    parent = cache.home.folder / "cache"
    parent.mkdir(mode=0o700)
    parent.chmod(0o775)
    known = pwd.getpwuid(os.geteuid())
    monkeypatch.setattr("os.fstat", _in_group(4242, parent, os.fstat))
    members = [] if is_own else [known.pw_name, "colleague"]
    monkeypatch.setattr("grp.getgrgid", lambda number: grp.struct_group((known.pw_name, "x", number, members)))
    if not is_own:
        check_refused(cache, "others may replace")
        return
    for work in ([SIGN_IN, JOBS], [JOBS]):
        cache.work(work)
    check_file(cache)


def _in_group(number: int, folder: Path, fstat: Any) -> Any:
    """What C(os.fstat) says of a folder if it is of this group."""

    def facts(file: int) -> os.stat_result:
        found: os.stat_result = fstat(file)
        if found.st_ino == folder.stat().st_ino:
            return os.stat_result((*found[:5], number, *found[6:]))
        return found

    return facts


def test_a_file_that_is_larger_than_a_token_is_not_read(cache):
    cache.work([SIGN_IN, JOBS])
    with cache.file.open("a") as stream:
        stream.write(" " * 70_000)
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    os.truncate(cache.file, 2**40)
    cache.work([SIGN_IN, JOBS])
    check_file(cache)
    cache.work([JOBS])


@pytest.mark.parametrize("length", [15, 65_537])
def test_what_is_no_token_by_its_length_is_not_used(cache, length):
    cache.work([SIGN_IN, JOBS])
    cache.rewrite(token="x" * length)
    cache.work([SIGN_IN, JOBS])
    check_file(cache)


def test_what_cannot_be_used_again_is_not_written(cache):
    cache.sim.switches({"token_ttl": 30})
    cache.work([SIGN_IN, JOBS])
    assert cache.files() == []


# --- No home folder ------------------------------------------------------------------------------------------------------


@pytest.fixture
def without_home(cache, monkeypatch, tmp_path) -> Cache:
    """HOME is not set, and the user is not known, as in a container that runs as any user."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    harness = "tests.harness.modules.clean_environment"
    cache.environ = {}
    monkeypatch.setattr(harness, lambda **more: {name: os.environ[name] for name in ("PATH",)} | cache.environ)

    def unknown(_number: int) -> Any:
        raise KeyError

    monkeypatch.setattr("pwd.getpwuid", unknown)
    return cache


@pytest.mark.parametrize("home", [None, "", "home", "."])
def test_without_a_home_folder_the_token_is_not_kept(without_home, home):
    if home is not None:
        without_home.environ["HOME"] = home
    without_home.environ["XDG_CACHE_HOME"] = "relative"
    check_refused(without_home, "home folder", "XDG_CACHE_HOME")
    assert list(Path.cwd().iterdir()) == []


def test_without_a_home_folder_the_place_for_caches_will_do(without_home):
    without_home.environ["XDG_CACHE_HOME"] = str(without_home.home.folder / "cache")
    without_home.work([SIGN_IN, JOBS])
    check_file(without_home)


def test_without_a_home_folder_nothing_is_said_where_nothing_would_be_kept(without_home):
    key = {"access_key": without_home.sim.access_key, "secret_key": without_home.sim.secret_key}
    without_home.user = {}
    without_home.work([JOBS], **key)


@pytest.mark.parametrize("home", [None, "", "home"])
def test_the_home_folder_is_that_of_the_user_where_the_variable_names_none(without_home, monkeypatch, home):
    if home is not None:
        without_home.environ["HOME"] = home
    entry = pwd.struct_passwd(("ops", "x", os.getuid(), os.getgid(), "", str(without_home.home.folder), "/bin/sh"))
    monkeypatch.setattr("pwd.getpwuid", lambda _number: entry)
    without_home.work([SIGN_IN, JOBS])
    assert without_home.file.parent == without_home.home.folder / ".cache" / "hwcloud.maintenance"


# --- Several at once -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    """Eight processes."""
    with Racers(RACERS) as running:
        yield running


class Race(Cache):
    """Eight tasks at once with one home; answers take a little, so that all have begun before one has its token."""

    def __init__(self, sim: Any, home: Home, racers: Racers) -> None:
        super().__init__(sim, home)
        self._racers = racers
        sim.switches({"latency_ms": 30})

    def all_at_once(self, **changes: Any) -> tuple[list[dict[str, Any]], list[str]]:
        """The results, and the operations that all of them asked for."""
        before = len(self.sim.journal())
        options = {name: value for name, value in {**self.options, **changes}.items() if value is not None}
        results = self._racers.run(INFO, options, self.environ)
        return results, self.sim.operations()[before:]

    def sign_in_once(self, **changes: Any) -> list[str]:
        """All succeed without a warning, and one of them signs in; what they asked for."""
        results, asked = self.all_at_once(**changes)
        assert [result["msg"] for result in results if "failed" in result] == []
        assert [result["warnings"] for result in results if "warnings" in result] == []
        assert asked.count(SIGN_IN) == 1
        check_file(self)
        return asked


@pytest.fixture
def race(sim, racers, tmp_path) -> Race:
    """A home folder in which nothing is kept yet."""
    return Race(sim, Home(tmp_path / "home"), racers)


@pytest.mark.slow
@pytest.mark.parametrize("project", ["id", "region"])
def test_eight_at_once_sign_in_once(race, project):
    for _round in range(3):
        asked = race.sign_in_once(**PROJECTS_BY[project])
        assert asked.count(JOBS) == RACERS
        race.file.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("project", ["id", "region"])
def test_eight_at_once_renew_once(race, project):
    """All find that the kept token has ended; one signs in, and the others use what it has kept."""
    race.sign_in_once(**PROJECTS_BY[project])
    for _round in range(3):
        race.sim.expire_tokens()
        race.sign_in_once(**PROJECTS_BY[project])


@pytest.mark.slow
@pytest.mark.parametrize("content", ["damaged", None])
def test_eight_at_once_with_a_file_of_no_use(race, content):
    race.sign_in_once()
    if content:
        race.file.write_text(content)
    else:
        race.file.chmod(0o644)
    race.sign_in_once()


@pytest.mark.slow
def test_a_sign_in_that_takes_long_holds_up_the_others_no_longer_than_their_deadline(race):
    """Whoever waits for the one who signs in does not wait for ever."""
    race.sim.faults([{"operation": SIGN_IN, "times": None, "fault": {"delay": 20}}])
    start = time.monotonic()
    results, _asked = race.all_at_once(deadline=3)
    assert time.monotonic() - start < 12
    assert {result["failure"]["code"] for result in results} == {"DeadlineExceeded"}
    assert race.files() == []


@pytest.mark.slow
def test_a_sign_in_that_fails_fails_them_all(race):
    """Each is told why; a password that was refused is not tried more often than there are tasks."""
    results, asked = race.all_at_once(password="not-the-password")
    assert {result["failure"]["http_status"] for result in results} == {401}
    assert asked == [SIGN_IN] * RACERS
    assert race.files() == []
