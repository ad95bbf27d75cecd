# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Doing the same to each of many, with several requests at the same time.

The calling thread waits, so that a signal or the deadline can end the task although a request blocks for longer.
"""

from __future__ import annotations

import threading
import typing as t
from collections import deque

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, Operation

Item = t.TypeVar("Item")
Value = t.TypeVar("Value")

#: Seconds in which what is under way may still end by itself.
_GRACE = 1.0


class Outcome(t.NamedTuple):
    """What became of one item: C(value), or C(error)."""

    item: t.Any
    value: t.Any
    error: MaintenanceError | None


def unless_hopeless(
    max_failures: int | None = None,
    hopeless: t.Callable[[MaintenanceError], bool] = lambda error: error.stops_all,
) -> t.Callable[[Outcome], bool]:
    """When to begin no more: after a failure that all others would share, or after so many failures."""
    failed: list[object] = []

    def stops(outcome: Outcome) -> bool:
        if outcome.error is None:
            return False
        failed.append(outcome.item)
        return hopeless(outcome.error) or (max_failures is not None and len(failed) >= max_failures)

    return stops


def each(
    client: Client,
    operation: Operation,
    items: t.Iterable[Item],
    act: t.Callable[[Item], object],
    stops: t.Callable[[Outcome], bool],
) -> tuple[list[Outcome], list[Item]]:
    """Call C(act) for each; the outcomes in the order of the items, and the items that were not tried.

    None is begun once C(stops) says so of an outcome. C(operation) is named where nobody knows what became of an item.
    """
    return _Crew(client, operation, items, act, stops).run()


def attempt_each(
    client: Client,
    operation: Operation,
    items: t.Sequence[Item],
    act: t.Callable[[Item], object],
    settle: t.Callable[[list[Item], dict[Item, MaintenanceError]], None],
    hopeless: t.Callable[[MaintenanceError], bool] = lambda error: error.stops_all,
    max_failures: int | None = None,
) -> tuple[list[Item], dict[Item, MaintenanceError], list[Item]]:
    """Change each; returns what was done, what failed, and what was not tried.

    C(settle) may then correct what was done and what failed; when it clears the failures that stopped the rest, that goes on.
    """
    done: list[Item] = []
    failed: dict[Item, MaintenanceError] = {}
    rest = list(items)
    while rest:
        left = None if max_failures is None else max_failures - len(failed)
        outcomes, rest = each(client, operation, rest, act, unless_hopeless(left, hopeless))
        new = {outcome.item: outcome.error for outcome in outcomes if outcome.error is not None}
        done += [outcome.item for outcome in outcomes if outcome.error is None]
        failed.update(new)
        settle(done, failed)
        if any(item in failed and hopeless(error) for item, error in new.items()):
            break
        if max_failures is not None and len(failed) >= max_failures:
            break
    were_done = set(done)
    return [item for item in items if item in were_done], failed, rest


class _Crew:
    def __init__(
        self,
        client: Client,
        operation: Operation,
        items: t.Iterable[t.Any],
        act: t.Callable[[t.Any], object],
        stops: t.Callable[[Outcome], bool],
    ) -> None:
        self._client = client
        self._operation = operation
        self._act = act
        self._stops = stops
        self._todo = deque(enumerate(items))
        self._under_way: dict[int, t.Any] = {}
        self._outcomes: dict[int, Outcome] = {}
        self._defect: Exception | None = None
        self._stopped = False
        self._lock = threading.Lock()
        self._working = 0
        #: Free once all threads have ended.
        self._latch = threading.Lock()

    def run(self) -> tuple[list[Outcome], list[t.Any]]:
        # One at a time as long as the credentials may be wrong.
        while self._todo and not self._client.accepted and self._do_next():
            pass
        self._working = min(self._client.max_concurrency, len(self._todo))
        if self._working > 1 and not self._stopped:
            self._latch.acquire()
            for _number in range(self._working):
                # What blocks must not keep the process alive.
                threading.Thread(target=self._work, daemon=True).start()
            if not self._client.wait_for(self._latch):
                self._stopped = True
                self._latch.acquire(timeout=_GRACE)
        else:
            while self._do_next():
                pass
        with self._lock:
            if self._defect is not None:
                raise self._defect
            for index, item in self._under_way.items():
                self._outcomes[index] = Outcome(item, None, self._client.ended(self._operation, uncertain=True))
            self._under_way = {}
            if self._todo and self._client.remaining() <= 0 and all(o.error is None for o in self._outcomes.values()):
                # Somebody has to say why the rest was not tried.
                index, item = self._todo.popleft()
                self._outcomes[index] = Outcome(item, None, self._client.ended(self._operation, uncertain=False))
            return [self._outcomes[index] for index in sorted(self._outcomes)], [item for _index, item in self._todo]

    def _work(self) -> None:
        try:
            while self._do_next():
                pass
        except Exception as defect:  # noqa: BLE001  # raised again in the calling thread
            self._defect = defect
            self._stopped = True
        finally:
            with self._lock:
                self._working -= 1
                if not self._working:
                    self._latch.release()

    def _do_next(self) -> bool:
        """Do one; False when there is none to do."""
        with self._lock:
            if self._stopped or not self._todo:
                return False
            index, item = self._todo.popleft()
            self._under_way[index] = item
        try:
            outcome = Outcome(item, self._act(item), None)
        except MaintenanceError as error:
            outcome = Outcome(item, None, error)
        except Exception as defect:  # noqa: BLE001  # what was done for the other items must not be lost
            outcome = Outcome(item, None, self._client.unexpected(self._operation, defect))
        with self._lock:
            # Otherwise nobody waits for it any more.
            if self._under_way.pop(index, outcome) is item:
                self._outcomes[index] = outcome
                if self._stops(outcome):
                    self._stopped = True
        return True
