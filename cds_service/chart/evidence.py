"""From spans of a text to evidence that names the resource, the place and the very words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from cds_service.chart.model import Block, Evidence, Fact, Origin, Site, SiteCount, Statement
from cds_service.chart.narrative.reading import BlockReading, CountReading, NoteReading, Said, SiteReading, Span

T = TypeVar("T")
_BETWEEN = ", "
"""What stands between texts that are read as one."""


@dataclass(frozen=True, slots=True)
class Place:
    """A text in the record: the resource, the path in it, and the text itself."""

    reference: str
    path: str
    text: str

    def evidence(self, span: Span) -> Evidence:
        """Return the words at `span` as evidence."""
        quote = self.text[span.start : span.end]
        return Evidence(self.reference, self.path, quote, span.start, span.end, self.text)

    def fact(self, said: Said[T] | None) -> Fact[T] | None:
        """Return what the text says as a fact, None where it says nothing."""
        return None if said is None else Fact(said.value, (self.evidence(said.span),))


@dataclass(frozen=True, slots=True)
class Places(Place):
    """Texts of one resource that are read as one sentence; evidence names the text the words stand in."""

    parts: tuple[Place, ...] = ()

    @classmethod
    def joined(cls, parts: Sequence[Place]) -> Places:
        """Return `parts`, of which there is at least one, as one text."""
        text = _BETWEEN.join(part.text for part in parts)
        return cls(parts[0].reference, parts[0].path, text, tuple(parts))

    def evidence(self, span: Span) -> Evidence:
        """Return the words at `span` as evidence; of words that go on into the next text those in the first."""
        start = 0
        for part in self.parts:
            end = start + len(part.text)
            if span.start < end + len(_BETWEEN):
                return part.evidence(Span(span.start - start, min(span.end, end) - start))
            start = end + len(_BETWEEN)
        raise ValueError("the span lies outside the texts")


def block_from(reading: BlockReading, place: Place, origin: Origin) -> Block:
    """Return a block as one text tells it."""
    return Block(
        technique=reading.technique,
        evidence=(place.evidence(reading.span),),
        origins=frozenset({origin}),
        region=reading.region,
        plane=place.fact(reading.plane),
        target=place.fact(reading.target),
        method=place.fact(reading.method),
        sites=tuple(_site(site, place) for site in reading.sites),
        site_count=_count(reading.site_count, place),
        side=place.fact(reading.side),
        continuous=place.fact(reading.continuous),
        guidance=tuple(Fact(said.value, (place.evidence(said.span),)) for said in reading.guidance),
        image_saved=place.fact(reading.image_saved),
        purpose=place.fact(reading.purpose),
        performed_by_surgeon=place.fact(reading.performed_by_surgeon),
        requested=place.fact(reading.requested),
    )


def statements_from(reading: NoteReading, place: Place) -> tuple[Statement, ...]:
    """Return what one text states about documentation elements."""
    return tuple(
        Statement(said.element, said.affirmed, place.evidence(said.span), said.value) for said in reading.statements
    )


def _site(reading: SiteReading, place: Place) -> Site:
    return Site(reading.level, reading.side, (place.evidence(reading.span),))


def _count(reading: CountReading | None, place: Place) -> SiteCount | None:
    return None if reading is None else SiteCount(reading.low, reading.high, (place.evidence(reading.span),))
