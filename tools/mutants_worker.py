# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run pytest again and again for tools/mutants.py, each time in a fresh copy of this process, which has loaded all libraries.

Reads one JSON object a line: C(plan), for mutants_plugin.py; C(options) of pytest; C(seconds) that it may take; C(output), the
file for what it prints. Answers with one line: the exit status, or C(null) when the time was over.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import signal
import sys
import time

#: What nearly all tests load, none of it of the collection; a name that does not exist on an older core is left out.
LIBRARIES = (
    "pytest",
    "pytest_timeout",
    "hypothesis.strategies",
    "xdist.plugin",
    "pytest_cov.plugin",
    "yaml",
    "requests",
    "aiohttp.web",
    "jsonschema",
    "trustme",
    "ansible.module_utils.basic",
    "ansible.module_utils.testing",
    "huaweicloudsdkcore.signer.signer",
    "tests.simulator.server",
)


def run(job: dict[str, object]) -> int | None:
    """Run pytest in a fork; the exit status, or None when it took too long."""
    child = os.fork()
    if not child:
        _be_pytest(job)
    end = time.monotonic() + float(str(job["seconds"]))
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    # With all that it has started.
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _be_pytest(job: dict[str, object]) -> None:
    code = 99
    try:
        os.setsid()
        output = os.open(str(job["output"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for number, file in enumerate((nothing, output, output)):
            os.dup2(file, number)
        os.environ["MUTANTS"] = str(job["plan"])
        import pytest

        code = int(pytest.main([str(option) for option in job["options"]]))  # type: ignore[attr-defined]
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        # Not to go on as a second copy of this program.
        os._exit(code)


def main() -> None:
    """Load what all need, then do one job after the other."""
    sys.path.insert(0, str(pathlib.Path.cwd()))
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    loaded = [name for name in sys.modules if name.startswith("ansible_collections.hwcloud")]
    if loaded:
        sys.exit(f"mutants_worker.py: {loaded[0]} was loaded before its mutant could be.")
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
