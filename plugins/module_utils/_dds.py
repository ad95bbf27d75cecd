# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of DDS (Document Database Service) that maintenance needs, one method each, and what they return.

A scheduled job is the API's own object with one field added: ``phase``. Nothing that the API returned is dropped.
What to do about jobs is decided in C(_dds_jobs.py).
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record, newest_first, phase_of
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import ListKeys, Service
from ansible_collections.hwcloud.maintenance.plugins.module_utils._times import to_dds

LIST_JOBS = Operation("ListScheduledTasks", "dds", "GET", "/v3/{project_id}/scheduled-jobs", "dds:task:list")
CANCEL_JOB = Operation(
    "CancelScheduledTask",
    "dds",
    "DELETE",
    "/v3/{project_id}/scheduled-jobs/{job_id}",
    "dds:instance:cancelScheduledJob",
)

_JOB_KEYS = ListKeys("schedules", "total_count", "job_id")


def build_job(api_object: Record) -> Record:
    """A scheduled job as modules return it."""
    return {**api_object, "phase": phase_of(api_object.get("job_status"))}


class Dds(Service):
    """DDS for one account and project."""

    page_size = 100  # contract 3.2 and 3.5
    instance_id = re.compile(r"[0-9a-f]{32}in\d\d\Z", re.ASCII | re.IGNORECASE)
    list_instances = Operation("ListInstances", "dds", "GET", "/v3/{project_id}/instances", "dds:instance:list")
    # The name is an exact filter unless it starts with an asterisk, which no accepted name does (contract 3.5).
    instance_keys = ListKeys("instances", "total_count", "id")

    def jobs(
        self,
        start: datetime,
        end: datetime | None = None,
        *,
        instance_id: str | None = None,
        job_name: str | None = None,
        job_status: str | None = None,
        wanted: t.Collection[str] | None = None,
    ) -> list[Record]:
        """The scheduled jobs of the project that were created in a window of time, newest first.

        :arg start: always sent, as DDS hides everything older than seven days otherwise (contract 3.2).
        :arg end: None for the service's own default, which is now.
        :arg wanted: ids; the listing stops as soon as all of them were seen, and other jobs may then be missing.
        """
        query = {
            "start_time": to_dds(start),
            "end_time": to_dds(end) if end else None,
            "instance_id": instance_id,
            "job_name": job_name,
            "job_status": job_status,
        }
        records = self.list_all(LIST_JOBS, {}, query, _JOB_KEYS, wanted)
        return newest_first((build_job(record) for record in records), "create_time", "job_id")

    def cancel_job(self, job_id: str) -> Answer:
        """Call off a scheduled job that is still pending (contract 3.4); it stays listed as C(Canceled)."""
        return self.call(CANCEL_JOB, {"job_id": job_id}, read_body=False)
