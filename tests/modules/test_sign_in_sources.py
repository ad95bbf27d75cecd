# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signing in, cell by cell: each source alone, each pair of them, and each incomplete set."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.harness.profiles import (
    CLOUDS_PATH,
    KOOCLI_KEYS,
    KOOCLI_PATH,
    SDK_PATH,
    cloud_entry,
    koocli_profile,
    koocli_sso_profile,
)
from tests.harness.rows import in_rows
from tests.harness.sources import (
    AGENCIES,
    ASSUME,
    CANCEL,
    CLOUDS_NAMES,
    INFO,
    JOBS,
    KEYS,
    KINDS,
    MACHINE_KEY,
    PROJECTS,
    SESSION,
    SIGN_IN,
    SOURCES,
    VARIABLES,
    WAYS,
    Task,
    auth_kind,
    check,
    method_of,
    right,
    wrong,
)

# --- Each source alone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("project", ["known project", "project of the region"])
@in_rows(("agency", "source", "kind"), [(agency, *way) for agency in AGENCIES for way in WAYS], by=1)
def test_each_source_alone(task, source, kind, agency, project):
    values = right(task.sim, kind)
    if agency != "no agency" and "user_id" in values:
        # The token must be one of the user's account then.
        values["domain_id"] = task.sim._server.cloud.world.domain_id
    SOURCES[source].put(task, values)
    if project == "project of the region":
        task.options["project_id"] = None
    for option, value in AGENCIES[agency].items():
        task.options[option] = value or task.sim._server.cloud.world.domain_id
    result = task.run()
    signs_in = method_of(kind) == "password"
    assumes = agency != "no agency"
    # The answer to a sign-in names the project, so that it needs no look-up; a token of the account has none.
    look_up = project != "known project" and (assumes or not signs_in)
    operations = [SIGN_IN] * signs_in + [ASSUME] * assumes + [PROJECTS] * look_up + [JOBS]
    auth = "aksk" if assumes else auth_kind(kind)
    check(task, result, operations, auth, temporary=assumes or kind == "temporary key")
    first = task.sim.journal()[0]
    assert first["auth"] == ("none" if signs_in else auth_kind(kind))
    if signs_in:
        issued = [token.project_id for token in task.sim._server.cloud.identity.tokens.values()]
        assert issued == [None if assumes else task.sim.project_id]


@pytest.mark.parametrize("metadata", ["v2", "v1"])
@pytest.mark.parametrize("agency", AGENCIES)
@pytest.mark.parametrize("pinned_by", ["option", "variable"])
def test_the_machine(task, metadata, agency, pinned_by):
    task.sim.switches({"metadata": metadata})
    if pinned_by == "option":
        task.options["auth_method"] = "machine"
    else:
        task.environ["HWCLOUD_AUTH_METHOD"] = "machine"
    for option, value in AGENCIES[agency].items():
        task.options[option] = value or task.sim._server.cloud.world.domain_id
    assumes = [ASSUME] if agency != "no agency" else []
    check(task, task.run(), [SESSION, MACHINE_KEY, *assumes, JOBS], "aksk", temporary=True)
    headers = [entry["request_headers"] for entry in task.sim.journal()[:2]]
    assert ["X-Metadata-Token" in each for each in headers] == [False, metadata == "v2"]


@pytest.mark.parametrize("module", [INFO, CANCEL])
@pytest.mark.parametrize("source", ["KooCLI", "KooCLI single sign-on"])
def test_an_agency_of_the_profile(task, source, module):
    """KooCLI assumes the agency of a profile by itself, so that its own keys may be good for nothing else."""
    kind = SOURCES[source].kinds[-1]
    agency = {"agency_name": "audit-agency", "agency_domain_name": task.sim.domain_name}
    build = koocli_sso_profile if "sign-on" in source else koocli_profile
    more = {KOOCLI_KEYS[option]: value for option, value in agency.items()}
    task.home.koocli(build(right(task.sim, kind), **more))
    result = task.run(module)
    assert task.sim.operations()[:2] == [ASSUME, JOBS]
    # The agency may read only: it is the agency that acts.
    assert ("failed" in result) is (module == CANCEL)
    assert module == INFO or result["failure"]["http_status"] == 403


