# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""List the task centre with the official SDK client, one page after the other, and print the tasks as JSON.

    BENCH_ACCESS_KEY=... BENCH_SECRET_KEY=... python bench_sdk.py URL PROJECT

Says on stderr how long the listing alone took, without loading the SDK and without printing.
"""

from __future__ import annotations

import json
import os
import sys
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkdcs.v2 import DcsClient, ListCenterTaskRequest

PAGE = 1000


def main(url: str, project: str) -> None:
    """List and print."""
    started = time.perf_counter()
    keys = BasicCredentials(os.environ["BENCH_ACCESS_KEY"], os.environ["BENCH_SECRET_KEY"], project)
    client = DcsClient.new_builder().with_credentials(keys).with_endpoint(url).build()
    tasks = []
    while True:
        page = client.list_center_task(ListCenterTaskRequest(limit=PAGE, offset=len(tasks))).tasks
        tasks += page
        if len(page) < PAGE:
            break
    print(time.perf_counter() - started, file=sys.stderr)
    print(json.dumps({"tasks": [task.to_dict() for task in tasks]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
