# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds what the collection's files offer by name alone: which file holds it is none of a proof's business."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

from tests.harness.modules import COLLECTION

_FOLDER = Path(__file__).parents[2] / "plugins" / "module_utils"


def public() -> SimpleNamespace:
    """All public classes and functions."""
    found = SimpleNamespace()
    for file in sorted(_FOLDER.glob("_*.py")):
        name = f"{COLLECTION}.module_utils.{file.stem}"
        if file.stem != "__init__":
            for key, value in vars(importlib.import_module(name)).items():
                if not key.startswith("_") and getattr(value, "__module__", None) == name:
                    setattr(found, key, value)
    return found
