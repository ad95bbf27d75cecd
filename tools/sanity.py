# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run every test of `ansible-test sanity` on the collection, without a single ignored finding.

    .venv/bin/python tools/sanity.py [--test NAME ...] [any other option of ansible-test sanity]

The tests run on a copy of what git tracks or would track, in the folder layout that ansible-test insists on, with the
ansible-core of the environment that runs this script. Tests that depend on a Python version run on each that is found.
ansible-test keeps its own virtual environments in the copy's neighbour `home`: only the first run installs them.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys

import ansible_test
from environment import CHECKOUT, interpreters

WORK = CHECKOUT / "build" / pathlib.Path(sys.prefix).name.replace(".venv", "sanity")
COPY = WORK / "ansible_collections" / "hwcloud" / "maintenance"
HOME = WORK / "home"

# Python versions of managed hosts and controllers that ansible-test may know; it skips, and says so, those not found.
VERSIONS = [(3, minor) for minor in range(9, 15)]

BOOTSTRAP = """\
import ensurepip

ensurepip.bootstrap()
"""


def tracked() -> list[str]:
    """Return the paths of all files that are, or would be, in git."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted({path for path in listing.split("\0") if os.path.lexists(CHECKOUT / path) and path})


def copy(paths: list[str]) -> None:
    """Copy the files to where ansible-test wants a collection, as a git repository of their own."""
    shutil.rmtree(COPY, ignore_errors=True)
    for path in paths:
        (COPY / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / path, COPY / path, follow_symlinks=False)
    subprocess.run(["git", "init", "--quiet", COPY], check=True)


def provide_pip() -> None:
    """Give ansible-test the pip that comes with Python.

    It would otherwise download a bootstrap script from a server of its own, which many networks do not let through, and
    whose name holds the pip version that this ansible-core wants. A script of that name in its cache is taken instead.
    """
    cache = HOME / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    source = pathlib.Path(ansible_test.__path__[0], "_internal", "python_requirements.py").read_text(encoding="utf-8")
    for version in re.findall(r"\bpip='([\d.]+)'", source):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(BOOTSTRAP, encoding="utf-8")


def surroundings() -> dict[str, str]:
    """Return the environment variables for ansible-test: its own home, and a PATH on which it finds every Python."""
    found = [next(interpreters(version), None) for version in VERSIONS]
    programs = [sys.executable, *(python.path for python in found if python)]
    folders = [str(pathlib.Path(program).parent) for program in programs]
    # A shim is no interpreter: it answers for versions that are not there.
    folders += [folder for folder in os.get_exec_path() if not folder.endswith("shims")]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "ANSIBLE_"))}
    return {**variables, "HOME": str(HOME), "PATH": os.pathsep.join(dict.fromkeys(folders))}


def main() -> int:
    """Copy, run, and return what ansible-test returned."""
    paths = tracked()
    ignored = [path for path in paths if path.startswith("tests/sanity/ignore")]
    if ignored:
        print(f"sanity.py: {ignored[0]} must not exist: findings are corrected here, not ignored.", file=sys.stderr)
        return 1
    copy(paths)
    provide_pip()
    command = ["ansible-test", "sanity", "--local", "--color", "no", *sys.argv[1:]]
    return subprocess.run(command, cwd=COPY, env=surroundings(), stdin=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
