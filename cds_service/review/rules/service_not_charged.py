"""A documented block, or part of it, is missing on the Claim.

## What it checks

Whether a code the record supports is not on the Claim at all, or has fewer units than the record proves. Among draft
orders: whether the add-on is missing where the order itself names further sites.

## Why it matters

Work that was done and documented goes unpaid, and the claim does not tell the payer what was done.

## Sources

Chapter 1 of Medicare's NCCI policy manual asks for the codes that describe the services performed; CPT gives further
sites a code of their own.

## Known limits

Where Claims were not looked for, nothing is missing on them. What is only possible ("T4-5") is not missing. Where
another code stands in the place of the right one, the rule that names it speaks (`technique-mismatch`,
`catheter-code`, `code-not-valid-on-date`, `bilateral-reporting`, `laterality-mismatch`); a primary whose add-on is
there belongs to `addon-without-primary`, sites put into units of the primary to `units-exceed-documentation`, imaging
to `imaging-separate`.

## Example

64461-RT ×1 alone, for injections at T4, T5 and T6 on the right.

## Corrected

64461-RT ×1 and 64462-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cds_service.chart.model import Line
from cds_service.review.assessment import ExpectedLine, Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import not_reported, open_lines
from cds_service.review.rule import Draft, Rule
from cds_service.review.tally import as_expected, claimed, falls_short, malformed, over_documented, supported
from cds_service.review.words import arithmetic, codes_of, codes_words, joined, lines_words, place, supported_words


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for the codes that are missing and one for the codes with too few units."""
    if case.claim is None and not case.lines and not case.chart.claims_known:
        return
    absent = [line for line in not_reported(case) if _is_missing(case, line)]
    if absent:
        yield _draft(case, absent, ())
    codes = [code for code in dict.fromkeys(line.code for line in open_lines(case)) if _too_few(case, code)]
    if codes:
        yield _draft(case, case.expected_of(*codes), case.lines_of(*codes))


def _is_missing(case: Case, line: ExpectedLine) -> bool:
    code = case.view.code(line.code)
    if code is None or code.role == "imaging":
        return False
    if code.role == "add-on":
        ordered = not case.ordered or any(case.primaries_reported(line.code))
        return ordered and not any(over_documented(case, primary) for primary in code.primaries)
    return not case.ordered and not _carries_add_on(case, line.code)


def _carries_add_on(case: Case, primary: str) -> bool:
    """Whether an add-on to `primary` is reported with none of its primaries."""
    reported = (code for name in case.reported_codes if (code := case.view.code(name)) and code.role == "add-on")
    return any(primary in code.primaries and not any(case.primaries_reported(code.code)) for code in reported)


def _too_few(case: Case, code: str) -> bool:
    if case.ordered or as_expected(case, code) or any(malformed(line) for line in case.lines_of(code)):
        return False
    return falls_short(claimed(case.lines, code), supported(case, code))


def _draft(case: Case, right: Sequence[ExpectedLine], lines: Sequence[Line]) -> Draft:
    codes = {line.code for line in right}
    sites = joined(arithmetic(case, s) for s in case.selections if codes & set(s.scheme.codes))
    return Draft(
        message=f"{'Ordered' if case.ordered else 'Documented'}: {sites or supported_words(case, *codes)}, "
        f"but {_has(case, right, lines)}.",
        remedy=f"{'Report' if lines else 'Add'} {supported_words(case, *codes)}.",
        evidence=(*map(line_evidence, lines), *(e for line in right for e in line.evidence)),
        codes=codes_of(right),
    )


def _has(case: Case, right: Sequence[ExpectedLine], lines: Sequence[Line]) -> str:
    if lines:
        return f"{place(case)} has {lines_words(lines)}"
    if case.claim or case.lines:
        return f"{place(case)} lacks {codes_words(right)}"
    return f"there is no Claim with {codes_words(right)}"


RULE = Rule(
    id="service-not-charged",
    title="Documented but not charged",
    severity=Severity.WARNING,
    sources=("cms-ncci-manual-2024-ch1", "cpt-2016"),
    check=check,
    for_orders=True,
)
