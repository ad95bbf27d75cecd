# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to sign in, by the name that a step has for one: options, and variables or files that a module finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.harness.profiles import Home
from tests.harness.sources import SOURCES, WAYS, right
from tests.simulator import Simulator

DEFAULT = "access key"
#: The ways that take requests of their own, so that more can go wrong.
WITH_REQUESTS = ("project looked up", "password", "agency", "machine", "password and agency")
#: A source and a kind of credentials, as tests of signing in know them.
_FOUND = {f"{source}: {kind}": (source, kind) for source, kind in WAYS}
ALL = (DEFAULT, *WITH_REQUESTS, *_FOUND)


class Caller:
    """Who runs a module: options, environment and home folder; what C(tests/harness/sources.py) fills."""

    def __init__(self, sim: Simulator, folder: Path, way: str) -> None:
        self.sim = sim
        self.home = Home(folder)
        self.environ: dict[str, str] = self.home.environ
        self.options: dict[str, Any] = {
            "region": sim.region,
            "project_id": sim.project_id,
            "endpoints": dict.fromkeys(("dcs", "dds", "iam", "metadata"), sim.url),
        }
        if way in _FOUND:
            source, kind = _FOUND[way]
            SOURCES[source].put(self, right(sim, kind))
            return
        if way != DEFAULT:
            del self.options["project_id"]
        if way == "machine":
            self.options["auth_method"] = "machine"
        elif way.startswith("password"):
            self.options.update(right(sim, "password"))
        else:
            self.options.update(right(sim, "access key"))
        if way.endswith("agency"):
            self.options.update(agency_name="maintenance-agency", agency_domain_name=sim.domain_name)


def signs_in_anew(way: str) -> bool:
    """Whether a task that signs in so does it once more when its credentials are refused."""
    if way in _FOUND:
        kind = _FOUND[way][1]
        return kind not in ("token", "access key", "temporary key", "passcode")
    return way not in (DEFAULT, "project looked up")


def secrets(sim: Simulator) -> list[str]:
    """What no result may show."""
    identity = sim._server.cloud.identity
    keys = [secret for key in identity.keys.values() for secret in (key.secret, key.security_token) if secret]
    return [*keys, *identity.tokens, *(user.password for user in identity.users)]
