"""The side on the Claim is the side that was injected.

## What it checks

Whether the lines of a code name the one side the record documents for it: right against left, both sides against one.
A line without RT or LT is reported too.

## Why it matters

A wrong side is a wrong claim, and a reader cannot tell a slip of the coder from an injection on the wrong side. A
missing side holds the claim back, and hides a second session on the other side.

## Sources

Medicare's claims manual on one-sided and bilateral procedures, and the bilateral indicators of the fee schedule.

## Known limits

No documented side, no opinion: the side on the Claim stays. A record that names different sides for one block is
asked about. Where both sides are documented, `bilateral-reporting` speaks, also of a line that names one of them or
none.

## Example

64461-LT ×1 for an injection at T4 on the right.

## Corrected

64461-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Line, Side
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, open_lines, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.tally import as_expected, claimed, documented_sides, malformed, sides_of, supported
from cds_service.review.words import are, codes_of, codes_words, joined, line_words, lines_words, sides_words, verb

_Sides = frozenset[Side]


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per kind of difference, for all codes that share it."""
    wrong: dict[tuple[_Sides, _Sides], list[Line]] = {}
    missing: dict[_Sides, list[Line]] = {}
    for name in dict.fromkeys(line.code for line in open_lines(case)):
        if as_expected(case, name):
            continue
        claim, documented = claimed(case.lines, name), documented_sides(supported(case, name))
        lines = case.lines_of(name)
        if not documented or any(malformed(line) for line in lines):
            continue
        if claim.unsided and len(documented) == 1 and claim.sides <= documented:
            missing.setdefault(documented, []).extend(line for line in lines if not sides_of(line))
        elif claim.sides != documented and len(documented) == 1:
            wrong.setdefault((claim.sides, documented), []).extend(lines)
    yield from (_wrong(case, lines, *sides) for sides, lines in wrong.items())
    yield from (_missing(case, lines, sides) for sides, lines in missing.items())
    yield from _both_sided_code(case)


def _wrong(case: Case, lines: list[Line], reported: _Sides, documented: _Sides) -> Draft:
    right = case.expected_of(*(line.code for line in lines))
    return Draft(
        message=f"{lines_words(lines)} {verb(lines, 'reports', 'report')} {sides_words(reported)}; "
        f"the record documents {sides_words(documented)}.",
        remedy=f"Report {lines_words(right)}. If the note names the wrong side, its author can say so in a "
        "dated addendum.",
        evidence=(*map(line_evidence, lines), *(e for line in right for e in line.evidence)),
        codes=codes_of(lines),
    )


def _missing(case: Case, lines: list[Line], documented: _Sides) -> Draft:
    right = case.expected_of(*(line.code for line in lines))
    return Draft(
        message=f"{codes_words(lines)} {are(lines)} reported without a side; {sides_words(documented)} is documented.",
        remedy=f"Report {lines_words(right)}.",
        evidence=(*map(line_evidence, lines), *(e for line in right for e in line.evidence)),
        codes=codes_of(lines),
    )


def _both_sided_code(case: Case) -> Iterator[Draft]:
    """Yield a draft per code that means both sides, while one side is documented."""
    for line in unexpected(case, Mismatch.SIDES):
        code = case.view.code(line.code)
        if code is None or not code.inherently_bilateral:
            continue
        right = [e for e in case.expected if (known := case.view.code(e.code)) and known.family == code.family]
        yield Draft(
            message=f"{line_words(line)} means both sides, but one side is documented: {lines_words(right)}.",
            remedy=f"Report {joined(map(line_words, right))} instead of {line.code}.",
            evidence=(line_evidence(line), *(e for one in right for e in one.evidence)),
            codes=(line.code, *(one.code for one in right)),
        )


RULE = Rule(
    id="laterality-mismatch",
    title="The side on the Claim differs",
    severity=Severity.WARNING,
    sources=("cms-claims-manual-ch12-40-7", "cms-mpfs-2026q3"),
    check=check,
)
