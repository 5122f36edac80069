"""The code is of another technique than the block that was done.

## What it checks

Whether a reported or ordered block code belongs to another technique (or region) than every block the record tells
of: an erector spinae plane block under 64461, an intercostal block under 64461, a block this service has no codes for
under any of them.

## Why it matters

The needle's target decides the code. Fascial plane blocks are near the paravertebral space and paid less; under 64461
they are overpaid.

## Sources

CPT introduced codes for the thoracic paravertebral block in 2016 and for thoracic fascial plane blocks in 2025; until
then a fascial plane block was an unlisted procedure.

## Known limits

A record that names two techniques for one block is asked about. A block that was cancelled belongs to
`charge-not-documented`, a code that is not in force that day to `code-not-valid-on-date`. What the documented block
should be reported as is not repeated by `service-not-charged`.

## Example

64461-LT ×1 for an erector spinae plane block at T5 on the left, March 2026.

## Corrected

64466-LT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Block, Line
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, contradicted, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import blocks_words, codes_of, codes_words, instead, verb


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per family that is reported and was not done."""
    if contradicted(case, "technique"):
        return
    by_family: dict[str, list[Line]] = {}
    for line in unexpected(case, Mismatch.TECHNIQUE):
        code = case.view.code(line.code)
        if code and code.family:
            by_family.setdefault(code.family, []).append(line)
    done = (*(selection.block for selection in case.selections), *case.uncoded)
    yield from (_draft(case, family, lines, done) for family, lines in by_family.items())


def _draft(case: Case, family_id: str, lines: list[Line], done: tuple[Block, ...]) -> Draft:
    family = case.view.family(family_id)
    title = f" ({family.title.lower()})" if family else ""
    tells = "the order asks for" if case.ordered else "the record describes"
    reported = "ordered" if case.ordered else "reported"
    return Draft(
        message=f"{codes_words(lines)}{title} {verb(lines, 'is', 'are')} {reported}, but {tells} {blocks_words(done)}.",
        remedy=instead(case) or f"Replace {codes_words(lines)} by the code of the block that was done.",
        evidence=(*map(line_evidence, lines), *(e for block in done for e in block.evidence)),
        codes=codes_of(lines, case.expected),
    )


RULE = Rule(
    id="technique-mismatch",
    title="Another technique was done",
    severity=Severity.WARNING,
    sources=("cpt-2016", "cpt-2025"),
    check=check,
    for_orders=True,
)
