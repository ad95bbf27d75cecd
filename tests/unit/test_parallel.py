# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Doing the same to each of many: order, how many at the same time, what stops it, and who waits for whom."""

from __future__ import annotations

import os
import re
import signal
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils import _parallel
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    ApiError,
    MaintenanceError,
    NetworkError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, HttpOptions, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import attempt_each, each, unless_hopeless
from tests.unit.loopback import Loopback, answer, drip, drop, stall

REMOVE = Operation("RemoveThing", "dcs", "DELETE", "/things/{thing}")
LIST = Operation("ListThings", "dcs", "GET", "/things")


def client_of(concurrency=8, *, accepted=True, **options):
    client = Client(HttpOptions(max_concurrency=concurrency, **options))
    client.accepted = accepted
    return client


class Work:
    """What is done to each: takes a while, fails as said, and keeps what was under way at the same time."""

    def __init__(self, failures=None, pause=0.01):
        self.failures = failures or {}
        self.pause = pause
        self.tried = []
        self.under_way = 0
        self.most = 0
        self._lock = threading.Lock()

    def __call__(self, item):
        with self._lock:
            self.tried.append(item)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        time.sleep(self.pause)
        with self._lock:
            self.under_way -= 1
        if item in self.failures:
            raise ApiError(f"{item} failed", http_status=self.failures[item])
        return f"{item} done"


def run(client, items, work, stops=None):
    outcomes, not_tried = each(client, REMOVE, items, work, stops or unless_hopeless())
    done = [outcome.item for outcome in outcomes if outcome.error is None]
    failed = [outcome.item for outcome in outcomes if outcome.error is not None]
    return done, failed, not_tried


@pytest.mark.parametrize("concurrency", [1, 2, 8, 64])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 30])
def test_each_is_done_once_and_the_outcomes_are_in_order(concurrency, count):
    work = Work(pause=0.002)
    items = list(range(count))
    outcomes, not_tried = each(client_of(concurrency), REMOVE, items, work, unless_hopeless())
    assert [outcome.item for outcome in outcomes] == items
    assert [outcome.value for outcome in outcomes] == [f"{item} done" for item in items]
    assert not_tried == []
    assert sorted(work.tried) == items
    assert work.most <= concurrency


def test_as_many_at_the_same_time_as_wanted():
    work = Work(pause=0.05)
    started = time.monotonic()
    run(client_of(8), range(32), work)
    assert work.most == 8
    assert time.monotonic() - started < 32 * 0.05 * 0.6


def test_one_at_a_time_until_credentials_were_accepted():
    """Five bad signatures lock an access key."""
    client = client_of(8, accepted=False)
    at_first = []

    def act(item):
        at_first.append((item, client.accepted, threading.current_thread() is threading.main_thread()))
        client.accepted = item >= 2

    run(client, range(10), act)
    assert at_first[:3] == [(0, False, True), (1, False, True), (2, False, True)]
    assert all(accepted and not main for _item, accepted, main in at_first[3:])


def test_refused_credentials_are_tried_once():
    client = client_of(8, accepted=False)
    work = Work(dict.fromkeys(range(20), 401))
    assert run(client, range(20), work) == ([], [0], list(range(1, 20)))


@pytest.mark.parametrize("concurrency", [1, 8])
def test_failures_of_one_do_not_stop_the_others(concurrency):
    work = Work(dict.fromkeys((3, 4, 9), 404))
    done, failed, not_tried = run(client_of(concurrency), range(12), work)
    assert (failed, not_tried) == ([3, 4, 9], [])
    assert done == [0, 1, 2, 5, 6, 7, 8, 10, 11]


@given(
    st.integers(1, 12),
    st.lists(st.sampled_from([200, 200, 200, 404, 403]), max_size=40),
    st.one_of(st.none(), st.integers(1, 5)),
)
def test_nothing_is_lost(concurrency, statuses, most):
    """Whatever fails: each item is done, or failed, or not tried, and what is not tried comes last."""
    work = Work({item: status for item, status in enumerate(statuses) if status != 200}, pause=0.0005)
    items = range(len(statuses))
    done, failed, not_tried = run(client_of(concurrency), items, work, unless_hopeless(most))
    assert sorted(done + failed + not_tried) == list(items)
    assert sorted(work.tried) == sorted(done + failed)
    assert not_tried == list(items)[len(done) + len(failed) :]
    if not_tried:
        assert 403 in [statuses[item] for item in failed] or len(failed) >= most
    if most is not None:
        assert len(failed) < most + concurrency


