# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operation a method and a path mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from . import dcs, dds, iam, instant_tasks, metadata, tags
from .call import Operation
from .errors import Refusal, dcs_refusal, gateway_refusal, keystone_refusal

OPERATIONS: tuple[Operation, ...] = (
    *dcs.OPERATIONS,
    *dds.OPERATIONS,
    *instant_tasks.OPERATIONS,
    *tags.OPERATIONS,
    *iam.OPERATIONS,
    *metadata.OPERATIONS,
)
OPERATION_NAMES = frozenset(operation.name for operation in OPERATIONS)


@dataclass
class Route:
    """A path with its operations by method."""

    segments: tuple[str, ...]
    service: str
    methods: dict[str, Operation]


def _routes() -> dict[int, list[Route]]:
    found: dict[tuple[str, ...], Route] = {}
    for operation in OPERATIONS:
        segments = tuple(operation.route.strip("/").split("/"))
        route = found.setdefault(segments, Route(segments, operation.service, {}))
        route.methods[operation.method] = operation
    # A route with fewer placeholders is more exact, so it is tried first.
    by_length: dict[int, list[Route]] = {}
    for route in sorted(found.values(), key=lambda each: sum(part.startswith("{") for part in each.segments)):
        by_length.setdefault(len(route.segments), []).append(route)
    return by_length


_ROUTES = _routes()
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


def find(method: str, raw_path: str, by_gateway: bool = False) -> tuple[Operation, dict[str, str]] | Refusal:
    """The operation and its decoded path parameters, or why there is none.

    With `by_gateway`, the gateway refuses a wrong method of DCS and IAM, as it does of DDS.
    """
    parts = raw_path.strip("/").split("/")
    for route in _ROUTES.get(len(parts), ()):
        values: dict[str, str] = {}
        for segment, part in zip(route.segments, parts):
            if segment.startswith("{"):
                values[segment[1:-1]] = unquote(part)
            elif segment != part:
                break
        else:
            operation = route.methods.get(method)
            return (operation, values) if operation else _wrong_method(route, by_gateway)
    return gateway_refusal(404, "APIGW.0101", "The API does not exist or has not been published in the environment")


def is_documented(found: tuple[Operation, dict[str, str]] | Refusal, raw_path: str) -> bool:
    """Whether the documents have this request: no empty segment, and an identifier wherever they have a placeholder."""
    if isinstance(found, Refusal):
        return False
    return "//" not in raw_path and not raw_path.endswith("/") and all(map(_IDENTIFIER.fullmatch, found[1].values()))


def _wrong_method(route: Route, by_gateway: bool) -> Refusal:
    """Only DCS and the metadata service have a word for it, and IAM as OpenStack does; to the gateway it is no API."""
    allowed = tuple(sorted(route.methods))
    if route.service == "metadata":
        return Refusal("text", 405, "405", "Method Not Allowed", allowed)
    if route.service == "dds" or by_gateway:
        return gateway_refusal(404, "APIGW.0101", "The API does not exist.")
    if route.service == "iam":
        return keystone_refusal(405, "The method is not allowed for the requested URL.", allowed)
    return dcs_refusal("DCS.5001", allowed=allowed)
