# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sign-in: signatures of the official signer and of others, locks, tokens, projects and permissions."""

from __future__ import annotations

import pytest
import requests
from huaweicloudsdkcore.signer.signer import Signer

from tests.contract.caller import Caller, Keys, refused, sdk_date
from tests.simulator import Simulator
from tests.simulator.errors import Refusal
from tests.simulator.identity import Identity, User
from tests.simulator.signing import pairs, verify
from tests.simulator.switches import Switches
from tests.simulator.times import parse_iso

AK, SK = "QTWAOYTTINDUT2QVKYUC", "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"
PROJECT = "0123456789abcdef0123456789abcdef"
TASKS = f"/v2/{PROJECT}/instances/5560df16-cebf-4473-95c4-d1b573c16e79/tasks"
DATE = {"x-sdk-date": "20260115T083000Z"}
SDK = {**DATE, "content-type": "application/json", "x-project-id": PROJECT}
GO = {**DATE, "accept": "application/json", "content-type": "application/json", "user-agent": "golangsdk/2.0.0"}
DCS_HOST, DDS_HOST, IAM_HOST = (f"{name}.cn-north-4.myhuaweicloud.com" for name in ("dcs", "dds", "iam"))

# Published vectors of the official signers: host (None when it is not signed), method, path, query, headers, body and
# signature. V are of the Python signer, G of the Go signer that Terraform uses.
VECTORS = {
    "V1": (
        DCS_HOST,
        "GET",
        TASKS,
        "end_time=20260115235959&limit=100&offset=0&start_time=20260101000000",
        SDK,
        b"",
        "5481885669db1b52683aae22a74d64b0245e8a647732f12c002dac1699141d9b",
    ),
    "V2": (
        DCS_HOST,
        "GET",
        f"/v2/{PROJECT}/instances",
        "Offset=0&limit=1000&name=my%20cache%2B1~%2A%2F%C3%A9%E4%B8%AD%E6%96%87&name_equal=true&status=&tags=a%3D1&tags=b%3D2",
        SDK,
        b"",
        "09d640446d1f1ec75d31e23f27e85cde68b0fb17665fafcf45465b9b5c82b308",
    ),
    "V5": (
        DDS_HOST,
        "DELETE",
        f"/v3/{PROJECT}/scheduled-jobs/3861199d-c196-4791-bcd0-b45fde754f50",
        "",
        {**SDK, "x-security-token": "ST-EXAMPLE/TOKEN+value=="},
        b"",
        "745c98e9d9a2792880a7fd0959258852d40e56a76f882f5157bda3e1f7afc464",
    ),
    "V7": (
        DDS_HOST,
        "POST",
        f"/v3/{PROJECT}/instances/abcin02/resize",
        "",
        {**DATE, "content-type": "application/json;charset=utf8"},
        b'{"resize":{"target_id":"abcin02","target_spec_code":"dds.mongodb.c6.medium.4.repset"}}',
        "3aeba973546f6a4f0489d820f0757627960738c3e53b67f6c6610bdced251deb",
    ),
    "V8": (
        IAM_HOST,
        "GET",
        "/v3/projects",
        "name=cn-north-4",
        DATE,
        b"",
        "eec1e10f211d8ec0ccc80281ef36dbc4926baeb4618b2ee91deb21a4ff84052f",
    ),
    "V9": (
        DCS_HOST,
        "GET",
        "/v2/a%20b/inst%20x/~t",
        "",
        DATE,
        b"",
        "62b71156a1eaf9ba06fa6a51bc167e50a0f0dd127df4d715b951ca1a1309a859",
    ),
    "G1": (
        None,
        "GET",
        TASKS,
        "limit=10&offset=0",
        GO,
        b"",
        "1c5c691a38a1d56fa2d25762714026a09eed9cc46037238536a4450aa8e39bb8",
    ),
    "G2": (
        None,
        "GET",
        f"/v3/{PROJECT}/scheduled-jobs",
        "job_name=A&job_name=a%20b&start_time=2026-01-08T08%3A30%3A00%2B0000",
        GO,
        b"",
        "59116fd115fc373397892ba1f640baac4f7e7d99368bc86cfb9f95d85c2ed64a",
    ),
    "G3": (
        None,
        "DELETE",
        TASKS + "/8abf6e1e72c12e7c0172c15b508500aa",
        "",
        GO,
        b"",
        "afeb589735ac1d22239b76978cd94ab217c73b6dce45b39262f0082aca76f8e5",
    ),
}


