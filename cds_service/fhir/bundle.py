"""Bundles to records: collects resources once each, with what could not be read. Walks dictionaries, copies nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from cds_service.fhir.reading import items, member, number, text
from cds_service.fhir.record import Entry, KeyState, PrefetchKey, Record, Resource, Unread
from cds_service.fhir.references import index_keys

RESOURCE_TYPES: Final[Mapping[PrefetchKey, str]] = {
    PrefetchKey.PATIENT: "Patient",
    PrefetchKey.ENCOUNTER: "Encounter",
    PrefetchKey.COVERAGE: "Coverage",
    PrefetchKey.PROCEDURES: "Procedure",
    PrefetchKey.CLAIMS: "Claim",
    PrefetchKey.DOCUMENTS: "DocumentReference",
    PrefetchKey.MEDICATIONS: "MedicationAdministration",
    PrefetchKey.OBSERVATIONS: "Observation",
    PrefetchKey.CONDITIONS: "Condition",
    PrefetchKey.ORDERS: "ServiceRequest",
}
"""The FHIR type each prefetch key is about."""

FIRST_PAGE: Final = "only the first page of the results was sent"

# Bundles inside Bundles are legal (a collection of documents); deeper than this is a mistake or an attack.
_DEEPEST: Final = 3

# https://hl7.org/fhir/R4/valueset-issue-type.html: only these are repeated, since `diagnostics` and `details` may hold
# patient data.
_ISSUE_TYPE: Final = re.compile(
    "invalid|structure|required|value|invariant|security|login|unknown|expired|forbidden|suppressed|processing|"
    "not-supported|duplicate|multiple-matches|not-found|deleted|too-long|code-invalid|extension|too-costly|"
    "business-rule|conflict|transient|lock-error|no-store|exception|timeout|incomplete|throttled|informational"
)


@dataclass(slots=True)
class Tally:
    """What one value held: the types of its resources, and what kept it from being whole."""

    types: set[str] = field(default_factory=set)
    matches: int = 0
    failures: int = 0
    unreadable: int = 0
    more_pages: bool = False

    @property
    def whole(self) -> bool:
        """True where nothing was left out: what is not there does not exist."""
        return not (self.failures or self.unreadable or self.more_pages)


class Collector:
    """Gathers the resources of a request, each once, and freezes them into a `Record`."""

    def __init__(self) -> None:
        self.types: set[str] = set()
        self._entries: list[Entry] = []
        self._places: dict[str, int] = {}
        self._unread: dict[Unread, None] = {}

    def report(self, subject: str, reason: str) -> None:
        """Note something unreadable, once."""
        self._unread[Unread(subject, reason)] = None

    def add(self, resource: Resource, full_url: str | None = None) -> None:
        """Add a resource; of two versions of one resource the later stays (the first, where none says it is later)."""
        entry = entry_of(resource, full_url)
        self.types.add(entry.type)
        place = self._places.setdefault(entry.reference, len(self._entries)) if _has_identity(entry) else None
        if place is None or place == len(self._entries):
            self._entries.append(entry)
        elif _is_later(resource, self._entries[place].resource):
            self._entries[place] = entry

    def add_bundle(self, subject: str, bundle: Resource, depth: int = 1) -> Tally:
        """Add the resources of a Bundle and report what could not be read in it, under the name `subject`.

        Whether a missing page matters is for the caller to say: see `Tally.more_pages`.
        """
        tally = Tally()
        deleted: set[str] = set()
        for item in _entry_list(bundle.get("entry")):
            self._add_item(subject, item, tally, deleted, depth)
        if _has_more(bundle, tally.matches):
            tally.more_pages = True
        if tally.unreadable:
            self.report(subject, "some entries are not FHIR resources")
        return tally

    def freeze(self, states: Mapping[PrefetchKey, KeyState], **members: Any) -> Record:
        """Return the record of everything added; `members` are the other members of `Record`."""
        entries = tuple(_with_contained(self._entries))
        index = _index((*entries, *members.get("draft_orders", ())))
        return Record(entries=entries, states=states, unread=tuple(self._unread), _index=index, **members)

    def _add_item(self, subject: str, item: object, tally: Tally, deleted: set[str], depth: int) -> None:
        """Add one `Bundle.entry`."""
        if not isinstance(item, Mapping):
            tally.unreadable += 1
            return
        self._check_response(subject, item, tally)
        resource = item.get("resource")
        if resource is None:
            _note_deletion(item, deleted)
        elif not isinstance(resource, Mapping) or text(resource.get("resourceType")) is None:
            tally.unreadable += 1
        elif resource["resourceType"] == "OperationOutcome":
            self._add_outcome(subject, resource, tally)
        elif resource["resourceType"] == "Bundle":
            self._add_nested(subject, resource, tally, depth)
        elif f"{resource['resourceType']}/{resource.get('id')}" not in deleted:
            self._add_match(item, resource, tally)

    def _add_match(self, item: Resource, resource: Resource, tally: Tally) -> None:
        tally.types.add(resource["resourceType"])
        tally.matches += member(item, "search", "mode") != "include"
        self.add(resource, text(item.get("fullUrl")))

    def _add_nested(self, subject: str, bundle: Resource, tally: Tally, depth: int) -> None:
        tally.matches += 1
        if depth >= _DEEPEST:
            tally.unreadable += 1
            return
        inner = self.add_bundle(subject, bundle, depth + 1)
        tally.types |= inner.types
        tally.failures += inner.failures
        tally.unreadable += inner.unreadable
        tally.more_pages |= inner.more_pages

    def _add_outcome(self, subject: str, outcome: Resource, tally: Tally) -> None:
        """Report an outcome that tells of an error; warnings and hints leave the other entries as good as they are."""
        severities = {text(issue.get("severity")) for issue in items(outcome.get("issue"))}
        if severities and severities <= {"warning", "information"}:
            return
        tally.failures += 1
        self.report(subject, failure_reason(outcome))

    def _check_response(self, subject: str, item: Resource, tally: Tally) -> None:
        """Report the entry of a batch-response or transaction-response that did not work (status 4xx or 5xx)."""
        status = text(member(item, "response", "status"))
        if status is not None and status.lstrip()[:1] in ("4", "5"):
            tally.failures += 1
            self.report(subject, "part of it failed at the server that was asked")


def entry_of(resource: Resource, full_url: str | None = None) -> Entry:
    """Return the entry of a resource: named `Type/id`, else by its `fullUrl`, else by its type alone."""
    kind = text(resource.get("resourceType")) or ""
    identifier = resource.get("id")
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = str(identifier)
    named = f"{kind}/{identifier}" if kind and text(identifier) else None
    return Entry(resource, named or full_url or kind, full_url)


def failure_reason(outcome: Resource) -> str:
    """Say that a read failed, with the issue types of the OperationOutcome and nothing else of it."""
    kinds = dict.fromkeys(text(issue.get("code")) or "" for issue in items(outcome.get("issue")))
    known = [kind for kind in kinds if _ISSUE_TYPE.fullmatch(kind)]
    return f"reading it failed ({', '.join(known)})" if known else "reading it failed"


def next_page(bundle: Resource) -> str | None:
    """Return the address of the page after this one: "" where it is not told, None where there is none."""
    links = (link for link in items(bundle.get("link")) if link.get("relation") == "next")
    return next((text(link.get("url")) or "" for link in links), None)


def from_bundle(bundle: Resource) -> Record:
    """Return the record of a Bundle of any type.

    A kind of data that is not in it stays unknown (`ABSENT`): a Bundle says what it holds, not what was looked for.
    `patient_id` is set where there is just one Patient; `encounter_id` is not: a Bundle may hold several encounters.
    """
    collector = Collector()
    if member(bundle, "resourceType") != "Bundle":
        collector.report("Bundle", "not a FHIR Bundle")
        return collector.freeze(dict.fromkeys(PrefetchKey, KeyState.ABSENT))
    tally = collector.add_bundle("Bundle", bundle)
    if tally.more_pages:
        collector.report("Bundle", FIRST_PAGE)
    record = collector.freeze({})
    types = {entry.type for entry in record.entries}
    states = {key: KeyState.PRESENT if kind in types else KeyState.ABSENT for key, kind in RESOURCE_TYPES.items()}
    patients = [entry for entry in record.of_type("Patient") if "#" not in entry.reference]
    patient_id = text(patients[0].resource.get("id")) if len(patients) == 1 else None
    return replace(record, states=states, patient_id=patient_id)


def _entry_list(value: object) -> list[Any]:
    """Return `Bundle.entry` as a list; an object in place of the list is its only member, anything else unreadable."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _has_more(bundle: Resource, matches: int) -> bool:
    """Return whether a Bundle says that there is more than it holds (FHIR R4 http.html#paging)."""
    return next_page(bundle) is not None or (number(bundle.get("total")) or 0) > matches


