#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dcs_task_info
short_description: List background tasks of DCS instances
description:
  - Lists the background tasks of DCS (Redis) instances, such as spec changes, backups or password changes, newest first.
  - Lists the tasks of the instances that are given, of all instances of the project, or of the project as a whole.
version_added: 1.0.0
author:
  - hwcloud.maintenance contributors (@hwcloud-maintenance)
extends_documentation_fragment:
  - hwcloud.maintenance.attributes
  - hwcloud.maintenance.attributes.info
  - hwcloud.maintenance.credentials
  - hwcloud.maintenance.connection
options:
  instances:
    description:
      - The instances whose tasks are listed, each by its id or its exact name.
      - V(all) lists the instances of the project first, and then the tasks of each.
      - When it is not given, the task centre lists the tasks of the whole project at once. Its answers do not say
        to which instance a task belongs, so that RV(tasks[].instance_id) is V(null). Some regions and clouds have no task centre.
      - An empty list yields no tasks.
    type: list
    elements: str
    aliases: [instance_ids]
  task_ids:
    description:
      - Only tasks with these ids.
      - An empty list, here and in the other filters, yields no tasks.
    type: list
    elements: str
  names:
    description:
      - Only tasks with one of these names, as the API spells them, such as V(EXTEND) or V(BindEip).
      - V(EXTEND) and V(ChangeInstanceSpec) are two names of a spec change; each finds both.
    type: list
    elements: str
  statuses:
    description: Only tasks with one of these statuses, as the API spells them, in capitals or not.
    type: list
    elements: str
  phases:
    description: Only tasks in one of these phases; see RV(tasks[].phase).
    type: list
    elements: str
    choices: [pending, running, succeeded, failed, cancelled, unknown]
  start_time:
    description:
      - Only tasks created at this time or later.
      - A time in UTC such as V(2026-01-15), V(2026-01-15T08:30:00Z), V(2026-01-15T09:30:00+01:00) or V(20260115083000),
        or an age such as V(12h), V(30d) or V(2w).
    type: str
  end_time:
    description: Only tasks created at this time or earlier, in the same forms as O(start_time).
    type: str
seealso:
  - module: hwcloud.maintenance.dcs_task
  - module: hwcloud.maintenance.dcs_resize_cancel
"""

EXAMPLES = r"""
- name: See what is going on and what waits for the maintenance window
  hwcloud.maintenance.dcs_task_info:
    instances:
      - redis-sessions-prod
      - redis-cart-prod
    phases:
      - pending
      - running
  register: unfinished

- name: List the spec changes of the last 30 days on all instances
  hwcloud.maintenance.dcs_task_info:
    instances: all
    names:
      - EXTEND
    start_time: 30d

- name: Count the tasks of the whole project in one listing
  hwcloud.maintenance.dcs_task_info:
  register: project_tasks

- name: Show the counts
  ansible.builtin.debug:
    var: project_tasks.summary
"""

RETURN = r"""
tasks:
  description:
    - The background tasks that fit all filters, newest first.
    - Each is the object of the API with two fields added; fields that are not described here are passed through.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the background task.
      returned: always
      type: str
      sample: 8abf6e1e72c12e7c0172c15b508500aa
    instance_id:
      description: The id of the instance; V(null) when the task centre was listed, as it does not say.
      returned: always
      type: str
      sample: 5560df16-cebf-4473-95c4-d1b573c16e79
    phase:
      description:
        - What RV(tasks[].status) means, in one vocabulary for all services.
        - One of V(pending), V(running), V(succeeded), V(failed), V(cancelled), V(unknown). An unknown status counts as not finished.
      returned: always
      type: str
      sample: succeeded
    name:
      description: What the task does, such as V(EXTEND), V(BindEip), V(AddReplica) or V(masterStandbySwapJob).
      returned: always
      type: str
      sample: EXTEND
    status:
      description: The status as the API spells it.
      returned: always
      type: str
      sample: SUCCESS
    details:
      description:
        - Details of the task; which of them there are depends on its name. May be V(null).
        - C(old_capacity) and C(new_capacity) are text, whatever the API sends.
      returned: when the API sends it
      type: dict
      sample: {"old_capacity": "0.125", "new_capacity": "0.25"}
    user_name:
      description: The name of the user who submitted the task.
      returned: when the API sends it
      type: str
      sample: dcs_000_02
    user_id:
      description: The id of the user who submitted the task.
      returned: when the API sends it
      type: str
      sample: d53977d1adfb49c5b025ba7d33a13fd7
    params:
      description: Parameters of the task, as text.
      returned: when the API sends it
      type: str
      sample: ""
    created_at:
      description: When the task started, in UTC.
      returned: when the API sends it
      type: str
      sample: "2020-06-17T08:18:06.597Z"
    updated_at:
      description: When the task ended, in UTC.
      returned: when the API sends it
      type: str
      sample: "2020-06-17T08:18:10.106Z"
    enable_show:
      description: Whether the task has progress in detail.
      returned: when the API sends it
      type: bool
      sample: false
    error_code:
      description: An error code. It may be set on a task that succeeded, so that it proves no failure.
      returned: when the API sends it
      type: str
      sample: "111400063"
    job_id:
      description: The id of the job that carries out the task; not the same as RV(tasks[].id).
      returned: when the API sends it
      type: str
      sample: 8abf6e1e87bce0740187bd32748b0530
