import pytest

RULE = "ptp-conflict"
PROVEN = {"purpose": "postoperative-analgesia", "requested": True}
RIBS = {"technique": "intercostal", "levels": "rib_5"}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([{"levels": "T4 T5"}], {"claim": "64461-RT, 64462-RT"}, id="a primary and its add-on"),
        pytest.param([{}], {"claim": "64461-RT, 99213"}, id="no pair"),
        pytest.param([{}], {"claim": "64461-RT, 76942"}, id="imaging that is included: another rule's"),
        pytest.param([PROVEN], {"claim": "64461-RT, 00541", "anesthesia": "general"}, id="proven: the modifier's"),
        pytest.param([{}], {"claim": "64461-RT-59, 00541", "anesthesia": "general"}, id="unproven: the modifier's"),
        pytest.param([{}], {"claim": "64461-RT @2026-03-02, 62320 @2026-03-01"}, id="on different days"),
        pytest.param([{}], {"claim": "64461-RT, 20552-59"}, id="indicator 1, marked on one line"),
        pytest.param([{}], {"claim": "64461-RT-XS, 20552"}, id="indicator 1, marked on the other line"),
        pytest.param([{}], {"claim": "62320, 20552"}, id="no block in the pair"),
        pytest.param([RIBS], {"claim": "64461-RT, 64420-RT"}, id="another technique: that rule's"),
        pytest.param([{"surgeon": True}], {"claim": "64461-RT, 62320"}, id="not separate at all"),
        pytest.param([{}], {"claim": "64633, 64461-RT"}, id="nothing tells of what stands in column 1: that rule's"),
        pytest.param([{}], {"orders": "64461, 64420"}, id="orders carry no modifiers"),
        pytest.param([{}], {"claim": "64461-RT, 01991"}, id="anesthesia for the block: not here"),
        pytest.param(
            [{"technique": "interlaminar-epidural", "catheter": True}],
            {"claim": "62324, 01996"},
            id="its care: not here",
        ),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("blocks", "options", "message"),
    [
        (
            [{}, RIBS],
            {"claim": "64461-RT, 64420-RT-59"},
            "64420 is never paid beside 64461 on one day, whatever the modifier (edit 64461/64420, 2024 Q3).",
        ),
        (
            [{}, RIBS | {"levels": "rib_5 rib_6"}],
            {"claim": "64461-RT, 64421-RT"},
            "64421 is never paid beside 64461 on one day, whatever the modifier (edit 64461/64421, 2024 Q3).",
        ),
        (
            [{}],
            {"claim": "64461-RT, 62320-59"},
            "62320 is never paid beside 64461 on one day, whatever the modifier (edit 64461/62320, 2024 Q3).",
        ),
        (
            [{}],
            {"claim": "20550, 64461-RT"},
            ("64461 is never paid beside 20550 on one day, whatever the modifier (edit 20550/64461, 2024 Q3)."),
        ),
        (
            [{}],
            {"claim": "00541, 64461-RT", "anesthesia": "general"},
            (
                "64461 is paid beside 00541 only as a documented separate service with a modifier "
                "(edit 00541/64461, 2024 Q3)."
            ),
        ),
        (
            [],
            {"claim": "64461-RT, 76942", "notes": "unknown"},
            (
                "76942 is paid beside 64461 only as a documented separate service with a modifier "
                "(edit 64461/76942, 2024 Q3)."
            ),
        ),
    ],
)
def test_speaks(blocks, options, message, judge):
    (finding,) = judge(RULE, *blocks, **options)
    assert finding.message == message
    assert {evidence.quote for evidence in finding.evidence} >= set(finding.codes)
    assert finding.citations[0].id == "cms-ncci-ptp-2024q3"


def test_of_two_documented_blocks_that_exclude_each_other_only_this_rule_speaks(make_case, make_block, found):
    blocks = (make_block("T4"), make_block("rib_5", technique="intercostal"))
    case = make_case(*blocks, claim="64461-RT, 64420-RT")
    assert list(found(case)) == [RULE]
    assert found(make_case(*blocks, claim="64461-RT")) == {}
