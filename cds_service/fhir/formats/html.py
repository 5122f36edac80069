"""HTML to text, by lxml's parser. It reports elements as they come; no tree is built, so none can grow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from cds_service.fhir.formats.charsets import characters
from cds_service.fhir.formats.lines import Lines
from cds_service.fhir.formats.unreadable import TOO_COMPLEX, TOO_DEEP, Unreadable

DEEPEST: Final = 400
"""Elements inside one another; https://html.spec.whatwg.org/#parsing lets a reader set such a bound."""

MOST_ELEMENTS: Final = 200_000
"""Elements of one file: a note saved by a word processor has some thousands."""
_PIECE: Final = 16 * 1024

_SKIPPED: Final = frozenset({
    "script", "style", "head", "title", "template", "noscript", "iframe", "object", "svg", "math", "select",
    "datalist", "audio", "video", "canvas", "del", "s", "strike",
})  # fmt: skip
"""Elements whose words are not the text's: not shown, or struck out."""
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "legend", "main", "nav", "ol", "section",
    "summary", "ul", "caption",
})  # fmt: skip
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_KEPT: Final = frozenset({"pre", "textarea", "xmp", "listing", "plaintext"})
_VOID: Final = frozenset({
    "area", "base", "basefont", "bgsound", "br", "col", "command", "embed", "frame", "hr", "img", "input", "keygen",
    "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all|"
    r"text-decoration(?:-line)?\s*:[^;]*line-through",
    re.IGNORECASE,
)
_KEEPING: Final = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_TAG: Final = re.compile(r"<(?:!--|/?[a-zA-Z][a-zA-Z0-9:]{0,20}[\s/>])")
_BREAKS: Final = re.compile(r"<(?:br|p|div|tr|li|h[1-6]|table|pre|body)\b", re.IGNORECASE)


def html_text(content: bytes, parameters: str = "") -> str:
    """Return the text of an HTML page or fragment, as it would be shown.

    Raises:
        Unreadable: it is not text, too large or nested too deeply.
    """
    return text_of_html(characters(content, parameters, markup=True))


def text_of_html(page: str) -> str:
    """Return the text of decoded HTML; raises as `html_text`."""
    if not _TAG.search(page):  # plain words under the name of HTML: their lines are all the structure there is
        return page
    from lxml import etree  # noqa: PLC0415 - most calls bring plain text only

    parser = etree.HTMLParser(target=_Page(kept=not _BREAKS.search(page)), encoding="utf-8")
    try:
        text: str = fed(parser, page.replace("\0", "\ufffd").encode(errors="replace"))
    except (etree.LxmlError, ValueError):
        raise Unreadable("the HTML cannot be read") from None
    return text


def fed(parser: Any, source: bytes) -> Any:
    """Return what the target of a parser gives. Fed in pieces: within one the parser does not stop for a refusal."""
    for start in range(0, len(source), _PIECE):
        parser.feed(source[start : start + _PIECE])
    return parser.close()


class _Page:
    """The parser's target (https://lxml.de/parsing.html#the-target-parser-interface)."""

    def __init__(self, *, kept: bool = False) -> None:
        self._lines = Lines()
        self._open: list[tuple[str, bool, bool]] = []
        self._elements = 0
        self._skipping = False
        self._kept = kept
        self._numbers: list[int | None] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise Unreadable(TOO_COMPLEX)
        tag = _local(tag)
        if tag in _VOID:
            if not self._skipping:
                self._void(tag, attributes)
            return
        self._open.append((tag, self._skipping, self._kept))
        if len(self._open) > DEEPEST:
            raise Unreadable(TOO_DEEP)
        style = attributes.get("style") or ""
        self._skipping = self._skipping or tag in _SKIPPED or "hidden" in attributes or bool(_HIDING.search(style))
        if tag in _KEPT or "white-space" in style:
            self._kept = tag in _KEPT or bool(_KEEPING.search(style))
        if not self._skipping:
            self._begin(tag)

    def end(self, tag: str) -> None:
        tag = _local(tag)
        if tag in _VOID or all(opened != tag for opened, _, _ in self._open):
            return
        while self._open:
            opened, skipping, kept = self._open.pop()
            if not self._skipping:
                self._finish(opened)
            self._skipping, self._kept = skipping, kept
            if opened == tag:
                return

    def data(self, text: str) -> None:
        if not self._skipping:
            self._lines.words(text, kept=self._kept)

    def comment(self, text: str) -> None:
        """Leave comments out."""

    def close(self) -> str:
        return self._lines.text()

    def _void(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "br":
            self._lines.line_break()
        elif tag == "hr":
            self._lines.blank()
        elif tag == "wbr":
            return
        elif tag == "input":
            self._lines.words(_input(attributes))

    def _begin(self, tag: str) -> None:
        lines = self._lines
        if tag in ("table", "tr", "td", "th"):
            {"table": lines.start_table, "tr": lines.start_row, "td": lines.start_cell, "th": self._heading_cell}[tag]()
        elif tag in ("ul", "ol"):
            lines.end_line()
            self._numbers.append(0 if tag == "ol" else None)
        elif tag == "li":
            lines.item(self._lead())
        elif tag in _HEADINGS:
            lines.blank()
        elif tag == "p" or tag in _BLOCKS or tag in _KEPT:
            lines.end_line()

    def _heading_cell(self) -> None:
        self._lines.start_cell(heading=True)

    def _lead(self) -> str:
        number = self._numbers[-1] if self._numbers else None
        if number is None:
            return "- "
        self._numbers[-1] = number + 1
        return f"{number + 1}. "

    def _finish(self, tag: str) -> None:
        lines = self._lines
        if tag in ("table", "td", "th"):
            {"table": lines.end_table, "td": lines.end_cell, "th": lines.end_cell}[tag]()
        elif tag == "p":
            lines.paragraph()
        elif tag == "li":
            lines.end_item()
        elif tag in _HEADINGS or tag in _BLOCKS or tag in _KEPT:
            lines.end_line()
            if tag in ("ul", "ol") and self._numbers:
                self._numbers.pop()


def _local(tag: Any) -> str:
    """Return the name of an element in small letters and without its prefix ("o:p" of Word's pages)."""
    return str(tag).rpartition(":")[2].lower()


def _input(attributes: Mapping[str, str]) -> str:
    """Return what a form's field shows: a box, ticked or not, or its words."""
    kind = (attributes.get("type") or "text").lower()
    if kind in ("checkbox", "radio"):
        return "[x] " if "checked" in attributes else "[ ] "
    return f"{attributes.get('value') or ''} " if kind == "text" else ""
