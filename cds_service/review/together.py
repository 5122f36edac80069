"""Which of the lines the blocks come to may stand together on one day, by the procedure-to-procedure edits.

An edit with indicator 0 takes the column 2 line away. With indicator 1 it is paid where the record shows two services
at two places, and then carries a modifier that says so. Where the record does not show it, the line is not expected,
and is left as it is where the Claim has it: whether it was another place is a question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from cds_service.chart.model import Block, Line
from cds_service.chart.narrative.levels import region_of
from cds_service.knowledge.library import View
from cds_service.review.assessment import ExpectedLine
from cds_service.review.modifiers import SIDE_MODIFIERS, distinct_modifiers
from cds_service.review.sites import sides_of

_NEVER = "0"


@dataclass(frozen=True, slots=True)
class Drafted:
    """An expected line with the block it is for."""

    line: ExpectedLine
    block: Block


def side_by_side(
    drafted: Sequence[Drafted], view: View, reported: Sequence[Line] = (), others: Sequence[Line] = ()
) -> tuple[ExpectedLine, ...]:
    """Return the lines that may be reported together, beside the Claim's `others`, with the modifiers that needs.

    `reported` are the judged lines of the Claim.
    """
    claimed = {line.code for line in reported}
    beside: list[ExpectedLine | Line] = [*(draft.line for draft in drafted), *others]
    allowed = [draft for draft in drafted if not _never_paid(draft.line, beside, view)]
    kept = [draft for draft in allowed if not _left_out(draft, allowed, claimed, view)]
    kept = _with_primaries(kept, others, view)
    kept = [draft for draft in kept if not _guides_nothing(draft.line, kept, view)]
    return _once_unlisted([_marked(draft, kept, view) for draft in kept], view)


def _once_unlisted(lines: Iterable[ExpectedLine], view: View) -> tuple[ExpectedLine, ...]:
    """Put what an unlisted code stands for on one line: the code is reported once and explained."""
    kept: list[ExpectedLine] = []
    for line in lines:
        code = view.code(line.code)
        known = next((n for n, other in enumerate(kept) if other.code == line.code and _same_day(line, other)), None)
        if known is None or code is None or code.role != "unlisted":
            kept.append(line)
        else:
            evidence = tuple(dict.fromkeys(kept[known].evidence + line.evidence))
            kept[known] = replace(kept[known], evidence=evidence)
    return tuple(kept)


def told_apart(one: Block, other: Block) -> bool:
    """Return whether the record puts two blocks at two places: other regions, other sides, or no level in common."""
    if one.region and other.region and one.region != other.region:
        return True
    sides = [frozenset(sides_of(block)) for block in (one, other)]
    if None not in sides[0] | sides[1] and not sides[0] & sides[1]:
        return True
    levels = [_levels(block) for block in (one, other)]
    return bool(levels[0] and levels[1]) and not levels[0] & levels[1]


def _levels(block: Block) -> frozenset[str]:
    """Return the vertebral levels of a block; empty where a site has none that could be compared."""
    names = [site.level for site in block.sites]
    if any(name is None or region_of(name) is None for name in names):
        return frozenset()
    return frozenset(end for name in names if name for end in name.split("-"))


def _never_paid(line: ExpectedLine, lines: Iterable[ExpectedLine | Line], view: View) -> bool:
    """Whether an edit lets no modifier put `line` beside another of the same day."""
    edits = (view.ptp(other.code, line.code) for other in lines if _same_day(line, other))
    return any(edit is not None and edit.indicator == _NEVER for edit in edits)


def not_told_apart(drafted: Iterable[Drafted], view: View) -> Iterator[tuple[Block, Block]]:
    """Yield the pairs of blocks whose codes an edit joins, and which the record does not put at two places."""
    lines = tuple(drafted)
    for draft in lines:
        if not _is_imaging(draft.line, view):
            for other in _edited(draft, lines, view):
                if not told_apart(draft.block, other.block):
                    yield other.block, draft.block


def _left_out(draft: Drafted, drafted: Iterable[Drafted], claimed: AbstractSet[str], view: View) -> bool:
    """Whether an edit needs a place of its own for the line, the record does not show one, and the Claim has no such.

    Imaging is never marked as distinct: it is that of the block which includes it.
    """
    if _is_imaging(draft.line, view):
        return any(True for _ in _edited(draft, drafted, view))
    apart = all(told_apart(draft.block, other.block) for other in _edited(draft, drafted, view))
    return not apart and draft.line.code not in claimed


def _is_imaging(line: ExpectedLine, view: View) -> bool:
    code = view.code(line.code)
    return code is not None and code.role == "imaging"


def _edited(draft: Drafted, drafted: Iterable[Drafted], view: View) -> Iterator[Drafted]:
    """Yield the lines that bundle this one unless it is distinct: of other blocks, or imaging in two ways."""
    imaging = _is_imaging(draft.line, view)
    for other in drafted:
        if (other.block is not draft.block or imaging) and _same_day(draft.line, other.line):
            edit = view.ptp(other.line.code, draft.line.code)
            if edit is not None and edit.indicator != _NEVER:
                yield other


def _marked(draft: Drafted, drafted: Iterable[Drafted], view: View) -> ExpectedLine:
    """Return the line, with the modifier of a service at another place where an edit asks for it."""
    marks = distinct_modifiers(view)
    edited = [other for other in _edited(draft, drafted, view) if told_apart(draft.block, other.block)]
    bundling = [other for other in edited if not marks & set(other.line.modifiers)]
    if not bundling or marks & set(draft.line.modifiers):
        return draft.line
    place = sum(modifier in SIDE_MODIFIERS for modifier in draft.line.modifiers)
    modifiers = (*draft.line.modifiers[:place], view.parameter("distinct_site_modifier"), *draft.line.modifiers[place:])
    evidence = tuple(e for other in bundling for e in other.line.evidence)
    return replace(draft.line, modifiers=modifiers, evidence=tuple(dict.fromkeys(draft.line.evidence + evidence)))


def _with_primaries(drafted: list[Drafted], others: Sequence[Line], view: View) -> list[Drafted]:
    """Return the lines without the add-ons that have lost their primary, nor those that had them for theirs."""
    there = {*(draft.line.code for draft in drafted), *(line.code for line in others)}
    kept = [draft for draft in drafted if not _orphaned(draft.line.code, there, view)]
    return kept if len(kept) == len(drafted) else _with_primaries(kept, others, view)


def _orphaned(name: str, there: AbstractSet[str], view: View) -> bool:
    code = view.code(name)
    return code is not None and code.role == "add-on" and there.isdisjoint(code.primaries)


def _guides_nothing(line: ExpectedLine, kept: Iterable[Drafted], view: View) -> bool:
    """Whether `line` is imaging, and every block left beside it includes imaging."""
    if not _is_imaging(line, view):
        return False
    others = (view.code(other.line.code) for other in kept)
    return all(other.imaging_included for other in others if other is not None and other.role != "imaging")


def _same_day(one: ExpectedLine, other: ExpectedLine | Line) -> bool:
    return None in (one.service_date, other.service_date) or one.service_date == other.service_date
