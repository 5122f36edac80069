"""The needle's target decides between the sympathetic codes, and between them and the paravertebral ones.

## What it checks

Whether a sympathetic code (64510, 64517, 64520, 64530) is reported or ordered for a block of the paravertebral space
(64461 to 64463), a paravertebral code for a sympathetic block, or the code of one sympathetic target for another.

## Why it matters

The words are close: older texts call the lumbar sympathetic block "paravertebral". A block of the paravertebral space
numbs the nerves of the chest wall, one of the sympathetic chain steers vessels and organs. Policies cover the two for
different patients, so that a mix-up looks like a block without indication.

## Sources

The codes have carried their targets in their names since they exist; CPT introduced those of the paravertebral space
in 2016. Published pages that describe 64520 in paravertebral words are not followed here.

## Known limits

A sympathetic target must be said. A thoracic paravertebral block whose note does not speak of the sympathetic chain is
one of the paravertebral space. Where 64520 is reported for it, and the note says neither that the needle went into that
space nor what the block was for, the target is asked for and nothing else is said. A record that names two techniques
for one block is asked about.

## Example

64520-LT ×1 for injections into the paravertebral space at T4 on the left, for pain after a mastectomy.

## Corrected

64461-LT ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.review.assessment import Severity
from cds_service.review.case import Case
from cds_service.review.mismatch import Mismatch
from cds_service.review.other_family import of_other_family
from cds_service.review.rule import Draft, Rule


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per family whose target is not that of the block done."""
    yield from of_other_family(case, Mismatch.TARGET, "the code for the target that was injected")


RULE = Rule(
    id="sympathetic-target",
    title="Another target beside the spine",
    severity=Severity.WARNING,
    sources=("cpt-2016", "cms-mpfs-2026q3", "cms-ncci-manual-2024-ch8"),
    check=check,
    families=("sympathetic-chain", "stellate-ganglion", "celiac-plexus", "hypogastric-plexus", "paravertebral"),
    for_orders=True,
)
