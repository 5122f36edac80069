"""What expected lines never do, whatever was injected, where, when, and whoever pays."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cds_service.knowledge.library import load

NERVES = (*(f"C{n}" for n in range(2, 9)), "T1", "T3", "T4", "T11", "T12", *(f"L{n}" for n in range(1, 6)), "S1", "TON")
JOINTS = ("C2-C3", "C3-C4", "C4-C5", "C7-T1", "T1-T2", "T8-T9", "T11-T12", "T12-L1", "L1-L2", "L3-L4", "L4-L5", "L5-S1")
THORACIC = ("T2", "T3", "T4", "T5", "T6", "T9", "T12", "L1")
RIBS = ("rib_3", "rib_4", "rib_5", "rib_6", "rib_7", "rib_8")
MUSCLES = ("trapezius", "rhomboid", "levator", "infraspinatus")
SYMPATHETIC = ("stellate", "thoracolumbar-chain", "celiac", "superior-hypogastric", "splanchnic", None)
THORACIC_PLANES = ("erector-spinae", "pecs", "serratus-anterior")
OTHER_PLANES = ("transversus-abdominis", "rectus-sheath", "fascia-iliaca", "quadratus-lumborum")
NERVE_TARGETS = ("digital", "saphenous", "sacroiliac", "cervical-plexus", "subcutaneous", "femoral", None)
KNOWLEDGE = load()


def levels(names, most=5):
    return st.lists(st.sampled_from(names), min_size=0, max_size=most, unique=True).map(" ".join)


def done(technique, sites, **more):
    """Blocks of a technique as `make_block` takes them."""
    fixed = {
        "technique": st.just(technique),
        "levels": sites,
        "side": st.sampled_from((None, "right", "left", "bilateral")),
        "guidance": st.sampled_from(((), ("fluoroscopy",), ("ultrasound",), ("ct",), ("landmark",))),
        "image": st.sampled_from((None, True)),
        "region": st.none(),
    }
    return st.fixed_dictionaries(fixed | more)


ONE_REGION = {"region": st.sampled_from(("cervical", "thoracic", "lumbar", "sacral", None))}
BLOCKS = st.one_of(
    done("paravertebral", levels(THORACIC), region=st.just("thoracic"), catheter=st.sampled_from((None, True))),
    done("intercostal", levels(RIBS)),
    done(
        "facet", levels(JOINTS), target=st.sampled_from((None, "joint")), purpose=st.sampled_from((None, "diagnostic"))
    ),
    done("facet", levels(NERVES), target=st.just("medial-branch"), purpose=st.sampled_from((None, "therapeutic"))),
    done("facet", levels(NERVES + JOINTS), **ONE_REGION),
    done("radiofrequency", levels(NERVES + JOINTS), method=st.sampled_from((None, "thermal", "pulsed"))),
    done("transforaminal-epidural", levels(JOINTS), **ONE_REGION),
    done("interlaminar-epidural", levels(JOINTS, 1), catheter=st.sampled_from((None, True)), **ONE_REGION),
    done("sympathetic", levels(["L2", "L3", "L4"]), target=st.sampled_from(SYMPATHETIC), **ONE_REGION),
    done(
        "fascial-plane",
        st.just(""),
        plane=st.sampled_from(THORACIC_PLANES + OTHER_PLANES),
        catheter=st.sampled_from((None, True)),
    ),
    done("trigger-point", levels(MUSCLES)),
    done("other", st.just(""), target=st.sampled_from(NERVE_TARGETS)),
)
SITUATIONS = st.fixed_dictionaries(
    {
        "day": st.sampled_from(("2012-05-01", "2018-05-01", "2021-05-01", "2024-08-01", "2025-03-01", "2026-08-01")),
        "profile": st.sampled_from(sorted(KNOWLEDGE.profiles)),
        "anesthesia": st.sampled_from((None, "general")),
        "proof": st.sampled_from(({}, {"purpose": "postoperative-analgesia", "requested": True})),
    }
)
COVERAGE_ADVICE = {"facet-third-level", "session-frequency", "diagnosis-support"}
"""Rules about what a payer covers; they speak of right claims too."""

generated = settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def build(make_case, make_block):
    def from_options(blocks, situation, claim=""):
        more = {name: value for name, value in situation.items() if name != "proof"}
        day = situation["day"]
        made = [make_block(**({"day": day} | block | situation["proof"])) for block in blocks]
        beside = "00541" if situation["anesthesia"] else ""
        return make_case(*made, claim=", ".join(filter(None, (claim, beside))), **more)

    return from_options


@generated
@given(blocks=st.lists(BLOCKS, min_size=1, max_size=2), situation=SITUATIONS)
def test_expected_lines_never_break_a_rule_of_their_day(blocks, situation, build):
    case = build(blocks, situation)
    view, lines = case.view, case.expected
    units = Counter()
    for line in lines:
        units[line.code] += line.units
    for line in lines:
        code = view.code(line.code)
        assert code is not None
        assert code.valid_on(case.day)
        assert line.units > 0
        if code.role == "add-on":
            assert code.primaries & units.keys(), f"{line.code} without a primary"
        for other in units:
            edit = view.ptp(other, line.code)
            assert edit is None or edit.indicator != "0", f"{line.code} beside {other}"
    for code, number in units.items():
        sides = 2 if any(block["side"] == "bilateral" for block in blocks) or len(blocks) > 1 else 1
        if view.code(code).once_per_day:
            assert number <= sides
        mue = view.mue(code)
        if mue and mue.mai == 2 and view.parameter("unit_edits") == "medicare" and joins_sides(view):
            assert number <= mue.units, f"{code} x{number}"


def joins_sides(view):
    """Whether both sides are one line with 50, as the unit edits assume."""
    return (view.parameter("primary_bilateral"), view.parameter("addon_bilateral")) == ("mod50", "mod50_one_unit")


def within_appeal(view, lines, code):
    """Whether what was done is more than the edit pays without an appeal (MAI 3): worth a word even where right."""
    mue = view.mue(code)
    return mue and mue.mai == 3 and sum(line.units for line in lines if line.code == code) > mue.units


@generated
@given(blocks=st.lists(BLOCKS, min_size=1, max_size=2), situation=SITUATIONS)
def test_the_expected_lines_as_the_claim_yield_no_findings(blocks, situation, build, found):
    assume(not situation["anesthesia"] or situation["proof"])
    plain = build(blocks, situation)
    right = plain.expected
    assume(not any(within_appeal(plain.view, right, line.code) for line in right))
    claim = ", ".join(f"{'-'.join((line.code, *line.modifiers))} x{line.units}" for line in right)
    case = build(blocks, situation, claim)
    said = {rule: messages for rule, messages in found(case).items() if rule not in COVERAGE_ADVICE}
    assert said == {}, claim
