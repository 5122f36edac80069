"""Imaging decides between two codes.

## What it checks

For blocks with one code under imaging and another without (interlaminar epidurals, 62320 to 62327): whether the code
with imaging is reported while the record documents no fluoroscopy or CT, or the code without it while it does.

## Why it matters

The code with imaging is paid more, and is taken back where neither the note nor an image shows it. The code without it
gives the imaging away, and no imaging code may stand beside it.

## Sources

CPT introduced the codes as pairs in 2017; the physician fee schedule prices them apart.

## Known limits

Ultrasound is not the imaging these codes mean. "Not documented" is said only where all notes could be read; a note
that contradicts itself on guidance is taken to document both. Whether images were stored is a matter of the
documentation. For facet injections `facet-imaging-required` speaks.

## Example

62323 ×1 for a lumbar epidural injection placed by loss of resistance, with no word of fluoroscopy.

## Corrected

62322 ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Line, Technique
from cds_service.knowledge.model import Family
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.guidance import evidence, guidance_words, misguided, selected, stands_for, used
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import codes_of, codes_words, instead, verb


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per family whose code is for another guidance than is documented."""
    for family, lines in misguided(case, Technique.FACET.value, of=False):
        yield _draft(case, family, lines)


def _draft(case: Case, family: Family, lines: list[Line]) -> Draft:
    blocks = selected(case, family)
    needed = guidance_words(stands_for(case, family, lines))
    documented = guidance_words(used(blocks), "and")
    told = f"documents {documented}" if documented else f"does not document {needed}"
    under = f"under {needed}" if needed else "without imaging"
    return Draft(
        message=f"{codes_words(lines)} {verb(lines, 'stands', 'stand')} for an injection or catheter {under}, "
        f"but the record {told}.",
        remedy=_remedy(case, needed),
        evidence=(*map(line_evidence, lines), *evidence(blocks)),
        codes=codes_of(lines, case.expected_of(*(code for block in blocks for code in block.scheme.codes))),
    )


def _remedy(case: Case, needed: str) -> str:
    if not needed:
        return instead(case)
    return f"{instead(case)} If {needed} was used, the author of the note can add it in a dated addendum."


RULE = Rule(
    id="guidance-code",
    title="With or without imaging",
    severity=Severity.WARNING,
    sources=("cpt-2017", "cms-mpfs-2026q3"),
    check=check,
    families=("interlaminar-cervical-thoracic", "interlaminar-lumbar-sacral"),
    for_orders=True,
)
