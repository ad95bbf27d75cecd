#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dds_scheduled_job
short_description: Call off scheduled jobs of DDS
description:
  - Makes sure that jobs which are scheduled for the maintenance window of DDS (MongoDB) instances will not run.
  - What can be called off is called off first; only then does the task fail for jobs that could not be.
  - A job that was called off stays listed as C(Canceled), and is then no change.
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
  job_ids:
    description:
      - The ids of the jobs. An empty list means that there is nothing to do.
    type: list
    elements: str
    aliases: [job_id]
  instance:
    description:
      - All jobs of this instance that have not ended, instead of O(job_ids). The instance is given by its id or its exact name.
    type: str
    aliases: [instance_id]
  job_names:
    description:
      - With O(instance), only jobs with one of these names, as the API spells them, such as V(RESIZE_FLAVOR).
        An empty list means that there is nothing to do.
    type: list
    elements: str
  state:
    description: The state that is wanted.
    type: str
    choices: [cancelled]
    default: cancelled
  on_too_late:
    description: Whether it is a failure that a job is running already, or has run.
    type: str
    choices: [fail, ignore]
    default: fail
  missing_ok:
    description:
      - Whether it is no failure that a job is not known.
      - A cancelled job stays listed, so that a missing one is probably mistyped, or was created before O(lookback).
    type: bool
    default: false
  lookback:
    description:
      - How far back to look for the jobs, by the time at which they were created.
      - A whole number and one of the units V(s), V(m), V(h), V(d), V(w).
      - The API by itself would hide jobs that were created more than seven days ago, even when they still wait.
    type: str
    default: 365d
  wait_timeout:
    description: Seconds after which the task fails when a job whose cancellation was accepted does not read C(Canceled).
    type: int
    default: 60
seealso:
  - module: hwcloud.maintenance.dds_scheduled_job_info
"""

EXAMPLES = r"""
- name: Find the upgrades that wait for the maintenance window
  hwcloud.maintenance.dds_scheduled_job_info:
    job_names: UPGRADE_DATABASE
    phases: pending
  register: upgrades

- name: Call them off
  hwcloud.maintenance.dds_scheduled_job:
    job_ids: "{{ upgrades.jobs | map(attribute='job_id') }}"

- name: Call off whatever waits on one instance
  hwcloud.maintenance.dds_scheduled_job:
    instance: dds-orders-prod
    on_too_late: ignore
"""

RETURN = r"""
jobs:
  description:
    - The jobs that are meant, as they were last listed, or would be in check mode.
    - Each is the object of the API with one field added; fields that are not described here are passed through.
  returned: always, unless the input was refused or the listing failed
  type: list
  elements: dict
  contains:
    job_id:
      description: The id of the scheduled job.
      returned: always
      type: str
      sample: 3861199d-c196-4791-bcd0-b45fde754f50
    job_name:
      description: What the job does, such as V(RESIZE_FLAVOR) or V(UPGRADE_DATABASE).
      returned: always
      type: str
      sample: RESIZE_FLAVOR
    job_status:
      description: The status as the API spells it; V(Pending), V(Running), V(Completed), V(Failed) or V(Canceled).
      returned: always
      type: str
      sample: Pending
    phase:
      description:
        - What RV(jobs[].job_status) means, in one vocabulary for all services.
        - One of V(pending), V(running), V(succeeded), V(failed), V(cancelled), V(unknown). An unknown status counts as not finished.
      returned: always
      type: str
      sample: pending
    instance_id:
      description: The id of the instance.
      returned: when the API sends it
      type: str
      sample: 9136fd2a9fcd405ea4674276ce36dae8in02
    instance_name:
      description: The name of the instance.
      returned: when the API sends it
      type: str
      sample: dds-orders-prod
    instance_status:
      description: The status of the instance, such as V(normal).
      returned: when the API sends it
      type: str
      sample: normal
    create_time:
      description: When the job was created.
      returned: when the API sends it
      type: str
      sample: "2019-05-26T10:41:14+0000"
    start_time:
      description: When the job starts, or started. For a pending job, when its maintenance window begins.
      returned: when the API sends it
      type: str
      sample: "2019-05-27T02:00:00+0000"
    end_time:
      description: When the job ends, or ended. For a pending job, when its maintenance window ends.
      returned: when the API sends it
      type: str
      sample: "2019-05-27T06:00:00+0000"
cancelled:
  description: The ids of the jobs that were called off, or would be in check mode.
  returned: always, unless the input was refused or the listing failed
  type: list
  elements: str
  sample: [3861199d-c196-4791-bcd0-b45fde754f50]
already_cancelled:
  description: The ids of the jobs that had been called off already.
  returned: always, unless the input was refused or the listing failed
  type: list
  elements: str
  sample: []
too_late:
  description: The ids of the jobs that are running or have run.
  returned: always, unless the input was refused or the listing failed
  type: list
  elements: str
  sample: []
missing:
  description: The ids that are not known.
  returned: always, unless the input was refused or the listing failed
  type: list
  elements: str
  sample: []
failed_jobs:
  description: The jobs that could not be called off.
  returned: always, unless the input was refused or the listing failed
  type: list
  elements: dict
  sample: []
  contains:
    job_id:
      description: The id of the job.
      returned: always
      type: str
      sample: 3861199d-c196-4791-bcd0-b45fde754f50
    msg:
      description: What went wrong, in one sentence.
      returned: always
      type: str
      sample: "CancelScheduledTask failed with HTTP 403 and code DBS.280063: no permission."
    failure:
      description: What went wrong, as in RV(failure).
      returned: always
      type: dict
      sample: {"code": "DBS.280063", "http_status": 403}
not_tried:
  description: The ids of the jobs that were not tried any more after something else had failed.
  returned: always, unless the input was refused or the listing failed
  type: list
  elements: str
  sample: []
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

from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds import Dds
from ansible_collections.hwcloud.maintenance.plugins.module_utils._dds_jobs import Rules, Selection, cancel
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "job_ids": {"type": "list", "elements": "str", "aliases": ["job_id"]},
    "instance": {"type": "str", "aliases": ["instance_id"]},
    "job_names": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["cancelled"], "default": "cancelled"},
    "on_too_late": {"type": "str", "choices": ["fail", "ignore"], "default": "fail"},
    "missing_ok": {"type": "bool", "default": False},
    "lookback": {"type": "str", "default": "365d"},
    "wait_timeout": {"type": "int", "default": 60},
    "wait_interval": {"type": "int", "default": 5},
}


def run(task: Task) -> dict[str, t.Any]:
    """Find the instance, and hand over to the service."""
    instance = task.check_optional_id("instance")
    names = task.check_words("job_names")
    job_ids = task.check_ids("job_ids")
    start = task.lookback()
    dds = Dds(task.client, task.endpoints, task.account, task.warn)
    instance_id = dds.instance_ids([instance])[0] if instance is not None else None
    return cancel(
        dds,
        Selection(job_ids, instance_id, names, start),
        Rules(missing_ok=task.options["missing_ok"], too_late_ok=task.options["on_too_late"] == "ignore"),
        task.wait_options(),
        check_mode=task.check_mode,
    )


def main() -> None:
    """Run the module."""
    run_module(
        ARGUMENTS,
        run,
        required_one_of=[("job_ids", "instance")],
        mutually_exclusive=[("job_ids", "instance"), ("job_ids", "job_names")],
    )


if __name__ == "__main__":
    main()
