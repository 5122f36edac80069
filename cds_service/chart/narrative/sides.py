"""Works out which side a block was done on."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from cds_service.chart.model import Side, Technique
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Concept, Mention
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.reading import Said, Span
from cds_service.chart.narrative.techniques import Episode

ELSEWHERE = frozenset(
    {
        "history",
        "findings",
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
PLACES = frozenset({"levels", "side", "title", "count", HEADING})
_BEFOREHAND = frozenset({"plan", "consent"})
"""Sections that name the side of what is to be done; another may have been done in the end."""
_OFF_THE_SPINE = frozenset({Technique.OTHER, Technique.TRIGGER_POINT})
_OFF_THE_CHEST = frozenset(
    {"fascia-iliaca", "adductor-canal", "ipack", "transversus-abdominis", "rectus-sheath", "quadratus-lumborum"}
)
"""Planes whose block is told to be on the side of a limb or of a part of the abdomen: "for right hip fracture"."""
_SIDE_BEFORE = re.compile(
    r"[\s,:)(\-]{0,4}(?:sided?\s)?(?:at\s)?(?:the\s)?(?:[a-z]+[\s\-]){0,1}(?:th?\s?-?\d|[cls]-?\d|paravertebral|"
    r"thoracic|lumbar|cervical|sacral|facet|medial branch|[lct]?mbb|ton\b|rfa|stellate|sgb|lsb|lumbosacral|sympathetic|"
    r"transforaminal|interlaminar|tfesi|snrb|esi\b|genicular|sacroiliac|si\b|pvb|tpvb|hemithorax|posterior|"
    r"parasagittal|transverse|chest wall|back|intercostal|side\b)"
)
_NOT_DONE = re.compile(
    r"\s{0,2}(?:side\s?)?[:\-]?\s{0,2}(?:was |were )?(?:deferred|declined|cancel|abort|omitted|spared|not (?:done|"
    r"performed|attempted|blocked|injected))"
)
"""After a side that was left out: "Left side: deferred"."""

_CUTS_OFF = re.compile(r"[,;.:()]|\b(?:for|before|after|prior|following|during|until|preceding)\b|block|pvb|\bt\d")
"""Between a side and an operation: what makes it the side of something else, "on the right after a mastectomy"."""
_VOLUME_NEXT = re.compile(r"\s\d{1,2}(?:\.\d)?\s?(?:ml|cc)\b")
"""After a bare letter that is a side: "R 20 mL, L 20 mL"."""
_GAP = 2
"""Characters between a side and the block or muscle it is the side of: "L TAP block"."""
_REPEAT = re.compile(r"\b(?:repeated|identical|same|similar(?:ly)?|also)\b")
_REPEATED = re.compile(
    r"\b(?:repeated|(?:same|identical)(?: \w{1,12}){0,2} (?:was |were )?(?:then )?"
    r"(?:done|performed|carried out|repeated|followed))\b[^.;]{0,20}\bon the\b"
)
_AFFECTED = re.compile(r"\b(?:affected|symptomatic|painful|involved)\s{1,3}side\b")
_RIGHT_OR_LEFT = re.compile(r"\b(?:right|left)\b")
_FIELD_AND_NEXT = 2
"""Sentences from "Right PVB:", past its value, to "Left PVB"."""


@dataclass(frozen=True, slots=True)
class Sided:
    """A side that belongs to a block, and where it was read."""

    side: Side
    index: int
    mention: Mention
    firm: bool


def find_sides(document: Document, ownership: Ownership, episode: Episode) -> list[Sided]:
    """Return every side said of a block, in order; where none is, those of a block told of together with it.

    Where there is none either, a block of a limb has the side of the limb its sentence names, and one of "the affected
    side" the side of the diagnosis.
    """
    return (
        _as_done(document, list(_sided(document, ownership, episode, shared=False)))
        or list(_sided(document, ownership, episode, shared=True))
        or list(_of_limbs(document, ownership, episode))
        or list(_affected(document, ownership, episode))
    )


def _as_done(document: Document, sided: list[Sided]) -> list[Sided]:
    """Return the sides told of what was done; those that were only planned where there are no others."""
    done = [
        item
        for item in sided
        if document.sentence(item.index).section not in _BEFOREHAND
        and assess(document, item.index, item.mention) is not Assertion.PLANNED
    ]
    return done or sided


def _affected(document: Document, ownership: Ownership, episode: Episode) -> Iterator[Sided]:
    """Yield the one side of the diagnosis where "the affected side" was treated."""
    told = _AFFECTED.search(document.folded)
    if told is None or ownership.owner(document.layout.index_at(told.start()), told.start(), told.end()) is not episode:
        return
    said = [
        found
        for section in document.layout.sections
        if section.kind in {"diagnosis", "indication"}
        for found in _RIGHT_OR_LEFT.finditer(document.folded, section.start, section.end)
    ]
    if len({found[0] for found in said}) == 1:
        side, index = Side(said[0][0]), document.layout.index_at(said[0].start())
        yield Sided(side, index, Mention(Concept("side", side.value), "side", side.value, *said[0].span()), firm=True)


def _of_limbs(document: Document, ownership: Ownership, episode: Episode) -> Iterator[Sided]:
    if episode.key.technique not in _OFF_THE_SPINE and episode.key.plane not in _OFF_THE_CHEST:
        return
    for index, mention in document.all("limb-side"):
        named = ownership.names(index, episode)
        if named and ownership.owner(index, mention.start, mention.end) is episode:
            yield Sided(Side(mention.value), index, mention, firm=True)


def _sided(document: Document, ownership: Ownership, episode: Episode, *, shared: bool) -> Iterator[Sided]:
    operations = _spans_by_sentence(document, "operation")
    for index, mention in document.all("side"):
        if shared:
            owned = ownership.is_shared_side(index, mention.start, episode)
        else:
            owned = ownership.owner(index, mention.start, mention.end) is episode
        section = document.sentence(index).section
        named = ownership.names(index, episode)
        if not owned or (section in ELSEWHERE and not named) or _NOT_DONE.match(document.folded, mention.end):
            continue
        if _is_operations(document, mention, operations.get(index, [])) or not _is_side(document, index, mention):
            continue
        firm = named or section in PLACES or _is_tight(document, mention) or _is_repeated(document, index)
        yield Sided(Side(mention.value), index, mention, firm)


def sides_by_sentence(document: Document, sided: list[Sided]) -> Callable[[int], list[Sided]]:
    """Return a look-up of the sides said in a sentence, or else in the heading of its field ("Right: T4")."""
    by_index: dict[int, list[Sided]] = {}
    for item in sided:
        by_index.setdefault(item.index, []).append(item)

    def look_up(index: int) -> list[Sided]:
        own = by_index.get(index)
        headed = not own and index and document.sentence(index - 1).section == HEADING
        return by_index.get(index - 1, []) if headed else own or []

    return look_up


def _spans_by_sentence(document: Document, kind: str) -> dict[int, list[tuple[int, int]]]:
    spans: dict[int, list[tuple[int, int]]] = {}
    for index, mention in document.all(kind):
        spans.setdefault(index, []).append((mention.start, mention.end))
    return spans


def _is_side(document: Document, index: int, mention: Mention) -> bool:
    """A bare "R" or "L" is a side only in parentheses or before what it is the side of."""
    if not mention.concept.attributes.get("upper"):
        return True
    around = document.folded[max(mention.start - 2, 0) : mention.end + 2].split()
    if any(sign in word for word in around for sign in "<>="):  # "worse L>R" compares
        return False
    if _leads_name(document.mentions[index], mention):
        return True
    after = document.folded[mention.end : mention.end + 24]
    return (
        after[:1] in {"", ")", ":", ",", ";", ".", "\n"}
        or after[1:].startswith("sided")
        or _VOLUME_NEXT.match(after) is not None
        or _SIDE_BEFORE.match(after) is not None
        or not after.strip(" |")
    )


def _leads_name(mentions: list[Mention], side: Mention) -> bool:
    """Return whether the name of a block or muscle follows a side at once: "L TAP block"."""
    at = bisect_left(mentions, side.end, key=lambda mention: mention.start)
    return any(
        mention.kind in {"technique", "muscle"} and mention.start - side.end <= _GAP
        for mention in mentions[at : at + 4]
    )


def _is_operations(document: Document, mention: Mention, operations: list[tuple[int, int]]) -> bool:
    """The side just before an operation is the operation's: "for left mastectomy"."""
    for start, _ in operations:
        between = document.folded[mention.end : start]
        if mention.end <= start and len(between.split()) <= 3 and not _CUTS_OFF.search(between):
            return True
    return False


