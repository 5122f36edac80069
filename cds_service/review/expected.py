"""The claim lines the record supports, computed from the chart and only then laid beside the Claim.

What the record leaves open (a side nobody stated, a second site the words allow but do not prove) is taken over from
the Claim as reported, and not judged: unknown is never *no*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from cds_service.chart.model import Evidence, Line, Purpose, Side
from cds_service.knowledge.checks import REFERRING
from cds_service.knowledge.library import View
from cds_service.knowledge.model import Family
from cds_service.review.assessment import ExpectedLine
from cds_service.review.modifiers import (
    SIDE_MODIFIERS,
    SidedLine,
    distinct_modifiers,
    with_sides,
)
from cds_service.review.selection import Selection
from cds_service.review.separate_service import Separation, Service
from cds_service.review.tally import claimed
from cds_service.review.together import Drafted, side_by_side
from cds_service.review.units import Unit, count_units

_DIAGNOSTIC_OR_NOT = frozenset({Purpose.DIAGNOSTIC, Purpose.THERAPEUTIC})


def expected_lines(
    selections: Iterable[Selection],
    view: View,
    separation: Separation,
    reported: tuple[Line, ...],
    other_lines: tuple[Line, ...] = (),
) -> tuple[ExpectedLine, ...]:
    """Return the lines for the blocks done; none where they may not be reported separately.

    `reported` are the judged lines of the Claim: a second opinion for what the record leaves open, and the source of
    the payment modifiers (26, TC, AA ...) that stay as they are. `other_lines` are the Claim's lines beside them.
    """
    if not separation.reportable:
        return ()
    return side_by_side(drafted_lines(selections, view, separation, reported), view, reported, other_lines)


def drafted_lines(
    selections: Iterable[Selection], view: View, separation: Separation, reported: tuple[Line, ...]
) -> list[Drafted]:
    """Return the lines each block comes to by itself, before they are laid beside one another."""
    drafted: list[Drafted] = []
    guided: set[tuple[str, date | None]] = set()
    for selection in _counted_once(tuple(selections)):
        units = _units(selection, reported)
        day = selection.block.service_date
        # One session of guidance is one unit, also where it guided two blocks.
        imaging = [line for line in _imaging(selection, view) if (line.code, day) not in guided]
        guided.update((line.code, day) for line in imaging)
        sided = (*with_sides(units, view), *imaging)
        drafted += [Drafted(_finish(line, selection, view, separation, reported), selection.block) for line in sided]
    return drafted


def _counted_once(selections: tuple[Selection, ...]) -> Iterator[Selection]:
    """Yield the blocks to count: one that is referred to the codes of another block of the day is part of that one."""
    for place, selection in enumerate(selections):
        codes = set(selection.scheme.codes)
        others = [other for n, other in enumerate(selections) if n != place and codes & {*other.scheme.codes}]
        own = [other for other in others if other.scheme.counting != selection.scheme.counting]
        if selection.scheme.counting not in REFERRING or not (own or (others and others[0] in selections[:place])):
            yield selection


def _units(selection: Selection, reported: tuple[Line, ...]) -> list[Unit]:
    """Return the units that are proven, and of what the words merely allow as much as the Claim reports."""
    units = count_units(selection.scheme, selection.counts)
    sided = [each for unit in units for each in _on_sides(_as_coded(unit, selection, reported), reported)]
    open_to_claim = [unit.within(_claimed_units(unit, reported)) for unit in sided]
    return [unit for unit in open_to_claim if unit.count]


def _as_coded(unit: Unit, selection: Selection, reported: tuple[Line, ...]) -> Unit:
    """With no side stated, the Claim may have chosen between the one-sided and the both-sided code."""
    both = selection.scheme.both_sides
    if (
        both is not None
        and unit.side is None
        and unit.code == selection.scheme.primary
        and claimed(reported, both).lines
    ):
        return replace(unit, code=both)
    return unit


def _on_sides(unit: Unit, reported: tuple[Line, ...]) -> list[Unit]:
    """Where no side is documented, the sides on the Claim are neither confirmed nor denied: they stay."""
    sides = claimed(reported, unit.code).by_side if unit.side is None else {}
    return [replace(unit, side=side) for side in (Side.RIGHT, Side.LEFT) if side in sides] or [unit]


def _claimed_units(unit: Unit, reported: tuple[Line, ...]) -> float:
    claim = claimed(reported, unit.code)
    return claim.unsided + (claim.by_side.get(unit.side, 0) if unit.side else sum(claim.by_side.values()))


def _imaging(selection: Selection, view: View) -> list[SidedLine]:
    """Return imaging lines that may stand beside the block: guidance documented, and the stored image a code needs."""
    block, family = selection.block, selection.family
    image = block.image_saved.evidence if block.image_saved and block.image_saved.value else None
    used = {fact.value.value: fact.evidence for fact in block.guidance}
    codes = [code for name in family.imaging_codes if (code := view.code(name)) is not None]
    return [
        SidedLine(code.code, 1, (), used[code.guidance] + (image or ()))
        for code in codes
        if code.guidance in used and (image is not None or not code.image_required)
    ]


def _finish(
    line: SidedLine, selection: Selection, view: View, separation: Separation, reported: tuple[Line, ...]
) -> ExpectedLine:
    """Put behind the side of a line the distinct service, the diagnostic purpose and what the Claim keeps, in order."""
    on_claim = _claimed_modifiers(line, reported)
    distinct, why = _distinct(line.code, on_claim, view, separation)
    diagnostic, purpose = _diagnostic(selection, view, on_claim)
    settled = distinct_modifiers(view) | diagnostic_modifiers(selection.family, view)
    if (code := view.code(line.code)) is not None and code.bilateral is not None:
        settled |= SIDE_MODIFIERS
    kept = tuple(modifier for modifier in on_claim if modifier not in settled)
    return ExpectedLine(
        code=line.code,
        units=line.units,
        modifiers=(*line.modifiers, *distinct, *diagnostic, *kept),
        evidence=tuple(dict.fromkeys(line.evidence + why + purpose)),
        service_date=selection.block.service_date,
    )


def diagnostic_modifiers(family: Family, view: View) -> frozenset[str]:
    """Return the modifier (KX) by which the payer tells diagnostic lines, where it says something of `family`.

    Empty where the payer has none, and where nothing is said of the family: there it is a modifier like any other.
    """
    wanted = view.parameter("diagnostic_facet_modifier")
    return frozenset({wanted} if family.diagnostic_modifier is not None and wanted != "none" else ())


def _diagnostic(
    selection: Selection, view: View, on_claim: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return the diagnostic modifier where the purpose is documented; where it is not, as on the Claim."""
    if not selection.family.diagnostic_modifier:
        return (), ()
    wanted = diagnostic_modifiers(selection.family, view)
    purpose = selection.block.purpose
    if purpose is None or purpose.value not in _DIAGNOSTIC_OR_NOT:
        return tuple(modifier for modifier in on_claim if modifier in wanted), ()
    return (tuple(wanted), purpose.evidence) if purpose.value is Purpose.DIAGNOSTIC else ((), ())


