import pytest

RULE = "catheter-code"
LEFT_IN = {"catheter": True}
PLANE = {"technique": "fascial-plane"}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([{}], {"claim": "64461-RT"}, id="an injection, no word of a catheter"),
        pytest.param([{"catheter": False}], {"claim": "64461-RT"}, id="an injection, said so"),
        pytest.param([LEFT_IN], {"claim": "64463-RT"}, id="a catheter"),
        pytest.param([PLANE | LEFT_IN], {"claim": "64467-RT"}, id="a plane catheter"),
        pytest.param(
            [LEFT_IN, {"side": "left"}], {"claim": "64463-RT, 64461-LT"}, id="a catheter right, an injection left"
        ),
        pytest.param([{}], {"claim": "64463-RT", "contradictions": ["catheter"]}, id="contradicted: asked"),
        pytest.param([{}], {"claim": "64463-RT", "notes": "unknown"}, id="notes not read"),
        pytest.param([{}], {"claim": "64463-RT", "not_read": ["DocumentReference/scan"]}, id="one note not read"),
        pytest.param([PLANE], {"claim": "64463-RT"}, id="another technique: not here"),
        pytest.param([], {"claim": "64461-RT, 64463-RT", "notes": "unknown"}, id="nothing to compare with"),
        pytest.param([LEFT_IN], {"claim": "64463-LT"}, id="the wrong side: not here"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message"),
    [
        (
            {},
            {"claim": "64463-RT"},
            "64463 is on the Claim, but the record does not tell of a catheter that was left in place.",
        ),
        (
            {"catheter": False},
            {"claim": "64463-RT"},
            "64463 is on the Claim, but the record describes an injection without a catheter left in place.",
        ),
        (LEFT_IN, {"claim": "64461-RT"}, "64461 is on the Claim, but a catheter was left, which is 64463-RT ×1."),
        (
            LEFT_IN,
            {"claim": "64461-RT, 64462-RT, 64463-RT"},
            "64461 and 64462 are on the Claim, but a catheter was left, which is 64463-RT ×1.",
        ),
        (
            PLANE | LEFT_IN,
            {"claim": "64466-RT"},
            "64466 is on the Claim, but a catheter was left, which is 64467-RT ×1.",
        ),
        (
            PLANE | {"side": "bilateral"},
            {"claim": "64469"},
            "64469 is on the Claim, but the record does not tell of a catheter that was left in place.",
        ),
        (LEFT_IN, {"orders": "64461"}, "64461 is on the Claim, but a catheter was left, which is 64463 ×1."),
    ],
)
def test_speaks(block, options, message, judge):
    (finding,) = judge(RULE, block, **options)
    assert finding.message == message.replace("the Claim", "the order" if "orders" in options else "the Claim")


def test_the_words_of_the_catheter_are_quoted(judge):
    (finding,) = judge(RULE, LEFT_IN, claim="64461-RT")
    assert [evidence.quote for evidence in finding.evidence] == ["64461", "catheter"]
    assert finding.remedy == "Report 64463-RT ×1."
