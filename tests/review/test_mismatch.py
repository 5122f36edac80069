import pytest

from cds_service.review.mismatch import Mismatch, not_reported, read_in_full, why_unexpected

PLANE = {"technique": "fascial-plane"}
RIBS = {"technique": "intercostal", "levels": "rib_5 rib_6"}


@pytest.mark.parametrize(
    ("blocks", "options", "reason"),
    [
        ([{}], {"claim": "64461-RT"}, None),
        ([{}], {"claim": "64461-LT x3"}, None),
        ([{"purpose": "surgical-anesthesia"}], {"claim": "64461-RT"}, Mismatch.NOT_SEPARATE),
        ([PLANE], {"claim": "64466-RT", "day": "2024-12-31"}, Mismatch.NOT_VALID),
        ([{}], {"claim": "76942"}, Mismatch.IMAGING_INCLUDED),
        ([RIBS], {"claim": "76942"}, Mismatch.IMAGING_SEPARATE),
        ([RIBS], {"claim": "76942", "notes": "unknown"}, Mismatch.UNKNOWN),
        ([], {"claim": "64461, 76942"}, Mismatch.NOT_DONE),
        ([], {"claim": "64461", "notes": "unknown"}, Mismatch.UNKNOWN),
        ([PLANE], {"claim": "64999"}, Mismatch.UNLISTED),
        ([PLANE], {"claim": "64461"}, Mismatch.TECHNIQUE),
        ([{"technique": "other"}], {"claim": "64461"}, Mismatch.TECHNIQUE),
        ([{}], {"claim": "64463"}, Mismatch.CATHETER),
        ([{}], {"claim": "64463", "notes": "unknown"}, Mismatch.UNKNOWN),
        ([{"catheter": False}], {"claim": "64463", "notes": "unknown"}, Mismatch.CATHETER),
        ([{}], {"claim": "64462"}, Mismatch.FURTHER_SITES),
        ([PLANE], {"claim": "64468"}, Mismatch.SIDES),
        ([{}, RIBS], {"claim": "64421-RT"}, Mismatch.EDITED),
        ([RIBS | {"catheter": True}], {"claim": "64420"}, Mismatch.UNKNOWN),
        ([{}], {"claim": "64520"}, Mismatch.UNKNOWN),
        ([{}], {"claim": "77003, 64520"}, Mismatch.UNKNOWN),
        ([{"purpose": "trauma-analgesia"}], {"claim": "77003, 64520"}, Mismatch.IMAGING_INCLUDED),
    ],
)
def test_one_reason_for_each_line(blocks, options, reason, make_case, make_block):
    case = make_case(*(make_block(**block) for block in blocks), **options)
    assert why_unexpected(case, case.lines[0]) is reason


@pytest.mark.parametrize(
    ("blocks", "claim", "codes"),
    [
        ([{"levels": "T4 T5"}], "64461-RT", ["64462"]),
        ([{"levels": "T4 T5"}], "64461-RT, 64462-RT", []),
        ([PLANE], "64461-RT", []),
        ([{"catheter": True}, PLANE | {"side": "left"}], "64461-RT", ["64466"]),
        ([PLANE], "64999", []),
    ],
)
def test_a_wrong_code_stands_for_the_right_one(blocks, claim, codes, make_case, make_block):
    case = make_case(*(make_block(**block) for block in blocks), claim=claim)
    assert [line.code for line in not_reported(case)] == codes


@pytest.mark.parametrize(
    ("notes", "not_read", "whole"),
    [
        ("read", [], True),
        ("none", [], True),
        ("unknown", [], False),
        ("read", ["coverage", "Claim/2"], True),
        ("read", ["procedures"], True),
        ("none", ["procedures"], False),
        ("read", ["DocumentReference/1"], False),
        ("read", ["documents"], False),
    ],
)
def test_silence_is_an_answer_only_where_all_was_read(notes, not_read, whole, make_case):
    assert read_in_full(make_case(notes=notes, not_read=not_read)) is whole
