"""The facts of one encounter, as plain data. `None` always means *not stated*, never *no*."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


_REACH = 160
"""Characters looked at on each side of a quote for the ends of its sentence."""
_SENTENCE_END = re.compile(r"(?<=[.;!?])(?<!\bDr\.)(?<!\bMr\.)(?<!\bMs\.)(?<!\bMrs\.)\s|\n")


class Technique(StrEnum):
    """Regional techniques the product tells apart."""

    PARAVERTEBRAL = "paravertebral"
    FACET = "facet"
    SYMPATHETIC = "sympathetic"
    INTERCOSTAL = "intercostal"
    TRANSFORAMINAL = "transforaminal-epidural"
    INTERLAMINAR = "interlaminar-epidural"
    FASCIAL_PLANE = "fascial-plane"
    RADIOFREQUENCY = "radiofrequency"
    TRIGGER_POINT = "trigger-point"
    OTHER = "other"


class Side(StrEnum):
    """The side of one site or one block."""

    RIGHT = "right"
    LEFT = "left"
    BILATERAL = "bilateral"


class Guidance(StrEnum):
    """How the needle was guided."""

    ULTRASOUND = "ultrasound"
    FLUOROSCOPY = "fluoroscopy"
    CT = "ct"
    NERVE_STIMULATION = "nerve-stimulation"
    LANDMARK = "landmark"


class Purpose(StrEnum):
    """What the block was for."""

    POSTOPERATIVE = "postoperative-analgesia"
    SURGICAL_ANESTHESIA = "surgical-anesthesia"
    TRAUMA = "trauma-analgesia"
    CHRONIC_PAIN = "chronic-pain"
    DIAGNOSTIC = "diagnostic"
    THERAPEUTIC = "therapeutic"


class AnesthesiaType(StrEnum):
    """The anesthesia an operation was done under."""

    GENERAL = "general"
    SPINAL = "spinal"
    EPIDURAL = "epidural"
    SEDATION = "sedation"
    """Sedation or monitored anesthesia care."""
    BLOCK_ONLY = "block-only"
    """The block itself was the anesthetic."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a fact was read.

    `quote` is the record's own words; for text it is exactly `text[start:end]` of the decoded text at `path`,
    for a coded value the value of the string at `path`. `text` is the whole text it was read from.
    """

    reference: str
    path: str
    quote: str | None = None
    start: int | None = None
    end: int | None = None
    text: str | None = field(default=None, compare=False, repr=False)

    @property
    def words(self) -> str | None:
        """What to show a person: the sentence or line the quote stands in where there is one, else the quote."""
        if self.text is None or self.start is None or self.end is None:
            return self.quote
        return _sentence_around(self.text, self.start, self.end)

    def to_json(self) -> dict[str, Any]:
        """Return the contract's JSON form, without members that are not stated."""
        members = {
            "reference": self.reference,
            "path": self.path,
            "quote": self.quote,
            "start": self.start,
            "end": self.end,
        }
        return {name: value for name, value in members.items() if value not in (None, "")}


FIRST_BLOCK = "first block"
"""The value of a denied `prior-block-response`: there was no block before this one."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing the record says about one documentation element (design 4.7), for example `consent`.

    `affirmed` is False for a negated statement ("no ultrasound was used", "consent could not be obtained").
    `value` is the normalised value where there is one ("ultrasound", "ropivacaine", "20 mL", "right").
    """

    element: str
    affirmed: bool
    evidence: Evidence
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """A value the record states, and the words or coded values that state it."""

    value: T
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """One injection site.

    `level` is canonical: "T4", "T4-T5" (one interspace), "L4-L5" (one joint), "rib 5", of a medial branch the level of
    its nerve ("L3", or "TON" for the third occipital nerve), of a trigger point the muscle ("trapezius"); None where
    the record counts a site without naming its level. `side` is RIGHT or LEFT, never BILATERAL: a level injected on
    both sides is two sites; None where the side is not stated.
    """

    level: str | None
    side: Side | None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteCount:
    """How many injection sites *per side* the record supports.

    Exactly `low` where `low == high`; a range where the words can be read two ways ("PVB at T4-5": one
    interspace or two levels); `high` None means "at least `low`".
    """

    low: int
    high: int | None
    evidence: tuple[Evidence, ...] = ()

    @property
    def exact(self) -> bool:
        """True where the words leave no choice."""
        return self.low == self.high


