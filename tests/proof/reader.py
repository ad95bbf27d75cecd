# Copyright (c) 2026 hwcloud.maintenance contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a module's output in Ansible itself: read by ansible-core's own code, and written again.

The judge is the ansible-core of the environment: its reader of what modules print, the callback that shows results, and
the cache in files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

from ansible.plugins import action as action_plugins
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

try:
    from ansible._internal._json._profiles import _cache_persistence
    from ansible._internal._json._profiles._inventory_legacy import Encoder as InventoryEncoder
except ImportError:  # ansible-core before 2.19
    from ansible.module_utils.common.json import AnsibleJSONEncoder as InventoryEncoder
    from ansible.parsing.ajson import AnsibleJSONDecoder as CacheDecoder
    from ansible.parsing.ajson import AnsibleJSONEncoder as CacheEncoder

    OLD = True
else:
    CacheDecoder, CacheEncoder = _cache_persistence.Decoder, _cache_persistence.Encoder
    OLD = False

#: What the reader adds, or puts into a form of its own.
_OF_THE_READER = frozenset(("_ansible_parsed", "ansible_parsed", "warnings", "deprecations", "exception", "failed"))


class _Action:
    """As much of an action as the reader of results looks at."""

    _used_interpreter = None
    _task = SimpleNamespace(resolved_action="hwcloud.maintenance.test", action="test")


def read(printed: str) -> tuple[dict[str, Any], list[str]]:
    """The result as the controller has it, and what it complained about; ValueError when it has none."""
    complaints: list[str] = []
    output = {"stdout": printed, "stderr": "", "rc": 0, "stdout_lines": []}
    display = SimpleNamespace(
        warning=complaints.append,
        deprecated=lambda message, **_more: complaints.append(message),
        debug=lambda _text: None,
    )
    with mock.patch.object(action_plugins, "display", display):
        if OLD:
            found = ActionBase._parse_returned_data(_Action(), output)
            parsed = found.get("_ansible_parsed")
        else:
            read_result = ActionBase._parse_returned_data(_Action(), output, "legacy")
            found = dict(read_result.as_result_dict())
            parsed = read_result.ansible_parsed
    if not parsed:
        raise ValueError(str(found.get("msg") or found.get("exception"))[:300])
    return found, complaints


def judge(printed: str) -> Iterator[str]:
    """What is wrong with what a module printed."""
    try:
        said = json.loads(printed, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        yield f"what was printed is not strict JSON: {type(error).__name__}: {str(error)[:200]}"
        return
    try:
        found, complaints = read(printed)
    except Exception as error:  # noqa: BLE001  # whatever it is, the user sees no result
        yield f"Ansible drops the result: {type(error).__name__}: {str(error)[:200]}"
        return
    if complaints:
        yield f"Ansible complains about the result: {complaints}"
    changed = [key for key in said if key not in _OF_THE_READER and found.get(key) != said[key]]
    if changed:
        yield f"Ansible reads something else than was printed in {changed}"
    # What the reader has made of an exception is not of the module.
    ours = {key: value for key, value in found.items() if key not in _OF_THE_READER}
    for name, write in (("a callback", shown), ("a cache", kept)):
        try:
            write(ours)
        except Exception as error:  # noqa: BLE001
            yield f"{name} cannot write the result: {type(error).__name__}: {str(error)[:200]}"


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


def shown(result: dict[str, Any]) -> bytes:
    """A result as a callback shows it."""
    return CallbackBase()._dump_results(result, indent=4).encode("utf-8")


def kept(value: Any) -> Any:
    """A value from the cache in files, after it was written there."""
    text = json.dumps(value, cls=CacheEncoder).encode("utf-8").decode("utf-8")
    found = json.loads(text, cls=CacheDecoder)
    if found != value:
        raise ValueError("it is another one when it is read again")
    return found


def dumped(variables: dict[str, Any]) -> str:
    """Variables of hosts as ansible-inventory prints them."""
    text = json.dumps(
        variables, cls=InventoryEncoder, sort_keys=True, indent=4, **({"preprocess_unsafe": True} if OLD else {})
    )
    text.encode("utf-8")
    return text
