import pytest

RULE = "addon-without-primary"
TWO = {"levels": "T4 T5"}
RIBS = {"technique": "intercostal", "levels": "rib_5 rib_6"}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(TWO, {"claim": "64461-RT, 64462-RT"}, id="primary beside it"),
        pytest.param(TWO, {"claim": "64461-LT, 64462-RT"}, id="primary on another side is still there"),
        pytest.param(TWO, {"claim": "64461-RT"}, id="primary alone"),
        pytest.param(RIBS, {"claim": "64420-RT, 64421-RT"}, id="the intercostal pair"),
        pytest.param(TWO, {"claim": "64461-RT @2026-03-01, 64462-RT"}, id="primary on another date"),
        pytest.param(TWO, {"orders": "64461, 64462"}, id="both ordered"),
        pytest.param(TWO, {"claim": ""}, id="nothing reported"),
        pytest.param(TWO | {"catheter": True}, {"claim": "64462-RT"}, id="a catheter: another rule's"),
        pytest.param(TWO | {"technique": "fascial-plane"}, {"claim": "64462-RT"}, id="another technique: not here"),
        pytest.param({"purpose": "surgical-anesthesia"}, {"claim": "64462-RT"}, id="the anesthetic: not here"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message"),
    [
        (TWO, {"claim": "64462-RT"}, "64462 is an add-on to 64461, which is not on the Claim."),
        ({}, {"claim": "64462-RT"}, "64462 is an add-on to 64461, which is not on the Claim."),
        (RIBS, {"claim": "64421-RT"}, "64421 is an add-on to 64420, which is not on the Claim."),
        (RIBS, {"claim": "64461-RT, 64421-RT"}, "64421 is an add-on to 64420, which is not on the Claim."),
        (TWO, {"orders": "64462"}, "64462 is an add-on to 64461, which is not on the order."),
    ],
)
def test_speaks(block, options, message, judge):
    (finding,) = judge(RULE, block, **options)
    assert finding.message == message
    assert finding.evidence[0].quote == finding.codes[0]
    assert finding.evidence[1].quote


def test_without_any_documentation_the_claim_alone_is_enough(judge):
    (finding,) = judge(RULE, claim="64462-RT", notes="unknown")
    assert finding.remedy == "Add 64461 if it was done, or remove 64462."


def test_the_remedy_is_what_the_record_supports(judge):
    (finding,) = judge(RULE, {}, claim="64462-RT")
    assert finding.remedy == "Report 64461-RT ×1."
