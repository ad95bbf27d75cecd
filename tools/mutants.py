# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change the code that decides, a little and one place at a time, and tell which changes no test notices.

    .venv/bin/python tools/mutants.py [--number 300] [--seed 20] [--file _dcs.py ...] [--least 95]
    .venv/bin/python tools/mutants.py --list [--file _records.py]
    .venv/bin/python tools/mutants.py --only _records.py:84 ...

Each mutant is imported instead of its file, in a fresh process that runs only tests which execute the changed line: no file
of the checkout changes. A first run of the tests, which is kept in build/mutants until a plugin or a test changes, tells which
tests those are. A mutant is noticed when a test fails or takes too long. Mutants that behave as the original does are named,
each with the reason, in tests/mutants/equivalent.yml, and are not made. The result is written to build/mutants/report.json.

mutmut cannot be used, as it runs a copy of the package that is found by its path, while this collection is imported through
a link in the environment; cosmic-ray runs all tests for each mutant, and has no operator that removes a statement.
"""

from __future__ import annotations

import argparse
import ast
import copy
import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import coverage
import yaml
from environment import CHECKOUT

UTILITIES = CHECKOUT / "plugins" / "module_utils"
PACKAGE = "ansible_collections.hwcloud.maintenance.plugins.module_utils"
WORK = CHECKOUT / "build" / "mutants"
EQUIVALENT = CHECKOUT / "tests" / "mutants" / "equivalent.yml"
TESTS = ("tests/unit", "tests/modules")
PYTEST = ("-p", "mutants_plugin", "-o", f"cache_dir={WORK / 'cache'}", "--ring=check")

#: The files that decide; of some, only these functions do.
FILES: dict[str, frozenset[str] | None] = {
    "_dcs_tasks.py": None,
    "_dcs_resize.py": None,
    "_dds_jobs.py": None,
    "_dcs.py": None,
    "_dds.py": None,
    "_service.py": None,
    "_records.py": None,
    "_parallel.py": None,
    "_http.py": frozenset(
        (
            "request",
            "_renewed",
            "_take_turn",
            "_learn",
            "_failed_attempt",
            "_api_error",
            "_goes_on",
            "_close_for",
            "ended",
            "unexpected",
            "_retry_after_seconds",
            "_seconds_until",
        )
    ),
}

#: How many tests each mutant meets first, one of each function: most fail there.
FIRST = 40
#: So many times longer than it took without a mutant may a test take, and never less than so many seconds.
SLOWER, PATIENCE = 10, 20
#: The same for all tests of a mutant together.
SLOWER_IN_ALL = 3


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of one file: the bytes from C(start) to C(end) become C(after); the lines C(old) become C(new) by it."""

    file: str
    line: int
    function: str
    start: int
    end: int
    before: str
    after: str
    old: str
    new: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What stays when other lines change."""
        return self.file, self.function, self.old, self.new

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.function or 'module'}):\n    - {self.old}\n    + {self.new}"


# --- Making mutants --------------------------------------------------------------------------------------------------

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
#: Arguments whose texts decide something; all other texts are for people.
_CODES = frozenset(("code",))


class _Finder:
    """Walks through one file, and collects its mutants."""

    def __init__(self, file: str, source: str, functions: frozenset[str] | None) -> None:
        self._file = file
        self._functions = functions
        self._source = source.encode()
        self._starts = [0]
        for line in self._source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.found: list[Mutant] = []
        self._inside: list[str] = []

    def _offset(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column

    def _add(self, node: ast.expr | ast.stmt, after: str | ast.AST) -> None:
        if self._functions is not None and not self._functions.intersection(self._inside):
            return
        start = self._offset(node.lineno, node.col_offset)
        end = self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0)
        text = after if isinstance(after, str) else ast.unparse(ast.fix_missing_locations(after))
        if isinstance(node, ast.expr) and not isinstance(after, str):
            # What was written without parentheses may need them in its place.
            text = f"({text})"
        first, last = self._starts[node.lineno - 1], self._starts[node.end_lineno or node.lineno]
        before = self._source[start:end].decode()
        head, tail = self._source[first:start].decode(), self._source[end:last].decode()
        old, new = (" ".join(f"{head}{part}{tail}".split()) for part in (before, text))
        self.found.append(Mutant(self._file, node.lineno, ".".join(self._inside), start, end, before, text, old, new))

    def walk(self, node: ast.AST) -> None:
        """Collect the mutants of a node and of all in it."""
        named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        if named:
            self._inside.append(node.name)  # type: ignore[attr-defined]
        for change in self._changes(node):
            self._add(*change)
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list", "type_params"):
                continue
            for child in value if isinstance(value, list) else [value]:
                # Texts with values in them are for people, and before Python 3.12 the places in them are wrong.
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr) and not _is_docstring(child):
                    self.walk(child)
        if named:
            self._inside.pop()

    def _changes(self, node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str | ast.AST]]:
        for kind, changes in _OPERATORS.items():
            if isinstance(node, kind):
                yield from changes(node)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _of_comparison(node: ast.Compare) -> Iterator[tuple[ast.expr, ast.AST]]:
    for number, operator in enumerate(node.ops):
        for other in _COMPARISONS[type(operator)]:
            changed = copy.deepcopy(node)
            changed.ops[number] = other()
            yield node, changed
    for side in (node.left, *node.comparators):
        values = side.elts if isinstance(side, (ast.Tuple, ast.List, ast.Set)) else [side]
        for value in values:
            yield from _of_code(value)


def _of_boolean(node: ast.BoolOp) -> Iterator[tuple[ast.expr, ast.AST]]:
    changed = copy.deepcopy(node)
    changed.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield node, changed
    for number in range(len(node.values)):
        rest = copy.deepcopy(node)
        del rest.values[number]
        yield node, rest if len(rest.values) > 1 else rest.values[0]


def _of_arithmetic(node: ast.BinOp) -> Iterator[tuple[ast.expr, ast.AST]]:
    other = _ARITHMETIC.get(type(node.op))
    texts = (ast.JoinedStr, ast.List, ast.ListComp)
    if other is None or any(
        isinstance(side, texts) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    ):
        return
    changed = copy.deepcopy(node)
    changed.op = other()
    yield node, changed


def _of_constant(node: ast.Constant) -> Iterator[tuple[ast.expr, str]]:
    value = node.value
    if isinstance(value, bool):
        yield node, str(not value)
    elif isinstance(value, (int, float)):
        yield node, repr(value + 1)


def _of_code(node: ast.AST | None) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node, repr(node.value + "~")


def _of_negation(node: ast.UnaryOp) -> Iterator[tuple[ast.expr, ast.AST]]:
    if isinstance(node.op, ast.Not):
        yield node, copy.deepcopy(node.operand)


def _of_call(node: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        yield node.func, _CALLS[node.func.id]


def _of_argument(node: ast.keyword) -> Iterator[tuple[ast.expr, str]]:
    if node.arg in _CODES:
        yield from _of_code(node.value)


def _of_dictionary(node: ast.Dict) -> Iterator[tuple[ast.expr, str]]:
    for key in node.keys:
        yield from _of_code(key)


def _of_condition(node: ast.If | ast.While | ast.IfExp | ast.comprehension) -> Iterator[tuple[ast.expr, ast.AST]]:
    for test in node.ifs if isinstance(node, ast.comprehension) else [node.test]:
        # A single comparison and a negation have changes of their own that do the same.
        single = isinstance(test, ast.Compare) and len(test.ops) == 1
        if not single and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            yield test, ast.UnaryOp(ast.Not(), copy.deepcopy(test))


def _of_statement(node: ast.stmt) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    if isinstance(node, ast.Return):
        # What counts as false is hardly ever told from None.
        if node.value is None:
            yield node, "pass"
        elif not (isinstance(node.value, ast.Constant) and not node.value.value):
            yield node, "return None"
    elif isinstance(node, (ast.Raise, ast.AugAssign, ast.Continue, ast.Break, ast.Delete)) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield node, "pass"
    elif isinstance(node, ast.Assign):
        if isinstance(node.targets[0], ast.Name):
            # Neither a constant, which has changes of its own, nor a type.
            if not isinstance(node.value, ast.Constant) and not ast.unparse(node.value).startswith(
                ("t.", "re.compile")
            ):
                yield node.value, "None"
        else:
            yield node, "pass"


#: What is changed in which kind of node.
_OPERATORS: dict[type[ast.AST] | tuple[type[ast.AST], ...], Callable[[Any], Iterator[Any]]] = {
    ast.Compare: _of_comparison,
    ast.BoolOp: _of_boolean,
    ast.UnaryOp: _of_negation,
    ast.BinOp: _of_arithmetic,
    ast.Constant: _of_constant,
    ast.Call: _of_call,
    ast.Subscript: lambda node: _of_code(node.slice),
    ast.keyword: _of_argument,
    ast.Dict: _of_dictionary,
    (ast.If, ast.While, ast.IfExp, ast.comprehension): _of_condition,
    ast.stmt: _of_statement,
}


def mutants_of(file: str, functions: frozenset[str] | None = None) -> list[Mutant]:
    """All mutants of a file of plugins/module_utils, in the order of their places."""
    source = (UTILITIES / file).read_text(encoding="utf-8")
    finder = _Finder(file, source, functions)
    finder.walk(ast.parse(source))
    unique = {(each.start, each.end, each.after): each for each in finder.found}
    return [unique[place] for place in sorted(unique)]


def mutated(source: str, mutant: Mutant) -> str:
    """The source with the change."""
    raw = source.encode()
    return (raw[: mutant.start] + mutant.after.encode() + raw[mutant.end :]).decode()


# --- Which tests -----------------------------------------------------------------------------------------------------


class Tests:
    """Which tests execute which line, and how long each takes."""

    def __init__(self, processes: int, *, keep: bool = False) -> None:
        """Measure, unless that was done for this state of the files, or for an older one that is to be kept."""
        WORK.mkdir(parents=True, exist_ok=True)
        self._data, self._outcomes = WORK / "coverage", WORK / "outcomes.json"
        stamp, expected = WORK / "stamp", _fingerprint()
        if not stamp.exists() or not (keep or stamp.read_text(encoding="utf-8") == expected):
            stamp.unlink(missing_ok=True)
            self._measure(processes)
            stamp.write_text(expected, encoding="utf-8")
        found = json.loads(self._outcomes.read_text(encoding="utf-8"))
        self.seconds: dict[str, float] = found["seconds"]
        self.failed = frozenset(found["failed"])
        self._lines: dict[str, dict[int, list[str]]] = {}
        self._read()

    def _measure(self, processes: int) -> None:
        print("mutants: running the tests once, to see which of them execute which line", flush=True)
        for old in WORK.glob("coverage*"):
            old.unlink()
        plan = WORK / "plan-measure.json"
        plan.write_text(json.dumps({"outcomes": str(self._outcomes)}), encoding="utf-8")
        options = ["--cov", "--cov-context=test", "--cov-report=", f"--numprocesses={processes}", "-q", *TESTS]
        run = subprocess.run(
            [sys.executable, "-m", "pytest", *PYTEST, *options],
            cwd=CHECKOUT,
            env=_environment(MUTANTS=str(plan), COVERAGE_FILE=str(self._data)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if run.returncode not in (0, 1) or not self._outcomes.exists():
            sys.exit(f"mutants.py: the tests could not be run:\n{run.stdout[-3000:]}")

    def _read(self) -> None:
        data = coverage.CoverageData(str(self._data))
        data.read()
        for path in data.measured_files():
            name = pathlib.Path(path)
            if name.parent.name == "module_utils":
                lines = data.contexts_by_lineno(path)
                self._lines[name.name] = {
                    line: [context.partition("|")[0] for context in contexts if context]
                    for line, contexts in lines.items()
                }
        self._breadth: dict[str, int] = defaultdict(int)
        for lines in self._lines.values():
            for tests in lines.values():
                for test in set(tests):
                    self._breadth[test] += 1

    def of(self, mutant: Mutant) -> list[str]:
        """The tests that execute the changed line, those that execute little else first, one of each function in turn."""
        places = _places_to_watch(mutant, self._lines)
        found = {test for file, line in places for test in self._lines[file].get(line, ())}
        functions: dict[str, list[str]] = defaultdict(list)
        # A test that has failed without a mutant tells nothing.
        for test in sorted(
            found - self.failed, key=lambda test: (self._breadth[test], self.seconds.get(test, 0), test)
        ):
            functions[test.partition("[")[0]].append(test)
        queues = list(functions.values())
        return [
            queue[turn] for turn in range(max(map(len, queues), default=0)) for queue in queues if turn < len(queue)
        ]


def _places_to_watch(mutant: Mutant, lines: dict[str, dict[int, list[str]]]) -> list[tuple[str, int]]:
    """The changed line; of what runs when the file is loaded, the lines anywhere that use what is defined there, or all."""
    own = lines.get(mutant.file, {})
    parents = [
        node
        for node in ast.walk(_parsed(mutant.file))
        if isinstance(node, ast.stmt) and node.lineno <= mutant.line <= (node.end_lineno or 0)
    ]
    innermost = max(parents, key=lambda node: (node.lineno, -(node.end_lineno or 0)))
    if isinstance(innermost, (ast.FunctionDef, ast.AsyncFunctionDef)):
        # A default value.
        return [(mutant.file, statement.lineno) for statement in innermost.body]
    executed = [line for line in range(innermost.lineno, mutant.line + 1) if own.get(line)]
    if executed:
        return [(mutant.file, executed[-1])]
    targets = innermost.targets if isinstance(innermost, ast.Assign) else [getattr(innermost, "target", None)]
    names = {
        node.id for target in targets if target is not None for node in ast.walk(target) if isinstance(node, ast.Name)
    }
    uses = [
        (file, node.lineno)
        for file in lines
        for node in ast.walk(_parsed(file))
        if (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names)
        or (isinstance(node, ast.Attribute) and node.attr in names)
    ]
    return [(file, line) for file, line in uses if lines[file].get(line)] or [(mutant.file, line) for line in own]


@functools.cache
def _parsed(file: str) -> ast.Module:
    return ast.parse((UTILITIES / file).read_text(encoding="utf-8"))


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for folder in ("plugins", "tests"):
        for path in sorted((CHECKOUT / folder).rglob("*.py")):
            digest.update(path.relative_to(CHECKOUT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(pathlib.Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path, **more}


# --- Judging mutants -------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What became of a mutant: C(noticed) by which test, or not; C(tests) were run, of C(known) that could notice it."""

    mutant: Mutant
    noticed: bool
    by: str
    tests: int
    known: int


