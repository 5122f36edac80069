"""Procedures: blocks, operations, anesthesia, and who did them."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.chart import procedures
from cds_service.chart.narrative.reading import Status

SNOMED = "http://snomed.info/sct"
ESP = {"system": SNOMED, "code": "789172006"}
SURGICAL = {"category": {"coding": [{"system": SNOMED, "code": "387713003"}]}}


def first(record):
    return record.of_type("Procedure")[0]


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        ("64461", None, True),
        (None, "Right T4 paravertebral block", True),
        (None, "Insertion of central venous catheter", False),
        (None, "Thoracoscopy with chest catheter", False),
        (None, "Injection of contrast", False),
        ("32480", "Lobectomy", False),
        (None, None, False),
    ],
)
def test_which_procedures_are_blocks(code, words, expected, record_of, procedure, vocabulary):
    assert procedures.is_block(first(record_of(procedure("p", code, words))), vocabulary) is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", [Status.PERFORMED]),
        ("in-progress", [Status.PERFORMED]),
        (None, [Status.PERFORMED]),
        (["not-done"], [Status.PERFORMED]),
        ("not-done", [Status.NOT_DONE]),
        ("stopped", [Status.NOT_DONE]),
        ("preparation", [Status.PLANNED]),
        ("entered-in-error", []),
    ],
)
@pytest.mark.parametrize("words", [None, "Right T4 paravertebral block"])
def test_what_its_status_says(status, words, expected, record_of, procedure, vocabulary):
    record = record_of(procedure("p", "64461", words, status=status))
    assert [t.status for t in procedures.tellings(first(record), record, vocabulary)] == expected


def test_what_a_code_claims_is_kept_apart_from_what_is_told(record_of, procedure, vocabulary):
    record = record_of(
        procedure("p", "64462", side="right", levels="T4", performedDateTime="2026-03-02T23:50:00-05:00")
    )
    (telling,) = procedures.tellings(first(record), record, vocabulary)
    assert telling.coded
    assert telling.block.site_count is None
    assert (telling.by_code.site_count.low, telling.by_code.site_count.high) == (2, None)
    assert telling.block.service_date == date(2026, 3, 2)
    assert telling.block.reported_codes == ("64462",)


def test_words_of_another_technique_are_not_a_repetition_of_the_code(record_of, procedure, vocabulary):
    record = record_of(procedure("p", "64461", "Left erector spinae plane block"))
    (telling,) = procedures.tellings(first(record), record, vocabulary)
    assert (telling.coded, telling.by_code, telling.block.technique.value) == (False, None, "fascial-plane")


def test_a_concept_is_quoted_where_it_stands(record_of, vocabulary):
    coding = ["odd", {"system": "http://loinc.org", "code": "1-1"}, ESP]
    record = record_of({"resourceType": "Procedure", "id": "p", "code": {"coding": coding}})
    (telling,) = procedures.tellings(first(record), record, vocabulary)
    assert (telling.block.evidence[0].path, telling.block.evidence[0].quote) == ("code.coding[2].code", "789172006")


def test_a_title_is_quoted_where_it_stands(record_of, vocabulary):
    coding = [None, {"code": "64461", "display": "Right T4 paravertebral block"}]
    record = record_of({"resourceType": "Procedure", "id": "p", "code": {"coding": coding}})
    (telling,) = procedures.tellings(first(record), record, vocabulary)
    assert telling.block.evidence[0].path == "code.coding[1].display"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"code": {"coding": [{"code": "32480"}]}}, True),
        ({"code": {"text": "Lobectomy"}, **SURGICAL}, True),
        ({"code": {"text": "Lobectomy"}}, False),
        ({"code": {"coding": [{"code": "36556"}]}}, False),
        ({"code": {"coding": [{"code": "64461"}]}}, False),
        ({"code": {"coding": [{"code": "32480"}]}, "status": "not-done"}, False),
        ({"code": {"coding": [{"code": "32480"}]}, "status": "preparation"}, False),
        ({"code": {"coding": [{"code": "32480"}]}, "status": "entered-in-error"}, False),
        ({"code": {"coding": [{"code": "32480"}]}, "status": {}}, True),
        ({}, False),
    ],
)
def test_which_procedures_are_operations(members, expected, record_of):
    record = record_of({"resourceType": "Procedure", "id": "p", **members})
    assert (procedures.operation(first(record), record) is not None) is expected


def by(actor, function=None):
    return {"actor": {"reference": actor}, **({"function": {"text": function}} if function else {})}


A, B, ROLE = "Practitioner/a", "Practitioner/b", "PractitionerRole/r"


@pytest.mark.parametrize(
    ("performers", "surgeons"),
    [
        ([by(A)], (A,)),
        ([by(A), by(A)], (A,)),
        ([by(A), by(B)], ()),
        ([by(A), by(B, "Primary surgeon")], (B,)),
        ([by(A, "Surgeon"), by(B, "Surgeon")], (A, B)),
        ([by(A), by(B, "Anaesthetist")], (A,)),
        ([by(A, "Surgical assistant"), by(B, "Circulating nurse")], ()),
        ([by(ROLE, "Surgeon")], ("Practitioner/2",)),
        ([{"actor": {"display": "nobody known"}}, "odd", {"function": 7}], ()),
        ("odd", ()),
    ],
)
def test_who_operated(performers, surgeons, record_of, procedure):
    role = {"resourceType": "PractitionerRole", "id": "r", "practitioner": {"reference": "Practitioner/2"}}
    record = record_of(procedure("p", "32480", performer=performers), role)
    assert procedures.operation(first(record), record).performers == surgeons


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"code": {"coding": [{"system": SNOMED, "code": "50697003"}]}}, ["general"]),
        ({"code": {"coding": [{"system": SNOMED, "code": "50697003"}]}, "status": "not-done"}, []),
        ({"code": {"text": "General anesthesia"}}, ["general"]),
        ({"code": {"text": "General anaesthesia"}}, ["general"]),
        ({"code": {"text": "Lobectomy"}}, []),
        ({"code": 7}, []),
    ],
)
def test_which_anesthesia_a_procedure_records(members, expected, record_of):
    record = record_of({"resourceType": "Procedure", "id": "p", **members})
    assert [fact.value.value for fact in procedures.anesthesia(first(record))] == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"reasonCode": [{"text": "Rib fractures"}]}, ("reasonCode[0]", "Rib fractures")),
        (
            {"reasonCode": [7, {"coding": []}, {"coding": [{"display": "Rib fractures"}]}]},
            ("reasonCode[2]", "Rib fractures"),
        ),
        ({"reasonCode": [{"text": "Rib fractures"}], "status": "not-done"}, None),
        ({"reasonCode": [{"text": "Rib fractures"}], "status": "entered-in-error"}, None),
        ({"reasonCode": "Rib fractures"}, None),
        ({}, None),
    ],
)
def test_the_reason_it_states(members, expected, record_of):
    found = procedures.reason(first(record_of({"resourceType": "Procedure", "id": "p", **members})))
    assert (found and (found.path, found.quote)) == expected
