"""Which MedicationAdministrations document the local anesthetic of a block."""

from __future__ import annotations

import pytest

from cds_service.chart.drugs import drug_statements

SNOMED = "http://snomed.info/sct"
DOSE = {"dose": {"value": 20, "unit": "mL"}}


def said(record):
    found = drug_statements(record.of_type("MedicationAdministration"), record)
    return [(statement.element, statement.value) for statement in found]


BOTH = [("anesthetic-agent", "ropivacaine"), ("anesthetic-amount", "20 mL")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"medicationCodeableConcept": {"text": "Ropivacaine 0.5 %"}, "dosage": DOSE}, BOTH),
        ({"medicationCodeableConcept": {"coding": [{"display": "ropivacaine HCl"}]}}, BOTH[:1]),
        ({"medicationReference": {"reference": "Medication/m"}, "dosage": DOSE}, BOTH),
        (
            {"medicationReference": {"reference": "#in"}, "contained": [{"id": "in", "code": {"text": "ropivacaine"}}]},
            BOTH[:1],
        ),
        ({"medicationReference": {"display": "ropivacaine 0.5 %"}}, BOTH[:1]),
        ({"medicationReference": {"reference": "Medication/gone"}}, []),
        ({"medicationCodeableConcept": {"text": "Cefazolin 2 g"}, "dosage": DOSE}, []),
        ({"medicationCodeableConcept": {"text": "Ropivacaine"}, "status": "not-done"}, []),
        ({"medicationCodeableConcept": {"text": "Ropivacaine"}, "status": "entered-in-error"}, []),
        ({"medicationCodeableConcept": {"text": "Ropivacaine"}, "status": ["completed"]}, BOTH[:1]),
        ({"medicationCodeableConcept": {"text": "Lidocaine 100 mg"}, "dosage": {"route": {"text": "IV push"}}}, []),
        ({"medicationCodeableConcept": {"text": "Lidocaine"}, "dosage": {"route": {"text": "Intravenous route"}}}, []),
        (
            {
                "medicationCodeableConcept": {"text": "Lidocaine"},
                "dosage": {"route": {"coding": [{"system": SNOMED, "code": "47625008"}]}},
            },
            [],
        ),
        ({"medicationCodeableConcept": {"text": "Ropivacaine"}, "dosage": {"route": {"text": "perineural"}}}, BOTH[:1]),
        ({"medicationCodeableConcept": {"text": "Ropivacaine"}, "dosage": {"dose": {"value": "many"}}}, BOTH[:1]),
        ({"medicationCodeableConcept": [], "medicationReference": 3, "dosage": "20 mL"}, []),
        ({}, []),
    ],
)
def test_the_agent_and_its_amount(given, expected, record_of):
    medication = {"resourceType": "Medication", "id": "m", "code": {"text": "Ropivacaine 5 mg/mL"}}
    record = record_of({"resourceType": "MedicationAdministration", "id": "x", **given}, medication)
    assert said(record) == expected
