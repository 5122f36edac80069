import pytest

RULE = "distinct-service-modifier"
PROVEN = {"purpose": "postoperative-analgesia", "requested": True}
GENERAL = {"anesthesia": "general"}


@pytest.mark.parametrize(
    ("block", "options"),
    [
        pytest.param(PROVEN, {"claim": "64461-RT-59, 00541"} | GENERAL, id="59"),
        pytest.param(PROVEN, {"claim": "64461-RT-XU, 00541"} | GENERAL, id="XU counts as 59"),
        pytest.param(
            PROVEN | {"levels": "T4 T5"}, {"claim": "64461-RT-59, 64462-RT, 00541"} | GENERAL, id="64462 rides along"
        ),
        pytest.param({}, {"claim": "64461-RT"}, id="no operation"),
        pytest.param({}, {"claim": "64461-RT-59"}, id="no operation: the modifier stays"),
        pytest.param({}, {"claim": "64461-RT, 00541"} | GENERAL, id="not proven, no modifier: the pair's"),
        pytest.param({}, {"claim": "64461-RT-59, 00541", "notes": "unknown"} | GENERAL, id="notes not read"),
        pytest.param(PROVEN, {"claim": "64420-RT, 00541"} | GENERAL, id="another technique: not here"),
    ],
)
def test_silent(block, options, judge):
    assert judge(RULE, block, **options) == []


@pytest.mark.parametrize(
    ("block", "claim", "message"),
    [
        (PROVEN, "64461-RT, 00541", "64461 beside 00541 needs modifier 59: the record shows a separate service."),
        (
            PROVEN,
            "64461-RT",
            "64461 beside the anesthesia of the operation needs modifier 59: the record shows a separate service.",
        ),
        (
            PROVEN | {"technique": "fascial-plane"},
            "64466-RT, 00541",  # a code younger than the loaded edits
            "64466 beside 00541 needs modifier 59: the record shows a separate service.",
        ),
        (PROVEN | {"catheter": True}, "64463-RT, 00541", "64463 beside 00541 needs modifier 59: the record shows a"),
        (PROVEN, "64461-RT-59-XU, 00541", "64461-RT-59-XU ×1 carries 59 and XU, which say the same; one is enough."),
        (
            {"requested": True},
            "64461-RT-59, 00541",
            "64461 carries 59, but the record does not say that it was for pain after the operation.",
        ),
        (
            {"purpose": "postoperative-analgesia"},
            "64461-RT-XU, 00541",
            "64461 carries XU, but the record does not say that the surgeon asked for the block.",
        ),
        (
            {},
            "64461-RT-59, 00541",
            (
                "64461 carries 59, but the record does not say that the surgeon asked for the block and "
                "that it was for pain after the operation."
            ),
        ),
    ],
)
def test_speaks(block, claim, message, judge):
    (finding,) = judge(RULE, block, claim=claim, **GENERAL)
    assert finding.message.startswith(message)
    assert finding.evidence[0].quote in ("64461", "64463", "64466")


def test_what_the_profile_prefers_is_named(judge):
    (finding,) = judge(RULE, PROVEN, claim="64461-RT, 00541", parameters={"distinct_modifier": "XU"}, **GENERAL)
    assert "needs modifier XU" in finding.message
    assert finding.remedy == "Report 64461-RT-XU ×1."


def test_the_mark_of_another_place_claims_nothing_of_the_anesthesia(make_case, make_block, found):
    facet = make_block("L4-L5", "right", technique="facet", region="lumbar")
    heat = make_block("L4-L5", "left", technique="radiofrequency", region="lumbar", target="joint")
    right = make_case(facet, heat, anesthesia="general").expected
    assert any("59" in line.modifiers for line in right)
    claim = ", ".join("-".join((line.code, *line.modifiers)) for line in right)
    assert RULE not in found(make_case(facet, heat, claim=claim, anesthesia="general"))
