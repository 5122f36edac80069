import pytest

RULE = "region-mismatch"
LUMBAR = {"technique": "facet", "region": "lumbar", "levels": "L4-L5"}
NECK = {"technique": "facet", "region": "cervical", "levels": "C5-C6"}
JUNCTION = {"technique": "facet", "region": "thoracic", "levels": "T12-L1"}
ESI = {"technique": "interlaminar-epidural", "region": "lumbar", "levels": "L4-L5", "side": None}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([LUMBAR], {"claim": "64493-RT"}, id="the region done"),
        pytest.param([JUNCTION], {"claim": "64490-RT"}, id="T12-L1 is thoracic"),
        pytest.param([JUNCTION | {"levels": "T12-L1 L1-L2"}], {"claim": "64490-RT, 64494-RT"}, id="the count goes on"),
        pytest.param([LUMBAR, NECK], {"claim": "64493-RT, 64490-RT"}, id="both regions done"),
        pytest.param([LUMBAR | {"region": None, "levels": ""}], {"claim": "64490-RT"}, id="no region stated: asked"),
        pytest.param([LUMBAR], {"claim": "64490-RT", "contradictions": ["levels"]}, id="contradicted: asked"),
        pytest.param([LUMBAR], {"claim": "64635-RT"}, id="another technique: not here"),
        pytest.param([{"technique": "sympathetic", "target": "stellate"}], {"claim": "64520"}, id="a target: not here"),
        pytest.param([{"technique": "fascial-plane"}], {"claim": "64486-RT"}, id="another plane: not here"),
        pytest.param([{"technique": "other", "target": "saphenous"}], {"claim": "64451"}, id="another nerve: not here"),
        pytest.param([LUMBAR], {"claim": "64490-RT", "day": "2009-12-31"}, id="not in force: not here"),
        pytest.param([], {"claim": "64490-RT"}, id="no block at all"),
        pytest.param([LUMBAR | {"surgeon": True}], {"claim": "64490"}, id="not separate at all"),
        pytest.param([NECK], {"orders": "64490"}, id="ordered as such"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("blocks", "options", "message", "remedy"),
    [
        pytest.param(
            [LUMBAR],
            {"claim": "64490-RT, 64491-RT"},
            "64490 and 64491 (cervical or thoracic facet joint injection or medial branch block) are reported, "
            "but the record describes a lumbar facet joint injection at L4-L5.",
            "Report 64493-RT ×1.",
            id="thoracic codes for a lumbar joint",
        ),
        pytest.param(
            [JUNCTION],
            {"claim": "64493-RT"},
            "64493 (lumbar or sacral facet joint injection or medial branch block) is reported, but the record "
            "describes a thoracic facet joint injection at T12-L1; T12-L1 goes with the thoracic levels.",
            "Report 64490-RT ×1.",
            id="T12-L1 by its lower vertebra",
        ),
        pytest.param(
            [JUNCTION | {"levels": "T12-L1 L1-L2"}],
            {"claim": "64493-RT, 64494-RT"},
            "64493 (lumbar or sacral facet joint injection or medial branch block) is reported, but the record "
            "describes a thoracic facet joint injection and a lumbar facet joint injection at T12-L1 and L1-L2; "
            "T12-L1 goes with the thoracic levels.",
            "Report 64490-RT ×1 and 64494-RT ×1.",
            id="the first level of two begins above",
        ),
        pytest.param(
            [ESI],
            {"claim": "62320"},
            "62320 (cervical or thoracic interlaminar epidural injection) is reported, but the record describes "
            "a lumbar interlaminar epidural injection at L4-L5.",
            "Report 62322 ×1.",
            id="epidural",
        ),
        pytest.param(
            [{"region": "cervical", "levels": "C5"}],
            {"claim": "64461-RT"},
            "64461 (thoracic paravertebral block) is reported, but the record describes "
            "a cervical paravertebral block at C5.",
            "Replace 64461 by the code for the region that was treated.",
            id="a region no code is known for",
        ),
        pytest.param(
            [NECK],
            {"orders": "64493"},
            "64493 (lumbar or sacral facet joint injection or medial branch block) is ordered, but the order asks for "
            "a cervical facet joint injection at C5-C6.",
            "Order 64490 ×1.",
            id="ordered",
        ),
    ],
)
def test_speaks(blocks, options, message, remedy, judge):
    (finding,) = judge(RULE, *blocks, **options)
    assert (finding.message, finding.remedy) == (message, remedy)
    assert finding.evidence[-1].quote == blocks[0]["levels"].split()[-1]


def test_the_right_code_is_not_asked_for_a_second_time(make_case, make_block, found):
    assert set(found(make_case(make_block(**LUMBAR), claim="64490-RT"))) == {RULE}
