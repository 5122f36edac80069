"""Writing into a site's folder: all files of a change or none, and nothing that does not load."""

from __future__ import annotations

import csv
import io
import os
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from cds_service.knowledge.imports.errors import RefusedError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

Value = str | date
_HEAD = "# Written by `cds-service knowledge import`. Entries may be edited; an import changes only its own.\n"


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as the service reads it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def with_entry(path: Path, key: str, entry: Mapping[str, Value], without: Iterable[str] = ()) -> bytes:
    """Return the TOML file at `path` (new if there is none) with `entry` in it and without the entries `without`.

    Other entries and all comments stay as they are. Raises `RefusedError` where the file cannot be read.
    """
    # Loaded here: only an import writes, and the start of the service is measured.
    import tomlkit  # noqa: PLC0415

    document = _document(path)
    for old in without:
        document.pop(old, None)
    table = tomlkit.table()
    for name, value in entry.items():
        table.add(name, tomlkit.item(value))
    if key in document:
        table.add(tomlkit.nl())
        document[key] = table
    else:
        if document.body:
            document.add(tomlkit.nl())
        document.add(key, table)
    text = tomlkit.dumps(document)
    if tomllib.loads(text).get(key) != dict(entry):
        raise RefusedError(f"{path}: cannot be extended by program; add the entry {key} by hand")
    return text.encode()


def without_entries(path: Path, keys: Iterable[str]) -> bytes:
    """Return the TOML file at `path` without the entries `keys`. Raises `RefusedError` as `with_entry` does."""
    import tomlkit  # noqa: PLC0415 - as above

    document = _document(path)
    for key in keys:
        document.pop(key, None)
    return tomlkit.dumps(document).encode()


def _document(path: Path) -> TOMLDocument:
    import tomlkit  # noqa: PLC0415 - as above
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415 - as above

    try:
        return tomlkit.parse(path.read_bytes().decode("utf-8-sig") if path.exists() else _HEAD)
    except OSError as error:
        raise RefusedError(f"{path}: {error.strerror or 'cannot be read'}") from None
    except (UnicodeDecodeError, TOMLKitError) as error:
        raise RefusedError(f"{path}: is not TOML ({error})") from None


def write_all(changes: Mapping[Path, bytes | None], check: Callable[[], object]) -> None:
    """Write all files (None: remove), run `check`, and put everything back as it was if anything fails.

    Each file is written beside its place and then renamed, so that a reader never sees half of one.
    """
    before = {path: path.read_bytes() if path.exists() else None for path in changes}
    new = {path: path.with_name(f".{path.name}.{os.getpid()}.tmp") for path, content in changes.items() if content}
    try:
        for path, temporary in new.items():
            temporary.write_bytes(changes[path] or b"")
        _put(changes, new)
        check()
    except BaseException:
        _restore(before)
        raise
    finally:
        for temporary in new.values():
            temporary.unlink(missing_ok=True)


def _put(changes: Mapping[Path, bytes | None], new: Mapping[Path, Path]) -> None:
    for path in changes:
        if path in new:
            new[path].replace(path)
        else:
            path.unlink(missing_ok=True)


def _restore(before: Mapping[Path, bytes | None]) -> None:
    for path, content in before.items():
        if content is None:
            path.unlink(missing_ok=True)
        elif not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
