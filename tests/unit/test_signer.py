# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signature: known answers, the official signer as the judge of random requests, and what is really on the wire."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote, unquote

import pytest
import requests
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Client, HttpOptions, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._signer import (
    AccessKeyAuth,
    authorization,
    canonical_path,
    canonical_query,
    canonical_request,
)
from tests.signatures import FOREIGN, PUBLISHED
from tests.unit.loopback import Loopback, answer, drop

KNOWN = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
VECTORS = {vector["name"]: vector for vector in KNOWN["vectors"]}
AK, SK, DATE = KNOWN["access_key"], KNOWN["secret_key"], KNOWN["date"]
NOW = datetime(2026, 1, 15, 8, 30, tzinfo=timezone.utc)


def clock() -> datetime:
    return NOW


def official(method, path, query, headers, body, access_key=AK, secret_key=SK):
    """The Authorization of the official signer, for a path as on the wire, a query that is decoded, and the headers to sign."""
    request = SdkRequest(
        method=method,
        schema="https",
        host="unused.example.com",
        resource_path=path,
        uri=path,
        query_params=list(query),
        header_params=dict(headers),
        body=body,
    )
    Signer(SimpleNamespace(ak=access_key, sk=secret_key)).sign(request)
    return request.header_params["Authorization"]


def test_vectors_are_all_there():
    assert sorted(VECTORS) == sorted([*(f"V{n}" for n in (*range(1, 10), 12, 13)), "G1", "G2", "G3"])


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name):
    vector = VECTORS[name]
    headers = {**vector["headers"], "X-Sdk-Date": DATE}
    if vector["host_signed"]:
        headers["Host"] = vector["url"].split("/")[2]
    if name == "V12":
        headers["X-Sdk-Content-Sha256"] = "UNSIGNED-PAYLOAD"
    headers.pop("x_under", None)
    body = vector["body"].encode()

    assert canonical_request(vector["method"], vector["url"], headers, body) == (
        "\n".join(vector["canonical_request"]),
        vector["signed_headers"],
    )
    assert authorization(vector["method"], vector["url"], headers, body, AK, SK) == (
        f"SDK-HMAC-SHA256 Access={AK}, SignedHeaders={vector['signed_headers']}, Signature={vector['signature']}"
    )


@pytest.mark.parametrize("name", [name for name in VECTORS if name.startswith("V")])
def test_vector_through_auth(name):
    """The same from a prepared request: host, date and kind of content are found, an underscore is left out."""
    vector = VECTORS[name]
    request = SimpleNamespace(
        method=vector["method"],
        url=vector["url"],
        headers=CaseInsensitiveDict(vector["headers"]),
        body=vector["body"] or None,
    )
    assert AccessKeyAuth(AK, SK, clock=clock)(request) is request
    assert request.headers["Authorization"].endswith(
        f"SignedHeaders={vector['signed_headers']}, Signature={vector['signature']}"
    )
    assert request.headers["X-Sdk-Date"] == DATE


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_vector(name):
    """The tests of the Go, Java and Python SDKs expect these signatures."""
    vector = PUBLISHED[name]
    assert signed_by_us(vector) == vector.authorization


def test_published_canonical_query():
    """As C(TestSigner_canonicalQueryString) of the Go SDK expects it (core/auth/signer/signer_test.go)."""
    pairs = [("limit", "1"), ("enable", "true"), ("test", "一 (&=?!#%.*)"), ("path", "/tmp/123")]
    pairs += [("multi", "1"), ("multi", "2"), ("multi", "3")]
    assert canonical_query("&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)) == (
        "enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29"
    )


def signed_by_us(vector):
    """Our C(Authorization) for a vector; as the official signers do, without headers that have an underscore."""
    headers = {name: value for name, value in vector.headers.items() if "_" not in name}
    if "x-sdk-content-sha256" in vector.authorization:
        headers["X-Sdk-Content-Sha256"] = "UNSIGNED-PAYLOAD"
    return authorization(vector.method, vector.url, headers, vector.body, vector.access_key, vector.secret_key)


@pytest.mark.parametrize("name", FOREIGN)
def test_fixed_signature_of_the_python_sdk(name):
    """For all odd requests, also those that the collection never sends."""
    assert signed_by_us(FOREIGN[name]) == FOREIGN[name].authorization


