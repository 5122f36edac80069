"""The services of discovery and the hook each answers.

A service for each hook, with an id of its own: clients that key services by id would otherwise lose one.
What a service asks the client to send along (its prefetch templates) is added by whoever reads that data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.hooks.configuration import CARD_OPTIONS, OPTIONS_EXTENSION, Option

ORDER_SIGN = "order-sign"
ENCOUNTER_DISCHARGE = "encounter-discharge"


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of discovery.

    `prefetch` is from key to template. `required_context` are the text members of its hook's context that must
    be there, `required_bundles` those that are Bundles. `options` are what a client may choose of the answer.
    """

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, str] = field(default_factory=dict)
    usage_requirements: str | None = None
    required_context: tuple[str, ...] = ("userId", "patientId")
    required_bundles: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the discovery entry, without members that have no value."""
        options = [option.to_json() for option in self.options]
        members = {
            "hook": self.hook,
            "id": self.id,
            "title": self.title,
            "description": self.description,
            "prefetch": dict(self.prefetch),
            "usageRequirements": self.usage_requirements,
            "extension": {OPTIONS_EXTENSION: options} if options else None,
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
    description="Checks the procedure codes of paravertebral and neighboring nerve blocks among the orders being "
    "signed, and suggests corrected or missing codes.",
    usage_requirements=_USAGE,
    required_bundles=("draftOrders",),
    options=CARD_OPTIONS,
)

ENCOUNTER_DISCHARGE_SERVICE = Service(
    id="paravertebral-encounter-discharge",
    hook=ENCOUNTER_DISCHARGE,
    title="Nerve block coding: discharge",
    description="Compares the claim of the encounter with the paravertebral and neighboring nerve blocks its record "
    "tells of, suggests the claim lines the record supports, and names what the documentation lacks.",
    usage_requirements=_USAGE,
    required_context=("userId", "patientId", "encounterId"),
    options=CARD_OPTIONS,
)

SERVICES = (ORDER_SIGN_SERVICE, ENCOUNTER_DISCHARGE_SERVICE)
