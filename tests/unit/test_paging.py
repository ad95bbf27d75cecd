# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listings: complete and finite, whatever the pages look like, with the fewest requests, and no loss in silence."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import AnswerError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import Listing, Page, all_of, read_page

LIST_THINGS = Operation("ListThings", "dcs", "GET", "/v2/things")


def record(key):
    return {"id": key, "name": f"name of {key}"}


class Server:
    """Holds records, and serves them from an offset; each part of its behaviour can be replaced."""

    def __init__(self, keys, limit, *, total=None, length=None, before=None):
        self.keys = list(keys)
        self.limit = limit
        self.total = total or (lambda server: len(server.keys))
        self.length = length or (lambda server: server.limit)
        self.before = before or {}
        self.offsets = []
        self.warnings = []

    def fetch(self, offset):
        self.before.get(len(self.offsets), lambda server: None)(self)
        self.offsets.append(offset)
        page = self.keys[offset : offset + self.length(self)]
        return Page([record(key) for key in page], self.total(self))

    def listing(self, enough=None):
        return Listing(self.fetch, self.limit, "id", LIST_THINGS, self.warnings.append, enough)

    def collect(self, wanted=None):
        return [entry["id"] for entry in self.listing(None if wanted is None else all_of(wanted)).collect()]


def keys(count):
    return [f"k{number:03}" for number in range(count)]


@pytest.mark.parametrize(
    ("count", "offsets"),
    [(0, [0]), (1, [0]), (9, [0]), (10, [0, 9]), (11, [0, 9]), (19, [0, 9, 18]), (20, [0, 9, 18]), (25, [0, 9, 18])],
)
def test_fewest_requests(count, offsets):
    server = Server(keys(count), 10)
    assert server.collect() == keys(count)
    assert server.offsets == offsets
    assert server.warnings == []


@pytest.mark.parametrize(("count", "offsets"), [(0, [0]), (9, [0, 9]), (10, [0, 9, 10]), (15, [0, 9, 15])])
def test_without_a_count_an_empty_page_is_the_end(count, offsets):
    server = Server(keys(count), 10, total=lambda server: None)
    assert server.collect() == keys(count)
    assert server.offsets == offsets
    assert server.warnings == []


def test_whole_records_are_returned():
    assert Server(["a"], 10).listing().collect() == [record("a")]


def test_short_pages():
    server = Server(keys(25), 10, length=lambda server: 4)
    assert server.collect() == keys(25)
    assert server.offsets == [0, 4, 8, 12, 16, 20, 24] * 2, "such pages do not overlap, so the second reading confirms"


def test_short_pages_without_a_count():
    server = Server(keys(25), 10, length=lambda server: 4, total=lambda server: None)
    assert server.collect() == keys(25)
    assert server.offsets == [0, 4, 8, 12, 16, 20, 24, 25] * 2


def test_count_that_is_too_small():
    server = Server(keys(25), 10, total=lambda server: 1)
    assert server.collect() == keys(25)
    assert server.warnings == []


def test_count_that_is_too_large():
    server = Server(keys(25), 10, total=lambda server: 99)
    assert server.collect() == keys(25)
    assert server.offsets == [0, 9, 18, 25] * 2, "read a second time, then believed"
    assert len(server.warnings) == 1
    assert "lists 25 records, twice the same" in server.warnings[0]


@pytest.mark.parametrize("total", [lambda server: 99, lambda server: 100 - len(server.offsets)])
def test_where_completeness_matters_doubt_is_an_error(total):
    listing = Server(keys(25), 10, total=total).listing()._replace(warn=None)
    with pytest.raises(AnswerError, match=r"^ListThings (lists 25|may lack)") as caught:
        listing.collect()
    assert caught.value.retryable


def test_nothing_although_the_count_says_more():
    """An empty page that came once may be a hiccup: it is not believed before it came a second time."""
    server = Server([], 10, total=lambda server: 3, before={1: lambda server: server.keys.extend(keys(3))})
    assert server.collect() == keys(3)
    assert server.warnings == []


def test_empty_page_once():
    lengths = iter([10, 0, 10, 10, 10])
    server = Server(keys(25), 10, length=lambda server: next(lengths))
    assert server.collect() == keys(25)
    assert server.offsets == [0, 9, 0, 9, 18]
    assert server.warnings == []


def test_empty_page_each_time_elsewhere():
    lengths = iter([5, 0, 6, 0, 7, 0])
    server = Server(keys(25), 10, length=lambda server: next(lengths))
    with pytest.raises(AnswerError, match="incomplete listing 3 times: 7 records") as caught:
        server.collect()
    assert caught.value.retryable is True
    assert caught.value.operation == "ListThings"


