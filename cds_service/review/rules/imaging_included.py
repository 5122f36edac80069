"""Imaging guidance is part of the block's code.

## What it checks

Whether the Claim reports imaging guidance (76942, 77002, 77003) beside a block whose code already includes it: the
thoracic paravertebral codes and the thoracic fascial plane codes.

## Why it matters

The pair is edited: the imaging line is denied, and a modifier put on it to get it paid asserts a second, unrelated
imaging service that nobody did.

## Sources

The practitioner PTP edits list the imaging codes as column 2 of 64461 and 64463; CPT includes imaging in these
families.

## Known limits

An imaging line that carries a distinct-service modifier (59, XE, XP, XS, XU) says it belongs to something else, and is
left alone. Imaging for a central line or another procedure of that day is not recognised without the modifier.

## Example

64461-RT ×1 and 76942-26 ×1 for an ultrasound-guided block at T4.

## Corrected

64461-RT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.rule import Draft, Rule


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per imaging line that stands beside a block with imaging included."""
    including = [family for family in case.families if family.imaging_included]
    if not including or len(including) < len(case.families):
        return
    for line in case.lines:
        code = case.view.code(line.code)
        if code is not None and code.role == "imaging":
            yield Draft(
                message=f"{line.code} is reported, but imaging is included in the code of the {including[0].title}.",
                remedy=f"Remove {line.code}.",
                evidence=(line_evidence(line), *case.block_evidence()),
                codes=(line.code,),
            )


RULE = Rule(
    id="imaging-included",
    title="Imaging guidance is included",
    severity=Severity.WARNING,
    sources=("cms-ncci-ptp-2024q3",),
    check=check,
    families=("paravertebral", "fascial-plane"),
    for_orders=True,
)
