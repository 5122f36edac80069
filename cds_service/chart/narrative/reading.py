"""What the note reader gives back: values with the span of text they were read from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from cds_service.chart.model import AnesthesiaType, Guidance, Purpose, Side, Technique

T = TypeVar("T")


class Span(NamedTuple):
    """Character offsets into the text that was read: `text[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Said(Generic[T]):
    """A value and the words that say it."""

    value: T
    span: Span


class Status(StrEnum):
    """Whether a block a note mentions was done."""

    PERFORMED = "performed"
    PLANNED = "planned"
    HISTORICAL = "historical"
    NOT_DONE = "not-done"
    """Cancelled, aborted, declined, or explicitly not performed."""


@dataclass(frozen=True, slots=True)
class SiteReading:
    """One injection site the note names. `level` is canonical ("T4", "T4-T5", "rib 5"); `side` is never BILATERAL."""

    level: str | None
    side: Side | None
    span: Span


@dataclass(frozen=True, slots=True)
class CountReading:
    """Sites per side: exactly `low` where equal to `high`, a range where ambiguous, `high` None for "at least"."""

    low: int
    high: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class BlockReading:
    """One block a note tells of. Unset members were not stated."""

    technique: Technique
    status: Status
    span: Span
    """The words that name the technique."""
    region: str | None = None
    plane: Said[str] | None = None
    target: Said[str] | None = None
    """As `Block.target`."""
    method: Said[str] | None = None
    """As `Block.method`."""
    sites: tuple[SiteReading, ...] = ()
    site_count: CountReading | None = None
    side: Said[Side] | None = None
    continuous: Said[bool] | None = None
    single_too: Said[bool] | None = None
    """Of a block on both sides with a catheter: the words that call it a single injection as well."""
    guidance: tuple[Said[Guidance], ...] = ()
    image_saved: Said[bool] | None = None
    purpose: Said[Purpose] | None = None
    performed_by_surgeon: Said[bool] | None = None
    requested: Said[bool] | None = None


class StatementReading(NamedTuple):
    """One statement about a documentation element; `affirmed` False where it is negated."""

    element: str
    affirmed: bool
    span: Span
    value: str | None = None


@dataclass(frozen=True, slots=True)
class NoteReading:
    """Everything the reader found in one text."""

    blocks: tuple[BlockReading, ...] = ()
    statements: tuple[StatementReading, ...] = ()
    anesthesia: tuple[Said[AnesthesiaType], ...] = ()
    operation: Said[str] | None = None
    """The operation the note says was done that day, in the note's words."""
    service_date: Said[date] | None = None
