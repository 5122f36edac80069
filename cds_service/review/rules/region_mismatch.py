"""The code is for another part of the spine.

## What it checks

Whether a code is reported or ordered that belongs to the technique done, but to another region: a cervical or thoracic
facet code for a lumbar joint, a lumbar epidural code for a thoracic injection.

## Why it matters

The regions are priced apart, and have limits, policies and lists of diagnoses of their own. A line for the wrong one
does not match the note it will be compared with.

## Sources

CPT divides the codes by region. Where the regions meet, at T12-L1, articles of Medicare contractors count the facet
joint and the transforaminal injection with the thoracic levels.

## Known limits

Where the record states no level and no region, nothing is said, and which block it was is asked. A record that
contradicts itself on the levels is asked about. Planes and peripheral nerves are not regions of the spine: a code for
another one belongs to `technique-mismatch`, one for another sympathetic target to `sympathetic-target`.

## Example

64490-RT ×1 for a facet injection at L4-L5 on the right.

## Corrected

64493-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Block, Evidence, Line
from cds_service.chart.narrative.levels import region_of
from cds_service.knowledge.model import Family
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, contradicted, done, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import (
    are,
    blocks_words,
    by_family,
    codes_of,
    codes_words,
    instead,
    joined,
    reported_words,
    tells_words,
)


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per family that is reported and of another region than the block done."""
    if contradicted(case, "levels"):
        return
    for family, lines in by_family(case, unexpected(case, Mismatch.REGION)):
        yield _draft(case, family, lines)


def _draft(case: Case, family: Family, lines: list[Line]) -> Draft:
    blocks = [block for block in done(case) if block.technique.value == family.technique]
    levels = joined(site.level for block in blocks for site in block.sites if site.level)
    where = f" at {levels}" if levels else ""
    return Draft(
        message=f"{codes_words(lines)} ({family.title.lower()}) {are(lines)} {reported_words(case)}, "
        f"but {tells_words(case)} {blocks_words(blocks)}{where}{_meeting(case, family)}.",
        remedy=instead(case) or f"Replace {codes_words(lines)} by the code for the region that was treated.",
        evidence=(*map(line_evidence, lines), *(e for block in blocks for e in _evidence(block))),
        codes=codes_of(lines, case.expected),
    )


def _evidence(block: Block) -> Iterator[Evidence]:
    yield from block.evidence
    yield from (e for site in block.sites for e in site.evidence)


def _meeting(case: Case, family: Family) -> str:
    """Say which family a level belongs to that lies between two regions, where that is what was confused."""
    for selection in case.selections:
        levels = [site.level for site in selection.block.sites if site.level and _between_regions(site.level)]
        if selection.family.technique == family.technique and levels:
            return f"; {joined(levels)} goes with the {selection.family.regions[-1]} levels"
    return ""


def _between_regions(level: str) -> bool:
    return len({region_of(end) for end in level.split("-")}) > 1


RULE = Rule(
    id="region-mismatch",
    title="Another region of the spine",
    severity=Severity.WARNING,
    sources=("cpt-2010", "cpt-2011", "cpt-2012", "cpt-2017", "ngs-facet-a57826", "cms-lcd-l39240"),
    check=check,
    families=(
        "facet-cervical-thoracic",
        "facet-lumbar-sacral",
        "radiofrequency-cervical-thoracic",
        "radiofrequency-lumbar-sacral",
        "transforaminal-cervical-thoracic",
        "transforaminal-lumbar-sacral",
        "interlaminar-cervical-thoracic",
        "interlaminar-lumbar-sacral",
        "paravertebral",
    ),
    for_orders=True,
)