class Judge:
    """Runs the tests on mutants."""

    def __init__(self, tests: Tests, budget: float) -> None:
        self._tests = tests
        self._budget = budget
        self._own = threading.local()

    def judge(self, mutant: Mutant) -> Verdict:
        """First a few tests, then one case of each function, and of the other cases as many as the budget of seconds allows."""
        known = self._tests.of(mutant)
        functions = len({test.partition("[")[0] for test in known})
        chosen = known[:functions]
        seconds = 0.0
        for test in known[functions:]:
            seconds += self._tests.seconds.get(test, 0.0)
            if seconds > self._budget:
                break
            chosen.append(test)
        done = 0
        for part in (chosen[:FIRST], chosen[FIRST:]):
            if not part:
                continue
            noticed = self._run(mutant, part)
            if noticed:
                return Verdict(mutant, True, noticed, done + len(part), len(known))
            done += len(part)
        return Verdict(mutant, False, "", done, len(known))

    def _run(self, mutant: Mutant, tests: list[str]) -> str:
        """What noticed the mutant; empty when nothing did."""
        path = UTILITIES / mutant.file
        name = hashlib.sha256(repr((mutant, tests)).encode()).hexdigest()[:16]
        plan, output = WORK / f"plan-{name}.json", WORK / f"output-{name}.txt"
        content = {
            "tests": tests,
            "module": f"{PACKAGE}.{path.stem}",
            "path": str(path),
            "source": mutated(path.read_text(encoding="utf-8"), mutant),
        }
        plan.write_text(json.dumps(content), encoding="utf-8")
        seconds = [self._tests.seconds.get(test, 0.0) for test in tests]
        limit = max(PATIENCE, SLOWER * max(seconds))
        files = sorted({test.partition("::")[0] for test in tests})
        options = [*PYTEST, "-x", "-q", "--no-header", "--tb=no", f"--timeout={limit:.0f}", *files]
        job = {
            "plan": str(plan),
            "options": options,
            "output": str(output),
            "seconds": PATIENCE + limit + SLOWER_IN_ALL * sum(seconds),
        }
        try:
            status = self._worker().run(job)
            said = output.read_text(encoding="utf-8", errors="replace") if output.exists() else ""
        finally:
            plan.unlink(missing_ok=True)
            output.unlink(missing_ok=True)
        if status == 0:
            return ""
        if status is None:
            return "a time limit"
        if "+ Timeout +" in said:
            return "the time limit of a test"
        if status == 5:
            sys.exit(f"mutants.py: pytest found none of the tests for {mutant}.")
        failed = [
            line.split(" - ")[0] for line in said.splitlines() if line.startswith(("FAILED", "ERROR", "SUBFAILED"))
        ]
        return failed[0] if failed else f"pytest ended with {status}"

    def _worker(self) -> Worker:
        """The worker of this thread."""
        if not hasattr(self._own, "worker"):
            self._own.worker = Worker()
        worker: Worker = self._own.worker
        return worker