def _is_tight(document: Document, mention: Mention) -> bool:
    if _SIDE_BEFORE.match(document.folded, mention.end):
        return True
    words = document.folded[max(mention.start - 7, 0) : mention.end]
    return "on the " in words and document.layout.index_at(mention.start) in document.levels


def side_of_block(document: Document, sided: list[Sided]) -> tuple[Said[Side] | None, tuple[Said[Side], ...]]:
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
    if one.side is other.side or not all(document.has(item.index, "technique") for item in (one, other)):
        return False
    same_section = document.sentence(one.index).section == document.sentence(other.index).section
    if other.index == one.index + 1 and same_section:
        return True
    return (
        1 <= other.index - one.index <= _FIELD_AND_NEXT
        and _is_detailed(document, one)
        and _is_detailed(document, other)
    )


def _is_detailed(document: Document, item: Sided) -> bool:
    """Return whether the statement that names the side, or the field it heads, says what was done there."""
    section = document.sentence(item.index).section
    if section == "title" or section == "description":  # what the title says may be wrong
        return False
    headed = section == HEADING
    return any(
        index in document.levels or document.has(index, "drug", "continuous")
        for index in ((item.index, item.index + 1) if headed else (item.index,))
    )


def _is_repeat(document: Document, item: Sided) -> bool:
    sentence = document.sentence(item.index)
    return _REPEAT.search(document.folded, sentence.start, sentence.end) is not None


def _is_repeated(document: Document, index: int) -> bool:
    """Return whether a sentence says of a side that what was told was done there: "the same was done on the left"."""
    sentence = document.sentence(index)
    return _REPEATED.search(document.folded, sentence.start, sentence.end) is not None


def _other_side(document: Document, sided: list[Sided]) -> Span | None:
    for index, mention in document.all("other-side"):
        if document.has(index, "act") and sided[0].mention.start < mention.start:
            return span_of(mention)
    return None
