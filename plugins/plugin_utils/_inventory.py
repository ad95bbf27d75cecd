# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugins share: the instances of one or several projects become hosts.

Runs in Ansible itself, never on a managed host. What an inventory file says is trusted, what the API says is not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import traceback
import typing as t
from collections import Counter
from pathlib import Path

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.basic import missing_required_lib
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.hwcloud.maintenance.plugins.module_utils._credentials import (
    SECRETS,
    find_credentials,
    find_settings,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import is_identifier
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    AnswerError,
    ConfigError,
    MaintenanceError,
    MissingLibraryError,
    shown,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._instances import (
    FILTERS,
    InstanceFilter,
    check_filter,
    find_instances,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import COMMON_ARGUMENTS, Connection
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import Service

try:
    from ansible.template import trust_as_template
except ImportError:  # ansible-core before 2.19: all text is a template unless it is marked
    from ansible.utils.unsafe_proxy import wrap_var as as_plain_text

    def trust_as_template(value: str) -> str:
        """Leave it as it is."""
        return value

else:

    def as_plain_text(value: t.Any) -> t.Any:
        """Leave it as it is: no text is a template unless it is trusted."""
        return value


#: Part of the cache's key: to be raised when what is cached gets another form.
_FORMAT = 1

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **COMMON_ARGUMENTS,
    "filters": {"type": "dict", "options": FILTERS},
}

_CREDENTIALS = (*SECRETS, "access_key", "username", "user_id", "domain_name", "domain_id")
#: An entry of C(projects) with one of the first options takes none of them from the top of the file, and none of the second.
_TOGETHER: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    ((*_CREDENTIALS, "auth_method", "profile", "profile_file"), ()),
    # A project belongs to a region.
    (("region",), ("project_id", "project_name")),
    (("project_id", "project_name"), ()),
    (("agency_domain_name", "agency_domain_id"), ()),
    (("client_cert", "client_key"), ()),
)

#: What a host can be called without harm: it becomes part of paths and of patterns.
_HOST = re.compile(r"\w[\w.-]{0,254}\Z")
_RESERVED = ("all", "ungrouped", "localhost")


class _Project(t.NamedTuple):
    """One project to list; C(where) says in messages which one it is."""

    where: str
    connection: Connection
    service: Service
    wanted: InstanceFilter
    #: Whose instances these are, without a secret.
    identity: dict[str, t.Any]