class Worker:
    """A process of tools/mutants_worker.py; it ends when this program does."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, pathlib.Path(__file__).with_name("mutants_worker.py")],
            cwd=CHECKOUT,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, job: dict[str, Any]) -> int | None:
        """Do a job, and return its answer; see mutants_worker.py."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the worker has no pipes")
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit("mutants.py: a process that runs the tests has ended; it says why above.")
        status: int | None = json.loads(answer)
        return status


def known_equivalents() -> dict[tuple[str, str, str, str], str]:
    """The reason why a mutant behaves as the original, by its key."""
    entries = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8")) or []
    return {
        (entry["file"], entry["function"], *(" ".join(entry[part].split()) for part in ("old", "new"))): entry["reason"]
        for entry in entries
    }


def chosen_mutants(options: argparse.Namespace) -> tuple[list[Mutant], int]:
    """The mutants to judge, and how many of the files are known to be equivalent."""
    files = options.file or list(FILES)
    everything = [mutant for file in files for mutant in mutants_of(file, FILES.get(file))]
    equivalent = known_equivalents()
    possible = [mutant for mutant in everything if mutant.key not in equivalent]
    if options.only:
        places = {tuple(place.rsplit(":", 1)) for place in options.only}
        return [mutant for mutant in possible if (mutant.file, str(mutant.line)) in places], 0
    if options.number < len(possible):
        picked = set(random.Random(options.seed).sample(range(len(possible)), options.number))  # noqa: S311
        possible = [mutant for number, mutant in enumerate(possible) if number in picked]
    return possible, len(everything) - len([mutant for mutant in everything if mutant.key not in equivalent])


