# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator and a clock under control. A step is run here, and all that happened is recorded as a C(Run).

The cloud of the simulator is watched in its own thread: before each request others act, a listing may show an older state,
and what a request changed is noted. To sleep puts three clocks ahead: that of the modules, that of this machine, and that
of the cloud. So a wait of minutes takes no time.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any, Callable

import pytest
import requests
from aiohttp import web_response

from tests.harness.modules import COLLECTION, run_module
from tests.harness.signals import SIGNALS, not_ignored
from tests.proof import clock as clock_of_tests
from tests.proof.collection import public
from tests.proof.inventories import Inventories
from tests.simulator import Simulator, app
from tests.simulator.errors import DCS_TWINS
from tests.simulator.faults import Fault, parse_fault

from . import signing_in, worlds
from .cases import Act, Case, Step
from .operators import SECOND_OPERATOR, Operators

MODULES = (
    *("dcs_task", "dcs_task_info", "dcs_resize_cancel", "dcs_instance_info"),
    *("dds_scheduled_job", "dds_scheduled_job_info", "dds_instance_info"),
)
WRITES = {"DeleteBackgroundTask": "DELETE", "DeleteCenterTask": "DELETE", "CancelInstanceResize": "POST"}
WRITES["CancelScheduledTask"] = "DELETE"
LISTS = {"ListBackgroundTask": "tasks", "ListCenterTask": "tasks", "ListScheduledTasks": "schedules"}
_ID_KEYS = {"tasks": "id", "schedules": "job_id"}
_JOB_PHASES = {
    "Pending": "pending",
    "Running": "running",
    "Completed": "succeeded",
    "Failed": "failed",
    "Canceled": "cancelled",
}
#: Seconds in which a task may still say what it did, once its time is over.
GRACE = 2.0
#: Added to the phase of what is being called off.
_CALLED_OFF = ", called off"
GONE = "gone"
#: Older states that are kept for stale listings.
_STATES_KEPT = 8
#: Seconds after which an answer may be too late for a short deadline.
_SURELY_IN_TIME = 0.5


@dataclass
class Request:
    """One request of the module that is looked at, as the simulator saw it.

    C(at) is the time since the run began, C(changed) the ids whose state this request changed, C(state) that of what its
    path ends in when it came, and C(shown) what a page of a listing had: ids and status words.
    """

    number: int
    operation: str
    service: str
    method: str
    path: str
    query: dict[str, list[str]]
    at: float
    state: str
    fault: Any = None
    #: What the operation said; None when it was not reached.
    said: int | None = None
    #: What was sent.
    status: int | None = None
    changed: set[str] = field(default_factory=set)
    shown: dict[str, Any] | None = None
    stale: bool = False
    entry: Any = None

    @property
    def target(self) -> str:
        """The id that the path ends in."""
        return self.path.rpartition("/")[2]

    @property
    def writes(self) -> bool:
        """Whether it asks for a change."""
        return self.operation in WRITES

    @property
    def accepted(self) -> bool:
        """Whether the service did what was asked, whether or not the answer arrived."""
        return self.said is not None and 200 <= self.said < 300

    @property
    def answer_lost(self) -> bool:
        """Whether the answer does not tell what was done."""
        return leaves_in_doubt(self.fault)


def leaves_in_doubt(fault: Any) -> bool:
    """Whether a fault hides what became of a request."""
    if fault is None:
        return False
    if isinstance(fault, dict) and "status" in fault:
        return fault["status"] >= 500 or fault["status"] < 300
    if isinstance(fault, dict) and set(fault) == {"delay"}:
        return fault["delay"] > _SURELY_IN_TIME
    return fault != "content_type"


def is_transient(fault: Any) -> bool:
    """Whether a fault says nothing about the task itself, so that it may be gone the next time."""
    if isinstance(fault, dict) and {"redirect", "edit"} & fault.keys():
        # What answers so will answer so again.
        return False
    return leaves_in_doubt(fault) or fault == "content_type" or (isinstance(fault, dict) and fault.get("status") == 429)


