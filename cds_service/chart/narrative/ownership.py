"""Tells which block of a note the words at a place belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from cds_service.chart.narrative.document import Document
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.reading import Status
from cds_service.chart.narrative.techniques import SEPARATOR, Episode

_LEVELS = r"(?:(?:at |the |levels? )*(?:th?|rib )? ?\d{1,2}(?:[ ,\-/t&]|and (?=t?\d))*)?"
_JOINED = re.compile(
    rf"[\s,()]*{_LEVELS}[\s,()]*(?:and|&|\+|with|plus|/)\s*"
    r"(?:(?:an?|the|right|left|bilateral|rt|lt|[rl]|single|shot|us|usg|ultrasound|guided|sided|of|block|nerve)[\s\-]+)*"
)
"""What stands between two techniques told of together: "left PVB T5 and PECS II"."""


class Ownership:
    """Which block the words at a place belong to."""

    def __init__(self, document: Document, episodes: tuple[Episode, ...]) -> None:
        """Go through the sentences once: words without a technique belong to the block told of last."""
        self._anchors: dict[int, list[tuple[Mention, Episode]]] = {}
        for episode in episodes:
            for naming in episode.namings:
                self._anchors.setdefault(naming.index, []).append((naming.mention, episode))
        self._document = document
        self._default: list[Episode | None] = []
        done = [episode for episode in episodes if episode.status is Status.PERFORMED]
        current = min(done, key=lambda episode: episode.namings[0].mention.start, default=None)
        for index in range(len(document.layout.sentences)):
            anchors = self._anchors.get(index, [])
            anchors.sort(key=lambda anchor: anchor[0].start)
            for _, episode in anchors:
                current = episode if episode.status is Status.PERFORMED else current
            self._default.append(current)
        self._partners = list(self._joined())

    def _joined(self) -> Iterator[tuple[Episode, Episode, int]]:
        for index, anchors in self._anchors.items():
            for (one, first), (other, second) in pairwise(anchors):
                if first is not second and _JOINED.fullmatch(self._document.folded, one.end, other.start):
                    yield first, second, index

    def shares(self, index: int, start: int, end: int, episode: Episode) -> bool:
        """Return whether `text[start:end]` is said of a block: its own words, or those of one told of together with it.

        "Left PVB T5 and PECS II under ultrasound": the side and the guidance are those of both.
        """
        owner = self.owner(index, start, end)
        if owner is episode:
            return True
        for first, second, at in self._partners:
            if {id(first), id(second)} != {id(owner), id(episode)}:
                continue
            if index not in self._anchors:
                return True
            if index == at:
                return not any(one.start <= start < other.start for one, other in self._spans(index, first, second))
        return False

    def is_shared_side(self, index: int, start: int, episode: Episode) -> bool:
        """Return whether a side before or after two techniques told of together is the side of `episode` too."""
        for first, second, at in self._partners:
            if index != at or episode not in (first, second):
                continue
            for one, other in self._spans(index, first, second):
                if start < one.start or start >= other.end or (episode is second and start < other.start):
                    return True
        return False

    def _spans(self, index: int, first: Episode, second: Episode) -> Iterator[tuple[Mention, Mention]]:
        for (one, owner), (other, follower) in pairwise(self._anchors[index]):
            if owner is first and follower is second:
                yield one, other

    def owner(self, index: int, start: int, end: int) -> Episode | None:
        """Return the block that `text[start:end]` in sentence `index` belongs to."""
        anchors = self._anchors.get(index)
        if not anchors:
            return self._default[index]
        before = [anchor for anchor in anchors if anchor[0].start <= start]
        after = [anchor for anchor in anchors if anchor[0].start > start]
        if not before or (after and self._leads(before[-1][0].end, start, end, after[0][0].start)):
            return after[0][1]
        return before[-1][1]

    def indices(self, episode: Episode) -> Iterator[int]:
        """Yield the sentences that may hold something of a block."""
        for index, default in enumerate(self._default):
            anchors = self._anchors.get(index)
            if any(owner is episode for _, owner in anchors) if anchors else default is episode:
                yield index

    def names(self, index: int, episode: Episode) -> bool:
        """Return whether the sentence names the block."""
        return any(owner is episode for _, owner in self._anchors.get(index, ()))

    def _leads(self, previous: int, start: int, end: int, following: int) -> bool:
        """Words between two techniques belong to the next where only the previous is cut off ("..., left ESP")."""
        folded = self._document.folded
        return bool(SEPARATOR.search(folded, previous, max(start, previous))) and not SEPARATOR.search(
            folded, min(end, following), following
        )
