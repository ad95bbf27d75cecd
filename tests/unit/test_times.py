# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times and durations: every form that is right, every form that is wrong, and never another exception."""

# ruff: noqa: RUF001  # characters that look like others are what is tested

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    parse_age,
    parse_api_time,
    parse_moment,
    to_dcs,
    to_dds,
    to_result,
)

UTC = timezone.utc
NOW = datetime(2026, 1, 15, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("1s", timedelta(seconds=1)),
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("30d", timedelta(days=30)),
        ("2w", timedelta(weeks=2)),
        ("007d", timedelta(days=7)),
        (" 30d ", timedelta(days=30)),
    ],
)
def test_age(text, age):
    assert parse_age("lookback", text, NOW) == NOW - age
    assert parse_moment("start_time", text, NOW) == NOW - age


WRONG_AGES = [
    "",
    " ",
    "\n",
    "d",
    "30",
    "30 d",
    "-30d",
    "+30d",
    "0d",
    "000000s",
    "1.5h",
    "1e3d",
    "30D",
    "30dd",
    "30d 12h",
    "30days",
    "30d x",
    "30d\nx",
    "x30d",
    "1y",
    "999999w",
    "1234567s",
    "9" * 5000 + "d",
    "٣d",
    "３０d",
    "30ｄ",
    "1_0d",
    "0x1d",
    "\x0030d",
]


