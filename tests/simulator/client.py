# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control calls as methods, for a simulator in this process or in another."""

from __future__ import annotations

from typing import Any

import requests

from .scenarios import ScenarioError, load


class ControlFailed(Exception):
    """The simulator refused a control call; the text says why."""


class SimulatorClient:
    """Controls the simulator at a URL. `verify` is the path of its CA when it uses TLS."""

    def __init__(self, url: str, verify: str | bool = True) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.verify = verify
        # Proxies of the environment must not come between a test and its own machine.
        self._session.trust_env = False

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, f"{self.url}/_simulator/{path}", json=body, timeout=60)
        if answer.status_code != 200:
            raise ControlFailed(answer.json().get("error", answer.text))
        return answer.json()

    def facts(self) -> dict[str, Any]:
        """The first line of output."""
        found: dict[str, Any] = self._control("GET", "facts")
        return found

    def journal(self, service: str | None = None) -> list[dict[str, Any]]:
        """Every request so far, or those to one service."""
        entries: list[dict[str, Any]] = self._control("GET", "journal")
        return [entry for entry in entries if service in (None, entry["service"])]

    def operations(self) -> list[str]:
        """The operation names of the journal in order."""
        return [entry["operation"] for entry in self.journal()]

    def state(self) -> dict[str, Any]:
        """Instances, tasks and jobs as they are."""
        found: dict[str, Any] = self._control("GET", "state")
        return found

    def instance(self, name: str) -> dict[str, Any]:
        """The DCS or DDS instance of this name as it is."""
        state = self.state()
        found: dict[str, Any]
        for found in state["dcs_instances"] + state["dds_instances"]:
            if found.get("name") == name:
                return found
        raise KeyError(name)

    def tasks(self, instance_name: str) -> list[dict[str, Any]]:
        """The DCS tasks of the instance of this name as they are, newest first."""
        wanted = self.instance(instance_name)["instance_id"]
        return [task for task in self.state()["tasks"] if task["instance_id"] == wanted]

    def jobs(self, status: str | None = None) -> list[dict[str, Any]]:
        """The DDS scheduled jobs as they are, newest first; all or those of one status."""
        return [job for job in self.state()["scheduled_jobs"] if status in (None, job.get("job_status"))]

    def reset(self, scenario: Any = None) -> dict[str, Any]:
        """Back to the scenario, or to another one."""
        if isinstance(scenario, str) and scenario.endswith(".json"):
            # Read here, with the rights of who asks for it: the simulator would read it for everybody.
            try:
                scenario = load(scenario)
            except ScenarioError as error:
                raise ControlFailed(str(error)) from None
        body = None if scenario is None else {"scenario": scenario}
        found: dict[str, Any] = self._control("POST", "reset", body)
        return found

    def faults(self, rules: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Set the fault rules; without any, show those that are left."""
        left: list[dict[str, Any]] = self._control("GET" if rules is None else "POST", "faults", rules)
        return left

    def switches(self, changes: dict[str, Any] | None = None) -> dict[str, Any]:
        """Change switches; returns all of them."""
        values: dict[str, Any] = self._control("GET" if changes is None else "POST", "switches", changes)
        return values

    def events(self, events: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Set the events; returns those that wait, and what went wrong with those that fired."""
        found: dict[str, Any] = self._control("GET" if events is None else "POST", "events", events)
        return found

    def patch(self, *patches: dict[str, Any]) -> None:
        """Apply patches at once."""
        self._control("POST", "state/patch", list(patches))

    def expire_tokens(self) -> int:
        """End all tokens and temporary keys; returns how many."""
        return int(self._control("POST", "expire_tokens")["expired"])

    def advance(self, seconds: float) -> None:
        """Put the cloud's clock ahead: what was to happen meanwhile has happened. Signatures stay valid."""
        self._control("POST", "advance", {"seconds": seconds})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
