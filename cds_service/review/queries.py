"""Questions to the clinician where the record can be read two ways. They name the readings and lead to none."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Contradiction
from cds_service.review.assessment import Query
from cds_service.review.case import Case
from cds_service.review.selection import Selection
from cds_service.review.sites import SideCount
from cds_service.review.units import count_units

_QUESTIONS = {
    "laterality": "The record names different sides for this block. Which side was injected?",
    "levels": "The record names different levels for this block. Which levels were injected?",
    "technique": "The record names different techniques for this block. Which technique was performed?",
    "catheter": "The record tells of a catheter and of a single injection. What was done, and on which side?",
    "site-count": "The record gives different numbers of injections. How many sites were injected?",
}
_FURTHER_OPTIONS = {"catheter": ("a catheter on one side, a single injection on the other",)}
_UNCLEAR = "Cannot be determined"
_DONE = {"site": "injected", "muscle": "injected", "joint": "treated"}
_RULE_OF = {"joint": "facet-joint-count"}
"""The rule a question about a number belongs to, where it is not that of sites."""


def queries(case: Case) -> tuple[Query, ...]:
    """Return the questions this chart leaves open."""
    contradicted = [_about(contradiction) for contradiction in case.chart.contradictions]
    return (*contradicted, *_ambiguous_counts(case))


def _about(contradiction: Contradiction) -> Query:
    readings = tuple(dict.fromkeys(fact.value for fact in contradiction.facts))
    question = _QUESTIONS.get(
        contradiction.element, f"The record contradicts itself on {contradiction.element}. Which is right?"
    )
    evidence = tuple(e for fact in contradiction.facts for e in fact.evidence)
    further = _FURTHER_OPTIONS.get(contradiction.element, ())
    return Query(question, (*readings, *further, _UNCLEAR), evidence)


def _ambiguous_counts(case: Case) -> Iterator[Query]:
    """Yield a question per block whose words allow more than one number of sites, where the number decides a code."""
    if any(c.element in ("levels", "site-count") for c in case.chart.contradictions):
        return
    for selection in case.selections:
        open_counts = [count for count in selection.counts if _decides_units(count, selection)]
        if open_counts and case.separation.reportable:
            yield _how_many(selection, open_counts[0])


def _decides_units(count: SideCount, selection: Selection) -> bool:
    """Whether the fewest and the most of an open count come to different units; no most, no end of options."""
    if count.high is None:
        return False
    fewest, most = (count_units(selection.scheme, (count.exactly(number),)) for number in (count.low, count.high))
    return [(unit.code, unit.count) for unit in fewest] != [(unit.code, unit.count) for unit in most]


def _how_many(selection: Selection, count: SideCount) -> Query:
    per_side = " on each side" if len(selection.counts) > 1 else ""
    stated = selection.block.site_count
    most = count.high or count.low
    span = f"{count.low} {'or' if most == count.low + 1 else 'to'} {most}"
    done = _DONE.get(count.noun, "treated")
    return Query(
        question=f"The note can be read as {span} {count.noun}s{per_side}. How many {count.noun}s were {done}?",
        options=(*(str(number) for number in range(count.low, most + 1)), _UNCLEAR),
        evidence=stated.evidence if stated else count.evidence,
        rule=_RULE_OF.get(count.noun, "units-exceed-documentation"),
    )
