# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios: reads a JSON object and builds the account that it describes.

A scenario is one of the files in `scenarios/`, a path to a `.json` file, `fleet:N:M[:J]` (N DCS instances with M
finished tasks each, and J pending DDS scheduled jobs), or an object of the same form as the files:

    {
      "region": "sim-region-1",
      "domain": {"id": "32 hex", "name": "..."},
      "users": [{"name", "id", "password", "access_key", "secret_key", "totp": passcode, "denied": [action, ...],
                 "projects": [id, ...]}],
      "agencies": [{"name", "denied": [action, ...]}],
      "projects": [{"id", "name", "enabled", "description", "dcs_instances", "dds_instances", "scheduled_jobs",
                    "instant_tasks"}],
      "exact": false,
      "switches": {"capacity_type": "number"}
    }

Everything is optional. The first user and the first project are those that the first line of output names; `project`
(one object) may stand for `projects`, and the four lists may stand at the top level: then they belong to the first
project. A user without `projects` reaches all of them. `denied` holds IAM actions or operation names, with `*` as a
wildcard.

- `dcs_instances`: API fields as they are answered, plus `created_ago` and `tasks`. A task holds API fields plus
  `created_ago`, `took` (how long it ran, so its end time), `start_after` (a waiting task starts by itself),
  `finish_after` (a running task ends by itself) and `finish_as` (its status then, `SUCCESS`).
- `dds_instances`: API fields plus `created_ago`.
- `scheduled_jobs`: API fields, among them `instance_id` or `instance_name` of one of the DDS instances, plus
  `created_ago`, `start_in`, `end_in` (the planned window), `start_after`, `finish_after`, `finish_as` (`Completed`).
- `instant_tasks`, what DDS does or did at once: API fields, among them `instance_id` or `instance_name`, plus
  `created_ago`, `took`, `finish_after`, `finish_as` (`Completed`).

`…_ago`, `…_in`, `…_after` and `took` are durations such as `90s`, `5m`, `1h`, `8d`, `2w`, or seconds, counted from the
moment when the scenario is loaded. Absolute times may be given in the API's own fields instead. With `exact` nothing
is added to what is written; otherwise fields that are not given get plausible values, and ids that depend on
nothing but names and positions.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from . import catalogue
from .identity import Agency, Identity, User
from .state import (
    DcsInstance,
    DdsInstance,
    InstantTask,
    Job,
    Project,
    Task,
    World,
    hex_id,
)
from .switches import SwitchError, Switches
from .times import dcs_time, dds_time, duration, parse_iso

DEFAULT_SCENARIO = "maintenance"
FOLDER = Path(__file__).parent / "scenarios"
_FLEET_MOST = 1_000_000

_USER = {
    "name": "operator",
    "password": "Simulator-Password-1!",
    "access_key": "SIMULATORACCESSKEY01",
    "secret_key": "simulator-secret-key-for-loopback-only-01",
}


class ScenarioError(ValueError):
    """The scenario does not exist or cannot be read."""


def load(scenario: Any) -> dict[str, Any]:
    """The scenario's object, from its name, its file or itself."""
    if isinstance(scenario, dict):
        return scenario
    if not isinstance(scenario, str):
        raise ScenarioError("A scenario is a name, a file or a JSON object.")
    if scenario.startswith("fleet:"):
        return _fleet(scenario)
    path = Path(scenario) if scenario.endswith(".json") else FOLDER / f"{scenario}.json"
    if not scenario.endswith(".json") and not scenario.replace("_", "").replace("-", "").isalnum():
        raise ScenarioError(f"{scenario!r} is not the name of a scenario.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.json")))
        raise ScenarioError(f"There is no scenario {scenario!r}. There are: {known}, fleet:N:M.") from None
    except ValueError as error:
        raise ScenarioError(f"The scenario {scenario!r} is not JSON: {error}.") from None
    if not isinstance(content, dict):
        raise ScenarioError(f"The scenario {scenario!r} is not a JSON object.")
    return content


