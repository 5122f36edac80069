"""A block is charged that the record does not show.

## What it checks

Whether a block code is reported although the notes and Procedures of the encounter tell of no block, or although the
record says the block was cancelled or given up.

## Why it matters

A charge without a record of the service is the first thing an audit finds, and the whole payment goes back.

## Sources

Medicare pays only for services the record shows: section 1833(e) of the Social Security Act.

## Known limits

Where any note or Procedure could not be read, and none tells of a block, nothing is said here: the assessment lists
what was not read. A note outside the encounter is not seen. A code of another technique than the block done belongs
to `technique-mismatch`, one of the wrong kind to `catheter-code`, an unlisted code for a block that has its own to
`unlisted-procedure`, too many units to `units-exceed-documentation`. Draft orders are not charges.

## Example

64461-RT ×1, while the note says that the block was not attempted because the patient was anticoagulated.

## Corrected

No line for the block.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Block, Line
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, cancelled, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import are, block_names, codes_of, codes_words, joined


def check(case: Case) -> Iterator[Draft]:
    """Yield drafts for blocks that were cancelled, and for blocks nothing tells of."""
    lines = unexpected(case, Mismatch.NOT_DONE)
    not_done = {line: blocks for line in lines if (blocks := _cancelled(case, line))}
    silent = [line for line in lines if line not in not_done]
    if not_done:
        yield _not_done(list(not_done), [block for blocks in not_done.values() for block in blocks])
    if silent:
        yield _nothing_told(case, silent)


def _cancelled(case: Case, line: Line) -> tuple[Block, ...]:
    code = case.view.code(line.code)
    return cancelled(case, code) if code else ()


def _not_done(lines: list[Line], blocks: list[Block]) -> Draft:
    name = joined(block_names(blocks))
    return Draft(
        message=f"{codes_words(lines)} {are(lines)} reported, but the record says the {name} was not done.",
        remedy=f"Remove {codes_words(lines)}.",
        evidence=(*map(line_evidence, lines), *(e for block in blocks for e in block.evidence)),
        codes=codes_of(lines),
    )


def _nothing_told(case: Case, lines: list[Line]) -> Draft:
    unread = any(subject.startswith("procedures") for subject, _ in case.chart.not_read)
    silent = "note" if unread else "note or procedure"
    return Draft(
        message=f"{codes_words(lines)} {are(lines)} reported, but no {silent} of this encounter tells of a block.",
        remedy="Check whether the note is missing or the charge is for another encounter.",
        evidence=tuple(map(line_evidence, lines)),
        codes=codes_of(lines),
    )


RULE = Rule(
    id="charge-not-documented",
    title="Charged but not documented",
    severity=Severity.WARNING,
    sources=("ssa-1833e",),
    check=check,
)
