# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugins share: options, listings and their cache, and what is read from the instances.

Runs in Ansible itself, never on a managed host. What an inventory file says is trusted; what the API, the cache and other
sources of the inventory say is not.
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
    SHORTEST_HIDDEN,
    find_credentials,
    find_settings,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._endpoints import is_identifier
from ansible_collections.hwcloud.maintenance.plugins.module_utils._errors import (
    SENTENCE_MOST,
    AnswerError,
    ConfigError,
    MaintenanceError,
    MissingLibraryError,
    RefusedError,
    describe_defect,
    one_line,
    shown,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._foreign import (
    make_harmless,
    read_json,
    without_secrets,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._instances import (
    FILTERS,
    InstanceFilter,
    check_filter,
    find_instances,
    matcher,
)
from ansible_collections.hwcloud.maintenance.plugins.module_utils._module import COMMON_ARGUMENTS, Connection
from ansible_collections.hwcloud.maintenance.plugins.module_utils._records import Record, enumerated
from ansible_collections.hwcloud.maintenance.plugins.module_utils._service import Service
from ansible_collections.hwcloud.maintenance.plugins.plugin_utils._hosts import (
    RESERVED_GROUPS,
    Draft,
    Plan,
    PlannedHost,
    apply,
    check,
    host_names,
    made_in,
)

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


#: Part of the cache's key and of what is cached: to be raised when that gets another form.
_FORMAT = 2

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    **COMMON_ARGUMENTS,
    "filters": {"type": "dict", "options": FILTERS},
    "exclude_filters": {"type": "list", "elements": "dict", "options": FILTERS},
}
#: Options that are neither templates nor known to the modules.
_OWN = ("group", "hostnames")

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

_GROUP = re.compile(r"[^\W\d]\w*\Z")
#: Characters that no variable can have in its name.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")
#: How often instances are given other names as hosts, because groups are called like them.
_ATTEMPTS = 5


class _Project(t.NamedTuple):
    """One project to list; C(where) says in messages which one it is."""

    where: str
    connection: Connection
    service: Service
    wanted: InstanceFilter
    #: Instances that fit one of these are left out.
    excluded: list[InstanceFilter]
    #: Whose instances these are, without a secret.
    identity: dict[str, t.Any]


class _Instance(t.NamedTuple):
    """One instance; C(name) is what it is to be called as a host."""

    instance_id: str
    name: t.Any
    variables: dict[str, t.Any]

    def __str__(self) -> str:
        return f"{shown(self.name)} ({self.instance_id})"


class InstanceInventory(BaseInventoryPlugin, Constructable, Cacheable):  # type: ignore[misc]  # Ansible is not typed
    """An inventory of the instances of one service."""

    #: Set by each plugin.
    NAME: str
    service: type[Service]
    #: C(dcs) or C(dds): what begins the variables of hosts, and the name of their group, unless the file has another one.
    service_name: str
    inventory: t.Any

    def __init__(self) -> None:
        super().__init__()
        self._given: dict[str, t.Any] = {}
        self._own: dict[str, t.Any] = {}
        self._secrets: set[str] = set()

    def verify_file(self, path: str) -> bool:
        """Whether the name of the file says that it is for this plugin."""
        name = self.service_name
        if not path.endswith((f"{name}.yml", f"{name}.yaml")):
            self.display.vvv(f"{self.NAME} reads files whose names end in {name}.yml or {name}.yaml")
            return False
        return bool(super().verify_file(path))

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        """Keep the options of this collection, which are checked as in the modules, and leave the others to Ansible."""
        others = dict(direct or {})
        self._given = {
            name: self._evaluated(name, others.pop(name)) for name in list(others) if name in (*ARGUMENTS, "projects")
        }
        self._own = {name: others.pop(name) for name in _OWN if name in others}
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
        self._secrets.clear()
        try:
            self._read_config_data(path)
            self._populate(self._listings(path, cache))
        except AnsibleError:
            raise
        except MissingLibraryError as error:
            raise AnsibleParserError(missing_required_lib(error.library)) from None
        except MaintenanceError as error:
            # Before it is cut: half a secret would not be recognised any more.
            raise AnsibleParserError(one_line(self._redacted(_sentence(error)), SENTENCE_MOST)) from None
        except Exception as error:  # noqa: BLE001
            self.display.vvv(self._redacted(traceback.format_exc()))
            raise AnsibleParserError(
                one_line(
                    self._redacted(f"An unexpected error of this plugin, please report it: {describe_defect(error)}"),
                    SENTENCE_MOST,
                )
            ) from None

    def _redacted(self, text: str) -> str:
        found: str = without_secrets(text, self._secrets)
        return found

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
            _check_kind(name, value)
        checked = ArgumentSpecValidator(ARGUMENTS).validate(_with_full_paths(given, folder))
        if checked.error_messages:
            raise ConfigError(f"{checked.error_messages[0].rstrip('.')}.")
        options: dict[str, t.Any] = checked.validated_parameters
        filters = options.pop("filters", None) or {}
        wanted = check_filter(self.service, filters, "filters.")
        excluded = [
            check_filter(self.service, entry, "exclude_filters.")
            for entry in options.pop("exclude_filters", None) or ()
        ]
        connection = Connection(options, self._keep_secret, self.display.warning)
        if where and connection.endpoints.region:
            where += f" (region {connection.endpoints.region})"
        # A host that is not listed is not there for any play: absence decides.
        service = self.service(
            connection.client, connection.endpoints, connection.account, connection.warn, complete=True
        )
        return _Project(where, connection, service, wanted, excluded, self._identity(options, connection))

    def _keep_secret(self, value: str) -> None:
        if value:
            self._secrets.update((value, json.dumps(value)[1:-1], repr(value)[1:-1]))

    def _identity(self, options: dict[str, t.Any], connection: Connection) -> dict[str, t.Any]:
        """What tells a listing from that of another account or project, and holds no secret."""
        credentials = find_credentials(options, os.environ)
        settings = find_settings(options, os.environ, credentials.settings)
        identity: dict[str, t.Any] = {
            "url": connection.endpoints.url(self.service_name),
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
        self._group_of_all()
        self._named_groups()
        self._hostnames()
        projects = self._projects(Path(path).absolute().parent)
        if not self.get_option("cache"):
            return [self._list(project) for project in projects]
        what = [_FORMAT, [[project.identity, project.wanted, project.excluded] for project in projects]]
        key = f"{self.get_cache_key(path)}_{_digest(json.dumps(what, sort_keys=True))}"
        listings = self._cached(key, projects) if cache else None
        if listings is None:
            listings = [self._list(project) for project in projects]
            # One text, which no cache plugin and no core reads for what it may mean to Ansible. The instances are a text
            # in it, so that they are nested less than in the answer, and nothing of them is cut again.
            texts = [{**listing, "instances": json.dumps(listing["instances"])} for listing in listings]
            self._cache[key] = json.dumps({"format": _FORMAT, "listings": texts})
        return listings

    def _cached(self, key: str, projects: t.Sequence[_Project]) -> list[dict[str, t.Any]] | None:
        """What is in the cache, if it is what this plugin would have put there."""
        try:
            document = read_json(_as_builtin(self._cache[key]).encode("utf-8", "surrogatepass"))
        except KeyError:
            return None
        except Exception as error:  # noqa: BLE001  # whatever a cache plugin, a decoder or a damaged file leads to
            self.display.vvv(f"{self.NAME} cannot read its cache: {type(error).__name__}")
            return None
        found = document.get("listings") if isinstance(document, dict) and document.get("format") == _FORMAT else None
        if not isinstance(found, list) or len(found) != len(projects):
            return None
        found = [_with_instances(listing) for listing in found]
        if not all(self._is_listing_of(project, listing) for project, listing in zip(projects, found)):
            return None
        return [{**listing, "instances": self._cleaned(listing["instances"])} for listing in found]

    def _is_listing_of(self, project: _Project, listing: t.Any) -> bool:
        if not isinstance(listing, dict) or listing.keys() != {"region", "project_id", "instances"}:
            return False
        instances, project_id = listing["instances"], listing["project_id"]
        expected = project.identity["project_id"]
        return (
            listing["region"] == project.connection.endpoints.region
            and isinstance(instances, list)
            and (is_identifier(project_id) if instances else project_id is None)
            and (not instances or expected in (None, project_id))
            and all(self._is_instance(instance) for instance in instances)
        )

    def _is_instance(self, instance: t.Any) -> bool:
        return isinstance(instance, dict) and is_identifier(instance.get(self.service.instance_keys.identifier))

    def _list(self, project: _Project) -> dict[str, t.Any]:
        with _named(project.where):
            try:
                instances = find_instances(project.service, project.wanted)
                unwanted = [matcher(entry, self.service.instance_keys.identifier) for entry in project.excluded]
                instances = [instance for instance in instances if not any(fits(instance) for fits in unwanted)]
                # Of each instance, so nothing is asked where there is none.
                project_id = project.connection.account.project_id if instances else None
            except MaintenanceError as error:
                error.message = project.connection.client.redact(error.message)
                raise
            instances = self._cleaned(instances)
            for instance in instances:
                if not self._is_instance(instance):
                    raise AnswerError(
                        f"{self.service.list_instances.name} was answered with an instance whose id is none:"
                        f" {shown(instance.get(self.service.instance_keys.identifier))}."
                    )
        return {"region": project.connection.endpoints.region, "project_id": project_id, "instances": instances}

    def _cleaned(self, instances: list[Record]) -> list[Record]:
        """The instances without secrets, and without what Ansible would take for more than data."""
        instances = make_harmless(instances)
        secrets = [secret for secret in self._secrets if len(secret) >= SHORTEST_HIDDEN]
        text = json.dumps(instances)
        readable = json.dumps(instances, ensure_ascii=False)
        if any(secret in text or secret in readable for secret in secrets):
            instances = without_secrets(instances, secrets)
        return instances

    # --- Hosts ---

    def _group_of_all(self) -> tuple[str, bool]:
        """The name of the group of all hosts (empty for none), and whether the file has it."""
        group = self._own.get("group")
        if group is None:
            return self.service_name, False
        if not isinstance(group, str) or (group and not (_GROUP.match(group) and group not in RESERVED_GROUPS)):
            raise ConfigError(
                "group must be the name of a group, of letters, digits and underscores, not beginning with a digit and"
                f" not {enumerated(sorted(RESERVED_GROUPS))}, or '' for none; got {shown(group)}."
            )
        return _as_builtin(group), True

    def _named_groups(self) -> frozenset[str]:
        """The groups whose names stand in the file, and are no templates."""
        groups = self.get_option("groups") or {}
        named = list(groups) if isinstance(groups, dict) else []
        for entry in self.get_option("keyed_groups") or ():
            parent = entry.get("parent_group") if isinstance(entry, dict) else None
            if isinstance(parent, str) and parent and "{" not in parent and not parent.startswith("#jinja2:"):
                named.append(parent)
        for name in named:
            if not isinstance(name, str) or self._sanitize_group_name(name) in RESERVED_GROUPS:
                raise ConfigError(
                    f"A group of groups or parent_group cannot be called {enumerated(sorted(RESERVED_GROUPS))}, and its"
                    f" name must be text; got {shown(name)}."
                )
        found = {_as_builtin(self._sanitize_group_name(name)) for name in named}
        group, given = self._group_of_all()
        return frozenset(found | {group} if given and group else found)

    def _hostnames(self) -> list[str] | None:
        """The expressions that name hosts, or None where it is the name of the instance."""
        given = self._own.get("hostnames")
        if given is None:
            return None
        if not isinstance(given, list) or not given or not all(isinstance(one, str) and one.strip() for one in given):
            raise ConfigError(
                f"hostnames must be a list of Jinja expressions, such as {self.service_name}_name, not empty."
            )
        return given

    def _populate(self, listings: list[dict[str, t.Any]]) -> None:
        """Add the instances to the inventory: everything is evaluated and checked before the first change."""
        identifier = self.service.instance_keys.identifier
        found: dict[str, _Instance] = {}
        for listing in listings:
            for instance in listing["instances"]:
                # An id is the same in any case.
                if instance[identifier].lower() not in found:
                    found[instance[identifier].lower()] = self._instance(instance, identifier, listing)
        plan = self._plan(list(found.values()))
        check(self.inventory, plan)
        others = []
        for planned in plan.hosts:
            name = found[planned.instance_id.lower()].name
            is_new = planned.variables is not None
            if is_new and planned.name == f"{name}_{planned.instance_id}" and name in self.inventory.hosts:
                others.append(f"{planned.instance_id} is called {planned.name}")
        apply(self.inventory, plan)
        if others:
            self.display.warning(
                f"{self.NAME}: other sources of the inventory have hosts with the names of these instances, so that they"
                f" have their ids in their names: {enumerated(others)}."
            )

    def _instance(self, instance: Record, identifier: str, listing: dict[str, t.Any]) -> _Instance:
        variables: dict[str, t.Any] = {
            # All modules of the collection run where Ansible does, with its Python, which need not be that of today.
            "ansible_connection": trust_as_template("local"),
            "ansible_python_interpreter": trust_as_template("{{ ansible_playbook_python }}"),
        }
        read = host_variables(self.service_name, identifier, instance, listing["region"], listing["project_id"])
        variables.update((name, as_plain_text(value)) for name, value in read.items())
        number: str = instance[identifier]
        return _Instance(number, self._name_of(number, read[f"{self.service_name}_name"], variables), variables)

    def _name_of(self, number: str, name: t.Any, variables: dict[str, t.Any]) -> t.Any:
        """What an instance is to be called: the first expression that gives text, or its name."""
        expressions = self._hostnames()
        if expressions is None:
            return name
        for expression in expressions:
            with self._evaluating(f"The expression of hostnames cannot be evaluated for the instance {number}: "):
                try:
                    value = self._compose(expression, variables)
                except Exception:
                    if self.get_option("strict"):
                        raise
                    continue
            if isinstance(value, str) and value:
                return _as_builtin(value)
        return None

    @contextlib.contextmanager
    def _evaluating(self, what: str = "") -> t.Iterator[None]:
        """Fail with one sentence when an expression of the file cannot be evaluated; it may quote what the API said."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # filters and tests raise what they like
            raise AnsibleParserError(one_line(self._redacted(f"{what}{error}"), 1000)) from None

    def _plan(self, instances: t.Sequence[_Instance]) -> Plan:
        """What the file changes in the inventory."""
        made, group_of_all, named = made_in(self.inventory), self._group_of_all()[0], self._named_groups()
        known: dict[str, str] = {}
        for instance in instances:
            host = made.host_of(self.inventory, self.service_name, instance.instance_id)
            if host is not None:
                known[instance.instance_id] = host
        new = {one.instance_id: one.name for one in instances if one.instance_id not in known}
        reserved = {*named, group_of_all, *self.inventory.groups}
        attempts = 0
        while True:
            names = {**known, **host_names(new, reserved, self.inventory.hosts.keys())}
            plan = self._draft(instances, names, known)
            clash = plan.groups.keys() & set(names.values())
            if not clash:
                return plan
            attempts += 1
            if attempts == _ATTEMPTS:
                name = min(clash)
                raise RefusedError(
                    f"There would be a group {name}, for the instance {plan.groups[name]}, but a host is called so too."
                )
            reserved.update(plan.groups)

    def _draft(self, instances: t.Iterable[_Instance], names: t.Mapping[str, str], known: t.Container[str]) -> Plan:
        """The plan, if hosts have these names; groups can depend on them."""
        group_of_all, given = self._group_of_all()
        hosts: list[PlannedHost] = []
        groups: dict[str, str | None] = {group_of_all: None} if group_of_all else {}
        children: dict[tuple[str, str], None] = {}
        real = self.inventory
        for instance in sorted(instances, key=lambda one: names[one.instance_id]):
            host = names[instance.instance_id]
            draft = self.inventory = Draft(host, instance.variables, real.current_source)
            try:
                if group_of_all:
                    draft.add_host(host, draft.add_group(group_of_all))
                with self._evaluating():
                    strict = self.get_option("strict")
                    compose, of_all = self.get_option("compose"), instance.variables
                    self._set_composite_vars(compose, of_all, host, strict=strict)
                    self._add_host_to_composed_groups(self.get_option("groups"), of_all, host, strict=strict)
                    self._add_host_to_keyed_groups(self.get_option("keyed_groups"), of_all, host, strict=strict)
            finally:
                self.inventory = real
            variables = None if instance.instance_id in known else draft.variables
            hosts.append(PlannedHost(host, instance.instance_id, variables, draft.joined))
            for group in (*draft.joined, *(name for pair in draft.children for name in pair)):
                groups.setdefault(group, str(instance))
            children.update(dict.fromkeys(draft.children))
        default = None if given else group_of_all
        return Plan(self.service_name, hosts, groups, list(children), self._named_groups(), default)


# --- Functions that decide ---


def host_variables(
    prefix: str, identifier: str, instance: Record, region: str | None, project_id: str | None
) -> dict[str, t.Any]:
    """The variables of an instance, with names that Ansible takes; plain data.

    Characters that no variable can have in its name become underscores. A key of the API is dropped when another key, or one
    of the collection's own variables, has that name.
    """
    tags = instance.get("tags")
    own = {
        "instance_id": instance[identifier],
        "name": instance.get("name"),
        "region": region or instance.get("region"),
        "project_id": project_id,
        "tag": {
            str(tag.get("key")): "" if tag.get("value") is None else str(tag["value"])
            for tag in (tags if isinstance(tags, list) else ())
            if isinstance(tag, dict)
        },
    }
    names = {key: _NOT_IN_NAMES.sub("_", key) for key in instance}
    counts = Counter([*names.values(), *own])
    kept = {
        name: instance[key]
        for key, name in names.items()
        # A key that is a name itself comes before those that become one.
        if name not in own and (key == name or (counts[name] == 1))
    }
    # The keys of tags have become keys of a dictionary.
    return {f"{prefix}_{name}": value for name, value in make_harmless({**kept, **own}).items()}


def _with_instances(listing: t.Any) -> t.Any:
    """A cached listing whose instances are no text any more; as it is when that is not possible."""
    text = listing.get("instances") if isinstance(listing, dict) else None
    if not isinstance(text, str):
        return None
    try:
        return {**listing, "instances": read_json(text.encode("utf-8", "surrogatepass"))}
    except ValueError:
        return None


def _check_kind(name: str, value: t.Any) -> None:
    """Refuse a list or a dictionary where there must be none, and the other way round."""
    kind = ARGUMENTS[name]["type"]
    if value is None:
        return
    if kind == "list":
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise ConfigError(f"{name} must be a list of dictionaries, each of them like filters.")
        if not all(any(inner is not None for inner in entry.values()) for entry in value):
            raise ConfigError(f"{name} must not hold an empty dictionary, which every instance would fit.")
    elif kind == "dict":
        if not isinstance(value, dict):
            raise ConfigError(f"{name} must be a dictionary.")
    elif isinstance(value, (dict, list)):
        raise ConfigError(f"{name} must be one value, not a list or a dictionary.")


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
            path = os.path.expanduser(os.path.expandvars(str(value)))  # noqa: PTH111  # pathlib raises for unknown homes
            # A home that nobody knows is no folder of this one.
            found[name] = path if path.startswith("~") else str(folder / path)
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
