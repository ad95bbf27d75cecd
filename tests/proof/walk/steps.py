# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random steps: a module with options that fit the world, and what disturbs the run."""

from __future__ import annotations

import random
from typing import Any, Callable

from . import operators, signing_in
from .cases import MONGO, MONGO_NAMES, PROJECTS, REDIS, REDIS_NAMES, Step, World, job_id, task_id

Options = dict[str, Any]

ENDED = ["succeeded", "failed", "cancelled"]
#: Ids that nothing has.
NO_TASK, NO_JOB = task_id(99), job_id(99)
#: The requests that something happens to, the first ones most often.
_PLACES = (0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 11)


def _said(status: int, code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "body": {"error_code": code, "error_msg": message}, **more}


_REFUSED_SIGN_IN = _said(401, "APIGW.0301", "Incorrect IAM authentication information")
#: What a request may meet.
FAULTS: tuple[Any, ...] = (
    *("drop_before", "drop_after", "reset", "truncate", "garbage", "wrong_type", "content_type"),
    *({"status": status} for status in (200, 400, 404, 500, 502, 503)),
    *({"status": status, "processed": True} for status in (500, 502, 504)),
    {"status": 202, "processed": True},
    {"status": 429},
    {"status": 429, "headers": {"Retry-After": "3"}},
    {"status": 503, "headers": {"Retry-After": "2"}},
    {"redirect": "http://127.0.0.1:9/"},
    {"huge": 300_000},
    {"edit": [{"at": ["tasks", 0, "id"], "to": "null"}, {"at": ["schedules", 0, "job_id"], "to": "null"}]},
    {"edit": [{"at": ["tasks", 0], "twice": True}, {"at": ["schedules", 0], "twice": True}]},
    {"edit": [{"at": ["result"], "to": '"failed"'}]},
    {"delay": 0.01},
    _REFUSED_SIGN_IN,
    _said(403, "DCS.2007", "Policy does not allow it to be performed."),
    _said(404, "DCS.4404", "The task does not exist."),
    _said(400, "DCS.4111", "the instance is restarting."),
    _said(409, "DCS.4957", "This operation is not allowed when the task is in the current state."),
    _said(403, "DBS.200019", "Another operation is being performed on the DB instance."),
    _said(404, "DCS.3022", "This DCS instance does not exist."),
)


def _sample(rng: random.Random, pool: list[str]) -> list[str]:
    return sorted(rng.sample(pool, min(len(pool), rng.randint(1, 4))))


def _dcs_task(rng: random.Random, world: World) -> Options:
    options: Options = {"state": rng.choice(("absent", "absent", "finished"))}
    ended = [task["id"] for task in world["tasks"] if task["status"] in ("SUCCESS", "FAILED", "CANCELLED")]
    everything = [*(task["id"] for task in world["tasks"]), NO_TASK]
    pool = ended if ended and options["state"] == "absent" and rng.random() < 0.7 else everything
    how = rng.random()
    if how < 0.3:
        number = rng.choice((0, 0, 1))
        options.update(instance=rng.choice((REDIS[number], REDIS_NAMES[number])), task_ids=_sample(rng, pool))
    elif how < 0.5:
        options["task_ids"] = _sample(rng, pool)
    else:
        options["instances"] = rng.choice((["all"], ["all"], [REDIS[0]], REDIS_NAMES[:2], REDIS))
        options.update(_selection(rng))
    if rng.random() < 0.3:
        options["max_failures"] = rng.choice((1, 2))
    if options["state"] == "finished":
        options["accepted_phases"] = rng.choice((["succeeded"], ENDED))
        options.update(_waiting(rng, (0, 10, 60)))
        if rng.random() < 0.3:
            options["missing_ok"] = True
    return options


def _selection(rng: random.Random) -> Options:
    """Words that say which tasks."""
    phases = rng.choice((ENDED, ENDED, ["succeeded"], ["running"], ["pending", "running"], []))
    selection: Options = {"phases": phases}
    if rng.random() < 0.3:
        selection["keep_last"] = 1
    if rng.random() < 0.2:
        selection["names"] = ["EXTEND"]
    if rng.random() < 0.25:
        selection["older_than"] = rng.choice(("10h", "5m"))
    return selection


def _waiting(rng: random.Random, timeouts: tuple[int, ...]) -> Options:
    return {"wait_timeout": rng.choice(timeouts), "wait_interval": rng.choice((1, 5))}


