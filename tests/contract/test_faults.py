# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: each kind does what it says to the connection, the answer, the state and the journal."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.contract.caller import Caller
from tests.simulator import ControlFailed, Simulator


def _delete(caller: Caller, position: int = 1) -> requests.Response:
    task = caller.sim.tasks("redis-sessions-prod")[position]
    return caller.call("DELETE", f"{caller.tasks_path()}/{task['id']}")


def _count(sim: Simulator) -> int:
    return len(sim.tasks("redis-sessions-prod"))


def _set(sim: Simulator, fault: Any, operation: str = "DeleteBackgroundTask", **rule: Any) -> None:
    sim.faults([{"operation": operation, "fault": fault, **rule}])


def _last(sim: Simulator) -> tuple[Any, Any, Any]:
    entry = sim.journal()[-1]
    return entry["status"], entry["fault"], entry["processed"]


def test_status(sim: Simulator, caller: Caller) -> None:
    _set(sim, {"status": 503, "body": {"error_code": "X.1"}, "headers": {"Retry-After": "7"}})
    answer = _delete(caller)
    assert (answer.status_code, answer.json(), answer.headers["Retry-After"]) == (503, {"error_code": "X.1"}, "7")
    assert (_count(sim), _last(sim)) == (6, (503, "status", False))
    assert _delete(caller).status_code == 200
    assert _last(sim) == (200, None, True)


def test_status_with_text_and_without_body(sim: Simulator, caller: Caller) -> None:
    _set(sim, {"status": 502, "body": "<html>bad gateway</html>"})
    answer = _delete(caller)
    assert (answer.text, answer.headers["Content-Type"].partition(";")[0]) == ("<html>bad gateway</html>", "text/html")
    _set(sim, {"status": 504})
    answer = _delete(caller)
    assert (answer.status_code, answer.content) == (504, b"")
    _set(sim, {"status": 418, "body": "tea", "headers": {"content-type": "text/plain"}})
    assert _delete(caller).headers["Content-Type"] == "text/plain"


def test_status_after_processing(sim: Simulator, caller: Caller) -> None:
    _set(sim, {"status": 500, "processed": True})
    assert _delete(caller).status_code == 500
    assert (_count(sim), _last(sim)) == (5, (500, "status", True))


@pytest.mark.parametrize(("kind", "left"), [("drop_before", 6), ("drop_after", 5), ("reset", 6)])
def test_lost_connections(sim: Simulator, caller: Caller, kind: str, left: int) -> None:
    _set(sim, kind)
    with pytest.raises(requests.ConnectionError):
        _delete(caller)
    assert (_count(sim), _last(sim)) == (left, (None, kind, left == 5))
    assert _delete(caller).status_code == 200


@pytest.mark.parametrize(("kind", "error"), [("drop_before", http.client.RemoteDisconnected), ("reset", OSError)])
def test_drop_and_reset_differ_on_the_wire(sim: Simulator, kind: str, error: type[Exception]) -> None:
    sim.faults([{"path": "/v2/", "fault": kind}])
    connection = http.client.HTTPConnection(urlsplit(sim.url).netloc, timeout=10)
    connection.request("GET", "/v2/x")
    with pytest.raises(error) as caught:
        connection.getresponse()
    # RemoteDisconnected is an orderly end and also a ConnectionResetError; a reset comes from the socket itself.
    assert isinstance(caught.value, http.client.RemoteDisconnected) == (kind == "drop_before")
    connection.close()


def test_delay(sim: Simulator, caller: Caller) -> None:
    _set(sim, {"delay": 0.3}, "ListBackgroundTask")
    started = time.monotonic()
    assert caller.get(caller.tasks_path()).status_code == 200
    assert time.monotonic() - started >= 0.3
    assert _last(sim) == (200, "delay", True)
    _set(sim, {"delay": 0.3, "status": 503}, "ListBackgroundTask")
    started = time.monotonic()
    assert caller.get(caller.tasks_path()).status_code == 503
    assert time.monotonic() - started >= 0.3


