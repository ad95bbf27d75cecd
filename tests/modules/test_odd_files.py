# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that a user names by mistake, or that another user put there: without an end, too large, or below no home folder."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.profiles import CLOUDS_PATH, Home, cloud_entry, koocli_profile
from tests.harness.sources import JOBS, Task, right

KEY = {"access_key": "A" * 20, "secret_key": "s" * 40}
#: The variables that ask for each kind of profile file, with the name of the file in place of C({}).
PROFILES = {
    "profile": {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": "{}"},
    "koocli": {"HW_SHARED_CONFIG_FILE": "{}"},
    "clouds_yaml": {"OS_CLOUD": "one", "OS_CLIENT_CONFIG_FILE": "{}"},
}
#: Seconds after which what waits for a file is released, so that a mistake fails the test and does not hold it up.
RESCUE_AFTER = 20


@pytest.fixture
def task(sim, tmp_path, monkeypatch) -> Task:
    """A task in whose home there is nothing yet."""
    return Task(sim, Home(tmp_path / "home"), monkeypatch)


@pytest.fixture
def pipe(tmp_path) -> Iterator[Path]:
    """A pipe into which nothing is written: opening it waits for a writer."""
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    rescue = threading.Timer(RESCUE_AFTER, lambda: os.close(os.open(path, os.O_RDWR)))
    rescue.start()
    yield path
    rescue.cancel()


def asked_for(method: str, path: object) -> dict[str, str]:
    return {name: value.format(path) for name, value in PROFILES[method].items()}


@pytest.mark.parametrize("method", PROFILES)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_no_profile_file(task, method, device):
    task.environ.update(asked_for(method, device))
    message = task.refusal("InvalidProfile")
    assert device in message


@pytest.mark.parametrize("method", PROFILES)
def test_a_pipe_is_no_profile_file(task, method, pipe):
    task.environ.update(asked_for(method, pipe))
    assert "a device or a pipe" in task.refusal("InvalidProfile")


@pytest.mark.parametrize("method", PROFILES)
def test_a_pipe_as_option_is_no_profile_file(task, method, pipe):
    task.options.update(auth_method=method, profile="one", profile_file=str(pipe))
    assert "a device or a pipe" in task.refusal("InvalidProfile")


@pytest.mark.parametrize("method", PROFILES)
@pytest.mark.parametrize("size", [1024 * 1024 + 1, 2**40])
def test_a_file_that_is_too_large_is_no_profile_file(task, method, size):
    file = task.home.write("large", b"")
    os.truncate(file, size)
    task.environ.update(asked_for(method, file))
    assert "1024 KiB" in task.refusal("InvalidProfile")


def test_a_pipe_in_place_of_the_secrets_of_a_cloud_is_refused(task):
    task.home.clouds({"one": cloud_entry(KEY)})
    os.mkfifo((task.home.folder / CLOUDS_PATH).with_name("secure.yaml"), 0o600)
    task.environ["OS_CLOUD"] = "one"
    assert "secure.yaml" in task.refusal("InvalidProfile")


def test_a_symbolic_link_to_a_profile_file_is_followed(task):
    """Many keep such files elsewhere, and secrets that are mounted into a container are links."""
    file = task.home.sdk(right(task.sim, "access key"), path="elsewhere")
    link = task.home.folder / ".huaweicloud" / "credentials"
    link.parent.mkdir()
    link.symlink_to(file)
    result = task.run()
    assert "failed" not in result, result
    assert task.sim.operations() == [JOBS]


@pytest.mark.parametrize("method", PROFILES)
@pytest.mark.parametrize("user", ["", "no-such-user"])
def test_a_profile_file_in_a_home_folder_that_does_not_exist(task, monkeypatch, method, user):
    """Not looked for in the folder ~ of where the module runs, nor in the root."""
    if not user:
        task.environ["HOME"] = ""
        monkeypatch.setattr("pwd.getpwuid", _unknown)
    values = right(task.sim, "access key")
    writers = {
        "profile": lambda path: task.home.sdk(values, path=path),
        "koocli": lambda path: task.home.koocli(koocli_profile(values), path=path),
        "clouds_yaml": lambda path: task.home.clouds({"one": cloud_entry(values)}, path),
    }
    writers[method](Path.cwd() / f"~{user}" / "file")
    task.environ.update(asked_for(method, f"~{user}/file"))
    message = task.refusal("InvalidProfile")
    assert f"~{user}/file" in message
    assert "no such home folder" in message


@pytest.mark.parametrize("method", PROFILES)
def test_without_a_home_folder_the_usual_place_of_a_profile_file_is_none(task, monkeypatch, method):
    task.environ["HOME"] = ""
    monkeypatch.setattr("pwd.getpwuid", _unknown)
    task.options["auth_method"] = method
    task.environ["OS_CLOUD"] = "one"
    message = task.refusal("InvalidProfile")
    assert "~/." in message or "./clouds.yaml" in message


@pytest.mark.parametrize("home", ["home", "."])
def test_a_relative_home_folder_holds_no_profile_file(task, home):
    """Else credentials would be taken from the folder in which the module happens to run."""
    task.home.sdk(right(task.sim, "access key"), path=Path.cwd() / home / ".huaweicloud" / "credentials")
    task.environ["HOME"] = home
    task.refusal("MissingCredentials")


def test_a_profile_file_of_a_named_user(task, monkeypatch):
    task.home.sdk(right(task.sim, "access key"), path="file")
    entry = type("Entry", (), {"pw_dir": str(task.home.folder)})
    monkeypatch.setattr("pwd.getpwnam", lambda name: entry if name == "ops" else _unknown(name))
    task.environ.update(asked_for("profile", "~ops/file"))
    result = task.run()
    assert "failed" not in result, result


def _unknown(_user: object) -> Any:
    raise KeyError


# --- Certificates ------------------------------------------------------------------------------------------------------

#: Each option, and the variable that stands in for it.
CERTIFICATES = {"ca_path": "OS_CACERT", "client_cert": "OS_CERT", "client_key": "OS_KEY"}


def name_file(task: Task, option: str, given_by: str, path: object) -> None:
    """Name this file in a task that has credentials."""
    task.options.update(right(task.sim, "access key"))
    named = {option: str(path)}
    if option == "client_key":
        named["client_cert"] = str(task.home.write("client.pem", "no certificate"))
    for name, value in named.items():
        if given_by == "option":
            task.options[name] = value
        else:
            task.environ[CERTIFICATES[name]] = value


@pytest.mark.parametrize("option", CERTIFICATES)
@pytest.mark.parametrize("given_by", ["option", "variable"])
@pytest.mark.parametrize("kind", ["device", "pipe", "large"])
def test_what_has_no_end_is_no_certificate(task, pipe, option, given_by, kind):
    large = task.home.write("large", b"")
    os.truncate(large, 2**40)
    path = {"device": "/dev/zero", "pipe": pipe, "large": large}[kind]
    name_file(task, option, given_by, path)
    message = task.refusal("InvalidOption")
    assert message.startswith(f"{option} must be a file")
    # Found before anything reads it, which would take for ever.
    assert message.endswith(f"{str(path)!r} is none.")
    assert "PEM form" not in message


@pytest.mark.parametrize("option", CERTIFICATES)
@pytest.mark.parametrize("given_by", ["option", "variable"])
@pytest.mark.parametrize("user", ["", "no-such-user"])
def test_a_certificate_in_a_home_folder_that_does_not_exist(task, monkeypatch, option, given_by, user):
    """The sentence is that for a file which does not exist, also where the current folder has one of that name."""
    monkeypatch.setattr("pwd.getpwuid", _unknown)
    monkeypatch.setattr(
        "tests.harness.modules.clean_environment", lambda **more: {name: more[name] for name in more if name != "HOME"}
    )
    path = f"~{user}/file.pem"
    task.home.write(Path.cwd() / path, "-----BEGIN CERTIFICATE-----\n")
    name_file(task, option, given_by, path)
    message = task.refusal("InvalidOption")
    assert message.startswith(f"{option} must be a file")
    assert message.endswith(f"{path!r} does not exist.")
