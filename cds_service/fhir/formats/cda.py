"""C-CDA documents to text: what a section shows, its title and its narrative block, and a body that is not XML.

Rules: HL7 CDA R2, 4.3.5 (narrative block) and 4.3.1.2 (NonXMLBody). What has no place in a C-CDA and can only do harm
(a document type, and with it entities) is refused before the parser sees it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cds_service.fhir.formats.charsets import characters
from cds_service.fhir.formats.html import MOST_ELEMENTS, fed
from cds_service.fhir.formats.lines import Lines
from cds_service.fhir.formats.unreadable import LARGEST_FILE, TOO_COMPLEX, TOO_DEEP, Unreadable

DEEPEST: Final = 200
"""Elements inside one another; the parser itself gives up at 256."""

_DECLARATION: Final = re.compile(r"\A\s*<\?xml\b[^>]{0,200}\?>")
_FORBIDDEN: Final = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_NOT_XML: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Characters XML has not (https://www.w3.org/TR/xml/#charsets); senders have them all the same."""
_SKIPPED: Final = frozenset({"renderMultiMedia", "footnoteRef", "entry", "entryRelationship"})
_CELLS: Final = frozenset({"td", "th"})


@dataclass(frozen=True, slots=True)
class Body:
    """A document inside the document: its bytes and what it says it is."""

    content: bytes
    content_type: str


def cda_text(content: bytes, parameters: str = "") -> str | Body:
    """Return the text of a C-CDA, or the document of another format that it wraps.

    Raises:
        Unreadable: it is not well formed, not a clinical document, unsafe, or has neither.
    """
    source = characters(content, parameters, markup=True)
    if _FORBIDDEN.search(source):
        raise Unreadable("the XML has a document type definition")
    from lxml import etree  # noqa: PLC0415 - most calls bring plain text only

    cleaned = _NOT_XML.sub(" ", _DECLARATION.sub("", source.removeprefix("\ufeff"), count=1)).strip()
    parser = etree.XMLParser(
        target=_Document(), encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        found: str | Body = fed(parser, cleaned.encode())
    except (etree.LxmlError, ValueError):
        raise Unreadable("the XML is not well formed") from None
    return found


class _Document:
    """The parser's target: follows the names of the open elements and writes down what is narrative."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._open: list[str] = []
        self._elements = 0
        self._skipping = 0
        self._narrative = 0
        self._title = 0
        self._plain: list[str] | None = None
        self._lists: list[int | None] = []
        self._body: list[str] | None = None
        self._body_type = ""
        self._in_base64 = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise Unreadable(TOO_COMPLEX)
        name = _local(tag)
        if not self._open and name != "ClinicalDocument":
            raise Unreadable("XML other than C-CDA is not read yet")
        self._open.append(name)
        if len(self._open) > DEEPEST:
            raise Unreadable(TOO_DEEP)
        if self._skipping or name in _SKIPPED or attributes.get("revised") == "delete":
            self._skipping += 1
        elif self._narrative:
            self._flush_plain()
            self._narrative += 1
            self._begin(name, attributes)
        else:
            self._outside(name, attributes)

    def end(self, _tag: str) -> None:
        name = self._open.pop()
        if self._skipping:
            self._skipping -= 1
        elif self._narrative:
            self._narrative -= 1
            if self._narrative:
                self._finish(name)
            else:
                self._end_narrative()
        elif self._title:
            self._title = 0
            self._lines.end_line()

    def data(self, text: str) -> None:
        if self._skipping:
            return
        if self._body is not None and self._open[-1] == "text":
            self._body.append(text)
        elif self._plain is not None:
            self._plain.append(text)
        elif self._narrative or self._title:
            self._lines.words(text)

    def close(self) -> str | Body:
        if self._body is not None:
            return self._wrapped("".join(self._body))
        return self._lines.text()

    def _outside(self, name: str, attributes: Mapping[str, str]) -> None:
        """Open an element that is not in a narrative block."""
        parent = self._open[-2] if len(self._open) > 1 else ""
        if name == "title" and parent in ("section", "ClinicalDocument"):
            self._lines.blank()
            self._title = 1
        elif name == "text" and parent == "section":
            self._narrative = 1
            self._plain = []
            self._lines.end_line()
        elif name == "text" and parent == "nonXMLBody":
            self._body = []
            self._body_type = attributes.get("mediaType") or ""
            self._in_base64 = (attributes.get("representation") or "").upper() == "B64"

    def _flush_plain(self) -> None:
        """Take words before the first element of a block as its markup has them: white space is blanks."""
        if self._plain is not None:
            for words in self._plain:
                self._lines.words(words)
            self._plain = None

    def _end_narrative(self) -> None:
        if self._plain is not None:  # a block without any markup: its line breaks are all the structure there is
            self._lines.words("".join(self._plain), kept=True)
            self._plain = None
        self._lines.end_line()

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        lines = self._lines
        if name == "list":
            lines.end_line()
            self._lists.append(0 if attributes.get("listType") == "ordered" else None)
        elif name == "item":
            lines.item(self._lead())
        elif name == "table":
            lines.start_table()
        elif name == "tr":
            lines.start_row()
        elif name in _CELLS:
            lines.start_cell(heading=name == "th")
        elif name in ("paragraph", "caption"):
            lines.end_line()
        elif name == "br":
            lines.line_break()

    def _lead(self) -> str:
        number = self._lists[-1] if self._lists else None
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number + 1}. "

    def _finish(self, name: str) -> None:
        lines = self._lines
        if name == "list":
            lines.end_line()
            self._lists.pop()
        elif name == "item":
            lines.end_item()
        elif name == "table":
            lines.end_table()
        elif name in _CELLS:
            lines.end_cell()
        elif name == "paragraph":
            lines.paragraph()
        elif name == "caption":
            lines.end_line()

    def _wrapped(self, words: str) -> Body:
        if not words.strip():
            raise Unreadable("the body of the C-CDA was not sent with it")
        if not self._in_base64:
            return Body(words.encode(errors="replace"), f"{self._body_type or 'text/plain'}; charset=utf-8")
        try:
            content = base64.b64decode("".join(words.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Unreadable("the body of the C-CDA is not base64") from None
        if len(content) > LARGEST_FILE:
            raise Unreadable("the body of the C-CDA is larger than 4 MiB")
        return Body(content, self._body_type)


def _local(tag: Any) -> str:
    """Return the name of an element without its namespace; a prefix nobody declared stays in the name."""
    return str(tag).rpartition("}")[2].rpartition(":")[2]
