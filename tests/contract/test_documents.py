# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents say of a request or an answer, and what Terraform's provider relies on, one test for each fact."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.contract.caller import SCHEMAS, Caller, Keys, check, refused
from tests.examples import body_of
from tests.simulator import Simulator

NAME = "redis-sessions-prod"
RANGE_32, RANGE_64 = 2**31 - 1, 2**63 - 1


def _hour(text: str) -> int:
    return int(text[:2])


# --- Maintenance windows of DCS (C29) ---------------------------------------------------------------------------------


def _windows(caller: Caller) -> list[dict[str, Any]]:
    answer = caller.get("/v2/instances/maintain-windows").json()
    check("dcs-ListMaintenanceWindows", answer)
    found: list[dict[str, Any]] = answer["maintain_windows"]
    return found


def test_maintenance_windows_last_an_hour_and_are_bare_hours(caller: Caller) -> None:
    windows = _windows(caller)
    assert [(each["seq"], each["begin"], each["end"]) for each in windows[:2]] == [(1, "18", "19"), (2, "19", "20")]
    assert sorted(each["begin"] for each in windows) == [f"{hour:02d}" for hour in range(24)]
    assert {(_hour(each["end"]) - _hour(each["begin"])) % 24 for each in windows} == {1}
    assert [each["begin"] for each in windows if each["default"]] == ["18"]
    # What Terraform's acceptance test looks for.
    assert [each["end"] for each in windows if each["begin"] == "10"] == ["11"]
    assert [each["begin"] for each in windows if each["end"] == "15"] == ["14"]
    assert len({each["seq"] for each in windows}) == 24


@pytest.mark.parametrize(
    ("switches", "count", "first", "default"),
    [
        ({"window_form": "clock"}, 24, ("18:00:00", "19:00:00"), ("18:00:00", "19:00:00")),
        ({"window_hours": 4}, 6, ("22", "02"), ("02", "06")),
        ({"window_hours": 4, "window_form": "clock"}, 6, ("22:00:00", "02:00:00"), ("02:00:00", "06:00:00")),
    ],
)
def test_maintenance_windows_in_other_forms(
    sim: Simulator, caller: Caller, switches: dict[str, Any], count: int, first: Any, default: Any
) -> None:
    sim.switches(switches)
    windows = _windows(caller)
    assert len(windows) == count
    assert (windows[0]["begin"], windows[0]["end"]) == first
    assert [(each["begin"], each["end"]) for each in windows if each["default"]] == [default]


def test_instances_have_windows_of_several_forms(sim: Simulator) -> None:
    windows = {(each["maintain_begin"], each["maintain_end"]) for each in sim.state()["dcs_instances"]}
    assert windows == {("02:00:00", "06:00:00"), ("22:00:00", "23:00:00"), ("23:00:00", "00:00:00")}


# --- Parameters of a query --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "flag"), [("CREATEFAILED", "include_failure"), ("DELETING", "include_delete")])
def test_only_true_includes_and_other_values_do_not(sim: Simulator, caller: Caller, status: str, flag: str) -> None:
    queue = sim.instance("redis-queue-prod")["instance_id"]
    sim.patch({"instance": queue, "set": {"status": status}})
    for value, count in (("true", 1), ("false", 0), ("TRUE", 0), ("1", 0), ("yes", 0)):
        answer = caller.get(caller.dcs + "/instances", **{"instance_id": queue, flag: value})
        assert (answer.status_code, answer.json()["instance_num"]) == (200, count), value


def test_any_other_value_of_name_equal_means_a_part_of_the_name(caller: Caller) -> None:
    for value, count in (("true", 0), ("false", 1), ("TRUE", 1), ("CREATING", 1)):
        answer = caller.get(caller.dcs + "/instances", name="redis-cart", name_equal=value)
        assert (answer.status_code, answer.json()["instance_num"]) == (200, count), value


@pytest.mark.parametrize(
    ("path", "key", "most"),
    [
        ("/v2/{}/instances", "instances", RANGE_32),
        ("/v2/{}/tasks", "tasks", RANGE_32),
        # Their documents name no format of the offset.
        ("/v2/{}/instances/INSTANCE/tasks", "tasks", RANGE_64),
        ("/v3/{}/instances", "instances", RANGE_64),
        ("/v3/{}/scheduled-jobs", "schedules", RANGE_32),
    ],
)
def test_an_offset_has_no_maximum_but_that_of_its_format(
    sim: Simulator, caller: Caller, path: str, key: str, most: int
) -> None:
    path = path.format(sim.project_id).replace("INSTANCE", sim.instance(NAME)["instance_id"])
    code = "DBS.280440" if path.startswith("/v3") else "DCS.4800"
    for offset in (10**9, RANGE_32, most):
        answer = caller.get(path, offset=offset)
        assert (answer.status_code, answer.json()[key]) == (200, []), offset
    for offset in (str(most + 1), "9" * 40):
        refused(caller.get(path, offset=offset), 400, code)


