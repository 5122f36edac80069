"""Whatever was done, the lines suggested for it keep the rules they are judged by."""

from __future__ import annotations

from itertools import permutations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LEVELS = st.lists(st.sampled_from(["T2", "T4", "T5", "T4-T5", "T12", "rib_5", "rib_6", "L1"]), max_size=6, unique=True)
BLOCKS = st.fixed_dictionaries(
    {
        "levels": LEVELS.map(" ".join),
        "side": st.sampled_from(["right", "left", "bilateral", None]),
        "left": st.none() | LEVELS.map(" ".join),
        "technique": st.sampled_from(["paravertebral", "fascial-plane", "intercostal", "facet", "other"]),
        "region": st.sampled_from(["thoracic", "lumbar", None]),
        "plane": st.none() | st.sampled_from(["erector-spinae", "pecs", "quadratus-lumborum"]),
        "count": st.none() | st.tuples(st.integers(1, 3), st.integers(3, 5) | st.none()),
        "catheter": st.sampled_from([True, False, None]),
        "guidance": st.lists(st.sampled_from(["ultrasound", "fluoroscopy", "landmark"]), max_size=2, unique=True),
        "image": st.sampled_from([True, False, None]),
        "purpose": st.none() | st.sampled_from(["postoperative-analgesia", "surgical-anesthesia", "trauma-analgesia"]),
        "requested": st.sampled_from([True, None]),
    }
)


@given(
    blocks=st.lists(BLOCKS, max_size=3, unique_by=lambda block: block["technique"]),
    day=st.sampled_from(
        ["2015-12-31", "2016-01-01", "2019-12-31", "2020-01-01", "2024-12-31", "2025-01-01", "2026-11-01"]
    ),
    profile=st.sampled_from(["default", "medicare"]),
    claim=st.sampled_from(["", "64461-RT, 64462-RT x3", "64462 x2", "00540, 64461-50", "64420, 64421 x9, 76942-26"]),
    anesthesia=st.sampled_from([None, "general", "sedation"]),
)
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_expected_lines_keep_every_rule(blocks, day, profile, claim, anesthesia, make_case, make_block):
    case = make_case(
        *(make_block(**block, day=day) for block in blocks),
        day=day,
        profile=profile,
        claim=claim,
        anesthesia=anesthesia,
    )
    codes = {line.code for line in case.expected}
    for line in case.expected:
        code, edit = case.view.code(line.code), case.view.mue(line.code)
        assert line.units >= 1
        assert code.valid_on(case.day)
        assert code.role != "add-on" or codes & code.primaries
        assert len({"50", "RT", "LT"} & set(line.modifiers)) <= 1
        assert not (code.inherently_bilateral and {"50", "RT", "LT"} & set(line.modifiers))
        units = sum(other.units for other in case.expected if other.code == line.code)
        assert edit is None or edit.mai != 2 or units <= edit.units
        assert not code.once_per_day or units == 1
    for one, other in permutations(codes, 2):
        edit = case.view.ptp(one, other)
        assert edit is None or edit.indicator != "0"
