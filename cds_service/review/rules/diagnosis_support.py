"""The diagnoses on the Claim are codes of ICD-10-CM that go with the block.

## What it checks

For each diagnosis a block line points to (all of the Claim, where it points to none): whether the code exists in
ICD-10-CM and has all its characters; whether the side its title names is the side of the block; and whether one of them
is in the list a payer has published for the block, where there is such a list.

## Why it matters

A code that does not exist or lacks characters sends the claim back unread. A diagnosis of the other side makes a
reader doubt the block or the diagnosis. A published list tells what a payer expects to see; it does not decide a
single case.

## Sources

The tabular list of ICD-10-CM and its official guidelines; for facet injections the article of a Medicare contractor.

## Known limits

The codes are those of one release. For a day outside its fiscal year a doubtful code is advice, not a warning, and the
assessment says so; codes that came in April count for the whole year. Sides are compared for groups of diagnoses only
(of the trunk, for blocks of the trunk), and where the record documents one side for the block. Side and list are
advice, not a forecast of payment, and are left out where a diagnosis cannot be read as ICD-10-CM. Lists of other
contractors differ. Where the Claim names no diagnosis, the Conditions of the encounter are looked at, and nothing is
required. A diagnosis is never changed here.

## Example

64461-RT ×1 for an injection at T4 on the right, with the diagnosis S22.4: fractures of ribs, without side and episode.

## Corrected

The same line with S22.41XA, if the record tells of an acute closed fracture on the right.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cds_service.chart.model import DiagnosisFacts, Evidence, Line, Side
from cds_service.knowledge.diagnoses import edition, lookup
from cds_service.knowledge.model import DiagnosisGroup
from cds_service.review.assessment import Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.diagnoses import Basis, bases, code_of, groups
from cds_service.review.rule import Draft, Rule
from cds_service.review.tally import documented_sides, supported
from cds_service.review.words import joined, sides_words

_OPEN = "unspecified"


def check(case: Case) -> Iterator[Draft]:
    """Yield one draft per code that cannot be reported, per side that differs, and per list without a match."""
    found = bases(case)
    yield from _not_reportable(case, found)
    yield from _once(draft for basis in found for draft in _other_side(case, basis))
    yield from _not_listed(case, found)


def _not_reportable(case: Case, found: tuple[Basis, ...]) -> Iterator[Draft]:
    facts = {code_of(fact): (fact, basis.claimed) for basis in found for fact in basis.facts}
    for name, (fact, claimed) in facts.items():
        known = lookup(name)
        if known is None or not known.billable:
            certain = claimed and edition().covers(case.day)
            yield Draft(
                message=_not_a_code(case, name) if known is None else _a_heading(case, name),
                remedy="Look up the code for what the record says; the diagnosis itself is not changed here.",
                evidence=(fact.evidence, *_lines_with(found, name)),
                codes=(name,),
                severity=None if certain else Severity.INFO,
            )


def _not_a_code(case: Case, name: str) -> str:
    return f"The diagnosis {name} is no code of ICD-10-CM ({_release(case)})."


def _a_heading(case: Case, name: str) -> str:
    return f"The diagnosis {name} is a heading of ICD-10-CM that lacks characters to be reported ({_release(case)})."


def _release(case: Case) -> str:
    release = edition()
    return f"{release.label} release" + ("" if release.covers(case.day) else f", not that of {case.day}")


def _lines_with(found: tuple[Basis, ...], name: str) -> tuple[Evidence, ...]:
    return tuple(line_evidence(basis.line) for basis in found if basis.line.diagnoses and name in basis.codes)


def _other_side(case: Case, basis: Basis) -> Iterator[Draft]:
    """Yield a draft where the diagnoses name a side, or leave it open, and none names the side of the block."""
    documented = documented_sides(supported(case, basis.line.code))
    if len(documented) != 1 or not basis.complete:
        return
    (side,) = documented
    sided = {fact: named for fact in basis.facts if (named := _side_named(case, basis, fact))}
    if not sided or set(sided.values()) & {side.value, Side.BILATERAL.value}:
        return
    differing = [fact for fact, named in sided.items() if named != _OPEN] or list(sided)
    yield _side_draft(case, basis.line, differing, sided[differing[0]], side)


def _side_named(case: Case, basis: Basis, fact: DiagnosisFacts) -> str | None:
    known = lookup(code_of(fact))
    compared = any(group.holds(code_of(fact)) for group in groups(case, basis, "sided"))
    return known.laterality if known and compared else None


def _side_draft(case: Case, line: Line, facts: list[DiagnosisFacts], named: str, side: Side) -> Draft:
    names = tuple(map(code_of, facts))
    return Draft(
        message=f"{_side_words(names, named)}; the record documents the block on {sides_words([side])}.",
        remedy="Check the diagnosis against the record; where the side is known, there is a code that names it.",
        evidence=(
            *(fact.evidence for fact in facts),
            *(e for one in case.expected_of(line.code) for e in one.evidence),
        ),
        codes=names,
        sources=("cms-icd-10-cm-guidelines-2026", "nchs-icd-10-cm-2026"),
        severity=Severity.INFO,
    )


def _side_words(names: tuple[str, ...], named: str) -> str:
    one = len(names) == 1
    subject = f"The {'diagnosis' if one else 'diagnoses'} {joined(names)}"
    if named == _OPEN:
        return f"{subject} {'leaves' if one else 'leave'} the side open"
    return f"{subject} {'names' if one else 'name'} the {named}"


def _once(drafts: Iterator[Draft]) -> Iterator[Draft]:
    """Join what is said of several lines in the same words."""
    joint: dict[str, Draft] = {}
    for draft in drafts:
        known = joint.get(draft.message)
        evidence = (*known.evidence, *draft.evidence) if known else draft.evidence
        joint[draft.message] = replace(draft, evidence=evidence)
    yield from joint.values()


def _not_listed(case: Case, found: tuple[Basis, ...]) -> Iterator[Draft]:
    wanting: dict[tuple[DiagnosisGroup, tuple[str, ...]], list[Basis]] = {}
    for basis in found:
        for group in groups(case, basis, "listed") if _all_sure(basis) else ():
            if not any(map(group.holds, basis.codes)):
                wanting.setdefault((group, basis.codes), []).append(basis)
    for (group, names), lines in wanting.items():
        codes = joined(basis.line.code for basis in lines)
        yield Draft(
            message=f"Of the diagnoses for {codes} none is among {group.title}: {joined(names)}.",
            remedy=f"Point to a listed diagnosis if the record supports one. {group.note}".strip(),
            evidence=tuple(fact.evidence for fact in lines[0].facts),
            codes=names,
            sources=group.sources,
            severity=Severity.INFO,
        )


def _all_sure(basis: Basis) -> bool:
    """Return whether every diagnosis of a line is known and is a code: only then is none of them listed."""
    known = [lookup(name) for name in basis.codes]
    return bool(known) and basis.claimed and basis.complete and all(one and one.billable for one in known)


RULE = Rule(
    id="diagnosis-support",
    title="Diagnosis that does not fit",
    severity=Severity.WARNING,
    sources=("nchs-icd-10-cm-2026", "cms-icd-10-cm-guidelines-2026"),
    check=check,
)
"""Only a code that cannot be reported is a warning; side and list are advice."""