def test_pages_of_projects(sim: Simulator, caller: Caller) -> None:
    assert caller.get("/v3/projects", page=RANGE_32, per_page=10).json()["projects"] == []
    for query in ({"page": RANGE_32 + 1, "per_page": 10}, {"page": 0, "per_page": 10}, {"page": 1}, {"per_page": 10}):
        assert caller.get("/v3/projects", **query).status_code == 400, query


def test_an_asterisk_alone_is_no_name(caller: Caller) -> None:
    path = caller.dds + "/instances"
    refused(caller.get(path, name="*"), 400, "DBS.280234")
    assert caller.get(path, name="*prod").json()["total_count"] == 2


def test_tags_of_dds(caller: Caller) -> None:
    path = caller.dds + "/instances"
    twenty = [f"k{number}=v" for number in range(20)]
    assert caller.get(path, tags=",".join(twenty)).json()["total_count"] == 0
    refused(caller.get(path, tags=",".join([*twenty, "environment=production"])), 400, "DBS.280484")
    for tags in ("=production", "environment=production,=x", "environment=production,", ",", "a=1,b=2,a=1", "a=1,a="):
        refused(caller.get(path, tags=tags), 400, "DBS.280482")
    assert caller.get(path, tags="environment=production").json()["total_count"] == 2
    # A value may be empty.
    assert caller.get(path, tags="environment=").json()["total_count"] == 0


# --- Methods ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PATCH", "POST", "DELETE"])
def test_a_wrong_method_of_dds_is_no_api_to_the_gateway(caller: Caller, method: str) -> None:
    answer = caller.plain(method, caller.dds + "/scheduled-jobs")
    refused(answer, 404, "APIGW.0101")
    assert answer.json()["error_msg"] == "The API does not exist."


def test_what_is_not_allowed_is_answered_with_what_is(sim: Simulator, caller: Caller) -> None:
    instance = sim.instance(NAME)["instance_id"]
    for method, path, allowed in (
        ("POST", f"{caller.dcs}/instances/{instance}/tasks", "GET"),
        ("GET", f"{caller.dcs}/instances/{instance}/tasks/{'0' * 32}", "DELETE"),
        ("PATCH", "/v3/auth/tokens", "POST"),
        ("DELETE", "/v3/projects", "GET"),
        ("GET", "/meta-data/latest/api/token", "PUT"),
    ):
        answer = caller.plain(method, path)
        assert (answer.status_code, answer.headers["Allow"]) == (405, allowed), path


def test_the_gateway_may_answer_for_dcs_too(sim: Simulator, caller: Caller) -> None:
    refused(caller.plain("POST", caller.tasks_path()), 405, "DCS.5001")
    sim.switches({"wrong_method": "gateway"})
    refused(caller.plain("POST", caller.tasks_path()), 404, "APIGW.0101")


# --- Bodies -----------------------------------------------------------------------------------------------------------

RESIZE = {"spec_code": "redis.ha.xu1.large.r2.8", "new_capacity": 8}


def test_kinds_of_a_spec_change(sim: Simulator, caller: Caller) -> None:
    path = caller.resize_path("redis-queue-prod")
    for change in ("x", "", "createreplication", 5, None):
        answer = caller.call("POST", path, body={**RESIZE, "change_type": change})
        refused(answer, 400, "DCS.4062")
        assert "change_type" in answer.json()["error_msg"]
    assert sim.tasks("redis-queue-prod") == []
    for change in ("createReplication", "deleteReplication", "addSharding", "instanceType"):
        sim.reset()
        assert caller.call("POST", path, body={**RESIZE, "change_type": change}).status_code == 204


