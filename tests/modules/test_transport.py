# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the services: proxies, certificates, time limits and repetition, with real servers and a real proxy.

Each option and each of its variables is tried; "where" in a test is one of them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pty
import select
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import HttpOptions, _adapter
from tests.conftest import connection, signed_in
from tests.harness.certificates import PASSPHRASE, Certificates
from tests.harness.modules import clean_environment, run_module
from tests.harness.playbooks import local_play, run_playbook
from tests.harness.proxy import Proxy
from tests.simulator import Simulator
from tests.unit.loopback import Loopback, answer, drop, stall

INFO = "dds_scheduled_job_info"
JOB = "83717e93-eb0c-81dc-8119-499a03290d3d"
LISTING = answer(body=b'{"schedules": [], "total_count": 0}')
LONGEST_SENTENCE = 400

#: The option, then its variables in the order in which they count.
PROXY = ("proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
NO_PROXY = ("no_proxy", "no_proxy", "NO_PROXY")
CA_PATH = ("ca_path", "OS_CACERT", "REQUESTS_CA_BUNDLE")
INSECURE = ("HW_INSECURE", "OS_INSECURE")
CLIENT_CERT = ("client_cert", "OS_CERT")
CLIENT_KEY = ("client_key", "OS_KEY")
NUMBERS = {
    "connect_timeout": "HWCLOUD_CONNECT_TIMEOUT",
    "read_timeout": "HWCLOUD_READ_TIMEOUT",
    "deadline": "HWCLOUD_DEADLINE",
    "retries": "HW_MAX_RETRIES",
    "max_concurrency": "HWCLOUD_MAX_CONCURRENCY",
}
#: With characters that have a meaning in URLs, and a middle that no way of writing changes.
LOGIN = ("maintainer", "Pr:/x@y%?#LEAKED-PROXY+1")
MARK = "LEAKED"


def given(where, value, first):
    """Options and environment that hold a value; the first name of a setting is its option, all others are variables."""
    # The option no_proxy and a variable have the same name, so that the place in the tuple decides.
    return ({first: str(value)}, {}) if where == "option" else ({}, {where: str(value)})


def places(names):
    """The places of a setting, as parameters."""
    return pytest.mark.parametrize("where", ["option", *names[1:]])


def run(options, environ=None, name=INFO):
    return run_module(name, options, environ={"HOME": os.environ["HOME"], **(environ or {})})


def strings(value):
    """All keys and values of a result as they are, without JSON's way of writing them."""
    if isinstance(value, dict):
        return "\n".join(f"{key}\n{strings(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return "\n".join(map(strings, value))
    return str(value)


def worked(result):
    assert "failed" not in result, result["msg"]
    return result


def failed(result, code="NetworkError", *parts):
    """Check a failure: its code, one sentence with these parts, and no secret; return what it says."""
    assert result["failed"] is True
    assert result["failure"]["code"] == code, result["msg"]
    for part in parts:
        assert str(part) in result["msg"], result["msg"]
    assert "\n" not in result["msg"]
    assert MARK not in strings(result)
    return result["failure"]


def refused(result, *names):
    """Check that an option or variable was refused before anything was sent, in a sentence with one of these names."""
    # Ansible itself refuses an option of the wrong type, in its own words.
    if "failure" in result or "unable to convert" not in result["msg"]:
        failed(result, "InvalidOption")
    assert any(str(name) in result["msg"] for name in names), result["msg"]
    assert result.get("requests", 0) == 0
    assert len(result["msg"]) <= LONGEST_SENTENCE
    assert "\n" not in result["msg"]
    assert "Traceback" not in strings(result)
    return result


def free_port():
    """A port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def service_at(url):
    """Options that lead to a server which is not the simulator."""
    return {
        "region": "sim-region-1",
        "project_id": "0123456789abcdef0123456789abcdef",
        "endpoints": dict.fromkeys(("dcs", "dds", "iam"), url),
        "auth_token": "a-token-that-nobody-has",
    }


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """An empty home, and nothing of the machine on which the tests run that the harness lets through."""
    for name in ("NETRC", "OPENSSL_CONF"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def running_tls_simulator():
    with Simulator("maintenance", tls=True) as simulator:
        yield simulator


@pytest.fixture
def cloud(running_tls_simulator):
    """The simulator behind TLS, as if it had just been started."""
    running_tls_simulator.reset("maintenance")
    return running_tls_simulator


@pytest.fixture
def options(cloud):
    """Options that lead a module to it and sign it in."""
    return {**signed_in(cloud), "ca_path": cloud.ca_path}


def with_password(cloud):
    """Options whose first request is a POST, which signs in."""
    return {
        **connection(cloud),
        "ca_path": cloud.ca_path,
        "username": cloud.username,
        "password": cloud.password,
        "domain_name": cloud.domain_name,
    }


def host_of(cloud):
    return cloud.url.removeprefix("https://")


@pytest.fixture(scope="module")
def running_proxy(tmp_path_factory):
    with Proxy(tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture
def proxy(running_proxy):
    """A proxy that lets everybody through, and has seen nothing yet."""
    running_proxy.forget()
    return running_proxy


@pytest.fixture(scope="module")
def running_guarded_proxy(tmp_path_factory):
    with Proxy(tmp_path_factory.mktemp("guarded-proxy"), login=":".join(LOGIN)) as proxy:
        yield proxy


@pytest.fixture
def guarded_proxy(running_guarded_proxy):
    """A proxy that wants the login."""
    running_guarded_proxy.forget()
    return running_guarded_proxy


@pytest.fixture(scope="module")
def running_refusing_proxy(tmp_path_factory):
    with Proxy(tmp_path_factory.mktemp("refusing-proxy"), refuse=403) as proxy:
        yield proxy


@pytest.fixture
def refusing_proxy(running_refusing_proxy):
    """A proxy that lets nobody through."""
    running_refusing_proxy.forget()
    return running_refusing_proxy


@pytest.fixture
def nobody():
    """The host and port of a proxy that is not there."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def local_names(monkeypatch):
    """Names under C(test) are this machine's; no name server knows them."""
    look_up = socket.getaddrinfo

    def resolve(host, *arguments, **keywords):
        return look_up("127.0.0.1" if str(host).endswith(".test") else host, *arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


# --- The proxy -------------------------------------------------------------------------------------------------------


@places(PROXY)
def test_a_proxy_is_used(options, cloud, proxy, where):
    more, environ = given(where, proxy.url, "proxy")
    result = worked(run({**options, **more}, environ))
    assert result["summary"]["total"] > 0
    assert proxy.targets == [f"CONNECT {host_of(cloud)}"]
    assert result["requests"] == len(cloud.journal()) == 1


@pytest.mark.parametrize("first", range(len(PROXY)))
def test_the_first_name_of_a_proxy_counts(options, proxy, nobody, first):
    where, *later = [("option", *PROXY[1:])[first], *PROXY[first + 1 :]]
    more, environ = given(where, proxy.url, "proxy")
    worked(run({**options, **more}, {**dict.fromkeys(later, f"http://{nobody}"), **environ}))
    assert len(proxy.seen) == 1


@pytest.mark.parametrize("last", range(1, len(PROXY)))
def test_an_empty_name_of_a_proxy_counts_as_not_set(options, proxy, last):
    empty = dict.fromkeys(PROXY[1:last], "")
    worked(run({**options, "proxy": ""}, {**empty, PROXY[last]: proxy.url}))
    assert len(proxy.seen) == 1


def test_an_empty_proxy_is_no_proxy(options):
    worked(run({**options, "proxy": ""}, dict.fromkeys(PROXY[1:], "")))


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "FTP_PROXY", "HW_PROXY", "proxy"])
def test_other_variables_are_no_proxy(options, proxy, nobody, name):
    worked(run(options, {name: f"http://{nobody}"}))
    assert proxy.seen == []


@places(PROXY)
@pytest.mark.parametrize("here", [True, False], ids=["a proxy that works", "a proxy that is not there"])
def test_plain_http_never_goes_through_a_proxy(sim, proxy, nobody, where, here):
    more, environ = given(where, proxy.url if here else f"http://{nobody}", "proxy")
    worked(run({**signed_in(sim), **more}, environ))
    assert proxy.seen == []
    assert len(sim.journal()) == 1


@places(PROXY)
@pytest.mark.parametrize("login", ["", "maintainer:a%20word@"], ids=["without a login", "with a login"])
def test_a_proxy_without_a_scheme(options, cloud, proxy, where, login):
    more, environ = given(where, f"{login}{proxy.netloc}", "proxy")
    worked(run({**options, **more}, environ))
    assert proxy.targets == [f"CONNECT {host_of(cloud)}"]


def test_each_service_is_reached_through_the_proxy(cloud, proxy):
    options = {**with_password(cloud), "proxy": proxy.url}
    worked(run({**options, "instances": "redis-sessions-prod"}, name="dcs_task_info"))
    assert [entry["service"] for entry in cloud.journal()] == ["iam", "dcs", "dcs"]
    assert set(proxy.targets) == {f"CONNECT {host_of(cloud)}"}


def test_what_changes_something_works_through_the_proxy(options, cloud, proxy):
    result = worked(run({**options, "proxy": proxy.url, "instance": "redis-sessions-prod"}, name="dcs_resize_cancel"))
    assert result["changed"] is True
    assert "CancelInstanceResize" in cloud.operations()
    assert set(proxy.targets) == {f"CONNECT {host_of(cloud)}"}


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_proxy_may_speak_tls(options, cloud, certificates, tmp_path, slash):
    both = tmp_path / "both.pem"
    both.write_bytes(Path(cloud.ca_path).read_bytes() + certificates.ca_path.read_bytes())
    with Proxy(tmp_path, certificate=certificates.server) as proxy:
        worked(run({**options, "ca_path": str(both), "proxy": proxy.url + slash}))
        assert proxy.targets == [f"CONNECT {host_of(cloud)}"]


def test_the_certificate_of_a_proxy_is_checked(options, cloud, certificates, no_backoff, tmp_path):
    with Proxy(tmp_path, certificate=certificates.server) as proxy:
        # The authority of the service is known, the one of the proxy is not.
        result = run({**options, "proxy": proxy.url_for(*LOGIN)})
        failure = failed(result, "NetworkError", proxy.netloc, "ertificate")
        assert failure["retryable"] is False
        assert proxy.seen == []
    assert cloud.journal() == []
    assert result["requests"] == 1


# --- Hosts without a proxy -------------------------------------------------------------------------------------------

#: What leaves out 127.0.0.1, and what does not.
ADDRESSES = {
    "127.0.0.1": True,
    "127.0.0.0/8": True,
    "127.0.0.1/32": True,
    "*": True,
    "example.com,127.0.0.1": True,
    " example.com , 127.0.0.1 ": True,
    "10.0.0.0/8,127.0.0.0/8": True,
    "": False,
    "example.com": False,
    "localhost": False,
    "127.0.0.2": False,
    "7.0.0.1": False,
    "10.0.0.0/8": False,
    "127.0.0.0/33": False,
    "::1": False,
    ",": False,
}
#: What leaves out dds.maintenance.test, and what does not.
NAMES = {
    "dds.maintenance.test": True,
    "DDS.Maintenance.TEST": True,
    "maintenance.test": True,
    ".maintenance.test": True,
    "test": True,
    "*": True,
    "other.test,maintenance.test": True,
    "ds.maintenance.test": False,
    "tenance.test": False,
    "x.dds.maintenance.test": False,
    "dds.maintenance.test.example.com": False,
    "dds": False,
    "127.0.0.0/8": False,
}


@places(NO_PROXY)
@pytest.mark.parametrize("proxy_by", ["option", "HTTPS_PROXY"])
@pytest.mark.parametrize(("listed", "direct"), ADDRESSES.items())
def test_addresses_without_a_proxy(options, cloud, proxy, where, proxy_by, listed, direct):
    more, environ = given(where, listed, "no_proxy")
    also, besides = given(proxy_by, proxy.url, "proxy")
    worked(run({**options, **more, **also}, {**environ, **besides}))
    assert len(cloud.journal()) == 1
    assert proxy.targets == ([] if direct else [f"CONNECT {host_of(cloud)}"])


@places(NO_PROXY)
@pytest.mark.parametrize(("listed", "direct"), NAMES.items())
def test_names_without_a_proxy(certificates, proxy, local_names, where, listed, direct):
    more, environ = given(where, listed, "no_proxy")
    with Loopback(LISTING, tls=certificates.server_context("dds.maintenance.test")) as server:
        service = service_at(f"https://dds.maintenance.test:{server.port}")
        worked(run({**service, "ca_path": str(certificates.ca_path), "proxy": proxy.url, **more}, environ))
        assert len(server.seen) == 1
    assert proxy.targets == ([] if direct else [f"CONNECT dds.maintenance.test:{server.port}"])


@pytest.mark.parametrize(
    ("more", "environ", "direct"),
    [
        ({"no_proxy": "example.com"}, {"NO_PROXY": "*", "no_proxy": "*"}, False),
        ({"no_proxy": "*"}, {"NO_PROXY": "example.com", "no_proxy": "example.com"}, True),
        ({}, {"no_proxy": "example.com", "NO_PROXY": "*"}, False),
        ({}, {"no_proxy": "*", "NO_PROXY": "example.com"}, True),
        ({"no_proxy": ""}, {"no_proxy": "", "NO_PROXY": "*"}, True),
    ],
)
def test_the_first_name_of_no_proxy_counts(options, proxy, more, environ, direct):
    worked(run({**options, "proxy": proxy.url, **more}, environ))
    assert (proxy.seen == []) is direct


def test_a_service_without_the_proxy_beside_one_with_it(cloud, certificates, proxy, local_names):
    with Loopback(LISTING, tls=certificates.server_context("dds.inside.test")) as server:
        endpoints = {"iam": cloud.url, "dds": f"https://dds.inside.test:{server.port}"}
        both = certificates.ca_path.with_name("both.pem")
        both.write_bytes(Path(cloud.ca_path).read_bytes() + certificates.ca_path.read_bytes())
        options = {**with_password(cloud), "endpoints": endpoints, "ca_path": str(both)}
        worked(run({**options, "proxy": proxy.url, "no_proxy": "inside.test"}))
        assert len(server.seen) == 1
    assert proxy.targets == [f"CONNECT {host_of(cloud)}"]


# --- What a proxy gets to see ----------------------------------------------------------------------------------------


@places(PROXY)
def test_the_login_goes_to_the_proxy_only(certificates, guarded_proxy, where):
    more, environ = given(where, guarded_proxy.url_for(*LOGIN), "proxy")
    with Loopback(LISTING, tls=certificates.server_context()) as server:
        result = worked(run({**service_at(server.url), "ca_path": str(certificates.ca_path), **more}, environ))
        [seen] = server.seen
    expected = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()
    assert [passage.headers.get("proxy-authorization") for passage in guarded_proxy.seen] == [expected]
    assert "proxy-authorization" not in seen.fields
    assert "authorization" not in seen.fields
    assert expected not in str(seen)
    assert MARK not in strings(result)


@pytest.mark.parametrize("kind", ["key", "password"])
def test_the_proxy_sees_no_secret(cloud, proxy, kind):
    options = {**signed_in(cloud), "ca_path": cloud.ca_path} if kind == "key" else with_password(cloud)
    options["proxy"] = proxy.url
    worked(run({**options, "instances": "all"}, name="dcs_task_info"))
    worked(run({**options, "instance": "redis-sessions-prod"}, name="dcs_resize_cancel"))
    worked(run({**options, "job_ids": [JOB]}, name="dds_scheduled_job"))
    seen = proxy.seen
    assert {f"{passage.method} {passage.target}" for passage in seen} == {f"CONNECT {host_of(cloud)}"}
    assert {name for passage in seen for name in passage.headers} <= {"host", "user-agent", "proxy-connection"}
    # A record of TLS begins with its type and version; nothing is sent before the handshake.
    assert all(passage.sent[:2] == b"\x16\x03" for passage in seen)
    every_byte = proxy.every_byte
    for secret in (cloud.access_key, cloud.secret_key, cloud.password, cloud.username, cloud.project_id, "SDK-HMAC"):
        assert secret.encode() not in every_byte
    assert JOB.encode() not in every_byte


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "login", [None, (LOGIN[0], "wrong-LEAKED"), ("nobody", LOGIN[1])], ids=["none", "password", "user"]
)
def test_a_proxy_that_wants_another_login(options, cloud, guarded_proxy, method, login):
    given_options = options if method == "GET" else with_password(cloud)
    url = guarded_proxy.url_for(*login) if login else guarded_proxy.url
    result = run({**given_options, "proxy": url})
    failure = failed(result, "NetworkError", guarded_proxy.netloc, "407")
    assert failure["retryable"] is False
    assert failure["hint"]
    assert len(guarded_proxy.seen) == result["requests"] == 1
    assert result["retried"] == []
    assert cloud.journal() == []