@dataclass
class Run:
    """One run of a module: its result, and what really happened.

    C(before) and C(after) have the state of each task and job by its id, C(history) all states that one had meanwhile,
    C(owners) the instance of each task. C(quiet) is whether nothing disturbed the run.
    """

    step: Step
    case: Case
    check_mode: bool
    result: dict[str, Any]
    crash: str | None
    requests: list[Request]
    before: dict[str, str]
    after: dict[str, str]
    history: dict[str, list[str]]
    owners: dict[str, str]
    names: dict[str, Any]
    #: How many seconds before the run each of them was created.
    ages: dict[str, float]
    acts: list[Act]
    #: The number of the request before which each of them was done.
    acts_before: list[int]
    seconds: float
    real_seconds: float
    #: Seconds of the two clocks from the first signal to the end.
    after_signal: tuple[float, float] | None
    secrets: list[str]
    #: Acts of earlier steps, which explain names and instances that are no longer there.
    earlier_acts: list[Act]

    @property
    def module(self) -> str:
        """The module's name."""
        return self.step["module"]

    @property
    def options(self) -> dict[str, Any]:
        """The options of the step, without those that sign in."""
        return self.step["options"]

    @property
    def failed(self) -> bool:
        """Whether the module failed."""
        return bool(self.result.get("failed"))

    @property
    def failure(self) -> dict[str, Any]:
        """What a runbook can branch on; empty when the module did not fail."""
        found: dict[str, Any] = self.result.get("failure") or {}
        return found

    @property
    def code(self) -> str:
        """The code of the failure, the twin of nine digits under its usual name."""
        code = str(self.failure.get("code") or "")
        return next((usual for usual, twin in DCS_TWINS.items() if twin == code), code)

    @property
    def message(self) -> str:
        """The sentence of the failure."""
        return str(self.result.get("msg", ""))

    @property
    def stale(self) -> bool:
        """Whether a listing showed an older state."""
        return any(request.stale for request in self.requests)

    @property
    def faults(self) -> list[Any]:
        """The faults that requests met."""
        return [request.fault for request in self.requests if request.fault is not None]

    @property
    def quiet(self) -> bool:
        """Whether nothing disturbed the run."""
        return not (self.acts or self.stale or self.faults)

    @property
    def cut_short(self) -> bool:
        """Whether a signal or the deadline ended it, so that requests may still have been under way."""
        return self.after_signal is not None or self.code in ("DeadlineExceeded", "Interrupted")

    @property
    def writes(self) -> list[Request]:
        """The requests that ask for a change."""
        return [request for request in self.requests if request.writes]

    @property
    def changed_here(self) -> set[str]:
        """The ids whose state this run changed."""
        return {identifier for request in self.writes for identifier in request.changed}

    def states(self, identifier: str) -> set[str]:
        """All states that a task or job had during the run, without a word on its cancellation."""
        return {state.partition(",")[0] for state in self.history.get(identifier, [GONE])}

    def did(self, *verbs: str) -> bool:
        """Whether others did one of these, in this run or before."""
        return any(act[0] in verbs for act in (*self.acts, *self.earlier_acts))


