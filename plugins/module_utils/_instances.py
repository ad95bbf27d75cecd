# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding instances of DCS and DDS, and their maintenance window in one form."""

from __future__ import annotations

import re
import typing as t
from fnmatch import fnmatchcase

from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import ApiError, ConfigError, shown
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import Service

_WORD = re.compile(r"(?!\s)[^\x00-\x1f\x7f]{1,255}(?<!\s)\Z")
#: What is certain to arrive as it is in the API's C(k=v,k2=v2).
_PLAIN = re.compile(r"[\w.:@-]+\Z")
_TAGS_MOST = 20
_TIME = re.compile(r"\s*(\d{1,2})(?::(\d\d)(?::\d\d(?:\.\d+)?)?)?\s*\Z", re.ASCII)


#: The options of a filter.
FILTERS: dict[str, dict[str, t.Any]] = {
    "ids": {"type": "list", "elements": "str"},
    "names": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "statuses": {"type": "list", "elements": "str"},
    "engines": {"type": "list", "elements": "str"},
}


class InstanceFilter(t.NamedTuple):
    """What instances must have; None is no restriction, and what is empty fits nothing."""

    ids: list[str] | None = None
    #: Exact, or patterns with C(*), C(?) or C([).
    names: list[str] | None = None
    #: Without a value (None or empty), the key alone counts.
    tags: dict[str, str | None] | None = None
    statuses: list[str] | None = None
    engines: list[str] | None = None


def check_filter(service: type[Service], options: t.Mapping[str, t.Any], prefix: str = "") -> InstanceFilter:
    """The filter in options of these names, or ConfigError; C(prefix) is what messages put before a name."""
    ids = options.get("ids")
    for value in ids or ():
        if not service.instance_id.match(str(value)):
            raise ConfigError(
                f"{prefix}ids must be a list of ids of {service.list_instances.service.upper()} instances"
                f" (there is {prefix}names for names); got {shown(value)}."
            )
    for option in ("names", "statuses", "engines"):
        for value in options.get(option) or ():
            if not _WORD.match(str(value)):
                raise ConfigError(
                    f"{prefix}{option} must be a list of words, none of them empty or longer than 255 characters;"
                    f" got {shown(value)}."
                )
    return InstanceFilter(
        _texts(ids),
        _texts(options.get("names")),
        _check_tags(options.get("tags"), prefix),
        _texts(options.get("statuses")),
        _texts(options.get("engines")),
    )


def _texts(values: t.Iterable[t.Any] | None) -> list[str] | None:
    return None if values is None else list(dict.fromkeys(map(str, values)))


def _check_tags(tags: t.Mapping[t.Any, t.Any] | None, prefix: str) -> dict[str, str | None] | None:
    for key, value in (tags or {}).items():
        if not _WORD.match(str(key)) or set(str(key)) & set(",="):
            raise ConfigError(
                f"The keys of {prefix}tags must be tag keys, not empty and without commas and equals signs;"
                f" got {shown(key)}."
            )
        # True would be "true" or "True", and 1.10 has become 1.1.
        if isinstance(value, bool) or not isinstance(value, (str, int, type(None))):
            raise ConfigError(f"The values of {prefix}tags must be text, in quotes; {shown(key)} has {shown(value)}.")
    return None if tags is None else {str(key): None if value is None else str(value) for key, value in tags.items()}


def matcher(wanted: InstanceFilter, identifier: str) -> t.Callable[[Record], bool]:
    """What tells whether an instance fits a filter; C(identifier) is the name of its id."""
    if any(values is not None and not values for values in wanted):
        return lambda _record: False
    names, tags = wanted.names, wanted.tags
    ids = None if wanted.ids is None else {value.lower() for value in wanted.ids}
    statuses = None if wanted.statuses is None else {status.upper() for status in wanted.statuses}
    engines = None if wanted.engines is None else {engine.upper() for engine in wanted.engines}

    def fits(record: Record) -> bool:
        return (
            (ids is None or record[identifier].lower() in ids)
            and (names is None or any(_name_fits(record.get("name"), name) for name in names))
            and (tags is None or _has_tags(record.get("tags"), tags))
            and (statuses is None or str(record.get("status")).upper() in statuses)
            and (engines is None or any(engine.upper() in engines for engine in _engines(record)))
        )

    return fits


