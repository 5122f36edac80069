"""The lines a record supports: counting, sides, profile, distinct service, and what stays as claimed."""

from __future__ import annotations

import pytest

from cds_service.review.expected import agrees

PROVEN = {"purpose": "postoperative-analgesia", "requested": True}


def lines(case):
    return [f"{'-'.join((line.code, *line.modifiers))} x{line.units}" for line in case.expected]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({}, ["64461-RT x1"]),
        ({"levels": "T4 T5"}, ["64461-RT x1", "64462-RT x1"]),
        ({"levels": "T4 T5 T6 T7 T8", "side": "left"}, ["64461-LT x1", "64462-LT x1"]),
        ({"side": "bilateral"}, ["64461-50 x1"]),
        ({"levels": "T4 T5", "side": "bilateral"}, ["64461-50 x1", "64462-50 x1"]),
        ({"levels": "T4 T5", "left": "T4"}, ["64461-50 x1", "64462-RT x1"]),
        ({"levels": "T4", "left": "T4 T5 T6"}, ["64461-50 x1", "64462-LT x1"]),
        ({"side": None}, ["64461 x1"]),
        ({"levels": "", "side": "right"}, ["64461-RT x1"]),
        ({"catheter": True}, ["64463-RT x1"]),
        ({"catheter": True, "levels": "T4 T5", "side": "bilateral"}, ["64463-50 x1"]),
        ({"levels": "L1", "region": None}, ["64461-RT x1"]),
        ({"technique": "intercostal", "levels": "rib_5 rib_6 rib_7"}, ["64420-RT x1", "64421-RT x2"]),
        (
            {"technique": "intercostal", "levels": "rib_5 rib_6", "left": "rib_5 rib_6 rib_7"},
            ["64420-50 x1", "64421-50 x1", "64421-LT x1"],
        ),
        ({"technique": "fascial-plane", "plane": "erector-spinae"}, ["64466-RT x1"]),
        ({"technique": "fascial-plane", "plane": "erector-spinae", "side": "bilateral"}, ["64468 x1"]),
        ({"technique": "fascial-plane", "plane": "pecs", "catheter": True}, ["64467-RT x1"]),
        ({"technique": "fascial-plane", "plane": "pecs", "catheter": True, "side": "bilateral"}, ["64469 x1"]),
        ({"technique": "fascial-plane", "plane": "quadratus-lumborum"}, ["64999 x1"]),
        ({"technique": "fascial-plane", "plane": "retrolaminar"}, []),
        ({"technique": "other"}, []),
    ],
)
def test_the_sites_come_to_lines(block, expected, make_case, make_block):
    assert lines(make_case(make_block(**block))) == expected


@pytest.mark.parametrize(
    ("block", "day", "expected"),
    [
        ({"technique": "fascial-plane", "plane": "pecs"}, "2024-12-31", ["64999 x1"]),
        ({"technique": "fascial-plane", "plane": "pecs", "side": "bilateral"}, "2024-12-31", ["64999 x1"]),
        ({"technique": "fascial-plane", "plane": "pecs"}, "2025-01-01", ["64466-RT x1"]),
        ({}, "2016-01-01", ["64461-RT x1"]),
        ({}, "2015-12-31", []),
        ({"technique": "intercostal", "levels": "rib_5"}, "2019-12-31", []),
    ],
)
def test_codes_are_those_of_the_day(block, day, expected, make_case, make_block):
    assert lines(make_case(make_block(**block, day=day), day=day)) == expected


