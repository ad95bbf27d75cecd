# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples that Huawei Cloud publishes of each operation, as data, each with its source.

One file for each operation: C(operation) is its name; each example has C(name), C(source), and what of these is published:
C(status) and C(body) of the answer (no C(body) where the answer has none), C(request) (the line) and C(request_body).
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

#: By the name of the file, which is the service and the operation, and that of the example.
EXAMPLES: dict[str, dict[str, dict[str, Any]]] = {}
#: The name of the operation, by the name of the file.
OPERATIONS: dict[str, str] = {}

for _path in sorted(Path(__file__).parent.glob("*.json")):
    _file = json.loads(_path.read_text(encoding="utf-8"))
    OPERATIONS[_path.stem] = _file["operation"]
    EXAMPLES[_path.stem] = {example["name"]: example for example in _file["examples"]}


def body_of(operation: str, example: str) -> Any:
    """A copy of the body of an answer, such as C(body_of("dcs-ListBackgroundTask", "page"))."""
    return copy.deepcopy(EXAMPLES[operation][example]["body"])


def answered(operation: str, example: str, *, times: int | None = 1, processed: bool = False) -> dict[str, Any]:
    """A fault rule of the simulator: the operation is answered with this example.

    :arg times: So many requests are; None means all.
    :arg processed: The operation is done first, for what comes after.
    """
    found = EXAMPLES[operation][example]
    fault = {"status": found["status"], "body": copy.deepcopy(found.get("body", "")), "processed": processed}
    return {"operation": OPERATIONS[operation], "service": operation.partition("-")[0], "times": times, "fault": fault}
