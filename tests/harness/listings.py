# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a listing costs where absence decides, so that tests can count them exactly."""

from __future__ import annotations


def to_the_end(operation: str, pages: int = 1) -> list[str]:
    """The requests of a listing that is read to its end: one for each page, and one more that proves the end.

    A listing that ends as soon as all wanted ids were seen, and that of an info module, has no such last request.
    """
    return [operation] * (pages + 1)
