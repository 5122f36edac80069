import pytest

RULE = "units-exceed-documentation"
THREE = {"levels": "T4 T5 T6"}
RIBS = {"technique": "intercostal", "levels": "rib_5 rib_6 rib_7"}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(THREE, {"claim": "64461-RT, 64462-RT"}, id="as documented"),
        pytest.param(THREE, {"claim": "64461-RT, 64462-RT x3"}, id="once a day: another rule's"),
        pytest.param(THREE, {"claim": "64461-LT"}, id="the wrong side is not a unit too many"),
        pytest.param(THREE, {"claim": "64461-50"}, id="both sides for one: the side's"),
        pytest.param({"side": "bilateral"}, {"claim": "64461 x2"}, id="two units for two sides: the form's"),
        pytest.param(RIBS, {"claim": "64420-RT, 64421-RT x2"}, id="each further level"),
        pytest.param(RIBS, {"claim": "64420-RT, 64421-RT"}, id="fewer than documented"),
        pytest.param(
            RIBS | {"levels": "", "count": (2, None)}, {"claim": "64420-RT, 64421-RT x4"}, id="no upper bound"
        ),
        pytest.param(
            RIBS | {"levels": "", "count": (2, 4)}, {"claim": "64420-RT, 64421-RT x3"}, id="at the upper bound"
        ),
        pytest.param({"levels": ""}, {"claim": "64461-RT, 64462-RT"}, id="no level named"),
        pytest.param({"count": (1, 2)}, {"claim": "64461-RT, 64462-RT"}, id="one site or two"),
        pytest.param({}, {"claim": "64461-RT x2", "contradictions": ["site-count"]}, id="contradicted: asked"),
        pytest.param({}, {"claim": "64462-RT"}, id="the primary is missing: another rule's"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("block", "claim", "message"),
    [
        (
            THREE,
            "64461-RT x3",
            (
                "Documented: 3 sites on the right (T4, T5, T6): 64461-RT ×1 and 64462-RT ×1, "
                "but the Claim has 64461-RT ×3."
            ),
        ),
        ({}, "64461-RT x2", "Documented: 1 site on the right (T4): 64461-RT ×1, but the Claim has 64461-RT ×2."),
        (
            {},
            "64461-RT, 64462-RT",
            "Documented: 1 site on the right (T4): 64461-RT ×1, but the Claim has 64462-RT ×1.",
        ),
        (
            RIBS,
            "64420-RT, 64421-RT x3",
            (
                "Documented: 3 sites on the right (rib 5, rib 6, rib 7): 64420-RT ×1 and 64421-RT ×2, "
                "but the Claim has 64421-RT ×3."
            ),
        ),
        (
            {"side": "bilateral"},
            "64461-50 x2",
            "Documented: 1 site on each side (T4): 64461-50 ×1, but the Claim has 64461-50 ×2.",
        ),
        (
            RIBS | {"levels": "", "count": (2, 4)},
            "64420-RT, 64421-RT x4",
            "Documented: 2 to 4 sites on the right: 64420-RT ×1 and 64421-RT ×",
        ),
        (
            {"technique": "fascial-plane", "side": "bilateral"},
            "64468 x2",
            "Documented: 1 site on each side (T4): 64468 ×1, but the Claim has 64468 ×2.",
        ),
    ],
)
def test_speaks(block, claim, message, judge):
    (finding,) = judge(RULE, block, claim=claim)
    assert finding.message.startswith(message)
    assert len(finding.evidence) > 1


def test_a_second_unit_of_imaging_is_too_many(judge):
    block = RIBS | {"guidance": ("ultrasound",), "image": True}
    (finding,) = judge(RULE, block, claim="64420-RT, 64421-RT x2, 76942 x2")
    assert finding.codes == ("76942",)
    assert finding.remedy == "Report 76942 ×1."


def test_an_order_for_one_level_has_no_further_sites(judge):
    (finding,) = judge(RULE, {}, orders="64461, 64462")
    assert finding.message == "Ordered: 1 site on the right (T4): 64461 ×1, but the order has 64462 ×1."
