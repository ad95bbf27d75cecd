# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding instances: what is asked of the API, what fits, in which order, and the window in one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import Dds
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._instances import (
    InstanceFilter,
    check_filter,
    find_instances,
    instance_summary,
    maintenance_window,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import Listing

ONE, TWO, THREE = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123")
DDS_ONE, DDS_TWO = (f"{digit * 32}in02" for digit in "ab")


def serving(service, *records):
    """A service that lists these records, whatever it is asked, and keeps the questions."""

    class Serving(service):
        def __init__(self):
            self.asked = []

        def listing(self, operation, path, query, keys):
            assert (operation, path, keys) == (self.list_instances, {}, self.instance_keys)
            self.asked.append({key: value for key, value in query.items() if value is not None})
            return Listing(pytest.fail, 1, keys.identifier, operation, None)

        def list_all(self, listing):
            self.enough = listing.enough
            return list(records)

    return Serving()


def dcs(*records):
    return serving(Dcs, *records)


def dds(*records):
    return serving(Dds, *records)


FLEET = [
    {
        "instance_id": THREE,
        "name": "web",
        "status": "RUNNING",
        "engine": "Redis",
        "tags": [{"key": "env", "value": "x"}],
    },
    {
        "instance_id": ONE,
        "name": "web",
        "status": "FROZEN",
        "engine": "Memcached",
        "tags": [{"key": "env", "value": 5}],
    },
    {"instance_id": TWO, "name": "Cart", "status": "CREATEFAILED", "engine": "Redis", "tags": [{"key": 7}]},
]


def found(service, **wanted):
    return [record[service.instance_keys.identifier] for record in find_instances(service, InstanceFilter(**wanted))]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, [TWO, ONE, THREE]),
        ({"ids": [ONE]}, [ONE]),
        ({"ids": [THREE.upper(), TWO, TWO]}, [TWO, THREE]),
        ({"names": ["web"]}, [ONE, THREE]),
        ({"names": ["Web"]}, []),
        ({"names": ["we"]}, []),
        ({"names": ["w*"]}, [ONE, THREE]),
        ({"names": ["W*"]}, []),
        ({"names": ["???"]}, [ONE, THREE]),
        ({"names": ["[Cw]*"]}, [TWO, ONE, THREE]),
        ({"names": ["Cart", "web"]}, [TWO, ONE, THREE]),
        ({"names": ["Cart", "nobody", "x*"]}, [TWO]),
        ({"statuses": ["running"]}, [THREE]),
        ({"statuses": ["RUNNING", "CreateFailed"]}, [TWO, THREE]),
        ({"statuses": ["RUNN"]}, []),
        ({"engines": ["redis"]}, [TWO, THREE]),
        ({"engines": ["REDIS", "Memcached"]}, [TWO, ONE, THREE]),
        ({"tags": {"env": "x"}}, [THREE]),
        ({"tags": {"env": "5"}}, [ONE]),
        ({"tags": {"env": None}}, [ONE, THREE]),
        ({"tags": {"env": ""}}, [ONE, THREE]),
        ({"tags": {"ENV": None}}, []),
        ({"tags": {"7": None}}, [TWO]),
        ({"tags": {"7": "x"}}, []),
        ({"tags": {"env": None, "7": None}}, []),
        ({"names": ["web"], "engines": ["redis"]}, [THREE]),
        ({"names": ["web"], "ids": [ONE, TWO]}, [ONE]),
        ({"ids": [ONE], "statuses": ["RUNNING"]}, []),
    ],
)
def test_what_fits(wanted, expected):
    assert found(dcs(*FLEET), **wanted) == expected
    assert found(dcs(*FLEET[::-1]), **wanted) == expected


@pytest.mark.parametrize("field", InstanceFilter._fields)
def test_an_empty_filter_fits_nothing_and_asks_nothing(field):
    service = dcs(*FLEET)
    assert found(service, **{field: {} if field == "tags" else []}) == []
    assert service.asked == []


ALL = {"include_failure": "true"}


