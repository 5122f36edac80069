"""The site's own file of licensed CPT descriptors."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


class DescriptorsError(ValueError):
    """The file cannot be used. The message is one line and names the file and the line, never a descriptor."""


def read_descriptors(path: Path | None) -> Mapping[str, str]:
    """Return the descriptors by code of a UTF-8 CSV file with two columns, code and descriptor.

    A first line "code,descriptor" is a heading. No file (None) has none.

    Raises:
        DescriptorsError: the file cannot be read, is not UTF-8, or a line has not two filled columns.
    """
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), start=1) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DescriptorsError(f"{path}: cannot be read as UTF-8 CSV ({type(error).__name__})") from None
    if rows and [cell.strip().lower() for cell in rows[0][1]] == ["code", "descriptor"]:
        del rows[0]
    return dict(_pair(path, number, row) for number, row in rows)


def _pair(path: Path, number: int, row: list[str]) -> tuple[str, str]:
    cells = [cell.strip() for cell in row]
    if len(cells) != 2 or not all(cells):
        raise DescriptorsError(f"{path}: row {number} must have two columns, code and descriptor")
    return cells[0], cells[1]