@pytest.mark.parametrize("total", [None, 10, 50])
def test_page_that_is_repeated_for_ever(total):
    """The offset is not honoured."""
    fetched = []

    def fetch(offset):
        fetched.append(offset)
        return Page([record(key) for key in keys(10)], total)

    with pytest.raises(AnswerError, match="the same page again 3 times, after 10 records"):
        Listing(fetch, 10, "id", LIST_THINGS, pytest.fail).collect()
    assert fetched == [0, 9, 0, 10, 0, 10]


def test_page_that_is_repeated_once():
    fetched = []

    def fetch(offset):
        fetched.append(offset)
        start = 0 if len(fetched) == 2 else offset
        return Page([record(key) for key in keys(25)[start : start + 10]], 25)

    found = Listing(fetch, 10, "id", LIST_THINGS, pytest.fail).collect()
    assert [entry["id"] for entry in found] == keys(25)


def test_pages_that_overlap():
    """One entry moves to the next page because another was inserted: it is taken once."""
    server = Server(keys(15), 10, before={1: lambda server: server.keys.insert(0, "new")})
    assert sorted(server.collect()) == sorted([*keys(15), "new"])
    assert server.warnings == []


def test_removal_while_listing_is_noticed():
    server = Server(keys(25), 10, before={1: lambda server: server.keys.remove("k000")})
    found = server.collect()
    assert found == keys(25)[1:], "read again, without the one that is gone"
    assert server.warnings == []


def test_removal_in_each_reading_is_warned_about():
    removals = {number: lambda server: server.keys.pop(0) for number in (1, 3, 5, 7)}
    server = Server(keys(15), 10, before=removals)
    server.collect()
    assert len(server.warnings) == 1
    assert "records moved or were removed while they were listed" in server.warnings[0]


def test_removal_that_an_insertion_hides():
    """The count falls, and rises again before the last page."""
    server = Server(
        keys(35),
        10,
        before={1: lambda server: server.keys.pop(0), 3: lambda server: server.keys.append("new")},
    )
    found = server.collect()
    assert server.warnings or set(found) >= set(keys(35)[1:])


def test_all_removed_while_listing():
    server = Server(keys(20), 10, before={1: lambda server: server.keys.clear()})
    assert server.collect() == []


def test_endless_server_is_left():
    fetched = []

    def fetch(offset):
        fetched.append(offset)
        return Page([record(str(offset))], None)

    with pytest.raises(AnswerError, match="has no end: 10000 pages were read"):
        Listing(fetch, 1, "id", LIST_THINGS, pytest.fail).collect()
    assert len(fetched) == 10000


@pytest.mark.parametrize(
    ("wanted", "offsets"),
    [
        (["k000"], [0]),
        (["k009", "k003"], [0]),
        (["k010"], [0, 9]),
        (["k003", "k012"], [0, 9]),
        ({"k999"}, [0, 9, 18]),
        (["k003", "k999"], [0, 9, 18]),
    ],
)
def test_wanted_stops_early(wanted, offsets):
    server = Server(keys(25), 10)
    found = server.collect(wanted)
    assert server.offsets == offsets
    assert found == keys(25)[: offsets[-1] + 10]
    assert server.warnings == []


