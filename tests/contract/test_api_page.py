# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/api.md is true: it has what the collection and the simulator know, and nothing that they contradict."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hwcloud.maintenance.plugins import module_utils
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ApiError, is_retryable
from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import phase_of
from tests.simulator.errors import DCS_ERRORS, DDS_ERRORS
from tests.simulator.routes import OPERATIONS
from tests.simulator.switches import SWITCHES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SOURCES = [
    path
    for folder in ("plugins", "tests/simulator", "tests/contract", "tests/unit", "tests/modules", "tests/proof")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
CODE = re.compile(r"\b(?:DCS|DBS|APIGW?)\.\d{4,8}\b|\b111[45]\d{5}\b")
CONFLICT = re.compile(r"\bC([1-9]\d?)\b(?!\()")


def rows(header: str) -> Iterator[list[str]]:
    """The cells of all tables with this header."""
    lines = PAGE.splitlines()
    for number, line in enumerate(lines):
        if line == header:
            for row in lines[number + 2 :]:
                if not row.startswith("|"):
                    break
                yield [cell.strip() for cell in row.strip("|").split("|")]


def words(cell: str) -> list[str]:
    """What a cell has in code."""
    return re.findall(r"`([^`]+)`", cell)


def operations() -> list[Operation]:
    """All operations of the collection."""
    found: list[Operation] = []
    for module in pkgutil.iter_modules(module_utils.__path__):
        names = vars(importlib.import_module(f"{module_utils.__name__}.{module.name}"))
        holders = [names, *(vars(each) for each in names.values() if isinstance(each, type))]
        found += [each for holder in holders for each in holder.values() if isinstance(each, Operation)]
    return found


def test_operations() -> None:
    listed = {
        (words(row[0])[0], *words(row[1])[0].split(" ")): row
        for row in rows("| operation | request | action | used by |")
    }
    assert set(listed) == {(each.name, each.method, each.route) for each in OPERATIONS}
    used = {(each.name, each.method, each.path): each.action for each in operations()}
    assert len(used) >= 14
    assert set(used) == {key for key, row in listed.items() if row[3] == "modules"}
    assert {row[3] for row in listed.values()} == {"modules", "simulator"}
    for key, action in used.items():
        assert action is None or action in words(listed[key][2]), key
    for each in OPERATIONS:
        cell = listed[each.name, each.method, each.route][2]
        assert cell == "not documented" or (
            each.action in words(cell) if each.action else "none" in cell or "for an" in cell
        )


def test_status_words() -> None:
    listed = {row[0]: words(row[1]) for row in rows("| phase | words |")}
    assert listed.pop("unknown") == []
    for phase, own in listed.items():
        assert {phase_of(word) for word in own} == {phase}
    assert len(listed) == 5
    # Those that the simulator writes, of both services.
    for word in ("CREATED", "EXECUTING", "SUCCESS", "FAILED", "CANCELLED"):
        assert any(word in own for own in listed.values())
    for word in ("Pending", "Running", "Completed", "Failed", "Canceled"):
        assert any(word.upper() in own for own in listed.values())


# The dash of a cell that has nothing to say.
NOTHING = "\N{EN DASH}"
CODES = {code: row for row in rows("| code | HTTP | says | taken for |") for code in words(row[0])}


def test_every_code_is_listed() -> None:
    plugins = (ROOT / "plugins").rglob("*.py")
    known = {code for path in plugins for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert len(known) > 20
    assert known | set(DCS_ERRORS) | set(DDS_ERRORS) <= set(CODES)
    for code, (status, _text) in {**DCS_ERRORS, **DDS_ERRORS}.items():
        assert str(status) in CODES[code][1], code


@pytest.mark.parametrize("code", CODES)
def test_what_a_code_is_taken_for(code: str) -> None:
    status, meanings = int(CODES[code][1].split(",")[0]), CODES[code][3].split(", ")
    # What Terraform takes for busy need not be so here.
    if "busy (Terraform)" not in meanings:
        assert is_retryable(400, code) == ("busy" in meanings)
    error = ApiError("no", code=code, http_status=status)
    assert error.no_instance == ("no instance" in meanings)
    assert error.no_api == ("no API" in meanings)
    if status == 403:
        # Otherwise a missing permission, which all would share.
        assert error.stops_all != bool({"state", "no instance"} & set(meanings))
    assert set(meanings) <= {NOTHING, "busy", "busy (Terraform)", "state", "no instance", "no API"}


def test_every_switch_has_its_row_and_its_values() -> None:
    conflicts = [row[4] for row in rows("| | subject | what sources say | what is done here | switch |")]
    questions = [row[1] for row in rows("| question | switch |")]
    named = [name for cell in conflicts + questions for name in words(cell)]
    assert sorted(named) == sorted(SWITCHES)


def test_conflicts_are_numbered_and_named_in_the_code() -> None:
    numbers = [
        re.fullmatch(r'<a id="c(\d+)"></a>C(\d+)', row[0])
        for row in rows("| | subject | what sources say | what is done here | switch |")
    ]
    assert [match and match.groups() for match in numbers] == [(str(n), str(n)) for n in range(1, len(numbers) + 1)]
    assert len(numbers) >= 36
    for path in SOURCES:
        for number in map(int, CONFLICT.findall(path.read_text(encoding="utf-8"))):
            assert number <= len(numbers), f"{path.name} names C{number}"


def test_sections_that_are_named_are_there() -> None:
    """Comments of the collection call the page "contract"."""
    headings = set(re.findall(r"^#+ (\d+(?:\.\d+)?) ", PAGE, re.MULTILINE))
    assert {"1", "2.1", "4.3", "6.2"} <= headings
    named = {
        (path.name, section)
        for path in SOURCES
        for text in re.findall(
            r"(?:docs/api\.md|contract|contract section) ([\d., and]+)", path.read_text(encoding="utf-8")
        )
        for section in re.findall(r"\d+(?:\.\d+)?", text)
    }
    assert len(named) >= 5
    assert {(name, section) for name, section in named if section not in headings} == set()


def test_no_path_of_a_machine_is_named() -> None:
    assert not re.search(r"/(?:work|tmp|home|root)/", PAGE)
