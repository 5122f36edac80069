"""Imaging guidance is part of the block's code.

## What it checks

Whether imaging guidance (76942, 77002, 77003, 77012) is reported beside blocks whose codes all include it, or that
leave no room for it: the paravertebral, fascial plane, facet, radiofrequency and epidural codes.

## Why it matters

The pair is edited: the imaging line is denied, and a modifier put on it to get it paid asserts a second, unrelated
imaging service that nobody did.

## Sources

The practitioner edits list the imaging codes as column 2 of these codes, as far as they are older than the edits; CPT
includes imaging in them since they exist in their present form.

## Known limits

An imaging line that carries a distinct-service modifier (59, XE, XP, XS, XU) says it belongs to something else, and
is left alone. Imaging for a central line or another procedure of that day is not recognized without the modifier.
Where a block done does not include imaging, `imaging-separate` speaks; where no block is known or the knowledge
cannot code one of them, only `ptp-conflict` can.

## Example

64461-RT ×1 and 76942-26 ×1 for an ultrasound-guided block at T4.

## Corrected

64461-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import are, codes_of, codes_words


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for the imaging lines that stand beside blocks with imaging included."""
    lines = unexpected(case, Mismatch.IMAGING_INCLUDED)
    reported = "ordered" if case.ordered else "reported"
    if lines:
        guidance = tuple(e for s in case.selections for fact in s.block.guidance for e in fact.evidence)
        yield Draft(
            message=f"{codes_words(lines)} {are(lines)} {reported}, but imaging guidance {_stands(case)}.",
            remedy=f"Remove {codes_words(lines)}.",
            evidence=(*map(line_evidence, lines), *(guidance or case.block_evidence())),
            codes=codes_of(lines),
        )


def _stands(case: Case) -> str:
    """Say where the guidance went: into the codes, or into none that may be reported beside them."""
    included = all(family.imaging_included for family in case.families)
    return f"is {'part of' if included else 'not reported beside'} {codes_words(case.expected)}"


RULE = Rule(
    id="imaging-included",
    title="Imaging guidance is included",
    severity=Severity.WARNING,
    sources=("cms-ncci-ptp-2024q3", "cpt-2010", "cpt-2011", "cpt-2012", "cpt-2015", "cpt-2016", "cpt-2017", "cpt-2025"),
    check=check,
    for_orders=True,
)
