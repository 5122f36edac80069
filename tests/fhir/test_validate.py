"""Strict reading: reasons that name the element and hold no value."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir import validate

SECRET = "JaneRoe"
PATIENT = {"reference": "Patient/1"}
VALID: dict[str, dict[str, Any]] = {
    "Procedure": {"resourceType": "Procedure", "status": "completed", "subject": PATIENT},
    "ServiceRequest": {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "subject": PATIENT},
    "Claim": {
        "resourceType": "Claim",
        "status": "active",
        "use": "claim",
        "type": {"text": "professional"},
        "priority": {"text": "normal"},
        "patient": PATIENT,
        "created": "2026-03-02",
        "provider": {"reference": "Organization/1"},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/1"}}],
        "item": [{"sequence": 1, "productOrService": {"text": "64461"}}],
    },
}


@pytest.mark.parametrize("kind", VALID)
def test_valid(kind: str) -> None:
    resource = copy.deepcopy(VALID[kind])
    assert validate.problem(resource) is None
    assert resource == VALID[kind]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("Procedure", {"id": "x" * 200}),
        ("Procedure", {"code": {"coding": [{}]}}),
        (
            "Procedure",
            {"status": None, "_status": {"extension": [{"url": "http://x.org/absent", "valueCode": "unknown"}]}},
        ),
        ("Procedure", {"performedDateTime": "2026-03-02T10:00:00-05:00"}),
    ],
)
def test_what_real_clients_send_is_valid(kind: str, change: dict[str, Any]) -> None:
    resource = {name: value for name, value in {**VALID[kind], **change}.items() if value is not None}
    assert validate.problem(resource) is None


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("Procedure", {"status": None}, "status is missing"),
        ("Procedure", {"status": SECRET}, "status is not one of FHIR's codes"),
        ("Procedure", {"status": ["completed"]}, "status is not one of FHIR's codes"),
        ("Procedure", {"subject": None}, "subject is missing"),
        ("Procedure", {"performedDateTime": SECRET}, "performedDateTime is not valid"),
        ("Procedure", {"code": SECRET}, "code is not valid"),
        ("Procedure", {SECRET: "x"}, "the resource holds a member that FHIR does not define"),
        ("Procedure", {"code": {SECRET: "x"}}, "code holds a member that FHIR does not define"),
        ("Procedure", {"note": [{"text": "x"}, {}]}, "note[1].text is missing"),
        ("Procedure", {"bodySite": [{"coding": [{"code": 3}]}]}, "bodySite[0].coding[0].code is not a string"),
        ("Procedure", {"contained": [{"resourceType": SECRET}]}, "holds a part that is not FHIR R4"),
        (
            "Procedure",
            {"performedDateTime": "2026-03-02", "performedString": SECRET},
            "the resource is not valid",
        ),
        ("Claim", {"status": "final"}, "status is not one of FHIR's codes"),
        ("Claim", {"use": None}, "use is missing"),
        ("Claim", {"use": "bill"}, "use is not one of FHIR's codes"),
        ("Claim", {"insurance": None}, "insurance is missing"),
        ("Claim", {"item": [{"sequence": 1}]}, "item[0].productOrService is missing"),
        ("Claim", {"item": [{"sequence": SECRET, "productOrService": {}}]}, "item[0].sequence is not valid"),
        ("ServiceRequest", {"intent": None}, "intent is missing"),
        ("ServiceRequest", {"intent": "wish"}, "intent is not one of FHIR's codes"),
        ("ServiceRequest", {"occurrenceDateTime": 2**70}, "is not JSON that can be read"),
    ],
)
def test_invalid(kind: str, change: dict[str, Any], reason: str) -> None:
    resource = {name: value for name, value in {**VALID[kind], **change}.items() if value is not None}
    assert validate.problem(resource) == reason
    assert validate.problem(resource) == reason


@pytest.mark.parametrize(
    "resource", [{}, {"resourceType": "Patient"}, {"resourceType": ["Claim"]}, {"resourceType": None}]
)
def test_other_types_are_not_looked_at(resource: dict[str, Any]) -> None:
    assert validate.problem(resource) is None


def test_content_seen_before_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = {**VALID["Procedure"], "id": "seen-before"}
    assert validate.problem(resource) is None
    monkeypatch.setattr(validate, "_model", None)
    assert validate.problem(dict(reversed(resource.items()))) is None


def test_changed_content_is_parsed_again() -> None:
    assert validate.problem({**VALID["Procedure"], "id": "a"}) is None
    assert validate.problem({**VALID["Procedure"], "id": ["a"]}) is not None


def test_models_can_be_loaded_at_start() -> None:
    validate.load()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["coding", "code", "system", "text", "reference", "extension", "x"]), inner)
    ),
    max_leaves=10,
)


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(VALID)),
    st.dictionaries(
        st.sampled_from(["code", "subject", "item", "note", "contained", "status", "extension", "id"]), JSON
    ),
)
def test_any_json_is_judged(kind: str, change: dict[str, Any]) -> None:
    found = validate.problem({**VALID[kind], **change})
    assert found is None or found.strip()
