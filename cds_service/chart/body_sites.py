"""Levels and sides that a Procedure or an order states as body sites."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cds_service.chart import terms
from cds_service.chart.model import Contradiction, Evidence, Fact, Side, Site
from cds_service.chart.narrative.folding import fold
from cds_service.chart.narrative.levels import Form, find_levels
from cds_service.fhir.reading import concept_text, numbered
from cds_service.fhir.record import Entry

_WORDS = {
    "right": Side.RIGHT,
    "rt": Side.RIGHT,
    "left": Side.LEFT,
    "lt": Side.LEFT,
    "bilateral": Side.BILATERAL,
    "bilat": Side.BILATERAL,
    "both": Side.BILATERAL,
}
_LETTERS = {"r": Side.RIGHT, "l": Side.LEFT}
_LETTER: Final = re.compile(r"\A\W*([RL])\W*\Z|\(([RL])\)", re.IGNORECASE)
"""A letter that is a side: alone, or in parentheses; beside a level "L" is lumbar."""
_WORD: Final = re.compile(r"[a-z]+")
_COUNTED = (Form.LEVEL, Form.RANGE)


def side_word(word: str) -> Side | None:
    """Return the side a word names, None for any other word."""
    return _WORDS.get(word.lower())


def side_of(entry: Entry) -> Fact[Side] | None:
    """Return the side the body sites state; right and left together are both sides."""
    found = [fact for place, concept in _body_sites(entry) for fact in _sides(entry, place, concept)]
    if not found:
        return None
    sides = {fact.value for fact in found}
    evidence = tuple(dict.fromkeys(e for fact in found for e in fact.evidence))
    return Fact(sides.pop() if len(sides) == 1 else Side.BILATERAL, evidence)


def other_side(worded: Fact[Side] | None, stated: Fact[Side] | None) -> Contradiction | None:
    """Return the contradiction between the side the words of a resource name and the one its body site states."""
    if worded is None or stated is None or {worded.value, stated.value} != {Side.RIGHT, Side.LEFT}:
        return None
    return Contradiction("laterality", tuple(Fact(fact.value.value, fact.evidence) for fact in (worded, stated)))


def sites_of(entry: Entry, side: Fact[Side] | None) -> tuple[Site, ...]:
    """Return one site per level and side the body sites name; a site with no side of its own has that of the block."""
    sites = []
    for place, concept in _body_sites(entry):
        own = frozenset(fact.value for fact in _sides(entry, place, concept))
        sides = _each(own or (frozenset({side.value}) if side else frozenset()))
        evidence = (Evidence(entry.reference, f"bodySite[{place}]", concept_text(concept)),)
        sites += [Site(level, each, evidence) for level in _levels(concept) for each in sides]
    return tuple(dict.fromkeys(sites))


def _body_sites(entry: Entry) -> Iterator[tuple[int, Mapping[str, Any]]]:
    yield from numbered(entry.resource.get("bodySite"))


def _levels(concept: Mapping[str, Any]) -> list[str]:
    coded = terms.level(concept)
    if coded is not None:
        return [coded]
    found = find_levels(fold(concept_text(concept) or ""))
    return [level for part in found for level in (part.levels if part.form in _COUNTED else (part.name,))]


def _sides(entry: Entry, place: int, concept: Mapping[str, Any]) -> list[Fact[Side]]:
    words = concept_text(concept) or ""
    evidence = (Evidence(entry.reference, f"bodySite[{place}]", words or None),)
    coded = terms.side(concept)
    if coded is not None:
        return [Fact(coded, evidence)]
    spoken = _WORD.findall(words.lower())
    if letter := _LETTER.search(words):
        return [Fact(_LETTERS[(letter[1] or letter[2]).lower()], evidence)]
    return [Fact(side, evidence) for word, side in _WORDS.items() if word in spoken]


def _each(sides: frozenset[Side]) -> tuple[Side | None, ...]:
    """Return the sides one by one, right first; None alone where there is none."""
    return tuple(side for side in (Side.RIGHT, Side.LEFT) if sides & {side, Side.BILATERAL}) or (None,)
