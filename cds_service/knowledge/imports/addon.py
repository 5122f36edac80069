"""The add-on code edits, "AOC_V2026Q4-MCR.xlsx" or ".txt".

The workbook has a line of copyright and one of header; days are written as year and day of the year (2026274). Type 1
lists every primary; type 2 leaves them to the contractors (CCCCC instead of a primary), type 3 lists some of them. The
text form has fixed places and no header: type and add-on stand together, days that are not given are blank.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from cds_service.knowledge.imports.errors import RowError
from cds_service.knowledge.imports.layout import CODE, Cells, Ignored, Kept, Layout, Outcome, Scope, code, not_in_force
from cds_service.knowledge.imports.layout import pick as picked

ANY_PRIMARY = "CCCCC"
"""Stands for a primary where the Medicare contractors say which there are."""
_DAY = r"(?:19|20)[0-9]{2}[0-3][0-9]{2}"
_LINE = re.compile(
    rf"([123])\s*({CODE.pattern})\s*({_DAY})?\s*({CODE.pattern}|{ANY_PRIMARY})"
    rf"\s*({_DAY})(?:\s*({_DAY}))?(?:\s*({_DAY}))?(?:\s+(.*))?"
)


def _judge(cells: Cells, scope: Scope) -> Outcome:
    kind = picked(cells, "edit_type", "[123]")
    add_on = code(cells, "add_on_code")
    primary = cells["primary_code"].upper()
    if primary != ANY_PRIMARY:
        primary = code(cells, "primary_code")
    since = _day(cells["edit_effective_date"])
    ends = (_last_day(cells[name]) for name in ("add_on_deletion", "primary_deletion", "edit_deletion"))
    until = min((end for end in ends if end is not None), default=None)
    if passed := not_in_force(scope.quarter, since, until):
        return passed
    if add_on not in scope.codes:
        return Ignored("about other codes")
    return Kept((primary, add_on, kind), since)


def _last_day(text: str) -> date | None:
    return None if text in ("", "*", "0") else _day(text)


def _day(text: str) -> date:
    """Return the day of "2026274"; also of "20261001", should CMS come to write days as in its other tables."""
    if found := re.fullmatch(r"((?:19|20)\d{2})(\d{3})", text):
        year, number = int(found[1]), int(found[2])
        day = date(year, 1, 1) + timedelta(days=number - 1) if number else None
        if day is not None and day.year == year:
            return day
    elif found := re.fullmatch(r"((?:19|20)\d{2})(\d{2})(\d{2})", text):
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            pass
    raise RowError(f"'{text[:20]}' is no day (YYYYDDD)")


def _free_line(line: str) -> Cells | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    kind, add_on, add_on_end, primary, *days, _ = found.groups()
    primary_end, since, until = _ordered([day for day in days if day])
    return {
        "edit_type": kind,
        "add_on_code": add_on,
        "add_on_deletion": add_on_end or "",
        "primary_code": primary,
        "primary_deletion": primary_end,
        "edit_effective_date": since,
        "edit_deletion": until,
    }


def _ordered(days: list[str]) -> tuple[str, str, str]:
    """Return the end of the primary, the start and the end of the edit, of the one to three days that are given.

    Of two, the edit's start is one, and nothing ends before the edit starts.
    """
    if len(days) == 3:
        return days[0], days[1], days[2]
    if len(days) == 1:
        return "", days[0], ""
    first, second = days
    return ("", first, second) if first <= second else (first, second, "")


LAYOUT = Layout(
    kind="addon",
    title="NCCI add-on code edits",
    header=re.compile(r"add ?on code|addon code"),
    columns={
        "edit_type": re.compile(r"(aoc )?(edit )?type|type( of edit)?"),
        "add_on_code": re.compile(r"add ?on code"),
        "add_on_deletion": re.compile(r"(aoc|add ?on code) del(etion)? ?(dt|date)( julian)?"),
        "primary_code": re.compile(r"primary code"),
        "primary_deletion": re.compile(r"primary code del(etion)? ?(dt|date)( julian)?"),
        "edit_effective_date": re.compile(r"(aoc )?(edit )?eff(ective)? ?(dt|date)( julian)?"),
        "edit_deletion": re.compile(r"(aoc )?edit del(etion)? ?(dt|date)( julian)?|deletion date"),
    },
    files=re.compile(r"aoc|add[-_ ]?(on[-_ ]?)?code"),
    foreign=re.compile(r"(?<!& )(?<!and )medicaid|-mcd\b"),
    suffixes=(".xlsx", ".csv", ".txt"),
    judge=_judge,
    free_line=_free_line,
)
"""How the file is recognized and read."""
