"""Diagnoses as codes: those of a Claim, with the lines that point to them, and those of Conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from cds_service.chart.model import DiagnosisFacts, Evidence
from cds_service.fhir.coding import canonical_system
from cds_service.fhir.reading import codes, concept_text, member, number, numbered, text
from cds_service.fhir.record import Entry, Record

# https://hl7.org/fhir/R4/valueset-condition-ver-status.html: what is refuted, or was entered in error, is not so.
_STATUS_OUT: Final = frozenset({"refuted", "entered-in-error"})
# https://hl7.org/fhir/R4/valueset-condition-category.html: the problem list holds much that no encounter is about.
_PROBLEM_LIST: Final = "problem-list-item"


def claim_diagnoses(claim: Entry, record: Record) -> Iterator[DiagnosisFacts]:
    """Yield the codes of each diagnosis of a Claim, one without a code for each that states none.

    A diagnosis is stated as a code, or as a reference to a Condition of the record.
    """
    for place, diagnosis in numbered(claim.resource.get("diagnosis")):
        sequence = _whole(diagnosis.get("sequence"))
        for fact in _stated(diagnosis, f"diagnosis[{place}]", claim, record):
            yield replace(fact, sequence=sequence)


def condition_diagnoses(condition: Entry) -> Iterator[DiagnosisFacts]:
    """Yield the codes of a Condition that holds and is more than an entry of the problem list."""
    kinds = codes(condition.resource.get("category"))
    out = _STATUS_OUT.intersection(codes(condition.resource.get("verificationStatus")))
    if not out and set(kinds) != {_PROBLEM_LIST}:
        yield from _coded(condition.resource.get("code"), condition.reference, "code")


def pointed_to(item: Mapping[str, Any], diagnoses: tuple[DiagnosisFacts, ...]) -> tuple[str, ...]:
    """Return the codes of the diagnoses a Claim's item points to by `diagnosisSequence`, each once, in its order."""
    written = item.get("diagnosisSequence")
    numbers = dict.fromkeys(_whole(value) for value in (written if isinstance(written, list) else [written]))
    found = (
        fact.code
        for pointer in numbers
        for fact in diagnoses
        if pointer is not None and fact.sequence == pointer and fact.code
    )
    return tuple(dict.fromkeys(found))


def _stated(diagnosis: Mapping[str, Any], place: str, claim: Entry, record: Record) -> Iterator[DiagnosisFacts]:
    condition = record.resolve(diagnosis.get("diagnosisReference"), claim)
    if condition is not None:
        yield from _coded(condition.resource.get("code"), condition.reference, "code")
        return
    yield from _coded(
        diagnosis.get("diagnosisCodeableConcept"), claim.reference, f"{place}.diagnosisCodeableConcept", place
    )


def _coded(concept: object, reference: str, path: str, unread: str | None = None) -> Iterator[DiagnosisFacts]:
    """Yield a fact per coding with system and code; where there is none, one without (at `unread`, else `path`)."""
    found = False
    for place, coding in numbered(member(concept, "coding")):
        system, code = canonical_system(coding.get("system")), text(coding.get("code"))
        if system and code:
            found = True
            yield DiagnosisFacts(
                Evidence(reference, f"{path}.coding[{place}].code", code),
                code.strip(),
                system,
                display=concept_text(concept),
            )
    if not found:
        yield DiagnosisFacts(Evidence(reference, unread or path), display=concept_text(concept))


def _whole(value: object) -> int | None:
    """Return a whole number, also where it came as text; None for anything else."""
    read = number(value)
    return int(read) if read is not None and read.is_integer() else None
