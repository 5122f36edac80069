"""The notes of an encounter: which documents count, and what the reader finds in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from cds_service.chart.evidence import Place
from cds_service.chart.model import NotesState
from cds_service.chart.narrative.reader import read
from cds_service.chart.narrative.reading import NoteReading
from cds_service.fhir.documents import DocumentText, read_texts
from cds_service.fhir.record import Entry, KeyState, PrefetchKey, Record


@dataclass(frozen=True, slots=True)
class Note:
    """A text of the encounter with its reading. `written` dates the document, not what it tells of."""

    place: Place
    reading: NoteReading
    written: date | None


def notes(entries: Iterable[Entry]) -> tuple[tuple[Note, ...], tuple[tuple[str, str], ...]]:
    """Return the notes that could be read, and (reference, reason) for those that could not.

    `entries` are documents, and the Procedures of blocks: their own annotations are notes as well.
    """
    read_notes: list[Note] = []
    unread: list[tuple[str, str]] = []
    for entry in entries:
        found, problems = read_texts(entry)
        read_notes += [_note(text) for text in found]
        unread += [(problem.subject, problem.reason) for problem in problems]
    return tuple(read_notes), tuple(unread)


def notes_state(record: Record, found: tuple[Note, ...], unread: tuple[tuple[str, str], ...]) -> NotesState:
    """Return whether documentation can be judged: read notes, none at all, or not known."""
    if found:
        return NotesState.READ
    if unread or record.states.get(PrefetchKey.DOCUMENTS) in (KeyState.ABSENT, KeyState.FAILED):
        return NotesState.UNKNOWN
    return NotesState.NONE


def _note(text: DocumentText) -> Note:
    return Note(Place(text.reference, text.path, text.text), read(text.text), text.date)
