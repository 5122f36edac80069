"""Who pays, in the words of the Coverages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any

from cds_service.chart.identity import is_of_another
from cds_service.chart.model import CoverageFacts
from cds_service.chart.periods import may_be_of, period_of
from cds_service.fhir.reading import codings, concept_text, items, number, text
from cds_service.fhir.record import Entry, Record, Resource

_OUT = frozenset({"cancelled", "entered-in-error"})


def coverages(record: Record, patient: str | None = None, day: date | None = None) -> tuple[CoverageFacts, ...]:
    """Return the coverages in force, whoever pays first before the others (`Coverage.order`), with their words.

    Those that name another `patient`, or whose period leaves out `day`, are not; None rules nothing out.
    """
    in_force = [
        entry
        for entry in record.of_type("Coverage")
        if _in_force(entry.resource, day) and not is_of_another(entry, patient, record)
    ]
    in_force.sort(key=lambda entry: number(entry.resource.get("order")) or math.inf)
    return tuple(
        CoverageFacts(entry.reference, tuple(dict.fromkeys(word.lower() for word in _words(entry, record))))
        for entry in in_force
    )


def _in_force(coverage: Resource, day: date | None) -> bool:
    if text(coverage.get("status")) in _OUT:
        return False
    return may_be_of(day, period_of(coverage))


def _words(coverage: Entry, record: Record) -> Iterator[str]:
    yield from _concept(coverage.resource.get("type"))
    for payor in items(coverage.resource.get("payor")):
        display = text(payor.get("display"))
        if display:
            yield display
        organization = record.resolve(payor, coverage)
        name = text(organization.resource.get("name")) if organization else None
        if name:
            yield name
    for group in items(coverage.resource.get("class")):
        yield from filter(None, (text(group.get("name")), text(group.get("value"))))


def _concept(concept: Any) -> Iterator[str]:
    words = concept_text(concept)
    if words:
        yield words
    for coding in codings(concept):
        yield from filter(None, (text(coding.get("code")), text(coding.get("display"))))
