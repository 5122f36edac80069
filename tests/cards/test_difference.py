from typing import Any

import pytest

from cds_service.cards.difference import compare, difference, likeness
from cds_service.chart.model import Line


@pytest.mark.parametrize(
    ("claimed", "expected", "wrong", "surplus", "lacking"),
    [
        (["64461-RT"], ["64461-RT"], 0, 0, 0),
        (["64461-59-RT"], ["64461-RT-59"], 0, 0, 0),
        (["64462-RT", "64461-RT"], ["64461-RT", "64462-RT"], 0, 0, 0),
        (["64461"], ["64461-RT"], 1, 0, 0),
        (["64462 x3"], ["64461-RT", "64462-RT"], 1, 0, 1),
        (["64461", "64461"], ["64461"], 0, 1, 0),
        (["64461-LT", "64461-RT"], ["64461-RT", "64461-LT"], 0, 0, 0),
        (["64461"], ["64466"], 0, 1, 1),
        ([], ["64461"], 0, 0, 1),
        (["64461"], [], 0, 1, 0),
        ([], [], 0, 0, 0),
    ],
)
def test_lines_are_compared_whatever_their_order(
    make: Any, claimed: list[str], expected: list[str], wrong: int, surplus: int, lacking: int
) -> None:
    change = difference(make.assessment(*expected, claim=make.claim(*claimed)))
    assert (len(change.wrong), len(change.surplus), len(change.lacking)) == (wrong, surplus, lacking)
    assert bool(change) == bool(wrong or surplus or lacking)
    assert len(change.right) + wrong + lacking == len(expected)


def test_lines_with_other_codes_are_left_alone(make: Any) -> None:
    claim = make.claim("64461-RT", "00540-AA x7", "99232")
    change = difference(make.assessment("64461-RT", claim=claim, lines=claim.lines))
    assert not change
    assert [line.code for line in change.present] == ["64461"]


def test_an_expected_code_is_judged_even_where_the_review_names_it_not(make: Any) -> None:
    claim = make.claim("64999")
    assert not difference(make.assessment("64999", claim=claim, lines=claim.lines))


def test_of_two_days_the_line_of_the_expected_day_is_kept(make: Any) -> None:
    claim = make.claim("64461-RT", "64461-RT")
    claim.resource["item"][0]["servicedDate"] = "2026-03-01"
    claim = make.facts(claim.resource)
    change = difference(make.assessment("64461-RT", claim=claim))
    assert [line.path for line in change.surplus] == ["item[0]"]


@pytest.mark.parametrize(
    ("orders", "expected", "differs"),
    [
        ([("64461", None)], ["64461-RT"], False),
        ([("64421", None)], ["64421 x3"], False),
        ([("64421", 2)], ["64421 x3"], True),
        ([("64461", None)], ["64461-RT", "64461-LT"], False),
        ([("64461", None)], ["64461", "64462"], True),
        ([("64461", None)], ["64466"], True),
    ],
)
def test_orders_are_compared_by_what_an_order_can_say(
    make: Any, orders: list[tuple[str, int | None]], expected: list[str], differs: bool
) -> None:
    drafts = tuple(
        make.order(code, number, **({"quantityQuantity": {"value": units}} if units else {}))
        for number, (code, units) in enumerate(orders, start=1)
    )
    assert bool(difference(make.assessment(*expected, orders=drafts))) is differs


def test_each_line_is_paired_once(make: Any) -> None:
    lines = [Line("64461", 1, (), "Claim/7", f"item[{n}]") for n in range(3)]
    change = compare(lines, [make.want("64461"), make.want("64461")])
    assert [line.path for line, _ in change.right] == ["item[0]", "item[1]"]
    assert [line.path for line in change.surplus] == ["item[2]"]


@pytest.mark.parametrize(
    ("claimed", "expected", "only"),
    [
        (["64461-RT", "76942"], ["64461-RT"], True),
        (["64461", "76942"], ["64461-RT"], False),
        (["64461-RT", "64461-RT"], ["64461-RT"], False),
        (["76942"], ["64461-RT"], False),
        (["64461-RT"], ["64461-RT"], False),
    ],
)
def test_whether_leaving_out_codes_is_the_whole_correction(
    make: Any, claimed: list[str], expected: list[str], only: bool
) -> None:
    assert difference(make.assessment(*expected, claim=make.claim(*claimed))).only_surplus_codes is only


@pytest.mark.parametrize(
    ("code", "other", "common"), [("64461", "64462", 4), ("64461", "76942", 0), ("64461", "64461", 5), ("", "1", 0)]
)
def test_likeness_of_codes(code: str, other: str, common: int) -> None:
    assert likeness(code, other) == common
