"""Days and the periods they are of; what is not stated excludes nothing."""

from __future__ import annotations

from datetime import date

from cds_service.fhir.reading import date_of, member
from cds_service.fhir.record import Resource

Period = tuple[date | None, date | None]
"""The first and the last day; None where the record states none."""


def period_of(resource: Resource) -> Period:
    """Return the `period` of a resource in days."""
    return date_of(member(resource, "period", "start")), date_of(member(resource, "period", "end"))


def may_be_of(day: date | None, period: Period) -> bool:
    """Return whether a day can be of a period; an open end or an unknown day excludes nothing."""
    start, end = period
    return day is None or ((start is None or start <= day) and (end is None or day <= end))
