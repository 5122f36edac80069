"""Injection and infusion have codes of their own.

## What it checks

Whether an infusion code (64463, 64467, 64469, 64474, 64487, 64489, 62324 to 62327) is reported while no catheter is
documented as left, or the injection code of the same block (64461, 64462, 64466, 62320 ...) for one whose catheter was
left, alone or together with the infusion code.

## Why it matters

The infusion code pays for placing the catheter and for starting the infusion; the first injection at the same place
is part of it. Both for one place is paid twice, the wrong one is paid wrongly.

## Sources

CPT introduced the codes as pairs of injection and infusion: those of the abdominal wall in 2015, the thoracic
paravertebral ones in 2016, the epidural ones in 2017, the other fascial plane codes in 2025.

## Known limits

A catheter must be stated to have been left: one used for the injection and taken out is an injection. Where notes
could not be read, the record's silence is no answer; where it contradicts itself on the catheter, that is asked
about. Where one block was an injection and another of the same family an infusion, both codes are expected; a swapped
side is then for `laterality-mismatch`.

## Example

64461-RT ×1 and 64463-RT ×1 for one catheter at T5 on the right.

## Corrected

64463-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Evidence, Line
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, contradicted, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.selection import Selection
from cds_service.review.words import are, codes_of, codes_words, instead, place, supported_words


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for the infusion codes without a catheter, and one for injection codes beside a catheter."""
    if contradicted(case, "catheter"):
        return
    lines = unexpected(case, Mismatch.CATHETER)
    for continuous in (True, False):
        own = [line for line in lines if _continuous(case, line) is continuous]
        if own:
            yield _draft(case, own, continuous=continuous)


def _continuous(case: Case, line: Line) -> bool:
    code = case.view.code(line.code)
    return bool(code and code.continuous)


def _draft(case: Case, lines: list[Line], *, continuous: bool) -> Draft:
    families = {code.family for line in lines if (code := case.view.code(line.code))}
    blocks = [selection for selection in case.selections if selection.family.id in families]
    right = [line for line in case.expected if line.code in {c for s in blocks for c in s.scheme.codes}]
    why = (
        _no_catheter(blocks)
        if continuous
        else f"a catheter was left, which is {supported_words(case, *codes_of(right))}"
    )
    return Draft(
        message=f"{codes_words(lines)} {are(lines)} on {place(case)}, but {why}.",
        remedy=instead(case),
        evidence=(*map(line_evidence, lines), *_evidence(blocks)),
        codes=codes_of(lines, right),
    )


def _no_catheter(blocks: list[Selection]) -> str:
    if any(selection.block.continuous is not None for selection in blocks):
        return "the record describes an injection without a catheter left in place"
    return "the record does not tell of a catheter that was left in place"


def _evidence(blocks: list[Selection]) -> Iterator[Evidence]:
    for selection in blocks:
        stated = selection.block.continuous
        yield from stated.evidence if stated and stated.evidence else selection.block.evidence


RULE = Rule(
    id="catheter-code",
    title="Injection or catheter",
    severity=Severity.WARNING,
    sources=("cpt-2015", "cpt-2016", "cpt-2017", "cpt-2025"),
    check=check,
    families=(
        "paravertebral",
        "fascial-plane",
        "abdominal-plane",
        "lower-limb-plane",
        "interlaminar-cervical-thoracic",
        "interlaminar-lumbar-sacral",
    ),
    for_orders=True,
)
