# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a failure says, held against what happened. Only for runs without faults and without lists that lag behind."""

from __future__ import annotations

from typing import Callable

from .lab import GONE, Run
from .worlds import SPEC_CHANGES

_UNFINISHED = {"pending", "running", "unknown"}


def doubt_about(run: Run) -> str | None:
    """Why what a failure says cannot be true, or None."""
    check = _CHECKS.get(run.code)
    if run.module.startswith("inventory"):
        return None if run.did("expire tokens") else "nothing went wrong"
    if check is None:
        return "nothing of this kind happened"
    return check(run)


def _any_state(run: Run, ids: list[str], states: set[str]) -> bool:
    return any(run.states(identifier) & states for identifier in ids)


def _no_instance(run: Run) -> str | None:
    return None if run.did("remove instance") else "all instances are there"


def _not_found(run: Run) -> str | None:
    operation = run.failure["operation"]
    if operation == "ListInstances":
        return None if run.did("remove instance", "rename") else "the instance is there"
    if run.module == "dds_scheduled_job":
        return None if run.result.get("missing") else "missing is empty"
    if run.module == "dcs_resize_cancel":
        waiting = [each for each in run.history if run.states(each) & _UNFINISHED]
        return None if waiting else "no other spec change waits"
    return None if run.result.get("absent") else "absent is empty"


def _ambiguous(run: Run) -> str | None:
    if run.failure["operation"] == "ListInstances":
        return None if run.did("rename") else "all names are unique"
    waiting = [key for key in run.history if run.states(key) & _UNFINISHED and "-" not in key]
    return None if len(waiting) > 1 or run.did("replace") else f"there is one spec change at most: {waiting}"


def _unfinished(run: Run) -> str | None:
    if run.module == "dcs_resize_cancel":
        return _refused(run)
    ids = [task["id"] for task in run.result.get("tasks", ())]
    odd = any(task["status"] not in ("SUCCESS", "FAILED", "CANCELLED") for task in run.result.get("tasks", ()))
    return None if odd or _any_state(run, ids, _UNFINISHED) else "all have ended"


def _refused(run: Run) -> str | None:
    """The service refused to call off a spec change."""
    task = run.result.get("task")
    if task is None:
        return "no task is named"
    delayed = run.case["world"].get("switches", {}).get("resize_cancel_delay")
    # Of several that are unfinished, the service calls off the newest one only.
    known = delayed or len(unfinished_spec_changes(run)) > 1 or run.states(task["id"]) & {"running", GONE}
    return None if known else f"it was {run.states(task['id'])}"


def unfinished_spec_changes(run: Run) -> list[str]:
    """The spec changes of the instance that is meant which were unfinished at some time."""
    instance = run.result.get("instance_id")
    return [
        key
        for key, name in run.names.items()
        if name in SPEC_CHANGES and run.owners.get(key) == instance and run.states(key) & _UNFINISHED
    ]


def _ended_badly(run: Run) -> str | None:
    accepted = set(run.options.get("accepted_phases", ["succeeded"]))
    bad = {"succeeded", "failed", "cancelled"} - accepted
    return None if _any_state(run, [task["id"] for task in run.result["tasks"]], bad) else "none ended so"


def _wait_timeout(run: Run) -> str | None:
    if run.module == "dcs_task":
        return None if _any_state(run, run.result["unfinished"], _UNFINISHED) else "all have ended"
    name = "dds_cancel_delay" if run.module == "dds_scheduled_job" else "resize_cancel_delay"
    delay = run.case["world"].get("switches", {}).get(name, 0)
    return None if delay or run.acts or run.earlier_acts else "it took effect at once"


def _too_late(run: Run) -> str | None:
    begun = {"running", "succeeded", "failed", "unknown"}
    late = run.result.get("too_late") or [(run.result.get("task") or {}).get("id", "")]
    return None if _any_state(run, late, begun) else f"it was {[run.states(each) for each in late]}"


def _not_a_spec_change(run: Run) -> str | None:
    name = run.names.get(run.options.get("task_id", ""))
    return None if name not in ("EXTEND", "ChangeInstanceSpec") else f"it is called {name}"


def _job_refused(run: Run) -> str | None:
    """A job that is being called off by another one already, or whose status nobody knows."""
    delayed = run.case["world"].get("switches", {}).get("dds_cancel_delay")
    odd = any(job["phase"] == "unknown" for job in run.result.get("jobs", ()))
    return None if delayed or run.acts or odd else "nothing is being called off"


def _unreadable(run: Run) -> str | None:
    switches = run.case["world"].get("switches", {})
    moved = run.acts or run.earlier_acts
    count = switches.get("task_count_type") in ("wrong", "missing") or switches.get("page_fault")
    return None if moved or count else "no record came or went"


def _deadline(run: Run) -> str | None:
    return None if "deadline" in run.options else "there is no deadline"


def _sign_in(run: Run) -> str | None:
    skewed = abs(run.case["world"].get("machine_ahead", 0)) > 900
    return None if skewed or run.did("expire tokens") else "the credentials are right"


_CHECKS: dict[str, Callable[[Run], str | None]] = {
    **dict.fromkeys(("DCS.3022", "DCS.4026", "DCS.4022", "DBS.200002", "DBS.280110"), _no_instance),
    # Of a task, before its instance was removed as well.
    **dict.fromkeys(("DCS.4404", "DCS.4070"), _no_instance),
    "NotFound": _not_found,
    "Ambiguous": _ambiguous,
    "DCS.4957": _unfinished,
    **dict.fromkeys(("DCS.4239", "DCS.4113"), _refused),
    "EndedBadly": _ended_badly,
    "WaitTimeout": _wait_timeout,
    "TooLate": _too_late,
    "NotASpecChange": _not_a_spec_change,
    **dict.fromkeys(("DBS.280343", "DBS.200076"), _job_refused),
    "UnreadableAnswer": _unreadable,
    "DeadlineExceeded": _deadline,
    **dict.fromkeys(("APIGW.0301", "401"), _sign_in),
}
