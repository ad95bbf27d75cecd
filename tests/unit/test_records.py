# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks and jobs have in common: phases, counting, order, and waiting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    PHASES,
    Wait,
    describe,
    has_ended,
    newest_first,
    phase_of,
    summary,
)

WORDS = {
    "pending": ["CREATED", "INIT", "WAITING", "Pending"],
    "running": ["EXECUTING", "RUNNING", "Running"],
    "succeeded": ["SUCCESS", "Completed"],
    "failed": ["FAILED", "FAIL", "Failed"],
    "cancelled": ["CANCELLED", "CANCELED", "Canceled", "DELETED"],
    "unknown": ["", "SUSPENDED", "SUCCESSFUL", " SUCCESS", "SUCCESS\n", "PAUSED", "None"],
}


@pytest.mark.parametrize(("phase", "word"), [(phase, word) for phase, words in WORDS.items() for word in words])
def test_phase(phase, word):
    assert phase_of(word) == phase
    assert phase_of(word.lower()) == phase
    assert phase_of(word.upper()) == phase


@pytest.mark.parametrize("status", [None, 5, True, [], ["SUCCESS"], {}, b"SUCCESS"])
def test_phase_of_what_is_no_word(status):
    assert phase_of(status) == "unknown"


def test_every_phase_has_words():
    assert set(WORDS) == set(PHASES)


@given(st.text())
def test_phase_of_any_word(word):
    assert phase_of(word) in PHASES


@pytest.mark.parametrize(
    ("phase", "ended"),
    [
        ("pending", False),
        ("running", False),
        ("unknown", False),
        ("succeeded", True),
        ("failed", True),
        ("cancelled", True),
    ],
)
def test_ends(phase, ended):
    assert has_ended({"phase": phase}) is ended


def test_summary():
    records = [
        {"phase": "pending", "name": "b"},
        {"phase": "pending", "name": "a"},
        {"phase": "unknown", "name": "b"},
        {"phase": "failed"},
        {"phase": "failed", "name": None},
    ]
    counted = summary(iter(records), "name")
    assert counted == {
        "total": 5,
        "by_phase": {"pending": 2, "running": 0, "succeeded": 0, "failed": 2, "cancelled": 0, "unknown": 1},
        "by_name": {"None": 2, "a": 1, "b": 2},
    }
    assert list(counted["by_name"]) == ["None", "a", "b"]
    assert list(counted["by_phase"]) == list(PHASES)


def test_summary_of_nothing():
    assert summary([], "name") == {"total": 0, "by_phase": dict.fromkeys(PHASES, 0), "by_name": {}}


def test_newest_first():
    times = {
        "new": "2026-01-15T08:30:00.002Z",
        "a": "2026-01-15T08:30:00.001Z",
        "b": "2026-01-15T09:30:00.001+0100",
        "old": "0001-01-01T00:00:00Z",
        "no time": None,
        "odd time": "yesterday",
        "number": 5,
    }
    records = [{"id": key, "at": value} for key, value in times.items()] + [{"id": "no field"}]
    expected = ["new", "a", "b", "old", "no field", "no time", "number", "odd time"]
    for order in (records, records[::-1], sorted(records, key=str)):
        assert [record["id"] for record in newest_first(order, "at", "id")] == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12), st.randoms(use_true_random=False))
def test_order_is_the_same_where_times_are_compared_as_text(moments, random):
    """One time in another form, and all are parsed."""
    records = [
        {"id": f"k{number:02}", "at": f"2026-01-0{day + 1}T00:00:00.00{part}Z"}
        for number, (day, part) in enumerate(moments)
    ]
    random.shuffle(records)
    oldest = {"id": "oldest", "at": "1999-12-31T23:59:59+0000"}
    assert newest_first([*records, oldest], "at", "id") == [*newest_first(records, "at", "id"), oldest]


@given(st.lists(st.tuples(st.integers(2000, 2003), st.booleans()), max_size=12), st.randoms(use_true_random=False))
def test_order_does_not_depend_on_the_order_given(parts, random):
    records = [
        {"id": f"k{number:02}", "at": f"{year}-01-01T00:00:00Z" if readable else "?"}
        for number, (year, readable) in enumerate(parts)
    ]
    shuffled = random.sample(records, len(records))
    assert newest_first(shuffled, "at", "id") == newest_first(records, "at", "id")


def test_describe():
    tasks = [{"id": "t-1", "name": "EXTEND", "status": "CREATED"}, {"id": "t-2"}]
    assert describe(tasks) == "EXTEND t-1 (CREATED), None t-2 (None)"
    assert describe([{"job_id": "j", "job_name": "N", "job_status": "Pending"}]) == "N j (Pending)"
    assert describe([]) == ""


def test_describe_does_not_go_on_for_ever():
    tasks = [{"id": f"t-{number}", "name": "EXTEND", "status": "CREATED"} for number in range(13)]
    assert describe(tasks[:10]).endswith("EXTEND t-9 (CREATED)")
    assert describe(tasks).endswith("EXTEND t-9 (CREATED) and 3 more")


class Pauses:
    """Keeps how long each pause was, in seconds, and lets no time pass."""

    def __init__(self, enough):
        self.lengths = []
        self.enough = enough

    def __call__(self, seconds):
        self.lengths.append(seconds)
        if len(self.lengths) >= self.enough:
            raise StopIteration


@pytest.mark.parametrize(
    ("interval", "lengths"),
    [
        (5, [5, 7.5, 11.25, 16.875, 25.3125, 37.96875, 56.953125, 60, 60]),
        (100, [100] * 9),
    ],
)
def test_the_interval_grows_while_nothing_changes(interval, lengths):
    pauses = Pauses(len(lengths))
    looks = Wait(100000, interval, pauses).looks(lambda: len(pauses.lengths))
    with pytest.raises(RuntimeError):
        list(looks)
    assert pauses.lengths == lengths


def test_the_interval_is_short_again_after_a_change():
    pauses = Pauses(4)
    quiet = iter([0, 1, 2, 0])
    with pytest.raises(RuntimeError):
        list(Wait(100000, 4, pauses).looks(lambda: next(quiet)))
    assert pauses.lengths == [4, 6, 9, 4]
