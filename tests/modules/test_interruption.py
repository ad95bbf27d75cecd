# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ctrl-C, SIGTERM and a killed job leave nothing half-said.

What was done before is in the output, or in the cloud's list, and a second run completes the work.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest
import yaml

from tests.harness.modules import clean_environment, run_module
from tests.harness.playbooks import BIN, local_play, run_playbook
from tests.harness.profiles import Home
from tests.harness.signals import SIGNALS, not_ignored
from tests.proof import oracle
from tests.proof.stage import CANCELLED, DONE, FAILED, MONGO, PENDING, REDIS, SCENARIO, SECOND, WAITING, Case
from tests.unit.loopback import Loopback, answer, drip

CHECKOUT = Path(__file__).parents[2]
#: Seconds within which a module has said what it did, and is gone: one or two, and much that a busy machine adds. What goes
#: on in spite of the signal takes at least twice as long: see the times of the scenes.
PROMPT = 25.0
#: Seconds for what is certain to happen, however busy the machine is.
PATIENCE = 50.0
#: Seconds that a request takes which is not to be answered at all.
_NEVER = 90

SIGN_IN, ASSUME, PROJECTS = "KeystoneCreateUserTokenByPassword", "CreateTemporaryAccessKey", "KeystoneListProjects"
SESSION, MACHINE_KEY = "CreateMetadataToken", "ShowSecurityKey"
TASKS, CENTRE, JOBS = "ListBackgroundTask", "ListCenterTask", "ListScheduledTasks"
REMOVE, REMOVE_CENTRE = "DeleteBackgroundTask", "DeleteCenterTask"
CALL_OFF, CANCEL = "CancelInstanceResize", "CancelScheduledTask"

ENDED = [DONE, FAILED, CANCELLED]


def _named(value: object) -> str | None:
    """How a signal is called in the name of a test."""
    return value.name if isinstance(value, signal.Signals) else None


#: What a module is when Ansible has unpacked it: a process, with its arguments in a file.
_PROGRAM = """
import importlib, json, pathlib, sys
from tests.harness.modules import COLLECTION, patch_module_args
with patch_module_args(json.loads(pathlib.Path(sys.argv[2]).read_text("utf-8"))):
    importlib.import_module(f"{COLLECTION}.modules.{sys.argv[1]}").main()
"""


class Running:
    """A module in a process of its own."""

    def __init__(
        self,
        folder: Path,
        module: str,
        options: dict[str, Any],
        *,
        environ: dict[str, str] | None = None,
        ignoring: tuple[str, ...] = (),
        check_mode: bool = False,
    ) -> None:
        file = folder / f"{module}-{time.monotonic_ns()}.json"
        arguments = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": True}
        file.write_text(json.dumps(arguments), encoding="utf-8")
        command = [sys.executable, "-c", _PROGRAM, module, str(file)]
        if ignoring:
            # As nohup does it, and a shell that runs something in the background.
            command = ["/bin/sh", "-c", f"trap '' {' '.join(ignoring)}; exec \"$@\"", "sh", *command]
        variables = clean_environment(**(environ or {}))
        # Where Ansible runs modules, Python keeps what is printed until it ends.
        variables.pop("PYTHONUNBUFFERED", None)
        with not_ignored():
            self._process = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=PATIENCE)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: int) -> None:
        """A signal to this process, and to no other."""
        self._process.send_signal(number)

    def output(self, *late: int) -> tuple[int, str]:
        """The exit status and the output, once it has ended; late signals may meet Python itself, which complains."""
        out, err = self._process.communicate(timeout=PATIENCE)
        assert late or b"Traceback" not in err, err.decode()
        return self._process.returncode, out.decode()

    def result(self, *late: int) -> dict[str, Any]:
        """What it printed, which is one JSON object and nothing else; late signals may end it when all is said."""
        status, text = self.output(*late)
        result = json.loads(text)
        assert status in (1 if result.get("failed") else 0, *(-number for number in late))
        result.pop("invocation", None)
        return result

    def stop(self, number: int) -> dict[str, Any]:
        """Send a signal; the result, which comes at once."""
        started = time.monotonic()
        self.send(number)
        result = self.result()
        assert time.monotonic() - started < PROMPT
        return result

    def wait_for(self, reached: Callable[[], object]) -> None:
        """Wait until something is so; the process must still be there then."""
        end = time.monotonic() + PATIENCE
        while not reached():
            assert self._process.poll() is None, self.output()
            assert time.monotonic() < end, "the module did not come so far"
            time.sleep(0.01)


