import pytest

RULE = "surgeon-own-block"


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param({"surgeon": False}, {"claim": "64461-RT"}, id="not the surgeon"),
        pytest.param({}, {"claim": "64461-RT", "operation": True}, id="performers not stated"),
        pytest.param({"surgeon": True}, {"claim": ""}, id="not reported"),
        pytest.param({"surgeon": True}, {"claim": None}, id="no Claim"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ("64461-RT", "64461 is reported, but the surgeon of the operation placed the block."),
        ("64461-RT, 64462-RT", "64461 and 64462 are reported, but the surgeon of the operation placed the block."),
    ],
)
def test_speaks(claim, message, judge):
    (finding,) = judge(RULE, {"surgeon": True, "levels": "T4 T5"}, claim=claim)
    assert finding.message == message
    assert finding.evidence[-1].quote == "by the surgeon"


def test_no_other_rule_speaks_of_the_same_lines(make_case, make_block, found):
    case = make_case(make_block("T4", "left", surgeon=True), claim="64461-RT x3, 64462-50 x2, 00541", operation=True)
    assert list(found(case)) == [RULE]
