"""What Inferno's test kit for CRD servers checks of a CDS service, on the answers to every case.

Inferno (https://github.com/inferno-framework/davinci-crd-test-kit, CRD 2.0.1) cannot be run here. These are its checks
of discovery and of responses, written again from what they say, with its parts of the profile of coverage information:

D2, D3  discovery is JSON with `services`, each with hook, description and id
A1, A2  `cards` is an array; each card has summary, indicator and source with label and topic
A3      on order-sign `systemActions` is there, and every action is whole
A4      the optional members of cards
A8, A9  on order-sign coverage information was received, and it is valid

As the service comes it passes all but A8 and the part of A3 that wants system actions: it does not know whether
anything is covered, and says nothing about it. With `CDS_CRD_COVERAGE_INFORMATION` it says that, and passes these too.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from cds_service import resources
from cds_service.app import create_app
from cds_service.cards.coverage_information import COVERAGE_INFORMATION
from cds_service.cases import Case, load_cases
from cds_service.fhir.coding import BILLING_OPTIONS, CPT
from cds_service.settings import Settings

Json = dict[str, Any]
Problems = Iterator[str]

RESPONSE = Draft202012Validator(resources.schema("response"))
CALLS = [
    pytest.param(case, hook, id=f"{case.id}-{hook}")
    for case in load_cases(resources.cases_folder())
    for hook in case.hooks
]
ORDERS = ("DeviceRequest", "MedicationRequest", "NutritionOrder", "ServiceRequest", "VisionPrescription")


# The checks: each yields what is wrong, after the number of the check.


def wrong_members(value: Any, what: str, **types: type) -> Problems:
    for name, kind in types.items():
        if not isinstance(value, dict) or not isinstance(value.get(name), kind) or not value[name]:
            yield f"{what}: {name} is missing or no {kind.__name__}"


def discovery_problems(document: Any) -> Problems:
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, list) or not services:
        yield "D3 services"
        return
    for service in services:
        yield from wrong_members(service, "D3 service", hook=str, description=str, id=str)


def response_problems(answer: Json, hook: str) -> Problems:
    cards = answer.get("cards")
    if not isinstance(cards, list):
        yield "A1 cards"
        return
    for card in cards:
        yield from required_problems(card)
        yield from optional_problems(card)
    yield from system_action_problems(answer, hook)


def required_problems(card: Json) -> Problems:
    yield from wrong_members(card, "A2 card", summary=str, indicator=str, source=dict)
    if len(str(card.get("summary"))) >= 140:
        yield "A2 card: summary is too long"
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield "A2 card: indicator"
    source = card.get("source")
    yield from wrong_members(source, "A2 source", label=str, topic=dict)
    if isinstance(source, dict):
        yield from wrong_members(source.get("topic"), "A2 topic", code=str, system=str)


def optional_problems(card: Json) -> Problems:
    types = {"uuid": str, "detail": str, "suggestions": list, "overrideReasons": list, "links": list}
    yield from wrong_members(card, "A4 card", **{name: kind for name, kind in types.items() if name in card})
    if "suggestions" in card and card.get("selectionBehavior") not in ("any", "at-most-one"):
        yield "A4 card: selectionBehavior"
    for reason in card.get("overrideReasons", ()):
        yield from wrong_members(reason, "A4 override reason", code=str, system=str, display=str)
    for link in card.get("links", ()):
        yield from link_problems(link)
    for suggestion in card.get("suggestions", ()):
        yield from wrong_members(suggestion, "A4 suggestion", label=str, actions=list)
        for action in suggestion.get("actions", ()):
            yield from action_problems(action, "A4")


def link_problems(link: Json) -> Problems:
    yield from wrong_members(link, "A4 link", label=str, type=str, url=str)
    address = urlsplit(str(link.get("url")))
    if address.scheme not in ("http", "https") or not address.netloc:
        yield "A4 link: url"
    if link.get("type") not in ("absolute", "smart") or (link.get("type") == "absolute" and link.get("appContext")):
        yield "A4 link: type"


def action_problems(action: Json, check: str) -> Problems:
    yield from wrong_members(action, f"{check} action", type=str, description=str)
    match action.get("type"):
        case "create" | "update":
            if not is_fhir(action.get("resource")):
                yield f"{check} action: resource"
        case "delete":
            if not re.fullmatch(r"[A-Z][A-Za-z]+/\S+", str(action.get("resourceId"))):
                yield f"{check} action: resourceId"
        case _:
            yield f"{check} action: type"


def is_fhir(resource: Any) -> bool:
    try:
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    except (KeyError, TypeError, ValidationError):
        return False
    return True


def system_action_problems(answer: Json, hook: str) -> Problems:
    actions = answer.get("systemActions", [])
    for action in actions:
        yield from action_problems(action, "A3")
    if hook != "order-sign":
        return
    if "systemActions" not in answer:
        yield "A3 systemActions"
    noted = [action for action in actions if coverage_information(action)]
    if not any(action["resource"]["resourceType"] in ORDERS for action in noted):
        yield "A8 coverage information"
    for action in noted:
        yield from coverage_problems(action)


def coverage_information(action: Json) -> list[Json]:
    found = action.get("resource", {}).get("extension", [])
    return [extension for extension in found if extension["url"] == COVERAGE_INFORMATION]


def coverage_problems(action: Json) -> Problems:
    if action["type"] != "update":
        yield "A9 type"
    ids: dict[str, set[str]] = {}
    for extension in coverage_information(action):
        parts = parts_of(extension)
        yield from profile_problems(parts)
        if not {"coverage", "coverage-assertion-id"} <= parts.keys():
            continue
        coverage = parts["coverage"][0]["valueReference"]["reference"]
        ids.setdefault(coverage, set()).update(part["valueString"] for part in parts["coverage-assertion-id"])
    spoken = [name for names in ids.values() for name in names]
    if any(len(names) > 1 for names in ids.values()) or len(set(spoken)) < len(spoken):
        yield "A9 coverage-assertion-id"


def parts_of(extension: Json) -> dict[str, list[Json]]:
    parts: dict[str, list[Json]] = {}
    for part in extension["extension"]:
        parts.setdefault(part["url"], []).append(part)
    return parts


# ext-coverage-information of CRD 2.0.1: part, how often, type of its value, codes of a required binding.
PROFILE: list[tuple[str, int, int | None, str, set[str] | None]] = [
    ("coverage", 1, 1, "valueReference", None),
    ("covered", 1, 1, "valueCode", {"not-covered", "covered", "conditional"}),
    ("pa-needed", 0, 1, "valueCode", {"no-auth", "auth-needed", "satisfied", "performpa", "conditional"}),
    ("doc-needed", 0, 1, "valueCode", {"clinical", "admin", "both", "conditional"}),
    ("doc-purpose", 0, None, "valueCode", {"withpa", "withclaim", "withorder", "retain-doc", "OTH"}),
    ("info-needed", 0, None, "valueCode", {"performer", "location", "timeframe", "OTH"}),
    ("reason", 0, None, "valueCodeableConcept", None),
    ("date", 1, 1, "valueDate", None),
    ("coverage-assertion-id", 1, 1, "valueString", None),
    ("satisfied-pa-id", 0, 1, "valueString", None),
]


def profile_problems(parts: dict[str, list[Json]]) -> Problems:
    for name, least, most, value, bound in PROFILE:
        found = parts.pop(name, []) if name == "satisfied-pa-id" else parts.get(name, [])
        if len(found) < least or (most is not None and len(found) > most):
            yield f"A9 {name}: cardinality"
        for part in found:
            if set(part) != {"url", value} or (bound is not None and part[value] not in bound):
                yield f"A9 {name}: value"
    yield from invariant_problems({name: {part.get("valueCode") for part in found} for name, found in parts.items()})


def invariant_problems(codes: dict[str, set[Any]]) -> Problems:
    """Check crd-ci-q1 to q9: where CRD 2.0.1 and 2.2.1 differ, what both allow."""
    conditional = any("conditional" in codes.get(name, ()) for name in ("covered", "pa-needed", "doc-needed"))
    settled = {"satisfied", "no-auth"} & codes.get("pa-needed", set())
    wrong = {
        "q1": {"questionnaire", "response"} & codes.keys() and "doc-needed" not in codes,
        "q2": ("not-covered" in codes.get("covered", ())) == ("pa-needed" in codes),
        "q3": conditional != ("info-needed" in codes),
        "q4": settled and "withpa" in codes.get("doc-purpose", ()),
        "q5": ("satisfied" in codes.get("pa-needed", ())) != ("satisfied-pa-id" in codes),
        "q6": "OTH" in codes.get("info-needed", ()) and "reason" not in codes,
        "q8": "doc-purpose" in codes and "reason" not in codes,
        "q9": any("indeterminate" in found for found in codes.values()) and "reason" not in codes,
    }
    yield from (f"A9 crd-ci-{name}" for name, is_wrong in wrong.items() if is_wrong)


# The service as it comes, and with coverage information


def client_of(**settings: Any) -> FlaskClient:
    named = Settings(database_url="sqlite:///:memory:", base_url="https://cds.example.org", **settings)
    return create_app(named).test_client()


@pytest.fixture(scope="module")
def plain() -> FlaskClient:
    return client_of()


@pytest.fixture(scope="module")
def noting() -> FlaskClient:
    return client_of(crd_coverage_information=True)


def call(client: FlaskClient, hook: str, body: Json) -> Json:
    response = client.post(f"/cds-services/paravertebral-{hook}", json=body)
    assert response.status_code == 200, response.text
    RESPONSE.validate(response.json)
    answer: Json = response.json
    return answer


@pytest.mark.parametrize("name", ["plain", "noting"])
def test_discovery(name: str, request: pytest.FixtureRequest) -> None:
    response = request.getfixturevalue(name).get("/cds-services")
    assert (response.status_code, response.mimetype) == (200, "application/json")  # D2
    assert list(discovery_problems(response.json)) == []


@pytest.mark.parametrize(("case", "hook"), CALLS)
def test_answers_pass_but_for_what_only_a_payer_knows(case: Case, hook: str, plain: FlaskClient) -> None:
    problems = list(response_problems(call(plain, hook, case.request(hook)), hook))
    assert problems == (["A3 systemActions", "A8 coverage information"] if hook == "order-sign" else [])


@pytest.mark.conformance("response-system-actions", "system-action-description")
@pytest.mark.parametrize(("case", "hook"), CALLS)
def test_answers_pass_with_coverage_information(case: Case, hook: str, noting: FlaskClient, plain: FlaskClient) -> None:
    body = case.request(hook)
    answer = call(noting, hook, body)
    drafts = body["context"].get("draftOrders", {}).get("entry", [])
    if hook != "order-sign" or drafts:  # an order that is no FHIR comes back as it came
        allowed = {"A3 action: resource"} if case.requests.invalid_orders else set()
        assert set(response_problems(answer, hook)) <= allowed
    assert answer["cards"] == call(plain, hook, body)["cards"]
    assert ("systemActions" in answer) == bool(drafts)


# What is written on the orders


def order(kind: str = "ServiceRequest", number: str = "1", **members: Any) -> Json:
    resource = {
        "resourceType": kind,
        "id": number,
        "status": "draft",
        "intent": "original-order",
        "subject": {"reference": "Patient/p1"},
        **members,
    }
    return {name: member for name, member in resource.items() if member is not None}


def coverage(number: str = "c1", **members: Any) -> Json:
    return {
        "resourceType": "Coverage",
        "id": number,
        "status": "active",
        "beneficiary": {"reference": "Patient/p1"},
        "payor": [{"display": "A plan"}],
        **members,
    }


def body_of(*orders: Json, coverages: tuple[Json, ...] = (coverage(),), **members: Any) -> Json:
    found = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in coverages]}
    return {
        "hook": "order-sign",
        "hookInstance": "f3a0a4a5-0f5a-4a2e-8d55-6a8a4b9d1c33",
        "context": {
            "userId": "Practitioner/1",
            "patientId": "p1",
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": each} for each in orders]},
        },
        "prefetch": {"coverage": found},
        **members,
    }


def noted(client: FlaskClient, body: Json) -> dict[str, list[str]]:
    """Return the Coverages spoken of on each order."""
    actions = call(client, "order-sign", body).get("systemActions", [])
    return {
        f"{action['resource']['resourceType']}/{action['resource']['id']}": [
            part["valueReference"]["reference"]
            for extension in coverage_information(action)
            for part in extension.get("extension", ())
            if part.get("url") == "coverage"
        ]
        for action in actions
    }


SPOKEN_OF = {
    "url": COVERAGE_INFORMATION,
    "extension": [
        {"url": "coverage", "valueReference": {"reference": "Coverage/c1"}},
        {"url": "covered", "valueCode": "covered"},
    ],
}
INSURED = {"insurance": [{"reference": "Coverage/c9"}, {"reference": "ClaimResponse/3"}]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(body_of(order()), {"ServiceRequest/1": ["Coverage/c1"]}, id="an order about anything"),
        pytest.param(
            body_of(order("DeviceRequest"), order("MedicationRequest", "2"), order("NutritionOrder", "3")),
            {name: ["Coverage/c1"] for name in ("DeviceRequest/1", "MedicationRequest/2", "NutritionOrder/3")},
            id="orders of every type",
        ),
        pytest.param(
            body_of(order(), coverages=(coverage(), coverage("c2"))),
            {"ServiceRequest/1": ["Coverage/c1", "Coverage/c2"]},
            id="two coverages",
        ),
        pytest.param(body_of(order(**INSURED)), {"ServiceRequest/1": ["Coverage/c9"]}, id="the coverage it names"),
        pytest.param(body_of(order(), coverages=()), {}, id="no coverage known"),
        pytest.param(body_of(order(), coverages=(coverage(status="cancelled"),)), {}, id="none in force"),
        pytest.param(
            body_of(order(), coverages=(coverage(beneficiary={"reference": "Patient/p2"}),)),
            {},
            id="another's coverage",
        ),
        pytest.param(body_of(order(subject={"reference": "Patient/p2"})), {}, id="an order for another patient"),
        pytest.param(body_of(order(extension=[SPOKEN_OF])), {}, id="a payer has spoken"),
        pytest.param(body_of(order(id=None)), {}, id="an order without an id"),
        pytest.param(body_of(order("Observation")), {}, id="no order"),
        pytest.param(body_of(), {}, id="no orders"),
        pytest.param(
            body_of(order(), extension={"davinci-crd.configuration": {"coverage-info": False}}), {}, id="switched off"
        ),
        pytest.param(
            body_of(order(), extension={"davinci-crd.configuration": {"coverage-info": "no"}}),
            {"ServiceRequest/1": ["Coverage/c1"]},
            id="not switched off",
        ),
        pytest.param(
            body_of(order(insurance=[{"reference": ["Coverage/1"]}], extension=[{"url": COVERAGE_INFORMATION}, 7])),
            {"ServiceRequest/1": ["Coverage/c1"]},
            id="odd members",
        ),
        pytest.param(
            body_of(order(extension=[{**SPOKEN_OF, "extension": [{"valueReference": {"reference": [1]}}]}])),
            {"ServiceRequest/1": ["Coverage/c1"]},
            id="a reference that is none",
        ),
    ],
)
def test_on_which_orders_something_is_noted(noting: FlaskClient, body: Json, expected: dict[str, list[str]]) -> None:
    assert noted(noting, body) == expected


NAMES = ["reference", "url", "extension", "valueReference", "valueCodeableConcept", "coding", "code", "text", "system"]
WORDS = [COVERAGE_INFORMATION, BILLING_OPTIONS, CPT, "coverage", "Coverage/c1", "64461", "Paravertebral block at T4"]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@hypothesis_settings(deadline=None, max_examples=200)
@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(["insurance", "extension", "code", "orderDetail", "subject"], ODD))
)
def test_whatever_an_order_holds_there_is_an_answer(noting: FlaskClient, members: Json) -> None:
    call(noting, "order-sign", body_of(order(**members)))


@pytest.mark.conformance("action-update-whole")
def test_nothing_else_of_an_order_changes(noting: FlaskClient) -> None:
    before = order(extension=[{"url": "urn:site", "valueString": "kept"}], code={"text": "Chest X-ray"})
    (action,) = call(noting, "order-sign", body_of(before))["systemActions"]
    after = action["resource"]
    assert after["extension"].pop()["url"] == COVERAGE_INFORMATION
    assert after == before


def test_fired_again_it_has_the_same_id_and_for_each_coverage_another(noting: FlaskClient) -> None:
    body = body_of(order(), coverages=(coverage(), coverage("c2")))
    first, again = (call(noting, "order-sign", body)["systemActions"] for _ in range(2))
    assert first == again
    assert list(coverage_problems(first[0])) == []


def test_discovery_offers_to_switch_it_off(noting: FlaskClient) -> None:
    offered = {
        service["hook"]: [option["code"] for option in service["extension"]["davinci-crd.configuration-options"]]
        for service in noting.get("/cds-services").json["services"]
    }
    assert "coverage-info" in offered["order-sign"]
    assert "coverage-info" not in offered["encounter-discharge"]


# The checks can fail


def part(answer: Json, name: str) -> Json:
    (extension,) = coverage_information(answer["systemActions"][0])
    found: Json = parts_of(extension)[name][0]
    return found


def without(answer: Json, name: str) -> None:
    (extension,) = coverage_information(answer["systemActions"][0])
    extension["extension"] = [one for one in extension["extension"] if one["url"] != name]


def add(answer: Json, **members: Any) -> None:
    coverage_information(answer["systemActions"][0])[0]["extension"].append(members)


MUTATIONS: list[tuple[str, Callable[[Json], Any]]] = [
    ("A1 cards", lambda a: a.pop("cards")),
    ("A1 cards", lambda a: a.update(cards={})),
    ("A2 card: summary is missing or no str", lambda a: a["cards"][0].pop("summary")),
    ("A2 card: summary is too long", lambda a: a["cards"][0].update(summary="x" * 140)),
    ("A2 card: indicator", lambda a: a["cards"][0].update(indicator="Warning")),
    ("A2 source: label is missing or no str", lambda a: a["cards"][0]["source"].update(label="")),
    ("A2 topic: code is missing or no str", lambda a: a["cards"][0]["source"]["topic"].pop("code")),
    ("A3 systemActions", lambda a: a.pop("systemActions")),
    ("A3 action: description is missing or no str", lambda a: a["systemActions"][0].pop("description")),
    ("A3 action: type", lambda a: a["systemActions"][0].update(type="UPDATE")),
    ("A3 action: resource", lambda a: a["systemActions"][0]["resource"].update(status=[])),
    ("A4 card: detail is missing or no str", lambda a: a["cards"][0].update(detail="")),
    ("A4 card: selectionBehavior", lambda a: a["cards"][0].pop("selectionBehavior")),
    ("A4 override reason: display is missing or no str", lambda a: a["cards"][0]["overrideReasons"][0].pop("display")),
    ("A4 link: url", lambda a: a["cards"][0]["links"][0].update(url="/rules/x")),
    ("A4 link: type", lambda a: a["cards"][0]["links"][0].update(appContext="x")),
    ("A4 suggestion: actions is missing or no list", lambda a: a["cards"][0]["suggestions"][0].pop("actions")),
    ("A4 action: resource", lambda a: a["cards"][0]["suggestions"][0]["actions"][0].pop("resource")),
    ("A8 coverage information", lambda a: a["systemActions"][0]["resource"].pop("extension")),
    ("A9 type", lambda a: a["systemActions"][0].update(type="create")),
    ("A9 covered: value", lambda a: part(a, "covered").update(valueCode="perhaps")),
    ("A9 covered: cardinality", lambda a: without(a, "covered")),
    ("A9 date: value", lambda a: part(a, "date").update(valueDateTime=part(a, "date").pop("valueDate"))),
    ("A9 date: cardinality", lambda a: add(a, url="date", valueDate="2026-01-01")),
    ("A9 coverage-assertion-id: cardinality", lambda a: without(a, "coverage-assertion-id")),
    ("A9 crd-ci-q1", lambda a: add(a, url="questionnaire", valueCanonical="urn:q")),
    ("A9 crd-ci-q2", lambda a: without(a, "pa-needed")),
    ("A9 crd-ci-q3", lambda a: without(a, "info-needed")),
    ("A9 crd-ci-q5", lambda a: part(a, "pa-needed").update(valueCode="satisfied")),
    ("A9 crd-ci-q6", lambda a: without(a, "reason")),
    ("A9 coverage-assertion-id", lambda a: repeat(a, coverage="Coverage/other")),
    ("A9 coverage-assertion-id", lambda a: repeat(a, assertion="another")),
]


def repeat(answer: Json, coverage: str | None = None, assertion: str | None = None) -> None:
    """Say it twice: of another Coverage under the same id, or of the same under another id."""
    resource = answer["systemActions"][0]["resource"]
    again = copy.deepcopy(resource["extension"][-1])
    resource["extension"].append(again)
    for one in again["extension"]:
        if one["url"] == "coverage" and coverage:
            one["valueReference"]["reference"] = coverage
        if one["url"] == "coverage-assertion-id" and assertion:
            one["valueString"] = assertion


@pytest.mark.parametrize(
    ("problem", "mutate"), [pytest.param(*each, id=f"{number} {each[0]}") for number, each in enumerate(MUTATIONS)]
)
def test_every_check_can_fail(noting: FlaskClient, problem: str, mutate: Callable[[Json], Any]) -> None:
    wrong = order(code={"coding": [{"code": "64461"}], "text": "Right erector spinae plane block at T5"})
    answer = call(noting, "order-sign", body_of(wrong))
    assert list(response_problems(answer, "order-sign")) == []
    mutate(answer)
    assert problem in list(response_problems(answer, "order-sign"))


@pytest.mark.parametrize(
    "document",
    [{}, [], {"services": {}}, {"services": []}, {"services": [{"hook": "h", "id": "i"}]}, {"services": [7]}],
    ids=repr,
)
def test_the_check_of_discovery_can_fail(document: Any) -> None:
    assert list(discovery_problems(document))