@places(PROXY)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_proxy_that_refuses(options, cloud, refusing_proxy, where, method):
    more, environ = given(where, refusing_proxy.url_for(*LOGIN), "proxy")
    result = run({**(options if method == "GET" else with_password(cloud)), **more}, environ)
    failure = failed(result, "NetworkError", refusing_proxy.netloc, "403")
    assert failure["retryable"] is False
    assert failure["operation"] == ("ListScheduledTasks" if method == "GET" else "KeystoneCreateUserTokenByPassword")
    assert len(refusing_proxy.seen) == result["requests"] == 1
    assert result["retried"] == []


@pytest.mark.parametrize("status", [400, 401, 404, 405, 407, 500, 502, 503, 504])
def test_the_status_of_a_proxy_is_told(options, cloud, no_backoff, status):
    # It quotes what it got, as some do.
    body = f"<p>{LOGIN[1]} {base64.b64encode(':'.join(LOGIN).encode()).decode()}</p>".encode()
    with Loopback(*[answer(status, body)] * 5) as bad:
        result = run({**options, "proxy": f"http://maintainer:{MARK}@{bad.netloc}", "retries": 1})
        failed(result, "NetworkError", bad.netloc, status)
        assert {seen.method for seen in bad.seen} == {"CONNECT"}
    assert cloud.journal() == []


