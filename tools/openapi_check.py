# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let schemathesis judge the simulator by the official OpenAPI documents of Huawei Cloud.

    .venv/bin/python tools/openapi_check.py FOLDER [--examples 100] [--seed 20]

FOLDER holds the documents as Huawei Cloud's API Explorer gives them, one JSON file for each operation. They are not part of
this project. Each operation gets generated requests, which the official signer signs, with the same seed each time. No
answer may be a server error, refuse a signature, have a successful status that the document does not have, or, where it
succeeds, differ from the document's schema.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import pathlib
import re
import subprocess
import sys
from typing import Any

import jsonschema
from environment import CHECKOUT

sys.path.insert(0, str(CHECKOUT))

from tests.simulator import Simulator

WORK = CHECKOUT / "build" / "openapi"
CHECKS = "not_a_server_error,status_code_conformance,response_schema_conformance,signature_is_accepted"
#: Refusals that the gateway, the sign-in and all services know, whatever the document of an operation lists.
REFUSALS = (400, 401, 403, 404, 405, 409, 413, 414, 415, 429)
#: What is wrong in the documents besides that: null in the example of ShowInstance, which has the same field.
WRONG = {("InstanceListInfo", "order_id")}


def relaxed(document: dict[str, Any]) -> None:
    """Take out of the schemas what the example of the same document contradicts: types, and fields that must be there."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                examples = (response.get("examples") or {}).values()
                if "schema" in response:
                    _relax(document, response["schema"], list(examples))


def _relax(document: dict[str, Any], schema: dict[str, Any], examples: list[Any]) -> None:
    root = {**schema, "definitions": document.get("definitions") or {}}
    errors = True
    while errors:
        # As long as something was taken out, as more may show then.
        errors = [error for example in examples for error in jsonschema.Draft4Validator(root).iter_errors(example)]
        for error in errors:
            *way, keyword = error.absolute_schema_path
            node = _walked(root, way)
            if keyword == "required":
                node["required"] = [name for name in node["required"] if name in error.instance]
            if keyword != "required" or not node["required"]:
                node.pop(keyword, None)


def _walked(root: dict[str, Any], way: list[Any]) -> dict[str, Any]:
    """The place in a schema that a path of jsonschema leads to, which does not name the references that it follows."""
    node: Any = root
    for step in [*way, None]:
        while "$ref" in node:
            node = root["definitions"][node["$ref"].rpartition("/")[2]]
        if step is not None:
            node = node[step]
    found: dict[str, Any] = node
    return found


def swagger(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the form of Swagger 2.0, whose names the API Explorer spells in its own way."""
    relaxed(document)
    paths: dict[str, Any] = {}
    for path, operations in document["paths"].items():
        paths[path] = {}
        for method, given in operations.items():
            operation = {name: value for name, value in given.items() if not name.startswith("x-")}
            operation["consumes"] = operation["produces"] = ["application/json"]
            for status in REFUSALS:
                operation["responses"].setdefault(str(status), {"description": "A refusal."})
            for status, response in operation["responses"].items():
                response.pop("examples", None)
                if not status.startswith("2"):
                    response.pop("schema", None)
            operation["responses"].pop("default", None)
            paths[path][method] = operation
    definitions = document.get("definitions") or {}
    for definition, name in WRONG:
        definitions.get(definition, {}).get("properties", {}).pop(name, None)
    return {
        "swagger": "2.0",
        "info": {"title": document["name"], "version": str(document["info_version"])},
        "basePath": "/",
        "paths": paths,
        "definitions": definitions,
    }


def ids_of(simulator: Simulator) -> dict[str, list[str]]:
    """Values of path parameters that exist, by the parameter's name."""
    state = simulator.state()
    return {
        "project_id": [simulator.project_id],
        "instance_id": [instance["instance_id"] for instance in state["dcs_instances"]],
        "task_id": [task["id"] for task in state["tasks"]],
        "job_id": [job["job_id"] for job in state["scheduled_jobs"]],
    }


def check(path: pathlib.Path, examples: int, seed: int) -> tuple[bool, int, str]:
    """Judge one document: whether all was right, how many requests there were, and what schemathesis says."""
    document = swagger(json.loads(path.read_text(encoding="utf-8")))
    converted = WORK / path.name
    converted.write_text(json.dumps(document), encoding="utf-8")
    with Simulator("maintenance") as simulator:
        known = {"access_key": simulator.access_key, "secret_key": simulator.secret_key, "ids": ids_of(simulator)}
        run = subprocess.run(
            [
                pathlib.Path(sys.prefix) / "bin" / "schemathesis",
                *("run", converted, "--url", simulator.url, "--checks", CHECKS, "--seed", str(seed)),
                *("--max-examples", str(examples), "--phases", "examples,coverage,fuzzing", "--workers", "1"),
                *("--continue-on-failure", "--generation-database", "none", "--no-color", "--warnings", "off"),
            ],
            cwd=WORK,
            env={
                **os.environ,
                "OPENAPI_CHECK": json.dumps(known),
                "PYTHONPATH": str(pathlib.Path(__file__).parent),
                "PYTHONWARNINGS": "ignore",
                "SCHEMATHESIS_HOOKS": "openapi_hooks",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        requests = len(simulator.journal())
    return run.returncode == 0, requests, run.stdout


def main() -> None:
    """Judge all documents of a folder."""
    parser = argparse.ArgumentParser(description="Judge the simulator by the official OpenAPI documents.")
    parser.add_argument("folder", nargs="?", default="", help="of the documents; without it, nothing is judged")
    parser.add_argument("--examples", type=int, default=100, help="requests for each operation and kind of data (100)")
    parser.add_argument("--seed", type=int, default=20, help="of the requests (20)")
    options = parser.parse_args()
    if not options.folder:
        print("openapi_check.py: skipped, as no folder of the official OpenAPI documents was given (DOCUMENTS=/path).")
        return
    documents = sorted(pathlib.Path(options.folder).glob("*.json"))
    if not documents:
        sys.exit(f"openapi_check.py: there is no JSON file in {options.folder}.")
    WORK.mkdir(parents=True, exist_ok=True)
    # schemathesis tries whether a server takes what is no HTTP, which is no news.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL + 1)
    wrong, total = [], 0
    for path in documents:
        right, requests, said = check(path, options.examples, options.seed)
        total += requests
        print(f"{path.stem}: {requests} requests, {'all answers are right' if right else 'NOT right'}", flush=True)
        (WORK / f"{path.stem}.log").write_text(said, encoding="utf-8")
        if not right:
            wrong.append(path.stem)
            print(re.split(r"=+ FAILURES =+|=+ ERRORS =+", said)[-1])
    print(f"{total} requests to {len(documents)} operations, seed {options.seed}.")
    if wrong:
        sys.exit(f"openapi_check.py: these answers differ from their documents: {', '.join(wrong)}.")


if __name__ == "__main__":
    main()
