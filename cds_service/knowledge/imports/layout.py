"""How a published table is recognized: its header, its columns, and the names of its files."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice, zip_longest
from pathlib import PurePosixPath

from cds_service.knowledge.imports.errors import RefusedError, RowError
from cds_service.knowledge.imports.quarter import Quarter
from cds_service.knowledge.imports.sheets import Row, Sheet, preferred

PREAMBLE = 40
"""Rows within which the header is looked for; CMS puts at most a dozen of titles and copyright above it."""
CODE = re.compile(r"[0-9A-Z][0-9]{3}[0-9A-Z]")
"""A CPT or HCPCS code, as the schemas of the tables have it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an import keeps: rows in force in `quarter` about `codes`.

    `blocks` are those that stand for a block, `is_anesthesia` tells the codes of the anesthesia for an operation.
    """

    quarter: Quarter
    codes: Collection[str]
    blocks: Collection[str]
    is_anesthesia: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the table to write. Of two about the same thing, the one in force `since` later counts."""

    row: tuple[str, ...]
    since: date = date.min


@dataclass(frozen=True, slots=True)
class Ignored:
    """A row that is right and not wanted. `why` finishes the sentence "12 rows ...": "deleted before the quarter"."""

    why: str


Outcome = Kept | Ignored
Cells = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layout:
    """A published table.

    `header` is found in one cell of the header row; `above` rows over it belong to the column titles, and so does
    every row below it up to the first with a code in front. `columns` are patterns the joined titles (lower case,
    words) fit, one column each. `files` chooses names in a zip, `foreign` are names and titles of sister tables that
    must not be taken for this one.
    """

    kind: str
    title: str
    header: re.Pattern[str]
    columns: Mapping[str, re.Pattern[str]]
    files: re.Pattern[str]
    foreign: re.Pattern[str]
    suffixes: Sequence[str]
    judge: Callable[[Cells, Scope], Outcome]
    above: int = 0
    free_line: Callable[[str], Cells | None] | None = None
    """Reads a line of the text form without separators, where the table has such a form."""

    def choose(self, names: Sequence[str]) -> Sequence[str]:
        """Return the files of a zip that hold the table, each in one form. Raises `RefusedError`."""
        known = [name for name in names if self.files.search(PurePosixPath(name).name.lower())]
        if not known:
            held = ", ".join(PurePosixPath(name).name for name in names[:5]) or "no txt, csv or xlsx file"
            raise RefusedError(f"the zip holds no file of {self.title}; it holds {held}")
        return preferred(known, self.suffixes)


@dataclass(frozen=True, slots=True)
class Published:
    """A sheet with its header found: what stands above the rows, where each column is, and the rows."""

    sheet: Sheet
    preamble: str
    rows: Iterator[tuple[int, Cells | None]]
    """Number and cells of each row; None for cells where the row is too short or, in free text, unreadable."""


def find_table(sheet: Sheet, layout: Layout, others: Sequence[Layout]) -> Published | None:
    """Return the table of a sheet, or None where the sheet has no header of `layout`.

    Raises:
        RefusedError: the sheet is of another kind, of a sister table, or lacks a column.
    """
    head: list[Row] = []
    for row in sheet.rows:
        head.append(row)
        if layout.free_line is not None and layout.free_line(" ".join(row[1])) is not None:
            return _free_table(sheet, layout.free_line, layout, head)
        if any(layout.header.fullmatch(words(cell)) for cell in row[1]):
            return _columned_table(sheet, layout, head)
        if len(head) > PREAMBLE:
            break
    _refuse_other(sheet, head, others)
    return None


def _refuse_other(sheet: Sheet, head: Sequence[Row], others: Sequence[Layout]) -> None:
    for other in others:
        if any(other.header.fullmatch(words(cell)) for _, row in head for cell in row):
            raise RefusedError(f"{sheet.name}: is a file of {other.title}; import it with --kind {other.kind}")


