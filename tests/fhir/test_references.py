"""References as strings, and as a record resolves them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.bundle import from_bundle
from cds_service.fhir.references import contained_id, index_keys, reference_id

UUID = "urn:uuid:6F1E2A94-0000-4000-8000-00000000000a"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("Claim/1", "Claim/1"),
        ({"reference": "Claim/1"}, "Claim/1"),
        ({"reference": " Claim/1 "}, "Claim/1"),
        ({"reference": "Claim/1", "type": "Claim", "display": "the claim"}, "Claim/1"),
        ("Claim/1/_history/2", "Claim/1"),
        ("https://ehr.example/r4/Claim/1", "Claim/1"),
        ("http://ehr.example:8080/a/b/Claim/1/_history/7", "Claim/1"),
        (f"Claim/{'x' * 200}", f"Claim/{'x' * 200}"),
        ("Claim/1#c1", "Claim/1#c1"),
        (UUID, UUID.lower()),
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("#c1", None),
        ("#", None),
        ({"identifier": {"system": "s", "value": "1"}}, None),
        ({"display": "someone"}, None),
        ({"reference": None}, None),
        ({"reference": 7}, None),
        ({"reference": ["Claim/1"]}, None),
        ({}, None),
        ("", None),
        ("Claim", None),
        ("Claim/", None),
        ("/1", None),
        ("claim/1", None),
        ("Claim?identifier=1", None),
        ("https://ehr.example/r4/Claim?identifier=1", None),
        ("ftp://ehr.example/Claim/1", None),
        ("Claim/1/2", None),
        (None, None),
        (1, None),
        ([], None),
    ],
)
def test_reference_id(reference: Any, expected: str | None) -> None:
    assert reference_id(reference) == expected


@pytest.fixture
def record() -> Any:
    contained = [{"resourceType": "Coverage", "id": "c1"}, {"resourceType": "Organization", "id": "#c2"}]
    claim = {"resourceType": "Claim", "id": "1", "contained": contained}
    nameless = {"resourceType": "Procedure", "contained": [{"resourceType": "Location", "id": "c1"}]}
    entries = [
        {"fullUrl": "https://ehr.example/r4/Claim/1", "resource": claim},
        {"fullUrl": UUID, "resource": {"resourceType": "Encounter"}},
        {"fullUrl": "https://ehr.example/r4/Patient/9", "resource": {"resourceType": "Patient"}},
        {"resource": nameless},
    ]
    return from_bundle({"resourceType": "Bundle", "entry": entries})


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("Claim/1", "Claim"),
        ({"reference": "Claim/1/_history/4"}, "Claim"),
        ("https://ehr.example/r4/Claim/1", "Claim"),
        ("https://ehr.example/r4/Claim/1/_history/4", "Claim"),
        ("https://inside.example/Claim/1", "Claim"),
        (UUID, "Encounter"),
        (UUID.lower(), "Encounter"),
        (UUID.upper().replace("URN:UUID", "urn:uuid"), "Encounter"),
        ("Patient/9", "Patient"),
        ("Claim/1#c1", "Coverage"),
    ],
)
def test_resolves(record: Any, reference: Any, kind: str) -> None:
    assert record.resolve(reference).type == kind


@pytest.mark.parametrize(
    "reference", ["Claim/2", "Procedure/1", "Procedure", "urn:uuid:0", "#c1", {}, None, 3, [], "#"]
)
def test_does_not_resolve(record: Any, reference: Any) -> None:
    assert record.resolve(reference) is None


def test_contained_references_mean_something_inside_their_resource_only(record: Any) -> None:
    claim, nameless = record.of_type("Claim")[0], record.of_type("Procedure")[0]
    assert record.resolve("#c1", claim).type == "Coverage"
    assert record.resolve({"reference": "#c2"}, claim).type == "Organization"
    assert record.resolve("#c1", nameless).type == "Location"
    assert record.resolve("#c3", claim) is None


def test_contained_resources_refer_to_each_other_and_to_their_holder(record: Any) -> None:
    claim, coverage = record.of_type("Claim")[0], record.of_type("Coverage")[0]
    assert record.resolve("#c2", coverage).type == "Organization"
    assert record.resolve("#", coverage) is claim


@pytest.mark.parametrize(
    ("reference", "expected"),
    [("Claim/1/_history/2", "Claim/1"), (UUID, UUID), ("Practitioner/3", "Practitioner/3"), ({"display": "x"}, None)],
)
def test_identity_is_the_entry_else_the_reference_itself(record: Any, reference: Any, expected: str | None) -> None:
    assert record.identity(reference) == expected


@given(st.text() | st.dictionaries(st.just("reference"), st.text() | st.integers()))
def test_any_string_is_read(reference: Any) -> None:
    reference_id(reference)
    contained_id(reference)
    index_keys(reference)