@pytest.mark.parametrize(
    ("first", "second"),
    [*itertools.combinations(["options", "variables", "profile"], 2), ("variables", None), ("profile", None)],
)
@pytest.mark.parametrize(("good_by", "bad_by"), [("id", "id"), ("name", "id"), ("id", "name")])
def test_where_the_agency_is_named(task, first, second, good_by, bad_by):
    """The agency and its account are settings like others, and an account by name is no weaker than one by id."""
    accounts = {"id": task.sim._server.cloud.world.domain_id, "name": task.sim.domain_name}
    values = {
        first: {"agency_name": "maintenance-agency", f"agency_domain_{good_by}": accounts[good_by]},
        second: {"agency_name": "nobody", f"agency_domain_{bad_by}": "f" * 32},
    }
    task.options.update(values.get("options", {}))
    for option, value in values.get("variables", {}).items():
        name = option.removeprefix("agency_") if "domain" in option else option
        task.environ[f"HW_ASSUME_ROLE_{name.upper()}"] = value
    task.home.koocli(koocli_profile({**right(task.sim, "access key"), **values.get("profile", {})}))
    check(task, task.run(), [ASSUME, JOBS], "aksk", temporary=True)


@pytest.mark.parametrize("method", ["profile", "koocli", "clouds_yaml"])
@pytest.mark.parametrize("by", ["profile", "profile_file", "both"])
def test_profile_and_file_by_option(task, method, by):
    """The options point to another profile, another file, or both; what lies at the usual place is wrong."""
    good, bad = right(task.sim, "access key"), wrong("access key")
    names = {"profile": "basic", "koocli": "default", "clouds_yaml": "usual"}
    name = names[method] if by == "profile_file" else "tonight"

    def write(profiles: dict[str, dict[str, Any]], path: str) -> Path:
        if method == "koocli":
            found = [koocli_profile(values, each) for each, values in profiles.items()]
            return task.home.koocli(*found, path=path, current="default")
        if method == "clouds_yaml":
            return task.home.clouds({each: cloud_entry(values) for each, values in profiles.items()}, path)
        written = [task.home.sdk(values, each, path).read_text() for each, values in profiles.items()]
        return task.home.write(path, "\n".join(written))

    usual = {"profile": SDK_PATH, "koocli": KOOCLI_PATH, "clouds_yaml": CLOUDS_PATH}[method]
    if by == "profile":
        write({names[method]: bad, name: good}, usual)
    else:
        write({names[method]: bad, "tonight": bad}, usual)
        other = write({"another": bad, names[method]: bad, name: good}, "elsewhere/file.yaml")
        task.options["profile_file"] = str(other)
    if by != "profile_file":
        task.options["profile"] = name
    elif method == "clouds_yaml":
        task.environ["OS_CLOUD"] = name
    check(task, task.run(auth_method=method), [JOBS], "aksk", temporary=False)


@pytest.mark.parametrize("method", ["profile", "koocli", "clouds_yaml"])
def test_options_come_before_the_variables_that_name_a_profile(task, method):
    good, bad = right(task.sim, "access key"), wrong("access key")
    if method == "profile":
        task.environ["HUAWEICLOUD_SDK_CREDENTIALS_FILE"] = str(task.home.sdk(bad, path="bad"))
        task.options["profile_file"] = str(task.home.sdk(good, path="good"))
    elif method == "koocli":
        task.environ["HW_PROFILE"] = "bad"
        task.environ["HW_SHARED_CONFIG_FILE"] = str(task.home.koocli(koocli_profile(bad, "bad"), path="bad"))
        task.options["profile_file"] = str(task.home.koocli(koocli_profile(good, "good"), path="good"))
        task.options["profile"] = "good"
    else:
        task.environ["OS_CLOUD"] = "bad"
        task.environ["OS_CLIENT_CONFIG_FILE"] = str(task.home.clouds({"bad": cloud_entry(bad)}, "bad.yaml"))
        task.options["profile_file"] = str(task.home.clouds({"good": cloud_entry(good)}, "good.yaml"))
        task.options["profile"] = "good"
    check(task, task.run(auth_method=method), [JOBS], "aksk", temporary=False)


