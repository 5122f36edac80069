"""What goes back over the wire: nothing without a value, compact JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

NOT_CHECKED_EXTENSION: Final = "org.paravertebral-cds.not-checked"
"""Of a response: a list of `{"rule", "reason"}`, what could not be judged since reading or a rule failed."""

_NOTHING: tuple[Any, ...] = (None, "", [], {})
_MAY_BE_NOTHING: Final = re.compile(rb'null|""|\[\]|\{\}')

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hook call is answered with, in JSON form.

    `not_checked` is for whoever runs the integration, so that no cards never reads as all is well; what concerns the
    clinician is on the cards.
    """

    cards: Sequence[Json] = ()
    system_actions: Sequence[Json] = ()
    not_checked: Sequence[Json] = ()


def envelope(answer: Answer) -> dict[str, Any]:
    """Return the response of a service, pruned: `{"cards": [...]}`, and whatever else there is to say."""
    members = {
        "systemActions": _pruned(answer.system_actions),
        "extension": prune({NOT_CHECKED_EXTENSION: answer.not_checked}),
    }
    return {"cards": _pruned(answer.cards), **{name: member for name, member in members.items() if member}}


def _pruned(elements: Sequence[Json]) -> list[Any]:
    # Almost never is there anything to take out, and the JSON tells so far sooner than a walk through every value.
    if not _MAY_BE_NOTHING.search(orjson.dumps(elements)):
        return list(elements)
    return [element for element in map(prune, elements) if element]


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
