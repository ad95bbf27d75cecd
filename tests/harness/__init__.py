# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs modules and playbooks for tests: `modules.py` in this process, `playbooks.py` with real Ansible."""
