"""Draft orders about blocks, and the request behind a block that was done."""

from __future__ import annotations

import pytest

from cds_service.chart.build import chart_of_orders
from cds_service.chart.model import Side, Technique
from cds_service.chart.orders import is_block_order, order_facts, ordered_blocks, request_of, side_disputes
from cds_service.fhir.bundle import entry_of
from cds_service.fhir.coding import BILLING_OPTIONS
from cds_service.fhir.prefetch import from_prefetch

LEFT = {"system": "http://snomed.info/sct", "code": "7771000"}


def order(code="64461", words=None, **members):
    concept = {"coding": [{"code": code}] if code else [], **({"text": words} if words else {})}
    return {
        "resourceType": "ServiceRequest",
        "id": "s",
        "status": "draft",
        "intent": "order",
        "code": concept,
        **members,
    }


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (order(), True),
        (order(None, "Right T4 paravertebral block"), True),
        (order("93000"), False),
        (order(None, "Urinary catheter"), False),
        (order(None, "Chest X-ray"), False),
        (order(status="revoked"), False),
        (order(status="entered-in-error"), False),
        (order(status=["revoked"]), True),
        (order("72148", "MRI lumbar spine, r/o facet block candidate"), False),
        (order("72148", "MRI before planned facet joint injection"), False),
        (order(None, "Pain consult, had a right T6 paravertebral block last week"), False),
        (order(None, "Consider right T6 paravertebral block"), False),
        (order("64461", "Plan right T6 paravertebral block"), True),
        (order(None, "Consult to pain management: evaluate for facet injections vs RFA"), False),
        (order("64415", "Right T6 paravertebral block"), True),
        (order(doNotPerform=True), False),
        (order(doNotPerform=False), True),
        ({**order(), "resourceType": "MedicationRequest"}, False),
        ({"resourceType": "ServiceRequest", "code": [7]}, False),
    ],
)
def test_which_orders_are_about_a_block(resource, expected, vocabulary):
    entry = entry_of(resource)
    assert is_block_order(entry, vocabulary) is expected
    assert bool(ordered_blocks(entry, vocabulary)) is expected


@pytest.mark.parametrize(
    ("resource", "line"),
    [
        (order(), ("64461", 1)),
        (order("64462", quantityQuantity={"value": 3}), ("64462", 3)),
        (order("64462", quantityQuantity={"value": None}), ("64462", 1)),
        (order(None, "64462 x2"), ("64462", 2)),
        (order("76942"), ("76942", 1)),
        (order("93000"), None),
        (order("64999", "Right T6 paravertebral block"), ("64999", 1)),
        (order("64999", "Open repair of a nerve"), None),
        (order(status="revoked"), None),
    ],
)
def test_an_order_as_a_line(resource, line, vocabulary):
    facts = order_facts(entry_of(resource), vocabulary)
    assert (facts and (facts.line.code, facts.line.units)) == line


@pytest.mark.parametrize(
    ("resource", "technique", "side", "continuous"),
    [
        (order(), Technique.PARAVERTEBRAL, None, False),
        (order("64463"), Technique.PARAVERTEBRAL, None, True),
        (order("64468"), Technique.FASCIAL_PLANE, Side.BILATERAL, False),
        (order(bodySite=[{"text": "Right T4"}]), Technique.PARAVERTEBRAL, Side.RIGHT, False),
        (order("64461", "Left erector spinae plane block"), Technique.FASCIAL_PLANE, Side.LEFT, None),
        (order("64461", "Continuous paravertebral block"), Technique.PARAVERTEBRAL, None, True),
        (
            order("64461", "Left PVB", orderDetail=[{"text": "Catheter at T5"}]),
            Technique.PARAVERTEBRAL,
            Side.LEFT,
            True,
        ),
        (order("64461", orderDetail=[{"text": "Laterality: Left"}]), Technique.PARAVERTEBRAL, Side.LEFT, False),
        (order("64461", orderDetail=[7, {"text": "both sides"}]), Technique.PARAVERTEBRAL, Side.BILATERAL, False),
        (order("64461", orderDetail=[{"text": "right lateral decubitus"}]), Technique.PARAVERTEBRAL, None, False),
        (order("64461", orderDetail=[{"text": "Left"}, {"text": "Rt"}]), Technique.PARAVERTEBRAL, None, False),
        (order("64461", orderDetail=[{"coding": [LEFT]}]), Technique.PARAVERTEBRAL, Side.LEFT, False),
        (
            order("64461", orderDetail=[{"text": "right"}], bodySite=[{"coding": [LEFT]}]),
            Technique.PARAVERTEBRAL,
            Side.LEFT,
            False,
        ),
        (order("64461", "PVB", orderDetail=[{}, {"text": "left T5"}]), Technique.PARAVERTEBRAL, Side.LEFT, None),
    ],
)
def test_what_an_order_asks_for(resource, technique, side, continuous, vocabulary):
    (block,) = ordered_blocks(entry_of(resource), vocabulary)
    assert (block.technique, block.side and block.side.value) == (technique, side)
    assert (block.continuous and block.continuous.value) == continuous
    assert block.reported_codes == (resource["code"]["coding"][0]["code"],)


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"code": {"coding": [{"code": "x", "system": "urn:own"}, {"code": "64461"}]}}, "code.coding[1].code"),
        ({"code": {"text": "CPT 64461"}}, "code.text"),
        ({"orderDetail": [{"coding": [{"code": "64461"}]}]}, "code.coding[0].code"),
        ({"code": {}, "orderDetail": [{}, {"coding": [{"code": "64461"}]}]}, "orderDetail[1].coding[0].code"),
        (
            {
                "code": {
                    "extension": [{"url": BILLING_OPTIONS, "valueCodeableConcept": {"coding": [{"code": "64461"}]}}]
                }
            },
            "code.extension[0].valueCodeableConcept.coding[0].code",
        ),
    ],
)
def test_evidence_says_where_the_code_of_an_order_stands(members, path, vocabulary):
    entry = entry_of({**order(), **members})
    (block,) = ordered_blocks(entry, vocabulary)
    (evidence,) = block.evidence
    assert (evidence.path, evidence.quote) == (path, "64461")
    assert evidence.path.startswith(f"{order_facts(entry, vocabulary).line.path}.")


