"""Tells which block of a note the words at a place belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from cds_service.chart.model import Technique
from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.reading import Status
from cds_service.chart.narrative.techniques import SEPARATOR, Episode

_LEVELS = r"(?:(?:at |the |levels? )*(?:th?|[cls]|rib )? ?\d{1,2}(?:[ ,\-/ctls&]|and (?=[ctls]?\d))*)?"
_AMOUNT = r"(?:(?:with|using)? ?\d{1,3}(?:\.\d)? ?(?:ml|cc)\b)?"
_JOINED = re.compile(
    rf"[\s,()]*{_LEVELS}[\s,()]*{_AMOUNT}[\s,()]*(?:and|&|\+|with|plus|/|,)\s*"
    r"(?:(?:an?|the|right|left|bilateral|rt|lt|[rl]|single|shot|us|usg|ultrasound|guided|sided|of|block|nerve)[\s\-]+)*"
)
"""What stands between two techniques told of together: "left PVB T5 and PECS II"."""


_MORE_LEVELS = re.compile(
    r"(?:(?:[\s,&/+\-]|and\b|to\b|through\b){1,6}(?:th?|[cls])?\d{1,2}){1,12}\s{0,3}(?:(?:dr|dorsal\s{1,3}ramus)\s{1,3})?"
)
"""The rest of a list of levels before a technique cuts nothing off from it: "TFESI and left L4, L5 MBB"."""
_SEVERAL = 2
_NOT_OF_THE_INJECTION = frozenset({"history", "findings", "plan", "indication", "diagnosis"})
"""Sections whose levels may be those of the disease, and after which the telling goes on where it was."""
_AIMED_AT = {
    Technique.FACET: frozenset({"joint", "medial-branch", "facet"}),
    Technique.RADIOFREQUENCY: frozenset({"joint", "medial-branch", "facet"}),
    Technique.TRANSFORAMINAL: frozenset({"foramen"}),
    Technique.INTERLAMINAR: frozenset({"epidural-space"}),
    Technique.SYMPATHETIC: frozenset({"sympathetic"}),
}
"""Words that say which of two techniques at the spine is told of: "the L5-S1 facet joint was then entered"."""


_FOR_BOTH = re.compile(
    r"\b(?:for|in|during|throughout) (?:both|all)(?: of)?(?: the| these)?"
    r"(?=\s{0,2}(?:[.;,)]|\Z|procedures?\b|injections?\b|blocks?\b|parts?\b|steps?\b))"
)


def _by_level(document: Document, done: list[Episode]) -> dict[str, Episode | None]:
    """Return, in a note of several techniques at the spine, the one block each level is named with; None for several.

    "1. Interlaminar injection L5-S1  2. Right transforaminal injection L2-L3": what is then told of L5-S1 is of the
    first.
    """
    if len({episode.key.technique for episode in done}) < _SEVERAL or any(
        episode.key.technique not in _AIMED_AT for episode in done
    ):
        return {}
    named: dict[int, list[Episode]] = {}
    for episode in done:
        for index in {naming.index for naming in episode.namings}:
            named.setdefault(index, []).append(episode)
    found: dict[str, Episode | None] = {}
    for index, episodes in named.items():
        for levels in document.levels.get(index, ()):
            one = episodes[0] if len(episodes) == 1 else None
            found[levels.name] = one if found.get(levels.name, one) is one else None
    return found


def _aims(document: Document, episodes: tuple[Episode, ...]) -> Iterator[tuple[Mention, int, Episode]]:
    """Yield the words, their sentence and the one block that aims at them, in a note of several techniques."""
    done = [episode for episode in episodes if episode.status is Status.PERFORMED]
    if len({episode.key.technique for episode in done} & _AIMED_AT.keys()) < 2:
        return
    named = {(naming.index, naming.mention.start) for episode in episodes for naming in episode.namings}
    indices = {index for index, _ in named}
    for index, mention in document.all("target"):
        owners = [episode for episode in done if mention.value in _AIMED_AT.get(episode.key.technique, ())]
        if len(owners) == 1 and index not in indices:
            yield mention, index, owners[0]


def _place(anchor: tuple[Mention, Episode]) -> int:
    return anchor[0].start


class Ownership:
    """Which block the words at a place belong to."""

    def __init__(self, document: Document, episodes: tuple[Episode, ...]) -> None:
        """Go through the sentences once: words without a technique belong to the block told of last."""
        self._anchors: dict[int, list[tuple[Mention, Episode]]] = {}
        self._named: set[tuple[int, int]] = set()
        self._told: set[tuple[int, int]] = set()
        self._meant: set[tuple[int, int]] = set()
        for episode in episodes:
            for naming in episode.namings:
                self._anchors.setdefault(naming.index, []).append((naming.mention, episode))
            self._named.update((naming.index, id(episode)) for naming in episode.namings)
            meant = [naming for naming in episode.namings if not naming.in_aid]
            self._meant.update((naming.index, id(episode)) for naming in meant)
            self._told.update((naming.index, id(episode)) for naming in meant if not naming.soft)
        self._document = document
        for mention, index, episode in _aims(document, episodes):
            self._anchors.setdefault(index, []).append((mention, episode))
        self._default: list[Episode | None] = []
        done = [episode for episode in episodes if episode.status is Status.PERFORMED]
        current = min(done, key=lambda episode: episode.namings[0].mention.start, default=None)
        by_level = _by_level(document, done)
        for index in range(len(document.layout.sentences)):
            anchors = self._anchors.get(index, [])
            anchors.sort(key=_place)
            if by_level and not anchors:
                current = self._of_its_levels(index, by_level) or current
            for _, episode in anchors:
                current = episode if episode.status is Status.PERFORMED else current
            heads = self._anchors.get(index + 1) if document.sentence(index).section == HEADING else None
            self._default.append(min(heads, key=_place)[1] if heads else current)  # "Left: ESP ..."
        self._joined: dict[int, list[tuple[Episode, Mention, Episode, Mention]]] = {}
        self._partners: set[frozenset[int]] = set()
        self._join()

    def _of_its_levels(self, index: int, by_level: dict[str, Episode | None]) -> Episode | None:
        """Return the block that all levels of a sentence were named with, None where they were not with just one."""
        if self._document.sentence(index).section in _NOT_OF_THE_INJECTION:
            return None
        owners = [by_level.get(levels.name) for levels in self._document.levels.get(index, ())]
        return owners[0] if owners and all(owner is owners[0] for owner in owners) else None

    def _join(self) -> None:
        """Find the techniques told of together."""
        for index, anchors in self._anchors.items():
            for (one, first), (other, second) in pairwise(anchors):
                if first is not second and _JOINED.fullmatch(self._document.folded, one.end, other.start):
                    self._joined.setdefault(index, []).append((first, one, second, other))
                    self._partners.add(frozenset((id(first), id(second))))

    def shares(self, index: int, start: int, end: int, episode: Episode) -> bool:
        """Return whether `text[start:end]` is said of a block: its own words, or those of one told of together with it.

        "Left PVB T5 and PECS II under ultrasound": the guidance is that of both.
        """
        owner = self.owner(index, start, end)
        if owner is episode:
            return True
        if index not in self._anchors and self._is_of_both(index, end):
            return episode.status is Status.PERFORMED
        pair = frozenset((id(owner), id(episode)))
        if pair not in self._partners:
            return False
        if index not in self._anchors:
            return True
        joined = [
            (one, other) for first, one, second, other in self._joined.get(index, ()) if {id(first), id(second)} == pair
        ]
        return bool(joined) and not any(one.start <= start < other.start for one, other in joined)

    def _is_of_both(self, index: int, end: int) -> bool:
        """Return whether a sentence, or its words after `end`, are said of both: "Fluoroscopy for both"."""
        sentence = self._document.sentence(index)
        if self._document.folded.startswith("both", sentence.start):
            return True
        return _FOR_BOTH.search(self._document.folded, end, sentence.end) is not None

    def is_shared_side(self, index: int, start: int, episode: Episode) -> bool:
        """Return whether a side said before or after two techniques told of together is the side of `episode` too."""
        for first, one, second, other in self._joined.get(index, ()):
            around = start < one.start or start >= other.end
            if (episode is first and around) or (episode is second and (around or start < other.start)):
                return True
        return False

    def owner(self, index: int, start: int, end: int) -> Episode | None:
        """Return the block that `text[start:end]` in sentence `index` belongs to."""
        anchors = self._anchors.get(index)
        if not anchors:
            return self._default[index]
        before = [anchor for anchor in anchors if anchor[0].start <= start]
        after = [anchor for anchor in anchors if anchor[0].start > start]
        if not before or (after and self._leads(before[-1][0].end, start, end, after[0][0].start)):
            return after[0][1]
        return self._resumed(before, start)

    def indices(self, episode: Episode) -> Iterator[int]:
        """Yield the sentences that may hold something of a block."""
        for index, default in enumerate(self._default):
            anchors = self._anchors.get(index)
            if any(owner is episode for _, owner in anchors) if anchors else default is episode:
                yield index

    def names(self, index: int, episode: Episode) -> bool:
        """Return whether the sentence names the block."""
        return (index, id(episode)) in self._named

    def tells(self, index: int, episode: Episode) -> bool:
        """Return whether the sentence names the block as done, and not only what it is wanted for."""
        return (index, id(episode)) in self._told

    def only_aids(self, index: int, episode: Episode) -> bool:
        """Return whether the sentence names the block only as what something is for: "for a C7 block the needle is"."""
        return (index, id(episode)) in self._named and (index, id(episode)) not in self._meant

    def _resumed(self, before: list[tuple[Mention, Episode]], start: int) -> Episode:
        """Return the block told of last; after a comma the one that was done: "ESP instead of PVB, left, T5"."""
        mention, episode = before[-1]
        if episode.status is Status.NOT_DONE and len(before) > 1:
            done = before[-2][1]
            if done.status is Status.PERFORMED and "," in self._document.folded[mention.end : start]:
                return done
        return episode

    def _leads(self, previous: int, start: int, end: int, following: int) -> bool:
        """Words between two techniques belong to the next where only the previous is cut off ("..., left ESP")."""
        folded = self._document.folded
        if not SEPARATOR.search(folded, previous, max(start, previous)):
            return False
        end = min(end, following)
        return not SEPARATOR.search(folded, end, following) or bool(_MORE_LEVELS.fullmatch(folded, end, following))
