# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client: what is sent again and what never, time limits, bodies that are not right, and what is kept secret."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
import tracemalloc
import zlib
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import quote, quote_plus

import pytest
import requests
import trustme

from ansible_collections.hwcloud.maintenance.plugins.module_utils import _http
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    AnswerError,
    ApiError,
    MaintenanceError,
    NetworkError,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, HttpOptions, Operation
from tests.unit.loopback import Loopback, answer, drip, drop, half, reset, stall

METHODS = ["GET", "DELETE", "POST"]
REPEATED = ["GET", "DELETE"]


class Clock:
    """Time that passes only by waiting."""

    def __init__(self):
        self.now = 1000.0
        self.waits = []

    def monotonic(self):
        return self.now

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def make(clock=None, **options):
    clock = clock or Clock()
    return Client(HttpOptions(**options), monotonic=clock.monotonic, wait=clock.wait)


def operation(method="GET", path="/v2/things", action=None):
    return Operation(f"{method.title()}Thing", "dcs", method, path, action)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def ca_path(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


# What is sent again


@pytest.mark.parametrize("method", REPEATED)
@pytest.mark.parametrize("bad", [drop, reset, half(), *(answer(status) for status in (429, 500, 502, 503, 504))])
def test_repeated_until_it_works(method, bad):
    with Loopback(bad, bad, bad, bad) as server:
        client = make()
        got = client.request(operation(method), server.url)
    assert (got.status, got.data) == (200, {})
    assert len(server.seen) == client.requests == 5
    assert len(client.retried) == 4
    assert all(line.startswith(f"{method.title()}Thing was repeated after ") for line in client.retried)


@pytest.mark.parametrize("method", REPEATED)
def test_repeated_after_a_time_out(method):
    with Loopback(stall(1)) as server:
        got = make(read_timeout=0.2).request(operation(method), server.url)
    assert got.uncertain
    assert len(server.seen) == 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_repeated_when_the_connection_is_refused(method, retries):
    clock = Clock()
    client = make(clock, retries=retries)
    with pytest.raises(NetworkError, match=r"could not be made: .*[Rr]efused") as caught:
        client.request(operation(method), f"http://127.0.0.1:{free_port()}")
    assert client.requests == retries + 1
    assert len(clock.waits) == retries
    assert caught.value.uncertain is False
    assert caught.value.retryable is True


@pytest.mark.parametrize("method", METHODS)
def test_repeated_when_the_name_is_unknown(method, monkeypatch):
    def unknown(*_arguments, **_keywords):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    client = make(retries=2)
    with pytest.raises(NetworkError, match="could not be made: Name or service not known") as caught:
        client.request(operation(method), "https://dcs.nowhere.invalid")
    assert client.requests == 3
    assert caught.value.uncertain is False


@pytest.fixture
def full_port():
    """A port that takes no connection and does not refuse one either."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = []
        for _each in range(3):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(server.getsockname())
            waiting.append(client)
        yield server.getsockname()[1]
        for client in waiting:
            client.close()


@pytest.mark.parametrize("method", METHODS)
def test_repeated_when_no_connection_is_made_in_time(method, full_port):
    client = make(retries=1, connect_timeout=0.2)
    with pytest.raises(
        NetworkError, match=r"^\w+Thing: No connection to 127\.0\.0\.1:\d+ within 0\.2 seconds"
    ) as caught:
        client.request(operation(method), f"http://127.0.0.1:{full_port}")
    assert client.requests == 2
    assert caught.value.uncertain is False


@pytest.mark.parametrize("bad", [drop, reset, half(), half(500), stall(1)])
def test_post_whose_answer_is_lost_is_never_repeated(bad):
    with Loopback(bad) as server:
        client = make(read_timeout=0.3)
        with pytest.raises(NetworkError) as caught:
            client.request(operation("POST"), server.url)
    assert len(server.seen) == client.requests == 1
    assert caught.value.uncertain is True
    assert client.retried == []


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 599])
def test_post_that_broke_inside_the_service_is_never_repeated(status):
    with Loopback(answer(status)) as server, pytest.raises(ApiError) as caught:
        make().request(operation("POST"), server.url)
    assert len(server.seen) == 1
    assert caught.value.uncertain is True


def test_post_that_was_refused_is_repeated():
    with Loopback(answer(429), answer(429)) as server:
        got = make().request(operation("POST"), server.url, body={"a": 1})
    assert got.uncertain is False
    assert [json.loads(seen.body) for seen in server.seen] == [{"a": 1}] * 3


def test_post_is_not_repeated_after_the_second_attempt_got_lost():
    with Loopback(answer(429), drop) as server, pytest.raises(NetworkError) as caught:
        make().request(operation("POST"), server.url)
    assert len(server.seen) == 2
    assert caught.value.uncertain is True


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422])
def test_refusals_are_never_repeated(method, status):
    with Loopback(answer(status)) as server, pytest.raises(ApiError) as caught:
        make().request(operation(method), server.url)
    assert len(server.seen) == 1
    assert caught.value.http_status == status
    assert caught.value.uncertain is False


@pytest.mark.parametrize("code", ["DCS.4111", "DBS.200998"])
def test_busy_codes_are_retryable_for_the_user_but_not_repeated_here(code):
    body = json.dumps({"error_code": code, "error_msg": "busy"}).encode()
    with Loopback(answer(400, body)) as server, pytest.raises(ApiError) as caught:
        make().request(operation(), server.url)
    assert len(server.seen) == 1
    assert caught.value.retryable is True


@pytest.mark.parametrize("method", METHODS)
def test_new_sign_in_once(method):
    renewals = []
    with Loopback(answer(401)) as server:
        client = make(retries=0)
        got = client.request(operation(method), server.url, renew=lambda: renewals.append(1) or True)
    assert got.status == 200
    assert len(renewals) == 1
    assert len(server.seen) == 2
    assert client.retried == [f"{method.title()}Thing was sent again after a new sign-in."]


@pytest.mark.parametrize(("helps", "sent"), [(True, 2), (False, 1)])
def test_new_sign_in_at_most_once(helps, sent):
    renewals = []
    with Loopback(answer(401), answer(401)) as server, pytest.raises(ApiError) as caught:
        make().request(operation(), server.url, renew=lambda: renewals.append(1) or helps)
    assert len(renewals) == 1
    assert len(server.seen) == sent
    assert caught.value.http_status == 401
    assert caught.value.retryable is False


def test_new_sign_in_uses_the_new_token():
    tokens = ["old"]

    def mark(request):
        request.headers["X-Auth-Token"] = tokens[-1]
        return request

    with Loopback(answer(401)) as server:
        make().request(operation(), server.url, auth=mark, renew=lambda: tokens.append("new") or True)
    assert [seen.fields["x-auth-token"] for seen in server.seen] == ["old", "new"]


def test_no_new_sign_in_after_403():
    with Loopback(answer(403)) as server, pytest.raises(ApiError):
        make().request(operation(), server.url, renew=pytest.fail)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("actions", "uncertain"),
    [
        ([], False),
        ([answer(429)], False),
        ([answer(503)], True),
        ([drop], True),
        ([half()], True),
        ([drop, answer(429)], True),
    ],
)
def test_a_success_tells_whether_an_earlier_attempt_may_have_worked(actions, uncertain):
    with Loopback(*actions) as server:
        assert make().request(operation("DELETE"), server.url).uncertain is uncertain


@pytest.mark.parametrize(("first", "uncertain"), [(drop, True), (answer(500), True), (answer(429), False)])
def test_a_refusal_tells_whether_an_earlier_attempt_may_have_worked(first, uncertain):
    with Loopback(first, answer(404)) as server, pytest.raises(ApiError) as caught:
        make().request(operation("DELETE"), server.url)
    assert caught.value.http_status == 404
    assert caught.value.uncertain is uncertain


# When it is sent again


def test_back_off_grows_with_full_jitter(monkeypatch):
    bounds = []

    def uniform(low, high):
        bounds.append((low, high))
        return high

    monkeypatch.setattr(_http.random, "uniform", uniform)
    clock = Clock()
    with Loopback(*[answer(503)] * 9) as server, pytest.raises(ApiError):
        make(clock, retries=8).request(operation(), server.url)
    assert [low for low, _high in bounds] == [0] * 8
    highs = [high for _low, high in bounds]
    assert highs == [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert clock.waits == highs


def test_back_off_is_really_random():
    with Loopback(*[answer(503)] * 20) as server:
        clock = Clock()
        make(clock, retries=20).request(operation(), server.url)
    assert len(set(clock.waits)) == 20
    assert all(0 <= seconds <= 30 for seconds in clock.waits)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds(status):
    clock = Clock()
    with Loopback(answer(status, headers={"Retry-After": "77"})) as server:
        make(clock).request(operation(), server.url)
    assert clock.waits == [77]


def test_retry_after_as_a_date():
    clock = Clock()
    moment = datetime.now(timezone.utc) + timedelta(seconds=100)
    with Loopback(answer(429, headers={"Retry-After": format_datetime(moment, usegmt=True)})) as server:
        make(clock).request(operation(), server.url)
    assert 90 < clock.waits[0] <= 100


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "٣",
        "²",
        "1e3",
        "0x10",
        "Wed",
        "999999999999 x",
        "\x01",
    ],
)
def test_retry_after_that_cannot_be_read(value, monkeypatch):
    monkeypatch.setattr(_http.random, "uniform", lambda low, high: 0.25)
    clock = Clock()
    client = make(clock)
    assert client._goes_on(operation(), 1, MaintenanceError("why"), value, may_repeat=True)
    assert clock.waits == [0.25]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_service_that_asks_for_time_gets_it_also_when_the_request_is_given_up(method):
    clock = Clock()
    with Loopback(answer(429, b"{}", {"Retry-After": "30"}), answer(200, b"{}")) as server:
        client = make(clock, retries=0)
        with pytest.raises(ApiError):
            client.request(operation(method), server.url)
        assert clock.waits == []
        client.request(operation(method), server.url)
    assert sum(clock.waits) == pytest.approx(30, abs=1)


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0), (" 5 ", 5), ("007", 7), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), (None, None)]
)
def test_retry_after_forms(value, seconds):
    assert _http._retry_after_seconds(value) == seconds


@pytest.mark.parametrize("value", ["3600", "9" * 400, "9" * 6000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_retry_after_beyond_the_deadline_is_not_waited_for(value):
    clock = Clock()
    with Loopback(answer(429, headers={"Retry-After": value})) as server, pytest.raises(ApiError) as caught:
        make(clock, deadline=60).request(operation(), server.url)
    assert clock.waits == []
    assert caught.value.http_status == 429
    assert len(server.seen) == 1


def test_never_sleeps_beyond_the_deadline(monkeypatch):
    monkeypatch.setattr(_http.random, "uniform", lambda low, high: high)
    clock = Clock()
    with Loopback(*[answer(503)] * 20) as server, pytest.raises(ApiError) as caught:
        make(clock, retries=20, deadline=20).request(operation(), server.url)
    assert clock.waits == [0.5, 1, 2, 4, 8]
    assert clock.now < 1020
    assert caught.value.http_status == 503


def test_pause_ends_at_the_deadline():
    clock = Clock()
    client = make(clock, deadline=10)
    client.pause(4)
    client.pause(100)
    client.pause(100)
    assert clock.waits == [4, 6, 0]
    assert client.remaining() == 0


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_sent_after_the_deadline(method):
    clock = Clock()
    client = make(clock, deadline=10)
    clock.now += 10
    with Loopback() as server, pytest.raises(NetworkError) as caught:
        client.request(operation(method), server.url)
    assert server.seen == []
    assert client.requests == 0
    assert caught.value.failure()["code"] == "DeadlineExceeded"
    assert caught.value.uncertain is False


# Time limits, in real time


#: Seconds that a server takes which has to be given up, and within which that happens, also on a machine that is busy.
NEVER, SOON = 60, 25


def timed(deadline, act, *, tls=None, **options):
    """The error of a request to a server that does this, which has to come soon."""
    with Loopback(act, tls=tls) as server:
        client = Client(HttpOptions(deadline=deadline, **options))
        started = time.monotonic()
        with pytest.raises(NetworkError) as caught:
            client.request(operation("POST"), server.url)
        elapsed = time.monotonic() - started
    assert elapsed < SOON
    return caught.value


def head(length):
    return f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n".encode()


def chunked(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(b"1\r\n \r\n" * 200, 0.05)(connection)


def body_drip(connection):
    connection.sendall(head(1200))
    drip(b" " * 1200, 0.05)(connection)


def stalling_body(connection):
    connection.sendall(head(200) + b"[1, ")
    time.sleep(NEVER)


@pytest.mark.parametrize(
    "act",
    [stall(NEVER), drip(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1200, 0.05), body_drip, chunked, stalling_body],
    ids=["no answer", "dripping head", "dripping body", "dripping chunks", "stalling body"],
)
def test_deadline_cuts(act):
    error = timed(0.6, act)
    assert error.failure()["code"] == "DeadlineExceeded"
    assert error.uncertain is True
    assert "0.6 seconds" in str(error)


@pytest.mark.parametrize("act", [stall(NEVER), stalling_body], ids=["no answer", "stalling body"])
def test_read_timeout_cuts(act):
    error = timed(600, act, read_timeout=0.4)
    assert error.failure()["code"] == "NetworkError"
    assert error.uncertain is True


def test_deadline_cuts_the_connecting(full_port):
    client = Client(HttpOptions(deadline=0.4, connect_timeout=NEVER))
    started = time.monotonic()
    with pytest.raises(NetworkError) as caught:
        client.request(operation(), f"http://127.0.0.1:{full_port}")
    assert time.monotonic() - started < SOON
    assert caught.value.failure()["code"] == "DeadlineExceeded"
    assert caught.value.uncertain is False


# Bodies


@pytest.mark.parametrize("method", REPEATED)
def test_truncated_body_is_noticed(method):
    with Loopback(half(), half()) as server, pytest.raises(NetworkError) as caught:
        make(retries=1).request(operation(method), server.url)
    assert len(server.seen) == 2
    assert caught.value.uncertain is True


def test_truncated_body_is_noticed_where_urllib3_does_not(monkeypatch):
    """As with urllib3 before 2: a body that ends early is taken for a complete one."""
    client = make(retries=0)

    def forget(response, **_keywords):
        response.raw.enforce_content_length = False
        response.raw.length_remaining = None

    client._opened().hooks["response"].append(forget)
    complete = b'{"tasks": []}'
    with (
        Loopback(half(body=complete, announced=len(complete) + 9)) as server,
        pytest.raises(NetworkError, match="ended after 13 of 22 bytes") as caught,
    ):
        client.request(operation(), server.url)
    assert caught.value.uncertain is True


def test_truncated_chunks_are_noticed():
    def act(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")

    with Loopback(act) as server, pytest.raises(NetworkError):
        make(retries=0).request(operation(), server.url)


def test_truncated_error_is_not_taken_for_the_error():
    with Loopback(half(404), answer(404)) as server, pytest.raises(ApiError) as caught:
        make().request(operation(), server.url)
    assert caught.value.http_status == 404
    assert len(server.seen) == 2


def test_compressed_body():
    data = {"tasks": ["x" * 50] * 100}
    packed = gzip.compress(json.dumps(data).encode())
    with Loopback(answer(body=packed, headers={"Content-Encoding": "gzip"})) as server:
        assert make().request(operation(), server.url).data == data


@pytest.mark.parametrize("packed", [False, True])
def test_too_large_body(packed, monkeypatch):
    monkeypatch.setattr(_http, "_BODY_MOST", 2**20)
    body = b" " * (2**20 + 1)
    act = answer(body=gzip.compress(body), headers={"Content-Encoding": "gzip"}) if packed else answer(body=body)
    with Loopback(act) as server, pytest.raises(AnswerError, match="more than 1 MiB") as caught:
        make().request(operation("DELETE"), server.url)
    assert len(server.seen) == 1
    assert caught.value.uncertain is True


def test_largest_body(monkeypatch):
    monkeypatch.setattr(_http, "_BODY_MOST", 2**20)
    with Loopback(answer(body=b" " * (2**20 - 2) + b"[]")) as server:
        assert make().request(operation(), server.url).data == []


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"<html>portal</html>", b"{", b"{'a': 1}", b"\xff\xfe{}", b"[" * 100000, b"nil", b"{} {}", b"caf\xe9"],
)
def test_body_that_is_not_json(body):
    fields = {"X-Request-Id": "r-1", "Content-Type": "text/html"}
    with Loopback(answer(200, body, fields)) as server, pytest.raises(AnswerError, match="is not JSON: ") as caught:
        make().request(operation("POST"), server.url)
    assert len(server.seen) == 1
    assert caught.value.uncertain is True
    assert caught.value.request_id == "r-1"
    assert caught.value.http_status == 200
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("confirmation", [(204, b""), (200, b""), (202, b" "), (200, b'{"message": ""}'), (200, b"{}")])
def test_confirmation_needs_no_body(confirmation):
    with Loopback(answer(*confirmation)) as server:
        assert make().request(operation("DELETE"), server.url, read_body=False).status == confirmation[0]


@pytest.mark.parametrize("body", [b"<html>portal</html>", b'{"error_code": "DCS.5000"}', b"[]", b"null"])
def test_answer_of_somebody_else_confirms_nothing(body):
    """A portal in between answers 200 to everything; the task must look for itself what became of it."""
    with (
        Loopback(answer(200, body)) as server,
        pytest.raises(AnswerError, match=r"is not (JSON|a confirmation): ") as caught,
    ):
        make().request(operation("DELETE"), server.url, read_body=False)
    assert caught.value.uncertain is True
    assert len(server.seen) == 1


@pytest.mark.parametrize("data", [{}, [], None, 5, "é中", {"a": [1, {"b": None}]}])
def test_body_that_is_json(data):
    with Loopback(answer(body=json.dumps(data).encode(), headers={"Content-Type": "text/html"})) as server:
        assert make().request(operation(), server.url).data == data


# Errors


def test_error_tells_all():
    body = b'{"error_code": "DCS.4957", "error_msg": "Not now.", "request_id": "in-body"}'
    with Loopback(answer(400, body, {"x-request-id": "in-header"})) as server, pytest.raises(ApiError) as caught:
        make().request(operation("DELETE", action="dcs:task:delete"), server.url)
    assert str(caught.value) == "DeleteThing failed with HTTP 400 and code DCS.4957: Not now."
    assert caught.value.failure() == {
        "code": "DCS.4957",
        "http_status": 400,
        "request_id": "in-header",
        "service": "dcs",
        "operation": "DeleteThing",
        "retryable": False,
        "hint": None,
    }


@pytest.mark.parametrize(
    ("fields", "body", "request_id"),
    [
        ({"X-IAM-Trace-Id": "iam"}, b"{}", "iam"),
        ({"X-REQUEST-ID": "a", "X-IAM-Trace-Id": "b"}, b"{}", "a"),
        ({}, b'{"request_id": "body"}', "body"),
        ({}, b"<html>", None),
    ],
)
def test_request_id(fields, body, request_id):
    with Loopback(answer(400, body, fields)) as server, pytest.raises(ApiError) as caught:
        make().request(operation(), server.url)
    assert caught.value.request_id == request_id


@pytest.mark.parametrize(
    ("body", "said"), [(b"", "no explanation"), (b"<html>\n Bad\x00 </html>", "<html> Bad </html>"), (b"{}", "{}")]
)
def test_error_without_a_readable_body(body, said):
    with Loopback(answer(418, body)) as server, pytest.raises(ApiError) as caught:
        make().request(operation(), server.url)
    assert str(caught.value) == f"GetThing failed with HTTP 418: {said}"
    assert caught.value.code == "418"


def test_permission_is_named():
    with Loopback(answer(403)) as server, pytest.raises(ApiError) as caught:
        make().request(operation(action="dcs:instance:scale"), server.url)
    assert "dcs:instance:scale" in caught.value.hint


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_never_followed(method, status):
    with Loopback() as other:
        elsewhere = answer(status, b"", {"Location": f"{other.url}/v2/things"})
        with Loopback(elsewhere) as server, pytest.raises(ApiError, match="a redirect, which is never followed"):
            make().request(operation(method), server.url, headers={"X-Auth-Token": "secret"})
    assert len(server.seen) == 1
    assert other.seen == []


# Secrets

SECRET = "correct-horse-battery-staple"


def all_text(error, client):
    return " ".join([str(error), json.dumps(error.failure()), *client.retried])


@pytest.mark.parametrize(
    "act",
    [
        answer(400, json.dumps({"error_code": "C", "error_msg": f"wrong: {SECRET}!"}).encode()),
        answer(400, json.dumps({"error_code": SECRET, "error_msg": "m"}).encode()),
        answer(400, json.dumps({"request_id": SECRET, "error_msg": "m"}).encode()),
        answer(400, f"<html>{SECRET}</html>".encode()),
        answer(503, f"<html>{SECRET}</html>".encode()),
        answer(200, f"<html>{SECRET}</html>".encode()),
        *(answer(200, b"x" * length + SECRET.encode()) for length in (180, 190, 199)),
        *(answer(400, b"x" * length + SECRET.encode()) for length in (180, 190, 199)),
    ],
)
def test_secret_is_never_quoted(act):
    client = make(retries=1)
    client.keep_secret(SECRET)
    client.keep_secret(None)
    client.keep_secret("")
    with Loopback(act, act) as server, pytest.raises(MaintenanceError) as caught:
        client.request(operation(), server.url)
    text = all_text(caught.value, client)
    assert not any(SECRET[:length] in text for length in range(8, len(SECRET) + 1))


def test_redact():
    client = make()
    client.keep_secret("abc")
    client.keep_secret("abcdef")
    assert client.redact("xabcdefx abc ABC ab") == "x********x ******** ABC ab"


@pytest.mark.parametrize(
    "escaped",
    [
        'pä"ss w/\\rd',
        json.dumps('pä"ss w/\\rd'),
        json.dumps('pä"ss w/\\rd', ensure_ascii=False),
        json.dumps(json.dumps('pä"ss w/\\rd')),
        quote('pä"ss w/\\rd'),
        quote('pä"ss w/\\rd', safe=""),
        quote_plus('pä"ss w/\\rd'),
    ],
)
def test_redact_escaped(escaped):
    client = make()
    client.keep_secret('pä"ss w/\\rd')
    text = client.redact(f"<{escaped}>")
    assert "********" in text
    assert not {"ss", "rd", "w"} & set(re.findall("[a-z]+", text))


def test_redact_nothing():
    assert make().redact("text") == "text"


def test_secret_in_a_network_error():
    client = make(retries=0)
    client.keep_secret("nowhere")
    with pytest.raises(NetworkError) as caught:
        client.request(operation(), f"http://127.0.0.1:{free_port()}/nowhere")
    assert "nowhere" not in all_text(caught.value, client)


# The environment


def test_environment_has_no_say(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login netrc-user password netrc-password\n", encoding="utf-8")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with Loopback() as proxy, Loopback() as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        # That requests itself would have been led astray:
        requests.get(server.url, timeout=5)
        assert (len(proxy.seen), len(server.seen)) == (1, 0)

        make().request(operation(), server.url)
        assert (len(proxy.seen), len(server.seen)) == (1, 1)
    assert "authorization" not in server.seen[0].fields


def test_ca_bundle_of_the_environment_has_no_say(monkeypatch, tls, ca_path):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, ca_path)
    with Loopback(tls=tls) as server, pytest.raises(NetworkError, match=r"certificate .*is not accepted"):
        make().request(operation(), server.url)


def test_request_is_as_it_should_be():
    with Loopback() as server:
        make().request(
            operation(path="/v2/{project_id}/x"), server.url, path={"project_id": "0a-B_9"}, query={"b": 1, "a": None}
        )
    (seen,) = server.seen
    assert seen.target == "/v2/0a-B_9/x?b=1"
    assert seen.fields["user-agent"].startswith("ansible-hwcloud.maintenance/")
    assert seen.fields["content-type"] == "application/json"
    assert seen.body == b""


@pytest.mark.parametrize(
    "value",
    [
        "..",
        ".",
        "",
        "a/../b",
        "a b",
        "a%2e",
        "a?b",
        "a#b",
        "é",
        "\u0661",
        "a\n",
        "-a",
        "_a",
        "x" * 65,
        None,
        5,
        ["a"],
        "%2e%2e",
    ],
)
def test_nothing_but_an_identifier_becomes_part_of_a_path(value):
    """Such as C(..) of a service's listing: C(DELETE /v2/P/instances/I/tasks/..) would delete the instance."""
    with Loopback() as server, pytest.raises(AnswerError, match="was not sent: its task_id would be") as caught:
        make().request(
            operation("DELETE", "/v2/{project_id}/{task_id}"), server.url, path={"project_id": "p", "task_id": value}
        )
    assert server.seen == []
    assert caught.value.code == "UnreadableAnswer"
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "location",
    ["http://[", "http://a:99999999/", "//", "\x01", "http://\xff", "x" * 9000, "http://127.0.0.1:1/v2/steal"],
)
def test_where_a_redirect_leads_is_not_even_read(location):
    act = answer(302, b"{}", {"Location": location})
    with Loopback(act) as server, pytest.raises(ApiError, match="a redirect, which is never followed") as caught:
        make().request(operation("DELETE"), server.url)
    assert len(server.seen) == 1
    assert caught.value.http_status == 302