def _fleet(scenario: str) -> dict[str, Any]:
    parts = scenario.split(":")[1:]
    if not 2 <= len(parts) <= 3 or not all(part.isascii() and part.isdigit() and len(part) < 8 for part in parts):
        raise ScenarioError(f"{scenario[:60]!r} is not of the form fleet:N:M or fleet:N:M:J.")
    instances, tasks, jobs = (*map(int, parts), 0)[:3]
    if instances * (tasks + 1) + jobs > _FLEET_MOST:
        raise ScenarioError(f"A fleet has at most {_FLEET_MOST} instances, tasks and jobs together.")
    names = ("EXTEND", "AddWhitelist", "AddReplica", "UpdatePort", "masterStandbySwapJob")
    dcs = [
        {
            "name": f"redis-fleet-{number:05d}",
            "created_ago": 86400 * 400 + number * 60,
            "tasks": [
                {
                    "name": names[index % len(names)],
                    "status": "FAILED" if index % 10 == 9 else "SUCCESS",
                    "created_ago": 3600 + index * 1800 + number,
                    "took": 120,
                }
                for index in range(tasks)
            ],
        }
        for number in range(instances)
    ]
    scheduled = [
        {"job_name": "RESIZE_FLAVOR", "instance_name": "dds-fleet", "created_ago": 3600 + index * 60}
        for index in range(jobs)
    ]
    databases = [{"name": "dds-fleet", "created_ago": "400d"}] if jobs else []
    return {"dcs_instances": dcs, "dds_instances": databases, "scheduled_jobs": scheduled}


def build(scenario: Any, switches: Switches) -> tuple[World, Identity]:
    """The account that the scenario describes; the switches are set to the scenario's values."""
    content = load(scenario)
    try:
        switches.reset(content.get("switches", {}))
        world = World(switches)
        world.region = str(content.get("region", "sim-region-1"))
        domain = content.get("domain", {})
        world.domain_name = str(domain.get("name", "sim-account"))
        world.domain_id = str(domain.get("id") or hex_id("domain", world.domain_name))
        for number, entry in enumerate(_projects(content)):
            _add_project(world, entry, number, exact=bool(content.get("exact", False)))
        return world, _identity(content, world)
    except SwitchError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ScenarioError(f"The scenario cannot be read: {type(error).__name__}: {error}.") from error


def _projects(content: dict[str, Any]) -> list[dict[str, Any]]:
    projects = [dict(entry) for entry in content.get("projects") or [content.get("project", {})]]
    for key in ("dcs_instances", "dds_instances", "scheduled_jobs", "instant_tasks"):
        if key in content:
            projects[0][key] = content[key]
    return projects


def _identity(content: dict[str, Any], world: World) -> Identity:
    users = []
    for number, entry in enumerate(content.get("users") or [_USER]):
        name = str(entry["name"])
        users.append(
            User(
                id=str(entry.get("id") or hex_id("user", name)),
                name=name,
                password=str(entry.get("password", _USER["password"])),
                access_key=str(entry.get("access_key", f"SIMULATORACCESSKEY{number + 1:02d}")),
                secret_key=str(entry.get("secret_key", f"simulator-secret-key-for-loopback-only-{number + 1:02d}")),
                totp=None if entry.get("totp") is None else str(entry["totp"]),
                denied=tuple(entry.get("denied", ())),
                projects=frozenset(entry.get("projects", world.projects)),
            )
        )
    agencies = [
        Agency(name=str(entry["name"]), denied=tuple(entry.get("denied", ())))
        for entry in content.get("agencies") or [{"name": "maintenance-agency"}]
    ]
    return Identity(users, agencies)


def _add_project(world: World, entry: dict[str, Any], number: int, exact: bool) -> None:
    name = str(entry.get("name", world.region if number == 0 else f"{world.region}_{number}"))
    project = Project(
        str(entry.get("id") or hex_id("project", name)),
        name,
        bool(entry.get("enabled", True)),
        str(entry.get("description", "")),
    )
    if project.id in world.projects:
        raise ValueError(f"the project {project.id} appears twice")
    world.projects[project.id] = project
    for position, given in enumerate(entry.get("dcs_instances", ())):
        _add_dcs_instance(world, project, given, position, exact)
    for position, given in enumerate(entry.get("dds_instances", ())):
        _add_dds_instance(world, project, given, position, exact)
    for position, given in enumerate(entry.get("scheduled_jobs", ())):
        _add_job(world, project, given, position, exact)
    for position, given in enumerate(entry.get("instant_tasks", ())):
        _add_instant_task(world, project, given, position, exact)


