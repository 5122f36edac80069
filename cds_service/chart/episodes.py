"""Which resources belong to one encounter, or to one day where none is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from cds_service.chart import bounds, claims
from cds_service.chart.identity import are_two, encounter_of, is_of_another, own_patient, patient_of
from cds_service.chart.periods import Period, may_be_of, period_of
from cds_service.fhir.documents import DocumentText, read_texts
from cds_service.fhir.reading import date_of, first_date, items, member
from cds_service.fhir.record import Entry, Record, Unread
from cds_service.fhir.relations import superseded

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


_WRITTEN_WITHIN = timedelta(days=3)
"""A note that names no encounter may be written, or signed, this long after what it tells of."""
_LAST_DAY = date.max - _WRITTEN_WITHIN
"""The calendar has no days for what ends later."""

Texts = tuple[tuple[DocumentText, ...], tuple[Unread, ...]]


@dataclass(frozen=True)
class Episode:
    """The entries of one encounter (`encounter`), or of one day (`day`) where none is named.

    `of_others` are the references of entries left out because they name another patient.
    """

    encounter: str | None
    entries: tuple[Entry, ...]
    day: date | None = None
    of_others: tuple[str, ...] = ()
    record: Record | None = field(default=None, repr=False, compare=False)
    """Where the attachments of its documents are looked for that stand beside them."""
    _texts: dict[int, Texts] = field(default_factory=dict, repr=False, compare=False)

    def of_type(self, resource_type: str) -> tuple[Entry, ...]:
        """Return the entries of one FHIR type, in the order they came."""
        return tuple(entry for entry in self.entries if entry.type == resource_type)

    def texts_of(self, entry: Entry) -> Texts:
        """Return the texts of one of the entries, and what of it gave none; each entry is decoded once."""
        if id(entry) not in self._texts:
            self._texts[id(entry)] = read_texts(entry, self.record)
        return self._texts[id(entry)]


def of_encounter(record: Record, encounter: str) -> Episode:
    """Return what belongs to one encounter: what names it, and what names none and is not of another time."""
    period = _period(record.resolve(encounter))
    entries = (
        entry
        for entry in _events(record)
        if encounter in (named := encounters_of(entry, record)) or (not named and _may_belong(entry, period))
    )
    return _of_one_patient(
        Episode(encounter, tuple(entries), record=record), _patient_of_encounter(encounter, record), record
    )


def all_episodes(record: Record) -> tuple[Episode, ...]:
    """Return one episode per encounter, and one per day (and patient) of what belongs to none.

    What names no encounter belongs to the one whose time it is of; where that is not a single one, to its day.

    Raises `TooMuchError` where resources name more encounters than any record does.
    """
    own = _of_one_patient(Episode(None, tuple(_events(record)), record=record), own_patient(record), record)
    events = [(entry, encounters_of(entry, record)) for entry in own.entries]
    named = {entry.reference for entry in record.of_type("Encounter") if "#" not in entry.reference}
    encounters = sorted(named.union(*(found for _, found in events)))
    times = _Times(encounters, record)
    homes: dict[str, list[Entry]] = {encounter: [] for encounter in encounters}
    loose: list[Entry] = []
    left = bounds.MOST_PLACED
    for entry, found in events:
        home = found or times.home_of(entry)
        left -= len(home)
        if left < 0:
            raise bounds.TooMuchError(f"The encounters hold more than {bounds.MOST_PLACED} resources together")
        for encounter in home:
            homes[encounter].append(entry)
        if not home:
            loose.append(entry)
    of_encounters = (
        _of_one_patient(
            replace(own, encounter=encounter, entries=tuple(entries)), _patient_of_encounter(encounter, record), record
        )
        for encounter, entries in homes.items()
    )
    return (*of_encounters, *_by_day(replace(own, entries=tuple(loose)), record))


def encounters_of(entry: Entry, record: Record) -> frozenset[str]:
    """Return the encounters a resource names, as references."""
    if entry.type == "Claim":
        return claims.encounters(entry, record)
    context = entry.resource.get("context")
    places = (entry.resource.get("encounter"), member(context, "encounter"), context)
    references = (reference for place in places for reference in items(place) if "reference" in reference)
    found = (encounter_of(reference, entry, record) for reference in references)
    return frozenset(reference for reference in found if reference)


def day_of(entry: Entry) -> date | None:
    """Return the day a resource is about, as far as it states one."""
    if entry.type == "Claim":
        lines = items(entry.resource.get("item"))
        days = (first_date(line, "servicedDate", "servicedPeriod") for line in lines)
        return next((day for day in days if day), None) or first_date(entry.resource, "billablePeriod")
    context = date_of(member(entry.resource, "context", "period"))
    return context or first_date(entry.resource, *_DATES.get(entry.type, ()))


def _events(record: Record) -> Iterator[Entry]:
    replaced = superseded(record)
    return (
        entry
        for entry in record.entries
        if entry.type in _EVENTS and "#" not in entry.reference and entry.reference not in replaced
    )


def _may_belong(entry: Entry, period: Period) -> bool:
    """Return whether an entry that names no encounter can be of its period; a note may be written a little later."""
    return may_be_of(day_of(entry), _with_time_to_write(period) if _only_written(entry) else period)


def _with_time_to_write(period: Period) -> Period:
    """Return the days on which a note about a period may be written."""
    start, end = period
    return start, end + _WRITTEN_WITHIN if end is not None and end <= _LAST_DAY else end


def _only_written(entry: Entry) -> bool:
    """Return whether the day of an entry is the day a note was written, not the day of what it tells."""
    context = date_of(member(entry.resource, "context", "period"))
    return entry.type == "DocumentReference" and context is None


class _Times:
    """Of which encounter's time an entry is that names none; each encounter is looked at once, not for each entry."""

    def __init__(self, encounters: Sequence[str], record: Record) -> None:
        self._record = record
        self._encounters = [
            (encounter, _period(record.resolve(encounter)), _patient_of_encounter(encounter, record))
            for encounter in encounters
        ]
        self._known: dict[tuple[date | None, bool, str | None], frozenset[str]] = {}

    def home_of(self, entry: Entry) -> frozenset[str]:
        """Return the encounter whose time an entry is of; empty where that is not a single one.

        Beside others, an encounter without a start tells nothing of its time, nor does an entry without a day.
        """
        day = day_of(entry)
        if day is None and len(self._encounters) != 1:
            return frozenset()
        asked = day, _only_written(entry), patient_of(entry, self._record)
        if asked not in self._known:
            self._known[asked] = self._found(*asked)
        return self._known[asked]

    def _found(self, day: date | None, only_written: bool, patient: str | None) -> frozenset[str]:
        alone = len(self._encounters) == 1
        known = [
            (encounter, period)
            for encounter, period, own in self._encounters
            if (alone or period[0] is not None) and not are_two(patient, own)
        ]
        within = [encounter for encounter, period in known if may_be_of(day, period)]
        if only_written and not within:
            within = [encounter for encounter, period in known if may_be_of(day, _with_time_to_write(period))]
        return frozenset(within) if len(within) == 1 else frozenset()