def endless(status, packed):
    """An answer of many gigabytes, if it were read to its end."""

    def act(connection):
        head = f"HTTP/1.1 {status} Said\r\nLocation: http://127.0.0.1:1/\r\nTransfer-Encoding: chunked\r\n"
        connection.sendall((head + ("Content-Encoding: gzip\r\n" if packed else "") + "\r\n").encode())
        # Compressed zeros become a thousand times as many.
        part = gzip.compress(b"\0" * 2**22) if packed else b" " * 2**16
        chunk = f"{len(part):x}\r\n".encode() + part + b"\r\n"
        with contextlib.suppress(OSError):
            for _each in range(2**30 // len(part)):
                connection.sendall(chunk)

    return act


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("status", [200, 201, 302, 404, 500])
def test_one_limit_for_every_body(status, packed):
    tracemalloc.start()
    try:
        with (
            Loopback(endless(status, packed)) as server,
            pytest.raises(AnswerError, match="more than 16 MiB") as caught,
        ):
            make().request(operation("POST"), server.url)
        assert tracemalloc.get_traced_memory()[1] < 60 * 2**20
    finally:
        tracemalloc.stop()
    assert caught.value.http_status == status
    assert caught.value.uncertain


def test_what_is_compressed_twice_was_not_asked_for():
    body = gzip.compress(gzip.compress(b"\0" * 2**25))
    act = answer(body=body, headers={"Content-Encoding": "gzip, gzip"})
    with Loopback(act) as server, pytest.raises(AnswerError, match=r"in the encoding 'gzip, gzip'") as caught:
        make().request(operation(), server.url)
    assert server.seen[0].fields["accept-encoding"] == "gzip, deflate"
    assert caught.value.uncertain


def packed(text):
    """Compressed, without the time in it: it becomes part of the name of a test, which must be the same everywhere."""
    return gzip.compress(text, mtime=0)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", packed(b'{"a": 1}')),
        ("X-Gzip", packed(b'{"a": 1}')),
        ("gzip", packed(b'{"a":') + packed(b" 1}")),
        ("deflate", zlib.compress(b'{"a": 1}')),
        ("deflate", zlib.compress(b'{"a": 1}')[2:-4]),
        ("identity", b'{"a": 1}'),
        ("identity, gzip", packed(b'{"a": 1}')),
    ],
)
def test_each_encoding_that_servers_use(encoding, body):
    with Loopback(answer(body=body, headers={"Content-Encoding": encoding})) as server:
        assert make().request(operation(), server.url).data == {"a": 1}


