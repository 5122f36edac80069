"""The finding that a code is of another family than the block done, for the rules that tell why."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Line
from cds_service.knowledge.model import Family
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, contradicted, done, unexpected
from cds_service.review.rule import Draft
from cds_service.review.words import (
    are,
    blocks_words,
    by_family,
    codes_of,
    codes_words,
    instead,
    reported_words,
    tells_words,
)


def of_other_family(case: Case, reason: Mismatch, right_code: str) -> Iterator[Draft]:
    """Yield one draft per family that is reported and was not done, for `reason`.

    `right_code` names the code to report where none is expected: "the code of the block that was done". Where the
    record contradicts itself on the technique nothing is yielded: that is asked.
    """
    if contradicted(case, "technique"):
        return
    for family, lines in by_family(case, unexpected(case, reason)):
        yield _draft(case, family, lines, right_code)


def _draft(case: Case, family: Family, lines: list[Line], right_code: str) -> Draft:
    blocks = done(case)
    return Draft(
        message=f"{codes_words(lines)} ({family.title.lower()}) {are(lines)} {reported_words(case)}, "
        f"but {tells_words(case)} {blocks_words(blocks)}.",
        remedy=instead(case) or f"Replace {codes_words(lines)} by {right_code}.",
        evidence=(*map(line_evidence, lines), *(e for block in blocks for e in block.evidence)),
        codes=codes_of(lines, case.expected),
    )
