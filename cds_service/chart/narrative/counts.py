"""Counts the injections of a block on each side, from the levels and from the numbers a note states."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cds_service.chart.model import Side, Technique
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.further import find_further, with_further
from cds_service.chart.narrative.injected import Located, Tier
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.levels import CARDINALS, NUMBER_WORDS, Form, Levels
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.reading import CountReading, Span, Status
from cds_service.chart.narrative.searching import one_of
from cds_service.chart.narrative.sides import ELSEWHERE
from cds_service.chart.narrative.techniques import Episode

_COUNTED = "|".join(CARDINALS)
_NUMBER = rf"(?P<number>[1-9]|1[0-2]|{_COUNTED}|single)"
_NUMBER_APART = (
    rf"(?P<number>{one_of(*'3456789', '10', '11', '12', *'12', *CARDINALS, 'single', not_after='a-z0-9./-')})"
)
_UNIT = r"(?:injections?|levels?|sites?|interspaces?|(?:nerve\s)?blocks|t?pvn?bs|paravertebrals|segments|spaces)"
_COUNT = re.compile(
    rf"{_NUMBER_APART}[\s\-]{{1,3}}(?:\([1-9]\)\s)?(?:(?:separate|distinct|individual|total|"
    rf"different|paravertebral|thoracic|contiguous|"
    rf"adjacent|consecutive|level|pvb|intercostal|needle|vertebral|injection|local|anesthetic|block|"
    rf"spinal|right|left|unilateral|sided|guided|ultrasound|us)[\s\-]{{1,3}}){{0,5}}{_UNIT}(?![a-z])"
)
_TIMES_SIGN = re.compile(r"x[\s1-9]")
_TIMES_OF_A_UNIT = (
    re.compile(r"(?:injections?|levels?|sites?|blocks?|pvbs?|tpvbs?)\s{0,2}\(?x\s{0,2}(?P<number>[1-9])(?![0-9.])"),
    re.compile(r"(?P<number>[1-9])(?<![a-z0-9.\-/].)\s{0,2}x\s{1,2}(?:injections?|levels?|sites?)"),
    re.compile(r"x(?<![a-z0-9.]x)\s{0,2}(?P<number>[1-9])\s(?:injections?|levels?|sites?|separate)"),
)
_TIMES = re.compile(
    r"x(?<=[0-9\s(]x)\s?(?P<number>[1-9])(?![0-9.a-z%])(?!\s?(?:ml|cc|mg|min|day|month|week|year|hour|cm|mm|at))"
)
_BLOCK_BEFORE = re.compile(
    r"(?:blocks?|[tc]?pvn?bs?|injections?|paravertebrals?|intercostals?|levels?|sites?|catheters?|right|left|bilateral(?:ly)?|"
    r"sided?|\b[rl]t?|t\d{1,2}|thoracic|single)\)?[\s,(\-]{0,3}\Z"
)
"""What "x3" counts blocks after; elsewhere it counts other things: "oriented x3", "prepped x3"."""
_ONE_OF_MORE = re.compile(
    r"\s{0,2}(?:\w+\s){0,2}(?:per|at each|each|for each|at every|at all)\b"
    r"|\s(?:above|below|higher|lower|caudad|cephalad|caudal|cranial)\b"
)
"""After "one injection": of each, or a place beside another, "one level below"."""
_SPREAD = re.compile(r"dermatom|spread|cover|fractur|sensory|\bribs?\b|numb")
_COUNT_FIELD = re.compile(rf"\s{{0,4}}{_NUMBER}(?![0-9.a-z])")
_PER_SIDE = r"(?:per|each|either|a|on each|on either|for each)\s{0,2}side|/\s?side"
_COUNT_PER_SIDE = re.compile(rf"{_NUMBER_APART}\s(?:\w{{1,12}}\s){{0,2}}(?:on\s|for\s)?(?:{_PER_SIDE})")
_TOTAL_BEFORE = re.compile(r"total(?:\s(?:of|number of))?\s{0,2}:?\s?\Z")
_TOTAL_AFTER = re.compile(r"\s{0,2}(?:were |was )?(?:\w{4,12} )?\(?(?:in )?(?:total|altogether|overall)\b")
_SIDE_AFTER = re.compile(rf"\s{{0,2}}\(?(?:\w{{3,12}} ){{0,2}}(?:{_PER_SIDE})")
_LEVEL_UNIT = re.compile(r"levels?|spaces?|segments")
_AMOUNT = re.compile(r"\b(?:ml|cc|mg)\b")


class Scope(StrEnum):
    """What a stated number of injections counts where both sides were injected."""

    SIDE = "side"
    TOTAL = "total"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Stated:
    """A number of injections the note states."""

    number: int
    scope: Scope
    span: Span

    def per_side(self, bilateral: bool) -> tuple[int, int]:
        """Return the least and most injections on one side that the number can mean."""
        if not bilateral or self.scope is Scope.SIDE or self.number == 1:
            return self.number, self.number
        half = self.number // 2
        return half, self.number - half if self.scope is Scope.TOTAL else self.number


@dataclass(frozen=True, slots=True)
class Counted:
    """The levels that are sites, and how many there are per side."""

    levels: list[Levels]
    count: CountReading | None


def count(
    document: Document, ownership: Ownership, episode: Episode, located: list[Located], bilateral: bool
) -> Counted:
    """Return what levels and numbers support together: a range where they leave a choice or contradict."""
    stated = list(dict.fromkeys(_stated(document, ownership, episode, bilateral)))
    if any(item.number > 1 for item in stated):  # "single injection" beside a number of levels only says: no catheter
        stated = [item for item in stated if item.number > 1]
    further = [] if stated else list(find_further(document, ownership, episode, bilateral))
    plural = _plural(document, ownership, episode, bilateral)
    levels, low, high = _count_levels(episode, [item.levels for item in located], plural)
    if low == high and (most := _largest_side(levels, located)):
        low = high = most
    if not plural and any(item.tier is Tier.LANDMARK for item in located):  # a bone need not be where the needle went
        low = 1
    ranges = [item.per_side(bilateral) for item in stated]
    if not levels:
        return Counted(levels, with_further(_count_numbers(stated, ranges, plural), further))
    agreeing = [each for each in ranges if each[0] <= high and each[1] >= low]
    if agreeing:
        low, high = max(low, *(each[0] for each in agreeing)), min(high, *(each[1] for each in agreeing))
    elif ranges:
        low, high = min(low, *(each[0] for each in ranges)), max(high, *(each[1] for each in ranges))
    low, high = min(low, high), max(low, high)
    span = stated[0].span if stated else Span(levels[0].start, levels[0].end)
    found = CountReading(low, high, span)
    return Counted(_expanded(levels, low) if low == high else levels, with_further(found, further))


def _count_numbers(stated: list[Stated], ranges: list[tuple[int, int]], plural: Mention | None) -> CountReading | None:
    """Return the count where no level is named: what the numbers agree on, or all they say."""
    if not ranges:
        return CountReading(2, None, span_of(plural)) if plural and plural.value != "share" else None
    low, high = max(each[0] for each in ranges), min(each[1] for each in ranges)
    if low > high:
        low, high = min(each[0] for each in ranges), max(each[1] for each in ranges)
    return CountReading(low, high, stated[0].span)


def _stated(document: Document, ownership: Ownership, episode: Episode, bilateral: bool) -> Iterator[Stated]:
    """Yield every number of injections the note states of a block."""
    if episode.status is not Status.PERFORMED:
        return
    for index, sentence in enumerate(document.layout.sentences):
        if sentence.section == "count" and ownership.owner(index, sentence.start, sentence.end) is episode:
            field = _COUNT_FIELD.match(document.folded, sentence.start, sentence.end)
            if field is not None:
                yield Stated(_value(field["number"]), _scope(document, field), _number_span(field))
    times = (*_TIMES_OF_A_UNIT, _TIMES) if _TIMES_SIGN.search(document.folded) else ()
    for pattern in (_COUNT, *times, *((_COUNT_PER_SIDE,) if bilateral else ())):
        for match in pattern.finditer(document.folded):
            index = document.layout.index_at(match.start())
            sentence = document.sentence(index)
            if ownership.owner(index, match.start(), match.end()) is not episode:
                continue
            if sentence.section in ELSEWHERE and not ownership.names(index, episode):
                continue
            if _is_count(document, match, sentence.end):
                yield Stated(_value(match["number"]), _scope(document, match), Span(match.start(), match.end()))


def _number_span(field: re.Match[str]) -> Span:
    return Span(field.start("number"), field.end("number"))


def _scope(document: Document, match: re.Match[str]) -> Scope:
    """Return what a number counts: the words right beside it say so, and levels are those of either side."""
    folded, words = document.folded, match.group()
    if "total" in words or _TOTAL_AFTER.match(folded, match.end()):
        return Scope.TOTAL
    if _TOTAL_BEFORE.search(folded, max(match.start() - 20, 0), match.start()):
        return Scope.TOTAL
    if match.re is _COUNT_PER_SIDE or _SIDE_AFTER.match(folded, match.end()) or _LEVEL_UNIT.search(words):
        return Scope.SIDE
    return Scope.OPEN


def _is_count(document: Document, match: re.Match[str], end: int) -> bool:
    around = document.folded[max(match.start() - 10, 0) : match.start()] + match.group()
    if _SPREAD.search(around) or _SPREAD.search(document.folded, match.end(), min(match.end() + 15, end)):
        return False
    if _AMOUNT.search(match.group()):
        return False
    if match.re is _TIMES and not _BLOCK_BEFORE.search(document.folded, max(match.start() - 20, 0), match.start()):
        return False
    one_of_more = _value(match["number"]) == 1 and _ONE_OF_MORE.match(document.folded, match.end(), end)
    return not one_of_more


def _value(number: str) -> int:
    return 1 if number == "single" else NUMBER_WORDS.get(number) or int(number)


def _plural(document: Document, ownership: Ownership, episode: Episode, bilateral: bool) -> Mention | None:
    """Return the words that say there was more than one injection on a side, without saying how many.

    A heading ("Levels:") is part of the form, not of the answer; with both sides "each injection" can mean each side's.
    """
    found: list[Mention] = []
    for index in ownership.indices(episode):
        section = document.sentence(index).section
        if section == HEADING or (section in ELSEWHERE and not ownership.names(index, episode)):
            continue
        for mention in document.of(index, "multiple"):
            if ownership.owner(index, mention.start, mention.end) is not episode:
                continue
            if _SPREAD.search(document.folded, mention.end, mention.end + 20) or _is_each_of_others(
                document, index, mention, bilateral
            ):
                continue
            found.append(mention)
    return next((mention for mention in found if mention.value == "alternate"), found[0] if found else None)


def _is_each_of_others(document: Document, index: int, mention: Mention, bilateral: bool) -> bool:
    """Return whether "each" may stand for each side, or each of two techniques, and not for each level."""
    if mention.value != "share":
        return False
    return bilateral or len(list(document.of(index, "technique"))) > 1


def _expanded(levels: list[Levels], number: int) -> list[Levels]:
    """Return each end of the pairs as a site of its own where the number says they are two levels."""
    each = [
        Levels(Form.LEVEL, (level,), item.start, item.end)
        for item in levels
        for level in (item.levels if item.form is Form.PAIR else ())
    ]
    return each if number == len(each) and all(item.form is Form.PAIR for item in levels) else levels


def _count_levels(episode: Episode, levels: list[Levels], plural: Mention | None) -> tuple[list[Levels], int, int]:
    """Return the distinct sites' levels, and the least and most injections they can mean."""
    explicit = _distinct([item for item in levels if item.form in {Form.LEVEL, Form.INTERSPACE}])
    known = {item.levels[0] for item in explicit if item.form is Form.LEVEL}
    open_ended = [item for item in levels if item.form in {Form.PAIR, Form.RANGE}]
    kept, low, high = list(explicit), len(explicit), len(explicit)
    seen = {item.levels for item in explicit if item.form is Form.INTERSPACE}
    for item in open_ended:
        covered = known & set(item.levels)
        if item.levels in seen or (covered and (item.form is Form.PAIR or len(covered) > 1 or not plural)):
            if covered and len(covered) == 1 and item.form is Form.RANGE and item.levels not in seen:
                high = max(high, len(item.levels))
            continue
        seen.add(item.levels)
        # one of several parts may be one space: "T4-5 and T6-7, 5 mL at each level"
        expanded, least, most = _open(episode, item, plural if item.form is Form.RANGE or len(levels) == 1 else None)
        kept.extend(level for level in expanded if level.name not in {one.name for one in kept})
        low, high = low + least, high + most
        if covered:
            low, high = max(len(kept), 1), len(kept)
    return sorted(kept, key=lambda item: (item.start, item.levels)), low, high


