"""The days after a catheter was placed.

## What it checks

Whether the daily care of an epidural or spinal infusion (01996) is reported on the day its catheter was placed or
before, for a catheter that is not at the spinal canal (64463, 64467, 64469, 64474, 64487, 64489), more often than
once a day, or where the record tells of no such catheter; and whether placing a catheter is reported again for a
later day.

## Why it matters

The day of placement is part of the placement, which the edits say with indicator 0. A peripheral or plane catheter is
followed by visits; another code for its days is taken back day by day.

## Sources

The practitioner edits of 62324 to 62327, the unit edit of 01996, and a contractor's page on daily pain management.

## Known limits

A line without a date is held against the number of units only. That no catheter is documented is advice, since one
from another encounter is not seen, and is not said where notes could not be read or the operation was under epidural or
spinal anesthesia. Whether a visit on a later day is supported by its note is not judged. A catheter code on a wrong day
without the right one beside it belongs to `date-mismatch`.

## Example

62325 ×1 and 01996 ×1, both on 2026-03-02.

## Corrected

62325 ×1 on 2026-03-02, 01996 ×1 from 2026-03-03 on.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import AnesthesiaType, Block, Evidence, Line, Technique
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.catheters import catheters, placement_days, repeated_placements, reported_placement_days
from cds_service.review.mismatch import contradicted, read_in_full
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import are, block_names, codes_words, joined, line_words, lines_words

_NEURAXIAL = frozenset({AnesthesiaType.EPIDURAL, AnesthesiaType.SPINAL})


def check(case: Case) -> Iterator[Draft]:
    """Yield drafts for the care of a catheter (its number, its day, which catheter), and for placements repeated."""
    lines = case.own_lines("follow-up")
    for name in dict.fromkeys(line.code for line in lines):
        own = [line for line in lines if line.code == name]
        yield from _too_often(case, own)
        if not contradicted(case, "catheter"):
            yield from _of_no_catheter(case, own)
    again = repeated_placements(case)
    if again:
        yield _placed_again(case, again)


def _too_often(case: Case, lines: list[Line]) -> Iterator[Draft]:
    mue = case.view.mue(lines[0].code)
    for day in sorted({str(line.service_date or case.day) for line in lines}):
        that_day = [line for line in lines if str(line.service_date or case.day) == day]
        units = sum(line.units for line in that_day)
        if mue is not None and units > mue.units:
            yield Draft(
                message=f"{mue.code} ×{units:g} is reported for {day}; it is paid {mue.units} time a day "
                f"(MUE {mue.edition}, MAI {mue.mai}).",
                remedy=f"Report {mue.code} ×{mue.units} for {day}.",
                evidence=tuple(map(line_evidence, that_day)),
                codes=(mue.code,),
                sources=(mue.source,),
            )


def _of_no_catheter(case: Case, lines: list[Line]) -> Iterator[Draft]:
    placed = catheters(case)
    spinal = tuple(block for block in placed if block.technique is Technique.INTERLAMINAR)
    if spinal:
        yield from _too_early(case, lines, spinal)
    elif placed:
        yield _peripheral(lines, placed)
    elif read_in_full(case) and not any(fact.value in _NEURAXIAL for fact in case.chart.anesthesia):
        yield _no_catheter(lines)


def _too_early(case: Case, lines: list[Line], placed: tuple[Block, ...]) -> Iterator[Draft]:
    days = placement_days(placed) or reported_placement_days(case)
    early = [line for line in lines if days and line.service_date is not None and line.service_date <= min(days)]
    if early:
        yield Draft(
            message=f"{codes_words(early)} {are(early)} reported for {_days(early)}; the catheter was placed on "
            f"{min(days)}, and its care starts the day after{_edit(case, early[0])}.",
            remedy=f"Remove {codes_words(early)} for {_days(early)}.",
            evidence=(*map(line_evidence, early), *_words(placed)),
            codes=tuple(dict.fromkeys(line.code for line in early)),
        )


def _edit(case: Case, line: Line) -> str:
    edits = (case.view.ptp(name, line.code) for name in (*case.reported_codes, *(e.code for e in case.expected)))
    edit = next(filter(None, edits), None)
    return f" (edit {edit.column1}/{edit.column2}, {edit.edition})" if edit else ""


def _peripheral(lines: list[Line], placed: tuple[Block, ...]) -> Draft:
    return Draft(
        message=f"{codes_words(lines)} {are(lines)} for an epidural or spinal infusion; the record tells of a catheter "
        f"for the {joined(block_names(placed))}.",
        remedy=f"Remove {codes_words(lines)}; the later days of this catheter are visits.",
        evidence=(*map(line_evidence, lines), *_words(placed)),
        codes=tuple(dict.fromkeys(line.code for line in lines)),
    )


def _no_catheter(lines: list[Line]) -> Draft:
    return Draft(
        message=f"{codes_words(lines)} {are(lines)} for an epidural or spinal infusion; the record of this encounter "
        "tells of no such catheter.",
        remedy="Check whether the note on the catheter is missing, or belongs to another encounter.",
        evidence=tuple(map(line_evidence, lines)),
        codes=tuple(dict.fromkeys(line.code for line in lines)),
        severity=Severity.INFO,
    )


def _placed_again(case: Case, lines: tuple[Line, ...]) -> Draft:
    placed = catheters(case)
    return Draft(
        message=f"{lines_words(lines)} {are(lines)} reported for {_days(lines)}, but the catheter was placed on "
        f"{max(placement_days(placed))}.",
        remedy=f"Remove {joined(f'{line_words(line)} of {line.service_date}' for line in lines)}. "
        "A catheter that was placed anew needs a note of its own.",
        evidence=(*map(line_evidence, lines), *_words(placed)),
        codes=tuple(dict.fromkeys(line.code for line in lines)),
    )


def _days(lines: list[Line] | tuple[Line, ...]) -> str:
    return joined(str(line.service_date) for line in lines)


def _words(placed: tuple[Block, ...]) -> Iterator[Evidence]:
    for block in placed:
        yield from (block.continuous.evidence if block.continuous else ()) or block.evidence


RULE = Rule(
    id="continuous-follow-up",
    title="The days of a catheter",
    severity=Severity.WARNING,
    sources=("cms-ncci-ptp-2024q3", "cms-ncci-mue-2024q3", "ngs-postoperative-pain-2023"),
    check=check,
)
