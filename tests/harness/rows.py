# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables of data as a few tests: each loops over its rows, and reports each row that is wrong, with its values."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Callable

import pytest

if TYPE_CHECKING:
    from tests.harness.profiles import Home
    from tests.harness.sources import Task
    from tests.simulator import Simulator

#: Longer values are cut where a row is named.
_MOST = 80


def _simulator_anew(sim: Simulator) -> Simulator:
    sim.reset("maintenance")
    return sim


def _home_anew(home: Home) -> Home:
    """The first row has the folder of the test; each later one a folder beside it."""
    folders = home.folder.parent
    return type(home)(folders / f"home-{len(list(folders.iterdir()))}")


def _task_anew(task: Task) -> Task:
    return task.anew(_home_anew(task.home))


#: What a row must not inherit from the row before it, by the name of the fixture: gives the row one of its own.
_ANEW: dict[str, Callable[[Any], Any]] = {"sim": _simulator_anew, "home": _home_anew, "task": _task_anew}


def in_rows(names: str | tuple[str, ...], rows: Iterable[Any], *, by: int = 0, ids: Any = str) -> Callable[[Any], Any]:
    """Run a test with each row of a table, as C(pytest.mark.parametrize) does, but many rows in one test.

    What is left by one row is not there for the next: the simulator is reset, and a home folder and a task are new.

    :arg names: The arguments that the columns give; one name means that a row is the value itself.
    :arg by: How many of the first columns tell the tests apart: all rows with the same values there are one test. They
        have to be hashable.
    :arg ids: As of C(parametrize), for these columns.
    """
    columns = (names,) if isinstance(names, str) else names
    table = [(row,) if isinstance(names, str) else tuple(row) for row in rows]
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in table:
        groups.setdefault(row[:by], []).append(row)

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)
        kept = [parameter for name, parameter in signature.parameters.items() if name not in columns[by:]]
        added = [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            for name in ("subtests", *columns[:by])
            if name not in signature.parameters
        ]

        @functools.wraps(test)
        def run(**arguments: Any) -> None:
            subtests = arguments["subtests"]
            given = {name: arguments[name] for name in signature.parameters if name in arguments}
            for number, row in enumerate(groups[tuple(arguments[name] for name in columns[:by])]):
                if number:
                    given.update({name: anew(given[name]) for name, anew in _ANEW.items() if name in given})
                values = dict(zip(columns, row))
                with subtests.test(None, **{name: _shortened(values[name]) for name in columns[by:]}):
                    test(**{**given, **values})

        run.__signature__ = signature.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
        if not by:
            return run
        # A single column is given as it is, not as a row of one.
        cases = [key if by > 1 else key[0] for key in groups]
        return pytest.mark.parametrize(columns[:by] if by > 1 else columns[0], cases, ids=ids)(run)

    return decorate


def _shortened(value: Any) -> str:
    text = value if isinstance(value, str) and value.isprintable() else repr(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
