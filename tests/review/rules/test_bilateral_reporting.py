import pytest

RULE = "bilateral-reporting"
BOTH = {"side": "bilateral"}
PLANE = {"technique": "fascial-plane"}
TWO_UNITS = {"addon_bilateral": "two_units", "primary_bilateral": "mod50"}
TWO_LINES = {"addon_bilateral": "two_lines_rt_lt", "primary_bilateral": "two_lines_rt_lt"}
MORE = BOTH | {"levels": "T4 T5"}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(BOTH, {"claim": "64461-50"}, id="one line with 50"),
        pytest.param(MORE, {"claim": "64461-50, 64462-50"}, id="add-on with 50"),
        pytest.param(MORE, {"claim": "64461-50, 64462 x2", "parameters": TWO_UNITS}, id="two units where wanted"),
        pytest.param(BOTH, {"claim": "64461-RT, 64461-LT", "parameters": TWO_LINES}, id="two lines where wanted"),
        pytest.param({}, {"claim": "64461-RT"}, id="one side"),
        pytest.param({}, {"claim": "64461-50"}, id="one side documented: the side's"),
        pytest.param({"side": None}, {"claim": "64461-50"}, id="no side documented, the right form"),
        pytest.param(BOTH, {"claim": "64461-50 x2"}, id="four units: more than documented"),
        pytest.param(
            {"technique": "intercostal", "levels": "rib_5 rib_6 rib_7 rib_8", "left": "rib_5 rib_6"},
            {"claim": "64420-50, 64421-50, 64421-RT x2"},
            id="what one side has more of is a line of its own",
        ),
        pytest.param(PLANE | BOTH, {"claim": "64468"}, id="bilateral in itself"),
        pytest.param(PLANE | BOTH, {"claim": "64461-RT, 64461-LT"}, id="another technique: not here"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message"),
    [
        (
            BOTH,
            {"claim": "64461-RT, 64461-LT"},
            "Both sides are documented: 64461-50 ×1, but the Claim has 64461-RT ×1 and 64461-LT ×1.",
        ),
        (BOTH, {"claim": "64461 x2"}, "Both sides are documented: 64461-50 ×1, but the Claim has 64461 ×2."),
        (BOTH, {"claim": "64461"}, "Both sides are documented: 64461-50 ×1, but the Claim has 64461 ×1."),
        (
            MORE,
            {"claim": "64461-50, 64462-RT, 64462-LT"},
            "Both sides are documented: 64462-50 ×1, but the Claim has 64462-RT ×1 and 64462-LT ×1.",
        ),
        (
            MORE,
            {"claim": "64461-50, 64462-50", "parameters": TWO_UNITS},
            "Both sides are documented: 64462 ×2, but the Claim has 64462-50 ×1.",
        ),
        (
            BOTH,
            {"claim": "64461-50", "parameters": TWO_LINES},
            "Both sides are documented: 64461-RT ×1 and 64461-LT ×1, but the Claim has 64461-50 ×1.",
        ),
        (BOTH, {"claim": "64461-RT"}, "Both sides are documented: 64461-50 ×1, but the Claim has 64461-RT ×1."),
        (BOTH, {"claim": "64461-RT-LT"}, "64461-RT-LT ×1 names its side twice on one line."),
        ({}, {"claim": "64461-50-RT"}, "64461-50-RT ×1 names its side twice on one line."),
        (
            PLANE | BOTH,
            {"claim": "64468-50"},
            "64468-50 ×1: 64468 means both sides by itself and takes no 50, RT or LT.",
        ),
        (PLANE | BOTH, {"claim": "64466-50"}, "Both sides are documented: 64468 ×1, but the Claim has 64466-50 ×1."),
        (
            PLANE | BOTH,
            {"claim": "64466-RT, 64466-LT"},
            "Both sides are documented: 64468 ×1, but the Claim has 64466-RT ×1 and 64466-LT ×1.",
        ),
    ],
)
def test_speaks(block, options, message, judge):
    (finding,) = judge(RULE, block, **options)
    assert finding.message == message
    assert finding.evidence[0].reference == "Claim/1"


def test_all_codes_of_one_form_are_said_together(judge):
    (finding,) = judge(RULE, MORE, claim="64461-RT, 64461-LT, 64462-RT, 64462-LT")
    assert finding.codes == ("64461", "64462")
    assert finding.remedy == "Report 64461-50 ×1 and 64462-50 ×1."


def test_the_source_is_that_of_the_profile(judge):
    (finding,) = judge(RULE, MORE, claim="64461-50, 64462 x2", profile="medicare")
    assert "cms-se1422" in {source.id for source in finding.citations}