def _dcs_task_info(rng: random.Random, world: World) -> Options:
    options: Options = {}
    if rng.random() < 0.7:
        options["instances"] = rng.choice((["all"], [REDIS[0]], [REDIS_NAMES[0], REDIS[1]], []))
        if rng.random() < 0.3:
            options["include_progress"] = True
    if rng.random() < 0.4:
        options.update(_selection(rng))
    if rng.random() < 0.3:
        options["max_results"] = rng.choice((1, 2, 3))
    if rng.random() < 0.3:
        options["max_failures"] = 1
    if rng.random() < 0.2:
        options["start_time"] = rng.choice(("12h", "3d"))
    return options


def _dcs_resize_cancel(rng: random.Random, world: World) -> Options:
    options: Options = {"instance": rng.choice((REDIS[0], REDIS_NAMES[0], REDIS[1]))}
    if rng.random() < 0.4:
        options["task_id"] = rng.choice([*(task["id"] for task in world["tasks"]), NO_TASK])
    options.update(_waiting(rng, (0, 10, 60, 300)))
    if rng.random() < 0.3:
        options["wait"] = False
    return options


def _dds_scheduled_job(rng: random.Random, world: World) -> Options:
    options: Options = rng.choice(
        (
            {"job_ids": _sample(rng, [*(job["job_id"] for job in world["jobs"]), NO_JOB])},
            {"job_ids": _sample(rng, [*(job["job_id"] for job in world["jobs"]), NO_JOB])},
            {"instance": rng.choice((MONGO[0], MONGO_NAMES[0], MONGO[1]))},
            {"instances": [MONGO[0], MONGO_NAMES[1]]},
            {"job_names": rng.choice((["REBOOT"], ["reboot"], []))},
            {"all_pending": True},
        )
    )
    if rng.random() < 0.4:
        options["on_too_late"] = "ignore"
    if rng.random() < 0.4:
        options["missing_ok"] = True
    if rng.random() < 0.3:
        options["max_failures"] = rng.choice((1, 2))
    if rng.random() < 0.2:
        options["lookback"] = rng.choice(("30h", "5d"))
    options.update(_waiting(rng, (0, 10, 60)))
    return options


def _dds_scheduled_job_info(rng: random.Random, world: World) -> Options:
    options: Options = {}
    if rng.random() < 0.4:
        options["instances"] = rng.choice(([MONGO[0]], [MONGO_NAMES[0], MONGO[1]], []))
    if rng.random() < 0.3:
        options["phases"] = rng.choice((["pending"], ["pending", "running"]))
    if rng.random() < 0.2:
        options["lookback"] = rng.choice(("30h", "5d"))
    return options


def _instances_of(names: list[str], ids: list[str]) -> Callable[[random.Random, World], Options]:
    """Options of the modules that find instances, and with them of the inventory plugins."""

    def options(rng: random.Random, world: World) -> Options:
        return rng.choice(({}, {}, {"names": [names[0]]}, {"names": ["*-b"]}, {"ids": [ids[1]]}, {"names": []}))

    return options


def _inventory(rng: random.Random, world: World) -> Options:
    both = [{"region": "sim-region-1", "project_id": project} for project in PROJECTS]
    return rng.choice(({}, {"projects": both}))


_OPTIONS: dict[str, Callable[[random.Random, World], Options]] = {
    "dcs_task": _dcs_task,
    "dcs_task_info": _dcs_task_info,
    "dcs_resize_cancel": _dcs_resize_cancel,
    "dds_scheduled_job": _dds_scheduled_job,
    "dds_scheduled_job_info": _dds_scheduled_job_info,
    "dcs_instance_info": _instances_of(REDIS_NAMES, REDIS),
    "dds_instance_info": _instances_of(MONGO_NAMES, MONGO),
    "inventory dcs": _inventory,
    "inventory dds": _inventory,
}
CHANGING = ("dcs_task", "dcs_task", "dcs_task", "dcs_resize_cancel", "dcs_resize_cancel", "dds_scheduled_job")
READING = ("dcs_task_info", "dds_scheduled_job_info", "dcs_instance_info", "dds_instance_info")
INVENTORIES = ("inventory dcs", "inventory dds")


def random_step(rng: random.Random, world: World, modules: tuple[str, ...], *, deadlines: bool = True) -> Step:
    """A run of one of these modules, which nothing disturbs."""
    module = rng.choice(modules)
    step: Step = {"module": module, "options": _OPTIONS[module](rng, world)}
    if not module.startswith("inventory"):
        step["options"]["max_concurrency"] = 3 if rng.random() < 0.2 else 1
        if deadlines and rng.random() < 0.1:
            step["options"]["deadline"] = rng.choice((5, 30))
    if rng.random() < 0.3:
        step["options"]["retries"] = rng.choice((0, 1, 2))
    return step


