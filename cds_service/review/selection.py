"""Which families of codes a documented block belongs to on its day, and how its sites are counted there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from cds_service.chart.model import Block, Fact, Line, Origin, Side, Site, Technique
from cds_service.chart.narrative.levels import region_of
from cds_service.knowledge.library import View
from cds_service.knowledge.model import Family, Scheme
from cds_service.review.joints import count_joints, treated
from cds_service.review.muscles import count_muscles
from cds_service.review.sites import SideCount, count_sites


@dataclass(frozen=True, slots=True)
class Selection:
    """A block (or the part of it one family codes) with the counting scheme in force, and what is counted."""

    block: Block
    family: Family
    scheme: Scheme
    counts: tuple[SideCount, ...]


def select(blocks: Iterable[Block], view: View, reported: Sequence[Line] = ()) -> tuple[Selection, ...]:
    """Return how `blocks` are coded; a block the knowledge has no family or scheme for is left out.

    A catheter must be stated to be coded as an infusion; a block that mentions none is an injection. Blocks of one
    family, counted one way on one day, are one. `reported` lines settle how the needle was guided where nothing says.
    """
    parts = [part for block in blocks for part in _coded(block, view, reported)]
    merged = _merged(parts)
    counted = [Selection(block, family, scheme, _counts(block, family, view)) for block, family, scheme in merged]
    return tuple(_continued(selection, counted, view) for selection in counted)


def is_infusion(selection: Selection) -> bool:
    """Return whether a block is coded as an infusion: a catheter is stated."""
    return _continuous(selection.block)


def is_coded(block: Block, view: View) -> bool:
    """Return whether every part of `block` has a family and a scheme in force that day."""
    parts = list(_parts(block, view))
    return bool(parts) and all(family is not None and _scheme(part, family, view, ()) for part, family in parts)


def family_of(block: Block, view: View) -> Family | None:
    """Return the family of a block, whether or not its codes are in force that day; None where there is none.

    By technique, region, plane and target; by its levels where they reach beyond the region of the family (T2 to L1).
    """
    by_region = _family(block, block.region, view)
    if by_region is not None:
        return by_region
    by_levels = _family(block, None, view)
    levels = {level for site in block.sites if site.level for level in site.level.split("-")}
    return by_levels if by_levels is not None and levels and levels <= set(by_levels.levels) else None


def possible_families(block: Block, view: View) -> tuple[Family, ...]:
    """Return the families the words for a block leave open: several where region, plane or target is not stated."""
    return _families(block, block.region, view)


_Part = tuple[Block, Family, Scheme]


def _families(block: Block, region: str | None, view: View) -> tuple[Family, ...]:
    return view.families_for(block.technique.value, region, _value(block.plane), _value(block.target))


def _family(block: Block, region: str | None, view: View) -> Family | None:
    """Return the one family of a block in a region; where its words leave several, that of its reported code."""
    families = _families(block, region, view)
    if len(families) > 1:
        reported = {code.family for name in block.reported_codes if (code := view.code(name))}
        families = tuple(family for family in families if family.id in reported)
    return families[0] if len(families) == 1 else None


def _continuous(block: Block) -> bool:
    return block.continuous is not None and block.continuous.value


def _value(fact: Fact[str] | None) -> str | None:
    return fact.value if fact else None


def _coded(block: Block, view: View, reported: Sequence[Line]) -> Iterator[_Part]:
    for part, family in _parts(block, view):
        scheme = _scheme(part, family, view, reported) if family else None
        if family is not None and scheme is not None:
            yield part, family, scheme


def _parts(block: Block, view: View) -> Iterator[tuple[Block, Family | None]]:
    """Yield a block by the families of its levels, where they are of more than one: facets at C5-C6 and at L4-L5."""
    regions = {site: _regions(site.level, block, view) for site in block.sites if site.level}
    families = {region: _family(block, region, view) for found in regions.values() for region in found}
    if None in families.values() or len({family.id for family in families.values() if family}) < 2:
        yield block, family_of(block, view)
        return
    by_family: dict[str, dict[Site, str]] = {}
    for site, found in regions.items():
        for region in found:
            family = families[region]
            by_family.setdefault(family.id if family else "", {})[site] = region
    for id_, sites in by_family.items():
        yield replace(block, sites=tuple(sites), site_count=None, region=next(iter(sites.values()))), view.family(id_)


def _regions(level: str, block: Block, view: View) -> tuple[str, ...]:
    """Return the regions of a level; a nerve belongs to the joints it supplies (T12 to T12-L1 and to L1-L2)."""
    own = region_of(level)
    if "-" in level or not view.counts_joints(block.technique.value):
        return (own,) if own else ()
    joints = view.knowledge.joints
    named = treated((site.level for site in block.sites if site.level), joints)
    supplied = [name for name in named if any(level in nerves for nerves in joints[name].nerves)]
    found = dict.fromkeys(region for name in supplied if (region := region_of(name)))
    return tuple(found) or ((own,) if own else ())


def _scheme(block: Block, family: Family, view: View, reported: Sequence[Line]) -> Scheme | None:
    """Return the scheme for what was used; where no guidance is stated, the code reported may say which was.

    What a Procedure is coded as counts where no note tells of the block, and `reported` lines where none could be read.
    """
    continuous = _continuous(block)
    guidance = [fact.value.value for fact in block.guidance]
    chosen = view.scheme(family, continuous, guidance, _value(block.method))
    if guidance or chosen is None:
        return chosen
    codes = {line.code for line in reported}
    if Origin.NOTE not in block.origins:
        codes.update(block.reported_codes)
    guided = (s for s in view.schemes(family, continuous) if s.guidance and not s.methods and codes & {*s.codes})
    return chosen if codes & {*chosen.codes} else next(guided, chosen)


def _merged(parts: Iterable[_Part]) -> list[_Part]:
    """Put blocks of one family, day and set of codes together: two planes of one chest wall are one service."""
    merged: list[_Part] = []
    for block, family, scheme in parts:
        same = next(
            (
                n
                for n, (other, of, by) in enumerate(merged)
                if of is family and by.codes == scheme.codes and _are_one(block, other)
            ),
            None,
        )
        if same is None:
            merged.append((block, family, scheme))
        else:
            merged[same] = (_joined(merged[same][0], block), family, scheme)
    return merged


def _are_one(one: Block, other: Block) -> bool:
    """Whether two blocks of a family are one service: done on one day, and not at two nerves."""
    two_nerves = one.technique is Technique.OTHER and _value(one.target) != _value(other.target)
    return not two_nerves and (None in (one.service_date, other.service_date) or one.service_date == other.service_date)


def _joined(one: Block, other: Block) -> Block:
    return replace(
        one,
        evidence=tuple(dict.fromkeys(one.evidence + other.evidence)),
        sites=tuple(dict.fromkeys(one.sites + other.sites)),
        side=_joined_side(one.side, other.side),
        guidance=tuple(dict.fromkeys(one.guidance + other.guidance)),
        image_saved=one.image_saved or other.image_saved,
        purpose=one.purpose or other.purpose,
        site_count=None if one.sites and other.sites else one.site_count or other.site_count,
        service_date=one.service_date or other.service_date,
    )


def _joined_side(one: Fact[Side] | None, other: Fact[Side] | None) -> Fact[Side] | None:
    if one is None or other is None:
        return one or other
    side = one.value if one.value is other.value else Side.BILATERAL
    return Fact(side, tuple(dict.fromkeys(one.evidence + other.evidence)))


def _counts(block: Block, family: Family, view: View) -> tuple[SideCount, ...]:
    if family.counts == "joint":
        return count_joints(block, view.knowledge.joints)
    if family.counts == "muscle":
        return count_muscles(block)
    return count_sites(block)


def _continued(selection: Selection, others: Sequence[Selection], view: View) -> Selection:
    """Let the count of a side go on where the family above it ends: T12-L1 and L1-L2 are first and second level.

    However many levels there were above, this family goes on with its second one: of its add-ons only that one has the
    primary above among its own (add-on edits: 64494 goes with 64490).
    """
    end = selection.family.continues
    above = next((other for other in others if end and other.family.id == end.family), None)
    second = view.code(selection.scheme.add_on or "")
    if end is None or above is None or second is None or above.scheme.primary not in second.primaries:
        return selection
    before = {count.side: 1 for count in above.counts if end.last in count.names}
    counts = tuple(
        replace(count, before=before.get(count.side, 0)) if end.first in count.names else count
        for count in selection.counts
    )
    return replace(selection, counts=counts)
