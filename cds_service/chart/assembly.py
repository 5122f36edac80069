"""Puts the accounts of one encounter together: one block per technique and day, and what they contradict each other in.

A note is the documentation, so its words come first; a Procedure adds what the note leaves out; what only a code says
counts where no note tells of the block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from typing import TypeVar

from cds_service.chart.model import (
    Block,
    Contradiction,
    Evidence,
    Fact,
    Guidance,
    Origin,
    Side,
    Site,
    SiteCount,
    Technique,
)
from cds_service.chart.narrative.levels import region_of
from cds_service.chart.narrative.reading import Status
from cds_service.chart.telling import Telling

T = TypeVar("T")
V = TypeVar("V")
_TOLD_APART_BY_TARGET = frozenset({Technique.SYMPATHETIC, Technique.OTHER})
_RANK = {Origin.NOTE: 0, Origin.PROCEDURE: 1, Origin.ORDER: 2}


@dataclass(frozen=True, slots=True)
class Assembled:
    """The blocks done, those not done, what the accounts disagree on, and the best date where no block is dated."""

    blocks: tuple[Block, ...]
    not_done: tuple[Block, ...]
    contradictions: tuple[Contradiction, ...]
    weak_date: date | None


def assemble(tellings: Iterable[Telling]) -> Assembled:
    """Put all accounts of one encounter together. What was planned, or done at another time, is left out."""
    told = sorted(tellings, key=_rank)
    not_done = [telling.block for telling in told if telling.status is Status.NOT_DONE]
    done = _with_codes_folded([telling for telling in told if telling.status is Status.PERFORMED], not_done)
    groups = _groups(done)
    return Assembled(
        blocks=tuple(_merge(group) for group in groups),
        not_done=tuple(not_done),
        contradictions=tuple(chain.from_iterable(_contradictions(group, groups) for group in groups)),
        weak_date=_first(done, lambda telling: telling.weak_date),
    )


def _origin(telling: Telling) -> Origin:
    return min(telling.block.origins, key=_RANK.__getitem__)


def _rank(telling: Telling) -> tuple[int, bool]:
    return _RANK[_origin(telling)], telling.coded


def _with_codes_folded(done: Sequence[Telling], not_done: Sequence[Block]) -> list[Telling]:
    """Fold an account that is only a code into what words tell of the same day.

    Beside words a code is a report of the block they describe, right or wrong: words of another technique keep it as a
    reported code, and words that the block was not done stand against it.
    """
    worded = [telling for telling in done if not telling.coded]
    kept: list[Telling] = []
    for report in (telling for telling in done if telling.coded):
        technique = report.block.technique
        same_day = [n for n, other in enumerate(worded) if _may_be_same_day(report.block, other.block)]
        if any(worded[n].block.technique is technique for n in same_day):
            kept.append(report)
        elif same_day:
            worded[same_day[0]] = _reporting(worded[same_day[0]], report)
        elif not any(block.technique is technique and _may_be_same_day(report.block, block) for block in not_done):
            kept.append(report)
    return sorted([*worded, *kept], key=_rank)


def _reporting(telling: Telling, report: Telling) -> Telling:
    """Give the block of `telling` the codes, performers and date of a report of it."""
    block, other = telling.block, report.block
    return replace(
        telling,
        block=replace(
            block,
            reported_codes=_unique(block.reported_codes + other.reported_codes),
            performers=_unique(block.performers + other.performers),
            service_date=block.service_date or other.service_date,
        ),
    )


def _may_be_same_day(one: Block, other: Block) -> bool:
    return one.service_date is None or other.service_date is None or one.service_date == other.service_date


def _groups(done: Sequence[Telling]) -> list[list[Telling]]:
    """Group the accounts of one block: same technique and target, and no two different days."""
    groups: list[list[Telling]] = []
    for telling in sorted(done, key=lambda each: each.block.service_date is None):
        homes = [group for group in groups if _belongs(telling, group)]
        home = max(homes, key=lambda group: _likeness(telling, group), default=None)
        if home is None:
            groups.append([telling])
        else:
            home.append(telling)
    return [sorted(group, key=_rank) for group in groups]


def _belongs(telling: Telling, group: Sequence[Telling]) -> bool:
    return all(
        _may_be_same_block(telling.block, other.block) and _may_be_same_day(telling.block, other.block)
        for other in group
    )


def _likeness(telling: Telling, group: Sequence[Telling]) -> tuple[bool, bool]:
    """Return how well an account fits a group that it may belong to: by its side, then by what its code is for."""
    block, known = telling.by_code or telling.block, group[0].block
    return _agree(telling.block.side, known.side), _agree(block.continuous, known.continuous)


def _agree(one: Fact[T] | None, other: Fact[T] | None) -> bool:
    return one is not None and other is not None and one.value == other.value


def _may_be_same_block(one: Block, other: Block) -> bool:
    """Return whether two accounts may be of one block.

    That is one technique, and no two planes, nerves or ganglia; a catheter on one side and a single injection on the
    other are two blocks.
    """
    if one.technique is not other.technique or _differ(one.plane, other.plane) or _are_halves(one, other):
        return False
    return one.technique not in _TOLD_APART_BY_TARGET or not _differ(one.target, other.target)


def _are_halves(one: Block, other: Block) -> bool:
    """Return whether two blocks are those of one note that tells of a catheter on one side and none on the other.

    Two notes that differ so may as well contradict each other.
    """
    sides = {block.side.value for block in (one, other) if block.side is not None}
    of_one_note = Origin.NOTE in one.origins and one.evidence[0].reference == other.evidence[0].reference
    ways = {block.continuous is not None and block.continuous.value for block in (one, other)}
    return of_one_note and sides == {Side.RIGHT, Side.LEFT} and len(ways) == 2


def _differ(one: Fact[T] | None, other: Fact[T] | None) -> bool:
    return one is not None and other is not None and one.value != other.value


def _merge(group: Sequence[Telling]) -> Block:
    blocks = _with_codes_where_no_note(group)
    sites = _sites(blocks)
    return Block(
        technique=blocks[0].technique,
        evidence=_unique(evidence for block in blocks for evidence in block.evidence),
        origins=frozenset(chain.from_iterable(block.origins for block in blocks)),
        region=_region(blocks, sites),
        plane=_first(blocks, lambda block: block.plane),
        target=_first(blocks, lambda block: block.target),
        method=_first(blocks, lambda block: block.method),
        sites=sites,
        site_count=_site_count(blocks),
        side=_side(blocks),
        continuous=_first(blocks, lambda block: block.continuous),
        guidance=_guidance(blocks),
        image_saved=_first(blocks, lambda block: block.image_saved),
        purpose=_first(blocks, lambda block: block.purpose),
        performed_by_surgeon=_first(blocks, lambda block: block.performed_by_surgeon),
        requested=_first(blocks, lambda block: block.requested),
        performers=_unique(chain.from_iterable(block.performers for block in blocks)),
        reported_codes=_unique(chain.from_iterable(block.reported_codes for block in blocks)),
        service_date=_first(blocks, lambda block: block.service_date),
    )


def _guidance(blocks: Sequence[Block]) -> tuple[Fact[Guidance], ...]:
    """Return each kind of guidance once, in the words of the best account, which come first."""
    found: dict[Guidance, Fact[Guidance]] = {}
    for fact in chain.from_iterable(block.guidance for block in blocks):
        found.setdefault(fact.value, fact)
    return tuple(found.values())


def _with_codes_where_no_note(group: Sequence[Telling]) -> list[Block]:
    noted = any(Origin.NOTE in telling.block.origins for telling in group)
    return [telling.block if noted or telling.by_code is None else telling.by_code for telling in group]


def _of_best_origin(blocks: Sequence[Block], states: Callable[[Block], object]) -> list[Block]:
    """Return the blocks of the first origin (note, Procedure, order) in which any states it."""
    stating = [block for block in blocks if states(block)]
    if not stating:
        return []
    best = min(stating[0].origins, key=_RANK.__getitem__)
    return [block for block in stating if best in block.origins]


def _sites(blocks: Sequence[Block]) -> tuple[Site, ...]:
    """Return the sites of the best origin, each level and side once, with all its evidence."""
    found: dict[tuple[str | None, Side | None], Site] = {}
    for site in chain.from_iterable(block.sites for block in _of_best_origin(blocks, lambda block: block.sites)):
        known = found.get((site.level, site.side))
        evidence = _unique((*known.evidence, *site.evidence)) if known else site.evidence
        found[(site.level, site.side)] = replace(site, evidence=evidence)
    return tuple(found.values())


def _site_count(blocks: Sequence[Block]) -> SiteCount | None:
    """Return the count the best origin states; None where its accounts are of other levels and only all add up.

    That is so of Procedures and orders, of which there is one for a part of a block; notes each tell of the whole.
    """
    counting = _of_best_origin(blocks, lambda block: block.site_count or block.sites)
    parts = {frozenset(site.level for site in block.sites) for block in counting if block.sites}
    if len(parts) > 1 and Origin.NOTE not in counting[0].origins:
        return None
    return _first(counting, lambda block: block.site_count)


def _region(blocks: Sequence[Block], sites: Sequence[Site]) -> str | None:
    stated = _first(blocks, lambda block: block.region)
    return stated or _first(sites, lambda site: region_of(site.level) if site.level else None)


def _side(blocks: Sequence[Block]) -> Fact[Side] | None:
    """Return the side the best origin states; Procedures for the right and for the left are one block on both sides."""
    stating = _of_best_origin(blocks, lambda block: block.side)
    facts = [block.side for block in stating if block.side is not None]
    if not facts:
        return None
    sides = {fact.value for fact in facts}
    evidence = _unique(evidence for fact in facts for evidence in fact.evidence)
    if len(sides) == 1:
        return Fact(facts[0].value, evidence)
    if Origin.NOTE in stating[0].origins and not _each_side_has_its_own(blocks):
        return Fact(facts[0].value, facts[0].evidence)
    return Fact(Side.BILATERAL, evidence)


def _each_side_has_its_own(blocks: Sequence[Block]) -> bool:
    """Return whether notes of either side stand beside Procedures of either side: one side done, then the other."""
    noted, performed = (
        {block.side.value for block in blocks if block.side is not None and origin in block.origins}
        for origin in (Origin.NOTE, Origin.PROCEDURE)
    )
    return noted == performed == {Side.RIGHT, Side.LEFT}


def _contradictions(group: Sequence[Telling], groups: Iterable[Sequence[Telling]]) -> Iterator[Contradiction]:
    """Yield what the accounts of a block disagree on; a report of both sides may be of a note's two halves."""
    notes = [telling.block for telling in group if Origin.NOTE in telling.block.origins]
    procedures = [telling.block for telling in group if Origin.PROCEDURE in telling.block.origins]
    halved = any(_are_halves(block, other.block) for block in notes for each in groups for other in each)
    apart = _each_side_has_its_own([*notes, *procedures])
    sides = [] if apart else [*(block.side for block in notes), None if halved else _side(procedures)]
    yield from _disagreement("laterality", [fact for fact in sides if fact is not None])
    levels = [fact for fact in (_levels(notes), _levels(procedures)) if fact is not None]
    if len(levels) == 2 and not _ends(levels[0].value) & _ends(levels[1].value):
        yield Contradiction("levels", tuple(Fact(", ".join(sorted(f.value)), f.evidence) for f in levels))


def _ends(levels: Iterable[str]) -> frozenset[str]:
    """Return the levels with interspaces taken apart: "T4-T5" and "T4" may be the same place."""
    return frozenset(end for level in levels for end in level.split("-"))


def _disagreement(element: str, facts: Sequence[Fact[Side]]) -> Iterator[Contradiction]:
    if len({fact.value for fact in facts}) > 1:
        yield Contradiction(element, tuple(Fact(fact.value.value, fact.evidence) for fact in facts))


def _levels(blocks: Sequence[Block]) -> Fact[frozenset[str]] | None:
    sites = [site for block in blocks for site in block.sites if site.level is not None]
    if not sites:
        return None
    evidence: tuple[Evidence, ...] = _unique(e for site in sites for e in site.evidence)
    return Fact(frozenset(site.level for site in sites if site.level), evidence)


def _first(found: Iterable[T], get: Callable[[T], V | None]) -> V | None:
    return next((value for each in found if (value := get(each)) is not None), None)


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))
