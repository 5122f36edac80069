"""FHIR JSON read tolerantly and copied whole: members may be missing or of a wrong type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def bare_copy(value: Any) -> Any:
    """Return a deep copy of a FHIR resource as plain dicts and lists, without empty members.

    CDS Hooks forbids null, "", [] and {} as values. `null` inside an array stays: FHIR aligns arrays of
    primitives with their extensions by it.
    """
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        members = {name: bare_copy(member) for name, member in value.items()}
        return {name: member for name, member in members.items() if not empty(member)}
    if isinstance(value, list | tuple):
        elements = [bare_copy(element) for element in value]
        return [] if all(map(empty, elements)) else [e for e in elements if e is None or not empty(e)]
    return value


def empty(value: object) -> bool:
    """Return whether CDS Hooks forbids `value`: null, "", [] or {}."""
    return value is None or (isinstance(value, str | list | dict) and not value)


def mapping(value: object) -> Json:
    """Return `value` as a new dict, empty where it is no JSON object."""
    return dict(value) if isinstance(value, Mapping) else {}


def objects(value: object) -> list[Json]:
    """Return the JSON objects of an array, none where `value` is no array."""
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []


def codings(concept: object) -> list[Json]:
    """Return the codings of a CodeableConcept; they are the resource's own objects, not copies."""
    return objects(concept.get("coding")) if isinstance(concept, dict) else []


def begins_with(written: object, code: str) -> bool:
    """Return whether `written` is `code`, alone or with something behind it ("64461-RT", "64461 - title")."""
    return isinstance(written, str) and re.match(rf"\s*{re.escape(code)}(?![0-9A-Za-z])", written) is not None
