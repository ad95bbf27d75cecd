#!/usr/bin/python
# Copyright (c) 2026 hwcloud.maintenance contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: dds_scheduled_job_info
short_description: List scheduled jobs of DDS instances
description:
  - Lists the jobs that are scheduled for the maintenance window of DDS (MongoDB) instances, and those that have run, newest first.
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
      - Only jobs of these instances, each by its id or its exact name.
      - An empty list, here and in the other filters, yields no jobs.
    type: list
    elements: str
    aliases: [instance_ids]
  job_ids:
    description: Only jobs with these ids.
    type: list
    elements: str
  job_names:
    description: Only jobs with one of these names, as the API spells them, such as V(RESIZE_FLAVOR).
    type: list
    elements: str
  statuses:
    description: Only jobs with one of these statuses, as the API spells them, such as V(Pending) or V(Canceled), in capitals or not.
    type: list
    elements: str
  phases:
    description: Only jobs in one of these phases; see RV(jobs[].phase).
    type: list
    elements: str
    choices: [pending, running, succeeded, failed, cancelled, unknown]
  lookback:
    description:
      - How far back to look, by the time at which a job was created, when O(start_time) is not given.
      - A whole number and one of the units V(s), V(m), V(h), V(d), V(w).
      - The API by itself would hide jobs that were created more than seven days ago, even when they still wait.
    type: str
    default: 365d
  start_time:
    description:
      - Only jobs created at this time or later.
      - A time in UTC such as V(2026-01-15), V(2026-01-15T08:30:00Z), V(2026-01-15T09:30:00+01:00) or V(20260115083000),
        or an age such as V(12h), V(30d) or V(2w).
    type: str
  end_time:
    description: Only jobs created at this time or earlier, in the same forms as O(start_time). When it is not given, this is now.
    type: str
seealso:
  - module: hwcloud.maintenance.dds_scheduled_job
"""

EXAMPLES = r"""
- name: See what waits for the maintenance window
  hwcloud.maintenance.dds_scheduled_job_info:
    phases: pending
  register: waiting

- name: Show it
  ansible.builtin.debug:
    msg: "{{ item.job_name }} on {{ item.instance_name }} starts at {{ item.start_time }}"
  loop: "{{ waiting.jobs }}"

- name: List the upgrades of one instance in the last 90 days
  hwcloud.maintenance.dds_scheduled_job_info:
    instances: dds-orders-prod
    job_names: UPGRADE_DATABASE
    lookback: 90d
"""

RETURN = r"""
jobs:
  description:
    - The scheduled jobs that fit all filters, newest first.
    - Each is the object of the API with one field added; fields that are not described here are passed through.
  returned: success
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
summary:
  description: Counts over RV(jobs).
  returned: success
  type: dict
  contains:
    total:
      description: How many jobs there are.
      returned: always
      type: int
      sample: 1
    by_phase:
      description: How many jobs are in each phase; every phase is there.
      returned: always
      type: dict
      sample: {"pending": 1, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0, "unknown": 0}
    by_name:
      description: How many jobs have each name.
      returned: always
      type: dict
      sample: {"RESIZE_FLAVOR": 1}
window:
  description: The window of time that was searched, by the time at which a job was created.
  returned: success
  type: dict
  contains:
    start_time:
      description: Its start, in UTC.
      returned: always
      type: str
      sample: "2025-11-22T08:30:00Z"
    end_time:
      description: Its end, in UTC.
      returned: always
      type: str
      sample: "2026-11-22T08:30:00Z"
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
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ConfigError
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import Task, run_module
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import (
    PHASES,
    Record,
    summary,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._times import to_result

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "instances": {"type": "list", "elements": "str", "aliases": ["instance_ids"]},
    "job_ids": {"type": "list", "elements": "str"},
    "job_names": {"type": "list", "elements": "str"},
    "statuses": {"type": "list", "elements": "str"},
    "phases": {"type": "list", "elements": "str", "choices": list(PHASES)},
    "lookback": {"type": "str", "default": "365d"},
    "start_time": {"type": "str"},
    "end_time": {"type": "str"},
}


def run(task: Task) -> dict[str, t.Any]:
    """List, filter, and count."""
    instances = task.check_ids("instances")
    job_ids = task.check_ids("job_ids")
    names = task.check_words("job_names")
    statuses = task.check_words("statuses")
    phases = task.options["phases"]
    start = task.moment("start_time") or task.lookback()
    end = task.moment("end_time")
    if end and start > end:
        raise ConfigError("start_time (or lookback) must not begin later than end_time.")
    dds = Dds(task.client, task.endpoints, task.account, task.warn)
    jobs: list[Record] = []
    if [] not in (instances, job_ids, names, statuses, phases):
        instance_ids = dds.instance_ids(instances) if instances is not None else None
        listed = dds.jobs(
            start,
            end,
            instance_id=_only(instance_ids),
            job_name=_only(names),
            wanted=job_ids,
        )
        upper = None if statuses is None else {status.upper() for status in statuses}
        jobs = [
            job
            for job in listed
            if (instance_ids is None or job.get("instance_id") in instance_ids)
            and (job_ids is None or job["job_id"] in job_ids)
            and (names is None or job.get("job_name") in names)
            and (upper is None or str(job.get("job_status")).upper() in upper)
            and (phases is None or job["phase"] in phases)
        ]
    return {
        "changed": False,
        "jobs": jobs,
        "summary": summary(jobs, "job_name"),
        "window": {"start_time": to_result(start), "end_time": to_result(end or task.now)},
    }


def _only(values: list[str] | None) -> str | None:
    """The one value, which the service can filter by; several are filtered here, after one listing."""
    return values[0] if values is not None and len(values) == 1 else None


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, run)


if __name__ == "__main__":
    main()
