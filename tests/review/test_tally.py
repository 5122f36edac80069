import pytest

from cds_service.chart.model import Line, Side
from cds_service.review.tally import Range, claimed, exceeds, falls_short, malformed, supported

R, L = Side.RIGHT, Side.LEFT


def lines(*texts: str) -> list[Line]:
    parts = (text.split(" x") for text in texts)
    named = ((name.split("-"), float(units[0]) if units else 1.0) for name, *units in parts)
    return [Line(name[0], units, tuple(name[1:]), "Claim/1", "item[0]") for name, units in named]


@pytest.mark.parametrize(
    ("texts", "by_side", "unsided", "total"),
    [
        (["64461-RT"], {R: 1}, 0, 1),
        (["64461-50"], {R: 1, L: 1}, 0, 2),
        (["64461-RT", "64461-LT x2"], {R: 1, L: 2}, 0, 3),
        (["64461 x2"], {}, 2, 2),
        (["64461-50", "64461-RT x2"], {R: 3, L: 1}, 0, 4),
        (["64461-RT-LT"], {R: 1, L: 1}, 0, 2),
        (["64462-RT"], {}, 0, 0),
        ([], {}, 0, 0),
    ],
)
def test_units_on_the_claim_by_side(texts, by_side, unsided, total):
    claim = claimed(lines(*texts), "64461")
    assert (claim.by_side, claim.unsided, claim.total) == (by_side, unsided, total)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("64461", False), ("64461-RT", False), ("64461-50-59", False), ("64461-RT-LT", True), ("64461-50-RT", True)],
)
def test_a_side_is_named_once(text, expected):
    assert malformed(lines(text)[0]) is expected


@pytest.mark.parametrize(
    ("block", "code", "support"),
    [
        ({}, "64461", {R: Range(1, 1)}),
        ({}, "64462", {}),
        ({"levels": "T4 T5 T6"}, "64462", {R: Range(1, 1)}),
        ({"side": "bilateral"}, "64461", {R: Range(1, 1), L: Range(1, 1)}),
        ({"side": None}, "64461", {None: Range(1, 1)}),
        ({"count": (1, 2)}, "64462", {R: Range(0, 1)}),
        ({"technique": "intercostal", "levels": "", "count": (2, 4)}, "64421", {R: Range(1, 3)}),
        ({"technique": "intercostal", "levels": "", "count": (2, None)}, "64421", {R: Range(1, 4)}),
        ({"technique": "fascial-plane", "side": "bilateral"}, "64468", {None: Range(1, 1)}),
        ({"technique": "fascial-plane", "side": "bilateral"}, "64466", {}),
        ({"technique": "fascial-plane", "side": None}, "64468", {None: Range(0, 1)}),
        ({"catheter": True}, "64461", {}),
    ],
)
def test_units_the_record_supports(block, code, support, make_case, make_block):
    assert supported(make_case(make_block(**block), claim="64421-RT x3"), code) == support


@pytest.mark.parametrize(
    ("texts", "support", "over", "short"),
    [
        (["64421-RT x2"], {R: Range(2, 2)}, False, False),
        (["64421-RT x3"], {R: Range(2, 2)}, True, False),
        (["64421-RT"], {R: Range(2, 2)}, False, True),
        (["64421-LT x2"], {R: Range(2, 2)}, False, False),
        (["64421 x2"], {R: Range(1, 1), L: Range(1, 1)}, False, False),
        (["64421 x3"], {R: Range(1, 1), L: Range(1, 1)}, True, False),
        (["64421-50"], {R: Range(2, 2), L: Range(1, 1)}, False, True),
        (["64421-50 x2"], {R: Range(2, 2), L: Range(1, 1)}, True, False),
        (["64421-RT x2"], {None: Range(1, 3)}, False, False),
        (["64421-RT x4"], {None: Range(1, 3)}, True, False),
        (["64421-50"], {None: Range(1, 1)}, False, False),
    ],
)
def test_too_many_and_too_few(texts, support, over, short):
    claim = claimed(lines(*texts), "64421")
    assert (exceeds(claim, support), falls_short(claim, support)) == (over, short)
