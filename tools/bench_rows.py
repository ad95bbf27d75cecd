# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the benchmark: each does the same work in two ways, in turn, checks what both did, and takes medians."""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_checks import Wrong, check_requests, check_tasks
from bench_processes import Cloud, Command, Measured, Programs, cloud, payloads
from environment import CHECKOUT

from tests.harness.playbooks import local_play, run_playbook

MODULES = sorted(path.stem for path in (CHECKOUT / "plugins" / "modules").glob("[a-z]*.py"))

# As many requests at the same time as the collection's default.
CONCURRENCY = 8
ENDED = ["succeeded", "failed", "cancelled"]
MEGABYTE = 1_000_000
MEMORY_TARGET = 150


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    repeats: int = 5
    # Runs before those that count: they fill caches of Python, the system and the simulator.
    before: int = 1
    # One short task is mostly start-up, which varies, so there are more of them.
    singles: int = 20
    instances: int = 200
    tasks_each: int = 100
    latency_ms: int = 20
    history: int = 20_000
    # Records removed: by the module, and by the loop that is scaled to as many.
    removed: int = 500
    removed_by_loop: int = 50
    growth: int = 10
    growth_tasks_each: int = 10


#: For a test that the benchmark works.
QUICK = Sizes(
    repeats=1,
    before=0,
    singles=1,
    instances=2,
    tasks_each=4,
    history=1200,
    removed=4,
    removed_by_loop=2,
    growth=2,
    growth_tasks_each=2,
)


@dataclasses.dataclass
class Row:
    """One line of the table: medians of both sides, and what each side was."""

    name: str
    ours: float
    peer: float
    target: float
    remarks: list[str]
    unit: str = "s"
    memory: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.peer

    @property
    def met(self) -> bool:
        return self.ratio <= self.target and (self.memory is None or self.memory <= MEMORY_TARGET)

    def as_dict(self) -> dict[str, Any]:
        """The row as the report has it."""
        fields = {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "ratio": self.ratio,
            "target": self.target,
            "met": self.met,
            "unit": self.unit,
            "remarks": self.remarks,
        }
        memory = {"memory_mb": self.memory, "memory_target_mb": MEMORY_TARGET}
        return fields if self.memory is None else {**fields, **memory}


def _say(name: str, number: int, repeats: int) -> None:
    print(f"{name}: {number} of {repeats}", end="\r" if number < repeats else "\n", file=sys.stderr, flush=True)


def _row(name: str, target: float, ours: list[float], peer: list[float], *remarks: str, scale: float = 1) -> Row:
    """A row of medians, with the range of each side."""
    peer = [seconds * scale for seconds in peer]
    spread = "; ".join(
        f"{side} {min(seconds):.3f} to {max(seconds):.3f} s in {len(seconds)} runs"
        for side, seconds in (("ours", ours), ("peer", peer))
    )
    return Row(name, statistics.median(ours), statistics.median(peer), target, [*remarks, spread])


# Tasks in a play


def _play(tasks: list[dict[str, Any]], where: Cloud, timeout: float) -> list[dict[str, Any]]:
    """Run tasks, and return what the results callback wrote of each."""
    with tempfile.TemporaryDirectory() as folder:
        run = run_playbook(Path(folder), [local_play(tasks)], environ=where.environment, timeout=timeout)
    if run.returncode:
        raise Wrong(f"the play failed.\n{run.output[-4000:]}")
    return run.results


def _before(where: Cloud) -> list[dict[str, Any]]:
    """Tasks that are not measured: what Ansible loads once in a play must not be counted on the side that comes first."""
    return [
        {"name": "before", "ansible.builtin.uri": {"url": f"{where.url}/_simulator/facts"}},
        {"name": "before", "hwcloud.maintenance.dcs_task_info": {"instances": []}},
    ]


def _get(where: Cloud, token: str, path: str, **task: Any) -> dict[str, Any]:
    """The peer of a task that lists: one GET as a person would write it."""
    query = "?limit=1000&offset=0"
    uri = {"url": f"{where.url}{path}{query}", "headers": {"X-Auth-Token": token}}
    return {"name": "peer", "ansible.builtin.uri": uri, **task}


