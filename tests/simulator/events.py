# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events and patches: changes to the state at once, or just before or after the n-th request of an operation.

An event is `{"after": OPERATION, "count": n, "do": [patch, ...]}`, or with `before`; `count` (1) counts from when the
event was set, also requests that fail. A patch is one of

    {"task": ID, "set": {...}, "unset": [...]}      {"task": ID, "remove": true}
    {"task": ID, "instance": ID, "add": {...}}
    {"job": ID, "set": {...}, "unset": [...]}       {"job": ID, "remove": true}
    {"job": ID, "project": ID, "add": {...}}
    {"instance": ID, "set": {...}, "unset": [...]}  {"instance": ID, "remove": true}
    {"tokens": "expire"}                            as `expire_tokens()` does

`set` takes API fields, and for tasks and jobs also `finish_after` and `finish_as`; `add` takes what a scenario takes;
`project` may be left out where the first one is meant. An instance is a DCS or a DDS one. A DCS instance's `status`
stays as set until it is set to null: then it follows from its spec change again. A task or job whose status is set does
no longer change by itself, unless `finish_after` is set as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .identity import Identity
from .scenarios import ScenarioError, add_job, add_task
from .state import Job, Project, Task, World
from .times import duration

_OWN = ("finish_after", "finish_as")
_EXPIRE = {"tokens": "expire"}


class PatchError(ValueError):
    """A patch or an event cannot be read, or names something that does not exist."""


@dataclass
class Event:
    """A change that waits for requests of one operation."""

    operation: str
    before: bool
    left: int
    patches: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        when = "before" if self.before else "after"
        return {when: self.operation, "count": self.left, "do": self.patches}


def parse_event(given: Any, operations: frozenset[str]) -> Event:
    """Read one event; the things its patches name are looked up when it fires."""
    if not isinstance(given, dict) or set(given) - {"after", "before", "count", "do"}:
        raise PatchError("An event is an object with after or before, do, and maybe count.")
    if ("after" in given) == ("before" in given):
        raise PatchError("An event has either after or before.")
    operation = given.get("after", given.get("before"))
    if operation not in operations:
        raise PatchError(f"There is no operation {operation!r}. There are: {', '.join(sorted(operations))}.")
    count = given.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise PatchError(f"count must be an integer from 1, not {count!r}.")
    return Event(str(operation), "before" in given, count, check_patches(given.get("do")))


def check_patches(given: Any) -> list[dict[str, Any]]:
    """The patches, when each has a form that is known."""
    if not isinstance(given, list):
        raise PatchError("The patches must be a list.")
    for patch in given:
        if not isinstance(patch, dict):
            raise PatchError("A patch is an object.")
        if patch == _EXPIRE:
            continue
        actions = {"set", "unset", "add", "remove"} & set(patch)
        targets = {"task", "job", "instance"} & set(patch)
        if set(patch) - actions - targets - {"project"} or not actions or not targets:
            raise PatchError(
                "A patch names a task, a job or an instance and has set, unset, add or remove, or it is"
                f' {{"tokens": "expire"}}; not {sorted(patch)}.'
            )
        if not isinstance(patch.get("set", {}), dict) or not isinstance(patch.get("add", {}), dict):
            raise PatchError("set and add must be objects.")
        if not isinstance(patch.get("unset", []), list):
            raise PatchError("unset must be a list.")
    return given


class Events:
    """The events that have not fired yet."""

    def __init__(self) -> None:
        self.waiting: list[Event] = []

    def set(self, given: Any, operations: frozenset[str]) -> None:
        """Replace all events."""
        if not isinstance(given, list):
            raise PatchError("The events must be a list.")
        self.waiting = [parse_event(event, operations) for event in given]

    def note(self, world: World, identity: Identity, operation: str, before: bool) -> None:
        """A request of this operation begins or has been answered; do what waited for it."""
        fired = []
        for event in self.waiting:
            if event.operation == operation and event.before == before:
                event.left -= 1
                if event.left == 0:
                    fired.append(event)
        self.waiting = [event for event in self.waiting if event.left > 0]
        for event in fired:
            apply(world, identity, event.patches)


