"""Two codes of one day that Medicare does not pay side by side.

## What it checks

Whether two codes of the Claim and the same day, at least one of them of a block, form a procedure-to-procedure edit.
With indicator 0 the column 2 code is never paid beside column 1. With indicator 1 it is, where a modifier (59, XE,
XS, XP, XU) on either line says that the services were separate, and the record shows it.

## Why it matters

The column 2 line is denied. A modifier that only lifts the edit is a false statement on the claim.

## Sources

The practitioner edits of Medicare's National Correct Coding Initiative; chapter 1 of its manual on the modifiers.
Since July 2019 the modifier may stand on the line of either column.

## Known limits

The edition in hand may be of another quarter, and hold no pairs of codes that came after it (in that of 2024: 64466 to
64469, 64473 and 64474); the assessment says both. A side (RT, LT) is not taken for a separate service. Imaging that is
part of the block belongs to `imaging-included`; a block beside anesthesia that is proven separate, or that carries the
modifier without proof, to `distinct-service-modifier`; anesthesia for the block itself to `anesthesia-for-own-block`,
the care of a catheter to `continuous-follow-up`; codes that are wrong altogether to the rule that says why.

## Example

64461-RT ×1 and 64420-RT ×1 on one day: indicator 0, only 64461 is paid.

## Corrected

64461-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from cds_service.chart.model import Line
from cds_service.knowledge.model import Ptp
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, open_lines, unexpected
from cds_service.review.modifiers import distinct_modifiers
from cds_service.review.rule import Draft, Rule
from cds_service.review.separate_service import Service

_NEVER = "0"
_ROLES_OF_OTHERS = frozenset({"anesthesia", "follow-up"})
"""Roles of codes with a rule of their own for standing beside a block."""
_Pair = tuple[list[Line], list[Line]]


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per pair of codes that are not paid together."""
    judged = (*open_lines(case), *unexpected(case, Mismatch.EDITED))
    if not judged or not case.separation.reportable:
        return
    lines = (*judged, *case.other_lines)
    for first, second in permutations(dict.fromkeys(line.code for line in lines), 2):
        edit = case.view.ptp(first, second)
        if edit is None:
            continue
        pair = _same_day(lines, first, second)
        if not any(line in judged for line in (*pair[0], *pair[1])) or _settled(case, edit, pair):
            continue
        yield _never(edit, pair) if edit.indicator == _NEVER else _unmarked(case, edit, pair)


def _same_day(lines: tuple[Line, ...], first: str, second: str) -> _Pair:
    """Return the lines of both codes that meet on a day; a line without a date meets any."""
    ones, twos = ([line for line in lines if line.code == code] for code in (first, second))
    return [a for a in ones if any(_meet(a, b) for b in twos)], [b for b in twos if any(_meet(a, b) for a in ones)]


def _meet(one: Line, two: Line) -> bool:
    return None in (one.service_date, two.service_date) or one.service_date == two.service_date


def _settled(case: Case, edit: Ptp, pair: _Pair) -> bool:
    """Whether the codes do not meet, are marked as separate, or another rule has spoken of the pair."""
    second = case.view.code(edit.column2)
    if not pair[0] or (second is not None and second.role in _ROLES_OF_OTHERS):
        return True
    if edit.indicator == _NEVER:
        return False
    marks = distinct_modifiers(case.view)
    if any(marks & set(line.modifiers) for line in (*pair[0], *pair[1])):
        return True
    return case.separation.service is Service.SEPARATE and case.view.is_anesthesia(edit.column1)


def _never(edit: Ptp, pair: _Pair) -> Draft:
    return Draft(
        message=f"{edit.column2} is never paid beside {edit.column1} on one day, whatever the modifier "
        f"({_name(edit)}).",
        remedy=f"Remove {edit.column2}.",
        evidence=tuple(map(line_evidence, (*pair[1], *pair[0]))),
        codes=(edit.column2, edit.column1),
        sources=(edit.source,),
    )


def _unmarked(case: Case, edit: Ptp, pair: _Pair) -> Draft:
    modifiers = " or ".join(sorted(distinct_modifiers(case.view)))
    return Draft(
        message=f"{edit.column2} is paid beside {edit.column1} only as a documented separate service with a modifier "
        f"({_name(edit)}).",
        remedy=f"Remove {edit.column2}, or add {modifiers} where the record shows a separate service.",
        evidence=(*map(line_evidence, (*pair[1], *pair[0])), *case.separation.evidence),
        codes=(edit.column2, edit.column1),
        sources=(edit.source, "cms-ncci-manual-2024-ch1"),
    )


def _name(edit: Ptp) -> str:
    return f"edit {edit.column1}/{edit.column2}, {edit.edition}"


RULE = Rule(
    id="ptp-conflict",
    title="Codes not paid side by side",
    severity=Severity.WARNING,
    sources=("cms-ncci-ptp-2024q3", "cms-ncci-manual-2024-ch1"),
    check=check,
)
