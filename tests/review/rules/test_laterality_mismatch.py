import pytest

RULE = "laterality-mismatch"
BOTH = {"side": "bilateral"}
PLANE = {"technique": "fascial-plane"}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param({}, {"claim": "64461-RT"}, id="the documented side"),
        pytest.param({"side": "left"}, {"claim": "64461-LT-59"}, id="with another modifier"),
        pytest.param(BOTH, {"claim": "64461-50"}, id="both sides"),
        pytest.param(BOTH, {"claim": "64461-RT, 64461-LT"}, id="both sides in another form"),
        pytest.param(BOTH, {"claim": "64461-RT"}, id="one of both sides: the form's"),
        pytest.param(BOTH, {"claim": "64461"}, id="no side, both documented: the form's"),
        pytest.param({"side": None}, {"claim": "64461-LT"}, id="no side documented"),
        pytest.param({"side": None}, {"claim": "64461"}, id="no side anywhere"),
        pytest.param({}, {"claim": "64461-LT", "contradictions": ["laterality"]}, id="contradicted: asked"),
        pytest.param({}, {"claim": "64461-RT-LT"}, id="a side named twice: the form's"),
        pytest.param(PLANE | BOTH, {"claim": "64468"}, id="bilateral in itself"),
        pytest.param({}, {"orders": "64461"}, id="orders carry no side"),
        pytest.param({"technique": "other"}, {"claim": "64461-LT"}, id="another block: not here"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("block", "claim", "message"),
    [
        ({}, "64461-LT", "64461-LT ×1 reports the left; the record documents the right."),
        ({"side": "left"}, "64461-RT", "64461-RT ×1 reports the right; the record documents the left."),
        ({}, "64461-50", "64461-50 ×1 reports both sides; the record documents the right."),
        (
            {},
            "64461-RT, 64461-LT",
            "64461-RT ×1 and 64461-LT ×1 reports both sides; the record documents the right.",
        ),
        (
            {"levels": "T4 T5"},
            "64461-LT, 64462-LT",
            "64461-LT ×1 and 64462-LT ×1 report the left; the record documents the right.",
        ),
        ({}, "64461", "64461 is reported without a side; the right is documented."),
        ({"levels": "T4 T5"}, "64461, 64462", "64461 and 64462 are reported without a side; the right is documented."),
        (PLANE, "64468", "64468 ×1 means both sides, but one side is documented: 64466-RT ×1."),
        (
            {"levels": "T4 T5", "left": "T4"},
            "64461-50, 64462-50",
            "64462-50 ×1 reports both sides; the record documents the right.",
        ),
    ],
)
def test_speaks(block, claim, message, judge):
    (finding,) = judge(RULE, block, claim=claim)
    assert finding.message == message
    assert {"Claim/1", "DocumentReference/note"} == {evidence.reference for evidence in finding.evidence}


def test_the_right_code_beside_a_wrong_one_is_not_blamed(judge):
    (finding,) = judge(RULE, {"levels": "T4 T5"}, claim="64461-RT, 64462-LT")
    assert finding.codes == ("64462",)
