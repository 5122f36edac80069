"""Works out where a block was done: levels, sides, and how many injections per side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from cds_service.chart.model import Side, Technique
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.levels import CARDINALS, NUMBER_WORDS, Form, Levels
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.reading import CountReading, Said, SiteReading, Span, Status
from cds_service.chart.narrative.techniques import Episode, Ownership

_ELSEWHERE = frozenset(
    {
        "history",
        "plan",
        "diagnosis",
        "indication",
        "response",
        "complications",
        "pain-before",
        "pain-after",
        "operation",
    }
)
"""Sections whose levels and sides are not where the needle went, unless the sentence names the block."""
_PLACES = frozenset({"levels", "side", "title", "count", HEADING})
_NEURAXIAL = frozenset({Technique.FACET, Technique.TRANSFORAMINAL, Technique.INTERLAMINAR, Technique.RADIOFREQUENCY})
"""Techniques whose "L4-5" is always one joint, foramen or interspace."""
_BY_RIB = frozenset({Technique.INTERCOSTAL, Technique.FASCIAL_PLANE})

_AT = re.compile(r"\bat (?:the )?(?:levels? )?(?:of )?(?:the )?(?:right |left |bilateral )?\Z")
_NEAR = 70
_SIDE_AFTER = re.compile(r"[\s,(]{0,3}(?:levels?\s)?(?:on the\s|on\s)?\Z")
_SIDE_BEFORE = re.compile(
    r"[\s,:)(\-]{0,4}(?:sided?\s)?(?:at\s)?(?:the\s)?(?:[a-z]+[\s\-]){0,1}(?:th?\s?-?\d|paravertebral|"
    r"thoracic|pvb|tpvb|hemithorax|posterior|"
    r"parasagittal|transverse|chest wall|back|intercostal|side\b)"
)
_COUNTED = "|".join(CARDINALS)
_NUMBER = rf"(?P<number>[1-9]|1[0-2]|{_COUNTED}|single)"
_UNIT = (
    r"(?:injections?|levels?|sites?|interspaces?|(?:nerve\s)?blocks|needle\s(?:passes|insertions|"
    r"sticks)|segments|spaces|punctures)"
)
_COUNTS = (
    re.compile(
        rf"(?<![a-z0-9.\-/]){_NUMBER}[\s\-]{{1,3}}(?:\([1-9]\)\s)?(?:(?:separate|distinct|individual|total|"
        rf"different|paravertebral|thoracic|contiguous|"
        rf"adjacent|consecutive|level|pvb|intercostal|needle|vertebral|injection|local|anesthetic|block|"
        rf"spinal)[\s\-]{{1,3}}){{0,3}}{_UNIT}(?![a-z])"
    ),
    re.compile(r"(?:injections?|levels?|sites?|blocks?|pvbs?|tpvbs?)\s{0,2}\(?x\s{0,2}(?P<number>[1-9])(?![0-9.])"),
    re.compile(r"(?<![a-z0-9.\-/])(?P<number>[1-9])\s{0,2}x\s{1,2}(?:injections?|levels?|sites?)"),
    re.compile(r"(?<![a-z0-9.])x\s{0,2}(?P<number>[1-9])\s(?:injections?|levels?|sites?|separate)"),
    re.compile(
        r"(?<=[0-9\s])x\s?(?P<number>[1-9])(?![0-9.a-z%])(?!\s?(?:ml|cc|mg|min|day|month|week|year|hour|cm|mm))"
    ),
)
_SHARED = re.compile(r"\s{0,2}(?:\w+\s){0,2}(?:per|at each|each|for each|at every|at all)\b")
_SPREAD = re.compile(r"dermatom|spread|cover|fractur|sensory|\bribs?\b|numb")
_COUNT_FIELD = re.compile(rf"\s{{0,4}}{_NUMBER}(?![0-9.a-z])")


@dataclass(frozen=True, slots=True)
class Sided:
    """A side that belongs to a block, and where it was read."""

    side: Side
    index: int
    mention: Mention
    firm: bool


@dataclass(frozen=True, slots=True)
class Located:
    """A level expression that belongs to a block. `tier` 0 where the block was done, 1 a landmark on the way."""

    levels: Levels
    index: int
    tier: int
    side: Side | None


@dataclass(frozen=True)
class Place:
    """Where a block was done. `sides` holds every side said of it, each once, in order: two may contradict."""

    sites: tuple[SiteReading, ...]
    count: CountReading | None
    side: Said[Side] | None
    sides: tuple[Said[Side], ...]
    levels: tuple[Levels, ...]


def locate(document: Document, ownership: Ownership, episode: Episode) -> Place:
    """Return where a block was done."""
    sided = list(_sided(document, ownership, episode))
    side, sides = _side_of_block(document, sided)
    located = _chosen(list(_located(document, ownership, episode, sided)), episode)
    stated = list(_counts(document, ownership, episode)) if episode.status is Status.PERFORMED else []
    multiple = _multiple(document, ownership, episode)
    levels, count = _reconcile(episode, located, stated, multiple, side)
    sites = tuple(_sites(levels, located, side))
    return Place(sites, count, side, sides, tuple(item.levels for item in located))


# --- sides ---


def _sided(document: Document, ownership: Ownership, episode: Episode) -> Iterator[Sided]:
    operations = {
        index: [(m.start, m.end) for m in document.of(index, "operation")] for index, _ in document.all("operation")
    }
    for index in ownership.indices(episode):
        section = document.sentence(index).section
        named = ownership.names(index, episode)
        if section in _ELSEWHERE and not named:
            continue
        for mention in document.of(index, "side"):
            if ownership.owner(index, mention.start, mention.end) is not episode:
                continue
            if _is_operations(document, mention, operations.get(index, [])) or not _is_side(document, mention):
                continue
            firm = named or section in _PLACES or _is_tight(document, mention)
            yield Sided(Side(mention.value), index, mention, firm)


def _is_side(document: Document, mention: Mention) -> bool:
    """A bare "R" or "L" is a side only in parentheses or before what it is the side of."""
    if not mention.concept.attributes.get("upper"):
        return True
    after = document.folded[mention.end : mention.end + 24]
    return (
        after[:1] in {"", ")", ":", ",", ";", ".", "\n"}
        or _SIDE_BEFORE.match(after) is not None
        or not after.strip(" |")
    )


def _is_operations(document: Document, mention: Mention, operations: list[tuple[int, int]]) -> bool:
    """The side just before an operation is the operation's: "for left mastectomy"."""
    for start, _ in operations:
        between = document.folded[mention.end : start]
        if (
            mention.end <= start
            and len(between.split()) <= 3
            and not re.search(r"[,;.:()]|\bfor\b|block|pvb|\bt\d", between)
        ):
            return True
    return False


