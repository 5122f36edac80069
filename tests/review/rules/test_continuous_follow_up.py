import pytest

RULE = "continuous-follow-up"
DAY, NEXT, THIRD = "2026-03-02", "2026-03-03", "2026-03-04"
EPIDURAL = {"technique": "interlaminar-epidural", "levels": "T8-T9", "side": None, "catheter": True}
BESIDE = {"catheter": True}


@pytest.mark.parametrize(
    ("blocks", "options"),
    [
        pytest.param([EPIDURAL], {"claim": f"62324 @{DAY}, 01996 @{NEXT}"}, id="the day after"),
        pytest.param([EPIDURAL], {"claim": f"62324 @{DAY}, 01996 @{NEXT}, 01996 @{THIRD}"}, id="two days after"),
        pytest.param([EPIDURAL], {"claim": "62324, 01996"}, id="no dates stated"),
        pytest.param([EPIDURAL | {"day": None}], {"claim": f"62324, 01996 @{NEXT}"}, id="placed on no stated day"),
        pytest.param([EPIDURAL, BESIDE], {"claim": f"62324, 01996 @{NEXT}"}, id="one of two catheters is epidural"),
        pytest.param([{}], {"claim": "64461-RT, 01996", "notes": "unknown"}, id="no note that could tell"),
        pytest.param([{}], {"claim": "64461-RT, 01996", "anesthesia": "epidural"}, id="the anesthesia was epidural"),
        pytest.param(
            [{"catheter": True}], {"claim": "64463-RT, 01996", "contradictions": ["catheter"]}, id="contradicted: asked"
        ),
        pytest.param([BESIDE], {"claim": f"64463-RT @{DAY}"}, id="the placement alone"),
        pytest.param([BESIDE], {"claim": f"64463-RT @{NEXT}"}, id="a slip in the date: not here"),
        pytest.param(
            [BESIDE, BESIDE | {"day": NEXT, "levels": "T7"}],
            {"claim": f"64463-RT @{DAY}, 64463-RT @{NEXT}"},
            id="placed anew",
        ),
        pytest.param([EPIDURAL], {"claim": "62324", "second_claim": f"01996 @{DAY}"}, id="on somebody else's Claim"),
        pytest.param([EPIDURAL], {"orders": "62324"}, id="orders have no days"),
    ],
)
def test_silent(blocks, options, judge):
    assert judge(RULE, *blocks, **options) == []


@pytest.mark.parametrize(
    ("blocks", "options", "message", "remedy"),
    [
        pytest.param(
            [EPIDURAL],
            {"claim": f"62324 @{DAY}, 01996 @{DAY}"},
            "01996 is reported for 2026-03-02; the catheter was placed on 2026-03-02, and its care starts the day "
            "after (edit 62324/01996, 2024 Q3).",
            "Remove 01996 for 2026-03-02.",
            id="on the day of placement",
        ),
        pytest.param(
            [EPIDURAL | {"day": None}],
            {"claim": f"62324 @{DAY}, 01996 @{DAY}"},
            "01996 is reported for 2026-03-02; the catheter was placed on 2026-03-02, and its care starts the day "
            "after (edit 62324/01996, 2024 Q3).",
            "Remove 01996 for 2026-03-02.",
            id="a note without a date: as the Claim dates the placement",
        ),
        pytest.param(
            [EPIDURAL | {"day": NEXT}],
            {"claim": f"62324 @{NEXT}, 01996 @{DAY}"},
            "01996 is reported for 2026-03-02; the catheter was placed on 2026-03-03, and its care starts the day "
            "after (edit 62324/01996, 2024 Q3).",
            "Remove 01996 for 2026-03-02.",
            id="before it was placed",
        ),
        pytest.param(
            [BESIDE],
            {"claim": f"64463-RT @{DAY}, 01996 @{NEXT}"},
            "01996 is for an epidural or spinal infusion; the record tells of a catheter "
            "for the thoracic paravertebral block.",
            "Remove 01996; the later days of this catheter are visits.",
            id="for a paravertebral catheter",
        ),
        pytest.param(
            [EPIDURAL],
            {"claim": f"62324 @{DAY}, 01996 x2 @{NEXT}"},
            "01996 ×2 is reported for 2026-03-03; it is paid 1 time a day (MUE 2024 Q3, MAI 2).",
            "Report 01996 ×1 for 2026-03-03.",
            id="twice a day",
        ),
        pytest.param(
            [{}],
            {"claim": f"64461-RT @{DAY}, 01996 @{NEXT}"},
            "01996 is for an epidural or spinal infusion; the record of this encounter tells of no such catheter.",
            "Check whether the note on the catheter is missing, or belongs to another encounter.",
            id="no catheter at all",
        ),
        pytest.param(
            [BESIDE],
            {"claim": f"64463-RT @{DAY}, 64463-RT @{NEXT}, 64463-RT @{THIRD}"},
            "64463-RT ×1 is reported for 2026-03-03 and 2026-03-04, but the catheter was placed on 2026-03-02.",
            "Remove 64463-RT ×1 of 2026-03-03 and 64463-RT ×1 of 2026-03-04. "
            "A catheter that was placed anew needs a note of its own.",
            id="placed every day",
        ),
    ],
)
def test_speaks(blocks, options, message, remedy, judge):
    (finding,) = judge(RULE, *blocks, **options)
    assert (finding.message, finding.remedy) == (message, remedy)


@pytest.mark.parametrize(
    ("block", "claim"),
    [
        (EPIDURAL, f"62324 @{DAY}, 01996 @{DAY}"),
        (BESIDE, f"64463-RT @{DAY}, 64463-RT @{NEXT}"),
    ],
)
def test_it_speaks_alone(block, claim, make_case, make_block, found):
    assert set(found(make_case(make_block(**block), claim=claim))) == {RULE}


def test_that_no_catheter_is_documented_is_advice(judge):
    (finding,) = judge(RULE, {}, claim="64461-RT, 01996")
    assert finding.severity == "info"
