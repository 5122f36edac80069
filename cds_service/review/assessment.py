"""The judgement of one chart, as plain data and in the contract's JSON form (`schemas/assessment.schema.json`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cds_service.chart.model import Block, ClaimFacts, Evidence, Line, OrderFacts
from cds_service.knowledge.model import Source


class Severity(StrEnum):
    """How much is at stake: `warning` where payment or compliance is."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class ExpectedLine:
    """A claim line the record supports. `rules` are the ids of the rules that shaped it."""

    code: str
    units: int
    modifiers: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    rules: tuple[str, ...] = ()
    service_date: date | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's result.

    `message` says what is the matter in one sentence, `remedy` what would put it right.
    `codes` are the codes it is about.
    """

    rule: str
    severity: Severity
    message: str
    remedy: str
    citations: tuple[Source, ...]
    evidence: tuple[Evidence, ...]
    codes: tuple[str, ...] = ()


class ElementStatus(StrEnum):
    """The state of one documentation element."""

    DOCUMENTED = "documented"
    MISSING = "missing"
    CONTRADICTED = "contradicted"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True)
class Element:
    """The status of one documentation element (design 4.7). `requirement`: "required" | "recommended"."""

    element: str
    status: ElementStatus
    requirement: str
    evidence: tuple[Evidence, ...]
    citations: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the clinician where the record is ambiguous. Options are neutral and complete."""

    question: str
    options: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class NotChecked:
    """What could not be judged, and why. `rule` is a rule id, or "documentation", or "record".

    `failed` says that the rule raised an exception: the fault is ours, not the record's. `unread` says that part of the
    record was there, or asked for, and could not be read.
    """

    rule: str
    reason: str
    failed: bool = False
    unread: bool = False


@dataclass(frozen=True)
class Assessment:
    """Everything the review found about one chart.

    `lines` are the reported lines with a code of ours: of the Claim, or of the draft orders (`orders`). `open_lines`
    are those of them the record does not allow to judge: they are neither expected nor to be taken off.
    `claim` is None where there is no Claim, or where no single one can be corrected.
    """

    encounter: str | None
    date_of_service: date | None
    profile: str
    knowledge_version: str
    blocks: tuple[Block, ...] = ()
    expected_lines: tuple[ExpectedLine, ...] = ()
    lines: tuple[Line, ...] = ()
    open_lines: tuple[Line, ...] = ()
    findings: tuple[Finding, ...] = ()
    documentation: tuple[Element, ...] = ()
    queries: tuple[Query, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    claim: ClaimFacts | None = None
    orders: tuple[OrderFacts, ...] = ()
    judged_codes: frozenset[str] = frozenset()
    """Codes the review may correct on the Claim; lines with any other code are left alone."""
    correctable: bool = True
    """Whether the expected lines are sure enough to be offered as a one-click correction."""
