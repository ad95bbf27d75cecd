# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a hostile service can do: nothing but what its API says, to what the user or a well-formed record named.

The service here is a small server that says whatever a test wants; the content matrix (tests/proof) has the rest.
"""

from __future__ import annotations

import contextlib
import json
import re

import pytest

from tests.harness.modules import run_module
from tests.unit.loopback import Loopback, answer

PROJECT = "0123456789abcdef0123456789abcdef"
INSTANCE = "5560df16-cebf-4473-95c4-d1b573c16e79"
SECRET = "s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t"
TASK_IDS = [f"{number:032x}" for number in range(50)]


def options(server, **more):
    return {
        "region": "test-1",
        "project_id": PROJECT,
        "access_key": "ABCDEFGHIJKLMNOPQRST",
        "secret_key": SECRET,
        "endpoints": {"dcs": server.url, "dds": server.url, "iam": server.url},
        "retries": 0,
        **more,
    }


def body(**fields):
    return answer(200, json.dumps(fields).encode())


def task(task_id, **more):
    return {"id": task_id, "name": "EXTEND", "status": "SUCCESS", "created_at": "2026-01-01T00:00:00.000Z", **more}


class Service(Loopback):
    """Lists these tasks (then an empty page), and answers the n-th DELETE with the n-th action, then with 204."""

    def __init__(self, tasks, *deletions):
        super().__init__()
        self._tasks = tasks
        self._deletions = list(deletions)

    def _talk(self, connection):
        self._actions = [self._act]
        super()._talk(connection)

    def _act(self, connection):
        seen = self.seen[-1]
        if seen.method == "GET":
            body(tasks=self._tasks if "offset=0" in seen.target else [], task_count=len(self._tasks))(connection)
        else:
            (self._deletions.pop(0) if self._deletions else answer(204, b""))(connection)

    @property
    def changes(self):
        """The paths of all requests that are no listing."""
        return [seen.target for seen in self.seen if seen.method != "GET"]


SELECTION = {"instance": INSTANCE, "phases": ["succeeded"], "state": "absent"}


@pytest.mark.parametrize("hostile", ["..", ".", "a/../b", "%2e%2e", "", None, 7, "x" * 65, "a\nb", "..;", "é"])
@pytest.mark.parametrize("place", [0, 1])
def test_an_id_of_the_service_that_is_none_is_never_put_into_a_path(hostile, place):
    tasks = [task(TASK_IDS[0])]
    tasks.insert(place, task(hostile))
    with Service(tasks) as server:
        result = run_module("dcs_task", options(server, **SELECTION))
    assert server.changes == []
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["failure"]["code"] == "UnreadableAnswer"
    assert result["failure"]["operation"] == "ListBackgroundTask"
    assert INSTANCE in result["msg"]
    assert result["msg"].isprintable()


def rubbish(raw):
    return lambda connection: connection.sendall(raw)


@pytest.mark.parametrize(
    "action",
    [
        answer(302, b"", {"Location": "http://["}),
        answer(500, b"[" * 100_000),
        answer(404, b"x", {"Content-Encoding": "gzip"}),
        rubbish(b"\x00\xff" * 100),
        rubbish("HTTP/1.1 200 OK\r\nContent-Length: \u00b2\r\n\r\n".encode("latin-1")),
        rubbish(b"HTTP/1.1 204 " + b"x" * 70_000 + b"\r\n\r\n"),
        rubbish(b"HTTP/1.1 409 No\r\nRetry-After: " + b"9" * 6000 + b"\r\nDate: \xff\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_one_answer_that_cannot_be_read_loses_nothing_of_the_others(action):
    with Service([task(task_id) for task_id in TASK_IDS], *[answer(204, b"")] * 33, action) as server:
        result = run_module("dcs_task", options(server, **SELECTION, max_concurrency=1))
    assert len(result["removed"]) >= 33
    assert result["changed"] is True
    listed = [*result["removed"], *(entry["task_id"] for entry in result["failed_tasks"]), *result["not_tried"]]
    assert sorted([*listed, *result["absent"]]) == TASK_IDS
    assert all(
        entry["failure"]["code"] != "InternalError" and entry["msg"].isprintable() for entry in result["failed_tasks"]
    )


def test_a_defect_of_one_item_loses_nothing_of_the_others(monkeypatch):
    from ansible_collections.hwcloud.maintenance.plugins.module_utils import _dcs

    original = _dcs.Dcs.delete_task

    def delete(self, instance_id, task_id):
        if task_id == TASK_IDS[7]:
            raise ZeroDivisionError("a defect")
        return original(self, instance_id, task_id)

    monkeypatch.setattr(_dcs.Dcs, "delete_task", delete)
    with Service([task(task_id) for task_id in TASK_IDS]) as server:
        result = run_module("dcs_task", options(server, **SELECTION))
    assert sorted(result["removed"]) == sorted({*TASK_IDS} - {TASK_IDS[7]})
    (failed,) = result["failed_tasks"]
    assert (failed["task_id"], failed["failure"]["code"]) == (TASK_IDS[7], "InternalError")
    assert re.search(r"ZeroDivisionError: a defect \(test_untrusted_answers\.py, line \d+\)", failed["msg"])


def test_terminal_escapes_and_line_ends_never_reach_a_message():
    name = "EXTEND\x1b[2J\x1b]0;owned\x07\nok: [localhost] => all fine\n" + "x" * 10**5
    tasks = [task(task_id, name=name, status="RUNNING\x1b[8m" * 10**4) for task_id in TASK_IDS]
    with Service(tasks) as server:
        result = run_module("dcs_task", options(server, instance=INSTANCE, names=["RESIZE"], state="absent"))
        everything = run_module("dcs_task", options(server, instance=INSTANCE, phases=["unknown"], state="absent"))
    assert result["removed"] == []
    assert server.changes == []
    assert everything["failure"]["code"] == "DCS.4957"
    assert everything["msg"].isprintable()
    assert len(everything["msg"]) <= 2000
    assert everything["tasks"][0]["name"] == name, "the record itself is as the service sent it"


def test_no_secret_is_shown_as_a_key():
    with Service([task(TASK_IDS[0], name=f"x {SECRET}", **{SECRET: [{SECRET: SECRET}]})]) as server:
        result = run_module("dcs_task_info", options(server, instances=[INSTANCE]))
    assert result["summary"]["total"] == 1
    assert SECRET not in json.dumps(result)
    assert set(result["summary"]["by_name"]) == {"x ********"}


@pytest.mark.parametrize(
    "fields",
    [
        {"status": SECRET},
        {"status": "RUNNING", "name": "x" * 20 + SECRET},
        {"id": "x" * 40 + SECRET + "/"},
        {"id": ".." + SECRET},
    ],
    ids=["status", "name", "long id", "id"],
)
def test_no_part_of_a_secret_is_left_where_a_message_cuts_a_text(fields):
    with Service([task(TASK_IDS[0], **fields)] if "id" not in fields else [{**task(""), **fields}]) as server:
        result = run_module(
            "dcs_task", options(server, instance=INSTANCE, names=["EXTEND", "x" * 8], phases=None, state="absent")
        )
        by_phase = run_module(
            "dcs_task", options(server, instance=INSTANCE, phases=["unknown", "running"], state="absent")
        )
    for text in (json.dumps(result), json.dumps(by_phase)):
        assert SECRET[:12] not in text
    assert by_phase["failed"]
    assert "****" in by_phase["msg"]


def test_an_instruction_for_ansible_is_none_as_a_key():
    with Service([task(TASK_IDS[0], name="__ansible_type")]) as server:
        result = run_module("dcs_task_info", options(server, instances=[INSTANCE]))
    assert result["summary"]["by_name"] == {"api___ansible_type": 1}


def test_null_for_a_list_is_an_empty_one():
    with Loopback(answer(200, b'{"task_count": "0", "tasks": null}')) as server:
        result = run_module("dcs_task_info", options(server, instances=[INSTANCE]))
    assert (result.get("failed"), result["tasks"]) == (None, [])


@pytest.mark.parametrize("count", ["1", None, "x"])
def test_null_for_a_list_that_counts_something_is_an_error_in_the_service_s_own_words(count):
    said = {"task_count": count, "tasks": None, "error_code": "DCS.9999", "error_msg": "The database\nis away"}
    with Loopback(*[body(**said)] * 3) as server:
        result = run_module("dcs_task_info", options(server, instances=[INSTANCE]))
    assert result["failure"]["code"] == "UnreadableAnswer"
    for words in ("HTTP 200", INSTANCE, "DCS.9999", "The database is away"):
        assert words in result["msg"]


def test_a_service_that_caps_pages_and_counts_only_the_page_hides_no_task():
    """25 tasks, ten a page, the count is the page's; the one that runs is on the third."""
    tasks = [
        task(task_id, status="SUCCESS" if number < 24 else "RUNNING") for number, task_id in enumerate(TASK_IDS[:25])
    ]

    class Capped(Service):
        def _act(self, connection):
            offset = int(re.search(r"offset=(\d+)", self.seen[-1].target)[1])
            page = tasks[offset : offset + 10]
            body(tasks=page, task_count=len(page))(connection)

    waits = {"state": "finished", "wait_timeout": 1, "wait_interval": 1}
    with Capped([]) as server:
        by_phase = run_module("dcs_task", options(server, instance=INSTANCE, phases=["running"], **waits))
        by_id = run_module("dcs_task", options(server, instance=INSTANCE, task_ids=[TASK_IDS[24]], **waits))
    for result in (by_phase, by_id):
        assert result["failure"]["code"] == "WaitTimeout"
        assert result["unfinished"] == [TASK_IDS[24]]