@places(PROXY)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_proxy_that_is_not_there(options, cloud, nobody, no_backoff, where, method):
    more, environ = given(where, f"http://maintainer:{MARK}@{nobody}", "proxy")
    given_options = options if method == "GET" else with_password(cloud)
    result = run({**given_options, **more, "retries": 2}, environ)
    failure = failed(result, "NetworkError", nobody, "roxy")
    assert failure["retryable"] is True
    # Nothing was sent, so that a POST may be repeated too.
    assert result["requests"] == 3
    assert len(result["retried"]) == 2
    assert all(nobody in line for line in result["retried"])
    assert cloud.journal() == []


@places(PROXY)
@pytest.mark.parametrize("url", ["{}", "http://{}", "user:LEAKED@{}", "http://user:@{}", "http://user@{}/"])
def test_the_proxy_is_named_however_it_is_written(options, nobody, where, url):
    """Hiding the password must not hide the host and port."""
    more, environ = given(where, url.format(nobody), "proxy")
    failed(run({**options, **more, "retries": 0}, environ), "NetworkError", nobody, "roxy")


def tunnel(host, port):
    """What a proxy does: C(200), then all bytes in both directions."""

    def act(client):
        with socket.create_connection((host, port), 5) as service:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            sides = {client: service, service: client}
            while True:
                ready, _writable, _odd = select.select(list(sides), [], [], 5)
                for side in ready:
                    data = side.recv(65536)
                    if not data:
                        return
                    sides[side].sendall(data)
                if not ready:
                    return

    return act


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("bad", [drop, answer(200, b"")], ids=["hangs up", "lets nothing through"])
def test_a_proxy_that_recovers(options, cloud, no_backoff, method, bad):
    host, port = host_of(cloud).split(":")
    given_options = options if method == "GET" else with_password(cloud)
    # Before the tunnel is made nothing is sent to the service, so that a POST may be repeated too.
    with Loopback(bad, bad, tunnel(host, int(port))) as proxy:
        result = worked(run({**given_options, "proxy": proxy.url}))
    assert len(result["retried"]) == 2
    assert all((proxy.netloc if bad is drop else host) in line for line in result["retried"])
    assert result["requests"] == 2 + len(cloud.journal())


