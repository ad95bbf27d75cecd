# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person would write without this collection: lists tasks with requests, and prints them as JSON.

    BENCH_TOKEN=... python bench_peer.py URL PROJECT CONCURRENCY [INSTANCE ...]

Without an instance it first lists those of the project. It fetches the same pages as the module with the same token,
and prints the same tasks with the same fields in the same order, and the same counts. It does nothing else: no options,
no errors, no repeating, no time limits.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

PAGE = 1000
PHASES = {"CREATED": "pending", "EXECUTING": "running", "SUCCESS": "succeeded", "FAILED": "failed"}


def listing(session: requests.Session, url: str, key: str) -> list[dict[str, Any]]:
    """Return all records of a list, page by page."""
    records: list[dict[str, Any]] = []
    while True:
        answer = session.get(url, params={"offset": len(records), "limit": PAGE})
        answer.raise_for_status()
        page = answer.json()[key]
        records += page
        if len(page) < PAGE:
            return records


def main(url: str, project: str, concurrency: str, *given: str) -> None:
    """List, count, print."""
    session = requests.Session()
    session.headers["X-Auth-Token"] = os.environ["BENCH_TOKEN"]
    session.mount(url, requests.adapters.HTTPAdapter(pool_maxsize=int(concurrency)))
    base = f"{url}/v2/{project}/instances"
    instances = list(given) or [instance["instance_id"] for instance in listing(session, base, "instances")]

    def tasks_of(instance: str) -> list[dict[str, Any]]:
        tasks = listing(session, f"{base}/{instance}/tasks", "tasks")
        for task in tasks:
            task["instance_id"] = instance
            task["phase"] = PHASES.get(task["status"], "unknown")
        return tasks

    if int(concurrency) == 1:
        lists = [tasks_of(instance) for instance in instances]
    else:
        with ThreadPoolExecutor(int(concurrency)) as pool:
            lists = list(pool.map(tasks_of, instances))
    tasks = [task for each in lists for task in each]
    tasks.sort(key=lambda task: task["id"])
    tasks.sort(key=lambda task: task["created_at"], reverse=True)
    by_phase: dict[str, int] = {}
    by_name: dict[str, int] = {}
    for task in tasks:
        by_phase[task["phase"]] = by_phase.get(task["phase"], 0) + 1
        by_name[task["name"]] = by_name.get(task["name"], 0) + 1
    summary = {"total": len(tasks), "by_phase": by_phase, "by_name": by_name}
    print(json.dumps({"changed": False, "tasks": tasks, "summary": summary}))


if __name__ == "__main__":
    main(*sys.argv[1:])
