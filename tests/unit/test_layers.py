# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layers of module_utils: who may import whom, and what is never imported while a module is loaded."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "plugins" / "module_utils"
PREFIX = "ansible_collections.hwcloud.maintenance.plugins.module_utils"
LAYERS = [
    "_foreign",
    "_errors",
    "_records",
    "_endpoints",
    "_http",
    "_parallel",
    "_signer",
    "_password",
    "_temporary",
    "_profiles",
    "_credentials",
    "_account",
    "_service",
    "_dcs",
    "_dds",
    "_instances",
    "_dcs_tasks",
    "_dcs_resize",
    "_dds_jobs",
    "_module",
]
FILES = sorted(path for path in FOLDER.rglob("*.py") if path.name != "__init__.py")


def in_function_or_for_types(tree):
    """All nodes that do not run when the file is loaded."""
    found = set()
    for node in ast.walk(tree):
        late = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            late = True
        if late:
            found.update(ast.walk(node))
    return found


def imports(path):
    """Each import of a file: the full name, and whether it happens when the file is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = in_function_or_for_types(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import"
            if node.module == PREFIX:
                yield from ((f"{PREFIX}.{alias.name}", node not in late) for alias in node.names)
            else:
                yield node.module, node not in late


def test_all_layers_are_known():
    assert sorted(path.relative_to(FOLDER).as_posix() for path in FILES) == sorted(f"{name}.py" for name in LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_names_are_private(path):
    assert path.name.startswith("_")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_imports(path):
    above = {f"{PREFIX}.{name}" for name in LAYERS[: LAYERS.index(path.stem)]}
    for name, at_load in imports(path):
        top = name.split(".")[0]
        allowed = (
            name in above
            or top in sys.stdlib_module_names
            or name == "ansible.module_utils.basic"
            or (top == "requests" and not at_load)
            # ansible-core needs it too, and only clouds.yaml is read with it.
            or (name == "yaml" and path.name == "_profiles.py" and not at_load)
        )
        assert allowed, f"{path.name} imports {name}"


def test_this_check_sees_what_it_must(tmp_path):
    file = tmp_path / "_x.py"
    file.write_text(
        f"import os, requests.auth\nfrom {PREFIX} import _http\nfrom {PREFIX}._dcs import Dcs\n"
        "if t.TYPE_CHECKING:\n    import requests\ndef f():\n    import urllib3\n",
        encoding="utf-8",
    )
    assert set(imports(file)) == {
        ("os", True),
        ("requests.auth", True),
        (f"{PREFIX}._http", True),
        (f"{PREFIX}._dcs", True),
        ("requests", False),
        ("urllib3", False),
    }


def test_nothing_slow_is_loaded_with_a_module():
    modules = sorted(path.stem for path in (FOLDER.parent / "modules").glob("*.py"))
    assert modules
    names = [f"{PREFIX}.{name}" for name in LAYERS]
    names += [f"{PREFIX.replace('module_utils', 'modules')}.{name}" for name in modules]
    program = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n    importlib.import_module(name)\n"
        "print(sorted({'requests', 'urllib3', 'certifi', 'idna', 'asyncio', 'aiohttp', 'yaml'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("[]\n", "")