def _claimed_modifiers(line: SidedLine, reported: tuple[Line, ...]) -> tuple[str, ...]:
    """Return the modifiers of the Claim line this line will stand for: the one that agrees best."""
    same_code = [r for r in reported if r.code == line.code]
    best = max(same_code, key=lambda r: len(set(r.modifiers) & set(line.modifiers)), default=None)
    return best.modifiers if best else ()


def _distinct(
    code: str, claimed: tuple[str, ...], view: View, separation: Separation
) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Return 59 (or the X modifier the Claim already uses) where the block is proven a separate service."""
    on_claim = tuple(m for m in claimed if m in distinct_modifiers(view))
    if separation.service is Service.SEPARATE and (on_claim or _is_bundled(code, view)):
        return on_claim[:1] or (view.parameter("distinct_modifier"),), separation.evidence
    if separation.service is Service.ALONE:
        return on_claim, ()
    return (), ()


def _is_bundled(code: str, view: View) -> bool:
    """Return whether anesthesia bundles a block code: as its edits say, or as the manual says where there are none yet.

    NCCI policy manual chapter 2 speaks of any block for pain after an operation; a code younger than the loaded
    edits is in none of them. An add-on rides on its primary.
    """
    known = view.code(code)
    addon = known is not None and known.role == "add-on"
    return view.bundled_into_anesthesia(code) or not (addon or view.ptp_covers(code))


def agrees(reported: Iterable[Line], expected: Iterable[ExpectedLine]) -> bool:
    """Return whether the reported lines say what the expected ones say, whatever their order and how they are split."""
    return _added_up(reported) == _added_up(expected)


def _added_up(lines: Iterable[Line | ExpectedLine]) -> dict[tuple[str, frozenset[str]], float]:
    units: dict[tuple[str, frozenset[str]], float] = {}
    for line in lines:
        key = (line.code, frozenset(line.modifiers))
        units[key] = units.get(key, 0) + line.units
    return units