summary:
  description: Counts over RV(tasks).
  returned: success
  type: dict
  contains:
    total:
      description: How many tasks there are.
      returned: always
      type: int
      sample: 1
    by_phase:
      description: How many tasks are in each phase; every phase is there.
      returned: always
      type: dict
      sample: {"pending": 0, "running": 0, "succeeded": 1, "failed": 0, "cancelled": 0, "unknown": 0}
    by_name:
      description: How many tasks have each name.
      returned: always
      type: dict
      sample: {"EXTEND": 1}
requests:
  description: How many requests were sent, repeated ones included.
  returned: always, unless the input was refused
  type: int
  sample: 1
retried:
  description: One sentence for each request that was sent again, with the reason.
  returned: always, unless the input was refused
  type: list
  elements: str
  sample: []
failure:
  description: What went wrong, for a runbook to branch on; C(msg) says the same in one sentence.
  returned: on failure
  type: dict
  contains:
    code:
      description: The error code of the API, or one of the words of this collection, such as V(InvalidOption) or V(TooLate).
      type: str
      returned: always
      sample: DCS.3022
    http_status:
      description: The HTTP status, when a service answered with an error.
      type: int
      returned: always
      sample: 404
    request_id:
      description: The id under which the service knows the request.
      type: str
      returned: always
      sample: 1a2b3c4d5e6f
    service:
      description: The service, such as V(dcs).
      type: str
      returned: always
      sample: dcs
    operation:
      description: The name of the operation in the documentation of the API.
      type: str
      returned: always
      sample: ListBackgroundTask
    retryable:
      description: Whether the same task may succeed when it is run again later.
      type: bool
      returned: always
      sample: false
    hint:
      description: What can be done next.
      type: str
      returned: always
      sample: "Check the instance, the region and the project: the service does not know this instance there."
"""

import typing as t

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import (
    SPEC_CHANGE_NAMES,
    Dcs,
    created_after,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    PHASES,
    Record,
    newest_first,
    summary,
)

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instances": {"type": "list", "elements": "str", "aliases": ["instance_ids"]},
    "task_ids": {"type": "list", "elements": "str"},
    "names": {"type": "list", "elements": "str"},
    "statuses": {"type": "list", "elements": "str"},
    "phases": {"type": "list", "elements": "str", "choices": list(PHASES)},
    "start_time": {"type": "str"},
    "end_time": {"type": "str"},
}


def run(task: Task) -> dict[str, t.Any]:
    """List, filter, and count."""
    instances = task.check_ids("instances")
    task_ids = task.check_ids("task_ids")
    names = task.check_words("names")
    statuses = task.check_words("statuses")
    phases = task.options["phases"]
    start = task.moment("start_time")
    end = task.moment("end_time")
    if start and end and start > end:
        raise ConfigError("start_time must not be later than end_time.")
    dcs = Dcs(task.client, task.endpoints, task.account, task.warn)
    if names is not None and not SPEC_CHANGE_NAMES.isdisjoint(names):
        names = [*names, *SPEC_CHANGE_NAMES]

    def fits(record: Record) -> bool:
        return (
            (task_ids is None or record["id"] in task_ids)
            and (names is None or record.get("name") in names)
            and (statuses is None or str(record.get("status")).upper() in {status.upper() for status in statuses})
            and (phases is None or record["phase"] in phases)
            and (end is None or not created_after(record, end))
        )

    sources: t.Sequence[str | None] = [None]
    if [] in (instances, task_ids, names, statuses, phases):
        # A filter that can match nothing, such as the empty result of an earlier task, must never list everything.
        sources = []
    elif instances == ["all"]:
        sources = dcs.all_instance_ids()
    elif instances is not None:
        sources = dcs.instance_ids(instances)
    missing = None if task_ids is None else set(task_ids)
    found: list[Record] = []
    for instance_id in sources:
        listed = dcs.tasks(instance_id, start=start, wanted=missing)
        found += filter(fits, listed)
        if missing is not None:
            missing -= {record["id"] for record in listed}
            if not missing:
                break
    found = newest_first(found, "created_at", "id")
    return {"changed": False, "tasks": found, "summary": summary(found, "name")}


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
