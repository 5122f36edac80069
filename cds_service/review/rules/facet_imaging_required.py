"""The facet code is for another imaging than was used.

## What it checks

Whether a facet code that stands for an injection under fluoroscopy or CT (64490 to 64495) is reported while the record
documents ultrasound, or landmarks or a nerve stimulator alone; and whether a code for ultrasound (0213T to 0218T) is
reported while the record documents fluoroscopy or CT, or no ultrasound.

## Why it matters

The imaging is part of what these codes pay for. Without it the injection is another, smaller service; under
ultrasound it has codes of its own, which Medicare contractors do not cover.

## Sources

CPT asks for imaging with the facet codes since 2010, gave ultrasound codes of its own, and refers an injection without
imaging to the trigger point codes, which count muscles. A coverage determination names the imaging it accepts.

## Known limits

Where the record says nothing of guidance, the code for fluoroscopy or CT is not questioned here: guidance is then
listed as missing documentation. For an injection without imaging no code is chosen, since the muscles are not known;
20552 or 20553 on the Claim is accepted. Imaging reported on a line of its own belongs to `imaging-included`.

## Example

64493-RT ×1 for a facet injection at L4-L5 on the right under ultrasound.

## Corrected

0216T-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Line, Technique
from cds_service.knowledge.model import Family
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.guidance import evidence, guidance_words, misguided, selected, stands_for, used
from cds_service.review.rule import Draft, Rule
from cds_service.review.selection import Selection
from cds_service.review.words import codes_of, codes_words, place, supported_words, verb


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per facet family whose code is for imaging that was not used."""
    for family, lines in misguided(case, Technique.FACET.value, of=True):
        yield _draft(case, family, lines)


def _draft(case: Case, family: Family, lines: list[Line]) -> Draft:
    blocks = selected(case, family)
    needed = guidance_words(stands_for(case, family, lines))
    documented = used(blocks)
    told = f"documents {guidance_words(documented, 'and')}" if documented else f"does not document {needed}"
    return Draft(
        message=f"{codes_words(lines)} {verb(lines, 'stands', 'stand')} for an injection under {needed}, "
        f"but the record {told}.",
        remedy=_remedy(case, lines, blocks),
        evidence=(*map(line_evidence, lines), *evidence(blocks)),
        codes=codes_of(lines, case.expected_of(*(code for block in blocks for code in block.scheme.codes))),
    )


def _remedy(case: Case, lines: list[Line], blocks: list[Selection]) -> str:
    codes = [code for block in blocks for code in block.scheme.codes]
    supported = supported_words(case, *codes)
    if supported:
        return f"{'Order' if case.ordered else 'Report'} {supported}."
    return (
        f"Take {codes_words(lines)} off {place(case)}. An injection without imaging is reported as "
        f"{' or '.join(dict.fromkeys(codes))}, by the muscles injected."
    )


RULE = Rule(
    id="facet-imaging-required",
    title="The imaging of a facet injection",
    severity=Severity.WARNING,
    sources=("cpt-2010", "beckers-facet-2010", "cms-lcd-l38773"),
    check=check,
    families=("facet-cervical-thoracic", "facet-lumbar-sacral"),
    for_orders=True,
)