def test_a_proxy_that_says_nothing(options, cloud, no_backoff):
    with Loopback(stall(3), stall(3)) as proxy:
        started = time.monotonic()
        result = run({**options, "proxy": proxy.url, "connect_timeout": 1, "read_timeout": 1, "retries": 1})
        assert time.monotonic() - started < 5
        assert len(proxy.seen) == 2
    failed(result, "NetworkError", proxy.netloc)
    assert cloud.journal() == []


@pytest.mark.parametrize(
    "said", [b"\x15\x03\x01\x00\x02\x02\x46", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00" * 70000]
)
def test_a_proxy_that_is_none(options, cloud, no_backoff, said):
    with Loopback(*[lambda connection: connection.sendall(said)] * 3) as proxy:
        result = run({**options, "proxy": proxy.url, "retries": 1})
    failed(result, "NetworkError", proxy.netloc)
    assert cloud.journal() == []


def test_a_service_that_its_proxy_cannot_reach(options, proxy, nobody, no_backoff):
    result = run({**options, "endpoints": {"dds": f"https://{nobody}"}, "proxy": proxy.url, "retries": 0})
    failed(result, "NetworkError", proxy.netloc)


@pytest.mark.parametrize("password", ["€uro", "grün", "\U0001f511", "a b", "%41", "%"])
def test_a_login_with_odd_characters(options, cloud, tmp_path, password):
    with Proxy(tmp_path, login=f"user:{password}") as proxy:
        worked(run({**options, "proxy": proxy.url_for("user", password)}))
        assert proxy.targets == [f"CONNECT {host_of(cloud)}"]


# --- Bad URLs of proxies ---------------------------------------------------------------------------------------------

BAD_PROXIES = [
    "socks5://127.0.0.1:1080",
    "socks5h://user:LEAKED@127.0.0.1:1080",
    "ftp://127.0.0.1:3128",
    "file:///etc/passwd",
    "http://",
    "http:///",
    "http://:3128",
    "http://user:LEAKED@",
    "http://user:LEAKED@:3128",
    "http://127.0.0.1:3128/path",
    "http://user:LEAKED@127.0.0.1:3128/path",
    "http://127.0.0.1:3128?query",
    "http://127.0.0.1:3128#fragment",
    "http://user:LEAKED#@127.0.0.1:3128",
    "http://user:LEAKED/@127.0.0.1:3128",
    "http://user:LEAKED?@127.0.0.1:3128",
    "http://127.0.0.1:port",
    "http://127.0.0.1:99999",
    "http://user:LEAKED@127.0.0.1:LEAKED",
    "http://127.0.0.1:3128\n",
    "http://127.0.0.1:3128\r\nX-Injected: 1",
    "http://user:LEAKED\r\n@127.0.0.1:3128",
    "http://127.0.0.1\t:3128",
    "http://127.0.0.1 :3128",
    "http://user:LEAKED@127.0.0.1:3128\x7f",
    "http://pro\\xy:3128",
    "http://[::1:3128",
    "http://user:LEAKED@[::1:3128",
    "http://größe..example:3128",
]


@places(PROXY)
@pytest.mark.parametrize("url", BAD_PROXIES, ids=ascii)
def test_a_bad_url_of_a_proxy(options, cloud, where, url):
    more, environ = given(where, url, "proxy")
    # One sentence for all of them: it names the option and the variables in capitals.
    refused(run({**options, "retries": 0, **more}, environ), "proxy" if where == "option" else where.upper())
    assert cloud.journal() == []


# --- Certificate authorities -----------------------------------------------------------------------------------------


@pytest.fixture
def guarded(certificates):
    """A service with a certificate of the first authority; the options lead to it, without the authority."""
    with Loopback(LISTING, LISTING, tls=certificates.server_context()) as server:
        yield server, service_at(server.url)


@places(CA_PATH)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_an_authority_is_accepted(certificates, guarded, where, kind):
    server, service = guarded
    path = certificates.ca_path if kind == "file" else certificates.hashed_folder()
    more, environ = given(where, path, "ca_path")
    worked(run({**service, **more}, environ))
    assert len(server.seen) == 1


def test_a_home_in_the_path_of_an_authority(certificates, guarded, home):
    (home / "ca.pem").write_bytes(certificates.ca_path.read_bytes())
    worked(run({**guarded[1], "ca_path": "~/ca.pem"}))
    worked(run(guarded[1], {"OS_CACERT": "~/ca.pem"}))


@places(CA_PATH)
def test_another_authority_is_not_accepted(certificates, guarded, where):
    server, service = guarded
    more, environ = given(where, certificates.other_ca_path, "ca_path")
    result = run({**service, **more}, environ)
    failure = failed(result, "NetworkError", server.netloc, "ertificate")
    assert failure["retryable"] is False
    assert "ca_path" in failure["hint"]
    assert result["requests"] == 1
    assert result["retried"] == []
    assert server.seen == []


def test_without_an_authority_the_certificate_is_not_accepted(guarded):
    server, service = guarded
    assert "ca_path" in failed(run(service), "NetworkError", server.netloc, "ertificate")["hint"]
    assert server.seen == []


def test_a_certificate_for_another_name_is_not_accepted(certificates):
    with Loopback(LISTING, tls=certificates.server_context("other.test")) as server:
        result = run({**service_at(server.url), "ca_path": str(certificates.ca_path)})
        assert server.seen == []
    assert failed(result, "NetworkError", server.netloc, "ertificate")["retryable"] is False


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "*"])
@pytest.mark.parametrize("through", ["nothing", "a proxy"])
def test_a_common_name_is_no_name_of_a_host(certificates, proxy, name, through):
    """It may be anything; the hosts for which a certificate is stand in subjectAltName."""
    with Loopback(LISTING, tls=certificates.server_context(common_name=name)) as server:
        url = f"https://{name.replace('*', '127.0.0.1')}:{server.port}"
        service = {**service_at(url), **({"proxy": proxy.url} if through == "a proxy" else {})}
        result = run({**service, "ca_path": str(certificates.ca_path)})
        assert server.seen == []
        assert failed(result, "NetworkError", "The certificate of", "is not accepted")["retryable"] is False
        assert result["requests"] == 1
        worked(run({**service, "validate_certs": False}))