class Scene(NamedTuple):
    """What a module is doing when the signal comes.

    :ivar at: an operation, and which of its requests it is.
    :ivar fault: what becomes of that request; None lets it be, and the module then waits by itself.
    :ivar does: what a run without an interruption removes or calls off.
    :ivar lists: what was done, what failed, what was not tried.
    :ivar before: faults of other requests.
    :ivar code: what the failure is called: what is worse than an interruption keeps its name.
    """

    module: str
    options: dict[str, Any]
    at: tuple[str, int]
    fault: Any = {"delay": _NEVER}  # noqa: RUF012  # never changed
    does: tuple[str, ...] = ()
    lists: tuple[list[str], list[str], list[str]] | None = None
    switches: dict[str, Any] = {}  # noqa: RUF012
    sign_in: str = "keys"
    before: tuple[dict[str, Any], ...] = ()
    check_mode: bool = False
    code: str = "Interrupted"

    @property
    def writes(self) -> bool:
        """Whether the request that is under way may change something."""
        return self.at[0] in (REMOVE, REMOVE_CENTRE, CALL_OFF, CANCEL)

    @property
    def rests(self) -> bool:
        """Whether the request was answered, and the module sleeps."""
        return self.fault is None or "Retry-After" in str(self.fault)

    @property
    def case(self) -> Case:
        return Case(self.module, self.options, self.does)


#: Refused, with a time that the module then sleeps.
_LATER: dict[str, Any] = {"status": 503, "headers": {"Retry-After": "80"}}
_THROTTLED = {**_LATER, "status": 429}
_REMOVAL = {"instance": REDIS, "task_ids": ENDED, "state": "absent"}
_END = {"instance": REDIS, "task_ids": [DONE, WAITING], "state": "finished", "wait_timeout": 600}
_CALLING_OFF = {"instance": REDIS, "wait_timeout": 600}
_JOBS = {"job_ids": PENDING, "wait_timeout": 600}
_SLOW_RESIZE, _SLOW_JOBS = {"resize_cancel_delay": 40}, {"dds_cancel_delay": 40}
_A, _B, _C = PENDING
#: The first look at the effect of calling off; before it came a page, and the empty one that proves the end.
_EFFECT = (TASKS, 3)


def _removal(at: tuple[str, int], *lists: list[str], **more: Any) -> Scene:
    options = {**_REMOVAL, **more.pop("options", {})}
    return Scene("dcs_task", options, at, does=tuple(ENDED), lists=lists or None, **more)


def _calling_off(at: tuple[str, int], **more: Any) -> Scene:
    options = {**_CALLING_OFF, **more.pop("options", {})}
    return Scene("dcs_resize_cancel", options, at, does=(WAITING,), **more)


def _cancelling(at: tuple[str, int], *lists: list[str], **more: Any) -> Scene:
    options = more.pop("options", _JOBS)
    return Scene("dds_scheduled_job", options, at, does=tuple(PENDING), lists=lists or None, **more)


