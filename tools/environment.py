# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create the virtual environments that every `make` target runs in.

    python tools/environment.py newest|oldest [--python PATH] [--core VERSION]

`newest` is .venv: the newest ansible-core that the newest Python on this machine can run, with the tests and all
checking tools. `oldest` is .venv-oldest: the oldest ansible-core that the collection supports, on the oldest Python of
that release. Both hold a link that makes this checkout importable, and visible to Ansible, as the collection
hwcloud.maintenance.

An environment whose stamp is up to date is left alone; any other one is built anew. The stamp is written last, so that
an interrupted run never leaves something that looks finished. Needs only the standard library of Python 3.9.
"""

from __future__ import annotations

import argparse
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

CHECKOUT = pathlib.Path(__file__).resolve().parent.parent

# The user's own settings must not redirect what is installed here.
DISTURBING = (
    "PYTHONHOME",
    "PYTHONPATH",
    "PIP_PREFIX",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_TARGET",
    "PIP_USER",
    "VIRTUAL_ENV",
)

# ansible-core limits the release of this dependency of its own, so its pin goes where ansible-core's goes.
CORE_AND_ITS_OWN = ("ansible-core", "resolvelib")


@dataclasses.dataclass(frozen=True)
class Profile:
    """One environment: where it lives, what goes in, and which Python versions it accepts, the preferred one first."""

    folder: str
    requirements: str
    preferred: tuple[tuple[int, int], ...]
    accepted: tuple[tuple[int, int], ...]


PROFILES = {
    "newest": Profile(
        folder=".venv",
        requirements="requirements/newest.txt",
        preferred=((3, 14), (3, 13), (3, 12), (3, 11)),
        accepted=((3, 14), (3, 13), (3, 12), (3, 11)),
    ),
    "oldest": Profile(
        folder=".venv-oldest",
        requirements="requirements/oldest.txt",
        preferred=((3, 10),),
        accepted=((3, 10), (3, 11), (3, 12)),
    ),
}


@dataclasses.dataclass(frozen=True)
class Interpreter:
    """A Python that was asked, and answered, which version it is and where it really lives."""

    version: tuple[int, int]
    path: str


class Failure(Exception):
    """Why there is no environment, in one sentence for the person who typed `make`."""


def ask(path: str) -> Interpreter | None:
    """Return the interpreter behind `path`, following shims and virtual environments to the real one."""
    question = "import sys; print(*sys.version_info[:2], getattr(sys, '_base_executable', sys.executable), sep='\\n')"
    try:
        answer = subprocess.run(
            [path, "-I", "-c", question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        major, minor, base = answer.stdout.splitlines()
        return Interpreter((int(major), int(minor)), base)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def places() -> list[pathlib.Path]:
    """Return the folders in which Python interpreters are commonly found."""
    home = pathlib.Path.home()
    folders = [pathlib.Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for root in (
        pathlib.Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions",
        home / ".local/share/uv/python",
    ):
        folders += sorted(root.glob("*/bin"), reverse=True)
    folders += [pathlib.Path("/usr/local/bin"), pathlib.Path("/usr/bin")]
    folders += sorted(pathlib.Path("/opt").glob("*/bin"), reverse=True)
    folders += sorted(pathlib.Path("/opt/python").glob("*/bin"), reverse=True)
    return list(dict.fromkeys(folders))


def interpreters(version: tuple[int, int]) -> Iterator[Interpreter]:
    """Yield every distinct interpreter of this version that the machine has."""
    asked, answered = set(), set()
    for name in (f"python{dotted(version)}", "python3"):
        for folder in places():
            candidate = folder / name
            real = candidate.resolve()
            if real in asked or not os.access(candidate, os.X_OK):
                continue
            asked.add(real)
            found = ask(str(candidate))
            if found and found.version == version and found.path not in answered:
                answered.add(found.path)
                yield found


def candidates(profile: Profile, wanted: str) -> Iterator[Interpreter]:
    """Yield the interpreters to try for this profile, the best first: the one that was asked for, or all that fit."""
    if not wanted:
        for version in profile.preferred:
            yield from interpreters(version)
        return
    path = shutil.which(wanted)
    found = ask(path) if path else None
    if found is None:
        raise Failure(f"PYTHON={wanted} is not a Python interpreter that runs.")
    if found.version not in profile.accepted:
        raise Failure(
            f"PYTHON={wanted} is Python {dotted(found.version)}, but {profile.folder} needs {listed(profile.accepted)}."
        )
    yield found


def dotted(version: tuple[int, int]) -> str:
    """Spell a Python version as people do."""
    return "{}.{}".format(*version)


def listed(versions: tuple[tuple[int, int], ...]) -> str:
    """Spell a choice of Python versions as people do."""
    return " or ".join(dotted(version) for version in sorted(versions))


def run(*command: str | os.PathLike[str]) -> None:
    """Run a command that asks nothing and whose output is only of interest when it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in DISTURBING}
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    result = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        check=False,
    )
    if result.returncode:
        sys.stderr.write(result.stdout)
        raise subprocess.CalledProcessError(result.returncode, command)


