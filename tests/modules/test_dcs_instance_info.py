# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""dcs_instance_info against the simulator: what it finds, what it asks, and what it passes through."""

from __future__ import annotations

import pytest

MODULE = "dcs_instance_info"
LIST = "ListInstances"

A, B, C, D, E, F = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123456")
GONE = "99999999-0000-4000-8000-000000000000"


def tags(**pairs):
    return [{"key": key, "value": value} for key, value in pairs.items()]


#: Names that are part of each other, the same name twice, every kind of status, tags that are numbers.
FLEET = [
    {"instance_id": F, "name": "web", "status": "RUNNING", "tags": tags(env="prod", team="a b", floor="5")},
    {"instance_id": A, "name": "web", "status": "FROZEN", "tags": tags(env="test", floor=5)},
    {"instance_id": B, "name": "web-2", "status": "CREATEFAILED", "tags": tags(env="prod")},
    {"instance_id": C, "name": "Web", "status": "ERROR", "engine": "Memcached", "tags": [{"key": "owner"}]},
    {"instance_id": D, "name": "cart", "status": "CREATING", "tags": None},
    {"instance_id": E, "name": "old", "status": "DELETING"},
]


@pytest.fixture
def fleet(sim):
    sim.reset({"dcs_instances": FLEET})
    return sim


def ids(result):
    return [instance["instance_id"] for instance in result["instances"]]


def queries(sim):
    """What was asked, without the page."""
    assert set(sim.operations()) <= {LIST}
    return [
        {key: ",".join(values) for key, values in entry["query"].items() if key not in ("offset", "limit")}
        for entry in sim.journal("dcs")
    ]


def pages(entry):
    """The offset and the limit that were asked for."""
    return tuple(",".join(entry["query"][name]) for name in ("offset", "limit"))


@pytest.mark.parametrize("list_order", ["newest_first", "oldest_first", "shuffled"])
@pytest.mark.parametrize("check_mode", [False, True])
def test_lists_every_instance_by_name_and_id_with_one_request(fleet, module, list_order, check_mode):
    fleet.switches({"list_order": list_order})
    result = module(MODULE, check_mode=check_mode)
    assert ids(result) == [C, D, A, F, B]
    assert result["changed"] is False
    assert result["requests"] == 1
    assert fleet.operations() == [LIST]
    assert result["summary"] == {
        "total": 5,
        "by_status": {"CREATEFAILED": 1, "CREATING": 1, "ERROR": 1, "FROZEN": 1, "RUNNING": 1},
        "by_engine": {"Memcached": 1, "Redis": 4},
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
        ({"names": ["web"]}, [A, F]),
        ({"names": ["we"]}, []),
        ({"names": ["WEB"]}, []),
        ({"names": ["web", "cart"]}, [D, A, F]),
        ({"names": ["web*"]}, [A, F, B]),
        ({"names": ["[wW]eb"]}, [C, A, F]),
        ({"names": ["????"]}, [D]),
        ({"names": ["*"]}, [C, D, A, F, B]),
        ({"names": ["x*", "*x"]}, []),
        ({"names": ["größe"]}, []),
        ({"names": ["a&b=c%20#/"]}, []),
        ({"tags": {"env": "prod"}}, [F, B]),
        ({"tags": {"env": "prod", "team": "a b"}}, [F]),
        ({"tags": {"env": "prod", "team": None}}, [F]),
        ({"tags": {"env": ""}}, [A, F, B]),
        ({"tags": {"floor": 5}}, [A, F]),
        ({"tags": {"floor": "5"}}, [A, F]),
        ({"tags": {"owner": None}}, [C]),
        ({"tags": {"owner": "x"}}, []),
        ({"tags": "env=prod"}, [F, B]),
        ({"statuses": ["RUNNING"]}, [F]),
        ({"statuses": ["running", "Frozen"]}, [A, F]),
        ({"statuses": ["CREATEFAILED"]}, [B]),
        ({"statuses": ["CREATING", "ERROR"]}, [C, D]),
        ({"statuses": ["DELETING"]}, [E]),
        ({"statuses": ["SLEEPING"]}, []),
        ({"engines": ["memcached"]}, [C]),
        ({"engines": ["Redis"], "names": ["*eb"]}, [A, F]),
        ({"names": ["web"], "tags": {"env": "test"}, "statuses": ["FROZEN"], "engines": ["Redis"], "ids": [A, B]}, [A]),
        ({"names": ["web"], "ids": [B]}, []),
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
        ({"ids": [A]}, {"instance_id": A}),
        ({"ids": [A, B]}, {}),
        ({"names": ["web"]}, {"name": "web", "name_equal": "true"}),
        ({"names": ["web", "cart"]}, {}),
        ({"names": ["web*"]}, {}),
        ({"tags": {"env": "prod", "team": None}}, {"tags": "env=prod"}),
        ({"statuses": ["DELETING"]}, {"include_delete": "true"}),
    ],
    ids=str,
)
def test_what_is_asked(fleet, module, options, query):
    module(MODULE, **options)
    assert queries(fleet) == [{"include_failure": "true", **query}]


@pytest.mark.parametrize("option", ["ids", "names", "tags", "statuses", "engines"])
def test_an_empty_filter_finds_nothing_and_asks_nothing(fleet, module, option):
    result = module(MODULE, **{option: {} if option == "tags" else []})
    assert result["instances"] == []
    assert result["summary"] == {"total": 0, "by_status": {}, "by_engine": {}}
    assert result["requests"] == 0
    assert fleet.journal() == []