def _is_tight(document: Document, mention: Mention) -> bool:
    before = document.folded[max(mention.start - 8, 0) : mention.start]
    return before.endswith("on the ") or bool(_SIDE_BEFORE.match(document.folded, mention.end))


def _side_of_block(document: Document, sided: list[Sided]) -> tuple[Said[Side] | None, tuple[Said[Side], ...]]:
    """Return the block's side, and every side said of it where they contradict."""
    firm = [item for item in sided if item.firm] or sided
    if not firm:
        return None, ()
    first: dict[Side, Said[Side]] = {}
    for item in firm:
        first.setdefault(item.side, Said(item.side, span_of(item.mention)))
    if Side.BILATERAL in first:
        return first[Side.BILATERAL], (first[Side.BILATERAL],)
    said = tuple(first.values())
    if len(said) == 2 and _is_both(document, firm):
        both = Said(Side.BILATERAL, said[1].span)
        return both, (both,)
    if len(said) == 1 and (other := _other_side(document, firm)):
        both = Said(Side.BILATERAL, other)
        return both, (both,)
    return said[0], said


def _is_both(document: Document, sided: list[Sided]) -> bool:
    """Right and left are both meant where one sentence says so, each heads a field, or the second is a repetition."""
    by_index: dict[int, set[Side]] = {}
    for item in sided:
        by_index.setdefault(item.index, set()).add(item.side)
    if any(len(sides) == 2 for sides in by_index.values()):
        return True
    started = sided[0].side
    if any(_is_sibling(document, one, other) for one, other in pairwise(sided)):
        return True
    repeated = any(
        (item.side is not started and document.has(item.index, "same")) or _is_repeat(document, item) for item in sided
    )
    headed = {item.side for item in sided if document.sentence(item.index).section == HEADING}
    return repeated or len(headed) == 2


