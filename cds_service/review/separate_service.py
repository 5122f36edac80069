"""Whether a block may be reported beside the anesthesia of an operation on the same day.

The rule is Medicare's (NCCI policy manual chapter 2): post-operative pain treatment belongs to the surgeon; a block by
the anesthesia practitioner is separate only where the surgeon asked for it, it is for post-operative pain, and the
operation's anesthesia (general, spinal, epidural) does not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cds_service.chart.model import AnesthesiaType, Block, Chart, Evidence, Line, Purpose
from cds_service.knowledge.library import View

_INDEPENDENT = frozenset({AnesthesiaType.GENERAL, AnesthesiaType.SPINAL, AnesthesiaType.EPIDURAL})
_ANALGESIA = frozenset({Purpose.POSTOPERATIVE, Purpose.TRAUMA})


class Service(StrEnum):
    """What the block is, seen from the operation of that day."""

    ALONE = "alone"
    """No operation under anesthesia that day."""
    SEPARATE = "separate"
    UNPROVEN = "unproven"
    """An operation under anesthesia, and the record does not say all that makes the block separate."""
    ANESTHETIC = "anesthetic"
    """The block is the anesthesia of the operation."""
    SURGEONS_OWN = "surgeons-own"


@dataclass(frozen=True, slots=True)
class Separation:
    """The answer and the words it rests on. `missing` are the documentation elements still needed."""

    service: Service
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def reportable(self) -> bool:
        """Whether the block may be reported at all."""
        return self.service not in (Service.ANESTHETIC, Service.SURGEONS_OWN)


def separation(chart: Chart, view: View, day: date, other_lines: tuple[Line, ...]) -> Separation:
    """Judge the blocks of `chart` against the operation of `day`; `other_lines` may hold the anesthesia codes."""
    surgeons = _surgeons_own(chart, day)
    if surgeons:
        return Separation(Service.SURGEONS_OWN, surgeons)
    anesthetic = _block_as_anesthetic(chart, day)
    if anesthetic:
        return Separation(Service.ANESTHETIC, anesthetic)
    lines = tuple(i for i in other_lines if view.is_anesthesia(i.code) and i.service_date in (None, day))
    return _beside_anesthesia(chart, lines, frozenset(view.parameter("monitored_care_modifiers").split()))


def operated_that_day(chart: Chart, view: View, day: date, other_lines: tuple[Line, ...]) -> bool:
    """Return whether the patient had an operation under anesthesia on `day`, as far as the record shows."""
    return (
        any(view.is_anesthesia(line.code) and line.service_date in (None, day) for line in other_lines)
        or any(fact.value is not AnesthesiaType.SEDATION for fact in chart.anesthesia_records)
        or any(operation.service_date == day for operation in chart.operations)
    )


def _surgeons_own(chart: Chart, day: date) -> tuple[Evidence, ...]:
    for block in chart.blocks:
        if block.performed_by_surgeon and block.performed_by_surgeon.value:
            return block.performed_by_surgeon.evidence
        for operation in chart.operations:
            if operation.service_date in (None, day) and set(block.performers) & set(operation.performers):
                return operation.evidence + block.evidence[:1]
    return ()


def _block_as_anesthetic(chart: Chart, day: date) -> tuple[Evidence, ...]:
    for block in chart.blocks:
        if block.purpose and block.purpose.value is Purpose.SURGICAL_ANESTHESIA:
            return block.purpose.evidence
    for fact in chart.anesthesia:
        if fact.value is AnesthesiaType.BLOCK_ONLY:
            return fact.evidence
    return _sedation_only(chart, day)


def _sedation_only(chart: Chart, day: date) -> tuple[Evidence, ...]:
    """Return the words for sedation as the only other anesthesia of an operation: then the block is the anesthetic."""
    kinds = {fact.value for fact in chart.anesthesia}
    operated = any(operation.service_date in (None, day) for operation in chart.operations)
    if chart.blocks and AnesthesiaType.SEDATION in kinds and not kinds & _INDEPENDENT and operated:
        return tuple(e for f in chart.anesthesia if f.value is AnesthesiaType.SEDATION for e in f.evidence)
    return ()


def _beside_anesthesia(chart: Chart, lines: tuple[Line, ...], monitored_care: frozenset[str]) -> Separation:
    types = [fact for fact in chart.anesthesia if fact.value in _INDEPENDENT]
    if not lines and not any(fact.value in _INDEPENDENT for fact in chart.anesthesia_records):
        return Separation(Service.ALONE)
    if not types and any(monitored_care & set(line.modifiers) for line in lines):
        return Separation(Service.ANESTHETIC, _line_evidence(lines))
    evidence = tuple(e for fact in types for e in fact.evidence) + _line_evidence(lines)
    missing = tuple(element for element, proven in _conditions(chart.blocks) if not proven)
    service = Service.UNPROVEN if missing else Service.SEPARATE
    return Separation(service, evidence + _reasons(chart.blocks), missing)


def _conditions(blocks: tuple[Block, ...]) -> tuple[tuple[str, bool], ...]:
    return (
        ("requesting-provider", any(b.requested and b.requested.value for b in blocks)),
        ("purpose", any(b.purpose and b.purpose.value in _ANALGESIA for b in blocks)),
    )


def _reasons(blocks: tuple[Block, ...]) -> tuple[Evidence, ...]:
    facts = [fact for block in blocks for fact in (block.requested, block.purpose) if fact is not None]
    return tuple(dict.fromkeys(e for fact in facts for e in fact.evidence))


def _line_evidence(lines: tuple[Line, ...]) -> tuple[Evidence, ...]:
    return tuple(Evidence(line.reference, f"{line.path}.productOrService", line.code) for line in lines)
