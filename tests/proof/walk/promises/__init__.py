# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sentences of README and of the documentation that a walk checks.

A promise is a sentence and a function that yields, in words, where a run did not keep it. Those of one run are in
C(changes.py), C(requests.py), C(listings.py) and C(failures.py); those that compare two runs in C(pairs.py).
C(tests/proof/test_walk.py) proves that each sentence still stands in its file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable, Generic, TypeVar

from tests.proof.walk.lab import Run

Check = TypeVar("Check")
README, SIGN_IN, ARCHITECTURE = "README.md", "docs/sign_in.md", "docs/architecture.md"


@dataclass(frozen=True)
class Promise(Generic[Check]):
    """A sentence, the file in which it stands, and what finds out whether it was kept."""

    name: str
    sentence: str
    file: str
    broken_by: Check


OfRun = Callable[[Run], Iterator[str]]
OfTwo = Callable[[Run, Run], Iterator[str]]

#: Of one run.
OF_RUNS: list[Promise[OfRun]] = []
#: Of check mode, then the real run.
OF_PREDICTIONS: list[Promise[OfTwo]] = []
#: Of a run that succeeded, then the same again.
OF_SECOND_RUNS: list[Promise[OfTwo]] = []
#: Of a run that failed, then the same again: at once, or later if it said that it may succeed then.
OF_RETRIES: list[Promise[OfTwo]] = []


def promise(among: list[Promise[Check]], sentence: str, file: str = README) -> Callable[[Check], Check]:
    """Say which sentence a function checks."""

    def register(check: Check) -> Check:
        name = check.__name__.replace("_", " ")
        among.append(Promise(name, sentence, file, check))
        return check

    return register


def every() -> list[Promise[OfRun] | Promise[OfTwo]]:
    """All promises."""
    return [*OF_RUNS, *OF_PREDICTIONS, *OF_SECOND_RUNS, *OF_RETRIES]
