"""Which resources belong to one encounter, or to one day where none is named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from cds_service.chart import claims
from cds_service.fhir.reading import date_of, first_date, items, member
from cds_service.fhir.record import Entry, Record

_EVENTS = frozenset(
    {
        "Procedure",
        "Claim",
        "DocumentReference",
        "MedicationAdministration",
        "Observation",
        "Condition",
        "ServiceRequest",
    }
)
_DATES = {
    "Procedure": ("performedDateTime", "performedPeriod"),
    "DocumentReference": ("date",),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant"),
    "Condition": ("recordedDate", "onsetDateTime"),
    "ServiceRequest": ("occurrenceDateTime", "occurrencePeriod", "authoredOn"),
}


@dataclass(frozen=True)
class Episode:
    """The entries of one encounter (`encounter`), or of one day (`day`) where none is named."""

    encounter: str | None
    entries: tuple[Entry, ...]
    day: date | None = None

    def of_type(self, resource_type: str) -> tuple[Entry, ...]:
        """Return the entries of one FHIR type, in the order they came."""
        return tuple(entry for entry in self.entries if entry.type == resource_type)


def of_encounter(record: Record, encounter: str) -> Episode:
    """Return what belongs to one encounter: what names it, and what names none and is not of another time."""
    period = _period(record.resolve(encounter))
    entries = tuple(
        entry
        for entry in _events(record)
        if encounter in (named := encounters_of(entry, record)) or (not named and _within(day_of(entry), period))
    )
    return Episode(encounter, entries)


def all_episodes(record: Record) -> tuple[Episode, ...]:
    """Return one episode per encounter; what names no encounter goes to the only one, else to an episode of its day."""
    named = {entry.reference for entry in record.of_type("Encounter") if "#" not in entry.reference}
    events = [(entry, encounters_of(entry, record)) for entry in _events(record)]
    encounters = sorted(named.union(*(found for _, found in events)) if events else named)
    if len(encounters) == 1:
        return (of_encounter(record, encounters[0]),)
    loose = [entry for entry, found in events if not found]
    return (*(Episode(e, tuple(x for x, found in events if e in found)) for e in encounters), *_by_day(loose))


def encounters_of(entry: Entry, record: Record) -> frozenset[str]:
    """Return the encounters a resource names, as references."""
    if entry.type == "Claim":
        return claims.encounters(entry, record)
    context = entry.resource.get("context")
    places = (entry.resource.get("encounter"), member(context, "encounter"), context)
    references = (reference for place in places for reference in items(place) if "reference" in reference)
    found = (record.identity(reference, entry) for reference in references)
    return frozenset(reference for reference in found if reference and reference.startswith(("Encounter/", "urn:")))


def day_of(entry: Entry) -> date | None:
    """Return the day a resource is about, as far as it states one."""
    if entry.type == "Claim":
        lines = items(entry.resource.get("item"))
        days = (first_date(line, "servicedDate", "servicedPeriod") for line in lines)
        return next((day for day in days if day), None) or first_date(entry.resource, "billablePeriod")
    context = date_of(member(entry.resource, "context", "period"))
    return context or first_date(entry.resource, *_DATES.get(entry.type, ()))


def _events(record: Record) -> Iterator[Entry]:
    return (entry for entry in record.entries if entry.type in _EVENTS and "#" not in entry.reference)


def _by_day(entries: Iterable[Entry]) -> Iterator[Episode]:
    """Yield an episode per day; what states no day joins every one of them, since it may be about any."""
    dated: dict[date, list[Entry]] = {}
    undated = []
    for entry in entries:
        day = day_of(entry)
        if day is None:
            undated.append(entry)
        else:
            dated.setdefault(day, []).append(entry)
    for day in sorted(dated):
        yield Episode(None, (*dated[day], *undated), day)
    if undated and not dated:
        yield Episode(None, tuple(undated))


def _period(encounter: Entry | None) -> tuple[date | None, date | None]:
    if encounter is None:
        return None, None
    return date_of(member(encounter.resource, "period", "start")), date_of(member(encounter.resource, "period", "end"))


def _within(day: date | None, period: tuple[date | None, date | None]) -> bool:
    """Return whether a day can be of a period; an open end or an unknown day excludes nothing."""
    start, end = period
    return day is None or ((start is None or start <= day) and (end is None or day <= end))
