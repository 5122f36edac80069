"""The notes of an encounter: which documents count, and what the reader finds in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from cds_service.chart.bounds import MUCH_TEXT
from cds_service.chart.evidence import Place
from cds_service.chart.model import NotesState
from cds_service.chart.narrative.effort import MOST_CHARACTERS
from cds_service.chart.narrative.folding import LIMIT
from cds_service.chart.narrative.reader import mentions_block, read_if_little
from cds_service.chart.narrative.reading import NoteReading
from cds_service.fhir.documents import DocumentText
from cds_service.fhir.record import KeyState, PrefetchKey, Record, Unread

_TOO_LONG: Final = f"only its first {LIMIT:,} characters were read"

_MUCH_TEXT_TOGETHER: Final = MOST_CHARACTERS // 10
_MANY_TEXTS: Final = 300
"""Below both, no request comes near the limit, and what speaks of a block need not be looked for first."""


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

    Of one note the first `LIMIT` characters are read, of all texts of a request `effort.MOST_CHARACTERS`; the rest is
    not, and is said.

    `resources` are the texts of each resource, and what of it gave none (`fhir.documents.read_texts`).
    """
    given = tuple(resources)
    texts = [text for found, _ in given for text in found]
    if sum(len(text.text) for text in texts) > _MUCH_TEXT_TOGETHER or len(texts) > _MANY_TEXTS:
        # There may be more than is read: what speaks of a block is read before the rest. The order stays.
        for text in texts:
            if mentions_block(text.text):
                read_if_little(text.text)
    read_notes: list[Note] = []
    unread: list[tuple[str, str]] = []
    for found, problems in given:
        for text in found:
            note = _note(text)
            if note is None:
                unread.append((text.reference, MUCH_TEXT))
                continue
            read_notes.append(note)
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


def _note(text: DocumentText) -> Note | None:
    reading = read_if_little(text.text)
    return None if reading is None else Note(Place(text.reference, text.path, text.text), reading, text.date)