def test_types_of_a_spec_change(sim: Simulator, caller: Caller) -> None:
    path = caller.resize_path("redis-queue-prod")
    for name, value in (
        ("available_zones", "sim-region-1a"),
        ("available_zones", [1]),
        ("node_list", {}),
        ("reserved_ip", ["192.168.0.4", None]),
        ("bss_param", "true"),
        ("bss_param", {"is_auto_pay": "yes"}),
    ):
        refused(caller.call("POST", path, body={**RESIZE, name: value}), 400, "DCS.4062")
    assert sim.tasks("redis-queue-prod") == []
    for number, good in enumerate(
        ({"available_zones": ["a"]}, {"bss_param": {"is_auto_pay": "true"}}, {"bss_param": {"is_auto_pay": True}})
    ):
        sim.reset()
        assert caller.call("POST", path, body={**RESIZE, **good}).status_code == 204, number
    # A whole number to the table, but the smallest size is an eighth (C34).
    sim.reset()
    assert caller.call("POST", path, body={**RESIZE, "new_capacity": 0.125}).status_code == 204


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json"])
def test_a_body_is_json_and_called_so(sim: Simulator, caller: Caller, kind: str) -> None:
    token, body = caller.token(), json.dumps(RESIZE)
    database = f"{caller.dds}/instances/{sim.instance('dds-orders-prod')['id']}"
    path = caller.resize_path("redis-queue-prod")

    def send(path: str, body: str, *, method: str = "POST", kind: str = kind) -> Any:
        headers = {"X-Auth-Token": token, "Content-Type": kind}
        return caller.plain(method, path, data=body, headers=headers)

    refused(send(path, body), 400, "DCS.4005")
    refused(send(database + "/db-upgrade", '{"is_delayed": true}'), 400, "DBS.200001")
    window = '{"start_time": "01:00", "end_time": "05:00"}'
    refused(send(database + "/maintenance-window", window, method="PUT"), 400, "DBS.200001")
    assert send("/v3/auth/tokens", json.dumps(caller.token_body())).status_code == 400
    assert sim.tasks("redis-queue-prod") == []
    for good in ("application/json", "application/json;charset=UTF-8", "Application/JSON; charset=utf8"):
        sim.reset()
        token = caller.token()
        assert send(path, body, kind=good).status_code == 204


# --- The details of a DCS instance ------------------------------------------------------------------------------------


def _task_of(caller: Caller, name: str) -> Any:
    return caller.get(f"{caller.dcs}/instances/{caller.sim.instance(name)['instance_id']}").json()["task"]


def test_any_task_that_has_not_ended_keeps_an_instance_busy(sim: Simulator, caller: Caller) -> None:
    running = sim.tasks("redis-cart-prod")[0]
    assert running["name"] == "dcsExportJob"
    assert _task_of(caller, "redis-cart-prod") == {key: running[key] for key in ("id", "name", "status")}
    sim.advance(5)
    assert _task_of(caller, "redis-cart-prod") is None
    # A spec change comes first.
    change = sim.tasks(NAME)[0]
    sim.patch({"task": "a" * 32, "instance": sim.instance(NAME)["instance_id"], "add": {"status": "EXECUTING"}})
    sim.patch({"task": "a" * 32, "set": {"name": "dcsExportJob"}})
    assert _task_of(caller, NAME)["id"] == change["id"]
    sim.patch({"task": change["id"], "set": {"status": "SUCCESS"}})
    assert _task_of(caller, NAME)["id"] == "a" * 32
    sim.patch({"task": "a" * 32, "remove": True})
    assert _task_of(caller, NAME) is None


# --- DDS instances (C27, C28, C30) ------------------------------------------------------------------------------------


