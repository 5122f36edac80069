"""From documented sites to codes and units, per side: the arithmetic of each counting scheme.

The schemes are named by the knowledge (`Scheme.counting`); the codes come from there too. Modifiers are put on
afterwards (`review/modifiers.py`), so that a payer's way of saying "both sides" does not change the count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cds_service.chart.model import Evidence
from cds_service.knowledge.model import Scheme
from cds_service.review.sites import SideCount, SideOrUnknown


@dataclass(frozen=True, slots=True)
class Unit:
    """`count` proven units of `code` on one side (None: side unknown, or a code that has no side).

    `most` is what the words allow at most, where they leave a choice ("PVB at T4-5": 0 proven, 1 allowed); None where
    they set no limit.
    """

    code: str
    count: int
    side: SideOrUnknown
    evidence: tuple[Evidence, ...]
    most: int | None

    @classmethod
    def proven(cls, code: str, count: int, side: SideOrUnknown, evidence: tuple[Evidence, ...]) -> Unit:
        """Return units the words leave no choice about."""
        return cls(code, count, side, evidence, most=count)

    def within(self, claimed: float) -> Unit:
        """Return the units with the claimed number, as far as the words allow it."""
        allowed = claimed if self.most is None else min(claimed, self.most)
        return replace(self, count=max(self.count, int(allowed)))


@dataclass(frozen=True, slots=True)
class Range:
    """At least `low` units and at most `high`; equal where the record leaves no choice."""

    low: int
    high: int


Supported = Mapping[SideOrUnknown, Range]
"""The units the record supports on each side; under None where no side is documented. Empty: none at all."""


def count_units(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """Return the units `scheme` gives for the sites on each side, primaries before add-ons."""
    return _COUNTING[scheme.counting](scheme, sides)


def _first_and_further_once(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit for the first site of a side, one for all further sites of that side together."""
    return _per_side(scheme, sides) + _add_ons(scheme, sides, once=True)


def _first_and_each_further(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit for the first level of a side, one for each further level of that side."""
    return _per_side(scheme, sides) + _add_ons(scheme, sides, once=False)


def _first_second_further(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One code for the first level of a side, one for the second, one unit of a third for all further ones."""
    codes = (scheme.primary, scheme.add_on, scheme.further)
    return tuple(
        Unit(code, least, side.side, side.evidence, most)
        for place, code in enumerate(codes, start=1)
        for side in sides
        if code is not None
        for least, most in [_reached(side, place, last=place == len(codes))]
        if most != 0
    )


def _reached(side: SideCount, place: int, *, last: bool) -> tuple[int, int]:
    """Return whether the level at `place` of a side was treated for sure, and whether it may have been.

    The last place stands for all levels from there on; without an upper limit any place may have been reached.
    """
    first = side.before + 1
    in_reach = place >= first or last

    def covers(number: int | None) -> bool:
        return in_reach and (number is None or (number > 0 and side.before + number >= place))

    return int(covers(side.low)), int(covers(side.high))


def _once(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit for the session, whatever the sides."""
    return (Unit.proven(scheme.primary, 1, None, _all_evidence(sides)),)


def _few_or_many(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit for the session: of one code up to a number, of another above it; either where the number is open."""
    low = sum(side.low for side in sides)
    high = None if any(side.high is None for side in sides) else sum(side.high or 0 for side in sides)
    few, evidence = scheme.few or 0, _all_evidence(sides)
    if scheme.many is None or (high is not None and high <= few):
        return (Unit.proven(scheme.primary, 1, None, evidence),)
    if low > few:
        return (Unit.proven(scheme.many, 1, None, evidence),)
    return (Unit(scheme.primary, 0, None, evidence, 1), Unit(scheme.many, 0, None, evidence, 1))


def _either(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit for the session, of whichever code is reported: nothing that is counted here decides between them."""
    codes = (scheme.primary, scheme.many)
    return tuple(Unit(code, 0, None, _all_evidence(sides), 1) for code in codes if code)


def _all_evidence(sides: tuple[SideCount, ...]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(e for side in sides for e in side.evidence))


def _per_side(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit per side, whatever the number of injections."""
    return tuple(Unit.proven(scheme.primary, 1, side.side, side.evidence) for side in sides)


def _one_or_both_sides(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One code for one side, another that already means both."""
    if len(sides) > 1 and scheme.both_sides is not None:
        return (Unit.proven(scheme.both_sides, 1, None, _all_evidence(sides)),)
    return _per_side(scheme, sides)


def _unlisted(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit of an unlisted code for the session."""
    return (Unit.proven(scheme.primary, 1, None, _all_evidence(sides)),)


def _add_ons(scheme: Scheme, sides: tuple[SideCount, ...], *, once: bool) -> tuple[Unit, ...]:
    if scheme.add_on is None:
        return ()
    return tuple(unit for side in sides if (unit := _add_on(scheme.add_on, side, once=once)) is not None)


def _add_on(code: str, side: SideCount, *, once: bool) -> Unit | None:
    """Return the units for the sites after the first; None where there can be none."""
    least, most = side.low - 1, None if side.high is None else side.high - 1
    if once:
        least, most = min(least, 1), 1 if most is None else min(most, 1)
    return Unit(code, least, side.side, side.evidence, most) if most != 0 else None


_COUNTING: Mapping[str, Callable[[Scheme, tuple[SideCount, ...]], tuple[Unit, ...]]] = {
    "first-and-further-once": _first_and_further_once,
    "first-and-each-further": _first_and_each_further,
    "first-second-further": _first_second_further,
    "per-side": _per_side,
    "one-or-both-sides": _one_or_both_sides,
    "once": _once,
    "few-or-many": _few_or_many,
    "either": _either,
    "unlisted": _unlisted,
}

COUNTING_SCHEMES = frozenset(_COUNTING)
"""The names a scheme in the knowledge may use."""
