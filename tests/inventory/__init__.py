# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests of the inventory plugins, most of them with real ansible-inventory and ansible-playbook."""