def _nodes(instance: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [node for group in instance["groups"] if group["type"] == kind for node in group["nodes"]]


def _cluster(caller: Caller) -> dict[str, Any]:
    answer = caller.get(caller.dds + "/instances", mode="Sharding").json()
    check("dds-ListInstances", answer)
    found: dict[str, Any] = answer["instances"][0]
    return found


def test_roles_of_nodes(sim: Simulator, caller: Caller) -> None:
    assert [node["role"] for node in _nodes(_cluster(caller), "mongos")] == ["master", "master"]
    for kind in ("shard", "config"):
        assert [node["role"] for node in _nodes(_cluster(caller), kind)] == ["Primary", "Secondary", "Hidden"]
    sim.switches({"mongos_role": "Primary"})
    assert [node["role"] for node in _nodes(_cluster(caller), "mongos")] == ["Primary", "Primary"]


def test_a_node_of_an_abnormal_instance_has_an_unknown_role(sim: Simulator, caller: Caller) -> None:
    sim.reset({"dds_instances": [{"name": "broken", "status": "abnormal"}]})
    node = caller.get(caller.dds + "/instances").json()["instances"][0]["groups"][0]["nodes"][0]
    assert (node["role"], node["status"]) == ("unknown", "abnormal")


def test_addresses_and_volumes_of_a_cluster(sim: Simulator, caller: Caller) -> None:
    cluster = _cluster(caller)
    assert all(node["private_ip"] for node in _nodes(cluster, "mongos"))
    for kind in ("shard", "config"):
        assert {(node["private_ip"], node["public_ip"]) for node in _nodes(cluster, kind)} == {("", "")}
    assert {group["type"]: "volume" in group for group in cluster["groups"]} == {
        "mongos": False,
        "shard": True,
        "config": True,
    }


def test_addresses_are_unique(sim: Simulator) -> None:
    sim.reset({"dds_instances": [{"name": f"db{n}", "mode": "Sharding" if n % 2 else "ReplicaSet"} for n in range(90)]})
    addresses = [
        node["private_ip"]
        for instance in sim.state()["dds_instances"]
        for group in instance["groups"]
        for node in group["nodes"]
        if node["private_ip"]
    ]
    assert len(addresses) == len(set(addresses)) == 45 * 2 + 45 * 3


def test_dds_instances_as_in_the_sample(sim: Simulator, caller: Caller) -> None:
    sim.switches({"dds_instance_form": "sample"})
    cluster = _cluster(caller)
    assert (cluster["port"], cluster["pay_mode"]) == (8635, 0)
    assert {tuple(sorted(group)) for group in cluster["groups"]} == {("nodes", "type"), ("nodes", "type", "volume")}
    assert {type(value) for group in cluster["groups"][1:] for value in group["volume"].values()} <= {int, float}
    assert all("private_ip" in node for node in _nodes(cluster, "mongos"))
    for kind in ("shard", "config"):
        assert not any({"private_ip", "public_ip"} & set(node) for node in _nodes(cluster, kind))


NOBODY = "0" * 32 + "in02"


def test_an_unknown_dds_instance(sim: Simulator, caller: Caller) -> None:
    path = f"{caller.dds}/instances/{NOBODY}"
    refused(caller.call("POST", path + "/db-upgrade", body={"is_delayed": True}), 400, "DBS.280110")
    for code, status in (("DBS.200002", 404), ("DBS.201501", 400), ("DBS.201028", 403), ("DBS.280110", 400)):
        sim.switches({"dds_unknown_instance": code})
        refused(caller.call("POST", path + "/db-upgrade", body={"is_delayed": True}), status, code)
        refused(caller.get(path + "/tags"), status, code)


def test_a_list_of_an_unknown_dds_instance(sim: Simulator, caller: Caller) -> None:
    path = caller.dds + "/instances"
    assert caller.get(path, id=NOBODY).json() == {"instances": [], "total_count": 0}
    sim.switches({"dds_unknown_instance_listed": "refused"})
    refused(caller.get(path, id=NOBODY), 400, "DBS.280110")
    known = sim.instance("dds-orders-prod")["id"]
    assert caller.get(path, id=known).json()["total_count"] == 1
    # One that is there but does not fit the other filters is no unknown one.
    assert caller.get(path, id=known, name="other").json()["total_count"] == 0


# --- IAM (C32, C33) ---------------------------------------------------------------------------------------------------

TOKENS, KEYS = "/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"


@pytest.mark.parametrize("value", ["true", "1", "false", "x", "%20"])
def test_any_text_leaves_the_catalogue_out(caller: Caller, value: str) -> None:
    body = caller.token_body()
    assert caller.plain("POST", f"{TOKENS}?nocatalog={value}", json=body).json()["token"]["catalog"] == []


def test_no_text_keeps_the_catalogue(caller: Caller) -> None:
    for query in ("", "?nocatalog=", "?nocatalog"):
        assert caller.plain("POST", TOKENS + query, json=caller.token_body()).json()["token"]["catalog"]


def test_iam_in_the_catalogue(sim: Simulator, caller: Caller) -> None:
    def entry() -> tuple[str, str]:
        catalog = caller.plain("POST", TOKENS, json=caller.token_body()).json()["token"]["catalog"]
        (found,) = [each for each in catalog if each["name"] == "iam"]
        assert found["endpoints"][0]["region"] == "*"
        return found["type"], found["endpoints"][0]["url"]

    assert entry() == ("iam", f"{sim.url}/v3.0")
    sim.switches({"iam_catalog": "identity"})
    assert entry() == ("identity", f"{sim.url}/v3")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("scope",), {"project": {"name": 5}}),
        (("scope",), {"project": {"id": 5}}),
        (("scope",), {"project": {"id": None, "name": "sim-region-1"}}),
        (("scope",), {"project": {"name": ["sim-region-1"]}}),
        (("scope",), {"domain": {"name": 5}}),
        (("scope",), {"domain": {"id": True}}),
        (("scope",), []),
        (("identity", "password", "user", "name"), 5),
        (("identity", "password", "user", "password"), 5),
        (("identity", "password", "user", "password"), None),
        (("identity", "password", "user", "domain"), {"name": 5}),
        (("identity", "password", "user", "domain"), {"id": 5}),
        (("identity", "password", "user"), {"id": 5, "password": "Simulator-Password-1!"}),
        (("identity", "methods"), "password"),
    ],
)
def test_what_is_text_is_text(caller: Caller, path: tuple[str, ...], value: Any) -> None:
    body = caller.token_body()
    holder: Any = body["auth"]
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    answer = caller.plain("POST", TOKENS, json=body)
    assert (answer.status_code, answer.json()["error"]["title"]) == (400, "Bad Request")


