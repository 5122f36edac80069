"""Which texts are notes, and whether documentation can be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.chart.model import NotesState
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
