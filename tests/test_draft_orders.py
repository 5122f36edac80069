"""Draft orders over HTTP: where they may carry a procedure code, and how a card tells which of them it is about."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from cds_service.cases import load_case
from cds_service.fhir.coding import BILLING_OPTIONS
from cds_service.resources import cases_folder, schema

RESPONSE = Draft202012Validator(schema("response"))

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


def answer(client: FlaskClient, *orders: Any) -> Any:
    drafts = {"resourceType": "Bundle", "entry": [{"resource": resource} for resource in orders]}
    body = {
        "hook": "order-sign",
        "hookInstance": "7d0c8f0e-9a53-4f0b-9d16-5b7c1f3f2a01",
        "context": {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": drafts},
    }
    response = client.post("/cds-services/paravertebral-order-sign", json=body)
    assert response.status_code == 200, response.text
    RESPONSE.validate(response.json)
    return response.json


def cards(client: FlaskClient, *orders: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer(client, *orders)["cards"]
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


# Which order a card is about


def coded(number: str, code: str, words: str | None, **members: Any) -> Any:
    return order(codings=(coding(code),), words=words, id=number, **members)


FACET = coded("facet", "64490", "Right T4-T5 facet joint injection under fluoroscopy")
ON_WRONG_CODE = coded("plane", "64461", ERECTOR_SPINAE)
OPEN_LEVELS = order(codings=(), words="Right paravertebral block at T4-T5", id="open")
CODE_ONLY = coded("number", "64462", None)
DISPLAY_ONLY = order(codings=({**coding("64462"), "display": "PVB, more levels"},), words=None, id="display")
WITHOUT_ID = {name: member for name, member in coded("", "64462", "Second level").items() if name != "id"}
X_RAY = coded("x-ray", "71046", "Chest X-ray, two views")


@pytest.mark.parametrize(
    ("orders", "kind", "references", "words"),
    [
        pytest.param([ON_WRONG_CODE], "suggested-codes", ["plane"], "64461 ×1 (“Right erector spinae", id="the order"),
        pytest.param([X_RAY, ON_WRONG_CODE], "suggested-codes", ["plane"], ERECTOR_SPINAE, id="among others"),
        pytest.param([FACET, ON_WRONG_CODE], "suggested-codes", ["plane"], "(“Right T4-T5 facet", id="one of two"),
        pytest.param([CODE_ONLY], "suggested-codes", ["number"], "orders: 64462 ×1.", id="a code without words"),
        pytest.param([DISPLAY_ONLY], "suggested-codes", ["display"], "64462 ×1 (“PVB, more levels”).", id="a display"),
        pytest.param([WITHOUT_ID], "suggested-codes", None, "64462 ×1 (“Second level”).", id="without an id"),
        pytest.param(
            [ON_WRONG_CODE, CODE_ONLY],
            "suggested-codes",
            ["plane", "number"],
            "64461 ×1 (“Right erector spinae plane block at T5”) and 64462 ×1.",
            id="two of them",
        ),
        pytest.param([OPEN_LEVELS], "clarification", ["open"], "> “Right paravertebral block", id="a question"),
        pytest.param([X_RAY, FACET, OPEN_LEVELS], "clarification", ["open"], "> “Right paravert", id="on one of two"),
    ],
)
def test_a_card_says_which_order_it_is_about(
    client: FlaskClient, orders: list[Any], kind: str, references: list[str] | None, words: str
) -> None:
    kinds = {card["extension"]["org.paravertebral-cds.card"]["kind"]: card for card in cards(client, *orders)}
    card = kinds[kind]
    assert words in card["detail"]
    assert card["extension"].get("davinci-crd.associated-resource") == (
        references and [{"reference": f"ServiceRequest/{name}"} for name in references]
    )


def test_words_of_an_order_are_shown_in_part_and_as_plain_text(client: FlaskClient) -> None:
    (card,) = cards(client, coded("a", "64462", "<b>Further level</b> " + "of the same block " * 20))
    assert "64462 ×1 (“&lt;b>Further level&lt;/b>" in card["detail"]
    assert len(card["detail"]) < 1000


@pytest.mark.parametrize("identifier", ["x" * 300, "A.b-9", 7], ids=["long", "plain", "a number"])
def test_an_id_is_taken_as_it_comes(client: FlaskClient, identifier: Any) -> None:
    (card,) = cards(client, {**ON_WRONG_CODE, "id": identifier})
    assert card["extension"]["davinci-crd.associated-resource"] == [{"reference": f"ServiceRequest/{identifier}"}]


def test_at_discharge_no_resource_came_with_the_hook(client: FlaskClient) -> None:
    case = load_case(cases_folder() / "thoracotomy-addon-three-units")
    found = client.post("/cds-services/paravertebral-encounter-discharge", json=case.request("encounter-discharge"))
    assert found.json["cards"]
    assert "davinci-crd" not in found.text
