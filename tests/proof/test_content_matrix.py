# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every answer of the API with hostile content, in every state of every module and inventory plugin that reads it.

The cells are generated, as those of the fault matrix: the operations are those of a run without faults. A cell puts one
value into one place of the answers of one operation (see C(content.py)); everything else stays right. What was sent, done
and said is judged by C(content_oracle.py), against the simulator and ansible-core. A selection runs in C(make test), in
which each place has each of its values, and each state meets each value that it can meet; all cells run in
C(make exhaustive).
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Iterator, Sequence
from typing import Any, Callable, NamedTuple

import pytest

from tests import rings
from tests.harness.modules import printed_by
from tests.simulator import Simulator, routes
from tests.simulator.catalogue import DCS_LISTED

from . import clock, content, content_oracle, oracle
from .content import Cell, Place
from .inventories import Inventories
from .memory import growth
from .stage import CANCELLED, CASES, DONE, FAILED, REDIS, SCENARIO, Case, options_of

_READ = ("dcs_instance_info", "dds_instance_info")
_ENDED_PHASES = {"phases": ["succeeded", "failed", "cancelled"], "state": "absent"}
#: Beside those of the fault matrix.
_MORE_CASES: dict[str, Case] = {
    "absent-by-phase": Case("dcs_task", {**_ENDED_PHASES, "instance": REDIS}, (DONE, FAILED, CANCELLED)),
    "absent-by-phase-check": Case("dcs_task", {**_ENDED_PHASES, "instance": REDIS}, check_mode=True),
    "dcs-instances": Case("dcs_instance_info", {}),
    "dcs-instances-by-name": Case("dcs_instance_info", {"names": ["redis-a"]}),
    "dcs-instances-by-id": Case("dcs_instance_info", {"ids": [REDIS]}),
    "dcs-instances-filtered": Case(
        "dcs_instance_info", {"names": ["redis-*"], "statuses": ["RUNNING", "EXTENDING"], "engines": ["Redis"]}
    ),
    "dds-instances": Case("dds_instance_info", {}),
    "dds-instances-by-name": Case("dds_instance_info", {"names": ["mongo-a"]}),
    "dds-instances-by-tag": Case("dds_instance_info", {"tags": {"team": None}}),
}
#: Without those that differ from another one by a switch of the simulator only, and the one that asks for nothing.
_ALL_CASES = {
    **{
        name: case for name, case in CASES.items() if not (case.variant and case.switches) and name != "info-of-nothing"
    },
    **_MORE_CASES,
}
#: What is run with other ways to sign in: only what signing in answers differs, and which secrets there are.
_SIGN_IN_CASES = ("info-of-one", "absent-one", "resize-wait", "job-one")
_SIGN_INS = ("keys-look-up", "password", "agency", "machine", "password-agency")
#: The values that differ with the secrets that a run has.
_SECRET_VALUES = ("a secret", "a secret as a key", "what was sent", "what was sent as a key")

_GROUPS = {
    "dcs": {
        "compose": {"owner": "dcs_tag.team | default('none')", "called": "dcs_name", "said": "dcs_description"},
        "groups": {"ready": "dcs_status == 'RUNNING'"},
        "keyed_groups": [
            {"key": "dcs_status", "prefix": "status"},
            {"key": "dcs_engine", "prefix": "engine"},
            {"key": "dcs_tag", "prefix": "tag"},
            {"key": "dcs_description", "prefix": "said"},
        ],
    },
    "dds": {
        "compose": {"called": "dds_name", "kind": "dds_datastore.type | default('none')"},
        "groups": {"ready": "dds_status == 'normal'"},
        "keyed_groups": [{"key": "dds_status", "prefix": "status"}, {"key": "dds_tag", "prefix": "tag"}],
    },
}
#: Inventory files: the plugin, its options, and how often the file is read.
_INVENTORIES: dict[str, tuple[str, dict[str, Any], int]] = {
    "dcs": ("dcs", {}, 1),
    "dcs-groups": ("dcs", _GROUPS["dcs"], 1),
    "dcs-groups-cached": ("dcs", {**_GROUPS["dcs"], "cache": True}, 2),
    "dcs-by-name": ("dcs", {"filters": {"names": ["redis-a"]}}, 1),
    "dcs-strict": ("dcs", {**_GROUPS["dcs"], "keyed_groups": _GROUPS["dcs"]["keyed_groups"][:2], "strict": True}, 1),
    "dds": ("dds", {}, 1),
    "dds-groups": ("dds", _GROUPS["dds"], 1),
    "dds-groups-cached": ("dds", {**_GROUPS["dds"], "cache": True}, 2),
}


