"""How many facet joints the record supports on each side. Joints are counted, not nerves or needles.

A joint is treated directly, or through all the medial branches that supply it, so that n neighboring nerves treat
n-1 joints. The anatomy is data (`joints.toml`); the rule is that of CPT Assistant, August 2010.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cds_service.chart.model import Block
from cds_service.knowledge.model import Joint
from cds_service.review.sites import SideCount, SideOrUnknown, evidence_on, sides_of, sites_on

_NERVES = "medial-branch"


def count_joints(block: Block, joints: Mapping[str, Joint]) -> tuple[SideCount, ...]:
    """Return the joints on each side: a range where the words leave open which or how many they are."""
    return tuple(_count(block, side, joints) for side in sides_of(block))


def treated(levels: Iterable[str], joints: Mapping[str, Joint]) -> tuple[str, ...]:
    """Return the joints that `levels` (joints "L4-L5", nerves "L4") are known to treat, from the head down."""
    named = frozenset(levels)
    return tuple(
        joint.id for joint in joints.values() if joint.id in named or any(nerves <= named for nerves in joint.nerves)
    )


def disagree(named: Iterable[str], supplied: Iterable[str]) -> bool:
    """Return whether joints named and joints supplied by the nerves named are others; a list may be incomplete."""
    joints, others = set(named), set(supplied)
    return bool(joints - others and others - joints)


def names_nerves(block: Block, levels: Iterable[str]) -> bool:
    """Return whether single levels are those of nerves: the words say so, or joints are named beside them."""
    return _is_of_nerves(block) or any("-" in level for level in levels)


def _is_of_nerves(block: Block) -> bool:
    return block.target is not None and block.target.value == _NERVES


def _count(block: Block, side: SideOrUnknown, joints: Mapping[str, Joint]) -> SideCount:
    counted = SideCount(side, 1, None, evidence_on(block, side), noun="joint")
    levels = dict.fromkeys(site.level for site in sites_on(block, side) if site.level is not None)
    if not levels:
        return _as_stated(counted, block)
    if not names_nerves(block, levels):
        return _loosely_named(counted, len(levels))
    sure = treated(levels, joints)
    supplied = frozenset(nerve for name in sure for nerves in joints[name].nerves for nerve in nerves)
    nerves = {nerve for joint in joints.values() for each in joint.nerves for nerve in each}
    left_over = [level for level in levels if level in nerves - supplied]
    most = len(sure) + len(left_over)
    named = [level for level in levels if level in joints]
    by_nerves = treated((level for level in levels if level not in joints), joints)
    if disagree(named, by_nerves) and _is_of_nerves(block):
        # Joints the nerves do not supply: either may be the slip, and which is asked (`queries`).
        return replace(counted, low=min(len(named), len(by_nerves)), high=most)
    return replace(counted, low=len(sure), high=most, names=sure)


def _loosely_named(counted: SideCount, levels: int) -> SideCount:
    """Count "facets at L3, L4 and L5": the joints of three levels, or the two that three nerves supply."""
    return replace(counted, low=max(1, levels - 1), high=levels)


def _as_stated(counted: SideCount, block: Block) -> SideCount:
    stated = block.site_count
    if stated is None:
        return counted
    return replace(counted, low=stated.low, high=stated.high, evidence=counted.evidence + stated.evidence)
