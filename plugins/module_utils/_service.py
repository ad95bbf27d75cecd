# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the clients of DCS and DDS share: calls in the name of an account, listings, instances by name.

A listing is finite, and each of its records is an object with a usable id. Where absence decides (waiting, calling off,
removing, inventories) only an empty page is its end. Elsewhere a short page whose count is reached ends it, which saves a
request. A count may be text, wrong or missing (C5), a page short although more follows, and records come and go meanwhile.
"""

from __future__ import annotations

import json
import re
import typing as t
from functools import partial

from ansible_collections.hwcloud.maintenance.plugins.module_utils._account import Account
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import (
    Endpoints,
    are_identifiers,
    is_identifier,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    AnswerError,
    ApiError,
    MaintenanceError,
    RefusedError,
    error_in,
    one_line,
    shown,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Client, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import (
    Outcome,
    each,
    unless_hopeless,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record, enumerated

_PASSES = 3
_PAGES_MOST = 10000

_COMPLETE = "complete"
_MOVED = "moved"  # records were removed, or changed places, while the pages were read, or may have been
_COUNT_DIFFERS = "count differs"  # an empty page came although the count says that there is more
_REPEATED = "repeated"  # the same page came again: the offset was not honoured


class Page(t.NamedTuple):
    """One page, and how many records there are in all, if known; once it was checked, the records by id."""

    records: list[Record]
    total: int | None
    by_key: dict[str, Record] | None = None


#: Whether the records that were found so far, by their ids, suffice.
Enough = t.Callable[[t.Mapping[str, Record]], bool]


def all_of(ids: t.Iterable[str]) -> Enough:
    """Enough when all these were found; the service may write them in capitals or not."""
    wanted = set(ids)
    return lambda found: all(not found.keys().isdisjoint((id_, id_.lower(), id_.upper())) for id_ in wanted)


class Listing(t.NamedTuple):
    """What to list: C(fetch) gets C(limit) records from an offset, C(key) identifies one."""

    fetch: t.Callable[[int], Page]
    limit: int
    key: str
    operation: Operation
    #: Called when the listing may lack something; None makes that an error.
    warn: t.Callable[[str], None] | None
    #: Ends the listing early.
    enough: Enough | None = None
    #: Only an empty page is the end, whatever the count says.
    until_empty: bool = False
    #: What is listed, for messages, such as C( (instance 5560df16-cebf-4473-95c4-d1b573c16e79)).
    about: str = ""

    def collect(self, pages: t.Mapping[int, Page] | None = None) -> list[Record]:
        """All records, each once, or until there are enough; C(pages) are those that are there, by their offset."""
        found: dict[str, Record] = {}
        end = _COMPLETE
        before: t.Any = None
        for _pass in range(_PASSES):
            # What gives whole pages only, wherever one is to begin, gives the first one again for an offset within it.
            found, end, highest_total = self._read_once(pages or {}, overlap=end != _REPEATED)
            pages = None
            if end == _COMPLETE:
                return list(found.values())
            if end == _MOVED and found.keys() == before and highest_total <= len(found):
                # Nothing has moved: the service has an order that changes, or counts the records of a page.
                return list(found.values())
            if end == _COUNT_DIFFERS and found.keys() == before:
                return self._doubtful(found, f"lists {len(found)} records, twice the same, but counts more than that.")
            before = found.keys()
        if end == _MOVED:
            return self._doubtful(found, "may lack something: records moved or were removed while they were listed.")
        if end == _REPEATED:
            raise self._error(
                f"gave the same page again {_PASSES} times, after {len(found)} records, so that there may be more."
            )
        raise self._error(
            f"gave an incomplete listing {_PASSES} times: {len(found)} records, although it says that there are more."
        )

    def checked(self, page: Page) -> Page:
        """The page; AnswerError when it has what is no record, so that this counts as soon as it has come."""
        return page._replace(by_key=self._by_key(page.records))

    def other_pages(self, first: Page) -> range:
        """The offsets of all pages but the first, if that one tells; each begins with the last record of the one before."""
        if len(first.records) < self.limit or first.total is None:
            return range(0)
        step = max(1, self.limit - 1)
        return range(step, min(first.total, self.limit * _PAGES_MOST) - (step < self.limit), step)

    def _read_once(self, pages: t.Mapping[int, Page], *, overlap: bool) -> tuple[dict[str, Record], str, int]:
        """The records by id, how the listing ended, and the highest count that was given.

        :arg overlap: whether the page after a full one begins with the last record of that one. When it does not, records
            have moved past the reader, as when one that was read is removed.
        """
        found: dict[str, Record] = {}
        position = 0
        last = ""
        read = 0
        highest_total = 0
        moved = fell = False
        overlap = overlap and self.limit > 1
        for _page in range(_PAGES_MOST):
            again = 1 if overlap and read >= self.limit else 0
            offset = position - again
            records, total, by_key = pages[offset] if offset in pages else self.fetch(offset)
            new = self._by_key(records) if by_key is None else by_key
            if again:
                moved = moved or new.pop(last, None) is None
            elif found and records and read < self.limit:
                # More came after a page that was not full, so it is not certain that nothing lies between them.
                moved = moved or overlap
            # After a full page, less than one that shows nothing new is the end of the list.
            repeated = bool(records) and new.keys() <= found.keys() and (not again or len(records) >= self.limit)
            if not found:
                found = new
            elif found.keys().isdisjoint(new):
                found.update(new)
            else:
                for key, record in new.items():
                    found.setdefault(key, record)
            if self.enough is not None and self.enough(found):
                return found, _COMPLETE, highest_total
            position = offset + len(records)
            read = len(records)
            if records:
                last = records[-1][self.key]
            fell = fell or (total is not None and total < highest_total)
            highest_total = max(highest_total, total or 0)
            reached = len(records) < self.limit and total is not None and total <= position
            if not records or repeated or (reached and not self.until_empty):
                # A full page again: the offset is not honoured, whatever the count says.
                if repeated and (self.until_empty or total is None or total > len(found) or len(records) >= self.limit):
                    return found, _REPEATED, highest_total
                # Where pages do not overlap, only a count that falls shows that later records moved past the reader.
                if moved or (fell and not overlap):
                    return found, _MOVED, highest_total
                whole = total is None or total <= len(found)
                return found, _COMPLETE if whole else _COUNT_DIFFERS, highest_total
        raise self._error(f"has no end: {_PAGES_MOST} pages were read.")

    def _doubtful(self, found: dict[str, Record], message: str) -> list[Record]:
        if self.warn is None:
            raise self._error(message)
        self.warn(f"{self.operation.name} {message}")
        return list(found.values())

    def _error(self, message: str, *, retryable: bool = True) -> AnswerError:
        # Others may be listed none the less.
        return self.operation.error(
            AnswerError, f"{self.operation.name} {message}{self.about}", retryable=retryable, stops_all=False
        )

    def _by_key(self, records: t.Sequence[t.Any]) -> dict[str, Record]:
        """The records by their ids; AnswerError when one is no object, or its id could not be one.

        Here, before anything is done with a record, as an id becomes part of a path: C(..) would lead to another request.
        """
        try:
            ids = [record[self.key] for record in records]
        except (TypeError, KeyError, IndexError):
            ids = [None]
        if are_identifiers(ids):
            return dict(zip(ids, records))
        wrong = next(
            record for record in records if not isinstance(record, dict) or not is_identifier(record.get(self.key))
        )
        if not isinstance(wrong, dict):
            raise self._error(f"was answered with an entry that is no object: {shown(wrong)}.", retryable=False)
        if wrong.get(self.key) is None:
            raise self._error(f"was answered with an entry that has no {self.key}.", retryable=False)
        raise self._error(
            f"was answered with an entry whose {self.key} is none: {shown(wrong[self.key])}.", retryable=False
        )


def read_page(
    data: t.Any,
    list_key: str,
    total_key: str,
    operation: Operation,
    *,
    status: int = 200,
    redact: t.Callable[[str], str] = str,
) -> Page:
    """Take a page out of an answer's body; AnswerError, in the service's own words, when it holds no list.

    :arg status: the HTTP status of the answer, for the message.
    :arg redact: removes secrets from foreign text.
    """
    fields = data if isinstance(data, dict) else {}
    records = fields.get(list_key)
    # A number, or text with digits (C5).
    total = fields.get(total_key)
    if isinstance(total, str) and total.isascii() and total.isdigit() and len(total) <= 12:
        total = int(total)
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        total = None
    if list_key in fields and records is None and total == 0:
        # Some services write an empty list so.
        records = []
    if not isinstance(records, list):
        code, message, request_id = error_in(data)
        words = " ".join(one_line(redact(text)) for text in (code, message) if text)
        raise operation.error(
            AnswerError,
            f"{operation.name} was answered with HTTP {status} and JSON that has no list {list_key}"
            + (f": {words}" if words else "."),
            http_status=status,
            request_id=one_line(redact(request_id), 100) if request_id else None,
            uncertain=True,
            stops_all=False,
        )
    return Page(records, total)


def says_nothing(data: t.Any) -> bool:
    """Whether the body of an answer is empty, or an object that has nothing but an empty message (C8)."""
    return data in (None, "") or (isinstance(data, dict) and data.keys() <= {"message"} and not data.get("message"))


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
    #: Error codes by which the service says that an offset lies after the last record, where it gives no empty page.
    codes_after_the_end: t.Collection[str] = ()

    def __init__(
        self,
        client: Client,
        endpoints: Endpoints,
        account: Account,
        warn: t.Callable[[str], None] | None,
        *,
        complete: bool | None = None,
    ) -> None:
        """Make a client of the service.

        :arg warn: is told when a listing may lack something; None makes that an error.
        :arg complete: whether absence decides something, so that only an empty page ends a listing; so without C(warn).
        """
        self.client = client
        self._endpoints = endpoints
        self._account = account
        self._warn = warn
        self._complete = warn is None if complete is None else complete

    def call(
        self, operation: Operation, path: t.Mapping[str, str], query: Query | None = None, *, read_body: bool = True
    ) -> Answer:
        """Send one request; see C(Client.request)."""
        base_url = self._endpoints.url(operation.service)
        project_id = self._account.project_id
        renew = partial(self._account.renew, self._account.sign_ins)
        try:
            return self.client.request(
                operation,
                base_url,
                path={"project_id": project_id, **path},
                query=query,
                headers={"X-Project-Id": project_id},
                auth=self._account.authenticate,
                renew=renew,
                read_body=read_body,
            )
        except MaintenanceError as error:
            error.message += _about(path)
            raise

    def unconfirmed(self, operation: Operation, answer: Answer, *, accepted: bool = False) -> AnswerError:
        """The error for a successful answer that is not the documented one: only a listing tells what was done.

        :arg accepted: whether the answer says that the request was received, so that only its effect is open.
        """
        said = one_line(self.client.redact(json.dumps(answer.data)), 200)
        return operation.error(
            AnswerError,
            f"{operation.name} was answered with HTTP {answer.status} and {said}, which is not its documented answer.",
            http_status=answer.status,
            uncertain=True,
            accepted=accepted,
            # What is no object is not the service's own word, and would be said to all others too.
            stops_all=bool(answer.data) and not isinstance(answer.data, dict),
        )

    def listing(self, operation: Operation, path: t.Mapping[str, str], query: Query, keys: ListKeys) -> Listing:
        """A listing of this service, of which nothing has been asked yet."""
        about = _about(path)

        def fetch(offset: int) -> Page:
            try:
                answer = self.call(operation, path, {**query, "offset": offset, "limit": self.page_size})
            except ApiError as error:
                if offset and error.code in self.codes_after_the_end:
                    return Page([], None)
                raise
            self.normalize_listing(operation, answer.data)
            try:
                return read_page(
                    answer.data,
                    keys.records,
                    keys.total,
                    operation,
                    status=answer.status,
                    redact=self.client.redact,
                )
            except AnswerError as error:
                error.message += about
                raise

        return Listing(
            fetch,
            self.page_size,
            keys.identifier,
            operation,
            self._warn,
            until_empty=self._complete,
            about=about,
        )

    def normalize_listing(self, operation: Operation, data: t.Any) -> None:
        """Put what an answer of a listing has elsewhere where its documentation has it, if the service needs that."""

    def list_all(self, listing: Listing) -> list[Record]:
        """All records of one listing, or as many as are enough; see C(list_each)."""
        outcome = self.list_each([("", listing)])[0][0]
        if outcome.error is not None:
            raise outcome.error
        records: list[Record] = outcome.value
        return records

    def list_each(
        self,
        listings: t.Sequence[tuple[str, Listing]],
        stops: t.Callable[[Outcome], bool] | None = None,
    ) -> tuple[list[Outcome], list[str]]:
        """The records of each listing by its name, and the names of listings that were not begun; see C(each).

        First pages come first, then all others at the same time, unless a listing may end early. Nothing more is asked
        after what stops.
        """
        if not listings:
            return [], []
        decide = stops or unless_hopeless()
        stopped = False

        def ends_all(outcome: Outcome) -> bool:
            nonlocal stopped
            stopped = decide(outcome) or stopped
            return stopped

        operation = listings[0][1].operation
        named = dict(listings)
        firsts: dict[str, Page] = {}

        def begin(name: str) -> list[Record] | None:
            listing = named[name]
            first = listing.fetch(0)
            if listing.enough is None and listing.other_pages(first):
                firsts[name] = listing.checked(first)
                return None
            return listing.collect({0: first})

        begun, not_begun = each(
            self.client, operation, named, begin, lambda outcome: outcome.item not in firsts and ends_all(outcome)
        )
        if not firsts:
            return begun, not_begun
        pages, failed = ({}, {}) if stopped else self._other_pages(named, firsts, ends_all)
        whole = [name for name in firsts if name in pages and not stopped]
        ended, not_ended = each(
            self.client, operation, whole, lambda name: named[name].collect(pages.pop(name)), ends_all
        )
        outcomes = {outcome.item: outcome for outcome in (*begun, *ended)}
        outcomes.update((name, Outcome(name, None, error)) for name, error in failed.items())
        unread = firsts.keys() - {*whole, *failed}
        skipped = {*not_begun, *unread, *not_ended}
        return [outcomes[name] for name in named if name not in skipped], [name for name in named if name in skipped]

    def _other_pages(
        self, named: t.Mapping[str, Listing], firsts: t.Mapping[str, Page], stops: t.Callable[[Outcome], bool]
    ) -> tuple[dict[str, dict[int, Page]], dict[str, MaintenanceError]]:
        """All pages of listings that could be read, by offset, and the failures of others."""
        wanted = [(name, offset) for name, first in firsts.items() for offset in named[name].other_pages(first)]
        ends: dict[str, int] = {}
        failed: dict[str, MaintenanceError] = {}

        def go_on(page: tuple[str, int]) -> Page:
            name, offset = page
            if offset > ends.get(name, offset):
                # The count was too high; no need to ask for all that is not there.
                return Page([], None)
            fetched = named[name].checked(named[name].fetch(offset))
            if not fetched.records:
                ends[name] = min(offset, ends.get(name, offset))
            return fetched

        def give_up(outcome: Outcome) -> bool:
            name = outcome.item[0]
            if outcome.error is None or name in failed:
                return False
            failed[name] = outcome.error
            return stops(outcome._replace(item=name))

        operation = next(iter(named.values())).operation
        fetched, not_fetched = each(self.client, operation, wanted, go_on, give_up)
        pages: dict[str, dict[int, Page]] = {name: {0: first} for name, first in firsts.items()}
        for outcome in fetched:
            name, offset = outcome.item
            if outcome.error is None:
                pages[name][offset] = outcome.value
            else:
                # That which was given up, too.
                failed.setdefault(name, outcome.error)
        for name in {*failed, *(name for name, _offset in not_fetched)}:
            del pages[name]
        return pages, failed

    def instances(self, name: str | None = None) -> list[Record]:
        """The instances of the project, or those with exactly this name."""
        query = {} if name is None else {"name": name, **self.exact_name}
        listing = self.listing(self.list_instances, {}, query, self.instance_keys)
        if name is not None:
            # One instance, or none: that needs no proof of the end.
            listing = listing._replace(until_empty=False)
        records = self.list_all(listing)
        return [record for record in records if name is None or record.get("name") == name]

    def all_or(self, names_or_ids: t.Sequence[str]) -> list[str]:
        """The ids of all instances of the project where C(all) is what was given, else as C(instance_ids)."""
        if list(names_or_ids) == ["all"]:
            return sorted(instance[self.instance_keys.identifier] for instance in self.instances())
        return self.instance_ids(names_or_ids)

    def instance_ids(self, names_or_ids: t.Sequence[str]) -> list[str]:
        """The ids of instances given by id or exact name; RefusedError that lists all names that fit none or several.

        Ids cost no request, one name a look-up, several a listing.
        """
        names = list(dict.fromkeys(value for value in names_or_ids if not self.instance_id.match(value)))
        found: dict[str, list[str]] = {name: [] for name in names}
        if names:
            for instance in self.instances(names[0] if len(names) == 1 else None):
                name = instance.get("name")
                if isinstance(name, str) and name in found:
                    found[name].append(instance[self.instance_keys.identifier])
        kind = self.list_instances.service.upper()
        unknown = [name for name, ids in found.items() if not ids]
        several = [f"{len(ids)} named {name}: {enumerated(sorted(ids))}" for name, ids in found.items() if len(ids) > 1]
        if unknown or several:
            said = (
                [f"There is no {kind} instance named {enumerated(unknown, ' or ')} in this project."] if unknown else []
            )
            said += [f"There are {kind} instances of the same name: {enumerated(several, '; ')}."] if several else []
            raise self.list_instances.error(
                RefusedError,
                " ".join(said),
                code="NotFound" if unknown else "Ambiguous",
                hint="Check the names, the region and the project." if unknown else "Give the instances' ids.",
            )
        return list(dict.fromkeys(found[value][0] if value in found else value.lower() for value in names_or_ids))


def _about(path: t.Mapping[str, str]) -> str:
    """The instance that a request is about, for a message."""
    return f" (instance {path['instance_id']})" if "instance_id" in path else ""