class State(NamedTuple):
    """A module in one of its states, or an inventory file, and how it signs in."""

    case: Case | None
    inventory: str | None
    sign_in: str


STATES: dict[str, State] = {
    **{name: State(case, None, "keys") for name, case in _ALL_CASES.items()},
    **{f"{name}, {way}": State(_ALL_CASES[name], None, way) for name in _SIGN_IN_CASES for way in _SIGN_INS},
    **{f"inventory {name}": State(None, name, "keys") for name in _INVENTORIES},
    **{f"inventory {name}, {way}": State(None, name, way) for name in ("dcs-groups", "dds") for way in _SIGN_INS[:2]},
}


class Clean(NamedTuple):
    """A run without hostile content: its requests, and the state before it."""

    journal: list[dict[str, Any]]
    before: oracle.World

    @property
    def operations(self) -> list[tuple[str, str]]:
        """Service and operation of each, once."""
        return list(dict.fromkeys((entry["service"], entry["operation"]) for entry in self.journal))


class Lab:
    """Runs states against the simulator, with and without hostile content.

    It looks at the simulator without HTTP, as it does so many thousand times: in the thread that answers requests, so
    that none is under way meanwhile.
    """

    def __init__(self, sim: Simulator, inventories: Inventories) -> None:
        self.sim = sim
        self._cloud = sim._server.cloud
        self._inventories = inventories
        self._loaded: dict[str, Any] | None = None

    def _there(self, function: Callable[[], Any]) -> Any:
        """What a function gives in the simulator's thread."""

        async def run() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(run(), self.sim._loop).result(60)

    @property
    def secrets(self) -> list[str]:
        """The user's own, and all that the simulator has given away."""
        identity = self.sim._server.cloud.identity
        issued = [text for key in identity.keys.values() for text in (key.secret, key.security_token) if text]
        return [self.sim.password, *issued, *identity.tokens, *identity.metadata_tokens]

    def secret_of(self, state: State) -> str:
        """What the user gave to sign in; a machine needs none."""
        if state.sign_in == "machine":
            return "none"
        return self.sim.password if state.sign_in.startswith("password") else self.sim.secret_key

    def world(self) -> oracle.World:
        """The status of each task and job, and which instances there are."""
        state = self._there(self._cloud.world.snapshot)
        things = {task["id"]: task["status"] for task in state["tasks"]}
        things.update((job["job_id"], job["job_status"]) for job in state["scheduled_jobs"])
        things.update((instance["instance_id"], "an instance") for instance in state["dcs_instances"])
        things.update((instance["id"], "an instance") for instance in state["dds_instances"])
        return things

    def load(self, state: State, rules: Sequence[dict[str, Any]] = (), unchanged: oracle.World | None = None) -> None:
        """Put everything back to the start; C(unchanged) is how it was then, so that nothing is done for nothing."""
        switches = state.case.switches if state.case else {}
        cloud = self._cloud
        if unchanged is None or self._loaded != switches or self.world() != unchanged:
            self._there(lambda: cloud.reset({**SCENARIO, "switches": switches}))
            self.sim._take(cloud.facts())
            self._loaded = switches
        self._there(lambda: (cloud.journal.clear(), cloud.faults.set(list(rules), routes.OPERATION_NAMES)))

    def journal(self) -> list[dict[str, Any]]:
        """The requests since the last load."""
        return self._there(self._cloud.journal.as_list)

    def options(self, state: State) -> dict[str, Any]:
        """All options; nothing depends on how fast this machine is."""
        case = state.case or Case("dcs_instance_info", {})
        options = {**options_of(self.sim, case, state.sign_in), "connect_timeout": 60, "read_timeout": 60, "retries": 1}
        if "wait_timeout" in options or options.get("state") == "finished":
            options["wait_timeout"] = 3
        return options

    def run_module(self, state: State) -> tuple[str, list[str], str | None, int]:
        """What a module printed, its warnings, how it crashed, and by how much this process grew."""
        assert state.case is not None
        crash = None
        printed, warned = "", []
        with growth() as grown:
            try:
                printed, warned = printed_by(state.case.module, self.options(state), check_mode=state.case.check_mode)
            except Exception as error:  # noqa: BLE001  # which is what is looked for
                crash = f"{type(error).__name__}: {str(error)[:200]}\n{traceback.format_exc(limit=-4)}"
        return printed, warned, crash, grown[0]

    def run_inventory(self, state: State) -> list[dict[str, Any]]:
        """What reading the file gave, each time."""
        plugin, own, runs = _INVENTORIES[state.inventory or ""]
        given = {name: value for name, value in self.options(state).items() if name != "max_concurrency"}
        return self._inventories.read(
            f"content.{plugin}.yml", {"plugin": f"hwcloud.maintenance.{plugin}", **given, **own}, runs
        )

    def clean(self, state: State) -> Clean:
        """Run without hostile content, and make sure that this works."""
        self.load(state)
        before = self.world()
        if state.case is not None:
            printed, _warned, crash, _grown = self.run_module(state)
            assert crash is None, crash
            result = json.loads(printed)
            assert not result.get("failed"), result
            assert oracle.touched(before, self.world()) == set(state.case.does)
        else:
            for found in self.run_inventory(state):
                assert found["error"] is None, found["error"]
                assert found["hosts"]
        return Clean(self.journal(), before)

    def check(self, state: State, clean: Clean, cell: Cell) -> list[str]:
        """Run one cell; returns what is wrong."""
        self.load(state, [content.rule_of(cell, self.secret_of(state))], clean.before)
        changes = state.case is not None and not state.case.check_mode and not state.case.module.endswith("_info")
        if state.case is not None:
            printed, warned, crash, grown = self.run_module(state)
            journal = self.journal()
            after = self.world()
            done = content_oracle.Done(printed, warned, crash, grown, journal, clean.before, after, self.secrets)
            wrong = list(content_oracle.said(done, cell))
            try:
                result = json.loads(printed)
            except (ValueError, RecursionError):
                result = {}
            if result:
                wrong += content_oracle.told(state.case.module, result, done, changes=changes)
        else:
            readings = self.run_inventory(state)
            journal = self.journal()
            wrong = [each for found in readings for each in content_oracle.inventory(found, self.secrets, cell.place)]
            if len(readings) == 2 and readings[0]["error"] is None and readings[1]["dumped"] != readings[0]["dumped"]:
                wrong.append("the cache gives other hosts than the service did")
            if self.world() != clean.before:
                wrong.append("an inventory changed something")
        known = {*clean.before, self.sim.project_id, *self.sim.projects, *content.identifiers(cell.value)}
        known |= {each.swapcase() for each in known}
        if state.case is not None:
            known |= _texts(state.case.options)
        wrong += content_oracle.requests_sent(journal, known, changes=changes)
        return list(dict.fromkeys(wrong))


