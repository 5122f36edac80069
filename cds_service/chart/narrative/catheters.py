"""Reads catheters and single injections, and on which side each was where a block on both sides had one of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from cds_service.chart.model import Side
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.reading import BlockReading, Said
from cds_service.chart.narrative.sides import Sided, sides_by_sentence

_ONE_SIDED = frozenset({Side.RIGHT, Side.LEFT})
_OF_A_CATHETER = re.compile(
    r"\b(?:cath\w*|infus\w*|thread\w*|secured|tunnel\w*|cm|pump|same|identical\w*|repeat\w*|similar\w*|also|likewise)\b"
)
"""In a sentence of the other side: a catheter was left there too, or may have been."""
_PAIRINGS = {"swsw": ((1, 0), (3, 2)), "wsws": ((0, 1), (2, 3)), "wssw": ((0, 1), (3, 2)), "swws": ((1, 0), (2, 3))}
"""Orders of two ways and two sides in a sentence that leave no choice, and which way goes with which side."""


@dataclass(frozen=True, slots=True)
class Way:
    """Words of a sentence that tell of a catheter (True) or of a single injection (False)."""

    index: int
    said: Said[bool]


def divided(
    document: Document, reading: BlockReading, ways: Iterable[Way], sided: Sequence[Sided]
) -> tuple[BlockReading, ...]:
    """Return a block on both sides as one with the catheter and one without, where every word for either has its side.

    Otherwise the block is returned as it is, with its contradiction. `ways` and `sided` are what is said of it.
    """
    ways = tuple(ways)
    found: dict[bool, set[Side]] = {True: set(), False: set()}
    first: dict[bool, Said[bool]] = {}
    look_up = sides_by_sentence(document, list(sided))
    for index, told in groupby(ways, key=lambda way: way.index):
        for way, side in _paired([way.said for way in told], look_up(index)):
            found[way.value].add(side)
            first.setdefault(way.value, way)
    if len(found[True]) != 1 or not found[True] <= _ONE_SIDED:
        return (reading,)
    (side,) = found[True]
    other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
    if found[False] != {other} and (found[False] or not _is_bare(document, ways, sided, other, look_up)):
        return (reading,)
    halves = [_half(reading, side, first[True], sided), _half(reading, other, first.get(False), sided)]
    return tuple(sorted(halves, key=lambda half: half.side.span.start if half.side else 0))


def _is_bare(
    document: Document,
    ways: Iterable[Way],
    sided: Iterable[Sided],
    side: Side,
    look_up: Callable[[int], list[Sided]],
) -> bool:
    """Return whether nothing of a catheter can be meant for a side: no word without a side, no "same on the left"."""
    for way in ways:
        words = document.folded[way.said.span.start : way.said.span.end]
        if "cath" in words and not look_up(way.index):
            return False
    if document.kinds.get("other-side"):
        return False
    for item in sided:
        sentence = document.sentence(item.index)
        headed = sentence.section == HEADING and item.index + 1 < len(document.layout.sentences)
        end = document.sentence(item.index + 1).end if headed else sentence.end
        own = item.side is side and {other.side for other in look_up(item.index)} == {side}
        if own and _OF_A_CATHETER.search(document.folded, sentence.start, end):
            return False
    return True


def _paired(ways: Sequence[Said[bool]], sided: Sequence[Sided]) -> list[tuple[Said[bool], Side]]:
    """Return the side of each way told of in one sentence; both sides where its words do not tell."""
    own = [item for item in sided if item.side in _ONE_SIDED] or list(sided)
    if not own:
        return []
    if len({item.side for item in own}) == 1:
        return [(way, own[0].side) for way in ways]
    said: list[Said[bool] | Said[Side]] = [*ways, *(Said(item.side, span_of(item.mention)) for item in own)]
    said.sort(key=lambda each: each.span.start)
    runs = [next(run) for _, run in groupby(said, key=lambda each: each.value)]
    pairs = _PAIRINGS.get("".join("s" if isinstance(run.value, Side) else "w" for run in runs))
    if pairs is None:
        return [(way, Side.BILATERAL) for way in ways]
    return [(Said(bool(runs[way].value), runs[way].span), Side(str(runs[side].value))) for way, side in pairs]


def _half(reading: BlockReading, side: Side, way: Said[bool] | None, sided: Iterable[Sided]) -> BlockReading:
    """Return what was done on one side."""
    sites = tuple(site for site in reading.sites if site.side is side)
    count = reading.site_count
    if count is not None and count.low == count.high and sites:
        count = replace(count, low=len(sites), high=len(sites))
    words = next(span_of(item.mention) for item in sided if item.side in {side, Side.BILATERAL})
    return replace(reading, sites=sites, site_count=count, side=Said(side, words), continuous=way, single_too=None)
