# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run says of what it listed."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from typing import Any

from tests.proof.walk.cases import MONGO, MONGO_NAMES, OF_SECOND_PROJECT, REDIS, REDIS_NAMES
from tests.proof.walk.lab import GONE, LISTS, Request, Run

from . import OF_RUNS, promise
from .changes import ENDED, instance_is_gone, is_meant


class Listing:
    """One listing, of one or several pages: the ids that it showed."""

    def __init__(self, first: Request) -> None:
        self.path = first.path
        self.pages = [first]

    @property
    def shown(self) -> dict[str, Any]:
        """All that was shown, with the status words."""
        return {key: word for page in self.pages for key, word in (page.shown or {}).items()}

    @property
    def may_have_arrived(self) -> bool:
        """Whether each page has arrived, as it was or changed on its way."""
        return all(
            page.shown is not None and (not page.answer_lost or "edit" in str(page.fault)) for page in self.pages
        )

    def is_certain(self, run: Run) -> bool:
        """Whether each page has arrived as it was, and all of them show the same moment."""
        first, last = self.pages[0].number, self.pages[-1].number
        between = any(first < before <= last for before in run.acts_before)
        mixed = len({page.stale for page in self.pages}) > 1
        return not (between or mixed) and all(page.shown is not None and not page.answer_lost for page in self.pages)


def listings(run: Run) -> list[Listing]:
    """The listings of tasks and jobs, where one request comes after the other."""
    found: list[Listing] = []
    for request in run.requests:
        if request.operation in LISTS:
            if request.query.get("offset") == ["0"] or not found:
                found.append(Listing(request))
                continue
            if found[-1].pages[-1].query == request.query:
                # The same page again, as its answer was lost.
                found[-1].pages.pop()
            found[-1].pages.append(request)
    return found


@promise(OF_RUNS, "A task or job that was listed is gone when two listings lack it.")
def a_disappearance_is_seen_twice(run: Run) -> Iterator[str]:
    if run.check_mode or run.options.get("max_concurrency") != 1 or run.case["world"].get("page_size", 1000) < 1000:
        return
    read = [listing for listing in listings(run) if listing.may_have_arrived]
    for identifier in [*run.result.get("absent", ()), *run.result.get("missing", ())]:
        seen = [
            number for number, listing in enumerate(read) if identifier in listing.shown and listing.is_certain(run)
        ]
        if not seen:
            continue
        path = read[seen[-1]].path
        later = [listing for listing in read[seen[-1] + 1 :] if listing.path == path]
        if len(later) < 2:
            yield f"{identifier} was listed, and counts as gone after {len(later)} listings without it"


@promise(
    OF_RUNS,
    "An id that is never listed has not ended: waiting for it is a failure (`NotFound`), unless `missing_ok` is true.",
)
def what_is_waited_for_has_ended(run: Run) -> Iterator[str]:
    if run.module != "dcs_task" or run.options["state"] != "finished" or run.failed or run.check_mode:
        return
    if run.result["unfinished"]:
        yield f"success with unfinished {run.result['unfinished']}"
    if run.stale:
        return
    chosen = [*run.options.get("task_ids", ()), *(task["id"] for task in run.result["tasks"])]
    for identifier in {*chosen, *run.result["absent"]}:
        known = identifier in run.history and is_meant(run, identifier)
        if known and not run.states(identifier) & {*ENDED, GONE} and not instance_is_gone(run):
            yield f"success, but {identifier} was {run.states(identifier)}"
        if not known and not run.options.get("missing_ok"):
            yield f"success, but {identifier} is not known"
    yield from _missed(run)


def _missed(run: Run) -> Iterator[str]:
    """What fitted the selection all the time, and still runs."""
    options = run.options
    if "phases" not in options or {"older_than", "keep_last", "names"} & options.keys() or instance_is_gone(run):
        return
    if run.case["world"].get("switches", {}).get("unknown_status_word"):
        return
    instances = {resolved(each) for each in options["instances"]} if options["instances"] != ["all"] else {*REDIS}
    named = {task["id"] for task in run.result["tasks"]} | {*run.result["absent"]}
    for identifier, states in run.history.items():
        fits = run.owners.get(identifier) in instances and run.before.get(identifier) in options["phases"]
        if fits and states == ["running"] and identifier not in named and "running" in options["phases"]:
            odd = any(t["id"] == identifier and t["status"] != "EXECUTING" for t in run.case["world"]["tasks"])
            if not odd:
                yield f"success, but {identifier} runs and was not seen"


def resolved(instance: str) -> str:
    """The id of an instance that is given by its id or by its name."""
    return dict(zip((*REDIS_NAMES, *MONGO_NAMES), (*REDIS, *MONGO))).get(instance, instance)


