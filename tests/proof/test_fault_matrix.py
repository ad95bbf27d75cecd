# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module, in every state, signed in in every way, with every fault of every request that it makes.

The cells are generated: the requests are those of a run without faults. What a module says is held against the
simulator's state before and after, never against what the module believes (see C(oracle.py)). Then the fault is lifted:
a second run has to complete the work, and a third has to find nothing to do.

C(make exhaustive) runs all cells. C(make test) runs a selection, about a quarter, the same one each time. What it
guarantees (see C(features), and C(test_the_selection_has_each_pair)): whatever occurs in any cell, of the following,
occurs in a selected cell too:

- each fault of each operation, in each mode (once, always, an outage, with each second fault);
- each fault of each case, at each kind of place in the run: signing in, looking before the first change, the first
  change, a later change, looking after a change;
- each fault of each module, at each kind of place, in each mode;
- each case signed in in each way, in each mode, and at each kind of place in each mode;
- each fault of each way to sign in, and there of each operation that gives credentials.
"""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple
from unittest import mock

import pytest
import requests

from tests import rings
from tests.harness.modules import run_module
from tests.harness.signals import not_ignored
from tests.simulator import Simulator
from tests.unit.loopback import Loopback

from . import clock, oracle
from .stage import (
    ALWAYS,
    CASES,
    FAULTS,
    FIRST_FAULTS,
    GIVES_CREDENTIALS,
    INTERRUPTIONS,
    ISSUED_CASES,
    ISSUED_SIGN_INS,
    NO_FAULT_OF_DELETE,
    ONCE,
    OUTAGE,
    OUTAGES,
    REFUSAL,
    REFUSED,
    SCENARIO,
    SECOND_FAULTS,
    SIGN_INS,
    SLOW_FAULTS,
    TWICE,
    TWO_FAULTS,
    Case,
    options_of,
    renews,
)

_RETRIES = {ONCE: 2, ALWAYS: 1, OUTAGE: 1, TWICE: 1}
#: A port on which nobody listens.
_NOBODY = "127.0.0.1:9"


class Cell(NamedTuple):
    """A fault at the n-th request of a clean run."""

    number: int
    operation: str
    method: str
    fault: str
    mode: str
    then: str | None = None

    def __str__(self) -> str:
        then = f", then {self.then}" if self.then else ""
        return f"request {self.number} ({self.operation}), {self.fault}, {self.mode}{then}"


class Clean(NamedTuple):
    """A run without faults: what it said, which requests it made, and the state before and after."""

    result: dict[str, Any]
    journal: list[dict[str, Any]]
    before: oracle.World
    after: oracle.World


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Loopback]:
    """Another host, to which a redirect leads."""
    with Loopback() as server:
        yield server


@pytest.fixture
def stage(sim, monkeypatch, no_backoff, elsewhere) -> Iterator[Stage]:
    """The account, a clock that does not wait, and a process that does not ignore the signals it sends to itself."""
    with not_ignored():
        yield Stage(sim, clock.install(monkeypatch, {case.module for case in CASES.values()}), elsewhere)


class Stage:
    """Runs cases, with faults and without."""

    def __init__(self, sim: Simulator, clock_: clock.Clock, elsewhere: Loopback) -> None:
        self.sim = sim
        self.clock = clock_
        self.elsewhere = elsewhere

    @property
    def secrets(self) -> list[str]:
        """The user's own, and all that the simulator has given away."""
        identity = self.sim._server.cloud.identity
        issued = [text for key in identity.keys.values() for text in (key.secret, key.security_token) if text]
        return [self.sim.password, *issued, *identity.tokens, *identity.metadata_tokens]

    def world(self) -> oracle.World:
        """The status of each task and job."""
        state = self.sim.state()
        statuses = {task["id"]: task["status"] for task in state["tasks"]}
        return {**statuses, **{job["job_id"]: job["job_status"] for job in state["scheduled_jobs"]}}

    def load(self, case: Case) -> None:
        """Put everything back to the start."""
        self.sim.reset({**SCENARIO, "switches": case.switches})

    def run(self, case: Case, sign_in: str, **more: Any) -> dict[str, Any]:
        """Run the module once."""
        options = options_of(self.sim, case, sign_in)
        # A busy machine may take long to answer; only where an answer is held up on purpose, the limit is short.
        options["read_timeout"] = 1 if self.clock.real else 60
        return run_module(case.module, {**options, **more}, check_mode=case.check_mode)

    def clean(self, case: Case, sign_in: str) -> Clean:
        """Run the module without faults, and make sure that it does what the case says."""
        self.load(case)
        before = self.world()
        result = self.run(case, sign_in)
        after = self.world()
        assert not result.get("failed"), result
        assert oracle.touched(before, after) == set(case.does)
        return Clean(result, self.sim.journal(), before, after)

    def check(self, case: Case, sign_in: str, clean: Clean, cell: Cell) -> list[str]:
        """Run one cell; returns what is wrong."""
        self.load(case)
        slow = cell.fault in SLOW_FAULTS
        self.clock.real = slow
        self.elsewhere.seen.clear()
        refused = 0
        if cell.fault in (REFUSED, *INTERRUPTIONS):
            disturbed = _refusing(self.sim.url, cell) if cell.fault == REFUSED else _interrupting(cell)
            with disturbed as unsent:
                result = self.run(case, sign_in, retries=_RETRIES[cell.mode])
            refused = len(unsent)
        else:
            self.sim.faults(self._rules(clean, cell))
            result = self.run(case, sign_in, retries=_RETRIES[cell.mode])
        journal = self._settled(slow)
        self.clock.real = False
        after = self.world()
        wrong = [
            *oracle.shape(result, self.secrets),
            *oracle.wire(journal, self.elsewhere.seen, renews=renews(sign_in)),
        ]
        if result.get("requests") != len(journal) + refused:
            wrong.append(f"says {result.get('requests')} requests instead of {len(journal) + refused}")
        if cell.fault in INTERRUPTIONS and _code(result) not in ("Interrupted", "OutcomeUnknown"):
            wrong.append("does not say that it was interrupted")
        if case.check_mode or not case.does:
            wrong += oracle.same_answer(case, result, clean.result)
            if after != clean.before:
                wrong.append("something changed that must not")
        else:
            wrong += oracle.said_and_done(case, result, clean.before, after)
            wrong += self._afterwards(case, sign_in, clean, after)
        return [f"{each} | said: {_told(result)}" for each in wrong]

    def _rules(self, clean: Clean, cell: Cell) -> list[dict[str, Any]]:
        faults = json.dumps({**FAULTS, **SLOW_FAULTS}).replace("{elsewhere}", self.elsewhere.url)
        known = json.loads(faults)
        if cell.then is not None:
            # The request that the first rule takes is not counted by the second.
            return [
                {"skip": cell.number, "times": 1, "fault": known[cell.fault]},
                {"skip": cell.number, "times": None, "fault": known[cell.then]},
            ]
        if cell.mode == OUTAGE:
            return [{"skip": cell.number, "times": None, "fault": known[cell.fault]}]
        skip = [entry["operation"] for entry in clean.journal[: cell.number]].count(cell.operation)
        times = 1 if cell.mode == ONCE else None
        return [{"operation": cell.operation, "skip": skip, "times": times, "fault": known[cell.fault]}]

    def _settled(self, slow: bool) -> list[dict[str, Any]]:
        """The journal, once requests that were still under way have been answered."""
        end = time.monotonic() + 5
        while True:
            journal = self.sim.journal()
            if not slow or all(entry["status"] is not None for entry in journal) or time.monotonic() > end:
                return journal
            time.sleep(0.05)

    def _afterwards(self, case: Case, sign_in: str, clean: Clean, left: oracle.World) -> list[str]:
        """The fault is lifted: the work is completed by a second run, and a third finds nothing to do."""
        self.sim.faults([])
        second = self.run(case, sign_in)
        finished = self.world()
        wrong = []
        if second.get("failed") or finished != clean.after:
            wrong.append(f"a second run did not complete the work: {_told(second)}")
        elif second["changed"] != bool(oracle.touched(left, finished)):
            wrong.append(f"a second run said changed={second['changed']}: {_told(second)}")
        if left == finished and not wrong:
            return []  # nothing was left to do, and the second run said so: a third would be the same again
        third = self.run(case, sign_in)
        if third.get("failed") or third["changed"] or self.world() != clean.after:
            wrong.append(f"a third run found something to do: {_told(third)}")
        return wrong