SCENES: dict[str, Scene] = {
    "removal, finding the instance": Scene(
        "dcs_task", {**_REMOVAL, "instance": "redis-a"}, ("ListInstances", 1), does=tuple(ENDED)
    ),
    "removal, first look": _removal((TASKS, 1)),
    "removal, first look refused": _removal((TASKS, 1), fault=_LATER),
    "removal, first record": _removal((REMOVE, 1), [], [DONE], [FAILED, CANCELLED]),
    "removal, second record": _removal((REMOVE, 2), [DONE], [FAILED], [CANCELLED]),
    "removal, last record": _removal((REMOVE, 3), [DONE, FAILED], [CANCELLED], []),
    "removal, second record refused": _removal((REMOVE, 2), [DONE], [FAILED], [CANCELLED], fault=_LATER),
    "removal, looking again": _removal(
        (TASKS, 2),
        [DONE],
        [FAILED],
        [CANCELLED],
        options={"retries": 0},
        before=({"operation": REMOVE, "skip": 1, "times": None, "fault": "drop_before"},),
        code="OutcomeUnknown",
    ),
    "removal through the centre, look": Scene(
        "dcs_task", {"task_ids": ENDED, "state": "absent"}, (CENTRE, 1), does=tuple(ENDED)
    ),
    "removal through the centre, second record": Scene(
        "dcs_task",
        {"task_ids": ENDED, "state": "absent"},
        (REMOVE_CENTRE, 2),
        does=tuple(ENDED),
        lists=([DONE], [FAILED], [CANCELLED]),
    ),
    "waiting for the end, first look": Scene("dcs_task", _END, (TASKS, 1)),
    "waiting for the end, between two looks": Scene("dcs_task", {**_END, "wait_interval": 60}, (TASKS, 1), None),
    "waiting for the end, second look": Scene("dcs_task", {**_END, "wait_interval": 1}, (TASKS, 2)),
    "calling off, first look": _calling_off((TASKS, 1)),
    "calling off, the request": _calling_off((CALL_OFF, 1), code="OutcomeUnknown"),
    "calling off, the request without waiting": _calling_off(
        (CALL_OFF, 1), options={"wait": False}, code="OutcomeUnknown"
    ),
    "calling off, the request throttled": _calling_off((CALL_OFF, 1), fault=_THROTTLED),
    "calling off, looking at the effect": _calling_off(_EFFECT),
    "calling off, between two looks": _calling_off(
        _EFFECT, fault=None, options={"wait_interval": 60}, switches=_SLOW_RESIZE
    ),
    "calling off, between two looks after a lost answer": _calling_off(
        _EFFECT,
        fault=None,
        options={"wait_interval": 60},
        switches=_SLOW_RESIZE,
        before=({"operation": CALL_OFF, "fault": "drop_after"},),
        code="OutcomeUnknown",
    ),
    "calling off, foreseeing": Scene(
        "dcs_resize_cancel",
        _CALLING_OFF,
        ("ShowBackgroundTaskProgress", 1),
        switches={"waiting_status": "SCHEDULED"},
        check_mode=True,
    ),
    "jobs, finding the instance": _cancelling(("ListInstances", 1), options={"instance": "mongo-a"}),
    "jobs, first look": _cancelling((JOBS, 1)),
    "jobs, first job": _cancelling((CANCEL, 1), [], [_A], [_B, _C]),
    "jobs, second job": _cancelling((CANCEL, 2), [], [_A, _B], [_C]),
    "jobs, last job refused": _cancelling((CANCEL, 3), [], PENDING, [], fault=_LATER),
    "jobs of an instance, second job": _cancelling((CANCEL, 2), [], [_A, _B], [_C], options={"instance": MONGO}),
    "jobs, looking at the effect": _cancelling((JOBS, 2), [], PENDING, []),
    "jobs, between two looks": _cancelling(
        (JOBS, 2), [], PENDING, [], fault=None, options={**_JOBS, "wait_interval": 60}, switches=_SLOW_JOBS
    ),
    "listing tasks": Scene("dcs_task_info", {"instances": [REDIS, SECOND]}, (TASKS, 2)),
    "listing tasks, refused": Scene("dcs_task_info", {}, (CENTRE, 1), _LATER),
    "listing jobs": Scene("dds_scheduled_job_info", {}, (JOBS, 1)),
    "signing in": _removal((SIGN_IN, 1), sign_in="password"),
    "signing in, throttled": _removal((SIGN_IN, 1), sign_in="password", fault=_THROTTLED),
    "signing in, project": _removal((PROJECTS, 1), sign_in="look-up"),
    "signing in, agency": _removal((ASSUME, 1), sign_in="agency"),
    "signing in, machine": _removal((SESSION, 1), sign_in="machine"),
    "signing in, key of the machine": _removal((MACHINE_KEY, 1), sign_in="machine"),
    "signing in, key of the machine refused": _removal((MACHINE_KEY, 1), sign_in="machine", fault=_LATER),
    "signing in anew": _removal(
        (SIGN_IN, 2),
        [DONE],
        [FAILED],
        [CANCELLED],
        sign_in="password",
        before=({"operation": REMOVE, "skip": 1, "times": None, "fault": {"status": 401}},),
    ),
}


def options_of(sim: Any, sign_in: str) -> dict[str, Any]:
    """Options that lead a module to the simulator and sign it in."""
    options: dict[str, Any] = {
        "region": sim.region,
        "project_id": sim.project_id,
        "endpoints": dict.fromkeys(("dcs", "dds", "iam", "metadata"), sim.url),
        # One after the other, so that each scene tells what was done when the signal came; test_throttling.py has many.
        "max_concurrency": 1,
    }
    if sign_in == "machine":
        return {**options, "auth_method": "machine"}
    if sign_in == "password":
        return {**options, "username": sim.username, "password": sim.password, "domain_name": sim.domain_name}
    options.update(access_key=sim.access_key, secret_key=sim.secret_key)
    if sign_in == "agency":
        options.update(agency_name="maintenance-agency", agency_domain_name=sim.domain_name)
    if sign_in == "look-up":
        del options["project_id"]
    return options


