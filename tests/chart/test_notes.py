"""Which texts are notes, and whether documentation can be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.chart.model import NotesState
from cds_service.chart.narrative.effort import MOST_CHARACTERS, bounded
from cds_service.chart.notes import notes, notes_state
from cds_service.fhir.documents import read_texts
from cds_service.fhir.record import KeyState, PrefetchKey

BLOCK = "Right T4 paravertebral block performed with 20 mL ropivacaine 0.5 %."
PDF = {
    "resourceType": "DocumentReference",
    "id": "pdf",
    "content": [{"attachment": {"contentType": "application/pdf", "data": "JVBERi0="}}],
}


@pytest.mark.parametrize(
    ("texts", "unreadable", "documents", "expected"),
    [
        ([BLOCK], False, KeyState.PRESENT, NotesState.READ),
        ([BLOCK], True, KeyState.PRESENT, NotesState.READ),
        ([BLOCK], False, KeyState.FAILED, NotesState.READ),
        (["Patient slept well."], False, KeyState.PRESENT, NotesState.READ),
        (["Patient slept well."], True, KeyState.PRESENT, NotesState.UNKNOWN),
        (["Patient slept well."], False, KeyState.FAILED, NotesState.UNKNOWN),
        ([], True, KeyState.PRESENT, NotesState.UNKNOWN),
        ([], False, KeyState.ABSENT, NotesState.UNKNOWN),
        ([], False, KeyState.FAILED, NotesState.UNKNOWN),
        ([], False, KeyState.NONE, NotesState.NONE),
        ([], False, KeyState.PRESENT, NotesState.NONE),
    ],
)
def test_whether_documentation_can_be_judged(texts, unreadable, documents, expected, record_of, document):
    resources = [document(f"n{n}", text) for n, text in enumerate(texts)] + ([PDF] if unreadable else [])
    record = record_of(*resources)
    record = replace(record, states={**record.states, PrefetchKey.DOCUMENTS: documents})
    found, unread = notes(read_texts(entry) for entry in record.entries)
    assert notes_state(record, found, unread) is expected
    assert [reference for reference, _ in unread] == (["DocumentReference/pdf"] if unreadable else [])


def test_of_a_note_that_does_not_end_the_beginning_is_read_and_that_is_said(record_of, document):
    record = record_of(document("long", BLOCK + " Slept well." * 20_000))
    found, unread = notes(read_texts(entry) for entry in record.entries)
    assert found[0].reading.blocks
    assert unread == (("DocumentReference/long", "only its first 200,000 characters were read"),)
    assert notes_state(record, found, unread) is NotesState.READ


def test_notes_without_end_are_not_all_read_and_that_is_said(record_of, document):
    sizes = [MOST_CHARACTERS // 10] * 11
    record = record_of(*(document(f"n{n}", (f"{n} {BLOCK} " * size)[:size]) for n, size in enumerate(sizes)))
    with bounded():
        found, unread = notes(read_texts(entry) for entry in record.entries)
    assert [note.place.reference for note in found] == [f"DocumentReference/n{n}" for n in range(10)]
    reason = "not all was read: the texts of this request have more than 500,000 characters together"
    assert unread == (("DocumentReference/n10", reason),)


def test_a_short_note_after_one_that_is_too_much_is_still_read(record_of, document):
    long = "Slept well. " * 16_000  # below the limit of one note
    record = record_of(*(document(f"n{n}", f"{n} {long}") for n in range(3)), document("short", BLOCK))
    with bounded():
        found, unread = notes(read_texts(entry) for entry in record.entries)
    assert [reference for reference, _ in unread] == ["DocumentReference/n2"]
    assert found[-1].place.reference == "DocumentReference/short"
