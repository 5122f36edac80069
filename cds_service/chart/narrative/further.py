"""Reads injections told of beside the levels named: "an additional level", "two or more further sites"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.chart.narrative.assertion import Assertion, assess
from cds_service.chart.narrative.document import Document, span_of
from cds_service.chart.narrative.layout import HEADING
from cds_service.chart.narrative.levels import NUMBER_WORDS
from cds_service.chart.narrative.lexicon import Mention
from cds_service.chart.narrative.ownership import Ownership
from cds_service.chart.narrative.reading import CountReading, Span
from cds_service.chart.narrative.sides import ELSEWHERE
from cds_service.chart.narrative.techniques import Episode

_NUMBER = re.compile(r"(?:at least )?(\d+|[a-z]+)")
_FIRST_AND_MORE = "first-and-more"
"""Words that tell of the first injection too: their number is that of none of the others."""
_NOT_FURTHER = re.compile(r"\bnot\b|\bsame (?:needle|level|site|space|place)\b")
"""After it: what was only marked, or went where the needle already was."""


@dataclass(frozen=True, slots=True)
class Further:
    """Injections beyond those named. `ordinal`: the number counts them all; `open_ended`: "or more"."""

    number: int
    ordinal: bool
    open_ended: bool
    span: Span

    def beside(self, low: int, high: int | None) -> tuple[int, int | None]:
        """Return the least and most injections per side, where `low` to `high` are told of without these."""
        if self.ordinal:
            return max(low, self.number), high and max(high, self.number)
        if low == high == 1:  # of several named levels the further one may be among them
            low += self.number
        return low, None if high is None or self.open_ended else max(high + self.number, low) if high > 1 else low


def find_further(document: Document, ownership: Ownership, episode: Episode, bilateral: bool) -> Iterator[Further]:
    """Yield every further injection a note tells of as made, and whose level it does not name.

    With both sides "the second injection" may be that of the other side.
    """
    for index, mention in document.all("further"):
        section = document.sentence(index).section
        if section == HEADING or section in ELSEWHERE or not _is_made(document, index, mention):
            continue
        if ownership.owner(index, mention.start, mention.end) is episode:
            further = _further(document, mention)
            if not (bilateral and further.ordinal and "level" not in document.folded[mention.start : mention.end]):
                yield further


def _is_made(document: Document, index: int, mention: Mention) -> bool:
    if any(levels.start > mention.start for levels in document.levels.get(index, ())):
        return False
    if document.has(index, "skin") or _NOT_FURTHER.search(document.folded, mention.end, document.sentence(index).end):
        return False
    told = mention.value == _FIRST_AND_MORE or document.has(index, "injection", "act", "drug", "technique")
    return told and assess(document, index, mention) is Assertion.AFFIRMED


def _further(document: Document, mention: Mention) -> Further:
    first = None if mention.value == _FIRST_AND_MORE else _NUMBER.match(document.folded, mention.start, mention.end)
    said = first[1] if first else ""
    number = int(re.sub(r"\D", "", said)) if said[:1].isdigit() else NUMBER_WORDS.get(said, 1)
    return Further(number, mention.value == "ordinal", mention.value in {"open", _FIRST_AND_MORE}, span_of(mention))


def with_further(found: CountReading | None, further: list[Further]) -> CountReading | None:
    """Return the count with what is told of beside it: repeated words may tell of one further injection or of more."""
    if not further:
        return found
    low, high = (found.low, found.high) if found else (1, 1)
    ends = [each.beside(low, high) for each in further]
    most = None if any(end is None for _, end in ends) else max(end for _, end in ends if end is not None)
    return CountReading(max(least for least, _ in ends), most, found.span if found else further[0].span)
