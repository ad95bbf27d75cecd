# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""dds_instance_info against the simulator: what it finds, what it asks, and what it passes through."""

from __future__ import annotations

import pytest

MODULE = "dds_instance_info"
LIST = "ListInstances"

A, B, C, D, E, F = (digit * 32 + "in02" for digit in "123456")
GONE = "9" * 32 + "in02"


def tags(**pairs):
    return [{"key": key, "value": value} for key, value in pairs.items()]


ENHANCED = {"type": "DDS-Enhanced", "version": "3.4"}
#: Names that are part of each other, the same name twice, every kind of status, tags that are numbers.
FLEET = [
    {"id": F, "name": "orders", "status": "normal", "tags": tags(env="prod", team="a b", floor="5")},
    {"id": A, "name": "orders", "status": "frozen", "tags": tags(env="test", floor=5)},
    {"id": B, "name": "orders-2", "status": "createfail", "tags": tags(env="prod")},
    {"id": C, "name": "Orders", "status": "abnormal", "engine": "rocksDB", "tags": [{"key": "owner"}]},
    {"id": D, "name": "cart", "status": "creating", "engine": None, "datastore": ENHANCED, "tags": None},
    {"id": E, "name": "old", "status": "data_disk_full", "datastore": None, "mode": "Sharding"},
]


@pytest.fixture
def fleet(sim):
    sim.reset({"dds_instances": FLEET})
    return sim


def ids(result):
    return [instance["id"] for instance in result["instances"]]


def pages(entry):
    """The offset and the limit that were asked for."""
    return tuple(",".join(entry["query"][name]) for name in ("offset", "limit"))


@pytest.mark.parametrize("check_mode", [False, True])
def test_lists_every_instance_by_name_and_id_with_one_request(fleet, module, check_mode):
    result = module(MODULE, check_mode=check_mode)
    assert ids(result) == [C, D, E, A, F, B]
    assert result["changed"] is False
    assert result["requests"] == 1
    assert fleet.operations() == [LIST]
    assert result["summary"] == {
        "total": 6,
        "by_status": {"abnormal": 1, "createfail": 1, "creating": 1, "data_disk_full": 1, "frozen": 1, "normal": 1},
        "by_engine": {"DDS-Enhanced": 1, "rocksDB": 1, "wiredTiger": 4},
    }
    assert set(result) == {"changed", "instances", "summary", "requests", "retried"}


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"ids": [A]}, [A]),
        ({"ids": [A.upper()]}, [A]),
        ({"ids": [F, C, F]}, [C, F]),
        ({"ids": GONE}, []),
        ({"ids": [A, GONE]}, [A]),
        ({"names": ["orders"]}, [A, F]),
        ({"names": ["order"]}, []),
        ({"names": ["ORDERS"]}, []),
        ({"names": ["orders", "cart"]}, [D, A, F]),
        ({"names": ["orders*"]}, [A, F, B]),
        # The API would take this for a part of a name, with capitals and without.
        ({"names": ["*rders"]}, [C, A, F]),
        ({"names": ["*order"]}, []),
        ({"names": ["[oO]rders"]}, [C, A, F]),
        ({"names": ["????"]}, [D]),
        ({"names": ["x*", "*x"]}, []),
        ({"tags": {"env": "prod"}}, [F, B]),
        ({"tags": {"env": "prod", "team": "a b"}}, [F]),
        ({"tags": {"env": None}}, [A, F, B]),
        ({"tags": {"floor": 5}}, [A, F]),
        ({"tags": {"owner": ""}}, [C]),
        ({"statuses": ["NORMAL"]}, [F]),
        ({"statuses": ["frozen", "createfail", "creating"]}, [D, A, B]),
        ({"statuses": ["data_disk_full"]}, [E]),
        ({"statuses": ["sleeping"]}, []),
        ({"engines": ["rocksdb"]}, [C]),
        ({"engines": ["DDS-Enhanced"]}, [D]),
        ({"engines": ["dds-community"], "statuses": ["normal", "frozen"]}, [A, F]),
        ({"names": ["orders"], "tags": {"env": "test"}, "statuses": ["frozen"], "ids": [A, B]}, [A]),
        ({"names": ["orders"], "ids": [B]}, []),
    ],
    ids=str,
)
def test_filters(fleet, module, options, found):
    result = module(MODULE, **options)
    assert ids(result) == found
    assert result["summary"]["total"] == len(found)
    assert fleet.operations() == [LIST]


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ({}, {}),
        ({"ids": [A]}, {"id": A}),
        ({"ids": [A, B]}, {}),
        ({"names": ["orders"]}, {"name": "orders"}),
        ({"names": ["orders", "cart"]}, {}),
        ({"names": ["*orders"]}, {}),
        ({"tags": {"env": "prod", "team": None, "owner": "a b"}}, {"tags": "env=prod"}),
        ({"statuses": ["createfail"]}, {}),
    ],
    ids=str,
)
def test_what_is_asked(fleet, module, options, query):
    module(MODULE, **options)
    (entry,) = fleet.journal()
    asked = {key: ",".join(values) for key, values in entry["query"].items()}
    assert asked == {"offset": "0", "limit": "100", **query}


