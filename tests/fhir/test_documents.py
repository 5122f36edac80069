"""Texts of attachments and annotations: what is read, and what is said not to be."""

from __future__ import annotations

import base64
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.bundle import entry_of, from_bundle
from cds_service.fhir.documents import DocumentText, read_texts, texts, unsent
from cds_service.fhir.formats.unreadable import LARGEST_FILE, LARGEST_TEXT
from cds_service.fhir.record import AttachedFile, Unread

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
        (attachment(kind="image/png"), "content type image/png is not read yet"),
        (attachment(b"PK\3\4", "application/zip; x=y"), "content type application/zip is not read yet"),
        (attachment(kind="Jane Roe"), "its content type is not read yet"),
        (attachment(b"%PDF-1.7 ...", None), "the PDF cannot be read"),
        (attachment(b"\xff\xd8\xff\xe0", "application/pdf"), "the PDF cannot be read"),
        (attachment(b"{\\rtf1 }"), "the attachment is empty"),
        (attachment(b"<html><p> </p></html>"), "the attachment is empty"),
        (attachment(b'<?xml version="1.0"?><ClinicalDocument/>'), "the attachment is empty"),
        (attachment(b'<?xml version="1.0"?><note/>'), "XML other than C-CDA is not read yet"),
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
        (attachment(b"x" * (LARGEST_FILE + 1), "text/html"), "the attachment is larger than 4 MiB"),
        (attachment(b"x" * (2 * LARGEST_FILE), "text/html"), "the attachment is larger than 4 MiB"),
        ({"url": "data:text/plain;base64,UmlnaHQ="}, "an attachment in a data: address is not read"),
        ({"url": " DATA:,Right"}, "an attachment in a data: address is not read"),
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
    assert read_texts(document(attachment(), attachment(kind="image/png"), **members)) == ((), ())


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


BINARY = {"resourceType": "Binary", "id": "b1", "contentType": "text/html", "data": encoded(b"<p>Right<p>block")}


def bundle(document: Any, *resources: Any, url: str | None = None) -> Any:
    entries = [{"resource": document}, *({"fullUrl": url, "resource": each} for each in resources)]
    return from_bundle({"resourceType": "Bundle", "type": "collection", "entry": entries})


@pytest.mark.parametrize(
    ("address", "full_url"),
    [
        ("Binary/b1", None),
        ("Binary/b1/_history/2", None),
        ("https://fhir.example/r4/Binary/b1", None),
        ("https://fhir.example/r4/Binary/b1", "https://fhir.example/r4/Binary/b1"),
        ("urn:uuid:0a1b2c3d-0000-4000-8000-000000000001", "urn:uuid:0a1b2c3d-0000-4000-8000-000000000001"),
    ],
)
def test_an_attachment_elsewhere_in_the_record(address: str, full_url: str | None) -> None:
    record = bundle(document({"url": address}).resource, BINARY, url=full_url)
    entry = record.of_type("DocumentReference")[0]
    (found,), unread = read_texts(entry, record)
    assert (found.reference, found.path) == ("DocumentReference/d1", "content[0].attachment")
    assert found.text == "Right\nblock"
    assert unread == ()
    assert unsent(entry, record) == ()


def test_an_attachment_contained_in_its_document() -> None:
    entry = document({"url": "#b1"}, contained=[{"resourceType": "Patient", "id": "p"}, BINARY])
    assert [each.text for each in texts(entry)] == ["Right\nblock"]


@pytest.mark.parametrize(
    ("address", "contained", "reason"),
    [
        ("#b2", [BINARY], "the attachment was not sent with the request"),
        ("#p", [{"resourceType": "Patient", "id": "p"}], "the attachment was not sent with the request"),
        ("#b1", [{"resourceType": "Binary", "id": "b1"}], "the attachment is empty"),
        ("Patient/p", [], "the attachment was not sent with the request"),
        ("https://elsewhere.example/note.txt", [], "the attachment was not sent with the request"),
        ("javascript:x", [], "the attachment was not sent with the request"),
    ],
)
def test_an_attachment_that_is_nowhere(address: str, contained: Any, reason: str) -> None:
    record = bundle(document({"url": address}, contained=contained).resource, {"resourceType": "Patient", "id": "p"})
    entry = record.of_type("DocumentReference")[0]
    assert read_texts(entry, record) == ((), (Unread("DocumentReference/d1", reason),))


def test_what_would_have_to_be_fetched() -> None:
    contents = [{"url": url} for url in ("Binary/b1", "Binary/b2", "#c", "data:,x", "Binary/b2")]
    entry = document(*contents, attachment(url="Binary/b3"), None)
    assert unsent(entry, bundle(entry.resource, BINARY)) == (AttachedFile("DocumentReference/d1", "Binary/b2"),)
    assert unsent(document({"url": "Binary/b2"}, status="superseded"), bundle({})) == ()


PAGE = b"<html><body><p>Right block at T4\xe2\x80\x93T6.</p><p>Ropivacaine 0.5 %, 20 mL.</p></body></html>"
LETTER = NOTE + " Any Hospital, First Street"


@pytest.mark.parametrize(
    ("contents", "paths"),
    [
        pytest.param([attachment(PAGE, "text/html"), attachment()], [1], id="better-format"),
        pytest.param([attachment(), attachment()], [0], id="equal"),
        pytest.param([attachment(), attachment(LETTER.encode(), "text/html")], [1], id="fuller-text"),
        pytest.param([attachment(b"See file. Right."), attachment(PAGE, "text/html")], [0, 1], id="others"),
        pytest.param([attachment(b"Right block"), attachment(PAGE, "text/html")], [1], id="extract"),
        pytest.param([attachment(), attachment(NOTE.replace("Right", "Left").encode())], [0, 1], id="another-side"),
        pytest.param([attachment(), attachment(PAGE.replace(b"T6", b"T7"), "text/html")], [0, 1], id="another-level"),
    ],
)
def test_a_text_in_several_formats_is_read_once(contents: list[Any], paths: list[int]) -> None:
    assert [each.path for each in texts(document(*contents))] == [f"content[{n}].attachment" for n in paths]