@pytest.mark.parametrize("name", FOREIGN)
def test_fixed_signature_of_the_node_sdk(name):
    """Where it differs, the reason is known, and the collection never sends such a request."""
    vector = FOREIGN[name]
    if vector.node_differs is None:
        assert signed_by_us(vector) == vector.by_node
    else:
        assert signed_by_us(vector) != vector.by_node
        assert not vector.sent


@pytest.mark.parametrize("name", [name for name, vector in FOREIGN.items() if vector.sent])
def test_fixed_signature_of_what_the_collection_sends(name):
    """The same from a prepared request: host, date and security token are not given, but found."""
    vector = FOREIGN[name]
    headers = dict(vector.headers)
    del headers["Host"], headers["X-Sdk-Date"]
    security_token = headers.pop("X-Security-Token", None)
    request = SimpleNamespace(
        method=vector.method, url=vector.url, headers=CaseInsensitiveDict(headers), body=vector.body or None
    )
    assert vector.date == DATE
    AccessKeyAuth(vector.access_key, vector.secret_key, security_token, clock=clock)(request)
    assert request.headers["Authorization"] == vector.authorization == vector.by_node


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", "/"),
        ("/", "/"),
        ("/v2", "/v2/"),
        ("/v2/", "/v2/"),
        ("/a%20b/~t", "/a%20b/~t/"),
        ("/a b", "/a%20b/"),
        ("/a*b+c", "/a%2Ab%2Bc/"),
        ("/%e4%b8%ad", "/%E4%B8%AD/"),
    ],
)
def test_canonical_path(path, expected):
    assert canonical_path(path) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ""),
        ("b=1&a=2", "a=2&b=1"),
        ("a=2&a=1", "a=1&a=2"),
        ("a", "a="),
        ("a=", "a="),
        ("a=b=c", "a=b%3Dc"),
        ("a=%2B", "a=%2B"),
        ("a=+", "a=%2B"),
        ("Z=1&a=1", "Z=1&a=1"),
        ("a=~%2A", "a=~%2A"),
        ("&&a=1&", "a=1"),
        ("a=%7e", "a=~"),
    ],
)
def test_canonical_query(query, expected):
    assert canonical_query(query) == expected


def test_query_is_sorted_before_it_is_encoded():
    # "a+" < "aB" as raw text, and so do "%2B" and "B"; but "é" > "~", although "%C3" < "~".
    assert canonical_query("%C3%A9=1&~=2") == "~=2&%C3%A9=1"


def test_no_date_is_no_signature():
    with pytest.raises(StopIteration):
        authorization("GET", "https://h/", {"Host": "h"}, b"", AK, SK)


ODD = st.text(st.sampled_from(" +%~*/=&?#;:@!$'(),.-_<>\"\\^`{|}[]é中文😀aZ09\x7f"), max_size=8)
TEXT = st.one_of(ODD, st.text(max_size=12))
TOKEN = st.text(st.sampled_from("abcXYZ019-"), min_size=1, max_size=10)
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
TAKEN = {"host", "x-sdk-date", "authorization", "content-type", "x-sdk-content-sha256", "content-length"}


@st.composite
def random_requests(draw):
    segments = draw(st.lists(TEXT, max_size=4))
    query = draw(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=4))
    query += draw(st.lists(st.sampled_from(query), max_size=2)) if query else []
    headers = draw(st.dictionaries(TOKEN, VALUE, max_size=3))
    headers = {f"X-{name}": value for name, value in headers.items()}
    unique = {name.lower(): (name, value) for name, value in headers.items() if name.lower() not in TAKEN}
    return (
        draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "get", "delete"])),
        "/" + "/".join(segments),
        query,
        dict(unique.values()),
        draw(st.one_of(st.just(b""), st.binary(max_size=200))),
        draw(st.sampled_from([None, "application/json", "application/json;charset=utf8", "application/bson", "a/b"])),
    )


def url_of(path, query, host="dcs.example.com:8443"):
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    return f"https://{host}{quote(path, safe='/')}" + (f"?{pairs}" if pairs else "")


