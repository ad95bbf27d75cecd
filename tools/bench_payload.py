# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the payloads of modules as Ansible does, in a process of its own: [[module, arguments], ...] on stdin.

Prints a list of the payloads in base64. Which compression and which files a payload has is up to the ansible-core of
the environment.
"""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from ansible.executor import module_common
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, module_loader
from ansible.release import __version__
from ansible.template import Templar


def build(name: str, arguments: dict[str, Any]) -> bytes:
    """Return what would travel to the host and be started there."""
    found = module_loader.find_plugin_with_context(name)
    # Only its length matters, as the payload is started with the Python that runs the benchmark.
    variables = {"ansible_python_interpreter": "/usr/bin/python3"}
    # What Ansible adds to every task's own arguments, as far as a module acts otherwise without.
    own = {
        "_ansible_check_mode": False,
        "_ansible_debug": False,
        "_ansible_diff": False,
        "_ansible_no_log": False,
        "_ansible_verbosity": 0,
        "_ansible_version": __version__,
    }
    built = module_common.modify_module(
        module_name=found.resolved_fqcn,
        module_path=found.plugin_resolved_path,
        module_args={**arguments, **own},
        templar=Templar(loader=DataLoader(), variables=variables),
        task_vars=variables,
        module_compression="ZIP_DEFLATED",
    )
    # A tuple before ansible-core 2.19.
    payload: bytes = built[0] if isinstance(built, tuple) else built.b_module_data
    return payload


if __name__ == "__main__":
    init_plugin_loader()
    print(json.dumps([base64.b64encode(build(*request)).decode() for request in json.load(sys.stdin)]))
