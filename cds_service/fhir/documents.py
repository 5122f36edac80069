"""The texts of a record: notes sent as attachments, and annotations."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from cds_service.fhir.formats.extract import Format, extract
from cds_service.fhir.formats.unreadable import LARGEST_FILE, LARGEST_TEXT, Unreadable
from cds_service.fhir.reading import concept_text, date_of, first_date, items, member, numbered, text
from cds_service.fhir.record import AttachedFile, Entry, Record, Unread
from cds_service.fhir.references import contained_id, reference_id

NOT_SENT: Final = "the attachment was not sent with the request"
_EMPTY: Final = "the attachment is empty"
_LARGE: Final = "the attachment is larger than 4 MiB"
_WORD: Final = re.compile(r"\w+")
_NEARLY_ALL: Final = 0.8
"""Of the words of a text, from which a better format is taken although it lacks the rest, such as a letterhead."""
_MOST_CONTENTS: Final = 20
"""Attachments of one document that are read: they are one text in several formats, each held against the others."""
_MANY: Final = "it has more than 20 attachments"
_WITHDRAWN: Final = frozenset({"entered-in-error", "superseded"})


@dataclass(frozen=True, slots=True)
class DocumentText:
    """One text of the record.

    `path` is where it stands in the resource `reference` names: "content[0].attachment" or "note[0].text".
    `text` is what evidence quotes: plain text decoded and otherwise exactly as sent, of other formats the words and
    lines that are shown. `date` is the day it was written, `authors` are references ("Practitioner/1"), `title` is what
    it is called; None or empty where the record does not say.
    """

    reference: str
    path: str
    text: str
    date: date | None = None
    authors: tuple[str, ...] = ()
    title: str | None = None


def texts(entry: Entry) -> tuple[DocumentText, ...]:
    """Return the texts of a resource: attachments of a DocumentReference, `note` annotations of any resource.

    Withdrawn resources (entered in error, superseded) have none.
    """
    return read_texts(entry)[0]


def read_texts(entry: Entry, record: Record | None = None) -> tuple[tuple[DocumentText, ...], tuple[Unread, ...]]:
    """Return the texts of a resource, and what of it could not be read, with the reason.

    `record` is where a Binary that an attachment points to is looked for; without it, in the resource alone.
    """
    if _is_withdrawn(entry):
        return (), ()
    notes: list[DocumentText] = []
    attached: list[tuple[DocumentText, Format]] = []
    unread: list[Unread] = []
    for read in _readers(entry, record):
        try:
            found = read()
        except Unreadable as reason:
            unread.append(Unread(entry.reference, str(reason)))
        else:
            if isinstance(found, DocumentText):
                notes.append(found)
            else:
                attached.append(found)
    return (*notes, *_each_once(attached)), tuple(dict.fromkeys(unread))


def _is_withdrawn(entry: Entry) -> bool:
    return not _WITHDRAWN.isdisjoint(map(text, (entry.resource.get("status"), entry.resource.get("docStatus"))))


def _readers(entry: Entry, record: Record | None) -> Iterator[Callable[[], DocumentText | tuple[DocumentText, Format]]]:
    """Yield a reader for each text of a resource; one that fails leaves the others alone."""
    for place, note in numbered(entry.resource.get("note")):
        if text(note.get("text")) is not None:
            yield partial(_annotation, entry, f"note[{place}].text", note)
    if entry.type == "DocumentReference":
        contents = numbered(entry.resource.get("content")) or ((0, {}),)
        if len(contents) > _MOST_CONTENTS:
            yield _too_many
        for place, content in contents[:_MOST_CONTENTS]:
            yield partial(_attachment, entry, f"content[{place}].attachment", content.get("attachment"), record)


def _too_many() -> DocumentText:
    raise Unreadable(_MANY)


def _annotation(entry: Entry, path: str, note: Mapping[str, Any]) -> DocumentText:
    words: str = note["text"]
    if len(words) > LARGEST_TEXT:
        raise Unreadable("a note is larger than 1 MiB")
    authors = _authors(entry, [note.get("authorReference")])
    return DocumentText(entry.reference, path, words, date_of(note.get("time")), authors)


def _attachment(entry: Entry, path: str, attachment: object, record: Record | None) -> tuple[DocumentText, Format]:
    """Read one attachment. Raises `Unreadable` with the reason, without any content, where it gives no text."""
    if not isinstance(attachment, Mapping):
        raise Unreadable("it has no attachment")
    data, content_type = _data(entry, attachment, record)
    found = extract(_decoded(data), content_type)
    if not found.text.strip():
        raise Unreadable(_EMPTY)
    resource = entry.resource
    # The period of context is the care described, a whole stay in a discharge summary: only the last resort.
    written = first_date(resource, "date") or first_date(attachment, "creation")
    read = DocumentText(
        entry.reference,
        path,
        found.text,
        written or date_of(member(resource, "context", "period")),
        _authors(entry, resource.get("author")),
        text(attachment.get("title")) or text(resource.get("description")) or concept_text(resource.get("type")),
    )
    return read, found.format


def _data(entry: Entry, attachment: Mapping[str, Any], record: Record | None) -> tuple[object, str | None]:
    """Return the base64 of an attachment, its own or that of the Binary it points to, and its content type."""
    stated = text(attachment.get("contentType"))
    data = attachment.get("data")
    if data is not None and data != "":
        return data, stated
    address = text(attachment.get("url"))
    if address is None:
        raise Unreadable(_EMPTY)
    if address.lstrip().lower().startswith("data:"):
        raise Unreadable("an attachment in a data: address is not read")
    binary = _binary(entry, address, record)
    if binary is None:
        raise Unreadable(NOT_SENT if record is None else record.unfetched.get(address, NOT_SENT))
    data = binary.get("data")
    if data is None or data == "":
        raise Unreadable(_EMPTY)
    return data, stated or text(binary.get("contentType"))


def _binary(entry: Entry, address: str, record: Record | None) -> Mapping[str, Any] | None:
    """Return the Binary of the record, or of the resource itself, that an address names."""
    if record is not None:
        found = record.resolve(address, entry)
        return found.resource if found is not None and found.type == "Binary" else None
    local = contained_id(address)
    inside = (each for each in items(entry.resource.get("contained")) if local and each.get("id") == local)
    return next((each for each in inside if each.get("resourceType") == "Binary"), None)


def unsent(entry: Entry, record: Record) -> tuple[AttachedFile, ...]:
    """Return the attachments of a document whose content is not in the record, each address once.

    Whoever may read the FHIR server adds the Binary resources they name to the record, and nothing else changes.
    """
    if entry.type != "DocumentReference" or _is_withdrawn(entry):
        return ()
    attachments = (member(content, "attachment") for content in items(entry.resource.get("content")))
    found = (
        AttachedFile(entry.reference, address, text(member(attachment, "contentType")))
        for attachment in attachments
        if not member(attachment, "data") and (address := text(member(attachment, "url"))) is not None
    )
    each_once = {file.address: file for file in found}
    return tuple(
        file
        for address, file in each_once.items()
        if contained_id(address) is None
        and not address.lstrip().lower().startswith("data:")
        and _binary(entry, address, record) is None
    )


def _decoded(data: object) -> bytes:
    """Return the bytes of base64, which may be broken into lines."""
    if not isinstance(data, str):
        raise Unreadable("the attachment is not base64")
    if len(data) > LARGEST_FILE * 3 // 2:  # four characters for three bytes, and room for line breaks
        raise Unreadable(_LARGE)
    try:
        content = base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("the attachment is not base64") from None
    if len(content) > LARGEST_FILE:
        raise Unreadable(_LARGE)
    return content


def _each_once(found: Sequence[tuple[DocumentText, Format]]) -> list[DocumentText]:
    """Leave out texts of one document that say what another says: it was sent in several formats.

    FHIR R4 (documentreference.html#scope) has contents of one document be one text in several formats; not all senders
    keep to that. So a text goes only where another has every word of it.
    """
    if len(found) < 2:
        return [read for read, _ in found]
    ranked = sorted(found, key=lambda each: each[1])
    words = {read.path: frozenset(_WORD.findall(read.text.casefold())) for read, _ in ranked}
    kept: list[str] = []
    for read, _ in ranked:
        own = words[read.path]
        fuller = [path for path in kept if words[path] < own and len(words[path]) < _NEARLY_ALL * len(own)]
        if any(own <= words[path] for path in kept):
            continue
        if not any(words[path] < own for path in kept) or fuller:
            kept = [path for path in kept if path not in fuller]
            kept.append(read.path)
    return [read for read, _ in found if read.path in kept]


def _authors(entry: Entry, references: object) -> tuple[str, ...]:
    """Return the references of authors in normal form, contained ones by the name of their entry."""
    named = (
        f"{entry.reference}#{contained_id(reference)}" if contained_id(reference) else reference_id(reference)
        for reference in items(references)
    )
    return tuple(dict.fromkeys(name for name in named if name is not None))
