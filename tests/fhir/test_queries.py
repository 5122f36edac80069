"""The prefetch templates: only what every CDS Hooks 2.0 client can fill."""

from __future__ import annotations

import re

import pytest

from cds_service.fhir.bundle import RESOURCE_TYPES
from cds_service.fhir.queries import TEMPLATES, fill
from cds_service.fhir.record import PrefetchKey

EVERY = [(hook, key, template) for hook, templates in TEMPLATES.items() for key, template in templates.items()]
# R4 search parameters each type is sorted by (https://hl7.org/fhir/R4/searchparameter-registry.html).
SORTS = {
    "Procedure": "date",
    "Claim": "created",
    "DocumentReference": "date",
    "MedicationAdministration": "effective-time",
    "Observation": "date",
    "Condition": "recorded-date",
    "ServiceRequest": "authored",
}


every_template = pytest.mark.parametrize(("hook", "key", "template"), EVERY)


@every_template
def test_asks_for_the_type_of_its_key(hook: str, key: PrefetchKey, template: str) -> None:
    assert re.split(r"[/?]", template)[0] == RESOURCE_TYPES[key]


@every_template
def test_uses_root_level_tokens_only(hook: str, key: PrefetchKey, template: str) -> None:
    tokens = re.findall(r"\{\{(.*?)\}\}", template)
    assert tokens
    assert set(tokens) <= {"context.patientId", "context.encounterId", "context.userId"}


@every_template
def test_stays_inside_the_interoperable_subset(hook: str, key: PrefetchKey, template: str) -> None:
    _, _, search = template.partition("?")
    for parameter in filter(None, search.split("&")):
        name, _, value = parameter.partition("=")
        assert name in {"patient", "encounter", "context", "status", "_sort", "_count"}
        assert name != "_sort" or value == f"-{SORTS[RESOURCE_TYPES[key]]}"


def test_order_sign_needs_no_encounter() -> None:
    assert not [template for template in TEMPLATES["order-sign"].values() if "encounterId" in template]


def test_discharge_asks_for_every_key_in_order() -> None:
    assert list(TEMPLATES["encounter-discharge"]) == list(PrefetchKey)


@pytest.mark.parametrize(
    ("template", "context", "expected"),
    [
        ("Patient/{{context.patientId}}", {"patientId": "p1"}, "Patient/p1"),
        ("Claim?patient={{context.patientId}}", {"patientId": "a&b=c/d ü"}, "Claim?patient=a%26b%3Dc%2Fd%20%C3%BC"),
        ("Encounter/{{context.encounterId}}", {"patientId": "p1"}, None),
        ("Encounter/{{context.encounterId}}", {"encounterId": None}, None),
        ("Encounter/{{context.encounterId}}", {"encounterId": ""}, None),
        ("Patient/{{context.patientId}}", {"patientId": ".."}, None),
        ("Patient/{{context.patientId}}", {"patientId": "."}, None),
        ("metadata", {}, "metadata"),
    ],
)
def test_fill(template: str, context: dict[str, str | None], expected: str | None) -> None:
    assert fill(template, context) == expected
