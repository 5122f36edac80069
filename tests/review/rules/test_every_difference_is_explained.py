"""Two promises over generated cases: a right claim is met with silence, and every difference has a rule that speaks."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cds_service.chart.model import Technique
from cds_service.knowledge.library import load
from cds_service.review.mismatch import Mismatch, unexpected

KNOWLEDGE = load()
CODES = tuple(c.code for c in KNOWLEDGE.codes.values() if c.is_block or c.role in ("imaging", "unlisted"))
PROFILES = tuple(KNOWLEDGE.profiles)
ADVICE = {"facet-third-level", "session-frequency", "diagnosis-support"}
"""Rules on what a payer covers: they speak of right lines as well."""
FORMS = (
    None,
    {"addon_bilateral": "two_units", "primary_bilateral": "mod50"},
    {"addon_bilateral": "two_lines_rt_lt", "primary_bilateral": "two_lines_rt_lt"},
)
PROVEN = {"purpose": "postoperative-analgesia", "requested": True}
IMAGING = ((), ("ultrasound",), ("fluoroscopy",), ("ct",), ("landmark",), ("landmark", "fluoroscopy"))


def _kind(technique: str, region: str | None, levels: str, **more) -> dict:
    """What a block is, with the levels it may be at."""
    return {"technique": technique, "region": region, "levels": levels.split(), **more}


KINDS = (
    _kind("paravertebral", "thoracic", "T3 T4 T5 T6 T7"),
    _kind("paravertebral", "cervical", "C5 C6"),
    _kind("fascial-plane", "thoracic", "T3 T4 T5 T6 T7", plane="erector-spinae"),
    _kind("fascial-plane", None, "", plane="transversus-abdominis"),
    _kind("fascial-plane", None, "", plane="fascia-iliaca"),
    _kind("fascial-plane", None, "", plane="quadratus-lumborum"),
    _kind("intercostal", "thoracic", "rib_4 rib_5 rib_6 rib_7 rib_8"),
    _kind("facet", "lumbar", "L2 L3 L4 L5", target="medial-branch"),
    _kind("facet", "lumbar", "L1-L2 L2-L3 L3-L4 L4-L5 L5-S1", target="joint"),
    _kind("facet", "lumbar", "L2 L3 L4 L5"),
    _kind("facet", "cervical", "C2-C3 C3-C4 C4-C5 C5-C6 C6-C7"),
    _kind("facet", "thoracic", "T12-L1 L1-L2 L2-L3"),
    _kind("facet", None, ""),
    _kind("radiofrequency", "lumbar", "L2 L3 L4 L5", target="medial-branch"),
    _kind("radiofrequency", "cervical", "C3 C4 C5", target="medial-branch", method="thermal"),
    _kind("radiofrequency", "lumbar", "L3 L4", target="medial-branch", method="pulsed"),
    _kind("transforaminal-epidural", "lumbar", "L3-L4 L4-L5 L5-S1"),
    _kind("transforaminal-epidural", "cervical", "C4-C5 C5-C6"),
    _kind("interlaminar-epidural", "lumbar", "L4-L5"),
    _kind("interlaminar-epidural", "thoracic", "T8-T9"),
    _kind("sympathetic", "lumbar", "L2 L3", target="thoracolumbar-chain"),
    _kind("sympathetic", "cervical", "C6", target="stellate"),
    _kind("sympathetic", None, "", target="celiac"),
    _kind("sympathetic", None, "", target="superior-hypogastric"),
    _kind("sympathetic", None, ""),
    _kind("trigger-point", None, "trapezius rhomboid levator infraspinatus"),
    _kind("trigger-point", None, ""),
    _kind("other", None, "", target="saphenous"),
    _kind("other", None, "", target="sacroiliac"),
    _kind("other", None, "", target="subcutaneous"),
    _kind("other", None, ""),
)
"""A block of every family, of ways to leave a family open, and of some without any."""


def _at(kind: dict, number: int) -> dict:
    return {**kind, "levels": " ".join(kind["levels"][:number])}


block_options = st.builds(
    lambda kind, number, more: {**_at(kind, number), **more},
    st.sampled_from(KINDS),
    st.integers(1, 5),
    st.fixed_dictionaries(
        {
            "side": st.sampled_from(("right", "left", "bilateral", None)),
            "catheter": st.sampled_from((None, False, True)),
            "guidance": st.sampled_from(IMAGING),
            "image": st.sampled_from((None, True)),
            "proof": st.sampled_from(({}, PROVEN, {"purpose": "diagnostic"})),
        }
    ),
)
situations = st.fixed_dictionaries(
    {
        "anesthesia": st.sampled_from((None, "general")),
        "parameters": st.sampled_from(FORMS),
        "profile": st.sampled_from(PROFILES),
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


def left_open(case) -> bool:
    """Whether all that differs is what the record does not settle, and the assessment says so."""
    open_lines = unexpected(case, Mismatch.UNKNOWN)
    rest = [line for line in case.lines if line not in open_lines]
    return bool(open_lines) and (merged(rest) == merged(case.expected) or not case.selections)


@pytest.fixture
def build(make_case, make_block):
    def from_options(options, claim, *, beside="", **situation):
        if situation["parameters"]:
            situation = {**situation, "profile": "default"}
        done = [
            make_block(**{name: value for name, value in one.items() if name != "proof"}, **one["proof"])
            for one in (options if isinstance(options, list) else [options])
        ]
        return make_case(*done, claim=", ".join(filter(None, (claim, beside))), **situation)

    return from_options


@generated
@given(options=block_options, situation=situations)
def test_a_claim_of_exactly_the_expected_lines_is_met_with_silence(options, situation, build, found):
    right = build(options, "", **situation).expected
    case = build(options, ", ".join(map(said, right)), **situation)
    assert not differ(case)
    assert set(found(case)) <= ADVICE


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
    assert set(found(case)) <= ADVICE


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
        assert found(case).keys() - ADVICE or left_open(case), [said(line) for line in case.expected]


@generated
@given(options=block_options, situation=situations, data=st.data())
def test_a_single_slip_in_a_right_claim_is_explained(options, situation, data, build, found):
    right = [said(line) for line in build(options, "", **situation).expected]
    assume(right)
    at = data.draw(st.integers(0, len(right) - 1))
    code, units = right[at].split(" ")
    bare = code.split("-")[0]
    slips = ["", f"{code} x2", f"{code} x3", bare, f"{bare}-RT", f"{bare}-LT", f"{bare}-50", f"{code}, {code}"]
    slips += [f"{other}{code.removeprefix(bare)} {units}" for other in CODES]
    slip = data.draw(st.sampled_from(slips))
    case = build(options, ", ".join([*right[:at], *filter(None, [slip]), *right[at + 1 :]]), **situation)
    if differ(case):
        assert found(case).keys() - ADVICE or left_open(case), (slip, right)


@generated
@given(several=st.lists(block_options, min_size=2, max_size=3), situation=situations)
def test_several_blocks_rightly_claimed_are_met_with_silence(several, situation, build, found):
    right = build(several, "", **situation).expected
    case = build(several, ", ".join(map(said, right)), **situation)
    assert not differ(case)
    assert set(found(case)) <= ADVICE


@generated
@given(
    several=st.lists(block_options, min_size=2, max_size=3), situation=situations, claimed=st.lists(lines, max_size=4)
)
def test_any_other_lines_for_several_blocks_are_explained(several, situation, claimed, build, found):
    case = build(several, ", ".join(claimed), **situation)
    if differ(case):
        assert found(case).keys() - ADVICE or left_open(case), [said(line) for line in case.expected]


odd_blocks = st.fixed_dictionaries(
    {
        "levels": st.sampled_from(("", "T4", "T4 T5 T6", "rib_5", "T4-T5", "L3 L4 L4-L5", "T12-L1 L1-L2", "trapezius")),
        "side": st.sampled_from((None, "right", "left", "bilateral")),
        "technique": st.sampled_from(tuple(Technique)),
        "region": st.sampled_from((None, "thoracic", "cervical", "lumbar", "sacral")),
        "plane": st.sampled_from((None, "erector-spinae", "quadratus-lumborum", "fascia-iliaca")),
        "target": st.sampled_from((None, "medial-branch", "joint", "stellate", "thoracolumbar-chain", "saphenous")),
        "method": st.sampled_from((None, "thermal", "pulsed")),
        "count": st.sampled_from((None, (1, 1), (1, 3), (2, None), (4, 4))),
        "catheter": st.sampled_from((None, False, True)),
        "guidance": st.sampled_from(IMAGING),
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
    beside=st.sampled_from(("00541", "64999 x2", "62320", "20552-59", "99213 x1.5 @2026-03-02", "01992 x3, 01996 x2")),
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
