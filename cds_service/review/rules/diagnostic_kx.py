"""The modifier that marks diagnostic facet lines is missing, or stands where it does not belong.

## What it checks

Under a payer that tells diagnostic facet injections by a modifier (Medicare: KX): whether every line of a block
documented as diagnostic carries it, and no line of a block documented as therapeutic does. It has no place on
radiofrequency lines at all.

## Why it matters

Diagnostic and therapeutic sessions have limits of their own. A diagnostic line without the modifier is counted as a
therapeutic one, and the radiofrequency that rests on two diagnostic blocks then lacks them.

## Sources

The questions and answers of a Medicare contractor on facet injections, and the article of another.

## Known limits

Where the record does not say what a block was for, or says both, the rule is silent: the purpose is then missing from
the documentation. KX on lines of other techniques may have a meaning there and is left alone.

## Example

64493-RT ×1 and 64494-RT-KX ×1 for a Medicare patient, and a note of a diagnostic medial branch block.

## Corrected

64493-RT-KX ×1 and 64494-RT-KX ×1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.chart.model import Evidence, Line, Purpose
from cds_service.knowledge.model import Family
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.expected import diagnostic_modifiers
from cds_service.review.mismatch import open_lines
from cds_service.review.rule import Draft, Rule
from cds_service.review.words import codes_of, joined, lines_words, supported_words, verb


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per family whose lines lack the modifier, or have it and should not."""
    for family in _families(case):
        (wanted,) = diagnostic_modifiers(family, case.view)
        lines = [line for line in open_lines(case) if _family_of(case, line) == family.id]
        marked = [line for line in lines if wanted in line.modifiers]
        bare = [line for line in lines if line not in marked and case.expected_of(line.code)]
        purpose = _purpose(case, family)
        if not family.diagnostic_modifier and marked:
            said = f"{wanted} marks diagnostic facet injections and has no place on {lines_words(marked)}."
            yield _draft(case, marked, said)
        elif family.diagnostic_modifier and purpose is Purpose.DIAGNOSTIC and bare:
            said = f"{lines_words(bare)} {verb(bare, 'carries', 'carry')} no {wanted}."
            yield _draft(case, bare, f"The record documents a diagnostic block; {said}")
        elif purpose is Purpose.THERAPEUTIC and marked:
            said = f"{lines_words(marked)} {verb(marked, 'carries', 'carry')} {wanted}, which means a diagnostic one."
            yield _draft(case, marked, f"The record documents a therapeutic block; {said}")


def _families(case: Case) -> Iterator[Family]:
    """Yield the families of the reported lines of which the payer says where its modifier belongs, each once."""
    for name in dict.fromkeys(_family_of(case, line) for line in case.lines):
        family = case.view.family(name or "")
        if family is not None and diagnostic_modifiers(family, case.view):
            yield family


def _family_of(case: Case, line: Line) -> str | None:
    """Return the family of the block a line stands for; without one, that of its code."""
    done = (selection.family.id for selection in case.selections if line.code in selection.scheme.codes)
    code = case.view.code(line.code)
    return next(done, code.family if code else None)


def _purpose(case: Case, family: Family) -> Purpose | None:
    """Return what all blocks of a family were for; None where it is not stated, or differs."""
    stated = (selection.block.purpose for selection in case.selections if selection.family.id == family.id)
    purposes = {fact.value if fact else None for fact in stated}
    return purposes.pop() if len(purposes) == 1 else None


def _draft(case: Case, lines: Iterable[Line], message: str) -> Draft:
    codes = codes_of(lines)
    supported = supported_words(case, *codes)
    return Draft(
        message=message,
        remedy=f"Report {supported}." if supported else f"Take it off {joined(codes)}.",
        evidence=(*map(line_evidence, lines), *_purpose_evidence(case)),
        codes=codes,
        sources=tuple(source.id for source in case.view.parameter_sources("diagnostic_facet_modifier")),
    )


def _purpose_evidence(case: Case) -> Iterator[Evidence]:
    for selection in case.selections:
        if selection.block.purpose is not None:
            yield from selection.block.purpose.evidence


RULE = Rule(
    id="diagnostic-kx",
    title="KX on diagnostic facet lines",
    severity=Severity.WARNING,
    sources=("noridian-facet-qa-2022", "ngs-facet-a57826"),
    check=check,
    families=(
        "facet-cervical-thoracic",
        "facet-lumbar-sacral",
        "radiofrequency-cervical-thoracic",
        "radiofrequency-lumbar-sacral",
    ),
)