def test_a_common_name_of_another_host_beside_the_right_name_does_no_harm(certificates):
    with Loopback(LISTING, tls=certificates.server_context("127.0.0.1", common_name="other.test")) as server:
        worked(run({**service_at(server.url), "ca_path": str(certificates.ca_path)}))


@pytest.mark.parametrize(("name", "accepted"), [(None, True), ("localhost", False)])
def test_a_common_name_is_no_name_of_a_host_where_urllib3_compares_names(certificates, monkeypatch, name, accepted):
    """Version 1 of urllib3 takes the common name for a host, unless the context has refused the certificate before."""
    monkeypatch.setattr("urllib3.__version__", "1.26.20")
    context = _adapter(HttpOptions(ca_path=str(certificates.ca_path))).poolmanager.connection_pool_kw["ssl_context"]
    with Loopback(tls=certificates.server_context(common_name=name)) as server:
        connected = socket.create_connection(("127.0.0.1", server.port))
        with contextlib.closing(connected), contextlib.ExitStack() as stack:
            if not accepted:
                stack.enter_context(pytest.raises(ssl.SSLCertVerificationError, match="subjectAltName"))
            context.wrap_socket(connected, server_hostname="localhost").close()


@pytest.mark.parametrize("first", range(len(CA_PATH)))
def test_the_first_name_of_an_authority_counts(certificates, guarded, first):
    where, *later = [("option", *CA_PATH[1:])[first], *CA_PATH[first + 1 :]]
    more, environ = given(where, certificates.ca_path, "ca_path")
    others = dict.fromkeys(later, str(certificates.other_ca_path))
    worked(run({**guarded[1], **more}, {**others, **environ}))


def test_an_authority_is_also_needed_behind_a_proxy(certificates, guarded, proxy):
    server, service = guarded
    service["proxy"] = proxy.url
    worked(run({**service, "ca_path": str(certificates.ca_path)}))
    result = run({**service, "ca_path": str(certificates.other_ca_path)})
    assert failed(result, "NetworkError", server.netloc, "ertificate")["retryable"] is False
    assert result["requests"] == 1


BAD_AUTHORITIES = {
    "empty": lambda files: b"",
    "text": lambda files: b"no certificate at all\n",
    "a key": lambda files: files.client[1].read_bytes(),
    "half a certificate": lambda files: files.ca_path.read_bytes()[:200],
    "not text": lambda files: bytes(range(256)),
}


@places(CA_PATH)
@pytest.mark.parametrize("kind", BAD_AUTHORITIES)
def test_a_file_without_an_authority(certificates, guarded, tmp_path, where, kind):
    server, service = guarded
    path = tmp_path / "bad.pem"
    path.write_bytes(BAD_AUTHORITIES[kind](certificates))
    more, environ = given(where, path, "ca_path")
    refused(run({**service, **more}, environ), "ca_path", where)
    assert server.seen == []


@places(CA_PATH)
def test_an_authority_that_is_missing(guarded, tmp_path, where):
    server, service = guarded
    more, environ = given(where, tmp_path / "missing.pem", "ca_path")
    result = refused(run({**service, **more}, environ), "ca_path", where)
    assert str(tmp_path / "missing.pem") in result["msg"]
    assert server.seen == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
@places(CA_PATH)
def test_an_authority_that_cannot_be_read(certificates, guarded, tmp_path, where):
    path = tmp_path / "closed.pem"
    path.write_bytes(certificates.ca_path.read_bytes())
    path.chmod(0)
    more, environ = given(where, path, "ca_path")
    refused(run({**guarded[1], **more}, environ), "ca_path", where)


# --- Without a check -------------------------------------------------------------------------------------------------


def accepts_everything(certificates, more, environ):
    """Whether a module accepts a server of an authority that it does not know."""
    with Loopback(LISTING, tls=certificates.server_context("other.test", foreign=True)) as server:
        result = run({**service_at(server.url), **more}, environ)
        assert len(server.seen) == (0 if "failed" in result else 1)
    if "failed" in result:
        failed(result, "NetworkError", "ertificate")
    return "failed" not in result


@pytest.mark.parametrize("where", INSECURE)
@pytest.mark.parametrize("value", ["true", "True", "TRUE", "1", "yes", "Yes"])
def test_a_variable_turns_the_check_off(certificates, where, value):
    assert accepts_everything(certificates, {}, {where: value})


@pytest.mark.parametrize("where", INSECURE)
@pytest.mark.parametrize("value", ["false", "False", "FALSE", "0", "no", "No", ""])
def test_a_variable_leaves_the_check_on(certificates, where, value):
    assert not accepts_everything(certificates, {}, {where: value})


@pytest.mark.parametrize("where", INSECURE)
@pytest.mark.parametrize("value", ["maybe", "2", "-1", "nein", "truefalse", "none"])
def test_a_variable_that_is_neither(options, cloud, where, value):
    refused(run(options, {where: value}), where)
    assert cloud.journal() == []


@pytest.mark.parametrize(
    ("more", "environ", "off"),
    [
        ({"validate_certs": False}, {}, True),
        ({"validate_certs": True}, {}, False),
        ({"validate_certs": False}, {"HW_INSECURE": "false", "OS_INSECURE": "false"}, True),
        ({"validate_certs": True}, {"HW_INSECURE": "true", "OS_INSECURE": "true"}, False),
        ({}, {"HW_INSECURE": "false", "OS_INSECURE": "true"}, False),
        ({}, {"HW_INSECURE": "true", "OS_INSECURE": "false"}, True),
        ({}, {"HW_INSECURE": "", "OS_INSECURE": "true"}, True),
        # The names are of no other variable.
        ({}, {"HWCLOUD_INSECURE": "true", "INSECURE": "true", "PYTHONHTTPSVERIFY": "0"}, False),
    ],
)
def test_which_word_on_the_check_counts(certificates, more, environ, off):
    assert accepts_everything(certificates, more, environ) is off


def test_the_check_can_be_turned_off_behind_a_proxy(certificates, proxy):
    assert accepts_everything(certificates, {"validate_certs": False, "proxy": proxy.url}, {})
    assert len(proxy.seen) == 1


# --- Client certificates ---------------------------------------------------------------------------------------------

TLS_1_2 = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2)
TLS_1_3 = (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)
VERSIONS = pytest.mark.parametrize("versions", [TLS_1_2, TLS_1_3], ids=["TLS 1.2", "TLS 1.3"])


