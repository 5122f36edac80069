"""The notes of an encounter: which documents count, and what the reader finds in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from cds_service.chart.evidence import Place
from cds_service.chart.model import NotesState
from cds_service.chart.narrative.folding import LIMIT
from cds_service.chart.narrative.reader import read
from cds_service.chart.narrative.reading import NoteReading
from cds_service.fhir.documents import DocumentText
from cds_service.fhir.record import KeyState, PrefetchKey, Record, Unread

MOST_CHARACTERS: Final = 1_000_000
"""Of the notes of one encounter, some hundred pages. Reading costs time, and whoever calls decides how much is sent."""

_TOO_LONG: Final = f"only its first {LIMIT:,} characters were read"
_TOO_MUCH: Final = f"not read: the notes of this encounter have more than {MOST_CHARACTERS:,} characters together"


@dataclass(frozen=True, slots=True)
class Note:
    """A text of the encounter with its reading. `written` dates the document, not what it tells of."""

    place: Place
    reading: NoteReading
    written: date | None


def notes(
    resources: Iterable[tuple[tuple[DocumentText, ...], tuple[Unread, ...]]],
) -> tuple[tuple[Note, ...], tuple[tuple[str, str], ...]]:
    """Return the notes that could be read, and (reference, reason) for those that could not.

    Of one note the first `LIMIT` characters are read, of all together `MOST_CHARACTERS`; the rest is not, and is said.

    `resources` are the texts of each resource, and what of it gave none (`fhir.documents.read_texts`).
    """
    read_notes: list[Note] = []
    unread: list[tuple[str, str]] = []
    left = MOST_CHARACTERS
    for found, problems in resources:
        for text in found:
            size = min(len(text.text), LIMIT)
            if size > left:
                unread.append((text.reference, _TOO_MUCH))
                continue
            left -= size
            read_notes.append(_note(text))
            if len(text.text) > LIMIT:
                unread.append((text.reference, _TOO_LONG))
        unread += [(problem.subject, problem.reason) for problem in problems]
    return tuple(read_notes), tuple(unread)


def notes_state(record: Record, found: tuple[Note, ...], unread: tuple[tuple[str, str], ...]) -> NotesState:
    """Return whether documentation can be judged: read notes, none at all, or not known.

    Where a document could not be read, it may be the one that tells of the block, unless another does.
    """
    documents = record.states.get(PrefetchKey.DOCUMENTS)
    told = any(note.reading.blocks for note in found)
    if told or (found and not unread and documents is not KeyState.FAILED):
        return NotesState.READ
    if unread or documents in (KeyState.ABSENT, KeyState.FAILED):
        return NotesState.UNKNOWN
    return NotesState.NONE


def _note(text: DocumentText) -> Note:
    return Note(Place(text.reference, text.path, text.text), read(text.text), text.date)
