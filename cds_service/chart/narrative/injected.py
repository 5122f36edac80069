"""Finds the levels a block was injected at, among all levels a note names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from cds_service.chart.model import Side, Technique
from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.levels import Form, Levels
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.sides import ELSEWHERE, PLACES, Sided, sides_by_sentence
from cds_service.chart.narrative.techniques import SPINAL, Episode

_NEURAXIAL = frozenset({Technique.FACET, Technique.TRANSFORAMINAL, Technique.INTERLAMINAR, Technique.RADIOFREQUENCY})
"""Techniques whose "L4-5" is always one joint, foramen or interspace."""
_BY_RIB = frozenset({Technique.INTERCOSTAL, Technique.FASCIAL_PLANE})

_AT = re.compile(r"\bat (?:the )?(?:levels? )?(?:of )?(?:the )?(?:right |left |bilateral )?\Z")
_FRAGMENT = 3
"""Words of a "sentence" that is no more than a level: "T4 level; T6 level"."""
_NEAR = 70
_LIST = r"(?:[\s,/&+\-]|and|to|th?(?=\d)|\d{1,2}(?!\d)){0,20}+"
"""Possessive, since nothing that is looked for after it begins with any of this: a list is gone through once."""
_SIDED_LIST = r"(?:[\s,/&+\-]|and|to|(?:th?|[cls])(?=-?\d)|\d{1,2}(?!\d)){0,36}"
_SIDE_AFTER = re.compile(
    rf"{_SIDED_LIST}[\s,(]{{0,3}}(?:(?:levels?|facets?|joints?|nerves?|alone|only|just)\s{{1,3}}){{0,3}}(?:on\s(?:the\s)?)?"
)
_LEVEL_NEXT = re.compile(r"\s{1,2}(?:at\s)?(?:the\s)?(?:(?:th?\s?|[cls])-?\d|ribs?\b)")
_BONE = re.compile(
    rf"{_LIST}(?:levels?\s)?(?:vertebrae?l?\s|thoracic\s)?(?:(?:transverse|spinous|articular)\sprocess|"
    r"lamina|vertebral body|tp\b|sp\b|tps\b|rib\b(?!\s?\d)|vertebra\b)"
)
_SPINAL_BONE = re.compile(
    rf"{_LIST}(?:levels?\s{{1,3}})?(?:vertebrae?l?\s{{1,3}})?(?:(?:superior|inferior|posterior|lateral|left|right)\s{{1,3}})?"
    r"(?:(?:transverse|spinous|articular|articulating)\s{1,3}(?:process|pillar|facet)|lamina|vertebral\s{1,3}bod|tps?\b|saps?\b|"
    r"pedicles?\b|end\s{0,3}plates?\b|body\b|vertebrae?\b|pillars?\b)"
)
"""Beside these the needle of a block at the spine is aimed by sight, whichever level is meant."""
_OF_A_BONE = re.compile(
    r"\b(?:process(?:es)?|pillars?|body|bodies|pedicles?|laminae?|end\s{0,3}plates?|saps?|tps?)\s{1,3}(?:of|at)\s{1,3}"
    r"(?:the\s{1,3})?(?:levels?\s{1,3})?(?:(?:left|right)\s{1,3})?\Z"
)
_TAUGHT = re.compile(
    r"for\s{1,3}(?:(?:the|an?)\s{1,3})?(?:levels?\s{1,3})?[ctls]\d[^.;\n]{0,30}?,?\s{1,3}(?:the|its)\s{1,3}(?:[a-z]{1,15}\s{1,3}){1,4}"
    r"(?:is|are|lies?|runs?|courses?|crosses)\b"
)
"""How a sentence that tells where nerves lie begins: "For C3 to C6, the medial branch runs ..."."""
_CAME_FOR = re.compile(
    r"\b(?:came|comes|here|seen|presents|presented|attends|attended|returns|returned|back|in)\s(?:[a-z]{1,12}\s){0,4}?"
    r"for\s(?:an?|the|her|his|their)\s"
)
"""What the patient came for, and was then done: "came today for a stellate ganglion block at C6"."""
_FOUND = re.compile(
    rf"{_LIST}(?:(?!\b(?:position|placement|needles?|tips?|spread|contrast)\b)[^.;]){{0,30}}?"
    r"\b(?:identified|marked|located|visualized|visualised|palpated|confirmed)\b"
)
"""What was looked for, and not that of a needle whose place was confirmed."""
_TRIED = re.compile(r"\b(?:attempt(?:ed)?|tried|attempting)\b[^.;,]{0,20}\bat (?:the )?\Z")
_TAKEN_OUT = re.compile(
    r"(?!.{0,200}\d\s?(?:ml|cc)\b).{0,80}?\b(?:needle (?:was )?)?(?:removed|withdrawn|abandoned|taken out)\b"
)


_NOTHING = re.compile(
    r"\b(?:nothing(?: was| were)? (?:injected|given)|"
    r"no (?:injection|drug|medication|local(?: anesthetic)?|injectate|dose)(?: was| were)? "
    r"(?:made|done|injected|given|delivered)|without (?:an )?injection|(?:was|were) not injected)\b"
)
"""After a level at which there was no injection."""


class Tier(IntEnum):
    """How near the words bring a level to the needle."""

    INJECTED = 0
    SAID = 1
    LANDMARK = 2
    """A bone, or a place only looked for."""


@dataclass(frozen=True, slots=True)
class Located:
    """A level expression that belongs to a block, and the side said for it."""

    levels: Levels
    index: int
    tier: Tier
    side: Side | None


def find_located(document: Document, ownership: Ownership, episode: Episode, sided: list[Sided]) -> Iterator[Located]:
    """Yield every level that may be a site of a block; `sided` are the sides said of it."""
    sides_in = sides_by_sentence(document, sided)
    by_bone = _is_aimed_by_bone(document, episode)
    for index in ownership.indices(episode):
        spinal = episode.key.technique in SPINAL
        named = ownership.tells(index, episode) if spinal else ownership.names(index, episode)
        if spinal and ownership.only_aids(index, episode) and not _tells_what_for(document, index):
            continue
        if spinal and not named and _TAUGHT.match(document.folded, document.sentence(index).start):
            continue
        section = document.sentence(index).section
        for levels in document.levels.get(index, ()):
            if ownership.owner(index, levels.start, levels.end) is not episode:
                continue
            if (section in ELSEWHERE and not named) or not _may_be_site(document, index, levels, episode):
                continue
            tier = _tier(document, index, levels, named)
            if by_bone and _is_bone(document, levels):
                tier = Tier.LANDMARK
            elif spinal and not named and ownership.names(index, episode):
                tier = max(tier, Tier.SAID)
            yield Located(levels, index, tier, _side_at(document, index, levels, sides_in(index)))


def _tells_what_for(document: Document, index: int) -> bool:
    """Return whether a sentence of the day tells what the patient came for."""
    sentence = document.sentence(index)
    return document.has(index, "today") and _CAME_FOR.search(document.folded, sentence.start, sentence.end) is not None


def _is_aimed_by_bone(document: Document, episode: Episode) -> bool:
    """Return whether the bones beside a nerve, joint or foramen may be of another level; the chain lies on its own."""
    if episode.key.technique is Technique.RADIOFREQUENCY:
        return not any(
            mention.value == "sympathetic"
            for naming in episode.namings
            for mention in document.of(naming.index, "target")
        )
    return episode.key.technique in _NEURAXIAL


def _is_bone(document: Document, levels: Levels) -> bool:
    if _SPINAL_BONE.match(document.folded, levels.end, levels.end + 60):
        return True
    return _OF_A_BONE.search(document.folded, max(levels.start - 40, 0), levels.start) is not None


def _tier(document: Document, index: int, levels: Levels, named: bool) -> Tier:
    injected = document.has(index, "injection", "drug")
    after = document.folded[levels.end : levels.end + 60]
    looked_for = _BONE.match(after) or (not injected and _FOUND.match(after))
    if looked_for and not _AT.search(document.folded, max(levels.start - 40, 0), levels.start):
        return Tier.LANDMARK
    sentence = document.sentence(index)
    alone = len(document.folded[sentence.start : sentence.end].split()) <= _FRAGMENT
    if named or injected or alone or sentence.section in PLACES or document.has(index, "act"):
        return Tier.INJECTED
    return Tier.SAID


def _may_be_site(document: Document, index: int, levels: Levels, episode: Episode) -> bool:
    rib = levels.levels[0].startswith("rib")
    if (rib and episode.key.technique not in _BY_RIB) or _is_only_tried(document, index, levels):
        return False
    folded = document.folded
    if re.match(r".{0,25}\bby (?:the )?(?:counting|scapul|inferior angle|tip)", folded[levels.end : levels.end + 60]):
        return False
    for word in document.of(index, "not-site"):
        if word.value == "failed" and _failed_at(document, index, levels, word.start, word.end):
            return False
        if word.value == "before" and word.end <= levels.start and _bears_on(document, index, word.end, levels):
            return False
        if word.value == "after" and word.start >= levels.end and _qualifies(document, levels, word.start):
            return False
    before = folded[max(levels.start - 70, document.sentence(index).start) : levels.start]
    return not re.search(r"counting|scapul\w* .{0,30}(?:at|to|corresponds)\s(?:the\s)?\Z", before)


def _is_only_tried(document: Document, index: int, levels: Levels) -> bool:
    """Return whether nothing went in there: "attempted at T4, blood, needle removed", "T4: nothing injected"."""
    sentence = document.sentence(index)
    following = next((other.start for other in document.levels[index] if other.start >= levels.end), sentence.end)
    if _NOTHING.search(document.folded, levels.end, following):
        return True
    tried = _TRIED.search(document.folded, sentence.start, levels.start)
    return tried is not None and _TAKEN_OUT.match(document.folded, levels.end, sentence.end) is not None


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


def _side_at(document: Document, index: int, levels: Levels, sided: list[Sided]) -> Side | None:
    """Return the side said for these levels: the last one before, or the one right after them.

    "Right T4, T6, left T5" puts sides before their levels, "T4, T6 on the right, T5 on the left" after.
    """
    before = [item for item in sided if item.mention.start < levels.end]
    after = next((item for item in sided if item.mention.start >= levels.end), None)
    if after is not None and _is_side_of(document, levels, after):
        first = document.levels[index][0]
        leading = [item for item in before if item.mention.start < first.start and item.side is not Side.BILATERAL]
        leads_on = any(document.folded.startswith("on ", item.mention.start) for item in leading)
        if not leading or (document.folded.startswith("on ", after.mention.start) and not leads_on):
            return after.side
    return before[-1].side if before else None


def _is_side_of(document: Document, levels: Levels, after: Sided) -> bool:
    """Return whether the side stands right after the levels, and not before others of its own."""
    folded = document.folded
    return bool(_SIDE_AFTER.fullmatch(folded, levels.end, after.mention.start)) and not _LEVEL_NEXT.match(
        folded, after.mention.end
    )


def _failed_at(document: Document, index: int, levels: Levels, start: int, end: int) -> bool:
    """Return whether the needle failed to reach a level: "at T4 it could not be passed", "unable to enter at T4"."""
    if levels.end <= start:
        between = document.folded[levels.end : start]
        return not document.has(index, "injection") or "," not in between
    between = document.folded[end : levels.start]
    return len(between) <= _NEAR and re.search(r"[,;]|\b(?:so|but|then)\b", between) is None


def not_reached(document: Document) -> dict[str, int]:
    """Return the levels the needle failed to reach, and the last sentence that says so of each."""
    found: dict[str, int] = {}
    for index, word in document.all("not-site"):
        if word.value == "failed":
            for levels in document.levels.get(index, ()):
                if _failed_at(document, index, levels, word.start, word.end):
                    found[levels.name] = index
    return found


def choose(located: list[Located], episode: Episode) -> list[Located]:
    """Return the levels that count: where the needle went, or else the landmarks; each once per side."""
    best = [item for item in located if item.tier is Tier.INJECTED] or located
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
