# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What others do while a module runs: to tasks, jobs and instances, to this machine, or with a module of their own.

An act is a list: a verb and its arguments. It is done only where it can happen in reality: nobody removes the record of a
task that runs, and what has ended does not begin.
"""

from __future__ import annotations

import os
import random
import signal
from typing import TYPE_CHECKING, Any

from tests.simulator import events
from tests.simulator.state import FINISHED_PHASES, JOB_STATUSES

from .cases import MONGO, REDIS, Act, World, job_id, task_id

if TYPE_CHECKING:
    from tests.simulator.app import Cloud

_TASK_STATUS = {"start": "EXECUTING", "succeed": "SUCCESS", "fail": "FAILED", "cancel": "CANCELLED", "puzzle": "PAUSED"}
_JOB_STATUS = {"start job": "Running", "succeed job": "Completed", "fail job": "Failed", "cancel job": "Canceled"}
#: These can only happen to what waits.
_OF_WAITING = ("start", "cancel", "start job", "cancel job")
#: Ids that random acts give to what they add begin here.
FIRST_ADDED = 100
SECOND_OPERATOR = "run"


class Operators:
    """Does acts to the simulated cloud; in the thread of the simulator."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def do(self, act: Act) -> bool:
        """Do an act; False when it cannot happen as things are."""
        verb, *arguments = act
        if verb in _TASK_STATUS:
            return self._change_task(verb, *arguments)
        if verb in _JOB_STATUS:
            return self._change_job(verb, *arguments)
        done: bool = getattr(self, "_" + verb.replace(" ", "_"))(*arguments)
        return done

    def _patch(self, *patches: dict[str, Any]) -> bool:
        events.apply(self._cloud.world, self._cloud.identity, list(patches))
        return True

    @property
    def _project(self) -> Any:
        return next(iter(self._cloud.world.projects.values()))

    def _change_task(self, verb: str, wanted: str) -> bool:
        task = self._cloud.world.find_task(wanted)
        if task is None or task.phase in FINISHED_PHASES or (verb in _OF_WAITING and task.phase != "pending"):
            return False
        if task.instance.cancelling and task.instance.spec_change is task:
            return False
        return self._patch({"task": wanted, "set": {"status": _TASK_STATUS[verb]}})

    def _change_job(self, verb: str, wanted: str) -> bool:
        job = self._project.jobs.get(wanted)
        status = job.fields.get("job_status") if job else None
        if status not in ("Pending", "Running") or (verb in _OF_WAITING and status != "Pending") or job.cancelling:
            return False
        return self._patch({"job": wanted, "set": {"job_status": _JOB_STATUS[verb]}})

    def _resume_job(self, wanted: str) -> bool:
        """What has a status that nobody knows runs after all."""
        job = self._project.jobs.get(wanted)
        unknown = job is not None and job.fields.get("job_status") not in JOB_STATUSES
        return unknown and self._patch({"job": wanted, "set": {"job_status": "Running"}})

    def _remove(self, wanted: str) -> bool:
        task = self._cloud.world.find_task(wanted)
        return task is not None and task.finished and self._patch({"task": wanted, "remove": True})

    def _add(self, wanted: str, instance: str, name: str, status: str) -> bool:
        if self._cloud.world.find_task(wanted) or instance not in self._project.dcs:
            return False
        return self._patch({"task": wanted, "instance": instance, "add": {"name": name, "status": status}})

    def _replace(self, wanted: str, instance: str) -> bool:
        """Call off the spec change that waits, and put another one in its place."""
        found = self._project.dcs.get(instance)
        if found is None or found.spec_change is None or found.spec_change.phase != "pending" or found.cancelling:
            return False
        self._patch({"task": found.spec_change.id, "set": {"status": "CANCELLED"}})
        return self._add(wanted, instance, "EXTEND", "CREATED")

    def _add_job(self, wanted: str, instance: str, name: str, status: str) -> bool:
        if wanted in self._project.jobs or instance not in self._project.dds:
            return False
        return self._patch({"job": wanted, "add": {"instance_id": instance, "job_name": name, "job_status": status}})

    def _remove_instance(self, wanted: str) -> bool:
        known = wanted in self._project.dcs or wanted in self._project.dds
        return known and self._patch({"instance": wanted, "remove": True})

    def _rename(self, wanted: str, name: str) -> bool:
        known = wanted in self._project.dcs or wanted in self._project.dds
        return known and self._patch({"instance": wanted, "set": {"name": name}})

    def _expire_tokens(self) -> bool:
        return self._patch({"tokens": "expire"})

    def _pass(self, seconds: float) -> bool:
        """Time passes for the service."""
        self._cloud.world.ahead += seconds
        self._cloud.world.advance()
        return True

    def _signal(self, name: str) -> bool:
        os.kill(os.getpid(), getattr(signal, name))
        return True

    def _switch(self, name: str, value: Any) -> bool:
        self._cloud.switches.change({name: value})
        return True


def to_tasks(rng: random.Random, world: World) -> Act:
    """Something that others do to tasks of the world, or to its DCS instances."""
    added, instance = task_id(FIRST_ADDED + rng.randrange(20)), rng.choice(REDIS[:2])
    wanted = rng.choice(world["tasks"])["id"] if world["tasks"] else added
    acts: list[Act] = [
        *([verb, wanted] for verb in ("start", "succeed", "cancel", "remove") for _twice in (0, 1)),
        ["fail", wanted],
        ["puzzle", wanted],
        ["start", added],
        ["cancel", added],
        [
            "add",
            added,
            instance,
            rng.choice(("EXTEND", "AddWhitelist")),
            rng.choice(("SUCCESS", "EXECUTING", "CREATED")),
        ],
        ["replace", added, instance],
        ["remove instance", rng.choice(REDIS)],
        rng.choice((["rename", REDIS[0], "redis-x"], ["rename", REDIS[1], "redis-a"])),
    ]
    return rng.choice(acts)


def to_jobs(rng: random.Random, world: World) -> Act:
    """Something that others do to scheduled jobs of the world, or to its DDS instances."""
    added = job_id(FIRST_ADDED + rng.randrange(20))
    wanted = rng.choice(world["jobs"])["job_id"] if world["jobs"] else added
    acts: list[Act] = [
        *([verb, wanted] for verb in ("start job", "succeed job", "cancel job") for _twice in (0, 1)),
        ["fail job", wanted],
        ["add job", added, rng.choice(MONGO), "REBOOT", rng.choice(("Pending", "Running"))],
        ["remove instance", MONGO[0]],
        rng.choice((["rename", MONGO[0], "mongo-x"], ["rename", MONGO[1], "mongo-a"])),
    ]
    return rng.choice(acts)


def any_act(rng: random.Random, world: World, module: str) -> Act:
    """Something that others do, most often to what this module is about."""
    if rng.random() < 0.08:
        return rng.choice((["expire tokens"], ["pass", rng.choice((1, 10, 100))]))
    return (to_jobs if module.startswith("dds") else to_tasks)(rng, world)
