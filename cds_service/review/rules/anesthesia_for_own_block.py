"""Anesthesia for a block is for somebody else's block.

## What it checks

Whether anesthesia for a nerve block (01991, 01992) is reported by whoever did the block: on the Claim that carries the
block, on another Claim of the same practitioner, or by the practitioner the record names as having done it.

## Why it matters

The block's code pays for all of the block, sedation by the same hands included. The edits never pay the pair, and no
modifier lifts them.

## Sources

The practitioner edits list 01991 and 01992 in column 2 of nearly every block with indicator 0. Chapter 2 of Medicare's
policy manual does not pay anesthesia by the practitioner who does the procedure.

## Known limits

By another practitioner's Claim these codes are right, and nothing is said; whether the patient needed anesthesia for a
block is not judged. A Claim is taken to be by one provider, since lines of several are not told apart. Organizations
are not compared: two Claims of one group may be by two people. Moderate sedation (99151 to 99153) is left alone.

## Example

64520-LT ×1 and 01992 ×4 on one Claim.

## Corrected

64520-LT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Line
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import codes_words, joined, verb


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for all lines of anesthesia by whoever did the block."""
    blocks = [line for line in case.lines if (code := case.view.code(line.code)) and code.is_block]
    lines = [line for line in case.own_lines("anesthesia") if _that_day(case, line, blocks)]
    if lines:
        beside = codes_words(blocks) or joined(selection.scheme.primary for selection in case.selections) or "the block"
        yield Draft(
            message=f"{codes_words(lines)} {verb(lines, 'is', 'are')} anesthesia for somebody else's block, but the "
            f"same provider has {beside}.",
            remedy=f"Remove {codes_words(lines)}; the block covers it.",
            evidence=(*map(line_evidence, (*lines, *blocks)), *(() if blocks else case.block_evidence())),
            codes=tuple(dict.fromkeys(line.code for line in lines)),
        )


def _that_day(case: Case, line: Line, blocks: list[Line]) -> bool:
    """Whether a line is of the day of a block, as far as days are stated."""
    days = {block.service_date for block in blocks} or {case.day}
    return line.service_date is None or bool({None, line.service_date} & days)


RULE = Rule(
    id="anesthesia-for-own-block",
    title="Anesthesia for one's own block",
    severity=Severity.WARNING,
    sources=("cms-ncci-ptp-2024q3", "cms-ncci-manual-2024-ch2"),
    check=check,
)
