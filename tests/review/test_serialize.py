"""The JSON form of an assessment."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from jsonschema import Draft202012Validator

from cds_service.chart.model import Chart
from cds_service.resources import schema
from cds_service.review.engine import assess
from cds_service.review.serialize import to_json

TODAY = date(2026, 11, 1)
LISTS = ("blocks", "expectedLines", "claimLines", "findings", "documentation", "queries", "notChecked")


def test_an_empty_chart_has_every_list_and_nothing_that_is_not_stated(knowledge):
    found = to_json(assess(Chart(None, None), knowledge, today=TODAY))
    assert set(found) == {"profile", "knowledgeVersion", *LISTS}
    assert all(isinstance(found[name], list) for name in LISTS)
    Draft202012Validator(schema("assessment")).validate({"assessments": [found]})


def test_a_block_with_all_it_can_state(make_case, make_block, knowledge):
    block = make_block("T4", "bilateral", catheter=True, guidance=["ultrasound"], purpose="postoperative-analgesia")
    found = to_json(assess(make_case(block, claim="64463-50 x1.5").chart, knowledge, today=TODAY))
    (said,) = found["blocks"]
    assert {name: said[name] for name in ("technique", "region", "continuous", "guidance", "purpose", "date")} == {
        "technique": "paravertebral",
        "region": "thoracic",
        "continuous": True,
        "guidance": "ultrasound",
        "purpose": "postoperative-analgesia",
        "date": "2026-03-02",
    }
    assert said["sites"] == [{"level": "T4", "side": "right"}, {"level": "T4", "side": "left"}]
    assert found["claimLines"] == [{"code": "64463", "units": 1.5, "modifiers": ["50"], "reference": "Claim/1"}]
    assert found["dateOfService"] == "2026-03-02"


@pytest.mark.parametrize(("units", "expected"), [(1.0, 1), (2, 2), (0.5, 0.5), (1e16, 10**16)])
def test_whole_units_are_whole_numbers(units, expected, make_case, make_block, knowledge):
    chart = make_case(make_block(), claim="64461-RT").chart
    claim = chart.claims[0]
    chart = replace(chart, claims=(replace(claim, lines=(replace(claim.lines[0], units=units),)),))
    (line,) = to_json(assess(chart, knowledge, today=TODAY))["claimLines"]
    assert (line["units"], type(line["units"])) == (expected, type(expected))