def answer(sim, *instances):
    """Let the next listing have these objects."""
    body = {"instance_num": len(instances), "instances": list(instances)}
    sim.faults([{"operation": LIST, "fault": {"status": 200, "body": body}}])


@pytest.mark.parametrize(
    "options",
    [{"ids": [A]}, {"names": ["web"]}, {"tags": {"env": "prod"}}],
    ids=str,
)
def test_a_filter_that_the_service_ignores_is_applied_here(sim, module, options):
    answer(
        sim,
        {"instance_id": B, "name": "web-2", "tags": []},
        {"instance_id": A, "name": "web", "tags": tags(env="prod")},
    )
    assert ids(module(MODULE, **options)) == [A]


def test_fields_of_the_api_are_passed_through(sim, module):
    odd = {
        "instance_id": A,
        "name": "web",
        "status": "SOMETHING_NEW",
        "az_codes": [{"az_code": "cn-north-4a"}],
        "publicip_id": {},
        "tags": [{"key": 7, "value": 8}],
        "a_new_field": {"kept": [1, None, "ü"]},
        "maintain_begin": "22:00:00",
        "maintain_end": "02:00:00",
    }
    answer(sim, odd, {"instance_id": B})
    result = module(MODULE)
    assert result["instances"] == [
        {"instance_id": B, "maintenance_window": None},
        {**odd, "maintenance_window": {"begin": "22:00", "end": "02:00"}},
    ]
    assert result["summary"]["by_status"] == {"None": 1, "SOMETHING_NEW": 1}


@pytest.mark.parametrize("azs", ["strings", "objects"])
def test_instances_are_the_objects_of_the_api_with_a_window(sim, module, azs):
    sim.switches({"azs": azs})
    of_api = {instance["instance_id"]: instance for instance in sim.state()["dcs_instances"]}
    for instance in module(MODULE)["instances"]:
        window = {"begin": instance["maintain_begin"][:5], "end": instance["maintain_end"][:5]}
        assert instance.pop("maintenance_window") == window
        zones = instance.pop("az_codes")
        assert [zone["az_code"] if azs == "objects" else zone for zone in zones]
        expected = of_api[instance["instance_id"]]
        assert instance == {key: expected[key] for key in instance}
        assert len(instance) > 35


@pytest.mark.parametrize(
    ("begin", "end", "window"),
    [
        ("02:00:00", "06:00:00", {"begin": "02:00", "end": "06:00"}),
        ("22:00", "02:00", {"begin": "22:00", "end": "02:00"}),
        ("18", "22", {"begin": "18:00", "end": "22:00"}),
        (18, 22, {"begin": "18:00", "end": "22:00"}),
        (None, None, None),
        ("", "", None),
        ("02:00:00", None, None),
        ("at night", "later", None),
    ],
)
def test_windows(sim, module, begin, end, window):
    sim.reset({"dcs_instances": [{"name": "web", "maintain_begin": begin, "maintain_end": end}]})
    (instance,) = module(MODULE)["instances"]
    assert instance["maintenance_window"] == window
    assert (instance["maintain_begin"], instance["maintain_end"]) == (begin, end)


@pytest.mark.parametrize("page_fault", ["none", "short", "empty", "repeated"])
def test_more_instances_than_a_page_holds(sim, module, page_fault):
    sim.reset("fleet:1003:0")
    sim.switches({"page_fault": page_fault})
    result = module(MODULE, names=["redis-fleet-*"])
    if page_fault == "repeated":
        assert result["failure"]["code"] == "UnreadableAnswer"
        assert "instances" not in result
        return
    assert [instance["name"] for instance in result["instances"]] == [f"redis-fleet-{n:05d}" for n in range(1003)]
    assert result["summary"]["total"] == 1003
    if page_fault == "none":
        assert [pages(entry) for entry in sim.journal()] == [("0", "1000"), ("999", "1000")]


def test_a_listing_ends_when_all_ids_were_seen(sim, module):
    sim.reset("fleet:1003:0")
    sim.switches({"list_order": "oldest_first"})
    wanted = [sim.instance(f"redis-fleet-{number:05d}")["instance_id"] for number in (1000, 1001)]
    assert ids(module(MODULE, ids=wanted)) == wanted
    assert sim.operations() == [LIST]


def test_no_instances(sim, module):
    sim.reset("empty")
    result = module(MODULE)
    assert result["instances"] == []
    assert result["summary"] == {"total": 0, "by_status": {}, "by_engine": {}}


def test_a_missing_permission_is_named(sim, module):
    denied = {"error_code": "DCS.2007", "error_msg": "Policy does not allow dcs:instance:list to be performed."}
    sim.faults([{"operation": LIST, "fault": {"status": 403, "body": denied}}])
    result = module(MODULE)
    assert result["failed"] is True
    assert result["changed"] is False
    assert (result["failure"]["code"], result["failure"]["operation"]) == ("DCS.2007", LIST)
    assert "dcs:instance:list" in result["failure"]["hint"]
    assert "instances" not in result


def test_a_lost_answer_is_asked_for_again(fleet, module, no_backoff):
    fleet.faults([{"operation": LIST, "fault": "drop_after"}])
    result = module(MODULE, names="cart")
    assert ids(result) == [D]
    assert result["requests"] == 2
    assert len(result["retried"]) == 1
