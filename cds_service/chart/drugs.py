"""Local anesthetics that a MedicationAdministration records as given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.chart.model import Evidence, Statement
from cds_service.chart.narrative.folding import fold
from cds_service.chart.narrative.lexicon import shipped
from cds_service.fhir.reading import concept_text, member, quantity, text
from cds_service.fhir.record import Entry

_NOT_GIVEN = frozenset({"not-done", "entered-in-error", "stopped", "unknown"})


def drug_statements(administrations: Iterable[Entry]) -> Iterator[Statement]:
    """Yield the agent and the amount of each local anesthetic given; other drugs tell nothing of the block."""
    for given in administrations:
        words = concept_text(given.resource.get("medicationCodeableConcept"))
        agent = _local_anesthetic(words)
        if agent is None or text(given.resource.get("status")) in _NOT_GIVEN:
            continue
        evidence = Evidence(given.reference, "medicationCodeableConcept", words)
        yield Statement("anesthetic-agent", affirmed=True, evidence=evidence, value=agent)
        dose = quantity(member(given.resource, "dosage", "dose"))
        if dose is not None:
            amount = f"{dose.value:g} {dose.unit or ''}".strip()
            place = Evidence(given.reference, "dosage.dose", amount)
            yield Statement("anesthetic-amount", affirmed=True, evidence=place, value=amount)


def _local_anesthetic(words: str | None) -> str | None:
    drugs = (mention.value for mention in shipped().scan(fold(words or "")) if mention.kind == "drug")
    return next(drugs, None)
