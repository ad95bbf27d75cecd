# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the tests of the inventory plugins."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.inventory.runs")

from tests.inventory.runs import Ansible, signed_in_environment  # noqa: E402


@pytest.fixture
def ansible(sim, tmp_path) -> Ansible:
    """Ansible in an empty folder, signed in to the simulator by its environment."""
    return Ansible(tmp_path, signed_in_environment(sim))