@pytest.mark.parametrize("body", [b"{}", packed(b"{}")[:-9], packed(b"{}") + b"rubbish"])
def test_what_cannot_be_decompressed_counts_as_lost(body):
    act = answer(body=body, headers={"Content-Encoding": "gzip"})
    with Loopback(act) as server, pytest.raises(NetworkError, match="cannot be decompressed") as caught:
        make(retries=0).request(operation("POST"), server.url)
    assert caught.value.uncertain
    assert len(server.seen) == 1


@pytest.mark.parametrize("length", ["²", "1" * 30, "-5", "x"])
def test_content_length_that_is_none(length):
    """Whatever it does, it is a failure of this request that says so, or no failure."""

    def act(connection):
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{{}}".encode("latin-1"))

    with Loopback(act) as server:
        try:
            assert make(retries=0).request(operation(), server.url).data == {}
        except MaintenanceError as error:
            assert error.code in ("NetworkError", "UnreadableAnswer")  # noqa: PT017  # either, or none


def test_cookies_are_neither_kept_nor_sent():
    cookie = {"Set-Cookie": "balancer=node1; Path=/", "Connection": "close"}
    with Loopback(answer(headers=cookie), answer(headers=cookie)) as server:
        client = make()
        for _each in range(2):
            client.request(operation(), server.url)
    assert len(server.seen) == 2
    assert "cookie" not in server.seen[1].fields


