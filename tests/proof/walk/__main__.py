# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(python -m tests.proof.walk): walks, and tells what it found; or replays a case, and tells all that happens in it."""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

from . import cases
from .judge import Judge
from .kinds import KINDS
from .lab import Lab
from .walker import Walk


def _replay(lab: Lab, file: Path) -> int:
    broken = Judge(lab, cases.read(file), tell=True).broken()
    for each in broken:
        print(f"*** {each.promise}: {each.detail} ({each.run})")
    return bool(broken)


def _walk(lab: Lab, kind: str, arguments: argparse.Namespace) -> int:
    begun, runs = time.process_time(), lab.runs
    walk = Walk(lab, kind, arguments.seed)
    walk.go(arguments.cases, first=arguments.first, seconds=arguments.seconds, small=not arguments.as_they_are)
    files = walk.keep(arguments.keep) if arguments.keep else []
    seconds = time.process_time() - begun
    print(
        f"{kind}: {walk.cases} cases, {lab.runs - runs} runs, {walk.pairs} predictions, {seconds:.0f} s of CPU",
        flush=True,
    )
    for number, found in enumerate(walk.found):
        print(f"  {walk.broken[found.broken.label]} x {found.told(walk.seed)}", flush=True)
        if files:
            print(f"    {files[number]}", flush=True)
    return bool(walk.found)


def main() -> int:
    """Read the command line, and return 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.walk", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--cases", type=int, default=100, help="of each kind")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--seconds", type=float, help="of CPU for each kind, at most")
    parser.add_argument("--kinds", default=",".join(KINDS), help="separated by commas")
    parser.add_argument("--keep", type=Path, help="a folder for the cases that fail")
    parser.add_argument("--as-they-are", action="store_true", help="do not make failing cases smaller")
    parser.add_argument("--replay", type=Path, help="a file with a case")
    arguments = parser.parse_args()
    with Lab() as lab:
        if arguments.replay:
            return _replay(lab, arguments.replay)
        print(f"seed {arguments.seed}", flush=True)
        return max([_walk(lab, kind, arguments) for kind in arguments.kinds.split(",")])


if __name__ == "__main__":
    raise SystemExit(main())
