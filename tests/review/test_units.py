"""The arithmetic of each counting scheme, and its room where the words leave a choice."""

from __future__ import annotations

from datetime import date

import pytest

from cds_service.chart.model import Side
from cds_service.knowledge.model import Scheme
from cds_service.review.sites import SideCount
from cds_service.review.units import COUNTING_SCHEMES, count_units

R, L = Side.RIGHT, Side.LEFT


def scheme(counting):
    return Scheme(counting, "P", date(2016, 1, 1), None, (), add_on="A", both_sides="B")


@pytest.mark.parametrize(
    ("counting", "sides", "expected"),
    [
        ("first-and-further-once", [(R, 1, 1)], [("P", R, 1, 1)]),
        ("first-and-further-once", [(R, 4, 4)], [("P", R, 1, 1), ("A", R, 1, 1)]),
        ("first-and-further-once", [(R, 1, 2)], [("P", R, 1, 1), ("A", R, 0, 1)]),
        ("first-and-further-once", [(None, 1, None)], [("P", None, 1, 1), ("A", None, 0, 1)]),
        ("first-and-further-once", [(R, 2, 2), (L, 1, 1)], [("P", R, 1, 1), ("P", L, 1, 1), ("A", R, 1, 1)]),
        ("first-and-each-further", [(R, 4, 4)], [("P", R, 1, 1), ("A", R, 3, 3)]),
        ("first-and-each-further", [(R, 2, 4)], [("P", R, 1, 1), ("A", R, 1, 3)]),
        ("first-and-each-further", [(R, 1, None)], [("P", R, 1, 1), ("A", R, 0, None)]),
        ("per-side", [(R, 4, 4), (L, 1, None)], [("P", R, 1, 1), ("P", L, 1, 1)]),
        ("one-or-both-sides", [(R, 2, 2)], [("P", R, 1, 1)]),
        ("one-or-both-sides", [(R, 2, 2), (L, 1, 1)], [("B", None, 1, 1)]),
        ("unlisted", [(R, 2, 2), (L, 1, 1)], [("P", None, 1, 1)]),
    ],
)
def test_units_by_side(counting, sides, expected):
    counts = tuple(SideCount(side, low, high, ()) for side, low, high in sides)
    found = count_units(scheme(counting), counts)
    assert [(unit.code, unit.side, unit.count, unit.most) for unit in found] == expected


def test_every_scheme_of_the_knowledge_can_be_counted(knowledge):
    used = {each.counting for family in knowledge.families for each in knowledge.schemes(family)}
    assert used <= COUNTING_SCHEMES
