"""A block that is the anesthetic of the operation is not reported beside it.

## What it checks

Whether a block is reported although the record shows that it was the anesthetic of the operation: stated as its
purpose, as the only anesthesia, or given with sedation (monitored anesthesia care) alone.

## Why it matters

Anesthesia is paid by the anesthesia code of the operation, whatever the method. The block beside it is paid twice.

## Sources

Chapter 2 of Medicare's NCCI policy manual; the primer of the regional anesthesia society says the same. CPT does not
report the paravertebral codes where the block is the mode of anesthesia.

## Known limits

A block before the incision under general, spinal or epidural anesthesia is not the anesthetic; whether it is separate
is for `distinct-service-modifier`. Once this rule speaks, no other judges the lines of the block.

## Example

64461-RT ×1 beside 00404, monitored anesthesia care, for a breast operation under paravertebral block.

## Corrected

00404 alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.rule import Draft, Rule
from cds_service.review.separate_service import Service
from cds_service.review.words import are, codes_words


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for all lines of a block that was the anesthetic."""
    if case.separation.service is not Service.ANESTHETIC or not case.lines:
        return
    lines = case.lines
    yield Draft(
        message=f"{codes_words(lines)} {are(lines)} reported, but the block was the anesthetic of the operation.",
        remedy=f"Remove {codes_words(lines)}; the anesthesia code covers the block.",
        evidence=(*map(line_evidence, lines), *case.separation.evidence),
        codes=case.reported_codes,
    )


RULE = Rule(
    id="surgical-anesthesia",
    title="The block was the anesthetic",
    severity=Severity.WARNING,
    sources=("cms-ncci-manual-2024-ch2", "asra-primer-2019", "cpt-2016"),
    check=check,
)