@pytest.mark.parametrize("option", ["ids", "names", "tags", "statuses", "engines"])
def test_an_empty_filter_finds_nothing_and_asks_nothing(fleet, module, option):
    result = module(MODULE, **{option: {} if option == "tags" else []})
    assert result["instances"] == []
    assert result["summary"] == {"total": 0, "by_status": {}, "by_engine": {}}
    assert result["requests"] == 0
    assert fleet.journal() == []


@pytest.mark.parametrize("dds_groups", ["array", "object"])
def test_fields_of_the_api_are_passed_through(sim, module, dds_groups):
    sim.reset({"dds_instances": [{"id": A, "name": "orders", "a_new_field": {"kept": [1, None, "ü"]}, "port": 8635}]})
    (of_api,) = sim.state()["dds_instances"]
    sim.switches({"dds_groups": dds_groups})
    (instance,) = module(MODULE)["instances"]
    groups = instance["groups"]
    assert isinstance(groups, list if dds_groups == "array" else dict)
    expected = {**of_api, "groups": groups, "maintenance_window": {"begin": "02:00", "end": "06:00"}}
    assert instance == {key: expected[key] for key in instance}
    assert instance["a_new_field"] == {"kept": [1, None, "ü"]}
    assert groups in (of_api["groups"], of_api["groups"][0])


@pytest.mark.parametrize(
    ("of_api", "window"),
    [
        ("02:00-06:00", {"begin": "02:00", "end": "06:00"}),
        ("22:00-02:00", {"begin": "22:00", "end": "02:00"}),
        ("2:00:00 - 6:00:00", {"begin": "02:00", "end": "06:00"}),
        ("", None),
        (None, None),
        ("at night", None),
    ],
)
def test_windows(sim, module, of_api, window):
    sim.reset({"dds_instances": [{"name": "orders", "maintenance_window": of_api}]})
    (instance,) = module(MODULE)["instances"]
    assert instance["maintenance_window"] == window


@pytest.mark.parametrize("page_fault", ["none", "short", "empty", "repeated"])
def test_more_instances_than_a_page_holds(sim, module, page_fault):
    names = [f"orders-{number:03d}" for number in range(203)]
    sim.reset({"dds_instances": [{"name": name} for name in names]})
    sim.switches({"page_fault": page_fault})
    result = module(MODULE, names=["orders-*"])
    if page_fault == "repeated":
        assert result["failure"]["code"] == "UnreadableAnswer"
        assert "instances" not in result
        return
    assert [instance["name"] for instance in result["instances"]] == names
    if page_fault == "none":
        # The first page tells how many there are; then the others are asked for at the same time.
        assert sorted(map(pages, sim.journal())) == [("0", "100"), ("198", "100"), ("99", "100")]
        assert pages(sim.journal()[0]) == ("0", "100")


@pytest.mark.parametrize("listed", ["empty", "refused"])
def test_an_id_that_does_not_exist_is_an_empty_list(sim, module, listed):
    """Terraform relies on a refusal where other documents have an empty list (C30)."""
    sim.switches({"dds_unknown_instance_listed": listed})
    result = module(MODULE, ids=[f"{'0' * 32}in02"])
    assert (result.get("failed"), result["instances"], result["summary"]["total"]) == (None, [], 0)


def test_a_refusal_of_all_instances_is_no_empty_list(sim, module):
    refused = {"status": 400, "body": {"error_code": "DBS.280110", "error_msg": "The DB instance does not exist."}}
    sim.faults([{"operation": "ListInstances", "times": None, "fault": refused}])
    assert module(MODULE)["failure"]["code"] == "DBS.280110"


def test_another_project_is_out_of_sight(sim, module):
    assert module(MODULE, names=["dds-sandbox"])["instances"] == []
    assert [instance["name"] for instance in module(MODULE, project_id=sim.projects[1])["instances"]] == ["dds-sandbox"]


def test_no_instances(sim, module):
    sim.reset("empty")
    assert module(MODULE)["instances"] == []


def test_a_missing_permission_is_named(sim, module):
    denied = {"error_code": "DBS.280063", "error_msg": "You do not have following permission: x."}
    sim.faults([{"operation": LIST, "fault": {"status": 403, "body": denied}}])
    result = module(MODULE)
    assert result["failed"] is True
    assert (result["failure"]["code"], result["failure"]["service"]) == ("DBS.280063", "dds")
    assert "dds:instance:list" in result["failure"]["hint"]
    assert "instances" not in result