def _open(episode: Episode, item: Levels, plural: Mention | None) -> tuple[list[Levels], int, int]:
    """Return the sites of a pair or range, and the least and most injections it can mean."""
    each = [Levels(Form.LEVEL, (level,), item.start, item.end) for level in item.levels]
    if item.form is Form.PAIR:
        return (each, 2, 2) if plural else ([item], 1, 2)
    if episode.key.technique is Technique.INTERCOSTAL:
        return each, len(each), len(each)
    if plural and plural.value == "alternate" and len(each) % 2:
        each = each[::2]
    if plural:
        return each, len(each) - (plural.value == "spaces"), len(each)
    return each, 1, len(each)


def _distinct(levels: list[Levels]) -> list[Levels]:
    """Return each site once; a level inside an interspace named too is that interspace."""
    unique: dict[str, Levels] = {}
    for item in levels:
        unique.setdefault(item.name, item)
    spaces = [item for item in unique.values() if item.form is Form.INTERSPACE]
    return [
        item
        for item in unique.values()
        if item.form is Form.INTERSPACE or not any(item.levels[0] in space.levels for space in spaces)
    ]


def _largest_side(levels: list[Levels], located: list[Located]) -> int | None:
    """Return the most sites on one side, where the levels are told side by side."""
    sides: dict[Side, set[str]] = {}
    for item in located:
        if item.side in {Side.RIGHT, Side.LEFT}:
            sides.setdefault(item.side, set()).update(names_of(levels, item))
    return max(map(len, sides.values())) if len(sides) == 2 else None


def names_of(levels: list[Levels], item: Located) -> set[str]:
    """Return the names of those levels that the words of `item` name."""
    return {one.name for one in levels if one.name == item.levels.name or set(one.levels) <= set(item.levels.levels)}