def _code(result: dict[str, Any]) -> str | None:
    return result.get("failure", {}).get("code")


def _told(result: dict[str, Any]) -> str:
    told = {
        key: result[key] for key in ("failed", "changed", "msg", "failure", "removed", "cancelled") if key in result
    }
    return json.dumps(told)[:700]


@contextlib.contextmanager
def _refusing(url: str, cell: Cell) -> Iterator[list[str]]:
    """Send some requests to a port on which nobody listens; yields a list that holds one entry for each."""
    sends: list[str] = []
    count = 0
    really_send = requests.adapters.HTTPAdapter.send

    def send(adapter: Any, request: Any, **more: Any) -> Any:
        nonlocal count
        number, count = count, count + 1
        hit = number == cell.number if cell.mode == ONCE else number >= cell.number
        if hit and (cell.mode != ALWAYS or request.method == cell.method):
            sends.append(request.url)
            request.url = request.url.replace(url.partition("//")[2], _NOBODY)
        return really_send(adapter, request, **more)

    with mock.patch.object(requests.adapters.HTTPAdapter, "send", send):
        yield sends


@contextlib.contextmanager
def _interrupting(cell: Cell) -> Iterator[list[str]]:
    """Send this process a signal with one request; yields a list that holds it, if it did not leave."""
    unsent: list[str] = []
    count = 0
    really_send = requests.adapters.HTTPAdapter.send

    def send(adapter: Any, request: Any, **more: Any) -> Any:
        nonlocal count
        number, count = count, count + 1
        if number != cell.number:
            return really_send(adapter, request, **more)
        if cell.fault.endswith("before"):
            unsent.append(request.url)
            signal.raise_signal(signal.SIGTERM)
        answer = really_send(adapter, request, **more)
        signal.raise_signal(signal.SIGTERM)
        return answer

    with mock.patch.object(requests.adapters.HTTPAdapter, "send", send):
        yield unsent


