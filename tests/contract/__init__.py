# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves that the simulator keeps to the contract: official clients, schemas, errors, faults and switches."""