def create(folder: pathlib.Path, profile: Profile, wanted: str) -> Interpreter:
    """Create an empty virtual environment with the first interpreter that manages to."""
    unable = []
    for interpreter in candidates(profile, wanted):
        remove(folder)
        print(f"{profile.folder}: creating it with {interpreter.path}, which takes a minute", flush=True)
        try:
            run(interpreter.path, "-m", "venv", folder)
            run(folder / "bin" / "python", "-m", "pip", "--version")
        except (OSError, subprocess.CalledProcessError):
            unable.append(interpreter.path)
            continue
        return interpreter
    remove(folder)
    if unable:
        raise Failure(
            f"{', '.join(unable)} cannot create virtual environments; install its venv and ensurepip modules."
        )
    raise Failure(
        f"{profile.folder} needs Python {listed(profile.preferred)}, and this machine has none:"
        " install one, or name one of your own with PYTHON=/path/to/python."
    )


def remove(folder: pathlib.Path) -> None:
    """Remove an environment; links in it are removed, never followed."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def pinned(profile: Profile, core: str) -> str:
    """Return the pins of this profile, with the release of ansible-core that was asked for in place of its own."""
    text = (CHECKOUT / profile.requirements).read_text(encoding="utf-8")
    if not core:
        return text
    kept = [line for line in text.splitlines() if re.split(r"[^\w.-]", line)[0] not in CORE_AND_ITS_OWN]
    # A release line, such as 2.20, means its newest release.
    return "\n".join([*kept, f"ansible-core=={core}" if core.count(".") > 1 else f"ansible-core~={core}.0"]) + "\n"


def install(folder: pathlib.Path, pins: str, everything_pinned: bool) -> None:
    """Install exactly the pins; dependencies are only looked up where something is not pinned."""
    python = folder / "bin" / "python"
    file = folder / "requirements.txt"
    file.write_text(pins, encoding="utf-8")
    only_pins = ["--no-deps"] if everything_pinned else []
    # Compiling is left to the first import: of the thousands of files in the cloud's SDK, the tests use few.
    run(python, "-m", "pip", "install", "--no-input", "--no-compile", "--progress-bar=off", *only_pins, "-r", file)
    run(python, "-m", "pip", "check")


def link_collection(folder: pathlib.Path) -> None:
    """Make the checkout importable as ansible_collections.hwcloud.maintenance, for Python, Ansible and mypy alike.

    The link lives outside site-packages because mypy refuses to check what it finds there.
    """
    link = folder / "collections" / "ansible_collections" / "hwcloud" / "maintenance"
    link.parent.mkdir(parents=True)
    link.symlink_to(os.path.relpath(CHECKOUT, link.parent))
    (site_packages,) = folder.glob("lib/python3.*/site-packages")
    (site_packages / "hwcloud_maintenance.pth").write_text(f"{folder / 'collections'}\n", encoding="utf-8")


def fingerprint(profile: Profile, wanted: str, core: str) -> str:
    """Return what the stamp of an up-to-date environment says."""
    digest = hashlib.sha256()
    # An environment that was copied along with the checkout still points to the old place, hence the path.
    for part in (
        str(CHECKOUT),
        wanted,
        core,
        pinned(profile, core),
        pathlib.Path(__file__).read_text(encoding="utf-8"),
    ):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()


def up_to_date(folder: pathlib.Path, expected: str) -> bool:
    """Tell whether the environment was finished from the same ingredients and its Python is still there."""
    try:
        return (folder / "stamp").read_text(encoding="utf-8") == expected and os.access(
            folder / "bin" / "python", os.X_OK
        )
    except OSError:
        return False


def build(profile: Profile, wanted: str, core: str) -> None:
    """Bring one environment up to date."""
    folder = CHECKOUT / profile.folder
    expected = fingerprint(profile, wanted, core)
    if up_to_date(folder, expected):
        return
    started = time.monotonic()
    interpreter = create(folder, profile, wanted)
    try:
        install(folder, pinned(profile, core), everything_pinned=not core)
    except subprocess.CalledProcessError as error:
        raise Failure(
            f"pip could not install {profile.requirements} on Python {dotted(interpreter.version)}: it says why above."
        ) from error
    link_collection(folder)
    (folder / "stamp").write_text(expected, encoding="utf-8")
    seconds = time.monotonic() - started
    print(f"{profile.folder}: ready after {seconds:.0f} s, {release(folder)}, Python {dotted(interpreter.version)}")


def release(folder: pathlib.Path) -> str:
    """Return the name and version of the ansible-core that is installed."""
    (found,) = folder.glob("lib/python3.*/site-packages/ansible_core-*.dist-info")
    return found.name[: -len(".dist-info")].replace("_core-", "-core ")


def main() -> None:
    """Read the command line, and let only one run at a time work on this checkout."""
    parser = argparse.ArgumentParser(description="Create the virtual environment that the make targets run in.")
    parser.add_argument("profile", choices=PROFILES)
    parser.add_argument("--python", default="", metavar="PATH", help="use this interpreter instead of looking for one")
    parser.add_argument(
        "--core", default="", metavar="VERSION", help="install this ansible-core, such as 2.20 or 2.20.3"
    )
    options = parser.parse_args()
    lock = os.open(CHECKOUT, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build(PROFILES[options.profile], options.python, options.core)
    except Failure as failure:
        sys.exit(f"environment.py: {failure}")
    finally:
        os.close(lock)


if __name__ == "__main__":
    main()