@pytest.mark.parametrize(
    "echo",
    [
        "Authorization: SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature={}",
        '{{"authorization": "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature={}"}}',
        '{{"signature": "{}"}}',
        "Signature\\u003d{}",
        "Signature&#61;{}",
    ],
)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_signature_that_is_echoed_is_not_shown(echo, status):
    signature = "0123456789abcdef" * 4
    act = answer(status, echo.format(signature).encode())
    with Loopback(act) as server, pytest.raises(MaintenanceError) as caught:
        make(retries=0).request(operation("DELETE"), server.url, read_body=False)
    assert signature not in f"{caught.value} {caught.value.failure()}"
    assert len(server.seen) == 1


def test_one_connection_serves_many_requests():
    def keep(connection):
        for _each in range(2):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with Loopback(keep) as server:
        client = make()
        for _each in range(3):
            assert client.request(operation(), server.url).data == {}
    assert len(server.seen) == 1, "all three came on one connection"


# TLS


def test_tls(tls, ca_path):
    with Loopback(tls=tls) as server:
        assert make(ca_path=ca_path).request(operation(), server.url).status == 200


def test_tls_without_checking(tls):
    with Loopback(tls=tls) as server, pytest.warns(match="Unverified HTTPS request"):
        assert make(validate_certs=False).request(operation(), server.url).status == 200


