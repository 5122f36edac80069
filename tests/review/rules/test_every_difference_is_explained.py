"""Two promises over generated cases: a right claim is met with silence, and every difference has a rule that speaks."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CODES = ("64461", "64462", "64463", "64466", "64467", "64468", "64469", "64420", "64421", "76942", "77002", "77003")
LEVELS = ("T3", "T4", "T5", "T6", "T7")
FORMS = (
    {"addon_bilateral": "mod50_one_unit", "primary_bilateral": "mod50"},
    {"addon_bilateral": "two_units", "primary_bilateral": "mod50"},
    {"addon_bilateral": "two_lines_rt_lt", "primary_bilateral": "two_lines_rt_lt"},
)
PROVEN = {"purpose": "postoperative-analgesia", "requested": True}

techniques = st.sampled_from(("paravertebral", "fascial-plane", "intercostal"))
block_options = st.fixed_dictionaries(
    {
        "levels": st.integers(1, 5).map(lambda n: " ".join(LEVELS[:n])),
        "side": st.sampled_from(("right", "left", "bilateral")),
        "technique": techniques,
        "catheter": st.sampled_from((None, False, True)),
        "guidance": st.sampled_from(((), ("ultrasound",))),
        "image": st.sampled_from((None, True)),
        "proof": st.sampled_from(({}, PROVEN)),
    }
)
situations = st.fixed_dictionaries(
    {
        "anesthesia": st.sampled_from((None, "general")),
        "parameters": st.sampled_from(FORMS),
    }
)
modifiers = st.sampled_from(("", "-RT", "-LT", "-50", "-59", "-RT-59", "-50-XU", "-26", "-RT-LT"))
lines = st.builds(
    lambda code, modifier, units: f"{code}{modifier} x{units}", st.sampled_from(CODES), modifiers, st.integers(1, 3)
)
generated = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def said(line) -> str:
    return f"{'-'.join((line.code, *line.modifiers))} x{line.units:g}"


def merged(lines) -> dict[tuple[str, ...], float]:
    """Units by code and modifiers: equal units on two lines or on one are the same claim."""
    units: dict[tuple[str, ...], float] = {}
    for line in lines:
        key = (line.code, *sorted(line.modifiers))
        units[key] = units.get(key, 0) + line.units
    return units


def differ(case) -> bool:
    return merged(case.lines) != merged(case.expected)


@pytest.fixture
def build(make_case, make_block):
    def from_options(options, claim, *, beside="", **situation):
        block = {name: value for name, value in options.items() if name != "proof"}
        if block["technique"] == "intercostal":
            block["catheter"] = None
        done = make_block(block.pop("levels"), block.pop("side"), block.pop("technique"), **block, **options["proof"])
        return make_case(done, claim=", ".join(filter(None, (claim, beside))), **situation)

    return from_options


@generated
@given(options=block_options, situation=situations)
def test_a_claim_of_exactly_the_expected_lines_is_met_with_silence(options, situation, build, found):
    right = build(options, "", **situation).expected
    case = build(options, ", ".join(map(said, right)), **situation)
    assert not differ(case)
    assert found(case) == {}


@generated
@given(options=block_options, situation=situations, proven=st.just(PROVEN))
def test_beside_anesthesia_a_right_claim_is_met_with_silence_where_the_record_proves_it(
    options, situation, proven, build, found
):
    situation = {**situation, "anesthesia": "general", "beside": "00541"}
    options = {**options, "proof": proven}
    right = build(options, "", **situation).expected
    case = build(options, ", ".join(map(said, right)), **situation)
    assert not differ(case)
    assert found(case) == {}


@generated
@given(
    options=block_options,
    situation=situations,
    claimed=st.lists(lines, max_size=4),
    beside=st.sampled_from(("", "00541")),
)
def test_a_claim_of_any_other_lines_is_explained(options, situation, claimed, beside, build, found):
    case = build(options, ", ".join(claimed), beside=beside, **situation)
    if differ(case):
        assert found(case), [said(line) for line in case.expected]


@generated
@given(options=block_options, situation=situations, data=st.data())
def test_a_single_slip_in_a_right_claim_is_explained(options, situation, data, build, found):
    right = [said(line) for line in build(options, "", **situation).expected]
    at = data.draw(st.integers(0, len(right) - 1))
    code, units = right[at].split(" ")
    bare = code.split("-")[0]
    slips = ["", f"{code} x2", f"{code} x3", bare, f"{bare}-RT", f"{bare}-LT", f"{bare}-50", f"{code}, {code}"]
    slips += [f"{other}{code.removeprefix(bare)} {units}" for other in CODES]
    slip = data.draw(st.sampled_from(slips))
    case = build(options, ", ".join([*right[:at], *filter(None, [slip]), *right[at + 1 :]]), **situation)
    if differ(case):
        assert found(case), (slip, right)


odd_blocks = st.fixed_dictionaries(
    {
        "levels": st.sampled_from(("", "T4", "T4 T5 T6", "rib_5", "T4-T5")),
        "side": st.sampled_from((None, "right", "left", "bilateral")),
        "technique": st.sampled_from(("paravertebral", "fascial-plane", "intercostal", "facet", "other")),
        "region": st.sampled_from((None, "thoracic", "cervical", "lumbar")),
        "plane": st.sampled_from((None, "erector-spinae", "quadratus-lumborum")),
        "count": st.sampled_from((None, (1, 1), (1, 3), (2, None), (4, 4))),
        "catheter": st.sampled_from((None, False, True)),
        "guidance": st.sampled_from(((), ("ultrasound",), ("fluoroscopy", "landmark"))),
        "image": st.sampled_from((None, False, True)),
        "surgeon": st.sampled_from((None, False, True)),
        "day": st.sampled_from((None, "2026-03-02", "2026-03-03")),
    }
)


@generated
@given(
    blocks=st.lists(odd_blocks, max_size=3),
    not_done=st.lists(odd_blocks, max_size=1),
    claimed=st.lists(lines, max_size=4),
    beside=st.sampled_from(("00541", "64999 x2", "62320", "20552-59", "99213 x1.5 @2026-03-02")),
    orders=st.sampled_from((None, "64461", "64462, 76942", "64466, 64466")),
    day=st.sampled_from(("2010-01-01", "2024-12-31", "2026-03-02")),
    notes=st.sampled_from(("read", "none", "unknown")),
    contradictions=st.sampled_from(((), ("laterality",), ("technique", "catheter"), ("levels",))),
    anesthesia=st.sampled_from((None, "general", "sedation", "block-only")),
)
def test_no_rule_raises_and_every_finding_is_whole(
    blocks, not_done, claimed, beside, make_case, make_block, every_finding, **options
):
    case = make_case(
        *(make_block(**block) for block in blocks),
        not_done=[make_block(**block) for block in not_done],
        claim=", ".join([*claimed, beside]),
        **options,
    )
    for finding in every_finding(case):
        assert finding.message.endswith(".")
        assert finding.remedy.endswith(".")
        assert finding.codes
        assert finding.citations
        assert any(evidence.quote for evidence in finding.evidence)
        assert "None" not in finding.message + finding.remedy
        assert "  " not in finding.message + finding.remedy