@contextlib.contextmanager
def asking(certificates, versions=None):
    """A server that lets in clients of the first authority only, and options that lead to it."""
    with Loopback(LISTING, LISTING, tls=certificates.server_context(ask=True, versions=versions)) as server:
        yield server, {**service_at(server.url), "ca_path": str(certificates.ca_path)}


def placed(paths, by):
    """Options and environment that hold a client certificate, and its key when there are two paths."""
    options, variables = (
        {names[place]: str(path) for names, path in zip((CLIENT_CERT, CLIENT_KEY), paths)} for place in (0, 1)
    )
    return (options, {}) if by == "options" else ({}, variables)


@VERSIONS
@pytest.mark.parametrize("by", ["options", "environment"])
@pytest.mark.parametrize("files", [1, 2])
def test_a_client_certificate(certificates, versions, by, files):
    more, environ = placed(certificates.client if files == 2 else [certificates.client_in_one], by)
    with asking(certificates, versions) as (server, service):
        worked(run({**service, **more}, environ))
        assert len(server.seen) == 1


def test_a_key_of_the_options_is_not_that_of_the_environment(certificates):
    more, _environ = placed(certificates.client, "options")
    _more, environ = placed([certificates.client_in_one], "environment")
    del more["client_cert"]
    with asking(certificates) as (server, service):
        refused(run({**service, **more}, environ), "client_cert")
        assert server.seen == []


def test_a_client_certificate_goes_through_a_proxy(certificates, proxy):
    with asking(certificates) as (server, service):
        worked(run({**service, "client_cert": str(certificates.client_in_one), "proxy": proxy.url}))
        assert len(server.seen) == 1
    assert len(proxy.seen) == 1


def test_the_options_of_a_client_certificate_come_first(certificates):
    more, _environ = placed(certificates.client, "options")
    _more, foreign = placed(certificates.foreign_client, "environment")
    with asking(certificates) as (_server, service):
        worked(run({**service, **more}, foreign))


def test_a_key_of_the_environment_is_not_that_of_an_option(certificates):
    """The key is in the option's file, and a pair of the environment has no part in it."""
    _more, foreign = placed(certificates.foreign_client, "environment")
    with asking(certificates) as (_server, service):
        worked(run({**service, "client_cert": str(certificates.client_in_one)}, foreign))


@VERSIONS
@pytest.mark.parametrize("client", ["none", "of another authority"])
def test_a_client_that_is_not_let_in(certificates, no_backoff, versions, client):
    more, _environ = placed([] if client == "none" else certificates.foreign_client, "options")
    with asking(certificates, versions) as (server, service):
        result = run({**service, **more, "retries": 1})
        assert server.seen == []
    failure = failed(result, "NetworkError", server.netloc)
    assert "ertificate" in result["msg"] or "client_cert" in failure["hint"], (result["msg"], failure["hint"])


def test_a_server_that_asks_for_nothing_is_shown_nothing_bad(certificates, guarded):
    more, _environ = placed(certificates.client, "options")
    worked(run({**guarded[1], "ca_path": str(certificates.ca_path), **more}))


def bad_client(certificates, kind, folder):
    """A file for the certificate, one for the key (or None), and the one of the two that is wrong."""
    cert, key = certificates.client
    bad = folder / "bad.pem"
    bad.write_text("no PEM\n", encoding="ascii")
    return {
        "no file for the certificate": (folder / "missing.pem", key, "client_cert"),
        "no file for the key": (cert, folder / "missing.key", "client_key"),
        "a folder for the certificate": (folder, key, "client_cert"),
        "a folder for the key": (cert, folder, "client_key"),
        "no certificate": (bad, key, "client_cert"),
        "no key": (cert, bad, "client_key"),
        "no key in the same file": (cert, None, "client_"),
        "a certificate for the key": (cert, cert, "client_key"),
        "a key for the certificate": (key, key, "client_cert"),
        "the key of another": (cert, certificates.second_client[1], "client_key"),
    }[kind]


@pytest.mark.parametrize("by", ["options", "environment"])
@pytest.mark.parametrize(
    "kind",
    [
        "no file for the certificate",
        "no file for the key",
        "a folder for the certificate",
        "a folder for the key",
        "no certificate",
        "no key",
        "no key in the same file",
        "a certificate for the key",
        "a key for the certificate",
        "the key of another",
    ],
)
def test_a_bad_client_certificate(certificates, tmp_path, by, kind):
    cert, key, wrong = bad_client(certificates, kind, tmp_path)
    more, environ = placed([cert] if key is None else [cert, key], by)
    with asking(certificates) as (server, service):
        result = run({**service, **more}, environ)
        assert server.seen == []
    refused(result, wrong, wrong.replace("client_", "OS_").upper())


@pytest.mark.parametrize("where", ["option", "OS_KEY"])
def test_a_key_without_a_certificate(certificates, where):
    more, environ = given(where, certificates.client[1], "client_key")
    with asking(certificates) as (server, service):
        refused(run({**service, **more}, environ), "client_key", where)
        assert server.seen == []


#: Runs a module with the terminal at its input as the one that it is controlled by, as in a shell.
AT_A_TERMINAL = """\
import json, os, sys
os.open(os.ttyname(0), os.O_RDWR)
from tests.harness.modules import run_module
given = json.load(open(sys.argv[1]))
result = run_module("dds_scheduled_job_info", given["options"], environ=given["environ"])
json.dump(result, open(sys.argv[2], "w"))
"""


def run_at_a_terminal(options, environ, patience=20):
    """Run a module in a process that has a terminal of its own; its result, and what the terminal showed."""
    folder = Path(os.environ["HOME"])
    inputs, output = folder / "inputs.json", folder / "output.json"
    inputs.write_text(json.dumps({"options": options, "environ": environ}), encoding="utf-8")
    ours, its = pty.openpty()
    shown = b""
    end = time.monotonic() + patience
    with subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, inputs, output],
        cwd=Path(__file__).parents[2],
        env=clean_environment(),
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    ) as process:
        os.close(its)
        try:
            while time.monotonic() < end:
                ready, _writable, _odd = select.select([ours], [], [], 0.5)
                if ready:
                    # An error says that the terminal is gone with the last process.
                    part = b""
                    with contextlib.suppress(OSError):
                        part = os.read(ours, 65536)
                    if not part:
                        break
                    shown += part
        finally:
            process.kill()
            os.close(ours)
    text = shown.decode("utf-8", "replace")
    assert output.exists(), f"The module did not end; the terminal shows: {text}"
    return json.loads(output.read_text("utf-8")), text


