"""A quarter of a year, and the quarters that CMS's file names and titles speak of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from cds_service.knowledge.imports.errors import RefusedError

_FIRST_EDITION = 1994
"""The year before version 1 of the NCCI edits would be: version 32.3 of them is that of 2026 Q4."""
_RELEASES = {"jan": 1, "apr": 2, "jul": 3, "oct": 4}


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter, `number` 1 to 4."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Return the quarter of "2026Q4" (also "2026 Q4", "2026-q4"). Raises `RefusedError`."""
        found = re.fullmatch(r"(20\d{2})[ -]?[Qq]([1-4])", text.strip())
        if found is None:
            raise RefusedError(f"'{text[:20]}' is no quarter; write it as 2026Q4")
        return cls(int(found[1]), int(found[2]))

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """The last day."""
        following = date(self.year + 1, 1, 1) if self.number == 4 else date(self.year, 3 * self.number + 1, 1)
        return following - timedelta(days=1)

    @property
    def release(self) -> str:
        """The name of the fee schedule's relative value file: "RVU26D"."""
        return f"RVU{self.year % 100:02}{'ABCD'[self.number - 1]}"

    def __str__(self) -> str:
        return f"{self.year} Q{self.number}"


def quarters_named(text: str) -> frozenset[Quarter]:
    """Return the quarters a file name or a title names, in any of the ways CMS names them; often none.

    Known are: "2026q4" and "2026-q4", the NCCI version ("v323r0" of the practitioner edits), an effective date
    ("Eff_10-01-2026", "effective-10012026"), and releases of the fee schedule ("2026 ... October Release",
    "PPRRVU2026_Oct", "PPRRVU26_OCT", "rvu26d").
    """
    return frozenset(_named(text.lower()))


def _named(text: str) -> Iterator[Quarter]:
    for year, number in re.findall(r"(?<!\d)(20\d{2})[ _-]?q([1-4])(?!\d)", text):
        yield Quarter(int(year), int(number))
    for version, minor in re.findall(r"ccipra-v(\d{2})([0-3])r\d", text):
        yield Quarter(_FIRST_EDITION + int(version), int(minor) + 1)
    for month, year in re.findall(r"eff(?:ective)?[ _-]*(\d{2})-?01-?(20\d{2})", text):
        if month in ("01", "04", "07", "10"):
            yield Quarter(int(year), int(month) // 3 + 1)
    for year, month in re.findall(r"pprrvu(?:20)?(\d{2})_(jan|apr|jul|oct)", text):
        yield Quarter(2000 + int(year), _RELEASES[month])
    for year, month in re.findall(r"\b(20\d{2}) national physician fee schedule.*?(jan|apr|jul|oct)\w* release", text):
        yield Quarter(int(year), _RELEASES[month])
    for year, letter in re.findall(r"(?<![a-z])rvu(\d{2})([a-d])(?![a-z])", text):
        yield Quarter(2000 + int(year), "abcd".index(letter) + 1)