class Theatre:
    """One account, scenes in it, and what is true afterwards."""

    def __init__(self, sim: Any, folder: Path) -> None:
        self.sim = sim
        self.folder = folder
        self.home = Home(folder / "home")

    def world(self) -> oracle.World:
        """The status of each task and job."""
        state = self.sim.state()
        statuses = {task["id"]: task["status"] for task in state["tasks"]}
        return {**statuses, **{job["job_id"]: job["job_status"] for job in state["scheduled_jobs"]}}

    def prepare(self, scene: Scene, *, carried_out: bool = False) -> oracle.World:
        """Load the account and set the faults; the statuses at the start.

        With C(carried_out), what the request asks for is done when it arrives, although no answer comes.
        """
        self.sim.reset({**SCENARIO, "switches": scene.switches})
        before = self.world()
        operation, count = scene.at
        rules = list(scene.before)
        if scene.fault is not None:
            fault = scene.fault
            if scene.writes and "delay" in fault:
                # It never gets as far as to be carried out.
                fault = {**fault, "status": 500}
            rules.append({"operation": operation, "skip": count - 1, "times": None, "fault": fault})
        self.sim.faults(rules)
        if carried_out:
            hit = scene.does[count - 1]
            patch = {
                CALL_OFF: {"task": hit, "set": {"status": "CANCELLED"}},
                CANCEL: {"job": hit, "set": {"job_status": "Canceled"}},
            }.get(operation, {"task": hit, "remove": True})
            self.sim.events([{"before": operation, "count": count, "do": [patch]}])
        return before

    def options(self, scene: Scene) -> dict[str, Any]:
        """All options of the module."""
        return {**options_of(self.sim, scene.sign_in), **scene.options}

    def begin(self, scene: Scene, **more: Any) -> Running:
        """Start the module."""
        return Running(
            self.folder,
            scene.module,
            self.options(scene),
            environ=self.home.environ,
            check_mode=scene.check_mode,
            **more,
        )

    def reach(self, running: Running, scene: Scene) -> None:
        """Wait until the module is where the signal is to meet it."""
        operation, count = scene.at

        def reached() -> bool:
            entries = [entry for entry in self.sim.journal() if entry["operation"] == operation]
            return len(entries) >= count and (not scene.rests or entries[count - 1]["status"] is not None)

        running.wait_for(reached)
        # Into the middle of what it does; nothing depends on it.
        time.sleep(0.3 if scene.rests else 0.05)

    def settle(self, scene: Scene) -> oracle.World:
        """The statuses once all that was accepted has shown its effect."""
        self.sim.advance(max([0.0, *(float(value) for name, value in scene.switches.items() if "delay" in name)]))
        return self.world()

    def judge(
        self,
        scene: Scene,
        result: dict[str, Any],
        before: oracle.World,
        after: oracle.World,
        *,
        at_any_moment: bool = False,
    ) -> None:
        """Whether the result tells what became of the tasks and jobs.

        A signal that comes C(at_any_moment) may come when a request counts already, but nothing of it was sent yet.
        """
        journal = self.sim.journal()
        wrong = [
            *oracle.shape(result, [self.sim.secret_key, self.sim.password]),
            *oracle.said_and_done(scene.case, result, before, after),
            *oracle.wire(journal, [], renews=scene.sign_in not in ("keys", "look-up")),
        ]
        assert wrong == [], result
        not_received = result["requests"] - len(journal)
        assert not_received in ((0, 1) if at_any_moment and result.get("failed") else (0,))

    def complete(self, scene: Scene, before: oracle.World) -> None:
        """A second run does what is left, and a third finds nothing to do."""
        self.sim.faults([])
        self.sim.events([])
        self.sim.switches(dict.fromkeys(scene.switches.keys() & {"resize_cancel_delay", "dds_cancel_delay"}, 0))
        if scene.options.get("state") == "finished":
            self.sim.patch({"task": WAITING, "set": {"status": "SUCCESS"}})
        left = self.world()
        second = self.again(scene)
        assert not second.get("failed"), second
        now = self.world()
        if scene.check_mode:
            assert (second["changed"], now) == (True, left)
            return
        assert second["changed"] is (oracle.touched(left, now) != set())
        if scene.options.get("state") != "finished":
            assert oracle.touched(before, now) == set(scene.does)
        assert self.again(scene)["changed"] is False

    def again(self, scene: Scene) -> dict[str, Any]:
        """Run the same task."""
        return run_module(
            scene.module, self.options(scene), check_mode=scene.check_mode, environ=dict(self.home.environ)
        )


@pytest.fixture
def theatre(sim, tmp_path) -> Theatre:
    return Theatre(sim, tmp_path)