def test_wanted_is_not_changed():
    wanted = {"k001"}
    Server(keys(25), 10).collect(wanted)
    assert wanted == {"k001"}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (None, "an entry that is no object: 'None'"),
        ("k", "an entry that is no object: 'k'"),
        (5, "an entry that is no object: '5'"),
        (["a"], """an entry that is no object: "['a']\""""),
        ({}, "an entry that has no id"),
        ({"id": None}, "an entry that has no id"),
        ({"ID": "k"}, "an entry that has no id"),
        ({"id": ""}, "an entry whose id is none: ''"),
        ({"id": 5}, "an entry whose id is none: '5'"),
        ({"id": ["k"]}, """an entry whose id is none: "['k']\""""),
        ({"id": True}, "an entry whose id is none: 'True'"),
        ({"id": ".."}, "an entry whose id is none: '..'"),
        ({"id": "."}, "an entry whose id is none: '.'"),
        ({"id": "a/b"}, "an entry whose id is none: 'a/b'"),
        ({"id": "a\nb"}, r"an entry whose id is none: 'a\nb'"),
        ({"id": "a\n"}, r"an entry whose id is none: 'a\n'"),
        ({"id": "%2e%2e"}, "an entry whose id is none: '%2e%2e'"),
        ({"id": "\u0661"}, "an entry whose id is none: '\u0661'"),
        ({"id": "x" * 65}, "an entry whose id is none: 'xxxx"),
        ({"id": "\x1b[2J" * 10**5}, r"an entry whose id is none: '\x1b[2J"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_entry_without_a_usable_identifier(entry, said, place):
    entries = [record("a"), record("b")]
    entries.insert(place, entry)
    listing = Listing(lambda offset: Page(entries, 3), 10, "id", LIST_THINGS, pytest.fail, about=" (instance 5560df16)")
    with pytest.raises(AnswerError) as caught:
        listing.collect()
    assert str(caught.value.message).startswith(f"ListThings was answered with {said}")
    assert caught.value.message.endswith(" (instance 5560df16)")
    assert len(caught.value.message) < 300
    assert caught.value.message.isprintable()
    assert caught.value.failure()["service"] == "dcs"
    assert caught.value.failure()["operation"] == "ListThings"
    assert not caught.value.stops_all, "other instances can still be listed"


# Where absence decides


def collect_to_the_end(server, **changes):
    return [entry["id"] for entry in server.listing()._replace(until_empty=True, warn=None, **changes).collect()]


@pytest.mark.parametrize(
    ("count", "offsets"),
    [
        (0, [0]),
        (1, [0, 1]),
        (9, [0, 9]),
        (10, [0, 9, 10]),
        (15, [0, 9, 15]),
        (19, [0, 9, 18, 19]),
        (20, [0, 9, 18, 20]),
    ],
)
def test_only_an_empty_page_is_the_end(count, offsets):
    server = Server(keys(count), 10)
    assert collect_to_the_end(server) == keys(count)
    assert server.offsets == offsets


@pytest.mark.parametrize("most", [1, 4, 10])
def test_a_count_that_is_only_the_page_s_own_hides_nothing(most):
    """The service gives fewer records than it was asked for, and counts those of the page."""
    fetched = []

    def fetch(offset):
        fetched.append(offset)
        page = keys(25)[offset : offset + most]
        return Page([record(key) for key in page], len(page))

    listing = Listing(fetch, 1000, "id", LIST_THINGS, None, until_empty=True)
    assert [entry["id"] for entry in listing.collect()] == keys(25)
    assert fetched == [*range(0, 25, most), 25] * 2, "the second reading shows that nothing was removed"


@pytest.mark.parametrize("total", [None, 3, 10])
def test_a_page_that_is_repeated_is_no_end(total):
    listing = Listing(lambda offset: Page([record(key) for key in keys(3)], total), 10, "id", LIST_THINGS, None)
    with pytest.raises(AnswerError, match="the same page again 3 times, after 3 records, so that there may be more"):
        listing._replace(until_empty=True).collect()


def test_what_was_wanted_still_ends_a_listing_early():
    server = Server(keys(25), 10)
    assert collect_to_the_end(server, enough=all_of(["K003", "k012"])) == keys(19)
    assert server.offsets == [0, 9]


@pytest.mark.parametrize(
    ("given_total", "total"),
    [
        (5, 5),
        (0, 0),
        ("5", 5),
        ("0", 0),
        ("007", 7),
        (-1, None),
        ("-1", None),
        (True, None),
        (False, None),
        (5.0, None),
        ("5.0", None),
        ("", None),
        (" 5", None),
        ("five", None),
        ("\u0665", None),
        ("²", None),
        ("9" * 13, None),
        ("9" * 5000, None),
        (None, None),
        ([], None),
        ({}, None),
    ],
)
def test_count(given_total, total):
    data = {"things": [{"id": "a"}], "count": given_total}
    assert read_page(data, "things", "count", LIST_THINGS) == Page([{"id": "a"}], total)


def test_count_is_missing():
    assert read_page({"things": []}, "things", "count", LIST_THINGS) == Page([], None)


@pytest.mark.parametrize("count", [0, "0"])
def test_null_and_a_count_of_nothing_is_an_empty_page(count):
    assert read_page({"things": None, "count": count}, "things", "count", LIST_THINGS) == Page([], 0)


@pytest.mark.parametrize(
    "data",
    [
        *(None, [], "x", 5, {}, {"things": None}, {"things": {}}, {"things": "x"}, {"count": 1}, {"count": 0}),
        *({"things": None, "count": count} for count in (None, 1, "1", -1, False, "", [], 0.0)),
        {"things": {}, "count": 0},
    ],
)
def test_page_of_the_wrong_shape(data):
    with pytest.raises(
        AnswerError, match=r"^ListThings was answered with HTTP 203 and JSON that has no list things\.$"
    ) as caught:
        read_page(data, "things", "count", LIST_THINGS, status=203)
    assert caught.value.code == "UnreadableAnswer"
    assert caught.value.http_status == 203
    assert not caught.value.stops_all


def test_an_error_in_place_of_a_list_is_told_in_the_service_s_own_words():
    data = {"error_code": "DCS.5000", "error_msg": "busy\n\x1b[2J, " + "secret" * 100, "request_id": "r\n1"}
    with pytest.raises(AnswerError) as caught:
        read_page(data, "things", "count", LIST_THINGS, redact=lambda text: text.replace("secret", "*"))
    assert re.fullmatch(
        r"ListThings was answered with HTTP 200 and JSON that has no list things: DCS\.5000 busy \[2J, \**",
        caught.value.message,
    )
    assert caught.value.request_id == "r 1"


@given(
    st.integers(0, 60),
    st.integers(1, 12),
    st.lists(st.integers(1, 12), min_size=1, max_size=8),
    st.sampled_from(["right", "text", "none", "1 now and then"]),
)
def test_honest_server_gives_everything_once(count, limit, lengths, counting):
    """Pages of any length but none, and a count that is right, missing, or missing now and then."""

    def total(server):
        if counting == "none" or (counting == "1 now and then" and len(server.offsets) % 3):
            return None
        return len(server.keys)

    def length(server):
        return min(lengths[len(server.offsets) % len(lengths)], server.limit)

    server = Server(keys(count), limit, total=total, length=length)
    assert server.collect() == keys(count)
    assert server.warnings == []
    assert len(server.offsets) <= 2 * (count + 1)


CHANGES = st.dictionaries(st.integers(0, 12), st.integers(1, 4), max_size=4)


@given(st.integers(0, 30), st.integers(1, 8), CHANGES, st.randoms(use_true_random=False))
def test_removals_never_lose_a_record_in_silence(count, limit, changes, random):
    def remove(number):
        def change(server):
            for _each in range(min(number, len(server.keys))):
                server.keys.pop(random.randrange(len(server.keys)))

        return change

    server = Server(keys(count), limit, before={at: remove(number) for at, number in changes.items()})
    found = server.collect()
    assert len(found) == len(set(found))
    assert server.warnings or set(found) >= set(server.keys)


@given(st.integers(0, 30), st.integers(1, 8), CHANGES, st.randoms(use_true_random=False))
def test_insertions_never_lose_a_record_in_silence(count, limit, changes, random):
    def insert(at, number):
        def change(server):
            for each in range(number):
                server.keys.insert(random.randint(0, len(server.keys)), f"new-{at}-{each}")

        return change

    server = Server(keys(count), limit, before={at: insert(at, number) for at, number in changes.items()})
    try:
        found = server.collect()
    except AnswerError:
        return
    assert len(found) == len(set(found))
    assert server.warnings or set(found) >= set(keys(count))


@pytest.mark.parametrize("total", [None, lambda server: len(server.keys)])
def test_a_removal_and_an_addition_between_two_pages_hide_nothing(total):
    """The count stays the same, and so does the number of records: only the places have changed."""

    def change(server):
        server.keys.pop(0)
        server.keys.append("new")

    server = Server(keys(15), 10, total=total or (lambda server: None), before={1: change})
    found = collect_to_the_end(server)
    assert found == [*keys(15)[1:], "new"]
    assert server.offsets == [0, 9, 15, 0, 9, 15], "read again, as the second page did not begin with the last record"


def test_an_order_that_changes_with_each_page_is_believed_when_all_are_seen_twice():
    def shift(server):
        server.keys.append(server.keys.pop(0))

    server = Server(keys(12), 10, before=dict.fromkeys((1, 4), shift))
    server.before[3] = lambda server: server.keys.insert(0, server.keys.pop())
    assert sorted(collect_to_the_end(server)) == keys(12)


def test_a_service_that_gives_whole_pages_only_is_read_page_by_page():
    """An offset within a page gives that page from its beginning."""
    fetched = []

    def fetch(offset):
        fetched.append(offset)
        start = offset // 10 * 10
        return Page([record(key) for key in keys(25)[start : start + 10]] if offset < 25 else [], 25)

    listing = Listing(fetch, 10, "id", LIST_THINGS, None, until_empty=True)
    assert [entry["id"] for entry in listing.collect()] == keys(25)
    assert fetched == [0, 9, 0, 10, 20, 25]


@given(
    st.integers(0, 30),
    st.integers(2, 8),
    st.dictionaries(st.integers(0, 12), st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=4),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_what_is_there_all_the_time_is_found_or_doubted(count, limit, changes, counted, at_the_end, random):
    """Removals anywhere, and additions where the service puts new records: at the beginning or at the end."""

    def change(at, removals, additions):
        def apply(server):
            for _each in range(min(removals, len(server.keys))):
                server.keys.pop(random.randrange(len(server.keys)))
            for each in range(additions):
                server.keys.insert(len(server.keys) if at_the_end else 0, f"new-{at}-{each}")

        return apply

    total = (lambda server: len(server.keys)) if counted else (lambda server: None)
    server = Server(keys(count), limit, total=total, before={at: change(at, *two) for at, two in changes.items()})
    try:
        found = collect_to_the_end(server)
    except AnswerError:
        return
    assert len(found) == len(set(found))
    assert set(found) >= set(keys(count)) & set(server.keys)
