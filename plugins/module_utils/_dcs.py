# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of DCS (Distributed Cache Service), and the background tasks that they return."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import (
    Outcome,
    each,
    unless_hopeless,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    Record,
    has_ended,
    newest_first,
    parse_api_time,
    phase_of,
    to_dcs,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import (
    Enough,
    Listing,
    ListKeys,
    Service,
    all_of,
)

_INSTANCES = "/v2/{project_id}/instances"
_TASKS = f"{_INSTANCES}/{{instance_id}}/tasks"
_READ = "dcs:instance:getBackgroundTask"

LIST_TASKS = Operation("ListBackgroundTask", "dcs", "GET", _TASKS, _READ)
DELETE_TASK = Operation(
    "DeleteBackgroundTask", "dcs", "DELETE", f"{_TASKS}/{{task_id}}", "dcs:instance:deleteBackgroundTask"
)
SHOW_PROGRESS = Operation("ShowBackgroundTaskProgress", "dcs", "GET", f"{_TASKS}/{{task_id}}/progress", _READ)
CANCEL_RESIZE = Operation(
    "CancelInstanceResize",
    "dcs",
    "POST",
    f"{_INSTANCES}/{{instance_id}}/resize/cancel/{{task_id}}",
    "dcs:instance:scale",
)
LIST_CENTER_TASKS = Operation("ListCenterTask", "dcs", "GET", "/v2/{project_id}/tasks", "dcs:task:list")
DELETE_CENTER_TASK = Operation(
    "DeleteCenterTask", "dcs", "DELETE", "/v2/{project_id}/tasks/{task_id}", "dcs:task:delete"
)
_TASK_KEYS = ListKeys("tasks", "task_count", "id")

#: An instance (None: the task centre) and one of its tasks: nobody says that ids are unique beyond an instance.
Key = tuple[t.Optional[str], str]

#: The old and the new word for a spec change (C2).
SPEC_CHANGE_NAMES = ("EXTEND", "ChangeInstanceSpec")


def is_spec_change(task: Record) -> bool:
    """Whether a task is a spec change, under either of its names."""
    return task.get("name") in SPEC_CHANGE_NAMES


def build_task(api_object: Record, instance_id: str | None) -> Record:
    """The API's object, nothing dropped, gets C(instance_id) (None from the task centre) and C(phase)."""
    # Not a copy: there are tens of thousands.
    api_object["instance_id"] = instance_id
    api_object["phase"] = phase_of(api_object.get("status"))
    details = api_object.get("details")
    if isinstance(details, dict):
        # Capacities come as numbers or text (C6), and become text.
        for key in ("old_capacity", "new_capacity"):
            if not isinstance(details.get(key, ""), str):
                details[key] = _as_text(details[key])
    return api_object


def _as_text(value: t.Any) -> t.Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class TaskFilter(t.NamedTuple):
    """Which background tasks are meant; None is no restriction, and an empty list fits nothing."""

    task_ids: t.Collection[str] | None = None
    names: t.Collection[str] | None = None
    statuses: t.Collection[str] | None = None
    phases: t.Collection[str] | None = None
    #: The earliest and the latest creation; what has no readable time fits.
    start: datetime | None = None
    end: datetime | None = None
    #: Certainly created before; what has no readable time does not fit.
    older_than: datetime | None = None
    #: So many of the newest of each instance do not fit.
    keep_last: int | None = None

    @property
    def fits_nothing(self) -> bool:
        """Whether one filter is empty, such as the empty result of an earlier task, which must never list everything."""
        return any(isinstance(values, (list, tuple)) and not values for values in self)

    def of(self, records: t.Iterable[Record], instance_id: str | None) -> list[Record]:
        """The tasks that fit, of all that one instance has."""
        tasks = [build_task(record, instance_id) for record in records]
        if self[:-1].count(None) < len(self) - 1:
            tasks = [task for task in tasks if self._fits(task)]
        return newest_first(tasks, "created_at", "id")[self.keep_last :] if self.keep_last else tasks

    def _fits(self, task: Record) -> bool:
        return (
            (self.task_ids is None or task["id"] in self.task_ids)
            and (self.names is None or task.get("name") in self.names)
            and (self.statuses is None or str(task.get("status")).upper() in self.statuses)
            and (self.phases is None or task["phase"] in self.phases)
            and (self.start is None or not created_before(task, self.start))
            and (self.end is None or not created_after(task, self.end))
            and (self.older_than is None or created_before(task, self.older_than))
        )