def test_max_failures_one_at_a_time_is_exact():
    work = Work(dict.fromkeys((1, 3, 5), 404))
    assert run(client_of(1), range(8), work, unless_hopeless(2)) == ([0, 2], [1, 3], [4, 5, 6, 7])


@pytest.mark.parametrize("concurrency", [1, 4])
def test_a_defect_is_the_failure_of_one_item(concurrency):
    """What was done for the others must not be lost over it."""

    def act(item):
        if item == 5:
            raise KeyError("a defect\x1b" + "x" * 10**5)

    outcomes, not_tried = each(client_of(concurrency), REMOVE, range(50), act, unless_hopeless())
    assert [outcome.item for outcome in outcomes] == list(range(50))
    assert not_tried == []
    (error,) = (outcome.error for outcome in outcomes if outcome.error is not None)
    assert error.code == "InternalError"
    assert error.operation == "RemoveThing"
    assert error.uncertain
    assert re.search(r"please report it: KeyError: 'a defect", str(error))
    assert str(error).isprintable()
    assert len(str(error)) <= 500


def test_a_defect_of_what_decides_is_raised_in_the_calling_thread():
    def stops(outcome):
        raise KeyError("a defect")

    with pytest.raises(KeyError, match="a defect"):
        run(client_of(4), range(50), Work(), stops)


def test_stops_is_asked_one_at_a_time():
    inside = []

    def stops(outcome):
        inside.append(outcome.item)
        assert len(inside) == 1
        time.sleep(0.005)
        inside.clear()
        return False

    assert len(run(client_of(8), range(20), Work(pause=0), stops)[0]) == 20


# Who waits for whom


@pytest.fixture
def short_grace(monkeypatch):
    monkeypatch.setattr(_parallel, "_GRACE", 0.2)


def remover(client, url):
    return lambda thing: client.request(REMOVE, url, path={"thing": thing})


@pytest.mark.parametrize("blocked", [stall(6), drip(b"HTTP/1.1 200 Said\r\nX: " + b"y" * 500, 0.1)])
def test_the_deadline_ends_what_blocks(short_grace, blocked):
    """A socket's time-out begins anew with each byte, and only the calling thread has an alarm."""
    client = client_of(4, deadline=1, retries=0)
    with Loopback(*[answer()] * 6, *[blocked] * 4) as server:
        started = time.monotonic()
        outcomes, not_tried = each(
            client, REMOVE, [f"t{n}" for n in range(20)], remover(client, server.url), unless_hopeless()
        )
        assert time.monotonic() - started < 2.5
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    assert len(outcomes) - len(failed) == 6
    assert {outcome.error.code for outcome in failed} == {"DeadlineExceeded"}
    assert all(outcome.error.uncertain for outcome in failed)
    assert (len(failed), len(not_tried)) == (4, 10)


def test_a_signal_ends_what_blocks(short_grace):
    client = client_of(4)
    before = signal.signal(signal.SIGUSR1, lambda *_unused: client.interrupt("SIGUSR1"))
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    try:
        with Loopback(*[answer()] * 3, *[stall(6)] * 4) as server:
            started = time.monotonic()
            items = [f"t{n}" for n in range(12)]
            outcomes, not_tried = each(client, REMOVE, items, remover(client, server.url), unless_hopeless())
            assert time.monotonic() - started < 2
    finally:
        signal.signal(signal.SIGUSR1, before)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    assert {(outcome.error.code, outcome.error.uncertain) for outcome in failed} == {("Interrupted", True)}
    assert (len(outcomes), len(failed), len(not_tried)) == (7, 4, 5)


def test_somebody_says_why_the_rest_was_not_tried(short_grace):
    """The deadline passes between two items: nothing has failed, but not all was done."""
    client = client_of(2, deadline=0.3)
    outcomes, not_tried = each(client, REMOVE, range(40), lambda _item: time.sleep(0.05), unless_hopeless())
    assert not_tried
    failed = [outcome.error for outcome in outcomes if outcome.error is not None]
    assert {error.code for error in failed} == {"DeadlineExceeded"}
    assert len(outcomes) + len(not_tried) == 40


def test_what_comes_too_late_changes_nothing(short_grace):
    client = client_of(2, deadline=0.2)
    outcomes, _not_tried = each(client, REMOVE, range(2), lambda item: time.sleep(1 + item / 10), unless_hopeless())
    before = list(outcomes)
    time.sleep(1.2)
    assert outcomes == before
    assert all(outcome.error.code == "DeadlineExceeded" for outcome in outcomes)


# 429


def throttled(seconds=None):
    return answer(429, b"{}", {} if seconds is None else {"Retry-After": str(seconds)})