@pytest.mark.parametrize("by", ["options", "environment"])
@pytest.mark.parametrize("kind", ["PKCS#8", "traditional", "in the same file"])
def test_nobody_is_asked_for_a_passphrase(certificates, by, kind):
    if kind == "in the same file":
        paths = [certificates.encrypted_in_one()]
    else:
        paths = [certificates.client[0], certificates.encrypted_key(traditional=kind == "traditional")]
    more, environ = placed(paths, by)
    with asking(certificates) as (server, service):
        result, shown = run_at_a_terminal({**service, **more}, environ)
        assert server.seen == []
    assert "phrase" not in shown.lower(), shown
    # The key may be in either file.
    refused(result, "client_cert", "client_key")
    assert "encrypted" in result["msg"]
    assert PASSPHRASE not in strings(result)


# --- Versions of TLS -------------------------------------------------------------------------------------------------


@VERSIONS
def test_new_versions_of_tls_are_accepted(certificates, versions):
    with Loopback(LISTING, tls=certificates.server_context(versions=versions)) as server:
        worked(run({**service_at(server.url), "ca_path": str(certificates.ca_path)}))
        assert len(server.seen) == 1


#: OpenSSL's own setting that allows what it does not allow by itself, so that only the collection's own refuses it.
LAX = """\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = lax
[lax]
MinProtocol = TLSv1
CipherString = ALL:@SECLEVEL=0
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1"])
@pytest.mark.parametrize("lax", [False, True], ids=["OpenSSL as it is", "OpenSSL that allows it"])
def test_old_versions_of_tls_are_refused(certificates, tmp_path, monkeypatch, version, lax):
    versions = (ssl.TLSVersion[version], ssl.TLSVersion[version])
    context = certificates.server_context(versions=versions)
    service = {"ca_path": str(certificates.ca_path), "retries": 0}
    with Loopback(LISTING, LISTING, tls=context) as server:
        reason = why_not(server.port, versions)
        if reason:
            pytest.skip(f"This OpenSSL cannot speak {version} at all: {reason}")
        if lax:
            configuration = tmp_path / "openssl.cnf"
            configuration.write_text(LAX, encoding="ascii")
            # OpenSSL reads it when a process starts.
            monkeypatch.setenv("OPENSSL_CONF", str(configuration))
            result, _shown = run_at_a_terminal({**service_at(server.url), **service}, {})
        else:
            result = run({**service_at(server.url), **service})
        assert server.seen == []
    failed(result, "NetworkError", server.netloc)


def why_not(port, versions):
    """Why a client that allows everything cannot speak to this server; empty when it can."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version, context.maximum_version = versions
    context.set_ciphers("ALL:@SECLEVEL=0")
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as plain, context.wrap_socket(plain):
            return ""
    except OSError as error:
        return str(error)


# --- Time and repetition ---------------------------------------------------------------------------------------------


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


def beaten(option, where, value, other):
    """The setting at a place, and another value at each place that comes after it."""
    if where == "option":
        return {option: value}, {NUMBERS[option]: str(other)}
    return {}, {NUMBERS[option]: str(value)}


@pytest.mark.parametrize("where", ["option", "environment"])
def test_connect_timeout(full_port, where):
    more, environ = beaten("connect_timeout", where, 1, 30)
    started = time.monotonic()
    result = run({**service_at(f"http://127.0.0.1:{full_port}"), "retries": 0, **more}, environ)
    assert 0.8 < time.monotonic() - started < 5
    failed(result, "NetworkError", f"127.0.0.1:{full_port}", "1 second")
    assert result["requests"] == 1


@pytest.mark.parametrize("where", ["option", "environment"])
def test_read_timeout(where):
    more, environ = beaten("read_timeout", where, 1, 30)
    with Loopback(stall(8)) as server:
        started = time.monotonic()
        result = run({**service_at(server.url), "retries": 0, **more}, environ)
        assert 0.8 < time.monotonic() - started < 5
    failed(result, "NetworkError", server.netloc, "1 second")
    assert result["requests"] == 1


@pytest.mark.parametrize("where", ["option", "environment"])
def test_deadline(where):
    more, environ = beaten("deadline", where, 1, 30)
    with Loopback(stall(8)) as server:
        started = time.monotonic()
        result = run({**service_at(server.url), **more}, environ)
        assert 0.8 < time.monotonic() - started < 5
    assert failed(result, "DeadlineExceeded", "1 second")["retryable"] is True
    assert result["requests"] == 1


@pytest.mark.parametrize("where", ["option", "environment"])
@pytest.mark.parametrize("retries", [0, 1, 3, 20])
def test_retries(no_backoff, where, retries):
    more, environ = beaten("retries", where, retries, 7)
    with Loopback(*[answer(503)] * 30) as server:
        result = run({**service_at(server.url), **more}, environ)
        assert len(server.seen) == result["requests"] == retries + 1
    assert failed(result, "503")["retryable"] is True
    assert len(result["retried"]) == retries


@pytest.mark.parametrize("option", NUMBERS)
def test_an_empty_number_counts_as_not_set(options, option):
    worked(run(options, {NUMBERS[option]: ""}))


#: The least and the most that each number may be.
RANGES = {
    "connect_timeout": (1, 3600),
    "read_timeout": (1, 3600),
    "deadline": (1, 604800),
    "retries": (0, 20),
    "max_concurrency": (1, 64),
}


@pytest.mark.parametrize("where", ["option", "environment"])
@pytest.mark.parametrize("option", NUMBERS)
@pytest.mark.parametrize("bad", ["too little", "too much", "many", "1.5", "0x10", "-1", "10 s", "\u0663\u0663x"])
def test_a_number_that_cannot_be(options, cloud, where, option, bad):
    least, most = RANGES[option]
    value = {"too little": least - 1, "too much": most + 1}.get(bad, bad)
    more, environ = given(where, value, option) if where == "option" else ({}, {NUMBERS[option]: str(value)})
    result = refused(run({**options, **more}, environ), option, NUMBERS[option])
    if bad in ("too little", "too much", "-1"):
        assert f"from {least} to {most}" in result["msg"]
    assert cloud.journal() == []


@pytest.mark.parametrize("option", NUMBERS)
def test_the_ends_of_a_range_are_accepted(options, option):
    for value in RANGES[option]:
        worked(run({**options, option: value}))
        worked(run(options, {NUMBERS[option]: str(value)}))


