# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of DCS (Distributed Cache Service), and the background tasks that they return."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timedelta

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import MaintenanceError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import (
    Outcome,
    each,
    unless_hopeless,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    SECOND_LOOK,
    Record,
    has_ended,
    newest_first,
    parse_api_time,
    phase_of,
    to_dcs,
    unborne,
    word,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import (
    Enough,
    Listing,
    ListKeys,
    Service,
    all_of,
    says_nothing,
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
#: Fields of a task that older pages show beside the list instead (C4).
_FIELDS_BESIDE_THE_LIST = ("status", "created_at", "updated_at")

#: An instance (None: the task centre) and one of its tasks: nobody says that ids are unique beyond an instance.
Key = tuple[t.Optional[str], str]

_SPEC_CHANGE = "EXTEND"


def task_name(name: object) -> str:
    """The name of a task for comparison: in capitals, and one for a spec change, which has two (C2)."""
    compared = word(name)
    return _SPEC_CHANGE if compared == "CHANGEINSTANCESPEC" else compared


def is_spec_change(task: Record) -> bool:
    """Whether a task is a spec change, under either of its names."""
    return task_name(task.get("name")) == _SPEC_CHANGE


def key_of(task: Record) -> Key:
    """What identifies a task."""
    return task["instance_id"], task["id"]


def same(key: Key) -> Key:
    """A task for comparison with others: in ids, case does not matter."""
    return key[0], key[1].lower()


def confirms_removal(status: int, data: t.Any) -> bool:
    """Whether an answer says that a record was removed: 204, or 200 without a body or a message (C8, contract 2.4)."""
    return status == 204 or (status == 200 and says_nothing(data))


def confirms_cancellation(status: int, data: t.Any) -> bool:
    """Whether an answer says that the cancellation of a spec change was accepted (contract 2.6)."""
    return status == 200 and isinstance(data, dict) and data.get("result") == "success"


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

    #: These three as the user wrote them, by what is compared.
    task_ids: t.Mapping[str, str] | None = None
    names: t.Mapping[str, str] | None = None
    statuses: t.Mapping[str, str] | None = None
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
        return any(isinstance(values, (list, tuple, dict)) and not values for values in self)

    def of(self, records: t.Iterable[Record], instance_id: str | None) -> list[Record]:
        """The tasks that fit, of all that one instance has."""
        tasks = [build_task(record, instance_id) for record in records]
        if self[:-1].count(None) < len(self) - 1:
            tasks = [task for task in tasks if self._fits(task)]
        return newest_first(tasks, "created_at", "id")[self.keep_last :] if self.keep_last else tasks

    def by_service_clock(self, seconds_ahead: float) -> TaskFilter:
        """The filter where the service's clock is ahead of this machine's by so much: it has given the times."""
        if self.older_than is None:
            return self
        try:
            return self._replace(older_than=self.older_than + timedelta(seconds=seconds_ahead))
        except OverflowError:
            return self

    def unborne(self, tasks: list[Record]) -> list[str]:
        """Warnings that name the names and statuses which none of these tasks has."""
        said = (
            unborne("names", self.names and self.names.values(), tasks, "name", task_name),
            unborne("statuses", self.statuses and self.statuses.values(), tasks, "status"),
        )
        return [warning for warning in said if warning]

    def _fits(self, task: Record) -> bool:
        return (
            (self.task_ids is None or task["id"].lower() in self.task_ids)
            and (self.names is None or task_name(task.get("name")) in self.names)
            and (self.statuses is None or word(task.get("status")) in self.statuses)
            and (self.phases is None or task["phase"] in self.phases)
            and (self.start is None or not created_before(task, self.start))
            and (self.end is None or not created_after(task, self.end))
            and (self.older_than is None or created_before(task, self.older_than))
        )


def task_filter(**given: t.Any) -> TaskFilter:
    """A filter from ids, names and statuses as a user may write them: in capitals or not."""
    for option, compared in (("task_ids", str.lower), ("names", task_name), ("statuses", word)):
        if given.get(option) is not None:
            given[option] = {compared(text): text for text in given[option]}
    return TaskFilter(**given)


class FoundTasks(t.NamedTuple):
    """Tasks, newest first; what could not be listed; what was not tried; whether there are more than were wanted."""

    tasks: list[Record]
    failed: dict[str, MaintenanceError]
    not_listed: list[str]
    truncated: bool
    #: Warnings that name words of the filter which nothing bears; none where not all was listed.
    unborne: t.Sequence[str] = ()


class Look(t.NamedTuple):
    """What became of some tasks: those that are listed; what could not be listed, or was not tried; what is gone."""

    tasks: list[Record]
    failed: dict[str, MaintenanceError]
    not_listed: list[str]
    gone: list[Key]

    def unread(self, key: Key) -> MaintenanceError | None:
        """Why the instance of a task could not be listed; None if it was."""
        name = key[0] or ""
        if name in self.not_listed:
            # Another one's failure ended the listing.
            return next(iter(self.failed.values()), None)
        return self.failed.get(name)


class Dcs(Service):
    """DCS for one account and project."""

    page_size = 1000  # C7
    instance_id = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII | re.IGNORECASE)
    list_instances = Operation("ListInstances", "dcs", "GET", _INSTANCES, "dcs:instance:list")
    instance_keys = ListKeys("instances", "instance_num", "instance_id")
    # The name alone finds every instance whose name contains it (contract 2.7).
    exact_name: t.Mapping[str, str] = {"name_equal": "true"}

    def normalize_listing(self, operation: Operation, data: t.Any) -> None:
        """Give a task that is the only one, and has none of these fields, those that stand beside the list (C4)."""
        tasks = data.get(_TASK_KEYS.records) if isinstance(data, dict) else None
        if not isinstance(tasks, list) or len(tasks) != 1 or not isinstance(tasks[0], dict):
            return
        task = tasks[0]
        if operation in (LIST_TASKS, LIST_CENTER_TASKS) and all(key not in task for key in _FIELDS_BESIDE_THE_LIST):
            task.update((key, data[key]) for key in _FIELDS_BESIDE_THE_LIST if key in data)

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

    def look_at(self, keys: t.Collection[Key]) -> Look:
        """What became of these tasks, one listing for each instance; only what a second one lacks too is gone."""
        first = self.look_once(keys)
        if not first.gone:
            return first
        self.client.pause(SECOND_LOOK)
        second = self.look_once(first.gone)
        return Look(
            [*first.tasks, *second.tasks],
            {**first.failed, **second.failed},
            [*first.not_listed, *second.not_listed],
            second.gone,
        )

    def look_once(self, keys: t.Collection[Key]) -> Look:
        """The same with one listing for each instance, which proves little about what it lacks."""
        ids: dict[str, set[str]] = {}
        for instance_id, task_id in keys:
            ids.setdefault(instance_id or "", set()).add(task_id.lower())
        listings = [
            (name, self.task_listing(name or None)._replace(enough=all_of(of_one))) for name, of_one in ids.items()
        ]
        outcomes, not_listed = self.list_each(listings)
        tasks = [
            build_task(record, outcome.item or None)
            for outcome in outcomes
            for record in outcome.value or ()
            if record["id"].lower() in ids[outcome.item]
        ]
        failed = {outcome.item: outcome.error for outcome in outcomes if outcome.error is not None}
        known = {same(key_of(task)) for task in tasks}
        unread = {*failed, *not_listed}
        gone = [key for key in keys if (key[0] or "") not in unread and same(key) not in known]
        return Look(tasks, failed, not_listed, gone)

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
                return len(self._that_fit(wanted, found.values(), None)) > max_results

        names = [instance_id or "" for instance_id in instance_ids]
        listings = [(name, self.task_listing(name or None, wanted.start)._replace(enough=enough)) for name in names]
        hopeless = unless_hopeless(max_failures)
        fitting: dict[str, list[Record]] = {}
        next_name = iter(names)
        awaited = next(next_name, None)
        in_order = 0

        def stops(outcome: Outcome) -> bool:
            nonlocal awaited, in_order
            fitting[outcome.item] = self._that_fit(wanted, outcome.value or (), outcome.item or None)
            if missing:
                missing.difference_update(record["id"].lower() for record in outcome.value or ())
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
        # Nothing is known of what was not listed.
        whole = bool(instance_ids) and missing is None and not (failed or not_listed or truncated)
        warnings = wanted.unborne([task for outcome in outcomes for task in outcome.value]) if whole else []
        tasks = newest_first(tasks, "created_at", "id")[:max_results]
        return FoundTasks(tasks, failed, not_listed, truncated, warnings)

    def _that_fit(self, wanted: TaskFilter, records: t.Iterable[Record], instance_id: str | None) -> list[Record]:
        """The tasks that fit, of all that one instance has, by the service's clock."""
        return wanted.by_service_clock(self.client.service_ahead).of(records, instance_id)

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
        operation, path = DELETE_CENTER_TASK, {"task_id": task_id}
        if instance_id is not None:
            operation, path = DELETE_TASK, {"instance_id": instance_id, **path}
        answer = self.call(operation, path, read_body=False)
        if not confirms_removal(answer.status, answer.data):
            accepted = answer.status == 202 and says_nothing(answer.data)
            raise self.unconfirmed(operation, answer, accepted=accepted)
        return answer

    def progress(self, instance_id: str, task_id: str) -> Record:
        """C(progress) in percent, C(remain_time) in seconds, C(step_details)."""
        answer = self.call(SHOW_PROGRESS, {"instance_id": instance_id, "task_id": task_id})
        return answer.data if isinstance(answer.data, dict) else {}

    def cancel_resize(self, instance_id: str, task_id: str) -> Answer:
        """Call off a waiting spec change (contract 2.6)."""
        answer = self.call(CANCEL_RESIZE, {"instance_id": instance_id, "task_id": task_id})
        if not confirms_cancellation(answer.status, answer.data):
            raise self.unconfirmed(CANCEL_RESIZE, answer)
        return answer


def created_before(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created before."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created < moment


def created_after(task: Record, moment: datetime) -> bool:
    """Whether a task was certainly created after."""
    created = parse_api_time(task.get("created_at"))
    return created is not None and created > moment
