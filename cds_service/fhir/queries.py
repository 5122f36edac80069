"""What is asked of a FHIR server, per hook: offered to clients in discovery, and used for our own reads.

Only root-level tokens of CDS Hooks 2.0 and its interoperable search subset are used
(https://cds-hooks.hl7.org/2.0/#prefetch-template): reference and token parameters by equality, `_sort`, `_count`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from cds_service.fhir.record import PrefetchKey

_PATIENT: Final = "patient={{context.patientId}}"
_ENCOUNTER: Final = "encounter={{context.encounterId}}"
_PAGE: Final = "_count=50"

# The newest first, by the search parameter each type has for it in R4. Claims, coverage and the problem list are seldom
# tied to an encounter, so they are always asked for by patient.
_OF_PATIENT: Final[Mapping[PrefetchKey, str]] = {
    PrefetchKey.PATIENT: "Patient/{{context.patientId}}",
    PrefetchKey.COVERAGE: f"Coverage?{_PATIENT}&status=active",
    PrefetchKey.PROCEDURES: f"Procedure?{_PATIENT}&_sort=-date&{_PAGE}",
    PrefetchKey.CLAIMS: f"Claim?{_PATIENT}&_sort=-created&{_PAGE}",
    PrefetchKey.DOCUMENTS: f"DocumentReference?{_PATIENT}&_sort=-date&{_PAGE}",
    PrefetchKey.MEDICATIONS: f"MedicationAdministration?{_PATIENT}&_sort=-effective-time&{_PAGE}",
    PrefetchKey.OBSERVATIONS: f"Observation?{_PATIENT}&_sort=-date&{_PAGE}",
    PrefetchKey.CONDITIONS: f"Condition?{_PATIENT}&_sort=-recorded-date&{_PAGE}",
    PrefetchKey.ORDERS: f"ServiceRequest?{_PATIENT}&_sort=-authored&{_PAGE}",
}

_OF_ENCOUNTER: Final[Mapping[PrefetchKey, str]] = {
    **_OF_PATIENT,
    PrefetchKey.ENCOUNTER: "Encounter/{{context.encounterId}}",
    PrefetchKey.PROCEDURES: f"Procedure?{_PATIENT}&{_ENCOUNTER}&_sort=-date&{_PAGE}",
    PrefetchKey.DOCUMENTS: f"DocumentReference?{_PATIENT}&{_ENCOUNTER}&_sort=-date&{_PAGE}",
    PrefetchKey.MEDICATIONS: (
        f"MedicationAdministration?{_PATIENT}&context={{{{context.encounterId}}}}&_sort=-effective-time&{_PAGE}"
    ),
    PrefetchKey.OBSERVATIONS: f"Observation?{_PATIENT}&{_ENCOUNTER}&_sort=-date&{_PAGE}",
    PrefetchKey.ORDERS: f"ServiceRequest?{_PATIENT}&{_ENCOUNTER}&_sort=-authored&{_PAGE}",
}

TEMPLATES: Final[Mapping[str, Mapping[PrefetchKey, str]]] = {
    # `encounterId` is optional on order-sign, and a client drops a template it cannot fill: none of these needs it.
    "order-sign": _OF_PATIENT,
    "encounter-discharge": {key: _OF_ENCOUNTER[key] for key in PrefetchKey},
}
"""The prefetch templates of each hook, in the order of discovery."""

_PARTING: Final = frozenset(",|$\\")
_TOKEN: Final = re.compile(r"\{\{context\.(\w+)\}\}")


def fill(template: str, context: Mapping[str, str | None]) -> str | None:
    """Return the query of a template, with values percent-encoded; None where the context lacks one it needs.

    "." and ".." are no ids: as a step of a path they would ask for something else. Neither is what has one of the
    characters that part the values of a search, and that encoding does not take the meaning of: "1,2" would ask for the
    data of two patients (https://hl7.org/fhir/R4/search.html#escaping).
    """
    values = [(context.get(name) or "").strip() for name in _TOKEN.findall(template)]
    if any(value in ("", ".", "..") or not _PARTING.isdisjoint(value) for value in values):
        return None
    return _TOKEN.sub(lambda token: quote(context[token[1]] or "", safe=""), template)
