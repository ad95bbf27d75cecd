# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark runs from end to end, and notices a side that does not do the work."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.modules import clean_environment

ROOT = Path(__file__).parents[2]
KEYS = {"name", "ours", "peer", "ratio", "target", "met"}


@pytest.fixture(scope="module")
def checks():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import bench_checks

        return bench_checks
    finally:
        sys.path.remove(str(ROOT / "tools"))


def bench(*words):
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "bench.py", *words],
        # What a person has set must lead nobody to a real cloud.
        env=clean_environment(LC_ALL="C.UTF-8", HW_SECRET_KEY="somebody's own", HW_REGION_NAME="cn-north-4"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "rows", [["single", "fleet", "purge"], ["fleet_limit", "project", "history", "growth", "payload"]]
)
def test_the_benchmark_runs(rows, tmp_path):
    report = tmp_path / "bench.json"
    run = bench("--quick", "--report", str(report), *rows)
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(report.read_text(encoding="utf-8"))
    assert [row["name"] for row in found] == rows
    for row in found:
        assert row.keys() >= KEYS
        assert row["ours"] > 0
        assert row["peer"] > 0
        assert row["ratio"] == pytest.approx(row["ours"] / row["peer"])
        assert row["met"] == (row["ratio"] <= row["target"] and row.get("memory_mb", 0) <= 150)
        assert any(line.split()[:1] == [row["name"]] for line in run.stdout.splitlines())
    if "history" in rows:
        assert 10 < found[rows.index("history")]["memory_mb"] < 150
    assert "somebody's own" not in run.stdout + run.stderr


def test_unknown_rows_are_refused():
    run = bench("--quick", "flete")
    assert run.returncode == 2
    assert "fleet_limit" in run.stderr


def test_the_guide_has_every_row(checks):
    text = (ROOT / "docs" / "benchmark.md").read_text(encoding="utf-8")
    for name in ("single", "fleet", "fleet_limit", "project", "history", "purge", "growth", "payload"):
        assert text.count(f"| `{name}` |") == 2, name


def task(number, **fields):
    api = {"id": f"{number:032x}", "status": "SUCCESS", "created_at": f"2026-01-01T00:00:{59 - number:02}.000Z"}
    return {**api, "details": {"new_capacity": "8"}, **fields}


def ours(number, **fields):
    return task(number, instance_id="instance", phase="succeeded", **fields)


def test_the_same_tasks_are_the_same(checks):
    checks.check_tasks([ours(1), ours(2)], [task(2), task(1)])
    checks.check_tasks([ours(1), ours(2)], [ours(2), ours(1)], without=())


@pytest.mark.parametrize(
    ("mine", "its", "what"),
    [
        ([], [], "0 tasks"),
        ([ours(1)], [task(1), task(2)], "1 only in the peer's"),
        ([ours(1), ours(2)], [task(1)], "1 are only in ours"),
        ([ours(1), ours(1)], [task(1)], "twice"),
        ([ours(1)], [task(1, user_name="operator")], "differs in user_name"),
        ([ours(1, status="FAILED")], [task(1)], "differs in status"),
        ([ours(1, details={})], [task(1)], "differs in details"),
        ([ours(2), ours(1)], [task(1), task(2)], "not in order"),
        ([task(1)], [task(1)], "no instance_id"),
    ],
)
def test_other_tasks_are_noticed(checks, mine, its, what):
    with pytest.raises(checks.Wrong, match=what):
        checks.check_tasks(mine, its)


def test_objects_of_the_sdk_have_fields_that_were_not_sent(checks):
    its = task(1, details={"new_capacity": "8", "old_capacity": None}, job_id=None)
    checks.check_tasks([ours(1, unknown_to_it="x")], [its], sdk=True)
    with pytest.raises(checks.Wrong, match="differs in job_id"):
        checks.check_tasks([ours(1)], [{**its, "job_id": "x"}], sdk=True)


def read(offset=0, **fields):
    query = {"offset": [str(offset)], "limit": ["1000"]}
    entry = {"method": "GET", "path": "/tasks", "query": query, "status": 200, "fault": None, "operation": "List"}
    return {**entry, **fields}


DELETED = read(method="DELETE", path="/tasks/1", status=204, operation="Delete")


def test_requests_that_the_work_needs(checks):
    assert checks.check_requests([read(), read(1000)], {"/tasks": 1500}) == "2 List"
    # A full last page does not tell that it is the last; nor does the order in which pages are read matter.
    checks.check_requests([read(1000), read(), read(2000)], {"/tasks": 2000})
    checks.check_requests([read(1000), read()], {"/tasks": 2000})
    # Pages may overlap by one record.
    checks.check_requests([read(), read(999), read(1998)], {"/tasks": 2500})
    assert checks.check_requests([DELETED], {}, ["/tasks/1"]) == "1 Delete"


@pytest.mark.parametrize(
    ("entries", "lists", "deleted", "what"),
    [
        ([], {"/tasks": 0}, [], "was read of 0"),
        ([read()], {"/tasks": 1500}, [], "of 1500 records"),
        ([read(), read()], {"/tasks": 1500}, [], "the page from 0 on was read although 1000 was next"),
        ([read(), read(1000), read(2000), read(3000)], {"/tasks": 1500}, [], "of 1500 records"),
        ([read(), read(998)], {"/tasks": 1500}, [], "the page from 998 on was read although 1000 was next"),
        ([read(), read(1001)], {"/tasks": 1500}, [], "the page from 1001 on was read although 1000 was next"),
        ([read(status=500)], {"/tasks": 10}, [], "answered with 500"),
        ([read(status=None)], {"/tasks": 10}, [], "answered with None"),
        ([read(path="/other")], {"/tasks": 10}, [], "not part of the work"),
        ([read(), DELETED], {"/tasks": 10}, [], "1 deletions"),
        ([DELETED, DELETED], {}, ["/tasks/1"], r"2 deletions \(1 of them different\)"),
        ([], {}, ["/tasks/1"], "0 deletions"),
    ],
)
def test_other_requests_are_noticed(checks, entries, lists, deleted, what):
    with pytest.raises(checks.Wrong, match=what):
        checks.check_requests(entries, lists, deleted)
