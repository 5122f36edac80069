"""Sides as modifiers."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.chart.model import Side
from cds_service.review.modifiers import distinct_modifiers, modifier_of, side_modifiers, with_sides
from cds_service.review.units import Unit

R, L = Side.RIGHT, Side.LEFT


@pytest.mark.parametrize(("side", "modifier"), [(R, "RT"), (L, "LT"), (Side.BILATERAL, "50")])
def test_the_modifier_of_a_side(side, modifier):
    assert modifier_of(side) == modifier
    assert side_modifiers(["26", modifier, "59"]) == {modifier}


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        ([("64461", R, 1)], [("64461", 1, ("RT",))]),
        ([("64461", None, 1)], [("64461", 1, ())]),
        ([("64461", R, 1), ("64461", L, 1)], [("64461", 1, ("50",))]),
        ([("64421", R, 3), ("64421", L, 1)], [("64421", 1, ("50",)), ("64421", 2, ("RT",))]),
        ([("64461", R, 1), ("64462", R, 1), ("64461", L, 1)], [("64461", 1, ("50",)), ("64462", 1, ("RT",))]),
        ([("64468", R, 1)], [("64468", 1, ())]),
        ([("99999", L, 2)], [("99999", 2, ())]),
        ([], []),
    ],
)
def test_units_with_their_sides(units, expected, knowledge):
    view = knowledge.on(date(2026, 3, 2))
    found = with_sides([Unit.proven(code, count, side, ()) for code, side, count in units], view)
    assert [(line.code, line.units, line.modifiers) for line in found] == expected


def test_the_modifiers_of_a_distinct_service(knowledge):
    assert distinct_modifiers(knowledge.on(date(2026, 3, 2))) == {"59", "XE", "XP", "XS", "XU"}