def test_a_passcode_is_text(caller: Caller) -> None:
    body = caller.token_body(name="guarded", password="Simulator-Password-3!")
    identity = body["auth"]["identity"]
    identity["methods"] = ["password", "totp"]
    for passcode, status in ((123456, 400), ("000000", 401), ("123456", 201)):
        identity["totp"] = {"user": {"passcode": passcode}}
        assert caller.plain("POST", TOKENS, json=body).status_code == status, passcode


def _statement(**changes: Any) -> dict[str, Any]:
    return {"Action": ["dcs:instance:list"], "Effect": "Allow", **changes}


def _policy(*statements: Any, **changes: Any) -> dict[str, Any]:
    return {"Version": "1.1", "Statement": list(statements or (_statement(),)), **changes}


def _assume(caller: Caller, policy: Any = None, **role: Any) -> Any:
    given = {"agency_name": "maintenance-agency", "domain_name": caller.sim.domain_name, **role}
    identity: dict[str, Any] = {"methods": ["assume_role"], "assume_role": given}
    if policy is not None:
        identity["policy"] = policy
    return caller.call("POST", KEYS, body={"auth": {"identity": identity}})


SAMPLE_STATEMENT = {
    "Effect": "allow",  # In small letters, though the table has Allow and Deny (C33).
    "Action": ["obs:object:*"],
    "Resource": ["obs:*:*:object:*"],
    "Condition": {"StringEquals": {"obs:prefix": ["public"]}},
}


@pytest.mark.parametrize(
    "policy",
    [
        "x",
        [],
        {},
        {"Version": "1.1"},
        {"Statement": [_statement()]},
        _policy(Version=1.1),
        _policy(Version="2.0"),
        _policy(Statement=_statement()),
        _policy("x"),
        _policy(_statement(Effect="Maybe")),
        _policy(_statement(Effect=True)),
        _policy({"Effect": "Allow"}),
        _policy({"Action": ["dcs:instance:list"]}),
        _policy(_statement(Action="dcs:instance:list")),
        _policy(_statement(Action=[5])),
        _policy(_statement(Action=["list"])),
        _policy(_statement(Resource="obs:*:*:object:*")),
        _policy(_statement(Resource=["obs"])),
        _policy(_statement(Condition=[])),
        _policy(_statement(Condition={"StringEquals": "public"})),
        _policy(_statement(Condition={"StringEquals": {"obs:prefix": "public"}})),
        _policy(_statement(), "x"),
    ],
)
def test_policies_that_are_none(caller: Caller, policy: Any) -> None:
    answer = _assume(caller, policy)
    assert (answer.status_code, answer.json()["error"]["title"]) == (400, "Bad Request")


@pytest.mark.parametrize(
    "policy", [_policy(SAMPLE_STATEMENT), _policy(), _policy(_statement(Effect="Deny"), _statement())]
)
def test_policies(caller: Caller, policy: Any) -> None:
    answer = _assume(caller, policy)
    assert answer.status_code == 201
    check("iam-CreateTemporaryAccessKey", answer.json())


def test_a_policy_narrows_what_the_keys_may_do(sim: Simulator, caller: Caller) -> None:
    def status(*statements: Any, method: str = "GET", path: str = "/instances") -> int:
        made = _assume(caller, _policy(*statements) if statements else None).json()["credential"]
        headers = {"X-Security-Token": made["securitytoken"]}
        keys = Keys(made["access"], made["secret"])
        return caller.call(method, caller.dcs + path, keys=keys, headers=headers).status_code

    centre = f"/tasks/{sim.tasks(NAME)[1]['id']}"
    assert status(_statement()) == status(_statement(Action=["dcs:*:*"])) == status() == 200
    assert status(_statement(Action=["dds:instance:list"])) == 403
    # What is denied stays so, whatever else allows it.
    assert status(_statement(Effect="Deny"), _statement()) == 403
    assert status(_statement(), method="DELETE", path=centre) == 403
    assert status(_statement(Action=["dcs:task:*"]), method="DELETE", path=centre) == 200


@pytest.mark.parametrize(
    ("user", "status"),
    [
        ({"name": "SessionUserName"}, 201),
        ({"name": "a-_45"}, 201),
        ({"name": "a" * 64}, 201),
        ({}, 201),
        ({"name": "four"}, 400),
        ({"name": "a" * 65}, 400),
        ({"name": "1session"}, 400),
        ({"name": "session user"}, 400),
        ({"name": "sessión"}, 400),
        ({"name": 55555}, 400),
        ("SessionUserName", 400),
        (["SessionUserName"], 400),
    ],
)
def test_session_users(caller: Caller, user: Any, status: int) -> None:
    assert _assume(caller, session_user=user).status_code == status


