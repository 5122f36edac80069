"""A whole published table read: what is kept of it, what was passed over and why, and every row that is wrong."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from cds_service.knowledge.files import KEY_COLUMNS
from cds_service.knowledge.imports import addon, mpfs, mue, ptp
from cds_service.knowledge.imports.errors import MalformedError, Problem, RefusedError, RowError
from cds_service.knowledge.imports.layout import Ignored, Kept, Layout, Published, Scope, find_table
from cds_service.knowledge.imports.quarter import Quarter, quarters_named
from cds_service.knowledge.imports.sheets import read_sheets

LAYOUTS: Mapping[str, Layout] = {module.LAYOUT.kind: module.LAYOUT for module in (ptp, mue, addon, mpfs)}
"""The layouts by kind of table."""
MOST_PROBLEMS = 50
"""Wrong rows kept for the message; a file of another layout has as many as rows."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one or more files of a table hold: the rows to write, sorted, and an account of all others."""

    kind: str
    quarter: Quarter
    rows: tuple[tuple[str, ...], ...]
    read: int
    ignored: Mapping[str, int]
    files: tuple[str, ...]
    released: date | None
    notes: tuple[str, ...]


@dataclass
class _Account:
    """What has been read so far."""

    kind: str
    kept: dict[tuple[str, ...], tuple[Kept, str]] = field(default_factory=dict)
    ignored: Counter[str] = field(default_factory=Counter)
    read: int = 0
    problems: list[Problem] = field(default_factory=list)
    wrong: int = 0
    released: date | None = None
    sheets: list[str] = field(default_factory=list)

    def take(self, kept: Kept, place: str) -> None:
        """Keep a row, once. Raises `RowError` where another row says something else of the same."""
        key = kept.row[: KEY_COLUMNS[self.kind]]
        earlier, where = self.kept.setdefault(key, (kept, place))
        if earlier is kept:
            return
        if earlier.row != kept.row and earlier.since == kept.since:
            raise RowError(f"says other of {' and '.join(key)} than {where}")
        self.ignored["repeated" if earlier.row == kept.row else "followed by a later one in the quarter"] += 1
        if kept.since > earlier.since:
            self.kept[key] = kept, place

    def wrong_row(self, place: str, reason: str) -> None:
        """Note a row that cannot be understood."""
        self.wrong += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(place, reason))


def read_table(kind: str, paths: Sequence[Path], scope: Scope) -> Reading:
    """Return what the files hold of a table.

    Args:
        kind: "ptp", "mue", "addon" or "mpfs".
        paths: all files of the table: a part each, or a zip.
        scope: the quarter and the codes that matter.

    Raises:
        RefusedError: a file is no such table, is for another quarter, or nothing in it is about the codes.
        MalformedError: rows cannot be understood.
    """
    layout, account = LAYOUTS[kind], _Account(kind)
    for path in paths:
        _read_file(path, layout, scope, account)
    if account.wrong:
        raise MalformedError(account.problems, account.wrong)
    if not account.kept:
        names = ", ".join(path.name for path in paths)
        raise RefusedError(f"{names}: none of the {account.read} rows is in force and about a code of this service")
    return Reading(
        kind=kind,
        quarter=scope.quarter,
        rows=tuple(sorted(kept.row for kept, _ in account.kept.values())),
        read=account.read,
        ignored=dict(account.ignored.most_common()),
        files=tuple(f"{path.name} (SHA-256 {_digest(path)})" for path in paths),
        released=account.released,
        notes=tuple(_notes(account)),
    )


def _read_file(path: Path, layout: Layout, scope: Scope, account: _Account) -> None:
    others = [other for other in LAYOUTS.values() if other is not layout]
    found = False
    for sheet in read_sheets(path, layout.choose):
        _check_quarter(sheet.name, sheet.name, scope.quarter)
        table = find_table(sheet, layout, others)
        if table is not None:
            found = True
            account.sheets.append(sheet.name)
            _check_quarter(sheet.name, table.preamble, scope.quarter)
            account.released = _released(table.preamble) or account.released
            _read_rows(table, layout, scope, account)
    if not found:
        raise RefusedError(f"{path.name}: has no header of {layout.title} in its first rows")


def _read_rows(table: Published, layout: Layout, scope: Scope, account: _Account) -> None:
    for number, cells in table.rows:
        account.read += 1
        if cells is None:
            account.wrong_row(table.sheet.place(number), "does not have the columns of the table")
            continue
        try:
            outcome = layout.judge(cells, scope)
            if isinstance(outcome, Ignored):
                account.ignored[outcome.why] += 1
            else:
                account.take(outcome, table.sheet.place(number))
        except RowError as error:
            account.wrong_row(table.sheet.place(number), str(error))


def _check_quarter(name: str, text: str, quarter: Quarter) -> None:
    named = quarters_named(text)
    if named and quarter not in named:
        said = ", ".join(map(str, sorted(named)))
        raise RefusedError(f"{name}: is of {said} by its own name or title, not of {quarter}")


def _released(preamble: str) -> date | None:
    found = re.search(r"RELEASED:? *(\d{1,2})/(\d{1,2})/(20\d{2})", preamble, re.IGNORECASE)
    try:
        return date(int(found[3]), int(found[1]), int(found[2])) if found else None
    except ValueError:
        return None


def _notes(account: _Account) -> Iterator[str]:
    parts = sorted({int(part) for name in account.sheets for part in re.findall(r"-f(\d+)\b", name.lower())})
    missing = sorted(set(range(1, max(parts, default=0) + 1)) - set(parts))
    if missing:
        given = ", ".join(f"f{part}" for part in parts)
        lacking = ", ".join(f"f{part}" for part in missing)
        raise RefusedError(f"the parts {given} were given without {lacking}; give all parts of the table at once")
    if parts:
        given = "Only part f1 was given" if len(parts) == 1 else f"The parts f1 to f{parts[-1]} were given"
        yield f"{given}; the pairs of any further part are missing from the table."
    if account.kind == "addon":
        yield from _open_primaries(kept.row for kept, _ in account.kept.values())


def _open_primaries(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    by_type: dict[str, set[str]] = {}
    for _, add_on, kind in rows:
        by_type.setdefault(kind, set()).add(add_on)
    if "2" in by_type:
        yield f"Type 2, the contractor says which primaries there are: {', '.join(sorted(by_type['2']))}."
    if "3" in by_type:
        yield f"Type 3, the contractor may add primaries to those listed: {', '.join(sorted(by_type['3']))}."


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1024**2):
            digest.update(chunk)
    return digest.hexdigest()[:16]
