#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dcs_task
short_description: Remove records of DCS background tasks, or wait until tasks have ended
description:
  - Removes the records of background tasks that have ended, or waits until tasks have ended.
  - Removing a record does not stop any work. A task that has not ended is refused before anything is removed.
version_added: 1.0.0
author:
  - hwcloud.maintenance contributors (@hwcloud-maintenance)
extends_documentation_fragment:
  - hwcloud.maintenance.attributes
  - hwcloud.maintenance.attributes.changes
  - hwcloud.maintenance.credentials
  - hwcloud.maintenance.connection
  - hwcloud.maintenance.wait
options:
  instance:
    description:
      - The instance to which the tasks belong, by its id or its exact name.
      - When it is not given, the tasks are found in the project's task centre. Some regions and clouds have none.
    type: str
    aliases: [instance_id]
  task_ids:
    description:
      - The ids of the tasks. An empty list means that there is nothing to do.
    type: list
    elements: str
    required: true
    aliases: [task_id]
  state:
    description:
      - V(absent) removes the records of these tasks, all of which must have ended. A task that is not listed needs no removal.
      - V(finished) waits until these tasks have ended, and never changes anything. A task that is not listed has ended.
        In check mode it looks once, and does not wait.
    type: str
    required: true
    choices: [absent, finished]
  accepted_phases:
    description:
      - With O(state=finished), the phases in which a task may end. The task fails when one ends in another phase.
    type: list
    elements: str
    choices: [succeeded, failed, cancelled]
    default: [succeeded]
  wait_timeout:
    description: With O(state=finished), seconds after which waiting fails.
    type: int
    default: 1800
seealso:
  - module: hwcloud.maintenance.dcs_task_info
  - module: hwcloud.maintenance.dcs_resize_cancel
"""

EXAMPLES = r"""
- name: Find the tasks that run
  hwcloud.maintenance.dcs_task_info:
    instances: redis-sessions-prod
    phases: running
  register: running

- name: Wait until they have ended
  hwcloud.maintenance.dcs_task:
    instance: redis-sessions-prod
    task_ids: "{{ running.tasks | map(attribute='id') }}"
    state: finished
    wait_timeout: 600

- name: Find the tasks that have ended
  hwcloud.maintenance.dcs_task_info:
    instances: redis-sessions-prod
    phases:
      - succeeded
      - failed
      - cancelled
  register: ended

- name: Clear them away
  hwcloud.maintenance.dcs_task:
    instance: redis-sessions-prod
    task_ids: "{{ ended.tasks | map(attribute='id') }}"
    state: absent
"""

RETURN = r"""
tasks:
  description:
    - The tasks as they were last listed, in the order of O(task_ids); those that are not listed are left out.
    - Each is the object of the API with two fields added; fields that are not described here are passed through.
  returned: always, unless the input was refused or the listing failed
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
removed:
  description: The ids of the tasks whose records were removed, or would be in check mode.
  returned: when O(state=absent), and the listing succeeded
  type: list
  elements: str
  sample: [8abf6e1e72c12e7c0172c15b508500aa]
absent:
  description: The ids of the tasks that are not listed, and were not removed by this run.
  returned: always, unless the input was refused or the listing failed
  type: list
  elements: str
  sample: []
failed_tasks:
  description: The tasks whose records could not be removed.
  returned: when O(state=absent), and the listing succeeded
  type: list
  elements: dict
  sample: []
  contains:
    task_id:
      description: The id of the task.
      returned: always
      type: str
      sample: 8abf6e1e72c12e7c0172c15b508500aa
    msg:
      description: What went wrong, in one sentence.
      returned: always
      type: str
      sample: "DeleteBackgroundTask failed with HTTP 400 and code DCS.4026: This operation is not allowed."
    failure:
      description: What went wrong, as in RV(failure).
      returned: always
      type: dict
      sample: {"code": "DCS.4026", "http_status": 400}
not_tried:
  description: The ids of the tasks whose removal was not tried any more after something else had failed.
  returned: when O(state=absent), and the listing succeeded
  type: list
  elements: str
  sample: []
unfinished:
  description: The ids of the tasks that have not ended.
  returned: when O(state=finished), and the listing succeeded
  type: list
  elements: str
  sample: []
waited:
  description: For how many seconds the module waited.
  returned: when O(state=finished), and the listing succeeded
  type: float
  sample: 12.4
progress:
  description: One line for each change that was seen while waiting.
  returned: when O(state=finished), and the listing succeeded
  type: list
  elements: str
  sample: ["after 0 s: 0 of 1 ended, 1 running", "after 12 s: 1 of 1 ended"]
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

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs import Dcs
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_tasks import remove, wait_until_finished
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instance": {"type": "str", "aliases": ["instance_id"]},
    "task_ids": {"type": "list", "elements": "str", "required": True, "aliases": ["task_id"]},
    "state": {"type": "str", "required": True, "choices": ["absent", "finished"]},
    "accepted_phases": {
        "type": "list",
        "elements": "str",
        "choices": ["succeeded", "failed", "cancelled"],
        "default": ["succeeded"],
    },
    "wait_timeout": {"type": "int", "default": 1800},
    "wait_interval": {"type": "int", "default": 5},
}


def run(task: Task) -> dict[str, t.Any]:
    """Find the instance, and hand over to the service."""
    instance = task.check_optional_id("instance")
    task_ids = task.check_ids("task_ids") or []
    dcs = Dcs(task.client, task.endpoints, task.account, task.warn)
    instance_id = dcs.instance_ids([instance])[0] if instance is not None and task_ids else None
    if task.options["state"] == "absent":
        return remove(dcs, instance_id, task_ids, check_mode=task.check_mode)
    wait = None if task.check_mode else task.wait_options()
    return wait_until_finished(dcs, instance_id, task_ids, wait, task.options["accepted_phases"])


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
