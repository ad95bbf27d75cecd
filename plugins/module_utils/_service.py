# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the clients of DCS and DDS share: calls in the name of an account, listings, instances by name."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._credentials import Account
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import Endpoints
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError, RefusedError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._paging import Listing, Page, read_page
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record

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
