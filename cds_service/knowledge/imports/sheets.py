"""The rows of a file as text cells with their line numbers, whether it is text, a workbook, or a zip of these.

Files come from outside, so all of them are bounded: a zip is measured before it is opened, and every part of a
workbook is unpacked once, counted and thrown away, before the library for workbooks sees it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from cds_service.knowledge.imports.errors import RefusedError

Row = tuple[int, tuple[str, ...]]
"""The number of a line (or of a sheet's row) and its cells without blanks around them."""

MOST_UNPACKED: Final = 2 * 1024**3
"""All parts of one zip together. The largest table of CMS, in four parts, is about a quarter of it."""
MOST_WORKBOOK: Final = 1024**3
MOST_RATIO: Final = 200
"""How many times larger than packed; tables of CMS are 10 to 30 times."""
LONGEST_LINE: Final = 1024**2
_HEAD: Final = 60
"""Lines that show what separates the cells."""
_MOST_MEMBERS: Final = 1000
_SMALL: Final = 16 * 1024**2
"""Below this, the ratio does not matter: a short file of equal rows packs better than any limit."""
_CHUNK: Final = 1024**2
_PLACE: Final = re.compile(rb'<(?:\w+:)?(?:c|row)\b[^>]{0,99}?\br="([A-Z]{0,3})([0-9]{1,9})"')
"""A row or a cell of a workbook that says where it is."""
_PLACE_LENGTH: Final = 128
_FAR_COLUMN: Final = re.compile(rb"[B-Z][A-Z]|[A-Z]{3}")
"""Beyond column AZ; the widest table of CMS ends at AF."""
_FAR_ROWS: Final = 10_000
"""Rows that may be left out between and below those there are."""
_SUFFIXES: Final = (".txt", ".csv", ".xlsx")
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as published: its name in messages, what its rows are called, and the rows, to be read once."""

    name: str
    unit: str
    rows: Iterator[Row]

    def place(self, number: int) -> str:
        """Return where a row is, as messages say it."""
        return f"{self.name}, {self.unit} {number}"


def read_sheets(path: Path, wanted: Callable[[Sequence[str]], Sequence[str]]) -> Iterator[Sheet]:
    """Yield the tables of a file; the rows of one must be read before the next is asked for.

    Args:
        path: a text file, an xlsx workbook, or a zip of these.
        wanted: chooses among the names of the files in a zip.

    Raises:
        RefusedError: the file cannot be read, is of another kind, or is too large when unpacked.
    """
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                yield from _zipped(path.name, file, wanted)
            else:
                file.seek(0)
                yield text_sheet(path.name, file)
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror or 'cannot be read'}") from None


def _zipped(name: str, file: IO[bytes], wanted: Callable[[Sequence[str]], Sequence[str]]) -> Iterator[Sheet]:
    with _unpacked(name):
        archive = zipfile.ZipFile(file)
    with archive:
        _measure(name, archive, MOST_UNPACKED)
        names = [info.filename for info in archive.infolist()]
        if "xl/workbook.xml" in names:
            file.seek(0)
            yield from _workbook(name, file)
            return
        tables = [n for n in names if n.lower().endswith(_SUFFIXES) and not n.startswith(("__MACOSX/", "."))]
        for member in wanted(tables):
            label = f"{name}: {PurePosixPath(member).name}"
            with _unpacked(label), archive.open(member) as part:
                if member.lower().endswith(".xlsx"):
                    yield from _workbook(label, io.BytesIO(part.read()))
                else:
                    yield text_sheet(label, part)


def _measure(name: str, archive: zipfile.ZipFile, most: int) -> None:
    members = archive.infolist()
    if len(members) > _MOST_MEMBERS:
        raise RefusedError(f"{name}: holds {len(members)} files, more than any table of CMS")
    if any(member.flag_bits & 0x1 for member in members):
        raise RefusedError(f"{name}: is protected by a password")
    size, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if size > most or (size > _SMALL and size > MOST_RATIO * max(packed, 1)):
        raise RefusedError(f"{name}: unpacks to {size // 1024**2} MB, which no table of CMS does; it is not read")


@contextmanager
def _unpacked(name: str) -> Iterator[None]:
    """Say every way in which a file, or a zip, can be broken in one line."""
    try:
        yield
    except RefusedError:
        raise
    except _ZIP_ERRORS as error:
        raise RefusedError(f"{name}: is damaged ({type(error).__name__})") from None


def _workbook(name: str, file: IO[bytes]) -> Iterator[Sheet]:
    """Yield the sheets of an xlsx workbook."""
    _check_workbook(name, file)
    file.seek(0)
    book = _calamine(name, file)
    for title in book.sheet_names:
        sheet = _read(name, partial(book.get_sheet_by_name, title))
        if sheet.start is not None:
            yield Sheet(name, "row", _sheet_rows(name, sheet))


def _check_workbook(name: str, file: IO[bytes]) -> None:
    """Unpack every part once: the sizes in a zip are a claim, and only their check sums make them true.

    The library for workbooks makes room for every cell up to the last one, so a lone cell far out is refused as well.
    """
    with _unpacked(name), zipfile.ZipFile(file) as parts:
        _measure(name, parts, MOST_WORKBOOK)
        for info in parts.infolist():
            with parts.open(info) as part:
                _check_extent(name, iter(partial(part.read, _CHUNK), b""))


def _check_extent(name: str, chunks: Iterator[bytes]) -> None:
    count, last, columns, rest = 0, 0, set[bytes](), b""
    for chunk in chunks:
        places = _PLACE.findall(rest + chunk)
        count += len(places)
        columns.update(column for column, _ in places)
        last = max((int(row) for _, row in places), default=last)
        if any(map(_FAR_COLUMN.fullmatch, columns)) or last > _FAR_ROWS + count:
            raise RefusedError(f"{name}: has cells far from all others, further than a table of CMS reaches")
        rest = chunk[-_PLACE_LENGTH:]


def _calamine(name: str, file: IO[bytes]) -> Any:
    # Loaded here: the service itself never reads a workbook, and its start is measured.
    from python_calamine import CalamineWorkbook  # noqa: PLC0415

    return _read(name, partial(CalamineWorkbook.from_filelike, file))


def _read(name: str, step: Callable[[], Any]) -> Any:
    try:
        return step()
    except BaseException as error:
        # A panic of the Rust code underneath is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise RefusedError(f"{name}: is no xlsx workbook that can be read ({type(error).__name__})") from None


def _sheet_rows(name: str, sheet: Any) -> Iterator[Row]:
    for number, row in enumerate(_read(name, sheet.iter_rows), start=1):  # from A1, wherever the cells begin
        yield number, tuple(map(_cell, row))


def _cell(value: object) -> str:
    """Return the text of a workbook's cell; whole numbers without decimals, days as 20261001."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.strftime("%Y%m%d")
    return str(value).strip()


def text_sheet(name: str, file: IO[bytes]) -> Sheet:
    """Return the rows of a text file with tabs or commas; where it has neither, each line is one cell."""
    lines = _lines(name, file)
    head = list(islice(lines, _HEAD))
    tabs, commas = (sum(line.count(mark) > 1 for line in head) for mark in "\t,")
    rest = chain(head, lines)
    if tabs and tabs >= commas:
        rows = _tabbed(rest)
    elif commas > len(head) // 2 or name.lower().endswith(".csv"):
        rows = _commas(name, rest)
    else:
        rows = ((number, (line.strip(),)) for number, line in enumerate(rest, start=1))
    return Sheet(name, "line", rows)


def _tabbed(lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        yield number, tuple(cell.strip().strip('"').strip() for cell in line.split("\t"))


def _commas(name: str, lines: Iterable[str]) -> Iterator[Row]:
    reader = csv.reader(lines, strict=True)
    try:
        for row in reader:
            yield reader.line_num, tuple(cell.strip() for cell in row)
    except csv.Error as error:
        raise RefusedError(f"{name}, line {reader.line_num}: is not CSV ({error})") from None


def _lines(name: str, file: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a file in UTF-8 (or UTF-16 with its mark), and those that are not as Windows wrote them."""
    head = file.read(len(codecs.BOM_UTF8))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from _utf16_lines(name, head + file.read(MOST_WORKBOOK))
        return
    start = b"" if head == codecs.BOM_UTF8 else head
    number = 0
    with _unpacked(name):  # damage shows when the place is reached
        while line := start + file.readline(LONGEST_LINE):
            start, number = b"", number + 1
            if len(line) >= LONGEST_LINE:
                raise RefusedError(f"{name}, line {number}: is longer than a line of a table can be")
            if b"\0" in line:
                raise RefusedError(f"{name}: is not text; {_BINARY}")
            yield _decoded(line)


_BINARY: Final = "give the txt, csv or xlsx file CMS publishes, or its zip"


def _utf16_lines(name: str, content: bytes) -> Iterator[str]:
    try:
        yield from io.StringIO(content.decode("utf-16"))
    except UnicodeDecodeError:
        raise RefusedError(f"{name}: is not text; {_BINARY}") from None


def _decoded(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", errors="replace")


def preferred(names: Iterable[str], suffixes: Sequence[str]) -> list[str]:
    """Return one name of those that differ only in their suffix: the first suffix there is."""
    by_stem: dict[str, str] = {}
    rank: Mapping[str, int] = {suffix: place for place, suffix in enumerate(suffixes)}
    for name in sorted(names, key=lambda n: rank.get(PurePosixPath(n).suffix.lower(), len(rank))):
        by_stem.setdefault(re.sub(r"\.\w+$", "", name.lower()), name)
    return sorted(by_stem.values())