def test_429_holds_up_all():
    """While one waits, no other begins; the service asked for a second."""
    arrived = []

    def served(action):
        def act(connection):
            arrived.append(time.monotonic())
            action(connection)

        return act

    client = client_of(4)
    with Loopback(*[served(answer())] * 3, served(throttled(1)), *[served(answer())] * 20) as server:
        done, failed, not_tried = run(client, [f"t{n}" for n in range(16)], remover(client, server.url))
    assert (len(done), failed, not_tried) == (16, [], [])
    # Those that were already under way may still arrive, and one or two while the refusal is on its way back.
    pause_began = arrived[3]
    later = [moment - pause_began for moment in arrived[4:]]
    assert sum(moment < 0.9 for moment in later) <= 6
    assert len(later) == 13
    assert max(later) >= 1


def test_429_halves_and_success_widens():
    client = client_of(8)
    with Loopback(throttled(0), *[answer()] * 200) as server:
        client.request(LIST, server.url)
        assert 4 <= client.width < 4.5
        for _number in range(60):
            client.request(LIST, server.url)
    assert client.width == 8


def test_a_wave_of_429_is_survived():
    # One may meet several of them.
    client = client_of(8, retries=8)
    with Loopback(*[throttled(0)] * 8, *[answer()] * 200) as server:
        done, failed, not_tried = run(client, [f"t{n}" for n in range(8)], remover(client, server.url))
        assert 1 <= client.width < 8
    assert (len(done), failed, not_tried) == (8, [], [])


@pytest.mark.parametrize("concurrency", [1, 8])
def test_429_for_ever_is_a_failure_that_stops_all(concurrency):
    client = client_of(concurrency, retries=2)
    with Loopback(*[throttled(0)] * 200) as server:
        done, failed, not_tried = run(client, [f"t{n}" for n in range(40)], remover(client, server.url))
    assert done == []
    assert 1 <= len(failed) <= concurrency
    assert len(failed) + len(not_tried) == 40


def test_connections_are_used_again_and_not_more_than_wanted():
    ports = set()
    client = client_of(3)
    keep_alive = {"Connection": "keep-alive"}

    def act(connection):
        ports.add(connection.getpeername()[1])
        # The server of these tests reads one request per connection, so that it must say that it closes it.
        answer(200, b"{}", {**keep_alive, "Connection": "close"})(connection)

    with Loopback(*[act] * 12) as server:
        assert run(client, [f"t{n}" for n in range(12)], remover(client, server.url))[0] == [f"t{n}" for n in range(12)]
    assert client.requests == 12


def test_requests_and_repetitions_of_all_threads_are_counted():
    client = client_of(8)
    with Loopback(*[drop, answer()] * 10) as server:
        done, failed, _not_tried = run(client, [f"t{n}" for n in range(10)], remover(client, server.url))
        assert len(done) + len(failed) == 10
        assert client.requests == len(server.seen)
    assert len(client.retried) == client.requests - 10


# Attempts that change something


class Attempts(Work):
    """Changes, and a closer look after them."""

    def __init__(self, **failures):
        super().__init__(failures, pause=0)
        self.settled = 0

    def settle(self, done, failed):
        self.settled += 1

    def run(self, items, settle=None, client=None, **options):
        done, failed, rest = attempt_each(client or client_of(1), REMOVE, items, self, settle or self.settle, **options)
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


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (1, (["a"], ["b"], ["c", "d", "e"])),
        (2, (["a", "c"], ["b", "d"], ["e"])),
        (3, (["a", "c", "e"], ["b", "d"], [])),
        (None, (["a", "c", "e"], ["b", "d"], [])),
    ],
)
def test_attempt_with_max_failures(most, expected):
    assert Attempts(b=404, d=409).run(["a", "b", "c", "d", "e"], max_failures=most) == expected


@pytest.mark.parametrize("concurrency", [1, 4])
def test_rest_goes_on_when_a_closer_look_clears_the_failure(concurrency):
    def settle(done, failed):
        for item in list(failed):
            del failed[item]
            done.append(item)

    attempts = Attempts(b=403, d=403)
    outcome = attempts.run(["a", "b", "c", "d", "e"], settle, client_of(concurrency), max_failures=1)
    assert outcome == (["a", "b", "c", "d", "e"], [], [])
    assert sorted(attempts.tried) == ["a", "b", "c", "d", "e"]


def test_what_is_hopeless_is_asked_for_each_failure():
    asked = []

    def act(item):
        raise NetworkError(item)

    def hopeless(error: MaintenanceError) -> bool:
        asked.append(str(error))
        return False

    attempt_each(client_of(1), REMOVE, ["a", "b"], act, lambda done, failed: None, hopeless)
    assert set(asked) == {"a", "b"}
