"""Questions to the clinician where the record can be read two ways. They name the readings and lead to none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cds_service.chart.model import Contradiction, Technique
from cds_service.review.assessment import Query
from cds_service.review.case import Case
from cds_service.review.expected import drafted_lines
from cds_service.review.joints import disagree, treated
from cds_service.review.mismatch import done
from cds_service.review.selection import Selection, family_of, possible_families
from cds_service.review.sites import SideCount
from cds_service.review.targets import is_settled
from cds_service.review.together import not_told_apart
from cds_service.review.units import count_units
from cds_service.review.words import blocks_words, joined

_QUESTIONS = {
    "laterality": "The record names different sides for this block. Which side {was} injected?",
    "levels": "The record names different levels for this block. Which levels {were} injected?",
    "technique": "The record names different techniques for this block. Which technique {was} performed?",
    "catheter": "The record tells of a catheter and of a single injection. What {was} done, and on which side?",
    "site-count": "The record gives different numbers of injections. How many sites {were} injected?",
}
_WORDS_DONE = {
    "{note}": "note",
    "{was}": "was",
    "{were}": "were",
    "{were there}": "were there",
    "{Were they}": "Were they",
}
_WORDS_ORDERED = {
    "{note}": "order",
    "{was}": "is to be",
    "{were}": "are to be",
    "{were there}": "will there be",
    "{Were they}": "Are they to be",
}
"""How a question speaks of a block that was done, and of one that is being ordered."""
_FURTHER_OPTIONS = {"catheter": ("a catheter on one side, a single injection on the other",)}
_UNCLEAR = "Cannot be determined"
_DONE = {"site": "injected", "muscle": "injected", "joint": "treated"}
_WHICH = {"muscle": ", and which", "joint": ", and which"}
"""Where the names decide as much as the number."""
_RULE_OF = {"joint": "facet-joint-count"}
"""The rule a question about a number belongs to, where it is not that of sites."""
_TARGETS = ("the paravertebral space", "the sympathetic chain")


def queries(case: Case) -> tuple[Query, ...]:
    """Return the questions this chart leaves open."""
    return tuple(replace(query, question=_worded(query.question, case)) for query in _queries(case))


def _worded(question: str, case: Case) -> str:
    for place, word in (_WORDS_ORDERED if case.ordered else _WORDS_DONE).items():
        question = question.replace(place, word)
    return question


def _queries(case: Case) -> Iterator[Query]:
    """Yield the questions, the words that tell whether the block was done or is ordered left open in them."""
    yield from map(_about, case.chart.contradictions)
    if not case.separation.reportable:
        return
    elements = {contradiction.element for contradiction in case.chart.contradictions}
    counts = () if elements & {"levels", "site-count"} else tuple(_open_counts(case))
    kinds = () if "technique" in elements else (*_open_targets(case), *_open_families(case))
    yield from (*kinds, *counts, *_open_places(case))


def _open_places(case: Case) -> Iterator[Query]:
    """Yield a question per pair of reported blocks that an edit joins unless they were done at two places."""
    drafted = drafted_lines(case.selections, case.view, case.separation, case.lines)
    reported = [draft for draft in drafted if draft.line.code in case.reported_codes]
    for one, other in dict.fromkeys(not_told_apart(reported, case.view)):
        question = f"On one day there are {blocks_words((one, other))}. {{Were they}} done at the same place?"
        evidence = (*one.evidence, *other.evidence)
        yield Query(question, ("at the same place", "at different places", _UNCLEAR), evidence, rule="ptp-conflict")


def _about(contradiction: Contradiction) -> Query:
    readings = tuple(dict.fromkeys(fact.value for fact in contradiction.facts))
    question = _QUESTIONS.get(
        contradiction.element, f"The record contradicts itself on {contradiction.element}. Which is right?"
    )
    evidence = tuple(e for fact in contradiction.facts for e in fact.evidence)
    further = _FURTHER_OPTIONS.get(contradiction.element, ())
    return Query(question, (*readings, *further, _UNCLEAR), evidence)


def _open_families(case: Case) -> Iterator[Query]:
    """Yield a question per block whose words leave open which of several it was: its region, plane or target."""
    for block in case.uncoded:
        families = possible_families(block, case.view)
        if len(families) > 1 and block.technique is not Technique.OTHER:
            options = (*(family.title for family in families), _UNCLEAR)
            question = "The record leaves open which of these blocks it was. Which one {was} done?"
            yield Query(question, options, block.evidence, rule="technique-mismatch")


def _open_targets(case: Case) -> Iterator[Query]:
    """Yield a question per paravertebral block that may have been one of the sympathetic chain.

    Beside the lumbar spine the word means either. Beside the thoracic spine it means the paravertebral space, unless
    the chain's code is reported and the record gives neither that target nor a purpose that would tell.
    """
    for block in done(case):
        either = family_of(block, case.view) is None and _has_chain(case, block.region)
        if block.technique is Technique.PARAVERTEBRAL and (either or not is_settled(case, block)):
            question = "The record does not settle what the needle {was} aimed at. Which structure {was} injected?"
            yield Query(question, (*_TARGETS, _UNCLEAR), block.evidence, rule="sympathetic-target")


def _has_chain(case: Case, region: str | None) -> bool:
    """Whether there is a sympathetic block of a region of the spine."""
    families = case.view.families_for(Technique.SYMPATHETIC.value, region)
    return region is not None and any(region in family.regions for family in families)


def _open_counts(case: Case) -> Iterator[Query]:
    """Yield a question per block whose words leave open what was treated, where that decides a code."""
    for selection in case.selections:
        few = selection.scheme.few
        open_counts = [count for count in selection.counts if _decides_units(count, selection)]
        if unmatched := _unmatched_joints(selection, case):
            yield unmatched
        elif open_counts:
            yield _how_many(selection, open_counts[0])
        elif few is not None and any(count.high is None and count.low <= few for count in selection.counts):
            yield _few_or_many(selection, few)


def _unmatched_joints(selection: Selection, case: Case) -> Query | None:
    """Return a question where a block of nerves names joints as well, and other ones than the nerves supply."""
    levels = dict.fromkeys(site.level for site in selection.block.sites if site.level)
    named, nerves = ([level for level in levels if ("-" in level) is joint] for joint in (True, False))
    supplied = treated(nerves, case.view.knowledge.joints)
    if selection.family.counts != "joint" or not disagree(named, supplied):
        return None
    return Query(
        question=f"The record names {joined(named)} and the nerves {joined(nerves)}, which supply {joined(supplied)}. "
        "Which joints {were} treated?",
        options=(joined(named), joined(supplied), "all of these joints", _UNCLEAR),
        evidence=tuple(dict.fromkeys(e for count in selection.counts for e in count.evidence)),
        rule="facet-joint-count",
    )


def _few_or_many(selection: Selection, few: int) -> Query:
    noun = selection.counts[0].noun
    return Query(
        question=f"The record does not say how many {noun}s {{were}} {_DONE.get(noun, 'treated')}. "
        f"How many {{were there}}{_WHICH.get(noun, '')}?",
        options=(f"{few} or fewer", f"{few + 1} or more", _UNCLEAR),
        evidence=selection.counts[0].evidence,
        rule="units-exceed-documentation",
    )


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
    treatment = _DONE.get(count.noun, "treated")
    return Query(
        question=f"The {{note}} can be read as {span} {count.noun}s{per_side}. "
        f"How many {count.noun}s {{were}} {treatment}{_WHICH.get(count.noun, '')}?",
        options=(*(str(number) for number in range(count.low, most + 1)), _UNCLEAR),
        evidence=stated.evidence if stated else count.evidence,
        rule=_RULE_OF.get(count.noun, "units-exceed-documentation"),
    )