@settings(max_examples=500)
@given(random_requests())
def test_same_as_the_official_signer(request):
    method, path, query, headers, body, content_type = request
    headers = {**headers, "Host": "dcs.example.com:8443", "X-Sdk-Date": DATE}
    if content_type is not None:
        headers["Content-Type"] = content_type
    expected = official(method, quote(path, safe="/"), query, headers, body)
    if content_type == "a/b":
        headers["X-Sdk-Content-Sha256"] = "UNSIGNED-PAYLOAD"
    assert authorization(method, url_of(path, query), headers, body, AK, SK) == expected


@settings(max_examples=100)
@given(random_requests(), st.booleans())
def test_auth_signs_as_the_official_signer_does(request, as_text):
    method, path, query, headers, body, content_type = request
    if as_text:
        body = body.decode("utf-8", "ignore")
    given_headers = {**headers, "Accept": "*/*", "Connection": "keep-alive", "Content-Length": "7", "x_under": "u"}
    if content_type is not None:
        given_headers["Content-Type"] = content_type
    prepared = SimpleNamespace(
        method=method, url=url_of(path, query), headers=CaseInsensitiveDict(given_headers), body=body or None
    )
    AccessKeyAuth(AK, SK, "ST+/=", clock=clock)(prepared)
    to_sign = {**headers, "Host": "dcs.example.com:8443", "X-Sdk-Date": DATE, "X-Security-Token": "ST+/="}
    if content_type is not None:
        to_sign["Content-Type"] = content_type
    if content_type == "a/b" and not body:
        # Here the official signer adds a header of which the other official signers sign another value.
        assert "X-Sdk-Content-Sha256" not in prepared.headers
        assert "x-sdk-content-sha256" not in prepared.headers["Authorization"]
        return
    assert prepared.headers["Authorization"] == official(method, quote(path, safe="/"), query, to_sign, body)


