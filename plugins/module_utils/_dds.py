# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations of DDS (Document Database Service), and the scheduled jobs that they return."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from ansible_collections.hwcloud.maintenance.plugins.module_utils._http import Answer, Operation
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record, newest_first, phase_of, to_dds
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import (
    ListKeys,
    Service,
    all_of,
)

LIST_JOBS = Operation("ListScheduledTasks", "dds", "GET", "/v3/{project_id}/scheduled-jobs", "dds:task:list")
CANCEL_JOB = Operation(
    "CancelScheduledTask",
    "dds",
    "DELETE",
    "/v3/{project_id}/scheduled-jobs/{job_id}",
    "dds:instance:cancelScheduledJob",
)

_JOB_KEYS = ListKeys("schedules", "total_count", "job_id")


def confirms_cancellation(status: int) -> bool:
    """Whether an answer says that the cancellation of a job was accepted: no other is documented (contract 3.4)."""
    return status == 204


def build_job(api_object: Record) -> Record:
    """The API's object, nothing dropped, with C(phase)."""
    return {**api_object, "phase": phase_of(api_object.get("job_status"))}


def only(values: t.Sequence[str] | None) -> str | None:
    """The one value, by which the service can filter; several are filtered here, after one listing."""
    return values[0] if values is not None and len(values) == 1 else None


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
        wanted: t.Collection[str] | None = None,
        **filters: str | None,
    ) -> list[Record]:
        """The scheduled jobs created between C(start) and C(end) (None: now), newest first.

        C(filters) are the API's C(instance_id) and the like. Names are not among them, as case does not matter to a user.
        With C(wanted), the listing stops once these ids were seen.
        """
        # Always with a start: DDS hides everything older than seven days otherwise (contract 3.2).
        query = {"start_time": to_dds(start), "end_time": to_dds(end) if end else None, **filters}
        listing = self.listing(LIST_JOBS, {}, query, _JOB_KEYS)
        if wanted is not None and len(wanted) <= self.page_size:
            listing = listing._replace(enough=all_of(wanted))
        records = self.list_all(listing)
        return newest_first(map(build_job, records), "create_time", "job_id")

    def cancel_job(self, job_id: str) -> Answer:
        """Call off a pending job (contract 3.4); it stays listed as C(Canceled)."""
        answer = self.call(CANCEL_JOB, {"job_id": job_id}, read_body=False)
        if not confirms_cancellation(answer.status):
            raise self.unconfirmed(CANCEL_JOB, answer)
        return answer