def task_filter(**given: t.Any) -> TaskFilter:
    """A filter whose names and statuses are as a user may write them: C(EXTEND) is C(ChangeInstanceSpec) too (C2)."""
    names, statuses = given.get("names"), given.get("statuses")
    if names is not None and not set(names).isdisjoint(SPEC_CHANGE_NAMES):
        given["names"] = [*names, *SPEC_CHANGE_NAMES]
    if statuses is not None:
        given["statuses"] = [status.upper() for status in statuses]
    return TaskFilter(**given)


class FoundTasks(t.NamedTuple):
    """Tasks, newest first; what could not be listed; what was not tried; whether there are more than were wanted."""

    tasks: list[Record]
    failed: dict[str, MaintenanceError]
    not_listed: list[str]
    truncated: bool


class Dcs(Service):
    """DCS for one account and project."""

    page_size = 1000  # C7
    instance_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)
    list_instances = Operation("ListInstances", "dcs", "GET", _INSTANCES, "dcs:instance:list")
    instance_keys = ListKeys("instances", "instance_num", "instance_id")
    # The name alone finds every instance whose name contains it (contract 2.7).
    exact_name: t.Mapping[str, str] = {"name_equal": "true"}

    def task_listing(self, instance_id: str | None, start: datetime | None = None) -> Listing:
        """The listing of an instance's background tasks, or of the task centre (None); C(start): earliest creation."""
        query = {"start_time": to_dcs(start) if start else None}
        if instance_id is None:
            return self.listing(LIST_CENTER_TASKS, {}, query, _TASK_KEYS)
        return self.listing(LIST_TASKS, {"instance_id": instance_id}, query, _TASK_KEYS)

    def tasks(self, instance_id: str | None, wanted: t.Collection[str] | None = None) -> list[Record]:
        """The background tasks of an instance, or of the task centre (None), newest first.

        With C(wanted), the listing stops once these ids were seen.
        """
        enough = None if wanted is None else all_of(wanted)
        records = self.list_all(self.task_listing(instance_id)._replace(enough=enough))
        return newest_first([build_task(record, instance_id) for record in records], "created_at", "id")

    def tasks_by_key(self, keys: t.Collection[Key]) -> FoundTasks:
        """Those of these tasks that are listed, one listing for each instance."""
        ids: dict[str, set[str]] = {}
        for instance_id, task_id in keys:
            ids.setdefault(instance_id or "", set()).add(task_id)
        listings = [
            (name, self.task_listing(name or None)._replace(enough=all_of(of_one))) for name, of_one in ids.items()
        ]
        outcomes, not_listed = self.list_each(listings)
        tasks = [
            build_task(record, outcome.item or None)
            for outcome in outcomes
            for record in outcome.value or ()
            if record["id"] in ids[outcome.item]
        ]
        failed = {outcome.item: outcome.error for outcome in outcomes if outcome.error is not None}
        return FoundTasks(tasks, failed, not_listed, truncated=False)

    def tasks_of_each(
        self,
        instance_ids: t.Sequence[str | None],
        wanted: TaskFilter,
        *,
        max_results: int | None = None,
        max_failures: int | None = None,
    ) -> FoundTasks:
        """The tasks that fit, of these instances, or of the task centre (C([None])); ids only until all were seen.

        With more than C(max_results), the newest of those that were listed until then.
        """
        missing = None if wanted.task_ids is None else set(wanted.task_ids)
        enough: Enough | None = None
        if missing is not None and len(missing) <= self.page_size:
            enough = all_of(missing)
        elif max_results is not None and wanted.keep_last is None:

            def enough(found: t.Mapping[str, Record]) -> bool:
                return len(wanted.of(found.values(), None)) > max_results

        names = [instance_id or "" for instance_id in instance_ids]
        listings = [(name, self.task_listing(name or None, wanted.start)._replace(enough=enough)) for name in names]
        hopeless = unless_hopeless(max_failures)
        fitting: dict[str, list[Record]] = {}
        next_name = iter(names)
        awaited = next(next_name, None)
        in_order = 0

        def stops(outcome: Outcome) -> bool:
            nonlocal awaited, in_order
            fitting[outcome.item] = wanted.of(outcome.value or (), outcome.item or None)
            if missing:
                missing.difference_update(record["id"] for record in outcome.value or ())
            # In the order of the instances, so that two runs give the same.
            while awaited in fitting:
                in_order += len(fitting[awaited])
                awaited = next(next_name, None)
            found_all = missing is not None and not missing
            return hopeless(outcome) or found_all or (max_results is not None and in_order > max_results)

        outcomes, not_listed = self.list_each(listings, stops)
        failed: dict[str, MaintenanceError] = {}
        tasks: list[Record] = []
        for number, outcome in enumerate(outcomes):
            if max_results is not None and len(tasks) > max_results:
                # Listed only because it was under way.
                not_listed = [rest.item for rest in outcomes[number:]] + not_listed
                break
            tasks += fitting.get(outcome.item, [])
            if outcome.error is not None:
                failed[outcome.item] = outcome.error
        if "" in failed and failed[""].no_api:
            failed[""].hint = (
                "This region or cloud does not offer this API, the task centre; name the instances"
                " (dcs_task_info: instances, or all of them; dcs_task: instance)."
            )
        if missing is not None and not missing:
            # All was found, whatever else there is.
            failed, not_listed = {}, []
        truncated = max_results is not None and len(tasks) > max_results
        return FoundTasks(newest_first(tasks, "created_at", "id")[:max_results], failed, not_listed, truncated)

    def add_progress(self, tasks: t.Iterable[Record]) -> None:
        """Ask for the C(progress) of those that have not ended, None for all others."""
        unfinished = []
        for task in tasks:
            task["progress"] = None
            if not has_ended(task):
                unfinished.append(task)
        outcomes, _not_tried = each(
            self.client,
            SHOW_PROGRESS,
            unfinished,
            lambda task: self.progress(task["instance_id"], task["id"]),
            unless_hopeless(),
        )
        for outcome in outcomes:
            outcome.item["progress"] = outcome.value or None
        failed = [outcome.error for outcome in outcomes if outcome.error is not None]
        hopeless = next((error for error in failed if error.stops_all), None)
        if hopeless is not None:
            raise hopeless
        if failed and self._warn is not None:
            # It may have ended, or been removed, since it was listed.
            self._warn(f"The progress of {len(failed)} tasks could not be read: {failed[0]}")

    def delete_task(self, instance_id: str | None, task_id: str) -> Answer:
        """Remove the record of a finished task (contract 2.4)."""
        # The body says nothing: 200 comes with an empty message, 204 without a body (C8).
        if instance_id is None:
            return self.call(DELETE_CENTER_TASK, {"task_id": task_id}, read_body=False)
        return self.call(DELETE_TASK, {"instance_id": instance_id, "task_id": task_id}, read_body=False)

    def progress(self, instance_id: str, task_id: str) -> Record:
        """C(progress) in percent, C(remain_time) in seconds, C(step_details)."""
        answer = self.call(SHOW_PROGRESS, {"instance_id": instance_id, "task_id": task_id})
        return answer.data if isinstance(answer.data, dict) else {}

    def cancel_resize(self, instance_id: str, task_id: str) -> Answer:
        """Call off a waiting spec change (contract 2.6)."""
        return self.call(CANCEL_RESIZE, {"instance_id": instance_id, "task_id": task_id})


def created_before(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created before."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created < moment


def created_after(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created after."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created > moment
