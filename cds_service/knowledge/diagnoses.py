"""ICD-10-CM as one release has it: which codes exist, which can be reported, and the side their titles name.

The two files of the package `simple-icd-10-cm` are read without importing it: an import parses 10 MB of XML into a tree
(1.1 s and 180 MB), of which three facts a code are needed here. They are read at the first diagnosis asked for (0.2 s,
5 MB), once in a process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.util import find_spec
from mmap import ACCESS_READ, mmap
from pathlib import Path
from threading import Lock
from typing import Final, Literal

from cds_service.knowledge.errors import KnowledgeError

PACKAGE: Final = "simple_icd_10_cm"
Laterality = Literal["right", "left", "bilateral", "unspecified"]

_CATEGORY = 3
"""The first three characters of a code name its category."""
_EXTENDED = 7
"""A code of seven characters has the title of the code without the seventh, and without placeholders."""
_PLACEHOLDER = "X"
_CODE: Final = re.compile(r"[A-Z](?:[0-9][0-9A-Z]|[A-Z][0-9])(?:\.?[0-9A-Z]{1,4})?")
_WITHIN_CATEGORY: Final = re.compile(r" ([0-9A-Z]{3})(?![0-9A-Z-])(?: \1[0-9A-Z]+(?![0-9A-Z-]))*")
# Only titles that may name a side, or leave it open: a quarter of them.
_TITLE: Final = re.compile(
    rb"<name>([^<]+)</name>\s*<desc>([^<]*(?:[Rr]ight|[Ll]eft|[Bb]ilateral|[Uu]nspecified)[^<]*)</desc>"
)
_SIDE: Final = re.compile(r"\b(right|left|bilateral)\b")
_OPEN: Final = re.compile(r"\bunspecified\b")
_VERSION: Final = re.compile(rb"<version>(\d{4})</version>")
_LOADING: Final = Lock()


@dataclass(frozen=True, slots=True)
class Edition:
    """One release of ICD-10-CM. `valid_from` and `valid_to` are the fiscal year it belongs to, October to September.

    https://www.cms.gov/medicare/coding-billing/icd-10-codes: a release is for discharges and visits of its fiscal year.
    """

    label: str
    valid_from: date
    valid_to: date

    def covers(self, day: date) -> bool:
        """Return whether `day` lies in the fiscal year of the release."""
        return self.valid_from <= day <= self.valid_to


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One code of a release.

    `code` is written with its dot ("S22.41XA"). `billable` is False for a header: a code with others below it.
    `laterality` is what the title says in words ("right side", "unspecified breast"), None where it names no side; of
    a heart it may be a chamber, so ask only where a side of the body is meant. An eye that only the seventh character
    names (E11.3211) is not told.
    """

    code: str
    billable: bool
    laterality: Laterality | None
    edition: Edition


@dataclass(frozen=True)
class _Table:
    """`codes` holds the codes of each category, without dots, a blank around each; `sides` is by code without dot."""

    edition: Edition
    codes: Mapping[str, str]
    sides: Mapping[str, Laterality]


def normal(code: str) -> str:
    """Return a code as it is officially written: "s2241xa" and " S22.41XA" are S22.41XA; others only without blanks."""
    written = code.strip().upper()
    if not _CODE.fullmatch(written) or "." in written or len(written) == _CATEGORY:
        return written
    return f"{written[:_CATEGORY]}.{written[_CATEGORY:]}"


def lookup(code: str) -> Diagnosis | None:
    """Return what the release says of a code, None where it has no such code. Dot and case do not matter.

    Raises `KnowledgeError` where the package is not as it is expected to be.
    """
    written = normal(code)
    return listed(written) if _CODE.fullmatch(written) else None


@lru_cache(maxsize=4096)
def listed(written: str) -> Diagnosis | None:
    """Return the same for a code in its official form. Kept; anything else may be sent, and be too long for that."""
    table, bare = _table(), written.replace(".", "")
    category = table.codes.get(bare[:_CATEGORY], "")
    if f" {bare} " not in category:
        return None
    return Diagnosis(written, category.count(f" {bare}") == 1, _laterality(bare, table.sides), table.edition)


@cache
def edition() -> Edition:
    """Return the release that is installed; cheap, it reads no codes. Raises `KnowledgeError` as `lookup` does."""
    path = _file("icd10c-tabular-*.xml")
    with path.open("rb") as file:
        version = _VERSION.search(file.read(500))
    named = re.fullmatch(r"code-list-([A-Za-z]+-\d{4})\.txt", _file("code-list-*.txt").name)
    if version is None or named is None:
        raise KnowledgeError(str(path), "", "does not say which release of ICD-10-CM it is")
    year = int(version[1])
    return Edition(named[1].replace("-", " "), date(year - 1, 10, 1), date(year, 9, 30))


def _table() -> _Table:
    with _LOADING:
        return _read()


@cache
def _read() -> _Table:
    release = edition()
    return _Table(release, _codes(_file("code-list-*.txt")), _sides(_file("icd10c-tabular-*.xml")))


def _file(pattern: str) -> Path:
    """Return the one data file of the package with this name."""
    spec = find_spec(PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for folder in folders for path in Path(folder, "data").glob(pattern)]
    if len(found) != 1:
        raise KnowledgeError(PACKAGE, pattern, f"there are {len(found)} such files in the package, not 1")
    return found[0]


def _codes(path: Path) -> Mapping[str, str]:
    """Return the codes by category, which follow one another; the file also lists chapters ("1") and "A00-A09"."""
    listed = path.read_text(encoding="ascii").replace("\n", " ")
    return {match[1]: f"{match[0]} " for match in _WITHIN_CATEGORY.finditer(listed)}


def _sides(path: Path) -> Mapping[str, Laterality]:
    """Return the side each title names; *unspecified* only where the same title exists with "right" in that place."""
    # Mapped, not read: what a worker has once asked the system for, it keeps.
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        right = {title for _, title in _titles(content) if "right" in title}
        sides: dict[str, Laterality] = {}
        for code, title in _titles(content):
            side = _side_of(title) or _left_open(title, right)
            if side is not None:
                sides[code] = side
        return sides


def _titles(content: mmap) -> Iterator[tuple[str, str]]:
    for match in _TITLE.finditer(content):
        yield match[1].decode().replace(".", ""), match[2].decode().lower()


def _side_of(title: str) -> Laterality | None:
    named: set[Laterality] = set(_SIDE.findall(title))
    return named.pop() if len(named) == 1 else None


def _left_open(title: str, right: set[str]) -> Laterality | None:
    for place in _OPEN.finditer(title):
        before, after = title[: place.start()], title[place.end() :]
        if f"{before}right{after}" in right or f"{before}the right{after}" in right:
            return "unspecified"
    return None


def _laterality(bare: str, sides: Mapping[str, Laterality]) -> Laterality | None:
    """Return the side of the title; a code with a seventh character has the title of the code it extends."""
    own = sides.get(bare)
    if own is not None or len(bare) != _EXTENDED:
        return own
    return sides.get(bare[:-1]) or sides.get(bare[:-1].rstrip(_PLACEHOLDER))