def find_instances(service: Service, wanted: InstanceFilter) -> list[Record]:
    """The instances that fit, by name and then id; each the API's object with C(maintenance_window) in our form."""
    ids, names, tags, statuses, _engines_wanted = wanted
    if any(values is not None and not values for values in wanted):
        return []
    identifier = service.instance_keys.identifier
    ids = None if ids is None else list(dict.fromkeys(value.lower() for value in ids))
    query: dict[str, str | int | None] = {}
    if ids is not None and len(ids) == 1:
        query = {identifier: ids[0]}
    elif names is not None and len(names) == 1 and not _is_pattern(names[0]):
        query = {"name": names[0], **service.exact_name}
    plain = [f"{key}={value}" for key, value in (tags or {}).items() if _PLAIN.match(key) and _PLAIN.match(value or "")]
    query["tags"] = ",".join(plain[:_TAGS_MOST]) or None
    if service.list_instances.service == "dcs":
        # DCS hides those that could not be created. Those that were deleted are none, unless they are asked for.
        query["include_failure"] = "true"
        query["include_delete"] = "true" if any("DELET" in status.upper() for status in statuses or ()) else None
    # All is looked at here again: nobody says what a service does with a key that it does not know (C20).
    fits = matcher(wanted, identifier)
    enough = None if ids is None else set(ids).issubset
    listing = service.listing(service.list_instances, {}, query, service.instance_keys)._replace(enough=enough)
    try:
        records = service.list_all(listing)
    except ApiError as error:
        # A service may refuse the id of an instance that does not exist, instead of listing none (C30).
        if identifier not in query or not error.no_instance:
            raise
        records = []
    found = [{**record, "maintenance_window": maintenance_window(record)} for record in records if fits(record)]
    return sorted(found, key=lambda record: (str(record.get("name") or ""), record[identifier]))


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _name_fits(name: t.Any, wanted: str) -> bool:
    return isinstance(name, str) and (fnmatchcase(name, wanted) if _is_pattern(wanted) else name == wanted)


def _has_tags(tags: t.Any, wanted: t.Mapping[str, str | None]) -> bool:
    # Keys and values may be numbers (contract 2.7).
    given = {
        str(tag.get("key")): "" if tag.get("value") is None else str(tag["value"])
        for tag in (tags if isinstance(tags, list) else ())
        if isinstance(tag, dict)
    }
    return all(key in given and value in (None, "", given[key]) for key, value in wanted.items())


def _engines(record: Record) -> list[str]:
    """What can be called the engine: of DDS, that of the storage, and the kind of database."""
    datastore = record.get("datastore")
    values = (record.get("engine"), datastore.get("type") if isinstance(datastore, dict) else None)
    return [value for value in values if isinstance(value, str) and value]


def maintenance_window(instance: Record) -> dict[str, str] | None:
    """When the window begins and ends, such as C(02:00) and C(06:00), in UTC; None when the API does not say."""
    given = instance.get("maintenance_window")
    if isinstance(given, dict):
        return given
    # DDS has both in one text; DCS has two fields.
    parts = (
        given.split("-") if isinstance(given, str) else [instance.get("maintain_begin"), instance.get("maintain_end")]
    )
    begin, end = map(_time_of_day, parts) if len(parts) == 2 else (None, None)
    return {"begin": begin, "end": end} if begin and end else None


def _time_of_day(value: t.Any) -> str | None:
    """C(HH:MM) of C(02:00:00), C(02:00), or a bare hour."""
    match = _TIME.match(str(value))
    hour, minute = (int(match[1]), int(match[2] or 0)) if match else (99, 99)
    return f"{hour:02}:{minute:02}" if minute < 60 and hour * 60 + minute <= 24 * 60 else None


def instance_summary(instances: t.Sequence[Record]) -> dict[str, t.Any]:
    """Count instances: in all, by status and by engine, in the API's words."""
    by_status: dict[str, int] = {}
    by_engine: dict[str, int] = {}
    for instance in instances:
        for counts, word in (
            (by_status, str(instance.get("status"))),
            (by_engine, next(iter(_engines(instance)), "None")),
        ):
            counts[word] = counts.get(word, 0) + 1
    return {
        "total": len(instances),
        "by_status": dict(sorted(by_status.items())),
        "by_engine": dict(sorted(by_engine.items())),
    }
