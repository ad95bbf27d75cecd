# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small decisions that no other test needs to notice: each was once changed in one word, and all tests passed."""

from __future__ import annotations

import contextlib
import importlib
import ssl
import threading
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import trustme

from ansible_collections.hwcloud.maintenance.plugins.module_utils import _http, _parallel
from ansible_collections.hwcloud.maintenance.plugins.module_utils._credentials import find_credentials
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import (
    LIST_CENTER_TASKS,
    LIST_TASKS,
    Dcs,
    build_task,
    confirms_cancellation,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_resize import others_waiting
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import checked_proxy
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    AnswerError,
    ApiError,
    ConfigError,
    MaintenanceError,
    NetworkError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Client, HttpOptions, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._parallel import each, unless_hopeless
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import failures, parse_api_time, phase_of
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import Listing, Page
from tests.harness.modules import COLLECTION
from tests.unit.loopback import Loopback, answer, drip, drop, stall

READ = Operation("ReadThing", "dcs", "GET", "/v2/things")
REMOVE = Operation("RemoveThing", "dcs", "DELETE", "/v2/things")


def client(**options):
    """A client that does not wait between attempts."""
    return Client(HttpOptions(**options), wait=lambda _seconds: None)


# --- Answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 299])
def test_success(status):
    with Loopback(answer(status)) as server:
        assert client().request(READ, server.url).status == status


@pytest.mark.parametrize("status", [300, 301, 399])
def test_what_lies_beyond_success_is_a_redirect(status):
    with Loopback(answer(status)) as server, pytest.raises(ApiError) as caught:
        client(retries=0).request(READ, server.url)
    assert caught.value.http_status == status
    assert str(caught.value).endswith("a redirect, which is never followed")


@pytest.mark.parametrize(("first", "uncertain"), [([drop], True), ([answer(503)], True), ([], False)])
def test_refused_sign_in_tells_whether_the_first_attempt_may_have_worked(first, uncertain):
    """Removed, answer lost, token expired, sign-in refused: the sign-in's own failure must not hide the doubt."""

    def renew():
        raise ApiError("The password was changed.", http_status=401)

    with Loopback(*first, answer(401)) as server, pytest.raises(MaintenanceError) as caught:
        client().request(REMOVE, server.url, renew=renew)
    assert caught.value.message == "The password was changed."
    assert caught.value.uncertain is uncertain


GENERAL = "Check the credentials, the security token of temporary keys, and the clock (right to within 15 minutes)."


@pytest.mark.parametrize(
    ("minutes", "signed", "hint"),
    [
        (60, True, "Set this machine's clock: it is 60 minutes fast, of 15 allowed."),
        (-60, True, "Set this machine's clock: it is 60 minutes slow, of 15 allowed."),
        (5, True, GENERAL),
        (60, False, GENERAL),
    ],
)
def test_hint_about_the_clock(minutes, signed, hint):
    """Word by word, as the general hint speaks of the clock too."""

    def auth(request):
        if signed:
            request.headers["Authorization"] = "SDK-HMAC-SHA256 Access=A"
        return request

    date = format_datetime(datetime.now(timezone.utc) - timedelta(minutes=minutes), usegmt=True)
    with Loopback(answer(401, headers={"Date": date})) as server, pytest.raises(ApiError) as caught:
        client().request(READ, server.url, auth=auth)
    assert caught.value.hint == hint


# --- Time --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (stall(20), "sent no answer within 0.3 seconds"),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b" " * 900, 0.1), "took longer than 0.3 seconds"),
    ],
    ids=["silent", "slow"],
)
def test_patience_ends_one_attempt(act, said):
    """Although the time limits of the task are far away, and the request might be repeated."""
    with Loopback(act, answer()) as server:
        start = time.monotonic()
        with pytest.raises(NetworkError, match=said):
            client(read_timeout=60, deadline=60).request(READ, server.url, patience=0.3)
        assert time.monotonic() - start < 10
        assert len(server.seen) == 1


def test_time_limits_count_where_they_are_shorter_than_patience():
    with Loopback(stall(20)) as server, pytest.raises(NetworkError, match=r"sent no answer within 0\.3 seconds"):
        client(read_timeout=0.3, deadline=60).request(READ, server.url, patience=30)


