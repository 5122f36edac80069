"""From documented sites to codes and units, per side: the arithmetic of each counting scheme.

The schemes are named by the knowledge (`Scheme.counting`); the codes come from there too. Modifiers are put on
afterwards (`review/modifiers.py`), so that a payer's way of saying "both sides" does not change the count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cds_service.chart.model import Evidence
from cds_service.knowledge.model import Scheme
from cds_service.review.sites import SideCount, SideOrUnknown


@dataclass(frozen=True, slots=True)
class Unit:
    """`count` units of `code` on one side (None: side unknown, or a code that has no side).

    `certain` is False where the words allow the units but do not prove them ("PVB at T4-5").
    """

    code: str
    count: int
    side: SideOrUnknown
    evidence: tuple[Evidence, ...]
    certain: bool = True


def count_units(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """Return the units `scheme` gives for the sites on each side, primaries before add-ons."""
    return _COUNTING[scheme.counting](scheme, sides)


def _first_and_further_once(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit for the first site of a side, one for all further sites of that side together."""
    return _per_side(scheme, sides) + _add_ons(scheme, sides, once=True)


def _first_and_each_further(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit for the first level of a side, one for each further level of that side."""
    return _per_side(scheme, sides) + _add_ons(scheme, sides, once=False)


def _per_side(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit per side, whatever the number of injections."""
    return tuple(Unit(scheme.primary, 1, side.side, side.evidence) for side in sides)


def _one_or_both_sides(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One code for one side, another that already means both."""
    if len(sides) > 1 and scheme.both_sides is not None:
        evidence = tuple(dict.fromkeys(e for side in sides for e in side.evidence))
        return (Unit(scheme.both_sides, 1, None, evidence),)
    return _per_side(scheme, sides)


def _unlisted(scheme: Scheme, sides: tuple[SideCount, ...]) -> tuple[Unit, ...]:
    """One unit of an unlisted code for the session."""
    evidence = tuple(dict.fromkeys(e for side in sides for e in side.evidence))
    return (Unit(scheme.primary, 1, None, evidence),)


def _add_ons(scheme: Scheme, sides: tuple[SideCount, ...], *, once: bool) -> tuple[Unit, ...]:
    if scheme.add_on is None:
        return ()
    return tuple(unit for side in sides if (unit := _add_on(scheme.add_on, side, once=once)) is not None)


def _add_on(code: str, side: SideCount, *, once: bool) -> Unit | None:
    if side.further:
        return Unit(code, 1 if once else side.further, side.side, side.evidence)
    if side.may_have_further:
        most = 1 if once or side.high is None else side.high - 1
        return Unit(code, most, side.side, side.evidence, certain=False)
    return None


_COUNTING: Mapping[str, Callable[[Scheme, tuple[SideCount, ...]], tuple[Unit, ...]]] = {
    "first-and-further-once": _first_and_further_once,
    "first-and-each-further": _first_and_each_further,
    "per-side": _per_side,
    "one-or-both-sides": _one_or_both_sides,
    "unlisted": _unlisted,
}

COUNTING_SCHEMES = frozenset(_COUNTING)
"""The names a scheme in the knowledge may use."""