def _texts(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for each in inner for text in _texts(each)}


# --- Cells -----------------------------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """The clean run of each state, and the cells of the whole matrix and of the selection, each with its state's name."""

    clean: dict[str, Clean]
    product: list[tuple[str, Cell]]
    selection: list[tuple[str, Cell]]

    def of(self, name: str, *, exhaustive: bool) -> list[Cell]:
        """The cells of a state."""
        return [cell for state, cell in (self.product if exhaustive else self.selection) if state == name]


def _places(sim: Simulator) -> dict[tuple[str, str], list[Place]]:
    """All places of each operation: those that are read, and those that are only handed on."""
    state = sim.state()
    task = [name for name in state["tasks"][0] if name not in ("project_id", "instance_id")]
    names = {
        ("dcs", "ListBackgroundTask"): task,
        ("dcs", "ListCenterTask"): task,
        ("dcs", "ListInstances"): DCS_LISTED,
        ("dds", "ListInstances"): [name for name in state["dds_instances"][0] if name != "project_id"],
        ("dds", "ListScheduledTasks"): [name for name in state["scheduled_jobs"][0] if name != "project_id"],
    }
    return {
        key: [*places, *content.handed_on(key, names.get(key, ()))] if key in names else places
        for key, places in content.PLACES.items()
    }


