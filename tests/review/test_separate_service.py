"""Whether a block stands beside the anesthesia of an operation."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cds_service.chart.model import AnesthesiaType, Chart, Operation
from cds_service.review.separate_service import Service, operated_that_day, separation

PROVEN = {"purpose": "postoperative-analgesia", "requested": True}
LOBECTOMY = Operation("Procedure/op", ("32480",), "lobectomy", None, ("Practitioner/surgeon",), ())


@pytest.mark.parametrize(
    ("block", "situation", "service", "missing"),
    [
        ({}, {}, Service.ALONE, ()),
        ({}, {"operation": True}, Service.ALONE, ()),
        (PROVEN, {"anesthesia": "general"}, Service.SEPARATE, ()),
        ({**PROVEN, "purpose": "trauma-analgesia"}, {"anesthesia": "epidural"}, Service.SEPARATE, ()),
        ({}, {"anesthesia": "general"}, Service.UNPROVEN, ("requesting-provider", "purpose")),
        ({"requested": True}, {"anesthesia": "general"}, Service.UNPROVEN, ("purpose",)),
        ({**PROVEN, "requested": False}, {"anesthesia": "general"}, Service.UNPROVEN, ("requesting-provider",)),
        ({**PROVEN, "purpose": "chronic-pain"}, {"anesthesia": "general"}, Service.UNPROVEN, ("purpose",)),
        (PROVEN, {"claim": "00540"}, Service.SEPARATE, ()),
        (PROVEN, {"claim": "00540 @2026-03-03"}, Service.ALONE, ()),
        (PROVEN, {"claim": "00540-QS"}, Service.ANESTHETIC, ()),
        (PROVEN, {"claim": "00540-QS", "anesthesia": "general"}, Service.SEPARATE, ()),
        ({"purpose": "surgical-anesthesia"}, {}, Service.ANESTHETIC, ()),
        ({}, {"anesthesia": "sedation"}, Service.ALONE, ()),
        ({}, {"anesthesia": "sedation", "operation": True}, Service.ANESTHETIC, ()),
        ({}, {"anesthesia": "block-only"}, Service.ANESTHETIC, ()),
        ({"surgeon": True}, {}, Service.SURGEONS_OWN, ()),
        ({"surgeon": False}, {}, Service.ALONE, ()),
    ],
)
def test_what_the_block_is_seen_from_the_operation(block, situation, service, missing, make_case, make_block):
    found = make_case(make_block(**block), **situation).separation
    assert (found.service, found.missing) == (service, missing)
    assert found.reportable is (service not in (Service.ANESTHETIC, Service.SURGEONS_OWN))


@pytest.mark.parametrize(
    ("performers", "days", "own"),
    [
        (("Practitioner/surgeon",), None, True),
        (("Practitioner/surgeon",), 0, True),
        (("Practitioner/surgeon",), 1, False),
        (("Practitioner/gas",), 0, False),
        ((), 0, False),
    ],
)
def test_the_surgeon_s_own_block_by_who_did_both(performers, days, own, make_case, make_block):
    case = make_case()
    block = replace(make_block(), performers=performers)
    operation = replace(LOBECTOMY, service_date=None if days is None else case.day + timedelta(days))
    chart = Chart("Encounter/1", case.day, blocks=(block,), operations=(operation,))
    assert (separation(chart, case.view, case.day, ()).service is Service.SURGEONS_OWN) is own


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        ({}, False),
        ({"claim": "00540"}, True),
        ({"claim": "00540 @2026-03-01"}, False),
        ({"anesthesia": "general"}, True),
        ({"anesthesia": "sedation"}, False),
        ({"operation": True}, True),
    ],
)
def test_whether_there_was_an_operation_that_day(situation, expected, make_case, make_block):
    case = make_case(make_block(), **situation)
    assert operated_that_day(case.chart, case.view, case.day, case.other_lines) is expected


def test_the_answer_names_what_it_rests_on(make_case, make_block):
    quotes = [e.quote for e in make_case(make_block(**PROVEN), claim="00540", anesthesia="general").separation.evidence]
    assert quotes == [AnesthesiaType.GENERAL.value, "00540", "asked for by the surgeon", "postoperative-analgesia"]