@pytest.mark.parametrize(
    "role", [{"agency_name": 5}, {"domain_name": 5}, {"duration_seconds": 900.5}, {"domain_id": 5}]
)
def test_types_of_a_role(caller: Caller, role: dict[str, Any]) -> None:
    assert _assume(caller, **role).status_code == 400


# --- Instant tasks and tags of DDS, jobs and tags of DCS, which Terraform reads ---------------------------------------


def _at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(time.time() + seconds))


def _instant(caller: Caller, **query: Any) -> Any:
    path = f"/v3.1/{caller.sim.project_id}/jobs"
    return caller.get(path, **{"start_time": _at(-29 * 86400), "end_time": _at(3600), **query})


def test_instant_tasks(sim: Simulator, caller: Caller) -> None:
    answer = _instant(caller).json()
    check("dds-ListTasks", answer)
    jobs = answer["jobs"]
    assert [job["created_at"] for job in jobs] == sorted((job["created_at"] for job in jobs), reverse=True)
    assert {job["status"] for job in jobs} == {"Running", "Completed", "Failed"}
    assert answer["total_count"] == len(jobs)
    for job in jobs:
        assert bool(job["progress"]) == (job["status"] == "Running"), "only what runs has a progress"
        assert bool(job["fail_reason"]) == (job["status"] == "Failed")
        assert bool(job["ended_at"]) == (job["status"] != "Running")
        assert job["instance_id"] == sim.instance(job["instance_name"])["id"]
    first = jobs[0]
    for name in ("id", "name", "status"):
        listed = _instant(caller, **{name: first[name]}).json()["jobs"]
        assert listed == [job for job in jobs if job[name] == first[name]]
    assert _instant(caller, limit=1, offset=1).json()["jobs"] == jobs[1:2]
    assert _instant(caller, end_time=_at(-28 * 86400)).json()["jobs"] == []
    # Terraform's authors saw no count (C35).
    sim.switches({"instant_task_count": False})
    assert set(_instant(caller).json()) == {"jobs"}


def test_wrong_queries_of_instant_tasks(caller: Caller) -> None:
    path = f"/v3.1/{caller.sim.project_id}/jobs"
    for query, code in (
        ({"end_time": _at(0)}, "DBS.280067"),
        ({"start_time": _at(-60)}, "DBS.280068"),
        ({"start_time": "x", "end_time": _at(0)}, "DBS.280067"),
        ({"start_time": _at(0), "end_time": _at(-60)}, "DBS.280409"),
        ({"start_time": _at(0), "end_time": _at(0)}, "DBS.280409"),
        ({"start_time": _at(-31 * 86400), "end_time": _at(0)}, "DBS.280409"),
        ({"start_time": _at(-60), "end_time": _at(0), "status": "Pending"}, "DBS.200001"),
        ({"start_time": _at(-60), "end_time": _at(0), "limit": 101}, "DBS.280439"),
        ({"start_time": _at(-60), "end_time": _at(0), "offset": -1}, "DBS.280440"),
    ):
        refused(caller.get(path, **query), 400, code)


def test_one_instant_task(sim: Simulator, caller: Caller) -> None:
    path = caller.dds + "/jobs"
    for listed in _instant(caller).json()["jobs"]:
        answer = caller.get(path, id=listed["id"]).json()
        check("dds-ShowJobDetail", answer)
        job = answer["job"]
        assert {key: job[key] for key in ("id", "name", "status", "progress", "fail_reason")} == {
            key: listed[key] for key in ("id", "name", "status", "progress", "fail_reason")
        }
        assert (job["created"], job["ended"]) == (listed["created_at"], listed["ended_at"])
        assert job["instance"] == {"id": listed["instance_id"], "name": listed["instance_name"]}
    refused(caller.get(path), 400, "DBS.200001")
    refused(caller.get(path, id="00000000-0000-0000-0000-000000000000"), 404, "DBS.200002")
    sim.switches({"unknown_id_status": 400})
    refused(caller.get(path, id="00000000-0000-0000-0000-000000000000"), 400, "DBS.280016")


def test_an_upgrade_that_starts_at_once_is_an_instant_task(sim: Simulator, caller: Caller) -> None:
    instance = sim.instance("dds-orders-prod")["id"]
    made = caller.call("POST", f"{caller.dds}/instances/{instance}/db-upgrade", body={"is_delayed": False}).json()

    def look() -> dict[str, Any]:
        found: dict[str, Any] = caller.get(caller.dds + "/jobs", id=made["job_id"]).json()["job"]
        return found

    job = look()
    assert (job["name"], job["status"], job["ended"]) == ("UpgradeDatabaseVersion", "Running", "")
    assert job["progress"].endswith("%")
    assert _instant(caller, status="Running").json()["jobs"][0]["id"] == made["job_id"]
    sim.advance(10)
    job = look()
    assert (job["status"], job["progress"]) == ("Completed", "")
    assert job["ended"] > job["created"]
    assert sim.instance("dds-orders-prod")["actions"] == []


