"""One import from end to end: read the files, choose what matters, write the table with its source, load it all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cds_service.knowledge.files import HEADERS, Entry, Files, read_files
from cds_service.knowledge.imports.errors import RefusedError
from cds_service.knowledge.imports.folder import Value, csv_bytes, with_entry, without_entries, write_all
from cds_service.knowledge.imports.layout import Scope
from cds_service.knowledge.imports.quarter import Quarter
from cds_service.knowledge.imports.reading import Reading, read_table
from cds_service.knowledge.library import Knowledge, load

_PUBLISHER = "Centers for Medicare & Medicaid Services"
_NCCI = "https://www.cms.gov/medicare/coding-billing/national-correct-coding-initiative-ncci-edits"
_FEE_SCHEDULE = "https://www.cms.gov/medicare/payment/fee-schedules/physician"


@dataclass(frozen=True, slots=True)
class _Citation:
    """How the sources of a kind of table are named."""

    id: str
    title: str
    url: str
    kept: str


_CITATIONS: Mapping[str, _Citation] = {
    "ptp": _Citation(
        "cms-ncci-ptp",
        "Medicare NCCI procedure-to-procedure edits, practitioner services, {quarter}",
        _NCCI,
        "Pairs in force in the quarter: all of our block codes; of our other codes with each other and with anesthesia",
    ),
    "mue": _Citation(
        "cms-ncci-mue",
        "Medicare NCCI medically unlikely edits, practitioner services, {quarter}",
        _NCCI,
        "Our codes",
    ),
    "addon": _Citation(
        "cms-ncci-addon",
        "Medicare NCCI add-on code edits, {quarter}",
        _NCCI,
        "Every primary listed in the quarter with an add-on of ours",
    ),
    "mpfs": _Citation(
        "cms-mpfs",
        "Medicare physician fee schedule relative value file {release}: payment policy indicators",
        _FEE_SCHEDULE,
        "The payment policy indicators of our codes, without modifier rows and descriptions",
    ),
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. `replaced` are the ids of the entries of tables.toml it took the place of."""

    reading: Reading
    id: str
    file: Path
    replaced: tuple[str, ...]


def import_table(kind: str, paths: Sequence[Path], quarter: Quarter, folder: Path, *, replace: bool) -> Imported:
    """Read a published table and write it into a site's folder; nothing is written unless all of it is right.

    Args:
        kind: "ptp", "mue", "addon" or "mpfs".
        paths: the published files: all parts of the table, or a zip of them.
        quarter: the quarter they are for.
        folder: the site's folder; it is made where it is missing.
        replace: whether entries of the folder that overlap the quarter, other than its own, may be removed.

    Raises:
        RefusedError: a file, or the request, cannot be imported.
        MalformedError: rows of a file cannot be understood.
        KnowledgeError: the folder cannot be used, or could not with the table in it.
    """
    folder = folder.resolve()
    there = folder if folder.is_dir() else None
    knowledge, files = load(there), read_files(there)
    id_ = f"{kind}-{quarter.year}q{quarter.number}"
    overlapping = _overlapping(files, kind, id_, quarter)
    _refuse_overlaps(overlapping, folder, replace=replace)
    name = f"{id_.replace('-', '_')}.csv"
    _refuse_name_in_use(name, [id_, *overlapping], files)
    reading = read_table(kind, paths, _scope(knowledge, quarter))
    changes = _changes(reading, id_, name, folder, files, overlapping)
    _write(folder, changes, lambda: load(folder))
    replaced = [id_] if id_ in files.entries("tables") else []
    return Imported(reading, id_, folder / name, (*replaced, *overlapping))


def _scope(knowledge: Knowledge, quarter: Quarter) -> Scope:
    blocks = frozenset(code.code for code in knowledge.codes.values() if code.is_block)
    return Scope(quarter, frozenset(knowledge.codes), blocks, knowledge.on(quarter.first).is_anesthesia)


def _overlapping(files: Files, kind: str, id_: str, quarter: Quarter) -> Mapping[str, Entry]:
    """Return the entries of tables.toml for a day of the quarter, without that of the quarter itself."""
    first, last = quarter.first.isoformat(), quarter.last.isoformat()
    return {
        other: entry
        for other, entry in files.entries("tables").items()
        if other != id_ and entry.value["kind"] == kind and entry.value["from"] <= last and first <= entry.value["to"]
    }