def _is_sibling(document: Document, one: Sided, other: Sided) -> bool:
    """Two sentences in a row that each name the block with a side of its own: "Rt PVB at T5. Lt PVB at T5."."""
    named = document.has(one.index, "technique") and document.has(other.index, "technique")
    near = (
        other.index == one.index + 1 and document.sentence(one.index).section == document.sentence(other.index).section
    )
    return named and near and one.side is not other.side


def _is_repeat(document: Document, item: Sided) -> bool:
    sentence = document.sentence(item.index)
    return bool(
        re.search(
            r"\b(?:repeated|identical|same|similar(?:ly)?|also)\b", document.folded[sentence.start : sentence.end]
        )
    )


def _other_side(document: Document, sided: list[Sided]) -> Span | None:
    for index, mention in document.all("other-side"):
        if document.has(index, "act") and sided[0].mention.start < mention.start:
            return span_of(mention)
    return None


# --- levels ---


def _located(document: Document, ownership: Ownership, episode: Episode, sided: list[Sided]) -> Iterator[Located]:
    by_index: dict[int, list[Sided]] = {}
    for item in sided:
        by_index.setdefault(item.index, []).append(item)
    for index in ownership.indices(episode):
        named = ownership.names(index, episode)
        section = document.sentence(index).section
        for levels in document.levels.get(index, ()):
            if ownership.owner(index, levels.start, levels.end) is not episode:
                continue
            if (section in _ELSEWHERE and not named) or not _may_be_site(document, index, levels, episode):
                continue
            sides = by_index.get(index) or _heading_sides(document, by_index, index)
            yield Located(levels, index, _tier(document, index, levels, named), _side_at(document, levels, sides))


def _heading_sides(document: Document, by_index: dict[int, list[Sided]], index: int) -> list[Sided]:
    """Return the side that heads a field ("Right: T4"), for the field's levels."""
    if index and document.sentence(index - 1).section == HEADING:
        return by_index.get(index - 1, [])
    return []


def _tier(document: Document, index: int, levels: Levels, named: bool) -> int:
    after = document.folded[levels.end : levels.end + 50]
    is_landmark = re.match(
        r"\s{0,3}(?:level\s)?(?:vertebrae?l?\s|thoracic\s)?(?:(?:transverse|spinous|articular)\sprocess|"
        r"lamina|vertebral body|tp\b|sp\b|rib\b|vertebra\b)"
        r"|.{0,30}?\b(?:identified|marked|located|visualized|palpated|confirmed)\b",
        after,
    )
    if is_landmark and not _AT.search(document.folded, max(levels.start - 40, 0), levels.start):
        return 1
    if named or document.sentence(index).section in _PLACES or document.has(index, "act", "injection"):
        return 0
    return 1


def _may_be_site(document: Document, index: int, levels: Levels, episode: Episode) -> bool:
    rib = levels.levels[0].startswith("rib")
    if rib and episode.key.technique not in _BY_RIB:
        return False
    folded = document.folded
    if re.match(r".{0,25}\bby (?:the )?(?:counting|scapul|inferior angle|tip)", folded[levels.end : levels.end + 60]):
        return False
    for word in document.of(index, "not-site"):
        if word.value == "before" and word.end <= levels.start and _bears_on(document, index, word.end, levels):
            return False
        if word.value == "after" and word.start >= levels.end and _qualifies(document, levels, word.start):
            return False
    before = folded[max(levels.start - 70, document.sentence(index).start) : levels.start]
    return not re.search(r"counting|scapul\w* .{0,30}(?:at|to|corresponds)\s(?:the\s)?\Z", before)


def _bears_on(document: Document, index: int, start: int, levels: Levels) -> bool:
    """A word such as "spread" or "fractures" bears on the levels after it, up to the next act or "at"."""
    if levels.start - start > _NEAR:
        return False
    between = document.folded[start : levels.start]
    if ";" in between or re.search(r"\b(?:pvb|block|blocks|performed|injected|placed|inserted|advanced)\b", between):
        return False
    other = any(start <= item.start and item.end <= levels.start for item in document.levels.get(index, ()))
    return not ((other or "," in between) and _AT.search(between))


def _qualifies(document: Document, levels: Levels, start: int) -> bool:
    between = document.folded[levels.end : start]
    if re.search(r"[,;(]|\b(?:and|with|for|injected|performed|using|paravertebral|pvb|block)\b", between):
        return False
    return len(between.split()) <= 3


