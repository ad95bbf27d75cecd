# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A random walk: runs of modules in random worlds, in which other operators act, lists lag behind, and requests fail.

A case is plain JSON: a world, and steps. A step is one run of a module, with what happens at its n-th request and while it
waits. Each run is judged by the sentences of README, held against the state and the journal of the simulator, never against
what the module believes.

    cases.py       what a case is; reads and writes files with cases
    worlds.py      makes random worlds, and the simulator's scenario from a world
    operators.py   what others do meanwhile: to tasks, jobs and instances, or with a module of this collection
    steps.py       makes random steps: a module, its options, and what disturbs it
    kinds.py       the kinds of walks: which worlds and disturbances go together
    signing_in.py  the ways to sign in
    lab.py         the simulator and a clock under control; runs a step, and records what happened as a C(Run)
    promises.py    the sentences of README, and whether a run, or two of them, kept them
    truth.py       what a failure says, held against what happened
    judge.py       walks through a case: each step, the prediction of check mode, the second run, the run after a failure
    shrink.py      makes a case smaller as long as it still fails
    walker.py      walks through many cases from a seed; keeps what failed
    __main__.py    the same as a command, and the replay of a case

`tests/proof/test_walk.py` runs a part of it in each ring. Cases that failed once are kept in `tests/proof/cases/`, and are
replayed as a test of their own each. To look for more, or to see what happens in a case:

    python -m tests.proof.walk --seed 7 --cases 1000 --kinds faults,others --keep build/walk
    python -m tests.proof.walk --replay build/walk/CASE.json
"""
