import copy
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.cards.difference import difference
from cds_service.cards.order_update import Change, changes
from cds_service.chart.model import OrderFacts

CPT = "http://www.ama-assn.org/go/cpt"


def suggested(make: Any, orders: tuple[OrderFacts, ...], *expected: str) -> list[Change]:
    return changes(orders, difference(make.assessment(*expected, orders=orders)))


@pytest.mark.parametrize(
    ("ordered", "expected", "labels"),
    [
        (["64461"], ["64461"], []),
        (["64461"], ["64466"], ["Order 64466 instead of 64461"]),
        (["64461"], ["64461", "64462"], ["Add an order for 64462 ×1"]),
        (["64462"], ["64461", "64462"], ["Add an order for 64461 ×1"]),
        (["64461", "76942"], ["64461"], ["Remove the order for 76942 ×1"]),
        (["76942", "64461"], ["64466"], ["Order 64466 instead of 64461", "Remove the order for 76942 ×1"]),
        (["76942"], ["64461"], ["Add an order for 64461 ×1", "Remove the order for 76942 ×1"]),
        (["64461", "64462"], ["64466"], ["Order 64466 instead of 64461", "Remove the order for 64462 ×1"]),
        (["64461", "64461"], ["64461"], ["Remove the order for 64461 ×1"]),
    ],
)
def test_one_suggestion_for_each_change(make: Any, ordered: list[str], expected: list[str], labels: list[str]) -> None:
    orders = tuple(make.order(code, number) for number, code in enumerate(ordered, start=1))
    before = copy.deepcopy([order.resource for order in orders])
    found = suggested(make, orders, *expected)
    assert [one.label for one in found] == labels
    for one in found:
        assert one.action["description"]
        assert ("resource" in one.action) != (one.action["type"] == "delete")
        if "resource" in one.action:
            ServiceRequest.model_validate(one.action["resource"])
    assert [order.resource for order in orders] == before


@pytest.mark.conformance("action-update-whole")
def test_an_update_is_the_whole_order_with_another_code(make: Any) -> None:
    order = make.order("64461", note=[{"text": "after thoracotomy"}])
    (one,) = suggested(make, (order,), "64466")
    code = {"coding": [{"system": CPT, "code": "64466"}], "text": "nerve block"}
    assert one.action["type"] == "update"
    assert one.action["resource"] == {**order.resource, "code": code}


@pytest.mark.parametrize(
    ("code", "after"),
    [
        ({"text": "64461"}, {"text": "64466"}),
        ({"text": "64461 - paravertebral block"}, {"text": "64466"}),
        ({"coding": [{"code": "64461-RT", "display": "x"}]}, {"coding": [{"code": "64466-RT"}]}),
        ({"text": "right block"}, None),
        (
            {"coding": [{"system": "http://snomed.info/sct", "code": "1"}, {"code": "64461"}], "text": "64461"},
            {"coding": [{"system": "http://snomed.info/sct", "code": "1"}, {"code": "64466"}], "text": "64466"},
        ),
    ],
)
def test_the_code_is_corrected_where_it_is_written(
    make: Any, code: dict[str, Any], after: dict[str, Any] | None
) -> None:
    found = suggested(make, (make.order("64461", code=code),), "64466")
    assert [one.action["resource"]["code"] for one in found] == ([after] if after else [])


def test_units_that_are_stated_are_corrected(make: Any) -> None:
    order = make.order("64462", quantityQuantity={"value": 3, "unit": "each"})
    (one,) = suggested(make, (order,), "64462")
    assert one.label == "Order 64462 ×1"
    assert one.action["description"].startswith("Change the draft order 64462 ×3 to 64462 ×1.")
    assert one.action["resource"]["quantityQuantity"] == {"value": 1, "unit": "each"}
    assert one.action["resource"]["code"] == order.resource["code"]


def test_a_new_order_is_for_the_same_patient_and_requester_and_has_no_id(make: Any) -> None:
    order = make.order(
        "64461", status="active", meta={"versionId": "2"}, bodySite=[{"text": "right"}], note=[{"text": "x"}]
    )
    (one,) = suggested(make, (order,), "64461", "64462 x2")
    assert one.action["type"] == "create"
    assert one.action["resource"] == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": CPT, "code": "64462"}]},
        "subject": {"reference": "Patient/1"},
        "encounter": {"reference": "Encounter/1"},
        "requester": {"reference": "Practitioner/1"},
        "quantityQuantity": {"value": 2},
    }


@pytest.mark.conformance("action-delete-reference")
def test_a_delete_names_the_order(make: Any) -> None:
    (one,) = suggested(make, (make.order("64461"), make.order("76942", 2)), "64461")
    assert one.action == {
        "type": "delete",
        "description": "Remove the draft order for 76942 ×1.",
        "resourceId": "ServiceRequest/o2",
    }


@pytest.mark.parametrize("expected", [["64466"], []])
def test_an_order_without_an_id_is_left_to_the_text(make: Any, expected: list[str]) -> None:
    assert not suggested(make, (make.order("64461", id=None),), *expected)


def test_no_order_is_added_for_nobody(make: Any) -> None:
    assert not suggested(make, (make.order("64461", subject=None),), "64461", "64462")


def test_an_order_that_is_not_valid_is_neither_corrected_nor_copied(make: Any) -> None:
    order = replace(make.order("64461"), valid=False)
    assert not suggested(make, (order,), "64466")
    assert not suggested(make, (order,), "64461", "64462")
