"""What CDS Hooks and the definitions of the two hooks ask of how calls are taken, through the whole service."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.cases import load_case
from cds_service.resources import cases_folder

ORDER_SIGN = "/cds-services/paravertebral-order-sign"
DISCHARGE = "/cds-services/paravertebral-encounter-discharge"
ORDERED = load_case(cases_folder() / "order-addon-alone")
DISCHARGED = load_case(cases_folder() / "thoracotomy-addon-three-units")


def summaries(client: FlaskClient, address: str, body: dict[str, Any]) -> list[str]:
    answer = client.post(address, json=body)
    assert answer.status_code == 200, answer.text
    return [card["summary"] for card in answer.get_json()["cards"]]


@pytest.fixture
def order_sign() -> dict[str, Any]:
    return ORDERED.request("order-sign")


@pytest.fixture
def usual(client: FlaskClient, order_sign: dict[str, Any]) -> list[str]:
    """What is said of the orders as they are."""
    found = summaries(client, ORDER_SIGN, order_sign)
    assert found
    return found


@pytest.mark.conformance("order-sign-user")
@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/A2340113"])
def test_the_user_is_a_practitioner_or_a_role(
    client: FlaskClient, order_sign: dict[str, Any], usual: list[str], user: str
) -> None:
    order_sign["context"]["userId"] = user
    assert summaries(client, ORDER_SIGN, order_sign) == usual


@pytest.mark.conformance("order-sign-encounter-optional")
def test_orders_are_judged_without_an_encounter(
    client: FlaskClient, order_sign: dict[str, Any], usual: list[str]
) -> None:
    order_sign["context"].pop("encounterId", None)
    assert summaries(client, ORDER_SIGN, order_sign) == usual


@pytest.mark.conformance("order-sign-draft-orders", "request-context")
def test_without_the_orders_nothing_is_said_of_them(
    client: FlaskClient, order_sign: dict[str, Any], usual: list[str]
) -> None:
    order_sign["context"]["draftOrders"]["entry"] = []
    assert summaries(client, ORDER_SIGN, order_sign) == []


@pytest.mark.conformance("order-sign-draft-orders")
@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"resourceType": "MedicationRequest", "id": "rx"}, id="prescription without intent"),
        pytest.param({"resourceType": "NutritionOrder", "id": "diet", "status": "draft"}, id="diet"),
        pytest.param({"resourceType": "DeviceRequest", "id": "device", "status": "draft"}, id="device"),
        pytest.param({"resourceType": "VisionPrescription", "id": "glasses"}, id="glasses"),
        pytest.param({"resourceType": "CommunicationRequest", "id": "call"}, id="call"),
        pytest.param({"resourceType": "OrderOfTomorrow", "id": "new"}, id="a kind nobody knows"),
    ],
)
def test_orders_of_other_kinds_do_no_harm(
    client: FlaskClient, order_sign: dict[str, Any], usual: list[str], other: dict[str, Any]
) -> None:
    order_sign["context"]["draftOrders"]["entry"].insert(0, {"resource": other})
    assert summaries(client, ORDER_SIGN, order_sign) == usual


@pytest.mark.conformance("order-sign-signed-again")
@pytest.mark.parametrize("status", ["draft", "active"])
def test_orders_that_are_signed_again_are_judged(
    client: FlaskClient, order_sign: dict[str, Any], usual: list[str], status: str
) -> None:
    for entry in order_sign["context"]["draftOrders"]["entry"]:
        entry["resource"]["status"] = status
    assert summaries(client, ORDER_SIGN, order_sign) == usual


@pytest.mark.conformance("extension-unknown")
@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"extension": {"com.example.bpa-trigger": "60"}}, id="extension"),
        pytest.param({"extension": {"com.example.a": {"b": [None, {}]}}}, id="nested extension"),
        pytest.param({"later": {"a": 1}}, id="member"),
        pytest.param({"prefetch": {**DISCHARGED.request("encounter-discharge")["prefetch"], "own": None}}, id="key"),
    ],
)
def test_what_is_not_known_changes_nothing(client: FlaskClient, members: dict[str, Any]) -> None:
    body = DISCHARGED.request("encounter-discharge")
    known = summaries(client, DISCHARGE, body)
    assert known
    assert summaries(client, DISCHARGE, {**body, **members}) == known
