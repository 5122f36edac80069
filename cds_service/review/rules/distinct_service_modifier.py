"""Beside the anesthesia of the operation, a block needs a modifier, and the note must support it.

## What it checks

Whether a block that is proven a separate service (asked for by the surgeon, for pain after the operation, under
anesthesia that does not depend on it) carries 59 or one of XE, XS, XP, XU; and whether such a modifier is reported
while the record does not say all of that. One of the modifiers is enough.

## Why it matters

Without the modifier the block is bundled into the anesthesia code and not paid. With it, but without the words in the
note, the claim asserts what nobody wrote down.

## Sources

Chapter 2 of Medicare's NCCI policy manual, the statement of the American Society of Anesthesiologists, and a
contractor's guidance on 59.

## Known limits

Only codes that the edits pair with anesthesia need the modifier (64462 rides on 64461); a code that is younger than the
loaded edits is taken to need it, as the manual says of all such blocks. Where nothing is proven and
the modifier is not there either, `ptp-conflict` names the pair. Whether the practitioner of both is the same is not
checked. What the record does not say is held against it only where all of it was read. Without anesthesia that day a
modifier is left as it is.

## Example

00541 and 64461-RT ×1, with a note that the surgeon asked for the block for pain after the operation.

## Corrected

00541 and 64461-RT-59 ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Line
from cds_service.review.assessment import ExpectedLine, Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import read_in_full, why_unexpected
from cds_service.review.modifiers import distinct_modifiers
from cds_service.review.rule import Draft, Rule
from cds_service.review.separate_service import Service
from cds_service.review.words import codes_of, codes_words, joined, line_words, lines_words, verb

_PROOF = {
    "requesting-provider": "that the surgeon asked for the block",
    "purpose": "that it was for pain after the operation",
}


def check(case: Case) -> Iterator[Draft]:
    """Yield a draft for lines that lack the modifier, for lines with too many, or for lines that cannot claim it."""
    lines = [line for line in case.lines if why_unexpected(case, line) is None]
    carrying = [line for line in lines if _distinct(case, line)]
    if case.separation.service is Service.SEPARATE:
        lacking = [line for line in lines if not _distinct(case, line) and _needs(case, line)]
        yield from _lacking(case, lacking)
        yield from (_several(case, line) for line in carrying if len(_distinct(case, line)) > 1)
    elif case.separation.service is Service.UNPROVEN and read_in_full(case):
        # Beside another block at another place the modifier says that, and not that the anesthesia was separate.
        unproven = [line for line in carrying if not _needs(case, line)]
        if unproven:
            yield _unproven(case, unproven)


def _distinct(case: Case, line: Line | ExpectedLine) -> list[str]:
    known = distinct_modifiers(case.view)
    return [modifier for modifier in line.modifiers if modifier in known]


def _needs(case: Case, line: Line) -> bool:
    return any(_distinct(case, expected) for expected in case.expected_of(line.code))


def _lacking(case: Case, lines: list[Line]) -> Iterator[Draft]:
    if not lines:
        return
    right = case.expected_of(*(line.code for line in lines))
    modifier = case.view.parameter("distinct_modifier")
    beside = joined(line.code for line in case.anesthesia_lines) or "the anesthesia of the operation"
    yield Draft(
        message=f"{codes_words(lines)} beside {beside} {verb(lines, 'needs', 'need')} modifier {modifier}: "
        "the record shows a separate service.",
        remedy=f"Report {lines_words(right)}.",
        evidence=(*map(line_evidence, lines), *case.separation.evidence),
        codes=codes_of(lines),
    )


def _several(case: Case, line: Line) -> Draft:
    modifiers = _distinct(case, line)
    return Draft(
        message=f"{line_words(line)} carries {joined(modifiers)}, which say the same; one is enough.",
        remedy=f"Report {lines_words(case.expected_of(line.code))}.",
        evidence=(line_evidence(line),),
        codes=(line.code,),
    )


def _unproven(case: Case, lines: list[Line]) -> Draft:
    modifiers = joined(modifier for line in lines for modifier in _distinct(case, line))
    missing = joined(_PROOF.get(element, element) for element in case.separation.missing)
    return Draft(
        message=f"{codes_words(lines)} {verb(lines, 'carries', 'carry')} {modifiers}, "
        f"but the record does not say {missing}.",
        remedy=f"Take {modifiers} off. If it was so, the author of the note can add it in a dated addendum.",
        evidence=(*map(line_evidence, lines), *case.separation.evidence),
        codes=codes_of(lines),
    )


RULE = Rule(
    id="distinct-service-modifier",
    title="Separate from the anesthesia",
    severity=Severity.WARNING,
    sources=("cms-ncci-manual-2024-ch2", "asa-postoperative-pain-2025", "ngs-postoperative-pain-2023"),
    check=check,
)
