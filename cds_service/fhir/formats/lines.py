"""Builds the text of a marked-up file: words, lines, lists and tables as a person would type them.

A heading, a paragraph and a list item has a line of its own, a row of a table is one line with its cells apart
("T4 | right"), and a table of two columns that is a form gives "label: value" lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cds_service.fhir.formats.unreadable import LARGEST_TEXT, TOO_LONG, Unreadable

_SPACES = re.compile(r"[ \t\n\r\f\v\xa0\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))
_PROSE = 66
"""Characters of a paragraph from which it is prose: a blank line keeps it apart from the next, as in typed notes."""
_LABEL = 40
"""Characters of the longest label of a form."""
_ENDS = ":?=-–|"
"""What a label may end with and need no colon after it."""


@dataclass(slots=True)
class _Frame:
    """The lines of the file, or of one cell."""

    lines: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    lead: str = ""


@dataclass(slots=True)
class _Table:
    """The rows read so far, each a list of cells, each a list of lines; `headed` where a row is of headings."""

    rows: list[list[list[str]]] = field(default_factory=list)
    headed: bool = False
    cell: _Frame | None = None


class Lines:
    """Takes the parts of a file in order and gives its text. Any order of calls is taken: files are not well formed."""

    def __init__(self) -> None:
        self._root = _Frame()
        self._tables: list[_Table] = []
        self._size = 0

    @property
    def _frame(self) -> _Frame:
        return next((table.cell for table in reversed(self._tables) if table.cell is not None), self._root)

    def words(self, text: str, *, kept: bool = False) -> None:
        """Add words to the line; white space is one blank, unless it is `kept` (line breaks are lines then)."""
        self._size += len(text)
        if self._size > 4 * LARGEST_TEXT:
            raise Unreadable(TOO_LONG)
        text = text.translate(_INVISIBLE)
        if not kept:
            self._frame.line.append(text)
            return
        first, *others = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._frame.line.append(first)
        for other in others:
            self.line_break()
            self._frame.line.append(other)

    def end_line(self) -> str:
        """End the line, if it has words, and return it."""
        frame = self._frame
        line = _SPACES.sub(" ", "".join(frame.line)).strip()
        frame.line.clear()
        if line:
            frame.lines.append(f"{frame.lead}{line}")
            frame.lead = ""
        return line

    def line_break(self) -> None:
        """End the line; a second break in a row is a blank line."""
        if not self.end_line():
            self.blank()

    def paragraph(self) -> None:
        """End a paragraph: a blank line follows one of prose, and one that is empty is a blank line."""
        line = self.end_line()
        if not line or (len(line) >= _PROSE and line[-1] in ".:;!?"):
            self.blank()

    def blank(self) -> None:
        """Put a blank line, where there is none yet."""
        self.end_line()
        lines = self._frame.lines
        if lines and lines[-1]:
            lines.append("")

    def item(self, lead: str = "- ") -> None:
        """Begin a list item."""
        self.end_line()
        self._frame.lead = lead

    def end_item(self) -> None:
        """End a list item."""
        self.end_line()
        self._frame.lead = ""

    def start_table(self) -> None:
        """Begin a table; inside a cell it becomes lines of that cell."""
        self.end_line()
        self._tables.append(_Table())

    def start_row(self) -> None:
        """Begin a row."""
        if self._tables:
            self.end_cell()
            self._tables[-1].rows.append([])

    def start_cell(self, *, heading: bool = False) -> None:
        """Begin a cell, of a `heading` or of data."""
        if not self._tables:
            return
        self.end_cell()
        table = self._tables[-1]
        if not table.rows:
            table.rows.append([])
        # A heading at the start of a row is a label, as in a form; further ones are those of columns.
        table.headed = table.headed or (heading and bool(table.rows[-1]))
        table.cell = _Frame()

    def end_cell(self) -> None:
        """End the cell, if one is open."""
        if self._tables and self._tables[-1].cell is not None:
            self.end_line()
            table, cell = self._tables[-1], self._tables[-1].cell
            if table.cell is not None and cell is not None:
                table.rows[-1].append(_trimmed(cell.lines))
                table.cell = None

    def end_table(self) -> None:
        """End the table: its rows become lines."""
        if not self._tables:
            return
        self.end_cell()
        table = self._tables.pop()
        frame = self._frame
        self.end_line()
        frame.lines += _rows(table)

    def text(self) -> str:
        """Return the text, everything left open ended."""
        while self._tables:
            self.end_table()
        self.end_line()
        text = "\n".join(_trimmed(self._root.lines))
        if len(text) > LARGEST_TEXT:
            raise Unreadable(TOO_LONG)
        return text


def _trimmed(lines: Sequence[str]) -> list[str]:
    """Return lines without blank ones at either end."""
    start, end = 0, len(lines)
    while start < end and not lines[start]:
        start += 1
    while end > start and not lines[end - 1]:
        end -= 1
    return list(lines[start:end])


def _rows(table: _Table) -> Iterator[str]:
    form = not table.headed and _is_form(table.rows)
    for row in table.rows:
        yield from _row(row, form=form)


def _row(cells: Sequence[list[str]], *, form: bool) -> Iterator[str]:
    filled = [cell for cell in cells if cell]
    if form and len(filled) == 2 and len(filled[1]) == 1:
        yield _labelled(filled[0][0], filled[1][0])
    elif form and filled and cells[0]:
        yield _labelled(filled[0][0], "").rstrip()
        yield from (line for cell in filled[1:] for line in cell)
    elif all(len(cell) <= 1 for cell in cells):
        yield from _joined(cell[0] if cell else "" for cell in cells)
    else:  # a table that only lays out the page
        yield from (line for cell in filled for line in cell)


def _joined(cells: Iterable[str]) -> Iterator[str]:
    """Yield the cells as one line; a cell that ends as a label does goes with the next."""
    line = ""
    for cell in cells:
        if cell:
            line = f"{line}{'' if not line else ' ' if line.endswith(':') else ' | '}{cell}"
    if line:
        yield line


def _labelled(label: str, value: str) -> str:
    return f"{label} {value}" if label[-1] in _ENDS else f"{label}: {value}"


def _is_form(rows: Sequence[Sequence[list[str]]]) -> bool:
    """Return whether a table has two columns, with a label of its own in the first of each row."""
    filled = [row for row in rows if any(row)]
    if not filled or any(len(row) != 2 or len(row[0]) != 1 for row in filled):
        return False
    labels = [row[0][0] for row in filled]
    if len(set(labels)) < len(labels):
        return False
    return all(len(label) <= _LABEL and label[0].isalpha() and _no_sentence(label) for label in labels)


def _no_sentence(label: str) -> bool:
    return label[-1] not in ".;," and not any(mark in label[:-1] for mark in (": ", ". ", "; "))
