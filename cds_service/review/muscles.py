"""How many muscles a trigger point injection treated. Muscles of both sides are counted together, not needle sticks."""

from __future__ import annotations

from cds_service.chart.model import Block
from cds_service.review.sites import SideCount


def count_muscles(block: Block) -> tuple[SideCount, ...]:
    """Return one count for the session: the muscles named, else their stated number."""
    muscles = dict.fromkeys((site.level, site.side) for site in block.sites if site.level is not None)
    evidence = tuple(dict.fromkeys(e for site in block.sites for e in site.evidence)) or block.evidence
    stated = block.site_count
    if muscles:
        names = tuple(f"{side.value} {muscle}" if side else f"{muscle}" for muscle, side in muscles)
        return (SideCount(None, len(muscles), len(muscles), evidence, noun="muscle", names=names),)
    if stated is not None:
        return (SideCount(None, stated.low, stated.high, evidence + stated.evidence, noun="muscle"),)
    return (SideCount(None, 1, None, evidence, noun="muscle"),)
