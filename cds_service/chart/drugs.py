"""Local anesthetics that a MedicationAdministration records as given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from cds_service.chart import terms
from cds_service.chart.model import Evidence, Statement
from cds_service.chart.narrative.folding import fold
from cds_service.chart.narrative.lexicon import shipped
from cds_service.fhir.reading import concept_text, member, quantity, text
from cds_service.fhir.record import Entry, Record

_NOT_GIVEN: Final = frozenset({"not-done", "entered-in-error", "stopped", "unknown"})
_OTHER_ROUTE: Final = re.compile(r"\b(?:intravenous|iv|oral|topical|transdermal|nebulized|inhal\w+)\b", re.IGNORECASE)


def drug_statements(administrations: Iterable[Entry], record: Record) -> Iterator[Statement]:
    """Yield the agent and the amount of each local anesthetic given; other drugs tell nothing of the block.

    Nor does one that went into a vein, the mouth or the skin: lidocaine is given at many inductions.
    """
    for given in administrations:
        path, words = _drug(given, record)
        agent = _local_anesthetic(words)
        if agent is None or text(given.resource.get("status")) in _NOT_GIVEN or _elsewhere(given):
            continue
        yield Statement("anesthetic-agent", True, Evidence(given.reference, path, words), agent)
        dose = quantity(member(given.resource, "dosage", "dose"))
        if dose is not None:
            amount = f"{dose.value:g} {dose.unit or ''}".strip()
            yield Statement("anesthetic-amount", True, Evidence(given.reference, "dosage.dose", amount), amount)


def _drug(given: Entry, record: Record) -> tuple[str, str | None]:
    """Return what was given, in words, and where the record says it; a Medication is looked up."""
    words = concept_text(given.resource.get("medicationCodeableConcept"))
    if words is not None:
        return "medicationCodeableConcept", words
    reference = given.resource.get("medicationReference")
    medication = record.resolve(reference, given)
    named = concept_text(medication.resource.get("code")) if medication else None
    return "medicationReference", named or text(member(reference, "display"))


def _elsewhere(given: Entry) -> bool:
    route = member(given.resource, "dosage", "route")
    return terms.is_other_route(route) or _OTHER_ROUTE.search(concept_text(route) or "") is not None


def _local_anesthetic(words: str | None) -> str | None:
    drugs = (mention.value for mention in shipped().scan(fold(words or "")) if mention.kind == "drug")
    return next(drugs, None)