def _verify(name: str, now: str = "2026-01-15T08:30:00Z", **changes: str) -> str:
    host, method, path, query, given, body, signature = VECTORS[name]
    headers = {**given, **({"host": host} if host else {})}
    signed = ";".join(sorted(headers))
    authorization = f"SDK-HMAC-SHA256 Access={AK}, SignedHeaders={signed}, Signature={signature}"
    headers = {**headers, "authorization": authorization, "host": host or "elsewhere"}
    identity = Identity([User("1", "n", "p", AK, SK, None, (), frozenset())], [])
    query = changes.get("query", query)
    path = changes.get("path", path)
    headers.update({key: value for key, value in changes.items() if key in headers})
    return verify(identity, Switches(), parse_iso(now), method, path, pairs(query), headers, body).access


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_published_vectors_are_accepted(name: str) -> None:
    assert _verify(name) == AK


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_published_vectors_are_refused_when_something_signed_changes(name: str) -> None:
    for change in ({"query": "limit=11"}, {"path": "/v2/other"}, {"x-sdk-date": "20260115T083001Z"}):
        with pytest.raises(Refusal, match="verify aksk signature fail"):
            _verify(name, **change)


def test_host_matters_only_when_it_is_signed() -> None:
    with pytest.raises(Refusal, match="verify aksk signature fail"):
        _verify("V1", host="evil.example.com")
    assert _verify("G1", host="evil.example.com") == AK


def test_skew() -> None:
    assert _verify("V1", now="2026-01-15T08:44:59Z") == AK
    for moment in ("2026-01-15T08:45:01Z", "2026-01-15T08:14:59Z"):
        with pytest.raises(Refusal, match="more than 15 minutes"):
            _verify("V1", now=moment)


def test_skew_is_switchable(sim: Simulator, caller: Caller) -> None:
    old = {"X-Sdk-Date": sdk_date(-20 * 60)}
    refused(caller.call("GET", caller.dcs + "/instances", headers=old), 401, "APIGW.0301")
    sim.switches({"max_skew_minutes": 30})
    assert caller.call("GET", caller.dcs + "/instances", headers=old).status_code == 200


def test_wrong_secret_is_refused_with_the_canonical_request(sim: Simulator, caller: Caller) -> None:
    answer = caller.call("GET", caller.dcs + "/instances", {"limit": 5}, keys=Keys(sim.access_key, "wrong"))
    refused(answer, 401, "APIGW.0301")
    message = answer.json()["error_msg"]
    assert f"canonicalRequest:GET|{caller.dcs}/instances/|limit=5|" in message
    assert "x-sdk-date" in message
    assert sim.secret_key not in answer.text
    assert answer.headers["Server"] == "api-gateway"
    assert sim.journal()[-1]["processed"] is False


def test_changed_requests_are_refused(sim: Simulator, caller: Caller) -> None:
    path = caller.dcs + "/instances"
    url, headers = caller.sign("GET", path, [("limit", "5")])
    assert caller.session.get(url, headers=headers).status_code == 200
    refused(caller.session.get(url.replace("limit=5", "limit=6"), headers=headers), 401, "APIGW.0301")
    refused(caller.session.delete(url, headers=headers), 405, "DCS.5001")
    body = b'{"spec_code":"x","new_capacity":8}'
    url, headers = caller.sign("POST", caller.resize_path("redis-queue-prod"), body=body)
    refused(caller.session.post(url, data=body.replace(b"8", b"9"), headers=headers), 401, "APIGW.0301")
    assert sim.tasks("redis-queue-prod") == []
    refused(caller.session.get(url, headers={"Authorization": "SDK-HMAC-SHA256 nonsense"}), 405, "DCS.5001")
    refused(
        caller.session.get(sim.url + path, headers={"Authorization": "SDK-HMAC-SHA256 nonsense"}), 401, "APIGW.0301"
    )


