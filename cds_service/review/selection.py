"""Which family of codes a documented block belongs to on its day."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.chart.model import Block
from cds_service.knowledge.library import View
from cds_service.knowledge.model import Family, Scheme


@dataclass(frozen=True, slots=True)
class Selection:
    """A block with the family and the counting scheme that are in force for it."""

    block: Block
    family: Family
    scheme: Scheme


def select(block: Block, view: View) -> Selection | None:
    """Return how `block` is coded, or None where the knowledge has no family for it.

    A catheter must be stated to be coded as an infusion; a block that mentions none is an injection.
    """
    family = family_of(block, view)
    if family is None:
        return None
    continuous = block.continuous is not None and block.continuous.value
    scheme = view.scheme(family, continuous)
    return Selection(block, family, scheme) if scheme else None


def family_of(block: Block, view: View) -> Family | None:
    """Return the family of a block, whether or not its codes are in force that day; None where there is none.

    By technique, region and plane; by its levels where they reach beyond the region of the family (T2 to L1).
    """
    technique, plane = block.technique.value, block.plane.value if block.plane else None
    by_region = view.family_for(technique, block.region, plane)
    if by_region is not None:
        return by_region
    by_levels = view.family_for(technique, None, plane)
    levels = {level for site in block.sites if site.level for level in site.level.split("-")}
    return by_levels if by_levels is not None and levels and levels <= set(by_levels.levels) else None
