"""Pain scores that Observations record, before a block and after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cds_service.chart import terms
from cds_service.chart.model import Evidence, Statement
from cds_service.fhir.reading import member, quantity, text
from cds_service.fhir.record import Entry

_NOT_A_RESULT: Final = frozenset({"registered", "cancelled", "entered-in-error", "unknown"})
_NOT_DONE: Final = frozenset({"preparation", "not-done", "stopped", "entered-in-error", "unknown"})
_VALUES: Final = ("valueInteger", "valueQuantity")


@dataclass(frozen=True, slots=True)
class _Time:
    """When the first block of an encounter began and the last one ended."""

    start: datetime
    end: datetime


def pain_statements(observations: Iterable[Entry], blocks: Iterable[Entry]) -> Iterator[Statement]:
    """Yield the pain scores of the day of the block: those before its Procedure began, and those after it ended.

    A score without a time of day, or blocks without one, tell nothing: the side of the block a score stands on is not
    guessed.
    """
    done = _time(blocks)
    if done is None:
        return
    for observation in observations:
        at = _instant(observation.resource, "effectiveDateTime", "effectiveInstant")
        element = _element(at, done)
        scored = _score(observation)
        if element is not None and scored is not None:
            yield Statement(element, True, scored, scored.quote)


def _time(blocks: Iterable[Entry]) -> _Time | None:
    starts: list[datetime] = []
    ends: list[datetime] = []
    for block in blocks:
        resource = block.resource
        start = _instant(resource, "performedDateTime") or _instant(resource.get("performedPeriod"), "start")
        if start is None or text(resource.get("status")) in _NOT_DONE:
            continue
        starts.append(start)
        ends.append(_instant(resource.get("performedPeriod"), "end") or start)
    if not starts or len({at.tzinfo is None for at in (*starts, *ends)}) > 1:
        return None
    return _Time(min(starts), max(ends))


def _element(at: datetime | None, done: _Time) -> str | None:
    if at is None or (at.tzinfo is None) != (done.start.tzinfo is None):
        return None
    if at.date() == done.start.date() and at <= done.start:
        return "pain-score-before"
    return "pain-score-after" if at.date() == done.end.date() and at > done.end else None


def _score(observation: Entry) -> Evidence | None:
    resource = observation.resource
    if text(resource.get("status")) in _NOT_A_RESULT or not terms.is_pain_score(resource.get("code")):
        return None
    for name in _VALUES:
        amount = quantity(resource.get(name))
        if amount is not None:
            return Evidence(observation.reference, name, f"{amount.value:g}")
    return None


def _instant(value: object, *names: str) -> datetime | None:
    """Return the first of these members that states a time of day."""
    for name in names:
        stated = text(member(value, name))
        if stated is None or "T" not in stated:
            continue
        try:
            return datetime.fromisoformat(stated)
        except ValueError:
            continue
    return None
