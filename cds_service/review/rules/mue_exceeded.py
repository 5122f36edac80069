"""The units exceed Medicare's unit limit.

## What it checks

Whether the units of a code, of the day or of the line, exceed the medically unlikely edit (MUE) of the code.

## Why it matters

The adjudication indicator decides what happens above the limit. With 1 each claim line is held against it; with 2 the
day is, and nothing lifts it; with 3 the day is, and records can lift it on appeal.

## Sources

The Medicare table of medically unlikely edits, and a contractor's explanation of the indicators.

## Known limits

It is Medicare's table; many other payers use it. The edition in hand may be of another quarter, which the assessment
says. A code without an entry (64466 to 64469) is not checked. Both sides on one line with 50 count once; where the
profile wants both sides on two lines or as two units and the Claim has exactly that, each side is counted by itself.
It says what happens to the units, not what is right: why they are too many is said by `units-exceed-documentation`,
`addon-once-per-day` or `bilateral-reporting`.

## Example

64420-RT ×1 and 64421-RT ×6 for seven ribs: the limit of 64421 is four a day.

## Corrected

The same lines with the records ready: the indicator is 3, and two units will be paid on appeal or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.knowledge.model import Mue
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.expected import agrees
from cds_service.review.mismatch import counted_codes
from cds_service.review.rule import Draft, Rule
from cds_service.review.tally import supported

_PER_LINE = 1
_NO_APPEAL = 2
_MEANING = {
    _PER_LINE: "per claim line",
    _NO_APPEAL: "per day, which no modifier and no appeal lifts",
    3: "per day, above which only an appeal with the records helps",
}


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per code above its limit."""
    if case.view.parameter("unit_edits") == "none":
        return
    for name in counted_codes(case):
        mue = case.view.mue(name)
        units = _counted(case, mue) if mue else 0
        if mue and units > mue.units:
            yield Draft(
                message=f"{name} ×{units:g} is above its limit of {mue.units} {_MEANING.get(mue.mai, 'per day')} "
                f"(MUE {mue.edition}, MAI {mue.mai}).",
                remedy=_remedy(mue),
                evidence=(*map(line_evidence, case.lines_of(name)), *case.block_evidence()),
                codes=(name,),
                sources=(mue.source, "first-coast-mue"),
            )


def _counted(case: Case, mue: Mue) -> float:
    """Return the units held against the limit: the largest line, the sides one by one, or all of a day."""
    lines = case.lines_of(mue.code)
    if mue.mai == _PER_LINE:
        return max(line.units for line in lines)
    days = {line.service_date for line in lines}
    units = max(sum(line.units for line in lines if line.service_date in (None, day)) for day in days)
    if units > mue.units and agrees(lines, case.expected_of(mue.code)):
        return max((span.high for span in supported(case, mue.code).values()), default=0)
    return units


def _remedy(mue: Mue) -> str:
    if mue.mai == _NO_APPEAL:
        return f"Keep {mue.code} at {mue.units} a day."
    return f"Check the units of {mue.code} and have the records ready."


RULE = Rule(
    id="mue-exceeded",
    title="Above the daily unit limit",
    severity=Severity.WARNING,
    sources=("cms-ncci-mue-2024q3", "first-coast-mue"),
    check=check,
    for_orders=True,
)
