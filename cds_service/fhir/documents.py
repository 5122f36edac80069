"""The texts of a record: notes sent as attachments, and annotations."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from cds_service.fhir.reading import concept_text, date_of, first_date, items, member, numbered, text
from cds_service.fhir.record import Entry, Unread
from cds_service.fhir.references import contained_id, reference_id

LARGEST_TEXT: Final = 1024 * 1024
"""Bytes of one text that are read; a longer one is reported, not cut: half a note is not the note."""

_TEXT_TYPES: Final = frozenset({"text/plain", "text/markdown"})
# Only these: Python knows "charsets" that are no character sets, and a sender's typing error must not find one.
_CHARSET: Final = re.compile(r"utf-?(?:8|16|16-?[lb]e)|iso-?8859-(?:[2-9]|1\d)|(?:windows-|cp)125\d", re.IGNORECASE)
_CONTENT_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
_MARKUP: Final = (
    ("text/html", re.compile(rb"\s*<(?:!doctype html|html|head|body|div|p|table)\b", re.I)),
    ("text/xml", re.compile(rb"\s*<(?:\?xml|ClinicalDocument)\b")),
    ("text/rtf", re.compile(rb"\s*\{\\rtf")),
    ("application/pdf", re.compile(rb"\s*%PDF-")),
)
_EMPTY: Final = "the attachment is empty"
_WITHDRAWN: Final = frozenset({"entered-in-error", "superseded"})


@dataclass(frozen=True, slots=True)
class DocumentText:
    """One text of the record.

    `path` is where it stands in the resource `reference` names: "content[0].attachment" or "note[0].text".
    `text` is decoded, otherwise exactly as sent. `date` is the day it was written, `authors` are references
    ("Practitioner/1"), `title` is what it is called; None or empty where the record does not say.
    """

    reference: str
    path: str
    text: str
    date: date | None = None
    authors: tuple[str, ...] = ()
    title: str | None = None


class _Unreadable(Exception):  # noqa: N818 - never leaves this module; not an error but an answer
    """Why an attachment gives no text."""


def texts(entry: Entry) -> tuple[DocumentText, ...]:
    """Return the texts of a resource: attachments of a DocumentReference, `note` annotations of any resource.

    Withdrawn resources (entered in error, superseded) have none.
    """
    return read_texts(entry)[0]


def read_texts(entry: Entry) -> tuple[tuple[DocumentText, ...], tuple[Unread, ...]]:
    """Return the texts of a resource, and what of it could not be read, with the reason."""
    resource = entry.resource
    if not _WITHDRAWN.isdisjoint(map(text, (resource.get("status"), resource.get("docStatus")))):
        return (), ()
    found: list[DocumentText] = []
    unread: list[Unread] = []
    for read in _readers(entry):
        try:
            found.append(read())
        except _Unreadable as reason:
            unread.append(Unread(entry.reference, str(reason)))
    return tuple(found), tuple(dict.fromkeys(unread))


def _readers(entry: Entry) -> Iterator[Callable[[], DocumentText]]:
    """Yield a reader for each text of a resource; one that fails leaves the others alone."""
    for place, note in numbered(entry.resource.get("note")):
        if text(note.get("text")) is not None:
            yield partial(_annotation, entry, f"note[{place}].text", note)
    if entry.type == "DocumentReference":
        for place, content in numbered(entry.resource.get("content")) or [(0, {})]:
            yield partial(_attachment, entry, f"content[{place}].attachment", content.get("attachment"))


def _annotation(entry: Entry, path: str, note: Mapping[str, Any]) -> DocumentText:
    words: str = note["text"]
    if len(words) > LARGEST_TEXT:
        raise _Unreadable("a note is larger than 1 MiB")
    authors = _authors(entry, [note.get("authorReference")])
    return DocumentText(entry.reference, path, words, date_of(note.get("time")), authors)


def _attachment(entry: Entry, path: str, attachment: object) -> DocumentText:
    """Read one attachment. Raises `_Unreadable` with the reason, without any content, where it gives no text."""
    if not isinstance(attachment, Mapping):
        raise _Unreadable("it has no attachment")
    words = _decode(_content(attachment), attachment.get("contentType"))
    if not words.strip():
        raise _Unreadable(_EMPTY)
    resource = entry.resource
    # The period of context is the care described, a whole stay in a discharge summary: only the last resort.
    written = first_date(resource, "date") or first_date(attachment, "creation")
    return DocumentText(
        entry.reference,
        path,
        words,
        written or date_of(member(resource, "context", "period")),
        _authors(entry, resource.get("author")),
        text(attachment.get("title")) or text(resource.get("description")) or concept_text(resource.get("type")),
    )


def _content(attachment: Mapping[str, Any]) -> bytes:
    """Return the bytes of an attachment."""
    data = attachment.get("data")
    if data is None or data == "":
        elsewhere = text(attachment.get("url")) is not None
        raise _Unreadable("the attachment was not sent with the request" if elsewhere else _EMPTY)
    if not isinstance(data, str):
        raise _Unreadable("the attachment is not base64")
    if len(data) > LARGEST_TEXT * 3 // 2:  # four characters for three bytes, and room for line breaks
        raise _Unreadable("the attachment is larger than 1 MiB")
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _Unreadable("the attachment is not base64") from None
    if len(content) > LARGEST_TEXT:
        raise _Unreadable("the attachment is larger than 1 MiB")
    return content


def _decode(content: bytes, content_type: object) -> str:
    """Return the text of an attachment that is plain text, by what it says it is and by what it looks like."""
    stated, _, parameters = (text(content_type) or "").lower().partition(";")
    stated = stated.strip()
    actual = next((kind for kind, looks in _MARKUP if looks.match(content)), stated or "text/plain")
    if stated and stated not in _TEXT_TYPES:
        actual = stated
    if actual not in _TEXT_TYPES:
        named = f"content type {actual}" if _CONTENT_TYPE.fullmatch(actual) else "its content type"
        raise _Unreadable(f"{named} is not read yet")
    words = _characters(content, parameters)
    if "\0" in words:
        raise _Unreadable("the attachment is not text")
    return words


def _characters(content: bytes, parameters: str) -> str:
    """Decode by what the bytes themselves show, then by the stated charset, then as Windows-1252, then Latin-1.

    Bytes that are valid UTF-8 are UTF-8 whatever the header says. Latin-1 is read as Windows-1252, as browsers do
    (https://encoding.spec.whatwg.org/#names-and-labels): it is what is sent under that name, dashes and all.
    """
    match = re.search(r"charset\s*=\s*[\"']?([^\s;\"']+)", parameters)
    stated = match[1] if match is not None and _CHARSET.fullmatch(match[1]) else "utf-8"
    charsets = ["utf-8-sig", stated, "cp1252"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        charsets = ["utf-16"]
    elif stated.startswith("utf-16") or stated == "utf16":
        charsets = [stated if stated[-1] == "e" else "utf-16-le", *charsets]
    for charset in charsets:
        try:
            return content.decode(charset)
        except (UnicodeError, LookupError):
            continue
    return content.decode("latin-1")


def _authors(entry: Entry, references: object) -> tuple[str, ...]:
    """Return the references of authors in normal form, contained ones by the name of their entry."""
    named = (
        f"{entry.reference}#{contained_id(reference)}" if contained_id(reference) else reference_id(reference)
        for reference in items(references)
    )
    return tuple(dict.fromkeys(name for name in named if name is not None))
