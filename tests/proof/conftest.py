# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says at the end how much was tried."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Add up what tests have recorded under C(cells) and C(inputs)."""
    reports = [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]
    for word, sentence in (("cells", "cells of the fault matrix"), ("inputs", "generated answers and files")):
        total = sum(value for report in reports for name, value in report.user_properties if name == word)
        if total:
            terminalreporter.write_line(f"{total} {sentence} were tried.")
