# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(make mutants): which changes are made, which are not, and that the list of equivalent ones names only some of them."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

TOOLS = Path(__file__).parents[2] / "tools"
pytest.importorskip("coverage", reason="coverage is in the environment of the newest ansible-core only")


@pytest.fixture(scope="module")
def mutants():
    """The tool as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        spec = importlib.util.spec_from_file_location("mutants_tool", TOOLS / "mutants.py")
        made = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, "mutants_tool", made)
        spec.loader.exec_module(made)
        yield made


@pytest.fixture
def changes(mutants, tmp_path, monkeypatch):
    """The changes of a source: what is there before, and after."""
    monkeypatch.setattr(mutants, "UTILITIES", tmp_path)

    def of(source: str) -> set[tuple[str, str]]:
        (tmp_path / "it.py").write_text(source, encoding="utf-8")
        return {(mutant.before, mutant.after) for mutant in mutants.mutants_of("it.py")}

    return of


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {("a < b", "(a <= b)"), ("a < b", "(a >= b)")}),
        ("a == b", {("a == b", "(a != b)")}),
        ("a is None", {("a is None", "(a is not None)")}),
        ("a in b", {("a in b", "(a not in b)")}),
        ("a and b", {("a and b", "(a or b)"), ("a and b", "(a)"), ("a and b", "(b)")}),
        ("not a", {("not a", "(a)")}),
        ("a + b", {("a + b", "(a - b)")}),
        ("'a' + b", set()),
        ("a = 1", {("1", "2")}),
        ("a = True", {("True", "False")}),
        ("a = f(b)", {("f(b)", "None")}),
        ("a.b = c", {("a.b = c", "pass")}),
        ("f(a)", {("f(a)", "pass")}),
        ("raise a", {("raise a", "pass")}),
        ("min(a)", {("min", "max"), ("min(a)", "pass")}),
        ("f(code='A')", {("'A'", "'A~'"), ("f(code='A')", "pass")}),
        ("f(hint='A')", {("f(hint='A')", "pass")}),
        ("a == 'b'", {("a == 'b'", "(a != 'b')"), ("'b'", "'b~'")}),
        ("if a:\n    b", {("a", "(not a)")}),
        ("if a == b:\n    c", {("a == b", "(a != b)")}),
        ("def f():\n    return a", {("return a", "return None")}),
        ("def f():\n    return False", {("False", "True")}),
        ("def f(a: int = 1) -> int:\n    'Text.'", {("1", "2")}),
        ("for a in b:\n    continue", {("continue", "pass")}),
        ("é = 'é' in a; b < 1", {("'é' in a", "None"), ("'é' in a", "('é' not in a)"), ("'é'", "'é~'")}),
    ],
)
def test_changes(changes, source, expected):
    found = changes(source)
    assert expected <= found
    if not source.startswith("é"):
        assert found == expected
    else:
        assert ("b < 1", "(b <= 1)") in found


def test_each_change_is_one_of_the_file_and_can_be_compiled(mutants):
    for file, functions in mutants.FILES.items():
        source = (mutants.UTILITIES / file).read_text(encoding="utf-8")
        found = mutants.mutants_of(file, functions)
        assert len(found) > 30, file
        # Not all of them, which would take a minute.
        for mutant in found[::20]:
            changed = mutants.mutated(source, mutant)
            assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))


def test_functions_that_decide_are_there(mutants):
    """A function that is called otherwise now would not be changed any more."""
    for file, functions in mutants.FILES.items():
        source = (mutants.UTILITIES / file).read_text(encoding="utf-8")
        assert not [name for name in functions or () if f"def {name}(" not in source]


def test_equivalent_changes_are_possible_and_have_a_reason(mutants):
    """What is no change of today's code has to leave the list."""
    possible = {
        mutant.key for file, functions in mutants.FILES.items() for mutant in mutants.mutants_of(file, functions)
    }
    entries = yaml.safe_load(mutants.EQUIVALENT.read_text(encoding="utf-8"))
    known = mutants.known_equivalents()
    assert len(known) == len(entries), "one is listed twice"
    assert not [key for key in known if key not in possible]
    assert all(len(reason) > 20 for reason in known.values())


def test_the_draw_is_the_same_each_time(mutants):
    def drawn(seed: int) -> list[object]:
        parser_like = type("Options", (), {"file": ["_dcs.py"], "only": None, "number": 10, "seed": seed})
        return mutants.chosen_mutants(parser_like)[0]

    assert drawn(1) == drawn(1) != drawn(2)
    assert len(drawn(1)) == 10