# --- Disturbances ----------------------------------------------------------------------------------------------------


def _place(rng: random.Random) -> str:
    return str(rng.choice(_PLACES))


def add_others(rng: random.Random, world: World, step: Step) -> None:
    """Let others act between the requests, and while the module waits."""
    for key, chance, place in (("before_request", 0.9, _place), ("while_waiting", 0.5, lambda r: str(r.randint(1, 4)))):
        if rng.random() < chance:
            acts = step.setdefault(key, {})
            for _number in range(rng.randint(1, 3)):
                acts.setdefault(place(rng), []).append(operators.any_act(rng, world, step["module"]))


def add_faults(rng: random.Random, world: World, step: Step) -> None:
    """Let some requests meet faults, or all from one on."""
    # Those of a file that is read in another process would take real time.
    faults = [each for each in FAULTS if not (step["module"].startswith("inventory") and "headers" in str(each))]
    if rng.random() < 0.15:
        begin, fault = rng.randint(0, 5), rng.choice(faults)
        step["faults"] = {str(number): fault for number in range(begin, begin + 60)}
    else:
        step["faults"] = {_place(rng): rng.choice(faults) for _number in range(rng.randint(1, 3))}


def add_stale_lists(rng: random.Random, world: World, step: Step) -> None:
    """Let some listings show an older state."""
    if rng.random() < 0.3:
        begin, lag = rng.randint(1, 4), rng.randint(1, 2)
        step["stale"] = {str(number): lag for number in range(begin, begin + 6)}
    else:
        step["stale"] = {_place(rng): rng.randint(1, 3) for _number in range(rng.randint(1, 3))}


def add_signal(rng: random.Random, world: World, step: Step) -> None:
    """Let a signal end the run."""
    name = rng.choice(("SIGTERM", "SIGINT", "SIGHUP"))
    if rng.random() < 0.8:
        step.setdefault("before_request", {}).setdefault(_place(rng), []).append(["signal", name])
    else:
        step.setdefault("while_waiting", {}).setdefault(str(rng.randint(1, 3)), []).append(["signal", name])


def add_slow_answers(rng: random.Random, world: World, step: Step) -> None:
    """Let an answer take longer than the deadline allows, or than a signal may be kept waiting."""
    step["options"].pop("wait_timeout", None)
    step["options"]["max_concurrency"] = rng.choice((1, 3))
    place = rng.randint(0, 4)
    if rng.random() < 0.5:
        step["options"]["deadline"] = 1
        step["faults"] = {str(place): {"delay": 0.7}, str(place + 1): {"delay": 20}}
    else:
        step["faults"] = {
            str(place): {"delay": 0.01},
            str(place + 1): {"status": 429, "headers": {"Retry-After": "30"}},
        }
        step["options"]["deadline"] = 2
    if rng.random() < 0.5:
        step.setdefault("before_request", {}).setdefault(str(place), []).append(["signal", "SIGTERM"])


def add_second_operator(rng: random.Random, world: World, step: Step) -> None:
    """Let another operator run a module, often for the same things, before a request or while the first one waits."""
    step["options"]["max_concurrency"] = 1
    like = (step["module"],) if rng.random() < 0.5 else CHANGING
    other = random_step(rng, world, like, deadlines=False)
    options = dict(other["options"], max_concurrency=1)
    if other["module"] == step["module"] and rng.random() < 0.6:
        options = dict(step["options"])
    act = [operators.SECOND_OPERATOR, other["module"], options]
    if rng.random() < 0.8:
        step.setdefault("before_request", {}).setdefault(_place(rng), []).append(act)
    else:
        step.setdefault("while_waiting", {}).setdefault(str(rng.randint(1, 3)), []).append(act)


def choose_sign_in(rng: random.Random, world: World, step: Step) -> None:
    """Sign in in another way; now and then the credentials are refused once, or expire."""
    step["sign_in"] = rng.choice(signing_in.WITH_REQUESTS if rng.random() < 0.6 else signing_in.ALL)
    if rng.random() < 0.3:
        step.setdefault("before_request", {}).setdefault(_place(rng), []).append(["expire tokens"])
    if rng.random() < 0.2:
        step["faults"] = {_place(rng): _REFUSED_SIGN_IN}
