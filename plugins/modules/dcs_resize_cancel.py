#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dcs_resize_cancel
short_description: Call off a spec change of a DCS instance that waits for the maintenance window
description:
  - Makes sure that a spec change (which the API calls resize) that waits for the maintenance window will not run.
  - The spec change is looked up first. One that was called off already is no change, one that was carried out is a failure.
  - The request that cancels is never sent a second time when its answer is lost; the list of tasks tells what became of it.
  - Nobody documents the status of a spec change that waits. Whether one that has not ended can still be called off is
    therefore decided by the service. In check mode, the progress of its steps is looked at when the status does not say
    that it waits.
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
    description: The instance, by its id or its exact name.
    type: str
    required: true
    aliases: [instance_id]
  task_id:
    description:
      - The id of the background task of the spec change.
      - When it is not given, this is the one spec change of the instance that has not ended. Several of them are a failure.
      - A task that is not listed is no change, unless another spec change is pending; then it is a failure that names it.
    type: str
  wait:
    description: Whether to wait until the spec change has left the list of tasks or ended.
    type: bool
    default: true
  wait_timeout:
    description: Seconds after which waiting fails.
    type: int
    default: 300
seealso:
  - module: hwcloud.maintenance.dcs_task_info
  - module: hwcloud.maintenance.dcs_task
"""

EXAMPLES = r"""
- name: Call off the spec change that waits for the maintenance window, if there is one
  hwcloud.maintenance.dcs_resize_cancel:
    instance: redis-cart-prod

- name: Find the spec changes that have not ended
  hwcloud.maintenance.dcs_task_info:
    instances: redis-cart-prod
    names: EXTEND
    phases:
      - pending
      - running
      - unknown
  register: spec_changes

- name: Call off exactly these
  hwcloud.maintenance.dcs_resize_cancel:
    instance: redis-cart-prod
    task_id: "{{ item.id }}"
    wait_timeout: 60
  loop: "{{ spec_changes.tasks }}"
"""

RETURN = r"""
instance_id:
  description: The id of the instance.
  returned: always, unless the input was refused or the listing failed
  type: str
  sample: 5560df16-cebf-4473-95c4-d1b573c16e79
task:
  description:
    - The spec change as it was last seen; V(null) when there is none.
    - It is the object of the API with two fields added; fields that are not described here are passed through.
    - After it was called off, and in check mode when it would be, C(phase) is V(cancelled), whatever the record says.
  returned: always, unless the input was refused or the listing failed
  type: dict
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
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dcs_resize import SpecChangeCancellation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instance": {"type": "str", "required": True, "aliases": ["instance_id"]},
    "task_id": {"type": "str"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 300},
    "wait_interval": {"type": "int", "default": 5},
}


def run(task: Task) -> dict[str, t.Any]:
    """Find the instance, and hand over to the service."""
    instance = task.check_id("instance", task.options["instance"])
    task_id = task.check_optional_id("task_id")
    wait = task.wait_options()
    if not task.options["wait"]:
        wait = wait._replace(timeout=0)
    dcs = Dcs(task.client, task.endpoints, task.account, task.warn)
    instance_id = dcs.instance_ids([instance])[0]
    return SpecChangeCancellation(dcs, instance_id, task_id, wait, task.warn).run(check_mode=task.check_mode)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
