# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Walks through many cases from a seed, and keeps those that failed, made smaller."""

from __future__ import annotations

import re
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from . import cases, kinds
from .judge import Broken, Judge
from .lab import Lab
from .shrink import shrink


class Found(NamedTuple):
    """A case that failed: of which kind, the how many-th, the promise that it broke, and the case made smaller."""

    kind: str
    number: int
    broken: Broken
    case: cases.Case

    def told(self, seed: int) -> str:
        """What a person needs to know."""
        return (
            f"{self.broken.promise}: {self.broken.detail} ({self.broken.run}; seed {seed}, kind {self.kind}, case"
            f" {self.number})"
        )


class Walk:
    """Many cases of one kind."""

    def __init__(self, lab: Lab, kind: str, seed: int) -> None:
        self._lab = lab
        self.kind = kind
        self.seed = seed
        #: How often each promise was broken, by C(Broken.label).
        self.broken: Counter[str] = Counter()
        #: The first case of each, made smaller.
        self.found: list[Found] = []
        self.pairs = 0
        self.cases = 0

    def go(self, count: int, *, first: int = 0, seconds: float | None = None, small: bool = True) -> Walk:
        """Walk through so many cases, or until the seconds of CPU are over."""
        begun = time.process_time()
        for number in range(first, first + count):
            if seconds is not None and time.process_time() - begun > seconds:
                break
            self.cases += 1
            case = kinds.random_case(self.kind, self.seed, number)
            judge = Judge(self._lab, case)
            for broken in judge.broken():
                self.broken[broken.label] += 1
                if self.broken[broken.label] == 1:
                    self.found.append(Found(self.kind, number, broken, self._shrunk(case, broken) if small else case))
            self.pairs += judge.pairs
        return self

    def _shrunk(self, case: cases.Case, broken: Broken) -> cases.Case:
        """The smallest case that breaks the same promise."""

        def still_fails(candidate: cases.Case) -> bool:
            return any(each.label == broken.label for each in Judge(self._lab, candidate).broken())

        return shrink(case, still_fails)

    def keep(self, folder: Path) -> list[Path]:
        """Write what was found to files."""
        files = []
        for found in self.found:
            name = re.sub(r"\W+", "_", f"{self.seed}-{found.kind}-{found.broken.label}")[:150]
            file = folder / f"{name}.json"
            cases.write(file, {"about": found.told(self.seed), **found.case})
            files.append(file)
        return files
