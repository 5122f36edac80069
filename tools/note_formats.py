"""Typed notes in the formats a chart sends them in: for tests that the format changes nothing of what is read.

Each function takes the text of a note and returns the bytes of a file that shows it, line for line.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable
from typing import Final

_PDF_LINES: Final = 60
"""Lines on a page."""


def html_paragraphs(note: str) -> bytes:
    """Return a page with a paragraph for each line, as word processors save it, in Windows-1252."""
    lines = "\n".join(f"<p class=MsoNormal>{html.escape(line) or '&nbsp;'}<o:p></o:p></p>" for line in note.split("\n"))
    head = '<head><meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><style>p{margin:0}</style>'
    return f"<html>{head}</head><body lang=EN-US>{lines}</body></html>".encode("cp1252", "xmlcharrefreplace")


def html_breaks(note: str) -> bytes:
    """Return a fragment with line breaks, as a chart's own editor saves it."""
    return f"<div>{'<br>'.join(html.escape(line) for line in note.split(chr(10)))}</div>".encode()


def html_table(note: str) -> bytes:
    """Return a page whose "Label: value" lines are rows of a table, with the labels in bold."""
    parts = []
    for line in note.split("\n"):
        label, colon, value = (part.strip() for part in line.partition(":"))
        if colon and value and len(label) <= 30:
            cells = (f"<b>{html.escape(label)}</b>", html.escape(value))
            parts.append(f"<table><tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr></table>")
        else:
            parts.append(f"<div>{html.escape(line) or '<br>'}</div>")
    page = "\n".join(parts).replace("</table>\n<table>", "\n")
    return f"<!DOCTYPE html><html><body>{page}</body></html>".encode()


def rtf(note: str) -> bytes:
    """Return an RTF file with a paragraph for each line, with the styles, header and footer a word processor adds."""
    body = "\\par\n".join("".join(_rtf_character(character) for character in line) for line in note.split("\n"))
    head = (
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fswiss\fcharset0 Calibri;}{\f1\froman\fcharset2 Symbol;}}"
        r"{\colortbl;\red0\green0\blue0;}{\stylesheet{\ql \f0\fs22 \snext0 Normal;}}{\*\generator Writer 1;}"
        r"{\info{\title Note}{\author Nobody}}{\header\pard\qr Page header\par}{\footer\pard\qc Page 1\par}"
    )
    return f"{head}\n\\viewkind4\\uc1\\pard\\f0\\fs22 {body}\\par\n}}".encode("ascii")


def _rtf_character(character: str) -> str:
    if character in "\\{}":
        return f"\\{character}"
    if character.isascii():
        return character
    try:
        return f"\\'{character.encode('cp1252').hex()}"
    except UnicodeEncodeError:
        units = character.encode("utf-16-le")
        return "".join(
            f"\\u{int.from_bytes(units[n : n + 2], 'little', signed=True)}?" for n in range(0, len(units), 2)
        )


def cda(note: str) -> bytes:
    """Return a C-CDA with one section: its narrative holds a paragraph for each line."""
    lines = "".join(f"<paragraph>{html.escape(line)}</paragraph>" for line in note.split("\n"))
    return _clinical_document(
        f"<structuredBody><component><section><text>{lines}</text></section></component></structuredBody>"
    )


def cda_unstructured(note: str) -> bytes:
    """Return a C-CDA whose body is an RTF file."""
    data = base64.b64encode(rtf(note)).decode()
    return _clinical_document(f'<nonXMLBody><text mediaType="text/rtf" representation="B64">{data}</text></nonXMLBody>')


def _clinical_document(body: str) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<ClinicalDocument xmlns="urn:hl7-org:v3"><realmCode code="US"/>'
    return f"{head}<component>{body}</component></ClinicalDocument>".encode()


def pdf(note: str) -> bytes:
    """Return a PDF with the lines of the note as text, in Windows' encoding of Western characters."""
    lines = note.split("\n")
    pages = [lines[start : start + _PDF_LINES] for start in range(0, len(lines), _PDF_LINES)]
    contents = [b"BT /F1 10 Tf 12 TL 50 800 Td\n" + b"\n".join(map(_pdf_line, page)) + b"\nET" for page in pages]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in enumerate(contents):
        objects += [
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {5 + 2 * number} 0 R >>".encode(),
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        ]
    return pdf_file(objects)


def _pdf_line(line: str) -> bytes:
    shown = line.encode("cp1252", "replace")
    for character in (b"\\", b"(", b")"):
        shown = shown.replace(character, b"\\" + character)
    return b"(" + shown + b") Tj T*"


def pdf_file(objects: list[bytes], trailer: str = "") -> bytes:
    """Return a PDF file of these objects, of which the first is its catalog."""
    content, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    return (
        content
        + (
            f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\n"
            f"startxref\n{len(content)}\n%%EOF\n"
        ).encode()
    )


FORMATS: Final[dict[str, tuple[str, Callable[[str], bytes]]]] = {
    "html-paragraphs": ("text/html", html_paragraphs),
    "html-breaks": ("text/html; charset=utf-8", html_breaks),
    "html-table": ("text/xhtml", html_table),
    "rtf": ("application/rtf", rtf),
    "cda": ("text/xml", cda),
    "cda-unstructured": ("application/hl7-sda+xml", cda_unstructured),
    "pdf": ("application/pdf", pdf),
}
"""Name to content type and the function that makes the file."""
