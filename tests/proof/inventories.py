# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads inventory files as ansible-core's own inventory manager does, in a process of its own that is used many times.

In a process of its own, as Ansible takes its settings and its collections once for all.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest import mock

from tests.harness.modules import COLLECTION, clean_environment

from .memory import growth

#: The name of the file that the templates of C(content.py) make when they are run.
MADE_BY_TEMPLATE = "template-was-run"


def _begin(folder: str) -> None:
    os.chdir(folder)
    environ = clean_environment(
        HOME=folder,
        ANSIBLE_HOME=folder,
        ANSIBLE_COLLECTIONS_PATH=str(Path(sys.prefix) / "collections"),
        ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="true",
        ANSIBLE_CACHE_PLUGIN="jsonfile",
        ANSIBLE_CACHE_PLUGIN_CONNECTION=str(Path(folder) / "cache"),
        ANSIBLE_NOCOLOR="1",
        ANSIBLE_LOCALHOST_WARNING="false",
    )
    os.environ.clear()
    os.environ.update(environ)
    from ansible.plugins.loader import init_plugin_loader

    init_plugin_loader([])


def _read(name: str, content: dict[str, Any], runs: int) -> list[dict[str, Any]]:
    """Read one inventory file so many times, with one cache."""
    for file in Path("cache").glob("*"):
        file.unlink()
    path = Path(name)
    # JSON is YAML.
    path.write_text(json.dumps(content), encoding="utf-8")
    return [_read_once(path) for _run in range(runs)]


def _read_once(path: Path) -> dict[str, Any]:
    from ansible.errors import AnsibleError
    from ansible.inventory.data import InventoryData
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import inventory_loader
    from ansible.template import Templar
    from ansible.utils.display import Display

    from . import reader

    found: dict[str, Any] = {"hosts": {}, "groups": {}, "error": None, "crash": None, "dumped": "", "wrong": []}
    warnings: list[str] = []
    made = Path(MADE_BY_TEMPLATE)
    made.unlink(missing_ok=True)
    with (
        mock.patch.object(Display, "warning", lambda _display, text, *_more, **_named: warnings.append(str(text))),
        mock.patch(f"{COLLECTION}.module_utils._http.random.uniform", return_value=0.0),
        growth() as grown,
    ):
        loader = DataLoader()
        inventory = InventoryData()
        plugin = inventory_loader.get(f"hwcloud.maintenance.{path.name.split('.')[1]}")
        try:
            # As the inventory manager does with a file for this plugin.
            plugin.parse(inventory, loader, str(path.absolute()), cache=True)
            if getattr(plugin, "_cache", None):
                plugin.update_cache_if_changed()
            inventory.reconcile_inventory()
        except Exception as error:  # noqa: BLE001  # which it may be is judged elsewhere
            found["error"] = str(error)
            if not isinstance(error, AnsibleError) or "unexpected error" in str(error):
                found["crash"] = traceback.format_exc()[-1500:]
    if found["error"] is None:
        variables = {name: host.vars for name, host in inventory.hosts.items()}
        found["groups"] = {name: [host.name for host in group.hosts] for name, group in inventory.groups.items()}
        try:
            found["dumped"] = reader.dumped({"_meta": {"hostvars": variables}})
            found["hosts"] = {name: sorted(map(str, each)) for name, each in variables.items()}
            for each in variables.values():
                templar = Templar(loader, variables=each)
                for key, value in each.items():
                    if not key.startswith("ansible_"):
                        templar.template(value)
        except Exception as error:  # noqa: BLE001
            found["wrong"].append(f"variables of hosts: {type(error).__name__}: {str(error)[:300]}")
    if made.exists():
        found["wrong"].append("a template of the service was run")
    found["warnings"] = warnings
    found["grown"] = grown[0]
    found["cached"] = [file.read_bytes().decode("utf-8", "replace") for file in Path("cache").glob("*")]
    return found


class Inventories:
    """The process."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="inventories-")
        # Not forked: the simulator runs in a thread of this process.
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, context, _begin, (self._folder.name,))

    def __enter__(self) -> Inventories:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def read(self, name: str, content: dict[str, Any], runs: int = 1) -> list[dict[str, Any]]:
        """What each reading of this file gave, with one cache for all of them."""
        return self._pool.submit(_read, name, content, runs).result(300)
