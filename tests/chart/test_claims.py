"""Claims as lines."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.chart.claims import bills, claim_facts, encounters


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, True),
        ({"status": "draft"}, True),
        ({"status": "cancelled"}, False),
        ({"status": "entered-in-error"}, False),
        ({"use": "preauthorization"}, False),
        ({"use": "predetermination"}, False),
        ({"status": ["cancelled"], "use": {}}, True),
    ],
)
def test_what_bills(members, expected, record_of):
    assert bills(record_of({"resourceType": "Claim", "id": "c", **members}).entries[0]) is expected


CODE = {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "64461"}]}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"productOrService": CODE}, ("64461", 1, (), None)),
        ({"productOrService": CODE, "quantity": {"value": 3}}, ("64461", 3, (), None)),
        ({"productOrService": CODE, "quantity": {"value": 0}}, ("64461", 0, (), None)),
        ({"productOrService": CODE, "quantity": {"value": "two"}}, ("64461", 1, (), None)),
        ({"productOrService": {"text": "64461-RT x2"}}, ("64461", 2, ("RT",), None)),
        (
            {"productOrService": CODE, "modifier": [{"coding": [{"code": "rt"}]}, {"text": "59"}, 7]},
            ("64461", 1, ("RT", "59"), None),
        ),
        ({"productOrService": CODE, "servicedDate": "2026-03-02"}, ("64461", 1, (), date(2026, 3, 2))),
        ({"productOrService": CODE, "servicedPeriod": {"start": "2026-03-02"}}, ("64461", 1, (), date(2026, 3, 2))),
        ({"productOrService": CODE, "servicedDate": "2026-13-02"}, ("64461", 1, (), None)),
        ({"productOrService": [CODE]}, None),
        ({"productOrService": "64461"}, ("64461", 1, (), None)),
        ({}, None),
    ],
)
def test_an_item_as_a_line(item, expected, record_of):
    record = record_of({"resourceType": "Claim", "id": "c", "item": ["odd", item]})
    lines = [
        (line.code, line.units, line.modifiers, line.service_date)
        for line in claim_facts(record.entries[0], record).lines
    ]
    assert lines == ([expected] if expected else [])


def test_codes_in_the_details_of_an_item_are_lines_of_its_day(record_of):
    other = {"coding": [{"code": "64462"}]}
    detail = {"productOrService": CODE, "quantity": {"value": 2}, "modifier": [{"text": "LT"}]}
    item = {
        "servicedDate": "2026-03-02",
        "detail": [detail, 7, {"subDetail": [{"productOrService": other}]}],
    }
    whole = {"productOrService": CODE, "detail": [detail, {"productOrService": other}]}
    record = record_of({"resourceType": "Claim", "id": "c", "item": [item, whole]})
    assert [
        (line.path, line.code, line.units, line.modifiers, line.service_date)
        for line in claim_facts(record.entries[0], record).lines
    ] == [
        ("item[0].detail[0]", "64461", 2, ("LT",), date(2026, 3, 2)),
        ("item[0].detail[2].subDetail[0]", "64462", 1, (), date(2026, 3, 2)),
        ("item[1]", "64461", 1, (), None),
        ("item[1].detail[1]", "64462", 1, (), None),
    ]


def test_where_a_line_stands_and_who_bills(record_of):
    claim = {
        "resourceType": "Claim",
        "id": "c",
        "type": {"coding": [{"code": "professional"}]},
        "provider": {"reference": "https://ehr.example.org/Practitioner/1"},
        "billablePeriod": {"start": "2026-03-02"},
        "item": [None, {"productOrService": CODE}],
    }
    record = record_of(claim)
    facts = claim_facts(record.entries[0], record)
    assert (facts.kind, facts.provider, facts.resource) == ("professional", "Practitioner/1", claim)
    assert (facts.lines[0].path, facts.lines[0].service_date) == ("item[1]", date(2026, 3, 2))


POS = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        pytest.param([], (), id="none named"),
        pytest.param([(POS, "24")], ("24",), id="one"),
        pytest.param([(POS, "24"), (POS, "24"), (POS, "22")], ("24", "22"), id="each once"),
        pytest.param([("urn:oid:2.16.840.1.113883.6.50", "24")], ("24",), id="by the number of the system"),
        pytest.param([("http://example.org/places", "24")], (), id="another system"),
        pytest.param([(None, "24")], (), id="no system"),
    ],
)
def test_where_the_services_were(places, expected, record_of):
    coded = [{"coding": [{"code": code, **({"system": system} if system else {})}]} for system, code in places]
    lines = [{"sequence": n, "locationCodeableConcept": place} for n, place in enumerate(coded, 1)]
    record = record_of({"resourceType": "Claim", "id": "c1", "item": lines})
    assert claim_facts(record.entries[0], record).places == expected


def test_the_encounters_of_its_items(record_of):
    items = [
        {"encounter": [{"reference": "Encounter/1"}, {"reference": "Patient/1"}]},
        {"encounter": {"reference": "Encounter/2"}},
        {"encounter": "Encounter/3"},
    ]
    record = record_of({"resourceType": "Claim", "id": "c", "item": items})
    assert encounters(record.entries[0], record) == {"Encounter/1", "Encounter/2"}