def cells(case: Case, sign_in: str, journal: list[dict[str, Any]]) -> Iterator[Cell]:
    """The cells of a case, from the requests of its clean run."""
    if sign_in in ISSUED_SIGN_INS:
        yield from _cells_of_issued(case, journal)
        return
    for number, entry in enumerate(journal):
        first = entry["operation"] not in [earlier["operation"] for earlier in journal[:number]]
        signs_in = entry["service"] == "iam"
        for fault in (*FAULTS, REFUSED, *INTERRUPTIONS, *SLOW_FAULTS):
            if fault in NO_FAULT_OF_DELETE and entry["method"] == "DELETE":
                continue
            if fault in SLOW_FAULTS and not (case.thorough and first and (sign_in == "keys" or signs_in)):
                continue
            # With several threads nobody can say which requests are under way; see tests/modules/test_throttling.py.
            if fault in INTERRUPTIONS and (case.variant or case.parallel):
                continue
            for mode in (ONCE, ALWAYS, OUTAGE):
                if mode == ALWAYS and (case.variant or fault in INTERRUPTIONS or (sign_in != "keys" and not signs_in)):
                    continue
                if mode == OUTAGE and not (case.thorough and sign_in == "keys" and fault in OUTAGES):
                    continue
                yield Cell(number, entry["operation"], entry["method"], fault, mode)


def _cells_of_issued(case: Case, journal: list[dict[str, Any]]) -> Iterator[Cell]:
    """All faults of the requests that give credentials; what is asked for with these may then be refused."""
    for number, entry in enumerate(journal):
        gives = entry["operation"] in GIVES_CREDENTIALS
        slow = SLOW_FAULTS if case is CASES[ISSUED_CASES[0]] else ()
        for fault in (*FAULTS, REFUSED, *INTERRUPTIONS, *slow) if gives else (REFUSAL,):
            for mode in (ONCE,) if fault in INTERRUPTIONS else (ONCE, ALWAYS):
                yield Cell(number, entry["operation"], entry["method"], fault, mode)


#: Signing in does not depend on what a module then does, so that some cases of each module suffice for it.
RUNS = [(name, sign_in) for name, case in CASES.items() for sign_in in SIGN_INS if sign_in == "keys" or case.thorough]
RUNS += [(name, sign_in) for sign_in, names in ISSUED_SIGN_INS.items() for name in names]


def pairs(journal: list[dict[str, Any]], then: tuple[str, ...] = SECOND_FAULTS) -> Iterator[Cell]:
    """Cells with two faults."""
    for number, entry in enumerate(journal):
        for first in FIRST_FAULTS:
            for second in then:
                yield Cell(number, entry["operation"], entry["method"], first, TWICE, second)


#: Cases and ways to sign in in which new credentials are refused after the first fault.
RENEWALS = [
    (name, sign_in)
    for name in ("absent-three", "job-three", "resize-wait")
    for sign_in in ("password", "agency", "machine")
]
CHANGES = ("DeleteBackgroundTask", "DeleteCenterTask", "CancelInstanceResize", "CancelScheduledTask")
SIGNING_IN, LOOK, FIRST_CHANGE, LATER_CHANGE, LOOK_AFTER = (
    *("signing in", "look before", "first change", "later change", "look after"),
)


class Planned(NamedTuple):
    """A cell of a case, signed in in one way, and the kind of place that its request has in the run."""

    name: str
    sign_in: str
    place: str
    cell: Cell