@pytest.mark.parametrize("body", [None, b"", ""])
@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_no_hash_of_a_body_that_is_not_there(body, content_type):
    """The official signers do not agree on what to sign then: five take the header's value, one the hash of nothing."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    prepared = SimpleNamespace(
        method="GET",
        url="https://h/v2",
        headers=CaseInsensitiveDict({**headers, "X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}),
        body=body,
    )
    AccessKeyAuth(AK, SK, clock=clock)(prepared)
    assert "X-Sdk-Content-Sha256" not in prepared.headers
    signed = {**headers, "Host": "h", "X-Sdk-Date": DATE}
    assert prepared.headers["Authorization"] == authorization("GET", "https://h/v2", signed, b"", AK, SK)


def check_on_the_wire(seen, secret_key=SK):
    """Build the request again from raw bytes only, and let the official signer sign it."""
    fields = seen.fields
    assert len(fields) == len(seen.headers), "a header came twice"
    scheme, _blank, rest = fields["authorization"].partition(" ")
    assert scheme == "SDK-HMAC-SHA256"
    parts = dict(part.split("=", 1) for part in rest.split(", "))
    path, _mark, raw_query = seen.target.partition("?")
    query = [tuple(unquote(side) for side in pair.split("=", 1)) for pair in raw_query.split("&") if pair]
    to_sign = {name: fields[name] for name in parts["SignedHeaders"].split(";")}
    assert (
        official(seen.method, path, query, to_sign, seen.body, parts["Access"], secret_key) == (fields["authorization"])
    )
    return to_sign


def client(server, **options):
    return Client(HttpOptions(**options), wait=lambda seconds: None)


VALUES = [
    "plain",
    "with space",
    "a+b",
    "100%",
    "%2B",
    "%20",
    "~tilde~",
    "star*",
    "é中文😀",
    "a=b&c=d",
    "/slash/",
    "#mark?",
    "",
    "'\"<>|\\^`{}[]",
    "2026-01-15T08:30:00+0000",
    "..",
    ";,:@!$()",
    "\ttab",
]


@pytest.mark.parametrize("value", VALUES)
def test_wire_query(value):
    with Loopback() as server:
        client(server).request(
            Operation("Op", "dcs", "GET", "/v2/tasks"),
            server.url,
            query={"name": value, "limit": 1000, "Offset": 0, "left_out": None},
            auth=AccessKeyAuth(AK, SK),
        )
    (seen,) = server.seen
    assert check_on_the_wire(seen)["host"] == server.netloc
    query = dict(pair.split("=", 1) for pair in seen.target.partition("?")[2].split("&"))
    assert {name: unquote(text) for name, text in query.items()} == {"name": value, "limit": "1000", "Offset": "0"}


@pytest.mark.parametrize("value", ["plain", "0a-B_9", "x" * 64])
def test_wire_path(value):
    with Loopback() as server:
        client(server).request(
            Operation("Op", "dcs", "DELETE", "/v2/{task_id}/x"),
            server.url,
            path={"task_id": value},
            auth=AccessKeyAuth(AK, SK),
            read_body=False,
        )
    (seen,) = server.seen
    check_on_the_wire(seen)
    assert [unquote(segment) for segment in seen.target.split("/")] == ["", "v2", value, "x"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("body", [None, {}, {"name": "é中", "id": 1}])
def test_wire_body(method, body):
    with Loopback() as server:
        client(server).request(Operation("Op", "dcs", method, "/v2"), server.url, body=body, auth=AccessKeyAuth(AK, SK))
    (seen,) = server.seen
    check_on_the_wire(seen)
    assert seen.body == b"" if body is None else json.loads(seen.body) == body


def test_wire_headers():
    with Loopback() as server:
        client(server).request(
            Operation("Op", "dcs", "GET", "/v2"),
            server.url,
            headers={"X-Project-Id": "0123456789abcdef"},
            auth=AccessKeyAuth(AK, SK, "ST-EXAMPLE/TOKEN+value=="),
        )
    (seen,) = server.seen
    signed = check_on_the_wire(seen)
    assert set(signed) == {"content-type", "host", "user-agent", "x-project-id", "x-sdk-date", "x-security-token"}
    assert signed["x-security-token"] == "ST-EXAMPLE/TOKEN+value=="
    assert signed["user-agent"].startswith("ansible-hwcloud.maintenance/")
    assert signed["content-type"] == "application/json"
    assert f"Access={AK}," in seen.fields["authorization"]
    assert SK not in str(seen)


def test_wire_plain_requests():
    """Also what requests itself makes of a query, a text body and a padded header."""
    with Loopback(answer(), answer(), answer()) as server, requests.Session() as session:
        session.trust_env = False
        auth = AccessKeyAuth(AK, SK)
        session.get(f"{server.url}/a", params=[("b", "2 +"), ("b", "1"), ("a", "~*é"), ("e", "")], auth=auth)
        session.post(f"{server.url}/b", data="some text", headers={"Content-Type": "text/plain"}, auth=auth)
        session.put(f"{server.url}/c", json={"a": 1}, headers={"X-Custom": "a  b  "}, auth=auth)
    signed = [check_on_the_wire(seen) for seen in server.seen]
    assert signed[1]["x-sdk-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert "x-custom" in signed[2]


def test_wrong_secret_is_noticed():
    """The judge itself: it must not accept everything."""
    with Loopback() as server:
        client(server).request(Operation("Op", "dcs", "GET", "/v2"), server.url, auth=AccessKeyAuth(AK, SK + "x"))
    with pytest.raises(AssertionError):
        check_on_the_wire(server.seen[0])


def test_each_attempt_has_a_fresh_date():
    times = iter(NOW + timedelta(minutes=20 * n) for n in range(3))
    with Loopback(answer(503), drop) as server:
        client(server).request(
            Operation("Op", "dcs", "GET", "/v2"), server.url, auth=AccessKeyAuth(AK, SK, clock=lambda: next(times))
        )
    dates = [check_on_the_wire(seen)["x-sdk-date"] for seen in server.seen]
    assert dates == ["20260115T083000Z", "20260115T085000Z", "20260115T091000Z"]
    assert len({seen.fields["authorization"] for seen in server.seen}) == 3


def test_default_clock_is_now_in_utc():
    request = SimpleNamespace(method="GET", url="https://h/", headers=CaseInsensitiveDict(), body=None)
    AccessKeyAuth(AK, SK)(request)
    date = datetime.strptime(request.headers["X-Sdk-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    assert abs(datetime.now(timezone.utc) - date) < timedelta(minutes=1)