@pytest.mark.parametrize(
    ("wanted", "query"),
    [
        ({}, {}),
        ({"ids": [ONE.upper()]}, {"instance_id": ONE}),
        ({"ids": [ONE, ONE.upper()]}, {"instance_id": ONE}),
        ({"ids": [ONE, TWO]}, {}),
        ({"names": ["web"]}, {"name": "web", "name_equal": "true"}),
        ({"names": ["web", "Cart"]}, {}),
        ({"names": ["*"]}, {}),
        ({"names": ["we?"]}, {}),
        ({"names": ["w[e]b"]}, {}),
        ({"ids": [ONE], "names": ["web"]}, {"instance_id": ONE}),
        ({"ids": [ONE, TWO], "names": ["web"]}, {"name": "web", "name_equal": "true"}),
        ({"statuses": ["RUNNING"]}, {}),
        ({"statuses": ["deleting"]}, {"include_delete": "true"}),
        ({"engines": ["Redis"]}, {}),
        ({"tags": {"env": "prod"}}, {"tags": "env=prod"}),
        ({"tags": {"a": "1", "b": "ü:/", "c": "größe"}}, {"tags": "a=1,c=größe"}),
        ({"tags": {"env": None, "owner": "a b", "x": "1,y=2"}}, {}),
        ({"tags": {f"k{n}": "v" for n in range(30)}}, {"tags": ",".join(f"k{n}=v" for n in range(20))}),
    ],
)
def test_what_is_asked(wanted, query):
    service = dcs()
    found(service, **wanted)
    assert service.asked == [{**ALL, **query}]


def test_a_listing_ends_when_all_ids_were_seen():
    service = dcs()
    found(service, names=["web"])
    assert service.enough is None
    found(service, ids=[ONE.upper(), TWO])
    assert [service.enough(seen) for seen in ({}, {ONE: {}}, {ONE: {}, THREE: {}}, {TWO: {}, THREE: {}, ONE: {}})] == [
        False,
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("wanted", "query"),
    [
        ({}, {}),
        ({"ids": [DDS_ONE.upper()]}, {"id": DDS_ONE}),
        ({"names": ["orders"]}, {"name": "orders"}),
        ({"names": ["*orders"]}, {}),
        ({"statuses": ["deleted"]}, {}),
    ],
)
def test_what_is_asked_of_dds(wanted, query):
    service = dds()
    found(service, **wanted)
    assert service.asked == [query]


def test_engines_of_dds():
    service = dds(
        {"id": DDS_ONE, "name": "a", "engine": "rocksDB", "datastore": {"type": "DDS-Community"}},
        {"id": DDS_TWO, "name": "b", "engine": None, "datastore": {"type": "DDS-Enhanced"}},
        {"id": "c" * 32 + "in02", "name": "c", "engine": 5, "datastore": None},
    )
    assert found(service, engines=["ROCKSDB"]) == [DDS_ONE]
    assert found(service, engines=["dds-enhanced", "Redis"]) == [DDS_TWO]
    assert found(service, engines=["dds-community"]) == [DDS_ONE]


def test_nothing_of_the_object_is_dropped():
    record = {"id": DDS_ONE, "new": {"kept": [1, None]}, "maintenance_window": "22:00-02:00"}
    assert find_instances(dds(record), InstanceFilter()) == [
        {**record, "maintenance_window": {"begin": "22:00", "end": "02:00"}}
    ]
    assert record["maintenance_window"] == "22:00-02:00"


@pytest.mark.parametrize("odd", [None, 5, [], {}, True, "", "x"])
def test_odd_answers_do_no_harm(odd):
    keys = ("name", "status", "engine", "datastore", "tags", "maintenance_window", "maintain_begin", "maintain_end")
    record = {"instance_id": ONE, **dict.fromkeys(keys, odd)}
    other = {"instance_id": TWO, "tags": [odd, {"key": odd, "value": odd}], "name": "n"}
    assert set(found(dcs(record, other))) == {ONE, TWO}
    wanted = {"names": ["*y*"], "tags": {"y": "y"}, "statuses": ["y"], "engines": ["y"]}
    for field, value in wanted.items():
        assert found(dcs(record, other), **{field: value}) == []
    assert instance_summary([record, other])["total"] == 2


@given(st.permutations([(name, number) for number, name in enumerate(["b", "a", "b", None, "", "B", "ä"])]))
def test_order_does_not_depend_on_the_order_of_the_api(parts):
    records = [{"instance_id": f"{number}", "name": name} for name, number in parts]
    assert found(dcs(*records)) == ["3", "4", "5", "1", "0", "2", "6"]


