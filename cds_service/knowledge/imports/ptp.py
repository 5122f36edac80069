"""The practitioner edits, "ccipra-v323r0-f1.txt" or ".xlsx", in several parts.

Four lines of header below the copyright and the title; then code, code, a star for edits older than 1996, first day,
last day or a star, modifier indicator and rationale. The files also hold every edit that was ever deleted.
"""

from __future__ import annotations

import re
from datetime import date, datetime

from cds_service.knowledge.imports.errors import RowError
from cds_service.knowledge.imports.layout import (
    Cells,
    Ignored,
    Kept,
    Layout,
    Outcome,
    Scope,
    code,
    not_in_force,
    pick,
    remark,
)

_NO_DAY = ("", "*")
_NOT_APPLICABLE = "9"


def _judge(cells: Cells, scope: Scope) -> Outcome:
    column1, column2 = code(cells, "column_1"), code(cells, "column_2")
    indicator = pick(cells, "modifier_indicator", "[019]")
    since, until = _day(cells["effective_date"]), _last_day(cells["deletion_date"])
    if indicator == _NOT_APPLICABLE:
        # CMS marks so the edits it deleted as of the day they began: the pair is none.
        return Ignored("marked not applicable (indicator 9)")
    if passed := not_in_force(scope.quarter, since, until):
        return passed
    if not _matters(column1, column2, scope):
        return Ignored("about other codes")
    return Kept((column1, column2, indicator, remark(cells["rationale"])), since)


def _matters(column1: str, column2: str, scope: Scope) -> bool:
    """Whether a pair has a block code, or is one of our other codes with another of ours or with anesthesia."""
    if column1 in scope.blocks or column2 in scope.blocks:
        return True
    ours = [code in scope.codes for code in (column1, column2)]
    return all(ours) or (any(ours) and (scope.is_anesthesia(column1) or scope.is_anesthesia(column2)))


def _last_day(text: str) -> date | None:
    return None if text in _NO_DAY else _day(text)


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise RowError(f"'{text[:20]}' is no day (YYYYMMDD)") from None


LAYOUT = Layout(
    kind="ptp",
    title="NCCI procedure-to-procedure edits for practitioners",
    header=re.compile(r"column ?1"),
    columns={
        "column_1": re.compile(r"column ?1"),
        "column_2": re.compile(r"column ?2"),
        "effective_date": re.compile(r"effective( date)?"),
        "deletion_date": re.compile(r"deletion( date)?( no data)?"),
        "modifier_indicator": re.compile(r"modifier( .*)?"),
        "rationale": re.compile(r"(ptp )?(edit )?rationale"),
    },
    files=re.compile(r"ccipra|ptp"),
    foreign=re.compile(r"ccioph|outpatient|hospital|durable medical|(?<!& )(?<!and )medicaid"),
    suffixes=(".txt", ".csv", ".xlsx"),
    judge=_judge,
)
"""How the file is recognized and read."""