@pytest.fixture(params=[(), SIGNALS], ids=["in the foreground", "ignored"])
def ignored_here(request) -> Iterator[None]:
    """Let this process ignore these signals, as nohup and a shell that runs it in the background do."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in request.param}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_these_tests_do_not_depend_on_what_their_caller_ignores(theatre, ignored_here):
    """A module that is started here hears each signal, whether this process does or not."""
    ignored = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN]
    scene = SCENES["removal, second record"]
    for sent in SIGNALS:
        theatre.prepare(scene)
        with theatre.begin(scene) as running:
            theatre.reach(running, scene)
            check_interrupted(scene, running.stop(sent), sent)
    # And what this process itself ignores is as it was.
    assert [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN] == ignored


def check_interrupted(scene: Scene, result: dict[str, Any], number: int) -> None:
    """Whether the result says that it was this signal, and what became of each thing."""
    assert result["failed"] is True
    assert result["failure"]["code"] == scene.code
    assert result["failure"]["retryable"] is True
    assert scene.code == "NetworkError" or signal.Signals(number).name in result["msg"]
    if scene.lists is not None:
        done, failed, key = {
            "dcs_task": ("removed", "failed_tasks", "task_id"),
            "dds_scheduled_job": ("cancelled", "failed_jobs", "job_id"),
        }[scene.module]
        told = (result[done], sorted(entry[key] for entry in result[failed]), result["not_tried"])
        assert told == scene.lists


@pytest.mark.parametrize(("number", "name"), list(enumerate(SCENES)), ids=[*SCENES])
def test_what_was_done_is_said(theatre, number, name):
    scene, sent = SCENES[name], SIGNALS[number % len(SIGNALS)]
    before = theatre.prepare(scene)
    with theatre.begin(scene) as running:
        theatre.reach(running, scene)
        result = running.stop(sent)
    check_interrupted(scene, result, sent)
    theatre.judge(scene, result, before, theatre.settle(scene))
    theatre.complete(scene, before)


@pytest.mark.parametrize("name", [name for name, scene in SCENES.items() if scene.writes and scene.fault != _THROTTLED])
def test_what_may_have_been_done_is_not_denied(theatre, name):
    """The service does what it was asked for, but the answer does not come, or says otherwise."""
    scene = SCENES[name]
    before = theatre.prepare(scene, carried_out=True)
    with theatre.begin(scene) as running:
        theatre.reach(running, scene)
        result = running.stop(signal.SIGTERM)
    check_interrupted(scene, result, signal.SIGTERM)
    assert "not known" in json.dumps(result)
    after = theatre.settle(scene)
    assert oracle.touched(before, after) == set(scene.does[: scene.at[1]])
    theatre.judge(scene, result, before, after)
    theatre.complete(scene, before)


@pytest.mark.parametrize("sent", SIGNALS, ids=_named)
@pytest.mark.parametrize(
    "name",
    ["removal, second record", "waiting for the end, between two looks"],
)
def test_each_signal_is_named(theatre, name, sent):
    scene = SCENES[name]
    theatre.prepare(scene)
    with theatre.begin(scene) as running:
        theatre.reach(running, scene)
        check_interrupted(scene, running.stop(sent), sent)


def test_what_was_seen_while_waiting_is_said(theatre):
    scene = SCENES["waiting for the end, between two looks"]
    theatre.prepare(scene)
    with theatre.begin(scene) as running:
        theatre.reach(running, scene)
        result = running.stop(signal.SIGTERM)
    assert [task["id"] for task in result["tasks"]] == [DONE, WAITING]
    assert result["unfinished"] == [WAITING]
    assert [line.partition(": ")[2] for line in result["progress"]] == ["1 of 2 ended, 1 pending"]
    assert result["waited"] < PATIENCE


def test_a_second_run_may_begin_while_the_first_request_is_still_under_way(theatre):
    """What the service does late, it does to nobody: the second run has done it."""
    scene = SCENES["removal, second record"]
    before = theatre.prepare(scene)
    theatre.sim.faults([{"operation": REMOVE, "skip": 1, "fault": {"delay": 3}}])
    with theatre.begin(scene) as running:
        theatre.reach(running, scene)
        result = running.stop(signal.SIGINT)
    check_interrupted(scene, result, signal.SIGINT)
    second = theatre.again(scene)
    assert (second["changed"], second["removed"]) == (True, [FAILED, CANCELLED])
    late = next(entry for entry in theatre.sim.journal() if entry["status"] is None)
    end = time.monotonic() + PATIENCE
    while late["status"] is None:
        assert time.monotonic() < end
        time.sleep(0.05)
        late = theatre.sim.journal()[2]
    assert oracle.touched(before, theatre.world()) == set(ENDED)


# --- Where the module blocks in other ways ---------------------------------------------------------------------------


@contextlib.contextmanager
def deaf() -> Iterator[int]:
    """A port at which connecting takes for ever, as nobody accepts and its queue is full."""
    with socket.socket() as server, contextlib.ExitStack() as stack:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _number in range(8):
            guest = stack.enter_context(socket.socket())
            guest.setblocking(False)
            guest.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems refuse when the queue is full")
def test_while_connecting(theatre):
    scene = SCENES["removal, first look"]
    theatre.prepare(scene)
    with deaf() as port:
        nobody = dict.fromkeys(("dcs", "dds", "iam"), f"http://127.0.0.1:{port}")
        options = {**theatre.options(scene), "endpoints": nobody, "connect_timeout": 60}
        with Running(theatre.folder, scene.module, options) as running:
            running.wait_for(lambda: _connects_to(running.pid, port))
            result = running.stop(signal.SIGTERM)
    assert (result["changed"], result["failure"]["code"], result["requests"]) == (False, "Interrupted", 1)


def _connects_to(pid: int, port: int) -> bool:
    """Whether a process has begun to connect to a port of this machine, by the tables of Linux."""
    syn_sent = "02"
    lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text("ascii").splitlines()[1:]]
    theirs = {link for link in _links(pid) if link.startswith("socket:")}
    return any(
        line[2].endswith(f":{port:04X}") and line[3] == syn_sent and f"socket:[{line[9]}]" in theirs for line in lines
    )


def _links(pid: int) -> Iterator[str]:
    """What the open files of a process are."""
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            yield str(link.readlink())


def test_while_an_answer_drips(theatre):
    scene = SCENES["removal, first look"]
    theatre.prepare(scene)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    # For a minute: longer than the signal may take.
    with Loopback(drip(head + b" " * 1000, 0.06)) as server:
        options = {**theatre.options(scene), "endpoints": {"dcs": server.url}}
        with Running(theatre.folder, scene.module, options) as running:
            running.wait_for(lambda: server.seen)
            # Past the head, so that it is the body that is read.
            time.sleep(len(head) * 0.06 + 1)
            result = running.stop(signal.SIGHUP)
    assert (result["changed"], result["failure"]["code"]) == (False, "Interrupted")


def test_while_much_is_worked_on(theatre):
    """Where nothing blocks, the task stops at the next request."""
    tasks = [{"id": f"{number:032x}", "status": "SUCCESS", "name": "x"} for number in range(20_000)]
    page = json.dumps({"task_count": "1000000", "tasks": tasks}).encode()
    with Loopback(*[answer(body=page)] * 5000) as server:
        options = {**options_of(theatre.sim, "keys"), "endpoints": {"dcs": server.url}, "instances": [REDIS]}
        with Running(theatre.folder, "dcs_task_info", options) as running:
            running.wait_for(lambda: server.seen)
            time.sleep(0.2)
            running.send(signal.SIGTERM)
            # A quick machine has said all by then.
            result = running.result(signal.SIGTERM)
    # The same page again is an error of its own, should that have been noticed first.
    assert result["failure"]["code"] in ("Interrupted", "UnreadableAnswer")
    assert result["changed"] is False


# --- The token cache -------------------------------------------------------------------------------------------------


def _cache(theatre: Theatre) -> Path:
    return theatre.home.folder / "cache" / "hwcloud.maintenance"


_CACHED = SCENES["signing in"]._replace(options={**_REMOVAL, "token_cache": True})


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL], ids=_named)
def test_no_half_token_is_kept(theatre, sent):
    before = theatre.prepare(_CACHED)
    with theatre.begin(_CACHED) as running:
        theatre.reach(running, _CACHED)
        running.send(sent)
        status, text = running.output()
    if sent == signal.SIGKILL:
        assert (status, text) == (-signal.SIGKILL, "")
    else:
        check_interrupted(_CACHED, json.loads(text), sent)
    assert list(_cache(theatre).iterdir()) == []
    theatre.complete(_CACHED, before)
    assert [file.name[:6] for file in _cache(theatre).iterdir()] == ["token-"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux shows the open files of a process")
def test_while_another_task_signs_in(theatre):
    """The lock is another task's; a task that waits for it can be ended, and leaves it to that one."""
    before = theatre.prepare(_CACHED)
    _cache(theatre).mkdir(parents=True, mode=0o700)
    lock = os.open(_cache(theatre), os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with theatre.begin(_CACHED) as running:
            running.wait_for(lambda: str(_cache(theatre)) in _links(running.pid))
            time.sleep(0.2)
            result = running.stop(signal.SIGTERM)
        check_interrupted(_CACHED, result, signal.SIGTERM)
        assert theatre.sim.journal() == []
    finally:
        os.close(lock)
    theatre.complete(_CACHED, before)


# --- More than one signal, and signals that are not meant ------------------------------------------------------------


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.005])
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT], ids=_named)
def test_a_signal_that_comes_twice(theatre, pause, second):
    """Somebody presses Ctrl-C again; Ansible itself passes a signal on twice."""
    scene = SCENES["removal, second record"]
    theatre.prepare(scene)
    with theatre.begin(scene) as running:
        theatre.reach(running, scene)
        running.send(signal.SIGTERM)
        time.sleep(pause)
        running.send(second)
        result = running.result(second)
    assert result["failure"]["code"] == "Interrupted"
    assert (result["removed"], result["not_tried"]) == ([DONE], [CANCELLED])


