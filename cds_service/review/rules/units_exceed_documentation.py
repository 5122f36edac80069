"""More units are reported than sites are documented.

## What it checks

Whether a code has more units than the documented injection sites support: the primary more than once per side, a
per-level add-on more often than there are further levels, any add-on where one site is documented, the code for many
muscles (20553) where few are. Modifier 50 counts as both sides.

## Why it matters

Units without a documented site are an overpayment, to be paid back when the note is read.

## Sources

CPT says what a unit of each code counts; the Medicare unit edits rest on the same wording.

## Known limits

It speaks only above the upper bound the words allow: "T4-5" may be one site or two, and a note that names no level at
all sets no bound. Further units of a once-a-day add-on with further sites documented belong to `addon-once-per-day`,
an add-on without its primary to `addon-without-primary`, facet joints to `facet-joint-count`, units on a side that was
not injected to `laterality-mismatch`. A record that contradicts itself on levels or number is asked about, not judged.

## Example

64461-RT ×3 for injections at T4, T5 and T6 on the right.

## Corrected

64461-RT ×1 and 64462-RT ×1: the first site, and all further sites together.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Evidence, Line
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, contradicted, open_lines, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.selection import Selection
from cds_service.review.tally import counts_joints, over_documented
from cds_service.review.words import arithmetic, joined, lines_words, place, supported_words


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per code with units above what the sites support."""
    if contradicted(case, "levels", "site-count"):
        return
    for name in dict.fromkeys(line.code for line in open_lines(case)):
        if over_documented(case, name) and not counts_joints(case, name):
            yield _draft(case, name, case.lines_of(name))
    for line in unexpected(case, Mismatch.FURTHER_SITES):
        if any(case.primaries_reported(line.code)) and not counts_joints(case, line.code):
            yield _draft(case, line.code, (line,))
    for line in unexpected(case, Mismatch.NUMBER):
        yield _draft(case, line.code, (line,))


def _draft(case: Case, name: str, lines: tuple[Line, ...]) -> Draft:
    blocks = [selection for selection in case.selections if name in selection.scheme.codes]
    return Draft(
        message=f"{_sites(case, blocks)}, but {place(case)} has {lines_words(lines)}.",
        remedy=_remedy(case, name, blocks),
        evidence=(*map(line_evidence, lines), *_evidence(case, name, blocks)),
        codes=(name,),
    )


def _sites(case: Case, blocks: list[Selection]) -> str:
    said = joined(arithmetic(case, selection) for selection in blocks)
    return f"{'Ordered' if case.ordered else 'Documented'}: {said}" if said else "One unit is supported"


def _remedy(case: Case, name: str, blocks: list[Selection]) -> str:
    codes = {code for selection in blocks for code in selection.scheme.codes} or {name}
    lines = supported_words(case, *codes)
    return f"{'Order' if case.ordered else 'Report'} {lines}." if lines else f"Remove {name}."


def _evidence(case: Case, name: str, blocks: list[Selection]) -> Iterator[Evidence]:
    codes = {code for selection in blocks for code in selection.scheme.codes} or {name}
    for line in case.expected_of(*codes):
        yield from line.evidence


RULE = Rule(
    id="units-exceed-documentation",
    title="More units than sites",
    severity=Severity.WARNING,
    sources=("cpt-2016", "cpt-2020", "cms-ncci-mue-2024q3"),
    check=check,
    for_orders=True,
)
