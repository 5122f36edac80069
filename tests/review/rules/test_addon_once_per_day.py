import pytest

RULE = "addon-once-per-day"
FOUR = {"levels": "T3 T4 T5 T6"}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(FOUR, {"claim": "64461-RT, 64462-RT"}, id="one unit for three further sites"),
        pytest.param(FOUR | {"side": "bilateral"}, {"claim": "64461-50, 64462-50"}, id="50 is one unit a side"),
        pytest.param(FOUR | {"side": "bilateral"}, {"claim": "64462-RT, 64462-LT"}, id="RT and LT tell lines apart"),
        pytest.param(FOUR | {"side": "bilateral"}, {"claim": "64462 x2"}, id="two units for two sides: the form's"),
        pytest.param({}, {"claim": "64461-RT, 64462-RT"}, id="one site, one unit: more units than sites"),
        pytest.param(
            {"technique": "intercostal", "levels": "rib_5 rib_6 rib_7"},
            {"claim": "64420-RT, 64421-RT x2"},
            id="64421 counts each level",
        ),
        pytest.param(FOUR | {"catheter": True}, {"claim": "64462-RT x3"}, id="a catheter: another rule's"),
        pytest.param(FOUR, {"orders": "64461, 64462"}, id="ordered once"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(FOUR, {"claim": "64461-RT, 64462-RT x2"}, id="the first unit too many"),
        pytest.param(FOUR, {"claim": "64461-RT, 64462-RT x3"}, id="one per further site"),
        pytest.param(FOUR, {"claim": "64461-RT, 64462-RT, 64462-RT"}, id="two lines of one side"),
        pytest.param(FOUR, {"claim": "64461-RT, 64462, 64462-RT"}, id="a second line without a side"),
        pytest.param(FOUR | {"side": "bilateral"}, {"claim": "64461-50, 64462-50 x2"}, id="50 twice"),
        pytest.param(FOUR | {"side": None}, {"claim": "64461, 64462 x2"}, id="no side documented"),
    ],
)
def test_speaks(block, options, judge):
    (finding,) = judge(RULE, block, **options)
    assert finding.message.startswith("64462 covers all further sites of a side, once per day (")
    assert finding.evidence[0].quote == "64462"
    assert {"T3", "T4", "T5", "T6"} <= {evidence.quote for evidence in finding.evidence}


def test_the_message_shows_the_arithmetic(judge):
    (finding,) = judge(RULE, FOUR, claim="64461-RT, 64462-RT x3")
    assert finding.message == (
        "64462 covers all further sites of a side, once per day (4 sites on the right (T3, T4, T5, T6): "
        "64461-RT ×1 and 64462-RT ×1); the Claim has 64462-RT ×3."
    )
    assert finding.remedy == "Report 64462-RT ×1."


def test_the_claim_alone_is_enough(judge):
    (finding,) = judge(RULE, claim="64461-RT, 64462-RT x3", notes="unknown")
    assert finding.message == "64462 covers all further sites of a side, once per day; the Claim has 64462-RT ×3."
    assert finding.remedy == "Report 64462 with one unit per side."


def test_draft_orders_are_judged(judge):
    (finding,) = judge(RULE, FOUR, orders="64461, 64462, 64462")
    assert "the order has 64462 ×1" in finding.message


def test_with_one_site_documented_the_code_goes(judge):
    (finding,) = judge(RULE, {}, claim="64461-RT, 64462-RT x2")
    assert finding.remedy == "Remove 64462."