def single(sizes: Sizes) -> Row:
    """One task that lists 10 tasks in one request."""
    with cloud("fleet:1:10") as where:
        instance = where.control.state()["dcs_instances"][0]["instance_id"]
        ours = {"name": "ours", "hwcloud.maintenance.dcs_task_info": {"instances": [instance]}}
        peer = _get(where, where.token(), where.path(instance))
        # The first of each fills caches of the system and is not counted.
        results = _play([task for _each in range(sizes.singles + 1) for task in (peer, ours)], where, timeout=900)
        for number in range(sizes.singles + 1):
            its, mine = results[2 * number : 2 * number + 2]
            check_tasks(mine["result"]["tasks"], its["result"]["json"]["tasks"])
        entries = where.new_requests()
        for number in range(0, len(entries), 2):
            check_requests(entries[number : number + 1], {where.path(instance): 10})
            check_requests(entries[number + 1 : number + 2], {where.path(instance): 10})
    seconds = {name: [entry["seconds"] for entry in results[2:] if entry["task"] == name] for name in ("ours", "peer")}
    return _row(
        "single",
        1.00,
        seconds["ours"],
        seconds["peer"],
        "ours: one task dcs_task_info, signed with an access key; 1 request for 10 tasks",
        "peer: one task ansible.builtin.uri, the same GET with a token",
    )


def fleet(sizes: Sizes) -> Row:
    """One task that lists all tasks of all instances."""
    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    requests = {"ours": "", "peer": ""}
    with cloud(f"fleet:{sizes.instances}:{sizes.tasks_each}", sizes.latency_ms) as where:
        token = where.token()
        instances = [instance["instance_id"] for instance in where.control.state()["dcs_instances"]]
        sides = [
            {"name": "ours", "hwcloud.maintenance.dcs_task_info": {"instances": "all"}},
            _get(where, token, where.path("{{ item }}"), loop=instances),
        ]
        where.new_requests()
        for number in range(sizes.repeats):
            ordered = sides if number % 2 == 0 else sides[::-1]
            results = {entry["task"]: entry for entry in _play([*_before(where), *ordered], where, timeout=1800)}
            ours = results["ours"]["result"]["tasks"]
            peer = [task for each in results["peer"]["result"]["results"] for task in each["json"]["tasks"]]
            check_tasks(ours, peer)
            entries = where.new_requests()
            by_side = {
                "ours": [entry for entry in entries if entry["auth"] == "aksk"],
                "peer": [entry for entry in entries if entry["auth"] == "token"],
            }
            for side, list_too in (("ours", True), ("peer", False)):
                requests[side] = check_requests(
                    by_side[side], where.lists(sizes.tasks_each, instances, listed=list_too)
                )
                seconds[side].append(results[side]["seconds"])
            _say("fleet", number + 1, sizes.repeats)
    return _row(
        "fleet",
        0.03,
        seconds["ours"],
        seconds["peer"],
        f"{sizes.instances} instances with {sizes.tasks_each} tasks each, {sizes.latency_ms} ms per request",
        f"ours: one task dcs_task_info with instances: all, signed with an access key; {requests['ours']}",
        f"peer: one task ansible.builtin.uri in a loop over the ids, with a token; {requests['peer']}",
    )


def purge(sizes: Sizes) -> Row:
    """One task that removes the records of all tasks that have ended."""
    scale = sizes.removed / sizes.removed_by_loop
    # The loop has an instance of its own, which is empty when the module's turn comes.
    scenario = f"fleet:{round(scale) + 1}:{sizes.removed_by_loop}"
    selection = {"instances": "all", "phases": ENDED, "state": "absent"}
    ours: list[float] = []
    peer: list[float] = []
    requests = ""
    with cloud(scenario) as where:
        for number in range(sizes.repeats):
            where.reset(scenario, sizes.latency_ms)
            token = where.token()
            tasks = where.control.state()["tasks"]
            first = tasks[0]["instance_id"]
            paths = {task["id"]: f"{where.path(task['instance_id'])}/{task['id']}" for task in tasks}
            by_loop = [task["id"] for task in tasks if task["instance_id"] == first]
            by_module = [task["id"] for task in tasks if task["instance_id"] != first]
            uri = {
                "url": f"{where.url}{where.path(first)}/{{{{ item }}}}",
                "method": "DELETE",
                "headers": {"X-Auth-Token": token},
                "status_code": [200, 202, 204],
            }
            sides = [
                {"name": "peer", "ansible.builtin.uri": uri, "loop": by_loop},
                {"name": "ours", "hwcloud.maintenance.dcs_task": selection},
            ]
            results = {entry["task"]: entry for entry in _play([*_before(where), *sides], where, timeout=900)}
            if sorted(results["ours"]["result"]["removed"]) != sorted(by_module) or len(by_module) != sizes.removed:
                raise Wrong(f"ours removed {len(results['ours']['result']['removed'])} of {sizes.removed} tasks.")
            if where.control.state()["tasks"]:
                raise Wrong("not all tasks are gone.")
            entries = where.new_requests()
            check_requests([each for each in entries if each["auth"] == "token"], {}, [paths[id_] for id_ in by_loop])
            requests = _check_removal(entries, [paths[id_] for id_ in by_module])
            ours.append(results["ours"]["seconds"])
            peer.append(results["peer"]["seconds"])
            _say("purge", number + 1, sizes.repeats)
    return _row(
        "purge",
        0.02,
        ours,
        peer,
        f"{sizes.removed} records, {sizes.latency_ms} ms per request",
        f"ours: one task dcs_task that selects by phase over all instances, signed with an access key; {requests}",
        f"peer: one task ansible.builtin.uri in a loop over {sizes.removed_by_loop} ids, with a token; times {scale:g}",
        scale=scale,
    )


