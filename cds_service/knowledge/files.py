"""The knowledge files as they stand on disk: read, laid over one another, and checked for their shape.

A document is one TOML file ("profiles.toml") or a folder of them ("codes/facet.toml"), or both. A site's folder lies
over the shipped one: in a document an entry of the same id replaces the shipped entry and a new id is added, a CSV file
of the same name replaces the shipped table.
"""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from cds_service.knowledge.errors import KnowledgeError
from cds_service.resources import schema

SHIPPED = Path(__file__).parent / "data"
# The shape of every file is checked at every start, the shipped ones too: all of it takes some 30 ms.
DOCUMENTS = (
    "sources",
    "terms",
    "codes",
    "joints",
    "families",
    "documentation",
    "profiles",
    "positions",
    "anesthesia",
    "diagnoses",
    "tables",
)
"""The TOML documents by name, each a file or a folder of files; each has its schema of the same name."""
HEADERS: Mapping[str, tuple[str, ...]] = {
    "ptp": ("column1", "column2", "indicator", "rationale"),
    "mue": ("code", "units", "mai", "rationale"),
    "addon": ("primary", "add_on", "type"),
    "mpfs": ("code", "status", "global_days", "multiple", "bilateral", "assistant", "pctc"),
}
"""The columns of each kind of CMS table; each kind has a schema for one row."""
KEY_COLUMNS: Mapping[str, int] = {"ptp": 2, "mue": 1, "addon": 2, "mpfs": 1}
"""How many columns, from the first, say what a row is about; no two rows of a table agree in them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a TOML file, dates as ISO text, and the file it was read from."""

    file: str
    value: Any