def test_unsigned_date_and_missing_signed_header_are_refused(sim: Simulator, caller: Caller) -> None:
    url, headers = caller.sign("GET", caller.dcs + "/instances")
    signed = headers["Authorization"].split("SignedHeaders=")[1].split(",")[0]
    for changed, text in (
        (signed.replace(";x-sdk-date", ""), "x-sdk-date is not signed"),
        (signed + ";x-absent", "signed header not found: x-absent"),
    ):
        broken = {**headers, "Authorization": headers["Authorization"].replace(signed, changed)}
        answer = caller.session.get(url, headers=broken)
        refused(answer, 401, "APIGW.0301")
        assert text in answer.json()["error_msg"]


def test_requests_in_the_manner_of_the_go_client_are_accepted(sim: Simulator, caller: Caller) -> None:
    """C16: host is not signed, and the project header is added after signing."""
    headers = {
        "accept": "application/json",
        "content-type": "application/json",
        "user-agent": "golangsdk/2.0.0",
        "x-sdk-date": sdk_date(),
    }
    names = sorted(headers)
    path = caller.dcs + "/instances"
    canonical = "\n".join(
        (
            "GET",
            path + "/",
            "limit=7",
            *(f"{name}:{headers[name]}" for name in names),
            "",
            ";".join(names),
            Signer._EMPTY_HASH,
        )
    )
    signer = Signer(Keys(sim.access_key, sim.secret_key))
    text = f"SDK-HMAC-SHA256\n{headers['x-sdk-date']}\n{signer._hash_hex_string(canonical.encode())}"
    signature = signer._sign_string_to_sign(text, sim.secret_key)
    headers["Authorization"] = (
        f"SDK-HMAC-SHA256 Access={sim.access_key}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    headers["X-Project-Id"] = sim.project_id
    assert requests.get(f"{sim.url}{path}?limit=7", headers=headers, timeout=10).status_code == 200


def test_six_wrong_signatures_lock_the_key(sim: Simulator, caller: Caller) -> None:
    sim.switches({"lock_seconds": 50})
    path, wrong = caller.dcs + "/instances", Keys(sim.access_key, "wrong")
    for _unused in range(5):
        assert "verify aksk" in caller.call("GET", path, keys=wrong).text
    # A right one in between starts the count again.
    assert caller.get(path).status_code == 200
    for _unused in range(6):
        assert "verify aksk" in caller.call("GET", path, keys=wrong).text
    locked = caller.get(path)
    refused(locked, 401, "APIGW.0301")
    assert "AK access failed to reach the limit,forbidden." in locked.text
    other = Keys("SIMULATORACCESSKEY02", "simulator-secret-key-for-loopback-only-02")
    assert caller.call("GET", path, keys=other).status_code == 200
    sim.advance(51)
    assert caller.get(path).status_code == 200


def test_unknown_key_and_no_credentials(sim: Simulator, caller: Caller) -> None:
    answer = caller.call("GET", caller.dcs + "/instances", keys=Keys("NOBODY", "x"))
    refused(answer, 401, "APIGW.0301")
    assert "ak NOBODY not exist" in answer.text
    answer = caller.plain("GET", caller.dcs + "/instances")
    refused(answer, 401, "APIGW.0301")
    assert "x-auth-token not found" in answer.text


def test_tokens(sim: Simulator, caller: Caller) -> None:
    path = caller.dcs + "/instances"
    assert caller.with_token(caller.token(), "GET", path).status_code == 200
    assert sim.journal()[-1]["auth"] == "token"
    answer = caller.with_token("MIInobody", "GET", path)
    refused(answer, 401, "APIGW.0301")
    assert "decrypt token fail" in answer.text
    token = caller.token()
    assert sim.expire_tokens() == 2
    answer = caller.with_token(token, "GET", path)
    refused(answer, 401, "APIGW.0301")
    assert "token expires, expires_at: " in answer.text
    sim.switches({"token_ttl": 20})
    token = caller.token()
    assert caller.with_token(token, "GET", path).status_code == 200
    sim.advance(21)
    refused(caller.with_token(token, "GET", path), 401, "APIGW.0301")


def test_projects_that_are_not_the_callers(sim: Simulator, caller: Caller) -> None:
    other = sim.projects[1]
    token = caller.token({"project": {"id": other}})
    refused(caller.with_token(token, "GET", caller.dcs + "/instances"), 401, "DCS.1004")
    refused(caller.with_token(token, "GET", caller.dds + "/instances"), 401, "DBS.280056")
    account = caller.token({"domain": {"name": sim.domain_name}})
    refused(caller.with_token(account, "GET", caller.dcs + "/instances"), 401, "DCS.1004")
    assert caller.with_token(token, "GET", f"/v2/{other}/instances").json()["instance_num"] == 1
    nobody = "f" * 32
    refused(caller.get(f"/v2/{nobody}/instances"), 401, "DCS.1004")
    refused(caller.get(f"/v3/{nobody}/scheduled-jobs"), 401, "DBS.280056")
    headers = {"X-Project-Id": other}
    refused(caller.call("GET", caller.dcs + "/instances", headers=headers), 401, "DCS.1004")
    refused(caller.get("/v2/no-project/instances"), 400, "DCS.4002")
    refused(caller.get("/v3/no-project/instances"), 400, "DBS.280408")


def test_denied_actions(sim: Simulator, caller: Caller) -> None:
    auditor = Keys("SIMULATORACCESSKEY02", "simulator-secret-key-for-loopback-only-02")
    task = sim.tasks("redis-sessions-prod")[0]
    assert caller.call("GET", caller.tasks_path(), keys=auditor).status_code == 200
    for method, path, action in (
        ("DELETE", f"{caller.tasks_path()}/{task['id']}", "dcs:instance:deleteBackgroundTask"),
        ("DELETE", f"{caller.dcs}/tasks/{task['id']}", "dcs:task:delete"),
        ("POST", caller.cancel_path("redis-sessions-prod", task["id"]), "CancelInstanceResize"),
    ):
        answer = caller.call(method, path, keys=auditor)
        refused(answer, 403, "DCS.2007")
        assert action in answer.json()["error_msg"]
    answer = caller.call("DELETE", f"{caller.dds}/scheduled-jobs/{sim.jobs('Pending')[0]['job_id']}", keys=auditor)
    refused(answer, 403, "DBS.280063")
    assert "dds:instance:cancelScheduledJob" in answer.json()["error_msg"]
    assert sim.tasks("redis-sessions-prod")[0]["status"] == "CREATED"


def test_temporary_keys(sim: Simulator, caller: Caller) -> None:
    role = {"agency_name": "audit-agency", "domain_name": sim.domain_name}
    body = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
    made = caller.call("POST", "/v3.0/OS-CREDENTIAL/securitytokens", body=body).json()["credential"]
    keys, path = Keys(made["access"], made["secret"]), caller.dcs + "/instances"
    token = {"X-Security-Token": made["securitytoken"]}
    assert caller.call("GET", path, keys=keys, headers=token).status_code == 200
    answer = caller.call("GET", path, keys=keys)
    refused(answer, 401, "APIGW.0301")
    assert f"ak {made['access']} not exist" in answer.text
    refused(caller.call("GET", path, keys=keys, headers={"X-Security-Token": "other"}), 401, "APIGW.0301")
    url, signed = caller.sign("GET", path, keys=keys)
    assert caller.session.get(url, headers={**signed, **token}).status_code == 200  # not signed, as Go does it
    task = sim.tasks("redis-sessions-prod")[1]
    refused(caller.call("DELETE", f"{caller.tasks_path()}/{task['id']}", keys=keys, headers=token), 403, "DCS.2007")
    sim.expire_tokens()
    refused(caller.call("GET", path, keys=keys, headers=token), 401, "APIGW.0301")