class InstanceInventory(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # Ansible is not typed
    """An inventory of the instances of one service."""

    #: Set by each plugin.
    NAME: str
    service: type[Service]
    #: The name of the group of all hosts, and what begins their variables.
    group: str

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[str, t.Any] = {}
        self._secrets: set[str] = set()

    def verify_file(self, path: str) -> bool:
        """Whether the name of the file says that it is for this plugin."""
        if not path.endswith((f"{self.group}.yml", f"{self.group}.yaml")):
            self.display.vvv(f"{self.NAME} reads files whose names end in {self.group}.yml or {self.group}.yaml")
            return False
        return bool(super().verify_file(path))

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        """Keep the options of this collection, which are checked as in the modules, and leave the others to Ansible."""
        others = dict(direct or {})
        self._given = {
            name: self._evaluated(name, others.pop(name)) for name in list(others) if name in (*ARGUMENTS, "projects")
        }
        super().set_options(task_keys=task_keys, var_options=var_options, direct=others)
        for name in others:
            if name not in self._options:
                # Ansible would ignore it, and list more than somebody who has mistyped "filters" wanted.
                raise AnsibleParserError(
                    f"There is no option {shown(name)}; see ansible-doc --type inventory {self.NAME}."
                )

    def _evaluated(self, name: str, value: t.Any) -> t.Any:
        # Extra variables only: there is no inventory yet.
        self.templar.available_variables = self._vars
        try:
            return _as_builtin(self.templar.template(value))
        except AnsibleError as error:
            raise AnsibleParserError(f"The value of {name} cannot be evaluated: {error}") from None

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the hosts of one inventory file: all of them, or an error."""
        super().parse(inventory, loader, path, cache=cache)
        before = set(inventory.hosts)
        self._secrets.clear()
        try:
            try:
                self._read_config_data(path)
                self._populate(self._listings(path, cache))
            except AnsibleError:
                raise
            except MissingLibraryError as error:
                raise AnsibleParserError(missing_required_lib(error.library)) from None
            except MaintenanceError as error:
                raise AnsibleParserError(self._redacted(_sentence(error))) from None
            except Exception as error:  # noqa: BLE001
                self.display.vvv(self._redacted(traceback.format_exc()))
                raise AnsibleParserError(
                    self._redacted(
                        f"An unexpected error of this plugin, please report it: {type(error).__name__}: {error}"
                    )
                ) from None
        except AnsibleError:
            # Ansible goes on with what is there, which must not be a part of the hosts.
            for name in set(inventory.hosts) - before:
                inventory.remove_host(inventory.hosts[name])
            raise

    def _redacted(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "********")
        return text

    # --- Options ---

    def _projects(self, folder: Path) -> list[_Project]:
        top = dict(self._given)
        entries = top.pop("projects", None)
        if entries is None:
            return [self._project("", top, folder)]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ConfigError("projects must be a list of dictionaries, each with options of one project.")
        projects = []
        for number, entry in enumerate(entries, 1):
            where = f"Project {number} of the file"
            for name in entry:
                if name not in ARGUMENTS:
                    raise ConfigError(f"{where}: a project cannot have the option {shown(name)}.")
            with _named(where):
                projects.append(self._project(where, _merged(top, entry), folder))
        return projects

    def _project(self, where: str, given: dict[str, t.Any], folder: Path) -> _Project:
        for name, value in given.items():
            kind = ARGUMENTS[name]["type"]
            if kind == "dict" and not isinstance(value, (dict, type(None))):
                raise ConfigError(f"{name} must be a dictionary.")
            if kind != "dict" and isinstance(value, (dict, list)):
                raise ConfigError(f"{name} must be one value, not a list or a dictionary.")
        checked = ArgumentSpecValidator(ARGUMENTS).validate(_with_full_paths(given, folder))
        if checked.error_messages:
            raise ConfigError(f"{checked.error_messages[0].rstrip('.')}.")
        options: dict[str, t.Any] = checked.validated_parameters
        filters = options.pop("filters", None) or {}
        wanted = check_filter(self.service, filters, "filters.")
        connection = Connection(options, self._keep_secret, self.display.warning)
        if where and connection.endpoints.region:
            where += f" (region {connection.endpoints.region})"
        service = self.service(connection.client, connection.endpoints, connection.account, connection.warn)
        return _Project(where, connection, service, wanted, self._identity(options, connection))

    def _keep_secret(self, value: str) -> None:
        if value:
            self._secrets.update((value, json.dumps(value)[1:-1], repr(value)[1:-1]))

    def _identity(self, options: dict[str, t.Any], connection: Connection) -> dict[str, t.Any]:
        """What tells a listing from that of another account or project, and holds no secret."""
        credentials = find_credentials(options, os.environ)
        settings = find_settings(options, os.environ, credentials.settings)
        identity: dict[str, t.Any] = {
            "url": connection.endpoints.url(self.group),
            "method": credentials.method,
            **{name: value for name, value in credentials.values.items() if name not in SECRETS},
            **{name: settings[name] for name in ("region", "project_id", "project_name")},
            **{name: value for name, value in settings.items() if name.startswith("agency_")},
        }
        if settings["project_id"] is None:
            if credentials.method == "token":
                # Nothing else tells whose it is; too long to be guessed from its digest.
                identity["token"] = _digest(credentials.values["auth_token"])
            elif credentials.method == "machine":
                identity["machine"] = platform.node()
        return identity

    # --- Listings ---

    def _listings(self, path: str, cache: bool) -> list[dict[str, t.Any]]:
        """The instances of each project, from the cache or from the service."""
        # Everything is checked before the first request, and before the cache is looked at.
        projects = self._projects(Path(path).absolute().parent)
        enabled = bool(self.get_option("cache"))
        key = ""
        if enabled:
            what = [_FORMAT, [[project.identity, project.wanted] for project in projects]]
            key = f"{self.get_cache_key(path)}_{_digest(json.dumps(what, sort_keys=True))}"
            if cache:
                try:
                    cached = self._cache[key]
                except (KeyError, AnsibleError):  # nothing is there, or nothing that can be read
                    cached = None
                if isinstance(cached, list):
                    return cached
        listings = [self._list(project) for project in projects]
        if enabled:
            self._cache[key] = listings
        return listings

    def _list(self, project: _Project) -> dict[str, t.Any]:
        with _named(project.where):
            try:
                instances = find_instances(project.service, project.wanted)
                # Of each instance, so nothing is asked where there is none.
                project_id = project.connection.account.project_id if instances else None
            except MaintenanceError as error:
                error.message = project.connection.client.redact(error.message)
                raise
        return {"region": project.connection.endpoints.region, "project_id": project_id, "instances": instances}

    # --- Hosts ---

    def _populate(self, listings: list[dict[str, t.Any]]) -> None:
        self.inventory.add_group(self.group)
        identifier = self.service.instance_keys.identifier
        found: dict[str, Record] = {}
        for listing in listings:
            for instance in listing["instances"]:
                if not is_identifier(instance[identifier]):
                    raise AnswerError(f"An instance has an id that is none: {shown(instance[identifier])}.")
                found.setdefault(instance[identifier], self._variables(instance, identifier, listing))
        names = host_names(
            {number: variables[f"{self.group}_name"] for number, variables in found.items()},
            {*_RESERVED, self.group, *map(self._sanitize_group_name, self.get_option("groups") or ())},
        )
        for host, number in sorted((host, number) for number, host in names.items()):
            self._add(host, found[number])

    def _variables(self, instance: Record, identifier: str, listing: dict[str, t.Any]) -> Record:
        tags = instance.get("tags")
        more = {
            "instance_id": instance[identifier],
            "name": instance.get("name"),
            "region": listing["region"] or instance.get("region"),
            "project_id": listing["project_id"],
            "tag": {
                str(tag.get("key")): "" if tag.get("value") is None else str(tag["value"])
                for tag in (tags if isinstance(tags, list) else ())
                if isinstance(tag, dict)
            },
        }
        return {f"{self.group}_{name}": value for name, value in {**instance, **more}.items()}

    def _add(self, host: str, found: Record) -> None:
        self.inventory.add_host(host, group=self.group)
        variables = {
            # All modules of the collection run where Ansible does, with its Python, which need not be that of today.
            "ansible_connection": trust_as_template("local"),
            "ansible_python_interpreter": trust_as_template("{{ ansible_playbook_python }}"),
            **{name: as_plain_text(value) for name, value in found.items()},
        }
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)


# --- Functions that decide ---


def host_names(names: t.Mapping[str, t.Any], reserved: t.Collection[str]) -> dict[str, str]:
    """What each instance is called as a host: its name, name and id, or id; C(names) has the name of each id."""
    usable = {
        number: name
        for number, name in names.items()
        if isinstance(name, str) and _HOST.match(name) and name not in reserved
    }
    counts = Counter(usable.values())
    found = {number: name if counts[name] == 1 else f"{name}_{number}" for number, name in usable.items()}
    # Somebody may have given an instance the name that another one gets here.
    taken = Counter([*found.values(), *names])
    return {number: host if (host := found.get(number, "")) and taken[host] == 1 else number for number in names}


def _merged(top: t.Mapping[str, t.Any], entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The options of one project."""
    own = {name: value for name, value in entry.items() if value is not None}
    dropped: set[str] = set()
    for first, second in _TOGETHER:
        if not own.keys().isdisjoint(first):
            dropped.update(first, second)
    return {**{name: value for name, value in top.items() if name not in dropped}, **own}


def _with_full_paths(given: t.Mapping[str, t.Any], folder: Path) -> dict[str, t.Any]:
    """The options that are set; paths begin at the folder of the file, as nobody knows where Ansible is started."""
    found = {name: value for name, value in given.items() if value is not None}
    for name, value in found.items():
        if ARGUMENTS[name]["type"] == "path" and value:
            found[name] = str(folder / Path(os.path.expandvars(str(value))).expanduser())
    return found


def _as_builtin(value: t.Any) -> t.Any:
    """The value without what Ansible knows of it, such as trust; decrypted."""
    if isinstance(value, t.Mapping):
        return {_as_builtin(key): _as_builtin(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_builtin(inner) for inner in value]
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    return None if value is None else "".join((str(value), ""))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _sentence(error: MaintenanceError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message


@contextlib.contextmanager
def _named(where: str) -> t.Iterator[None]:
    """Say in errors which project they are about."""
    try:
        yield
    except MaintenanceError as error:
        if where:
            error.message = f"{where}: {error.message}"
        raise
