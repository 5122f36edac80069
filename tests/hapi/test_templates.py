"""The prefetch templates, as discovery gives them, filled and sent by an EHR to its server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cds_service.cases import Case
from cds_service.fhir.bundle import RESOURCE_TYPES
from docker.seed_hapi import transaction
from tests.hapi.fhir_server import LocalFhirServer
from tests.hapi.requests_of_an_ehr import FIRED, Resource, hook_of
from tests.hapi.service import Service

pytestmark = pytest.mark.integration

STRICT = {"Prefer": "handling=strict"}
"""A server must then refuse what it does not know (https://hl7.org/fhir/R4/search.html#errors)."""

DISCHARGE, ORDER_SIGN = "encounter-discharge", "order-sign"


def ids(fhir_server: LocalFhirServer, template: str, context: Mapping[str, Any]) -> list[str]:
    """Return the ids of what a template asks for, in the order of the answer, which has nothing to warn of."""
    query = template
    for name, value in context.items():
        query = query.replace(f"{{{{context.{name}}}}}", str(value))
    assert "{{" not in query
    answer = fhir_server.get(query, **STRICT)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    if found["resourceType"] != "Bundle":
        return [found["id"]]
    entries = found.get("entry", [])
    assert {entry["search"]["mode"] for entry in entries} <= {"match"}, "the server adds a warning, or other resources"
    assert not any(link["relation"] == "next" for link in found["link"])
    return [entry["resource"]["id"] for entry in entries]


@pytest.mark.parametrize(("case", "hook"), [pytest.param(case, hook, id=f"{case.id}-{hook}") for case, hook in FIRED])
def test_a_template_finds_what_the_request_of_the_case_holds(
    case: Case, hook: str, service: Service, fhir_server: LocalFhirServer
) -> None:
    full = hook_of(case, hook).full
    for key, template in service.templates(hook).items():
        sent = full["prefetch"].get(key) or {}
        expected = sorted(entry["resource"]["id"] for entry in sent.get("entry", [{"resource": sent}] if sent else []))
        assert sorted(ids(fhir_server, template, full["context"])) == expected, key


P, E = "templates-patient", "templates-encounter"
OTHER = {"encounter": "templates-encounter-2"}
STRANGER = {"patient": "templates-stranger"}
CODE = {"text": "invented"}
NAMED = {"display": "invented"}
EARLY, LATE, ZONED = "2026-03-02T09:00:00Z", "2026-03-03", "2026-03-02T23:30:00-05:00"
PERIOD = {"start": "2026-03-02T10:00:00Z", "end": "2026-03-02T10:20:00Z"}


def of(kind: str, name: str, encounter: str | None = E, patient: str = P, **members: Any) -> Resource:
    """Return a resource of a patient, with its kind in its id."""
    where: dict[str, Any] = {"encounter": {"reference": f"Encounter/{encounter}"}} if encounter else {}
    who = {"subject": {"reference": f"Patient/{patient}"}}
    return {"resourceType": kind, "id": f"{kind}-{name}", **who, **where, **members}


def moved(resource: Resource, **names: str) -> Resource:
    """Return a resource with members under other names, as its kind has them."""
    return {names.get(name, name): value for name, value in resource.items()}


def procedure(name: str, **members: Any) -> Resource:
    return of("Procedure", name, **{"status": "completed", "code": CODE, **members})


def claim(name: str, created: str, **members: Any) -> Resource:
    made = {"status": "active", "type": CODE, "use": "claim", "priority": CODE, "created": created}
    made |= {"provider": {"display": "invented"}, "insurance": [{"sequence": 1, "focal": True, "coverage": NAMED}]}
    encounter = members.pop("encounter", E)
    item = {"sequence": 1, "productOrService": CODE, "encounter": [{"reference": f"Encounter/{encounter}"}]}
    return moved(of("Claim", name, None, **made, item=[item], **members), subject="patient")


def document(name: str, encounter: str | None = E, **members: Any) -> Resource:
    context = {"context": {"encounter": [{"reference": f"Encounter/{encounter}"}]}} if encounter else {}
    content = [{"attachment": {"title": "invented"}}]
    return of("DocumentReference", name, None, **{"status": "current", "content": content, **context, **members})


def drug(name: str, **members: Any) -> Resource:
    made = of("MedicationAdministration", name, **{"status": "completed", "medicationCodeableConcept": CODE, **members})
    return moved(made, encounter="context")


def observation(name: str, **members: Any) -> Resource:
    return of("Observation", name, **{"status": "final", "code": CODE, **members})


def order(name: str, **members: Any) -> Resource:
    return of("ServiceRequest", name, **{"status": "active", "intent": "order", "code": CODE, **members})


def coverage(name: str, status: str, patient: str = P) -> Resource:
    made = of("Coverage", name, None, patient, status=status, payor=[NAMED])
    return moved(made, subject="beneficiary")


RECORD: list[Resource] = [
    {"resourceType": "Patient", "id": P},
    {"resourceType": "Patient", "id": STRANGER["patient"]},
    *(
        {
            "resourceType": "Encounter",
            "id": name,
            "status": "finished",
            "class": {"code": "AMB"},
            "subject": {"reference": f"Patient/{P}"},
        }
        for name in (E, OTHER["encounter"])
    ),
    coverage("active", "active"),
    coverage("cancelled", "cancelled"),
    coverage("stranger", "active", **STRANGER),
    procedure("early", performedDateTime=EARLY),
    procedure("period", performedPeriod=PERIOD),
    procedure("late", performedDateTime=LATE),
    procedure("undated"),
    procedure("not-done", status="not-done", performedDateTime="2026-03-01"),
    procedure("elsewhere", performedDateTime="2026-02-01", **OTHER),
    procedure("stranger", performedDateTime=EARLY, **STRANGER),
    claim("early", "2026-03-02"),
    claim("late", "2026-03-04T08:00:00Z"),
    claim("elsewhere", "2026-02-01", **OTHER),
    claim("stranger", "2026-03-02", **STRANGER),
    document("early", date=EARLY),
    document("late", date="2026-03-03T00:00:00Z"),
    document("undated"),
    document("superseded", status="superseded", date="2026-03-01T00:00:00Z"),
    document("elsewhere", date="2026-02-01T00:00:00Z", **OTHER),
    document("stranger", date=EARLY, **STRANGER),
    drug("early", effectiveDateTime=EARLY),
    drug("period", effectivePeriod=PERIOD),
    drug("elsewhere", effectiveDateTime="2026-02-01", **OTHER),
    drug("stranger", effectiveDateTime=EARLY, **STRANGER),
    observation("early", effectiveDateTime=EARLY),
    observation("period", effectivePeriod=PERIOD),
    observation("instant", effectiveInstant="2026-03-02T11:00:00Z"),
    observation("undated"),
    observation("elsewhere", effectiveDateTime="2026-02-01", **OTHER),
    observation("stranger", effectiveDateTime=EARLY, **STRANGER),
    of("Condition", "early", code=CODE, recordedDate="2026-03-02"),
    of("Condition", "late", encounter=None, code=CODE, recordedDate="2026-03-04"),
    of("Condition", "undated", encounter=None, code=CODE),
    of("Condition", "stranger", code=CODE, recordedDate="2026-03-02", **STRANGER),
    order("early", authoredOn=EARLY),
    order("late", authoredOn=ZONED),
    order("undated"),
    order("elsewhere", authoredOn="2026-02-01", **OTHER),
    order("stranger", authoredOn=EARLY, **STRANGER),
]
"""Each kind of resource dated in each way it may be, undated, of another encounter, and of another patient."""


KINDS = {key.value: kind for key, kind in RESOURCE_TYPES.items()}


@pytest.fixture(scope="module")
def record(fhir_server: LocalFhirServer) -> LocalFhirServer:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in RECORD]}
    fhir_server.load(transaction(bundle, "templates"))
    return fhir_server