def apply(world: World, identity: Identity, patches: list[dict[str, Any]]) -> None:
    """Do all patches in order."""
    try:
        for patch in patches:
            if patch == _EXPIRE:
                identity.expire_all(world.clock())
            elif "task" in patch:
                _patch_task(world, patch)
            elif "job" in patch:
                _patch_job(world, patch)
            else:
                _patch_instance(world, patch)
    except PatchError:
        raise
    except (ScenarioError, TypeError, ValueError) as error:
        raise PatchError(f"The patch cannot be done: {error}.") from error


def _patch_task(world: World, patch: dict[str, Any]) -> None:
    now = world.clock()
    if "add" in patch:
        for project in world.projects.values():
            instance = project.dcs.get(str(patch.get("instance")))
            if instance is not None:
                given = {**patch["add"], "id": patch["task"]}
                add_task(world, instance, given, len(instance.tasks.tasks))
                instance.refresh()
                return
        raise PatchError(f"There is no DCS instance {patch.get('instance')!r}.")
    task = world.find_task(str(patch["task"]))
    if task is None:
        raise PatchError(f"There is no task {patch['task']!r}.")
    if patch.get("remove"):
        task.instance.remove_task(task)
        return
    _set_task(world, task, patch.get("set", {}), patch.get("unset", []), now)


def _set_task(world: World, task: Task, changes: dict[str, Any], unset: list[str], now: float) -> None:
    for key, value in changes.items():
        if key == "status":
            task.set_status(value)
            task.plan += 1
            task.until = None
        elif key == "id":
            raise PatchError("The id of a task cannot be changed.")
        elif key not in _OWN:
            task.fields[key] = value
    for key in unset:
        task.fields.pop(key, None)
    task.read_times()
    task.forget_encoding()
    if task.is_spec_change and task.instance.spec_change is task:
        # A change that was called off and is set again counts as a new one.
        task.instance.cancelling = False
    task.instance.refresh()
    if "finish_after" in changes:
        until = now + duration(changes["finish_after"])
        world.finish_task_later(task, now, until, str(changes.get("finish_as", "SUCCESS")))


def _find_job(world: World, job_id: str) -> tuple[Project, Job]:
    for project in world.projects.values():
        if job_id in project.jobs:
            return project, project.jobs[job_id]
    raise PatchError(f"There is no scheduled job {job_id!r}.")


def _patch_job(world: World, patch: dict[str, Any]) -> None:
    now = world.clock()
    if "add" in patch:
        project = world.projects.get(patch.get("project", next(iter(world.projects))))
        if project is None:
            raise PatchError(f"There is no project {patch['project']!r}.")
        add_job(world, project, {**patch["add"], "job_id": patch["job"]}, len(project.jobs))
        return
    project, job = _find_job(world, str(patch["job"]))
    if patch.get("remove"):
        del project.jobs[job.id]
        return
    changes = patch.get("set", {})
    if "job_id" in changes:
        raise PatchError("The id of a job cannot be changed.")
    job.fields.update({key: value for key, value in changes.items() if key not in _OWN})
    for key in patch.get("unset", []):
        job.fields.pop(key, None)
    job.cancelling = False
    job.plan += 1
    job.read_times()
    if "finish_after" in changes:
        until = now + duration(changes["finish_after"])
        world.job_status_later(project, job, until, "Running", str(changes.get("finish_as", "Completed")))


def _patch_instance(world: World, patch: dict[str, Any]) -> None:
    wanted = str(patch["instance"])
    changes, unset = patch.get("set", {}), patch.get("unset", [])
    for project in world.projects.values():
        if wanted in project.dcs:
            instance = project.dcs[wanted]
            if patch.get("remove"):
                for task in list(instance.tasks.tasks.values()):
                    instance.remove_task(task)
                del project.dcs[wanted]
                return
            instance.fields.update({key: value for key, value in changes.items() if key != "status"})
            if "status" in changes:
                instance.forced_status = changes["status"]
                instance.fields.setdefault("status", "RUNNING")
            for key in unset:
                instance.fields.pop(key, None)
            instance.forget_encoding()
            return
        if wanted in project.dds:
            if patch.get("remove"):
                del project.dds[wanted]
                return
            project.dds[wanted].fields.update(changes)
            for key in unset:
                project.dds[wanted].fields.pop(key, None)
            return
    raise PatchError(f"There is no instance {wanted!r}.")
