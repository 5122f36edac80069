"""Some add-ons are reported once for all further sites.

## What it checks

Whether an add-on that stands for all further sites or levels together (64462, 64492, 64495, 0215T, 0218T) is reported
more than once for one side of one day: more than one unit on a line, or several lines that RT and LT do not tell
apart. Modifier 50 counts as both sides.

## Why it matters

One unit pays for all further sites. The daily limit is one unit, and for most of these codes neither a modifier nor an
appeal lifts it: the units above are lost, and with them often the whole line.

## Sources

CPT introduced the facet codes in 2010 and 64462 in 2016 with the instruction to report them once a day; the Medicare
unit edits say the same.

## Known limits

Once per day is read as once per side and day, because the code is one-sided. Two units without a side are left to
`bilateral-reporting` where both sides are documented. That one site only is documented is said by
`units-exceed-documentation` as well; where the code is wrong altogether, only the rule that says why speaks.

## Example

64461-RT ×1 and 64462-RT ×3 for injections at T3, T4, T5 and T6 on the right.

## Corrected

64461-RT ×1 and 64462-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, counted_codes, unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.tally import more_than_once
from cds_service.review.words import arithmetic, joined, lines_words, place, supported_words


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per code that is reported more than once on a side."""
    for name in counted_codes(case):
        if not more_than_once(case, name):
            continue
        lines = case.lines_of(name)
        sites = joined(arithmetic(case, s) for s in case.selections if name in s.scheme.codes)
        explained = f" ({sites})" if sites else ""
        yield Draft(
            message=f"{name} covers all further {_noun(case, name)}s of a side, once per day{explained}; "
            f"{place(case)} has {lines_words(lines)}.",
            remedy=_remedy(case, name),
            evidence=(*map(line_evidence, lines), *(e for line in case.expected_of(name) for e in line.evidence)),
            codes=(name,),
        )


def _noun(case: Case, name: str) -> str:
    """Return what the code counts, "site" or "joint"."""
    code = case.view.code(name)
    family = case.view.family(code.family or "") if code else None
    return family.counts if family else "site"


def _remedy(case: Case, name: str) -> str:
    if unexpected(case, Mismatch.FURTHER_SITES):
        return f"Remove {name}."
    expected = supported_words(case, name)
    return (
        f"{'Order' if case.ordered else 'Report'} {expected}." if expected else f"Report {name} with one unit per side."
    )


RULE = Rule(
    id="addon-once-per-day",
    title="One unit for all further sites",
    severity=Severity.WARNING,
    sources=("cpt-2010", "cpt-2016", "cms-ncci-mue-2024q3"),
    check=check,
    families=("paravertebral", "facet-cervical-thoracic", "facet-lumbar-sacral"),
    for_orders=True,
)