@pytest.mark.parametrize("method", METHODS)
def test_unknown_authority_is_not_repeated(method, tls):
    client = make()
    with (
        Loopback(tls=tls) as server,
        pytest.raises(NetworkError, match=r"certificate .*is not accepted") as caught,
    ):
        client.request(operation(method), server.url, headers={"X-Auth-Token": "secret"})
    assert client.requests == 1
    assert server.seen == []
    assert caught.value.uncertain is False
    assert caught.value.retryable is False
    assert "ca_path" in caught.value.hint


def test_certificate_of_another_host_is_refused(authority, ca_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example.com").configure_cert(context)
    client = make(ca_path=ca_path)
    with (
        Loopback(tls=context) as server,
        pytest.raises(NetworkError, match=r"certificate .*is not accepted"),
    ):
        client.request(operation(), server.url)
    assert client.requests == 1
    assert server.seen == []


@pytest.mark.parametrize("method", METHODS)
def test_tls_that_breaks_after_the_request_was_sent(method, tls, ca_path):
    """The service may have acted: that no connection was made would be a wrong answer."""

    def garble(connection):
        os.write(connection.fileno(), b"this is no TLS record")

    with Loopback(garble, tls=tls) as server, pytest.raises(NetworkError) as caught:
        make(ca_path=ca_path, retries=0).request(operation(method), server.url)
    assert len(server.seen) == 1
    assert caught.value.uncertain is True


@pytest.mark.parametrize("method", METHODS)
def test_plain_http_where_tls_is_expected(method, ca_path):
    with Loopback() as server, pytest.raises(NetworkError) as caught:
        make(ca_path=ca_path, retries=1).request(operation(method), server.url.replace("http:", "https:"))
    assert server.seen == []
    assert caught.value.uncertain is False


# Where the deadline cannot be enforced by a signal


def test_without_the_alarm_signal(monkeypatch):
    monkeypatch.delattr(_http.signal, "SIGALRM")
    with Loopback() as server:
        assert make().request(operation(), server.url).status == 200


def test_outside_the_main_thread():
    found = []
    with Loopback() as server:
        thread = threading.Thread(target=lambda: found.append(make().request(operation(), server.url).status))
        thread.start()
        thread.join(30)
    assert found == [200]


# Libraries


def test_requests_is_loaded_without_what_guesses_encodings():
    """It takes time, and nobody asks for it; everybody else can still import it."""
    program = """
        import sys
        from ansible_collections.hwcloud.maintenance.plugins.module_utils import _http

        _http._load_requests()
        assert "requests" in sys.modules
        assert not {"chardet", "charset_normalizer", "simplejson"} & set(sys.modules), sorted(sys.modules)
        import charset_normalizer
        import requests
        assert charset_normalizer.from_bytes and requests.Session
    """
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""


@pytest.mark.parametrize("missing", ["requests", "urllib3", "certifi"])
def test_missing_library_is_named(missing):
    program = f"""
        import sys

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name == {missing!r} or name.startswith({missing + "."!r}):
                    raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

        sys.meta_path.insert(0, Missing())
        from ansible_collections.hwcloud.maintenance.plugins.module_utils import _errors, _http

        client = _http.Client(_http.HttpOptions())
        try:
            client.request(_http.Operation("Op", "dcs", "GET", "/"), "http://127.0.0.1:9")
        except _errors.MissingLibraryError as error:
            print(error.library, client.requests)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.stdout, run.stderr) == (f"{missing} 0\n", "")