@pytest.mark.parametrize("path", ["clouds.yaml", "clouds.yml", CLOUDS_PATH, CLOUDS_PATH.replace("yaml", "yml")])
@pytest.mark.parametrize("named_by", ["OS_CLOUD", "cloud", "profile"])
def test_places_of_clouds_yaml(task, path, named_by):
    """In the folder where the module runs, and in the user's; named by a variable or an option."""
    task.home.clouds({"simulated": cloud_entry(right(task.sim, "password"), task.sim.url)}, path)
    if named_by == "OS_CLOUD":
        task.environ["OS_CLOUD"] = "simulated"
    elif named_by == "cloud":
        task.options["cloud"] = "simulated"
    else:
        task.options.update(auth_method="clouds_yaml", profile="simulated")
    check(task, task.run(), [SIGN_IN, JOBS], "token", temporary=False)


@pytest.mark.parametrize("source", [*VARIABLES, "SDK profile of a variable", "SDK profile"])
def test_an_entry_that_an_option_names_comes_before_the_environment(task, source):
    """It is as much the task's own word as an access key in the options."""
    SOURCES[source].put(task, wrong("access key"))
    task.home.clouds({"simulated": cloud_entry(right(task.sim, "token"))})
    check(task, task.run(cloud="simulated"), [JOBS], "token", temporary=False)


def test_order_of_the_places_of_clouds_yaml(task):
    """The file of the variable, then the folder where the module runs, then the user's; yaml before yml."""
    places = ["of-a-variable.yaml", "clouds.yaml", "clouds.yml", CLOUDS_PATH, CLOUDS_PATH.replace("yaml", "yml")]
    files = [task.home.clouds({"simulated": {"auth": {"token": f"wrong-{place}"}}}, place) for place in places]
    task.environ.update(OS_CLOUD="simulated", OS_CLIENT_CONFIG_FILE=str(files[0]))
    for place, file in zip(places, files):
        task.home.clouds({"simulated": cloud_entry(right(task.sim, "token"))}, place)
        assert "failed" not in task.run(), place
        file.unlink()
        task.environ.pop("OS_CLIENT_CONFIG_FILE", None)
    message = task.forget().refusal("InvalidProfile")
    assert "clouds.yaml" in message


@pytest.mark.parametrize("beside", [CLOUDS_PATH, "clouds.yaml", "of-a-variable/clouds.yaml"])
@pytest.mark.parametrize("suffix", ["yaml"])
def test_secure_yaml_is_merged_over_clouds_yaml(task, beside, suffix):
    values = right(task.sim, "password")
    plain = {option: value for option, value in values.items() if option != "password"}
    file = task.home.clouds({"simulated": cloud_entry({**plain, "password": "wrong"})}, beside)
    secret = {"simulated": {"auth": {"password": values["password"]}}, "another": {"auth": {"password": "wrong"}}}
    task.home.clouds(secret, file.parent / f"secure.{suffix}")
    task.environ.update(OS_CLOUD="simulated", OS_CLIENT_CONFIG_FILE=str(file))
    check(task, task.run(), [SIGN_IN, JOBS], "token", temporary=False)


def test_a_secure_yaml_elsewhere_is_not_merged(task):
    """It belongs to the file beside it."""
    values = right(task.sim, "password")
    file = task.home.clouds({"simulated": cloud_entry(values)}, "asked/clouds.yaml")
    task.home.clouds({"simulated": {"auth": {"password": "wrong"}}}, Path(CLOUDS_PATH).parent / "secure.yaml")
    task.environ.update(OS_CLOUD="simulated", OS_CLIENT_CONFIG_FILE=str(file))
    check(task, task.run(), [SIGN_IN, JOBS], "token", temporary=False)


