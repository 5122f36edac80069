import pytest

RULE = "sympathetic-target"
CHAIN = {"technique": "sympathetic", "region": "lumbar", "levels": "L2 L3", "target": "thoracolumbar-chain"}
SPACE = {"target": "paravertebral-space"}
STELLATE = {"technique": "sympathetic", "region": "cervical", "levels": "C6", "target": "stellate"}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([{}], {"claim": "64461-RT"}, id="the paravertebral space"),
        pytest.param([CHAIN], {"claim": "64520-RT"}, id="the chain, one unit whatever the needles"),
        pytest.param([STELLATE], {"claim": "64510-RT"}, id="the stellate ganglion"),
        pytest.param([{}, CHAIN], {"claim": "64461-RT, 64520-RT"}, id="both done"),
        pytest.param(
            [CHAIN | {"target": None, "region": None, "levels": ""}],
            {"claim": "64510-RT"},
            id="no target stated: asked",
        ),
        pytest.param([{}], {"claim": "64520", "contradictions": ["technique"]}, id="contradicted: asked"),
        pytest.param([{}], {"claim": "64520-RT"}, id="neither the space nor a purpose stated: asked"),
        pytest.param([{}], {"orders": "64520"}, id="neither stated in an order: asked"),
        pytest.param([{"technique": "fascial-plane"}], {"claim": "64520"}, id="another technique: not here"),
        pytest.param([CHAIN], {"claim": "64483-RT"}, id="a code of another technique: not here"),
        pytest.param([{"region": "cervical", "levels": "C5"}], {"claim": "64461"}, id="another region: not here"),
        pytest.param([], {"claim": "64520"}, id="no block at all"),
        pytest.param([{}], {"claim": "64520", "notes": "unknown", "not_done": [CHAIN]}, id="cancelled: not here"),
        pytest.param([CHAIN], {"orders": "64520"}, id="ordered as such"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("blocks", "options", "message", "remedy"),
    [
        pytest.param(
            [SPACE],
            {"claim": "64520-RT"},
            "64520 (lumbar or thoracic sympathetic chain block) is reported, but the record describes "
            "a thoracic paravertebral block.",
            "Report 64461-RT ×1.",
            id="the chain's code for the paravertebral space",
        ),
        pytest.param(
            [{"purpose": "trauma-analgesia"}],
            {"claim": "64520-RT"},
            "64520 (lumbar or thoracic sympathetic chain block) is reported, but the record describes "
            "a thoracic paravertebral block.",
            "Report 64461-RT ×1.",
            id="the chain's code for a block whose purpose tells",
        ),
        pytest.param(
            [{}],
            {"claim": "64510-RT"},
            "64510 (stellate ganglion block) is reported, but the record describes a thoracic paravertebral block.",
            "Report 64461-RT ×1.",
            id="the code of a ganglion elsewhere leaves nothing open",
        ),
        pytest.param(
            [CHAIN],
            {"claim": "64461-RT, 64462-RT"},
            "64461 and 64462 (thoracic paravertebral block) are reported, but the record describes "
            "a lumbar sympathetic block.",
            "Report 64520-RT ×1.",
            id="the paravertebral codes for the chain",
        ),
        pytest.param(
            [STELLATE],
            {"claim": "64520-RT"},
            "64520 (lumbar or thoracic sympathetic chain block) is reported, but the record describes "
            "a stellate ganglion block.",
            "Report 64510-RT ×1.",
            id="one ganglion for another",
        ),
        pytest.param(
            [{"region": "cervical", "levels": "C6"}],
            {"claim": "64510"},
            "64510 (stellate ganglion block) is reported, but the record describes a cervical paravertebral block.",
            "Replace 64510 by the code for the target that was injected.",
            id="a block no code is known for",
        ),
        pytest.param(
            [SPACE],
            {"orders": "64520"},
            "64520 (lumbar or thoracic sympathetic chain block) is ordered, but the order asks for "
            "a thoracic paravertebral block.",
            "Order 64461 ×1.",
            id="ordered",
        ),
    ],
)
def test_speaks(blocks, options, message, remedy, judge):
    (finding,) = judge(RULE, *blocks, **options)
    assert (finding.message, finding.remedy) == (message, remedy)
    assert finding.evidence[-1].quote.endswith("block")
