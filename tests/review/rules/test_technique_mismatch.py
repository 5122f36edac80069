import pytest

RULE = "technique-mismatch"
PLANE = {"technique": "fascial-plane", "plane": "erector-spinae"}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([{}], {"claim": "64461-RT"}, id="the technique done"),
        pytest.param([PLANE], {"claim": "64466-RT"}, id="a plane block as one"),
        pytest.param([PLANE, {"side": "left"}], {"claim": "64466-RT, 64461-LT"}, id="two techniques, two codes"),
        pytest.param([PLANE], {"claim": "64461-RT", "contradictions": ["technique"]}, id="contradicted: asked"),
        pytest.param([], {"claim": "64461-RT"}, id="no block at all: not here"),
        pytest.param([{"catheter": True}], {"claim": "64461-RT"}, id="the same family: not here"),
        pytest.param([PLANE], {"claim": "76942"}, id="imaging is no block"),
        pytest.param([PLANE], {"claim": "64466-RT", "day": "2024-12-31"}, id="not in force: not here"),
        pytest.param([PLANE], {"orders": "64466"}, id="ordered as such"),
        pytest.param([{"region": "cervical", "levels": "C5"}], {"claim": "64461"}, id="another region: not here"),
        pytest.param([{"technique": "sympathetic", "target": "stellate"}], {"claim": "64461"}, id="a target: not here"),
        pytest.param([PLANE | {"purpose": "surgical-anesthesia"}], {"claim": "64461"}, id="not separate at all"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message", "remedy"),
    [
        (
            PLANE,
            {"claim": "64461-RT"},
            "64461 (thoracic paravertebral block) is reported, but the record describes an erector spinae plane block.",
            "Report 64466-RT ×1.",
        ),
        (
            PLANE,
            {"claim": "64461-RT", "day": "2024-12-31"},
            "64461 (thoracic paravertebral block) is reported, but the record describes an erector spinae plane block.",
            "Report 64999 ×1.",
        ),
        (
            PLANE,
            {"claim": "64461-RT, 64462-RT"},
            (
                "64461 and 64462 (thoracic paravertebral block) are reported, but the record describes "
                "an erector spinae plane block."
            ),
            "Report 64466-RT ×1.",
        ),
        (
            {},
            {"claim": "64420-RT"},
            "64420 (intercostal nerve block) is reported, but the record describes a thoracic paravertebral block.",
            "Report 64461-RT ×1.",
        ),
        (
            {"technique": "facet", "region": "lumbar", "levels": "L4-L5"},
            {"claim": "64461-RT"},
            (
                "64461 (thoracic paravertebral block) is reported, but the record describes "
                "a lumbar facet joint injection."
            ),
            "Report 64493-RT ×1.",
        ),
        (
            {"technique": "fascial-plane", "plane": "transversus-abdominis", "region": None, "levels": ""},
            {"claim": "64466-RT"},
            (
                "64466 (thoracic fascial plane block) is reported, but the record describes "
                "a transversus abdominis plane block."
            ),
            "Report 64486-RT ×1.",
        ),
        (
            PLANE,
            {"orders": "64461"},
            "64461 (thoracic paravertebral block) is ordered, but the order asks for an erector spinae plane block.",
            "Order 64466 ×1.",
        ),
    ],
)
def test_speaks(block, options, message, remedy, judge):
    (finding,) = judge(RULE, block, **options)
    assert (finding.message, finding.remedy) == (message, remedy)
    assert finding.evidence[-1].quote.endswith("block")
