"""Tolerant readers of plain FHIR JSON. Pure, and they never raise: what cannot be read is not stated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

_LARGEST: Final = 2.0**53
_UTC_TIME = re.compile(r"T(?P<hour>\d{2}):\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]00:00)\Z", re.ASCII | re.IGNORECASE)
_MIDNIGHT: Final = re.compile(r"T00:00(?::00(?:\.0+)?)?(?:Z|[+-])", re.ASCII | re.IGNORECASE)
_SAME_DAY_FROM: Final = 11
"""The hour in UTC from which on all of the United States has the same day."""
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ].*)?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Amount:
    """A FHIR Quantity. `value` is as `number` gives it; `unit` is the unit as written, else its code, else None."""

    value: float
    unit: str | None = None


def text(value: object) -> str | None:
    """Return a string that says something, exactly as written; None for blank strings and other types."""
    return value if isinstance(value, str) and value.strip() else None


def numbered(value: object) -> tuple[tuple[int, Mapping[str, Any]], ...]:
    """Return the objects of a repeating element with their place in it, for evidence paths.

    An object in place of a list counts as its only member, at 0; members that are not objects are passed over.
    """
    if isinstance(value, Mapping):
        return ((0, value),)
    if not isinstance(value, list | tuple):
        return ()
    return tuple((place, item) for place, item in enumerate(value) if isinstance(item, Mapping))


def items(value: object) -> tuple[Mapping[str, Any], ...]:
    """Return the objects of a repeating element (see `numbered`), without their places."""
    return tuple(item for _, item in numbered(value))


def member(value: object, *steps: str | int) -> Any:
    """Return what is reached by names and list places, or None: `member(claim, "item", 0, "quantity")`."""
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        else:
            value = value[step] if isinstance(value, list) and -len(value) <= step < len(value) else None
    return value


def codings(concept: object) -> tuple[Mapping[str, Any], ...]:
    """Return the codings of a CodeableConcept; a bare Coding counts as one."""
    if not isinstance(concept, Mapping):
        return ()
    if "coding" not in concept and "code" in concept:
        return (concept,)
    return items(concept.get("coding"))


def codes(value: object) -> tuple[str, ...]:
    """Return the codes of a CodeableConcept, of a list of them, or of a plain code string, without their systems."""
    if isinstance(value, str):
        return (value.strip(),) if value.strip() else ()
    found = (text(coding.get("code")) for concept in items(value) for coding in codings(concept))
    return tuple(code.strip() for code in found if code is not None)


def concept_text(concept: object) -> str | None:
    """Return the words of a CodeableConcept: its text, else the first display; None where it has no words."""
    if not isinstance(concept, Mapping):
        return text(concept)
    candidates = (concept.get("text"), concept.get("display"), *(coding.get("display") for coding in codings(concept)))
    return next((found for found in map(text, candidates) if found is not None), None)


def date_of(value: object) -> date | None:
    """Return the calendar day of a date, dateTime, instant or Period (its start), as written.

    The day is the local one of the offset that was sent: 23:30-05:00 stays on its day. A partial date ("2026",
    "2026-03") names no day and gives None, as do a Period without a start and anything unreadable.
    """
    if isinstance(value, Mapping):
        value = value.get("start")
    match = _DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None


def local_day(value: object) -> date | None:
    """Return the day of `date_of`, but None where a time in UTC leaves it open which day it was where the patient was.

    Servers that keep all times in UTC send an evening in America as the next day ("2026-05-15T03:40:00Z"). From
    11:00 UTC on it is the same day in all of the United States (https://www.time.gov, UTC-11 to UTC-4); midnight to the
    second is a day without a time.
    """
    if isinstance(value, Mapping):
        value = value.get("start")
    in_utc = _UTC_TIME.search(value.strip()) if isinstance(value, str) else None
    return (
        None if in_utc and int(in_utc["hour"]) < _SAME_DAY_FROM and not _MIDNIGHT.match(in_utc[0]) else date_of(value)
    )


def first_date(resource: Mapping[str, Any], *names: str) -> date | None:
    """Return the day of the first of these members that states one: `first_date(p, "performedDateTime", ...)`."""
    days = (date_of(resource.get(name)) for name in names)
    return next((day for day in days if day is not None), None)


def number(value: object) -> float | None:
    """Return a finite number, also from a string that is nothing but one; None for anything else.

    Nor is one beyond 2^53 given: it is not the number that was written, and nothing in a record is that large.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value)
    except (ValueError, OverflowError):
        return None
    return read if abs(read) <= _LARGEST else None


def quantity(value: object) -> Amount | None:
    """Return a Quantity (or a bare number) as an amount, or None where it states no number."""
    if not isinstance(value, Mapping):
        bare = number(value)
        return None if bare is None else Amount(bare)
    read = number(value.get("value"))
    return None if read is None else Amount(read, text(value.get("unit")) or text(value.get("code")))
