# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the simulated cloud: projects, instances, tasks and jobs, and what happens to them in time."""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from .switches import UNKNOWN_STATUS_WORD, Switches
from .times import dcs_time, dds_time, parse_iso

SPEC_CHANGE_NAMES = frozenset({"EXTEND", "ChangeInstanceSpec"})  # C2

# The words the simulator itself writes, by phase (C3).
_PHASE_WORDS = {
    "pending": "CREATED",
    "running": "EXECUTING",
    "succeeded": "SUCCESS",
    "failed": "FAILED",
    "cancelled": "CANCELLED",
}
_WORD_PHASES = {
    **{word: phase for phase, word in _PHASE_WORDS.items()},
    "RUNNING": "running",
    "FAIL": "failed",
    "CANCELED": "cancelled",
    "DELETED": "cancelled",
}
FINISHED_PHASES = frozenset({"succeeded", "failed", "cancelled"})

JOB_STATUSES = ("Pending", "Running", "Completed", "Failed", "Canceled")  # C13


def encode(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def hex_id(*parts: object) -> str:
    """32 hex digits that depend on nothing but the parts."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:32]


def uuid_id(*parts: object) -> str:
    """The same as a dashed UUID."""
    digits = hex_id(*parts)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _sort_time(value: Any) -> float:
    """A time as a number, for sorting and filtering; what is no time counts as very old."""
    if isinstance(value, str):
        try:
            return parse_iso(value)
        except ValueError:
            return 0.0
    return 0.0


class Task:
    """One DCS background task: the API's fields, and the phase behind its status word."""

    __slots__ = (
        "_encoded",
        "_encoded_for",
        "created",
        "fields",
        "id",
        "instance",
        "phase",
        "plan",
        "since",
        "until",
        "updated",
        "word",
    )

    def __init__(self, instance: DcsInstance, fields: dict[str, Any]) -> None:
        self.instance = instance
        self.fields = fields
        self.id: str = fields["id"]
        self.phase = "succeeded"
        self.word: str | None = None
        self.created = 0.0
        self.updated = 0.0
        self.since = 0.0
        self.until: float | None = None
        # What was planned for the task is void once this number has changed.
        self.plan = 0
        self._encoded = b""
        self._encoded_for = -1
        self.set_status(fields.get("status"))
        self.read_times()

    @property
    def is_spec_change(self) -> bool:
        return self.fields.get("name") in SPEC_CHANGE_NAMES

    @property
    def finished(self) -> bool:
        return self.phase in FINISHED_PHASES

    def set_status(self, word: Any) -> None:
        """Take a status word; the simulator's own words stay subject to the switches."""
        phase = _WORD_PHASES.get(word.upper()) if isinstance(word, str) else None
        self.phase = phase or "running"
        self.word = None if phase and _PHASE_WORDS[phase] == word else word
        self.fields["status"] = word

    def read_times(self) -> None:
        self.created = _sort_time(self.fields.get("created_at"))
        self.updated = _sort_time(self.fields.get("updated_at"))

    def touch(self, now: float) -> None:
        """Move the end time to now."""
        self.fields["updated_at"] = dcs_time(now)
        self.updated = now

    def forget_encoding(self) -> None:
        self._encoded_for = -1

    def status(self, switches: Switches) -> Any:
        """The status word as it is answered."""
        if self.fields.get("status") is None:
            return None
        if self.word is not None:
            return self.word
        if self.phase == "pending" and self.is_spec_change:
            return switches["waiting_status"]
        if self.phase == "running" and switches["unknown_status_word"] is not False:
            word = switches["unknown_status_word"]
            return UNKNOWN_STATUS_WORD if word is True else word
        return _PHASE_WORDS[self.phase]

    def render(self, switches: Switches) -> dict[str, Any]:
        """The task as the API answers it."""
        answer = dict(self.fields)
        if "status" in answer:
            answer["status"] = self.status(switches)
        details = answer.get("details")
        if isinstance(details, dict) and ("old_capacity" in details or "new_capacity" in details):
            answer["details"] = details = dict(details)
            for key in ("old_capacity", "new_capacity"):  # C6
                if details.get(key) is not None:
                    number = float(details[key])
                    plain = int(number) if number.is_integer() else number
                    details[key] = plain if switches["capacity_type"] == "number" else str(plain)
        return answer

    def encoded(self, switches: Switches) -> bytes:
        """The JSON of the task, kept until the task or a switch changes."""
        if self._encoded_for != switches.version:
            self._encoded = encode(self.render(switches))
            self._encoded_for = switches.version
        return self._encoded


class TaskList:
    """Tasks in the order and time window asked for. Lists are kept until a task changes."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self._views: dict[tuple[Any, ...], list[Task]] = {}

    def forget_views(self) -> None:
        self._views.clear()

    def view(self, order: str, field: str, low: float | None, high: float | None) -> list[Task]:
        """All tasks whose time lies in the window, whole seconds compared, in the given order."""
        key = (order, field, low, high)
        found = self._views.get(key)
        if found is None:
            found = ordered(self.tasks.values(), order)
            if low is not None or high is not None:
                floor = float("-inf") if low is None else low
                ceiling = float("inf") if high is None else high + 1
                if field == "created_at":
                    found = [task for task in found if floor <= task.created < ceiling]
                else:
                    found = [task for task in found if floor <= task.updated < ceiling]
            if len(self._views) >= 16:
                self._views.clear()
            self._views[key] = found
        return found


def ordered(things: Iterable[Any], order: str) -> list[Any]:
    """Sort what has an id and a creation time as the switch `list_order` says."""
    if order == "shuffled":
        return sorted(things, key=lambda thing: hashlib.sha256(thing.id.encode()).digest())
    return sorted(things, key=lambda thing: (thing.created, thing.id), reverse=order == "newest_first")


class DcsInstance:
    """One DCS instance; its status follows from its spec change unless it was set by hand."""

    def __init__(self, project: Project, fields: dict[str, Any], listed: tuple[str, ...]) -> None:
        self.project = project
        self.fields = fields
        self.id: str = fields["instance_id"]
        self.created = _sort_time(fields.get("created_at"))
        self.tasks = TaskList()
        self.spec_change: Task | None = None
        self.cancelling = False
        self.forced_status: Any = None
        self._listed = listed
        self._encoded = b""
        self._encoded_for = -1
        if fields.get("status") not in (None, "RUNNING", "EXTENDING"):
            self.forced_status = fields["status"]

    def status(self, switches: Switches) -> Any:
        """RUNNING, or what the switches say while a spec change waits, or EXTENDING while it runs."""
        if self.forced_status is not None:
            return self.forced_status
        if self.spec_change is None:
            return "RUNNING"
        if self.spec_change.phase == "pending":
            return switches["waiting_instance_status"]
        return "EXTENDING"

    def render(self, switches: Switches) -> dict[str, Any]:
        """The instance as the detail call answers it: `task` is what keeps it busy."""
        answer = self._rendered(switches)
        if "task" in answer:
            task = self.spec_change or self._unfinished()
            answer["task"] = None
            if task is not None:
                answer["task"] = {"id": task.id, "name": task.fields.get("name"), "status": task.status(switches)}
        return answer

    def _rendered(self, switches: Switches) -> dict[str, Any]:
        answer = dict(self.fields)
        if "status" in answer:
            answer["status"] = self.status(switches)
        return answer

    def _unfinished(self) -> Task | None:
        """The newest task that has not ended."""
        unfinished = [task for task in self.tasks.tasks.values() if not task.finished]
        return max(unfinished, key=lambda task: task.created, default=None)

    def encoded(self, switches: Switches) -> bytes:
        """The JSON of the instance as lists show it."""
        if self._encoded_for != switches.version:
            full = self._rendered(switches)
            item = {key: full[key] for key in self._listed if key in full}
            if switches["azs"] == "objects" and isinstance(item.get("az_codes"), list):  # C18
                item["az_codes"] = [{"az_code": code} for code in item["az_codes"]]
            self._encoded = encode(item)
            self._encoded_for = switches.version
        return self._encoded

    def refresh(self, changed: Task | None = None) -> None:
        """Drop what was rendered after a task changed, or after any may have; find the open spec change again."""
        self.tasks.forget_views()
        self.project.centre.forget_views()
        if changed is not None and not changed.is_spec_change:
            return
        before = self.spec_change
        waiting = [task for task in self.tasks.tasks.values() if task.is_spec_change and not task.finished]
        self.spec_change = max(waiting, key=lambda task: task.created) if waiting else None
        if self.spec_change is not before:
            self.cancelling = False
        self._encoded_for = -1

    def forget_encoding(self) -> None:
        self._encoded_for = -1

    def add_task(self, task: Task) -> None:
        self.tasks.tasks[task.id] = task
        self.project.centre.tasks[task.id] = task

    def remove_task(self, task: Task) -> None:
        del self.tasks.tasks[task.id]
        del self.project.centre.tasks[task.id]
        self.refresh(task)


class Job:
    """One DDS scheduled job."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.id: str = fields["job_id"]
        self.created = 0.0
        self.cancelling = False
        # As with tasks.
        self.plan = 0
        self.read_times()

    def read_times(self) -> None:
        self.created = _sort_time(self.fields.get("create_time"))


class InstantTask:
    """One DDS instant task: something that runs or ran at once."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.id: str = fields["id"]
        self.created = _sort_time(fields.get("created_at"))
        self.since = self.until = self.created

    def render(self, now: float) -> dict[str, Any]:
        """The task as lists show it; only one that runs has a progress."""
        answer = dict(self.fields)
        if answer.get("status") == "Running":
            share = (now - self.since) / (self.until - self.since) if self.until > self.since else 0.5
            answer["progress"] = f"{max(1, min(99, int(share * 100)))}%"
        return answer

    def finish_later(self, world: World, since: float, until: float, word: str) -> None:
        """Let the task, which runs, end at a time to come."""
        self.since, self.until = since, until

        def finish(at: float) -> None:
            self.fields.update(status=word, progress="", ended_at=dds_time(at))

        world.later(until, finish)


class DdsInstance:
    """One DDS instance."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields
        self.id: str = fields["id"]
        self.created = _sort_time(fields.get("created"))

    def render(self, switches: Switches) -> dict[str, Any]:
        """The instance as the API answers it: C27, C28, and C19, which makes a single group an object."""
        answer = dict(self.fields)
        groups = answer.get("groups")
        sample = switches["dds_instance_form"] == "sample"
        if isinstance(groups, list):
            groups = [_rendered_group(group, sample, switches["mongos_role"]) for group in groups]
            answer["groups"] = groups
        if sample:
            answer.update({key: _number(answer[key]) for key in ("port", "pay_mode") if key in answer})
        if switches["dds_groups"] == "object" and isinstance(groups, list) and len(groups) == 1:
            answer["groups"] = groups[0]
        return answer


def _number(text: Any) -> Any:
    """The number that a text means, or what it is."""
    try:
        number = float(text)
    except (TypeError, ValueError):
        return text
    return int(number) if number.is_integer() else number


def _rendered_group(group: Any, sample: bool, mongos_role: Any) -> Any:
    """A group of nodes as the table describes it, or as the sample has it."""
    if not isinstance(group, dict):
        return group
    nodes = group.get("nodes")
    shown = dict(group)
    if group.get("type") == "mongos" and isinstance(nodes, list):
        shown["nodes"] = [{**node, "role": mongos_role} if node.get("role") == "master" else node for node in nodes]
    if not sample:
        return shown
    if group.get("type") in ("shard", "config") and isinstance(nodes, list):
        hidden = ("private_ip", "public_ip")
        shown["nodes"] = [{key: value for key, value in node.items() if key not in hidden} for node in nodes]
    if isinstance(shown.get("volume"), dict):
        shown["volume"] = {key: _number(value) for key, value in shown["volume"].items()}
    return {key: value for key, value in shown.items() if key not in ("id", "name", "status")}


class Project:
    """One project with everything in it."""

    def __init__(self, project_id: str, name: str, enabled: bool, description: str) -> None:
        self.id = project_id
        self.name = name
        self.enabled = enabled
        self.description = description
        self.dcs: dict[str, DcsInstance] = {}
        self.centre = TaskList()
        self.dds: dict[str, DdsInstance] = {}
        self.jobs: dict[str, Job] = {}
        self.instant_tasks: dict[str, InstantTask] = {}


class World:
    """All projects of the account, and the changes that are still to come."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        # How far the cloud's clock was put ahead of the machine's.
        self.ahead = 0.0
        self.loaded_at = self.clock()
        self.region = ""
        self.domain_id = ""
        self.domain_name = ""
        self.projects: dict[str, Project] = {}
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    def clock(self) -> float:
        """The cloud's time."""
        return time.time() + self.ahead

    def later(self, at: float, change: Callable[[float], None]) -> None:
        """Do a change at a time to come; it is done before the first request after that time."""
        heapq.heappush(self._due, (at, next(self._order), change))

    def advance(self) -> float:
        """Do every change that is due; returns the time."""
        now = self.clock()
        while self._due and self._due[0][0] <= now:
            at, _unused, change = heapq.heappop(self._due)
            change(at)
        return now

    # Tasks

    def set_task_status(self, task: Task, word: str, at: float) -> None:
        """Give a task a status word; a spec change that succeeds changes its instance."""
        if task.instance.tasks.tasks.get(task.id) is not task:
            return
        task.set_status(word)
        task.touch(at)
        task.forget_encoding()
        if task.is_spec_change and task.phase == "succeeded":
            _apply_spec_change(task)
        task.instance.refresh(task)

    def start_task(self, task: Task, at: float, seconds: float) -> None:
        """A task begins to run and succeeds after some seconds."""
        self.set_task_status(task, "EXECUTING", at)
        self.finish_task_later(task, at, at + seconds, "SUCCESS")

    def finish_task_later(self, task: Task, since: float, until: float, word: str) -> None:
        """A running task ends at a time to come, unless it was given another status before."""
        task.since, task.until = since, until
        task.plan += 1
        plan = task.plan

        def finish(at: float) -> None:
            if task.plan == plan:
                self.set_task_status(task, word, at)

        self.later(until, finish)

    def start_task_later(self, task: Task, start: float, until: float | None, word: str) -> None:
        """A waiting task begins at a time to come, unless it was cancelled before."""
        task.plan += 1
        plan = task.plan

        def begin(at: float) -> None:
            if task.plan == plan and task.phase == "pending" and not task.instance.cancelling:
                self.set_task_status(task, "EXECUTING", at)
                if until is not None:
                    self.finish_task_later(task, at, until, word)

        self.later(start, begin)

    def find_task(self, task_id: str) -> Task | None:
        """A task anywhere in the account."""
        for project in self.projects.values():
            task = project.centre.tasks.get(task_id)
            if task is not None:
                return task
        return None

    # Jobs

    def set_job_status(self, project: Project, job: Job, word: str) -> None:
        if project.jobs.get(job.id) is job:
            job.fields["job_status"] = word

    def job_status_later(self, project: Project, job: Job, at: float, expected: str, word: str) -> None:
        """A job changes its status at a time to come, if it still has the expected one then."""
        plan = job.plan

        def change(_at: float) -> None:
            if job.plan == plan and job.fields.get("job_status") == expected and not job.cancelling:
                self.set_job_status(project, job, word)

        self.later(at, change)

    # Control

    def snapshot(self) -> dict[str, Any]:
        """Everything as the API would answer it now, in flat lists that name project and instance."""
        instances: list[Any] = []
        tasks: list[Any] = []
        dds: list[Any] = []
        jobs: list[Any] = []
        instant: list[Any] = []
        for project in self.projects.values():
            for instance in project.dcs.values():
                instances.append({"project_id": project.id, **instance.render(self.switches)})
                tasks.extend(
                    {"project_id": project.id, "instance_id": instance.id, **task.render(self.switches)}
                    for task in instance.tasks.view("newest_first", "created_at", None, None)
                )
            dds.extend({"project_id": project.id, **each.render(self.switches)} for each in project.dds.values())
            jobs.extend(
                {"project_id": project.id, **job.fields} for job in ordered(project.jobs.values(), "newest_first")
            )
            instant.extend(
                {"project_id": project.id, **task.render(self.clock())}
                for task in ordered(project.instant_tasks.values(), "newest_first")
            )
        return {
            "region": self.region,
            "projects": [{"id": project.id, "name": project.name} for project in self.projects.values()],
            "dcs_instances": instances,
            "tasks": tasks,
            "dds_instances": dds,
            "scheduled_jobs": jobs,
            "instant_tasks": instant,
        }


def _apply_spec_change(task: Task) -> None:
    """What a successful spec change leaves on the instance."""
    details = task.fields.get("details")
    if not isinstance(details, dict):
        return
    fields = task.instance.fields
    if details.get("new_capacity") is not None and "capacity" in fields:
        number = float(details["new_capacity"])
        fields["capacity"] = int(number) if number >= 1 else 0
        fields["capacity_minor"] = None if number >= 1 else f"{number:g}"
        fields["max_memory"] = int(number * 1024)
    if details.get("new_resource_spec_code") and "spec_code" in fields:
        fields["spec_code"] = details["new_resource_spec_code"]


def planned_window(now: float, window: str) -> tuple[str, str]:
    """Begin and end of the next maintenance window `HH:MM-HH:MM` (UTC) in the form of scheduled jobs."""
    begin_text, _unused, end_text = window.partition("-")

    def seconds(text: str) -> int:
        hours, _unused, minutes = text.partition(":")
        return int(hours) * 3600 + int(minutes[:2] or 0) * 60

    begin, end = seconds(begin_text), seconds(end_text)
    length = (end - begin) % 86400 or 86400
    start = now - now % 86400 + begin
    if start <= now:
        start += 86400
    return dds_time(start), dds_time(start + length)