def _of_one_patient(episode: Episode, own: str | None, record: Record) -> Episode:
    """Leave out what names another patient than `own`."""
    kept: list[Entry] = []
    others: list[str] = []
    for entry in episode.entries:
        if is_of_another(entry, own, record):
            others.append(entry.reference)
        else:
            kept.append(entry)
    return replace(episode, entries=tuple(kept), of_others=(*episode.of_others, *others)) if others else episode


def patient_of_episode(episode: Episode, record: Record) -> str | None:
    """Return the patient an episode is about, None where that is not told."""
    if episode.encounter is not None:
        return _patient_of_encounter(episode.encounter, record)
    named = (patient_of(entry, record) for entry in episode.entries)
    return own_patient(record) or next((patient for patient in named if patient), None)


def _patient_of_encounter(encounter: str, record: Record) -> str | None:
    """Return the patient the record is about, else the one its encounter names."""
    entry = record.resolve(encounter)
    return own_patient(record) or (patient_of(entry, record) if entry else None)


def _by_day(loose: Episode, record: Record) -> Iterator[Episode]:
    """Yield an episode per patient and day; what states no day joins all of its patient, since it may be about any."""
    named = [patient_of(entry, record) for entry in loose.entries]
    patients = {patient for patient in named if patient}
    only = patients.pop() if len(patients) == 1 else ""
    dated: dict[tuple[str, date], list[Entry]] = {}
    undated: dict[str, list[Entry]] = {}
    for entry, patient in zip(loose.entries, named, strict=True):
        day = day_of(entry)
        if day is None:
            undated.setdefault(patient or only, []).append(entry)
        else:
            dated.setdefault((patient or only, day), []).append(entry)
    _join_notes(dated)
    together = sum(len(entries) + len(undated.get(patient, ())) for (patient, _), entries in dated.items())
    if together > bounds.MOST_PLACED:
        raise bounds.TooMuchError(f"The days of the record hold more than {bounds.MOST_PLACED} resources together")
    for patient, day in sorted(dated):
        yield replace(loose, entries=(*dated[patient, day], *undated.get(patient, ())), day=day)
    for patient in sorted(undated.keys() - {patient for patient, _ in dated}):
        yield replace(loose, entries=tuple(undated[patient]))


def _join_notes(dated: dict[tuple[str, date], list[Entry]]) -> None:
    """Move notes of a day on which nothing was done or charged to the day before that they may tell of."""
    done = {key for key, entries in dated.items() if any(e.type in ("Procedure", "Claim") for e in entries)}
    days_before = [timedelta(days=number) for number in range(1, _WRITTEN_WITHIN.days + 1)]
    for patient, day in sorted(dated.keys() - done):
        before = [(patient, day - far) for far in days_before if day - date.min >= far and (patient, day - far) in done]
        if before:
            notes = [entry for entry in dated[patient, day] if _only_written(entry)]
            dated[max(before)] += notes
            dated[patient, day] = [entry for entry in dated[patient, day] if not _only_written(entry)]
    for key in [key for key, entries in dated.items() if not entries]:
        del dated[key]


def _period(encounter: Entry | None) -> Period:
    return (None, None) if encounter is None else period_of(encounter.resource)
