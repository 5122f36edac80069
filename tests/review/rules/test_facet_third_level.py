"""A facet level beyond those the payer covers."""

import pytest

RULE = "facet-third-level"
THREE = {"technique": "facet", "region": "lumbar", "levels": "L2-L3 L3-L4 L4-L5", "guidance": ["fluoroscopy"]}
TWO = THREE | {"levels": "L3-L4 L4-L5"}
NECK = THREE | {"region": "cervical", "levels": "C3-C4 C4-C5 C5-C6"}
MEDICARE = {"profile": "medicare"}
LINES = "64493-RT, 64494-RT, 64495-RT"


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(TWO, {"claim": "64493-RT, 64494-RT"}, id="two levels"),
        pytest.param(TWO | {"side": "bilateral"}, {"claim": "64493-50, 64494-50"}, id="two levels on both sides"),
        pytest.param(THREE, {"claim": LINES, "profile": "default"}, id="a payer of which no number is known"),
        pytest.param(THREE, {"claim": LINES, "profile": "uhc"}, id="a payer that limits otherwise"),
        pytest.param(THREE | {"day": "2021-04-30"}, {"claim": LINES, "day": "2021-04-30"}, id="before 2021"),
        pytest.param(TWO, {"claim": LINES}, id="a third level that is not documented is said by others"),
        pytest.param({}, {"claim": LINES}, id="another technique was done"),
        pytest.param(
            THREE | {"technique": "radiofrequency"}, {"claim": "64635-RT, 64636-RT x2"}, id="radiofrequency has none"
        ),
        pytest.param(THREE | {"levels": "L3 L4 L5"}, {"claim": "64493-RT, 64494-RT"}, id="two or three levels"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **(MEDICARE | options)) == []


@pytest.mark.parametrize(
    ("block", "options", "codes", "start"),
    [
        pytest.param(THREE, {"claim": LINES}, ("64495",), "The Claim has 64495-RT ×1, and", id="lumbar"),
        pytest.param(
            NECK, {"claim": "64490-RT, 64491-RT, 64492-RT"}, ("64492",), "The Claim has 64492-RT ×1, and", id="cervical"
        ),
        pytest.param(
            THREE | {"guidance": ["ultrasound"]},
            {"claim": "0216T-RT, 0217T-RT, 0218T-RT"},
            ("0218T",),
            "The Claim has 0218T-RT ×1, and",
            id="under ultrasound",
        ),
        pytest.param(
            THREE | {"side": "bilateral"},
            {"claim": "64493-50, 64494-50, 64495-50"},
            ("64495",),
            "The Claim has 64495-50 ×1, and",
            id="both sides",
        ),
        pytest.param(
            THREE, {"claim": "64493-RT, 64494-RT"}, ("64495",), "The record documents 64495-RT ×1, and", id="left off"
        ),
        pytest.param(THREE, {"claim": None}, ("64495",), "The record documents 64495-RT ×1, and", id="no Claim"),
        pytest.param(
            THREE,
            {"claim": None, "orders": "64493, 64494, 64495"},
            ("64495",),
            "The order has 64495 ×1, and",
            id="ordered: still in time",
        ),
    ],
)
def test_advises(block, options, codes, start, judge):
    (finding,) = judge(RULE, block, **(MEDICARE | options))
    assert finding.message.startswith(start)
    assert finding.message.endswith(
        "Original Medicare (fee for service) covers no more than 2 levels of a side in one session."
    )
    assert finding.codes == codes
    assert finding.severity.value == "info"
    assert "cms-lcd-l38773" in {source.id for source in finding.citations}


def test_a_line_nobody_can_judge_is_spoken_of_as_reported(judge):
    (finding,) = judge(RULE, claim=LINES, notes="unknown", **MEDICARE)
    assert finding.codes == ("64495",)


def test_the_number_is_the_payers(judge):
    (finding,) = judge(RULE, TWO, claim="64493-RT, 64494-RT", parameters={"facet_levels_covered": "1"})
    assert finding.codes == ("64494",)
    assert judge(RULE, TWO, claim="64493-RT, 64494-RT", parameters={"facet_levels_covered": "2"}) == []
