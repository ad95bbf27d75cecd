# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX does with an inventory: it keeps what ansible-inventory printed, and gives each job a slice of it.

A job of a template with a slice count gets every n-th host, by name, and its groups hold only those. It reads them from
a script that AWX writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def sliced(inventory: dict[str, Any], number: int, count: int) -> dict[str, Any]:
    """Slice C(number) (from 1) of C(count) of what C(ansible-inventory --list --export) printed."""
    hosts = sorted(inventory["_meta"]["hostvars"])[number - 1 :: count]
    found: dict[str, Any] = {"_meta": {"hostvars": {host: inventory["_meta"]["hostvars"][host] for host in hosts}}}
    for name, group in inventory.items():
        if name != "_meta":
            found[name] = {**group, "hosts": [host for host in group.get("hosts", ()) if host in hosts]}
    found["all"] = {**found["all"], "hosts": hosts}
    return found


def write_script(path: Path, inventory: dict[str, Any]) -> Path:
    """Write the inventory of a job."""
    program = f"#!/usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(inventory)!r})\n"
    path.write_text(program, encoding="utf-8")
    path.chmod(0o700)
    return path