class Plan(NamedTuple):
    """The whole matrix, and the selection of it that C(make test) runs.

    :ivar operations: of the clean run of each case, signed in in each way.
    """

    everything: list[Planned]
    selected: list[Planned]
    operations: dict[tuple[str, str], list[str]]


def place_of(number: int, journal: list[dict[str, Any]]) -> str:
    """The kind of place that the n-th request of a run has."""
    if journal[number]["service"] in ("iam", "metadata"):
        return SIGNING_IN
    changed_before = any(entry["operation"] in CHANGES for entry in journal[:number])
    if journal[number]["operation"] in CHANGES:
        return LATER_CHANGE if changed_before else FIRST_CHANGE
    return LOOK_AFTER if changed_before else LOOK


def features(planned: Planned) -> Iterator[tuple[str | None, ...]]:
    """What must not be lost of a cell when only some cells are run."""
    name, sign_in, place, cell = planned
    yield ("operation", cell.operation, cell.fault, cell.mode, cell.then)
    yield ("case and place", name, place, cell.fault)
    yield ("module and place", CASES[name].module, place, cell.fault, cell.mode)
    yield ("case and mode", name, place, cell.mode)
    yield ("case and way to sign in", name, sign_in, cell.mode)
    yield ("way to sign in", sign_in, cell.fault, cell.operation if cell.operation in GIVES_CREDENTIALS else None)


_plans: list[Plan] = []


@pytest.fixture
def plan(stage) -> Plan:
    """The plan, for which every case is run once without a fault: in each process of the tests only once."""
    if not _plans:
        everything, operations = [], {}
        for name, sign_in in dict.fromkeys([*RUNS, *((name, "keys") for name in TWO_FAULTS), *RENEWALS]):
            journal = stage.clean(CASES[name], sign_in).journal
            operations[name, sign_in] = [entry["operation"] for entry in journal]
            found = list(cells(CASES[name], sign_in, journal)) if (name, sign_in) in RUNS else []
            found += pairs(journal) if sign_in == "keys" and name in TWO_FAULTS else []
            found += pairs(journal, (REFUSAL,)) if (name, sign_in) in RENEWALS else []
            everything += [Planned(name, sign_in, place_of(cell.number, journal), cell) for cell in found]
        _plans.append(Plan(everything, rings.covering(everything, features), operations))
    return _plans[0]


@pytest.fixture
def check_cells(stage, plan, exhaustive, record_property) -> Callable[..., None]:
    """Run the cells of a case that belong to the ring, and fail with all that is wrong in one message."""

    def check(name: str, sign_in: str, *, two_faults: bool = False) -> None:
        clean = stage.clean(CASES[name], sign_in)
        # Otherwise each process of the tests could have another plan, and a cell be in none of them.
        assert [entry["operation"] for entry in clean.journal] == plan.operations[name, sign_in]
        chosen = [
            planned.cell
            for planned in (plan.everything if exhaustive else plan.selected)
            if (planned.name, planned.sign_in) == (name, sign_in) and (planned.cell.then is not None) is two_faults
        ]
        # Without a request there is nothing that could be disturbed.
        assert chosen or not clean.journal
        record_property("cells", len(chosen))
        check_all(stage, name, sign_in, clean, chosen)

    return check


def check_all(stage: Stage, name: str, sign_in: str, clean: Clean, planned: list[Cell]) -> None:
    """Run all cells of a case, and fail with all that is wrong in one message."""
    wrong = {cell: stage.check(CASES[name], sign_in, clean, cell) for cell in planned}
    lines = [f"  {cell}: {each}" for cell, found in wrong.items() for each in found]
    if lines:
        bad = sum(bool(found) for found in wrong.values())
        pytest.fail(f"{bad} of {len(planned)} cells of {name}, {sign_in}:\n" + "\n".join(lines), pytrace=False)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sign_in"), RUNS)
def test_nothing_is_lost(check_cells, name, sign_in):
    check_cells(name, sign_in)


@pytest.mark.slow
@pytest.mark.parametrize("name", TWO_FAULTS)
def test_nothing_is_lost_with_two_faults(check_cells, name):
    check_cells(name, "keys", two_faults=True)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "sign_in"), RENEWALS)
def test_nothing_is_lost_when_a_new_sign_in_is_refused_too(check_cells, name, sign_in):
    check_cells(name, sign_in, two_faults=True)


