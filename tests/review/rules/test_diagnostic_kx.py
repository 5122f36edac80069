"""KX on diagnostic facet lines, and where it does not belong."""

import pytest

RULE = "diagnostic-kx"
LUMBAR = {"technique": "facet", "region": "lumbar", "levels": "L3-L4 L4-L5", "guidance": ["fluoroscopy"]}
DIAGNOSTIC = LUMBAR | {"purpose": "diagnostic"}
THERAPEUTIC = LUMBAR | {"purpose": "therapeutic"}
ABLATION = {"technique": "radiofrequency", "region": "lumbar", "levels": "L3-L4 L4-L5", "purpose": "therapeutic"}
MEDICARE = {"profile": "medicare"}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(DIAGNOSTIC, {"claim": "64493-RT-KX, 64494-RT-KX"}, id="diagnostic, on every line"),
        pytest.param(DIAGNOSTIC, {"claim": "64493-KX-RT, 64494-RT-KX"}, id="in another order"),
        pytest.param(THERAPEUTIC, {"claim": "64493-RT, 64494-RT"}, id="therapeutic, on none"),
        pytest.param(LUMBAR, {"claim": "64493-RT, 64494-RT"}, id="purpose not stated, none"),
        pytest.param(LUMBAR, {"claim": "64493-RT-KX, 64494-RT-KX"}, id="purpose not stated, all"),
        pytest.param(LUMBAR, {"claim": "64493-RT-KX, 64494-RT"}, id="purpose not stated, mixed"),
        pytest.param(LUMBAR | {"purpose": "chronic-pain"}, {"claim": "64493-RT-KX"}, id="for chronic pain: either"),
        pytest.param(DIAGNOSTIC, {"claim": "64493-RT, 64494-RT", "profile": "default"}, id="a payer without KX"),
        pytest.param(DIAGNOSTIC, {"claim": "64493-RT, 64494-RT", "profile": "cpt"}, id="the code set"),
        pytest.param(
            DIAGNOSTIC | {"day": "2021-04-30"}, {"claim": "64493-RT, 64494-RT", "day": "2021-04-30"}, id="before 2021"
        ),
        pytest.param(DIAGNOSTIC, {"claim": None}, id="no Claim"),
        pytest.param(DIAGNOSTIC, {"claim": ""}, id="nothing charged"),
        pytest.param(DIAGNOSTIC, {"claim": "99213"}, id="another line"),
        pytest.param(DIAGNOSTIC, {"claim": None, "orders": "64493"}, id="orders carry no modifiers"),
        pytest.param(DIAGNOSTIC, {"claim": "64490-RT"}, id="the wrong region is said first"),
        pytest.param(DIAGNOSTIC, {"claim": "0216T-RT"}, id="the wrong guidance is said first"),
        pytest.param({}, {"claim": "64461-RT-KX"}, id="another technique"),
        pytest.param(ABLATION, {"claim": "64635-RT, 64636-RT"}, id="radiofrequency without"),
        pytest.param(ABLATION, {"claim": "64635-RT-KX", "profile": "default"}, id="radiofrequency, no KX payer"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **(MEDICARE | options)) == []


@pytest.mark.parametrize(
    ("block", "claim", "codes", "message"),
    [
        pytest.param(
            DIAGNOSTIC,
            "64493-RT, 64494-RT",
            ("64493", "64494"),
            "The record documents a diagnostic block; 64493-RT ×1 and 64494-RT ×1 carry no KX.",
            id="missing on both",
        ),
        pytest.param(
            DIAGNOSTIC,
            "64493-RT-KX, 64494-RT",
            ("64494",),
            "The record documents a diagnostic block; 64494-RT ×1 carries no KX.",
            id="missing on one",
        ),
        pytest.param(
            DIAGNOSTIC | {"guidance": ["ultrasound"]},
            "0216T-RT, 0217T-RT-KX",
            ("0216T",),
            "The record documents a diagnostic block; 0216T-RT ×1 carries no KX.",
            id="under ultrasound",
        ),
        pytest.param(
            THERAPEUTIC,
            "64493-RT-KX, 64494-RT",
            ("64493",),
            "The record documents a therapeutic block; 64493-RT-KX ×1 carries KX, which means a diagnostic one.",
            id="on a therapeutic line",
        ),
        pytest.param(
            ABLATION,
            "64635-RT-KX, 64636-RT-KX",
            ("64635", "64636"),
            "KX marks diagnostic facet injections and has no place on 64635-RT-KX ×1 and 64636-RT-KX ×1.",
            id="on radiofrequency",
        ),
        pytest.param(
            LUMBAR | {"technique": "radiofrequency"},
            "64635-RT-KX, 64636-RT",
            ("64635",),
            "KX marks diagnostic facet injections and has no place on 64635-RT-KX ×1.",
            id="on radiofrequency, purpose not stated",
        ),
    ],
)
def test_speaks(block, claim, codes, message, judge):
    (finding,) = judge(RULE, block, claim=claim, **MEDICARE)
    assert finding.message == message
    assert finding.codes == codes
    assert finding.severity.value == "warning"
    assert finding.remedy.startswith("Report ")
    assert {source.id for source in finding.citations} == {"noridian-facet-qa-2022", "ngs-facet-a57826"}


def test_a_block_that_speaks_of_two_purposes_on_two_days_is_left_alone(judge):
    other = THERAPEUTIC | {"day": "2026-03-03"}
    assert judge(RULE, DIAGNOSTIC, other, claim="64493-RT, 64494-RT", **MEDICARE) == []


def test_in_the_other_region_the_purpose_of_each_counts(judge):
    neck = DIAGNOSTIC | {"region": "cervical", "levels": "C4-C5"}
    claim = "64490-RT, 64493-RT-KX, 64494-RT"
    found = judge(RULE, neck, THERAPEUTIC, claim=claim, **MEDICARE)
    assert [finding.codes for finding in found] == [("64490",), ("64493",)]


def test_the_remedy_names_the_whole_line(judge):
    (finding,) = judge(RULE, DIAGNOSTIC, claim="64493-RT, 64494-RT", **MEDICARE)
    assert finding.remedy == "Report 64493-RT-KX ×1 and 64494-RT-KX ×1."
    assert "diagnostic" in [evidence.quote for evidence in finding.evidence]
