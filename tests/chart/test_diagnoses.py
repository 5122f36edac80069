"""Diagnoses of Claims and Conditions, and the lines that point to them."""

from __future__ import annotations

import pytest

from cds_service.chart.build import all_charts
from cds_service.chart.claims import claim_facts
from cds_service.fhir.coding import ICD_10_CM, SNOMED

RIBS = {"coding": [{"system": ICD_10_CM, "code": "S22.42XA", "display": "Multiple rib fractures, left"}]}
CODE = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "64461"}]}


def coded(code, system=ICD_10_CM):
    return {"coding": [{"system": system, "code": code}]}


def read(record_of, diagnosis, *others, **item):
    """Return what a Claim with these diagnoses and one line says."""
    claim = {"resourceType": "Claim", "id": "c", "diagnosis": diagnosis, "item": [{"productOrService": CODE, **item}]}
    record = record_of(claim, *others)
    return claim_facts(record.entries[0], record)


@pytest.mark.parametrize(
    ("diagnosis", "expected"),
    [
        pytest.param(
            [{"sequence": 1, "diagnosisCodeableConcept": RIBS}],
            [(1, "S22.42XA", ICD_10_CM, "Claim/c", "diagnosis[0].diagnosisCodeableConcept.coding[0].code")],
            id="a code",
        ),
        pytest.param(
            [{"sequence": 2, "diagnosisReference": {"reference": "Condition/d"}}],
            [(2, "G89.18", ICD_10_CM, "Condition/d", "code.coding[1].code")],
            id="a Condition of the record",
        ),
        pytest.param(
            [{"sequence": 1, "diagnosisReference": {"reference": "Condition/elsewhere"}}],
            [(1, None, None, "Claim/c", "diagnosis[0]")],
            id="a Condition that is not in the record",
        ),
        pytest.param(
            [{"sequence": 1, "diagnosisCodeableConcept": {"text": "rib fractures"}}],
            [(1, None, None, "Claim/c", "diagnosis[0]")],
            id="in words only",
        ),
        pytest.param(
            [{"sequence": 1, "diagnosisCodeableConcept": {"coding": [{"code": "S22.42XA"}]}}],
            [(1, None, None, "Claim/c", "diagnosis[0]")],
            id="a code of no system",
        ),
        pytest.param(
            [{"sequence": 1, "diagnosisCodeableConcept": coded("33737001", SNOMED)}],
            [(1, "33737001", SNOMED, "Claim/c", "diagnosis[0].diagnosisCodeableConcept.coding[0].code")],
            id="of another system",
        ),
        pytest.param(
            {"sequence": "1", "diagnosisCodeableConcept": coded(" S22.42XA ", "urn:oid:2.16.840.1.113883.6.90")},
            [(1, "S22.42XA", ICD_10_CM, "Claim/c", "diagnosis[0].diagnosisCodeableConcept.coding[0].code")],
            id="no list, a number as text, the system by its OID",
        ),
        pytest.param([{}], [(None, None, None, "Claim/c", "diagnosis[0]")], id="an empty diagnosis"),
        pytest.param(
            [{"sequence": [1], "diagnosisCodeableConcept": "S22", "diagnosisReference": 7}],
            [(None, None, None, "Claim/c", "diagnosis[0]")],
            id="odd all over",
        ),
        pytest.param("S22.42XA", [], id="no diagnosis at all"),
        pytest.param(None, [], id="null"),
    ],
)
def test_diagnoses_of_a_claim(diagnosis, expected, record_of):
    condition = {
        "resourceType": "Condition",
        "id": "d",
        "code": {"coding": [{"system": ICD_10_CM}, {"system": ICD_10_CM, "code": "G89.18"}]},
    }
    found = read(record_of, diagnosis, condition).diagnoses
    assert [
        (one.sequence, one.code, one.system, one.evidence.reference, one.evidence.path) for one in found
    ] == expected


def test_a_contained_condition_and_its_words(record_of):
    claim = {
        "resourceType": "Claim",
        "id": "c",
        "contained": [{"resourceType": "Condition", "id": "in", "code": RIBS}],
        "diagnosis": [{"sequence": 1, "diagnosisReference": {"reference": "#in"}}],
    }
    record = record_of(claim)
    (found,) = claim_facts(record.entries[0], record).diagnoses
    assert (found.code, found.display) == ("S22.42XA", "Multiple rib fractures, left")
    assert found.evidence.quote == "S22.42XA"


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        pytest.param([2], ("G89.18",), id="to one"),
        pytest.param([2, 1], ("G89.18", "S22.42XA"), id="to two, in its order"),
        pytest.param([1, 1], ("S22.42XA",), id="to one twice"),
        pytest.param(2, ("G89.18",), id="no list"),
        pytest.param(["2"], ("G89.18",), id="a number as text"),
        pytest.param([9], (), id="to none that is there"),
        pytest.param([3], (), id="to one without a code"),
        pytest.param([], (), id="to none"),
        pytest.param([None, {}, True, 1.5], (), id="odd all over"),
        pytest.param(None, (), id="not stated"),
    ],
)
def test_what_a_line_points_to(pointer, expected, record_of):
    diagnosis = [
        {"sequence": 1, "diagnosisCodeableConcept": RIBS},
        {"sequence": 2, "diagnosisCodeableConcept": coded("G89.18")},
        {"sequence": 3, "diagnosisCodeableConcept": {"text": "pain"}},
        {"diagnosisCodeableConcept": coded("I10")},
    ]
    (line,) = read(record_of, diagnosis, diagnosisSequence=pointer).lines
    assert line.diagnoses == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, ["S22.42XA"], id="of the encounter"),
        pytest.param({"encounter": {"reference": "Encounter/other"}}, [], id="of another encounter"),
        pytest.param({"encounter": None}, [], id="of no encounter"),
        pytest.param({"verificationStatus": {"coding": [{"code": "refuted"}]}}, [], id="refuted"),
        pytest.param({"verificationStatus": {"coding": [{"code": "confirmed"}]}}, ["S22.42XA"], id="confirmed"),
        pytest.param({"category": [{"coding": [{"code": "problem-list-item"}]}]}, [], id="of the problem list"),
        pytest.param(
            {"category": [{"coding": [{"code": "encounter-diagnosis"}]}]}, ["S22.42XA"], id="a diagnosis by category"
        ),
        pytest.param({"code": None}, [None], id="without a code"),
    ],
)
def test_conditions_of_the_encounter(members, expected, record_of, claim, vocabulary):
    condition = {"resourceType": "Condition", "id": "d", "code": RIBS, "encounter": {"reference": "Encounter/e"}}
    record = record_of(
        {"resourceType": "Encounter", "id": "e"}, claim("c", "64461", encounter="Encounter/e"), {**condition, **members}
    )
    chart = next(chart for chart in all_charts(record, vocabulary) if chart.encounter == "Encounter/e")
    assert [one.code for one in chart.conditions] == expected