@dataclass
class Files:
    """All entries by document and id, the tables' paths by file name, and a digest of every byte that was read."""

    documents: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in DOCUMENTS})
    tables: dict[str, tuple[str, Path]] = field(default_factory=dict)
    """File name of a CSV table to its label in messages and its path."""
    digest: Any = field(default_factory=hashlib.sha256)

    def entries(self, document: str) -> Mapping[str, Entry]:
        """Return the entries of one document ("codes") by id."""
        return self.documents[document]

    def rows(self, file: str, kind: str) -> list[Sequence[str]]:
        """Return the rows of a CSV table of `kind`, without its header.

        Raises `KnowledgeError` where the columns are not those of `HEADERS`, a row does not fit its schema, or two
        rows are about the same thing.
        """
        label, path = self.tables[file]
        try:
            lines = list(csv.reader(self.read(label, path).splitlines()))
        except csv.Error as error:
            raise KnowledgeError(label, "", f"is not CSV: {error}") from error
        if not lines or tuple(lines[0]) != HEADERS[kind]:
            raise KnowledgeError(label, "line 1", f"a table of kind {kind} has the columns {', '.join(HEADERS[kind])}")
        _check_rows(label, kind, lines[1:])
        _check_once(label, kind, lines[1:])
        return list(lines[1:])

    def read(self, label: str, path: Path) -> str:
        """Return the text of a file and add it to the digest."""
        try:
            content = path.read_bytes()
            self.digest.update(path.name.encode() + b"\0" + content + b"\0")
            return content.decode("utf-8-sig")
        except OSError as error:
            raise KnowledgeError(label, "", f"cannot be read: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise KnowledgeError(label, "", "is not UTF-8 text") from error


def read_files(overlay: Path | None) -> Files:
    """Return the shipped files with `overlay` laid over them, each file checked against its schema."""
    files = Files()
    _lay_folder(files, SHIPPED, lambda path: str(path.relative_to(SHIPPED)))
    if overlay is not None:
        _lay_folder(files, overlay, str)
    return files


def _lay_folder(files: Files, folder: Path, label: Callable[[Path], str]) -> None:
    """Lay every file of `folder` over what is there; `label` names a file in messages."""
    laid: dict[tuple[str, str], str] = {}
    for path in _inside(folder):
        if path.suffix == ".csv":
            files.tables[path.name] = (label(path), path)
        elif path.suffix == ".toml":
            _lay(files, _document(path.stem, label(path)), label(path), path, laid)
        elif path.name in DOCUMENTS and path.is_dir():
            for part in (part for part in _inside(path) if part.suffix == ".toml"):
                _lay(files, path.name, label(part), part, laid)


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise KnowledgeError(str(folder), "", f"is no folder that can be read: {error.strerror}") from error


def _document(stem: str, label: str) -> str:
    if stem not in DOCUMENTS:
        known = ", ".join(f"{name}.toml" for name in DOCUMENTS)
        raise KnowledgeError(label, "", f"is not a knowledge file; known are {known}")
    return stem


def _lay(files: Files, name: str, label: str, path: Path, laid: dict[tuple[str, str], str]) -> None:
    """Lay one file of the document `name`; `laid` tells which file of the same folder an entry came from."""
    try:
        document = _plain(tomllib.loads(files.read(label, path)))
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(label, "", f"is not TOML: {error}") from error
    _check_document(label, name, document)
    for key, value in document.items():
        if (name, key) in laid:
            raise KnowledgeError(label, key, f"is in {laid[name, key]} already")
        laid[name, key] = label
        files.documents[name][key] = Entry(label, value)


def _plain(value: Any) -> Any:
    """Return `value` with dates as ISO text, so that JSON Schema can speak of them."""
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value.isoformat() if isinstance(value, date) else value


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of knowledge file ("codes"), or of one row of a kind of table ("ptp")."""
    return schema(f"knowledge/{kind}")


@cache
def validator(kind: str) -> Draft202012Validator:
    """Return the validator of the schema of a kind."""
    whole = schema_of(kind)
    resolved = _resolved(whole, whole.get("$defs", {}))
    return Draft202012Validator(resolved, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _resolved(part: Any, definitions: Mapping[str, Any]) -> Any:
    """Return part of a schema with what its references name in their place.

    The validator would look up each reference for each value anew, which is half of its work. No definition of these
    schemas refers to itself.
    """
    if isinstance(part, list):
        return [_resolved(member, definitions) for member in part]
    if not isinstance(part, dict):
        return part
    named = _resolved(definitions[part["$ref"].removeprefix("#/$defs/")], definitions) if "$ref" in part else {}
    own = {key: _resolved(value, definitions) for key, value in part.items() if key not in ("$ref", "$defs")}
    return named | own


def _check_document(label: str, name: str, document: Mapping[str, Any]) -> None:
    error = best_match(validator(name).iter_errors(document))
    if error is not None:
        raise KnowledgeError(label, _place(error), _shortened(error))


def _check_rows(label: str, kind: str, rows: Iterable[Sequence[str]]) -> None:
    """Check each row against the schema of its kind.

    Rows are many and flat, so the pattern of each column is compiled instead of walking the schema for every row.
    """
    properties = schema_of(kind)["properties"]
    columns = [(name, re.compile(properties[name]["pattern"])) for name in HEADERS[kind]]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(columns):
            raise KnowledgeError(label, f"line {number}", f"has {len(row)} columns, not {len(columns)}")
        for (name, pattern), text in zip(columns, row, strict=True):
            if not pattern.fullmatch(text):
                raise KnowledgeError(label, f"line {number}, {name}", f"'{text[:40]}' does not fit the column")


def _check_once(label: str, kind: str, rows: Sequence[Sequence[str]]) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(rows, start=2):
        key = tuple(row[: KEY_COLUMNS[kind]])
        if key in seen:
            raise KnowledgeError(label, f"line {number}", f"{', '.join(key)} is on line {seen[key]} already")
        seen[key] = number


def _place(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.absolute_path)


_EXPECTED: Mapping[str, str] = {
    "pattern": "does not match {}",
    "enum": "is not one of {}",
    "type": "is not of type {}",
    "format": "is not a {}",
    "minLength": "is empty",
    "minItems": "is empty",
    "uniqueItems": "names something twice",
}


def _shortened(error: ValidationError) -> str:
    """Return what is the matter without the (possibly long) value it is about."""
    expected = _EXPECTED.get(str(error.validator))
    if expected is None:
        return error.message
    found = f"'{error.instance[:40]}' " if isinstance(error.instance, str) else ""
    wanted = error.validator_value
    return found + expected.format(", ".join(map(str, wanted)) if isinstance(wanted, list) else wanted)