def _product(clean: dict[str, Clean], places: dict[tuple[str, str], list[Place]]) -> Iterator[tuple[str, Cell]]:
    for name, run in clean.items():
        case = STATES[name].case
        thorough = case is None or case.thorough or case in _MORE_CASES.values()
        for key in run.operations:
            # How a run signed in matters to the answers of signing in, and to which secrets there are.
            signs_in = key[0] in ("iam", "metadata")
            values = None if signs_in or STATES[name].sign_in == "keys" else _SECRET_VALUES
            for place in places[key]:
                for value in content.values_of(place):
                    if value in content.LARGE and not thorough:
                        continue
                    if values is None or value in values:
                        yield name, Cell(place, value, True)
                        yield name, Cell(place, value, False)


def _features(entry: tuple[str, Cell]) -> Iterator[tuple[Any, ...]]:
    """What the selection must not lose of a cell."""
    name, cell = entry
    yield "place and value", cell.place, cell.value
    yield "value and state", cell.value, name
    yield "how often", cell.place.service, cell.place.operation, cell.value, cell.always


@pytest.fixture(scope="module")
def inventories() -> Iterator[Inventories]:
    """The process that reads inventory files."""
    with Inventories() as running:
        yield running


@pytest.fixture(scope="module")
def plan(running_simulator, inventories) -> Plan:
    """All cells; it takes a run of each state to know them."""
    with pytest.MonkeyPatch.context() as patch:
        clock.install(patch, {case.module for case in _ALL_CASES.values()})
        lab = Lab(running_simulator, inventories)
        clean = {name: lab.clean(state) for name, state in STATES.items()}
    product = list(_product(clean, _places(running_simulator)))
    return Plan(clean, product, rings.covering(product, _features))


@pytest.fixture
def lab(sim, monkeypatch, no_backoff, inventories) -> Lab:
    """The simulator, and a clock that does not wait."""
    clock.install(monkeypatch, {case.module for case in _ALL_CASES.values()})
    return Lab(sim, inventories)


# --- Tests -----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.program
@pytest.mark.undocumented_requests  # judged cell by cell
@pytest.mark.parametrize("name", STATES)
def test_content_does_no_harm(plan, lab, name, exhaustive, record_property):
    cells = plan.of(name, exhaustive=exhaustive)
    record_property("content cells", len(cells))
    wrong = {cell: lab.check(STATES[name], plan.clean[name], cell) for cell in cells}
    lines = [f"  {cell}: {each}" for cell, found in wrong.items() for each in found]
    if lines:
        bad = sum(bool(found) for found in wrong.values())
        pytest.fail(f"{bad} of {len(cells)} cells of {name}:\n" + "\n".join(lines), pytrace=False)


