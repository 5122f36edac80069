"""What documents say of one another (FHIR R4 DocumentReference.relatesTo): which replace and which append others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cds_service.fhir.reading import items, member, text
from cds_service.fhir.record import Entry, Record

_NO_WORD: Final = frozenset({"entered-in-error", "superseded"})
_AMENDED: Final = frozenset({"amended", "appended"})


def superseded(record: Record) -> frozenset[str]:
    """Return the documents another one replaces, whatever their own status says.

    A document that is withdrawn or a draft replaces nothing, nor do documents that replace each other.
    """
    replaced = {entry.reference: frozenset(targets(entry, record, "replaces")) for entry in _standing(record)}
    return frozenset(
        target
        for replacing, found in replaced.items()
        for target in found
        if target != replacing and not _reaches(replaced, target, replacing)
    )


def amended(record: Record) -> Mapping[str, frozenset[str]]:
    """Return the documents that add to or correct another (`appends`), each with those it does; or that were amended.

    A document that was itself amended after it was final (`docStatus`) names none.
    """
    found = {entry.reference: (entry, frozenset(targets(entry, record, "appends"))) for entry in _standing(record)}
    return {
        reference: named
        for reference, (entry, named) in found.items()
        if named or text(entry.resource.get("docStatus")) in _AMENDED
    }


def targets(entry: Entry, record: Record, code: str) -> Iterator[str]:
    """Yield the documents `entry` relates to in this way."""
    for relation in items(entry.resource.get("relatesTo")):
        named = record.identity(relation.get("target"), entry) if relation.get("code") == code else None
        if named is not None:
            yield named


def in_order(documents: tuple[Entry, ...], record: Record) -> tuple[Entry, ...]:
    """Return documents with each after those it appends, otherwise as they came."""
    appended = {entry.reference: frozenset(targets(entry, record, "appends")) for entry in documents}
    if not any(appended.values()):
        return documents
    ordered: list[Entry] = []
    waiting = list(documents)
    while waiting:
        open_ = {entry.reference for entry in waiting}
        ready = [entry for entry in waiting if not appended[entry.reference] & (open_ - {entry.reference})]
        ready = ready or waiting  # they append each other
        ordered += ready
        done = {id(entry) for entry in ready}
        waiting = [entry for entry in waiting if id(entry) not in done]
    return tuple(ordered)


def _standing(record: Record) -> Iterator[Entry]:
    for entry in record.of_type("DocumentReference"):
        stated = {text(entry.resource.get("status")), text(entry.resource.get("docStatus"))}
        if stated.isdisjoint(_NO_WORD) and member(entry.resource, "docStatus") != "preliminary":
            yield entry


def _reaches(replaced: Mapping[str, frozenset[str]], start: str, end: str) -> bool:
    """Return whether `start` replaces `end`, itself or by way of others."""
    seen, open_ = set(), [start]
    while open_:
        at = open_.pop()
        if at == end:
            return True
        if at not in seen:
            seen.add(at)
            open_ += replaced.get(at, frozenset())
    return False