@pytest.mark.parametrize(
    ("how", "block", "expected"),
    [
        ({"addon_bilateral": "two_units"}, {"levels": "T4 T5", "side": "bilateral"}, ["64461-50 x1", "64462 x2"]),
        (
            {"addon_bilateral": "two_lines_rt_lt"},
            {"levels": "T4 T5", "side": "bilateral"},
            ["64461-50 x1", "64462-RT x1", "64462-LT x1"],
        ),
        (
            {"primary_bilateral": "two_lines_rt_lt"},
            {"levels": "T4 T5", "side": "bilateral"},
            ["64461-RT x1", "64461-LT x1", "64462-50 x1"],
        ),
        ({"addon_bilateral": "two_units"}, {"levels": "T4 T5"}, ["64461-RT x1", "64462-RT x1"]),
        (
            {"addon_bilateral": "two_units"},
            {"technique": "intercostal", "levels": "rib_5 rib_6", "left": "rib_5 rib_6 rib_7"},
            ["64420-50 x1", "64421 x3"],
        ),
    ],
)
def test_both_sides_are_said_as_the_payer_wants_it(how, block, expected, make_case, make_block):
    assert lines(make_case(make_block(**block), parameters=how)) == expected


@pytest.mark.parametrize(
    ("block", "claim", "expected"),
    [
        ({"side": None}, "64461-LT", ["64461-LT x1"]),
        ({"side": None}, "64461-50", ["64461-50 x1"]),
        ({"side": None}, "64461", ["64461 x1"]),
        ({"side": "right"}, "64461-LT", ["64461-RT x1"]),
        ({"levels": "", "count": (1, 2)}, "64461-RT", ["64461-RT x1"]),
        ({"levels": "", "count": (1, 2)}, "64461-RT, 64462-RT", ["64461-RT x1", "64462-RT x1"]),
        ({"levels": "", "count": (1, 2)}, "64461-RT, 64462-RT x3", ["64461-RT x1", "64462-RT x1"]),
        ({"levels": "", "count": (1, None)}, "64461-RT, 64462-RT", ["64461-RT x1", "64462-RT x1"]),
        ({"levels": "", "count": (2, 3)}, "64461-RT", ["64461-RT x1", "64462-RT x1"]),
        (
            {"technique": "intercostal", "levels": "", "count": (2, 4)},
            "64420-RT, 64421-RT x2",
            ["64420-RT x1", "64421-RT x2"],
        ),
        (
            {"technique": "intercostal", "levels": "", "count": (2, 4)},
            "64420-RT, 64421-RT x7",
            ["64420-RT x1", "64421-RT x3"],
        ),
        ({"technique": "fascial-plane", "plane": "pecs", "side": None}, "64468", ["64468 x1"]),
        ({"technique": "fascial-plane", "plane": "pecs", "side": None}, "64466-LT", ["64466-LT x1"]),
        ({}, "64461-RT-GA-QZ", ["64461-RT-GA-QZ x1"]),
        ({}, "64461-QZ-LT-AA", ["64461-RT-QZ-AA x1"]),
        ({}, "64461-XS-RT", ["64461-RT-XS x1"]),
    ],
)
def test_what_the_record_leaves_open_stays_as_claimed(block, claim, expected, make_case, make_block):
    assert lines(make_case(make_block(**block), claim=claim)) == expected


@pytest.mark.parametrize(
    ("block", "situation", "claim", "expected"),
    [
        (PROVEN, {"anesthesia": "general"}, "00540, 64461-RT", ["64461-RT-59 x1"]),
        (PROVEN, {"anesthesia": "spinal"}, "64461-RT", ["64461-RT-59 x1"]),
        (PROVEN, {"anesthesia": "general"}, "00540, 64461-RT-XU", ["64461-RT-XU x1"]),
        ({**PROVEN, "levels": "T4 T5"}, {"anesthesia": "general"}, "00540", ["64461-RT-59 x1", "64462-RT x1"]),
        ({"purpose": "postoperative-analgesia"}, {"anesthesia": "general"}, "00540, 64461-RT-59", ["64461-RT x1"]),
        ({"requested": True}, {"anesthesia": "general"}, "00540, 64461-RT", ["64461-RT x1"]),
        (PROVEN, {}, "64461-RT", ["64461-RT x1"]),
        ({**PROVEN, "surgeon": True}, {"anesthesia": "general"}, "64461-RT", []),
        ({"purpose": "surgical-anesthesia"}, {"operation": True}, "64461-RT", []),
        ({}, {"anesthesia": "sedation", "operation": True}, "64461-RT", []),
        ({}, {"anesthesia": "block-only", "operation": True}, "64461-RT", []),
        (PROVEN, {"operation": True}, "00540-QS, 64461-RT", []),
    ],
)
def test_beside_the_anesthesia_of_an_operation(block, situation, claim, expected, make_case, make_block):
    assert lines(make_case(make_block(**block), claim=claim, **situation)) == expected