def _side_at(document: Document, levels: Levels, sided: list[Sided]) -> Side | None:
    """Return the side said for these levels: the one right after them, or the last one before."""
    last = None
    for item in sided:
        if item.mention.start >= levels.end:
            between = document.folded[levels.end : item.mention.start]
            following = document.folded[item.mention.end : item.mention.end + 12]
            if last is None and _SIDE_AFTER.match(between) and not re.match(r"\s{1,2}(?:th?\s?-?\d)", following):
                return item.side
            break
        last = item.side
    return last


# --- what it comes to ---


def _chosen(located: list[Located], episode: Episode) -> list[Located]:
    """Return the levels that count: where the needle went, or else the landmarks; each once per side."""
    best = [item for item in located if item.tier == 0] or located
    if episode.key.technique in {Technique.PARAVERTEBRAL, Technique.INTERCOSTAL, Technique.FASCIAL_PLANE}:
        thoracic = [item for item in best if item.levels.levels[0][0] in "Tr"]
        best = thoracic or best
    if episode.key.technique in _NEURAXIAL:
        best = [replace(item, levels=_as_space(item.levels)) for item in best]
    if episode.key.technique is Technique.INTERCOSTAL:
        best = [replace(item, levels=_as_ribs(item.levels)) for item in best]
    return best


def _as_space(levels: Levels) -> Levels:
    """A facet joint or epidural "L4-5" is one joint or interspace."""
    return replace(levels, form=Form.INTERSPACE) if levels.form is Form.PAIR else levels


def _as_ribs(levels: Levels) -> Levels:
    """Intercostal nerves go by their rib, whether the note says T5 or rib 5; each is a site of its own."""
    ribs = tuple(level if level.startswith("rib") else f"rib {level[1:]}" for level in levels.levels)
    return Levels(Form.LEVEL if len(ribs) == 1 else Form.RANGE, ribs, levels.start, levels.end)


def _counts(document: Document, ownership: Ownership, episode: Episode) -> Iterator[tuple[int, Span]]:
    """Yield every number of injections the note states, with its words."""
    for index, sentence in enumerate(document.layout.sentences):
        if sentence.section == "count" and ownership.owner(index, sentence.start, sentence.end) is episode:
            field = _COUNT_FIELD.match(document.folded, sentence.start, sentence.end)
            if field is not None:
                yield _value(field["number"]), Span(field.start("number"), field.end("number"))
    for pattern in _COUNTS:
        for match in pattern.finditer(document.folded):
            index = document.layout.index_at(match.start())
            sentence = document.sentence(index)
            if ownership.owner(index, match.start(), match.end()) is not episode:
                continue
            if sentence.section in _ELSEWHERE and not ownership.names(index, episode):
                continue
            if _is_count(document, match, sentence.end):
                yield _value(match["number"]), Span(match.start(), match.end())


def _is_count(document: Document, match: re.Match[str], end: int) -> bool:
    around = document.folded[max(match.start() - 10, 0) : match.start()] + match.group()
    if _SPREAD.search(around) or _SPREAD.search(document.folded, match.end(), min(match.end() + 15, end)):
        return False
    one_each = _value(match["number"]) == 1 and _SHARED.match(document.folded, match.end(), end)
    return not one_each


def _value(number: str) -> int:
    return 1 if number == "single" else NUMBER_WORDS.get(number) or int(number)


def _multiple(document: Document, ownership: Ownership, episode: Episode) -> Span | None:
    """Return the words that say there was more than one injection, without saying how many."""
    for index in ownership.indices(episode):
        if document.sentence(index).section in _ELSEWHERE and not ownership.names(index, episode):
            continue
        for mention in document.of(index, "multiple"):
            if ownership.owner(index, mention.start, mention.end) is episode and not _SPREAD.search(
                document.folded, mention.end, mention.end + 20
            ):
                return span_of(mention)
    return None


