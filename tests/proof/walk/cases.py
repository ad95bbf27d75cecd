# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a case is. All of it is JSON, so that it can be kept in a file, and made smaller part by part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypedDict

REDIS = [f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "123"]
REDIS_NAMES = ["redis-a", "redis-b", "redis-c"]
MONGO = [f"{letter * 32}in02" for letter in "ab"]
MONGO_NAMES = ["mongo-a", "mongo-b"]
#: The modules see the first project only; an inventory may have both.
PROJECTS = ["1" * 32, "2" * 32]
#: The instance of each service that the second project has.
OF_SECOND_PROJECT = {"dcs": "redis-z", "dds": "mongo-z"}

#: Each act of another operator: a verb and its arguments; see C(operators.py).
Act = list[Any]

#: The folder with the cases that failed once.
KEPT = Path(__file__).parent.parent / "cases"


class World(TypedDict, total=False):
    """What exists when the first step begins.

    C(tasks) and C(jobs) are those of a scenario of the simulator, with C(instance), the number of their instance, as one
    key more; C(instances) has fields for DCS instances by number. C(page_size) is how many records the modules ask for at
    once. C(machine_ahead) is how many seconds the clock of this machine is fast.
    """

    tasks: list[dict[str, Any]]
    jobs: list[dict[str, Any]]
    instances: dict[str, dict[str, Any]]
    switches: dict[str, Any]
    page_size: int
    machine_ahead: float


class Step(TypedDict, total=False):
    """One run of a module. The keys of dictionaries are numbers as text: of the request, from 0, or of the sleep, from 1.

    C(before_request) and C(while_waiting) hold acts, C(faults) those of the simulator, and C(stale) how many changes ago a
    listing shows the state. C(expect) names values of the result by their path, such as C(failure.code).
    """

    module: str
    options: dict[str, Any]
    check_mode: bool
    sign_in: str
    before_request: dict[str, list[Act]]
    while_waiting: dict[str, list[Act]]
    faults: dict[str, Any]
    stale: dict[str, int]
    expect: dict[str, Any]


class Case(TypedDict, total=False):
    """A world and its steps; C(about) says of a kept case what failed once.

    With C(predictions_only), a step in check mode is followed by the real run, and by no other.
    """

    about: str
    predictions_only: bool
    world: World
    steps: list[Step]


def task_id(number: int) -> str:
    """The id of the n-th task."""
    return f"{number:032x}"


def job_id(number: int) -> str:
    """The id of the n-th scheduled job."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def read(file: Path) -> Case:
    """The case in a file."""
    case: Case = json.loads(file.read_text("utf-8"))
    return case


def write(file: Path, case: Case) -> None:
    """Write a case to a file that people can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(case, indent=1) + "\n", "utf-8")


def without_disturbance(step: Step) -> Step:
    """The same run when nothing happens meanwhile."""
    kept = ("module", "options", "sign_in")
    return {key: value for key, value in step.items() if key in kept}