_TASKS, _JOBS = ("dcs", "ListBackgroundTask"), ("dds", "ListScheduledTasks")
_INSTANCES, _REMOVAL = ("dcs", "ListInstances"), ("dcs", "DeleteBackgroundTask")
_TOKEN = ("iam", "KeystoneCreateUserTokenByPassword")
#: Attacks that once succeeded: state, operation, place and value.
ATTACKS: dict[str, tuple[str, tuple[str, str], tuple[str | int, ...], str]] = {
    "the id .. deletes an instance": ("absent-by-phase", _TASKS, ("tasks", -1, "id"), "dot dot"),
    "the id . deletes all tasks": ("absent-by-phase", _TASKS, ("tasks", -1, "id"), "dot"),
    "the id .. of a spec change": ("resize-wait", _TASKS, ("tasks", 0, "id"), "dot dot"),
    "the id .. of a job": ("job-all-pending", _JOBS, ("schedules", 0, "job_id"), "dot dot"),
    "a template in the cache": (
        "inventory dcs-groups-cached",
        _INSTANCES,
        ("instances", -1, "description"),
        "a trusted template",
    ),
    "a type that Ansible does not know": ("absent-by-phase", _TASKS, ("tasks", -1, "details"), "an unknown type"),
    "text that is no UTF-8": ("absent-by-phase", _TASKS, ("tasks", -1, "name"), "a lone surrogate"),
    "a redirect that cannot be parsed": ("absent-by-phase", _REMOVAL, (), "a redirect to nowhere"),
    "a redirect with a long body": ("absent-by-name", _REMOVAL, (), "a redirect with zeros"),
    "the secret key as a name": ("info-of-one", _TASKS, ("tasks", -1, "name"), "a secret"),
    "the token as a name": ("info-of-one, password", _TASKS, ("tasks", -1, "name"), "what was sent"),
    "the secret key in a cache": (
        "inventory dcs-groups-cached",
        _INSTANCES,
        ("instances", -1, "description"),
        "a secret as a key",
    ),
    "escapes in a message": ("resize-by-id-wait", _TASKS, ("tasks", 0, "name"), "terminal escapes"),
    "a megabyte in a message": ("finished-three", _TASKS, ("tasks", -1, "status"), "a megabyte"),
    "cookies": ("absent-by-phase", _TASKS, (), "cookies"),
    "null for no tasks": ("info-of-one", _TASKS, ("tasks",), "nothing, as null"),
    "a sign-in that is no JSON": ("info-of-one, password", _TOKEN, (), "no JSON of 201"),
    "a removal that says that it failed": ("absent-one", _REMOVAL, (), "not done, and says so"),
    "a key that is no name": ("inventory dcs", _INSTANCES, ("instances", -1, "a b"), "a word"),
}


@pytest.mark.worst
@pytest.mark.program
@pytest.mark.undocumented_requests  # judged here
@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_that_once_succeeded(lab, name):
    """On the oldest ansible-core too."""
    state, operation, at, value = ATTACKS[name]
    place = next(place for place in content.PLACES[operation] if place.at == at)
    clean = lab.clean(STATES[state])
    assert lab.check(STATES[state], clean, Cell(place, value, True)) == []


@pytest.mark.slow
@pytest.mark.program
def test_the_selection_loses_nothing(plan):
    """Each place has each of its values in it, and each state meets each value that it can meet."""
    print(f"{len(plan.product)} cells, of which {len(plan.selection)} are selected")
    pairs: dict[str, set[tuple[Any, ...]]] = {"all": set(), "selected": set()}
    for kind, entries in (("all", plan.product), ("selected", plan.selection)):
        for name, cell in entries:
            pairs[kind].add((cell.place, cell.value))
            pairs[kind].add((cell.value, name))
    assert pairs["selected"] == pairs["all"]
    assert {(cell.place.service, cell.place.operation) for _name, cell in plan.selection} == set(content.OPERATIONS)
    assert {name for name, _cell in plan.selection} == {name for name, run in plan.clean.items() if run.journal}
    # Nothing that was written down is forgotten.
    used = {cell.value for _name, cell in plan.product}
    assert used >= {*content.JUNK, *content.IDS, *content.WORDS, *content.TIMES, *content.COUNTS, *content.LISTS}
    assert used >= {*content.BODIES, *content.SECRETS, *content.CHANGES}
