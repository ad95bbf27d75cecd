# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what this collection costs, against other ways to do the same work; docs/benchmark.md explains the rows.

    .venv/bin/python tools/bench.py [--repeats N] [--quick] [--report FILE] [ROW ...]

Prints a table of medians and writes build/bench.json. Without rows it measures all. The exit code is 1 when a side did
not do the work, and 0 otherwise, also when a target is missed. `--quick` measures next to nothing, so that a test can
run it; its figures say nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
from pathlib import Path

from environment import CHECKOUT

sys.path.insert(0, str(CHECKOUT))

from ansible.release import __version__ as core_version
from bench_checks import Wrong
from bench_rows import MEMORY_TARGET, QUICK, ROWS, Row, Sizes


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure what the collection costs.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all when none is given")
    parser.add_argument("--repeats", type=int, metavar="N", help="how often each side runs, 5 if not given")
    parser.add_argument("--quick", action="store_true", help="only try that everything works")
    parser.add_argument("--report", type=Path, default=CHECKOUT / "build" / "bench.json", help="where to write it")
    given = parser.parse_args(words)
    unknown = set(given.rows) - ROWS.keys()
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are: {', '.join(ROWS)}")
    if given.repeats is not None and given.repeats < 1:
        parser.error("--repeats must be at least 1")
    return given


def machine() -> str:
    """Return what the figures depend on; another's load makes them worth less."""
    load = f", load {os.getloadavg()[0]:.1f} at this moment" if hasattr(os, "getloadavg") else ""
    return f"Python {platform.python_version()}, ansible-core {core_version}, {os.cpu_count()} cores{load}"


def line(row: Row) -> str:
    """Return a row of the table."""
    form = "10.0f" if row.unit == "bytes" else "10.3f"
    met = "yes" if row.met else "no"
    return (
        f"{row.name:12} {row.ours:{form}} {row.peer:{form}} {row.unit:5} {row.ratio:7.3f} {row.target:7.2f}  {met}"
        + (f" (peak memory {row.memory:.0f} of {MEMORY_TARGET} MB)" if row.memory is not None else "")
    )


def main() -> int:
    """Measure, print, write."""
    given = arguments()
    sizes = QUICK if given.quick else Sizes()
    if given.repeats is not None:
        sizes = dataclasses.replace(sizes, repeats=given.repeats, singles=4 * given.repeats)
    given.report.unlink(missing_ok=True)
    print(machine())
    print(f"{'name':12} {'ours':>10} {'peer':>10} {'unit':5} {'ratio':>7} {'target':>7}  met", flush=True)
    rows = []
    for name in [name for name in ROWS if name in given.rows or not given.rows]:
        try:
            rows.append(ROWS[name](sizes))
        except Wrong as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        print(line(rows[-1]), flush=True)
    for row in rows:
        print(f"\n{row.name}")
        for remark in row.remarks:
            print(f"  {remark}")
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(json.dumps([row.as_dict() for row in rows], indent=2) + "\n", encoding="utf-8")
    print(f"\n{machine()}\n{given.report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