def test_the_selection_has_each_pair(plan):
    """The selection is a part of the matrix, keeps what the first lines of this file promise, and is much smaller."""

    def pairs_of(planned: list[Planned]) -> dict[str, set[Any]]:
        found = [(each, each.cell, CASES[each.name].module) for each in planned]
        giving = [item for item in found if item[1].operation in GIVES_CREDENTIALS]
        return {
            "operation": {(cell.operation, cell.fault, cell.mode, cell.then) for _each, cell, _module in found},
            "case": {(each.name, cell.fault, each.place) for each, cell, _module in found},
            "module": {(module, cell.fault, cell.mode, each.place) for each, cell, module in found},
            "sign-in": {(each.name, each.sign_in, cell.mode) for each, cell, _module in found},
            "place": {(each.name, each.place, cell.mode) for each, cell, _module in found},
            "fault of sign-in": {(each.sign_in, cell.fault) for each, cell, _module in found},
            "giving": {(each.sign_in, cell.operation, cell.fault) for each, cell, _module in giving},
        }

    whole, part = pairs_of(plan.everything), pairs_of(plan.selected)
    missing = {kind: whole[kind] - part[kind] for kind in whole}
    assert not any(missing.values()), missing
    assert set(plan.selected) <= set(plan.everything)
    assert len(set(plan.selected)) == len(plan.selected) < len(plan.everything) / 3
    # It only grows, with the requests that modules make: a smaller one has lost something.
    assert len(plan.everything) >= 17_000


def test_the_places_of_a_run(plan, stage):
    """What the kinds of places are, at an example of each."""
    journal = stage.clean(CASES["job-three"], "password").journal
    places = [(entry["operation"], place_of(number, journal)) for number, entry in enumerate(journal)]
    assert list(dict.fromkeys(places)) == [
        ("KeystoneCreateUserTokenByPassword", SIGNING_IN),
        ("ListScheduledTasks", LOOK),
        ("CancelScheduledTask", FIRST_CHANGE),
        ("CancelScheduledTask", LATER_CHANGE),
        ("ListScheduledTasks", LOOK_AFTER),
    ]
    assert {planned.place for planned in plan.everything} == {place for _operation, place in places}


def test_a_selection_is_small_and_complete():
    """Of numbers, one with each last and each first digit; a tie is decided by the order, so always in the same way."""
    numbers = [f"{first}{last}" for first in "123" for last in "456"]
    assert rings.covering(numbers, lambda number: [("first", number[0]), ("last", number[1])]) == ["14", "25", "36"]
    assert rings.covering([], lambda number: [number]) == []
    assert rings.covering(["a", "ab", "b", "c"], set) == ["ab", "c"]


def test_the_matrix_is_complete(stage):
    """Each operation of each module meets each fault, once and for good, and each module signs in in each way."""
    met: dict[tuple[str, str], set[tuple[str, str]]] = {}
    ways = set()
    for name, sign_in in RUNS:
        case = CASES[name]
        for cell in cells(case, sign_in, stage.clean(case, sign_in).journal):
            # What gives credentials is slow for one module only, as nothing of the module has begun yet.
            module = "" if cell.fault in SLOW_FAULTS and cell.operation in GIVES_CREDENTIALS else case.module
            met.setdefault((module, cell.operation), set()).add((cell.fault, cell.mode))
            ways.add((case.module, sign_in))
    for (module, operation), tried in met.items():
        kinds = {*FAULTS, REFUSED, *(() if operation in GIVES_CREDENTIALS else SLOW_FAULTS)} if module else SLOW_FAULTS
        if operation.startswith(("Delete", "CancelScheduled")):
            kinds -= set(NO_FAULT_OF_DELETE)
        missing = {(fault, mode) for fault in kinds for mode in (ONCE, ALWAYS)} - tried
        if module:
            missing |= {(fault, ONCE) for fault in INTERRUPTIONS} - tried
        assert missing == set(), (module, operation)
    assert {operation for module, operation in met if not module} == set(GIVES_CREDENTIALS)
    assert ways >= {(case.module, sign_in) for case in CASES.values() for sign_in in SIGN_INS}
    changing = {case.module for case in CASES.values() if case.does}
    for sign_in, names in ISSUED_SIGN_INS.items():
        assert ways >= {(CASES[name].module, sign_in) for name in names}
        assert {CASES[name].module for name in names if CASES[name].does} == changing
    assert {operation for _module, operation in met} == {
        *("KeystoneListProjects", "ListInstances", "ListBackgroundTask", "ListCenterTask"),
        *("DeleteBackgroundTask", "DeleteCenterTask", "CancelInstanceResize", "ShowBackgroundTaskProgress"),
        *("ListScheduledTasks", "CancelScheduledTask", *GIVES_CREDENTIALS),
    }
