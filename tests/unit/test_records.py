# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks and jobs have in common: phases, counting, order, and attempts of which some fail."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ApiError, NetworkError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    PHASES,
    attempt_each,
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


class Attempts:
    """Things that fail as said; failures with status 403 stop the rest."""

    def __init__(self, **failures):
        self.failures = failures
        self.tried = []
        self.settled = 0

    def act(self, identifier):
        self.tried.append(identifier)
        if identifier in self.failures:
            raise ApiError("m", http_status=self.failures[identifier])

    def settle(self, done, failed):
        self.settled += 1

    def run(self, identifiers, settle=None):
        done, failed, rest = attempt_each(identifiers, self.act, settle or self.settle, lambda error: error.stops_all)
        return done, list(failed), rest


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ({}, (["a", "b", "c", "d"], [], [])),
        ({"b": 404}, (["a", "c", "d"], ["b"], [])),
        ({"b": 403}, (["a"], ["b"], ["c", "d"])),
        ({"a": 403}, ([], ["a"], ["b", "c", "d"])),
        ({"d": 403}, (["a", "b", "c"], ["d"], [])),
        ({"a": 404, "c": 403}, (["b"], ["a", "c"], ["d"])),
        ({"a": 404, "b": 400, "c": 409, "d": 404}, ([], ["a", "b", "c", "d"], [])),
    ],
)
def test_attempt_each(failures, expected):
    attempts = Attempts(**failures)
    given_ids = ["a", "b", "c", "d"]
    assert attempts.run(given_ids) == expected
    assert given_ids == ["a", "b", "c", "d"]
    assert attempts.settled == 1


def test_attempt_nothing():
    assert Attempts().run([]) == ([], [], [])


def test_rest_goes_on_when_a_closer_look_clears_the_failure():
    def settle(done, failed):
        for identifier in list(failed):
            del failed[identifier]
            done.append(identifier)

    attempts = Attempts(b=403, d=403)
    assert attempts.run(["a", "b", "c", "d", "e"], settle) == (["a", "b", "c", "d", "e"], [], [])
    assert attempts.tried == ["a", "b", "c", "d", "e"]


def test_other_exceptions_are_not_caught():
    def act(identifier):
        raise KeyError(identifier)

    with pytest.raises(KeyError):
        attempt_each(["a"], act, lambda done, failed: None, lambda error: False)


def test_stops_is_asked_for_each_failure():
    asked = []

    def act(identifier):
        raise NetworkError(identifier)

    attempt_each(["a", "b"], act, lambda done, failed: None, lambda error: asked.append(str(error)))
    assert asked == ["a", "b"]
