import pytest

RULE = "unlisted-procedure"
PULSED = {
    "technique": "radiofrequency",
    "region": "lumbar",
    "target": "medial-branch",
    "levels": "L3 L4",
    "method": "pulsed",
}
PLANE = {"technique": "fascial-plane", "plane": "erector-spinae"}
DESCRIBED = "with a description of what was done and a listed code it compares with"


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([PULSED], {"claim": "64999"}, id="unlisted, as it is"),
        pytest.param([PULSED | {"method": "thermal"}], {"claim": "64635-RT"}, id="by heat"),
        pytest.param([PULSED | {"method": None}], {"claim": "64635-RT"}, id="method not stated"),
        pytest.param([PLANE], {"claim": "64999", "day": "2024-12-31"}, id="before the code existed"),
        pytest.param([PLANE], {"claim": "64461-RT", "day": "2024-12-31"}, id="another technique: not here"),
        pytest.param([PLANE | {"plane": "quadratus-lumborum"}], {"claim": "64999"}, id="a plane without a code"),
        pytest.param([PLANE, {"technique": "other"}], {"claim": "64466-RT, 64999"}, id="may be for the other block"),
        pytest.param([{}], {"claim": "64461-RT, 64999"}, id="no family here is ever unlisted: left alone"),
        pytest.param([PULSED], {"claim": "64493-RT"}, id="the code of another technique: not here"),
        pytest.param([PULSED], {"claim": "64633-RT"}, id="another region: not here"),
        pytest.param([PULSED], {"orders": "64999"}, id="ordered as such"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message", "remedy"),
    [
        pytest.param(
            PULSED,
            {"claim": "64635-RT, 64636-RT"},
            "64635 and 64636 are reported, but the record describes pulsed lumbar radiofrequency treatment, "
            "which has no code of its own.",
            f"Report 64999 ×1, {DESCRIBED}.",
            id="pulses under the codes of heat",
        ),
        pytest.param(
            PULSED,
            {"orders": "64635"},
            "64635 is ordered, but the order asks for pulsed lumbar radiofrequency treatment, "
            "which has no code of its own.",
            f"Order 64999 ×1, {DESCRIBED}.",
            id="ordered",
        ),
        pytest.param(
            PULSED | {"method": "thermal"},
            {"claim": "64999"},
            "64999 (unlisted) is reported, but the block done has its own code: 64635.",
            "Report 64635-RT ×1.",
            id="heat as unlisted",
        ),
        pytest.param(
            PLANE,
            {"claim": "64999"},
            "64999 (unlisted) is reported, but the block done has its own code: 64466.",
            "Report 64466-RT ×1.",
            id="a plane block as unlisted",
        ),
    ],
)
def test_speaks(block, options, message, remedy, judge):
    (finding,) = judge(RULE, block, **options)
    assert (finding.message, finding.remedy) == (message, remedy)


def test_it_speaks_alone_and_shows_the_method(make_case, make_block, every_finding):
    (finding,) = every_finding(make_case(make_block(**PULSED), claim="64635-RT"))
    assert finding.rule == RULE
    assert [evidence.quote for evidence in finding.evidence] == ["64635", "pulsed"]
