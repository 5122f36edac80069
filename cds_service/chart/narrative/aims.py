"""Reads what a block at the spine was aimed at, and how radiofrequency was applied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.chart.model import Technique
from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.reading import Said, SiteReading, Span
from cds_service.chart.narrative.sides import ELSEWHERE
from cds_service.chart.narrative.techniques import Episode

NERVE = "medial-branch"
JOINT = "joint"
_CHAIN = "thoracolumbar-chain"
_FACET_WORDS = frozenset({NERVE, JOINT, "facet"})
_OF_THE_SACROILIAC_JOINT = ("lateral-branch", "sacroiliac")
"""Beside these a dorsal ramus is one of the nerves of the sacroiliac joint."""
_NO_AIM = frozenset({"bare-joint", "foramen", "epidural-space"})
_SPACE = re.compile(r"\bparavertebral spaces?\b")
"""What a paravertebral block is aimed at, where the words say more than its name."""
_HEAT = re.compile(r"(?<![0-9.])(?:8\d|9[0-5])\s{0,3}(?:degrees?\b|deg\b|[°º]|c\b|celsius)")
"""80 degrees C and above destroy nerve; pulses stay at 42."""
_METHODS = ("pulsed", "cooled", "thermal")
"""How radiofrequency is applied; where two are told of, the first of these counts: pulses never pass for heat."""
_DESTRUCTION = ("chemical", "neurolytic", "cryo")
_UNTOLD = frozenset({Assertion.PLANNED, Assertion.HISTORICAL, Assertion.OTHER, Assertion.NEGATED})


def target_of(
    document: Document, ownership: Ownership, episode: Episode, sites: tuple[SiteReading, ...]
) -> Said[str] | None:
    """Return what the needle was aimed at, where the technique leaves a choice (`Block.target`)."""
    if episode.key.technique is Technique.SYMPATHETIC:
        return _sympathetic(episode, sites)
    if episode.key.technique is Technique.PARAVERTEBRAL:
        space = _found(_SPACE, document, ownership, episode)
        return Said("paravertebral-space", space) if space else None
    if episode.key.technique is Technique.FACET:
        return _facet(document, ownership, episode)
    if episode.key.technique is Technique.RADIOFREQUENCY:
        return _of_radiofrequency(document, ownership, episode)
    if episode.key.technique is Technique.INTERLAMINAR:  # a blood patch is no epidural of a drug
        return next((Said(target, span) for target, span in _of_names(episode) if target is not None), None)
    return None


def method_of(document: Document, ownership: Ownership, episode: Episode) -> Said[str] | None:
    """Return how radiofrequency was applied, or what else destroyed the nerve (`Block.method`)."""
    technique = episode.key.technique
    if technique not in {Technique.RADIOFREQUENCY, Technique.SYMPATHETIC, Technique.FACET}:
        return None
    by_heat = technique is Technique.RADIOFREQUENCY
    said = {mention.value: span_of(mention) for mention in _told(document, ownership, episode, "method")}
    for naming in episode.namings:
        if method := naming.mention.concept.attributes.get("method"):
            said.setdefault(method, span_of(naming.mention))
    if by_heat and "thermal" not in said and (heat := _found(_HEAT, document, ownership, episode)):
        said["thermal"] = heat
    return next(
        (Said(method, said[method]) for method in (_METHODS if by_heat else _DESTRUCTION) if method in said), None
    )


def _sympathetic(episode: Episode, sites: tuple[SiteReading, ...]) -> Said[str] | None:
    """The name says it; a level of the chest or loin can only mean the chain beside the vertebrae."""
    target = episode.key.target
    if target is None:
        level = next((site for site in sites if site.level and site.level[0] in "TL"), None)
        return Said(_CHAIN, level.span) if level else None
    named = (n.mention for n in episode.namings if n.mention.concept.attributes.get("target") == target)
    mention = next(named, episode.namings[0].mention)
    return Said(target, span_of(mention))


def _facet(document: Document, ownership: Ownership, episode: Episode) -> Said[str] | None:
    """The nerves, where the words name them; else the joint, where they do; "facet block" alone says neither."""
    said = {target: span for target, span in _of_names(episode) if target is not None}
    in_names = {place for naming in episode.namings for place in range(naming.mention.start, naming.mention.end)}
    for mention in _told(document, ownership, episode, "target"):
        if mention.value in {NERVE, JOINT} and mention.start not in in_names:  # "facet joint block" may be of either
            said.setdefault(mention.value, span_of(mention))
    return next((Said(target, said[target]) for target in (NERVE, JOINT) if target in said), None)


def _of_radiofrequency(document: Document, ownership: Ownership, episode: Episode) -> Said[str] | None:
    """Return the aim in the sentences that name the treatment, or else in the rest of what is told of it."""
    everywhere = [mention for mention in _told(document, ownership, episode, "target") if mention.value not in _NO_AIM]
    named = [m for m in everywhere if ownership.tells(document.layout.index_at(m.start), episode)]
    for mentions in (named, everywhere):
        aims = {mention.value: mention for mention in reversed(mentions)}
        if "sacroiliac" in aims:  # its nerves, where they are named at all
            aims = {mention.value: mention for mention in reversed(everywhere)}
        best = next((aims[aim] for aim in _OF_THE_SACROILIAC_JOINT if aim in aims), next(iter(mentions), None))
        if best is not None:
            return Said(NERVE if best.value in _FACET_WORDS else best.value, span_of(best))
    return next((Said(target, span) for target, span in _of_names(episode) if target is not None), None)


def _of_names(episode: Episode) -> Iterator[tuple[str | None, Span]]:
    for naming in episode.namings:
        if not naming.soft:
            yield naming.mention.concept.attributes.get("target"), span_of(naming.mention)


def _told(document: Document, ownership: Ownership, episode: Episode, kind: str) -> Iterator[Mention]:
    """Yield the mentions of a kind that are told of a block as done."""
    for index, mention in document.all(kind):
        if ownership.owner(index, mention.start, mention.end) is not episode:
            continue
        if document.sentence(index).section in ELSEWHERE and not ownership.tells(index, episode):
            continue
        if assess(document, index, mention) not in _UNTOLD:
            yield mention


def _found(words: re.Pattern[str], document: Document, ownership: Ownership, episode: Episode) -> Span | None:
    for found in words.finditer(document.folded):
        index = document.layout.index_at(found.start())
        if ownership.owner(index, found.start(), found.end()) is episode:
            return Span(found.start(), found.end())
    return None
