"""Procedures: the blocks among them, the operations beside them, and the anesthesia they record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from cds_service.chart import terms
from cds_service.chart.body_sites import other_side, side_of, sites_of
from cds_service.chart.evidence import Place, block_from
from cds_service.chart.model import (
    AnesthesiaType,
    Block,
    Contradiction,
    Evidence,
    Fact,
    Operation,
    Origin,
    Side,
    SiteCount,
)
from cds_service.chart.narrative.reader import mentions_block, read
from cds_service.chart.narrative.reading import Status
from cds_service.chart.telling import Telling
from cds_service.chart.vocabulary import CodeMeaning, Vocabulary
from cds_service.fhir.coding import CodedValue, concepts, cpt_codes
from cds_service.fhir.reading import concept_text, items, local_day, member, numbered, text
from cds_service.fhir.record import Entry, Record

# Procedure.status (https://hl7.org/fhir/R4/valueset-event-status.html), as far as it says whether something was done.
_STATUS: Final = {"not-done": Status.NOT_DONE, "stopped": Status.NOT_DONE, "preparation": Status.PLANNED}
_IN_ERROR: Final = "entered-in-error"
_NOT_THE_SURGEON: Final = ("anesth", "anaesth", "nurse", "assist", "circulat")


def done_on(procedure: Entry) -> date | None:
    """Return the day a Procedure was performed; None where it is not stated, or open because the time is in UTC."""
    days = (local_day(procedure.resource.get(name)) for name in ("performedDateTime", "performedPeriod"))
    return next((day for day in days if day is not None), None)


def is_block(procedure: Entry, vocabulary: Vocabulary) -> bool:
    """Return whether a Procedure is about a block, by its codes or its words."""
    return bool(_meanings(procedure, vocabulary)) or any(True for _ in _worded(procedure))


def tellings(procedure: Entry, record: Record, vocabulary: Vocabulary) -> Iterator[Telling]:
    """Yield what a Procedure tells of blocks: by its words where they name a technique, else by its code."""
    if procedure.resource.get("status") == _IN_ERROR:
        return
    meanings = _meanings(procedure, vocabulary)
    claimed = {meaning.technique: (value, meaning) for value, meaning in meanings}
    codes = tuple(value.code for value, _ in meanings)
    worded = [(_completed(block, procedure, record, codes), status) for block, status in _worded(procedure)]
    repeats_code = bool(claimed) and all(block.technique in claimed for block, _ in worded)
    unworded = [_completed(_named(procedure, *coded), procedure, record, codes) for coded in claimed.values()]
    for block, status in worded or [(block, Status.PERFORMED) for block in unworded]:
        yield Telling(
            block=block,
            status=_STATUS.get(str(procedure.resource.get("status")), status),
            coded=repeats_code,
            by_code=_with_code(block, procedure, *claimed[block.technique]) if block.technique in claimed else None,
        )


def side_disputes(procedure: Entry) -> Iterator[Contradiction]:
    """Yield what the title of a Procedure that was done and its body site say differently of the side."""
    if procedure.resource.get("status") in (*_STATUS, _IN_ERROR):
        return
    for block, status in _worded(procedure):
        dispute = other_side(block.side, side_of(procedure)) if status is Status.PERFORMED else None
        if dispute is not None:
            yield dispute


def operation(procedure: Entry, record: Record) -> Operation | None:
    """Return a Procedure as an operation; None where it is none, or was not done."""
    resource = procedure.resource
    if resource.get("status") in (*_STATUS, _IN_ERROR) or not terms.is_operation(
        resource.get("code"), resource.get("category")
    ):
        return None
    words = concept_text(resource.get("code"))
    codes = tuple(value.code for value in cpt_codes(resource.get("code")))
    return Operation(
        reference=procedure.reference,
        codes=codes,
        text=words,
        service_date=done_on(procedure),
        performers=_surgeons(procedure, record),
        evidence=(Evidence(procedure.reference, "code", words or next(iter(codes), None)),),
    )


def anesthesia(procedure: Entry) -> tuple[Fact[AnesthesiaType], ...]:
    """Return the anesthesia a Procedure records, by its SNOMED CT code or its words."""
    if procedure.resource.get("status") in (*_STATUS, _IN_ERROR):
        return ()
    code = procedure.resource.get("code")
    coded = terms.anesthesia(code)
    if coded is not None:
        return (Fact(coded, (Evidence(procedure.reference, "code", concept_text(code)),)),)
    title = _title(procedure)
    if title is None or "anesth" not in title.text.lower().replace("anaesth", "anesth"):
        return ()
    return tuple(Fact(said.value, (title.evidence(said.span),)) for said in read(title.text).anesthesia)


def reason(procedure: Entry) -> Evidence | None:
    """Return the reason a Procedure states for itself, as evidence of the indication; None where it was not done."""
    if procedure.resource.get("status") in (*_STATUS, _IN_ERROR):
        return None
    for place, concept in numbered(procedure.resource.get("reasonCode")):
        words = concept_text(concept)
        if words is not None:
            return Evidence(procedure.reference, f"reasonCode[{place}]", words)
    return None


def _meanings(procedure: Entry, vocabulary: Vocabulary) -> list[tuple[CodedValue, CodeMeaning]]:
    code = procedure.resource.get("code")
    known = [
        (value, vocabulary.block_codes[value.code]) for value in cpt_codes(code) if value.code in vocabulary.block_codes
    ]
    if known:
        return known
    return [
        (CodedValue(pair[1], f"coding[{place}].code"), vocabulary.concepts[pair])
        for place, coding in numbered(member(code, "coding"))
        for pair in concepts(coding)
        if pair in vocabulary.concepts
    ]


def _title(procedure: Entry) -> Place | None:
    """Return the words of `Procedure.code`, with the path they stand at."""
    code = procedure.resource.get("code")
    words = text(member(code, "text"))
    if words is not None:
        return Place(procedure.reference, "code.text", words)
    displays = ((place, text(coding.get("display"))) for place, coding in numbered(member(code, "coding")))
    return next(
        (Place(procedure.reference, f"code.coding[{n}].display", words) for n, words in displays if words), None
    )


def _worded(procedure: Entry) -> Iterator[tuple[Block, Status]]:
    """Yield the blocks its title names. Its annotations are notes, and are read as such (`chart/notes.py`)."""
    title = _title(procedure)
    if title is not None and mentions_block(title.text):
        for reading in read(title.text).blocks:
            yield block_from(reading, title, Origin.PROCEDURE), reading.status


def _named(procedure: Entry, value: CodedValue, meaning: CodeMeaning) -> Block:
    """Return the block a code names, without what the code claims besides."""
    evidence = (Evidence(procedure.reference, f"code.{value.path}", value.code),)
    return Block(meaning.technique, evidence, frozenset({Origin.PROCEDURE}), region=meaning.region)


def _with_code(block: Block, procedure: Entry, value: CodedValue, meaning: CodeMeaning) -> Block:
    """Return a block with what reporting its code claims was done."""
    evidence = (Evidence(procedure.reference, f"code.{value.path}", value.code),)
    continuous = None if meaning.continuous is None else Fact(meaning.continuous, evidence)
    return replace(
        block,
        site_count=block.site_count or (SiteCount(2, None, evidence) if meaning.further_site else None),
        side=block.side or (Fact(Side.BILATERAL, evidence) if meaning.bilateral else None),
        continuous=block.continuous or continuous,
    )


def _completed(block: Block, procedure: Entry, record: Record, codes: tuple[str, ...]) -> Block:
    """Add to a block what the Procedure states in members of its own: body sites, performers, date, codes."""
    side = block.side or side_of(procedure)
    return replace(
        block,
        sites=block.sites or sites_of(procedure, side),
        side=side,
        performers=_performers(procedure, record),
        reported_codes=codes,
        service_date=done_on(procedure),
    )


def _performers(procedure: Entry, record: Record) -> tuple[str, ...]:
    """Return who took part, whatever the function."""
    found = (_person(record, procedure, each.get("actor")) for each in items(procedure.resource.get("performer")))
    return tuple(dict.fromkeys(person for person in found if person is not None))


def _surgeons(procedure: Entry, record: Record) -> tuple[str, ...]:
    """Return who operated: whoever is called a surgeon, else the only one who may have been.

    Of several people of no stated function any may be the surgeon, so none is said to be.
    """
    surgeons: list[str | None] = []
    others: list[str | None] = []
    for performer in items(procedure.resource.get("performer")):
        function = (concept_text(performer.get("function")) or "").lower()
        person = _person(record, procedure, performer.get("actor"))
        if "surg" in function and not any(word in function for word in _NOT_THE_SURGEON):
            surgeons.append(person)
        elif not any(word in function for word in _NOT_THE_SURGEON):
            others.append(person)
    found = surgeons or (others if len(set(others)) == 1 else [])
    return tuple(dict.fromkeys(person for person in found if person is not None))


def _person(record: Record, base: Entry, actor: object) -> str | None:
    """Return the Practitioner behind a reference, also through a PractitionerRole that is in the record."""
    role = record.resolve(actor, base)
    if role is not None and role.type == "PractitionerRole":
        return record.identity(role.resource.get("practitioner"), role) or role.reference
    return record.identity(actor, base)
