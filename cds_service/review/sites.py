"""How many injection sites the record supports on each side."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.chart.model import Block, Evidence, Side, Site

SideOrUnknown = Side | None


@dataclass(frozen=True, slots=True)
class SideCount:
    """The sites on one side: at least `low`, at most `high` (None: no upper limit stated)."""

    side: SideOrUnknown
    low: int
    high: int | None
    evidence: tuple[Evidence, ...]


def count_by_side(block: Block) -> tuple[SideCount, ...]:
    """Return one count per side that was injected, right before left; one for an unknown side."""
    return tuple(_count(block, side) for side in _sides(block))


def _sides(block: Block) -> tuple[SideOrUnknown, ...]:
    stated = {site.side for site in block.sites if site.side is not None}
    if block.side is not None:
        stated |= {Side.RIGHT, Side.LEFT} if block.side.value is Side.BILATERAL else {block.side.value}
    ordered = tuple(side for side in (Side.RIGHT, Side.LEFT) if side in stated)
    return ordered or (None,)


def _count(block: Block, side: SideOrUnknown) -> SideCount:
    sites = [site for site in block.sites if site.side in (side, None)]
    evidence = _evidence(block, sites, side)
    levels = len({site.level for site in sites if site.level is not None})
    stated = block.site_count
    if stated is not None and not _sides_differ(block):
        return SideCount(side, stated.low, stated.high, evidence + stated.evidence)
    if levels:
        return SideCount(side, levels, levels, evidence)
    return SideCount(side, 1, None, evidence)


def _sides_differ(block: Block) -> bool:
    """Whether each side has its own levels, so that one count for both sides cannot be right."""
    right, left = ({s.level for s in block.sites if s.side is side} for side in (Side.RIGHT, Side.LEFT))
    return bool(right and left) and len(right) != len(left)


def _evidence(block: Block, sites: list[Site], side: SideOrUnknown) -> tuple[Evidence, ...]:
    found = [e for site in sites for e in site.evidence] or list(block.evidence)
    if side is not None and block.side is not None:
        found += block.side.evidence
    return tuple(dict.fromkeys(found))
