"""The text of a file, by what it says it is and by what it looks like."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cds_service.fhir.formats.cda import Body, cda_text
from cds_service.fhir.formats.charsets import characters
from cds_service.fhir.formats.html import html_text
from cds_service.fhir.formats.pdf import pdf_text
from cds_service.fhir.formats.rtf import rtf_text
from cds_service.fhir.formats.unreadable import LARGEST_TEXT, TOO_LARGE, TOO_LONG, Unreadable
from cds_service.memory import Recent


class Format(IntEnum):
    """What a file is; of one text in several formats the first keeps its structure best."""

    PLAIN = 0
    CDA = 1
    HTML = 2
    RTF = 3
    PDF = 4


@dataclass(frozen=True, slots=True)
class Extract:
    """The text of a file, and the format it was read from."""

    text: str
    format: Format


_NAMES: Final = {
    Format.PLAIN: ("text/plain", "text/markdown", "text/x-markdown", "text"),
    Format.CDA: ("text/xml", "application/xml", "application/hl7-sda+xml", "application/hl7-v3+xml",
                 "application/cda+xml", "application/vnd.hl7cda+xml", "text/x-hl7-text+xml", "text/x-cda"),
    Format.HTML: ("text/html", "text/xhtml", "application/xhtml+xml", "application/xhtml", "application/html"),
    Format.RTF: ("text/rtf", "application/rtf", "text/richtext", "application/x-rtf"),
    Format.PDF: ("application/pdf", "application/x-pdf", "text/pdf"),
}  # fmt: skip
_FORMATS: Final = {name: kind for kind, names in _NAMES.items() for name in names}
_SAYS_NOTHING: Final = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/unknown", "application/x-unknown"}
)
_CONTENT_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
# What a file begins with, said with certainty; a byte order mark may stand before it.
_SIGNS: Final = (
    (Format.PDF, re.compile(rb"\s{0,99}%PDF-")),
    (Format.RTF, re.compile(rb"\s{0,99}\{\\(?:rtf|urtf)")),
    (Format.HTML, re.compile(
        rb"\s{0,99}(?:<\?xml[^>]{0,200}\?>\s{0,99})?(?:<!--.{0,999}?-->\s{0,99})?<(?:!doctype\s+html|html|head|body)\b|"
        rb"\s{0,99}<\?xml[^>]{0,200}\?>\s{0,99}<(?:div|p|table|span)\b",
        re.I | re.S)),
    (Format.CDA, re.compile(rb"\s{0,99}<(?:\?xml\b|!doctype\s|(?:\w{1,20}:)?ClinicalDocument\b)", re.I)),
)  # fmt: skip
# A fragment of a page, for a file that says it is plain text or nothing.
_FRAGMENT: Final = re.compile(
    rb"\s{0,99}<(?:div|p|table|span|h[1-6]|ul|ol|pre|font|center|br|b|meta|title|style|link)\b[^<>]{0,999}>", re.I
)
_MARKS: Final = re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff")
_HEAD: Final = 4096

_REMEMBERED: Final = 128
_SHORT: Final = 64 * 1024
"""Characters of a text that is kept: hooks fire again on the same chart, and a PDF costs more than all its reading."""
_recent: Recent[Extract | str | None] = Recent(_REMEMBERED)


def extract(content: bytes, content_type: str | None = None) -> Extract:
    """Return the text of a file. The same bytes give the same text.

    Args:
        content: the file, decoded from base64.
        content_type: what it says it is, with parameters; None where it does not say.

    Raises:
        Unreadable: why it gives no text, without any of its content.
    """
    stated, _, parameters = (content_type or "").lower().partition(";")
    kind = _format(content, stated.strip())
    if kind is Format.PLAIN:
        return Extract(_plain(content, parameters), kind)
    digest = hashlib.blake2b(content, digest_size=16, person=b"text", salt=kind.name.encode()).digest()
    digest += parameters.encode(errors="replace")[:99]
    known = _recent.get(digest, None) or _outcome(content, kind, parameters)
    if isinstance(known, str) or len(known.text) <= _SHORT:
        _recent.put(digest, known)
    if isinstance(known, str):
        raise Unreadable(known)
    return known


def _outcome(content: bytes, kind: Format, parameters: str) -> Extract | str:
    """Return what a file gives, or the reason why it gives nothing."""
    try:
        return _marked_up(content, kind, parameters)
    except Unreadable as reason:
        return str(reason)


def _marked_up(content: bytes, kind: Format, parameters: str) -> Extract:
    if kind is Format.CDA:
        found = cda_text(content, parameters)
        return _of_body(found) if isinstance(found, Body) else _checked(found, kind)
    if kind is Format.HTML:
        return _checked(html_text(content, parameters), kind)
    return _checked(rtf_text(content) if kind is Format.RTF else pdf_text(content), kind)


def _of_body(body: Body) -> Extract:
    """Return the text of what a C-CDA wraps; a C-CDA in a C-CDA is not read."""
    stated, _, parameters = body.content_type.lower().partition(";")
    kind = _format(body.content, stated.strip())
    if kind is Format.CDA:
        raise Unreadable("a C-CDA inside a C-CDA is not read")
    if kind is Format.PLAIN:
        return Extract(_plain(body.content, parameters), kind)
    return _marked_up(body.content, kind, parameters)


def _checked(text: str, kind: Format) -> Extract:
    if len(text) > LARGEST_TEXT:
        raise Unreadable(TOO_LONG)
    return Extract(text, kind)


def _format(content: bytes, stated: str) -> Format:
    """Return the format of a file: the one it begins as, else the one it says it is."""
    head = _MARKS.sub(b"", content[:_HEAD], count=1)
    narrow = head.replace(b"\0", b"") if head[:64].count(b"\0") > 8 else head  # UTF-16
    shown = next((kind for kind, looks in _SIGNS if looks.match(narrow)), None)
    if shown is not None:
        return shown
    named = _FORMATS.get(stated)
    if named in (None, Format.PLAIN) and _FRAGMENT.match(narrow):
        return Format.HTML
    if named is None and stated in _SAYS_NOTHING:
        return Format.PLAIN
    if named is None:
        reason = f"content type {stated}" if _CONTENT_TYPE.fullmatch(stated) else "its content type"
        raise Unreadable(f"{reason} is not read yet")
    return Format.PLAIN if named is not Format.HTML and _is_words(content, narrow, named) else named


def _is_words(content: bytes, head: bytes, named: Format) -> bool:
    """Return whether a file is plain words under the name of another format."""
    if head.lstrip().startswith(b"<") or (named is Format.PDF and b"%PDF-" in head):
        return False
    try:
        return content.decode("utf-8").replace("\n", "").replace("\r", "").replace("\t", "").isprintable()
    except UnicodeDecodeError:
        return False


def _plain(content: bytes, parameters: str) -> str:
    if len(content) > LARGEST_TEXT:
        raise Unreadable(TOO_LARGE)
    words = characters(content, parameters)
    if "\0" in words:
        raise Unreadable("the attachment is not text")
    return words
