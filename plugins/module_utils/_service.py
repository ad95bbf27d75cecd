# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the clients of DCS and DDS share: calls in the name of an account, listings, instances by name.

A listing is complete and finite. A count may be text, wrong or missing (C5), a page short although more follows, and
records come and go meanwhile.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._account import Account
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    AnswerError,
    MaintenanceError,
    RefusedError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record

_PASSES = 3
_PAGES_MOST = 10000

_COMPLETE = "complete"
_SHRINKING = "shrinking"  # the count fell while the pages were read
_COUNT_DIFFERS = "count differs"  # an empty page came although the count says that there is more
_REPEATED = "repeated"  # the same page came again: the offset was not honoured


class Page(t.NamedTuple):
    """One page, and how many records there are in all, if known."""

    records: list[Record]
    total: int | None


class Listing(t.NamedTuple):
    """What to list: C(fetch) gets C(limit) records from an offset, C(key) identifies one."""

    fetch: t.Callable[[int], Page]
    limit: int
    key: str
    operation: Operation
    #: Called when the listing may lack something; None makes that an error.
    warn: t.Callable[[str], None] | None

    def collect(self, wanted: t.Collection[str] | None = None) -> list[Record]:
        """All records, each once; with C(wanted), only until all these were seen."""
        found: dict[str, Record] = {}
        end = _REPEATED
        before: t.Any = None
        for _pass in range(_PASSES):
            found, end = self._read_once(wanted)
            if end == _COMPLETE:
                return list(found.values())
            if end == _COUNT_DIFFERS and found.keys() == before:
                return self._doubtful(found, f"lists {len(found)} records, twice the same, but counts more than that.")
            before = found.keys()
        if end == _SHRINKING:
            return self._doubtful(found, "may lack something: records were removed while they were listed.")
        raise self._error(
            f"gave an incomplete listing {_PASSES} times: {len(found)} records, although it says that there are more."
        )

    def _read_once(self, wanted: t.Collection[str] | None) -> tuple[dict[str, Record], str]:
        found: dict[str, Record] = {}
        missing = None if wanted is None else set(wanted)
        offset = 0
        highest_total = 0
        shrunk = False
        for _page in range(_PAGES_MOST):
            records, total = self.fetch(offset)
            new = {self._key_of(record): record for record in records}
            repeated = bool(records) and all(key in found for key in new)
            found.update((key, record) for key, record in new.items() if key not in found)
            if missing is not None:
                missing -= new.keys()
                if not missing:
                    return found, _COMPLETE
            offset += len(records)
            shrunk = shrunk or (total is not None and total < highest_total)
            highest_total = max(highest_total, total or 0)
            if not records or repeated or (len(records) < self.limit and total is not None and total <= offset):
                # Later records have moved to earlier pages, past the reader.
                if shrunk:
                    return found, _SHRINKING
                # A full page again: the offset is not honoured, whatever the count says.
                if repeated and (total is None or total > len(found) or len(records) >= self.limit):
                    return found, _REPEATED
                return found, _COMPLETE if total is None or total <= len(found) else _COUNT_DIFFERS
        raise self._error(f"has no end: {_PAGES_MOST} pages were read.")

    def _doubtful(self, found: dict[str, Record], message: str) -> list[Record]:
        if self.warn is None:
            raise self._error(message)
        self.warn(f"{self.operation.name} {message}")
        return list(found.values())

    def _error(self, message: str) -> AnswerError:
        return self.operation.error(AnswerError, f"{self.operation.name} {message}", retryable=True)

    def _key_of(self, record: t.Any) -> str:
        key = record.get(self.key) if isinstance(record, dict) else None
        if not isinstance(key, str) or not key:
            raise self._error(f"was answered with an entry that has no {self.key}.")
        return key


def read_page(data: t.Any, list_key: str, total_key: str, operation: Operation) -> Page:
    """Take a page out of an answer's body."""
    records = data.get(list_key) if isinstance(data, dict) else None
    if not isinstance(records, list):
        raise operation.error(
            AnswerError, f"{operation.name} was answered with JSON that has no list {list_key}.", uncertain=True
        )
    # A number, or text with digits (C5).
    total = data.get(total_key)
    if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) <= 12:
        total = int(total)
    return Page(records, total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None)


Query = t.Mapping[str, t.Union[str, int, None]]


class ListKeys(t.NamedTuple):
    """The names of an answer's list, of the count, and of a record's identifier."""

    records: str
    total: str
    identifier: str


class Service:
    """One service for one account and project."""

    page_size: int
    #: What an id looks like.
    instance_id: re.Pattern[str]
    list_instances: Operation
    instance_keys: ListKeys
    exact_name: t.Mapping[str, str] = {}

    def __init__(
        self, client: Client, endpoints: Endpoints, account: Account, warn: t.Callable[[str], None] | None
    ) -> None:
        self._client = client
        self._endpoints = endpoints
        self._account = account
        self._warn = warn

    def call(
        self, operation: Operation, path: t.Mapping[str, str], query: Query | None = None, *, read_body: bool = True
    ) -> Answer:
        """Send one request; see C(Client.request)."""
        base_url = self._endpoints.url(operation.service)
        project_id = self._account.project_id
        try:
            return self._client.request(
                operation,
                base_url,
                path={"project_id": project_id, **path},
                query=query,
                headers={"X-Project-Id": project_id},
                auth=self._account.authenticate,
                renew=self._account.renew,
                read_body=read_body,
            )
        except MaintenanceError as error:
            if "instance_id" in path:
                error.message += f" (instance {path['instance_id']})"
            raise

    def list_all(
        self,
        operation: Operation,
        path: t.Mapping[str, str],
        query: Query,
        keys: ListKeys,
        wanted: t.Collection[str] | None = None,
    ) -> list[Record]:
        """All records of a listing; see C(Listing.collect)."""

        def fetch(offset: int) -> Page:
            answer = self.call(operation, path, {**query, "offset": offset, "limit": self.page_size})
            return read_page(answer.data, keys.records, keys.total, operation)

        return Listing(fetch, self.page_size, keys.identifier, operation, self._warn).collect(wanted)

    def instances(self, name: str | None = None) -> list[Record]:
        """The instances of the project, or those with exactly this name."""
        query = {} if name is None else {"name": name, **self.exact_name}
        records = self.list_all(self.list_instances, {}, query, self.instance_keys)
        return [record for record in records if name is None or record.get("name") == name]

    def instance_ids(self, names_or_ids: t.Sequence[str]) -> list[str]:
        """The ids of instances given by id or exact name; RefusedError when one fits none or several.

        Ids cost no request, one name a look-up, several a listing.
        """
        names = list(dict.fromkeys(value for value in names_or_ids if not self.instance_id.match(value)))
        found: dict[str, list[str]] = {name: [] for name in names}
        if names:
            for instance in self.instances(names[0] if len(names) == 1 else None):
                name = instance.get("name")
                if isinstance(name, str) and name in found:
                    found[name].append(instance[self.instance_keys.identifier])
        for name, ids in found.items():
            if len(ids) != 1:
                kind = self.list_instances.service.upper()
                raise self.list_instances.error(
                    RefusedError,
                    f"There are {len(ids)} {kind} instances named {name}: {', '.join(sorted(ids))}."
                    if ids
                    else f"There is no {kind} instance named {name} in this project.",
                    code="Ambiguous" if ids else "NotFound",
                    hint="Give the instance's id." if ids else "Check the name, the region and the project.",
                )
        return list(dict.fromkeys(found[value][0] if value in found else value.lower() for value in names_or_ids))
