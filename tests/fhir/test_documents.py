"""Texts of attachments and annotations: what is read, and what is said not to be."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.bundle import entry_of
from cds_service.fhir.documents import LARGEST_TEXT, DocumentText, read_texts, texts
from cds_service.fhir.record import Unread

NOTE = "Right block at T4–T6. Ropivacaine 0.5 %, 20 mL."


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def document(*attachments: Any, **members: Any) -> Any:
    content = [{"attachment": each} for each in attachments]
    return entry_of(
        {"resourceType": "DocumentReference", "id": "d1", "status": "current", "content": content, **members}
    )


def attachment(content: bytes = NOTE.encode(), kind: Any = "text/plain", **members: Any) -> dict[str, Any]:
    return {"contentType": kind, "data": encoded(content), **members}


def test_a_note_with_all_about_it() -> None:
    entry = document(
        attachment(title="Procedure note"),
        date="2026-03-02T23:30:00-05:00",
        author=[{"reference": "Practitioner/7/_history/1"}, {"reference": "#a"}, {"display": "someone"}],
    )
    expected = DocumentText(
        "DocumentReference/d1",
        "content[0].attachment",
        NOTE,
        date(2026, 3, 2),
        ("Practitioner/7", "DocumentReference/d1#a"),
        "Procedure note",
    )
    assert texts(entry) == (expected,)
    assert read_texts(entry)[1] == ()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (NOTE.encode(), "text/plain"),
        (NOTE.encode(), "TEXT/PLAIN; charset=UTF-8"),
        (NOTE.encode(), 'text/plain;charset="utf-8"'),
        (NOTE.encode("utf-8-sig"), "text/plain"),
        (NOTE.encode("utf-16"), "text/plain; charset=utf-16"),
        (NOTE.encode("utf-16"), "text/plain"),
        (NOTE.encode("utf-16-le"), "text/plain; charset=utf-16le"),
        (NOTE.encode("cp1252"), "text/plain"),
        (NOTE.encode("cp1252"), "text/plain; charset=iso-8859-1"),
        (NOTE.encode("cp1252"), "text/plain; charset=utf-8"),
        (NOTE.encode("cp1251"), "text/plain; charset=windows-1251"),
        (NOTE.encode(), "text/plain; charset=rot13"),
        (NOTE.encode(), "text/plain; charset="),
        (NOTE.encode(), "text/markdown"),
        (NOTE.encode(), None),
        (NOTE.encode(), ""),
        (NOTE.encode(), 3),
    ],
)
def test_charsets_and_content_types(content: bytes, kind: Any) -> None:
    assert [each.text for each in texts(document(attachment(content, kind)))] == [NOTE]


def test_bytes_of_no_charset_still_give_text() -> None:
    assert [each.text for each in texts(document(attachment(b"caf\xe9 \x81")))] == ["café \x81"]


def test_base64_may_be_broken_into_lines() -> None:
    data = "\r\n ".join(encoded(NOTE.encode())[place : place + 20] for place in range(0, 100, 20))
    assert [each.text for each in texts(document({"contentType": "text/plain", "data": data}))] == [NOTE]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (attachment(kind="application/pdf"), "content type application/pdf is not read yet"),
        (attachment(kind="text/html"), "content type text/html is not read yet"),
        (attachment(kind="application/rtf; x=y"), "content type application/rtf is not read yet"),
        (attachment(kind="Jane Roe"), "its content type is not read yet"),
        (attachment(b"%PDF-1.7 ...", None), "content type application/pdf is not read yet"),
        (attachment(b"{\\rtf1 note}"), "content type text/rtf is not read yet"),
        (attachment(b"<html><p>note</p></html>"), "content type text/html is not read yet"),
        (attachment(b'<?xml version="1.0"?><ClinicalDocument/>'), "content type text/xml is not read yet"),
        (attachment(b"a\0b"), "the attachment is not text"),
        (attachment(b" \n"), "the attachment is empty"),
        (attachment(b""), "the attachment is empty"),
        ({"contentType": "text/plain", "data": "plain words!"}, "the attachment is not base64"),
        ({"contentType": "text/plain", "data": "QUJ"}, "the attachment is not base64"),
        ({"contentType": "text/plain", "data": "ü"}, "the attachment is not base64"),
        ({"contentType": "text/plain", "data": 7}, "the attachment is not base64"),
        ({"contentType": "text/plain", "url": "Binary/1"}, "the attachment was not sent with the request"),
        ({"contentType": "text/plain", "data": "", "url": "u"}, "the attachment was not sent with the request"),
        ({"contentType": "text/plain", "title": "x"}, "the attachment is empty"),
        (attachment(b"x" * (LARGEST_TEXT + 1)), "the attachment is larger than 1 MiB"),
        (attachment(b"x" * (2 * LARGEST_TEXT)), "the attachment is larger than 1 MiB"),
        (None, "it has no attachment"),
        ("x", "it has no attachment"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_said(broken: Any, reason: str) -> None:
    entry = document(broken, attachment())
    found, unread = read_texts(entry)
    assert unread == (Unread("DocumentReference/d1", reason),)
    assert [each.path for each in found] == ["content[1].attachment"]


def test_the_largest_text_is_read() -> None:
    assert len(texts(document(attachment(b"x" * LARGEST_TEXT)))) == 1


@pytest.mark.parametrize(
    "members",
    [{"status": "entered-in-error"}, {"status": "superseded"}, {"docStatus": "entered-in-error"}],
)
def test_withdrawn_documents_are_passed_over(members: dict[str, Any]) -> None:
    assert read_texts(document(attachment(), attachment(kind="application/pdf"), **members)) == ((), ())


@pytest.mark.parametrize("members", [{"status": None}, {"status": 3}, {"docStatus": "preliminary"}, {"docStatus": []}])
def test_other_states_are_read(members: dict[str, Any]) -> None:
    assert len(texts(document(attachment(), **members))) == 1


@pytest.mark.parametrize("content", [None, [], "x", 3])
def test_no_content_is_said(content: Any) -> None:
    entry = entry_of({"resourceType": "DocumentReference", "id": "d1", "content": content})
    assert read_texts(entry) == ((), (Unread("DocumentReference/d1", "it has no attachment"),))


@pytest.mark.parametrize(
    ("members", "more", "expected"),
    [
        ({"date": "2026-03-02"}, {"creation": "2026-03-01"}, date(2026, 3, 2)),
        ({}, {"creation": "2026-03-01"}, date(2026, 3, 1)),
        ({"context": {"period": {"start": "2026-02-28"}}}, {}, date(2026, 2, 28)),
        ({"date": "2026"}, {}, None),
        ({"context": []}, {}, None),
    ],
)
def test_day(members: dict[str, Any], more: dict[str, Any], expected: date | None) -> None:
    assert texts(document(attachment(**more), **members))[0].date == expected


@pytest.mark.parametrize(
    ("members", "more", "expected"),
    [
        ({"description": "D", "type": {"text": "T"}}, {"title": "A"}, "A"),
        ({"description": "D", "type": {"text": "T"}}, {}, "D"),
        ({"type": {"coding": [{"display": "T"}]}}, {}, "T"),
        ({}, {}, None),
    ],
)
def test_title(members: dict[str, Any], more: dict[str, Any], expected: str | None) -> None:
    assert texts(document(attachment(**more), **members))[0].title == expected


def test_annotations_of_any_resource() -> None:
    notes = [
        {"text": NOTE, "time": "2026-03-02T10:00:00Z", "authorReference": {"reference": "Practitioner/1"}},
        {"text": " "},
        "x",
        {"text": "second", "authorString": "Dr. Roe"},
    ]
    found = texts(entry_of({"resourceType": "Procedure", "id": "p", "note": notes}))
    assert found == (
        DocumentText("Procedure/p", "note[0].text", NOTE, date(2026, 3, 2), ("Practitioner/1",)),
        DocumentText("Procedure/p", "note[3].text", "second"),
    )


def test_an_annotation_too_large_is_said() -> None:
    entry = entry_of(
        {"resourceType": "Procedure", "id": "p", "note": [{"text": "x" * (LARGEST_TEXT + 1)}, {"text": "y"}]}
    )
    found, unread = read_texts(entry)
    assert [each.text for each in found] == ["y"]
    assert unread == (Unread("Procedure/p", "a note is larger than 1 MiB"),)


def test_annotations_of_a_withdrawn_resource_are_passed_over() -> None:
    assert texts(entry_of({"resourceType": "Procedure", "status": "entered-in-error", "note": [{"text": "x"}]})) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["attachment", "data", "contentType", "url", "text", "reference"]), inner)
    ),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["content", "note", "author", "date", "status", "type", "context"]), JSON))
def test_any_json_is_read(members: dict[str, Any]) -> None:
    read_texts(entry_of({"resourceType": "DocumentReference", **members}))


@given(st.binary(max_size=50), st.text(max_size=20))
def test_any_bytes_are_read(content: bytes, charset: str) -> None:
    read_texts(document(attachment(content, f"text/plain; charset={charset}")))
