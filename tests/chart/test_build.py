"""From records to charts."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.chart.build import all_charts, chart_of_encounter
from cds_service.chart.model import NotesState
from cds_service.fhir.prefetch import from_prefetch

E1, E2 = {"encounter": {"reference": "Encounter/1"}}, {"encounter": {"reference": "Encounter/2"}}
ENCOUNTER = {"resourceType": "Encounter", "id": "1", "status": "finished", "class": {"code": "IMP"}}
OTHER = {**ENCOUNTER, "id": "2"}
NOTE = "Right T4 paravertebral block performed with 20 mL ropivacaine 0.5 %."


def charts(record, vocabulary):
    return [
        (chart.encounter, [block.technique.value for block in chart.blocks]) for chart in all_charts(record, vocabulary)
    ]


def test_a_single_encounter_always_has_a_chart(record_of, vocabulary):
    assert charts(record_of(ENCOUNTER), vocabulary) == [("Encounter/1", [])]
    assert charts(record_of(ENCOUNTER, OTHER), vocabulary) == []
    assert charts(record_of(), vocabulary) == []


@pytest.mark.parametrize(
    ("status", "site", "disputed"),
    [
        ("completed", "right", True),
        ("completed", "left", False),
        ("completed", "both sides", False),
        ("not-done", "right", False),
        ("entered-in-error", "right", False),
    ],
)
def test_title_and_body_site_of_a_procedure_may_name_two_sides(
    status, site, disputed, record_of, procedure, vocabulary
):
    members = {**E1, "status": status, "bodySite": [{"text": site}]}
    record = record_of(ENCOUNTER, procedure("p", "64461", "Left T5 paravertebral block", **members))
    found = [dispute.element for chart in all_charts(record, vocabulary) for dispute in chart.contradictions]
    assert found == ["laterality"] * disputed


def test_a_code_in_the_details_of_a_claim_line_is_about_a_block(record_of, vocabulary):
    detail = {"productOrService": {"coding": [{"code": "64461"}]}}
    item = {"revenue": {"text": "0360"}, "detail": [detail], "encounter": [{"reference": "Encounter/1"}]}
    record = record_of(ENCOUNTER, OTHER, {"resourceType": "Claim", "id": "c", "status": "active", "item": [item]})
    (chart,) = all_charts(record, vocabulary)
    assert [line.path for line in chart.claims[0].lines] == ["item[0].detail[0]"]


@pytest.mark.parametrize("text", ["Urinary catheter removed.", "Injection given.", "Heart block on ECG."])
def test_of_several_encounters_those_without_a_block_have_none(text, record_of, procedure, document, vocabulary):
    record = record_of(
        ENCOUNTER,
        OTHER,
        procedure("p", "64461", **E1),
        document("n", text, context={"encounter": [{"reference": "Encounter/2"}]}),
    )
    assert charts(record, vocabulary) == [("Encounter/1", ["paravertebral"])]


def test_a_cancelled_claim_reports_nothing(record_of, claim, vocabulary):
    record = record_of(ENCOUNTER, OTHER, claim("c", "64461", encounter="Encounter/1", status="cancelled"))
    assert charts(record, vocabulary) == []


@pytest.mark.parametrize("text", ["Urinary catheter removed.", "No block."])
def test_a_discharge_without_a_block_has_no_chart(text, document, vocabulary):
    note = document("n", text)
    record = from_prefetch({"encounterId": "1"}, {"documents": note})
    assert chart_of_encounter(record, vocabulary) is None


def test_without_an_encounter_named_there_is_no_chart_of_one(record_of, procedure, vocabulary):
    assert chart_of_encounter(record_of(procedure("p", "64461")), vocabulary) is None


def test_the_annotation_of_an_operation_that_speaks_of_a_block_is_a_note(record_of, procedure, vocabulary):
    record = record_of(ENCOUNTER, procedure("op", "32480", "Lobectomy", note=[{"text": NOTE}], **E1))
    (chart,) = all_charts(record, vocabulary)
    assert chart.notes is NotesState.READ
    assert [block.technique.value for block in chart.blocks] == ["paravertebral"]
    assert [operation.reference for operation in chart.operations] == ["Procedure/op"]


def test_an_operation_with_a_catheter_is_an_operation(record_of, procedure, vocabulary):
    record = record_of(procedure("p", "64461"), procedure("op", "32480", "Lobectomy with drainage catheter"))
    (chart,) = all_charts(record, vocabulary)
    assert [operation.reference for operation in chart.operations] == ["Procedure/op"]


def test_only_the_reason_of_the_block_is_its_indication(record_of, procedure, vocabulary):
    record = record_of(
        procedure("op", "32480", reasonCode=[{"text": "Lung cancer"}]),
        procedure("p", "64461", reasonCode=[{"text": "Pain after thoracotomy"}]),
    )
    (chart,) = all_charts(record, vocabulary)
    assert [s.value for s in chart.statements if s.element == "indication"] == ["Pain after thoracotomy"]


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        (["performed", "claim", "encounter"], date(2026, 3, 1)),
        (["claim", "encounter"], date(2026, 3, 2)),
        (["encounter"], date(2026, 3, 3)),
        ([], None),
    ],
)
def test_the_date_of_service_is_the_best_there_is(resources, expected, record_of, procedure, claim, vocabulary):
    period = {"period": {"start": "2026-03-03"}} if "encounter" in resources else {}
    performed = {"performedDateTime": "2026-03-01"} if "performed" in resources else {}
    found = [{**ENCOUNTER, **period}, procedure("p", "64461", **E1, **performed)]
    found += [claim("c", "64461", day="2026-03-02", encounter="Encounter/1")] if "claim" in resources else []
    (chart,) = all_charts(record_of(*found), vocabulary)
    assert chart.date_of_service == expected


def test_what_is_about_another_patient_is_not_judged_and_named(procedure, claim, vocabulary):
    mine, yours = {"subject": {"reference": "Patient/me"}}, {"subject": {"reference": "Patient/you"}}
    prefetch = {
        "procedures": bundle(procedure("a", "64461", **mine), procedure("b", "64420", **yours)),
        "claims": bundle(claim("c", "64420", patient={"reference": "Patient/you"})),
    }
    chart = chart_of_encounter(from_prefetch({"patientId": "me", "encounterId": "1"}, prefetch), vocabulary)
    assert [block.technique.value for block in chart.blocks] == ["paravertebral"]
    assert chart.claims == ()
    assert {subject for subject, reason in chart.not_read if "another patient" in reason} == {"Procedure/b", "Claim/c"}


def bundle(*resources):
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources]}


@pytest.mark.parametrize(
    ("requester", "requested"), [("Practitioner/surgeon", True), ("Practitioner/gas", None), (None, None)]
)
def test_the_order_behind_a_block_is_its_request(requester, requested, record_of, procedure, vocabulary):
    order = {"resourceType": "ServiceRequest", "id": "s", "status": "active", "code": {"coding": [{"code": "64461"}]}}
    order |= {"requester": {"reference": requester}} if requester else {}
    done = procedure("p", "64461", performer=[{"actor": {"reference": "Practitioner/gas"}}])
    (chart,) = all_charts(record_of(done, order), vocabulary)
    assert (chart.blocks[0].requested and chart.blocks[0].requested.value) == requested


def test_what_is_not_valid_is_named_and_read_as_far_as_it_goes(record_of, procedure, claim, vocabulary):
    record = record_of(procedure("p", "64461", status="finished"), claim("c", "64461", status="sent"))
    (chart,) = all_charts(record, vocabulary)
    assert len(chart.blocks) == 1
    assert not chart.claims[0].valid
    assert {subject for subject, _ in chart.not_read} >= {"Procedure/p", "Claim/c"}
