# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of modules that wait until the service has done something."""

from __future__ import annotations


class ModuleDocFragment:
    """How long to wait; each module has a default of its own for C(wait_timeout)."""

    DOCUMENTATION = r"""
options:
  wait_interval:
    description: Seconds between two looks.
    type: int
    default: 5
"""
