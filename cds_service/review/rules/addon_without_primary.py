"""An add-on code needs its primary code beside it.

## What it checks

Whether an add-on (64462, 64421, 64491, 64494, 64480, 64636 ...) is reported or ordered while none of its primary codes
is.

## Why it matters

An add-on is priced as work on top of its primary code. Alone it is denied, however well the sites are documented.

## Sources

The Medicare add-on code edits name the primaries of every add-on; CPT marks the codes as add-ons.

## Known limits

The primary is looked for on the same Claim (or among the same draft orders), whatever its date. A primary that was
sent on an earlier claim is not seen. Where the code is wrong for a more basic reason (another technique, a catheter,
a block not done), the rule of that reason speaks instead. The missing primary itself is not repeated by
`service-not-charged`.

## Example

64462-RT ×1 alone, for injections at T4 and T5 on the right.

## Corrected

64461-RT ×1 and 64462-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, why_unexpected
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import instead, joined, place

_OPEN = (None, Mismatch.UNKNOWN, Mismatch.FURTHER_SITES)


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per add-on code whose primaries are all missing."""
    for name in case.reported_codes:
        code = case.view.code(name)
        if code is None or code.role != "add-on" or any(case.primaries_reported(name)):
            continue
        lines = [line for line in case.lines_of(name) if why_unexpected(case, line) in _OPEN]
        if lines:
            primaries = joined(sorted(code.primaries)) or "its primary code"
            yield Draft(
                message=f"{name} is an add-on to {primaries}, which is not on {place(case)}.",
                remedy=instead(case) or f"Add {primaries} if it was done, or remove {name}.",
                evidence=(*map(line_evidence, lines), *case.block_evidence()),
                codes=(name, *sorted(code.primaries)),
            )


RULE = Rule(
    id="addon-without-primary",
    title="An add-on needs its primary code",
    severity=Severity.WARNING,
    sources=("cms-ncci-addon-2024q3", "cpt-2016"),
    check=check,
    for_orders=True,
)