@pytest.mark.parametrize("pause", [0.0002, 0.0005, 0.001, 0.002])
def test_a_storm_of_signals(theatre, pause):
    scene, rng = SCENES["removal, second record"], random.Random(str(pause))
    before = theatre.prepare(scene)
    with theatre.begin(scene) as running:
        theatre.reach(running, scene)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            running.send(rng.choice(SIGNALS))
            time.sleep(pause)
        result = running.result(*SIGNALS)
    assert (result["removed"], result["not_tried"]) == ([DONE], [CANCELLED])
    theatre.complete(scene, before)


@pytest.mark.parametrize("name", ["HUP", "INT"])
@pytest.mark.parametrize("scene_name", ["removal, second record", "removal, first look refused"])
def test_a_signal_that_is_ignored_stays_ignored(theatre, name, scene_name):
    """nohup, or a job in the background of a shell, is told so: closing the terminal must not end it."""
    scene = SCENES[scene_name]
    before = theatre.prepare(scene)
    # The request that is held up is answered after all, and soon.
    held = {"delay": 1.0} if not scene.rests else {"status": 503, "headers": {"Retry-After": "1"}}
    theatre.sim.faults([{"operation": scene.at[0], "skip": scene.at[1] - 1, "fault": held}])
    with theatre.begin(scene, ignoring=(name,)) as running:
        theatre.reach(running, scene)
        running.send(signal.Signals[f"SIG{name}"])
        result = running.result()
    assert not result.get("failed"), result
    assert result["removed"] == ENDED
    assert oracle.touched(before, theatre.world()) == set(ENDED)


