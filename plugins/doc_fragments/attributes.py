# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the modules of this collection behave under check mode and the like."""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes of every module; a module that changes something adds C(CHANGES), one that reads adds C(INFO)."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/hwcloud.maintenance.hwcloud) in C(module_defaults) to set options for all modules.
    support: full
    membership:
      - hwcloud.maintenance.hwcloud
  platform:
    description: The systems on which the module runs.
    platforms: all
    support: full
"""

    CHANGES = r"""
options: {}
attributes:
  check_mode:
    description: Reads for real, changes nothing, and returns what the real run would.
    support: full
  diff_mode:
    description: Shows what is changed, and nothing else.
    support: full
  idempotent:
    description: A second run with the same options reports no change.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Only reads, so that check mode makes no difference.
    support: full
  diff_mode:
    description: Changes nothing, so that there is no difference to show.
    support: N/A
  idempotent:
    description: Changes nothing, however often it is run.
    support: full
"""