def _check_removal(entries: list[dict[str, Any]], deleted: list[str]) -> str:
    """Check the deletions of the module; it lists, too, as often as it finds right."""
    mine = [entry for entry in entries if entry["auth"] == "aksk"]
    check_requests([entry for entry in mine if entry["method"] == "DELETE"], {}, deleted)
    if any(entry["status"] != 200 or entry["method"] not in ("GET", "DELETE") for entry in mine):
        raise Wrong("a request of ours failed, or did something else than listing and deleting.")
    count = sum(entry["method"] == "GET" for entry in mine)
    return f"{len(deleted)} DELETE, {count} GET"


# Programs


def _in_turn(
    name: str,
    sides: list[tuple[Command, Cloud]],
    programs: Programs,
    sizes: Sizes,
    check: Callable[[list[Measured]], None],
) -> list[list[Measured]]:
    """Run both sides in turn, and check each pair."""
    runs: list[list[Measured]] = [[] for _side in sides]
    for number in range(sizes.before + sizes.repeats):
        pair = [programs.run(command, where) for command, where in sides]
        check(pair)
        if number >= sizes.before:
            for measured, side in zip(pair, runs):
                # What it printed is checked, and takes much memory.
                side.append(dataclasses.replace(measured, result={}, entries=[]))
            _say(name, number - sizes.before + 1, sizes.repeats)
    return runs


def _times(runs: list[Measured]) -> list[float]:
    return [run.seconds for run in runs]


def _cpu(runs: list[list[Measured]]) -> str:
    """The CPU time of both sides, which says more than the time that passed where others use the machine too."""
    ours, peer = (statistics.median(run.cpu for run in side) for side in runs)
    return f"CPU: ours {ours:.3f} s, peer {peer:.3f} s"


def _share(runs: list[Measured], requests: int) -> str:
    """How much of the peer's time the simulator has used: it must not be what is measured."""
    used = statistics.median(run.simulator_seconds for run in runs)
    whole = statistics.median(_times(runs))
    return f"simulator: {used / requests * 1000:.2f} ms of CPU per request of the peer, {used / whole:.0%} of the peer's time"


def fleet_limit(sizes: Sizes) -> Row:
    """The module's process for the work of the row fleet, against a bare program."""
    with (
        cloud(f"fleet:{sizes.instances}:{sizes.tasks_each}", sizes.latency_ms) as where,
        tempfile.TemporaryDirectory() as folder,
    ):
        programs = Programs(folder)
        token = where.token()
        instances = [instance["instance_id"] for instance in where.control.state()["dcs_instances"]]
        ours = programs.module(
            "dcs_task_info",
            {**where.options, "auth_token": token, "instances": ["all"], "max_concurrency": CONCURRENCY},
        )
        peer = programs.program("bench_peer.py", where.url, where.project, str(CONCURRENCY), BENCH_TOKEN=token)
        requests = ""

        def check(pair: list[Measured]) -> None:
            nonlocal requests
            check_tasks(pair[0].result["tasks"], pair[1].result["tasks"], without=())
            requests = _check_both(pair, where.lists(sizes.tasks_each, instances, listed=True))

        runs = _in_turn("fleet_limit", [(ours, where), (peer, where)], programs, sizes, check)
    return _row(
        "fleet_limit",
        1.25,
        *map(_times, runs),
        f"the work of fleet without ansible-playbook, {CONCURRENCY} requests at the same time, both with a token;"
        f" {requests}",
        "ours: the module's payload as a process, from start to end",
        "peer: a bare program with threads and one requests.Session, from start to end; prints the same tasks",
        _cpu(runs),
        _share(runs[1], 1 + sizes.instances),
    )


def _check_both(pair: list[Measured], lists: dict[str, int]) -> str:
    """Check the requests of both sides; returns how often which operation was asked."""
    ours, peer = (check_requests(measured.entries, lists) for measured in pair)
    return ours if ours == peer else f"ours {ours}; peer {peer}"