# --- Killed ----------------------------------------------------------------------------------------------------------

KILLED = [
    *("removal, first look", "removal, second record", "removal through the centre, second record"),
    *("calling off, the request", "calling off, looking at the effect", "jobs, second job"),
    *("jobs, looking at the effect", "signing in", "signing in, agency", "waiting for the end, between two looks"),
]


@pytest.mark.parametrize(
    ("name", "carried_out"),
    [(name, carried_out) for name in KILLED for carried_out in (False, True) if SCENES[name].writes or not carried_out],
)
def test_a_second_run_completes_what_was_killed(theatre, name, carried_out):
    scene = SCENES[name]
    before = theatre.prepare(scene, carried_out=carried_out)
    with theatre.begin(scene) as running:
        theatre.reach(running, scene)
        running.send(signal.SIGKILL)
        assert running.output() == (-signal.SIGKILL, "")
    theatre.complete(scene, before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("removal, second record", signal.SIGTERM),
        ("calling off, the request", signal.SIGKILL),
        ("jobs, second job", signal.SIGTERM),
    ],
    ids=_named,
)
def test_at_any_moment(theatre, name, sent):
    """From its start to its end: all is said, or nothing was sent, or all was done."""
    scene = SCENES[name]
    rng = random.Random(f"{name} {sent}")
    switches = {**scene.switches, "latency_ms": 40}

    def prepared() -> tuple[oracle.World, Running]:
        theatre.sim.reset({**SCENARIO, "switches": switches})
        return theatre.world(), theatre.begin(scene)

    started = time.monotonic()
    before, running = prepared()
    with running:
        assert running.result()["changed"] is True
    duration = time.monotonic() - started
    for part in range(6):
        before, running = prepared()
        with running:
            time.sleep(duration * (part + rng.random()) / 6)
            running.send(sent)
            status, text = running.output()
        journal, after = theatre.sim.journal(), theatre.world()
        if text:
            result = json.loads(text)
            result.pop("invocation", None)
            theatre.judge(scene, result, before, after, at_any_moment=True)
        else:
            assert status == -sent
            assert sent == signal.SIGKILL or journal == []
        # Requests that were under way are answered, to nobody.
        time.sleep(0.1)
        theatre.complete(scene, before)


# --- In this process: nothing is left of it afterwards ---------------------------------------------------------------


@pytest.fixture
def own_handlers() -> Iterator[list[int]]:
    """Handlers of this process for all signals, which note what came; the module must put them back."""
    came: list[int] = []

    def note(number: int, _frame: object) -> None:
        came.append(number)

    numbers = (*SIGNALS, signal.SIGALRM)
    before = {number: signal.signal(number, note) for number in numbers}
    yield came
    now = {number: signal.signal(number, handler) for number, handler in before.items()}
    assert set(now.values()) == {note}
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def run_scene(theatre: Theatre, scene: Scene, **more: Any) -> dict[str, Any]:
    return run_module(scene.module, {**theatre.options(scene), **more})


@pytest.mark.parametrize("outcome", ["done", "refused", "bad input", "defect"])
def test_handlers_are_put_back(theatre, own_handlers, monkeypatch, outcome):
    scene = SCENES["removal, first look"]
    theatre.prepare(scene)
    theatre.sim.faults([{"times": None, "fault": {"status": 403}}] if outcome == "refused" else [])
    if outcome == "defect":
        name = "ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs.Dcs.tasks_of_each"
        monkeypatch.setattr(name, lambda *_arguments, **_keywords: 1 / 0)
    result = run_scene(theatre, scene, **({"region": "x/"} if outcome == "bad input" else {}))
    code = {"done": None, "refused": "403", "bad input": "InvalidOption", "defect": "InternalError"}[outcome]
    assert result.get("failure", {}).get("code") == code, result
    for number in SIGNALS:
        signal.raise_signal(number)
    assert own_handlers == list(SIGNALS)