def report(verdicts: list[Verdict], equivalent: int, options: argparse.Namespace) -> float:
    """Print what was found; the share that was noticed, in percent."""
    by_file: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_file[verdict.mutant.file].append(verdict)
    survivors = [verdict for verdict in verdicts if not verdict.noticed]
    for verdict in sorted(survivors, key=lambda verdict: (verdict.mutant.file, verdict.mutant.line)):
        print(f"not noticed, {verdict.tests} of {verdict.known} tests: {verdict.mutant}")
    for file, found in by_file.items():
        noticed = sum(verdict.noticed for verdict in found)
        print(f"{file}: {noticed} of {len(found)} noticed")
    share = 100 * (1 - len(survivors) / len(verdicts)) if verdicts else 100.0
    print(
        f"{len(verdicts) - len(survivors)} of {len(verdicts)} mutants were noticed, {share:.1f} %"
        f" (seed {options.seed}; {equivalent} of these files are known to be equivalent, and were not made)."
    )
    content = [
        {**dataclasses.asdict(verdict.mutant), "noticed": verdict.noticed, "by": verdict.by} for verdict in verdicts
    ]
    (WORK / "report.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    return share


def main() -> None:
    """Read the command line, make the mutants, and judge them."""
    parser = argparse.ArgumentParser(description="Tell which small changes of the code that decides no test notices.")
    parser.add_argument("--number", type=int, default=300, help="so many mutants, drawn at random (300)")
    parser.add_argument("--seed", type=int, default=20, help="of the draw (20)")
    parser.add_argument("--file", action="append", choices=FILES, help="only mutants of this file; may be repeated")
    parser.add_argument("--only", action="append", metavar="FILE:LINE", help="only the mutants of this line")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="so many at the same time")
    parser.add_argument(
        "--budget", type=float, default=60, help="seconds of tests for each mutant, besides one case of each (60)"
    )
    parser.add_argument("--least", type=float, default=0, help="fail when a smaller share was noticed, in percent")
    parser.add_argument(
        "--keep", action="store_true", help="use the last measurement, although files have changed since"
    )
    parser.add_argument("--list", action="store_true", help="only list the mutants")
    options = parser.parse_args()
    mutants, equivalent = chosen_mutants(options)
    if options.list:
        print(*mutants, sep="\n")
        return
    judge = Judge(Tests(options.processes, keep=options.keep), options.budget)
    began = time.monotonic()
    verdicts = []
    with ThreadPoolExecutor(options.processes) as pool:
        for verdict in pool.map(judge.judge, mutants):
            verdicts.append(verdict)
            if not verdict.noticed or len(verdicts) % 25 == 0:
                seconds = time.monotonic() - began
                said = "" if verdict.noticed else f", not noticed: {verdict.mutant}"
                print(f"{len(verdicts)} of {len(mutants)} after {seconds:.0f} s{said}", flush=True)
    if report(verdicts, equivalent, options) < options.least:
        sys.exit(f"mutants.py: less than {options.least:g} % were noticed.")


if __name__ == "__main__":
    main()