@pytest.mark.parametrize(
    ("key", "dated", "undated", "elsewhere"),
    [
        pytest.param("patient", [P], [], [], id="patient"),
        pytest.param("encounter", [E], [], [], id="encounter"),
        pytest.param("coverage", ["active"], [], [], id="coverage"),
        pytest.param(
            "procedures", ["late", "period", "early", "not-done"], ["undated"], ["elsewhere"], id="procedures"
        ),
        pytest.param("claims", ["late", "early", "elsewhere"], [], [], id="claims"),
        pytest.param("documents", ["late", "early", "superseded"], ["undated"], ["elsewhere"], id="documents"),
        pytest.param("medications", ["period", "early"], [], ["elsewhere"], id="medications"),
        pytest.param("observations", ["instant", "period", "early"], ["undated"], ["elsewhere"], id="observations"),
        pytest.param("conditions", ["late", "early"], ["undated"], [], id="conditions"),
        pytest.param("orders", ["late", "early"], ["undated"], ["elsewhere"], id="orders"),
    ],
)
@pytest.mark.parametrize("hook", [DISCHARGE, ORDER_SIGN])
def test_a_template_finds_all_of_the_encounter_or_patient_the_newest_first(
    hook: str,
    key: str,
    dated: list[str],
    undated: list[str],
    elsewhere: list[str],
    service: Service,
    record: LocalFhirServer,
) -> None:
    template = service.templates(hook).get(key)
    if template is None:
        assert (hook, key) == (ORDER_SIGN, "encounter")
        return
    context = {"patientId": P, "encounterId": E} if hook == DISCHARGE else {"patientId": P}
    found = [each.removeprefix(f"{KINDS.get(key)}-") for each in ids(record, template, context)]
    by_date = dated + (elsewhere if hook == ORDER_SIGN else [])
    assert [each for each in found if each not in undated] == by_date
    assert sorted(found) == sorted(by_date + undated)


def test_the_server_would_refuse_a_parameter_it_does_not_know(record: LocalFhirServer) -> None:
    for query in (f"Claim?patient={P}&nonsense=1", f"Claim?patient={P}&_sort=-nonsense"):
        answer = record.get(query, **STRICT)
        assert answer.status_code == 400
        assert answer.json()["resourceType"] == "OperationOutcome"
