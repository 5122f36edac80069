"""How many injection sites the record supports on each side."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cds_service.chart.model import Block, Evidence, Side, Site

SideOrUnknown = Side | None


@dataclass(frozen=True, slots=True)
class SideCount:
    """What is counted on one side: at least `low`, at most `high` (None: no upper limit stated).

    `noun` is what is counted ("site", "joint", "muscle"), `names` those that are sure ("L4-L5"), in order.
    `before` is how many another family counted on this side already, where this one goes on with its count.
    """

    side: SideOrUnknown
    low: int
    high: int | None
    evidence: tuple[Evidence, ...]
    noun: str = "site"
    names: tuple[str, ...] = ()
    before: int = 0

    def exactly(self, number: int) -> SideCount:
        """Return the count with no choice left."""
        return replace(self, low=number, high=number)


def count_sites(block: Block) -> tuple[SideCount, ...]:
    """Return one count per side that was injected, right before left; one for an unknown side."""
    return tuple(_count(block, side) for side in sides_of(block))


def sides_of(block: Block) -> tuple[SideOrUnknown, ...]:
    """Return the sides that were injected, right before left; None alone where none is stated."""
    stated = {site.side for site in block.sites if site.side is not None}
    if block.side is not None:
        stated |= {Side.RIGHT, Side.LEFT} if block.side.value is Side.BILATERAL else {block.side.value}
    ordered = tuple(side for side in (Side.RIGHT, Side.LEFT) if side in stated)
    return ordered or (None,)


def sites_on(block: Block, side: SideOrUnknown) -> list[Site]:
    """Return the sites on a side, those of no stated side among them."""
    return [site for site in block.sites if site.side in (side, None)]


def evidence_on(block: Block, side: SideOrUnknown) -> tuple[Evidence, ...]:
    """Return the words the sites on a side rest on: their own, else the block's, and those for the side."""
    found = [e for site in sites_on(block, side) for e in site.evidence] or list(block.evidence)
    if side is not None and block.side is not None:
        found += block.side.evidence
    return tuple(dict.fromkeys(found))


def _count(block: Block, side: SideOrUnknown) -> SideCount:
    names = tuple(dict.fromkeys(site.level for site in sites_on(block, side) if site.level is not None))
    counted = SideCount(side, 1, None, evidence_on(block, side), names=names)
    stated = block.site_count
    if stated is not None and not _sides_differ(block):
        return replace(counted, low=stated.low, high=stated.high, evidence=counted.evidence + stated.evidence)
    return counted.exactly(len(names)) if names else counted


def _sides_differ(block: Block) -> bool:
    """Whether each side has its own levels, so that one count for both sides cannot be right."""
    right, left = ({s.level for s in block.sites if s.side is side} for side in (Side.RIGHT, Side.LEFT))
    return bool(right and left) and len(right) != len(left)
