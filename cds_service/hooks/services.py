"""The services of discovery: which hook each answers and what it asks the client to send along.

A service for each hook, with an id of its own: clients that key services by id would otherwise lose one.
Templates use the root-level tokens of CDS Hooks 2.0 and the searches every conformant client can run
(instance reads; reference, token and date parameters; `_sort`, `_count`), nothing newer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ORDER_SIGN = "order-sign"
ENCOUNTER_DISCHARGE = "encounter-discharge"


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of discovery. `required_context` are the text members of its hook's context that must be there."""

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, str] = field(default_factory=dict)
    usage_requirements: str | None = None
    required_context: tuple[str, ...] = ("userId", "patientId")
    required_bundles: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the discovery entry, without members that have no value."""
        members = {
            "hook": self.hook,
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "prefetch": dict(self.prefetch),
            "usageRequirements": self.usage_requirements,
        }
        return {name: value for name, value in members.items() if value}


_USAGE = (
    "FHIR R4 (4.0.1). Every prefetch key is optional: what is missing is read from fhirServer where that is allowed, "
    "and what could not be had is not judged."
)

ORDER_SIGN_SERVICE = Service(
    id="paravertebral-order-sign",
    hook=ORDER_SIGN,
    title="Nerve block coding: orders",
    description="Checks the procedure codes of paravertebral and neighbouring nerve blocks among the orders being "
    "signed, and suggests corrected or missing codes.",
    prefetch={
        "patient": "Patient/{{context.patientId}}",
        "encounter": "Encounter/{{context.encounterId}}",
        "coverage": "Coverage?patient={{context.patientId}}&status=active",
        "procedures": "Procedure?patient={{context.patientId}}&_sort=-date&_count=50",
        "conditions": "Condition?patient={{context.patientId}}&_count=100",
        "orders": "ServiceRequest?patient={{context.patientId}}&status=active&_count=50",
    },
    usage_requirements=_USAGE,
    required_bundles=("draftOrders",),
)

ENCOUNTER_DISCHARGE_SERVICE = Service(
    id="paravertebral-encounter-discharge",
    hook=ENCOUNTER_DISCHARGE,
    title="Nerve block coding: discharge",
    description="Compares the claim of the encounter with the paravertebral and neighbouring nerve blocks its record "
    "tells of, suggests the claim lines the record supports, and names what the documentation lacks.",
    prefetch={
        "patient": "Patient/{{context.patientId}}",
        "encounter": "Encounter/{{context.encounterId}}",
        "coverage": "Coverage?patient={{context.patientId}}&status=active",
        "procedures": "Procedure?patient={{context.patientId}}&encounter={{context.encounterId}}&_count=50",
        "claims": "Claim?patient={{context.patientId}}&_sort=-created&_count=20",
        "documents": "DocumentReference?patient={{context.patientId}}&encounter={{context.encounterId}}"
        "&status=current&_count=50",
        "medications": "MedicationAdministration?patient={{context.patientId}}"
        "&context=Encounter/{{context.encounterId}}&_count=100",
        "observations": "Observation?patient={{context.patientId}}&encounter={{context.encounterId}}"
        "&_sort=-date&_count=100",
        "conditions": "Condition?patient={{context.patientId}}&_count=100",
        "orders": "ServiceRequest?patient={{context.patientId}}&encounter={{context.encounterId}}&_count=50",
    },
    usage_requirements=_USAGE,
    required_context=("userId", "patientId", "encounterId"),
)

SERVICES = (ORDER_SIGN_SERVICE, ENCOUNTER_DISCHARGE_SERVICE)
