import pytest

RULE = "facet-joint-count"
NERVES = {"technique": "facet", "region": "lumbar", "target": "medial-branch", "levels": "L3 L4 L5"}
JOINTS = {"technique": "facet", "region": "lumbar", "target": "joint", "levels": "L4-L5 L5-S1"}
HEAT = {"technique": "radiofrequency", "region": "lumbar", "target": "medial-branch", "levels": "L3 L4 L5"}
ALL = "64493-RT, 64494-RT, 64495-RT"


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([NERVES], {"claim": "64493-RT, 64494-RT"}, id="three nerves, two joints"),
        pytest.param([JOINTS], {"claim": "64493-RT, 64494-RT"}, id="two joints"),
        pytest.param([NERVES | {"levels": "L2 L3 L4 L5"}], {"claim": ALL}, id="four nerves, three joints"),
        pytest.param([HEAT], {"claim": "64635-RT, 64636-RT"}, id="radiofrequency"),
        pytest.param([NERVES], {"claim": "64493-RT"}, id="too few: not here"),
        pytest.param([JOINTS | {"levels": "L3 L4 L5"}], {"claim": ALL}, id="two joints or three: asked"),
        pytest.param([JOINTS | {"levels": ""}], {"claim": ALL}, id="no level named"),
        pytest.param([NERVES], {"claim": ALL, "contradictions": ["levels"]}, id="contradicted: asked"),
        pytest.param(
            [NERVES | {"levels": "L2 L3 L4 L5"}], {"claim": "64493-RT, 64494-RT, 64495-RT x2"}, id="once a day"
        ),
        pytest.param([NERVES | {"levels": "L3 L4"}], {"claim": "64494-RT"}, id="without its primary: not here"),
        pytest.param([NERVES], {"claim": "64493-LT, 64494-LT"}, id="the wrong side: not here"),
        pytest.param([NERVES], {"claim": "64490-RT, 64491-RT, 64492-RT"}, id="another region: not here"),
        pytest.param([{}], {"claim": "64461-RT x2"}, id="sites are no joints: not here"),
        pytest.param(
            [{"technique": "facet", "region": "thoracic", "levels": "T12-L1 L1-L2"}],
            {"claim": "64490-RT, 64494-RT"},
            id="the count goes on in the next region",
        ),
        pytest.param([NERVES], {"orders": "64493, 64494"}, id="ordered as such"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message", "remedy"),
    [
        pytest.param(
            NERVES,
            {"claim": ALL},
            "Documented: 3 nerves on the right (L3, L4, L5) supply 2 joints (L4-L5, L5-S1): 64493-RT ×1 and "
            "64494-RT ×1, but the Claim has 64495-RT ×1.",
            "Report 64493-RT ×1 and 64494-RT ×1.",
            id="a third nerve is no third joint",
        ),
        pytest.param(
            NERVES | {"levels": "L3 L4"},
            {"claim": ALL},
            "Documented: 2 nerves on the right (L3, L4) supply 1 joint (L4-L5): 64493-RT ×1, "
            "but the Claim has 64494-RT ×1 and 64495-RT ×1.",
            "Report 64493-RT ×1.",
            id="two codes too many, one finding",
        ),
        pytest.param(
            JOINTS,
            {"claim": "64493-RT x2"},
            "Documented: 2 joints on the right (L4-L5, L5-S1): 64493-RT ×1 and 64494-RT ×1, "
            "but the Claim has 64493-RT ×2.",
            "Report 64493-RT ×1 and 64494-RT ×1.",
            id="joints as units of the first",
        ),
        pytest.param(
            HEAT,
            {"claim": "64635-RT, 64636-RT x2"},
            "Documented: 3 nerves on the right (L3, L4, L5) supply 2 joints (L4-L5, L5-S1): 64635-RT ×1 and "
            "64636-RT ×1, but the Claim has 64636-RT ×2.",
            "Report 64635-RT ×1 and 64636-RT ×1.",
            id="radiofrequency by the nerve",
        ),
        pytest.param(
            JOINTS | {"levels": "L3 L4"},
            {"claim": ALL},
            "Documented: 1 to 2 joints on the right (L3, L4): 64493-RT ×1 and 64494-RT ×1, "
            "but the Claim has 64495-RT ×1.",
            "Report 64493-RT ×1 and 64494-RT ×1.",
            id="beyond every reading",
        ),
        pytest.param(
            NERVES | {"side": "bilateral"},
            {"claim": "64493-50, 64494-50, 64495-50"},
            "Documented: 3 nerves on each side (L3, L4, L5) supply 2 joints (L4-L5, L5-S1): 64493-50 ×1 and "
            "64494-50 ×1, but the Claim has 64495-50 ×1.",
            "Report 64493-50 ×1 and 64494-50 ×1.",
            id="both sides",
        ),
        pytest.param(
            NERVES,
            {"orders": "64493, 64494, 64495"},
            "Ordered: 3 nerves on the right (L3, L4, L5) supply 2 joints (L4-L5, L5-S1): 64493 ×1 and 64494 ×1, "
            "but the order has 64495 ×1.",
            "Order 64493 ×1 and 64494 ×1.",
            id="ordered",
        ),
    ],
)
def test_speaks(block, options, message, remedy, judge):
    (finding,) = judge(RULE, block, **options)
    assert (finding.message, finding.remedy) == (message, remedy)
    assert "right" in [evidence.quote for evidence in finding.evidence] or block.get("side") == "bilateral"


def test_it_speaks_alone(make_case, make_block, found):
    assert set(found(make_case(make_block(**NERVES), claim=ALL))) == {RULE}
