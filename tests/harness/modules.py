# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module in this process, as Ansible would: arguments in, one JSON object out."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import io
import json
import os
import shutil
import tempfile
from typing import Any
from unittest import mock

from ansible.module_utils import basic
from ansible.module_utils.common import warnings

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.19

    @contextlib.contextmanager
    def patch_module_args(arguments: dict[str, Any]):
        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()):
            yield


COLLECTION = "ansible_collections.hwcloud.maintenance.plugins"
_FOREIGN_PREFIXES = ("HW_", "HWCLOUD_", "HUAWEICLOUD_", "HC_", "OS_", "XDG_")
_FOREIGN_NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@functools.cache
def _empty_home() -> str:
    """A home without anybody's profile files, for all tests of this process."""
    folder = tempfile.mkdtemp(prefix="home-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment without anything that could sign in or lead elsewhere, and with C(extra)."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN_PREFIXES) and name.upper() not in _FOREIGN_NAMES
    }
    return {**kept, "HOME": _empty_home(), **extra}


def run_module(
    name: str,
    options: dict[str, Any],
    *,
    check_mode: bool = False,
    diff: bool = True,
    environ: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Run a module and return what it printed; C(failed) is in it when it failed."""
    printed, warned = printed_by(name, options, check_mode=check_mode, diff=diff, environ=environ)
    result = json.loads(printed)
    result.pop("invocation", None)
    if warned:
        result["warnings"] = warned
    return result


def printed_by(
    name: str,
    options: dict[str, Any],
    *,
    check_mode: bool = False,
    diff: bool = True,
    environ: dict[str, str] | None = None,
) -> tuple[str, list[str]]:
    """Run a module and return what it printed, as text, and its warnings."""
    module = importlib.import_module(f"{COLLECTION}.modules.{name}")
    arguments = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": diff}
    output = io.StringIO()
    for store in ("_global_warnings", "_global_deprecations"):
        getattr(warnings, store).clear()
    # How warnings get into the result differs between cores, and depends on what else this process has imported.
    warned: list[str] = []
    with (
        patch_module_args(arguments),
        mock.patch.object(basic.AnsibleModule, "warn", lambda _module, warning, **_more: warned.append(warning)),
        mock.patch.dict(os.environ, clean_environment(**(environ or {})), clear=True),
        contextlib.redirect_stdout(output),
        contextlib.suppress(SystemExit),
    ):
        module.main()
    return output.getvalue(), warned
