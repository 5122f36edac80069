"""Units per side, as the Claim reports them and as the record supports them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cds_service.chart.model import Line, Side
from cds_service.review.assessment import ExpectedLine
from cds_service.review.case import Case
from cds_service.review.catheters import repeated_placements
from cds_service.review.modifiers import SIDE_MODIFIERS
from cds_service.review.selection import Selection
from cds_service.review.sites import SideCount, SideOrUnknown
from cds_service.review.units import Range, Supported, Unit, count_units

_BOTH = (Side.RIGHT, Side.LEFT)
_SIDES_OF: Mapping[str, tuple[Side, ...]] = {"50": _BOTH, "RT": (Side.RIGHT,), "LT": (Side.LEFT,)}


@dataclass(frozen=True, slots=True)
class Claimed:
    """The units of one code on some lines: on each side, and on lines that name no side."""

    lines: tuple[Line | ExpectedLine, ...]
    by_side: Mapping[Side, float]
    unsided: float

    @property
    def sides(self) -> frozenset[Side]:
        """The sides the lines name."""
        return frozenset(self.by_side)

    @property
    def total(self) -> float:
        """All units, modifier 50 counted as both sides."""
        return sum(self.by_side.values()) + self.unsided

    @property
    def most_on_a_side(self) -> float:
        """The most units that may be on one side: those of the busier side, and those of no side."""
        return max(self.by_side.values(), default=0) + self.unsided


def sides_of(line: Line | ExpectedLine) -> frozenset[Side]:
    """Return the sides the modifiers of a line name."""
    return frozenset(side for modifier in line.modifiers for side in _SIDES_OF.get(modifier, ()))


def malformed(line: Line | ExpectedLine) -> bool:
    """Return whether a line names its side twice over: RT and LT, or 50 with one of them."""
    return len(SIDE_MODIFIERS.intersection(line.modifiers)) > 1


def claimed(lines: Iterable[Line | ExpectedLine], code: str) -> Claimed:
    """Add up the units of `code` on `lines`."""
    own = tuple(line for line in lines if line.code == code)
    by_side: dict[Side, float] = {}
    unsided = 0.0
    for line in own:
        sides = sides_of(line)
        unsided += 0 if sides else line.units
        for side in sides:
            by_side[side] = by_side.get(side, 0) + line.units
    return Claimed(own, by_side, unsided)


def supported(case: Case, code: str) -> Supported:
    """Return the units of `code` the documented sites support.

    Where the words set no upper limit, as many as the Claim reports are allowed: unknown is never *no*.
    """
    # Nearly every rule asks for it, and it is most of the work of the review: counted once for a case and code.
    if code not in case.counted:
        case.counted[code] = _count(case, code)
    return case.counted[code]


def _count(case: Case, code: str) -> Supported:
    if not any(code in selection.scheme.codes for selection in case.selections):
        expected = sum(line.units for line in case.expected_of(code))
        return {None: Range(expected, expected)} if expected else {}
    reported = int(claimed(case.lines, code).total)
    ranges: dict[SideOrUnknown, Range] = {}
    for selection in case.selections:
        for side, new in _ranges(selection, code, reported):
            old = ranges.get(side, Range(0, 0))
            ranges[side] = Range(old.low + new.low, old.high + new.high)
    return ranges


def _ranges(selection: Selection, code: str, reported: int) -> list[tuple[SideOrUnknown, Range]]:
    counts = selection.counts
    sides = {count.side for count in counts}
    if code == selection.scheme.both_sides:
        return [(None, Range(0 if sides == {None} else 1, 1))] if sides == {None} or len(sides) > 1 else []
    fewest = _units(selection, code, [count.exactly(count.low) for count in counts])
    most = _units(selection, code, [count.exactly(_top(count, reported)) for count in counts])
    least = {unit.side: unit.count for unit in fewest}
    return [(unit.side, Range(least.get(unit.side, 0), max(unit.count, unit.most or 0))) for unit in most]


def _units(selection: Selection, code: str, counts: list[SideCount]) -> list[Unit]:
    return [unit for unit in count_units(selection.scheme, tuple(counts)) if unit.code == code]


def _top(count: SideCount, reported: int) -> int:
    return count.low + reported if count.high is None else count.high


def documented_sides(support: Supported) -> frozenset[Side]:
    """Return the sides the record names; empty where it names none."""
    return frozenset(side for side in support if side is not None)


def exceeds(claim: Claimed, support: Supported) -> bool:
    """Return whether more is reported than a (known) support allows, on a side or altogether.

    Units on the wrong side are a matter of the side, not of the count.
    """
    most = max(span.high for span in support.values())
    if any(units > support.get(side, Range(0, most)).high for side, units in claim.by_side.items()):
        return True
    undocumented = max(0, len(claim.sides) - len(support))
    return claim.total > sum(span.high for span in support.values()) + most * undocumented


def falls_short(claim: Claimed, support: Supported) -> bool:
    """Return whether fewer units are reported than the record proves, as far as the sides agree."""
    sides = documented_sides(support)
    if len(sides) > 1:
        return claim.sides == sides and not claim.unsided and any(claim.by_side[s] < support[s].low for s in sides)
    if sides and claim.sides and claim.sides != sides:
        return False
    return claim.most_on_a_side < max((span.low for span in support.values()), default=0)


def in_another_form(case: Case, code: str) -> bool:
    """Return whether both sides are not reported in the form of the profile, the units being right for a side.

    One side of two, or none, is another form as well.
    """
    if as_expected(case, code):
        return False
    claim, support = claimed(case.lines, code), supported(case, code)
    sides = documented_sides(support)
    if not support or exceeds(claim, support) or falls_short(claim, support):
        return False
    return len(sides or claim.sides | claimed(case.expected_of(code), code).sides) == len(_BOTH)


def as_expected(case: Case, code: str) -> bool:
    """Return whether the lines of `code` have the expected units on the expected sides: nothing to look into."""
    return _form(case.lines_of(code)) == _form(case.expected_of(code))


def _form(lines: Iterable[Line | ExpectedLine]) -> list[tuple[float, list[str]]]:
    return sorted((float(line.units), sorted(SIDE_MODIFIERS.intersection(line.modifiers))) for line in lines)


def more_than_once(case: Case, code: str) -> bool:
    """Return whether a code that is reported once per side and day is reported more often."""
    known = case.view.code(code)
    if known is None or not known.once_per_day:
        return False
    claim = claimed(case.lines, code)
    if claim.total <= 1:
        return False
    sides = max(1, len(documented_sides(supported(case, code))), len(claim.sides))
    return any(units > 1 for units in claim.by_side.values()) or claim.total > sides


def counts_joints(case: Case, code: str) -> bool:
    """Return whether a code counts facet joints, whose units `facet-joint-count` speaks of."""
    known = case.view.code(code)
    families = (s.family for s in case.selections if code in s.scheme.codes)
    return known is not None and any(f.counts == "joint" and f.id == known.family for f in families)


def over_documented(case: Case, code: str) -> bool:
    """Return whether more units are reported than the documented sites support.

    A once-a-day add-on with further sites documented is not over-documented but reported more than once, a catheter
    reported again on a later day is one of `continuous-follow-up`.
    """
    known = case.view.code(code)
    if known is None or known.once_per_day or as_expected(case, code):
        return False
    support, again = supported(case, code), repeated_placements(case)
    return bool(support) and exceeds(claimed((line for line in case.lines if line not in again), code), support)
