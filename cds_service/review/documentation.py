"""Which documentation elements the record holds, with the words that hold them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.chart.model import FIRST_BLOCK, Block, Chart, Evidence, Fact, NotesState, Statement
from cds_service.knowledge.model import Requirement
from cds_service.review.assessment import Element, ElementStatus
from cds_service.review.case import Case
from cds_service.review.selection import is_infusion
from cds_service.review.separate_service import operated_that_day

Stated = Mapping[str, list[Evidence]]
"""The places that document each element."""


def documentation(case: Case) -> tuple[Element, ...]:
    """Return the status of every element the families of this case name; required before recommended.

    Empty where the notes could not be read (not sent is not the same as not written), for draft orders, and where no
    block was done.
    """
    if case.ordered or case.chart.notes is NotesState.UNKNOWN or not case.selections:
        return ()
    stated = _stated(case.chart)
    elements = [_element(requirement, case, stated) for requirement in _requirements(case)]
    return tuple(sorted(elements, key=lambda element: element.requirement != "required"))


def _requirements(case: Case) -> Iterable[Requirement]:
    """Return one requirement per element, the strictest that applies to any block of the case."""
    chosen: dict[str, Requirement] = {}
    for selection in case.selections:
        for requirement in case.view.requirements(selection.family.id, is_infusion(selection)):
            known = chosen.get(requirement.element)
            if known is None or _rank(requirement, case) > _rank(known, case):
                chosen[requirement.element] = requirement
    return chosen.values()


def _rank(requirement: Requirement, case: Case) -> tuple[bool, bool]:
    return _applies(requirement, case), requirement.level == "required"


def _applies(requirement: Requirement, case: Case) -> bool:
    """Return whether a requirement holds here; none does for a block that is part of the operation.

    The surgeon's own block, or the anesthetic itself, supports no line and needs no note of its own.
    """
    if not case.separation.reportable:
        return False
    match requirement.when:
        case "operation-same-day":
            return operated_that_day(case.chart, case.view, case.day, case.other_lines)
        case "imaging-billed":
            codes = (case.view.code(line.code) for line in case.lines)
            return any(code is not None and code.role == "imaging" for code in codes)
        case "infusion":
            return any(map(is_infusion, case.selections))
        case "not-first-diagnostic":
            return not any(_is_first_block(statement) for statement in case.chart.statements)
        case _:
            return True


def _is_first_block(statement: Statement) -> bool:
    """Whether the notes say that there was no block before: then there is no response to one."""
    return statement.element == "prior-block-response" and statement.value == FIRST_BLOCK


def _element(requirement: Requirement, case: Case, stated: Stated) -> Element:
    status, evidence = _status(requirement, case, stated)
    return Element(
        element=requirement.element,
        status=status,
        requirement=requirement.level,
        evidence=evidence,
        citations=case.view.sources(requirement.sources),
    )


def _status(requirement: Requirement, case: Case, stated: Stated) -> tuple[ElementStatus, tuple[Evidence, ...]]:
    if not _applies(requirement, case):
        return ElementStatus.NOT_APPLICABLE, ()
    name, chart = requirement.element, case.chart
    for contradiction in chart.contradictions:
        if contradiction.element == name:
            return ElementStatus.CONTRADICTED, tuple(e for fact in contradiction.facts for e in fact.evidence)
    if stated.get(name):
        return ElementStatus.DOCUMENTED, tuple(dict.fromkeys(stated[name]))
    denied = tuple(s.evidence for s in chart.statements if s.element == name and not s.affirmed)
    return ElementStatus.MISSING, denied


def _stated(chart: Chart) -> Stated:
    """Return every place that documents an element: what the notes state, and what the blocks were read from."""
    places: dict[str, list[Evidence]] = defaultdict(list)
    for statement in chart.statements:
        if statement.affirmed:
            places[statement.element].append(statement.evidence)
    for block in chart.blocks:
        for element, evidence in _block_facts(block).items():
            places[element] += evidence
    return places


def _block_facts(block: Block) -> Mapping[str, tuple[Evidence, ...]]:
    """Return the elements a block itself proves."""
    return {
        "technique": block.evidence,
        "laterality": _of(block.side) + tuple(e for s in block.sites if s.side for e in s.evidence),
        "levels": tuple(e for site in block.sites if site.level for e in site.evidence),
        "site-count": block.site_count.evidence if block.site_count else (),
        "guidance": tuple(e for fact in block.guidance for e in fact.evidence),
        "image-record": _if_true(block.image_saved),
        "catheter": _if_true(block.continuous),
        "purpose": _of(block.purpose),
        "requesting-provider": _if_true(block.requested),
    }


def _of(fact: Fact[Any] | None) -> tuple[Evidence, ...]:
    return fact.evidence if fact else ()


def _if_true(fact: Fact[bool] | None) -> tuple[Evidence, ...]:
    return fact.evidence if fact and fact.value else ()
