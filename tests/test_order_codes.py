"""Where a draft order may carry its procedure code: its code, its details, and what it may be billed as (over HTTP)."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.cases import load_case
from cds_service.fhir.coding import BILLING_OPTIONS
from cds_service.resources import cases_folder

CPT = "http://www.ama-assn.org/go/cpt"
BLUEBUTTON = "https://bluebutton.cms.gov/resources/codesystem/hcpcs"
LOCAL = "https://ehr.example.org/procedures"
ERECTOR_SPINAE = "Right erector spinae plane block at T5"

OWN = {"system": LOCAL, "code": "ANES-17", "display": "Regional block"}


def coding(code: str, system: str | None = CPT) -> dict[str, Any]:
    return {"code": code} if system is None else {"system": system, "code": code}


def option(*codings: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"url": BILLING_OPTIONS, "valueCodeableConcept": {"coding": list(codings)}, **members}


def order(*options: Any, codings: tuple[Any, ...] = (OWN,), words: str | None = ERECTOR_SPINAE, **members: Any) -> Any:
    code: dict[str, Any] = {"coding": list(codings), "text": words, "extension": list(options)}
    return {
        "resourceType": "ServiceRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "code": {name: member for name, member in code.items() if member},
        **members,
    }


def cards(client: FlaskClient, *orders: Any) -> list[dict[str, Any]]:
    drafts = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in orders]}
    body = {
        "hook": "order-sign",
        "hookInstance": "7d0c8f0e-9a53-4f0b-9d16-5b7c1f3f2a01",
        "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": drafts},
    }
    answer = client.post("/cds-services/paravertebral-order-sign", json=body)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["cards"]
    return found


READ = [
    pytest.param(order(codings=(coding("64461"),)), id="code"),
    pytest.param(order(codings=(OWN, coding("64461"))), id="a further coding of code"),
    pytest.param(order(codings=(coding("64461", BLUEBUTTON),)), id="HCPCS as Inferno names it"),
    pytest.param(order(codings=(coding("64461", "urn:oid:2.16.840.1.113883.6.12"),)), id="CPT by its OID"),
    pytest.param(order(orderDetail=[{"coding": [coding("64461")]}]), id="orderDetail"),
    pytest.param(order(orderDetail=[{"text": "in the block room"}, {"text": "CPT 64461"}]), id="words of orderDetail"),
    pytest.param(order(option(coding("64461"))), id="the one billing option"),
    pytest.param(order(option(coding("64461", None))), id="a billing option without a system"),
    pytest.param(order(option(coding("64461"), coding("PVB-1", LOCAL))), id="a billing option and its translation"),
    pytest.param(order(option(coding("64461")), option(coding("64461", BLUEBUTTON))), id="one option, twice"),
    pytest.param(order({"url": "urn:other"}, option(coding("64461"))), id="among other extensions"),
    pytest.param(order(option(coding("64461")), codings=()), id="no coding but the billing option"),
]


@pytest.mark.parametrize("resource", READ)
def test_the_code_of_an_order_is_read_wherever_it_stands(client: FlaskClient, resource: dict[str, Any]) -> None:
    (card,) = cards(client, resource)
    assert card["summary"] == "Order 64466 instead of 64461: the record describes another technique."


POSSIBLE = [
    pytest.param([option(coding("64461")), option(coding("64463"))], id="two options"),
    pytest.param([option(coding("64461"), coding("64463"))], id="two codes in one option"),
    pytest.param([option(coding("64461")), option(coding("G0260", LOCAL))], id="an option that is no CPT code"),
    pytest.param([option(coding("64461")), option()], id="an option without a code"),
    pytest.param([option(coding("20610"))], id="an option that is no block"),
    pytest.param([option(coding("64461", LOCAL))], id="a number of another code system"),
    pytest.param([{"url": BILLING_OPTIONS}], id="no value"),
    pytest.param([{"url": BILLING_OPTIONS, "valueString": "64461"}], id="a value of another type"),
    pytest.param([{"url": BILLING_OPTIONS, "valueCodeableConcept": [coding("64461")]}], id="a list for a value"),
    pytest.param([{"url": "urn:other", "valueCodeableConcept": {"coding": [coding("64461")]}}], id="another extension"),
    pytest.param(["64461", None, 7, []], id="no extensions at all"),
    pytest.param(None, id="null"),
]


@pytest.mark.parametrize("options", POSSIBLE)
def test_what_may_be_billed_is_not_held_against_what_was_ordered(client: FlaskClient, options: Any) -> None:
    resource = order()
    resource["code"]["extension"] = options
    assert cards(client, resource) == []


@pytest.mark.parametrize(
    "resource",
    [
        pytest.param(order(option(coding("64461")), codings=(coding("64466"),)), id="its code"),
        pytest.param(order(option(coding("64461")), orderDetail=[{"coding": [coding("64466")]}]), id="its detail"),
        pytest.param(order(option(coding("64461")), codings=(coding("20610"),), words=None), id="no block"),
    ],
)
def test_a_code_of_its_own_is_what_was_ordered(client: FlaskClient, resource: dict[str, Any]) -> None:
    assert cards(client, resource) == []


def test_only_a_code_of_its_own_is_changed_in_an_order(client: FlaskClient) -> None:
    (told,) = cards(client, order(option(coding("64461"))))
    assert "suggestions" not in told
    (detailed,) = cards(client, order(orderDetail=[{"coding": [coding("64461")]}]))
    ((action,),) = [suggestion["actions"] for suggestion in detailed["suggestions"]]
    assert action["resource"]["orderDetail"] == [{"coding": [coding("64466")]}]


def test_no_order_by_code_is_put_beside_one_without(client: FlaskClient) -> None:
    two_levels = order(option(coding("64461")), words="Right thoracic paravertebral block at T4 and T6")
    (card,) = cards(client, two_levels)
    assert card["summary"] == "Order 64461 ×1 and 64462 ×1; draft order has 64461 ×1."
    assert "suggestions" not in card


# The request for a block that was done


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        pytest.param([option(coding("64461")), option(coding("64463"))], [], id="a block, whichever it will be"),
        pytest.param([option(coding("64461"))], [], id="a block"),
        pytest.param([option(coding("64461")), option(coding("20610"))], ["requesting-provider"], id="perhaps a block"),
        pytest.param([option(coding("64461")), option()], ["requesting-provider"], id="who knows"),
        pytest.param([], ["requesting-provider"], id="no block"),
    ],
)
def test_an_order_that_can_only_be_billed_as_a_block_is_the_request_for_one(
    client: FlaskClient, options: list[Any], missing: list[str]
) -> None:
    case = load_case(cases_folder() / "tap-request-only-in-order")
    bundle = case.bundle()
    (request,) = (
        entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "ServiceRequest"
    )
    request["code"] = {"coding": [OWN], "extension": options}
    (assessment,) = client.post("/assessments", json=bundle).json["assessments"]
    open_elements = [one["element"] for one in assessment["documentation"] if one["status"] == "missing"]
    assert [element for element in open_elements if element == "requesting-provider"] == missing
