# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Eight tasks at once remove and call off the same things: each thing is claimed by one of them, and none fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import signed_in
from tests.harness.playbooks import local_play, run_playbook

from .racer import Racers
from .stage import CANCELLED, DONE, FAILED, PENDING, REDIS, SCENARIO, WAITING

RACERS = 8
ROUNDS = 3
RECORDS = [DONE, FAILED, CANCELLED]

#: The name of each race; the module, its options, and where a result tells what that task did.
RACES: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "remove": ("dcs_task", {"instance": REDIS, "task_ids": RECORDS, "state": "absent"}, "removed"),
    "remove through the centre": ("dcs_task", {"task_ids": RECORDS, "state": "absent"}, "removed"),
    "call off": ("dcs_resize_cancel", {"instance": REDIS, "wait_interval": 1}, None),
    "call off by id": ("dcs_resize_cancel", {"instance": REDIS, "task_id": WAITING, "wait_interval": 1}, None),
    "cancel jobs": ("dds_scheduled_job", {"job_ids": PENDING, "wait_interval": 1}, "cancelled"),
}
ALL_AT_ONCE = ("remove", "call off", "cancel jobs")


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    """Eight processes."""
    with Racers(RACERS) as running:
        yield running


@pytest.fixture(params=[404, 400], ids=["404-for-unknown", "400-for-unknown"])
def track(request, sim):
    """Load the account; answers take a little, so that all have looked before the first one acts."""

    def load(**switches: Any) -> None:
        sim.reset({**SCENARIO, "switches": {"unknown_id_status": request.param, "latency_ms": 20, **switches}})

    load()
    return load


def statuses(sim) -> dict[str, str]:
    """Id and status of all tasks and jobs."""
    state = sim.state()
    return {
        **{task["id"]: task["status"] for task in state["tasks"]},
        **{job["job_id"]: job["job_status"] for job in state["scheduled_jobs"]},
    }


def check(name: str, results: list[dict[str, Any]]) -> None:
    """Nobody failed, and for each thing exactly one says that it was the one who did it."""
    key = RACES[name][2]
    assert len(results) == RACERS
    assert [result.get("msg") for result in results if result.get("failed")] == []
    if key is None:
        assert [result["changed"] for result in results].count(True) == 1
        return
    claims = Counter(identifier for result in results for identifier in result[key])
    assert claims == dict.fromkeys(RECORDS if key == "removed" else PENDING, 1)
    assert all(result["changed"] is bool(result[key]) for result in results)


def expected(before: dict[str, str], names: tuple[str, ...], *, kept: bool = True) -> dict[str, str]:
    """The state after these races."""
    after = dict(before)
    for name in names:
        module = RACES[name][0]
        if module == "dcs_task":
            after = {key: status for key, status in after.items() if key not in RECORDS}
        elif module == "dds_scheduled_job":
            after.update(dict.fromkeys(PENDING, "Canceled"))
        elif kept:
            after[WAITING] = "CANCELLED"
        else:
            del after[WAITING]
    return after


@pytest.mark.slow
@pytest.mark.parametrize("record", ["kept", "removed"])
@pytest.mark.parametrize("name", RACES)
def test_each_thing_is_done_once(sim, racers, track, name, record):
    module, options, _key = RACES[name]
    for _round in range(ROUNDS):
        track(cancelled_record=record)
        before = statuses(sim)
        results = racers.run(module, {**signed_in(sim), **options})
        check(name, results)
        assert statuses(sim) == expected(before, (name,), kept=record == "kept")
        again = racers.run(module, {**signed_in(sim), **options})
        assert [(result.get("failed"), result["changed"]) for result in again] == [(None, False)] * RACERS


@pytest.mark.slow
def test_eight_hosts_of_one_playbook(sim, track, tmp_path):
    hosts = [f"host{number}" for number in range(RACERS)]
    tasks = [{"name": name, f"hwcloud.maintenance.{RACES[name][0]}": RACES[name][1]} for name in ALL_AT_ONCE]
    play = local_play(
        tasks,
        signed_in(sim),
        hosts="all",
        connection="local",
        vars={"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    )
    before = statuses(sim)
    run = run_playbook(tmp_path, [play], "--inventory", f"{','.join(hosts)},", "--forks", str(RACERS))
    assert run.returncode == 0, run.output
    for name in ALL_AT_ONCE:
        entries = [entry for entry in run.results if entry["task"] == name]
        assert {entry["host"] for entry in entries} == set(hosts)
        check(name, [entry["result"] for entry in entries])
    assert statuses(sim) == expected(before, ALL_AT_ONCE)