def _note_deletion(item: Resource, deleted: set[str]) -> None:
    """Remember a deletion: a history comes newest first, so the versions after it are of a resource that is gone."""
    if member(item, "request", "method") == "DELETE":
        deleted.update(index_keys(member(item, "request", "url")))


def _has_identity(entry: Entry) -> bool:
    return entry.reference != entry.type


def _is_later(resource: Resource, other: Resource) -> bool:
    """Return whether `resource` says it is a later version than `other`: by number, else by time of change."""
    versions = [number(member(each, "meta", "versionId")) for each in (resource, other)]
    if versions[0] is not None and versions[1] is not None and versions[0] != versions[1]:
        return versions[0] > versions[1]
    times = [_instant(member(each, "meta", "lastUpdated")) for each in (resource, other)]
    return times[0] is not None and times[1] is not None and times[0] > times[1]


def _instant(value: object) -> datetime | None:
    """Return a FHIR instant; one without an offset is taken as UTC, so that any two can be compared."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read is not None and read.tzinfo is None else read


def _with_contained(entries: Iterable[Entry]) -> Iterator[Entry]:
    """List each entry, and after it the resources it contains."""
    for entry in entries:
        yield entry
        for resource in items(entry.resource.get("contained")):
            yield Entry(resource, f"{entry.reference}#{str(resource.get('id') or '').removeprefix('#')}")


def _index(entries: tuple[Entry, ...]) -> dict[str, Entry]:
    """Return the entries by everything a reference may call them: their own name first, then their `fullUrl`."""
    index: dict[str, Entry] = {}
    for entry in entries:
        index.setdefault(entry.reference, entry)
    for entry in entries:
        if entry.full_url is not None:
            for key in index_keys(entry.full_url):
                index.setdefault(key, entry)
    return index