def _split(given: dict[str, Any], *own: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The API's fields and the scenario's own words."""
    fields = {key: value for key, value in given.items() if key not in own}
    return fields, {key: given[key] for key in own if key in given}


def _created(world: World, fields: dict[str, Any], own: dict[str, Any], key: str, default: str) -> float:
    if isinstance(fields.get(key), str):
        return parse_iso(fields[key])
    return world.loaded_at - duration(own.get("created_ago", default))


def _add_dcs_instance(world: World, project: Project, given: dict[str, Any], position: int, exact: bool) -> None:
    fields, own = _split(given, "created_ago", "tasks")
    if not exact:
        created = _created(world, fields, own, "created_at", "400d")
        fields = catalogue.dcs_instance(world.region, fields, created, position)
    instance = DcsInstance(project, fields, catalogue.DCS_LISTED)
    if instance.id in project.dcs:
        raise ValueError(f"the DCS instance {instance.id} appears twice")
    project.dcs[instance.id] = instance
    for number, task in enumerate(own.get("tasks", ())):
        add_task(world, instance, task, number, exact)
    instance.refresh()


def add_task(world: World, instance: DcsInstance, given: dict[str, Any], number: int, exact: bool = False) -> Task:
    """Put a task, written as in a scenario, on an instance; durations count from now."""
    fields, own = _split(given, "created_ago", "took", "start_after", "finish_after", "finish_as")
    now = world.clock()
    created = (
        _created(world, fields, own, "created_at", "0s")
        if "created_ago" not in own
        else (now - duration(own["created_ago"]))
    )
    if not exact:
        fields = catalogue.task(instance.fields, fields, created, created + duration(own.get("took", 0)), number)
    elif "created_ago" in own:
        fields["created_at"] = dcs_time(created)
    task = Task(instance, fields)
    if task.id in project_tasks(instance):
        raise ValueError(f"the task {task.id} appears twice")
    instance.add_task(task)
    word = str(own.get("finish_as", "SUCCESS"))
    finish = duration(own["finish_after"]) if "finish_after" in own else None
    if "start_after" in own:
        start = now + duration(own["start_after"])
        world.start_task_later(task, start, None if finish is None else start + finish, word)
    elif finish is not None:
        world.finish_task_later(task, created, now + finish, word)
    return task


def project_tasks(instance: DcsInstance) -> dict[str, Task]:
    """All tasks of the project of an instance, by id."""
    return instance.project.centre.tasks


def _add_dds_instance(world: World, project: Project, given: dict[str, Any], position: int, exact: bool) -> None:
    fields, own = _split(given, "created_ago")
    if not exact:
        created = _created(world, fields, own, "created", "400d")
        fields = catalogue.dds_instance(world.region, fields, created, position)
    instance = DdsInstance(fields)
    if instance.id in project.dds:
        raise ValueError(f"the DDS instance {instance.id} appears twice")
    project.dds[instance.id] = instance


def _database(project: Project, fields: dict[str, Any]) -> dict[str, Any]:
    """The DDS instance that a record names by its id or name, as far as it is known."""
    wanted = (fields.get("instance_id"), fields.get("instance_name"))
    return next(
        (
            candidate.fields
            for candidate in project.dds.values()
            if candidate.id == wanted[0] or (wanted[0] is None and candidate.fields.get("name") == wanted[1])
        ),
        {"id": wanted[0], "name": wanted[1]},
    )


def _add_instant_task(world: World, project: Project, given: dict[str, Any], position: int, exact: bool) -> None:
    fields, own = _split(given, "created_ago", "took", "finish_after", "finish_as")
    now = world.clock()
    created = _created(world, fields, own, "created_at", "1h")
    if not exact:
        ended = created + duration(own.get("took", 60))
        fields = catalogue.instant_task(_database(project, fields), fields, created, ended, position)
    task = InstantTask(fields)
    if task.id in project.instant_tasks:
        raise ValueError(f"the instant task {task.id} appears twice")
    project.instant_tasks[task.id] = task
    if "finish_after" in own:
        until = now + duration(own["finish_after"])
        task.finish_later(world, created, until, str(own.get("finish_as", "Completed")))


def _add_job(world: World, project: Project, given: dict[str, Any], position: int, exact: bool) -> None:
    add_job(world, project, given, position, exact)


def add_job(world: World, project: Project, given: dict[str, Any], number: int, exact: bool = False) -> Job:
    """Put a scheduled job, written as in a scenario, into a project; durations count from now."""
    fields, own = _split(given, "created_ago", "start_in", "end_in", "start_after", "finish_after", "finish_as")
    now = world.clock()
    if not exact:
        database = _database(project, fields)
        created = _created(world, fields, own, "create_time", "0s")
        fields = catalogue.scheduled_job(database, fields, created, number)
        for word, key in (("start_in", "start_time"), ("end_in", "end_time")):
            if word in own:
                fields[key] = dds_time(now + duration(own[word]))
    job = Job(fields)
    if job.id in project.jobs:
        raise ValueError(f"the scheduled job {job.id} appears twice")
    project.jobs[job.id] = job
    outcome = str(own.get("finish_as", "Completed"))
    start = now + duration(own.get("start_after", 0))
    if "start_after" in own:
        world.job_status_later(project, job, start, "Pending", "Running")
    if "finish_after" in own:
        world.job_status_later(project, job, start + duration(own["finish_after"]), "Running", outcome)
    return job
