import pytest

RULE = "service-not-charged"
THREE = {"levels": "T4 T5 T6"}
RIBS = {"technique": "intercostal", "levels": "rib_5 rib_6 rib_7"}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(THREE, {"claim": "64461-RT, 64462-RT"}, id="all there"),
        pytest.param(THREE, {"claim": None}, id="Claims not looked for"),
        pytest.param({"count": (1, 2)}, {"claim": "64461-RT"}, id="a second site is only possible"),
        pytest.param({"levels": ""}, {"claim": "64461-RT"}, id="no level named"),
        pytest.param(THREE, {"claim": "64461-RT x3"}, id="sites as units: another rule's"),
        pytest.param(THREE, {"claim": "64462-RT"}, id="add-on alone: another rule's"),
        pytest.param({"technique": "fascial-plane"}, {"claim": "64461-RT"}, id="another technique: not here"),
        pytest.param({"catheter": True}, {"claim": "64461-RT"}, id="the injection code: not here"),
        pytest.param(
            {"technique": "fascial-plane", "side": "bilateral"},
            {"claim": "64466-RT"},
            id="the one-sided code: not here",
        ),
        pytest.param(
            {"technique": "fascial-plane"}, {"claim": "64466-RT", "day": "2024-12-31"}, id="not in force: not here"
        ),
        pytest.param(
            RIBS | {"guidance": ("ultrasound",), "image": True},
            {"claim": "64420-RT, 64421-RT x2"},
            id="imaging: another rule's",
        ),
        pytest.param({"purpose": "surgical-anesthesia"}, {"claim": ""}, id="not reportable"),
        pytest.param({"side": "bilateral"}, {"claim": "64461-RT"}, id="one side of two: the form's"),
        pytest.param({}, {"orders": "76942"}, id="a primary is not added to orders"),
        pytest.param({}, {"orders": "64461"}, id="ordered, one level"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message"),
    [
        (
            THREE,
            {"claim": "64461-RT"},
            "Documented: 3 sites on the right (T4, T5, T6): 64461-RT ×1 and 64462-RT ×1, but the Claim lacks 64462.",
        ),
        (
            {"count": (2, 3), "levels": ""},
            {"claim": "64461-RT"},
            "Documented: 2 to 3 sites on the right: 64461-RT ×1 and 64462-RT ×1, but the Claim lacks 64462.",
        ),
        ({}, {"claim": ""}, "Documented: 1 site on the right (T4): 64461-RT ×1, but the Claim lacks 64461."),
        (
            {},
            {"claim": None, "claims_known": True},
            "Documented: 1 site on the right (T4): 64461-RT ×1, but there is no Claim with 64461.",
        ),
        ({}, {"claim": "00541"}, "Documented: 1 site on the right (T4): 64461-RT ×1, but the Claim lacks 64461."),
        (
            RIBS,
            {"claim": "64420-RT, 64421-RT"},
            (
                "Documented: 3 sites on the right (rib 5, rib 6, rib 7): 64420-RT ×1 and 64421-RT ×2, "
                "but the Claim has 64421-RT ×1."
            ),
        ),
        (
            THREE,
            {"orders": "64461"},
            "Ordered: 3 sites on the right (T4, T5, T6): 64461 ×1 and 64462 ×1, but the order lacks 64462.",
        ),
    ],
)
def test_speaks(block, options, message, judge):
    (finding,) = judge(RULE, block, **options)
    assert finding.message == message
    assert finding.evidence[-1].quote


def test_of_two_blocks_only_the_missing_one_is_named(judge):
    (finding,) = judge(RULE, {}, {"technique": "fascial-plane", "side": "left"}, claim="64461-RT")
    assert finding.codes == ("64466",)
    assert finding.remedy == "Add 64466-LT ×1."
