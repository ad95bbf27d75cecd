# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Walks through a case: each step, and the runs that a promise compares it with."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple

from .cases import Case, Step, without_disturbance
from .lab import Lab, Run
from .promises import OF_PREDICTIONS, OF_RETRIES, OF_RUNS, OF_SECOND_RUNS, changes, failures, listings, pairs, requests

#: So often is a task run again that may succeed later, with time in between.
_RETRIES = 4
#: These files register their promises.
FILES = (changes, requests, listings, failures, pairs)


class Broken(NamedTuple):
    """A promise that was not kept: its name, what was seen, and in which run."""

    promise: str
    detail: str
    run: str

    @property
    def label(self) -> str:
        """What tells defects apart: the promise, and the first words without ids and numbers."""
        words = re.sub(r"[0-9a-f]{8}[0-9a-f-]*|\b\d+(\.\d+)?\b|\[.*?\]|\{.*?\}", "…", self.detail)
        return f"{self.promise}: {words[:60]}"


class Judge:
    """Runs a case and judges it."""

    def __init__(self, lab: Lab, case: Case, *, tell: bool = False) -> None:
        self._lab = lab
        self._case = case
        self._tell = tell
        self._number = 0
        #: Pairs of check mode and the real run that were compared.
        self.pairs = 0

    def broken(self) -> list[Broken]:
        """All promises that were not kept."""
        self._lab.load(self._case)
        found: list[Broken] = []
        for number, step in enumerate(self._case["steps"]):
            self._number = number
            found += self._step(step)
        return found

    def _step(self, step: Step) -> Iterator[Broken]:
        first, broken = self._run(step, "")
        yield from broken
        yield from self._as_expected(step, first)
        again = without_disturbance(step)
        real = first
        if first.check_mode:
            if not first.quiet or self._something_happens_by_itself(step):
                return
            real, broken = self._run(again, "the real run", check_mode=False)
            yield from broken
            yield from self._compare(OF_PREDICTIONS, first, real)
            self.pairs += 1
            if self._case.get("predictions_only"):
                return
        if step["module"].endswith("_info") or step["module"].startswith("inventory") or real.crash:
            return
        if not real.failed:
            second, broken = self._run(again, "the second run", check_mode=False)
            yield from broken
            yield from self._compare(OF_SECOND_RUNS, real, second)
        elif real.failure.keys() >= {"retryable"} and real.after_signal is None:
            yield from self._retry(again, real)

    def _retry(self, step: Step, first: Run) -> Iterator[Broken]:
        """Run again what failed: once at once, or several times with time in between until it gets on."""
        last = first
        for number in range(_RETRIES if first.failure["retryable"] else 1):
            if first.failure["retryable"]:
                self._lab.get_on()
            last, broken = self._run(step, f"run again {number + 1}", check_mode=False)
            yield from broken
            if not (last.failed and last.failure.get("retryable")):
                break
        yield from self._compare(OF_RETRIES, first, last)

    def _something_happens_by_itself(self, step: Step) -> bool:
        world = self._case["world"]
        records = (*world["tasks"], *world["jobs"])
        timed = any("start_after" in record or "finish_after" in record for record in records)
        return timed or not pairs.can_be_predicted(step["options"], world.get("switches", {}))

    def _run(self, step: Step, which: str, *, check_mode: bool | None = None) -> tuple[Run, list[Broken]]:
        run = self._lab.run(step, check_mode=check_mode)
        name = f"step {self._number}{', ' if which else ''}{which}"
        if self._tell:
            _print_run(name, run)
        if run.crash:
            return run, [Broken("a failure has its form", run.crash, name)]
        return run, [Broken(promise.name, detail, name) for promise in OF_RUNS for detail in _told(promise, run)]

    def _compare(self, promises: list[Any], first: Run, second: Run) -> Iterator[Broken]:
        if first.crash or second.crash:
            return
        for promise in promises:
            for detail in _told(promise, first, second):
                yield Broken(promise.name, detail, f"step {self._number}")

    def _as_expected(self, step: Step, run: Run) -> Iterator[Broken]:
        """Whether the result has the values that a kept case names."""
        for path, value in step.get("expect", {}).items():
            found: Any = run.result
            for key in path.split("."):
                found = found.get(key) if isinstance(found, dict) else None
            if found != value:
                yield Broken(
                    "as expected", f"{path} is {found!r} instead of {value!r}: {run.message}", f"step {self._number}"
                )


def _told(promise: Any, *runs: Run) -> list[str]:
    """How a promise was broken; a promise that cannot be checked is a defect of the walk, which is told as well."""
    try:
        return list(promise.broken_by(*runs))
    except Exception:  # noqa: BLE001  # the rest of the walk shall go on
        return [f"a defect of the walk: {traceback.format_exc()}"]


def _print_run(name: str, run: Run) -> None:
    """Tell what happened in a run, for people."""
    print(f"--- {name}: {run.module} {run.options}{' in check mode' if run.check_mode else ''}")
    print("    before", run.before)
    for request in run.requests:
        pages = [request.query[key][0] for key in ("offset", "limit") if key in request.query]
        print(
            f"    {request.number} at {request.at:.1f} {request.operation} {request.path[-50:]} {pages} {request.status}",
            f"fault {request.fault}" if request.fault else "",
            "stale" if request.stale else "",
            f"changed {request.changed}" if request.changed else "",
            request.shown if request.shown is not None else "",
        )
    print("    others", run.acts)
    print("    after", run.after)
    left_out = ("tasks", "jobs", "diff", "invocation")
    print("    result", {key: value for key, value in run.result.items() if key not in left_out})
