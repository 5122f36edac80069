"""More sessions of a region than the payer covers in twelve months."""

from datetime import date

import pytest

from cds_service.chart.model import Evidence, PastSession, Purpose, Technique
from cds_service.review.sessions import earlier, gaps

RULE = "session-frequency"
LUMBAR = {"technique": "facet", "region": "lumbar", "levels": "L3-L4 L4-L5", "guidance": ["fluoroscopy"]}
NECK = LUMBAR | {"region": "cervical", "levels": "C4-C5"}
DIAGNOSTIC = LUMBAR | {"purpose": "diagnostic"}
THERAPEUTIC = LUMBAR | {"purpose": "therapeutic"}
ABLATION = {"technique": "radiofrequency", "region": "lumbar", "levels": "L3-L4 L4-L5"}
MEDICARE = {"profile": "medicare"}
FOUR = ("2025-04-01", "2025-06-01", "2025-09-01", "2025-12-01")
"""Before the day of the block, 2026-03-02."""


def line(day, code="64493", *modifiers):
    technique = Technique.RADIOFREQUENCY if code.startswith("6463") else Technique.FACET
    told = (Evidence("Claim/old", "item[0].productOrService", code),)
    return PastSession(date.fromisoformat(day), technique, codes=(code,), modifiers=modifiers, evidence=told)


def procedure(day, technique="facet", region="lumbar", purpose=None, method=None, codes=()):
    told = (Evidence("Procedure/old", "code.text", technique),)
    kind = Purpose(purpose) if purpose else None
    return PastSession(date.fromisoformat(day), Technique(technique), region, codes, (), kind, method, told)


def marked(*days):
    return [line(day, "64493", "RT", "KX") for day in days]


@pytest.mark.parametrize(
    ("block", "history", "options"),
    [
        pytest.param(DIAGNOSTIC, [], {}, id="no earlier session"),
        pytest.param(DIAGNOSTIC, marked(*FOUR[:3]), {}, id="the fourth of four"),
        pytest.param(DIAGNOSTIC, marked(*FOUR[:3], FOUR[0], FOUR[1]), {}, id="several lines of one day"),
        pytest.param(
            DIAGNOSTIC,
            [*marked(*FOUR[:3]), procedure(FOUR[0], purpose="diagnostic", codes=("64493",))],
            {},
            id="Procedure and Claim of one day",
        ),
        pytest.param(DIAGNOSTIC, marked("2025-03-02", *FOUR[:3]), {}, id="one is a year ago to the day"),
        pytest.param(DIAGNOSTIC, marked("2026-03-02", *FOUR[:3]), {}, id="one is of the day itself"),
        pytest.param(DIAGNOSTIC, marked("2026-03-09", *FOUR[:3]), {}, id="one is of a later day"),
        pytest.param(DIAGNOSTIC, [line(day, "64490", "KX") for day in FOUR], {}, id="of the neck"),
        pytest.param(DIAGNOSTIC, [line(day, "64635") for day in FOUR], {}, id="radiofrequency"),
        pytest.param(
            DIAGNOSTIC,
            [*marked(*FOUR[:3]), procedure(FOUR[3], purpose="therapeutic")],
            {},
            id="one was therapeutic",
        ),
        pytest.param(DIAGNOSTIC, [*marked(*FOUR[:3]), procedure(FOUR[3], region=None)], {}, id="one of no region"),
        pytest.param(DIAGNOSTIC, marked(*FOUR), {"profile": "default"}, id="a payer of which no number is known"),
        pytest.param(DIAGNOSTIC, marked(*FOUR), {"profile": "uhc"}, id="a payer that limits otherwise"),
        pytest.param({}, marked(*FOUR), {"claim": "64461-RT"}, id="another block"),
        pytest.param(ABLATION, [line(FOUR[0], "64635")], {}, id="the second of two radiofrequency sessions"),
        pytest.param(
            ABLATION,
            [procedure(day, "radiofrequency", method="pulsed") for day in FOUR],
            {},
            id="pulses are not counted",
        ),
        pytest.param(
            ABLATION | {"region": "cervical", "levels": "C4-C5"}, [line(d, "64635") for d in FOUR], {}, id="neck"
        ),
        pytest.param(DIAGNOSTIC, marked(*FOUR), {"claim": None, "orders": "64493"}, id="orders"),
        pytest.param(
            DIAGNOSTIC | {"day": "2021-04-30"},
            marked("2020-08-01", "2020-09-01", "2020-10-01", "2020-11-01"),
            {"day": "2021-04-30"},
            id="before the limits",
        ),
    ],
)
def test_silent(block, history, options, judge):
    assert judge(RULE, block, history=history, **(MEDICARE | options)) == []


