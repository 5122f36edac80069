"""Sites at the spine: joints and their nerves, foramina and their roots, interspaces, ganglia.

A number of sites is given only where a note states one: how many joints some nerves stand for is a rule of coding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, zip_longest

from cds_service.chart.model import Technique
from cds_service.chart.narrative.aims import JOINT, NERVE
from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.injected import Located, not_reached
from cds_service.chart.narrative.levels import CARDINALS, NUMBER_WORDS, THIRD_OCCIPITAL, Form, Levels
from cds_service.chart.narrative.naming import is_title
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.reading import CountReading, Said, Span, Status
from cds_service.chart.narrative.sides import ELSEWHERE
from cds_service.chart.narrative.techniques import Episode

_OF_THE_FACETS = frozenset({Technique.FACET, Technique.RADIOFREQUENCY})
_BELOW_THE_FACETS = frozenset({"S2", "S3", "S4", "S5"})
"""Their lateral branches serve the sacroiliac joint."""
_BY_INJECTION = frozenset({Technique.FACET, Technique.TRANSFORAMINAL})
_AT_THE_FORAMEN = re.compile(
    r"\s{0,2}(?:spinal\s|nerve\s|exiting\s)?(?:roots?\s)?(?:at|in|through|within|via)\s[^.;,]{0,20}\Z"
)

_ASKED = re.compile(r"\b(?:should|how|which|what|can|could|may|does|do|is|are)\b")
_LIST_MARK = re.compile(r"[\s,]{0,3}(?:and|&|,)\s{0,3}(?:the\s)?")
_NUMBER = rf"(?P<number>[1-6]|{'|'.join(CARDINALS[:6])}|single)"
_KIND = (
    r"(?:(?:separate|distinct|individual|different|contiguous|adjacent|consecutive|spinal|vertebral|facet|lumbar|"
    r"cervical|thoracic|sacral|lumbosacral|foraminal|neural|zygapophyseal|zygapophysial)[\s\-/]{1,3}){0,3}"
)
_UNIT = r"(?P<unit>levels?|joints?|foramen|foramina|interspaces?|facets|injections?)"
_COUNTS = (
    re.compile(rf"(?<![a-z0-9.\-/])(?<!\bor ){_NUMBER}[\s\-]{{1,3}}(?:\([1-6]\)\s)?{_KIND}{_UNIT}(?![a-z])"),
    re.compile(r"(?P<unit>levels?|joints?|facets)\s{0,2}\(?x\s{0,2}(?P<number>[1-6])(?![0-9.a-z%])"),
    re.compile(r"x(?<![a-z0-9.]x)\s{0,2}(?P<number>[1-6])\s(?P<unit>levels?|joints?|foramina)(?![a-z])"),
)
_ORDINAL = re.compile(
    rf"(?<![a-z])(?P<number>first|second|third|1st|2nd|3rd)[\s\-]{{1,2}}{_KIND}(?P<unit>level)(?![a-z])"
)
_OF_SOMETHING_ELSE = re.compile(
    r"[\s\-]{0,3}(?:\w{1,14}[\s\-]{1,3}){0,2}(?:fusion|fused|laminectom|laminotom|disease|degenerat|spondyl|stenos|acdf|disc\b|"
    r"discectom|decompress|above|below|higher|lower|up\b|down\b|(?:per|each)\b(?!\s{1,3}side)|corpectom|construct|instrument)"
)


def as_said(
    document: Document,
    episode: Episode,
    located: list[Located],
    target: Said[str] | None,
    numbers: list[re.Match[str]],
) -> list[Located]:
    """Return the sites one by one: a range as the joints or the nerves it stands for, a root at its foramen once."""
    technique = episode.key.technique
    counted = {place for match in numbers for place in range(*match.span())}
    located = [item for item in located if item.levels.start not in counted or item.levels.end - 1 not in counted]
    units = [
        one for item in located for one in _units(document, technique, item, target) if _fits(one, target, technique)
    ]
    missed = not_reached(document)
    later = {one.levels.name for one in units if one.index > missed.get(one.levels.name, one.index)}
    units = [one for one in units if one.levels.name not in missed or one.levels.name in later]
    if technique is Technique.TRANSFORAMINAL:
        return _without_roots(document, units)
    if technique is Technique.INTERLAMINAR:  # the vertebrae of an interspace are where it was entered
        spaces = {level for one in units if one.levels.form is Form.INTERSPACE for level in one.levels.levels}
        return [one for one in units if one.levels.form is Form.INTERSPACE or one.levels.name not in spaces]
    return units


def distinct(located: list[Located]) -> list[Levels]:
    """Return the levels of the sites in order of the text, each once."""
    unique: dict[str, Levels] = {}
    for item in sorted(located, key=lambda item: item.levels.start):
        unique.setdefault(item.levels.name, item.levels)
    return list(unique.values())


def _units(document: Document, technique: Technique, item: Located, target: Said[str] | None) -> Iterator[Located]:
    levels = item.levels
    if levels.form is not Form.RANGE:
        form = Form.INTERSPACE if levels.form is Form.PAIR else levels.form
        yield replace(item, levels=replace(levels, form=form))
    elif technique in _OF_THE_FACETS and _names_joints(document, technique, item, target):
        for pair in pairwise(levels.levels):
            yield replace(item, levels=replace(levels, form=Form.INTERSPACE, levels=pair))
    elif technique is not Technique.INTERLAMINAR:  # a range of an epidural is how far the drug or a catheter went
        for level in levels.levels:
            yield replace(item, levels=replace(levels, form=Form.LEVEL, levels=(level,)))


def _names_joints(document: Document, technique: Technique, item: Located, target: Said[str] | None) -> bool:
    """Return whether a range is one of joints: the word nearest in its sentence says, or else what the block aims at.

    Both readings hold as many joints: the nerves L3 to L5 are those of L4-L5 and L5-S1.
    """
    words = [mention for mention in document.of(item.index, "target") if mention.value in {NERVE, JOINT, "bare-joint"}]
    if words:
        return min(words, key=lambda word: _distance(word.start, word.end, item.levels)).value != NERVE
    if technique is Technique.RADIOFREQUENCY:
        return False
    return target is None or target.value != NERVE


def _distance(start: int, end: int, levels: Levels) -> int:
    return start - levels.end if start >= levels.end else levels.start - end


def _fits(one: Located, target: Said[str] | None, technique: Technique) -> bool:
    """Return whether a level can be one of the technique: the sacral ala is a place of facet nerves only."""
    if technique is Technique.FACET and one.levels.levels[0] in _BELOW_THE_FACETS:
        return False
    named = one.levels.name == THIRD_OCCIPITAL or _is_ala(one)
    if not named:
        return True
    return technique in _OF_THE_FACETS and (target is None or target.value != JOINT)


def _is_ala(one: Located) -> bool:
    return one.levels.name == "L5" and one.levels.end - one.levels.start > len("lumbar five")


def _without_roots(document: Document, units: list[Located]) -> list[Located]:
    """Return the sites without the roots named beside the foramen they leave through, which is the site.

    L5 leaves through L5-S1; neck roots leave above their vertebra, C6 through C5-C6; the words may say otherwise.
    """
    left_by: dict[str, Located] = {}
    for one in units:
        if one.levels.form is Form.INTERSPACE:
            upper, lower = one.levels.levels
            left_by.setdefault(lower if lower[0] == "C" else upper, one)
    kept: list[Located] = []
    for one, following in zip_longest(units, units[1:]):
        foramen = left_by.get(one.levels.name)
        named_twice = foramen is not None and not _listed(document, one, foramen)
        if not named_twice and not _is_at_foramen(document, one, following):
            kept.append(one)
    return kept


def _is_at_foramen(document: Document, root: Located, following: Located | None) -> bool:
    if root.levels.form is not Form.LEVEL or following is None or following.levels.form is not Form.INTERSPACE:
        return False
    return _AT_THE_FORAMEN.match(document.folded, root.levels.end, following.levels.start) is not None


def _listed(document: Document, one: Located, other: Located) -> bool:
    """Return whether two levels are entries of one list, and so two sites: "L5 and L5-S1"."""
    first, last = sorted((one.levels, other.levels), key=lambda levels: levels.start)
    return _LIST_MARK.fullmatch(document.folded, first.end, last.start) is not None


def stated_count(
    document: Document,
    ownership: Ownership,
    episode: Episode,
    sites: list[Levels],
    target: Said[str] | None,
    numbers: list[re.Match[str]],
) -> CountReading | None:
    """Return the number of joints, foramina or levels on each side that a note states, a range where it states two."""
    if episode.status is not Status.PERFORMED:
        return None
    nerves = sum(site.form is Form.LEVEL for site in sites)
    found: dict[int, Span] = {}
    for match in numbers:
        number = 1 if match["number"] == "single" else NUMBER_WORDS.get(match["number"]) or int(match["number"][0])
        if not _is_count(document, ownership, episode, match, target):
            continue
        if number == nerves and number > 1 and not match["unit"].startswith("joint"):  # it counts the nerves
            continue
        found.setdefault(number, Span(match.start(), match.end()))
    if len(found) > 1:  # "single injection" beside a number of levels counts nothing
        found.pop(1, None)
    return CountReading(min(found), max(found), next(iter(found.values()))) if found else None


def numbers_in(document: Document) -> list[re.Match[str]]:
    """Return the numbers of joints, foramina, levels or injections in a text, whatever they are said of."""
    patterns = (*_COUNTS, _ORDINAL) if is_title(document) else _COUNTS
    return [match for pattern in patterns for match in pattern.finditer(document.folded)]


def _is_count(
    document: Document, ownership: Ownership, episode: Episode, match: re.Match[str], target: Said[str] | None
) -> bool:
    index = document.layout.index_at(match.start())
    sentence = document.sentence(index)
    if ownership.owner(index, match.start(), match.end()) is not episode:
        return False
    number = match.start("number")
    if any(levels.start < number < levels.end for levels in document.levels.get(index, ())):  # "L4 - 5 joint"
        return False
    if sentence.section in ELSEWHERE and not ownership.tells(index, episode):
        return False
    if match["unit"].startswith("injection") and not _counts_injections(episode, target):
        return False
    asked = document.folded[match.end() : sentence.end].endswith("?") and _ASKED.search(
        document.folded, sentence.start, match.start()
    )
    return not asked and _OF_SOMETHING_ELSE.match(document.folded, match.end(), sentence.end) is None


def _counts_injections(episode: Episode, target: Said[str] | None) -> bool:
    """Return whether each injection is a site: not of nerves, of which two make a joint, nor of a ganglion."""
    return episode.key.technique in _BY_INJECTION and (target is None or target.value != NERVE)