def test_each_repetition_is_told_and_counted(options, cloud, no_backoff):
    cloud.faults(
        [
            {"operation": "ListScheduledTasks", "fault": {"status": 503}},
            {"operation": "ListScheduledTasks", "fault": "reset"},
            {"operation": "ListScheduledTasks", "fault": {"status": 429}},
        ]
    )
    result = worked(run(options))
    assert result["requests"] == len(cloud.journal()) == 4
    assert len(result["retried"]) == 3
    assert all(line.startswith("ListScheduledTasks was repeated after ") for line in result["retried"])
    assert "503" in result["retried"][0]
    assert host_of(cloud) in result["retried"][1]
    assert "429" in result["retried"][2]


# --- What must not happen --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["home", "NETRC"])
@pytest.mark.parametrize("through", ["direct", "proxy"])
def test_no_login_of_netrc_is_used(certificates, guarded, proxy, home, by, through):
    server, service = guarded
    netrc = home / (".netrc" if by == "home" else "other-netrc")
    netrc.write_text(f"machine 127.0.0.1 login somebody password {MARK}\ndefault login x password {MARK}\n", "ascii")
    netrc.chmod(0o600)
    more = {"proxy": proxy.url} if through == "proxy" else {}
    worked(
        run({**service, "ca_path": str(certificates.ca_path), **more}, {"NETRC": str(netrc)} if by == "NETRC" else {})
    )
    [seen] = server.seen
    assert "authorization" not in seen.fields
    assert seen.fields["x-auth-token"] == service["auth_token"]
    assert all("proxy-authorization" not in passage.headers for passage in proxy.seen)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("through", ["direct", "proxy"])
def test_a_redirect_to_another_host_is_not_followed(certificates, proxy, status, method, through):
    context = certificates.server_context()
    with Loopback(tls=context) as other, Loopback() as plain:
        for target in (f"{other.url}/v3/auth/tokens", plain.url):
            with Loopback(answer(status, headers={"Location": target}), tls=context) as server:
                service = {**service_at(server.url), "ca_path": str(certificates.ca_path)}
                if method == "POST":
                    del service["auth_token"]
                    service.update(username="somebody", password="a password", domain_name="somewhere")
                if through == "proxy":
                    service["proxy"] = proxy.url
                result = run(service)
                assert [seen.method for seen in server.seen] == [method]
            failure = failed(result, str(status), "redirect")
            assert failure["retryable"] is False
            assert result["requests"] == 1
        assert other.seen == plain.seen == []
    assert all(other.netloc not in target for target in proxy.targets)


# --- Real ansible-playbook -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_real_ansible_playbook_through_a_proxy(options, cloud, guarded_proxy, tmp_path):
    cloud.faults([{"operation": "ListScheduledTasks", "fault": {"status": 503}}])
    del options["ca_path"]
    variables = {
        "HTTPS_PROXY": guarded_proxy.url_for(*LOGIN),
        "REQUESTS_CA_BUNDLE": cloud.ca_path,
        "HW_MAX_RETRIES": "2",
        "HWCLOUD_READ_TIMEOUT": "20",
    }
    tasks = [
        {"name": "by the environment", f"hwcloud.maintenance.{INFO}": {}},
        {
            "name": "without the proxy",
            f"hwcloud.maintenance.{INFO}": {},
            # The environment of a task is that of its module.
            "environment": {"NO_PROXY": "127.0.0.0/8"},
        },
    ]
    ran = run_playbook(tmp_path, [local_play(tasks, options)], "-v", environ=variables)
    assert ran.returncode == 0, ran.output
    result = ran.result("by the environment")
    assert result["requests"] == 2
    [line] = result["retried"]
    assert line.startswith("ListScheduledTasks was repeated after ")
    assert "503" in line
    # What -v shows.
    assert "ListScheduledTasks was repeated after " in ran.output
    assert ran.result("without the proxy")["requests"] == 1
    assert guarded_proxy.targets == [f"CONNECT {host_of(cloud)}"]
    assert len(cloud.journal()) == 3


@pytest.mark.slow
@pytest.mark.parametrize("where", ["option", "HTTPS_PROXY"])
def test_real_ansible_playbook_shows_no_login_of_a_proxy(options, guarded_proxy, nobody, tmp_path, where):
    inputs, folder = tmp_path / "inputs", tmp_path / "run"
    inputs.mkdir()
    folder.mkdir()
    action = f"hwcloud.maintenance.{INFO}"
    urls = {
        "works": guarded_proxy.url_for(*LOGIN),
        "refused": guarded_proxy.url_for("nobody", LOGIN[1]),
        "nobody": f"http://maintainer:{MARK}-x@{nobody}",
        "bad": f"http://maintainer:{MARK}-x@{nobody}/path",
        "worse": f"http://maintainer:{MARK}\\x@[{nobody}",
    }

    def task(name, url, **more):
        values = {"retries": 0, **more}
        if where == "option":
            return {"name": name, action: {"proxy": url, **values}, "ignore_errors": True}
        return {"name": name, action: values, "environment": {where: url}, "ignore_errors": True}

    tasks = [task(name, url) for name, url in urls.items()]
    # Ansible itself refuses these, before the module has a word in it.
    tasks.append(task("no number", urls["works"], retries="many"))
    tasks.append(task("no option", urls["works"], no_such_option=1))
    # These are refused before the proxy is looked at.
    tasks.append(task("no range", urls["works"], deadline=0))
    tasks.append(task("no credentials", urls["works"], access_key=""))
    tasks.append(task("no region", urls["works"], region="x/"))
    playbook = inputs / "playbook.yml"
    playbook.write_text(json.dumps([local_play(tasks, options)]), encoding="utf-8")
    written = {"ANSIBLE_LOCAL_TEMP": str(folder / "local"), "ANSIBLE_REMOTE_TEMP": str(folder / "remote")}
    # Older versions of ansible-core show what a module was called with by themselves.
    written["ANSIBLE_INJECT_INVOCATION"] = "true"
    ran = run_playbook(folder, playbook, "-vvv" if where == "option" else "-v", environ=written)
    assert ran.returncode == 0, ran.output
    statuses = {entry["task"]: entry["status"] for entry in ran.results}
    assert statuses.pop("works") == "ok", ran.result("works")
    assert set(statuses.values()) == {"failed"}
    assert "407" in ran.result("refused")["msg"]
    assert [entry["task"] for entry in ran.results if MARK in strings(entry["result"])] == []
    assert MARK not in ran.output


@pytest.mark.slow
def test_real_ansible_playbook_with_a_client_certificate(certificates, tmp_path):
    with asking(certificates) as (server, service):
        more, _environ = placed(certificates.client, "options")
        tasks = [{"name": "shows it", f"hwcloud.maintenance.{INFO}": {}}]
        ran = run_playbook(tmp_path, [local_play(tasks, {**service, **more})])
        assert len(server.seen) == 1
    assert ran.returncode == 0, ran.output
