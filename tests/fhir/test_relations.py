"""What documents say of one another."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.bundle import from_bundle
from cds_service.fhir.relations import amended, in_order, superseded


def record(*documents: dict[str, Any]) -> Any:
    entries = [
        {"resource": {"resourceType": "DocumentReference", "status": "current", "id": f"d{number}", **members}}
        for number, members in enumerate(documents, 1)
    ]
    return from_bundle({"resourceType": "Bundle", "type": "collection", "entry": entries})


def relates(code: str, *targets: Any) -> dict[str, Any]:
    return {"relatesTo": [{"code": code, "target": {"reference": target}} for target in targets]}


D1, D2, D3 = (f"DocumentReference/d{number}" for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        pytest.param([{}, relates("replaces", D1)], {D1}, id="replaced"),
        pytest.param([relates("replaces", D2), relates("replaces", D3), {}], {D2, D3}, id="chain"),
        pytest.param([{}, relates("replaces", f"https://ehr.example/fhir/{D1}")], {D1}, id="absolute"),
        pytest.param([{}, {**relates("replaces", D1), "status": "entered-in-error"}], set(), id="by-one-in-error"),
        pytest.param([{}, {**relates("replaces", D1), "docStatus": "preliminary"}], set(), id="by-a-draft"),
        pytest.param([relates("replaces", D2), relates("replaces", D1)], set(), id="each-other"),
        pytest.param([relates("replaces", D1)], set(), id="itself"),
        pytest.param([{}, relates("appends", D1), relates("signs", D1)], set(), id="other-relations"),
        pytest.param([{"relatesTo": {"code": "replaces"}}, {"relatesTo": [3, None]}], set(), id="odd"),
    ],
)
def test_superseded(documents: list[dict[str, Any]], expected: set[str]) -> None:
    assert superseded(record(*documents)) == expected


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([{}, relates("appends", D1)], {D2: {D1}}),
        ([{"docStatus": "amended"}, {"docStatus": "final"}], {D1: set()}),
        ([{}, {**relates("appends", D1), "status": "superseded"}], {}),
        ([{}, relates("replaces", D1)], {}),
    ],
)
def test_amended(documents: list[dict[str, Any]], expected: dict[str, set[str]]) -> None:
    assert amended(record(*documents)) == expected


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([relates("appends", D2), {}, {}], ["d2", "d3", "d1"]),
        ([relates("appends", D2), relates("appends", D3), {}], ["d3", "d2", "d1"]),
        ([relates("appends", D2), relates("appends", D1)], ["d1", "d2"]),
        ([relates("appends", D1, "DocumentReference/elsewhere"), {}], ["d1", "d2"]),
    ],
)
def test_order(documents: list[dict[str, Any]], expected: list[str]) -> None:
    whole = record(*documents)
    assert [entry.resource["id"] for entry in in_order(whole.of_type("DocumentReference"), whole)] == expected