# --- Proxies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "retryable"), [(500, True), (502, True), (503, True), (504, True), (403, False), (407, False)]
)
def test_refusal_of_a_proxy(status, retryable):
    """What a proxy says of itself may pass; what it says of the client does not."""
    with Loopback(answer(status)) as proxy, pytest.raises(NetworkError) as caught:
        client(proxy=proxy.url, retries=0).request(READ, "https://dcs.example.com")
    assert f"makes no connection to dcs.example.com: HTTP {status}." in caught.value.message
    assert caught.value.retryable is retryable
    assert caught.value.hint == "Check proxy, its user and password, and no_proxy."
    assert caught.value.uncertain is False


@pytest.mark.parametrize(
    "url",
    [
        "http://proxy.example.com:3128 ",
        "http://us er:password@proxy.example.com:3128",
        "http://user:pass word@proxy.example.com:3128",
        "http://user:pass\\word@proxy.example.com:3128",
        "http://user:pass\tword@proxy.example.com:3128",
    ],
)
def test_proxy_with_a_blank(url):
    with pytest.raises(ConfigError) as caught:
        checked_proxy(url)
    assert "word@" not in str(caught.value)


# --- Credentials -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["S" * 20 + " ", " " + "S" * 20, "S" * 10 + " " + "S" * 10, "S" * 20 + "é", "S" * 20 + "\n"]
)
@pytest.mark.parametrize("option", ["access_key", "secret_key", "security_token", "auth_token"])
def test_key_with_blanks_or_letters_of_other_alphabets(option, value):
    """Nothing of the kind was ever issued; what is said does not quote it."""
    key = {"access_key": "A" * 20, "secret_key": "K" * 40, "security_token": "T" * 40}
    options = {"auth_token": value} if option == "auth_token" else {**key, option: value}
    with pytest.raises(ConfigError) as caught:
        find_credentials(options, {})
    assert str(caught.value) == (
        f"{option} in the task's options must consist of printable ASCII characters without blanks or line ends."
    )


# --- Inventories -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", ["profile_file", "profile", "auth_method", "access_key", "username", "auth_token"])
def test_project_with_its_own_sign_in_takes_none_from_the_top(own):
    """Whatever of signing in an entry of C(projects) has, the rest of the file's sign-in is not its."""
    merged = importlib.import_module(f"{COLLECTION}.plugin_utils._inventory")._merged
    top = {"access_key": "A", "secret_key": "S", "profile": "p", "profile_file": "f", "auth_method": "profile"}
    assert merged({**top, "region": "here"}, {own: "mine"}) == {"region": "here", own: "mine"}


# --- Many at the same time ---------------------------------------------------------------------------------------------


def crew(**options):
    """A client whose credentials were accepted, which does two at the same time."""
    made = Client(HttpOptions(max_concurrency=2, **options))
    made.accepted = True
    return made


def test_nothing_is_begun_after_the_deadline(monkeypatch):
    """What is under way then may still end; one of the rest says why it was not tried, and certainly was not done."""
    monkeypatch.setattr(_parallel, "_GRACE", 20)
    client = crew(deadline=0.2)
    begun = []

    def act(item):
        begun.append(item)
        while client.remaining() > 0:
            time.sleep(0.01)
        # The calling thread has to come first.
        time.sleep(0.5)

    outcomes, not_tried = each(client, READ, range(6), act, unless_hopeless())
    assert sorted(begun) == [0, 1]
    assert [outcome.error for outcome in outcomes[:2]] == [None, None]
    assert (outcomes[2].item, outcomes[2].error.code, outcomes[2].error.uncertain) == (2, "DeadlineExceeded", False)
    assert (len(outcomes), not_tried) == (3, [3, 4, 5])


def test_nothing_is_begun_after_a_defect_of_what_decides():
    begun, asked = [], []
    both = threading.Barrier(2)

    def act(item):
        begun.append(item)
        if item < 2:
            both.wait(30)
        time.sleep(0.5 if item else 0)

    def stops(outcome):
        asked.append(outcome.item)
        if len(asked) == 1:
            raise ZeroDivisionError
        return False

    with pytest.raises(ZeroDivisionError):
        each(crew(), READ, range(6), act, stops)
    assert sorted(begun) == [0, 1]


