"""The code is not in force on the day of the service.

## What it checks

Whether a reported or ordered code was in the code set on the day of the block: 64466 to 64469 exist since 2025.

## Why it matters

A code outside its dates is rejected before anyone reads the claim.

## Sources

The CPT editions that introduced the codes; for the fascial plane codes also the code table update of a federal
agency.

## Known limits

Only codes this service knows are checked. The day is that of the block as documented; without one, that of the line.
A line with another date than the block belongs to `date-mismatch`. What the block should be reported as instead is
not repeated by `service-not-charged`.

## Example

64466-LT ×1 for an erector spinae plane block on 2024-12-31.

## Corrected

64999 ×1, with a description.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from cds_service.chart.model import Line
from cds_service.knowledge.model import Code
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, documented_days, why_unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import instead


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per known code that is not valid on its day."""
    for name in case.reported_codes:
        code = case.view.code(name)
        lines = [line for line in case.lines_of(name) if code and _out_of_force(case, code, line)]
        if code and lines:
            day = _day(case, lines[0])
            yield Draft(
                message=f"{name} is {_dates(code)}; the service was on {day}.",
                remedy=instead(case) or f"Replace {name} by the code in force on {day}.",
                evidence=(*map(line_evidence, lines), *case.block_evidence()),
                codes=tuple(dict.fromkeys((name, *(line.code for line in case.expected)))),
                sources=code.sources,
            )


def _out_of_force(case: Case, code: Code, line: Line) -> bool:
    return why_unexpected(case, line) is not Mismatch.NOT_SEPARATE and not code.valid_on(_day(case, line))


def _day(case: Case, line: Line) -> date:
    return case.day if documented_days(case) else (line.service_date or case.day)


def _dates(code: Code) -> str:
    if code.valid_to is None:
        return f"valid from {code.valid_from}"
    return f"valid from {code.valid_from} to {code.valid_to}"


RULE = Rule(
    id="code-not-valid-on-date",
    title="Not in force that day",
    severity=Severity.WARNING,
    sources=("cpt-2016", "cpt-2025", "va-patch-2025"),
    check=check,
    for_orders=True,
)
