"""Modifiers of expected lines: the side (50, RT, LT), the distinct service (59), and what a Claim line keeps.

How both sides are reported is the payer's choice (`addon_bilateral`, `primary_bilateral` of the profile): CPT reports
a bilateral add-on twice without 50, Medicare and most payers want one line with 50.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby

from cds_service.chart.model import Evidence, Side
from cds_service.knowledge.library import View
from cds_service.knowledge.model import Code
from cds_service.review.units import Unit

_SIDE_MODIFIER = {Side.RIGHT: "RT", Side.LEFT: "LT"}
BILATERAL = "50"
SIDE_MODIFIERS = frozenset({BILATERAL, *_SIDE_MODIFIER.values()})
"""The three ways a line can name a side; they are the claim form's own, not a payer's."""


@dataclass(frozen=True, slots=True)
class SidedLine:
    """A code with units and side modifiers, before anything else is put on it."""

    code: str
    units: int
    modifiers: tuple[str, ...]
    evidence: tuple[Evidence, ...]


def side_modifiers(modifiers: Iterable[str]) -> frozenset[str]:
    """Return those of `modifiers` that name a side."""
    return SIDE_MODIFIERS.intersection(modifiers)


def modifier_of(side: Side) -> str:
    """Return RT, LT or 50 for a side."""
    return BILATERAL if side is Side.BILATERAL else _SIDE_MODIFIER[side]


def distinct_modifiers(view: View) -> frozenset[str]:
    """Return the modifiers that claim a distinct service (59 and its X subsets)."""
    return frozenset(view.parameter("distinct_modifiers").split())


def with_sides(units: Iterable[Unit], view: View) -> tuple[SidedLine, ...]:
    """Return the lines for `units`, both sides of a code joined the way the profile wants it."""
    ordered = list(units)
    order = {code: position for position, code in enumerate(dict.fromkeys(unit.code for unit in ordered))}
    ordered.sort(key=lambda unit: order[unit.code])
    lines: list[SidedLine] = []
    for code, group in groupby(ordered, key=lambda unit: unit.code):
        lines += _lines_of_code(view.code(code), list(group), view)
    return tuple(lines)


def _lines_of_code(code: Code | None, units: list[Unit], view: View) -> list[SidedLine]:
    if code is None or code.bilateral != "1":
        return [SidedLine(unit.code, unit.count, (), unit.evidence) for unit in units]
    by_side = {unit.side: unit for unit in units}
    right, left = by_side.get(Side.RIGHT), by_side.get(Side.LEFT)
    if right is None or left is None:
        return [_one_side(unit) for unit in units]
    parameter = "addon_bilateral" if code.role == "add-on" else "primary_bilateral"
    return _both_sides(right, left, view.parameter(parameter))


def _one_side(unit: Unit) -> SidedLine:
    modifiers = () if unit.side is None else (modifier_of(unit.side),)
    return SidedLine(unit.code, unit.count, modifiers, unit.evidence)


def _both_sides(right: Unit, left: Unit, how: str) -> list[SidedLine]:
    """Join the units of both sides; what one side has more of stays a line of that side."""
    evidence = tuple(dict.fromkeys(right.evidence + left.evidence))
    if how == "two_lines_rt_lt":
        return [_one_side(right), _one_side(left)]
    if how == "two_units":
        return [SidedLine(right.code, right.count + left.count, (), evidence)]
    shared = min(right.count, left.count)
    lines = [SidedLine(right.code, shared, (BILATERAL,), evidence)]
    longer = max(right, left, key=lambda unit: unit.count)
    if longer.count > shared:
        lines.append(_one_side(replace(longer, count=longer.count - shared)))
    return lines
