# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A failed task has C(failure), whoever refused it; where only Ansible can have failed it, README's rescue says so."""

from __future__ import annotations

import pytest

KEYS = {"code", "http_status", "request_id", "service", "operation", "retryable", "hint"}

#: What Ansible's own check of the options refuses: a module, its options, and what the message names.
REFUSED_BY_ANSIBLE = [
    ("dcs_task", {"instance": "a", "phases": "done", "state": "absent"}, "phases"),
    ("dcs_task", {"instance": "a", "task_ids": ["1"]}, "state"),
    ("dcs_task", {"instance": "a", "task_ids": ["1"], "phases": ["failed"], "state": "absent"}, "mutually exclusive"),
    ("dcs_task", {"state": "gone"}, "state"),
    ("dcs_task_info", {"instances": "all", "max_results": "many"}, "max_results"),
    ("dcs_task_info", {"instnaces": "all"}, "instnaces"),
    ("dcs_resize_cancel", {}, "instance"),
    ("dcs_resize_cancel", {"instance": "a", "wait": "perhaps"}, "wait"),
    ("dcs_instance_info", {"tags": "environment"}, "tags"),
    ("dds_instance_info", {"names": {"a": 1}}, "names"),
    ("dds_scheduled_job", {"on_too_late": "cry"}, "on_too_late"),
    ("dds_scheduled_job_info", {"endpoints": {"ecs": "x"}}, "ecs"),
    ("dds_scheduled_job_info", {"auth_method": "magic"}, "auth_method"),
]


@pytest.mark.parametrize(("name", "options", "named"), REFUSED_BY_ANSIBLE)
def test_what_ansible_refuses_has_a_failure_too(module, sim, name, options, named):
    result = module(name, **options)
    assert result["failed"] is True
    assert result["changed"] is False
    assert named in result["msg"]
    assert result["failure"].keys() == KEYS
    assert result["failure"]["code"] == "InvalidOption"
    assert result["failure"]["retryable"] is False
    assert sim.journal() == []


RESCUE = "{{ (ansible_failed_result.failure | default({})).code | default('Ansible') }}"
REFUSED = {"hwcloud.maintenance.dcs_task": {"instance": "a", "phases": "done", "state": "absent"}}
UNKNOWN = {"hwcloud.maintenance.dcs_resize_cancel": {"instance": "nothing"}}
CASES = {
    "Ansible's check of the options": (REFUSED, "InvalidOption"),
    "the collection": (UNKNOWN, "NotFound"),
    "a variable that is not defined": (
        {"hwcloud.maintenance.dcs_resize_cancel": {"instance": "{{ nowhere }}"}},
        "Ansible",
    ),
    "a condition of the playbook": (
        {"hwcloud.maintenance.dcs_instance_info": {}, "failed_when": True},
        "Ansible",
    ),
    "a loop": ({**UNKNOWN, "loop": [1, 2]}, "Ansible"),
    "a loop over refused options": ({**REFUSED, "loop": [1]}, "Ansible"),
}


def test_the_rescue_of_readme_works_whoever_failed_the_task(play):
    tasks = [
        {
            "name": f"block of {name}",
            "block": [{"name": name, **task}],
            "rescue": [{"name": f"Rescue from {name}", "ansible.builtin.debug": {"msg": RESCUE}}],
        }
        for name, (task, _code) in CASES.items()
    ]
    run = play(tasks)
    assert run.returncode == 0, run.output
    said = {entry["task"]: entry["result"]["msg"] for entry in run.results if entry["task"].startswith("Rescue")}
    assert said == {f"Rescue from {name}": code for name, (_task, code) in CASES.items()}


def test_each_item_of_a_loop_has_its_own_failure(play):
    task = {"name": "Loop", **UNKNOWN, "loop": [1, 2]}
    codes = (
        "{{ ansible_failed_result.results | selectattr('failure', 'defined') | map(attribute='failure.code') | list }}"
    )
    run = play([{"block": [task], "rescue": [{"name": "Codes", "ansible.builtin.debug": {"msg": codes}}]}])
    assert run.returncode == 0, run.output
    assert run.result("Codes")["msg"] == ["NotFound", "NotFound"]
