"""What is loaded, from when to when, where it comes from, and what it does not cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from cds_service.knowledge.files import Entry, Files, read_files
from cds_service.knowledge.library import Knowledge, load
from cds_service.knowledge.model import Code, Source
from cds_service.knowledge.tables import KINDS, Table


@dataclass(frozen=True, slots=True)
class Edition:
    """One loaded edition of a table. `lacks` are our codes it says nothing of; for add-ons, those without a primary."""

    id: str
    edition: str
    valid_from: date
    valid_to: date
    rows: int
    file: str
    from_site: bool
    source: Source
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Days:
    """A stretch of days, both ends included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Kind:
    """All editions of a kind of table, oldest first. `used` answers for today; `uncovered` are days before in none."""

    kind: str
    title: str
    editions: tuple[Edition, ...]
    used: Edition | None
    covers_today: bool
    uncovered: tuple[Days, ...]

    @property
    def newest_day(self) -> date | None:
        """The last day any edition covers."""
        return max((edition.valid_to for edition in self.editions), default=None)


@dataclass(frozen=True, slots=True)
class Document:
    """The entries of one document; `from_site` are the ids of those from the site's folder."""

    name: str
    entries: int
    from_site: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that is loaded, seen from `today`. `folder` is the site's, None where there is none."""

    version: str
    today: date
    folder: Path | None
    kinds: tuple[Kind, ...]
    documents: tuple[Document, ...]


def status(folder: Path | None, today: date) -> Status:
    """Return what is loaded with the site's `folder` laid over what is shipped.

    Raises:
        KnowledgeError: it cannot be loaded.
    """
    folder = folder and folder.resolve()  # shipped files are named without a folder, the site's with all of theirs
    knowledge, files = load(folder), read_files(folder)
    return Status(
        version=knowledge.version,
        today=today,
        folder=folder,
        kinds=tuple(_kind(knowledge, files, kind, today) for kind in KINDS),
        documents=tuple(_document(name, entries) for name, entries in files.documents.items()),
    )


def _kind(knowledge: Knowledge, files: Files, kind: str, today: date) -> Kind:
    tables: Sequence[Table[Any]] = getattr(knowledge.tables, kind)
    editions = tuple(_edition(knowledge, files, table) for table in tables)
    nearest = min(range(len(tables)), key=lambda place: tables[place].days_from(today), default=None)
    return Kind(
        kind=kind,
        title=KINDS[kind],
        editions=editions,
        used=None if nearest is None else editions[nearest],
        covers_today=any(table.covers(today) for table in tables),
        uncovered=tuple(_uncovered(tables, today)),
    )


def _edition(knowledge: Knowledge, files: Files, table: Table[Any]) -> Edition:
    file = files.entries("tables")[table.id].value["file"]
    label, _ = files.tables[file]
    return Edition(
        id=table.id,
        edition=table.edition,
        valid_from=table.valid_from,
        valid_to=table.valid_to,
        rows=len(files.rows(file, table.kind)),
        file=label,
        from_site=_is_of_site(label),
        source=knowledge.sources[table.source],
        lacks=tuple(sorted(code.code for code in _asked_for(knowledge, table.kind) if not _has(table, code.code))),
    )


def _asked_for(knowledge: Knowledge, kind: str) -> Iterable[Code]:
    """Return the codes a kind of table is asked about: add-ons for their primaries, every code for the rest."""
    return (code for code in knowledge.codes.values() if kind != "addon" or code.role == "add-on")


def _has(table: Table[Any], code: str) -> bool:
    return code in getattr(table, "codes", table.rows)  # edits of pairs list the codes in any of them


def _uncovered(tables: Sequence[Table[Any]], today: date) -> Iterable[Days]:
    """Yield the days from the first edition to today that lie in none."""
    a_day = timedelta(days=1)
    for earlier, later in pairwise(tables):
        if earlier.valid_to + a_day < later.valid_from and earlier.valid_to < today:
            yield Days(earlier.valid_to + a_day, min(later.valid_from - a_day, today))
    if tables and tables[-1].valid_to < today:
        yield Days(tables[-1].valid_to + a_day, today)


def _document(name: str, entries: dict[str, Entry]) -> Document:
    own = tuple(sorted(key for key, entry in entries.items() if _is_of_site(entry.file)))
    return Document(name, len(entries), own)


def _is_of_site(label: str) -> bool:
    return Path(label).is_absolute()