@pytest.mark.parametrize(
    ("instance", "begin", "end"),
    [
        ({"maintain_begin": "02:00:00", "maintain_end": "06:00:00"}, "02:00", "06:00"),
        ({"maintain_begin": "22:00:00", "maintain_end": "02:00:00"}, "22:00", "02:00"),
        ({"maintain_begin": "18", "maintain_end": "22"}, "18:00", "22:00"),
        ({"maintain_begin": 18, "maintain_end": 22}, "18:00", "22:00"),
        ({"maintain_begin": "2:30", "maintain_end": "6:30"}, "02:30", "06:30"),
        ({"maintain_begin": "20:00", "maintain_end": "24:00"}, "20:00", "24:00"),
        ({"maintenance_window": "02:00-06:00"}, "02:00", "06:00"),
        ({"maintenance_window": "02:00:00 - 06:00:00"}, "02:00", "06:00"),
        ({"maintenance_window": None, "maintain_begin": "02:00:00", "maintain_end": "06:00:00"}, "02:00", "06:00"),
        ({"maintenance_window": {"begin": "02:00", "end": "06:00"}}, "02:00", "06:00"),
    ],
)
def test_window(instance, begin, end):
    assert maintenance_window(instance) == {"begin": begin, "end": end}


@pytest.mark.parametrize(
    "instance",
    [
        {},
        {"maintain_begin": None, "maintain_end": None},
        {"maintain_begin": "02:00:00"},
        {"maintain_begin": "02:00:00", "maintain_end": ""},
        {"maintain_begin": "25", "maintain_end": "26"},
        {"maintain_begin": "02:60", "maintain_end": "06:00"},
        {"maintain_begin": "24:01", "maintain_end": "06:00"},
        {"maintain_begin": True, "maintain_end": True},
        {"maintenance_window": ""},
        {"maintenance_window": "02:00"},
        {"maintenance_window": "02:00-"},
        {"maintenance_window": "02:00-06:00-10:00"},
        {"maintenance_window": "at night"},
        {"maintenance_window": ["02:00", "06:00"]},
    ],
)
def test_no_window(instance):
    assert maintenance_window(instance) is None


def test_summary():
    assert instance_summary(FLEET) == {
        "total": 3,
        "by_status": {"CREATEFAILED": 1, "FROZEN": 1, "RUNNING": 1},
        "by_engine": {"Memcached": 1, "Redis": 2},
    }
    assert instance_summary([{"status": None, "datastore": {"type": "DDS-Community"}}, {}]) == {
        "total": 2,
        "by_status": {"None": 2},
        "by_engine": {"DDS-Community": 1, "None": 1},
    }
    assert instance_summary([]) == {"total": 0, "by_status": {}, "by_engine": {}}


def test_filter_of_options():
    assert check_filter(Dcs, {}) == InstanceFilter()
    assert check_filter(Dcs, dict.fromkeys(InstanceFilter._fields)) == InstanceFilter()
    assert check_filter(
        Dcs,
        {
            "ids": [ONE, ONE],
            "names": ["a", "b*", "a"],
            "tags": {"env": "prod", 5: 7, "any": None, "empty": ""},
            "statuses": [],
            "engines": ["Redis"],
        },
    ) == InstanceFilter([ONE], ["a", "b*"], {"env": "prod", "5": "7", "any": None, "empty": ""}, [], ["Redis"])


@pytest.mark.parametrize(
    ("option", "value", "part"),
    [
        *(
            ("ids", [ONE, bad], "ids of DCS instances")
            for bad in ("", "redis", DDS_ONE, ONE + "\n", " " + ONE, "x" * 99)
        ),
        *(
            (option, ["good", bad], "none of them empty")
            for option in ("names", "statuses", "engines")
            for bad in ("", " ", " a", "a ", "a\nb", "a\n", "\x7f", "x" * 256)
        ),
        *(("tags", {bad: "v"}, "tag keys") for bad in ("", " ", "a,b", "a=b", "=", "a\n")),
        *(("tags", {"k": bad}, "in quotes; 'k' has") for bad in (True, 1.5, [], ["a"], {"a": "b"})),
    ],
)
def test_bad_filters(option, value, part):
    for prefix in ("", "filters."):
        with pytest.raises(ConfigError, match=part) as caught:
            check_filter(Dcs, {option: value}, prefix)
        assert prefix + option in caught.value.message
        assert "\n" not in caught.value.message
        assert len(caught.value.message) < 250
