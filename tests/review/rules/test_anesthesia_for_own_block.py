import pytest

RULE = "anesthesia-for-own-block"
DOCTOR, NURSE, GROUP = "Practitioner/doctor", "Practitioner/nurse", "Organization/group"
CHAIN = {"technique": "sympathetic", "region": "lumbar", "levels": "L2", "target": "thoracolumbar-chain"}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([CHAIN], {"claim": "64520-RT"}, id="the block alone"),
        pytest.param([CHAIN], {"claim": "64520-RT", "second_claim": "01992 x4"}, id="another Claim, nobody named"),
        pytest.param(
            [CHAIN],
            {"claim": "64520-RT", "provider": DOCTOR, "second_claim": "01992 x4", "second_provider": NURSE},
            id="by another practitioner",
        ),
        pytest.param(
            [CHAIN],
            {"claim": "64520-RT", "provider": GROUP, "second_claim": "01992 x4", "second_provider": GROUP},
            id="two Claims of one group",
        ),
        pytest.param(
            [CHAIN | {"performers": [DOCTOR]}],
            {"claim": "01992 x4", "provider": NURSE},
            id="only the other's Claim is there",
        ),
        pytest.param([{}], {"claim": "64461-RT, 00541 x9"}, id="anesthesia for the operation is another matter"),
        pytest.param([CHAIN], {"claim": "64520-RT @2026-03-02, 01992 x4 @2026-03-09"}, id="for a block of another day"),
        pytest.param([], {"claim": "01992 x4"}, id="no block"),
        pytest.param([CHAIN], {"orders": "64520"}, id="orders have no anesthesia"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("block", "options", "message"),
    [
        pytest.param(
            CHAIN,
            {"claim": "64520-RT, 01992 x4"},
            "01992 is anesthesia for somebody else's block, but the same provider has 64520.",
            id="on one Claim",
        ),
        pytest.param(
            {},
            {"claim": "64461-RT @2026-03-02, 01991 x3 @2026-03-02, 01992 x1"},
            "01991 and 01992 are anesthesia for somebody else's block, but the same provider has 64461.",
            id="both codes",
        ),
        pytest.param(
            CHAIN,
            {"claim": "64520-RT", "provider": DOCTOR, "second_claim": "01992 x4", "second_provider": DOCTOR},
            "01992 is anesthesia for somebody else's block, but the same provider has 64520.",
            id="on two Claims of one practitioner",
        ),
        pytest.param(
            CHAIN | {"performers": [DOCTOR]},
            {"claim": "01992 x4", "provider": DOCTOR},
            "01992 is anesthesia for somebody else's block, but the same provider has 64520.",
            id="the record names who did the block",
        ),
    ],
)
def test_speaks(block, options, message, judge):
    (finding,) = judge(RULE, block, **options)
    assert finding.message == message
    assert finding.remedy.startswith("Remove 0199")
    assert finding.evidence[0].quote.startswith("0199")


def test_the_edit_of_the_pair_is_not_told_again(make_case, make_block, found):
    assert set(found(make_case(make_block(**CHAIN), claim="64520-RT, 01992 x4"))) == {RULE}