@pytest.mark.parametrize(
    ("resource", "disputed"),
    [
        (order("64461", "Left T5 paravertebral block", bodySite=[{"text": "right"}]), True),
        (order("64461", "Left T5 paravertebral block", orderDetail=[{"text": "Laterality: right"}]), True),
        (order(None, "Left T5 paravertebral block", bodySite=[{"text": "right"}]), True),
        (order("64461", "Left T5 paravertebral block", bodySite=[{"coding": [LEFT]}]), False),
        (order("64461", "Left T5 paravertebral block", bodySite=[{"text": "both sides"}]), False),
        (order("64461", "Paravertebral block", bodySite=[{"text": "right"}]), False),
        (order("64461", "Left T5 paravertebral block", bodySite=[{"text": "right"}], doNotPerform=True), False),
    ],
)
def test_words_and_body_site_of_an_order_may_name_two_sides(resource, disputed, vocabulary):
    assert [dispute.element for dispute in side_disputes(entry_of(resource), vocabulary)] == ["laterality"] * disputed


def test_the_words_of_a_coding_stand_in_for_those_of_the_order(vocabulary):
    code = {"coding": [{"code": "X1"}, {"display": "Right T5 paravertebral block"}]}
    (block,) = ordered_blocks(entry_of({**order(), "code": code}), vocabulary)
    assert block.evidence[0].path == "code.coding[1].display"
    both = {**code, "text": "Urinary catheter"}
    assert ordered_blocks(entry_of({**order(), "code": both}), vocabulary) == ()


def test_evidence_says_in_which_words_of_an_order_it_stands(vocabulary):
    resource = order(words="Right paravertebral block", orderDetail=[{}, {"text": "catheter, T5"}])
    (block,) = ordered_blocks(entry_of(resource), vocabulary)
    (catheter,), (level,) = block.continuous.evidence, block.sites[0].evidence
    assert (catheter.path, catheter.quote, catheter.start) == ("orderDetail[1].text", "catheter", 0)
    assert (level.path, level.quote, level.start) == ("orderDetail[1].text", "T5", 10)
    assert [evidence.path for evidence in block.evidence] == ["code.text"]


@pytest.mark.parametrize(
    ("requester", "performers", "requested"),
    [
        ("Practitioner/surgeon", {"Practitioner/anes"}, True),
        ("Practitioner/anes", {"Practitioner/anes"}, False),
        (None, {"Practitioner/anes"}, False),
        ("Practitioner/surgeon", set(), False),
    ],
)
def test_whoever_did_it_did_not_ask_for_it(requester, performers, requested, vocabulary):
    found = request_of(entry_of(order()), vocabulary, frozenset(performers), requester)
    assert (found is not None) is requested


def drafts(*resources, **context):
    entries = [{"resource": resource} for resource in resources]
    return from_prefetch({"draftOrders": {"resourceType": "Bundle", "entry": entries}, **context}, {})


def test_withdrawn_drafts_and_those_for_others_are_not_read(vocabulary):
    record = drafts(
        order(id="mine", subject={"reference": "Patient/me"}),
        order("64466", id="withdrawn", status="revoked"),
        order("64420", id="yours", subject={"reference": "Patient/you"}),
        patientId="me",
        encounterId="1",
    )
    chart = chart_of_orders(record, vocabulary)
    assert [block.technique for block in chart.blocks] == [Technique.PARAVERTEBRAL]
    assert [fact.reference for fact in chart.orders] == ["ServiceRequest/mine"]
    assert ("ServiceRequest/yours", "is about another patient, so it was left out") in chart.not_read
    assert chart.encounter == "Encounter/1"


def test_drafts_for_others_alone_give_no_chart(vocabulary):
    record = drafts(order(subject={"reference": "Patient/you"}), patientId="me")
    assert chart_of_orders(record, vocabulary) is None