# --- Words, times and failures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        ("pending", "CREATED INIT WAITING PENDING"),
        ("running", "EXECUTING RUNNING"),
        ("succeeded", "SUCCESS COMPLETED"),
        ("failed", "FAILED FAIL"),
        ("cancelled", "CANCELLED CANCELED DELETED"),
        ("unknown", "PAUSED"),
    ],
)
def test_phase_of_each_word(phase, words):
    assert {phase_of(word) for word in words.split()} == {phase}
    assert {phase_of(word.capitalize()) for word in words.split()} == {phase}


@pytest.mark.parametrize("digits", ["1", "123", "123456", "1234567", "123456789"])
def test_fractions_of_a_second(digits):
    """Python keeps six digits; more are no reason to take a time for unreadable."""
    moment = parse_api_time(f"2026-01-15T08:30:00.{digits}Z")
    assert moment == datetime(2026, 1, 15, 8, 30, 0, int(digits.ljust(6, "0")[:6]), timezone.utc)


@pytest.mark.parametrize(
    ("uncertain", "acts", "said"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_what_is_not_known_is_said(uncertain, acts, said):
    """Of what acts, and not of what only reads."""
    error = ApiError("It failed.", http_status=500)
    error.uncertain = uncertain
    (failure,) = failures({"a": error}, "id", acts=acts)
    assert failure["msg"] == "It failed." + (" It is not known whether it was done." if said else "")
    assert failures({"a": error}, "id") == failures({"a": error}, "id", acts=True)


@pytest.mark.parametrize("entry", [7, {"name": "no id"}, {"id": "../../x"}])
def test_entry_that_cannot_be_is_no_passing_failure(entry):
    """The service would say the same again."""
    listing = Listing(lambda _offset: Page([entry], 1), 10, "id", READ, None)
    with pytest.raises(AnswerError) as caught:
        listing.collect()
    assert (caught.value.retryable, caught.value.stops_all) == (False, False)


def pages_of(*pages):
    """A listing that gives these pages, one after the other, whatever the offset is, and then the last one for ever."""
    given = iter(pages)
    last = pages[-1]
    return Listing(lambda _offset: next(given, last), 10, "id", READ, None)


def records(count):
    return [{"id": f"k{number}"} for number in range(count)]


def test_short_page_that_comes_again_although_there_is_more():
    """The offset is not honoured: that is said, and not that records are lacking."""
    with pytest.raises(AnswerError, match="gave the same page again 3 times, after 3 records"):
        pages_of(Page(records(3), 6)).collect()


def test_short_page_that_comes_again_when_there_is_no_more():
    """A record was counted that is gone a moment later."""
    assert pages_of(Page(records(3), 4), Page(records(3), 3)).collect() == records(3)


@pytest.mark.parametrize(
    ("name", "status", "waits"),
    [
        ("EXTEND", "CREATED", True),
        ("EXTEND", "EXECUTING", True),
        ("EXTEND", "SUCCESS", False),
        ("dcsExportJob", "CREATED", True),
        ("dcsExportJob", "PAUSED", True),
        ("dcsExportJob", "EXECUTING", False),
        ("dcsExportJob", "FAILED", False),
    ],
)
def test_what_else_may_wait_on_an_instance(name, status, waits):
    """Spec changes that have not ended, and other tasks that do not run either; never the one that is meant itself."""
    tasks = [build_task({"id": id_, "name": name, "status": status}, "i") for id_ in ("Own", "other")]
    assert [task["id"] for task in others_waiting(tasks, tasks[0])] == (["other"] if waits else [])
    assert [task["id"] for task in others_waiting(tasks, {**tasks[0], "id": "OWN"})] == (["other"] if waits else [])
    assert [task["id"] for task in others_waiting(tasks, None)] == (["Own", "other"] if waits else [])


@pytest.mark.parametrize(
    ("status", "data", "confirmed"),
    [
        (200, {"result": "success"}, True),
        (201, {"result": "success"}, False),
        (202, {"result": "success"}, False),
        (200, {"result": "failed"}, False),
        (200, {}, False),
        (200, ["success"], False),
    ],
)
def test_what_confirms_the_cancellation_of_a_spec_change(status, data, confirmed):
    """The documented answer, and nothing else."""
    assert confirms_cancellation(status, data) is confirmed


@pytest.mark.parametrize(
    ("operation", "own", "mended"),
    [
        (LIST_TASKS, {}, True),
        (LIST_CENTER_TASKS, {}, True),
        (LIST_TASKS, {"status": "EXECUTING"}, False),
        (LIST_TASKS, {"created_at": "2026-01-01T00:00:00.000Z"}, False),
        (LIST_TASKS, {"updated_at": None}, False),
        (Dcs.list_instances, {}, False),
    ],
)
def test_fields_beside_a_list(operation, own, mended):
    """They belong to the only task of a list of tasks that has none of them itself (C4), and to nothing else."""
    beside = {"status": "SUCCESS", "created_at": "2020-06-17T08:18:06.597Z", "updated_at": "2020-06-17T08:18:10.106Z"}
    dcs = Dcs(client(), None, None, None)
    task = {"id": "a", **own}
    dcs.normalize_listing(operation, {"task_count": 1, "tasks": [task], **beside})
    assert task == ({"id": "a", **beside} if mended else {"id": "a", **own})
    two = [{"id": "a"}, {"id": "b"}]
    dcs.normalize_listing(operation, {"task_count": 2, "tasks": two, **beside})
    assert two == [{"id": "a"}, {"id": "b"}]


@pytest.mark.parametrize(
    ("status", "accepted"),
    [(200, True), (400, True), (404, True), (429, True), (500, True), (401, False), (403, False)],
)
def test_which_answer_shows_that_the_credentials_were_accepted(status, accepted):
    """Until then one request at a time, as bad signatures lock a key; a refusal stays no proof after one that was."""
    with Loopback(answer(status), answer(403)) as server:
        made = client(retries=0)
        for _request in range(2):
            with contextlib.suppress(ApiError):
                made.request(READ, server.url)
    assert made.accepted is accepted


@pytest.mark.parametrize(
    ("data", "stops_all"),
    [({}, False), ({"result": "failed"}, False), (None, False), ("", False), (["x"], True), ("text", True), (7, True)],
)
def test_which_odd_success_stops_all(data, stops_all):
    """A dictionary is the service's own word about one item; what else says something would be said to all."""
    error = Dcs(client(), None, None, None).unconfirmed(REMOVE, Answer(200, {}, data, False))
    assert (error.stops_all, error.retryable, error.uncertain, error.accepted) == (stops_all, True, True, False)


def test_what_breaks_behind_a_proxy_is_not_the_proxy():
    """It has made the connection; then the service hangs up."""
    with Loopback(answer(200, b"")) as proxy, pytest.raises(NetworkError) as caught:
        client(proxy=proxy.url, retries=0).request(READ, "https://dcs.example.com")
    assert "connection to dcs.example.com could not be made" in caught.value.message
    assert "The proxy" not in caught.value.message
    assert (caught.value.retryable, caught.value.uncertain) == (True, False)


def test_server_that_wants_another_client_is_not_asked_again(tmp_path):
    """It asks for a certificate; the next run would have none either."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    with Loopback(tls=context) as server, pytest.raises(NetworkError, match="does not accept this client") as caught:
        client(ca_path=str(path)).request(READ, server.url)
    assert caught.value.retryable is False
    assert caught.value.hint.startswith("Check client_cert and client_key")


@pytest.mark.parametrize(
    ("status", "headers", "closed"), [(429, {}, True), (503, {"Retry-After": "0"}, False), (503, {}, False)]
)
def test_what_holds_up_all_requests(monkeypatch, status, headers, closed):
    """429 does, also where it does not say for how long; 503 only where it says so."""
    monkeypatch.setattr(f"{_http.__name__}.random.uniform", lambda _low, _high: 7.0)
    made = Client(HttpOptions(), monotonic=lambda: 1000.0, wait=lambda _seconds: None)
    waits = []
    monkeypatch.setattr(made, "_close_for", waits.append)
    with Loopback(answer(status, headers=headers)) as server:
        assert made.request(READ, server.url).status == 200
    assert waits == ([7.0] if closed else [0.0] if headers else [])


def test_code_of_an_error_is_cut():
    with Loopback(answer(400, b'{"error_code": "' + b"C" * 300 + b'"}')) as server, pytest.raises(ApiError) as caught:
        client().request(READ, server.url)
    assert len(caught.value.code) == 100