def test_delay_holds_up_nobody_else(sim: Simulator, caller: Caller) -> None:
    _set(sim, {"delay": 30}, "ListBackgroundTask")
    path = caller.tasks_path()
    url, headers = caller.sign("GET", path)
    with pytest.raises(requests.ReadTimeout):
        caller.session.get(url, headers=headers, timeout=0.2)
    started = time.monotonic()
    assert caller.get(path).status_code == 200
    assert time.monotonic() - started < 25


def test_truncate(sim: Simulator, caller: Caller) -> None:
    path = caller.tasks_path()
    whole = caller.get(path).content
    _set(sim, "truncate", "ListBackgroundTask")
    url, headers = caller.sign("GET", path)
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    assert answer.length == len(whole)
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    assert caught.value.partial == whole[: len(whole) // 2]
    connection.close()
    assert _last(sim) == (200, "truncate", True)


def test_truncate_without_a_body(sim: Simulator, caller: Caller) -> None:
    sim.switches({"delete_status": 204})
    _set(sim, "truncate")
    with pytest.raises(requests.RequestException):
        assert _delete(caller).status_code is None
    assert _count(sim) == 5


@pytest.mark.parametrize("delete_status", [200, 204])
def test_bodies_that_are_wrong(sim: Simulator, caller: Caller, delete_status: int) -> None:
    sim.switches({"delete_status": delete_status})
    _set(sim, "garbage")
    answer = _delete(caller)
    assert (answer.status_code, _count(sim)) == (200, 5)
    assert answer.content
    with pytest.raises(ValueError, match=r"."):
        json.loads(answer.content)
    _set(sim, "wrong_type")
    answer = _delete(caller)
    assert (answer.status_code, _count(sim)) == (200, 4)
    assert isinstance(answer.json(), list)


def test_content_type(sim: Simulator, caller: Caller) -> None:
    _set(sim, "content_type", "ListBackgroundTask")
    answer = caller.get(caller.tasks_path())
    assert answer.headers["Content-Type"].partition(";")[0] == "text/html"
    assert len(answer.json()["tasks"]) == 6


def test_redirect(sim: Simulator, caller: Caller) -> None:
    _set(sim, {"redirect": "http://127.0.0.1:1/elsewhere"})
    answer = _delete(caller)
    assert (answer.status_code, answer.headers["Location"]) == (307, "http://127.0.0.1:1/elsewhere")
    assert (_count(sim), _last(sim)) == (6, (307, "redirect", False))


def test_huge(sim: Simulator, caller: Caller) -> None:
    _set(sim, {"huge": 3_000_000}, "ListBackgroundTask")
    answer = caller.get(caller.tasks_path())
    assert len(answer.json()["padding"]) == 3_000_000
    _set(sim, "huge", "ListBackgroundTask")
    url, headers = caller.sign("GET", caller.tasks_path())
    with requests.get(url, headers=headers, stream=True, timeout=10) as answer:
        assert int(answer.headers["Content-Length"]) > 50_000_000
    assert caller.get(caller.tasks_path()).status_code == 200


def test_which_requests_are_hit(sim: Simulator, caller: Caller) -> None:
    def statuses(path: str, count: int) -> list[int]:
        return [caller.get(path).status_code for _unused in range(count)]

    path = caller.tasks_path()
    sim.faults([{"operation": "ListBackgroundTask", "skip": 1, "times": 2, "fault": {"status": 500}}])
    assert statuses(path, 5) == [200, 500, 500, 200, 200]
    assert sim.faults() == []
    sim.faults([{"method": "get", "path": "/tasks$", "times": None, "fault": {"status": 500}}])
    assert statuses(path, 3) == [500, 500, 500]
    assert statuses(caller.dcs + "/instances", 1) == [200]
    assert sim.faults()[0]["times"] is None
    sim.faults([{"operation": "ListInstances", "service": "dds", "fault": {"status": 500}}])
    assert statuses(caller.dcs + "/instances", 1) == [200]
    assert statuses(caller.dds + "/instances", 2) == [500, 200]
    sim.faults([{"path": "/tasks", "fault": {"status": 500}}, {"path": "/tasks", "times": 2, "fault": {"status": 501}}])
    assert statuses(path, 4) == [500, 501, 501, 200]


def test_paths_without_an_operation_can_be_hit_and_control_cannot(sim: Simulator, caller: Caller) -> None:
    sim.faults([{"path": ".", "times": None, "fault": {"status": 500}}])
    assert caller.get("/nowhere").status_code == 500
    assert caller.plain("POST", "/v3/auth/tokens", json={}).status_code == 500
    assert len(sim.journal()) == 2
    assert sim.reset()["url"] == sim.url
    assert sim.faults() == []


@pytest.mark.parametrize(
    "rules",
    [
        {},
        [1],
        [{}],
        [{"fault": "boom"}],
        [{"fault": {}}],
        [{"fault": {"status": 503, "redirect": "x"}}],
        [{"fault": {"status": "503"}}],
        [{"fault": {"status": 99}}],
        [{"fault": {"status": 500, "headers": []}}],
        [{"fault": {"delay": -1}}],
        [{"fault": {"delay": "1"}}],
        [{"fault": {"redirect": 5}}],
        [{"fault": {"huge": "x"}}],
        [{"fault": {"truncate": True, "body": "x"}}],
        [{"fault": "reset", "operation": "ListTheTasks"}],
        [{"fault": "reset", "operation": 5}],
        [{"fault": "reset", "path": "("}],
        [{"fault": "reset", "times": -1}],
        [{"fault": "reset", "skip": 0.5}],
        [{"fault": "reset", "count": 1}],
        [{"fault": 5}],
    ],
)
def test_rules_that_make_no_sense_are_refused(sim: Simulator, rules: Any) -> None:
    sim.faults([{"path": "kept", "fault": "reset"}])
    with pytest.raises(ControlFailed, match=r"\w+ \w+"):
        sim.faults(rules)
    assert [rule["path"] for rule in sim.faults()] == ["kept"]


def test_connections_really_end(sim: Simulator) -> None:
    """A dropped connection is closed for good, not left open."""
    sim.faults([{"path": "/v2", "fault": "drop_before"}])
    parts = urlsplit(sim.url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=10) as raw:
        raw.sendall(f"GET /v2/x HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        assert raw.recv(100) == b""


def test_a_delayed_request_does_not_outlive_a_reset(sim: Simulator, caller: Caller) -> None:
    """It would act on the state that the next test has just set up."""
    _set(sim, {"delay": 0.5}, "CancelInstanceResize")
    waiting = sim.tasks("redis-sessions-prod")[0]["id"]
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(caller.call, "POST", caller.cancel_path("redis-sessions-prod", waiting))
        end = time.monotonic() + 10
        while sim.operations() != ["CancelInstanceResize"]:
            assert time.monotonic() < end
            time.sleep(0.01)
        sim.reset()
        with pytest.raises(requests.ConnectionError):
            late.result(timeout=10)
    assert sim.journal() == []
    assert sim.tasks("redis-sessions-prod")[0]["status"] == "CREATED"


EDITS: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "a value": ([{"at": ["tasks", 0, "id"], "to": "5"}], lambda tasks: [{**tasks[0], "id": 5}, *tasks[1:]]),
    "the last one": ([{"at": ["tasks", -1, "id"], "to": "5"}], lambda tasks: [*tasks[:-1], {**tasks[-1], "id": 5}]),
    "each": ([{"at": ["tasks", "*", "id"], "to": "5"}], lambda tasks: [{**task, "id": 5} for task in tasks]),
    "a new key": ([{"at": ["tasks", 0, "x\n"], "to": "null"}], lambda tasks: [{**tasks[0], "x\n": None}, *tasks[1:]]),
    "not there": ([{"at": ["tasks", 99, "id"], "to": "5"}], lambda tasks: tasks),
    "no object": ([{"at": ["tasks", "id"], "to": "5"}], lambda tasks: tasks),
    "twice": ([{"at": ["tasks", 0], "twice": True}], lambda tasks: [*tasks, tasks[0]]),
    "removed": ([{"at": ["tasks", 0], "remove": True}], lambda tasks: tasks[1:]),
    "the other case": (
        [{"at": ["tasks", 0, "name"], "swapcase": True}, {"at": ["tasks", 0, "details"], "swapcase": True}],
        lambda tasks: [{**tasks[0], "name": "extend"}, *tasks[1:]],
    ),
    "several": (
        [{"at": ["tasks", 0], "twice": True}, {"at": ["tasks", -1, "id"], "to": '"x"'}],
        lambda tasks: [*tasks, {**tasks[0], "id": "x"}],
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_edits(sim: Simulator, caller: Caller, name: str) -> None:
    edits, expected = EDITS[name]
    right = caller.get(caller.tasks_path()).json()
    sim.faults([{"operation": "ListBackgroundTask", "fault": {"edit": edits, "headers": {"X-More": "yes"}}}])
    answer = caller.get(caller.tasks_path())
    assert answer.json() == {**right, "tasks": expected(right["tasks"])}
    assert (answer.headers["X-More"], answer.headers["Content-Type"]) == ("yes", "application/json")
    assert sim.journal()[-1]["processed"]


@pytest.mark.parametrize(
    "text", ["1e999", "NaN", "[" * 5000 + "]" * 5000, '"\\ud800"', '{"a": 1, "a": 2}', "", "\ud800"]
)
def test_an_edit_may_be_any_text(sim: Simulator, caller: Caller, text: str) -> None:
    sim.faults([{"operation": "ListBackgroundTask", "fault": {"edit": [{"at": ["tasks"], "to": text}]}}])
    raw = caller.get(caller.tasks_path()).content
    assert b'"tasks": ' + text.encode("utf-8", "surrogatepass") + b"}" in raw


def test_an_edit_of_all_and_of_what_has_no_body(sim: Simulator, caller: Caller) -> None:
    sim.faults([{"times": None, "fault": {"edit": [{"at": [], "to": "5"}]}}])
    assert caller.get(caller.tasks_path()).content == b"5"
    job = sim.jobs("Pending")[0]["job_id"]
    answer = caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{job}")
    assert (answer.status_code, answer.content) == (200, b"5")
    assert job not in {each["job_id"] for each in sim.jobs("Pending")}
    sim.faults([{"fault": {"edit": [{"at": [], "remove": True}]}}])
    assert caller.get(caller.tasks_path()).content == b""


def test_what_was_received_is_said_again(sim: Simulator, caller: Caller) -> None:
    text = '{"a": "$[x-a] $[x-none] $[X-A]"}'
    for fault in ({"edit": [{"at": ["tasks"], "to": text}]}, {"status": 200, "body": f'{{"tasks": {text}}}'}):
        sim.faults([{"operation": "ListBackgroundTask", "fault": fault}])
        answer = caller.call("GET", caller.tasks_path(), headers={"X-A": 'b"c'})
        assert answer.json()["tasks"] == {"a": 'b"c  $[X-A]'}


def test_headers_of_an_edit_replace(sim: Simulator, caller: Caller) -> None:
    sim.faults([{"fault": {"edit": [], "headers": {"x-subject-token": "other"}}}])
    answer = caller.plain("POST", "/v3/auth/tokens", json=caller.token_body())
    assert (answer.status_code, answer.headers["X-Subject-Token"]) == (201, "other")
    assert answer.json()["token"]["project"]["id"] == sim.project_id


def test_bytes_as_a_body(sim: Simulator, caller: Caller) -> None:
    zeros = gzip.compress(bytes(100_000))
    body = base64.b64encode(zeros).decode()
    _set(sim, {"status": 200, "base64": body, "headers": {"Content-Encoding": "gzip"}}, "ListBackgroundTask")
    assert caller.get(caller.tasks_path()).content == bytes(100_000)