class Origin(StrEnum):
    """The kind of resource a block was read from."""

    NOTE = "note"
    PROCEDURE = "procedure"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Block:
    """One regional technique performed (or ordered) in one session, put together from all that tells of it.

    `region` is "cervical", "thoracic", "lumbar" or "sacral". `plane` names the plane of a fascial plane block
    ("erector-spinae"). `target` names what the needle was aimed at where the technique leaves a choice: "joint" or
    "medial-branch" (facet), a ganglion or plexus (sympathetic: "stellate", "thoracolumbar-chain", "celiac",
    "splanchnic", "superior-hypogastric", "impar"), "paravertebral-space" where a paravertebral block names it, a nerve
    ("femoral") or "subcutaneous" (other). `method` is how radiofrequency was applied ("thermal", "pulsed", "cooled"),
    or what else destroyed a nerve ("chemical", "cryo"); of radiofrequency `target` is "medial-branch",
    "lateral-branch", "sacroiliac", "sympathetic" or the nerve.
    `continuous` is True for a catheter left for infusion, False for a stated single injection. `reported_codes` are
    the block codes its Procedures or orders carry. `performers` are the references (`Practitioner/1`) of who did it.
    """

    technique: Technique
    evidence: tuple[Evidence, ...]
    origins: frozenset[Origin]
    region: str | None = None
    plane: Fact[str] | None = None
    target: Fact[str] | None = None
    method: Fact[str] | None = None
    sites: tuple[Site, ...] = ()
    site_count: SiteCount | None = None
    side: Fact[Side] | None = None
    continuous: Fact[bool] | None = None
    guidance: tuple[Fact[Guidance], ...] = ()
    image_saved: Fact[bool] | None = None
    purpose: Fact[Purpose] | None = None
    performed_by_surgeon: Fact[bool] | None = None
    requested: Fact[bool] | None = None
    performers: tuple[str, ...] = ()
    reported_codes: tuple[str, ...] = ()
    service_date: date | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a Claim, or one draft order read as a line.

    `units` is whole for procedure codes; fractional quantities (anesthesia time) are kept as they are.
    `reference` is the resource ("Claim/7", "ServiceRequest/2"), `path` the place in it ("item[0]").
    `diagnoses` are the codes, of whatever system, of the diagnoses the line points to; empty where it points to none.
    """

    code: str
    units: float
    modifiers: tuple[str, ...]
    reference: str
    path: str
    service_date: date | None = None
    diagnoses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiagnosisFacts:
    """One code of one diagnosis, of a Claim or of a Condition.

    `system` is in one form each (see `fhir.coding.canonical_system`). A diagnosis without a code that can be read, a
    Condition that is not in the record among them, has one entry without code and system. `sequence` is its number on
    the Claim, which lines point to. `evidence` names the Claim, or the Condition the code stands in.
    """

    evidence: Evidence
    code: str | None = None
    system: str | None = None
    sequence: int | None = None
    display: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """One Claim of the encounter. `resource` is the Claim as it came, for the corrected copy of it."""

    reference: str
    resource: Mapping[str, Any]
    lines: tuple[Line, ...]
    kind: str | None = None
    """The claim type code: "professional", "institutional" ...; None where not stated."""
    provider: str | None = None
    valid: bool = True
    """Whether it is valid FHIR R4; a correction is offered only for a Claim that is."""
    diagnoses: tuple[DiagnosisFacts, ...] = ()
    places: tuple[str, ...] = ()
    """The CMS place of service codes its items name."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One draft order that is about a block (or carries a block code). `resource` is the order as it came."""

    reference: str
    resource: Mapping[str, Any]
    line: Line
    valid: bool = True
    """Whether it is valid FHIR R4; a correction is offered only for an order that is."""


@dataclass(frozen=True, slots=True)
class PastSession:
    """What one Procedure or Claim line tells of a block of an earlier day, in another encounter.

    `codes` and `modifiers` are those it carries. `region`, `purpose` and `method` are as in `Block`.
    """

    day: date
    technique: Technique
    region: str | None = None
    codes: tuple[str, ...] = ()
    modifiers: tuple[str, ...] = ()
    purpose: Purpose | None = None
    method: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """A procedure of the encounter that is not a block: what the block may have been for."""

    reference: str
    codes: tuple[str, ...]
    text: str | None
    service_date: date | None
    performers: tuple[str, ...]
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two parts of the record say different things about one documentation element (design 4.7)."""

    element: str
    facts: tuple[Fact[str], ...]


@dataclass(frozen=True, slots=True)
class CoverageFacts:
    """Who pays, as far as the record says: every code and display of type, payor and class, lower case."""

    reference: str
    words: tuple[str, ...]


class NotesState(StrEnum):
    """Whether the notes of the encounter could be read; documentation is judged only where they could."""

    READ = "read"
    NONE = "none"
    """Looked for, there is none."""
    UNKNOWN = "unknown"
    """Not sent, or the read failed."""


@dataclass(frozen=True)
class Chart:
    """The facts of one encounter (or of one date of service, where resources name no encounter).

    `blocks` were performed, or are ordered where `orders` is not empty; `not_done` were cancelled or aborted.
    `statements` are what the notes say about documentation elements. `anesthesia` is what any part of the record says
    an operation was done under, `anesthesia_records` what Procedures record of the day of service: a note may speak of
    the anesthesia of another day. `not_read` are (subject, reason) pairs; `not_sent`
    are the subjects among them that nobody tried to read.
    """

    encounter: str | None
    date_of_service: date | None
    blocks: tuple[Block, ...] = ()
    not_done: tuple[Block, ...] = ()
    statements: tuple[Statement, ...] = ()
    anesthesia: tuple[Fact[AnesthesiaType], ...] = ()
    anesthesia_records: tuple[Fact[AnesthesiaType], ...] = ()
    operations: tuple[Operation, ...] = ()
    conditions: tuple[DiagnosisFacts, ...] = ()
    """The diagnoses of the encounter its Conditions state."""
    claims: tuple[ClaimFacts, ...] = ()
    claims_known: bool = False
    """Whether Claims were looked for; where they were not, none of what is missing on them is held against anyone."""
    orders: tuple[OrderFacts, ...] = ()
    history: tuple[PastSession, ...] = ()
    """Blocks of the same techniques on days before the date of service; accounts of one day are of one session."""
    coverages: tuple[CoverageFacts, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    notes: NotesState = NotesState.UNKNOWN
    not_read: tuple[tuple[str, str], ...] = ()
    not_sent: frozenset[str] = frozenset()


def _sentence_around(text: str, start: int, end: int) -> str:
    """Return the sentence or line around `text[start:end]`, as far as full stops and line breaks tell."""
    before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
    first = start - len(_SENTENCE_END.split(before)[-1])
    stop = _SENTENCE_END.search(after)
    return text[first : end + (stop.start() + 1 if stop else len(after))].strip()
