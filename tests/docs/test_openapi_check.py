# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(make schemathesis): a document that the simulator obeys passes, one that it does not fails, and none is skipped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.examples import body_of

pytest.importorskip("schemathesis", reason="schemathesis is in the environment of the newest ansible-core only")

TOOL = Path(__file__).parents[2] / "tools" / "openapi_check.py"


def document(task_count: dict[str, Any], example: Any) -> dict[str, Any]:
    """A document as the API Explorer gives it, of the listing of the task centre."""
    task = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    listing = {"type": "object", "properties": {"task_count": task_count, "tasks": {"type": "array", "items": task}}}
    parameters = [{"in": "path", "name": "project_id", "required": True, "type": "string"}]
    parameters.append({"in": "query", "name": "limit", "type": "integer"})
    answer = {"description": "", "schema": {"$ref": "#/definitions/List"}, "examples": {"application/json": example}}
    operation = {"operationId": "ListCenterTask", "parameters": parameters, "responses": {"200": answer}}
    return {
        "name": "ListCenterTask",
        "info_version": "v2",
        "paths": {"/v2/{project_id}/tasks": {"get": operation}},
        "definitions": {"List": listing},
    }


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, TOOL, *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.undocumented_requests
@pytest.mark.parametrize(
    ("task_count", "example", "right"),
    [
        ({"type": "integer"}, {}, True),
        # The example contradicts the schema, which then asks for nothing.
        ({"type": "string"}, body_of("dcs-ListCenterTask", "document"), True),
        ({"type": "string"}, {}, False),
    ],
)
def test_documents_are_obeyed(tmp_path, task_count, example, right):
    path = tmp_path / "dcs-ListCenterTask.json"
    path.write_text(json.dumps(document(task_count, example)), encoding="utf-8")
    done = run(tmp_path, "--examples", "3")
    assert ("all answers are right" in done.stdout) is right, done.stdout + done.stderr
    assert done.returncode == (0 if right else 1)
    if not right:
        assert 'is not of type "string"' in done.stdout


def test_without_a_folder_it_is_skipped():
    done = run("")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "openapi_check.py: skipped, as no folder of the official OpenAPI documents was given (DOCUMENTS=/path).\n"
    )


def test_an_empty_folder_is_an_error(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 1
    assert "there is no JSON file" in done.stderr
