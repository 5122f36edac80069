"""Which Claim of the encounter is judged, and which of its lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.chart.model import Chart, ClaimFacts, Line
from cds_service.knowledge.library import View
from cds_service.review.assessment import NotChecked
from cds_service.review.modifiers import distinct_modifiers


@dataclass(frozen=True)
class Reported:
    """What was reported: the judged lines, and the lines beside them that are left alone.

    `claim` is the one Claim that can be corrected; None where there is none, or more than one.
    """

    lines: tuple[Line, ...] = ()
    other_lines: tuple[Line, ...] = ()
    claim: ClaimFacts | None = None
    not_checked: tuple[NotChecked, ...] = ()
    judged: frozenset[str] = frozenset()
    """The codes whose lines are judged."""


def reported(chart: Chart, view: View, judged: frozenset[str]) -> Reported:
    """Return the lines of `chart` to judge: of the draft orders where there are any, else of the Claim."""
    if chart.orders:
        return Reported(lines=tuple(order.line for order in chart.orders), judged=judged)
    chosen = judged_claims(chart, view)
    lines = [line for claim in chosen for line in claim.lines]
    judged_lines = tuple(line for line in lines if _is_judged(line, view, judged))
    others = tuple(line for line in lines if line not in judged_lines)
    return Reported(
        lines=judged_lines,
        other_lines=others + _anesthesia_elsewhere(chart, chosen, view),
        claim=chosen[0] if len(chosen) == 1 else None,
        not_checked=(*_several(chosen), *_passed_over(chart, chosen, view)),
        judged=judged,
    )


def _is_judged(line: Line, view: View, judged: frozenset[str]) -> bool:
    """An imaging line with a distinct-service modifier says it belongs to something else: it is left alone."""
    code = view.code(line.code)
    if line.code not in judged or code is None:
        return False
    return not (code.role == "imaging" and distinct_modifiers(view) & set(line.modifiers))


def judged_claims(chart: Chart, view: View) -> tuple[ClaimFacts, ...]:
    """Return the Claims that carry block lines; with none, the one Claim the block would be added to."""
    professional = [claim for claim in chart.claims if claim.kind in (None, "professional")]
    candidates = professional if _with_blocks(professional, view) else list(chart.claims)
    return _with_blocks(candidates, view) or _where_it_belongs(professional or list(chart.claims), chart, view)


def _with_blocks(claims: Iterable[ClaimFacts], view: View) -> tuple[ClaimFacts, ...]:
    return tuple(claim for claim in claims if any(_is_block(line, view) for line in claim.lines))


def _is_block(line: Line, view: View) -> bool:
    code = view.code(line.code)
    return code is not None and code.is_block


def _where_it_belongs(claims: list[ClaimFacts], chart: Chart, view: View) -> tuple[ClaimFacts, ...]:
    """Return the Claim of whoever did the block: by its provider, else by its anesthesia line, else the only one."""
    performers = {performer for block in chart.blocks for performer in block.performers}
    own = [claim for claim in claims if claim.provider in performers]
    anesthesia = [claim for claim in claims if any(view.is_anesthesia(line.code) for line in claim.lines)]
    for group in (own, anesthesia):
        if len(group) == 1:
            return tuple(group)
    only = claims[0] if len(claims) == 1 else None
    if only is None or (performers and (only.provider or "").startswith("Practitioner/")):
        return ()
    return (only,)


def _anesthesia_elsewhere(chart: Chart, chosen: tuple[ClaimFacts, ...], view: View) -> tuple[Line, ...]:
    """Return the anesthesia lines of the encounter's other Claims: they tell of the operation's anesthesia."""
    others = [claim for claim in chart.claims if claim not in chosen]
    return tuple(line for claim in others for line in claim.lines if view.is_anesthesia(line.code))


def _several(chosen: tuple[ClaimFacts, ...]) -> tuple[NotChecked, ...]:
    if len(chosen) < 2:
        return ()
    names = ", ".join(claim.reference for claim in chosen)
    return (
        NotChecked("record", f"Block lines stand on several Claims ({names}); judged together, none is corrected."),
    )


def _passed_over(chart: Chart, chosen: tuple[ClaimFacts, ...], view: View) -> Iterator[NotChecked]:
    """Say of which Claims the block lines were not judged: those of a facility beside the practitioner's."""
    for claim in _with_blocks(chart.claims, view):
        if claim not in chosen:
            yield NotChecked("record", f"{claim.reference} is not the practitioner's; its lines were not judged.")
