# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Huawei Cloud on loopback: DCS, DDS, IAM and the metadata service on one port, with state in memory.

Start it in the process of a test, or as a program whose first line of output is a JSON object with the same facts:

    with Simulator("maintenance") as sim:
        sim.url, sim.region, sim.project_id, sim.access_key, sim.secret_key, sim.username, sim.password, sim.domain_name
        sim.projects, sim.ca_path                  # all project ids; the CA's file with tls=True, else None
    python -m tests.simulator [--host 127.0.0.1] [--port 0] [--tls] [--scenario NAME|FILE.json] [--faults FILE.json]

Control, by methods of `Simulator` and `SimulatorClient(url)`, or on the same port without sign-in:

    journal(service=None)  GET  /_simulator/journal      method, path, query, status, service, operation, auth, fault,
                                                         processed, documented, request_headers (names), connection,
                                                         began, ended of each request, in order
    operations()                                         the operation names of the journal
    state()                GET  /_simulator/state        dcs_instances, tasks, dds_instances, scheduled_jobs,
                                                         instant_tasks, projects
    instance(name), tasks(instance_name), jobs(status)   parts of the state
    reset(scenario=None)   POST /_simulator/reset        {"scenario": name or object}; switches, faults, journal too
    faults(rules)          POST /_simulator/faults       rules: see faults.py; GET shows those that are left
    switches(changes)      POST /_simulator/switches     names and values: see switches.py; GET shows all
    events(events)         POST /_simulator/events       events: see events.py; GET shows what waits, and errors
    patch(*patches)        POST /_simulator/state/patch  patches: see events.py
    expire_tokens()        POST /_simulator/expire_tokens
    advance(seconds)       POST /_simulator/advance      {"seconds": n}: the cloud's clock is put ahead, so that what ends
                                                         or starts by itself does so without waiting
    facts()                GET  /_simulator/facts        the first line of output

A control call that is refused has another status than 200 and `{"error": sentence}`; the methods raise `ControlFailed`.
Control calls name a loopback host, send their body as application/json, and do not come from a web page; a scenario in a
file is read by the methods, never by the simulator that is running.

The variable SIMULATOR_UNDOCUMENTED may name a file, to which each request is added that the API's documents do not have.

Operations: ListInstances (of DCS and of DDS: tell them apart by `service`), ShowInstance, ListBackgroundTask,
ShowBackgroundTaskProgress, DeleteBackgroundTask, ListCenterTask, DeleteCenterTask, ResizeInstance, ShowJobInfo, ShowTags,
ListTagsOfTenant, CancelInstanceResize, ListMaintenanceWindows; ListScheduledTasks, CancelScheduledTask,
UpgradeDatabaseVersion, ChangeOpsWindow, ListTasks (instant ones), ShowJobDetail, ListInstanceTags, ListProjectTags;
KeystoneCreateUserTokenByPassword, KeystoneListProjects, KeystoneListAuthDomains, CreateTemporaryAccessKey;
CreateMetadataToken, ShowSecurityKey. Services: dcs, dds, iam, metadata. What they are, and which documents contradict each
other about them, is in docs/api.md.

Scenarios, whose file format is in scenarios.py:

    maintenance           the default, see below
    pages                 the examples of the API's pages, put right (C4)
    pages_as_printed      the example of the page about listing background tasks, with its status only beside the list
    full                  one record of each kind with every documented field filled; the newest task is ten minutes old
    empty                 one project with nothing in it
    fleet:N:M[:J]         N DCS instances with M tasks each, and J scheduled jobs

`maintenance`, times relative to the load:

    redis-sessions-prod   6 tasks; EXTENDING, the newest one is a spec change (EXTEND) that waits for the window
    redis-cart-prod       3 tasks; dcsExportJob runs and succeeds 4 s after the load
    redis-cache-staging   4 tasks, all finished; the oldest is named ChangeInstanceSpec
    redis-queue-prod      no tasks
    redis-reports         1 task with `details: null`; capacity 0, capacity_minor "0.125"
    dds-orders-prod       jobs: Pending (1 h old), Completed (3 d), Canceled (2 d), Completed (60 d)
    dds-catalogue-prod    jobs: Running (2 h), Pending (8 d)
    dds-orders-staging    jobs: Failed (5 d), Pending (300 d)
    windows               02:00 to 06:00, of redis-cache-staging 22:00 to 23:00, of redis-reports 23:00 to 00:00
    instant tasks         of DDS: Running (10 min), Completed (3 d), Failed (5 d)
    second project        `sim-region-1_staging` with redis-sandbox, dds-sandbox and one Pending job
    users                 operator (the first line's), auditor (may only read), guarded (needs the passcode 123456);
                          keys SIMULATORACCESSKEY01..03 and simulator-secret-key-for-loopback-only-01..03,
                          passwords Simulator-Password-1!..3!
    agencies              maintenance-agency (also the machine's), audit-agency (may only read)

Signatures are checked by the official signer. After six wrong ones in a row an access key is locked. Task ids that
nobody has give 404 DCS.4404 (a code of no table) or 400 DCS.4070, job ids 404 DBS.200002 or 400 DBS.280016, DDS instances
that do not exist 400 DBS.280110.

A cancellation that ends in a way that no document has is a fault, for example

    {"operation": "CancelInstanceResize", "fault": {"status": 200, "body": {"result": "failed"}}}
    {"operation": "CancelInstanceResize", "fault": {"status": 404, "body": {"error_code": "DCS.9999", "error_msg": "?"}}}

which leaves the spec change alone, and with `"processed": true` beside `status` calls it off all the same.
"""

from .client import ControlFailed, SimulatorClient
from .server import Simulator

__all__ = ["ControlFailed", "Simulator", "SimulatorClient"]
