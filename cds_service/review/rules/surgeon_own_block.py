"""A block by the operating surgeon is part of the operation.

## What it checks

Whether a block is reported that the surgeon of the same operation placed: stated in the note, or the same person is
named as performer of both.

## Why it matters

Treating pain after an operation belongs to the surgeon's fee for it. A separate line for the block is denied, or
taken back.

## Sources

Chapter 2 of Medicare's NCCI policy manual; a contractor's page on anesthesia by the surgeon (modifier 47).

## Known limits

Another member of the surgeon's group and specialty counts as the surgeon for Medicare; the record seldom tells. Once
this rule speaks, no other judges the lines of the block. Private payers may differ.

## Example

64461-LT ×1 on the claim of the surgeon who did the thoracotomy and placed the block before closing.

## Corrected

No line for the block.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.rule import Draft, Rule
from cds_service.review.separate_service import Service
from cds_service.review.words import are, codes_words


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for all lines of the surgeon's own block."""
    if case.separation.service is not Service.SURGEONS_OWN or not case.lines:
        return
    lines = case.lines
    yield Draft(
        message=f"{codes_words(lines)} {are(lines)} reported, but the surgeon of the operation placed the block.",
        remedy=f"Remove {codes_words(lines)}; the operation covers the block.",
        evidence=(*map(line_evidence, lines), *case.separation.evidence),
        codes=case.reported_codes,
    )


RULE = Rule(
    id="surgeon-own-block",
    title="The surgeon's own block",
    severity=Severity.WARNING,
    sources=("cms-ncci-manual-2024-ch2", "noridian-modifier-47-2019"),
    check=check,
)