@pytest.mark.parametrize("text", WRONG_AGES)
def test_wrong_age(text):
    with pytest.raises(ConfigError, match=r"^lookback must be a whole number and one of the units") as caught:
        parse_age("lookback", text, NOW)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"^lookback must be "):
        parse_moment("lookback", text, NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-15", datetime(2026, 1, 15, tzinfo=UTC)),
        ("2026-01-15T08:30", datetime(2026, 1, 15, 8, 30, tzinfo=UTC)),
        ("2026-01-15T08:30Z", datetime(2026, 1, 15, 8, 30, tzinfo=UTC)),
        ("2026-01-15T08:30:05Z", datetime(2026, 1, 15, 8, 30, 5, tzinfo=UTC)),
        ("2026-01-15T08:30:05", datetime(2026, 1, 15, 8, 30, 5, tzinfo=UTC)),
        ("2026-01-15 08:30:05", datetime(2026, 1, 15, 8, 30, 5, tzinfo=UTC)),
        ("2026-01-15 08:30:05 Z", datetime(2026, 1, 15, 8, 30, 5, tzinfo=UTC)),
        ("2026-01-15 08:30:05 +01:00", datetime(2026, 1, 15, 7, 30, 5, tzinfo=UTC)),
        ("2026-01-15t08:30:05z", datetime(2026, 1, 15, 8, 30, 5, tzinfo=UTC)),
        ("2026-01-15T08:30:05.5Z", datetime(2026, 1, 15, 8, 30, 5, 500000, UTC)),
        ("2026-01-15T08:30:05.123456789Z", datetime(2026, 1, 15, 8, 30, 5, 123456, UTC)),
        ("2026-01-15T09:30:00+01:00", NOW),
        ("2026-01-15T09:30:00+0100", NOW),
        ("2026-01-15T00:00:00-08:30", NOW),
        ("2026-01-15T08:30:00-00:00", NOW),
        ("2026-01-01T00:30:00+01:00", datetime(2025, 12, 31, 23, 30, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        ("20260115083000", NOW),
        ("  2026-01-15T08:30:00Z  ", NOW),
        ("0001-01-01", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_moment(text, expected):
    parsed = parse_moment("start_time", text, NOW)
    assert parsed == expected
    assert parsed.utcoffset() == timedelta(0)


WRONG_MOMENTS = [
    "",
    "   ",
    "\t\n",
    "now",
    "yesterday",
    "2026",
    "2026-01",
    "2026-1-5",
    "2026-00-10",
    "2026-13-01",
    "2026-02-30",
    "2023-02-29",
    "2026-04-31",
    "2026-01-00",
    "0000-01-01",
    "20260115",
    "2026011508300",
    "202601150830000",
    "20261315083000",
    "20260230083000",
    "20260115243000",
    "20260115086000",
    "20260115083060",
    "20260115083061",
    "00000101000000",
    "-20260115083000",
    "2026-01-15T",
    "2026-01-15T08",
    "2026-01-15T25:00:00Z",
    "2026-01-15T24:00:00Z",
    "2026-01-15T08:60:00Z",
    "2026-01-15T08:30:60Z",
    "2026-01-15T8:30:00Z",
    "2026-01-15T08:30:00.Z",
    "2026-01-15T08:30:00,5Z",
    "2026-01-15T08:30:00.1234567890Z",
    "2026-01-15Z",
    "2026-01-15+01:00",
    "2026-01-15T08:30:00+25:00",
    "2026-01-15T08:30:00+24:00",
    "2026-01-15T08:30:00-24:00",
    "2026-01-15T08:30:00+01:75",
    "2026-01-15T08:30:00+01:60",
    "2026-01-15T08:30:00+01",
    "2026-01-15T08:30:00+1:00",
    "2026-01-15T08:30:00 UTC",
    "2026-01-15T08:30:00ZZ",
    "2026-01-15T08:30:00Z and more",
    "2026-01-15T08:30:00Z\nX-Header: 1",
    "2026-01-15\n2026-01-16",
    "2026-01-15  08:30:00",
    "2026-01-15_08:30:00",
    "2026/01/15",
    "15.01.2026",
    "-2026-01-15",
    "+2026-01-15",
    "2026-W03-4",
    "٢٠٢٦-٠١-١٥",
    "２０２６-01-15",
    "２０２６０１１５０８３０００",
    "2026‐01‐15",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "2026-01-15T08:30:00Z&limit=1",
    "1" * 10000,
    "2026-01-15" * 1000,
    "\x002026-01-15",
]


@pytest.mark.parametrize("text", WRONG_MOMENTS)
def test_wrong_moment(text):
    with pytest.raises(ConfigError, match=r"^start_time must be a UTC date or time such as ") as caught:
        parse_moment("start_time", text, NOW)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
    assert caught.value.failure()["code"] == "InvalidOption"


def test_wrong_moment_is_quoted():
    with pytest.raises(ConfigError, match=r"; got '2026-13-01'\.$"):
        parse_moment("start_time", "2026-13-01", NOW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-06-17T07:38:42.503Z", datetime(2020, 6, 17, 7, 38, 42, 503000, UTC)),
        ("2019-05-26T10:41:14+0000", datetime(2019, 5, 26, 10, 41, 14, tzinfo=UTC)),
        ("2019-05-26T10:41:14+0100", datetime(2019, 5, 26, 9, 41, 14, tzinfo=UTC)),
        ("2022-09-01 11:52:24", datetime(2022, 9, 1, 11, 52, 24, tzinfo=UTC)),
        ("2019-01-17T07:05:52", datetime(2019, 1, 17, 7, 5, 52, tzinfo=UTC)),
        ("", None),
        (None, None),
        (1592379522503, None),
        (1.5, None),
        (True, None),
        ([], None),
        ({}, None),
        (b"2020-06-17T07:38:42Z", None),
        ("1592379522503", None),
        ("30d", None),
        ("2020-13-17T07:38:42.503Z", None),
        ("2020-06-17T07:38:42+25:00", None),
        ("0001-01-01T00:00:00+0100", None),
        ("unknown", None),
    ],
)
def test_api_time(text, expected):
    assert parse_api_time(text) == expected


@pytest.mark.parametrize(
    ("moment", "dcs", "dds", "result"),
    [
        (NOW, "20260115083000", "2026-01-15T08:30:00+0000", "2026-01-15T08:30:00Z"),
        (
            datetime(2026, 1, 1, 0, 30, 59, 999999, timezone(timedelta(hours=1))),
            "20251231233059",
            "2025-12-31T23:30:59+0000",
            "2025-12-31T23:30:59Z",
        ),
        (datetime(1, 1, 1, tzinfo=UTC), "00010101000000", "0001-01-01T00:00:00+0000", "0001-01-01T00:00:00Z"),
        (
            datetime(999, 12, 31, 23, 59, 59, tzinfo=UTC),
            "09991231235959",
            "0999-12-31T23:59:59+0000",
            "0999-12-31T23:59:59Z",
        ),
    ],
)
def test_formats(moment, dcs, dds, result):
    assert (to_dcs(moment), to_dds(moment), to_result(moment)) == (dcs, dds, result)


ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001


@given(MOMENTS)
def test_round_trip(moment):
    whole = moment.replace(microsecond=0)
    for text in (to_dcs(moment), to_dds(moment), to_result(moment), whole.isoformat(), whole.isoformat(" ")):
        assert parse_moment("t", text, NOW) == whole
    assert parse_api_time(to_dds(moment)) == whole
    assert parse_api_time(moment.isoformat()) == moment
    assert re.fullmatch(r"\d{14}", to_dcs(moment))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", to_dds(moment))


@given(st.integers(1, 999999), st.sampled_from("smhd"))
def test_ages_lie_before_now(number, unit):
    length = timedelta(seconds=number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit])
    try:
        assert NOW - parse_age("a", f"{number}{unit}", NOW) == length
    except ConfigError:
        assert length > NOW - datetime(1, 1, 1, tzinfo=UTC)


NEARLY = st.one_of(
    st.text(),
    st.text("0123456789-+:.TZtz smhdw\n", max_size=30),
    st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)? ?(Z|[+-]\d\d:?\d\d)?"),
    st.from_regex(r"\d{14}"),
    st.from_regex(r"\d{1,7}[smhdw]"),
)


@given(NEARLY, st.sampled_from([NOW, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]))
@example("0001-01-01T00:00:00+23:59", NOW)
def test_never_another_exception(text, now):
    for parse in (parse_age, parse_moment):
        try:
            parsed = parse("option", text, now)
        except ConfigError:
            continue
        assert parsed.tzinfo is not None
        assert len(to_dcs(parsed)) == 14


@given(st.one_of(NEARLY, st.none(), st.integers(), st.floats(), st.binary(), st.lists(st.integers())))
def test_api_time_never_raises(text):
    parsed = parse_api_time(text)
    assert parsed is None or parsed.utcoffset() == timedelta(0)
