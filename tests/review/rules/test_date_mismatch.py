import pytest

RULE = "date-mismatch"


@pytest.mark.parametrize(
    ("blocks", "claim"),
    [
        pytest.param([{}], "64461-RT @2026-03-02", id="the same day"),
        pytest.param([{}], "64461-RT", id="the line has no date"),
        pytest.param([{"day": None}], "64461-RT @2026-03-03", id="the record has no date"),
        pytest.param([{}, {"side": "left", "day": "2026-03-05"}], "64461-RT @2026-03-03", id="blocks on two days"),
        pytest.param([{}], "64461-RT, 00541 @2026-03-03", id="a line that is not judged"),
        pytest.param([{"technique": "fascial-plane"}], "64461-RT @2026-03-03", id="another technique: not here"),
        pytest.param([], "64461-RT @2026-03-03", id="no block"),
        pytest.param([{"surgeon": True}], "64461-RT @2026-03-03", id="not separate at all"),
    ],
)
def test_silent(blocks, claim, judge):
    assert judge(RULE, *blocks, claim=claim) == []


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (
            "64461-RT @2026-03-03",
            "64461 is reported for 2026-03-03; the block is documented on 2026-03-02.",
        ),
        (
            "64461-RT @2026-03-01, 64462-RT @2026-03-01",
            "64461 and 64462 are reported for 2026-03-01; the block is documented on 2026-03-02.",
        ),
        (
            "64461-RT @2026-03-02, 64462-RT @2026-03-03",
            "64462 is reported for 2026-03-03; the block is documented on 2026-03-02.",
        ),
    ],
)
def test_speaks(claim, message, judge):
    (finding,) = judge(RULE, {"levels": "T4 T5"}, claim=claim)
    assert finding.message == message
    assert "DocumentReference/note" in {evidence.reference for evidence in finding.evidence}