class _Watch:
    """Watches the cloud of the simulator, in its thread, and disturbs it as a step says."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.cloud = lab.sim._server.cloud
        self.operators = Operators(self.cloud)
        self._answer = self.cloud._answer
        self.cloud._note = self._note
        self.cloud._answer = self._answered
        #: Whether a listing of the case is stale, so that older states must be kept.
        self.keeps_states = False
        self._states: list[Any] = []
        self._last: dict[str, str] | None = None
        self._names: dict[str, Any] = {}
        self.begin({})

    def begin(self, step: Step) -> None:
        """A run begins."""
        self.step = step
        self.requests: list[Request] = []
        self.history: dict[str, list[str]] = {}
        self.acts: list[Act] = []
        self.acts_before: list[int] = []
        self.sleeps = 0
        #: Whether a module of another operator runs, whose requests are not looked at.
        self.another = False
        self.signalled: tuple[float, float] | None = None
        # A reset of the simulator makes others.
        self.cloud.faults.take = self._take
        self.cloud.world.advance()
        self.look()

    def load(self, scenario: dict[str, Any], *, keeps_states: bool) -> None:
        """A case begins."""
        self.cloud.reset(scenario)
        self._states, self._last, self._names = [], None, {}
        self.keeps_states = keeps_states
        self.begin({})

    # --- What is true

    def truth(self) -> dict[str, str]:
        """The state of each task and job."""
        found = {}
        for project in self.cloud.world.projects.values():
            for instance in project.dcs.values():
                for task in instance.tasks.tasks.values():
                    called_off = instance.cancelling and instance.spec_change is task
                    found[task.id] = task.phase + (_CALLED_OFF if called_off else "")
            for job in project.jobs.values():
                phase = _JOB_PHASES.get(str(job.fields.get("job_status")), "unknown")
                found[job.id] = phase + (_CALLED_OFF if job.cancelling else "")
        return found

    def owners(self) -> dict[str, str]:
        """The instance of each task and job."""
        project = next(iter(self.cloud.world.projects.values()))
        tasks = {task.id: instance.id for instance in project.dcs.values() for task in instance.tasks.tasks.values()}
        return {**tasks, **{job.id: job.fields.get("instance_id") for job in project.jobs.values()}}

    def ages(self) -> dict[str, float]:
        """How many seconds ago each task and job was created."""
        now = self.cloud.world.clock()
        project = next(iter(self.cloud.world.projects.values()))
        return {each.id: now - each.created for each in (*project.centre.tasks.values(), *project.jobs.values())}

    def names(self) -> dict[str, Any]:
        """The name of each task and job, of those that are no longer there too."""
        project = next(iter(self.cloud.world.projects.values()))
        tasks = {key: task.fields.get("name") for key, task in project.centre.tasks.items()}
        self._names.update(tasks)
        self._names.update((key, job.fields.get("job_name")) for key, job in project.jobs.items())
        return dict(self._names)

    def look(self) -> dict[str, str]:
        """Note the state of everything."""
        now = self.truth()
        for identifier in now.keys() | self.history.keys():
            states = self.history.setdefault(identifier, [])
            state = now.get(identifier, GONE)
            if not states or states[-1] != state:
                states.append(state)
        if now != self._last:
            self.names()
            if self.keeps_states:
                self._states = [*self._states[-_STATES_KEPT:], self._frozen()]
        self._last = now
        return now

    def _frozen(self) -> Any:
        """A copy of the world in which nothing happens any more."""
        world = self.cloud.world
        due, switches = world._due, world.switches
        world._due = []
        try:
            # What is in the second argument is not copied; Python 3.14 cannot copy a counter.
            copied = copy.deepcopy(world, {id(each): each for each in (switches, world._order)})
        finally:
            world._due = due
        return copied

    # --- What the simulator calls

    def _note(self, operation: str, before: bool) -> None:
        if not before or self.another:
            return
        world = self.cloud.world
        world.advance()
        self.look()
        entry = self.cloud.journal.entries[-1]
        request = Request(
            number=len(self.requests),
            operation=operation,
            service=str(entry.service),
            method=entry.method,
            path=entry.path,
            query=entry.query,
            at=self._lab.since_begin(),
            state="",
            entry=entry,
        )
        self.requests.append(request)
        self.do(self.step.get("before_request", {}).get(str(request.number), []))
        request.state = self.truth().get(request.target, GONE)

    def _take(self, _service: str | None, _operation: str | None, method: str, _path: str) -> Fault | None:
        if self.another or not self.requests:
            return None
        request = self.requests[-1]
        fault = self.step.get("faults", {}).get(str(request.number))
        if fault is None or (method == "DELETE" and isinstance(fault, dict) and 200 <= fault.get("status", 500) < 300):
            # A service that says that it removed something, and did not, is beyond any client.
            return None
        request.fault = fault
        return parse_fault(fault)

    def _answered(self, *arguments: Any) -> Any:
        *_others, entry, _request_id = arguments
        request = next((each for each in reversed(self.requests) if each.entry is entry), None)
        if request is None:
            return self._answer(*arguments)
        live = self.cloud.world
        live.advance()
        lag = self.step.get("stale", {}).get(str(request.number), 0) if request.operation in LISTS else 0
        before = self.look()
        if lag and len(self._states) > 1:
            older = self._states[max(0, len(self._states) - 1 - lag)]
            older.ahead = live.ahead
            self.cloud.world = older
            request.stale = True
        try:
            answer = self._answer(*arguments)
        finally:
            self.cloud.world = live
        request.said = answer.status
        after = self.look()
        if request.writes:
            request.changed = {key for key in before if after.get(key) != before[key]}
        elif request.operation in LISTS and answer.status == 200:
            records = LISTS[request.operation]
            status = "job_status" if records == "schedules" else "status"
            page = json.loads(answer.body)[records]
            request.shown = {record[_ID_KEYS[records]]: record.get(status) for record in page}
        return answer

    def do(self, acts: list[Act], *, waiting: bool = False) -> None:
        """Do what can be done of these acts; modules of others are run elsewhere."""
        for act in acts:
            if act[0] == SECOND_OPERATOR:
                continue
            if act[0] == "signal":
                if self.signalled is not None:
                    continue
                self.signalled = (self._lab.now(), time.monotonic())
            if self.operators.do(act):
                # Acts come with a request, which is among the others already, or while the module waits for the next one.
                self.note_act(act, len(self.requests) - (0 if waiting else 1))
            self.look()

    def note_act(self, act: Act, before: int) -> None:
        """Others have done this before the request of this number."""
        self.acts.append(act)
        self.acts_before.append(before)

    def slept(self) -> None:
        """The module has slept."""
        self.sleeps += 1
        self.cloud.world.advance()
        self.look()
        self.do(self.step.get("while_waiting", {}).get(str(self.sleeps), []), waiting=True)


@contextlib.contextmanager
def _late_signals_are_lost() -> Iterator[None]:
    """A signal that comes when a module has just ended does not end this process."""
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Lab:
    """Runs steps. Use it in the main thread, to which signals come, and in one place at a time."""

    def __init__(self) -> None:
        self._patches = pytest.MonkeyPatch()
        self._folder = Path(tempfile.mkdtemp(prefix="walk-"))
        self._folders = 0
        self.sim = Simulator("empty")
        self.hw = public()
        self._install_clock()
        self._begun = self.now()
        self.watch = _Watch(self)
        self._case: Case = {}
        self._earlier_acts: list[Act] = []
        self._inventories: Inventories | None = None
        self._let_others_run_modules()
        self.runs = 0

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._inventories is not None:
            self._inventories.__exit__(None, None, None)
        self.sim.close()
        self._patches.undo()
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- Time

    def _install_clock(self) -> None:
        """One clock for the modules, this machine and the cloud, which sleeping puts ahead."""
        self.clock = clock_of_tests.install(self._patches, MODULES)
        self.machine_ahead = 0.0
        lab = self

        class MachineTime(datetime):
            """The time of day of this machine, which may be fast or slow."""

            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return cls.fromtimestamp(lab.time_of_machine(), tz)

        for name, module in list(sys.modules.items()):
            if name.startswith(f"{COLLECTION}.module_utils.") and getattr(module, "datetime", None) is datetime:
                self._patches.setattr(module, "datetime", MachineTime)
        self.clock.sleep = self._sleep
        self.clock.time = self.time_of_machine
        for name, module in list(sys.modules.items()):
            if name.startswith(f"{COLLECTION}.module_utils."):
                self._sleep_through_lab(module)
        # The cloud's own time, in each answer.
        self._patches.setattr(
            web_response, "rfc822_formatted_time", lambda: formatdate(self.sim._server.cloud.world.clock(), usegmt=True)
        )
        # The simulator judges the date of a signature by the true time; here by the cloud's.
        verify = app.verify
        self._patches.setattr(app, "verify", lambda *arguments: verify(*arguments[:-1]))

    def _sleep_through_lab(self, module: Any) -> None:
        """Default arguments hold the function that sleeps."""
        for defined in vars(module).values():
            defaults = getattr(getattr(defined, "__init__", None), "__kwdefaults__", None) or {}
            if "wait" in defaults:
                self._patches.setitem(defaults, "wait", self._sleep)

    def time_of_machine(self) -> float:
        """The time of day that this machine shows."""
        world_clock: float = self.sim._server.cloud.world.clock()
        return world_clock + self.machine_ahead

    def now(self) -> float:
        """Seconds of the clock that sleeping puts ahead."""
        return self.clock.monotonic()

    def since_begin(self) -> float:
        """Seconds since the run began."""
        return self.now() - self._begun

    def _sleep(self, seconds: float) -> None:
        if seconds <= clock_of_tests._TURN:
            time.sleep(seconds)
            return
        self.clock.ahead += seconds
        self._on_loop(lambda: self._pass(seconds))
        if not self.watch.another:
            self._second_operator(self.watch.step.get("while_waiting", {}).get(str(self.watch.sleeps), []))

    def _pass(self, seconds: float) -> None:
        self.watch.cloud.world.ahead += seconds
        if not self.watch.another:
            self.watch.slept()

    def _on_loop(self, do: Callable[[], Any]) -> Any:
        """Call something in the simulator's thread, between two requests."""

        async def call() -> Any:
            return do()

        return asyncio.run_coroutine_threadsafe(call(), self.sim._loop).result(30)

    # --- Others who run modules

    def _let_others_run_modules(self) -> None:
        """Before the n-th request of a module leaves, others may run one of theirs."""
        lab, original = self, requests.Session.send

        def send(session: requests.Session, request: Any, **more: Any) -> Any:
            watch = lab.watch
            if not watch.another:
                lab._second_operator(watch.step.get("before_request", {}).get(str(len(watch.requests)), []))
            return original(session, request, **more)

        self._patches.setattr(requests.Session, "send", send)

    def _second_operator(self, acts: list[Act]) -> None:
        if threading.current_thread() is not threading.main_thread():
            # The other threads of the module would go on meanwhile.
            return
        for act in acts:
            if act[0] == SECOND_OPERATOR and act not in self.watch.acts:
                self.watch.note_act(act, len(self.watch.requests))
                self.watch.another = True
                try:
                    caller = self._caller(signing_in.DEFAULT)
                    run_module(act[1], {**caller.options, **act[2]}, environ=caller.environ)
                finally:
                    self.watch.another = False
                    self._on_loop(self.watch.look)

    def _caller(self, way: str) -> signing_in.Caller:
        self._folders += 1
        return signing_in.Caller(self.sim, self._folder / f"home-{self._folders}", way)

    # --- Cases and steps

    def load(self, case: Case) -> None:
        """A case begins."""
        self._case = case
        self._earlier_acts = []
        world = case["world"]
        self.machine_ahead = world.get("machine_ahead", 0.0)
        self.hw.Dcs.page_size = min(world.get("page_size", 1000), 1000)
        self.hw.Dds.page_size = min(world.get("page_size", 100), 100)
        stale = any("stale" in step for step in case["steps"])
        self._on_loop(lambda: self.watch.load(worlds.scenario(world), keeps_states=stale))
        # The ids of the projects are those of the scenario now.
        self.sim._take(self.sim._server.facts())

    def run(self, step: Step, *, check_mode: bool | None = None) -> Run:
        """Run a step, in check mode or not (None: as the step says)."""
        with not_ignored(), _late_signals_are_lost():
            return self._run(step, check_mode)

    def _run(self, step: Step, check_mode: bool | None) -> Run:
        self.runs += 1
        watch = self.watch
        checked = step.get("check_mode", False) if check_mode is None else check_mode
        caller = self._caller(step.get("sign_in", signing_in.DEFAULT))

        def begin() -> tuple[dict[str, str], dict[str, str], dict[str, Any], dict[str, float]]:
            watch.cloud.journal.clear()
            watch.begin(step)
            return watch.truth(), watch.owners(), watch.names(), watch.ages()

        self._begun, real = self.now(), time.monotonic()
        before, owners, names, ages = self._on_loop(begin)
        # What is random in the modules: how long they wait before they try again.
        random.seed(1)
        crash = None
        try:
            options = {**caller.options, "connect_timeout": 60, "read_timeout": 60, **step["options"]}
            if step["module"].startswith("inventory"):
                result = self._read_inventory(step["module"].split()[1], options, caller.environ)
            else:
                result = run_module(step["module"], options, check_mode=checked, environ=caller.environ)
        except Exception:  # noqa: BLE001  # it is what the walk looks for
            crash = traceback.format_exc()
            result = {"failed": True, "msg": "", "changed": False}
        finally:
            shutil.rmtree(caller.home.folder, ignore_errors=True)
        seconds, real_seconds = self.since_begin(), time.monotonic() - real

        def end() -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
            watch.cloud.world.advance()
            for request in watch.requests:
                request.status = request.entry.status
            return watch.look(), watch.owners(), watch.names()

        after, later_owners, later_names = self._on_loop(end)
        signalled = watch.signalled
        run = Run(
            step=step,
            case=self._case,
            check_mode=checked,
            result=result,
            crash=crash,
            requests=watch.requests,
            before=before,
            after=after,
            history=watch.history,
            owners={**later_owners, **owners},
            names={**later_names, **names},
            ages=ages,
            acts=watch.acts,
            acts_before=watch.acts_before,
            seconds=seconds,
            real_seconds=real_seconds,
            after_signal=(self.now() - signalled[0], time.monotonic() - signalled[1]) if signalled else None,
            secrets=signing_in.secrets(self.sim),
            earlier_acts=list(self._earlier_acts),
        )
        self._earlier_acts += watch.acts
        self._on_loop(lambda: watch.begin({}))
        return run

    def _read_inventory(self, plugin: str, options: dict[str, Any], environ: dict[str, str]) -> dict[str, Any]:
        """Read an inventory file in a process of its own; its hosts stand for a result."""
        if self._inventories is None:
            self._inventories = Inventories().__enter__()
        content = {"plugin": f"hwcloud.maintenance.{plugin}", **options}
        if "projects" in options:
            content.pop("project_id", None)
        found = self._inventories.read(f"inventory.{plugin}.yml", content)[0]
        if found["crash"]:
            raise RuntimeError(found["crash"])
        if found["error"] is not None:
            return {"failed": True, "msg": found["error"], "changed": False}
        return {"hosts": sorted(found["hosts"]), "groups": found["groups"], "changed": False}

    def get_on(self) -> None:
        """Time passes: whatever runs or waits ends, except for scheduled jobs that wait."""

        def pass_time() -> None:
            watch = self.watch
            watch.operators.do(["pass", 1000])
            jobs = {job for project in watch.cloud.world.projects.values() for job in project.jobs}
            for identifier, state in watch.truth().items():
                if identifier in jobs:
                    watch.operators.do(["resume job", identifier])
                    watch.operators.do(["succeed job", identifier] if state != "pending" else ["pass", 0])
                elif identifier not in jobs:
                    watch.operators.do(["succeed", identifier])

        self._on_loop(pass_time)