@pytest.mark.parametrize(
    ("block", "history", "start"),
    [
        pytest.param(
            DIAGNOSTIC, marked(*FOUR), "This is session 5 of diagnostic facet injections in the lumbar", id="the fifth"
        ),
        pytest.param(
            DIAGNOSTIC, marked("2025-03-03", *FOUR[:3]), "This is session 5 of diagnostic", id="almost a year ago"
        ),
        pytest.param(
            THERAPEUTIC,
            [procedure(day, purpose="therapeutic") for day in FOUR],
            "This is session 5 of therapeutic facet",
            id="therapeutic",
        ),
        pytest.param(
            THERAPEUTIC,
            [line(day) for day in FOUR],
            "This may be session 5 of therapeutic facet",
            id="no purpose stated",
        ),
        pytest.param(
            DIAGNOSTIC,
            [*marked(*FOUR[:3]), line(FOUR[3])],
            "This may be session 5 of diagnostic",
            id="one of them not stated",
        ),
        pytest.param(
            DIAGNOSTIC,
            [*marked(*FOUR), line("2026-01-05")],
            "This is session 5 of diagnostic",
            id="enough are known, one more is not stated",
        ),
        pytest.param(
            ABLATION, [line(day, "64635") for day in FOUR[:2]], "This is session 3 of radiofrequency", id="RF"
        ),
        pytest.param(
            ABLATION,
            [procedure(FOUR[0], "radiofrequency"), line(FOUR[1], "64635")],
            "This is session 3 of radiofrequency",
            id="one by words, one by code",
        ),
        pytest.param(
            DIAGNOSTIC | {"region": "thoracic", "levels": "T4-T5"},
            [line(day, "64490", "KX") for day in FOUR],
            "This is session 5 of diagnostic facet injections in the cervical or thoracic region",
            id="neck and chest are one region",
        ),
        pytest.param(
            DIAGNOSTIC,
            [one for day in FOUR for one in (line(day, "64490", "KX"), line(day, "64494", "KX"))],
            "This is session 5 of diagnostic facet injections in the lumbar",
            id="T12-L1 with the joint below is a session of the lumbar region",
        ),
    ],
)
def test_advises(block, history, start, judge):
    (finding,) = judge(RULE, block, claim="", history=history, **MEDICARE)
    assert finding.message.startswith(start)
    assert "Original Medicare" in finding.message
    assert finding.severity.value == "info"
    assert finding.codes
    assert {"cms-lcd-l38773"} == {source.id for source in finding.citations}
    assert {evidence.reference for evidence in finding.evidence} & {"Claim/old", "Procedure/old"}


def test_a_block_of_unknown_purpose_is_counted_both_ways(judge):
    found = judge(RULE, LUMBAR, history=[line(day) for day in FOUR], **MEDICARE)
    assert [finding.message.split(" in the ")[0] for finding in found] == [
        "This may be session 5 of diagnostic facet injections",
        "This may be session 5 of therapeutic facet injections",
    ]


def test_the_joint_above_the_lumbar_ones_starts_no_session_of_its_own(judge):
    block = DIAGNOSTIC | {"levels": "T12-L1 L1-L2", "region": None}
    history = [line(day, "64490", "KX") for day in FOUR]
    assert judge(RULE, block, history=history, **MEDICARE) == []


def test_the_number_and_the_months_are_the_payers(judge):
    own = {"parameters": {"facet_diagnostic_sessions": "2", "session_months": "6"}}
    assert judge(RULE, DIAGNOSTIC, history=[procedure(FOUR[3], purpose="diagnostic")], **own) == []
    assert judge(RULE, DIAGNOSTIC, history=[procedure(d, purpose="diagnostic") for d in FOUR[:3]], **own) == []
    late = [procedure(day, purpose="diagnostic") for day in ("2025-09-03", "2025-12-01")]
    (finding,) = judge(RULE, DIAGNOSTIC, history=late, **own)
    assert "within 6 months (earlier: 2025-09-03 and 2025-12-01)" in finding.message


@pytest.mark.parametrize(
    ("day", "past", "counted"),
    [("2028-02-29", "2027-02-28", False), ("2028-02-29", "2027-03-01", True), ("2027-02-28", "2026-02-28", False)],
)
def test_the_months_end_at_the_end_of_a_short_month(day, past, counted, make_case, make_block):
    case = make_case(make_block(**(DIAGNOSTIC | {"day": day})), day=day, history=marked(past), **MEDICARE)
    assert bool(earlier(case, case.families[0])) is counted


@pytest.mark.parametrize(
    ("block", "options", "expected"),
    [
        ({}, {}, []),
        (DIAGNOSTIC, {"profile": "default"}, []),
        (DIAGNOSTIC, {}, ["the Procedures, no Claims that came with the record (none found)"]),
        (
            DIAGNOSTIC,
            {"claims_known": True, "history": marked(FOUR[0])},
            ["the Claims and Procedures that came with the record (2025-04-01)"],
        ),
    ],
)
def test_what_was_not_seen_is_said_where_it_matters(block, options, expected, make_case, make_block):
    said = list(gaps(make_case(make_block(**block), **(MEDICARE | options))))
    assert len(said) == len(expected)
    assert all(words in one for words, one in zip(expected, said, strict=True))
