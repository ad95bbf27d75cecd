# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of walks: which worlds, modules and disturbances go together. Each is a function from a seed to a case."""

from __future__ import annotations

import random
from typing import Callable

from . import operators, signing_in, steps, worlds
from .cases import MONGO, REDIS, Act, Case, Step, World, job_id, task_id
from .steps import CHANGING, INVENTORIES, READING, random_step

Disturb = Callable[[random.Random, World, Step], None]
_ANY = (*CHANGING, *CHANGING, *READING)


def _walk(
    *disturbances: tuple[float, Disturb], modules: tuple[str, ...] = _ANY, most: int = 3
) -> Callable[[random.Random], Case]:
    """A kind with up to so many steps, each of which is disturbed in these ways, each with its chance."""

    def case(rng: random.Random) -> Case:
        world = worlds.random_world(rng)
        chosen = [random_step(rng, world, modules) for _number in range(rng.randint(1, most))]
        for step in chosen:
            for chance, disturb in disturbances:
                if rng.random() < chance:
                    disturb(rng, world, step)
            if rng.random() < 0.15 and not step["module"].startswith("inventory"):
                step["check_mode"] = True
        return {"world": world, "steps": chosen}

    return case


def predictions(rng: random.Random) -> Case:
    """Check mode, then the real run, again and again: in worlds in which nothing happens by itself."""
    world = worlds.random_world(rng, timed=False, odd=0.04)
    if rng.random() < 0.2:
        _shift_clock(rng, world)
    chosen = []
    for _number in range(rng.randint(2, 4)):
        step = random_step(rng, world, CHANGING, deadlines=False)
        step["check_mode"] = True
        if rng.random() < 0.1:
            step["sign_in"] = rng.choice(signing_in.ALL)
        chosen.append(step)
    return {"predictions_only": True, "world": world, "steps": chosen}


def shifting(rng: random.Random) -> Case:
    """Long lists in short pages, of which records come and go while they are read."""
    world = worlds.long_world(rng)
    tasks, jobs = world["tasks"], world["jobs"]
    module = rng.choice(("dcs_task", "dcs_task", "dcs_task_info", "dds_scheduled_job", "dds_scheduled_job_info"))
    options: steps.Options = {"max_concurrency": rng.choice((1, 1, 3))}
    if module == "dcs_task":
        options["state"] = rng.choice(("absent", "finished"))
        options.update(
            rng.choice(
                (
                    {"instance": REDIS[0], "task_ids": [rng.choice(tasks)["id"]]},
                    {"instances": [REDIS[0]], "phases": ["running"]},
                    {"instances": [REDIS[0]], "phases": ["succeeded", "failed"]},
                    {"task_ids": [rng.choice(tasks)["id"]]},
                )
            )
        )
        if options["state"] == "finished":
            options.update(wait_timeout=10, accepted_phases=steps.ENDED)
    elif module == "dcs_task_info":
        options.update(rng.choice(({}, {"instances": [REDIS[0]]})))
    elif module == "dds_scheduled_job":
        selections = ({"job_ids": [rng.choice(jobs)["job_id"]]}, {"all_pending": True}, {"instances": ["mongo-a"]})
        options.update(rng.choice(selections), wait_timeout=10)
    acts: dict[str, list[Act]] = {}
    for _number in range(rng.randint(1, 3)):
        added = operators.FIRST_ADDED + rng.randrange(20)
        possible: list[Act] = [
            ["remove", rng.choice(tasks)["id"]],
            ["add", task_id(added), REDIS[0], "AddWhitelist", "SUCCESS"],
            ["add job", job_id(added), MONGO[0], "REBOOT", "Pending"],
        ]
        acts.setdefault(str(rng.randint(0, 4)), []).extend(rng.sample(possible, rng.randint(1, 3)))
    return {"world": world, "steps": [{"module": module, "options": options, "before_request": acts}]}