def _reconcile(
    episode: Episode,
    located: list[Located],
    stated: list[tuple[int, Span]],
    multiple: Span | None,
    side: Said[Side] | None,
) -> tuple[list[Levels], CountReading | None]:
    """Return the levels that are sites, and the count per side that levels and words support together."""
    levels, low, high = _count_levels(episode, [item.levels for item in located], multiple)
    per_side = _largest_side(levels, located) if low == high else None
    low, high = (per_side, per_side) if per_side else (low, high)
    number, words = _agreed(stated)
    if not levels:
        if number is not None and words is not None:
            return levels, CountReading(number, number, words)
        return levels, CountReading(2, None, multiple) if multiple else None
    span = Span(levels[0].start, levels[0].end)
    if number is None or words is None:
        return levels, CountReading(low, high, span)
    both = side is not None and side.value is Side.BILATERAL and number == 2 * high
    if low <= number <= high or both:
        exact = high if both else number
        return _expanded(levels, exact), CountReading(exact, exact, words)
    return levels, CountReading(min(low, number), max(high, number), words)


def _expanded(levels: list[Levels], number: int) -> list[Levels]:
    """Return each end of the pairs as a site of its own where the number says they are two levels."""
    each = [
        Levels(Form.LEVEL, (level,), item.start, item.end)
        for item in levels
        for level in (item.levels if item.form is Form.PAIR else ())
    ]
    return each if number == len(each) and all(item.form is Form.PAIR for item in levels) else levels


def _agreed(stated: list[tuple[int, Span]]) -> tuple[int | None, Span | None]:
    """Return the stated number; the largest where several are stated (a title may count less than the text)."""
    if not stated:
        return None, None
    return max(stated, key=lambda item: item[0])


def _count_levels(episode: Episode, levels: list[Levels], multiple: Span | None) -> tuple[list[Levels], int, int]:
    """Return the distinct sites' levels, and the least and most injections they can mean."""
    explicit = _distinct([item for item in levels if item.form in {Form.LEVEL, Form.INTERSPACE}])
    known = {item.levels[0] for item in explicit if item.form is Form.LEVEL}
    open_ended = [item for item in levels if item.form in {Form.PAIR, Form.RANGE}]
    kept, low, high = list(explicit), len(explicit), len(explicit)
    seen = {item.levels for item in explicit if item.form is Form.INTERSPACE}
    for item in open_ended:
        covered = known & set(item.levels)
        if item.levels in seen or (covered and (item.form is Form.PAIR or len(covered) > 1 or not multiple)):
            if covered and len(covered) == 1 and item.form is Form.RANGE and item.levels not in seen:
                high = max(high, len(item.levels))
            continue
        seen.add(item.levels)
        expanded, least, most = _open(episode, item, multiple)
        kept.extend(level for level in expanded if level.name not in {one.name for one in kept})
        low, high = low + least, high + most
        if covered:
            low, high = max(len(kept), 1), len(kept)
    return sorted(kept, key=lambda item: (item.start, item.levels)), low, high


def _open(episode: Episode, item: Levels, multiple: Span | None) -> tuple[list[Levels], int, int]:
    """Return the sites of a pair or range, and the least and most injections it can mean."""
    each = [Levels(Form.LEVEL, (level,), item.start, item.end) for level in item.levels]
    if item.form is Form.PAIR:
        return (each, 2, 2) if multiple else ([item], 1, 2)
    if episode.key.technique is Technique.INTERCOSTAL or multiple:
        return each, len(each), len(each)
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
            sides.setdefault(item.side, set()).update(_names(levels, item))
    return max(map(len, sides.values())) if len(sides) == 2 else None


def _names(levels: list[Levels], item: Located) -> set[str]:
    return {one.name for one in levels if one.name == item.levels.name or set(one.levels) <= set(item.levels.levels)}


def _sites(levels: list[Levels], located: list[Located], side: Said[Side] | None) -> Iterator[SiteReading]:
    """Yield each level on each of its sides."""
    told = {item.side for item in located}
    by_side = side is not None and side.value is Side.BILATERAL and {Side.RIGHT, Side.LEFT} <= told
    for one in levels:
        span = Span(one.start, one.end)
        if by_side:
            sides = [
                s
                for s in (Side.RIGHT, Side.LEFT)
                if any(i.side is s and one.name in _names(levels, i) for i in located)
            ]
            yield from (SiteReading(one.name, s, span) for s in sides or (Side.RIGHT, Side.LEFT))
        elif side is not None and side.value is Side.BILATERAL:
            yield from (SiteReading(one.name, s, span) for s in (Side.RIGHT, Side.LEFT))
        else:
            yield SiteReading(one.name, side.value if side else None, span)
