# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests run when: C(make check), C(make test) and C(make exhaustive) give pytest C(--ring) with the same word.

- C(check) is what a contributor runs after each change: all tests but those marked C(program) or C(slow).
- C(test) is what a change must pass before it is merged: all tests; a matrix runs a selection of its cells, the same one
  each time, and generated inputs come from the same seed each time. This is the default.
- C(exhaustive) is for the night: all tests; a matrix runs all its cells, and generated inputs come from a new seed, which
  the report names; C(--seed) repeats it.

C(--worst) adds the tests marked C(worst) to the ring C(check): these run on the oldest ansible-core too.

The mark C(program) is given here, by the names in the code of a test and of what it uses. A test that starts a program
without it fails, so that C(make check) stays what it promises to be; it then needs the mark itself.
"""

from __future__ import annotations

import functools
import heapq
import inspect
import random
import sys
from collections.abc import Hashable, Iterable, Iterator
from types import CodeType
from typing import Any, Callable, TypeVar

import pytest
from hypothesis import HealthCheck, settings

_Cell = TypeVar("_Cell")

RINGS = ("check", "test", "exhaustive")
#: The seed of generated inputs in all rings but C(exhaustive).
FIXED_SEED = 20

#: What starts a program, such as ansible-playbook, where the code of a test names it, or that of a fixture, function or
#: class that it uses.
_STARTERS = frozenset(("subprocess", "run_playbook", "Proxy", "Racers"))
_MARKS = {
    "program": "starts a program, such as ansible-playbook; not in `make check`",
    "slow": "takes more than a few seconds; not in `make check`",
    "worst": "one of the worst things that can happen; on the oldest ansible-core too",
}


def ring(config: pytest.Config) -> str:
    """The ring that was asked for, one of L(RINGS)."""
    return config.getoption("ring")


def exhaustive(config: pytest.Config) -> bool:
    """Whether a matrix runs all its cells, and generated inputs are new ones."""
    return ring(config) == "exhaustive"


def seed(config: pytest.Config) -> int:
    """The seed of generated inputs: always the same one but in the ring C(exhaustive), the same in all test processes."""
    worker_input = getattr(config, "workerinput", None)
    return worker_input["seed"] if worker_input is not None else config.stash[_SEED]


def covering(cells: Iterable[_Cell], features: Callable[[_Cell], Iterable[Hashable]]) -> list[_Cell]:
    """A small selection of cells in which each feature of any cell occurs; the same one each time.

    :arg cells: All cells of a matrix, in the same order each time.
    :arg features: What must not be lost of a cell, such as C(("fault", "403", "operation", "ListInstances")).
    :returns: The cells that were selected, in the order of C(cells).
    """
    everything = list(cells)
    having = [set(features(cell)) for cell in everything]
    missing = set().union(*having)
    # The cell with the most features that no selected cell has comes next, the first of several. As their number only
    # falls, a cell is counted anew only when it seems to be the best.
    queue = [(-len(found), number) for number, found in enumerate(having)]
    heapq.heapify(queue)
    selected = []
    while missing:
        believed, number = heapq.heappop(queue)
        gain = len(having[number] & missing)
        if gain == -believed:
            selected.append(number)
            missing -= having[number]
        elif gain:
            heapq.heappush(queue, (-gain, number))
    return [everything[number] for number in sorted(selected)]


# --- Fixtures --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", name="exhaustive")
def _exhaustive(request: pytest.FixtureRequest) -> bool:
    """Whether a matrix runs all its cells."""
    return exhaustive(request.config)


@pytest.fixture(scope="session")
def fuzz_seed(request: pytest.FixtureRequest) -> int:
    """The seed of generated inputs."""
    return seed(request.config)


# --- What pytest calls -----------------------------------------------------------------------------------------------

_SEED = pytest.StashKey[int]()
#: The test that runs now in this process, if it must not start a program.
_without_programs: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the rings."""
    group = parser.getgroup("rings", "which tests run")
    group.addoption("--ring", choices=RINGS, default="test", help="check, test (the default) or exhaustive")
    group.addoption("--worst", action="store_true", help="in the ring `check`, also tests with the mark `worst`")
    group.addoption("--seed", type=int, help="the seed of generated inputs in the ring `exhaustive`")


# Before the plugin of hypothesis reads its own option.
@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, choose the seed in the process that gives out the tests, and give it to hypothesis."""
    for name, text in _MARKS.items():
        config.addinivalue_line("markers", f"{name}: {text}")
    given = config.getoption("seed")
    if given is None:
        given = random.SystemRandom().randrange(2**32) if exhaustive(config) else FIXED_SEED
    config.stash[_SEED] = given
    # A busy machine is no reason to fail, and neither is an example that no run before has tried.
    settings.register_profile(
        "rings",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize=not exhaustive(config),
        database=None,
    )
    settings.load_profile("rings")
    if exhaustive(config) and config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = str(seed(config))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give the seed to a process of pytest-xdist."""
    node.workerinput["seed"] = node.config.stash[_SEED]


def pytest_report_header(config: pytest.Config) -> str:
    """Name the ring and the seed in the first lines."""
    return f"ring: {ring(config)}, seed of generated inputs: {seed(config)}"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Name the seed of new inputs at the end too, where it is found the next morning."""
    if exhaustive(config):
        terminalreporter.write_line(
            f"Generated inputs had the seed {seed(config)}; --seed={seed(config)} repeats them."
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what starts programs, and leave out what does not belong to the ring."""
    for item in items:
        fixtures = getattr(item, "_fixtureinfo", None)
        used = [each.func for found in fixtures.name2fixturedefs.values() for each in found] if fixtures else []
        if any(_names_a_starter(each) for each in (getattr(item, "function", None), *used)):
            item.add_marker("program")
    if ring(config) != "check":
        return
    wanted = config.getoption("worst")
    left_out = [item for item in items if _is_left_out(item) and not (wanted and item.get_closest_marker("worst"))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@functools.cache
def _names_a_starter(thing: Any) -> bool:
    """Whether a function, or a method of a class, or what of the tests it uses, names something that starts a program."""
    todo, seen = [thing], set()
    while todo:
        each = inspect.unwrap(todo.pop()) if callable(todo[-1]) else todo.pop()
        if each in seen or not getattr(each, "__module__", "").startswith("tests."):
            continue
        seen.add(each)
        if inspect.isclass(each):
            todo += [inner for inner in vars(each).values() if inspect.isfunction(inner)]
        elif inspect.isfunction(each):
            names = set(_names(each.__code__))
            if names & _STARTERS:
                return True
            used = [each.__globals__.get(name) for name in names]
            todo += [inner for inner in used if inspect.isfunction(inner) or inspect.isclass(inner)]
    return False


def _names(code: CodeType) -> Iterator[str]:
    """The names in the code of a function, and in that of functions inside it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_left_out(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("program", "slow"))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let only tests with the mark C(program) start programs."""
    if item.get_closest_marker("program") is None:
        _without_programs.append(item.nodeid)
    try:
        return (yield)
    finally:
        _without_programs.clear()


def _refuse_programs(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen" and _without_programs:
        program = str(arguments[0] or arguments[1])
        # Python itself looks for a library of the system with these, for ansible-core.
        if program.rpartition("/")[2] in ("ldconfig", "gcc", "cc", "ld", "objdump"):
            return
        raise AssertionError(f"{_without_programs[0]} starts {program}: it needs the mark `program` (tests/rings.py).")


# There is no way to remove it again; it lives as long as the process.
sys.addaudithook(_refuse_programs)
