"""Coverage information on draft orders in the form of Da Vinci CRD, saying what is true here: that it is not known.

A CRD server speaks for a payer and writes on each order whether it is covered. This service does not know that. It
writes so only where a site asks for it, so that a client, or a test of servers such as Inferno's, finds the form it
expects (https://hl7.org/fhir/us/davinci-crd/STU2/StructureDefinition-ext-coverage-information.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from cds_service.cards.identity import stable_uuid
from cds_service.cards.resources import Json, bare_copy
from cds_service.chart.coverage import coverages
from cds_service.chart.identity import is_of_another, own_patient
from cds_service.fhir.reading import items, member, text
from cds_service.fhir.record import Entry, Record

COVERAGE_INFORMATION: Final = "http://hl7.org/fhir/us/davinci-crd/StructureDefinition/ext-coverage-information"

_TYPES: Final = frozenset(
    {"CommunicationRequest", "DeviceRequest", "MedicationRequest", "NutritionOrder", "ServiceRequest"}
)
"""The orders the extension is defined for."""

_REASON: Final = (
    "This service checks coding and documentation. It does not know what the plan covers; only the payer can say."
)


def coverage_actions(record: Record, day: date) -> list[Json]:
    """Return a system action for each draft order of the patient: the whole order, with the extension added.

    The extension says of which Coverage it speaks, so there is none where no Coverage is known, and none for a Coverage
    that somebody has spoken of on the order already: the word of a payer stands. An order without an id is left out;
    what else is odd about one comes back as it came.
    """
    patient = own_patient(record)
    in_force = [facts.reference for facts in coverages(record, patient, day)]
    found = []
    for order in record.draft_orders:
        if order.type in _TYPES and not is_of_another(order, patient, record):
            added = [_extension(order, coverage, day) for coverage in _open_coverages(order, in_force)]
            if added and order.reference.startswith(f"{order.type}/"):
                found.append(_action(order, added))
    return found


def _open_coverages(order: Entry, in_force: Sequence[str]) -> Iterator[str]:
    """Yield the Coverages an order names, else those of the patient, as far as nothing is said of them on the order."""
    named = [text(each.get("reference")) or "" for each in items(order.resource.get("insurance"))]
    spoken_of = {
        text(member(part, "valueReference", "reference"))
        for extension in items(order.resource.get("extension"))
        if extension.get("url") == COVERAGE_INFORMATION
        for part in items(extension.get("extension"))
    }
    stated = [reference for reference in named if "Coverage/" in reference]
    for coverage in dict.fromkeys(stated or in_force):
        if "/" in coverage and coverage not in spoken_of:
            yield coverage


def _extension(order: Entry, coverage: str, day: date) -> Json:
    """Return the extension: `conditional` is that a decision needs more information than there is."""
    parts: dict[str, Json] = {
        "coverage": {"valueReference": {"reference": coverage}},
        "covered": {"valueCode": "conditional"},
        "pa-needed": {"valueCode": "conditional"},
        "info-needed": {"valueCode": "OTH"},
        "reason": {"valueCodeableConcept": {"text": _REASON}},
        "date": {"valueDate": day.isoformat()},
        "coverage-assertion-id": {"valueString": stable_uuid(order.reference, "coverage-information", coverage)},
    }
    return {"url": COVERAGE_INFORMATION, "extension": [{"url": url, **value} for url, value in parts.items()]}


def _action(order: Entry, added: list[Json]) -> Json:
    resource: Json = bare_copy(order.resource)
    resource["extension"] = [*items(resource.get("extension")), *added]
    return {
        "type": "update",
        "description": "Note on the draft order that this service does not know whether it is covered.",
        "resource": resource,
    }
