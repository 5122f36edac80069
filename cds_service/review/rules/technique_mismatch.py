"""The code is of another technique than the block that was done.

## What it checks

Whether a reported or ordered block code belongs to another technique, plane or nerve than every block the record
tells of: an erector spinae plane block under 64461, an intercostal block under 64461, a block this service has no
codes for under any of them.

## Why it matters

The needle's target decides the code. Fascial plane blocks are near the paravertebral space and paid less; under 64461
they are overpaid.

## Sources

CPT introduced codes for the thoracic paravertebral block in 2016 and for thoracic fascial plane blocks in 2025; until
then a fascial plane block was an unlisted procedure.

## Known limits

A record that names two techniques for one block is asked about. A code of the same technique for another part of the
spine belongs to `region-mismatch`, a confusion with a sympathetic block to `sympathetic-target`, a block that was
cancelled to `charge-not-documented`, a code that is not in force that day to `code-not-valid-on-date`. What the
documented block should be reported as is not repeated by `service-not-charged`.

## Example

64461-LT ×1 for an erector spinae plane block at T5 on the left, March 2026.

## Corrected

64466-LT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case
from cds_service.review.mismatch import Mismatch
from cds_service.review.other_family import of_other_family
from cds_service.review.rule import Draft, Rule


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per family that is reported and was not done."""
    yield from of_other_family(case, Mismatch.TECHNIQUE, "the code of the block that was done")


RULE = Rule(
    id="technique-mismatch",
    title="Another technique was done",
    severity=Severity.WARNING,
    sources=("cpt-2016", "cpt-2025"),
    check=check,
    for_orders=True,
)