@pytest.mark.parametrize(
    ("auth_type", "kind"),
    [
        ("token", "token"),
        ("v3token", "token"),
        ("password", "password"),
        ("v3password", "password"),
        (None, "token"),
    ],
)
def test_auth_type_decides_where_several_are_complete(task, auth_type, kind):
    values = {**wrong("token"), **wrong("password"), **right(task.sim, kind)}
    entry = cloud_entry(values, **({"auth_type": auth_type} if auth_type else {}))
    task.home.clouds({"simulated": entry})
    task.environ["OS_CLOUD"] = "simulated"
    operations = [SIGN_IN, JOBS] if kind == "password" else [JOBS]
    check(task, task.run(), operations, auth_kind(kind), temporary=False)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ({"access_key": "access_key", "secret_key": "secret_key"}, "access key"),
        ({"access_key": "ak", "secret_key": "secret_key"}, "access key"),
        ({"domain_name": "domain_name"}, "password"),
        ({"domain_id": "domain_id"}, "password, account by id"),
    ],
    ids=str,
)
def test_other_names_in_clouds_yaml(task, names, kind):
    auth = {names.get(option, CLOUDS_NAMES[option]): value for option, value in right(task.sim, kind).items()}
    task.home.clouds({"simulated": {"auth": auth}})
    task.environ["OS_CLOUD"] = "simulated"
    operations = [SIGN_IN] * (method_of(kind) == "password") + [JOBS]
    check(task, task.run(), operations, auth_kind(kind), temporary=False)


@pytest.mark.parametrize("source", ["SDK profile", "KooCLI", "clouds.yaml"])
def test_a_byte_order_mark_is_no_mistake(task, source):
    SOURCES[source].put(task, right(task.sim, "access key"))
    file = task.home.folder / SOURCES[source].file
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    check(task, task.run(), [JOBS], "aksk", temporary=False)


@pytest.mark.parametrize("source", ["SDK profile", "KooCLI", "clouds.yaml"])
def test_a_secret_is_read_as_it_is(task, source):
    """No character of it has a meaning to the reader of the file."""
    cloud = task.sim._server.cloud
    key = cloud.identity.keys[task.sim.access_key]
    key.secret = "a%b%(sk)s$c&d*e#f;g:h=i"
    SOURCES[source].put(task, {"access_key": task.sim.access_key, "secret_key": key.secret})
    check(task, task.run(), [JOBS], "aksk", temporary=False)


def test_a_profile_of_several_is_current(task):
    """KooCLI's C(current), unless HW_PROFILE says otherwise."""
    good, bad = right(task.sim, "access key"), wrong("access key")
    profiles = [koocli_profile(bad, "first"), koocli_profile(good, "second"), koocli_profile(bad, "third")]
    task.home.koocli(*profiles, current="second")
    check(task, task.run(), [JOBS], "aksk", temporary=False)
    task.forget().home.koocli(*profiles, current="third")
    task.environ["HW_PROFILE"] = "second"
    check(task, task.run(), [JOBS], "aksk", temporary=False)


@pytest.mark.parametrize("word", ["false", False, None])
def test_koocli_without_encryption(task, word):
    """Plain by the file's own word, or by the look of the key where an old version says nothing."""
    top = {} if word is None else {"authEncrypt": word}
    profile = koocli_profile(right(task.sim, "access key"))
    task.home.write(KOOCLI_PATH, json.dumps({"current": "default", "profiles": [profile], **top}))
    check(task, task.run(), [JOBS], "aksk", temporary=False)


# --- Each pair -------------------------------------------------------------------------------------------------------

#: One way of each kind in each source, best first.
RANKED = [
    (source, kind)
    for source, found in SOURCES.items()
    for kind in found.kinds
    if kind in ("token", "access key", "password") or found.kinds == KEYS[1:]
]


