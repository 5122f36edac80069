"""Works out where a block was done: levels, sides, and how many injections per side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.chart.model import Side, Technique
from cds_service.chart.narrative.aims import target_of
from cds_service.chart.narrative.counts import count, names_of
from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.injected import Located, choose, find_located
from cds_service.chart.narrative.levels import Levels
from cds_service.chart.narrative.muscles import muscle_sites
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.reading import CountReading, Said, SiteReading, Span
from cds_service.chart.narrative.sides import find_sides, side_of_block
from cds_service.chart.narrative.spinal import as_said, distinct, numbers_in, stated_count
from cds_service.chart.narrative.techniques import SPINAL, Episode


@dataclass(frozen=True)
class Place:
    """Where a block was done. `sides` holds every side said of it, each once, in order: two may contradict."""

    sites: tuple[SiteReading, ...]
    count: CountReading | None
    side: Said[Side] | None
    sides: tuple[Said[Side], ...]
    levels: tuple[Levels, ...]
    target: Said[str] | None = None
    """What a block at the spine was aimed at."""


def locate(document: Document, ownership: Ownership, episode: Episode) -> Place:
    """Return where a block was done."""
    sided = find_sides(document, ownership, episode)
    side, sides = side_of_block(document, sided)
    if episode.key.technique is Technique.TRIGGER_POINT:
        muscles, number = muscle_sites(document, ownership, episode, sided, side)
        return Place(muscles, number, _side_of_all(muscles) or side, sides, ())
    located = choose(list(find_located(document, ownership, episode, sided)), episode)
    if episode.key.technique in SPINAL:
        return _at_the_spine(document, ownership, episode, located, (side, sides))
    bilateral = side is not None and side.value is Side.BILATERAL
    counted = count(document, ownership, episode, located, bilateral)
    sites = tuple(_sites(counted.levels, located, side))
    aim = target_of(document, ownership, episode, sites)
    return Place(sites, counted.count, side, sides, tuple(item.levels for item in located), aim)


def _side_of_all(muscles: tuple[SiteReading, ...]) -> Said[Side] | None:
    """Return both sides where muscles of both were injected, each told with its own."""
    first = {site.side: site for site in reversed(muscles)}
    if not {Side.RIGHT, Side.LEFT} <= first.keys():
        return None
    return Said(Side.BILATERAL, max((first[Side.RIGHT].span, first[Side.LEFT].span), key=lambda span: span.start))


def _at_the_spine(
    document: Document,
    ownership: Ownership,
    episode: Episode,
    located: list[Located],
    side: tuple[Said[Side] | None, tuple[Said[Side], ...]],
) -> Place:
    target = target_of(document, ownership, episode, ())
    numbers = numbers_in(document)
    units = as_said(document, episode, located, target, numbers)
    levels = distinct(units)
    counted = stated_count(document, ownership, episode, levels, target, numbers)
    sites = tuple(_sites(levels, units, side[0], exact=True))
    aim = target or target_of(document, ownership, episode, sites)
    return Place(sites, counted, *side, tuple(item.levels for item in located), aim)


def _on_one_side_only(located: list[Located]) -> dict[str, Side]:
    """Return the levels told of for one side, beside others in their sentence for both: "L4-5 both, L5-S1 right"."""
    both = {item.index for item in located if item.side is Side.BILATERAL}
    sides: dict[str, set[Side | None]] = {}
    for item in located:
        sides.setdefault(item.levels.name, set()).add(item.side if item.index in both else None)
    return {
        name: side
        for name, said in sides.items()
        if len(said) == 1 and (side := next(iter(said))) in {Side.RIGHT, Side.LEFT} and side is not None
    }


def _sites(
    levels: list[Levels], located: list[Located], side: Said[Side] | None, *, exact: bool = False
) -> Iterator[SiteReading]:
    """Yield each level on each of its sides; `exact`: a nerve is no part of the joint it goes to."""
    told = {item.side for item in located}
    bilateral = side is not None and side.value is Side.BILATERAL
    by_side = bilateral and {Side.RIGHT, Side.LEFT} <= told
    one_sided = _on_one_side_only(located) if bilateral and not by_side else {}
    for one in levels:
        span = Span(one.start, one.end)
        if by_side:
            sides = [
                s
                for s in (Side.RIGHT, Side.LEFT)
                if any(i.side is s and one.name in ({i.levels.name} if exact else names_of(levels, i)) for i in located)
            ]
            yield from (SiteReading(one.name, s, span) for s in sides or (None,))
        elif one.name in one_sided:
            yield SiteReading(one.name, one_sided[one.name], span)
        elif bilateral:
            yield from (SiteReading(one.name, s, span) for s in (Side.RIGHT, Side.LEFT))
        else:
            yield SiteReading(one.name, side.value if side else None, span)
