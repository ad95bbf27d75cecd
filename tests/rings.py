# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests run when: C(make check), C(make test) and C(make exhaustive) give pytest C(--ring) with the same word.

- C(check) is what a contributor runs after each change: all tests but those marked C(program) or C(slow).
- C(test) is what a change must pass before it is merged: all tests; a matrix runs a selection of its cells, the same one
  each time, and generated inputs come from the same seed each time. This is the default.
- C(exhaustive) is for the night: all tests; a matrix runs all its cells, and generated inputs come from a new seed, which
  the report names; C(--seed) repeats it.

C(--worst) adds the tests marked C(worst) to the ring C(check): these run on the oldest ansible-core too.

The mark C(program) is given here by file or by fixture, or stands on a test. A test that starts a program without it
fails, so that C(make check) stays what it promises to be.
"""

from __future__ import annotations

import heapq
import random
import sys
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Callable, TypeVar

import pytest

_Cell = TypeVar("_Cell")

RINGS = ("check", "test", "exhaustive")
#: The seed of generated inputs in all rings but C(exhaustive).
FIXED_SEED = 20

#: Files and folders of which every test starts a program, or takes long.
_PROGRAM_PLACES = ("tests/inventory/", "tests/docs/test_payload.py", "tests/contract/test_command_line.py")
#: Fixtures that start a program, such as ansible-playbook.
_PROGRAM_FIXTURES = frozenset(("play", "ansible", "documented", "racers", "proxy"))
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


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, and choose the seed in the process that gives out the tests."""
    for name, text in _MARKS.items():
        config.addinivalue_line("markers", f"{name}: {text}")
    given = config.getoption("seed")
    if given is None:
        given = random.SystemRandom().randrange(2**32) if exhaustive(config) else FIXED_SEED
    config.stash[_SEED] = given


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
        if item.nodeid.startswith(_PROGRAM_PLACES) or _PROGRAM_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("program")
    if ring(config) != "check":
        return
    wanted = config.getoption("worst")
    left_out = [item for item in items if _is_left_out(item) and not (wanted and item.get_closest_marker("worst"))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


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
        program = arguments[0] or arguments[1]
        raise AssertionError(f"{_without_programs[0]} starts {program}: it needs the mark `program` (tests/rings.py).")


# There is no way to remove it again; it lives as long as the process.
sys.addaudithook(_refuse_programs)