def eventful(rng: random.Random) -> Case:
    """One run that acts and waits, while much goes on with just what it is about."""
    world = worlds.random_world(rng)
    for task in world["tasks"]:
        if task["name"] in worlds.SPEC_CHANGES:
            task["status"] = "SUCCESS"
            task.pop("start_after", None)
    waiting = {"id": task_id(50), "instance": 0, "name": "EXTEND", "status": "CREATED", "created_ago": 60}
    running = {"id": task_id(51), "instance": 0, "name": "UpdatePort", "status": "EXECUTING", "created_ago": 90}
    world["tasks"] += [waiting, running]
    world["jobs"] += [
        {"job_id": job_id(number), "instance": 0, "job_name": "REBOOT", "job_status": "Pending", "created_ago": 60}
        for number in (50, 51)
    ]
    step: Step = rng.choice((_calling_off, _finishing, _cancelling))(rng)
    tasks, jobs = (
        ("start", "cancel", "succeed", "fail", "remove"),
        ("start job", "succeed job", "cancel job", "fail job"),
    )
    for key, last in (("before_request", 7), ("while_waiting", 5)):
        for _number in range(rng.randint(0, 3)):
            number = rng.choice((50, 51))
            act: Act = [rng.choice(tasks), task_id(number)]
            if step["module"].startswith("dds"):
                act = [rng.choice(jobs), job_id(number)]
            elif rng.random() < 0.2:
                act = rng.choice((["remove instance", REDIS[0]], ["replace", task_id(rng.randint(100, 110)), REDIS[0]]))
            acts = step.setdefault(key, {})
            acts.setdefault(str(rng.randint(1, last)), []).append(act)
    if rng.random() < 0.5:
        steps.add_faults(rng, world, step)
    if rng.random() < 0.3:
        steps.add_stale_lists(rng, world, step)
    return {"world": world, "steps": [step]}


def _calling_off(rng: random.Random) -> Step:
    options: steps.Options = {"instance": REDIS[0], "wait_timeout": rng.choice((10, 60, 300))}
    if rng.random() < 0.5:
        options["task_id"] = task_id(50)
    if rng.random() < 0.2:
        options["wait"] = False
    return {"module": "dcs_resize_cancel", "options": {**options, "max_concurrency": 1}}


def _finishing(rng: random.Random) -> Step:
    options: steps.Options = {"state": "finished", "wait_timeout": 60, "accepted_phases": steps.ENDED}
    ids = [task_id(50), task_id(51)]
    options.update(
        rng.choice(
            (
                {"instance": REDIS[0], "task_ids": ids},
                {"task_ids": ids},
                {"instances": ["all"], "phases": ["running", "pending"]},
            )
        )
    )
    return {"module": "dcs_task", "options": {**options, "max_concurrency": 1}}


def _cancelling(rng: random.Random) -> Step:
    options: steps.Options = {"wait_timeout": rng.choice((10, 60))}
    options.update(
        rng.choice(({"job_ids": [job_id(50), job_id(51)]}, {"all_pending": True}, {"job_names": ["REBOOT"]}))
    )
    return {"module": "dds_scheduled_job", "options": {**options, "max_concurrency": 1}}


def _shift_clock(rng: random.Random, world: World) -> None:
    """This machine's clock is fast or slow, within what signatures bear."""
    world["machine_ahead"] = rng.choice((-600, -300, 300, 600, 800))


def skewed(rng: random.Random) -> Case:
    """The clock of this machine is wrong, and ages and times decide."""
    world = worlds.random_world(rng, timed=False)
    _shift_clock(rng, world)
    if rng.random() < 0.1:
        world["machine_ahead"] = rng.choice((-2000, 2000))
    for record in (*world["tasks"], *world["jobs"]):
        # Around the ages that options name.
        if rng.random() < 0.6:
            record["created_ago"] = rng.choice((0, 30, 200, 400, 800, 1200, 36000 - 300, 36000 + 300))
    case = {"world": world, "steps": [random_step(rng, world, _ANY, deadlines=False) for _number in range(2)]}
    for step in case["steps"]:
        if step["module"] == "dcs_task" and "instances" in step["options"] and rng.random() < 0.8:
            step["options"]["older_than"] = rng.choice(("5m", "15m", "10h"))
        if rng.random() < 0.3:
            step["check_mode"] = True
    return case


KINDS: dict[str, Callable[[random.Random], Case]] = {
    "predictions": predictions,
    "quiet": _walk(),
    "others": _walk((1.0, steps.add_others)),
    "faults": _walk((0.9, steps.add_faults)),
    "others and faults": _walk((0.7, steps.add_others), (0.7, steps.add_faults)),
    "stale lists": _walk((0.9, steps.add_stale_lists), (0.7, steps.add_others), (0.2, steps.add_faults)),
    "shifting": shifting,
    "eventful": eventful,
    "signals": _walk((0.8, steps.add_signal), (0.3, steps.add_others), (0.2, steps.add_faults)),
    "slow answers": _walk((1.0, steps.add_slow_answers), most=1),
    "sign-in": _walk((0.9, steps.choose_sign_in), (0.2, steps.add_others), (0.2, steps.add_faults)),
    "skewed": skewed,
    "second operator": _walk((1.0, steps.add_second_operator), (0.1, steps.add_faults), modules=CHANGING),
    "inventories": _walk((0.5, steps.add_faults), (0.4, steps.add_others), modules=INVENTORIES),
}


def random_case(kind: str, seed: int, number: int) -> Case:
    """The n-th case of a kind; the same one each time."""
    return KINDS[kind](random.Random(f"{seed}/{kind}/{number}"))