def test_what_the_service_says_of_itself_is_not_kept():
    cookie = {"Set-Cookie": "node=1; Path=/"}

    class Balanced(Service):
        def _act(self, connection):
            if self.seen[-1].method == "GET":
                with contextlib.suppress(OSError):
                    page = json.dumps({"tasks": self._tasks if "offset=0" in self.seen[-1].target else []}).encode()
                    answer(200, page, cookie)(connection)
            else:
                answer(204, b"", cookie)(connection)

    with Balanced([task(TASK_IDS[0]), task(TASK_IDS[1])]) as server:
        result = run_module("dcs_task", options(server, **SELECTION))
    assert sorted(result["removed"]) == TASK_IDS[:2]
    assert not [seen for seen in server.seen if "cookie" in seen.fields]


def test_a_secret_that_is_written_with_escapes_is_hidden_too():
    escaped = "".join(f"\\u{ord(char):04x}" for char in SECRET)
    record = (
        json.dumps(task(TASK_IDS[0], name="NAME", status="STATUS")).replace("NAME", escaped).replace("STATUS", escaped)
    )
    with Loopback(*[answer(200, f'{{"tasks": [{record}], "task_count": 1}}'.encode())] * 2) as server:
        result = run_module("dcs_task_info", options(server, instances=[INSTANCE]))
    assert result["tasks"][0]["name"] == result["tasks"][0]["status"] == "********"
    assert SECRET not in json.dumps(result)