def _refuse_overlaps(overlapping: Mapping[str, Entry], folder: Path, *, replace: bool) -> None:
    for id_, entry in overlapping.items():
        where = f"{id_} of {entry.file} ({entry.value['from']} to {entry.value['to']})"
        if not _is_of(folder, entry.file):
            raise RefusedError(
                f"the quarter overlaps {where}, which is shipped; lay an entry {id_} with other days over it"
            )
        if not replace:
            raise RefusedError(f"the quarter overlaps {where}; --replace removes that entry")


def _refuse_name_in_use(name: str, own: Collection[str], files: Files) -> None:
    for id_, entry in files.entries("tables").items():
        if entry.value["file"] == name and id_ not in own:
            raise RefusedError(f"{id_} of {entry.file} uses the name {name} for its table; give that another name")


def _is_of(folder: Path, file: str) -> bool:
    return Path(file).is_absolute() and Path(file).is_relative_to(folder)


def _changes(
    reading: Reading, id_: str, name: str, folder: Path, files: Files, overlapping: Mapping[str, Entry]
) -> dict[Path, bytes | None]:
    citation = _CITATIONS[reading.kind]
    source = f"{citation.id}-{reading.quarter.year}q{reading.quarter.number}"
    tables, sources = (_home(files, folder, *at) for at in (("tables", id_), ("sources", source)))
    changes: dict[Path, bytes | None] = {folder / name: csv_bytes(HEADERS[reading.kind], reading.rows)}
    changes[sources] = with_entry(sources, source, _source(citation, reading))
    changes |= _removed(folder, files, overlapping, keep=(tables, folder / name))
    here = [other for other, entry in overlapping.items() if Path(entry.file) == tables]
    changes[tables] = with_entry(tables, id_, _table(citation, reading, name, source), here)
    return changes


def _home(files: Files, folder: Path, document: str, key: str) -> Path:
    """Return the file of the site's folder the entry is in, or belongs into."""
    entry = files.entries(document).get(key)
    return Path(entry.file) if entry and _is_of(folder, entry.file) else folder / f"{document}.toml"


def _removed(
    folder: Path, files: Files, overlapping: Mapping[str, Entry], keep: Collection[Path]
) -> dict[Path, bytes | None]:
    """Return the changes that take the overlapping entries and their tables out of the folder, but for `keep`."""
    gone: dict[Path, bytes | None] = {}
    for file in {Path(entry.file) for entry in overlapping.values()}:
        gone[file] = without_entries(file, [id_ for id_, entry in overlapping.items() if Path(entry.file) == file])
    named = {entry.value["file"] for id_, entry in files.entries("tables").items() if id_ not in overlapping}
    for table in {entry.value["file"] for entry in overlapping.values()} - named:
        path = files.tables[table][1]
        if _is_of(folder, str(path)):
            gone[path] = None
    return {path: content for path, content in gone.items() if path not in keep}


def _source(citation: _Citation, reading: Reading) -> Mapping[str, Value]:
    quarter = reading.quarter
    return {
        "title": citation.title.format(quarter=quarter, release=quarter.release),
        "publisher": _PUBLISHER,
        "published": (reading.released or quarter.first).isoformat(),
        "url": citation.url,
    }


def _table(citation: _Citation, reading: Reading, name: str, source: str) -> Mapping[str, Value]:
    return {
        "kind": reading.kind,
        "file": name,
        "edition": str(reading.quarter),
        "from": reading.quarter.first,
        "to": reading.quarter.last,
        "source": source,
        "origin": f"Imported from CMS's {', '.join(reading.files)}",
        "kept": citation.kept,
    }


def _write(folder: Path, changes: Mapping[Path, bytes | None], check: Callable[[], object]) -> None:
    made = not folder.exists()
    try:
        folder.mkdir(exist_ok=True)
        write_all(changes, check)
    except OSError as error:
        raise RefusedError(f"{folder}: {error.strerror or 'cannot be written'}") from None
    except BaseException:
        if made:
            folder.rmdir()
        raise
