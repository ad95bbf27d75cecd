# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading JSON that a service, or a file that others can write, contains: everything is kept, and made harmless.

read_json() is the only way in which the collection reads such JSON. What it returns can be written and read again by
Ansible, whoever chose the values:

- lone surrogates in text become U+FFFD, and so do bytes that are not UTF-8;
- NaN, the infinities, and numbers beyond the range of a float become null;
- an integer of more than 100 digits becomes its text;
- what is nested deeper than 32 objects and lists becomes its JSON text, and every such text is cut at 1,000 characters;
- a key that begins with C(__ansible_), which Ansible takes for an instruction, gets C(api_) before it.
"""

from __future__ import annotations

import json
import math
import re
import typing as t
from itertools import chain, compress
from json.decoder import scanstring  # type: ignore[attr-defined]  # written in C where there is C

#: Objects and lists inside each other, the whole answer included.
_DEPTH_MOST = 32
#: Characters that are kept of the text of what is nested deeper, and of a number that is too long.
_TEXT_MOST = 1000
_DIGITS_MOST = 100

_RESERVED_PREFIX = "__ansible_"
_HARMLESS_PREFIX = "api_"
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Escapes that can become a lone surrogate, or a character of C(__ansible_).
_SUSPICIOUS_ESCAPE = re.compile(r"\\u(?:[dD][89a-fA-F]|00[5-7])")
_CONTAINERS = frozenset((dict, list))
#: How many records of a listing are looked at to tell what the others have.
_SAMPLES = 8
_STRUCTURE = re.compile(r'["\[\]{}]')

_MASK = "********"


def read_json(raw: bytes) -> t.Any:
    """The value of a JSON document; ValueError when it is none.

    :arg raw: the document, in UTF-8.
    """
    text = raw.decode("utf-8", "replace")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        value = None
    if value is None or (not _is_uniform(value, text) and _is_too_deep(value)):
        text = _without_depth(text)
        value = _DECODER.decode(text)
    # Only few documents have something to change, and looking at each value takes long.
    if f'"{_RESERVED_PREFIX}' in text or ("\\" in text and _SUSPICIOUS_ESCAPE.search(text)):
        return make_harmless(value)
    return value


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _DIGITS_MOST else text[:_TEXT_MOST]


_DECODER = json.JSONDecoder(parse_float=_finite, parse_int=_integer, parse_constant=lambda _name: None)


def _is_uniform(value: t.Any, text: str) -> bool:
    """Whether a quick look finds all objects and lists of the document, and none of them too deep.

    In a listing all records are alike: what is an object or a list in one of the first is one in the others, or null. Each
    has an opening bracket in the text, so that none can be missed.
    """
    brackets = text.count("{") + text.count("[")
    level = [value]
    for _depth in range(_DEPTH_MOST):
        dicts = [outer for outer in level if outer.__class__ is dict]
        lists = [outer for outer in level if outer.__class__ is list]
        brackets -= len(dicts) + len(lists)
        if not brackets:
            return True
        level = [inner for outer in lists for inner in outer]
        samples = dicts[:_SAMPLES]
        for key in {key for outer in samples for key, inner in outer.items() if isinstance(inner, (dict, list))}:
            level += [outer.get(key) for outer in dicts]
    return False


def _is_too_deep(value: t.Any) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _depth in range(_DEPTH_MOST):
        if not level:
            return False
        inner = list(chain.from_iterable(outer.values() if isinstance(outer, dict) else outer for outer in level))
        # No loop of Python's: a long listing has hundreds of thousands of values.
        level = list(compress(inner, map(_CONTAINERS.__contains__, map(type, inner))))
    return bool(level)


def _without_depth(text: str) -> str:
    """The same JSON document, with text in the place of each value that is nested too deep; ValueError if it is none."""
    parts = []
    depth = copied = begin = place = 0
    while True:
        match = _STRUCTURE.search(text, place)
        if match is None:
            break
        sign, place = match.group(), match.end()
        if sign == '"':
            _string, place = scanstring(text, place, True)
        elif sign in "[{":
            depth += 1
            if depth == _DEPTH_MOST + 1:
                begin = match.start()
        else:
            if depth == _DEPTH_MOST + 1:
                parts += [text[copied:begin], json.dumps(text[begin:place][:_TEXT_MOST])]
                copied = place
            depth -= 1
    if depth:
        raise ValueError("objects or lists have no end")
    return "".join((*parts, text[copied:]))


def make_harmless(value: t.Any) -> t.Any:
    """A JSON value whose keys and texts have no meaning for Ansible; also where a text of a service became a key."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [make_harmless(inner) for inner in value]
    if isinstance(value, dict):
        found: dict[str, t.Any] = {}
        for name, inner in value.items():
            key = _SURROGATE.sub("\ufffd", name)
            if key.startswith(_RESERVED_PREFIX):
                key = _HARMLESS_PREFIX + key
            # Another key of the same object may have this name already.
            while key in found or (key != name and key in value):
                key = _HARMLESS_PREFIX + key
            found[key] = make_harmless(inner)
        return found
    return value


def without_secrets(
    value: t.Any, secrets: t.Collection[str], keep: t.Callable[[str, t.Any], bool] = lambda _name, _value: False
) -> t.Any:
    """A JSON value with asterisks in the place of each secret, in keys too, which Ansible itself never hides.

    :arg secrets: texts, also as they are escaped in JSON.
    :arg keep: whether the value of a key stays as it is.
    """
    if isinstance(value, str):
        for secret in sorted(secrets, key=len, reverse=True):
            value = value.replace(secret, _MASK)
        return value
    if isinstance(value, dict):
        return {
            without_secrets(name, secrets) if isinstance(name, str) else name: (
                inner if keep(name, inner) else without_secrets(inner, secrets, keep)
            )
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [without_secrets(inner, secrets, keep) for inner in value]
    return value
