# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command, and write its seconds, CPU seconds, peak memory in bytes and exit status to a file, as JSON.

    python -I -S bench_launch.py REPORT COMMAND...

A small process stands between the benchmark and what it measures: the kernel counts the memory of whoever starts a
process as memory of that process too, and the benchmark holds big results.
"""

from __future__ import annotations

import json
import os
import sys
import time

if __name__ == "__main__":
    report, *command = sys.argv[1:]
    started = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ)
    _child, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - started
    # In KiB, but on macOS in bytes.
    memory = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    figures = {
        "seconds": seconds,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": memory,
        "status": os.waitstatus_to_exitcode(status),
    }
    with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123  # pathlib would make this process bigger
        json.dump(figures, file)