@promise(
    OF_RUNS,
    "Each entry is the object of the API, with every field that it sent, and these fields added:",
)
def a_listing_is_complete(run: Run) -> Iterator[str]:
    if run.module not in ("dcs_task_info", "dds_scheduled_job_info") or run.failed:
        return
    tasks = run.module == "dcs_task_info"
    records, key, word = ("tasks", "id", "status") if tasks else ("jobs", "job_id", "job_status")
    got = [record[key] for record in run.result[records]]
    if len(got) != len(set(got)):
        yield f"{records} has something twice: {got}"
    said = {key: value for request in run.requests for key, value in (request.shown or {}).items()}
    wrong = [each[key] for each in run.result[records] if said.get(each[key]) != each.get(word)]
    if wrong and not run.acts and not any(isinstance(fault, dict) and "edit" in fault for fault in run.faults):
        yield f"{wrong} has another status than the service said"
    if run.stale or run.result.get("warnings") or run.result.get("truncated") or instance_is_gone(run):
        return
    for identifier in _expected(run, tasks=tasks):
        if identifier not in got and GONE not in run.states(identifier):
            yield f"{records} lacks {identifier}, which was there all the time"


_FILTERS = {"phases", "names", "older_than", "keep_last", "start_time", "lookback"}


def _expected(run: Run, *, tasks: bool) -> list[str]:
    """Everything that a listing without a filter must have; nothing where one has a filter."""
    if _FILTERS & run.options.keys() or run.options.get("instances") == []:
        return []
    instances = run.options.get("instances", ["all"])
    wanted = {*REDIS, *MONGO} if instances == ["all"] else {*map(resolved, instances)}
    ids = {record["id"] for record in run.case["world"]["tasks"]} if tasks else set()
    ids = ids or {record["job_id"] for record in run.case["world"]["jobs"]} if not tasks else ids
    return [identifier for identifier in run.before if identifier in ids and run.owners[identifier] in wanted]


@promise(OF_RUNS, "`max_results` stops a listing early; `truncated` then says that there is more.")
def truncated_says_that_there_is_more(run: Run) -> Iterator[str]:
    most = run.options.get("max_results")
    if most is None or run.failed:
        return
    if len(run.result["tasks"]) > most:
        yield f"{len(run.result['tasks'])} tasks, max_results is {most}"
    if run.quiet and not _FILTERS & run.options.keys() and run.options.get("instances") != []:
        there = len(_expected(run, tasks=True)) if "instances" in run.options else len(run.case["world"]["tasks"])
        untouched = not run.earlier_acts and not any("state" in step["options"] for step in run.case["steps"])
        if untouched and run.result["truncated"] is not (there > most):
            yield f"truncated is {run.result['truncated']}, there are {there}, max_results is {most}"


@promise(
    OF_RUNS, "when none does, or a filter is empty, the list is empty, and a task that is given this list finds nothing"
)
def an_empty_filter_finds_nothing(run: Run) -> Iterator[str]:
    empty = [key for key, value in run.options.items() if value == []]
    if not empty or run.failed:
        return
    found = [key for key in ("tasks", "jobs", "instances", "removed", "cancelled") if run.result.get(key)]
    if found or run.result["changed"]:
        yield f"{empty} is empty, but {found} is not"


@promise(OF_RUNS, "An instance must fit all that are given;")
def the_instances_that_fit_are_found(run: Run) -> Iterator[str]:
    if not run.module.endswith("_instance_info") or run.failed or run.did("remove instance", "rename"):
        return
    ids, names = (REDIS, REDIS_NAMES) if run.module.startswith("dcs") else (MONGO, MONGO_NAMES)
    patterns, wanted = run.options.get("names"), run.options.get("ids")
    right = {
        identifier
        for identifier, name in zip(ids, names)
        if (patterns is None or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns))
        and (wanted is None or identifier in wanted)
    }
    found = {instance.get("instance_id", instance.get("id")) for instance in run.result["instances"]}
    if found != right:
        yield f"found {found} instead of {right}"


@promise(
    OF_RUNS,
    "When one project cannot be listed, the whole file fails: there is never an inventory that silently lacks instances.",
)
def an_inventory_lacks_nothing(run: Run) -> Iterator[str]:
    if not run.module.startswith("inventory") or run.failed or run.did("remove instance", "rename"):
        return
    service = run.module.split()[1]
    names = REDIS_NAMES if service == "dcs" else MONGO_NAMES
    if "projects" in run.options:
        names = [*names, OF_SECOND_PROJECT[service]]
    if run.result["hosts"] != sorted(names):
        yield f"the hosts are {run.result['hosts']} instead of {names}"
