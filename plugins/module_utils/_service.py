# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the clients of DCS and DDS share: a call in the name of an account and its project, and a complete listing."""

from __future__ import annotations

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._credentials import Account
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._paging import Listing, Page, read_page
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record

Query = t.Mapping[str, t.Union[str, int, None]]


class ListKeys(t.NamedTuple):
    """The names that an answer gives to its list of records, to their number in all, and to a record's identifier."""

    records: str
    total: str
    identifier: str


class Service:
    """One service for one account and project.

    :arg warn: called with a sentence when a listing may lack something.
    """

    #: The largest page that the service gives.
    page_size: int

    def __init__(self, client: Client, endpoints: Endpoints, account: Account, warn: t.Callable[[str], None]) -> None:
        self._client = client
        self._endpoints = endpoints
        self._account = account
        self._warn = warn

    def call(
        self, operation: Operation, path: t.Mapping[str, str], query: Query | None = None, *, read_body: bool = True
    ) -> Answer:
        """Send one request of an operation; see C(Client.request)."""
        base_url = self._endpoints.url(operation.service)
        project_id = self._account.project_id
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

    def list_all(
        self,
        operation: Operation,
        path: t.Mapping[str, str],
        query: Query,
        keys: ListKeys,
        wanted: t.Collection[str] | None = None,
    ) -> list[Record]:
        """All records of a listing, in pages of the largest size; see C(Listing.collect)."""

        def fetch(offset: int) -> Page:
            answer = self.call(operation, path, {**query, "offset": offset, "limit": self.page_size})
            return read_page(answer.data, keys.records, keys.total, operation.service, operation.name)

        listing = Listing(fetch, self.page_size, keys.identifier, operation.service, operation.name, self._warn)
        return listing.collect(wanted)


def only_instance(ids: t.Sequence[str], name: str, operation: Operation) -> str:
    """The one id that was found for an instance's name.

    :raises RefusedError: when none was found, or several.
    """
    if len(ids) == 1:
        return ids[0]
    service = operation.service.upper()
    raise RefusedError(
        f"There are {len(ids)} {service} instances named {name}: {', '.join(sorted(ids))}."
        if ids
        else f"There is no {service} instance named {name} in this project.",
        code="Ambiguous" if ids else "NotFound",
        service=operation.service,
        operation=operation.name,
        hint="Give the instance's id." if ids else "Check the name, the region and the project.",
    )