def test_the_id_of_a_scheduled_job_is_found_too(sim: Simulator, caller: Caller) -> None:
    """Terraform asks for it after each upgrade, also for one that was delayed."""
    instance = sim.instance("dds-orders-prod")["id"]
    made = caller.call("POST", f"{caller.dds}/instances/{instance}/db-upgrade", body={"is_delayed": True}).json()
    answer = caller.get(caller.dds + "/jobs", id=made["job_id"]).json()
    check("dds-ShowJobDetail", answer)
    assert answer["job"]["status"] == sim.jobs("Pending")[0]["job_status"] == "Pending"


def test_tags(sim: Simulator, caller: Caller) -> None:
    for name, path in (
        (NAME, f"{caller.dcs}/instances/{sim.instance(NAME)['instance_id']}/tags"),
        ("dds-orders-prod", f"{caller.dds}/instances/{sim.instance('dds-orders-prod')['id']}/tags"),
    ):
        answer = caller.get(path).json()
        check("tags-of-an-instance", answer)
        assert answer["tags"] == sim.instance(name)["tags"]
        assert len(answer["tags"]) == 2
    refused(caller.get(f"{caller.dcs}/instances/{'0' * 8}-0000-0000-0000-{'0' * 12}/tags"), 404, "DCS.3022")
    for path, kind in ((f"{caller.dcs}/dcs/tags", "dcs_instances"), (f"{caller.dds}/tags", "dds_instances")):
        answer = caller.get(path).json()
        check("tags-of-a-project", answer)
        expected: dict[str, set[str]] = {}
        for instance in sim.state()[kind]:
            if instance["project_id"] == sim.project_id:
                for tag in instance["tags"]:
                    expected.setdefault(tag["key"], set()).add(tag["value"])
        assert {tag["key"]: set(tag["values"]) for tag in answer["tags"]} == expected
        assert len(expected) == 2


def test_jobs_of_dcs(sim: Simulator, caller: Caller) -> None:
    words = {"SUCCESS": "SUCCESS", "FAILED": "FAIL", "EXECUTING": "RUNNING", "CREATED": "INIT", "CANCELLED": "FAIL"}
    seen = set()
    for task in sim.state()["tasks"]:
        if task["project_id"] == sim.project_id:
            answer = caller.get(f"{caller.dcs}/jobs/{task['job_id']}").json()
            check("dcs-ShowJobInfo", answer)
            assert (answer["job_id"], answer["job_type"]) == (task["job_id"], task["name"])
            assert answer["status"] == words[task["status"]]
            assert len(answer["begin_time"]) == 13
            seen.add(task["status"])
    assert seen == set(words)
    refused(caller.get(f"{caller.dcs}/jobs/{'0' * 32}"), 404, "DCS.4404")
    refused(caller.get(f"{caller.dcs}/jobs/x"), 400, "DCS.4070")


# --- A record with everything filled ----------------------------------------------------------------------------------

DETAILS = {
    *("old_capacity", "new_capacity", "enable_public_ip", "public_ip_id", "public_ip_address", "enable_ssl"),
    *("old_cache_mode", "new_cache_mode", "old_resource_spec_code", "new_resource_spec_code", "old_replica_num"),
    *("new_replica_num", "old_cache_type", "new_cache_type", "replica_ip", "replica_az", "group_name", "old_port"),
    *("new_port", "is_only_adjust_charging", "account_name", "source_ip", "target_ip", "node_name"),
    *("rename_commands", "updated_config_length"),
}


def test_the_newest_task_may_have_every_field(sim: Simulator, caller: Caller) -> None:
    """As Terraform's acceptance tests of both lists of tasks ask for it."""
    sim.reset("full")
    (instance,) = sim.state()["dcs_instances"]
    since = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() - 3600))
    for path in (f"{caller.dcs}/instances/{instance['instance_id']}/tasks", caller.dcs + "/tasks"):
        answer = caller.get(path, limit=10).json()
        check("dcs-ListBackgroundTask", answer)
        newest = answer["tasks"][0]
        assert set(newest["details"]) == DETAILS
        assert set(SCHEMAS["dcs-ListBackgroundTask"]["properties"]["tasks"]["items"]["properties"]) == set(newest)
        for name, value in {**newest, **newest["details"]}.items():
            assert value not in (None, "", []), name
        assert newest in caller.get(path, start_time=since).json()["tasks"]
    for kind in ("dds_instances", "scheduled_jobs", "instant_tasks"):
        first = sim.state()[kind][0]
        assert not [key for key, value in first.items() if value in (None, "", [])], kind


