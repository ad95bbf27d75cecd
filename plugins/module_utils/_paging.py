# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Complete and finite listing over pages with a record offset.

The count that comes with a page may be text, wrong or missing (C5), a page may be shorter than asked for although
more follows, and records may come and go while the pages are read. A listing that cannot be shown to be complete is
read again from its start, and at last is an error: it is never passed off as complete.
"""

from __future__ import annotations

import enum
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import AnswerError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record

_PASSES = 3
_PAGES_MOST = 10000


class _End(enum.Enum):
    """How one reading of all pages ended."""

    COMPLETE = enum.auto()
    SHRINKING = enum.auto()  # the count fell while the pages were read
    COUNT_DIFFERS = enum.auto()  # an empty page came although the count says that there is more
    REPEATED = enum.auto()  # the same page came again: the offset was not honoured


class Page(t.NamedTuple):
    """One page: its records, and how many records there are in all (None when that cannot be read)."""

    records: list[Record]
    total: int | None


class Listing(t.NamedTuple):
    """What to list.

    :ivar fetch: returns the page that starts at an offset.
    :ivar limit: the page size that C(fetch) asks for.
    :ivar key: the field that identifies a record.
    :ivar service: for messages.
    :ivar operation: for messages.
    :ivar warn: called with a sentence when the listing may lack something.
    """

    fetch: t.Callable[[int], Page]
    limit: int
    key: str
    service: str
    operation: str
    warn: t.Callable[[str], None]

    def collect(self, wanted: t.Collection[str] | None = None) -> list[Record]:
        """Return all records, each once; with C(wanted), stop as soon as all records with these keys were seen.

        :raises AnswerError: when the listing stays incomplete, or a record has no identifier.
        """
        found: dict[str, Record] = {}
        end = _End.REPEATED
        before: set[str] | None = None
        for _pass in range(_PASSES):
            found, end = self._read_once(wanted)
            if end is _End.COMPLETE:
                return list(found.values())
            if end is _End.COUNT_DIFFERS and found.keys() == before:
                self.warn(f"{self.operation} lists {len(found)} records, twice the same, but counts more than that.")
                return list(found.values())
            before = set(found)
        if end is _End.SHRINKING:
            self.warn(f"{self.operation}: records were removed while they were listed; some may be missing here.")
            return list(found.values())
        raise self._error(
            f"gave an incomplete listing {_PASSES} times: {len(found)} records, although it says that there are more."
        )

    def _read_once(self, wanted: t.Collection[str] | None) -> tuple[dict[str, Record], _End]:
        found: dict[str, Record] = {}
        missing = None if wanted is None else set(wanted)
        offset = 0
        highest_total = 0
        shrunk = False
        for _page in range(_PAGES_MOST):
            records, total = self.fetch(offset)
            new = {self._key_of(record): record for record in records}
            repeated = bool(records) and all(key in found for key in new)
            for key, record in new.items():
                found.setdefault(key, record)
            if missing is not None:
                missing -= new.keys()
                if not missing:
                    return found, _End.COMPLETE
            offset += len(records)
            shrunk = shrunk or (total is not None and total < highest_total)
            highest_total = max(highest_total, total or 0)
            if not records or repeated or (len(records) < self.limit and total is not None and total <= offset):
                # Records that were removed meanwhile move later ones to earlier pages, past the reader.
                if shrunk:
                    return found, _End.SHRINKING
                # A full page that comes again shows that the offset is not honoured, whatever the count says.
                if repeated and (total is None or total > len(found) or len(records) >= self.limit):
                    return found, _End.REPEATED
                if total is None or total <= len(found):
                    return found, _End.COMPLETE
                return found, _End.COUNT_DIFFERS
        raise self._error(f"has no end: {_PAGES_MOST} pages were read.")

    def _error(self, message: str) -> AnswerError:
        return AnswerError(
            f"{self.operation} {message}", service=self.service, operation=self.operation, retryable=True
        )

    def _key_of(self, record: t.Any) -> str:
        key = record.get(self.key) if isinstance(record, dict) else None
        if not isinstance(key, str) or not key:
            raise self._error(f"was answered with an entry that has no {self.key}.")
        return key


def read_page(data: t.Any, list_key: str, total_key: str, service: str, operation: str) -> Page:
    """Take a page out of an answer's body.

    :raises AnswerError: when the body is not an object with a list under C(list_key).
    """
    records = data.get(list_key) if isinstance(data, dict) else None
    if not isinstance(records, list):
        raise AnswerError(
            f"{operation} was answered with JSON that has no list {list_key}.",
            service=service,
            operation=operation,
            uncertain=True,
        )
    return Page(records, _count(data.get(total_key)))


def _count(value: t.Any) -> int | None:
    """The number of records in all: a number, or text with digits (C5); None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if value >= 0 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        return int(value)
    return None
