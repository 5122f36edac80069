"""Finds the muscles that trigger points were injected in: a site is one muscle of one side.

CPT counts the muscles, whatever the number of injections; so a number of points or injections is never read as one of
muscles.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.chart.model import Side
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.levels import CARDINALS, NUMBER_WORDS
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.reading import CountReading, Said, SiteReading, Span, Status
from cds_service.chart.narrative.sides import ELSEWHERE, PLACES, Sided, sides_by_sentence
from cds_service.chart.narrative.techniques import Episode

_NUMBER = rf"[1-9]|1[0-2]|{'|'.join(CARDINALS)}|single|several|multiple"
_MUSCLES = re.compile(
    rf"(?<![a-z0-9.\-/])(?P<low>{_NUMBER})"
    rf"(?P<open>\+|\s?or\smore|\sor\sgreater)?(?:\s?(?:-|\bto\b|\bor\b)\s?(?P<high>{_NUMBER}))?\s"
    r"(?:(?:different|separate|distinct|individual|total|affected|involved|target|symptomatic)\s){0,2}"
    r"muscles?(?:\(s\))?(?![a-z])"
)
"""A number of muscles: "three muscles", "1 or 2 muscles", "3 or more muscles"."""
_AT_LEAST = re.compile(r"(?:at least|more than|>=?|\u2265)\s?\Z")
_FIELD = re.compile(
    rf"(?:number|no\.?|#) of muscles?(?:\s(?:injected|treated))?\s{{0,2}}[:=]?\s{{0,3}}(?P<low>{_NUMBER})\b"
)
_SOME = frozenset({"several", "multiple"})
"""At least two, it is not said how many."""
_EXAMINED = re.compile(
    r"\b(?:(?:non-?)?tender|palpa|spasm|taut|hyperton|atroph|strength|exam\b|inspect|range of motion|radiat)"
)
_FRAGMENT = 6
"""Words of a statement that is no more than a muscle with its side and volume: an item of a list."""
_NEAR = 30
"""Characters in which words bear on a muscle or a number of them."""
_FEW = 4
"""Sides after a muscle that may be its own: "one on the right and one on the left"."""
_SPARED = re.compile(r"\b(?:avoid\w{0,3}|spar(?:ed|ing)|except|skipp\w{2,3}|deferr\w{2,3})\b[^.;,]{0,24}\Z")
"""Before a muscle that was left alone: "avoided the right SCM"."""
_BOTH = re.compile(r"\bboth (?:the |of the )?\Z")
_BESIDE = re.compile(
    r"\s{0,2}(?:muscles?|area|region|group)?[\s,(:\-]{0,3}(?:(?:on|the|one|two|in|each|muscle)\s){0,4}"
)
_BOTH_SIDES = frozenset({Side.RIGHT, Side.LEFT})
_UNDONE = frozenset({Assertion.NEGATED, Assertion.HISTORICAL, Assertion.OTHER})


@dataclass(frozen=True, slots=True)
class _Muscle:
    """A muscle named, and the sides said of it there; `injected`: the words tell of the needle, not of a hand."""

    mention: Mention
    injected: bool
    sides: frozenset[Side]


def muscle_sites(
    document: Document, ownership: Ownership, episode: Episode, sided: list[Sided], side: Said[Side] | None
) -> tuple[tuple[SiteReading, ...], CountReading | None]:
    """Return each muscle injected on each of its sides, and how many there are per side.

    `sided` are the sides said of the block, `side` is the one it was done on as a whole, for muscles named without one.
    """
    found = list(_find(document, ownership, episode, sided))
    found = [muscle for muscle in found if muscle.injected] or found
    sites = tuple(_sites(found, side))
    return sites, _count(sites, _stated(document, ownership, episode))


def _find(document: Document, ownership: Ownership, episode: Episode, sided: list[Sided]) -> Iterator[_Muscle]:
    by_index = sides_by_sentence(document, sided)
    for index in ownership.indices(episode):
        mentions = list(document.of(index, "muscle"))
        section, named = document.sentence(index).section, ownership.names(index, episode)
        if not mentions or (section in ELSEWHERE and not named):
            continue
        injected = named or _tells_of_needle(document, index)
        for mention, following in zip(mentions, [*mentions[1:], None], strict=True):
            if ownership.owner(index, mention.start, mention.end) is not episode:
                continue
            if episode.status is Status.PERFORMED and _is_left_out(document, index, mention):
                continue
            yield _Muscle(mention, injected, _sides(document, mention, following, by_index(index)))


def _is_left_out(document: Document, index: int, mention: Mention) -> bool:
    if _SPARED.search(document.folded, max(mention.start - _NEAR, 0), mention.start):
        return True
    return assess(document, index, mention) in _UNDONE


def _tells_of_needle(document: Document, index: int) -> bool:
    """Return whether a sentence says what was injected, or lists it; an examination only finds what might be."""
    sentence = document.sentence(index)
    if document.has(index, "injection", "drug"):
        return True
    words = document.folded[sentence.start : sentence.end]
    if _EXAMINED.search(words):
        return False
    return sentence.section in PLACES or len(words.split()) <= _FRAGMENT or document.has(index, "act")


def _sides(document: Document, mention: Mention, following: Mention | None, sided: list[Sided]) -> frozenset[Side]:
    """Return the sides of a muscle: those right after it, else the last before, else those after the list it is in."""
    folded = document.folded
    if _BOTH.search(folded, max(mention.start - 14, 0), mention.start):
        return _BOTH_SIDES
    first = bisect_left(sided, mention.end, key=_start)
    after = [item for item in sided[first : first + _FEW] if not _leads(document, item, following)]
    own = [item for item in after if following is None or item.mention.start < following.start]
    if own and _BESIDE.fullmatch(folded, mention.end, own[0].mention.start):
        return _each(own)
    return _each(sided[first - 1 : first] if first else after)


def _start(item: Sided) -> int:
    return item.mention.start


def _leads(document: Document, item: Sided, following: Mention | None) -> bool:
    """Return whether a side stands right before the next muscle, as the side of that."""
    if following is None or not 0 <= following.start - item.mention.end <= _NEAR:
        return False
    return not document.folded[item.mention.end : following.start].strip()


def _each(sided: list[Sided]) -> frozenset[Side]:
    sides = frozenset(item.side for item in sided)
    return _BOTH_SIDES if Side.BILATERAL in sides else sides


def _sites(found: list[_Muscle], side: Said[Side] | None) -> Iterator[SiteReading]:
    """Yield each muscle once per side; without a side only where it has none anywhere."""
    general = {muscle.mention.concept.attributes.get("general") for muscle in found}
    whole: frozenset[Side] = frozenset()
    if side is not None:
        whole = _BOTH_SIDES if side.value is Side.BILATERAL else frozenset({side.value})
    sites: dict[tuple[str, Side | None], SiteReading] = {}
    sided: set[str] = set()
    for muscle in found:
        name = muscle.mention.value
        if name in general:
            continue
        sides: list[Side | None] = [*sorted(muscle.sides or whole, reverse=True)]
        sided.update([name] if sides else [])
        for each in sides or [None]:
            sites.setdefault((name, each), SiteReading(name, each, span_of(muscle.mention)))
    for (name, on), site in sites.items():
        if on is not None or name not in sided:
            yield site


def _stated(document: Document, ownership: Ownership, episode: Episode) -> CountReading | None:
    """Return the number of muscles the note states as such; None where it states none."""
    if episode.status is not Status.PERFORMED or "muscle" not in document.folded:
        return None
    for match in (*_MUSCLES.finditer(document.folded), *_FIELD.finditer(document.folded)):
        index = document.layout.index_at(match.start())
        section = document.sentence(index).section
        if ownership.owner(index, match.start(), match.end()) is not episode:
            continue
        if (section in ELSEWHERE and not ownership.names(index, episode)) or _is_examined(document, index, match):
            continue
        return _number_of(document, match)
    return None


def _is_examined(document: Document, index: int, match: re.Match[str]) -> bool:
    """Return whether the muscles counted were only looked at: "three muscles were tender"."""
    end = min(match.end() + _NEAR, document.sentence(index).end)
    return _EXAMINED.search(document.folded, match.end(), end) is not None


def _number_of(document: Document, match: re.Match[str]) -> CountReading:
    span = Span(match.start(), match.end())
    found = match.groupdict()
    if found["low"] in _SOME:
        return CountReading(2, None, span)
    low = _value(found["low"])
    if found.get("open") or _AT_LEAST.search(document.folded, max(match.start() - 12, 0), match.start()):
        return CountReading(low, None, span)
    high = found.get("high")
    return CountReading(low, max(low, _value(high)) if high and high not in _SOME else low, span)


def _value(number: str) -> int:
    return 1 if number == "single" else NUMBER_WORDS.get(number) or int(number)


def _count(sites: tuple[SiteReading, ...], stated: CountReading | None) -> CountReading | None:
    """Return the muscles per side: as named, or as stated; a range where the two do not agree."""
    if not sites:
        return stated
    per_side: dict[Side | None, int] = {}
    for site in sites:
        per_side[site.side] = per_side.get(site.side, 0) + 1
    most = max(per_side.values())
    if stated is None or any(_agrees(stated, number) for number in (most, len(sites))):
        return CountReading(most, most, sites[0].span)
    high = None if stated.high is None else max(most, stated.high)
    return CountReading(min(most, stated.low), high, stated.span)


def _agrees(stated: CountReading, number: int) -> bool:
    return stated.low <= number and (stated.high is None or number <= stated.high)