# --- The list of tasks as its page prints it (C4) ---------------------------------------------------------------------

PRINTED = body_of("dcs-ListBackgroundTask", "page")


def test_the_example_of_the_page_as_it_is_printed(sim: Simulator, caller: Caller) -> None:
    sim.reset("pages_as_printed")
    path = f"/v2/{sim.project_id}/instances/5560df16-cebf-4473-95c4-d1b573c16e79/tasks"
    query = {"offset": 0, "limit": 10, "begin_time": "20200609160000", "end_time": "20200617155959"}
    assert caller.get(path, **query).json() == PRINTED
    assert caller.get(path, offset=1).json() == {"task_count": 1, "tasks": []}
    # The record is removed like any other.
    assert caller.call("DELETE", f"{path}/{PRINTED['tasks'][0]['id']}").status_code == 200
    assert caller.get(path).json() == {"task_count": 0, "tasks": []}


def test_status_and_times_only_at_the_top(sim: Simulator, caller: Caller) -> None:
    own = ("status", "created_at", "updated_at")
    before = caller.get(caller.tasks_path(), limit=3, offset=1).json()
    sim.switches({"legacy_top_level": "only"})
    answer = caller.get(caller.tasks_path(), limit=3, offset=1).json()
    # With several tasks on a page, the values are those of the first.
    assert {key: answer[key] for key in own} == {key: before["tasks"][0][key] for key in own}
    assert answer["tasks"] == [
        {key: value for key, value in task.items() if key not in own} for task in before["tasks"]
    ]
    # Only this list has such a page; and the state is as it was.
    assert set(caller.get(caller.dcs + "/tasks").json()) == {"task_count", "tasks"}
    assert set(own) <= set(caller.get(caller.dcs + "/tasks").json()["tasks"][0])
    assert set(own) <= set(sim.tasks(NAME)[0])
    sim.switches({"legacy_top_level": False})
    assert caller.get(caller.tasks_path(), limit=3, offset=1).json() == before


# --- Answers to a cancellation that no document has -------------------------------------------------------------------


def test_a_cancellation_may_fail_in_ways_that_are_not_documented(sim: Simulator, caller: Caller) -> None:
    path = caller.cancel_path(NAME, sim.tasks(NAME)[0]["id"])
    body = {"error_code": "DCS.9999", "error_msg": "Unknown."}
    sim.faults(
        [
            {"operation": "CancelInstanceResize", "fault": {"status": 200, "body": {"result": "failed"}}},
            {"operation": "CancelInstanceResize", "fault": {"status": 404, "body": body}},
        ]
    )
    first = caller.call("POST", path)
    assert (first.status_code, first.json()) == (200, {"result": "failed"})
    second = caller.call("POST", path)
    assert (second.status_code, second.json()) == (404, body)
    assert sim.tasks(NAME)[0]["status"] == "CREATED"
    done = {"status": 404, "body": body, "processed": True}
    sim.faults([{"operation": "CancelInstanceResize", "fault": done}])
    assert caller.call("POST", path).status_code == 404
    assert sim.tasks(NAME)[0]["status"] == "CANCELLED"


# --- A signature of no body -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["UNSIGNED-PAYLOAD", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]
)
@pytest.mark.parametrize("signed_with_value", [True, False])
def test_the_hash_of_no_body(sim: Simulator, caller: Caller, value: str, signed_with_value: bool) -> None:
    """Five of six official signers sign the header's value also without a body, the one of Python does not (C36)."""
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.signer.signer import Signer

    path = caller.dcs + "/instances"
    request = SdkRequest(
        method="GET",
        schema="http",
        host=sim.url.partition("//")[2],
        resource_path=path,
        query_params=[("limit", "5")],
        header_params={"X-Sdk-Content-Sha256": value},
        # The signer signs the header's value where there is a body, which is not sent here.
        body=b"x" if signed_with_value else None,
    )
    headers = dict(Signer(Keys(sim.access_key, sim.secret_key)).sign(request).header_params)
    url = f"{sim.url}{path}?limit=5"
    assert caller.session.get(url, headers=headers).status_code == 200
    # What is signed is still looked at, and one wrong signature counts once.
    refused(caller.session.get(url.replace("limit=5", "limit=6"), headers=headers), 401, "APIGW.0301")
    sim.switches({"lock_seconds": 50})
    for _unused in range(4):
        refused(caller.session.get(url.replace("limit=5", "limit=6"), headers=headers), 401, "APIGW.0301")
    assert caller.session.get(url, headers=headers).status_code == 200
    # The value itself is signed as well.
    altered = {**headers, "X-Sdk-Content-Sha256": "0" * 64}
    refused(caller.session.get(url, headers=altered), 401, "APIGW.0301")
