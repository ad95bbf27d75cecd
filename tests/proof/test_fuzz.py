# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Generated answers and files: the collection fails in its own words or returns something that JSON can hold.

Never another exception, and never a listing without an end. The inputs are the same ones in each run; C(make exhaustive)
makes new ones, from a seed that it prints.
"""

from __future__ import annotations

import json
import random
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.harness.modules import run_module
from tests.unit.loopback import Loopback

from . import answers, clock, files
from .collection import public

#: All that is public in the files of the collection, whichever file has it.
hw = public()
NOW = datetime(2026, 1, 15, tzinfo=timezone.utc)
KEYS = {"access_key": "AK", "secret_key": "a-secret-key"}
PASSWORD = {"username": "u", "password": "a-secret-password", "domain_name": "d"}
AGENCY = {"agency_name": "a", "agency_domain_name": "d"}
ENDPOINTS = dict.fromkeys(("dcs", "dds", "iam", "metadata"), "http://127.0.0.1:9")
GET = hw.Operation("Fuzz", "dcs", "GET", "/tasks")

#: The number of generated answers or files, or of runs with one or more of them, by test.
INPUTS = {
    "error bodies": 4000,
    "requests": 4000,
    "listings": 4000,
    "records": 3500,
    "accounts": 1500,
    "sign-ins": 2000,
    "times": 1000,
    "modules": 2000,
    "profiles": 2500,
    "profiles of modules": 500,
}


def generated(name: str, *strategies: Any) -> Callable[[Any], Any]:
    """Run a test with so many inputs."""

    def decorate(test: Any) -> Any:
        checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        # Where they come from, tests/rings.py says.
        chosen = settings(max_examples=INPUTS[name], suppress_health_check=checks)
        return chosen(given(*strategies)(test))

    return decorate


SEEDS = st.integers(min_value=0, max_value=2**64 - 1)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20)
WORDS = st.sampled_from(("error_code", "error_msg", "error", "code", "message", "request_id", "title", "x"))
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=6
)


class Waits(list):  # type: ignore[type-arg]
    """Instead of sleeping, note how long it would have been, and put the clock ahead."""

    ahead = 0.0

    def sleep(self, seconds: float) -> None:
        self.append(seconds)
        self.ahead += seconds

    def monotonic(self) -> float:
        return time.monotonic() + self.ahead


def service(kind: Any, values: dict[str, str], project_id: str | None, waits: Waits, **more: Any) -> Any:
    """A client of DCS or DDS without a network, and its account."""
    client = hw.Client(hw.HttpOptions(retries=1, deadline=100), monotonic=waits.monotonic, wait=waits.sleep)
    endpoints = hw.Endpoints("sim-region-1", None, ENDPOINTS, {})
    credentials = hw.Credentials(values, "a test")
    account = hw.Account(client, endpoints, credentials, project_id, None, lambda secret: None, **more)
    return kind(client, endpoints, account, lambda sentence: None), account


def held(outcome: Callable[[], Any], waits: Waits) -> Any:
    """The outcome, or the failure as a dictionary; both must be what a module could print."""
    message = "fine"
    try:
        value = outcome()
    except hw.MaintenanceError as error:
        message = error.message
        value = {"msg": message, "failure": error.failure(), **error.result}
    assert message.splitlines() == [message]
    assert message.isprintable()
    assert len(message) < 2000
    assert not any(secret in json.dumps(value) for secret in ("a-secret", "an-issued"))
    json.loads(json.dumps(value))
    assert all(0 <= seconds <= 100 for seconds in waits), waits
    return value


@pytest.fixture
def inputs(record_property):
    """Record how many inputs a test has; C(inputs(name))."""
    return lambda name: record_property("inputs", INPUTS[name])


def test_error_bodies(inputs):
    inputs("error bodies")

    @generated("error bodies", JSON | st.binary(max_size=60), SEEDS)
    def run(value, seed):
        rng = random.Random(seed)
        if isinstance(value, bytes):
            raw = value
        elif seed % 2:
            raw = answers.body(value, rng)
        else:
            raw = answers.body(answers.mutated(rng.choice(answers.ERRORS), rng), rng)
        for part in hw.read_error_body(raw):
            assert part is None or (isinstance(part, str) and part)

    run()


def test_requests(inputs):
    inputs("requests")

    @generated("requests", SEEDS)
    def run(seed):
        waits = Waits()
        client = hw.Client(hw.HttpOptions(retries=2, deadline=100), monotonic=waits.monotonic, wait=waits.sleep)
        with answers.Wire(seed, healthy=0.1):
            held(lambda: client.request(GET, "http://127.0.0.1:9", renew=lambda: True).data, waits)

    run()


LISTINGS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (hw.Dcs, lambda dcs: dcs.tasks("11111111-1111-4111-8111-111111111111")),
    (hw.Dcs, lambda dcs: dcs.tasks(None, wanted=["1" * 32])),
    (hw.Dcs, lambda dcs: dcs.tasks_of_each([None], hw.task_filter(start=NOW, names=["EXTEND"], keep_last=1)).tasks),
    (hw.Dcs, lambda dcs: dcs.tasks_of_each(["1" * 32, "2" * 32], hw.task_filter(phases=["failed"])).tasks),
    (hw.Dcs, lambda dcs: dcs.instance_ids(["one"])),
    (hw.Dcs, lambda dcs: dcs.instance_ids(["one", "two"])),
    (hw.Dcs, lambda dcs: dcs.progress("11111111-1111-4111-8111-111111111111", "1" * 32)),
    (hw.Dds, lambda dds: dds.jobs(NOW)),
    (hw.Dds, lambda dds: dds.jobs(NOW, wanted=[])),
    (hw.Dds, lambda dds: dds.instance_ids(["one"])),
)


def test_listings(inputs):
    inputs("listings")

    @generated("listings", SEEDS, st.sampled_from(LISTINGS))
    def run(seed, listing):
        kind, ask = listing
        waits = Waits()
        with answers.Wire(seed, healthy=0.4):
            held(lambda: ask(service(kind, KEYS, "a" * 32, waits)[0]), waits)

    run()


def test_records(inputs):
    inputs("records")

    @generated("records", SEEDS, JSON)
    def run(seed, extra):
        rng = random.Random(seed)
        tasks, jobs = [], []
        for number in range(3):
            task, job = answers.mutated(answers.TASK, rng), answers.mutated(answers.JOB, rng)
            # An identifier and an object are all that a listing insists on.
            tasks.append({**(task if isinstance(task, dict) else {"extra": extra}), "id": f"t{number}"})
            jobs.append({**(job if isinstance(job, dict) else {"status": extra}), "job_id": f"j{number}"})
        built = [hw.build_task(task, None) for task in tasks]
        for records, time_key, id_key, name_key in (
            (built, "created_at", "id", "name"),
            ([hw.build_job(job) for job in jobs], "create_time", "job_id", "job_name"),
        ):
            ordered = hw.newest_first(records, time_key, id_key)
            counts = hw.summary(ordered, name_key)
            assert counts["total"] == 3 == sum(counts["by_phase"].values())
            assert isinstance(hw.describe(ordered), str)
            json.loads(json.dumps([ordered, counts]))
            for record in ordered:
                assert isinstance(hw.has_ended(record), bool)
        for record in built:
            hw.is_spec_change(record)
            hw.created_before(record, NOW)
            hw.created_after(record, NOW)

    run()


def test_accounts(inputs):
    inputs("accounts")

    @generated("accounts", SEEDS, st.sampled_from((KEYS, PASSWORD)))
    def run(seed, values):
        waits = Waits()
        with answers.Wire(seed):
            dds, account = service(hw.Dds, values, None, waits)
            project = held(lambda: account.project_id, waits)
            if isinstance(project, str):
                held(lambda: dds.jobs(NOW), waits)

    run()


SIGN_INS: tuple[tuple[dict[str, str], dict[str, Any]], ...] = (
    (KEYS, {"agency": AGENCY}),
    (PASSWORD, {"agency": AGENCY}),
    (PASSWORD, {"cache": True}),
    ({**PASSWORD, "user_id": "u", "passcode": "a-secret-passcode"}, {}),
    ({}, {}),
    ({}, {"agency": AGENCY}),
)


def test_sign_ins(inputs, tmp_path):
    inputs("sign-ins")
    folder = tmp_path / "cache"

    @generated("sign-ins", SEEDS, st.sampled_from(SIGN_INS), st.sampled_from((None, "a" * 32)))
    def run(seed, way, project_id):
        values, more = way
        waits = Waits()
        kept = {"cache_folder": str(folder)} if "cache" in more else {"agency": more.get("agency")}
        with answers.Wire(seed, healthy=0.5) as wire:
            dds, account = service(hw.Dds, values, project_id, waits, **kept)
            if isinstance(held(lambda: account.project_id, waits), str):
                held(lambda: dds.jobs(NOW), waits)
                # What signs in must not be lost on the way: each request has something of it.
                for request in wire.sent:
                    to_metadata = "/latest/" in request.url
                    signed = {"Authorization", "X-Auth-Token"} & set(request.headers)
                    assert bool(signed) is not (to_metadata or request.url.endswith("nocatalog=true"))
        for file in folder.glob("*"):
            content = json.loads(file.read_text("utf-8"))
            assert file.name.startswith("token-")
            assert content.keys() == {"token", "project_id", "expires_at"}
            file.unlink()

    run()


def test_times(inputs):
    inputs("times")
    parts = st.from_regex(r"\A-?\d{0,5}-\d{1,3}-\d{1,3}[T ]\d{1,3}:\d\d(:\d\d(\.\d{0,12})?)?([Z]|[+-]\d\d:?\d\d)?\Z")

    @generated("times", parts | JSON | SEEDS.map(lambda seed: answers.junk(random.Random(seed))))
    def run(value):
        moment = hw.parse_api_time(value)
        if moment is not None:
            assert moment.tzinfo is not None
            assert all(isinstance(form(moment), str) for form in (hw.to_dcs, hw.to_dds, hw.to_result))

    run()


RUNS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("dcs_task_info", {"instances": "all"}),
    ("dcs_task_info", {"names": ["EXTEND"], "start_time": "30d"}),
    ("dcs_task", {"instance": "one", "task_ids": ["2" * 32, "3" * 32], "state": "absent"}),
    ("dcs_task", {"task_ids": ["1" * 32, "2" * 32], "state": "finished", "wait_timeout": 3}),
    ("dcs_resize_cancel", {"instance": "one", "wait_timeout": 3}),
    ("dcs_resize_cancel", {"instance": "one", "task_id": "1" * 32, "wait": False}),
    ("dds_scheduled_job_info", {"instances": ["one"]}),
    ("dds_scheduled_job", {"job_ids": [answers.JOB["job_id"], "x"], "wait_timeout": 3}),
    ("dds_scheduled_job", {"instance": "one", "wait_timeout": 3}),
)


def test_modules(inputs, monkeypatch, no_backoff):
    inputs("modules")
    clock.install(monkeypatch, {name for name, _options in RUNS})

    @generated("modules", SEEDS, st.sampled_from(RUNS), st.sampled_from((KEYS, PASSWORD)), st.booleans())
    def run(seed, chosen, values, check_mode):
        name, options = chosen
        given_options = {"region": "sim-region-1", "endpoints": ENDPOINTS, "retries": 1, **values, **options}
        with answers.Wire(seed, healthy=0.6):
            result = run_module(name, given_options, check_mode=check_mode)
        text = json.dumps(result)
        assert "InternalError" not in text, result.get("exception", result)
        assert "a-secret" not in text
        if result.get("failed"):
            assert result["msg"].splitlines() == [result["msg"]]
        else:
            assert isinstance(result["changed"], bool)

    run()


#: Where each kind of file may lie, and what is asked of it.
PROFILES = st.tuples(
    st.sampled_from(("profile", "koocli", "clouds_yaml")), st.sampled_from((None, files.NAME, "two", "three", "none"))
)


def written(folder: Path, method: str, seed: int) -> Path:
    """A generated file, for clouds.yaml now and then with a secure.yaml beside it."""
    rng = random.Random(seed)
    file = folder / {"profile": "credentials", "koocli": "config.json", "clouds_yaml": "clouds.yaml"}[method]
    file.write_bytes(files.content(method, rng))
    secure = folder / "secure.yaml"
    secure.unlink(missing_ok=True)
    if method == "clouds_yaml" and rng.random() < 0.3:
        secure.write_bytes(files.content("secure", rng))
    return file


def test_profiles(inputs, tmp_path):
    inputs("profiles")

    @generated("profiles", SEEDS, PROFILES, st.none() | st.binary(max_size=80))
    def run(seed, wanted, raw):
        method, profile = wanted
        file = written(tmp_path, method, seed)
        if raw is not None and seed % 3 == 0:
            file.write_bytes(raw)
        environ = {"HOME": str(tmp_path), "OS_CLOUD": files.NAME}
        options = {"auth_method": method, "profile_file": str(file), "profile": profile}
        found = refused = None
        try:
            found = hw.find_credentials(options, environ)
        except hw.ConfigError as error:
            refused = error
        if found is not None:
            assert files.MARK not in repr(found)
            assert all(isinstance(value, str) and value for value in found.values.values())
        else:
            check_refusal(refused, str(tmp_path))

    run()


def check_refusal(error: Any, folder: str) -> None:
    """Whether this is what a user can be told of a file."""
    assert error.code in ("InvalidProfile", "IncompleteCredentials", "InvalidOption")
    assert error.message.splitlines() == [error.message]
    assert error.message.isprintable()
    assert len(error.message) < 1000
    assert folder in error.message
    # Nothing of it, in whatever case: YAML knows words that are written in several ways.
    assert files.MARK not in error.message.lower()


def test_profiles_of_modules(inputs, monkeypatch, no_backoff, tmp_path):
    inputs("profiles of modules")
    clock.install(monkeypatch, {"dds_scheduled_job_info"})

    @generated("profiles of modules", SEEDS, PROFILES)
    def run(seed, wanted):
        method, profile = wanted
        options = {"auth_method": method, "profile_file": str(written(tmp_path, method, seed)), "profile": profile}
        with answers.Wire(seed, healthy=1.0):
            result = run_module("dds_scheduled_job_info", options, environ={"HOME": str(tmp_path)})
        text = json.dumps(result)
        assert "InternalError" not in text, result.get("exception", result)
        if result.get("failed"):
            assert result["msg"].splitlines() == [result["msg"]]

    run()


def test_on_the_wire(record_property, fuzz_seed):
    """The same over real HTTP: status lines, headers and bodies as bytes."""
    rng = random.Random(fuzz_seed)
    count = 300
    record_property("inputs", count)

    def write(raw: bytes) -> Any:
        return lambda connection: connection.sendall(raw)

    def made() -> bytes:
        raw = answers.body(answers.mutated(rng.choice((*answers.ERRORS, answers.VALID[4][2])), rng), rng)
        fields = "".join(f"{name}: {value}\r\n" for name, value in answers.headers(rng).items())
        length = rng.choice((str(len(raw)), str(len(raw)), str(len(raw) + 5), "0", "-1", "x", "1, 2", "9" * 30))
        line = rng.choice(
            ("HTTP/1.1 200 OK",) * 5 + ("HTTP/1.1 999 ?", "HTTP/1.1 99", "HTTP/9.9 200 OK", "ICY 200", "\xff")
        )
        kind = rng.choice((f"Content-Length: {length}\r\n", "", "Transfer-Encoding: chunked\r\n"))
        return f"{line}\r\n{fields}{kind}Connection: close\r\n\r\n".encode("latin-1") + raw

    with Loopback(*[write(made()) for _number in range(count)]) as server:
        while len(server.seen) < count:
            waits = Waits()
            options = hw.HttpOptions(retries=1, read_timeout=1, deadline=20)
            client = hw.Client(options, monotonic=waits.monotonic, wait=waits.sleep)
            seen = len(server.seen)
            held(lambda client=client: client.request(GET, server.url).data, waits)
            assert len(server.seen) > seen


def test_there_are_twenty_five_thousand():
    assert sum(INPUTS.values()) == 25_000
