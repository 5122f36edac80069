"""A facet level beyond those the payer covers is reported, or documented.

## What it checks

Whether a facet level is reported or documented that is above the number of levels the payer covers for a side and
session: the code of the third and all further levels, under fluoroscopy, CT or ultrasound, where the payer covers two.

## Why it matters

The code is right and will still not be paid. Whoever knows it before the block can tell the patient, and later the
patient can be billed only if told in time; afterwards an appeal with the records is what remains.

## Sources

The local coverage determinations of the Medicare contractors for facet interventions, since 2021, and the questions and
answers of one of them.

## Known limits

It is advice: no line is wrong, so nothing is corrected. Of a payer without a number of levels none was found, which
does not mean that it pays for a third. That a line of a further level has no documented joint behind it is said by
other rules, and then not by this one.

## Example

64493-RT-KX ×1, 64494-RT-KX ×1 and 64495-RT-KX ×1 for joints L3-L4, L4-L5 and L5-S1 on the right, Medicare.

## Corrected

The same lines, with the patient told in writing before the block that the third level is not covered.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Evidence, Line
from cds_service.review.assessment import ExpectedLine, Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import open_lines
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import codes_of, lines_words, place

_PARAMETER = "facet_levels_covered"
_UNLIMITED = "not-limited"


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft for all lines of levels that are not covered."""
    covered = case.view.parameter(_PARAMETER)
    if covered == _UNLIMITED:
        return
    beyond = _codes_beyond(case, int(covered))
    reported = tuple(line for line in open_lines(case) if line.code in beyond)
    lacking = tuple(line for line in case.expected_of(*beyond) if line.code not in codes_of(reported))
    if reported or lacking:
        yield Draft(
            message=f"{_said(case, reported, lacking)}, and {_payer(case)} covers no more than {covered} levels of a "
            "side in one session.",
            remedy="The code is right, the level is not covered. With a notice in writing before the block the patient "
            "can decide and be billed; afterwards only an appeal with the records can help.",
            evidence=(*map(line_evidence, reported), *_evidence(case, beyond)),
            codes=codes_of(reported, lacking),
            sources=tuple(source.id for source in case.view.parameter_sources(_PARAMETER)),
        )


def _codes_beyond(case: Case, covered: int) -> tuple[str, ...]:
    """Return the codes of the levels after the `covered` ones, of every way of counting in force that day."""
    schemes = (scheme for family in RULE.families for scheme in case.view.schemes(family, continuous=False))
    by_level = ((scheme.primary, scheme.add_on, scheme.further) for scheme in schemes)
    return tuple(dict.fromkeys(code for codes in by_level for code in codes[covered:] if code))


def _said(case: Case, reported: tuple[Line, ...], lacking: tuple[ExpectedLine, ...]) -> str:
    """Return whether the level is reported, or only documented."""
    if not reported:
        return f"The record documents {lines_words(lacking, modifiers=not case.ordered)}"
    name = place(case)
    return f"{name[0].upper()}{name[1:]} has {lines_words(reported, modifiers=not case.ordered)}"


def _payer(case: Case) -> str:
    return case.view.knowledge.profiles[case.view.profile].title


def _evidence(case: Case, beyond: tuple[str, ...]) -> Iterator[Evidence]:
    for line in case.expected_of(*beyond):
        yield from line.evidence


RULE = Rule(
    id="facet-third-level",
    title="Facet level that is not covered",
    severity=Severity.INFO,
    sources=("cms-lcd-l38773", "noridian-facet-qa-2022", "noridian-a58403"),
    check=check,
    families=("facet-cervical-thoracic", "facet-lumbar-sacral"),
    for_orders=True,
)