def can_meet(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether both can be there at the same time."""
    first, second = SOURCES[one[0]], SOURCES[other[0]]
    if one[0] == other[0]:
        return True
    # One variable names one file, and one file has one current profile.
    return not (first.method == second.method == "koocli" and "variable" in one[0] and "variable" in other[0]) and not (
        first.file and first.file == second.file
    )


PAIRS = [(better, worse) for better, worse in itertools.combinations(RANKED, 2) if can_meet(better, worse)]


def way_name(way: Any) -> str:
    return " with ".join(way).replace(" ", "-") if isinstance(way, tuple) else str(way)


def put_both(task: Task, first: tuple[str, str], second: tuple[str, str], values: list[dict[str, Any]]) -> None:
    """Both ways at once; two of one source are put there together, as they may be in one file."""
    if first[0] == second[0]:
        SOURCES[first[0]].put(task, {**values[1], **values[0]})
    else:
        SOURCES[second[0]].put(task, values[1])
        SOURCES[first[0]].put(task, values[0])


@in_rows(("source", "better", "worse"), [(better[0], better, worse) for better, worse in PAIRS], by=1, ids=way_name)
def test_which_of_two_wins(task, source, better, worse):
    put_both(task, better, worse, [right(task.sim, better[1]), wrong(worse[1])])
    check(
        task,
        task.run(),
        [SIGN_IN] * (better[1] == "password") + [JOBS],
        auth_kind(better[1]),
        temporary=better[1] == "temporary key",
    )


def pin(way: tuple[str, str]) -> str:
    return SOURCES[way[0]].method or method_of(way[1])


@in_rows(
    ("source", "better", "worse", "by"),
    [
        (better[0], better, worse, ("option", "variable", "option before the variable")[number % 3])
        for number, (better, worse) in enumerate(PAIRS)
        if pin(better) != pin(worse)
    ],
    by=1,
    ids=way_name,
)
def test_the_other_wins_when_it_is_asked_for(task, source, better, worse, by):
    put_both(task, better, worse, [wrong(better[1]), right(task.sim, worse[1])])
    if by != "variable":
        task.options["auth_method"] = pin(worse)
    if by != "option":
        task.environ["HWCLOUD_AUTH_METHOD"] = pin(worse) if by == "variable" else pin(better)
    check(
        task,
        task.run(),
        [SIGN_IN] * (worse[1] == "password") + [JOBS],
        auth_kind(worse[1]),
        temporary=worse[1] == "temporary key",
    )


@in_rows("way", RANKED)
def test_the_machine_wins_only_when_it_is_asked_for(task, way):
    SOURCES[way[0]].put(task, wrong(way[1]))
    assert task.run()["failed"]
    assert not {SESSION, MACHINE_KEY} & set(task.sim.operations())
    task.forget()
    check(task, task.run(auth_method="machine"), [SESSION, MACHINE_KEY, JOBS], "aksk", temporary=True)


def complete_and_later(source: str) -> str | None:
    """The next source that can be there at the same time."""
    later = list(SOURCES)[list(SOURCES).index(source) + 1 :]
    return next((other for other in later if can_meet((source, ""), (other, ""))), None)


@in_rows("way", RANKED)
def test_wrong_credentials_lead_to_no_other_source(task, way):
    """A refusal is told; what stands in the next source was not meant."""
    later = complete_and_later(way[0])
    if later:
        SOURCES[later].put(task, right(task.sim, SOURCES[later].kinds[0]))
    SOURCES[way[0]].put(task, wrong(way[1]))
    result = task.run()
    assert result["failed"]
    assert result["failure"]["http_status"] == 401
    assert len(task.sim.journal()) == 1


# --- Incomplete sets -------------------------------------------------------------------------------------------------

PASSWORD_OPTIONS = ("username", "user_id", "password", "passcode", "domain_name", "domain_id")


def missing_options(given: tuple[str, ...]) -> list[set[str]]:
    """What a set lacks, as groups of options one of which must be named; none for one that is complete."""
    have = set(given)
    if have & set(KINDS["temporary key"]):
        return [{option} for option in KINDS["access key"] if option not in have]
    if {"user_id", "passcode"} & have:
        return [{option} for option in ("user_id", "password") if option not in have]
    lacks = [{option} for option in ("username", "password") if option not in have]
    return lacks if {"domain_name", "domain_id"} & have else [*lacks, {"domain_name", "domain_id"}]


def subsets(options: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [some for count in range(1, len(options) + 1) for some in itertools.combinations(options, count)]


#: All sets that show what was meant and lack something. An account alone shows nothing: it is set for other tools, too.
INCOMPLETE = [
    some
    for options in (KINDS["temporary key"], PASSWORD_OPTIONS)
    for some in subsets(options)
    if missing_options(some) and not set(some) <= {"domain_name", "domain_id"}
]


@pytest.mark.parametrize("pinned", [False, True], ids=["", "asked-for"])
@in_rows(
    ("source", "given"),
    [(source, some) for source, found in SOURCES.items() for some in INCOMPLETE if set(some) <= set(found.names)],
    by=1,
    ids=way_name,
)
def test_an_incomplete_set_is_an_error_that_names_what_is_missing(task, source, given, pinned):
    names = SOURCES[source].names
    values = {option: f"SENTINEL{option.replace('_', '')}" for option in given}
    if pinned:
        method = "access_key" if set(given) <= set(KINDS["temporary key"]) else "password"
        task.options["auth_method"] = SOURCES[source].method or method
    else:
        # Complete, but from another source, which must neither complete it nor take its place.
        later = complete_and_later(source)
        if later:
            SOURCES[later].put(task, right(task.sim, SOURCES[later].kinds[0]))
    SOURCES[source].put(task, values)
    message = task.refusal("IncompleteCredentials")
    _given, _need, missing = message.partition(" need")
    for group in missing_options(given):
        assert any(re.search(rf"\b{names.get(option, option)}\b", missing) for option in group), message
    assert not any(re.search(rf"\b{names[option]}\b", missing) for option in given), message
    assert not any(value in message for value in values.values()), message


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"agency_name": "x"}, ("agency_domain_name", "agency_domain_id")),
        ({"agency_domain_name": "x"}, ("agency_name",)),
        ({"agency_domain_id": "x"}, ("agency_name",)),
    ],
)
def test_an_agency_without_its_name_or_its_account(task, given, missing):
    task.options.update(right(task.sim, "access key"))
    message = task.refusal("IncompleteCredentials", **given)
    assert any(name in message for name in missing)


def test_an_agency_needs_the_account_of_a_user_who_is_named_by_id(task):
    """A token of an account is needed then, and the id of the user does not tell which account it is."""
    task.options.update(right(task.sim, "password, user by id"))
    message = task.refusal("IncompleteCredentials", **AGENCIES["agency by name"])
    assert "the user's domain_name or domain_id" in message


PINNED_TO_NOTHING = {
    "token": ["auth_token"],
    "access_key": ["access_key", "secret_key"],
    "password": ["username", "password", "domain_name"],
}


@pytest.mark.parametrize("by", ["option", "variable"])
@pytest.mark.parametrize("method", PINNED_TO_NOTHING)
def test_a_way_that_was_asked_for_and_is_nowhere(task, method, by):
    """Complete sets of every other kind do not take its place."""
    for kind in ("token", "access key", "password"):
        if method_of(kind) != method:
            task.options.update(right(task.sim, kind))
    task.home.sdk(right(task.sim, "access key"))
    if by == "option":
        task.options["auth_method"] = method
    else:
        task.environ["HWCLOUD_AUTH_METHOD"] = method
    message = task.refusal("MissingCredentials")
    assert all(name in message for name in PINNED_TO_NOTHING[method])


@pytest.mark.parametrize(
    ("asked_by", "value", "place"),
    [
        ("auth_method", "profile", SDK_PATH),
        ("auth_method", "koocli", KOOCLI_PATH),
        ("auth_method", "clouds_yaml", "clouds.yaml"),
        ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "/nowhere/at.all", "/nowhere/at.all"),
        ("HW_SHARED_CONFIG_FILE", "/nowhere/at.all", "/nowhere/at.all"),
        ("HW_PROFILE", "tonight", KOOCLI_PATH),
        ("OS_CLOUD", "tonight", "clouds.yaml"),
        ("OS_CLIENT_CONFIG_FILE", "/nowhere/at.all", "/nowhere/at.all"),
    ],
)
def test_a_file_that_was_asked_for_and_is_nowhere(task, asked_by, value, place):
    """The next source does not take its place."""
    if asked_by == "auth_method":
        task.options.update(right(task.sim, "access key"), auth_method=value)
    else:
        task.environ[asked_by] = value
    if asked_by == "OS_CLIENT_CONFIG_FILE" or value == "clouds_yaml":
        task.environ["OS_CLOUD"] = "tonight"
    if "HW_" not in asked_by and value != "koocli":
        task.home.koocli(koocli_profile(right(task.sim, "access key")))
    message = task.refusal("InvalidProfile")
    assert place in message
    assert "tonight" in message or "tonight" not in (value, task.environ.get("OS_CLOUD"))


@pytest.mark.parametrize("method", ["koocli", "profile"])
def test_the_variable_of_the_way_makes_a_profile_by_option_clear(task, method):
    """The option C(profile) needs to know what kind of file it is about; who says so does not matter."""
    if method == "koocli":
        profiles = [koocli_profile(wrong("access key")), koocli_profile(right(task.sim, "access key"), "tonight")]
        task.home.koocli(*profiles)
    else:
        task.home.sdk(right(task.sim, "access key"), "tonight")
    task.environ["HWCLOUD_AUTH_METHOD"] = method
    check(task, task.run(profile="tonight"), [JOBS], "aksk", temporary=False)


def test_the_domain_of_a_variable_is_not_the_name_of_an_entry(task):
    """Of the two meanings, HW_CLOUD has only the one that Terraform gives it."""
    task.home.clouds({"simulated": cloud_entry(right(task.sim, "token"))})
    task.environ["HW_CLOUD"] = "simulated"
    task.refusal("MissingCredentials")


def test_nothing_at_all(task):
    message = task.refusal("MissingCredentials")
    for word in ("access_key", "secret_key", "auth_token", "username", "password", "domain_name"):
        assert word in message


def test_a_cloud_is_named_by_nobody(task):
    task.home.clouds({"simulated": cloud_entry(right(task.sim, "token"))})
    message = task.refusal("InvalidOption", auth_method="clouds_yaml")
    assert "OS_CLOUD" in message


def test_clouds_yaml_is_not_looked_for_unless_it_is_asked_for(task):
    task.home.clouds({"simulated": cloud_entry(right(task.sim, "token"))})
    task.home.clouds({"simulated": cloud_entry(right(task.sim, "token"))}, "clouds.yaml")
    task.refusal("MissingCredentials")


@pytest.mark.parametrize("method", [None, "token", "access_key", "password", "machine"])
@pytest.mark.parametrize("option", ["profile", "profile_file"])
def test_a_profile_without_its_kind_of_file(task, option, method):
    task.options.update(right(task.sim, "access key"))
    message = task.refusal("InvalidOption", **{option: "tonight", "auth_method": method})
    assert "auth_method" in message
    assert option in message


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_way_that_does_not_exist(task, by):
    task.options.update(right(task.sim, "access key"))
    if by == "option":
        result = task.run(auth_method="nonsense")
    else:
        task.environ["HWCLOUD_AUTH_METHOD"] = "nonsense"
        result = task.run()
    assert result["failed"]
    assert "nonsense" in result["msg"]
    assert "machine" in result["msg"]
    assert task.sim.journal() == []


@pytest.mark.parametrize("source", VARIABLES)
def test_empty_variables_are_not_set(task, source):
    task.environ.update(dict.fromkeys(VARIABLES[source].values(), ""))
    task.environ.update(OS_CLOUD="", HW_PROFILE="", HW_SHARED_CONFIG_FILE="", HWCLOUD_AUTH_METHOD="")
    task.environ.update(HUAWEICLOUD_SDK_CREDENTIALS_FILE="", OS_CLIENT_CONFIG_FILE="", HW_ASSUME_ROLE_AGENCY_NAME="")
    task.home.sdk(right(task.sim, "access key"))
    check(task, task.run(), [JOBS], "aksk", temporary=False)


def test_an_account_alone_means_nothing(task):
    """HW_DOMAIN_NAME and the like are set for other tools, too."""
    task.environ.update(HW_DOMAIN_NAME="other", HW_DOMAIN_ID="other", OS_USER_DOMAIN_NAME="o", OS_DOMAIN_ID="o")
    task.home.koocli(koocli_profile(right(task.sim, "access key")))
    check(task, task.run(), [JOBS], "aksk", temporary=False)


def test_keys_of_two_places_in_a_koocli_profile_are_not_mixed(task):
    """A session that lacks its own access key is incomplete, whatever else the profile has."""
    session = {"secretAccessKey": "SENTINEL", "securityToken": "SENTINEL"}
    top = koocli_profile(right(task.sim, "access key"), mode="SSO", ssoAuth={"stsToken": session})
    task.home.koocli(top)
    message = task.refusal("IncompleteCredentials")
    assert "accessKeyId" in message
