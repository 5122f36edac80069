"""A listed code for a procedure that has none, or the other way round.

## What it checks

Whether a listed code is reported for a way of doing the block that no code describes (radiofrequency in pulses under
64633 to 64636), and whether the unlisted code 64999 is reported for a block that has a code of its own.

## Why it matters

Pulsed radiofrequency destroys no nerve; under the codes of destruction it is overpaid. An unlisted code stops the claim
until someone reads the note, so it needs what a reader asks for: a description of the procedure, its time and effort,
and a listed code it compares with.

## Sources

CPT introduced the radiofrequency codes in 2012 for destruction. What has no code is reported as unlisted, as published
answers on pulsed radiofrequency say.

## Known limits

64999 where it is right is met with silence: whether a description goes with the claim cannot be seen in the record. A
code of another technique for a block without a code belongs to `technique-mismatch`, a code from before or after its
time to `code-not-valid-on-date`. Where one block of the day has no code this service knows, 64999 may be for that one.

## Example

64635-LT ×1 for pulsed radiofrequency of the nerves to L4-L5 on the left.

## Corrected

64999 ×1, with a description.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds_service.chart.model import Line
from cds_service.review.assessment import ExpectedLine, Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import (
    are,
    block_words,
    codes_of,
    codes_words,
    instead,
    joined,
    reported_words,
    tells_words,
    verb,
)


def check(case: Case) -> Iterator[Draft]:
    """Yield a draft for listed codes of what has none, and one for unlisted codes nobody needs."""
    listed = unexpected(case, Mismatch.METHOD)
    if listed:
        yield _no_code(case, listed)
    unlisted = unexpected(case, Mismatch.UNLISTED)
    if unlisted:
        yield _own_code(case, unlisted)


def _no_code(case: Case, lines: Sequence[Line]) -> Draft:
    families = {code.family for line in lines if (code := case.view.code(line.code))}
    blocks = [selection.block for selection in case.selections if selection.family.id in families]
    done = joined(
        f"{block.method.value} {block_words(block)}" if block.method else block_words(block) for block in blocks
    )
    right = case.expected_of(*(s.scheme.primary for s in case.selections if s.family.id in families))
    return Draft(
        message=f"{codes_words(lines)} {are(lines)} {reported_words(case)}, but {tells_words(case)} {done}, "
        "which has no code of its own.",
        remedy=_with_description(case, right),
        evidence=(
            *map(line_evidence, lines),
            *(e for block in blocks for e in (block.method.evidence if block.method else block.evidence)),
        ),
        codes=codes_of(lines, right),
    )


def _with_description(case: Case, right: Sequence[ExpectedLine]) -> str:
    asked = "with a description of what was done and a listed code it compares with"
    return f"{'Order' if case.ordered else 'Report'} {codes_words(right)} ×1, {asked}."


def _own_code(case: Case, lines: Sequence[Line]) -> Draft:
    return Draft(
        message=f"{codes_words(lines)} (unlisted) {are(lines)} {reported_words(case)}, but the block done "
        f"{verb(case.expected, 'has its own code', 'has its own codes')}: {codes_words(case.expected)}.",
        remedy=instead(case),
        evidence=(*map(line_evidence, lines), *case.block_evidence()),
        codes=codes_of(lines, case.expected),
    )


RULE = Rule(
    id="unlisted-procedure",
    title="Listed or unlisted",
    severity=Severity.WARNING,
    sources=("cpt-2012", "aapc-pulsed-radiofrequency", "coverself-fascial-plane-2025"),
    check=check,
    for_orders=True,
)
