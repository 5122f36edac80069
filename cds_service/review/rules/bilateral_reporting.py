"""Both sides are reported in the form the payer takes.

## What it checks

How both sides are written. Where both are documented, the lines must have the form of the profile: one line with 50,
two units, or two lines with RT and LT; one side alone is not it. A line names its side once: not RT and LT, not 50
with either. A code that is bilateral in itself (64468, 64469, 64488, 64489), or that has no side (imaging, 62320 to
62327, 64517, 64530, 20552, 20553), takes none of the three. The one-sided code twice (64466 ×2, 64466-50) is not the
both-sided one.

## Why it matters

Payers disagree: CPT since 2020 has bilateral add-ons reported twice, Medicare and most others want one line with 50
and one unit. Two lines or two units run into a daily limit of one; a line without 50 pays one side of two.

## Sources

The bilateral indicators of the physician fee schedule, Medicare's claims manual and its note on unit limits; for the
other form, the changes of CPT 2020. The profile's own sources are cited with the finding.

## Known limits

Where one side is documented and another reported, or both, `laterality-mismatch` speaks. Too many or too few units
belong to `units-exceed-documentation`, `addon-once-per-day` and `service-not-charged`. Facility claims of surgery
centers, which some contractors want on two lines, need a profile.

## Example

64461-RT ×1 and 64461-LT ×1 for injections at T4 on both sides.

## Corrected

64461-50 ×1.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.chart.model import Evidence, Line
from cds_service.review.assessment import ExpectedLine, Severity
from cds_service.review.case import Case, line_evidence
from cds_service.review.mismatch import Mismatch, open_lines, unexpected
from cds_service.review.modifiers import side_modifiers
from cds_service.review.rule import Draft, Rule
from cds_service.review.tally import documented_sides, in_another_form, malformed, supported
from cds_service.review.words import codes_of, codes_words, joined, line_words, lines_words

_ONE_SIDED = "1"
"""The fee schedule's bilateral indicator for a code that may be reported for one side or both."""


def check(case: Case) -> Iterator[Draft]:
    """Yield drafts for lines that cannot take their side modifiers, and one for the form of both sides."""
    lines = open_lines(case)
    yield from (_sideless(case, line) for line in lines if _takes_no_side(case, line))
    badly = [line for line in lines if malformed(line) and not _takes_no_side(case, line)]
    yield from (_twice(case, line) for line in badly)
    yield from _one_sided_code(case)
    done = {line.code for line in badly}
    codes = [code for code in dict.fromkeys(line.code for line in lines) if code not in done]
    differing = [code for code in codes if in_another_form(case, code) and not _any_sideless(case, code)]
    if differing:
        yield _other_form(case, differing)


def _takes_no_side(case: Case, line: Line) -> bool:
    code = case.view.code(line.code)
    if code is None or code.bilateral in (None, _ONE_SIDED):
        return False
    return bool(side_modifiers(line.modifiers))


def _any_sideless(case: Case, code: str) -> bool:
    return any(_takes_no_side(case, line) for line in case.lines_of(code))


def _sideless(case: Case, line: Line) -> Draft:
    code = case.view.code(line.code)
    why = "means both sides by itself" if code and code.inherently_bilateral else "has no side"
    return Draft(
        message=f"{line_words(line)}: {line.code} {why} and takes no 50, RT or LT.",
        remedy=f"Take {joined(sorted(side_modifiers(line.modifiers)))} off {line.code}.",
        evidence=(line_evidence(line),),
        codes=(line.code,),
    )


def _twice(case: Case, line: Line) -> Draft:
    expected = case.expected_of(line.code)
    return Draft(
        message=f"{line_words(line)} names its side twice on one line.",
        remedy=f"Report {lines_words(expected)}." if expected else "Use 50 for both sides, or RT or LT for one.",
        evidence=(line_evidence(line), *_words_of_sides(case, [line.code])),
        codes=(line.code,),
        sources=_profile_sources(case, [line.code]),
    )


def _one_sided_code(case: Case) -> Iterator[Draft]:
    """Yield a draft where the one-sided code is reported while both sides have a code of their own."""
    lines = [line for line in unexpected(case, Mismatch.SIDES) if not _both_sides_in_itself(case, line)]
    if lines:
        right = [line for line in case.expected if _both_sides_in_itself(case, line)] or list(case.expected)
        yield Draft(
            message=f"Both sides are documented: {lines_words(right)}, but the Claim has {lines_words(lines)}.",
            remedy=f"Report {lines_words(right)} instead of {codes_words(lines)}.",
            evidence=(*map(line_evidence, lines), *(e for line in right for e in line.evidence)),
            codes=codes_of(lines, right),
        )


def _both_sides_in_itself(case: Case, line: Line | ExpectedLine) -> bool:
    code = case.view.code(line.code)
    return code is not None and code.inherently_bilateral


def _other_form(case: Case, codes: list[str]) -> Draft:
    lines, right = case.lines_of(*codes), case.expected_of(*codes)
    said = "documented" if any(documented_sides(supported(case, code)) for code in codes) else "reported"
    return Draft(
        message=f"Both sides are {said}: {lines_words(right)}, but the Claim has {lines_words(lines)}.",
        remedy=f"Report {lines_words(right)}.",
        evidence=(*map(line_evidence, lines), *_words_of_sides(case, codes)),
        codes=tuple(codes),
        sources=_profile_sources(case, codes),
    )


def _words_of_sides(case: Case, codes: list[str]) -> tuple[Evidence, ...]:
    return tuple(e for line in case.expected_of(*codes) for e in line.evidence)


def _profile_sources(case: Case, codes: list[str]) -> tuple[str, ...]:
    known = [code for name in codes if (code := case.view.code(name))]
    names = {"addon_bilateral" if code.role == "add-on" else "primary_bilateral" for code in known}
    return tuple(source.id for name in sorted(names) for source in case.view.parameter_sources(name))


RULE = Rule(
    id="bilateral-reporting",
    title="How both sides are reported",
    severity=Severity.WARNING,
    sources=("cms-mpfs-2026q3", "cms-claims-manual-ch12-40-7", "cms-se1422", "ahima-cpt-2020"),
    check=check,
)