def _free_table(sheet: Sheet, read: Callable[[str], Cells | None], layout: Layout, head: Sequence[Row]) -> Published:
    preamble = _text(head[:-1])
    _refuse_foreign(sheet, layout, preamble)

    def rows() -> Iterator[tuple[int, Cells | None]]:
        for number, cells in chain(head[-1:], sheet.rows):
            if any(cells) and not _is_note(cells):
                yield number, read(" ".join(cells))

    return Published(sheet, preamble, rows())


def _columned_table(sheet: Sheet, layout: Layout, head: Sequence[Row]) -> Published:
    _refuse_foreign(sheet, layout, _text(head))
    block = [cells for _, cells in head[-1 - layout.above :]]
    first = []
    for row in islice(sheet.rows, PREAMBLE):
        if _starts_data(row[1]):
            first.append(row)
            break
        block.append(row[1])
    titles = [words(" ".join(filter(None, cells))) for cells in zip_longest(*block, fillvalue="")]
    places = {name: _place(sheet, layout, name, pattern, titles) for name, pattern in layout.columns.items()}
    last = max(places.values())

    def rows() -> Iterator[tuple[int, Cells | None]]:
        yield from (named(row) for row in chain(first, sheet.rows) if any(row[1]) and not _is_note(row[1]))

    def named(row: Row) -> tuple[int, Cells | None]:
        number, cells = row
        if len(cells) <= last:
            return number, None
        return number, {name: cells[place] for name, place in places.items()}

    return Published(sheet, _text(head), rows())


def _refuse_foreign(sheet: Sheet, layout: Layout, preamble: str) -> None:
    """Refuse the table of another setting (hospital, supplier, Medicaid), by its title or its name."""
    for text in (preamble, sheet.name):
        if found := layout.foreign.search(text.lower()):
            raise RefusedError(f"{sheet.name}: '{found[0]}' is none of {layout.title}, which are the ones used here")


def _starts_data(cells: Sequence[str]) -> bool:
    return any(CODE.fullmatch(cell) for cell in cells[:2])


def _is_note(cells: Sequence[str]) -> bool:
    """Whether a row is a sentence below the table: a single cell of several words that starts with no number."""
    filled = [cell for cell in cells if cell]
    parts = filled[0].split() if len(filled) == 1 else []
    return len(parts) > 2 and not any(sign.isdigit() for sign in parts[0])


def _place(sheet: Sheet, layout: Layout, name: str, pattern: re.Pattern[str], titles: Sequence[str]) -> int:
    found = [place for place, title in enumerate(titles) if pattern.fullmatch(title)]
    if len(found) != 1:
        count = "no column" if not found else f"{len(found)} columns"
        raise RefusedError(f"{sheet.name}: the header of {layout.title} has {count} for {name.replace('_', ' ')}")
    return found[0]


def _text(head: Sequence[Row]) -> str:
    return " ".join(cell for _, cells in head for cell in cells if cell)


def words(text: str) -> str:
    """Return a title as lower-case words, so that line breaks, signs and underscores in it do not matter."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def code(cells: Cells, name: str) -> str:
    """Return the code in a column. Raises `RowError`."""
    text = cells[name].upper()
    if not CODE.fullmatch(text):
        raise RowError(f"{name.replace('_', ' ')} '{text[:20]}' is no code")
    return text


def pick(cells: Cells, name: str, pattern: str) -> str:
    """Return the text of a column that must fit `pattern`. Raises `RowError`."""
    text = cells[name]
    if not re.fullmatch(pattern, text):
        raise RowError(f"{name.replace('_', ' ')} '{text[:20]}' cannot be read")
    return text


def remark(text: str) -> str:
    """Return a rationale on one line, as long as the schema of the tables allows."""
    return " ".join(text.split())[:200]


def not_in_force(quarter: Quarter, since: date, until: date | None) -> Ignored | None:
    """Return why a row in force from `since` to `until` is not wanted, None where it holds on a day of the quarter."""
    if until is not None and until < since:
        return Ignored("never in force")
    if until is not None and until < quarter.first:
        return Ignored("deleted before the quarter")
    if since > quarter.last:
        return Ignored("not yet in force in the quarter")
    return None