@pytest.mark.parametrize("sent", SIGNALS, ids=_named)
@pytest.mark.parametrize("name", ["removal, second record", "removal, first look refused"])
def test_handlers_are_put_back_after_an_interruption(theatre, own_handlers, name, sent):
    scene = SCENES[name]
    theatre.prepare(scene)
    operation, count = scene.at

    def interrupt() -> None:
        end = time.monotonic() + PATIENCE
        while [entry["operation"] for entry in theatre.sim.journal()].count(operation) < count:
            if time.monotonic() > end:
                return
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(os.getpid(), sent)

    thread = threading.Thread(target=interrupt)
    thread.start()
    result = run_scene(theatre, scene)
    thread.join(PATIENCE)
    check_interrupted(scene, result, sent)
    assert own_handlers == []


def test_in_a_thread_signals_are_none_of_its_business(theatre, own_handlers):
    scene = SCENES["removal, first look"]
    theatre.prepare(scene)
    theatre.sim.faults([])
    results: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: results.append(run_scene(theatre, scene)))
    thread.start()
    thread.join(PATIENCE)
    assert [result["removed"] for result in results] == [ENDED]
    assert own_handlers == []


# --- Real ansible-playbook -------------------------------------------------------------------------------------------


class Playbook:
    """A run of ansible-playbook in a session of its own, as a terminal or a job runner starts it."""

    def __init__(self, folder: Path, tasks: list[dict[str, Any]], options: dict[str, Any]) -> None:
        self.folder = folder
        self.plays = [local_play(tasks, options)]
        self.file = folder / "interrupted.yml"
        self.file.write_text(yaml.safe_dump(self.plays, sort_keys=False), encoding="utf-8")
        with not_ignored():
            self.process = subprocess.Popen(
                [BIN / "ansible-playbook", self.file],
                cwd=folder,
                env=clean_environment(HOME=str(folder), LC_ALL="C.UTF-8", **self.temporary),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Playbook:
        return self

    def __exit__(self, *_error: object) -> None:
        for pid in self.running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate(timeout=PATIENCE)

    @property
    def temporary(self) -> dict[str, str]:
        """Where Ansible leaves its files."""
        return {f"ANSIBLE_{place}_TEMP": str(self.folder / place.lower()) for place in ("LOCAL", "REMOTE")}

    def running(self) -> list[int]:
        """The processes of this run that are still there: those with its home, which no other has."""
        mark = f"HOME={self.folder}".encode()
        found = []
        for folder in Path("/proc").iterdir():
            # Those of others cannot be read, and some are gone by now.
            with contextlib.suppress(OSError):
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found

    def wait_for(self, reached: Callable[[], object], seconds: float = PATIENCE) -> None:
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, f"in vain; there are {self.running()}"
            time.sleep(0.02)

    def again(self) -> Any:
        """The same playbook once more."""
        return run_playbook(self.folder, self.plays, environ=self.temporary)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux shows the environment of a process")
@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("removal, second record", signal.SIGINT),
        ("removal, second record", signal.SIGTERM),
        ("calling off, between two looks", signal.SIGINT),
        ("signing in", signal.SIGTERM),
        ("calling off, between two looks", signal.SIGHUP),
        ("removal, second record", signal.SIGKILL),
    ],
    ids=_named,
)
def test_an_interrupted_playbook(theatre, tmp_path, name, sent):
    """The signal goes to the process group, as Ctrl-C, a closed terminal and job runners send it."""
    scene = SCENES[name]
    before = theatre.prepare(scene)
    options = scene.options
    # Ansible passes on no more than the other two: the module goes on by itself, and must come to its end in this test.
    alone = sent in (signal.SIGKILL, signal.SIGHUP)
    if alone:
        options = {**options, **({"wait_interval": 1} if "wait_interval" in options else {})}
        theatre.sim.switches(dict.fromkeys(scene.switches, 2))
        theatre.sim.faults(
            [{"operation": scene.at[0], "skip": scene.at[1] - 1, "fault": {"delay": 2}}] if scene.fault else []
        )
    tasks = [{"name": "work", f"hwcloud.maintenance.{scene.module}": options}]
    with Playbook(tmp_path, tasks, options_of(theatre.sim, scene.sign_in)) as playbook:
        operation, count = scene.at

        def reached() -> bool:
            return [entry["operation"] for entry in theatre.sim.journal()].count(operation) >= count

        playbook.wait_for(reached)
        time.sleep(0.2)
        os.killpg(playbook.process.pid, sent)
        output = playbook.process.communicate(timeout=PATIENCE)[0].decode()
        assert playbook.process.returncode != 0, output
        # What runs on after all would be there for minutes.
        playbook.wait_for(lambda: playbook.running() == [], seconds=PATIENCE if alone else PROMPT)
    left = theatre.settle(scene)
    theatre.sim.faults([])
    theatre.sim.switches(dict.fromkeys(scene.switches, 0))
    second = playbook.again()
    assert second.returncode == 0, second.output
    result = second.result("work")
    assert oracle.touched(before, theatre.world()) == set(scene.does)
    assert result["changed"] is (oracle.touched(left, theatre.world()) != set())
