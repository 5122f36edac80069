"""From a chart to its assessment: one rule's failure, the payer, the day, and what was not checked."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date

import pytest

from cds_service.chart.model import Chart, CoverageFacts, NotesState
from cds_service.knowledge.errors import KnowledgeError
from cds_service.review import engine
from cds_service.review.assessment import Severity
from cds_service.review.engine import assess
from cds_service.review.rule import Draft, Rule
from cds_service.review.serialize import to_json

TODAY = date(2026, 11, 1)


@pytest.fixture
def chart(make_case, make_block) -> Chart:
    return make_case(make_block(), claim="64461-RT").chart


def rule(name, check):
    return Rule(name, name, Severity.INFO, (), check)


def failing(case):
    yield Draft("said before it failed", "none")
    raise ValueError(case.chart.blocks[0].evidence[0].quote)


def working(case):
    yield Draft("still heard", "none", codes=("64461",))


def test_a_rule_that_fails_takes_no_other_down_and_its_words_are_not_logged(chart, knowledge, monkeypatch, caplog):
    monkeypatch.setattr(engine, "all_rules", lambda: (rule("failing", failing), rule("working", working)))
    with caplog.at_level(logging.ERROR):
        found = assess(chart, knowledge, today=TODAY)
    assert [finding.message for finding in found.findings] == ["still heard"]
    assert found.expected_lines[0].rules == ("working",)
    (said,) = [item for item in found.not_checked if item.rule == "failing"]
    assert said.reason.split("error id ")[1].rstrip(").") in caplog.text
    assert "ValueError" in caplog.text
    assert "paravertebral block" not in caplog.text + said.reason


@pytest.mark.parametrize(
    ("coverages", "expected"),
    [
        ([], "default"),
        (["medicare"], "medicare"),
        (["acme health"], "default"),
        (["medicare", "acme health"], "medicare"),
        (["acme health", "medicare"], "default"),
        (["medicare advantage"], "default"),
    ],
)
def test_the_profile_is_that_of_whoever_pays_first(coverages, expected, chart, knowledge):
    paid = tuple(CoverageFacts(f"Coverage/{n}", (words,)) for n, words in enumerate(coverages))
    assert assess(replace(chart, coverages=paid), knowledge, today=TODAY).profile == expected


@pytest.mark.parametrize(
    ("kind", "places", "expected"),
    [
        ("institutional", ("24",), "medicare-asc-facility"),
        ("institutional", ("22",), "medicare"),
        ("professional", ("24",), "medicare"),
    ],
)
def test_the_claim_judged_chooses_the_profile_of_a_facility(kind, places, expected, chart, knowledge):
    claims = (replace(chart.claims[0], kind=kind, places=places),)
    facility = replace(chart, claims=claims, coverages=(CoverageFacts("Coverage/1", ("medicare",)),))
    assert assess(facility, knowledge, today=TODAY).profile == expected
    assert assess(facility, knowledge, today=TODAY, profile="cpt").profile == "cpt"


def test_beside_the_claim_of_a_facility_that_of_the_physician_is_judged(chart, knowledge):
    own = chart.claims[0]
    claims = (replace(own, reference="Claim/2", kind="institutional", places=("24",)), own)
    both = replace(chart, claims=claims, coverages=(CoverageFacts("Coverage/1", ("medicare",)),))
    assert assess(both, knowledge, today=TODAY).profile == "medicare"


def test_a_profile_that_is_asked_for_stands_over_the_coverage(chart, knowledge):
    assert assess(chart, knowledge, today=TODAY, profile="medicare").profile == "medicare"
    with pytest.raises(KnowledgeError, match="no such profile"):
        assess(chart, knowledge, today=TODAY, profile="nobody")


def test_without_a_date_of_service_today_s_rules_are_used_and_that_is_said(chart, knowledge):
    found = assess(replace(chart, date_of_service=None), knowledge, today=TODAY)
    assert found.date_of_service is None
    assert [item.reason for item in found.not_checked if item.rule == "date-mismatch"] == [
        "No date of service in the record; the rules of 2026-11-01 were used."
    ]
    assert "dateOfService" not in to_json(found)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"notes": NotesState.UNKNOWN}, "documentation"),
        ({"not_read": (("Claim/1", "odd"),)}, "record"),
        ({"claims": (), "claims_known": False}, "service-not-charged"),
    ],
)
def test_what_could_not_be_judged_is_said(changed, rule, chart, knowledge):
    found = assess(replace(chart, **changed), knowledge, today=TODAY)
    assert rule in {item.rule for item in found.not_checked}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param("64461-RT, 64462-RT", {"addon-without-primary", "bilateral-reporting"}, id="add-on"),
        pytest.param("64461-RT", {"bilateral-reporting"}, id="no add-on: its table decides nothing"),
        pytest.param("76942", set(), id="no block: neither does"),
    ],
)
def test_every_table_of_another_quarter_that_decided_something_is_said(
    lines, expected, make_case, make_block, knowledge
):
    chart = make_case(make_block("T4 T5"), claim=lines).chart
    day = replace(chart, date_of_service=date(2026, 3, 2))
    found = {item.rule: item.reason for item in assess(day, knowledge, today=TODAY).not_checked}
    assert {"addon-without-primary", "bilateral-reporting"} & found.keys() == expected
    assert all("2026-03-02 lies outside the loaded" in found[rule] for rule in (*expected, "mue-exceeded"))


def test_a_block_without_knowledge_is_said_and_not_corrected(make_case, make_block, knowledge):
    chart = make_case(make_block(technique="other"), claim="64461-RT").chart
    found = assess(chart, knowledge, today=TODAY)
    assert "coding" in {item.rule for item in found.not_checked}
    assert not found.correctable


@pytest.mark.parametrize(
    ("options", "correctable"),
    [
        ({}, True),
        ({"contradictions": ["technique"]}, False),
        ({"contradictions": ["levels"]}, False),
        ({"claim": "00540, 64461-RT-59"}, False),
        ({"claim": "00540, 64461-LT-59"}, True),
    ],
)
def test_only_what_is_sure_is_offered_as_a_correction(options, correctable, make_case, make_block, knowledge):
    chart = make_case(make_block(), **{"claim": "64461-RT", **options}).chart
    assert assess(chart, knowledge, today=TODAY).correctable is correctable
