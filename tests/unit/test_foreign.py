# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""JSON of a service is kept whole and made harmless; the judge of what is harmless is Ansible's own reader."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hwcloud.maintenance.plugins.module_utils._foreign import (
    make_harmless,
    read_json,
    without_secrets,
)

try:
    from ansible.module_utils.common.json import Direction, get_module_decoder
except ImportError:  # ansible-core before 2.19 reads the results of modules as plain JSON

    def read_as_ansible(text):
        return json.loads(text)

else:

    def read_as_ansible(text):
        return json.loads(text, cls=get_module_decoder("legacy", Direction.MODULE_TO_CONTROLLER))


def read(value):
    """The value, as a service would write it, and as it is read then."""
    return read_json(json.dumps(value).encode())


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        "",
        "Grüße, 世界 😀 \u202e \x00 \x1b[2J \x7f\r\n",
        [],
        {},
        {"": {"a b": [1, None, {"x-y": False}]}},
        {"_ansible_verbose": 1, "ansible_facts": {}, "__ansible": 1, "x__ansible_type": 2},
        9007199254740993,
        10**99,
        {"__": "{{ 1 + 1 }}"},
    ],
)
def test_what_is_harmless_is_kept_as_it_is(value):
    assert read(value) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\ud800"', "\ufffd"),
        (r'"a\uDFFFb\ud83d"', "a\ufffdb\ufffd"),
        (r'"\ud83d\ude00"', "😀"),
        (r'{"\udc00": 1}', {"\ufffd": 1}),
        (r'["\u4e2d", "\udead"]', ["中", "\ufffd"]),
        ("NaN", None),
        ("[Infinity, -Infinity, 1e999, -1e999, 1e308]", [None, None, None, None, 1e308]),
        ("9" * 101, "9" * 101),
        ("-" + "9" * 5000, "-" + "9" * 999),
        ('{"__ansible_type": "Nope"}', {"api___ansible_type": "Nope"}),
        (r'{"\u005f\u005fansible_type": 1}', {"api___ansible_type": 1}),
        (r'{"__\u0061nsible_x": 1, "_\u005Fansible_y": 2}', {"api___ansible_x": 1, "api___ansible_y": 2}),
        ('[{"a": {"__ansible_unsafe": "x"}}]', [{"a": {"api___ansible_unsafe": "x"}}]),
        (
            '{"__ansible_x": 1, "api___ansible_x": 2, "api_api___ansible_x": 3}',
            {"api_api_api___ansible_x": 1, "api___ansible_x": 2, "api_api___ansible_x": 3},
        ),
    ],
)
def test_what_ansible_cannot_take_is_replaced(written, value):
    assert read_json(written.encode()) == value


@pytest.mark.parametrize("raw", [b'"caf\xe9"', b'"\xed\xa0\x80"', b'"\xff\xfe"'])
def test_bytes_that_are_not_utf8_become_one_mark_or_more(raw):
    value = read_json(raw)
    assert set(value.removeprefix("caf")) == {"\ufffd"}


def nested(depth, kind):
    if kind == "list":
        return "[" * depth + "]" * depth
    if kind == "object":
        return '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)
    # Brackets inside text, which must not be counted.
    inner = '{"x": "}]", "y": "\\"[", "z": ' * (depth - 1)
    return inner + "[]" + ', "w": "{[["}' * (depth - 1)


def depth_of(value):
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


@pytest.mark.parametrize("kind", ["list", "object", "text with brackets"])
@pytest.mark.parametrize("depth", [1, 31, 32])
def test_depth_that_is_accepted(kind, depth):
    text = nested(depth, kind)
    assert read_json(text.encode()) == json.loads(text)


@pytest.mark.parametrize("kind", ["list", "object", "text with brackets"])
@pytest.mark.parametrize("depth", [33, 34, 300, 5000, 100_000])
def test_what_is_nested_deeper_becomes_its_text(kind, depth):
    text = nested(depth, kind)
    value = read_json(text.encode())
    assert depth_of(value) == 32
    levels, innermost = 0, value
    while isinstance(innermost, (dict, list)):
        innermost = (
            (innermost["z"] if "z" in innermost else innermost["a"]) if isinstance(innermost, dict) else innermost[0]
        )
        levels += 1
    assert levels == 32
    assert isinstance(innermost, str)
    assert 0 < len(innermost) <= 1000
    assert innermost in text
    json.dumps(value)


def test_only_what_is_too_deep_is_cut():
    deep = nested(50, "list")
    value = read_json(f'{{"before": [1], "deep": {deep}, "after": {{"b": {deep}, "c": 2}}}}'.encode())
    assert value["before"] == [1]
    assert value["after"]["c"] == 2
    assert depth_of(value) == 32


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b" ", b"<html>", b"{", b"[1,", b'"', b'{"a"}', b"nul", b"[}", b"]", b"'a'", b'"a" b', b"\xef\xbb\xbf{}"),
        *(b"[" * 40, b"[" * 100_000, b"[" * 40 + b"}" * 40 + b"x", b"[" * 40 + b'"', b'{"a":' * 100_000, b"]" * 40),
    ],
)
def test_what_is_no_json_is_refused(raw):
    with pytest.raises(ValueError):  # noqa: PT011  # JSONDecodeError or ValueError: callers treat them alike
        read_json(raw)


KEYS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        ["__ansible_type", "__ansible_unsafe", "__ansible_vault", "_ansible_x", "\ud800", "api___ansible_type"]
    ),
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=8),
        st.sampled_from(["\ud800", "a\udfffb", "_AnsibleTaggedStr", "TrustedAsTemplate", "{{ x }}"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


@given(VALUES)
def test_ansible_reads_whatever_was_read(value):
    found = read_json(json.dumps(value).encode())
    text = json.dumps(found, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert read_as_ansible(text) == found
    assert read_json(text.encode()) == found, "reading it again changes nothing"


def strings_in(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_in(inner)
    elif isinstance(value, str):
        yield value


@given(VALUES)
def test_nothing_dangerous_is_left(value):
    found = read_json(json.dumps(value).encode())
    for text in strings_in(found):
        assert not any("\ud800" <= char <= "\udfff" for char in text)
    assert '"__ansible_' not in json.dumps([*_keys(found)])
    assert not any(isinstance(number, float) and not math.isfinite(number) for number in _leaves(found))


def _keys(value):
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(inner)


def _leaves(value):
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    else:
        yield value


def test_a_text_that_became_a_key_is_made_harmless():
    assert make_harmless({"__ansible_type": 1, "x": [{"__ansible_unsafe": "__ansible_type"}]}) == {
        "api___ansible_type": 1,
        "x": [{"api___ansible_unsafe": "__ansible_type"}],
    }


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("a secret b", "a ******** b"),
        (
            {"secret": 1, "x": ["secret", {"my secret": None}]},
            {"********": 1, "x": ["********", {"my ********": None}]},
        ),
        (["fine", 1, None, True], ["fine", 1, None, True]),
        ({"longer-secret": "longer-secret"}, {"********": "********"}),
    ],
)
def test_secrets_are_hidden_in_keys_too(value, hidden):
    assert without_secrets(value, {"secret", "longer-secret"}) == hidden
