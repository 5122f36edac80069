"""The date of the line is not the date of the block.

## What it checks

Whether the service date of a block's line differs from the one date the record documents for the block.

## Why it matters

The record of the claimed day shows no block. The claim cannot be defended, and is held against the unit limits and
edits of the wrong day.

## Sources

Medicare pays only for services the record shows: section 1833(e) of the Social Security Act.

## Known limits

Both dates must be stated. Blocks on several days of one encounter are not compared, since a line may belong to any of
them. A catheter reported a second time on a later day belongs to `continuous-follow-up`. Lines that are wrong for a
more basic reason are not repeated here.

## Example

64461-RT ×1 on 2026-03-03 for a block documented on 2026-03-02.

## Corrected

64461-RT ×1 on 2026-03-02.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.catheters import repeated_placements
from cds_service.review.mismatch import documented_days, open_lines
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import are, codes_of, codes_words, joined


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for all lines of another day than the block's."""
    days = documented_days(case)
    if len(days) != 1:
        return
    day = next(iter(days))
    again = repeated_placements(case)
    lines = [line for line in open_lines(case) if line.service_date not in (None, day) and line not in again]
    if lines:
        claimed = joined(str(line.service_date) for line in lines)
        yield Draft(
            message=f"{codes_words(lines)} {are(lines)} reported for {claimed}; the block is documented on {day}.",
            remedy=f"Correct the date of service to {day}. If the note has the wrong date, its author can say so in a "
            "dated addendum.",
            evidence=(*map(line_evidence, lines), *case.block_evidence()),
            codes=codes_of(lines),
        )


RULE = Rule(
    id="date-mismatch",
    title="The dates differ",
    severity=Severity.WARNING,
    sources=("ssa-1833e",),
    check=check,
)
