"""Facet joints are counted, not the nerves or needles.

## What it checks

Whether facet codes (64490 to 64495, 0213T to 0218T) or radiofrequency codes (64633 to 64636) are reported with more
units, or for more levels, than there are joints: medial branches at L3, L4 and L5 supply two joints, not three.

## Why it matters

A joint has two nerves, so that counting nerves overstates nearly every session. The third level is looked at hardest,
and several contractors do not cover it.

## Sources

CPT counts these injections by joint since 2010 and the destruction of the nerves since 2012; CPT Assistant explains
that two nerves supply one joint.

## Known limits

Which nerves supply a joint is taken from a table of the usual anatomy. Where the words leave open whether levels are
joints or nerves, or name joints that the named nerves do not supply, the joints are asked for, and only what goes
beyond every reading is said here. Several units of a code that stands for all further levels belong to
`addon-once-per-day`, too few units to `service-not-charged`, what a payer covers to its own rules.

## Example

64493-RT, 64494-RT and 64495-RT for medial branch blocks at L3, L4 and L5 on the right.

## Corrected

64493-RT ×1 and 64494-RT ×1: the joints L4-L5 and L5-S1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Line
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, contradicted, open_lines, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.selection import Selection
from cds_service.review.tally import counts_joints, over_documented
from cds_service.review.words import arithmetic, codes_of, joined, lines_words, place, supported_words


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for all lines of blocks of one counting that go beyond the joints."""
    if contradicted(case, "levels", "site-count"):
        return
    over = [line for line in open_lines(case) if over_documented(case, line.code)]
    further = [line for line in unexpected(case, Mismatch.FURTHER_SITES) if any(case.primaries_reported(line.code))]
    surplus = [line for line in case.lines if line in (*over, *further) and counts_joints(case, line.code)]
    if surplus:
        yield _draft(case, surplus)


def _draft(case: Case, lines: list[Line]) -> Draft:
    names = {line.code for line in lines}
    blocks = [selection for selection in case.selections if names & {*selection.scheme.codes}]
    right = case.expected_of(*_codes(blocks))
    said = joined(arithmetic(case, selection) for selection in blocks)
    return Draft(
        message=f"{'Ordered' if case.ordered else 'Documented'}: {said}, but {place(case)} has {lines_words(lines)}.",
        remedy=_remedy(case, lines, blocks),
        evidence=(
            *map(line_evidence, lines),
            *(e for block in blocks for count in block.counts for e in count.evidence),
        ),
        codes=codes_of(lines, right),
    )


def _remedy(case: Case, lines: list[Line], blocks: list[Selection]) -> str:
    supported = supported_words(case, *_codes(blocks))
    if not supported:
        return f"Remove {joined(line.code for line in lines)}."
    return f"{'Order' if case.ordered else 'Report'} {supported}."


def _codes(blocks: list[Selection]) -> list[str]:
    return [code for block in blocks for code in block.scheme.codes]


RULE = Rule(
    id="facet-joint-count",
    title="Joints, not nerves",
    severity=Severity.WARNING,
    sources=("cpt-assistant-2010-08", "cpt-2010", "cpt-2012", "cms-ncci-mue-2024q3"),
    check=check,
    families=(
        "facet-cervical-thoracic",
        "facet-lumbar-sacral",
        "radiofrequency-cervical-thoracic",
        "radiofrequency-lumbar-sacral",
    ),
    for_orders=True,
)