def project(sizes: Sizes) -> Row:
    """The module's process for the whole task centre, against the official SDK client."""
    total = sizes.instances * sizes.tasks_each
    with cloud(f"fleet:{sizes.instances}:{sizes.tasks_each}") as where, tempfile.TemporaryDirectory() as folder:
        programs = Programs(folder)
        ours = programs.module("dcs_task_info", {**where.options, **where.keys})
        keys = {f"BENCH_{name.upper()}": value for name, value in where.keys.items()}
        peer = programs.program("bench_sdk.py", where.url, where.project, **keys)
        listing: list[float] = []
        requests = ""

        def check(pair: list[Measured]) -> None:
            nonlocal requests
            mine, its = (measured.result["tasks"] for measured in pair)
            check_tasks(mine, its, sdk=True)
            requests = _check_both(pair, {where.path(): total})
            listing.append(float(pair[1].stderr.splitlines()[-1]))

        runs = _in_turn("project", [(ours, where), (peer, where)], programs, sizes, check)
    return _row(
        "project",
        0.5,
        *map(_times, runs),
        f"{total} tasks of the task centre, both signed with an access key; {requests}",
        "ours: the module's payload as a process, from start to end",
        "peer: a program with the official SDK, page size 1000, one page after the other, from start to end; prints the"
        f" tasks; of its time the listing takes {statistics.median(listing[sizes.before :]):.3f} s",
        _cpu(runs),
        _share(runs[1], -(-total // 1000)),
    )


def history(sizes: Sizes) -> Row:
    """The module's process for one instance with a long history, against a bare program; and its peak memory."""
    with cloud(f"fleet:1:{sizes.history}") as where, tempfile.TemporaryDirectory() as folder:
        programs = Programs(folder)
        token = where.token()
        instance = where.control.state()["dcs_instances"][0]["instance_id"]
        ours = programs.module("dcs_task_info", {**where.options, "auth_token": token, "instances": [instance]})
        peer = programs.program("bench_peer.py", where.url, where.project, "1", instance, BENCH_TOKEN=token)
        requests = ""

        def check(pair: list[Measured]) -> None:
            nonlocal requests
            check_tasks(pair[0].result["tasks"], pair[1].result["tasks"], without=())
            requests = _check_both(pair, {where.path(instance): sizes.history})

        runs = _in_turn("history", [(ours, where), (peer, where)], programs, sizes, check)
    memory = [max(run.memory for run in side) / MEGABYTE for side in runs]
    row = _row(
        "history",
        1.25,
        *map(_times, runs),
        f"{sizes.history} tasks of one instance, both with a token; {requests}",
        "ours: the module's payload as a process, from start to end",
        "peer: a bare program with one requests.Session, page size 1000, one page after the other; prints the same tasks",
        f"peak memory: ours {memory[0]:.0f} MB of {MEMORY_TARGET} MB allowed, peer {memory[1]:.0f} MB",
        _cpu(runs),
        _share(runs[1], -(-sizes.history // 1000)),
    )
    row.memory = memory[0]
    return row


def growth(sizes: Sizes) -> Row:
    """The module's process for ten times as many instances, against itself."""
    few = sizes.instances
    many = few * sizes.growth
    each = sizes.growth_tasks_each
    with (
        cloud(f"fleet:{many}:{each}") as large,
        cloud(f"fleet:{few}:{each}") as small,
        tempfile.TemporaryDirectory() as folder,
    ):
        programs = Programs(folder)
        clouds = [large, small]
        states = [where.control.state() for where in clouds]
        sides = [
            (programs.module("dcs_task_info", {**where.options, **where.keys, "instances": ["all"]}), where)
            for where in clouds
        ]
        requests = [""] * len(clouds)

        def check(pair: list[Measured]) -> None:
            for number, (where, state, measured) in enumerate(zip(clouds, states, pair)):
                check_tasks(measured.result["tasks"], state["tasks"], without=("project_id", "phase"))
                instances = [instance["instance_id"] for instance in state["dcs_instances"]]
                requests[number] = check_requests(measured.entries, where.lists(each, instances, listed=True))

        runs = _in_turn("growth", sides, programs, sizes, check)
    return _row(
        "growth",
        10.5,
        *map(_times, runs),
        f"ours: the module's payload as a process, {many} instances with {each} tasks each; {requests[0]}",
        f"peer: the same with {few} instances; {requests[1]}",
        _cpu(runs),
    )


def payload(_sizes: Sizes) -> Row:
    """What travels with a task."""
    names = [f"hwcloud.maintenance.{name}" for name in MODULES]
    *ours, peer = (len(built) for built in payloads([(name, {}) for name in (*names, "ansible.builtin.uri")]))
    largest = max(ours)
    return Row(
        "payload",
        largest,
        peer,
        1.02,
        [f"ours: {MODULES[ours.index(largest)]}, the largest of {len(MODULES)}", "peer: ansible.builtin.uri"],
        unit="bytes",
    )


ROWS: dict[str, Callable[[Sizes], Row]] = {
    measure.__name__: measure for measure in (single, fleet, fleet_limit, project, history, purge, growth, payload)
}