RIB = {"technique": "intercostal", "levels": "rib_5"}


@pytest.mark.parametrize(
    ("blocks", "claim", "expected"),
    [
        ([{**RIB, "guidance": ["ultrasound"], "image": True}], "", ["64420-RT x1", "76942 x1"]),
        ([{**RIB, "guidance": ["ultrasound"], "image": True}], "64420-RT, 76942-26", ["64420-RT x1", "76942-26 x1"]),
        ([{**RIB, "guidance": ["fluoroscopy"], "image": True}], "", ["64420-RT x1", "77002 x1"]),
        ([{**RIB, "guidance": ["ultrasound"]}], "64420-RT, 76942", ["64420-RT x1"]),
        ([{**RIB, "guidance": ["ultrasound"], "image": False}], "", ["64420-RT x1"]),
        ([{**RIB, "guidance": ["landmark"], "image": True}], "", ["64420-RT x1"]),
        ([{"guidance": ["ultrasound"], "image": True}], "64461-RT, 76942", ["64461-RT x1"]),
        ([{}, {**RIB, "side": "left"}], "", ["64461-RT x1"]),
        ([{}, {**RIB, "guidance": ["ultrasound"], "image": True}], "", ["64461-RT x1"]),
        ([{}, {**RIB, "day": "2026-03-03"}], "", ["64461-RT x1", "64420-RT x1"]),
        ([{}, {"technique": "fascial-plane", "plane": "pecs"}], "", ["64461-RT x1", "64466-RT x1"]),
    ],
)
def test_imaging_and_neighbors(blocks, claim, expected, make_case, make_block):
    assert lines(make_case(*(make_block(**block) for block in blocks), claim=claim)) == expected


def test_lines_agree_whatever_their_order(make_case, make_block):
    case = make_case(make_block(levels="T4 T5", **PROVEN), claim="64462-RT, 64461-59-RT, 00540", anesthesia="general")
    assert agrees(case.lines, case.expected)
    assert not agrees(case.lines[:1], case.expected)
    assert agrees((), ())


IMAGED = {"guidance": ["ultrasound"], "image": True}


def test_guidance_of_two_blocks_is_one_session(make_case, make_block):
    ribs = make_block("rib_5", technique="intercostal", **IMAGED)
    muscles = make_block("trapezius", technique="trigger-point", region=None, **IMAGED)
    lines = make_case(ribs, muscles).expected
    assert [line.units for line in lines if line.code == "76942"] == [1]


def test_a_side_on_a_code_no_table_knows_stays_as_it_is(make_case, make_block):
    under_the_skin = make_block("", technique="other", region=None, target="subcutaneous")
    (line,) = make_case(under_the_skin, claim="96372-RT").expected
    assert (line.code, line.modifiers) == ("96372", ("RT",))


@pytest.mark.parametrize(("beside", "codes"), [("", ["64420", "77002"]), ("00541, ", ["64420"])])
def test_no_modifier_lets_fluoroscopy_stand_beside_anesthesia(beside, codes, make_case, make_block):
    ribs = make_block(
        "rib_5", technique="intercostal", guidance=["fluoroscopy"], purpose="postoperative-analgesia", requested=True
    )
    lines = make_case(ribs, claim=f"{beside}64420-RT-59", anesthesia="general").expected
    assert [line.code for line in lines] == codes
    assert lines[-1].modifiers == (("RT", "59") if beside else ())


def test_facets_without_imaging_beside_trigger_points_are_counted_with_them(make_case, make_block):
    facet = make_block("L4-L5", technique="facet", region="lumbar", guidance=["landmark"])
    muscles = make_block("trapezius", technique="trigger-point", region=None)
    (line,) = make_case(facet, muscles, claim="20552").expected
    assert (line.code, line.units) == ("20552", 1)
