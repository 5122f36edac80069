"""What goes back over the wire: nothing without a value, compact JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

_NOTHING: tuple[Any, ...] = (None, "", [], {})


def envelope(cards: Iterable[Mapping[str, Any]], system_actions: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the response of a service, pruned: `{"cards": [...]}`, and `systemActions` where there are any."""
    answer = {"cards": [card for card in map(prune, cards) if card]}
    actions = [action for action in map(prune, system_actions) if action]
    return {**answer, "systemActions": actions} if actions else answer


def prune(value: Any) -> Any:
    """Return `value` without members and elements that are null, "", [] or {}, at any depth.

    CDS Hooks forbids them. The one exception is FHIR's: the nulls of a list of primitives with extensions
    (`given` beside `_given`) pair the two lists by position, and stay.
    """
    if isinstance(value, Mapping):
        pruned = ((name, _member(value, name)) for name in value)
        return {name: member for name, member in pruned if member not in _NOTHING}
    if isinstance(value, list | tuple):
        return [element for element in map(prune, value) if element not in _NOTHING]
    return value


def to_json(document: Any) -> bytes:
    """Return `document` as compact UTF-8 JSON; dates and enumerations are written as text."""
    return orjson.dumps(document)


def _member(parent: Mapping[str, Any], name: str) -> Any:
    value = parent[name]
    twin = name[1:] if name.startswith("_") else f"_{name}"
    if isinstance(value, list) and None in value and isinstance(parent.get(twin), list):
        return [None if pruned in _NOTHING else pruned for pruned in map(prune, value)]
    return prune(value)
